"""The rates a county's forecast rests on: stated in the settings, or estimated from history.csv by township."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sim.config import Settings
from sim.config.enrol import Cohorts
from sim.county import County
from sim.county.history import COUNTY
from sim.errors import BadInput
from sim.plan import Bools, Floats, Ints, freeze
from sim.plan.estimate import (
    area_ratios,
    bounded,
    entrants_of,
    estimated_spread,
    pool_ratios,
)
from sim.plan.estimate import entry_level as level_of

GRADES = 9
_YOUNG = slice(0, 3)
"""Grades whose rolls say how many children a hamlet sends to grade 1."""
_PRIMARY = slice(0, 6)
Origin = Literal["assumed", "estimated", "too_short"]


@dataclass(frozen=True, slots=True)
class Given:
    """Rates of a county: T townships, H hamlets."""

    origin: Origin
    """assumed: stated in the settings; too_short: history was to be used, but has too few years."""
    progression: Floats
    """(T, 8) pupils of the next grade per pupil of a year before, whoever moves to town included."""
    town_rate: Floats
    """(9,) share of rural pupils who move to town on entering a grade, when the town goes on as it did."""
    entry: Floats
    """(H, 2) first graders of the first year, girls and boys, if it sends as many as a usual year."""
    entrants: Floats
    """(T,) first graders a year, from which a township's level is known."""
    spread: Cohorts

    def __post_init__(self) -> None:
        freeze(self)


def given(county: County, settings: Settings) -> Given:
    """Return the rates to use. Raises BadInput when history.csv cannot be estimated from."""
    enrol = settings.enrol
    if enrol.rates == "stated":
        return _stated(county, settings, "assumed")
    years, rolls = township_rolls(county)
    if len(years) < enrol.min_history_years:
        return _stated(county, settings, "too_short")
    return _estimated(county, settings, years, rolls)


def township_rolls(county: County) -> tuple[Ints, Floats]:
    """Return the years of history.csv and its pupils by township and grade; (N,), (N, T, 9).

    A township that begins later than others has none before. Where it tells of the county alone, its rolls are shared
    over the townships as all pupils of today are, so that all have the county's rates.
    """
    history, ids = county.history, county.townships.id
    home = np.unique(county.hamlets.township)
    own = history[history["area_id"] != COUNTY]
    if own.empty:
        return _shared_rolls(county)
    wide = own.pivot(index="year", columns=["area_id", "grade"], values="pupils")
    absent = [ids[t] for t in home if ids[t] not in own["area_id"].unique()]
    if absent:
        raise BadInput(
            f"history.csv: no rolls of {', '.join(absent)}; give them for every township, or only for `{COUNTY}`"
        )
    keys = [(area, grade) for area in ids for grade in range(1, GRADES + 1)]
    wide = wide.reindex(columns=keys).fillna(0.0).sort_index()
    return wide.index.to_numpy(np.int64), wide.to_numpy(float).reshape(len(wide), len(ids), GRADES)


def _shared_rolls(county: County) -> tuple[Ints, Floats]:
    wide = county.history.pivot(index="year", columns="grade", values="pupils").dropna().sort_index()
    wide = wide.reindex(columns=range(1, GRADES + 1)).fillna(0.0)
    now = np.bincount(county.hamlets.township, county.pupils.sum(axis=(1, 2)), len(county.townships.id))
    share = now / max(now.sum(), 1e-300)
    return wide.index.to_numpy(np.int64), wide.to_numpy(float)[:, None, :] * share[:, None]


def _stated(county: County, settings: Settings, origin: Origin) -> Given:
    enrol, towns = settings.enrol, len(county.townships.id)
    rate = np.repeat([enrol.town_rate_primary_per_year, enrol.town_rate_junior_per_year], [6, 3])
    entry = entry_level(county, settings)
    progression = np.tile(np.array(enrol.progression_per_year), (towns, 1))
    return Given(origin, progression, rate, entry, _entrants(county, entry), enrol)


def _estimated(county: County, settings: Settings, years: Ints, rolls: Floats) -> Given:
    """Estimate all rates from rolls by township (N, T, 9).

    The county's progression p is that of all townships together (a county of few pupils shrinks toward stated rates).
    Families who move to town leave a rural township and stay in the county, so the rural townships' rates R are lower:
    the share who move is m = 1 - R / p. What a township does beyond that, with the arrivals in town counted there, is
    its own factor, shrunken toward 1.
    """
    enrol = settings.enrol
    stated, k = np.array(enrol.progression_per_year), enrol.ratio_shrinkage_pupils
    pool = bounded(pool_ratios(rolls, enrol.pool_transitions, stated, k), enrol)
    has_town = np.bincount(county.hamlets.township, county.hamlets.is_town, minlength=rolls.shape[1]) > 0
    move = np.zeros(GRADES)
    if has_town.any() and not has_town.all():
        rural = pool_ratios(rolls[:, ~has_town], enrol.pool_transitions, pool, k)
        move[1:] = np.clip(1 - rural / pool, 0.0, 0.5)
        move[0] = _leaves_before_entry(rolls, has_town, enrol)
    up = rolls[:-1, :, :-1] * pool
    gone = up * move[1:] * ~has_town[:, None]
    arrive = has_town * rolls[:-1].sum(axis=(0, 2)) / max((has_town * rolls[:-1].sum(axis=(0, 2))).sum(), 1e-300)
    expected = up - gone + gone.sum(axis=1, keepdims=True) * arrive[:, None]
    own = area_ratios(rolls, expected, enrol)
    series = dict(zip(county.births.years.tolist(), county.births.by_variant["medium"].tolist(), strict=True))
    born = entrants_of(series, enrol, years, "births.csv, variant 'medium'")
    spread = estimated_spread(rolls, expected * own, np.repeat(born[:, None], rolls.shape[1], axis=1), enrol)
    usual = level_of(rolls, enrol)
    late = usual * np.where(has_town, 1.0, (1 - move[0]) ** ((min(len(rolls), enrol.entry_years) - 1) / 2))
    late += has_town * (usual - late).sum() / max(has_town.sum(), 1)  # the mean of some years lags behind the moves
    level = late * born[-1] / max(born[-enrol.entry_years :].mean(), 1e-300)
    entry = entry_level(county, settings, level)
    return Given("estimated", bounded(pool * own, enrol), move, entry, _entrants(county, entry), spread)


def _leaves_before_entry(rolls: Floats, has_town: Bools, enrol: Cohorts) -> float:
    """Return the share of rural families with children about to enter who move to town in a year.

    It is the rate at which the rural share of the county's entrants shrinks (least squares on its logarithm).
    """
    entrants = rolls[-enrol.entry_years :, :, 0]
    rural, everyone = entrants[:, ~has_town].sum(axis=1), entrants.sum(axis=1)
    if (rural <= 0).any():
        return 0.0
    slope = np.polyfit(np.arange(len(rural)), np.log(rural / everyone), 1)[0]
    return float(np.clip(1 - np.exp(slope), 0.0, 0.5))


def entry_level(county: County, settings: Settings, level: Floats | None = None) -> Floats:
    """Say how many children each hamlet sends to grade 1 in a year like the first; (H, 2), girls and boys.

    The county's first graders are shared over the townships by their pupils of grades 1-3 (or `level` (T,) says what
    each has), and within a township by the hamlets' shares: w (share of grades 1-3) + (1 - w) (share of grades 1-6),
    with w = n / (n + area_shrinkage_pupils) and n the hamlet's pupils of grades 1-3, then brought back to the
    township's total. Girls and boys come as in the whole county.
    """
    township = county.hamlets.township
    pupils = county.pupils.astype(float)
    young = pupils[:, _YOUNG].sum(axis=(1, 2))
    weight = young / np.maximum(young + settings.enrol.area_shrinkage_pupils, 1e-300)
    stock = pupils[:, _PRIMARY].sum(axis=(1, 2))
    mixed = weight * share_of(young, township) + (1 - weight) * share_of(stock, township)
    if level is None:
        level = pupils[:, 0].sum() * np.bincount(township, young, len(county.townships.id)) / max(young.sum(), 1.0)
    entrants = level[township] * share_of(mixed, township)
    sexes = pupils.sum(axis=(0, 1))
    return np.asarray(entrants[:, None] * sexes / max(sexes.sum(), 1.0))


def share_of(pupils: Floats, township: Ints) -> Floats:
    """Return each hamlet's share of its township; equal shares where the township has no pupils."""
    size = int(township.max(initial=-1)) + 1
    hamlets = np.bincount(township, minlength=size)[township]
    total = np.bincount(township, pupils, minlength=size)[township]
    return np.where(total > 0, pupils / np.maximum(total, 1e-300), 1.0 / hamlets)


def _entrants(county: County, entry: Floats) -> Floats:
    return np.asarray(np.bincount(county.hamlets.township, entry.sum(axis=1), len(county.townships.id)), dtype=float)
