"""How much of each resource a year used: capacity, demand, utilisation, waiting and what was left unmet."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sim.measure import dine, lodge, wash
from sim.measure.scene import Scene
from sim.measure.use import COLUMNS, Rows, Use, ratio, table
from sim.operate.pupils import IN, SERVICE_LODGER
from sim.plan import LINE_BUS
from sim.plan.course import schools_of
from sim.plan.staff import COUNTY_SITE


def resources(scene: Scene, use: Use) -> pd.DataFrame:
    """Return one row per school (or the county) and resource that is there or was wanted.

    Utilisation is use over capacity in the time the resource can be used: sittings for windows and seats, runs
    for bus seats, nights for beds. Peaks are over the days lived. Unmet seats (bus, canteen) and beds are the harm put
    down to them: pupils without any bus do not lack a seat, nor do those whom the line at the window held up.
    """
    parts = [
        _fleet(scene, use),
        _bus_seats(scene, use),
        _line_bus_seats(scene, use),
        _gates(scene, use),
        *dine.rows_of_use(scene, use),
        *lodge.rows_of_use(scene, use),
        *wash.rows_of_use(scene, use),
        _classrooms(scene, use),
    ]
    return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in COLUMNS})


def _fleet(scene: Scene, use: Use) -> Rows:
    """Buses, spare buses and the people on them: what belongs to the whole county."""
    runs, (drivers, attendants) = scene.plan.runs, scene.table.reserve
    used, owned = len(runs.yard), max(runs.buses_owned, 1)
    aboard = int(scene.table.attendants.sum())
    out = use.peak("spare_buses_out")[-1]

    def total(name: str) -> float:
        return float(use.total(name)[-1])

    lost = total("pupils_left_behind") - total("pupils_fetched")
    rows = [
        ("bus", runs.buses_owned, runs.buses_needed, used / owned, runs.buses_needed / owned,
         total("runs_cancelled"), "run", "bus"),
        ("spare_bus", runs.spare_buses, out, np.nan, out / runs.spare_buses if runs.spare_buses else np.nan,
         lost, "pupil-day", "bus"),
        ("driver", used + drivers, used, np.nan, used / max(used + drivers, 1),
         total("driver_missing_runs"), "run", "person"),
        ("attendant", aboard + attendants, aboard, np.nan, aboard / max(aboard + attendants, 1),
         total("attendant_missing_runs"), "run", "person"),
    ]  # fmt: skip
    told = dict(zip((*COLUMNS[1:6], *COLUMNS[8:]), map(np.array, zip(*rows, strict=True)), strict=True))
    wait = np.full(len(rows), np.nan)
    return {**told, "site_id": np.full(len(rows), COUNTY_SITE), "wait_mean_min": wait, "wait_p95_min": wait}


def _bus_seats(scene: Scene, use: Use) -> Rows:
    """Seats of the daily morning runs to each school against the riders who want one.

    A run with mixed loads counts for each school it calls at.
    """
    routes, plan = scene.plan.runs.routes, scene.table
    daily = (routes.direction == IN) & (routes.service != SERVICE_LODGER) & (np.array(plan.bus) >= 0)
    schools = len(scene.county.schools.id)
    seats = np.array(plan.seats)[daily] @ schools_of(routes, schools)[daily].astype(float)
    riders = np.bincount(scene.pupils.school[scene.rider], minlength=schools).astype(float)
    return table(
        scene, "bus_seat", "seat", "pupil-day", (seats > 0) | (riders > 0),
        capacity=seats, demand_peak=riders, utilisation_peak=ratio(riders, seats),
        utilisation_mean=ratio(use.total("pupils_carried")[:-1], seats * use.school_days(scene)),
        unmet=use.harm("bus_seat", "left_behind"),
    )  # fmt: skip


def _line_bus_seats(scene: Scene, use: Use) -> Rows:
    """Seats in the first public bus of each hamlet against the pupils of a school who want one."""
    pupils, schools = scene.pupils, len(scene.county.schools.id)
    line = pupils.mode == LINE_BUS
    riders = np.bincount(pupils.school[line], minlength=schools).astype(float)
    hamlets = np.unique(np.stack([pupils.school[line], pupils.hamlet[line]]), axis=1)[0]
    seats = scene.settings.fleet.line_bus_seats * np.bincount(hamlets, minlength=schools).astype(float)
    return table(
        scene, "line_bus_seat", "seat", "pupil-day", riders > 0,
        capacity=seats, demand_peak=riders, utilisation_peak=ratio(riders, seats),
        unmet=use.total("line_bus_left")[:-1],
    )  # fmt: skip


def _gates(scene: Scene, use: Use) -> Rows:
    """Bays at the gate: how long buses wait for one."""
    return table(
        scene, "gate_bay", "bay", "pupil-day", use.total("runs_driven")[:-1] > 0,
        capacity=np.maximum(1.0, scene.county.schools.gate_bays) + scene.plan.more_bays,
        unmet=use.harm("gate_bay", "late"),
        wait_mean_min=use.mean("gate_wait_min_mean")[:-1], wait_p95_min=use.mean("gate_wait_min_p95")[:-1],
    )  # fmt: skip


def _classrooms(scene: Scene, use: Use) -> Rows:
    """Places of the classrooms against the roll."""
    roll, places = np.diff(scene.pupils.first).astype(float), scene.plan.class_places.astype(float)
    return table(
        scene, "classroom_seat", "place", "pupil-day", roll > 0,
        capacity=places, demand_peak=roll, utilisation_mean=ratio(roll, places), utilisation_peak=ratio(roll, places),
        unmet=use.total("class_too_big")[:-1],
    )  # fmt: skip
