"""What pupils lived in all: presence, and every harm with the one cause it is put down to.

Attribution is a convention (MODEL: the first shortage that binds), not a finding: of one kind of harm a pupil
has one cause a day, and of one resource a pupil counts once a day, with the graver harm. So the harms of a kind
add up over causes, and those of a resource are its pupil-days.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.measure import bus, dine, lodge, wash
from sim.measure.scene import Scene, Values, rows
from sim.measure.site import by_day, counts
from sim.operate.diary import (
    BREAKDOWN,
    BREAKFAST,
    BUS,
    CAUSES,
    LINE_BUS_SEAT,
    NO_CAUSE,
    ROAD,
    WEATHER,
    Diary,
)
from sim.operate.pupils import IN, OUT
from sim.plan import Bools, Ints
from sim.tables.run import CAUSES as ORDER
from sim.tables.run import HARM_KINDS

Harm = tuple[str, str, str]
"""(resource, kind, cause)"""
Codes = NDArray[np.int8]
WHY = (*CAUSES, "gate_bay")
GATE_BAY = len(CAUSES)
OF_BUS = ("weather", "road", "breakdown", "bus")
"""Causes that are put to the account of the buses; the others are resources themselves."""


def harms(
    scene: Scene, diary: Diary, days: range, fate: dine.Codes, lines: wash.Lines | None = None
) -> dict[Harm, Bools]:
    """Return who was harmed, how, and why: (resource, kind, cause) -> (D, N); given the fates of all meals.

    lines: what `wash.in_line` tells of the days, where that is there already.
    """
    beds = lodge.without_bed(scene, diary, days)
    found = {
        **_by_cause("left_behind", _lost_why(scene, diary, days)),
        **_by_cause("late", _late_why(scene, diary, days)),
        **_missed_why(scene, diary, days, fate[BREAKFAST] == dine.MISSED),
        ("bed_girls", "no_bed", "bed"): beds & (scene.pupils.sex == 0),
        ("bed_boys", "no_bed", "bed"): beds & (scene.pupils.sex == 1),
        ("kitchen", "hungry", "kitchen"): (fate == dine.NOT_COOKED).any(axis=0),
        ("window", "hungry", "window"): (fate == dine.NOT_SERVED).any(axis=0),
        ("window", "haste", "window"): (fate == dine.WINDOW_HASTE).any(axis=0),
        ("canteen_seat", "haste", "canteen_seat"): (fate == dine.SEAT_HASTE).any(axis=0),
        **wash.harms(scene, diary, days, lines or wash.in_line(scene, diary, days)),
    }
    return _once(found)


def _once(found: dict[Harm, Bools]) -> dict[Harm, Bools]:
    """Count a pupil once a day for each kind, under its first cause, and once for each resource, with the gravest."""
    kept, of_kind, of_resource = {}, dict[str, Bools](), dict[str, Bools]()
    nobody = np.zeros_like(next(iter(found.values())))
    for key in sorted(found, key=lambda key: (HARM_KINDS.index(key[1]), ORDER.index(key[2]))):
        resource, kind, _ = key
        if not found[key].any():  # most causes on most days
            kept[key] = found[key]
            continue
        counted, hurt = of_kind.get(kind, nobody), of_resource.get(resource, nobody)
        who = found[key] & ~counted
        kept[key] = who & ~hurt
        of_kind[kind], of_resource[resource] = counted | who, hurt | who
    return kept


def _by_cause(kind: str, why: Codes) -> dict[Harm, Bools]:
    """Split (D, N) positions in WHY into who was harmed by which cause."""
    return {
        ("bus" if cause in OF_BUS else cause, kind, cause): np.asarray(why == code)
        for code, cause in enumerate(WHY)
        if code != NO_CAUSE
    }


def _lost_why(scene: Scene, diary: Diary, days: range) -> Codes:
    """Return why pupils lost their way to school or home and nobody fetched them; (D, N) positions in WHY."""
    why = np.where(diary.left_why == NO_CAUSE, BUS, diary.left_why)[:, rows(diary, days)]
    lost = [bus.stranded(scene, diary, days, way) for way in (IN, OUT)]
    return np.where(lost[IN], why[IN], np.where(lost[OUT], why[OUT], NO_CAUSE)).astype(np.int8)


def _late_why(scene: Scene, diary: Diary, days: range) -> Codes:
    """Return why pupils were late; (D, N) positions in WHY.

    Who was left behind first has the cause of that. Else the delays of the run are added up in the order
    weather (a detour is put down to the road), breakdown, timetable, gate; the one without which the pupil had been
    in time is the cause. What none of them explains is slow traffic: the road.
    """
    late = bus.late_min(scene, diary, days)
    out = np.zeros(late.shape, dtype=np.int8)
    row, who = np.nonzero(late > 0)
    day, minutes, run = row + days.start, late[row, who], scene.stop_run(IN)[who]
    call = scene.stop_call(IN)[who]
    on_bus = ~np.isnan(diary.alighted_in[day, who]) & (run >= 0)

    def told(page: NDArray[np.float64], of: Ints) -> NDArray[np.float64]:
        return np.append(np.nan_to_num(page), np.zeros((len(page), 1)), axis=1)[day, np.where(on_bus, of, -1)]

    weather = told(diary.weather_min, call)
    broke = weather + told(diary.broke_min, call)
    gate = broke + told(diary.took_bay - diary.reached_gate, call)
    detour = told(diary.run_km, run) > np.append(scene.table.run_km, np.inf)[run] + 0.05  # km: not a matter of rounding
    left = np.where(np.isnan(diary.left_in[day, who]), NO_CAUSE, diary.left_why[IN, day, who])
    cases = {
        LINE_BUS_SEAT: ~on_bus & (minutes <= diary.line_wait[day, who]),
        ROAD: on_bus & (minutes <= weather) & detour,
        WEATHER: (on_bus & (minutes <= weather)) | (~on_bus & (diary.sky[day, 0] > 0)),
        BREAKDOWN: minutes <= broke,
        BUS: np.append(scene.plan.runs.late_min > 0, False)[run],
        GATE_BAY: minutes <= gate,
    }
    out[row, who] = np.select([left > 0, *cases.values()], [left, *cases], ROAD)
    return out


def _missed_why(scene: Scene, diary: Diary, days: range, missed: Bools) -> dict[Harm, Bools]:
    """Split those who missed breakfast (D, N) by what held up their bus: weather, a breakdown, else the road."""
    row, who = np.nonzero(missed)
    call = scene.stop_call(IN)[who]
    weather, broke = (page[row + days.start, call] > 0 for page in (diary.weather_min, diary.broke_min))
    found = {}
    for cause, held_up in {"weather": weather, "breakdown": broke & ~weather, "road": ~weather & ~broke}.items():
        found["bus", "hungry", cause] = harmed = np.zeros_like(missed)
        harmed[row[held_up], who[held_up]] = True
    return found


def measures(scene: Scene, diary: Diary, days: range, found: dict[Harm, Bools]) -> Values:
    """Measure presence and harm of the days; (S + 1,) each."""
    here, parts = diary.attended[rows(diary, days)], scene.parts
    anyone = np.zeros_like(here)
    for who in found.values():
        anyone |= who
    present, roll = by_day(here, parts)[:, :-1], np.diff(scene.pupils.first)
    crowd = np.maximum(present - scene.plan.class_places, 0).sum(axis=0)
    shut = ((present == 0) & (roll > 0)).sum(axis=0).astype(float)
    return {
        "pupils_present": counts(here, parts),
        "absent_pupils": counts(~here, parts),
        "pupil_days_harmed": counts(anyone, parts),
        "school_closed": np.append(shut, shut.sum()),
        "class_too_big": np.append(np.where(roll > 0, crowd, np.nan), crowd.sum()),
    }
