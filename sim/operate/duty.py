"""The duty of a bus: half days from yard to yard, and what becomes of a run that no bus drives in time."""

from __future__ import annotations

from contextlib import ExitStack
from math import inf, isfinite
from typing import TYPE_CHECKING

import simpy

from sim.operate.bus import IN, OUT, Steps, breakdown, bring, cancel, fetch, take
from sim.operate.diary import BREAKDOWN, BUS, NO_CAUSE, ROAD, WEATHER
from sim.operate.half import Half, Place

if TYPE_CHECKING:
    from sim.operate.day import Day, Week


def duty(env: simpy.Environment, week: Week, bus: int) -> Steps:
    """Drive the runs of one bus through the week, morning and afternoon, from the yard and back to it."""
    for day in week.by_day:
        for way in (IN, OUT):
            runs = week.duty_of(bus, day, way)
            cause = day.no_crew.get(bus, NO_CAUSE) if day.buses_run[way] else WEATHER
            if runs and cause:
                yield from stand_still(env, week, runs, day, cause)
            elif runs:
                yield from half_day(env, week, bus, day, way, runs)


def stand_still(env: simpy.Environment, week: Week, runs: tuple[int, ...], day: Day, cause: int) -> Steps:
    """Let a bus without a crew stand in its yard; whoever waits for it is told when it should have come."""
    for run in sorted(runs, key=day.be_there_min.__getitem__):
        yield env.timeout(max(day.be_there_min[run] - env.now, 0.0))
        cancel(env, week, run, day, cause)


def half_day(env: simpy.Environment, week: Week, bus: int, day: Day, way: int, runs: tuple[int, ...]) -> Steps:
    """Drive the runs of one bus in a morning or an afternoon, then whom others left behind, then home to the yard.

    A bus that is not home or not repaired in time from the half day before sets out late. A spare bus that takes
    over after a breakdown is kept until the end of the half day.
    """
    table, yard = week.timetable, week.timetable.yard[bus]
    with ExitStack() as borrowed:
        half = Half(day, way, table.bus_seats[bus], day.track, borrowed, bus, day.repair_min[way][bus],
                    day.break_km[way][bus], at=yard, free=max(env.now, week.ready[bus]),
                    broke_min=inf if week.repaired[bus] >= env.now else 0.0)  # fmt: skip
        out_of_reach = [] if half.legs is week.dry else [run for run in runs if not _reaches(half, run)]
        for run in out_of_reach:
            env.process(stand_still(env, week, (run,), day, _why_cut(week, half, run)))
        trip, last = bring if way == IN else take, -1
        for run in runs:
            if run in out_of_reach:
                continue
            if not _set_off(week, half, run):
                env.process(stand_still(env, week, (run,), day, _why_late(week, half)))
                continue
            if last < 0:  # the night is over: who slept at school is known
                yield env.timeout(half.leave - env.now)
                day.set_out[way][bus] = half.leave
            if half.km_left < half.empty_km:
                share = half.km_left / half.empty_km
                minute = half.leave + (half.there - half.leave) * share
                place = Place(half.at, half.legs.first[run], share, minute, 0)
                half.there += yield from breakdown(env, week, half, run, place)
            half.km_left -= half.empty_km
            half.free = (yield from trip(env, week, half, run)) + week.turnaround_min
            half.at, last = half.legs.last[run], run
        if last < 0:
            return
        yield env.timeout(max(half.free - env.now, 0.0))
        yield from fetch(env, week, half, frozenset().union(*(table.schools[run] for run in runs)))
        home = env.now + half.legs.travel.minutes.item(half.at, yard)
        if half.spare_left >= 0:
            yield env.timeout(home - env.now)
            day.spare_min[half.broken_run] += home - half.spare_left
    day.empty_km[last] += half.legs.travel.km.item(half.at, yard)
    day.came_home[way][bus], week.ready[bus] = home, max(home, week.ready[bus])
    if half.broken_run >= 0:
        week.repaired[bus] = week.ready[bus]


def _set_off(week: Week, half: Half, run: int) -> bool:
    """Reckon when the bus leaves for a run and when it is there; return whether that is not too late for anyone.

    Carries over what weather and breakdown have cost so far, as far as the timetable has not made up for it.
    """
    day, legs = half.day, half.legs
    start = legs.first[run]
    minutes = legs.travel.minutes.item(half.at, start)
    planned = day.be_there_min[run] - minutes
    half.leave = leave = max(half.free, planned)
    half.there = leave + max(minutes * day.traffic[run], legs.travel.floor_min.item(half.at, start))
    half.weather_min = min(half.weather_min, leave - planned)
    half.broke_min = min(half.broke_min, leave - planned)
    if leave > max(day.latest_min[run], day.depart_min[run]):
        return False
    if legs is not week.dry:
        half.weather_min += max(minutes - week.dry.travel.minutes.item(half.at, start), 0.0) + day.slow_min[run]
    half.empty_km = legs.travel.km.item(half.at, start)
    day.left_yard[run], day.empty_km[run] = leave, half.empty_km
    return True


def _reaches(half: Half, run: int) -> bool:
    """Tell whether a bus can get from its yard to any stop of a run."""
    start = half.legs.first[run]
    return start >= 0 and isfinite(half.legs.travel.minutes.item(half.at, start))


def _why_cut(week: Week, half: Half, run: int) -> int:
    """Say why no bus can drive a run: none of its stops can be reached, or its bus cannot get to it."""
    first = week.timetable.stops[run][0]
    return int(half.legs.cut[first]) if half.legs.first[run] < 0 else ROAD


def _why_late(week: Week, half: Half) -> int:
    """Say why a bus is too late for a run: it broke down, the weather, a closed road, or the timetable."""
    if half.broke_min > 0:
        return BREAKDOWN
    return BUS if half.legs is week.dry else WEATHER if half.day.sky[half.way] else ROAD
