"""Rows of what is counted: year, site_id, quantity, and the replication in which it was lived."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.county import County
from sim.plan import Ints, Plan
from sim.plan.staff import COUNTY_SITE

Counted = Iterator[tuple[str, pd.DataFrame]]
"""Items with their rows."""


def by_site(county: County, plan: Plan, table: NDArray[np.float64] | Ints) -> pd.DataFrame:
    """Turn a table (Y, S) into rows of year, site_id, quantity; the same in every replication."""
    years = np.array([year.year for year in plan.years])
    sites = np.array(county.schools.id, dtype=object)
    return pd.DataFrame(
        {
            "replication": pd.NA,
            "year": np.repeat(years, len(sites)),
            "site_id": np.tile(sites, len(years)),
            "quantity": np.asarray(table, dtype=float).ravel(),
        }
    )


def whole_county(plan: Plan, numbers: NDArray[np.float64] | Ints) -> pd.DataFrame:
    """Turn one number a year into rows of the whole county."""
    return county_rows(pd.Series(np.asarray(numbers, dtype=float), index=[year.year for year in plan.years]))


def county_rows(by_year: pd.Series[float]) -> pd.DataFrame:
    """Turn a series by year into rows of the whole county."""
    return pd.DataFrame(
        {"replication": pd.NA, "year": by_year.index, "site_id": COUNTY_SITE, "quantity": by_year.to_numpy(float)}
    )


def every_year(plan: Plan, by_site: pd.Series[float]) -> pd.DataFrame:
    """Turn a series by site into rows that are the same in every year."""
    years = [year.year for year in plan.years]
    return pd.DataFrame(
        {
            "replication": pd.NA,
            "year": np.repeat(years, len(by_site)),
            "site_id": np.tile(by_site.index.to_numpy(dtype=object), len(years)),
            "quantity": np.tile(by_site.to_numpy(float), len(years)),
        }
    )
