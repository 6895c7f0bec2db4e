"""The duty of a bus: half days from yard to yard, and what becomes of a run that no bus drives in time."""

from __future__ import annotations

from contextlib import ExitStack
from math import inf, isfinite
from typing import TYPE_CHECKING

from sim.operate.bus import Steps, drive_on, fetch, stand_still
from sim.operate.clock import Clock
from sim.operate.diary import NO_CAUSE, ROAD, WEATHER
from sim.operate.half import NEXT, UNUSED
from sim.operate.legs import Legs
from sim.operate.pupils import IN, OUT

if TYPE_CHECKING:
    from sim.operate.day import Day, Week


def duty(env: Clock, week: Week, bus: int) -> Steps:
    """Drive the runs of one bus through the week, morning and afternoon, from the yard and back to it."""
    for day in week.by_day:
        for way in (IN, OUT):
            runs = week.duty_of(bus, day, way)
            cause = day.no_crew.get(bus, NO_CAUSE) if day.buses_run[way] else WEATHER
            if runs and cause:
                yield from stand_still(env, week, runs, day, cause)
            elif runs:
                yield from half_day(env, week, bus, day, way, runs)


def half_day(env: Clock, week: Week, bus: int, day: Day, way: int, runs: tuple[int, ...]) -> Steps:
    """Drive the runs of one bus in a morning or an afternoon, then whom others left behind, then home to the yard.

    A bus that is not home or not repaired in time from the half day before sets out late. A spare bus that takes
    over after a breakdown is kept until the end of the half day.
    """
    table, yard, legs, ready = week.timetable, week.timetable.yard[bus], day.legs[way], week.ready[bus]
    out_of_reach = [] if legs is week.dry else [run for run in runs if not _reaches(legs, yard, run)]
    for run in out_of_reach:
        env.process(stand_still(env, week, (run,), day, _why_cut(week, legs, run)))
    todo = [run for run in runs if run not in out_of_reach]
    env.todo[bus, : len(todo)] = todo
    broke_min = inf if week.repaired[bus] >= env.now else 0.0
    env.halves[bus] = (2 * day.number + way, bus, bus, 1 + bus, table.bus_seats[bus], len(todo),
                       day.repair_min[way][bus], day.break_km[way][bus], yard, max(env.now, ready), broke_min,
                       -1, 0.0, NEXT, *UNUSED)  # fmt: skip
    with ExitStack() as borrowed:
        yield from drive_on(env, week, bus, borrowed)
        half = env.halves[bus]
        if half["last"] < 0:
            return
        yield from fetch(env, week, half, frozenset().union(*(table.schools[run] for run in runs)))
        home = env.now + legs.travel.minutes.item(half["at"], yard)
        if half["spare_left"] >= 0:
            yield env.timeout(home - env.now)
            day.spare_min[half["broken_run"]] += home - half["spare_left"]
    day.empty_km[half["last"]] += legs.travel.km.item(half["at"], yard)
    day.came_home[way][bus], week.ready[bus] = home, max(home, week.ready[bus])
    if half["broken_run"] >= 0:
        week.repaired[bus] = week.ready[bus]


def _reaches(legs: Legs, yard: int, run: int) -> bool:
    """Tell whether a bus can get from its yard to any stop of a run."""
    start = legs.first.item(run)
    return start >= 0 and isfinite(legs.travel.minutes.item(yard, start))


def _why_cut(week: Week, legs: Legs, run: int) -> int:
    """Say why no bus can drive a run: none of its stops can be reached, or its bus cannot get to it."""
    first = week.timetable.stops[run][0]
    return int(legs.cut[first]) if legs.first[run] < 0 else ROAD
