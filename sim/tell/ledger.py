"""What the ledger leaves out and assumes, and how much of the cost rests on prices that nobody has confirmed."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sim.tell.budget import accounts, lines
from sim.tell.grid import Grid, grid
from sim.tell.number import NONE, number, percent
from sim.tell.run import Run

CONFIDENCE = ("high", "medium", "low", "assumption")
COSTS = ("capital", "recurrent")


def costs(run: Run) -> pd.DataFrame:
    """Return what is spent on each price over all years (price, yuan, confidence, year), transfers and income aside."""
    table = lines(run)
    table = table[table["nature"].isin(COSTS) & (table["mean"] > 0)]
    spent = table.groupby(table["account"].map(accounts(run)["item"]))["mean"].sum()
    prices = run.settings.prices
    known = {item: yuan for item, yuan in spent.items() if item in prices}
    rows = [(item, yuan, prices[str(item)].confidence, prices[str(item)].year) for item, yuan in known.items()]
    return pd.DataFrame(rows, columns=["price", "yuan", "confidence", "year"])


def story(run: Run) -> list[str]:
    """Return the sentences: whose pay is left out, which prices are of which year, how much of the cost is assumed."""
    word, account, found = run.words, run.settings.account, costs(run)
    said = [word("ledger.left_out"), word("ledger.gaps")]
    if len(found):
        assumed = found[found["confidence"] == "assumption"]
        share = assumed["yuan"].sum() / found["yuan"].sum()
        said += [
            word("ledger.years", years=word.join([str(year) for year in sorted(set(found["year"]))])),
            word("ledger.assumed", count=len(assumed), all=len(found), share=percent(share)),
        ]
    inflation = word("ledger.constant") if account.inflation == 0 else word(
        "ledger.inflation", inflation=percent(account.inflation, 1)
    )  # fmt: skip
    spread = word("ledger.draws", draws=number(account.price_draws), correlation=f"{account.price_correlation:g}")
    return [*said, inflation, spread]


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
