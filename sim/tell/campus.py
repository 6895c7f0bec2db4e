"""Campuses of closed schools: what becomes of them, and the money in it."""

from __future__ import annotations

import pandas as pd

from sim.tell.budget import label, lines
from sim.tell.grid import Grid, grid, strong
from sim.tell.number import NONE, money, number
from sim.tell.run import Run

COMPANY, IDLE = "county_company", ("kept", "handed_over")
ORDER = ("used", "let", "sold", "handed_over", "kept")
MONEY = ("campus_upkeep", "campus_lease", "campus_sale")
"""Accounts of idle campuses."""


def campuses(run: Run) -> pd.DataFrame:
    """Return campuses.csv, empty when the run does not tell it or nothing closes."""
    return run.if_there("campuses.csv")


def story(run: Run) -> list[str]:
    """Return the sentences: how many campuses there are in the last year, how many of them in use, and their money."""
    word, last = run.words, _last(run)
    if last.empty:
        return []
    idle = last[last["status"].isin(IDLE)]
    said = [
        word(
            "campus.story", year=run.years[-1], count=len(last), area=number(last["area_m2"].sum(), 0),
            used=int((last["status"] == "used").sum()), idle=len(idle), idle_area=number(idle["area_m2"].sum(), 0),
        )
    ]  # fmt: skip
    company = (last["owner"] == COMPANY).sum()
    if company:
        said.append(word("campus.company", count=int(company)))
    return [*said, *_money(run)]


def _money(run: Run) -> list[str]:
    """Return what the campuses cost and bring in over all years."""
    if run.budget.empty:
        return []
    sums = lines(run).groupby("account")["mean"].sum().reindex(MONEY, fill_value=0.0)
    told = {name.removeprefix("campus_"): money(abs(yuan), run.words, run.public) for name, yuan in sums.items()}
    return [run.words("campus.money", first=run.years[0], last=run.years[-1], **told)]


def _last(run: Run) -> pd.DataFrame:
    table = campuses(run)
    return table[table["year"] == run.years[-1]] if len(table) else table


def table(run: Run) -> Grid:
    """Return by status and use how many campuses there are in each year, with their floor area.

    A use that is only being prepared is told in the register; until then the campus is idle.
    """
    word, found = run.words, campuses(run)
    head: tuple[str, ...] = (word("column.campus_status"), word("column.campus_use"))
    if found.empty:
        return grid(head, [])
    use = found["use"].astype(object).fillna("").mask(found["status"].isin(IDLE), "")
    plan = ["", *(each.use for each in run.settings.campus.uses)]
    found = found.assign(use=use, order=found["status"].map(ORDER.index), rank=use.map(plan.index))
    years = _years_of_change(run, found)
    head += tuple(map(str, years))
    cells = found.groupby(["order", "rank", "status", "use", "year"])["area_m2"].agg(["size", "sum"])
    rows: list[tuple[object, ...]] = [
        (
            label(word.term("campus_status", status)),
            label(word.term("campus_use", use) if use else NONE),
            *_years(years, part),
        )
        for (_, _, status, use), part in cells.groupby(["order", "rank", "status", "use"])
    ]
    rows.append(strong(word("total"), "", *_years(years, found.groupby("year")["area_m2"].agg(["size", "sum"]))))
    return grid(head, rows, range(2, len(head)), wide=True)


def _years_of_change(run: Run, found: pd.DataFrame) -> list[int]:
    """Return the first year, and every year in which something else becomes of a campus than in the year before."""
    told = [
        set(found.loc[found["year"] == year, ["school_id", "status", "use"]].itertuples(index=False, name=None))
        for year in run.years
    ]
    return [year for k, year in enumerate(run.years) if k == 0 or told[k] != told[k - 1]]


def _years(years: list[int], cells: pd.DataFrame) -> list[str]:
    """Return count and floor area of each year."""
    by_year = (
        cells.droplevel([name for name in cells.index.names if name != "year"]) if cells.index.nlevels > 1 else cells
    )
    by_year = by_year.reindex(years, fill_value=0)
    return [f"{size:.0f} ({number(area, 0)})" if size else NONE for size, area in by_year[["size", "sum"]].to_numpy()]


def register(run: Run) -> Grid:
    """Return every campus of the last year: area, year closed, owner, what becomes of it, and why."""
    word = run.words
    rows = [
        (
            run.site(row.school_id),
            row.year_closed,
            number(row.area_m2, 0),
            word.term("campus_owner", row.owner),
            word.term("campus_status", row.status),
            word.term("campus_use", row.use) if isinstance(row.use, str) and row.use else NONE,
            word.term("campus_reason", row.reason) if isinstance(row.reason, str) else NONE,
            word("campus_source.assumed") if row.source == "assumed" else word.source(row.source),
        )
        for row in _last(run).itertuples()
    ]
    names = ("where", "year_closed", "area", "owner", "campus_status", "campus_use", "campus_reason", "source")
    return grid([word(f"column.{name}") for name in names], rows, (1, 2), wide=True)
