"""Driving a run from stop to stop: compiled, because nothing else can happen to a bus between two places.

`tests/oracle.py` drives the same runs as plain SimPy, one step per stop; both agree to the last bit.
All times are minutes of the week. Riders of stop p are `rider[rider_at[p]:rider_at[p + 1]]`.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def collect(
    now, stops, seats, dwell, leg_min, hold, rider_at, rider, waits, embarked, arrived, departed, load
):
    """Drive an `in` run and take whom it can; return (minute at the gate, aboard, left behind).

    now: minute at the first stop; stops: (first, end) positions; dwell: (minutes per stop, per pupil);
    leg_min: (P,) minutes from each stop to the next one or the school; hold: (P,) planned departures, before
    which no bus leaves; waits: (N,) who stands at the stop; embarked: (N,) is filled in. No bus takes more
    pupils than it has seats.
    """
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
            embarked[who] = now + dwell[0] + dwell[1] * taken
        if taken:
            now = now + dwell[0] + dwell[1] * taken
        now = max(now, hold[p])
        departed[p] = now
        load[p] = aboard
        now = now + leg_min[p]
    return now, aboard, left


@njit(cache=True)
def unload(now, stops, unload_min, rider_at, rider, embarked, alighted):
    """Let everyone aboard alight at the school one after another; return the minute when the bay is free."""
    now = now + unload_min[0]
    for i in range(rider_at[stops[0]], rider_at[stops[1]]):
        who = rider[i]
        if not np.isnan(embarked[who]) and np.isnan(alighted[who]):
            now = now + unload_min[1]
            alighted[who] = now
    return now


@njit(cache=True)
def embark(now, stops, seats, load_min, rider_at, rider, waits, embarked):
    """Let pupils embark at the school one after another; return (minute when done, aboard, left behind)."""
    aboard = left = 0
    now = now + load_min[0]
    for i in range(rider_at[stops[0]], rider_at[stops[1]]):
        who = rider[i]
        if not waits[who] or not np.isnan(embarked[who]):
            continue
        if aboard == seats:
            left += 1
            continue
        aboard += 1
        now = now + load_min[1]
        embarked[who] = now
    return now, aboard, left


@njit(cache=True)
def deliver(now, stops, aboard, dwell, leg_min, rider_at, rider, embarked, alighted, arrived, departed, load):
    """Drive an `out` run and let pupils alight; return the minute at the last stop."""
    for p in range(stops[0], stops[1]):
        now = now + leg_min[p]
        arrived[p] = now
        gone = 0
        for i in range(rider_at[p], rider_at[p + 1]):
            who = rider[i]
            if not np.isnan(embarked[who]) and np.isnan(alighted[who]):
                gone += 1
                alighted[who] = now + dwell[0] + dwell[1] * gone
        if gone:
            now = now + dwell[0] + dwell[1] * gone
        aboard -= gone
        departed[p] = now
        load[p] = aboard
    return now
