"""What school costs families, by group of pupils: before and after, with and without aid, and where it rises most."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.account.ledger import to_fen
from sim.account.price import entry
from sim.config import Settings
from sim.config.money import Purse
from sim.tables.family import FAMILY
from sim.units import FEN_PER_YUAN

Floats = NDArray[np.float64]


def family(settings: Settings, pupils: pd.DataFrame) -> pd.DataFrame:
    """Return what a pupil's school year costs the family in each group of `family_pupils`, before and after.

    Cost: fares, public buses, own rides, meals at school; aid: nutrition aid and the aid of pupils in hardship.
    `rise` is cost less aid after, less the same before. Rank 1 is the largest rise of a year; equal rises share a rank.
    Returns the columns of family.csv, amounts to the fen.
    Raises BadInput when a price that is needed is missing.
    """
    told = pupils.copy()
    for when in ("before", "after"):
        told[f"cost_{when}"] = _fen(_cost(settings, pupils, when))
        told[f"aid_{when}"] = _fen(_aid(settings, pupils, when))
    told["rise_without_aid"] = _fen(told["cost_after"] - told["cost_before"])
    told["rise"] = _fen(told["rise_without_aid"] - (told["aid_after"] - told["aid_before"]))
    told["rank"] = told.groupby("year")["rise"].rank(method="min", ascending=False).astype(int)
    return told[list(FAMILY.names)]


def _cost(settings: Settings, pupils: pd.DataFrame, when: str) -> Floats:
    """Return the rides and meals of a pupil's year in yuan.

    A ride on the school bus is paid by the month. Like in the ledger, a lodger pays for the share of school days on
    which the lodgers' bus brings them; the others are brought and fetched by their family once a week.
    """
    mode, km = pupils[f"mode_{when}"], pupils[f"km_{when}"].fillna(0.0)
    days, nights, lodges = pupils["school_days"], pupils["nights"], mode == "lodge"
    weeks = days - nights
    by_bus = settings.lodge.bus_share * settings.fleet.lodger_runs
    carried = np.select([mode == "school_bus", lodges], [days, by_bus * weeks], 0.0)
    brought = np.select([mode == "family", lodges], [days, (1 - by_bus) * weeks], 0.0)
    waived = np.where(pupils["hardship"] == "yes", settings.account.hardship_fare_waived, 0.0)
    months = settings.account.fare_months * carried / days.clip(lower=1)
    fare = months * (1 - waived) * _price(settings, "family_fare_per_month")
    line = 2 * days * (mode == "line_bus") * _price(settings, "line_bus_ride") * _share(settings, "public_bus")
    own = 2 * brought * km * _price(settings, "family_km")
    board = nights * lodges * (_price(settings, "meal_breakfast") + _price(settings, "meal_dinner"))
    meals = _lunches(settings, pupils, when) * _price(settings, "meal_lunch") + board
    return np.asarray(fare + line + own + meals * _share(settings, "food"))


def _aid(settings: Settings, pupils: pd.DataFrame, when: str) -> Floats:
    """Return the nutrition aid for each lunch, and the aid of lodgers and day pupils in hardship, in yuan a year."""
    mode = pupils[f"mode_{when}"]
    lodges, junior = mode == "lodge", pupils["level"] == "junior"
    hard = (pupils["hardship"] == "yes") & (mode != "none")
    aid = np.select(
        [hard & lodges & junior, hard & lodges, hard & junior, hard],
        [
            _price(settings, f"hardship_{who}")
            for who in ("lodger_junior", "lodger_primary", "day_junior", "day_primary")
        ],
        0.0,
    )
    return np.asarray(aid + _lunches(settings, pupils, when) * _price(settings, "nutrition_meal"))


def _lunches(settings: Settings, pupils: pd.DataFrame, when: str) -> Floats:
    """Return the lunches of a pupil's year at school, small ones too: all of a lodger's, a share of the others'."""
    mode = pupils[f"mode_{when}"]
    eats = np.select([mode == "lodge", mode == "none"], [1.0, 0.0], settings.dine.lunch_share)
    return np.asarray(pupils["school_days"] * eats)


def _price(settings: Settings, item: str) -> float:
    """Return the central price of an item in yuan. Raises BadInput when the price list lacks it."""
    return entry(settings, item, "family_cost").central


def _fen(yuan: Floats | pd.Series[float]) -> Floats:
    """Round to the fen."""
    return np.asarray(to_fen(yuan) / FEN_PER_YUAN)


def _share(settings: Settings, purse: Purse) -> float:
    """Return the share of a kind of cost that families pay."""
    return settings.account.payers[purse].get("family", 0.0)
