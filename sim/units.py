"""Units: minute, km, yuan (constant prices), pupil. The one place with 60 and 1000."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

MINUTES_PER_HOUR = 60.0
SECONDS_PER_MINUTE = 60.0
MINUTES_PER_DAY = 24 * 60.0
METRES_PER_KM = 1000.0
FEN_PER_YUAN = 100
DIGITS = 6
"""Quantities and shares of money are kept to a millionth, so that a spreadsheet multiplies the very same numbers."""


def minutes_for(km: float, speed_km_per_h: float) -> float:
    """Return how many minutes a way of `km` takes at a steady speed in km/h."""
    return km / speed_km_per_h * MINUTES_PER_HOUR


def minutes_of(seconds: float) -> float:
    """Return seconds as minutes."""
    return seconds / SECONDS_PER_MINUTE


def to_fen(yuan: pd.Series[float] | NDArray[np.float64]) -> NDArray[np.int64]:
    """Round amounts of yuan to whole fen, halves away from zero, as a spreadsheet does."""
    exact = np.asarray(yuan, dtype=float) * FEN_PER_YUAN
    nudge = 10.0**-DIGITS
    return (np.sign(exact) * np.floor(np.abs(exact) + 0.5 + nudge)).astype(np.int64)
