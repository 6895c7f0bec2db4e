"""Settings of a choice among many plans: what is cheapest, which limits must hold, and how sure the answer is to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sim.config.kinds import Count, Group, Number, Positive, PositiveCount, Share, Text

Chance = Annotated[float, Field(gt=0, lt=1, strict=True, allow_inf_nan=False)]
Several = Annotated[int, Field(ge=3, le=10_000, strict=True)]
Bounds = Mapping[Text, Number]
KINDS_OF_ERROR = 3
"""A plan that holds is thrown out; a cheaper one is taken for a dearer one; a plan is shown to hold and does not."""


class Choose(Group):
    """Which of many plans is best, and how sure one wants to be of it."""

    objective: Literal["cost_yuan_per_year", "county_cost_yuan_per_year", "family_cost_yuan_per_year"]
    """What is to be least: the yearly cost to all payers, to the county, or to families; mean of all years."""
    limits: tuple[Text, ...]
    """Limits that must hold, by their names in `limits`."""
    schools_share: Share | None
    """Share of the schools at which each of them must hold; null = for the county as a whole."""
    at_most: Bounds | None
    """Measures of the whole county that may be no larger than so much in a year, for example {late_pupils: 9000}."""
    at_least: Bounds | None
    """Measures of the whole county that may be no smaller than so much in a year."""
    years_share: Share
    """A future holds the limits if all of them hold together in at least this share of its years."""
    probability: Chance
    """Share of the possible futures (replications) in which the limits must hold."""
    indifference_yuan: Positive
    """Difference of yearly cost that does not matter."""
    correct: Chance
    """Probability with which the answer is right, all errors of all stages together."""
    screen_years: PositiveCount
    """First years that all plans live, so that those which break the limits by then are out."""
    replications_first: Several
    """Replications of every plan to begin with."""
    replications_step: PositiveCount
    """Replications that plans in the race get at a time."""
    replications_most: Several
    """Most replications of a plan before it is held against fresh luck."""
    confirm_replications: Several
    """Replications with fresh luck that have to show that the limits of the best plan hold."""
    confirm_tries: PositiveCount
    """Most plans that are held against fresh luck before the search ends without an answer."""
    near_share: Share
    """Plans that cost at most this share more than the best are near-optimal."""
    alternatives: Count
    """Clearly different near-optimal plans that are wanted beside the best."""
    alternatives_replications: PositiveCount
    """Replications with fresh luck of each of them."""

    @property
    def error(self) -> float:
        """Return the probability of each kind of error: they share what the answer may be wrong by."""
        return (1 - self.correct) / KINDS_OF_ERROR

    def years_that_may_break(self, years: int) -> int:
        """Return in how many years a future may break the limits and still counts as holding them."""
        return int((1 - self.years_share) * years + 1e-9)

    @model_validator(mode="after")
    def _asks_for_something(self) -> Choose:
        """Refuse a choice without limits: the cheapest plan would be to do nothing."""
        if not (self.limits or self.at_most or self.at_least):
            raise ValueError("limits: name at least one limit that must hold, or a measure in at_most or at_least")
        twice = sorted({*(self.at_most or ())} & {*(self.at_least or ())})
        if twice:
            raise ValueError(f"at_most: {twice[0]} stands in at_least, too; choose one of them")
        return self

    @model_validator(mode="after")
    def _can_be_shown(self) -> Choose:
        """Refuse so few replications that not even a plan that never breaks a limit could be confirmed."""
        if self.replications_most < self.replications_first:
            raise ValueError(
                f"replications_most: {self.replications_most} is less than replications_first "
                f"({self.replications_first}); give at least as many"
            )
        allowed, shown, needed = self.error * 0.5**self.confirm_tries, self.probability, 1
        while shown > allowed:
            shown, needed = shown * self.probability, needed + 1
        if needed > self.confirm_replications:
            raise ValueError(
                f"confirm_replications: {self.confirm_replications} can never show that limits hold in "
                f"{self.probability:.0%} of the futures, not even without a single breach; give {needed} or more, "
                "fewer confirm_tries, or a smaller probability"
            )
        return self
