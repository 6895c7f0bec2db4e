"""Can the answers of the other studies be trusted?

    python experiments/00_verification.py

Question   Do queues wait as theory says, is any pupil lost or invented, are the same seed's results the same whoever
           does the work, does the same luck make comparisons sharper, and do six weeks speak for a year?
Design     configs/experiment/00_verification.yaml: fleets of 0.8 and 1.0 x two seeds; one year, sampled and full.
Measures   Waits against Erlang's formula; sums that must agree; bytes of a run by one and by two workers; the
           interval of what fewer buses leave behind, with the same luck and with other luck; yearly means of sampled
           and of all weeks.
Would change our mind: any row of the table that does not hold; common luck that shortens the interval less than
           threefold.
Answer     experiments/00_verification/answer.md
"""

from __future__ import annotations

import sys

import pandas as pd
from checks import common_luck, queues, same_bits, sampled_weeks, sums_agree
from matplotlib.figure import Figure
from study import Live, Study, whiskers

from sim.tell.style import canvas

TITLE = "Verification: theory, sums, workers, common luck, sampled weeks"


def table(live: Live) -> pd.DataFrame:
    """Return one row for each check: what was found, its interval, what was expected, whether it holds."""
    runs = live()
    rows = [*queues(), *sums_agree(runs[-1]), *same_bits(live), *common_luck(runs), *sampled_weeks(live)]
    return pd.DataFrame(rows, columns=["check", "what", "mean", "low", "high", "expected", "holds"])


def draw(data: pd.DataFrame) -> Figure:
    """Draw the differences with the same and with other luck, and how far sampled weeks are off."""
    figure, axes = canvas(2.6, 1, 2)
    for part, check in zip(axes, ("common luck", "sampled weeks"), strict=True):
        rows = data[(data["check"] == check) & data["low"].notna()].iloc[::-1]
        whiskers(part, range(len(rows)), rows, along="y")
        part.set_yticks(range(len(rows)), rows["what"].str.removesuffix(", % off all weeks"))
        part.set(title=check)
    axes[0].set(xlabel="more left behind with 0.8 of the buses\n(pupil-days a year)")
    axes[1].set(xlabel="% off all weeks")
    return figure


STUDY = Study(__file__, TITLE, table, draw)

if __name__ == "__main__":
    sys.exit(STUDY.main())
