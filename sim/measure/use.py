"""What a year used, from its lived weeks: the rows of resources.parquet are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.measure.scene import Scene, Values
from sim.plan import Bools, Floats

COLUMNS = (
    "site_id",
    "resource",
    "capacity",
    "demand_peak",
    "utilisation_mean",
    "utilisation_peak",
    "wait_mean_min",
    "wait_p95_min",
    "unmet",
    "unmet_unit",
    "unit",
)
Weeks = list[tuple[int, int, float, Values]]
Harmed = list[tuple[float, dict[tuple[str, str, str], Floats]]]
"""Weight of each lived week and its pupil-days by school of each harm (resource, kind, cause)."""
Rows = dict[str, NDArray[Any]]
"""column of resources.parquet -> values; pandas makes one table of all resources, which is cheaper than many."""


@dataclass(frozen=True, slots=True)
class Use:
    """The lived weeks of a year: (week, day, weight, values by measure), and the harm in them."""

    weeks: Weeks
    harmed: Harmed

    def total(self, name: str) -> Floats:
        """Return the weighted total of a measure over the year; (S + 1,)."""
        weight, value = self._told(name)
        return np.asarray((weight * np.nan_to_num(value)).sum(axis=0))

    def mean(self, name: str) -> Floats:
        """Return the weighted mean of a measure over the weeks; NaN where no week has a value; (S + 1,)."""
        weight, value = self._told(name)
        share = weight * ~np.isnan(value)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.nansum(value * share, axis=0) / share.sum(axis=0))

    def peak(self, name: str) -> Floats:
        """Return the largest value of a measure in any lived week; (S + 1,)."""
        return np.asarray(np.nan_to_num(self._told(name)[1]).max(axis=0))

    def _told(self, name: str) -> tuple[Floats, Floats]:
        """Return the weights of the whole weeks, and the values of a measure in them; (W, 1), (W, S + 1)."""
        weight, value = zip(*((weight, v[name]) for _, day, weight, v in self.weeks if not day), strict=True)
        return np.array(weight)[:, None], np.array(value)

    def harm(self, resource: str, kind: str) -> Floats:
        """Return the year's pupil-days of a harm put down to a resource; (S,)."""
        found = [w * who for w, harms in self.harmed for (what, how, _), who in harms.items()
                 if (what, how) == (resource, kind)]  # fmt: skip
        return np.asarray(np.sum(found, axis=0))

    def school_days(self, scene: Scene) -> Floats:
        """Return the school days of the year; (S,), NaN where there are no pupils."""
        days = self.total("pupils_present") + self.total("absent_pupils")
        return ratio(days[:-1], np.diff(scene.pupils.first).astype(float))


def table(scene: Scene, resource: str, unit: str, unmet_unit: str, keep: Bools, **columns: Floats) -> Rows:
    """Lay out the rows of one resource for the schools in `keep`; columns are (S,) arrays, left out: null."""
    told: dict[str, Any] = {"site_id": np.array(scene.county.schools.id, dtype=object), "resource": resource}
    told |= {**columns, "unmet_unit": unmet_unit, "unit": unit}
    return {name: np.broadcast_to(told.get(name, np.nan), keep.shape)[keep] for name in COLUMNS}


def ratio(top: Floats, bottom: Floats) -> Floats:
    """Return top / bottom, NaN where there is nothing below."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), np.nan)
