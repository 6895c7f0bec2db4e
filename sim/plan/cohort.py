"""The pupils who really come, counted cell by cell: exact binomial and Poisson numbers, compiled.

One uniform decides a cell. Its leading bits decide who goes on to the next grade, its trailing bits (below
2^-26) who moves to town, so both have their own luck. Each number is the smallest k whose distribution
function reaches the uniform; such a number never falls when its parameters or the pupils before it rise.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sim.plan import Floats, Ints

_SMALL_MEAN = 50.0
"""Up to this mean the terms are added from zero; above it from well below the mean, as they vanish before."""
_TINY = 1e-18
_TRAILING = 2.0**26


def count_pupils(
    base: Ints, entrants: Floats, progress: Floats, rates: Floats, goal: Ints, most: Ints, u: Floats
) -> Ints:
    """Count the pupils of every year, hamlet, grade and sex; shape (Y, H, 9, 2). Year 0 is `base` itself.

    base (H, 9, 2) pupils at school; entrants (Y, H, 2) expected first graders; progress (Y, H, 8) pupils of
    the next grade per pupil; rates (Y, 9) share who move to town on entering a grade; goal (H,) town hamlet
    they move to, or -1; most (H,) ceiling of a cell; u (Y, H, 9, 2) uniforms.
    """
    out = np.zeros(u.shape, dtype=np.int64)
    out[0] = np.minimum(base, most[:, None, None])
    _roll(out, entrants, progress, rates, goal, most, u)
    return out


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
def _roll(out: Ints, entrants: Floats, progress: Floats, rates: Floats, goal: Ints, most: Ints, u: Floats) -> None:
    years, hamlets, grades, sexes = out.shape
    for y in range(1, years):
        for h in range(hamlets):
            for s in range(sexes):
                out[y, h, 0, s] += poisson(entrants[y, h, s], u[y, h, 0, s])
                for g in range(1, grades):
                    n = out[y - 1, h, g - 1, s]
                    on, luck = progress[y, h, g - 1], u[y, h, g, s]
                    up = binomial(n, on, luck) if on <= 1.0 else n + poisson(n * (on - 1.0), luck)
                    if goal[h] >= 0:
                        moved = binomial(up, rates[y, g], (luck * _TRAILING) % 1.0)
                        out[y, goal[h], g, s] += moved
                        up -= moved
                    out[y, h, g, s] += up
        for h in range(hamlets):
            for g in range(grades):
                for s in range(sexes):
                    out[y, h, g, s] = min(out[y, h, g, s], most[h])
