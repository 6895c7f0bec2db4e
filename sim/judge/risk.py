"""Risks that numbers tell: how likely a year is worse than so much, how bad bad years are, what will stand idle."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from sim.config import Settings
from sim.judge.yearly import UNITS
from sim.measure.interval import CONFIDENCE, Floats, chance_interval, mean_interval, spread_out
from sim.plan.staff import COUNTY_SITE
from sim.tables.risk import STRANDED

SEVERITY, COST = "severity", "cost_yuan_per_year"
OF_RISK = (
    SEVERITY, "pupil_days_harmed", "pupils_left_behind", "late_pupils", "meals_unserved", "bed_refused",
    "eating_min_short", "wash_given_up", "breakdowns", "runs_cancelled",
)  # fmt: skip
"""Measures of the whole county of which more is worse."""
FEWEST_IN_ALL = 100
"""With fewer replications the tail has no interval: it would hold the truth too seldom. With 100 it does so 91 to 93
times in a hundred (normal and exponential values, tail of a fifth), with 40 only 87 times, with 10 only 63."""
KEYS = ["year", "measure"]


def of_risk(annual: pd.DataFrame, harm: pd.DataFrame) -> pd.DataFrame:
    """Return the county's value of each measure OF_RISK in every replication and year, severity from harm.parquet."""
    asked = (annual["site_id"] == COUNTY_SITE) & annual["measure"].isin(OF_RISK)
    told = annual.loc[asked, ["replication", *KEYS, "value"]].astype({"measure": str})
    lived = annual[["replication", "year"]].drop_duplicates()
    weighed = lived.merge(harm.groupby(["replication", "year"], as_index=False)["severity"].sum(), how="left")
    weighed = weighed.rename(columns={"severity": "value"}).fillna({"value": 0.0}).assign(measure=SEVERITY)
    return pd.concat([told, weighed], ignore_index=True)


def of_cost(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return what every replication and year costs all payers together: replication, year, measure, value."""
    total = ledger.groupby(["replication", "year"], as_index=False)["amount_yuan"].sum()
    return total.rename(columns={"amount_yuan": "value"}).assign(measure=COST)


def exceedance(settings: Settings, told: pd.DataFrame) -> pd.DataFrame:
    """Return the chance that a year has more than so much, at every value that a replication had; exceedance.csv.

    told: replication, year, measure, value. The chance is the share of replications with more, its interval Jeffreys'.
    """
    parts = []
    for row, values in _matrix(told):
        at = np.unique(values[~np.isnan(values)])
        more = values[None, :] > at[:, None]
        chance = chance_interval(more, np.broadcast_to(~np.isnan(values), more.shape))
        parts.append(pd.DataFrame({**row, "value": at, **dict(zip(("p", "p_low", "p_high"), chance, strict=True))}))
    return _told(settings, parts, ["year", "measure", "value", "p", "p_low", "p_high"])


def tails(settings: Settings, told: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of the worst replications of every year and measure; the columns of tails.csv.

    told: as for `exceedance`. The tail is `judge.tail_share` of the replications, rounded up. Its interval is that of a
    conditional tail expectation: the variance of n a values in the tail and of where it begins, (Var(tail) +
    (1 - a) (tail mean - least of it)^2) / (n a) (Manistre and Hancock 2005, North American Actuarial Journal 9(2)).
    """
    rows = []
    for row, values in _matrix(told):
        known = np.sort(values[~np.isnan(values)])[::-1]
        size = int(np.ceil(round(settings.judge.tail_share * len(known), 9)))
        rows.append({**row, "mean": known.mean(), "tail_replications": size, **_tail(known, size)})
    table = _told(settings, [pd.DataFrame(rows)] if rows else [], ["year", "measure", "mean", "tail_replications",
                                                                  "tail_mean", "tail_low", "tail_high"])  # fmt: skip
    return table.assign(tail_share=settings.judge.tail_share)


def _tail(known: Floats, size: int) -> dict[str, float]:
    """Return the mean of the largest `size` of some values, the largest first, with its interval."""
    tail, share = known[:size], size / len(known)
    mean = float(tail.mean())
    if len(known) < FEWEST_IN_ALL:
        return {"tail_mean": mean, "tail_low": np.nan, "tail_high": np.nan}
    spread = tail.var(ddof=1) if size > 1 else 0.0
    error = np.sqrt((spread + (1 - share) * (mean - tail[-1]) ** 2) / size)
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, len(known) - 1) * error
    return {"tail_mean": mean, "tail_low": max(mean - half, 0.0), "tail_high": mean + half}


def _matrix(told: pd.DataFrame) -> list[tuple[dict[str, object], Floats]]:
    """Return year and measure of each group that is not always nothing, with its values by replication."""
    groups, values = spread_out(told, KEYS, "value", np.unique(told["replication"]))
    rows = groups.to_dict("records")
    return [(row, line) for row, line in zip(rows, values, strict=True) if np.nanmax(np.abs(line)) > 0]


def _told(settings: Settings, parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return table.assign(scenario=settings.scenario, unit=table["measure"].map(UNITS | {COST: "yuan"}).fillna(""))


def stranded(settings: Settings, resources: pd.DataFrame) -> pd.DataFrame:
    """Return how much of beds, seats, class places and buses is never asked for; the columns of stranded.csv.

    resources: the columns of resources.parquet. Idle is what there is less the most that was asked for at once over
    simulated days, replication by replication; the county's row adds up the sites, each at its own busiest hour.
    """
    keys = ["year", "site_id", "resource"]
    rows = resources[resources["resource"].isin(STRANDED) & resources["capacity"].notna()]
    rows = rows[["replication", *keys, "capacity", "demand_peak", "unit"]].astype({"site_id": str, "resource": str})
    idle = rows["capacity"] - rows["demand_peak"].fillna(0.0)
    rows = rows.assign(idle=idle.clip(lower=0.0))
    whole = rows[rows["site_id"] != COUNTY_SITE]
    whole = whole.groupby(["replication", "year", "resource", "unit"], as_index=False, observed=True)
    both = pd.concat([rows, whole[["capacity", "idle"]].sum().assign(site_id=COUNTY_SITE)], ignore_index=True)
    replications = np.unique(both["replication"])
    places, there = spread_out(both, keys, "capacity", replications)
    mean, low, high = mean_interval(spread_out(both, keys, "idle", replications)[1])
    capacity = mean_interval(there)[0]
    units = both.drop_duplicates("resource").set_index("resource")["unit"]
    return places.assign(
        scenario=settings.scenario,
        capacity=capacity,
        idle_mean=mean,
        idle_low=np.maximum(low, 0.0),
        idle_high=high,
        idle_share=mean / np.where(capacity > 0, capacity, np.nan),
        unit=places["resource"].map(units),
    )


def how_risky(
    settings: Settings, harm: pd.DataFrame, resources: pd.DataFrame, annual: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return the tables that tell how bad it may get: exceedance, tails and stranded."""
    told = of_risk(annual, harm)
    return {
        "exceedance": exceedance(settings, told),
        "tails": tails(settings, told),
        "stranded": stranded(settings, resources),
    }
