"""What school costs families, by group of pupils: before and after, with and without aid, and where it rises most."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.account.price import entry, shares, unit_price
from sim.config import Settings
from sim.tables.family import FAMILY
from sim.units import FEN_PER_YUAN, to_fen

Floats = NDArray[np.float64]
OWN_RIDE = "family_km"
"""Entry of the price list for a km of pupils whom their family brings; no account of the ledger has it."""


def family(settings: Settings, pupils: pd.DataFrame) -> pd.DataFrame:
    """Return what a pupil's school year costs the family in each group of `family_pupils`, before and after.

    Cost: rides and meals, and what else of theirs the payers' shares let families bear. Aid: for lunches, for the
    living of pupils in hardship, and the fare these need not pay. `rise` is cost less aid after, less the same before.
    Rank 1 is the largest rise of a year; equal rises share a rank.
    Returns the columns of family.csv, amounts to the fen. Raises BadInput when a price that is needed is missing.
    """
    told = pupils.copy()
    for when in ("before", "after"):
        used = _used(settings, pupils, when)
        told[f"cost_{when}"] = _fen(sum(amount * _borne(settings, what) for what, amount in used.items()))
        told[f"aid_{when}"] = _fen(_aid(settings, pupils, when, used))
    told["rise_without_aid"] = _fen(told["cost_after"] - told["cost_before"])
    told["rise"] = _fen(told["rise_without_aid"] - (told["aid_after"] - told["aid_before"]))
    told["rank"] = told.groupby("year")["rise"].rank(method="min", ascending=False).astype(int)
    return told[list(FAMILY.names)]


def _used(settings: Settings, pupils: pd.DataFrame, when: str) -> dict[str, pd.Series[float]]:
    """Return what a pupil who comes on every school day uses in a year, in units of the accounts.

    The fare is paid for the share of school days with a ride to school, as in the ledger: of lodgers, for the days on
    which the lodgers' bus brings them. Lodgers who do not take it are brought and fetched by their family once a week.
    """
    mode, km = pupils[f"mode_{when}"], pupils[f"km_{when}"].fillna(0.0)
    days, nights, lodges = pupils["school_days"], pupils["nights"], mode == "lodge"
    weeks = days - nights
    by_bus = settings.lodge.bus_share * settings.fleet.lodger_runs
    carried = days * (mode == "school_bus") + weeks * lodges * by_bus
    brought = days * (mode == "family") + weeks * lodges * (1 - by_bus)
    slept = nights * lodges
    return {
        "family_fare": settings.account.fare_months * carried / days.clip(lower=1),
        "line_bus_ride": 2.0 * days * (mode == "line_bus"),
        OWN_RIDE: 2.0 * brought * km,
        "bed_night": slept,
        "meal_breakfast": slept,
        "meal_lunch": days * lodges + settings.dine.lunch_share * days * ~mode.isin(["lodge", "none"]),
        "meal_dinner": slept,
    }


def _borne(settings: Settings, account: str) -> float:
    """Return what a family bears of one unit, in yuan."""
    if account == OWN_RIDE:
        return entry(settings, OWN_RIDE, "family_cost").central
    return unit_price(settings, account) * shares(settings, account).get("family", 0.0)


def _aid(settings: Settings, pupils: pd.DataFrame, when: str, used: dict[str, pd.Series[float]]) -> pd.Series[float]:
    """Return the aid for every lunch and, in hardship, the living aid and the fare that is waived, in yuan a year."""
    mode, level = pupils[f"mode_{when}"], np.where(pupils["level"] == "junior", "junior", "primary")
    attends = np.where(mode == "lodge", "lodger", "day")
    rates = [unit_price(settings, f"hardship_{how}_{which}") for how, which in zip(attends, level, strict=True)]
    waived = used["family_fare"] * unit_price(settings, "fare_waived") * settings.account.hardship_fare_waived
    in_hardship = (rates + waived) * ((pupils["hardship"] == "yes") & (mode != "none"))
    return used["meal_lunch"] * unit_price(settings, "nutrition_aid") + in_hardship


def _fen(yuan: pd.Series[float] | Floats | float) -> Floats:
    """Round to the fen."""
    return np.asarray(to_fen(np.asarray(yuan)) / FEN_PER_YUAN)
