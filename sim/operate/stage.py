"""The stage on which the weeks of a term are lived: pupils, timetable, halls, lines, beds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.chance import YearLuck
from sim.config import Settings
from sim.county import County
from sim.county.road import Travel
from sim.operate.dine import Halls, halls
from sim.operate.pupils import Pupils, gather
from sim.operate.timetable import FIRST_JUNIOR_GRADE, Timetable, timetable
from sim.operate.wash import Visits, visits
from sim.operate.weather import Skyways
from sim.plan import FAMILY, LINE_BUS, Floats, Ints, YearPlan
from sim.plan.staff import life_teachers


@dataclass(frozen=True, slots=True)
class Stage:
    """All that the weeks of a term have in common; N pupils, S schools."""

    pupils: Pupils
    table: Timetable
    halls: Halls
    visits: Visits
    gate_bays: tuple[int, ...]
    """(S)"""
    life_teachers: Ints
    """(S,) life teachers in post."""
    spare_beds: Ints
    """(S, 2) beds for those who have to stay: emergency beds, and beds that nobody has this term."""
    line_riders: Ints
    """Pupils who come by public bus, by hamlet, the youngest first."""
    families: Ints
    """Pupils whom their family brings every day."""
    home_node: Ints
    """(N,)"""
    school_node: Ints
    """(N,)"""
    bell_min: Floats
    """(N,) first lesson of each pupil, minutes after midnight."""


@dataclass(frozen=True, slots=True)
class Ways:
    """The roads: on a dry day, and in every kind of weather that may come."""

    dry: Travel
    skies: Skyways


def stage(
    county: County, settings: Settings, ways: Ways, plan: YearPlan, counts: Ints, luck: YearLuck, term: int
) -> Stage:
    """Gather the pupils of a term and lay out everything that does not depend on the day.

    counts: (H, 9, 2) pupils who come this year; term: 1 or 2.
    """
    pupils = gather(county, settings, ways.dry, plan, counts, luck, term)
    taken = np.zeros_like(plan.beds.nominal)
    np.add.at(taken, (pupils.school[pupils.has_bed], pupils.sex[pupils.has_bed]), 1)
    junior = pupils.grade >= FIRST_JUNIOR_GRADE
    by_line = np.flatnonzero(pupils.mode == LINE_BUS)
    return Stage(
        pupils=pupils,
        table=timetable(county, settings, ways.dry, ways.skies, plan, pupils),
        halls=halls(settings, plan, pupils),
        visits=visits(settings, plan, pupils),
        gate_bays=tuple(county.schools.gate_bays.tolist()),
        life_teachers=life_teachers(county, plan),
        spare_beds=plan.beds.emergency + np.maximum(plan.beds.nominal - taken, 0),
        line_riders=by_line[np.lexsort((pupils.number[by_line], pupils.grade[by_line], pupils.hamlet[by_line]))],
        families=np.flatnonzero(pupils.mode == FAMILY),
        home_node=county.hamlets.node[pupils.hamlet],
        school_node=county.schools.node[pupils.school],
        bell_min=np.where(junior, settings.bells.junior_first_min, settings.bells.primary_first_min).astype(float),
    )
