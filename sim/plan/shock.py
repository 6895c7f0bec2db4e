"""How far a forecast may err: shocks that all areas share, that an area has for itself, and that last.

Logarithms of the factors on entrants and on progression are sums of normals; each factor has the mean 1, so that
the mean of many draws is the forecast. Shocks to entry add up from year to year (a random walk), shocks to an
area's progression last in part: what is wrong this year is wrong next year, too. Therefore the band widens.
Source of the form: back-test on the school districts of New Hampshire, experiments/enrolment.py.
"""

from __future__ import annotations

import numpy as np

from sim.chance import EnrolLuck
from sim.config.enrol import Cohorts
from sim.plan import Floats


def entry_factor(spread: Cohorts, luck: EnrolLuck, entrants: Floats) -> Floats:
    """Return what luck makes of the entrants of each year and area; (Y, A), 1 in year 0.

    entrants: (A,) entrants of a year, from which the area's level is known.
    """
    steps = spread.entry_sd_county * luck.county_entry_z[:, None] + spread.entry_sd_area * luck.area_entry_z
    walk = np.cumsum(_later(steps), axis=0)
    level = _level_variance(spread, entrants)
    year = np.arange(len(walk))[:, None]
    common = spread.common_sd * luck.common_z - spread.common_sd**2 / 2
    lasting = np.sqrt(level) * luck.area_level_z - level / 2 + common
    return np.asarray(np.exp(np.where(year > 0, walk - year * _walk_variance(spread) / 2 + lasting, 0.0)))


def progress_factor(spread: Cohorts, luck: EnrolLuck, grades: int) -> Floats:
    """Return what luck makes of progression in each year and area into each grade but the lowest; (Y, A, G - 1).

    A cohort that passes k times meets the area's lasting drift k times, so its variance grows with k squared;
    the correction of the mean grows with it.
    """
    yearly = (
        spread.progress_sd_county * luck.county_progress_z[:, None] + spread.progress_sd_area * luck.area_progress_z
    )
    lasting = spread.progress_drift_sd_area * luck.area_drift_z[:, None]
    lasting = lasting + spread.progress_grade_sd_area * luck.area_grade_z
    years = np.arange(len(yearly))[:, None]
    passed = np.minimum(years, np.arange(1, grades))
    growth = _passing_variance(spread) + (2 * passed - 1) * spread.progress_drift_sd_area**2
    first = years == 1
    growth = growth + first * spread.common_sd**2
    log = yearly[:, :, None] + lasting + (first * spread.common_sd * luck.common_z)[:, None]
    return np.asarray(np.exp(log - growth[:, None, :] / 2))


def log_covariance(spread: Cohorts, year: int, grades: int, entrants: Floats) -> Floats:
    """Return the covariance of the logarithms of the factors on two grades of an area in a year; (A, G, G).

    Grade g (from 0) has passed k = min(year, g) times; it entered in year e = year - g where that is over 0:

        both entered later:  min(e, e') (walk of the county and the area) + level
        both:                k k' drift + (passings in the same year) yearly + (in the same grade) by grade + common
    """
    grade = np.arange(grades)
    k = np.minimum(year, grade)
    entry = year - grade
    both = (np.minimum.outer(entry, entry) > 0) & (year > 0)
    same_year = np.minimum.outer(k, k)
    same_grade = np.maximum(np.minimum.outer(grade, grade) - np.maximum.outer(grade - k, grade - k), 0)
    shared = spread.progress_drift_sd_area**2 * np.multiply.outer(k, k)
    shared = shared + (spread.progress_sd_county**2 + spread.progress_sd_area**2) * same_year
    shared = shared + spread.progress_grade_sd_area**2 * same_grade + spread.common_sd**2 * (year > 0)
    shared = shared + both * np.minimum.outer(entry, entry) * _walk_variance(spread)
    return np.asarray(shared + _level_variance(spread, entrants)[:, None, None] * both)


def passing_variance_per_pupil(spread: Cohorts, ratio: Floats) -> Floats:
    """Return how uncertain the next year's number is for each pupil of today, by chance alone; shape of `ratio`.

    Of n pupils Binomial(n, s) stay and Poisson(n (r - s)) come, s = (1 - churn) min(r, 1); so the variance is
    n (s (1 - s) + r - s). As r itself varies by v from year to year, min(r, 1) stands for its mean
    (r + 1 - sqrt((1 - r)^2 + v)) / 2.
    """
    gap = np.sqrt((1 - ratio) ** 2 + _passing_variance(spread))
    stays = (1 - spread.churn_share) * (1 + ratio - gap) / 2
    return np.asarray(stays * (1 - stays) + ratio - stays)


def _later(steps: Floats) -> Floats:
    """Return the steps of a walk that begins in year 0, whose entrants are known."""
    return np.concatenate([np.zeros_like(steps[:1]), steps[1:]])


def _walk_variance(spread: Cohorts) -> float:
    return float(spread.entry_sd_county**2 + spread.entry_sd_area**2)


def _level_variance(spread: Cohorts, entrants: Floats) -> Floats:
    """Return the variance of each area's level of entrants; (A,). An area without entrants has nothing to vary."""
    few = spread.entry_level_variance_pupils / np.maximum(entrants, 1.0)
    return np.asarray(np.where(entrants > 0, spread.entry_level_sd**2 + few, 0.0))


def _passing_variance(spread: Cohorts) -> float:
    return float(spread.progress_sd_county**2 + spread.progress_sd_area**2 + spread.progress_grade_sd_area**2)
