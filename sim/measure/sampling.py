"""How unsure a year is because only some of its weeks were lived."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sim.measure.annual import HOW, KEYS, WHOLE_WEEK

WEEKLY = (*KEYS, "week", "day", "value", "weight")
"""The columns of measures.parquet that are needed."""


def sampling_variance(measures: pd.DataFrame, how: Mapping[str, str] = HOW) -> pd.DataFrame:
    """Return the variance that sampling weeks gives each yearly value of `annual`.

    A lived week that stands for w weeks, drawn without replacement from a stratum whose weeks vary by s^2, adds
    w (w - 1) s^2 to the variance of a total; over a stratum that makes W^2 (1 - n/W) s^2 / n (Cochran, Sampling
    Techniques, 3rd ed. 1977, eq. 5.6). Weeks that stand for themselves add nothing. Most strata have a single week
    lived, so s^2 comes from how far each week is off the line through its neighbours, in whatever strata (`_apart`).
    Means and percentiles are totals over the sum of the weights.

    Returns columns replication, year, site_id, measure, variance, freedom (of the variance). Null where fewer than
    three weeks stand for others, and for measures that are the largest of the weeks lived.
    """
    weekly = measures[(measures["day"] == WHOLE_WEEK) & measures["value"].notna()].sort_values("week")
    weekly = weekly.astype({"site_id": "str", "measure": "str"})
    weekly["adds"] = weekly["weight"] * (weekly["weight"] - 1)
    table = weekly.groupby(list(KEYS)).agg(weeks=("weight", "sum"), adds=("adds", "sum"))
    table = table.join(_apart(weekly[weekly["adds"] > 0])).reset_index()
    way = table["measure"].map(lambda name: how.get(name, "total"))
    total = (table["adds"] * table["squared"]).where(table["adds"] > 0, 0.0)
    variance = total.where(way == "total", total / table["weeks"] ** 2).where(way != "max")
    return table[list(KEYS)].assign(variance=variance, freedom=table["freedom"].fillna(0.0))


def _apart(weekly: pd.DataFrame) -> pd.DataFrame:
    """Return how much weeks vary about the run of the year, as a variance, with its degrees of freedom.

    With L = (t3 - t2) / (t3 - t1), (y2 - L y1 - (1 - L) y3)^2 / (1 + L^2 + (1 - L)^2) has the mean s^2, whatever the
    slope (Gasser, Sroka and Jennen-Steinmetz, Biometrika 73, 1986; of evenly spaced weeks the second differences of
    Wolter, Introduction to Variance Estimation, 2nd ed. 2007, section 8.2). Neighbouring terms are correlated by -2/3
    and 1/6, hence the degrees of freedom. `weekly` in order of time; one row for each cell of three weeks or more.
    """
    by = weekly.groupby(list(KEYS))
    first, middle = (by[["week", "value", "adds"]].shift(step) for step in (2, 1))
    part = (weekly["week"] - middle["week"]) / (weekly["week"] - first["week"])
    off = middle["value"] - part * first["value"] - (1 - part) * weekly["value"]
    counts = first["adds"] + middle["adds"] + weekly["adds"]
    terms = weekly.assign(counts=counts, squared=counts * off**2 / (1 + part**2 + (1 - part) ** 2))
    sums = (
        terms[counts.notna()]
        .groupby(list(KEYS))
        .agg(terms=("counts", "size"), counts=("counts", "sum"), squared=("squared", "sum"))
    )
    m = sums["terms"]
    freedom = m**2 / (m + 2 * (m - 1) * (2 / 3) ** 2 + 2 * (m - 2).clip(lower=0) / 6**2)
    return pd.DataFrame({"squared": sums["squared"] / sums["counts"], "freedom": freedom})
