"""Stress packs: what strikes, when and whom; the weeks that are always lived; and everything that is refused."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from living import BY_HEART, job, lived

from sim.chance import YearLuck, sampled_weeks
from sim.cli import main
from sim.config import CONFIGS, SKIES, Settings, load
from sim.county import SchoolCalendar
from sim.errors import BadInput
from sim.live import live_year, lived_weeks, term_of
from sim.operate.weather import ALL, Conditions, check_stress, conditions

ICE = SKIES.index("ice")
LUCK = YearLuck(1, 0, 2023)
YEARS = ("county=three_villages", "calendar=smoke", "study.years=2", "study.replications=2")
PACKS = sorted(path.stem for path in (CONFIGS / "stress").glob("*.yaml"))


@cache
def chosen(*overrides: str) -> Settings:
    return load(list(overrides))


def week_of(county, *overrides: str, week: int = 18, days: int = 5, month: int = 1) -> Conditions:
    roll = np.arange(len(county.schools.id))  # the last school is the largest
    return conditions(county, chosen(*overrides), LUCK, week, days, month, roll)


def same(one: Conditions, other: Conditions, *names: str) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_a_week_without_stress_is_as_usual(three_villages):
    found = week_of(three_villages)
    assert not found.struck.any()
    assert set(found.driver_share) == {chosen().fleet.driver_absent_share}
    assert set(found.attendant_share) == {chosen().fleet.attendant_absent_share}
    assert (found.kitchen == 1).all()
    assert (found.water == 1).all()
    assert (found.sky == 0).all()  # it is always clear in the county everyone knows by heart
    assert (found.stay_home == 0).all()


def test_ice_sets_in_at_noon_of_the_first_day_struck(three_villages):
    found = week_of(three_villages, "stress=ice_week")
    assert found.sky.tolist() == [[0, ICE], *[[ICE, ICE]] * 4]
    share = chosen().weather.skies["ice"].stay_home_share
    assert found.stay_home.tolist() == [0, *[share] * 4]
    later = week_of(three_villages, "stress=ice_week", "stress.days=[3,5]")
    assert later.struck.tolist() == [False, False, True, False, True]
    assert later.sky.tolist() == [[0, 0], [0, 0], [0, ICE], [0, 0], [ICE, ICE]]
    whole = week_of(three_villages, "stress=ice_week", "stress.sky_from_noon=false")
    assert (whole.sky == ICE).all()


def test_stress_strikes_its_own_weeks_only_and_without_any_all_of_them(three_villages):
    struck = [week_of(three_villages, "stress=ice_week", week=week).struck.all() for week in (17, 18, 19)]
    assert struck == [False, True, False]
    assert week_of(three_villages, "stress=ice_week", "stress.weeks=[]", week=3).struck.all()


def test_stress_leaves_the_luck_of_other_weeks_and_other_things_alone(huichang):
    names = ("sky", "absence", "driver_share", "attendant_share", "kitchen", "water", "stay_home")
    usual = week_of(huichang, week=7, month=10)
    for pack in PACKS:
        assert same(usual, week_of(huichang, f"stress={pack}", week=7, month=10), *names)
    for pack, moved in (("flu_week", "absence driver_share attendant_share"), ("water_off", "water")):
        week = chosen(f"stress={pack}").stress.weeks[0]
        kept = [name for name in names if name not in moved.split()]
        assert same(week_of(huichang, week=week), week_of(huichang, f"stress={pack}", week=week), *kept)


def test_flu_multiplies_illness_and_keeps_staff_at_home(huichang):
    usual, flu = week_of(huichang, week=12), week_of(huichang, "stress=flu_week", week=12)
    assert flu.absence == pytest.approx(np.minimum(1, 10 * usual.absence))
    assert (flu.driver_share == 0.08).all()
    assert (flu.attendant_share == 0.08).all()
    assert (week_of(huichang, "stress=flu_week", "stress.absence_factor=1000.0", week=12).absence == 1).all()


@pytest.mark.parametrize("what", ["kitchen", "water"])
def test_only_the_schools_named_are_short(huichang, what):
    ids, key = np.array(huichang.schools.id), f"stress.{what}_share=0.25"
    first = str(ids[huichang.schools.lived][0])
    for named, hit in ((first, ids == first), ("largest", ids == ids[-1]), (ALL, ids == ids)):
        found = week_of(huichang, key, f"stress.schools=[{named}]", "stress.days=[2]")
        assert np.array_equal(getattr(found, what)[1], np.where(hit, 0.25, 1.0))
        assert (np.delete(getattr(found, what), 1, axis=0) == 1).all()


def test_all_at_once_is_all_of_it_in_one_week(huichang):
    found = week_of(huichang, "stress=all_at_once")
    assert found.struck.all()
    assert (found.sky[1:] == ICE).all()
    assert found.kitchen.min() == 0.33
    assert found.water.min() == 0.1


@pytest.mark.parametrize("wanted", [0, 1, 2, 6, 37, 39])
@pytest.mark.parametrize("always", [(), (18,), (1, 20, 39)])
def test_weeks_always_lived_stand_for_themselves_and_the_others_for_the_rest(huichang, wanted, always):
    for replication in range(5):
        found = sampled_weeks(YearLuck(1, replication, 2023), huichang.calendar, wanted, always)
        named = np.isin(found.week, always)
        assert set(found.week[named].tolist()) == set(always)
        assert (found.weight[named] == 1).all()
        assert (found.weight >= 1).all()
        assert found.weight.sum() == pytest.approx(39)
        assert len(found.week) == (min(39, wanted + len(always)) if wanted else 39)
        assert (np.diff(found.week) > 0).all()


def test_a_year_of_named_weeks_only_is_lived_whole(huichang):
    found = sampled_weeks(LUCK, huichang.calendar, 1, range(1, 40))
    assert found.week.tolist() == list(range(1, 40))
    assert (found.weight == 1).all()


def test_the_weeks_of_days_to_be_kept_are_lived_in_their_year_by_all_replications():
    here = job(*YEARS, "study.keep_events=[2024-7-2,2024-07-5,2024-30-1]")
    weeks = {
        year: [lived_weeks(here, YearLuck(1, replication, year)) for replication in range(3)] for year in (2023, 2024)
    }
    assert [len(of.week) for of in weeks[2023]] == [1] * 3
    for of in weeks[2024]:
        assert {7, 30} < set(of.week.tolist())
        assert (of.weight[np.isin(of.week, (7, 30))] == 1).all()
        assert of.weight.sum() == pytest.approx(39)


def test_the_events_of_a_day_are_kept_on_that_day_and_by_the_first_replication_only():
    here = job(*YEARS, "study.keep_events=[2024-7-2,2024-07-5]")
    found = {
        (replication, k): [name for name in live_year(here, replication, k) if name.startswith("events/")]
        for replication in range(2)
        for k in range(2)
    }
    assert found == {(0, 0): [], (0, 1): ["events/2024-7-2", "events/2024-7-5"], (1, 0): [], (1, 1): []}


@pytest.mark.parametrize(
    ("term", "state"), [((1, 1, 2, 2), (1, 1, 2, 2)), ((2, 2, 2, 2), (1, 1, 1, 1)), ((2, 3, 4, 4), (1, 2, 2, 2)),
                        ((2, 2, 1, 1), (1, 1, 2, 2))],
)  # fmt: skip
def test_the_school_year_begins_with_its_first_term_whatever_its_number(term, state):
    week = np.arange(1, 5)
    for order in (slice(None), slice(None, None, -1)):  # the rows of the table may stand in any order
        calendar = SchoolCalendar(week[order], np.array(term)[order], np.full(4, 3), np.full(4, 5))
        assert [term_of(calendar, row) for row in range(4)] == list(state)[order]


def test_beds_are_given_in_the_first_term_and_given_up_after_it():
    first = job(*BY_HEART, "lodge.leave_after_term_share=1.0")
    calendar = first.county.calendar
    for term, beds in (((1,), True), ((2,), True), ((1, 2), False), ((3, 4), False)):
        terms = np.where(calendar.week < 39, term[0], term[-1])
        county = replace(first.county, calendar=replace(calendar, term=terms))
        scene, _, _ = lived(replace(first, county=county), week=39, days=1)
        assert scene.pupils.has_bed.any() == beds


@pytest.mark.parametrize("pack", PACKS)
def test_every_pack_fits_every_county(pack, huichang, three_villages):
    settings = chosen(f"stress={pack}")
    for county in (huichang, three_villages):
        check_stress(county, settings)
    assert settings.stress.strikes == (pack != "none")


WRONG_NAMES = {
    "stress.roads: 'e999' is no road of three_villages; known are busiest, e1, e2, e3": ["stress.roads=[e2,e999]"],
    "stress.schools: 'T' is no school lived in three_villages; known are all, largest, C": ["stress.schools=[T]"],
    "stress.weeks: 44 is no school week of three_villages; its weeks are 1": ["stress=ice_week", "stress.weeks=[44]"],
    "calendar.always: 41 is no school week of three_villages; its weeks are 1 to 39": ["calendar.always=[3,41]"],
    "stress.days: 6 is no school day of the weeks it strikes; their days are 1 to 5": ["stress.days=[1,6]"],
    "study.keep_events: 2025-3-1 is in no year of the study; its years are 2023 to 2024":
        ["study.years=2", "study.keep_events=[first,2024-3-1,2025-3-1]"],
    "study.keep_events: 2023-40-1 is in no school week of three_villages; its weeks are 1 to 39":
        ["study.keep_events=[2023-40-1]"],
    "study.keep_events: 2023-5-6 is no school day; the days of week 5 are 1 to 5": ["study.keep_events=[2023-05-6]"],
    "stress.water_share: fails at no school; name schools in stress.schools": ["stress.water_share=0.5"],
}  # fmt: skip
WRONG_VALUES = {
    "stress.kitchen_share": ["stress.kitchen_share=1.5"],
    "stress.driver_absent_share": ["stress.driver_absent_share=-0.1"],
    "stress.absence_factor": ["stress.absence_factor=-1"],
    "stress.sky": ["stress.sky=snow"],
    "stress.days": ["stress.days=[8]"],
    "stress.weeks": ["stress.weeks=[0]"],
    "weather.persistence": ["weather.persistence=1.2"],
    "weather.noon_share": ["weather.noon_share=-0.2"],
    "weather.skies.ice.stay_home_share": ["weather.skies.ice.stay_home_share=2.0"],
    "weather.skies.ice.speed_factor": ["weather.skies.ice.speed_factor=0.0"],
    "weather.skies.ice.avoid": ["weather.skies.ice.avoid=[rocky]"],
    "health.month_factor": ["health.month_factor=[1.0]"],
    "primary_first_min (500) must be before lunch_min (470)": ["bells.lunch_min=470.0"],
    "lunch_min (710) must be before primary_close_min (700)": ["bells.primary_close_min=700.0"],
    "late_dinner_min (1140) must be before lights_out_min (1100)": ["bells.lights_out_min=1100.0"],
    "breakfast_min (490) must be before junior_first_min (480)": ["bells.breakfast_min=490.0"],
}


@pytest.mark.parametrize("says", WRONG_NAMES)
def test_what_the_county_does_not_have_is_refused_with_its_key(three_villages, says):
    with pytest.raises(BadInput) as error:
        check_stress(three_villages, load(["county=three_villages", *WRONG_NAMES[says]]))
    assert says in str(error.value)


@pytest.mark.parametrize("says", WRONG_VALUES)
def test_a_value_that_cannot_be_is_refused_with_its_key(says):
    with pytest.raises(BadInput) as error:
        load(WRONG_VALUES[says])
    assert says in str(error.value)


@pytest.mark.parametrize("verb", [["run"], ["sweep", "fleet.buses=1,2"]])
@pytest.mark.parametrize("says", [text for text in WRONG_NAMES if "e999" in text or "2023-40-1" in text])
def test_what_the_county_does_not_have_ends_a_run_and_a_sweep_before_anything_is_written(verb, says, tmp_path, capsys):
    assert main([*verb, "county=three_villages", *WRONG_NAMES[says], f"study.out={tmp_path}"]) == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
