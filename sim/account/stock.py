"""What is there in each year and has to be bought: buses, stops, and what schools have beyond what was there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from sim.account.rows import Counted, by_site
from sim.config import Settings
from sim.county import County
from sim.plan import Ints, Plan
from sim.plan.classroom import class_size
from sim.plan.duty import scaled
from sim.plan.wash import fixtures

TOWN_KINDS = ("town_primary", "town_junior")
PROJECTS = {"living_rooms": "living_room", "road_safety_km": "road_safety_km", "teacher_flats": "teacher_flat"}
"""What projects add without changing a school day -> its account."""
ADDED = {
    "bed_place": ("beds_girls", "beds_boys"),
    "window_place": ("windows",),
    "canteen_seat_place": ("canteen_seats",),
    "kitchen_meal": ("kitchen_meals",),
    "tap_place": ("taps",),
    "basin_place": ("basins",),
    "toilet_place": ("toilets_girls", "toilets_boys"),
    "shower_place": ("showers",),
}
"""What projects may add to the stock of each account."""


def stops(plan: Plan) -> Ints:
    """Return how many stops at homes buses have come to up to each year; (Y,). Once built, a stop stays."""
    built: set[int] = set()
    many = []
    for year in plan.years:
        built |= set(year.runs.routes.hamlet[year.runs.routes.hamlet >= 0].tolist())
        many.append(len(built))
    return np.array(many, dtype=np.int64)


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


def stocks(settings: Settings, county: County, plan: Plan) -> Counted:
    """Count what schools have beyond what was there, less what projects of a stated cost pay; and those projects."""
    for account, adds in ADDED.items():
        have, there = _stock(settings, county, plan, account)
        paid = np.stack([_built(county, adds, year.year, priced=True) for year in plan.years])
        yield account, by_site(county, plan, np.maximum(have - paid - there, 0))
    for what, account in PROJECTS.items():
        built = np.stack([_built(county, (what,), year.year, False) for year in plan.years])
        yield account, by_site(county, plan, built)
    in_class = class_size(county, settings)
    places = np.stack([_built(county, ("places",), year.year, False) for year in plan.years])
    rooms = np.stack([_built(county, ("classrooms",), year.year, False) for year in plan.years])
    town = np.isin(np.array(county.schools.kind), TOWN_KINDS)
    for account, here in (("town_place", town), ("class_place", ~town)):
        yield account, by_site(county, plan, np.where(here, places + in_class * rooms, 0))
    yield "project", _stated(county, plan)


def _stock(settings: Settings, county: County, plan: Plan, account: str) -> tuple[Ints, Ints]:
    """Return what each school has in each year (Y, S), and what was there (S,)."""
    schools, scales = county.schools, ("taps_scale", "basins_scale", "toilets_scale", "showers_scale")
    as_it_is = settings.model_copy(update={"wash": settings.wash.model_copy(update=dict.fromkeys(scales, 1.0))})
    before = fixtures(replace(county, projects=county.projects[:0]), as_it_is, plan.years[0].year)
    have, there = {
        "bed_place": ([year.beds.nominal for year in plan.years], schools.beds),
        "window_place": ([year.meals.windows for year in plan.years], schools.windows),
        "canteen_seat_place": ([year.meals.seats for year in plan.years], schools.canteen_seats),
        "kitchen_meal": ([year.meals.kitchen for year in plan.years], schools.kitchen_meals),
        "tap_place": ([year.fixtures.taps for year in plan.years], before.taps),
        "basin_place": ([year.fixtures.basins for year in plan.years], before.basins),
        "toilet_place": ([year.fixtures.toilets for year in plan.years], before.toilets),
        "shower_place": ([year.fixtures.showers for year in plan.years], before.showers),
    }[account]
    table, at_first = np.stack(have), np.asarray(there)
    return (table.sum(axis=2), at_first.sum(axis=1)) if table.ndim > 2 else (table, at_first)


def _built(county: County, adds: tuple[str, ...], year: int, priced: bool) -> Ints:
    """Return what projects with a stated cost (`priced`), or without one, have added to each school by a year."""
    projects = county.projects
    done = projects["adds"].isin(adds) & (projects["cost_yuan"].notna() == priced) & (projects["year"] <= year)
    site = pd.Index(county.schools.id).get_indexer(pd.Index(projects.loc[done, "school_id"]))
    quantity = projects.loc[done, "quantity"].to_numpy(dtype=float)
    return np.bincount(site, weights=quantity, minlength=len(county.schools.id)).astype(np.int64)


def _stated(county: County, plan: Plan) -> pd.DataFrame:
    """Return the stated costs of projects in yuan, in their year, by school."""
    known = county.projects[county.projects["year"].isin([year.year for year in plan.years])]
    rows = known.groupby(["year", "school_id"], as_index=False)["cost_yuan"].sum()
    return rows.set_axis(["year", "site_id", "quantity"], axis=1).assign(replication=pd.NA)
