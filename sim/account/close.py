"""What help for closed schools costs, and what keeping a school open ties up, at the prices of the list."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.config import Settings
from sim.county import County
from sim.county.facts import SMALL_KINDS
from sim.tables.closing import KINDS

Floats = NDArray[np.float64]

PRICED = ("closures", "grounds", "unplaced")
"""Tables of the plan that say what help is needed, or what a school has that costs."""
POSTS = {
    "teachers": "teacher_year", "temporary": "temporary_year", "life_teachers": "life_teacher_year",
    "wardens": "warden_year", "canteen_workers": "canteen_worker_year", "guards": "guard_year",
}  # fmt: skip
"""Entry of the price list for each post of staff.csv."""


def close_costs(settings: Settings, county: County, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables PRICED with their costs filled in: nothing else in them depends on prices."""
    closures, grounds, unplaced = (tables[name] for name in PRICED)
    grounds = grounds.assign(relief_cost_yuan=relief_cost(settings, grounds["relief_items"]))
    unplaced = unplaced.assign(relief_cost_yuan=relief_cost(settings, unplaced["relief_items"]))
    known = grounds.set_index(["year", "school_id", "ground"])["relief_cost_yuan"]
    first = pd.MultiIndex.from_frame(closures[["year", "school_id", "condition_failed"]])
    closures = closures.assign(
        relief_cost_yuan=known.reindex(first).to_numpy(dtype=float),
        keep_cost_yuan_per_year=_kept(settings, county, closures),
    )
    return dict(zip(PRICED, (closures, grounds, unplaced), strict=True))


def relief_cost(settings: Settings, items: pd.Series[str]) -> Floats:
    """Return what each help costs in yuan, from what is written in `relief_items`; nan where a price is missing."""
    return np.array([_cost(settings, str(each)) if pd.notna(each) else np.nan for each in items], dtype=float)


def _cost(settings: Settings, items: str) -> float:
    parts = [each.split(" ") for each in items.split(KINDS)]
    return sum(float(units) * _price(settings, item) for item, units in parts)


def _price(settings: Settings, item: str) -> float:
    price = settings.prices.get(item)
    return price.central if price else np.nan


def _kept(settings: Settings, county: County, closures: pd.DataFrame) -> Floats:
    """Return what keeping the school of each row of closures.csv costs in a year."""
    school = pd.Index(county.schools.id).get_indexer(pd.Index(closures["school_id"]))
    return keep_cost(settings, county, school, closures["pupils"].to_numpy(dtype=float))


def keep_cost(settings: Settings, county: County, school: NDArray[np.int64], pupils: Floats) -> Floats:
    """Return what keeping schools open costs in a year, in yuan; nan where the price list lacks a price.

    sum over posts (people there x price of a year) + public_funds_primary x max(floor - pupils, 0) for schools funded
    as if they had the floor's pupils, and campus_upkeep_year. The people are those in staff.csv: they stay on the
    payroll when the school closes, so this is what the school ties up, not cash saved. The funds beyond the roll are
    paid by the upper levels and lost when the school closes. school: (N,) positions.
    """
    schools = county.schools
    staff = sum(getattr(schools, post)[school] * _price(settings, item) for post, item in POSTS.items())
    small = np.isin(np.array(schools.kind), SMALL_KINDS)[school]
    missing = np.maximum(settings.account.floor_pupils - pupils, 0.0)
    beside = missing * _price(settings, "public_funds_primary") + _price(settings, "campus_upkeep_year")
    return np.asarray(staff + np.where(small, beside, 0.0))
