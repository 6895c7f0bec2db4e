"""The budget: the ledger added up by year, account and payer, with its spread, annualised and discounted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.account.ledger import to_fen
from sim.account.price import EARMARKED, life_years
from sim.config import Settings
from sim.measure.interval import mean_interval, spread_out
from sim.units import FEN_PER_YUAN

Floats = NDArray[np.float64]

TOTAL = "total"
ALL = "all"
LINE = ["account", "nature", "payer"]
COLUMNS = (
    "scenario",
    "year",
    *LINE,
    "mean",
    "low",
    "high",
    "p50",
    "p80",
    "p95",
    "annualised",
    "npv",
    "nominal",
    "replications",
)
PERCENTILES = (50, 80, 95)


def budget(settings: Settings, ledger: pd.DataFrame) -> pd.DataFrame:
    """Add the ledger up by year, account, nature and payer, in yuan, with totals by payer and over all.

    mean, low, high: mean over the replications and its 95 % t interval (null with one replication); p50, p80,
    p95 over the replications; annualised: each purchase spread evenly over its life at the discount rate,
    other money in its year; npv: the mean discounted to the first year; nominal: the mean with inflation.
    Account `total` is the sum of all lines (payer `all`), where transfers vanish, and of each payer's lines
    but the transfers of EARMARKED, which pay for what the ledger does not hold; the payers add up to it.
    A replication without a line has spent nothing there.
    """
    if ledger.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    lines, fen = by_line(ledger)
    lines["annuity"] = _annuity(settings, lines, fen.mean(axis=1))
    lines, fen = _with_totals(lines, fen)
    yuan = fen / FEN_PER_YUAN
    mean, low, high = mean_interval(yuan)
    table = lines.assign(scenario=ledger["scenario"].iloc[0], mean=mean, low=low, high=high)
    for percent, values in zip(PERCENTILES, np.percentile(yuan, PERCENTILES, axis=1), strict=True):
        table[f"p{percent}"] = values
    ahead = (lines["year"] - lines["year"].min()).to_numpy(dtype=float)
    table["annualised"] = lines["annuity"] / FEN_PER_YUAN
    table["npv"] = mean / (1 + settings.account.discount_rate) ** ahead
    table["nominal"] = mean * (1 + settings.account.inflation) ** ahead
    table["replications"] = fen.shape[1]
    return table[list(COLUMNS)]


def by_line(ledger: pd.DataFrame) -> tuple[pd.DataFrame, Floats]:
    """Lay the ledger out: one row per line of the budget and year, one column per replication, in whole fen.

    Every line has a row for every year, so that what was bought earlier still shows what it costs a year.
    """
    replications = np.unique(ledger["replication"].to_numpy())
    fen = ledger.assign(fen=to_fen(ledger["amount_yuan"]))
    lines, _ = spread_out(fen, LINE, "fen", replications)
    years = pd.DataFrame({"year": np.unique(ledger["year"].to_numpy())})
    every = years.merge(lines, how="cross").assign(replication=replications[0], fen=0)
    wanted = ["replication", "year", *LINE, "fen"]
    return spread_out(pd.concat([fen[wanted], every[wanted]]), ["year", *LINE], "fen", replications, 0.0)


def _annuity(settings: Settings, lines: pd.DataFrame, mean_fen: Floats) -> Floats:
    """Return what each line costs a year when purchases are spread over their lives; other money as it is.

    A purchase P that lasts n years costs P r / (1 - (1 + r)^-n) a year, at the discount rate r.
    """
    rate, annuity = settings.account.discount_rate, mean_fen.copy()
    years = lines["year"].to_numpy()
    bought = lines["nature"] == "capital"
    for account in lines.loc[bought, "account"].unique():
        row = np.flatnonzero(bought & (lines["account"] == account))
        life = life_years(settings, account)
        factor = rate / (1 - (1 + rate) ** -life) if rate > 0 else 1 / life
        age = years[row][:, None] - years[row]
        same = lines["payer"].to_numpy()[row][:, None] == lines["payer"].to_numpy()[row]
        annuity[row] = factor * ((age >= 0) & (age < life) & same) @ mean_fen[row]
    return annuity


def _with_totals(lines: pd.DataFrame, fen: Floats) -> tuple[pd.DataFrame, Floats]:
    """Append to the lines of each year the total of every payer and of all; whole fen add up exactly.

    The lines left out of the payers' totals are pairs that sum to zero.
    """
    table = pd.concat([lines, pd.DataFrame(fen, index=lines.index)], axis=1)
    numbers = ["annuity", *range(fen.shape[1])]
    parts = [table]
    for keys in (["year", "payer"], ["year"]):
        counted = table if keys == ["year"] else table[~table["account"].isin(EARMARKED)]
        total = counted.groupby(keys, as_index=False)[numbers].sum()
        parts.append(total.assign(**{"account": TOTAL, "nature": ALL, "payer": total.get("payer", ALL)}))
    whole = pd.concat(parts, ignore_index=True)
    return whole[["year", *LINE, "annuity"]], whole[numbers[1:]].to_numpy(dtype=float)
