"""The timetable of a year: the plan and its pupils as flat arrays that a week can be lived from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim import streams
from sim.config import Settings
from sim.county import County
from sim.county.road import Travel
from sim.operate.drive import Riders
from sim.operate.pupils import IN, OUT, SERVICE_LODGER, Pupils, bus_seats
from sim.plan import Bools, Floats, Ints, YearPlan
from sim.plan.timetable import at_school_min, by_run, stop_times
from sim.streams import Owners

FIRST_DAY, LAST_DAY, OTHER_DAY, ONLY_DAY = range(4)
FIRST_JUNIOR_GRADE = 7
Legs = tuple[tuple[int, float, float], ...]
"""(run, empty km, empty minutes) of each run of a bus in a half day."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """R runs, P stops, N pupils, S schools, B buses. Clock times are minutes after midnight."""

    stops: tuple[tuple[int, int], ...]
    """(R) first and end position of the stops of each run."""
    run_of_stop: Ints
    seats: tuple[int, ...]
    school: tuple[int, ...]
    """(R) position of the school."""
    direction: tuple[int, ...]
    is_lodger: Bools
    start_node: tuple[int, ...]
    end_node: tuple[int, ...]
    be_there_min: Floats
    """(R,) when the bus should stand at the first stop (in) or at the school (out)."""
    depart_min: Floats
    hold_min: Floats
    """(P,) planned departure from each stop of an `in` run; -inf for `out` runs."""
    close_min: Floats
    """(R,) when the pupils of an `out` run may leave school."""
    latest_min: Floats
    """(R,) the last moment at which a second run sets out."""
    riders: Riders
    run_owner: Owners
    """(R,) owns the traffic of the run."""
    stop_owner: Owners
    """(P,) owns the traffic of the leg."""
    bus: tuple[int, ...]
    """(R) bus of the run, -1 when it is dropped."""
    spare_buses: int
    yard: tuple[int, ...]
    """(B) node of the yard of each bus."""
    spare_yard: tuple[int, ...]
    """(R) node of the yard nearest to the start of the run."""
    home: tuple[tuple[float, float], ...]
    """(R) km and minutes from the end of the run to the yard of its bus."""
    duties: Mapping[tuple[int, int, int], Legs]
    """(bus, kind of day, direction) -> runs in order, with the empty way before each."""
    run_km: Floats
    """(R,) km with pupils of one drive of the run."""
    diner: Bools
    """(3, N) who eats breakfast, lunch and dinner at school."""
    sitting: Ints
    """(N,) sitting of each pupil."""
    walk_min: Floats
    """(N,) planned walk to the hall, classes leaving one after another."""
    windows: tuple[int, ...]
    canteen_seats: tuple[int, ...]
    gate_bays: tuple[int, ...]
    sitting_min: float
    """Length of a sitting."""
    sittings: Mapping[int, int]
    """school -> number of sittings, for every school with a canteen and pupils."""
    lodging: frozenset[int]
    """Schools where somebody has a bed."""


def timetable(county: County, settings: Settings, travel: Travel, plan: YearPlan, pupils: Pupils) -> Timetable:
    """Lay out the year for operation; nothing here depends on the day."""
    return Timetable(**_runs(county, settings, travel, plan), **_riders(plan, pupils), **_meals(settings, plan, pupils),
                     gate_bays=tuple(county.schools.gate_bays.tolist()))  # fmt: skip


def _runs(county: County, settings: Settings, travel: Travel, plan: YearPlan) -> dict[str, Any]:
    """Lay out the runs: places, times, buses and duties."""
    routes, runs = plan.runs.routes, plan.runs
    is_in = routes.direction == IN
    school_node = county.schools.node[routes.school]
    first_node = county.hamlets.node[routes.hamlet[routes.ptr[:-1]]]
    last_node = county.hamlets.node[routes.hamlet[routes.ptr[1:] - 1]]
    start, end = np.where(is_in, first_node, school_node), np.where(is_in, school_node, last_node)
    yards = np.flatnonzero(county.roads.is_yard)
    near = yards[np.argmin(travel.minutes[np.ix_(start, yards)], axis=1)]
    home = np.append(runs.yard, 0)[runs.bus]
    run_of_stop = np.repeat(np.arange(len(routes.school)), np.diff(routes.ptr))
    owner = _owners(county, plan)
    leg = (np.arange(len(run_of_stop)) - routes.ptr[run_of_stop] + 1).astype(np.uint64)
    return {
        "stops": tuple(zip(routes.ptr[:-1].tolist(), routes.ptr[1:].tolist(), strict=True)),
        "run_of_stop": run_of_stop,
        "seats": tuple(bus_seats(settings, plan).tolist()),
        "school": tuple(routes.school.tolist()),
        "direction": tuple(routes.direction.tolist()),
        "is_lodger": routes.service == SERVICE_LODGER,
        "start_node": tuple(start.tolist()),
        "end_node": tuple(end.tolist()),
        **_times(county, settings, plan, run_of_stop),
        "run_owner": owner,
        "stop_owner": owner[run_of_stop] + leg,
        "bus": tuple(runs.bus.tolist()),
        "spare_buses": runs.spare_buses,
        "yard": tuple(runs.yard.tolist()),
        "spare_yard": tuple(near.tolist()),
        "home": tuple(zip(travel.km[end, home].tolist(), travel.minutes[end, home].tolist(), strict=True)),
        "duties": _duties(plan, travel, start, end),
        "run_km": by_run(routes, routes.leg_km),
    }


def _times(county: County, settings: Settings, plan: YearPlan, run_of_stop: Ints) -> dict[str, Any]:
    """Lay out the planned clock times of the runs."""
    routes, fleet, bells = plan.runs.routes, settings.fleet, settings.bells
    is_in, lodger = routes.direction == IN, routes.service == SERVICE_LODGER
    come, go = stop_times(plan.runs, fleet)
    loading = at_school_min(fleet, by_run(routes, routes.load))
    junior = county.schools.last_grade[routes.school] >= FIRST_JUNIOR_GRADE  # all leave when the last ones do
    close = np.where(junior, bells.junior_close_min, bells.primary_close_min)
    slack = fleet.second_run_latest_min - bells.primary_first_min
    morning = np.where(lodger, bells.lodger_monday_min + slack, fleet.second_run_latest_min)
    return {
        "be_there_min": np.where(is_in, come[routes.ptr[:-1]], plan.runs.depart_min - loading),
        "depart_min": plan.runs.depart_min,
        "hold_min": np.where(is_in[run_of_stop], go, -np.inf),
        "close_min": np.where(lodger, bells.lodger_friday_min, close),
        "latest_min": np.where(is_in, morning, np.inf),
    }


def _meals(settings: Settings, plan: YearPlan, pupils: Pupils) -> dict[str, Any]:
    """Lay out who eats what, when, and what the canteens offer."""
    meals, dine = plan.meals, settings.dine
    open_ = meals.sittings > 0
    return {
        "diner": np.stack([pupils.has_bed, pupils.eats, pupils.has_bed]) & open_[pupils.school],
        "sitting": meals.sitting[pupils.school, pupils.grade - 1],
        "walk_min": dine.walk_to_hall_min + pupils.lunch_rank * dine.class_gap_min,
        "windows": tuple(meals.windows.tolist()),
        "canteen_seats": tuple(meals.seats.tolist()),
        "sitting_min": dine.bell_after_min,
        "sittings": {int(s): int(meals.sittings[s]) for s in np.unique(pupils.school) if open_[s]},
        "lodging": frozenset(np.unique(pupils.school[pupils.has_bed]).tolist()),
    }


def _riders(plan: YearPlan, pupils: Pupils) -> dict[str, Any]:
    """List the riders of each stop, the youngest first, refused lodgers last; (P + 1,) and (riders,)."""
    stops = len(plan.runs.routes.hamlet)
    who = np.concatenate([np.flatnonzero(pupils.stop[way] >= 0) for way in (IN, OUT)])
    stop = np.concatenate([pupils.stop[way][pupils.stop[way] >= 0] for way in (IN, OUT)])
    order = np.lexsort((pupils.number[who], pupils.grade[who], pupils.refused[who], stop))
    return {"riders": (np.searchsorted(stop[order], np.arange(stops + 1)), who[order])}


def _owners(county: County, plan: YearPlan) -> Owners:
    """Return who owns the traffic of each run: its farthest stop, the school and the direction; (R,)."""
    routes = plan.runs.routes
    far = np.where(routes.direction == IN, routes.hamlet[routes.ptr[:-1]], routes.hamlet[routes.ptr[1:] - 1])
    names = zip(far, routes.school, routes.direction, strict=True)
    return np.array(
        [streams.owner(county.hamlets.id[h], county.schools.id[s], int(way)) for h, s, way in names],
        dtype=np.uint64,
    )


def _duties(plan: YearPlan, travel: Travel, start: Ints, end: Ints) -> dict[tuple[int, int, int], Legs]:
    """List the runs of each bus by kind of day and direction, in order, with the empty way before each."""
    runs, routes = plan.runs, plan.runs.routes
    lists: dict[tuple[int, int, int], list[int]] = {}
    for r in np.lexsort((np.arange(len(runs.bus)), runs.order)):
        if runs.bus[r] < 0:
            continue
        way = int(routes.direction[r])
        everyday = routes.service[r] != SERVICE_LODGER
        weekly = (FIRST_DAY, ONLY_DAY) if way == IN else (LAST_DAY, ONLY_DAY)
        days = (FIRST_DAY, LAST_DAY, OTHER_DAY, ONLY_DAY) if everyday else weekly
        for kind in days:
            lists.setdefault((int(runs.bus[r]), kind, way), []).append(int(r))
    duties = {}
    for key, found in lists.items():
        before = [runs.yard[key[0]], *end[found[:-1]]]
        km, minutes = travel.km[before, start[found]], travel.minutes[before, start[found]]
        duties[key] = tuple(zip(found, km.tolist(), minutes.tolist(), strict=True))
    return duties
