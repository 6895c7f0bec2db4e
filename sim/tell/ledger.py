"""What the ledger leaves out and assumes, and how much of the cost rests on prices that nobody has confirmed."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sim.tell.budget import accounts, lines
from sim.tell.grid import Grid, grid
from sim.tell.number import NONE, money, number, percent
from sim.tell.register import entries
from sim.tell.run import Run

CONFIDENCE = ("high", "medium", "low", "assumption")
COSTS = ("capital", "recurrent")
NO_FIGURE = ("bus_km", "bus_insurance_year", "attendant_year")
"""Prices of school buses that no county has made public, as far as they are assumed."""
VACANT = "vacant_"
"""Items of quantities.parquet: posts that the norm asks for and nobody fills today, by post."""


def costs(run: Run) -> pd.DataFrame:
    """Return what is spent on each price over all years (price, yuan, confidence), transfers and income aside."""
    table = lines(run)
    table = table[table["nature"].isin(COSTS) & (table["mean"] > 0)]
    spent = table.groupby(table["account"].map(accounts(run)["item"]))["mean"].sum()
    prices = run.settings.prices
    known = {item: yuan for item, yuan in spent.items() if item in prices}
    rows = [(item, yuan, prices[str(item)].confidence) for item, yuan in known.items()]
    return pd.DataFrame(rows, columns=["price", "yuan", "confidence"])


def story(run: Run) -> list[str]:
    """Return the sentences: whose pay is left out, which prices are of which year, how much of the cost is assumed."""
    word, account, found = run.words, run.settings.account, costs(run)
    said = [word("ledger.left_out"), *_vacant(run), *_no_figure(run), word("ledger.gaps")]
    if len(found):
        assumed = found[found["confidence"] == "assumption"]
        share = assumed["yuan"].sum() / found["yuan"].sum()
        said += [
            word("ledger.years", years=word.join(_years(run))),
            word("ledger.assumed", count=len(assumed), all=len(found), share=percent(share)),
        ]
    inflation = word("ledger.constant") if account.inflation == 0 else word(
        "ledger.inflation", inflation=percent(account.inflation, 1)
    )  # fmt: skip
    spread = word("ledger.draws", draws=number(account.price_draws), correlation=f"{account.price_correlation:g}")
    return [*said, inflation, spread]


def _years(run: Run) -> list[str]:
    """Return the years that the prices in use are of."""
    items, prices = accounts(run)["item"].reindex(lines(run)["account"].unique()), run.settings.prices
    return [str(year) for year in sorted({prices[item].year for item in items if item in prices})]


def _vacant(run: Run) -> list[str]:
    """Return how many posts of the norm stay vacant in the first year, and what they would cost a year if filled."""
    if not run.folder.file("quantities").is_file():
        return []
    rows = run.folder.read_rows("quantities", ["item", "quantity"], ("year", "==", run.years[0]))
    posts = rows[rows["item"].astype(str).str.startswith(VACANT)].groupby("item", observed=True)["quantity"].sum()
    posts = posts[posts > 0].rename(lambda item: f"{str(item).removeprefix(VACANT)}_year")
    if posts.empty:
        return []
    prices = entries(run, "prices")
    yuan = sum(count * float(prices[item]["central"]) for item, count in posts.items() if item in prices)
    told = money(yuan, run.words, run.public)
    return [run.words("ledger.vacant", count=number(posts.sum(), 0), year=run.years[0], yuan=told)]


def _no_figure(run: Run) -> list[str]:
    """Return of which prices of school buses no public figure was found: those of the list that are assumptions."""
    word, prices = run.words, entries(run, "prices")
    assumed = [item for item in NO_FIGURE if item in prices and prices[item]["confidence"] == "assumption"]
    names = word.join([f"“{word.term('price', item)}”" for item in assumed])
    return [word("ledger.no_figure", prices=names)] if assumed else []


def trust_table(run: Run) -> Grid:
    """Return by how far prices can be trusted how many there are and which share of the cost rests on them."""
    word, found = run.words, costs(run)
    rows: list[tuple[Any, ...]] = []
    for confidence in CONFIDENCE if len(found) else ():
        part = found[found["confidence"] == confidence].sort_values("yuan", ascending=False)
        names = word.join([word.term("price", name) for name in part["price"].head(5)]) or NONE
        share = percent(part["yuan"].sum() / found["yuan"].sum())
        rows.append((word.term("confidence", confidence), len(part), share, names))
    return grid([word(f"column.{name}") for name in ("confidence", "prices", "cost_share", "largest")], rows, (1, 2))
