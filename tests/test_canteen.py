"""Meals by hand: who eats when, what the kitchen has, windows by timetable, a breakfast that waits for a bus."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import oracle
import pandas as pd
import pytest
import simpy
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st
from living import BY_HEART, job, lived

from sim.chance import YearLuck
from sim.config import load
from sim.errors import BadInput
from sim.operate import dine
from sim.operate.diary import BREAKFAST, DINNER, LUNCH, blank
from sim.plan import Meals
from sim.plan.dine import meals as planned_meals

CLOCK = {"breakfast_min": 420, "lunch_min": 710, "dinner_min": 1050, "late_dinner_min": 1140}
BASE = (
    "county=three_villages", "dine.walk_to_hall_min=3", "dine.class_gap_min=0.5", "dine.bell_after_min=40",
    "dine.sittings_gap_min=5", "dine.breakfast_wait_min=15", "dine.seat_min_limit=20",
    *(f"bells.{name}={minute}" for name, minute in CLOCK.items()),
)  # fmt: skip


EARLY_AND_LATE = (
    "dine.shifts=[{share:0.5,opens_after_min:0,closes_after_min:4},"
    "{share:0.5,opens_after_min:10,closes_after_min:40}]"
)  # fmt: skip


@cache
def chosen(*overrides):
    """Return the settings of the tests with some changed."""
    return load([*BASE, *overrides])


class Few(SimpleNamespace):
    """Some pupils: `school` says where each is; everything else as the test wants it."""

    def __len__(self):
        return len(self.school)


def few(school, schools=1, **given):
    """Return pupils in order of school who all eat lunch, sleep at home and walk in one class of grade 1."""
    n, school = len(school), np.array(school)
    usual = {
        "number": np.arange(n, dtype=np.uint64), "grade": np.ones(n, dtype=np.int64), "eats": np.ones(n, dtype=bool),
        "has_bed": np.zeros(n, dtype=bool), "breakfasts": np.zeros(n, dtype=bool),
        "lunch_rank": np.zeros(n, dtype=np.int64),
    }  # fmt: skip
    columns = {name: np.array(given.get(name, column)) for name, column in usual.items()}
    return Few(school=school, first=np.searchsorted(school, np.arange(schools + 1)), **columns)


def week(
    pupils, *overrides, sitting=None, windows=1, seats=50, kitchen=1000, days=2, cooked=1.0, service=1.0, eat=10.0
):
    """Return a week in which nothing but meals happens; everyone comes, and every time is as given."""
    settings, schools = chosen(*overrides), len(pupils.first) - 1
    sitting = np.zeros((schools, 9), dtype=np.int64) if sitting is None else np.array([sitting] * schools)
    counts = [np.broadcast_to(np.array(x, dtype=np.int64), schools) for x in (windows, seats, kitchen)]
    plan = SimpleNamespace(meals=Meals(sitting, sitting.max(axis=1) + 1, sitting, np.zeros((schools, 9)), *counts))
    diary = blank(days, dict.fromkeys(("pupil", "stop", "run", "call", "bus", "visit", "school"), len(pupils)))
    diary.came[:] = diary.attended[:] = True
    slept = np.tile(pupils.has_bed, (days + 1, 1))
    slept[0] = False
    shape = (3, days, len(pupils))
    luck = SimpleNamespace(
        walk_min=np.zeros(shape), service_min=np.full(shape, service), eat_min=np.full(shape, eat),
        conditions=SimpleNamespace(kitchen=np.full((days, schools), cooked)),
    )  # fmt: skip
    halls = dine.halls(settings, plan, pupils)
    return SimpleNamespace(
        days=days, pupils=pupils, halls=halls, bells=settings.bells, slept=slept, diary=diary, luck=luck,
        present=lambda day, now: diary.came[day],
    )  # fmt: skip


def eaten(made):
    """Live the meals of a week; return its diary."""
    env = simpy.Environment()
    env.process(dine.meals(env, made))
    env.run()
    return made.diary


def test_a_lunch_by_hand():
    # Two classes, two windows, two seats: at the hall at 713 and 713.5; a minute at the window, ten at table.
    pupils = few([0, 0, 0, 0], lunch_rank=[0, 0, 1, 1])
    told = eaten(week(pupils, windows=2, seats=2, days=1))
    row = {name: getattr(told, name)[LUNCH, 0].tolist() for name in ("queued", "at_window", "served", "seated", "left")}
    assert row == {
        "queued": [713, 713, 713.5, 713.5], "at_window": [713, 713, 714, 714], "served": [714, 714, 715, 715],
        "seated": [714, 714, 724, 724], "left": [724, 724, 734, 734],
    }  # fmt: skip
    assert told.bell[LUNCH, 0].tolist() == [750] * 4


def test_grades_eat_in_their_own_sitting_and_schools_do_not_share_windows():
    pupils = few([0, 0, 1], schools=2, grade=[1, 9, 1])
    told = eaten(week(pupils, sitting=[0] * 6 + [1] * 3, days=1))
    assert told.served[LUNCH, 0].tolist() == [714, 710 + 45 + 4, 714]
    assert told.bell[LUNCH, 0].tolist() == [750, 795, 750]


def test_who_is_brought_late_to_lunch_comes_straight_from_the_bus():
    made = week(few([0, 0]), days=1)
    made.diary.alighted_in[0] = [430, 725]
    assert eaten(made).queued[LUNCH, 0].tolist() == [713, 728]


def test_lodgers_have_dinner_but_on_the_last_day_and_breakfast_where_they_slept():
    pupils = few([0, 0], has_bed=[True, False])
    told = eaten(week(pupils, days=3))
    fed = np.isfinite(told.served)
    assert fed[DINNER, :, 0].tolist() == [True, True, False]
    assert fed[BREAKFAST, :, 0].tolist() == [False, True, True]
    assert not fed[[BREAKFAST, DINNER], :, 1].any()


def test_who_has_to_stay_has_a_late_dinner_and_breakfast_at_school():
    made = week(few([0, 0]))
    made.diary.stayed[0, 1] = 1140
    made.slept[1, 1] = True
    told = eaten(made)
    assert told.served[DINNER, 0, 1] == 1140 + 4
    assert told.served[BREAKFAST, 1, 1] == 1440 + 420 + 4
    assert np.isnan(told.queued[[BREAKFAST, DINNER], :, 0]).all()


@pytest.mark.parametrize(
    ("alights", "bell", "served"),
    [
        (415, 460, 424),  # before breakfast: with the others, from the start
        (430, 460, 434),  # 430 + 3 + 20 is before the usual bell
        (445, 468, 449),  # the bell waits until 445 + 3 + 20
        (458, 475, 462),  # the bell waits 15 minutes, and no longer
        (474, 475, None),  # at the hall at 477: hungry
        (476, 460, "absent"),  # nobody waits for a bus as late as that
    ],
)
def test_the_bell_of_breakfast_waits_for_a_late_bus_up_to_a_limit(alights, bell, served):
    pupils = few([0, 0, 1], schools=2, has_bed=[True, False, True], breakfasts=[False, True, False])
    made = week(pupils)
    made.diary.alighted_in[1, 1] = 1440 + alights
    told = eaten(made)
    found = told.served[BREAKFAST, 1, 1] - 1440
    assert told.bell[BREAKFAST, 1, [0, 2]].tolist() == [1440 + bell, 1440 + 460]  # the other school does not wait
    if served in (None, "absent"):
        assert np.isnan(found)
        assert np.isnan(told.queued[BREAKFAST, 1, 1]) == (served == "absent")
    else:
        # One who comes at the same minute as the lodger has the second turn at the window.
        assert found == served + (alights == 415)


def test_windows_open_and_close_by_their_timetable():
    told = eaten(week(few([0] * 6), EARLY_AND_LATE, windows=3, days=1, service=2.0))
    # Three windows: two of the first shift, one of the second. The first serve two at 713, close at 714.
    assert told.at_window[LUNCH, 0].tolist() == [713, 713, 720, 722, 724, 726]


@pytest.mark.parametrize(("windows", "first"), [(1, 1), (2, 1), (3, 2), (5, 3), (10, 5), (0, 0)])
def test_what_rounding_leaves_over_has_the_first_shift(windows, first):
    found = dine._windows_by_shift(np.array([windows]), chosen(EARLY_AND_LATE).dine)
    assert found.tolist() == [[first, windows - first]]


def test_what_one_sitting_leaves_the_next_one_eats():
    # 10 meals, half ready for each sitting. The first has 3 diners, so 7 are there for the 8 of the second.
    pupils = few([0] * 11, grade=[1] * 3 + [9] * 8)
    told = eaten(week(pupils, "dine.kitchen_sitting_share=0.5", sitting=[0] * 8 + [1], kitchen=10, days=1))
    assert np.isfinite(told.served[LUNCH, 0]).tolist() == [True] * 10 + [False]
    assert told.short[LUNCH, 0].tolist() == [0] * 10 + [1]


def test_no_more_than_its_share_is_ready_for_a_sitting():
    pupils = few([0] * 12, grade=[1] * 8 + [9] * 4)
    told = eaten(week(pupils, "dine.kitchen_sitting_share=0.5", sitting=[0] * 8 + [1], kitchen=10, days=1))
    assert told.short[LUNCH, 0].tolist() == [0] * 5 + [1] * 3 + [0] * 4


def test_a_kitchen_that_is_down_cooks_a_share_and_a_late_dinner_is_of_what_is_left():
    pupils = few([0] * 6, has_bed=[True, True, False, False, False, False])
    made = week(pupils, kitchen=12, cooked=0.33)  # 4 of 12 meals
    made.diary.stayed[0, 3:] = 1140
    told = eaten(made)
    assert told.short[LUNCH, 0].tolist() == [0, 0, 0, 0, 1, 1]
    assert told.short[DINNER, 0].tolist() == [0, 0, 0, 0, 0, 1]  # two lodgers, then two of three who have to stay


def test_who_has_no_canteen_is_told_nothing():
    made = week(few([0, 0, 1], schools=2, has_bed=[True] * 3), days=2)
    sitting = np.zeros((2, 9), dtype=np.int64)
    counts = (np.array([0, 1]), np.array([0, 5]), np.array([0, 9]))
    made.halls = dine.halls(
        chosen(),
        SimpleNamespace(meals=Meals(sitting, np.array([0, 1]), sitting, np.zeros((2, 9)), *counts)),
        made.pupils,
    )  # fmt: skip
    told = eaten(made)
    assert np.isnan(told.bell[:, :, :2]).all()
    assert np.isfinite(told.served[LUNCH, :, 2]).all()


@tried(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_sitting_of_the_county_is_that_of_each_school(seed):
    rng = np.random.default_rng(seed)
    school = np.sort(rng.integers(0, 4, int(rng.integers(1, 160))))
    n = len(school)
    pupils = few(school, 4, grade=rng.integers(1, 10, n), lunch_rank=rng.integers(0, 4, n), eats=rng.random(n) < 0.9)
    offer = {"windows": rng.integers(0, 4, 4), "seats": rng.integers(0, 30, 4), "kitchen": rng.integers(0, 60, 4)}
    made = week(pupils, sitting=[0] * 5 + [1] * 4, days=1, **offer)
    made.luck.walk_min[:], made.luck.service_min[:] = rng.normal(0, 0.5, (2, 3, 1, n))
    made.luck.service_min[:] = np.exp(made.luck.service_min)
    told, left = eaten(made), offer["kitchen"].copy()
    for k in (0, 1):
        for s in range(4):
            who = np.flatnonzero((school == s) & pupils.eats & (made.halls.sitting[LUNCH] == k))
            arrive = 710 + 45 * k + np.maximum(made.halls.walk_min[who] + made.luck.walk_min[LUNCH, 0, who], 0)
            there = [np.full(offer["windows"][s], 710.0 + 45 * k), np.full(offer["windows"][s], np.inf)]
            own = (arrive, made.luck.service_min[LUNCH, 0, who], made.luck.eat_min[LUNCH, 0, who], *there)
            found = oracle.canteen(*own, int(offer["seats"][s]), 750.0 + 45 * k, int(left[s]))
            left[s] -= np.isfinite(found[1]).sum()
            names = ("at_window", "served", "seated", "left", "short")
            for name, expected in zip(names, found, strict=True):
                assert np.array_equal(getattr(told, name)[LUNCH, 0, who], expected, equal_nan=True)


def test_luck_at_meals_belongs_to_the_pupil_and_is_spread_as_the_settings_say():
    many = few([0] * 20_000, has_bed=np.arange(20_000) % 2 == 0)
    settings = chosen("dine.walk_sd_min=0.5", "dine.service_min=0.2", "dine.service_sd_log=0.4")
    none = np.zeros((1, 9), dtype=np.int64)
    plan = SimpleNamespace(meals=Meals(none, np.array([1]), none, *(np.array([1]),) * 4))
    luck, paper = YearLuck(7, 0, 2023), np.full((3, 3, 2, 20_000), 9.0)
    dine.meal_luck(dine.halls(settings, plan, many), many, luck, 3, paper)
    walk, service, _ = paper
    assert walk[LUNCH].std() == pytest.approx(0.5, rel=0.02)
    assert np.median(service[LUNCH]) == pytest.approx(0.2, rel=0.02)
    assert np.log(service[LUNCH]).std() == pytest.approx(0.4, rel=0.02)
    assert abs(np.corrcoef(np.stack([walk[LUNCH, 0], walk[LUNCH, 1], service[LUNCH, 0]]))[0, 1:]).max() < 0.03
    assert (service[DINNER, :, 1::2] == 0.2).all()  # day pupils who have to stay take the median time
    some = few([0] * 100, number=many.number[500:600], has_bed=many.has_bed[500:600])
    own = np.empty((3, 3, 2, 100))
    dine.meal_luck(dine.halls(settings, plan, some), some, luck, 3, own)
    assert np.array_equal(own, paper[..., 500:600])


def test_a_kitchen_is_as_large_as_the_table_the_projects_and_the_scale_say():
    found = job(*BY_HEART)
    project = {"project_id": "p", "school_id": "C", "year": 2023, "adds": "kitchen_meals", "quantity": 8}
    county = replace(found.county, projects=pd.DataFrame([project]))
    diners, open_ = np.ones((2, 2, 9)), found.plan.years[0].open

    def kitchen(settings, year):
        return int(planned_meals(county, settings, year, diners, open_).kitchen[0])

    assert (kitchen(found.settings, 2022), kitchen(found.settings, 2023)) == (12, 20)
    half = replace_dine(found.settings, kitchen_scale=0.52)
    assert (kitchen(half, 2022), kitchen(half, 2023)) == (6, 10)


def replace_dine(settings, **changed):
    return settings.model_copy(update={"dine": settings.dine.model_copy(update=changed)})


def test_in_three_villages_half_a_kitchen_feeds_half_the_pupils():
    _, usual, _ = lived(job(*BY_HEART), days=2)
    _, half, _ = lived(job(*BY_HEART, "dine.kitchen_scale=0.5"), days=2)
    lunches = np.isfinite(usual.queued[LUNCH]).sum(axis=1)
    assert np.isfinite(usual.served[LUNCH]).sum(axis=1).tolist() == lunches.tolist()
    assert np.isfinite(half.served[LUNCH]).sum(axis=1).tolist() == [6, 6]
    assert half.short[LUNCH].sum(axis=1).tolist() == (lunches - 6).tolist()


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("dine.shifts=[{share:1.0,opens_after_min:50,closes_after_min:60}]", "dine.shifts.0.opens_after_min"),
        ("dine.shifts=[{share:1.0,opens_after_min:20,closes_after_min:10}]", "dine.shifts.0.closes_after_min"),
        ("dine.shifts=[{share:0.7,opens_after_min:0,closes_after_min:40}]", "dine.shifts"),
        ("dine.kitchen_sitting_share=1.2", "dine.kitchen_sitting_share"),
        ("dine.bell_after_min=0", "dine.bell_after_min"),
    ],
)
def test_a_canteen_that_cannot_be_is_refused_by_its_key(override, key):
    with pytest.raises(BadInput, match=key.replace(".", r"\.")):
        load(["county=three_villages", override])
