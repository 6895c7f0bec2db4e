"""What school costs families by group: if no school closed and as planned, with aid and without it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.tell.cells import FEWEST
from sim.tell.grid import Grid, grid
from sim.tell.number import money, number, percent
from sim.tell.run import Run
from sim.tell.style import BLACK, BLUE, GREY, canvas, more_room, with_thousands

KEYS = ["moved", "level", "hardship", "mode_before", "mode_after"]
"""What tells the groups of the report apart; in family.csv they are told apart by their parents' work, too."""
MONEY = ["cost_before", "cost_after", "aid_before", "aid_after"]
REST = "rest"
"""Stands in every key of the groups that are put together because they are small."""
MOST_GROUPS = 8
FELT_YUAN = 1.0
"""A burden that rises by less is as before."""


def groups(run: Run) -> pd.DataFrame:
    """Return the groups of the last year, those whose burden rises most first; amounts are for a pupil's year.

    A public report tells groups of fewer than five pupils together as one.
    """
    table = run.if_there("family.csv")
    if table.empty:
        return table
    found = _together(table[table["year"] == run.years[-1]], KEYS)
    found = found.sort_values("rise", ascending=False, kind="stable", ignore_index=True)
    return _without_small(found) if run.public else found


def _together(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Put rows together that agree in `keys`: pupils added up, amounts as the mean over the pupils."""
    weighted = table.assign(**{name: table[name] * table["pupils"] for name in MONEY})
    sums = weighted.groupby(keys, as_index=False, sort=False)[["pupils", *MONEY]].sum()
    sums[MONEY] = sums[MONEY].div(sums["pupils"], axis=0)
    without = sums["cost_after"] - sums["cost_before"]
    return sums.assign(rise=without - sums["aid_after"] + sums["aid_before"], rise_without_aid=without)


def _without_small(found: pd.DataFrame) -> pd.DataFrame:
    """Put the smallest groups together as one, at the end: all of fewer than five pupils, and until they are five.

    A single small group takes the next smallest with it, so that nobody finds it as what is missing from a total.
    """
    if not (found["pupils"] < FEWEST).any():
        return found
    rising = found["pupils"].sort_values(kind="stable")
    count = max(int((rising < FEWEST).sum()), 2)
    while rising.head(count).sum() < FEWEST and count < len(rising):
        count += 1
    small = found.index.isin(rising.head(count).index)
    rest = _together(found[small].assign(**dict.fromkeys(KEYS, REST)), KEYS)
    return pd.concat([found[~small], rest[rest["pupils"] >= FEWEST]], ignore_index=True)


def name(run: Run, group: pd.Series) -> str:
    """Return a group in words: grades, hardship, and how they get to school before and after."""
    word = run.words
    if group["level"] == REST:
        return word("family.rest")
    parts = [word.term("level", group["level"]), *([word("family.hardship")] if group["hardship"] == "yes" else [])]
    before, after = (word.term("mode", group[f"mode_{when}"]) for when in ("before", "after"))
    ways = before if before == after else word("family.ways", before=before, after=after)
    return word("family.group", who=word.join(parts), ways=ways)


def story(run: Run) -> list[str]:
    """Return the sentences: how many pupils another school receives, for how many it costs more, and how much."""
    table = run.if_there("family.csv")
    if table.empty:
        return []
    word, last = run.words, table[table["year"] == run.years[-1]]
    moved = last[last["moved"] == "yes"]
    count = moved["pupils"].sum()
    if count < FEWEST:
        return [word("family.nobody", year=run.years[-1])]
    more = moved[moved["rise"] >= FELT_YUAN]
    said = word(
        "family.story", year=run.years[-1], moved=number(count, 0), share=percent(more["pupils"].sum() / count),
        rise=money((moved["rise"] * moved["pupils"]).sum() / count, word),
        without=money((moved["rise_without_aid"] * moved["pupils"]).sum() / count, word),
    )  # fmt: skip
    return [said, *_hardest(run)]


def _hardest(run: Run) -> list[str]:
    """Return the sentence about the group whose burden rises most."""
    found = _risen(groups(run))
    if found.empty:
        return []
    top = found.iloc[0]
    told = {when: money(top[f"cost_{when}"] - top[f"aid_{when}"], run.words) for when in ("before", "after")}
    return [run.words("family.hardest", group=name(run, top), pupils=number(top["pupils"], 0), **told)]


def _risen(found: pd.DataFrame) -> pd.DataFrame:
    """Return the groups of pupils whom another school receives whose burden rises most."""
    return found[(found["moved"] == "yes") & (found["rise"] >= FELT_YUAN)].head(MOST_GROUPS) if len(found) else found


def table(run: Run, moved_only: bool = True) -> Grid:
    """Return what a pupil's year costs each group before and after, without aid and less aid, and how it rises."""
    word, found = run.words, groups(run)
    found = _risen(found) if moved_only else found
    rows = [
        (
            name(run, row),
            *(() if moved_only else (word.term("moved", row["moved"]),)),
            number(row["pupils"], 0),
            *(number(row[cost], 0) for cost in ("cost_before", "cost_after")),
            *(number(row[f"cost_{when}"] - row[f"aid_{when}"], 0) for when in ("before", "after")),
            number(row["rise"], 0),
        )
        for _, row in found.iterrows()
    ]
    first = ("group",) if moved_only else ("group", "moved")
    names = (*first, "pupils", "before", "after", "before_aid", "after_aid", "rise")
    return grid([word(f"column.{each}") for each in names], rows, range(len(first), len(names)), wide=True)


def chart(run: Run) -> Figure | None:
    """Draw for the groups whose burden rises most what school costs them before and after, without and with aid."""
    found = _risen(groups(run)).iloc[::-1]
    if found.empty:
        return None
    word, labels = run.words, [name(run, row) for _, row in found.iterrows()]
    figure, axes = canvas(1.0 + 0.3 * len(found), 1, 2, sharex=True, sharey=True, left=more_room(labels))
    at = np.arange(len(found))
    for part, aided in zip(axes, (0, 1), strict=True):
        before, after = (found[f"cost_{when}"] - aided * found[f"aid_{when}"] for when in ("before", "after"))
        part.hlines(at, before, after, color=GREY, linewidth=1.6)
        part.plot(before, at, "o", color=BLACK, markerfacecolor="white", markersize=5.5, label=word("chart.before"))
        part.plot(after, at, "o", color=BLUE, markersize=5.5, label=word("chart.after"))
        part.set_title(word("chart.with_aid" if aided else "chart.without_aid"))
        part.set_xlabel(word("axis.yuan_pupil_year"))
        part.xaxis.grid(visible=True)
        part.xaxis.set_major_formatter(with_thousands)
        part.tick_params(axis="y", length=0)
        part.margins(x=0.08, y=0.12)
    axes[0].set_yticks(at, labels)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2, columnspacing=3)
    return figure
