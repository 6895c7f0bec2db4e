"""Enrolment: cohorts grow up, families move, and luck moves everyone the same way in every scenario."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from living import settings_of
from scipy import stats

from sim.chance import enrol_luck
from sim.config import Settings
from sim.county import County
from sim.errors import BadInput
from sim.plan import enrol
from sim.plan.cohort import binomial, poisson, where_they_live

STILL = [
    "enrol.progression_per_year=[1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0]",
    "enrol.entry_sd_county=0.0",
    "enrol.entry_sd_area=0.0",
    "enrol.progress_sd_county=0.0",
    "enrol.progress_sd_area=0.0",
    "enrol.progress_drift_sd_area=0.0",
    "enrol.progress_grade_sd_area=0.0",
    "enrol.entry_level_sd=0.0",
    "enrol.entry_level_variance_pupils=0.0",
    "enrol.churn_share=0.0",
]
MOVING = ("enrol.town_rate_primary_per_year=0.05",)
uniform = st.floats(1e-15, 1 - 1e-15)
share = st.floats(0.0, 1.0)


def settings(*overrides: str) -> Settings:
    return settings_of("county=three_villages", *overrides)


def still(*overrides: str) -> Settings:
    return settings(*STILL, *overrides)


@pytest.fixture(scope="module")
def town(three_villages: County) -> County:
    """The three villages with twenty times the pupils in every cell, and A as the county town."""
    pupils = 20 * np.maximum(three_villages.pupils, 1)
    is_town = np.array([True, False, False])
    return replace(three_villages, pupils=pupils, hamlets=replace(three_villages.hamlets, is_town=is_town))


def with_births(county: County, later: dict[str, float]) -> County:
    """Give each variant its own number of births from 2018 on; the past is one for all."""
    years = county.births.years
    series = {name: np.where(years < 2018, 100.0, births) for name, births in later.items()}
    return replace(county, births=replace(county.births, by_variant=series))


def draws(county: County, chosen: Settings, replications: int) -> np.ndarray:
    """Return what `enrol.draw` does for many replications, with one outlook for all of them."""
    years, found, cohorts = enrol.outlook(county, chosen)
    luck = (enrol_luck(county, 7, r, years) for r in range(replications))
    drawn = [where_they_live(enrol.draw_from(county, found, cohorts, each, years), cohorts.goal) for each in luck]
    return np.array(drawn)[:, years >= chosen.study.first_year]


def test_the_first_year_is_the_roll_of_the_table(three_villages: County) -> None:
    expected = enrol.forecast(three_villages, settings())
    (drawn,) = draws(three_villages, settings(), 1)
    for first in (expected.mean[0], expected.p80[0], drawn[0]):
        np.testing.assert_array_equal(first, three_villages.pupils)


def test_without_loss_or_luck_every_pupil_is_a_grade_higher_next_year(three_villages: County) -> None:
    (drawn,) = draws(three_villages, still(), 1)
    expected = enrol.forecast(three_villages, still()).mean
    np.testing.assert_array_equal(drawn[1:, :, 1:], drawn[:-1, :, :-1])
    np.testing.assert_allclose(expected[1:, :, 1:], expected[:-1, :, :-1])


def test_with_flat_births_the_county_has_the_same_first_graders_each_year(three_villages: County) -> None:
    entrants = enrol.forecast(three_villages, still()).mean[:, :, 0].sum(axis=(1, 2))
    np.testing.assert_allclose(entrants, 2.0)


def test_a_hamlets_first_graders_follow_its_own_young_pupils_when_trusted(three_villages: County) -> None:
    # Grades 1-3: one pupil in A, two in B, three in D; the county has two first graders, half of them girls.
    level = enrol.entry_level(three_villages, settings("enrol.area_shrinkage_pupils=0.0"))
    np.testing.assert_allclose(level, [[1 / 6, 1 / 6], [2 / 6, 2 / 6], [3 / 6, 3 / 6]])


def test_a_hamlets_first_graders_follow_its_primary_pupils_when_not_trusted(three_villages: County) -> None:
    # Grades 1-6: three pupils in each hamlet.
    level = enrol.entry_level(three_villages, settings("enrol.area_shrinkage_pupils=1.0e+12"))
    np.testing.assert_allclose(level.sum(axis=1), [2 / 3, 2 / 3, 2 / 3])


def test_first_graders_come_from_a_third_of_the_older_and_two_thirds_of_the_younger_births(
    three_villages: County,
) -> None:
    county = with_births(three_villages, {"low": 50.0, "medium": 70.0, "high": 100.0})
    index = enrol.births_index(county, settings(), np.array([2023, 2024, 2025, 2026]), "low")
    # 2024: a third from 2017 (100), two thirds from 2018 (50).
    np.testing.assert_allclose(index, [1.0, 2 / 3, 0.5, 0.5], atol=1e-5)


def test_nobody_is_lost_on_the_way_to_town(town: County) -> None:
    chosen = still("enrol.town_rate_primary_per_year=0.2", "enrol.town_rate_junior_per_year=0.3")
    drawn = draws(town, chosen, 3).sum(axis=(2, 4))
    np.testing.assert_array_equal(drawn[:, 1:, 1:], drawn[:, :-1, :-1])
    expected = enrol.forecast(town, chosen).mean.sum(axis=(1, 3))
    np.testing.assert_allclose(expected[1:, 1:], expected[:-1, :-1])


def test_the_rural_rest_shrinks_by_the_rate_of_moving(town: County) -> None:
    moving = still("enrol.town_rate_primary_per_year=0.1", "enrol.town_rate_junior_per_year=0.1")
    staying = still("enrol.town_rate_primary_per_year=0.0", "enrol.town_rate_junior_per_year=0.0")
    rural = [enrol.forecast(town, s).mean[:, 1:].sum(axis=(1, 2, 3)) for s in (moving, staying)]
    np.testing.assert_allclose(rural[0], rural[1] * 0.9 ** np.arange(len(rural[0])))


@pytest.mark.parametrize("share", [0.6, 0.45])
def test_the_target_is_met_in_its_year(town: County, share: float) -> None:
    chosen = settings("enrol.town=target", f"enrol.town_target_share={share}", "enrol.town_target_year=2030")
    mean = enrol.forecast(town, chosen).mean
    in_town = mean[:, 0].sum(axis=(1, 2)) / mean.sum(axis=(1, 2, 3))
    assert in_town[0] == pytest.approx(1 / 3, abs=0.05)
    assert in_town[7] == pytest.approx(share)


def test_nobody_moves_when_the_town_has_its_share_already(town: County) -> None:
    assert not enrol.town_rates(town, settings("enrol.town=target", "enrol.town_target_share=0.1")).any()


def test_nobody_moves_where_there_is_no_town(three_villages: County) -> None:
    assert not enrol.town_rates(three_villages, settings("enrol.town=target")).any()


def test_town_hamlets_take_families_by_their_size(town: County) -> None:
    pupils = np.ones((60, 9, 2), dtype=np.int64)
    pupils[0] = 3
    is_town = np.arange(60) < 2
    hamlets = replace(town.hamlets, is_town=is_town)
    goal = enrol.town_of(replace(town, pupils=pupils, hamlets=hamlets))
    assert (goal[:2] == -1).all()
    np.testing.assert_allclose(np.bincount(goal[2:]) / 58, [0.75, 0.25], atol=0.02)


def test_the_mean_of_many_replications_is_the_forecast(town: County) -> None:
    chosen = settings("enrol.town_rate_primary_per_year=0.05", "enrol.entry_sd_area=0.2", "study.years=8")
    drawn = draws(town, chosen, 600).sum(axis=4)
    expected = enrol.forecast(town, chosen).mean.sum(axis=3)
    error = np.abs(drawn.mean(axis=0) - expected)
    standard_error = drawn.std(axis=0) / np.sqrt(len(drawn))
    assert (error[1:] < 4.5 * standard_error[1:] + 1e-9).all()


def test_four_years_in_five_bring_no_more_pupils_to_a_hamlet_than_p80(town: County) -> None:
    chosen = settings("enrol.town_rate_primary_per_year=0.05")
    drawn = draws(town, chosen, 600).sum(axis=(3, 4))
    within = (drawn <= enrol.forecast(town, chosen).p80.sum(axis=(2, 3))).mean(axis=0)
    assert (np.abs(within[1:] - 0.8) < 0.08).all()


def test_p80_is_never_below_the_mean(town: County) -> None:
    expected = enrol.forecast(town, settings())
    assert (expected.p80 >= expected.mean).all()
    assert (expected.p80[1:].sum(axis=(2, 3)) > expected.mean[1:].sum(axis=(2, 3))).all()


@pytest.mark.parametrize("moves", ["trend", "target"])
def test_more_births_mean_no_fewer_pupils_in_any_cell(town: County, moves: str) -> None:
    county = with_births(town, {"low": 60.0, "medium": 80.0, "high": 100.0})
    low, medium, high = (
        draws(county, settings(f"enrol.births={variant}", f"enrol.town={moves}"), 20)
        for variant in ("low", "medium", "high")
    )
    assert (low >= 0).all()
    assert (low <= medium).all()
    assert (medium <= high).all()
    assert low.sum() < medium.sum() < high.sum()


def test_who_moves_to_town_is_the_same_pupil_there_under_any_births_and_never_comes_back(town: County) -> None:
    """Pupils of a village in town, and those still there, are parts of one list that only births make longer."""
    county = with_births(town, {"low": 60.0, "medium": 80.0, "high": 100.0})
    low, high = (settings(f"enrol.births={births}", "enrol.churn_share=0.0", *MOVING) for births in ("low", "high"))
    luck = enrol_luck(county, 7, 0, enrol.rolled_years(county, low))
    few, many = (enrol.draw_by_home(county, chosen, luck) for chosen in (low, high))
    assert (few <= many).all()
    assert few[:, 1].sum() < many[:, 1].sum()
    assert few[:, 1, 0].sum() == 0
    listed, moved = many.sum(axis=1), many[:, 1]
    kept = listed[1:, :, 1:] >= listed[:-1, :, :-1]
    assert (moved[1:, :, 1:] >= moved[:-1, :, :-1])[kept].all()


def test_a_county_without_pupils_stays_without(town: County) -> None:
    empty = replace(town, pupils=np.zeros_like(town.pupils))
    assert draws(empty, settings(), 1).sum() == 0
    expected = enrol.forecast(empty, settings())
    assert expected.mean.sum() == expected.p80.sum() == 0


def test_forecast_and_draws_are_whole_and_repeat(town: County) -> None:
    first, second = draws(town, settings(), 2), draws(town, settings(), 2)
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.int64
    assert not np.array_equal(first[0], first[1])


def test_missing_births_are_named(three_villages: County) -> None:
    births = three_villages.births
    cut = replace(
        births,
        years=births.years[births.years < 2020],
        by_variant={name: series[births.years < 2020] for name, series in births.by_variant.items()},
    )
    with pytest.raises(BadInput, match=r"births.csv, variant 'medium': no births of 2020, 2021"):
        enrol.forecast(replace(three_villages, births=cut), settings())


def test_a_target_year_that_is_past_is_refused(town: County) -> None:
    with pytest.raises(BadInput, match=r"enrol\.town_target_year: 2023 is not after"):
        enrol.forecast(town, settings("enrol.town=target", "enrol.town_target_year=2023"))


@given(n=st.integers(0, 3000), p=share, u=uniform)
def test_binomial_is_the_exact_inverse(n: int, p: float, u: float) -> None:
    k = binomial(n, p, u)
    assert stats.binom.cdf(k, n, p) >= u - 1e-10
    assert k == 0 or stats.binom.cdf(k - 1, n, p) < u + 1e-10


@given(mean=st.floats(0.0, 5000.0), u=uniform)
def test_poisson_is_the_exact_inverse(mean: float, u: float) -> None:
    k = poisson(mean, u)
    assert stats.poisson.cdf(k, mean) >= u - 1e-10
    assert k == 0 or stats.poisson.cdf(k - 1, mean) < u + 1e-10


@given(n=st.integers(0, 400), more=st.integers(0, 5), p=share, q=share, u=uniform)
def test_more_pupils_never_leave_fewer_going_on_or_staying(n: int, more: int, p: float, q: float, u: float) -> None:
    few, many = binomial(n, p, u), binomial(n + more, p, u)
    assert few <= many <= few + more
    assert binomial(n, min(p, q), u) <= binomial(n, max(p, q), u)


def test_the_draws_of_the_reference_county_scatter_around_the_forecast(huichang: County) -> None:
    chosen = settings_of("county=huichang", "study.years=10")
    drawn = draws(huichang, chosen, 40).sum(axis=(2, 3, 4))
    expected = enrol.forecast(huichang, chosen)
    total = expected.mean.sum(axis=(1, 2, 3))
    assert total[0] == 60_000
    error = np.abs(drawn.mean(axis=0) - total)
    assert (error <= 4.5 * drawn.std(axis=0) / np.sqrt(len(drawn))).all()


def test_a_study_that_begins_later_goes_on_from_the_roll(three_villages: County) -> None:
    early, late = settings("study.years=6"), settings("study.first_year=2026", "study.years=3")
    whole, part = enrol.forecast(three_villages, early), enrol.forecast(three_villages, late)
    assert part.years.tolist() == [2026, 2027, 2028]
    np.testing.assert_array_equal(part.mean, whole.mean[3:])
    luck = enrol_luck(three_villages, 7, 0, enrol.rolled_years(three_villages, late))
    np.testing.assert_array_equal(enrol.draw(three_villages, late, luck), enrol.draw(three_villages, early, luck)[3:])


def test_a_longer_study_moves_nobody(town: County) -> None:
    short, long = (draws(town, settings(f"study.years={n}", *MOVING), 3) for n in (4, 9))
    np.testing.assert_array_equal(long[:, :4], short)


@pytest.mark.parametrize("churn", [0.0, 0.2])
def test_the_spread_of_a_hamlets_roll_is_that_of_the_formula(town: County, churn: float) -> None:
    chosen = settings(f"enrol.churn_share={churn}", "study.years=7", *MOVING)
    drawn = draws(town, chosen, 600).sum(axis=(3, 4))[:, 1:, 1:]
    _, found, cohorts = enrol.outlook(town, chosen)
    roll = enrol._variance(town, found, cohorts, enrol.expect(cohorts))[1][1:, 1:]
    np.testing.assert_allclose(drawn.std(axis=0), np.sqrt(roll), rtol=0.15)


def test_town_schools_take_no_more_than_they_have_places(town: County) -> None:
    schools = town.schools
    kinds = replace(schools, kind=("town_primary", *schools.kind[1:]), classrooms=np.zeros_like(schools.classrooms))
    full = replace(town, schools=kinds)
    chosen = still("enrol.town=target", "enrol.town_target_share=0.9", "enrol.town_target_year=2030")
    places = town.pupils[0, :6].sum()
    in_town = enrol.forecast(full, chosen).mean[:, 0, :6].sum(axis=(1, 2))
    free = enrol.forecast(town, chosen).mean[:, 0, :6].sum(axis=(1, 2))
    still_there = enrol.forecast(town, still("enrol.town_rate_primary_per_year=0.0")).mean[:, 0, :6].sum(axis=(1, 2))
    assert (in_town <= np.maximum(places, still_there) + 1e-9).all()
    assert (in_town[1:] < free[1:]).all()


def test_a_study_cannot_begin_before_the_roll(three_villages: County) -> None:
    with pytest.raises(BadInput, match=r"study.first_year: 2020 is before the year of pupils.csv, 2023"):
        enrol.forecast(three_villages, settings("study.first_year=2020"))


def test_a_town_school_has_no_places_before_it_opens(huichang: County) -> None:
    kind = np.array(huichang.schools.kind) == "town_junior"
    new = kind & (huichang.schools.opens_year > 2023)
    assert new.any()
    late = replace(
        huichang, schools=replace(huichang.schools, opens_year=np.where(new, 2035, huichang.schools.opens_year))
    )
    chosen = settings_of("county=huichang")
    now, then = (enrol._town_places(county, chosen, 2030)[1] for county in (huichang, late))
    assert then < now
