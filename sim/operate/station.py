"""Stations: a whole batch of pupils passes windows and seats at once, by compiled recursion.

The waiting of a first-come-first-served queue with c servers follows from the times at which the servers
become free (Kiefer and Wolfowitz 1955): a pupil starts at the later of their arrival and the earliest free
server. `tests/oracle.py` lives the same stations as plain SimPy models, one process per pupil; both agree to
the last bit. Ties: pupils who arrive at the same instant are served in the order of the batch.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True)
def _sink(heap: Floats, size: int) -> None:
    """Let the first element of a heap sink to its place."""
    value, i = heap[0], 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = value


@njit(cache=True)
def queue(arrive: Floats, service: Floats, servers: int, bell: float) -> tuple[Floats, Floats]:
    """Return (start, done) of each pupil in a queue, in order of arrival; NaN for whom the bell comes first.

    arrive: (n,) minutes, ascending; service: (n,) minutes; servers: how many serve at once; a pupil whose
    service would end after `bell` is not served and the server is lost to nobody, as no later pupil of the
    same server could end before the bell either.
    """
    n = arrive.shape[0]
    start, done = np.full(n, np.nan), np.full(n, np.nan)
    if servers < 1:
        return start, done
    free = np.full(servers, -np.inf)
    for i in range(n):
        begin = max(arrive[i], free[0])
        if begin >= bell:
            continue
        end = begin + service[i]
        free[0] = end
        _sink(free, servers)
        if end <= bell:
            start[i], done[i] = begin, end
    return start, done


@njit(cache=True)
def _by_time(line: Ints, time: Floats) -> Ints:
    """Order those with a time by it; insertion sort, because a line leaves c windows almost in order."""
    order = np.empty_like(line)
    size = 0
    for who in line:
        if np.isnan(time[who]):
            continue
        i = size
        while i > 0 and time[order[i - 1]] > time[who]:
            order[i] = order[i - 1]
            i -= 1
        order[i] = who
        size += 1
    return order[:size]


@njit(cache=True)
def canteen(
    arrive: Floats, service: Floats, eat: Floats, windows: int, seats: int, bell: float
) -> tuple[Floats, Floats, Floats]:
    """Serve and seat one sitting; return (served, seated, left), each (n,) minutes, NaN where it never was.

    arrive: (n,) minutes at the hall, in any order; service, eat: (n,) minutes; everyone leaves at the bell.
    Pupils queue in order of arrival, take their meal, then take the earliest free seat in order of service
    and hold it while they eat. A pupil without a seat by the bell has a meal and no time to eat it.
    """
    n = arrive.shape[0]
    served, seated, left = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    line = np.argsort(arrive, kind="mergesort")
    _, done = queue(arrive[line], service[line], windows, bell)
    for i in range(n):
        served[line[i]] = done[i]
    table = _by_time(line, served)
    free = np.full(max(seats, 1), -np.inf)
    for i in range(table.shape[0] if seats > 0 else 0):
        who = table[i]
        begin = max(served[who], free[0])
        if begin >= bell:
            continue
        seated[who] = begin
        left[who] = min(begin + eat[who], bell)
        free[0] = left[who]
        _sink(free, seats)
    return served, seated, left
