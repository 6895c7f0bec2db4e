"""The stage on which the weeks of a term are lived: pupils, timetable, halls, lines, beds."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from sim.chance import YearLuck
from sim.config import Settings
from sim.county import County
from sim.county.road import Travel
from sim.operate.arrive import Coming, arrive
from sim.operate.dine import Halls, halls
from sim.operate.pupils import OUT, Pupils, bedded, gather
from sim.operate.timetable import Timetable, timetable
from sim.operate.wash import Visits, visits
from sim.operate.weather import Skyways
from sim.plan import FAMILY, FIRST_JUNIOR_GRADE, LINE_BUS, Beds, Bools, Floats, Ints, YearPlan
from sim.plan.staff import crews, life_teachers
from sim.share import Known


@dataclass(frozen=True, slots=True)
class Stage:
    """All that the weeks of a term have in common; N pupils, S schools."""

    plan: YearPlan
    """The plan of the year without what changes no day (see `lived_by`)."""
    pupils: Pupils
    table: Timetable
    halls: Halls
    visits: Visits
    gate_bays: tuple[int, ...]
    """(S) one at the least."""
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
    county: County, settings: Settings, ways: Ways, plan: YearPlan, counts: Ints, luck: YearLuck, term: int,
    known: Known | None = None,
) -> Stage:  # fmt: skip
    """Gather the pupils of a term and lay out everything that does not depend on the day.

    counts: (2, H, 9, 2) pupils who come this year; term: 1 or 2.
    """
    return with_beds(but_for_beds(county, settings, ways, plan, counts, luck, term, known or Known()), plan)


def with_beds(stage: Stage, plan: YearPlan) -> Stage:
    """Return a stage with the beds there are, and those that can be put up in need."""
    return replace(stage, beds=plan.beds.emergency + plan.beds.nominal)


def but_for_beds(
    county: County, settings: Settings, ways: Ways, plan: YearPlan, counts: Ints, luck: YearLuck, term: int,
    known: Known,
) -> Stage:  # fmt: skip
    """Return a stage without the number of beds: the same one for all plans that differ in no day of a lodger."""
    days, roads = lived_by(settings, plan, known), known(Ways, ways.dry, ways.skies)
    who = known(arrive, county, settings, days.places, counts, luck)
    has_bed = known.interned(known(bedded, settings, known.interned(plan.beds), who, term))
    return known(_set_up, known, county, settings, roads, days, who, has_bed, term)


def lived_by(settings: Settings, plan: YearPlan, known: Known) -> YearPlan:
    """Return the plan of a year without what changes no day of those who have their beds.

    Left out are buses that nobody is there to drive, how many beds a dormitory has, who was not placed, and what was
    checked; so plans that differ in nothing else are one.
    """
    drivers, attendants = crews(settings, plan)
    runs = replace(plan.runs, buses_owned=0, spare_buses=min(plan.runs.spare_buses, drivers, attendants))
    beds = Beds(np.minimum(plan.beds.nominal, 1), np.zeros_like(plan.beds.emergency))
    placed = replace(plan.places, unplaced=plan.places.unplaced.iloc[:0])
    return known.interned(replace(plan, places=placed, runs=runs, beds=beds, checked=None))


def on_the_road(plan: YearPlan) -> YearPlan:
    """Return the plan of a year without what moves nobody: what a canteen offers, taps and toilets, class places."""
    none = np.zeros_like(plan.class_places)
    meals = replace(plan.meals, windows=none, seats=none, kitchen=none)
    fixtures = {each.name: np.zeros_like(getattr(plan.fixtures, each.name)) for each in fields(plan.fixtures)}
    return replace(plan, meals=meals, fixtures=replace(plan.fixtures, **fixtures), class_places=none)


def of_some(settings: Settings, stage: Stage, plan: YearPlan, who: Ints) -> Stage:
    """Return the stage of some pupils, (n,), by school, who have come and gone; the schools offer what a plan says."""
    pupils, table = stage.pupils, stage.table
    first = np.searchsorted(who, pupils.first)
    columns = {each.name: getattr(pupils, each.name) for each in fields(pupils) if each.name != "first"}
    pupils = Pupils(**{name: column[..., who] for name, column in columns.items()}, first=first)
    nobody = np.empty(0, dtype=np.int64)
    return replace(
        stage,
        plan=plan,
        pupils=pupils,
        table=replace(table, close_min=table.close_min[who], friday_min=table.friday_min[who],
                      riders=(np.zeros_like(table.riders[0]), nobody)),
        halls=halls(settings, plan, pupils),
        visits=visits(settings, plan, pupils),
        line_riders=nobody,
        families=nobody,
        **{name: getattr(stage, name)[who] for name in ("bus_home", "area", "home_node", "school_node", "bell_min")},
    )  # fmt: skip


def _set_up(
    known: Known, county: County, settings: Settings, ways: Ways, plan: YearPlan, who: Coming, has_bed: Bools, term: int
) -> Stage:
    """Lay out a term but for the number of beds."""
    pupils = gather(county, settings, ways.dry, plan, who, has_bed, term, known)
    junior = pupils.grade >= FIRST_JUNIOR_GRADE
    by_line = np.flatnonzero(pupils.mode == LINE_BUS)
    return Stage(
        plan=plan,
        pupils=pupils,
        table=timetable(county, settings, ways.dry, ways.skies, plan, pupils, known),
        halls=halls(settings, plan, pupils),
        visits=visits(settings, plan, pupils, known),
        gate_bays=tuple((np.maximum(county.schools.gate_bays, 1) + plan.more_bays).tolist()),
        life_teachers=life_teachers(county, plan),
        beds=np.zeros_like(plan.beds.nominal),
        bus_home=_bus_home(plan, pupils),
        line_riders=by_line[np.lexsort((pupils.number[by_line], pupils.grade[by_line], pupils.hamlet[by_line]))],
        families=np.flatnonzero(pupils.mode == FAMILY),
        area=known(_area, county, pupils.hamlet),
        home_node=county.hamlets.node[pupils.hamlet],
        school_node=county.schools.node[pupils.school],
        bell_min=np.where(junior, settings.bells.junior_first_min, settings.bells.primary_first_min).astype(float),
    )


def _area(county: County, hamlet: Ints) -> Ints:
    return county.hamlets.township[hamlet]


def _bus_home(plan: YearPlan, pupils: Pupils) -> Bools:
    """Tell who has a run home that the plan did not have to drop; (N,)."""
    routes = plan.runs.routes
    bus = np.append(np.repeat(plan.runs.bus, np.diff(routes.ptr)), -1)  # the last one answers for "no stop" (-1)
    return np.asarray(bus[pupils.stop[OUT]] >= 0)
