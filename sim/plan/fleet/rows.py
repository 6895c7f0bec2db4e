"""Duties as rows of numbers, and the compiled test of a row: load, rides, windows, who may share a bus.

An event is a stop (0 .. n-1) or a visit to a school (n ..). A row holds the events of one duty in order. Everyone
on board for a school alights at its next visit. Times are minutes.
"""

from __future__ import annotations

from typing import NamedTuple

from numba import njit

from sim.plan import Bools, Floats, Ints

EPS = 1e-6
LONG_AGO = -1e9
FOREVER = 1e9
SCRATCH = 6
"""Rows at the end of the state in which a change is tried out before it is made."""


class Data(NamedTuple):
    """A problem as compiled code reads it: n stops, s schools, e = n + s events."""

    stops: int
    school: Ints
    """(e,) event of the school of a stop; of a school itself."""
    load: Floats
    """(n,)"""
    serve: Floats
    """(e,) minutes at a stop, or of a visit before anybody alights."""
    alight: Floats
    """(e,) minutes that each pupil of the stop adds to the visit; 0 for schools."""
    limit: Floats
    """(n,) longest ride."""
    opens: Floats
    closes: Floats
    """(e,) window of arrival; without bounds at stops."""
    leg: Floats
    """(e, e) minutes from event to event."""
    price: Floats
    """(e + 1, e + 1) what a way costs; the last place is the depot."""
    apart: Bools
    """(s, s) schools whose pupils may not be on one duty."""
    seats: Floats
    """(r,) seats of the bus of each row."""
    buses: int
    """Rows for which there is a bus; the rest are used only while no other way is known."""
    kind_seats: Floats
    kind_price: Floats
    """(k,) sizes of bus, ascending, and what a duty of the size costs beside its ways."""
    mixed: bool
    """Whether pupils of several schools may be on board together."""
    again: bool
    """Whether a bus may visit a school twice."""


class State(NamedTuple):
    """All duties; (r, m) arrays by row and position unless said otherwise."""

    event: Ints
    mate: Ints
    """Position of the visit at which a stop's pupils alight."""
    early: Floats
    """Earliest arrival."""
    late: Floats
    """Latest arrival that leaves the rest of the row in time, if nobody waits with pupils on board."""
    down: Floats
    """At a visit: the latest arrival as far as what comes after it is concerned."""
    stand: Floats
    """Minutes from arrival to departure."""
    since: Floats
    """Minutes from the first event without any waiting."""
    spare: Floats
    """Minutes that may be added just before this event without too long a ride of anybody on board."""
    aboard: Floats
    """Pupils on board on arrival."""
    size: Ints
    """(r,) events in the row."""
    cost: Floats
    """(r,)"""
    row_of: Ints
    """(n,) row of each stop, -1 where it has none."""
    work: Ints
    """(1,) events looked at so far: the clock of the search."""


@njit(cache=True)
def refresh(d: Data, s: State, r: int) -> bool:  # pragma: no cover
    """Work out everything about a row; return whether the duty can be driven."""
    s.work[0] += 2 * s.size[r]
    s.cost[r] = 0.0
    if s.size[r] == 0:
        return True
    return _find_visits(d, s, r) and _times(d, s, r) and _room(d, s, r)


@njit(cache=True)
def _find_visits(d: Data, s: State, r: int) -> bool:  # pragma: no cover
    """Find where each stop's pupils alight and check that they may be on this bus together; load; cost."""
    event, mate, aboard, stand, size = s.event[r], s.mate[r], s.aboard[r], s.stand[r], s.size[r]
    cost, after = 0.0, len(d.price) - 1
    for k in range(size - 1, -1, -1):
        one = event[k]
        cost += d.price[one, after]
        after = one
        mate[k], stand[k] = k, d.serve[one]
        if one < d.stops:
            v = k + 1
            while v < size and event[v] != d.school[one]:
                v += 1
            if v == size:
                return False
            mate[k] = v
            stand[v] += d.alight[one]
        else:
            for v in range(k + 1, size):
                other = event[v]
                if other >= d.stops and (d.apart[one - d.stops, other - d.stops] or (other == one and not d.again)):
                    return False
    load, most = 0.0, 0.0
    for k in range(size):
        aboard[k] = load
        if event[k] < d.stops:
            load += d.load[event[k]]
        else:
            most = max(most, load)
            if d.mixed:
                for j in range(k):
                    if mate[j] == k:
                        load -= d.load[event[j]]
            else:
                load = 0.0
                for j in range(k - 1, -1, -1):
                    if event[j] >= d.stops:
                        break
                    if mate[j] != k:
                        return False
    bus = 0
    while bus < len(d.kind_seats) - 1 and d.kind_seats[bus] < most:
        bus += 1
    s.cost[r] = cost + d.price[len(d.price) - 1, after] + d.kind_price[bus]
    return most <= d.seats[r]


@njit(cache=True)
def _times(d: Data, s: State, r: int) -> bool:  # pragma: no cover
    """Find the earliest times: forward, each stop no earlier than its school less the limit, to a fixed point."""
    event, mate, early, stand, since, size = s.event[r], s.mate[r], s.early[r], s.stand[r], s.since[r], s.size[r]
    since[0], early[0] = 0.0, LONG_AGO
    for k in range(1, size):
        way = stand[k - 1] + d.leg[event[k - 1], event[k]]
        since[k], early[k] = since[k - 1] + way, LONG_AGO
    for k in range(size):
        if event[k] < d.stops and since[mate[k]] - since[k] > d.limit[event[k]] + EPS:
            return False
    moved = True
    while moved:
        for k in range(size):
            if k > 0:
                early[k] = max(early[k], early[k - 1] + since[k] - since[k - 1])
            one = event[k]
            if one >= d.stops:
                early[k] = max(early[k], d.opens[one])
                if early[k] > d.closes[one] + EPS:
                    return False
        moved = False
        for k in range(size):
            if event[k] < d.stops:
                least = early[mate[k]] - d.limit[event[k]]
                if least > early[k] + EPS:
                    early[k] = least
                    moved = moved or early[k] + since[k + 1] - since[k] > early[k + 1] + EPS
    return True


@njit(cache=True)
def _room(d: Data, s: State, r: int) -> bool:  # pragma: no cover
    """Work out what room the row leaves for more: latest times and spare minutes of those on board."""
    event, mate, late, down, since = s.event[r], s.mate[r], s.late[r], s.down[r], s.since[r]
    spare, size = s.spare[r], s.size[r]
    for k in range(size - 1, -1, -1):
        down[k] = late[k + 1] - (since[k + 1] - since[k]) if k + 1 < size else FOREVER
        late[k] = min(down[k], d.closes[event[k]])
        spare[k] = FOREVER
    for k in range(size):
        if event[k] < d.stops:
            left = d.limit[event[k]] - (since[mate[k]] - since[k])
            for v in range(k + 1, mate[k] + 1):
                spare[v] = min(spare[v], left)
    return True


@njit(cache=True)
def copy_row(s: State, source: int, target: int, start: int, end: int, at: int) -> int:  # pragma: no cover
    """Copy events start .. end-1 of a row to another one from position `at`; return the position behind them."""
    for k in range(start, end):
        s.event[target, at + k - start] = s.event[source, k]
    return at + end - start


@njit(cache=True)
def put(d: Data, s: State, r: int, stop: int, p: int, q: int, new: bool, target: int) -> bool:  # pragma: no cover
    """Write row r with the stop before position p (and a new visit before q) to another row; return if it can be."""
    d.seats[target] = d.seats[r]
    at = copy_row(s, r, target, 0, p, 0)
    s.event[target, at] = stop
    at = copy_row(s, r, target, p, q, at + 1)
    if new:
        s.event[target, at] = d.school[stop]
        at += 1
    s.size[target] = copy_row(s, r, target, q, s.size[r], at)
    return refresh(d, s, target)


@njit(cache=True)
def drop(d: Data, s: State, r: int, one: int, two: int, target: int) -> bool:  # pragma: no cover
    """Write row r without the stops at positions one and two (-1: none), nor visits left without pupils."""
    at, size = 0, s.size[r]
    d.seats[target] = d.seats[r]
    for k in range(size):
        here = s.event[r, k]
        if k in (one, two):
            continue
        if here >= d.stops:
            used = False
            for j in range(k):
                if s.mate[r, j] == k and j != k and j != one and j != two and s.event[r, j] < d.stops:
                    used = True
                    break
            if not used:
                continue
        s.event[target, at] = here
        at += 1
    s.size[target] = at
    return refresh(d, s, target)


@njit(cache=True)
def commit(d: Data, s: State, source: int, target: int) -> None:  # pragma: no cover
    """Make a tried row the row of a duty."""
    size = s.size[source]
    s.size[target], s.cost[target] = size, s.cost[source]
    for k in range(size):
        s.event[target, k], s.mate[target, k] = s.event[source, k], s.mate[source, k]
        s.early[target, k], s.late[target, k] = s.early[source, k], s.late[source, k]
        s.down[target, k], s.stand[target, k] = s.down[source, k], s.stand[source, k]
        s.since[target, k], s.spare[target, k] = s.since[source, k], s.spare[source, k]
        s.aboard[target, k] = s.aboard[source, k]
        if s.event[source, k] < d.stops:
            s.row_of[s.event[source, k]] = target
