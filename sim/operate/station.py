"""Stations: a whole batch of pupils passes windows, seats, taps or beds at once, by compiled recursion.

The waiting of a first-come-first-served queue follows from the times at which its servers become free (Kiefer and
Wolfowitz 1955): a pupil begins at the later of their arrival and the earliest free server. `tests/oracle.py` lives
the same stations as plain SimPy models, one process per pupil; both agree to the last bit. A batch and a line are
numbers of pupils (or of visits); columns have a place for each number, and those told into are blank before: NaN, 0.

The minutes at which servers become free stand in a list that ascends: the few that are later move up for a new one.

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
Codes = NDArray[np.int8]


@njit(cache=True)
def queue(
    line: Ints, minutes: tuple[Floats, Floats], windows: tuple[Floats, Floats], last: tuple[float, float],
    portions: int, told: tuple[Floats, Floats, Codes],
) -> None:  # fmt: skip
    """Serve a line first come, first served; tell start and done of whoever is served, and who was left short.

    minutes: arrival, ascending along the line, and service; windows: (c,) minutes at which each opens, and from
    which on it takes nobody and finishes whom it has begun; last: who has not begun by then gives up, and whose
    service would end later gets nothing, and the server is busy to that end; portions: so many may begin, and
    whoever's turn comes after them is short and leaves the line with nothing.
    """
    (arrive, service), (start, done, short) = minutes, told
    first, end = 0, 0  # where the servers still there stand, by the minute they are free, then the one they close
    free, close = np.empty(len(windows[0]) + len(line)), np.empty(len(windows[0]) + len(line))
    for opens, closes in zip(*windows):  # noqa: B905 - numba has no strict
        end = _stand(free, close, first, end, opens, closes)
    for who in line:
        while first < end and max(arrive[who], free[first]) >= close[first]:  # it closes for good before its next pupil
            first += 1
        begin = max(arrive[who], free[first]) if first < end else np.inf
        if begin >= last[0]:
            break  # those behind would begin no earlier
        if portions == 0:
            short[who] = True
            continue
        portions -= 1
        if begin + service[who] <= last[1]:
            start[who], done[who] = begin, begin + service[who]
        end = _stand(free, close, first + 1, end, begin + service[who], close[first])
        first += 1


@njit(cache=True)
def _stand(free: Floats, close: Floats, first: int, end: int, minute: float, closes: float) -> int:
    """Let a server stand in line for pupils, where first:end do, from a minute until it closes; return the new end."""
    i = end
    while i > first and (free[i - 1] > minute or (free[i - 1] == minute and close[i - 1] > closes)):
        free[i], close[i] = free[i - 1], close[i - 1]
        i -= 1
    free[i], close[i] = minute, closes
    return end + 1


@njit(cache=True)
def in_order(batch: Ints, time: Floats, bell: float) -> Ints:
    """Return who of a batch comes before the bell, in order of time; equal times in the order of the batch.

    Each goes to one of as many buckets as there are pupils, then the few that are still out of order move up:
    linear in the number of pupils when they come spread over the time, as they do.
    """
    come, n, first, last = np.empty_like(batch), 0, np.inf, -np.inf
    for who in batch:
        come[n] = who
        n += time[who] < bell  # false for NaN
    for who in come[:n]:
        first, last = min(first, time[who]), max(last, time[who])
    scale = (n - 1) / (last - first) if last > first else 0.0
    ends, order = np.zeros(n + 1, dtype=np.int64), np.empty(n, dtype=np.int64)
    for who in come[:n]:
        ends[int((time[who] - first) * scale) + 1] += 1
    for b in range(n):
        ends[b + 1] += ends[b]
    for who in come[:n]:
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
def turns(
    line: Ints, minutes: tuple[Floats, Floats], places: int, bell: float, latest: float, told: tuple[Floats, Floats]
) -> None:  # fmt: skip
    """Let a line take turns at places that are always open; tell begin and end of whoever begins before the bell.

    minutes: arrival, ascending along the line, and stay, which ends at the latest minute if not before. A place is
    free when all but places - 1 of those before have left.
    """
    (arrive, stay), (begun, ended) = minutes, told
    left = np.empty(max(len(line) - places, 0))  # nobody waits for a later one to leave
    for k in range(len(line) if places > 0 else 0):
        who = line[k]
        begin = arrive[who] if k < places else max(arrive[who], left[k - places])
        if begin >= bell:
            break  # those behind would begin no earlier
        begun[who], ended[who] = begin, min(begin + stay[who], latest)
        _note(left, k, ended[who])


@njit(cache=True)
def _note(first: Floats, k: int, minute: float) -> None:
    """Note a minute in its place among k that ascend; only the first are kept, as many as there is room for."""
    i = min(k, len(first))
    if i == len(first):
        if i == 0 or first[i - 1] <= minute:
            return
        i -= 1
    while i > 0 and first[i - 1] > minute:
        first[i] = first[i - 1]
        i -= 1
    first[i] = minute


@njit(cache=True)
def canteen(
    batch: Ints, minutes: tuple[Floats, Floats, Floats], windows: tuple[Floats, Floats], seats: int, bell: float,
    portions: int, told: tuple[Floats, Floats, Floats, Floats, Codes],
) -> int:  # fmt: skip
    """Serve and seat one sitting; tell (at_window, served, seated, left, short); return how many have a meal.

    minutes: arrival at the hall, in any order, at the window and at table; windows: when each opens and closes (c,);
    portions: meals the kitchen has. Pupils queue in order of arrival, take their meal by the bell, take the
    earliest free seat in order of service and hold it while they eat, at most until the bell. short: the kitchen
    had nothing left when the pupil's turn came. Without a seat a pupil has a meal and no time for it.
    """
    arrive, service, eat = minutes
    at_window, served, seated, left, short = told
    line = in_order(batch, arrive, bell)
    queue(line, (arrive, service), windows, (bell, bell), portions, (at_window, served, short))
    fed, n = np.empty_like(line), 0
    for who in line:
        fed[n] = who
        n += not np.isnan(served[who])
    _settle(fed[:n], served)  # a line leaves c windows almost in order
    turns(fed[:n], (served, eat), seats, bell, bell, (seated, left))
    return n


@njit(cache=True)
def loss(arrive: Floats, stay: Floats, servers: int) -> Bools:
    """Tell who finds one of the beds free and takes it for a stay; the others are refused and do not wait; (n,).

    arrive: (n,) minutes, ascending; stay: (n,) minutes; a bed left at the very minute of an arrival is free.
    """
    n = arrive.shape[0]
    found = np.zeros(n, dtype=np.bool_)
    left, taken = np.empty(n), 0
    for i in range(n if servers > 0 else 0):
        found[i] = taken < servers or left[taken - servers] <= arrive[i]
        if found[i]:
            _note(left, taken, arrive[i] + stay[i])
            taken += 1
    return found
