"""Tables of a run's folder about plans of bus runs: limits they do not keep, what they need, bells that were tried."""

from __future__ import annotations

from sim.tables.closing import SCENARIO, YEAR, run_file
from sim.tables.column import Table, flag, number, text, whole

PLANS = ("given", "planned", "improved")
RUN_LIMITS = (
    "seats", "ride", "arrive_early", "arrive_late", "depart_early", "depart_late", "turnaround", "speed", "empty_stop",
    "no_stop", "too_few_places", "no_bus", "school_closed", "attendant_seat", "bus_kind", "rated_most",
)  # fmt: skip
"""Limits that a plan of bus runs is held against."""

VIOLATIONS = run_file(
    "violations.csv",
    "Limits that a plan of bus runs does not keep, in a day as planned: that of the county (given) and ours",
    "scenario year plan limit run_id bus_id school_id stop_id",
    SCENARIO, YEAR,
    text("plan", "Whose plan", allowed=PLANS),
    text("limit", "What is not kept", allowed=RUN_LIMITS),
    text("run_id", "Run; null: none comes", nullable=True),
    text("bus_id", "Bus; null: none", nullable=True),
    text("school_id", "School", nullable=True),
    text("stop_id", "Stop, or the hamlet without one", nullable=True),
    number("value", "What the plan has", low=None),
    number("limit_value", "What it should have", low=None),
    text("unit", "Unit of both"),
    number("excess", "Difference; how far it is beyond the limit"),
)  # fmt: skip
SCORE = run_file(
    "score.csv",
    "What plans of bus runs need and give: that of the county (given) and ours",
    "scenario year plan measure",
    SCENARIO, YEAR,
    text("plan", "Whose plan", allowed=PLANS),
    flag("lived", "1: this plan was lived"),
    text("measure", "What is compared; violations_<limit>: how many"),
    number("value", "Its value"),
    text("unit", "Its unit"),
)  # fmt: skip
BELLS = run_file(
    "bells.csv",
    "First bells that were tried within `bells.windows`, and the buses they need",
    "scenario primary_first_min junior_first_min",
    SCENARIO,
    whole("year", "School year that was planned for: the one with the most riders", "year"),
    number("primary_first_min", "First lesson of grades 1 to 6", "minute after midnight"),
    number("junior_first_min", "First lesson of grades 7 to 9", "minute after midnight"),
    whole("buses", "Buses the duties need", "bus"),
    flag("chosen", "1: these bells were lived"),
)  # fmt: skip

SERVICE_TABLES: tuple[Table, ...] = (VIOLATIONS, SCORE, BELLS)
