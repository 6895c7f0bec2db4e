"""Plan whole duties: which bus takes which pupils in which order to which schools, in one search.

The fewest buses come first, then the lowest price of the ways. Mixed loads start from the best duties found without
them. The search stops after so many looks at an event, never after a time, so the same problem gives the same duties.
"""

from __future__ import annotations

import numpy as np

from sim.plan import Floats, Ints
from sim.plan.fleet.change import anneal
from sim.plan.fleet.problem import Duties, Duty, Event, Problem
from sim.plan.fleet.rows import EPS, FOREVER, SCRATCH, Data, State
from sim.plan.fleet.search import fewest, restore, start

LONGEST_ROW = 200
NEIGHBOURS = 40
STEPS = 2000
"""Stops taken up in one attempt to do without a duty."""
POLISH_SHARE = 0.3
HOT, COLD = 0.5, 1 / 60
"""Heat of the polish at its beginning and end, in median prices of a way between neighbours."""


def plan(problem: Problem, looks: int, seed: int = 1) -> Duties:
    """Return duties that serve every stop and keep every limit.

    looks: how long to search, in events looked at (about 15 million a second). The same problem, looks and
    seed give the same duties.
    """
    if not len(problem.node):
        return Duties((), 0.0, 0)
    data = _data(problem)
    state, rng = _state(data), np.random.default_rng(seed)
    alone, near, search = data._replace(mixed=False), _near(data), int(looks * (1 - POLISH_SHARE))
    start(alone, state, rng, _order(data))
    fewest(alone, state, rng, near, STEPS, search // 2 if problem.mixed else search)
    if problem.mixed:
        fewest(data, state, rng, near, STEPS, search)
    heat = max(EPS, float(np.median(np.take_along_axis(data.price[: data.stops], near, axis=1))))
    anneal(data, state, rng, near, HOT * heat, COLD * heat, looks - search)
    restore(data, state)
    return _duties(problem, data, state)


def _data(problem: Problem) -> Data:
    """Lay the problem out by event: the stops, then the schools; the yards are one more place for prices."""
    stops, schools, fleet = len(problem.node), len(problem.gate), _fleet(problem)
    places = np.append(problem.node, problem.gate)
    between = np.ix_(places, places)
    price = np.zeros((stops + schools + 1, stops + schools + 1))
    price[:-1, :-1] = problem.price[between]
    if len(problem.yards):
        price[-1, :-1] = problem.price[np.ix_(problem.yards, places)].min(axis=0)
        price[:-1, -1] = problem.price[np.ix_(places, problem.yards)].min(axis=1)
    anywhen, none = np.full(stops, FOREVER), np.zeros(schools)
    return Data(
        stops=stops,
        school=stops + np.append(problem.school, np.arange(schools)),
        load=problem.load.astype(np.float64),
        serve=np.append(problem.dwell_min, problem.unload_min),
        alight=np.append(problem.unload_pupils_min, none),
        limit=problem.limit_min.astype(np.float64),
        opens=np.append(-anywhen, problem.opens_min),
        closes=np.append(anywhen, problem.closes_min),
        leg=problem.minutes[between].copy(),
        price=price,
        apart=np.zeros((schools, schools), np.bool_) if problem.apart is None else problem.apart | problem.apart.T,
        seats=np.array([*fleet, *[max(fleet)] * (stops + SCRATCH)], dtype=np.float64),
        buses=len(fleet),
        kind_seats=problem.seats[problem.buses != 0].astype(np.float64),
        kind_price=problem.bus_price[problem.buses != 0].astype(np.float64),
        mixed=problem.mixed,
        again=problem.again,
    )


def _fleet(problem: Problem) -> list[int]:
    """Return the seats of the buses there are, large ones first: no more than the stops can use."""
    stops, fleet = len(problem.node), []
    for seats, buses in zip(problem.seats[::-1], problem.buses[::-1], strict=True):
        fleet += [int(seats)] * (stops if buses < 0 else min(int(buses), stops))
        if buses < 0:
            break  # a smaller bus is never better where the number of buses counts
    return fleet


def _state(data: Data) -> State:
    """Return rows without duties."""
    rows, length = len(data.seats), min(2 * data.stops + 2, LONGEST_ROW)

    def part() -> Floats:
        return np.zeros((rows, length))

    return State(
        event=np.zeros((rows, length), dtype=np.int64),
        mate=np.zeros((rows, length), dtype=np.int64),
        early=part(),
        late=part(),
        down=part(),
        stand=part(),
        since=part(),
        spare=part(),
        aboard=part(),
        size=np.zeros(rows, dtype=np.int64),
        cost=np.zeros(rows),
        row_of=np.full(data.stops, -1),
        work=np.zeros(1, dtype=np.int64),
    )


def _near(data: Data) -> Ints:
    """Return the stops nearest to each stop, (n, m)."""
    way = data.leg[: data.stops, : data.stops].copy()
    np.fill_diagonal(way, FOREVER)
    most = max(1, min(NEIGHBOURS, data.stops - 1))
    return np.ascontiguousarray(np.argsort(way, axis=1, kind="stable")[:, :most])


def _order(data: Data) -> Ints:
    """Return the stops in the order of the first attempt: early schools first, and for each the farthest stops."""
    stop = np.arange(data.stops)
    school = data.school[stop]
    return np.lexsort((stop, -data.leg[stop, school], school, data.opens[school]))


def _duties(problem: Problem, data: Data, state: State) -> Duties:
    """Read the duties from the rows, give each the smallest bus that is left, large ones first."""
    rows = [r for r in range(len(state.size) - SCRATCH) if state.size[r]]
    needs = {r: _most_aboard(state, r) for r in rows}
    left = [len(rows) if buses < 0 else int(buses) for buses in problem.buses]
    kinds: dict[int, int] = {}
    for r in sorted(rows, key=lambda r: -needs[r]):
        fits = [kind for kind, seats in enumerate(problem.seats) if seats >= needs[r] and problem.buses[kind] != 0]
        kinds[r] = next((kind for kind in fits if left[kind] > 0), fits[-1])
        left[kinds[r]] -= 1
    duties = tuple(Duty(kinds[r], _events(data, state, r)) for r in rows)
    return Duties(duties, float(state.cost[rows].sum()), -sum(min(0, buses) for buses in left))


def _most_aboard(state: State, r: int) -> float:
    return float(state.aboard[r, : state.size[r]].max())


def _events(data: Data, state: State, r: int) -> tuple[Event, ...]:
    """Return what the duty of a row does, at the earliest times that keep every limit."""
    out = []
    for k in range(state.size[r]):
        one, come = int(state.event[r, k]), float(state.early[r, k])
        stop = one if one < data.stops else -1
        out.append(Event(stop, int(data.school[one]) - data.stops, come, come + float(state.stand[r, k])))
    return tuple(out)
