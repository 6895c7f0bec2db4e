"""One school, one plan (一校一案): what is decided about a school, why, and what it means for its hamlets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County
from sim.county.facts import TOWN_KINDS
from sim.plan import MODES, Bools, Ints, Places
from sim.plan.assign import Ways, areas
from sim.plan.ready import Finding
from sim.plan.rule import Rules
from sim.tables.county import CONDITIONS

DECISION_COLUMNS = (
    "scenario", "year", "school_id", "decision", "condition_failed", "shortfall", "unit", "cheapest_relief",
    "pupils",
)  # fmt: skip
GROUND_COLUMNS = (
    "scenario", "year", "school_id", "ground", "since", "required", "met", "value", "limit", "unit", "relief",
    "relief_units", "relief_items",
)  # fmt: skip
WAYS_TO_SCHOOL = MODES[:-1]
PLAN_COLUMNS = (
    "scenario", "year", "school_id", "hamlet_id", "grades", "pupils", "to_school_id", "km_before", "minutes_before",
    "km", "minutes", *WAYS_TO_SCHOOL, "stop_id", "stop_km", "verdict", "split",
    "alternative_1", "alternative_1_minutes", "alternative_1_reason",
    "alternative_2", "alternative_2_minutes", "alternative_2_reason",
)  # fmt: skip
ALTERNATIVES = 2


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided about a school in a year, and what was found when it was closed on trial."""

    year: int
    school: int
    verdict: str
    """close, keep, reopen"""
    found: list[Finding]
    required: Bools
    """(3,) which of CONDITIONS must be met."""
    pupils: float
    """Expected in that year."""


@dataclass(frozen=True, slots=True)
class Move:
    """Who goes from a school to others in a year, or would go if it closed."""

    year: int
    school: int
    who: Bools
    """(H, 9)"""
    taught: Bools
    """(S, 9) grades that each school teaches then."""
    placed: Places


def decisions_table(county: County, settings: Settings, decided: list[Decision]) -> pd.DataFrame:
    """Return the columns of closures.csv: the first condition that fails, those required first."""
    rows = []
    for each in decided:
        first = each.found[0] if each.found else Finding("", np.nan, "", "")
        told = [text or None for text in (first.condition, first.unit, first.relief)]
        head = (settings.scenario, each.year, county.schools.id[each.school], each.verdict, told[0])
        rows.append((*head, first.shortfall, told[1], told[2], each.pupils))
    table = pd.DataFrame(rows, columns=list(DECISION_COLUMNS))
    return table.sort_values(["year", "school_id"], kind="stable", ignore_index=True)


def grounds(county: County, settings: Settings, rules: Rules, decided: list[Decision]) -> pd.DataFrame:
    """Return the columns of grounds.csv: the rules that name each school, and each condition, met or not.

    No condition is tested while the hearing says no.
    """
    rows = [
        (settings.scenario, each.year, county.schools.id[each.school], *row)
        for each in decided
        for row in (*_named_by(rules, each), *_conditions(each))
    ]
    return pd.DataFrame(rows, columns=list(GROUND_COLUMNS))


def _named_by(rules: Rules, decision: Decision) -> Iterator[tuple[Any, ...]]:
    """Yield the rules that named a school by a year, from `since` to `relief_items`, each in its first year."""
    s, known = decision.school, rules.years <= decision.year
    for ground, holds in (("size", ~np.isnan(rules.under)), ("named", rules.named), ("listed", rules.listed)):
        for k in np.flatnonzero(holds[:, s] & known)[:1].tolist():
            size = (rules.roll[k, s], rules.under[k, s], "pupil") if ground == "size" else (np.nan, np.nan, None)
            yield ground, int(rules.years[k]), 1, 1, *size, None, np.nan, None


def _conditions(decision: Decision) -> Iterator[tuple[Any, ...]]:
    """Yield what was found of each condition, from `ground` to `relief_items`; the first, where it is more."""
    found = {each.condition: each for each in reversed(decision.found)}
    for n, condition in enumerate(CONDITIONS if not found or set(found) & set(CONDITIONS) else ()):
        short, required = found.get(condition), int(decision.required[n])
        if short is None:
            yield condition, None, required, 1, np.nan, np.nan, None, None, np.nan, None
        else:
            help_ = short.relief, short.relief_units, short.relief_items or None
            yield condition, None, required, 0, short.shortfall, np.nan, short.unit, *help_


def school_plans(
    county: County, settings: Settings, ways: Ways, decided: list[Decision], moves: list[Move]
) -> pd.DataFrame:
    """Return the columns of school_plans.csv: one row for each hamlet and the grades that go to the same school.

    A school that closes grade by grade has rows in every year in which a grade leaves it. Stops are not known yet.
    """
    said = {(each.year, each.school): verdict(each, county) for each in decided}
    names = county.schools.name_zh
    rows = [
        row
        for move in moves
        for text in (said.get((move.year, move.school), f"{names[move.school]} goes on closing grade by grade"),)
        for row in _rows(county, settings, ways, move, text)
    ]
    return pd.DataFrame(rows, columns=list(PLAN_COLUMNS))


def _rows(county: County, settings: Settings, ways: Ways, move: Move, text: str) -> list[tuple[Any, ...]]:
    schools, placed, s = county.schools, move.placed, move.school
    people = placed.expected.sum(axis=2)
    ids = (*schools.id, None)
    rows = []
    attends = move.who & (people > 0)
    for h in np.flatnonzero(attends.any(axis=1)).tolist():
        split = _split(county, settings, move, h, np.flatnonzero(attends[h]))
        for to, run in groupby(np.flatnonzero(attends[h]).tolist(), key=lambda g, h=h: int(placed.school[h, g])):  # type: ignore[misc]
            grades = list(run)
            pupils = people[h, grades]
            share = (placed.share[h, grades] * pupils[:, None]).sum(axis=0) / pupils.sum()
            name = str(grades[0] + 1) if len(grades) == 1 else f"{grades[0] + 1}-{grades[-1] + 1}"
            head = (settings.scenario, move.year, schools.id[s], county.hamlets.id[h], name, float(pupils.sum()))
            there = (placed.km[h, grades[0]], placed.minutes[h, grades[0]])
            way = (ids[to], ways.km[h, s], ways.minutes[h, s], *there, *share[: len(WAYS_TO_SCHOOL)])
            others = _rejected(county, settings, ways, move, h, np.array(grades), to)
            rows.append((*head, *way, None, np.nan, text, split, *others))
    return rows


def _split(county: County, settings: Settings, move: Move, hamlet: int, grades: Ints) -> str | None:
    """Say why pupils of a hamlet go to different schools; None when they stay together.

    `grades`: none of these schools teaches them all. Else one does, and where room counts it has none for all, or the
    ways of all together are shorter so (`room`); where it does not, each goes to the nearest (`nearer`).
    """
    to = np.unique(move.placed.school[hamlet, grades])
    if len(to) == 1:
        return None
    if not move.taught[to[to >= 0]][:, grades].all(axis=1).any():
        return "grades"
    return "room" if _room_counts(county, settings, hamlet) else "nearer"


def _room_counts(county: County, settings: Settings, hamlet: int) -> bool:
    """Tell whether pupils of a hamlet are placed by the room there is."""
    chosen = settings.assign
    return chosen.rule == "capacity" or (chosen.town == "within_places" and bool(county.hamlets.is_town[hamlet]))


def verdict(decision: Decision, county: County) -> str:
    """Say in a sentence what is decided about a school and why."""
    lacking = "; ".join(
        f"{each.condition} not met ({each.shortfall:.1f} {each.unit} short; {each.relief})"
        if np.isfinite(each.shortfall)
        else "the hearing refused"
        for each in decision.found
    )
    name = county.schools.name_zh[decision.school]
    ready = "every pupil has a class place, a ride within the limit or a bed, and a meal"
    said = {
        "close": f"{name} closes: {lacking or ready}",
        "keep": f"{name} stays open: {lacking}",
        "reopen": f"{name} opens again: {lacking}",
    }
    return said[decision.verdict]


def _rejected(
    county: County, settings: Settings, ways: Ways, move: Move, hamlet: int, grades: Ints, to: int
) -> list[Any]:
    """Return the nearest other schools with these grades, their minutes, and why each was not chosen."""
    schools = county.schools
    usable = np.isfinite(ways.minutes[hamlet]) & move.taught[:, grades].all(axis=1)
    usable[[move.school, *([to] if to >= 0 else [])]] = False
    nearest = np.flatnonzero(usable)
    nearest = nearest[np.argsort(ways.minutes[hamlet, nearest], kind="stable")][:ALTERNATIVES]
    told: list[Any] = []
    for other in nearest.tolist():
        told += [
            schools.id[other],
            float(ways.minutes[hamlet, other]),
            _why_not(county, settings, ways, hamlet, other, to),
        ]
    return told + [None, np.nan, None] * (ALTERNATIVES - len(nearest))


def _why_not(county: County, settings: Settings, ways: Ways, hamlet: int, other: int, to: int) -> str:
    """Say why pupils of a hamlet do not go to another school: one of the words in school_plans.csv."""
    schools, in_town = county.schools, bool(county.hamlets.is_town[hamlet])
    if not schools.receives[other]:
        return "does_not_receive"
    if (schools.kind[other] in TOWN_KINDS) != in_town:
        return "across_town_limits"
    if to < 0 or ways.minutes[hamlet, other] >= ways.minutes[hamlet, to]:
        return "no_room" if to < 0 else "farther"
    if _room_counts(county, settings, hamlet):
        return "room_needed_by_others"
    township, zone = areas(county)
    return "other_township" if not township[hamlet, other] else "other_zone" if not zone[hamlet, other] else "farther"
