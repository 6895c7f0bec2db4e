"""The verb `sensitivity`: ask which uncertain settings decide, and show it in the terminal."""

from __future__ import annotations

import sys

import pandas as pd
from rich.console import Console
from rich.table import Table

from sim.cli import BAD_INPUT, DONE, OUR_FAULT
from sim.cli.show import WIDTH_OF_A_FILE
from sim.config.sensitivity import Sensitivity, asked
from sim.store import RunFolder
from sim.sweep import Outcome

TITLES = {
    "sobol": "Share of the variance: first-order / total index (* clearly more than 0.05)",
    "lhs": "Coefficients of ranks, -1 to 1 (* the 95 % interval does not hold 0)",
    "one_at_a_time": "Change at the 10 % / at the 90 % quantile of each setting alone",
}
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
    drawn = page(folder.path)
    show(question, folder)
    Console().print(f"Sensitivity: {drawn}", soft_wrap=True)
    return DONE


def show(question: Sensitivity, folder: RunFolder) -> None:
    """Show one row for each setting and one column for each output."""
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH_OF_A_FILE)
    table = Table(title=TITLES[question.method])
    table.add_column("setting", overflow="fold")
    for output in question.outputs:
        table.add_column(output, justify="right", overflow="fold")
    cells = _cells(question, folder)
    for key in question.settings:
        table.add_row(key, *(cells[output, key] for output in question.outputs))
    console.print(table)


def _cells(question: Sensitivity, folder: RunFolder) -> dict[tuple[str, str], str]:
    """Return what is shown of each output and setting; - where the output never changes."""
    name = {"sobol": "indices", "lhs": "coefficients"}.get(question.method, "tornado")
    rows = folder.read_table(name)
    return {(row["output"], row["setting"]): _cell(question.method, row) for _, row in rows.iterrows()}


def _cell(method: str, row: pd.Series) -> str:
    if method == "sobol":
        text, clear = (
            " / ".join(f"{round(row[k], 2) + 0.0:.2f}" for k in ("first", "total")),
            row["total_low"] > MATTERS,
        )
    elif method == "lhs":
        text, clear = f"{round(row['coefficient'], 2) + 0.0:+.2f}", row["coefficient_low"] * row["coefficient_high"] > 0
    else:
        text, clear = f"{row['at_low'] + 0.0:+,.4g} / {row['at_high'] + 0.0:+,.4g}", False
    return "-" if "nan" in text else f"{text}{'*' if clear else ''}"


def _failed(failed: list[Outcome]) -> int:
    """Tell every failed evaluation by name; 2 when all failures are bad input, 1 when one is our fault."""
    told = Console(stderr=True)
    for outcome in failed:
        told.print(f"Evaluation {outcome.scenario} failed: {outcome.fault}", markup=False, soft_wrap=True)
    told.print("The others are kept in evaluations.parquet; the same command lives only what is missing.")
    return BAD_INPUT if all(outcome.bad_input for outcome in failed) else OUR_FAULT
