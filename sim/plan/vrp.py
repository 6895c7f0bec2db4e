"""The runs of one school: a small routing problem for PyVRP, in whole seconds and metres."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from sim.plan.keep import kept

# Weights of the search, in metres driven: the fewest runs first, then the smaller buses, then short ways.
METRES_PER_RUN = 100_000
METRES_PER_SEAT = 500
METRES_PER_SECOND = 5
SEED = 1
CACHED_PROBLEMS = 16_384


@dataclass(frozen=True, slots=True)
class Problem:
    """The stops of one school as PyVRP needs them: whole seconds and metres, the school as the last place."""

    seconds: tuple[tuple[int, ...], ...]
    metres: tuple[tuple[int, ...], ...]
    loads: tuple[int, ...]
    dwell_s: tuple[int, ...]
    kinds: tuple[tuple[int, int, int], ...]
    """(position, rated, seats) of each kind of bus that may be used."""
    limit_s: tuple[int, ...]
    """Longest ride of each stop."""
    iterations: int


@lru_cache(maxsize=CACHED_PROBLEMS)
def solve(problem: Problem) -> tuple[tuple[int, ...], ...]:
    """Return the stops of each run, in order of travel: the fewest runs, then small buses, then short ways.

    The same problem is searched once and remembered. Should the search end without a legal plan, every stop
    gets a run of its own. The search parameters are PyVRP's own, tuned for some hundred steps on 5 to 30
    stops: penalties adapt early, memory and neighbourhoods are short.
    """
    if len(problem.loads) < 2:
        return tuple((stop,) for stop in range(len(problem.loads)))
    found = kept((getattr(problem, field.name) for field in fields(problem)), lambda: _searched(problem))
    return tuple(map(tuple, found))


def _searched(problem: Problem) -> list[list[int]]:
    """Search with PyVRP."""
    from pyvrp import IteratedLocalSearchParams, PenaltyParams, SolveParams
    from pyvrp import solve as search
    from pyvrp.search import NeighbourhoodParams
    from pyvrp.stop import MaxIterations

    how = SolveParams(
        ils=IteratedLocalSearchParams(history_length=20),
        penalty=PenaltyParams(solutions_between_updates=50, max_penalty=1e7),
        neighbourhood=NeighbourhoodParams(num_neighbours=10),
    )
    stop = MaxIterations(problem.iterations)
    result = search(_vrp(problem), stop, seed=SEED, collect_stats=False, params=how)
    if not result.is_feasible():
        return [[stop] for stop in range(len(problem.loads))]
    visits = (route.schedule() for route in result.best.routes())
    return [[visit.idx for visit in route if visit.is_client()] for route in visits]


def _vrp(problem: Problem) -> Any:
    """Return the problem as PyVRP data: place 0 is anywhere (no way from it), 1 is the school.

    All runs end by the same time, and no stop is visited earlier than its longest ride before that.
    """
    from pyvrp import Client, Depot, Location, ProblemData, VehicleType

    stops, end = len(problem.loads), max(problem.limit_s)
    school_first = [stops, *range(stops)]
    metres: Any = np.zeros((stops + 2, stops + 2), dtype=np.int64)
    seconds: Any = metres.copy()
    metres[1:, 1:] = np.array(problem.metres)[np.ix_(school_first, school_first)]
    seconds[1:, 1:] = np.array(problem.seconds)[np.ix_(school_first, school_first)]
    clients = [
        Client(location=2 + nr, pickup=[load], service_duration=dwell, tw_early=end - limit)
        for nr, (load, dwell, limit) in enumerate(zip(problem.loads, problem.dwell_s, problem.limit_s, strict=True))
    ]
    vehicles = [
        VehicleType(
            num_available=stops,
            capacity=[seats],
            start_depot=0,
            end_depot=1,
            fixed_cost=METRES_PER_RUN + METRES_PER_SEAT * rated,
            tw_late=end,
            unit_duration_cost=METRES_PER_SECOND,
        )
        for _, rated, seats in problem.kinds
    ]
    places = [Location(x=0, y=0) for _ in range(stops + 2)]
    return ProblemData(places, clients, [Depot(location=0), Depot(location=1)], vehicles, [metres], [seconds])
