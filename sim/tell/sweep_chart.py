"""The chart of a sweep: harm and cost in a field of two settings, or a dot with its interval for each scenario."""

from __future__ import annotations

import itertools
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sim.tell.drawing import Drawing
from sim.tell.number import MANY, money_scale, number
from sim.tell.style import BLUE, ORANGE, canvas, styled, with_thousands
from sim.tell.sweep import COST, Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BESIDE = 4
"""With more columns than these the fields of harm and cost stand below each other."""
WIDEST_LABEL, MOST_LINES = 36, 2
"""Letters of a line of a scenario's label, and its lines: longer ones would leave no room for the values."""
MOST_COLUMNS = 11
"""With more columns than these there is no room for numbers: the table has them."""


def chart(sweep: Sweep) -> Drawing:
    """Draw harm and cost of the scenarios: a field of two settings, or dots with intervals."""
    with styled("compare"):
        return Drawing.of(_fields(sweep) if sweep.crossed else _dots(sweep), sweep.words("compare.title"))


def _panels(sweep: Sweep) -> tuple[tuple[str, float, str], ...]:
    """Return measure, scale and label of what is drawn."""
    harm = (sweep.harm, 1.0, sweep.words("axis.harm_year"))
    return harm, (COST, money_scale(sweep.words), sweep.words("axis.money_year"))


def _dots(sweep: Sweep) -> Figure:
    """Draw one row per scenario, with the 95 % interval."""
    labels = (sweep.labels[name] for name in sweep.scenarios)
    names = [textwrap.fill(label, WIDEST_LABEL, max_lines=MOST_LINES, placeholder=" …") for label in labels]
    lines = max(name.count("\n") for name in names) + 1
    figure, axes = canvas(1.0 + (0.13 + 0.14 * lines) * len(names), 1, 2, sharey=True)
    rows = np.arange(len(names))[::-1]
    for part, (measure, scale, label), colour in zip(axes, _panels(sweep), (ORANGE, BLUE), strict=True):
        shown = ~sweep.hidden(measure)
        found = sweep.values(measure)[["mean", "low", "high"]].where(shown) / scale
        mean, low, high = (found[name].to_numpy(dtype=float) for name in found)
        ends = np.nan_to_num([mean - low, high - mean])
        part.barh(rows, mean, height=0.62, color=colour, alpha=0.55)
        part.errorbar(mean, rows, xerr=ends, fmt="o", color="#222222", markersize=3.5, capsize=3, elinewidth=1.1)
        part.set_xlim(left=min(0.0, np.nanmin([0.0, *mean, *low])))
        part.set_xlabel(label)
        part.xaxis.grid(visible=True)
        part.xaxis.set_major_locator(MaxNLocator(5))
        part.xaxis.set_major_formatter(with_thousands)
    axes[0].set_yticks(rows, names)
    axes[0].set_ylim(-0.6, len(names) - 0.4)
    return figure


def _fields(sweep: Sweep) -> Figure:
    """Draw a field of two settings, coloured and written with the mean and half of its 95 % interval.

    The setting with more values goes down, where there is room for them.
    """
    down, along = sorted(sweep.factors, key=lambda key: -len(set(map(str, sweep.factors[key]))))
    columns, rows = (len(set(map(str, sweep.factors[key]))) for key in (along, down))
    beside = columns <= MOST_BESIDE
    height = 0.55 + 0.42 * rows
    figure, axes = canvas(height + 0.3 if beside else 2 * height, 1 if beside else 2, 2 if beside else 1, sharey=True)
    for part, (measure, scale, label) in zip(axes, _panels(sweep), strict=True):
        table = sweep.values(measure)[["mean", "high"]].where(~sweep.hidden(measure)) / scale
        cells = table.assign(down=list(map(str, sweep.factors[down])), along=list(map(str, sweep.factors[along])))
        mean, high = (
            cells.pivot(index="down", columns="along", values=name).reindex(
                index=pd.unique(cells["down"]), columns=pd.unique(cells["along"])
            )
            for name in ("mean", "high")
        )
        _field(part, mean, high - mean)
        part.set_title(label, fontsize=8.5)
        part.set_ylabel(down)
        part.set_xlabel(along)
    if beside:
        axes[1].set_ylabel("")
    return figure


def _field(part: Axes, mean: pd.DataFrame, half: pd.DataFrame) -> None:
    """Draw one field: darker is more."""
    values = mean.to_numpy(dtype=float)
    shade: dict[str, Any] = {"vmin": _paler(values), "vmax": _darker(values)}
    part.imshow(values, cmap="Oranges", aspect="auto", alpha=0.8, **shade)
    part.set_xticks(range(mean.shape[1]), [str(value) for value in mean.columns])
    part.set_yticks(range(mean.shape[0]), [str(value) for value in mean.index])
    part.tick_params(length=0)
    part.spines[:].set_visible(False)
    if mean.shape[1] > MOST_COLUMNS:
        return
    size = 7.5 if mean.shape[1] <= 8 else 6.5
    digits = 0 if np.nanmax(np.abs(values), initial=0.0) >= MANY and not np.nanmax(half, initial=0.0) < 1 else 1
    for i, j in itertools.product(*map(range, values.shape)):
        wide = half.iloc[i, j]
        text = number(values[i, j], digits) + (f"\n± {number(wide, digits)}" if wide > 0 else "")
        dark = values[i, j] > shade["vmin"] + 0.72 * (shade["vmax"] - shade["vmin"])
        part.text(j, i, text, ha="center", va="center", fontsize=size, color="white" if dark else "#222222")


def _paler(field: np.ndarray) -> float:
    """Return where the colours start: below the smallest value, so that it is not white."""
    if not np.isfinite(field).any():
        return 0.0
    low, high = np.nanmin(field), np.nanmax(field)
    return float(low - 0.35 * (high - low or abs(low) or 1.0))


def _darker(field: np.ndarray) -> float:
    """Return where the colours end: at the largest value, or well above it where all are the same."""
    if not np.isfinite(field).any():
        return 1.0
    low, high = np.nanmin(field), np.nanmax(field)
    return float(high if high > low else high + (abs(high) or 1.0))
