"""Settings about the study itself: which weeks are lived, how often, where, and what is told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sim.config.kinds import Count, DayKey, Group, Name, Positive, PositiveCount, SchoolYear, Switch, Text


class CalendarChoice(Group):
    """Which school weeks of a year are lived."""

    name: Text
    """Name of the choice."""
    weeks_per_year: Count
    """Weeks sampled in each year; 0 = every week."""
    always: tuple[PositiveCount, ...]
    """School weeks that are lived in any case, each standing for itself; the others stand for the rest."""


class Report(Group):
    """What the report says and to whom."""

    language: Literal["zh", "en"]
    """Language of the report."""
    audience: Literal["public", "internal"]
    """Public: groups of fewer than five pupils are hidden; internal: all is shown, and marked."""


class Executor(Group):
    """Where the work is done."""

    kind: Literal["serial", "processes", "dask"]
    """One process, several processes, or a cluster."""
    address: Text | None
    """Address of the cluster's scheduler; null otherwise."""


class Study(Group):
    """The question that is asked, how often, and where its answer goes."""

    name: Name
    """Name of the study; its folder in the results."""
    out: Text
    """Root folder of all results."""
    first_year: SchoolYear
    """First school year, named by its autumn."""
    years: Annotated[int, Field(ge=1, le=50, strict=True)]
    """Number of school years."""
    replications: PositiveCount
    """How often each year is lived with other luck; with `precision`, at least so often."""
    replications_most: PositiveCount
    """With `precision`: no more replications than these, however wide the intervals still are."""
    precision: Positive | None
    """Half of the 95 % interval wanted of means, as a share of the mean (0.1: 10 %); null = `replications` only."""
    precision_measures: tuple[Text, ...]
    """The measures of the county that must be so precise, in their mean over the years."""
    workers: PositiveCount | None
    """Worker processes; null = one per core."""
    keep_events: tuple[DayKey, ...]
    """Days whose events the first replication keeps: `first`, or year-week-day (2023-5-1), whose weeks are lived."""
    daily: Switch | None
    """Whether measures are written for every day; null = only when few weeks are lived."""

    @model_validator(mode="after")
    def _precision_has_room(self) -> Study:
        """Refuse a precision without a measure, and a largest number of replications below the smallest."""
        if self.precision is None:
            return self
        if not self.precision_measures:
            raise ValueError("precision_measures: name at least one measure, or choose study.precision=null")
        if self.replications_most < self.replications:
            raise ValueError(
                f"replications_most: {self.replications_most} is fewer than study.replications "
                f"({self.replications}), the least that are lived; choose at least as many"
            )
        return self

    @property
    def days_kept(self) -> list[tuple[int, int, int]]:
        """Return the days of `keep_events` that are named by date: year, week, day."""
        named = [day.split("-") for day in self.keep_events if day != "first"]
        return [(int(year), int(week), int(day)) for year, week, day in named]
