"""Quantities times prices: one ledger line per account and site, and the budget that adds them up."""
