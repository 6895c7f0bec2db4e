"""How often to live the years again: until the means are as sure as was asked for.

A sequential procedure: after every round of replications the interval of each named mean is held against the width
that is wanted; where it is too wide, its present spread says how many replications would do. As the precision is a
share of a mean that is itself uncertain, this is the procedure for a relative error of Chow and Robbins (1965), with
Student's t as in Law (Simulation Modeling and Analysis, 5th ed. 2015, section 9.4.1) and Hoad, Robinson and Davies
(J. Oper. Res. Soc. 61, 2010). Its known weakness is to stop too early, in rounds whose spread happens to be small: the
interval then holds the truth less often than in 95 of 100 studies. The remedy is a first round that is not small
(`study.replications`; Law asks for 10 at least).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from sim.config import Settings
from sim.config.work import Study
from sim.judge.compare import JUDGED, LIVED, MONEY
from sim.measure.interval import CONFIDENCE, mean_interval

KNOWN = (*LIVED, *JUDGED)
"""Measures that are known as soon as the days are lived; money comes later."""
COLUMNS = ("measure", "replications", "mean", "half_width", "relative", "wanted", "reached")


def unknown_measures(settings: Settings) -> list[str]:
    """Return which measures cannot be made precise; [] when all can, or no precision is asked for."""
    if settings.study.precision is None:
        return []
    known = f"choose among {', '.join(KNOWN)}"
    return [
        f"study.precision_measures: {name} is money, which is reckoned when all is lived; {known}"
        if name in MONEY
        else f"study.precision_measures: {name} is no measure of the county that can be asked for; {known}"
        for name in settings.study.precision_measures
        if name not in KNOWN
    ]


def wanted(values: pd.DataFrame, study: Study) -> int:
    """Return how many replications are wanted in all, as far as can be told now; as many as there are: enough.

    values: one row per replication, one column per measure (`compare.lived_means`). Never fewer than
    `study.replications`. With a precision: the fewest with which all intervals would be narrow enough at their present
    spread, but at most twice as many as now, as the spread of few is unsure, and at most `study.replications_most`.
    """
    have = len(values)
    if have < study.replications or study.precision is None:
        return max(have, study.replications)
    told = reached(values, study)
    if told["reached"].all() or have >= study.replications_most:
        return have
    widest = told.loc[~told["reached"], "relative"].to_numpy().max()  # null, with one replication: double
    tries = np.arange(have + 1, min(2 * have, study.replications_most) + 1)
    enough = widest * _width(tries) / _width(np.array(have)) <= study.precision
    return int(tries[enough.argmax()] if enough.any() else tries[-1])


def reached(values: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return how precise the mean of each named measure is; columns COLUMNS.

    half_width: half of the 95 % interval; relative: as a share of the mean; reached: no more than `study.precision`.
    A measure that is 0 in all replications is as precise as can be, and so is one that no replication has.
    """
    named = values.reindex(columns=list(study.precision_measures))
    mean, _, high = mean_interval(named.to_numpy(dtype=float).T)
    half = high - mean
    relative = np.divide(half, np.abs(mean), out=np.where(half == 0, 0.0, np.inf), where=mean != 0)
    table = pd.DataFrame({"measure": named.columns, "replications": named.notna().sum().to_numpy(), "mean": mean})
    table = table.assign(half_width=half, relative=relative, wanted=study.precision)
    return table.assign(reached=np.isnan(mean) | (relative <= study.precision))[list(COLUMNS)]


def _width(replications: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return half of the interval of a mean of so many values whose standard deviation is 1."""
    return np.asarray(stats.t.ppf(0.5 + CONFIDENCE / 2, replications - 1) / np.sqrt(replications))
