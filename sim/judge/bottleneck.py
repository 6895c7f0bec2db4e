"""Bottlenecks: what is short, where, in which year, how many pupils it harms and how sure we are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.config import Settings
from sim.county import County
from sim.measure.interval import chance_interval, mean_interval, spread_out
from sim.plan.staff import COUNTY_SITE

Floats = NDArray[np.float64]

COLUMNS = (
    "scenario",
    "year",
    "rank",
    "site_id",
    "site_name",
    "resource",
    "severity",
    "severity_low",
    "severity_high",
    "pupil_days_harmed_mean",
    "pupil_days_harmed_low",
    "pupil_days_harmed_high",
    "p_breach",
    "p_low",
    "p_high",
    "first_year_breached",
    "cause",
)
PLACE = ["year", "site_id", "resource"]
CHANCE = ("p_breach", "p_low", "p_high")
MEASURES_OF = {
    "left_behind": ("pupils_left_behind",),
    "no_bed": ("bed_refused", "emergency_refused"),
    "hungry": ("meals_unserved",),
    "late": ("late_pupils",),
    "gave_up": ("wash_given_up",),
    "haste": ("eating_min_short",),
    "class_too_big": ("class_too_big", "class_size_primary", "class_size_junior"),
}
"""The measures that count each kind of harm; the limits on them say when the harm is too much."""


def on_harm(settings: Settings) -> Settings:
    """Return settings with only those limits that say when harm is too much."""
    counted = {measure for measures in MEASURES_OF.values() for measure in measures}
    limits = {name: limit for name, limit in settings.limits.items() if limit.measure in counted}
    return settings.model_copy(update={"limits": limits})


def bottlenecks(
    settings: Settings, county: County, harm: pd.DataFrame, resources: pd.DataFrame, verdicts: pd.DataFrame
) -> pd.DataFrame:
    """Rank, for each year, the resources whose shortage harms pupils, by weighted harm.

    severity and pupil_days_harmed are means over the replications (a replication without harm counts as 0);
    the low end of the interval is never below 0.
    p_breach is the smaller of two chances: that the limit on this kind of harm is broken at this site, and
    that this resource harms anyone there; so it is an upper bound of both together. Of several kinds of harm
    or limits the likeliest counts; where no limit speaks of them, the second chance alone. first_year_breached: first
    year with p_breach of at least `judge.breach_probability`. Returns the columns of bottlenecks.csv but for the
    relief, which depends on prices (`with_relief`).
    """
    replications = np.union1d(harm["replication"].to_numpy(), resources["replication"].to_numpy())
    harm = harm[harm["resource"].notna()]
    places, days = spread_out(harm, PLACE, "pupil_days", replications, 0.0)
    if places.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    _, severity = spread_out(harm, PLACE, "severity", replications, 0.0)
    mean, low, high = mean_interval(days)
    grave, grave_low, grave_high = mean_interval(severity)
    table = places.assign(
        severity=grave,
        severity_low=np.maximum(grave_low, 0.0),
        severity_high=grave_high,
        pupil_days_harmed_mean=mean,
        pupil_days_harmed_low=np.maximum(low, 0.0),
        pupil_days_harmed_high=high,
        cause=_largest_cause(places, harm),
        **_chance(places, chance_interval(days > 0, ~np.isnan(days)), harm, verdicts),
    )
    table = table[table["severity"] > 0]
    return _told(settings, county, table)


def _chance(
    places: pd.DataFrame, harms: tuple[Floats, Floats, Floats], harm: pd.DataFrame, verdicts: pd.DataFrame
) -> dict[str, Floats]:
    """Return p_breach of each place with its interval: the chance that its limit breaks, at most that it harms anyone.

    harms: the chance that it harms anyone, and both ends of its interval. The interval is that of the smaller chance.
    """
    kinds = harm[harm["pupil_days"] > 0][[*PLACE, "kind"]].drop_duplicates()
    kinds = kinds.assign(measure=kinds["kind"].map(MEASURES_OF)).explode("measure")
    broken = verdicts[["year", "site_id", "measure", *CHANCE]]
    found = kinds.merge(broken, on=["year", "site_id", "measure"], how="inner")
    worst = found.sort_values("p_breach", ascending=False, kind="stable").drop_duplicates(PLACE)
    limit = places.merge(worst, on=PLACE, how="left")[list(CHANCE)].to_numpy(dtype=float).T
    smaller = np.where(np.isnan(limit[0]), np.inf, limit[0]) <= harms[0]
    return {name: np.where(smaller, *both) for name, *both in zip(CHANCE, limit, harms, strict=True)}


def _largest_cause(places: pd.DataFrame, harm: pd.DataFrame) -> NDArray[np.object_]:
    """Return the cause of most of the weighted harm at each place; ties go to the first in the alphabet."""
    by_cause = harm.groupby([*PLACE, "cause"], as_index=False, observed=True)["severity"].sum()
    first = by_cause.sort_values(["severity", "cause"], ascending=[False, True]).drop_duplicates(PLACE)
    return np.asarray(places.merge(first, on=PLACE, how="left")["cause"], dtype=object)


def _told(settings: Settings, county: County, table: pd.DataFrame) -> pd.DataFrame:
    """Add ranks, names and the first year of breach, and put the columns in order."""
    names = dict(zip(county.schools.id, county.schools.name_zh, strict=True)) | {COUNTY_SITE: county.name}
    keys = ["year", "severity", "site_id", "resource"]
    table = table.sort_values(keys, ascending=[True, False, True, True], ignore_index=True)
    breached = table[table["p_breach"] >= settings.judge.breach_probability]
    first = breached.groupby(PLACE[1:], as_index=False)["year"].min()
    first = first.rename(columns={"year": "first_year_breached"})
    table = table.merge(first, on=PLACE[1:], how="left")
    table["first_year_breached"] = table["first_year_breached"].astype("Int64")
    return table.assign(
        scenario=settings.scenario,
        rank=table.groupby("year").cumcount() + 1,
        site_name=table["site_id"].map(names),
    )[list(COLUMNS)]
