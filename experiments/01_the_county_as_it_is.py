"""What breaks first in the county as it is planned, where, and in which year?

    python experiments/01_the_county_as_it_is.py

Question   The plan of 2023 is carried out with the beds, kitchens and buses it names. Which resource fails first, at
           which school, how many pupils suffer, and what would one more unit cost?
Design     configs/experiment/01_the_county_as_it_is.yaml: the default run; ten years, ten times, six weeks a year.
Measures   Pupil-days harmed a year by bottleneck (a resource of a school), its share of all harm, the first year in
           which its limit is broken with the stated probability, the cheapest relief.
Would change our mind: a bottleneck whose interval holds that of the next: then their order is not known.
Answer     experiments/01_the_county_as_it_is/answer.md
"""

from __future__ import annotations

import sys

import pandas as pd
from matplotlib.figure import Figure
from study import Live, Study, whiskers

from sim.measure.interval import mean_interval
from sim.tell.style import canvas, with_thousands

TITLE = "What breaks first, where, and when"
WORST = 12
KEYS = ["site_id", "resource"]


def table(live: Live) -> pd.DataFrame:
    """Return the worst bottlenecks over all years: harm in a year with its interval, first year, cause, relief."""
    (run,) = live()
    found = run.folder.read_table("bottlenecks")
    harm = run.folder.read_table("harm").groupby([*KEYS, "replication"])["severity"].sum().unstack(fill_value=0.0)
    years, replications = run.settings.study.years, range(run.settings.study.replications)
    rows = harm.reindex(columns=replications, fill_value=0.0) / years
    worst = rows.mean(axis=1).nlargest(WORST).index
    first = found.sort_values("severity", ascending=False).groupby(KEYS).first()
    mean, low, high = mean_interval(rows.loc[worst].to_numpy())
    share = mean / rows.mean(axis=1).sum()
    told = first.reindex(worst)[["first_year_breached", "cause", "relief", "relief_cost_yuan"]]
    return pd.DataFrame({"mean": mean, "low": low, "high": high, "share": share}, worst).join(told).reset_index()


def draw(data: pd.DataFrame) -> Figure:
    """Draw the harm of the worst bottlenecks, with the first year in which each breaks its limit."""
    figure, axes = canvas(4.2)
    rows = data.iloc[::-1].reset_index(drop=True)
    whiskers(axes, rows.index, rows, along="y")
    years = ["" if pd.isna(year) else f" ({year:.0f})" for year in rows["first_year_breached"]]
    names = rows["site_id"].str.replace("_", " ") + ": " + rows["resource"].str.replace("_", " ") + years
    axes.set_yticks(rows.index, names)
    words = "harm, weighed (pupil-days a year), with its 95 % interval"
    axes.set(xlabel=words, title="in brackets: the first year over its limit")
    axes.xaxis.grid(visible=True)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(with_thousands)
    return figure


STUDY = Study(__file__, TITLE, table, draw)

if __name__ == "__main__":
    sys.exit(STUDY.main())
