"""How last year's forecast did: the county is rolled from the autumn before, and held against this autumn's rolls."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd

from sim.chance import enrol_luck
from sim.config import Settings
from sim.county import County
from sim.county.facts import Hamlets
from sim.county.history import COUNTY
from sim.plan.cohort import expect, where_they_live
from sim.plan.enrol import GRADES, draw_from, outlook
from sim.plan.rates import township_rolls

INTERVALS = {"low_95": 0.025, "low_80": 0.1, "high_80": 0.9, "high_95": 0.975}


def forecast_check(county: County, settings: Settings) -> pd.DataFrame:
    """Return the forecast of the last year of history.csv from the years before, and that year's rolls.

    The columns of forecast_check.csv: one row for each township and one for the county. The forecast is that of
    `sim.plan.enrol` itself, with the settings of today; only the births of the medium series were known then.
    Empty when history has one year only, or births.csv does not reach back far enough.
    """
    years, rolls = township_rolls(county)
    enrol = settings.enrol
    reaches_back = len(years) > 1 and county.births.years.min() <= years[-2] - enrol.entry_age_years - 1
    if not reaches_back:
        return pd.DataFrame()
    year = int(years[-1])
    before = _year_ago(county, rolls[-2], year)
    study = settings.study.model_copy(update={"first_year": year - 1, "years": 2})
    known = settings.model_copy(update={"study": study, "enrol": enrol.model_copy(update={"births": "medium"})})
    then, found, cohorts = outlook(before, known)
    draws = [
        draw_from(before, found, cohorts, enrol_luck(before, settings.seed, r, then), then)[1]
        for r in range(enrol.check_replications)
    ]
    drawn = _areas(before, where_they_live(np.array(draws), cohorts.goal)) if draws else np.empty(0)
    mean = _areas(before, expect(cohorts)[1][None])[0]
    actual, last = (_with_total(rolls[k].sum(axis=1)) for k in (-1, -2))
    ends = {f"{name}_pupils": np.quantile(drawn, q, axis=0) for name, q in INTERVALS.items()} if draws else {}
    frame = pd.DataFrame(
        {"year": year, "area_id": [*county.townships.id, COUNTY], "rates": found.origin, "pupils": actual}
    )
    frame = frame.assign(forecast_pupils=mean, **ends, last_pupils=last)
    error = np.divide(mean - actual, actual, out=np.full(len(mean), np.nan), where=actual > 0)
    there = (actual > 0) | (mean > 0)
    if (county.history["area_id"] == COUNTY).all():
        there[:-1] = False  # nothing is known of single townships
    return frame.assign(error_share=error)[there].reset_index(drop=True)


def _year_ago(county: County, roll: np.ndarray, year: int) -> County:
    """Return the county as it was a year before, with one home for each township and one for its part of the town.

    roll: (T, 9) pupils. A township that holds the town is parted by today's shares. Sexes are not told apart.
    """
    hamlets, towns = county.hamlets, len(county.townships.id)
    now = np.zeros((2, towns, GRADES))
    for part in (0, 1):
        here = hamlets.is_town == bool(part)
        np.add.at(now[part], hamlets.township[here], county.pupils[here].sum(axis=2))
    share = np.divide(now[1], now.sum(axis=0), out=np.zeros_like(now[1]), where=now.sum(axis=0) > 0)
    in_town = np.round(roll * share)
    parts = np.stack([np.round(roll) - in_town, in_town])
    first = {
        (int(t), bool(town)): h
        for h, (t, town) in reversed([*enumerate(zip(hamlets.township, hamlets.is_town, strict=True))])
    }
    homes = sorted(first)
    pupils = np.zeros((len(homes), GRADES, 2), dtype=np.int64)
    for k, (township, town) in enumerate(homes):
        pupils[k, :, 0] = parts[int(town), township]
    history = county.history[county.history["year"] < year]
    return replace(county, hamlets=_some(hamlets, [first[home] for home in homes]), pupils=pupils, history=history)


def _some(hamlets: Hamlets, rows: list[int]) -> Hamlets:
    """Return some of the hamlets."""
    values = ((field.name, getattr(hamlets, field.name)) for field in fields(hamlets))
    some: dict[str, Any] = {
        name: tuple(value[row] for row in rows) if isinstance(value, tuple) else value[rows] for name, value in values
    }
    return Hamlets(**some)


def _areas(county: County, pupils: np.ndarray) -> np.ndarray:
    """Add up pupils (R, H, 9, 2) by township, and of all; (R, T + 1)."""
    total = np.zeros((len(pupils), len(county.townships.id)))
    np.add.at(total.T, county.hamlets.township, pupils.sum(axis=(2, 3)).T)
    return _with_total(total)


def _with_total(pupils: np.ndarray) -> np.ndarray:
    return np.concatenate([pupils, pupils.sum(axis=-1, keepdims=True)], axis=-1)
