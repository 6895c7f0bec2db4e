"""How much of each resource a year used: capacity, demand, utilisation, waiting and what was left unmet."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sim.measure.scene import Scene, Values
from sim.operate.pupils import IN, SERVICE_LODGER
from sim.plan import LODGE, Floats

COLUMNS = (
    "site_id",
    "resource",
    "capacity",
    "demand_peak",
    "utilisation_mean",
    "utilisation_peak",
    "wait_mean_min",
    "wait_p95_min",
    "unmet",
    "unmet_unit",
    "unit",
)
Weeks = list[tuple[int, int, float, Values]]
Harmed = list[tuple[float, dict[tuple[str, str, str], Floats]]]
"""Weight of each lived week and its pupil-days by school of each harm (resource, kind, cause)."""


class _Annual:
    """Weighted totals and peaks over the lived weeks of a year."""

    def __init__(self, weeks: Weeks, harmed: Harmed) -> None:
        self.harmed = harmed
        self.weeks = [(weight, values) for _, day, weight, values in weeks if day == 0]
        self.weight = sum(weight for weight, _ in self.weeks)

    def total(self, name: str) -> Floats:
        return np.asarray(sum(weight * np.nan_to_num(values[name]) for weight, values in self.weeks))

    def harm(self, resource: str, kind: str) -> Floats:
        """Return the year's pupil-days of a harm put down to a resource, by school."""
        found = [w * who for w, harms in self.harmed for (what, how, _), who in harms.items()
                 if (what, how) == (resource, kind)]  # fmt: skip
        return np.asarray(np.sum(found, axis=0))

    def mean(self, name: str) -> Floats:
        """Return the weighted mean over weeks; NaN where no week has a value."""
        stack = np.array([values[name] for _, values in self.weeks])
        share = np.array([weight for weight, _ in self.weeks])[:, None] * ~np.isnan(stack)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.nansum(stack * share, axis=0) / share.sum(axis=0))

    def peak(self, name: str) -> Floats:
        return np.asarray(np.max([np.nan_to_num(values[name]) for _, values in self.weeks], axis=0))


def resources(scene: Scene, weeks: Weeks, harmed: Harmed) -> pd.DataFrame:
    """Return one row per school (or the county) and resource that is there or was wanted.

    Utilisation is use over capacity in the time the resource can be used: sittings for windows and seats, runs
    for bus seats, nights for beds. Peaks are over the days lived. Unmet seats (bus, canteen) and beds are the harm put
    down to them: pupils without any bus do not lack a seat, nor do those whom the line at the window held up.
    """
    annual = _Annual(weeks, harmed)
    parts = [
        _fleet(scene, annual),
        _bus_seats(scene, annual),
        _gates(scene, annual),
        *_canteen(scene, annual),
        *_beds(scene, annual),
        _classrooms(scene, annual),
    ]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _table(
    scene: Scene, resource: str, unit: str, unmet_unit: str, keep: np.ndarray, **columns: Floats
) -> pd.DataFrame:
    """Lay out the rows of one resource for the schools in `keep`; columns are (S,) arrays."""
    frame = pd.DataFrame({"site_id": np.array(scene.county.schools.id, dtype=object)})
    for name in COLUMNS[2:9]:
        frame[name] = columns.get(name, np.nan)
    frame.insert(1, "resource", resource)
    frame["unmet_unit"], frame["unit"] = unmet_unit, unit
    return frame[keep]


def _ratio(top: Floats, bottom: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), np.nan)


def _fleet(scene: Scene, annual: _Annual) -> pd.DataFrame:
    runs = scene.plan.runs
    used = len(np.unique(runs.bus[runs.bus >= 0]))
    owned = max(runs.buses_owned, 1)
    left, fetched = annual.total("pupils_left_behind")[-1], annual.total("pupils_fetched")[-1]
    rows = [
        ("bus", runs.buses_owned, runs.buses_needed, used / owned, runs.buses_needed / owned,
         annual.total("runs_cancelled")[-1], "run"),
        ("spare_bus", runs.spare_buses, np.nan, np.nan, np.nan, left - fetched, "pupil-day"),
    ]  # fmt: skip
    columns = ["resource", "capacity", "demand_peak", "utilisation_mean", "utilisation_peak", "unmet", "unmet_unit"]
    return pd.DataFrame(rows, columns=columns).assign(
        site_id="county", wait_mean_min=np.nan, wait_p95_min=np.nan, unit="bus"
    )[list(COLUMNS)]


def _bus_seats(scene: Scene, annual: _Annual) -> pd.DataFrame:
    """Seats of the daily morning runs to each school against the riders who want one."""
    routes, table = scene.plan.runs.routes, scene.table
    daily = (routes.direction == IN) & (routes.service != SERVICE_LODGER) & (np.array(table.bus) >= 0)
    schools = len(scene.county.schools.id)
    seats = np.bincount(routes.school[daily], np.array(table.seats)[daily], minlength=schools).astype(float)
    riders = np.bincount(scene.pupils.school[scene.rider], minlength=schools).astype(float)
    days = annual.total("pupils_present") + annual.total("absent_pupils")
    carried = annual.total("pupils_carried")[:-1]
    roll = np.diff(scene.pupils.first).astype(float)
    lived = _ratio(days[:-1], roll)
    return _table(
        scene, "bus_seat", "seat", "pupil-day", (seats > 0) | (riders > 0),
        capacity=seats, demand_peak=riders, utilisation_mean=_ratio(carried, seats * lived),
        utilisation_peak=_ratio(riders, seats),
        unmet=annual.harm("bus_seat", "left_behind"),
    )  # fmt: skip


def _gates(scene: Scene, annual: _Annual) -> pd.DataFrame:
    runs = annual.total("runs_driven")[:-1]
    return _table(
        scene, "gate_bay", "bay", "pupil-day", runs > 0,
        capacity=np.maximum(1.0, scene.county.schools.gate_bays),
        wait_mean_min=annual.mean("gate_wait_min_mean")[:-1], wait_p95_min=annual.mean("gate_wait_min_p95")[:-1],
    )  # fmt: skip


def _canteen(scene: Scene, annual: _Annual) -> list[pd.DataFrame]:
    """Windows and seats against the diners of the sittings."""
    meals, dine = scene.plan.meals, scene.settings.dine
    keep = (meals.sittings > 0) & (np.diff(scene.pupils.first) > 0)
    served = annual.total("meals_served")[:-1]
    peak = annual.peak("diners_peak")[:-1]
    per_window = dine.bell_after_min / dine.service_min
    lunches = annual.total("meals_lunch")[:-1]
    school_days = _ratio(
        annual.total("pupils_present")[:-1] + annual.total("absent_pupils")[:-1], np.diff(scene.pupils.first)
    )
    sittings = np.maximum(meals.sittings, 1) * school_days * _ratio(served, lunches)
    open_min = sittings * dine.bell_after_min
    windows = _table(
        scene, "window", "window", "meal", keep,
        capacity=meals.windows.astype(float), demand_peak=peak / per_window,
        utilisation_mean=_ratio(annual.total("window_busy_min")[:-1], meals.windows * open_min),
        utilisation_peak=_ratio(peak / per_window, meals.windows.astype(float)),
        wait_mean_min=annual.mean("window_wait_min_mean")[:-1], wait_p95_min=annual.mean("window_wait_min_p95")[:-1],
        unmet=annual.total("meals_unserved")[:-1],
    )  # fmt: skip
    seats = _table(
        scene, "canteen_seat", "seat", "pupil-day", keep,
        capacity=meals.seats.astype(float), demand_peak=peak,
        utilisation_mean=_ratio(annual.total("seated_min")[:-1], meals.seats * open_min),
        utilisation_peak=_ratio(peak, meals.seats.astype(float)),
        wait_p95_min=annual.mean("seat_wait_min_p95")[:-1], unmet=annual.harm("canteen_seat", "haste"),
    )  # fmt: skip
    return [windows, seats]


def _beds(scene: Scene, annual: _Annual) -> list[pd.DataFrame]:
    """Beds of each sex against those who ask for one."""
    pupils, schools = scene.pupils, len(scene.county.schools.id)
    asks = pupils.mode == LODGE
    roll = np.diff(pupils.first)
    frames = []
    for sex, name in enumerate(("bed_girls", "bed_boys")):
        here = pupils.sex == sex
        wanted = np.bincount(pupils.school[asks & here], minlength=schools).astype(float)
        given = np.bincount(pupils.school[pupils.has_bed & here], minlength=schools).astype(float)
        beds = scene.plan.beds.nominal[:, sex].astype(float)
        frames.append(
            _table(
                scene,
                name,
                "bed",
                "pupil-day",
                (beds > 0) & (roll > 0) | (wanted > 0),
                capacity=beds,
                demand_peak=wanted,
                utilisation_mean=_ratio(given, beds),
                utilisation_peak=_ratio(wanted, beds),
                unmet=annual.harm(name, "no_bed"),
            )
        )
    return frames


def _classrooms(scene: Scene, annual: _Annual) -> pd.DataFrame:
    roll = np.diff(scene.pupils.first).astype(float)
    places = scene.plan.class_places.astype(float)
    return _table(
        scene, "classroom_seat", "place", "pupil-day", roll > 0,
        capacity=places, demand_peak=roll, utilisation_mean=_ratio(roll, places), utilisation_peak=_ratio(roll, places),
        unmet=annual.total("class_too_big")[:-1],
    )  # fmt: skip
