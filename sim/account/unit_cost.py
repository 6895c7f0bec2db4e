"""What one of everything costs a year: a pupil, a rider, a bus, a km, a bed night, a meal."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.account.amount import Amounts, Floats, Sums, spread, summed
from sim.account.capital import annualised
from sim.account.price import BUS_PURCHASE, charge_of
from sim.config import Settings
from sim.units import FEN_PER_YUAN

PUPILS = ("public_funds_primary", "public_funds_junior")
MEALS = ("meal_breakfast", "meal_lunch", "meal_dinner")
DRIVING = ("bus_km", "driver", "bus_insurance", "bus_inspection")
RUNNING = (*DRIVING, "attendant")
FARES = ("family_fare", "fare_waived")
EVERY = ("county", "upper", "family", "outside")
PUBLIC = ("county", "upper")


class Cost(NamedTuple):
    """A cost that is divided by a number: which accounts and payers, by what is counted."""

    unit: str
    per: tuple[str, ...]
    """Items of quantities.parquet, added up."""
    has: Callable[[str], bool]
    """Whether an account belongs to it."""
    payers: tuple[str, ...] = EVERY


def _serves(purpose: str) -> Callable[[str], bool]:
    return lambda account: charge_of(account).purpose == purpose


def _school_buses(account: str) -> bool:
    return account in RUNNING or account.startswith(BUS_PURCHASE)


COSTS: dict[str, Cost] = {
    "yuan_per_pupil": Cost("yuan/pupil", PUPILS, lambda account: True),
    "yuan_per_rider": Cost("yuan/rider", ("riders",), _school_buses),
    "yuan_per_bus": Cost("yuan/bus", ("buses_owned",), _school_buses),
    "yuan_per_bus_running": Cost("yuan/bus", ("buses_owned",), RUNNING.__contains__),
    "yuan_per_bus_driving": Cost("yuan/bus", ("buses_owned",), DRIVING.__contains__),
    "yuan_per_km": Cost("yuan/km", ("bus_km",), RUNNING.__contains__),
    "public_yuan_per_rider": Cost("yuan/rider", ("riders",), lambda a: _school_buses(a) or a in FARES, PUBLIC),
    "public_yuan_per_bus": Cost("yuan/bus", ("buses_owned",), lambda a: _school_buses(a) or a in FARES, PUBLIC),
    "public_yuan_per_bus_running": Cost("yuan/bus", ("buses_owned",), (*RUNNING, *FARES).__contains__, PUBLIC),
    "fare_per_rider_month": Cost("yuan/rider-month", ("riders",), FARES.__contains__, ("family",)),
    "yuan_per_lodger": Cost("yuan/lodger", ("lodgers",), _serves("lodge")),
    "yuan_per_bed_night": Cost("yuan/bed-night", ("bed_night",), _serves("lodge")),
    "yuan_per_meal": Cost("yuan/meal", MEALS, _serves("dine")),
    "food_yuan_per_meal": Cost("yuan/meal", MEALS, MEALS.__contains__),
}
"""Purchases are spread over their lives. Running: without buying buses; driving: without attendants, too; public:
what county and upper levels bear, after the fares."""
NUMBERS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "riders_per_bus": ("rider/bus", ("riders",), ("buses_owned",)),
    "km_per_bus": ("km/bus", ("bus_km",), ("buses_owned",)),
}
"""Quantities divided by quantities: unit, what, by what."""
MEASURES = (*COSTS, *NUMBERS)
MONTHLY = ("fare_per_rider_month",)
"""Measures of a month in which a fare is paid, not of a year."""


def unit_costs(settings: Settings, amounts: Amounts, quantities: pd.DataFrame) -> pd.DataFrame:
    """Return what one of everything costs in each year, with its spread; nothing where there is none of it.

    `quantities` has the columns of quantities.parquet. Returns the columns of unit_costs.csv but the scenario.
    """
    spent = annualised(settings, amounts)
    tables = [spread(ratio(settings, spent, quantities, measure)).assign(unit=unit_of(measure)) for measure in MEASURES]
    keys = ["year", "measure"]
    columns = [*keys, "mean", "low", "high", "p50", "p80", "p95", "unit"]
    return pd.concat(tables, ignore_index=True).sort_values("year", kind="stable", ignore_index=True)[columns]


def unit_of(measure: str) -> str:
    """Return the unit of a measure."""
    return COSTS[measure].unit if measure in COSTS else NUMBERS[measure][0]


def ratio(settings: Settings, spent: Amounts, quantities: pd.DataFrame, measure: str, yearly: bool = True) -> Sums:
    """Return a measure for each year, or over all years, as sums per unit; `spent` has purchases over their lives."""
    if measure in COSTS:
        cost = COSTS[measure]
        lines, per = belonging(spent.lines, cost), cost.per
        above = summed(spent, lines.assign(measure=measure)[["measure"]], yearly)
    else:
        _, what, per = NUMBERS[measure]
        fen = _by_year(counted(spent, quantities, what), yearly) * FEN_PER_YUAN
        groups = pd.DataFrame({"measure": measure, "year": spent.years[: len(fen)]})
        above = Sums(groups, fen, np.zeros((*fen.shape, len(spent.items))), spent.off)
    months = settings.account.fare_months if measure in MONTHLY else 1.0
    return above.divided(_by_year(counted(spent, quantities, per), yearly)[: len(above.fen)] * months)


def belonging(lines: pd.DataFrame, cost: Cost) -> pd.DataFrame:
    """Return the lines of the ledger that belong to a cost."""
    return lines[lines["account"].map(cost.has) & lines["payer"].isin(cost.payers)]


def counted(amounts: Amounts, quantities: pd.DataFrame, items: tuple[str, ...]) -> Floats:
    """Return how many of some items there are in each year and replication (Y, R)."""
    rows = quantities[quantities["item"].isin(items)]
    year = pd.Index(amounts.years).get_indexer(pd.Index(rows["year"]))
    planned = rows["replication"].isna().to_numpy()
    replication = pd.Index(amounts.replications).get_indexer(pd.Index(rows["replication"].fillna(-1)))
    known, number = (year >= 0) & (planned | (replication >= 0)), rows["quantity"].to_numpy(dtype=float)
    lived, same = known & ~planned, known & planned
    total = np.zeros((len(amounts.years), len(amounts.replications)))
    np.add.at(total, (year[lived], replication[lived]), number[lived])
    return total + np.bincount(year[same], weights=number[same], minlength=len(total))[:, None]


def _by_year(numbers: Floats, yearly: bool) -> Floats:
    """Return numbers (Y, R) as they are, or their sum over the years (1, R)."""
    return numbers if yearly else numbers.sum(axis=0, keepdims=True)
