"""The product's diary against a plain SimPy model of the whole county with one process per pupil."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import county_day
import living
import numpy as np
import pytest
from living import job, lived

from sim.chance import YearLuck
from sim.config import load
from sim.county import County, read_county
from sim.live import Job, counts, lived_weeks, term_of
from sim.operate.diary import Diary
from sim.operate.stage import stage

VILLAGES = ("county=three_villages", "calendar=smoke", "study.years=1", "study.replications=1", "plan=mean")
HUICHANG = ("county=huichang", "calendar=smoke", "study.years=1", "study.replications=1")
EXACT_TO_MIN = 1e-9
"""A breakdown adds the same minutes in another order."""
USUAL = ("alighted_in", "alighted_out", "served", "seated", "done", "to_bed")
CASES = {
    "an ordinary week": ((), USUAL),
    "breakdowns": (("fleet.breakdown_per_km=0.05",), ("broke_down", "went_on", "broke_min")),
    "spare buses": (
        ("fleet.breakdown_per_km=0.05", "fleet.spare_share=1", "fleet.reserve_driver_share=1",
         "fleet.reserve_attendant_share=1", "fleet.repair_min=600"),
        ("spare_left", "spare_min"),
    ),
    "absent drivers": (
        ("fleet.driver_absent_share=0.5", "fleet.reserve_driver_share=0"), ("no_driver", "cancelled", "left_in"),
    ),
    "absent attendants": (
        ("fleet.attendant_absent_share=0.7", "fleet.reserve_attendant_share=0"), ("no_attendant", "cancelled"),
    ),
    "too few buses": (("fleet.buses=1",), USUAL),
    "late guardians": (
        ("fleet.guardian_late_share=0.9", "fleet.handover_to_grade=9", "fleet.guardian_late_min=6"), ("carried_on",),
    ),
    "breakfast waits": (("dine.breakfast_rider_share=1", "fleet.breakdown_per_km=0.02"), ("broke_down", "left")),
    "windows by timetable": (
        ("dine.shifts=[{share: 0.5, opens_after_min: 0, closes_after_min: 9},"
         "{share: 0.5, opens_after_min: 6, closes_after_min: 12}]", "dine.service_min=1.5", "dine.sittings_most=1"),
        ("served",),
    ),
    "several sittings and few meals": (
        ("dine.seats_scale=0.05", "dine.kitchen_scale=0.05", "dine.kitchen_sitting_share=0.5"), ("short",),
    ),
    "little water": (("wash.toilets_scale=0.01", "wash.taps_scale=0", "wash.basins_scale=0.01"), ("joined", "done")),
    "ice": (("stress=ice_week", "stress.weeks=[]"), ("weather_min",)),
    "a road is cut": (("stress=road_cut", "stress.weeks=[]"), ("cancelled", "left_why")),
    "flu": (("stress=flu_week", "stress.weeks=[]"), USUAL),
    "a kitchen is down": (("stress=kitchen_down", "stress.weeks=[]"), ("short",)),
    "no water": (("stress=water_off", "stress.weeks=[]"), ("joined",)),
    "everything at once": (("stress=all_at_once", "stress.weeks=[]"), ("cancelled", "left_why")),
    "without luck": (
        ("fleet.noise_day_sd=0", "fleet.noise_leg_sd=0", "dine.service_sd_log=0", "dine.eat_sd_log=0",
         "dine.walk_sd_min=0"),
        USUAL,
    ),
}  # fmt: skip
"""what is tried -> (settings, kinds of event that must have happened)"""


def both(here: Job, days: int | None = None) -> tuple[Diary, Diary]:
    """Live one week in the product and in the plain model; return both diaries."""
    plan, luck = here.plan.years[0], YearLuck(here.settings.seed, 0, here.plan.years[0].year)
    calendar = here.county.calendar
    week = int(lived_weeks(here, luck).week[0])
    term = term_of(calendar, int(np.flatnonzero(calendar.week == week)[0]))
    _, diary, fortune = lived(here, week=week, days=days)
    set_up = stage(here.county, here.settings, here.ways, plan, counts(here, 0)[0], luck, term)
    return diary, county_day.live(here.settings, set_up, fortune)


def differences(a: Diary, b: Diary) -> list[str]:
    """Name the kinds of event of which two diaries do not tell the same."""
    return [kind.name for kind in fields(Diary) if not _same(getattr(a, kind.name), getattr(b, kind.name))]


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    if a.dtype.kind != "f":
        return np.array_equal(a, b)
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=EXACT_TO_MIN, equal_nan=True)


def happened(diary: Diary, kind: str) -> bool:
    """Tell whether a kind of event is told at all."""
    page = getattr(diary, kind)
    return bool((~np.isnan(page)).any() if page.dtype.kind == "f" else page.any())


@pytest.mark.parametrize("what", CASES)
def test_a_week_of_three_villages_is_the_same_in_plain_simpy(what: str) -> None:
    overrides, kinds = CASES[what]
    diary, plain = both(job(*VILLAGES, *overrides))
    assert differences(diary, plain) == []
    assert [kind for kind in kinds if not happened(diary, kind)] == []


def test_a_public_bus_with_few_seats_is_the_same_in_plain_simpy(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_lines(path: Path) -> County:
        county = read_county(path)
        return replace(county, hamlets=replace(county.hamlets, line_bus=np.ones(len(county.hamlets.id), dtype=bool)))

    monkeypatch.setattr(living, "read_county", with_lines)
    settings = load([*VILLAGES, "fleet.line_bus_share=1", "fleet.family_share=0", "fleet.line_bus_seats=1"])
    diary, plain = both(living.planned(settings))
    assert differences(diary, plain) == []
    assert happened(diary, "line_wait")


def test_a_day_without_another_is_the_same_in_plain_simpy() -> None:
    diary, plain = both(job(*VILLAGES), days=1)
    assert differences(diary, plain) == []


def test_pupils_stations_and_meals_are_the_same_to_the_last_bit() -> None:
    diary, plain = both(job(*VILLAGES))
    for kind in (*USUAL, "embarked_in", "embarked_out", "queued", "at_window", "left", "joined", "began"):
        np.testing.assert_array_equal(getattr(diary, kind), getattr(plain, kind), err_msg=kind)


HARD_DAYS = (
    "fleet.breakdown_per_km=0.01", "fleet.repair_min=200", "fleet.buses=90", "fleet.line_bus_share=0.4",
    "fleet.line_bus_seats=3", "dine.kitchen_scale=0.5",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("overrides", [(), HARD_DAYS])
def test_two_days_of_huichang_are_the_same_in_plain_simpy(overrides: tuple[str, ...]) -> None:
    diary, plain = both(job(*HUICHANG, *overrides), days=2)
    assert differences(diary, plain) == []
