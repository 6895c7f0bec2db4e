"""What would make room: for each thing that is short, the help that ends the shortage, and how much of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.config import Settings
from sim.county import County
from sim.plan import Refusal
from sim.plan.room import BED_BOYS, BED_GIRLS, CLASS_PLACE, MEAL, TINY, a_seat, lunches
from sim.tables.closing import KINDS

CLASSES, BEDS, SERVICE = "class places at the receiving school", "beds at the receiving school", "beds in service mode"
SEATS, KITCHEN = "canteen seats at the receiving school", "kitchen meals at the receiving school"
ITEMS = {
    CLASSES: "class_place", BEDS: "bed_place", SERVICE: "bed_place", SEATS: "canteen_seat_place",
    KITCHEN: "kitchen_meal",
}  # fmt: skip
"""Entry of the price list for each kind of help; what is not here has no price."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """How many of what would be needed at a school."""

    text: str
    units: float = np.nan
    """nan: not counted"""

    @property
    def items(self) -> str:
        """Return entry and number as in `relief_items`; empty when it has no price."""
        return f"{ITEMS[self.text]} {self.units:.0f}" if self.text in ITEMS else ""

    def __str__(self) -> str:
        return f"{self.units:.0f} {self.text}"


@dataclass(frozen=True, slots=True)
class Help:
    """All that is needed, of one or more kinds, as it stands in tables."""

    text: str
    """Each kind once, parted by KINDS."""
    units: float
    """How many in all; nan: not counted"""
    items: str
    """Each kind's entry of the price list and how many of it, parted by KINDS; empty when one has no price."""


def more(settings: Settings, county: County, year: int, resource: int, school: int, short: float) -> Remedy:
    """Return the remedy where a school is short of one of `room.RESOURCES` by so many."""
    units = up(short)
    if resource == CLASS_PLACE:
        return Remedy(CLASSES, units)
    if resource in (BED_GIRLS, BED_BOYS):
        return Remedy(BEDS, units)
    assert resource == MEAL
    kitchen, seated = lunches(settings, county, year)
    if kitchen[school] < seated[school]:
        return Remedy(KITCHEN, units)
    return Remedy(SEATS, up(short / a_seat(settings)))


def against(settings: Settings, refusal: Refusal, pupils: float) -> Remedy:
    """Return what helps a group of so many pupils that was refused: a bed for each, or what there is too little of."""
    if refusal.constraint == "school_size":
        return Remedy(refusal.what)
    short = pupils if refusal.constraint == "ride" else refusal.shortfall
    return Remedy(refusal.what, up(short / a_seat(settings) if refusal.what == SEATS else short))


def together(remedies: Sequence[Remedy]) -> Help:
    """Return several remedies as one: each kind once, and how many of it."""
    units: dict[str, float] = {}
    for each in remedies:
        units[each.text] = units.get(each.text, 0.0) + each.units
    items = [Remedy(text, count).items for text, count in units.items()]
    return Help(KINDS.join(units), sum(units.values()), KINDS.join(items) if all(items) else "")


def beds_for(pupils: float, service: bool) -> Remedy:
    """Return beds for pupils whose way is too long, in the service mode where their grade does not lodge else."""
    return Remedy(SERVICE if service else BEDS, up(pupils))


def up(number: float) -> int:
    """Round up, but not what is over a whole number by rounding only."""
    return int(np.ceil(number - TINY))
