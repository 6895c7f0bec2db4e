"""What does a bad week do to a county whose small schools are closed?

    python experiments/06_weather_and_stress.py

Question   Ice, flu, a cut road, a kitchen that fails, no water, drivers who are ill, all at once: which of them harms
           most pupils, and of which should the county have a plan?
Design     configs/experiment/06_weather_and_stress.yaml: each stress pack against the same year without it, with the
           same luck; the weeks that any pack strikes are lived in all of them; the plan of 2023, its first year, 20
           times.
Measures   What a pack adds in the year: pupil-days harmed, left behind, late, meals missed; paired differences.
Would change our mind: a pack whose interval holds zero is no threat by itself.
Answer     experiments/06_weather_and_stress/answer.md
"""

from __future__ import annotations

import sys

import pandas as pd
from matplotlib.figure import Figure
from study import LABELS, Live, Study, compared, whiskers

from sim.tell.style import canvas, with_thousands

TITLE = "What a bad week adds to a year"
MEASURES = ("pupil_days_harmed", "pupils_left_behind", "late_pupils", "meals_unserved")


def table(live: Live) -> pd.DataFrame:
    """Return the measures of each pack, and what it adds to a year in which nothing goes wrong on purpose."""
    data = compared(live(), MEASURES, stress=lambda one: one.stress.name)
    return data[data["stress"] != "none"]


def draw(data: pd.DataFrame) -> Figure:
    """Draw what each pack adds, worst first."""
    figure, axes = canvas(4.6, 2, 2, sharey=True)
    first = data[data["measure"] == MEASURES[0]].sort_values("diff_mean")
    for measure, part in zip(MEASURES, axes.flat, strict=True):
        rows = data[data["measure"] == measure].set_index("stress").loc[first["stress"]]
        whiskers(part, range(len(rows)), rows, of="diff_", along="y")
        part.set_yticks(range(len(rows)), rows.index.str.replace("_", " "))
        part.set(xlabel=f"more {LABELS[measure]}")
        part.xaxis.grid(visible=True)
        part.xaxis.set_major_formatter(with_thousands)
        part.locator_params(axis="x", nbins=5)
    return figure


STUDY = Study(__file__, TITLE, table, draw, ("stress=none,ice_week",))

if __name__ == "__main__":
    sys.exit(STUDY.main())
