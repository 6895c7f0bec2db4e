"""Plan whole duties: which bus takes which pupils in which order to which schools, in one search.

The fewest buses come first, then the lowest price of the ways. Mixed loads start from the best duties found without
them. The search stops after so many looks at an event, never after a time, so the same problem gives the same duties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from sim.plan import Floats, Ints
from sim.plan.fleet.change import anneal, total
from sim.plan.fleet.problem import Duties, Duty, Event, Problem
from sim.plan.fleet.rows import EPS, EVENT, FOREVER, LONG_AGO, LONGEST, ROW, SCRATCH, Data, Rows, restore
from sim.plan.fleet.search import fewest, start, take_up
from sim.plan.keep import kept

Given = Sequence[Sequence[int]]
NEIGHBOURS = 40
STEPS = 2000
"""Stops taken up in one attempt to do without a duty."""
POLISH_SHARE = 0.3
HOT, COLD = 0.5, 0.016
"""Heat of the polish at its beginning and end, in median prices of a way between neighbours."""


def plan(problem: Problem, looks: int, seed: int = 1, enough: int = 0, begin: Given = ()) -> Duties:
    """Return duties that serve every stop and keep every limit.

    looks: how long to search, in events looked at (some 20 million a second); enough: so many duties are few
    enough, fewer are not looked for; begin: duties to search from, each the stops (0 ..) and visits (-1 - school) in
    order. Where these serve every stop and keep every limit, the duties found are no more, and no dearer where as many.
    The same question gives the same duties.
    """
    if not len(problem.node):
        return Duties((), 0.0, 0)
    apart = np.zeros(0) if problem.apart is None else problem.apart
    question = [getattr(problem, field.name) for field in fields(problem) if field.name != "apart"]
    question += [apart, looks, seed, enough, *begin]
    events = kept(question, lambda: search(problem, looks, seed, enough, begin))
    data, rows = _data(problem), _rows(problem)
    restore(data, rows, *_table(events))
    return _duties(problem, data, rows)


def search(problem: Problem, looks: int, seed: int = 1, enough: int = 0, begin: Given = ()) -> list[list[int]]:
    """Return what `plan` does as rows of events, a row for each bus: stops (0 .. n-1) and visits (n + school)."""
    return _search(_data(problem), _rows(problem), looks, seed, enough, _large_first(problem, begin))


def _large_first(problem: Problem, begin: Given) -> list[list[int]]:
    """Return the events of given duties, those with most pupils on board first: the first rows have the large buses."""
    stops = len(problem.node)
    duties = sorted(begin, key=lambda duty: -_most_aboard(problem, duty))
    return [[one if one >= 0 else stops - 1 - one for one in duty[:LONGEST]] for duty in duties]


def _most_aboard(problem: Problem, duty: Sequence[int]) -> float:
    """Return the most pupils that a given duty has on board at once."""
    aboard = np.zeros(len(problem.gate))
    most = 0.0
    for one in duty:
        if one >= 0:
            aboard[problem.school[one]] += problem.load[one]
            most = max(most, float(aboard.sum()))
        else:
            aboard[-1 - one] = 0.0
    return most


def _table(events: Given) -> tuple[Ints, Ints]:
    """Return the events of rows, (r, m), and how many each row has, (r,)."""
    size = np.array([len(row) for row in events], dtype=np.int64)
    table = np.zeros((len(events), LONGEST), dtype=np.int64)
    for r, row in enumerate(events):
        table[r, : len(row)] = row
    return table, size


def _search(data: Data, rows: Rows, looks: int, seed: int, enough: int, begin: Given) -> list[list[int]]:
    """Search for good duties; return the events of each row."""
    rng, near, search = np.random.default_rng(seed), _near(data), int(looks * (1 - POLISH_SHARE))
    plain = data if begin else data._replace(mixed=False)
    take_up(plain, rows, rng, *_table(begin))
    start(plain, rows, rng, _order(data))
    first = _events_of(rows), _worth(data, rows)
    fewest(plain, rows, rng, near, enough, STEPS, search if plain.mixed == data.mixed else search // 2)
    fewest(data, rows, rng, near, enough, STEPS, search)
    heat = max(EPS, float(np.median(np.take_along_axis(_next(data, data.price), near, axis=1))))
    anneal(data, rows, rng, near, HOT * heat, COLD * heat, looks - search)
    found = _events_of(rows), _worth(data, rows)
    return min(found, first, key=lambda one: one[1])[0]


def _events_of(rows: Rows) -> list[list[int]]:
    return [row["event"][: row["size"]].tolist() for row in rows[:-SCRATCH]]


def _worth(data: Data, rows: Rows) -> tuple[int, int, float]:
    """Return how good duties are, the less the better: those without a bus, all, and what they cost."""
    used = np.flatnonzero(rows["size"][:-SCRATCH])
    return int((used >= data.buses).sum()), len(used), total(rows)


def _data(problem: Problem) -> Data:
    """Lay the problem out by event: the stops, then the schools; the yards are one more place for prices."""
    stops, schools = len(problem.node), len(problem.gate)
    places, none = np.append(problem.node, problem.gate), np.zeros(schools)
    at = np.zeros(stops + schools, dtype=EVENT)
    at["school"] = stops + np.append(problem.school, np.arange(schools))
    at["load"] = np.append(problem.load, none)
    at["serve"] = np.append(problem.dwell_min, problem.unload_min)
    at["alight"] = np.append(problem.unload_pupils_min, none)
    at["limit"] = np.append(problem.limit_min, none)
    at["opens"] = np.append(np.full(stops, LONG_AGO), problem.opens_min)
    at["closes"] = np.append(np.full(stops, FOREVER), problem.closes_min)
    price = np.zeros((len(at) + 1, len(at) + 1))
    price[:-1, :-1] = problem.price[np.ix_(places, places)]
    if len(problem.yards):
        price[-1, :-1] = problem.price[np.ix_(problem.yards, places)].min(axis=0)
        price[:-1, -1] = problem.price[np.ix_(places, problem.yards)].min(axis=1)
    apart = np.zeros((schools, schools), np.bool_) if problem.apart is None else problem.apart
    return Data(
        at=at,
        leg=np.ascontiguousarray(problem.minutes[np.ix_(places, places)]),
        price=price,
        apart=apart | apart.T,
        kind_seats=problem.seats[problem.buses != 0].astype(np.float64),
        kind_price=problem.bus_price[problem.buses != 0].astype(np.float64),
        row_of=np.full(stops, -1),
        clock=np.zeros(1, dtype=np.int64),
        stops=stops,
        buses=len(_fleet(problem)),
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


def _rows(problem: Problem) -> Rows:
    """Return rows without duties: one for each bus, and for buses the county would need beside them."""
    fleet = _fleet(problem)
    more = len(problem.node) if problem.buses[-1] >= 0 else 0
    rows = np.zeros(len(fleet) + more + SCRATCH, dtype=ROW)
    rows["seats"] = problem.seats[problem.buses != 0].max()
    rows["seats"][: len(fleet)] = fleet
    return rows


def _next(data: Data, way: Floats) -> Floats:
    """Return what the way from each stop, or from its school, to each other stop takes or costs; (n, n)."""
    stop = np.arange(data.stops)
    return np.asarray(np.minimum(way[stop][:, stop], way[data.at["school"][stop]][:, stop]))


def _near(data: Data) -> Ints:
    """Return the stops that could best follow each stop in a duty, (n, m)."""
    way = _next(data, data.leg)
    np.fill_diagonal(way, FOREVER)
    most = max(1, min(NEIGHBOURS, data.stops - 1))
    return np.ascontiguousarray(np.argsort(way, axis=1, kind="stable")[:, :most])


def _order(data: Data) -> Ints:
    """Return the stops without a duty in the order of being placed: early schools first, then the farthest."""
    stop = np.flatnonzero(data.row_of < 0)
    school = data.at["school"][stop]
    return stop[np.lexsort((stop, -data.leg[stop, school], school, data.at["opens"][school]))]


def _duties(problem: Problem, data: Data, rows: Rows) -> Duties:
    """Read the duties from the rows, give each the smallest bus that is left, large ones first."""
    used = [row for row in rows[:-SCRATCH] if row["size"]]
    needs = [row["aboard"][: row["size"]].max() for row in used]
    left = [len(used) if buses < 0 else int(buses) for buses in problem.buses]
    kinds = [0] * len(used)
    for nr in np.argsort(np.negative(needs), kind="stable"):
        fits = [kind for kind, seats in enumerate(problem.seats) if seats >= needs[nr] and problem.buses[kind] != 0]
        kinds[nr] = next((kind for kind in fits if left[kind] > 0), fits[-1])
        left[kinds[nr]] -= 1
    duties = tuple(Duty(kind, _events(data, row)) for kind, row in zip(kinds, used, strict=True))
    return Duties(duties, total(rows), -sum(min(0, buses) for buses in left))


def _events(data: Data, row: Any) -> tuple[Event, ...]:
    """Return what the duty of a row does, at the earliest times that keep every limit."""
    out = []
    for k in range(row["size"]):
        one, come = int(row["event"][k]), float(row["early"][k])
        stop = one if one < data.stops else -1
        out.append(Event(stop, int(data.at["school"][one]) - data.stops, come, come + float(row["stand"][k])))
    return tuple(out)
