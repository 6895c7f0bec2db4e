"""The tables that every county's folder has: facts that a planner brings."""

from __future__ import annotations

from sim.tables.column import Column, Table, flag, ident, number, text, whole

KINDS = ("teaching_point", "village", "central_primary", "junior", "nine_year", "town_primary", "town_junior")
HOMES = ("town", "village", "hamlet")
CLASS_ADDS = ("places", "classrooms")
PAID_ADDS = ("living_rooms", "road_safety_km", "teacher_flats", "stops")
"""What projects build that costs money and is not lived: no day changes by it."""
ADDS = (
    *CLASS_ADDS,
    *PAID_ADDS,
    *("beds_girls", "beds_boys", "canteen_seats", "windows", "kitchen_meals"),
    *("taps", "basins", "toilets_girls", "toilets_boys", "showers"),
)
ROAD_CLASSES = ("national", "county", "township", "village")
BENDS = ("straight", "bends", "sharp", "steep")
DAY_TYPES = ("clear", "rain", "fog", "ice", "flood")
VARIANTS = ("low", "medium", "high")
CONDITIONS = ("class_place", "ride_or_bed", "meal")
"""What must be ready for a pupil at the receiving school: a class place, a ride within the limit or a bed, a meal."""

# China lies between these; a longitude in the range of latitudes tells that the two were swapped.
LON_RANGE = (73.0, 136.0)
LAT_RANGE = (3.0, 54.0)
# Far beyond any county, so that only slips of the pen are refused.
YEARS = (1900, 2100)
MOST_PEOPLE, MOST_AT_A_PLACE, MOST_ON_A_BUS = 100_000_000, 100_000, 500
MOST_KM, MOST_YUAN, MOST_M2 = 500, 1e11, 1_000_000

SCHOOL = "schools.csv:school_id"
TOWNSHIP = "zones.csv:township_id"
NODE = "nodes.csv:node_id"
HAMLET = "hamlets.csv:hamlet_id"


def _place() -> tuple[Column, Column]:
    return (
        number("lon", "Longitude, WGS84", "degree", low=LON_RANGE[0], high=LON_RANGE[1]),
        number("lat", "Latitude, WGS84", "degree", low=LAT_RANGE[0], high=LAT_RANGE[1]),
    )


def source_column() -> Column:
    """Return the column that ends every table of a county."""
    return text("source", "Where the row comes from; starts with real:, derived: or synthetic:")


def _counts(*columns: tuple[str, str, str]) -> tuple[Column, ...]:
    return tuple(whole(name, meaning, unit, high=MOST_AT_A_PLACE) for name, meaning, unit in columns)


def year_column(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """Return a column of years."""
    return whole(name, meaning, "year", low=YEARS[0], high=YEARS[1], nullable=nullable)


ZONES = Table(
    "zones.csv",
    "Townships and the school zone (大学区) each belongs to",
    (
        ident("township_id", "Township"),
        text("name_zh", "Name in Chinese"),
        text("name_en", "Name in English"),
        ident("zone_id", "School zone; townships of one zone share it"),
        flag("is_town", "1: the township that holds the county town"),
        *_place(),
        whole("population", "Residents, where known", "person", high=MOST_PEOPLE, nullable=True),
        source_column(),
    ),
    ("township_id",),
)
SCHOOLS = Table(
    "schools.csv",
    "Schools: where they are and which grades they offer",
    (
        ident("school_id", "School"),
        text("name_zh", "Name in Chinese"),
        text("name_en", "Name in English"),
        text("township_id", "Township it lies in", refers=TOWNSHIP),
        text("kind", "Kind of school", allowed=KINDS),
        text("node_id", "Road node it stands at", refers=NODE),
        *_place(),
        whole("first_grade", "First grade offered", "grade", low=1, high=9),
        whole("last_grade", "Last grade offered", "grade", low=1, high=9),
        flag("receives", "1: may take pupils of other schools"),
        year_column("opens_year", "School year it opens in; empty: open already", nullable=True),
        source_column(),
    ),
    ("school_id",),
)
HAMLETS = Table(
    "hamlets.csv",
    "Homes of pupils: villages, catchments of teaching points, blocks of the town",
    (
        ident("hamlet_id", "Hamlet"),
        text("name_zh", "Name in Chinese"),
        text("township_id", "Township it lies in", refers=TOWNSHIP),
        text("kind", "town: a block of the county town; hamlet: part of a village", allowed=HOMES),
        text("node_id", "Road node it lies at", refers=NODE),
        *_place(),
        text("school_id", "Primary school attended today, for the grades it offers", refers=SCHOOL),
        flag("line_bus", "1: a public bus line passes"),
        number("hardship_share", "Share of pupils from hardship families", "share", high=1),
        number("left_behind_share", "Share of pupils whose parents work away", "share", high=1),
        source_column(),
    ),
    ("hamlet_id",),
)
PUPILS = Table(
    "pupils.csv",
    "Pupils by home, grade and sex in the base year",
    (
        text("hamlet_id", "Home", refers=HAMLET),
        whole("grade", "Grade", "grade", low=1, high=9),
        text("sex", "f: girls, m: boys", allowed=("f", "m")),
        whole("pupils", "Pupils", "pupil", high=MOST_AT_A_PLACE),
        source_column(),
    ),
    ("hamlet_id", "grade", "sex"),
)
HISTORY = Table(
    "history.csv",
    "Pupils of earlier years by township or for the county",
    (
        text("area_id", "Township, or `county`", refers=TOWNSHIP, also=("county",)),
        year_column("year", "School year, named by its autumn"),
        whole("grade", "Grade", "grade", low=1, high=9),
        whole("pupils", "Pupils", "pupil", high=MOST_PEOPLE),
        source_column(),
    ),
    ("area_id", "year", "grade"),
)
BIRTHS = Table(
    "births.csv",
    "Births of past years and three futures",
    (
        text("area_id", "Area the births belong to", allowed=("county",)),
        year_column("year", "Calendar year"),
        text("variant", "Future", allowed=VARIANTS),
        number("births", "Births (or an index of them) in the year", "person", high=MOST_PEOPLE),
        source_column(),
    ),
    ("area_id", "year", "variant"),
)
NODES = Table(
    "nodes.csv",
    "Nodes of the road network",
    (
        ident("node_id", "Node"),
        *_place(),
        text("kind", "What it is", allowed=("junction", "hamlet", "school")),
        flag("is_yard", "1: buses are parked here"),
        source_column(),
    ),
    ("node_id",),
)
EDGES = Table(
    "edges.csv",
    "Roads between nodes, both ways",
    (
        ident("edge_id", "Road"),
        text("from_node", "One end", refers=NODE),
        text("to_node", "Other end", refers=NODE),
        number("km", "Length", "km", high=MOST_KM),
        text("road_class", "Class of road", allowed=ROAD_CLASSES),
        text("bend", "Bends and slope", allowed=BENDS),
        text("closed_by", "Weather that closes it", allowed=("none", "ice", "flood")),
        source_column(),
    ),
    ("edge_id",),
)
FACILITIES = Table(
    "facilities.csv",
    "Canteen, beds, gate, classrooms, water and toilets of the schools whose days are lived",
    (
        text("school_id", "School", refers=SCHOOL),
        *_counts(
            ("windows", "Serving windows of the canteen", "window"),
            ("canteen_seats", "Seats in the canteen", "seat"),
            ("kitchen_meals", "Meals the kitchen can cook for one mealtime, all sittings together", "meal"),
            ("beds_girls", "Beds for girls", "bed"),
            ("beds_boys", "Beds for boys", "bed"),
            ("gate_bays", "Buses that can unload at the gate at once", "bay"),
            ("classrooms", "Classrooms", "room"),
            ("taps", "Drinking-water taps", "tap"),
            ("basins", "Hand basins", "basin"),
            ("toilets_girls", "Squats for girls", "squat"),
            ("toilets_boys", "Squats for boys", "squat"),
            ("showers", "Showers", "shower"),
        ),
        source_column(),
    ),
    ("school_id",),
)
STAFF = Table(
    "staff.csv",
    "Staff in post",
    (
        text("school_id", "School", refers=SCHOOL),
        *_counts(
            ("teachers", "Teachers", "person"),
            ("temporary", "Temporary staff", "person"),
            ("life_teachers", "Life teachers of lodgers", "person"),
            ("wardens", "Dormitory wardens", "person"),
            ("canteen_workers", "Canteen workers", "person"),
            ("guards", "Guards", "person"),
        ),
        source_column(),
    ),
    ("school_id",),
)
CALENDAR = Table(
    "calendar.csv",
    "School weeks of a year",
    (
        whole("week", "School week, from 1", "week", low=1, high=53),
        whole("term", "Term", "term", low=1, high=4),
        whole("month", "Month it lies in", "month", low=1, high=12),
        whole("days", "School days", "day", low=1, high=7),
        source_column(),
    ),
    ("week",),
)
WEATHER = Table(
    "weather.csv",
    "Share of days of each kind by month",
    (
        whole("month", "Month", "month", low=1, high=12),
        text("day_type", "Kind of day", allowed=DAY_TYPES),
        number("share", "Share of days; adds up to 1 in a month", "share", high=1),
        source_column(),
    ),
    ("month", "day_type"),
)
NEEDED_TABLES: tuple[Table, ...] = (
    ZONES, SCHOOLS, HAMLETS, PUPILS, HISTORY, BIRTHS, NODES, EDGES, FACILITIES, STAFF, CALENDAR, WEATHER,
)  # fmt: skip
