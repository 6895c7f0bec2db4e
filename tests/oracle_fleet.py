"""The fewest buses of a tiny problem, by trying every order of stops and visits, with times from shortest paths.

Whether an order can be driven is a system of differences t_b - t_a >= w, solved by the Bellman-Ford recursion: nothing
in common with the search but the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

LONG_AGO = -1e6


def fewest_buses(problem: Any) -> int:
    """Return the least number of buses of a problem with one kind of bus and a handful of stops."""
    stops = range(len(problem.node))
    one_bus = {
        subset
        for size in range(1, len(stops) + 1)
        for subset in map(frozenset, combinations(stops, size))
        if any(_can(problem, order) for order in _orders(problem, subset, (), ()))
    }
    best = {frozenset[int](): 0}
    for size in range(1, len(stops) + 1):
        for subset in map(frozenset, combinations(stops, size)):
            best[subset] = min(best[subset - one] + 1 for one in one_bus if one <= subset)
    return best[frozenset(stops)]


def _orders(problem: Any, left: frozenset[int], aboard: tuple[int, ...], done: tuple[int, ...]) -> Iterator[Any]:
    """Yield the orders of stops (0 ..) and visits (-1 - school) that obey seats and switches."""
    if not left and not aboard:
        yield done
        return
    schools = {int(problem.school[one]) for one in aboard}
    visited = {-1 - event for event in done if event < 0}
    for stop in sorted(left):
        load = sum(problem.load[one] for one in (*aboard, stop))
        school = int(problem.school[stop])
        together = problem.mixed or schools <= {school}
        apart = problem.apart is not None and any(problem.apart[school, one] for one in visited | schools)
        if load <= problem.seats[-1] and together and not apart and (problem.again or school not in visited):
            yield from _orders(problem, left - {stop}, (*aboard, stop), (*done, stop))
    for school in sorted(schools):
        rest = tuple(one for one in aboard if problem.school[one] != school)
        yield from _orders(problem, left, rest, (*done, -1 - school))


def _can(problem: Any, order: tuple[int, ...]) -> bool:
    """Tell whether times exist for an order: no cycle of positive length among its differences."""
    least = [LONG_AGO] * len(order)
    ways: list[tuple[int, int, float]] = []
    boarded: dict[int, list[int]] = {}
    for k, event in enumerate(order):
        stay = problem.dwell_min[event] if event >= 0 else problem.unload_min[-1 - event]
        if event >= 0:
            boarded.setdefault(int(problem.school[event]), []).append(k)
        else:
            off = boarded.pop(-1 - event)
            stay += sum(problem.unload_pupils_min[order[j]] for j in off)
            ways += [(k, j, -problem.limit_min[order[j]]) for j in off]
            least[k] = problem.opens_min[-1 - event]
        if k + 1 < len(order):
            ways.append((k, k + 1, stay + problem.minutes[_place(problem, event), _place(problem, order[k + 1])]))
    for _ in range(len(order) + 1):
        grown = False
        for one, then, way in ways:
            if least[one] + way > least[then] + 1e-9:
                least[then], grown = least[one] + way, True
    times = [(time, -1 - event) for time, event in zip(least, order, strict=True) if event < 0]
    return not grown and all(time <= problem.closes_min[school] + 1e-9 for time, school in times)


def _place(problem: Any, event: int) -> int:
    return int(problem.node[event] if event >= 0 else problem.gate[-1 - event])
