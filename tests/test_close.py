"""Closures: by size, by name, not against the hearing, and never undone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from living import closures

from sim.config import Settings, load
from sim.county import County, read_county
from sim.errors import BadInput
from sim.plan import Closures, Forecast, enrol, rule
from sim.tables import run_table

T = 1  # position of the teaching point


@cache
def settings(*overrides: str) -> Settings:
    return load(["county=three_villages", *overrides])


def named(school: str, year: int) -> list[str]:
    return ["closure=none", f"closure.named=[{{school_id: {school}, year: {year}}}]"]


def decide(county: County, *overrides: str, pupils_at_t: list[float] | None = None) -> Closures:
    """Close schools, with a stated roll of the teaching point in each year where one is given."""
    chosen = settings(*overrides)
    expected = enrol.forecast(county, chosen)
    if pupils_at_t is not None:
        mean = expected.mean.copy()
        mean[:, 2, :3] = np.array(pupils_at_t)[:, None, None] / 6
        expected = Forecast(expected.years, mean, mean.copy())
    return closures(county, chosen, expected)


def hearing(county: County, *rows: tuple[str, int, str]) -> County:
    frame = pd.DataFrame(rows, columns=["school_id", "year", "result"])
    return replace(county, tables={**county.tables, "hearing": frame})


def test_the_roll_of_a_school_is_that_of_its_hamlets_in_its_grades(three_villages: County) -> None:
    roll = rule.rolls(three_villages, enrol.forecast(three_villages, settings()))[0]
    # T: the three pupils of D in grades 1 to 3. C: four pupils each of A and B.
    np.testing.assert_array_equal(roll, [8, 3])


def test_without_a_rule_nothing_closes(three_villages: County) -> None:
    result = decide(three_villages, "closure=none")
    assert result.open.all()
    assert result.decisions.empty


def test_a_small_teaching_point_closes_and_stays_closed(three_villages: County) -> None:
    result = decide(three_villages, "closure=plan_2023")
    assert result.open[:, 0].all()
    assert not result.open[:, T].any()
    row = result.decisions.iloc[0]
    assert (row.year, row.school_id, row.decision) == (2023, "T", "close")
    assert pd.isna(row.condition_failed)


def test_a_school_at_the_threshold_stays(three_villages: County) -> None:
    under_3 = ["closure=none", "closure.steps=[{year: 2023, below_pupils: 3}]"]
    assert decide(three_villages, *under_3, pupils_at_t=[3.0] * 10).open.all()
    assert not decide(three_villages, *under_3, pupils_at_t=[2.9] * 10).open[:, T].any()


def test_a_school_closes_in_the_first_year_whose_threshold_is_over_its_roll(three_villages: County) -> None:
    result = decide(three_villages, "closure=under_100", pupils_at_t=[40.0] * 2 + [99.0] + [120.0] * 7)
    np.testing.assert_array_equal(result.open[:, T], [True, True] + [False] * 8)


def test_a_threshold_counts_in_its_own_year_alone(three_villages: County) -> None:
    result = decide(three_villages, "closure=plan_2023", pupils_at_t=[31.0] + [5.0] * 9)
    assert result.open.all()


def test_thresholds_before_the_first_year_count_in_the_first_year(three_villages: County) -> None:
    result = decide(three_villages, "closure=plan_2023", "study.first_year=2024")
    assert not result.open[0, T]


def test_kinds_that_may_not_close_stay(three_villages: County) -> None:
    assert decide(three_villages, "closure=plan_2023", "closure.kinds=[village]").open.all()


def test_a_school_that_no_hamlet_attends_today_is_not_closed_for_its_size(three_villages: County) -> None:
    hamlets = replace(three_villages.hamlets, school=np.array([0, 0, 0]))
    assert decide(replace(three_villages, hamlets=hamlets), "closure=plan_2023").open.all()


def test_a_named_school_closes_from_its_year_whatever_its_size(three_villages: County) -> None:
    result = decide(three_villages, *named("C", 2026))
    np.testing.assert_array_equal(result.open[:, 0], [True] * 3 + [False] * 7)
    assert result.decisions["year"].tolist() == [2026]


def test_an_unknown_name_is_refused_with_its_key(three_villages: County) -> None:
    with pytest.raises(BadInput, match=r"closure\.named: 'X9' is no school .*; known are C, T"):
        decide(three_villages, *named("X9", 2024))


def test_a_list_or_a_hearing_of_an_unknown_school_is_refused_with_file_and_row(tmp_path: Path) -> None:
    folder = tmp_path / "county"
    shutil.copytree(settings().county.path, folder)
    (folder / "closures.csv").write_text("school_id,year,source\nX9,2024,synthetic: made up\n", encoding="utf-8")
    (folder / "hearing.csv").write_text("school_id,year,result,source\nY,2024,agreed,synthetic: x\n", encoding="utf-8")
    with pytest.raises(BadInput) as error:
        read_county(folder)
    said = str(error.value)
    assert "closures.csv, row 2, column school_id: 'X9' is no school; known are C, T" in said
    assert "hearing.csv, row 2, column school_id: 'Y' is no school; known are C, T" in said


def test_the_countys_own_list_counts_unless_nothing_is_to_close(three_villages: County) -> None:
    listed = pd.DataFrame({"school_id": ["C"], "year": [2030]})
    county = replace(three_villages, tables={**three_villages.tables, "closures": listed})
    assert not decide(county, "closure=plan_2023").open[7, 0]
    assert decide(county, "closure=none").open.all()
    alone = decide(county, "closure=listed")
    np.testing.assert_array_equal(alone.open, [[year < 2030, True] for year in range(2023, 2033)])
    assert alone.grounds.query("ground == 'listed'")["since"].tolist() == [2030]


def test_a_school_whose_hearing_refused_stays_and_says_why(three_villages: County) -> None:
    result = decide(hearing(three_villages, ("T", 2023, "refused")), "closure=under_30")
    assert result.open.all()
    assert result.decisions[["year", "school_id", "decision", "condition_failed"]].to_numpy().tolist() == [
        [2023, "T", "keep", "hearing"]
    ]


def test_a_later_hearing_that_agrees_closes_the_school(three_villages: County) -> None:
    heard = hearing(three_villages, ("T", 2025, "agreed"), ("T", 2023, "refused"))
    result = decide(heard, "closure=under_30")
    np.testing.assert_array_equal(result.open[:, T], [True, True] + [False] * 8)
    assert result.decisions["decision"].tolist() == ["keep", "close"]


def test_a_school_that_was_wanted_while_refused_closes_when_a_hearing_agrees(three_villages: County) -> None:
    """The threshold counts in 2023 alone; the hearing says no then and yes in 2024."""
    heard = hearing(three_villages, ("T", 2023, "refused"), ("T", 2024, "agreed"))
    result = decide(heard, "closure=plan_2023")
    np.testing.assert_array_equal(result.open[:, T], [True] + [False] * 9)
    assert result.decisions[["year", "decision"]].to_numpy().tolist() == [[2023, "keep"], [2024, "close"]]
    size = result.grounds.query("ground == 'size'")[["year", "since", "value", "limit"]].to_numpy().tolist()
    assert size == [[2023, 2023, 3, 10], [2024, 2023, 3, 10]], "the rule that names it is that of 2023"


def test_a_refusal_alone_keeps_a_school_for_good(three_villages: County) -> None:
    result = decide(hearing(three_villages, ("T", 2023, "refused")), "closure=plan_2023")
    assert result.open.all()
    assert len(result.decisions) == 1
    assert set(result.grounds["ground"]) == {"size"}, "no condition is tested while the hearing says no"
    assert result.school_plans.empty, "nobody moves"


def test_a_school_that_nobody_wants_to_close_does_not_wait_for_a_hearing(three_villages: County) -> None:
    heard = hearing(three_villages, ("T", 2023, "refused"), ("T", 2024, "agreed"))
    result = decide(heard, "closure=plan_2023", pupils_at_t=[31.0] + [5.0] * 9)
    assert result.open.all()
    assert result.decisions.empty


def test_an_agreed_hearing_changes_nothing(three_villages: County) -> None:
    agreed = decide(hearing(three_villages, ("T", 2023, "agreed")), "closure=plan_2023")
    np.testing.assert_array_equal(agreed.open, decide(three_villages, "closure=plan_2023").open)


def test_a_new_school_opens_in_its_year(three_villages: County) -> None:
    schools = replace(three_villages.schools, opens_year=np.array([0, 2025]))
    result = decide(replace(three_villages, schools=schools), "closure=none")
    np.testing.assert_array_equal(result.open[:, T], [False, False] + [True] * 8)


def test_the_decisions_have_the_columns_of_the_contract(three_villages: County) -> None:
    for name in ("none", "plan_2023"):
        decisions = decide(three_villages, f"closure={name}").decisions
        costs = {"relief_cost_yuan", "keep_cost_yuan_per_year"}  # told with all money
        assert list(decisions.columns) == [name for name in run_table("closures").names if name not in costs]


def test_the_plan_of_2023_closes_the_104_and_the_11(huichang: County) -> None:
    chosen = load(["county=huichang", "closure=plan_2023"])
    expected = enrol.forecast(huichang, chosen)
    result = closures(huichang, chosen, expected)
    closed = np.isin(huichang.schools.id, result.decisions["school_id"])
    roll = rule.rolls(huichang, expected)[0, closed]
    assert (roll < 10).sum() == 104
    assert ((roll >= 10) & (roll < 30)).sum() == 11
    assert len(roll) == 115
    assert roll.sum() == 363
    assert set(result.decisions["year"]) == {2023}
