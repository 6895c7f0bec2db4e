"""Is a school ready to close? A class place, a legal ride or a bed, and a meal for each of its pupils."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.config import Settings
from sim.county import County
from sim.plan import SCHOOL_BUS, Bools, Floats, Ints, Places, Refusal
from sim.plan.remedy import Remedy, against, beds_for, more, together
from sim.plan.room import BED_BOYS, BED_GIRLS, CLASS_PLACE, CONDITION_OF, MEAL, RESOURCES, TINY, legal, limits, needs
from sim.plan.way import journey_min, limit_min, may_lodge, owns_buses
from sim.tables.county import CONDITIONS

_CONDITION = dict(zip(RESOURCES, CONDITION_OF, strict=True)) | {"ride": "ride_or_bed", "school_size": "class_place"}
UNITS = {"class_place": "pupil", "ride": "minute", "bed": "bed", "bus": "rider", "meal": "meal"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One condition that is not met for some pupils of a school: by how much, and what helps."""

    condition: str
    shortfall: float
    unit: str
    """pupil (without a class place), minute (over the limit), bed, rider (without a bus), meal"""
    relief: str
    relief_units: float = np.nan
    """How many of the relief are needed; nan: not counted."""
    relief_items: str = ""
    """Entries of the price list and how many of each; empty: no price."""


def findings(
    county: County, settings: Settings, placed: Places, if_open: Ints, leaving: Sequence[int], required: Bools
) -> dict[int, list[Finding]]:
    """Say which conditions fail for the pupils of schools that are to close, given where they are placed.

    Its pupils are all who would go there if it stayed open, wherever they come from: if_open (H, 9), -1 for none.
    The schools are looked at in the given order, and what one takes is gone for the next: its pupils count from then
    on unless one of its required conditions fails, for then it stays open. required: (S, 3) by school and condition.
    Limits that the rule `capacity` keeps fail for the pupils whom it refused (unplaced.csv), and for nobody else.
    """
    people = placed.expected.sum(axis=2)
    mine = np.isin(if_open, leaving) & (people > TINY)
    h, g = np.nonzero(placed.school >= 0)
    s = placed.school[h, g]
    need = np.zeros((*placed.school.shape, len(RESOURCES)))
    where = s, placed.km[h, g], placed.minutes[h, g]
    need[h, g] = needs(settings, county, placed.year, placed.expected[h, g], where, g + 1)
    allowed = np.zeros(placed.school.shape, dtype=bool)
    allowed[h, g] = legal(settings, county, placed.year, where, g + 1)
    room = limits(settings, county, placed.year)
    stay = ~mine & (placed.school >= 0)
    room -= _taken(placed, need, stay, len(room))
    kept = settings.assign.keep if settings.assign.rule == "capacity" else ()
    allowed |= "ride_or_bed" in kept
    room[:, [condition in kept for condition in CONDITION_OF]] = np.inf
    told: dict[int, list[Finding]] = {}
    for school in leaving:
        pupils = mine & (if_open == school)
        gone = pupils & (placed.school < 0)
        gone[tuple(np.array(list(placed.refused), dtype=np.int64).reshape(-1, 2).T)] = False
        take = _taken(placed, need, pupils & (placed.school >= 0), len(room))
        short = np.clip(take - np.maximum(room, 0.0), 0.0, take)
        told[school] = [
            *_refusals(settings, placed, pupils),
            *_class(county, settings, placed, short, float(people[gone].sum())),
            *_no_bus(settings, placed, pupils),
            *_ride_or_bed(county, settings, placed, short, pupils & ~allowed & (placed.school >= 0)),
            *_meal(county, settings, placed, short),
        ]
        told[school].sort(key=lambda finding: not required[school, CONDITIONS.index(finding.condition)])
        if not fails(told[school], required[school]):
            room -= take
    return told


def fails(found: Sequence[Finding], required: Bools) -> bool:
    """Tell whether one of the required conditions (3,) is among those not met."""
    return any(required[CONDITIONS.index(finding.condition)] for finding in found)


def too_far(found: Sequence[Finding], required: Bools) -> bool:
    """Tell whether a required ride (of conditions (3,)) is over the limit or has no bus; no room elsewhere helps."""
    return bool(required[CONDITIONS.index("ride_or_bed")]) and any(
        each.condition == "ride_or_bed" and each.unit != UNITS["bed"] for each in found
    )


def _taken(placed: Places, need: Floats, who: Bools, schools: int) -> Floats:
    """Add up what groups (H, 9) take of each resource at each school; (S, 4)."""
    total = np.zeros((schools, len(RESOURCES)))
    np.add.at(total, placed.school[who], need[who])
    return total


def _finding(condition: str, shortfall: float, unit: str, *remedies: Remedy) -> Finding:
    help_ = together(remedies)
    return Finding(condition, shortfall, unit, help_.text, help_.units, help_.items)


def _refusals(settings: Settings, placed: Places, pupils: Bools) -> list[Finding]:
    """What stopped places within the limits for some groups (H, 9), added up by condition; minutes are the most."""
    told: dict[str, list[tuple[Refusal, Remedy]]] = {}
    for place, refusal in placed.refused.items():
        if pupils[place]:
            remedy = against(settings, refusal, float(placed.expected[place].sum()))
            told.setdefault(_CONDITION[refusal.constraint], []).append((refusal, remedy))
    found = []
    for condition in CONDITIONS:
        if those := told.get(condition):
            over = [each.shortfall for each, _ in those if each.constraint == "ride"]
            short = max(over, default=0.0) or sum(each.shortfall for each, _ in those)
            unit = UNITS["ride" if over else "bed" if condition == "ride_or_bed" else condition]
            found.append(_finding(condition, short, unit, *(remedy for _, remedy in those)))
    return found


def _class(county: County, settings: Settings, placed: Places, short: Floats, unplaced: float) -> list[Finding]:
    """Class places that are missing where the pupils go; pupils whom no school takes miss one, too."""
    lacking, remedies = _short_of(county, settings, placed, short, CLASS_PLACE)
    if unplaced > TINY:
        lacking, remedies = lacking + unplaced, [*remedies, Remedy("a school that takes them")]
    return [_finding("class_place", lacking, UNITS["class_place"], *remedies)] if remedies else []


def _meal(county: County, settings: Settings, placed: Places, short: Floats) -> list[Finding]:
    lacking, remedies = _short_of(county, settings, placed, short, MEAL)
    return [_finding("meal", lacking, UNITS["meal"], *remedies)] if remedies else []


def _short_of(
    county: County, settings: Settings, placed: Places, short: Floats, resource: int
) -> tuple[float, list[Remedy]]:
    """Return how much of a resource is missing (short: (S, 4)) in all, and what helps each school that lacks it."""
    lacking = short[:, resource]
    schools = np.flatnonzero(lacking > TINY).tolist()
    help_ = [more(settings, county, placed.year, resource, s, float(lacking[s])) for s in schools]
    return float(lacking[schools].sum()), help_


def _no_bus(settings: Settings, placed: Places, pupils: Bools) -> list[Finding]:
    """Pupils who depend on the school bus where the county has none: how many buses it has is no matter else."""
    riders = (placed.expected.sum(axis=2) * placed.share[:, :, SCHOOL_BUS])[pupils].sum()
    if owns_buses(settings) or riders <= TINY:
        return []
    return [Finding("ride_or_bed", float(riders), UNITS["bus"], "buses")]


def _ride_or_bed(county: County, settings: Settings, placed: Places, short: Floats, without: Bools) -> list[Finding]:
    """Pupils with neither a legal ride nor a bed: beds that are missing, or minutes over the limit of their grade."""
    beds = short[:, [BED_GIRLS, BED_BOYS]].sum()
    pupils = float(placed.expected[without].sum())
    if pupils <= TINY:
        relief = beds_for(beds, service=False)
        return [_finding("ride_or_bed", float(beds), UNITS["bed"], relief)] if beds > TINY else []
    over = journey_min(settings, placed.minutes) - limit_min(settings)
    service = not may_lodge(settings)[np.flatnonzero(without.any(axis=0))].all()
    relief = beds_for(pupils + beds, service)
    return [_finding("ride_or_bed", float(over[without].max()), UNITS["ride"], relief)]
