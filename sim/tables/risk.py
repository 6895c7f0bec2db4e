"""The tables that tell risks: for which groups it is worst, how bad it may get, what will stand idle."""

from __future__ import annotations

from sim.tables.closing import SCENARIO, SITE, YEAR, interval, run_file
from sim.tables.column import number, text, whole
from sim.tables.run import HARM_KINDS, REPLICATION

BANDS = ("1-3", "4-6", "7-9")
ALL_GRADES = "all"
GROUPINGS = ("hamlet", "distance_km", "grades", "sex", "hardship", "left_behind")
OF_HAMLETS = ("pupils", "pupil_days", "harmed", "left_behind", "no_bed", "journeys", "journey_min", "journeys_long")
"""What is told of every home and its grades, too."""
OF_GROUPS = (*dict.fromkeys((*OF_HAMLETS, *(kind for kind in HARM_KINDS if kind != "class_too_big"))),)
STRANDED = ("bus", "bed_girls", "bed_boys", "canteen_seat", "classroom_seat")

GROUPS = run_file(
    "groups.parquet",
    "What groups of pupils lived in a year; nothing is 0",
    "scenario replication year by group grade_band measure",
    SCENARIO, REPLICATION, YEAR,
    text("by", "What tells pupils apart; left_behind: parents work elsewhere", allowed=GROUPINGS),
    text("group", "Group: a hamlet, km by road from home to school, grades, f or m, yes or no"),
    text("grade_band", "Grades; of hamlets alone", allowed=(*BANDS, ALL_GRADES)),
    text("measure", "What is counted; harmed: in any way, once a day; long journeys: over the limit of the grades",
         allowed=OF_GROUPS),
    number("value", "Pupils; pupil-days; journeys to school and their minutes: weighted annual totals"),
)  # fmt: skip
EQUITY = run_file(
    "equity.csv",
    "How groups of pupils fare, each beside all pupils, in the mean over the years",
    "scenario by group measure",
    SCENARIO,
    text("by", "What tells pupils apart; left_behind: parents work elsewhere", allowed=GROUPINGS[1:]),
    text("group", "Group"),
    text("measure", "What is told of it"),
    number("pupils", "Pupils of the group, mean of a year", "pupil"),
    *interval("value", "Value", ""),
    *interval("gap", "By how much it is more than that of all pupils, replication by replication", ""),
    text("unit", "Unit of value and gap"),
)  # fmt: skip
WARNINGS = run_file(
    "warnings.csv",
    "Groups of pupils in danger of giving up school: several signs at once; no forecast of how many will",
    "scenario year hamlet_id grade_band",
    SCENARIO, YEAR,
    text("hamlet_id", "Home"),
    text("grade_band", "Grades", allowed=BANDS),
    number("pupils", "Pupils, mean over replications", "pupil"),
    *interval("journey_min", "Door to school, mean of those who come from home", "minute"),
    *interval("long_way_share", "Share of journeys over the limit of the grades", "share"),
    *interval("no_bed_share", "Pupil-days without the bed asked for, share of all", "share"),
    number("transfers", "Changes of school by the plan in a school life so far, mean of its pupils"),
    number("hardship_share", "Share of pupils from families in hardship", "share", high=1),
    text("signs", "Signs over their thresholds: long_way, no_bed, transfers, hardship"),
    whole("count", "How many signs", high=4),
    number("chance", "Share of replications with as many signs as make a warning", "share", high=1),
    text("warned", "Whether there are as many in the mean", allowed=("yes", "no")),
)  # fmt: skip
EXCEEDANCE = run_file(
    "exceedance.csv",
    "How likely a year is worse than so much",
    "scenario year measure value",
    SCENARIO, YEAR,
    text("measure", "What is measured, of the whole county"),
    number("value", "So much", low=None),
    number("p", "Share of replications with more", "share", high=1),
    number("p_low", "Low end of its 95 % interval", "share", high=1, nullable=True),
    number("p_high", "High end of its 95 % interval", "share", high=1, nullable=True),
    text("unit", "Unit of `value`"),
)  # fmt: skip
COST_EXCEEDANCE = run_file(
    "cost_exceedance.csv",
    "How likely a year costs more than so much, all payers together",
    "scenario year measure value",
    *EXCEEDANCE.columns,
)  # fmt: skip
TAILS = run_file(
    "tails.csv",
    "How bad bad years are: the mean of the worst replications of a year",
    "scenario year measure",
    SCENARIO, YEAR,
    text("measure", "What is measured, of the whole county"),
    number("mean", "Mean of all replications", low=None),
    number("tail_share", "Share of replications that is the tail (`judge.tail_share`)", "share", high=1),
    whole("tail_replications", "Replications in the tail, the share rounded up"),
    number("tail_mean", "Mean of the worst of them", low=None),
    number("tail_low", "Low end of its 95 % interval; null with fewer than 100 replications", low=None, nullable=True),
    number("tail_high", "High end of its 95 % interval", low=None, nullable=True),
    text("unit", "Unit"),
)  # fmt: skip
STRANDED_CAPACITY = run_file(
    "stranded.csv",
    "What stands idle even at the busiest hour of the year, as births fall",
    "scenario year site_id resource",
    SCENARIO, YEAR, SITE,
    text("resource", "Resource; buses belong to the county", allowed=STRANDED),
    number("capacity", "How much there is, mean over replications"),
    *interval("idle", "How much of it is never asked for over simulated days", ""),
    number("idle_share", "Idle part of what there is", "share", high=1, nullable=True),
    text("unit", "Unit"),
)  # fmt: skip
RISK_TABLES = (GROUPS, EQUITY, WARNINGS, EXCEEDANCE, COST_EXCEEDANCE, TAILS, STRANDED_CAPACITY)
