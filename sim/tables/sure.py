"""The tables that say how sure a study is: intervals by year, precision reached, scenarios side by side."""

from __future__ import annotations

from sim.tables.closing import SCENARIO, YEAR, interval, run_file
from sim.tables.column import Column, Table, flag, number, text, whole
from sim.tables.run import REPLICATION

CLEAR = 0.05
"""A difference whose adjusted p value is below this is called clear."""
MEASURE = text("measure", "What is measured")


def quantile(percent: int) -> tuple[Column, Column, Column]:
    """Declare a quantile over replications with both ends of its interval."""
    few = "null with too few replications"
    return (
        number(f"p{percent}", f"Quantile of {percent} % over replications", nullable=True),
        number(f"p{percent}_low", f"Low end of its 95 % interval; {few}", nullable=True),
        number(f"p{percent}_high", f"High end of its 95 % interval; {few}", nullable=True),
    )


SAMPLING = number(
    "sampling_half_width",
    "Half the 95 % interval of the mean that comes of living only some weeks; null where that is not known",
    nullable=True,
)
YEARLY = run_file(
    "yearly.csv",
    "Every measure of the whole county by year, with intervals over the replications",
    "scenario year measure",
    SCENARIO, YEAR, MEASURE,
    *interval("", "Value", ""), *quantile(50), *quantile(90),
    whole("replications", "Replications behind it"),
    text("unit", "Unit"),
    SAMPLING,
)  # fmt: skip
PRECISION = run_file(
    "precision.csv",
    "How precise the measures of `study.precision_measures` are; only where `study.precision` asks for it",
    "scenario measure",
    SCENARIO, MEASURE,
    whole("replications", "Replications behind it"),
    number("mean", "Mean over replications and years", nullable=True),
    number("half_width", "Half of its 95 % interval", nullable=True),
    number("relative", "Half-width as a share of the mean; 0 where the measure is always 0", nullable=True),
    number("wanted", "The share asked for: `study.precision`"),
    flag("reached", "It is no more than wanted"),
)  # fmt: skip
HARM_DRIVERS = run_file(
    "harm_drivers.csv",
    "What goes along with harm from one replication to the next (rank correlation, no proof of cause); "
    "no row with fewer than 5 replications",
    "scenario driver",
    SCENARIO,
    text("driver", "Circumstance that is drawn"),
    *interval("correlation", "Correlation of its ranks with those of the pupil-days harmed, within years", ""),
    number("share", "Its square: part of the variance of ranks", "share", high=1),
    whole("replications", "Replications behind it"),
)  # fmt: skip
HEADLINES = run_file(
    "headlines.parquet",
    "Measures of the whole county in the mean of a year, by replication: what scenarios are compared by",
    "scenario replication measure",
    SCENARIO, REPLICATION, MEASURE,
    number("value", "Value", low=None),
)  # fmt: skip
SUMMARY = run_file(
    "summary.parquet",
    "A sweep: measures of each scenario in the mean of a year, and paired differences to the first",
    "scenario measure",
    SCENARIO,
    text("measure", "What is compared"),
    *interval("", "Value", ""),
    *interval("diff", "Difference to the first scenario, paired", ""),
    whole("replications", "Replications behind it", low=1),
    *quantile(50), *quantile(90),
    SAMPLING,
    whole("diff_replications", "Replications that both scenarios have: those behind the difference"),
    number("diff_low_all", "Low end of intervals that hold for all scenarios at once", low=None, nullable=True),
    number("diff_high_all", "High end of intervals that hold for all scenarios at once", low=None, nullable=True),
    number("p_value", "Chance of so large a difference by luck alone, were there none", high=1, nullable=True),
    number("p_adjusted", "The same, among so many comparisons (Holm)", high=1, nullable=True),
    whole("comparisons", "Scenarios whose measure is held against the first"),
    number("crn_gain", "Times wider the difference's interval would be with luck of its own for each", nullable=True),
)  # fmt: skip

SURE_TABLES: tuple[Table, ...] = (YEARLY, PRECISION, HARM_DRIVERS, HEADLINES, SUMMARY)
