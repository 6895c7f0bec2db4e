"""What drives the spread of the yearly cost: luck, and each uncertain price."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sim.account.amount import Amounts, Floats, Sums, borne, summed
from sim.account.draw import quantile, variance
from sim.config import Settings
from sim.units import FEN_PER_YUAN

LUCK = "luck"
PAYERS = ("all", "county")
CHANCES = np.array([0.1, 0.9])


def drivers(settings: Settings, amounts: Amounts) -> pd.DataFrame:
    """Tell how far luck and each price alone move the mean yearly cost, for all payers and for the county.

    low, high: yuan a year when only this one moves from its 10 % to its 90 % quantile, all else central and mean;
    luck: the quantiles over the replications (null with one). share: of the sum of the variances, each taken alone;
    prices that rise together make the whole wider than that sum. Largest first; what moves less than a fen is left out.
    """
    sums = summed(amounts, borne(amounts.lines)[["payer"]], yearly=False)
    wanted = [row for row, payer in enumerate(sums.groups["payer"]) if payer in PAYERS]
    return pd.concat([_moved(settings, amounts, sums, row) for row in wanted], ignore_index=True)


def _moved(settings: Settings, amounts: Amounts, sums: Sums, row: int) -> pd.DataFrame:
    """Return the drivers of one payer's cost."""
    to_yuan = FEN_PER_YUAN * len(amounts.years)
    yearly, moves = sums.fen[row] / to_yuan, sums.moves[row].mean(axis=0) / to_yuan
    rows = [(LUCK, *_quantiles(yearly), yearly.var(ddof=1) if len(yearly) > 1 else np.nan)]
    for item, more in zip(amounts.items[:-1], moves, strict=False):
        price = settings.prices[item]
        low, high = np.sort(yearly.mean() + more * (quantile(price, CHANCES) - price.central))
        rows.append((item, low, high, more**2 * variance(price)))
    table = pd.DataFrame(rows, columns=["driver", "low", "high", "variance"])
    table = table[~(table["high"] - table["low"] < 1 / FEN_PER_YUAN)]
    table["share"] = table["variance"] / table["variance"].sum()
    table = table.sort_values("share", ascending=False, kind="stable")
    return table.assign(payer=sums.groups["payer"].iloc[row]).drop(columns="variance")


def _quantiles(yearly: Floats) -> tuple[float, float]:
    """Return low and high over the replications; null where there is only one."""
    low, high = np.quantile(yearly, CHANCES) if len(yearly) > 1 else (np.nan, np.nan)
    return low, high
