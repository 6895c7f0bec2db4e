"""Chain jobs with time windows, so that the fewest buses do them all.

A compiled greedy pass gives every job to the bus that idles least before it, in many orders; with the
times this yields, an assignment problem then links the jobs as well as they can be linked at these times
(Dilworth's theorem: fewest chains = jobs less the most links), with the least empty driving. The best of
all orders is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
from numba import njit
from scipy.optimize import linear_sum_assignment

from sim.plan import Floats, Ints, freeze

TINY = 1e-6
NO_LINK = 0.0
SHUFFLES = 30
SHUFFLE_MIN = (2.0, 5.0, 10.0)
SETTLED = 2
SEAT_MIN = 1.0
"""Assumption: a seat of difference between two runs of a bus weighs as much as a minute of empty driving."""


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

    def join(self, others: Jobs) -> Jobs:
        """Return these jobs and then the others."""
        return Jobs(*(np.append(getattr(self, f.name), getattr(others, f.name)) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Chains:
    """Jobs linked into chains, one bus each: the positions of the jobs in order, and when each job starts."""

    paths: tuple[tuple[int, ...], ...]
    start: Floats
    """(n,) earliest start in its chain."""


def cover(jobs: Jobs, minutes: Floats, turnaround_min: float) -> Chains:
    """Chain jobs with few buses, and among equally few choose little empty driving and like sizes of bus.

    `minutes` (N, N) are travel times between nodes. A heuristic: the number of buses is not proved to be
    the least.
    """
    if not len(jobs):
        return Chains((), np.zeros(0))
    gap = minutes[np.ix_(jobs.goal, jobs.origin)] + turnaround_min
    price = gap + SEAT_MIN * abs(jobs.seats[:, None] - jobs.seats)
    tries = [_greedy(order, jobs.early, jobs.late, jobs.minutes, gap) for order in _orders(jobs)]
    tries.sort(key=lambda one: one[1])
    settled = (_settled(jobs, gap, price, start) for start, _ in tries[:SETTLED])
    before = min(settled, key=lambda links: _worth(links, price))
    return Chains(_paths(before), _retimed(jobs, gap, before))


def _orders(jobs: Jobs) -> list[Ints]:
    """Return the orders to try: by start or end of the windows, and by latest start a little shuffled.

    The shuffles are the same in every run; luck has no part in a plan.
    """
    shuffle = np.random.default_rng(len(jobs)).standard_normal((SHUFFLES, len(jobs)))
    keys = [jobs.late, jobs.early, jobs.late + jobs.minutes, jobs.early + jobs.minutes]
    keys += [jobs.late + SHUFFLE_MIN[nr % len(SHUFFLE_MIN)] * row for nr, row in enumerate(shuffle)]
    return [np.lexsort((jobs.early, key)) for key in keys]


@njit(cache=True)
def _greedy(
    order: Ints, early: Floats, late: Floats, minutes: Floats, gap: Floats
) -> tuple[Floats, int]:  # pragma: no cover
    """Give each job, in order, to the bus that idles least before it, or to a new one; starts and buses."""
    n = len(order)
    start, last, buses = np.zeros(n), np.zeros(n, dtype=np.int64), 0
    for job in order:
        best, best_idle, start[job] = -1, np.inf, early[job]
        for bus in range(buses):
            end = start[last[bus]] + minutes[last[bus]]
            begin = max(early[job], end + gap[last[bus], job])
            if begin <= late[job] + TINY and begin - end < best_idle:
                best, best_idle = bus, begin - end
        if best < 0:
            best = buses
            buses += 1
        else:
            end = start[last[best]] + minutes[last[best]]
            start[job] = max(early[job], end + gap[last[best], job])
        last[best] = job
    return start, buses


def _settled(jobs: Jobs, gap: Floats, price: Floats, start: Floats) -> Ints:
    """Link the jobs at these times, start them earlier where that allows, and link again while it helps."""
    before = _match(start, jobs.minutes, gap, price)
    while True:
        again = _match(_retimed(jobs, gap, before), jobs.minutes, gap, price)
        if _worth(again, price) >= _worth(before, price):
            return before
        before = again


def _match(start: Floats, minutes: Floats, gap: Floats, price: Floats) -> Ints:
    """Link as many jobs as these times allow, at the least price; return the job before each (-1: none)."""
    begins, rank = start[None, :], np.lexsort((np.arange(len(start)), start)).argsort()
    can = (start + minutes)[:, None] + gap <= begins + TINY
    can &= rank[:, None] < rank[None, :]
    reward = price.max() * len(start) + 1.0
    before, after = linear_sum_assignment(np.where(can, price - reward, NO_LINK))
    linked = can[before, after]
    out = np.full(len(start), -1)
    out[after[linked]] = before[linked]
    return out


def _worth(before: Ints, price: Floats) -> tuple[int, float]:
    """Return what counts in a choice: buses first, then the price of the links."""
    after = np.flatnonzero(before >= 0)
    return len(before) - len(after), float(price[before[after], after].sum())


def _paths(before: Ints) -> tuple[tuple[int, ...], ...]:
    """Follow the links from every first job."""
    after = {int(before[job]): int(job) for job in np.flatnonzero(before >= 0)}
    paths = []
    for head in np.flatnonzero(before < 0):
        path = [int(head)]
        while path[-1] in after:
            path.append(after[path[-1]])
        paths.append(tuple(path))
    return tuple(paths)


def _retimed(jobs: Jobs, gap: Floats, before: Ints) -> Floats:
    """Start every job as early as its window and the job before it allow."""
    start = jobs.early.copy()
    for path in _paths(before):
        for one, then in pairwise(path):
            start[then] = max(jobs.early[then], start[one] + jobs.minutes[one] + gap[one, then])
    return start
