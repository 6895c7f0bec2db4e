"""What `check` shows of a county's own bus runs: every limit they do not keep, and their score beside planned runs."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sim.cli.show import as_table, say, terminal
from sim.config import Settings
from sim.plan import Checked
from sim.tell.grid import Grid, grid
from sim.tell.number import number
from sim.tell.words import Words

COUNTED = ("no_bus", "school_closed", "no_stop", "empty_stop")
"""Limits that say who is concerned; there is no number to hold theirs against."""
MOST_DIGITS = 3


def show_runs(checked: Checked | None, settings: Settings) -> int:
    """Show the limits that the county's runs do not keep, one line each, and the scores; nothing without runs.

    Return how many such lines there are.
    """
    if checked is None:
        return 0
    word, year = Words(settings.report.language), settings.study.first_year
    given = checked.violations[checked.violations["plan"] == "given"]
    if "given" not in set(checked.score["plan"]):
        say(word("terminal.no_runs", year=year))
        return 0
    say(word("terminal.runs", year=year, violations=word.count("violations", len(given))))
    for row in given.itertuples():
        where = ", ".join(str(name) for name in (row.run_id, row.bus_id, row.school_id, row.stop_id) if pd.notna(name))
        say(f"  {where}: {_says(row, word)}")
    terminal().print(as_table(_scores(checked.score, word)))
    return len(given)


def _says(row: Any, word: Words) -> str:
    """Return what is not kept and by how much, with as many digits as it takes to see that it is not."""
    limit, unit = word(f"run_limit.{row.limit}"), word.term("unit_of_limit", row.unit)
    if row.limit in COUNTED:
        return word("terminal.counted", limit=limit, value=number(row.value), unit=unit) if row.value else limit
    for digits in (None, *range(1, MOST_DIGITS + 1)):
        value, right = number(row.value, digits), number(row.limit_value, digits)
        if value != right:
            break
    return word("terminal.against", limit=limit, value=value, right=right, unit=unit)


def _scores(score: pd.DataFrame, word: Words) -> Grid:
    """Return the scores as a table: a row for each measure, a column for each plan."""
    plans = list(dict.fromkeys(score["plan"]))
    values = score.set_index(["plan", "measure"])["value"]
    rows = []
    for name in dict.fromkeys(score["measure"]):
        label = word.term("score", name) if not name.startswith("violations_") else "  " + _limit(word, name)
        rows.append((label, *(number(values.get((plan, name), 0.0)) for plan in plans)))
    return grid(("", *(word.term("plan", plan) for plan in plans)), rows, range(1, len(plans) + 1))


def _limit(word: Words, measure: str) -> str:
    return word(f"run_limit.{measure.removeprefix('violations_')}")
