"""How much of everything a year takes: what the plan buys and staffs, and what the simulated days used.

Every function returns rows of year, site_id and quantity; rows with a `replication` come from simulated days.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.config import Settings
from sim.county import County
from sim.plan import Floats, Ints, Plan, YearPlan
from sim.plan.duty import scaled
from sim.plan.staff import COUNTY_SITE, JUNIOR, PRIMARY, moved_in, pupils_by_school

SMALL_KINDS = ("teaching_point", "village")
"""Kinds of school that are funded as if they had the floor's number of pupils."""
STOCKS = {
    "bed_place": ("beds_girls", "beds_boys"),
    "window_place": ("windows",),
    "canteen_seat_place": ("canteen_seats",),
}
"""What projects may add to each account's stock."""


def purchases(needed: Ints, there: Ints, life_years: float) -> Ints:
    """Return what must be bought each year so that enough is there: (Y, X) from needed (Y, X), there (X,).

    What was there at the start lasts through the study; what is bought lasts `life_years` and is then bought
    again if it is still needed.
    """
    bought = np.zeros_like(needed)
    for year in range(len(needed)):
        alive = there + sum((bought[k] for k in range(year) if year - k < life_years), np.zeros_like(there))
        bought[year] = np.maximum(needed[year] - alive, 0)
    return bought


def buses_by_kind(settings: Settings, plan: Plan) -> Ints:
    """Return the buses owned in each year by kind (Y, K), the mix chosen once for all years.

    Numbers by kind in `fleet.buses` are taken as told. Else: a larger bus can do a smaller one's work, so the mix has,
    for every size, as many buses of that size or larger as the busiest year needs, and no more; spare ones are of
    the commonest kind. Larger ones are bought first.
    """
    fleet = settings.fleet
    if isinstance(fleet.buses, Mapping):
        told = [scaled(fleet, fleet.buses.get(kind.name, 0)) for kind in fleet.kinds]
        return np.tile(np.array(told, dtype=np.int64), (len(plan.years), 1))
    seats = np.array([kind.seats for kind in settings.fleet.kinds])
    from_largest = np.argsort(-seats, kind="stable")
    used = np.array([np.bincount(year.runs.bus_kind, minlength=len(seats)) for year in plan.years])
    owned = np.array([year.runs.buses_owned for year in plan.years])
    mix = np.diff(np.cumsum(used[:, from_largest], axis=1).max(axis=0), prepend=0)
    mix[mix.argmax()] += max(0, owned.max() - mix.sum())
    kind_of_bus = np.repeat(from_largest, mix)
    return np.array([np.bincount(kind_of_bus[:count], minlength=len(seats)) for count in owned])


def stock(county: County, plan: Plan, account: str) -> tuple[Ints, Ints]:
    """Return what each school has in each year (Y, S), less what projects pay, and what was there (S,)."""
    schools = county.schools
    have = {
        "bed_place": [year.beds.nominal.sum(axis=1) for year in plan.years],
        "window_place": [year.meals.windows for year in plan.years],
        "canteen_seat_place": [year.meals.seats for year in plan.years],
    }[account]
    there = {
        "bed_place": schools.beds.sum(axis=1),
        "window_place": schools.windows,
        "canteen_seat_place": schools.canteen_seats,
    }[account]
    paid = np.stack([_paid(county, STOCKS[account], year.year) for year in plan.years])
    return np.stack(have) - paid, there


def _paid(county: County, adds: tuple[str, ...], year: int) -> Ints:
    """Return what projects with a stated cost have added to each school by a year."""
    projects = county.projects
    done = projects[projects["adds"].isin(adds) & projects["cost_yuan"].notna() & (projects["year"] <= year)]
    site = pd.Index(county.schools.id).get_indexer(pd.Index(done["school_id"]))
    quantity = done["quantity"].to_numpy(dtype=float)
    return np.bincount(site, weights=quantity, minlength=len(county.schools.id)).astype(np.int64)


def pupils(county: County, plan: Plan, year: YearPlan) -> Floats:
    """Return the mean forecast of pupils of each school and grade in a year (S, 9)."""
    row = int(np.flatnonzero(plan.forecast.years == year.year)[0])
    return pupils_by_school(county, year.places.school, plan.forecast.mean[row].sum(axis=2))


def level_pupils(county: County, plan: Plan, junior: bool) -> pd.DataFrame:
    """Return the primary or junior pupils of each school and year."""
    part = JUNIOR if junior else PRIMARY
    table = np.stack([pupils(county, plan, year)[:, part].sum(axis=1) for year in plan.years])
    return by_site(county, plan, table)


def missing_to_floor(county: County, plan: Plan, floor: float) -> pd.DataFrame:
    """Return the pupils that small schools are funded for without having them, for each school and year."""
    small = np.isin(np.array(county.schools.kind), SMALL_KINDS)
    rows = []
    for year in plan.years:
        there = pupils(county, plan, year).sum(axis=1)
        rows.append(np.where(small & year.open & (there > 0), np.maximum(floor - there, 0.0), 0.0))
    return by_site(county, plan, np.stack(rows))


def hired(posts: pd.DataFrame, post: str) -> pd.DataFrame:
    """Return the post-years to be paid: those by norm, less what people of closed schools fill.

    People on the payroll cost nothing more, but save only what would else be hired: who has no post saves nothing.
    Teachers of all schools are on the payroll: only what a surplus elsewhere in the county leaves open is hired.
    """
    rows = posts[posts["post"] == post]
    if post != "teacher":
        needed = rows[rows["needed"] > 0].groupby(["year", "site_id"])["needed"].sum()
        moved = moved_in(posts, post).set_index(["year", "site_id"])["filled"]
        quantity = needed.sub(moved.reindex(needed.index, fill_value=0))
        return quantity.rename("quantity").reset_index()
    filled = rows["filled"].where(rows["site_id"] != COUNTY_SITE, 0)
    gap = (rows["needed"] - filled).groupby(rows["year"]).sum().clip(lower=0)
    return pd.DataFrame({"year": gap.index, "site_id": COUNTY_SITE, "quantity": gap.to_numpy()})


def used(yearly: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return a measure of the simulated days: replication, year, site_id, quantity; the schools' rows if any.

    A measure that is told both by school and for the county is the same thing twice.
    """
    rows = yearly[yearly["measure"] == measure]
    schools = rows[rows["site_id"] != COUNTY_SITE]
    told = schools if len(schools) else rows
    return told.rename(columns={"value": "quantity"})[["replication", "year", "site_id", "quantity"]]


def lodgers_nights(yearly: pd.DataFrame) -> pd.DataFrame:
    """Return the nights of lodgers: all nights slept at school, less those of whoever could not go home."""
    keys = ["replication", "year", "site_id"]
    nights, stays = (used(yearly, name).set_index(keys) for name in ("bed_nights", "emergency_beds"))
    return nights.sub(stays.reindex(nights.index, fill_value=0.0)).reset_index()


def school_days(county: County) -> tuple[int, int]:
    """Return the school days of a year, and the nights between two of them in one week."""
    days = county.calendar.days
    return int(days.sum()), int(np.maximum(days - 1, 0).sum())


def by_site(county: County, plan: Plan, table: NDArray[np.float64] | Ints) -> pd.DataFrame:
    """Turn a table (Y, S) into rows of year, site_id, quantity."""
    years = np.array([year.year for year in plan.years])
    sites = np.array(county.schools.id, dtype=object)
    return pd.DataFrame(
        {
            "year": np.repeat(years, len(sites)),
            "site_id": np.tile(sites, len(years)),
            "quantity": np.asarray(table, dtype=float).ravel(),
        }
    )


def whole_county(plan: Plan, numbers: NDArray[np.float64] | Ints) -> pd.DataFrame:
    """Turn one number a year into rows of the whole county."""
    years = [year.year for year in plan.years]
    return pd.DataFrame({"year": years, "site_id": COUNTY_SITE, "quantity": np.asarray(numbers, dtype=float)})
