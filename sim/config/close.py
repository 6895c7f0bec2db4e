"""Settings about closing and placing: which schools close, on which conditions, and who goes where instead."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sim.config.kinds import Amount, Count, Group, Positive, PositiveCount, SchoolYear, Share, Switch, Text

Condition = Literal["class_place", "ride_or_bed", "meal"]
"""What must be ready for a pupil at the receiving school."""


class ClosureStep(Group):
    """In one year, all schools below a number of pupils close."""

    year: SchoolYear
    """School year from which they are closed."""
    below_pupils: PositiveCount
    """Schools with fewer pupils than this close."""


class NamedClosure(Group):
    """One named school closes in one year."""

    school_id: Text
    """The school."""
    year: SchoolYear
    """School year from which it is closed."""


class Closure(Group):
    """Which schools close, when, how and on which conditions."""

    name: Text
    """Name of the closing rule, as it stands in reports."""
    steps: tuple[ClosureStep, ...]
    """Thresholds by year; a school at or over the threshold stays."""
    named: tuple[NamedClosure, ...]
    """Schools that close whatever their size."""
    listed: Switch
    """Whether the schools in the county's own list (closures.csv), where it has one, close from their year."""
    kinds: tuple[Literal["teaching_point", "village", "central_primary", "nine_year", "junior"], ...]
    """Kinds of school that a threshold may close."""
    conditions: tuple[Condition, ...]
    """What must be ready for every pupil before a school closes: a class place at the receiving school, a ride within
    the limit of the grade or a bed, a meal. What is not listed is tested and told, and the school closes without it."""
    transition: Literal["at_once", "top_grades_first", "no_new_entrants"]
    """Whether a school closes all grades in its year, gives up its highest grade each year so that the youngest stay
    longest, or takes no new first graders while those who are there finish."""
    reopen: Switch
    """Whether a closed school opens again, once and for good, in the first year in which a condition of it fails."""

    @model_validator(mode="after")
    def _closes_once(self) -> Closure:
        """Refuse a school that is named twice."""
        names = [one.school_id for one in self.named]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"named: {', '.join(twice)} is named more than once; keep one year for each school")
        return self


class Assign(Group):
    """How the pupils of a closed school find a new one."""

    rule: Literal["own_township", "zone", "nearest", "capacity"]
    """Nearest receiving school by road in the own township, in the school zone, or anywhere, however full; or the
    shortest ways in all that class places, rides, beds and meals allow (`keep`)."""
    town: Literal["nearest", "within_places"]
    """Pupils who live in town, with any rule but `capacity`: the school attended today or the nearest, however full;
    or the shortest ways in all that the class places of the town allow, drawn anew each year (`candidates` to `gap`
    count there, too). Where the town lacks places, its classes grow alike."""
    keep: tuple[Condition, ...]
    """Limits that the rule `capacity` keeps; whoever finds no place within them is listed in unplaced.csv."""
    refused: Literal["over_capacity", "unplaced"]
    """Rule `capacity`: whoever finds no place within the limits goes to the nearest school all the same, as without
    limits, so that what this overloads is counted; or to no school, and is missing from all results but that list."""
    fewest_pupils: Count
    """Rule `capacity`: no pupil is sent to a school that would have fewer pupils than this."""
    most_pupils: PositiveCount | None
    """Rule `capacity`: no pupil is sent to a school beyond so many pupils; null: class places alone decide."""
    candidates: PositiveCount
    """Rule `capacity`, and catchments in town: each class looks at so many of its nearest schools."""
    split_pupil_min: Amount
    """Rule `capacity`, and catchments in town: pupils of one hamlet who go to one school more weigh as much as so many
    pupil-minutes of a morning's way."""
    change_min: Amount
    """Rule `capacity`, and catchments in town: so many minutes of way more a pupil takes rather than change school."""
    unplaced_min: Positive
    """Rule `capacity`, and catchments in town: a pupil without a place weighs as much as a way of so many minutes."""
    gap: Share
    """Rule `capacity`, and catchments in town: the search ends when no assignment can be better by more than that."""
    alternatives: Annotated[int, Field(ge=0, le=9, strict=True)]
    """Rule `capacity`: how many clearly different assignments, nearly as good, are to be listed for each year."""
    alternative_gap: Share
    """By which share an alternative may be worse than the best assignment."""
    alternative_differs: Annotated[float, Field(gt=0, le=1, strict=True, allow_inf_nan=False)]
    """Share of the pupils with a choice who go elsewhere, compared with the best and with every other alternative."""

    @model_validator(mode="after")
    def _alternatives_need_the_optimum(self) -> Assign:
        """Refuse alternatives to an assignment that no rule has made the best."""
        if self.alternatives and self.rule != "capacity":
            raise ValueError(f"alternatives: only with rule capacity; it is {self.rule}")
        if self.most_pupils is not None and self.fewest_pupils > self.most_pupils:
            raise ValueError(f"fewest_pupils: {self.fewest_pupils} is more than most_pupils ({self.most_pupils})")
        return self
