"""What closing costs or saves against not closing, lived with the same luck and the same prices."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from sim.tell.budget import ALL, TOTAL, all_years, amounts, ends, label
from sim.tell.grid import Grid, grid, strong
from sim.tell.number import money, percent
from sim.tell.payer import PAYERS, panels
from sim.tell.run import Run

MOST_ACCOUNTS = 8
SMALLEST_YUAN = 0.005


def told(run: Run) -> bool:
    """Tell whether the run was held against a county that closes no school."""
    return bool(len(run.if_there("net.csv"))) and bool(len(all_years(run, "not_closing")))


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
    whole = yearly(run)
    parts = [
        word(
            f"net.payer_{'more' if mean > 0 else 'less'}",
            payer=word.term("payer", payer),
            yuan=money(abs(mean), word, run.public),
        )
        for payer, mean in whole["mean"].reindex(PAYERS).dropna().items()
        if abs(mean) >= SMALLEST_YUAN
    ]
    return [_whole(run, whole.loc[ALL]), *([word("net.payers", parts=word.join(parts))] if parts else [])]


def yearly(run: Run) -> pd.DataFrame:
    """Return what each payer pays more or less in a mean year, with the spread and chance of all years together."""
    sums = all_years(run, "not_closing")
    spread = ["mean", "low", "high", "p50", "p80", "p95"]
    return sums.assign(**{name: sums[name] / len(run.years) for name in spread})


def _whole(run: Run, all_payers: pd.Series) -> str:
    """Return the sentence about all payers together."""
    word, mean = run.words, all_payers["mean"]
    if not all_payers[["mean", "p50", "p95"]].any():
        return word("net.same")
    sure = ""
    if pd.notna(all_payers["low"]):
        sure = word("net.interval", **{end: money(all_payers[end], word, run.public) for end in ("low", "high")})
    told = {"sure": sure, "p80": money(all_payers["p80"], word, run.public), "chance": percent(all_payers["p_below"])}
    return word("net.more" if mean > 0 else "net.less", yuan=money(abs(mean), word, run.public), **told)


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
