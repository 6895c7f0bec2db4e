"""Driving a run from stop to stop: compiled, because nothing else can happen to a bus between two places.

`tests/oracle_drive.py` drives the same runs as plain SimPy, one step per stop; both agree to the last bit.
All times are minutes of the week. Riders of stop p are `rider[rider_at[p]:rider_at[p + 1]]`. A stop with a
`cut` is out of reach: the bus passes it over, and whoever waits there is told why.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.operate.diary import BUS_SEAT, Codes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Span = tuple[int, int]
"""First and end position of the stops of a run."""
Pace = tuple[float, float]
"""Minutes for a stop, and more for each pupil."""
Track = tuple[Floats, Floats, Ints]
"""Where a drive is told: arrivals, departures and loads of the stops, (P,) each."""
Riders = tuple[Ints, Ints]
"""Where the riders of each stop begin, (P + 1,), and the riders."""
Road = tuple[Floats, Codes]
"""Minutes of each leg and why a stop cannot be reached, (P,) each."""
Call = tuple[int, Ints]
"""A call at a school, and that of the riders of each stop, (P,)."""
Left = tuple[Floats, Codes]
"""Where it is told who was left, when and why, (N,) each."""


@njit(cache=True)
def _tell_left(who: int, now: float, cause: int, left: Left) -> None:
    """Note that a run left a pupil, the earliest time it happens on a day."""
    if not left[0][who] <= now:  # NaN compares false
        left[0][who] = now
        left[1][who] = cause


@njit(cache=True)
def strand(
    now: float, cause: int, stops: Span, cut: Codes, riders: Riders, waits: Bools, embarked: Floats, left: Left
) -> None:
    """Tell everyone who waits for a run that it does not come; who cannot be reached at all hears why."""
    rider_at, rider = riders
    for p in range(stops[0], stops[1]):
        for i in range(rider_at[p], rider_at[p + 1]):
            if waits[rider[i]] and np.isnan(embarked[rider[i]]):
                _tell_left(rider[i], now, cut[p] if cut[p] else cause, left)


@njit(cache=True)
def claims(stops: Span, cut: Codes, riders: Riders, waits: Bools, embarked: Floats, refused: Bools) -> bool:
    """Tell whether anyone still waits whom a bus could reach and who has a claim to a seat.

    Lodgers without a bed (refused) have none: they ride where a seat is free.
    """
    rider_at, rider = riders
    for p in range(stops[0], stops[1]):
        for i in range(rider_at[p], rider_at[p + 1]):
            who = rider[i]
            if not cut[p] and waits[who] and not refused[who] and np.isnan(embarked[who]):
                return True
    return False


@njit(cache=True)
def collect(
    now: float, stops: Span, seats: int, aboard: int, pace: Pace, road: Road, hold: Floats, riders: Riders,
    waits: Bools, embarked: Floats, left: Left, track: Track,
) -> tuple[float, int, int]:  # fmt: skip
    """Drive an `in` run and take whom it can; return (minute at the gate, pupils aboard, pupils left behind).

    now: minute at the first of the stops; aboard: pupils who are on the bus already; hold: (P,) planned
    departures, before which no bus leaves; waits: (N,) who stands at the stop; embarked: (N,) is filled in.
    No bus takes more pupils than it has seats.
    """
    rider_at, rider = riders
    arrived, departed, load = track
    behind = 0
    for p in range(stops[0], stops[1]):
        cut = road[1][p]
        taken = 0
        for i in range(rider_at[p], rider_at[p + 1]):
            who = rider[i]
            if not waits[who] or not np.isnan(embarked[who]):
                continue
            if cut:
                _tell_left(who, max(now, hold[p]), cut, left)
            elif aboard == seats:
                _tell_left(who, now, BUS_SEAT, left)
                behind += 1
            else:
                aboard += 1
                taken += 1
                embarked[who] = now + pace[0] + pace[1] * taken
        if cut:
            continue
        arrived[p] = now
        if taken:
            now = now + pace[0] + pace[1] * taken
        now = max(now, hold[p])
        departed[p] = now
        load[p] = aboard
        now = now + road[0][p]
    return now, aboard, behind


@njit(cache=True)
def unload(
    now: float, stops: Span, call: Call, pace: Pace, riders: Riders, embarked: Floats, alighted: Floats
) -> tuple[float, int]:
    """Let those aboard from some stops alight at the school one after another; return (bay is free, pupils alighted).

    call: whose riders go to this school.
    """
    rider_at, rider = riders
    gone = 0
    now = now + pace[0]
    for p in range(stops[0], stops[1]):
        if call[1][p] != call[0]:
            continue
        for i in range(rider_at[p], rider_at[p + 1]):
            who = rider[i]
            if not np.isnan(embarked[who]) and np.isnan(alighted[who]):
                gone += 1
                now = now + pace[1]
                alighted[who] = now
    return now, gone


@njit(cache=True)
def embark(
    now: float, stops: Span, call: Call, seats: int, aboard: int, pace: Pace, cut: Codes, close: Floats,
    riders: Riders, waits: Bools, embarked: Floats, left: Left,
) -> tuple[float, int, int]:  # fmt: skip
    """Let pupils embark at the school one after another; return (minute when done, aboard, left behind).

    call: whose riders come from this school; aboard: pupils of other schools who are on the bus already;
    close: (N,) minute at which the class of each pupil is over. Until their bus is there they are in care.
    """
    rider_at, rider = riders
    behind = 0
    now = now + pace[0]
    for p in range(stops[0], stops[1]):
        if call[1][p] != call[0]:
            continue
        for i in range(rider_at[p], rider_at[p + 1]):
            who = rider[i]
            if not waits[who] or not np.isnan(embarked[who]):
                continue
            if cut[p]:
                _tell_left(who, now, cut[p], left)
            elif aboard == seats:
                _tell_left(who, now, BUS_SEAT, left)
                behind += 1
            else:
                aboard += 1
                now = max(now, close[who]) + pace[1]
                embarked[who] = now
    return now, aboard, behind


@njit(cache=True)
def deliver(
    now: float, stops: Span, aboard: int, pace: Pace, road: Road, riders: Riders, guardian: tuple[Floats, float],
    embarked: Floats, alighted: Floats, carried_on: Floats, track: Track,
) -> tuple[float, int]:  # fmt: skip
    """Drive an `out` run and let pupils alight; return (minute at the end, pupils still aboard).

    guardian: (N,) minutes that a guardian comes later than the bus, and how long the bus waits for one. Whose
    guardian does not come in time stays aboard until `hand_over`.
    """
    rider_at, rider = riders
    arrived, departed, load = track
    for p in range(stops[0], stops[1]):
        if road[1][p]:
            continue
        now = now + road[0][p]
        arrived[p] = now
        gone = 0
        until = now
        for i in range(rider_at[p], rider_at[p + 1]):
            who = rider[i]
            if np.isnan(embarked[who]) or not np.isnan(alighted[who]) or not np.isnan(carried_on[who]):
                continue
            if guardian[0][who] > guardian[1]:
                carried_on[who] = now + guardian[1]
                until = max(until, now + guardian[1])
                continue
            gone += 1
            alighted[who] = max(now + pace[0] + pace[1] * gone, now + guardian[0][who])
            until = max(until, alighted[who])
        now = until
        aboard -= gone
        departed[p] = now
        load[p] = aboard
    return now, aboard


@njit(cache=True)
def hand_over(now: float, stops: Span, riders: Riders, alighted: Floats, carried_on: Floats) -> None:
    """Let those alight at the end of a run whose guardian was not there in time; the attendant stays with them."""
    rider_at, rider = riders
    for i in range(rider_at[stops[0]], rider_at[stops[1]]):
        who = rider[i]
        if not np.isnan(carried_on[who]) and np.isnan(alighted[who]):
            alighted[who] = now
