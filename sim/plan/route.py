"""Which way the school buses go: the stops of every run to and from one school.

Every receiving school is a small routing problem of its own, solved by PyVRP for a fixed number of
iterations, so that the same plan comes out every time. The search works in whole seconds and metres; a run
starts at its first stop (nothing is driven before it), so how long a run takes is how long its first rider
sits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain, count, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.errors import BadInput
from sim.plan import DIRECTIONS, SERVICES, Floats, Ints, Places, Routes
from sim.plan.morning import Stop, duties
from sim.plan.stops import at_stop, daily_riders, longest_walk_min, weekly_riders
from sim.plan.vrp import Problem, solve
from sim.units import METRES_PER_KM, SECONDS_PER_MINUTE, minutes_of

if TYPE_CHECKING:
    from sim.config import Fleet, Settings
    from sim.county import County
    from sim.county.road import Travel

IN, OUT = range(len(DIRECTIONS))
SCHOOL, LODGER = range(len(SERVICES))
YOUNG_GRADES = 3
TINY = 1e-6


class Run(NamedTuple):
    """One run to school: its hamlets in order of travel and the pupils at each."""

    hamlets: tuple[int, ...]
    loads: tuple[int, ...]
    kind: int
    over_limit: bool


Planned = tuple[int, int, Run]  # school, service, run
Stops = list[tuple[int, int]]  # hamlet, pupils


def routes(
    county: County, settings: Settings, travel: Travel, places: Places, kept: Sequence[Planned] = (),
    begin: Sequence[Sequence[Planned]] = (),
) -> Routes:  # fmt: skip
    """Plan the bus runs of one year: every rider has a stop, a seat and, where possible, a legal ride.

    Lodgers' weekly runs are added when `fleet.lodger_runs` is on. Each run in has its mirror out, right
    behind it. Loads are whole pupils (expected riders of a stop, rounded up). Same input, same runs.
    kept: runs that stay as they are; the others are planned for the riders whom these leave at their stops.
    begin: the daily runs of each bus of a morning, in order; then all daily runs are searched for as whole duties of
    buses, from these on, else school by school.
    """
    fleet, schools = settings.fleet, len(county.schools.id)
    if fleet.mixed_loads:
        raise BadInput(
            "fleet.mixed_loads: the simulated day knows runs to one school only; mixed loads can be planned and scored "
            "(sim.plan.morning.problem and sim.plan.fleet.plan), not simulated"
        )
    runs = list(kept)
    everyone = (daily_riders(places), weekly_riders(settings, places))
    for serves, homes in enumerate(everyone):
        riders = at_stop(places, homes, schools)
        young = riders[:, :, :YOUNG_GRADES].sum(axis=(1, 2)) > TINY
        longest = np.where(young, *(ride_limit_min(fleet, serves, young) for young in (True, False)))
        walk = longest_walk_min(settings, places, homes, schools) * fleet.limit_includes_walk_and_wait
        demand = _left_over(riders, [(at, run) for at, service, run in kept if service == serves])
        search = partial(_by_duties, begin) if serves == SCHOOL and begin else _by_school
        found = search(county, settings, travel, demand, longest[:, None] - walk)
        runs += [(school, serves, run) for school, run in found]
    runs.sort(key=lambda planned: (planned[1], planned[0]))
    return _as_routes(county, settings, travel, runs)


def _left_over(riders: Floats, kept: list[tuple[int, Run]]) -> Ints:
    """Return the whole pupils at each stop of each school (S, H) whom runs that are kept do not take."""
    demand = np.ceil(riders.sum(axis=2) - TINY).astype(np.int64)
    for school, run in kept:
        np.subtract.at(demand[school], list(run.hamlets), run.loads)
    return np.maximum(demand, 0)


def dwell_min(fleet: Fleet, pupils: Floats) -> Floats:
    """Return how long a bus stands at a stop where so many pupils get on or off, in minutes."""
    return np.asarray((fleet.dwell_stop_s + fleet.dwell_pupil_s * pupils) * minutes_of(1.0))


def ride_min(routes: Routes, fleet: Fleet) -> Floats:
    """Return the planned minutes on the bus of the riders of each stop, (P,).

    In: from the bus's stop at the hamlet to its arrival at the school. Out: from leaving the school to
    arrival at the hamlet. Standing at the stops is included.
    """
    dwell, length = dwell_min(fleet, routes.load), np.diff(routes.ptr)
    run = np.repeat(np.arange(len(length)), length)
    into, nth = routes.direction[run] == IN, np.arange(len(run)) - routes.ptr[run]
    nth = np.where(into, length[run] - 1 - nth, nth)  # counted from the school
    way = np.zeros((len(length), length.max(initial=0)))
    way[run, nth] = routes.leg_min + dwell
    there = np.cumsum(way, axis=1)[run, nth]
    return np.where(into, there, there - dwell)


def _by_school(
    county: County, settings: Settings, travel: Travel, demand: Ints, limit_min: Floats
) -> list[tuple[int, Run]]:
    """Plan the runs of each school by itself; for the pupils and the longest ride of each stop, (S, H) each."""
    return [
        (school, run)
        for school in np.flatnonzero(demand.any(axis=1)).tolist()
        for run in _school_runs(county, settings, travel, school, demand[school], limit_min[school])
    ]


def _by_duties(
    begin: Sequence[Sequence[Planned]], county: County, settings: Settings, travel: Travel, demand: Ints,
    limit_min: Floats,
) -> list[tuple[int, Run]]:  # fmt: skip
    """Plan the runs of all schools together, as duties of buses, from given ones on; for the same as `_by_school`."""
    fleet, kinds = settings.fleet, _usable_kinds(settings.fleet)
    stops, first, rest = _begun(begin, demand, limit_min, max(seats for *_, seats in kinds))
    stops += [
        Stop(school, hamlet, load, float(limit_min[school, hamlet]))
        for school, here in enumerate(rest)
        for hamlet, load in _stops(here, kinds)
    ]
    runs: list[tuple[int, Run]] = []
    for picked in chain.from_iterable(duties(county, settings, travel, stops, kinds, first)):
        school, hamlets, loads, limits = zip(*(stops[stop] for stop in picked), strict=True)
        over = _first_ride_min(county, fleet, travel, school[0], hamlets, loads) > limits[0]
        runs.append((school[0], Run(hamlets, loads, _smallest(kinds, sum(loads)), over)))
    return sorted(runs)


def _begun(
    begin: Sequence[Sequence[Planned]], demand: Ints, limit_min: Floats, most: int
) -> tuple[list[Stop], list[list[list[int]]], Ints]:
    """Return the stops of given duties, the duties by positions of these, and the pupils they leave at stops (S, H).

    most: seats of the largest bus. Nobody is taken who is not asked for (demand, (S, H)).
    """
    stops: list[Stop] = []
    rest, first = demand.copy(), []
    for duty in begin:
        trips: list[list[int]] = []
        for school, _, run in duty:
            trips.append([])
            for hamlet, load in zip(run.hamlets, run.loads, strict=True):
                here = min(load, int(rest[school, hamlet]), most)
                if here > 0:
                    rest[school, hamlet] -= here
                    trips[-1].append(len(stops))
                    stops.append(Stop(school, hamlet, here, float(limit_min[school, hamlet])))
        first.append([trip for trip in trips if trip])
    return stops, [trips for trips in first if trips], rest


def _first_ride_min(
    county: County, fleet: Fleet, travel: Travel, school: int, hamlets: tuple[int, ...], loads: tuple[int, ...]
) -> float:
    """Return how long the first rider of a run sits in the bus."""
    nodes = [*county.hamlets.node[list(hamlets)], county.schools.node[school]]
    legs = sum(travel.minutes[one, then] for one, then in pairwise(nodes))
    return float(legs + dwell_min(fleet, np.array(loads)).sum())


def ride_limit_min(fleet: Fleet, service: int, young: bool) -> float:
    """Return the longest legal ride: less walk and wait where the limit counts from door to school."""
    daily = fleet.ride_limit_young_min if young else fleet.ride_limit_older_min
    limit = fleet.ride_limit_lodger_min if service == LODGER else daily
    return limit - (fleet.wait_at_stop_min + fleet.walk_to_stop_min) * fleet.limit_includes_walk_and_wait


def _school_runs(
    county: County, settings: Settings, travel: Travel, school: int, demand: Ints, limit_min: Floats
) -> list[Run]:
    """Return the runs to one school for the pupils at each stop (H,); full buses go straight there.

    A stop so far that no ride is short enough gets its direct ride, or one a little longer with others.
    limit_min: (H,) longest ride of each stop.
    """
    kinds = _usable_kinds(settings.fleet)
    stops = _stops(demand, kinds)
    limit_s = (limit_min * SECONDS_PER_MINUTE + TINY).astype(np.int64)[[hamlet for hamlet, _ in stops]]
    runs = []
    problem = _problem(county, settings, travel, school, stops, limit_s)
    for picked in solve(problem):
        hamlets, loads = zip(*(stops[stop] for stop in picked), strict=True)
        over = bool(_ride_s(problem, picked) > limit_s[picked[0]])
        runs.append(Run(hamlets, loads, _smallest(kinds, sum(loads)), over))
    return sorted(runs)


def _stops(demand: Ints, kinds: tuple[tuple[int, int, int], ...]) -> Stops:
    """Return the stops of one school: no more pupils at each than the largest bus has seats."""
    largest = max(seats for *_, seats in kinds)
    return [(int(h), int(load)) for h in np.flatnonzero(demand) for load in _split(int(demand[h]), largest)]


def _split(demand: int, largest: int) -> list[int]:
    """Split a stop's pupils into full buses and a rest."""
    full, rest = divmod(demand, largest)
    return [largest] * full + [rest] * (rest > 0)


def _usable_kinds(fleet: Fleet) -> tuple[tuple[int, int, int], ...]:
    """Return (position, rated, seats) of the kinds a plan may use: those the county has, else all."""
    named = fleet.buses if isinstance(fleet.buses, Mapping) else {}
    kinds = tuple((i, kind.rated, kind.seats) for i, kind in enumerate(fleet.kinds))
    return tuple(kind for kind in kinds if named.get(fleet.kinds[kind[0]].name, 0) > 0) or kinds


def _smallest(kinds: tuple[tuple[int, int, int], ...], load: int) -> int:
    """Return the position of the smallest kind of bus with enough seats."""
    return min((seats, position) for position, _, seats in kinds if seats >= load)[1]


def _ride_s(problem: Problem, picked: tuple[int, ...]) -> int:
    """Return how long the first rider of a run sits in the bus."""
    legs = pairwise([*picked, len(problem.loads)])
    return sum(problem.dwell_s[one] + problem.seconds[one][then] for one, then in legs)


def _dwell_s(fleet: Fleet, load: int) -> int:
    return int(np.ceil(fleet.dwell_stop_s + fleet.dwell_pupil_s * load - TINY))


def _problem(county: County, settings: Settings, travel: Travel, school: int, stops: Stops, limit_s: Ints) -> Problem:
    """Return the routing problem of one school."""
    hamlets, loads = zip(*stops, strict=True) if stops else ((), ())
    nodes = np.append(county.hamlets.node[list(hamlets)], county.schools.node[school])
    between = np.ix_(nodes, nodes)
    seconds = np.ceil(travel.minutes[between] * SECONDS_PER_MINUTE - TINY).astype(np.int64)
    metres = np.rint(travel.km[between] * METRES_PER_KM).astype(np.int64)
    dwell = np.array([_dwell_s(settings.fleet, load) for load in loads], dtype=np.int64)
    direct = seconds[:-1, -1] + dwell
    limits = np.where(direct > limit_s, direct + int(settings.fleet.far_detour_min * SECONDS_PER_MINUTE), limit_s)
    return Problem(
        seconds=tuple(map(tuple, seconds.tolist())),
        metres=tuple(map(tuple, metres.tolist())),
        loads=loads,
        dwell_s=tuple(dwell.tolist()),
        kinds=_usable_kinds(settings.fleet),
        limit_s=tuple(limits.tolist()),
        iterations=settings.fleet.solver_iterations,
    )


def _as_routes(county: County, settings: Settings, travel: Travel, runs: list[Planned]) -> Routes:
    """Lay the runs out as arrays, each run in followed by its mirror out."""
    ids, rows, stops = [], [], []
    number: dict[tuple[int, int], count[int]] = {}
    for at, serves, run in runs:
        nr = next(number.setdefault((at, serves), count(1)))
        name = county.schools.id[at] + "-lodger" * (serves == LODGER)
        gate, places = int(county.schools.node[at]), settings.fleet.kinds[run.kind].seats
        for way, step in ((IN, 1), (OUT, -1)):
            ids.append(f"{name}-{DIRECTIONS[way]}-{nr:02d}")
            rows.append((at, way, serves, run.kind, places, len(run.hamlets), run.over_limit))
            nodes = [int(county.hamlets.node[one]) for one in run.hamlets[::step]]
            legs = pairwise([*nodes, gate] if way == IN else [gate, *nodes])
            stops += [(*stop, *leg) for *stop, leg in zip(run.hamlets[::step], run.loads[::step], legs, strict=True)]
    school, direction, service, kind, seats, length, over = np.array(rows, np.int64).reshape(-1, 7).T.copy()
    hamlet, load, start, end = np.array(stops, np.int64).reshape(-1, 4).T.copy()
    return Routes(
        run_id=tuple(ids),
        school=school,
        direction=direction,
        service=service,
        kind=kind,
        seats=seats,
        ptr=np.append(0, np.cumsum(length)),
        hamlet=hamlet,
        load=load.astype(np.float64),
        leg_min=travel.minutes[start, end],
        leg_floor_min=travel.floor_min[start, end],
        leg_km=travel.km[start, end],
        over_limit=over.astype(np.bool_),
    )
