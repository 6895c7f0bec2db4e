"""Cohorts a grade and a year older: the numbers expected, how they vary, and those who really come, cell by cell.

One uniform decides a cell of the real ones, by exact binomial and Poisson numbers, compiled: its leading bits decide
who goes on to the next grade, the bits below 2^-18 who comes from elsewhere, those below 2^-36 who moves to town. Each
number is the smallest k whose distribution function reaches the uniform; such a number never falls when its parameters
or the pupils before it rise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from sim.plan import Floats, Ints, freeze

_SMALL_MEAN = 50.0
"""Up to this mean the terms are added from zero; above it from well below the mean, as they vanish before."""
_TINY = 1e-18
_COMING = 2.0**18
_MOVING = 2.0**36


@dataclass(frozen=True, slots=True)
class Cohorts:
    """What cohorts grow from and how: Y years (the first one is known), H homes, G grades, S sexes."""

    base: Floats
    """(H, G, S) pupils of the first year."""
    inflow: Floats
    """(Y, H, G, S) pupils expected who come from no grade below: entrants, as a rule of the lowest grade only."""
    progress: Floats
    """(Y, H, G - 1) pupils of the next grade per pupil of a year before, whoever moves to town included."""
    rates: Floats
    """(Y, G) share who move to town on entering a grade."""
    goal: Ints
    """(H,) town home to which they move, -1 for none."""

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def moves(self) -> Floats:
        """Return the share of each home's pupils who move to town; (Y, H, G)."""
        return np.asarray(self.rates[:, None, :] * (self.goal >= 0)[:, None])


def expect(cohorts: Cohorts) -> Floats:
    """Return the pupils expected in every year, home, grade and sex; (Y, H, G, S)."""
    mean = np.array(cohorts.inflow)
    mean[0] = cohorts.base
    for year in range(1, len(mean)):
        up = mean[year - 1, :, :-1] * cohorts.progress[year, :, :, None]
        _move(mean[year, :, 1:], up, cohorts.moves[year, :, 1:, None], cohorts.goal)
    return mean


def vary(cohorts: Cohorts, mean: Floats, per_pupil: Floats) -> Floats:
    """Return the variance of each cell by chance alone (binomial and Poisson numbers); (Y, H, G, S).

    per_pupil (Y, H, G - 1): variance of next year's number for each pupil of today. With r the progression and m the
    share who move, V' = (1 - m)^2 (r^2 V + n v) + m (1 - m) r n; movers bring m^2 (r^2 V + n v) + m (1 - m) r n.
    """
    own = np.array(cohorts.inflow)
    own[0] = 0.0
    for year in range(1, len(mean)):
        n, r = mean[year - 1, :, :-1], cohorts.progress[year, :, :, None]
        up = r**2 * own[year - 1, :, :-1] + n * per_pupil[year, :, :, None]
        m = cohorts.moves[year, :, 1:, None]
        parted = m * (1 - m) * r * n
        own[year, :, 1:] += (1 - m) ** 2 * up + parted
        goes = cohorts.goal >= 0
        np.add.at(own[year, :, 1:], cohorts.goal[goes], (m**2 * up + parted)[goes])
    return own


def count_pupils(cohorts: Cohorts, churn: float, most: Ints, u: Floats) -> Ints:
    """Count the pupils of every year, home, grade and sex; shape (Y, H, G, S). Year 0 is the (whole) base itself.

    churn: share who leave each year while as many come; most (H,) ceiling of a cell; u (Y, H, G, S) uniforms.
    """
    out = np.zeros(u.shape, dtype=np.int64)
    out[0] = np.minimum(cohorts.base, most[:, None, None])
    _roll(out, cohorts.inflow, cohorts.progress, cohorts.rates, cohorts.goal, churn, most, u)
    return out


def _move(here: Floats, up: Floats, share: Floats, goal: Ints) -> None:
    """Add to the cells of a year those who go on: the share who move to their town home, the rest at home."""
    gone = up * share
    here += up - gone
    moves = goal >= 0
    np.add.at(here, goal[moves], gone[moves])


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
def _roll(
    out: Ints, inflow: Floats, progress: Floats, rates: Floats, goal: Ints, churn: float, most: Ints, u: Floats
) -> None:
    years, homes, grades, sexes = out.shape
    for y in range(1, years):
        for h in range(homes):
            for s in range(sexes):
                out[y, h, 0, s] += poisson(inflow[y, h, 0, s], u[y, h, 0, s])
                for g in range(1, grades):
                    n = out[y - 1, h, g - 1, s]
                    on, luck = progress[y, h, g - 1], u[y, h, g, s]
                    stays = (1.0 - churn) * min(on, 1.0)
                    comes = n * (on - stays) + inflow[y, h, g, s]
                    up = binomial(n, stays, luck) + poisson(comes, (luck * _COMING) % 1.0)
                    if goal[h] >= 0:
                        moved = binomial(up, rates[y, g], (luck * _MOVING) % 1.0)
                        out[y, goal[h], g, s] += moved
                        up -= moved
                    out[y, h, g, s] += up
        for h in range(homes):
            for g in range(grades):
                for s in range(sexes):
                    out[y, h, g, s] = min(out[y, h, g, s], most[h])
