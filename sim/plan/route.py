"""Which way the school buses go: the stops of every run to and from one school.

Every receiving school is a small routing problem of its own, solved by PyVRP for a fixed number of
iterations, so that the same plan comes out every time. The search works in whole seconds and metres; a run
starts at its first stop (nothing is driven before it), so how long a run takes is how long its first rider
sits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain, count, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.plan import DIRECTIONS, SERVICES, Floats, Ints, Places, Routes
from sim.plan.course import dwell_min, nodes, own_gate, ride_min, run_of_stop
from sim.plan.morning import Stop, duties
from sim.plan.stops import at_stop, daily_riders, longest_walk_min, weekly_riders
from sim.plan.timetable import starts, with_waits
from sim.plan.vrp import Problem, solve
from sim.units import METRES_PER_KM, SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from sim.config import Fleet, Settings
    from sim.county import County
    from sim.county.road import Travel

IN, OUT = range(len(DIRECTIONS))
SCHOOL, LODGER = range(len(SERVICES))
YOUNG_GRADES = 3
GATE = -1
TINY = 1e-6


class Run(NamedTuple):
    """One run to school: its hamlets in order of travel and the pupils at each."""

    hamlets: tuple[int, ...]
    """GATE: the gate of a school on the way."""
    loads: tuple[int, ...]
    kind: int
    over_limit: bool
    to: tuple[int, ...] = ()
    """School of the pupils at each, or of the gate; (): the school of the run."""


Planned = tuple[int, int, Run]  # school, service, run
Stops = list[tuple[int, int]]  # hamlet, pupils


def routes(
    county: County, settings: Settings, travel: Travel, places: Places, kept: Sequence[Planned] = (),
    begin: Sequence[Sequence[Planned]] | None = None,
) -> Routes:  # fmt: skip
    """Plan the bus runs of one year: every rider has a stop, a seat and, where possible, a legal ride.

    Lodgers' weekly runs are added when `fleet.lodger_runs` is on. Each run in has its mirror out, right
    behind it. Loads are whole pupils (expected riders of a stop, rounded up). Same input, same runs.
    kept: runs that stay as they are; the others are planned for the riders whom these leave at their stops.
    begin: the daily runs of each bus of a morning, in order; then all daily runs are searched for as whole duties of
    buses, from these on, with mixed loads where `fleet.mixed_loads` allows them; else school by school.
    """
    fleet, schools = settings.fleet, len(county.schools.id)
    runs = list(kept)
    everyone = (daily_riders(places), weekly_riders(settings, places))
    for serves, homes in enumerate(everyone):
        riders = at_stop(places, homes, schools)
        young = riders[:, :, :YOUNG_GRADES].sum(axis=(1, 2)) > TINY
        longest = np.where(young, *(ride_limit_min(fleet, serves, young) for young in (True, False)))
        walk = longest_walk_min(settings, places, homes, schools) * fleet.limit_includes_walk_and_wait
        demand = _left_over(riders, [(at, run) for at, service, run in kept if service == serves])
        search = _by_school if begin is None or serves != SCHOOL else partial(_by_duties, begin)
        found = search(county, settings, travel, demand, longest[:, None] - walk)
        runs += [(school, serves, run) for school, run in found]
    runs.sort(key=lambda planned: (planned[1], planned[0]))
    return _as_routes(county, settings, travel, runs)


def _left_over(riders: Floats, kept: list[tuple[int, Run]]) -> Ints:
    """Return the whole pupils at each stop of each school (S, H) whom runs that are kept do not take."""
    demand = np.ceil(riders.sum(axis=2) - TINY).astype(np.int64)
    for school, run in kept:
        np.subtract.at(demand, (list(run.to or [school] * len(run.hamlets)), list(run.hamlets)), run.loads)
    return np.maximum(demand, 0)


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
    """Plan the runs of all schools together, as duties of buses, from given ones on; for the same as `_by_school`.

    A run with pupils of several schools becomes one for each of them, if in the afternoon, or with a wait for a
    school to open or close, a ride would be too long or a window could not be kept.
    """
    fleet, kinds = settings.fleet, _usable_kinds(settings.fleet)
    stops, first, rest = _begun(begin, demand, limit_min, max(seats for *_, seats in kinds))
    stops += [
        Stop(school, hamlet, load, float(limit_min[school, hamlet]))
        for school, here in enumerate(rest)
        for hamlet, load in _stops(here, kinds)
    ]
    runs: list[tuple[int, Run]] = []
    for trip in chain.from_iterable(duties(county, settings, travel, stops, kinds, first)):
        places = [stops[at.stop] if at.stop >= 0 else Stop(at.school, GATE, 0, np.inf) for at in trip[:-1]]
        to, hamlets, loads, _ = zip(*places, strict=True)
        if len(set(to)) > 1:
            runs.append((trip[-1].school, Run(hamlets, loads, _smallest(kinds, _most_aboard(places)), False, to)))
        else:
            runs.append(_straight(county, fleet, travel, kinds, places))
    return sorted(_short_enough(county, settings, travel, runs, limit_min))


def _straight(
    county: County, fleet: Fleet, travel: Travel, kinds: tuple[tuple[int, int, int], ...], stops: list[Stop]
) -> tuple[int, Run]:
    """Return the run over stops of one school, and the school."""
    school, hamlets, loads, limits = zip(*stops, strict=True)
    over = _first_ride_min(county, fleet, travel, school[0], hamlets, loads) > limits[0]
    return school[0], Run(hamlets, loads, _smallest(kinds, sum(loads)), over)


def _most_aboard(places: list[Stop]) -> int:
    """Return the most pupils who are on a bus to several schools at one time."""
    aboard, most = Counter[int](), 0
    for place in places:
        aboard[place.school] = 0 if place.hamlet == GATE else aboard[place.school] + place.load
        most = max(most, aboard.total())
    return most


def _short_enough(
    county: County, settings: Settings, travel: Travel, runs: list[tuple[int, Run]], limit_min: Floats
) -> list[tuple[int, Run]]:
    """Return runs, but one for each school in place of those to several that break a limit or a window, in or out.

    limit_min: (S, H) longest ride; a stop too far for it may take its direct ride and `fleet.far_detour_min` more.
    """
    if not any(run.to for _, run in runs):
        return runs
    fleet, kinds = settings.fleet, _usable_kinds(settings.fleet)
    ways = _as_routes(county, settings, travel, [(school, SCHOOL, run) for school, run in runs])
    ways = with_waits(settings, county, ways)
    limit, gate = limit_min[ways.to, ways.hamlet], own_gate(ways)
    direct = travel.minutes[nodes(county, ways), county.schools.node[ways.to]] + dwell_min(fleet, ways.load)
    most = np.where(direct > limit, direct + fleet.far_detour_min, limit)
    is_stop, ride = ways.hamlet != GATE, ride_min(ways, fleet)
    early, late = starts(settings, county, ways)
    bad = (is_stop & (ride > most + TINY)) | (early > late + TINY)[run_of_stop(ways)]
    over = is_stop & (ride > limit + TINY)
    found: list[tuple[int, Run]] = []
    for (school, run), begin, out, end in zip(runs, ways.ptr[:-1:2], ways.ptr[1::2], ways.ptr[2::2], strict=True):
        if run.to and bad[begin:end].any():
            stops = [p for p in range(begin, out) if is_stop[p]]
            for at in sorted({gate[p] for p in stops}):
                there = [
                    Stop(int(ways.to[p]), int(ways.hamlet[p]), int(ways.load[p]), limit[p])
                    for p in stops
                    if gate[p] == at
                ]
                found.append(_straight(county, fleet, travel, kinds, there))
        else:
            found.append((school, run._replace(over_limit=bool(over[begin:end].any())) if run.to else run))
    return found


def _begun(
    begin: Sequence[Sequence[Planned]], demand: Ints, limit_min: Floats, most: int
) -> tuple[list[Stop], list[list[int]], Ints]:
    """Return the stops of given duties, the duties as `morning.duties` takes them, and who is left at stops (S, H).

    most: seats of the largest bus. Nobody is taken who is not asked for (demand, (S, H)).
    """
    stops: list[Stop] = []
    rest, first = demand.copy(), []
    for duty in begin:
        events: list[int] = []
        for at, _, run in duty:
            for school, hamlet, load in zip(run.to or [at] * len(run.hamlets), run.hamlets, run.loads, strict=True):
                here = 0 if hamlet == GATE else min(load, int(rest[school, hamlet]), most)
                if here > 0:
                    rest[school, hamlet] -= here
                    events.append(len(stops))
                    stops.append(Stop(school, hamlet, here, float(limit_min[school, hamlet])))
                elif hamlet == GATE:
                    events.append(-1 - school)
            events.append(-1 - at)
        first.append(events)
    return stops, [events for events in first if max(events, default=-1) >= 0], rest


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
            course = list(zip(run.hamlets, run.loads, run.to or (at,) * len(run.hamlets), strict=True))[::step]
            along = [int(county.schools.node[s] if h == GATE else county.hamlets.node[h]) for h, _, s in course]
            legs = pairwise([*along, gate] if way == IN else [gate, *along])
            stops += [(*place, *leg) for place, leg in zip(course, legs, strict=True)]
    school, direction, service, kind, seats, length, over = np.array(rows, np.int64).reshape(-1, 7).T.copy()
    hamlet, load, to, start, end = np.array(stops, np.int64).reshape(-1, 5).T.copy()
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
        to=to,
    )
