"""The budget: the ledger added up by year, account, payer and school, with its spread, annualised and discounted."""

from __future__ import annotations

from collections.abc import Mapping

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
    others = {"annualised": annualised(settings, amounts), "residual": left_over(settings, amounts)}
    whole = (part.assign(account=TOTAL, nature=ALL) for part in borne(amounts.lines))
    table = pd.concat([_added(amounts, others, part[LINE]) for part in (amounts.lines, *whole)])
    ahead, rate = table["year"] - amounts.years[0], settings.account.discount_rate
    table["npv"] = table["mean"] / (1 + rate) ** ahead
    table["npv_residual"] = table["residual"] / (1 + rate) ** (amounts.years[-1] - amounts.years[0] + 1)
    table["nominal"] = table["mean"] * (1 + settings.account.inflation) ** ahead
    return table.assign(replications=len(amounts.replications)).sort_values("year", kind="stable", ignore_index=True)


def _added(amounts: Amounts, others: Mapping[str, Amounts], names: pd.DataFrame) -> pd.DataFrame:
    """Return the lines added up by name, with their spread and the means of the others."""
    means = {name: summed(other, names).fen.mean(axis=1) / FEN_PER_YUAN for name, other in others.items()}
    return spread(summed(amounts, names)).assign(**means)


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
    tables = []
    for measure, each in measures.items():
        sums = [summed(each, part[["payer"]], yearly=False) for part in borne(amounts.lines)]
        tables += [spread(part).assign(measure=measure, p_below=below_zero(part)) for part in sums]
    return pd.concat(tables, ignore_index=True)


def by_site(amounts: Amounts) -> pd.DataFrame:
    """Add the ledger up by year, school and payer, and payer `all`, in yuan; payers' totals as in `borne`."""
    tables = [spread(summed(amounts, part[["site_id", "payer"]])) for part in borne(amounts.lines)]
    keys = ["year", "site_id", "payer"]
    return pd.concat(tables).sort_values(keys, ignore_index=True)[[*keys, "mean", "low", "high", "p50", "p80", "p95"]]
