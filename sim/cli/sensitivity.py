"""The verb `sensitivity`: ask which uncertain settings decide, and show it in the terminal."""

from __future__ import annotations

import pandas as pd

from sim.cli import BAD_INPUT, DONE, OUR_FAULT
from sim.cli.show import as_table, say, terminal
from sim.config.sensitivity import asked
from sim.sweep import Outcome
from sim.tell.grid import Grid, grid
from sim.tell.sensitivity import Told
from sim.workers import console

MATTERS = 0.05
"""A total index is never quite 0: what is clearly above this share counts."""


def sensitivity(overrides: list[str]) -> int:
    """Live what the question asks for, write its tables and its page, and return the exit code."""
    question, settings = asked(overrides)
    from sim.sensitivity.question import answer
    from sim.tell.page import sensitivity as page

    folder, failed = answer(question, settings)
    if failed:
        return _failed(failed)
    drawn, told = page(folder.path), Told(folder.path)
    terminal().print(as_table(_shown(told), told.words(f"terminal.{told.table or 'tornado'}")))
    say(told.words("terminal.sensitivity", place=drawn))
    return DONE


def _shown(told: Told) -> Grid:
    """Return one row for each setting, with its key, and one column for each output."""
    tables = {output: told.rows(told.table or "tornado", output) for output in told.outputs}
    rows = [
        (_name(told, key), *(_cell(told.table, rows.loc[key], told.scale(name)) for name, rows in tables.items()))
        for key in told.settings
    ]
    head = (told.words("sensitivity.column.setting"), *map(told.head, told.outputs))
    return grid(head, rows, range(1, len(head)))


def _name(told: Told, key: str) -> str:
    label = told.label(key)
    return key if label == key else f"{label} ({key})"


def _cell(table: str, row: pd.Series, scale: float) -> str:
    """Return what is shown of an output and a setting; - where the output never changes."""
    if table == "indices":
        text, clear = (
            " / ".join(f"{round(row[k], 2) + 0.0:.2f}" for k in ("first", "total")),
            row["total_low"] > MATTERS,
        )
    elif table == "coefficients":
        text, clear = f"{round(row['coefficient'], 2) + 0.0:+.2f}", row["coefficient_low"] * row["coefficient_high"] > 0
    else:
        text, clear = " / ".join(f"{row[k] / scale + 0.0:+,.4g}" for k in ("at_low", "at_high")), False
    return "-" if "nan" in text else f"{text}{'*' if clear else ''}"


def _failed(failed: list[Outcome]) -> int:
    """Tell every failed evaluation by name; 2 when all failures are bad input, 1 when one is our fault."""
    told = console()
    for outcome in failed:
        told.print(f"Evaluation {outcome.scenario} failed: {outcome.fault}", markup=False, soft_wrap=True)
    told.print("The others are kept in evaluations.parquet; the same command lives only what is missing.")
    return BAD_INPUT if all(outcome.bad_input for outcome in failed) else OUR_FAULT
