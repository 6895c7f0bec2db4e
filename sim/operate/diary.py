"""The diary of a week: what happened to whom and when; the only thing a simulation says.

Each kind of event is an array, one column per pupil (or stop, run, bus, visit), one row per day; a time that is
NaN and a value that is 0 say that it did not happen. A wide log costs no Python per pupil. For days that are kept
it unrolls into one long table of events (`events`), from which `replay` makes the same diary again.
"""

# ruff: noqa: RUF009 - `_told` declares a field

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.units import MINUTES_PER_DAY

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int8]
Bools = NDArray[np.bool_]
Room = Callable[[tuple[int, ...], Any], NDArray[Any]]
Names = Mapping[str, NDArray[np.str_]]
"""subject -> the names of all pupils, stops, runs, calls, buses, visits, halves"""

MEALS = ("breakfast", "lunch", "dinner")
BREAKFAST, LUNCH, DINNER = range(3)
WAYS = ("in", "out")
CAUSES = ("", "weather", "road", "breakdown", "driver", "attendant", "bus", "bus_seat", "line_bus_seat")
"""Why a bus did not take a pupil, or a run was not driven; 0: it was."""
NO_CAUSE, WEATHER, ROAD, BREAKDOWN, DRIVER, ATTENDANT, BUS, BUS_SEAT, LINE_BUS_SEAT = range(len(CAUSES))
AXES = {"": ("",), "meal": MEALS, "way": WAYS}
BLANK = {"time": np.nan, "yes": False, "value": 0.0, "code": 0, "count": 0}
TYPES = {"time": np.float64, "yes": np.bool_, "value": np.float64, "code": np.int8, "count": np.int64}


def _told(who: str, sort: str, meaning: str, axis: str = "", at: str = "") -> Any:
    """Declare a kind of event: of whom (pupil, stop, run, call, bus, school, visit, half), what sort, its meaning.

    axis: a first axis of meals or ways; at: the kind whose minute a value belongs to (else the start of the day).
    """
    return field(metadata={"who": who, "sort": sort, "meaning": meaning, "axis": axis, "at": at})


@dataclass(slots=True)
class Diary:
    """What one week tells; D days, N pupils, P stops, R runs, C calls, B buses, V visits to water and toilets.

    A call is a run at a school: first those of all runs at their own school, then those at gates on the way.

    Times are minutes of the week. Shapes are (D, who) or, with an axis of meals or ways, (axis, D, who).
    """

    sky: Codes = _told("half", "code", "weather of the morning and of the afternoon; position in SKIES")
    came: Bools = _told("pupil", "yes", "is neither ill nor kept at home")
    slept: Bools = _told("pupil", "yes", "woke up at school")
    attended: Bools = _told("pupil", "yes", "is at school at noon")
    embarked_in: Floats = _told("pupil", "time", "is on the bus to school")
    alighted_in: Floats = _told("pupil", "time", "has left the bus at school")
    embarked_out: Floats = _told("pupil", "time", "is on the bus home")
    alighted_out: Floats = _told("pupil", "time", "has left the bus, the youngest into the hands of a guardian")
    carried_on: Floats = _told("pupil", "time", "stays aboard, because no guardian came in time")
    left_in: Floats = _told("pupil", "time", "is not taken by the run to school they were planned on")
    left_out: Floats = _told("pupil", "time", "is not taken home as planned")
    left_why: Codes = _told("pupil", "code", "why not; position in CAUSES", axis="way")
    line_in: Floats = _told("pupil", "time", "has come by public bus")
    line_wait: Floats = _told("pupil", "value", "minutes by which a full public bus made them later", at="line_in")
    stayed: Floats = _told("pupil", "time", "cannot go home and stays at school for the night")
    to_bed: Floats = _told("pupil", "time", "lies in a bed of the dormitory at lights-out")
    queued: Floats = _told("pupil", "time", "at the hall", axis="meal")
    at_window: Floats = _told("pupil", "time", "begins to be served", axis="meal")
    served: Floats = _told("pupil", "time", "has the meal", axis="meal")
    seated: Floats = _told("pupil", "time", "sits down", axis="meal")
    left: Floats = _told("pupil", "time", "has eaten, or the bell has rung", axis="meal")
    bell: Floats = _told("pupil", "time", "bell of the sitting the pupil had", axis="meal")
    short: Codes = _told("pupil", "code", "1: the kitchen had no meal left", axis="meal", at="queued")
    joined: Floats = _told("visit", "time", "stands in line for water, a toilet or a shower")
    began: Floats = _told("visit", "time", "has it")
    done: Floats = _told("visit", "time", "is done; nothing when the bell came first")
    arrived: Floats = _told("stop", "time", "bus at the stop")
    departed: Floats = _told("stop", "time", "bus leaves the stop")
    load: Ints = _told("stop", "count", "pupils aboard after the stop", at="departed")
    left_yard: Floats = _told("run", "time", "the bus sets out for the run")
    empty_km: Floats = _told(
        "run", "value", "km driven empty for the run, the way home of the last run too", at="left_yard"
    )
    reached_gate: Floats = _told("call", "time", "at the gate of the school")
    took_bay: Floats = _told("call", "time", "in a bay of the gate")
    freed_bay: Floats = _told("call", "time", "out of the bay")
    run_km: Floats = _told("run", "value", "km with pupils of the run, detours included", at="reached_gate")
    weather_min: Floats = _told("call", "value", "minutes later than in clear weather", at="reached_gate")
    broke_min: Floats = _told("call", "value", "minutes later than without a breakdown", at="reached_gate")
    cancelled: Floats = _told("run", "time", "is not driven as planned")
    cancel_why: Codes = _told("run", "code", "why not; position in CAUSES", at="cancelled")
    broke_down: Floats = _told("run", "time", "the bus broke down on the way to it or on it")
    went_on: Floats = _told("run", "time", "repaired, or its pupils on a spare bus, it goes on")
    second_left: Floats = _told("run", "time", "a bus sets out for those it left behind")
    second_km: Floats = _told("run", "value", "km of that second drive, empty ways included", at="second_left")
    spare_left: Floats = _told("run", "time", "a spare bus sets out for it")
    spare_min: Floats = _told("run", "value", "minutes until the spare bus is back", at="spare_left")
    life_here: Ints = _told("school", "count", "life teachers at school for the night")
    no_driver: Floats = _told("bus", "time", "has no driver today")
    no_attendant: Floats = _told("bus", "time", "has no attendant today")
    set_out: Floats = _told("bus", "time", "leaves the yard for its half day", axis="way")
    came_home: Floats = _told("bus", "time", "is back at the yard", axis="way")

    def wipe(self) -> Diary:
        """Make every page blank again, so that the next week can be written on the same paper."""
        for kind in fields(self):
            getattr(self, kind.name).fill(BLANK[kind.metadata["sort"]])
        return self

    def on_the_road(self, who: Ints, visits: int) -> Diary:
        """Return the diary of some pupils; blank is what is told of their meals and of so many visits."""
        pages, days = {}, len(self.came)
        for kind in fields(self):
            of, axis, page = kind.metadata["who"], kind.metadata["axis"], getattr(self, kind.name)
            if of == "visit" or axis == "meal":
                shape = (days, visits) if of == "visit" else (len(MEALS), days, len(who))
                page = np.full(shape, BLANK[kind.metadata["sort"]], TYPES[kind.metadata["sort"]])
            pages[kind.name] = page[..., who] if of == "pupil" and axis != "meal" else page
        return Diary(**pages)

    def events(self, day: int, names: Names) -> pd.DataFrame:
        """Unroll one day into the long table: minute after midnight, event, who, value; sorted by time."""
        parts, midnight = [], day * MINUTES_PER_DAY
        for kind in fields(self):
            for k, label in enumerate(AXES[kind.metadata["axis"]]):
                event = f"{kind.name}_{label}" if label else kind.name
                there, minute, value = self._unrolled(kind, k, day, midnight)
                who = names[kind.metadata["who"]][there]
                parts.append(pd.DataFrame({"minute": minute, "event": event, "who": who, "value": value}))
        return pd.concat(parts).sort_values(["minute", "event", "who"], ignore_index=True)

    def _row(self, name: str, axis: str, k: int, day: int) -> NDArray[Any]:
        pages = getattr(self, name)
        return np.asarray(pages[k, day] if axis else pages[day])

    def _unrolled(self, kind: Any, k: int, day: int, midnight: float) -> tuple[Ints, Floats, Floats]:
        """Return whom one kind tells of, when, and its value; a value has the minute of the kind it belongs to."""
        sort, axis, at = (kind.metadata[key] for key in ("sort", "axis", "at"))
        row = self._row(kind.name, axis, k, day)
        if sort == "time":
            there = np.flatnonzero(~np.isnan(row))
            return there, row[there] - midnight, np.full(len(there), np.nan)
        there = np.flatnonzero(row)
        minute = np.nan_to_num(self._row(at, axis, k, day)[there] - midnight) if at else np.zeros(len(there))
        return there, minute, row[there].astype(float)


KINDS: dict[str, str] = {
    (f"{kind.name}_{label}" if label else kind.name): kind.metadata["meaning"]
    for kind in fields(Diary)
    for label in AXES[kind.metadata["axis"]]
}
"""event -> what it means; the one list of kinds."""


def blank(days: int, sizes: Mapping[str, int]) -> Diary:
    """Return an empty diary; sizes: how many pupils, stops, runs, calls, buses and visits there are."""
    return unwiped(days, sizes, np.empty).wipe()


def unwiped(days: int, sizes: Mapping[str, int], room: Room, meals: int = len(MEALS)) -> Diary:
    """Return a diary in which anything may stand; room: makes an array of a shape and type, its values whatever.

    meals: how many have a page each.
    """
    pages, axes = {}, {"": (), "meal": (meals,), "way": (len(WAYS),)}
    for kind in fields(Diary):
        meta = kind.metadata
        shape = (*axes[meta["axis"]], days, {**sizes, "half": 2}[meta["who"]])
        pages[kind.name] = room(shape, TYPES[meta["sort"]])
    return Diary(**pages)


def replay(events: pd.DataFrame, names: Names, day: int, days: int) -> Diary:
    """Return the diary of a week of so many days in which only one day is told, by its long table of events."""
    diary, midnight = blank(days, {who: len(named) for who, named in names.items()}), day * MINUTES_PER_DAY
    place = {who: pd.Series(np.arange(len(named)), index=named) for who, named in names.items()}
    told = dict(tuple(events.groupby("event", observed=True)))
    for kind in fields(Diary):
        for k, label in enumerate(AXES[kind.metadata["axis"]]):
            rows = told.get(f"{kind.name}_{label}" if label else kind.name)
            if rows is None:
                continue
            page = diary._row(kind.name, kind.metadata["axis"], k, day)
            value = rows["minute"] + midnight if kind.metadata["sort"] == "time" else rows["value"]
            page[place[kind.metadata["who"]][rows["who"]].to_numpy()] = value.to_numpy()
    return diary
