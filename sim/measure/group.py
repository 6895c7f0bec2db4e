"""What groups of pupils lived: by home and grades, distance, hardship, parents who work away, and sex.

A year adds up by pupil first, for the pupils of a year are the same in all its weeks; groups are made at its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import sparse

from sim.config import Settings
from sim.measure.scene import Scene
from sim.plan import Bools, Floats
from sim.tables.risk import ALL_GRADES, BANDS, OF_GROUPS, OF_HAMLETS
from sim.tables.run import HARM_KINDS

Harm = tuple[str, str, str]
"""(resource, kind, cause)"""
OF_PUPILS = tuple(name for name in OF_GROUPS if name != "pupils")
"""What adds up over the days of each pupil, in the order of the rows of `by_pupil`."""
YOUNG = 0
"""Band of grades 1 to 3."""


def by_pupil(scene: Scene, harms: Mapping[Harm, Bools], door_min: Floats) -> Floats:
    """Return what each pupil lived in the days of a week; (len(OF_PUPILS), N).

    harms: what `pupil.harms` found, (D, N) each; door_min: (D, N) minutes from door to school, NaN where nobody came
    from home. A journey is long when it takes more than the limit on journeys of the pupil's grades.
    """
    days, many = door_min.shape
    came, anyone = ~np.isnan(door_min), np.zeros(door_min.shape, dtype=bool)
    told = {kind: np.zeros(many, dtype=np.int64) for kind in HARM_KINDS}
    for (_, kind, _), who in harms.items():
        if who.any():
            told[kind] += who.sum(axis=0)
            anyone |= who
    told |= {
        "pupil_days": np.full(many, days),
        "harmed": anyone.sum(axis=0),
        "journeys": came.sum(axis=0),
        "journey_min": np.where(came, door_min, 0.0).sum(axis=0),
        "journeys_long": (door_min > _longest(scene)).sum(axis=0),  # NaN is not
    }
    return np.array([told[name] for name in OF_PUPILS], dtype=float)


def _longest(scene: Scene) -> Floats:
    """Return the limit on the journey of each pupil in minutes, infinite where there is none; (N,)."""
    limits = scene.settings.limits.values()
    young, others = (min((one.value for one in limits if one.measure == measure), default=np.inf)
                     for measure in ("door_to_school_young_min_p95", "door_to_school_min_p95"))  # fmt: skip
    return np.where(scene.band == YOUNG, min(young, others), others)


def distances(settings: Settings) -> list[str]:
    """Return the names of the classes of distance in km: `0-1`, ..., `10+`."""
    edges = [0.0, *settings.judge.distances_km]
    return [f"{low:g}-{high:g}" for low, high in pairwise(edges)] + [f"{edges[-1]:g}+"]


def labels(settings: Settings) -> dict[str, Sequence[str]]:
    """Return the groups of all that tells pupils apart but their homes, in order."""
    either = ("no", "yes")
    return {"distance_km": distances(settings), "grades": BANDS, "sex": ("f", "m"), "hardship": either,
            "left_behind": either}  # fmt: skip


def table(scene: Scene, lived: Floats) -> pd.DataFrame:
    """Return what each group lived in the year: by, group, grade_band, measure, value; nothing where it is 0.

    lived: (len(OF_PUPILS), N) what each pupil lived, weighted. The run adds its keys to make groups.parquet of it.
    """
    pupils = scene.pupils
    codes = {
        "hamlet": pupils.hamlet * len(BANDS) + scene.band,
        "distance_km": np.digitize(pupils.km, scene.settings.judge.distances_km),
        "grades": scene.band,
        "sex": pupils.sex,
        "hardship": pupils.hardship.astype(int),
        "left_behind": pupils.parents_away.astype(int),
    }
    groups = [("hamlet", home, band) for home in scene.county.hamlets.id for band in BANDS]
    homes = len(groups)
    groups += [(by, name, ALL_GRADES) for by, names in labels(scene.settings).items() for name in names]
    first = pd.Series(range(len(groups)), [by for by, _, _ in groups]).groupby(level=0).min()
    row = np.concatenate([code + first[by] for by, code in codes.items()])
    column = np.tile(np.arange(len(pupils)), len(codes))
    belongs = sparse.csr_array((np.ones(len(row)), (row, column)), shape=(len(groups), len(pupils)))
    names = [*OF_PUPILS, "pupils"]
    value = belongs @ np.vstack([lived, np.ones(len(pupils))]).T
    told = value != 0
    told[:homes] &= np.isin(names, OF_HAMLETS)
    group, measure = np.nonzero(told)
    keys = (pd.Categorical(word)[group] for word in zip(*groups, strict=True))
    return pd.DataFrame(dict(zip(("by", "group", "grade_band"), keys, strict=True))).assign(
        measure=pd.Categorical.from_codes(measure, names), value=value[told]
    )
