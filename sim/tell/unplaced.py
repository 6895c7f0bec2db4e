"""Pupils without a place within the limits: how many, in the worst year, what stops it, and where they are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sim.tell.cells import hidden, is_small
from sim.tell.number import masked
from sim.tell.run import Run

NO_SCHOOL = ("no road", "no open receiving school")
"""What stops a place so that no rule can give one."""


def unplaced(run: Run) -> list[str]:
    """Return a sentence for those who go to a school beyond the limits, and one for those who go to none.

    Each tells of the year with the most, by what stops a place. Public pages show no group of under five pupils.
    """
    table, assign = run.table("unplaced"), run.settings.assign
    table["constraint"] = table["constraint"].str.replace(r" takes grade \d+$", "", regex=True)
    refused = assign.rule == "capacity" and assign.refused == "unplaced"
    nowhere = table["constraint"].isin(NO_SCHOOL) | refused
    return [*_worst_year(run, table[~nowhere], "over_limits"), *_worst_year(run, table[nowhere], "no_school")]


def _worst_year(run: Run, table: pd.DataFrame, key: str) -> list[str]:
    if table.empty:
        return []
    year = int(table.groupby("year")["pupils"].sum().idxmax())
    by = table[table["year"] == year].groupby("constraint")["pupils"].sum().sort_values(ascending=False, kind="stable")
    counts = np.ceil(by.round(6)).tolist()  # expected pupils: a part of one is one who may come
    total, words = sum(counts), run.words
    parts = zip(by.index, counts, hidden(counts, run.public), strict=True)
    told = words.join([f"{words.term('constraint', what)} {masked(count, away)}" for what, count, away in parts])
    return [words(f"answer.{key}", year=year, pupils=masked(total, run.public and is_small(total)), by=told)]
