"""Buses: runs, gates, breakdowns, and second runs for those a bus had to leave behind.

Order of ties: at a gate the one that came first has the first bay, then the lower number, then second drives. A
gate is a station: a bus that comes takes the bay that is free first, so its waiting follows from the times at
which the bays become free.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from heapq import heapreplace
from math import inf, isfinite, isnan, nan
from typing import TYPE_CHECKING

import simpy
from simpy.events import EventPriority

from sim.operate import drive
from sim.operate.half import Half, Place, where
from sim.operate.timetable import NO_BUS
from sim.plan.course import Piece

if TYPE_CHECKING:
    from sim.operate.day import Day, Week

Steps = Generator[simpy.Event, object, None]
Minutes = Generator[simpy.Event, object, float]
IN, OUT = 0, 1


def bring(env: simpy.Environment, week: Week, half: Half, run: int) -> Minutes:
    """Drive an `in` run: take pupils at the stops, let those of each school alight at its gate; return when done."""
    table, day, legs = week.timetable, half.day, half.legs
    now, aboard, behind, at_gate = half.there, 0, 0, nan
    for piece in table.pieces[run]:
        now, aboard, more = yield from _collect(env, week, half, run, piece, now, aboard)
        behind += more
        if not isnan(at_gate):  # the piece begins at a gate on the way
            half.track[0][piece.first] = at_gate
        at_gate = nan
        if legs.call_cut[piece.call]:
            continue
        at_gate = now
        yield AtGate(env, week, half, run, at_gate)
        bays = week.bays[table.call_school[piece.call]]
        bay_min = max(at_gate, bays[0])
        stops, call = (table.stops[run][0], piece.end), (piece.call, table.call_of_stop)
        told = (week.unload_min, table.riders, day.embarked_in, day.alighted_in)
        now, gone = drive.unload(bay_min, stops, call, *told)
        aboard -= gone
        heapreplace(bays, now)
        _tell_gate(half, run, piece.call, (at_gate, bay_min, now))
    _tell_left(env, week, half, run, behind)
    return now


def _collect(
    env: simpy.Environment, week: Week, half: Half, run: int, piece: Piece, now: float, aboard: int
) -> Generator[simpy.Event, object, tuple[float, int, int]]:
    """Drive the stops before a gate; return (minute at the gate, pupils aboard, pupils left behind)."""
    day, legs, (call, first, end) = half.day, half.legs, piece
    told = (day.road_in, day.hold, week.timetable.riders, day.ready_in, day.embarked_in, day.left_in, half.track)
    if half.km_left >= legs.call_km[call]:
        half.km_left -= legs.call_km[call]
        return drive.collect(now, (first, end), half.seats, aboard, week.dwell, *told)
    p, share = where(half.km_left, legs, (first, end))
    now, aboard, behind = drive.collect(now, (first, p + 1), half.seats, aboard, week.dwell, *told)
    place = Place(legs.begin[p], legs.end[p], share, now - (1 - share) * day.road_in[0][p], aboard)
    now += yield from breakdown(env, week, half, run, place)
    now, aboard, more = drive.collect(now, (p + 1, end), half.seats, aboard, week.dwell, *told)
    return now, aboard, behind + more


def take(env: simpy.Environment, week: Week, half: Half, run: int) -> Minutes:
    """Drive an `out` run: let pupils embark at each gate, leave no sooner than planned, bring them home."""
    table, day, legs, stops = week.timetable, half.day, half.legs, week.timetable.stops[run]
    now, aboard, behind = half.there, 0, 0
    close = day.friday if table.is_lodger[run] else day.close
    told = (day.road_out[1], close, table.riders, day.ready_out, day.embarked_out, day.left_out)
    calls = [piece.call for piece in table.pieces[run] if not legs.call_cut[piece.call]]
    for piece in table.pieces[run]:
        if piece.call in calls:
            there = now
            yield AtGate(env, week, half, run, there)
            bays = week.bays[table.call_school[piece.call]]
            bay_min, call = max(there, bays[0]), (piece.call, table.call_of_stop)
            now, aboard, more = drive.embark(bay_min, stops, call, half.seats, aboard, week.unload_min, *told)
            now = max(now, day.depart_min[piece.call])
            behind += more
            heapreplace(bays, now)
            _tell_gate(half, run, piece.call, (there, bay_min, now))
            if piece.call != run:
                half.track[1][piece.first - 1], half.track[2][piece.first - 1] = now, aboard
            if piece.call == calls[-1]:
                _tell_left(env, week, half, run, behind)
        now, aboard = yield from _deliver(env, week, half, run, piece, now, aboard)
    if aboard:
        drive.hand_over(now, stops, table.riders, day.alighted_out, day.carried_on)
    return now


def _deliver(
    env: simpy.Environment, week: Week, half: Half, run: int, piece: Piece, now: float, aboard: int
) -> Generator[simpy.Event, object, tuple[float, int]]:
    """Drive the stops after a gate, up to the next one; return (minute when done, pupils still aboard)."""
    table, day, legs, (call, first, end) = week.timetable, half.day, half.legs, piece
    on, off, guardian = day.embarked_out, day.alighted_out, (day.guardian_min, week.guardian_wait_min)
    handed = (day.road_out, table.riders, guardian, on, off, day.carried_on, half.track)
    if half.km_left >= legs.call_km[call]:
        half.km_left -= legs.call_km[call]
        return drive.deliver(now, (first, end), aboard, week.dwell, *handed)
    p, share = where(half.km_left, legs, (first, end))
    now, aboard = drive.deliver(now, (first, p), aboard, week.dwell, *handed)
    place = Place(legs.begin[p], legs.end[p], share, now + share * day.road_out[0][p], aboard)
    on_it = table.aboard(run, on, off)
    off[on_it] = inf  # a second bus of this run lets none of them alight
    now += yield from breakdown(env, week, half, run, place)
    off[on_it] = nan
    return drive.deliver(now, (p, end), aboard, week.dwell, *handed)


class AtGate(simpy.Event):
    """A bus comes to the gate of a school; of those that come at the same minute the lower number is first."""

    def __init__(self, env: simpy.Environment, week: Week, half: Half, run: int, minute: float) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        rank = len(week.timetable.yard) + run if half.is_second else half.bus
        env.schedule(self, EventPriority(1 + rank), max(minute - env.now, 0.0))


def _tell_gate(half: Half, run: int, call: int, times: tuple[float, float, float]) -> None:
    """Tell of a bus at a gate."""
    day = half.day
    if half.is_second:
        return
    day.reached_gate[call], day.took_bay[call], day.freed_bay[call] = times
    day.run_km[run] = half.legs.run_km[run]
    day.weather_min[call] = half.weather_min - day.slow_after_min.get(call, 0.0)
    day.broke_min[call] = half.broke_min


def _tell_left(env: simpy.Environment, week: Week, half: Half, run: int, behind: int) -> None:
    """Let those a run left behind wait for another bus from its last gate on, when it is known for all its schools.

    So no second bus of a run is under way while the first still takes pupils.
    """
    if behind and not half.is_second:
        leave_behind(env, week, run, half.day)


def breakdown(env: simpy.Environment, week: Week, half: Half, run: int, place: Place) -> Minutes:
    """Wait at the roadside for the mechanic or for a spare bus, whichever is there first; return minutes lost.

    Pupils aboard change to the spare bus, which drives the rest of the half day; the broken one drives home when it
    is repaired. A bus breaks down once in a half day.
    """
    day, table, travel = half.day, week.timetable, half.legs.travel
    yield env.timeout(place.minute - env.now)
    day.broke_down[run], goes_on = place.minute, place.minute + half.repair_min
    half.km_left, half.broken_run = inf, run
    for spares in day.spares:
        turn = half.borrowed.enter_context(spares.request())
        yield turn | env.timeout(goes_on - env.now)
        minutes, km = place.way(travel, table.spare_yard[run])
        if turn.triggered and env.now + minutes < goes_on:
            home_min, home_km = place.way(travel, table.yard[half.bus])
            week.ready[half.bus] = goes_on + home_min
            day.spare_left[run] = half.spare_left = env.now
            day.empty_km[run] += km + home_km
            goes_on = env.now + minutes + place.aboard * week.transfer_min
        else:
            half.borrowed.close()
    day.went_on[run] = goes_on
    half.broke_min += goes_on - place.minute
    return goes_on - place.minute


def cancel(env: simpy.Environment, week: Week, run: int, day: Day, cause: int) -> None:
    """Tell that a run is not driven; whom a bus could reach waits for another one, if buses run at all.

    Nobody waits for a run that the plan had to drop.
    """
    table, way = week.timetable, week.timetable.direction[run]
    day.cancelled[run], day.cancel_why[run] = env.now, cause
    minute = max(env.now, day.be_there_min[run])
    cut, waits = day.road(way)[1], day.ready(way)
    drive.strand(minute, cause, table.stops[run], cut, table.riders, waits, day.on(way), day.left(way))
    if day.buses_run[way] and table.bus[run] != NO_BUS:
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


def fetch(env: simpy.Environment, week: Week, half: Half, schools: frozenset[int]) -> Steps:
    """Drive once more for those who were left behind at the schools a bus serves."""
    day, table = half.day, week.timetable
    for school in sorted(schools):
        waiting = day.stranded[school]
        for run in [run for run in waiting if table.direction[run] == half.way and table.schools[run] <= schools]:
            start = half.legs.first[run]
            reached = start >= 0 and isfinite(half.legs.travel.minutes[half.at, start])
            if run in waiting and env.now <= day.latest_min[run] and reached:
                waiting.remove(run)
                yield from second(env, week, half.seats, run, day, half.at)
                half.at = half.legs.last[run]


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
            day.second_km[run] += legs.travel.km[legs.last[run], yard]
            day.spare_min[run] += env.now - left


def second(env: simpy.Environment, week: Week, seats: int, run: int, day: Day, at: int) -> Steps:
    """Drive a run once more, from a place `at`, for those it left behind, and tell how far that was."""
    way = week.timetable.direction[run]
    with ExitStack() as nothing:
        half = Half(day, way, seats, week.second_track, nothing, at=at)
        travel, start = half.legs.travel, half.legs.first[run]
        day.second_left[run] = env.now
        half.there = env.now + travel.minutes.item(at, start)
        done = yield from (bring if way == IN else take)(env, week, half, run)
    yield env.timeout(max(done - env.now, 0.0))
    day.second_km[run] += half.legs.run_km[run] + travel.km.item(at, start)
