"""Numbers by site: compiled sums and quantiles over the pupils of each school, and of the county.

`parts` (S + 1, 2) are the columns of each school, one school after the other, and last of all of them together.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.plan import Bools, Floats, Ints

COUNT, TOTAL, P95, MOST = range(4)
BINS = 512


def segments(first: Ints) -> Ints:
    """Return (low, high) of each school's pupils and, last, of the whole county; shape (S + 1, 2)."""
    schools = np.stack([first[:-1], first[1:]], axis=1)
    return np.vstack([schools, [[0, first[-1]]]])


@njit(cache=True)
def by_day(flags: Bools, parts: Ints) -> Floats:
    """Count the true entries of (D, N) flags on each day in each part; shape (D, S + 1)."""
    days, schools = flags.shape[0], parts.shape[0] - 1
    out = np.zeros((days, schools + 1))
    for d in range(days):
        for k in range(schools):
            n = 0
            for flag in flags[d, parts[k, 0] : parts[k, 1]]:  # compiled to more than one flag at a time
                n += flag
            out[d, k] = n
            out[d, schools] += n
    return out


def counts(flags: Bools, parts: Ints) -> Floats:
    """Count the true entries of (D, N) flags in each part; shape (S + 1,)."""
    return np.asarray(by_day(flags, parts).sum(axis=0)) if flags.any() else np.zeros(len(parts))


@njit(cache=True)
def stats(values: Floats, parts: Ints) -> Floats:
    """Return count, total, p95 (nearest rank) and maximum of the non-NaN values by part; (S + 1, 4)."""
    schools = parts.shape[0] - 1
    out = np.zeros((schools + 1, 4))
    pool = np.empty(values.size)
    n = 0
    for k in range(schools):
        began = n
        for d in range(values.shape[0]):
            for i in range(parts[k, 0], parts[k, 1]):
                value = values[d, i]
                if value == value:
                    pool[n] = value
                    n += 1
        out[k] = summary(pool[began:n])
    out[schools] = summary(pool[:n])
    return out


@njit(cache=True)
def summary(values: Floats) -> Floats:
    """Return count, total, p95 and maximum of some values; NaN for the last two when there are none."""
    n = values.shape[0]
    if n == 0:
        return np.array([0.0, 0.0, np.nan, np.nan])
    total, low, high = 0.0, values[0], values[0]
    for value in values:
        total += value
        low, high = min(low, value), max(high, value)
    return np.array([float(n), total, ranked(values, (n * 95 + 99) // 100 - 1, low, high), high])


@njit(cache=True)
def ranked(values: Floats, rank: int, low: float, high: float) -> float:
    """Return the value of a rank (0 the lowest): count values by bins, then look into the one bin with the rank."""
    if rank < np.count_nonzero(values == low):  # most did not have to wait
        return low
    if not high - low < np.inf:
        return float(np.sort(values)[rank])
    scale = BINS / (high - low)
    bins = np.zeros(BINS + 1, dtype=np.int64)
    for value in values:
        bins[int((value - low) * scale)] += 1
    bin_, below = 0, 0
    while below + bins[bin_] <= rank:
        below += bins[bin_]
        bin_ += 1
    inside = np.empty(bins[bin_])
    n = 0
    for value in values:
        if int((value - low) * scale) == bin_:
            inside[n] = value
            n += 1
    return float(np.sort(inside)[rank - below])


@njit(cache=True)
def histogram(values: Floats, school: Ints, band: Ints, step: float, weight: float, out: Floats) -> None:
    """Add the non-NaN values (D, N) to (S, bands, bins) counts of width `step`; the last bin is open."""
    last = out.shape[2] - 1
    for d in range(values.shape[0]):
        for i in range(values.shape[1]):
            value = values[d, i]
            if value == value:
                out[school[i], band[i], min(int(max(value, 0.0) / step), last)] += weight


def mean(found: Floats) -> Floats:
    """Return the means of `stats`, NaN where nothing was seen."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(found[:, TOTAL] / np.where(found[:, COUNT] > 0, found[:, COUNT], np.nan))
