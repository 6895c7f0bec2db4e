"""Charts of risk: the chance of more, how groups fare beside all pupils, what stands idle as births fall."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sim.tell.cells import is_small
from sim.tell.number import money_scale
from sim.tell.risk import PERCENT, group_name, shown_groups
from sim.tell.run import COUNTY, Run
from sim.tell.style import (
    BLACK,
    BLUE,
    GREY,
    LINES,
    ORANGE,
    SERIES,
    canvas,
    from_zero,
    with_thousands,
    years_axis,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVES = ("severity", "pupils_left_behind", "bed_refused", "meals_unserved", "late_pupils")
DRAWN = ("harmed", "journey_min", "journeys_long")


def exceedance(run: Run) -> Figure | None:
    """Draw for the main measures and for cost how likely the worst year is to have more than so much.

    The step is the share of replications, the band its 95 % interval; the first and the last year stand beside.
    """
    table = pd.concat([run.if_there("exceedance.csv"), run.if_there("cost_exceedance.csv")], ignore_index=True)
    if table.empty or len(run.replications) < 2:
        return None
    means = run.if_there("tails.csv").groupby("measure")["mean"].max()
    small = means[means.map(is_small)].index if run.public else []
    wanted = [name for name in CURVES if name in set(table["measure"]) and name not in small]
    wanted += [name for name in dict.fromkeys(table["measure"]) if name.startswith("cost")]
    rows = -(-len(wanted) // 3)
    figure, axes = canvas(0.7 + 2.1 * rows, rows, 3, sharey=True, squeeze=False)
    for part, name in zip(axes.flat, wanted, strict=False):
        _curves(run, part, table[table["measure"] == name], name)
    for part in axes.flat[len(wanted) :]:
        part.set_visible(False)
    for part in axes[:, 0]:
        part.set_ylabel(run.words("axis.chance_of_more"))
    handles = {label: line for part in axes.flat[: len(wanted)]
               for line, label in zip(*part.get_legend_handles_labels(), strict=True)}  # fmt: skip
    figure.legend(handles.values(), handles.keys(), loc="outside upper right", ncols=len(handles), columnspacing=3)
    return figure


def _curves(run: Run, axes: Axes, table: pd.DataFrame, name: str) -> None:
    """Draw the worst year of one measure with its band, and the first and the last year."""
    word, scale = run.words, money_scale(run.words) if name.startswith("cost") else 1.0
    worst = _worst_year(run, table, name)
    for k, (role, year) in enumerate({"worst": worst, "first": run.years[0], "last": run.years[-1]}.items()):
        rows = table[table["year"] == year].sort_values("value")
        if rows.empty or (year == worst and role != "worst"):
            continue
        at, more = np.concatenate([[0.0], rows["value"] / scale]), np.concatenate([[1.0], rows["p"]])
        colour = (BLUE, ORANGE, BLACK)[k]
        if role == "worst":
            low, high = (np.concatenate([[np.nan], rows[end]]) for end in ("p_low", "p_high"))
            axes.fill_between(at, low, high, step="post", color=colour, alpha=0.18, linewidth=0)
        label = word(f"chart.{role}_year", year=year)
        axes.plot(at, more, drawstyle="steps-post", color=colour, linestyle=LINES[k], label=label)
    axes.set_title(word("chart.worst_is", measure=word.term("measure", name), year=worst), fontsize=8.5)
    axes.set_xlabel(word("axis.money_year") if scale != 1.0 else word.term("unit", table["unit"].iloc[0]))
    axes.set_ylim(0, 1.02)
    axes.set_xlim(left=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.xaxis.set_major_formatter(with_thousands)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.grid(visible=True)


def _worst_year(run: Run, table: pd.DataFrame, name: str) -> int:
    """Return the year with the largest mean; of cost, the one with the dearest replication."""
    means = run.if_there("tails.csv")
    means = means[means["measure"] == name]
    return int(means.loc[means["mean"].idxmax(), "year"] if len(means) else table.loc[table["value"].idxmax(), "year"])


def equity(run: Run) -> Figure | None:
    """Draw for each group of pupils days harmed, minutes to school and long journeys; a line stands for all pupils."""
    if run.if_there("equity.csv").empty:
        return None
    table = shown_groups(run)
    table = table[table["measure"].isin(DRAWN)]
    if table.empty:
        return None
    word, groups = run.words, table.drop_duplicates(["by", "group"])[["by", "group"]].iloc[::-1]
    labels = [group_name(word, by, name) for by, name in groups.to_numpy()]
    at = _apart(groups["by"].tolist())
    figure, axes = canvas(0.9 + 0.2 * len(labels), 1, len(DRAWN), sharey=True)
    keys = pd.MultiIndex.from_frame(groups)
    for part, measure in zip(axes, DRAWN, strict=True):
        rows = table[table["measure"] == measure].set_index(["by", "group"]).reindex(keys)
        mean, low, high = (rows[f"value_{end}"].to_numpy() for end in ("mean", "low", "high"))
        all_ = (rows["value_mean"] - rows["gap_mean"]).mean()
        error = np.nan_to_num(np.abs(np.array([mean - low, high - mean])))
        part.axvline(all_, color=GREY, linestyle=LINES[1], linewidth=1.2, label=word("chart.all_pupils"))
        part.errorbar(mean, at, xerr=error, fmt="o", color=BLUE, markersize=4.5, capsize=2.5, elinewidth=1)
        part.set_xlabel(word(f"axis.rate_{measure}"))
        part.set_xlim(left=0)
        if measure in PERCENT:
            part.xaxis.set_major_formatter(PercentFormatter(1.0))
        part.xaxis.grid(visible=True)
        part.tick_params(axis="y", length=0)
    axes[0].set_yticks(at, labels)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right")
    return figure


def _apart(kinds: list[str]) -> np.ndarray:
    """Return where rows stand, with room between those of another kind."""
    breaks = np.cumsum([k > 0 and kind != kinds[k - 1] for k, kind in enumerate(kinds)])
    return np.arange(len(kinds)) + 0.6 * breaks


def stranded(run: Run) -> Figure | None:
    """Draw over the years which share of beds, class places, canteen seats and buses is never asked for."""
    table = run.if_there("stranded.csv")
    if table.empty:
        return None
    whole = table[table["site_id"] == COUNTY]
    names = [
        name for name in dict.fromkeys(whole["resource"]) if whole.loc[whole["resource"] == name, "idle_mean"].any()
    ]
    if not names:
        return None
    word = run.words
    figure, axes = canvas(3.0)
    for k, name in enumerate(names):
        rows = whole[whole["resource"] == name].sort_values("year")
        share, low, high = (rows[f"idle_{end}"] / rows["capacity"] for end in ("mean", "low", "high"))
        error = np.nan_to_num(np.array([share - low, high - share]))
        axes.errorbar(rows["year"], share, yerr=error, color=SERIES[k], linestyle=LINES[k % len(LINES)],
                      marker="osD^v"[k % 5], markersize=4, capsize=2, elinewidth=1,
                      label=word.term("resource", name))  # fmt: skip
    years_axis(axes, run.years)
    from_zero(axes)
    axes.set_ylim(0, min(axes.get_ylim()[1], 1.0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(word("axis.year"))
    axes.set_ylabel(word("axis.idle_share"))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
