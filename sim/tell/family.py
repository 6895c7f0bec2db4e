"""What school costs families: by group, before and after, and where it rises most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.tell.cells import hidden, is_small
from sim.tell.grid import Grid, grid
from sim.tell.number import money, number, pupils
from sim.tell.run import Run
from sim.tell.style import BLACK, BLUE, GREY, canvas, with_thousands
from sim.tell.words import Words

GROUPS = ("level", "hardship", "mode_before", "mode_after")
"""How pupils are grouped unless told otherwise; any of the columns that tell groups apart will do."""
AMOUNTS = ["cost_before", "cost_after", "aid_before", "aid_after", "rise", "rise_without_aid"]
OTHERS = "others"
"""Stands in every column of a group that is made of groups too small to be shown."""
_NOTHING = 0.5
"""Yuan a year; what rises by less does not rise."""


def groups(family: pd.DataFrame, public: bool, by: Sequence[str] = GROUPS) -> pd.DataFrame:
    """Return the groups of a mean year, those with the largest rise first: pupils, and what a pupil's year costs.

    family: rows of family.csv; the mean is over the years that they are from. When it is for the public, groups of
    fewer than five pupils are put together to one, with as many of the next smallest as it takes that none can be
    found from their total.
    """
    years, keys = family["year"].nunique(), list(by)
    told = _together(family, keys)
    told["pupils"] /= max(years, 1)
    told.loc[hidden(told["pupils"].tolist(), public), keys] = OTHERS
    told = _together(told, keys)
    shown = told.loc[[not (public and is_small(count)) for count in told["pupils"]]]
    return shown.sort_values(["rise", "pupils"], ascending=False, ignore_index=True)


def rises_most(family: pd.DataFrame, public: bool, by: Sequence[str] = GROUPS) -> pd.Series | None:
    """Return the group whose cost less aid rises most in a mean year; None when it rises for nobody."""
    told = groups(family, public, by)
    told = told[(told[by[0]] != OTHERS) & (told["rise"] > _NOTHING)]
    return None if told.empty else told.iloc[0]


def notes(run: Run) -> list[str]:
    """Return what closing schools costs the families whose children change school, and where it rises most."""
    word, table = run.words, run.table("family")
    moved = table[table["moved"] == "yes"]
    change = groups(moved, run.public, by=["moved"])
    if change.empty:
        return [word("family.nobody" if moved.empty else "family.few")]
    each = change.iloc[0]
    change, without = (_change(word, each[name]) for name in ("rise", "rise_without_aid"))
    said = [word("family.moved", pupils=pupils(each["pupils"], public=run.public), change=change, without=without)]
    most = rises_most(moved, run.public)
    if most is None:
        return said
    before, after = (money(most[f"cost_{when}"] - most[f"aid_{when}"], word) for when in ("before", "after"))
    rise, count = money(most["rise"], word), pupils(most["pupils"], public=run.public)
    text = word("family.most", group=name_of(word, most), rise=rise, before=before, after=after, pupils=count)
    return [*said, text]


def _change(word: Words, yuan: float) -> str:
    """Return in words by how much a year costs more or less than before."""
    if abs(yuan) < _NOTHING:
        return word("family.same")
    return word("family.more" if yuan > 0 else "family.less", yuan=money(abs(yuan), word))


def family_table(run: Run, most: int = 12) -> Grid:
    """Return the groups whose cost changes in a mean year: before, after and the rise, with and without aid."""
    table = run.table("family")
    told = groups(table[table["moved"] == "yes"], run.public).head(most)
    rows = [
        [name_of(run.words, row), pupils(row["pupils"], public=run.public), *(number(row[name], 0) for name in AMOUNTS)]
        for _, row in told.iterrows()
    ]
    names = ["family_group", "pupils_of_a_year", *AMOUNTS]
    return grid([run.words(f"column.{name}") for name in names], rows, range(1, len(names)), wide=True)


def chart(run: Run, most: int = 8) -> Figure | None:
    """Draw for the groups whose burden rises most what a school year costs before and after, without and with aid."""
    table = run.if_there("family.csv")
    if table.empty:
        return None
    told = groups(table[table["moved"] == "yes"], run.public)
    told = told[(told[GROUPS[0]] != OTHERS) & (told["rise"] > _NOTHING)].head(most).iloc[::-1]
    if told.empty:
        return None
    word, labels = run.words, [name_of(run.words, row) for _, row in told.iterrows()]
    figure, axes = canvas(1.0 + 0.27 * len(told), 1, 2, sharex=True, sharey=True)
    at = np.arange(len(told))
    for aided, part in enumerate(axes):
        before, after = (told[f"cost_{when}"] - aided * told[f"aid_{when}"] for when in ("before", "after"))
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


def name_of(word: Words, group: pd.Series, by: Sequence[str] = GROUPS) -> str:
    """Return who a group is, in words."""
    if group[by[0]] == OTHERS:
        return word("family.others")
    who = word.join([word.term(key, group[key]) for key in by if not key.startswith("mode_")])
    ways = [word.term("mode", group[key]) for key in ("mode_before", "mode_after") if key in by]
    return f"{who}{word('family.ways', ways=' → '.join(ways))}" if ways else who


def _together(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Put groups together that have the same keys: pupils add up, amounts are means over pupils."""
    weighted = table[AMOUNTS].mul(table["pupils"], axis=0)
    whole = weighted.assign(pupils=table["pupils"]).groupby([table[key] for key in keys]).sum()
    whole[AMOUNTS] = whole[AMOUNTS].div(whole["pupils"], axis=0)
    return whole.reset_index()[[*keys, "pupils", *AMOUNTS]]
