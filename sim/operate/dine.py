"""Meals: a school's sittings through the week; each sitting is one batch through windows and seats."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
import simpy
from numba import njit
from numpy.typing import NDArray

from sim.operate.station import Floats, Ints, canteen

if TYPE_CHECKING:
    from sim.operate.day import Week

Bools = NDArray[np.bool_]
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
        (week.pupils.first[school], week.pupils.first[school + 1]),
        sitting,
        (start, start + table.sitting_min),
        (table.windows[school], table.canteen_seats[school]),
        (table.diner[meal], diary.attended[day]),
        table.sitting,
        (table.walk_min, luck.walk_min[meal, day], luck.service_min[meal, day], luck.eat_min[meal, day]),
        diary.alighted_in[day],
        (diary.queued[meal, day], diary.served[meal, day], diary.seated[meal, day], diary.left[meal, day]),
        diary.bell[meal, day],
    )


@njit(cache=True)
def _sitting(
    span: tuple[int, int],
    sitting: int,
    from_to: tuple[float, float],
    offer: tuple[int, int],
    eats: tuple[Bools, Bools],
    sitting_of: Ints,
    minutes: tuple[Floats, Floats, Floats, Floats],
    alighted: Floats,
    told: tuple[Floats, Floats, Floats, Floats],
    bell_of: Floats,
) -> None:
    """Pick the diners of one sitting among the pupils of a school and pass them through the canteen.

    span: the school's pupils; offer: windows and seats; minutes: planned walk, its luck, service, eating.
    """
    walk, luck, service, eat = minutes
    queued, served, seated, left = told
    who = np.empty(span[1] - span[0], dtype=np.int64)
    n = 0
    for i in range(span[0], span[1]):
        if eats[0][i] and eats[1][i] and sitting_of[i] == sitting:
            who[n] = i
            n += 1
    who = who[:n]
    arrive = np.empty(n)
    for k in range(n):
        i = who[k]
        at_hall = from_to[0] + max(walk[i] + luck[i], 0.0)
        arrive[k] = alighted[i] if alighted[i] > at_hall else at_hall  # NaN compares false
    got, sat, gone = canteen(arrive, service[who], eat[who], offer[0], offer[1], from_to[1])
    for k in range(n):
        i = who[k]
        queued[i], served[i], seated[i], left[i] = arrive[k], got[k], sat[k], gone[k]
        bell_of[i] = from_to[1]
