"""Random changes that keep every duty drivable: a stop moves, two stops change places, two duties change tails."""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.plan import Ints
from sim.plan.fleet.place import BEFORE, KEY, NEW, VISIT, nowhere, seek
from sim.plan.fleet.rows import (
    EPS,
    FOREVER,
    LONGEST,
    SCRATCH,
    Data,
    Rows,
    commit,
    copy_row,
    drop,
    put,
    refresh,
    restore,
    save,
)

SWAP, TAILS = 0.3, 0.15
CHANGES = 100


@njit(cache=True)
def change(d: Data, s: Rows, rng: np.random.Generator, near: Ints, heat: float) -> bool:  # pragma: no cover
    """Try one random change; it is made when it can be driven and costs no more than luck at this heat allows."""
    stop, luck = int(rng.integers(0, d.stops)), rng.random()
    a = d.row_of[stop]
    other = int(near[stop, rng.integers(0, near.shape[1])])
    b = d.row_of[other]
    if a < 0 or b < 0:
        return False
    allowed = FOREVER if heat >= FOREVER else -heat * np.log(1.0 - rng.random())
    if luck < TAILS:
        return a != b and _tails(d, s, rng, a, b, allowed)
    if luck < TAILS + SWAP:
        return a != b and _swap(d, s, rng, a, stop, b, other, allowed)
    return _move(d, s, rng, a, stop, b, allowed)


@njit(cache=True)
def _at(s: Rows, r: int, stop: int) -> int:  # pragma: no cover
    k = 0
    while s[r].event[k] != stop:
        k += 1
    return k


@njit(cache=True)
def _made(d: Data, s: Rows, a: int, new_a: int, b: int, new_b: int, allowed: float) -> bool:  # pragma: no cover
    """Make two tried rows the rows of a and b if that costs no more than allowed."""
    if s[new_a].cost + s[new_b].cost - s[a].cost - s[b].cost > allowed:
        return False
    commit(d, s, new_a, a)
    commit(d, s, new_b, b)
    return True


@njit(cache=True)
def _into(d: Data, s: Rows, rng: np.random.Generator, r: int, stop: int, target: int) -> bool:  # pragma: no cover
    """Write row r with the stop at its cheapest place to another row."""
    best = nowhere()
    seek(d, s, rng, r, stop, 1.0, best)
    return best[KEY] < FOREVER and put(d, s, r, stop, int(best[BEFORE]), int(best[VISIT]), best[NEW] > 0, target)


@njit(cache=True)
def _move(
    d: Data, s: Rows, rng: np.random.Generator, a: int, stop: int, b: int, allowed: float
) -> bool:  # pragma: no cover
    """Move a stop to the cheapest place in the duty of another stop (or in its own)."""
    first = len(s) - SCRATCH
    if not drop(d, s, a, _at(s, a, stop), -1, first):
        return False
    if a == b:
        if not _into(d, s, rng, first, stop, first + 1) or s[first + 1].cost - s[a].cost > allowed:
            return False
        commit(d, s, first + 1, a)
        return True
    return _into(d, s, rng, b, stop, first + 1) and _made(d, s, a, first, b, first + 1, allowed)


@njit(cache=True)
def _swap(
    d: Data, s: Rows, rng: np.random.Generator, a: int, one: int, b: int, two: int, allowed: float
) -> bool:  # pragma: no cover
    """Let two stops change duties, each to its cheapest place."""
    first = len(s) - SCRATCH
    return (
        drop(d, s, a, _at(s, a, one), -1, first)
        and _into(d, s, rng, first, two, first + 1)
        and drop(d, s, b, _at(s, b, two), -1, first)
        and _into(d, s, rng, first, one, first + 2)
        and _made(d, s, a, first + 1, b, first + 2, allowed)
    )


@njit(cache=True)
def _tails(d: Data, s: Rows, rng: np.random.Generator, a: int, b: int, allowed: float) -> bool:  # pragma: no cover
    """Let two duties change what they do from some moment on at which both buses are empty."""
    p, q, first = rng.integers(0, s[a].size + 1), rng.integers(0, s[b].size + 1), len(s) - SCRATCH
    while p < s[a].size and s[a].aboard[p] > 0:
        p += 1
    while q < s[b].size and s[b].aboard[q] > 0:
        q += 1
    if p + s[b].size - q >= LONGEST or q + s[a].size - p >= LONGEST:
        return False
    s[first].seats, s[first + 1].seats = s[a].seats, s[b].seats
    s[first].size = copy_row(s, b, first, q, s[b].size, copy_row(s, a, first, 0, p, 0))
    s[first + 1].size = copy_row(s, a, first + 1, p, s[a].size, copy_row(s, b, first + 1, 0, q, 0))
    return refresh(d, s, first) and refresh(d, s, first + 1) and _made(d, s, a, first, b, first + 1, allowed)


@njit(cache=True)
def anneal(
    d: Data, s: Rows, rng: np.random.Generator, near: Ints, hot: float, cold: float, looks: int
) -> None:  # pragma: no cover
    """Polish the ways at the buses there are; heat falls with the work done, the best is kept."""
    rows, begin = len(s) - SCRATCH, d.clock[0]
    event, size = np.empty((rows, LONGEST), dtype=np.int64), np.empty(rows, dtype=np.int64)
    save(s, event, size)
    best = total(s)
    while d.clock[0] < begin + looks:
        heat = hot * (cold / hot) ** ((d.clock[0] - begin) / looks)
        for _ in range(CHANGES):
            change(d, s, rng, near, heat)
        if total(s) < best - EPS:
            best = total(s)
            save(s, event, size)
    restore(d, s, event, size)


@njit(cache=True)
def total(s: Rows) -> float:  # pragma: no cover
    """Return what all duties cost."""
    cost = 0.0
    for r in range(len(s) - SCRATCH):
        cost += s[r].cost
    return cost
