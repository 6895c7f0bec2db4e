"""What goes along with harm from one replication to the next: pupils who come, weather, breakdowns, absence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from sim.measure.interval import CONFIDENCE, spread_out
from sim.plan.staff import COUNTY_SITE

Floats = NDArray[np.float64]

FEWEST = 5
"""With fewer replications nothing is told."""
HARM = "pupil_days_harmed"
ROLL = "roll"
"""The one measure that is told of schools only: they are added up."""
CIRCUMSTANCES: Mapping[str, tuple[str, ...]] = {
    "pupils": (ROLL,),
    "absent_pupils": ("absent_pupils",),
    "breakdowns": ("breakdowns",),
    "absent_staff": ("driver_missing_runs", "attendant_missing_runs"),
}
"""Driver -> measures of the county that count it."""
SKIES: Mapping[str, tuple[str, ...]] = {"rain": ("rain",), "bad_weather": ("fog", "ice", "flood")}
"""Driver -> weather whose half days it counts."""
COLUMNS = ("driver", "correlation_mean", "correlation_low", "correlation_high", "share", "replications")
SURE = 0.999999
"""No correlation counts as larger than this: of 1 there is no Fisher z."""


def harm_drivers(annual: pd.DataFrame, days: pd.DataFrame) -> pd.DataFrame:
    """Return how closely the pupil-days harmed of a year go along with each circumstance, the closest first.

    annual, days: with the columns of annual.parquet and days.parquet. Within each year the replications are ranked,
    so that what changes from year to year in all of them plays no part; the ranks of all years together are
    correlated (Spearman). The interval is a jackknife over replications on Fisher's z, for the years of a replication
    belong together; it is an association, and no proof of cause. share: the squared correlation, its part of the
    variance of ranks. Returns the columns of harm_drivers.csv but for the scenario; no row with fewer than
    5 replications, and none for a circumstance or harm that never differs.
    """
    annual = annual[(annual["site_id"] == COUNTY_SITE) | (annual["measure"] == ROLL)]
    replications = np.unique(annual["replication"].to_numpy())
    if len(replications) < FEWEST:
        return pd.DataFrame(columns=list(COLUMNS))
    years = np.unique(annual["year"].to_numpy())
    harm = _ranks(_wide(annual[annual["measure"] == HARM], "value", years, replications))
    found = {name: annual[annual["measure"].isin(of)] for name, of in CIRCUMSTANCES.items()}
    values = {name: _wide(rows, "value", years, replications) for name, rows in found.items()}
    for name, skies in SKIES.items():
        halves = days["weight"] * (days["morning"].isin(skies).astype(float) + days["afternoon"].isin(skies))
        values[name] = _wide(days.assign(halves=halves), "halves", years, replications)
    rows = [(name, *_association(_ranks(value), harm), len(replications)) for name, value in values.items()
            if np.ptp(_ranks(value)) > 0 and np.ptp(harm) > 0]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values(["share", "driver"], ascending=[False, True], ignore_index=True)


def _wide(frame: pd.DataFrame, value: str, years: NDArray[np.int64], replications: NDArray[np.int64]) -> Floats:
    """Return a value by year and replication, 0 where nothing is told; (Y, R)."""
    groups, matrix = spread_out(frame, ["year"], value, replications, 0.0)
    wide = np.zeros((len(years), len(replications)))
    wide[np.searchsorted(years, groups["year"].to_numpy(dtype=np.int64))] = matrix
    return wide


def _ranks(wide: Floats) -> Floats:
    """Return the ranks of the replications within each year, about their mean; equals share a rank."""
    ranks: Floats = stats.rankdata(wide, axis=1)
    return ranks - ranks.mean(axis=1, keepdims=True)


def _association(one: Floats, other: Floats) -> tuple[float, float, float, float]:
    """Return the correlation of ranks (Y, R), both ends of its 95 % interval, and its square."""
    count = one.shape[1]
    z = np.arctanh(_correlation(one, other))
    left_out = [_correlation(np.delete(one, r, axis=1), np.delete(other, r, axis=1)) for r in range(count)]
    pseudo = count * z - (count - 1) * np.arctanh(left_out)
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, count - 1) * pseudo.std(ddof=1) / np.sqrt(count)
    correlation = float(np.tanh(z))
    return correlation, float(np.tanh(z - half)), float(np.tanh(z + half)), correlation**2


def _correlation(one: Floats, other: Floats) -> float:
    """Return the correlation of what differs from each year's mean, all years together; 0 where nothing differs."""
    one, other = (wide - wide.mean(axis=1, keepdims=True) for wide in (one, other))
    size = np.sqrt((one**2).sum() * (other**2).sum())
    return float(np.clip((one * other).sum() / size, -SURE, SURE)) if size > 0 else 0.0
