"""The buses under way: compiled, from one thing on the clock of the county to the next.

Buses meet at the gates of schools only. They are moved in the order of the minutes at which they come to one, until
the minute at which anything else happens; what a bus does between two places stands in `drive`. What is unusual is
left to SimPy (`bus`). `tests/county_day.py` lives the same days as plain SimPy; both agree to the last bit.

Order of ties: at a gate the one that came first has the first bay, then the lower number, then second drives; a bus
takes the bay that is free first. Whatever else happens at the same minute comes before the buses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from sim.operate import drive
from sim.operate.drive import Floats, Ints
from sim.operate.half import BEHIND, BROKEN, DONE, DRIVE, FREE, GATE, LATE, LEAVE, NEXT, PIECE, REST, START, YARD
from sim.operate.sheet import Sheet
from sim.operate.yard import in_yard, next_half_day

Row = Any
"""A row of `HALF`."""
END = -2
"""Asked for in place of a row: there is nothing more to move."""
_FIRST = 1
"""Rank of what is no call at a gate."""


class UnderWay(NamedTuple):
    """All rows of buses and of second drives, and when each is to be moved."""

    halves: Any
    """(rows,) of `HALF`."""
    due: Floats
    """(rows,) minute at which it comes to a gate, leaves, breaks down or is free; inf: it is not under way."""
    rank: Ints
    """(rows,) the lower is first at the same minute, then the one that was planned earlier."""
    planned: Ints
    ask: Ints
    """Row that is to drive on at once, or -1; how many moves were planned."""
    until: Floats
    """Minute before which buses are moved; minute of the first row that is due."""


@njit(cache=True)
def move(sheets: tuple[Sheet, ...], way: UnderWay) -> Iterator[int]:
    """Move the buses each time it is asked; yield the row that somebody has to see to, or -1; end when asked END."""
    while way.ask[0] != END:
        row, seen_to = way.ask[0], -1
        if row >= 0:
            way.ask[0] = -1
            if not _go_on(sheets, way, row):
                seen_to = row
            way.until[1] = min(way.until[1], way.due[row])
        else:
            first = _first(way)
            while seen_to < 0 and way.due[first] < way.until[0]:
                way.halves[first].now, way.due[first] = way.due[first], np.inf
                if not _go_on(sheets, way, first):
                    seen_to = first
                first = _first(way)
            way.until[1] = way.due[first]
        yield seen_to


@njit(cache=True)
def _first(way: UnderWay) -> int:
    """Return the row that is to be moved first."""
    first, soonest, due = 0, np.inf, way.due
    for row in range(len(due)):
        if due[row] < soonest or (due[row] == soonest and soonest < np.inf and _ahead(way, row, first)):
            first, soonest = row, due[row]
    return first


@njit(cache=True)
def _ahead(way: UnderWay, row: int, other: int) -> bool:
    """Tell which of two rows that are due at the same minute is first."""
    rank, others = way.rank[row], way.rank[other]
    return rank < others or (rank == others and way.planned[row] < way.planned[other])


@njit(cache=True)
def _go_on(sheets: tuple[Sheet, ...], way: UnderWay, row: int) -> bool:
    """Drive a bus up to the next minute at which it meets others; return False when somebody has to see to it."""
    bus = way.halves[row]
    sheet = sheets[bus.sheet]
    while bus.stage < BROKEN:
        if bus.stage == YARD:
            next_half_day(sheets, bus)
            sheet = sheets[bus.sheet]
            continue
        minute = _step(sheet, bus)
        if not np.isnan(minute):
            way.due[row] = bus.now + max(minute - bus.now, 0.0)
            way.rank[row] = bus.rank if bus.stage == GATE else _FIRST
            way.planned[row] = way.ask[1]
            way.ask[1] += 1
            return True
    return False


@njit(cache=True)
def _step(sheet: Sheet, bus: Row) -> float:
    """Do what comes next for a bus; return until when it is busy then, NaN when the next thing follows at once."""
    if bus.stage == NEXT:
        return _next_run(sheet, bus)
    if bus.stage == LEAVE:
        return _leave(sheet, bus)
    if bus.stage == START:
        return _start(sheet, bus)
    if bus.stage == PIECE:
        return _piece(sheet, bus)
    if bus.stage == GATE:
        return _call(sheet, bus)
    if bus.stage == DRIVE or bus.stage == REST:
        return _drive(sheet, bus)
    return in_yard(sheet, bus)


@njit(cache=True)
def _next_run(sheet: Sheet, bus: Row) -> float:
    """Reckon when the bus leaves for a run and when it is there; it does not, when that is too late for everyone.

    Carries over what weather and breakdown have cost so far, as far as the timetable has not made up for it.
    """
    if bus.nth == bus.runs:
        bus.stage = DONE if bus.bus >= 0 else FREE
        return bus.free if bus.last >= 0 else np.nan
    run, (ways, floor_min, km), times = sheet.rota.todo[bus.bus, bus.nth], sheet.course.ways, sheet.times
    bus.nth += 1
    bus.run = run
    start = sheet.course.first[run]
    minutes = ways[bus.at, start]
    planned = times.be_there[run] - minutes
    leave = max(bus.free, planned)
    bus.leave = leave
    bus.clock = leave + max(minutes * times.traffic[run], floor_min[bus.at, start])
    bus.weather_min = min(bus.weather_min, leave - planned)
    bus.broke_min = min(bus.broke_min, leave - planned)
    if leave > max(times.latest[run], times.depart[run]):
        bus.stage, bus.then = LATE, NEXT
        return np.nan
    if not sheet.course.is_dry:
        bus.weather_min += max(minutes - sheet.course.dry_min[bus.at, start], 0.0) + times.slow_min[run]
    bus.empty_km = km[bus.at, start]
    sheet.pages.left_yard[run], sheet.pages.empty_km[run] = leave, bus.empty_km
    bus.stage = LEAVE
    return leave if bus.last < 0 else np.nan  # the first time the night is over: who slept at school is known


@njit(cache=True)
def _leave(sheet: Sheet, bus: Row) -> float:
    """Drive empty to the first stop, if the bus does not break down on the way."""
    if bus.last < 0:
        sheet.pages.set_out[bus.bus] = bus.leave
    bus.stage = START
    if bus.km_left >= bus.empty_km:
        return np.nan
    bus.stage, bus.then = BROKEN, START
    bus.share = bus.km_left / bus.empty_km
    bus.begin, bus.end, bus.aboard = bus.at, sheet.course.first[bus.run], 0
    bus.minute = bus.leave + (bus.clock - bus.leave) * bus.share
    return bus.minute


@njit(cache=True)
def _start(sheet: Sheet, bus: Row) -> float:
    """Begin a run."""
    bus.km_left -= bus.empty_km
    bus.aboard, bus.behind, bus.at_gate = 0, 0, np.nan
    bus.piece, bus.stage = sheet.plan.piece_at[bus.run], PIECE
    return np.nan


@njit(cache=True)
def _piece(sheet: Sheet, bus: Row) -> float:
    """Begin the next piece of a run, or end the run: on the way home with those whose guardian was not there."""
    run, plan = bus.run, sheet.plan
    bus.stage = DRIVE
    if bus.piece < plan.piece_at[run + 1]:
        if sheet.into or sheet.course.call_cut[plan.piece_call[bus.piece]]:
            return np.nan
        bus.stage = GATE
        return bus.clock
    if _leaves_behind(bus, PIECE):
        return np.nan
    if not sheet.into and bus.aboard:
        stops, pages = (plan.stop_at[run], plan.stop_at[run + 1]), sheet.pages
        drive.hand_over(bus.clock, stops, plan.riders, pages.alighted, pages.carried_on)
    bus.free = bus.clock + (plan.turnaround_min if bus.bus >= 0 else 0.0)
    bus.at, bus.last, bus.stage = sheet.course.last[run], run, NEXT
    return np.nan


@njit(cache=True)
def _leaves_behind(bus: Row, then: int) -> bool:
    """Tell whether others have to fetch whom a bus left behind, when that is known for all schools of its run.

    So no second bus of a run is under way while the first still takes pupils.
    """
    some = bus.behind > 0 and bus.bus >= 0
    if some:
        bus.behind, bus.stage, bus.then = 0, BEHIND, then
    return some


@njit(cache=True)
def _drive(sheet: Sheet, bus: Row) -> float:
    """Drive the stops of a piece, up to the gate (in) or from it (out), if the bus does not break down on the way."""
    course, piece, into = sheet.course, bus.piece, sheet.into
    call, first, end = sheet.plan.piece_call[piece], sheet.plan.piece_first[piece], sheet.plan.piece_end[piece]
    if bus.stage == REST:
        if not into:
            _write_aboard(sheet, bus, np.nan)
        _ride(sheet, bus, bus.stop + into, end)
    elif bus.km_left >= course.call_km[call]:
        bus.km_left -= course.call_km[call]
        _ride(sheet, bus, first, end)
    else:
        return _break_down(sheet, bus, first, end)
    if not into:
        bus.piece, bus.stage = piece + 1, PIECE
        return np.nan
    if not np.isnan(bus.at_gate):  # the piece begins at a gate on the way
        _track(sheet, bus)[0][first] = bus.at_gate
    if course.call_cut[call]:
        bus.at_gate, bus.piece, bus.stage = np.nan, piece + 1, PIECE
        return np.nan
    bus.at_gate, bus.stage = bus.clock, GATE
    return bus.clock


@njit(cache=True)
def _ride(sheet: Sheet, bus: Row, first: int, end: int) -> None:
    """Drive some stops, where pupils embark (in) or alight (out)."""
    plan, times, pages, track = sheet.plan, sheet.times, sheet.pages, _track(sheet, bus)
    if sheet.into:
        bus.clock, bus.aboard, behind = drive.collect(
            bus.clock, (first, end), bus.seats, bus.aboard, plan.dwell, times.road, times.hold, plan.riders,
            pages.waits, pages.embarked, pages.left, track,
        )  # fmt: skip
        bus.behind += behind
    else:
        bus.clock, bus.aboard = drive.deliver(
            bus.clock, (first, end), bus.aboard, plan.dwell, times.road, plan.riders, times.guardian,
            pages.embarked, pages.alighted, pages.carried_on, track,
        )  # fmt: skip


@njit(cache=True)
def _track(sheet: Sheet, bus: Row) -> drive.Track:
    """Return where a drive is told: second drives nowhere."""
    return sheet.pages.track if bus.bus >= 0 else sheet.plan.second_track


@njit(cache=True)
def _break_down(sheet: Sheet, bus: Row, first: int, end: int) -> float:
    """Drive some stops to where the bus breaks down; return when it does."""
    course, into = sheet.course, sheet.into
    p, km = first, bus.km_left
    while p < end and km >= course.km[p]:
        km -= course.km[p]
        p += 1
    share = km / course.km[p] if p < end else 1.0
    p = min(p, end - 1)
    _ride(sheet, bus, first, p + into)
    leg_min = sheet.times.road[0][p]
    bus.begin, bus.end, bus.stop, bus.share = course.begin[p], course.end[p], p, share
    bus.stage, bus.then = BROKEN, REST
    if into:
        bus.minute = bus.clock - (1 - share) * leg_min
    else:
        _write_aboard(sheet, bus, np.inf)  # a second bus of this run lets none of them alight
        bus.minute = bus.clock + share * leg_min
    return bus.minute


@njit(cache=True)
def _write_aboard(sheet: Sheet, bus: Row, minute: float) -> None:
    """Write when those of a run alight who are aboard; inf: not before the bus goes on."""
    (rider_at, rider), plan, pages = sheet.plan.riders, sheet.plan, sheet.pages
    for i in range(rider_at[plan.stop_at[bus.run]], rider_at[plan.stop_at[bus.run + 1]]):
        if not np.isnan(pages.embarked[rider[i]]) and not np.isfinite(pages.alighted[rider[i]]):
            pages.alighted[rider[i]] = minute


@njit(cache=True)
def _call(sheet: Sheet, bus: Row) -> float:
    """Call at a school: take the bay that is free first, let pupils alight (in) or embark (out), and tell it."""
    plan, times, pages, there = sheet.plan, sheet.times, sheet.pages, bus.clock
    piece, run = bus.piece, bus.run
    call = plan.piece_call[piece]
    bays = plan.bays[plan.call_school[call]]
    bay = bays.argmin()
    took = max(there, bays[bay])
    at = (call, plan.call_of_stop)
    if sheet.into:
        stops = (plan.stop_at[run], plan.piece_end[piece])
        bus.clock, gone = drive.unload(took, stops, at, plan.unload, plan.riders, pages.embarked, pages.alighted)
        bus.aboard -= gone
        bus.piece, bus.stage = piece + 1, PIECE
    else:
        stops = (plan.stop_at[run], plan.stop_at[run + 1])
        ready, bus.aboard, behind = drive.embark(
            took, stops, at, bus.seats, bus.aboard, plan.unload, times.road[1],
            times.friday if times.is_lodger[run] else times.close, plan.riders, pages.waits, pages.embarked, pages.left,
        )  # fmt: skip
        bus.clock, bus.stage = max(ready, times.depart[call]), DRIVE
        bus.behind += behind
        if call != run:
            _track(sheet, bus)[1][plan.piece_first[piece] - 1] = bus.clock
            _track(sheet, bus)[2][plan.piece_first[piece] - 1] = bus.aboard
        if sheet.course.call_cut[plan.piece_call[piece + 1 : plan.piece_at[run + 1]]].all():
            _leaves_behind(bus, DRIVE)
    bays[bay] = bus.clock
    if bus.bus >= 0:
        pages.reached_gate[call], pages.took_bay[call], pages.freed_bay[call] = there, took, bus.clock
        pages.run_km[run] = sheet.course.run_km[run]
        pages.weather_min[call], pages.broke_min[call] = bus.weather_min - times.slow_after_min[call], bus.broke_min
    return np.nan
