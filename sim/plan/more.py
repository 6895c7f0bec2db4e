"""A plan with more of what is short: a window, a bed, a bus, at one school and for one year."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sim.config import Settings
from sim.county import County
from sim.county.road import Travel
from sim.plan import SEXES, Ints, YearPlan
from sim.plan.classroom import class_size
from sim.plan.course import by_run, schools_of
from sim.plan.cover import Search
from sim.plan.duty import Halves, Work, attempt, clocked, kinds_for, pairs_of, with_buses
from sim.plan.timetable import jobs

GIRLS, BOYS = range(len(SEXES))
NO_RUN = -1


class More(NamedTuple):
    """So many units more of a resource at a site."""

    site: str
    resource: str
    units: int


def with_more(settings: Settings, county: County, travel: Travel, plan: YearPlan, more: Iterable[More]) -> YearPlan:
    """Return the plan of a year with more of some resources; where pupils go and how stays as it is.

    Raises KeyError for a resource of which there is no more to be had (`can_grow`).
    """
    for site, resource, units in more:
        where = county.schools.id.index(site) if site in county.schools.id else -1
        plan = GROW[resource](settings, county, travel, plan, where, units)
    return plan


def can_grow(resource: str) -> bool:
    """Tell whether a plan can have more of a resource."""
    return resource in GROW


Grow = Callable[[Settings, County, Travel, YearPlan, int, int], YearPlan]


def _of(part: str, name: str, sex: int | None = None) -> Grow:
    """Return how one number of a part of the plan grows at a school."""

    def grow(_: Settings, __: County, ___: Travel, plan: YearPlan, school: int, units: int) -> YearPlan:
        record = getattr(plan, part)
        numbers = getattr(record, name).copy()
        numbers[school if sex is None else (school, sex)] += units
        return replace(plan, **{part: replace(record, **{name: numbers})})

    return grow


def _showers(_: Settings, __: County, ___: Travel, plan: YearPlan, school: int, units: int) -> YearPlan:
    """Give each further shower to those, girls or boys, of whom more have to share one."""
    showers = plan.fixtures.showers.copy()
    for _unit in range(units):
        showers[school, np.argmax(plan.beds.nominal[school] / np.maximum(showers[school], 1))] += 1
    return replace(plan, fixtures=replace(plan.fixtures, showers=showers))


def _classrooms(settings: Settings, county: County, _: Travel, plan: YearPlan, school: int, units: int) -> YearPlan:
    places = plan.class_places.copy()
    places[school] += units * class_size(county, settings)[school]
    return replace(plan, class_places=places)


def _gate_bays(_: Settings, county: County, __: Travel, plan: YearPlan, school: int, units: int) -> YearPlan:
    bays = np.zeros(len(county.schools.id), dtype=np.int64) + plan.more_bays
    bays[school] += units
    return replace(plan, more_bays=bays)


def _crew(drivers: int, attendants: int) -> Grow:
    def grow(_: Settings, __: County, ___: Travel, plan: YearPlan, ____: int, units: int) -> YearPlan:
        there = plan.more_crew
        return replace(plan, more_crew=(there[0] + units * drivers, there[1] + units * attendants))

    return grow


def _spare_buses(
    settings: Settings, county: County, travel: Travel, plan: YearPlan, school: int, units: int
) -> YearPlan:
    """Add spare buses with all who work on them."""
    runs = plan.runs
    runs = replace(runs, spare_buses=runs.spare_buses + units, buses_owned=runs.buses_owned + units)
    attendants = max(kind.attendants for kind in settings.fleet.kinds)
    return _crew(1, attendants)(settings, county, travel, replace(plan, runs=runs), school, units)


def _buses(settings: Settings, county: County, travel: Travel, plan: YearPlan, school: int, units: int) -> YearPlan:
    """Let so many more buses drive the runs of a school that have no bus, or are late because buses are short.

    Every other run keeps its bus and its time. Runs that carry most pupil-minutes come first; what the new buses cannot
    drive in time stays as it is.
    """
    runs, fleet = plan.runs, settings.fleet
    routes = runs.routes
    short = schools_of(routes, len(county.schools.id))[:, school] & ((runs.bus < 0) | (runs.late_min > 0))
    work = Work(jobs(settings, county, routes), pairs_of(routes, fleet), travel, Search(fleet.turnaround_min), 0.0)
    pairs = np.where(np.append(short, False)[work.pairs], work.pairs, NO_RUN)
    duties = _most(work, pairs[(pairs >= 0).any(axis=1)][::-1], units)
    bus, needs, yard = with_buses(work, duties, np.flatnonzero(county.roads.is_yard))
    driven = bus >= 0
    times = clocked(fleet, routes, work, duties, bus)
    runs = replace(
        runs,
        **{name: np.where(driven, new, getattr(runs, name)) for name, new in times.items()},
        bus=np.where(driven, bus + len(runs.yard), runs.bus),
        yard=np.append(runs.yard, yard),
        bus_kind=np.append(runs.bus_kind, kinds_for(fleet.model_copy(update={"buses": None}), needs)),
        buses_owned=runs.buses_owned + units,
        bus_id=runs.bus_id and (*runs.bus_id, *(f"more {n + 1}" for n in range(len(yard)))),
    )
    return replace(plan, runs=runs)


def _most(work: Work, pairs: Ints, buses: int) -> Halves:
    """Return the duties of so many buses that drive as many of the first pairs of runs as they can."""
    low, high, best = 0, len(pairs), attempt(work, pairs[:0], 0.0)
    while low < high:
        middle = (low + high + 1) // 2
        found = attempt(work, pairs[:middle], 0.0)
        if max(len(half.paths) for half in found) <= buses:
            low, best = middle, found
        else:
            high = middle - 1
    return best


def _bus_seats(settings: Settings, county: County, _: Travel, plan: YearPlan, school: int, units: int) -> YearPlan:
    """Exchange the buses of the fullest runs to a school for larger ones, each for the next larger kind."""
    runs, kinds = plan.runs, settings.fleet.kinds
    kind = runs.bus_kind.copy()
    calls = schools_of(runs.routes, len(county.schools.id))[:, school] & (runs.bus >= 0)
    full = by_run(runs.routes, runs.routes.load) / runs.routes.seats
    for _unit in range(units):
        for bus in dict.fromkeys(runs.bus[run] for run in np.argsort(-full, kind="stable") if calls[run]):
            larger = [n for n in range(len(kinds)) if kinds[n].seats > kinds[kind[bus]].seats]
            if larger:
                kind[bus] = min(larger, key=lambda n: kinds[n].seats)
                break
    return replace(plan, runs=replace(runs, bus_kind=kind))


GROW: dict[str, Grow] = {
    "bus": _buses,
    "bus_seat": _bus_seats,
    "spare_bus": _spare_buses,
    "driver": _crew(1, 0),
    "attendant": _crew(0, 1),
    "gate_bay": _gate_bays,
    "kitchen": _of("meals", "kitchen"),
    "window": _of("meals", "windows"),
    "canteen_seat": _of("meals", "seats"),
    "bed_girls": _of("beds", "nominal", GIRLS),
    "bed_boys": _of("beds", "nominal", BOYS),
    "tap": _of("fixtures", "taps"),
    "basin": _of("fixtures", "basins"),
    "shower": _showers,
    "toilet_girls": _of("fixtures", "toilets", GIRLS),
    "toilet_boys": _of("fixtures", "toilets", BOYS),
    "classroom_seat": _classrooms,
}
"""How the plan of a year gets more of each resource."""

COUNTY_WIDE = frozenset({"spare_bus", "driver", "attendant"})
"""Resources that all schools share."""
