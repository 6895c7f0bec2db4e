"""The tables of a run's folder about families: how groups of pupils got to school before, and what that costs."""

from __future__ import annotations

from sim.tables.closing import MODES, SCENARIO, YEAR, run_file
from sim.tables.column import Column, Table, number, text, whole

LEVELS = ("grades_1_3", "grades_4_6", "junior")
YES_NO = ("yes", "no")
GROUP_KEY = ("level", "hardship", "left_behind", "moved", "mode_before", "mode_after")
"""What tells groups of pupils apart."""
_KEY = " ".join(("scenario", "year", *GROUP_KEY))

_GROUP: tuple[Column, ...] = (
    SCENARIO, YEAR,
    text("level", "Level of the grades", allowed=LEVELS),
    text("hardship", "Whether the families are in hardship", allowed=YES_NO),
    text("left_behind", "Whether the parents work elsewhere", allowed=YES_NO),
    text("moved", "Whether another school receives them because schools closed", allowed=YES_NO),
    text("mode_before", "Way to school if no school closed", allowed=MODES),
    text("mode_after", "Way to school as planned", allowed=MODES),
    number("pupils", "Pupils expected (mean forecast)", "pupil"),
)  # fmt: skip
FAMILY_PUPILS = run_file(
    "family_pupils.csv",
    "Pupils expected by group: how they get to school as planned, and how they would if no school closed",
    _KEY,
    *_GROUP,
    number("km_before", "Mean way to school by road if no school closed; null without a school", "km", nullable=True),
    number("km_after", "Mean way to school by road as planned; null without a school", "km", nullable=True),
    whole("school_days", "School days of a year", "day"),
    whole("nights", "Nights that a lodger sleeps at school in a year", "night"),
)  # fmt: skip
FAMILY = run_file(
    "family.csv",
    "What school costs families, by group: a pupil's school year if no school closed, and as planned",
    _KEY,
    *_GROUP,
    number("cost_before", "Rides and meals if no school closed", "yuan/pupil/year"),
    number("cost_after", "Rides and meals as planned", "yuan/pupil/year"),
    number("aid_before", "Aid for lunches and in hardship, waived fares too, if no school closed", "yuan/pupil/year"),
    number("aid_after", "The same aid as planned", "yuan/pupil/year"),
    number("rise", "By how much cost less aid is higher as planned", "yuan/pupil/year", low=None),
    number("rise_without_aid", "By how much cost is higher as planned", "yuan/pupil/year", low=None),
    whole("rank", "Rank by rise within the year, from 1: where it rises most", low=1),
)  # fmt: skip

FAMILY_TABLES: tuple[Table, ...] = (FAMILY_PUPILS, FAMILY)
