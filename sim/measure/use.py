"""What a year used, from its lived weeks: the rows of resources.parquet are made from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

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


@dataclass(frozen=True, slots=True)
class Use:
    """The lived weeks of a year: (week, day, weight, values by measure), and the harm in them."""

    weeks: Weeks
    harmed: Harmed

    def total(self, name: str) -> Floats:
        """Return the weighted total of a measure over the year; (S + 1,)."""
        return np.asarray(sum(weight * np.nan_to_num(values[name]) for _, day, weight, values in self.weeks if not day))

    def mean(self, name: str) -> Floats:
        """Return the weighted mean of a measure over the weeks; NaN where no week has a value; (S + 1,)."""
        whole = [(weight, values[name]) for _, day, weight, values in self.weeks if not day]
        stack = np.array([value for _, value in whole])
        share = np.array([weight for weight, _ in whole])[:, None] * ~np.isnan(stack)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.nansum(stack * share, axis=0) / share.sum(axis=0))

    def peak(self, name: str) -> Floats:
        """Return the largest value of a measure in any lived week; (S + 1,)."""
        return np.asarray(np.max([np.nan_to_num(v[name]) for _, day, _, v in self.weeks if not day], axis=0))

    def harm(self, resource: str, kind: str) -> Floats:
        """Return the year's pupil-days of a harm put down to a resource; (S,)."""
        found = [w * who for w, harms in self.harmed for (what, how, _), who in harms.items()
                 if (what, how) == (resource, kind)]  # fmt: skip
        return np.asarray(np.sum(found, axis=0))

    def school_days(self, scene: Scene) -> Floats:
        """Return the school days of the year; (S,), NaN where there are no pupils."""
        days = self.total("pupils_present") + self.total("absent_pupils")
        return ratio(days[:-1], np.diff(scene.pupils.first).astype(float))


def table(scene: Scene, resource: str, unit: str, unmet_unit: str, keep: Bools, **columns: Floats) -> pd.DataFrame:
    """Lay out the rows of one resource for the schools in `keep`; columns are (S,) arrays, left out: null."""
    frame = pd.DataFrame({"site_id": np.array(scene.county.schools.id, dtype=object)})
    for name in COLUMNS[2:9]:
        frame[name] = columns.get(name, np.nan)
    frame.insert(1, "resource", resource)
    frame["unmet_unit"], frame["unit"] = unmet_unit, unit
    return frame[keep]


def ratio(top: Floats, bottom: Floats) -> Floats:
    """Return top / bottom, NaN where there is nothing below."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), np.nan)
