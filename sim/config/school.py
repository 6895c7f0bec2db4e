"""Settings about what a school offers: beds, meals, water and toilets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sim.config.kinds import (
    Amount,
    ClockMin,
    Count,
    Counts,
    Grade,
    Group,
    Positive,
    PositiveCount,
    Scale,
    Share,
    Switch,
)


class Lodge(Group):
    """Beds and who sleeps at school."""

    beds: Count | Counts | None
    """Beds of each sex: a total, or numbers by school; null: as in the county's table."""
    beds_scale: Scale
    """Multiplies the number of beds."""
    from_grade: Grade
    """First grade that may lodge."""
    primary_min_km: Amount
    """Primary pupils who live nearer do not lodge."""
    junior_min_km: Amount
    """Junior pupils who live nearer do not lodge."""
    primary_share: Share
    """Share of the primary pupils beyond that distance whose family agrees to lodging."""
    junior_share: Share
    """Share of the junior pupils beyond that distance whose family agrees to lodging."""
    bus_share: Share
    """Share of lodgers who use the lodgers' bus."""
    emergency_share: Share
    """Beds that can be put up in need, per bed."""
    room_beds: PositiveCount
    """Beds of a room; a room is for one sex and one band of grades (1-3, 4-6, 7-9)."""
    priority: Annotated[tuple[Literal["distance", "grade", "hardship"], ...], Field(min_length=1)]
    """Who gets a bed first, by the first of these that differs: farther, higher grade, in hardship."""
    leave_after_term_share: Share
    """Share of lodgers who give up their bed after the first term; the waiting list moves up."""
    service_mode: Switch
    """Whether pupils below `from_grade` may lodge, in a mode of service with more life teachers."""
    service_share: Share
    """Share of those pupils, of whom the day's journey is over the limit, whose family agrees."""
    life_teacher_absent_share: Share
    """Share of life teachers who are absent on a night."""

    @model_validator(mode="after")
    def _each_priority_once(self) -> Lodge:
        """Refuse a priority that is named twice."""
        if len(set(self.priority)) < len(self.priority):
            raise ValueError("priority: each of distance, grade, hardship at most once")
        return self


class Shift(Group):
    """A part of the windows and when they serve within a sitting."""

    share: Share
    """Share of the school's windows; what is left over by rounding has the first shift."""
    opens_after_min: Amount
    """They open so long after the sitting began."""
    closes_after_min: Positive
    """They take nobody from so long after the sitting began."""


class Dine(Group):
    """Meals at school."""

    windows_scale: Scale
    """Multiplies the number of serving windows."""
    seats_scale: Scale
    """Multiplies the number of canteen seats."""
    service_min: Positive
    """Time one pupil takes at a window (median)."""
    service_sd_log: Amount
    """Spread of that time (standard deviation of the logarithm)."""
    eat_min: Positive
    """Time one pupil eats (median)."""
    eat_sd_log: Amount
    """Spread of that time (standard deviation of the logarithm)."""
    walk_to_hall_min: Amount
    """Walk of a class to the hall (mean)."""
    walk_sd_min: Amount
    """Spread of that walk (standard deviation)."""
    class_gap_min: Amount
    """Time between two classes of a sitting leaving their rooms."""
    bell_after_min: Positive
    """Length of a sitting: the bell rings so long after it began."""
    sittings_gap_min: Amount
    """Pause between the bell of one sitting and the start of the next."""
    seat_min_limit: Positive
    """Minutes seated that a pupil should have."""
    class_size: PositiveCount
    """Pupils of one primary class, who walk to the hall together; the places of a classroom."""
    class_size_junior: PositiveCount
    """Pupils of one junior class; the places of a classroom."""
    sittings_most: PositiveCount
    """Most lunch sittings of a school; where more would be needed, the last diners eat in haste or not at all."""
    sitting_fill: Positive
    """Diners planned for each seat in one sitting."""
    lunch_share: Share
    """Share of the day pupils who eat lunch at school."""
    shifts: Annotated[tuple[Shift, ...], Field(min_length=1)]
    """The timetable of the windows."""
    kitchen_scale: Scale
    """Multiplies the meals that a kitchen can cook for one mealtime."""
    kitchen_sitting_share: Share
    """Share of these meals that can be ready for one sitting."""
    breakfast_rider_share: Share
    """Share of the bus riders who have breakfast at school, where their bus is planned to be in time for it."""
    breakfast_wait_min: Amount
    """How long the bell of breakfast waits for pupils of a late bus."""

    @model_validator(mode="after")
    def _windows_open_in_time(self) -> Dine:
        """Refuse windows that open after the bell or close before they open, and a walk that takes until the bell."""
        for n, shift in enumerate(self.shifts):
            if shift.opens_after_min >= self.bell_after_min:
                raise ValueError(
                    f"shifts.{n}.opens_after_min: the windows open {shift.opens_after_min:g} min after the start, but "
                    f"the bell rings after {self.bell_after_min:g} min (dine.bell_after_min)"
                )
            if shift.closes_after_min <= shift.opens_after_min:
                raise ValueError(f"shifts.{n}.closes_after_min: the windows close before they open")
        if self.walk_to_hall_min >= self.bell_after_min:
            raise ValueError(
                f"walk_to_hall_min: pupils are at the hall after {self.walk_to_hall_min:g} min, but the bell rings "
                f"after {self.bell_after_min:g} min (dine.bell_after_min)"
            )
        if abs(sum(shift.share for shift in self.shifts) - 1) > 1e-6:
            raise ValueError("shifts: the shares of the windows must add up to 1")
        return self


class Peak(Group):
    """A time of the day when many pupils want the same thing at once."""

    station: Literal["tap", "basin", "toilet", "shower"]
    """What they want."""
    who: Literal["all", "lodgers", "diners"]
    """All pupils at school, those who sleep there, or those who eat lunch there."""
    from_min: ClockMin
    """The first ones come (after midnight)."""
    spread_min: Positive
    """All have come by so long after, spread evenly."""
    bell_min: ClockMin
    """Who has not begun when this bell rings gives up (after midnight)."""
    share: Share
    """Share of the pupils who want it."""
    girls_s: Positive
    """Seconds a girl takes (median)."""
    boys_s: Positive
    """Seconds a boy takes (median)."""
    sd_log: Amount
    """Spread of that time (standard deviation of the logarithm)."""

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> Peak:
        """Refuse a peak whose bell rings before it begins."""
        if self.bell_min <= self.from_min:
            raise ValueError(
                f"bell_min: the bell at {self.bell_min:g} rings before the peak begins at {self.from_min:g}"
            )
        if self.spread_min > self.bell_min - self.from_min:
            raise ValueError(
                f"spread_min: the last ones come {self.spread_min:g} min after the peak began, but the bell rings "
                f"after {self.bell_min - self.from_min:g} min (bell_min - from_min)"
            )
        return self


class Wash(Group):
    """Drinking taps, basins, toilets and showers."""

    taps_scale: Scale
    """Multiplies the number of taps."""
    basins_scale: Scale
    """Multiplies the number of basins."""
    toilets_scale: Scale
    """Multiplies the number of toilets."""
    urinals_per_squat: Amount
    """Urinals beside each squat for boys; the county's table counts squats."""
    showers_scale: Scale
    """Multiplies the number of showers."""
    peaks: Annotated[Mapping[str, Peak], Field(min_length=1)]
    """The peaks of a school day by name."""
