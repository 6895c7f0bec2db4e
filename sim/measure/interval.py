"""How sure we are: intervals over replications, for many groups at once.

A group is one row of a matrix (G groups, R replications); NaN marks a replication that does not count.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
FEWEST = 2
"""With fewer replications there is no interval: nobody can be sure after one try."""


def spread_out(
    frame: pd.DataFrame, keys: Sequence[str], value: str, replications: ArrayLike, absent: float = np.nan
) -> tuple[pd.DataFrame, Floats]:
    """Lay a long table out as one row per group and one column per replication, adding up equals.

    Returns the groups (columns `keys`, sorted) and the matrix (G, R); `absent` stands where a replication
    says nothing. Rows of other replications are left out. Integer, text and null keys are all kept.
    """
    wanted = pd.Index(np.asarray(replications))
    column = wanted.get_indexer(pd.Index(frame["replication"]))
    rows = frame.loc[column >= 0, list(keys)]
    code = rows.groupby(list(keys), sort=True, observed=True, dropna=False).ngroup().to_numpy()
    groups = rows.iloc[_first_of_each(code)].reset_index(drop=True)
    cell = code * len(wanted) + column[column >= 0]
    size = len(groups) * len(wanted)
    amounts = frame.loc[column >= 0, value].to_numpy(dtype=float)
    total = np.bincount(cell, weights=amounts, minlength=size)
    seen = np.bincount(cell, minlength=size) > 0
    return groups, np.where(seen, total, absent).reshape(len(groups), len(wanted))


def _first_of_each(code: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position of the first row of each group, in the order of the groups."""
    return np.unique(code, return_index=True)[1]


def mean_interval(matrix: Floats, confidence: float = CONFIDENCE) -> tuple[Floats, Floats, Floats]:
    """Return mean, low and high of each row: the t interval of the mean; null where there is one value only.

    mean +- t(n-1) s / sqrt(n), Student 1908. All values equal give an interval of no width, once n > 1.
    """
    known = ~np.isnan(matrix)
    count = known.sum(axis=1)
    mean = np.where(known, matrix, 0.0).sum(axis=1) / np.where(count > 0, count, np.nan)
    apart = np.where(known, matrix - mean[:, None], 0.0)
    freedom = np.where(count >= FEWEST, count - 1, np.nan)
    error = np.sqrt((apart**2).sum(axis=1) / freedom / np.where(count > 0, count, np.nan))
    half = stats.t.ppf(0.5 + confidence / 2, freedom) * error
    return mean, mean - half, mean + half


def jeffreys(hits: Floats, tries: Floats, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """Return low and high of a probability after `hits` in `tries`; null where there was one try only.

    Quantiles of Beta(x + 1/2, n - x + 1/2); 0 and 1 at the ends (Brown, Cai and DasGupta 2001).
    """
    tail = (1 - confidence) / 2
    low = np.where(hits <= 0, 0.0, stats.beta.ppf(tail, hits + 0.5, tries - hits + 0.5))
    high = np.where(hits >= tries, 1.0, stats.beta.ppf(1 - tail, hits + 0.5, tries - hits + 0.5))
    unknown = tries < FEWEST
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def chance_interval(happened: NDArray[np.bool_], known: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Return the share of replications in which something happened, with its Jeffreys interval, per row."""
    tries = known.sum(axis=1).astype(float)
    hits = (happened & known).sum(axis=1).astype(float)
    low, high = jeffreys(hits, tries)
    return hits / np.where(tries > 0, tries, np.nan), low, high


def paired_interval(matrix: Floats, against: Floats) -> tuple[Floats, Floats, Floats]:
    """Return mean, low and high of the differences `matrix - against`, replication by replication."""
    return mean_interval(matrix - against)


def quantile_interval(matrix: Floats, share: float, confidence: float = CONFIDENCE) -> tuple[Floats, Floats, Floats]:
    """Return a quantile of each row and its interval: two of the values themselves, whatever their distribution.

    The number of n values below the quantile is binomial (n, share): the interval ends at the values whose ranks cut
    off half of what is not `confidence` on either side (Conover, Practical Nonparametric Statistics, 3rd ed. 1999,
    section 3.2). Null where there are too few values for that: fewer than 6 for the median, 36 for the 90 % quantile.
    """
    ordered = np.sort(matrix, axis=1)  # null last
    count = (~np.isnan(matrix)).sum(axis=1)
    value = np.full(len(matrix), np.nan)
    value[count > 0] = np.nanquantile(matrix[count > 0], share, axis=1)
    tail = (1 - confidence) / 2
    low, high = (stats.binom.ppf(end, np.maximum(count, 1), share).astype(int) for end in (tail, 1 - tail))
    known = (low >= 1) & (high < count)  # positions from 0: low - 1 and high
    rows, last = np.arange(len(matrix)), max(matrix.shape[1] - 1, 0)
    low_end, high_end = (np.where(known, ordered[rows, np.clip(place, 0, last)], np.nan) for place in (low - 1, high))
    return value, low_end, high_end
