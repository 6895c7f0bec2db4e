"""The tables of a run's folder: what a study writes for the stages that follow and for people."""

from __future__ import annotations

from sim.tables.closing import (
    ALTERNATIVES,
    CAMPUSES,
    CLOSURES,
    GRADE,
    GROUNDS_OF_DECISIONS,
    MODES,
    SCENARIO,
    SCHOOL_PLANS,
    SITE,
    UNPLACED,
    YEAR,
    interval,
    run_file,
)  # fmt: skip
from sim.tables.column import Table, number, text, whole
from sim.tables.county import DAY_TYPES
from sim.tables.roll import CLASS_PLACES, FORECAST_CHECK

RESOURCES = (
    "bus", "spare_bus", "driver", "attendant", "bus_seat", "line_bus_seat", "gate_bay", "kitchen", "window",
    "canteen_seat", "bed_girls", "bed_boys", "tap", "toilet_girls", "toilet_boys", "shower", "basin",
    "classroom_seat", "teacher", "life_teacher", "warden", "canteen_worker", "guard",
)  # fmt: skip
CAUSES = (
    "weather", "road", "breakdown", "driver", "attendant", "bus", "bus_seat", "line_bus_seat", "gate_bay", "kitchen",
    "window", "canteen_seat", "bed", "tap", "toilet", "shower", "basin", "classroom_seat",
)  # fmt: skip
HARM_KINDS = ("left_behind", "no_bed", "hungry", "gave_up", "late", "haste", "class_too_big")

REPLICATION = whole("replication", "Replication: a draw of luck, from 0")


ENROLMENT = run_file(
    "enrolment.parquet",
    "Pupils who really come, and the school that receives them",
    "scenario replication year hamlet_id grade sex",
    SCENARIO, REPLICATION, YEAR,
    text("hamlet_id", "Home"),
    text("school_id", "School that receives; null when unplaced", nullable=True),
    GRADE,
    text("sex", "f: girls, m: boys", allowed=("f", "m")),
    whole("pupils", "Pupils", "pupil"),
)  # fmt: skip
PLACES = run_file(
    "places.parquet",
    "Where the pupils of a hamlet and grade go, and how",
    "scenario year hamlet_id grade mode",
    SCENARIO, YEAR,
    text("hamlet_id", "Home"),
    GRADE,
    text("school_id", "School that receives; null when unplaced", nullable=True),
    text("mode", "Way to school", allowed=MODES),
    number("pupils", "Pupils expected", "pupil"),
    number("km", "Way by road", "km", nullable=True),
    text("reason", "Why this school and this way"),
)  # fmt: skip
RUNS = run_file(
    "runs.parquet",
    "Timetable of every bus: one row per stop",
    "scenario year run_id seq",
    SCENARIO, YEAR,
    text("run_id", "One trip of a bus to or from a school, with mixed loads by way of other schools"),
    text("duty_id", "All runs of a bus in a day", nullable=True),
    text("bus_id", "Bus; null when no bus could", nullable=True),
    text("service", "Who rides", allowed=("school", "lodger", "empty")),
    text("direction", "To school or home", allowed=("in", "out")),
    text("days", "Days it runs", allowed=("mon_fri", "mon", "fri")),
    text("school_id", "School of the riders who get on or off here"),
    whole("seq", "Order of the stop in the run; its school is last (in) or first (out)"),
    text("stop_id", "Stop: hamlet or school"),
    number("arrive_min", "Arrival", "minute after midnight", nullable=True),
    number("depart_min", "Departure", "minute after midnight", nullable=True),
    number("km", "Leg into this stop", "km"),
    number("embark", "Pupils who get on", "pupil"),
    number("alight", "Pupils who get off", "pupil"),
    number("load_after", "Pupils aboard when leaving", "pupil"),
    whole("seats", "Seats for pupils", "seat"),
)  # fmt: skip
POSTS = run_file(
    "posts.csv",
    "Staff posts by norm, and who fills them",
    "scenario year site_id post from_school_id",
    SCENARIO, YEAR, SITE,
    text("post", "Post"),
    number("needed", "Posts by norm", "person"),
    number("filled", "Posts filled", "person"),
    text("from_school_id", "School the staff come from; null: own or hired", nullable=True),
)  # fmt: skip
MEASURES = run_file(
    "measures.parquet",
    "What was measured, by week or day",
    "scenario replication year week day site_id measure",
    SCENARIO, REPLICATION, YEAR,
    whole("week", "School week, from 1", "week", low=1),
    whole("day", "1-7; 0: the whole week", "day", high=7),
    SITE,
    text("measure", "What is measured"),
    number("value", "Its value", low=None, nullable=True),
    text("unit", "Its unit"),
    number("weight", "Weeks of the year this one stands for", "week"),
)  # fmt: skip
DAYS = run_file(
    "days.parquet",
    "The days that were lived, and their weather",
    "scenario replication year week day",
    SCENARIO, REPLICATION, YEAR,
    whole("week", "School week, from 1", "week", low=1),
    whole("day", "1-7", "day", low=1, high=7),
    text("morning", "Weather of the morning", allowed=DAY_TYPES),
    text("afternoon", "Weather of the afternoon", allowed=DAY_TYPES),
    number("weight", "Weeks of the year its week stands for", "week"),
)  # fmt: skip
ANNUAL = run_file(
    "annual.parquet",
    "What was measured, by year: the weeks lived stand for all weeks of the year",
    "scenario replication year site_id measure",
    SCENARIO, REPLICATION, YEAR, SITE,
    text("measure", "What is measured"),
    number("value", "Its value: the year's total, the weighted mean of the weeks, or the largest week lived", low=None),
)  # fmt: skip
SPREAD = run_file(
    "spread.parquet",
    "Distribution of a measure over pupils, in fixed bins",
    "scenario replication year site_id measure grade_band low",
    SCENARIO, REPLICATION, YEAR, SITE,
    text("measure", "What is measured"),
    text("grade_band", "Grades"),
    number("low", "Lower edge of the bin", low=None),
    number("high", "Upper edge of the bin", low=None, nullable=True),
    number("count", "Pupils in the bin, weighted", "pupil-day"),
)  # fmt: skip
RESOURCES_TABLE = run_file(
    "resources.parquet",
    "How much of each resource there is, is asked for and is missing",
    "scenario replication year site_id resource",
    SCENARIO, REPLICATION, YEAR, SITE,
    text("resource", "Resource", allowed=RESOURCES),
    number("capacity", "How much there is"),
    number("demand_peak", "Most asked for at once over simulated days", nullable=True),
    number("utilisation_mean", "Share in use, mean", "share", nullable=True),
    number("utilisation_peak", "Share in use, peak", "share", nullable=True),
    number("wait_mean_min", "Wait, mean", "minute", nullable=True),
    number("wait_p95_min", "Wait that 95 % stay under", "minute", nullable=True),
    number("unmet", "Asked for and not given, weighted annual total"),
    text("unmet_unit", "Unit of `unmet`"),
    text("unit", "Unit of `capacity`"),
)  # fmt: skip
HARM = run_file(
    "harm.parquet",
    "Harm to pupils by kind and cause",
    "scenario replication year site_id resource kind cause",
    SCENARIO, REPLICATION, YEAR, SITE,
    text("resource", "Resource that was short", allowed=RESOURCES, nullable=True),
    text("kind", "Kind of harm", allowed=HARM_KINDS),
    text("cause", "First cause that binds", allowed=CAUSES),
    number("pupil_days", "Pupils harmed times days, weighted annual total", "pupil-day"),
    number("severity", "pupil_days times the weight of the kind", "weighted pupil-day"),
)  # fmt: skip
BOTTLENECKS = run_file(
    "bottlenecks.csv",
    "Resources whose shortage harms pupils, worst first",
    "scenario year site_id resource",
    SCENARIO, YEAR,
    whole("rank", "Rank by severity, from 1", low=1),
    SITE,
    text("site_name", "Name of the site"),
    text("resource", "Resource", allowed=RESOURCES),
    number("severity", "Weighted harm", "weighted pupil-day"),
    number("severity_low", "Low end of its 95 % interval", "weighted pupil-day", nullable=True),
    number("severity_high", "High end of its 95 % interval", "weighted pupil-day", nullable=True),
    *interval("pupil_days_harmed", "Pupils harmed times days", "pupil-day"),
    number("p_breach", "Chance of breaching the limit", "share", high=1, nullable=True),
    number("p_low", "Low end of its 95 % interval", "share", high=1, nullable=True),
    number("p_high", "High end of its 95 % interval", "share", high=1, nullable=True),
    whole("first_year_breached", "First year of breach; null: never", "year", nullable=True),
    text("cause", "Main cause"),
    text("relief", "Relief", nullable=True),
    number("relief_cost_yuan", "Its cost", "yuan", nullable=True),
    number("relief_yuan_per_year", "Its cost a year: wages, purchases spread over their lives", "yuan", nullable=True),
)  # fmt: skip
RELIEF = run_file(
    "relief.csv",
    "What more of a resource would avoid, lived again with the same luck",
    "scenario year site_id resource units",
    SCENARIO, YEAR, SITE,
    text("resource", "Resource", allowed=RESOURCES),
    whole("units", "Units more"),
    *interval("harm_avoided", "Harm avoided", "weighted pupil-day"),
    number("cost_yuan", "Cost of the units; null: no price is known", "yuan", nullable=True),
    whole("order", "Order of purchase, best harm avoided per yuan a year first", low=1),
    number("cost_yuan_per_year", "Cost of the units a year: wages, and purchases spread over their lives", "yuan",
           nullable=True),
    text("moves_to", "Where most of the harm went that is new, as site/resource; null: nowhere", nullable=True),
    number("harm_moved_mean", "How much harm is new there", "weighted pupil-day", nullable=True),
)  # fmt: skip
RELIEVED = run_file(
    "relieved.parquet",
    "By how much harm fell, in the year lived again, with more of what is short; relief.csv is made from it",
    "scenario replication year site_id resource units at_site_id at_resource",
    SCENARIO, REPLICATION, YEAR, SITE,
    text("resource", "Resource that is short", allowed=RESOURCES),
    whole("units", "Units more"),
    text("at_site_id", "Site at which harm changed"),
    text("at_resource", "Resource whose shortage harms less there", allowed=RESOURCES),
    number("severity", "By how much harm fell; negative: it rose", "weighted pupil-day", low=None),
)  # fmt: skip
BOUGHT = run_file(
    "bought.parquet",
    "What would have to be bought until limits hold, as found by living it; purchases.csv is made from it",
    "scenario order",
    SCENARIO,
    whole("order", "Order of purchase", low=1),
    YEAR, SITE,
    text("resource", "Of what there is more", allowed=RESOURCES),
    whole("units", "Units more"),
    number("harm_avoided", "Harm spared there in all years", "weighted pupil-day", low=None),
)  # fmt: skip
HARM_LEFT = run_file(
    "harm_left.parquet",
    "Harm in the whole county with the first purchases of the list, lived together",
    "scenario order replication year",
    SCENARIO,
    whole("order", "Purchases made: the first so many of the list; 0: none"),
    REPLICATION, YEAR,
    number("severity", "Weighted harm", "weighted pupil-day"),
)  # fmt: skip
PURCHASES = run_file(
    "purchases.csv",
    "What to buy until limits hold, what spares most harm per yuan a year first",
    "scenario order",
    SCENARIO,
    whole("order", "Order of purchase, by the prices it was found with", low=1),
    YEAR, SITE,
    text("site_name", "Name of the site"),
    text("resource", "Of what there is more", allowed=RESOURCES),
    text("relief", "One unit of it in words"),
    whole("units", "Units to buy"),
    number("cost_yuan", "Cost of these units; of staff a year's wages", "yuan"),
    number("cost_so_far_yuan", "Cost of all up to here", "yuan"),
    number("cost_yuan_per_year", "Cost of these units a year: wages, purchases spread over their lives", "yuan"),
    number("cost_so_far_yuan_per_year", "Cost a year of all up to here", "yuan"),
    number("harm_avoided", "Harm spared at the site, mean of a year", "weighted pupil-day", low=None),
    *interval("harm_left", "Harm left in the county in a year, all up to here lived together", "weighted pupil-day"),
)  # fmt: skip
QUANTITIES = run_file(
    "quantities.parquet",
    "How much of everything a year takes, from the plan and the days lived; prices and shares turn it into the ledger",
    "scenario replication year site_id item",
    SCENARIO,
    whole("replication", "Replication; null: planned, the same in all", nullable=True),
    YEAR, SITE,
    text("item", "What is counted; named as the account that charges it, unless several do"),
    number("quantity", "How much"),
    text("unit", "Unit of the quantity"),
)  # fmt: skip
LEDGER = run_file(
    "ledger.parquet",
    "Every amount of money: quantity x unit price x share",
    "scenario replication year site_id account nature payer payee",
    SCENARIO, REPLICATION, YEAR, SITE,
    text("account", "What for"),
    text("nature", "Kind of amount", allowed=("capital", "recurrent", "transfer", "income")),
    text("payer", "Who pays", allowed=("county", "upper", "family", "outside")),
    text("payee", "Who is paid", allowed=("county", "upper", "family", "outside")),
    number("quantity", "Quantity", low=None),
    text("unit", "Unit of the quantity"),
    number("unit_price_yuan", "Price of one unit, constant prices", "yuan", low=None),
    number("share", "Share of the amount that this payer bears", "share", low=None),
    number("amount_yuan", "quantity x unit_price_yuan x share, to the fen; costs positive", "yuan", low=None),
)  # fmt: skip
VERDICTS = run_file(
    "verdicts.csv",
    "Measures against limits",
    "scenario year site_id limit measure",
    SCENARIO, YEAR, SITE,
    text("limit", "Standard"),
    text("measure", "What is measured"),
    text("sense", "Sense of the limit", allowed=("at_most", "at_least")),
    *interval("value", "Measured value", ""),
    number("limit_value", "Value of the limit", low=None),
    number("p_breach", "Chance of breach", "share", high=1, nullable=True),
    number("p_low", "Low end of its 95 % interval", "share", high=1, nullable=True),
    number("p_high", "High end of its 95 % interval", "share", high=1, nullable=True),
    number("margin", "Distance to the limit; positive: inside", low=None, nullable=True),
    text("unit", "Unit"),
    text("source", "Source of the limit"),
)  # fmt: skip
EVENTS = run_file(
    "events/*.parquet",
    "Everything that happened on a day that was kept (`study.keep_events`), sorted by minute",
    "event who",
    number("minute", "When; midnight for what holds all day", "minute after midnight"),
    text("event", "What happened: one of the kinds listed below"),
    text("who", "To whom: pupil, stop, run, bus, school, visit, half of the day"),
    number("value", "Value or code, as the kind says; null when there is only the minute", nullable=True),
)  # fmt: skip
RUN_TABLES: tuple[Table, ...] = (
    ENROLMENT, FORECAST_CHECK, CLOSURES, GROUNDS_OF_DECISIONS, SCHOOL_PLANS, CAMPUSES, PLACES, UNPLACED, ALTERNATIVES,
    RUNS, POSTS, CLASS_PLACES, DAYS, MEASURES, ANNUAL, SPREAD, RESOURCES_TABLE, HARM,
    BOTTLENECKS, RELIEF, RELIEVED, BOUGHT, HARM_LEFT, PURCHASES, QUANTITIES, LEDGER, VERDICTS, EVENTS,
)  # fmt: skip
