"""The chart of accounts: for every account what is counted, which price applies and who shares its cost."""

from __future__ import annotations

import pandas as pd

from sim.account.price import EARMARKED, accounts, charge_of, life_years
from sim.config import Settings

COLUMNS = (
    "scenario", "account", "nature", "purpose", "unit", "item", "counts", "purse", "payer", "payee", "life_years",
    "in_total",
)  # fmt: skip


def chart(settings: Settings) -> pd.DataFrame:
    """Return one row for each account that a ledger of these settings may have: the columns of accounts.csv.

    item: entry of the price list, null where the quantity is in yuan; purse: whose shares of `account.payers`
    apply, null where the payer is fixed; in_total: whether the totals of the payers count it.
    """
    rows = []
    for account in accounts(settings):
        charge = charge_of(account)
        life = life_years(settings, account) if charge.nature == "capital" else None
        what = (charge.nature, charge.purpose, charge.unit, charge.item or None, charge.counts or account)
        who = (charge.purse or None, charge.payer, charge.payee)
        rows.append((settings.scenario, account, *what, *who, life, int(account not in EARMARKED)))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"life_years": float})
