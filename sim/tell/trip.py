"""When pupils leave home, are at school and at home again: by planned runs, on foot, or straight by road."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sim.tell.fee import FIRST_JUNIOR
from sim.tell.run import Run, plain
from sim.units import MINUTES_PER_HOUR, minutes_for

LAST_YOUNG = 3
"""Grades up to this one have the shorter limit."""
CALL = ("year", "service", "direction", "school_id", "stop_id")


class Call(NamedTuple):
    """What a run does at a stop for the pupils of one school: minutes after midnight, and minutes aboard."""

    run_id: str
    at_stop: float
    at_school: float
    ride: float


class Trip(NamedTuple):
    """A way to school and back: minutes from door to school, minutes after midnight; NaN where it is not known.

    `counted`: the minutes that the limit counts. Of lodgers the times are those of Monday and Friday, and the minutes
    are none of each day.
    """

    mode: str
    km: float
    minutes: float = np.nan
    counted: float = np.nan
    leaves: float = np.nan
    arrives: float = np.nan
    home: float = np.nan
    runs: tuple[str, ...] = ()


def driven(run: Run) -> pd.DataFrame:
    """Return the rows of runs.parquet that a bus drives."""
    table = run.if_there("runs")
    return plain(table[table["bus_id"].notna()]) if len(table) else table


def calls(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the calls of runs at homes: the columns of CALL, run_id, at_stop, at_school, ride.

    A run may call at several schools: a rider leaves it at the next gate of the own one, and boards it at the last.
    """
    parts = []
    for direction, homeward in (("in", False), ("out", True)):
        table = runs[runs["direction"] == direction].sort_values("seq", ascending=homeward, kind="stable")
        at_gate = table["stop_id"] == table["school_id"]
        gate = table["depart_min" if homeward else "arrive_min"].where(at_gate)
        gate = gate.groupby([table[key] for key in ("year", "run_id", "school_id")]).ffill()
        stop = table["arrive_min" if homeward else "depart_min"]
        told = table.assign(at_stop=stop, at_school=gate, ride=(stop - gate) if homeward else (gate - stop))
        parts.append(told[~at_gate])
    return pd.concat(parts)[[*CALL, *Call._fields]]


def rides(run: Run) -> pd.Series[float]:
    """Return the longest planned ride to school in minutes by year, school and stop."""
    return _mornings(driven(run)).groupby(["year", "school_id", "stop_id"])["ride"].max()


def _mornings(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the calls of the morning runs of day pupils."""
    return calls(runs[(runs["direction"] == "in") & (runs["service"] == "school")])


class Timetable:
    """The bells and bus runs of a run, asked for by those who go to school."""

    def __init__(self, run: Run) -> None:
        self.run, self.fleet = run, run.settings.fleet

    @cached_property
    def runs(self) -> pd.DataFrame:
        """Return the rows of runs.parquet that a bus drives."""
        return driven(self.run)

    @cached_property
    def rides(self) -> pd.DataFrame:
        """Return the calls of all morning runs of day pupils."""
        return _mornings(self.runs)

    @cached_property
    def _calls(self) -> dict[tuple[Any, ...], list[Call]]:
        """Return the calls of all runs: year, service, direction, school, stop -> calls, the longest ride first."""
        if self.runs.empty:
            return {}
        homes = set(self.run.table("school_plans")[["hamlet_id", "stop_id"]].to_numpy().ravel())
        told = self.runs[self.runs["stop_id"].isin(homes) | (self.runs["stop_id"] == self.runs["school_id"])]
        found: dict[tuple[Any, ...], list[Call]] = {}
        for row in calls(told).sort_values("ride", ascending=False, kind="stable").itertuples(index=False):
            found.setdefault(tuple(row[:5]), []).append(Call(*row[5:]))
        return found

    @cached_property
    def bells(self) -> dict[bool, tuple[float, float]]:
        """Return the first bell and the end of school: junior or not -> minutes after midnight."""
        told, chosen = self.run.settings.bells, self.run.if_there("bells")
        lived = chosen[chosen["chosen"] == 1].iloc[0] if len(chosen) else None
        bells = {}
        for junior, level in ((False, "primary"), (True, "junior")):
            first, close = getattr(told, f"{level}_first_min"), getattr(told, f"{level}_close_min")
            rung = first if lived is None else float(lived[f"{level}_first_min"])
            bells[junior] = (rung, close + rung - first)
        return bells

    def walk_min(self, km: float) -> float:
        """Return the minutes of a walk."""
        return minutes_for(km, self.run.settings.road.walk_km_per_h)

    def before_bus(self, row: Any) -> float:
        """Return the minutes from a door to the stop of the bus that pupils of a row of school_plans.csv take."""
        to_stop = row.stop_km if pd.notna(row.stop_id) and row.stop_id != row.hamlet_id else 0.0
        return float(self.fleet.walk_to_stop_min + self.walk_min(to_stop))

    def planned(self, row: Any, service: str = "school", direction: str = "in") -> list[Call]:
        """Return the planned runs of a row of school_plans.csv, the longest ride first; none where there is none."""
        stop = row.stop_id if pd.notna(row.stop_id) else row.hamlet_id
        return self._calls.get((row.year, service, direction, row.to_school_id, stop), [])

    def before(self, row: Any, grade: int, receives: bool) -> Trip:
        """Return the way to the old school, by the rule of the plan: on foot where that is near, else by road."""
        on_foot = self.walk_min(row.km_before)
        if row.km_before < self.fleet.eligible_km and on_foot <= self.limit(grade):
            return self._straight("walk", grade, row.km_before, on_foot)
        if receives:
            return self._by_bus("school_bus", row.km_before, row.minutes_before, self.fleet.walk_to_stop_min)
        return self._straight("family", grade, row.km_before, row.minutes_before)

    def after(self, row: Any, grade: int, mode: str, planned: bool) -> Trip:
        """Return the way to the other school by one mode; by its runs where they are planned."""
        if mode == "walk":
            return self._straight(mode, grade, row.km, self.walk_min(row.km))
        if mode == "lodge":
            return self._lodging(row) if planned else Trip(mode, row.km)
        if mode == "school_bus" and planned and (into := self.planned(row)):
            return self._by_run(row, into, self.planned(row, direction="out"))
        if mode == "family":
            return self._straight(mode, grade, row.km, row.minutes)
        return self._by_bus(mode, row.km, row.minutes, self.before_bus(row))

    def limit(self, grade: int) -> float:
        """Return the longest daily way to school of a grade in minutes."""
        return self.fleet.ride_limit_young_min if grade <= LAST_YOUNG else self.fleet.ride_limit_older_min

    def _straight(self, mode: str, grade: int, km: float, minutes: float) -> Trip:
        """Return a way that ends at the first bell and begins when school is over."""
        first, close = self.bells[grade >= FIRST_JUNIOR]
        return Trip(mode, km, minutes, minutes, first - minutes, first, close + minutes)

    def _by_bus(self, mode: str, km: float, aboard: float, before: float) -> Trip:
        """Return a way by a bus whose times are not known."""
        minutes = before + self.fleet.wait_at_stop_min + aboard
        return Trip(mode, km, minutes, minutes if self.fleet.limit_includes_walk_and_wait else aboard)

    def _by_run(self, row: Any, into: list[Call], out: list[Call]) -> Trip:
        """Return the way by the run with the longest ride; home again by the last."""
        call, before = into[0], self.before_bus(row)
        way = self._by_bus("school_bus", row.km, call.ride, before)
        home = max((each.at_stop for each in out), default=np.nan) + before
        names = tuple(sorted({each.run_id for each in into}))
        return way._replace(leaves=call.at_school - way.minutes, arrives=call.at_school, home=home, runs=names)

    def _lodging(self, row: Any) -> Trip:
        """Return the way of lodgers on Monday, and home on Friday."""
        into, out = (self.planned(row, "lodger", direction) for direction in ("in", "out"))
        if not into:
            return Trip("lodge", row.km)
        return self._by_run(row, into, out)._replace(mode="lodge", minutes=np.nan, counted=np.nan)


def clock(minute: float, late: bool = False) -> str:
    """Return minutes after midnight as hours and minutes: the minute that has begun, or, when late, that will have."""
    hours, minutes = divmod(int((math.ceil if late else math.floor)(round(minute, 6))), int(MINUTES_PER_HOUR))
    return f"{hours:02d}:{minutes:02d}"


def run_name(run_id: str, school: str) -> str:
    """Return what a run is called on the pages of its school: without the school's id, which they name."""
    return run_id.removeprefix(f"{school}-")
