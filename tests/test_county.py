"""Reading a county: three villages by heart, and every kind of error in a planner's words."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.config import load
from sim.county import County, check_county, edge_minutes, read_county, travel
from sim.errors import BadInput

Spoil = Callable[[str, str, str], list[str]]


@pytest.fixture
def folder(tmp_path: Path, root: Path) -> Path:
    """Return a copy of three_villages that a test may spoil."""
    return Path(shutil.copytree(root / "configs" / "county" / "three_villages", tmp_path / "county"))


@pytest.fixture
def spoil(folder: Path) -> Spoil:
    """Return a function that replaces text in one file and returns what the check says then."""

    def spoiled(name: str, old: str, new: str) -> list[str]:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return check_county(folder)

    return spoiled


def test_three_villages_has_no_errors(folder: Path) -> None:
    assert check_county(folder) == []


def test_three_villages_is_the_county_known_by_heart(three_villages: County) -> None:
    county = three_villages
    assert county.hamlets.id == ("A", "B", "D")
    assert county.schools.id == ("C", "T")
    assert county.pupils.shape == (3, 9, 2)
    assert county.pupils.sum(axis=(1, 2)).tolist() == [4, 4, 4]
    assert county.pupils[2, 1].tolist() == [1, 1]
    assert county.hamlets.school.tolist() == [0, 0, 1]
    assert county.schools.lived.tolist() == [True, False]
    assert county.schools.beds.tolist() == [[1, 1], [0, 0]]
    assert county.schools.offers(3).tolist() == [True, True]
    assert county.schools.offers(4).tolist() == [True, False]
    assert len(county.calendar.week) == 39
    assert (county.calendar.term == 1).sum() == 21


def test_roads_of_three_villages_take_the_minutes_known_by_heart(three_villages: County) -> None:
    ways = travel(three_villages.roads, load([]).road)
    assert ways.minutes[0] == pytest.approx([0, 0.9, 9, 21])
    assert ways.floor_min[0] == pytest.approx([0, 0.6, 6, 18])
    assert ways.km[0] == pytest.approx([0, 0.6, 6, 10])
    assert np.array_equal(ways.km, ways.km.T)


def test_of_two_roads_between_the_same_places_the_faster_is_taken(three_villages: County) -> None:
    roads, road = three_villages.roads, load([]).road
    slow = dataclasses.replace(
        roads,
        edge_id=(*roads.edge_id, "e4"),
        start=np.append(roads.start, 2),
        end=np.append(roads.end, 0),
        km=np.append(roads.km, 5.0),
        road_class=(*roads.road_class, "village"),
        bend=(*roads.bend, "steep"),
        closed_by=(*roads.closed_by, "ice"),
    )
    assert np.array_equal(travel(slow, road).km, travel(roads, road).km)


def test_no_road_is_faster_than_the_law(huichang: County) -> None:
    free, floor = edge_minutes(huichang.roads, load([]).road)
    assert (free >= floor).all()


def test_facts_cannot_be_changed(three_villages: County) -> None:
    with pytest.raises(ValueError, match="read-only"):
        three_villages.pupils[0, 0, 0] = 5
    with pytest.raises(ValueError, match="read-only"):
        three_villages.births.by_variant["low"][0] = 5
    with pytest.raises(dataclasses.FrozenInstanceError):
        three_villages.name = "other"  # type: ignore[misc]


def test_a_county_folder_that_does_not_exist_is_told(tmp_path: Path) -> None:
    assert "this county folder does not exist" in check_county(tmp_path / "nowhere")[0]
    with pytest.raises(BadInput, match="does not exist"):
        read_county(tmp_path / "nowhere")


def test_a_missing_file_is_told(folder: Path) -> None:
    (folder / "edges.csv").unlink()
    assert check_county(folder) == [
        "edges.csv: the file is missing; it needs the columns "
        "edge_id, from_node, to_node, km, road_class, bend, closed_by, source"
    ]


def test_an_empty_file_is_told(folder: Path) -> None:
    (folder / "pupils.csv").write_text("", encoding="utf-8")
    assert check_county(folder) == [
        "pupils.csv: the file is empty; its first line must be hamlet_id,grade,sex,pupils,source"
    ]


def test_a_file_with_a_misspelt_name_is_told(folder: Path) -> None:
    (folder / "project.csv").write_text("a\n", encoding="utf-8")
    assert "project.csv: is no table of a county" in check_county(folder)[0]


def test_a_missing_column_is_told(spoil: Spoil) -> None:
    assert "schools.csv, row 1, column kind: the column is missing; add it: use one of teaching_point" in "\n".join(
        spoil("schools.csv", "kind", "sort")
    )


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("pupils.csv", "A,1,f,1", "A,1,f,-1", "row 2, column pupils: -1 is too small; use a whole number from 0"),
        ("pupils.csv", "A,1,f,1", "A,1,f,one", "row 2, column pupils: 'one' is no number"),
        ("pupils.csv", "A,1,f", "A,10,f", "row 2, column grade: 10 is too large; use a whole number from 1 to 9"),
        ("hamlets.csv", ",C,", ",X9,", "row 2, column school_id: 'X9' is no school; known are C, T"),
        ("schools.csv", "T,丁", "C,丁", "row 3, column school_id: 'C' is already in row 2; each may be there once"),
        ("nodes.csv", "115.78,25.5946", "25.5946,115.78", "row 3, column lon+lat: lon and lat look swapped"),
        ("edges.csv", "n0,n1", "n0,n9", "row 2, column to_node: 'n9' is no node; known are n0, n1, n2, n3"),
        ("edges.csv", "n0,n1,0.6", "n0,n1,0", "row 2, column km: 0 is too short"),
        ("edges.csv", "n0,n1", "n0,n0", "row 2, column to_node: the road ends where it begins"),
        ("edges.csv", "e1,n0,n1", "e1,n0,n2", "row 2, column node_id: no road leads from 'A' (node n1) to school 'C'"),
        ("nodes.csv", "school,1", "school,0", "column is_yard: no node is a yard"),
        ("schools.csv", ",1,9,", ",7,9,", "row 2, column school_id: 'C' begins with grade 7"),
        ("schools.csv", ",1,9,", ",1,8,", None),
        ("schools.csv", ",1,9,", ",1,7,", "column grade: there are pupils in grade 8, but no school"),
        ("schools.csv", ",1,3,0", ",3,1,0", "row 3, column last_grade: 1 is below the first grade 3"),
        ("schools.csv", ",1,3,0", ",1,3,1", "row 3, column receives: 'T' receives pupils but has no row in facilities"),
        ("weather.csv", "9,clear,1", "9,clear,0.9", "the shares of month 9 add up to 0.9000"),
        ("calendar.csv", "39,2", "40,2", "row 40, column week: week 39 is missing"),
        ("births.csv", "county,2003,low,2,", "county,2003,medium,2,", "each may be there once"),
        ("history.csv", "V,2018", "W,2018", "row 2, column area_id: 'W' is no township; known are county, V"),
    ],
)
def test_bad_input_names_row_column_and_what_would_be_right(
    spoil: Spoil, name: str, old: str, new: str, says: str | None
) -> None:
    found = "\n".join(spoil(name, old, new))
    assert (says in found and name in found) if says else not found


LONG = "学" * 22
MADE_UP = ",synthetic: made up"


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("schools.csv", "\nT,", "\ncounty,", "row 3, column school_id: 'county' is no id but a word with a meaning of"),
        ("schools.csv", "\nT,", f"\n{LONG},", f"row 3, column school_id: '{LONG[:20]}...' is too long; use at most 64"),
        ("schools.csv", ",1,9,", ",1.5,9,", "row 2, column first_grade: '1.5' is no whole number"),
        ("schools.csv", "C,", "C,,", "row 2: has 14 values, but the header has 13 columns"),
        (
            "pupils.csv",
            "A,1,f,1",
            "A,1,f,1e30",
            "row 2, column pupils: 1e30 is too large; use a whole number from 0 to",
        ),
        ("pupils.csv", "A,1,f,1", "A,1,f,１", "row 2, column pupils: '１' is no number"),
        ("history.csv", "V,2018", "W,2018", "row 2, column area_id: 'W' is no township"),
        ("facilities.csv", "\nC,", "\nX9,", "row 2, column school_id: 'X9' is no school"),
        ("edges.csv", "n0,n1", "n0,n9", "row 2, column to_node: 'n9' is no node"),
        ("births.csv", "county,2009,low", "county,2009/9/1,low", "row 29, column year: '2009/9/1' is no number"),
    ],
)
def test_nothing_follows_from_what_is_wrong(spoil: Spoil, name: str, old: str, new: str, says: str) -> None:
    found = spoil(name, old, new)
    assert len(found) == 1
    assert found[0].startswith(f"{name}, {says}")


def test_only_a_conditional_hearing_asks_for_something(folder: Path) -> None:
    rows = ("C,2023,refused,meal", "T,2023,agreed,", "T,2024,conditional,meal")
    text = "\n".join(("school_id,year,result,condition,source", *(row + MADE_UP for row in rows)))
    (folder / "hearing.csv").write_text(text, encoding="utf-8")
    assert check_county(folder) == [
        "hearing.csv, row 2, column condition: 'meal' is asked for, but the result is refused; write conditional, or "
        "leave this empty"
    ]


def test_every_error_in_every_file_is_told_at_once(folder: Path, spoil: Spoil) -> None:
    spoil("pupils.csv", "A,1,f,1", "A,1,f,-1")
    spoil("hamlets.csv", ",C,", ",X9,")
    found = spoil("nodes.csv", "115.78,25.5946", "25.5946,115.78")
    assert len(found) == 3
    with pytest.raises(BadInput) as error:
        read_county(folder)
    assert list(error.value.messages) == found
