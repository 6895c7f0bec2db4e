"""Who bears the burden of closing?

    python experiments/09_burden.py

Question   Pupils of closed schools travel or lodge elsewhere. Whose way is longest and whose cost rises most: the
           youngest, pupils in hardship, lodgers, riders, those whom the family brings?
Design     configs/experiment/09_burden.yaml: the plan of 2023, its first year, 20 times, every cell that moved; what
           the family pays is reckoned for each cell against the same pupils if nothing closed.
Measures   Of pupils who moved, by grades, hardship and way: pupils, km before and after, rise of the yearly cost
           after aid; of all pupils, minutes from door to school by grades. Groups under five pupils are left out.
Would change our mind: a rise of hardship pupils above that of others in the same grades: then the waiver does not
           reach them.
Answer     experiments/09_burden/answer.md
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from study import Live, Study

from sim.tell.cells import FEWEST
from sim.tell.style import LINES, SERIES, canvas

TITLE = "Who bears the burden: cost and way of those who moved, minutes of all"
GROUP = ["level", "hardship", "mode_after"]
MINUTES = range(10, 91, 10)
GRADES = {"grades_1_3": "grades 1-3", "grades_4_6": "grades 4-6", "junior": "grades 7-9"}
WAYS = {"family": "by family", "line_bus": "public bus", "school_bus": "school bus", "walk": "walk", "lodge": "lodge"}


def table(live: Live) -> pd.DataFrame:
    """Return the rise of cost and way by group of pupils who moved, and quantiles of the minutes by grades."""
    (run,) = live()
    cells = run.folder.read_table("family").merge(run.folder.read_table("family_pupils"))
    moved = cells[cells["moved"].astype(str).isin(("yes", "True")) & (cells["year"] == cells["year"].min())]
    weighed = {name: moved[name] * moved["pupils"] for name in ("rise", "rise_without_aid", "km_before", "km_after")}
    sums = moved.assign(**weighed).groupby(GROUP)[["pupils", *weighed]].sum()
    groups = sums[sums["pupils"] >= FEWEST]
    groups = groups.div(groups["pupils"], axis=0).assign(pupils=groups["pupils"].round()).reset_index()
    return pd.concat([groups.assign(kind="moved"), _minutes(run.folder.read_table("spread"))], ignore_index=True)


def _minutes(spread: pd.DataFrame) -> pd.DataFrame:
    """Return the share of pupil-days by minutes from door to school, by grades."""
    rows = spread[spread["measure"] == "door_to_school_min"].groupby(["grade_band", "high"])["count"].sum()
    below = (rows.groupby(level=0).cumsum() / rows.groupby(level=0).sum()).rename("share_below").reset_index()
    below = below.rename(columns={"high": "minutes"}).assign(kind="door to school")
    return below[below["minutes"].isin(MINUTES)]


def draw(data: pd.DataFrame) -> Figure:
    """Draw the rise of cost by group, and how many pupils are at school within so many minutes."""
    figure, (left, right) = canvas(4.4, 1, 2)
    rows = data[data["kind"] == "moved"].sort_values("rise").reset_index(drop=True)
    poor = rows["hardship"].astype(str) == "yes"
    names = [
        f"{GRADES[row.level]}, {WAYS[row.mode_after]}{', hardship' if row.hardship == 'yes' else ''} ({row.pupils:.0f})"
        for row in rows.itertuples()
    ]
    left.barh(rows.index, rows["rise"], color=np.where(poor, SERIES[1], SERIES[0]))
    left.set_yticks(rows.index, names)
    left.set(xlabel="more cost to the family (yuan a year, after aid)", title="pupils who moved (how many)")
    for number, (band, part) in enumerate(data[data["kind"] == "door to school"].groupby("grade_band")):
        right.plot(
            part["minutes"], 100 * part["share_below"], color=SERIES[number], linestyle=LINES[number], label=band
        )
    right.set(xlabel="minutes from door to school", ylabel="% of pupil-days at school by then", title="all pupils")
    right.legend(title="grades")
    return figure


STUDY = Study(__file__, TITLE, table, draw)

if __name__ == "__main__":
    sys.exit(STUDY.main())
