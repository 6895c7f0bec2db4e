"""The course of a run: where its riders get on and off, how long the bus drives and stands, how long they ride.

The school of a run is its last gate (in) or its first (out). With mixed loads there are gates of other schools on the
way, among the stops.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.plan import DIRECTIONS, Bools, Floats, Ints, Routes
from sim.units import minutes_of

if TYPE_CHECKING:
    from sim.config import Fleet
    from sim.county import County

IN = DIRECTIONS.index("in")
OWN_SCHOOL = -1


class Piece(NamedTuple):
    """Part of a run: a call at a school, and the stops before it (in) or after it (out) up to the next call.

    On the way to school the stops begin with the gate that was called at before, on the way home they end with the
    next one.
    """

    call: int
    first: int
    end: int


def pieces(routes: Routes) -> list[tuple[Piece, ...]]:
    """Return the pieces of each run in order.

    Calls are numbered: that of run r at its own school is r, then come those at gates on the way, in order of place.
    """
    on_the_way, run = gates(routes), run_of_stop(routes)
    at_gate: dict[int, list[tuple[int, int]]] = {}
    for call, p in enumerate(on_the_way.tolist(), len(routes.run_id)):
        at_gate.setdefault(int(run[p]), []).append((call, p))
    out = []
    for r, (low, high) in enumerate(pairwise(routes.ptr.tolist())):
        into, there = routes.direction[r] == IN, at_gate.get(r, [])
        calls, ends = [call for call, _ in there], [low, *(p if into else p + 1 for _, p in there), high]
        out.append(tuple(map(Piece, [*calls, r] if into else [r, *calls], ends[:-1], ends[1:])))
    return out


def run_of_stop(routes: Routes) -> Ints:
    """Return the run of each stop, (P,)."""
    return np.repeat(np.arange(len(routes.run_id)), np.diff(routes.ptr))


def by_run(routes: Routes, values: Floats) -> Floats:
    """Add up a value of stops by run, (R,)."""
    return np.add.reduceat(values, routes.ptr[:-1]) if len(values) else np.zeros(0)


def demand_key(routes: Routes) -> tuple[Ints, Ints, Ints, Ints]:
    """Return service, direction, school and hamlet of the riders of each stop, (P,) each; hamlet -1 for gates."""
    run = run_of_stop(routes)
    return routes.service[run], routes.direction[run], routes.to, routes.hamlet


def gates(routes: Routes) -> Ints:
    """Return the places of the gates on the way, in order."""
    return np.flatnonzero(routes.hamlet < 0)


def schools_of(routes: Routes, schools: int) -> Bools:
    """Tell at which of so many schools each run calls, (R, S)."""
    calls = np.zeros((len(routes.run_id), schools), dtype=np.bool_)
    calls[np.arange(len(calls)), routes.school] = calls[run_of_stop(routes), routes.to] = True
    return calls


def nodes(county: County, routes: Routes) -> Ints:
    """Return the node of each stop or gate, (P,)."""
    return np.where(routes.hamlet < 0, county.schools.node[routes.to], county.hamlets.node[routes.hamlet])


def own_gate(routes: Routes) -> Ints:
    """Return the place of the gate where the riders of each stop get off (in) or on (out); (P,).

    OWN_SCHOOL: at the school of the run. A gate is its own.
    """
    found = np.full(len(routes.hamlet), OWN_SCHOOL)
    for run in np.unique(run_of_stop(routes)[gates(routes)]).tolist():
        places, met = range(routes.ptr[run], routes.ptr[run + 1]), dict[int, int]()
        for p in reversed(places) if routes.direction[run] == IN else places:
            if routes.hamlet[p] < 0:
                met[routes.to[p]] = p
            found[p] = met.get(routes.to[p], OWN_SCHOOL)
    return found


def gate_loads(routes: Routes) -> tuple[Floats, Floats]:
    """Return the pupils who get off (in) or on (out) at the school of each run, (R,), and at gates on the way, (P,)."""
    gate = own_gate(routes)
    on_the_way = gate != OWN_SCHOOL
    there = np.zeros(len(gate))
    np.add.at(there, gate[on_the_way], routes.load[on_the_way])
    return by_run(routes, np.where(on_the_way, 0.0, routes.load)), there


def most_aboard(routes: Routes) -> Floats:
    """Return the most pupils who are to be on the bus of each run at one time, (R,)."""
    most, (_, there) = by_run(routes, routes.load), gate_loads(routes)
    for run in np.unique(run_of_stop(routes)[gates(routes)]).tolist():
        places = slice(routes.ptr[run], routes.ptr[run + 1])
        change = (routes.load - there)[places]
        most[run] = np.cumsum(change if routes.direction[run] == IN else change[::-1]).max()
    return most


def dwell_min(fleet: Fleet, pupils: Floats) -> Floats:
    """Return how long a bus stands at a stop where so many pupils get on or off, in minutes."""
    return np.asarray((fleet.dwell_stop_s + fleet.dwell_pupil_s * pupils) * minutes_of(1.0))


def at_school_min(fleet: Fleet, pupils: Floats) -> Floats:
    """Return how long a bus stands at a school while so many pupils get off or on, in minutes."""
    return np.asarray((fleet.unload_school_s + fleet.unload_pupil_s * pupils) * minutes_of(1.0))


def stand_min(routes: Routes, fleet: Fleet) -> Floats:
    """Return how long the bus stands at each stop or gate, (P,)."""
    stop = dwell_min(fleet, routes.load)
    if not len(gates(routes)):
        return stop
    return np.where(routes.hamlet < 0, at_school_min(fleet, gate_loads(routes)[1]) + routes.wait_min, stop)


def way_min(routes: Routes, fleet: Fleet) -> Floats:
    """Return the planned minutes between each stop and the school of its run, (P,).

    In: from the bus's arrival at the stop to its arrival at the school. Out: from leaving the school to
    arrival at the stop. Standing at stops and gates is included.
    """
    stand, length, run = stand_min(routes, fleet), np.diff(routes.ptr), run_of_stop(routes)
    into, nth = routes.direction[run] == IN, np.arange(len(run)) - routes.ptr[run]
    nth = np.where(into, length[run] - 1 - nth, nth)  # counted from the school
    way = np.zeros((len(length), length.max(initial=0)))
    way[run, nth] = routes.leg_min + stand
    there = np.cumsum(way, axis=1)[run, nth]
    return np.where(into, there, there - stand)


def ride_min(routes: Routes, fleet: Fleet) -> Floats:
    """Return the planned minutes on the bus of the riders of each stop, (P,): to (in) or from (out) their own school.

    0 for gates.
    """
    way, gate = way_min(routes, fleet), own_gate(routes)
    into = routes.direction[run_of_stop(routes)] == IN
    there = np.where(into, way, way + stand_min(routes, fleet))
    return np.where(routes.hamlet < 0, 0.0, np.where(gate == OWN_SCHOOL, way, way - there[gate]))
