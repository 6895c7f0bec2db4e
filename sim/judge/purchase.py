"""What to buy until limits hold: how much of what, since when, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County
from sim.judge.relief import grows, remedy
from sim.measure.interval import mean_interval, spread_out
from sim.plan.classroom import class_size
from sim.plan.more import COUNTY_WIDE, More, can_grow
from sim.plan.staff import COUNTY_SITE

STUCK = 4
"""After so many doublings that helped no further, more of it is given up: eight beds make a room."""

COLUMNS = (
    "scenario",
    "order",
    "year",
    "site_id",
    "site_name",
    "resource",
    "relief",
    "units",
    "cost_yuan",
    "cost_so_far_yuan",
    "cost_yuan_per_year",
    "cost_so_far_yuan_per_year",
    "harm_avoided",
    "harm_left_mean",
    "harm_left_low",
    "harm_left_high",
)


class Place(NamedTuple):
    """What there may be more of, and where."""

    site: str
    resource: str


class Short(NamedTuple):
    """How short something is."""

    harm: float
    """Severity, in the mean over replications, of all years."""
    since: int | None
    """First year in which a limit breaks; None: none does."""


@dataclass(frozen=True, slots=True)
class Want:
    """How much is to be bought of something, as far as the search knows."""

    since: int
    """First school year in which it is needed."""
    units: int = 0
    too_few: int = 0
    """The most with which limits were seen to break."""
    enough: bool = False
    """Whether the limits were seen to hold with `units`."""
    harm: float = np.inf
    """What its shortage harmed, at the least, in any round."""
    best: int = 0
    """With how many that was."""
    stuck: int = 0
    """Rounds since then."""


Wants = Mapping[Place, Want]


def shortages(bottlenecks: pd.DataFrame) -> dict[Place, Short]:
    """Return what is short and can be bought; bottlenecks has the columns of bottlenecks.csv."""
    found: dict[Place, Short] = {}
    for row in bottlenecks[bottlenecks["relief_cost_yuan"].notna()].itertuples(index=False):
        place = place_of(row.site_id, row.resource, row.cause)
        if place:
            before = found.get(place, Short(0.0, None))
            since = before.since
            if pd.notna(row.first_year_breached):
                since = min(int(row.first_year_breached), since or int(row.first_year_breached))
            found[place] = Short(before.harm + row.severity, since)
    return found


def place_of(site: str, resource: str, cause: str) -> Place | None:
    """Return what to buy, and where, against a shortage; None where nothing can be bought."""
    what = grows(resource, cause)
    return Place(COUNTY_SITE if what in COUNTY_WIDE else site, what) if can_grow(what) else None


def more_in(wants: Wants, year: int) -> list[More]:
    """Return what there is more of in a year."""
    return [More(*place, want.units) for place, want in sorted(wants.items()) if want.units and want.since <= year]


def doubled(wants: Wants, short: Mapping[Place, Short]) -> dict[Place, Want]:
    """Return what to try next when so much is short with what was tried: twice as much where limits still break.

    What helps no further goes back to the number with which it helped most.
    """
    new = dict(wants)
    for place, told in short.items():
        if told.since is not None:
            want = new.get(place, Want(told.since))
            helped = told.harm < want.harm
            want = replace(want, since=min(want.since, told.since), enough=False, too_few=want.units)
            want = replace(want, harm=told.harm, best=want.units) if helped else replace(want, stuck=want.stuck + 1)
            new[place] = replace(want, units=max(1, 2 * want.units) if want.stuck < STUCK else want.best)
    for place, want in wants.items():
        if place not in short or short[place].since is None:
            new[place] = replace(want, enough=True)
    return new


def halved(wants: Wants) -> dict[Place, Want]:
    """Return half-way between too little and enough, where something lies between."""
    return {place: replace(want, units=_between(want)) if want.enough else want for place, want in wants.items()}


def trimmed(wants: Wants, tried: Wants, short: Mapping[Place, Short]) -> dict[Place, Want]:
    """Return what is known to be enough, or too little, once half-way was tried."""
    new = {}
    for place, want in wants.items():
        less = tried[place].units
        held = place not in short or short[place].since is None
        if less < want.units:
            want = replace(want, units=less) if held else replace(want, too_few=less)
        new[place] = want
    return new


def settled(wants: Wants) -> bool:
    """Tell whether nothing more is to be tried: limits hold, or more does not help."""
    return all(want.enough or want.stuck >= STUCK for want in wants.values())


def in_order(
    settings: Settings, county: County, wants: Wants, before: Mapping[Place, Short], after: Mapping[Place, Short]
) -> pd.DataFrame:
    """List what is bought, what spares most harm per yuan a year first: the columns of bought.parquet.

    before, after: how short everything is with nothing, and with all of it; harm spared is that of all years at the
    place where it is bought. What spares nothing there is left out.
    """
    nothing = Short(0.0, None)
    rows = [
        (want.since, *place, want.units, before.get(place, nothing).harm - after.get(place, nothing).harm)
        for place, want in sorted(wants.items())
        if want.units
    ]
    table = pd.DataFrame(rows, columns=["year", "site_id", "resource", "units", "harm_avoided"])
    table = table[table["harm_avoided"] > 0]
    worth = table["harm_avoided"] / _prices(settings, county, table)["cost_yuan_per_year"]
    table = table.assign(worth=worth).sort_values(["worth", "site_id", "resource"], ascending=[False, True, True])
    return table.assign(order=np.arange(len(table)) + 1).drop(columns="worth").reset_index(drop=True)


def purchases(settings: Settings, county: County, bought: pd.DataFrame, left: pd.DataFrame) -> pd.DataFrame:
    """Price what is bought: the columns of purchases.csv.

    bought, left: the columns of bought.parquet and harm_left.parquet.
    """
    if bought.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    prices = _prices(settings, county, bought)
    table = bought.assign(**prices, scenario=settings.scenario).sort_values("order", ignore_index=True)
    years, lived = left["year"].nunique(), left.groupby(["order", "replication"], as_index=False)["severity"].sum()
    groups, harm = spread_out(lived, ["order"], "severity", np.unique(lived["replication"]))
    told = dict(zip(("harm_left_mean", "harm_left_low", "harm_left_high"), mean_interval(harm / years), strict=True))
    table = table.merge(groups.assign(**told), "left", "order")
    names = dict(zip(county.schools.id, county.schools.name_zh, strict=True)) | {COUNTY_SITE: county.name}
    return table.assign(
        site_name=table["site_id"].map(names),
        harm_avoided=table["harm_avoided"] / years,
        cost_so_far_yuan=table["cost_yuan"].cumsum(),
        cost_so_far_yuan_per_year=table["cost_yuan_per_year"].cumsum(),
    )[list(COLUMNS)]


def _prices(settings: Settings, county: County, bought: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """Return what purchases are called, and what they cost at once and a year."""
    places = dict(zip(county.schools.id, class_size(county, settings).tolist(), strict=True))
    cures = [
        remedy(settings, resource, "", places.get(site, settings.dine.class_size))
        for site, resource in bought[["site_id", "resource"]].itertuples(index=False)
    ]
    told = pd.DataFrame(cures, columns=["relief", "cost_yuan", "cost_yuan_per_year"], index=bought.index)
    return {
        "relief": told["relief"],
        "cost_yuan": told["cost_yuan"] * bought["units"],
        "cost_yuan_per_year": told["cost_yuan_per_year"] * bought["units"],
    }


def _between(want: Want) -> int:
    return max((want.too_few + want.units + 1) // 2, 1)
