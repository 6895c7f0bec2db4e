"""What happened in the canteens: meals, waits, haste."""

from __future__ import annotations

import numpy as np

from sim.measure.scene import Scene, Values, rows
from sim.measure.site import P95, TOTAL, counts, mean, stats
from sim.operate.diary import MEALS, Diary
from sim.plan import Bools, Floats


def window_wait_min(scene: Scene, diary: Diary, days: range, service_min: Floats) -> Floats:
    """Return minutes in line before the window, all meals below one another; (3 D, N), NaN where not served."""
    at = rows(diary, days)
    wait = diary.served[:, at] - service_min[:, at] - diary.queued[:, at]
    return np.concatenate(wait)


def hungry(diary: Diary, days: range) -> Bools:
    """Tell who queued for a meal and was not served by the bell; (3, D, N)."""
    at = rows(diary, days)
    missed: Bools = ~np.isnan(diary.queued[:, at]) & np.isnan(diary.served[:, at])
    return missed


def hasty(scene: Scene, diary: Diary, days: range) -> Bools:
    """Tell who was served and had too few minutes from sitting down to the bell; (3, D, N)."""
    at = rows(diary, days)
    room = diary.bell[:, at] - diary.seated[:, at]
    fed = ~np.isnan(diary.served[:, at])
    return np.asarray(fed & ~(room >= scene.settings.dine.seat_min_limit))


def measures(scene: Scene, diary: Diary, days: range, service_min: Floats) -> Values:
    """Measure the meals of the days; (S + 1,) each, NaN where a site has no canteen."""
    at, parts = rows(diary, days), scene.parts
    served = ~np.isnan(diary.served[:, at])
    wait = stats(window_wait_min(scene, diary, days, service_min), parts)
    seat = np.concatenate(diary.seated[:, at] - diary.served[:, at])
    taken = np.concatenate(diary.left[:, at] - diary.seated[:, at])
    busy = np.concatenate(np.where(served, service_min[:, at], np.nan))
    by_meal = {f"meals_{name}": counts(served[k], parts) for k, name in enumerate(MEALS)}
    missed: Bools = np.concatenate(hungry(diary, days))
    values = {
        **by_meal,
        "meals_served": np.sum(list(by_meal.values()), axis=0),
        "meals_unserved": counts(missed, parts),
        "window_wait_min_mean": mean(wait),
        "window_wait_min_p95": wait[:, P95],
        "window_busy_min": stats(busy, parts)[:, TOTAL],
        "seat_wait_min_p95": stats(seat, parts)[:, P95],
        "seated_min": stats(taken, parts)[:, TOTAL],
        "eating_min_short": counts(np.asarray(hasty(scene, diary, days).any(axis=0)), parts),
        "diners_peak": _diners_peak(scene, diary, days),
    }
    idle = np.append(scene.plan.meals.sittings == 0, False)
    return {name: np.where(idle, np.nan, value) for name, value in values.items()}


def _diners_peak(scene: Scene, diary: Diary, days: range) -> Floats:
    """Return the most diners of one sitting at each school; (S + 1,), of the county the largest school's."""
    at = rows(diary, days)
    schools, most = len(scene.county.schools.id), int(scene.table.sitting.max(initial=0)) + 1
    place = scene.pupils.school * most + scene.table.sitting
    peak = np.zeros(schools)
    for queue in np.concatenate(~np.isnan(diary.queued[:, at])):
        found = np.bincount(place[queue], minlength=schools * most).reshape(schools, most)
        peak = np.maximum(peak, found.max(axis=1))
    return np.append(peak, peak.max(initial=0))
