"""What would relieve a bottleneck: one unit more of what is short, and its price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County
from sim.plan.classroom import class_size

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
)


@dataclass(frozen=True, slots=True)
class Remedy:
    """One unit more of a resource: what it is called, and its entry in the price list (empty: no price)."""

    text: str
    item: str


CLASSROOM = "one more classroom"
"""Costs as many class places as its school has pupils in a class."""
BUS = "bus"
"""Stands for the kind of bus that is cheapest per seat."""

REMEDIES: dict[str, Remedy] = {
    "bus": Remedy("one more bus", BUS),
    "spare_bus": Remedy("one more spare bus", BUS),
    "bus_seat": Remedy("one more bus", BUS),
    "line_bus_seat": Remedy("one more bus", BUS),
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


def with_relief(settings: Settings, county: County, bottlenecks: pd.DataFrame) -> pd.DataFrame:
    """Return bottlenecks with the relief of each and its cost: all of them that depends on prices."""
    schools, sizes = county.schools.id, class_size(county, settings).tolist()
    places = dict(zip(schools, sizes, strict=True))
    cures = [
        remedy(settings, resource, cause, places.get(site, settings.dine.class_size))
        for site, resource, cause in bottlenecks[["site_id", "resource", "cause"]].itertuples(index=False)
    ]
    return bottlenecks.assign(relief=[text for text, _ in cures], relief_cost_yuan=[price for _, price in cures])


def remedy(settings: Settings, resource: str, cause: str, places: int) -> tuple[str, float]:
    """Return the nominal relief of a resource in words and its price in yuan (NaN when no price is known).

    `places`: pupils of a class at that school.
    """
    known = BY_CAUSE.get(cause) or REMEDIES.get(resource, UNKNOWN)
    item = _cheapest_bus(settings) if known.item == BUS else known.item
    price = settings.prices.get(item)
    units = places if known.text == CLASSROOM else 1
    return known.text, units * price.central if price is not None else float("nan")


def _cheapest_bus(settings: Settings) -> str:
    """Return the price list's name of the kind of bus that costs least per seat."""
    prices = {kind: settings.prices[f"bus_{kind.name}"].central for kind in settings.fleet.kinds}
    return f"bus_{min(prices, key=lambda kind: prices[kind] / kind.seats).name}"


def relief(settings: Settings, bottlenecks: pd.DataFrame) -> pd.DataFrame:
    """List one unit of relief for each bottleneck, with its cost; the harm avoided is not yet known.

    `judge.relief=off`: no rows. What has no price cannot be bought and is left out. Returns the columns of
    relief.csv; harm_avoided_* stay null until the touched days are lived again with one unit more.
    """
    if settings.judge.relief == "off" or bottlenecks.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    known = bottlenecks[bottlenecks["relief_cost_yuan"].notna()]
    table = known.rename(columns={"relief_cost_yuan": "cost_yuan", "rank": "order"})
    empty = {f"harm_avoided_{what}": np.nan for what in ("mean", "low", "high")}
    return table.assign(units=1, **empty)[list(COLUMNS)].reset_index(drop=True)
