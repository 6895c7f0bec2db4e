"""Meals: a school's sittings through the week; each sitting is one batch through windows and seats."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
import simpy
from numba import njit

from sim.operate.station import canteen

if TYPE_CHECKING:
    from sim.operate.day import Week

Steps = Generator[simpy.Event, object, None]


def meals(env: simpy.Environment, week: Week, school: int) -> Steps:
    """Open the canteen of one school for every sitting of the week, in order of time."""
    for day in range(week.days):
        for start_min, meal, sitting in week.sittings(school, day):
            yield env.timeout(start_min - env.now)
            serve(week, school, day, meal, sitting, start_min)


def serve(week: Week, school: int, day: int, meal: int, sitting: int, start: float) -> None:
    """Let those who eat in this sitting walk to the hall, queue, sit and eat until the bell."""
    table, diary, luck = week.timetable, week.diary, week.luck
    _sitting(
        week.pupils.first[school],
        week.pupils.first[school + 1],
        table.diner[meal],
        sitting,
        table.sitting,
        diary.attended[day],
        start,
        table.walk_min,
        luck.walk_min[meal, day],
        diary.alighted_in[day],
        luck.service_min[meal, day],
        luck.eat_min[meal, day],
        table.windows[school],
        table.canteen_seats[school],
        start + table.sitting_min,
        diary.queued[meal, day],
        diary.served[meal, day],
        diary.seated[meal, day],
        diary.left[meal, day],
        diary.bell[meal, day],
    )


@njit(cache=True)
def _sitting(
    low,
    high,
    diner,
    sitting,
    sitting_of,
    attended,
    start,
    walk_min,
    walk_noise_min,
    alighted,
    service_min,
    eat_min,
    windows,
    seats,
    bell,
    queued,
    served,
    seated,
    left,
    bell_of,
):
    """Pick the diners of one sitting among the school's pupils low..high and pass them through the canteen."""
    who = np.empty(high - low, dtype=np.int64)
    n = 0
    for i in range(low, high):
        if diner[i] and attended[i] and sitting_of[i] == sitting:
            who[n] = i
            n += 1
    who = who[:n]
    arrive = np.empty(n)
    for k in range(n):
        i = who[k]
        at_hall = start + max(walk_min[i] + walk_noise_min[i], 0.0)
        arrive[k] = alighted[i] if alighted[i] > at_hall else at_hall  # NaN compares false
    got, sat, gone = canteen(arrive, service_min[who], eat_min[who], windows, seats, bell)
    for k in range(n):
        i = who[k]
        queued[i], served[i], seated[i], left[i] = arrive[k], got[k], sat[k], gone[k]
        bell_of[i] = bell
