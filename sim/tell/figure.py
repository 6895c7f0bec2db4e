"""The figures of a run, each drawn from its files alone: figures/*.svg."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from sim.tell import budget, chart, driver, family, map, net, payer, relief, spread, stress_des, town, unit_cost
from sim.tell.run import Run
from sim.tell.style import as_svg, styled

FIGURES: dict[str, Callable[[Run], Figure | None]] = {
    "model": stress_des.diagram,
    "map": map.county_map,
    "enrolment": chart.enrolment,
    "town": town.places_and_pupils,
    "fleet": chart.fleet,
    "rides": spread.rides,
    "canteen": spread.canteen,
    "dormitory": chart.dormitory,
    "budget": budget.chart,
    "payers": payer.chart,
    "unit_costs": unit_cost.chart,
    "drivers": driver.chart,
    "purchases": relief.chart,
    "net": net.chart,
    "family": family.chart,
}
"""name -> how it is drawn; None when the run has nothing to show."""


OF_DAYS = ("model", "map", "enrolment", "town", "fleet", "rides", "canteen", "dormitory")
"""Figures that no price changes."""


def file_of(name: str) -> str:
    """Return where a figure lies in the folder of its run."""
    return f"figures/{name}.svg"


def draw(run: Run, redraw: bool = True) -> dict[str, str]:
    """Return every figure as SVG, by name; one that has nothing to show is left out.

    Without `redraw`, those OF_DAYS that lie in the folder are taken as they are.
    """
    there = () if redraw else [name for name in OF_DAYS if run.folder.file(file_of(name)).is_file()]
    found = {name: run.folder.read_text(file_of(name)).removesuffix("\n") for name in there}
    for name, make in FIGURES.items():
        if name in found:
            continue
        with styled(name):
            figure = make(run)
            if figure is not None:
                found[name] = as_svg(figure, run.words(f"figure.{name}"))
    return found
