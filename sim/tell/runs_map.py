"""Map of the morning's bus runs: how many pupils each leg carries and how full the buses are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from sim.tell.cells import FEWEST
from sim.tell.map import height_in, scale_bar
from sim.tell.number import Floats
from sim.tell.run import Run
from sim.tell.style import BLACK, BLUE, RED, SKY, WIDTH_IN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOADS = ((0, 0.6), (FEWEST, 1.0), (20, 2.0), (50, 3.5), (100, 5.5))
"""Pupils from which a leg is drawn so wide (points)."""
FULL = ((0.0, SKY), (0.5, BLUE), (0.8, "#08306B"), (1.0 + 1e-9, RED))
"""Share of the seats taken from which a leg has this colour: light to dark, and beyond the seats."""
FAINT, OUTLINE = "#B5B5B5", "#8A8A8A"
SMALL = "#9A9A9A"
"""Colour of loads that are too small to tell how full the bus is."""


def busiest_year(run: Run) -> int:
    """Return the year in which most pupils ride in the morning; where none does, in which most are at school."""
    runs = _mornings(run)
    if runs["embark"].sum() > 0:
        return int(runs.groupby("year")["embark"].sum().idxmax())
    totals = run.county_totals()
    present = totals[totals["measure"] == "pupils_present"].groupby("year")["value"].sum()
    return int(present.idxmax()) if len(present) else run.years[0]


def _mornings(run: Run) -> pd.DataFrame:
    """Return the stops of the runs that drive to school on every school day."""
    columns = ["year", "run_id", "seq", "stop_id", "embark", "load_after", "seats"]
    every_day = (("direction", "==", "in"), ("days", "==", "mon_fri"))
    return run.folder.read_rows("runs", columns, *every_day).astype({"stop_id": str, "run_id": str})


def legs(run: Run, year: int) -> pd.DataFrame:
    """Return the legs of a usual morning of a year: from_stop, to_stop, pupils, seats, all runs together."""
    runs = _mornings(run)
    runs = runs[runs["year"] == year].sort_values(["run_id", "seq"])
    runs["to_stop"] = runs.groupby("run_id")["stop_id"].shift(-1)
    runs = runs[runs["to_stop"].notna() & (runs["load_after"] > 0)]
    sums = runs.groupby(["stop_id", "to_stop"], as_index=False)[["load_after", "seats"]].sum()
    return sums.set_axis(["from_stop", "to_stop", "pupils", "seats"], axis=1)


def class_of(values: Floats, steps: Sequence[tuple[float, object]]) -> NDArray[np.int64]:
    """Return the class of each value: the last step that it reaches."""
    return np.searchsorted([start for start, _ in steps], values, side="right") - 1


def runs_map(run: Run) -> Figure | None:
    """Draw the legs of a usual morning of the busiest year; None when no bus drives or no stop has a place."""
    year = busiest_year(run)
    table, places = legs(run, year), pd.concat([run.hamlets[["lon", "lat"]], run.schools[["lon", "lat"]]])
    places = places[~places.index.duplicated()]
    known = places.dropna()
    table = table[table["from_stop"].isin(known.index) & table["to_stop"].isin(known.index)]
    if table.empty:
        return None
    figure = Figure(figsize=(WIDTH_IN, height_in(known) - 0.3), layout="constrained")
    axes = figure.subplots()
    axes.set_aspect(1 / np.cos(np.deg2rad(known["lat"].mean())))
    axes.scatter(run.hamlets["lon"], run.hamlets["lat"], s=3, color=FAINT, linewidths=0, zorder=1)
    axes.scatter(run.schools["lon"], run.schools["lat"], s=14, marker="s", facecolors="white", edgecolors=OUTLINE,
                 linewidths=0.7, zorder=4)  # fmt: skip
    _draw(run, axes, table, known)
    scale_bar(axes, known, run.words.term("account_unit", "km"))
    axes.set_axis_off()
    _legends(run, figure, table, year)
    return figure


def _draw(run: Run, axes: Axes, table: pd.DataFrame, places: pd.DataFrame) -> None:
    """Draw the legs class by class, the wide ones below."""
    wide, full = class_of(table["pupils"].to_numpy(), LOADS), class_of(_share(table), FULL)
    ends = np.stack([places.loc[table[stop]].to_numpy() for stop in ("from_stop", "to_stop")], axis=1)
    for w in reversed(range(len(LOADS))):
        for f in range(len(FULL)):
            here = (wide == w) & (full == f)
            if here.any():
                look: dict[str, Any] = {"linewidths": LOADS[w][1], "colors": _colour(run, w, f), "zorder": 3 - 0.1 * w}
                axes.add_collection(LineCollection(ends[here], gid=f"legs-{w}-{f}", capstyle="round", **look))


def _colour(run: Run, wide: int, full: int) -> str:
    """Return the colour of a leg; on public pages, small loads have none that tells how full the bus is."""
    return SMALL if run.public and wide == 0 else FULL[full][1]


def _share(table: pd.DataFrame) -> Floats:
    return np.asarray(table["pupils"] / table["seats"].clip(lower=1))


def _legends(run: Run, figure: Figure, table: pd.DataFrame, year: int) -> None:
    """Give real samples of the widths and colours that are on the map."""
    word, starts = run.words, [start for start, _ in LOADS]
    names = [f"<{FEWEST}", *(f"{low} – {high - 1}" for low, high in pairwise(starts[1:])), f"≥{starts[-1]}"]
    wide, full = class_of(table["pupils"].to_numpy(), LOADS), class_of(_share(table), FULL)
    samples = [
        Line2D([], [], color=SMALL if run.public and k == 0 else BLACK, linewidth=LOADS[k][1], label=names[k])
        for k in np.unique(wide)
    ]
    figure.legend(handles=samples, loc="outside upper left", ncols=len(samples), title=word("runs.pupils", year=year),
                  alignment="left", title_fontsize=8.5, handlelength=2.6)  # fmt: skip
    labels = ("<50%", "50 – 80%", "80 – 100%", word("runs.over"))
    told = full[wide > 0] if run.public else full
    signs = [Line2D([], [], color=FULL[k][1], linewidth=3, label=labels[k]) for k in np.unique(told)]
    school: dict[str, Any] = {"marker": "s", "color": OUTLINE, "markerfacecolor": "white", "markersize": 5}
    signs += [
        Line2D([], [], linestyle="", label=word("runs.school"), **school),
        Line2D([], [], linestyle="", marker=".", color=FAINT, label=word("map.hamlet")),
    ]
    figure.legend(handles=signs, loc="outside lower left", ncols=len(signs), title=word("runs.full"), alignment="left",
                  title_fontsize=8.5, columnspacing=2)  # fmt: skip
