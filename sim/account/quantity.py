"""How much of everything a year takes: what the plan asks for and staffs, and what the simulated days used.

No price, share or lifetime is in it, so that a run is priced again from this table alone. Every function returns rows
of year, site_id and quantity; rows with a `replication` come from simulated days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sim.account.price import ACCOUNTS, BUS_PURCHASE
from sim.account.rows import Counted, by_site, county_rows, every_year, whole_county
from sim.account.stock import buses_by_kind, stocks, stops
from sim.config import Settings
from sim.county import County
from sim.county.facts import SMALL_KINDS
from sim.plan import LODGE, MODES, Floats, Ints, Plan, YearPlan
from sim.plan.campus import campuses, space
from sim.plan.payroll import POSTS
from sim.plan.staff import COUNTY_SITE, FLEET_POSTS, PRIMARY, pupils_by_school
from sim.share import Known

COLUMNS = ("scenario", "replication", "year", "site_id", "item", "quantity", "unit")
ROW = ["replication", "year", "site_id", "quantity"]
CLOSED = "closed_small_school"
"""Pupils whom a closed small school would have; 0 is told, too, as its funds depend on how long it has been closed."""
UNITS = {
    "buses_owned": "bus", "riders": "rider", "riders_hardship": "rider", "lodgers": "lodger", "small_school": "pupil",
    CLOSED: "pupil", "campus_idle_m2": "m2", "campus_let_m2": "m2", "campus_sold_m2": "m2",
    **{f"idle_{post}": "person" for post in POSTS}, **{f"vacant_{post}": "post-year" for post in POSTS},
}  # fmt: skip
"""Units of the items that are not named as an account."""


def quantities(
    settings: Settings,
    county: County,
    plan: Plan,
    lived: Mapping[str, pd.DataFrame],
    lacking: Mapping[str, Ints],
    known: Known | None = None,
) -> pd.DataFrame:
    """Count what every year takes, item by item: the columns of quantities.parquet.

    `lived` has the tables annual and enrolment; `lacking` is that of `plan.staff.lacking_today`. Items are named as the
    accounts that charge them, unless several do. What the plan decides stands once, with a null replication. What is
    known is not reckoned again.
    """
    parts = [
        rows.assign(item=item)
        for counted in (
            _fleet(settings, county, plan),
            stocks(settings, county, plan),
            _lived(county, lived["annual"]),
            _posts(settings, county, plan, lacking),
            _pupils(county, plan, lived["enrolment"]),
            _small_schools(county, plan),
            _idle_campuses((known or Known())(campuses, settings, county, plan)),
        )
        for item, rows in counted
    ]
    table = pd.concat([part[(part["quantity"] != 0) | (part["item"] == CLOSED)] for part in parts], ignore_index=True)
    unit = {**{account: charge.unit for account, charge in ACCOUNTS.items()}, **UNITS}
    table["unit"] = table["item"].map(unit).fillna("bus")
    table["replication"] = table["replication"].astype("Int64")
    return table.assign(scenario=settings.scenario)[list(COLUMNS)]


def _fleet(settings: Settings, county: County, plan: Plan) -> Counted:
    """Count the buses owned by kind, and the stops that are built."""
    owned = buses_by_kind(settings, plan)
    for kind, bus in enumerate(settings.fleet.kinds):
        yield BUS_PURCHASE + bus.name, whole_county(plan, owned[:, kind])
    yield "buses_owned", whole_county(plan, owned.sum(axis=1))
    yield "stop_place", whole_county(plan, stops(county, plan))


def _lived(county: County, yearly: pd.DataFrame) -> Counted:
    """Count what the simulated days used: km, meals, nights, riders and lodgers."""
    days, nights = school_days(county)
    for item, measure in LIVED.items():
        yield item, used(yearly, measure)
    riders = used(yearly, "pupils_carried")
    riders = riders.assign(quantity=riders["quantity"] / max(days, 1))
    yield "riders", riders
    yield "riders_hardship", riders.assign(quantity=riders["quantity"] * _hardship_share(county))
    lodgers = lodgers_nights(yearly)
    yield "lodgers", lodgers.assign(quantity=lodgers["quantity"] / max(nights, 1))


LIVED = {
    "bus_km": "bus_km",
    "bed_night": "bed_nights",
    "meal_breakfast": "meals_breakfast",
    "meal_lunch": "meals_lunch",
    "meal_dinner": "meals_dinner",
}
"""What is used -> its measure."""


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


def _hardship_share(county: County) -> float:
    """Return the share of pupils outside the town who are in hardship: riders are taken to be like them."""
    rural = ~county.hamlets.is_town
    pupils = county.pupils.sum(axis=(1, 2))[rural]
    return float((pupils * county.hamlets.hardship_share[rural]).sum() / max(pupils.sum(), 1))


def _posts(settings: Settings, county: County, plan: Plan, lacking: Mapping[str, Ints]) -> Counted:
    """Count the post-years that have to be hired, those vacant today, and people on the payroll who have no post."""
    for post in FLEET_POSTS:
        yield post, hired(plan.posts, post)
    for post in POSTS:
        empty = vacant(county, post, lacking[post])
        stay = empty if settings.staff.vacant == "stay" else empty * 0
        yield post, hired(plan.posts, post, stay)
        yield f"vacant_{post}", every_year(plan, stay)
        yield f"idle_{post}", idle(plan.posts, post)


def vacant(county: County, post: str, lacking: Ints) -> pd.Series[float]:
    """Return the posts by site that nobody fills before anything closes; teachers are one staff of the county."""
    if post == "teacher":
        return pd.Series({COUNTY_SITE: max(float(lacking.sum()), 0.0)})
    return pd.Series(np.maximum(lacking, 0).astype(float), index=list(county.schools.id))


def hired(posts: pd.DataFrame, post: str, stay: pd.Series[float] | None = None) -> pd.DataFrame:
    """Return the post-years to be hired: those by norm, less those that people on the payroll fill or that stay vacant.

    People on the payroll cost nothing more, but save only what would else be hired. Teachers of all schools are one
    staff: only what the schools together lack is hired. Who found no post within reach does not fill one here either.
    """
    rows = posts[posts["post"] == post]
    at_work = rows if post in FLEET_POSTS else rows[rows["site_id"] != COUNTY_SITE]
    together = at_work.assign(site_id=COUNTY_SITE) if post == "teacher" else at_work
    told = together.groupby(["year", "site_id"])[["needed", "filled"]].sum()
    gap = told["needed"] - told["filled"]
    if stay is not None:
        gap = gap - stay.reindex(gap.index.get_level_values("site_id")).fillna(0.0).to_numpy()
    gap = gap.clip(lower=0)
    return gap.rename("quantity").reset_index().assign(replication=pd.NA)


def idle(posts: pd.DataFrame, post: str) -> pd.DataFrame:
    """Return the people on the payroll whom no post needs: what they are paid is saved when they retire.

    Those without a post, and teachers beyond the need of all schools together.
    """
    rows = posts[posts["post"] == post]
    if post != "teacher":
        return county_rows(rows[rows["site_id"] == COUNTY_SITE].groupby("year")["filled"].sum())
    lacking = hired(posts, post).set_index("year")["quantity"]
    return county_rows((rows["filled"] - rows["needed"]).groupby(rows["year"]).sum() + lacking)


def _pupils(county: County, plan: Plan, enrolment: pd.DataFrame) -> Counted:
    """Count the pupils who come to each school by level, those in hardship, and their rides on public buses.

    Who comes differs from replication to replication; how many of them lodge or ride is their share in the plan.
    """
    enrolment = enrolment.astype({"hamlet_id": "category", "school_id": "category"})  # texts of so many rows are slow
    year = np.searchsorted([each.year for each in plan.years], enrolment["year"])
    home, school = _place(county.hamlets.id, enrolment["hamlet_id"]), _place(county.schools.id, enrolment["school_id"])
    grade = enrolment["grade"].to_numpy() - 1
    share = np.stack([each.places.share for each in plan.years])[year, home, grade]
    poor = county.hamlets.hardship_share[home]
    count = {
        "public_funds": 1.0,
        "hardship_lodger": poor * share[:, LODGE],
        "hardship_day": poor * (1 - share[:, LODGE]),
        "line_bus_ride": share[:, MODES.index("line_bus")] * 2 * school_days(county)[0],
        "small_school": np.isin(np.array(county.schools.kind), SMALL_KINDS)[school],
    }
    pupils = enrolment["pupils"].to_numpy(dtype=float)
    rows = enrolment[["replication", "year"]].assign(
        site_id=enrolment["school_id"],
        is_primary=grade < PRIMARY.stop,
        **{item: pupils * many for item, many in count.items()},
    )
    keys = ["replication", "year", "site_id"]
    sums = rows.groupby([*keys, "is_primary"], observed=True, as_index=False)[list(count)].sum()
    sums["site_id"] = sums["site_id"].astype(str)
    for item in ("public_funds", "hardship_lodger", "hardship_day"):
        for is_primary, part in sums.groupby("is_primary"):
            yield f"{item}_{'primary' if is_primary else 'junior'}", part.rename(columns={item: "quantity"})[ROW]
    for item in ("line_bus_ride", "small_school"):
        by_school = sums.groupby(keys, as_index=False)[item].sum()
        yield item, by_school.rename(columns={item: "quantity"})[ROW]


def _place(ids: Sequence[str], named: pd.Series[str]) -> Ints:
    """Return the position of what a categorical column names; any for the unplaced, whom no sum counts."""
    return np.asarray(pd.Index(ids).get_indexer(named.cat.categories)[named.cat.codes])


def _small_schools(county: County, plan: Plan) -> Counted:
    """Count the pupils that closed small schools would have, and the small campuses that run."""
    kind = np.array(county.schools.kind)
    small = np.isin(kind, SMALL_KINDS)
    would = np.stack([_if_nothing_closed(county, plan, year) for year in plan.years])
    open_ = np.stack([year.open for year in plan.years])
    closed = small & ~open_ & (county.schools.opens_year <= np.array([[year.year] for year in plan.years]))
    yield CLOSED, by_site(county, plan, would)[closed.ravel()]
    yield "school_upkeep", by_site(county, plan, (small & open_).astype(float))


def _idle_campuses(table: pd.DataFrame) -> Counted:
    """Count the m2 of campuses that are kept up, and of those of the county that are let and sold."""
    for item, rows in space(table).groupby("item"):
        yield str(item), rows.drop(columns="item").assign(replication=pd.NA)


def _if_nothing_closed(county: County, plan: Plan, year: YearPlan) -> Floats:
    """Return the pupils of the grades that each school offers who live where they go to it today; (S,)."""
    grade = np.arange(1, year.places.school.shape[1] + 1)
    today, schools = county.hamlets.school, county.schools
    offered = (schools.first_grade[today, None] <= grade) & (grade <= schools.last_grade[today, None])
    school = np.where(offered & (today >= 0)[:, None], today[:, None], -1)
    return pupils_by_school(county, school, plan.forecast.pupils(year.year)).sum(axis=1)


def school_days(county: County) -> tuple[int, int]:
    """Return the school days of a year, and the nights between two of them in one week."""
    days = county.calendar.days
    return int(days.sum()), int(np.maximum(days - 1, 0).sum())
