"""What happened in the canteens: meals, waits, haste."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.measure.scene import Scene, Values, rows
from sim.measure.site import P95, counts, mean, summaries
from sim.measure.use import Rows, Use, ratio, table
from sim.operate.diary import BREAKFAST, DINNER, MEALS, Diary
from sim.plan import Bools, Floats, Ints

Codes = NDArray[np.int8]
NO_MEAL, MISSED, NOT_COOKED, NOT_SERVED, FED, SEAT_HASTE, WINDOW_HASTE = range(7)


def window_wait_min(diary: Diary, days: range) -> Iterator[Floats]:
    """Yield minutes in line before the window, meal by meal; (D, N) each, NaN where not served."""
    at = rows(diary, days)
    return (served - queued for served, queued in zip(diary.at_window[:, at], diary.queued[:, at], strict=True))


def fates(scene: Scene, diary: Diary, days: range) -> Codes:
    """Return what became of each meal; (3, D, N) of NO_MEAL, MISSED, NOT_COOKED, NOT_SERVED, FED and the two hastes.

    Missed: a breakfast for which the bus came too late. Haste: too few minutes from sitting down to the bell. It is
    put down to the wait for a seat, where that was longer than the wait at the window or there was no seat at all,
    else to the window.
    """
    told = diary.queued, diary.at_window, diary.served, diary.seated, diary.bell, diary.short
    fate = _fates(*told, days.start, days.stop, scene.settings.dine.seat_min_limit)
    riders = np.flatnonzero(scene.pupils.breakfasts & scene.halls.diner[BREAKFAST])
    day, rider = np.nonzero(_missed(diary, days, riders))
    fate[BREAKFAST, day, riders[rider]] = MISSED
    return fate


def _missed(diary: Diary, days: range, riders: Ints) -> Bools:
    """Tell which of those who breakfast at school came by a bus that was too late for it; (D, riders)."""
    at = rows(diary, days)
    by_bus = (diary.came[at] & ~diary.slept[at])[:, riders] & ~np.isnan(diary.alighted_in[at][:, riders])
    queued, bell = (page[BREAKFAST, at][:, riders] for page in (diary.queued, diary.bell))
    in_time = queued < bell  # false for NaN
    return np.asarray(by_bus & ~in_time)


@njit(cache=True)
def _fates(
    queued: Floats,
    at_window: Floats,
    served: Floats,
    seated: Floats,
    bell: Floats,
    short: Codes,
    first: int,
    end: int,
    seat_min_limit: float,
) -> Codes:
    out = np.zeros((queued.shape[0], end - first, queued.shape[2]), dtype=np.int8)
    for meal in range(out.shape[0]):
        for d in range(first, end):
            for i in range(out.shape[2]):
                came, got, sat = queued[meal, d, i], served[meal, d, i], seated[meal, d, i]
                if came != came:  # NaN: no meal
                    fate = NO_MEAL
                elif got != got:
                    fate = NOT_COOKED if short[meal, d, i] else NOT_SERVED
                elif bell[meal, d, i] - sat >= seat_min_limit:
                    fate = FED
                else:
                    fate = WINDOW_HASTE if sat - got <= at_window[meal, d, i] - came else SEAT_HASTE
                out[meal, d - first, i] = fate
    return out


def measures(scene: Scene, diary: Diary, days: range, fate: Codes) -> Values:
    """Measure the meals of the days, given their `fates`; (S + 1,) each, NaN where a site has no canteen."""
    told = diary.queued, diary.at_window, diary.served, diary.seated, diary.left
    totals, in_line, for_seat = _by_school(fate, told, days.start, scene.parts)
    peaks = _peaks(fate, scene.halls.sitting, diary.stayed[rows(diary, days)], scene.parts)
    values = {
        **{f"meals_{name}": totals[k] for k, name in enumerate(MEALS)},
        "meals_served": totals[: len(MEALS)].sum(axis=0),
        "meals_unserved": totals[len(MEALS) : -2].sum(axis=0),
        "breakfasts_missed": totals[len(MEALS)],
        "kitchen_short": totals[len(MEALS) + 1],
        "kitchen_peak": peaks[0],
        "window_wait_min_mean": mean(in_line),
        "window_wait_min_p95": in_line[:, P95],
        "window_busy_min": totals[-2],
        "seat_wait_min_p95": for_seat[:, P95],
        "seated_min": totals[-1],
        "eating_min_short": counts(np.asarray((fate > FED).any(axis=0)), scene.parts),
        "diners_peak": peaks[1],
    }
    idle = np.append(scene.plan.meals.sittings == 0, False)
    return {name: np.where(idle, np.nan, value) for name, value in values.items()}


@njit(cache=True)
def _by_school(fate: Codes, told: tuple[Floats, ...], first_day: int, parts: Ints) -> tuple[Floats, Floats, Floats]:
    """Return totals (8, S + 1): meals served by meal, missed, not cooked, not served, minutes at the window, at table.

    And `stats` (S + 1, 4) each of the minutes in line and of those without a seat.
    told: queued, at_window, served, seated, left, all of (3, D, N).
    """
    queued, at_window, served, seated, left = told
    meals, schools = fate.shape[0], parts.shape[0] - 1
    totals, ends = np.zeros((meals + 5, schools + 1)), np.zeros((2, schools + 1), dtype=np.int64)
    in_line, for_seat, n, sat = np.empty(fate.size + 1), np.empty(fate.size + 1), 0, 0
    for k in range(schools):
        found, served_min, seated_min = np.zeros(WINDOW_HASTE + 1, dtype=np.int64), 0.0, 0.0
        for meal in range(meals):
            began = n
            for d in range(fate.shape[1]):
                day = d + first_day
                for i in range(parts[k, 0], parts[k, 1]):  # no branches: who eats when is hard to guess
                    what, got, sits = fate[meal, d, i], served[meal, day, i], seated[meal, day, i]
                    fed, sat_down = what >= FED, what >= FED and sits == sits  # no NaN: there was a seat
                    in_line[n] = at_window[meal, day, i] - queued[meal, day, i]
                    n += fed
                    for_seat[sat] = sits - got
                    sat += sat_down
                    served_min += got - at_window[meal, day, i] if fed else 0.0
                    seated_min += left[meal, day, i] - sits if sat_down else 0.0
                    found[what] += 1
            totals[meal, k] = n - began
        totals[meals : meals + 3, k] = found[MISSED:FED]
        totals[-2, k], totals[-1, k] = served_min, seated_min
        ends[0, k + 1], ends[1, k + 1] = n, sat
    totals[:, schools] = totals.sum(axis=1)
    return totals, summaries(in_line, ends[0]), summaries(for_seat, ends[1])


@njit(cache=True)
def _peaks(fate: Codes, sitting: Ints, stayed: Floats, parts: Ints) -> Floats:
    """Return the most diners of one meal of one day, and of one sitting; (2, S + 1), of the county the largest.

    The late dinner of those who stayed (D, N), where that is no NaN, is the last sitting of that meal.
    """
    schools, late = parts.shape[0] - 1, sitting.max() + 1 if sitting.size else 1
    out = np.zeros((2, schools + 1))
    for meal in range(fate.shape[0]):
        for d in range(fate.shape[1]):
            for k in range(schools):
                diners = np.zeros(late + 1, dtype=np.int64)
                for i in range(parts[k, 0], parts[k, 1]):
                    diners[sitting[meal, i]] += fate[meal, d, i] > MISSED
                for i in range(parts[k, 0], parts[k, 1] if meal == DINNER else parts[k, 0]):
                    if stayed[d, i] == stayed[d, i] and fate[meal, d, i] > MISSED:
                        diners[sitting[meal, i]] -= 1
                        diners[late] += 1
                out[0, k], out[1, k] = max(out[0, k], diners.sum()), max(out[1, k], diners.max())
    out[0, schools], out[1, schools] = out[0].max(), out[1].max()
    return out


def rows_of_use(scene: Scene, use: Use) -> list[Rows]:
    """Return kitchens, windows and seats against the diners of mealtimes and sittings, for resources.parquet."""
    meals, dine = scene.plan.meals, scene.settings.dine
    keep = (meals.sittings > 0) & (np.diff(scene.pupils.first) > 0)
    served, lunches = use.total("meals_served")[:-1], use.total("meals_lunch")[:-1]
    mealtimes = use.school_days(scene) * ratio(served, lunches)
    open_min = np.maximum(meals.sittings, 1) * mealtimes * dine.bell_after_min
    kitchen, windows, seats = (part.astype(float) for part in (meals.kitchen, meals.windows, meals.seats))
    cooked, peak = use.peak("kitchen_peak")[:-1], use.peak("diners_peak")[:-1]
    wanted = peak * dine.service_min / dine.bell_after_min
    return [
        table(
            scene, "kitchen", "meal", "meal", keep,
            capacity=kitchen, demand_peak=cooked, utilisation_mean=ratio(served, kitchen * mealtimes),
            utilisation_peak=ratio(cooked, kitchen), unmet=use.total("kitchen_short")[:-1],
        ),
        table(
            scene, "window", "window", "meal", keep,
            capacity=windows, demand_peak=wanted,
            utilisation_mean=ratio(use.total("window_busy_min")[:-1], windows * open_min),
            utilisation_peak=ratio(wanted, windows),
            wait_mean_min=use.mean("window_wait_min_mean")[:-1], wait_p95_min=use.mean("window_wait_min_p95")[:-1],
            unmet=(use.total("meals_unserved") - use.total("kitchen_short") - use.total("breakfasts_missed"))[:-1],
        ),
        table(
            scene, "canteen_seat", "seat", "pupil-day", keep,
            capacity=seats, demand_peak=peak,
            utilisation_mean=ratio(use.total("seated_min")[:-1], seats * open_min),
            utilisation_peak=ratio(peak, seats),
            wait_p95_min=use.mean("seat_wait_min_p95")[:-1], unmet=use.harm("canteen_seat", "haste"),
        ),
    ]  # fmt: skip
