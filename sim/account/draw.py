"""What uncertain prices may turn out to be: draws that rise and fall together, the same for every scenario and year."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sim import streams
from sim.config import Price, Settings

Floats = NDArray[np.float64]

PURPOSE = "price"


def quantile(price: Price, chance: Floats) -> Floats:
    """Return the price that is not exceeded with the given chances.

    Two triangles back to back: half of the chance lies between low and central, half between central and high, and
    more of it the nearer to central. So `central` is the median, and the mean leans to the wider side:
    F^-1(u) = low + (central - low) sqrt(2u) for u < 1/2, else high - (high - central) sqrt(2 (1 - u)).
    """
    below = price.low + (price.central - price.low) * np.sqrt(2 * np.minimum(chance, 0.5))
    above = price.high - (price.high - price.central) * np.sqrt(2 * np.minimum(1 - chance, 0.5))
    return np.where(chance < 0.5, below, above)


def variance(price: Price) -> float:
    """Return the variance of a price, with a and b the widths below and above: (a^2 + b^2)/12 - (b - a)^2/36."""
    below, above = price.central - price.low, price.high - price.central
    return (below**2 + above**2) / 12 - (above - below) ** 2 / 36


def price_draws(settings: Settings, items: Sequence[str]) -> Floats:
    """Return the drawn prices of each entry of the price list (I, D).

    Luck belongs to the entry's name: another list, scenario or year moves nobody's draws. Prices move together
    through one common factor (a Gaussian copula): z = sqrt(c) common + sqrt(1 - c) own, with c the correlation.
    """
    account = settings.account
    common, prices = _normals(settings, PURPOSE), np.empty((len(items), account.price_draws))
    for row, item in enumerate(items):
        own = _normals(settings, f"{PURPOSE} {item}")
        both = np.sqrt(account.price_correlation) * common + np.sqrt(1 - account.price_correlation) * own
        prices[row] = quantile(settings.prices[item], ndtr(both))
    return prices


def _normals(settings: Settings, purpose: str) -> Floats:
    """Return standard normals (D), each with its mirror image, so that their median is 0."""
    many = settings.account.price_draws
    half = streams.normals(streams.key(settings.seed, 0, purpose), np.arange((many + 1) // 2, dtype=np.uint64))
    return np.concatenate([half, -half])[:many]
