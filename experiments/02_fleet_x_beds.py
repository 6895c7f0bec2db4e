"""How many buses and how many beds: where does another yuan help most?

    python experiments/02_fleet_x_beds.py

Question   The finance office has money for buses or for beds. Which fleets and bed counts leave pupils behind or
           without a bed, and which are wasteful: no dearer plan should harm more pupils?
Design     configs/experiment/02_fleet_x_beds.yaml: 8 fleets x 6 bed counts (times what the plan needs, times what is
           there), the plan of 2023, ten years, the same luck in all 48.
Measures   Pupil-days left behind and without a bed, harm weighed, cost in a year; the frontier: scenarios that no
           other one beats in both harm and cost.
Would change our mind: an interval of the difference to the cheaper neighbour on the frontier that holds zero: then
           the cheaper one is as good.
Answer     experiments/02_fleet_x_beds/answer.md
"""

from __future__ import annotations

import sys

import pandas as pd
from matplotlib.figure import Figure
from study import LABELS, Live, Study, compared

from sim.tell.style import BLACK, GREY, RED, canvas

TITLE = "Fleets and beds: pupils left behind, pupils without a bed, cost"
MEASURES = ("pupils_left_behind", "bed_refused", "cost_yuan_per_year", "severity")


def table(live: Live) -> pd.DataFrame:
    """Return the measures of every fleet and bed count, and whether it lies on the frontier of harm and cost."""
    keys = {"fleet_scale": lambda one: one.fleet.scale, "beds_scale": lambda one: one.lodge.beds_scale}
    data = compared(live(), MEASURES, **keys)
    means = data.pivot(index=list(keys), columns="measure", values="mean")
    harm, cost = means["severity"], means["cost_yuan_per_year"]
    best = [not ((harm <= h) & (cost <= c) & ((harm < h) | (cost < c))).any() for h, c in zip(harm, cost, strict=True)]
    return data.merge(pd.Series(best, means.index, name="frontier").reset_index())


def draw(data: pd.DataFrame) -> Figure:
    """Draw three heat maps, and harm against cost."""
    figure, axes = canvas(6.4, 2, 2)
    for measure, part in zip(MEASURES[:3], axes.flat, strict=False):
        grid = data[data["measure"] == measure].pivot(index="fleet_scale", columns="beds_scale", values="mean")
        shades = part.imshow(grid.to_numpy(), origin="lower", aspect="auto", cmap="cividis_r")
        part.set_xticks(range(len(grid.columns)), [f"{value:g}" for value in grid.columns])
        part.set_yticks(range(len(grid.index)), [f"{value:g}" for value in grid.index])
        part.set(xlabel="beds (x those there)", ylabel="buses (x those needed)", title=LABELS[measure])
        figure.colorbar(shades, ax=part)
    means = data.pivot(index=["fleet_scale", "beds_scale", "frontier"], columns="measure", values="mean").reset_index()
    line = means[means["frontier"]].sort_values("cost_yuan_per_year")
    last = axes.flat[-1]
    last.scatter(means["cost_yuan_per_year"], means["severity"], s=12, color=GREY, label="all")
    last.plot(line["cost_yuan_per_year"], line["severity"], "o-", color=RED, markersize=4, label="frontier")
    for _, row in line.iloc[:: max(1, len(line) // 4)].iterrows():
        name = f"{row['fleet_scale']:g} / {row['beds_scale']:g}"
        last.annotate(name, (row["cost_yuan_per_year"], row["severity"]), (4, 5), textcoords="offset points", size=7.5,
                      color=BLACK)  # fmt: skip
    last.set(xlabel=LABELS["cost_yuan_per_year"], ylabel=LABELS["severity"], title="harm against cost (buses / beds)")
    last.legend(loc="upper right")
    return figure


STUDY = Study(__file__, TITLE, table, draw, ("fleet.scale=0.5,1.0", "lodge.beds_scale=0.8,1.0"))

if __name__ == "__main__":
    sys.exit(STUDY.main())
