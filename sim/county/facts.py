"""What a county is: its schools, homes, pupils, roads, births and calendar, as facts that nobody changes.

Arrays follow the order of the tables: townships T, schools S, hamlets H, nodes N, edges E. References
between them are integer positions, -1 for none. The grade axis has length 9 (grade - 1), the sex axis 2
(girls, boys).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
TOWN_KINDS = ("town_primary", "town_junior")
"""Kinds of school that the pupils of the town go to."""
SMALL_KINDS = ("teaching_point", "village")
"""Kinds of school that are funded as if they had the floor's number of pupils."""


class _Frozen:
    """A record whose arrays are read-only."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            value: Any = getattr(self, field.name)
            for array in value.values() if isinstance(value, Mapping) else (value,):
                if isinstance(array, np.ndarray):
                    array.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Townships(_Frozen):
    """Townships and the school zone of each."""

    id: tuple[str, ...]
    name_zh: tuple[str, ...]
    name_en: tuple[str, ...]
    zone: tuple[str, ...]
    is_town: Bools
    """(T,) holds the county town; its villages are not town, see Hamlets.is_town."""
    lon: Floats
    lat: Floats


@dataclass(frozen=True, slots=True)
class Schools(_Frozen):
    """Schools: place, grades, facilities and staff in post."""

    id: tuple[str, ...]
    name_zh: tuple[str, ...]
    name_en: tuple[str, ...]
    kind: tuple[str, ...]
    township: Ints
    node: Ints
    lon: Floats
    lat: Floats
    first_grade: Ints
    last_grade: Ints
    receives: Bools
    """(S,) may take pupils of other schools."""
    opens_year: Ints
    """(S,) first school year; 0: open already."""
    lived: Bools
    """(S,) its days are simulated: facilities.csv has a row."""
    windows: Ints
    canteen_seats: Ints
    kitchen_meals: Ints
    """(S,) meals the kitchen can cook for one mealtime, all sittings together."""
    beds: Ints
    """(S, 2) girls, boys."""
    gate_bays: Ints
    classrooms: Ints
    taps: Ints
    basins: Ints
    toilets_girls: Ints
    toilets_boys: Ints
    showers: Ints
    teachers: Ints
    temporary: Ints
    life_teachers: Ints
    wardens: Ints
    canteen_workers: Ints
    guards: Ints

    def offers(self, grade: int) -> Bools:
        """Return which schools have this grade (1-9); shape (S,)."""
        return (self.first_grade <= grade) & (grade <= self.last_grade)


@dataclass(frozen=True, slots=True)
class Hamlets(_Frozen):
    """Homes of pupils."""

    id: tuple[str, ...]
    name_zh: tuple[str, ...]
    kind: tuple[str, ...]
    township: Ints
    node: Ints
    school: Ints
    """(H,) primary school attended today, for the grades it offers."""
    lon: Floats
    lat: Floats
    hardship_share: Floats
    left_behind_share: Floats
    line_bus: Bools
    is_town: Bools
    """(H,) a block of the county town."""


@dataclass(frozen=True, slots=True)
class Roads(_Frozen):
    """The road network; every road runs both ways."""

    node_id: tuple[str, ...]
    lon: Floats
    lat: Floats
    is_yard: Bools
    edge_id: tuple[str, ...]
    start: Ints
    end: Ints
    km: Floats
    road_class: tuple[str, ...]
    bend: tuple[str, ...]
    closed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SchoolCalendar(_Frozen):
    """The school weeks of a year, in order; each array has one entry for each week."""

    week: Ints
    term: Ints
    month: Ints
    days: Ints


@dataclass(frozen=True, slots=True)
class Births(_Frozen):
    """Births of the county by calendar year in three futures."""

    years: Ints
    by_variant: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class County(_Frozen):
    """All facts of a county."""

    name: str
    folder: Path
    townships: Townships
    schools: Schools
    hamlets: Hamlets
    pupils: Ints
    """(H, 9, 2) pupils in the base year."""
    roads: Roads
    calendar: SchoolCalendar
    births: Births
    history: pd.DataFrame
    """area_id (township or `county`), year, grade, pupils."""
    projects: pd.DataFrame
    weather: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    """Every table as read, by name without `.csv`; optional ones without rows are empty frames."""
