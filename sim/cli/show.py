"""What a verb shows in the terminal: the worst bottlenecks of a run, the table of a comparison."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from sim.store import RunFolder
from sim.tables.sure import CLEAR
from sim.tell.words import Words

WORST = 5
INTERVAL = ("mean", "low", "high")
WIDTH_OF_A_FILE = 140
MILLION = 1_000_000
COMPARED = {
    "pupils_left_behind": "left behind",
    "late_pupils": "late",
    "meals_unserved": "unserved",
    "bed_refused": "no bed",
    "severity": "severity",
    "cost_yuan_per_year": "yuan a year",
}
"""What a comparison shows of each scenario, with its heading; all else is in summary.parquet."""


def show_run(path: Path) -> None:
    """Show where the report of a run is and which bottlenecks are the worst."""
    folder = RunFolder(path)
    console = Console()
    worst = worst_bottlenecks(folder.read_table("bottlenecks"))
    if worst.empty:
        console.print("No resource harmed a pupil in the simulated weeks.")
    else:
        console.print(_bottleneck_table(worst, folder.manifest["replications"], folder.settings.report.language))
    if folder.file("report.html").is_file():
        console.print(f"Report: {folder.path / 'report.html'}", soft_wrap=True)
    console.print(f"Files:  {folder.path}", soft_wrap=True)


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


def _bottleneck_table(worst: pd.DataFrame, replications: int, language: str) -> Table:
    """Return the worst bottlenecks as a table for a terminal of 80 columns."""
    word = Words(language)
    table = Table(title=f"Worst bottlenecks, all years weighed together ({times(replications)})")
    for name in ("where", "what is short"):
        table.add_column(name, overflow="fold")
    for name in ("over the limit from", "chance there", "pupil-days harmed in the worst year (95 % interval)"):
        table.add_column(name, justify="right", overflow="fold")
    for row in worst.itertuples():
        first = "never" if pd.isna(row.first_year_breached) else f"{row.first_year_breached:.0f}"
        mean, low, high = (getattr(row, f"pupil_days_harmed_{k}") for k in INTERVAL)
        interval = "" if pd.isna(low) else f"\n({low:,.0f} to {high:,.0f})"
        harmed = f"{row.year:.0f}: {mean:,.0f}{interval}"
        short = word.term("resource", row.resource)
        table.add_row(str(row.site_name), short, first, f"{100 * row.p_breach:.0f} %", harmed)
    return table


def show_comparison(summary: pd.DataFrame) -> None:
    """Show a comparison: one row for each scenario, and below its means the difference from the first."""
    known = set(summary["measure"])
    measures = {name: title for name, title in COMPARED.items() if name in known}
    measures = measures or dict(zip(sorted(known), sorted(known), strict=True))
    cells = {(row.scenario, row.measure): row for row in summary.itertuples()}
    replications = int(summary["replications"].min()) if len(summary) else 0
    table = Table(title=f"Scenarios: means of a year over {times(replications)}", show_lines=True)
    table.add_column("scenario", overflow="fold", min_width=18)
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH_OF_A_FILE)
    room = max(1, (console.width - 22) // 13)
    measures = dict(list(measures.items())[:room])
    for title in measures.values():
        table.add_column(title, justify="right", overflow="fold")
    for scenario in dict.fromkeys(summary["scenario"]):
        row = (_cell(cells.get((scenario, name))) for name in measures)
        table.add_row(str(scenario).replace(",", "\n"), *row)
    console.print(table)
    if summary["diff_mean"].notna().any():
        console.print("Below a mean: its difference from the first scenario, met by the same luck.")
        console.print(_star(int(summary["comparisons"].max())))


def _cell(row: Any) -> str:
    """Return a mean and, below it, its difference from the first scenario; starred when it is clear."""
    if row is None or pd.isna(row.mean):
        return "-"
    if pd.isna(row.diff_mean):
        return _short(row.mean)
    return f"{_short(row.mean)}\n{_short(row.diff_mean, '+')}{'*' if row.p_adjusted < CLEAR else ''}"


def _star(comparisons: int) -> str:
    """Return what a star says."""
    if comparisons <= 1:
        return "* clear: luck alone would do so in fewer than 5 of 100 studies."
    return f"* clear, also among {comparisons} comparisons of each measure (Holm's adjusted p below 5 %)."


def times(replications: int) -> str:
    """Return the number of replications in words."""
    return f"{replications} replication{'s' * (replications != 1)}"


def _short(value: float, sign: str = "") -> str:
    """Return a number with three or so figures."""
    if abs(value) >= MILLION:
        return f"{value / MILLION:{sign},.2f} M"
    return f"{value:{sign},.0f}" if abs(value) >= 100 or value == 0 else f"{value:{sign},.3g}"
