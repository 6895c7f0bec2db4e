"""Settings about enrolment: how rates are estimated, how uncertain they are, and what a county assumes."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.config.kinds import Amount, Count, Group, LogSpread, Positive, PositiveCount, SchoolYear, Share

Ratio = Annotated[float, Field(gt=0, le=5, strict=True, allow_inf_nan=False)]
Progression = Annotated[float, Field(gt=0, le=1.2, strict=True, allow_inf_nan=False)]

WHOLE_TOLERANCE = 0.005
"""Shares rounded to two decimals still add up to a whole."""


class Cohorts(Group):
    """How rates of cohort survival are estimated from rolls, and how far they may err."""

    entry_age_years: Annotated[int, Field(ge=3, le=10, strict=True)]
    """Age at which children enter the lowest grade."""
    entrants_lag_weights: tuple[Share, Share]
    """Shares of a year's entrants born a year earlier than the entry age says, and in the very year."""
    min_history_years: Annotated[int, Field(ge=2, strict=True)]
    """Years of rolls without which nothing is estimated: stated rates are used, and reports say so."""
    pool_transitions: PositiveCount
    """Passages from one year to the next that the rates of all areas together are taken from, the latest ones."""
    area_transitions: PositiveCount
    """Passages from one year to the next that an area's own rates are taken from."""
    ratio_shrinkage_pupils: Amount
    """An area's own rates count as if so many pupils of all areas had passed beside its own."""
    ratio_low: Ratio
    """Outer bound of a rate of progression from below: whatever is estimated, it is no smaller."""
    ratio_high: Ratio
    """Outer bound of a rate of progression from above."""
    entry_years: PositiveCount
    """Years that the level of an area's entrants is taken from."""
    entry_shrinkage_pupils: Amount
    """An area's own entrants count as if so many, shared by the areas' size, stood beside them."""
    churn_share: Share
    """Share of the pupils of a grade who leave in a year while as many others come."""
    entry_sd_county: LogSpread
    """Spread of entrants that all areas share, added year by year (standard deviation of the logarithm)."""
    entry_sd_area: LogSpread
    """Spread of the entrants of one area, added year by year, beyond what all share."""
    entry_level_sd: LogSpread
    """Spread of the level of an area's entrants that does not change with the years."""
    entry_level_variance_pupils: Amount
    """Its variance grows by this over the area's entrants a year: a small area's level is known less well."""
    progress_sd_county: LogSpread
    """Spread of progression in one year that all areas share."""
    progress_sd_area: LogSpread
    """Spread of progression of one area in one year."""
    progress_drift_sd_area: LogSpread
    """Spread of progression of one area that is the same in all years and grades."""
    progress_grade_sd_area: LogSpread
    """Spread of progression into one grade of one area that is the same in all years."""
    common_sd: LogSpread
    """Spread of a shock to all pupils of all areas in the first year to come that lasts (a prior; 0: none)."""
    spread_prior_years: Positive
    """Stated spreads count as so many years of rolls beside the spreads seen in history."""
    spread_from_years: Annotated[int, Field(ge=4, strict=True)]
    """Years of rolls from which on spreads are estimated, too."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Refuse bounds that leave no rate between them, and shares of a year's entrants that are no whole."""
        if self.ratio_low > self.ratio_high:
            raise ValueError(f"ratio_low: {self.ratio_low:g} is above ratio_high ({self.ratio_high:g})")
        total = sum(self.entrants_lag_weights)
        if abs(total - 1) > WHOLE_TOLERANCE:
            raise ValueError(f"entrants_lag_weights: the two shares add up to {total:g}; they must add up to 1")
        return self


class Recipe(Cohorts):
    """How any table of rolls (area, year, grade, pupils) is carried forward."""

    flat_share: Share
    """Weight of "as many pupils as now" in the total of an area whose own births are not known."""
    flat_pupils: Amount
    """An area counts as if so many of its pupils stayed as many as now beside that: small ones change by chance."""


class Enrol(Cohorts):
    """How the number of pupils changes from year to year."""

    rates: Literal["stated", "history"]
    """Whether progression, moves to town and entry are those stated here, or estimated from history.csv."""
    births: Literal["low", "medium", "high"]
    """Which series of births the new first graders come from."""
    town: Literal["trend", "target"]
    """Whether pupils move to town at yearly rates (trend) or towards the plan's share (target)."""
    town_target_share: Share
    """Share of all pupils in town schools that the plan wants to reach."""
    town_target_year: SchoolYear
    """School year (named by its autumn) in which that share is to be reached."""
    town_rate_primary_per_year: Share
    """Share of the primary pupils outside town who move to a town school in a year."""
    town_rate_junior_per_year: Share
    """Share of the pupils outside town who move to a town school when they enter or attend grades 7 to 9."""
    progression_per_year: Annotated[tuple[Progression, ...], Field(min_length=8, max_length=8)]
    """Pupils in the next grade per pupil of this grade a year before; eight values, grade 1 to 2 first."""
    area_shrinkage_pupils: Amount
    """A hamlet's own first graders count as if so many pupils of its township stood beside them."""
    check_replications: Count
    """Draws behind the interval of last year's forecast that this year's rolls are held against."""
