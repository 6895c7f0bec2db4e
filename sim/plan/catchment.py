"""Catchments of the town's schools: drawn anew each year, so that pupils are spread within class places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sim.county.facts import TOWN_KINDS
from sim.plan import FIRST_JUNIOR_GRADE, GRADES, Bools, Floats, Ints
from sim.plan.capacity import Question
from sim.plan.classroom import class_size
from sim.plan.room import CLASS_PLACE, limits

_LEVELS = (slice(0, FIRST_JUNIOR_GRADE - 1), slice(FIRST_JUNIOR_GRADE - 1, len(GRADES)))
"""Primary and junior grades."""


def of_the_town(asked: Question, school: Ints) -> Bools:
    """Say who lives in the town and goes to one of its schools; (H, 9), school (H, 9) where everybody goes."""
    in_town = np.isin(asked.county.schools.kind, TOWN_KINDS)
    return np.asarray(asked.county.hamlets.is_town[:, None] & (school >= 0) & in_town[school])


def without(asked: Question, here: Bools, school: Ints) -> Question:
    """Return the question without some groups (H, 9), who stay at their school (H, 9)."""
    allowed = [mask & ~here[:, [g]] for g, mask in enumerate(asked.allowed)]
    return replace(asked, fixed=np.where(here, school, asked.fixed), allowed=allowed)


def catchments(asked: Question, school: Ints) -> Question:
    """Return the question who of the town goes to which of its schools, with class places as the only limit.

    school (H, 9): where everybody goes as long as no catchments are drawn; all others are to stay there. A pupil who
    goes on to the next grade changes school only for a way shorter by `assign.change_min`, or for want of a place.
    """
    hamlets, chosen, free = asked.county.hamlets, asked.settings.assign, of_the_town(asked, school)
    allowed = [mask & free[:, [g]] for g, mask in enumerate(asked.allowed)]
    last = np.where(school == hamlets.school[:, None], school, -1)
    if asked.before is not None:
        last = np.where(np.isin(GRADES, (1, FIRST_JUNIOR_GRADE)), -1, np.roll(asked.before, 1, axis=1))
    limit = {"keep": ("class_place",), "fewest_pupils": 0, "most_pupils": None}
    return replace(
        asked,
        settings=asked.settings.model_copy(update={"assign": chosen.model_copy(update=limit)}),
        pupils=_alike(asked, free, allowed),
        fixed=np.where(free, -1, school),
        allowed=allowed,
        before=last,
    )


def _alike(asked: Question, free: Bools, allowed: Sequence[Bools]) -> Floats:
    """Return the pupils (H, 9, 2), counted for less where the town lacks places of a level: its classes grow alike.

    They count as if there were a class more of them at each school, as whole hamlets do not fill one to the pupil.
    """
    places = limits(asked.settings, asked.county, asked.year)[:, CLASS_PLACE]
    a_class = class_size(asked.county, asked.settings)
    pupils = asked.pupils.copy()
    for level in _LEVELS:
        schools = np.any([mask.any(axis=0) for mask in allowed[level]], axis=0)
        come, room = asked.pupils[:, level][free[:, level]].sum(), places[schools].sum()
        if come > room:
            pupils[:, level] *= room / (come + a_class[schools].sum())
    return pupils
