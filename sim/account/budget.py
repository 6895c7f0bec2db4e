"""The budget: the ledger added up by year, account, payer and school, with its spread, annualised and discounted."""

from __future__ import annotations

import pandas as pd

from sim.account.amount import ALL, LINE, TOTAL, Amounts, below_zero, borne, spread, summed
from sim.account.capital import annualised, left_over, present
from sim.config import Settings
from sim.units import FEN_PER_YUAN


def budget(settings: Settings, amounts: Amounts) -> pd.DataFrame:
    """Add the ledger up by year, account, nature and payer, in yuan, with totals by payer and over all.

    Mean and spread as in `spread`. annualised: each purchase spread evenly over its life at the discount rate,
    other money in its year; residual: value left, at the end of the last year, of what was bought in the year;
    npv: the mean discounted to the first year, npv_residual: the same of the residual, which falls due at the end
    of the last year; nominal: the mean with inflation. Account `total` is the sum of all lines (payer `all`), where
    transfers vanish, and of each payer's lines as in `borne`.
    A replication without a line has spent nothing there.
    """
    names = pd.concat([amounts.lines, borne(amounts.lines).assign(account=TOTAL, nature=ALL)])[LINE]
    table = spread(summed(amounts, names))
    for name, other in (("annualised", annualised), ("residual", left_over)):
        table[name] = summed(other(settings, amounts), names).fen.mean(axis=1) / FEN_PER_YUAN
    ahead, rate = table["year"] - amounts.years[0], settings.account.discount_rate
    table["npv"] = table["mean"] / (1 + rate) ** ahead
    table["npv_residual"] = table["residual"] / (1 + rate) ** (amounts.years[-1] - amounts.years[0] + 1)
    table["nominal"] = table["mean"] * (1 + settings.account.inflation) ** ahead
    return table.assign(replications=len(amounts.replications)).sort_values(["year", *LINE], ignore_index=True)


def by_site(amounts: Amounts) -> pd.DataFrame:
    """Add the ledger up by year, school and payer, and payer `all`, in yuan; payers' totals as in `borne`."""
    table = spread(summed(amounts, borne(amounts.lines)[["site_id", "payer"]]))
    return table.sort_values(["year", "site_id", "payer"], ignore_index=True)


def all_years(settings: Settings, amounts: Amounts) -> pd.DataFrame:
    """Add all years up, for each payer and for all: one decision is one sum, with its own spread.

    cash: as paid; present: discounted to the first year; present_less_residual: less what is left of the purchases.
    p_below: share of replications and draws in which it is below zero.
    """
    measures = {
        "cash": amounts,
        "present": present(settings, amounts, less_residual=False),
        "present_less_residual": present(settings, amounts, less_residual=True),
    }
    names = borne(amounts.lines)[["payer"]]
    sums = {measure: summed(each, names, yearly=False) for measure, each in measures.items()}
    tables = [spread(each).assign(measure=measure, p_below=below_zero(each)) for measure, each in sums.items()]
    return pd.concat(tables, ignore_index=True)
