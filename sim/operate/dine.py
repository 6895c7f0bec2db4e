"""Meals: the canteens of the whole county, sitting by sitting; each sitting is one batch through windows and seats.

The bells are the same clock everywhere, so that one event lives a sitting of all schools at once. It happens when
the last bell of the sitting has rung; the minutes told are those at which things were.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import simpy
from numba import njit
from scipy.special import ndtri

from sim import streams
from sim.chance import YearLuck
from sim.config import Settings
from sim.config.school import Dine
from sim.operate.diary import BREAKFAST, DINNER, LUNCH, MEALS, Codes
from sim.operate.pupils import Pupils
from sim.operate.station import canteen
from sim.plan import Bools, Floats, Ints, YearPlan, freeze
from sim.share import whole
from sim.units import MINUTES_PER_DAY

if TYPE_CHECKING:
    from sim.operate.at_school import AtSchool

Steps = Generator[simpy.Event, object, None]
Lines = tuple[Ints, Ints]
"""Where the pupils of each school begin, (S + 1,), and the pupils."""
Sitting = tuple[float, int, int, Lines]
"""(minute after midnight, meal, which sitting of it, pupils who belong to it)"""
Offer = tuple[Ints, Floats, Floats, Ints, Ints]
"""Windows of each school (from, opens, closes), seats, and meals that are ready."""
Told = tuple[Floats, Floats, Floats, Floats, Floats, Floats, Codes]
"""(N,) each: queued, at_window, served, seated, left, bell, short."""
_LATE = len(MEALS)
"""The dinner of those who have to stay, beside the meals of every day."""
_NORMAL: Floats = ndtri((np.arange(4096) + 0.5) / 4096)
"""Equally likely values of a standard normal."""
_ONE, _TWO = np.uint64(1), np.uint64(2)


@dataclass(frozen=True, slots=True)
class Halls:
    """The canteens of a year: who belongs to which sitting, and what is offered. N pupils, S schools, W windows."""

    diner: Bools
    """(3, N) who is planned to eat breakfast, lunch and dinner at school."""
    sitting: Ints
    """(3, N) sitting of each pupil at breakfast, lunch and dinner."""
    sittings: Ints
    """(S,) sittings of each school; 0 where nobody can eat."""
    lines: tuple[tuple[Lines, ...], ...]
    """For each meal, the pupils of each of its sittings by school; last, of a late dinner: everyone in one."""
    walk_min: Floats
    """(N,) planned minutes from the start of the sitting to the hall, classes leaving one after another."""
    window_at: Ints
    """(S + 1,) where the windows of each school begin."""
    opens_min: Floats
    """(W,) minutes from the start of a sitting to the opening of each window."""
    closes_min: Floats
    """(W,) minutes from the start until it takes nobody any more; inf: it serves until the bell."""
    windows: Ints
    canteen_seats: Ints
    kitchen: Ints
    """(S,) meals that can be cooked for one mealtime."""
    dine: Dine
    """The settings of the meals."""

    def __post_init__(self) -> None:
        freeze(self)


def halls(settings: Settings, plan: YearPlan, pupils: Pupils) -> Halls:
    """Lay out the canteens of a year; nothing here depends on the day."""
    meals, dine, schools = plan.meals, settings.dine, len(plan.meals.sittings)
    sittings = np.where(np.diff(pupils.first) > 0, meals.sittings, 0)
    at_hall = sittings[pupils.school] > 0
    lunch, early = (of[pupils.school, pupils.grade - 1] for of in (meals.sitting, meals.early))
    sitting = np.stack([early, lunch, early])
    one = np.zeros_like(lunch)
    shift = np.array([(s.opens_after_min, s.closes_after_min) for s in dine.shifts])
    shift[shift[:, 1] >= dine.bell_after_min, 1] = np.inf
    of_shift = _windows_by_shift(meals.windows, dine)
    windows = shift[np.concatenate([np.repeat(np.arange(len(shift)), row) for row in of_shift])]
    return Halls(
        diner=np.stack([pupils.has_bed | pupils.breakfasts, pupils.eats, pupils.has_bed]) & at_hall,
        sitting=sitting,
        sittings=sittings,
        lines=tuple(_lines(pupils, at_hall, of, schools) for of in (early, lunch, early, one)),
        walk_min=(dine.walk_to_hall_min + pupils.lunch_rank * dine.class_gap_min).astype(np.float64),
        window_at=np.append(0, np.cumsum(meals.windows)),
        opens_min=windows[:, 0].copy(),
        closes_min=windows[:, 1].copy(),
        windows=meals.windows,
        canteen_seats=meals.seats,
        kitchen=meals.kitchen,
        dine=whole(dine),
    )


def _lines(pupils: Pupils, at_hall: Bools, sitting: Ints, schools: int) -> tuple[Lines, ...]:
    """Return the pupils of each sitting of a meal, by school."""
    members = [np.flatnonzero(at_hall & (sitting == k)) for k in range(int(sitting[at_hall].max(initial=-1)) + 1)]
    return tuple((np.searchsorted(pupils.school[who], np.arange(schools + 1)), who) for who in members)


def _windows_by_shift(windows: Ints, dine: Dine) -> Ints:
    """Return how many windows of each school serve in each shift; what rounding leaves has the first; (S, shifts)."""
    share = np.array([shift.share for shift in dine.shifts])
    count = np.floor(windows[:, None] * share + 1e-9).astype(np.int64)
    count[:, 0] = windows - count[:, 1:].sum(axis=1)
    return count


def meal_luck(halls: Halls, pupils: Pupils, luck: YearLuck, week: int, paper: Floats) -> None:
    """Draw a week's luck at meals and write it on `paper` (3, 3, D, N): for each meal, day and pupil, minutes.

    paper[0]: more or less than planned on the way to the hall; paper[1]: at the window; paper[2]: at table; the
    last two lognormal. One who is not planned to eat (a pupil who has to stay for the night) takes the median
    time. The paper can be used again for the next week.
    """
    dine = halls.dine
    likely = (
        dine.walk_sd_min * _NORMAL,
        dine.service_min * np.exp(dine.service_sd_log * _NORMAL),
        dine.eat_min * np.exp(dine.eat_sd_log * _NORMAL),
    )
    median = (0.0, dine.service_min, dine.eat_min)
    for meal, name in enumerate(MEALS):
        for day in range(paper.shape[2]):
            key = luck.daily(name, week, day + 1)
            _draw(key, pupils.number, halls.diner[meal], likely, median, paper[:, meal, day])


@njit(cache=True)
def _draw(
    key: streams.Key, number: streams.Owners, diner: Bools, likely: tuple[Floats, Floats, Floats],
    median: tuple[float, float, float], out: Floats,
) -> None:  # fmt: skip
    """Write the luck of one meal: each of two draws decides two things, the last of them nothing."""
    for i in range(len(number)):
        out[0, i], out[1, i], out[2, i] = median
        if diner[i]:
            first, second = streams.pair(key, _TWO * number[i])
            third, _ = streams.pair(key, _TWO * number[i] + _ONE)
            out[0, i] = likely[0][int(first * len(_NORMAL))]
            out[1, i] = likely[1][int(second * len(_NORMAL))]
            out[2, i] = likely[2][int(third * len(_NORMAL))]


def meals(env: simpy.Environment, week: AtSchool) -> Steps:
    """Live every sitting of the week when its bell has rung, in all schools at once."""
    dine = week.halls.dine
    wait = {BREAKFAST: dine.breakfast_wait_min}
    for day in range(week.days):
        handed_out = np.zeros((len(MEALS), len(week.halls.kitchen)), dtype=np.int64)
        for start, meal, k, lines in _sittings(week):
            midnight = day * MINUTES_PER_DAY
            yield env.timeout(midnight + start + dine.bell_after_min + wait.get(meal, 0.0) - env.now)
            sit_down(week, day, (midnight + start, meal, k, lines), handed_out)


def _sittings(week: AtSchool) -> list[Sitting]:
    """List the sittings of a day in order of their last bells."""
    halls, bells = week.halls, week.bells
    step = halls.dine.bell_after_min + halls.dine.sittings_gap_min
    begins = {BREAKFAST: bells.breakfast_min, LUNCH: bells.lunch_min, DINNER: bells.dinner_min,
              _LATE: bells.late_dinner_min}  # fmt: skip
    listed = [
        (begin + k * step, meal, k if meal != _LATE else len(halls.lines[DINNER]), who)
        for meal, begin in begins.items()
        for k, who in enumerate(halls.lines[meal])
    ]
    return sorted(listed, key=lambda one: one[0] + halls.dine.breakfast_wait_min * (one[1] == BREAKFAST))


def sit_down(week: AtSchool, day: int, sitting: Sitting, handed_out: Ints) -> None:
    """Let those who eat in one sitting walk to the hall, queue, sit and eat until the bell, in all schools.

    handed_out: (3, S) meals of the day so far; those of this sitting are added.
    """
    start, kind, k, lines = sitting
    meal = min(kind, DINNER)
    halls, diary, luck, dine = week.halls, week.diary, week.luck, week.halls.dine
    cooked = np.floor(halls.kitchen * luck.conditions.kitchen[day] + 0.5)
    ready = np.floor(cooked * min((k + 1) * dine.kitchen_sitting_share, 1.0) + 1e-9).astype(np.int64)
    left = np.maximum(ready - handed_out[meal], 0)
    handed_out[meal] += _county_sitting(
        lines,
        (halls.window_at, halls.opens_min, halls.closes_min, halls.canteen_seats, left),
        (start, start + dine.bell_after_min, dine.breakfast_wait_min, dine.walk_to_hall_min, dine.seat_min_limit),
        _eaters(week, day, kind, start + dine.bell_after_min),
        (halls.walk_min, luck.walk_min[meal, day], luck.service_min[meal, day], luck.eat_min[meal, day]),
        diary.alighted_in[day],
        (diary.queued[meal, day], diary.at_window[meal, day], diary.served[meal, day], diary.seated[meal, day],
         diary.left[meal, day], diary.bell[meal, day], diary.short[meal, day]),
    )  # fmt: skip


def _eaters(week: AtSchool, day: int, kind: int, bell: float) -> tuple[Bools, Bools]:
    """Return who eats a meal, and who eats it if their bus comes in time; (N,) each."""
    pupils, diary, nobody = week.pupils, week.diary, np.zeros(len(week.pupils), dtype=bool)
    if kind == BREAKFAST:
        return week.slept[day] & diary.came[day], pupils.breakfasts & diary.came[day] & ~week.slept[day]
    if kind == LUNCH:
        return pupils.eats & diary.attended[day], nobody
    if kind == DINNER:
        return pupils.has_bed & week.present(day, bell) & (day < week.days - 1), nobody
    return ~np.isnan(diary.stayed[day]), nobody


@njit(cache=True)
def _county_sitting(
    lines: Lines, offer: Offer, clock: tuple[float, float, float, float, float], eaters: tuple[Bools, Bools],
    minutes: tuple[Floats, Floats, Floats, Floats], alighted: Floats, told: Told,
) -> Ints:  # fmt: skip
    """Live one sitting in every school; return the meals that each handed out; (S,).

    clock: start, bell, how long the bell waits for late buses, walk from the bus, minutes then left to eat;
    minutes: planned way to the hall, its luck, time at the window, time at table; (N,) each.
    """
    ptr, who = lines
    window_at, opens, closes, seats, ready = offer
    handed_out, room = np.zeros(len(seats), dtype=np.int64), np.empty_like(who)
    for s in range(len(seats)):
        if ptr[s] == ptr[s + 1]:
            continue
        here, bell = _diners(who[ptr[s] : ptr[s + 1]], clock, eaters, alighted, room)
        for i in here:
            told[0][i], told[5][i] = _at_hall(i, clock, minutes, alighted), bell
        w = slice(window_at[s], window_at[s + 1])
        handed_out[s] = canteen(
            here, (told[0], minutes[2], minutes[3]), (clock[0] + opens[w], clock[0] + closes[w]), seats[s], bell,
            ready[s], (told[1], told[2], told[3], told[4], told[6]),
        )  # fmt: skip
    return handed_out


@njit(cache=True)
def _diners(
    line: Ints, clock: tuple[float, float, float, float, float], eaters: tuple[Bools, Bools], alighted: Floats,
    here: Ints,
) -> tuple[Ints, float]:  # fmt: skip
    """Return who of a line eats, and the bell: it waits for those whose bus comes late, up to a limit."""
    _, bell, wait, walk, limit = clock
    n, until = 0, bell + wait
    for i in line:
        comes_late = eaters[1][i] & (alighted[i] <= until)  # false for NaN
        if comes_late:
            bell = max(bell, min(alighted[i] + walk + limit, until))
        here[n] = i
        n += comes_late | eaters[0][i]
    return here[:n], bell


@njit(cache=True)
def _at_hall(
    i: int, clock: tuple[float, float, float, float, float], minutes: tuple[Floats, Floats, Floats, Floats],
    alighted: Floats,
) -> float:  # fmt: skip
    """Return when a pupil is at the hall: with the class, or straight from a bus that came later."""
    with_class = clock[0] + max(minutes[0][i] + minutes[1][i], 0.0)
    from_bus = alighted[i] + max(clock[3] + minutes[1][i], 0.0)
    return from_bus if from_bus > with_class else with_class  # false for NaN
