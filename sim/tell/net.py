"""What closing costs or saves against not closing, lived with the same luck and the same prices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.tell.budget import ALL, TOTAL, amounts, ends, label
from sim.tell.grid import Grid, grid, strong
from sim.tell.number import money, percent
from sim.tell.payer import PAYERS, panels
from sim.tell.run import Run

MOST_ACCOUNTS = 8
SMALLEST_YUAN = 0.005


def told(run: Run) -> bool:
    """Tell whether the run was held against a county that closes no school."""
    return bool(len(run.if_there("net.csv")))


def net(run: Run, payer: str = ALL) -> pd.DataFrame:
    """Return what a payer pays more (above zero) or less than without closing, by year."""
    table = run.if_there("net.csv")
    rows = table[(table["account"] == TOTAL) & (table["payer"] == payer)]
    return rows.set_index("year").reindex(run.years)


def story(run: Run) -> list[str]:
    """Return the sentences: what closing costs a year over all payers, how sure that is, and who gains and loses."""
    word = run.words
    if not told(run):
        return [word("net.none")]
    means = {payer: net(run, payer)["mean"].mean() for payer in PAYERS}
    parts = [
        word(
            f"net.payer_{'more' if mean > 0 else 'less'}", payer=word.term("payer", payer), yuan=money(abs(mean), word)
        )
        for payer, mean in means.items()
        if np.isfinite(mean) and abs(mean) >= SMALLEST_YUAN
    ]
    return [_whole(run, net(run)), *([word("net.payers", parts=word.join(parts))] if parts else [])]


def _whole(run: Run, whole: pd.DataFrame) -> str:
    """Return the sentence about all payers together: the mean year, and the chances of the years."""
    word, years = run.words, whole[["mean", "p50", "p95"]].mean()
    chance = whole["p_cheaper"].dropna()
    sure = ""
    if len(chance):
        ends = [percent(chance.min()), percent(chance.max())]
        sure = word("net.chance", chance=" – ".join(dict.fromkeys(ends)))
    told = {"p50": money(years["p50"], word), "p95": money(years["p95"], word)}
    return word("net.more" if years["mean"] > 0 else "net.less", yuan=money(abs(years["mean"]), word), **told) + sure


def table(run: Run) -> Grid:
    """Return what each payer pays more or less in every year, with its interval and the chance of paying less."""
    word = run.words
    head = (word("column.payer"), word("column.measure"), *map(str, run.years))
    rows: list[tuple[object, ...]] = []
    for payer in (ALL, *PAYERS) if told(run) else ():
        part = net(run, payer)
        if part["mean"].notna().any():
            rows.append(strong(word.term("payer", payer), word("column.mean"), *amounts(run, part["mean"])))
            rows.append(("", label(word("budget.interval_short")), *ends(run, part)))
            rows.append(("", word("net.p_cheaper"), *map(percent, part["p_cheaper"])))
    return grid(head, rows, range(2, len(head)), wide=True)


def account_table(run: Run) -> Grid:
    """Return the accounts in which closing changes most, over all payers and years."""
    word = run.words
    head = (word("column.account"), *map(str, run.years))
    lines = run.if_there("net.csv")
    if lines.empty:
        return grid(head, [])
    lines = lines[lines["account"] != TOTAL]
    wide: Any = lines.groupby(["account", "year"])["mean"].sum().unstack("year").reindex(columns=run.years).fillna(0.0)
    most = wide.sum(axis=1).abs().sort_values(ascending=False, kind="stable").head(MOST_ACCOUNTS).index
    rows = [(label(word.term("account", name)), *amounts(run, wide.loc[name])) for name in most]
    return grid(head, rows, range(1, len(head)), wide=True)


def chart(run: Run) -> Figure | None:
    """Draw what each payer and all of them pay more or less than without closing, by year."""
    if not told(run):
        return None
    return panels(run, {payer: net(run, payer) for payer in (ALL, *PAYERS)}, ("p50", "p95"))
