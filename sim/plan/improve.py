"""Which plan of bus runs a year lives by: ours, that of the county as it is, or the county's improved.

Plans are held against all limits and scored, so that ours and the county's stand side by side. An improved plan
never leaves out more riders than the county's, nor has more buses, nor a longer way at as many buses, nor more
violations: what is better of several plans made from it, or it itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import compress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from sim.errors import BadInput
from sim.plan import Bools, Checked, Floats, Places, Routes, Runs
from sim.plan.course import demand_key, most_aboard, run_of_stop
from sim.plan.duty import chain
from sim.plan.given import as_given, in_force, wanted, with_nobody_forgotten
from sim.plan.replan import as_planned, mornings, week_km
from sim.plan.route import IN, LODGER, routes
from sim.plan.timetable import planned_ride_min
from sim.plan.violation import violations

if TYPE_CHECKING:
    from sim.config import Settings
    from sim.county import County
    from sim.county.road import Travel

LIVED = {"plan": "planned", "given": "given", "improve": "improved"}
OF_STOPS = ("hamlet", "load", "leg_min", "leg_floor_min", "leg_km", "to", "wait_min")
"""What routes have for each stop; the rest is for each run."""
OF_THE_WAY = ("seats", "ride", "empty_stop")
"""Limits that other times and other buses do not help a run to keep."""


class Option(NamedTuple):
    """A plan of bus runs with the limits it does not keep."""

    places: Places
    runs: Runs
    violations: pd.DataFrame


def choose(
    settings: Settings, county: County, travel: Travel, places: Places, planned: Runs, open_: Bools,
    owned_before: int,
) -> tuple[Places, Runs, Checked]:  # fmt: skip
    """Return the places and runs that `fleet.runs` asks for in a year, and how all plans of it compare.

    planned: our own runs for these places. open_: (S,), schools of the year.
    """
    rows, asked = rows_asked_for(settings, county, places.year), settings.fleet.runs
    options = {"planned": Option(places, planned, violations(settings, county, travel, places, planned, open_))}
    if len(rows):
        there = as_given(county, settings, travel, places, rows, open_, owned_before)
        options["given"] = Option(*there, violations(settings, county, travel, *there, open_, rows))
    if asked == "improve":
        options["improved"] = improved(
            settings, county, travel, options["given"], options["planned"], open_, owned_before
        )
    options = {name: options[name] for name in ("given", "planned", "improved") if name in options}
    placed, runs, _ = options[LIVED[asked]]
    if runs.come_min is not None:
        runs = with_nobody_forgotten(county, settings, travel, placed, runs)
    tables = [found.assign(plan=name) for name, (_, _, found) in options.items()]
    scores = [score(settings, county, travel, one).assign(plan=name) for name, one in options.items()]
    scores = [table.assign(lived=table["plan"] == LIVED[asked]) for table in scores]
    return placed, runs, Checked(pd.concat(tables, ignore_index=True), pd.concat(scores, ignore_index=True))


def rows_asked_for(settings: Settings, county: County, year: int) -> pd.DataFrame:
    """Return the rows of runs.csv of a year. Raises BadInput where they are asked for and there are none."""
    rows, asked = in_force(county, year), settings.fleet.runs
    if asked != "plan" and rows.empty:
        raise BadInput(
            f"fleet.runs: {asked} needs the runs that are driven in {year}, but runs.csv in {county.folder} "
            "has none; give them or choose fleet.runs=plan"
        )
    return rows


def improved(
    settings: Settings, county: County, travel: Travel, given: Option, planned: Option, open_: Bools,
    owned_before: int,
) -> Option:  # fmt: skip
    """Return the best plan that is nowhere worse: fewest riders left out, then violations, then buses, then km."""

    def worth(one: Option) -> tuple[float, int, int, float]:
        km = week_km(settings, county, travel, one.runs)
        return _left_out(settings, county, one), len(one.violations), len(one.runs.yard), km

    left, most, buses, km = worth(given)
    found = [given]
    for places, ways in _starts(settings, county, travel, given, planned, open_):
        runs = chain(settings, travel, county, ways, owned_before)
        if len(runs.yard) > buses and settings.fleet.buses is None:
            runs = _with_as_many(settings, county, travel, ways, given.runs)
        found.append(Option(places, runs, violations(settings, county, travel, places, runs, open_)))
    no_worse = [one for one in found if (now := worth(one))[0] <= left and now[1] <= most and now[2:] <= (buses, km)]
    return min(no_worse, key=worth)


def _starts(
    settings: Settings, county: County, travel: Travel, given: Option, planned: Option, open_: Bools
) -> Iterator[tuple[Places, Routes]]:
    """Yield ways to try: those given at better times; the legal ones and the rest anew; ours; one found from them."""
    places, runs = given.places, given.runs
    fitted = _fitted(settings, _only(runs.routes, open_[runs.routes.school]))
    yield places, fitted
    timed = chain(settings, travel, county, fitted, 0)
    bad = violations(settings, county, travel, places, timed, open_)
    bad = bad[bad["limit"].isin(OF_THE_WAY)]["run_id"]
    driven = {name for name, bus in zip(runs.routes.run_id, runs.bus, strict=True) if bus >= 0}
    mine = np.array([name in driven - {*bad} for name in fitted.run_id]) & (fitted.direction == IN)
    legal = [as_planned(fitted, r) for r in np.flatnonzero(mine).tolist()]
    yield planned.places, routes(county, settings, travel, planned.places, legal)
    yield planned.places, planned.runs.routes
    lodgers = [one for one in legal if one[1] == LODGER]
    yield places, routes(county, settings, travel, places, lodgers, mornings(runs))


def _only(ways: Routes, keep: Bools) -> Routes:
    """Return the routes of some runs; keep: (R,)."""
    at = keep[run_of_stop(ways)]
    part: dict[str, Any] = {
        one.name: getattr(ways, one.name)[at if one.name in OF_STOPS else keep]
        for one in fields(Routes)
        if one.name not in ("run_id", "ptr")
    }
    ptr = np.append(0, np.cumsum(np.diff(ways.ptr)[keep]))
    return Routes(run_id=tuple(compress(ways.run_id, keep)), ptr=ptr, **part)


def _fitted(settings: Settings, ways: Routes) -> Routes:
    """Return routes with the smallest kind of bus that has the seats; where none has, the largest."""
    kinds = settings.fleet.kinds
    sizes = sorted((kind.seats, position) for position, kind in enumerate(kinds))
    load = most_aboard(ways)
    kind = [next((position for seats, position in sizes if seats >= pupils), sizes[-1][1]) for pupils in load]
    return replace(ways, kind=np.array(kind), seats=np.array([kinds[k].seats for k in kind]))


def _with_as_many(settings: Settings, county: County, travel: Travel, ways: Routes, given: Runs) -> Runs:
    """Return the runs that as many buses can do as the given plan has; the spare ones stay spare."""
    fleet = settings.fleet.model_copy(update={"buses": len(given.yard), "scale": 1.0})
    runs = chain(settings.model_copy(update={"fleet": fleet}), travel, county, ways, 0)
    return replace(runs, buses_owned=given.buses_owned, spare_buses=given.spare_buses)


def score(settings: Settings, county: County, travel: Travel, one: Option) -> pd.DataFrame:
    """Return what a plan needs and gives: measure, value, unit; rides are those of day pupils, both ways."""
    runs, ways = one.runs, one.runs.routes
    run, ride = run_of_stop(ways), planned_ride_min(runs, settings.fleet)
    daily = (runs.bus[run] >= 0) & (ways.service[run] != LODGER)
    mean, p95 = _weighted(ride[daily], ways.load[daily])
    counts = one.violations["limit"].value_counts()
    rows = [
        ("buses", len(runs.yard), "bus"),
        ("runs", int((runs.bus >= 0).sum()), "run"),
        ("km_per_week", week_km(settings, county, travel, runs), "km"),
        ("ride_min_mean", mean, "minute"),
        ("ride_min_p95", p95, "minute"),
        ("riders_left_out", _left_out(settings, county, one), "pupil"),
        ("violations", len(one.violations), "violation"),
        *((f"violations_{limit}", count, "violation") for limit, count in counts.sort_index().items()),
    ]
    return pd.DataFrame(rows, columns=["measure", "value", "unit"]).astype({"value": float})


def _weighted(values: Floats, weights: Floats) -> tuple[float, float]:
    """Return mean and 95 % quantile (nearest rank) of values that count so many times; 0 of none."""
    total = weights.sum()
    if total <= 0:
        return 0.0, 0.0
    order = np.argsort(values, kind="stable")
    rank = np.searchsorted(np.cumsum(weights[order]), 0.95 * total)
    return float(values @ weights / total), float(values[order][min(rank, len(order) - 1)])


def _left_out(settings: Settings, county: County, one: Option) -> float:
    """Return the riders, daily and weekly ones, for whom no bus is planned on their way to school or home."""
    runs, ways = one.runs, one.runs.routes
    run, want = run_of_stop(ways), wanted(settings, one.places, len(county.schools.id))
    room = np.zeros_like(want)
    driven = runs.bus[run] >= 0
    np.add.at(room, demand_key(ways), ways.load * driven)  # 0 at gates
    return round(float(np.maximum(want - room, 0.0).max(axis=1).sum()), 6)  # loads may be even parts of pupils
