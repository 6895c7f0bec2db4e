"""Measures and harm from diaries made by hand: what is told, why, and that it adds up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from living import BY_HEART, job, lived

from sim.measure import MEASURES, bus, dine, lodge, pupil
from sim.measure.scene import Scene
from sim.measure.site import by_day, stats
from sim.measure.year import Tally
from sim.operate.diary import (
    ATTENDANT,
    BREAKFAST,
    BUS_SEAT,
    DINNER,
    DRIVER,
    LINE_BUS_SEAT,
    LUNCH,
    Diary,
    blank,
)
from sim.operate.pupils import IN, OUT
from sim.plan import SCHOOL_BUS
from sim.tables.run import CAUSES, HARM_KINDS
from sim.units import MINUTES_PER_DAY

TWO_DAYS = range(2)
TIMES = {name for name, kind in Diary.__dataclass_fields__.items() if kind.metadata["sort"] == "time"}
"""Pages that are NaN when nothing happened; the others are 0."""


@pytest.fixture(scope="module")
def scene() -> Scene:
    return lived(job(*BY_HEART))[0]


@pytest.fixture
def diary(scene: Scene) -> Diary:
    """Two days on which all pupils are at school and nothing else happens."""
    of = {"pupil": len(scene.pupils), "stop": len(scene.table.run_of_stop), "run": len(scene.table.stops)}
    empty = blank(
        2, of | {"call": of["run"], "bus": 1, "visit": len(scene.visits), "school": len(scene.county.schools.id)}
    )
    empty.came[:], empty.attended[:] = True, True
    return empty


def harms(scene: Scene, diary: Diary, days: range = TWO_DAYS) -> dict[tuple[str, str, str], int]:
    """Return the pupil-days of each harm that happened."""
    found = pupil.harms(scene, diary, days, dine.fates(scene, diary, days))
    return {key: int(who.sum()) for key, who in found.items() if who.any()}


def rider(scene: Scene) -> int:
    """Return a pupil who rides a school bus every day."""
    return int(np.flatnonzero(scene.pupils.mode == SCHOOL_BUS)[0])


def come(scene: Scene, diary: Diary, who: int, late_min: float, day: int = 0) -> int:
    """Let a rider come by bus so many minutes after the first bell; return the run."""
    diary.embarked_in[day, who] = day * MINUTES_PER_DAY + 400
    diary.alighted_in[day, who] = day * MINUTES_PER_DAY + scene.bell(day == 0)[who] + late_min
    return int(scene.stop_run(IN)[who])


# --- sums and quantiles ---


@settings(deadline=None, max_examples=50)
@given(arrays(float, (2, 9), elements=st.one_of(st.just(np.nan), st.integers(-3, 3).map(float), st.floats(-9, 9))))
def test_numbers_by_school_are_those_of_numpy(values: np.ndarray) -> None:
    parts = np.array([[0, 4], [4, 4], [4, 9], [0, 9]])
    for (low, high), found in zip(parts, stats(values, parts), strict=True):
        seen = np.sort(values[:, low:high], axis=None)
        seen = seen[~np.isnan(seen)]
        assert found[0] == len(seen)
        assert found[1] == pytest.approx(seen.sum(), abs=1e-9)
        if len(seen):
            assert found[2] == seen[int(np.ceil(0.95 * len(seen))) - 1]
            assert found[3] == seen[-1]


def test_many_values_have_the_nearest_rank(scene: Scene) -> None:
    values = np.random.default_rng(1).lognormal(1, 2, (3, 1000))
    found = stats(values, np.array([[0, 1000], [0, 1000]]))
    assert found[1, 2] == np.sort(values, axis=None)[2849]
    assert np.isinf(stats(np.where(values > 9, np.inf, values), np.array([[0, 1000], [0, 1000]]))[0, 3])


def test_flags_are_counted_by_day() -> None:
    flags = np.array([[True, False, True], [False, False, True]])
    assert by_day(flags, np.array([[0, 2], [2, 3], [0, 3]])).tolist() == [[1, 1, 2], [0, 1, 1]]


# --- lateness: the delay without which the pupil had been in time ---


@pytest.mark.parametrize(
    ("delays", "cause"),
    [
        ({}, "road"),
        ({"weather_min": 10.0}, "weather"),
        ({"weather_min": 9.0}, "road"),
        ({"weather_min": 10.0, "run_km": 1000.0}, "road"),
        ({"weather_min": 4.0, "broke_min": 6.0}, "breakdown"),
        ({"broke_min": 5.0, "reached_gate": 470.0, "took_bay": 475.0}, "gate_bay"),
    ],
)
def test_ten_minutes_late_and_why(scene: Scene, diary: Diary, delays: dict[str, float], cause: str) -> None:
    run = come(scene, diary, rider(scene), 10.0)
    for page, value in delays.items():
        getattr(diary, page)[0, run] = value
    assert harms(scene, diary) == {("gate_bay" if cause == "gate_bay" else "bus", "late", cause): 1}


def test_whoever_was_left_behind_first_is_late_for_that(scene: Scene, diary: Diary) -> None:
    who = rider(scene)
    run = come(scene, diary, who, 30.0)
    diary.weather_min[0, run] = 99.0
    diary.left_in[0, who], diary.left_why[IN, 0, who] = 440.0, BUS_SEAT
    assert harms(scene, diary) == {("bus_seat", "late", "bus_seat"): 1}
    told = bus.pupil_measures(scene, diary, TWO_DAYS, *two_arrays(scene, diary))
    assert [told[name][-1] for name in ("pupils_left_behind", "pupils_fetched", "late_pupils")] == [1, 1, 1]
    assert told["late_min_total"][-1] == 30


def two_arrays(scene: Scene, diary: Diary) -> tuple[np.ndarray, np.ndarray]:
    return bus.ride_min(scene, diary, TWO_DAYS), bus.door_min(scene, diary, TWO_DAYS)


def test_a_full_public_bus_makes_late(scene: Scene, diary: Diary) -> None:
    walker = int(np.flatnonzero(scene.stop_run(IN) < 0)[0])
    diary.line_in[1, walker] = MINUTES_PER_DAY + scene.bell(False)[walker] + 12.0
    diary.line_wait[1, walker] = 30.0
    assert harms(scene, diary) == {("line_bus_seat", "late", "line_bus_seat"): 1}
    diary.line_wait[1, walker], diary.sky[1, 0] = 0.0, 2
    assert harms(scene, diary) == {("bus", "late", "weather"): 1}


# --- left behind ---


@pytest.mark.parametrize(
    ("why", "harm"),
    [
        (DRIVER, ("driver", "left_behind", "driver")),
        (ATTENDANT, ("attendant", "left_behind", "attendant")),
        (LINE_BUS_SEAT, ("line_bus_seat", "left_behind", "line_bus_seat")),
    ],
)
def test_a_lost_day_counts_once_with_the_cause_of_the_morning(
    scene: Scene, diary: Diary, why: int, harm: tuple[str, str, str]
) -> None:
    who = rider(scene)
    diary.left_in[1, who], diary.left_why[IN, 1, who] = MINUTES_PER_DAY + 440.0, why
    diary.left_out[1, who], diary.left_why[OUT, 1, who] = MINUTES_PER_DAY + 990.0, BUS_SEAT
    assert harms(scene, diary) == {harm: 1}
    assert harms(scene, diary, range(1)) == {}


# --- meals ---


def eat(diary: Diary, meal: int, who: int, times: tuple[float, ...], bell: float) -> None:
    """Write one meal of the first day: queued, at_window, served, seated, left."""
    for page, minute in zip(("queued", "at_window", "served", "seated", "left"), times, strict=True):
        getattr(diary, page)[meal, 0, who] = minute
    diary.bell[meal, 0, who] = bell


def test_what_became_of_each_meal(scene: Scene, diary: Diary) -> None:
    nan = np.nan
    eat(diary, LUNCH, 0, (712.0, 713.0, 714.0, 714.0, 728.0), 750.0)  # fed
    eat(diary, LUNCH, 1, (712.0, 713.0, 714.0, 735.0, 748.0), 750.0)  # 15 minutes seated, after 21 without a seat
    eat(diary, LUNCH, 2, (712.0, 734.0, 735.0, 735.0, 748.0), 750.0)  # 15 minutes seated, after 22 in line
    eat(diary, LUNCH, 3, (712.0, nan, nan, nan, nan), 750.0)
    eat(diary, LUNCH, 4, (712.0, nan, nan, nan, nan), 750.0)
    eat(diary, BREAKFAST, 4, (421.0, 422.0, 423.0, nan, nan), 460.0)  # never a seat
    diary.short[LUNCH, 0, 4] = 1
    fate = dine.fates(scene, diary, TWO_DAYS)
    assert fate[LUNCH, 0, :6].tolist() == [
        dine.FED, dine.SEAT_HASTE, dine.WINDOW_HASTE, dine.NOT_SERVED, dine.NOT_COOKED, dine.NO_MEAL
    ]  # fmt: skip
    assert harms(scene, diary) == {
        ("kitchen", "hungry", "kitchen"): 1,
        ("window", "hungry", "window"): 1,
        ("window", "haste", "window"): 1,
        ("canteen_seat", "haste", "canteen_seat"): 2,
    }
    told = {name: value[-1] for name, value in dine.measures(scene, diary, TWO_DAYS, fate).items()}
    assert (told["meals_lunch"], told["meals_breakfast"], told["meals_served"]) == (3, 1, 4)
    assert (told["meals_unserved"], told["kitchen_short"], told["eating_min_short"]) == (2, 1, 3)
    assert told["window_wait_min_mean"] == (1 + 1 + 22 + 1) / 4
    assert told["window_wait_min_p95"] == 22
    assert told["window_busy_min"] == 4
    assert told["seat_wait_min_p95"] == 21
    assert told["seated_min"] == 14 + 13 + 13
    assert told["kitchen_peak"] == 5


def test_one_window_harm_a_day_the_graver(scene: Scene, diary: Diary) -> None:
    eat(diary, LUNCH, 0, (712.0, np.nan, np.nan, np.nan, np.nan), 750.0)
    eat(diary, BREAKFAST, 0, (420.0, 450.0, 451.0, 451.0, 460.0), 460.0)
    assert harms(scene, diary) == {("window", "hungry", "window"): 1}


def early(scene: Scene, *who: int) -> Scene:
    """Let some pupils want breakfast at school."""
    wants = np.zeros(len(scene.pupils), dtype=bool)
    wants[list(who)] = True
    diner = scene.halls.diner.copy()
    diner[BREAKFAST] |= wants
    return replace(scene, pupils=replace(scene.pupils, breakfasts=wants), halls=replace(scene.halls, diner=diner))


@pytest.mark.parametrize(
    ("delays", "cause"),
    [
        ({}, "road"),
        ({"broke_min": 1.0}, "breakdown"),
        ({"weather_min": 1.0, "broke_min": 9.0}, "weather"),
    ],
)
@pytest.mark.parametrize("stood_in_line", [False, True])
def test_a_bus_too_late_for_breakfast_harms_and_no_window_is_short(
    scene: Scene, diary: Diary, delays: dict[str, float], cause: str, stood_in_line: bool
) -> None:
    who = rider(scene)
    run, wants = come(scene, diary, who, -1.0), early(scene, who)
    for page, value in delays.items():
        getattr(diary, page)[0, run] = value
    if stood_in_line:  # at the very bell, and the kitchen had nothing left either
        eat(diary, BREAKFAST, who, (460.0, np.nan, np.nan, np.nan, np.nan), 460.0)
        diary.short[BREAKFAST, 0, who] = 1
    assert harms(wants, diary) == {("bus", "hungry", cause): 1}
    fate = dine.fates(wants, diary, TWO_DAYS)
    told = {name: value[-1] for name, value in dine.measures(wants, diary, TWO_DAYS, fate).items()}
    assert (told["meals_unserved"], told["breakfasts_missed"], told["kitchen_short"]) == (1, 1, 0)
    assert (told["kitchen_peak"], told["diners_peak"]) == (0, 0)


def test_whoever_slept_at_school_or_did_not_come_misses_no_bus_for_breakfast(scene: Scene, diary: Diary) -> None:
    who = rider(scene)
    wants = early(scene, who)
    assert harms(wants, diary) == {}  # never alighted
    come(scene, diary, who, -1.0)
    eat(diary, BREAKFAST, who, (430.0, 431.0, 432.0, 432.0, 445.0), 460.0)
    assert harms(wants, diary) == {}
    eat(diary, BREAKFAST, who, (np.nan,) * 5, np.nan)
    diary.slept[0, who] = True
    assert harms(wants, diary) == {}


def test_the_late_dinner_is_a_sitting_of_its_own(scene: Scene, diary: Diary) -> None:
    school = int(np.argmax(np.bincount(scene.pupils.school)))
    here = np.flatnonzero((scene.pupils.school == school) & (scene.halls.sitting[DINNER] == 0))[:5]
    for who in here:
        eat(diary, DINNER, int(who), (1080.0, 1081.0, 1082.0, 1082.0, 1100.0), 1120.0)
    diary.stayed[0, here[:2]] = 1140.0
    told = dine.measures(scene, diary, TWO_DAYS, dine.fates(scene, diary, TWO_DAYS))
    assert (told["diners_peak"][school], told["kitchen_peak"][school]) == (3, 5)


# --- nights ---


def test_whoever_woke_up_at_school_came_from_no_door(scene: Scene, diary: Diary) -> None:
    walkers = np.flatnonzero(~scene.pupils.has_bed & (scene.stop_run(IN) < 0))
    assert not np.isnan(bus.door_min(scene, diary, TWO_DAYS)[:, walkers]).any()
    diary.slept[1, walkers[0]] = True
    assert np.isnan(bus.door_min(scene, diary, TWO_DAYS)[:, walkers]).sum() == 1


def test_a_sick_night_is_one_in_bed_and_not_an_empty_bed(scene: Scene, diary: Diary) -> None:
    ill, away, well = np.flatnonzero(scene.pupils.has_bed)[[0, 1, 1]]
    diary.came[0, [ill, away]] = False
    diary.to_bed[0, ill] = diary.to_bed[1, well] = 1290.0
    told = lodge.measures(scene, diary, TWO_DAYS)
    assert (told["sick_nights"][-1], told["bed_nights"][-1]) == (1, 2)


def test_whoever_stays_without_a_bed_is_harmed_by_the_want_of_it(scene: Scene, diary: Diary) -> None:
    diary.stayed[0, [0, 1]] = 1140.0
    diary.to_bed[0, 1] = 1290.0
    bed = ("bed_girls", "bed_boys")[int(scene.pupils.sex[0])]
    assert harms(scene, diary) == {(bed, "no_bed", "bed"): 1}
    told = {name: value[-1] for name, value in lodge.measures(scene, diary, TWO_DAYS).items()}
    assert (told["stayed_pupils"], told["emergency_beds"], told["emergency_refused"]) == (2, 1, 1)
    assert (told["bed_nights"], told["beds_occupied"]) == (1, 0)
    assert told["sick_nights"] == 0
    assert told["life_teacher_short_nights"] == 1  # one pupil sleeps there, and nobody is on duty


# --- buses ---


def test_the_most_spare_buses_out_at_once(scene: Scene, diary: Diary) -> None:
    runs = len(scene.table.stops)
    for k, (left, minutes) in enumerate([(400.0, 30.0), (430.0, 30.0), (455.0, 10.0), (458.0, 1.0)][:runs]):
        diary.spare_left[0, k], diary.spare_min[0, k] = left, minutes
    diary.second_left[0, 0] = 400.0  # the others take over a bus that broke down, and drive in its hours
    told = bus.run_measures(scene, diary, TWO_DAYS)
    assert told["spare_buses_out"][-1] == {2: 1, 3: 2, 4: 3}[min(runs, 4)]
    assert told["bus_hours"][-1] == 0.5


def test_runs_that_were_not_driven_and_why(scene: Scene, diary: Diary) -> None:
    planned = bus.run_measures(scene, diary, TWO_DAYS)["runs_cancelled"][-1]
    daily = int(np.flatnonzero(~scene.table.is_lodger)[0])
    diary.left_yard[:, daily] = 400.0
    diary.cancel_why[1, daily] = ATTENDANT
    told = bus.run_measures(scene, diary, TWO_DAYS)
    assert told["runs_cancelled"][-1] == planned - 1
    assert (told["attendant_missing_runs"][-1], told["driver_missing_runs"][-1]) == (1, 0)


# --- it adds up ---


@pytest.fixture(scope="module")
def bad_week() -> tuple[Scene, Diary]:
    pack = ("county=three_villages", "calendar=smoke", "study.years=1", "stress=all_at_once", "plan=mean")
    return lived(job(*pack), week=18)[:2]


def test_each_unit_of_harm_has_one_cause(bad_week: tuple[Scene, Diary]) -> None:
    scene, diary = bad_week
    days = range(len(diary.came))
    found = pupil.harms(scene, diary, days, dine.fates(scene, diary, days))
    for kind in HARM_KINDS:
        causes = [who for (_, of, cause), who in found.items() if of == kind and cause in CAUSES]
        if causes:
            assert np.sum(causes, axis=0).max() <= 1, kind
    for resource in {key[0] for key in found}:
        assert np.sum([who for key, who in found.items() if key[0] == resource], axis=0).max() <= 1, resource
    anyone = np.any(list(found.values()), axis=0)
    assert anyone.any()
    assert pupil.measures(scene, diary, days, found)["pupil_days_harmed"][-1] == anyone.sum()


def test_the_totals_of_the_days_are_those_of_the_week(bad_week: tuple[Scene, Diary]) -> None:
    scene, diary = bad_week
    tally = Tally(scene, daily=True)
    tally.add(scene, 18, 1.0, diary)
    rows = tally.tables(0)["measures"].astype({"measure": str, "site_id": str})
    county = rows[(rows["site_id"] == "county") & rows["measure"].map(lambda name: MEASURES[name].how == "total")]
    week = county[county["day"] == 0].set_index("measure")["value"]
    days = county[county["day"] > 0].groupby("measure")["value"].sum()
    assert len(week) > 30
    for name, value in week.items():
        assert days[name] == pytest.approx(value), name


def test_a_day_is_measured_by_its_own_page_alone(bad_week: tuple[Scene, Diary]) -> None:
    scene, diary = bad_week
    keep = 2
    other = [day for day in range(len(diary.came)) if day != keep]
    alone = replace(diary, **{page: getattr(diary, page).copy() for page in Diary.__dataclass_fields__})
    for page in Diary.__dataclass_fields__:
        getattr(alone, page)[..., other, :] = np.nan if page in TIMES else 0
    told = []
    for lived_days in (diary, alone):
        tally = Tally(scene, daily=True)
        tally.add(scene, 18, 1.0, lived_days)
        told.append(tally.measured[1 + keep][3])
    for name, value in told[0].items():
        assert np.array_equal(value, told[1][name], equal_nan=True), name
