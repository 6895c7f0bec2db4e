"""Which bus drives which run, and when: a timetable and duties for the fewest buses.

Rules. A run may start anywhere in its window (set by the bells); between two runs a bus needs a turnaround
and the empty way. The fewest buses come first; the bus of a duty is as big as the largest run in it, so big
buses also take small runs when they are free. Morning and afternoon duties share the buses. The days with most
to do, Monday morning and Friday afternoon with the lodgers' runs, are planned; the other days are these without
them. With fewer buses than that, the lodgers' runs are added to the duties of the other days, and runs may be
late first (`fleet.late_allowed_min`); then runs are dropped, in and out together, those with the fewest
pupil-minutes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from sim.plan import Bools, Floats, Ints, Routes, Runs
from sim.plan.course import by_run, ride_min, schools_of
from sim.plan.cover import LOOKS_PER_JOB, Chains, Jobs, cover
from sim.plan.morning import apart_schools
from sim.plan.route import IN, LODGER, SCHOOL
from sim.plan.timetable import clock_times, jobs, with_waits

if TYPE_CHECKING:
    from sim.config import Fleet, Settings
    from sim.county import County
    from sim.county.road import Travel

LATE_STEPS = 5
LOOKS = 50_000
"""Length of the search for the fewest buses, in looks for each run: a second or two for 500 runs; twice as many save
one bus in a hundred."""
TINY = 1e-6


class Owned(NamedTuple):
    """Buses there are: `counts[i]` of them have at least `seats[i]` seats; from the largest size down."""

    seats: tuple[int, ...]
    counts: tuple[int, ...]

    def enough(self, needs: Ints, from_seats: int = 0) -> bool:
        """Tell whether each need (seats) can have a bus of its own, leaving out sizes below `from_seats`."""
        sizes = zip(self.seats, self.counts, strict=True)
        return all(int((needs >= seats).sum()) <= count for seats, count in sizes if seats >= from_seats)


class Halves(NamedTuple):
    """The chains of a morning (runs in) and of an afternoon (runs out)."""

    into: Chains
    out: Chains


@dataclass(frozen=True, slots=True)
class Work:
    """All runs as jobs, and what it takes to chain them."""

    jobs: Jobs
    pairs: Mapping[int, Ints]
    """By service, (n, 2): each run in and its run out (-1 for none), in the order of being dropped."""
    travel: Travel
    turnaround_min: float
    late_allowed_min: float
    apart: Bools | None = None
    """(R, R) runs that one bus may not drive in one half of the day; None: any two may be."""
    enough: int = 0
    """With so few buses the search for fewer ends."""
    looks: int = LOOKS_PER_JOB

    def needs(self, chains: Chains) -> Ints:
        """Return the seats that the bus of each chain must have."""
        return np.array([self.jobs.seats[list(path)].max() for path in chains.paths], dtype=np.int64)


def chain(settings: Settings, travel: Travel, county: County, routes: Routes, buses_owned_before: int) -> Runs:
    """Give every run of a year a time and a bus, with the buses the county has.

    `buses_owned_before`: buses of the year before, which are not sold when fewer are needed.
    """
    fleet, runs = settings.fleet, len(routes.run_id)
    routes = with_waits(settings, county, routes)
    todo, pairs = jobs(settings, county, routes), _pairs(routes, fleet)
    apart = _apart(settings, county, routes)
    work = Work(todo, pairs, travel, fleet.turnaround_min, fleet.late_allowed_min, apart)
    peak = _attempt(replace(work, looks=LOOKS), _nothing(runs), np.vstack([*pairs.values()]), 0.0)
    needed = max(len(half.paths) for half in peak)
    owned, total = owned_buses(fleet, needed, buses_owned_before)
    if not all(owned.enough(work.needs(half)) for half in peak):
        work = replace(work, enough=total if len(owned.seats) == 1 else 0)
        daily = _chained(work, SCHOOL, _nothing(runs), owned)
        peak = _chained(work, LODGER, daily, owned)
    bus, needs, yard = _buses(work, peak, np.flatnonzero(county.roads.is_yard))
    return Runs(
        routes=routes,
        **_timetable(fleet, routes, work, peak, bus),
        bus=bus,
        yard=yard,
        bus_kind=_kinds(fleet, needs),
        buses_needed=needed,
        buses_owned=total,
        spare_buses=max(0, total - max(needed, len(needs))),
    )


def _apart(settings: Settings, county: County, routes: Routes) -> Bools | None:
    """Return the runs that one bus may not drive in one half of the day, (R, R), or None where any may be."""
    schools = apart_schools(settings, county)
    if schools is None and settings.fleet.school_again:
        return None
    calls = schools_of(routes, len(county.schools.id))
    apart = np.zeros((len(calls),) * 2, dtype=np.bool_)
    if schools is not None:
        apart |= calls @ schools @ calls.T
    if not settings.fleet.school_again:
        apart |= calls @ calls.T
    return apart


def _nothing(runs: int) -> Halves:
    return Halves(Chains((), np.zeros(runs)), Chains((), np.zeros(runs)))


def _pairs(routes: Routes, fleet: Fleet) -> dict[int, Ints]:
    """Pair every run in with its run out, by service, in order of pupil-minutes (pupils times their ride)."""
    lost = by_run(routes, routes.load * ride_min(routes, fleet))
    numbers: dict[tuple[int, ...], int] = {}
    rows: dict[tuple[int, ...], list[int]] = {}
    for run, key in enumerate(zip(routes.service, routes.school, routes.direction, strict=True)):
        service, school, direction = map(int, key)
        number = numbers[service, school, direction] = numbers.get((service, school, direction), 0) + 1
        rows.setdefault((service, school, number), [-1, -1])[direction] = run
    paired: dict[int, list[list[int]]] = {SCHOOL: [], LODGER: []}
    for (service, *_), pair in rows.items():
        paired[service].append(pair)
    for pairs in paired.values():
        pairs.sort(key=lambda pair: (sum(lost[run] for run in pair if run >= 0), pair))
    return {service: np.array(pairs, dtype=np.int64).reshape(-1, 2) for service, pairs in paired.items()}


def owned_buses(fleet: Fleet, needed: int, before: int) -> tuple[Owned, int]:
    """Return the buses there are: as told, else as needed with spare ones; times `fleet.scale`."""
    if isinstance(fleet.buses, Mapping):
        counts = _counts(fleet)
        kinds = sorted(range(len(counts)), key=lambda kind: -fleet.kinds[kind].seats)
        seats = tuple(fleet.kinds[kind].seats for kind in kinds)
        return Owned(seats, tuple(accumulate(counts[kind] for kind in kinds))), sum(counts)
    if fleet.buses is None:
        total = max(before, scaled(fleet, float(np.ceil(needed * (1 + fleet.spare_share) - TINY))))
    else:
        total = scaled(fleet, fleet.buses)
    return Owned((0,), (total,)), total


def _counts(fleet: Fleet) -> list[int]:
    """Return the buses of each kind where the county names them."""
    named = fleet.buses if isinstance(fleet.buses, Mapping) else {}
    return [scaled(fleet, named.get(kind.name, 0)) for kind in fleet.kinds]


def scaled(fleet: Fleet, buses: float) -> int:
    """Return a number of buses times `fleet.scale`, rounded half up."""
    return int(np.floor(buses * fleet.scale + 0.5))


def _chained(work: Work, service: int, daily: Halves, owned: Owned) -> Halves:
    """Add the runs of a service to the duties: on time, else late, else without some of them."""
    pairs = work.pairs[service]
    for late in np.linspace(0.0, work.late_allowed_min, LATE_STEPS):
        found = _attempt(work, daily, pairs, float(late))
        if all(owned.enough(work.needs(half)) for half in found):
            return found
    for seats in owned.seats:
        pairs = _dropped(work, daily, pairs, owned, seats)
    return _attempt(work, daily, pairs, work.late_allowed_min)


def _dropped(work: Work, daily: Halves, pairs: Ints, owned: Owned, seats: int) -> Ints:
    """Return the pairs that are left when just enough runs of this size and above are dropped.

    The number is found by halving; as the buses that a set of runs takes do not depend on the buses there
    are, more buses never drop more.
    """
    large = np.flatnonzero(work.jobs.seats[pairs.max(axis=1)] >= seats)
    low, high = 0, len(large)
    while low < high:
        middle = (low + high) // 2
        found = _attempt(work, daily, np.delete(pairs, large[:middle], axis=0), work.late_allowed_min)
        if all(owned.enough(work.needs(half), seats) for half in found):
            high = middle
        else:
            low = middle + 1
    return np.delete(pairs, large[:low], axis=0)


def _attempt(work: Work, daily: Halves, pairs: Ints, late_min: float) -> Halves:
    """Chain the runs of these pairs with the duties there are, each half of the day by itself."""
    into, out = (rows[rows >= 0] for rows in pairs.T)
    morning = _add(work, daily.into, into, late_min)
    if 0 < work.enough < len(morning.paths):
        return Halves(morning, daily.out)  # too many buses already: the afternoon does not matter
    work = replace(work, enough=max(work.enough, len(morning.paths)))  # fewer than in the morning are of no use
    return Halves(morning, _add(work, daily.out, out, late_min))


def _add(work: Work, duties: Chains, rows: Ints, late_min: float) -> Chains:
    """Chain runs with duties that stay as they are, each duty one long job with a fixed start."""
    first, last = (np.array([path[end] for path in duties.paths], dtype=np.int64) for end in (0, -1))
    runs, start = work.jobs, duties.start[first]
    minutes = duties.start[last] + runs.minutes[last] - start
    done = Jobs(start, start, minutes, runs.origin[first], runs.goal[last], work.needs(duties))
    pieces = [*duties.paths, *((int(row),) for row in rows)]
    todo = done.join(runs.take(rows, late_min))
    found = cover(
        todo, work.travel.minutes, work.turnaround_min, _apart_pieces(work.apart, pieces), work.enough, work.looks
    )
    begin = duties.start.copy()
    begin[rows] = found.start[len(first) :]
    return Chains(tuple(tuple(run for job in path for run in pieces[job]) for path in found.paths), begin)


def _apart_pieces(apart: Bools | None, pieces: list[tuple[int, ...]]) -> Bools | None:
    """Return which pieces of duties one bus may not do, because of any two runs in them; (n, n)."""
    if apart is None:
        return None
    has = np.zeros((len(pieces), len(apart)), dtype=np.int64)
    for nr, piece in enumerate(pieces):
        has[nr, list(piece)] = 1
    return np.asarray(has @ apart @ has.T > 0)


def _buses(work: Work, peak: Halves, yards: Ints) -> tuple[Ints, Ints, Ints]:
    """Give each duty to a bus; return the bus of each run (R,), the seats and the yard of each bus (B,).

    Large duties meet large ones, so that few large buses are needed; then duties near each other meet.
    """
    jobs, minutes, buses = work.jobs, work.travel.minutes, max(len(half.paths) for half in peak)
    heads = [jobs.origin[[path[0] for path in half.paths]] for half in peak]
    tails = jobs.goal[[path[-1] for path in peak.out.paths]]
    morning, afternoon = (np.resize(np.append(work.needs(half), [0] * buses), buses) for half in peak)
    yard = nearest_yard(minutes, yards, heads[0])
    away = np.zeros((buses, buses))
    away[: len(yard), : len(tails)] = minutes[np.ix_(yard, heads[1])] + minutes[np.ix_(tails, yard)].T
    seats = np.maximum.outer(morning, afternoon)
    _, second = linear_sum_assignment(away + seats * (away.sum() + 1))
    yard = np.append(yard, nearest_yard(minutes, yards, heads[1][second[len(yard) :]]))
    bus = np.full(len(jobs), -1)
    for half, order in zip(peak, (np.arange(buses), second.argsort()), strict=True):
        for path, one in zip(half.paths, order[: len(half.paths)], strict=True):
            bus[list(path)] = one
    return bus, seats[np.arange(buses), second], yard


def nearest_yard(minutes: Floats, yards: Ints, nodes: Ints) -> Ints:
    """Return the yard nearest to each node; in a county without yards buses stay where they begin."""
    return yards[minutes[np.ix_(yards, nodes)].argmin(axis=0)] if len(yards) else nodes


def _kinds(fleet: Fleet, needs: Ints) -> Ints:
    """Return the kind of each bus: the smallest there is with enough seats, large needs first."""
    kinds = sorted(range(len(fleet.kinds)), key=lambda kind: fleet.kinds[kind].seats)
    out = np.zeros(len(needs), dtype=np.int64)
    left = _counts(fleet) if isinstance(fleet.buses, Mapping) else [len(needs)] * len(kinds)
    for bus in np.argsort(-needs, kind="stable"):
        out[bus] = next(kind for kind in kinds if fleet.kinds[kind].seats >= needs[bus] and left[kind] > 0)
        left[out[bus]] -= 1
    return out


def _timetable(fleet: Fleet, routes: Routes, work: Work, peak: Halves, bus: Ints) -> dict[str, Any]:
    """Return departure, arrival, lateness and place in the bus's day of every run; -1 where it is dropped."""
    start = np.where(routes.direction == IN, peak.into.start, peak.out.start)
    start[bus < 0] = work.jobs.early[bus < 0]
    depart, arrive = clock_times(routes, fleet, start)
    order = np.full(len(bus), -1)
    by_bus = np.lexsort((start, bus))
    place = np.arange(len(bus)) - np.searchsorted(bus[by_bus], bus[by_bus])
    order[by_bus] = np.where(bus[by_bus] < 0, -1, place)
    late = start - work.jobs.late
    late[late < TINY] = 0.0
    return {"depart_min": depart, "arrive_min": arrive, "late_min": late, "order": order}
