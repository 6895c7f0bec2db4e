"""What would make room: for each thing that is short, the cheapest that ends the shortage, and its price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.config import Settings
from sim.county import County
from sim.plan import Refusal
from sim.plan.room import BED_BOYS, BED_GIRLS, CLASS_PLACE, MEAL, TINY, a_seat, lunches
from sim.tables.closing import KINDS

UNPRICED = float("nan")


@dataclass(frozen=True, slots=True)
class Remedy:
    """How many of what would be needed at a school, and what they cost; nan without an entry in the price list."""

    text: str
    units: float
    """nan: not counted"""
    cost_yuan: float

    def __str__(self) -> str:
        price = "" if np.isnan(self.cost_yuan) else f", {self.cost_yuan:,.0f} yuan"
        return f"{self.units:.0f} {self.text}{price}"


CLASSES, BEDS, SERVICE = "class places at the receiving school", "beds at the receiving school", "beds in service mode"
SEATS, KITCHEN = "canteen seats at the receiving school", "kitchen meals at the receiving school"


def more(settings: Settings, county: County, year: int, resource: int, school: int, short: float) -> Remedy:
    """Return the remedy where a school is short of one of `room.RESOURCES` by so many."""
    units = up(short)
    if resource == CLASS_PLACE:
        return _priced(settings, CLASSES, units, "class_place")
    if resource in (BED_GIRLS, BED_BOYS):
        return _priced(settings, BEDS, units, "bed_place")
    assert resource == MEAL
    kitchen, seated = lunches(settings, county, year)
    if kitchen[school] < seated[school]:
        return _priced(settings, KITCHEN, units, "kitchen_meal")
    return _priced(settings, SEATS, up(short / a_seat(settings)), "canteen_seat_place")


def against(settings: Settings, refusal: Refusal, pupils: float) -> Remedy:
    """Return what helps a group of so many pupils that was refused: a bed for each, or what there is too little of."""
    if refusal.constraint == "school_size":
        return Remedy(refusal.what, np.nan, refusal.cost_yuan)
    short = pupils if refusal.constraint == "ride" else refusal.shortfall
    return Remedy(refusal.what, up(short / a_seat(settings) if refusal.what == SEATS else short), refusal.cost_yuan)


def together(remedies: Sequence[Remedy]) -> Remedy:
    """Return several remedies as one: each kind once, parted by KINDS, how many in all, and what all of them cost."""
    kinds = KINDS.join(dict.fromkeys(each.text for each in remedies))
    return Remedy(kinds, sum(each.units for each in remedies), sum(each.cost_yuan for each in remedies))


def beds_for(settings: Settings, pupils: float, service: bool) -> Remedy:
    """Return beds for pupils whose way is too long, in the service mode where their grade does not lodge else."""
    return _priced(settings, SERVICE if service else BEDS, up(pupils), "bed_place")


def up(number: float) -> int:
    """Round up, but not what is over a whole number by rounding only."""
    return int(np.ceil(number - TINY))


def _priced(settings: Settings, text: str, units: int, item: str) -> Remedy:
    price = settings.prices.get(item)
    return Remedy(text, units, units * price.central if price else UNPRICED)
