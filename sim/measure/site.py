"""Numbers by site: compiled sums and quantiles over the pupils of each school, and of the county.

`parts` (S + 1, 2) are the columns of each school, one school after the other, and last of all of them together.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.plan import Bools, Floats, Ints

COUNT, TOTAL, P95, MOST = range(4)
BINS, BINS_OF_A_MINUTE = 512, 4.0


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
    pool, ends, n = np.empty(values.size + 1), np.zeros(schools + 1, dtype=np.int64), 0
    for k in range(schools):
        for d in range(values.shape[0]):
            for value in values[d, parts[k, 0] : parts[k, 1]]:
                pool[n] = value
                n += value == value  # without a branch, which nobody can foretell
        ends[k + 1] = n
    return summaries(pool, ends)


@njit(cache=True)
def summaries(pool: Floats, ends: Ints) -> Floats:
    """Return count, total, p95 and maximum by school and of all, of values that lie school after school; (S + 1, 4).

    ends: (S + 1,) where each school's begin and, last, where all end. NaN for the last two where there are none.
    """
    schools, so_far, least, most = len(ends) - 1, 0.0, np.inf, -np.inf
    out, all_bins = np.empty((schools + 1, 4)), np.zeros(BINS, dtype=np.int64)
    for k in range(schools):
        total, low, high, bins = 0.0, np.inf, -np.inf, np.zeros(BINS, dtype=np.int64)
        values = pool[ends[k] : ends[k + 1]]
        for value in values:
            total += value
            so_far += value
            low, high = min(low, value), max(high, value)
            bins[bin_of(value)] += 1
        out[k, COUNT], out[k, TOTAL] = len(values), total
        out[k, P95], out[k, MOST] = p95(values, len(values), low, bins), high if len(values) else np.nan
        least, most, all_bins = min(least, low), max(most, high), all_bins + bins
    n = ends[schools]
    out[schools, COUNT], out[schools, TOTAL] = n, so_far
    out[schools, P95], out[schools, MOST] = p95(pool[:n], n, least, all_bins), most if n else np.nan
    return out


@njit(cache=True, inline="always")
def bin_of(value: float) -> int:
    """Return the bin of a value, a quarter of a minute wide; 0 or less has its own, and the last one is open."""
    return int(min(max(np.ceil(value * BINS_OF_A_MINUTE), 0.0), BINS - 1.0))


@njit(cache=True)
def p95(values: Floats, all_: int, low: float, bins: Ints) -> float:
    """Return the p95 (nearest rank), NaN where there are none: look into the one bin that has it.

    low: the least value; bins: how many lie in each bin.
    """
    if all_ == 0:
        return np.nan
    bin_, below, rank = 0, 0, (all_ * 95 + 99) // 100 - 1
    while below + bins[bin_] <= rank:
        below += bins[bin_]
        bin_ += 1
    if bin_ == 0 and low == 0.0:  # most did not have to wait
        return 0.0
    inside, n = np.empty(bins[bin_]), 0
    for value in values:
        if bin_of(value) == bin_:
            inside[n] = value
            n += 1
    return float(np.partition(inside, rank - below)[rank - below])


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
