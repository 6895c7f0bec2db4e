"""Assignment within what there is: builds the choices, takes the best, and says of every refusal what stops it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.config import Settings
from sim.county import County
from sim.plan import Bools, Floats, Ints, Refusal, Refused
from sim.plan.flow import best
from sim.plan.program import Choices, Weights
from sim.plan.remedy import Remedy, beds_for, more
from sim.plan.room import CONDITION_OF, RESOURCES, TINY, legal, limits, needs
from sim.plan.way import journey_min, limit_min, may_lodge


@dataclass(frozen=True, slots=True)
class Question:
    """Who is to be placed, where each may go, and how far that is."""

    settings: Settings
    county: County
    year: int
    pupils: Floats
    """(H, 9, 2) pupils expected."""
    minutes: Floats
    """(H, S) by road."""
    km: Floats
    fixed: Ints
    """(H, 9) school that a group keeps, -1 where one is to be found."""
    allowed: Sequence[Bools]
    """Nine masks (H, S), one for each grade: schools that have it and that the hamlet's pupils may go to."""
    before: Ints | None
    """(H, 9) schools of the year before; None in the first."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups to be placed, and the choices of those who have any."""

    hamlet: Ints
    grade: Ints
    """(G,) from 0"""
    choices: Choices


def by_capacity(question: Question) -> tuple[Ints, Refused]:
    """Return the school of each hamlet and grade (H, 9), -1 for none, and why those with a road got none."""
    groups = groups_of(question)
    taken = best(groups.choices, weights(question.settings)) if len(groups.hamlet) else np.zeros(0, dtype=np.int64)
    return placed(question, groups, taken), _too_far(question, groups) | _full(question, groups, taken)


def placed(question: Question, groups: Groups, taken: Ints) -> Ints:
    """Return the school of each hamlet and grade (H, 9) when groups take these arcs (G,)."""
    school = question.fixed.copy()
    found = taken >= 0
    school[groups.hamlet[found], groups.grade[found]] = groups.choices.school[taken[found]]
    return school


def weights(settings: Settings) -> Weights:
    """Return what counts beside the ways."""
    chosen = settings.assign
    return Weights(chosen.split_pupil_min, chosen.unplaced_min, chosen.fewest_pupils, chosen.gap)


def groups_of(question: Question) -> Groups:
    """Return the groups that may go somewhere, and their choices: the nearest schools within the limits kept."""
    settings, county, pupils = question.settings, question.county, question.pupils
    cells = [_arcs(question, g) for g in range(len(question.allowed))]
    h, s, g = (np.concatenate([cell[k] for cell in cells]) for k in range(3))
    order = np.lexsort((s, g, h))
    h, s, g = h[order], s[order], g[order]
    pair, group = np.unique(np.stack([h, g]), axis=1, return_inverse=True)
    where = s, question.km[h, s], question.minutes[h, s]
    need = needs(settings, county, question.year, pupils[h, g], where, g + 1)
    left = _left(question)
    kind = np.unique(np.stack([mask.any(axis=0) for mask in question.allowed]), axis=0, return_inverse=True)[1].ravel()
    family = np.unique(np.stack([pair[0], kind[pair[1]]]), axis=1, return_inverse=True)[1].ravel()
    cost = where[2].copy()
    if question.before is not None:
        last = question.before[h, g]
        cost += np.where((last >= 0) & (last != s), settings.assign.change_min, 0.0)
    people = pupils.sum(axis=2)
    need = np.column_stack([need, people[h, g]])
    choices = Choices(group.ravel(), s, cost, need, left, people[pair[0], pair[1]], family, _there(question))
    return Groups(pair[0], pair[1], choices)


def _arcs(question: Question, g: int) -> tuple[Ints, Ints, Ints]:
    """Return hamlet, school and grade (from 0) of each way that pupils of one grade may take, sorted by hamlet."""
    settings, chosen = question.settings, question.settings.assign
    h, s = np.nonzero(question.allowed[g] & (question.fixed[:, [g]] < 0))
    if "ride_or_bed" in chosen.keep:
        where = s, question.km[h, s], question.minutes[h, s]
        fine = legal(settings, question.county, question.year, where, np.full(len(h), g + 1))
        h, s = h[fine], s[fine]
    order = np.lexsort((s, question.minutes[h, s], h))
    h, s = h[order], s[order]
    rank = np.arange(len(h)) - np.searchsorted(h, h)
    kept = rank < chosen.candidates
    if question.before is not None:
        kept |= question.before[h, g] == s
    return h[kept], s[kept], np.full(int(kept.sum()), g)


def _there(question: Question) -> Floats:
    """Return the pupils who keep their school, by school; (S,)."""
    h, g = np.nonzero(question.fixed >= 0)
    people = question.pupils.sum(axis=2)[h, g]
    return np.bincount(question.fixed[h, g], people, minlength=len(question.county.schools.id)).astype(float)


def _left(question: Question) -> Floats:
    """Return what those who keep their school leave of each resource, and of the largest size; (S, 5)."""
    settings, county, keep = question.settings, question.county, question.settings.assign.keep
    h, g = np.nonzero(question.fixed >= 0)
    s = question.fixed[h, g]
    where = s, question.km[h, s], question.minutes[h, s]
    taken = np.zeros((len(county.schools.id), len(RESOURCES)))
    np.add.at(taken, s, needs(settings, county, question.year, question.pupils[h, g], where, g + 1))
    left = np.maximum(limits(settings, county, question.year) - taken, 0.0)
    left[:, [condition not in keep for condition in CONDITION_OF]] = np.inf
    most = settings.assign.most_pupils
    size = np.full(len(left), np.inf) if most is None else np.maximum(most - _there(question), 0.0)
    return np.column_stack([left, size])


def _too_far(question: Question, groups: Groups) -> Refused:
    """Tell of groups that may go to some school, but to none by a legal way or with a bed: by how much, and what helps.

    The shortfall is in minutes over the limit of the grade, to the nearest school.
    """
    settings, people = question.settings, question.pupils.sum(axis=2)
    some = np.stack([mask.any(axis=1) for mask in question.allowed], axis=1) & (question.fixed < 0)
    some[groups.hamlet, groups.grade] = False
    told: Refused = {}
    for h, g in np.argwhere(some).tolist():
        s = int(np.where(question.allowed[g][h], question.minutes[h], np.inf).argmin())
        grade = np.array([g + 1])
        over = journey_min(settings, question.minutes[h, s]) - limit_min(settings, grade)[0]
        beds = beds_for(people[h, g], service=not may_lodge(settings, grade)[0])
        told[h, g] = _refuse(question, "ride", float(over), beds, s)
    return told


def _full(question: Question, groups: Groups, taken: Ints) -> Refused:
    """Tell of groups for whom no school within reach has room: the school that lacks least, of what, and how much.

    They are looked at one after the other, each as if those before had got what they lack: shortfalls add up.
    """
    choices = groups.choices
    used = np.zeros_like(choices.left)
    np.add.at(used, choices.school[taken[taken >= 0]], choices.need[taken[taken >= 0]])
    roll = choices.there + used[:, -1]
    told: Refused = {}
    for group in np.flatnonzero(taken < 0).tolist():
        arcs = np.flatnonzero(choices.group == group)
        at = choices.school[arcs]
        short = np.maximum(choices.need[arcs] - np.maximum(choices.left[at] - used[at], 0.0), 0.0)
        least = np.lexsort((choices.cost[arcs], short.sum(axis=1), (short > TINY).sum(axis=1)))[0]
        place = int(groups.hamlet[group]), int(groups.grade[group])
        told[place] = _refusal(question, int(at[least]), short[least], roll)
        used[at[least]] += choices.need[arcs[least]]
    return told


def _refusal(question: Question, school: int, short: Floats, roll: Floats) -> Refusal:
    """Say what stops a place at a school that is short of so much of each resource; roll (S,) pupils placed there."""
    k = int(short.argmax())
    if k < len(RESOURCES) and short[k] > TINY:
        help_ = more(question.settings, question.county, question.year, k, school, float(short[k]))
        return _refuse(question, RESOURCES[k], float(short[k]), help_, school)
    missing = question.settings.assign.fewest_pupils - roll[school]
    by = short[k] if short[k] > TINY else max(missing, 0.0)
    sizes = "other sizes of schools (assign.fewest_pupils, assign.most_pupils)"
    return Refusal("school_size", float(by), sizes, sizes)


def _refuse(question: Question, constraint: str, short: float, help_: Remedy, school: int) -> Refusal:
    at = question.county.schools.name_zh[school]
    return Refusal(constraint, short, f"{help_} ({at})", help_.text, help_.items)
