"""Settings about pupils and schools: which county, which schools close, who goes where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sim.config.kinds import Amount, ClockMin, Count, Group, Positive, PositiveCount, Text
from sim.units import MINUTES_PER_HOUR

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


class PlanBasis(Group):
    """What the plan of a year is made for."""

    basis: Literal["mean", "p80"]
    """Plan for the expected number of pupils, or for the number not passed in 80 of 100 cases."""


class BellWindow(Group):
    """The times between which a first bell may ring."""

    earliest_min: ClockMin
    """Not before (minutes after midnight)."""
    latest_min: ClockMin
    """Not after (minutes after midnight)."""


class Bells(Group):
    """The school day by the clock, in minutes after midnight."""

    windows: Mapping[Literal["primary", "junior"], BellWindow] | None
    """Windows in which the plan may choose the first bells, so that the fewest buses are needed; null: as told.

    Minutes after midnight by group: `{primary: {earliest_min: 490, latest_min: 510}}`, or `junior`.
    """
    step_min: Annotated[float, Field(ge=1, le=MINUTES_PER_HOUR, strict=True)]
    """Steps in which first bells are tried."""

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
    def _in_their_windows(self) -> Bells:
        """Refuse windows that end before they begin, and first bells that do not ring in theirs."""
        for group, window in (self.windows or {}).items():
            bell = getattr(self, f"{group}_first_min")
            if window.latest_min < window.earliest_min:
                raise ValueError(
                    f"windows.{group}: the window ends at {window.latest_min:g}, before it begins at "
                    f"{window.earliest_min:g}"
                )
            if not window.earliest_min <= bell <= window.latest_min:
                side = "before" if bell < window.earliest_min else "after"
                raise ValueError(
                    f"{group}_first_min: {bell:g} is {side} its window in bells.windows.{group} "
                    f"({window.earliest_min:g} to {window.latest_min:g})"
                )
        return self

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
    """How many people a school needs, by norm, and where the people of closed schools go."""

    pupils_per_teacher_primary: Positive
    """Primary pupils per teacher; a school has the larger number by pupils or by classes."""
    pupils_per_teacher_junior: Positive
    """Junior pupils per teacher; a school has the larger number by pupils or by classes."""
    teachers_per_class_primary: Amount
    """Teachers for each primary class; 0: by pupils only."""
    teachers_per_class_junior: Amount
    """Teachers for each junior class; 0: by pupils only."""
    small_class_pupils: Count
    """Primary classes of so many pupils or fewer have one teacher, and neighbouring grades share one if they fit."""
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
    guards_small_school: PositiveCount
    """Guards of a school without lodgers that has fewer than `small_school_pupils`."""
    small_school_pupils: Count
    """Pupils from which on a school without lodgers needs `guards_day_school`."""
    guards_day_school: PositiveCount
    """Guards of a school without lodgers."""
    guards_lodging_school: PositiveCount
    """Guards of a school with lodgers, up to the step below."""
    lodgers_per_extra_guard: Positive
    """One more guard for each so many lodgers beyond the first so many."""
    vacant: Literal["stay", "filled"]
    """Whether posts that the norm asks for today and nobody fills stay vacant, or are filled from the first year on."""
    pool: Literal["township", "zone", "county"]
    """Where the people of a closed school are placed first: in its township, its school zone, or anywhere."""
    travel_most_min: Amount
    """Nobody is placed farther from the old school than so many driving minutes."""
    temporary_fill: tuple[Literal["canteen_worker", "life_teacher", "warden", "guard"], ...]
    """Posts that temporary staff of closed schools may fill, the preferred first; none: they fill no post."""
