"""Posts: how many people each school needs by norm, who is there, and where the staff of closed schools go.

Nobody is lost: the staff of a closed school stay on the payroll and go where most of its pupils go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County
from sim.plan import LODGE, Bools, Closures, Floats, Ints, YearPlan

COLUMNS = ("scenario", "year", "site_id", "post", "needed", "filled", "from_school_id")
GRADES = 9
PRIMARY = slice(0, 6)
JUNIOR = slice(6, 9)
COUNTY_SITE = "county"
"""Site of what belongs to the whole county."""
FLEET_POSTS = ("driver", "attendant")
"""Posts of the whole county; all are to be hired, as no county table lists them."""


def posts(settings: Settings, county: County, years: Sequence[YearPlan], closures: Closures) -> pd.DataFrame:
    """List the posts of every school and year: needed by norm, filled, and by whom from which closed school.

    A school's own row has no `from_school_id`; `filled` are the people who are there, also beyond the need.
    People of a closed school stand in a row of their own (needed 0) at the school they moved to, each year.
    Returns the columns of posts.csv. Norms: facts section G, see the settings group `staff`.
    """
    order = {int(year): row for row, year in enumerate(closures.years)}
    parts = []
    for plan in years:
        needed = school_needs(settings, county, plan)
        closed = _closed(county, closures.open[order[plan.year]], plan.year)
        parts += [_own_rows(county, plan, needed), _moved_rows(county, plan, closed)]
        parts.append(_fleet_rows(settings, plan))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS[1:])
    table.insert(0, "scenario", settings.scenario)
    return table[list(COLUMNS)].astype({"needed": "int64", "filled": "int64", "from_school_id": "object"})


def pupils_by_school(county: County, school: Ints, pupils: Floats) -> Floats:
    """Add up the pupils (H, 9) of each school and grade, where `school` (H, 9) says where they go: (S, 9)."""
    placed = school >= 0
    grade = np.broadcast_to(np.arange(GRADES), placed.shape)
    cell = school[placed] * GRADES + grade[placed]
    size = len(county.schools.id) * GRADES
    total = np.bincount(cell, weights=pupils[placed], minlength=size)
    return np.asarray(total, dtype=float).reshape(-1, GRADES)


def school_needs(settings: Settings, county: County, plan: YearPlan) -> dict[str, Ints]:
    """Return how many people each school needs by norm: post -> (S,); a closed school needs nobody."""
    norm = settings.staff
    expected = plan.places.expected.sum(axis=2)
    pupils = pupils_by_school(county, plan.places.school, expected)
    lodgers = pupils_by_school(county, plan.places.school, expected * plan.places.share[:, :, LODGE])
    diners = np.where(plan.meals.windows > 0, _diners(settings, pupils, lodgers), 0.0)
    nights = lodgers.sum(axis=1)
    teachers = (
        pupils[:, PRIMARY].sum(axis=1) / norm.pupils_per_teacher_primary
        + pupils[:, JUNIOR].sum(axis=1) / norm.pupils_per_teacher_junior
    )
    guards = np.where(
        _up(nights) > 0,
        norm.guards_lodging_school + nights // norm.lodgers_per_extra_guard,
        norm.guards_day_school,
    )
    needs: Mapping[str, Floats] = {
        "teacher": _up(teachers),
        "temporary": np.zeros(len(teachers)),
        "life_teacher": life_teacher_posts(settings, lodgers),
        "warden": _up(nights / norm.lodgers_per_warden),
        "canteen_worker": _up(diners / norm.diners_per_canteen_worker),
        "guard": np.where(_up(pupils.sum(axis=1)) > 0, guards, 0),
    }
    return {post: np.where(plan.open, number, 0).astype(np.int64) for post, number in needs.items()}


def life_teacher_posts(settings: Settings, lodgers: Floats) -> Floats:
    """Return how many life teachers the norm asks for, given the lodgers of each school and grade (S, 9); (S,).

    Pupils below `lodge.from_grade`, who lodge only in the service mode, have a closer norm of their own.
    """
    norm, grade = settings.staff, np.arange(1, GRADES + 1)
    service, junior = grade < settings.lodge.from_grade, grade > PRIMARY.stop
    care = (
        (service, norm.lodgers_per_life_teacher_service),
        (~service & ~junior, norm.lodgers_per_life_teacher_primary),
        (~service & junior, norm.lodgers_per_life_teacher_junior),
    )
    return np.sum([_up(lodgers[:, who].sum(axis=1) / lodgers_each) for who, lodgers_each in care], axis=0)


def life_teachers(county: County, plan: YearPlan) -> Ints:
    """Return the life teachers each open school has of its own; those of closed schools are not counted; (S,)."""
    return np.where(plan.open, county.schools.life_teachers, 0)


def crews(settings: Settings, plan: YearPlan) -> tuple[int, int]:
    """Return the drivers and attendants in reserve in a year: stated shares of those on duty, rounded up."""
    fleet = settings.fleet
    drivers, attendants = _on_duty(settings, plan)
    reserve = _up(np.array([fleet.reserve_driver_share * drivers, fleet.reserve_attendant_share * attendants]))
    return int(reserve[0]), int(reserve[1])


def _on_duty(settings: Settings, plan: YearPlan) -> tuple[int, int]:
    """Return the drivers and attendants that the buses on duty need."""
    buses = np.unique(plan.runs.bus[plan.runs.bus >= 0])
    attendants = np.array([kind.attendants for kind in settings.fleet.kinds])
    return len(buses), int(attendants[plan.runs.bus_kind[buses]].sum())


def _diners(settings: Settings, pupils: Floats, lodgers: Floats) -> Floats:
    """Return the pupils who eat lunch at each school: every lodger and the stated share of the others."""
    return lodgers.sum(axis=1) + settings.dine.lunch_share * (pupils - lodgers).sum(axis=1)


def _up(number: Floats) -> Floats:
    """Round up to whole people; a millionth of a person is rounding, not a post."""
    return np.ceil(np.round(number, 6))


def _closed(county: County, open_: Bools, year: int) -> Ints:
    """Return the positions of the schools that have closed by this year; one not yet opened is not closed."""
    return np.flatnonzero(~open_ & (county.schools.opens_year <= year))


def _present(county: County) -> dict[str, Ints]:
    """Return the staff each school has in the county's table: post -> (S,)."""
    schools = county.schools
    return {
        "teacher": schools.teachers,
        "temporary": schools.temporary,
        "life_teacher": schools.life_teachers,
        "warden": schools.wardens,
        "canteen_worker": schools.canteen_workers,
        "guard": schools.guards,
    }


def _own_rows(county: County, plan: YearPlan, needed: Mapping[str, Ints]) -> pd.DataFrame:
    """Return one row for each school and post that is needed or filled by the school's own staff."""
    site = np.array(county.schools.id, dtype=object)
    parts = []
    for post, present in _present(county).items():
        filled = np.where(plan.open, present, 0)
        row = np.flatnonzero((needed[post] > 0) | (filled > 0))
        parts.append(_rows(plan.year, post, site[row], needed[post][row], filled[row]))
    return pd.concat(parts, ignore_index=True)


def _moved_rows(county: County, plan: YearPlan, closed: Ints) -> pd.DataFrame:
    """Return one row for each closed school and post whose people work elsewhere now."""
    site = np.array(county.schools.id, dtype=object)
    goes_to = np.array([_receiver(county, plan, int(school)) for school in closed], dtype=np.int64)
    parts = [_rows(plan.year, "teacher", [], [], [])]
    for post, present in _present(county).items():
        has = present[closed] > 0
        rows = _rows(plan.year, post, site[goes_to[has]], 0, present[closed][has])
        parts.append(rows.assign(from_school_id=site[closed][has]))
    return pd.concat(parts, ignore_index=True)


def _receiver(county: County, plan: YearPlan, closed: int) -> int:
    """Return the open school that receives most pupils of a closed one, or else the nearest.

    Without pupils to count: the nearest receiving school, first of its own township. Ties go to the school
    that comes first in the county's order.
    """
    schools = county.schools
    grades = slice(schools.first_grade[closed] - 1, schools.last_grade[closed])
    homes = county.hamlets.school == closed
    school = plan.places.school[homes, grades].ravel()
    pupils = plan.places.expected[homes, grades].sum(axis=-1).ravel()
    for weight in (pupils, np.ones_like(pupils)):
        votes = np.bincount(school[school >= 0], weights=weight[school >= 0], minlength=len(schools.id))
        votes = np.where(plan.open, votes, 0.0)
        if votes.max() > 0:
            return int(votes.argmax())
    far = np.hypot(schools.lon - schools.lon[closed], schools.lat - schools.lat[closed])
    foreign = np.where(schools.township == schools.township[closed], 0.0, 1.0)
    return int(np.lexsort((far, foreign, ~(plan.open & schools.receives), ~plan.open))[0])


def _fleet_rows(settings: Settings, plan: YearPlan) -> pd.DataFrame:
    """Return drivers and attendants of the buses on duty and in reserve; a spare bus is driven by the reserve."""
    needed = np.add(_on_duty(settings, plan), crews(settings, plan))
    parts = [_rows(plan.year, post, [COUNTY_SITE], [n], [0]) for post, n in zip(FLEET_POSTS, needed, strict=True)]
    return pd.concat(parts, ignore_index=True)


def _rows(year: int, post: str, site_id: object, needed: object, filled: object) -> pd.DataFrame:
    """Return rows of posts.csv for one year and post, without a closed school behind them."""
    return pd.DataFrame(
        {
            "year": year,
            "site_id": pd.Series(site_id, dtype=object),
            "post": post,
            "needed": needed,
            "filled": filled,
            "from_school_id": None,
        }
    )
