"""Chain jobs with time windows, so that few buses do them all.

Each job is a trip of its own in a problem of whole duties (`sim.plan.fleet`), which looks for the fewest buses and then
for little empty driving and like sizes of bus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np

from sim.plan import Bools, Floats, Ints, freeze
from sim.plan.fleet import Problem, search
from sim.plan.keep import kept

LOOKS_PER_JOB = 10_000
"""Length of the search unless told: a quarter of a second for 400 jobs."""
SEAT_MIN = 1.0
"""Assumption: a seat of a larger bus weighs as much as a minute of empty driving."""
NEVER_MIN = 1e5
Paths = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Jobs:
    """What buses have to do: n jobs, each busy for `minutes` from a start between `early` and `late`."""

    early: Floats
    late: Floats
    minutes: Floats
    origin: Ints
    """(n,) node where the job begins."""
    goal: Ints
    """(n,) node where it ends."""
    seats: Ints
    """(n,) seats a bus must have."""

    def __post_init__(self) -> None:
        freeze(self)

    def __len__(self) -> int:
        return len(self.early)

    def take(self, rows: Ints, widen_min: float = 0.0) -> Jobs:
        """Return some of the jobs, which may start later than planned by so many minutes."""
        taken = Jobs(*(getattr(self, field.name)[rows] for field in fields(self)))
        return replace(taken, late=taken.late + widen_min)


@dataclass(frozen=True, slots=True)
class Chains:
    """Jobs linked into chains, one bus each: the positions of the jobs in order, and when each job starts."""

    paths: tuple[tuple[int, ...], ...]
    start: Floats
    """(n,) earliest start in its chain."""


@dataclass(frozen=True, slots=True)
class Search:
    """How chains are searched for."""

    turnaround_min: float
    looks_per_job: int = LOOKS_PER_JOB
    enough: int = 0
    """With so few buses the search for fewer ends."""
    fleet: tuple[tuple[int, int], ...] = ()
    """Seats and number of the buses of each size, ascending; chains beyond them are avoided. (): as many as may be."""


def cover(jobs: Jobs, minutes: Floats, how: Search, apart: Bools | None = None, begin: Paths = ()) -> Chains:
    """Chain jobs with few buses, and among equally few choose little empty driving and like sizes of bus.

    `minutes` (N, N) are travel times between nodes; `apart` (n, n) tells which jobs one bus may not do; `begin`: chains
    from which the search begins. A heuristic: the number of buses is not proved to be the least. Same input, same
    chains.
    """
    if not len(jobs):
        return Chains((), np.zeros(0))
    gap = minutes[np.ix_(jobs.goal, jobs.origin)] + how.turnaround_min
    looks, may_not = how.looks_per_job * len(jobs), np.zeros(0) if apart is None else apart
    first = [[event for job in path for event in (job, -1 - job)] for path in begin]
    question = [jobs.early, jobs.late, jobs.minutes, jobs.seats, gap, may_not, looks, how.enough, how.fleet, *first]
    found = kept(question, lambda: search(_problem(jobs, gap, apart, how.fleet), looks, enough=how.enough, begin=first))
    paths = tuple(sorted(tuple(event for event in row if event < len(jobs)) for row in found if row))
    return Chains(paths, _starts(jobs, gap, paths))


def _problem(jobs: Jobs, gap: Floats, apart: Bools | None, fleet: tuple[tuple[int, int], ...]) -> Problem:
    """Return every job as one stop and one school: places 0 .. n-1 are its beginning, n .. 2n-1 its end."""
    n, way = len(jobs), np.arange(len(jobs))
    times = np.full((2 * n, 2 * n), NEVER_MIN)
    times[way, n + way] = jobs.minutes
    times[n:, :n] = gap
    empty = times.copy()
    empty[way, n + way] = 0.0
    sizes, buses = np.array(fleet or [(seats, -1) for seats in np.unique(jobs.seats)], dtype=np.int64).T.copy()
    return Problem(
        node=way,
        school=way,
        load=jobs.seats.astype(np.float64),
        dwell_min=np.zeros(n),
        limit_min=np.full(n, NEVER_MIN),
        unload_pupils_min=np.zeros(n),
        gate=n + way,
        opens_min=jobs.early + jobs.minutes,
        closes_min=jobs.late + jobs.minutes,
        unload_min=np.zeros(n),
        minutes=times,
        price=empty,
        seats=sizes,
        buses=buses,
        bus_price=SEAT_MIN * sizes.astype(np.float64),
        yards=np.zeros(0, dtype=np.int64),
        apart=apart,
    )


def _starts(jobs: Jobs, gap: Floats, paths: tuple[tuple[int, ...], ...]) -> Floats:
    """Start every job as early as its window and the job before it allow."""
    start = jobs.early.copy()
    for path in paths:
        for one, then in pairwise(path):
            start[then] = max(jobs.early[then], start[one] + jobs.minutes[one] + gap[one, then])
    return start
