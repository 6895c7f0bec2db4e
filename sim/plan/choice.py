"""A small set of clearly different assignments that are nearly as good as the best, on request."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.config import Settings
from sim.county import County, Travel
from sim.plan import Closures, Ints, Places
from sim.plan.assign import question, ways_to_school
from sim.plan.capacity import Groups, Question, groups_of, weights
from sim.plan.differ import different, merged
from sim.plan.program import Choices

COLUMNS = (
    "scenario", "year", "alternative", "hamlet_id", "grade", "pupils", "school_id", "minutes", "instead_of",
    "worse_by", "pupils_elsewhere",
)  # fmt: skip


def alternatives(
    county: County, settings: Settings, travel: Travel, closed: Closures, years: Sequence[Places]
) -> pd.DataFrame:
    """List, for each year, the groups of pupils that go elsewhere in each alternative: the columns of alternatives.csv.

    Compared with the best assignment that sends the pupils of a hamlet with the same choices to one school (but for
    grades of more than a class); so do the alternatives. Fewer than asked for are listed where no more differ enough.
    `worse_by` is the share of pupil-minutes by which the ways of all who have a choice are longer.
    """
    ways, before = ways_to_school(county, travel), None
    parts = []
    for k, place in enumerate(years if settings.assign.alternatives else ()):
        asked = question(county, settings, ways, closed.taught[k], place.expected, place.year, before)
        before = place.school
        parts += _of_year(asked, np.array([*county.schools.id, None], dtype=object))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    return table.assign(scenario=settings.scenario)[list(COLUMNS)]


def _of_year(asked: Question, ids: NDArray[np.object_]) -> list[pd.DataFrame]:
    """Return a table for each alternative of a year; ids: (S + 1,) names of the schools, None behind them."""
    chosen, groups, people = asked.settings.assign, groups_of(asked), asked.pupils.sum(axis=2)
    if not len(groups.hamlet):
        return []
    joined, of = merged(groups.choices, asked.settings.dine.class_size)
    limits = chosen.alternatives, chosen.alternative_gap, chosen.alternative_differs
    found = [
        _schools(asked, groups, joined, taken[of]) for taken in different(joined, weights(asked.settings), *limits)
    ]
    row = np.arange(len(people))[:, None]
    ways = [np.where(school >= 0, asked.minutes[row, school], np.nan) for school in found]
    total = [float(np.nansum((minutes * people)[asked.fixed < 0])) for minutes in ways]
    parts = []
    for number, (school, minutes) in enumerate(zip(found[1:], ways[1:], strict=True), start=1):
        h, g = np.nonzero((school != found[0]) & (people > 0))
        told = {
            "year": asked.year,
            "alternative": number,
            "hamlet_id": np.array(asked.county.hamlets.id)[h],
            "grade": g + 1,
            "pupils": people[h, g],
            "school_id": ids[school[h, g]],
            "minutes": minutes[h, g],
            "instead_of": ids[found[0][h, g]],
            "worse_by": total[number] / total[0] - 1 if total[0] > 0 else 0.0,
            "pupils_elsewhere": float(people[h, g].sum()),
        }
        parts.append(pd.DataFrame(told))
    return parts


def _schools(asked: Question, groups: Groups, joined: Choices, taken: Ints) -> Ints:
    """Return the school of each hamlet and grade (H, 9) when groups take these arcs of the joined choices (G,)."""
    school = asked.fixed.copy()
    school[groups.hamlet, groups.grade] = np.where(taken >= 0, joined.school[taken], -1)
    return school
