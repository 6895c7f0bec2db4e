"""The people on the county's payroll: where each of them works, and where those of closed schools go.

Nobody is lost: whoever finds no post stays on the payroll without one. Who has a post keeps it while it is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from sim.config import Settings, Staff
from sim.county import County, Travel
from sim.plan import Bools, Floats, Ints, freeze

POSTS = ("teacher", "temporary", "life_teacher", "warden", "canteen_worker", "guard")
"""What people of a school are; temporary staff have no post of the norms."""
TEACHER, TEMPORARY = POSTS.index("teacher"), POSTS.index("temporary")
NOWHERE = -1
_RANK_MIN = 1e-3
"""Minutes of way that the next of the preferred posts weighs: it decides only between equal ways."""


@dataclass(frozen=True, slots=True)
class People:
    """Everybody in staff.csv, in the order of schools and posts; shapes (N,)."""

    school: Ints
    """School they are listed at."""
    was: Ints
    """Position in POSTS of what they are there."""
    site: Ints
    """School they work at now, NOWHERE without a post."""
    post: Ints
    """Position in POSTS of what they are now."""

    def __post_init__(self) -> None:
        freeze(self)


def present(county: County) -> Ints:
    """Return the people each school has in the county's table; shape (posts, S), in the order of POSTS."""
    s = county.schools
    return np.stack([s.teachers, s.temporary, s.life_teachers, s.wardens, s.canteen_workers, s.guards])


def payroll(county: County) -> People:
    """Return everybody where the county's table lists them."""
    there = present(county).T
    school = np.repeat(np.arange(len(there)), there.sum(axis=1))
    was = np.repeat(np.tile(np.arange(len(POSTS)), len(there)), there.ravel())
    return People(school, was, school.copy(), was.copy())


def redeploy(
    settings: Settings, county: County, travel: Travel, people: People, closed: Bools, needed: Mapping[str, Ints]
) -> People:
    """Place the people of closed schools for a year, given where everybody worked in the year before.

    A person placed before stays while the school needs more people in that post than its own staff: as needs shrink,
    posts that nobody fills go first, then those of the people placed there, the last on the payroll first. Whoever
    loses a post so looks for another, like all who have none. They fill posts that are needed and not filled
    (`needed`: post -> (S,)): first those of their pool (`staff.pool`), then those anywhere, both times as many people
    as possible with the least driving minutes in all, nobody farther than `staff.travel_most_min`. `closed` (S,); the
    people of an open school work there.
    """
    away = closed[people.school]
    vacant = np.stack([needed[post] for post in POSTS]) - np.where(closed, 0, present(county))
    kept = away & (people.site != people.school) & (people.site != NOWHERE)
    kept[kept] = _order_in_cell(people.post[kept], people.site[kept], vacant.shape) < np.maximum(
        vacant[people.post[kept], people.site[kept]], 0
    )
    np.subtract.at(vacant, (people.post[kept], people.site[kept]), 1)
    home = ~away
    placed = replace(
        people,
        site=np.where(home, people.school, np.where(kept, people.site, NOWHERE)),
        post=np.where(kept, people.post, people.was),
    )
    zone = np.unique(county.townships.zone, return_inverse=True)[1][county.schools.township]
    area = {"township": county.schools.township, "zone": zone, "county": np.zeros_like(zone)}[settings.staff.pool]
    minutes = travel.minutes[np.ix_(county.schools.node, county.schools.node)]
    near = minutes <= settings.staff.travel_most_min
    for reach in (near & (area[:, None] == area), near):
        placed = _fill(settings.staff, county, placed, vacant, np.where(reach, minutes, np.inf))
    return placed


def _order_in_cell(post: Ints, site: Ints, shape: tuple[int, ...]) -> Ints:
    """Return for each person how many stand before them at the same post and site, in the order given; (N,)."""
    cell = np.ravel_multi_index((post, site), shape)
    row = np.argsort(cell, kind="stable")
    order = np.empty_like(cell)
    order[row] = np.arange(len(cell)) - np.searchsorted(cell[row], cell[row])
    return order


def _fill(staff: Staff, county: County, people: People, vacant: Ints, minutes: Floats) -> People:
    """Give vacant posts (posts, S), counted down here, to people without one; minutes (S, S), inf: out of reach."""
    free = np.flatnonzero(people.site == NOWHERE)
    units = np.clip(vacant, 0, len(free)).ravel()
    post, site = np.unravel_index(np.repeat(np.arange(vacant.size), units), vacant.shape)
    if not len(free) or not len(site):
        return people
    cost = minutes[people.school[free]][:, site] + _preference(staff)[people.was[free]][:, post]
    teaches = (people.was[free] == TEACHER)[:, None] & (post == TEACHER)
    cost[teaches & ~_same_level(county)[people.school[free]][:, site]] = np.inf
    # As many as possible are placed: one more person outweighs all ways together.
    never = (len(free) + 1) * (staff.travel_most_min + 1)
    who, unit = linear_sum_assignment(np.minimum(cost, never))
    found = cost[who, unit] < never
    who, unit = free[who[found]], unit[found]
    np.subtract.at(vacant, (post[unit], site[unit]), 1)
    new_site, new_post = people.site.copy(), people.post.copy()
    new_site[who], new_post[who] = site[unit], post[unit]
    return replace(people, site=new_site, post=new_post)


def _preference(staff: Staff) -> Floats:
    """Return who may fill what: inf: may not; else minutes that tell equally near posts apart; (posts, posts)."""
    table = np.where(np.eye(len(POSTS), dtype=bool), 0.0, np.inf)
    for rank, post in enumerate(staff.temporary_fill):
        table[TEMPORARY, POSTS.index(post)] = rank * _RANK_MIN
    return table


def _same_level(county: County) -> Bools:
    """Tell which schools share a level, primary (grades 1-6) or junior (7-9); (S, S)."""
    primary, junior = county.schools.first_grade <= 6, county.schools.last_grade > 6
    return np.asarray((primary[:, None] & primary) | (junior[:, None] & junior))
