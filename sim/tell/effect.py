"""The charts of a study of sensitivity: one setting at a time, and indices or coefficients, with intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from sim.tell.cells import HIDDEN
from sim.tell.drawing import Drawing
from sim.tell.number import percent
from sim.tell.sensitivity import EIGHT_OF_TEN, Told
from sim.tell.style import BLACK, BLUE, GREY, ORANGE, canvas, styled, with_thousands


def charts(told: Told) -> dict[str, Drawing]:
    """Return the charts by name."""
    made: dict[str, Callable[[Told], Figure]] = {"tornado": _tornado}
    if told.table:
        made[told.table] = _effects
    drawn = {}
    for name, draw in made.items():
        with styled(name):
            drawn[name] = Drawing.of(draw(told), told.words(f"sensitivity.{name}"))
    return drawn


def _panels(told: Told, more_rows: int) -> tuple[Figure, list[Any]]:
    """Return a figure with a panel for each output, the settings down its side, and the panels."""
    labels = [told.label(key) for key in told.settings]
    lines, columns = -(-len(told.outputs) // 2), min(len(told.outputs), 2)
    height = lines * (1.0 + 0.26 * (len(labels) + more_rows))
    figure, axes = canvas(height, lines, columns, sharey=True, squeeze=False)
    panels = list(axes.flat)
    for spare in panels[len(told.outputs) :]:
        spare.set_visible(False)
    for panel in panels:
        panel.axhline(-0.5, color="none")
        panel.tick_params(axis="y", length=0)
        panel.xaxis.grid(visible=True)
        panel.xaxis.set_major_locator(MaxNLocator(4))
    return figure, panels[: len(told.outputs)]


def _tornado(told: Told) -> Figure:
    """Draw what each setting changes by itself; dashed: between them lie eight of ten draws of luck alone."""
    figure, panels = _panels(told, 0)
    places = np.arange(len(told.settings))[::-1]
    for panel, output in zip(panels, told.outputs, strict=True):
        scale, rows = told.scale(output), told.rows("tornado", output)
        for place, (_, row) in zip(places, rows.iterrows(), strict=True):
            if told.hidden(output, row):
                panel.text(0, place, HIDDEN, ha="center", va="center")
                continue
            for end, up in (("at_low", 0.19), ("at_high", -0.19)):
                panel.barh(place + up, row[end] / scale, 0.36, **ENDS[end], edgecolor="white", linewidth=0)
                if np.isfinite(row[f"{end}_low"]):
                    ends = [row[f"{end}_low"] / scale, row[f"{end}_high"] / scale]
                    panel.plot(ends, [place + up] * 2, color=BLACK, marker="|", markersize=4, linewidth=1)
        far = EIGHT_OF_TEN * told.luck(output)["deviation"] / scale
        for side in (-far, far):
            panel.axvline(side, color=BLACK, linestyle=(0, (4, 3)), linewidth=0.9)
        panel.axvline(0, color=BLACK, linewidth=0.8)
        panel.set_title(told.head(output))
        panel.set_xlabel(told.words("sensitivity.change"))
        panel.xaxis.set_major_formatter(with_thousands)
    panels[0].set_yticks(places, [told.label(key) for key in told.settings])
    return _keyed(figure, told, ("at_low", "at_high", "by_luck"))


def _effects(told: Told) -> Figure:
    """Draw indices, or coefficients, with their intervals; below them what luck does."""
    sobol = told.table == "indices"
    kinds = (("total", "s", BLUE, "white", -0.16), ("first", "o", ORANGE, ORANGE, 0.16)) if sobol else (
        ("coefficient", "o", BLUE, BLUE, 0.0),)  # fmt: skip
    figure, panels = _panels(told, sobol)
    places = np.arange(len(told.settings))[::-1] + sobol
    for panel, output in zip(panels, told.outputs, strict=True):
        rows = told.rows(told.table, output)
        for name, marker, colour, face, up in kinds:
            _dots(panel, rows, name, places + up, {"marker": marker, "color": colour, "markerfacecolor": face})
        left, right = panel.get_xlim()
        panel.set_xlim(*((min(left, -0.1), max(right, 1.05)) if sobol else (-1.15, 1.15)))
        if sobol:
            _beside(panel, told.luck(output))
        panel.axvline(0, color=BLACK, linewidth=0.8)
        panel.set_title(told.words.term("measure", output))
        panel.set_xlabel(told.words(f"sensitivity.{told.table}_axis"))
    names = [told.label(key) for key in told.settings] + [told.words("sensitivity.luck")] * sobol
    panels[0].set_yticks([*places, 0] if sobol else places, names)
    return _keyed(figure, told, ("first", "total", "luck_share") if sobol else ("coefficient",))


def _beside(panel: Any, luck: pd.Series) -> None:
    """Draw below the settings what luck does; where that is far more than all settings, in words."""
    panel.axhline(0.5, color=GREY, linewidth=0.7, linestyle=(0, (1, 2)))
    right = panel.get_xlim()[1]
    if luck["share"] > right:
        panel.text(right, 0, f"{percent(luck['share'])} →", ha="right", va="center", fontsize=8.5)
    else:
        _dots(panel, luck.to_frame().T, "share", np.array([0.0]), {"marker": "D", "color": GREY})
    panel.set_xlim(right=right)


def _dots(panel: Any, rows: pd.DataFrame, name: str, places: np.ndarray, look: dict[str, Any]) -> None:
    """Draw numbers as dots with their intervals."""
    value = rows[name].to_numpy(dtype=float)
    ends = rows[[f"{name}_low", f"{name}_high"]].to_numpy(dtype=float).T
    half = np.clip(np.abs(ends - value), 0.0, None)
    panel.errorbar(value, places, xerr=np.nan_to_num(half), linestyle="none", markersize=4.5, capsize=2.5,
                   elinewidth=1.1, label=name, **look)  # fmt: skip


ENDS: dict[str, dict[str, Any]] = {"at_low": {"facecolor": BLUE}, "at_high": {"facecolor": ORANGE, "hatch": "////"}}
KEYS: dict[str, dict[str, Any]] = {
    "by_luck": {"color": BLACK, "linestyle": (0, (4, 3)), "linewidth": 0.9},
    "first": {"color": ORANGE, "marker": "o", "linewidth": 1},
    "total": {"color": BLUE, "marker": "s", "markerfacecolor": "white", "linewidth": 1},
    "luck_share": {"color": GREY, "marker": "D", "linewidth": 1},
    "coefficient": {"color": BLUE, "marker": "o", "linewidth": 1},
}


def _keyed(figure: Figure, told: Told, names: tuple[str, ...]) -> Figure:
    """Write below the figure what its marks mean."""
    labels = {name: told.words(f"sensitivity.{name}") for name in names}
    handles = [
        Patch(**ENDS[name], edgecolor="white", linewidth=0, label=label) if name in ENDS
        else Line2D([], [], **KEYS[name], label=label)
        for name, label in labels.items()
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=len(names))
    return figure
