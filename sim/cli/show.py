"""What a verb shows in the terminal: the worst bottlenecks of a run, the table of a comparison."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sim.store import RunFolder
from sim.tables.sure import CLEAR
from sim.tell.grid import Grid, grid
from sim.tell.number import money_scale, percent
from sim.tell.words import Words

WORST = 5
INTERVAL = ("mean", "low", "high")
WIDTH_OF_A_FILE = 140
NAME_WIDTH = 18
MILLION = 1_000_000
COUNTY = "county"
COMPARED = (
    "pupils_left_behind",
    "late_pupils",
    "meals_unserved",
    "bed_refused",
    "severity",
    "cost_yuan_per_year",
)
"""What a comparison shows of each scenario; all else is in summary.parquet."""


def terminal() -> Console:
    """Return where results are shown: the terminal, or a file of fixed width."""
    return Console() if sys.stdout.isatty() else Console(width=WIDTH_OF_A_FILE)


def say(text: str) -> None:
    """Show a sentence as it is, in one line."""
    terminal().print(text, markup=False, highlight=False, soft_wrap=True)


def as_table(shown: Grid, title: str | None = None, lines: bool = False) -> Table:
    """Return a table for the terminal; names from a county's tables are text there, whatever they look like."""
    table = Table(title=title and Text(title), show_lines=lines)
    for place, name in enumerate(shown.head):
        table.add_column(Text(name), justify="right" if place in shown.numbers else "left", overflow="fold")
    longest = max((cell_len(line) for row in shown.rows for line in row[0].text.splitlines()), default=0)
    table.columns[0].min_width = min(longest, NAME_WIDTH)  # numbers may break rather than names
    for row in shown.rows:
        table.add_row(*(Text(cell.text) for cell in row))
    return table


def show_run(path: Path) -> None:
    """Show where the report of a run is and which bottlenecks are the worst."""
    folder = RunFolder(path)
    word = Words(folder.settings.report.language)
    worst = worst_bottlenecks(folder.read_table("bottlenecks"))
    if worst.empty:
        say(word("answer.no_harm"))
    else:
        replications = word.count("replications", folder.manifest["replications"])
        title = word("terminal.worst", replications=replications)
        terminal().print(as_table(_bottlenecks(worst, word), title))
    if folder.file("report.html").is_file():
        say(word("terminal.report", place=folder.path / "report.html"))
    say(word("terminal.files", place=folder.path))


def worst_bottlenecks(bottlenecks: pd.DataFrame) -> pd.DataFrame:
    """Return the five resources with the most weighted harm over all years; one row each.

    Columns: site_name, resource, severity (sum over years), first_year_breached, and of the worst year: year, cause,
    p_breach, pupil_days_harmed_mean, _low and _high.
    """
    ordered = bottlenecks.sort_values("severity", ascending=False, kind="stable")
    groups = ordered.groupby(["site_id", "resource"], sort=False)
    of_worst_year = {
        name: (name, "first")
        for name in ("site_name", "year", "cause", "p_breach", *(f"pupil_days_harmed_{k}" for k in INTERVAL))
    }
    table = groups.agg(
        severity=("severity", "sum"), first_year_breached=("first_year_breached", "min"), **of_worst_year
    ).reset_index()
    table = table[table["severity"] > 0]
    return table.sort_values("severity", ascending=False, kind="stable").head(WORST)


def _bottlenecks(worst: pd.DataFrame, word: Words) -> Grid:
    """Return the worst bottlenecks as a table that fits 80 columns."""
    rows = []
    for row in worst.itertuples():
        first = word("never") if pd.isna(row.first_year_breached) else f"{row.first_year_breached:.0f}"
        mean, low, high = (getattr(row, f"pupil_days_harmed_{k}") for k in INTERVAL)
        interval = "" if pd.isna(low) else f"\n({low:,.0f} – {high:,.0f})"
        harmed = f"{row.year:.0f}: {mean:,.0f}{interval}"
        where = word("site.county") if row.site_id == COUNTY else row.site_name
        rows.append((where, word.term("resource", row.resource), first, percent(row.p_breach), harmed))
    head = [word(f"column.{name}") for name in ("where", "resource", "first_year", "chance")]
    return grid((*head, word("terminal.harm")), rows, (2, 3, 4))


def show_comparison(summary: pd.DataFrame, word: Words) -> None:
    """Show a comparison: one row for each scenario, and below its means the difference from the first."""
    console = terminal()
    known = set(summary["measure"])
    measures = [name for name in COMPARED if name in known] or sorted(known)
    measures = measures[: max(1, (console.width - 22) // 13)]
    cells = {(row.scenario, row.measure): row for row in summary.itertuples()}
    rows = [
        (str(scenario).replace(",", "\n"), *(_cell(cells.get((scenario, name)), word) for name in measures))
        for scenario in dict.fromkeys(summary["scenario"])
    ]
    head = [word.term("terminal.measure" if name in COMPARED else "measure", name) for name in measures]
    shown = grid((word("column.scenario"), *head), rows, range(1, len(head) + 1))
    replications = word.count("replications", int(summary["replications"].min()) if len(summary) else 0)
    console.print(as_table(shown, word("terminal.compared", replications=replications), lines=True))
    if summary["diff_mean"].notna().any():
        say(word("terminal.below"))
        say(word.count("terminal_star", max(int(summary["comparisons"].max()), 1)))


def _cell(row: Any, word: Words) -> str:
    """Return a mean and, below it, its difference from the first scenario; starred when it is clear."""
    if row is None or pd.isna(row.mean):
        return "-"
    if pd.isna(row.diff_mean):
        return _short(row.mean, word)
    return f"{_short(row.mean, word)}\n{_short(row.diff_mean, word, '+')}{'*' if row.p_adjusted < CLEAR else ''}"


def _short(value: float, word: Words, sign: str = "") -> str:
    """Return a number with three or so figures."""
    if abs(value) >= MILLION:
        scale = money_scale(word)
        return word("terminal.large", amount=f"{value / scale:{sign},.{2 if scale == MILLION else 0}f}")
    return f"{value:{sign},.0f}" if abs(value) >= 100 or value == 0 else f"{value:{sign},.3g}"
