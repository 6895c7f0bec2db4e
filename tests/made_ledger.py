"""Ledgers and quantities made by hand: few lines, of which every sum is known."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from sim.account.ledger import to_fen
from sim.account.price import charge_of, unit_price
from sim.config import Price, Settings

Line = tuple[int, int, str, str, str, float, float]
"""replication, year, site, account, payer, quantity, share"""


def ledger(settings: Settings, lines: Iterable[Line]) -> pd.DataFrame:
    """Return the lines as a ledger at the central prices of the settings."""
    columns = ["replication", "year", "site_id", "account", "payer", "quantity", "share"]
    table = pd.DataFrame(lines, columns=columns).assign(scenario="made", payee="outside")
    for name, of in (("nature", "nature"), ("unit", "unit")):
        table[name] = [getattr(charge_of(account), of) for account in table["account"]]
    table["unit_price_yuan"] = [unit_price(settings, account) for account in table["account"]]
    table["amount_yuan"] = to_fen(table["quantity"] * table["unit_price_yuan"] * table["share"]) / 100
    return table


def same(account: str, quantity: float, years: Iterable[int] = (2023,), replications: int = 2) -> list[Line]:
    """Return lines of the county that cost it the same in every year and replication."""
    return [(r, year, "county", account, "county", quantity, 1.0) for year in years for r in range(replications)]


def counted(rows: Iterable[tuple[int | None, int, str, float]]) -> pd.DataFrame:
    """Return quantities of the county: replication (none: the same in all), year, item, quantity."""
    table = pd.DataFrame(rows, columns=["replication", "year", "item", "quantity"])
    return table.assign(scenario="made", site_id="county", unit="one").astype({"replication": "Int64"})


def priced(settings: Settings, **ranges: tuple[float, float, float]) -> Settings:
    """Return settings in which some entries of the price list have another low, central and high."""
    changed = {
        item: settings.prices[item].model_copy(update=dict(zip(("low", "central", "high"), values, strict=True)))
        for item, values in ranges.items()
    }
    return settings.model_copy(update={"prices": {**settings.prices, **changed}})


def certain(settings: Settings, *but: str) -> Settings:
    """Return settings in which no price is uncertain, but those named."""
    at = {item: (price.central,) * 3 for item, price in settings.prices.items() if item not in but}
    return priced(settings, **at)


def of_account(settings: Settings, **choices: object) -> Settings:
    """Return settings with other choices about money."""
    return settings.model_copy(update={"account": settings.account.model_copy(update=choices)})


def chance_of(price: Price, value: float) -> float:
    """Return the chance that a price is not above a value: the law of the draws, the other way round."""
    if value < price.central:
        return float(((value - price.low) / (price.central - price.low)) ** 2 / 2)
    return float(1 - ((price.high - value) / (price.high - price.central)) ** 2 / 2)
