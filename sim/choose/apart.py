"""How far plans are from each other, and which of them differ most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def distances(swept: Mapping[str, Sequence[Any]]) -> Floats:
    """Return how far any two plans are apart, from 0 (alike) to 1 (different in all that is swept); (K, K).

    Mean over the swept settings: numbers by their difference as a share of the range, all else 0 or 1
    (Gower 1971, Biometrics 27(4), 857-871).
    """
    return np.mean([_between(values) for values in swept.values()], axis=0)


def _between(values: Sequence[Any]) -> Floats:
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        number = np.array(values, dtype=float)
        return np.abs(number[:, None] - number) / np.ptp(number)
    return np.array([[float(one != other) for other in values] for one in values])


def farthest(far: Floats, chosen: Sequence[int], among: Sequence[int], many: int) -> list[int]:
    """Return so many plans, one after the other the one that is farthest from all that are chosen before it.

    Greedy max-min distance (Gonzalez 1985, Theor. Comput. Sci. 38, 293-306), in the spirit of modelling to generate
    alternatives (Brill, Chang and Hopkins 1982, Management Science 28(3), 221-235). Of equals, the first.
    """
    picked: list[int] = []
    while len(picked) < min(many, len(among)):
        rest = [plan for plan in among if plan not in picked]
        picked.append(max(rest, key=lambda plan: far[plan, [*chosen, *picked]].min()))
    return picked
