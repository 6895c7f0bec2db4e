"""The table of a choice among plans."""

from __future__ import annotations

from sim.tables.closing import SCENARIO, interval, run_file
from sim.tables.column import Table, number, text, whole

STATUS = (
    "best", "indistinguishable", "near_optimal", "worse", "undecided", "infeasible", "screened_out", "failed",
)  # fmt: skip
"""What may become of a plan, the best first."""
STAGES = ("screen", "race", "confirm")

CHOICE = run_file(
    "choice.csv",
    "A choice (`python -m sim choose`): every plan, what it costs, how likely its limits hold, and what became of it. "
    "best: cheapest of those whose limits hold; indistinguishable: may cost so little more that it does not matter; "
    "near_optimal: costs little more; worse: costs more; undecided: whether its limits hold could not be told; "
    "infeasible: they do not, in all years; screened_out: they do not, in the first years; failed: could not be lived",
    "scenario",
    SCENARIO,
    text("settings", "What is swept, and its values", nullable=True),
    text("status", "What became of the plan", allowed=STATUS),
    whole("alternative", "Number among the clearly different near-optimal plans; null: not one of them", low=1,
          nullable=True),
    text("stage", "Stage that the costs and chances are from; confirm: fresh luck; null: never lived", allowed=STAGES,
         nullable=True),
    whole("years", "First years that they are from", "year"),
    whole("replications", "Replications (futures) that they are from"),
    *interval("cost", "Cost of a year (`choose.objective`)", "yuan/year"),
    *interval("diff", "What it costs more than the best, paired in the race; for all plans together", "yuan/year"),
    number("chance", "Share of the futures in which the limits hold", "share", high=1, nullable=True),
    number("chance_low", "Low end of its 95 % interval (Clopper-Pearson)", "share", high=1, nullable=True),
    number("chance_high", "High end of its 95 % interval", "share", high=1, nullable=True),
    number("years_kept", "Share of the years in which all limits are kept", "share", high=1, nullable=True),
    text("weakest", "Limit that is broken in most years; null: none is ever broken", nullable=True),
    number("weakest_broken", "Share of the years in which it is broken", "share", high=1, nullable=True),
    number("weakest_beyond", "How far it is broken in these years, mean: share of the limit (of 1 where that is 0), or "
           "of the schools (`choose.schools_share`)", "share", nullable=True),
)  # fmt: skip

CHOICE_TABLES: tuple[Table, ...] = (CHOICE,)
