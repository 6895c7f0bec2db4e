"""Which schools are to close: those under a size, those on a list, and what the hearings said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County
from sim.errors import BadInput
from sim.plan import GRADES, Bools, Floats, Forecast, Ints, freeze
from sim.tables.county import CONDITIONS

_ROUNDING = 1e-6
"""Pupils; a forecast roll this near a threshold stands on it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What rules, lists and hearings say about every school S in every year Y."""

    years: Ints
    roll: Floats
    """(Y, S) pupils at each school if nothing closes."""
    under: Floats
    """(Y, S) lowest threshold of the year that the roll is under; nan: none."""
    named: Bools
    """(Y, S) closure.named has it."""
    listed: Bools
    """(Y, S) the county's closures.csv has it."""
    refused: Bools
    """(Y, S) the hearing said no."""
    required: Bools
    """(Y, S, 3) which of CONDITIONS must be met."""

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def meets(self) -> Bools:
        """Return where a rule or list says that the school closes; (Y, S)."""
        return np.asarray(~np.isnan(self.under) | self.named | self.listed)


def rules(county: County, settings: Settings, forecast: Forecast) -> Rules:
    """Return what the rules, lists and hearings say. Raises BadInput for a school that does not exist.

    A threshold counts in its year alone; steps before the first year count in the first year. A list counts from the
    year it names, and the latest hearing held for a year or before counts; without one the rule alone decides.
    """
    check_names(county, settings)
    closure, years, roll = settings.closure, forecast.years, rolls(county, forecast)
    table = county.tables.get("closures")
    rows = () if table is None or not closure.listed else zip(table["school_id"], table["year"], strict=True)
    refused, asked = _hearings(county, years)
    return Rules(
        years=years,
        roll=roll,
        under=_under(county, settings, years, roll),
        named=_on_list(county, years, [(each.school_id, each.year) for each in closure.named]),
        listed=_on_list(county, years, list(rows)),
        refused=refused,
        required=asked | np.isin(CONDITIONS, closure.conditions),
    )


def check_names(county: County, settings: Settings) -> None:
    """Raise BadInput for a school to close that does not exist; closures.csv was checked when it was read."""
    known = f"is no school of {county.name}; known are {_some(county.schools.id)}"
    unknown = [one.school_id for one in settings.closure.named if one.school_id not in county.schools.id]
    if unknown:
        raise BadInput(*(f"closure.named: '{name}' {known}" for name in unknown))


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


def _under(county: County, settings: Settings, years: Ints, roll: Floats) -> Floats:
    """Return the lowest threshold of the year that a closable school that hamlets attend is under; (Y, S), else nan."""
    schools = county.schools
    may_close = np.isin(schools.kind, settings.closure.kinds)
    may_close &= np.isin(np.arange(len(schools.id)), county.hamlets.school)
    under = np.full(roll.shape, np.nan)
    for step in settings.closure.steps:
        k = max(step.year, int(years[0])) - int(years[0])
        if k < len(years):
            below = may_close & (schools.opens_year <= years[k]) & (roll[k] < step.below_pupils - _ROUNDING)
            under[k] = np.where(below, np.fmin(under[k], step.below_pupils), under[k])
    return under


def _on_list(county: County, years: Ints, entries: list[tuple[str, int]]) -> Bools:
    """Return where a list of schools and first years says that a school is closed; shape (Y, S)."""
    position = {school: s for s, school in enumerate(county.schools.id)}
    on = np.zeros((len(years), len(position)), dtype=bool)
    for name, year in entries:
        on[years >= year, position[name]] = True
    return on


def _hearings(county: County, years: Ints) -> tuple[Bools, Bools]:
    """Return where the latest hearing held for that year or before was refused (Y, S), and what it asks for (Y, S, 3).

    A conditional hearing asks for the condition it names, or for all of them when it names none.
    """
    refused = np.zeros((len(years), len(county.schools.id)), dtype=bool)
    asked = np.zeros((*refused.shape, len(CONDITIONS)), dtype=bool)
    table = county.tables.get("hearing")
    if table is None or table.empty:
        return refused, asked
    position = {school: s for s, school in enumerate(county.schools.id)}
    for row in table.sort_values("year", kind="stable").itertuples():
        since, s = years >= row.year, position[row.school_id]
        named = getattr(row, "condition", None)
        wants = [row.result == "conditional" and (pd.isna(named) or named == each) for each in CONDITIONS]
        refused[since, s], asked[since, s] = row.result == "refused", wants
    return refused, asked


def _some(names: tuple[str, ...], most: int = 8) -> str:
    """Return the first names of a list, and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
