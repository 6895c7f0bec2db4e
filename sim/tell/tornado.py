"""What goes along with harm from one replication to the next: correlations of ranks with their intervals."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from sim.tell.number import percent
from sim.tell.run import Run
from sim.tell.style import BLACK, BLUE, ORANGE, canvas, with_thousands


def tornado(run: Run) -> Figure | None:
    """Draw harm_drivers.csv, the closest association first; None with too few replications, or none with harm."""
    table = run.if_there("harm_drivers.csv")
    if table.empty:
        return None
    word, rows = run.words, table.iloc[::-1]
    mean, low, high = (rows[f"correlation_{part}"].to_numpy() for part in ("mean", "low", "high"))
    labels = [word.term("harm_driver", driver) for driver in rows["driver"]]
    figure, axes = canvas(1.0 + 0.27 * len(rows))
    at = np.arange(len(rows))
    for side, colour, hatch, label in (
        (mean >= 0, BLUE, "", "chart.with_more"),
        (mean < 0, ORANGE, "////", "chart.with_less"),
    ):
        axes.barh(
            at[side],
            mean[side],
            height=0.6,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.4,
            label=word(label),
        )
    axes.errorbar(mean, at, xerr=np.vstack([mean - low, high - mean]), fmt="none", ecolor=BLACK, elinewidth=1,
                  capsize=2.5, label=word("chart.interval"))  # fmt: skip
    for row, share in zip(at, rows["share"], strict=True):
        axes.annotate(percent(share), (1.04, row), va="center", ha="right", fontsize=8, annotation_clip=False)
    axes.annotate(
        word("chart.rank_share"), (1.04, len(rows) - 0.4), va="bottom", ha="right", fontsize=8, annotation_clip=False
    )
    axes.axvline(0, color=BLACK, linewidth=0.8)
    axes.set_yticks(at, labels)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(-1.05, 1.05)
    axes.set_ylim(-0.6, len(rows) - 0.1)
    axes.xaxis.grid(visible=True)
    axes.xaxis.set_major_formatter(with_thousands)
    axes.set_xlabel(word("axis.rank_correlation"))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3, columnspacing=3)
    return figure
