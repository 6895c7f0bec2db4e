"""The statistics of a choice: which plans can be told apart by cost, and which of them hold the limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sim.config import Choose

Floats = NDArray[np.float64]


def cheapest(costs: Sequence[Floats], first: int, indifference: float, error: float, rivals: int) -> list[int]:
    """Return the plans that may still be the cheapest: one when they are told apart, more when they are not yet.

    costs: what each plan cost in each replication so far, met by the same luck; the same replication has the same
    place. first: replications from which the spread of the differences is estimated. rivals: plans that one plan is
    held against, all of them, also those that are out by now.

    Procedure KN of Kim and Nelson (2001, ACM TOMACS 11(3), 251-273), with c = 1: after r >= n0 replications plan i is
    out if another one's mean is lower by more than W = max(0, delta/(2r) (h^2 S^2/delta^2 - r)), where S^2 is the
    variance of their paired differences over the first n0, h^2 = 2 eta (n0 - 1) and
    eta = ((2 alpha/(k - 1))^(-2/(n0 - 1)) - 1)/2. With normal costs, dependent or not, the cheapest plan stays with a
    probability of at least 1 - alpha if it is cheaper than all others by delta. What r replications say is looked at
    for every r, however many came at a time, so that the order of living decides nothing.
    """
    begin = np.stack([cost[:first] for cost in costs])
    spread = np.var(begin[:, None] - begin[None], axis=2, ddof=1)
    eta = ((2 * error / rivals) ** (-2 / (first - 1)) - 1) / 2
    reach = 2 * eta * (first - 1) * spread / indifference**2
    left, r = np.arange(len(costs)), first
    while len(left) > 1 and r <= min(len(costs[plan]) for plan in left.tolist()):
        mean = np.array([costs[plan][:r].mean() for plan in left.tolist()])
        room = np.maximum(0.0, indifference / (2 * r) * (reach[np.ix_(left, left)] - r))
        dearer = mean[:, None] > mean + room
        twin = np.tril((room == 0) & (mean[:, None] == mean), -1)  # of plans that cost the same, the first one stays
        left, r = left[~(dearer | twin).any(axis=1)], r + 1
    return left.tolist()


@dataclass(frozen=True, slots=True)
class Chances:
    """Whether the chance that the limits hold is large enough, by exact tests of a share (Clopper and Pearson 1934)."""

    rule: Choose

    @property
    def looks(self) -> int:
        """Return how often a plan may be thrown out for its limits: these looks share the error of doing so wrongly.

        They are the screen, each step of the race, and fresh luck.
        """
        rule = self.rule
        return 3 + -(-(rule.replications_most - rule.replications_first) // rule.replications_step)

    def refuted(self, held: int, tries: int) -> bool:
        """Tell whether so few futures hold the limits that their chance is certainly too small."""
        return bool(stats.binom.cdf(held, tries, self.rule.probability) <= self.rule.error / self.looks)

    def needed(self, confirmed: int) -> int:
        """Return how many of the fresh futures have to hold the limits to show that they are enough.

        confirmed: plans that were held against fresh luck before; the error halves each time, so that all together
        err no more often than stated.
        """
        error = self.rule.error * 0.5 ** (confirmed + 1)
        return int(stats.binom.isf(error, self.rule.confirm_replications, self.rule.probability)) + 1

    def promising(self, held: int, tries: int, confirmed: int) -> bool:
        """Tell whether a plan will more likely than not be confirmed, from what was seen of it so far.

        Beta-binomial prediction from Jeffreys' prior: it spares plans a trial they would lose, and proves nothing.
        """
        fresh, needed = self.rule.confirm_replications, self.needed(confirmed)
        return bool(stats.betabinom.sf(needed - 1, fresh, held + 0.5, tries - held + 0.5) > 0.5)


def chance(held: int, tries: int, confidence: float) -> tuple[float, float, float]:
    """Return the share of futures that hold, and the exact interval of its chance (Clopper and Pearson 1934)."""
    found = stats.binomtest(held, tries).proportion_ci(confidence, "exact")
    return held / tries, float(found.low), float(found.high)
