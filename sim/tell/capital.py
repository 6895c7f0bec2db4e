"""The capital plan: what is bought when, when it is bought again, and what is left of it at the end."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sim.tell.budget import amounts
from sim.tell.grid import Grid, grid, strong
from sim.tell.number import NONE, number
from sim.tell.run import Run

YUAN = "yuan"
PIECES = ("bought", "replaced", "when", "unit_price_yuan", "life", "in_service")
SUMS = ("spent", "annual", "left")
NUMBERS = (1, 2, 4, 5, 6, 7, 8, 9)


def plan(run: Run) -> pd.DataFrame:
    """Return capital.csv with what is bought at any time; empty when the run does not tell it."""
    table = run.if_there("capital.csv")
    if table.empty:
        return table
    return table[table.groupby("account")[["bought", "in_service"]].transform("max").gt(0).any(axis=1)]


def table(run: Run) -> Grid:
    """Return each thing that is bought over the years: how many, for how much, how long it lasts, what is left."""
    word, found = run.words, plan(run)
    rows: list[tuple[object, ...]] = []
    for account, part in found.groupby("account", sort=False) if len(found) else ():
        last = part[part["year"] == run.years[-1]].iloc[0]
        rows.append(
            (
                word.term("account", account),
                *(_pieces(last, part[name].sum()) for name in ("bought", "replaced")),
                _when(part),
                _pieces(last, last["unit_price_yuan"]),
                number(last["life_years"]),
                _pieces(last, last["in_service"]),
                *amounts(run, (part["mean"].sum(), last["annual"], part["residual"].sum())),
            )
        )
    if rows:
        at_end = found[found["year"] == run.years[-1]]
        whole = amounts(run, (found["mean"].sum(), at_end["annual"].sum(), found["residual"].sum()))
        rows.append(strong(word("total"), *[""] * len(PIECES), *whole))
    return grid([word(f"column.{name}") for name in ("account", *PIECES, *SUMS)], rows, NUMBERS, wide=True)


def _pieces(row: pd.Series, count: float) -> str:
    """Return a count of pieces or the price of one; what is counted in yuan has none."""
    return NONE if row["unit"] == YUAN else number(count, 0)


def _when(part: pd.DataFrame) -> str:
    """Return the years in which most is bought: the first to the last one."""
    years = part.loc[part["bought"] > 0, "year"]
    if years.empty:
        return ""
    return str(years.min()) if years.min() == years.max() else f"{years.min()}–{years.max()}"


def yearly_table(run: Run) -> Grid:
    """Return how many of each thing are bought in each year, with those that replace worn ones in brackets."""
    word, found = run.words, plan(run)
    head = (word("column.account"), *map(str, run.years))
    rows: list[tuple[object, ...]] = []
    for account, part in found.groupby("account", sort=False) if len(found) else ():
        years: Any = part.set_index("year").reindex(run.years)[["bought", "replaced"]].fillna(0.0)
        rows.append((word.term("account", account), *(_bought(*counts) for counts in years.to_numpy())))
    return grid(head, rows, range(1, len(head)), wide=True)


def _bought(bought: float, replaced: float) -> str:
    again = f" ({number(replaced, 0)})" if replaced > 0 else ""
    return number(bought, 0) + again
