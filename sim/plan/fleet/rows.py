"""Duties as rows of numbers, and the compiled test of a row: load, rides, windows, who may share a bus.

An event is a stop (0 .. n-1) or a visit to a school (n ..). A row holds the events of one duty in order. Everyone
on board for a school alights at its next visit. Times are minutes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from sim.plan import Bools, Floats, Ints

EPS = 1e-6
LONG_AGO = -1e9
FOREVER = 1e9
LONGEST = 200
"""Events a duty has at most."""
SCRATCH = 6
"""Rows at the end of the duties in which a change is tried out before it is made."""


EVENT = np.dtype(
    [
        ("school", np.int64),  # event of the school of a stop; of a school itself
        ("load", np.float64),
        ("serve", np.float64),  # minutes at a stop, or of a visit before anybody alights
        ("alight", np.float64),  # minutes that the pupils of the stop add to the visit
        ("limit", np.float64),  # longest ride
        ("opens", np.float64),  # window of arrival at a school
        ("closes", np.float64),
    ]
)
ROW = np.dtype(
    [
        ("size", np.int64),  # events in the row
        ("seats", np.float64),
        ("cost", np.float64),
        ("event", np.int64, LONGEST),
        ("mate", np.int64, LONGEST),  # position of the visit at which the pupils of a stop alight
        ("early", np.float64, LONGEST),  # earliest arrival
        ("late", np.float64, LONGEST),  # latest arrival in time for the rest, if nobody waits with pupils on board
        ("down", np.float64, LONGEST),  # at a visit: latest arrival as far as what comes after it is concerned
        ("stand", np.float64, LONGEST),  # minutes from arrival to departure
        ("since", np.float64, LONGEST),  # minutes from the first event without any waiting
        ("spare", np.float64, LONGEST),  # minutes that may be added just before without too long a ride of anybody
        ("aboard", np.float64, LONGEST),  # pupils on board on arrival
    ]
)
Rows = np.ndarray  # of ROW: the duties, then SCRATCH rows
Events = np.ndarray  # of EVENT: the stops, then the schools


class Data(NamedTuple):
    """A problem as compiled code reads it: n stops, s schools, e = n + s events."""

    at: Events
    """(e,)"""
    leg: Floats
    """(e, e) minutes from event to event."""
    price: Floats
    """(e + 1, e + 1) what a way costs; the last place is the yard."""
    apart: Bools
    """(s, s) schools whose pupils may not be on one duty."""
    kind_seats: Floats
    kind_price: Floats
    """(k,) sizes of bus, ascending, and what a duty of the size costs beside its ways."""
    row_of: Ints
    """(n,) row of each stop, -1 where it has none."""
    clock: Ints
    """(1,) events looked at so far: the clock of the search."""
    stops: int
    buses: int
    """Rows for which there is a bus; the rest are used only while no other way is known."""
    mixed: bool
    """Whether pupils of several schools may be on board together."""
    again: bool
    """Whether a bus may visit a school twice."""


@njit(cache=True)
def refresh(d: Data, s: Rows, r: int) -> bool:  # pragma: no cover
    """Work out everything about a row; return whether the duty can be driven."""
    d.clock[0] += 2 * s[r].size
    s[r].cost = 0.0
    if s[r].size == 0:
        return True
    return _visits(d, s, r) and _seats(d, s, r) and _times(d, s, r) and _room(d, s, r)


@njit(cache=True)
def _visits(d: Data, s: Rows, r: int) -> bool:  # pragma: no cover
    """Find where each stop's pupils alight, and check which schools the duty visits; what the ways cost."""
    event, mate, stand, size = s[r].event, s[r].mate, s[r].stand, s[r].size
    cost, after = 0.0, len(d.price) - 1
    for k in range(size - 1, -1, -1):
        one = event[k]
        cost += d.price[one, after]
        after = one
        mate[k], stand[k] = k, d.at[one].serve
        for v in range(k + 1, size):
            other = event[v]
            if one < d.stops:
                if other == d.at[one].school:
                    mate[k] = v
                    stand[v] += d.at[one].alight
                    break
            elif other >= d.stops and (d.apart[one - d.stops, other - d.stops] or (other == one and not d.again)):
                return False
        if one < d.stops and mate[k] == k:
            return False
    s[r].cost = cost + d.price[len(d.price) - 1, after]
    return True


@njit(cache=True)
def _seats(d: Data, s: Rows, r: int) -> bool:  # pragma: no cover
    """Count who is on board, check seats and mixed loads, add what a bus of the size costs."""
    event, mate, aboard, size = s[r].event, s[r].mate, s[r].aboard, s[r].size
    load, most, waiting = 0.0, 0.0, 0
    for k in range(size):
        aboard[k] = load
        if event[k] < d.stops:
            load += d.at[event[k]].load
            waiting += 1
            continue
        most = max(most, load)
        for j in range(k):
            if mate[j] == k and event[j] < d.stops:
                load -= d.at[event[j]].load
                waiting -= 1
        if waiting > 0 and not d.mixed:
            return False
    bus = 0
    while bus < len(d.kind_seats) - 1 and d.kind_seats[bus] < most:
        bus += 1
    s[r].cost += d.kind_price[bus]
    return most <= s[r].seats


@njit(cache=True)
def _times(d: Data, s: Rows, r: int) -> bool:  # pragma: no cover
    """Find the earliest times: forward, each stop no earlier than its school less the limit, to a fixed point."""
    event, mate, early, stand, since, size = s[r].event, s[r].mate, s[r].early, s[r].stand, s[r].since, s[r].size
    since[0], early[0] = 0.0, LONG_AGO
    for k in range(1, size):
        way = stand[k - 1] + d.leg[event[k - 1], event[k]]
        since[k], early[k] = since[k - 1] + way, LONG_AGO
    for k in range(size):
        if event[k] < d.stops and since[mate[k]] - since[k] > d.at[event[k]].limit + EPS:
            return False
    moved = True
    while moved:
        for k in range(size):
            if k > 0:
                early[k] = max(early[k], early[k - 1] + since[k] - since[k - 1])
            one = event[k]
            if one >= d.stops:
                early[k] = max(early[k], d.at[one].opens)
                if early[k] > d.at[one].closes + EPS:
                    return False
        moved = False
        for k in range(size):
            if event[k] < d.stops:
                least = early[mate[k]] - d.at[event[k]].limit
                if least > early[k] + EPS:
                    early[k] = least
                    moved = moved or early[k] + since[k + 1] - since[k] > early[k + 1] + EPS
    return True


@njit(cache=True)
def _room(d: Data, s: Rows, r: int) -> bool:  # pragma: no cover
    """Work out what room the row leaves for more: latest times and spare minutes of those on board."""
    event, mate, late, down, since = s[r].event, s[r].mate, s[r].late, s[r].down, s[r].since
    spare, size = s[r].spare, s[r].size
    for k in range(size - 1, -1, -1):
        down[k] = late[k + 1] - (since[k + 1] - since[k]) if k + 1 < size else FOREVER
        late[k] = min(down[k], d.at[event[k]].closes)
        spare[k] = FOREVER
    for k in range(size):
        if event[k] < d.stops:
            left = d.at[event[k]].limit - (since[mate[k]] - since[k])
            for v in range(k + 1, mate[k] + 1):
                spare[v] = min(spare[v], left)
    return True


@njit(cache=True)
def copy_row(s: Rows, source: int, target: int, start: int, end: int, at: int) -> int:  # pragma: no cover
    """Copy events start .. end-1 of a row to another one from position `at`; return the position behind them."""
    for k in range(start, end):
        s[target].event[at + k - start] = s[source].event[k]
    return at + end - start


@njit(cache=True)
def put(d: Data, s: Rows, r: int, stop: int, p: int, q: int, new: bool, target: int) -> bool:  # pragma: no cover
    """Write row r with the stop before position p (and a new visit before q) to another row; return if it can be."""
    s[target].seats = s[r].seats
    at = copy_row(s, r, target, 0, p, 0)
    s[target].event[at] = stop
    at = copy_row(s, r, target, p, q, at + 1)
    if new:
        s[target].event[at] = d.at[stop].school
        at += 1
    s[target].size = copy_row(s, r, target, q, s[r].size, at)
    return refresh(d, s, target)


@njit(cache=True)
def drop(d: Data, s: Rows, r: int, one: int, two: int, target: int) -> bool:  # pragma: no cover
    """Write row r without the stops at positions one and two (-1: none), nor visits left without pupils."""
    at, size = 0, s[r].size
    s[target].seats = s[r].seats
    for k in range(size):
        here = s[r].event[k]
        if k in (one, two):
            continue
        if here >= d.stops:
            used = False
            for j in range(k):
                if s[r].mate[j] == k and j != k and j != one and j != two and s[r].event[j] < d.stops:
                    used = True
                    break
            if not used:
                continue
        s[target].event[at] = here
        at += 1
    s[target].size = at
    return refresh(d, s, target)


@njit(cache=True)
def commit(d: Data, s: Rows, source: int, target: int) -> None:  # pragma: no cover
    """Make a tried row the row of a duty."""
    old, new = s[source], s[target]
    new.size, new.cost = old.size, old.cost
    for k in range(old.size):
        new.event[k], new.mate[k], new.aboard[k] = old.event[k], old.mate[k], old.aboard[k]
        new.early[k], new.late[k], new.down[k] = old.early[k], old.late[k], old.down[k]
        new.stand[k], new.since[k], new.spare[k] = old.stand[k], old.since[k], old.spare[k]
        if old.event[k] < d.stops:
            d.row_of[old.event[k]] = target


@njit(cache=True)
def save(s: Rows, event: Ints, size: Ints) -> None:  # pragma: no cover
    """Note the events of all duties; event (r, m), size (r,)."""
    for r in range(len(size)):
        size[r] = s[r].size
        event[r, : size[r]] = s[r].event[: size[r]]


@njit(cache=True)
def restore(d: Data, s: Rows, event: Ints, size: Ints) -> None:  # pragma: no cover
    """Make the duties what they were when they were saved."""
    for r in range(len(size)):
        s[r].size = size[r]
        s[r].event[: size[r]] = event[r, : size[r]]
        refresh(d, s, r)
        for k in range(size[r]):
            if event[r, k] < d.stops:
                d.row_of[event[r, k]] = r
