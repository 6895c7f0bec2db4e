"""The figures of a run, each drawn from its files alone: figures/*.svg and *.png."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from sim.tell import (
    budget,
    chart,
    driver,
    family,
    fan,
    heat,
    map,
    net,
    occupancy,
    payer,
    relief,
    risk_chart,
    risk_matrix,
    runs_map,
    spread,
    tornado,
    town,
    unit_cost,
)
from sim.tell.drawing import Drawing
from sim.tell.run import Run
from sim.tell.style import styled

FIGURES: dict[str, Callable[[Run], Figure | None]] = {
    "fans": fan.fans,
    "map": map.county_map,
    "enrolment": chart.enrolment,
    "town": town.places_and_pupils,
    "risk_matrix": risk_matrix.risk_matrix,
    "heat": heat.heat,
    "tornado": tornado.tornado,
    "fleet": chart.fleet,
    "runs_map": runs_map.runs_map,
    "rides": spread.rides,
    "canteen": spread.canteen,
    "dormitory": chart.dormitory,
    "calendar": occupancy.calendar,
    "budget": budget.chart,
    "payers": payer.chart,
    "unit_costs": unit_cost.chart,
    "drivers": driver.chart,
    "purchases": relief.chart,
    "exceedance": risk_chart.exceedance,
    "equity": risk_chart.equity,
    "stranded": risk_chart.stranded,
    "net": net.chart,
    "family": family.chart,
}
"""name -> how it is drawn; None when the run has nothing to show."""


OF_DAYS = (
    *("map", "enrolment", "town", "risk_matrix", "heat", "tornado", "fleet", "runs_map", "rides", "canteen"),
    *("dormitory", "calendar", "equity", "stranded"),
)
"""Figures that no price changes."""


def draw(run: Run, redraw: bool = True) -> dict[str, Drawing]:
    """Return every figure by name; one that has nothing to show is left out.

    Without `redraw`, those OF_DAYS that lie in the folder are taken as they are.
    """
    found = {}
    for name, make in FIGURES.items():
        there = None if redraw or name not in OF_DAYS else Drawing.saved(run.folder, name)
        if drawn := there or _drawn(run, name, make):
            found[name] = drawn
    return found


def _drawn(run: Run, name: str, make: Callable[[Run], Figure | None]) -> Drawing | None:
    with styled(name):
        figure = make(run)
        return Drawing.of(figure, run.words(f"figure.{name}")) if figure else None
