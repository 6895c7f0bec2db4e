"""The duty of a bus: half days from yard to yard, and what becomes of a run that no bus drives in time."""

from __future__ import annotations

from contextlib import ExitStack
from math import isfinite
from typing import TYPE_CHECKING

from sim.operate.bus import Steps, drive_on, stand_still
from sim.operate.clock import Clock
from sim.operate.diary import NO_CAUSE, ROAD, WEATHER
from sim.operate.half import BEGIN
from sim.operate.legs import Legs

if TYPE_CHECKING:
    from sim.operate.day import Day, Week


def duty(env: Clock, week: Week, bus: int) -> Steps:
    """Drive the runs of one bus through the week, morning and afternoon, from the yard and back to it."""
    number = 0
    while number < 2 * week.days:
        day, way = week.by_day[number // 2], number % 2
        runs = week.duty_of(bus, day, way)
        cause = day.no_crew.get(bus, NO_CAUSE) if day.buses_run[way] else WEATHER
        if runs and cause:
            yield from stand_still(env, week, runs, day, cause)
        elif runs:
            _begin(env, week, bus, day, way, runs)
            yield from _half_days(env, week, bus)
            number = env.half.sheet.item(bus)
        number += 1


def _begin(env: Clock, week: Week, bus: int, day: Day, way: int, runs: tuple[int, ...]) -> None:
    """Say what a bus has to drive in a morning or an afternoon: what it can reach from its yard."""
    legs = day.legs[way]
    if legs is not week.dry:
        out_of_reach = [run for run in runs if not _reaches(legs, week.timetable.yard[bus], run)]
        for run in out_of_reach:
            env.process(stand_still(env, week, (run,), day, _why_cut(week, legs, run)))
        todo = [run for run in runs if run not in out_of_reach]
        day.rota[way].todo[bus, : len(todo)], day.rota[way].runs[bus] = todo, len(todo)
    env.half.sheet[bus], env.half.stage[bus] = 2 * day.number + way, BEGIN


def _half_days(env: Clock, week: Week, bus: int) -> Steps:
    """Drive a bus half day after half day, from the yard and home again, until somebody has to see to its next one.

    A bus that is not home or not repaired in time from the half day before sets out late. A spare bus that takes
    over after a breakdown is kept until the end of the half day.
    """
    half = env.half
    with ExitStack() as borrowed:
        yield from drive_on(env, week, bus, borrowed)
        left = half.spare_left.item(bus)
        if left >= 0:
            home, day = half.minute.item(bus), week.by_day[half.sheet.item(bus) // 2]
            yield env.timeout(home - env.now)
            day.spare_min[half.broken_run[bus]] += home - left


def _reaches(legs: Legs, yard: int, run: int) -> bool:
    """Tell whether a bus can get from its yard to any stop of a run."""
    start = legs.first.item(run)
    return start >= 0 and isfinite(legs.travel.minutes.item(yard, start))


def _why_cut(week: Week, legs: Legs, run: int) -> int:
    """Say why no bus can drive a run: none of its stops can be reached, or its bus cannot get to it."""
    first = week.timetable.stops[run][0]
    return int(legs.cut[first]) if legs.first[run] < 0 else ROAD
