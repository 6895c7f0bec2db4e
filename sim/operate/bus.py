"""Buses: duties from yard to yard, gates, breakdowns, and second runs for those a bus had to leave behind.

Order of ties: buses act in the order of their number; at a gate the one that came first has the first bay. A
gate is a station: a bus that comes takes the bay that is free first, so its waiting follows from the times at
which the bays become free.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from heapq import heapreplace
from math import inf, isfinite
from typing import TYPE_CHECKING

import simpy

from sim.operate import drive
from sim.operate.diary import NO_CAUSE, ROAD, WEATHER
from sim.operate.half import Half, where

if TYPE_CHECKING:
    from sim.operate.day import Day, Week

Steps = Generator[simpy.Event, object, None]
Minutes = Generator[simpy.Event, object, float]
IN, OUT = 0, 1


def duty(env: simpy.Environment, week: Week, bus: int) -> Steps:
    """Drive the runs of one bus through the week, morning and afternoon, from the yard and back to it."""
    for day in week.by_day:
        for way in (IN, OUT):
            runs = week.duty_of(bus, day, way)
            cause = day.no_crew.get(bus, NO_CAUSE if day.buses_run[way] else WEATHER)
            if runs and cause:
                yield from stand_still(env, week, runs, day, cause)
            elif runs:
                yield from half_day(env, week, bus, day, way, runs)


def stand_still(env: simpy.Environment, week: Week, runs: tuple[int, ...], day: Day, cause: int) -> Steps:
    """Let a bus without a crew stand in its yard; whoever waits for it is told when it should have come."""
    for run in runs:
        yield env.timeout(max(day.be_there_min[run] - env.now, 0.0))
        cancel(env, week, run, day, cause)


def half_day(env: simpy.Environment, week: Week, bus: int, day: Day, way: int, runs: tuple[int, ...]) -> Steps:
    """Drive the runs of one bus in a morning or an afternoon, then whom others left behind, then home to the yard.

    A bus that is not home or not repaired in time from the half day before sets out late. A spare bus that takes
    over after a breakdown is kept until the end of the half day.
    """
    yard = at = week.timetable.yard[bus]
    free, last = max(env.now, week.repaired[bus]), -1
    half = Half(day, way, week.timetable.bus_seats[bus], day.track, day.repair_min[way][bus], day.break_km[way][bus])
    with ExitStack() as borrowed:
        for run in runs:
            start, leave, there = _set_off(week, half, run, at, free)
            if start < 0:
                _cancel_cut(env, week, run, day, half)
                continue
            yield env.timeout(leave - env.now)
            if last < 0:
                day.set_out[way][bus] = leave
            there = yield from _on_the_way(env, week, half, run, bus, (at, leave, there), borrowed)
            trip = bring if way == IN else take
            free = (yield from trip(env, week, half, run, bus, there, borrowed)) + week.turnaround_min
            at, last = half.legs.last[run], run
        if last < 0:
            return
        yield env.timeout(max(free - env.now, 0.0))
        at = yield from fetch(env, week, half, {week.timetable.school[run] for run in runs}, at)
        yield env.timeout(half.legs.travel.minutes[at, yard])
    day.empty_km[last] += half.legs.travel.km[at, yard]
    day.came_home[way][bus] = env.now
    if half.spare_left >= 0:
        day.spare_min[half.broken_run] += env.now - half.spare_left


def _set_off(week: Week, half: Half, run: int, at: int, free: float) -> tuple[int, float, float]:
    """Return the node where a run begins (-1: out of reach), when the bus leaves for it and when it is there.

    Carries over what weather and breakdown have cost so far, as far as the timetable has not made up for it.
    """
    day, travel = half.day, half.legs.travel
    start = half.legs.first[run]
    minutes = travel.minutes[at, start] if start >= 0 else inf
    if not isfinite(minutes):
        return -1, free, free
    planned = day.be_there_min[run] - minutes
    leave = max(free, planned)
    half.weather_min = min(half.weather_min, leave - planned)
    half.broke_min = min(half.broke_min, leave - planned)
    if half.legs is not week.dry:
        half.weather_min += max(minutes - week.dry.travel.minutes[at, start], 0.0) + day.slow_min[run]
    day.left_yard[run], day.empty_km[run] = leave, travel.km[at, start]
    return start, leave, leave + minutes * day.traffic[run]


def _cancel_cut(env: simpy.Environment, week: Week, run: int, day: Day, half: Half) -> None:
    """Cancel a run whose stops no bus can reach, or whose bus cannot get to it."""
    first = week.timetable.stops[run][0]
    cause = half.legs.cut[first] if half.legs.first[run] < 0 else ROAD
    cancel(env, week, run, day, int(cause))


def _on_the_way(
    env: simpy.Environment, week: Week, half: Half, run: int, bus: int, way: tuple[int, float, float],
    borrowed: ExitStack,
) -> Minutes:  # fmt: skip
    """Drive empty to the start of a run; return when the bus is there. way: node it left, when, when it is there."""
    at, leave, there = way
    km = half.day.empty_km[run]
    if half.km_left >= km:
        half.km_left -= km
        return there
    minute = leave + (there - leave) * half.km_left / km
    return there + (yield from breakdown(env, week, half, run, bus, (at, minute, 0), borrowed))


def bring(
    env: simpy.Environment, week: Week, half: Half, run: int, bus: int, there: float, borrowed: ExitStack
) -> Minutes:
    """Drive an `in` run: take pupils at the stops, wait for a bay at the gate, let them alight; return when done."""
    table, day, legs = week.timetable, half.day, half.legs
    stops, on = table.stops[run], day.embarked_in
    told = (day.road_in, day.hold, table.riders, day.ready_in, on, day.left_in, half.track)
    if half.km_left >= legs.run_km[run]:
        half.km_left -= legs.run_km[run]
        gate_min, _, behind = drive.collect(there, stops, half.seats, 0, week.dwell, *told)
    else:
        p, share = where(half.km_left, legs, stops)
        now, aboard, behind = drive.collect(there, (stops[0], p + 1), half.seats, 0, week.dwell, *told)
        minute = now - (1 - share) * day.road_in[0][p]
        now += yield from breakdown(env, week, half, run, bus, (table.stop_node[p], minute, aboard), borrowed)
        gate_min, _, more = drive.collect(now, (p + 1, stops[1]), half.seats, aboard, week.dwell, *told)
        behind += more
    yield env.timeout(gate_min - env.now)
    bays = week.bays[table.school[run]]
    bay_min = max(gate_min, bays[0])
    done = drive.unload(bay_min, stops, week.unload_min, table.riders, on, day.alighted_in)
    heapreplace(bays, done)
    _tell_gate(env, week, half, run, (gate_min, bay_min, done), behind)
    return done


def take(
    env: simpy.Environment, week: Week, half: Half, run: int, bus: int, there: float, borrowed: ExitStack
) -> Minutes:
    """Drive an `out` run: wait for a bay, let pupils embark, leave no sooner than planned, bring them home."""
    table, day, legs = week.timetable, half.day, half.legs
    stops, on, off = table.stops[run], day.embarked_out, day.alighted_out
    yield env.timeout(there - env.now)
    bays = week.bays[table.school[run]]
    bay_min = max(there, bays[0])
    close = day.friday if table.is_lodger[run] else day.close
    told = (day.road_out[1], close, table.riders, day.ready_out, on, day.left_out)
    ready, aboard, behind = drive.embark(bay_min, stops, half.seats, week.unload_min, *told)
    leave = max(ready, day.depart_min[run])
    heapreplace(bays, leave)
    _tell_gate(env, week, half, run, (there, bay_min, leave), behind)
    guardian = (day.guardian_min, week.guardian_wait_min)
    handed = (day.road_out, table.riders, guardian, on, off, day.carried_on, half.track)
    if half.km_left >= legs.run_km[run]:
        half.km_left -= legs.run_km[run]
        end, aboard = drive.deliver(leave, stops, aboard, week.dwell, *handed)
    else:
        p, share = where(half.km_left, legs, stops)
        now, aboard = drive.deliver(leave, (stops[0], p), aboard, week.dwell, *handed)
        node = table.stop_node[p - 1] if p > stops[0] else legs.first[run]
        minute = now + share * day.road_out[0][p]
        now += yield from breakdown(env, week, half, run, bus, (node, minute, aboard), borrowed)
        end, aboard = drive.deliver(now, (p, stops[1]), aboard, week.dwell, *handed)
    if aboard:
        drive.hand_over(end, stops, table.riders, off, day.carried_on)
    return end


def _tell_gate(
    env: simpy.Environment, week: Week, half: Half, run: int, times: tuple[float, float, float], behind: int
) -> None:
    """Tell of a bus at the gate; those it left behind wait for another."""
    day = half.day
    if half.is_second:
        return
    day.reached_gate[run], day.took_bay[run], day.freed_bay[run] = times
    day.run_km[run] = half.legs.run_km[run]
    day.weather_min[run], day.broke_min[run] = half.weather_min, half.broke_min
    if behind:
        leave_behind(env, week, run, day)


def breakdown(
    env: simpy.Environment, week: Week, half: Half, run: int, bus: int, place: tuple[int, float, int],
    borrowed: ExitStack,
) -> Minutes:  # fmt: skip
    """Wait at the roadside for the mechanic or for a spare bus, whichever is there first; return minutes lost.

    place: node passed last, from where the spare bus's way is reckoned; minute; pupils aboard, who change to the
    spare bus. The spare bus drives the rest of the half day; a bus breaks down once in a half day.
    """
    day, (node, minute, aboard) = half.day, place
    yield env.timeout(minute - env.now)
    day.broke_down[run], goes_on = minute, minute + half.repair_min
    half.km_left, half.broken_run = inf, run
    for spares in day.spares:
        turn = borrowed.enter_context(spares.request())
        yield turn | env.timeout(goes_on - env.now)
        there = env.now + half.legs.travel.minutes[week.timetable.spare_yard[run], node]
        if turn.triggered and there < goes_on:
            week.repaired[bus] = goes_on
            day.spare_left[run] = half.spare_left = env.now
            goes_on = there + aboard * week.transfer_min
        else:
            borrowed.close()
    day.went_on[run] = goes_on
    half.broke_min += goes_on - minute
    return goes_on - minute


def cancel(env: simpy.Environment, week: Week, run: int, day: Day, cause: int) -> None:
    """Tell that a run is not driven; whom a bus could reach waits for another one, if buses run at all."""
    table, way = week.timetable, week.timetable.direction[run]
    day.cancelled[run], day.cancel_why[run] = env.now, cause
    minute = max(env.now, day.be_there_min[run])
    cut, waits = day.road(way)[1], day.ready(way)
    drive.strand(minute, cause, table.stops[run], cut, table.riders, waits, day.on(way), day.left(way))
    if day.buses_run[way]:
        leave_behind(env, week, run, day)


def leave_behind(env: simpy.Environment, week: Week, run: int, day: Day) -> None:
    """Let those a run left behind wait for a bus of their school that is free, or a spare one, whichever is first.

    Nobody comes back for lodgers without a bed only, who were to ride where a seat is free.
    """
    if not week.has_claim(run, day):
        return
    day.stranded[week.timetable.school[run]].append(run)
    for spares in day.spares:
        env.process(spare(env, week, spares, run, day))


def fetch(
    env: simpy.Environment, week: Week, half: Half, schools: set[int], at: int
) -> Generator[simpy.Event, object, int]:
    """Drive once more for those who were left behind at the schools a bus serves; return where it is at the end."""
    day, table = half.day, week.timetable
    for school in sorted(schools):
        waiting = day.stranded[school]
        for run in [run for run in waiting if table.direction[run] == half.way]:
            start = half.legs.first[run]
            reached = start >= 0 and isfinite(half.legs.travel.minutes[at, start])
            if run in waiting and env.now <= day.latest_min[run] and reached:
                waiting.remove(run)
                yield from second(env, week, half.seats, run, day, at)
                at = half.legs.last[run]
    return at


def spare(env: simpy.Environment, week: Week, spares: simpy.Resource, run: int, day: Day) -> Steps:
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
            day.spare_left[run] = left = env.now
            yield from second(env, week, table.seats[run], run, day, yard)
            yield env.timeout(legs.travel.minutes[legs.last[run], yard])
            day.spare_min[run] += env.now - left


def second(env: simpy.Environment, week: Week, seats: int, run: int, day: Day, at: int) -> Steps:
    """Drive a run once more, from a place `at`, for those it left behind, and tell how far that was."""
    way = week.timetable.direction[run]
    half = Half(day, way, seats, week.second_track)
    travel, legs = half.legs.travel, half.legs
    day.second_left[run] = env.now
    there = env.now + travel.minutes[at, legs.first[run]]
    trip = bring if way == IN else take
    with ExitStack() as nothing:
        done = yield from trip(env, week, half, run, -1, there, nothing)
    yield env.timeout(max(done - env.now, 0.0))
    day.second_km[run] += legs.run_km[run] + travel.km[at, legs.first[run]]
