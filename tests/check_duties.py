"""Proves that duties serve every stop and keep every limit; written from the rules alone, with no code of the solver.

Everything is checked on the times the duties themselves state, walking event by event.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

SLACK_MIN = 1e-4


def complaints(problem: Any, duties: Any) -> list[str]:
    """Return everything that is wrong with the duties of a problem (none: an empty list)."""
    said = [complaint for nr, duty in enumerate(duties.duties) for complaint in _of_duty(problem, nr, duty)]
    served = sorted(event.stop for duty in duties.duties for event in duty.events if event.stop >= 0)
    if served != list(range(len(problem.node))):
        said.append("the stops served are not every stop once")
    used = [duty.kind for duty in duties.duties]
    over = sum(max(0, used.count(kind) - int(count)) for kind, count in enumerate(problem.buses) if count >= 0)
    if over > duties.short:
        said.append(f"{over} buses more than there are")
    return said


def price(problem: Any, duties: Any) -> float:
    """Return what the ways of all duties cost, from the nearest yard and back, and their buses."""
    total = 0.0
    for duty in duties.duties:
        places = [_place(problem, event) for event in duty.events]
        total += sum(problem.price[one, then] for one, then in pairwise(places)) + problem.bus_price[duty.kind]
        if len(problem.yards):
            total += min(problem.price[yard, places[0]] for yard in problem.yards)
            total += min(problem.price[places[-1], yard] for yard in problem.yards)
    return float(total)


def _place(problem: Any, event: Any) -> int:
    return int(problem.gate[event.school] if event.stop < 0 else problem.node[event.stop])


def _of_duty(problem: Any, nr: int, duty: Any) -> list[str]:
    said: list[str] = []
    for one, then in pairwise(duty.events):
        way = problem.minutes[_place(problem, one), _place(problem, then)]
        if one.leave_min + way > then.arrive_min + SLACK_MIN:
            said.append(f"duty {nr}: cannot be at {then} in time")
    boarded: dict[int, list[Any]] = {}
    for event in duty.events:
        if event.stop >= 0:
            boarded.setdefault(int(problem.school[event.stop]), []).append(event)
            stay = problem.dwell_min[event.stop]
            aboard = sum(problem.load[one.stop] for group in boarded.values() for one in group)
            if aboard > problem.seats[duty.kind]:
                said.append(f"duty {nr}: {aboard} pupils on {problem.seats[duty.kind]} seats at {event}")
            if len(boarded) > 1 and not problem.mixed:
                said.append(f"duty {nr}: pupils of two schools on board at {event}")
        else:
            off = boarded.pop(event.school, [])
            stay = problem.unload_min[event.school] + sum(problem.unload_pupils_min[one.stop] for one in off)
            late = [one for one in off if event.arrive_min - one.arrive_min > problem.limit_min[one.stop] + SLACK_MIN]
            said += [f"duty {nr}: too long a ride from {one}" for one in late]
            opens, closes = problem.opens_min[event.school], problem.closes_min[event.school]
            if not opens - SLACK_MIN <= event.arrive_min <= closes + SLACK_MIN:
                said.append(f"duty {nr}: {event} is outside its window")
        if event.leave_min < event.arrive_min + stay - SLACK_MIN:
            said.append(f"duty {nr}: leaves {event} too early")
    if boarded:
        said.append(f"duty {nr}: pupils never alight")
    visits = [event.school for event in duty.events if event.stop < 0]
    if len(set(visits)) < len(visits) and not problem.again:
        said.append(f"duty {nr}: visits a school twice")
    if problem.apart is not None and any(
        problem.apart[a, b] or problem.apart[b, a] for a, b in combinations(visits, 2)
    ):
        said.append(f"duty {nr}: two schools that may not share a bus")
    return said
