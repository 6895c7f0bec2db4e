"""The reference county: rebuilt byte for byte, adds up to the published totals, and stays near the facts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim.county import County

ENLARGED = ("西江中心小学", "庄口中心小学", "筠门岭中心小学", "晓龙中心小学", "右水中心小学", "白鹅中小学")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, root: Path) -> tuple[Path, dict[str, tuple[str, str]]]:
    """Build the county anew; return its folder and the calibration table (what: fact, county)."""
    out = tmp_path_factory.mktemp("huichang")
    script = root / "experiments" / "build_huichang.py"
    done = subprocess.run(
        [sys.executable, str(script), "--out", str(out)], capture_output=True, text=True, encoding="utf-8", check=True
    )
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:]]
    return out, {what: (fact, value) for what, fact, value in rows}


@pytest.fixture(scope="module")
def points(huichang: County) -> np.ndarray:
    """Return which schools are teaching points."""
    return np.array([kind == "teaching_point" for kind in huichang.schools.kind])


def roll(county: County, school: int) -> int:
    """Return the pupils who attend a primary school today."""
    grades = slice(county.schools.first_grade[school] - 1, county.schools.last_grade[school])
    return int(county.pupils[county.hamlets.school == school, grades].sum())


def test_the_script_makes_the_committed_tables_byte_for_byte(built, root: Path) -> None:
    made = {path.name: path.read_bytes() for path in built[0].glob("*.csv")}
    kept = {path.name: path.read_bytes() for path in (root / "configs" / "county" / "huichang").glob("*.csv")}
    assert sorted(made) == sorted(kept)
    assert [name for name in made if made[name] != kept[name]] == []


def test_every_school_that_can_close_has_a_campus_and_it_is_said_to_be_made_up(huichang: County) -> None:
    table = huichang.tables["campuses"].set_index("school_id")
    today = [name for name, year in zip(huichang.schools.id, huichang.schools.opens_year, strict=True) if not year]
    assert sorted(table.index) == sorted(today)
    assert table["source"].str.startswith("synthetic:").all()
    assert set(table["owner"]) == {"county"}


def test_closing_schools_add_up_to_the_plan(huichang: County, points: np.ndarray) -> None:
    rolls = np.array([roll(huichang, school) for school in np.flatnonzero(points)])
    assert ((rolls > 0) & (rolls < 10)).sum() == 104
    assert ((rolls >= 10) & (rolls < 30)).sum() == 11
    assert rolls.sum() == 363
    assert huichang.schools.teachers[points].sum() == 74
    assert huichang.schools.temporary[points].sum() == 22
    assert (huichang.schools.last_grade[points] == np.where(rolls < 10, 3, 4)).all()


def test_no_other_school_is_under_30(huichang: County, points: np.ndarray) -> None:
    attended = np.unique(huichang.hamlets.school)
    others = [s for s in attended if not points[s] and huichang.schools.opens_year[s] == 0]
    assert min(roll(huichang, school) for school in others) >= 30


def test_a_catchment_has_older_pupils_in_scale_with_its_point(huichang: County, points: np.ndarray) -> None:
    homes = points[huichang.hamlets.school]
    pupils = huichang.pupils[homes].sum(axis=(0, 2))
    assert 0.5 < pupils[4:].mean() / pupils[:3].mean() < 1.2


def test_townships_zones_and_named_schools(huichang: County) -> None:
    townships = huichang.townships
    zone = dict(zip(townships.name_zh, townships.zone, strict=True))
    assert len(townships.id) == 19
    assert len({zone[name] for name in ("永隆乡", "富城乡", "站塘乡", "中村乡", "洞头乡")}) == 1
    assert zone["清溪乡"] == zone["筠门岭镇"]
    assert zone["右水乡"] == zone["高排乡"] == zone["晓龙乡"] == zone["麻州镇"]
    assert zone["庄埠乡"] == zone["庄口镇"]
    assert zone["小密乡"] == zone["西江镇"]
    for name in ("文武坝镇", "周田镇", "珠兰乡", "白鹅乡"):
        assert list(zone.values()).count(zone[name]) == 1
    kind = dict(zip(huichang.schools.name_zh, huichang.schools.kind, strict=True))
    assert [kind[name] for name in ENLARGED] == ["central_primary"] * 5 + ["nine_year"]
    enlarged = set(huichang.projects.loc[huichang.projects["adds"] == "beds_girls", "school_id"])
    assert enlarged == {huichang.schools.id[huichang.schools.name_zh.index(name)] for name in ENLARGED}
    changling = huichang.schools.name_zh.index("长岭小学")
    assert townships.name_zh[huichang.schools.township[changling]] == "筠门岭镇"


def test_every_township_can_teach_all_grades(huichang: County) -> None:
    schools = huichang.schools
    rural = ~np.array([kind.startswith("town_") for kind in schools.kind])
    for grade in range(1, 10):
        has = rural & schools.receives & schools.offers(grade) & schools.lived
        assert set(schools.township[has]) == set(range(19))


def test_the_town_has_40_percent_and_9500_new_places(huichang: County) -> None:
    assert huichang.pupils.sum() == 60_000
    assert huichang.pupils[huichang.hamlets.is_town].sum() == 24_000
    new = huichang.projects[huichang.projects["adds"] == "places"]
    level = np.array(huichang.schools.kind)[[huichang.schools.id.index(school) for school in new["school_id"]]]
    places = new.groupby(level)["quantity"].sum()
    assert places.to_dict() == {"town_junior": 3500, "town_primary": 6000}
    opens = dict(zip(huichang.schools.id, huichang.schools.opens_year, strict=True))
    assert all(opens[row.school_id] == row.year for row in new.itertuples())


def test_history_ends_with_the_pupils_of_the_base_year(huichang: County) -> None:
    last = huichang.history[huichang.history["year"] == 2023]
    by_area = last.groupby("area_id")["pupils"].sum()
    for township, name in enumerate(huichang.townships.id):
        assert by_area[name] == huichang.pupils[huichang.hamlets.township == township].sum()
    county = last[last["area_id"] == "county"].set_index("grade")["pupils"]
    assert county.sort_index().tolist() == huichang.pupils.sum(axis=(0, 2)).tolist()
    assert sorted(set(huichang.history["year"])) == list(range(2018, 2024))


def test_births_follow_the_national_series(huichang: County) -> None:
    births = huichang.births
    medium = births.by_variant["medium"]
    at = {int(year): k for k, year in enumerate(births.years)}
    assert births.years[-1] == 2040
    assert medium[at[2024]] / medium[at[2016]] == pytest.approx(954 / 1786, abs=1e-3)
    assert births.by_variant["low"][at[2035]] < medium[at[2035]] < births.by_variant["high"][at[2035]]
    entrants = [medium[at[year - 7]] / 3 + medium[at[year - 6]] * 2 / 3 for year in range(2015, 2024)]
    assert huichang.pupils.sum(axis=(0, 2))[::-1] == pytest.approx(entrants, abs=2)


def test_every_row_says_where_it_comes_from(huichang: County) -> None:
    for name, table in huichang.tables.items():
        assert table["source"].str.match("(real|derived|synthetic):").all(), name


def test_no_road_is_shorter_than_the_straight_line(huichang: County) -> None:
    roads = huichang.roads
    north = (roads.lat[roads.start] - roads.lat[roads.end]) * 110.8
    east = (roads.lon[roads.start] - roads.lon[roads.end]) * 100.4
    assert (roads.km >= np.hypot(north, east) - 0.02).all()


def test_the_county_is_near_the_facts(built) -> None:
    _, rows = built
    for what, (fact, value) in rows.items():
        if what.startswith("road "):
            assert float(value) == pytest.approx(float(fact), abs=0.05), what
        elif fact.isdigit() and not what.startswith(("lodgers", "rural")):
            assert float(value) == float(fact), what


@pytest.mark.parametrize(
    ("what", "low", "high"),
    [
        ("school bus riders, % of rural pupils", 20, 25),
        ("lodgers, % of rural primary pupils", 10, 14),
        ("lodgers, % of rural junior pupils", 50, 67),
    ],
)
def test_riders_and_lodgers_are_in_the_range_of_the_facts(built, what: str, low: float, high: float) -> None:
    assert low <= float(built[1][what][1]) <= high


def test_beds_are_tight_and_short_at_some_schools(huichang: County) -> None:
    table: pd.DataFrame = huichang.tables["facilities"]
    lodging = table[table["beds_girls"] + table["beds_boys"] > 0]
    assert len(lodging) >= 30
    assert not lodging.duplicated("school_id").any()
