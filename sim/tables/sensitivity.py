"""The tables of a study of sensitivity: what was drawn, what came of it, and how much each setting matters."""

from __future__ import annotations

from sim.tables.closing import run_file
from sim.tables.column import Column, number, text, whole

DESIGNS = ("base", "low", "high", "sample", "A", "B", "AB")
OUTPUT = text("output", "Result that is looked at: a measure of summary.parquet")
SETTING = text("setting", "Full key of the uncertain setting")


def _ends(name: str, meaning: str) -> tuple[Column, Column, Column]:
    """Declare a number with both ends of its 95 % interval."""
    return (
        number(name, meaning, low=None, nullable=True),
        number(f"{name}_low", f"{meaning}: low end of the 95 % interval", low=None, nullable=True),
        number(f"{name}_high", f"{meaning}: high end of the 95 % interval", low=None, nullable=True),
    )


EVALUATIONS = run_file(
    "evaluations.parquet",
    "Every evaluation of a study of sensitivity: the settings that were drawn, and what came of it",
    "fingerprint replication name",
    text("evaluation", "Name of the evaluation"),
    text("fingerprint", "What tells evaluations apart: all settings and inputs; what is found here is not lived again"),
    text("design", "base: settings as they stand; low, high: one at its 10 or 90 % quantile; sample: Latin hypercube; "
         "A, B, AB: Saltelli's matrices", allowed=DESIGNS),
    text("changed", "Setting that alone differs from the base (low, high) or from A (AB)", nullable=True),
    whole("sample", "Row of the design"),
    whole("replication", "Replication; null for a setting, which is the same in all", nullable=True),
    text("role", "What the name is of", allowed=("setting", "measure")),
    text("name", "Key of a drawn setting, or a measure"),
    number("value", "Its value, the mean of a year; a factor where the setting is multiplied; a choice by its place, "
           "from 0", low=None, nullable=True),
)  # fmt: skip
INDICES = run_file(
    "indices.csv",
    "Sobol indices: the share of an output's variance that is due to a setting; null when the output never changes",
    "output setting",
    OUTPUT, SETTING,
    *_ends("first", "First-order index: by the setting alone"),
    *_ends("total", "Total index: by the setting, with all it does together with others"),
)  # fmt: skip
COEFFICIENTS = run_file(
    "coefficients.csv",
    "Latin hypercube: standardized regression coefficients of ranks; null when the output never changes",
    "output setting",
    OUTPUT, SETTING,
    *_ends("coefficient", "By how many standard deviations the output's rank rises with one of the setting's"),
    number("explained", "Share of the variance of ranks that all settings together explain by straight lines",
           high=1, nullable=True),
)  # fmt: skip
TORNADO = run_file(
    "tornado.csv",
    "One setting at a time, at its 10 % and at its 90 % quantile: what it changes against the settings as they stand",
    "output setting",
    OUTPUT, SETTING,
    text("low_value", "The setting at its 10 % quantile; x: a factor"),
    text("high_value", "The setting at its 90 % quantile"),
    number("base", "The output with all settings as they stand", low=None, nullable=True),
    *_ends("at_low", "Change of the output with the setting at its 10 % quantile"),
    *_ends("at_high", "Change of the output with the setting at its 90 % quantile"),
)  # fmt: skip
LUCK = run_file(
    "luck.csv",
    "What other luck alone does to an output, all settings as they stand",
    "output",
    OUTPUT,
    number("mean", "Mean over the draws of luck", low=None, nullable=True),
    number("deviation", "Standard deviation over the draws of luck, each a mean over the replications", nullable=True),
    whole("draws", "Draws of luck"),
    *_ends("share", "Variance of luck in proportion to that of all uncertain settings; null without a design"),
)  # fmt: skip
SENSITIVITY_TABLES = (EVALUATIONS, INDICES, COEFFICIENTS, TORNADO, LUCK)
