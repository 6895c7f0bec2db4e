"""When a bus run may happen: the windows that the bells leave it, and how long it keeps a bus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.plan import FIRST_JUNIOR_GRADE, Floats, Routes, Runs
from sim.plan.cover import Jobs
from sim.plan.morning import arrival_window
from sim.plan.route import IN, LODGER, dwell_min, ride_min
from sim.units import minutes_of

if TYPE_CHECKING:
    from sim.config import Fleet, Settings
    from sim.county import County


def jobs(settings: Settings, county: County, routes: Routes) -> Jobs:
    """Return all runs as jobs: a bus is busy from the start of boarding to the end of alighting.

    In: arrives within the window before the first lesson; where a school has all nine grades, before the earlier of
    its two bells, and it leaves after the later of its closings. Out: pupils board once school is over, and the
    bus leaves within `depart_latest_after_close_min`. Lodgers arrive in the `fleet.lodger_window_min`
    before `bells.lodger_monday_min` and leave in as long a time after `bells.lodger_friday_min`.
    """
    fleet = settings.fleet
    stand = at_school_min(fleet, by_run(routes, routes.load))
    drive = by_run(routes, routes.leg_min + dwell_min(fleet, routes.load))
    into, (early, late) = routes.direction == IN, at_school(settings, county, routes)
    early = np.where(into, early - drive, early)
    stops = county.hamlets.node[routes.hamlet]
    gate = county.schools.node[routes.school]
    return Jobs(
        early=early,
        late=np.maximum(early, np.where(into, late - drive, late - stand)),
        minutes=drive + stand,
        origin=np.where(into, stops[routes.ptr[:-1]], gate),
        goal=np.where(into, gate, stops[routes.ptr[1:] - 1]),
        seats=routes.seats.copy(),
    )


def at_school(settings: Settings, county: County, routes: Routes) -> tuple[Floats, Floats]:
    """Return the earliest and latest time of each run at its school: arrival (in), departure (out)."""
    fleet, bells = settings.fleet, settings.bells
    has_junior = county.schools.last_grade[routes.school] >= FIRST_JUNIOR_GRADE
    has_primary = county.schools.first_grade[routes.school] < FIRST_JUNIOR_GRADE
    into, lodger = routes.direction == IN, routes.service == LODGER
    close = np.maximum(
        np.where(has_junior, bells.junior_close_min, 0.0), np.where(has_primary, bells.primary_close_min, 0.0)
    )
    opens, closes = arrival_window(settings, county)
    early = np.where(into, opens[routes.school], close)
    late = np.where(into, closes[routes.school], close + fleet.depart_latest_after_close_min)
    lodger_early = np.where(into, bells.lodger_monday_min - fleet.lodger_window_min, bells.lodger_friday_min)
    return np.where(lodger, lodger_early, early), np.where(lodger, lodger_early + fleet.lodger_window_min, late)


def clock_times(routes: Routes, fleet: Fleet, start: Floats) -> tuple[Floats, Floats]:
    """Return departure and arrival of runs that start boarding (at first stop or school) at `start`, (R,).

    In: departure from the first stop, arrival at the school. Out: departure from the school, arrival at the
    last stop.
    """
    dwell = dwell_min(fleet, routes.load)
    into = routes.direction == IN
    board = np.where(into, dwell[routes.ptr[:-1]], at_school_min(fleet, by_run(routes, routes.load)))
    last = np.where(into, 0.0, dwell[routes.ptr[1:] - 1])
    drive = by_run(routes, routes.leg_min + dwell)
    return start + board, start + drive - last + np.where(into, 0.0, board)


def stop_times(runs: Runs, fleet: Fleet) -> tuple[Floats, Floats]:
    """Return when a bus comes to and leaves each stop by the timetable, minutes after midnight, (P,) each."""
    routes = runs.routes
    if runs.come_min is not None and runs.go_min is not None:
        return runs.come_min, runs.go_min
    run = np.repeat(np.arange(len(routes.run_id)), np.diff(routes.ptr))
    ride = ride_min(routes, fleet)
    into = routes.direction[run] == IN
    come = np.where(into, runs.arrive_min[run] - ride, runs.depart_min[run] + ride)
    return come, come + dwell_min(fleet, routes.load)


def at_school_min(fleet: Fleet, pupils: Floats) -> Floats:
    """Return how long a bus stands at a school while so many pupils get off or on, in minutes."""
    return np.asarray((fleet.unload_school_s + fleet.unload_pupil_s * pupils) * minutes_of(1.0))


def by_run(routes: Routes, values: Floats) -> Floats:
    """Add up a value of stops by run, (R,)."""
    return np.add.reduceat(values, routes.ptr[:-1]) if len(values) else np.zeros(0)
