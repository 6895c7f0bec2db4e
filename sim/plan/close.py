"""Which schools close in which year: those that are to, unless the hearing says no, when they are ready.

Year by year: the schools that a rule or list names (see `sim.plan.rule`) are closed on trial, all pupils are placed,
and a school whose pupils then lack what is required (see `sim.plan.ready`) stays open and is tried again the next
year. Schools are looked at in a fixed order, those closed already first, then those with the fewest pupils.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sim.config import Settings
from sim.county import County, Travel
from sim.plan import GRADES, Bools, Closures, Floats, Forecast, Ints, Places
from sim.plan.assign import places, ways_to_school
from sim.plan.ready import Finding, fails, findings, too_far
from sim.plan.rule import Rules, rules
from sim.plan.school_plan import Decision, Move, decisions_table, grounds, school_plans

_NEVER = 9999
"""Year in which a school closes that stays open."""
_NOBODY = 0.5
"""Assumption: a school that closes grade by grade and expects fewer pupils than this is empty."""
HEARING = "hearing"


@dataclass(frozen=True, slots=True)
class _Facts:
    """What every year's decisions rest on."""

    county: County
    settings: Settings
    travel: Travel
    expected: Floats
    """(Y, H, 9, 2) pupils the plan is made for."""
    rules: Rules

    @property
    def years(self) -> Ints:
        """Return the school years; (Y,)."""
        return self.rules.years

    @property
    def required(self) -> Bools:
        """Return which of CONDITIONS must be met; (Y, S, 3)."""
        return self.rules.required


@dataclass(frozen=True, slots=True)
class _State:
    """Where a year leaves every school; (S,) each."""

    since: Ints
    """First year of closing, _NEVER while open."""
    wanted: Bools
    """Is to close, and stays open as long as it is not ready or the hearing says no."""
    back: Bools
    """Was closed and is open again, for good."""
    told: tuple[str, ...]
    """Why it was kept last."""
    school: Ints | None
    """(H, 9) where pupils were placed."""
    origin: Ints
    """(H, 9) school that closes, or has closed, from which the pupils go elsewhere; -1: none."""


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
    list names it (closure.named, the county's closures.csv). While the latest hearing about it is a refusal it stays,
    and closes when a later one agrees; where none was held, the rule alone decides. It closes when what
    `closure.conditions` and a conditional hearing require is there for each of its pupils, else it stays, and is
    tried again each year. A closed school stays closed, unless `closure.reopen` brings it back.
    `open` has shape (Y, S). Raises BadInput for a school that does not exist.
    """
    expected = forecast.p80 if settings.plan.basis == "p80" else forecast.mean
    facts = _Facts(county, settings, ways, expected, rules(county, settings, forecast))
    size = len(county.schools.id)
    no, nobody = np.zeros(size, dtype=bool), np.full((len(county.hamlets.id), len(GRADES)), -1)
    state = _State(np.full(size, _NEVER), no, no, ("",) * size, None, nobody)
    decided: list[Decision] = []
    moves: list[Move] = []
    placed, taught = [], []
    for k in range(len(facts.years)):
        state, year_places, year_decided, year_moves = _year(facts, state, k)
        placed.append(year_places)
        taught.append(_taught(facts, state.since, k))
        decided += year_decided
        moves += year_moves
    grades = np.stack(taught)
    return Closures(
        facts.years,
        np.asarray(grades.any(axis=2)),
        decisions_table(county, settings, decided),
        grades,
        school_plans(county, settings, ways_to_school(county, ways), decided, moves),
        grounds(county, settings, facts.rules, decided),
    ), tuple(placed)


def _year(facts: _Facts, state: _State, k: int) -> tuple[_State, Places, list[Decision], list[Move]]:
    """Decide about every school in a year and place the pupils; return the new state, the places and what to tell."""
    rule, year, closed = facts.rules, int(facts.years[k]), state.since < _NEVER
    wanted = (state.wanted | rule.meets[k]) & ~state.back & ~closed
    vetoed, waiting = wanted & rule.refused[k], wanted & ~rule.refused[k]
    again = closed & facts.settings.closure.reopen
    tested = _in_order(again, rule.roll[k]) + _in_order(waiting, rule.roll[k])
    if_open = state.since.copy()
    if_open[tested] = _NEVER
    stays = _place(facts, state, k, _taught(facts, if_open, k))
    trials = _settle(facts, state, k, tested, stays.school)
    late = np.isin(np.arange(len(closed)), [s for s, trial in trials.items() if trial.late])
    since = np.where(late, _NEVER, np.where(waiting, year, state.since))
    taught = _taught(facts, since, k)
    placed = next((trial.placed for trial in trials.values() if not trial.late), stays)
    if facts.settings.closure.transition != "at_once":
        placed = placed if placed is stays else _place(facts, state, k, taught)
    begun, empty = since, _emptied(since, taught, placed, year)
    if empty.any():
        since = np.where(empty, year - len(GRADES), since)
        taught = _taught(facts, since, k)
        placed = _place(facts, state, k, taught)
    back = state.back | (again & late)
    placed = _told_back(placed, back)
    unheard = _Trial([Finding(HEARING, np.nan, "", "another hearing")], True, taught, placed)
    trials |= dict.fromkeys(np.flatnonzero(vetoed).tolist(), unheard)
    new = {s: trials[s] for s in np.flatnonzero(wanted | (again & late)).tolist()}
    decided = _decisions(facts, state, k, new)
    left = np.where(np.isin(state.origin, np.flatnonzero(late)), -1, state.origin)
    origin = np.where(np.isin(stays.school, np.flatnonzero(waiting & ~late)), stays.school, left)
    moves = _would_move(decided, new, stays.school) + _leave(facts, k, begun, origin, placed)
    told = {s: trial.found[0].condition if trial.late and wanted[s] else "" for s, trial in new.items()}
    reasons = tuple(told.get(s, text) for s, text in enumerate(state.told))
    return _State(since, wanted & (vetoed | late), back, reasons, placed.school, origin), placed, decided, moves


def _decisions(facts: _Facts, state: _State, k: int, trials: dict[int, _Trial]) -> list[Decision]:
    """Return what is decided in a year; that a school stays is told again only when another condition fails."""
    decided = []
    for s, trial in trials.items():
        verdict = "close" if not trial.late else "keep" if state.since[s] == _NEVER else "reopen"
        if verdict != "keep" or state.told[s] != trial.found[0].condition:
            year, required = int(facts.years[k]), facts.required[k, s]
            decided.append(Decision(year, s, verdict, trial.found, required, float(facts.rules.roll[k, s])))
    return decided


def _would_move(decided: list[Decision], trials: dict[int, _Trial], if_open: Ints) -> list[Move]:
    """Return where the pupils of schools that stay, or open again, would go if these were closed; if_open (H, 9)."""
    moves = []
    for each in decided:
        trial, there = trials[each.school], if_open == each.school
        if trial.late:
            who = there & (trial.placed.school != each.school)
            moves.append(Move(each.year, each.school, who, trial.taught, trial.placed))
    return moves


def _leave(facts: _Facts, k: int, since: Ints, origin: Ints, placed: Places) -> list[Move]:
    """Return which pupils leave closing schools in a year: all grades, or the next one; origin (H, 9)."""
    taught = _taught(facts, since, k)
    gone = _taught(facts, since + 1, k) & ~taught  # what it would still teach had it begun to close a year later
    leaves = (origin >= 0) & gone[origin, np.arange(len(GRADES))]
    return [
        Move(int(facts.years[k]), s, leaves & (origin == s), taught, placed) for s in np.unique(origin[leaves]).tolist()
    ]


def _emptied(since: Ints, taught: Bools, placed: Places, year: int) -> Bools:
    """Return the schools that close grade by grade and have nobody in the grades that are left; (S,)."""
    roll = np.bincount(placed.school.ravel() + 1, placed.expected.sum(axis=2).ravel(), minlength=len(since) + 1)[1:]
    return np.asarray((since <= year) & taught.any(axis=1) & (roll < _NOBODY))


def _told_back(placed: Places, back: Bools) -> Places:
    """Say in their reason of those who attend a school that opened again that it did."""
    there = np.isin(placed.school, np.flatnonzero(back))
    reason = placed.reason.copy()
    reason[there] = "the school is open again; " + reason[there]
    return replace(placed, reason=reason)


def _settle(facts: _Facts, state: _State, k: int, tested: list[int], if_open: Ints) -> dict[int, _Trial]:
    """Close schools on trial, all together; who is not ready stays open, and the others are tried again, until all are.

    Those that failed together may close one by one (two that want the last seats of a third, or one that would go to
    the other): each is tried again, in the same order, beside those that close, and closes when it and all of these are
    ready. Whose way is too long is tried again only where one of the others that failed could take its pupils.
    if_open: (H, 9) where pupils go if none of them closes.
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
    failed = [s for s in tested if s not in closing]
    takes = [s for s in failed if facts.county.schools.receives[s]]
    for s in failed:
        if too_far(trials[s].found, facts.required[k, s]) and not set(takes) - {s}:
            continue
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
