"""What pupils lived in all: presence, and every harm with the one cause it is put down to.

Attribution is a convention (MODEL: the first shortage that binds), not a finding. Of one resource a pupil
counts once a day, with the graver harm; so the harms of a resource add up to its pupil-days.
"""

from __future__ import annotations

import numpy as np

from sim.measure import bus, dine
from sim.measure.scene import Scene, Values, rows
from sim.measure.site import counts
from sim.operate.diary import Diary
from sim.operate.pupils import IN, OUT
from sim.plan import Bools, Floats

Harm = tuple[str, str, str]
"""(resource, kind, cause)"""


def harms(scene: Scene, diary: Diary, days: range, service_min: Floats) -> dict[Harm, Bools]:
    """Return who was harmed, how, and why: (resource, kind, cause) -> (D, N)."""
    at = rows(diary, days)
    found = _bus_harms(scene, diary, days)
    hungry = np.asarray(dine.hungry(diary, days).any(axis=0))
    found["window", "hungry", "window"] = hungry
    found |= _haste(scene, diary, days, hungry, service_min)
    no_bed = diary.came[at] & scene.pupils.refused
    for sex, bed in enumerate(("bed_girls", "bed_boys")):
        found[bed, "no_bed", "bed"] = no_bed & (scene.pupils.sex == sex)
    return found


def _bus_harms(scene: Scene, diary: Diary, days: range) -> dict[Harm, Bools]:
    """Put down lost mornings, stranded afternoons and lateness to buses, seats, gates or the road."""
    at = rows(diary, days)
    lost, fetched = [], diary.fetched[:, at]
    for way in (IN, OUT):
        gone = bus.left_behind(scene, diary, days, way) & ~fetched[way]
        lost.append((gone & ~scene.has_bus[way], gone & scene.has_bus[way]))
    no_bus, no_seat = lost[IN][0] | lost[OUT][0], lost[IN][1] | lost[OUT][1]
    no_seat &= ~no_bus
    late = (bus.late_min(scene, diary, days) > 0) & ~(no_bus | no_seat)
    run = scene.stop_run(IN)
    gate_in_time = _gate_in_time(scene, diary, days, run)
    planned_late = np.append(scene.plan.runs.late_min > 0, False)[run]
    by_seat = late & fetched[IN]
    by_plan = late & ~by_seat & planned_late
    by_gate = late & ~by_seat & ~by_plan & gate_in_time
    return {
        ("bus", "left_behind", "bus"): no_bus,
        ("bus_seat", "left_behind", "bus_seat"): no_seat,
        ("bus_seat", "late", "bus_seat"): by_seat,
        ("bus", "late", "bus"): by_plan,
        ("gate_bay", "late", "gate_bay"): by_gate,
        ("bus", "late", "road"): late & ~by_seat & ~by_plan & ~by_gate,
    }


def _gate_in_time(scene: Scene, diary: Diary, days: range, run: np.ndarray) -> Bools:
    """Tell whose run would have let them alight before the bell had a bay been free; (D, N)."""
    at = rows(diary, days)
    padded = np.hstack([diary.took_bay[at] - diary.reached_gate[at], np.full((len(days), 1), np.nan)])
    late = bus.late_min(scene, diary, days)
    return np.asarray(late - np.nan_to_num(padded[:, run]) <= 0)


def _haste(scene: Scene, diary: Diary, days: range, hungry: Bools, service_min: Floats) -> dict[Harm, Bools]:
    """Put down a hasty meal to the line at the window or to the wait for a seat, whichever was longer."""
    at = rows(diary, days)
    in_line = diary.served[:, at] - service_min[:, at] - diary.queued[:, at]
    for_seat = np.where(np.isnan(diary.seated[:, at]), np.inf, diary.seated[:, at] - diary.served[:, at])
    hasty = dine.hasty(scene, diary, days)
    with np.errstate(invalid="ignore"):
        seat = (hasty & (for_seat > in_line)).any(axis=0) & ~hungry
    window = hasty.any(axis=0) & ~seat & ~hungry
    return {("window", "haste", "window"): window, ("canteen_seat", "haste", "canteen_seat"): seat}


def measures(scene: Scene, diary: Diary, days: range, found: dict[Harm, Bools]) -> Values:
    """Measure presence and harm of the days; (S + 1,) each."""
    at, parts = rows(diary, days), scene.parts
    here = diary.attended[at]
    anyone = np.zeros_like(here)
    for who in found.values():
        anyone |= who
    school = np.append(np.diff(scene.pupils.first), 0)
    too_many = sum(
        np.maximum(counts(here[d : d + 1], parts)[:-1] - scene.plan.class_places, 0) for d in range(len(days))
    )
    return {
        "pupils_present": counts(here, parts),
        "absent_pupils": counts(~here, parts),
        "pupil_days_harmed": counts(anyone, parts),
        "class_too_big": np.append(np.where(school[:-1] > 0, too_many, np.nan), np.sum(too_many)),
    }
