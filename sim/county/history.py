"""What a history of rolls must look like: no year left out, no grade that vanishes, all areas to the same autumn."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sim.tables.check import Problem

VANISHING_PUPILS = 10
"""A grade that had so many pupils a year and has none in the last year was moved, not left by chance."""
COUNTY = "county"


def history_problems(history: pd.DataFrame, file: str = "history.csv") -> Iterator[Problem]:
    """Yield what stops cohorts from being followed; columns area_id, year, grade, pupils; rows by their index.

    Grades must be consecutive whole numbers that every area lists in every year (0 where it has no pupils).
    """
    rows = history.dropna(subset=["area_id", "year", "grade", "pupils"])
    if rows.empty:
        return
    yield from _gaps(rows, file)
    yield from _vanishing(rows, file)


def _gaps(rows: pd.DataFrame, file: str) -> Iterator[Problem]:
    """Every area has all years between its first and the table's last, each with every grade of the table."""
    last, grades = int(rows["year"].max()), range(int(rows["grade"].min()), int(rows["grade"].max()) + 1)
    for area, own in rows.groupby("area_id", sort=True):
        there = set(zip(own["year"], own["grade"], strict=True))
        for year in range(int(own["year"].min()), last + 1):
            absent = [grade for grade in grades if (year, grade) not in there]
            before = own.index[own["year"] <= year]
            if len(absent) == len(grades):
                says = f"area '{area}' has no row of {year}; give every year up to {last}, or leave out those before it"
                yield Problem(file, int(before[-1]), "year", says)
            elif absent:
                listed = ", ".join(map(str, absent))
                says = f"area '{area}' lacks grade {listed} in {year}; give its pupils, 0 where there are none"
                yield Problem(file, int(before[-1]), "grade", says)


def _vanishing(rows: pd.DataFrame, file: str) -> Iterator[Problem]:
    """A grade that had pupils every year and now has none was moved to another area: its rates mean nothing.

    So was one that emptied by and by while the grade below had pupils to send; where these died out, too, it is life.
    """
    last = rows["year"].max()
    below = rows[rows["year"] == last - 1].set_index(["area_id", "grade"])["pupils"]
    for (area, grade), own in rows.groupby(["area_id", "grade"], sort=True):
        years = own.groupby("year")["pupils"].sum()
        before = years.loc[: years.index[years > 0].max()] if (years > 0).any() else years[:0]
        if before.empty or before.index[-1] == last or last not in years.index:
            continue
        sent = below.get((area, grade - 1), 0)
        if before.mean() >= VANISHING_PUPILS or (before.max() >= VANISHING_PUPILS and sent >= VANISHING_PUPILS):
            says = (
                f"grade {grade} of area '{area}' vanishes: none since {before.index[-1] + 1}, {before.mean():.0f} a "
                "year before; if it moved to another area, count it there in all years"
            )
            yield Problem(file, int(own.index[own["year"] == last][0]), "pupils", says)
