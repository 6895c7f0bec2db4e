"""A year's value of each measure, from the weeks that were lived."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.measure import MEASURES

HOW = {name: measure.how for name, measure in MEASURES.items()}
KEYS = ("replication", "year", "site_id", "measure")
WHOLE_WEEK = 0
"""The `day` of rows that speak of a whole week."""


def annual(measures: pd.DataFrame, how: Mapping[str, str] = HOW) -> pd.DataFrame:
    """Turn weekly rows into one value a year: totals add up, means and percentiles are averaged.

    Each week counts `weight` times (weeks of its stratum per week lived). `how` says for each measure: total
    (sum of weight x value), mean or p95 (weighted mean of the weekly values), max (largest week lived; "over
    simulated days"). A measure without an entry is a total. Rows without a value are left out.
    Returns columns replication, year, site_id, measure, value, in the order of these keys.
    """
    told = ((measures["day"] == WHOLE_WEEK) & measures["value"].notna()).to_numpy()
    codes, levels = zip(*(_coded(measures[key]) for key in KEYS), strict=True)
    shape = tuple(max(len(level), 1) for level in levels)
    at = np.ravel_multi_index([code[told] for code in codes], shape)
    there = np.zeros(math.prod(shape), dtype=bool)  # most cells are there: marking them is cheaper than sorting rows
    there[at] = True
    places = np.unravel_index(np.flatnonzero(there), shape)
    years = {key: level.take(place) for key, level, place in zip(KEYS, levels, places, strict=True)}
    ways = np.array([how.get(str(name), "total") for name in levels[-1]], dtype=object)[places[-1]]
    value, weight = (measures[name].to_numpy(dtype=float)[told] for name in ("value", "weight"))
    return pd.DataFrame({**years, "value": _values(value, weight, (np.cumsum(there) - 1)[at], ways)})


def _coded(column: pd.Series) -> tuple[NDArray[np.int64], pd.Index]:
    """Return the position of each value among all values in their order (for words, the alphabet), and those."""
    told = column.astype("category").cat
    levels = told.categories.sort_values()
    return levels.get_indexer(told.categories)[told.codes.to_numpy()], levels


def _values(
    value: NDArray[np.float64], weight: NDArray[np.float64], row: NDArray[np.int64], way: NDArray[np.object_]
) -> NDArray[np.float64]:
    """Return the yearly value of each cell; `row` (weeks) says to which cell a week belongs."""
    total = np.bincount(row, weights=value * weight, minlength=len(way))
    weeks = np.bincount(row, weights=weight, minlength=len(way))
    largest = np.full(len(way), -np.inf)
    np.maximum.at(largest, row, value)
    mean = total / np.where(weeks > 0, weeks, np.nan)
    return np.select([way == "total", way == "max"], [total, largest], mean)
