"""Plan whole duties: which bus takes which pupils in which order to which schools, in one search.

The fewest buses come first, then the lowest price of the ways. Mixed loads start from the best duties found without
them. The search stops after so many looks at an event, never after a time, so the same problem gives the same duties.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from sim.plan import Floats, Ints
from sim.plan.fleet.change import anneal, total
from sim.plan.fleet.problem import Duties, Duty, Event, Problem
from sim.plan.fleet.rows import EPS, EVENT, FOREVER, LONG_AGO, LONGEST, ROW, SCRATCH, Data, Rows, restore
from sim.plan.fleet.search import fewest, start
from sim.plan.keep import kept

LONGEST_ROW = 200
NEIGHBOURS = 40
STEPS = 2000
"""Stops taken up in one attempt to do without a duty."""
POLISH_SHARE = 0.3
HOT, COLD = 0.5, 0.016
"""Heat of the polish at its beginning and end, in median prices of a way between neighbours."""


def plan(problem: Problem, looks: int, seed: int = 1, enough: int = 0) -> Duties:
    """Return duties that serve every stop and keep every limit.

    looks: how long to search, in events looked at (some 20 million a second); enough: so many duties are few
    enough, fewer are not looked for. The same problem, looks and seed give the same duties.
    """
    if not len(problem.node):
        return Duties((), 0.0, 0)
    data, rows = _data(problem), _rows(problem)
    question = [getattr(problem, field.name) for field in fields(problem) if field.name != "apart"]
    events = kept([*question, data.apart, looks, seed, enough], lambda: _search(data, rows, looks, seed, enough))
    size = np.array([len(row) for row in events])
    table = np.zeros((len(events), LONGEST), dtype=np.int64)
    for r, row in enumerate(events):
        table[r, : len(row)] = row
    restore(data, rows, table, size)
    return _duties(problem, data, rows)


def _search(data: Data, rows: Rows, looks: int, seed: int, enough: int) -> list[list[int]]:
    """Search for good duties; return the events of each row."""
    rng, near, search = np.random.default_rng(seed), _near(data), int(looks * (1 - POLISH_SHARE))
    alone = data._replace(mixed=False)
    start(alone, rows, rng, _order(data))
    fewest(alone, rows, rng, near, enough, STEPS, search // 2 if data.mixed else search)
    if data.mixed:
        fewest(data, rows, rng, near, enough, STEPS, search)
    heat = max(EPS, float(np.median(np.take_along_axis(_next(data, data.price), near, axis=1))))
    anneal(data, rows, rng, near, HOT * heat, COLD * heat, looks - search)
    return [row["event"][: row["size"]].tolist() for row in rows[:-SCRATCH]]


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
    """Return the stops in the order of the first attempt: early schools first, and for each the farthest stops."""
    stop = np.arange(data.stops)
    school = data.at["school"][stop]
    return np.lexsort((stop, -data.leg[stop, school], school, data.at["opens"][school]))


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
