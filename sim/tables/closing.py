"""The tables of a run's folder about closing and placing, and what all tables of a run share."""

from __future__ import annotations

from sim.tables.column import Column, Table, number, text, whole
from sim.tables.given import OWNERS

MODES = ("walk", "family", "line_bus", "school_bus", "lodge", "none")
REJECTED = (
    "farther", "does_not_receive", "across_town_limits", "other_township", "other_zone", "no_room",
    "room_needed_by_others",
)  # fmt: skip
"""Why pupils do not go to another school."""
GROUNDS = ("size", "named", "listed", "class_place", "ride_or_bed", "meal")
KINDS = "; "
"""Between the kinds of help, where one is not enough."""
SPLIT = ("grades", "nearer", "room")
"""Why pupils of a hamlet go to different schools."""
USES = ("preschool", "activity_centre", "childcare", "left_behind_home", "seniors_room", "public_use")
"""What a closed school's campus may become."""
CAMPUS_STATUS = ("kept", "handed_over", "used", "let", "sold")
WHY_IDLE = ("too_small", "too_few_people", "enough_in_township")
CAMPUS_REASONS = ("first_that_fits", "large_enough_to_let", "long_idle", "being_prepared", *WHY_IDLE)
"""Why a campus is used, let, sold or idle."""

SCENARIO = text("scenario", "Scenario: a set of choices")
YEAR = whole("year", "School year, named by its autumn", "year")
SITE = text("site_id", "School, or `county`")
GRADE = whole("grade", "Grade", "grade", low=1, high=9)

ITEMS = text(
    "relief_items",
    "Its entries in the price list and how many of each: `bed_place 3`, several with `; ` between; null when one has "
    "no price",
    nullable=True,
)


def run_file(name: str, meaning: str, key: str, *columns: Column) -> Table:
    """Declare a table of a run's folder; `key` has the names of its key columns, with spaces between."""
    return Table(name, meaning, columns, tuple(key.split()))


def interval(stem: str, meaning: str, unit: str) -> tuple[Column, Column, Column]:
    """Declare a mean over replications with both ends of its interval."""
    stem = f"{stem}_" if stem else ""
    return (
        number(f"{stem}mean", f"{meaning}: mean over replications", unit, low=None, nullable=True),
        number(f"{stem}low", f"{meaning}: low end of the 95 % interval", unit, low=None, nullable=True),
        number(f"{stem}high", f"{meaning}: high end of the 95 % interval", unit, low=None, nullable=True),
    )


CLOSURES = run_file(
    "closures.csv",
    "Decision about every school that met a closing rule or stands on a list, in the year it changes",
    "scenario year school_id",
    SCENARIO, YEAR,
    text("school_id", "School"),
    text("decision", "Decision", allowed=("close", "keep", "reopen")),
    text("condition_failed", "Condition that is not met; a school may close all the same", nullable=True),
    number("shortfall", "By how much the condition fails", nullable=True),
    text("unit", "Unit of the shortfall", nullable=True),
    text("cheapest_relief", "Cheapest way to meet the condition; see `relief` in grounds.csv", nullable=True),
    number("relief_cost_yuan", "Its cost; see `relief_items` in grounds.csv", "yuan", nullable=True),
    number("pupils", "Pupils expected in that year, were it open", "pupil"),
    number("keep_cost_yuan_per_year", "What keeping it ties up: pay, extra funds", "yuan/year", nullable=True),
)  # fmt: skip
GROUNDS_OF_DECISIONS = run_file(
    "grounds.csv",
    "What each decision of closures.csv rests on: the rules that name the school (`size`: under a threshold; `named`: "
    "closure.named; `listed`: the county's closures.csv), and every condition, unless the hearing says no",
    "scenario year school_id ground",
    SCENARIO, YEAR,
    text("school_id", "School"),
    text("ground", "Rule or condition", allowed=GROUNDS),
    whole("since", "Rules: first school year in which it names the school", "year", nullable=True),
    whole("required", "1: the school closes only with it", low=0, high=1),
    whole("met", "1: it holds for every pupil", low=0, high=1),
    number("value", "`size`: pupils expected in that year; conditions: by how much it fails", nullable=True),
    number("limit", "`size`: the threshold", "pupil", nullable=True),
    text("unit", "Unit of the value", nullable=True),
    text("relief", "Cheapest way to meet the condition; several kinds of help stand with `; ` between", nullable=True),
    whole("relief_units", "How many of it are needed, of all kinds together", nullable=True),
    ITEMS,
    number("relief_cost_yuan", "Its cost at the central prices", "yuan", nullable=True),
)  # fmt: skip
SCHOOL_PLANS = run_file(
    "school_plans.csv",
    "One school, one plan (一校一案): what a decision about a school means for its pupils, hamlet by hamlet. Closing "
    "grade by grade, a school has rows in each year for the grades that go elsewhere from that year on; a school that "
    "stays, for where its pupils would go; one that opens again, for where they come back from",
    "scenario year school_id hamlet_id grades",
    SCENARIO, YEAR,
    text("school_id", "School that closes, is kept or opens again"),
    text("hamlet_id", "Home"),
    text("grades", "Grades that go to the same school"),
    number("pupils", "Pupils expected", "pupil"),
    text("to_school_id", "School they go to, or would go to; null when there is none", nullable=True),
    number("km_before", "Way to the school by road", "km"),
    number("minutes_before", "The same way by car or bus", "minute"),
    number("km", "Way to the other school by road", "km", nullable=True),
    number("minutes", "The same way by car or bus", "minute", nullable=True),
    *(number(mode, f"Share who go by this way: {mode}", "share", high=1) for mode in MODES[:-1]),
    text("stop_id", "Home at whose stop they board the school bus; null: nobody does so far", nullable=True),
    number("stop_km", "Walk to that stop from their own, by road", "km", nullable=True),
    text("verdict", "What is decided, and why"),
    text("split", "Why pupils of the hamlet go to different schools; null: all to one", allowed=SPLIT, nullable=True),
    *(column for n in (1, 2) for column in (
        text(f"alternative_{n}", "Nearest other school with these grades", nullable=True),
        number(f"alternative_{n}_minutes", "Way to it by car or bus", "minute", nullable=True),
        text(f"alternative_{n}_reason", "Why it was not chosen", allowed=REJECTED, nullable=True),
    )),
)  # fmt: skip
CAMPUSES = run_file(
    "campuses.csv",
    "Register of the campuses of closed schools; a school that opens again leaves it",
    "scenario year school_id",
    SCENARIO, YEAR,
    text("school_id", "School that is closed"),
    whole("year_closed", "School year in which it closed", "year"),
    number("area_m2", "Floor area of its buildings", "m2"),
    text("owner", "Who owns it", allowed=(*OWNERS, "buyer")),
    text("use", "What it becomes; null: no use takes it", allowed=USES, nullable=True),
    text("status", "kept: idle, still with its owner; handed_over: idle, with the county's own company; used: the use "
         "has begun; let; sold", allowed=CAMPUS_STATUS),
    text("reason", "first_that_fits: of the uses in order, the first for which it is large enough, enough people would "
         "come and the township has room; large_enough_to_let: no use takes it; long_idle: nor is it let; "
         "being_prepared: its use or lease begins later; too_small: for every use; too_few_people: would come; "
         "enough_in_township: it has all the uses that would do", allowed=CAMPUS_REASONS),
    text("source", "Where area and owner come from: the source in the county's campuses.csv, or `assumed`"),
)  # fmt: skip
UNPLACED = run_file(
    "unplaced.csv",
    "Pupils without a place within the limits, and what stops it (`assign.refused`: where they go all the same)",
    "scenario year hamlet_id grade",
    SCENARIO, YEAR,
    text("hamlet_id", "Home"),
    GRADE,
    number("pupils", "Pupils", "pupil"),
    text("constraint", "What stops a place"),
    number("shortfall", "By how much: `ride` in minutes, else places, beds, meals or pupils", nullable=True),
    text("relief", "Cheapest relief", nullable=True),
    ITEMS,
    number("relief_cost_yuan", "Its cost at the central prices", "yuan", nullable=True),
)  # fmt: skip
ALTERNATIVES = run_file(
    "alternatives.csv",
    "Pupils who go elsewhere in other assignments that are nearly as good (`assign.alternatives`)",
    "scenario year alternative hamlet_id grade",
    SCENARIO, YEAR,
    whole("alternative", "Number of the alternative, from 1", low=1),
    text("hamlet_id", "Home"),
    GRADE,
    number("pupils", "Pupils expected", "pupil"),
    text("school_id", "School in the alternative; null when unplaced", nullable=True),
    number("minutes", "Way to it by car or bus", "minute", nullable=True),
    text("instead_of", "School in the best assignment of whole hamlets; null when unplaced", nullable=True),
    number("worse_by", "Share by which the ways of all who have a choice are longer", "share", low=None),
    number("pupils_elsewhere", "Pupils of the alternative who go elsewhere, in all", "pupil"),
)  # fmt: skip
