"""What a verb shows in the terminal: the worst bottlenecks of a run, the table of a comparison."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from sim.store import RunFolder

if TYPE_CHECKING:
    import pandas as pd

WORST = 5
COMPARED = (
    "pupils_left_behind", "late_pupils", "ride_min_p95", "meals_unserved", "window_wait_min_p95",
    "bed_refused", "severity", "cost_yuan_per_year",
)  # fmt: skip


def show_run(path: Path) -> None:
    """Show where the report of a run is and which bottlenecks are the worst."""
    folder = RunFolder(path)
    console = Console()
    worst = worst_bottlenecks(folder.read_table("bottlenecks"))
    if worst.empty:
        console.print("No resource harmed a pupil in the simulated weeks.")
    else:
        console.print(_bottleneck_table(worst, folder.manifest["replications"]))
    if folder.file("report.html").is_file():
        console.print(f"Report: {folder.path / 'report.html'}", soft_wrap=True)
    console.print(f"Files:  {folder.path}", soft_wrap=True)


def worst_bottlenecks(bottlenecks: pd.DataFrame) -> pd.DataFrame:
    """Return the five resources with the most weighted harm over all years; one row each.

    Columns: site_name, resource, severity (sum over years), pupil_days_harmed_mean (sum over years),
    first_year_breached, cause (of the worst year).
    """
    ordered = bottlenecks.sort_values("severity", ascending=False, kind="stable")
    groups = ordered.groupby(["site_id", "resource"], sort=False)
    table = groups.agg(
        site_name=("site_name", "first"),
        severity=("severity", "sum"),
        pupil_days_harmed_mean=("pupil_days_harmed_mean", "sum"),
        first_year_breached=("first_year_breached", "min"),
        cause=("cause", "first"),
    ).reset_index()
    table = table[table["severity"] > 0]
    return table.sort_values("severity", ascending=False, kind="stable").head(WORST)


def _bottleneck_table(worst: pd.DataFrame, replications: int) -> Table:
    table = Table(title=f"The {len(worst)} worst bottlenecks, all years ({replications} replications)")
    for name in ("where", "what is short", "cause"):
        table.add_column(name)
    for name in ("pupil-days harmed", "severity", "first year over the limit"):
        table.add_column(name, justify="right")
    for row in worst.itertuples():
        year = (
            "-" if row.first_year_breached != row.first_year_breached else f"{int(row.first_year_breached)}"
        )
        table.add_row(
            str(row.site_name),
            str(row.resource),
            str(row.cause),
            f"{row.pupil_days_harmed_mean:,.0f}",
            f"{row.severity:,.0f}",
            year,
        )
    return table


def show_comparison(summary: pd.DataFrame) -> None:
    """Show a comparison: one row for each scenario, mean and difference from the first for each measure."""
    scenarios = list(dict.fromkeys(summary["scenario"]))
    known = set(summary["measure"])
    measures = [name for name in COMPARED if name in known] or sorted(known)[: len(COMPARED)]
    cells = {(row.scenario, row.measure): row for row in summary.itertuples()}
    replications = int(summary["replications"].min()) if len(summary) else 0
    table = Table(title=f"Means over {replications} replications; below, paired difference from the first")
    table.add_column("scenario", overflow="fold")
    for name in measures:
        table.add_column(name.replace("_", " "), justify="right", overflow="fold")
    for scenario in scenarios:
        table.add_row(scenario, *(_cell(cells.get((scenario, name))) for name in measures))
    Console().print(table)


def _cell(row: object) -> str:
    """Return a mean and, below it, its difference from the first scenario with its interval."""
    if row is None:
        return "-"
    mean, diff = _number(row, "mean"), _number(row, "diff_mean")
    if diff == "-":
        return mean
    low, high = _number(row, "diff_low"), _number(row, "diff_high")
    return f"{mean}\n{diff}" if low == "-" else f"{mean}\n{diff} [{low}, {high}]".replace("[", r"\[")


def _number(row: object, name: str) -> str:
    value = getattr(row, name)
    if value is None or value != value:
        return "-"
    sign = "+" if name.startswith("diff") else ""
    return f"{value:{sign},.0f}" if abs(value) >= 100 else f"{value:{sign},.3g}"
