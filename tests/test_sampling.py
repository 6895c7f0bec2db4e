"""How sure a year is of which only some weeks were lived, and quantiles with their intervals: by hand and by chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sim.chance import YearLuck, sampled_weeks
from sim.county import SchoolCalendar
from sim.judge.yearly import sampling, yearly_table
from sim.measure.annual import annual
from sim.measure.interval import mean_interval, quantile_interval
from sim.measure.sampling import sampling_variance
from sim.tables import as_declared, run_table

MONTHS = np.repeat([9, 10, 11, 12, 1, 2, 3, 4, 5, 6], [4, 5, 4, 4, 4, 1, 4, 5, 4, 4])
CALENDAR = SchoolCalendar(
    week=np.arange(1, 40), term=np.where(np.arange(1, 40) <= 21, 1, 2), month=MONTHS, days=np.full(39, 5)
)
SEASON = {9: 0, 10: 2, 11: 5, 12: 9, 1: 12, 2: 11, 3: 8, 4: 4, 5: 2, 6: 0}


def weekly(*rows: tuple[int, float, float], measure: str = "late_pupils", replication: int = 0) -> pd.DataFrame:
    """Return rows of measures.parquet: (week, value, weight)."""
    table = pd.DataFrame(rows, columns=["week", "value", "weight"])
    return table.assign(replication=replication, year=2023, day=0, site_id="county", measure=measure)


def variance(*rows: tuple[int, float, float], measure: str = "late_pupils") -> tuple[float, float]:
    row = sampling_variance(weekly(*rows, measure=measure)).iloc[0]
    return row["variance"], row["freedom"]


FOUR = ((3, 1.0, 10.0), (13, 3.0, 10.0), (23, 2.0, 10.0), (33, 6.0, 10.0))
"""Second differences 1 - 6 + 2 and 3 - 4 + 6: s^2 = (9 + 25) / 6 / 2 = 17 / 6; each week adds 10 x 9 s^2."""
SQUARED = 17 / 6
FREEDOM = 2**2 / (2 + 2 * 4 / 9)


# --- sampled weeks, by hand ---


def test_the_sampling_variance_of_a_total_by_hand() -> None:
    assert variance(*FOUR) == pytest.approx((4 * 90 * SQUARED, FREEDOM))


def test_the_order_of_the_rows_does_not_matter() -> None:
    assert variance(*FOUR[::-1]) == variance(*FOUR)


def test_a_mean_is_a_total_over_the_weeks_of_the_year() -> None:
    assert variance(*FOUR, measure="ride_min_p95")[0] == pytest.approx(4 * 90 * SQUARED / 40**2)


def test_it_is_the_textbooks_for_weeks_drawn_at_random() -> None:
    """W^2 (1 - n/W) s^2 / n with W = 40, n = 4."""
    assert variance(*FOUR)[0] == pytest.approx(40**2 * (1 - 4 / 40) * SQUARED / 4)


def test_a_stressed_week_stands_for_itself_and_adds_nothing() -> None:
    assert variance(*FOUR, (9, 1000.0, 1.0)) == variance(*FOUR)


def test_a_run_of_the_year_is_no_spread_however_the_weeks_lie() -> None:
    assert variance(*((week, 5.0 + 2 * week, 8.0) for week in (2, 5, 6, 19, 39)))[0] == pytest.approx(0)


def test_weeks_that_stand_for_more_count_for_more() -> None:
    """Weights 2, 3, 4, 5 add 2, 6, 12, 20; second differences 1 and 5, squared / 6, weigh 20 and 38, sums of three."""
    rows = ((1, 0.0, 2.0), (5, 0.0, 3.0), (9, 1.0, 4.0), (13, 7.0, 5.0))
    assert variance(*rows)[0] == pytest.approx(40 * (20 * 1 / 6 + 38 * 25 / 6) / 58)


def test_a_week_is_held_against_the_line_through_its_neighbours() -> None:
    """Weeks 1, 2 and 5: the line from 0 to 8 is at 2 in week 2, and L = 3/4: 9 / (1 + 9/16 + 1/16)."""
    assert variance((1, 0.0, 3.0), (2, 5.0, 3.0), (5, 8.0, 3.0))[0] == pytest.approx(18 * 9 / (26 / 16))


def test_where_every_week_is_lived_nothing_is_sampled() -> None:
    assert variance((1, 4.0, 1.0), (2, 9.0, 1.0)) == (0, 0)


@pytest.mark.parametrize("rows", [((7, 4.0, 39.0),), ((7, 4.0, 20.0), (30, 6.0, 19.0))])
def test_fewer_than_three_weeks_say_too_little_of_the_others(rows: tuple[tuple[int, float, float], ...]) -> None:
    found, freedom = variance(*rows)
    assert np.isnan(found)
    assert freedom == 0


def test_the_largest_of_the_weeks_has_no_sampling_error() -> None:
    assert np.isnan(variance(*FOUR, measure="ride_min_max")[0])


def test_measures_years_and_sites_are_kept_apart_and_days_left_out() -> None:
    parts = [weekly(*FOUR), weekly(*FOUR, measure="bus_km"), weekly(*FOUR, replication=1)]
    daily = weekly((3, 99.0, 10.0)).assign(day=2)
    table = sampling_variance(
        pd.concat([*parts, weekly(*FOUR).assign(year=2024), weekly(*FOUR).assign(site_id="C"), daily])
    )
    assert len(table) == 5
    assert table["variance"].tolist() == pytest.approx([1020.0] * 5)


def test_half_the_interval_of_two_replications_by_hand() -> None:
    """Variances add up and the mean has half: t sqrt(2 x 1020) / 2."""
    table = sampling(pd.concat([weekly(*FOUR), weekly(*FOUR, replication=1)]))
    assert table["sampling_half_width"].tolist() == pytest.approx([stats.t.ppf(0.975, 2 * FREEDOM) * np.sqrt(2040) / 2])


# --- sampled weeks, by chance ---


def lives(wanted: int, count: int = 500, season: float = 3.0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the weeks lived in many replications, and what all weeks of each year add up to.

    Weeks of a replication have a luck in common (standard deviation 10), a season and luck of their own (8).
    """
    parts, truth = [], []
    for replication in range(count):
        drawn = np.random.default_rng((5, replication))
        run = season * np.vectorize(SEASON.get)(MONTHS)
        value = 100 + 10 * drawn.normal() + run + 8 * drawn.normal(size=39)
        found = sampled_weeks(YearLuck(7, replication, 2023), CALENDAR, wanted)
        parts.append(np.column_stack([np.full(wanted, replication), found.week, value[found.week - 1], found.weight]))
        truth.append(value.sum())
    table = pd.DataFrame(np.concatenate(parts), columns=["replication", "week", "value", "weight"])
    table = table.astype({"replication": int, "week": int})
    return table.assign(year=2023, day=0, site_id="county", measure="late_pupils"), np.array(truth)


@pytest.mark.parametrize(("wanted", "season", "most"), [(6, 3.0, 1.5), (10, 3.0, 1.5), (20, 3.0, 1.3), (6, 0.0, 1.1)])
def test_the_estimate_is_right_or_somewhat_too_large(wanted: int, season: float, most: float) -> None:
    """Held against how far the sampled weeks of made years are off all weeks; a crooked season makes it larger."""
    weeks, truth = lives(wanted, season=season)
    error = annual(weeks)["value"].to_numpy() - truth
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))
    assert 0.9 < sampling_variance(weeks)["variance"].mean() / error.var() < most


def test_the_spread_between_replications_holds_the_sampling_error_already() -> None:
    """Luck of 10 a week makes 390 a year; sampled weeks add their error to it: nothing more is to be added."""
    weeks, truth = lives(6)
    totals = annual(weeks)["value"].to_numpy()
    assert totals.var() == pytest.approx(truth.var() + (totals - truth).var(), rel=0.1)
    _, low, high = mean_interval(totals.reshape(50, 10))  # fifty studies of ten replications
    expected = 39 * 100 + 3 * sum(SEASON[month] for month in MONTHS.tolist())
    assert ((low < expected) & (expected < high)).mean() >= 0.9
    own = sampling(weeks)["sampling_half_width"].item()
    whole = 1.96 * totals.std() / np.sqrt(len(totals))
    assert own / whole == pytest.approx((totals - truth).std() / totals.std(), rel=0.25)


def test_with_one_replication_sampling_alone_gives_an_interval_of_that_replication() -> None:
    """It holds what all weeks of the same replication would tell, about as often as it says."""
    weeks, truth = lives(6, season=0.0)
    found = sampling_variance(weeks)
    half = stats.t.ppf(0.975, found["freedom"]) * np.sqrt(found["variance"])
    alone = sampling(weeks[weeks["replication"] == 0])["sampling_half_width"].item()
    assert alone == pytest.approx(half[0])
    assert 0.92 <= (np.abs(annual(weeks)["value"] - truth) <= half).mean() <= 0.98


# --- quantiles ---


def test_a_quantile_and_its_interval_are_values_by_rank() -> None:
    """Ten values: 2nd to 9th for the median (binomial: 97.9 %); too few for the 90 % quantile, which takes 36."""
    values = np.arange(1.0, 11.0)[None]
    assert [end.item() for end in quantile_interval(values, 0.5)] == [5.5, 2.0, 9.0]
    assert quantile_interval(values, 0.9)[0].item() == pytest.approx(9.1)
    assert np.isnan(quantile_interval(values, 0.9)[1:]).all()


@pytest.mark.parametrize(("share", "fewest"), [(0.5, 6), (0.9, 36)])
def test_an_interval_of_a_quantile_takes_so_many_replications(share: float, fewest: int) -> None:
    assert np.isnan(quantile_interval(np.arange(fewest - 1.0)[None], share)[1:]).all()
    assert np.isfinite(quantile_interval(np.arange(float(fewest))[None], share)[1:]).all()


def test_values_that_are_missing_are_no_values() -> None:
    values = np.array([[3.0, np.nan, 1.0, 2.0, 6.0, 5.0, 4.0], [np.nan] * 7])
    value, low, high = quantile_interval(values, 0.5)
    assert (value[0], low[0], high[0]) == (3.5, 1.0, 6.0)
    assert np.isnan([value[1], low[1], high[1]]).all()


@pytest.mark.parametrize(("share", "size"), [(0.5, 10), (0.5, 25), (0.9, 40), (0.9, 100)])
def test_intervals_of_quantiles_hold_the_truth_whatever_the_distribution(share: float, size: int) -> None:
    values = np.random.default_rng(2).lognormal(0.0, 1.0, (4000, size))
    _, low, high = quantile_interval(values, share)
    truth = stats.lognorm.ppf(share, 1.0)
    assert 0.945 <= ((low <= truth) & (truth <= high)).mean() <= 0.99


# --- the table of the years ---


def test_every_measure_of_the_county_by_year() -> None:
    weeks = pd.concat(
        [weekly(*((week, value + r, weight) for week, value, weight in FOUR), replication=r) for r in range(6)]
    )
    told = annual(pd.concat([weeks, weeks.assign(site_id="C")]))
    harm = pd.DataFrame({"replication": [0, 0], "year": 2023, "severity": [9.0, 3.0]})
    table = as_declared(yearly_table(told, harm, weeks).assign(scenario="made"), run_table("yearly"))
    late, severity = (row for _, row in table.iterrows())
    assert (late["measure"], late["unit"], late["replications"]) == ("late_pupils", "pupil-day", 6)
    assert late[["mean", "p50", "p50_low", "p50_high"]].tolist() == [220, 220, 120, 320]
    half = stats.t.ppf(0.975, 5) * np.std(np.arange(6) * 40, ddof=1) / np.sqrt(6)
    assert late[["low", "high"]].tolist() == pytest.approx([220 - half, 220 + half])
    assert late["sampling_half_width"] == pytest.approx(stats.t.ppf(0.975, 6 * FREEDOM) * np.sqrt(6 * 1020) / 6)
    assert late[["p90_low", "p90_high"]].isna().all()
    assert (severity["measure"], severity["mean"], severity["low"]) == ("severity", 2, 0)
    assert np.isnan(severity["sampling_half_width"])


def test_one_replication_has_a_sampling_error_and_no_interval() -> None:
    row = yearly_table(
        annual(weekly(*FOUR)), pd.DataFrame({"replication": [], "year": [], "severity": []}), weekly(*FOUR)
    )
    late = row.set_index("measure").loc["late_pupils"]
    assert late[["low", "high", "p50_low", "p50_high"]].isna().all()
    assert late["sampling_half_width"] == pytest.approx(stats.t.ppf(0.975, FREEDOM) * np.sqrt(1020))
