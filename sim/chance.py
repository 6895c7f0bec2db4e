"""Luck, drawn first: it knows the county and the seed and is blind to every choice.

Luck belongs to the pupil, the run and the day. Two scenarios of one seed therefore meet the same births,
the same illnesses, the same traffic and the same slow eaters: differences between them are differences of
the plans.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim import streams
from sim.county import County, SchoolCalendar
from sim.streams import Floats, Key, Owners

GRADES = 9
SEXES = 2
_SEX_BIT, _COHORT_BIT, _HAMLET_BIT = 16, 17, 32
_COHORT_ZERO = 1900
MOVES = "moves"


@dataclass(frozen=True, slots=True)
class EnrolLuck:
    """What decides, in one replication, how many pupils come: standard normals and uniforms.

    Y years, A areas (townships of a county), G grades. A year's part belongs to the year, whatever the horizon.
    """

    county_entry_z: Floats
    """(Y,) entrants of all areas."""
    area_entry_z: Floats
    """(Y, A) entrants of each area."""
    area_level_z: Floats
    """(A,) level of the entrants of each area, the same in all years."""
    county_progress_z: Floats
    """(Y,) progression of all areas."""
    area_progress_z: Floats
    """(Y, A) progression of each area."""
    area_drift_z: Floats
    """(A,) progression of each area, the same in all years and grades."""
    area_grade_z: Floats
    """(A, G - 1) progression of each area into each grade but the lowest, the same in all years."""
    common_z: float
    """Shock to all pupils of all areas in the first year to come."""
    cell_u: Floats
    """(Y, H, G, sexes) uniforms of each home, grade and sex."""
    moves: Key
    """Stream of what decides for each pupil whether and when the family moves to town."""


def cell_owners(homes: Sequence[str], grades: int = GRADES, sexes: int = SEXES) -> NDArray[np.uint64]:
    """Return the stable number of every home, grade and sex; shape (H, grades, sexes)."""
    cell = np.arange(grades * sexes, dtype=np.uint64).reshape(grades, sexes)
    return np.asarray(streams.owners(homes)[:, None, None] + cell)


def enrol_luck(county: County, seed: int, replication: int, years: NDArray[np.int64]) -> EnrolLuck:
    """Draw what decides the enrolment of one replication in the given school years."""
    return area_luck(county.townships.id, cell_owners(county.hamlets.id), seed, replication, years)


def area_luck(
    areas: Sequence[str], cells: NDArray[np.uint64], seed: int, replication: int, years: NDArray[np.int64]
) -> EnrolLuck:
    """Draw what decides the enrolment of any areas; cells: (H, G, sexes) numbers of `cell_owners`."""
    area, everyone = streams.owners(areas), streams.owners(["county"])
    steps = cell_owners(areas, cells.shape[1], 1)[:, 1:, 0]

    def z(purpose: str, who: Owners) -> Floats:
        return np.array([streams.normals(streams.key(seed, replication, purpose, int(y)), who) for y in years])

    def lasting(purpose: str, who: Owners) -> Floats:
        return streams.normals(streams.key(seed, replication, purpose), who)

    cell_u = np.array([streams.uniforms(streams.key(seed, replication, "cell", int(y)), cells.ravel()) for y in years])
    return EnrolLuck(
        county_entry_z=z("entry county", everyone)[:, 0],
        area_entry_z=z("entry area", area),
        area_level_z=lasting("entry level", area),
        county_progress_z=z("progress county", everyone)[:, 0],
        area_progress_z=z("progress area", area),
        area_drift_z=lasting("progress drift", area),
        area_grade_z=lasting("progress grade", steps.ravel()).reshape(steps.shape),
        common_z=float(lasting("common shock", everyone)[0]),
        cell_u=cell_u.reshape(len(years), *cells.shape),
        moves=streams.key(seed, replication, MOVES),
    )


def pupil_owners(
    hamlet_number: Owners, cohort: NDArray[np.int64], sex: NDArray[np.int64], ordinal: NDArray[np.int64]
) -> Owners:
    """Return the stable number of each pupil: hamlet, year of entry to grade 1, sex, ordinal.

    The low half of the number is the pupil inside the hamlet, the high half the hamlet, so a pupil keeps
    their luck whatever closes, whoever else is born and wherever they go to school.
    """
    within = ((cohort - _COHORT_ZERO) << _COHORT_BIT) | (sex << _SEX_BIT) | ordinal
    high = hamlet_number >> np.uint64(_HAMLET_BIT) << np.uint64(_HAMLET_BIT)
    return np.asarray(high | within.astype(np.uint64))


@dataclass(frozen=True, slots=True)
class YearLuck:
    """Names the streams of one replication and school year; the draws are made where the owners are known."""

    seed: int
    replication: int
    year: int

    def lasting(self, purpose: str) -> Key:
        """Return the stream of what stays with a pupil through the years (taste, consent)."""
        return streams.key(self.seed, self.replication, purpose)

    def yearly(self, purpose: str) -> Key:
        """Return the stream of what is drawn once a school year."""
        return streams.key(self.seed, self.replication, purpose, self.year)

    def daily(self, purpose: str, week: int, day: int) -> Key:
        """Return the stream of one school day; `week` from 1, `day` from 1 (Monday) to 7."""
        return streams.key(self.seed, self.replication, purpose, self.year, week * 7 + day)


@dataclass(frozen=True, slots=True)
class SampledWeeks:
    """The school weeks that are lived in a year, and how many weeks each stands for."""

    week: NDArray[np.int64]
    days: NDArray[np.int64]
    weight: Floats


def strata(calendar: SchoolCalendar, wanted: int) -> list[NDArray[np.int64]]:
    """Part the school year into at most `wanted` strata of whole months that follow each other in a term.

    With few weeks to live, neighbouring months of a term share a stratum; with enough of them every month
    of a term is its own. Returns the positions of the weeks in each stratum.
    """
    terms = np.unique(calendar.term)
    weeks_of = [np.flatnonzero(calendar.term == term) for term in terms]
    sizes = np.array([len(weeks) for weeks in weeks_of], dtype=float)
    shares = np.maximum(1, np.round(wanted * sizes / sizes.sum()).astype(int))
    parts: list[NDArray[np.int64]] = []
    for weeks, share in zip(weeks_of, shares, strict=True):
        months = calendar.month[weeks]
        change = np.flatnonzero(np.diff(months)) + 1
        blocks = np.split(weeks, change)
        middle = np.array([(block[0] + block[-1] + 1) / 2 - weeks[0] for block in blocks])
        group = np.minimum((middle / len(weeks) * share).astype(int), share - 1)
        parts += [np.concatenate([b for b, g in zip(blocks, group, strict=True) if g == k]) for k in np.unique(group)]
    return parts


def sampled_weeks(luck: YearLuck, calendar: SchoolCalendar, wanted: int, always: Collection[int] = ()) -> SampledWeeks:
    """Draw the weeks to live: all of them when `wanted` is 0, else spread over the strata of the year.

    Weeks named in `always` are lived besides, each for itself alone; the others stand for the rest of the year.
    """
    named = np.isin(calendar.week, list(always))
    row, weight = _drawn(luck, _rows(calendar, np.flatnonzero(~named)), wanted)
    row = np.append(np.flatnonzero(~named)[row], np.flatnonzero(named))
    order = np.argsort(row)
    weight = np.append(weight, np.ones(named.sum()))[order]
    return SampledWeeks(calendar.week[row[order]], calendar.days[row[order]], weight)


def _rows(calendar: SchoolCalendar, row: NDArray[np.int64]) -> SchoolCalendar:
    return SchoolCalendar(calendar.week[row], calendar.term[row], calendar.month[row], calendar.days[row])


def _drawn(luck: YearLuck, calendar: SchoolCalendar, wanted: int) -> tuple[NDArray[np.int64], Floats]:
    """Return the positions of the weeks drawn, in order of time, and how many weeks each stands for."""
    if wanted == 0 or wanted >= len(calendar.week):
        return np.arange(len(calendar.week)), np.ones(len(calendar.week))
    parts = strata(calendar, wanted)
    order = luck.yearly("weeks")
    score = streams.uniforms(order, calendar.week.astype(np.uint64))
    takes = _split(wanted, np.array([len(part) for part in parts]))
    rows, weights = [], []
    for part, take in zip(parts, takes, strict=True):
        if take == 0:
            continue
        chosen = part[np.argsort(score[part], kind="stable")[:take]]
        rows.append(np.sort(chosen))
        weights.append(np.full(take, len(part) / take))
    weight = np.concatenate(weights)
    weight *= len(calendar.week) / weight.sum()  # fewer weeks than strata: those lived stand for all
    return np.concatenate(rows), weight


def _split(wanted: int, sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Share `wanted` weeks over strata in proportion to their sizes, at least one each where there are enough."""
    if wanted < len(sizes):
        take = np.zeros(len(sizes), dtype=np.int64)
        take[np.argsort(-sizes, kind="stable")[:wanted]] = 1
        return take
    take = np.ones(len(sizes), dtype=np.int64)
    for _ in range(wanted - len(sizes)):
        room = np.where(take < sizes, sizes / take, 0.0)
        take[np.argmax(room)] += 1
    return take
