"""Posts by norm, and the staff of closed schools."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_plan import C, T, closures, runs, year_plan

from sim.config import Settings, load
from sim.county import County
from sim.plan.staff import COLUMNS, crews, life_teacher_posts, life_teachers, posts, school_needs


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(["county=three_villages"])


def filled(table: pd.DataFrame, post: str, year: int) -> int:
    return int(table[(table["post"] == post) & (table["year"] == year)]["filled"].sum())


def test_the_staff_of_a_closed_school_move_to_the_school_that_gets_its_pupils(
    settings: Settings, three_villages: County
) -> None:
    years = [year_plan(three_villages, 2023, open_t=True), year_plan(three_villages, 2024, open_t=False)]
    table = posts(settings, three_villages, years, closures(years))
    moved = table[table["from_school_id"].notna()]
    assert tuple(table.columns) == COLUMNS
    assert moved[["year", "site_id", "post", "needed", "filled", "from_school_id"]].to_numpy().tolist() == [
        [2024, "C", "teacher", 0, 1, "T"],
        [2024, "C", "temporary", 0, 1, "T"],
    ]


def test_nobody_is_lost_when_schools_close(settings: Settings, three_villages: County) -> None:
    years = [year_plan(three_villages, 2023, open_t=True), year_plan(three_villages, 2024, open_t=False)]
    table = posts(settings, three_villages, years, closures(years))
    for post in ("teacher", "temporary", "life_teacher", "warden", "canteen_worker", "guard"):
        assert filled(table, post, 2023) == filled(table, post, 2024)
    assert filled(table, "teacher", 2024) == 10


def test_a_school_without_pupils_sends_its_staff_to_a_receiving_school(
    settings: Settings, three_villages: County
) -> None:
    year = year_plan(three_villages, 2023)
    year = replace(year, places=replace(year.places, school=np.full((3, 9), -1)))
    table = posts(settings, three_villages, [year], closures([year]))
    assert set(table[table["from_school_id"] == "T"]["site_id"]) == {"C"}


def test_each_post_is_needed_once_for_every_site_and_year(settings: Settings, three_villages: County) -> None:
    years = [year_plan(three_villages, year) for year in (2023, 2024)]
    table = posts(settings, three_villages, years, closures(years))
    assert not table.duplicated(["year", "site_id", "post", "from_school_id"]).any()


def test_needs_follow_the_norms_by_hand(settings: Settings, three_villages: County) -> None:
    """C has 9 primary and 3 junior pupils, one of whom lodges: 9/19 + 3/13.5 = 0.70 teachers."""
    needs = school_needs(settings, three_villages, year_plan(three_villages, 2023))
    assert {post: int(number[C]) for post, number in needs.items()} == {
        "teacher": 1,
        "temporary": 0,
        "life_teacher": 1,
        "warden": 1,
        "canteen_worker": 1,
        "guard": settings.staff.guards_lodging_school,
    }
    assert all(number[T] == 0 for number in needs.values())


def test_crews_are_needed_for_the_buses_on_duty_and_a_reserve_and_not_for_spare_buses(three_villages: County) -> None:
    """Two buses on duty: two drivers, and one and two attendants; reserves of a tenth and a half, rounded up."""
    shares = ("fleet.reserve_driver_share=0.1", "fleet.reserve_attendant_share=0.5")
    settings = load(["county=three_villages", *shares])
    big = len(settings.fleet.kinds) - 1
    year = year_plan(three_villages, 2023, bus_kinds=(0, big), owned=3)
    table = posts(settings, three_villages, [year], closures([year])).set_index("post")
    assert crews(settings, year) == (1, 2)
    assert table.loc["driver", "needed"] == 2 + 1
    assert table.loc["attendant", "needed"] == 3 + 2
    assert table.loc["driver", "site_id"] == "county"


@pytest.mark.parametrize(("share", "reserve"), [(0.0, 0), (0.05, 1), (0.1, 1), (0.11, 2), (1.0, 10)])
def test_the_reserve_is_rounded_up_to_whole_people(three_villages: County, share: float, reserve: int) -> None:
    settings = load(["county=three_villages", f"fleet.reserve_driver_share={share}"])
    assert crews(settings, year_plan(three_villages, 2023, bus_kinds=(0,) * 10, owned=10))[0] == reserve


def test_life_teachers_by_norm_by_hand(settings: Settings) -> None:
    """At C 21 young, 51 older primary and 100 junior lodgers: 2 + 2 + 1; at T nobody lodges."""
    lodgers = np.zeros((2, 9))
    lodgers[C, [0, 2, 3, 5, 6, 8]] = [10, 11, 50, 1, 60, 40]
    assert life_teacher_posts(settings, lodgers).tolist() == [5, 0]


def test_all_primary_lodgers_share_one_norm_where_all_grades_may_lodge() -> None:
    settings = load(["county=three_villages", "lodge.from_grade=1"])
    lodgers = np.zeros((2, 9))
    lodgers[C, [0, 5]] = [25, 25]
    assert life_teacher_posts(settings, lodgers).tolist() == [1, 0]


def test_a_closed_school_has_no_life_teachers(three_villages: County) -> None:
    county = replace(three_villages, schools=replace(three_villages.schools, life_teachers=np.array([3, 2])))
    assert life_teachers(county, year_plan(county, 2023, open_t=True)).tolist() == [3, 2]
    assert life_teachers(county, year_plan(county, 2023, open_t=False)).tolist() == [3, 0]


def test_no_buses_need_no_crew(settings: Settings, three_villages: County) -> None:
    year = year_plan(three_villages, 2023, bus_kinds=(), owned=0)
    table = posts(settings, three_villages, [year], closures([year])).set_index("post")
    assert crews(settings, year) == (0, 0)
    assert table.loc["driver", "needed"] == 0


def test_the_plan_of_2023_moves_74_teachers_and_22_temporary_staff(huichang: County) -> None:
    from sim.county import travel
    from sim.plan import YearPlan
    from sim.plan.assign import places
    from sim.plan.close import closures as decide
    from sim.plan.dine import meals
    from sim.plan.enrol import forecast
    from sim.plan.lodge import beds
    from sim.plan.wash import fixtures

    settings = load(["county=huichang", "closure=plan_2023", "study.years=1"])
    expected = forecast(huichang, settings)
    closed = decide(huichang, settings, expected)
    placed = places(huichang, settings, travel(huichang.roads, settings.road), closed.open[0], expected.p80[0], 2023)
    none = np.zeros(len(huichang.schools.id), dtype=np.int64)
    rolls = np.zeros((len(none), 9))
    year = YearPlan(
        year=2023,
        open=closed.open[0],
        places=placed,
        runs=runs((), 0),
        meals=meals(huichang, settings, 2023, np.stack([rolls, rolls]), closed.open[0]),
        beds=beds(huichang, settings, 2023),
        fixtures=fixtures(huichang, settings, 2023),
        classes=none,
        class_places=none,
    )
    table = posts(settings, huichang, [year], closed)
    moved = table[table["from_school_id"].notna()]
    assert moved.groupby("post")["filled"].sum().to_dict() == {"teacher": 74, "temporary": 22}
    still_open = {school for school, open_ in zip(huichang.schools.id, closed.open[0], strict=True) if open_}
    assert set(moved["site_id"]) <= still_open
    assert filled(table, "teacher", 2023) == huichang.schools.teachers.sum()
