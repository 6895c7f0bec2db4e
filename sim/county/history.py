"""What a history of rolls must look like: no year left out, no grade that vanishes, all areas to the same autumn."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sim.tables.check import Problem

VANISHING_PUPILS = 10
"""A grade that had so many pupils a year and has none in the last year was moved, not left by chance."""
COUNTY = "county"
SAME_PUPILS, SAME_SHARE = 10, 0.05
"""Rolls of one autumn may differ by so many pupils or this share, whichever is more: days of counting differ."""


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


def rolls_by_area(pupils: pd.DataFrame, hamlets: pd.DataFrame) -> pd.Series:
    """Return the pupils of pupils.csv by area (each township, and the county) and grade."""
    homes = hamlets.drop_duplicates("hamlet_id").set_index("hamlet_id")["township_id"]
    known = pupils.dropna(subset=["hamlet_id", "grade", "pupils"])
    by_town = known.assign(area_id=known["hamlet_id"].map(homes)).groupby(["area_id", "grade"])["pupils"].sum()
    county = known.groupby("grade")["pupils"].sum()
    return pd.concat([by_town, pd.concat({COUNTY: county}, names=["area_id"])])


def roll_problems(history: pd.DataFrame, pupils: pd.DataFrame, hamlets: pd.DataFrame) -> Iterator[Problem]:
    """Yield where the last year of history is not the roll of pupils.csv: an area's worst grade, else its total."""
    rows = history.dropna(subset=["area_id", "year", "grade", "pupils"])
    rows = rows[rows["year"] == rows["year"].max()]
    roll = rolls_by_area(pupils, hamlets)
    if not roll.sum() or not (pupils["pupils"] >= 0).all():
        return
    for area, own in rows.groupby("area_id", sort=True):
        at_home = pd.Series([roll.get((area, grade), 0) for grade in own["grade"]], own.index, dtype=float)
        off = (own["pupils"] - at_home).abs()
        year, total, home = int(own["year"].iloc[0]), own["pupils"].sum(), at_home.sum()
        if (off > _allowed(at_home)).any():
            row = (off - _allowed(at_home)).idxmax()
            what, told = f"grade {own['grade'][row]:.0f} of area '{area}' has", (own["pupils"][row], at_home[row])
        elif abs(total - home) > max(SAME_PUPILS, SAME_SHARE * home):
            row, what, told = own.index[0], f"area '{area}' has", (total, home)
        else:
            continue
        says = (
            f"{what} {told[0]:.0f} pupils in {year}, the last year, but {told[1]:.0f} in pupils.csv; these must be the "
            f"rolls of one autumn: if pupils.csv is that of {year + 1}, `python -m sim autumn` adds its year here"
        )
        yield Problem("history.csv", int(row), "pupils", says)


def _allowed(roll: pd.Series) -> pd.Series:
    return (SAME_SHARE * roll).clip(lower=SAME_PUPILS)
