"""What drives the spread of the cost: luck and prices, one at a time from their 10 % to their 90 % quantile."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.tell.budget import ALL, amounts, total
from sim.tell.grid import Grid, grid
from sim.tell.number import money, money_scale, percent
from sim.tell.run import Run
from sim.tell.style import BLACK, BLUE, ORANGE, canvas, with_thousands

LUCK = "luck"
MOST_BARS = 10
SMALLEST_SHARE = 0.0005
"""What moves less of the variance is not worth a row."""
PERCENT = 0.01


def drivers(run: Run, payer: str = ALL) -> pd.DataFrame:
    """Return what drives the spread of a payer's cost, the widest first; empty when the run does not tell it."""
    table = run.if_there("drivers.csv")
    if table.empty:
        return table
    table = table[table["payer"] == payer]
    table = table.assign(width=table["high"] - table["low"])
    return table[table["width"] > 0].sort_values("width", ascending=False, kind="stable", ignore_index=True)


def name(run: Run, driver: str) -> str:
    """Return a driver in words: luck, or the price."""
    return run.words("driver.luck") if driver == LUCK else run.words.term("price", driver)


def story(run: Run) -> list[str]:
    """Return the sentence about what moves the cost most, and how much of it is luck."""
    table, word = drivers(run), run.words
    if table.empty:
        return []
    prices, luck = table[table["driver"] != LUCK], table[table["driver"] == LUCK]
    if prices.empty:
        return []
    top = prices.iloc[0]
    item = run.settings.prices.get(str(top["driver"]))
    key = "driver.top" + (".assumed" if item is not None and item.confidence == "assumption" else "")
    ends = {end: money(top[end], word, run.public) for end in ("low", "high")}
    said = [word(key, price=name(run, top["driver"]), **ends)]
    share = luck["share"].sum()
    return [*said, word("driver.luck_share", share=_part(share))] if share > 0 else said


def _part(share: float) -> str:
    """Return a share of the variance as per cent: whole from one on, else to a tenth, none as 0."""
    return f"<{percent(PERCENT / 10, 1)}" if share < PERCENT / 10 else percent(share, int(share < PERCENT))


def table(run: Run) -> Grid:
    """Return for all payers and for the county what each driver alone does to the yearly cost."""
    word = run.words
    rows = [
        (
            word.term("payer", payer),
            name(run, row.driver),
            *amounts(run, (row.low, row.high)),
            _part(row.share),
        )
        for payer in (ALL, "county")
        for row in drivers(run, payer).itertuples()
        if not row.share < SMALLEST_SHARE
    ]
    names = ("payer", "driver", "cost_low", "cost_high", "variance")
    return grid([word(f"column.{each}") for each in names], rows, (2, 3, 4))


def chart(run: Run) -> Figure | None:
    """Draw the tornado: for each driver how far the mean yearly cost goes down and up."""
    rows = drivers(run).head(MOST_BARS).iloc[::-1] if len(run.budget) else pd.DataFrame()
    if rows.empty:
        return None
    word, scale = run.words, money_scale(run.words)
    middle = total(run)["mean"].mean() / scale
    low, high = rows["low"].to_numpy() / scale, rows["high"].to_numpy() / scale
    labels = [name(run, driver) for driver in rows["driver"]]
    figure, axes = canvas(0.9 + 0.22 * len(rows))
    at = np.arange(len(rows))
    axes.barh(at, low - middle, left=middle, height=0.66, color=BLUE, label=word("chart.driver_low"))
    axes.barh(at, high - middle, left=middle, height=0.66, color=ORANGE, hatch="////", edgecolor="white", linewidth=0.4,
              label=word("chart.driver_high"))  # fmt: skip
    for row, end, share in zip(at, np.maximum(low, high), rows["share"], strict=True):
        axes.annotate(_part(share), (end, row), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.axvline(middle, color=BLACK, linewidth=1)
    axes.set_yticks(at, labels)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.08)
    axes.xaxis.grid(visible=True)
    axes.xaxis.set_major_formatter(with_thousands)
    axes.set_xlabel(word("axis.money_mean_year"))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2, columnspacing=3)
    return figure
