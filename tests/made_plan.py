"""Plans made by hand for three_villages, so that what stands on a plan can be checked without planning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sim.county import County
from sim.plan import (
    LODGE,
    MODES,
    SCHOOL_BUS,
    Beds,
    Closures,
    Fixtures,
    Forecast,
    Meals,
    Places,
    Plan,
    Routes,
    Runs,
    YearPlan,
)

C, T = 0, 1
"""Positions of the two schools of three_villages."""
A, B, D = 0, 1, 2
"""Positions of its three hamlets."""


def runs(bus_kinds: Sequence[int], owned: int) -> Runs:
    """Return one run for each bus in use (the kinds given); `owned` counts spare buses, too."""
    many, none, zero = len(bus_kinds), np.zeros(0), np.zeros(len(bus_kinds))
    kinds = np.array(bus_kinds, dtype=np.int64)
    routes = Routes(
        run_id=tuple(f"r{k}" for k in range(many)),
        school=np.zeros(many, dtype=np.int64),
        direction=np.zeros(many, dtype=np.int64),
        service=np.zeros(many, dtype=np.int64),
        kind=kinds,
        seats=np.full(many, 17),
        ptr=np.zeros(many + 1, dtype=np.int64),
        hamlet=np.zeros(0, dtype=np.int64),
        load=none,
        leg_min=none,
        leg_floor_min=none,
        leg_km=none,
        over_limit=np.zeros(many, dtype=bool),
    )
    return Runs(
        routes=routes,
        depart_min=zero,
        arrive_min=zero,
        bus=np.arange(many),
        order=np.zeros(many, dtype=np.int64),
        late_min=zero,
        yard=np.zeros(many, dtype=np.int64),
        bus_kind=kinds,
        buses_needed=many,
        buses_owned=owned,
        spare_buses=owned - many,
    )


def places(county: County, year: int, open_t: bool) -> Places:
    """Send everybody to C, but D's grades 1-3 to T while it is open; B and D ride, D's grade 8 lodges."""
    school = np.full((3, 9), C)
    if open_t:
        school[D, :3] = T
    share = np.zeros((3, 9, len(MODES)))
    share[A, :, 0] = 1
    share[B, :, SCHOOL_BUS] = 1
    share[D, :, SCHOOL_BUS] = 1
    share[D, 7] = 0
    share[D, 7, LODGE] = 1
    return Places(
        year=year,
        school=school,
        km=np.zeros((3, 9)),
        minutes=np.zeros((3, 9)),
        share=share,
        reason=np.full((3, 9), "by hand", dtype=object),
        expected=county.pupils.astype(float),
        unplaced=pd.DataFrame(),
    )


def year_plan(
    county: County,
    year: int,
    open_t: bool = False,
    bus_kinds: Sequence[int] = (0,),
    owned: int = 1,
    beds: int = 1,
    windows: int = 1,
) -> YearPlan:
    """Return the plan of one year; `beds` of each sex and `windows` are those of C."""
    schools, by_sex = np.zeros(2, dtype=np.int64), np.zeros((2, 2), dtype=np.int64)
    return YearPlan(
        year=year,
        open=np.array([True, open_t]),
        places=places(county, year, open_t),
        runs=runs(bus_kinds, owned),
        meals=Meals(
            sitting=np.zeros((2, 9), dtype=np.int64),
            sittings=np.array([1, 0]),
            early=np.zeros((2, 9), dtype=np.int64),
            lunch_min=np.zeros((2, 9)),
            windows=np.array([windows, 0]),
            seats=np.array([6, 0]),
            kitchen=np.array([12, 0]),
        ),
        beds=Beds(nominal=np.array([[beds, beds], [0, 0]]), emergency=by_sex),
        fixtures=Fixtures(schools, schools, by_sex, by_sex),
        classes=schools,
        class_places=schools,
    )


def closures(years: Sequence[YearPlan]) -> Closures:
    """Return which schools are open, as the plans of the years say."""
    return Closures(
        years=np.array([year.year for year in years]),
        open=np.array([year.open for year in years]),
        decisions=pd.DataFrame(),
        taught=np.array([np.repeat(year.open[:, None], 9, axis=1) for year in years]),
        school_plans=pd.DataFrame(),
        grounds=pd.DataFrame(),
    )


def forecast(county: County, years: Sequence[YearPlan]) -> Forecast:
    """Return the roll of today in every year."""
    roll = np.repeat(county.pupils[None].astype(float), len(years), axis=0)
    return Forecast(np.array([year.year for year in years]), roll, roll)


def plan(county: County, years: Sequence[YearPlan], posts: pd.DataFrame) -> Plan:
    """Put the years together; the forecast is the roll of today in every year."""
    return Plan(forecast(county, years), closures(years), tuple(years), posts)


def enrolment(county: County, years: Sequence[YearPlan], replications: int = 2) -> pd.DataFrame:
    """Return who comes in every year and replication: the pupils of today at the schools of the plan."""
    home, grade, sex = np.nonzero(county.pupils)
    parts = [
        pd.DataFrame(
            {
                "replication": replication,
                "year": year.year,
                "hamlet_id": np.array(county.hamlets.id)[home],
                "school_id": np.array(county.schools.id)[year.places.school[home, grade]],
                "grade": grade + 1,
                "sex": np.array(["f", "m"])[sex],
                "pupils": county.pupils[home, grade, sex],
            }
        )
        for replication in range(replications)
        for year in years
    ]
    return pd.concat(parts, ignore_index=True)
