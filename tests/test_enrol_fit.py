"""Any table of rolls carried forward: rates by hand, errors by theory, plain words for what cannot be followed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import streams
from sim.chance import EnrolLuck
from sim.config import Recipe
from sim.errors import BadInput
from sim.plan.cohort import Cohorts, count_pupils, expect, settle, vary, where_they_live
from sim.plan.shock import entry_factor, log_covariance, passing_variance_per_pupil, progress_factor
from sim.plan.survive import Survival, fit, recipe

ROOT = Path(__file__).resolve().parents[1]
NEW_HAMPSHIRE = recipe(ROOT / "experiments" / "enrolment.yaml")
CALM = dict.fromkeys(
    (
        "churn_share", "entry_sd_county", "entry_sd_area", "entry_level_sd", "entry_level_variance_pupils",
        "progress_sd_county", "progress_sd_area", "progress_drift_sd_area", "progress_grade_sd_area", "common_sd",
    ),
    0.0,
)  # fmt: skip
BY_HAND = {"ratio_shrinkage_pupils": 100.0, "entry_shrinkage_pupils": 300.0, "flat_share": 0.0, "flat_pupils": 0.0}
BIRTHS = pd.DataFrame({"year": range(2010, 2030), "births": 100.0})


def with_(**changes: object) -> Recipe:
    return NEW_HAMPSHIRE.model_copy(update=changes)


def rolls(**areas: list[list[int]]) -> pd.DataFrame:
    """Return a history that ends in 2022: for each area a row of grades (from 1) for each year."""
    rows = [
        (area, 2022 - len(years) + 1 + k, grade, pupils)
        for area, years in areas.items()
        for k, year in enumerate(years)
        for grade, pupils in enumerate(year, start=1)
    ]
    return pd.DataFrame(rows, columns=["area_id", "year", "grade", "pupils"])


TOY = rolls(
    X=[[100, 90, 80], [100, 90, 80], [100, 90, 80]],
    Y=[[10, 10, 10], [10, 10, 10], [10, 10, 10]],
    Z=[[0, 0, 20], [0, 0, 30], [0, 0, 40]],
)


def test_rates_of_three_areas_by_hand() -> None:
    fitted = fit(TOY, BIRTHS, with_(**BY_HAND))
    # Over two passages X sends 200 of grade 1 to 180 of grade 2, Y 20 to 20; Z has neither.
    first = 200 / 220
    assert fitted.pool[0] == pytest.approx(first)
    # X: 180 seen, 200 x 200/220 expected, 100 pupils of the pool beside them; Y: 20 seen.
    np.testing.assert_allclose(fitted.ratios[0, 0], first * (180 + 100) / (200 * first + 100))
    np.testing.assert_allclose(fitted.ratios[1, 0], first * (20 + 100) / (20 * first + 100))
    np.testing.assert_array_equal(fitted.ratios[2], [0, 0])


def test_entrants_of_three_areas_by_hand() -> None:
    one = fit(TOY, BIRTHS, with_(**BY_HAND)).expected(2023)
    entrants = one[(one["year"] == 2023) & (one["grade"] == 1)].set_index("area_id")["pupils"]
    # The pool: 110 entrants a year on 110 + 100 + 130 pupils. X: n = 300, so half its own mean, half by its 270 pupils.
    per_pupil = 110 / (110 + 100 + 130)
    assert entrants["X"] == pytest.approx(0.5 * 100 + 0.5 * 270 * per_pupil)
    assert entrants["Y"] == pytest.approx(30 / 330 * 10 + 300 / 330 * 30 * per_pupil)
    assert entrants["Z"] == 0


def test_a_grade_that_is_fed_from_elsewhere_follows_all_areas() -> None:
    fitted = fit(TOY, BIRTHS, with_(**BY_HAND))
    third = fitted.expected(2023).query("year == 2023 and area_id == 'Z' and grade == 3")["pupils"].item()
    # Z had 30 a year; all areas had 120 (110, 120, 130), and are to have 100 x (their rate from grade 2 to 3).
    assert third == pytest.approx(30 * 100 * fitted.pool[1] / 120)


def test_entrants_follow_births_of_the_entry_year() -> None:
    born = BIRTHS.assign(births=np.where(BIRTHS["year"] == 2018, 50.0, 100.0))
    told = fit(TOY, born, with_(**BY_HAND)).expected(2025).query("grade == 1").groupby("year")["pupils"].sum()
    assert told[2023] == pytest.approx(told[2024] / 2)
    late = fit(TOY, born, with_(**BY_HAND, entry_age_years=6)).expected(2025).query("grade == 1")
    assert late.groupby("year")["pupils"].sum()[2024] == pytest.approx(told[2024] / 2)


def test_part_of_an_areas_total_stays_as_it_is() -> None:
    plain = fit(TOY, BIRTHS, with_(**BY_HAND)).mean(2024).sum(axis=2)
    held = fit(TOY, BIRTHS, with_(**{**BY_HAND, "flat_share": 0.5, "flat_pupils": 30.0})).mean(2024).sum(axis=2)
    # Y has 30 pupils and counts as if 30 more of them stayed: half of the first, all of the other 30.
    np.testing.assert_allclose(held[1:, 1], 0.25 * plain[1:, 1] + 0.75 * 30)
    np.testing.assert_allclose(held[0], plain[0])


def test_a_small_areas_total_comes_back_to_its_usual_roll_but_an_emptied_one_stays_empty() -> None:
    kept = {**BY_HAND, "entry_years": 3}
    odd = rolls(X=[[100, 90, 80]] * 3, Y=[[10, 10, 16], [10, 10, 13], [10, 10, 10]], W=[[30, 30, 30]] * 2 + [[2, 1, 1]])
    plain = fit(odd, BIRTHS, with_(**kept)).mean(2024).sum(axis=2)
    held = fit(odd, BIRTHS, with_(**{**kept, "flat_pupils": 30.0})).mean(2024).sum(axis=2)
    # W (first by name) had 4 + 90 + 90 and has 4: no more than 4 + 2 sqrt 4 = 8 is taken for chance.
    np.testing.assert_allclose(held[1:, 0], (4 * plain[1:, 0] + 30 * 8) / 34)
    # Y has 30, usually 33; chance could take it to 30 + 2 sqrt 30 = 41. The base year is as it was.
    np.testing.assert_allclose(held[1:, 2], (30 * plain[1:, 2] + 30 * 33) / 60)
    np.testing.assert_allclose(held[0], [4, 270, 30])


def test_an_area_with_births_of_its_own_is_not_held() -> None:
    own = pd.concat([BIRTHS.assign(area_id=area) for area in "XYZ"])
    kept = {**BY_HAND, "flat_share": 0.5}
    np.testing.assert_allclose(fit(TOY, own, with_(**kept)).mean(2024), fit(TOY, BIRTHS, with_(**BY_HAND)).mean(2024))
    alone = TOY[TOY["area_id"] == "X"]
    np.testing.assert_allclose(fit(alone, BIRTHS, with_(**kept)).mean(2024)[-1, 0, 1:], [90, 80])


def test_rates_stay_within_their_bounds() -> None:
    fitted = fit(rolls(X=[[10, 90], [10, 90], [10, 90]]), BIRTHS, with_(**BY_HAND))
    assert fitted.ratios.max() == NEW_HAMPSHIRE.ratio_high


def test_with_fewer_than_three_years_stated_rates_are_used_and_it_says_so() -> None:
    short = rolls(X=[[100, 90, 80], [100, 90, 80]])
    with pytest.raises(BadInput, match=r"2 years \(2021 to 2022\) are too few"):
        fit(short, BIRTHS, NEW_HAMPSHIRE)
    fitted = fit(short, BIRTHS, NEW_HAMPSHIRE, stated=[0.9, 0.5])
    assert not fitted.estimated
    np.testing.assert_allclose(fitted.mean(2023)[1, 0, 1:], [90, 45])


def test_spreads_are_drawn_to_what_five_years_show() -> None:
    # Nothing ever changes: so the spreads found are zero, four passages beside the eight that are stated.
    still = rolls(X=[[100, 100, 100]] * 5, Y=[[50, 50, 50]] * 5)
    found = fit(still, BIRTHS, NEW_HAMPSHIRE).recipe
    assert found.churn_share == pytest.approx(0.2 * 8 / 12)
    assert found.progress_sd_area == pytest.approx(0.010 * np.sqrt(8 / 12))
    assert found.entry_sd_area == pytest.approx(0.03 * np.sqrt(8 / 12))
    assert fit(still[still["year"] > 2018], BIRTHS, NEW_HAMPSHIRE).recipe == NEW_HAMPSHIRE


def test_large_jumps_of_areas_widen_their_spread() -> None:
    jumps = rolls(
        X=[[1000, 1000]] * 2 + [[1000, 1300]] + [[1000, 1000]] * 2,
        Y=[[1000, 1000]] * 2 + [[1000, 700]] + [[1000, 1000]] * 2,
    )
    assert fit(jumps, BIRTHS, NEW_HAMPSHIRE).recipe.progress_sd_area > 2 * NEW_HAMPSHIRE.progress_sd_area


@pytest.fixture(scope="module")
def toy() -> Survival:
    return fit(TOY, BIRTHS, NEW_HAMPSHIRE)


def test_the_mean_of_draws_is_what_is_expected(toy: Survival) -> None:
    drawn = toy.sample(2026, 3, 400)
    error = np.abs(drawn.mean(axis=0) - toy.mean(2026))
    assert (error <= 4.5 * drawn.std(axis=0) / np.sqrt(len(drawn)) + 1e-9).all()


def test_a_longer_horizon_moves_nobody(toy: Survival) -> None:
    np.testing.assert_array_equal(toy.draw(2030, 3, 0)[:3], toy.draw(2024, 3, 0))


def test_more_births_are_no_fewer_pupils_in_any_cell(toy: Survival) -> None:
    more = toy.with_births(BIRTHS.assign(births=np.where(BIRTHS["year"] > 2017, 130.0, 100.0)))
    few, many = (np.array([f.draw(2028, 3, r) for r in range(20)]) for f in (toy, more))
    assert (few <= many).all()
    assert few[:, 1:].sum() < many[:, 1:].sum()


def test_tables_for_people(toy: Survival) -> None:
    told = toy.draws(2024, seed=3, replications=2)
    assert list(told.columns) == ["replication", "year", "area_id", "grade", "pupils"]
    assert len(told) == 2 * 3 * 3 * 3
    base = toy.expected(2024).merge(TOY, on=["area_id", "year", "grade"], suffixes=("", "_roll"))
    assert (base["pupils"] == base["pupils_roll"]).all()


def luck(rng: np.random.Generator, years: int, areas: int, grades: int) -> EnrolLuck:
    return EnrolLuck(
        county_entry_z=rng.standard_normal(years),
        area_entry_z=rng.standard_normal((years, areas)),
        area_level_z=rng.standard_normal(areas),
        county_progress_z=rng.standard_normal(years),
        area_progress_z=rng.standard_normal((years, areas)),
        area_drift_z=rng.standard_normal(areas),
        area_grade_z=rng.standard_normal((areas, grades - 1)),
        common_z=float(rng.standard_normal()),
        cell_u=np.empty(0),
        moves=streams.key(1, 0, "moves"),
    )


def test_the_factors_vary_as_the_formula_says_and_have_the_mean_one() -> None:
    spread = with_(progress_sd_area=0.03, progress_drift_sd_area=0.02, common_sd=0.03)
    rng, year, grades = np.random.default_rng(1), 3, 5
    entrants, cells = np.array([20.0]), []
    for _ in range(6000):
        drawn = luck(rng, year + 1, 1, grades)
        entry, progress = entry_factor(spread, drawn, entrants)[:, 0], progress_factor(spread, drawn, grades)[:, 0]
        cells.append(
            [
                (entry[year - g] if g < year else 1.0)
                * np.prod([progress[y, g - (year - y) - 1] for y in range(max(year - g, 0) + 1, year + 1)])
                for g in range(grades)
            ]
        )
    factors = np.array(cells)
    np.testing.assert_allclose(factors.mean(axis=0), 1.0, atol=4.5 * factors.std(axis=0).max() / np.sqrt(len(factors)))
    theory = log_covariance(spread, year, grades, entrants)[0]
    np.testing.assert_allclose(np.cov(np.log(factors).T), theory, atol=0.05 * theory.max())


def test_entry_shocks_last_so_that_the_band_widens() -> None:
    far = [log_covariance(NEW_HAMPSHIRE, year, 9, np.array([100.0]))[0, 0, 0] for year in (1, 5, 10)]
    walk = NEW_HAMPSHIRE.entry_sd_county**2 + NEW_HAMPSHIRE.entry_sd_area**2
    np.testing.assert_allclose(np.diff(far), [4 * walk, 5 * walk])


def grown(base: int, ratio: float, rate: float, years: int = 4) -> Cohorts:
    """Return a village and its town, three grades, both sexes alike."""
    start = np.full((2, 3, 2), float(base))
    inflow = np.zeros((years, 2, 3, 2))
    inflow[:, :, 0] = base
    stays = np.ones((years, 2, 3))
    stays[:, 0] = (1 - rate) ** np.arange(years)[:, None]
    return Cohorts(start, inflow, np.full((years, 2, 2), ratio), stays, np.array([1, -1]))


def lived(cohorts: Cohorts, churn: float, u: np.ndarray, seed: int) -> np.ndarray:
    """Return the pupils who really come, where they live; (Y, 2, 3, 2)."""
    listed = count_pupils(cohorts, churn, u)
    homes = np.array([7, 8], dtype=np.uint64) << np.uint64(32)
    parts = settle(listed, cohorts.stays, homes, 2020 + np.arange(len(u)), streams.key(seed, 0, "moves"))
    return where_they_live(parts, cohorts.goal)


@pytest.mark.parametrize(
    ("ratio", "churn", "rate"), [(1.0, 0.2, 0.0), (0.9, 0.0, 0.0), (1.1, 0.1, 0.1), (0.95, 0.2, 0.1)]
)
def test_chance_alone_varies_as_the_formula_says(ratio: float, churn: float, rate: float) -> None:
    cohorts, rng = grown(80, ratio, rate), np.random.default_rng(2)
    drawn = np.array([lived(cohorts, churn, rng.random((4, 2, 3, 2)), r) for r in range(4000)])
    mean = expect(cohorts)
    still = with_(**CALM).model_copy(update={"churn_share": churn})
    theory = vary(cohorts, passing_variance_per_pupil(still, cohorts.progress))
    np.testing.assert_allclose(drawn.mean(axis=0), mean, rtol=0.02)
    np.testing.assert_allclose(drawn.var(axis=0)[1:], theory[1:], rtol=0.12)


def test_churn_varies_n_pupils_by_n_times_2c_less_c_squared() -> None:
    still = with_(**CALM).model_copy(update={"churn_share": 0.2})
    assert passing_variance_per_pupil(still, np.array(1.0)) == pytest.approx(0.36)


@settings(max_examples=40)
@given(
    base=st.integers(0, 60),
    ratio=st.floats(0.3, 1.5),
    rate=st.floats(0, 1),
    churn=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_pupils_are_never_negative_and_moves_lose_nobody(
    base: int, ratio: float, rate: float, churn: float, seed: int
) -> None:
    u = np.random.default_rng(seed).random((4, 2, 3, 2))
    drawn = lived(grown(base, ratio, rate), churn, u, seed)
    assert (drawn >= 0).all()
    alike = replace(grown(base, 1.0, rate))
    moved = lived(alike, 0.0, u, seed).sum(axis=1)
    np.testing.assert_array_equal(moved[1:, 1:], moved[:-1, :-1])
    np.testing.assert_allclose(expect(alike).sum(axis=1)[1:, 1:], expect(alike).sum(axis=1)[:-1, :-1])


def told(table: pd.DataFrame, births: pd.DataFrame | None = BIRTHS, **changes: object) -> str:
    with pytest.raises(BadInput) as caught:
        fit(table, births, with_(**changes)).expected(2030)
    return "\n".join(caught.value.messages)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (TOY[~((TOY["area_id"] == "Y") & (TOY["year"] == 2021))], "column year: area 'Y' has no row of 2021"),
        (TOY[TOY["area_id"].ne("Y") | TOY["year"].lt(2022)], "area 'Y' has no row of 2022"),
        (TOY.drop(index=4), r"column grade: area 'X' lacks grade 2 in 2021"),
        (
            TOY.assign(pupils=TOY["pupils"].mask(TOY.index == 7, 0)),
            r"row 9, column pupils: grade 2 of area 'X' vanishes",
        ),
        (pd.concat([TOY, TOY.tail(1)]), "row 29: this area, year and grade stands there already"),
        (TOY.assign(pupils=-1), "row 2, column pupils: '-1' is not a number, 0 or more"),
        (TOY.drop(columns="grade"), "no column grade"),
        (TOY.replace({"grade": {1: "K"}}), "row 2, column grade: 'K' is not a whole number"),
        (
            rolls(X=[[20, p] for p in (12, 9, 6, 3, 0)]),
            "row 11, column pupils: grade 2 of area 'X' vanishes: none since 2022, 8 a year before",
        ),
        (TOY.assign(sex=np.where(TOY.index == 4, None, "f")), "row 6, column sex: '.*' is not a name"),
        (TOY.assign(sex="f").drop(index=4), r"column grade: area 'X \(f\)' lacks grade 2 in 2021"),
        (TOY.head(0), "no rows"),
    ],
)
def test_a_history_that_cannot_be_followed_is_told_by_row_and_column(table: pd.DataFrame, says: str) -> None:
    assert re.search(says, told(table))


def test_sexes_share_their_rates_and_are_told_apart() -> None:
    both = pd.concat([TOY.assign(sex="f"), TOY.assign(sex="m", pupils=3 * TOY["pupils"])], ignore_index=True)
    fitted, whole = (fit(t, BIRTHS, NEW_HAMPSHIRE) for t in (both, TOY.assign(pupils=4 * TOY["pupils"])))
    np.testing.assert_allclose(fitted.mean(2026), whole.mean(2026))
    told = fitted.expected(2026).pivot(index=["year", "area_id", "grade"], columns="sex", values="pupils")
    np.testing.assert_allclose(told["m"], 3 * told["f"])
    drawn = fitted.draws(2026, seed=3, replications=2)
    np.testing.assert_array_equal(
        drawn.groupby("replication")["pupils"].sum(), fitted.sample(2026, 3, 2).sum((1, 2, 3))
    )


def test_a_village_without_births_for_years_may_have_some_again() -> None:
    years = BIRTHS["year"]
    own = [BIRTHS.assign(area_id=a, births=np.where((a == "Y") & (years < 2020), 0.0, 100.0)) for a in "XYZ"]
    told = fit(TOY, pd.concat(own), NEW_HAMPSHIRE)
    assert np.isfinite(told.mean(2027)).all()
    assert told.mean(2027)[3, 1, 0] > told.mean(2027)[1, 1, 0]
    np.testing.assert_array_equal(told.mean(2024), told.mean(2027)[:3])
    assert max(told.recipe.entry_sd_area, told.recipe.entry_sd_county) <= 0.3


def test_missing_births_are_told_with_the_years_that_need_them() -> None:
    years = BIRTHS["year"]
    assert "no births of 2023, 2024, 2025" in told(TOY, BIRTHS[BIRTHS["year"] < 2023])
    assert "no births of area Y, Z" in told(TOY, BIRTHS.assign(area_id="X"))
    assert "row 3, column births: '-1.0' is not" in told(TOY, BIRTHS.assign(births=np.where(years == 2011, -1.0, 9.0)))
    assert "no births at all" in told(TOY, BIRTHS.assign(births=0.0))
    assert "births.csv, row 22: births of this year stand" in told(TOY, pd.concat([BIRTHS, BIRTHS.tail(1)]))


def test_an_area_that_begins_later_takes_nobody_from_the_others() -> None:
    """A hundred in every cell, and as many births every year: so it stays, though Y has rolls of two years only."""
    steady = rolls(X=[[100, 100, 100]] * 5, Y=[[100, 100, 100]] * 2)
    assert fit(steady, BIRTHS, NEW_HAMPSHIRE).mean(2026) == pytest.approx(100.0)


def test_an_area_may_begin_later_than_others() -> None:
    later = pd.concat([TOY, TOY[(TOY["area_id"] == "Y") & (TOY["year"] > 2020)].assign(area_id="W")])
    fitted = fit(later.reset_index(drop=True), BIRTHS, NEW_HAMPSHIRE)
    assert len(fitted.years) == 3
    # W passes once, 10 pupils of each grade: 180 + 20 + 10 of 200 + 20 + 10, and 160 + 20 + 10 of 180 + 20 + 10.
    np.testing.assert_allclose(fitted.pool, [210 / 230, 190 / 210])


@pytest.mark.parametrize(("seed", "replications"), [(1, 0), (-1, 5)])
def test_draws_that_cannot_be_made_are_refused(toy: Survival, seed: int, replications: int) -> None:
    with pytest.raises(BadInput, match=f"replications: {replications}, seed: {seed}"):
        toy.draws(2024, seed, replications)


def test_a_wrong_recipe_is_told_by_key(tmp_path: Path) -> None:
    text = (ROOT / "experiments" / "enrolment.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("flat_share: 0.3333", "flat_share: 3"), encoding="utf-8")
    with pytest.raises(BadInput, match=r"mine\.yaml: recipe\.flat_share: .*less than or equal to 1"):
        recipe(tmp_path / "mine.yaml")
    with pytest.raises(BadInput, match="cannot be read"):
        recipe(tmp_path / "none.yaml")


def test_an_area_that_has_closed_stays_empty_and_spoils_no_total() -> None:
    table = rolls(X=[[100, 90, 80]] * 6, Y=[[8, 8, 8]] * 4 + [[0, 0, 0]] * 2)
    mean = fit(table, BIRTHS, NEW_HAMPSHIRE).mean(2027)
    assert np.isfinite(mean).all()
    assert mean[:, 1].sum() == 0
