"""Every measure of the county, year by year, and how sure it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from sim.config import Settings
from sim.judge.compare import lived_means
from sim.judge.precision import reached
from sim.measure import MEASURES, OF_THE_ROLL
from sim.measure.interval import CONFIDENCE, mean_interval, quantile_interval, spread_out
from sim.measure.sampling import WEEKLY, sampling_variance
from sim.plan.staff import COUNTY_SITE

__all__ = ["WEEKLY", "how_sure", "sampling", "yearly_table"]

UNITS = {name: told.unit for name, told in (MEASURES | OF_THE_ROLL).items()} | {"severity": "weighted pupil-day"}
KEYS = ["year", "measure"]
QUANTILES = {"p50": 0.5, "p90": 0.9}


def how_sure(
    settings: Settings, annual: pd.DataFrame, harm: pd.DataFrame, weekly: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return the tables that say how sure a run is: yearly, and precision where it was asked for."""
    tables = {"yearly": yearly_table(annual, harm, weekly)}
    if settings.study.precision is not None:
        tables["precision"] = reached(lived_means(annual, harm), settings.study)
    return tables


def yearly_table(annual: pd.DataFrame, harm: pd.DataFrame, weekly: pd.DataFrame) -> pd.DataFrame:
    """Return mean, quantiles and intervals of every measure of the county and of severity, by year.

    annual, harm, weekly: with the columns of annual.parquet, harm.parquet and measures.parquet; rows of single sites
    are left out. mean and quantiles are over the replications, their intervals are 95 % (null where there are too few
    replications); sampling_half_width is what of the mean's interval comes from living only some weeks.
    Returns the columns of yearly.csv but for the scenario.
    """
    annual = annual[annual["site_id"] == COUNTY_SITE]
    replications = np.unique(annual["replication"].to_numpy())
    lived = annual[["replication", *KEYS, "value"]].astype({"measure": "str"})
    groups, values = spread_out(pd.concat([lived, _severity(lived, harm)]), KEYS, "value", replications)
    mean, low, high = mean_interval(values)
    table = groups.assign(mean=mean, low=np.maximum(low, 0.0), high=high)  # nothing measured can be negative
    for name, share in QUANTILES.items():
        for end, numbers in zip(("", "_low", "_high"), quantile_interval(values, share), strict=True):
            table[f"{name}{end}"] = numbers
    table = table.assign(replications=(~np.isnan(values)).sum(axis=1), unit=table["measure"].map(UNITS).fillna(""))
    return table.merge(sampling(weekly[weekly["site_id"] == COUNTY_SITE]), on=KEYS, how="left")


def _severity(lived: pd.DataFrame, harm: pd.DataFrame) -> pd.DataFrame:
    """Return the severity of each replication and year; 0 where nobody was harmed."""
    every = lived[["replication", "year"]].drop_duplicates()
    found = harm.groupby(["replication", "year"], as_index=False)["severity"].sum()
    found = every.merge(found, how="left").rename(columns={"severity": "value"})
    return found.fillna({"value": 0.0}).assign(measure="severity")


def sampling(weekly: pd.DataFrame) -> pd.DataFrame:
    """Return half the 95 % interval that sampling weeks alone gives the mean over replications, by year and measure.

    Each replication draws weeks of its own, so the variances add up: t sqrt(sum of variances) / replications.
    Columns year, measure, sampling_half_width; null where the variance of a replication is not known.
    """
    found = sampling_variance(weekly)
    parts = found.groupby(KEYS)
    table = parts.agg(replications=("variance", "size"), freedom=("freedom", "sum")).reset_index()
    variance = parts["variance"].agg(lambda each: each.sum(skipna=False)).to_numpy()
    times = stats.t.ppf(0.5 + CONFIDENCE / 2, table["freedom"].where(table["freedom"] > 0))
    half = np.where(variance > 0, times * np.sqrt(variance), variance) / table["replications"]
    return table[KEYS].assign(sampling_half_width=half)
