"""Where a stop fits into a row: quick tests first, then the full one where they do not prove that it does."""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.plan import Floats
from sim.plan.fleet.rows import EPS, FOREVER, LONG_AGO, Data, State, put

KEY, ROW, BEFORE, VISIT, NEW = range(5)


@njit(cache=True)
def _offer(
    d: Data, s: State, best: Floats, key: float, r: int, stop: int, p: int, q: int, new: bool
) -> None:  # pragma: no cover
    """Remember a place if it is better than the best and the duty can be driven with it."""
    if key < best[KEY] and (not d.mixed or put(d, s, r, stop, p, q, new, len(s.size) - 1)):
        best[KEY], best[ROW], best[BEFORE], best[VISIT], best[NEW] = key, r, p, q, new


@njit(cache=True)
def _key(
    d: Data, s: State, rng: np.random.Generator, greed: float, r: int, stop: int, p: int, q: int, new: bool
) -> float:  # pragma: no cover
    """Return the worth of a place: what it costs, blurred by luck where greed is small."""
    event, size, home = s.event[r], s.size[r], len(d.price) - 1
    before = event[p - 1] if p > 0 else home
    after = event[p] if p < size else home
    if new and p == q:
        school = d.school[stop]
        cost = d.price[before, stop] + d.price[stop, school] + d.price[school, after] - d.price[before, after]
    else:
        cost = d.price[before, stop] + d.price[stop, after] - d.price[before, after]
        if new:
            last, then = event[q - 1], event[q] if q < size else home
            school = d.school[stop]
            cost += d.price[last, school] + d.price[school, then] - d.price[last, then]
    return cost if greed >= 1.0 else greed * cost + rng.random()


@njit(cache=True)
def seek(
    d: Data, s: State, rng: np.random.Generator, r: int, stop: int, greed: float, best: Floats
) -> None:  # pragma: no cover
    """Look for the best place of a stop in a row; `best` keeps key, row, position, position of the visit, new."""
    size = s.size[r]
    if size + 2 >= s.event.shape[1] or d.load[stop] > d.seats[r]:
        return
    school, visited, base = d.school[stop], False, d.stops
    for q in range(size):
        if s.event[r, q] >= base:
            if d.apart[school - base, s.event[r, q] - base]:
                return
            visited = visited or s.event[r, q] == school
    s.work[0] += size
    if visited:
        for q in range(size):
            if s.event[r, q] == school:
                _with_visit(d, s, rng, r, stop, q, greed, best)
    if d.again or not visited:
        for p in range(size + 1):
            if d.mixed:
                _new_mixed(d, s, rng, r, stop, p, greed, best)
            elif p == 0 or s.event[r, p - 1] >= base:
                _new_alone(d, s, rng, r, stop, p, greed, best)


@njit(cache=True)
def _arrival(d: Data, s: State, r: int, stop: int, p: int) -> float:  # pragma: no cover
    """Return the earliest arrival at a stop put before position p."""
    if p == 0:
        return LONG_AGO
    return s.early[r, p - 1] + s.stand[r, p - 1] + d.leg[s.event[r, p - 1], stop]


@njit(cache=True)
def _longer(d: Data, s: State, r: int, stop: int, p: int) -> float:  # pragma: no cover
    """Return the minutes that a stop put before position p adds to the way between its neighbours."""
    way = d.serve[stop] + d.leg[stop, s.event[r, p]]
    if p > 0:
        way += d.leg[s.event[r, p - 1], stop] - d.leg[s.event[r, p - 1], s.event[r, p]]
    return way


@njit(cache=True)
def _with_visit(
    d: Data, s: State, rng: np.random.Generator, r: int, stop: int, q: int, greed: float, best: Floats
) -> None:  # pragma: no cover
    """Look at the places from which the visit at position q is the next one to the stop's school."""
    event, since, room = s.event[r], s.since[r], d.seats[r] - d.load[stop]
    latest = min(d.closes[event[q]], s.down[r, q] - d.alight[stop])
    p = q
    while p >= 0 and s.aboard[r, p] <= room:
        s.work[0] += 1
        ride = d.serve[stop] + d.leg[stop, event[p]] + since[q] - since[p]
        if ride <= d.limit[stop] + EPS and (p == 0 or _longer(d, s, r, stop, p) <= s.spare[r, p] + EPS):
            come = _arrival(d, s, r, stop, p) + d.serve[stop] + d.leg[stop, event[p]]
            if come <= s.late[r, p] + EPS and max(s.early[r, q], come + since[q] - since[p]) <= latest + EPS:
                _offer(d, s, best, _key(d, s, rng, greed, r, stop, p, q, False), r, stop, p, q, False)
        if p == 0 or event[p - 1] == event[q] or (not d.mixed and event[p - 1] >= d.stops):
            break
        p -= 1


@njit(cache=True)
def _new_alone(
    d: Data, s: State, rng: np.random.Generator, r: int, stop: int, p: int, greed: float, best: Floats
) -> None:  # pragma: no cover
    """Look at a trip of its own for the stop, between two trips."""
    school = d.school[stop]
    s.work[0] += 1
    come = max(d.opens[school], _arrival(d, s, r, stop, p) + d.serve[stop] + d.leg[stop, school])
    if come > d.closes[school] + EPS or d.serve[stop] + d.leg[stop, school] > d.limit[stop] + EPS:
        return
    if p < s.size[r]:
        leave = come + d.serve[school] + d.alight[stop]
        if leave + d.leg[school, s.event[r, p]] > s.late[r, p] + EPS:
            return
    _offer(d, s, best, _key(d, s, rng, greed, r, stop, p, p, True), r, stop, p, p, True)


@njit(cache=True)
def _new_mixed(
    d: Data, s: State, rng: np.random.Generator, r: int, stop: int, p: int, greed: float, best: Floats
) -> None:  # pragma: no cover
    """Look at the places of a new visit for a stop put before position p."""
    event, size, school, room = s.event[r], s.size[r], d.school[stop], d.seats[r] - d.load[stop]
    at_stop = _arrival(d, s, r, stop, p)
    if p < size:
        if p > 0 and _longer(d, s, r, stop, p) > s.spare[r, p] + EPS:
            return
        if at_stop + d.serve[stop] + d.leg[stop, event[p]] > s.late[r, p] + EPS:
            return
    ride = d.serve[stop]
    for q in range(p, size + 1):
        s.work[0] += 1
        last = event[q - 1] if q > p else stop
        if q < size and s.aboard[r, q] > room:
            return
        if ride > d.limit[stop] + EPS:
            return
        come = max(at_stop + ride, s.early[r, q - 1] + s.stand[r, q - 1] if q > p else LONG_AGO) + d.leg[last, school]
        if ride + d.leg[last, school] <= d.limit[stop] + EPS and come <= d.closes[school] + EPS:
            leave = max(come, d.opens[school]) + d.serve[school] + d.alight[stop]
            if q == size or leave + d.leg[school, event[q]] <= s.late[r, q] + EPS:
                _offer(d, s, best, _key(d, s, rng, greed, r, stop, p, q, True), r, stop, p, q, True)
        if q < size:
            ride += d.leg[last, event[q]] + s.stand[r, q]


@njit(cache=True)
def nowhere() -> Floats:  # pragma: no cover
    """Return a place that is worse than any."""
    best = np.full(5, -1.0)
    best[KEY] = FOREVER
    return best
