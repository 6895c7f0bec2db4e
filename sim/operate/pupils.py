"""The pupils who really come in one year of one replication, each with the place the plan has for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sim import streams
from sim.chance import MOVES, YearLuck, pupil_owners
from sim.config import Settings
from sim.county import County
from sim.county.road import Travel
from sim.operate.admit import Asks, admit
from sim.plan import (
    FAMILY,
    FIRST_JUNIOR_GRADE,
    LINE_BUS,
    LODGE,
    NONE,
    SCHOOL_BUS,
    WALK,
    Bools,
    Floats,
    Ints,
    Routes,
    YearPlan,
)
from sim.plan.course import OWN_SCHOOL, at_school_min, demand_key, gate_loads, own_gate, run_of_stop
from sim.plan.enrol import town_of
from sim.plan.timetable import gate_times
from sim.streams import Owners
from sim.units import MINUTES_PER_HOUR

_TASTE = (LODGE, SCHOOL_BUS, LINE_BUS, FAMILY, WALK, NONE)
SERVICE_SCHOOL, SERVICE_LODGER = 0, 1
IN, OUT = 0, 1


@dataclass(frozen=True, slots=True)
class Pupils:
    """One row per pupil at a school whose days are lived, ordered by school, grade and home; N rows."""

    number: Owners
    """(N,) the stable number that owns the pupil's luck."""
    hamlet: Ints
    grade: Ints
    sex: Ints
    school: Ints
    mode: Ints
    km: Floats
    door_min: Floats
    """(N,) minutes from door to school for those who do not ride a school bus."""
    has_bed: Bools
    refused: Bools
    """(N,) asked for a bed and got none."""
    stop: Ints
    """(2, N) the run's stop that serves the pupil, in and out; -1 = none."""
    lodger_bus: Bools
    hardship: Bools
    eats: Bools
    """(N,) has lunch at school."""
    breakfasts: Bools
    """(N,) comes by bus in time for breakfast and has it at school."""
    lunch_rank: Ints
    """(N,) how many classes of the same sitting leave for the hall before the pupil's class."""
    first: Ints
    """(S + 1,) the pupils of school s are first[s]:first[s+1]."""

    def __len__(self) -> int:
        return len(self.number)


def gather(
    county: County, settings: Settings, travel: Travel, plan: YearPlan, counts: Ints, luck: YearLuck, term: int = 1
) -> Pupils:
    """Let the pupils who come meet the plan: school, mode, bed, stop and class of each in a term.

    counts: (2, H, 9, 2) pupils who come this year from each hamlet: who live there, who have moved to its town hamlet.
    """
    hamlet, grade, sex, number = _people(county, plan, counts, luck)
    school, km = plan.places.school[hamlet, grade - 1], plan.places.km[hamlet, grade - 1]
    mode = _modes(plan.places.share[hamlet, grade - 1], streams.uniforms(luck.lasting("mode"), number))
    hardship = streams.uniforms(luck.lasting("hardship"), number) < county.hamlets.hardship_share[hamlet]
    leaves = streams.uniforms(luck.yearly("gives up bed"), number) < settings.lodge.leave_after_term_share
    has_bed = admit(
        settings.lodge, plan.beds, Asks(mode == LODGE, school, sex, grade, km, hardship, leaves, number), term
    )
    if term > 1:
        mode[(mode == LODGE) & leaves] = FAMILY  # who gave up lodging is brought by the family
    refused = (mode == LODGE) & ~has_bed
    lodger_bus = has_bed & (streams.uniforms(luck.lasting("lodger bus"), number) < settings.lodge.bus_share)
    lodger_bus &= settings.fleet.lodger_runs
    waits_at = plan.places.stop[hamlet, grade - 1]
    stop = _both_stops(settings, plan, county, travel, (school, waits_at, number), mode, lodger_bus, refused)
    first = np.searchsorted(school, np.arange(len(county.schools.id) + 1))
    eats = streams.uniforms(luck.lasting("lunch"), number) < settings.dine.lunch_share
    return Pupils(
        number=number,
        hamlet=hamlet,
        grade=grade,
        sex=sex,
        school=school,
        mode=mode,
        km=km,
        door_min=_door(settings, plan.places.minutes[hamlet, grade - 1], km, mode),
        has_bed=has_bed,
        refused=refused,
        stop=stop,
        lodger_bus=lodger_bus,
        hardship=hardship,
        eats=eats | has_bed,
        breakfasts=_breakfasts(settings, plan, stop[IN], luck, number) & (mode == SCHOOL_BUS),
        lunch_rank=_lunch_rank(plan, settings, school, grade),
        first=first,
    )


def _modes(share: Floats, taste: Floats) -> Ints:
    """Return the mode of each pupil; share: (N, 6) of each of MODES in the pupil's group, taste: (N,) uniforms.

    The modes stand in the order of _TASTE, so that a little more of one moves only those next to it.
    """
    ends = np.cumsum(share[:, _TASTE], axis=1)[:, :-1]
    return np.array(_TASTE)[(taste[:, None] >= ends - 1e-12).sum(axis=1)]


def _both_stops(
    settings: Settings, plan: YearPlan, county: County, travel: Travel, who: tuple[Ints, Ints, Owners], mode: Ints,
    lodger_bus: Bools, refused: Bools,
) -> Ints:  # fmt: skip
    """Return the stop of each pupil in and out, -1 for none; (2, N).

    who: school, hamlet at whose stop they embark and number, (N,) each.
    """
    school, hamlet, number = who
    rider, order = (mode == SCHOOL_BUS) | refused, np.lexsort((number, refused))
    stop = np.stack(
        [_stops(plan, county, travel, school, hamlet, order, rider, lodger_bus, refused, way) for way in (IN, OUT)]
    )
    stop[:, refused & ~_free_seat(settings, plan, stop, rider, refused, number)] = -1
    return stop


def _people(county: County, plan: YearPlan, counts: Ints, luck: YearLuck) -> tuple[Ints, Ints, Ints, Owners]:
    """List everyone whose school is lived, by school, grade, hamlet where they live, and sex; and each one's number.

    Of the pupils from a hamlet those have moved whose lasting uniforms are the highest, as many as counts say.
    """
    own, goal = np.arange(len(county.hamlets.id)), town_of(county)
    live_at = np.stack([own, np.where(goal >= 0, goal, own)])
    lived = np.append(county.schools.lived, False)  # the last one answers for "no school" (-1)
    any_lived = lived[plan.places.school[live_at]].any(axis=0)
    cells = np.where(any_lived[:, :, None], counts.sum(axis=0), 0)
    home, grade, sex = (np.repeat(axis, cells.ravel()) for axis in map(np.ravel, np.indices(cells.shape)))
    ends = np.cumsum(cells.ravel())
    ordinal = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - cells.ravel(), cells.ravel())
    number = pupil_owners(streams.owners(county.hamlets.id)[home], plan.year - grade, sex, ordinal)
    hamlet, apart = home.copy(), np.flatnonzero(counts[1, home, grade, sex])
    cell = np.cumsum(ordinal[apart] == 0)
    rank = np.empty_like(apart)
    rank[np.argsort(cell + streams.uniforms(luck.lasting(MOVES), number[apart]))] = ordinal[apart]
    gone = apart[rank >= counts[0, home, grade, sex][apart]]
    hamlet[gone] = live_at[1, home[gone]]
    school = plan.places.school[hamlet, grade]
    here = np.flatnonzero(lived[school])  # by old home and ordinal, an order that stays among those who are alike
    order = here[np.lexsort((sex[here], hamlet[here], grade[here], school[here]))]
    return hamlet[order], grade[order] + 1, sex[order], number[order]


def _rank(*keys: Ints) -> Ints:
    """Return each row's position among the rows with the same keys, in the given order of rows."""
    frame = pd.DataFrame(dict(enumerate(keys)))
    return np.asarray(frame.groupby(list(frame.columns), sort=False).cumcount().to_numpy())


def _stops(
    plan: YearPlan,
    county: County,
    travel: Travel,
    school: Ints,
    hamlet: Ints,
    order: Ints,
    rider: Bools,
    lodger_bus: Bools,
    refused: Bools,
    way: int,
) -> Ints:
    """Give each rider a stop of a run: the home hamlet's own, in order of number; else the school's nearest."""
    routes = plan.runs.routes
    served = _stop_lists(routes, way)
    stop = np.full(len(school), -1, dtype=np.int64)
    for service, who in ((SERVICE_SCHOOL, rider), (SERVICE_LODGER, lodger_bus)):
        rows = order[who[order]]
        rank = _rank(school[rows], hamlet[rows])
        groups = pd.DataFrame({"s": school[rows], "h": hamlet[rows]}).groupby(["s", "h"]).indices
        for (s, h), members in groups.items():
            stops = served.get((s, h, service))
            if stops is None:
                stops = _nearest(served, county, travel, int(s), int(h), service)
            if len(stops) == 0:
                continue
            room = np.cumsum(np.ceil(routes.load[stops]))
            slot = np.minimum(np.searchsorted(room, rank[members], side="right"), len(stops) - 1)
            stop[rows[members]] = stops[slot]
    # A refused pupil rides only where the plan has a run for the own hamlet.
    seated = np.flatnonzero(refused & (stop >= 0))
    stop[seated[routes.hamlet[stop[seated]] != hamlet[seated]]] = -1
    return stop


def bus_seats(settings: Settings, plan: YearPlan) -> Ints:
    """Return the seats of the bus that drives each run; those the run was routed for when it has none; (R,)."""
    kinds = np.array([kind.seats for kind in settings.fleet.kinds], dtype=np.int64)
    runs = plan.runs
    if not len(runs.bus_kind):
        return runs.routes.seats
    return np.where(runs.bus >= 0, kinds[runs.bus_kind[runs.bus]], runs.routes.seats)


def _free_seat(settings: Settings, plan: YearPlan, stop: Ints, rider: Bools, refused: Bools, number: Owners) -> Bools:
    """Tell which lodgers without a bed find a free seat in and out: one that no day pupil has a claim to; (N,)."""
    routes = plan.runs.routes
    run_of = np.append(run_of_stop(routes), -1)
    seats = np.append(np.where(plan.runs.bus >= 0, bus_seats(settings, plan), 0), 0)
    found = refused.copy()
    for way in (IN, OUT):
        run = run_of[stop[way]]
        claimed = np.bincount(run[rider & ~refused] + 1, minlength=len(seats))[1:]
        asks = np.flatnonzero(found)
        asks = asks[np.argsort(number[asks], kind="stable")]
        found[asks] = _rank(run[asks]) < (seats - np.append(claimed, 0))[run[asks]]
    return found


def _breakfasts(settings: Settings, plan: YearPlan, stop: Ints, luck: YearLuck, number: Owners) -> Bools:
    """Tell who wants breakfast at school and has a bus that is planned to be there in time to eat it; (N,)."""
    routes, bells, dine = plan.runs.routes, settings.bells, settings.dine
    gate, (own, at_gate) = own_gate(routes), gate_loads(routes)
    alight = np.where(gate == OWN_SCHOOL, np.append(own, 0.0)[run_of_stop(routes)], at_gate[gate])
    there = gate_times(plan.runs, settings.fleet) + at_school_min(settings.fleet, alight) + dine.walk_to_hall_min
    latest = bells.breakfast_min + dine.bell_after_min - dine.seat_min_limit
    in_time = np.append(there <= latest, False)
    wants = streams.uniforms(luck.lasting("breakfast"), number) < dine.breakfast_rider_share
    return np.asarray(wants & in_time[stop])


def _stop_lists(routes: Routes, way: int) -> dict[tuple[int, int, int], Ints]:
    """List the stops of each (school, hamlet, service) in one direction, in order of runs."""
    service, direction, school, hamlet = demand_key(routes)
    here = np.flatnonzero((direction == way) & (hamlet >= 0))
    frame = pd.DataFrame({"s": school[here], "h": hamlet[here], "v": service[here]})
    return {key: here[rows] for key, rows in frame.groupby(["s", "h", "v"]).indices.items()}


def _nearest(
    served: dict[tuple[int, int, int], Ints],
    county: County,
    travel: Travel,
    school: int,
    hamlet: int,
    service: int,
) -> Ints:
    """Return the stops at the hamlet nearest by road among those served for the school; none if none is."""
    known = [h for s, h, v in served if s == school and v == service]
    if not known:
        return np.empty(0, dtype=np.int64)
    node = county.hamlets.node
    near = known[int(np.argmin(travel.minutes[node[hamlet], node[known]]))]
    return served[(school, near, service)]


def _door(settings: Settings, minutes: Floats, km: Floats, mode: Ints) -> Floats:
    """Return minutes from door to school of those who walk, are brought, or take the public line.

    Roads begin in the middle of the hamlet; the way there from the door is the way to the stop.
    """
    walk = km / settings.road.walk_km_per_h * MINUTES_PER_HOUR + settings.fleet.walk_to_stop_min
    line = minutes + settings.fleet.walk_to_stop_min + settings.fleet.wait_at_stop_min
    return np.asarray(np.select([mode == WALK, mode == LINE_BUS], [walk, line], minutes))


def _lunch_rank(plan: YearPlan, settings: Settings, school: Ints, grade: Ints) -> Ints:
    """Number the classes of each sitting in the order in which they walk to the hall."""
    if len(school) == 0:
        return np.empty(0, dtype=np.int64)
    sitting = plan.meals.sitting[school, grade - 1]
    dine = settings.dine
    room = _rank(school, grade) // np.where(grade >= FIRST_JUNIOR_GRADE, dine.class_size_junior, dine.class_size)
    keys = np.stack([school, sitting, grade, room])
    new_class = np.append(True, (np.diff(keys, axis=1) != 0).any(axis=0))
    new_sitting = np.append(True, (np.diff(keys[:2], axis=1) != 0).any(axis=0))
    count = np.cumsum(new_class) - 1
    return np.asarray(count - np.maximum.accumulate(np.where(new_sitting, count, 0)))
