"""Meals: what each canteen offers, how many sittings its lunch needs, who eats in which, and when it begins."""

from __future__ import annotations

import numpy as np

from sim.config import Settings
from sim.county import County
from sim.plan import GRADES, Bools, Floats, Ints, Meals
from sim.plan.lodge import added


def scaled(there: Ints, scale: float) -> Ints:
    """Multiply a stock by a scale and round half up; what exists keeps at least one unless the scale is 0."""
    least = np.where((there > 0) & (scale > 0), 1, 0)
    return np.asarray(np.maximum(np.floor(there * scale + 0.5).astype(np.int64), least))


def meals(county: County, settings: Settings, year: int, diners: Floats, open_: Bools) -> Meals:
    """Return windows, seats, meals of the kitchen and the sittings of each school in a year.

    diners: (2, S, 9) pupils by grade who are to eat lunch, and breakfast or dinner. Grades eat in order, the
    youngest first; a sitting is full when its diners pass seats x `dine.sitting_fill`. A kitchen's meals, as the
    county's table states them, are those of one mealtime, all its sittings together; of them
    `dine.kitchen_sitting_share` become ready for each sitting, and what one sitting leaves the next ones eat.
    """
    dine, schools = settings.dine, county.schools
    windows = scaled(schools.windows + added(county, "windows", year), dine.windows_scale)
    there = schools.canteen_seats + added(county, "canteen_seats", year)
    seats = scaled(there, dine.seats_scale)
    kitchen = scaled(schools.kitchen_meals + added(county, "kitchen_meals", year), dine.kitchen_scale)
    lunch, early = np.zeros((2, len(schools.id), len(GRADES)), dtype=np.int64)
    sittings = np.zeros(len(schools.id), dtype=np.int64)
    for s in np.flatnonzero(schools.lived & open_ & (there > 0)):
        for sitting, eaters in zip((lunch, early), diners, strict=True):
            sitting[s] = _grades_to_sittings(eaters[s], seats[s] * dine.sitting_fill, dine.sittings_most)
        sittings[s] = lunch[s].max() + 1
    step = dine.bell_after_min + dine.sittings_gap_min
    lunch_min = (settings.bells.lunch_min + lunch * step).astype(np.float64)
    return Meals(lunch, sittings, early, lunch_min, windows, seats, kitchen)


def _grades_to_sittings(diners: Floats, room: float, most: int) -> Ints:
    """Spread nine grades over the fewest sittings that hold them, at most so many, as evenly as grades allow."""
    total = diners.sum()
    wanted = max(1, int(np.ceil(total / room - 1e-9))) if room > 0 else 1
    wanted = min(wanted, most, max(1, int((diners > 0).sum())))
    middle = np.cumsum(diners) - diners / 2
    parts = np.floor(middle / total * wanted).astype(np.int64) if total > 0 else np.zeros(9, np.int64)
    _, even = np.unique(np.minimum(parts, wanted - 1), return_inverse=True)
    return np.asarray(even)
