"""The plan of every year: forecast, closures, places, routes, duties, sittings, beds, classes, posts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County
from sim.county.road import Travel
from sim.plan import (
    GRADES,
    LODGE,
    SCHOOL_BUS,
    Bools,
    Checked,
    Closures,
    Floats,
    Forecast,
    Places,
    Plan,
    Routes,
    Runs,
    YearPlan,
)
from sim.plan.choice import alternatives
from sim.plan.classroom import class_places, classes
from sim.plan.close import close_and_place
from sim.plan.dine import meals
from sim.plan.duty import chain
from sim.plan.enrol import forecast
from sim.plan.improve import choose
from sim.plan.lodge import beds
from sim.plan.replan import needs
from sim.plan.staff import posts, staffed
from sim.plan.stops import with_stops
from sim.plan.wash import fixtures
from sim.share import Known

Router = Callable[[Iterable[Places]], list[Routes]]
"""Makes the routes of several years' places, in the same order; the study spreads it over workers."""


def make(settings: Settings, county: County, travel: Travel, route_all: Router, known: Known | None = None) -> Plan:
    """Plan all years of a study on the forecast, before any luck is drawn; what is known is not reckoned again."""
    known, name, settings = known or Known(), settings.scenario, _nameless(settings)
    expected, closed, at_home = known(_placed_years, settings, county, travel)
    years: list[YearPlan] = []
    owned = 0
    placed, ways = _at_stops(settings, county, travel, at_home, route_all, known)
    for open_, year_places, routes in zip(closed.open, placed, ways, strict=True):
        runs = known(chain, settings, travel, county, known.interned(routes), owned)
        open_now = known.interned(open_)
        chosen = known(choose, settings, county, travel, year_places, runs, open_now, owned)
        years.append(known(_year, settings, county, open_now, *chosen))
        owned = runs.buses_owned
    staff = known(posts, settings, county, tuple(years), expected, travel)
    others = alternatives(county, settings, travel, closed, placed)
    return _named(Plan(expected, closed, staffed(county, years, staff), staff, others), name)


def placed_years(settings: Settings, county: County, travel: Travel) -> tuple[Forecast, Closures, list[Places]]:
    """Return the forecast, the closures, and the school and way of all pupils in every year; stops at home."""
    expected, closed, placed = _placed_years(settings, county, travel)
    return expected, closed, list(placed)


def _placed_years(settings: Settings, county: County, travel: Travel) -> tuple[Forecast, Closures, tuple[Places, ...]]:
    expected = forecast(county, settings)
    return expected, *close_and_place(county, settings, travel, expected)


def _nameless(settings: Settings) -> Settings:
    """Return settings without the scenario's name, so that it does not keep scenarios apart that are planned alike."""
    return settings.model_copy(update={"scenario": ""})


def _named(plan: Plan, name: str) -> Plan:
    """Write the scenario's name into the tables of a plan."""

    def told(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(scenario=name) if len(table) else table

    def of_year(year: YearPlan) -> YearPlan:
        lost = year.places.unplaced
        return replace(year, places=replace(year.places, unplaced=told(lost))) if len(lost) else year

    closed = {table: told(getattr(plan.closures, table)) for table in ("decisions", "school_plans", "grounds")}
    return replace(
        plan,
        closures=replace(plan.closures, **closed),
        years=tuple(map(of_year, plan.years)),
        posts=told(plan.posts),
        alternatives=told(plan.alternatives),
    )


def _at_stops(
    settings: Settings, county: County, travel: Travel, at_home: Sequence[Places], route_all: Router, known: Known
) -> tuple[list[Places], list[Routes]]:
    """Return the places and routes of every year: with shared stops, unless these cost a bus or, at as many, km."""
    chosen = list(zip(at_home, route_all(at_home), strict=True))
    if settings.fleet.stop_walk_km > 0:
        shared = [known(with_stops, county, settings, travel, year) for year in at_home]
        both = zip(zip(shared, route_all(shared), strict=True), chosen, strict=True)

        def worth(one: tuple[Places, Routes]) -> tuple[float, float]:
            return known(needs, settings, county, travel, known.interned(one[1]))

        chosen = [min(two, key=worth) for two in both]
    return [places for places, _ in chosen], [routes for _, routes in chosen]


def _year(settings: Settings, county: County, open_: Bools, placed: Places, runs: Runs, checked: Checked) -> YearPlan:
    return YearPlan(
        year=placed.year,
        open=open_,
        places=placed,
        runs=runs,
        meals=meals(county, settings, placed.year, diners(county, settings, placed), open_),
        beds=beds(county, settings, placed.year),
        fixtures=fixtures(county, settings, placed.year),
        classes=classes(county, settings, school_rolls(county, placed)),
        class_places=class_places(county, settings, placed.year),
        checked=checked,
    )


def school_rolls(county: County, placed: Places) -> Floats:
    """Return the pupils the plan expects at each school by grade; (S, 9)."""
    return _by_school(county, placed, placed.expected.sum(axis=2))


def diners(county: County, settings: Settings, placed: Places) -> Floats:
    """Return who is to eat lunch at each school by grade, and who breakfast or dinner; (2, S, 9).

    All who ask for a bed eat every meal; of the others a share has lunch, and a share of the bus riders breakfast.
    """
    lodge, dine = placed.share[:, :, LODGE], settings.dine
    lunch = lodge + dine.lunch_share * (1 - lodge)
    early = lodge + dine.breakfast_rider_share * placed.share[:, :, SCHOOL_BUS]
    expected = placed.expected.sum(axis=2)
    return np.stack([_by_school(county, placed, expected * eats) for eats in (lunch, early)])


def _by_school(county: County, placed: Places, expected: Floats) -> Floats:
    """Add up pupils of hamlets and grades (H, 9) by the school they are placed at; (S, 9)."""
    rolls = np.zeros((len(county.schools.id), len(GRADES)))
    for g in range(len(GRADES)):
        there = placed.school[:, g] >= 0
        np.add.at(rolls[:, g], placed.school[there, g], expected[there, g])
    return rolls


__all__ = ["Closures", "Forecast", "Router", "make", "school_rolls"]
