"""What one of everything costs a year: a pupil, a rider, a bus, a km, a bed night, a meal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.account.amount import Amounts, Floats, Sums, spread, summed
from sim.account.capital import annualised
from sim.account.price import BUS_PURCHASE, charge_of
from sim.config import Settings
from sim.units import FEN_PER_YUAN

PUPILS = ("public_funds_primary", "public_funds_junior")
BUSES = ("buses_owned",)
RIDERS = ("riders",)
MEALS = ("meal_breakfast", "meal_lunch", "meal_dinner")
DRIVING = ("bus_km", "driver", "bus_insurance", "bus_inspection")
RUNNING = (*DRIVING, "attendant")
FARES = ("family_fare", "fare_waived")
PUBLIC = ("county", "upper")
ANYBODY = (*PUBLIC, "family", "outside")


def _serves(purpose: str) -> Callable[[str], bool]:
    return lambda account: charge_of(account).purpose == purpose


def _buses(account: str) -> bool:
    return account in RUNNING or account.startswith(BUS_PURCHASE)


def _buses_less_fares(account: str) -> bool:
    return _buses(account) or account in FARES


class Ratio(NamedTuple):
    """Money, or a quantity, that is divided by a quantity; quantities are items of quantities.parquet, added up."""

    unit: str
    per: tuple[str, ...]
    """What it is divided by."""
    has: Callable[[str], bool] | None
    """Whether an account belongs to it; no account does: `what` is divided."""
    payers: tuple[str, ...] = ANYBODY
    """Whose part of the cost it is."""
    what: tuple[str, ...] = ()
    """What is divided instead of money."""
    monthly: bool = False
    """A month in which a fare is paid, not a year."""


RATIOS: dict[str, Ratio] = {
    "yuan_per_pupil": Ratio("yuan/pupil", PUPILS, lambda account: True),
    "yuan_per_rider": Ratio("yuan/rider", RIDERS, _buses),
    "yuan_per_bus": Ratio("yuan/bus", BUSES, _buses),
    "yuan_per_bus_running": Ratio("yuan/bus", BUSES, RUNNING.__contains__),
    "yuan_per_bus_driving": Ratio("yuan/bus", BUSES, DRIVING.__contains__),
    "yuan_per_km": Ratio("yuan/km", ("bus_km",), RUNNING.__contains__),
    "public_yuan_per_rider": Ratio("yuan/rider", RIDERS, _buses_less_fares, PUBLIC),
    "public_yuan_per_bus": Ratio("yuan/bus", BUSES, _buses_less_fares, PUBLIC),
    "public_yuan_per_bus_running": Ratio("yuan/bus", BUSES, (*RUNNING, *FARES).__contains__, PUBLIC),
    "fare_per_rider_month": Ratio("yuan/rider-month", RIDERS, FARES.__contains__, ("family",), monthly=True),
    "yuan_per_lodger": Ratio("yuan/lodger", ("lodgers",), _serves("lodge")),
    "yuan_per_bed_night": Ratio("yuan/bed-night", ("bed_night",), _serves("lodge")),
    "yuan_per_meal": Ratio("yuan/meal", MEALS, _serves("dine")),
    "food_yuan_per_meal": Ratio("yuan/meal", MEALS, MEALS.__contains__),
    "riders_per_bus": Ratio("rider/bus", BUSES, None, what=RIDERS),
    "km_per_bus": Ratio("km/bus", BUSES, None, what=("bus_km",)),
}
"""Purchases are spread over their lives. Running: without buying buses; driving: without attendants, too; public:
what county and upper levels bear when families have paid their fares."""


def unit_costs(settings: Settings, amounts: Amounts, quantities: pd.DataFrame, yearly: bool = True) -> pd.DataFrame:
    """Return what one of everything costs, in each year or over all years, with its spread.

    `quantities` has the columns of quantities.parquet. What is divided by nothing, in any replication, has no row.
    Returns measure, unit, year (if yearly) and the columns of `spread`.
    """
    months, quantities = settings.account.fare_months, _within(amounts, quantities)
    parts = []
    for above in (_money(annualised(settings, amounts), yearly), _numbers(amounts, quantities, yearly)):
        per = [
            counted(amounts, quantities, RATIOS[measure].per, yearly) * (months if RATIOS[measure].monthly else 1.0)
            for measure in above.groups["measure"].unique()
        ]
        parts.append(_divided(above, np.concatenate(per)))
    table = pd.concat([spread(part) for part in parts], ignore_index=True)
    table["unit"] = [RATIOS[measure].unit for measure in table["measure"]]
    return table.sort_values(["year", "measure"] if yearly else "measure", ignore_index=True)


def belonging(lines: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the lines of the ledger whose money is in a measure; none where no money is."""
    ratio = RATIOS[measure]
    accounts = [account for account in lines["account"].unique() if ratio.has and ratio.has(account)]
    return lines[lines["account"].isin(accounts) & lines["payer"].isin(ratio.payers)]


def _within(amounts: Amounts, quantities: pd.DataFrame) -> pd.DataFrame:
    """Return the quantities of the years and replications of the ledger, of items that are divided or divided by."""
    asked = {item for ratio in RATIOS.values() for item in (*ratio.per, *ratio.what)}
    rows = quantities[quantities["item"].isin(asked) & quantities["year"].isin(amounts.years)]
    return rows[rows["replication"].isna() | rows["replication"].isin(amounts.replications)]


def counted(amounts: Amounts, quantities: pd.DataFrame, items: Sequence[str], yearly: bool) -> Floats:
    """Return how many of some items there are: (Y, R), or (1, R) over all years."""
    rows = quantities[quantities["item"].isin(items)]
    year = np.searchsorted(amounts.years, rows["year"])
    planned, number = rows["replication"].isna().to_numpy(), rows["quantity"].to_numpy(dtype=float)
    total = np.zeros((len(amounts.years), len(amounts.replications)))
    total += np.bincount(year[planned], weights=number[planned], minlength=len(total))[:, None]
    replication = np.searchsorted(amounts.replications, rows["replication"][~planned].to_numpy(dtype=np.int64))
    np.add.at(total, (year[~planned], replication), number[~planned])
    return total if yearly else total.sum(axis=0, keepdims=True)


def _money(spent: Amounts, yearly: bool) -> Sums:
    """Add up the money of every measure."""
    lines = pd.concat([belonging(spent.lines, measure).assign(measure=measure) for measure in RATIOS])
    return summed(spent, lines[["measure"]], yearly)


def _numbers(amounts: Amounts, quantities: pd.DataFrame, yearly: bool) -> Sums:
    """Return the quantities that are divided instead of money, written as if each were a yuan that no price moves."""
    measures = [measure for measure, ratio in RATIOS.items() if ratio.what]
    fen = [counted(amounts, quantities, RATIOS[measure].what, yearly) * FEN_PER_YUAN for measure in measures]
    groups = pd.DataFrame({"measure": measures})
    groups = groups.merge(pd.DataFrame({"year": amounts.years}), how="cross") if yearly else groups
    whole = np.concatenate(fen)
    return Sums(groups, whole, np.zeros((*whole.shape, len(amounts.items))), amounts.off)


def _divided(sums: Sums, per: Floats) -> Sums:
    """Divide the sums by `per` (G, R); groups that would be divided by nothing are left out."""
    known = (per > 0).all(axis=1)
    per = per[known]
    return Sums(sums.groups[known], sums.fen[known] / per, sums.moves[known] / per[..., None], sums.off)
