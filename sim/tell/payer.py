"""Who pays: county, upper levels and families by year, and the rules by which they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from sim.tell.budget import ALL, accounts, amounts, ends, label, lines, total
from sim.tell.grid import Grid, grid, strong
from sim.tell.number import money, money_scale, number, percent
from sim.tell.run import Run
from sim.tell.style import BLACK, BLUE, canvas, with_thousands, years_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAYERS = ("county", "upper", "family")


def payer_table(run: Run) -> Grid:
    """Return what each payer pays by year, mean with its interval and P80, and the total of all."""
    word = run.words
    head = (word("column.payer"), word("column.measure"), *map(str, run.years))
    rows: list[tuple[object, ...]] = []
    for payer in (*PAYERS, ALL) if len(run.budget) else ():
        paid = total(run, payer)
        if paid["mean"].notna().any():
            rows.append(strong(word.term("payer", payer), word("column.mean"), *amounts(run, paid["mean"])))
            if paid["low"].notna().any():
                rows.append(("", label(word("budget.interval_short")), *ends(run, paid)))
            rows.append(("", "P80", *amounts(run, paid["p80"])))
    return grid(head, rows, range(2, len(head)), wide=True)


def chart(run: Run) -> Figure | None:
    """Draw what each payer pays by year, and between P50 and P95 where it may end."""
    if run.budget.empty:
        return None
    return panels(run, {payer: total(run, payer) for payer in PAYERS}, ("p50", "p95"))


def panels(run: Run, tables: Mapping[str, pd.DataFrame], reach: Sequence[str]) -> Figure:
    """Draw one panel for each payer: a bar for each year with a line from one column of its table to another."""
    word, scale = run.words, money_scale(run.words)
    figure, axes = canvas(2.5, 1, len(tables), sharey=True, squeeze=False)
    for part, (payer, table) in zip(axes[0], tables.items(), strict=True):
        yuan = table[["mean", *reach]].reindex(run.years) / scale
        look: dict[str, Any] = {"color": BLUE, "alpha": 0.55, "edgecolor": BLUE, "linewidth": 0.6}
        part.bar(run.years, yuan["mean"], width=0.66, **look)
        _whiskers(part, yuan, reach)
        part.set_title(word.term("payer", payer))
        part.axhline(0, color=BLACK, linewidth=0.8)
        part.yaxis.grid(visible=True)
        part.yaxis.set_major_formatter(with_thousands)
        part.set_xlabel(word("axis.year"))
        years_axis(part, run.years, most=12 // len(tables))
    axes[0][0].set_ylabel(word("axis.money_year"))
    return figure


def _whiskers(axes: Axes, yuan: pd.DataFrame, reach: Sequence[str]) -> None:
    low, high = reach
    there = yuan[yuan[low].notna()]
    axes.vlines(there.index, there[low], there[high], color=BLACK, linewidth=1.3)
    for end in reach:
        axes.plot(there.index, there[end], "_", color=BLACK, markersize=5)


def rules(run: Run) -> list[str]:
    """Return the rules of sharing as they are set: shares of each kind of cost, the fare, and public money."""
    return [*_shares(run), *_fare(run), *_public_money(run)]


def _shares(run: Run) -> list[str]:
    """Return who pays which share of what; kinds of cost that are shared alike are told together."""
    word = run.words
    alike: dict[tuple[tuple[str, float], ...], list[str]] = {}
    for purse, shares in run.settings.account.payers.items():
        key = tuple((str(payer), share) for payer, share in shares.items() if share > 0)
        alike.setdefault(key, []).append(word.term("purse", purse))
    return [
        word("payer.rule", what=word.join(purses), who=word.join([_share(run, *part) for part in parts]))
        for parts, purses in alike.items()
    ]


def _share(run: Run, payer: str, share: float) -> str:
    name = run.words.term("payer", payer)
    return name if share == 1 else run.words("payer.share", payer=name, share=percent(share))


def _fare(run: Run) -> list[str]:
    word, account = run.words, run.settings.account
    fare = run.settings.prices.get("family_fare_per_month")
    if fare is None or fare.central == 0:
        return [word("payer.no_fare")]
    return [
        word(
            "payer.fare", fare=money(fare.central, word), months=number(account.fare_months),
            year=money(fare.central * account.fare_months, word), waived=percent(account.hardship_fare_waived),
        )
    ]  # fmt: skip


def _public_money(run: Run) -> list[str]:
    """Return the rules for small schools and closed ones, and what public funds of upper levels are for."""
    word, account = run.words, run.settings.account
    said = [word("payer.floor", pupils=number(account.floor_pupils), years=account.floor_kept_years)]
    aside = accounts(run).query("in_total == 0").index
    funds = lines(run)
    funds = funds[funds["account"].isin(aside) & (funds["payer"] == "upper")]
    if funds["mean"].sum() > 0:
        said.append(word("payer.earmarked", yuan=money(funds["mean"].sum() / len(run.years), word, run.public)))
    return [*said, word("payer.floor_counts")]
