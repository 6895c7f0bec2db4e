"""Heat map of schools and years: how dark a cell is says how much harm, its letters what is short there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from sim.tell.cells import FEWEST, HIDDEN, is_small
from sim.tell.run import COUNTY, Run
from sim.tell.style import BLACK, GREY, canvas, with_thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_SCHOOLS = 25
SHADES = ("#FDF0E3", "#FAD7B4", "#F0A869", "#D2742B", "#9A480E", "#4A1F00")
"""One colour from light to dark, so that it reads in grey, too."""
DARK = 4
"""From this shade on letters are white."""
STEPS = tuple(step * 10.0**power for power in range(-3, 8) for step in (1, 3))
"""Amounts at which a shade may begin: two in each power of ten."""
GAP = 0.05
"""Half the white between two cells, as a share of one."""
REST = ""
"""Stands for the schools that have no row of their own."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Schools (rows, the worst first) by year: weighted harm, NaN where there is none, and what is short most."""

    severity: pd.DataFrame
    resource: pd.DataFrame
    hidden: pd.DataFrame
    rest: int
    """Schools of the last row, which is called REST, if there are any."""


def cells(run: Run, most: int = MOST_SCHOOLS) -> Cells:
    """Return what the heat map shows; on public pages, harm to fewer than five pupils is left out and marked."""
    found = run.bottlenecks[(run.bottlenecks["site_id"] != COUNTY) & (run.bottlenecks["severity"] > 0)]
    small = [run.is_hidden(row.site_id, row.resource) or (run.public and is_small(row.pupil_days_harmed_mean))
             for row in found.itertuples()]  # fmt: skip
    gone = np.array(small, dtype=bool)
    shown = found[~gone]
    order = shown.groupby("site_id")["severity"].sum().sort_values(ascending=False, kind="stable").index
    # one school in the last row would be no sum
    named = order if len(order) <= most + 1 else order[:most]
    rows = [*named, *([REST] if len(named) < len(order) else [])]

    def by_row(frame: pd.DataFrame) -> pd.DataFrame:
        row = frame["site_id"].where(frame["site_id"].isin(named), REST)
        return frame.assign(row=row).groupby(["row", "year", "resource"], as_index=False)["severity"].sum()

    def wide(frame: pd.DataFrame, value: str) -> pd.DataFrame:
        return frame.pivot(index="row", columns="year", values=value).reindex(rows).reindex(columns=run.years)

    each, lost = by_row(shown), by_row(found[gone])
    severity = wide(each.groupby(["row", "year"], as_index=False)["severity"].sum(), "severity")
    largest = each.sort_values("severity", ascending=False, kind="stable").drop_duplicates(["row", "year"])
    unseen = wide(lost.drop_duplicates(["row", "year"]), "severity").notna() & severity.isna()
    return Cells(severity.astype(float), wide(largest, "resource"), unseen, len(order) - len(named))


def steps_below(most: float) -> list[float]:
    """Return where the second and every further shade begins, for amounts up to `most`: the last at or below it."""
    return [step for step in STEPS if step <= most][1 - len(SHADES) :]


def tiles(axes: Axes, values: NDArray[np.float64], steps: Sequence[float], at: float = 0.0) -> None:
    """Draw a table of values as cells of unit size, each as dark as the steps it reaches; no cell where it is NaN.

    All cells of a shade are one path, which keeps the drawing small. The first column begins at `at`, row 0 at 0.
    """
    shade = np.where(np.isfinite(values), np.searchsorted(steps, values, side="right"), -1)
    corner = np.array([(GAP, GAP), (1 - GAP, GAP), (1 - GAP, 1 - GAP), (GAP, 1 - GAP), (GAP, GAP)])
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    for k, colour in enumerate(SHADES):
        row, column = np.nonzero(shade == k)
        if len(row):
            corners = (np.stack([column + at, row], axis=1)[:, None, :] + corner).reshape(-1, 2)
            path = Path(corners, codes * len(row))
            axes.add_artist(PathPatch(path, facecolor=colour, edgecolor="none", gid=f"shade-{k}"))


def heat(run: Run) -> Figure | None:
    """Draw the heat map; None when nobody is harmed at any school, or nothing of it may be told."""
    told = cells(run)
    if told.severity.empty:
        return None
    word, rows = run.words, told.severity.index
    labels = [run.site(site, short=True) if site != REST else word("heat.rest", schools=told.rest) for site in rows]
    figure, axes = canvas(1.45 + 0.2 * len(rows))
    values = told.severity.to_numpy()
    steps = steps_below(np.nanmax(told.severity.drop(index=REST, errors="ignore").to_numpy(), initial=0.0))
    tiles(axes, values, steps)
    for (row, column), severity in np.ndenumerate(values):
        resource, hidden = told.resource.iat[row, column], told.hidden.iat[row, column]
        text = word.term("code", resource) if np.isfinite(severity) else HIDDEN if hidden else ""
        dark = np.searchsorted(steps, severity, side="right") >= DARK and np.isfinite(severity)
        axes.text(column + 0.5, row + 0.53, text, ha="center", va="center", fontsize=7.5,
                  color="white" if dark else BLACK if np.isfinite(severity) else GREY)  # fmt: skip
    axes.set_xticks(np.arange(len(run.years)) + 0.5, [str(year) for year in run.years])
    axes.set_yticks(np.arange(len(rows)) + 0.5, labels, fontsize=8)
    axes.set_xlim(0, len(run.years))
    axes.set_ylim(len(rows), 0)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel(word("axis.year"))
    _legends(run, figure, told, steps)
    return figure


def _legends(run: Run, figure: Figure, told: Cells, steps: list[float]) -> None:
    """Say what the shades and the letters mean."""
    word = run.words
    ends = [with_thousands(step) for step in steps]
    names = [f"<{ends[0]}", *(f"{low} – {high}" for low, high in pairwise(ends)), f"≥{ends[-1]}"]
    shades = [Patch(facecolor=shade, label=name) for shade, name in zip(SHADES, names, strict=False)]
    title = word("heat.shade")
    figure.legend(handles=shades, loc="outside upper left", ncols=len(shades), columnspacing=1.6, title=title,
                  alignment="left", title_fontsize=8.5)  # fmt: skip
    short = sorted(set(told.resource.stack().dropna()))
    letters = [f"{word.term('code', each)} = {word.term('resource', each)}" for each in short]
    letters += [f"{HIDDEN} = {word('heat.hidden', few=FEWEST)}"] if told.hidden.to_numpy().any() else []
    signs = [Line2D([], [], linestyle="", label=text) for text in letters]
    figure.legend(handles=signs, loc="outside lower left", ncols=4, handlelength=0, handletextpad=0, columnspacing=3,
                  title=word("heat.letters"), alignment="left", title_fontsize=8.5)  # fmt: skip
