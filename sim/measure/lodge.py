"""What happened in the dormitories: nights and refusals."""

from __future__ import annotations

import numpy as np

from sim.measure.scene import Scene, Values, rows
from sim.measure.site import counts
from sim.operate.diary import Diary


def measures(scene: Scene, diary: Diary, days: range) -> Values:
    """Measure beds and refusals of the days; (S + 1,) each, NaN where nobody lodges or wants to."""
    at = rows(diary, days)
    nights = counts(~np.isnan(diary.to_bed[at]), scene.parts)
    lived = sum(day < len(diary.came) - 1 for day in days) or np.nan
    refused = counts(diary.came[at] & scene.pupils.refused, scene.parts)
    beds = scene.plan.beds.nominal.sum(axis=1)
    none = np.append((beds == 0) & (refused[:-1] == 0), False)
    values = {"beds_occupied": nights / lived, "bed_nights": nights, "bed_refused": refused}
    return {name: np.where(none, np.nan, value) for name, value in values.items()}
