"""Risk matrix: how likely a shortage breaks its limit against how much harm it does, with the ten worst named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.special import betaincinv

from sim.tell.answer import worst_of_all
from sim.tell.cells import is_small
from sim.tell.number import CONFIDENCE, Floats, by_replication, interval, percent
from sim.tell.run import Run
from sim.tell.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, RED, canvas, with_thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS = {
    "ride": ("o", BLUE),
    "bed": ("s", ORANGE),
    "meal": ("^", GREEN),
    "water": ("D", PURPLE),
    "class": ("v", RED),
}
"""Kind of resource -> its sign and colour."""
KIND_OF = {
    **dict.fromkeys(("bed_girls", "bed_boys", "life_teacher", "warden"), "bed"),
    **dict.fromkeys(("kitchen", "window", "canteen_seat", "canteen_worker"), "meal"),
    **dict.fromkeys(("tap", "basin", "shower", "toilet_girls", "toilet_boys"), "water"),
    **dict.fromkeys(("classroom_seat", "teacher", "guard"), "class"),
}
"""Resource -> its kind; all others have to do with the ride."""
MOST = 10
LEAST = 0.5
"""Smallest weighted pupil-days a year that are drawn."""
ZONES = {"act": "#DEDEDE", "watch": "#EFEFEF", "prepare": "#EFEFEF", "usual": "#FAFAFA"}
"""Zone -> its grey: likely and much, likely and little, rare and much, rare and little."""
BOTTOM, TOP = -0.09, 1.09
"""The zones reach a little beyond chances of 0 and 1, so that their names have room."""
APART = 0.062
"""Numbers stand this share of the width apart."""


def risks(run: Run) -> pd.DataFrame:
    """Return one row per site and resource, worst first: likelihood and consequence, both with 95 % intervals.

    Columns: site_id, resource, kind, harm, harm_low, harm_high (weighted pupil-days of a mean year), chance,
    chance_low, chance_high (of breaching the limit in the worst year), first_year. Public pages leave out what speaks
    of fewer than five pupils.
    """
    table = worst_of_all(run)
    if table.empty:
        return table
    small = [run.is_hidden(row.site_id, row.resource) or (run.public and is_small(row.mean))
             for row in table.itertuples()]  # fmt: skip
    table = table[~np.array(small) & (table["severity"] >= LEAST)]
    place = ["site_id", "resource"]
    harm = interval(by_replication(run.harm, place, "severity", run.replications, 0.0) / len(run.years))
    harm = harm.reindex(pd.MultiIndex.from_frame(table[place])).reset_index(drop=True)
    low, high = jeffreys(table["p_breach"].to_numpy(dtype=float), len(run.replications))
    return table[place].reset_index(drop=True).assign(
        kind=[KIND_OF.get(resource, "ride") for resource in table["resource"]],
        harm=harm["mean"], harm_low=harm["low"], harm_high=harm["high"],
        chance=table["p_breach"].to_numpy(dtype=float), chance_low=low, chance_high=high,
        first_year=table["first_year_breached"].to_numpy(dtype=float),
    )  # fmt: skip


def jeffreys(share: Floats, tries: int) -> tuple[Floats, Floats]:
    """Return low and high of a chance met in a share of the tries, as verdicts.csv has them; NaN after one try.

    Quantiles of Beta(x + 1/2, n - x + 1/2); 0 and 1 at the ends (Brown, Cai and DasGupta 2001).
    """
    if tries < 2:
        return np.full(len(share), np.nan), np.full(len(share), np.nan)
    hits, tail = share * tries, (1 - CONFIDENCE) / 2
    low, high = (betaincinv(hits + 0.5, tries - hits + 0.5, end) for end in (tail, 1 - tail))
    return np.where(share <= 0, 0.0, low), np.where(share >= 1, 1.0, high)


def risk_matrix(run: Run) -> Figure | None:
    """Draw the risk matrix; None when nobody is harmed, or nothing of it may be told."""
    table = risks(run)
    if table.empty:
        return None
    figure, (axes, key) = canvas(4.7, 1, 2, width_ratios=(1.9, 1))
    axes.set_xscale("log")
    axes.set_xlim(LEAST, 2 * max(table["harm"].max(), np.nanmax([*table["harm_high"], 100 * run.school_days])))
    axes.set_ylim(BOTTOM, TOP + 0.16)
    _zones(run, axes)
    _intervals(axes, table.head(MOST))
    for kind, (marker, colour) in KINDS.items():
        for rows, size, width in ((table.iloc[MOST:], 16, 0.4), (table.head(MOST), 46, 0.9)):
            here = rows[rows["kind"] == kind]
            axes.scatter(here["harm"], here["chance"], s=size, marker=marker, color=colour, edgecolors="white",
                         linewidths=width, zorder=3 if size < 20 else 5, gid=kind, clip_on=False)  # fmt: skip
        if (table["kind"] == kind).any():
            axes.plot([], [], marker, color=colour, label=run.words(f"risk.{kind}"), markersize=6)
    _numbers(axes, table.head(MOST))
    axes.set_yticks(np.linspace(0, 1, 6), [percent(share) for share in np.linspace(0, 1, 6)])
    axes.xaxis.set_major_formatter(with_thousands)
    axes.set_xlabel(run.words("axis.weighted_year"))
    axes.set_ylabel(run.words("axis.chance_worst"))
    _key(run, key, table.head(MOST))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=len(KINDS), columnspacing=2.5)
    return figure


def _zones(run: Run, axes: Axes) -> None:
    """Shade what is likely and does much harm; much is one weighted pupil-day on every school day."""
    (left, right), much, likely = axes.get_xlim(), run.school_days, run.settings.judge.breach_probability
    spans = {
        "act": ((much, right), (likely, TOP)),
        "watch": ((left, much), (likely, TOP)),
        "prepare": ((much, right), (BOTTOM, likely)),
        "usual": ((left, much), (BOTTOM, likely)),
    }
    for name, ((x0, x1), (y0, y1)) in spans.items():
        axes.fill_between([x0, x1], y0, y1, color=ZONES[name], linewidth=0, zorder=0)
        side, at = ("right", x1 / 1.15) if name in ("act", "prepare") else ("left", x0 * 1.15)
        edge, end = (TOP - 0.012, "top") if y1 == TOP else (BOTTOM + 0.012, "bottom")
        axes.text(at, edge, run.words(f"risk.{name}"), ha=side, va=end, fontsize=8, color=BLACK, zorder=6,
                  bbox={"facecolor": ZONES[name], "edgecolor": "none", "pad": 0.5})  # fmt: skip
    axes.vlines(much, BOTTOM, TOP, color=GREY, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    axes.hlines(likely, left, right, color=GREY, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)


def _intervals(axes: Axes, worst: pd.DataFrame) -> None:
    """Draw the intervals of both as a cross."""
    known = worst.dropna(subset=["harm_low", "chance_low"])
    axes.hlines(
        known["chance"], known["harm_low"].clip(lower=LEAST), known["harm_high"], color=BLACK, linewidth=0.8, zorder=4
    )
    axes.vlines(known["harm"], known["chance_low"], known["chance_high"], color=BLACK, linewidth=0.8, zorder=4)


def _numbers(axes: Axes, worst: pd.DataFrame) -> None:
    """Write the ranks in a row above, with a thin line from each to its point."""
    left, right = np.log10(axes.get_xlim())
    order = np.argsort(worst["harm"].to_numpy(), kind="stable")
    at = (np.log10(worst["harm"].to_numpy()[order]) - left) / (right - left)
    place = at.copy()
    for k in range(1, len(place)):
        place[k] = max(place[k], place[k - 1] + APART)
    place -= max((place - at).mean(), place[-1] - 0.985, 0.0)
    for k, x in zip(order, place, strict=True):
        row = worst.iloc[k]
        above = (10 ** (left + x * (right - left)), TOP + 0.1)
        line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 3}
        axes.annotate(str(k + 1), (row["harm"], row["chance"]), above, ha="center", va="bottom", fontsize=8.5,
                      fontweight="bold", zorder=4, arrowprops=line)  # fmt: skip


def _key(run: Run, axes: Axes, worst: pd.DataFrame) -> None:
    """List the worst beside the chart: school, resource and first year over the limit."""
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(MOST, -0.6)
    axes.text(-0.03, -0.35, run.words("risk.worst"), fontsize=8, va="center", color=GREY)
    for k, row in enumerate(worst.itertuples()):
        year = f"{row.first_year:.0f}" if np.isfinite(row.first_year) else run.words("never")
        marker, colour = KINDS[row.kind]
        axes.plot([0.09], [k + 0.28], marker, color=colour, markersize=5)
        axes.text(0.0, k + 0.28, str(k + 1), fontsize=8.5, fontweight="bold", va="center", ha="center")
        axes.text(0.15, k + 0.28, run.site(row.site_id, short=True), fontsize=8, va="center")
        under = run.words("risk.key", what=run.words.term("resource", row.resource), year=year)
        axes.text(0.15, k + 0.66, under, fontsize=7.5, va="center", color=GREY)
