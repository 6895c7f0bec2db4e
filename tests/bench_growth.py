"""A county many times over, for the benchmark only: the same roads, k times the pupils, schools, runs and buses."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np

from sim.operate.dine import Halls
from sim.operate.legs import Legs
from sim.operate.luck import WeekLuck
from sim.operate.pupils import Pupils
from sim.operate.stage import Stage
from sim.operate.timetable import Timetable, rotas
from sim.operate.wash import Visits
from sim.plan.course import Piece


def grown(stage: Stage, luck: WeekLuck, k: int) -> tuple[Stage, WeekLuck]:
    """Return k counties side by side, on one stage and with the luck of one."""
    pupils, schools, hamlets = len(stage.pupils), len(stage.gate_bays), int(stage.pupils.hamlet.max()) + 1
    by = {"pupil": pupils, "school": schools, "hamlet": hamlets, "stop": len(stage.table.run_of_stop),
          "run": len(stage.table.stops), "bus": len(stage.table.yard)}  # fmt: skip
    place = _visits_in_order(stage.visits, k)
    bigger = replace(
        stage,
        pupils=_pupils(stage.pupils, by, k),
        table=_table(stage.table, by, k),
        halls=_halls(stage.halls, by, k),
        visits=_visits(stage.visits, by, place, k),
        gate_bays=stage.gate_bays * k,
        line_riders=_shifted(stage.line_riders, pupils, k),
        families=_shifted(stage.families, pupils, k),
        **{name: np.concatenate([getattr(stage, name)] * k)
           for name in ("life_teachers", "beds", "bus_home", "area", "home_node", "school_node", "bell_min")},
    )  # fmt: skip
    return bigger, _luck(luck, k)


def _shifted(values: np.ndarray, step: int, k: int) -> np.ndarray:
    """Return k copies of positions, each a step further; -1 stays."""
    return np.concatenate([np.where(values >= 0, values + j * step, values) for j in range(k)], axis=-1)


def _edges(ptr: np.ndarray, k: int) -> np.ndarray:
    """Return where the parts of k copies begin."""
    return np.append(0, np.cumsum(np.tile(np.diff(ptr), k)))


def _tiled(thing: object, k: int, skip: tuple[str, ...] = ()) -> dict[str, object]:
    """Return the arrays and tuples of a dataclass k times, along the last axis."""
    found = {}
    for name in (each.name for each in fields(thing)):
        value = getattr(thing, name)
        if name not in skip and isinstance(value, np.ndarray):
            found[name] = np.concatenate([value] * k, axis=-1)
        elif name not in skip and isinstance(value, tuple):
            found[name] = value * k
    return found


def _pupils(pupils: Pupils, by: dict[str, int], k: int) -> Pupils:
    return Pupils(**_tiled(pupils, k) | {
        "school": _shifted(pupils.school, by["school"], k),
        "hamlet": _shifted(pupils.hamlet, by["hamlet"], k),
        "stop": _shifted(pupils.stop, by["stop"], k),
        "first": _edges(pupils.first, k),
    })  # fmt: skip


def _table(table: Timetable, by: dict[str, int], k: int) -> Timetable:
    stops, runs, buses = by["stop"], by["run"], by["bus"]
    at, rider = table.riders
    legs = {sky: _legs(way, k) for sky, way in table.legs.items()}
    duties = _duties(table, by, k)
    begin, call, first, end, ptr = table.course
    assert len(table.call_school) == runs, "no run calls at a second school on its way"
    return replace(table, **_tiled(table, k, ("course",)) | {
        "course": (_edges(begin, k), _shifted(call, runs, k), *(_shifted(at, stops, k) for at in (first, end)),
                   _edges(ptr, k)),
        "pieces": tuple(
            tuple(Piece(one.call + j * runs, one.first + j * stops, one.end + j * stops) for one in run)
            for j in range(k) for run in table.pieces
        ),
        "call_school": tuple(_shifted(np.array(table.call_school), by["school"], k).tolist()),
        "call_of_stop": _shifted(table.call_of_stop, runs, k),
        "stops": tuple((low + j * stops, high + j * stops) for j in range(k) for low, high in table.stops),
        "run_of_stop": _shifted(table.run_of_stop, runs, k),
        "school": tuple(_shifted(np.array(table.school), by["school"], k).tolist()),
        "bus": tuple(_shifted(np.array(table.bus), buses, k).tolist()),
        "riders": (_edges(at, k), _shifted(rider, by["pupil"], k)),
        "spare_buses": table.spare_buses * k,
        "reserve": tuple(many * k for many in table.reserve),
        "duties": duties,
        "rotas": rotas(duties, buses * k),
        "legs": legs,
    })  # fmt: skip


def _duties(table: Timetable, by: dict[str, int], k: int) -> dict[tuple[int, int, int], tuple[int, ...]]:
    """Return the duties of all buses; the runs without a bus (-1) belong together."""
    found: dict[tuple[int, int, int], tuple[int, ...]] = {}
    for j in range(k):
        for (bus, kind, way), runs in table.duties.items():
            key = (bus + j * by["bus"] if bus >= 0 else bus, kind, way)
            found[key] = found.get(key, ()) + tuple(run + j * by["run"] for run in runs)
    return found


def _legs(legs: Legs, k: int) -> Legs:
    return replace(legs, **_tiled(legs, k))


def _halls(halls: Halls, by: dict[str, int], k: int) -> Halls:
    def lines(of: tuple) -> tuple:
        return tuple((_edges(ptr, k), _shifted(who, by["pupil"], k)) for ptr, who in of)

    return replace(halls, **_tiled(halls, k) | {
        "lines": tuple(lines(of) for of in halls.lines), "window_at": _edges(halls.window_at, k),
    })  # fmt: skip


def _visits_in_order(visits: Visits, k: int) -> np.ndarray:
    """Return of which visit of the one county each visit of k counties is a copy: peak by peak, county by county."""
    ends = visits.ptr[visits.lines]
    return np.concatenate([np.tile(np.arange(low, high), k) for low, high in pairwise(ends)])


def _visits(visits: Visits, by: dict[str, int], place: np.ndarray, k: int) -> Visits:
    ends, lines = visits.ptr[visits.lines], visits.lines
    county = np.concatenate([np.repeat(np.arange(k), many) for many in np.diff(ends)])
    line = np.concatenate([np.tile(np.arange(low, high), k) for low, high in pairwise(lines)])
    of_county = np.concatenate([np.repeat(np.arange(k), many) for many in np.diff(lines)])
    return replace(
        visits,
        who=visits.who[place] + county * by["pupil"],
        ptr=np.append(0, np.cumsum(np.diff(visits.ptr)[line])),
        lines=lines * k,
        peak=visits.peak[line],
        school=visits.school[line] + of_county * by["school"],
        resource=visits.resource[line],
        servers=visits.servers[line],
    )


def _luck(luck: WeekLuck, k: int) -> WeekLuck:
    by_school = {name: np.tile(getattr(luck.conditions, name), k) for name in ("absence", "kitchen", "water")}
    return replace(luck, **_tiled(luck, k) | {
        "conditions": replace(luck.conditions, **by_school),
        "wash": tuple(np.tile(peak, k) for peak in luck.wash),
    })  # fmt: skip
