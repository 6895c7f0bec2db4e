"""Charts of what pupils live through: how long they ride, how long they wait at the canteen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.tell.cells import FEWEST, is_small
from sim.tell.number import by_replication, interval, percent
from sim.tell.run import Run
from sim.tell.style import BLUE, GREY, RED, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

YOUNG_BAND = "1-3"
WAYS = ("ride_min", "door_to_school_min")
TRIPS = {"ride_min": 2.0, "door_to_school_min": 1.0}
"""How often a day a pupil is counted: rides to school and home, the way from the door in the morning."""
MOST_SCHOOLS = 30
WINDOW_WAIT = "window_wait_min_p95"


def rides(run: Run) -> Figure | None:
    """Draw how long daily riders are aboard, and from door to school, by grades, against the limit."""
    table = run.totals("spread", ["replication", "measure", "grade_band", "low", "high"], "count")
    table = table[table["measure"].isin(WAYS)]
    bands = sorted(table["grade_band"].unique())
    if not bands:
        return None
    word = run.words
    figure, axes = canvas(2.3 * len(WAYS), len(WAYS), len(bands), sharex=True, sharey="row", squeeze=False)
    for row, way in enumerate(WAYS):
        for column, band in enumerate(bands):
            part = axes[row, column]
            cells = table[(table["measure"] == way) & (table["grade_band"] == band)]
            _distribution(run, part, cells, way, band)
            part.set_title(word(f"chart.{way}", band=band), fontsize=8.5)
        axes[row, 0].set_ylabel(word("axis.share_rides"))
        axes[row, 0].set_ylim(0, axes[row, 0].get_ylim()[1] * 1.2)
    if not any(part.patches for part in axes.flat):
        axes[0, 0].set(xticks=[])  # all share them
        for part in axes[:, 0]:
            part.set(yticks=[])
    for part in axes[-1]:
        part.set_xlim(left=0)
        part.set_xlabel(word("axis.minutes"))
    return figure


def limit_min(run: Run, way: str, band: str) -> float | None:
    """Return the limit that holds for a way: on the whole journey, or on the ride alone, by the settings."""
    fleet = run.settings.fleet
    if fleet.limit_includes_walk_and_wait != (way == "door_to_school_min"):
        return None
    return fleet.ride_limit_young_min if band == YOUNG_BAND else fleet.ride_limit_older_min


def judged_min(run: Run, way: str, band: str) -> float | None:
    """Return the standard that the time of a way is judged by, the one for young pupils where there is one."""
    found = {limit.measure: limit.value for limit in run.settings.limits.values()}
    young = found.get(f"{way.removesuffix('_min')}_young_min_p95") if band == YOUNG_BAND else None
    return found.get(f"{way}_p95") if young is None else young


def over_limit(run: Run, cells: pd.DataFrame, limit: float) -> pd.DataFrame:
    """Return mean, low and high of the share over a limit; a bin counts when it starts at it or above."""
    whole = cells.groupby("replication")["count"].sum()
    above = cells[cells["low"] >= limit].groupby("replication")["count"].sum()
    share = above.reindex(whole.index, fill_value=0.0) / whole
    return interval(share.reindex(run.replications).to_frame("share").T)


def _distribution(run: Run, axes: Axes, cells: pd.DataFrame, way: str, band: str) -> None:
    """Draw one histogram in per cent, the part over the limit hatched, with the share over it in words."""
    axes.yaxis.grid(visible=True)
    bins = cells.groupby(["low", "high"], as_index=False)["count"].sum()
    if bins.empty:
        return
    total = bins["count"].sum()
    lived = len(run.replications) * len(run.years) * run.school_days * TRIPS[way]
    if run.public and is_small(total / lived):
        _hide(run, axes)
        return
    shown = bins[bins["count"] / lived >= FEWEST] if run.public else bins
    limit = limit_min(run, way, band)
    limit = judged_min(run, way, band) if limit is None else limit
    step = float((bins["high"] - bins["low"]).replace(np.inf, np.nan).min())
    over = shown["low"] >= (limit if limit is not None else np.inf)
    for rows, colour, hatch in ((shown[~over], BLUE, ""), (shown[over], RED, "/////")):
        axes.bar(
            rows["low"],
            100 * rows["count"] / total,
            width=step,
            align="edge",
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.4,
        )
    if run.public and shown.empty:
        _hide(run, axes)
    elif limit is not None:
        _over(run, axes, cells, limit, total / lived)


def _hide(run: Run, axes: Axes) -> None:
    """Say that nothing is shown here, because the group is too small."""
    axes.text(0.5, 0.5, run.words("hidden.group"), transform=axes.transAxes, ha="center", va="center", fontsize=8)


def _over(run: Run, axes: Axes, cells: pd.DataFrame, limit: float, pupils: float) -> None:
    """Draw the limit and write beside it the share over it, unless this tells of so few of the pupils of a day."""
    axes.axvline(limit, color=RED, linewidth=1.2, linestyle=(0, (4, 2)))
    share = over_limit(run, cells, limit).iloc[0]
    if run.public and (is_small(pupils * share["mean"]) or is_small(pupils * (1 - share["mean"]))):
        says = run.words("chart.over_few", few=FEWEST, limit=f"{limit:g}")
    else:
        says = run.words("chart.over", share=percent(share["mean"], 1), limit=f"{limit:g}")
        if np.isfinite(share["low"]):
            says += f"\n({percent(max(share['low'], 0.0), 1)} – {percent(share['high'], 1)})"
    axes.annotate(says, (limit, 0.97), (4, 0), xycoords=("data", "axes fraction"), textcoords="offset points", va="top",
                  fontsize=8, color=RED)  # fmt: skip


def canteen(run: Run) -> Figure | None:
    """Draw how long 95 % of diners wait at the windows, for each school, against the limit."""
    waits = run.site_means(WINDOW_WAIT)
    waits = waits[[not run.is_hidden(site, "window") for site in waits["site_id"]]]
    if waits.empty:
        return None
    word = run.words
    years = waits.groupby(["site_id", "replication"], as_index=False)["value"].mean()
    found = interval(by_replication(years, ["site_id"], "value", run.replications))
    worst_year = waits.groupby(["site_id", "year"])["value"].mean().groupby("site_id").max()
    found = found.assign(worst=worst_year).sort_values("mean", ascending=False)
    shown = found.head(MOST_SCHOOLS).iloc[::-1]
    labels = [run.site(str(site), short=True) for site in shown.index]
    figure, axes = canvas(1.0 + 0.18 * len(shown))
    rows = np.arange(len(shown))
    half = (shown["high"] - shown["mean"]).fillna(0.0)
    axes.hlines(rows, 0, shown["worst"], color="#E6E6E6", linewidth=0.7)
    axes.plot(shown["worst"], rows, "|", color=GREY, markersize=8, markeredgewidth=1.6, label=word("chart.worst_year"))
    axes.errorbar(
        shown["mean"],
        rows,
        xerr=half,
        fmt="o",
        color=BLUE,
        markersize=4.5,
        capsize=2.5,
        elinewidth=1.2,
        label=word("chart.mean_years"),
    )
    limits = {limit.value for limit in run.settings.limits.values() if limit.measure == WINDOW_WAIT}
    for limit in sorted(limits):
        axes.axvline(
            limit, color=RED, linewidth=1.2, linestyle=(0, (4, 2)), label=word("chart.limit", limit=f"{limit:g}")
        )
    _by_school(axes, labels)
    axes.set_xlabel(word("axis.wait_p95"))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=3, columnspacing=3)
    return figure


def _by_school(axes: Axes, labels: list[str]) -> None:
    """Name the schools at the left, one row each."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(-0.7, len(labels) - 0.3)
    axes.set_xlim(left=0)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
