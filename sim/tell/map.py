"""The county on a map: homes, schools, roads, what closes and where it breaks; real places told from made-up ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sim.tell.run import COUNTY, Run, origin
from sim.tell.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, WIDTH_IN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KM_PER_DEGREE = 111.2
"""One degree of latitude (a 360th of the way around the earth)."""
ROADS = {
    "national": ("#8C8C8C", 1.8),
    "county": ("#A6A6A6", 1.2),
    "township": ("#BFBFBF", 0.8),
    "village": ("#D4D4D4", 0.5),
}
KINDS = {
    "central_primary": ("s", BLUE, 34),
    "nine_year": ("D", GREEN, 34),
    "junior": ("^", ORANGE, 42),
    "village": ("o", "#56B4E9", 15),
    "teaching_point": ("v", PURPLE, 15),
    "town_primary": ("s", BLACK, 22),
    "town_junior": ("^", BLACK, 26),
}
LABELLED = ("central_primary", "nine_year")


def county_map(run: Run) -> Figure | None:
    """Draw the county: roads by class, hamlets, schools by kind, closures, and the sites that break first."""
    schools, hamlets = run.schools, run.hamlets
    if schools[["lon", "lat"]].dropna().empty:
        return None
    nodes, edges = run.input("nodes.csv"), run.input("edges.csv")
    places = pd.concat([schools[["lon", "lat"]], hamlets[["lon", "lat"]]]).dropna()
    figure = Figure(figsize=(WIDTH_IN, height_in(places)), layout="constrained")
    axes = figure.subplots()
    axes.set_aspect(1 / np.cos(np.deg2rad(places["lat"].mean())))
    _roads(axes, nodes, edges)
    axes.scatter(hamlets["lon"], hamlets["lat"], s=3, color="#9A9A9A", linewidths=0, zorder=2)
    _schools(axes, run)
    _closed(axes, run)
    _worst(axes, run)
    _names(axes, run)
    scale_bar(axes, places, run.words.term("account_unit", "km"))
    axes.set_axis_off()
    figure.legend(handles=_legend(run), loc="outside lower center", ncols=3, columnspacing=3, handletextpad=0.6)
    return figure


def height_in(places: pd.DataFrame) -> float:
    """Return a height that fits the shape of the county, within what a page can hold."""
    wide = (places["lon"].max() - places["lon"].min()) * np.cos(np.deg2rad(places["lat"].mean()))
    high = places["lat"].max() - places["lat"].min()
    return float(np.clip(WIDTH_IN * high / max(wide, 1e-6), 3.5, 8.0)) + 0.9


def _roads(axes: Axes, nodes: pd.DataFrame, edges: pd.DataFrame) -> None:
    """Draw each class of road as one line with gaps, the smallest first."""
    if nodes.empty or edges.empty:
        return
    where = nodes.set_index("node_id")[["lon", "lat"]].astype(float)
    for road, (colour, width) in reversed(ROADS.items()):
        these = edges[edges["road_class"] == road]
        start, end = where.reindex(these["from_node"]).to_numpy(), where.reindex(these["to_node"]).to_numpy()
        gap = np.full_like(start, np.nan)
        line = np.stack([start, end, gap], axis=1).reshape(-1, 2)
        axes.plot(line[:, 0], line[:, 1], color=colour, linewidth=width, zorder=1, solid_capstyle="round")


def _schools(axes: Axes, run: Run) -> None:
    """Draw schools by kind: filled where the place is real, hollow where it is derived or made up."""
    schools = run.schools
    real = (origin(schools["source"]) == "real").to_numpy()
    for kind, (marker, colour, size) in KINDS.items():
        here = (schools["kind"] == kind).to_numpy()
        for rows, face in ((here & real, colour), (here & ~real, "white")):
            at = schools[rows]
            axes.scatter(
                at["lon"],
                at["lat"],
                s=size,
                marker=marker,
                facecolors=face,
                edgecolors=colour,
                linewidths=1.0,
                zorder=4,
            )


def _closed(axes: Axes, run: Run) -> None:
    last = run.last_decisions
    closed = run.schools.reindex(last.loc[last["decision"] == "close", "school_id"])
    axes.scatter(closed["lon"], closed["lat"], s=20, marker="x", color=BLACK, linewidths=0.9, zorder=5)


def worst_sites(run: Run, most: int = 10) -> list[str]:
    """Return the schools with the most weighted harm over all years, worst first."""
    harm = run.bottlenecks[run.bottlenecks["site_id"] != COUNTY]
    total = harm.groupby("site_id")["severity"].sum().sort_values(ascending=False, kind="stable")
    return [str(site) for site in total.head(most).index if site in run.schools.index]


def _worst(axes: Axes, run: Run) -> None:
    """Ring the schools with the most harm and number them."""
    for rank, site in enumerate(worst_sites(run), start=1):
        at = run.schools.loc[site]
        axes.scatter([at["lon"]], [at["lat"]], s=190, facecolors="none", edgecolors=RED, linewidths=1.6, zorder=6)
        axes.annotate(
            str(rank),
            (at["lon"], at["lat"]),
            xytext=(8, -11),
            textcoords="offset points",
            color=RED,
            fontsize=9,
            fontweight="bold",
            zorder=7,
            gid="halo",
        )


def _names(axes: Axes, run: Run) -> None:
    """Write the name of each township beside its central school."""
    zones = run.input("zones.csv")
    if zones.empty:
        return
    both = zones.set_index("township_id")[["name_zh", "name_en"]]
    schools = run.schools[run.schools["kind"].isin(LABELLED)].drop_duplicates("township_id")
    for _, at in schools.iterrows():
        if at["township_id"] not in both.index:
            continue
        chinese, english = both.loc[at["township_id"]]
        name = chinese if run.words.language == "zh" or not english else english
        axes.annotate(
            str(name),
            (at["lon"], at["lat"]),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=BLACK,
            zorder=8,
            gid="halo",
        )


def scale_bar(axes: Axes, places: pd.DataFrame, unit: str) -> None:
    """Draw a bar of whole km at the lower left and an arrow to the north."""
    low, left = places["lat"].min(), places["lon"].min()
    degree = KM_PER_DEGREE * float(np.cos(np.deg2rad(places["lat"].mean())))
    wide = (places["lon"].max() - left) * degree
    km = next((step for step in (20, 10, 5, 2, 1) if step < wide / 3), 1)
    axes.plot([left, left + km / degree], [low, low], color=BLACK, linewidth=2.5, solid_capstyle="butt", zorder=9)
    axes.annotate(f"{km} {unit}", (left, low), xytext=(0, 4), textcoords="offset points", fontsize=8, zorder=9)
    axes.annotate(
        "N",
        (0.04, 0.9),
        xytext=(0.04, 0.97),
        xycoords="axes fraction",
        ha="center",
        fontsize=9,
        arrowprops={"arrowstyle": "<-", "color": BLACK},
    )


def _legend(run: Run) -> list[Line2D]:
    """Return one sample of each sign that is on the map."""
    word, kinds = run.words, set(run.schools["kind"])

    def sign(label: str, marker: str, colour: str, face: str | None = None, size: float = 6) -> Line2D:
        return Line2D(
            [],
            [],
            linestyle="",
            marker=marker,
            color=colour,
            markerfacecolor=face or colour,
            markersize=size,
            label=label,
        )

    signs = [
        sign(word(f"school_kind.{kind}"), marker, colour, "white")
        for kind, (marker, colour, _) in KINDS.items()
        if kind in kinds
    ]
    return [
        *signs,
        sign(word("map.hamlet"), ".", "#9A9A9A"),
        sign(word("map.closed"), "x", BLACK),
        sign(word("map.real"), "s", BLUE),
        sign(word("map.synthetic"), "s", BLUE, "white"),
        sign(word("map.worst"), "o", RED, "none", 11),
        Line2D([], [], color=ROADS["national"][0], linewidth=1.8, label=word("map.road_large")),
        Line2D([], [], color=ROADS["village"][0], linewidth=0.8, label=word("map.road_small")),
    ]
