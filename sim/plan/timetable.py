"""When a bus run may happen: the windows that the bells leave it, and how long it keeps a bus."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sim.plan import FIRST_JUNIOR_GRADE, SERVICES, Bools, Floats, Ints, Routes, Runs
from sim.plan.course import (
    IN,
    OWN_SCHOOL,
    at_school_min,
    by_run,
    gate_loads,
    gates,
    nodes,
    own_gate,
    run_of_stop,
    stand_min,
    way_min,
)
from sim.plan.cover import Jobs
from sim.plan.morning import arrival_window

if TYPE_CHECKING:
    from sim.config import Fleet, Settings
    from sim.county import County

LODGER = SERVICES.index("lodger")


def jobs(settings: Settings, county: County, routes: Routes) -> Jobs:
    """Return all runs as jobs: a bus is busy from the start of boarding to the end of alighting.

    In: arrives within the window before the first lesson; where a school has all nine grades, before the earlier of
    its two bells, and it leaves after the later of its closings. Out: pupils board once school is over, and the
    bus leaves within `depart_latest_after_close_min`. Lodgers arrive in the `fleet.lodger_window_min`
    before `bells.lodger_monday_min` and leave in as long a time after `bells.lodger_friday_min`.
    With gates on the way a run keeps the windows of all its schools.
    """
    fleet = settings.fleet
    stand = at_school_min(fleet, gate_loads(routes)[0])
    drive = by_run(routes, routes.leg_min + stand_min(routes, fleet))
    into, (early, late) = routes.direction == IN, starts(settings, county, routes)
    stops = nodes(county, routes)
    gate = county.schools.node[routes.school]
    return Jobs(
        early=early,
        late=np.maximum(early, late),
        minutes=drive + stand,
        origin=np.where(into, stops[routes.ptr[:-1]], gate),
        goal=np.where(into, gate, stops[routes.ptr[1:] - 1]),
        seats=routes.seats.copy(),
    )


def starts(settings: Settings, county: County, routes: Routes) -> tuple[Floats, Floats]:
    """Return the earliest and latest time at which each run may start boarding, (R,) each.

    The latest is before the earliest where a run cannot keep the windows of all its schools.
    """
    early, late = _own_starts(settings, county, routes)
    on_the_way = gates(routes)
    if len(on_the_way):
        run, (first, last) = run_of_stop(routes)[on_the_way], _starts_for_gates(settings, county, routes)
        np.maximum.at(early, run, first)
        np.minimum.at(late, run, last)
    return early, late


def _own_starts(settings: Settings, county: County, routes: Routes) -> tuple[Floats, Floats]:
    """Return when each run may start boarding as far as its own school is concerned, (R,) each."""
    fleet, into = settings.fleet, routes.direction == IN
    early, late = at_school(settings, county, routes)
    drive = by_run(routes, routes.leg_min + stand_min(routes, fleet))
    stand = at_school_min(fleet, gate_loads(routes)[0])
    return np.where(into, early - drive, early), np.where(into, late - drive, late - stand)


def _starts_for_gates(settings: Settings, county: County, routes: Routes) -> tuple[Floats, Floats]:
    """Return when a run may start boarding as far as each gate on the way is concerned, in order of gates."""
    fleet, on_the_way, (own, there) = settings.fleet, gates(routes), gate_loads(routes)
    run, stand = run_of_stop(routes)[on_the_way], at_school_min(fleet, there[on_the_way])
    into, way = routes.direction[run] == IN, way_min(routes, fleet)[on_the_way]
    early, late = gate_window(settings, county, routes.to[on_the_way], into, routes.service[run] == LODGER)
    drive = by_run(routes, routes.leg_min + stand_min(routes, fleet))[run]
    after = np.where(into, drive - way, at_school_min(fleet, own)[run] + way + routes.wait_min[on_the_way])
    return early - after, np.where(into, late, late - stand) - after


def with_waits(settings: Settings, county: County, routes: Routes) -> Routes:
    """Return routes whose buses wait at gates on the way where else they would be too early for one of the schools.

    To school a bus waits when those of a school have left it, on the way home until school is over; as briefly as the
    windows of all schools of the run allow. Where they cannot all be kept the bus is late at the later ones.
    """
    on_the_way = gates(routes)
    if not len(on_the_way):
        return routes
    routes = replace(routes, wait_min=np.zeros(len(routes.hamlet)))
    own, at_gate = _own_starts(settings, county, routes), _starts_for_gates(settings, county, routes)
    wait, run = np.zeros(len(routes.hamlet)), run_of_stop(routes)[on_the_way]
    for r in np.unique(run).tolist():
        mine = run == r
        end = mine.sum() if routes.direction[r] == IN else 0
        first, last = (np.insert(one[mine], end, of[r]) for one, of in zip(at_gate, own, strict=True))
        start = np.minimum(np.minimum.accumulate(last[::-1])[::-1], first.max())
        wait[on_the_way[mine]] = np.diff(np.maximum.accumulate(np.maximum(start, first)))
    return replace(routes, wait_min=wait)


def at_school(settings: Settings, county: County, routes: Routes) -> tuple[Floats, Floats]:
    """Return the earliest and latest time of each run at its school: arrival (in), departure (out)."""
    return gate_window(settings, county, routes.school, routes.direction == IN, routes.service == LODGER)


def gate_window(settings: Settings, county: County, school: Ints, into: Bools, lodger: Bools) -> tuple[Floats, Floats]:
    """Return the earliest and latest time of buses at schools: arrival (into), else departure; (n,) each."""
    fleet, bells = settings.fleet, settings.bells
    has_junior = county.schools.last_grade[school] >= FIRST_JUNIOR_GRADE
    has_primary = county.schools.first_grade[school] < FIRST_JUNIOR_GRADE
    close = np.maximum(
        np.where(has_junior, bells.junior_close_min, 0.0), np.where(has_primary, bells.primary_close_min, 0.0)
    )
    opens, closes = arrival_window(settings, county)
    early = np.where(into, opens[school], close)
    late = np.where(into, closes[school], close + fleet.depart_latest_after_close_min)
    lodger_early = np.where(into, bells.lodger_monday_min - fleet.lodger_window_min, bells.lodger_friday_min)
    return np.where(lodger, lodger_early, early), np.where(lodger, lodger_early + fleet.lodger_window_min, late)


def clock_times(routes: Routes, fleet: Fleet, start: Floats) -> tuple[Floats, Floats]:
    """Return departure and arrival of runs that start boarding (at first stop or school) at `start`, (R,).

    In: departure from the first stop, arrival at the school. Out: departure from the school, arrival at the
    last stop.
    """
    stand = stand_min(routes, fleet)
    into = routes.direction == IN
    board = np.where(into, stand[routes.ptr[:-1]], at_school_min(fleet, gate_loads(routes)[0]))
    last = np.where(into, 0.0, stand[routes.ptr[1:] - 1])
    drive = by_run(routes, routes.leg_min + stand)
    return start + board, start + drive - last + np.where(into, 0.0, board)


def stop_times(runs: Runs, fleet: Fleet) -> tuple[Floats, Floats]:
    """Return when a bus comes to and leaves each stop or gate by the timetable, minutes after midnight, (P,) each."""
    routes = runs.routes
    if runs.come_min is not None and runs.go_min is not None:
        return runs.come_min, runs.go_min
    run = run_of_stop(routes)
    way = way_min(routes, fleet)
    into = routes.direction[run] == IN
    come = np.where(into, runs.arrive_min[run] - way, runs.depart_min[run] + way)
    return come, come + stand_min(routes, fleet)


def gate_times(runs: Runs, fleet: Fleet) -> Floats:
    """Return when the bus comes to (in) or leaves (out) the school of each stop's riders by the timetable; (P,)."""
    routes, (come, go) = runs.routes, stop_times(runs, fleet)
    run, gate = run_of_stop(routes), own_gate(routes)
    into = routes.direction[run] == IN
    at_own = np.where(into, runs.arrive_min[run], runs.depart_min[run])
    return np.where(gate == OWN_SCHOOL, at_own, np.where(into, come, go)[gate])


def planned_ride_min(runs: Runs, fleet: Fleet) -> Floats:
    """Return the minutes on the bus of the riders of each stop by the timetable, given or reckoned; (P,)."""
    come, _ = stop_times(runs, fleet)
    into = runs.routes.direction[run_of_stop(runs.routes)] == IN
    there = gate_times(runs, fleet)
    return np.where(into, there - come, come - there)
