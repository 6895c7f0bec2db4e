"""More windows or more sittings: how do all pupils get their lunch in time?

    python experiments/04_sittings_and_windows.py

Question   Canteens that fill up can serve at more windows (bought) or in more sittings (organised). Which one spares
           more pupils a missed or hasty meal, and when does a further window no longer help?
Design     configs/experiment/04_sittings_and_windows.yaml: windows times 0.5 to 2 x up to one, two or three sittings,
           the first five years, the same luck.
Measures   Meals missed, pupils with fewer than 20 minutes at the table, the wait that 95 of 100 do not exceed.
Would change our mind: with three sittings, a doubling of windows that spares less than a tenth of the hasty meals:
           then seats or the kitchen bind, not windows.
Answer     experiments/04_sittings_and_windows/answer.md
"""

from __future__ import annotations

import sys

import pandas as pd
from matplotlib.figure import Figure
from study import LABELS, Live, Study, compared, whiskers

from sim.tell.style import LINES, SERIES, canvas

TITLE = "Windows and sittings: meals missed, meals in haste, waits"
MEASURES = ("meals_unserved", "eating_min_short", "window_wait_min_p95")


def table(live: Live) -> pd.DataFrame:
    """Return the measures by windows and sittings."""
    keys = {"windows_scale": lambda one: one.dine.windows_scale, "sittings": lambda one: one.dine.sittings_most}
    return compared(live(), MEASURES, **keys)


def draw(data: pd.DataFrame) -> Figure:
    """Draw each measure over the windows, one line for each number of sittings."""
    figure, axes = canvas(3.0, 1, 3)
    for measure, part in zip(MEASURES, axes, strict=True):
        for number, (sittings, rows) in enumerate(data[data["measure"] == measure].groupby("sittings")):
            look = {"color": SERIES[number], "linestyle": LINES[number], "fmt": "o"}
            whiskers(part, rows["windows_scale"] + 0.012 * (number - 1), rows, **look, label=f"up to {sittings}")
        words, _, unit = LABELS[measure].partition(" (")
        part.set(xlabel="windows (x those there)", title=words, ylabel=unit.rstrip(")"))
    axes[0].legend(title="sittings")
    return figure


STUDY = Study(__file__, TITLE, table, draw, ("dine.windows_scale=1,2", "dine.sittings_most=3"))

if __name__ == "__main__":
    sys.exit(STUDY.main())
