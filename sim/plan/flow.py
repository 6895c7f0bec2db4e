"""The best assignment: the shortest ways in all that class places, beds, meals and sizes of schools allow.

A group is the pupils of one hamlet and grade; it goes to one school as a whole. With x = 1 where a group goes to a
school, u = 1 where it goes nowhere, z = 1 where a hamlet uses a school, e = schools of a hamlet beyond the first::

    minimise  sum w c x + unplaced_min sum max(p, 1) u + split_pupil_min sum e
    so that   each group: sum x + u = 1;  each resource of each school: sum need x <= what is left
              x <= z;  e >= sum z - 1;  schools that are too small: x <= y, fewest y <= there + sum p x

(c minutes of way, p pupils, w = p, but a little for a group of nobody): the generalised assignment problem with
fixed charges, solved to a proven gap by HiGHS through scipy.optimize.milp (Huangfu and Hall 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import coo_array, csr_array, vstack

from sim.plan import Bools, Floats, Ints

NOBODY = 0.01
"""Pupils that a group of nobody counts as when ways are compared, so that it, too, is given a sensible school."""
ROUNDING = 1e-6
NODES = 200
"""Nodes that the second search may visit: it ends at the same point on every machine. One has been enough so far."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Groups G, the schools each may go to (arcs N, sorted by group), and what there is at the schools S."""

    group: Ints
    """(N,) group of each arc."""
    school: Ints
    """(N,) school of each arc."""
    cost: Floats
    """(N,) minutes of way of one pupil."""
    need: Floats
    """(N, R) what the group takes there of each resource."""
    left: Floats
    """(S, R) what is left of each resource; infinite where it does not bind."""
    pupils: Floats
    """(G,) pupils of each group."""
    family: Ints
    """(G,) groups of one family number come from one hamlet and are to stay together."""
    there: Floats
    """(S,) pupils who are at each school already."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What else counts beside the ways, see the settings of `assign`."""

    split_pupil_min: float
    unplaced_min: float
    fewest_pupils: int
    gap: float
    """The solver stops when no assignment can be better by more than this share."""


@dataclass(frozen=True, slots=True)
class Program:
    """The mixed-integer program of some choices: variables x (N), u (G), z (Z), e (F), y (schools too small)."""

    cost: Floats
    whole: Ints
    """1: the variable is a whole number."""
    upper: Floats
    rows: csr_array
    low: Floats
    high: Floats
    arcs: int
    groups: int
    gap: float
    tight: float
    """Pupil-minutes by which an assignment that leaves somebody out may be worse than the best: under one pupil."""


def best(choices: Choices, weights: Weights) -> Ints:
    """Return the arc that each group takes in the best assignment, -1 for none; (G,).

    Most limits never bind, so they are added when they are broken (row generation, Dantzig et al. 1954): a hamlet
    whose shortest way leads to a school without a broken limit takes it, the others are chosen together. What is best
    under some of the limits and keeps all of them is best under all of them.
    """
    shortest, split = _shortest(choices)
    full, small = np.zeros(choices.left.shape, dtype=bool), np.zeros(len(choices.there), dtype=bool)
    closely = False  # to less than one pupil, once no more limits are added
    while True:
        scarce = np.asarray(full.any(axis=1))[choices.school]
        busy = split | _any(choices, scarce & (shortest[choices.group] == np.arange(len(choices.group))))
        busy |= _any(choices, small[choices.school])
        taken = np.where(busy[choices.family], -1, shortest)
        _solve_some(choices, weights, taken, busy[choices.family], (full, small), closely)
        broken = _broken(choices, weights, taken)
        kept = not (broken[0] & ~full).any() and not (broken[1] & ~small).any()
        if kept and closely:
            return taken
        closely = kept
        full, small = full | broken[0], small | broken[1]


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


def _solve_some(
    choices: Choices, weights: Weights, taken: Ints, chosen: Bools, limits: tuple[Bools, Bools], closely: bool
) -> None:
    """Choose the best arcs of some groups (G,) under some limits, and write them into `taken`."""
    if not chosen.any():
        return
    full, small = limits
    arcs = np.flatnonzero(chosen[choices.group])
    part = Choices(
        group=(np.cumsum(chosen) - 1)[choices.group[arcs]],
        school=choices.school[arcs],
        cost=choices.cost[arcs],
        need=choices.need[arcs],
        left=np.where(full, choices.left, np.inf),
        pupils=choices.pupils[chosen],
        family=np.unique(choices.family[chosen], return_inverse=True)[1],
        there=np.where(small, choices.there, np.inf),
    )
    found = solve(part, program(part, weights), closely)
    taken[chosen] = np.where(found >= 0, arcs[found], -1)


def different(choices: Choices, weights: Weights, wanted: int, gap: float, differs: float) -> list[Ints]:
    """Return the best assignment and up to so many others, each nearly as good and clearly different.

    Nearly as good: nobody more is left out, and ways and splits are within `gap` of the best. Clearly different:
    of the pupils with a choice at least the share `differs` goes elsewhere than in each assignment before it.
    Each is the best of those left; (G,) arcs as from `best`. The list ends early when there are no more.
    """
    base = program(choices, weights)
    found = [solve(choices, base)]
    weight = _weight(choices)
    chosen = np.bincount(choices.group, minlength=len(weight)) > 1
    out = np.zeros_like(base.cost)
    out[base.arcs : base.arcs + base.groups] = base.cost[base.arcs : base.arcs + base.groups]
    rows = [base.cost - out, out]
    high = [_value(choices, weights, found[0]) * (1 + gap), out[base.arcs + np.flatnonzero(found[0] < 0)].sum()]
    while chosen.any() and len(found) <= wanted:
        same = np.zeros_like(base.cost)
        taken = found[-1][(found[-1] >= 0) & chosen]
        same[taken] = weight[choices.group[taken]]
        rows.append(same)
        high.append((1 - differs) * weight[chosen].sum())
        more = replace(
            base,
            rows=csr_array(vstack([base.rows, csr_array(np.array(rows))])),
            low=np.append(base.low, np.full(len(rows), -np.inf)),
            high=np.append(base.high, np.array(high) + ROUNDING),
        )
        try:
            found.append(solve(choices, more))
        except LookupError:
            break
    return found


def _weight(choices: Choices) -> Floats:
    return np.maximum(choices.pupils, NOBODY)


def _value(choices: Choices, weights: Weights, taken: Ints) -> float:
    """Return pupil-minutes of ways and splits of an assignment (G,) of arcs."""
    placed = np.flatnonzero(taken >= 0)
    ways = (_weight(choices)[placed] * choices.cost[taken[placed]]).sum()
    used = {(int(choices.family[g]), int(choices.school[taken[g]])) for g in placed}
    return float(ways + weights.split_pupil_min * (len(used) - len({f for f, _ in used})))


def merged(choices: Choices) -> tuple[Choices, Ints]:
    """Join groups of one hamlet with the same choices; return the choices, and the new group of each (G,).

    Nobody then splits a hamlet for the sake of room.
    """
    ends = np.searchsorted(choices.group, np.arange(len(choices.pupils) + 1))
    keys: dict[tuple[int, bytes], int] = {}
    joined = np.empty(len(choices.pupils), dtype=np.int64)
    for group, (low, high) in enumerate(pairwise(ends)):
        key = int(choices.family[group]), choices.school[low:high].tobytes()
        joined[group] = keys.setdefault(key, len(keys))
    arc, place = np.unique(np.stack([joined[choices.group], choices.school]), axis=1, return_inverse=True)
    place = place.ravel()
    weight = _weight(choices)
    need = np.zeros((arc.shape[1], choices.need.shape[1]))
    np.add.at(need, place, choices.need)
    share = weight[choices.group] / np.bincount(joined, weight)[joined[choices.group]]
    return Choices(
        group=arc[0],
        school=arc[1],
        cost=np.bincount(place, choices.cost * share).astype(float),
        need=need,
        left=choices.left,
        pupils=np.bincount(joined, choices.pupils).astype(float),
        family=np.array([family for family, _ in keys]),
        there=choices.there,
    ), joined


def program(choices: Choices, weights: Weights) -> Program:
    """Write the choices down as a mixed-integer program."""
    arcs, groups, schools = len(choices.group), len(choices.pupils), len(choices.there)
    several = (np.bincount(choices.family) > 1)[choices.family][choices.group]
    of = np.stack([choices.family[choices.group], choices.school])
    pair, z = np.unique(of[:, several], axis=1, return_inverse=True)
    families, e = np.unique(pair[0], return_inverse=True)
    small = np.isin(np.arange(schools), choices.school) & (choices.there < weights.fewest_pupils)
    size = [arcs, groups, len(e), len(families), int(small.sum())]
    at = [start + np.arange(many) for start, many in zip(np.cumsum([0, *size]), size, strict=False)]
    x, u = at[0], at[1]
    rows = _Rows(sum(size))
    rows.add(groups, [(choices.group, x, 1.0), (np.arange(groups), u, 1.0)], 1.0, 1.0)
    for need, left in zip(choices.need.T, choices.left.T, strict=True):
        binds = np.bincount(choices.school, need, minlength=schools) > left
        here = binds[choices.school]
        rows.add(int(binds.sum()), [(_rank(binds)[choices.school[here]], x[here], need[here])], -np.inf, left[binds])
    row = np.arange(several.sum())
    rows.add(len(row), [(row, x[several], 1.0), (row, at[2][z.ravel()], -1.0)], -np.inf, 0.0)
    rows.add(len(families), [(e, at[2], 1.0), (np.arange(len(families)), at[3], -1.0)], -np.inf, 1.0)
    tiny = small[choices.school]
    row, y = np.arange(tiny.sum()), _rank(small)[choices.school[tiny]]
    rows.add(len(row), [(row, x[tiny], 1.0), (row, at[4][y], -1.0)], -np.inf, 0.0)
    come: list[tuple[Ints, Ints, float | Floats]] = [(y, x[tiny], choices.pupils[choices.group[tiny]])]
    come.append((np.arange(size[4]), at[4], -float(weights.fewest_pupils)))
    rows.add(size[4], come, -choices.there[small], np.inf)
    cost = np.concatenate(
        [
            _weight(choices)[choices.group] * choices.cost,
            weights.unplaced_min * np.maximum(choices.pupils, 1.0),
            *(np.full(many, each) for many, each in zip(size[2:], (0.0, weights.split_pupil_min, 0.0), strict=True)),
        ]
    )
    whole, upper = np.repeat([1, 0, 0, 0, 1], size), np.repeat([1.0, 1.0, 1.0, np.inf, 1.0], size)
    return Program(cost, whole, upper, *rows.all(), arcs, groups, weights.gap, weights.unplaced_min / 2)


def solve(choices: Choices, made: Program, closely: bool = True) -> Ints:
    """Solve a program; return the arc of each group, -1 for none; (G,). Raises LookupError when none is possible.

    Where somebody is left out, a share of the value is worth many pupils: `closely` solves again, to less than one.
    """
    found = _run(made, made.gap, None)
    if found.x is None:
        raise LookupError("no assignment keeps these limits")
    someone_out = (found.x[made.arcs : made.arcs + made.groups] > 0.5).any()
    if closely and someone_out and found.fun - found.mip_dual_bound > made.tight:
        closer = _run(made, made.tight / found.fun, NODES)
        found = closer if closer.x is not None and closer.fun < found.fun else found
    taken = np.full(made.groups, -1, dtype=np.int64)
    arc = np.flatnonzero(found.x[: made.arcs] > 0.5)
    taken[choices.group[arc]] = arc
    return taken


def _run(made: Program, gap: float, nodes: int | None) -> OptimizeResult:
    """Let the solver run until it is within a share of the best, or has visited so many nodes."""
    return milp(
        made.cost,
        constraints=LinearConstraint(made.rows, made.low, made.high),
        integrality=made.whole,
        bounds=Bounds(0.0, made.upper),
        options={"mip_rel_gap": gap, "node_limit": nodes} if nodes else {"mip_rel_gap": gap},
    )


def _rank(mask: Bools) -> Ints:
    """Return the position of each true place among the true ones; shape of `mask`."""
    return np.cumsum(mask) - 1


class _Rows:
    """The rows of a program, put together piece by piece."""

    def __init__(self, columns: int) -> None:
        self.columns, self.parts = columns, [csr_array((0, columns))]
        self.low: list[Floats] = []
        self.high: list[Floats] = []

    def add(
        self,
        many: int,
        cells: Sequence[tuple[Ints, Ints, float | Floats]],
        low: float | Floats,
        high: float | Floats,
    ) -> None:
        """Add so many rows: cells of (row, column, value), and bounds."""
        row, column = (np.concatenate([cell[k] for cell in cells]) for k in (0, 1))
        value = np.concatenate([np.broadcast_to(cell[2], cell[0].shape) for cell in cells])
        self.parts.append(csr_array(coo_array((value, (row, column)), shape=(many, self.columns))))
        self.low.append(np.broadcast_to(low, many).astype(float))
        self.high.append(np.broadcast_to(high, many).astype(float))

    def all(self) -> tuple[csr_array, Floats, Floats]:
        """Return all rows, and their lower and upper bounds."""
        return csr_array(vstack(self.parts)), np.concatenate(self.low), np.concatenate(self.high)
