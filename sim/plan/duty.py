"""Which bus drives which run, and when: a timetable and duties for the fewest buses.

Rules. A run may start anywhere in its window (set by the bells); between two runs a bus needs a turnaround
and the empty way. The fewest buses come first; the bus of a duty is as big as the largest run in it, so big
buses also take small runs when they are free. Morning and afternoon duties share the buses. The days with most
to do, Monday morning and Friday afternoon with the lodgers' runs, are planned; the other days are these without
them. With fewer buses than that, runs may be late first (`fleet.late_allowed_min`); then runs are dropped, in and
out together, those with the fewest pupil-minutes of a week first.
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
from sim.plan.cover import Chains, Jobs, Paths, Search, cover
from sim.plan.morning import apart_schools
from sim.plan.route import IN, LODGER
from sim.plan.timetable import clock_times, jobs, with_waits

if TYPE_CHECKING:
    from sim.config import Fleet, Settings
    from sim.county import County
    from sim.county.road import Travel

DAYS = 5
"""School days of a week, on which daily runs are driven; lodgers' runs are driven once."""
LATE_STEPS = 5
LOOKS = 50_000
"""Length of the search for the fewest buses, in looks for each run: a second or two for 500 runs; twice as many save
one bus in a hundred."""
SHORT_LOOKS = 20_000
"""The same for each try when buses are short, of which there are some ten."""
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
    pairs: Ints
    """(n, 2) each run in and its run out (-1 for none), in the order of being dropped."""
    travel: Travel
    how: Search
    late_allowed_min: float
    apart: Bools | None = None
    """(R, R) runs that one bus may not drive in one half of the day; None: any two may be."""
    begin: Halves | None = None
    """Chains of all runs that the search begins from, where there are any."""

    def needs(self, chains: Chains) -> Ints:
        """Return the seats that the bus of each chain must have."""
        return np.array([self.jobs.seats[list(path)].max() for path in chains.paths], dtype=np.int64)


def chain(settings: Settings, travel: Travel, county: County, routes: Routes, buses_owned_before: int) -> Runs:
    """Give every run of a year a time and a bus, with the buses the county has.

    `buses_owned_before`: buses of the year before, which are not sold when fewer are needed.
    """
    fleet, routes = settings.fleet, with_waits(settings, county, routes)
    todo, pairs = jobs(settings, county, routes), pairs_of(routes, fleet)
    apart = _apart(settings, county, routes)
    work = Work(todo, pairs, travel, Search(fleet.turnaround_min, LOOKS), fleet.late_allowed_min, apart)
    peak = attempt(work, pairs, 0.0)
    needed = max(len(half.paths) for half in peak)
    owned, total = owned_buses(fleet, needed, buses_owned_before)
    if not all(owned.enough(work.needs(half)) for half in peak):
        work = replace(work, how=Search(fleet.turnaround_min, SHORT_LOOKS, **_within(owned, todo)), begin=peak)
        peak = _short(work, owned)
    bus, needs, yard = with_buses(work, peak, np.flatnonzero(county.roads.is_yard))
    return Runs(
        routes=routes,
        **clocked(fleet, routes, work, peak, bus),
        bus=bus,
        yard=yard,
        bus_kind=kinds_for(fleet, needs),
        buses_needed=needed,
        buses_owned=total,
        spare_buses=max(0, total - max(needed, len(needs))),
    )


def _within(owned: Owned, todo: Jobs) -> dict[str, Any]:
    """Return what a search must know of the buses there are: how many, or how many of each size."""
    if len(owned.seats) == 1:
        return {"enough": owned.counts[0]}
    counts = np.diff(owned.counts, prepend=0).tolist()
    fleet = tuple(sorted((seats, many) for seats, many in zip(owned.seats, counts, strict=True) if many))
    return {"fleet": fleet} if fleet and fleet[-1][0] >= todo.seats.max() else {}


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


def pairs_of(routes: Routes, fleet: Fleet) -> Ints:
    """Pair every run in with its run out, in order of the pupil-minutes of a week (pupils times their ride)."""
    times = np.where(routes.service == LODGER, 1, DAYS)
    lost = by_run(routes, routes.load * ride_min(routes, fleet)) * times
    numbers: dict[tuple[int, ...], int] = {}
    rows: dict[tuple[int, ...], list[int]] = {}
    for run, key in enumerate(zip(routes.service, routes.school, routes.direction, strict=True)):
        service, school, direction = map(int, key)
        number = numbers[service, school, direction] = numbers.get((service, school, direction), 0) + 1
        rows.setdefault((service, school, number), [-1, -1])[direction] = run
    pairs = sorted(rows.values(), key=lambda pair: (sum(lost[run] for run in pair if run >= 0), pair))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


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


def _short(work: Work, owned: Owned) -> Halves:
    """Chain the runs when buses are short: all of them, as little late as it takes, else without some of them."""
    if _fits(work, work.pairs, owned):
        for late in np.linspace(0.0, work.late_allowed_min, LATE_STEPS)[:-1]:
            found = attempt(work, work.pairs, float(late))
            if all(owned.enough(work.needs(half)) for half in found):
                return found
    pairs = work.pairs
    for seats in owned.seats:
        pairs = _dropped(work, pairs, owned, seats)
    return attempt(work, pairs, work.late_allowed_min)


def _fits(work: Work, pairs: Ints, owned: Owned, seats: int = 0) -> bool:
    """Tell whether there are buses for the runs of these pairs, as late as may be; smaller sizes are not looked at."""
    found = attempt(work, pairs, work.late_allowed_min)
    return all(owned.enough(work.needs(half), seats) for half in found)


def _dropped(work: Work, pairs: Ints, owned: Owned, seats: int) -> Ints:
    """Return the pairs that are left when just enough runs of this size and above are dropped.

    The number is found by halving, unless none has to be.
    """
    large = np.flatnonzero(work.jobs.seats[pairs.max(axis=1)] >= seats)
    low, high = (0, 0) if _fits(work, pairs, owned, seats) else (1, len(large))
    while low < high:
        middle = (low + high) // 2
        if _fits(work, np.delete(pairs, large[:middle], axis=0), owned, seats):
            high = middle
        else:
            low = middle + 1
    return np.delete(pairs, large[:low], axis=0)


def attempt(work: Work, pairs: Ints, late_min: float) -> Halves:
    """Chain the runs of these pairs, each half of the day by itself."""
    into, out = (rows[rows >= 0] for rows in pairs.T)
    begin = work.begin or Halves(Chains((), np.zeros(0)), Chains((), np.zeros(0)))
    morning, enough = _half(work, into, late_min, begin.into.paths), work.how.enough
    if 0 < enough < len(morning.paths):
        return Halves(morning, morning)  # too many buses already: the afternoon does not matter
    how = replace(work.how, enough=max(enough, len(morning.paths)))  # fewer than in the morning are of no use
    return Halves(morning, _half(replace(work, how=how), out, late_min, begin.out.paths))


def _half(work: Work, rows: Ints, late_min: float, begin: Paths) -> Chains:
    """Chain some runs of a half day, which may be so late; starts (R,), 0 for the other runs."""
    apart = None if work.apart is None else work.apart[np.ix_(rows, rows)]
    position = {run: job for job, run in enumerate(rows.tolist())}
    first = [there for path in begin if (there := [position[run] for run in path if run in position])]
    found = cover(work.jobs.take(rows, late_min), work.travel.minutes, work.how, apart, first)
    start = np.zeros(len(work.jobs))
    start[rows] = found.start
    return Chains(tuple(tuple(rows[list(path)].tolist()) for path in found.paths), start)


def with_buses(work: Work, peak: Halves, yards: Ints) -> tuple[Ints, Ints, Ints]:
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


def kinds_for(fleet: Fleet, needs: Ints) -> Ints:
    """Return the kind of each bus: the smallest there is with enough seats, large needs first."""
    kinds = sorted(range(len(fleet.kinds)), key=lambda kind: fleet.kinds[kind].seats)
    out = np.zeros(len(needs), dtype=np.int64)
    left = _counts(fleet) if isinstance(fleet.buses, Mapping) else [len(needs)] * len(kinds)
    for bus in np.argsort(-needs, kind="stable"):
        out[bus] = next(kind for kind in kinds if fleet.kinds[kind].seats >= needs[bus] and left[kind] > 0)
        left[out[bus]] -= 1
    return out


def clocked(fleet: Fleet, routes: Routes, work: Work, peak: Halves, bus: Ints) -> dict[str, Any]:
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
