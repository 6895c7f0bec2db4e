"""The timetable of a year: the plan's runs and its riders as flat arrays that a week can be lived from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, product
from typing import Any

import numpy as np

from sim import streams
from sim.config import Settings
from sim.county import County
from sim.county.road import Travel
from sim.operate.drive import Riders
from sim.operate.legs import Legs, clear_legs, legs
from sim.operate.pupils import IN, OUT, SERVICE_LODGER, Pupils, bus_seats
from sim.operate.weather import Skyways
from sim.plan import FIRST_JUNIOR_GRADE, Bools, Floats, Ints, Routes, Runs, YearPlan
from sim.plan.course import (
    OWN_SCHOOL,
    Piece,
    at_school_min,
    by_run,
    gate_loads,
    gates,
    nodes,
    own_gate,
    pieces,
    schools_of,
)
from sim.plan.course import run_of_stop as run_of
from sim.plan.staff import crews
from sim.plan.timetable import stop_times
from sim.share import Known
from sim.streams import Owners

FIRST_DAY, LAST_DAY, OTHER_DAY, ONLY_DAY = range(4)
CLEAR = 0
NO_BUS = -1
"""Has the runs that the plan had to drop."""
Course = tuple[Ints, Ints, Ints, Ints, Ints]
"""Where the pieces of each run begin, (R + 1,), their calls, first and end stops; where its stops begin, (R + 1,)."""
Sky = tuple[int, bool]
"""Kind of weather, and whether the stress pack has struck."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """R runs, P stops, C calls, N pupils, S schools, B buses. Clock times are minutes after midnight."""

    stops: tuple[tuple[int, int], ...]
    """(R) first and end position of the stops of each run."""
    pieces: tuple[tuple[Piece, ...], ...]
    """(R) its calls at schools in order, each with the stops before (in) or after (out) it."""
    course: Course
    """The same pieces as arrays."""
    call_school: tuple[int, ...]
    """(C) school of each call."""
    call_of_stop: Ints
    """(P,) the call at which the riders of each stop get off (in) or on (out)."""
    schools: tuple[frozenset[int], ...]
    """(R) all schools at which each run calls."""
    run_of_stop: Ints
    stop_node: tuple[int, ...]
    """(P,) node of each stop or gate."""
    stop_in: Bools
    """(P,) the stop is of a run to school."""
    seats: tuple[int, ...]
    school: tuple[int, ...]
    """(R) position of its own school."""
    direction: tuple[int, ...]
    is_lodger: Bools
    be_there_min: Floats
    """(R,) when the bus should stand at the first stop (in) or at the school (out)."""
    depart_min: Floats
    """(C,) planned departure from each call of an `out` run; of an `in` run, from its first stop."""
    hold_min: Floats
    """(P,) planned departure from each stop or gate of an `in` run; -inf for `out` runs."""
    close_min: Floats
    """(N,) when the class of each pupil is over."""
    friday_min: Floats
    """(N,) when lodgers may leave on the last day of the week."""
    latest_min: Floats
    """(R,) the last moment at which a second run sets out."""
    riders: Riders
    run_owner: Owners
    """(R,) owns the traffic of the run."""
    stop_owner: Owners
    """(P,) owns the traffic of the leg."""
    bus: tuple[int, ...]
    """(R) bus of the run, -1 when it is dropped."""
    yard: tuple[int, ...]
    """(B) node of the yard of each bus."""
    attendants: Ints
    """(B,) attendants planned on each bus."""
    bus_seats: tuple[int, ...]
    """(B) seats for pupils."""
    spare_buses: int
    reserve: tuple[int, int]
    """Drivers and attendants in reserve."""
    spare_yard: tuple[int, ...]
    """(R) node of the yard nearest to the start of the run."""
    duties: Mapping[tuple[int, int, int], tuple[int, ...]]
    """(bus, kind of day, direction) -> runs in order."""
    rotas: Mapping[tuple[int, int], tuple[Ints, Ints]]
    """(kind of day, direction) -> (B, most) the runs of each bus in order, and (B,) how many these are."""
    run_km: Floats
    """(R,) planned km with pupils of one drive of the run."""
    legs: Mapping[Sky, Legs]
    """The legs in every kind of weather that can come."""
    component: Mapping[Sky, Ints]
    """(nodes,) part of the road network, in every kind of weather: between two parts no road is open."""

    def aboard(self, run: int, embarked: Floats, alighted: Floats) -> Ints:
        """Return the riders of a run who have embarked and not alighted."""
        (first, end), (rider_at, rider) = self.stops[run], self.riders
        who = rider[rider_at[first] : rider_at[end]]
        return who[~np.isnan(embarked[who]) & np.isnan(alighted[who])]


def timetable(
    county: County, settings: Settings, travel: Travel, skyways: Skyways, plan: YearPlan, pupils: Pupils,
    known: Known | None = None,
) -> Timetable:  # fmt: skip
    """Lay out the year for operation; nothing here depends on the day."""
    known = known or Known()
    routes, runs = plan.runs.routes, plan.runs
    kinds = [settings.fleet.kinds[kind] for kind in runs.bus_kind]
    duties = known(_duties, runs)
    return Timetable(
        **known(_laid_out, county, travel, skyways, routes),
        seats=tuple(bus_seats(settings, plan).tolist()),
        bus=tuple(runs.bus.tolist()),
        yard=tuple(runs.yard.tolist()),
        attendants=np.array([kind.attendants for kind in kinds], dtype=np.int64),
        bus_seats=tuple(kind.seats for kind in kinds),
        spare_buses=runs.spare_buses,
        reserve=crews(settings, plan),
        duties=duties,
        rotas=known(rotas, duties, len(runs.yard)),
        riders=_riders(plan, pupils),
        **_times(settings, plan, pupils, run_of(routes)),
    )


def _laid_out(county: County, travel: Travel, skyways: Skyways, routes: Routes) -> dict[str, Any]:
    """Lay out what depends on the routes and the roads alone, whoever rides and whatever bus drives."""
    run_of_stop, on_the_way = run_of(routes), gates(routes)
    owner = _owners(county, routes)
    leg = (np.arange(len(run_of_stop)) - routes.ptr[run_of_stop] + 1).astype(np.uint64)
    clear = clear_legs(county, routes, travel)
    ways = {sky: clear if way.travel is travel else legs(county, routes, way) for sky, way in skyways.items()}
    return {
        "stops": tuple(zip(routes.ptr[:-1].tolist(), routes.ptr[1:].tolist(), strict=True)),
        "pieces": tuple(pieces(routes)),
        "course": _course(routes),
        "call_school": tuple(np.append(routes.school, routes.to[on_the_way]).tolist()),
        "call_of_stop": _call_of_stop(routes),
        "schools": tuple(
            frozenset(np.flatnonzero(here).tolist()) for here in schools_of(routes, len(county.schools.id))
        ),
        "run_of_stop": run_of_stop,
        "stop_node": tuple(nodes(county, routes).tolist()),
        "stop_in": routes.direction[run_of_stop] == IN,
        "school": tuple(routes.school.tolist()),
        "direction": tuple(routes.direction.tolist()),
        "is_lodger": routes.service == SERVICE_LODGER,
        "run_owner": owner,
        "stop_owner": owner[run_of_stop] + leg,
        "spare_yard": _spare_yards(county, travel, clear),
        "run_km": by_run(routes, routes.leg_km),
        "legs": ways,
        "component": {sky: way.component for sky, way in skyways.items()},
    }


def _course(routes: Routes) -> Course:
    """Lay out the pieces of all runs, one after another."""
    found = pieces(routes)
    call, first, end = np.array([piece for run in found for piece in run], dtype=np.int64).reshape(-1, 3).T.copy()
    return np.append(0, np.cumsum([len(run) for run in found], dtype=np.int64)), call, first, end, routes.ptr


def _call_of_stop(routes: Routes) -> Ints:
    """Return the call at which the riders of each stop get off (in) or on (out), (P,)."""
    gate, on_the_way = own_gate(routes), gates(routes)
    call = len(routes.run_id) + np.searchsorted(on_the_way, gate)
    return np.where(gate == OWN_SCHOOL, run_of(routes), call)


def _spare_yards(county: County, travel: Travel, clear: Legs) -> tuple[int, ...]:
    """Return the yard nearest to the start of each run; in a county without yards the start itself."""
    yards, start = np.flatnonzero(county.roads.is_yard), clear.first
    if not len(yards):
        return tuple(start.tolist())
    return tuple(yards[np.argmin(travel.minutes[np.ix_(start, yards)], axis=1)].tolist())


def _times(settings: Settings, plan: YearPlan, pupils: Pupils, run_of_stop: Ints) -> dict[str, Any]:
    """Lay out the planned clock times of the runs and of the pupils."""
    routes, fleet, bells = plan.runs.routes, settings.fleet, settings.bells
    is_in, lodger = routes.direction == IN, routes.service == SERVICE_LODGER
    come, go = stop_times(plan.runs, fleet)
    loading = at_school_min(fleet, gate_loads(routes)[0])
    slack = fleet.second_run_latest_min - bells.primary_first_min
    morning = np.where(lodger, bells.lodger_monday_min + slack, fleet.second_run_latest_min)
    junior = pupils.grade >= FIRST_JUNIOR_GRADE
    return {
        "be_there_min": np.where(is_in, come[routes.ptr[:-1]], plan.runs.depart_min - loading),
        "depart_min": np.append(plan.runs.depart_min, go[gates(routes)]),
        "hold_min": np.where(is_in[run_of_stop], go, -np.inf),
        "close_min": np.where(junior, bells.junior_close_min, bells.primary_close_min).astype(float),
        "friday_min": np.full(len(pupils), float(bells.lodger_friday_min)),
        "latest_min": np.where(is_in, morning, float(fleet.second_run_home_latest_min)),
    }


def _riders(plan: YearPlan, pupils: Pupils) -> Riders:
    """List the riders of each stop, the youngest first, refused lodgers last; (P + 1,) and (riders,)."""
    stops = len(plan.runs.routes.hamlet)
    who = np.concatenate([np.flatnonzero(pupils.stop[way] >= 0) for way in (IN, OUT)])
    stop = np.concatenate([pupils.stop[way][pupils.stop[way] >= 0] for way in (IN, OUT)])
    order = np.lexsort((pupils.number[who], pupils.grade[who], pupils.refused[who], stop))
    return np.searchsorted(stop[order], np.arange(stops + 1)), who[order]


def _owners(county: County, routes: Routes) -> Owners:
    """Return who owns the traffic of each run: its farthest stop, the school and the direction; (R,)."""
    far = np.where(routes.direction == IN, routes.hamlet[routes.ptr[:-1]], routes.hamlet[routes.ptr[1:] - 1])
    names = zip(far, routes.school, routes.direction, strict=True)
    return np.array(
        [streams.owner(county.hamlets.id[h], county.schools.id[s], int(way)) for h, s, way in names],
        dtype=np.uint64,
    )


def _duties(runs: Runs) -> dict[tuple[int, int, int], tuple[int, ...]]:
    """List the runs of each bus by kind of day and direction, in order; those of bus NO_BUS are dropped."""
    routes, lists = runs.routes, dict[tuple[int, int, int], list[int]]()
    for r in np.lexsort((np.arange(len(runs.bus)), runs.order)):
        way = int(routes.direction[r])
        everyday = routes.service[r] != SERVICE_LODGER
        weekly = (FIRST_DAY, ONLY_DAY) if way == IN else (LAST_DAY, ONLY_DAY)
        days = (FIRST_DAY, LAST_DAY, OTHER_DAY, ONLY_DAY) if everyday else weekly
        for kind in days:
            lists.setdefault((int(runs.bus[r]), kind, way), []).append(int(r))
    return {key: tuple(found) for key, found in lists.items()}


def rotas(duties: Mapping[tuple[int, int, int], tuple[int, ...]], buses: int) -> dict[tuple[int, int], Any]:
    """Write the duties of all buses one below the other, by kind of day and direction."""
    out = {}
    for kind, way in product((FIRST_DAY, LAST_DAY, OTHER_DAY, ONLY_DAY), (IN, OUT)):
        lists = [duties.get((bus, kind, way), ()) for bus in range(buses)]
        many = np.array([len(runs) for runs in lists], dtype=np.int64)
        todo = np.zeros((buses, many.max(initial=1)), dtype=np.int64)
        todo[np.arange(todo.shape[1]) < many[:, None]] = list(chain.from_iterable(lists))
        out[kind, way] = (todo, many)
    return out
