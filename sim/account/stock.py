"""What is there in each year and has to be bought: buses, stops, and what schools have beyond what was there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sim.account.rows import Counted, by_site
from sim.config import Settings
from sim.county import County
from sim.county.facts import TOWN_KINDS
from sim.plan import Ints, Plan
from sim.plan.classroom import class_size
from sim.plan.duty import scaled
from sim.plan.lodge import added
from sim.plan.wash import fixtures

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
BEDS_AND_MEALS = ("bed_place", "window_place", "canteen_seat_place", "kitchen_meal")
SCALES = dict.fromkeys(("taps_scale", "basins_scale", "toilets_scale", "showers_scale"), 1.0)
SQUATS = {"urinals_per_squat": 0.0}


def stops(county: County, plan: Plan) -> Ints:
    """Return how many stops are built up to each year, less those of projects with a stated cost; (Y,).

    Those at homes to which buses have come, or those that projects add, if they are more. Once built, a stop stays.
    """
    built: set[int] = set()
    many = []
    for year in plan.years:
        built |= set(year.runs.routes.hamlet[year.runs.routes.hamlet >= 0].tolist())
        many.append(len(built))
    told, paid = (_built(county, plan, ("stops",), priced).sum(axis=1) for priced in (False, True))
    return np.maximum(np.maximum(np.array(many, dtype=np.int64) - paid, told), 0)


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
    """Count what schools have beyond what was there before the study, less what projects of a stated cost pay.

    What projects add is bought in their year, at their stated cost or, without one, at the price of the list.
    """
    for account, (have, there) in _stock(settings, county, plan).items():
        paid = _built(county, plan, ADDED[account], priced=True)
        yield account, by_site(county, plan, np.maximum(have - paid - there, 0))
    for what, account in PROJECTS.items():
        yield account, by_site(county, plan, _built(county, plan, (what,), priced=False))
    rooms = _built(county, plan, ("classrooms",), priced=False) * class_size(county, settings)
    places = _built(county, plan, ("places",), priced=False) + rooms
    town = np.isin(np.array(county.schools.kind), TOWN_KINDS)
    for account, here in (("town_place", town), ("class_place", ~town)):
        yield account, by_site(county, plan, np.where(here, places, 0))
    yield "project", _stated(county, plan)


def _stock(settings: Settings, county: County, plan: Plan) -> dict[str, tuple[Ints, Ints]]:
    """Return by account what each school has in each year (Y, S), and what was there before the first year (S,).

    Toilets are squats here: the urinals beside them are in their price.
    """
    schools, before = county.schools, plan.years[0].year - 1
    as_it_is = settings.model_copy(update={"wash": settings.wash.model_copy(update=SCALES | SQUATS)})
    was = fixtures(county, as_it_is, before)
    squats = settings.model_copy(update={"wash": settings.wash.model_copy(update=SQUATS)})
    toilets = [fixtures(county, squats, year.year).toilets.sum(axis=1) for year in plan.years]
    told = {
        "bed_place": ([year.beds.nominal.sum(axis=1) for year in plan.years], schools.beds.sum(axis=1)),
        "window_place": ([year.meals.windows for year in plan.years], schools.windows),
        "canteen_seat_place": ([year.meals.seats for year in plan.years], schools.canteen_seats),
        "kitchen_meal": ([year.meals.kitchen for year in plan.years], schools.kitchen_meals),
        "tap_place": ([year.fixtures.taps for year in plan.years], was.taps),
        "basin_place": ([year.fixtures.basins for year in plan.years], was.basins),
        "toilet_place": (toilets, was.toilets.sum(axis=1)),
        "shower_place": ([year.fixtures.showers.sum(axis=1) for year in plan.years], was.showers.sum(axis=1)),
    }
    more = {account: sum(added(county, what, before) for what in ADDED[account]) for account in BEDS_AND_MEALS}
    return {account: (np.stack(have), first + more.get(account, 0)) for account, (have, first) in told.items()}


def _built(county: County, plan: Plan, adds: tuple[str, ...], priced: bool) -> Ints:
    """Return what projects with a stated cost (`priced`), or without one, have added since the first year; (Y, S)."""
    projects, years = county.projects, [year.year for year in plan.years]
    wanted = projects[projects["adds"].isin(adds) & (projects["cost_yuan"].notna() == priced)]
    site = pd.Index(county.schools.id).get_indexer(pd.Index(wanted["school_id"]))
    built = np.zeros((len(years), len(county.schools.id)), dtype=np.int64)
    for row, year in enumerate(years):
        done = ((wanted["year"] >= years[0]) & (wanted["year"] <= year)).to_numpy()
        np.add.at(built[row], site[done], wanted["quantity"].to_numpy(dtype=np.int64)[done])
    return built


def _stated(county: County, plan: Plan) -> pd.DataFrame:
    """Return the stated costs of projects in yuan, in their year, by school."""
    known = county.projects[county.projects["year"].isin([year.year for year in plan.years])]
    rows = known.groupby(["year", "school_id"], as_index=False)["cost_yuan"].sum()
    return rows.set_axis(["year", "site_id", "quantity"], axis=1).assign(replication=pd.NA)
