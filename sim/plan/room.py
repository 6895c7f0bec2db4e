"""Room: what each school can hold in a year, and what a pupil takes of it: class place, bed, meal."""

from __future__ import annotations

import numpy as np

from sim.config import Settings
from sim.county import County
from sim.plan import Bools, Floats, Ints
from sim.plan.classroom import class_places
from sim.plan.lodge import added, lodging_schools
from sim.plan.way import lodge_share, may_lodge, too_long

RESOURCES = ("class_place", "bed_girls", "bed_boys", "meal")
CLASS_PLACE, BED_GIRLS, BED_BOYS, MEAL = range(len(RESOURCES))
CONDITION_OF = ("class_place", "ride_or_bed", "ride_or_bed", "meal")
"""Which condition of a closure each resource belongs to."""
TINY = 1e-6
"""Pupils, meals, minutes: differences below are rounding."""


def limits(settings: Settings, county: County, year: int) -> Floats:
    """Return how much there is of each of RESOURCES at each school; (S, 4), infinite where no table says.

    Facilities are known of the schools in facilities.csv; of others at most the classrooms (classrooms.csv, projects).
    Beds, seats and kitchens are the stock of tables and projects: what the settings of `lodge` and `dine` make of it
    is lived, not planned for, so that closures and places are the same at every number of beds or seats.
    """
    schools = county.schools
    places = class_places(county, settings, year)
    kitchen, seated = lunches(settings, county, year)
    beds = np.stack([added(county, "beds_girls", year), added(county, "beds_boys", year)], axis=1) + schools.beds
    return np.column_stack(
        [
            np.where(schools.lived | (places > 0), places, np.inf),
            beds.astype(float),
            np.where(schools.lived, np.minimum(kitchen, seated), np.inf),
        ]
    )


def lunches(settings: Settings, county: County, year: int) -> tuple[Ints, Floats]:
    """Return the meals of one lunch that each kitchen cooks, and that its seats hold in all sittings; (S,) each."""
    schools = county.schools
    kitchen = schools.kitchen_meals + added(county, "kitchen_meals", year)
    seats = schools.canteen_seats + added(county, "canteen_seats", year)
    return np.asarray(kitchen), np.asarray(seats * a_seat(settings))


def a_seat(settings: Settings) -> float:
    """Return the pupils who eat lunch on one seat."""
    return settings.dine.sitting_fill * settings.dine.sittings_most


def needs(
    settings: Settings,
    county: County,
    year: int,
    pupils: Floats,
    where: tuple[Ints, Floats, Floats],
    grade: Ints,
) -> Floats:
    """Return what groups of pupils (N, 2: girls, boys) take of each of RESOURCES at their schools; (N, 4).

    where: school, km and minutes of each group, (N,) each. A bed counts as needed only where the daily way is over
    the limit of the grade: whoever has a legal ride can do without, and beds go first to those who live farthest.
    """
    total = pupils.sum(axis=1)
    lodge = lodge_share(county, settings, *where, year, grade)
    eats = lodge + settings.dine.lunch_share * (1 - lodge)
    depends = too_long(settings, *where[1:], grade) & may_lodge(settings, grade)
    return np.column_stack([total, np.where(depends[:, None], pupils, 0.0), total * eats])


def legal(settings: Settings, county: County, year: int, where: tuple[Ints, Floats, Floats], grade: Ints) -> Bools:
    """Say for which groups the daily way is within the limit of the grade, or a dormitory open to it is there; (N,)."""
    dormitory = lodging_schools(county, settings, year)[where[0]] & may_lodge(settings, grade)
    return np.asarray(dormitory | ~too_long(settings, *where[1:], grade))
