"""The sheets of a week, one for each morning and afternoon: all that compiled code has to know to move the buses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit, types
from numba.experimental import structref

from sim.operate.drive import Bools, Floats, Ints, Left, Pace, Riders, Road, Track
from sim.operate.pupils import IN

if TYPE_CHECKING:
    from sim.operate.day import Day, Week

Ways = tuple[Floats, Floats, Floats]
"""Minutes, minutes at the legal limit and km between any two nodes."""


class ByReference(structref.StructRefProxy):
    """Fields that compiled code takes by reference: to copy them at every call would take longer than to drive."""

    if TYPE_CHECKING:

        def __init__(self, *fields: Any) -> None: ...


@structref.register
class CourseType(types.StructRef):
    """What `Course` is to compiled code."""


class Course(ByReference):
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


@structref.register
class PlanType(types.StructRef):
    """What `Plan` is to compiled code."""


class Plan(ByReference):
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
    yard: Ints
    """(buses,) node of the yard; minute at which the bus is home, and repaired."""
    ready: Floats
    repaired: Floats
    stranded: Ints
    """(days,) how many runs have left pupils behind who still wait for another bus."""
    second_track: Track


@structref.register
class TimesType(types.StructRef):
    """What `Times` is to compiled code."""


class Times(ByReference):
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
    break_km: Floats
    repair_min: Floats
    road: Road
    guardian: tuple[Floats, float]


@structref.register
class PagesType(types.StructRef):
    """What `Pages` is to compiled code."""


class Pages(ByReference):
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
    came_home: Floats


class Rota(NamedTuple):
    """What the buses drive in a morning or an afternoon; B buses."""

    todo: Ints
    """(B, most) the runs of each bus in order."""
    runs: Ints
    """(B,) how many these are."""
    asks: Bools
    """(B,) somebody has to see to the bus before: it may have no crew, or not be able to get to all of its runs."""


@structref.register
class SheetType(types.StructRef):
    """What `Sheet` is to compiled code."""


class Sheet(ByReference):
    """A morning or an afternoon of all buses."""

    number: int
    into: bool
    rota: Rota
    plan: Plan
    course: Course
    times: Times
    pages: Pages


structref.define_proxy(Course, CourseType, list(Course.__annotations__))
structref.define_proxy(Plan, PlanType, list(Plan.__annotations__))
structref.define_proxy(Times, TimesType, list(Times.__annotations__))
structref.define_proxy(Pages, PagesType, list(Pages.__annotations__))
structref.define_proxy(Sheet, SheetType, list(Sheet.__annotations__))


@njit(cache=True)
def _plan(fields: Any) -> Plan:
    return Plan(*fields)


@njit(cache=True)
def _sheet(number: int, rota: Rota, plan: Plan, course: Any, times: Any, pages: Any) -> Sheet:
    return Sheet(number, number % 2 == 0, rota, plan, Course(*course), Times(*times), Pages(*pages))


def plan(week: Week) -> Plan:
    """Lay out what all half days of a week have in common."""
    table, bays = week.timetable, np.array(week.stage.gate_bays)
    free = np.where(np.arange(bays.max(initial=1)) < bays[:, None], -np.inf, np.inf)
    second_track = tuple(np.empty_like(page[0]) for page in (week.diary.arrived, week.diary.departed, week.diary.load))
    return _plan((
        *table.course, np.array(table.call_school, dtype=np.int64), table.call_of_stop, table.riders, week.dwell,
        week.unload_min,
        week.turnaround_min, free, np.array(table.yard, dtype=np.int64), week.ready, week.repaired, week.stranded,
        second_track,
    ))  # fmt: skip


def sheet(week: Week, plan: Plan, day: Day, way: int) -> Sheet:
    """Lay out a morning or an afternoon."""
    legs, table, travel = day.legs[way], week.timetable, day.legs[way].travel
    course = (
        legs.first, legs.last, legs.run_km, legs.call_km, legs.call_cut, legs.km, legs.begin, legs.end,
        (travel.minutes, travel.floor_min, travel.km), week.dry.travel.minutes, legs is week.dry,
    )  # fmt: skip
    times = (
        day.be_there_min, day.depart_min, day.latest_min, day.hold, day.close, day.friday, table.is_lodger,
        day.traffic, day.slow_min, day.slow_after_min, day.break_km[way], day.repair_min[way], day.road(way),
        (day.guardian_min, week.guardian_wait_min),
    )  # fmt: skip
    pages = (
        day.ready(way), day.on(way), day.alighted_in if way == IN else day.alighted_out, day.carried_on,
        day.left(way), day.track, day.left_yard, day.empty_km, day.run_km, day.reached_gate, day.took_bay,
        day.freed_bay, day.weather_min, day.broke_min, day.set_out[way], day.came_home[way],
    )  # fmt: skip
    return _sheet(2 * day.number + way, day.rota[way], plan, course, times, pages)


def rota(week: Week, day: Day, way: int) -> Rota:
    """Write down what each bus drives in a morning or an afternoon, and for which of them somebody has to see to it."""
    legs, (todo, runs) = day.legs[way], week.timetable.rotas[day.kind, way]
    asks = (runs > 0) & (not day.buses_run[way])
    if legs is not week.dry:
        start = legs.first[todo]
        reached = (start >= 0) & np.isfinite(
            legs.travel.minutes[np.array(week.timetable.yard, dtype=np.int64)[:, None], start]
        )
        asks |= (~reached & (np.arange(todo.shape[1]) < runs[:, None])).any(axis=1)
    return Rota(todo.copy(), runs.copy(), asks)
