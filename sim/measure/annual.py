"""A year's value of each measure, from the weeks that were lived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    weekly = measures[(measures["day"] == WHOLE_WEEK) & measures["value"].notna()]
    codes, levels = zip(*(_coded(weekly[key]) for key in KEYS), strict=True)
    shape = tuple(max(len(level), 1) for level in levels)
    cell, row = np.unique(np.ravel_multi_index(codes, shape), return_inverse=True)
    places = np.unravel_index(cell, shape)
    ways = np.array([how.get(str(name), "total") for name in levels[-1]], dtype=object)
    years = {key: np.asarray(level)[place] for key, level, place in zip(KEYS, levels, places, strict=True)}
    value = _values(weekly, row, ways[places[-1]] if len(weekly) else np.array([], dtype=object))
    return pd.DataFrame({**years, "value": value})


def _coded(column: pd.Series) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the position of each value among all values in their order (for words, the alphabet), and those."""
    told = column.astype("category").cat
    levels = np.sort(told.categories.to_numpy())
    return np.searchsorted(levels, told.categories)[told.codes], levels


def _values(weekly: pd.DataFrame, row: NDArray[np.int64], way: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the yearly value of each cell; `row` (weeks) says to which cell a week belongs."""
    value, weight = weekly["value"].to_numpy(dtype=float), weekly["weight"].to_numpy(dtype=float)
    total = np.bincount(row, weights=value * weight, minlength=len(way))
    weeks = np.bincount(row, weights=weight, minlength=len(way))
    largest = np.full(len(way), -np.inf)
    np.maximum.at(largest, row, value)
    mean = total / np.where(weeks > 0, weeks, np.nan)
    return np.select([way == "total", way == "max"], [total, largest], mean)
