"""Settings about money and judgement: prices, standards, accounts, weights of harm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import field_validator, model_validator

from sim.config.kinds import Amount, Group, Number, Positive, SchoolYear, Share, Text


class Price(Group):
    """What one unit of something costs, or which share someone pays, and between which values."""

    low: Amount
    """Lowest plausible value."""
    central: Amount
    """Value used."""
    high: Amount
    """Highest plausible value."""
    unit: Text
    """Unit, for example yuan per bus, or share."""
    year: SchoolYear
    """Year the value is from."""
    source: Text
    """Where it comes from; an assumption says so."""
    confidence: Literal["high", "medium", "low", "assumption"]
    """How far it can be trusted."""
    life_years: Positive | None = None
    """Years a bought thing lasts; null when nothing is bought."""

    @model_validator(mode="after")
    def _ordered(self) -> Price:
        """Refuse a range that does not hold its own central value."""
        if not self.low <= self.central <= self.high:
            raise ValueError(f"low {self.low}, central {self.central}, high {self.high} must rise")
        return self


class Limit(Group):
    """A standard that a measure is held against."""

    measure: Text
    """Name of the measure."""
    per: Text | None
    """Measure it is divided by, null when it is taken as it is."""
    sense: Literal["at_most", "at_least"]
    """Whether the value is a ceiling or a floor."""
    value: Number
    """The standard."""
    unit: Text
    """Unit of the standard."""
    site: Literal["county", "school", "lodging", "primary", "junior"]
    """Judged for the whole county, every school, every lodging school, or the schools of one level."""
    source: Text
    """Law, norm or assumption behind it."""


class Account(Group):
    """How money is added up."""

    base: Literal["none", "not_closing"]
    """Compare with nothing, or with a county that closes no school."""
    discount_rate: Share
    """Yearly rate at which later money weighs less."""
    inflation: Share
    """Yearly rise of prices; 0 = constant prices of the price list's year."""


HARMS = ("left_behind", "no_bed", "hungry", "late", "gave_up", "haste", "class_too_big")


class Judge(Group):
    """How harm is weighed and limits are judged."""

    relief: Literal["off", "worst", "all"]
    """Whether the worst bottlenecks are lived again with more of what is short."""
    weights: Mapping[str, Amount]
    """Weight of one pupil-day of each kind of harm."""
    breach_probability: Share
    """A limit counts as broken from the year in which it is broken with at least this probability."""
    idle_share: Share
    """Share of newly built class places that may stand empty before the report names the year."""

    @field_validator("weights")
    @classmethod
    def _every_harm(cls, weights: Mapping[str, float]) -> Mapping[str, float]:
        """Refuse weights that leave out a kind of harm or invent one."""
        if set(weights) != set(HARMS):
            raise ValueError(f"needs exactly one weight for each of {', '.join(HARMS)}")
        return weights
