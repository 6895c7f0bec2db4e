"""The sheets of a week, one for each morning and afternoon: all that compiled code has to know to move the buses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.operate.drive import Bools, Floats, Ints, Left, Pace, Riders, Road, Track
from sim.operate.pupils import IN

if TYPE_CHECKING:
    from sim.operate.day import Day, Week

Ways = tuple[Floats, Floats, Floats]
"""Minutes, minutes at the legal limit and km between any two nodes."""


class Course(NamedTuple):
    """The legs of all runs in the weather of a half day; R runs, P stops, C calls. As in `Legs`."""

    first: Ints
    last: Ints
    run_km: Floats
    call_km: Floats
    call_cut: Bools
    km: Floats
    begin: Ints
    end: Ints
    ways: Ways
    dry_min: Floats
    is_dry: bool


class Plan(NamedTuple):
    """What is planned for all half days of a week; R runs, P stops, C calls, N pupils."""

    piece_at: Ints
    """(R + 1,) where the pieces of each run begin; call, first and end stop of each piece follow."""
    piece_call: Ints
    piece_first: Ints
    piece_end: Ints
    stop_at: Ints
    """(R + 1,) where the stops of each run begin."""
    call_school: Ints
    call_of_stop: Ints
    riders: Riders
    dwell: Pace
    unload: Pace
    turnaround_min: float
    bays: Floats
    """(schools, bays) minute at which each bay of each gate is free; inf: there is none."""
    todo: Ints
    """(rows, runs) runs of each bus under way, in order."""
    second_track: Track


class Times(NamedTuple):
    """The planned minutes of a half day and its luck, minutes of the week."""

    be_there: Floats
    depart: Floats
    latest: Floats
    hold: Floats
    close: Floats
    friday: Floats
    is_lodger: Bools
    traffic: Floats
    slow_min: Floats
    slow_after_min: Floats
    road: Road
    guardian: tuple[Floats, float]


class Pages(NamedTuple):
    """Who waits on a half day, and the pages on which it is told."""

    waits: Bools
    embarked: Floats
    alighted: Floats
    carried_on: Floats
    left: Left
    track: Track
    left_yard: Floats
    empty_km: Floats
    run_km: Floats
    reached_gate: Floats
    took_bay: Floats
    freed_bay: Floats
    weather_min: Floats
    broke_min: Floats
    set_out: Floats


class Sheet(NamedTuple):
    """A morning or an afternoon of all buses."""

    number: int
    into: bool
    plan: Plan
    course: Course
    times: Times
    pages: Pages


def plan(week: Week, rows: int) -> Plan:
    """Lay out what all half days of a week have in common; rows: of buses under way."""
    table, bays = week.timetable, np.maximum(week.stage.gate_bays, 1)
    free = np.where(np.arange(bays.max(initial=1)) < bays[:, None], -np.inf, np.inf)
    most = max(map(len, table.duties.values()), default=1)
    second_track = tuple(np.empty_like(page[0]) for page in (week.diary.arrived, week.diary.departed, week.diary.load))
    return Plan(
        *table.course, table.call_school, table.call_of_stop, table.riders, week.dwell, week.unload_min,
        week.turnaround_min, free, np.zeros((rows, most), dtype=np.int64), second_track,
    )  # fmt: skip


def sheet(week: Week, plan: Plan, day: Day, way: int) -> Sheet:
    """Lay out a morning or an afternoon."""
    legs, table, diary, d = day.legs[way], week.timetable, week.diary, day.number
    travel = legs.travel
    course = Course(
        legs.first, legs.last, legs.run_km, legs.call_km, legs.call_cut, legs.km, legs.begin, legs.end,
        (travel.minutes, travel.floor_min, travel.km), week.dry.travel.minutes, legs is week.dry,
    )  # fmt: skip
    times = Times(
        day.be_there_min, day.depart_min, day.latest_min, day.hold, day.close, day.friday, table.is_lodger,
        day.traffic, day.slow_min, day.slow_after_min, day.road(way), (day.guardian_min, week.guardian_wait_min),
    )  # fmt: skip
    pages = Pages(
        day.ready(way), day.on(way), day.alighted_in if way == IN else day.alighted_out, day.carried_on,
        day.left(way), day.track, day.left_yard, day.empty_km, day.run_km, day.reached_gate, day.took_bay,
        day.freed_bay, day.weather_min, day.broke_min, day.set_out[way],
    )  # fmt: skip
    return Sheet(2 * d + way, way == IN, plan, course, times, pages)
