"""Two scenarios under the same luck, and many at once: differences, their intervals, and how often luck alone does it.

Many comparisons find something by luck alone: of 47 scenarios that change nothing, two or three are clear at 95 %.
So besides the interval of one difference there are intervals that hold for all scenarios of a measure at once
(Bonferroni: each at 1 - 0.05 / m), and p values adjusted by Holm (Scand. J. Stat. 6, 1979), which find no less. Both
hold whatever the scenarios have in common; Dunnett's test would not, as each paired difference has a spread of its own.
Measures are not held against each other: they are seen side by side.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from sim.measure.interval import CONFIDENCE, Floats, paired_interval

NOTHING = 1e-9
"""A spread smaller than this share of the others is rounding."""


def paired(own: Floats, first: Floats) -> pd.DataFrame:
    """Return the differences `own - first` of each measure (rows), replication by replication (columns; both's).

    diff_mean, diff_low, diff_high; diff_replications; p_value: paired t test, two-sided; crn_gain: how much wider the
    interval would be with luck of its own for each, sqrt(s1^2 + s2^2) / s of the differences (null without a spread).
    """
    difference = own - first
    known = ~np.isnan(difference)
    mean, low, high = paired_interval(own, first)
    freedom = known.sum(axis=1) - 1
    error = (high - mean) / stats.t.ppf(0.5 + CONFIDENCE / 2, np.where(freedom > 0, freedom, np.nan))
    score = np.divide(np.abs(mean), error, out=np.where(mean == 0, 0.0, np.inf), where=error != 0)
    apart = np.sqrt(sum(_variance(each, known) for each in (own, first)))
    together = np.sqrt(_variance(difference, known))
    gain = np.divide(apart, together, out=np.full(len(mean), np.nan), where=together > NOTHING * apart)
    return pd.DataFrame(
        {
            "diff_mean": mean, "diff_low": low, "diff_high": high, "diff_replications": freedom + 1,
            "p_value": 2 * stats.t.sf(score, np.where(freedom > 0, freedom, np.nan)), "crn_gain": gain,
        }
    )  # fmt: skip


def among_many(table: pd.DataFrame) -> pd.DataFrame:
    """Add, to the differences of several scenarios, what holds for all of them at once, measure by measure.

    comparisons: scenarios that have a p value; diff_low_all, diff_high_all: intervals that hold together at 95 %;
    p_adjusted: p values for so many comparisons.
    """
    by = table.groupby("measure", sort=False)["p_value"]
    many, freedom = by.transform("count"), (table["diff_replications"] - 1).where(table["diff_replications"] > 1)
    tail = (1 - CONFIDENCE) / 2
    wider = stats.t.isf(tail / many.clip(lower=1), freedom) / stats.t.isf(tail, freedom)
    half = (table["diff_high"] - table["diff_mean"]) * wider
    ends = {"diff_low_all": table["diff_mean"] - half, "diff_high_all": table["diff_mean"] + half}
    return table.assign(comparisons=many, p_adjusted=by.transform(holm), **ends)


def holm(p_values: pd.Series) -> pd.Series:
    """Return p values adjusted for their number by Holm's steps; null stays null and is no comparison."""
    ordered = p_values.dropna().sort_values(kind="stable")
    steps = np.arange(len(ordered), 0, -1)
    return (ordered * steps).cummax().clip(upper=1.0).reindex(p_values.index)


def _variance(matrix: Floats, known: np.ndarray) -> Floats:
    """Return the variance of each row over the replications that are known; null with fewer than two."""
    count = known.sum(axis=1)
    mean = np.where(known, matrix, 0.0).sum(axis=1) / np.maximum(count, 1)
    squares = (np.where(known, matrix - mean[:, None], 0.0) ** 2).sum(axis=1)
    return np.asarray(squares / np.where(count > 1, count - 1, np.nan))
