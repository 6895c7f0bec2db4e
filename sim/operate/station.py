"""Stations: a whole batch of pupils passes windows, seats, taps or beds at once, by compiled recursion.

The waiting of a first-come-first-served queue follows from the times at which its servers become free (Kiefer and
Wolfowitz 1955): a pupil begins at the later of their arrival and the earliest free server. `tests/oracle.py` lives
the same stations as plain SimPy models, one process per pupil; both agree to the last bit.

Ties: pupils who arrive at the same instant are served in the order of the batch. A pupil goes to the server that
has been free longest; of servers free since the same minute to the one that closes first, then to the first in
order, which changes nobody's times. A window takes nobody at the very minute in which it closes or the bell rings.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@njit(cache=True)
def _sink(free: Floats, close: Floats, i: int, size: int) -> None:
    """Let server i sink to its place in the heap of servers: by the minute it is free, then the one it closes."""
    now_free, now_close = free[i], close[i]
    child = 2 * i + 1
    while child < size:
        if child + 1 < size:
            child += _goes_first(free[child + 1], close[child + 1], free[child], close[child])
        if not _goes_first(free[child], close[child], now_free, now_close):
            break
        free[i], close[i] = free[child], close[child]
        i, child = child, 2 * child + 1
    free[i], close[i] = now_free, now_close


@njit(cache=True, inline="always")
def _goes_first(free: float, close: float, other_free: float, other_close: float) -> bool:
    """Tell whether a server comes before another; without a branch, as a processor could not guess the answer."""
    return (free < other_free) | ((free == other_free) & (close < other_close))


@njit(cache=True)
def queue(
    arrive: Floats, service: Floats, opens: Floats, closes: Floats, last_begin: float, last_end: float, portions: int
) -> tuple[Floats, Floats]:
    """Serve a line first come, first served; return (start, done) of each pupil, NaN for whom nothing is left.

    arrive: (n,) minutes, ascending; service: (n,) minutes; opens, closes: (c,) minutes of each server, who takes
    nobody from `closes` on and finishes whom it has begun; `last_begin`: who has not begun by then gives up;
    `last_end`: whose service would end later gets nothing, and the server is busy to that end; portions: so many
    may begin, and whoever's turn comes after them leaves the line with nothing.
    """
    start, done, _ = _serve(arrive, service, opens, closes, last_begin, last_end, portions)
    return start, done


@njit(cache=True)
def _serve(
    arrive: Floats, service: Floats, opens: Floats, closes: Floats, last_begin: float, last_end: float, portions: int
) -> tuple[Floats, Floats, Bools]:
    """Serve a line as `queue` does; return also who had a turn when no portion was left; (n,)."""
    n, size = arrive.shape[0], opens.shape[0]
    start, done, short = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, dtype=np.bool_)
    free, close = opens.copy(), closes.copy()
    for i in range(size // 2 - 1, -1, -1):
        _sink(free, close, i, size)
    for i in range(n):
        while size > 0 and max(arrive[i], free[0]) >= close[0]:  # it closes for good before its next pupil
            size -= 1
            free[0], close[0] = free[size], close[size]
            _sink(free, close, 0, size)
        begin = max(arrive[i], free[0]) if size > 0 else np.inf
        if begin >= last_begin:
            break  # those behind would begin no earlier
        if portions == 0:
            short[i] = True
            continue
        portions -= 1
        end = begin + service[i]
        if end <= last_end:
            start[i], done[i] = begin, end
        free[0] = end
        _sink(free, close, 0, size)
    return start, done, short


@njit(cache=True)
def in_order(time: Floats, bell: float) -> Ints:
    """Return who comes before the bell, in order of time; equal times in the order of the batch.

    Each goes to one of as many buckets as there are pupils, then the few that are still out of order move up:
    linear in the number of pupils when they come spread over the time, as they do.
    """
    n, first, last = time.shape[0], np.inf, -np.inf
    for t in time:
        if t < bell:  # false for NaN
            first, last = min(first, t), max(last, t)
    scale = (n - 1) / (last - first) if last > first else 0.0
    ends, size = np.zeros(n + 1, dtype=np.int64), 0
    for t in time:
        if t < bell:
            ends[int((t - first) * scale) + 1] += 1
            size += 1
    for b in range(n):
        ends[b + 1] += ends[b]
    order = np.empty(size, dtype=np.int64)
    for who in range(n):
        if time[who] < bell:
            b = int((time[who] - first) * scale)
            order[ends[b]] = who
            ends[b] += 1
    _settle(order, time)
    return order


@njit(cache=True)
def _settle(order: Ints, time: Floats) -> None:
    """Put an order that is nearly right right: who is earlier moves up past those before."""
    for k in range(1, order.shape[0]):
        who, i = order[k], k
        while i > 0 and time[order[i - 1]] > time[who]:
            order[i] = order[i - 1]
            i -= 1
        order[i] = who


@njit(cache=True)
def _sit(served: Floats, eat: Floats, seats: int, bell: float) -> tuple[Floats, Floats]:
    """Seat those who were served, ascending, on the earliest free seat; return (seated, left), NaN without one."""
    n = served.shape[0]
    seated, left = np.full(n, np.nan), np.full(n, np.nan)
    until, taken = np.empty(min(n, seats)), 0
    for i in range(n if seats > 0 else 0):
        begin = served[i] if taken < seats else max(served[i], until[0])
        if begin >= bell:
            break
        seated[i], left[i] = begin, min(begin + eat[i], bell)
        taken = _take(until, taken, seats, left[i])
    return seated, left


@njit(cache=True)
def turns(arrive: Floats, service: Floats, servers: int, bell: float) -> tuple[Floats, Floats]:
    """Let a line take turns at servers that are always open; return (start, done), NaN for who gives up at the bell.

    As `queue` with windows that never close and enough for everyone, (n,) each; simpler, therefore faster.
    """
    n = arrive.shape[0]
    start, done = np.empty(n), np.empty(n)
    until, taken, i = np.empty(min(n, servers)), 0, 0
    while i < n and servers > 0:
        begin = arrive[i] if taken < servers else max(arrive[i], until[0])
        if begin >= bell:
            break  # those behind would begin no earlier
        start[i], done[i] = begin, begin + service[i]
        taken = _take(until, taken, servers, done[i])
        i += 1
    start[i:], done[i:] = np.nan, np.nan
    return start, done


@njit(cache=True)
def _take(until: Floats, taken: int, places: int, minute: float) -> int:
    """Take one of the places until a minute: a fresh one, else the first to become free; return those ever taken.

    until: heap of the minutes at which the places taken become free.
    """
    if taken < places:
        i = taken
        while i > 0 and until[(i - 1) // 2] > minute:
            until[i] = until[(i - 1) // 2]
            i = (i - 1) // 2
        until[i] = minute
        return taken + 1
    i, child = 0, 1
    while child < places:
        if child + 1 < places:
            child += until[child + 1] < until[child]
        if until[child] >= minute:
            break
        until[i] = until[child]
        i, child = child, 2 * child + 1
    until[i] = minute
    return taken


@njit(cache=True)
def canteen(
    arrive: Floats, service: Floats, eat: Floats, opens: Floats, closes: Floats, seats: int, bell: float, portions: int
) -> tuple[Floats, Floats, Floats, Floats, Bools]:
    """Serve and seat one sitting; return (at_window, served, seated, left, short), (n,) each, NaN where it never was.

    arrive: (n,) minutes at the hall, in any order; service, eat: (n,) minutes; opens, closes: (c,) minutes of
    the windows; portions: meals the kitchen has. Pupils queue in order of arrival, take their meal by the bell,
    take the earliest free seat in order of service and hold it while they eat, at most until the bell. short:
    the kitchen had nothing left when the pupil's turn came. Without a seat a pupil has a meal and no time for it.
    """
    n = arrive.shape[0]
    at_window, served, seated, left = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    short = np.zeros(n, dtype=np.bool_)
    line = in_order(arrive, bell)
    start, done, out = _serve(arrive[line], service[line], opens, closes, bell, bell, portions)
    at_window[line], served[line], short[line] = start, done, out
    fed = np.flatnonzero(~np.isnan(done))
    _settle(fed, done)  # a line leaves c windows almost in order
    table = line[fed]
    seated[table], left[table] = _sit(done[fed], eat[table], seats, bell)
    return at_window, served, seated, left, short


@njit(cache=True)
def loss(arrive: Floats, stay: Floats, servers: int) -> Bools:
    """Tell who finds one of the beds free and takes it for a stay; the others are refused and do not wait; (n,).

    arrive: (n,) minutes, ascending; stay: (n,) minutes; a bed left at the very minute of an arrival is free.
    """
    n = arrive.shape[0]
    found = np.zeros(n, dtype=np.bool_)
    until, taken = np.empty(min(n, servers)), 0
    for i in range(n if servers > 0 else 0):
        found[i] = taken < servers or until[0] <= arrive[i]
        if found[i]:
            taken = _take(until, taken, servers, arrive[i] + stay[i])
    return found
