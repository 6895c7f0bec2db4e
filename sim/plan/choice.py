"""A small set of clearly different assignments that are nearly as good as the best, on request."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County, Travel
from sim.plan import Closures, Places
from sim.plan.assign import question, ways_to_school
from sim.plan.capacity import groups_of, placed, weights
from sim.plan.flow import different, merged

COLUMNS = (
    "scenario", "year", "alternative", "hamlet_id", "grade", "pupils", "school_id", "minutes", "instead_of",
    "worse_by", "pupils_elsewhere",
)  # fmt: skip


def alternatives(
    county: County, settings: Settings, travel: Travel, closed: Closures, years: Sequence[Places]
) -> pd.DataFrame:
    """List, for each year, the groups of pupils that go elsewhere in each alternative: the columns of alternatives.csv.

    Compared with the best assignment that sends the pupils of a hamlet with the same choices to one school; so do the
    alternatives. `worse_by` is the share of pupil-minutes by which the ways of all who have a choice are longer.
    """
    parts = [pd.DataFrame(columns=list(COLUMNS))]
    ways = ways_to_school(county, travel)
    chosen, before = settings.assign, None
    for k, place in enumerate(years if chosen.alternatives else ()):
        asked = question(county, settings, ways, closed.taught[k], place.expected, place.year, before)
        before = place.school
        groups = groups_of(asked)
        if not len(groups.hamlet):
            continue
        joined, of = merged(groups.choices)
        found = different(
            joined, weights(settings), chosen.alternatives, chosen.alternative_gap, chosen.alternative_differs
        )
        people = place.expected.sum(axis=2)
        row = np.arange(len(ways.minutes))[:, None]
        # arcs of joined groups lead to schools; -1 stays -1
        schools = [np.where(taken >= 0, joined.school[taken], -1)[of] for taken in found]
        full = [asked.fixed.copy() for _ in schools]
        for one, school in zip(full, schools, strict=True):
            one[groups.hamlet, groups.grade] = school
        total = [float(np.where(one >= 0, ways.minutes[row, one] * people, 0.0)[asked.fixed < 0].sum()) for one in full]
        for number, other in enumerate(full[1:], start=1):
            h, g = np.nonzero((other != full[0]) & (people > 0))
            ids = np.array([*county.schools.id, None], dtype=object)
            parts.append(
                pd.DataFrame(
                    {
                        "year": place.year,
                        "alternative": number,
                        "hamlet_id": np.array(county.hamlets.id)[h],
                        "grade": g + 1,
                        "pupils": people[h, g],
                        "school_id": ids[other[h, g]],
                        "minutes": np.where(other[h, g] >= 0, ways.minutes[h, other[h, g]], np.nan),
                        "instead_of": ids[full[0][h, g]],
                        "worse_by": total[number] / total[0] - 1 if total[0] > 0 else 0.0,
                        "pupils_elsewhere": float(people[h, g].sum()),
                    }
                )
            )
    table = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    return table.assign(scenario=settings.scenario)[list(COLUMNS)]


__all__ = ["alternatives", "placed"]
