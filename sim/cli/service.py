"""What `check` shows of a county's own bus runs: every limit they do not keep, and their score beside planned runs."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from sim.config import Settings
from sim.plan import Checked
from sim.tell.number import number
from sim.tell.words import Words

WIDTH_OF_A_FILE = 140
COUNTED = ("no_bus", "school_closed", "no_stop", "empty_stop")
"""Limits that say who is concerned; there is no number to hold theirs against."""
MOST_DIGITS = 3


def show_runs(checked: Checked | None, settings: Settings) -> int:
    """Show the limits that the county's runs do not keep, one line each, and the scores; nothing without runs.

    Return how many such lines there are.
    """
    if checked is None:
        return 0
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH_OF_A_FILE)
    found, year = checked.violations, settings.study.first_year
    given = found[found["plan"] == "given"]
    if "given" not in set(checked.score["plan"]):
        console.print(f"runs.csv: no run is driven in {year}.")
        return 0
    console.print(f"runs.csv in {year}: {len(given)} violation{'s' * (len(given) != 1)} of limits.")
    word = Words("en")
    for row in given.itertuples():
        where = ", ".join(str(name) for name in (row.run_id, row.bus_id, row.school_id, row.stop_id) if pd.notna(name))
        console.print(f"  {where}: {_says(row, word)}", soft_wrap=True, highlight=False)
    console.print(_scores(checked.score, word))
    return len(given)


def _says(row: Any, word: Words) -> str:
    """Return what is not kept and by how much, with as many digits as it takes to see that it is not."""
    limit, unit = word(f"run_limit.{row.limit}"), word.term("unit_of_limit", row.unit)
    if row.limit in COUNTED:
        return f"{limit}: {number(row.value)} {unit}" if row.value else limit
    for digits in (None, *range(1, MOST_DIGITS + 1)):
        value, right = number(row.value, digits), number(row.limit_value, digits)
        if value != right:
            break
    return f"{limit}: {value} against {right} {unit}"


def _scores(score: pd.DataFrame, word: Words) -> Table:
    """Return the scores as a table: a row for each measure, a column for each plan."""
    table = Table()
    plans = list(dict.fromkeys(score["plan"]))
    table.add_column("")
    for plan in plans:
        table.add_column(word.term("plan", plan), justify="right")
    values = score.set_index(["plan", "measure"])["value"]
    for name in dict.fromkeys(score["measure"]):
        label = word.term("score", name) if not name.startswith("violations_") else "  " + _limit(word, name)
        table.add_row(label, *(number(values.get((plan, name), 0.0)) for plan in plans))
    return table


def _limit(word: Words, measure: str) -> str:
    return word(f"run_limit.{measure.removeprefix('violations_')}")
