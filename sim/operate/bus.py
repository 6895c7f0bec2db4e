"""What is unusual for a bus: breakdowns, runs that nobody drives, second runs for those a bus had to leave behind.

What is usual is driven in `traffic`.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from math import inf, isfinite
from typing import TYPE_CHECKING

import simpy

from sim.operate import drive
from sim.operate.clock import Clock
from sim.operate.diary import BREAKDOWN, BUS, ROAD, WEATHER
from sim.operate.half import BEHIND, BROKEN, FREE, START, UNUSED, WANTED, Place
from sim.operate.timetable import NO_BUS

if TYPE_CHECKING:
    from sim.operate.day import Day, Week

Steps = Generator[simpy.Event, object, None]


def drive_on(env: Clock, week: Week, row: int, borrowed: ExitStack) -> Steps:
    """Let a bus drive, and see to what is unusual on its way, until it is free.

    borrowed: gives a spare bus back at the end.
    """
    half = env.half
    while True:
        if env.drives_on(row):
            yield env.seen(row)
        day = week.by_day[half.sheet.item(row) // 2]
        stage, run = half.stage.item(row), half.run.item(row)
        if stage == FREE:
            return
        if stage == BROKEN:
            yield from breakdown(env, week, row, day, borrowed)
        elif stage == BEHIND:
            leave_behind(env, week, run, day)
        elif stage == WANTED:
            yield from fetch(env, week, row, day)
        else:
            env.process(stand_still(env, week, (run,), day, _why_late(env, week, row, day)))
        half.stage[row] = half.then[row]


def _why_late(env: Clock, week: Week, row: int, day: Day) -> int:
    """Say why a bus is too late for a run: it broke down, the weather, a closed road, or the timetable."""
    way = env.half.sheet[row] % 2
    if env.half.broke_min[row] > 0:
        return BREAKDOWN
    return BUS if day.legs[way] is week.dry else WEATHER if day.sky[way] else ROAD


def stand_still(env: Clock, week: Week, runs: tuple[int, ...], day: Day, cause: int) -> Steps:
    """Let a bus without a crew stand in its yard; whoever waits for it is told when it should have come."""
    for run in sorted(runs, key=day.be_there_min.__getitem__):
        yield env.timeout(max(day.be_there_min.item(run) - env.now, 0.0))
        cancel(env, week, run, day, cause)


def breakdown(env: Clock, week: Week, row: int, day: Day, borrowed: ExitStack) -> Steps:
    """Wait at the roadside for the mechanic or for a spare bus, whichever is there first.

    Pupils aboard change to the spare bus, which drives the rest of the half day; the broken one drives home when it
    is repaired. A bus breaks down once in a half day.
    """
    table, half = week.timetable, env.half
    run, minute, travel = half.run.item(row), half.minute.item(row), day.legs[half.sheet[row] % 2].travel
    place = Place(half.begin.item(row), half.end.item(row), half.share.item(row))
    day.broke_down[run], goes_on = minute, minute + half.repair_min.item(row)
    half.km_left[row], half.broken_run[row] = inf, run
    for spares in day.spares:
        turn = borrowed.enter_context(spares.request())
        yield turn | env.timeout(goes_on - env.now)
        away_min, km = place.way(travel, table.spare_yard[run])
        if turn.triggered and env.now + away_min < goes_on:
            home_min, home_km = place.way(travel, table.yard[row])
            week.ready[row] = goes_on + home_min
            day.spare_left[run] = half.spare_left[row] = env.now
            day.empty_km[run] += km + home_km
            goes_on = env.now + away_min + half.aboard.item(row) * week.transfer_min
        else:
            borrowed.close()
    day.went_on[run] = goes_on
    half.broke_min[row] += goes_on - minute
    half.clock[row] += goes_on - minute


def cancel(env: Clock, week: Week, run: int, day: Day, cause: int) -> None:
    """Tell that a run is not driven; whom a bus could reach waits for another one, if buses run at all.

    Nobody waits for a run that the plan had to drop.
    """
    table, way = week.timetable, week.timetable.direction[run]
    day.cancelled[run], day.cancel_why[run] = env.now, cause
    minute = max(env.now, day.be_there_min.item(run))
    cut, waits = day.road(way)[1], day.ready(way)
    drive.strand(minute, cause, table.stops[run], cut, table.riders, waits, day.on(way), day.left(way))
    if day.buses_run[way] and table.bus[run] != NO_BUS:
        leave_behind(env, week, run, day)


def leave_behind(env: Clock, week: Week, run: int, day: Day) -> None:
    """Let those a run left behind wait for a bus of their school that is free, or a spare one, whichever is first.

    Nobody comes back for lodgers without a bed only, who were to ride where a seat is free.
    """
    if not week.has_claim(run, day):
        return
    day.stranded[week.timetable.school[run]].append(run)
    week.stranded[day.number] += 1
    for spares in day.spares:
        env.process(spare(env, week, spares, run, day))


def fetch(env: Clock, week: Week, bus: int, day: Day) -> Steps:
    """Drive once more for those who were left behind at the schools a bus serves."""
    table, half, way = week.timetable, env.half, env.half.sheet.item(bus) % 2
    legs = day.legs[way]
    schools = frozenset[int]().union(*(table.schools[run] for run in week.duty_of(bus, day, way)))
    for school in sorted(schools):
        waiting = day.stranded[school]
        for run in [run for run in waiting if table.direction[run] == way and table.schools[run] <= schools]:
            start, at = legs.first[run], half.at.item(bus)
            reached = start >= 0 and isfinite(legs.travel.minutes[at, start])
            if run in waiting and env.now <= day.latest_min[run] and reached:
                waiting.remove(run)
                week.stranded[day.number] -= 1
                yield from second(env, week, half.seats.item(bus), run, day, at)
                half.at[bus] = legs.last[run]


def spare(env: Clock, week: Week, spares: simpy.Resource, run: int, day: Day) -> Steps:
    """Send a spare bus for those a run left behind, unless another bus has gone back for them before.

    In the morning no second run sets out after `fleet.second_run_latest_min`: those pupils miss the day. In the
    evening none sets out after `fleet.second_run_home_latest_min`: those pupils stay at school.
    """
    table = week.timetable
    waiting, yard, legs = day.stranded[table.school[run]], table.spare_yard[run], day.legs[table.direction[run]]
    with spares.request() as turn:
        yield turn
        if run in waiting and env.now <= day.latest_min[run] and isfinite(legs.travel.minutes[yard, legs.first[run]]):
            waiting.remove(run)
            week.stranded[day.number] -= 1
            day.spare_left[run] = left = env.now
            yield from second(env, week, table.seats[run], run, day, yard)
            yield env.timeout(legs.travel.minutes.item(legs.last[run], yard))
            day.second_km[run] += legs.travel.km[legs.last[run], yard]
            day.spare_min[run] += env.now - left


def second(env: Clock, week: Week, seats: int, run: int, day: Day, at: int) -> Steps:
    """Drive a run once more, from a place `at`, for those it left behind, and tell how far that was."""
    table = week.timetable
    way, row = table.direction[run], env.free_rows.pop()
    legs = day.legs[way]
    start = legs.first.item(run)
    day.second_left[run] = env.now
    there = env.now + legs.travel.minutes.item(at, start)
    with ExitStack() as nothing:
        env.halves[row] = (2 * day.number + way, -1, 1 + len(table.yard) + run, seats, 0, 0.0, inf, at, 0.0, 0.0,
                           run, there, START, *UNUSED)  # fmt: skip
        yield from drive_on(env, week, row, nothing)
    env.free_rows.append(row)
    day.second_km[run] += legs.run_km.item(run) + legs.travel.km.item(at, start)
