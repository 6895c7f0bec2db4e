"""The plan as tables: places, runs, closures, unplaced pupils, posts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County
from sim.plan import DIRECTIONS, MODES, SERVICES, Floats, Plan, YearPlan
from sim.plan.timetable import stop_times

IN = DIRECTIONS.index("in")


def plan_tables(settings: Settings, county: County, plan: Plan) -> dict[str, pd.DataFrame]:
    """Return the tables of the plan by file name, without the scenario's name."""
    years = plan.years
    return {
        "closures": plan.closures.decisions,
        "places": pd.concat([_places(county, year) for year in years], ignore_index=True),
        "unplaced": pd.concat([year.places.unplaced for year in years], ignore_index=True),
        "runs": pd.concat([_runs(settings, county, year) for year in years], ignore_index=True),
        "posts": plan.posts,
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
    routes, clock = year.runs.routes, stop_times(year.runs, settings.fleet)
    parts = [_run(settings, county, year, clock, r) for r in range(len(routes.school))]
    frame = pd.concat(parts, ignore_index=True) if parts else _no_runs()
    return frame.assign(year=year.year)


def _no_runs() -> pd.DataFrame:
    columns = (
        "run_id duty_id bus_id service direction days school_id seq stop_id arrive_min depart_min km embark alight"
        " load_after seats"
    )
    return pd.DataFrame(columns=columns.split())


def join(stops: Floats, school: Floats, inward: bool) -> Floats:
    """Put the school behind the stops of a run to school, before those of a run home."""
    return np.concatenate([stops, school] if inward else [school, stops])


def _run(settings: Settings, county: County, year: YearPlan, clock: tuple[Floats, Floats], r: int) -> pd.DataFrame:
    """Lay out one run stop by stop; planned times rest on free flow and the planned loads."""
    runs, routes = year.runs, year.runs.routes
    stops = slice(routes.ptr[r], routes.ptr[r + 1])
    inward = routes.direction[r] == IN
    load, km = routes.load[stops], routes.leg_km[stops]
    school = county.schools.id[routes.school[r]]
    names = [county.hamlets.id[h] for h in routes.hamlet[stops]]
    gate = np.array([runs.arrive_min[r] if inward else runs.depart_min[r]])
    arrive, depart = (join(times[stops], gate, inward) for times in clock)
    bus = int(runs.bus[r])
    weekly = "mon" if inward else "fri"
    everyone, nobody = np.array([load.sum()]), np.zeros(1)
    on = join(load, nobody, True) if inward else join(0 * load, everyone, False)
    off = join(0 * load, everyone, True) if inward else join(load, nobody, False)
    return pd.DataFrame(
        {
            "run_id": routes.run_id[r],
            "duty_id": None if bus < 0 else f"duty-{bus + 1:03d}",
            "bus_id": None if bus < 0 else f"bus-{bus + 1:03d}",
            "service": SERVICES[routes.service[r]],
            "direction": DIRECTIONS[routes.direction[r]],
            "days": "mon_fri" if SERVICES[routes.service[r]] == "school" else weekly,
            "school_id": school,
            "seq": np.arange(len(names) + 1),
            "stop_id": [*names, school] if inward else [school, *names],
            "arrive_min": arrive,
            "depart_min": depart,
            "km": np.append(0.0, km),
            "embark": on,
            "alight": off,
            "load_after": np.cumsum(on - off),
            "seats": routes.seats[r] if bus < 0 else settings.fleet.kinds[runs.bus_kind[bus]].seats,
        }
    )
