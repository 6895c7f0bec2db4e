"""Runs to school searched for once more, as whole duties of buses, beginning from those of a plan.

What one bus does in a morning is a duty; stops move between the runs, buses and schools of all duties. The afternoon
is the morning backwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.plan import Places, Routes, Runs
from sim.plan.duty import chain
from sim.plan.route import IN, SCHOOL, Planned, Run, routes

if TYPE_CHECKING:
    from sim.config import Settings
    from sim.county import County
    from sim.county.road import Travel


def planned(county: County, settings: Settings, travel: Travel, places: Places) -> Routes:
    """Plan the bus runs of one year as `fleet.planner` says: school by school, or from these on as whole duties."""
    ways = routes(county, settings, travel, places)
    if settings.fleet.planner == "schools" or not len(ways.school):
        return ways
    any_fleet = settings.model_copy(update={"fleet": settings.fleet.model_copy(update={"buses": None})})
    return routes(county, settings, travel, places, begin=mornings(chain(any_fleet, travel, county, ways, 0)))


def mornings(runs: Runs) -> list[list[Planned]]:
    """Return the daily runs to school of each bus, in order of time."""
    ways = runs.routes
    mine = (ways.direction == IN) & (ways.service == SCHOOL)
    in_time = np.argsort(runs.arrive_min, kind="stable")
    return [[as_planned(ways, r) for r in in_time if mine[r] and runs.bus[r] == bus] for bus in range(len(runs.yard))]


def as_planned(ways: Routes, r: int) -> Planned:
    """Return a run as it was planned, with whole pupils."""
    stops = slice(ways.ptr[r], ways.ptr[r + 1])
    loads = tuple(np.ceil(ways.load[stops]).astype(int).tolist())
    run = Run(tuple(ways.hamlet[stops].tolist()), loads, int(ways.kind[r]), False)
    return int(ways.school[r]), int(ways.service[r]), run
