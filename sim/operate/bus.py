"""Buses: duties from yard to yard, gate bays, and the second run for those a bus had to leave behind.

Order of ties: buses act in the order of their number; at a gate the one that came first has the first bay.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import simpy

from sim.operate import drive
from sim.operate.drive import Track

if TYPE_CHECKING:
    from sim.operate.day import Day, Week
    from sim.operate.timetable import Legs

Steps = Generator[simpy.Event, object, None]
IN, OUT = 0, 1


def duty(env: simpy.Environment, week: Week, bus: int) -> Steps:
    """Drive the runs of one bus through the week, morning and afternoon, from the yard and back to it."""
    for day in week.by_day:
        for way in (IN, OUT):
            legs = week.duty_of(bus, day, way)
            if legs:
                yield from half_day(env, week, bus, day, way, legs)


def half_day(env: simpy.Environment, week: Week, bus: int, day: Day, way: int, legs: Legs) -> Steps:
    """Drive the runs of one bus in a morning or an afternoon, then whom they left behind, then home to the yard.

    A bus that is not home in time from the half day before sets out late.
    """
    trip, last = bring if way == IN else take, legs[-1][0]
    free, at = env.now, week.timetable.end_node[last]
    for run, km, minutes in legs:
        leave = max(free, day.be_there_min[run] - minutes)
        day.left_yard[run] = leave
        day.empty_km[run] = km
        yield from trip(env, week, run, day, leave + minutes * day.traffic[run])
        free = env.now + week.turnaround_min
    while week.stranded[bus]:
        run = week.stranded[bus].pop(0)
        if env.now <= day.latest_min[run]:
            yield from second(env, week, run, day, at)
            yield env.timeout(week.travel.minutes[week.timetable.end_node[run], at])
    home_km, home_min = week.timetable.home[last]
    yield env.timeout(home_min)
    day.empty_km[last] += home_km
    day.bus_min[bus] += env.now - day.left_yard[legs[0][0]]


def bring(env: simpy.Environment, week: Week, run: int, day: Day, there: float, track: Track | None = None) -> Steps:
    """Drive an `in` run: take pupils at the stops, wait for a bay at the gate, let them alight."""
    table = week.timetable
    stops, on, off = table.stops[run], day.embarked_in, day.alighted_in
    gate_min, left = drive.collect(
        there,
        stops,
        table.seats[run],
        week.dwell,
        day.leg_min,
        day.hold,
        table.riders,
        day.came,
        on,
        track or day.track,
    )
    yield env.timeout(gate_min - env.now)
    with week.gate[table.school[run]].request() as bay:
        yield bay
        bay_min = env.now
        done = drive.unload(bay_min, stops, week.unload_min, table.riders, on, off)
        yield env.timeout(done - bay_min)
    if track is None:
        day.reached_gate[run], day.took_bay[run], day.freed_bay[run] = gate_min, bay_min, done
        if left:
            leave_behind(env, week, run, day)


def take(env: simpy.Environment, week: Week, run: int, day: Day, there: float, track: Track | None = None) -> Steps:
    """Drive an `out` run: wait for a bay, let pupils embark, leave no sooner than planned, bring them home."""
    table = week.timetable
    stops, on, off = table.stops[run], day.embarked_out, day.alighted_out
    yield env.timeout(there - env.now)
    with week.gate[table.school[run]].request() as bay:
        yield bay
        bay_min = env.now
        ready, aboard, left = drive.embark(
            max(bay_min, day.close_min[run]), stops, table.seats[run], week.unload_min, table.riders, day.attended, on
        )
        leave = max(ready, day.depart_min[run])
        yield env.timeout(leave - bay_min)
    if track is None:
        day.reached_gate[run], day.took_bay[run], day.freed_bay[run] = there, bay_min, leave
        if left:
            leave_behind(env, week, run, day)
    end = drive.deliver(leave, stops, aboard, week.dwell, day.leg_min, table.riders, on, off, track or day.track)
    yield env.timeout(end - env.now)


def leave_behind(env: simpy.Environment, week: Week, run: int, day: Day) -> None:
    """Let those a run left behind wait for its own bus when it is free, or a spare bus, whichever is first.

    Nobody comes back for lodgers without a bed only, who were to ride where a seat is free.
    """
    if not week.has_claim(run, day):
        return
    week.stranded[week.timetable.bus[run]].append(run)
    for spares in week.spares:
        env.process(spare(env, week, spares, run, day))


def spare(env: simpy.Environment, week: Week, spares: simpy.Resource, run: int, day: Day) -> Steps:
    """Send a spare bus for those a run left behind, unless the run's own bus has gone back for them before.

    In the morning no second run sets out after `fleet.second_run_latest_min`: those pupils miss the day.
    """
    waiting, yard = week.stranded[week.timetable.bus[run]], week.timetable.spare_yard[run]
    with spares.request() as turn:
        yield turn
        if run in waiting and env.now <= day.latest_min[run]:
            waiting.remove(run)
            yield from second(env, week, run, day, yard)
            yield env.timeout(week.travel.minutes[week.timetable.end_node[run], yard])


def second(env: simpy.Environment, week: Week, run: int, day: Day, at: int) -> Steps:
    """Drive a run once more, from a place `at`, for those it left behind."""
    trip = bring if week.timetable.direction[run] == IN else take
    before = week.aboard(run, day)
    there = env.now + week.travel.minutes[at, week.timetable.start_node[run]]
    yield from trip(env, week, run, day, there, week.second_track)
    week.tell_second(run, day, at, before)
