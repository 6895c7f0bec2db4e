"""What will stand empty when births fall?

    python experiments/05_births.py

Question   Beds, canteen seats, class places and places in town are built for today's pupils. How many are idle in
           each year under low, medium and high births, and what is safe to build?
Design     configs/experiment/05_births.yaml: three series of births, the plan of 2023, 15 years, ten replications
           each with its own births around the series.
Measures   Idle in a year, the highest demand of the year taken off: beds, canteen seats (one sitting), class places
           outside the town, places in town schools.
Would change our mind: an interval of the idle beds of the last year that reaches zero: then nothing is stranded.
Answer     experiments/05_births/answer.md
"""

from __future__ import annotations

import sys

import pandas as pd
from matplotlib.figure import Figure
from study import Live, Run, Study

from sim.measure.interval import mean_interval
from sim.tell.style import LINES, SERIES, canvas, from_zero, years_axis

TITLE = "Idle beds, seats and class places by series of births"
KINDS = {
    "beds": ("bed_girls", "bed_boys"),
    "canteen seats": ("canteen_seat",),
    "class places outside the town": ("classroom_seat",),
    "class places in town": ("classroom_seat",),
}


def table(live: Live) -> pd.DataFrame:
    """Return what is idle by births, kind and year, with its interval."""
    return pd.concat([part for run in live() for part in _idle(run)], ignore_index=True)


def _idle(run: Run) -> list[pd.DataFrame]:
    there, places = (run.folder.read_table(name) for name in ("resources", "class_places"))
    there = there.assign(idle=(there["capacity"] - there["demand_peak"]).clip(lower=0))
    in_town, parts = there["site_id"].isin(places.loc[places["is_town"], "site_id"]), []
    for kind, names in KINDS.items():
        chosen = there["resource"].isin(names) & (in_town == kind.endswith("in town"))
        sums = there[chosen].groupby(["year", "replication"])["idle"].sum().unstack()
        mean, low, high = mean_interval(sums.to_numpy(dtype=float))
        parts.append(pd.DataFrame({"year": sums.index, "mean": mean, "low": low, "high": high}).assign(kind=kind))
    return [part.assign(births=run.settings.enrol.births) for part in parts]


def draw(data: pd.DataFrame) -> Figure:
    """Draw what is idle over the years, one line for each series of births."""
    figure, axes = canvas(5.2, 2, 2)
    for kind, part in zip(KINDS, axes.flat, strict=True):
        for number, (births, rows) in enumerate(data[data["kind"] == kind].groupby("births", sort=False)):
            part.plot(rows["year"], rows["mean"], color=SERIES[number], linestyle=LINES[number], label=births)
            part.fill_between(rows["year"], rows["low"], rows["high"], color=SERIES[number], alpha=0.2, linewidth=0)
        years_axis(part, sorted(data["year"].unique()))
        part.set(title=kind, ylabel="idle", xlabel="school year from autumn")
        from_zero(part)
    axes[0, 0].legend(title="births")
    return figure


STUDY = Study(__file__, TITLE, table, draw, ("study.years=2", "enrol.births=low,high"))

if __name__ == "__main__":
    sys.exit(STUDY.main())
