"""One school, one plan (一校一案): what is decided about a school, why, and what it means for its hamlets."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County
from sim.plan import MODES, Bools, Ints, Places
from sim.plan.assign import TOWN_KINDS, Ways, areas
from sim.plan.ready import Finding

DECISION_COLUMNS = (
    "scenario", "year", "school_id", "decision", "condition_failed", "shortfall", "unit", "cheapest_relief",
    "relief_cost_yuan", "keep_cost_yuan_per_year",
)  # fmt: skip
WAYS_TO_SCHOOL = MODES[:-1]
PLAN_COLUMNS = (
    "scenario", "year", "school_id", "hamlet_id", "grades", "pupils", "to_school_id", "km_before", "minutes_before",
    "km", "minutes", *WAYS_TO_SCHOOL, "verdict", "alternative_1", "alternative_1_minutes", "alternative_1_reason",
    "alternative_2", "alternative_2_minutes", "alternative_2_reason",
)  # fmt: skip
ALTERNATIVES = 2


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided about a school in a year, what was found, and how its pupils are placed if it closes."""

    year: int
    school: int
    verdict: str
    """close, keep, reopen"""
    found: list[Finding]
    keep_cost_yuan: float
    if_open: Ints
    """(H, 9) where pupils go if it stays open."""
    taught: Bools
    """(S, 9) grades that each school teaches if it closes."""
    placed: Places


def decisions_table(county: County, settings: Settings, decided: list[Decision]) -> pd.DataFrame:
    """Return the columns of closures.csv: the first condition that fails, those required first."""
    rows = []
    for each in decided:
        first = each.found[0] if each.found else Finding("", np.nan, "", "", np.nan)
        told = [text or None for text in (first.condition, first.unit, first.relief)]
        head = (settings.scenario, each.year, county.schools.id[each.school], each.verdict, told[0])
        rows.append((*head, first.shortfall, told[1], told[2], first.cost_yuan, each.keep_cost_yuan))
    table = pd.DataFrame(rows, columns=list(DECISION_COLUMNS))
    return table.sort_values(["year", "school_id"], kind="stable", ignore_index=True)


def school_plans(county: County, settings: Settings, ways: Ways, decided: list[Decision]) -> pd.DataFrame:
    """Return the columns of school_plans.csv: one row for each hamlet and the grades that go to the same school."""
    rows = [row for each in decided for row in _rows(county, settings, ways, each)]
    return pd.DataFrame(rows, columns=list(PLAN_COLUMNS))


def _rows(county: County, settings: Settings, ways: Ways, decision: Decision) -> list[tuple[Any, ...]]:
    schools, placed, s = county.schools, decision.placed, decision.school
    people = placed.expected.sum(axis=2)
    ids = (*schools.id, None)
    rows = []
    attends = (decision.if_open == s) & (people > 0)
    for h in np.flatnonzero(attends.any(axis=1)).tolist():
        for to, run in groupby(np.flatnonzero(attends[h]).tolist(), key=lambda g, h=h: int(placed.school[h, g])):  # type: ignore[misc]
            grades = list(run)
            pupils = people[h, grades]
            share = (placed.share[h, grades] * pupils[:, None]).sum(axis=0) / pupils.sum()
            name = str(grades[0] + 1) if len(grades) == 1 else f"{grades[0] + 1}-{grades[-1] + 1}"
            head = (settings.scenario, decision.year, schools.id[s], county.hamlets.id[h], name, float(pupils.sum()))
            there = (placed.km[h, grades[0]], placed.minutes[h, grades[0]])
            way = (ids[to], ways.km[h, s], ways.minutes[h, s], *there, *share[: len(WAYS_TO_SCHOOL)])
            others = _rejected(county, settings, ways, decision, h, np.array(grades), to)
            rows.append((*head, *way, verdict(decision, county), *others))
    return rows


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
    county: County, settings: Settings, ways: Ways, decision: Decision, hamlet: int, grades: Ints, to: int
) -> list[Any]:
    """Return the nearest other schools with these grades, their minutes, and why each was not chosen."""
    schools = county.schools
    usable = np.isfinite(ways.minutes[hamlet]) & decision.taught[:, grades].all(axis=1)
    usable[[decision.school, *([to] if to >= 0 else [])]] = False
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
    if settings.assign.rule == "capacity":
        return "room_needed_by_others"
    township, zone = areas(county)
    return "other_township" if not township[hamlet, other] else "other_zone" if not zone[hamlet, other] else "farther"
