"""Which uncertain facts decide, and which may stay as rough as they are?

    python experiments/08_sensitivity.py

Question   Births, moving to town, speeds, stops, breakdowns, lodgers, illness and the pace at the windows are known
           roughly. Which of them decides harm, pupils left behind, rides and cost, so that it pays to find out more?
Design     configs/experiment/08_sensitivity.yaml: one binding year, two weeks, one replication; eight settings drawn as
           configs/sensitivity/births_and_buses.yaml says; Sobol indices after Saltelli, 64 x (8 + 2) lives.
Measures   First-order and total index of each setting for each output, with its interval: its share of the variance.
Would change our mind: a total index whose interval reaches that of the next setting: then their order is not known.
Answer     experiments/08_sensitivity/answer.md
"""

from __future__ import annotations

import sys

import pandas as pd
from matplotlib.figure import Figure
from study import LABELS, Live, Study, refuse_failed, whiskers

from sim.config.sensitivity import asked
from sim.sensitivity.question import answer
from sim.tell.style import BLUE, ORANGE, canvas

TITLE = "Which uncertain facts decide"


def table(live: Live) -> pd.DataFrame:
    """Return the Sobol indices of each setting for each output."""
    folder, failed = answer(*asked(list(live.words)))
    refuse_failed(failed)
    return folder.read_table("indices").drop(columns="scenario", errors="ignore")


def draw(data: pd.DataFrame) -> Figure:
    """Draw the indices of each output, one row for each setting."""
    outputs = list(dict.fromkeys(data["output"]))
    figure, axes = canvas(5.6, 2, -(-len(outputs) // 2), sharey=True, squeeze=False)
    for output, part in zip(outputs, axes.flat, strict=False):
        rows = data[data["output"] == output].iloc[::-1]
        for shift, name, look in ((0.14, "first", {"color": BLUE}), (-0.14, "total", {"color": ORANGE, "fmt": "s"})):
            ends = rows.rename(columns={name: "mean", f"{name}_low": "low", f"{name}_high": "high"})
            ends = ends[["mean", "low", "high"]]
            whiskers(part, [place + shift for place in range(len(rows))], ends, along="y", label=name, **look)
        part.set_yticks(range(len(rows)), rows["setting"])
        part.set(title=LABELS[output].partition(" (")[0], xlabel="share of the variance")
    axes[0, 0].legend(title="index")
    return figure


FEW = [f"sensitivity.settings.{group}=null" for group in ("enrol", "road", "fleet", "dine", "health")]
STUDY = Study(__file__, TITLE, table, draw, ("sensitivity.n=2", "sensitivity.luck=2", *FEW))

if __name__ == "__main__":
    sys.exit(STUDY.main())
