"""Scenarios held against the first, many at once: by hand, and how often nothing is taken for something."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_judge import made_run

from sim.config import load
from sim.judge.compare import compare, headlines, summed_up
from sim.judge.paired import among_many, holm, paired
from sim.reprice import reprice
from sim.sweep import live_scenarios
from sim.tables import as_declared, run_table

LUCK = np.array([3.0, 9.0, 4.0, 8.0, 6.0])


def one(own: np.ndarray, first: np.ndarray) -> pd.Series:
    return paired(own[None], first[None]).iloc[0]


# --- one difference ---


def test_a_paired_difference_is_the_paired_t_test() -> None:
    own = LUCK + np.array([1.0, 1.5, 0.5, 1.2, 0.8])
    row, test = one(own, LUCK), stats.ttest_rel(own, LUCK)
    interval = test.confidence_interval(0.95)
    assert row["diff_mean"] == pytest.approx(1)
    assert row["p_value"] == pytest.approx(test.pvalue)
    assert (row["diff_low"], row["diff_high"]) == pytest.approx((interval.low, interval.high))
    assert row["diff_replications"] == 5


def test_the_same_luck_gains_what_the_two_have_in_common() -> None:
    """Differences 1, 3, 1, 3: s = sqrt(4/3); the values 0, 10, 0, 10 and 1, 13, 1, 13: s^2 = 100/3 and 144/3."""
    first = np.array([0.0, 10.0, 0.0, 10.0])
    row = one(first + np.array([1.0, 3.0, 1.0, 3.0]), first)
    assert row["crn_gain"] == pytest.approx(np.sqrt((100 + 144) / 4))


def test_luck_of_its_own_gains_nothing() -> None:
    drawn = np.random.default_rng(4).normal(50, 5, (2, 4000))
    assert one(*drawn)["crn_gain"] == pytest.approx(1, abs=0.05)


def test_scenarios_that_are_the_same_do_not_differ() -> None:
    row = one(LUCK, LUCK)
    assert row[["diff_mean", "diff_low", "diff_high", "p_value"]].tolist() == [0, 0, 0, 1]
    assert np.isnan(row["crn_gain"])


def test_a_difference_that_is_always_the_same_is_sure() -> None:
    row = one(LUCK + 2, LUCK)
    assert row[["diff_mean", "diff_low", "diff_high", "p_value"]].tolist() == [2, 2, 2, 0]
    assert np.isnan(row["crn_gain"])


def test_one_replication_tells_no_chance() -> None:
    row = one(LUCK[:1] + 1, LUCK[:1])
    assert row["diff_mean"] == 1
    assert row[["diff_low", "diff_high", "p_value", "crn_gain"]].isna().all()


def test_a_replication_that_one_of_them_lacks_does_not_count() -> None:
    own, first = LUCK + np.arange(5.0), LUCK.copy()
    own[1] = first[3] = np.nan
    kept = [0, 2, 4]
    pd.testing.assert_series_equal(one(own, first), one((LUCK + np.arange(5.0))[kept], LUCK[kept]))


# --- many differences ---


def test_holms_steps_by_hand() -> None:
    """The smallest of four counts four times, the next three times, and none less than the one before."""
    found = holm(pd.Series([0.04, 0.01, np.nan, 0.03, 0.9]))
    assert found.tolist() == pytest.approx([0.09, 0.04, np.nan, 0.09, 0.9], nan_ok=True)


def table(*differences: np.ndarray) -> pd.DataFrame:
    parts = [paired((LUCK + each)[None], LUCK[None]).assign(measure="late_pupils") for each in differences]
    return among_many(pd.concat(parts, ignore_index=True))


def test_intervals_for_all_are_bonferronis() -> None:
    steps = np.array([1.0, 1.5, 0.5, 1.2, 0.8])
    found = table(steps, -steps, steps * 0)
    half = stats.t.ppf(1 - 0.025 / 3, 4) * steps.std(ddof=1) / np.sqrt(5)
    assert found["comparisons"].tolist() == [3, 3, 3]
    assert found["diff_low_all"].tolist() == pytest.approx([1 - half, -1 - half, 0])
    assert found["diff_high_all"].tolist() == pytest.approx([1 + half, -1 + half, 0])
    assert (found["p_adjusted"] >= found["p_value"]).all()


def test_a_single_comparison_is_not_adjusted() -> None:
    row = table(np.array([1.0, 1.5, 0.5, 1.2, 0.8])).iloc[0]
    assert row["p_adjusted"] == row["p_value"]
    assert (row["diff_low_all"], row["diff_high_all"]) == pytest.approx((row["diff_low"], row["diff_high"]))


def test_measures_are_adjusted_each_for_itself() -> None:
    once = table(np.array([1.0, 1.5, 0.5, 1.2, 0.8]))
    both = among_many(pd.concat([once, once.assign(measure="bus_km")], ignore_index=True))
    assert both["comparisons"].tolist() == [1, 1]


def test_nothing_is_rarely_taken_for_something() -> None:
    """47 scenarios that change nothing, 150 sweeps: some is "clear" in nearly all of them alone, in 5 % adjusted."""
    drawn = np.random.default_rng(9)
    alone, adjusted, outside = 0, 0, 0
    for _ in range(150):
        first = drawn.normal(100, 10, 10)
        own = first + drawn.normal(0, 1, (47, 10))
        found = among_many(paired(own, np.tile(first, (47, 1))).assign(measure="late_pupils"))
        alone += (found["p_value"] < 0.05).any()
        adjusted += (found["p_adjusted"] < 0.05).any()
        outside += ((found["diff_low_all"] > 0) | (found["diff_high_all"] < 0)).any()
    assert alone / 150 > 0.8
    assert adjusted / 150 < 0.08
    assert outside / 150 < 0.08


# --- finished runs ---


def test_runs_are_compared_over_the_replications_both_have(tmp_path: Path) -> None:
    """The first was lived three times, the second twice, the third four times."""
    left = {"few": (4.0, 8.0, 9.0), "some": (3.0, 5.0), "many": (1.0, 2.0, 3.0, 40.0)}
    runs = [made_run(tmp_path / name, name, values, 0.0, 2) for name, values in left.items()]
    found = (
        as_declared(compare(runs), run_table("summary")).set_index(["measure", "scenario"]).loc["pupils_left_behind"]
    )
    assert found["replications"].tolist() == [3, 2, 4]
    assert found["diff_replications"].tolist() == [3, 2, 3]
    assert found["comparisons"].tolist() == [2, 2, 2]
    expected = stats.ttest_rel(left["many"][:3], left["few"]).pvalue
    assert found.loc["many", "p_value"] == pytest.approx(expected)
    assert found.loc["few", ["diff_mean", "diff_low_all", "p_value", "p_adjusted", "crn_gain"]].isna().all()
    assert found.loc["some", ["p50", "p50_low"]].tolist() == pytest.approx([4 * 39, np.nan], nan_ok=True)


def test_the_sampling_error_of_a_mean_over_years_comes_from_the_years(tmp_path: Path) -> None:
    """Each year draws weeks of its own: half-widths 30 and 40 make 50 over two years, 25 in the mean."""
    run = made_run(tmp_path / "a", "few", (4.0, 8.0), 0.0, 2)
    rows = [(2023, "pupils_left_behind", 30.0), (2024, "pupils_left_behind", 40.0), (2023, "ride_min_p95", np.nan)]
    pd.DataFrame(rows, columns=["year", "measure", "sampling_half_width"]).to_csv(run / "yearly.csv", index=False)
    found = compare([run]).set_index("measure")["sampling_half_width"]
    assert found["pupils_left_behind"] == 25
    assert found[["ride_min_p95", "cost_yuan_per_year"]].isna().all()


def test_headlines_come_back_as_they_were_reckoned(tmp_path: Path) -> None:
    out = f"study.out={tmp_path}"
    words = ["county=three_villages", "calendar=smoke", "study.years=1", "study.replications=2", "executor=serial", out]
    (ended,) = live_scenarios([load([*words, "account.base=not_closing"])], extent="tables")
    assert ended.folder
    scenario, told = headlines(ended.folder.path)
    again, reckoned = summed_up(ended.folder.path)
    assert (scenario, again) == ("base", "base")
    assert "net_cost_yuan_per_year" in told
    pd.testing.assert_frame_equal(told, reckoned, check_exact=True)
    dearer = reprice(ended.folder, load([*words, "account.base=not_closing", "prices.bus_km.central=3"]), pages=False)
    pd.testing.assert_frame_equal(headlines(dearer.path)[1], summed_up(dearer.path)[1], check_exact=True)
    assert (headlines(dearer.path)[1]["cost_yuan_per_year"] > told["cost_yuan_per_year"]).all()
