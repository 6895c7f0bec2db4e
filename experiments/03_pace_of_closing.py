"""How fast should small schools close?

    python experiments/03_pace_of_closing.py

Question   Not at all, as the plan of 2023 says, every school that falls under 30 pupils, or all under 100 from 2025:
           what does each do to pupils and to the purse, against not closing?
Design     configs/experiment/03_pace_of_closing.yaml: four ways of closing, ten years, the same luck; the first, no
           closing, is what the others are held against, replication by replication.
Measures   Harm weighed, mean ride, rides that 95 of 100 do not exceed, buses, cost in a year; differences to not
           closing.
Would change our mind: a net cost whose interval holds zero, or harm that rises with no saving.
Answer     experiments/03_pace_of_closing/answer.md
"""

from __future__ import annotations

import sys

import pandas as pd
from matplotlib.figure import Figure
from study import LABELS, Live, Study, compared, whiskers

from sim.tell.style import canvas

TITLE = "Ways of closing: harm, ride and cost"
MEASURES = ("severity", "ride_min_mean", "ride_min_p95", "pupils_left_behind", "buses_owned", "cost_yuan_per_year")


def table(live: Live) -> pd.DataFrame:
    """Return the measures of every way of closing, and their differences to not closing."""
    return compared(live(), MEASURES, closure=lambda one: one.closure.name)


def draw(data: pd.DataFrame) -> Figure:
    """Draw each measure by way of closing; of the cost, the difference to not closing."""
    figure, axes = canvas(5.2, 2, 3)
    for measure, part in zip(MEASURES, axes.flat, strict=True):
        rows, net = data[data["measure"] == measure], measure == "cost_yuan_per_year"
        whiskers(part, range(len(rows)), rows, of="diff_" if net else "")
        part.set_xticks(range(len(rows)), rows["closure"].str.replace("_", "\n"))
        part.set_xlim(-0.5, len(rows) - 0.5)
        words, _, unit = LABELS[measure].partition(" (")
        part.set(title="net cost of closing" if net else words, ylabel=unit.rstrip(")") or words)
    return figure


STUDY = Study(__file__, TITLE, table, draw, ("closure=none,plan_2023",))

if __name__ == "__main__":
    sys.exit(STUDY.main())
