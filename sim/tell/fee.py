"""What a pupil's school year costs a family by its way to school, and what aid there is: read from family.csv."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.tables.family import GROUP_KEY
from sim.tell.run import Run

FIRST_JUNIOR = 7
OWN_RIDE = "family_km"
"""Entry of the price list for a km of pupils whom their family brings."""
WHO = ["junior", "hardship", "mode"]


class Fee(NamedTuple):
    """What a pupil's year costs the family in yuan, and the aid without and with hardship; NaN where it is unknown."""

    cost: float = np.nan
    aid: float = np.nan
    aid_hardship: float = np.nan


class Fees:
    """The fees of a run by level, way to school and km.

    Prices are constant, so any year tells them. Cost grows with the km only where the family drives (see
    `sim.account.family`); that of a group in family.csv is moved from the group's mean km to the own ones.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._known = {(row.junior, row.hardship, row.mode): row for row in _by_way(run).itertuples()}

    def of(self, grade: int, mode: str, km: float) -> Fee:
        """Return what a year costs a pupil of a grade who goes so far by a way."""
        usual, hard = (self._known.get((grade >= FIRST_JUNIOR, hardship, mode)) for hardship in ("no", "yes"))
        group = usual or hard
        if group is None:
            return Fee()
        yuan_per_km = self._drives(group) * self._own_ride
        farther = (km - group.km) * yuan_per_km if yuan_per_km else 0.0
        return Fee(group.cost + farther, *(each.aid if each else np.nan for each in (usual, hard)))

    @property
    def _own_ride(self) -> float:
        price = self.run.settings.prices.get(OWN_RIDE)
        return price.central if price else 0.0

    def _drives(self, group: object) -> float:
        """Return how often a year a family drives a pupil of a group one way."""
        days, nights, mode = group.school_days, group.nights, group.mode  # type: ignore[attr-defined]
        if mode == "family":
            return 2.0 * days
        chosen = self.run.settings
        return 2.0 * (days - nights) * (1 - chosen.lodge.bus_share * chosen.fleet.lodger_runs) * (mode == "lodge")


def _by_way(run: Run) -> pd.DataFrame:
    """Return one group of family.csv for each level, hardship and way to school: cost, aid, km, days and nights."""
    keys = ["year", *GROUP_KEY]
    money, pupils = run.if_there("family.csv"), run.if_there("family_pupils.csv")
    if money.empty or pupils.empty:
        return pd.DataFrame(columns=[*WHO, "cost", "aid", "km", "school_days", "nights"])
    both = money.merge(pupils.drop(columns=["scenario", "pupils"]), on=keys)
    parts = [
        both[["level", "hardship", "school_days", "nights"]].assign(
            **{name: both[f"{name}_{when}"] for name in ("mode", "cost", "aid", "km")}
        )
        for when in ("after", "before")
    ]
    told = pd.concat(parts, ignore_index=True)
    return told.assign(junior=told["level"] == "junior").drop_duplicates(WHO)
