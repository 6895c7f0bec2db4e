"""Every limit that a plan of bus runs does not keep: seats, rides, windows, times, stops, buses.

Held against the limits are a planned day and the riders the plan expects, whoever made the plan. Nothing is put
right here, and nothing is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from sim.plan import Bools, Floats, Ints, Places, Runs
from sim.plan.course import at_school_min, demand_key, gate_loads, gates, most_aboard, nodes, run_of_stop
from sim.plan.given import wanted
from sim.plan.route import IN, LODGER, OUT, SCHOOL, YOUNG_GRADES, ride_limit_min
from sim.plan.stops import at_stop, daily_riders, longest_walk_min, weekly_riders
from sim.plan.timetable import gate_window, planned_ride_min, stop_times

if TYPE_CHECKING:
    from sim.config import Fleet, Settings
    from sim.county import County
    from sim.county.road import Travel

TINY = 1e-6
MINUTE, PUPIL, SEAT, PERSON = "minute", "pupil", "seat", "person"


class Violation(NamedTuple):
    """One limit that is not kept; the positions are -1 where there is none."""

    limit: str
    run: int
    school: int
    hamlet: int
    value: float
    limit_value: float
    unit: str


class Times(NamedTuple):
    """When the buses of a plan are where, minutes after midnight."""

    come: Floats
    """(P,) at each stop."""
    go: Floats
    """(P,) from each stop."""
    begin: Floats
    """(R,) a bus is at the start of the run, and boarding begins."""
    end: Floats
    """(R,) everybody has alighted."""


def violations(
    settings: Settings, county: County, travel: Travel, places: Places, runs: Runs, open_: Bools,
    rows: pd.DataFrame | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return every limit that the runs of a year do not keep: the columns of violations.csv but scenario, year, plan.

    open_: (S,), schools of the year. rows: of runs.csv, where these are the runs of the county: then the buses are
    looked at, too.
    """
    times = timing(settings.fleet, runs)
    found = [
        *_loads(runs, open_),
        *_rides(settings, county, places, runs),
        *_windows(settings, county, runs, times),
        *_handovers(settings, travel, county, runs, times),
        *_speeds(runs, times),
        *_stops(settings, county, places, runs),
    ]
    table = pd.DataFrame([_named(county, runs, one) for one in found], columns=COLUMNS)
    if rows is not None:
        table = pd.concat([table, _buses(settings.fleet, rows)], ignore_index=True)
    return table.assign(excess=(table["value"] - table["limit_value"]).abs().astype(float))


COLUMNS = ["limit", "run_id", "bus_id", "school_id", "stop_id", "value", "limit_value", "unit"]


def timing(fleet: Fleet, runs: Runs) -> Times:
    """Return when the buses of a plan are at stops, and how long each run keeps its bus."""
    routes = runs.routes
    come, go = stop_times(runs, fleet)
    stand, into = at_school_min(fleet, gate_loads(routes)[0]), routes.direction == IN
    begin = np.where(into, come[routes.ptr[:-1]], runs.depart_min - stand)
    end = np.where(into, runs.arrive_min + stand, go[routes.ptr[1:] - 1])
    return Times(come, go, begin, end)


def _named(county: County, runs: Runs, one: Violation) -> tuple[object, ...]:
    """Return a row of the table: names for positions, None for -1."""
    bus = int(runs.bus[one.run]) if one.run >= 0 else -1
    named = (runs.bus_id[bus] if runs.bus_id else f"bus-{bus + 1:03d}") if bus >= 0 else None
    run = runs.routes.run_id[one.run] if one.run >= 0 else None
    school = county.schools.id[one.school] if one.school >= 0 else None
    stop = county.hamlets.id[one.hamlet] if one.hamlet >= 0 else None
    return one.limit, run, named, school, stop, float(one.value), float(one.limit_value), one.unit


def _loads(runs: Runs, open_: Bools) -> Iterator[Violation]:
    """More pupils than seats; a run that no bus drives, or that was to a school now closed."""
    routes = runs.routes
    load = most_aboard(routes)
    for r in np.flatnonzero((load > routes.seats + TINY) & (runs.bus >= 0)).tolist():
        yield Violation("seats", r, routes.school[r], -1, load[r], routes.seats[r], PUPIL)
    for r in np.flatnonzero(runs.bus < 0).tolist():
        name = "no_bus" if open_[routes.school[r]] else "school_closed"
        yield Violation(name, r, routes.school[r], -1, load[r], 0.0, PUPIL)


def _rides(settings: Settings, county: County, places: Places, runs: Runs) -> Iterator[Violation]:
    """Rides, with the walk to the stop and on the way to school the wait, longer than the youngest rider may have."""
    fleet, routes, schools = settings.fleet, runs.routes, len(county.schools.id)
    run = run_of_stop(routes)
    into = routes.direction[run] == IN
    ride = planned_ride_min(runs, fleet)
    for service, riders in ((SCHOOL, daily_riders(places)), (LODGER, weekly_riders(settings, places))):
        there, young = at_stop(places, riders, schools), riders.copy()
        young[:, YOUNG_GRADES:] = 0.0
        walk = [longest_walk_min(settings, places, who, schools) for who in (riders, young)]
        here = (routes.service[run] == service) & (runs.bus[run] >= 0) & (routes.hamlet >= 0)
        for p in np.flatnonzero(here).tolist():
            school, hamlet = routes.to[p], routes.hamlet[p]
            grades = there[school, hamlet]
            before = fleet.walk_to_stop_min + fleet.wait_at_stop_min * bool(into[p])
            cases = []
            for is_young in {False, bool(grades[:YOUNG_GRADES].any())}:
                stand = (before + walk[is_young][school, hamlet]) * fleet.limit_includes_walk_and_wait
                own = (fleet.wait_at_stop_min + fleet.walk_to_stop_min) * fleet.limit_includes_walk_and_wait
                cases.append((ride[p] + stand, ride_limit_min(fleet, service, is_young) + own))
            value, limit = max(cases, key=lambda case: case[0] - case[1])
            if grades.any() and value > limit + TINY:
                yield Violation("ride", run[p], school, hamlet, value, limit, MINUTE)


def _windows(settings: Settings, county: County, runs: Runs, times: Times) -> Iterator[Violation]:
    """Buses at a school, also at one on the way, before its window opens or after it closes."""
    routes, on_the_way = runs.routes, gates(runs.routes)
    run = np.append(np.arange(len(routes.school)), run_of_stop(routes)[on_the_way])
    school, into = np.append(routes.school, routes.to[on_the_way]), routes.direction[run] == IN
    early, late = gate_window(settings, county, school, into, routes.service[run] == LODGER)
    come, go = np.append(runs.arrive_min, times.come[on_the_way]), np.append(runs.depart_min, times.go[on_the_way])
    there = np.where(into, come, go)
    for k in np.flatnonzero(runs.bus[run] >= 0).tolist():
        name = ("depart", "arrive")[int(into[k])]
        if there[k] < early[k] - TINY:
            yield Violation(f"{name}_early", run[k], school[k], -1, there[k], early[k], MINUTE)
        if there[k] > late[k] + TINY:
            yield Violation(f"{name}_late", run[k], school[k], -1, there[k], late[k], MINUTE)


def day_lists(runs: Runs, times: Times) -> Iterator[tuple[float, Ints]]:
    """Yield the runs of each bus on each kind of day in order of time, and how many days of the week these are.

    The first day has the lodgers' runs in, the last day those out.
    """
    routes = runs.routes
    lodger = routes.service == LODGER
    kinds = ((3.0, ~lodger), (1.0, ~lodger | (routes.direction == IN)), (1.0, ~lodger | (routes.direction == OUT)))
    for days, driven in kinds:
        mine = np.flatnonzero(driven & (runs.bus >= 0))
        mine = mine[np.lexsort((times.begin[mine], runs.bus[mine]))]
        for of_bus in np.split(mine, np.searchsorted(runs.bus[mine], range(1, len(runs.yard)))):
            yield days, of_bus


def _handovers(settings: Settings, travel: Travel, county: County, runs: Runs, times: Times) -> Iterator[Violation]:
    """Two runs of a bus one after the other with less time between them than the turnaround and the empty way take."""
    routes = runs.routes
    start, goal = ends(county, runs)
    pairs = {pair for _, mine in day_lists(runs, times) for pair in pairwise(mine.tolist())}
    for one, then in sorted(pairs):
        need = settings.fleet.turnaround_min + float(travel.minutes[goal[one], start[then]])
        there = float(times.begin[then] - times.end[one])
        if there < need - TINY:
            yield Violation("turnaround", then, routes.school[then], -1, there, need, MINUTE)


def ends(county: County, runs: Runs) -> tuple[Ints, Ints]:
    """Return the nodes where each run begins and ends; (R,) each."""
    routes = runs.routes
    stops, gate = nodes(county, routes), county.schools.node[routes.school]
    into = routes.direction == IN
    return np.where(into, stops[routes.ptr[:-1]], gate), np.where(into, gate, stops[routes.ptr[1:] - 1])


def _speeds(runs: Runs, times: Times) -> Iterator[Violation]:
    """Legs for which the timetable has less time than they take at the legal speed limit."""
    routes = runs.routes
    for r in np.flatnonzero(runs.bus >= 0).tolist():
        low, high = routes.ptr[r], routes.ptr[r + 1]
        if routes.direction[r] == IN:
            took = np.append(times.come[low + 1 : high], runs.arrive_min[r]) - times.go[low:high]
        else:
            took = times.come[low:high] - np.append(runs.depart_min[r], times.go[low : high - 1])
        for p in low + np.flatnonzero(took < routes.leg_floor_min[low:high] - TINY):
            floor = routes.leg_floor_min[p]
            yield Violation("speed", r, routes.school[r], routes.hamlet[p], took[p - low], floor, MINUTE)


def _stops(settings: Settings, county: County, places: Places, runs: Runs) -> Iterator[Violation]:
    """Stops at which nobody is expected; hamlets with riders whom no run, or not enough room, is planned for."""
    routes = runs.routes
    run, want = run_of_stop(routes), wanted(settings, places, len(county.schools.id))
    key = demand_key(routes)
    for p in np.flatnonzero(((want[key] == 0) | (routes.load <= 0)) & (routes.hamlet >= 0)).tolist():
        if runs.bus[run[p]] >= 0:
            yield Violation("empty_stop", run[p], routes.to[p], routes.hamlet[p], 0.0, 1.0, PUPIL)
    planned = np.zeros_like(want)
    np.add.at(planned, key, routes.load)  # 0 at gates
    want, planned = want[:, IN], planned.min(axis=1)  # as many want to go home as to school
    for service, school, hamlet in np.argwhere(want > planned + TINY):
        had = planned[service, school, hamlet]
        name = "too_few_places" if had > 0 else "no_stop"
        yield Violation(name, -1, school, hamlet, want[service, school, hamlet], had, PUPIL)


def _buses(fleet: Fleet, rows: pd.DataFrame) -> pd.DataFrame:
    """Return what is wrong with the buses of runs.csv: unknown sizes, no seat for attendants, more than the law allows.

    A bus has seats for its pupils, the driver, one attendant, and a second one where it is large.
    """
    buses = rows[rows["bus_id"].notna()].drop_duplicates("bus_id")
    known, found = [kind.seats for kind in fleet.kinds], []
    for bus in buses.itertuples():
        aboard = bus.seats + 2 + (bus.seats > fleet.second_attendant_above_seats)
        rated = aboard if pd.isna(bus.rated) else bus.rated
        cases = (
            ("bus_kind", bus.seats not in known, bus.seats, min(known, key=lambda seats: abs(seats - bus.seats)), SEAT),
            ("attendant_seat", aboard > rated, aboard, rated, PERSON),
            ("rated_most", rated > fleet.rated_most, rated, fleet.rated_most, PERSON),
        )
        found += [
            (name, None, bus.bus_id, None, None, *map(float, two), unit) for name, bad, *two, unit in cases if bad
        ]
    return pd.DataFrame(found, columns=COLUMNS)
