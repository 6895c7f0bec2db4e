"""Runs to school searched for once more, as whole duties of buses, beginning from those of a plan.

What one bus does in a morning is a duty; stops move between the runs, buses and schools of all duties. The afternoon
is the morning backwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.plan import Places, Routes, Runs
from sim.plan.course import by_run
from sim.plan.duty import chain
from sim.plan.route import IN, OUT, SCHOOL, Planned, Run, routes
from sim.plan.violation import Times, day_lists, ends, timing

if TYPE_CHECKING:
    from sim.config import Settings
    from sim.county import County
    from sim.county.road import Travel


def planned(county: County, settings: Settings, travel: Travel, places: Places) -> Routes:
    """Plan the bus runs of one year as `fleet.planner` says: school by school, or from these on as whole duties.

    Mixed loads are planned as whole duties, whatever it says; their search begins from what it finds without them.
    Whole duties are taken where they save buses of the whole year's plan, or km with as many buses.
    """
    ways = routes(county, settings, travel, places)
    fleet = settings.fleet
    if (fleet.planner == "schools" and not fleet.mixed_loads) or not len(ways.school):
        return ways
    begin = [] if fleet.mixed_loads else mornings(chain(with_any_fleet(settings), travel, county, ways, 0))
    again = routes(county, settings, travel, places, begin=begin)
    return min((ways, again), key=lambda one: needs(settings, county, travel, one))


def needs(settings: Settings, county: County, travel: Travel, ways: Routes) -> tuple[int, float]:
    """Return the buses that routes need in all, and the km of a week with them."""
    runs = chain(with_any_fleet(settings), travel, county, ways, 0)
    return runs.buses_needed, week_km(settings, county, travel, runs)


def with_any_fleet(settings: Settings) -> Settings:
    """Return settings with as many buses as it takes, so that routes do not depend on how many there are."""
    return settings.model_copy(update={"fleet": settings.fleet.model_copy(update={"buses": None, "scale": 1.0})})


def mornings(runs: Runs) -> list[list[Planned]]:
    """Return the daily runs to school of each bus, in order of time."""
    ways = runs.routes
    mine = (ways.direction == IN) & (ways.service == SCHOOL)
    in_time = np.argsort(runs.arrive_min, kind="stable")
    return [
        [as_planned(ways, r) for r in in_time.tolist() if mine[r] and runs.bus[r] == bus]
        for bus in range(len(runs.yard))
    ]


def as_planned(ways: Routes, r: int) -> Planned:
    """Return a run as it was planned, with whole pupils."""
    stops = slice(ways.ptr[r], ways.ptr[r + 1])
    loads = tuple(np.ceil(ways.load[stops]).astype(int).tolist())
    to = tuple(ways.to[stops].tolist())
    run = Run(tuple(ways.hamlet[stops].tolist()), loads, int(ways.kind[r]), False, to)
    return int(ways.school[r]), int(ways.service[r]), run


def week_km(settings: Settings, county: County, travel: Travel, runs: Runs) -> float:
    """Return the planned km of all buses in a week of five days, empty ones and those from and to the yard included.

    Mornings and afternoons begin and end at the yard.
    """
    times: Times = timing(settings.fleet, runs)
    start, goal = ends(county, runs)
    loaded, total = by_run(runs.routes, runs.routes.leg_km), 0.0
    for days, mine in day_lists(runs, times):
        for way in (IN, OUT):
            half = mine[runs.routes.direction[mine] == way]
            if len(half):
                yard = runs.yard[runs.bus[half[0]]]
                empty = travel.km[np.append(yard, goal[half]), np.append(start[half], yard)].sum()
                total += days * float(loaded[half].sum() + empty)
    return total
