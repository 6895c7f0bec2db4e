"""The ledger laid out: what every line costs in each year and replication, and how its price moves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from sim.account.draw import price_draws
from sim.account.price import EARMARKED, charge_of, entry
from sim.config import Settings
from sim.measure.interval import mean_interval
from sim.units import DIGITS, FEN_PER_YUAN, to_fen

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TOTAL = "total"
ALL = "all"
LINE = ["account", "nature", "payer"]
PERCENTILES = (50, 80, 95)
HALF_A_FEN = 0.5
AT_ONCE = 2_000_000
"""Most amounts that are held at a time while quantiles are taken."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What N lines of the ledger cost in Y years and R replications, at central and at drawn prices.

    A line costs fen + moves x off[item]: its price is off its central value by D draws.
    """

    lines: pd.DataFrame
    """(N) site_id, account, nature, payer"""
    years: Ints
    """(Y)"""
    replications: Ints
    """(R)"""
    fen: Floats
    """(N, Y, R) at central prices: whole fen, as in the ledger"""
    moves: Floats
    """(N, Y, R) fen more for each yuan more of the line's price"""
    item: Ints
    """(N) the line's price: a row of `off`"""
    items: tuple[str, ...]
    """(I) entries of the price list; the last, "", is for lines that have no price of their own"""
    off: Floats
    """(I, D) drawn less central price, in yuan"""

    def weighed(self, weights: Floats) -> Amounts:
        """Return amounts of which each year is made of all years: `weights` (N, Y, Y), from column to row."""
        return replace(self, fen=weights @ self.fen, moves=weights @ self.moves)


@dataclass(frozen=True, slots=True)
class Sums:
    """Lines added up in G groups, and how each of I prices moves the sums."""

    groups: pd.DataFrame
    """(G) what the lines of a group have in common"""
    fen: Floats
    """(G, R) at central prices"""
    moves: Floats
    """(G, R, I) fen more for each yuan more of a price"""
    off: Floats
    """(I, D) drawn less central price, in yuan"""


def laid_out(settings: Settings, ledger: pd.DataFrame) -> Amounts:
    """Lay a ledger out; every line stands in every year, with nothing where nothing was spent.

    `moves` are kept to so many digits that what cancels out leaves nothing behind.
    """
    keys = ["site_id", *LINE]
    line = ledger.groupby(keys, sort=True, observed=True).ngroup().to_numpy()
    lines = ledger[keys].iloc[np.unique(line, return_index=True)[1]].reset_index(drop=True).astype(str)
    years, year = np.unique(ledger["year"].to_numpy(), return_inverse=True)
    replications, replication = np.unique(ledger["replication"].to_numpy(), return_inverse=True)
    shape = (len(lines), len(years), len(replications))
    cell = np.ravel_multi_index((line, year, replication), shape)
    units = ledger["quantity"].to_numpy(dtype=float) * ledger["share"].to_numpy(dtype=float)
    fen, moves = (
        np.bincount(cell, weights=amounts, minlength=int(np.prod(shape))).reshape(shape).astype(float)
        for amounts in (to_fen(ledger["amount_yuan"]), units * FEN_PER_YUAN)
    )
    account = {name: charge_of(name).item for name in lines["account"].unique()}
    priced = {item: entry(settings, item, name).central for name, item in account.items() if item}
    items = (*sorted(priced), "")
    off = price_draws(settings, items[:-1]) - np.array([priced[item] for item in items[:-1]])[:, None]
    off = np.vstack([off, np.zeros(settings.account.price_draws)])
    item = lines["account"].map(account).map(items.index).to_numpy()
    return Amounts(lines, years, replications, fen, moves.round(DIGITS), item, items, off)


def summed(amounts: Amounts, names: pd.DataFrame, yearly: bool = True) -> Sums:
    """Add up the lines that have the same names, for each year or over all years.

    Rows of `names` stand for lines, by index: a line counts in as many groups as it has rows.
    """
    table = names.drop_duplicates().sort_values(list(names), ignore_index=True)
    group = names.groupby(list(names), sort=True).ngroup().to_numpy()
    rows, items = names.index.to_numpy(), len(amounts.items)
    lines, years, replications = amounts.fen.shape
    fen = _added(group, rows, (len(table), lines)) @ amounts.fen.reshape(lines, -1)
    cell = group * items + amounts.item[rows]
    moves = _added(cell, rows, (len(table) * items, lines)) @ amounts.moves.reshape(lines, -1)
    fen = fen.reshape(-1, years, replications)
    moves = moves.reshape(-1, items, years, replications).transpose(0, 2, 3, 1)
    if not yearly:
        return Sums(table, fen.sum(axis=1), moves.sum(axis=1), amounts.off)
    table = table.merge(pd.DataFrame({"year": amounts.years}), how="cross")
    fen, moves = fen.reshape(-1, replications), moves.reshape(-1, replications, items)
    return Sums(table, fen, moves, amounts.off)


def _added(group: Ints, row: Ints, shape: tuple[int, int]) -> sparse.csr_array:
    """Return the matrix that adds up rows by group."""
    return sparse.csr_array((np.ones(len(row)), (group, row)), shape)


def borne(lines: pd.DataFrame) -> pd.DataFrame:
    """Return which lines count in whose total: each in its payer's, and each in that of payer `all`.

    A payer's total leaves out the transfers of EARMARKED, which pay for what the ledger does not hold: pairs that
    sum to zero, so that the payers add up to all.
    """
    return pd.concat([lines[~lines["account"].isin(EARMARKED)], lines.assign(payer=ALL)])


def outcomes(sums: Sums) -> Iterator[tuple[Ints, Floats]]:
    """Yield in turn a few groups that drawn prices move, by position, and their fen in every case (g, R x D)."""
    moved = np.flatnonzero((np.any(sums.moves != 0, axis=1) & np.any(sums.off != 0, axis=1)).any(axis=1))
    cases = sums.fen.shape[1] * sums.off.shape[1]
    for start in range(0, len(moved), max(1, AT_ONCE // cases)):
        few = moved[start : start + max(1, AT_ONCE // cases)]
        yield few, (sums.fen[few][..., None] + sums.moves[few] @ sums.off).reshape(len(few), cases)


def _alike(sums: Sums) -> tuple[Sums, Ints]:
    """Return groups of which no two cost the same whatever happens, and which of them each group is like; (G,).

    What one payer bears alone is also what all bear, and much is the same year after year.
    """
    costs = [fen.tobytes() + moves.tobytes() for fen, moves in zip(sums.fen, sums.moves, strict=True)]
    place = {cost: k for k, cost in enumerate(dict.fromkeys(costs))}
    like = np.array([place[cost] for cost in costs], dtype=np.int64)
    first = np.unique(like, return_index=True)[1]
    return Sums(sums.groups.iloc[first], sums.fen[first], sums.moves[first], sums.off), like


def spread(sums: Sums) -> pd.DataFrame:
    """Return the groups with their mean and spread, in yuan.

    mean, low, high: over replications at central prices, and its 95 % t interval (null with one replication).
    p50, p80, p95: over all replications with all draws of the prices. luck_p50, luck_p80, luck_p95: over
    replications alone, at central prices; what no drawn price moves has the same quantiles there.
    """
    alike, like = _alike(sums)
    luck = np.percentile(alike.fen, PERCENTILES, axis=1)
    drawn = luck.copy()
    for few, fen in outcomes(alike):
        drawn[:, few] = np.percentile(fen, PERCENTILES, axis=1, overwrite_input=True)
    columns = dict(zip(("mean", "low", "high"), mean_interval(alike.fen), strict=True))
    columns |= {f"p{percent}": row for percent, row in zip(PERCENTILES, drawn, strict=True)}
    columns |= {f"luck_p{percent}": row for percent, row in zip(PERCENTILES, luck, strict=True)}
    return sums.groups.assign(**{name: fen[like] / FEN_PER_YUAN for name, fen in columns.items()})


def below_zero(sums: Sums) -> Floats:
    """Return in which share of all replications and draws each group is below zero; nothing is not below it."""
    share = (sums.fen < -HALF_A_FEN).mean(axis=1)
    for few, fen in outcomes(sums):
        share[few] = (fen < -HALF_A_FEN).mean(axis=1)
    return share
