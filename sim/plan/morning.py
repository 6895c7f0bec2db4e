"""The school buses of a whole county as one problem of duties: runs are planned so that few buses drive them all.

The afternoon is the morning backwards: each run in has its mirror out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.errors import BadInput
from sim.plan import FIRST_JUNIOR_GRADE, Bools, Floats
from sim.plan.fleet import Duty, Event, Problem, plan
from sim.units import minutes_of

if TYPE_CHECKING:
    from sim.config import Settings
    from sim.county import County
    from sim.county.road import Travel

# Weights of the search, in km driven: a minute on the road, and a seat of the bus of a duty.
KM_PER_MINUTE = 0.3
KM_PER_SEAT = 0.5
TINY = 1e-6


class Stop(NamedTuple):
    """Pupils of one school who get on at one hamlet; or, without a hamlet, the gate of the school."""

    school: int
    hamlet: int
    """-1: a gate."""
    load: int
    limit_min: float
    """Longest ride; a stop too far for it may take its direct ride and `fleet.far_detour_min` more."""


def duties(
    county: County, settings: Settings, travel: Travel, stops: list[Stop], kinds: tuple[tuple[int, int, int], ...],
    begin: Sequence[Sequence[int]] = (),
) -> list[list[list[Event]]]:  # fmt: skip
    """Return the duties of a morning: for each bus its runs, each its stops and schools in order, a school at its end.

    kinds: (position, rated, seats) of the buses that may be planned with. begin: duties from which the search begins,
    each positions of stops, and -1 - school for a visit, in order.
    """
    if not stops:
        return []
    looks = settings.fleet.search_looks * len(stops)
    found = plan(problem(county, settings, travel, stops, kinds), looks, begin=begin)
    return [_runs(duty) for duty in found.duties]


def arrival_window(settings: Settings, county: County) -> tuple[Floats, Floats]:
    """Return when buses may arrive at each school in the morning, minutes after midnight; (S,) each."""
    bells, has_junior = settings.bells, county.schools.last_grade >= FIRST_JUNIOR_GRADE
    has_primary = county.schools.first_grade < FIRST_JUNIOR_GRADE
    bell = np.minimum(
        np.where(has_junior, bells.junior_first_min, np.inf), np.where(has_primary, bells.primary_first_min, np.inf)
    )
    fleet = settings.fleet
    return bell - fleet.arrive_earliest_before_bell_min, bell - fleet.arrive_latest_before_bell_min


def apart_schools(settings: Settings, county: County) -> Bools | None:
    """Return the schools that may not share a bus: those of different groups; (S, S), None where there are no groups.

    Raises BadInput for a school that does not exist or is in two groups.
    """
    groups, ids = settings.fleet.apart, county.schools.id
    if not groups:
        return None
    named = [name for group in groups for name in group]
    unknown = sorted({name for name in named if name not in ids or named.count(name) > 1})
    if unknown:
        raise BadInput(f"fleet.apart: {', '.join(unknown)} is not the id of a school, or is in two groups")
    group = np.array([next((nr for nr, names in enumerate(groups) if one in names), -1) for one in ids])
    return np.asarray((group[:, None] != group) & (group[:, None] >= 0) & (group >= 0))


def problem(
    county: County, settings: Settings, travel: Travel, stops: list[Stop], kinds: tuple[tuple[int, int, int], ...]
) -> Problem:
    """Return the stops, schools and buses of a morning as a problem of duties."""
    fleet, gate = settings.fleet, county.schools.node
    school, hamlet, load = (np.array([stop[k] for stop in stops], dtype=np.int64) for k in range(3))
    node = county.hamlets.node[hamlet]
    dwell = np.asarray(minutes_of(1.0) * (fleet.dwell_stop_s + fleet.dwell_pupil_s * load), dtype=np.float64)
    direct, limit = travel.minutes[node, gate[school]] + dwell, np.array([stop.limit_min for stop in stops])
    opens, closes = arrival_window(settings, county)
    sizes = sorted((seats, rated) for _, rated, seats in kinds)
    return Problem(
        node=node,
        school=school,
        load=load.astype(np.float64),
        dwell_min=dwell,
        limit_min=np.where(direct > limit, direct + fleet.far_detour_min, limit) - TINY,
        unload_pupils_min=minutes_of(fleet.unload_pupil_s) * load.astype(np.float64),
        gate=gate,
        opens_min=opens,
        closes_min=np.maximum(opens, closes),
        unload_min=np.full(len(gate), minutes_of(fleet.unload_school_s) + fleet.turnaround_min),
        minutes=travel.minutes,
        price=travel.km + KM_PER_MINUTE * travel.minutes,
        seats=np.array([seats for seats, _ in sizes]),
        buses=np.full(len(sizes), -1),
        bus_price=KM_PER_SEAT * np.array([rated for _, rated in sizes]),
        yards=np.flatnonzero(county.roads.is_yard),
        mixed=fleet.mixed_loads,
        again=fleet.school_again,
        apart=apart_schools(settings, county),
    )


def _runs(duty: Duty) -> list[list[Event]]:
    """Split a duty where nobody is on board; without mixed loads that is at every school.

    A visit at which nobody alights, because those on board for the school have left at an earlier one, is left out.
    """
    runs: list[list[Event]] = [[]]
    bound_for: set[int] = set()
    for event in duty.events:
        if event.stop < 0 and event.school not in bound_for:
            continue
        runs[-1].append(event)
        if event.stop >= 0:
            bound_for.add(event.school)
            continue
        bound_for.discard(event.school)
        if not bound_for:
            runs.append([])
    return runs[:-1]
