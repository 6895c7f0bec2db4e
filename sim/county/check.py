"""Checks that a county's tables fit together: references, grades, roads, weather, calendar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sim.county.history import history_problems, roll_problems
from sim.county.timetable import given_runs
from sim.tables import COUNTY_TABLES, Column, Table, as_declared
from sim.tables.check import Problem, read_checked
from sim.tables.county import CLASS_ADDS, LAT_RANGE, LON_RANGE, PAID_ADDS

Frames = Mapping[str, pd.DataFrame]
Wrong = set[tuple[str, str]]
SHOWN = 8
SHARE_TOLERANCE = 1e-6


def read_tables(folder: Path) -> tuple[dict[str, pd.DataFrame], list[Problem]]:
    """Return the tables of a county's folder by name (without `.csv`) and every error in and between them."""
    frames, problems = own_tables(folder)
    return frames, sorted({*problems, *(between(frames, problems) if frames else ())})


def own_tables(folder: Path) -> tuple[dict[str, pd.DataFrame], list[Problem]]:
    """Return the tables of a county's folder by name and every error inside one of them; none without the folder."""
    if not folder.is_dir():
        needs = ", ".join(table.name for table in COUNTY_TABLES if not table.optional)
        says = f"this county folder does not exist; give a folder with {needs}"
        return {}, [Problem(str(folder), 0, "", says)]
    frames: dict[str, pd.DataFrame] = {}
    problems = list(_strangers(folder))
    for table in COUNTY_TABLES:
        name = table.name.removesuffix(".csv")
        if table.optional and not (folder / table.name).exists():
            frames[name] = as_declared(pd.DataFrame(columns=list(table.names)), table)
            continue
        frame, found = read_checked(folder / table.name, table)
        found = found if frame is None else _swapped(table, frame, found)
        frames[name] = pd.DataFrame() if frame is None else _emptied(frame, found)
        problems += found
    problems += _references(frames, _wrong(problems))
    for name, frame in frames.items():
        frames[name] = _emptied(frame, [problem for problem in problems if problem.file == f"{name}.csv"])
    return frames, problems


def _emptied(frame: pd.DataFrame, problems: list[Problem]) -> pd.DataFrame:
    """Leave cells with an error empty, so that no other error follows from them."""
    wrong = {name: frame.index.isin([p.row for p in problems if p.column == name]) for name in frame.columns}
    return frame.assign(**{name: frame[name].mask(rows) for name, rows in wrong.items() if rows.any()})


def _wrong(problems: Sequence[Problem]) -> Wrong:
    """Return the columns with an error, as (file, column); no column stands for a row that could not be read."""
    return {(problem.file, name) for problem in problems for name in problem.column.split("+")}


def _strangers(folder: Path) -> Iterator[Problem]:
    known = [table.name for table in COUNTY_TABLES]
    for path in sorted(folder.glob("*.csv")):
        if path.name not in known:
            yield Problem(path.name, 0, "", f"is no table of a county; known are {', '.join(known)}")


def _swapped(table: Table, frame: pd.DataFrame, problems: list[Problem]) -> list[Problem]:
    """Say it plainly where lon and lat were exchanged, instead of complaining about both."""
    if not {"lon", "lat"} <= set(frame.columns):
        return problems
    rows = frame.index[frame["lon"].between(*LAT_RANGE) & frame["lat"].between(*LON_RANGE)]
    rest = [p for p in problems if not (p.row in rows and p.column in ("lon", "lat"))]
    says = "lon and lat look swapped: lon {lon:g}, lat {lat:g}; in China lon is 73 to 136 and lat 3 to 54"
    for row, lon, lat in frame.loc[rows, ["lon", "lat"]].itertuples():
        rest.append(Problem(table.name, row, "lon+lat", says.format(lon=lon, lat=lat)))
    return rest


def between(frames: Frames, problems: Sequence[Problem] = ()) -> Iterator[Problem]:
    """Yield what is wrong between tables, given what is wrong inside them.

    Checks that lack their columns wait until these are there, and those that look for what is missing until the
    tables they look in are right.
    """
    wrong = _wrong(problems)
    for check, needs, looked_in in _CHECKS:
        there = all(set(columns.split()) <= set(frames[name].columns) for name, columns in needs.items())
        spoilt = {(f"{name}.csv", column) for name in looked_in.split() for column in ("", *needs[name].split())}
        if there and not spoilt & wrong:
            yield from check(frames)


def _references(frames: Frames, wrong: Wrong) -> Iterator[Problem]:
    """Yield the values that name something that is nowhere, unless the table it should be in has errors there."""
    for table in COUNTY_TABLES:
        for column in table.columns:
            file, _, target = column.refers.partition(":")
            if file and not {(file, ""), (file, target)} & wrong:
                yield from _reference(table, column, frames)


def _reference(table: Table, column: Column, frames: Frames) -> Iterator[Problem]:
    """Yield the values that name something that is in no row of the table they refer to."""
    file, target = column.refers.split(":")
    known_in, frame = frames[file.removesuffix(".csv")], frames[table.name.removesuffix(".csv")]
    if target not in known_in.columns or column.name not in frame.columns or not len(known_in):
        return
    known = [*column.also, *known_in[target]]
    cells = frame[column.name]
    thing = target.removesuffix("_id")
    for row, value in cells[~cells.isin(known) & (cells != "") & cells.notna()].items():
        more = f" and {len(known) - SHOWN} more in {file}" if len(known) > SHOWN else ""
        says = f"'{value}' is no {thing}; known are {', '.join(known[:SHOWN])}{more}"
        yield Problem(table.name, int(row), column.name, says)


def _school_grades(frames: Frames) -> Iterator[Problem]:
    schools = frames["schools"]
    for row, first, last in schools[["first_grade", "last_grade"]].dropna().itertuples():
        if first > last:
            says = f"{last:.0f} is below the first grade {first:.0f}; use {first:.0f} to 9"
            yield Problem("schools.csv", row, "last_grade", says)


def _hamlet_schools(frames: Frames) -> Iterator[Problem]:
    """A hamlet names the primary school of its youngest."""
    known = frames["schools"].dropna(subset=["school_id", "first_grade"])
    schools = known.drop_duplicates("school_id").set_index("school_id")
    for row, school in frames["hamlets"]["school_id"].items():
        if school in schools.index and schools.at[school, "first_grade"] > 1:
            first = schools.at[school, "first_grade"]
            says = f"'{school}' begins with grade {first:.0f}; name the school that its pupils of grade 1 attend"
            yield Problem("hamlets.csv", int(row), "school_id", says)


def _grades_offered(frames: Frames) -> Iterator[Problem]:
    """Pupils in a grade that no school of the county has could go nowhere."""
    schools, pupils = frames["schools"], frames["pupils"]
    spans = schools[["first_grade", "last_grade"]].dropna().astype(int)
    offered = {grade for first, last in spans.itertuples(index=False) for grade in range(first, last + 1)}
    homeless = pupils[(pupils["pupils"] > 0) & pupils["grade"].between(1, 9) & ~pupils["grade"].isin(offered)]
    for row, grade in homeless["grade"].items():
        says = f"there are pupils in grade {grade:.0f}, but no school in schools.csv has it"
        yield Problem("pupils.csv", int(row), "grade", says)


def _facilities(frames: Frames) -> Iterator[Problem]:
    """A school that receives pupils needs a canteen and beds on paper; town schools excepted."""
    schools = frames["schools"]
    bare = (schools["receives"] == 1) & ~schools["school_id"].isin(frames["facilities"]["school_id"])
    for row, school in schools.loc[bare & ~schools["kind"].str.startswith("town_"), "school_id"].items():
        says = f"'{school}' receives pupils but has no row in facilities.csv; add one or set receives to 0"
        yield Problem("schools.csv", int(row), "receives", says)


def _classrooms(frames: Frames) -> Iterator[Problem]:
    """Classrooms stand once: in facilities.csv or, without a row there, in classrooms.csv."""
    twice = frames["classrooms"]["school_id"].isin(frames["facilities"]["school_id"])
    for row, school in frames["classrooms"].loc[twice, "school_id"].items():
        says = f"'{school}' has its classrooms in facilities.csv already; remove one of the two"
        yield Problem("classrooms.csv", int(row), "school_id", says)


def _projects(frames: Frames) -> Iterator[Problem]:
    """What is added to a school can be used there: class places anywhere, what is lived where days are lived."""
    lived, projects = frames["facilities"]["school_id"], frames["projects"]
    lost = ~projects["adds"].isin(("", *CLASS_ADDS, *PAID_ADDS)) & ~projects["school_id"].isin(lived)
    for row, school, adds in projects.loc[lost, ["school_id", "adds"]].itertuples():
        says = f"'{school}' has no row in facilities.csv, so {adds} would not be used; add the row or remove this one"
        yield Problem("projects.csv", row, "adds", says)


def _hearings(frames: Frames) -> Iterator[Problem]:
    """Only a conditional hearing asks for something."""
    hearing = frames["hearing"]
    idle = hearing["condition"].notna() & hearing["result"].isin(("agreed", "refused"))
    for row, result, condition in hearing.loc[idle, ["result", "condition"]].itertuples():
        says = f"'{condition}' is asked for, but the result is {result}; write conditional, or leave this empty"
        yield Problem("hearing.csv", row, "condition", says)


def _roads(frames: Frames) -> Iterator[Problem]:
    """Roads have a length and two ends, some node is a yard."""
    edges = frames["edges"]
    for row in edges.index[edges["km"] == 0]:
        yield Problem("edges.csv", int(row), "km", "0 is too short; use a length above 0 km")
    for row in edges.index[edges["from_node"] == edges["to_node"]]:
        yield Problem("edges.csv", int(row), "to_node", "the road ends where it begins; name another node")
    nodes = frames["nodes"]
    if len(nodes) and not (nodes["is_yard"] == 1).any():
        yield Problem("nodes.csv", 0, "is_yard", "no node is a yard; set 1 where buses are parked")


def _reachable(frames: Frames) -> Iterator[Problem]:
    """Every hamlet and school must be on the same road network as the school the hamlet attends."""
    nodes = frames["nodes"]["node_id"].drop_duplicates().tolist()
    position = {node: i for i, node in enumerate(nodes)}
    edges = frames["edges"]
    ends = edges[edges["from_node"].isin(nodes) & edges["to_node"].isin(nodes)]
    start, end = (ends[name].map(position).to_numpy(int) for name in ("from_node", "to_node"))
    graph = coo_array((np.ones(len(start)), (start, end)), shape=(len(nodes), len(nodes)))
    part = dict(zip(nodes, connected_components(graph, directed=False)[1].tolist(), strict=True))
    stands = dict(zip(frames["schools"]["school_id"], frames["schools"]["node_id"], strict=True))
    parts = [part[node] for node in stands.values() if node in part]
    if not parts:
        return
    main = max(sorted(set(parts)), key=parts.count)
    for row, school, node in frames["schools"][["school_id", "node_id"]].itertuples():
        if node in part and part[node] != main:
            says = f"no road leads from school '{school}' (node {node}) to the others; add it to edges.csv"
            yield Problem("schools.csv", row, "node_id", says)
    for row, hamlet, node, school in frames["hamlets"][["hamlet_id", "node_id", "school_id"]].itertuples():
        if node in part and school in stands and part[node] not in (main, part.get(stands[school])):
            says = f"no road leads from '{hamlet}' (node {node}) to school '{school}'; add it to edges.csv"
            yield Problem("hamlets.csv", row, "node_id", says)


def _weather(frames: Frames) -> Iterator[Problem]:
    """Shares of a month add up to 1, and every month with school has them."""
    sums = frames["weather"].groupby("month")["share"].sum()
    for month, total in sums[(sums - 1).abs() > SHARE_TOLERANCE].items():
        says = f"the shares of month {month:.0f} add up to {total:.4f}; they must add up to 1"
        yield Problem("weather.csv", 0, "share", says)
    months = frames["calendar"]["month"]
    for row, month in months[months.between(1, 12) & ~months.isin(sums.index)].items():
        yield Problem("calendar.csv", int(row), "month", f"weather.csv says nothing about month {month:.0f}")


def _calendar(frames: Frames) -> Iterator[Problem]:
    weeks = frames["calendar"]["week"].dropna()
    for expected, (row, week) in enumerate(weeks.sort_values().items(), start=1):
        if week != expected:
            says = f"week {expected} is missing; number the weeks from 1"
            yield Problem("calendar.csv", int(row), "week", says)
            return


def _births(frames: Frames) -> Iterator[Problem]:
    """All three futures cover the same years without a gap."""
    births = frames["births"]
    years = births["year"].dropna()
    wanted = set() if years.empty else set(range(int(years.min()), int(years.max()) + 1))
    for variant in ("low", "medium", "high"):
        missing = sorted(wanted - set(births.loc[births["variant"] == variant, "year"].dropna()))
        if missing:
            listed = ", ".join(str(year) for year in missing[:SHOWN])
            yield Problem("births.csv", 0, "year", f"variant {variant} lacks {len(missing)} years: {listed}")


def _history(frames: Frames) -> Iterator[Problem]:
    """Cohorts can be followed through the history, and it ends with the rolls of pupils.csv."""
    yield from history_problems(frames["history"])
    yield from roll_problems(frames["history"], frames["pupils"], frames["hamlets"])


_CHECKS = (
    (
        _history,
        {
            "history": "area_id year grade pupils",
            "pupils": "hamlet_id grade pupils",
            "hamlets": "hamlet_id township_id",
        },
        "history pupils hamlets",
    ),
    (_school_grades, {"schools": "first_grade last_grade"}, ""),
    (_hamlet_schools, {"schools": "school_id first_grade last_grade", "hamlets": "school_id"}, ""),
    (_grades_offered, {"schools": "first_grade last_grade", "pupils": "grade pupils"}, "schools"),
    (_facilities, {"schools": "school_id receives kind", "facilities": "school_id"}, "facilities"),
    (_classrooms, {"classrooms": "school_id", "facilities": "school_id"}, ""),
    (_projects, {"projects": "school_id adds", "facilities": "school_id"}, "facilities"),
    (_hearings, {"hearing": "result condition"}, ""),
    (_roads, {"edges": "km from_node to_node", "nodes": "is_yard"}, "nodes"),
    (
        _reachable,
        {
            "nodes": "node_id",
            "edges": "from_node to_node",
            "schools": "school_id node_id",
            "hamlets": "hamlet_id node_id school_id",
        },
        "nodes edges",
    ),
    (_weather, {"weather": "month share", "calendar": "month"}, "weather"),
    (_calendar, {"calendar": "week"}, "calendar"),
    (_births, {"births": "year variant"}, "births"),
    (
        given_runs,
        {
            "hamlets": "hamlet_id",
            "runs": "year run_id bus_id service direction days school_id seq stop_id arrive_min depart_min embark "
            "alight seats rated",
        },
        "hamlets",
    ),
)
"""What is checked between tables, the columns it needs, and the tables in which it looks for what is missing."""
