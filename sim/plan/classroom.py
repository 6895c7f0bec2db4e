"""Classes: how many pupils a school's classrooms hold, and how many teachers its classes take."""

from __future__ import annotations

import numpy as np

from sim.config import Settings
from sim.county import County
from sim.plan import FIRST_JUNIOR_GRADE, Floats, Ints
from sim.plan.lodge import added

_NOBODY = 1e-6
"""Pupils; a forecast of fewer is nobody."""


def class_size(county: County, settings: Settings) -> Ints:
    """Return the places of a classroom at each school; (S,).

    Junior schools have larger classes (建标109-2008 Art. 8: 45 primary, 50 junior); nine-year schools primary ones.
    """
    junior = county.schools.first_grade >= FIRST_JUNIOR_GRADE
    return np.where(junior, settings.dine.class_size_junior, settings.dine.class_size)


def class_places(county: County, settings: Settings, year: int) -> Ints:
    """Return how many pupils the classrooms of each school hold at the norm in a year; (S,).

    The classrooms of the county's tables and of projects, and the places that projects add. 0 where no table tells.
    """
    rooms = county.schools.classrooms + added(county, "classrooms", year)
    return np.asarray(rooms * class_size(county, settings) + added(county, "places", year))


def classes(county: County, settings: Settings, rolls: Floats) -> Ints:
    """Return the classes that the pupils of each school and grade (S, 9) make at the norm; (S,)."""
    return np.ceil(rolls / class_size(county, settings)[:, None]).sum(axis=1).astype(np.int64)


def teachers_by_class(settings: Settings, rolls: Floats) -> tuple[Floats, Floats]:
    """Return the teachers that the primary and the junior classes of each school (S, 9) take; (S,) each.

    Primary grades of at most `staff.small_class_pupils` have one teacher, and neighbours share a class, and the
    teacher, as long as they fit together; all other classes have the teachers of the norm.
    """
    norm, dine = settings.staff, settings.dine
    primary, seated = np.zeros(len(rolls)), np.zeros(len(rolls))
    if norm.teachers_per_class_primary > 0:
        for pupils in rolls[:, : FIRST_JUNIOR_GRADE - 1].T:
            there = pupils > _NOBODY
            small = there & (pupils <= norm.small_class_pupils)
            joins = small & (seated > 0) & (seated + pupils <= norm.small_class_pupils)
            large = np.ceil(pupils / dine.class_size) * norm.teachers_per_class_primary
            primary += np.select([joins, small, there], [0.0, 1.0, large], 0.0)
            seated = np.select([joins, small, there], [seated + pupils, pupils, 0.0], seated)
    junior = np.ceil(rolls[:, FIRST_JUNIOR_GRADE - 1 :] / dine.class_size_junior).sum(axis=1)
    return primary, junior * norm.teachers_per_class_junior
