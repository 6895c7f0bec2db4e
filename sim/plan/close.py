"""Which schools close in which year: by size, by name, as the hearing says, and when they are ready.

Year by year: the schools that a rule or list names are closed on trial, all pupils are placed, and a school whose
pupils then lack what is required (see `sim.plan.ready`) stays open and is tried again the next year. Schools are
looked at in a fixed order, those closed already first, then those with the fewest pupils.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County, Travel
from sim.errors import BadInput
from sim.plan import GRADES, Bools, Closures, Floats, Forecast, Ints, Places
from sim.plan.assign import places, ways_to_school
from sim.plan.ready import Finding, fails, findings, keep_cost, too_far
from sim.plan.school_plan import Decision, decisions_table, school_plans
from sim.tables.county import CONDITIONS

_ROUNDING = 1e-6
"""Pupils; a forecast roll this near a threshold stands on it."""
_NEVER = 9999
"""Year in which a school closes that stays open."""
HEARING = "hearing"


@dataclass(frozen=True, slots=True)
class _Facts:
    """What every year's decisions rest on."""

    county: County
    settings: Settings
    travel: Travel
    years: Ints
    roll: Floats
    """(Y, S) pupils at each school if nothing closes."""
    expected: Floats
    """(Y, H, 9, 2) pupils the plan is made for."""
    meets: Bools
    """(Y, S) a rule or list says that it closes."""
    refused: Bools
    """(Y, S) the hearing said no."""
    required: Bools
    """(Y, S, 3) which of CONDITIONS must be met."""


@dataclass(frozen=True, slots=True)
class _State:
    """Where a year leaves every school; (S,) each."""

    since: Ints
    """First year of closing, _NEVER while open."""
    waiting: Bools
    """To close when ready."""
    back: Bools
    """Was closed and is open again, for good."""
    told: tuple[str, ...]
    """Why it was kept last."""
    school: Ints | None
    """(H, 9) where pupils were placed."""


@dataclass(frozen=True, slots=True)
class _Trial:
    """What was found when a school was closed on trial, and how everyone was placed then."""

    found: list[Finding]
    late: bool
    taught: Bools
    """(S, 9) grades that each school taught in the trial."""
    placed: Places


def close_and_place(
    county: County, settings: Settings, ways: Travel, forecast: Forecast
) -> tuple[Closures, tuple[Places, ...]]:
    """Decide which schools close in each year, and place the pupils of every year.

    A school is to close from the first year in which its expected roll is below that year's threshold, or in which a
    list names it (closure.named, and the county's closures.csv where the scenario closes schools at all), unless the
    latest hearing about it was refused. It closes when what `closure.conditions` and a conditional hearing require is
    there for each of its pupils, else it stays, and is tried again each year. Steps before the first year count in
    the first year. A closed school stays closed, unless `closure.reopen` brings it back.
    `open` has shape (Y, S). Raises BadInput for a school that does not exist.
    """
    years = forecast.years
    meets = _too_small(county, settings, forecast) | _named(county, settings, years)
    refused, asked = _hearings(county, years)
    required = asked | np.isin(CONDITIONS, settings.closure.conditions)
    expected = forecast.p80 if settings.plan.basis == "p80" else forecast.mean
    facts = _Facts(county, settings, ways, years, rolls(county, forecast), expected, meets, refused, required)
    size = len(county.schools.id)
    no = np.zeros(size, dtype=bool)
    state = _State(np.full(size, _NEVER), no, no, ("",) * size, None)
    decided: list[Decision] = []
    placed, taught = [], []
    for k in range(len(years)):
        state, year_places, year_decided = _year(facts, state, k)
        placed.append(year_places)
        taught.append(_taught(facts, state.since, k))
        decided += year_decided
    grades = np.stack(taught)
    tables = (
        decisions_table(county, settings, decided),
        school_plans(county, settings, ways_to_school(county, ways), decided),
    )
    return Closures(years, np.asarray(grades.any(axis=2)), tables[0], grades, tables[1]), tuple(placed)


def _year(facts: _Facts, state: _State, k: int) -> tuple[_State, Places, list[Decision]]:
    """Decide about every school in a year and place the pupils; return the new state, the places and what to tell."""
    year, closed = int(facts.years[k]), state.since < _NEVER
    waiting = (state.waiting | facts.meets[k]) & ~facts.refused[k] & ~state.back & ~closed
    vetoed = facts.meets[k] & facts.refused[k] & ~state.back & ~closed
    again = closed & facts.settings.closure.reopen
    tested = _in_order(again, facts.roll[k]) + _in_order(waiting, facts.roll[k])
    if_open = state.since.copy()
    if_open[tested] = _NEVER
    stays = _place(facts, state, k, _taught(facts, if_open, k))
    trials = _settle(facts, state, k, tested, stays.school)
    late = np.isin(np.arange(len(closed)), [s for s, trial in trials.items() if trial.late])
    since = np.where(late, _NEVER, np.where(waiting, year, state.since))
    taught = _taught(facts, since, k)
    placed = next((trial.placed for trial in trials.values() if not trial.late), stays)
    if placed is not stays and facts.settings.closure.transition != "at_once":
        placed = _place(facts, state, k, taught)
    unheard = _Trial([Finding(HEARING, np.nan, "", "another hearing", np.nan)], True, taught, placed)
    costs = keep_cost(facts.county, facts.settings, facts.roll[k])
    told = list(state.told)
    decided: list[Decision] = []
    for s in np.flatnonzero(waiting | vetoed | (again & late)).tolist():
        trial = trials.get(s, unheard)
        verdict = "reopen" if again[s] else "keep" if vetoed[s] or late[s] else "close"
        if verdict != "keep" or told[s] != trial.found[0].condition:
            where = stays.school, trial.taught, trial.placed
            decided.append(Decision(year, s, verdict, trial.found, float(costs[s]), *where))
        told[s] = trial.found[0].condition if verdict == "keep" else ""
    waiting = waiting & late
    return _State(since, waiting, state.back | (again & late), tuple(told), placed.school), placed, decided


def _settle(facts: _Facts, state: _State, k: int, tested: list[int], if_open: Ints) -> dict[int, _Trial]:
    """Close schools on trial, all together; who is not ready stays open, and the others are tried again, until all are.

    Those that failed together may close one by one (two that want the last seats of a third): each is tried again, in
    the same order, beside those that close, and closes when it and all of these are ready. Whose way is too long is
    not: nobody's staying open makes it shorter. if_open: (H, 9) where pupils go if none of them closes.
    """
    trials: dict[int, _Trial] = {}
    closing = list(tested)
    while closing:
        tried = _try(facts, state, k, closing, (tested, if_open))
        late = [s for s in closing if tried[s].late]
        trials |= {s: tried[s] for s in late or closing}
        if not late:
            break
        closing = [s for s in closing if s not in late]
    for s in [s for s in tested if s not in closing and not too_far(trials[s].found, facts.required[k, s])]:
        more = [each for each in tested if each in closing or each == s]
        tried = _try(facts, state, k, more, (tested, if_open))
        if not any(trial.late for trial in tried.values()):
            closing, trials = more, trials | tried
        elif tried[s].late:
            trials[s] = tried[s]
    return trials


def _try(facts: _Facts, state: _State, k: int, closing: list[int], among: tuple[list[int], Ints]) -> dict[int, _Trial]:
    """Close some of the schools that are tested, and say what each then lacks; among: see `_settle`."""
    tested, if_open = among
    since = state.since.copy()
    since[tested] = _NEVER
    since[closing] = np.minimum(state.since[closing], facts.years[k])
    taught = _taught(facts, since, k, tuple(closing))
    placed = _place(facts, state, k, taught)
    required = facts.required[k]
    found = findings(facts.county, facts.settings, placed, if_open, closing, required)
    return {s: _Trial(found[s], fails(found[s], required[s]), taught, placed) for s in closing}


def _place(facts: _Facts, state: _State, k: int, taught: Bools) -> Places:
    return places(
        facts.county, facts.settings, facts.travel, taught, facts.expected[k], int(facts.years[k]), state.school
    )


def _taught(facts: _Facts, since: Ints, k: int, at_once: tuple[int, ...] = ()) -> Bools:
    """Return the grades that each school teaches in a year, given since when it has been closing; (S, 9).

    One grade more goes each year, from the top or from the bottom, unless all go at once.
    """
    schools, year = facts.county.schools, facts.years[k]
    grade = np.array(GRADES)
    offers = np.stack([schools.offers(each) for each in GRADES], axis=1) & (schools.opens_year <= year)[:, None]
    gone = np.maximum(year - since + 1, 0)
    whole = np.isin(np.arange(len(since)), at_once) | (facts.settings.closure.transition == "at_once")
    gone = np.where(whole & (gone > 0), len(GRADES), gone)[:, None]
    if facts.settings.closure.transition == "top_grades_first":
        return np.asarray(offers & (grade <= schools.last_grade[:, None] - gone))
    return np.asarray(offers & (grade >= schools.first_grade[:, None] + gone))


def _in_order(mask: Bools, roll: Floats) -> list[int]:
    """Return the schools of a mask, those with the fewest pupils first, then in the county's order."""
    order = np.argsort(roll, kind="stable")
    return [int(s) for s in order[mask[order]]]


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
