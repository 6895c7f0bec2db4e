"""Settings about pupils and schools: which county, which schools close, who goes where."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import model_validator

from sim.config.kinds import ClockMin, Group, Positive, PositiveCount, SchoolYear, Text

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


class CountyChoice(Group):
    """Which county is looked at."""

    name: Text
    """Name of the county, as it stands in reports."""
    folder: Text
    """Folder with the county's tables: a name in configs/county, or a path."""

    @property
    def path(self) -> Path:
        """Return the folder of the tables; a name in configs/county goes first."""
        own = CONFIGS / "county" / self.folder
        return own if own.is_dir() else Path(self.folder).expanduser()


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
    """Which schools close, and when."""

    name: Text
    """Name of the closing rule, as it stands in reports."""
    steps: tuple[ClosureStep, ...]
    """Thresholds by year; a school at or over the threshold stays."""
    named: tuple[NamedClosure, ...]
    """Schools that close whatever their size."""
    kinds: tuple[Literal["teaching_point", "village", "central_primary", "nine_year", "junior"], ...]
    """Kinds of school that a threshold may close."""


class Assign(Group):
    """How the pupils of a closed school find a new one."""

    rule: Literal["own_township", "zone", "nearest"]
    """Nearest receiving school by road in the own township, in the school zone, or anywhere."""


class PlanBasis(Group):
    """What the plan of a year is made for."""

    basis: Literal["mean", "p80"]
    """Plan for the expected number of pupils, or for the number not passed in 80 of 100 cases."""


class Bells(Group):
    """The school day by the clock, in minutes after midnight."""

    primary_first_min: ClockMin
    """First lesson of grades 1 to 6."""
    junior_first_min: ClockMin
    """First lesson of grades 7 to 9."""
    breakfast_min: ClockMin
    """Lodgers' breakfast."""
    lunch_min: ClockMin
    """First lunch sitting leaves class."""
    dinner_min: ClockMin
    """Lodgers' dinner."""
    primary_close_min: ClockMin
    """Grades 1 to 6 leave for home."""
    junior_close_min: ClockMin
    """Grades 7 to 9 leave for home."""
    lodger_monday_min: ClockMin
    """Latest arrival of lodgers' buses on the first day of the week."""
    lodger_friday_min: ClockMin
    """Departure of lodgers' buses on the last day of the week."""
    late_dinner_min: ClockMin
    """Those who have to stay for the night eat, and beds are found for them."""
    lights_out_min: ClockMin
    """Beds are counted at this time."""

    @model_validator(mode="after")
    def _in_order(self) -> Bells:
        """Refuse bells that ring before those they must follow."""
        order = (
            ("breakfast_min", ("primary_first_min", "junior_first_min")),
            ("primary_first_min", ("lunch_min",)),
            ("junior_first_min", ("lunch_min",)),
            ("lodger_monday_min", ("lunch_min",)),
            ("lunch_min", ("dinner_min", "primary_close_min", "junior_close_min", "lodger_friday_min")),
            ("primary_close_min", ("late_dinner_min",)),
            ("junior_close_min", ("late_dinner_min",)),
            ("dinner_min", ("late_dinner_min",)),
            ("late_dinner_min", ("lights_out_min",)),
        )
        at = self.model_dump()
        wrong = [(a, b) for a, later in order for b in later if at[a] >= at[b]]
        if wrong:
            told = (f"{a} ({at[a]:g}) must be before {b} ({at[b]:g})" for a, b in wrong)
            raise ValueError("; ".join(told))
        return self


class Staff(Group):
    """How many people a school needs, by norm."""

    pupils_per_teacher_primary: Positive
    """Primary pupils per teacher."""
    pupils_per_teacher_junior: Positive
    """Junior pupils per teacher."""
    lodgers_per_life_teacher_primary: Positive
    """Lodgers of grades 1 to 6 per life teacher."""
    lodgers_per_life_teacher_junior: Positive
    """Lodgers of grades 7 to 9 per life teacher."""
    lodgers_per_life_teacher_service: Positive
    """Lodgers below `lodge.from_grade`, in the service mode, per life teacher."""
    lodgers_per_warden: Positive
    """Lodgers per dormitory warden on duty."""
    diners_per_canteen_worker: Positive
    """Diners per canteen worker."""
    guards_day_school: PositiveCount
    """Guards of a school without lodgers."""
    guards_lodging_school: PositiveCount
    """Guards of a school with lodgers, up to the step below."""
    lodgers_per_extra_guard: Positive
    """One more guard for each so many lodgers beyond the first so many."""
