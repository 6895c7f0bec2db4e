"""A kept day as its files tell it: the events of pupils and runs, beside the timetable of the runs, on the road map."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from sim.tell.map import KM_PER_DEGREE
from sim.tell.run import Run
from sim.units import minutes_for

Floats = NDArray[np.float64]
MEALS = ("breakfast", "lunch", "dinner")
OF_PUPILS = (
    *(f"{name}_{way}" for name in ("embarked", "alighted", "left") for way in ("in", "out")), "carried_on", "attended",
    "slept", "line_in", "stayed", "to_bed",
    *(f"{name}_{meal}" for name in ("queued", "seated", "left", "bell", "short") for meal in MEALS),
)  # fmt: skip
OF_RUNS = (
    "arrived", "departed", "load", "left_yard", "reached_gate", "took_bay", "freed_bay", "cancelled", "broke_down",
    "went_on", "second_left", "came_home_in", "came_home_out",
)  # fmt: skip
EPS_MIN = 1e-6
"""Minutes that two times may differ by and be the same."""
_DAY = re.compile(r"(\d+)-(\d+)-(\d)")
_COHORT_BIT, _COHORT_ZERO, _LOW = 17, 1900, 0xFFFFFFFF
"""How the number of a pupil tells the year of entry to grade 1: see `sim.chance.pupil_owners`."""


def kept_days(run: Run) -> list[Day]:
    """Return the days whose events the run kept, in order."""
    found = (_DAY.fullmatch(file.stem) for file in (run.path / "events").glob("*.parquet"))
    return [Day(run, *parts) for parts in sorted(tuple(map(int, match.groups())) for match in found if match)]


@dataclass(frozen=True)
class Day:
    """One day of the first replication."""

    run: Run
    year: int
    """School year, by its autumn."""
    week: int
    """School week, from 1."""
    day: int
    """Day of the week, from 1."""

    @property
    def name(self) -> str:
        """Return what the file of the day's events is called."""
        return f"{self.year}-{self.week}-{self.day}"

    @cached_property
    def events(self) -> dict[str, pd.Series[float]]:
        """Return for each kind of event its minutes (of `load` the pupils), by whom it happened to."""
        wanted = ("event", "in", [*OF_PUPILS, *OF_RUNS])
        rows = self.run.folder.read_rows(f"events/{self.name}.parquet", ["event", "who", "minute", "value"], wanted)
        return {
            str(event): part.set_index("who")["value" if event == "load" else "minute"]
            for event, part in rows.groupby("event")
        }

    def told(self, event: str, of: pd.Index[str] | pd.Series[str]) -> Floats:
        """Return the minute of an event for each of some names, NaN where it did not happen."""
        found = self.events.get(event)
        if found is None:
            return np.full(len(of), np.nan)
        return found.reindex(of).to_numpy(dtype=np.float64)

    @cached_property
    def pupils(self) -> pd.DataFrame:
        """Return who was there: hamlet, grade, school, and a column of minutes for each event."""
        some = [self.events[event].index for event in OF_PUPILS if event in self.events]
        names = pd.Index(np.unique(np.concatenate([np.array(part, dtype=object) for part in some]))) if some else []
        who = pd.Series(names, dtype=object).str.rpartition("/")
        number = who[2].astype(np.uint64).to_numpy() if len(who) else np.zeros(0, dtype=np.uint64)
        cohort = ((number & np.uint64(_LOW)) >> np.uint64(_COHORT_BIT)).astype(np.int64) + _COHORT_ZERO
        frame = pd.DataFrame({"hamlet": who[0] if len(who) else [], "grade": self.year - cohort + 1})
        frame["school"] = pd.MultiIndex.from_frame(frame).map(self._schools) if len(frame) else []
        return frame.assign(**{event: self.told(event, pd.Index(names)) for event in OF_PUPILS})

    @cached_property
    def _schools(self) -> dict[tuple[str, int], str]:
        """Return the school of each hamlet and grade."""
        here = (("year", "==", self.year), ("replication", "==", 0))
        rows = self.run.folder.read_rows("enrolment", ["hamlet_id", "grade", "school_id"], *here)
        keys = zip(rows["hamlet_id"].astype(str), rows["grade"].astype(int), strict=True)
        return dict(zip(keys, rows["school_id"].astype(object), strict=True))

    @cached_property
    def calls(self) -> pd.DataFrame:
        """Return every place of every run of the day in order: timetable beside what was lived.

        Columns of runs.parquet and: own (the run's own school), at_school, planned_min, lived_min (when the bus leaves
        a place where pupils embark, and reaches one where they alight), arrived, departed, took_bay, load (NaN at the
        own school of a run home: see `replay_bus`); NaN where the bus did not come.
        """
        runs = self.run.folder.read_rows("runs", _TIMETABLE, ("year", "==", self.year))
        begun = [self.events[event].index for event in ("left_yard", "cancelled") if event in self.events]
        runs = runs[runs["run_id"].isin(np.concatenate(begun) if begun else [])]
        runs = runs.sort_values(["run_id", "seq"], ignore_index=True)
        into = runs["direction"] == "in"
        own = (runs["run_id"] != runs["run_id"].shift(-1)).where(into, runs["seq"] == 0).astype(bool)
        at_school = own | (runs["stop_id"] == runs["school_id"])
        stop, call = _named(runs, own, at_school)
        arrived = pd.Series(self.told("reached_gate", call)).fillna(pd.Series(self.told("arrived", stop)))
        departed = pd.Series(self.told("freed_bay", call)).fillna(pd.Series(self.told("departed", stop)))
        load = pd.Series(self.told("load", stop)).fillna(0.0)  # the log tells only of buses with pupils
        leaves = into ^ at_school  # pupils embark at stops in the morning and at schools in the afternoon
        return runs.assign(
            own=own, at_school=at_school, arrived=arrived, departed=departed, took_bay=self.told("took_bay", call),
            load=load.mask(own & ~into), planned_min=runs["depart_min"].where(leaves, runs["arrive_min"]),
            lived_min=departed.where(leaves, arrived),
        )  # fmt: skip


_TIMETABLE = ["run_id", "bus_id", "direction", "service", "school_id", "seq", "stop_id", "arrive_min", "depart_min",
              "load_after", "seats"]  # fmt: skip


def _named(runs: pd.DataFrame, own: pd.Series[bool], at_school: pd.Series[bool]) -> tuple[Any, Any]:
    """Return what the events call the places of runs, as stops and as calls at schools (`sim.live.place_names`)."""
    school = runs["school_id"].where(own).groupby(runs["run_id"]).transform("first")
    other = ("/" + runs["school_id"]).where(~at_school & (runs["school_id"] != school), "")
    name = runs["run_id"] + "@" + runs["stop_id"] + other
    gate = name[at_school & ~own]
    again = gate.groupby(gate).cumcount().reindex(name.index, fill_value=0)
    name = name.where(again == 0, name + "#" + (again + 1).astype(str))
    return name.mask(own, ""), name.mask(own, runs["run_id"]).where(at_school, "")


class Roads:
    """The road map in km east and north of its south-west corner, and the fastest ways on dry roads."""

    def __init__(self, run: Run) -> None:
        nodes, edges = run.input("nodes.csv"), run.input("edges.csv")
        lon, lat = nodes["lon"].astype(float), nodes["lat"].astype(float)
        self.km_east = KM_PER_DEGREE * float(np.cos(np.deg2rad(lat.mean())))
        self.corner = float(lon.min()), float(lat.min())
        self.xy = self.on_map(lon, lat)
        """(N, 2)"""
        self.number = {str(name): k for k, name in enumerate(nodes["node_id"])}
        ends = [edges[name].map(self.number).to_numpy() for name in ("from_node", "to_node")]
        self.edges = pd.DataFrame({"start": ends[0], "end": ends[1], "road_class": edges["road_class"]})
        speeds = run.settings.road
        speed = np.minimum(
            edges["road_class"].map(speeds.speed_km_per_h), edges["bend"].map(speeds.bend_speed_km_per_h)
        ).clip(upper=speeds.cap_km_per_h)
        minutes = [minutes_for(km, v) for km, v in zip(edges["km"].astype(float), speed, strict=True)]
        fastest = self.edges.assign(minutes=minutes).groupby(["start", "end"], as_index=False)["minutes"].min()
        network = coo_array((fastest["minutes"], (fastest["start"], fastest["end"])), shape=(len(nodes), len(nodes)))
        self.minutes, self._before = dijkstra(network, directed=False, return_predecessors=True)
        """(N, N)"""
        self._ways: dict[tuple[int, int], Floats] = {}

    def on_map(self, lon: pd.Series[float], lat: pd.Series[float]) -> Floats:
        """Return where places lie on the map, (n, 2) km."""
        return np.stack([(lon - self.corner[0]) * self.km_east, (lat - self.corner[1]) * KM_PER_DEGREE], axis=1)

    def way(self, start: int, end: int) -> Floats:
        """Return the fastest way between two nodes, or the straight line where no road leads.

        (n, 3): share of its driving time, and km east and north, at each node on it.
        """
        if (start, end) not in self._ways:
            self._ways[start, end] = self._way(start, end)
        return self._ways[start, end]

    def _way(self, start: int, end: int) -> Floats:
        nodes, total = [end], self.minutes[start, end]
        while nodes[-1] != start and self._before[start, nodes[-1]] >= 0:
            nodes.append(int(self._before[start, nodes[-1]]))
        if nodes[-1] != start or not total:
            return np.column_stack([[0.0, 1.0], self.xy[[start, end]]])
        return np.column_stack([self.minutes[start, nodes[::-1]] / total, self.xy[nodes[::-1]]])
