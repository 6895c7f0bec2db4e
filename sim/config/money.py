"""Settings about money and judgement: prices, standards, accounts, weights of harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from sim.config.kinds import Amount, Count, Counts, Group, Number, PositiveCount, SchoolYear, Share, Text


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
    life_years: PositiveCount | None = None
    """Years a bought thing lasts; null when nothing is bought."""

    @model_validator(mode="after")
    def _ordered(self) -> Price:
        """Refuse a range that does not hold its own central value."""
        if not self.low <= self.central <= self.high:
            low, high = min(self.low, self.central), max(self.high, self.central)
            raise ValueError(
                f"low {self.low:g}, central {self.central:g}, high {self.high:g} must rise; give all three, "
                f"for example {{low: {low:g}, central: {self.central:g}, high: {high:g}}}"
            )
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


WHOLE = 1e-9
"""Shares add up to 1 but for what a computer cannot write down."""
Payer = Literal["county", "upper", "family"]
Purse = Literal[
    "bus_purchase", "bus_running", "buildings", "town_places", "staff", "food", "campuses", "public_bus", "aid"
]
"""What costs are shared out by: all accounts of a purse have the same payers."""


class Account(Group):
    """How money is added up, and who pays which share of it."""

    base: Literal["none", "not_closing"]
    """Compare with nothing, or with a county that closes no school."""
    discount_rate: Share
    """Yearly rate at which later money weighs less."""
    inflation: Share
    """Yearly rise of prices; 0 = constant prices of the price list's year."""
    payers: Mapping[Purse, Mapping[Payer, Share]]
    """Who pays which share of each kind of cost; the shares of a kind add up to 1."""
    buses_there: Counts
    """Buses that are there at the start, by kind; they need not be bought."""
    project_life_years: PositiveCount
    """Years that the works of projects with a stated cost last."""
    fare_months: Annotated[Amount, Field(le=12)]
    """Months of a school year for which families pay the fare."""
    hardship_fare_waived: Share
    """Share of the fare that families in hardship need not pay."""
    floor_pupils: Amount
    """Schools with fewer pupils get public funds for so many."""
    floor_kept_years: Count
    """School years, that of the closing included, for which a closed small school keeps its public funds."""
    retire_share: Share
    """Share of those without a post who retire or leave in a year and need no successor."""
    price_draws: PositiveCount
    """How often the uncertain prices are drawn."""
    price_correlation: Share
    """How far prices move together: correlation of any two through what drives all of them."""

    @field_validator("payers")
    @classmethod
    def _pay_all(cls, payers: Mapping[str, Mapping[str, float]]) -> Mapping[str, Mapping[str, float]]:
        """Refuse costs that nobody pays in full."""
        missing = [purse for purse in get_args(Purse) if purse not in payers]
        if missing:
            raise ValueError(f"needs the payers of {', '.join(missing)}, too")
        wrong = {purse: sum(shares.values()) for purse, shares in payers.items()}
        wrong = {purse: total for purse, total in wrong.items() if abs(total - 1) > WHOLE}
        if wrong:
            told = "; ".join(f"the shares of {purse} add up to {total:g}, not 1" for purse, total in wrong.items())
            raise ValueError(f"{told}: give county, upper and family so that they add up")
        return payers


HARMS = ("left_behind", "no_bed", "hungry", "late", "gave_up", "haste", "class_too_big")


class Warning(Group):
    """Signs that pupils may give up school, and how many of them make a warning. No drop-out is ever foretold."""

    long_way_share: Share
    """A sign: more than this share of a group's journeys to school take longer than the limit of their grades."""
    no_bed_share: Share
    """A sign: on more than this share of the group's pupil-days there is no bed for who asked for one."""
    transfers: Amount
    """A sign: its pupils have changed school by the plan as often as that, or more often, in the mean."""
    hardship_share: Share
    """A sign: more than this share of its pupils are from families in hardship."""
    signs: Annotated[PositiveCount, Field(le=4)]
    """So many signs or more together are a warning."""


class Judge(Group):
    """How harm is weighed and limits are judged."""

    relief: Literal["off", "worst", "all"]
    """Whether bottlenecks are lived again with more of what is short: none, the worst, or all that can be relieved.

    A sweep and a choice among plans try no help unless this is typed."""
    relief_most: PositiveCount
    """How many bottlenecks `worst` are."""
    relief_units: Annotated[Sequence[PositiveCount], Field(min_length=1)]
    """How many more of what is short are tried, one after the other, until half of the harm is gone; rising."""
    purchase_replications: PositiveCount
    """Replications, at most, in which the search for what to buy lives the county again."""
    weights: Mapping[str, Amount]
    """Weight of one pupil-day of each kind of harm."""
    breach_probability: Share
    """A limit counts as broken from the year in which it is broken with at least this probability."""
    distances_km: Annotated[Sequence[Amount], Field(min_length=1)]
    """Where the classes of distance from home to school end, by which it is told how groups of pupils fare; rising."""
    tail_share: Annotated[Share, Field(gt=0)]
    """Share of the replications, the worst, whose mean tells how bad bad years are."""
    warning: Warning
    idle_share: Share
    """Share of newly built class places that may stand empty before the report names the year."""

    @field_validator("relief_units", "distances_km")
    @classmethod
    def _more_and_more(cls, units: Sequence[float]) -> Sequence[float]:
        """Refuse steps that do not rise."""
        if list(units) != sorted(set(units)):
            raise ValueError(f"must rise; try {sorted(set(units))}")
        return units

    @field_validator("weights")
    @classmethod
    def _every_harm(cls, weights: Mapping[str, float]) -> Mapping[str, float]:
        """Refuse weights that leave out a kind of harm or invent one."""
        if set(weights) != set(HARMS):
            raise ValueError(f"needs exactly one weight for each of {', '.join(HARMS)}")
        return weights
