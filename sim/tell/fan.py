"""Fan charts over the years: the mean, and where 50, 80 and 95 % of the replications lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.tell.cells import is_small
from sim.tell.number import by_replication, money_scale, shown_pupils
from sim.tell.run import COUNTY, GROUPS, Run
from sim.tell.style import BLACK, LINES, RED, canvas, from_zero, years_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BANDS = ((95, "#C6DDEE"), (80, "#8DBBDD"), (50, "#4C94C8"))
"""Share of the replications inside, and its blue; the narrowest is the darkest, in grey, too."""
PUPILS = {
    "pupil_days_harmed": ("window", "axis.pupil_days_year"),
    "pupils_left_behind": ("bus", "axis.pupil_days_year"),
    "late_pupils": ("bus", "axis.pupil_days_year"),
    "meals_unserved": ("window", "axis.meals_year"),
    "bed_refused": ("bed", "axis.pupil_days_year"),
    "beds_occupied": ("bed", "axis.beds_night"),
}
"""Measure of pupils -> the resource whose users it speaks of, and its unit."""
COLUMNS, PANEL_IN = 2, 1.6


def fan(run: Run, axes: Axes, wide: pd.DataFrame) -> None:
    """Draw the mean and the bands in which 50, 80 and 95 % of the replications lie; wide: year x replication."""
    values, years = wide.to_numpy(), wide.index.to_numpy(dtype=float)
    if values.shape[1] > 1:
        for inside, colour in BANDS:
            low, high = np.percentile(values, [50 - inside / 2, 50 + inside / 2], axis=1)
            label = run.words("chart.band", percent=inside)
            axes.fill_between(years, low, high, color=colour, linewidth=0, label=label)
    axes.plot(years, values.mean(axis=1), color=BLACK, marker="o", markersize=3, label=run.words("chart.mean"))


def fans(run: Run) -> Figure | None:
    """Draw the headline measures of the county over the years; those of which nothing is to be told are left out."""
    word, panels = run.words, told(run)
    if not panels:
        return None
    rows = -(-len(panels) // COLUMNS)
    figure, axes = canvas(0.4 + PANEL_IN * rows, rows, COLUMNS, squeeze=False)
    for part, (name, (wide, unit)) in zip(axes.flat, panels.items(), strict=False):
        fan(run, part, wide)
        part.set_title(word.term("fan", name))
        part.set_ylabel(word(unit), fontsize=8)
        if name == "buses":
            owned = _buses(run, "capacity").mean(axis=1)
            part.plot(owned.index, owned, color=RED, linestyle=LINES[1], linewidth=1.3, label=word("chart.owned"))
        years_axis(part, run.years, most=5)
        from_zero(part)
    for part in axes.flat[len(panels) :]:
        part.remove()
    signs = {label: sign for part in figure.axes for sign, label in zip(*part.get_legend_handles_labels(), strict=True)}
    figure.legend(
        signs.values(), signs.keys(), loc="outside upper left", ncols=len(signs), columnspacing=1.4, handlelength=1.6
    )
    figure.align_ylabels()
    return figure


def told(run: Run) -> dict[str, tuple[pd.DataFrame, str]]:
    """Return what there is to draw: name -> values (year x replication) and the key of their unit.

    Left out: what never happened, and on public pages what speaks of fewer than five pupils in all.
    """
    totals = run.folder.read_rows(
        "annual", ["replication", "year", "measure", "value"], ("site_id", "==", COUNTY), ("measure", "in", PUPILS)
    )
    found = {"cost": (_cost(run), "axis.money"), "buses": (_buses(run), "axis.buses")}
    for name, (resource, unit) in PUPILS.items():
        wide = _by_year(run, totals[totals["measure"] == name], "value")
        if not is_few(run, resource):
            found[name] = (shown_pupils(wide, run.public), unit)
    order = [name for name in ("pupil_days_harmed", "cost", *PUPILS, "buses") if name in found]
    return {name: found[name] for name in dict.fromkeys(order) if np.nansum(found[name][0].to_numpy()) > 0}


def _by_year(run: Run, rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return the sums of a value by year (rows) and replication (columns), 0 where nothing is told."""
    return by_replication(rows, ["year"], value, run.replications, 0.0).reindex(run.years, fill_value=0.0)


def is_few(run: Run, resource: str) -> bool:
    """Tell whether a public page may not speak of a resource: fewer than five pupils of the whole county use it."""
    users = GROUPS.get(resource, (resource,))
    return run.public and is_small(sum(size for (_, what), size in run.group_size.items() if what in users))


def _cost(run: Run) -> pd.DataFrame:
    """Return the cash of all payers by year and replication, in the unit of large amounts; transfers cancel out."""
    paid = run.totals("ledger", ["replication", "year"], "amount_yuan").astype(float)
    return _by_year(run, paid, "amount_yuan") / money_scale(run.words)


def _buses(run: Run, column: str = "demand_peak") -> pd.DataFrame:
    """Return the buses of the county by year and replication: those needed, the spare ones that were out included."""
    kinds = ["bus", "spare_bus"] if column == "demand_peak" else ["bus"]
    rows = run.resources[(run.resources["site_id"] == COUNTY) & run.resources["resource"].isin(kinds)]
    return _by_year(run, rows, column)
