"""Numbers by site: compiled sums and quantiles over the pupils of each school, and of the county."""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.plan import Bools, Floats, Ints

COUNT, TOTAL, P95, MOST = range(4)


def segments(first: Ints) -> Ints:
    """Return (low, high) of each school's pupils and, last, of the whole county; shape (S + 1, 2)."""
    schools = np.stack([first[:-1], first[1:]], axis=1)
    return np.vstack([schools, [[0, first[-1]]]])


@njit(cache=True)
def counts(flags: Bools, parts: Ints) -> Floats:
    """Count the true entries of (D, N) flags in each segment; shape (len(parts),)."""
    out = np.zeros(parts.shape[0])
    for k in range(parts.shape[0]):
        for d in range(flags.shape[0]):
            for i in range(parts[k, 0], parts[k, 1]):
                out[k] += flags[d, i]
    return out


@njit(cache=True)
def stats(values: Floats, parts: Ints) -> Floats:
    """Return count, total, p95 (nearest rank) and maximum of the non-NaN values by segment; (len(parts), 4)."""
    out = np.zeros((parts.shape[0], 4))
    pool = np.empty(values.size)
    for k in range(parts.shape[0]):
        n = 0
        total = 0.0
        for d in range(values.shape[0]):
            for i in range(parts[k, 0], parts[k, 1]):
                value = values[d, i]
                if value == value:
                    pool[n] = value
                    n += 1
                    total += value
        out[k, 0], out[k, 1] = n, total
        if n == 0:
            out[k, 2], out[k, 3] = np.nan, np.nan
            continue
        rank = (n * 95 + 99) // 100 - 1
        part = np.partition(pool[:n], rank)
        out[k, 2] = part[rank]
        out[k, 3] = part[rank:].max()
    return out


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
