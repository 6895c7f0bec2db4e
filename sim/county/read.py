"""Turns a folder of tables into a County, or says everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sim.county.check import read_tables
from sim.county.facts import (
    Births,
    Bools,
    County,
    Floats,
    Hamlets,
    Ints,
    Roads,
    SchoolCalendar,
    Schools,
    Townships,
)
from sim.errors import BadInput

GRADES, SEXES = 9, ("f", "m")
FACILITIES = (
    "windows", "canteen_seats", "kitchen_meals", "gate_bays", "classrooms", "taps", "basins", "toilets_girls",
    "toilets_boys", "showers",
)  # fmt: skip
POSTS = ("teachers", "temporary", "life_teachers", "wardens", "canteen_workers", "guards")


def check_county(folder: Path) -> list[str]:
    """Return every error in a county's tables: file, row, column and what would be right; [] when fine."""
    return [str(problem) for problem in read_tables(Path(folder))[1]]


def read_county(folder: Path) -> County:
    """Return the county in a folder of CSV tables; BadInput lists every error."""
    folder = Path(folder)
    frames, problems = read_tables(folder)
    if problems:
        raise BadInput(*(str(problem) for problem in problems))
    tables = {name: frame.reset_index(drop=True) for name, frame in frames.items()}
    townships, schools, nodes = (
        _positions(tables[name][key])
        for name, key in (("zones", "township_id"), ("schools", "school_id"), ("nodes", "node_id"))
    )
    return County(
        name=folder.name,
        folder=folder,
        townships=_townships(tables["zones"]),
        schools=_schools(tables, townships, nodes),
        hamlets=_hamlets(tables["hamlets"], townships, schools, nodes),
        pupils=_pupils(tables["pupils"], _positions(tables["hamlets"]["hamlet_id"])),
        roads=_roads(tables["nodes"], tables["edges"], nodes),
        calendar=_calendar(tables["calendar"]),
        births=_births(tables["births"]),
        history=tables["history"][["area_id", "year", "grade", "pupils"]],
        projects=tables["projects"],
        weather=tables["weather"],
        tables=tables,
    )


def _positions(ids: pd.Series) -> dict[str, int]:
    return {name: i for i, name in enumerate(ids)}


def _words(column: pd.Series) -> tuple[str, ...]:
    return tuple(str(cell) for cell in column)


def _ints(column: pd.Series) -> Ints:
    return np.array(column, dtype=np.int64)


def _floats(column: pd.Series) -> Floats:
    return np.array(column, dtype=np.float64)


def _flags(column: pd.Series) -> Bools:
    return np.array(column, dtype=np.bool_)


def _at(column: pd.Series, positions: dict[str, int]) -> Ints:
    return _ints(column.map(positions))


def _townships(zones: pd.DataFrame) -> Townships:
    return Townships(
        id=_words(zones["township_id"]),
        name_zh=_words(zones["name_zh"]),
        name_en=_words(zones["name_en"]),
        zone=_words(zones["zone_id"]),
        is_town=_flags(zones["is_town"]),
        lon=_floats(zones["lon"]),
        lat=_floats(zones["lat"]),
    )


def _schools(tables: dict[str, pd.DataFrame], townships: dict[str, int], nodes: dict[str, int]) -> Schools:
    """Schools without a row in facilities.csv or staff.csv have none of it; classrooms may stand in classrooms.csv."""
    table = tables["schools"]
    ids = table["school_id"]
    given = tables["facilities"].set_index("school_id").drop(columns="source").reindex(ids, fill_value=0)
    rooms = tables["classrooms"].set_index("school_id")["classrooms"].reindex(ids, fill_value=0)
    given["classrooms"] += rooms
    staff = tables["staff"].set_index("school_id").drop(columns="source").reindex(ids, fill_value=0)
    return Schools(
        id=_words(ids),
        name_zh=_words(table["name_zh"]),
        name_en=_words(table["name_en"]),
        kind=_words(table["kind"]),
        township=_at(table["township_id"], townships),
        node=_at(table["node_id"], nodes),
        lon=_floats(table["lon"]),
        lat=_floats(table["lat"]),
        first_grade=_ints(table["first_grade"]),
        last_grade=_ints(table["last_grade"]),
        receives=_flags(table["receives"]),
        opens_year=_ints(table["opens_year"].fillna(0)),
        lived=_flags(ids.isin(tables["facilities"]["school_id"])),
        beds=np.stack([_ints(given["beds_girls"]), _ints(given["beds_boys"])], axis=1),
        **{name: _ints(given[name]) for name in FACILITIES},
        **{name: _ints(staff[name]) for name in POSTS},
    )


def _hamlets(table: pd.DataFrame, townships: dict[str, int], schools: dict[str, int], nodes: dict[str, int]) -> Hamlets:
    return Hamlets(
        id=_words(table["hamlet_id"]),
        name_zh=_words(table["name_zh"]),
        kind=_words(table["kind"]),
        township=_at(table["township_id"], townships),
        node=_at(table["node_id"], nodes),
        school=_at(table["school_id"], schools),
        lon=_floats(table["lon"]),
        lat=_floats(table["lat"]),
        hardship_share=_floats(table["hardship_share"]),
        left_behind_share=_floats(table["left_behind_share"]),
        line_bus=_flags(table["line_bus"]),
        is_town=_flags(table["kind"] == "town"),
    )


def _pupils(table: pd.DataFrame, hamlets: dict[str, int]) -> Ints:
    pupils = np.zeros((len(hamlets), GRADES, len(SEXES)), dtype=np.int64)
    sex = _at(table["sex"], {name: i for i, name in enumerate(SEXES)})
    pupils[_at(table["hamlet_id"], hamlets), _ints(table["grade"]) - 1, sex] = _ints(table["pupils"])
    return pupils


def _roads(nodes: pd.DataFrame, edges: pd.DataFrame, positions: dict[str, int]) -> Roads:
    return Roads(
        node_id=_words(nodes["node_id"]),
        lon=_floats(nodes["lon"]),
        lat=_floats(nodes["lat"]),
        is_yard=_flags(nodes["is_yard"]),
        edge_id=_words(edges["edge_id"]),
        start=_at(edges["from_node"], positions),
        end=_at(edges["to_node"], positions),
        km=_floats(edges["km"]),
        road_class=_words(edges["road_class"]),
        bend=_words(edges["bend"]),
        closed_by=_words(edges["closed_by"]),
    )


def _calendar(table: pd.DataFrame) -> SchoolCalendar:
    table = table.sort_values("week")
    return SchoolCalendar(*(_ints(table[name]) for name in ("week", "term", "month", "days")))


def _births(table: pd.DataFrame) -> Births:
    wide = table.pivot_table(index="year", columns="variant", values="births")
    return Births(_ints(wide.index), {str(name): _floats(wide[name]) for name in wide.columns})
