"""Buses: duties from yard to yard, gate bays, and the second run for those a bus had to leave behind.

Order of ties: buses act in the order of their number; at a gate the one that came first has the first bay.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
import simpy

from sim.operate import drive

if TYPE_CHECKING:
    from sim.operate.day import Week

Steps = Generator[simpy.Event, object, None]
IN, OUT = 0, 1


def duty(env: simpy.Environment, week: Week, bus: int) -> Steps:
    """Drive the runs of one bus through the week, morning and afternoon, from the yard and back to it."""
    for day in range(week.days):
        for way in (IN, OUT):
            runs = week.runs_of(bus, day, way)
            if runs:
                yield from _half_day(env, week, bus, day, runs)


def _half_day(env: simpy.Environment, week: Week, bus: int, day: int, runs: tuple[int, ...]) -> Steps:
    """Drive the runs of one bus in a morning or an afternoon."""
    diary, table = week.diary, week.timetable
    km, minutes = week.travel.km, week.travel.minutes
    at = yard = table.yard[bus]
    yield env.timeout(max(0.0, week.be_there_min[day][runs[0]] - minutes[at, table.start_node[runs[0]]] - env.now))
    with week.own[bus].request() as wheel:
        yield wheel
        began = env.now
        for run in runs:
            place = table.start_node[run]
            leave = max(env.now, week.be_there_min[day][run] - minutes[at, place])
            diary.left_yard[day, run] = leave
            diary.empty_km[day, run] = km[at, place]
            there = leave + minutes[at, place] * week.luck.traffic[day, run]
            yield from (bring if table.direction[run] == IN else take)(env, week, run, day, there)
            at = table.end_node[run]
            yield env.timeout(week.turnaround_min)
        diary.empty_km[day, runs[-1]] += km[at, yard]
        diary.bus_min[day, bus] += env.now + minutes[at, yard] - began


def bring(env: simpy.Environment, week: Week, run: int, day: int, there: float, second: bool = False) -> Steps:
    """Drive an `in` run: take pupils at the stops, wait for a bay at the gate, let them alight."""
    table, diary = week.timetable, week.diary
    stops, on, off = table.stops[run], diary.embarked_in[day], diary.alighted_in[day]
    track = week.second_track if second else (diary.arrived[day], diary.departed[day], diary.load[day])
    gate_min, _, left = drive.collect(
        there, stops, table.seats[run], week.dwell, week.luck.leg_min[day], week.hold[day],
        table.rider_at, table.rider, diary.came[day], on, *track,
    )  # fmt: skip
    yield env.timeout(max(0.0, gate_min - env.now))
    with week.gate[table.school[run]].request() as bay:
        yield bay
        bay_min = env.now
        done = drive.unload(bay_min, stops, week.unload_min, table.rider_at, table.rider, on, off)
        yield env.timeout(done - bay_min)
    if not second:
        week.tell_gate(run, day, gate_min, bay_min, done)
        if left:
            env.process(fetch(env, week, run, day))


def take(env: simpy.Environment, week: Week, run: int, day: int, there: float, second: bool = False) -> Steps:
    """Drive an `out` run: wait for a bay, let pupils embark, leave no sooner than planned, bring them home."""
    table, diary = week.timetable, week.diary
    stops, on, off = table.stops[run], diary.embarked_out[day], diary.alighted_out[day]
    track = week.second_track if second else (diary.arrived[day], diary.departed[day], diary.load[day])
    yield env.timeout(max(0.0, there - env.now))
    with week.gate[table.school[run]].request() as bay:
        yield bay
        bay_min = env.now
        ready, aboard, left = drive.embark(
            max(bay_min, week.close_min[day][run]), stops, table.seats[run], week.dwell,
            table.rider_at, table.rider, diary.attended[day], on,
        )  # fmt: skip
        leave = max(ready, week.depart_min[day][run])
        yield env.timeout(leave - bay_min)
    if not second:
        week.tell_gate(run, day, there, bay_min, leave)
        if left:
            env.process(fetch(env, week, run, day))
    end = drive.deliver(
        leave, stops, aboard, week.dwell, week.luck.leg_min[day], table.rider_at, table.rider, on, off, *track
    )
    yield env.timeout(end - env.now)


def fetch(env: simpy.Environment, week: Week, run: int, day: int) -> Steps:
    """Bring whom a run left behind: by a spare bus or by the run's own bus, whichever is free first.

    In the morning no second run sets out after `fleet.second_run_latest_min`: those pupils miss the day.
    """
    table, minutes = week.timetable, week.travel.minutes
    turns = [bus.request() for bus in week.helpers(run)]
    patience = [env.timeout(max(0.0, week.latest_min[day][run] - env.now))] if table.direction[run] == IN else []
    yield env.any_of([*turns, *patience])
    free = [turn for turn in turns if turn.triggered]
    for turn in turns:
        if turn not in free[:1]:
            turn.cancel()
            turn.resource.release(turn)
    if not free:
        return
    with free[0] as turn:
        at = table.spare_yard[run] if turn.resource is week.spare else table.end_node[run]
        there = env.now + minutes[at, table.start_node[run]]
        before = week.aboard(run, day)
        yield from (bring if table.direction[run] == IN else take)(env, week, run, day, there, True)
        week.tell_second(run, day, at, before)
        yield env.timeout(minutes[table.end_node[run], at])
