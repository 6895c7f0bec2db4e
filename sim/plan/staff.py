"""Posts: how many people each school needs by norm, and who fills them; `payroll` says who goes where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County, Travel
from sim.plan import LODGE, Bools, Floats, Forecast, Ints, Places, Plan, YearPlan
from sim.plan.classroom import teachers_by_class
from sim.plan.payroll import POSTS, People, payroll, present, redeploy

COLUMNS = ("scenario", "year", "site_id", "post", "needed", "filled", "from_school_id")
GRADES = 9
PRIMARY = slice(0, 6)
JUNIOR = slice(6, 9)
COUNTY_SITE = "county"
"""Site of what belongs to the whole county."""
FLEET_POSTS = ("driver", "attendant")
"""Posts of the whole county; all are to be hired, as no county table lists them."""


def posts(
    settings: Settings, county: County, years: Sequence[YearPlan], forecast: Forecast, travel: Travel
) -> pd.DataFrame:
    """List the posts of every school and year: needed by norm, filled, and by whom from which closed school.

    A school's own row has no `from_school_id`; `filled` are its own people, also beyond the need. People of a closed
    school stand in rows of their own (needed 0): at the school and in the post they now fill, or, without a post, at
    `county` as what they were. Who has no post is no cash saved; `filled` adds up to the county's table each year.
    Returns the columns of posts.csv. Norms: facts section G, see the settings group `staff`.
    """
    people = payroll(county)
    parts = []
    for plan in years:
        needed = school_needs(settings, county, plan, forecast.pupils(plan.year))
        closed = _closed(county, plan.open, plan.year)
        people = redeploy(settings, county, travel, people, closed, needed)
        parts += [_own_rows(county, plan, needed), _moved_rows(county, plan, people, closed)]
        parts.append(_fleet_rows(settings, plan))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS[1:])
    table.insert(0, "scenario", settings.scenario)
    return table[list(COLUMNS)].astype({"needed": "int64", "filled": "int64", "from_school_id": "object"})


def moved_in(posts: pd.DataFrame, post: str) -> pd.DataFrame:
    """Return the people of closed schools who fill a post at another school: year, site_id, filled."""
    rows = posts[(posts["post"] == post) & posts["from_school_id"].notna() & (posts["site_id"] != COUNTY_SITE)]
    return rows.groupby(["year", "site_id"], as_index=False)["filled"].sum()


def staffed(county: County, years: Sequence[YearPlan], posts: pd.DataFrame) -> tuple[YearPlan, ...]:
    """Return the plans of the years, knowing of the life teachers who came from closed schools."""
    moved = moved_in(posts, "life_teacher").set_index("site_id")
    return tuple(
        replace(
            plan,
            moved_life_teachers=moved[moved["year"] == plan.year]["filled"]
            .reindex(county.schools.id, fill_value=0)
            .to_numpy(dtype=np.int64),
        )
        for plan in years
    )


def pupils_by_school(county: County, school: Ints, pupils: Floats) -> Floats:
    """Add up the pupils (H, 9) of each school and grade, where `school` (H, 9) says where they go: (S, 9)."""
    placed = school >= 0
    grade = np.broadcast_to(np.arange(GRADES), placed.shape)
    cell = school[placed] * GRADES + grade[placed]
    size = len(county.schools.id) * GRADES
    total = np.bincount(cell, weights=pupils[placed], minlength=size)
    return np.asarray(total, dtype=float).reshape(-1, GRADES)


def school_needs(settings: Settings, county: County, plan: YearPlan, mean: Floats) -> dict[str, Ints]:
    """Return how many people each school needs by norm: post -> (S,); a closed school needs nobody.

    Teachers follow the mean forecast of pupils by home and grade, mean (H, 9): a few more in every hamlet at once, as
    the plan of beds and seats may count on, would ask for teachers whom no year needs.
    """
    norm = settings.staff
    expected = plan.places.expected.sum(axis=2)
    pupils = pupils_by_school(county, plan.places.school, expected)
    lodgers = pupils_by_school(county, plan.places.school, expected * plan.places.share[:, :, LODGE])
    diners = np.where(plan.meals.windows > 0, _diners(settings, pupils, lodgers), 0.0)
    nights = lodgers.sum(axis=1)
    guards = np.where(
        _up(nights) > 0,
        norm.guards_lodging_school + nights // norm.lodgers_per_extra_guard,
        np.where(pupils.sum(axis=1) < norm.small_school_pupils, norm.guards_small_school, norm.guards_day_school),
    )
    needs: Mapping[str, Floats] = {
        "teacher": teacher_posts(settings, pupils_by_school(county, plan.places.school, mean)),
        "temporary": np.zeros(len(pupils)),
        "life_teacher": life_teacher_posts(settings, lodgers),
        "warden": _up(nights / norm.lodgers_per_warden),
        "canteen_worker": _up(diners / norm.diners_per_canteen_worker),
        "guard": np.where(_up(pupils.sum(axis=1)) > 0, guards, 0),
    }
    return {post: np.where(plan.open, number, 0).astype(np.int64) for post, number in needs.items()}


def lacking_today(settings: Settings, county: County, plan: Plan, if_open: Places) -> dict[str, Ints]:
    """Return by how many posts of the norm outnumber the people of each school before anything closes: post -> (S,).

    if_open: where the pupils of the first year would go to school if nothing closed. Negative where there are more
    people than posts.
    """
    first = plan.years[0]
    today = replace(first, places=if_open, open=np.ones_like(first.open))
    needed = school_needs(settings, county, today, plan.forecast.pupils(first.year))
    return {post: needed[post] - there for post, there in zip(POSTS, present(county), strict=True)}


def teacher_posts(settings: Settings, pupils: Floats) -> Floats:
    """Return how many teachers the pupils of each school and grade (S, 9) ask for; (S,).

    Of each level the larger number of two: by pupils, which leaves small schools with too few, or by classes.
    """
    norm = settings.staff
    by_class = teachers_by_class(settings, pupils)
    by_pupil = (
        pupils[:, PRIMARY].sum(axis=1) / norm.pupils_per_teacher_primary,
        pupils[:, JUNIOR].sum(axis=1) / norm.pupils_per_teacher_junior,
    )
    return _up(np.maximum(by_class, by_pupil).sum(axis=0))


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
    """Return the life teachers each open school has: its own, and people of closed schools who became one; (S,)."""
    return np.asarray(np.where(plan.open, county.schools.life_teachers + plan.moved_life_teachers, 0))


def crews(settings: Settings, plan: YearPlan) -> tuple[int, int]:
    """Return the drivers and attendants in reserve in a year: stated shares of those on duty, rounded up, and more."""
    fleet = settings.fleet
    drivers, attendants = _on_duty(settings, plan)
    reserve = _up(np.array([fleet.reserve_driver_share * drivers, fleet.reserve_attendant_share * attendants]))
    return int(reserve[0]) + plan.more_crew[0], int(reserve[1]) + plan.more_crew[1]


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


def _closed(county: County, open_: Bools, year: int) -> Bools:
    """Tell which schools have closed by this year; one not yet opened is not closed; (S,)."""
    return ~open_ & (county.schools.opens_year <= year)


def _own_rows(county: County, plan: YearPlan, needed: Mapping[str, Ints]) -> pd.DataFrame:
    """Return one row for each school and post that is needed or filled by the school's own staff."""
    site = np.array(county.schools.id, dtype=object)
    parts = []
    for post, there in zip(POSTS, present(county), strict=True):
        filled = np.where(plan.open, there, 0)
        row = np.flatnonzero((needed[post] > 0) | (filled > 0))
        parts.append(_rows(plan.year, post, site[row], needed[post][row], filled[row]))
    return pd.concat(parts, ignore_index=True)


def _moved_rows(county: County, plan: YearPlan, people: People, closed: Bools) -> pd.DataFrame:
    """Return one row for each closed school, and post elsewhere that its people fill, or none."""
    away = np.flatnonzero(closed[people.school])
    cells = np.stack([people.post[away], people.site[away], people.school[away]])
    (post, site, school), filled = np.unique(cells, axis=1, return_counts=True)
    names = np.array([*county.schools.id, COUNTY_SITE], dtype=object)  # NOWHERE is the last
    return _rows(plan.year, np.array(POSTS, dtype=object)[post], names[site], 0, filled).assign(
        from_school_id=names[school]
    )


def _fleet_rows(settings: Settings, plan: YearPlan) -> pd.DataFrame:
    """Return drivers and attendants of the buses on duty and in reserve; a spare bus is driven by the reserve."""
    needed = np.add(_on_duty(settings, plan), crews(settings, plan))
    parts = [_rows(plan.year, post, [COUNTY_SITE], [n], [0]) for post, n in zip(FLEET_POSTS, needed, strict=True)]
    return pd.concat(parts, ignore_index=True)


def _rows(year: int, post: object, site_id: object, needed: object, filled: object) -> pd.DataFrame:
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
