"""Our figures beside those of real counties: inside the band, or outside, and which accounts make them."""

from __future__ import annotations

import pandas as pd

from sim.account.amount import Amounts, summed
from sim.account.capital import annualised
from sim.account.unit_cost import RATIOS, belonging, unit_costs
from sim.config import Settings

COLUMNS = (
    "band", "measure", "value_mean", "value_low", "value_high", "band_low", "band_high", "inside", "because", "source",
    "year",
)  # fmt: skip
LARGEST = 3
"""So many accounts are named as those that make most of a cost."""


def unknown_measures(settings: Settings) -> list[str]:
    """Return which bands are of measures that do not exist; [] when all do."""
    return [
        f"bands.{name}.measure: {band.measure} is no measure of unit_costs.csv; choose one of {', '.join(RATIOS)}"
        for name, band in settings.bands.items()
        if band.measure not in RATIOS
    ]


def bands(settings: Settings, amounts: Amounts, quantities: pd.DataFrame) -> pd.DataFrame:
    """Hold what one of everything costs, over all years, against what it costs elsewhere.

    value_mean, value_low, value_high: mean over the replications and its interval; inside: whether the mean lies in
    the band; because: the accounts that make most of the cost, with their shares, e.g. `driver:0.41;bus_km:0.2`.
    A band of something that there is none of has no row. Returns COLUMNS.
    """
    values = unit_costs(settings, amounts, quantities, yearly=False).set_index("measure")
    spent, rows = annualised(settings, amounts), []
    for name, band in settings.bands.items():
        if band.measure in values.index:
            mean, low, high = values.loc[band.measure, ["mean", "low", "high"]]
            inside, because = band.low <= mean <= band.high, _largest(spent, band.measure)
            value = (name, band.measure, mean, low, high)
            rows.append((*value, band.low, band.high, inside, because, band.source, band.year))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _largest(spent: Amounts, measure: str) -> str:
    """Return the accounts that make most of a cost, with their shares of it; nothing where no money is in it."""
    sums = summed(spent, belonging(spent.lines, measure)[["account"]], yearly=False)
    share = pd.Series(sums.fen.mean(axis=1), index=sums.groups["account"])
    if share.sum() == 0:
        return ""
    share = (share / share.sum()).sort_values(ascending=False, key=abs, kind="stable").head(LARGEST)
    return ";".join(f"{account}:{part:.2g}" for account, part in share.items())
