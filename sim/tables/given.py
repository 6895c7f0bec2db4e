"""The tables of a county's folder that are there where a county has any: works, lists, hearings, campuses, runs."""

from __future__ import annotations

from sim.tables.column import Column, Table, ident, number, text, whole
from sim.tables.county import (
    ADDS,
    CONDITIONS,
    MOST_AT_A_PLACE,
    MOST_M2,
    MOST_ON_A_BUS,
    MOST_YUAN,
    SCHOOL,
    source_column,
    year_column,
)
from sim.units import MINUTES_PER_DAY

OWNERS = ("county", "county_company", "village")
"""Who may own the campus of a school."""


def _clock(name: str, meaning: str) -> Column:
    return number(name, meaning, "minute after midnight", high=MINUTES_PER_DAY, nullable=True)


def _aboard(name: str, meaning: str) -> Column:
    return number(name, meaning, "pupil", high=MOST_ON_A_BUS, nullable=True)


PROJECTS = Table(
    "projects.csv",
    "Works at a school, there from a year on. Beds, seats, windows, meals, taps, basins, toilets and showers are used "
    "where its days are lived, hence need a row in facilities.csv; "
    "living rooms, safer roads, teachers' flats and waiting stops cost and change no day",
    (
        ident("project_id", "Project"),
        text("school_id", "School", refers=SCHOOL),
        year_column("year", "School year from which it counts"),
        text("adds", "What it adds", allowed=ADDS),
        whole("quantity", "How many", "piece", high=MOST_AT_A_PLACE),
        number("cost_yuan", "Cost, where known", "yuan", high=MOST_YUAN, nullable=True),
        source_column(),
    ),
    ("project_id",),
    optional=True,
)
CLASSROOMS = Table(
    "classrooms.csv",
    "Classrooms of schools whose days are not lived, such as the town's; those of the others stand in facilities.csv",
    (
        text("school_id", "School", refers=SCHOOL),
        whole("classrooms", "Classrooms", "room", high=MOST_AT_A_PLACE),
        source_column(),
    ),
    ("school_id",),
    optional=True,
)
HEARING = Table(
    "hearing.csv",
    "Results of hearings: the latest for a year or before counts. A school whose hearing said no stays open, also one "
    "whose condition is not met; where none is on record, the closing rule alone decides",
    (
        text("school_id", "School", refers=SCHOOL),
        year_column("year", "School year it is about"),
        text("result", "Result", allowed=("agreed", "refused", "conditional")),
        text(
            "condition",
            "What a conditional hearing asks to be ready for every pupil; empty: all of it",
            allowed=CONDITIONS,
            nullable=True,
            optional=True,
        ),
        source_column(),
    ),
    ("school_id", "year"),
    optional=True,
)
CLOSURES_GIVEN = Table(
    "closures.csv",
    "The county's own list of schools that close (`closure.listed`)",
    (
        text("school_id", "School", refers=SCHOOL),
        year_column("year", "First school year it is closed in"),
        source_column(),
    ),
    ("school_id",),
    optional=True,
)
CAMPUSES_GIVEN = Table(
    "campuses.csv",
    "Floor area and owner of schools, for what becomes of them once they are closed (`campus`); of a school without a "
    "row the area is assumed, and the county owns it",
    (
        text("school_id", "School", refers=SCHOOL),
        number("area_m2", "Floor area of its buildings", "m2", low=1, high=MOST_M2),
        text("owner", "Who owns it; what a village owns, the county can neither let nor sell", allowed=OWNERS),
        source_column(),
    ),
    ("school_id",),
    optional=True,
)
RUNS_GIVEN = Table(
    "runs.csv",
    "Runs the county's buses drive today: one row per place, in order; the columns of runs.parquet, but for what "
    "follows from others. In force from `year` until a later year has rows",
    (
        year_column("year", "School year from which it holds; empty: from the beginning", nullable=True),
        text("run_id", "One trip of a bus to or from a school, with mixed loads by way of other schools"),
        text("bus_id", "Bus; empty: the run is not driven", nullable=True),
        text("service", "Who rides: day pupils, or lodgers once a week", allowed=("school", "lodger")),
        text("direction", "To school or home", allowed=("in", "out")),
        text("days", "Days it runs; lodgers: mon in, fri out", allowed=("mon_fri", "mon", "fri")),
        text("school_id", "School of the riders who get on or off here", refers=SCHOOL),
        whole("seq", "Place in the run, from 0; its school is last (in) or first (out)", high=MOST_ON_A_BUS),
        text("stop_id", "Hamlet (`hamlet_id`), or the school of the run or on its way"),
        _clock("arrive_min", "Arrival; empty: as departure, less boarding"),
        _clock("depart_min", "Departure; empty: as arrival, and boarding"),
        _aboard("embark", "Pupils who get on; empty: an even part of those expected"),
        _aboard("alight", "Pupils who get off; empty: an even part of those expected"),
        whole("seats", "Seats for pupils; one number for each bus", "seat", low=1, high=MOST_ON_A_BUS),
        whole("rated", "People it may carry; empty: just enough", "person", low=1, high=MOST_ON_A_BUS, nullable=True),
        source_column(),
    ),
    ("year", "run_id", "seq"),
    optional=True,
)

GIVEN_TABLES: tuple[Table, ...] = (PROJECTS, CLASSROOMS, HEARING, CLOSURES_GIVEN, CAMPUSES_GIVEN, RUNS_GIVEN)
