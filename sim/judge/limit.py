"""Measures against standards: how far inside or outside, and how likely each limit is broken."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sim.config import Limit, Settings
from sim.county import County
from sim.measure.interval import chance_interval, mean_interval, spread_out
from sim.plan.staff import COUNTY_SITE

COLUMNS = (
    "scenario",
    "year",
    "site_id",
    "limit",
    "measure",
    "sense",
    "value_mean",
    "value_low",
    "value_high",
    "limit_value",
    "p_breach",
    "p_low",
    "p_high",
    "margin",
    "unit",
    "source",
)
KEYS = ["replication", "year", "site_id"]
LODGING = "bed_nights"
"""Where there are any, limits on lodging apply."""


def verdicts(settings: Settings, county: County, yearly: pd.DataFrame) -> pd.DataFrame:
    """Hold every measure against its limit, for each year and site, and say how likely the limit is broken.

    `yearly` has the columns of annual.parquet. A replication breaks a limit when its value of the year does.
    margin: limit less value for a ceiling, value less limit for a floor; positive is inside. Returns the columns
    of verdicts.csv.
    """
    replications = np.unique(yearly["replication"].to_numpy())
    sites = _sites(county, yearly)
    yearly = yearly[yearly["measure"].isin(asked(settings))]
    parts = [
        _judge(name, limit, yearly[yearly["site_id"].isin(sites[limit.site])], replications)
        for name, limit in settings.limits.items()
    ]
    table = pd.concat([part for part in parts if len(part)] or [pd.DataFrame(columns=list(COLUMNS[1:]))])
    table.insert(0, "scenario", settings.scenario)
    return table.sort_values(["year", "limit", "site_id"], ignore_index=True)[list(COLUMNS)]


def asked(settings: Settings) -> list[str]:
    """Return the measures that limits speak of, in the order of the alphabet."""
    named = (measure for limit in settings.limits.values() for measure in (limit.measure, limit.per))
    return sorted({LODGING, *filter(None, named)})


def beyond(limit: Limit, county: County, yearly: pd.DataFrame) -> pd.DataFrame:
    """Tell for every replication, year and site that a limit applies to how far it is broken.

    `yearly` has the columns of annual.parquet. Returns replication, year, site_id and beyond: by which share of the
    limit the value lies outside, 0 or less when it is kept; a limit of 0 counts as 1.
    """
    found = _values(limit, yearly[yearly["site_id"].isin(_sites(county, yearly)[limit.site])])
    outside = found["value"] - limit.value if limit.sense == "at_most" else limit.value - found["value"]
    return found[KEYS].assign(beyond=outside / (abs(limit.value) or 1.0))


def _sites(county: County, yearly: pd.DataFrame) -> dict[str, set[str]]:
    """Return the sites that each kind of limit applies to."""
    schools = county.schools
    name = np.array(schools.id, dtype=object)
    slept = yearly[(yearly["measure"] == LODGING) & (yearly["value"] > 0)]["site_id"]
    return {
        "county": {COUNTY_SITE},
        "school": set(name),
        "lodging": (set(name[schools.beds.sum(axis=1) > 0]) | set(slept)) - {COUNTY_SITE},
        "primary": set(name[schools.first_grade <= 6]),
        "junior": set(name[schools.last_grade >= 7]),
    }


def _judge(name: str, limit: Limit, yearly: pd.DataFrame, replications: np.ndarray) -> pd.DataFrame:
    """Return the verdicts of one limit, one row for each year and site that has the measure."""
    sites, value = spread_out(_values(limit, yearly), ["year", "site_id"], "value", replications)
    broken = value > limit.value if limit.sense == "at_most" else value < limit.value
    mean, low, high = mean_interval(value)
    chance, chance_low, chance_high = chance_interval(broken, ~np.isnan(value))
    return sites.assign(
        limit=name,
        measure=limit.measure,
        sense=limit.sense,
        value_mean=mean,
        value_low=np.maximum(low, 0.0),  # nothing measured can be negative
        value_high=high,
        limit_value=limit.value,
        p_breach=chance,
        p_low=chance_low,
        p_high=chance_high,
        margin=limit.value - mean if limit.sense == "at_most" else mean - limit.value,
        unit=limit.unit,
        source=limit.source,
    )


def _values(limit: Limit, yearly: pd.DataFrame) -> pd.DataFrame:
    """Return the value to be judged: the measure, or its share of the measure `per`.

    Where the denominator is nothing and the numerator is something, all of it failed: the share is 1.
    """
    above = yearly[yearly["measure"] == limit.measure][[*KEYS, "value"]]
    if limit.per is None or above.empty:
        return above
    below = yearly[yearly["measure"] == limit.per][[*KEYS, "value"]].rename(columns={"value": "whole"})
    both = below.merge(above, on=KEYS, how="outer").fillna({"whole": 0.0, "value": 0.0})
    both = both[(both["whole"] > 0) | (both["value"] > 0)]
    share = both["value"] / both["whole"].where(both["whole"] > 0)
    return both.assign(value=share.fillna(1.0))[[*KEYS, "value"]]
