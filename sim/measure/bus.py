"""What the buses did: rides, door-to-school times, those left behind, lateness, gates, breakdowns, km and hours."""

from __future__ import annotations

import numpy as np

from sim.measure.scene import Scene, Values, midnights, rows
from sim.measure.site import COUNT, MOST, P95, TOTAL, counts, mean, stats
from sim.operate.diary import ATTENDANT, DRIVER, Diary
from sim.operate.pupils import IN, OUT
from sim.plan import LINE_BUS, Bools, Floats, Ints
from sim.plan.stops import walk_min
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
    """Return minutes from the door to school of day pupils who came from home; (D, N), NaN for the others.

    A rider leaves home so as to be at the stop `fleet.wait_at_stop_min` before the planned departure; a stop in
    another hamlet takes the walk there on top.
    """
    at, fleet, pupils = rows(diary, days), scene.settings.fleet, scene.pupils
    walk = fleet.walk_to_stop_min + walk_min(scene.settings, scene.plan.places.stop_km[pupils.hamlet, pupils.grade - 1])
    hold = np.append(scene.table.hold_min, np.nan)[pupils.stop[IN]]
    ride = diary.alighted_in[at] - (midnights(days) + hold - fleet.wait_at_stop_min - walk)
    door = np.where(scene.rider, ride, pupils.door_min + diary.line_wait[at])
    elsewhere = ~diary.attended[at] | diary.slept[at] | pupils.has_bed
    elsewhere |= (pupils.mode == LINE_BUS) & np.isnan(diary.line_in[at])
    door[elsewhere] = np.nan
    return door


def left_behind(scene: Scene, diary: Diary, days: range, way: int) -> Bools:
    """Tell who was not taken as planned, fetched later or not; (D, N).

    A lodger without a bed has no claim to a seat: where one is free they ride, else they miss the day for want of
    a bed, not of a bus.
    """
    left = (diary.left_in, diary.left_out)[way][rows(diary, days)]
    return np.asarray(~np.isnan(left) & ~scene.pupils.refused)


def stranded(scene: Scene, diary: Diary, days: range, way: int) -> Bools:
    """Tell who was left behind and not fetched; (D, N)."""
    embarked = (diary.embarked_in, diary.embarked_out)[way][rows(diary, days)]
    return np.asarray(left_behind(scene, diary, days, way) & np.isnan(embarked))


def late_min(scene: Scene, diary: Diary, days: range) -> Floats:
    """Return minutes after the first bell at which riders of any bus come; (D, N), 0 or less in time, NaN if none."""
    at = rows(diary, days)
    bell = np.stack([scene.bell(day == 0) for day in days]) + midnights(days)
    return np.asarray(np.fmin(diary.alighted_in[at], diary.line_in[at]) - bell)


def pupil_measures(scene: Scene, diary: Diary, days: range, rides_min: Floats, doors_min: Floats) -> Values:
    """Measure what pupils lived on their way; (S + 1,) each; `ride_min` and `door_min` are given."""
    at, parts = rows(diary, days), scene.parts
    ride, young = stats(rides_min, parts), np.where(scene.band == YOUNG, doors_min, np.nan)
    late = late_min(scene, diary, days)
    lateness = stats(np.where(late > 0, late, np.nan), parts)
    behind: Bools = left_behind(scene, diary, days, IN) | left_behind(scene, diary, days, OUT)
    lost: Bools = stranded(scene, diary, days, IN) | stranded(scene, diary, days, OUT)
    return {
        "pupils_carried": counts(~np.isnan(diary.alighted_in[at]), parts),
        "pupils_left_behind": counts(behind, parts),
        "pupils_fetched": counts(np.asarray(behind & ~lost), parts),
        "ride_min_mean": mean(ride),
        "ride_min_p95": ride[:, P95],
        "ride_min_max": ride[:, MOST],
        "door_to_school_min_p95": stats(doors_min, parts)[:, P95],
        "door_to_school_young_min_p95": stats(young, parts)[:, P95],
        "late_pupils": lateness[:, COUNT],
        "late_min_total": lateness[:, TOTAL],
        "care_min_mean": mean(stats(_care_min(scene, diary, days), parts)),
        "handover_late": counts(~np.isnan(diary.carried_on[at]), parts),
        "line_bus_left": counts(np.asarray(diary.line_wait[at] > 0), parts),
    }


def _care_min(scene: Scene, diary: Diary, days: range) -> Floats:
    """Return minutes of after-school care of daily riders: from the end of class to embarking; (D, N)."""
    close = np.where(scene.pupils.lodger_bus, np.nan, scene.table.close_min)
    return np.asarray(diary.embarked_out[rows(diary, days)] - (midnights(days) + close))


def run_measures(scene: Scene, diary: Diary, days: range) -> Values:
    """Measure what buses did for each school and for the county; (S + 1,) each.

    A run counts for its own school, the wait at a gate for the school that is called at.
    """
    at, (order, parts), (calls, at_gates) = rows(diary, days), scene.runs, scene.calls
    took, why = diary.took_bay[at], diary.cancel_why[at]
    driven = ~np.isnan(diary.left_yard[at])
    wait = stats(np.maximum(took - diary.reached_gate[at], 0.0)[:, calls], at_gates)
    events: dict[str, Bools] = {
        "runs_driven": driven,
        "runs_cancelled": _planned(scene, days, len(diary.came)) & ~driven | (why > 0),
        "driver_missing_runs": why == DRIVER,
        "attendant_missing_runs": why == ATTENDANT,
        "breakdowns": ~np.isnan(diary.broke_down[at]),
    }
    km = diary.empty_km[at] + diary.second_km[at] + diary.run_km[at]
    county = {"bus_hours": _hours(diary, days), "spare_buses_out": _most_at_once(diary, days)}
    return {
        **{name: counts(happened[:, order], parts) for name, happened in events.items()},
        "gate_wait_min_mean": mean(wait),
        "gate_wait_min_p95": wait[:, P95],
        "gate_busy_min": stats((diary.freed_bay[at] - took)[:, calls], at_gates)[:, TOTAL],
        "bus_km": stats(km[:, order], parts)[:, TOTAL],
        **{name: np.append(np.full(len(parts) - 1, np.nan), value) for name, value in county.items()},
    }


def _hours(diary: Diary, days: range) -> float:
    """Return the hours of all buses from leaving the yard to being back, spare ones included.

    A spare bus that takes over a broken one drives in its hours.
    """
    at = rows(diary, days)
    out = np.nansum(diary.came_home[:, at] - diary.set_out[:, at])
    second = diary.spare_min[at][~np.isnan(diary.second_left[at])]
    return float((out + second.sum()) / MINUTES_PER_HOUR)


def _most_at_once(diary: Diary, days: range) -> float:
    """Return the most spare buses that are out at the same time."""
    at = rows(diary, days)
    out = diary.spare_min[at] > 0
    left = diary.spare_left[at][out]
    back = left + diary.spare_min[at][out]
    step = np.repeat([1, -1], len(left))[np.lexsort((np.repeat([1, 0], len(left)), np.append(left, back)))]
    return float(np.cumsum(step).max(initial=0))


def _planned(scene: Scene, days: range, week_days: int) -> Bools:
    """Tell which runs the plan has on which day; (D, R)."""
    direction: Ints = np.array(scene.table.direction, dtype=np.int64)
    return np.array(
        [
            ~scene.table.is_lodger | ((direction == IN) & (day == 0)) | ((direction == OUT) & (day == week_days - 1))
            for day in days
        ]
    ).reshape(len(days), len(direction))
