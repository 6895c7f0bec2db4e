"""What is bought: how long it lasts, what it costs a year, what is left of it, and when it is bought again."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.account.amount import Amounts, Floats, Ints
from sim.account.price import charge_of, life_years, unit_price
from sim.config import Settings
from sim.units import FEN_PER_YUAN

CAPITAL = "capital"


def annualised(settings: Settings, amounts: Amounts) -> Amounts:
    """Return the amounts with each purchase spread evenly over its life; other money stands in its year.

    A purchase P that lasts n years costs P r / (1 - (1 + r)^-n) in each of them, at the discount rate r.
    """
    life, age = _lives(settings, amounts.lines), _ages(amounts)
    lasts = (age >= 0) & (age < life[:, None, None])
    annuity = lasts * annuity_factor(settings, life)[:, None, None]
    return amounts.weighed(np.where(np.isnan(life)[:, None, None], np.eye(len(amounts.years)), annuity))


def annuity_factor(settings: Settings, life_years: Floats) -> Floats:
    """Return what a thing of price 1 costs a year: r / (1 - (1 + r)^-n), or 1 / n without interest."""
    rate = settings.account.discount_rate
    return rate / (1 - (1 + rate) ** -life_years) if rate > 0 else 1 / life_years


def left_over(settings: Settings, amounts: Amounts) -> Amounts:
    """Return what is left, at the end of the last year, of the value of what was bought in each year.

    Straight line: of n years of life, a thing has used those from the year of buying to the last, both in full.
    """
    return amounts.weighed(_left(settings, amounts)[:, :, None] * np.eye(len(amounts.years)))


def present(settings: Settings, amounts: Amounts, less_residual: bool) -> Amounts:
    """Return the amounts discounted to the first year, less, if asked for, what is left of purchases at the end.

    Cash counts at the beginning of its year, what is left at the end of the last one.
    """
    ahead = amounts.years - amounts.years[0]
    worth = (1 + settings.account.discount_rate) ** -ahead.astype(float)
    weights = np.tile(worth, (len(amounts.lines), 1))
    if less_residual:
        weights = weights - _left(settings, amounts) * (1 + settings.account.discount_rate) ** -(ahead[-1] + 1.0)
    return amounts.weighed(weights[:, :, None] * np.eye(len(worth)))


def capital(settings: Settings, amounts: Amounts) -> pd.DataFrame:
    """Plan what is bought, account by account and year by year: means over the replications, at central prices.

    bought, and of it replaced: as many as wear out in that year at the same site; in_service: bought so far and not
    worn out; mean: yuan paid, by all payers together; annual: what all in service cost a year; residual: what is
    left of the year's purchases at the end of the last year. Years before the first purchase are left out.
    """
    life, age = _lives(settings, amounts.lines)[:, None, None], _ages(amounts)
    bought, years = amounts.moves.mean(axis=2) / FEN_PER_YUAN, len(amounts.years)
    worn_out = _times(age == np.ceil(life), bought)
    columns = {
        "bought": bought,
        "replaced": np.minimum(bought, worn_out),
        "mean": amounts.fen.mean(axis=2) / FEN_PER_YUAN,
        "in_service": _times((age >= 0) & (age < life), bought),
        "annual": annualised(settings, amounts).fen.mean(axis=2) / FEN_PER_YUAN,
        "residual": left_over(settings, amounts).fen.mean(axis=2) / FEN_PER_YUAN,
    }
    names = amounts.lines.loc[np.repeat(amounts.lines.index, years), ["account", "nature"]].reset_index(drop=True)
    rows = names.assign(year=np.tile(amounts.years, len(life)), **{name: n.ravel() for name, n in columns.items()})
    rows = rows[rows["nature"] == CAPITAL].drop(columns="nature")
    table = rows.groupby(["year", "account"], as_index=False).sum()
    table["unit"] = [charge_of(account).unit for account in table["account"]]
    table["unit_price_yuan"] = [unit_price(settings, account) for account in table["account"]]
    table["life_years"] = [life_years(settings, account) for account in table["account"]]
    return table[table["in_service"] > 0].reset_index(drop=True)


def _lives(settings: Settings, lines: pd.DataFrame) -> Floats:
    """Return the years that each line's purchases last (N); NaN for what is not bought."""
    bought = lines.loc[lines["nature"] == CAPITAL, "account"].unique()
    return lines["account"].map({account: life_years(settings, account) for account in bought}).to_numpy(dtype=float)


def _left(settings: Settings, amounts: Amounts) -> Floats:
    """Return which part of a purchase of each year is left at the end of the last (N, Y); none of other money."""
    used = amounts.years[-1] - amounts.years + 1
    return np.nan_to_num(np.clip(1 - used / _lives(settings, amounts.lines)[:, None], 0, None))


def _ages(amounts: Amounts) -> Ints:
    """Return how old in each year (rows) is what was bought in each year (columns)."""
    return amounts.years[:, None] - amounts.years


def _times(weights: NDArray[np.bool_], yearly: Floats) -> Floats:
    """Return for each line (N, Y) its years, made of all years by `weights` (N, Y, Y)."""
    return (weights @ yearly[..., None])[..., 0]
