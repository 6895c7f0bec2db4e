"""Class places against pupils, by hand; what every kind of project adds; the town's new places in the report."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_plan import C, plan, year_plan
from markupsafe import escape
from sample_run import sample_run

from sim.config import Settings, load
from sim.county import County, check_county, read_county, travel
from sim.judge.limit import verdicts
from sim.measure.classroom import class_place_table, pupils_of_a_class, rolls, unlived, yearly
from sim.plan import YearPlan
from sim.plan.classroom import class_places, classes
from sim.plan.close import close_and_place
from sim.plan.compose import diners
from sim.plan.dine import meals
from sim.plan.enrol import forecast
from sim.plan.lodge import beds
from sim.plan.staff import pupils_by_school
from sim.plan.wash import fixtures
from sim.store import RunFolder
from sim.tables.county import ADDS, CLASS_ADDS, PAID_ADDS
from sim.tell.page import report
from sim.tell.run import Run
from sim.tell.town import Town

USUAL = load(["county=three_villages", "study.years=2"])
PROJECT = ["project_id", "school_id", "year", "adds", "quantity", "cost_yuan", "source"]


@pytest.fixture(scope="module")
def settings() -> Settings:
    return USUAL


def building(county: County, *rows: tuple[str, int, str, int]) -> County:
    """Return the county with projects (school, year, adds, quantity)."""
    projects = [
        (f"p{k}", school, year, adds, many, np.nan, "real: -") for k, (school, year, adds, many) in enumerate(rows)
    ]
    return replace(county, projects=pd.DataFrame(projects, columns=PROJECT))


def with_places(plan_: YearPlan, at_c: int, at_t: int = 0) -> YearPlan:
    return replace(plan_, class_places=np.array([at_c, at_t]))


def stocks(county: County, settings: Settings, year: int) -> dict[str, int]:
    """Return what C has in a year, by the word that projects use for it."""
    placed = year_plan(county, year).places
    eat = meals(county, settings, year, diners(county, settings, placed), np.array([True, False]))
    wash, sleep = fixtures(county, settings, year), beds(county, settings, year).nominal
    squats = np.round(wash.toilets / [1, 1 + settings.wash.urinals_per_squat]).astype(int)
    places = class_places(county, settings, year)[C]
    return {
        "places": int(places), "classrooms": int(places) // settings.dine.class_size,
        "beds_girls": int(sleep[C, 0]), "beds_boys": int(sleep[C, 1]),
        "canteen_seats": int(eat.seats[C]), "windows": int(eat.windows[C]), "kitchen_meals": int(eat.kitchen[C]),
        "taps": int(wash.taps[C]), "basins": int(wash.basins[C]), "showers": int(wash.showers[C].max()),
        "toilets_girls": int(squats[C, 0]), "toilets_boys": int(squats[C, 1]),
    }  # fmt: skip


@pytest.mark.parametrize("adds", [adds for adds in ADDS if adds not in PAID_ADDS])
def test_what_a_project_adds_is_there_from_its_year_on(settings: Settings, three_villages: County, adds: str) -> None:
    county = building(three_villages, ("C", 2024, adds, 90))
    before, after = (stocks(county, settings, year) for year in (2023, 2024))
    plain = stocks(three_villages, settings, 2024)
    grown = {name for name in after if after[name] != plain[name]}
    assert before == plain
    assert after[adds] - plain[adds] == (90 if adds != "showers" else 45)  # girls and boys share the showers
    assert grown - set(CLASS_ADDS) == {adds} - set(CLASS_ADDS)


@pytest.mark.parametrize("adds", PAID_ADDS)
def test_what_is_only_paid_changes_nothing_that_is_lived(settings: Settings, three_villages: County, adds: str) -> None:
    county = building(three_villages, ("C", 2023, adds, 90), ("T", 2023, adds, 90))
    assert stocks(county, settings, 2024) == stocks(three_villages, settings, 2024)


def checked(folder: Path, tmp_path: Path, **tables: str) -> list[str]:
    """Return what is wrong with three_villages when some tables are added."""
    shutil.copytree(folder, tmp_path / "county")
    for name, text in tables.items():
        (tmp_path / "county" / f"{name}.csv").write_text(text, encoding="utf-8")
    return check_county(tmp_path / "county")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("p1,C,2024,swimming_pools,1,,real: -", "row 2, column adds: 'swimming_pools' is not known"),
        ("p1,T,2024,beds_girls,4,,real: -", "row 2, column adds: 'T' has no row in facilities.csv, so beds_girls"),
        ("p1,X,2024,places,4,,real: -", "row 2, column school_id: 'X' is no school"),
        ("p1,T,2024,places,4,,real: -", ""),
        ("p1,T,2024,road_safety_km,4,,real: -", ""),
    ],
)
def test_a_project_that_would_not_be_used_is_refused(root: Path, tmp_path: Path, row: str, says: str) -> None:
    found = checked(root / "configs" / "county" / "three_villages", tmp_path, projects=f"{','.join(PROJECT)}\n{row}\n")
    assert len(found) == bool(says)
    assert not says or says in found[0]


def test_classrooms_without_facilities_stand_in_a_table_of_their_own(root: Path, tmp_path: Path) -> None:
    three = root / "configs" / "county" / "three_villages"
    assert checked(three, tmp_path, classrooms="school_id,classrooms,source\nT,2,real: -\n") == []
    county = read_county(tmp_path / "county")
    assert county.schools.classrooms.tolist() == [9, 2]
    assert county.schools.lived.tolist() == [True, False]


def test_classrooms_that_stand_twice_are_refused(root: Path, tmp_path: Path) -> None:
    three = root / "configs" / "county" / "three_villages"
    found = checked(three, tmp_path, classrooms="school_id,classrooms,source\nC,2,real: -\n")
    assert len(found) == 1
    assert found[0].startswith("classrooms.csv, row 2, column school_id: 'C' has its classrooms in facilities.csv")


def test_classes_and_their_places_by_hand(settings: Settings, three_villages: County) -> None:
    """C has 9 rooms of 45; its 9 primary and 3 junior pupils of seven grades make seven classes."""
    roll = rolls(three_villages, year_plan(three_villages, 2023), three_villages.pupils)
    assert roll[C].tolist() == [2, 3, 1, 1, 2, 0, 1, 2, 0]
    assert class_places(three_villages, settings, 2023).tolist() == [9 * 45, 0]
    assert classes(three_villages, settings, roll).tolist() == [7, 0]


@pytest.mark.parametrize(
    ("places", "pupils", "size"),
    [
        (45, [40] + [0] * 8, 40),
        (45, [46] + [0] * 8, 46),  # two classes are wanted, there is one room
        (90, [46] + [0] * 8, 23),
        (90, [40, 40, 40] + [0] * 6, 60),
        (135, [1, 1] + [0] * 7, 1),
        (0, [5] + [0] * 8, np.nan),  # nobody says how many rooms
        (45, [0] * 9, np.nan),
    ],
)
def test_pupils_of_a_class_by_hand(
    settings: Settings, three_villages: County, places: int, pupils: list[int], size: float
) -> None:
    year = with_places(year_plan(three_villages, 2023), places)
    found = pupils_of_a_class(three_villages, settings, year, np.array([pupils, [0] * 9], dtype=float))
    assert found[C] == pytest.approx(size, nan_ok=True)


@given(st.lists(st.integers(0, 200), min_size=9, max_size=9), st.integers(1, 20))
def test_classes_are_over_the_norm_just_where_pupils_are_beyond_the_places(
    three_villages: County, pupils: list[int], rooms: int
) -> None:
    settings = USUAL
    year = with_places(year_plan(three_villages, 2023), 45 * rooms)
    size = pupils_of_a_class(three_villages, settings, year, np.array([pupils, [0] * 9], dtype=float))[C]
    assert (size > 45) == (sum(pupils) > 45 * rooms)


def test_a_verdict_is_given_where_no_day_is_lived(settings: Settings, three_villages: County) -> None:
    """T is open, its days are not lived, its one class holds 2 and has 3 pupils; C's three classes of 3 hold them."""
    year = with_places(year_plan(three_villages, 2023, open_t=True), 405, 2)
    told = yearly(three_villages, settings, year, three_villages.pupils).assign(replication=0, year=2023)
    values = told.set_index(["site_id", "measure"])["value"].to_dict()
    assert values["T", "roll"] == 3
    assert values["C", "roll"] == 9
    assert values["T", "class_size_primary"] == 3
    strict = {"class_size_primary": settings.limits["class_size_primary"].model_copy(update={"value": 2.0})}
    judged = verdicts(settings.model_copy(update={"limits": strict}), three_villages, told).set_index("site_id")
    assert judged.loc["T", "p_breach"] == 1
    assert judged.loc["C", "p_breach"] == 0
    found = unlived(three_villages, settings, year, three_villages.pupils)
    days = int(three_villages.calendar.days.sum())
    row = found["resources"].set_index("site_id").loc["T"]
    assert (row["capacity"], row["demand_peak"], row["unmet"]) == (2, 3, 1 * days)
    harm = found["harm"].iloc[0]
    assert (harm["site_id"], harm["pupil_days"], harm["severity"]) == ("T", days, pytest.approx(0.02 * days))
    assert len(found["resources"]) == len(found["harm"]) == 1  # C's days are lived: nothing is counted twice


def test_places_and_pupils_of_two_years_by_hand(settings: Settings, three_villages: County) -> None:
    """C has 405 places and 50 more from 2024; in one replication 9 pupils come, in the other 460."""
    county = building(three_villages, ("C", 2024, "places", 5), ("C", 2024, "classrooms", 1))
    years = [with_places(year_plan(county, year), places) for year, places in ((2023, 405), (2024, 455))]
    annual = pd.DataFrame(
        [
            (r, y, "C", m, v)
            for r, v in ((0, 9.0), (1, 460.0))
            for y in (2023, 2024)
            for m in ("roll", "class_size_primary")
        ],
        columns=["replication", "year", "site_id", "measure", "value"],
    )
    table = class_place_table(settings, county, plan(county, years, pd.DataFrame()), annual).set_index("year")
    assert table["places"].tolist() == [405, 455]
    assert table["places_added"].tolist() == [0, 50]
    assert table["pupils_mean"].tolist() == [234.5, 234.5]
    assert table["over_mean"].tolist() == [27.5, 2.5]
    assert table["unused_mean"].tolist() == [198.0, 223.0]
    assert table["p_over"].tolist() == [0.5, 0.5]
    assert table["is_town"].tolist() == [0, 0]
    assert (table["expected_low_births"] <= table["expected_high_births"]).all()
    assert table["expected_medium_births"].tolist()[0] == 12


def test_huichangs_town_has_the_published_places_in_their_years(huichang: County) -> None:
    """9,500 places are built; No. 4 opens in 2024 with rooms of its own; today all classes are full."""
    settings = load(["county=huichang"])
    kinds = np.array(huichang.schools.kind)
    town = np.char.startswith(kinds, "town_")
    places = {year: class_places(huichang, settings, year) for year in (2023, 2024, 2025, 2026)}
    opened = {year: town & (huichang.schools.opens_year <= year) for year in places}
    old = huichang.schools.classrooms * np.where(kinds == "town_junior", 50, 45)
    added = {year: int((places[year] - old)[opened[year]].sum()) for year in places}
    assert added == {2023: 0, 2024: 3750, 2025: 5750, 2026: 9500}
    assert (places[2026][town] > 0).all()
    four = huichang.schools.id.index("town_junior_4")
    assert huichang.schools.opens_year[four] == 2024
    assert places[2024][four] == 1200
    today = opened[2023]
    pupils = huichang.pupils[huichang.hamlets.is_town].sum()
    assert 0.9 * pupils < old[today].sum() < pupils


def test_nobody_in_huichangs_town_lacks_a_place_while_there_are_enough(huichang: County) -> None:
    """In 2023 the town is short, and no school has places left; in 2024 two schools open, and there are enough.

    The nearest school for each would leave 2,171 pupils over the places in 2024.
    """
    settings = load(["county=huichang", "study.years=2"])
    expected, ways = forecast(huichang, settings), travel(huichang.roads, settings.road)
    left = []
    for placed in close_and_place(huichang, settings, ways, expected)[1]:
        roll = pupils_by_school(huichang, placed.school, placed.expected.sum(axis=2)).sum(axis=1)
        opened = np.char.startswith(huichang.schools.kind, "town_") & (huichang.schools.opens_year <= placed.year)
        left.append((class_places(huichang, settings, placed.year) - roll)[opened])
    assert (left[0] < 0).all()
    assert (left[1] >= 0).all()


def told_town(folder: Path, *overrides: str) -> Path:
    """Write a run of six years in which S6, a town school, gets 1,000 places and loses its pupils."""
    sample_run(folder, "judge.idle_share=0.25", *overrides, years=4)
    rows = [
        (2023, 1000, 0, 1040, 40, 1.0, 1040, 1040, 1040),
        (2024, 2000, 1000, 1900, 0, 0.0, 1800, 1900, 1950),
        (2025, 2000, 1000, 1700, 0, 0.0, 1600, 1700, 1800),
        (2026, 2000, 1000, 1400, 0, 0.0, 1300, 1400, 1760),
    ]
    names = "year places places_added pupils_mean over_mean p_over expected_low_births expected_medium_births"
    table = pd.DataFrame(rows, columns=[*names.split(), "expected_high_births"]).assign(
        scenario="base", site_id="S6", level="primary", is_town=1, class_size_mean=45.5, pupils_low=np.nan,
        pupils_high=np.nan,
    )  # fmt: skip
    table["unused_mean"] = (table["places"] - table["pupils_mean"]).clip(lower=0)
    run = RunFolder(folder)
    run.write_table("class_places", table)
    annual = run.read_table("annual")
    roll = (
        table[["year", "pupils_mean"]]
        .rename(columns={"pupils_mean": "value"})
        .merge(pd.DataFrame({"replication": range(4)}), how="cross")
    )
    run.write_table("annual", pd.concat([annual, roll.assign(scenario="base", site_id="S6", measure="roll")]))
    return folder


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_tells_when_new_places_stand_empty(tmp_path: Path, language: str) -> None:
    """Of 1,000 new places 900, 700 and 400 are needed: 10, 30 and 60 % are empty; 80, 60, 30 with low births."""
    folder = told_town(tmp_path / "run", f"report.language={language}")
    town = Town(Run(folder))
    together = town.levels["primary"]
    assert together["empty"].round(3).tolist()[1:] == [0.1, 0.3, 0.6]
    new, first = town.story()
    assert ("1,000" in new, "400" in new, "60%" in new) == (True, True, True)
    years = {
        "en": "low births 2025, with medium births 2025, with high births 2026",
        "zh": "低出生方案2025，中方案2025，高方案2026",
    }
    assert years[language].replace("2026", "none of these years" if language == "en" else "均未出现") in first
    page = report(folder).read_text(encoding="utf-8")
    assert 'id="town"' in page
    assert escape(new) in page
    assert escape(first) in page
    crowded: Any = town.crowded().rows
    assert [str(cell) for cell in crowded[0]][1:5] == ["2023", "2023", "1,000", "40"]


@pytest.mark.parametrize(
    ("language", "rule", "why"),
    [
        ("en", "assign.town=nearest", "why_nearest"),
        ("zh", "assign=capacity", "why_within_places"),
        ("zh", "assign.town=within_places", "why_within_places"),
    ],
)
def test_the_report_tells_why_schools_are_full_in_a_town_with_room(
    tmp_path: Path, language: str, rule: str, why: str
) -> None:
    """In 2024 S6 has 120 pupils too many; all 2,000 places would hold 1,900. In 2023 the whole town is 40 short."""
    folder = told_town(tmp_path / "run", f"report.language={language}", rule)
    run = RunFolder(folder)
    table = run.read_table("class_places")
    table.loc[table["year"] == 2024, ["over_mean", "p_over"]] = 120.0, 1.0
    run.write_table("class_places", table)
    told = Run(folder)
    *_, unspread, cause = Town(told).story()
    assert all(text in unspread for text in ("2024", "120", "100", told.site("S6")))
    assert cause == told.words(f"town.{why}")


def test_without_class_places_the_report_has_no_such_section(tmp_path: Path) -> None:
    page = report(sample_run(tmp_path / "run")).read_text(encoding="utf-8")
    assert 'id="town"' not in page
    assert '"#town"' not in page
