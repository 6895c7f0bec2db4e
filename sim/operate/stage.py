"""The stage on which the weeks of a term are lived: pupils, timetable, halls, lines, beds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.chance import YearLuck
from sim.config import Settings
from sim.county import County
from sim.county.road import Travel
from sim.operate.dine import Halls, halls
from sim.operate.pupils import OUT, Pupils, gather
from sim.operate.timetable import Timetable, timetable
from sim.operate.wash import Visits, visits
from sim.operate.weather import Skyways
from sim.plan import FAMILY, FIRST_JUNIOR_GRADE, LINE_BUS, Bools, Floats, Ints, YearPlan
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
    beds: Ints
    """(S, 2) all beds, with those that can be put up in need."""
    bus_home: Bools
    """(N,) has a run home that is driven: every day, or lodgers on the last day of the week."""
    line_riders: Ints
    """Pupils who come by public bus, by hamlet, the youngest first."""
    families: Ints
    """Pupils whom their family brings every day."""
    area: Ints
    """(N,) township of the home."""
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

    counts: (2, H, 9, 2) pupils who come this year; term: 1 or 2.
    """
    pupils = gather(county, settings, ways.dry, plan, counts, luck, term)
    junior = pupils.grade >= FIRST_JUNIOR_GRADE
    by_line = np.flatnonzero(pupils.mode == LINE_BUS)
    return Stage(
        pupils=pupils,
        table=timetable(county, settings, ways.dry, ways.skies, plan, pupils),
        halls=halls(settings, plan, pupils),
        visits=visits(settings, plan, pupils),
        gate_bays=tuple(county.schools.gate_bays.tolist()),
        life_teachers=life_teachers(county, plan),
        beds=plan.beds.emergency + plan.beds.nominal,
        bus_home=_bus_home(plan, pupils),
        line_riders=by_line[np.lexsort((pupils.number[by_line], pupils.grade[by_line], pupils.hamlet[by_line]))],
        families=np.flatnonzero(pupils.mode == FAMILY),
        area=county.hamlets.township[pupils.hamlet],
        home_node=county.hamlets.node[pupils.hamlet],
        school_node=county.schools.node[pupils.school],
        bell_min=np.where(junior, settings.bells.junior_first_min, settings.bells.primary_first_min).astype(float),
    )


def _bus_home(plan: YearPlan, pupils: Pupils) -> Bools:
    """Tell who has a run home that the plan did not have to drop; (N,)."""
    routes = plan.runs.routes
    bus = np.append(np.repeat(plan.runs.bus, np.diff(routes.ptr)), -1)  # the last one answers for "no stop" (-1)
    return np.asarray(bus[pupils.stop[OUT]] >= 0)
