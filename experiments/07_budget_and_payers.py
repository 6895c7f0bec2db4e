"""Who pays, if the shares are set otherwise?

    python experiments/07_budget_and_payers.py

Question   The plan says that government and families share the cost. What do the county, upper levels and families
           pay in a year, as decreed, if upper levels pay half of what is built and bought, and if families bear a
           fifth of the running of buses?
Design     configs/experiment/07_budget_and_payers.yaml: the plan of 2023, ten years, lived once; three ways of
           sharing (configs/account), priced again.
Measures   Yuan a year by payer: mean of the days lived, and the 80 % and 95 % quantiles with uncertain prices.
Would change our mind: a payer whose 95 % quantile under one way lies below the mean under another: then the way of
           sharing, not the prices, decides for that payer.
Answer     experiments/07_budget_and_payers/answer.md
"""

from __future__ import annotations

import sys

import pandas as pd
from matplotlib.figure import Figure
from study import MILLION, Live, Study

from sim.tell.style import GREY, SERIES, canvas

TITLE = "Who pays: three ways of sharing"
PAYERS = ("county", "upper", "family")
NUMBERS = ["mean", "low", "high", "p50", "p80", "p95"]
HATCHES = ("", "////", "....")


def table(live: Live) -> pd.DataFrame:
    """Return what each payer pays in a year, in million yuan, by way of sharing."""
    parts = []
    for run in live():
        rows = run.folder.read_table("all_years")
        rows = rows[(rows["against"] == "nothing") & (rows["measure"] == "cash") & rows["payer"].isin(PAYERS)]
        rows = rows.set_index("payer").loc[list(PAYERS), NUMBERS] / MILLION / run.settings.study.years
        parts.append(rows.reset_index().assign(sharing=run.settings.scenario.removeprefix("account=")))
    return pd.concat(parts, ignore_index=True)[["sharing", "payer", *NUMBERS]]


def draw(data: pd.DataFrame) -> Figure:
    """Draw what each payer pays, with a line up to the 95 % quantile."""
    figure, axes = canvas(3.2)
    ways = list(dict.fromkeys(data["sharing"]))
    for number, payer in enumerate(PAYERS):
        rows = data[data["payer"] == payer].set_index("sharing").loc[ways]
        where = [place + 0.26 * (number - 1) for place in range(len(ways))]
        axes.bar(where, rows["mean"], 0.24, color=SERIES[number], hatch=HATCHES[number], label=payer)
        axes.vlines(where, rows["mean"], rows["p95"], color=GREY)
        axes.scatter(where, rows["p80"], marker="_", s=60, color=GREY)
    axes.set_xticks(range(len(ways)), [way.replace("_", " ") for way in ways])
    axes.set(ylabel="million yuan a year", title="mean, 80 % quantile (tick) and 95 % quantile (end of the line)")
    axes.yaxis.grid(visible=True)
    axes.legend()
    return figure


STUDY = Study(__file__, TITLE, table, draw)

if __name__ == "__main__":
    sys.exit(STUDY.main())
