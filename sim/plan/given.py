"""The runs a county's buses drive today (runs.csv) as a plan: the same buses, order and times, nothing improved."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sim.plan import DIRECTIONS, GRADES, SERVICES, Bools, Floats, Ints, Places, Routes, Runs
from sim.plan.course import at_school_min, demand_key, dwell_min, gate_loads, nodes, stand_min
from sim.plan.duty import nearest_yard, owned_buses
from sim.plan.route import GATE, IN, LODGER, OUT, SCHOOL
from sim.plan.stops import at_stop, at_stops, daily_riders, walk_km, weekly_riders
from sim.plan.timetable import at_school, stop_times
from sim.tables import county_table

if TYPE_CHECKING:
    from sim.config import Fleet, Settings
    from sim.county import County
    from sim.county.road import Travel

TINY = 1e-6
NO_RUN = -1


def exported(runs: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return the runs.parquet of a finished run as a county's runs.csv: the runs it lived, year by year."""
    names = county_table("runs").names
    return runs.assign(rated=None, source=source)[list(names)]


def in_force(county: County, year: int) -> pd.DataFrame:
    """Return the rows of runs.csv that hold in a school year, in order of run and place; none when none do."""
    rows = county.tables["runs"]
    since = rows["year"].astype("float64").fillna(-np.inf)
    rows = rows[since == since[since <= year].max()] if (since <= year).any() else rows[:0]
    run = pd.factorize(rows["run_id"])[0]
    return rows.iloc[np.lexsort((rows["seq"], run))].reset_index(drop=True)


def at_end(rows: pd.DataFrame) -> Bools:
    """Tell which rows are the school of their run: its last place on the way to school, its first on the way home."""
    run = rows["run_id"].to_numpy()
    new = np.append(True, run[1:] != run[:-1])[: len(run)]
    return np.where(rows["direction"] == "in", np.append(new[1:], True)[: len(run)], new)


def as_given(
    county: County, settings: Settings, travel: Travel, places: Places, rows: pd.DataFrame, open_: Bools,
    owned_before: int,
) -> tuple[Places, Runs]:  # fmt: skip
    """Return the given runs of a year, and the places whose riders walk to the given stops.

    rows: of runs.csv, in force. A pupil whose hamlet has no stop walks to the nearest one of the school within
    `fleet.stop_walk_km`; who has none so near is without a bus (see `with_nobody_forgotten`). A bus is of the kind
    with its seats, else of the largest one with fewer. A stop without a number of pupils has an even part of those
    expected there. Nobody drives to schools that are closed (`open_`: (S,)), nor the last buses where fewer are owned.
    """
    head, stops = rows[at_end(rows)].reset_index(drop=True), rows[~at_end(rows)]
    routes = _routes(county, settings, travel, head, stops)
    head["bus_id"] = head["bus_id"].where(open_[routes.school])
    placed = _at_given_stops(county, settings, places, routes)
    routes = _expected_loads(settings, placed, routes)
    return placed, _runs(county, settings, travel, routes, head, rows, owned_before)


def with_nobody_forgotten(county: County, settings: Settings, travel: Travel, places: Places, runs: Runs) -> Runs:
    """Return runs with one more, that no bus drives, for each stop where pupils wait and no run comes.

    So these are counted every day as left behind for want of a bus, as those of any run that is dropped.
    """
    routes = runs.routes
    want = wanted(settings, places, len(county.schools.id))
    comes = np.zeros_like(want, dtype=bool)
    service, way, school, hamlet = (of[routes.hamlet != GATE] for of in demand_key(routes))
    comes[service, way, school, hamlet] = True
    missing = np.argwhere((want > 0) & ~comes)
    if not len(missing):
        return runs
    service, way, school, hamlet = missing.T
    names = (
        f"{county.schools.id[s]}{'-lodger' if v == LODGER else ''}-{DIRECTIONS[w]}-none-{county.hamlets.id[h]}"
        for v, w, s, h in missing
    )
    load = want[tuple(missing.T)]
    ends = (county.hamlets.node[hamlet], county.schools.node[school])
    start, end = np.where(way == IN, ends, ends[::-1])
    more = Routes(
        run_id=tuple(names), school=school, direction=way, service=service, kind=np.zeros_like(way),
        seats=np.maximum(load, 1).astype(np.int64), ptr=np.arange(len(missing) + 1), hamlet=hamlet, load=load,
        leg_min=travel.minutes[start, end], leg_floor_min=travel.floor_min[start, end], leg_km=travel.km[start, end],
        over_limit=np.zeros(len(missing), dtype=bool),
    )  # fmt: skip
    return _with_undriven(county, settings, runs, more)


def wanted(settings: Settings, places: Places, schools: int) -> Floats:
    """Return the whole pupils who want a run at each stop, (service, direction, S, H)."""
    riders = (daily_riders(places), weekly_riders(settings, places))
    want = np.stack([np.ceil(at_stop(places, home, schools).sum(axis=2) - TINY) for home in riders])
    return np.repeat(want[:, None], len(DIRECTIONS), axis=1)


def _with_undriven(county: County, settings: Settings, runs: Runs, more: Routes) -> Runs:
    """Return runs and, after them, some without a bus, each on time at its school."""
    routes, count = runs.routes, len(more.school)
    early, late = at_school(settings, county, more)
    come, go = _own_times(settings.fleet, more, np.where(more.direction == IN, late, early))
    both: dict[str, Any] = {
        one.name: np.append(getattr(routes, one.name), getattr(more, one.name))
        for one in fields(Routes)
        if one.name not in ("run_id", "ptr")
    }
    none = np.full(count, NO_RUN)
    stop_come, stop_go = stop_times(runs, settings.fleet)
    joined = Routes(
        run_id=routes.run_id + more.run_id, ptr=np.append(routes.ptr, routes.ptr[-1] + more.ptr[1:]), **both
    )
    return replace(
        runs,
        routes=joined,
        depart_min=np.append(runs.depart_min, np.where(more.direction == IN, go, early)),
        arrive_min=np.append(runs.arrive_min, np.where(more.direction == IN, late, come)),
        bus=np.append(runs.bus, none),
        order=np.append(runs.order, none),
        late_min=np.append(runs.late_min, np.zeros(count)),
        come_min=np.append(stop_come, come),
        go_min=np.append(stop_go, go),
    )  # fmt: skip


def _own_times(fleet: Fleet, routes: Routes, gate: Floats) -> tuple[Floats, Floats]:
    """Return when a bus would come to and leave the only stop of each run, being at the school at `gate`."""
    stand = dwell_min(fleet, routes.load)
    come = np.where(routes.direction == IN, gate - routes.leg_min - stand, gate + routes.leg_min)
    return come, come + stand


def _routes(county: County, settings: Settings, travel: Travel, head: pd.DataFrame, stops: pd.DataFrame) -> Routes:
    """Return the given runs as routes; loads that are not given are NaN."""
    schools, hamlets = ({name: i for i, name in enumerate(ids)} for ids in (county.schools.id, county.hamlets.id))
    school = head["school_id"].map(schools).to_numpy(np.int64)
    direction = head["direction"].map(DIRECTIONS.index).to_numpy(np.int64)
    to = stops["school_id"].map(schools).to_numpy(np.int64)
    is_gate = (stops["stop_id"] == stops["school_id"]).to_numpy()
    hamlet = stops["stop_id"].map(hamlets).where(~is_gate, GATE).to_numpy(np.int64)
    run = pd.Index(head["run_id"]).get_indexer(stops["run_id"])
    ptr = np.searchsorted(run, np.arange(len(head) + 1))
    legs: list[tuple[int, int]] = []
    along = np.where(is_gate, county.schools.node[to], county.hamlets.node[hamlet])
    for r, (low, high) in enumerate(pairwise(ptr)):
        places, gate = along[low:high].tolist(), int(county.schools.node[school[r]])
        legs += pairwise([*places, gate] if direction[r] == IN else [gate, *places])
    start, end = np.array(legs, dtype=np.int64).reshape(-1, 2).T
    seats = head["seats"].to_numpy(np.int64)
    load = np.where(direction[run] == IN, *(stops[name].astype(np.float64) for name in ("embark", "alight")))
    return Routes(
        run_id=tuple(head["run_id"]),
        school=school,
        direction=direction,
        service=head["service"].map(SERVICES.index).to_numpy(np.int64),
        kind=np.array([kind_of(settings.fleet, places) for places in seats], dtype=np.int64),
        seats=seats,
        ptr=ptr,
        hamlet=hamlet,
        load=np.where(is_gate, 0.0, load),
        leg_min=travel.minutes[start, end],
        leg_floor_min=travel.floor_min[start, end],
        leg_km=travel.km[start, end],
        over_limit=np.zeros(len(head), dtype=bool),
        to=to,
    )


def kind_of(fleet: Fleet, seats: int) -> int:
    """Return the position of the kind of bus with so many seats: else the largest with fewer, else the smallest."""
    sizes = sorted((kind.seats, position) for position, kind in enumerate(fleet.kinds))
    return next((position for size, position in reversed(sizes) if size <= seats), sizes[0][1])


def _at_given_stops(county: County, settings: Settings, places: Places, routes: Routes) -> Places:
    """Send riders whose hamlet has no stop of a run to their school to the nearest that has one, within the limit.

    Lodgers go to the stop of the day pupils of their hamlet and grade, and by their own runs where there are none.
    """
    fleet, hamlets = settings.fleet, len(county.hamlets.id)
    stop = np.repeat(np.arange(hamlets)[:, None], len(GRADES), axis=1)
    served = np.zeros((len(SERVICES), len(county.schools.id), hamlets), dtype=bool)
    service, direction, school, hamlet = demand_key(routes)
    into = (direction == IN) & (hamlet != GATE)
    served[service[into], school[into], hamlet[into]] = True
    km = walk_km(county, settings)
    daily, weekly = daily_riders(places), weekly_riders(settings, places)
    for h, g in np.argwhere((places.school >= 0) & (daily + weekly > 0)):
        has_stop = served[SCHOOL if daily[h, g] > 0 else LODGER, places.school[h, g]]
        if has_stop[h]:
            continue
        limit = fleet.stop_walk_young_km if GRADES[g] <= 3 else fleet.stop_walk_km
        near = np.where(has_stop & (km[h] <= limit + TINY), km[h], np.inf)
        if np.isfinite(near).any():
            stop[h, g] = near.argmin()
    return at_stops(county, places, stop, km[np.arange(hamlets)[:, None], stop])


def _expected_loads(settings: Settings, places: Places, routes: Routes) -> Routes:
    """Fill in the pupils of stops without a number: an even part of those expected there, run by run."""
    want = wanted(settings, places, int(routes.school.max(initial=places.school.max())) + 1)
    key = demand_key(routes)
    calls = np.zeros_like(want)
    np.add.at(calls, key, routes.hamlet != GATE)
    even = want[key] / np.maximum(calls[key], 1)
    return replace(routes, load=np.where(np.isnan(routes.load), even, routes.load))


def _runs(
    county: County, settings: Settings, travel: Travel, routes: Routes, head: pd.DataFrame, rows: pd.DataFrame,
    owned_before: int,
) -> Runs:  # fmt: skip
    """Return the routes with the buses and times of the table; a time that is not given follows from the other."""
    fleet, into = settings.fleet, routes.direction == IN
    is_stop = ~at_end(rows)
    arrive, depart = (rows[name].to_numpy(np.float64) for name in ("arrive_min", "depart_min"))
    stand = np.zeros(len(rows))
    stand[is_stop] = stand_min(routes, fleet)
    come, go = np.where(np.isnan(arrive), depart - stand, arrive), np.where(np.isnan(depart), arrive + stand, depart)
    first, last = routes.ptr[:-1], routes.ptr[1:] - 1
    arrives, departs = (
        np.where(into, come[~is_stop], come[is_stop][last]),
        np.where(into, go[is_stop][first], go[~is_stop]),
    )
    begins = np.where(into, come[is_stop][first], departs - at_school_min(fleet, gate_loads(routes)[0]))
    names, bus, needed, owned = _buses(fleet, head["bus_id"], routes.kind, owned_before)
    place = np.lexsort((begins, bus))
    order = np.empty(len(bus), dtype=np.int64)
    order[place] = np.arange(len(bus)) - np.searchsorted(bus[place], bus[place])
    late = np.where(into, arrives, departs) - at_school(settings, county, routes)[1]
    return Runs(
        routes=routes,
        depart_min=departs,
        arrive_min=arrives,
        bus=bus,
        order=np.where(bus < 0, NO_RUN, order),
        late_min=np.where((late < TINY) | (bus < 0), 0.0, late),
        yard=_yards(county, travel, routes, bus, begins, len(names)),
        bus_kind=np.array([routes.kind[bus == one][0] for one in range(len(names))], dtype=np.int64),
        buses_needed=needed,
        buses_owned=owned,
        spare_buses=max(0, owned - needed),
        bus_id=names,
        come_min=come[is_stop],
        go_min=go[is_stop],
    )


def _buses(fleet: Fleet, column: pd.Series, kind: Ints, owned_before: int) -> tuple[tuple[str, ...], Ints, int, int]:
    """Return the names of the buses that drive, 2 before 10, the bus of each run, and the buses needed and owned.

    kind: (R,). A bus that is not owned does not drive: the last ones where they are too few. No bus: -1.
    """
    seats = {str(name): fleet.kinds[k].seats for name, k in zip(column, kind, strict=True) if pd.notna(name)}
    owned, total = owned_buses(fleet, len(seats), owned_before)
    names: list[str] = []
    for name in sorted(seats, key=lambda name: (len(name), name)):
        if owned.enough(np.array([seats[one] for one in (*names, name)])):
            names.append(name)
    bus = pd.Index(names, dtype=object).get_indexer(column).astype(np.int64)
    return tuple(names), bus, len(seats), total


def _yards(county: County, travel: Travel, routes: Routes, bus: Ints, begins: Floats, buses: int) -> Ints:
    """Return the yard of each bus: the nearest to the start of its first run to school, else of its first run."""
    stops = nodes(county, routes)
    origin = np.where(routes.direction == IN, stops[routes.ptr[:-1]], county.schools.node[routes.school])
    order = np.lexsort((begins, routes.direction == OUT, bus))
    first = order[np.searchsorted(bus[order], np.arange(buses))]
    return nearest_yard(travel.minutes, np.flatnonzero(county.roads.is_yard), origin[first])
