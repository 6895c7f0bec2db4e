"""What closing costs more, or saves, against a county that closes no school and has the same luck."""

from __future__ import annotations

import pandas as pd

from sim.account.amount import TOTAL, Amounts, below_zero, borne, laid_out, spread, summed
from sim.config import Settings

SIGNED = ["quantity", "amount_yuan"]
NAMES = ["account", "payer"]


def difference(settings: Settings, ledger: pd.DataFrame, base_ledger: pd.DataFrame) -> Amounts:
    """Subtract the ledger of not closing from a ledger, line by line.

    In the same replication and at the same drawn price, so that what both have in common vanishes; only replications
    that both have count.
    """
    both = set(ledger["replication"]) & set(base_ledger["replication"])
    lines = pd.concat([ledger, base_ledger.assign(**{name: -base_ledger[name] for name in SIGNED})], ignore_index=True)
    return laid_out(settings, lines[lines["replication"].isin(both)])


def net(amounts: Amounts) -> pd.DataFrame:
    """Tell the difference by year, account and payer, with totals, in yuan; positive: closing costs more.

    p_cheaper: share of all replications and draws in which closing costs less; what costs the same is not cheaper.
    """
    sums = summed(amounts, pd.concat([amounts.lines, borne(amounts.lines).assign(account=TOTAL)])[NAMES])
    table = spread(sums).assign(p_cheaper=below_zero(sums))
    return table.sort_values(["year", *NAMES], ignore_index=True)
