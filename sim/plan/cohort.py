"""Cohorts a grade and a year older: the numbers expected, how they vary, and those who really come, cell by cell.

Pupils are listed by the home they come from, whoever has moved to town included. One uniform decides a cell of the real
ones, by exact binomial and Poisson numbers, compiled: its leading bits decide who goes on to the next grade, the bits
below 2^-18 who comes from elsewhere. Each number is the smallest k whose distribution function reaches the uniform;
such a number never falls when its parameters or the pupils before it rise. A pupil has moved once the share that still
lives at home falls below the pupil's own lasting uniform: so it is the same pupil, there and here, under any births.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numba import njit

from sim.chance import pupil_owners
from sim.plan import Floats, Ints, freeze
from sim.streams import Key, Owners, uniform

Counted = TypeVar("Counted", Floats, Ints)
_SMALL_MEAN = 50.0
"""Up to this mean the terms are added from zero; above it from well below the mean, as they vanish before."""
_TINY = 1e-18
_COMING = 2.0**18


@dataclass(frozen=True, slots=True)
class Cohorts:
    """What cohorts grow from and how: Y years (the first one is known), H homes, G grades, S sexes."""

    base: Floats
    """(H, G, S) pupils of the first year."""
    inflow: Floats
    """(Y, H, G, S) pupils expected who come from no grade below: entrants, as a rule of the lowest grade only."""
    progress: Floats
    """(Y, H, G - 1) pupils of the next grade per pupil of a year before, whoever moved to town included."""
    stays: Floats
    """(Y, H, G) share who have not moved to town; 1 where nobody does."""
    goal: Ints
    """(H,) town home to which they move, -1 for none."""

    def __post_init__(self) -> None:
        freeze(self)


def expect(cohorts: Cohorts) -> Floats:
    """Return the pupils expected in every year, home, grade and sex, where they live; (Y, H, G, S)."""
    listed = _listed(cohorts)
    home = listed * cohorts.stays[..., None]
    return where_they_live(np.stack([home, listed - home], axis=1), cohorts.goal)


def where_they_live(parts: Counted, goal: Ints) -> Counted:
    """Return pupils by the home where they live; (Y, H, G, S) of (Y, 2, H, G, S): those at home, those who moved."""
    here, moves = parts[:, 0].copy(), goal >= 0
    np.add.at(here.swapaxes(0, 1), goal[moves], parts[:, 1, moves].swapaxes(0, 1))
    return here


def _listed(cohorts: Cohorts) -> Floats:
    """Return the pupils expected by the home they come from; (Y, H, G, S)."""
    mean = np.array(cohorts.inflow)
    mean[0] = cohorts.base
    for year in range(1, len(mean)):
        mean[year, :, 1:] += mean[year - 1, :, :-1] * cohorts.progress[year, :, :, None]
    return mean


def vary(cohorts: Cohorts, per_pupil: Floats) -> Floats:
    """Return the variance of each cell by chance alone (binomial and Poisson numbers); (Y, H, G, S).

    per_pupil (Y, H, G - 1): variance v of next year's number for each of n pupils of today. With r the progression, the
    pupils of a home have V' = r^2 V + n v; of their mean N the share q stay: they vary by q^2 V + q (1 - q) N, and
    those in town by (1 - q)^2 V + q (1 - q) N.
    """
    own, n = np.array(cohorts.inflow), _listed(cohorts)
    own[0] = 0.0
    for year in range(1, len(own)):
        r, v = cohorts.progress[year, :, :, None], per_pupil[year, :, :, None]
        own[year, :, 1:] += r**2 * own[year - 1, :, :-1] + n[year - 1, :, :-1] * v
    q = cohorts.stays[..., None]
    parted = q * (1 - q) * n
    return where_they_live(np.stack([q**2 * own + parted, (1 - q) ** 2 * own + parted], axis=1), cohorts.goal)


def count_pupils(cohorts: Cohorts, churn: float, u: Floats) -> Ints:
    """Count the pupils of every year, home they come from, grade and sex; (Y, H, G, S). Year 0 is the (whole) base.

    churn: share who leave each year while as many come; u (Y, H, G, S) uniforms.
    """
    out = np.zeros(u.shape, dtype=np.int64)
    out[0] = cohorts.base
    _roll(out, cohorts.inflow, cohorts.progress, churn, u)
    return out


def settle(listed: Ints, stays: Floats, homes: Owners, years: Ints, moves: Key) -> Ints:
    """Part the pupils of each home (Y, H, G, S) into those who live there and those who moved; (Y, 2, H, G, S).

    homes: (H,) numbers of the homes; moves: the stream of the pupils' lasting uniforms.
    """
    born = years[:, None, None, None] - np.arange(listed.shape[2])[:, None]
    sex = np.arange(listed.shape[3])
    first = pupil_owners(homes[:, None, None], born, sex, np.zeros(1, dtype=np.int64))
    moved = _moved(listed, np.broadcast_to(first, listed.shape), stays, moves)
    return np.stack([listed - moved, moved], axis=1)


@njit(cache=True)
def _moved(listed: Ints, first: Owners, stays: Floats, moves: Key) -> Ints:
    years, homes, grades, sexes = listed.shape
    moved = np.zeros(listed.shape, dtype=np.int64)
    for y in range(years):
        for h in range(homes):
            for g in range(grades):
                if stays[y, h, g] < 1.0:
                    for s in range(sexes):
                        for k in range(listed[y, h, g, s]):
                            if uniform(moves, first[y, h, g, s] + np.uint64(k)) > stays[y, h, g]:
                                moved[y, h, g, s] += 1
    return moved


@njit(cache=True)
def poisson(mean: float, u: float) -> int:
    """Return the smallest k with P(Poisson(mean) <= k) >= u."""
    if mean <= 0.0:
        return 0
    if mean <= _SMALL_MEAN:
        k, term = 0, math.exp(-mean)
        total = term
        while total < u and (term > _TINY or k < mean):
            k += 1
            term *= mean / k
            total += term
        return k
    mode = int(mean)
    peak = math.exp(mode * math.log(mean) - mean - math.lgamma(mode + 1.0))
    k, term = mode, peak
    while k > 0 and term > _TINY:
        term *= k / mean
        k -= 1
    total = term
    while total < u and (term > _TINY or k < mean):
        k += 1
        term *= mean / k
        total += term
    return k


@njit(cache=True)
def _few(n: int, p: float, u: float) -> int:
    """Return the smallest k with P(Binomial(n, p) <= k) >= u, for p up to one half."""
    odds = p / (1.0 - p)
    k, term = 0, math.exp(n * math.log1p(-p))
    if n * p > _SMALL_MEAN:
        k = int((n + 1) * p)
        choose = math.lgamma(n + 1.0) - math.lgamma(k + 1.0) - math.lgamma(n - k + 1.0)
        term = math.exp(choose + k * math.log(p) + (n - k) * math.log1p(-p))
        while k > 0 and term > _TINY:
            term *= k / ((n - k + 1) * odds)
            k -= 1
    total = term
    while total < u and k < n and (term > _TINY or k < n * p):
        k += 1
        term *= (n - k + 1) / k * odds
        total += term
    return k


@njit(cache=True)
def binomial(n: int, p: float, u: float) -> int:
    """Return the smallest k with P(Binomial(n, p) <= k) >= u; counted from the rarer side."""
    if n <= 0 or p <= 0.0:
        return 0
    if p >= 1.0:
        return n
    if p <= 0.5:
        return _few(n, p, u)
    return n - _few(n, 1.0 - p, 1.0 - u)


@njit(cache=True)
def _roll(out: Ints, inflow: Floats, progress: Floats, churn: float, u: Floats) -> None:
    years, homes, grades, sexes = out.shape
    for y in range(1, years):
        for h in range(homes):
            for s in range(sexes):
                out[y, h, 0, s] = poisson(inflow[y, h, 0, s], u[y, h, 0, s])
                for g in range(1, grades):
                    n = out[y - 1, h, g - 1, s]
                    on, luck = progress[y, h, g - 1], u[y, h, g, s]
                    stays = (1.0 - churn) * min(on, 1.0)
                    comes = n * (on - stays) + inflow[y, h, g, s]
                    out[y, h, g, s] = binomial(n, stays, luck) + poisson(comes, (luck * _COMING) % 1.0)
