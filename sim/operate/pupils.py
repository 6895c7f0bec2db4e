"""The pupils who really come in one year of one replication, each with the place the plan has for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.config.school import Dine
from sim.county import County
from sim.county.road import Travel
from sim.operate.admit import Asks, admit
from sim.operate.arrive import Coming
from sim.plan import (
    FAMILY,
    FIRST_JUNIOR_GRADE,
    LINE_BUS,
    LODGE,
    SCHOOL_BUS,
    WALK,
    Beds,
    Bools,
    Floats,
    Ints,
    Routes,
    YearPlan,
)
from sim.plan.course import OWN_SCHOOL, at_school_min, demand_key, gate_loads, own_gate, run_of_stop
from sim.plan.timetable import gate_times
from sim.share import Known
from sim.streams import Owners
from sim.units import MINUTES_PER_HOUR

SERVICE_SCHOOL, SERVICE_LODGER = 0, 1
IN, OUT = 0, 1
Served = dict[tuple[int, int, int], Ints]
"""The stops of each (school, hamlet, service) in one direction."""


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
    parents_away: Bools
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


def bedded(settings: Settings, beds: Beds, who: Coming, term: int) -> Bools:
    """Say who of those who come has a bed in a term; (N,)."""
    asks = Asks(who.mode == LODGE, who.school, who.sex, who.grade, who.km, who.hardship, who.leaves, who.number)
    return admit(settings.lodge, beds, asks, term)


def gather(
    county: County, settings: Settings, travel: Travel, plan: YearPlan, who: Coming, has_bed: Bools, term: int = 1,
    known: Known | None = None,
) -> Pupils:  # fmt: skip
    """Let the pupils who come meet the plan: mode, stop and class of each in a term; has_bed: (N,)."""
    mode, known = who.mode, known or Known()
    if term > 1:
        mode = np.where((mode == LODGE) & who.leaves, FAMILY, mode)  # who gave up lodging is brought by the family
    refused = (mode == LODGE) & ~has_bed
    lodger_bus = has_bed & who.lodger_bus
    waits_at = plan.places.stop[who.hamlet, who.grade - 1]
    served = known(_stop_lists, plan.runs.routes)
    riders = (who.school, waits_at, who.number)
    stop = _both_stops(settings, plan, county, travel, served, riders, mode, lodger_bus, refused)
    return Pupils(
        number=who.number,
        hamlet=who.hamlet,
        grade=who.grade,
        sex=who.sex,
        school=who.school,
        mode=mode,
        km=who.km,
        door_min=_door(settings, plan.places.minutes[who.hamlet, who.grade - 1], who.km, mode),
        has_bed=has_bed,
        refused=refused,
        stop=stop,
        lodger_bus=lodger_bus,
        hardship=who.hardship,
        parents_away=who.parents_away,
        eats=who.eats | has_bed,
        breakfasts=who.breakfasts & _in_time(settings, plan, stop[IN]) & (mode == SCHOOL_BUS),
        lunch_rank=known(_lunch_rank, plan.meals.sitting, settings.dine, who.school, who.grade),
        first=np.searchsorted(who.school, np.arange(len(county.schools.id) + 1)),
    )


def _both_stops(
    settings: Settings, plan: YearPlan, county: County, travel: Travel, served: tuple[Served, Served],
    who: tuple[Ints, Ints, Owners], mode: Ints, lodger_bus: Bools, refused: Bools,
) -> Ints:  # fmt: skip
    """Return the stop of each pupil in and out, -1 for none; (2, N).

    who: school, hamlet at whose stop they embark and number, (N,) each.
    """
    school, hamlet, number = who
    rider, order = (mode == SCHOOL_BUS) | refused, np.lexsort((number, refused))
    stop = np.stack(
        [_stops(plan, county, travel, school, hamlet, order, rider, lodger_bus, refused, one) for one in served]
    )
    stop[:, refused & ~_free_seat(settings, plan, stop, rider, refused, number)] = -1
    return stop


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
    served: Served,
) -> Ints:
    """Give each rider a stop of a run: the home hamlet's own, in order of number; else the school's nearest."""
    routes = plan.runs.routes
    stop = np.full(len(school), -1, dtype=np.int64)
    for service, who in ((SERVICE_SCHOOL, rider), (SERVICE_LODGER, lodger_bus)):
        rows = order[who[order]]
        hamlets = len(county.hamlets.id)
        pairs, pair = np.unique(school[rows] * hamlets + hamlet[rows], return_inverse=True)
        asked = np.stack(np.divmod(pairs, hamlets), axis=1).tolist()
        lists = [_served(served, county, travel, s, h, service) for s, h in asked]
        stop[rows] = _seated(lists, np.ceil(routes.load), pair)
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


def _in_time(settings: Settings, plan: YearPlan, stop: Ints) -> Bools:
    """Tell whose bus is planned to be there in time to eat breakfast; (N,)."""
    routes, bells, dine = plan.runs.routes, settings.bells, settings.dine
    gate, (own, at_gate) = own_gate(routes), gate_loads(routes)
    alight = np.where(gate == OWN_SCHOOL, np.append(own, 0.0)[run_of_stop(routes)], at_gate[gate])
    there = gate_times(plan.runs, settings.fleet) + at_school_min(settings.fleet, alight) + dine.walk_to_hall_min
    latest = bells.breakfast_min + dine.bell_after_min - dine.seat_min_limit
    return np.append(there <= latest, False)[stop]


def _stop_lists(routes: Routes) -> tuple[Served, Served]:
    """List the stops of each (school, hamlet, service), in and out, in order of runs."""
    return _stops_of(routes, IN), _stops_of(routes, OUT)


def _stops_of(routes: Routes, way: int) -> Served:
    service, direction, school, hamlet = demand_key(routes)
    here = np.flatnonzero((direction == way) & (hamlet >= 0))
    frame = pd.DataFrame({"s": school[here], "h": hamlet[here], "v": service[here]})
    return {key: here[rows] for key, rows in frame.groupby(["s", "h", "v"]).indices.items()}


def _seated(lists: Sequence[Ints], room: Floats, pair: Ints) -> Ints:
    """Seat riders one after another, each at the first stop of a list that has room, else at its last; -1 if none.

    room: (P,) at each stop; pair: (n,) list of each rider.
    """
    size = np.array([len(stops) for stops in lists], dtype=np.int64)
    end, by_list = np.cumsum(size), np.argsort(pair, kind="stable")
    rank = np.empty_like(pair)
    rank[by_list] = np.arange(len(pair)) - np.searchsorted(pair[by_list], pair[by_list])
    flat = np.concatenate([*lists, np.zeros(0, dtype=np.int64)])
    filled = np.append(0, np.cumsum(room[flat]))
    taken = np.searchsorted(filled[1:], filled[end - size][pair] + rank, side="right")
    return np.where(size[pair] > 0, np.append(flat, -1)[np.minimum(taken, end[pair] - 1)], -1)


def _served(served: Served, county: County, travel: Travel, school: int, hamlet: int, service: int) -> Ints:
    """Return the stops for a school at a hamlet, else at that nearest by road of those served; none if none is."""
    if (school, hamlet, service) in served:
        return served[school, hamlet, service]
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


def _lunch_rank(sittings: Ints, dine: Dine, school: Ints, grade: Ints) -> Ints:
    """Number the classes of each sitting in the order in which they walk to the hall; sittings: (S, 9)."""
    if len(school) == 0:
        return np.empty(0, dtype=np.int64)
    sitting = sittings[school, grade - 1]
    room = _rank(school, grade) // np.where(grade >= FIRST_JUNIOR_GRADE, dine.class_size_junior, dine.class_size)
    keys = np.stack([school, sitting, grade, room])
    new_class = np.append(True, (np.diff(keys, axis=1) != 0).any(axis=0))
    new_sitting = np.append(True, (np.diff(keys[:2], axis=1) != 0).any(axis=0))
    count = np.cumsum(new_class) - 1
    return np.asarray(count - np.maximum.accumulate(np.where(new_sitting, count, 0)))
