"""Clearly different assignments that are nearly as good as the best."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array, vstack

from sim.plan import Ints
from sim.plan.flow import ROUNDING, best
from sim.plan.program import Choices, Weights, program, solve, weight


def different(choices: Choices, weights: Weights, wanted: int, gap: float, differs: float) -> list[Ints]:
    """Return the best assignment and up to so many others, each nearly as good and clearly different.

    Nearly as good: nobody more is left out, and ways and splits are within `gap` of the best. Clearly different:
    of the pupils with a choice at least the share `differs` goes elsewhere than in each assignment before it.
    Each is the best of those left; (G,) arcs as from `best`. The list ends early when there are no more.
    """
    found = [best(choices, weights)]
    people = np.where(np.bincount(choices.group) > 1, choices.pupils, 0.0)
    base = program(choices, weights)
    out = np.zeros_like(base.cost)
    out[base.arcs : base.arcs + base.groups] = base.cost[base.arcs : base.arcs + base.groups]
    value = _value(choices, weights, found[0])
    rows = [base.cost - out, out]
    high = [value * (1 + gap), out[base.arcs + np.flatnonzero(found[0] < 0)].sum()]
    while people.any() and len(found) <= wanted:
        same = np.zeros_like(base.cost)
        taken = np.where(
            found[-1] >= 0, found[-1], base.arcs + np.arange(base.groups)
        )  # left out again is no other way
        same[taken] = people
        rows.append(same)
        high.append((1 - differs) * people.sum())
        more = replace(
            base,
            rows=csr_array(vstack([base.rows, csr_array(np.array(rows))])),
            low=np.append(base.low, np.full(len(rows), -np.inf)),
            high=np.append(base.high, np.array(high) + ROUNDING),
        )
        try:
            found.append(solve(choices, more, weights.gap))
        except LookupError:
            break
    return found


def _value(choices: Choices, weights: Weights, taken: Ints) -> float:
    """Return pupil-minutes of ways and splits of an assignment (G,) of arcs."""
    placed = np.flatnonzero(taken >= 0)
    ways = (weight(choices)[placed] * choices.cost[taken[placed]]).sum()
    used = {(int(choices.family[g]), int(choices.school[taken[g]])) for g in placed}
    return float(ways + weights.split_pupil_min * (len(used) - len({f for f, _ in used})))


def merged(choices: Choices, most: float) -> tuple[Choices, Ints]:
    """Join groups of one hamlet with the same choices; return the choices, and the new group of each (G,).

    Nobody then splits a hamlet for the sake of room. Groups of more than `most` pupils stay apart, as a town quarter
    as a whole finds no school with room.
    """
    ends = np.searchsorted(choices.group, np.arange(len(choices.pupils) + 1))
    keys: dict[tuple[int, bytes, int], int] = {}
    joined = np.empty(len(choices.pupils), dtype=np.int64)
    for group, (low, high) in enumerate(pairwise(ends)):
        alone = group if choices.pupils[group] > most else -1
        key = int(choices.family[group]), choices.school[low:high].tobytes(), alone
        joined[group] = keys.setdefault(key, len(keys))
    arc, place = np.unique(np.stack([joined[choices.group], choices.school]), axis=1, return_inverse=True)
    place = place.ravel()
    counts = weight(choices)
    need = np.zeros((arc.shape[1], choices.need.shape[1]))
    np.add.at(need, place, choices.need)
    share = counts[choices.group] / np.bincount(joined, counts)[joined[choices.group]]
    return Choices(
        group=arc[0],
        school=arc[1],
        cost=np.bincount(place, choices.cost * share).astype(float),
        need=need,
        left=choices.left,
        pupils=np.bincount(joined, choices.pupils).astype(float),
        family=np.array([family for family, *_ in keys]),
        there=choices.there,
    ), joined
