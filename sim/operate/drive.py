"""Driving a run from stop to stop: compiled, because nothing else can happen to a bus between two places.

`tests/oracle.py` drives the same runs as plain SimPy, one step per stop; both agree to the last bit.
All times are minutes of the week. Riders of stop p are `rider[rider_at[p]:rider_at[p + 1]]`.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

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


@njit(cache=True)
def collect(
    now: float, stops: Span, seats: int, pace: Pace, leg_min: Floats, hold: Floats, riders: Riders, waits: Bools,
    embarked: Floats, track: Track,
) -> tuple[float, int]:  # fmt: skip
    """Drive an `in` run and take whom it can; return (minute at the gate, pupils left behind).

    now: minute at the first stop; leg_min: (P,) minutes from each stop to the next one or the school; hold: (P,)
    planned departures, before which no bus leaves; waits: (N,) who stands at the stop; embarked: (N,) is filled
    in. No bus takes more pupils than it has seats.
    """
    rider_at, rider = riders
    arrived, departed, load = track
    aboard = left = 0
    for p in range(stops[0], stops[1]):
        arrived[p] = now
        taken = 0
        for i in range(rider_at[p], rider_at[p + 1]):
            who = rider[i]
            if not waits[who] or not np.isnan(embarked[who]):
                continue
            if aboard == seats:
                left += 1
                continue
            aboard += 1
            taken += 1
            embarked[who] = now + pace[0] + pace[1] * taken
        if taken:
            now = now + pace[0] + pace[1] * taken
        now = max(now, hold[p])
        departed[p] = now
        load[p] = aboard
        now = now + leg_min[p]
    return now, left


@njit(cache=True)
def unload(now: float, stops: Span, pace: Pace, riders: Riders, embarked: Floats, alighted: Floats) -> float:
    """Let everyone aboard alight at the school one after another; return the minute when the bay is free."""
    rider_at, rider = riders
    now = now + pace[0]
    for i in range(rider_at[stops[0]], rider_at[stops[1]]):
        who = rider[i]
        if not np.isnan(embarked[who]) and np.isnan(alighted[who]):
            now = now + pace[1]
            alighted[who] = now
    return now


@njit(cache=True)
def embark(
    now: float, stops: Span, seats: int, pace: Pace, riders: Riders, waits: Bools, embarked: Floats
) -> tuple[float, int, int]:
    """Let pupils embark at the school one after another; return (minute when done, aboard, left behind)."""
    rider_at, rider = riders
    aboard = left = 0
    now = now + pace[0]
    for i in range(rider_at[stops[0]], rider_at[stops[1]]):
        who = rider[i]
        if not waits[who] or not np.isnan(embarked[who]):
            continue
        if aboard == seats:
            left += 1
            continue
        aboard += 1
        now = now + pace[1]
        embarked[who] = now
    return now, aboard, left


@njit(cache=True)
def deliver(
    now: float, stops: Span, aboard: int, pace: Pace, leg_min: Floats, riders: Riders, embarked: Floats,
    alighted: Floats, track: Track,
) -> float:  # fmt: skip
    """Drive an `out` run and let pupils alight; return the minute at the last stop."""
    rider_at, rider = riders
    arrived, departed, load = track
    for p in range(stops[0], stops[1]):
        now = now + leg_min[p]
        arrived[p] = now
        gone = 0
        for i in range(rider_at[p], rider_at[p + 1]):
            who = rider[i]
            if not np.isnan(embarked[who]) and np.isnan(alighted[who]):
                gone += 1
                alighted[who] = now + pace[0] + pace[1] * gone
        if gone:
            now = now + pace[0] + pace[1] * gone
        aboard -= gone
        departed[p] = now
        load[p] = aboard
    return now
