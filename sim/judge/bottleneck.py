"""Bottlenecks: what is short, where, in which year, how many pupils it harms and how sure we are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.config import Settings
from sim.county import County
from sim.measure.interval import mean_interval, spread_out
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
    "pupil_days_harmed_mean",
    "pupil_days_harmed_low",
    "pupil_days_harmed_high",
    "p_breach",
    "first_year_breached",
    "cause",
)
PLACE = ["year", "site_id", "resource"]
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
    table = places.assign(
        severity=severity.mean(axis=1),
        pupil_days_harmed_mean=mean,
        pupil_days_harmed_low=np.maximum(low, 0.0),
        pupil_days_harmed_high=high,
        p_breach=_chance(places, (days > 0).mean(axis=1), harm, verdicts),
        cause=_largest_cause(places, harm),
    )
    table = table[table["severity"] > 0]
    return _told(settings, county, table)


def _chance(places: pd.DataFrame, harms: Floats, harm: pd.DataFrame, verdicts: pd.DataFrame) -> Floats:
    """Return p_breach of each place: the chance that its limit breaks, at most that it harms anyone."""
    kinds = harm[harm["pupil_days"] > 0][[*PLACE, "kind"]].drop_duplicates()
    kinds = kinds.assign(measure=kinds["kind"].map(MEASURES_OF)).explode("measure")
    broken = verdicts[["year", "site_id", "measure", "p_breach"]]
    found = kinds.merge(broken, on=["year", "site_id", "measure"], how="inner")
    worst = found.groupby(PLACE, as_index=False)["p_breach"].max()
    limit = places.merge(worst, on=PLACE, how="left")["p_breach"].to_numpy(dtype=float)
    return np.asarray(np.fmin(limit, harms))


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
