"""The plan of a year: who goes where, how and with what, made on the forecast before any luck is drawn.

Arrays use integer positions in the county's order: schools S, hamlets H; grades 1-9 on an axis of length 9;
sex on an axis of length 2 (girls, boys). -1 stands for none. Clock times are minutes after midnight.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MODES = ("walk", "family", "line_bus", "school_bus", "lodge", "none")
WALK, FAMILY, LINE_BUS, SCHOOL_BUS, LODGE, NONE = range(len(MODES))
SEXES = ("f", "m")
GRADES = tuple(range(1, 10))
FIRST_JUNIOR_GRADE = 7
SERVICES = ("school", "lodger")
DIRECTIONS = ("in", "out")


def freeze(record: Any) -> None:
    """Make every array inside a frozen record read-only, so that a plan cannot be changed by accident."""
    for each in fields(record):
        value = getattr(record, each.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """Pupils expected in each year, hamlet, grade and sex; shapes (Y, H, 9, 2)."""

    years: Ints
    mean: Floats
    p80: Floats

    def __post_init__(self) -> None:
        freeze(self)

    def pupils(self, year: int) -> Floats:
        """Return the mean of the pupils of a year by home and grade; (H, 9)."""
        row = int(np.flatnonzero(self.years == year)[0])
        return np.asarray(self.mean[row].sum(axis=2))


@dataclass(frozen=True, slots=True)
class Closures:
    """Which schools are open in each year, and the decision about every school that met a closing rule."""

    years: Ints
    open: Bools
    """(Y, S)"""
    decisions: pd.DataFrame
    """The columns of closures.csv, but for what things cost."""
    taught: Bools
    """(Y, S, 9) grades that each school teaches: fewer than it offers while it closes grade by grade."""
    school_plans: pd.DataFrame
    """The columns of school_plans.csv."""
    grounds: pd.DataFrame
    """The columns of grounds.csv."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What stops a place within the limits, by how much, and the cheapest relief."""

    constraint: str
    shortfall: float
    """Minutes for a ride, else pupils, beds or meals."""
    relief: str
    """How many of what, at which school."""
    what: str
    """What would help, without number."""
    items: str = ""
    """Entry of the price list and how many of it; empty: no price."""


Refused = dict[tuple[int, int], Refusal]
"""Refusals by hamlet and grade (positions, from 0)."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the pupils of each hamlet and grade go to school in one year, and how they get there."""

    year: int
    school: Ints
    """(H, 9) receiving school, -1 when unplaced."""
    km: Floats
    """(H, 9) road km from home to school."""
    minutes: Floats
    """(H, 9) free-flow driving minutes."""
    share: Floats
    """(H, 9, 6) share of the group in each of MODES; sums to 1."""
    reason: NDArray[np.object_]
    """(H, 9) one sentence: why this school and these modes."""
    expected: Floats
    """(H, 9, 2) pupils the plan is made for (mean or p80)."""
    unplaced: pd.DataFrame
    """The columns of unplaced.csv."""
    refused: Refused = field(default_factory=dict)
    """Who found no place within the limits under the rule `capacity`."""
    stop: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """(H, 9) hamlet at whose stop those by school bus embark; the own one unless told."""
    stop_km: Floats = field(default_factory=lambda: np.zeros(0))
    """(H, 9) walk there along the roads; 0 unless told."""

    def __post_init__(self) -> None:
        if not len(self.stop):
            own = np.repeat(np.arange(len(self.school))[:, None], self.school.shape[1], axis=1)
            object.__setattr__(self, "stop", own)
            object.__setattr__(self, "stop_km", np.zeros(own.shape))
        freeze(self)


@dataclass(frozen=True, slots=True)
class Routes:
    """Bus runs before they have a bus or a time: the stops of each run in order of travel.

    R runs, P stops over all runs; the stops of run r are `ptr[r]:ptr[r+1]`. An `in` run ends and an `out` run
    starts at its school, which is not among the stops. With mixed loads there are gates of other schools among them:
    on the way to school riders alight at the next gate of theirs, on the way home they embark at the one before.
    """

    run_id: tuple[str, ...]
    school: Ints
    direction: Ints
    """(R,) position in DIRECTIONS."""
    service: Ints
    """(R,) position in SERVICES: school = every day; lodger = Monday in, Friday out."""
    kind: Ints
    """(R,) position in settings.fleet.kinds."""
    seats: Ints
    """(R,) seats for pupils."""
    ptr: Ints
    hamlet: Ints
    """(P,) -1: the gate of a school on the way; never the stop farthest from the school of the run."""
    load: Floats
    """(P,) pupils the plan expects to embark (in) or alight (out) here; 0 at a gate."""
    leg_min: Floats
    """(P,) free-flow minutes of a leg: `in` from this stop to the next or the school; `out` into this stop."""
    leg_floor_min: Floats
    """(P,) the same leg at the legal speed cap."""
    leg_km: Floats
    over_limit: Bools
    """(R,) True when a rider's planned ride is over the limit because no shorter one exists."""
    to: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """(P,) school of the riders of each stop, or of the gate; that of the run unless told."""
    wait_min: Floats = field(default_factory=lambda: np.zeros(0))
    """(P,) minutes a bus waits at a gate on the way, so as not to be too early for a school; 0 unless told."""

    def __post_init__(self) -> None:
        if not len(self.to):
            object.__setattr__(self, "to", np.repeat(self.school, np.diff(self.ptr)))
        if not len(self.wait_min):
            object.__setattr__(self, "wait_min", np.zeros(len(self.hamlet)))
        freeze(self)


@dataclass(frozen=True, slots=True)
class Runs:
    """Routes with a timetable and a bus: who drives what, when. One row per run of `routes`."""

    routes: Routes
    depart_min: Floats
    """(R,) planned departure from the first stop (in) or the school (out)."""
    arrive_min: Floats
    """(R,) planned arrival at the school (in) or the last stop (out)."""
    bus: Ints
    """(R,) which bus drives it, -1 when no bus could (the run is dropped)."""
    order: Ints
    """(R,) position of the run in the day of its bus (Monday's and Friday's lodger runs included)."""
    late_min: Floats
    """(R,) minutes by which the timetable itself arrives after the window, because buses are short."""
    yard: Ints
    """(B,) node where each bus in use stands overnight and over noon."""
    bus_kind: Ints
    """(B,) kind of each bus in use."""
    buses_needed: int
    """Buses the duties need when nothing is short."""
    buses_owned: int
    """Buses there are, spare ones included."""
    spare_buses: int
    bus_id: tuple[str, ...] = ()
    """(B,) what the county calls its buses; (): they are numbered."""
    come_min: Floats | None = None
    go_min: Floats | None = None
    """(P,) when a bus is to come to and leave each stop, where the timetable is given and not reckoned."""

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True, slots=True)
class Checked:
    """Plans of bus runs held against all limits: that of the county, where it has one, and ours."""

    violations: pd.DataFrame
    """The columns of violations.csv."""
    score: pd.DataFrame
    """The columns of score.csv."""


@dataclass(frozen=True, slots=True)
class Meals:
    """Sittings of each school: when each grade eats and what the canteen offers."""

    sitting: Ints
    """(S, 9) sitting of each grade at lunch, from 0."""
    sittings: Ints
    """(S,) number of lunch sittings; 0 where there is no canteen."""
    early: Ints
    """(S, 9) sitting of each grade at breakfast and dinner, at which fewer eat."""
    lunch_min: Floats
    """(S, 9) when the grade leaves class for lunch."""
    windows: Ints
    seats: Ints
    kitchen: Ints
    """(S,) meals that the kitchen can cook for one mealtime, all sittings together."""

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True, slots=True)
class Fixtures:
    """What each school has for water and toilets; (S,) and, by sex, (S, 2): girls, boys."""

    taps: Ints
    basins: Ints
    toilets: Ints
    showers: Ints

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True, slots=True)
class Beds:
    """Beds of each school by sex: nominal ones and the emergency ones that can be put up; shapes (S, 2)."""

    nominal: Ints
    emergency: Ints

    def __post_init__(self) -> None:
        freeze(self)


@dataclass(frozen=True, slots=True)
class YearPlan:
    """Everything planned for one school year."""

    year: int
    open: Bools
    places: Places
    runs: Runs
    meals: Meals
    beds: Beds
    fixtures: Fixtures
    classes: Ints
    """(S,) classes the expected pupils make."""
    class_places: Ints
    """(S,) pupils the classrooms hold at the norm; 0 where no table tells."""
    checked: Checked | None = None
    """How the plans of bus runs keep the limits, and what they need."""
    moved_life_teachers: Ints | int = 0
    """(S,) people of closed schools who are life teachers here now."""
    more_bays: Ints | int = 0
    """(S,) bays at the gate beyond those of the county's tables."""
    more_crew: tuple[int, int] = (0, 0)
    """Drivers and attendants in reserve beyond the stated shares."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The plans of all years of a study, with the forecast and the closures they rest on."""

    forecast: Forecast
    closures: Closures
    years: tuple[YearPlan, ...]
    posts: pd.DataFrame
    """The columns of posts.csv."""
    alternatives: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The columns of alternatives.csv."""
