"""The contest of plans: screen all, race those that may hold their limits, confirm the cheapest, find others near it.

It knows nothing of counties: whoever lives the plans says what they cost and which limits they kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.choose.apart import farthest
from sim.choose.select import Chances, cheapest
from sim.config import Choose
from sim.measure.interval import mean_interval

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SCREEN, RACE, CONFIRM = "screen", "race", "confirm"
"""The stages: screen and race have the same luck, so that the race goes on where the screen ended; the last its own."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a plan in R futures (replications) of Y years."""

    cost: Floats
    """(R,) what a mean year costs, yuan."""
    beyond: Floats
    """(R, Y, L) how far each limit was broken in each year; 0 or less where it was kept."""

    @property
    def kept(self) -> Bools:
        """Tell which limits were kept in each year; (R, Y, L)."""
        return self.beyond <= 0

    def held(self, may_break: int) -> Bools:
        """Tell which futures hold the limits: in all years but so many; (R,)."""
        return (~self.kept.all(axis=2)).sum(axis=1) <= may_break


class Live(Protocol):
    """Lives plans, and returns what was seen of each; a plan that cannot be lived is missing."""

    def __call__(self, stage: str, plans: Sequence[int], replications: int, years: int) -> dict[int, Seen]: ...


@dataclass
class Contest:
    """Plans in contest, and what is known of each."""

    rule: Choose
    years: int
    far: Floats
    """(K, K) how far any two plans are apart."""
    live: Live
    status: dict[int, str] = field(default_factory=dict)
    """What became of a plan: failed, screened_out, infeasible, undecided; missing while it is in the race."""
    seen: dict[str, dict[int, Seen]] = field(default_factory=lambda: {SCREEN: {}, RACE: {}, CONFIRM: {}})
    """What was seen of each plan, by stage."""
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys((SCREEN, RACE, CONFIRM), 0.0))
    """What each stage took."""
    best: int | None = None
    tied: list[int] = field(default_factory=list)
    """Plans whose cost was not told apart from that of the best in the replications allowed."""
    confirmed: list[int] = field(default_factory=list)
    """Plans that were held against fresh luck as the best, in order; the last one may have passed."""
    alternatives: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Prepare the tests."""
        self.chances, self.may_break = Chances(self.rule), self.rule.years_that_may_break(self.years)

    def run(self) -> None:
        """Hold the contest."""
        first = self.rule.replications_first
        self._see(SCREEN, range(len(self.far)), first, min(self.rule.screen_years, self.years))
        self._throw_out(SCREEN, self.seen[SCREEN], "screened_out")
        self._see(RACE, self.left, first)
        self._throw_out(RACE, self.left, "infeasible")
        while self.best is None and len(self.confirmed) < self.rule.confirm_tries:
            candidate = self._candidate()
            if candidate is None:
                break
            self._confirm(candidate)
        if self.best is not None:
            self._find_alternatives(self.best)

    @property
    def left(self) -> list[int]:
        """Return the plans that are still in the race."""
        return [plan for plan in range(len(self.far)) if plan not in self.status]

    def held(self, stage: str, plan: int) -> tuple[int, int]:
        """Return how many futures held the limits, and how many were lived."""
        seen = self.seen[stage][plan].held(self.may_break)
        return int(seen.sum()), len(seen)

    def stage_of(self, plan: int) -> str | None:
        """Return the last stage in which a plan was seen: fresh luck, where there is any, tells most."""
        return next((stage for stage in (CONFIRM, RACE, SCREEN) if plan in self.seen[stage]), None)

    def seems_to_hold(self, plan: int) -> bool:
        """Tell whether at least as many futures as are asked for hold the limits, in all the years of the plan."""
        held, tries = self.held(CONFIRM if plan in self.seen[CONFIRM] else RACE, plan)
        return held >= self.rule.probability * tries

    def dearer(self, plan: int) -> tuple[float, float, float]:
        """Return by how much a plan costs more than the best, with an interval that holds for all plans together.

        Paired by luck; t interval, its error shared by all comparisons (Bonferroni).
        """
        assert self.best is not None
        one, best = self.seen[RACE][plan].cost, self.seen[RACE][self.best].cost
        both = min(len(one), len(best))
        confidence = 1 - (1 - self.rule.correct) / max(1, len(self.far) - 1)
        found = mean_interval((one[:both] - best[:both])[None], confidence)
        return float(found[0][0]), float(found[1][0]), float(found[2][0])

    def _see(self, stage: str, plans: Sequence[int], replications: int, years: int | None = None) -> None:
        """Live plans and note what was seen; a plan that fails is out."""
        if not plans:
            return
        began, years = perf_counter(), years or self.years
        found = self.live(stage, plans, replications, years)
        self.seen[stage].update(found)
        self.status.update({plan: "failed" for plan in plans if plan not in found})
        self.seconds[stage] += perf_counter() - began

    def _throw_out(self, stage: str, plans: Sequence[int] | dict[int, Seen], told: str) -> None:
        """Mark the plans whose limits certainly do not hold often enough."""
        for plan in list(plans):
            if self.chances.refuted(*self.held(stage, plan)):
                self.status[plan] = told

    def _candidate(self) -> int | None:
        """Return the cheapest plan that will likely be confirmed; live more of those that are not told apart."""
        rule, race = self.rule, self.seen[RACE]
        while left := self.left:
            costs = [race[plan].cost for plan in left]
            rivals = len(self.far) - 1
            still = cheapest(costs, rule.replications_first, rule.indifference_yuan, rule.error, rivals)
            contenders = [left[place] for place in still]
            first = min(contenders, key=lambda plan: race[plan].cost.mean())
            likely = self.chances.promising(*self.held(RACE, first), len(self.confirmed))
            if len(contenders) == 1 and likely:
                self.tied = []
                return first
            more = [plan for plan in contenders if len(race[plan].cost) < rule.replications_most]
            if more:
                self._extend(more)
            elif likely:
                self.tied = [plan for plan in contenders if plan != first]
                return first
            else:
                self.status[first] = "undecided"
        return None

    def _extend(self, plans: Sequence[int]) -> None:
        """Live more replications of the plans that have the fewest."""
        have = {plan: len(self.seen[RACE][plan].cost) for plan in plans}
        fewest = min(have.values())
        behind = [plan for plan in plans if have[plan] == fewest]
        self._see(RACE, behind, min(fewest + self.rule.replications_step, self.rule.replications_most))
        self._throw_out(RACE, [plan for plan in behind if plan not in self.status], "infeasible")

    def _confirm(self, plan: int) -> None:
        """Hold a plan against fresh luck: it is the best, or its limits do not hold, or that cannot be told."""
        needed = self.chances.needed(len(self.confirmed))
        self._see(CONFIRM, [plan], self.rule.confirm_replications)
        self.confirmed.append(plan)
        if plan in self.status:
            return
        held, tries = self.held(CONFIRM, plan)
        if held >= needed:
            self.best = plan
        else:
            self.status[plan] = "infeasible" if self.chances.refuted(held, tries) else "undecided"

    def _find_alternatives(self, best: int) -> None:
        """Choose clearly different plans that cost little more and hold the limits with fresh luck, too."""
        rule, race = self.rule, self.seen[RACE]
        most = race[best].cost.mean() * (1 + rule.near_share)
        near = [plan for plan in self.left if plan != best and race[plan].cost.mean() <= most]
        near = [plan for plan in near if self.seems_to_hold(plan)]
        while near and len(self.alternatives) < rule.alternatives:
            picked = farthest(self.far, [best, *self.alternatives], near, rule.alternatives - len(self.alternatives))
            self._see(CONFIRM, picked, rule.alternatives_replications)
            self._throw_out(CONFIRM, [plan for plan in picked if plan not in self.status], "infeasible")
            self.alternatives += [plan for plan in picked if plan not in self.status and self.seems_to_hold(plan)]
            near = [plan for plan in near if plan not in picked]
