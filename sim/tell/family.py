"""What school costs families: by group, before and after, and where it rises most."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sim.tell.cells import hidden, is_small
from sim.tell.number import money, number, pupils
from sim.tell.run import Run
from sim.tell.table import Grid, grid
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
    with_aid, without = (money(each[name], word) for name in ("rise", "rise_without_aid"))
    said = [word("family.moved", pupils=pupils(each["pupils"], public=run.public), rise=with_aid, without=without)]
    most = rises_most(moved, run.public)
    if most is None:
        return said
    before, after = (money(most[f"cost_{when}"] - most[f"aid_{when}"], word) for when in ("before", "after"))
    rise, count = money(most["rise"], word), pupils(most["pupils"], public=run.public)
    text = word("family.most", group=name_of(word, most), rise=rise, before=before, after=after, pupils=count)
    return [*said, text]


def family_table(run: Run, most: int = 12) -> Grid:
    """Return the groups whose cost changes in a mean year: before, after and the rise, with and without aid."""
    table = run.table("family")
    told = groups(table[table["moved"] == "yes"], run.public).head(most)
    rows = [
        [name_of(run.words, row), pupils(row["pupils"], public=run.public), *(number(row[name], 0) for name in AMOUNTS)]
        for _, row in told.iterrows()
    ]
    names = ["family_group", "pupils_of_a_year", *AMOUNTS]
    return grid([run.words(f"column.{name}") for name in names], rows, range(1, len(names)))


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
