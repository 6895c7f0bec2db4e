"""The mixed-integer program of an assignment, and its solution to a proven gap.

With x = 1 where a group goes to a school, u = 1 where it goes nowhere, z = 1 where a hamlet uses a school, e = schools
of a hamlet beyond the first, y = 1 where a school that may stay too small is used::

    minimise  sum w c x + unplaced_min sum max(p, 1) u + split_pupil_min sum e
    so that   each group: sum x + u = 1;  each resource of each school: sum need x <= what is left
              x <= z;  e >= sum z - 1;  schools that are too small: x <= y, fewest y <= there + sum p x

(c minutes of way, p pupils, w = p, but a little for a group of nobody): the generalised assignment problem with
fixed charges (HiGHS through scipy.optimize, Huangfu and Hall 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import coo_array, csr_array, vstack

from sim.plan import Bools, Floats, Ints

NOBODY = 0.01
"""Pupils that a group of nobody counts as when ways are compared, so that it, too, is given a sensible school."""
WHOLE = 1e-6
"""Distance from a whole number that is rounding."""
EFFORT = 40_000
"""Variables times nodes that a search may visit: it ends at the same point on every machine."""
LARGE = 2_000
"""Variables of a program that is searched to less than one pupil where somebody is left out."""


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
    """The search stops when no assignment can be better by more than this share."""


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
    tight: float
    """Pupil-minutes by which an assignment that leaves somebody out may be worse than the best: under one pupil."""


def weight(choices: Choices) -> Floats:
    """Return what a minute of each group counts; (G,)."""
    return np.maximum(choices.pupils, NOBODY)


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
            weight(choices)[choices.group] * choices.cost,
            weights.unplaced_min * np.maximum(choices.pupils, 1.0),
            *(np.full(many, each) for many, each in zip(size[2:], (0.0, weights.split_pupil_min, 0.0), strict=True)),
        ]
    )
    whole, upper = np.repeat([1, 0, 0, 0, 1], size), np.repeat([1.0, 1.0, 1.0, np.inf, 1.0], size)
    return Program(cost, whole, upper, *rows.all(), arcs, groups, weights.unplaced_min / 2)


def solve(choices: Choices, made: Program, gap: float) -> Ints:
    """Solve a program; return the arc of each group, -1 for none; (G,). Raises LookupError when none is possible.

    The relaxed program, in which groups may be divided, is a bound and nearly the answer: it divides about one hamlet
    at each full school. Those are chosen anew, the others stay; then those who are left out, with all who are where
    they might go. When that is above the bound by more than the share `gap`, or more than `made.tight` where somebody
    is left out, all are chosen together: until it is that near to what is proven, or for so long as EFFORT says. A
    program over LARGE that leaves somebody out is not: the bound is far from it, as groups go as a whole.
    """
    bound = _run(made, np.zeros_like(made.whole))
    if bound.x is None:
        raise LookupError("no assignment keeps these limits")
    family, least = choices.family[choices.group], max(bound.fun, 1.0)
    arc = bound.x[: made.arcs]
    divided = np.isin(family, family[np.abs(arc - arc.round()) > WHOLE])
    found = _run(made, made.whole, gap / 3, np.where(divided, np.nan, arc.round()))
    near = gap * least
    if found.x is not None and _out(made, found).any():
        again = _around(choices, _out(made, found), found.x[: made.arcs].round())
        found = _better(found, _run(made, made.whole, gap / 3, again))
        near = min(near, made.tight) if len(made.cost) <= LARGE else np.inf
    if found.x is None or found.fun - bound.fun > near:
        found = _better(found, _run(made, made.whole, min(near / least, gap)))
    if found.x is None:
        raise LookupError("no assignment keeps these limits")
    taken = np.full(made.groups, -1, dtype=np.int64)
    arcs = np.flatnonzero(found.x[: made.arcs] > 0.5)
    taken[choices.group[arcs]] = arcs
    return taken


def _better(found: OptimizeResult, other: OptimizeResult) -> OptimizeResult:
    return other if other.x is not None and (found.x is None or other.fun < found.fun) else found


def _around(choices: Choices, out: Bools, arc: Floats) -> Floats:
    """Return what arcs (N,) are to stay, nan for those of hamlets left out and of all at the schools they may go to."""
    family = choices.family[choices.group]
    wanted = np.isin(choices.school, choices.school[out[choices.group]]) & (arc > 0)
    return np.where(np.isin(family, np.append(family[wanted], choices.family[out])), np.nan, arc)


def _out(made: Program, found: OptimizeResult) -> Bools:
    return np.asarray(found.x[made.arcs : made.arcs + made.groups] > 0.5)


def _run(made: Program, whole: Ints, gap: float = 0.0, fixed: Floats | None = None) -> OptimizeResult:
    """Let the solver run until it is within a share of the best; fixed: (N,) what arcs are known to be, else nan."""
    low, high = np.zeros_like(made.cost), made.upper.copy()
    if fixed is not None:
        low[: made.arcs] = np.where(np.isnan(fixed), 0.0, fixed)
        high[: made.arcs] = np.where(np.isnan(fixed), 1.0, fixed)
    return milp(
        made.cost,
        constraints=LinearConstraint(made.rows, made.low, made.high),
        integrality=whole,
        bounds=Bounds(low, high),
        options={"mip_rel_gap": gap, "node_limit": max(EFFORT // len(made.cost), 1)},
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
