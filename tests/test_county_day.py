"""The product's diary against a plain SimPy model of the whole county with one process per pupil."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import NamedTuple

import county_day
import living
import numpy as np
import pytest
from living import job, lived

from sim.chance import YearLuck
from sim.config import load
from sim.county import County, read_county
from sim.live import Job, counts, lived_weeks, term_of
from sim.operate.diary import BREAKDOWN, BUS, ROAD, Diary
from sim.operate.luck import WeekLuck
from sim.operate.pupils import IN, OUT
from sim.operate.stage import Stage, stage

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
    "ice for two days, and no buses": (
        ("stress=ice_week", "stress.weeks=[]", "stress.days=[1, 2]", "weather.skies.ice.buses_run=false",
         "weather.skies.ice.stay_home_share=0.5", "health.absence_share=0.3", "lodge.junior_share=0.5",
         "lodge.primary_share=0", "seed=1"),
        ("stayed", "ill and brought home", "ill and at school again", "kept at home", "there, else kept at home"),
    ),
    "no buses for a week": (
        ("stress=ice_week", "stress.weeks=[]", "weather.skies.ice.buses_run=false"),
        ("stayed", "a lodger's bed on the last day"),
    ),
    "repaired in the afternoon": (
        ("fleet.breakdown_per_km=0.2", "fleet.repair_min=350", "fleet.spare_share=0"), ("given up: breakdown",),
    ),
    "repaired in the evening": (
        ("fleet.breakdown_per_km=0.2", "fleet.repair_min=700", "fleet.spare_share=0", "lodge.bus_share=0"),
        ("given up: the morning's breakdown", "home without a school day"),
    ),
    "lodgers who come after lunch": (
        ("fleet.breakdown_per_km=0.01", "fleet.repair_min=200", "fleet.reserve_attendant_share=0",
         "fleet.noise_leg_sd=0.6", "seed=277500"),
        ("to bed without a school day",),
    ),
    "no buses at all": (("fleet.buses=0",), ("fetched, because the plan has no bus",)),
    "a road is cut, and no bus for lodgers": (
        ("stress=road_cut", "stress.weeks=[]", "lodge.bus_share=0"), ("cancelled", "a lodger cut off"),
    ),
    "without luck": (
        ("fleet.noise_day_sd=0", "fleet.noise_leg_sd=0", "dine.service_sd_log=0", "dine.eat_sd_log=0",
         "dine.walk_sd_min=0"),
        USUAL,
    ),
}  # fmt: skip
"""what is tried -> (settings, kinds of event or scenes that must have happened)"""


class Both(NamedTuple):
    """The diaries of the product and of the plain model, and what both have lived from."""

    diary: Diary
    plain: Diary
    stage: Stage
    luck: WeekLuck


SCENES: dict[str, Callable[[Diary, Stage, WeekLuck], np.ndarray]] = {
    "ill and brought home": lambda d, s, _: d.slept & ~d.came & ~s.pupils.has_bed & there(d.embarked_out),
    "ill and at school again": lambda d, s, _: d.slept & ~d.came & ~s.pupils.has_bed & there(d.stayed),
    "kept at home": lambda d, _, luck: luck.kept & luck.well & ~d.came,
    "there, else kept at home": lambda d, _, luck: luck.kept & d.slept & d.came,
    "a lodger's bed on the last day": lambda d, s, _: guests(d, s) > np.maximum(s.beds.ravel() - lodgers(s), 0),
    "given up: breakdown": lambda d, s, _: (d.cancel_why == BREAKDOWN) & (np.array(s.table.bus) >= 0),
    "given up: the morning's breakdown": lambda d, s, _: (
        (d.cancel_why == BREAKDOWN) & homeward(s) & ~(there(d.broke_down) & homeward(s)).any(axis=1, keepdims=True)
    ),
    "home without a school day": lambda d, *_: ~d.attended & there(d.alighted_in) & there(d.embarked_out),
    "to bed without a school day": lambda d, *_: ~d.attended & there(d.alighted_in) & there(d.to_bed),
    "fetched, because the plan has no bus": lambda d, s, _: d.attended & (d.left_why[OUT] == BUS) & ~there(d.stayed),
    "a lodger cut off": lambda d, s, _: s.pupils.has_bed & (d.left_why[IN] == ROAD),
}
"""what has happened to a pupil, in a dormitory or to a run, on a day -> whether it has"""


def there(times: np.ndarray) -> np.ndarray:
    return ~np.isnan(times)


def homeward(stage: Stage) -> np.ndarray:
    """Tell which runs go home; (R,)."""
    return np.array(stage.table.direction) == OUT


def lodgers(stage: Stage) -> np.ndarray:
    """Count those who have a bed, by school and sex."""
    pupils = stage.pupils
    return np.bincount((pupils.school * 2 + pupils.sex)[pupils.has_bed], minlength=stage.beds.size)


def guests(diary: Diary, stage: Stage) -> np.ndarray:
    """Count those who lie in a bed that is not theirs in the last night, by school and sex."""
    pupils = stage.pupils
    here = ~pupils.has_bed & there(diary.to_bed[-1])
    return np.bincount((pupils.school * 2 + pupils.sex)[here], minlength=stage.beds.size)


def both(here: Job, days: int | None = None) -> Both:
    """Live one week in the product and in the plain model."""
    plan, luck = here.plan.years[0], YearLuck(here.settings.seed, 0, here.plan.years[0].year)
    calendar = here.county.calendar
    week = int(lived_weeks(here, luck).week[0])
    term = term_of(calendar, int(np.flatnonzero(calendar.week == week)[0]))
    _, diary, fortune = lived(here, week=week, days=days)
    set_up = stage(here.county, here.settings, here.ways, plan, counts(here, 0)[0], luck, term)
    return Both(diary, county_day.live(here.settings, set_up, fortune), set_up, fortune)


def differences(a: Diary, b: Diary) -> list[str]:
    """Name the kinds of event of which two diaries do not tell the same."""
    return [kind.name for kind in fields(Diary) if not _same(getattr(a, kind.name), getattr(b, kind.name))]


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    if a.dtype.kind != "f":
        return np.array_equal(a, b)
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=EXACT_TO_MIN, equal_nan=True)


def missed(week: Both, *what: str) -> list[str]:
    """Name the kinds of event and the scenes that did not happen at all."""
    scenes = {name: scene(week.diary, week.stage, week.luck) for name, scene in SCENES.items() if name in what}
    return [name for name in what if not np.nan_to_num(scenes.get(name, getattr(week.diary, name, None))).any()]


@pytest.mark.parametrize("what", CASES)
def test_a_week_of_three_villages_is_the_same_in_plain_simpy(what: str) -> None:
    overrides, kinds = CASES[what]
    week = both(job(*VILLAGES, *overrides))
    assert differences(week.diary, week.plain) == []
    assert missed(week, *kinds) == []


def test_a_public_bus_with_few_seats_is_the_same_in_plain_simpy(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_lines(path: Path) -> County:
        county = read_county(path)
        return replace(county, hamlets=replace(county.hamlets, line_bus=np.ones(len(county.hamlets.id), dtype=bool)))

    monkeypatch.setattr(living, "county_in", with_lines)
    settings = load([*VILLAGES, "fleet.line_bus_share=1", "fleet.family_share=0", "fleet.line_bus_seats=1"])
    week = both(living.planned(settings))
    assert differences(week.diary, week.plain) == []
    assert missed(week, "line_in", "line_wait") == []


def test_a_day_without_another_is_the_same_in_plain_simpy() -> None:
    week = both(job(*VILLAGES), days=1)
    assert differences(week.diary, week.plain) == []


def test_pupils_stations_and_meals_are_the_same_to_the_last_bit() -> None:
    week = both(job(*VILLAGES))
    for kind in (*USUAL, "embarked_in", "embarked_out", "queued", "at_window", "left", "joined", "began"):
        np.testing.assert_array_equal(getattr(week.diary, kind), getattr(week.plain, kind), err_msg=kind)


HARD_DAYS = (
    "fleet.breakdown_per_km=0.01", "fleet.repair_min=200", "fleet.buses=90", "fleet.line_bus_share=0.4",
    "fleet.line_bus_seats=3", "dine.kitchen_scale=0.5",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "kinds"),
    [((), USUAL), (HARD_DAYS, ("second_left", "line_wait", "short", "given up: breakdown", "ill and brought home"))],
)
def test_two_days_of_huichang_are_the_same_in_plain_simpy(overrides: tuple[str, ...], kinds: tuple[str, ...]) -> None:
    week = both(job(*HUICHANG, *overrides), days=2)
    assert differences(week.diary, week.plain) == []
    assert missed(week, *kinds) == []
