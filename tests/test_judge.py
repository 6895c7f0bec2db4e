"""Numbers against limits, what is short, and scenarios side by side: each checked by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_measures import measures, yearly
from scipy import stats

from sim.config import Limit, Settings, load
from sim.county import County
from sim.judge.bottleneck import COLUMNS as BOTTLENECK_COLUMNS
from sim.judge.bottleneck import MEASURES_OF, bottlenecks
from sim.judge.compare import compare
from sim.judge.limit import COLUMNS as VERDICT_COLUMNS
from sim.judge.limit import verdicts
from sim.judge.relief import REMEDIES, remedy, with_relief
from sim.measure import MEASURES, OF_THE_ROLL
from sim.measure.annual import annual
from sim.measure.interval import chance_interval, jeffreys, mean_interval, paired_interval, spread_out
from sim.tables import as_declared, run_table
from sim.tables.run import RESOURCES


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(["county=three_villages"])


def judged_by(settings: Settings, **limits: Limit) -> Settings:
    return settings.model_copy(update={"limits": limits})


def limit(measure: str, value: float, per: str | None = None, site: str = "school", sense: str = "at_most") -> Limit:
    return Limit.model_validate(
        {
            "measure": measure,
            "per": per,
            "sense": sense,
            "value": value,
            "unit": "x",
            "site": site,
            "source": "made",
        }
    )


# --- intervals ---


def test_the_interval_of_a_mean_is_students() -> None:
    values = np.array([[1.0, 2.0, 4.0, 7.0]])
    mean, low, high = mean_interval(values)
    expected = stats.t.interval(0.95, 3, loc=3.5, scale=values.std(ddof=1) / 2)
    assert mean[0] == 3.5
    assert (low[0], high[0]) == pytest.approx(expected)


def test_one_replication_has_a_mean_and_no_interval() -> None:
    mean, low, high = mean_interval(np.array([[5.0], [np.nan]]))
    assert mean[0] == 5
    assert np.isnan(mean[1])
    assert np.isnan([low, high]).all()


def test_a_replication_that_says_nothing_does_not_count() -> None:
    with_gap = mean_interval(np.array([[1.0, np.nan, 3.0]]))
    without = mean_interval(np.array([[1.0, 3.0]]))
    assert np.allclose(with_gap, without)


def test_the_interval_of_a_probability_is_jeffreys() -> None:
    low, high = jeffreys(np.array([0.0, 3.0, 10.0]), np.array([10.0, 10.0, 10.0]))
    assert low[0] == 0
    assert high[2] == 1
    assert (low[1], high[1]) == pytest.approx(stats.beta.interval(0.95, 3.5, 7.5))
    # Brown, Cai and DasGupta (2001): the end that is not fixed is the quantile of Beta(1/2, n + 1/2).
    assert high[0] == pytest.approx(stats.beta.ppf(0.975, 0.5, 10.5))


def test_one_try_gives_no_interval_of_a_probability() -> None:
    chance, low, high = chance_interval(np.array([[True]]), np.array([[True]]))
    assert chance[0] == 1
    assert np.isnan([low[0], high[0]]).all()


def test_paired_differences_are_narrower_than_two_intervals() -> None:
    luck = np.array([[1.0, 5.0, 9.0, 3.0]])
    mean, low, high = paired_interval(luck + np.array([[1.0, 1.1, 0.9, 1.0]]), luck)
    assert mean[0] == pytest.approx(1)
    assert high[0] - low[0] < 0.3


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.floats(-5, 5)), min_size=1, max_size=20))
def test_laying_out_a_table_keeps_every_amount(rows: list[tuple[int, str, float]]) -> None:
    frame = pd.DataFrame(rows, columns=["replication", "key", "value"])
    groups, matrix = spread_out(frame, ["key"], "value", [0, 1, 2, 3], 0.0)
    assert matrix.shape == (frame["key"].nunique(), 4)
    assert matrix.sum() == pytest.approx(frame["value"].sum(), abs=1e-9)
    for key, row in zip(groups["key"], matrix, strict=True):
        assert row[2] == pytest.approx(frame[(frame["key"] == key) & (frame["replication"] == 2)]["value"].sum())


# --- a year from its weeks ---


def test_totals_add_up_over_weighted_weeks_and_means_are_weighted_means() -> None:
    told = {("C", "late_pupils"): (2.0,), ("C", "ride_min_mean"): (10.0,), ("C", "ride_min_max"): (30.0,)}
    first, second = measures(told), measures({key: (value[0] + 6,) for key, value in told.items()})
    weekly = pd.concat([first.assign(weight=30.0), second.assign(week=2, weight=10.0)])
    days = first.assign(day=1, value=1000.0)
    year = annual(pd.concat([weekly, days]))
    assert year.set_index("measure")["value"].to_dict() == {
        "late_pupils": 2 * 30 + 8 * 10,
        "ride_min_mean": 11.5,
        "ride_min_max": 36.0,
    }


def test_no_weeks_make_no_year() -> None:
    empty = measures({("C", "late_pupils"): (1.0,)}).iloc[:0]
    assert annual(empty).empty


# --- verdicts ---


def test_a_verdict_by_hand(settings: Settings, three_villages: County) -> None:
    told = yearly({("C", "late_pupils"): (1.0, 3.0), ("C", "pupils_present"): (100.0, 100.0)})
    rule = limit("late_pupils", 0.015, per="pupils_present")
    table = verdicts(judged_by(settings, late=rule), three_villages, told)
    assert tuple(table.columns) == VERDICT_COLUMNS == tuple(run_table("verdicts").names)
    as_declared(table, run_table("verdicts"))
    row = table.iloc[0]
    assert (row["site_id"], row["limit"], row["year"]) == ("C", "late", 2023)
    assert row["value_mean"] == pytest.approx(0.02)
    assert row["p_breach"] == 0.5
    assert row["margin"] == pytest.approx(-0.005)
    assert row["p_low"] < 0.5 < row["p_high"]


def test_a_floor_is_kept_from_above(settings: Settings, three_villages: County) -> None:
    told = yearly({("C", "ride_min_p95"): (10.0, 20.0)})
    rule = limit("ride_min_p95", 12.0, sense="at_least")
    row = verdicts(judged_by(settings, floor=rule), three_villages, told).iloc[0]
    assert row["p_breach"] == 0.5
    assert row["margin"] == pytest.approx(3)


def test_limits_apply_to_their_sites(settings: Settings, three_villages: County) -> None:
    told = yearly({(site, "ride_min_p95"): (1.0, 1.0) for site in ("C", "T", "county")})
    places = ("school", "county", "lodging", "primary", "junior")
    rules = {place: limit("ride_min_p95", 40.0, site=place) for place in places}
    table = verdicts(judged_by(settings, **rules), three_villages, told)
    assert table.groupby("limit")["site_id"].apply(list).to_dict() == {
        "county": ["county"],
        "junior": ["C"],
        "lodging": ["C"],
        "primary": ["C", "T"],
        "school": ["C", "T"],
    }


def test_when_nobody_is_carried_and_all_are_left_behind_the_share_is_one(
    settings: Settings, three_villages: County
) -> None:
    told = yearly({("C", "pupils_left_behind"): (5.0, 5.0), ("C", "pupils_carried"): (0.0, 0.0)})
    rule = limit("pupils_left_behind", 0.005, per="pupils_carried")
    row = verdicts(judged_by(settings, left=rule), three_villages, told).iloc[0]
    assert row["value_mean"] == 1
    assert row["p_breach"] == 1


def test_what_was_not_measured_is_not_judged(settings: Settings, three_villages: County) -> None:
    told = yearly({("C", "pupils_present"): (5.0,)})
    table = verdicts(judged_by(settings, ride=limit("ride_min_p95", 40.0)), three_villages, told)
    assert table.empty
    assert tuple(table.columns) == VERDICT_COLUMNS


def test_one_replication_has_a_verdict_without_interval(settings: Settings, three_villages: County) -> None:
    told = yearly({("C", "ride_min_p95"): (50.0,)})
    row = verdicts(judged_by(settings, ride=limit("ride_min_p95", 40.0)), three_villages, told).iloc[0]
    assert row["p_breach"] == 1
    assert row[["value_low", "value_high", "p_low", "p_high"]].isna().all()


def test_the_shares_that_are_judged_divide_totals_by_totals(settings: Settings) -> None:
    for name, rule in settings.limits.items():
        if rule.per is not None and rule.measure in MEASURES:
            assert MEASURES[rule.measure].how == MEASURES[rule.per].how == "total", name


# --- bottlenecks ---

PRICED = ("relief", "relief_cost_yuan", "relief_yuan_per_year")

HARM = pd.DataFrame(
    [
        (0, 2023, "C", "bed_girls", "no_bed", "bed", 10.0, 10.0),
        (1, 2023, "C", "bed_girls", "no_bed", "bed", 30.0, 30.0),
        (0, 2023, "C", "window", "hungry", "window", 8.0, 4.0),
        (0, 2024, "C", "window", "hungry", "window", 80.0, 40.0),
        (1, 2024, "C", "window", "hungry", "window", 80.0, 40.0),
        (1, 2024, "C", "window", "haste", "bus", 20.0, 1.0),
        (1, 2024, "C", None, "late", "weather", 500.0, 125.0),
    ],
    columns=["replication", "year", "site_id", "resource", "kind", "cause", "pupil_days", "severity"],
).assign(scenario="made")
SHORT = pd.DataFrame({"replication": [0, 1], "resource": ["window", "window"], "site_id": ["C", "C"]})
VERDICTS = pd.DataFrame(
    [(2023, "C", "meals_unserved", 0.0), (2024, "C", "meals_unserved", 1.0), (2023, "C", "bed_refused", 1.0)],
    columns=["year", "site_id", "measure", "p_breach"],
).assign(p_low=lambda table: table["p_breach"] / 2, p_high=1.0)


@pytest.fixture(scope="module")
def found(settings: Settings, three_villages: County) -> pd.DataFrame:
    return with_relief(settings, three_villages, bottlenecks(settings, three_villages, HARM, SHORT, VERDICTS))


def test_bottlenecks_have_the_columns_of_the_contract(found: pd.DataFrame) -> None:
    assert tuple(found.columns) == (*BOTTLENECK_COLUMNS, *PRICED) == run_table("bottlenecks").names
    assert len(as_declared(found, run_table("bottlenecks"))) == 3


def test_bottlenecks_are_ranked_by_severity_within_the_year(found: pd.DataFrame) -> None:
    told = found[["year", "rank", "resource", "severity", "pupil_days_harmed_mean"]].to_numpy().tolist()
    assert told == [
        [2023, 1, "bed_girls", 20.0, 20.0],
        [2023, 2, "window", 2.0, 4.0],
        [2024, 1, "window", 40.5, 90.0],
    ]


def test_the_intervals_of_severity_and_chance(found: pd.DataFrame) -> None:
    bed, early, later = (row for _, row in found.iterrows())
    half = 12.706204736 * np.sqrt(200 / 2)  # t of one degree of freedom; 10 and 30 have a variance of 200
    assert bed["severity_low"] == 0, "nobody is harmed less than not at all"
    assert bed["severity_high"] == pytest.approx(20 + half)
    assert bed[["p_low", "p_high"]].tolist() == [0.5, 1.0], "its limit is surely broken: the interval of the limit"
    assert early[["p_low", "p_high"]].tolist() == [0, 1], "the limit is surely kept, whoever is harmed"
    assert later[["p_low", "p_high"]].tolist() == [0.5, 1.0]
    kept = later["severity_high"] - later["severity_low"]
    assert kept == pytest.approx(2 * 12.706204736 * np.sqrt(0.5 / 2)), "40 and 41"


def test_a_bottleneck_says_since_when_why_and_what_relief_costs(settings: Settings, found: pd.DataFrame) -> None:
    bed, early, later = (row for _, row in found.iterrows())
    assert bed["first_year_breached"] == 2023
    assert bed["relief_cost_yuan"] == settings.prices["bed_place"].central
    assert (early["p_breach"], later["p_breach"]) == (0, 1)
    assert early["first_year_breached"] == later["first_year_breached"] == 2024
    assert later["cause"] == "window"
    assert bed["site_name"] == "三村中心学校"


def test_a_limit_never_broken_has_no_first_year(settings: Settings, three_villages: County) -> None:
    kept = bottlenecks(settings, three_villages, HARM, SHORT, VERDICTS.assign(p_breach=0.0))
    assert kept["first_year_breached"].isna().all()


def test_without_a_limit_the_chance_is_that_of_any_harm(settings: Settings, three_villages: County) -> None:
    table = bottlenecks(settings, three_villages, HARM, SHORT, VERDICTS.iloc[:0])
    assert table.set_index(["year", "resource"])["p_breach"].to_dict() == {
        (2023, "bed_girls"): 1.0,
        (2023, "window"): 0.5,
        (2024, "window"): 1.0,
    }


def test_the_likeliest_of_the_limits_that_speak_of_a_kind_of_harm_counts(
    settings: Settings, three_villages: County
) -> None:
    said = [(2023, "C", "bed_refused", 0.0), (2023, "C", "emergency_refused", 1.0)]
    verdicts = pd.DataFrame(said, columns=VERDICTS.columns[:4]).assign(p_low=0.0, p_high=1.0)
    table = bottlenecks(settings, three_villages, HARM, SHORT, verdicts)
    assert table.set_index(["year", "resource"]).loc[(2023, "bed_girls"), "p_breach"] == 1.0
    assert {name for names in MEASURES_OF.values() for name in names} <= {*MEASURES, *OF_THE_ROLL}


def test_without_harm_there_is_no_bottleneck(settings: Settings, three_villages: County) -> None:
    table = bottlenecks(settings, three_villages, HARM.iloc[:0], SHORT, VERDICTS)
    assert table.empty
    assert tuple(table.columns) == BOTTLENECK_COLUMNS


def test_a_bus_is_relieved_by_the_kind_that_is_cheapest_per_seat(settings: Settings) -> None:
    per_seat = {kind.name: settings.prices[f"bus_{kind.name}"].central / kind.seats for kind in settings.fleet.kinds}
    cheapest = min(per_seat, key=lambda name: per_seat[name])
    assert remedy(settings, "bus_seat", "", 45)[1] == settings.prices[f"bus_{cheapest}"].central


def test_a_slow_road_is_not_relieved_by_a_bus(settings: Settings) -> None:
    assert np.isfinite(remedy(settings, "bus", "bus", 45)[1])
    assert np.isnan(remedy(settings, "bus", "road", 45)[1])


def test_every_remedy_is_for_a_known_resource_and_has_its_price(settings: Settings) -> None:
    assert set(REMEDIES) <= set(RESOURCES)
    for resource, cure in REMEDIES.items():
        assert np.isfinite(remedy(settings, resource, "", 45)[1]) == bool(cure.item), resource


def test_a_classroom_costs_the_places_of_a_class_of_its_school(settings: Settings, three_villages: County) -> None:
    """45 places in a primary school, 50 in a junior school, at 32,400 yuan each."""
    junior = replace(three_villages.schools, first_grade=np.array([7, 1]), last_grade=np.array([9, 3]))
    county = replace(three_villages, schools=junior)
    short = pd.DataFrame({"site_id": ["C", "T"], "resource": "classroom_seat", "cause": "classroom_seat"})
    assert with_relief(settings, county, short)["relief_cost_yuan"].tolist() == [50 * 32_400, 45 * 32_400]


# --- comparison ---


def made_run(folder: Path, scenario: str, left: tuple[float, ...], severity: float, buses: int) -> Path:
    folder.mkdir()
    told = {("county", "pupils_left_behind"): left, ("C", "pupils_left_behind"): left}
    told |= {("county", "ride_min_p95"): (20.0,) * len(left)}
    yearly(told, years=(2023, 2024)).assign(scenario=scenario).to_parquet(folder / "annual.parquet")
    pd.DataFrame({"replication": [0], "severity": [severity]}).to_parquet(folder / "harm.parquet")
    money = [(r, "bus_insurance", "county", buses, 500.0 + r) for r in range(len(left)) for _ in (2023, 2024)]
    names = ["replication", "account", "payer", "quantity", "amount_yuan"]
    pd.DataFrame(money, columns=names).to_parquet(folder / "ledger.parquet")
    return folder


def test_scenarios_are_compared_replication_by_replication(tmp_path: Path) -> None:
    runs = [
        made_run(tmp_path / "a", "few", (4.0, 8.0), 30.0, 2),
        made_run(tmp_path / "b", "many", (3.0, 7.0), 10.0, 3),
    ]
    table = compare(runs)
    assert len(as_declared(table, run_table("summary"))) == len(table)
    by = table.set_index(["scenario", "measure"])
    first, second = by.loc["few"], by.loc["many"]
    assert first.loc["pupils_left_behind", "mean"] == 6 * 39
    assert first["diff_mean"].isna().all()
    assert second.loc["pupils_left_behind", ["diff_mean", "diff_low", "diff_high"]].tolist() == [-39.0] * 3
    assert second.loc["severity", "mean"] == 2.5
    assert second.loc["severity", "diff_mean"] == -5
    assert second.loc["buses_owned", "mean"] == 3
    assert second.loc["ride_min_p95", "mean"] == 20
    assert first.loc["cost_yuan_per_year", "mean"] == pytest.approx(500.5)
    assert (by["replications"] == 2).all()


def test_only_common_replications_are_paired(tmp_path: Path) -> None:
    runs = [
        made_run(tmp_path / "a", "few", (4.0, 8.0, 9.0), 0.0, 2),
        made_run(tmp_path / "b", "many", (5.0,), 0.0, 2),
    ]
    row = compare(runs).set_index(["scenario", "measure"]).loc[("many", "pupils_left_behind")]
    assert row["diff_mean"] == 39
    assert np.isnan(row["diff_low"])
    assert row["replications"] == 1


def test_two_runs_of_one_name_are_told_apart_by_folder(tmp_path: Path) -> None:
    runs = [made_run(tmp_path / name, "base", (1.0, 2.0), 0.0, 1) for name in ("a", "b")]
    assert set(compare(runs)["scenario"]) == {"a", "b"}
