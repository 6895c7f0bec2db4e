"""Measures made by hand: the columns of measures.parquet, without living a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from sim.measure import MEASURES
from sim.measure.annual import annual

Told = Mapping[tuple[str, str], Sequence[float]]
"""(site, measure) -> one value for each replication, the same in every year and week."""


def measures(told: Told, years: Sequence[int] = (2023,), weeks: int = 1, weight: float = 39.0) -> pd.DataFrame:
    """Return weekly rows; every week stands for `weight` weeks of the year."""
    rows = [
        ("made", replication, year, week, 0, site, measure, value, MEASURES[measure].unit, weight)
        for (site, measure), values in told.items()
        for replication, value in enumerate(values)
        for year in years
        for week in range(1, weeks + 1)
    ]
    names = [
        "scenario",
        "replication",
        "year",
        "week",
        "day",
        "site_id",
        "measure",
        "value",
        "unit",
        "weight",
    ]
    return pd.DataFrame(rows, columns=names)


def yearly(told: Told, years: Sequence[int] = (2023,)) -> pd.DataFrame:
    """Return the year's values, with the columns of annual.parquet."""
    return annual(measures(told, years)).assign(scenario="made")
