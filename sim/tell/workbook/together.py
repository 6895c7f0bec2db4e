"""Which schools are told together, so that a public workbook shows no group of fewer than five pupils."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import chain

import pandas as pd

from sim.tell.cells import FEWEST
from sim.tell.run import COUNTY

TOGETHER = "together"
"""Site of the row that stands for the schools that are told together."""
KEYS = ["year", "account", "site_id"]
MOST_NUMBERS = 600_000
"""Quantities that a workbook holds at most; beyond, the schools that cost least are told together."""
PLACES = ("bed", "seat", "class place", "meal")
"""Units of what is bought for pupils who would else go without, one for each."""
PUPILS = ("pupil-year", "lodger-year", "rider-year")
"""Units that count pupils."""
DAYS = ("bed-night", "meal")
"""Units that count days of pupils: at most one for each school day."""
RIDES = ("ride",)
"""Units that count two for each school day."""
MONTHS = ("pupil-month",)
SAME_PUPILS = (
    (
        "public_funds_primary", "public_funds_junior", "small_school_floor", "floor_kept", "meal_lunch",
        "nutrition_aid",
    ),
    ("bed_night", "lodger_supplement", "meal_breakfast", "meal_dinner"),
    ("family_fare", "bus_service_reward"),
)  # fmt: skip
"""Accounts that count the same pupils: one of them would tell what another one hides."""
GAPS = ("small_school_floor", "floor_kept")
"""Accounts that count the pupils missing to a floor: they tell of those who are there."""


def no_small_group(
    counted: pd.DataFrame, pupils: pd.DataFrame, payers: Mapping[str, Set[str]], things: Set[str] = frozenset()
) -> pd.DataFrame:
    """Tell schools with small groups together; leave out accounts whose group is small in the whole county.

    `counted`: year, account, site_id and one column per replication; `pupils`: how many pupils its rows tell of, by
    replication, only the rows that do; `payers`: who pays or gets something of an account. With accounts that are
    left out go others, so that no payer's sum is that of one account alone. `things`: accounts of what is bought;
    of these the whole county's sum is told however small.
    """
    groups = _groups(list(counted.loc[pupils.index, "account"].unique()))
    apart = {group: _not_alone(counted, pupils, group) for group in groups}
    for group in groups:
        if apart[group] is None and set(group) <= things:
            apart[group] = set(counted.loc[counted["account"].isin(group), "site_id"])
    gone = _with_company(counted, [group for group in groups if apart[group] is None], groups, payers)
    rows = counted[~counted["account"].isin(gone)]
    for group, sites in apart.items():
        if sites:
            rows = merged(rows, rows["account"].isin(group) & rows["site_id"].isin(sites))
    return rows


def not_too_many(rows: pd.DataFrame, yuan: pd.Series) -> pd.DataFrame:
    """Tell the schools that cost least together when a workbook would not hold all rows; `yuan` is what rows cost."""
    most = MOST_NUMBERS // max(rows.shape[1] - len(KEYS), 1)
    if len(rows) <= most:
        return rows
    alone = rows["site_id"].isin([COUNTY, TOGETHER])
    costs = yuan.abs()[~alone].groupby(rows["site_id"]).agg(["sum", "size"]).sort_values("sum", ascending=False)
    room = most - int(alone.sum()) - len(rows.groupby(["year", "account"]))
    kept = costs.index[costs["size"].cumsum() <= room]
    return merged(rows, ~alone & ~rows["site_id"].isin(kept))


def merged(rows: pd.DataFrame, which: pd.Series) -> pd.DataFrame:
    """Add up the rows of some schools into one row for each year and account."""
    together = rows[which].assign(site_id=TOGETHER)
    summed = pd.concat([together, rows[rows["site_id"] == TOGETHER]]).groupby(KEYS, as_index=False).sum()
    return pd.concat([rows[~which & (rows["site_id"] != TOGETHER)], summed.round(6)], ignore_index=True)


def _groups(accounts: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the accounts by whom they count."""
    same = [tuple(account for account in group if account in accounts) for group in SAME_PUPILS]
    alone = [(account,) for account in accounts if account not in chain(*SAME_PUPILS)]
    return [group for group in (*same, *alone) if group]


def _not_alone(counted: pd.DataFrame, pupils: pd.DataFrame, group: Sequence[str]) -> set[str] | None:
    """Return the schools that must be told together in accounts that count the same pupils; None when that is too few.

    They are those with fewer than five pupils in any year and replication, and then the smallest others until
    there are, together, in every year and replication five pupils or none.
    """
    rows = counted[counted["account"].isin(group)]
    heads = pupils.loc[rows.index]
    small = ((heads > 0) & (heads < FEWEST)).any(axis=1)
    by_size = heads.sum(axis=1).groupby(rows["site_id"]).sum().sort_values(kind="stable").index
    sites = set(rows.loc[small, "site_id"])
    others = [site for site in by_size if site not in sites]
    place = [rows["year"], rows["account"]]
    while sites:
        sums = heads[rows["site_id"].isin(sites)].groupby(place).sum()
        if not ((sums > 0) & (sums < FEWEST)).any(axis=None):
            break
        if not others:
            return None
        sites.add(others.pop(0))
    return sites


def _with_company(
    counted: pd.DataFrame,
    gone: list[tuple[str, ...]],
    groups: Sequence[tuple[str, ...]],
    payers: Mapping[str, Set[str]],
) -> list[str]:
    """Return the accounts that are left out: those of `gone`, and the smallest others that keep them company."""
    years = counted.groupby("account")["year"].agg(set)
    sums = counted.groupby("account")[list(counted.columns.difference(KEYS))].sum().abs().sum(axis=1)
    others = sorted((group for group in groups if group not in gone), key=lambda group: sums[list(group)].sum())
    out = list(chain(*gone))

    def lonely() -> set[str]:
        cells = [(year, payer) for account in out for payer in payers[account] for year in years[account]]
        return {payer for year, payer in set(cells) if cells.count((year, payer)) == 1}

    while alone := lonely():
        company = [group for group in others if any(alone & payers[account] for account in group)]
        if not company:
            break
        others.remove(company[0])
        out += company[0]
    return out
