"""How numbers are written, and how sure we are of a mean over replications."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from sim.tell.cells import FEWEST, HIDDEN, is_small
from sim.tell.words import Words

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
NONE = "–"
MILLION_YUAN = 1_000_000.0
TEN_THOUSAND_YUAN = 10_000.0
HUNDRED_MILLION_YUAN = 100_000_000.0
MANY = 100
ROUNDING = 1e-9
"""A width of this share of a mean is rounding."""


def interval(values: pd.DataFrame) -> pd.DataFrame:
    """Return mean, low and high of each row (columns: replications): the 95 % t interval of the mean.

    With one replication low and high are NaN: nobody can be sure after one try.
    """
    count = values.notna().sum(axis=1)
    mean = values.mean(axis=1)
    freedom = (count - 1).where(count > 1)
    half = stdtrit(freedom, 0.5 + CONFIDENCE / 2) * values.std(axis=1, ddof=1) / np.sqrt(count)
    return pd.DataFrame({"mean": mean, "low": mean - half, "high": mean + half})


def by_replication(
    frame: pd.DataFrame, keys: Sequence[str], value: str, replications: Sequence[int], absent: float = np.nan
) -> pd.DataFrame:
    """Lay a long table out with one row per group and one column per replication, adding up what falls together."""
    wide = frame.groupby([*keys, "replication"], observed=True)[value].sum().unstack("replication")
    return wide.reindex(columns=list(replications)).astype(float).fillna(absent)


def number(value: float | None, digits: int | None = None) -> str:
    """Return a number for people: three significant figures or, from 100 on, whole with thousands apart."""
    if value is None or not np.isfinite(value):
        return NONE
    if digits is None:
        digits = 0 if abs(value) >= MANY or float(value).is_integer() else 1
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−") if text.strip("-0.,") else text.lstrip("-")


def masked(count: float, away: bool) -> str:
    """Return a count of pupils, or that it is hidden: too small, or it would give a small one away."""
    if not away:
        return number(count, 0)
    return f"<{FEWEST}" if count < FEWEST else HIDDEN


def span(mean: float, low: float, high: float, digits: int | None = None) -> str:
    """Return a mean with its interval, the mean alone where there is none or it has no width."""
    if not (np.isfinite(low) and np.isfinite(high)) or high - low <= ROUNDING * abs(mean):
        return number(mean, digits)
    if digits is None:
        digits = 0 if max(abs(mean), abs(high)) >= MANY else 1
    return f"{number(mean, digits)} ({number(low, digits)} – {number(high, digits)})"


def pupils(mean: float, low: float = np.nan, high: float = np.nan, public: bool = True) -> str:
    """Return a count of pupils, or of their days, with its interval; public reports hide 1-4."""
    if public and np.isfinite(mean) and is_small(mean):
        return f"<{FEWEST}"
    return span(mean, max(low, 0.0) if np.isfinite(low) else low, high, 0 if abs(mean) >= 2 * FEWEST else None)


def shown_pupils(values: pd.DataFrame, public: bool) -> pd.DataFrame:
    """Return counts of pupils (columns: replications) as they may be drawn: public figures leave out groups of 1-4."""
    small = values.mean(axis=1).map(is_small)
    return values.mask(small, axis=0) if public else values


def percent(share: float | None, digits: int = 0) -> str:
    """Return a share as per cent."""
    return NONE if share is None or not np.isfinite(share) else f"{number(100 * share, digits)}%"


def money_scale(words: Words) -> float:
    """Return how many yuan the unit of large amounts has: a million in English, 万元 in Chinese."""
    return TEN_THOUSAND_YUAN if words.language == "zh" else MILLION_YUAN


def rough(yuan: float) -> float:
    """Return an amount to ten thousand yuan, as public pages tell sums: to the yuan, aid would tell how few get it."""
    return round(yuan / TEN_THOUSAND_YUAN) * TEN_THOUSAND_YUAN


def money(yuan: float | None, words: Words, public: bool = False) -> str:
    """Return an amount with its unit, large ones in million yuan or 万元, very large ones in 亿元.

    `public`: it is a sum on a public page, told to ten thousand yuan; prices and what one of each costs are told whole.
    """
    if yuan is None or not np.isfinite(yuan):
        return NONE
    told, scale = rough(yuan) if public else yuan, money_scale(words)
    if yuan and not told:
        return words("money.little")
    yuan = told
    if abs(yuan) < scale:
        return words("money.small", amount=number(yuan, 0))
    if scale == TEN_THOUSAND_YUAN and abs(yuan) >= HUNDRED_MILLION_YUAN:
        return words("money.huge", amount=number(yuan / HUNDRED_MILLION_YUAN, 2))
    return words("money.large", amount=number(yuan / scale, 0 if public and scale == TEN_THOUSAND_YUAN else 1))
