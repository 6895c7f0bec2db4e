"""The plan as tables: places, runs, closures, unplaced pupils, posts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County
from sim.plan import DIRECTIONS, MODES, SERVICES, Bools, Floats, Ints, Plan, Routes, Runs, YearPlan
from sim.plan.campus import campuses
from sim.plan.course import gate_loads
from sim.plan.hindcast import forecast_check
from sim.plan.timetable import stop_times
from sim.share import Known

IN = DIRECTIONS.index("in")


def plan_tables(settings: Settings, county: County, plan: Plan, known: Known | None = None) -> dict[str, pd.DataFrame]:
    """Return the tables of the plan by file name, without the scenario's name; what is known is not reckoned again."""
    known, years = known or Known(), plan.years
    return {
        "closures": plan.closures.decisions,
        "grounds": plan.closures.grounds,
        "places": pd.concat([_places(county, year) for year in years], ignore_index=True),
        "unplaced": pd.concat([year.places.unplaced for year in years], ignore_index=True),
        "runs": pd.concat([_runs(settings, county, year) for year in years], ignore_index=True),
        "posts": plan.posts,
        "school_plans": _school_plans(county, plan),
        "alternatives": plan.alternatives,
        "forecast_check": known(forecast_check, county, settings),
        "campuses": known(campuses, settings, county, plan),
        **_checked(years),
    }


def _school_plans(county: County, plan: Plan) -> pd.DataFrame:
    """Return the plans of the schools with the stop of those who really go where they say, and the walk to it."""
    table, years = plan.closures.school_plans, {year.year: year.places for year in plan.years}
    school, hamlet = ({name: i for i, name in enumerate(part.id)} for part in (county.schools, county.hamlets))
    stops: list[tuple[str | None, float]] = []
    for row in table.itertuples():
        h, g, places = hamlet[row.hamlet_id], int(row.grades.partition("-")[0]) - 1, years[row.year]
        rides = row.school_bus > 0 and places.school[h, g] == school.get(row.to_school_id)
        stops.append((county.hamlets.id[places.stop[h, g]], float(places.stop_km[h, g])) if rides else (None, np.nan))
    return table.assign(stop_id=[stop for stop, _ in stops], stop_km=[km for _, km in stops])


def _checked(years: tuple[YearPlan, ...]) -> dict[str, pd.DataFrame]:
    """Return how the plans of bus runs keep the limits, by table; none of years that were not checked."""
    checked = [(year.year, year.checked) for year in years if year.checked is not None]
    return {
        name: pd.concat([getattr(found, name).assign(year=year) for year, found in checked], ignore_index=True)
        for name in ("violations", "score")
        if checked
    }


def _places(county: County, year: YearPlan) -> pd.DataFrame:
    """List every hamlet and grade with expected pupils: one row for each way to school."""
    places = year.places
    expected = places.expected.sum(axis=2)
    pupils = places.share * expected[:, :, None]
    hamlet, g, mode = np.nonzero(pupils > 0)
    school = places.school[hamlet, g]
    ids = np.array([*county.schools.id, None], dtype=object)
    return pd.DataFrame(
        {
            "year": year.year,
            "hamlet_id": np.array(county.hamlets.id)[hamlet],
            "grade": g + 1,
            "school_id": ids[school],
            "mode": np.array(MODES)[mode],
            "pupils": pupils[hamlet, g, mode],
            "km": places.km[hamlet, g],
            "reason": places.reason[hamlet, g],
        }
    )


def _runs(settings: Settings, county: County, year: YearPlan) -> pd.DataFrame:
    """List every stop of every run in order, the school included; a run without a bus has no duty."""
    runs, routes = year.runs, year.runs.routes
    run, seq, stop, is_school = _places_of_runs(routes)
    inward = routes.direction[run] == IN
    bus = runs.bus[run]
    kinds = np.array([kind.seats for kind in settings.fleet.kinds])
    ids, to = np.array(county.schools.id), np.append(routes.to, 0)[stop]
    school = ids[np.where(is_school, routes.school[run], to)]
    is_gate = is_school | (np.append(routes.hamlet, 0)[stop] < 0)
    weekly = routes.service[run] == SERVICES.index("lodger")
    frame = pd.DataFrame(
        {
            "year": year.year,
            "run_id": np.array(routes.run_id, dtype=object)[run],
            "duty_id": _named("duty", bus),
            "bus_id": _named("bus", bus) if not runs.bus_id else np.array([*runs.bus_id, None], dtype=object)[bus],
            "service": np.array(SERVICES)[routes.service[run]],
            "direction": np.array(DIRECTIONS)[routes.direction[run]],
            "days": np.select([weekly & inward, weekly], ["mon", "fri"], "mon_fri"),
            "school_id": school,
            "seq": seq,
            "stop_id": np.where(is_gate, school, np.array(county.hamlets.id)[np.append(routes.hamlet, 0)[stop]]),
            "seats": np.where(bus < 0, routes.seats[run], np.append(kinds[runs.bus_kind], 0)[bus]),
        }
    )
    return frame.assign(**_course(settings, runs, run, seq, stop, is_school))


def _places_of_runs(routes: Routes) -> tuple[Ints, Ints, Ints, Bools]:
    """Return run, place in the run, stop and whether it is the school, for every place of every run.

    The school is the last place of a run to school and the first of a run home; it has no stop (0 stands there).
    """
    count = np.diff(routes.ptr)
    run = np.repeat(np.arange(len(count)), count + 1)
    seq = np.arange(len(run)) - (routes.ptr[:-1] + np.arange(len(count)))[run]
    inward = routes.direction[run] == IN
    is_school = seq == np.where(inward, count[run], 0)
    return run, seq, np.where(is_school, 0, routes.ptr[run] + seq - ~inward), is_school


def _course(settings: Settings, runs: Runs, run: Ints, seq: Ints, stop: Ints, is_school: Bools) -> dict[str, Floats]:
    """Return times, km and loads at every place of every run."""
    routes = runs.routes
    inward = routes.direction[run] == IN
    own, there = gate_loads(routes)
    at_gate = np.where(is_school, np.append(own, 0.0)[run], np.append(there, 0.0)[stop])
    at_stop = np.where(is_school, 0.0, np.append(routes.load, 0.0)[stop])
    on, off = np.where(inward, at_stop, at_gate), np.where(inward, at_gate, at_stop)
    gate = np.where(inward, runs.arrive_min[run], runs.depart_min[run])
    come, go = (np.where(is_school, gate, np.append(times, 0.0)[stop]) for times in stop_times(runs, settings.fleet))
    # The leg into a place is that of the stop before on the way to school, and the stop's own on the way home.
    leg = np.where(inward, np.where(is_school, routes.ptr[run + 1], stop) - 1, stop)
    return {
        "arrive_min": come,
        "depart_min": go,
        "km": np.where(seq == 0, 0.0, np.append(routes.leg_km, 0.0)[leg]),
        "embark": on,
        "alight": off,
        "load_after": np.cumsum(on - off),
    }


def _named(what: str, number: Ints) -> list[str | None]:
    """Name buses and duties by their number; None where there is none."""
    return [None if n < 0 else f"{what}-{n + 1:03d}" for n in number.tolist()]
