"""Where each bus is on a kept day, how many pupils are on it, and what its stops were planned to be and were."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from sim.tell.replay_day import Floats, Roads
from sim.tell.replay_pupil import Crowd, Ints, banded
from sim.tell.run import plain

Told = dict[str, Any]
Leg = tuple[int, int, float, float]
"""Nodes where a bus leaves and where it arrives, and both minutes."""
Halt = tuple[float, float]
"""When a bus broke down and when it went on."""
_NUMBERED = re.compile(r"bus-(\d+)")


class Fleet:
    """The buses of a day on the road map. A place is a hamlet's position in its table, or -1 - that of a school."""

    def __init__(self, crowd: Crowd, roads: Roads) -> None:
        self.crowd, self.day, self.roads = crowd, crowd.day, roads
        self.yards = np.flatnonzero(self.day.run.input("nodes.csv")["is_yard"] == "1")

    @cached_property
    def calls(self) -> pd.DataFrame:
        """Return `Day.calls` with the place, its node, loads as they are told, and what befell the run."""
        run, calls = self.day.run, self.day.calls
        school, hamlet = (table.index.get_indexer(calls["stop_id"]) for table in (run.schools, run.hamlets))
        place = np.where(calls["at_school"], -1 - school, hamlet)
        nodes = pd.concat([run.hamlets["node_id"], run.schools["node_id"][::-1]]).map(self.roads.number).to_numpy()
        befell = ("left_yard", "cancelled", "broke_down", "went_on", "second_left")
        return calls.assign(
            place=place,
            node=nodes[place],
            load=self._told(calls["load"].fillna(self._taken_at_school())),
            planned_load=self._told(calls["load_after"]),
            **{event: self.day.told(event, calls["run_id"]) for event in befell},
        )

    def _told(self, pupils: pd.Series[float]) -> Ints:
        return banded(pupils.round().to_numpy().astype(np.int64), self.day.run.public)

    @cached_property
    def runs(self) -> list[list[Any]]:
        """Return the rows of `calls` of each run, in the order in which the runs were begun."""
        runs: dict[str, list[Any]] = {}
        for row in plain(self.calls).itertuples():
            runs.setdefault(row.run_id, []).append(row)
        return sorted(runs.values(), key=lambda run: (run[0].direction, np.nan_to_num(run[0].left_yard, nan=np.inf)))

    def _taken_at_school(self) -> pd.Series[float]:
        """Return how many pupils each bus home takes at the run's own school, at the row of that school in `calls`.

        The log tells the load from the first stop on; those are meant who alight at a stop, or are to.
        """
        calls, stop = self.day.calls, self.crowd.stop["out"]
        on = pd.Series(np.bincount(stop[stop >= 0], minlength=len(calls)).astype(float), calls.index)
        school = calls["school_id"].where(calls["own"]).groupby(calls["run_id"]).transform("first")
        return on.where(calls["school_id"] == school, 0.0).groupby(calls["run_id"]).transform("sum")

    def buses(self) -> list[Told]:
        """Return what the page tells of each bus, the lowest number first."""
        of_bus: dict[str, list[list[Any]]] = {}
        for run in self.runs:
            if run[0].bus_id == run[0].bus_id:  # not null
                of_bus.setdefault(run[0].bus_id, []).append(run)
        names = sorted(of_bus, key=lambda name: (len(name), name))
        return [self._bus(name, _number(name, k), of_bus[name]) for k, name in enumerate(names)]

    def _bus(self, name: str, number: int, runs: list[list[Any]]) -> Told:
        """Return a bus: (minutes, x, y) of each half day, [minute, load, ...], when it broke down, and its runs."""
        driven = [row for run in runs for row in run if _is_told(row.arrived)]
        halts = [(run[0].broke_down, run[0].went_on) for run in runs if _is_told(run[0].went_on)]
        halves = ([row for row in driven if row.direction == way] for way in ("in", "out"))
        return {
            "name": name,
            "seats": int(runs[0][0].seats),
            "ways": [self._way(half, self._yard(driven[0].node), number, halts) for half in halves if half],
            "load": [told for run in runs for told in _loads(run)],
            "broken": [[round(begin, 2), round(end, 2)] for begin, end in halts],
            "runs": [_run(run) for run in runs],
        }

    def _yard(self, first: int) -> int:
        """Return the node where a bus is parked: the yard nearest to its first stop; without yards, that stop."""
        return int(self.yards[self.roads.minutes[self.yards, first].argmin()]) if len(self.yards) else first

    def _way(self, half: list[Any], yard: int, number: int, halts: list[Halt]) -> list[list[float]]:
        """Return where a bus is in half a day: minutes, and km east and north; it is in its yard before and after."""
        at, leaves, run, legs = yard, np.nan, "", list[Leg]()
        for row in half:
            legs.append((at, row.node, leaves if row.run_id == run else row.left_yard, row.arrived))
            at, leaves, run = row.node, row.departed if _is_told(row.departed) else row.arrived, row.run_id
        home = self.day.events.get(f"came_home_{half[0].direction}", pd.Series(dtype=float)).get(
            f"bus {number}", np.nan
        )
        begins = max(leaves, home - self.roads.minutes[at, yard])
        if home > begins:
            legs.append((at, yard, begins, home))
        drawn = np.concatenate([self._drawn(leg, halts) for leg in legs])
        return [column.tolist() for column in drawn.round(2).T]

    def _drawn(self, leg: Leg, halts: list[Halt]) -> Floats:
        """Return minutes and places, (n, 3), of a leg along the road; where the bus broke down it stands."""
        start, end, leaves, arrives = leg
        share, *axes = self.roads.way(start, end).T
        halt = next((halt for halt in halts if leaves <= halt[0] <= halt[1] <= arrives), None)
        stood = halt[1] - halt[0] if halt else 0.0
        minute = leaves + share * (arrives - leaves - stood)
        if halt:
            before = int(np.searchsorted(minute, halt[0]))
            axes = [np.insert(axis, before, [np.interp(halt[0], minute, axis)] * 2) for axis in axes]
            minute = np.concatenate([minute[:before], halt, minute[before:] + stood])
        return np.column_stack([minute, *axes])

    def cancelled(self) -> list[list[float]]:
        """Return the runs that were not driven: from when until when the page shows it, and where they begin."""
        return [
            [round(run[0].cancelled, 2), round(max(run[0].cancelled, run[-1].arrive_min), 2), run[0].place]
            for run in self.runs
            if _is_told(run[0].cancelled)
        ]


def _is_told(minute: float) -> bool:
    return minute == minute


def _or_none(minute: float) -> float | None:
    return round(minute, 2) if _is_told(minute) else None


def _loads(calls: list[Any]) -> list[float]:
    """Return [minute, load, ...] of a run; at its end whose guardian did not come is handed over, so nobody is left."""
    gone = [row for row in calls if _is_told(row.departed)]
    return [told for row in gone for told in (round(row.departed, 2), row.load if row is not gone[-1] else 0)]


def _run(calls: list[Any]) -> Told:
    """Return a run: what befell it, and of each stop its place, minutes and loads, planned and lived."""
    first = calls[0]
    came = (_is_told(row.lived_min) for row in calls)
    stops = [
        [row.place, round(row.planned_min, 2), _or_none(row.lived_min), row.planned_load, row.load if there else None]
        for row, there in zip(calls, came, strict=True)
    ]
    befell = {name: getattr(first, name) for name in ("cancelled", "broke_down", "second_left")}
    told = {name: round(minute, 2) for name, minute in befell.items() if _is_told(minute)}
    school = next(row.place for row in calls if row.own)
    return {"name": first.run_id, "way": first.direction, "school": school, "stops": stops, **told}


def _number(bus_id: str, position: int) -> int:
    """Return the number of a bus in the log: that in a name we gave, else its position in the county's own list."""
    ours = _NUMBERED.fullmatch(bus_id)
    return int(ours[1]) - 1 if ours else position
