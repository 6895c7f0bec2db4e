"""The budget by year: what the money is for, how sure we are of the sum, and what all of it is worth today."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.tell.grid import Cell, Grid, grid, strong
from sim.tell.number import MILLION_YUAN, NONE, TEN_THOUSAND_YUAN, money_scale, number, percent
from sim.tell.run import Run
from sim.tell.style import BLACK, BLUE, GREEN, GREY, ORANGE, PALE, PURPLE, RED, SKY, canvas, with_thousands, years_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOTAL, ALL = "total", "all"
NATURES = ["capital", "recurrent", "transfer", "income"]
REST = "rest"
"""What it is for is not told, or too small to be drawn on its own."""
LOOKS: dict[str, dict[str, Any]] = {
    "bus": {"color": BLUE},
    "dine": {"color": ORANGE, "hatch": "////"},
    "staff": {"color": GREEN, "hatch": "\\\\\\\\"},
    "lodge": {"color": SKY, "hatch": "----"},
    "wash": {"color": GREY, "hatch": "||||"},
    "town": {"color": PURPLE, "hatch": "xxxx"},
    "school": {"color": RED, "hatch": "++++"},
    "campus": {"color": BLACK},
    "aid": {"color": GREY},
    REST: {"color": PALE},
}
"""Purpose -> how its bars look, in the order in which they stand upon each other; hatches tell them apart in grey."""
SMALLEST_BAR = 0.01
"""Purposes that never reach this share of the dearest year are drawn as one."""
SMALLEST_LINE_YUAN = 5_000
"""Lines that never reach so much in a year are left out."""


def accounts(run: Run) -> pd.DataFrame:
    """Return the chart of accounts by account: purpose, item (of the price list), in_total; empty when not told."""
    table = run.if_there("accounts.csv")
    return table.set_index("account") if len(table) else pd.DataFrame(columns=["purpose", "item", "in_total"])


def lines(run: Run) -> pd.DataFrame:
    """Return the lines of the budget without its totals, each with what it is for."""
    if run.budget.empty:
        return pd.DataFrame(columns=["year", "account", "nature", "payer", "mean", "purpose"])
    table = run.budget[run.budget["account"] != TOTAL]
    purpose = table["account"].map(accounts(run)["purpose"].to_dict())
    return table.assign(purpose=purpose.astype(object).fillna(REST))


def total(run: Run, payer: str = ALL) -> pd.DataFrame:
    """Return the total of a payer (or of all of them) by year."""
    table = run.budget
    rows = table[(table["account"] == TOTAL) & (table["payer"] == payer)]
    return rows.set_index("year").reindex(run.years)


def by_purpose(run: Run) -> pd.DataFrame:
    """Return the mean yearly cost in yuan: one row for each purpose, one column for each year.

    What one payer gives another cancels out.
    """
    sums = lines(run).groupby(["purpose", "year"])["mean"].sum().unstack("year")
    table = sums.reindex(index=[name for name in LOOKS if name in sums.index], columns=run.years).fillna(0.0)
    return table[table.abs().max(axis=1) > 0]


def yearly_table(run: Run) -> Grid:
    """Return the budget by year: the mean for each purpose, then the total and how far it may go."""
    word = run.words
    head = (word("column.purpose"), *map(str, run.years))
    if run.budget.empty:
        return grid(head, [])
    whole, purposes = total(run), by_purpose(run)
    rows: list[tuple[object, ...]] = [
        (label(word.term("purpose", name)), *amounts(run, values)) for name, values in purposes.iterrows()
    ]
    rows.append(strong(word("budget.mean"), *amounts(run, whole["mean"])))
    if whole["low"].notna().any():
        rows.append((word("budget.interval"), *ends(run, whole)))
    rows += [strong(word(f"budget.{name}"), *amounts(run, whole[name])) for name in ("p50", "p80", "p95")]
    if "luck_p80" in whole:
        rows.append((word("budget.luck_p80"), *amounts(run, whole["luck_p80"])))
    return grid(head, rows, range(1, len(head)), wide=True)


def account_table(run: Run) -> Grid:
    """Return every account's mean by year and payer, put together by what it is for."""
    word = run.words
    head = (*(word(f"column.{name}") for name in ("purpose", "account", "payer")), *map(str, run.years))
    if run.budget.empty:
        return grid(head, [])
    table, rows = lines(run), []
    table = table.assign(first=table["purpose"].map(list(LOOKS).index), then=table["nature"].map(NATURES.index))
    table = table.sort_values(["first", "then", "account"], kind="stable")
    for (purpose, account, payer), part in table.groupby(["purpose", "account", "payer"], sort=False):
        values = part.groupby("year")["mean"].sum().reindex(run.years, fill_value=0.0)
        if values.abs().max() >= SMALLEST_LINE_YUAN:
            names = (word.term("purpose", purpose), word.term("account", account), word.term("payer", payer))
            rows.append((*map(label, names), *amounts(run, values)))
    return grid(head, rows, range(3, len(head)), wide=True)


def worth_table(run: Run) -> Grid:
    """Return what all years come to: as cash, spread over what things last, worth today, and what is left."""
    word, payers = run.words, (ALL, "county", "upper", "family")
    head = (word("column.worth"), *(word.term("payer", payer) for payer in payers))
    if run.budget.empty:
        return grid(head, [])
    account, sums = run.settings.account, [total(run, payer).sum(numeric_only=True) for payer in payers]
    places = {"rate": percent(account.discount_rate, 1), "inflation": percent(account.inflation, 1)}
    names = ["mean", *(["nominal"] if account.inflation else []), "annualised", "npv", "residual", "npv_residual"]
    over = {"annualised": len(run.years)}
    rows = [
        (
            word(f"worth.{name}", first=run.years[0], last=run.years[-1], **places),
            *amounts(run, (each[name] / over.get(name, 1) for each in sums)),
        )
        for name in names
        if name in run.budget
    ]
    return grid(head, [*rows, *_reach(run, payers)], range(1, len(head)))


def all_years(run: Run, against: str = "nothing", measure: str = "cash") -> pd.DataFrame:
    """Return the sum of the years by payer with its spread, or how it differs from not closing; empty when not told."""
    table = run.if_there("all_years.csv")
    if table.empty:
        return table
    return table[(table["against"] == against) & (table["measure"] == measure)].set_index("payer")


def _reach(run: Run, payers: Iterable[str]) -> list[tuple[object, ...]]:
    """Return the rows of what all years are worth today less what is left: the mean and the P80."""
    net = all_years(run, measure="present_less_residual")
    if net.empty:
        return []
    by = net.reindex(list(payers))
    return [(run.words(f"worth.net_{name}"), *amounts(run, by[name])) for name in ("mean", "p80")]


def amounts(run: Run, values: Iterable[float]) -> list[str]:
    """Return amounts of yuan in the unit of the tables."""
    scale = money_scale(run.words)
    places = _places(run, scale)
    return [number(value / scale, places) for value in values]


def _places(run: Run, scale: float) -> int:
    """Return the places after the point that give the dearest year three figures: million yuan at least one, 万元 none.

    A public page tells money to ten thousand yuan: to the yuan, aid would tell how few pupils get it.
    """
    dearest = run.dearest_yuan / scale
    fewest = 1 if scale == MILLION_YUAN else 0
    most = round(np.log10(scale / (TEN_THOUSAND_YUAN if run.public else 1.0)))
    return int(np.clip(2 - np.floor(np.log10(dearest)), fewest, most)) if dearest > 0 else fewest


def ends(run: Run, table: pd.DataFrame) -> list[Cell]:
    """Return the intervals of a table's rows in the unit of the tables, on two lines to be narrow."""
    low, high = amounts(run, table["low"]), amounts(run, table["high"])
    return [
        Cell(NONE if below == NONE else f"{below} –\n{above}", "lines") for below, above in zip(low, high, strict=True)
    ]


def label(text: str) -> Cell:
    """Return the name of a row, which is not squeezed by the years beside it."""
    return Cell(text, "label")


def chart(run: Run) -> Figure | None:
    """Draw the cash of each year by what it is for, and between P50 and P95 where the total may end."""
    if run.budget.empty:
        return None
    word, scale = run.words, money_scale(run.words)
    figure, axes = canvas(3.6)
    _stack(run, axes, _drawn(by_purpose(run)) / scale)
    whole = total(run)[["p50", "p80", "p95"]] / scale
    reach = [whole["p80"] - whole["p50"], whole["p95"] - whole["p80"]]
    axes.errorbar(
        run.years, whole["p80"], yerr=reach, fmt="D", color=BLACK, markerfacecolor="white", markersize=4.5, capsize=4,
        elinewidth=1.3, label=word("chart.reach"),
    )  # fmt: skip
    axes.axhline(0, color=BLACK, linewidth=0.8)
    axes.set_ylabel(word("axis.money_year"))
    axes.set_xlabel(word("axis.year"))
    axes.yaxis.grid(visible=True)
    axes.yaxis.set_major_formatter(with_thousands)
    years_axis(axes, run.years, most=12)
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper left", ncols=4, columnspacing=1.8, handleheight=1.1,
        handlelength=2.2,
    )  # fmt: skip
    return figure


def _drawn(purposes: pd.DataFrame) -> pd.DataFrame:
    """Put purposes that are too small to be seen together as one."""
    small = purposes.abs().max(axis=1) < SMALLEST_BAR * purposes.clip(lower=0.0).sum().max()
    if small.sum() < 2:
        return purposes
    return pd.concat([purposes[~small], purposes[small].sum().to_frame(REST).T])


def _stack(run: Run, axes: Axes, purposes: pd.DataFrame) -> None:
    """Draw each purpose on top of the others; income stands below zero."""
    above, below = pd.Series(0.0, index=run.years), pd.Series(0.0, index=run.years)
    for name, values in purposes.iterrows():
        look = {"edgecolor": "white", "linewidth": 0.5, **LOOKS[str(name)]}
        axes.bar(
            run.years, values, bottom=above.where(values >= 0, below), width=0.66,
            label=run.words.term("purpose", name), **look,
        )  # fmt: skip
        above, below = above + values.clip(lower=0), below + values.clip(upper=0)
