"""The legs of all runs in one kind of weather: how long and how far, and which stops no bus can reach.

A stop that cannot be reached is passed over: the bus drives from the stop before to the stop after by the
fastest way that is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.county import County
from sim.county.road import Travel
from sim.operate.diary import ROAD, WEATHER, Codes
from sim.operate.pupils import IN
from sim.operate.weather import Skyway
from sim.plan import Bools, Floats, Ints, Routes
from sim.plan.course import by_run, gates, nodes, pieces, run_of_stop


@dataclass(frozen=True, slots=True)
class Legs:
    """R runs, P stops; as `Routes`, but for the weather."""

    min: Floats
    """(P,) minutes of the leg from an `in` stop, or into an `out` stop."""
    floor_min: Floats
    """(P,) the same at the legal limit."""
    km: Floats
    """(P,)"""
    cut: Codes
    """(P,) 0, or why no bus can reach the stop; position in CAUSES."""
    call_cut: Bools
    """(C,) no bus of the run reaches the school."""
    first: Ints
    """(R,) node where the run begins; -1 when no stop can be reached."""
    last: Ints
    """(R,) node where it ends."""
    run_km: Floats
    """(R,)"""
    call_km: Floats
    """(C,) km before (in) or after (out) each call at a school, from the call or to the call that is next to it."""
    begin: Ints
    """(P,) node where the leg begins; of a stop out of reach, the stop itself."""
    end: Ints
    """(P,) node where it ends."""
    travel: Travel
    """Ways between any two places, for buses without pupils."""


def clear_legs(county: County, routes: Routes, travel: Travel) -> Legs:
    """Return the legs as they were planned."""
    stop, school = nodes(county, routes), county.schools.node[routes.school]
    into = routes.direction == IN
    run = run_of_stop(routes)
    begin, end = _from_to(into[run], run, stop, school[run])
    first = np.where(into, stop[routes.ptr[:-1]], school)
    last = np.where(into, school, stop[routes.ptr[1:] - 1])
    return Legs(
        routes.leg_min, routes.leg_floor_min, routes.leg_km, np.zeros(len(stop), np.int8),
        np.zeros(len(school) + len(gates(routes)), dtype=np.bool_), first, last,
        by_run(routes, routes.leg_km), _by_call(routes, routes.leg_km), begin, end, travel,
    )  # fmt: skip


def legs(county: County, routes: Routes, skyway: Skyway) -> Legs:
    """Return the legs in another weather, on the roads that are left.

    A run goes where it can go from its goal: its school, or of several that which most of its riders can reach.
    """
    run, travel, part = run_of_stop(routes), skyway.travel, skyway.component
    stop, to, school = nodes(county, routes), county.schools.node[routes.to], county.schools.node[routes.school]
    goal = _goals(routes, travel, stop, to, school)
    gate = goal[run]
    reached = np.isfinite(travel.minutes[stop, gate]) & np.isfinite(travel.minutes[to, gate])
    open_ = (part[stop] == part[gate]) & (part[to] == part[gate])
    cut = np.where(reached, 0, np.where(open_, WEATHER, ROAD)).astype(np.int8)
    rows = np.flatnonzero(reached)
    own_cut = ~np.isfinite(travel.minutes[school, goal])
    tip = school.copy()
    for r in np.flatnonzero(own_cut):
        tip[r] = stop[rows[run[rows] == r][-1 if routes.direction[r] == IN else 0]]
    begins, ends = _from_to(routes.direction[run[rows]] == IN, run[rows], stop[rows], tip[run[rows]])
    minutes, floor_min, km = np.zeros((3, len(stop)))
    for column, way in ((minutes, travel.minutes), (floor_min, travel.floor_min), (km, travel.km)):
        column[rows] = way[begins, ends]
    first, last = np.full((2, len(routes.school)), -1)
    np.put(first, run[rows][::-1], begins[::-1])
    np.put(last, run[rows], ends)
    begin, end = stop.copy(), stop.copy()
    begin[rows], end[rows] = begins, ends
    return Legs(
        minutes, floor_min, km, cut, np.append(own_cut, cut[gates(routes)] > 0), first, last,
        by_run(routes, km), _by_call(routes, km), begin, end, travel,
    )  # fmt: skip


def _goals(routes: Routes, travel: Travel, stop: Ints, to: Ints, school: Ints) -> Ints:
    """Return the node of the school that most of the riders of each run can reach, (R,); in a tie its own."""
    goal, is_home = school.copy(), np.isfinite(travel.minutes[stop, to])
    for r in np.unique(run_of_stop(routes)[gates(routes)]):
        places = slice(routes.ptr[r], routes.ptr[r + 1])
        schools = np.append(school[r], to[places][routes.hamlet[places] < 0])
        there = np.isfinite(travel.minutes[np.ix_(schools, to[places])]) @ (routes.load * is_home)[places]
        goal[r] = schools[there.argmax()]
    return goal


def _by_call(routes: Routes, km: Floats) -> Floats:
    """Add up km of legs by call, (C,)."""
    parts = [part for run in pieces(routes) for part in run]
    out = np.zeros(len(parts))
    if len(km):
        out[[part.call for part in parts]] = np.add.reduceat(km, [part.first for part in parts])
    return out


def _from_to(into: np.ndarray, run: Ints, stop: Ints, gate: Ints) -> tuple[Ints, Ints]:
    """Return where each leg begins and ends: `in` from the stop to the next or the gate, `out` into the stop."""
    if not len(run):
        return stop, stop
    same = np.append(run[1:] == run[:-1], False)
    after = np.where(same, np.append(stop[1:], -1), gate)
    before = np.where(np.append(False, same[:-1]), np.append(-1, stop[:-1]), gate)
    return np.where(into, stop, before), np.where(into, after, stop)
