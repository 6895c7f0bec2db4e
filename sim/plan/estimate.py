"""Rates of cohort survival from rolls: of all areas together (the pool), and of each area, shrunken toward the pool.

Rolls are an array (N, A, G): years, areas, grades. An area's own rate counts with the pupils it rests on beside a
stated number of pupils who behave as the pool does (Gamma-Poisson): so a school of 20 says little, a town much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from sim.config.enrol import Cohorts
from sim.errors import BadInput
from sim.plan import Bools, Floats, Ints

_NEVER = 1e-300
_WIDEST = 0.3
"""Outer bound of an estimated spread: what moves more in a year is wrong in a table, not luck."""
Kind = TypeVar("Kind", bound=Cohorts)


def pool_ratios(rolls: Floats, transitions: int, toward: Floats | float = 1.0, pupils: float = 0.0) -> Floats:
    """Return pupils of the next grade per pupil of a year before, all areas together; (G - 1,).

    Over the latest passages from year to year; of areas that have both grades. So many `pupils` who pass at the rates
    `toward` count beside those seen; these rates hold where nobody could pass.
    """
    latest = slice(-min(transitions, len(rolls) - 1), None)
    both = passes(rolls)
    before = (rolls[:-1, :, :-1] * both)[latest].sum(axis=(0, 1))
    after = (rolls[1:, :, 1:] * both)[latest].sum(axis=(0, 1))
    known = np.maximum(before + pupils, _NEVER)
    return np.where(before > 0, (after + pupils * toward) / known, toward)


def area_ratios(rolls: Floats, expected: Floats, recipe: Cohorts) -> Floats:
    """Return how each area's rates differ from those expected, as a factor; (A, G - 1).

    expected: (N - 1, A, G - 1) pupils of each next grade that the pool's rates lead to. With O those seen over the
    latest passages and E those expected, the factor is (O + k) / (E + k), k = ratio_shrinkage_pupils.
    """
    latest = slice(-min(recipe.area_transitions, len(rolls) - 1), None)
    seen, pool = (rolls[1:, :, 1:] * passes(rolls))[latest].sum(axis=0), expected[latest].sum(axis=0)
    k = max(recipe.ratio_shrinkage_pupils, _NEVER)
    return np.asarray((seen + k) / (pool + k))


def bounded(ratio: Floats, recipe: Cohorts) -> Floats:
    """Return rates of progression within the outer bounds."""
    return np.clip(ratio, recipe.ratio_low, recipe.ratio_high)


def offered(rolls: Floats) -> Bools:
    """Tell which grades an area has: those with a pupil in any year; (A, G)."""
    return np.asarray((rolls > 0).any(axis=0))


def present(rolls: Floats) -> Bools:
    """Tell in which years an area has rolls: those with any pupil; (N, A)."""
    return np.asarray((rolls > 0).any(axis=2))


def passes(rolls: Floats) -> Bools:
    """Tell where an area's pupils can be followed from a grade and year to the next: it has both; (N - 1, A, G - 1)."""
    has, there = offered(rolls), present(rolls)
    return np.asarray((has[:, :-1] & has[:, 1:]) & (there[:-1] & there[1:])[:, :, None])


def entry_level(rolls: Floats, recipe: Cohorts) -> Floats:
    """Return the entrants of the lowest grade that each area sends in a mean year of the latest ones; (A,).

    w (own mean) + (1 - w) (own pupils x the pool's entrants per pupil), w = n / (n + k) with n the area's entrants
    of these years together and k = entry_shrinkage_pupils. The pool's pupils are those of grades that the area has;
    years in which an area had no rolls do not count.
    """
    latest, there = rolls[-recipe.entry_years :, :, 0], present(rolls)[-recipe.entry_years :]
    has = offered(rolls)
    n = latest.sum(axis=0)
    w = n / np.maximum(n + recipe.entry_shrinkage_pupils, _NEVER)
    pool = rolls.sum(axis=1)
    own = n / np.maximum(there.sum(axis=0), 1)
    per_pupil = own[there[-1]].sum() / np.maximum(has @ pool[-1], _NEVER)
    mixed = w * own + (1 - w) * rolls[-1].sum(axis=1) * per_pupil
    return np.where(has[:, 0], mixed, 0.0)


def entrants_of(births: Mapping[int, float], recipe: Cohorts, years: Sequence[int] | Ints, where: str) -> Floats:
    """Return the births that the entrants of each year come from; (Y,).

    Of a year t they are those of t - age - 1 and t - age, in the stated shares; `where` names the table in errors.
    Raises BadInput when births of a year that has a share are missing.
    """
    lags = [(recipe.entry_age_years + k, w) for k, w in zip((1, 0), recipe.entrants_lag_weights, strict=True) if w]
    needed = sorted({int(year) - lag for year in years for lag, _ in lags})
    missing = [year for year in needed if year not in births]
    if missing:
        raise BadInput(
            f"{where}: no births of {', '.join(map(str, missing))}; the entrants of {int(min(years))} to "
            f"{int(max(years))} need the births of {needed[0]} to {needed[-1]}"
        )
    return np.array([sum(w * births[int(year) - lag] for lag, w in lags) for year in years], dtype=float)


def estimated_spread(rolls: Floats, expected: Floats, entrants: Floats, recipe: Kind) -> Kind:
    """Return the recipe with spreads that rest on the rolls, too, where there are enough years of them.

    expected: as for `area_ratios`; entrants: (N, A) first graders that births lead to. By moments, squares of errors
    being a m + b m^2 with m the number expected: a is chance (churn, and the Poisson noise of entrants), b the square
    of an area's spread in a year. What all areas share in a year is taken out first. The stated squares count as
    `spread_prior_years` beside the passages seen.
    """
    if len(rolls) < recipe.spread_from_years:
        return recipe
    seen = len(rolls) - 1
    trust = seen / (seen + recipe.spread_prior_years)
    stated = 2 * recipe.churn_share - recipe.churn_share**2  # n pupils with churn c vary by n (2 c - c^2)
    year, area, chance = _moments(rolls[1:, :, 1:] * passes(rolls), expected, stated)
    there = present(rolls)
    level = entrants * rolls[:, :, 0].sum(axis=0) / np.maximum((entrants * there).sum(axis=0), _NEVER)
    step = rolls[1:, :, 0] - rolls[:-1, :, 0] * level[1:] / np.maximum(level[:-1], _NEVER)
    both = (there[1:] & there[:-1])[:, :, None]
    walk, area_walk, _ = _moments((level[1:] + step)[:, :, None] * both, level[1:, :, None] * both, 2.0, known=True)

    def mixed(stated: float, found: float) -> float:
        return float(np.sqrt(trust * min(found, _WIDEST**2) + (1 - trust) * stated**2))

    churn = 1 - np.sqrt(1 - chance)
    return recipe.model_copy(
        update={
            "churn_share": float(trust * churn + (1 - trust) * recipe.churn_share),
            "progress_sd_county": mixed(recipe.progress_sd_county, year),
            "progress_sd_area": mixed(recipe.progress_sd_area, area),
            "entry_sd_county": mixed(recipe.entry_sd_county, walk),
            "entry_sd_area": mixed(recipe.entry_sd_area, area_walk),
        }
    )


def _moments(seen: Floats, expected: Floats, chance: float, known: bool = False) -> tuple[float, float, float]:
    """Return the squared spread that all areas share in a year, that of an area, and the chance per pupil.

    Arrays (N, A, G). Large cells tell an area's spread, given the stated chance; then cells of any size, all alike,
    tell the chance, unless it is known.
    """
    pool = expected.sum(axis=(1, 2))
    shared = np.log(np.maximum(seen.sum(axis=(1, 2)), 1.0) / np.maximum(pool, 1.0))
    m = expected * np.exp(shared)[:, None, None]
    there = m >= 1.0
    square, size = (seen - m)[there] ** 2, m[there]
    area = max(float((square - chance * size).sum() / max((size**2).sum(), _NEVER)), 0.0)
    if not known and len(size):
        chance = float(np.clip((square / size - area * size).mean(), 0.0, 1.0))
    sampling = (chance / np.maximum(pool, 1.0) + area * (m**2).sum(axis=(1, 2)) / np.maximum(pool, 1.0) ** 2).mean()
    return max(float((shared**2).mean()) - float(sampling), 0.0), area, chance
