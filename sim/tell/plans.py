"""The plans of a choice in tables, and a chart of what they cost and how likely their limits hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sim.tell.choose import Choice
from sim.tell.drawing import Drawing
from sim.tell.grid import Cell, Grid, grid
from sim.tell.number import money_scale, number, percent
from sim.tell.style import BLACK, BLUE, GREEN, GREY, ORANGE, RED, canvas, styled, with_thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOOKS = {
    "best": (RED, "*", 13.0),
    "indistinguishable": (BLUE, "D", 6.0),
    "near_optimal": (GREEN, "o", 6.0),
    "undecided": (ORANGE, "^", 6.5),
    "worse": (GREY, "s", 4.5),
    "infeasible": (BLACK, "x", 6.0),
    "screened_out": (BLACK, "+", 7.0),
}
"""status -> colour, marker and its size: told apart in grey, too."""
NOTHING = "–"
FOREMOST = ("best", "indistinguishable", "near_optimal", "undecided")
MOST_FOREMOST = 12


def different(choice: Choice) -> Grid:
    """Return the best plan and the clearly different ones beside it."""
    rows = choice.rows.dropna(subset=["alternative"]).sort_values("alternative")
    best = choice.rows[choice.rows["status"] == "best"] if len(rows) else rows
    cells = [
        ("" if row["status"] == "best" else str(row["alternative"]), *choice.settings(row), *_figures(choice, row))
        for _, row in pd.concat([best, rows]).iterrows()
    ]
    head = ("", *choice.notes["swept"], *_words(choice, "cost", "more", "chance_column"))
    return grid(head, cells, range(len(head) - 3, len(head)))


def foremost(choice: Choice) -> Grid:
    """Return the best plan, those beside it and the nearest, as briefly as a terminal has room for."""
    rows = choice.rows[choice.rows["status"].isin(FOREMOST) | (choice.rows.index == choice.notes["nearest"])]
    cells = [
        (
            *choice.settings(row),
            choice.words(f"choose.status.{row['status']}"),
            NOTHING if pd.isna(row["alternative"]) else str(row["alternative"]),
            *_figures(choice, row),
        )
        for _, row in rows.head(MOST_FOREMOST).iterrows()
    ]
    told = [choice.words(key) for key in ("column.rank", "choose.axis_cost", "choose.more", "choose.chance_column")]
    swept = len(choice.notes["swept"])
    return grid((*choice.notes["swept"], *_words(choice, "status"), *told), cells, range(swept + 2, swept + 5))


def all_plans(choice: Choice) -> Grid:
    """Return all plans, the best first."""
    rows = [
        (
            *choice.settings(row),
            Cell(choice.words(f"choose.status.{row['status']}"), "strong" if row["status"] == "best" else ""),
            *_figures(choice, row),
            _weakest(choice, row),
            NOTHING if pd.isna(row["stage"]) else choice.words(f"choose.stage.{row['stage']}"),
            f"{row['replications']} × {row['years']}",
        )
        for _, row in choice.rows.iterrows()
    ]
    names = ("status", "cost", "more", "chance_column", "weakest_column", "stage", "lived")
    head = (*choice.notes["swept"], *_words(choice, *names))
    swept = len(choice.notes["swept"])
    return grid(head, rows, (*range(swept + 1, swept + 4), len(head) - 1), wide=True)


def limits(choice: Choice) -> Grid:
    """Return the limits that have to hold."""
    word, rule = choice.words, choice.rule
    rows = []
    for name, limit in choice.notes["limits"].items():
        at_schools = name in rule["limits"] and rule["schools_share"] is not None
        where = word("choose.at_schools", share=percent(rule["schools_share"])) if at_schools else word("choose.county")
        measures = [word.term("measure", limit[part]) for part in ("measure", "per") if limit[part]]
        sign = "≤" if limit["sense"] == "at_most" else "≥"
        value = f"{sign}\N{NO-BREAK SPACE}{limit['value']:,g}"
        rows.append((choice.limit(name), where, " / ".join(measures), value, limit["source"]))
    return grid(
        _words(choice, *(f"limit_{part}" for part in ("name", "where", "measure", "value", "source"))), rows, (3,)
    )


def stages(choice: Choice) -> Grid:
    """Return what each stage took."""
    rows = [
        (choice.words(f"choose.stage.{stage}"), *(number(took[part], 0) for part in ("plans", "plan_years", "seconds")))
        for stage, took in choice.notes["stages"].items()
    ]
    return grid(_words(choice, "stage", "stage_plans", "plan_years", "seconds"), rows, (1, 2, 3))


def caption(choice: Choice) -> str:
    """Return what the chart shows."""
    key, left_out = (
        "choose.caption" if choice.notes["best"] else "choose.caption_none",
        len(choice.rows) - len(_drawn(choice)),
    )
    said = [choice.words(key, asked=percent(choice.rule["probability"]))]
    return choice.words.speak([*said, *([choice.words("choose.left_out", count=left_out)] if left_out else [])])


def chart(choice: Choice) -> Drawing:
    """Draw what each plan costs, more than the best where there is one, and how likely its limits hold."""
    with styled("choose"):
        figure, axes = canvas(4.2)
        axes.axvline(100 * choice.rule["probability"], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        for status, plans in _drawn(choice).groupby("status", sort=False):
            _dots(axes, choice, str(status), plans)
        axes.set_xlim(-3, 103)
        axes.set_xlabel(choice.words("choose.axis_chance"))
        axes.set_ylabel(choice.words("choose.axis_more" if choice.notes["best"] else "choose.axis_cost"))
        axes.yaxis.grid(visible=True)
        axes.yaxis.set_major_formatter(with_thousands)
        figure.legend(loc="outside lower center", ncols=4)
        return Drawing.of(figure, choice.words("choose.title"))


def _dots(axes: Axes, choice: Choice, status: str, plans: pd.DataFrame) -> None:
    """Draw the plans of one status with their intervals, and the numbers of those in the table of different ones."""
    colour, marker, size = LOOKS[status]
    what = "diff" if choice.notes["best"] else "cost"
    yuan = plans[[f"{what}_{end}" for end in ("mean", "low", "high")]].to_numpy() / money_scale(choice.words)
    share = 100 * plans[["chance", "chance_low", "chance_high"]].to_numpy()
    across, up = np.abs(share[:, 1:] - share[:, :1]).T, np.abs(np.nan_to_num(yuan[:, 1:] - yuan[:, :1])).T
    axes.errorbar(share[:, 0], yuan[:, 0], xerr=across, yerr=up, fmt="none", ecolor=colour, elinewidth=0.7, alpha=0.45)
    name = choice.words(f"choose.status.{status}")
    axes.plot(
        share[:, 0], yuan[:, 0], linestyle="none", color=colour, marker=marker, markersize=size, label=name, zorder=3
    )
    for at, value, order in zip(share[:, 0], yuan[:, 0], plans["alternative"], strict=True):
        if pd.notna(order):
            axes.annotate(str(order), (at, value), (-9, 4), textcoords="offset points", fontsize=8.5, gid="halo")


def _drawn(choice: Choice) -> pd.DataFrame:
    """Return the plans on the chart: those lived through all years, and compared with the best if there is one."""
    rows = choice.rows[(choice.rows["years"] == choice.rows["years"].max()) & choice.rows["chance"].notna()]
    return rows[rows["diff_mean"].notna()] if choice.notes["best"] else rows


def _weakest(choice: Choice, row: pd.Series) -> str:
    """Return the limit that a plan breaks most often, and in how many of the years."""
    return NOTHING if pd.isna(row["weakest"]) else f"{choice.limit(row['weakest'])} ({percent(row['weakest_broken'])})"


def _figures(choice: Choice, row: pd.Series) -> list[str]:
    """Return cost, what it is more than the best, and the chance, with their intervals."""
    more = "0" if row["status"] == "best" else _yuan(choice, row, "diff")
    ends = f"{number(100 * row['chance_low'], 0)} – {percent(row['chance_high'])}"
    return [
        _yuan(choice, row, "cost"),
        more,
        NOTHING if pd.isna(row["chance"]) else f"{percent(row['chance'])} ({ends})",
    ]


def _yuan(choice: Choice, row: pd.Series, stem: str) -> str:
    """Return a sum of money with its interval, in the unit of large sums."""
    scale, digits = money_scale(choice.words), 0 if choice.words.language == "zh" else 2
    mean, low, high = (row[f"{stem}_{end}"] / scale for end in ("mean", "low", "high"))
    if not np.isfinite(mean):
        return NOTHING
    told = number(mean, digits)
    return told if not np.isfinite(low) or low == high else f"{told} ({number(low, digits)} – {number(high, digits)})"


def _words(choice: Choice, *names: str) -> list[str]:
    return [choice.words(f"choose.{name}") for name in names]
