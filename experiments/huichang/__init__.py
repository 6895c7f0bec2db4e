"""Builds the tables of Huichang County from sourced tables and a documented, seeded synthesis."""
