"""Where a stop fits into a row: quick tests first, then the full one where they do not prove that it does."""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.plan import Floats
from sim.plan.fleet.rows import EPS, FOREVER, LONG_AGO, LONGEST, Data, Rows, put

KEY, DUTY, BEFORE, VISIT, NEW = range(5)


@njit(cache=True)
def _offer(
    d: Data, s: Rows, best: Floats, key: float, r: int, stop: int, p: int, q: int, new: bool
) -> None:  # pragma: no cover
    """Remember a place if it is better than the best and the duty can be driven with it."""
    if key < best[KEY] and (not d.mixed or put(d, s, r, stop, p, q, new, len(s) - 1)):
        best[KEY], best[DUTY], best[BEFORE], best[VISIT], best[NEW] = key, r, p, q, new


@njit(cache=True)
def _key(
    d: Data, s: Rows, rng: np.random.Generator, greed: float, r: int, stop: int, p: int, q: int, new: bool
) -> float:  # pragma: no cover
    """Return the worth of a place: what it costs, blurred by luck where greed is small."""
    event, size, home = s[r].event, s[r].size, len(d.price) - 1
    before = event[p - 1] if p > 0 else home
    after = event[p] if p < size else home
    if new and p == q:
        school = d.at[stop].school
        cost = d.price[before, stop] + d.price[stop, school] + d.price[school, after] - d.price[before, after]
    else:
        cost = d.price[before, stop] + d.price[stop, after] - d.price[before, after]
        if new:
            last, then = event[q - 1], event[q] if q < size else home
            school = d.at[stop].school
            cost += d.price[last, school] + d.price[school, then] - d.price[last, then]
    return cost if greed >= 1.0 else greed * cost + rng.random()


@njit(cache=True)
def seek(
    d: Data, s: Rows, rng: np.random.Generator, r: int, stop: int, greed: float, best: Floats
) -> None:  # pragma: no cover
    """Look for the best place of a stop in a row; `best` keeps key, row, position, position of the visit, new."""
    size = s[r].size
    if size + 2 >= LONGEST or d.at[stop].load > s[r].seats:
        return
    school, visited, base = d.at[stop].school, False, d.stops
    for q in range(size):
        if s[r].event[q] >= base:
            if d.apart[school - base, s[r].event[q] - base]:
                return
            visited = visited or s[r].event[q] == school
    d.clock[0] += size
    if visited:
        for q in range(size):
            if s[r].event[q] == school:
                _with_visit(d, s, rng, r, stop, q, greed, best)
    if d.again or not visited:
        for p in range(size + 1):
            if d.mixed:
                _new_mixed(d, s, rng, r, stop, p, greed, best)
            elif p == 0 or s[r].event[p - 1] >= base:
                _new_alone(d, s, rng, r, stop, p, greed, best)


@njit(cache=True)
def _arrival(d: Data, s: Rows, r: int, stop: int, p: int) -> float:  # pragma: no cover
    """Return the earliest arrival at a stop put before position p."""
    if p == 0:
        return LONG_AGO
    return s[r].early[p - 1] + s[r].stand[p - 1] + d.leg[s[r].event[p - 1], stop]


@njit(cache=True)
def _longer(d: Data, s: Rows, r: int, stop: int, p: int) -> float:  # pragma: no cover
    """Return the minutes that a stop put before position p adds to the way between its neighbours."""
    way = d.at[stop].serve + d.leg[stop, s[r].event[p]]
    if p > 0:
        way += d.leg[s[r].event[p - 1], stop] - d.leg[s[r].event[p - 1], s[r].event[p]]
    return way


@njit(cache=True)
def _with_visit(
    d: Data, s: Rows, rng: np.random.Generator, r: int, stop: int, q: int, greed: float, best: Floats
) -> None:  # pragma: no cover
    """Look at the places from which the visit at position q is the next one to the stop's school."""
    event, since, room = s[r].event, s[r].since, s[r].seats - d.at[stop].load
    latest = min(d.at[event[q]].closes, s[r].down[q] - d.at[stop].alight)
    p = q
    while p >= 0 and s[r].aboard[p] <= room:
        d.clock[0] += 1
        ride = d.at[stop].serve + d.leg[stop, event[p]] + since[q] - since[p]
        if ride <= d.at[stop].limit + EPS and (p == 0 or _longer(d, s, r, stop, p) <= s[r].spare[p] + EPS):
            come = _arrival(d, s, r, stop, p) + d.at[stop].serve + d.leg[stop, event[p]]
            if come <= s[r].late[p] + EPS and max(s[r].early[q], come + since[q] - since[p]) <= latest + EPS:
                _offer(d, s, best, _key(d, s, rng, greed, r, stop, p, q, False), r, stop, p, q, False)
        if p == 0 or event[p - 1] == event[q] or (not d.mixed and event[p - 1] >= d.stops):
            break
        p -= 1


@njit(cache=True)
def _new_alone(
    d: Data, s: Rows, rng: np.random.Generator, r: int, stop: int, p: int, greed: float, best: Floats
) -> None:  # pragma: no cover
    """Look at a trip of its own for the stop, between two trips."""
    school = d.at[stop].school
    d.clock[0] += 1
    come = max(d.at[school].opens, _arrival(d, s, r, stop, p) + d.at[stop].serve + d.leg[stop, school])
    if come > d.at[school].closes + EPS or d.at[stop].serve + d.leg[stop, school] > d.at[stop].limit + EPS:
        return
    if p < s[r].size:
        leave = come + d.at[school].serve + d.at[stop].alight
        if leave + d.leg[school, s[r].event[p]] > s[r].late[p] + EPS:
            return
    _offer(d, s, best, _key(d, s, rng, greed, r, stop, p, p, True), r, stop, p, p, True)


@njit(cache=True)
def _new_mixed(
    d: Data, s: Rows, rng: np.random.Generator, r: int, stop: int, p: int, greed: float, best: Floats
) -> None:  # pragma: no cover
    """Look at the places of a new visit for a stop put before position p."""
    event, size, school, room = s[r].event, s[r].size, d.at[stop].school, s[r].seats - d.at[stop].load
    at_stop = _arrival(d, s, r, stop, p)
    if p < size:
        if p > 0 and _longer(d, s, r, stop, p) > s[r].spare[p] + EPS:
            return
        if at_stop + d.at[stop].serve + d.leg[stop, event[p]] > s[r].late[p] + EPS:
            return
    ride = d.at[stop].serve
    for q in range(p, size + 1):
        d.clock[0] += 1
        last = event[q - 1] if q > p else stop
        if q < size and s[r].aboard[q] > room:
            return
        if ride > d.at[stop].limit + EPS:
            return
        come = max(at_stop + ride, s[r].early[q - 1] + s[r].stand[q - 1] if q > p else LONG_AGO) + d.leg[last, school]
        if ride + d.leg[last, school] <= d.at[stop].limit + EPS and come <= d.at[school].closes + EPS:
            leave = max(come, d.at[school].opens) + d.at[school].serve + d.at[stop].alight
            if q == size or leave + d.leg[school, event[q]] <= s[r].late[q] + EPS:
                _offer(d, s, best, _key(d, s, rng, greed, r, stop, p, q, True), r, stop, p, q, True)
        if q < size:
            ride += d.leg[last, event[q]] + s[r].stand[q]


@njit(cache=True)
def nowhere() -> Floats:  # pragma: no cover
    """Return a place that is worse than any."""
    best = np.full(5, -1.0)
    best[KEY] = FOREVER
    return best
