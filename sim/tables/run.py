"""The tables of a run's folder: what a study writes for the stages that follow and for people."""

from __future__ import annotations

from sim.tables.column import Column, Table, number, text, whole
from sim.tables.county import DAY_TYPES

MODES = ("walk", "family", "line_bus", "school_bus", "lodge", "none")
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

SCENARIO = text("scenario", "Scenario: a set of choices")
REPLICATION = whole("replication", "Replication: a draw of luck, from 0")
YEAR = whole("year", "School year, named by its autumn", "year")
SITE = text("site_id", "School, or `county`")
GRADE = whole("grade", "Grade", "grade", low=1, high=9)


def _interval(stem: str, meaning: str, unit: str) -> tuple[Column, Column, Column]:
    stem = f"{stem}_" if stem else ""
    return (
        number(f"{stem}mean", f"{meaning}: mean over replications", unit, low=None, nullable=True),
        number(f"{stem}low", f"{meaning}: low end of the 95 % interval", unit, low=None, nullable=True),
        number(f"{stem}high", f"{meaning}: high end of the 95 % interval", unit, low=None, nullable=True),
    )


def _file(name: str, meaning: str, key: str, *columns: Column) -> Table:
    return Table(name, meaning, columns, tuple(key.split()))


ENROLMENT = _file(
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
CLOSURES = _file(
    "closures.csv",
    "Decision about every school that met a closing rule",
    "scenario year school_id",
    SCENARIO, YEAR,
    text("school_id", "School"),
    text("decision", "Decision", allowed=("close", "keep", "reopen")),
    text("condition_failed", "Condition that keeps it open", nullable=True),
    number("shortfall", "By how much the condition fails", nullable=True),
    text("unit", "Unit of the shortfall", nullable=True),
    text("cheapest_relief", "Cheapest way to meet the condition", nullable=True),
    number("relief_cost_yuan", "Its cost", "yuan", nullable=True),
    number("keep_cost_yuan_per_year", "Cost of keeping the school", "yuan/year", nullable=True),
)  # fmt: skip
PLACES = _file(
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
UNPLACED = _file(
    "unplaced.csv",
    "Pupils without a place, and what stops it",
    "scenario year hamlet_id grade",
    SCENARIO, YEAR,
    text("hamlet_id", "Home"),
    GRADE,
    number("pupils", "Pupils", "pupil"),
    text("constraint", "What stops a place"),
    number("shortfall", "By how much", nullable=True),
    text("relief", "Cheapest relief", nullable=True),
)  # fmt: skip
RUNS = _file(
    "runs.parquet",
    "Timetable of every bus: one row per stop",
    "scenario year run_id seq",
    SCENARIO, YEAR,
    text("run_id", "One trip of a bus to or from one school"),
    text("duty_id", "All runs of a bus in a day", nullable=True),
    text("bus_id", "Bus; null when no bus could", nullable=True),
    text("service", "Who rides", allowed=("school", "lodger", "empty")),
    text("direction", "To school or home", allowed=("in", "out")),
    text("days", "Days it runs", allowed=("mon_fri", "mon", "fri")),
    text("school_id", "School"),
    whole("seq", "Order of the stop in the run"),
    text("stop_id", "Stop: hamlet or school"),
    number("arrive_min", "Arrival", "minute after midnight", nullable=True),
    number("depart_min", "Departure", "minute after midnight", nullable=True),
    number("km", "Leg into this stop", "km"),
    number("embark", "Pupils who get on", "pupil"),
    number("alight", "Pupils who get off", "pupil"),
    number("load_after", "Pupils aboard when leaving", "pupil"),
    whole("seats", "Seats for pupils", "seat"),
)  # fmt: skip
POSTS = _file(
    "posts.csv",
    "Staff posts by norm, and who fills them",
    "scenario year site_id post from_school_id",
    SCENARIO, YEAR, SITE,
    text("post", "Post"),
    number("needed", "Posts by norm", "person"),
    number("filled", "Posts filled", "person"),
    text("from_school_id", "School the staff come from; null: own or hired", nullable=True),
)  # fmt: skip
FORECAST_CHECK = _file(
    "forecast_check.csv",
    "How the forecast made a year ago, from the history without its last year, stands against that year's rolls",
    "scenario year area_id",
    SCENARIO, YEAR,
    text("area_id", "Township, or `county`: all of them"),
    text("rates", "Rates behind it: assumed, estimated from history, or assumed as history was too short",
         allowed=("assumed", "estimated", "too_short")),
    whole("pupils", "Pupils on the roll of the year", "pupil"),
    number("forecast_pupils", "Pupils forecast a year before", "pupil"),
    number("low_80_pupils", "Low end of the forecast's 80 % interval", "pupil"),
    number("high_80_pupils", "High end of the forecast's 80 % interval", "pupil"),
    number("low_95_pupils", "Low end of the forecast's 95 % interval", "pupil"),
    number("high_95_pupils", "High end of the forecast's 95 % interval", "pupil"),
    whole("last_pupils", "Pupils on the roll a year before: the flat forecast", "pupil"),
    number("error_share", "Forecast less roll, as a share of the roll; null without pupils", "share", low=None,
           nullable=True),
)  # fmt: skip
MEASURES = _file(
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
DAYS = _file(
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
ANNUAL = _file(
    "annual.parquet",
    "What was measured, by year: the weeks lived stand for all weeks of the year",
    "scenario replication year site_id measure",
    SCENARIO, REPLICATION, YEAR, SITE,
    text("measure", "What is measured"),
    number("value", "Its value: the year's total, the weighted mean of the weeks, or the largest week lived", low=None),
)  # fmt: skip
SPREAD = _file(
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
RESOURCES_TABLE = _file(
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
HARM = _file(
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
BOTTLENECKS = _file(
    "bottlenecks.csv",
    "Resources whose shortage harms pupils, worst first",
    "scenario year site_id resource",
    SCENARIO, YEAR,
    whole("rank", "Rank by severity, from 1", low=1),
    SITE,
    text("site_name", "Name of the site"),
    text("resource", "Resource", allowed=RESOURCES),
    number("severity", "Weighted harm", "weighted pupil-day"),
    *_interval("pupil_days_harmed", "Pupils harmed times days", "pupil-day"),
    number("p_breach", "Chance of breaching the limit", "share", high=1, nullable=True),
    whole("first_year_breached", "First year of breach; null: never", "year", nullable=True),
    text("cause", "Main cause"),
    text("relief", "Relief", nullable=True),
    number("relief_cost_yuan", "Its cost", "yuan", nullable=True),
)  # fmt: skip
RELIEF = _file(
    "relief.csv",
    "What more of a resource would avoid, lived again with the same luck",
    "scenario year site_id resource units",
    SCENARIO, YEAR, SITE,
    text("resource", "Resource", allowed=RESOURCES),
    whole("units", "Units more"),
    *_interval("harm_avoided", "Harm avoided", "weighted pupil-day"),
    number("cost_yuan", "Cost of the units", "yuan"),
    whole("order", "Order of purchase, best harm avoided per yuan first", low=1),
)  # fmt: skip
LEDGER = _file(
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
VERDICTS = _file(
    "verdicts.csv",
    "Measures against limits",
    "scenario year site_id limit measure",
    SCENARIO, YEAR, SITE,
    text("limit", "Standard"),
    text("measure", "What is measured"),
    text("sense", "Sense of the limit", allowed=("at_most", "at_least")),
    *_interval("value", "Measured value", ""),
    number("limit_value", "Value of the limit", low=None),
    number("p_breach", "Chance of breach", "share", high=1, nullable=True),
    number("p_low", "Low end of its 95 % interval", "share", high=1, nullable=True),
    number("p_high", "High end of its 95 % interval", "share", high=1, nullable=True),
    number("margin", "Distance to the limit; positive: inside", low=None, nullable=True),
    text("unit", "Unit"),
    text("source", "Source of the limit"),
)  # fmt: skip
BUDGET = _file(
    "budget.csv",
    "The ledger added up by year, account and payer, with its spread over replications; lines named total add up",
    "scenario year account nature payer",
    SCENARIO, YEAR,
    text("account", "What is paid for; total: everything, earmarked transfers left out"),
    text("nature", "Nature of the money; all: together", allowed=("capital", "recurrent", "transfer", "income", "all")),
    text("payer", "Who pays; all: together", allowed=("county", "upper", "family", "outside", "all")),
    number("mean", "Cash of the year: mean over replications", "yuan", low=None),
    number("low", "Low end of its 95 % interval", "yuan", low=None, nullable=True),
    number("high", "High end of its 95 % interval", "yuan", low=None, nullable=True),
    number("p50", "Median over replications", "yuan", low=None),
    number("p80", "80 % quantile over replications", "yuan", low=None),
    number("p95", "95 % quantile over replications", "yuan", low=None),
    number("annualised", "Mean with purchases spread over their lives", "yuan", low=None),
    number("npv", "Mean discounted to the first year", "yuan", low=None),
    number("nominal", "Mean in the prices of the year", "yuan", low=None),
    whole("replications", "Replications behind it", low=1),
)  # fmt: skip
EVENTS = _file(
    "events/*.parquet",
    "Everything that happened on a day that was kept (`study.keep_events`), sorted by minute",
    "event who",
    number("minute", "When; midnight for what holds all day", "minute after midnight"),
    text("event", "What happened: one of the kinds listed below"),
    text("who", "To whom: pupil, stop, run, bus, school, visit, half of the day"),
    number("value", "Value or code, as the kind says; null when there is only the minute", nullable=True),
)  # fmt: skip
SUMMARY = _file(
    "summary.parquet",
    "A sweep: measures of each scenario and paired differences to the first",
    "scenario measure",
    SCENARIO,
    text("measure", "What is compared"),
    *_interval("", "Value", ""),
    *_interval("diff", "Difference to the first scenario, paired", ""),
    whole("replications", "Replications behind it", low=1),
)  # fmt: skip

RUN_TABLES: tuple[Table, ...] = (
    ENROLMENT, CLOSURES, PLACES, UNPLACED, RUNS, POSTS, DAYS, MEASURES, ANNUAL, SPREAD, RESOURCES_TABLE, HARM,
    FORECAST_CHECK, BOTTLENECKS, RELIEF, LEDGER, BUDGET, VERDICTS, SUMMARY, EVENTS,
)  # fmt: skip
