"""From events to tidy numbers: every measure, its unit, and how a week's value is made.

A measure is told per site and week (or day). `total` values are summed over the week's days, so a year's total
is the weighted sum over its lived weeks; the others are taken over all pupil-days (or nights, or runs) of the
week. The p95 is the nearest-rank quantile.
"""

from __future__ import annotations

from typing import NamedTuple


class Measure(NamedTuple):
    """What a measure counts."""

    unit: str
    how: str
    """total, mean, p95 or max over the week."""
    meaning: str


MEASURES: dict[str, Measure] = {
    "pupils_present": Measure("pupil-day", "total", "pupils at school at noon"),
    "absent_pupils": Measure("pupil-day", "total", "enrolled pupils who are not at school at noon"),
    "pupils_carried": Measure("pupil-day", "total", "pupils a school bus brought to school"),
    "pupils_left_behind": Measure(
        "pupil-day", "total", "pupils whose bus could not take them, in or out, fetched later or not"
    ),
    "pupils_fetched": Measure("pupil-day", "total", "left-behind pupils whom a second run or a spare bus fetched"),
    "ride_min_mean": Measure("min", "mean", "time aboard, daily riders, both ways"),
    "ride_min_p95": Measure("min", "p95", "time aboard, daily riders, both ways"),
    "ride_min_max": Measure("min", "max", "time aboard, daily riders, both ways, over the days lived"),
    "door_to_school_min_p95": Measure("min", "p95", "walk, wait and ride from the door to school, day pupils"),
    "door_to_school_young_min_p95": Measure("min", "p95", "the same, grades 1 to 3"),
    "late_pupils": Measure("pupil-day", "total", "pupils whom a bus brings after the first bell"),
    "late_min_total": Measure("min", "total", "minutes by which they are late"),
    "care_min_mean": Measure("min", "mean", "after-school care of daily riders: from the end of class to embarking"),
    "handover_late": Measure("pupil-day", "total", "pupils carried on because no guardian was at the stop in time"),
    "line_bus_left": Measure("pupil-day", "total", "pupils whom a full public bus left to the next one"),
    "meals_served": Measure("meal", "total", "meals served"),
    "meals_breakfast": Measure("meal", "total", "breakfasts served"),
    "meals_lunch": Measure("meal", "total", "lunches served"),
    "meals_dinner": Measure("meal", "total", "dinners served"),
    "meals_unserved": Measure("meal", "total", "diners not served when the bell rang, or whose bus came too late"),
    "breakfasts_missed": Measure("meal", "total", "of them, breakfasts of riders whose bus came too late"),
    "kitchen_short": Measure("meal", "total", "of them, meals the kitchen could not cook"),
    "kitchen_peak": Measure("meal", "max", "most diners of one mealtime, over the days lived"),
    "window_wait_min_mean": Measure("min", "mean", "wait in the line at the windows, all meals"),
    "window_wait_min_p95": Measure("min", "p95", "wait in the line at the windows, all meals"),
    "window_busy_min": Measure("min", "total", "minutes in which windows serve"),
    "seat_wait_min_p95": Measure("min", "p95", "wait for a seat with the meal in hand"),
    "eating_min_short": Measure(
        "pupil-day", "total", "diners who have under the limit of minutes from sitting down to the bell"
    ),
    "diners_peak": Measure("pupil", "max", "most diners of one sitting, over the days lived"),
    "seated_min": Measure("min", "total", "minutes in which seats are taken"),
    "beds_occupied": Measure("bed", "mean", "pupils asleep at school, mean over nights"),
    "bed_nights": Measure("bed-night", "total", "nights pupils slept at school"),
    "bed_refused": Measure("pupil-day", "total", "pupils who asked for a bed and have none"),
    "sick_nights": Measure("bed-night", "total", "nights a lodger lies ill in the dormitory"),
    "life_teacher_short_nights": Measure("night", "total", "nights with fewer life teachers than the norm asks for"),
    "stayed_pupils": Measure("pupil-day", "total", "pupils who could not go home and stayed for the night"),
    "emergency_beds": Measure("bed-night", "total", "of them, nights in a bed"),
    "emergency_refused": Measure("pupil-day", "total", "of them, nights without a bed"),
    "wash_visits": Measure("visit", "total", "visits to taps, basins, toilets and showers"),
    "wash_given_up": Measure("visit", "total", "of them, given up at the bell"),
    "wash_wait_min_mean": Measure("min", "mean", "wait in line for water, a toilet or a shower"),
    "wash_wait_min_p95": Measure("min", "p95", "wait in line for water, a toilet or a shower"),
    "gate_wait_min_mean": Measure("min", "mean", "wait of buses for a bay at the gate"),
    "gate_wait_min_p95": Measure("min", "p95", "wait of buses for a bay at the gate"),
    "gate_busy_min": Measure("min", "total", "minutes in which bays are taken"),
    "runs_driven": Measure("run", "total", "runs with pupils that were driven"),
    "runs_cancelled": Measure("run", "total", "planned runs that were not driven as planned"),
    "driver_missing_runs": Measure("run", "total", "of them, for want of a driver"),
    "attendant_missing_runs": Measure("run", "total", "of them, for want of an attendant"),
    "breakdowns": Measure("run", "total", "runs on which, or on the way to which, a bus broke down"),
    "spare_buses_out": Measure("bus", "max", "most spare buses out at once, over the days lived"),
    "bus_km": Measure("km", "total", "km driven, empty ways and second runs included"),
    "bus_hours": Measure("hour", "total", "hours from leaving the yard to being back"),
    "class_too_big": Measure("pupil-day", "total", "pupils beyond the places of the classrooms"),
    "school_closed": Measure("day", "total", "days on which none of a school's pupils is there"),
    "pupil_days_harmed": Measure("pupil-day", "total", "pupils harmed in any way, once a day"),
}
"""name -> what it counts; sites are schools, and `county` for all of them together."""
OF_THE_ROLL: dict[str, Measure] = {
    "roll": Measure("pupil", "mean", "pupils who come"),
    "class_size_primary": Measure("pupil/class", "mean", "pupils of a class, where the classrooms are known"),
    "class_size_junior": Measure("pupil/class", "mean", "pupils of a junior class, where the classrooms are known"),
}
"""Measures of a year as a whole and of every school, its days lived or not; only in annual.parquet."""
