"""Which schools close in which year: by size, by name, and not where the hearing refused."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County
from sim.errors import BadInput
from sim.plan import GRADES, Bools, Closures, Floats, Forecast, Ints

COLUMNS = (
    "scenario",
    "year",
    "school_id",
    "decision",
    "condition_failed",
    "shortfall",
    "unit",
    "cheapest_relief",
    "relief_cost_yuan",
    "keep_cost_yuan_per_year",
)
_ROUNDING = 1e-6
"""Pupils; a forecast roll this near a threshold stands on it."""


def closures(county: County, settings: Settings, forecast: Forecast) -> Closures:
    """Decide which schools are open in each year; a school that has closed stays closed.

    A school closes in the first year in which its expected roll is below that year's threshold, or in which a
    list names it (closure.named, and the county's closures.csv where the scenario closes schools at all),
    unless the latest hearing about it was refused. Steps before the first year count in the first year.
    `open` has shape (Y, S). Raises BadInput for a school that does not exist.
    """
    years = forecast.years
    meets = _too_small(county, settings, forecast) | _named(county, settings, years)
    refused = _refused(county, years)
    closed = np.logical_or.accumulate(meets & ~refused, axis=0)
    opened = county.schools.opens_year <= years[:, None]
    return Closures(years, opened & ~closed, _decisions(county, settings, years, closed, meets & refused & ~closed))


def rolls(county: County, forecast: Forecast) -> Floats:
    """Say how many pupils each school is expected to have if nothing closes; shape (Y, S).

    Its pupils are those of the hamlets that attend it today, in the grades it offers; pupils who would come
    from elsewhere (to a junior school, or from a school that closes) are not among them.
    """
    offers = np.stack([county.schools.offers(grade) for grade in GRADES], axis=1)
    attended = county.hamlets.school
    here = (forecast.mean.sum(axis=3) * offers[attended]).sum(axis=2)
    total = np.zeros((len(forecast.years), len(county.schools.id)))
    np.add.at(total.T, attended, here.T)
    return total


def _too_small(county: County, settings: Settings, forecast: Forecast) -> Bools:
    """Return where a closable school that hamlets attend is under a threshold of the year; shape (Y, S)."""
    schools = county.schools
    may_close = np.isin(schools.kind, settings.closure.kinds)
    may_close &= np.isin(np.arange(len(schools.id)), county.hamlets.school)
    below = np.zeros(len(forecast.years))
    first = int(forecast.years[0])
    for step in settings.closure.steps:
        row = max(step.year, first) - first
        if row < len(below):
            below[row] = max(below[row], step.below_pupils)
    return np.asarray((rolls(county, forecast) < below[:, None] - _ROUNDING) & may_close)


def _named(county: County, settings: Settings, years: Ints) -> Bools:
    """Return where a list says that the school is closed; shape (Y, S)."""
    position = {school: s for s, school in enumerate(county.schools.id)}
    closure = settings.closure
    unknown = [entry.school_id for entry in closure.named if entry.school_id not in position]
    if unknown:
        raise BadInput(
            *(
                f"closure.named: '{name}' is no school of {county.name}; known are {_some(county.schools.id)}"
                for name in unknown
            )
        )
    listed = [(entry.school_id, entry.year) for entry in closure.named]
    table = county.tables.get("closures")
    if table is not None and (closure.steps or closure.named):
        listed += list(zip(table["school_id"], table["year"], strict=True))
    named = np.zeros((len(years), len(position)), dtype=bool)
    for name, year in listed:
        named[years >= year, position[name]] = True
    return named


def _refused(county: County, years: Ints) -> Bools:
    """Return where the latest hearing held for that year or before was refused; shape (Y, S)."""
    refused = np.zeros((len(years), len(county.schools.id)), dtype=bool)
    table = county.tables.get("hearing")
    if table is None or table.empty:
        return refused
    position = {school: s for s, school in enumerate(county.schools.id)}
    for row in table.sort_values("year", kind="stable").itertuples():
        refused[years >= row.year, position[row.school_id]] = row.result == "refused"
    return refused


def _decisions(county: County, settings: Settings, years: Ints, closed: Bools, kept: Bools) -> pd.DataFrame:
    """Return the columns of closures.csv: each school when it closes or is first kept by its hearing."""
    parts = []
    for decision, met, reason in (("close", closed, None), ("keep", kept, "hearing")):
        school = np.flatnonzero(met.any(axis=0))
        parts.append(
            pd.DataFrame(
                {
                    "year": years[met[:, school].argmax(axis=0)],
                    "school_id": np.array(county.schools.id, dtype=object)[school],
                    "decision": decision,
                    "condition_failed": reason,
                }
            )
        )
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    table["scenario"] = settings.scenario
    for column in ("unit", "cheapest_relief"):
        table[column] = None
    for column in ("shortfall", "relief_cost_yuan", "keep_cost_yuan_per_year"):
        table[column] = np.nan
    return table.sort_values(["year", "school_id"], kind="stable", ignore_index=True)[list(COLUMNS)]


def _some(names: tuple[str, ...], most: int = 8) -> str:
    """Return the first names of a list, and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
