"""What would relieve a bottleneck: more of what is short, what it costs, and how much harm it avoids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sim.account.capital import annuity_factor
from sim.config import BusKind, Settings
from sim.county import County
from sim.measure.interval import mean_interval, spread_out
from sim.plan.classroom import class_size
from sim.plan.more import can_grow

COLUMNS = (
    "scenario",
    "year",
    "site_id",
    "resource",
    "units",
    "harm_avoided_mean",
    "harm_avoided_low",
    "harm_avoided_high",
    "cost_yuan",
    "order",
    "cost_yuan_per_year",
    "moves_to",
    "harm_moved_mean",
)
PLACE = ["year", "site_id", "resource"]
RELIEVED_COLUMNS = ("replication", *PLACE, "units", "at_site_id", "at_resource", "severity")


@dataclass(frozen=True, slots=True)
class Remedy:
    """One unit more of a resource: what it is called, and what there is more of."""

    text: str
    item: str
    """Its entry in the price list; empty: no price."""
    grows: str = ""
    """The resource that there is more of, where it is another one than is short."""
    crewed: bool = False
    """Whether a driver and attendants are hired for it."""


CLASSROOM = "one more classroom"
"""Costs as many class places as its school has pupils in a class."""
BUS = "bus"
"""Stands for the kind of bus that is cheapest per seat."""

REMEDIES: dict[str, Remedy] = {
    "bus": Remedy("one more bus", BUS, crewed=True),
    "spare_bus": Remedy("one more spare bus", BUS, "spare_bus", crewed=True),
    "bus_seat": Remedy("a larger bus", BUS),
    "line_bus_seat": Remedy("one more public bus, if its operator agrees", ""),
    "driver": Remedy("one more driver for a year", "driver_year"),
    "attendant": Remedy("one more attendant for a year", "attendant_year"),
    "gate_bay": Remedy("one more gate bay", ""),
    "kitchen": Remedy("a kitchen for one more meal", "kitchen_meal"),
    "window": Remedy("one more serving window", "window_place"),
    "canteen_seat": Remedy("one more canteen seat", "canteen_seat_place"),
    "bed_girls": Remedy("one more girls' bed", "bed_place"),
    "bed_boys": Remedy("one more boys' bed", "bed_place"),
    "classroom_seat": Remedy(CLASSROOM, "class_place"),
    "tap": Remedy("one more drinking tap", "tap_place"),
    "basin": Remedy("one more basin", "basin_place"),
    "toilet_girls": Remedy("one more toilet for girls", "toilet_place"),
    "toilet_boys": Remedy("one more toilet for boys", "toilet_place"),
    "shower": Remedy("one more shower", "shower_place"),
    "teacher": Remedy("one more teacher for a year", "teacher_year"),
    "life_teacher": Remedy("one more life teacher for a year", "life_teacher_year"),
    "warden": Remedy("one more warden for a year", "warden_year"),
    "canteen_worker": Remedy("one more canteen worker for a year", "canteen_worker_year"),
    "guard": Remedy("one more guard for a year", "guard_year"),
}
BY_CAUSE: dict[str, Remedy] = {
    "weather": Remedy("a plan for such days: later lessons, more beds at school", ""),
    "road": Remedy("start these runs earlier", ""),
    "breakdown": REMEDIES["spare_bus"],
}
"""Where the road or the weather is in the way, one bus in duty more is no help."""
UNKNOWN = Remedy("", "")
HALF = 0.5
"""A bottleneck is relieved when no more than this part of its harm is left."""


def with_relief(settings: Settings, county: County, bottlenecks: pd.DataFrame) -> pd.DataFrame:
    """Return bottlenecks with the relief of each, its cost, and its cost a year: all of them that depends on prices."""
    schools, sizes = county.schools.id, class_size(county, settings).tolist()
    places = dict(zip(schools, sizes, strict=True))
    cures = [
        remedy(settings, resource, cause, places.get(site, settings.dine.class_size))
        for site, resource, cause in bottlenecks[["site_id", "resource", "cause"]].itertuples(index=False)
    ]
    told = pd.DataFrame(cures, columns=["relief", "relief_cost_yuan", "relief_yuan_per_year"], index=bottlenecks.index)
    return bottlenecks.assign(**told)


def remedy(settings: Settings, resource: str, cause: str, places: int) -> tuple[str, float, float]:
    """Return the nominal relief of a resource in words, its price and its cost a year in yuan (NaN: no price is known).

    A year costs wages, and of what is bought the price spread over its life; a bus also costs its driver and
    attendants, whose wages are not in its price. `places`: pupils of a class at that school.
    """
    known = BY_CAUSE.get(cause) or REMEDIES.get(resource, UNKNOWN)
    bus = _cheapest_bus(settings)
    price = settings.prices.get(f"bus_{bus.name}" if known.item == BUS else known.item)
    if price is None:
        return known.text, np.nan, np.nan
    units = places if known.text == CLASSROOM else 1
    yearly = units * price.central
    if price.life_years is not None:
        yearly *= annuity_factor(settings, np.array(price.life_years)).item()
    if known.crewed:
        yearly += settings.prices["driver_year"].central + bus.attendants * settings.prices["attendant_year"].central
    return known.text, units * price.central, yearly


def _cheapest_bus(settings: Settings) -> BusKind:
    """Return the kind of bus that costs least per seat."""
    return min(settings.fleet.kinds, key=lambda kind: settings.prices[f"bus_{kind.name}"].central / kind.seats)


def relief(settings: Settings, bottlenecks: pd.DataFrame, relieved: pd.DataFrame) -> pd.DataFrame:
    """Return how much harm more of what is short avoids, and what it costs: the columns of relief.csv.

    relieved: the columns of relieved.parquet. Harm avoided is that of the whole county in the year lived again,
    replication by replication, so harm that moves elsewhere counts against it; `moves_to` names where most of it went.
    Ordered by harm avoided per yuan a year: purchases spread over their lives, wages as they are. What has no price
    spares nothing for its money.
    """
    if relieved.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    replications = np.unique(relieved["replication"].to_numpy())
    table, avoided = spread_out(relieved, [*PLACE, "units"], "severity", replications, 0.0)
    mean, low, high = mean_interval(avoided)
    table = table.assign(harm_avoided_mean=mean, harm_avoided_low=low, harm_avoided_high=high)
    prices, moved = bottlenecks[[*PLACE, "relief_cost_yuan", "relief_yuan_per_year"]], _moved(relieved)
    table = table.merge(prices, "left", PLACE).merge(moved, "left", [*PLACE, "units"])
    table["harm_moved_mean"] /= len(replications)
    table["cost_yuan"] = table["units"] * table["relief_cost_yuan"]
    table["cost_yuan_per_year"] = table["units"] * table["relief_yuan_per_year"]
    best = (table["harm_avoided_mean"] / table["cost_yuan_per_year"]).fillna(0.0)
    table = table.assign(best=best).sort_values(["best", *PLACE, "units"], ascending=[False, *[True] * 4])
    table = table.assign(scenario=settings.scenario, order=np.arange(len(table)) + 1)
    return table[list(COLUMNS)].reset_index(drop=True)


def relief_asked(settings: Settings) -> bool:
    """Tell whether bottlenecks are to be lived again."""
    return settings.judge.relief != "off"


def none_relieved() -> pd.DataFrame:
    """Return the columns of relieved.parquet, but for the scenario, without rows."""
    return pd.DataFrame(columns=list(RELIEVED_COLUMNS))


def _moved(relieved: pd.DataFrame) -> pd.DataFrame:
    """Return the resource at which each relief adds most harm, as `site/resource`, and how much in all replications."""
    keys, at = [*PLACE, "units"], ["at_site_id", "at_resource"]
    added = relieved.groupby([*keys, *at], as_index=False, observed=True)["severity"].sum()
    added = added[added["severity"] < 0].sort_values(["severity", *at]).drop_duplicates(keys)
    where = added["at_site_id"].astype(str) + "/" + added["at_resource"].astype(str)
    return added[keys].assign(moves_to=where, harm_moved_mean=-added["severity"])


def to_relieve(settings: Settings, bottlenecks: pd.DataFrame) -> pd.DataFrame:
    """Return the bottlenecks that are lived again, worst first, each in its worst year: year, site_id, resource, grows.

    A bottleneck is a resource at a site; the worst have the largest severity over all years. Left out is what nothing
    in the hands of the county relieves: bad weather, slow roads, full public buses.
    """
    asked = settings.judge
    worst = bottlenecks.sort_values(["severity", "year"], ascending=[False, True]).drop_duplicates(PLACE[1:])
    worst = worst.assign(grows=[grows(*row) for row in worst[["resource", "cause"]].itertuples(index=False)])
    worst = worst[worst["grows"].map(can_grow).astype(bool)]
    total = bottlenecks.groupby(PLACE[1:], as_index=False, observed=True)["severity"].sum()
    worst = worst.drop(columns="severity").merge(total, on=PLACE[1:])
    worst = worst.sort_values(["severity", *PLACE[1:]], ascending=[False, True, True])
    many = {"off": 0, "worst": asked.relief_most, "all": len(worst)}[asked.relief]
    return worst[[*PLACE, "grows"]].head(many).reset_index(drop=True)


def grows(resource: str, cause: str) -> str:
    """Return the resource that there is more of when a shortage is relieved; empty where nothing helps."""
    known = BY_CAUSE.get(cause)
    return resource if known is None else known.grows


def avoided(before: pd.DataFrame, after: pd.DataFrame, site: str, resource: str) -> pd.DataFrame:
    """Return by how much harm fell: at_site_id, at_resource, severity; where it changed, and at one resource anyway.

    before, after: harm of one year and replication, with the columns of harm.parquet.
    """
    both, own = [_by_resource(harm) for harm in (before, after)], pd.MultiIndex.from_tuples([(site, resource)])
    less = both[0].sub(both[1], fill_value=0.0)
    less = less.reindex(less.index.union(own), fill_value=0.0)
    return (
        less[(less != 0) | less.index.isin(own)]
        .rename("severity")
        .rename_axis(["at_site_id", "at_resource"])
        .reset_index()
    )


def until_half(relieved: pd.DataFrame, harm: pd.DataFrame) -> pd.DataFrame:
    """Return the steps of relief up to the first with which no more than half of the harm of a bottleneck is left.

    relieved: the columns of relieved.parquet; harm: those of harm.parquet, lived without relief. Harm is that of all
    replications.
    """
    own = relieved[(relieved["at_site_id"] == relieved["site_id"]) & (relieved["at_resource"] == relieved["resource"])]
    gone = own.groupby([*PLACE, "units"], as_index=False, observed=True)["severity"].sum()
    total = harm.astype({"site_id": object, "resource": object}).groupby(PLACE, as_index=False)["severity"].sum()
    both = gone.merge(total, on=PLACE, how="left", suffixes=("", "_before")).fillna({"severity_before": 0.0})
    halved = both[both["severity"] >= HALF * both["severity_before"]]
    last = halved.groupby(PLACE, as_index=False)["units"].min().rename(columns={"units": "last"})
    end = relieved.merge(last, on=PLACE, how="left")["last"].fillna(np.inf).to_numpy()
    return relieved[relieved["units"].to_numpy() <= end].reset_index(drop=True)


def _by_resource(harm: pd.DataFrame) -> pd.Series[float]:
    known = harm[harm["resource"].notna()].astype({"site_id": object, "resource": object})
    return known.groupby(["site_id", "resource"])["severity"].sum()
