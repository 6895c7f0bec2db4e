"""The fewest duties: take one away and find places for its stops, throwing out others that are easier to place.

After Nagata and Bräysy (2009), "A powerful route minimization heuristic for the vehicle routing problem with time
windows", Operations Research Letters 37(5), 333-338, with duties of several trips in place of routes.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.plan import Floats, Ints
from sim.plan.fleet.change import change
from sim.plan.fleet.place import BEFORE, DUTY, KEY, NEW, VISIT, nowhere, seek
from sim.plan.fleet.rows import FOREVER, LONGEST, SCRATCH, Data, Rows, commit, drop, put, refresh, restore, save

GREED = 0.0
SHAKES = 50


@njit(cache=True)
def insert(d: Data, s: Rows, rng: np.random.Generator, stop: int, greed: float) -> bool:  # pragma: no cover
    """Put a stop at the best place of all duties; return False where none is left."""
    best = nowhere()
    for r in range(len(s) - SCRATCH):
        if s[r].size > 0:
            seek(d, s, rng, r, stop, greed, best)
    if best[KEY] >= FOREVER:
        return False
    _settle(d, s, int(best[DUTY]), stop, best)
    return True


@njit(cache=True)
def _settle(d: Data, s: Rows, r: int, stop: int, best: Floats) -> None:  # pragma: no cover
    """Put a stop at the place found."""
    scratch = len(s) - 2
    put(d, s, int(best[DUTY]), stop, int(best[BEFORE]), int(best[VISIT]), best[NEW] > 0, scratch)
    commit(d, s, scratch, r)


@njit(cache=True)
def take_up(d: Data, s: Rows, rng: np.random.Generator, event: Ints, size: Ints) -> None:  # pragma: no cover
    """Begin with given duties; of one that cannot be driven, with those stops that fit into it one by one."""
    scratch = len(s) - 2
    for r in range(len(size)):
        s[r].size = size[r]
        s[r].event[: size[r]] = event[r, : size[r]]
        if refresh(d, s, r) and drop(d, s, r, -1, -1, scratch):  # drop: visits at which nobody alights
            commit(d, s, scratch, r)
            continue
        s[r].size, s[r].cost = 0, 0.0
        for k in range(size[r]):
            if event[r, k] < d.stops:
                best = nowhere()
                if s[r].size > 0:
                    seek(d, s, rng, r, event[r, k], 1.0, best)
                    if best[KEY] < FOREVER:
                        _settle(d, s, r, event[r, k], best)
                elif s[r].seats >= d.at[event[r, k]].load:
                    _own(d, s, r, event[r, k])


@njit(cache=True)
def _own(d: Data, s: Rows, r: int, stop: int) -> None:  # pragma: no cover
    """Give a stop a duty of its own."""
    s[r].event[0], s[r].event[1], s[r].size = stop, d.at[stop].school, 2
    refresh(d, s, r)
    d.row_of[stop] = r


@njit(cache=True)
def start(d: Data, s: Rows, rng: np.random.Generator, order: Ints) -> None:  # pragma: no cover
    """Give every stop, in this order, the cheapest place in a duty there is, else a duty of its own."""
    for stop in order:
        if not insert(d, s, rng, stop, 1.0):
            r = 0
            while s[r].size > 0 or s[r].seats < d.at[stop].load:
                r += 1
            _own(d, s, r, stop)


@njit(cache=True)
def shorten(
    d: Data, s: Rows, rng: np.random.Generator, r: int, steps: int, blame: Floats, near: Ints
) -> bool:  # pragma: no cover
    """Take a duty away; return whether all its stops found places within so many steps."""
    stack, waiting = np.empty(d.stops, dtype=np.int64), 0
    for k in range(s[r].size):
        if s[r].event[k] < d.stops:
            stack[waiting] = s[r].event[k]
            d.row_of[s[r].event[k]] = -1
            waiting += 1
    s[r].size, s[r].cost = 0, 0.0
    for _ in range(steps):
        if waiting == 0:
            return True
        waiting -= 1
        stop = stack[waiting]
        if insert(d, s, rng, stop, GREED):
            continue
        blame[stop] += 1.0
        waiting = _eject(d, s, rng, stop, stack, waiting, blame)
        for _ in range(SHAKES):
            change(d, s, rng, near, FOREVER)
    return waiting == 0


@njit(cache=True)
def _eject(
    d: Data, s: Rows, rng: np.random.Generator, stop: int, stack: Ints, waiting: int, blame: Floats
) -> int:  # pragma: no cover
    """Put a stop in and the one or two stops out that are least to blame; return how many wait."""
    scratch = len(s) - 3
    least, out, out_row, first, second = FOREVER, nowhere(), -1, -1, -1
    rows = len(s) - SCRATCH
    shift = int(rng.integers(0, rows))
    for nr in range(rows):
        r = (nr + shift) % rows
        for one in range(s[r].size):
            if s[r].event[one] >= d.stops or blame[s[r].event[one]] >= least:
                continue
            for two in range(-1, one):
                if two >= 0 and s[r].event[two] >= d.stops:
                    continue
                sum_ = blame[s[r].event[one]] + (blame[s[r].event[two]] if two >= 0 else 0.0)
                if sum_ >= least or not drop(d, s, r, one, two, scratch):
                    continue
                best = nowhere()
                seek(d, s, rng, scratch, stop, GREED, best)
                if best[KEY] < FOREVER:
                    least, out, out_row, first, second = sum_, best, r, one, two
    if out_row < 0:
        stack[waiting] = stop
        return waiting + 1
    for k in (first, second):
        if k >= 0:
            stack[waiting] = s[out_row].event[k]
            d.row_of[stack[waiting]] = -1
            waiting += 1
    drop(d, s, out_row, first, second, scratch)
    _settle(d, s, out_row, stop, out)
    return waiting


@njit(cache=True)
def fewest(
    d: Data, s: Rows, rng: np.random.Generator, near: Ints, enough: int, steps: int, clock: int
) -> None:  # pragma: no cover
    """Take away duty after duty; whatever fails is put back as it was. Ends when the work allowed is done."""
    rows = len(s) - SCRATCH
    blame = np.ones(d.stops)
    event, size = np.empty((rows, LONGEST), dtype=np.int64), np.empty(rows, dtype=np.int64)
    save(s, event, size)
    while d.clock[0] < clock:
        used = np.flatnonzero(size > 0)
        if len(used) <= 1 or (len(used) <= enough and used[-1] < d.buses):
            return
        if used[-1] >= d.buses:  # first those for which there is no bus
            used = used[used >= d.buses]
        if shorten(d, s, rng, int(used[rng.integers(0, len(used))]), steps, blame, near):
            save(s, event, size)
        else:
            restore(d, s, event, size)
