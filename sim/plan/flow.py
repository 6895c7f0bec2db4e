"""The best assignment: the shortest ways in all that class places, beds, meals and sizes of schools allow.

A group is the pupils of one hamlet and grade; it goes to one school as a whole. See `sim.plan.program`.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sim.plan import Bools, Floats, Ints
from sim.plan.program import Choices, Weights, program, solve, weight

ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class _Part:
    """Hamlets that compete for the same room, apart from all others."""

    groups: Bools
    """(G,)"""
    arcs: Ints
    """Arcs that the best may use, sorted by group."""


def best(choices: Choices, weights: Weights) -> Ints:
    """Return the arc that each group takes in the best assignment, -1 for none; (G,).

    Most limits never bind, so they are added when they are broken (row generation, Dantzig et al. 1954): a hamlet
    whose shortest way leads to a school without a broken limit takes it, the others are chosen together, in parts
    that share no school with a broken limit. What is best under some of the limits and keeps all of them is best
    under all of them.
    """
    shortest, split = _shortest(choices)
    full, small = np.zeros(choices.left.shape, dtype=bool), np.zeros(len(choices.there), dtype=bool)
    while True:
        taken = shortest.copy()
        for part in _parts(choices, weights, shortest, split, (full, small)):
            taken[part.groups] = _solve(choices, weights, part, (full, small))
        broken = _broken(choices, weights, taken)
        if not (broken[0] & ~full).any() and not (broken[1] & ~small).any():
            return taken
        full, small = full | broken[0], small | broken[1]


def _parts(
    choices: Choices, weights: Weights, shortest: Ints, split: Bools, limits: tuple[Bools, Bools]
) -> list[_Part]:
    """Return the groups that are not simply to take their shortest way, apart where nothing ties them together.

    limits: which are broken, of each school's resources (S, R), and of its smallest size (S,).
    """
    full, small = limits
    family = choices.family[choices.group]
    tied = (full[choices.school] & (choices.need > 0)).any(axis=1) | small[choices.school]
    busy = split | _any(choices, small[choices.school])
    busy[choices.family[tied[shortest]]] = True
    useful = busy[family] & (
        small[choices.school] | ~tied | (_at_least(choices, shortest) < _freely(choices, weights, tied))
    )
    link = useful & tied
    size = len(split) + len(choices.there)
    joined = coo_array((np.ones(link.sum()), (family[link], len(split) + choices.school[link])), shape=(size, size))
    part_of = connected_components(joined, directed=False)[1][: len(split)]
    found = []
    for part in np.unique(part_of[busy]).tolist():
        mine = part_of == part
        found.append(_Part(mine[choices.family], np.flatnonzero(useful & mine[family])))
    return found


def _at_least(choices: Choices, shortest: Ints) -> Floats:
    """Return what a hamlet's ways cost at the very least when one of its groups takes an arc; (N,)."""
    cost = weight(choices)[choices.group] * choices.cost
    least = np.bincount(choices.family, cost[shortest])
    return np.asarray(least[choices.family[choices.group]] - cost[shortest][choices.group] + cost)


def _freely(choices: Choices, weights: Weights, tied: Bools) -> Floats:
    """Return what ways and splits of a hamlet need cost at most, if it keeps to schools with room; (N,).

    Either each group takes its shortest such way, or all go to one school; infinite where neither can be. An arc to
    a school without room that costs the hamlet more is in no best assignment.
    """
    families, schools = choices.family.max() + 1, len(choices.there)
    groups = np.bincount(choices.family, minlength=families)
    cost, family = weight(choices)[choices.group] * choices.cost, choices.family[choices.group]
    free = np.flatnonzero(~tied)
    order = free[np.lexsort((choices.school[free], choices.cost[free], choices.group[free]))]
    arc = order[np.unique(choices.group[order], return_index=True)[1]]
    used = np.unique(np.stack([family[arc], choices.school[arc]]), axis=1)[0]
    each = np.bincount(family[arc], cost[arc], minlength=families).astype(float)
    each += weights.split_pupil_min * np.maximum(np.bincount(used, minlength=families) - 1, 0)
    each[np.bincount(family[arc], minlength=families) < groups] = np.inf
    pair = family[free] * schools + choices.school[free]
    one = np.bincount(pair, cost[free], minlength=families * schools).reshape(families, schools)
    able = np.bincount(pair, minlength=families * schools).reshape(families, schools) == groups[:, None]
    return np.asarray(np.minimum(each, np.where(able, one, np.inf).min(axis=1))[family])


def _any(choices: Choices, arcs: Bools) -> Bools:
    """Return which families have one of some arcs (N,); (F,)."""
    return np.bincount(choices.family[choices.group[arcs]], minlength=choices.family.max() + 1) > 0


def _shortest(choices: Choices) -> tuple[Ints, Bools]:
    """Return the cheapest arc of each group (G,), and which families are split by it (F,)."""
    order = np.lexsort((choices.school, choices.cost, choices.group))
    arc = order[np.unique(choices.group[order], return_index=True)[1]]
    used = np.unique(np.stack([choices.family, choices.school[arc]]), axis=1)
    return arc, np.bincount(used[0], minlength=choices.family.max() + 1) > 1


def _broken(choices: Choices, weights: Weights, taken: Ints) -> tuple[Bools, Bools]:
    """Return which limits of which school are broken (S, R), and which schools are used but too small (S,)."""
    placed = taken >= 0
    school = choices.school[taken[placed]]
    used = np.zeros_like(choices.left)
    np.add.at(used, school, choices.need[taken[placed]])
    come = np.bincount(school, choices.pupils[placed], minlength=len(choices.there))
    too_small = (choices.there + come < weights.fewest_pupils - ROUNDING) & np.isin(np.arange(len(come)), school)
    return used > choices.left + ROUNDING, too_small


def _solve(choices: Choices, weights: Weights, part: _Part, limits: tuple[Bools, Bools]) -> Ints:
    """Return the best arcs of the groups of a part, -1 for none, under some limits."""
    groups, arcs = part.groups, part.arcs
    full, small = limits
    met = np.isin(np.arange(len(small)), choices.school[arcs])
    inside = Choices(
        group=(np.cumsum(groups) - 1)[choices.group[arcs]],
        school=choices.school[arcs],
        cost=choices.cost[arcs],
        need=choices.need[arcs],
        left=np.where(full & met[:, None], choices.left, np.inf),
        pupils=choices.pupils[groups],
        family=np.unique(choices.family[groups], return_inverse=True)[1],
        there=np.where(small & met, choices.there, np.inf),
    )
    found = _known(pickle.dumps((inside, weights)))
    return np.where(found >= 0, arcs[found], -1)


@lru_cache(maxsize=512)
def _known(asked: bytes) -> Ints:
    """Solve a part, or recall it: from one trial closure to the next, most parts are the same to the last bit."""
    inside, weights = pickle.loads(asked)
    return solve(inside, program(inside, weights), weights.gap)
