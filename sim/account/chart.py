"""The chart of accounts: for every account what is counted, which price applies and who shares its cost."""

from __future__ import annotations

import pandas as pd

from sim.account.price import ACCOUNTS, BUS_PURCHASE, EARMARKED, charge_of, life_years
from sim.config import Settings

COLUMNS = (
    "scenario", "account", "nature", "unit", "item", "purse", "payer", "payee", "life_years", "in_total",
)  # fmt: skip


def accounts(settings: Settings) -> pd.DataFrame:
    """Return one row for each account that a ledger with these settings may hold, in the order of the chart.

    item: entry of the price list, null where a quantity is in yuan; purse: whose shares of `account.payers` apply,
    null where payer and payee are fixed; in_total: whether the totals of the payers count it.
    Raises BadInput when the price list says nothing of the life of what is bought.
    """
    rows = []
    for account in (*(BUS_PURCHASE + kind.name for kind in settings.fleet.kinds), *ACCOUNTS):
        charge = charge_of(account)
        life = life_years(settings, account) if charge.nature == "capital" else None
        parts = (charge.nature, charge.unit, charge.item or None, charge.purse or None, charge.payer, charge.payee)
        rows.append((settings.scenario, account, *parts, life, account not in EARMARKED))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"life_years": float, "in_total": int})
