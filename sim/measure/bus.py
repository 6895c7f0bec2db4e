"""What the buses did: rides, door-to-school times, those left behind, lateness, gates, km and hours."""

from __future__ import annotations

import numpy as np

from sim.measure.scene import Scene, Values, midnights, on_lodger_run, rows
from sim.measure.site import COUNT, MOST, P95, TOTAL, counts, mean, segments, stats
from sim.operate.diary import Diary
from sim.operate.pupils import IN, OUT
from sim.plan import Bools, Floats, Ints
from sim.units import MINUTES_PER_HOUR

YOUNG = 0
"""Band of grades 1 to 3."""


def ride_min(scene: Scene, diary: Diary, days: range) -> Floats:
    """Return minutes aboard of daily riders, mornings then afternoons; (2 D, N), NaN where nobody rode."""
    at = rows(diary, days)
    trips = np.vstack(
        [
            diary.alighted_in[at] - diary.embarked_in[at],
            diary.alighted_out[at] - diary.embarked_out[at],
        ]
    )
    trips[:, scene.pupils.lodger_bus] = np.nan
    return trips


def door_min(scene: Scene, diary: Diary, days: range) -> Floats:
    """Return minutes from the door to school of day pupils who came; (D, N), NaN for the others.

    A rider leaves home so as to be at the stop `fleet.wait_at_stop_min` before the planned departure.
    """
    at, fleet = rows(diary, days), scene.settings.fleet
    stop = scene.pupils.stop[IN]
    hold = np.append(scene.table.hold_min, np.nan)[stop]
    ride = diary.alighted_in[at] - midnights(days) - (hold - fleet.wait_at_stop_min) + fleet.walk_to_stop_min
    door = np.where(scene.rider, ride, scene.pupils.door_min)
    door[:, scene.pupils.has_bed] = np.nan
    door[~diary.attended[at]] = np.nan
    return door


def left_behind(scene: Scene, diary: Diary, days: range, way: int) -> Bools:
    """Tell who was ready for a bus of today and was not aboard the run they were planned on; (D, N).

    A lodger without a bed has no claim to a seat: where one is free they ride, else they miss the day for want of
    a bed, not of a bus.
    """
    at = rows(diary, days)
    ready, embarked = (
        (diary.came[at], diary.embarked_in[at]) if way == IN else (diary.attended[at], diary.embarked_out[at])
    )
    weekly = on_lodger_run(scene, days, len(diary.came))
    edge = np.array([day == (0 if way == IN else len(diary.came) - 1) for day in days])
    due = (scene.rider & ~scene.pupils.refused) | (weekly & edge[:, None])
    return np.asarray(ready & due & (np.isnan(embarked) | diary.fetched[way][at]))


def late_min(scene: Scene, diary: Diary, days: range) -> Floats:
    """Return minutes after the first bell at which riders alighted; (D, N), 0 or less when in time, NaN if none."""
    bell = np.stack([scene.bell(day == 0) for day in days])
    return np.asarray(diary.alighted_in[rows(diary, days)] - midnights(days) - bell)


def pupil_measures(scene: Scene, diary: Diary, days: range) -> Values:
    """Measure what pupils lived on their way; (S + 1,) each."""
    at, parts = rows(diary, days), scene.parts
    ride = stats(ride_min(scene, diary, days), parts)
    door = door_min(scene, diary, days)
    late = late_min(scene, diary, days)
    left = [left_behind(scene, diary, days, way) for way in (IN, OUT)]
    behind: Bools = left[IN] | left[OUT]
    lost = (left[IN] & ~diary.fetched[IN, at]) | (left[OUT] & ~diary.fetched[OUT, at])
    lateness = stats(np.where(late > 0, late, np.nan), parts)
    return {
        "pupils_carried": counts(~np.isnan(diary.alighted_in[at]), parts),
        "pupils_left_behind": counts(behind, parts),
        "pupils_fetched": counts(np.asarray(behind & ~lost), parts),
        "ride_min_mean": mean(ride),
        "ride_min_p95": ride[:, P95],
        "ride_min_max": ride[:, MOST],
        "door_to_school_min_p95": stats(door, parts)[:, P95],
        "door_to_school_young_min_p95": stats(np.where(scene.band == YOUNG, door, np.nan), parts)[:, P95],
        "late_pupils": lateness[:, COUNT],
        "late_min_total": lateness[:, TOTAL],
    }


def run_measures(scene: Scene, diary: Diary, days: range) -> Values:
    """Measure what buses did for each school and for the county; (S + 1,) each."""
    at, schools = rows(diary, days), len(scene.county.schools.id)
    school = np.array(scene.table.school, dtype=np.int64)
    order = np.argsort(school, kind="stable")
    parts = segments(np.searchsorted(school[order], np.arange(schools + 1)))
    driven = ~np.isnan(diary.took_bay[at])[:, order]
    wait = stats(np.maximum(diary.took_bay[at] - diary.reached_gate[at], 0.0)[:, order], parts)
    busy = stats((diary.freed_bay[at] - diary.took_bay[at])[:, order], parts)
    km = diary.empty_km[at] + diary.second_km[at] + scene.table.run_km * ~np.isnan(diary.took_bay[at])
    hours = np.full(schools + 1, np.nan)
    hours[-1] = diary.bus_min[at].sum() / MINUTES_PER_HOUR
    return {
        "runs_driven": counts(driven, parts),
        "runs_cancelled": counts(_planned(scene, days, len(diary.came))[:, order] & ~driven, parts),
        "gate_wait_min_mean": mean(wait),
        "gate_wait_min_p95": wait[:, P95],
        "gate_busy_min": busy[:, TOTAL],
        "bus_km": stats(km[:, order], parts)[:, TOTAL],
        "bus_hours": hours,
    }


def _planned(scene: Scene, days: range, week_days: int) -> Bools:
    """Tell which runs the plan has on which day; (D, R)."""
    direction: Ints = np.array(scene.table.direction, dtype=np.int64)
    return np.array(
        [
            ~scene.table.is_lodger | ((direction == IN) & (day == 0)) | ((direction == OUT) & (day == week_days - 1))
            for day in days
        ]
    ).reshape(len(days), len(direction))
