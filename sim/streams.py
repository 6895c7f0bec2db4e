"""Named random streams: luck is a pure function of (seed, replication, purpose, year, day, owner).

A key is made by `numpy.random.SeedSequence` with the fixed-length spawn key (replication, crc32(purpose),
year, day). Below it every owner of luck (a pupil, a leg of a run, a cell of the forecast) has a stable
64-bit number, and a counter-based generator turns (key, owner) into a uniform or a standard normal.
So nobody's luck depends on how many others there are or in which order they are drawn: no table of
reserve places is needed, and adding a pupil, a purpose or a closure moves nobody else.

Generator: "squares", B. Widynski (2020), arXiv:2004.06278, five rounds, 64 bits. Normals: Box-Muller (1958).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numba import njit
from numpy.typing import NDArray

Key = np.uint64
Owners = NDArray[np.uint64]
Floats = NDArray[np.float64]

_HALF = np.uint64(32)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_TOP_53 = np.uint64(11)
_STEP_53 = 2.0**-53
_LOW_32 = np.uint64(2**32 - 1)
_STEP_32 = 2.0**-32


def key(seed: int, replication: int, purpose: str, year: int = 0, day: int = 0) -> Key:
    """Return the key of one named stream; every part below 2^32, so that no two names share a stream."""
    spawn_key = (replication, crc32(purpose.encode()), year, day)
    word = np.random.SeedSequence(seed, spawn_key=spawn_key).generate_state(1, np.uint64)[0]
    return Key(word | np.uint64(1))


def owner(*parts: str | int) -> np.uint64:
    """Return the stable 64-bit number of an owner of luck named by words or numbers."""
    text = "\x1f".join(str(part) for part in parts).encode()
    return np.uint64((crc32(text) << 32) | crc32(text[::-1] + b"!"))


def owners(names: Sequence[str]) -> Owners:
    """Return the numbers of many owners; shape (len(names),)."""
    return np.array([owner(name) for name in names], dtype=np.uint64)


@njit(cache=True, inline="always")
def _squares(counter: np.uint64, key: Key) -> np.uint64:
    x = y = counter * key
    z = y + key
    x = x * x + y
    x = (x >> _HALF) | (x << _HALF)
    x = x * x + z
    x = (x >> _HALF) | (x << _HALF)
    x = x * x + y
    x = (x >> _HALF) | (x << _HALF)
    x = x * x + z
    t = x
    x = (x >> _HALF) | (x << _HALF)
    return t ^ ((x * x + y) >> _HALF)


@njit(cache=True)
def uniform(key: Key, owner_number: np.uint64) -> float:
    """Return one uniform in (0, 1)."""
    return ((_squares(owner_number, key) >> _TOP_53) + 0.5) * _STEP_53


@njit(cache=True)
def normal(key: Key, owner_number: np.uint64) -> float:
    """Return one standard normal."""
    first = uniform(key, _TWO * owner_number)
    second = uniform(key, _TWO * owner_number + _ONE)
    return math.sqrt(-2.0 * math.log(first)) * math.cos(2.0 * math.pi * second)


@njit(cache=True)
def pair(key: Key, owner_number: np.uint64) -> tuple[float, float]:
    """Return two uniforms in (0, 1) for the price of one; each has 32 bits."""
    word = _squares(owner_number, key)
    return ((word >> _HALF) + 0.5) * _STEP_32, ((word & _LOW_32) + 0.5) * _STEP_32


@njit(cache=True)
def uniforms(key: Key, owner_numbers: Owners) -> Floats:
    """Return a uniform for each owner; shape of `owner_numbers` (one axis)."""
    out = np.empty(owner_numbers.shape[0])
    for i in range(owner_numbers.shape[0]):
        out[i] = uniform(key, owner_numbers[i])
    return out


@njit(cache=True)
def normals(key: Key, owner_numbers: Owners) -> Floats:
    """Return a standard normal for each owner; shape of `owner_numbers` (one axis)."""
    out = np.empty(owner_numbers.shape[0])
    for i in range(owner_numbers.shape[0]):
        out[i] = normal(key, owner_numbers[i])
    return out
