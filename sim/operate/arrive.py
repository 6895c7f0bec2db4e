"""The pupils who really come in one year of one replication: who they are, where they go, and what they ask for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim import streams
from sim.chance import MOVES, YearLuck, pupil_owners
from sim.config import Settings
from sim.county import County
from sim.plan import FAMILY, LINE_BUS, LODGE, NONE, SCHOOL_BUS, WALK, Bools, Floats, Ints, Places
from sim.plan.enrol import town_of
from sim.streams import Owners

_TASTE = (LODGE, SCHOOL_BUS, LINE_BUS, FAMILY, WALK, NONE)


@dataclass(frozen=True, slots=True)
class Coming:
    """The pupils who come in a year with what they ask for, before beds are given; rows as in `Pupils`."""

    number: Owners
    hamlet: Ints
    grade: Ints
    sex: Ints
    school: Ints
    km: Floats
    mode: Ints
    """(N,) as the plan has it for the first term."""
    hardship: Bools
    parents_away: Bools
    """(N,) is left behind by parents who work elsewhere."""
    leaves: Bools
    """(N,) gives up the bed, or the wait for one, after the first term."""
    lodger_bus: Bools
    """(N,) would use the lodgers' bus."""
    eats: Bools
    breakfasts: Bools
    """(N,) would have breakfast at school."""


def arrive(county: County, settings: Settings, places: Places, counts: Ints, luck: YearLuck) -> Coming:
    """Let the pupils who come go to their schools.

    counts: (2, H, 9, 2) pupils who come this year from each hamlet: who live there, who have moved to its town hamlet.
    """
    hamlet, grade, sex, number = _people(county, places, counts, luck)
    uniforms = {name: streams.uniforms(luck.lasting(name), number) for name in
                ("mode", "hardship", "parents away", "lodger bus", "lunch", "breakfast")}  # fmt: skip
    return Coming(
        number=number,
        hamlet=hamlet,
        grade=grade,
        sex=sex,
        school=places.school[hamlet, grade - 1],
        km=places.km[hamlet, grade - 1],
        mode=_modes(places.share[hamlet, grade - 1], uniforms["mode"]),
        hardship=uniforms["hardship"] < county.hamlets.hardship_share[hamlet],
        parents_away=uniforms["parents away"] < county.hamlets.left_behind_share[hamlet],
        leaves=streams.uniforms(luck.yearly("gives up bed"), number) < settings.lodge.leave_after_term_share,
        lodger_bus=(uniforms["lodger bus"] < settings.lodge.bus_share) & settings.fleet.lodger_runs,
        eats=uniforms["lunch"] < settings.dine.lunch_share,
        breakfasts=uniforms["breakfast"] < settings.dine.breakfast_rider_share,
    )


def _modes(share: Floats, taste: Floats) -> Ints:
    """Return the mode of each pupil; share: (N, 6) of each of MODES in the pupil's group, taste: (N,) uniforms.

    The modes stand in the order of _TASTE, so that a little more of one moves only those next to it.
    """
    ends = np.cumsum(share[:, _TASTE], axis=1)[:, :-1]
    return np.array(_TASTE)[(taste[:, None] >= ends - 1e-12).sum(axis=1)]


def _people(county: County, places: Places, counts: Ints, luck: YearLuck) -> tuple[Ints, Ints, Ints, Owners]:
    """List everyone whose school is lived, by school, grade, hamlet where they live, and sex; and each one's number.

    Of the pupils from a hamlet those have moved whose lasting uniforms are the highest, as many as counts say.
    """
    own, goal = np.arange(len(county.hamlets.id)), town_of(county)
    live_at = np.stack([own, np.where(goal >= 0, goal, own)])
    lived = np.append(county.schools.lived, False)  # the last one answers for "no school" (-1)
    any_lived = lived[places.school[live_at]].any(axis=0)
    cells = np.where(any_lived[:, :, None], counts.sum(axis=0), 0)
    home, grade, sex = (np.repeat(axis, cells.ravel()) for axis in map(np.ravel, np.indices(cells.shape)))
    ends = np.cumsum(cells.ravel())
    ordinal = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - cells.ravel(), cells.ravel())
    number = pupil_owners(streams.owners(county.hamlets.id)[home], places.year - grade, sex, ordinal)
    hamlet, apart = home.copy(), np.flatnonzero(counts[1, home, grade, sex])
    cell = np.cumsum(ordinal[apart] == 0)
    rank = np.empty_like(apart)
    rank[np.argsort(cell + streams.uniforms(luck.lasting(MOVES), number[apart]))] = ordinal[apart]
    gone = apart[rank >= counts[0, home, grade, sex][apart]]
    hamlet[gone] = live_at[1, home[gone]]
    school = places.school[hamlet, grade]
    here = np.flatnonzero(lived[school])  # by old home and ordinal, an order that stays among those who are alike
    order = here[np.lexsort((sex[here], hamlet[here], grade[here], school[here]))]
    return hamlet[order], grade[order] + 1, sex[order], number[order]
