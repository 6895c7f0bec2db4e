"""What one of each costs (a pupil, a rider, a bus, a night), and whether that is as elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.tell.cells import is_small
from sim.tell.grid import Cell, Grid, grid
from sim.tell.number import NONE, number, percent, span
from sim.tell.run import Run
from sim.tell.style import BLUE, GREY, PALE, RED, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TIMES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Ticks of the chart; what lies beyond its ends is drawn at them."""
SHARE_TOLD = 0.1
"""Accounts that make up less of a cost are not named as its reason."""
COUNTED = {
    "riders": (
        "yuan_per_rider", "public_yuan_per_rider", "public_yuan_per_bus", "public_yuan_per_bus_running",
        "fare_per_rider_month", "riders_per_bus",
    ),
    "lodgers": ("yuan_per_lodger", "yuan_per_bed_night", "yuan_per_meal", "food_yuan_per_meal"),
}  # fmt: skip
"""Pupils whom quantities.parquet counts, and the measures from which their number could be worked out: what is divided
by it, a bus less their fares, and a meal whose price tells how many are breakfasts."""


def unit_costs(run: Run) -> pd.DataFrame:
    """Return what one of each costs by year, as far as it may be told; empty when the run does not tell it."""
    return _told(run, run.if_there("unit_costs.csv"))


def bands(run: Run) -> pd.DataFrame:
    """Return the costs beside those known from elsewhere, as far as they may be told; empty when there are none."""
    return _told(run, run.if_there("bands.csv"))


def _told(run: Run, table: pd.DataFrame) -> pd.DataFrame:
    """Leave out of a public table what tells of fewer than five riders or lodgers of the county, in any year."""
    if table.empty or not run.public or not run.folder.file("quantities").is_file():
        return table
    keys = ["item", "year", "replication"]
    rows = run.folder.read_rows("quantities", [*keys, "quantity"], ("item", "in", tuple(COUNTED)))
    pupils = rows.astype({"item": str}).groupby(keys, dropna=False)["quantity"].sum()
    few = {item for item, small in pupils.map(is_small).groupby("item").any().items() if small}
    return table[~table["measure"].isin([measure for item in few for measure in COUNTED[str(item)]])]


def last_table(run: Run) -> Grid:
    """Return what one of each costs in the last year, with its interval and how far it may go."""
    word, table = run.words, unit_costs(run)
    rows = [
        (
            word.term("unit_cost", row.measure),
            word.term("unit", row.unit),
            span(row.mean, row.low, row.high),
            *(number(getattr(row, name)) for name in ("p50", "p80", "p95")),
        )
        for row in (table[table["year"] == run.years[-1]].itertuples() if len(table) else ())
        if pd.notna(row.mean)
    ]
    names = ("unit_cost", "unit", "mean", "p50", "p80", "p95")
    return grid([word(f"column.{name}") for name in names], rows, (2, 3, 4, 5))


def yearly_table(run: Run) -> Grid:
    """Return what one of each costs in every year."""
    word, table = run.words, unit_costs(run)
    head = (word("column.unit_cost"), word("column.unit"), *map(str, run.years))
    rows = []
    for (measure, unit), part in table.groupby(["measure", "unit"], sort=False) if len(table) else ():
        values = part.set_index("year")["mean"].reindex(run.years)
        rows.append((word.term("unit_cost", measure), word.term("unit", unit), *map(number, values)))
    return grid(head, rows, range(2, len(head)), wide=True)


def story(run: Run) -> list[str]:
    """Return the sentence that says how many of the costs lie where other counties' do."""
    table = bands(run)
    if table.empty:
        return []
    inside = int(table["inside"].sum())
    key = "bands.all_inside" if inside == len(table) else "bands.inside"
    return [run.words(key, inside=inside, all=len(table)), *_here(run)]


def _here(run: Run) -> list[str]:
    """Return the sentence on what a bus does here, which most of its cost follows from."""
    table = unit_costs(run)
    mean = table.groupby("measure")["mean"].mean().to_dict() if len(table) else {}
    if not {"riders_per_bus", "km_per_bus"} <= mean.keys():
        return []
    return [run.words("bands.here", riders=number(mean["riders_per_bus"], 0), km=number(mean["km_per_bus"], 0))]


def outside_table(run: Run) -> Grid:
    """Return the costs that lie outside what is known from elsewhere, and what makes most of them."""
    return _band_table(run, ("band", "here", "elsewhere", "band_verdict", "because"), outside_only=True)


def band_table(run: Run) -> Grid:
    """Return each cost beside what is known from elsewhere: inside or outside, and where the band comes from."""
    return _band_table(run, ("band", "here", "elsewhere", "band_verdict", "source"))


def _band_table(run: Run, names: Sequence[str], *, outside_only: bool = False) -> Grid:
    word, table = run.words, bands(run)
    if outside_only and len(table):
        table = table[table["inside"] == 0]
    rows = []
    for row in table.itertuples():
        cells = {
            "band": word.term("band", row.band),
            "here": span(row.value_mean, row.value_low, row.value_high),
            "elsewhere": f"{number(row.band_low)} – {number(row.band_high)}",
            "band_verdict": _verdict(run, row),
            "because": because(run, row.because),
            "source": row.source,
        }
        rows.append([cells[name] for name in names])
    return grid([word(f"column.{name}") for name in names], rows, (1, 2), wide=True)


def _verdict(run: Run, row: Any) -> Cell:
    """Return inside, below or above."""
    if row.inside:
        return Cell(run.words("bands.is_inside"), "good")
    return Cell(run.words("bands.is_above" if row.value_mean > row.band_high else "bands.is_below"), "bad")


def because(run: Run, reasons: object) -> str:
    """Return the accounts that make most of a cost, from codes like `driver:0.4;bus_km:0.3`."""
    if not isinstance(reasons, str) or not reasons:
        return NONE
    parts = [part.rpartition(":") for part in reasons.split(";")]
    told = [
        f"{run.words.term('account', account)} {percent(float(share))}"
        for account, _, share in parts
        if float(share) >= SHARE_TOLD
    ]
    return run.words.join(told) or NONE


def chart(run: Run) -> Figure | None:
    """Draw each cost with its interval on the band of what is known from elsewhere, as multiples of its middle."""
    table = bands(run)
    if table.empty:
        return None
    word, rows = run.words, table.iloc[::-1].reset_index(drop=True)
    labels = [word.term("band", band) for band in rows["band"]]
    figure, axes = canvas(0.9 + 0.27 * len(rows))
    middle = np.sqrt(rows["band_low"].clip(lower=1e-9) * rows["band_high"])
    for at, row in enumerate(rows.itertuples()):
        _on_band(axes, at, row, middle[at])
    axes.set_xscale("log")
    axes.set_xlim(TIMES[0] / 1.15, TIMES[-1] * 1.15)
    axes.set_xticks(TIMES, [f"{times:g}×" for times in TIMES])
    axes.minorticks_off()
    axes.set_yticks(range(len(rows)), labels)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.grid(visible=True)
    axes.set_xlabel(word("axis.band"))
    return figure


def _on_band(axes: Axes, at: int, row: Any, middle: float) -> None:
    """Draw one cost: the band as a pale bar, the value as a dot, hollow and red where it lies outside."""
    ends = row.band_low / middle, row.band_high / middle
    axes.barh(at, ends[1] - ends[0], left=ends[0], height=0.62, color=PALE, edgecolor=GREY, linewidth=0.6)
    low, high = (end if pd.notna(end) else row.value_mean for end in (row.value_low, row.value_high))
    low, value, high = np.clip(np.array([low, row.value_mean, high]) / middle, TIMES[0], TIMES[-1])
    inside = bool(row.inside)
    look: dict[str, Any] = {"color": BLUE if inside else RED, "markerfacecolor": BLUE if inside else "white"}
    axes.errorbar(
        value, at, xerr=[[value - low], [high - value]], fmt="o", markersize=6, capsize=2.5, markeredgewidth=1.5,
        elinewidth=1.3, **look,
    )  # fmt: skip
