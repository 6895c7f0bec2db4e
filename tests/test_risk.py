"""Risks by hand: what groups of pupils lived, who is warned of, how likely and how bad bad years are, what is idle."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from living import BY_HEART, job, lived, settings_of
from scipy import stats

from sim.judge.equity import equity, transfers, warnings
from sim.judge.risk import exceedance, of_cost, of_risk, stranded, tails
from sim.live import live_year
from sim.measure.group import OF_PUPILS, by_pupil, distances
from sim.tables.risk import GROUPINGS, OF_HAMLETS

DAYS = 195
"""School days of a year of three villages: 39 weeks of 5."""


def wide(groups: pd.DataFrame, by: str) -> pd.DataFrame:
    rows = groups[groups["by"] == by]
    return rows.pivot_table(index="group", columns="measure", values="value", aggfunc="sum", observed=True).fillna(0)


# --- what groups lived ---


@pytest.fixture(scope="module")
def year() -> dict[str, pd.DataFrame]:
    """A year of three villages: A walks (4), B has two riders and two lodgers, D has four riders 12 km away."""
    return live_year(job(*BY_HEART, "lodge.beds=0"), 0, 0)


@pytest.mark.parametrize("by", GROUPINGS)
def test_every_way_to_tell_pupils_apart_has_all_of_them(year: dict[str, pd.DataFrame], by: str) -> None:
    found = wide(year["groups"], by)
    assert found["pupils"].sum() == 12
    assert found["pupil_days"].sum() == 12 * DAYS


def test_who_has_no_bed_is_told_by_home_grades_and_distance(year: dict[str, pd.DataFrame]) -> None:
    refused = year["annual"].query("site_id == 'county' and measure == 'bed_refused'")["value"].item()
    assert refused > 0
    assert wide(year["groups"], "grades").loc["7-9", "no_bed"] == refused, "no primary pupil asks for a bed"
    for by in GROUPINGS:
        assert wide(year["groups"], by)["no_bed"].sum() == refused
    harmed = year["annual"].query("site_id == 'county' and measure == 'pupil_days_harmed'")["value"].item()
    assert wide(year["groups"], "sex")["harmed"].sum() == harmed


def test_journeys_of_groups_are_those_of_their_pupils(year: dict[str, pd.DataFrame]) -> None:
    homes, all_ = wide(year["groups"], "hamlet"), wide(year["groups"], "grades")
    assert homes.loc["A", "journeys"] == 4 * DAYS
    assert homes.loc["A", "journeys_long"] == 0
    assert homes["journey_min"].sum() == pytest.approx(all_["journey_min"].sum())
    assert set(homes.columns) <= set(OF_HAMLETS)


def test_a_journey_is_long_by_the_limit_of_the_grades() -> None:
    scene, _, _ = lived(job(*BY_HEART))
    young = int(np.flatnonzero(scene.pupils.grade <= 3)[0])
    old = int(np.flatnonzero(scene.pupils.grade >= 4)[0])
    minutes = np.full((2, len(scene.pupils)), np.nan)
    minutes[:, young], minutes[:, old] = [30.0, 35.0], [35.0, 41.0]
    hurt = {("bus", "late", "road"): minutes > 40, ("bus", "hungry", "road"): minutes > 40}
    told = pd.DataFrame(by_pupil(scene, hurt, minutes), OF_PUPILS)
    assert told.loc[["journeys", "journey_min", "journeys_long"], young].tolist() == [2, 65, 1]
    assert told.loc[["journeys", "journey_min", "journeys_long"], old].tolist() == [2, 76, 1]
    assert told.loc[["harmed", "late", "hungry"], old].tolist() == [1, 1, 1], "two harms on one day are one day harmed"
    assert told.loc["pupil_days"].unique().tolist() == [2]


def test_classes_of_distance_follow_the_setting() -> None:
    assert distances(settings_of("judge.distances_km=[2, 4.5]")) == ["0-2", "2-4.5", "4.5+"]


# --- equity and warnings ---


def group_rows(*rows: tuple[object, ...]) -> pd.DataFrame:
    columns = ["replication", "year", "by", "group", "grade_band", "measure", "value"]
    return pd.DataFrame(rows, columns=columns)


def test_a_group_beside_all_pupils() -> None:
    rows = group_rows(
        *((r, 2023, "sex", sex, "all", "pupils", 10.0) for r in (0, 1) for sex in "fm"),
        (0, 2023, "sex", "f", "all", "no_bed", 30.0),
        (1, 2023, "sex", "f", "all", "no_bed", 50.0),
        (1, 2023, "sex", "m", "all", "no_bed", 10.0),
    )
    found = equity(settings_of("county=three_villages"), rows).set_index(["group", "measure"])
    girls = found.loc[("f", "no_bed")]
    half = stats.t.ppf(0.975, 1) * np.std([3, 5], ddof=1) / np.sqrt(2)
    assert (girls["pupils"], girls["value_mean"]) == (10, 4)
    assert girls["value_high"] == pytest.approx(4 + half)
    assert girls["value_low"] == 0, "nothing counted can be less"
    assert girls["gap_mean"] == pytest.approx(np.mean([3 - 1.5, 5 - 3.0]))
    assert found.loc[("f", "no_bed"), "gap_mean"] == -found.loc[("m", "no_bed"), "gap_mean"]
    assert np.isnan(found.loc[("m", "journey_min"), "value_mean"]), "who lodges has no journey"


POINT, VILLAGE, CENTRAL = range(3)


def test_who_was_moved_how_often() -> None:
    """The point (grades 1-3) closes in the first year, the village school (1-6) in the third; 4-6 were there before."""
    schools = SimpleNamespace(first_grade=np.array([1, 1, 1]), last_grade=np.array([3, 6, 9]))
    before = np.array([[POINT] * 3 + [VILLAGE] * 3 + [CENTRAL] * 3])
    first = np.array([[VILLAGE] * 6 + [CENTRAL] * 3])
    third = np.full((1, 9), CENTRAL)
    years = [SimpleNamespace(places=SimpleNamespace(school=school)) for school in (first, first, third)]
    county, plan = SimpleNamespace(schools=schools), SimpleNamespace(years=years)
    moves = transfers(county, plan, SimpleNamespace(school=before))  # type: ignore[arg-type]
    assert moves[0, 0].tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert moves[1, 0].tolist() == [0, 1, 1, 1, 0, 0, 0, 0, 0]
    assert moves[2, 0].tolist() == [0, 1, 2, 2, 2, 1, 0, 0, 0], "who outgrows the village school was not moved"


def test_two_signs_are_a_warning_and_one_is_not() -> None:
    county = SimpleNamespace(hamlets=SimpleNamespace(id=("A", "B"), hardship_share=np.array([0.3, 0.1])))
    lived_by = [(r, 2023, "hamlet", home, "1-3", "pupils", 6.0) for r in (0, 1) for home in "AB"]
    lived_by += [(r, 2023, "hamlet", home, "1-3", "pupil_days", 600.0) for r in (0, 1) for home in "AB"]
    lived_by += [(r, 2023, "hamlet", home, "1-3", "journeys", 500.0) for r in (0, 1) for home in "AB"]
    lived_by += [(r, 2023, "hamlet", "A", "1-3", "journeys_long", long) for r, long in ((0, 100.0), (1, 20.0))]
    lived_by += [(0, 2023, "hamlet", "B", "1-3", "journeys_long", 400.0)]
    settings, none = settings_of("county=three_villages"), np.zeros((1, 2, 9))
    found = warnings(settings, county, group_rows(*lived_by), none, none + 1.0).set_index("hamlet_id")  # type: ignore[arg-type]
    assert found.loc["A", "long_way_share_mean"] == pytest.approx((0.2 + 0.04) / 2)
    assert (found.loc["A", "signs"], found.loc["A", "count"]) == ("long_way, hardship", 2)
    assert (found.loc["A", "warned"], found.loc["A", "chance"]) == ("yes", 0.5), "in one of two replications both"
    assert (found.loc["B", "signs"], found.loc["B", "warned"]) == ("long_way", "no")
    moved = none.copy()
    moved[0, 1, :3] = [2, 3, 1]
    weights = none + np.array([1, 1, 0, 1, 1, 1, 1, 1, 1])
    again = warnings(settings, county, group_rows(*lived_by), moved, weights).set_index("hamlet_id")  # type: ignore[arg-type]
    assert again.loc["B", "transfers"] == 2.5, "grade 3 has no pupils"
    assert again.loc["B", "signs"] == "long_way, transfers"


# --- how likely, how bad ---


def told(values: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"replication": range(len(values)), "year": 2023, "measure": "late_pupils", "value": values}
    )  # fmt: skip


def test_the_chance_of_more_is_the_share_of_replications_with_more() -> None:
    found = exceedance(settings_of("county=three_villages"), told([1, 2, 2, 5]))
    assert found["value"].tolist() == [1, 2, 5]
    assert found["p"].tolist() == [0.75, 0.25, 0]
    assert found["p_low"].iloc[1] == pytest.approx(stats.beta.ppf(0.025, 1.5, 3.5))
    assert found["p_high"].iloc[2] == pytest.approx(stats.beta.ppf(0.975, 0.5, 4.5))
    assert set(found["unit"]) == {"pupil-day"}


def test_the_tail_is_the_worst_fifth() -> None:
    found = tails(settings_of("county=three_villages"), told([*range(100, 0, -1)])).iloc[0]
    half = stats.t.ppf(0.975, 99) * np.sqrt((35 + 0.8 * 9.5**2) / 20)  # 81..100: variance 35, mean 90.5
    assert (found["mean"], found["tail_replications"], found["tail_mean"]) == (50.5, 20, 90.5)
    assert (found["tail_low"], found["tail_high"]) == (pytest.approx(90.5 - half), pytest.approx(90.5 + half))
    few = tails(settings_of("county=three_villages"), told([*range(1, 12)])).iloc[0]
    assert (few["tail_replications"], few["tail_mean"]) == (3, 10), "a fifth of eleven, rounded up"
    assert np.isnan(few["tail_low"]), "eleven replications do not tell how far it reaches"


def test_the_interval_of_the_tail_holds_what_it_promises() -> None:
    """The mean of the worst fifth of an exponential is its 80 % quantile and 1 more: 2.609.

    Tails are cut short in a sample, so it holds a little less than its 95 %; that is said beside FEWEST_IN_ALL.
    """
    draws = np.random.default_rng(1).exponential(size=(400, 100))
    held = 0
    for values in draws:
        found = tails(settings_of("county=three_villages"), told(values.tolist())).iloc[0]
        held += found["tail_low"] <= np.log(5) + 1 <= found["tail_high"]
    assert 0.88 <= held / len(draws) <= 0.98


def test_what_is_never_harmed_has_no_curve() -> None:
    assert exceedance(settings_of("county=three_villages"), told([0, 0])).empty
    assert tails(settings_of("county=three_villages"), told([0, 0])).empty


def test_severity_and_cost_are_totals_of_the_county() -> None:
    rows = [(r, 2023, site, "late_pupils", value) for r in (0, 1) for site, value in (("S", 3.0), ("county", 7.0))]
    annual = pd.DataFrame(rows, columns=["replication", "year", "site_id", "measure", "value"])
    harm = pd.DataFrame({"replication": [1, 1], "year": [2023, 2023], "severity": [0.5, 2.0]})
    found = of_risk(annual, harm).pivot(index="replication", columns="measure", values="value")
    assert found["late_pupils"].tolist() == [7, 7]
    assert found["severity"].tolist() == [0, 2.5], "a replication without harm counts as 0"
    ledger = pd.DataFrame({"replication": [0, 0, 1], "year": 2023, "amount_yuan": [5.0, -2.0, 4.0]})
    assert of_cost(ledger)["value"].tolist() == [3, 4]


def test_idle_is_what_nobody_asks_for() -> None:
    columns = ["replication", "year", "site_id", "resource", "capacity", "demand_peak", "unit"]
    rows = [
        (0, 2023, "S", "bed_girls", 10.0, 4.0, "bed"), (1, 2023, "S", "bed_girls", 10.0, 8.0, "bed"),
        (0, 2023, "T", "bed_girls", 5.0, 9.0, "bed"), (1, 2023, "T", "bed_girls", 5.0, 9.0, "bed"),
        (0, 2023, "county", "bus", 7.0, 6.0, "bus"), (1, 2023, "county", "bus", 7.0, 6.0, "bus"),
        (0, 2023, "S", "window", 3.0, 1.0, "window"),
    ]  # fmt: skip
    found = stranded(settings_of("county=three_villages"), pd.DataFrame(rows, columns=columns))
    found = found.set_index(["site_id", "resource"])
    assert len(found) == 4
    assert found.loc[("S", "bed_girls"), ["capacity", "idle_mean", "idle_share"]].tolist() == [10, 4, 0.4]
    assert found.loc[("county", "bed_girls"), ["capacity", "idle_mean"]].tolist() == [15, 4], "T has none to spare"
    assert found.loc[("county", "bus"), ["idle_mean", "idle_low", "idle_high"]].tolist() == [1, 1, 1]
