"""Who goes to which school and how: a place, a way and a reason for the pupils of each hamlet and grade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.config import Settings
from sim.county import County, Travel
from sim.county.facts import TOWN_KINDS
from sim.plan import GRADES, LODGE, SCHOOL_BUS, WALK, Bools, Floats, Ints, Places, Refusal, Refused
from sim.plan.capacity import Question, by_capacity
from sim.plan.catchment import catchments, of_the_town, without
from sim.plan.way import shares

UNPLACED_COLUMNS = (
    "scenario", "year", "hamlet_id", "grade", "pupils", "constraint", "shortfall", "relief", "relief_items",
)  # fmt: skip
_TODAY, _TOWNSHIP, _ZONE, _NEAREST, _TOWN, _CAPACITY, _OVER, _NOWHERE, _CATCHMENT = range(9)
_SEARCH = {
    "own_township": (_TOWNSHIP, _ZONE, _NEAREST),
    "zone": (_ZONE, _NEAREST),
    "nearest": (_NEAREST,),
    "capacity": (_NEAREST,),
}
"""Where each rule looks first, and where next when no school there will do; `capacity`: for those it refuses."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Roads from every home to every school; shapes (H, S)."""

    minutes: Floats
    km: Floats


def ways_to_school(county: County, travel: Travel) -> Ways:
    """Return the roads from every home to every school."""
    between = np.ix_(county.hamlets.node, county.schools.node)
    return Ways(travel.minutes[between], travel.km[between])


def places(
    county: County,
    settings: Settings,
    travel: Travel,
    open_: Bools,
    forecast_y: Floats,
    year: int,
    before: Ints | None = None,
) -> Places:
    """Give the pupils of each hamlet and grade a school, and shares of the ways to get there, in one year.

    School: the one attended today while it is open and has the grade; else the nearest receiving school by
    road time where the rule looks, or with the rule `capacity` the shortest ways in all that class places, rides,
    beds and meals allow (see `sim.plan.flow`), and the nearest for whom that refuses (`assign.refused`). Rural pupils
    stay out of the town's schools, and town pupils in them, unless no other school has the grade. With `assign.town`
    the town's schools share the town's pupils anew each year, within class places (see `sim.plan.catchment`).

    open_ (S,) schools open this year, or (S, 9) grades they teach; forecast_y (H, 9, 2) pupils expected; before
    (H, 9) schools of the year before, if there was one.
    """
    taught = _taught(county, open_)
    ways = ways_to_school(county, travel)
    school, why = _schools(county, settings, ways, taught)
    asked = question(county, settings, ways, taught, forecast_y, year, before)
    school, why, refused = _with_room(asked, school, why)
    row = np.arange(len(school))[:, None]
    km, minutes = (np.where(school >= 0, way[row, school], np.nan) for way in (ways.km, ways.minutes))
    pupils = forecast_y.sum(axis=2)
    share = shares(county, settings, pupils, school, km, minutes, year)
    unplaced = _unplaced(county, pupils, why, ways, taught, refused)
    return Places(
        year=year,
        school=school,
        km=km,
        minutes=minutes,
        share=share,
        reason=_reasons(county, settings, school, km, share, why, refused),
        expected=np.array(forecast_y, dtype=float),
        unplaced=unplaced.assign(scenario=settings.scenario, year=year)[list(UNPLACED_COLUMNS)],
        refused=refused if settings.assign.rule == "capacity" else {},
    )


def _taught(county: County, open_: Bools) -> Bools:
    """Return which grades each school teaches; (S, 9) from (S,) or (S, 9) of what is open."""
    offers = np.stack([county.schools.offers(grade) for grade in GRADES], axis=1)
    return np.asarray(offers & (open_ if open_.ndim == 2 else open_[:, None]))


def question(
    county: County, settings: Settings, ways: Ways, taught: Bools, pupils: Floats, year: int, before: Ints | None
) -> Question:
    """Return who is to be placed in a year and where each may go, for the rule `capacity`; taught (S, 9)."""
    fixed = np.full((len(county.hamlets.id), len(GRADES)), -1, dtype=np.int64)
    allowed: list[Bools] = []
    for g in range(len(GRADES)):
        stays, wanted, other_side = _sides(county, ways, taught[:, g])
        fixed[:, g] = np.where(stays.any(axis=1), county.hamlets.school, -1)
        allowed.append(np.where(wanted.any(axis=1, keepdims=True), wanted, other_side))
    expected = np.asarray(pupils, dtype=float)
    return Question(settings, county, year, expected, ways.minutes, ways.km, fixed, allowed, before)


def _with_room(asked: Question, school: Ints, why: Ints) -> tuple[Ints, Ints, Refused]:
    """Return the school of each hamlet and grade, where it was found, and who is refused, once room is looked at.

    The rule `capacity` looks at it, and `assign.town` in town; school and why (H, 9): as found without regard to it.
    """
    chosen, today, refused = asked.settings.assign, asked.county.hamlets.school[:, None], Refused()
    town = of_the_town(asked, school) & (chosen.town == "within_places")
    if chosen.rule == "capacity":
        others = without(asked, town, school)
        within, refused = by_capacity(others)
        rest = np.where((school >= 0) & (chosen.refused == "over_capacity"), _OVER, _NOWHERE)
        why = np.select([others.fixed >= 0, within >= 0], [np.where(town, why, _TODAY), _CAPACITY], rest)
        school = np.select([within >= 0, why == _OVER], [within, school], -1)
    if not town.any():
        return school, why, refused
    drawn = catchments(asked, school)
    within, more = by_capacity(drawn)
    found = np.where(within >= 0, within, school)
    moved = (drawn.fixed < 0) & (school >= 0) & ((within < 0) | (found != today))
    return found, np.where(moved, np.where(within >= 0, _CATCHMENT, _OVER), why), refused | more


def _sides(county: County, ways: Ways, usable: Bools) -> tuple[Bools, Bools, Bools]:
    """Return three masks (H, S) of the usable schools: attended today, on the own side of the town's limits, beyond.

    Only schools that a road leads to, and but for those attended today only such as receive. The last is a last
    resort, so that nobody is lost.
    """
    hamlets, schools = county.hamlets, county.schools
    in_town = np.isin(schools.kind, TOWN_KINDS)
    town_home = hamlets.is_town[:, None]
    reachable = usable & np.isfinite(ways.minutes)
    today = np.arange(len(schools.id)) == hamlets.school[:, None]
    wanted = reachable & np.where(town_home, in_town, schools.receives & ~in_town)
    return reachable & today, wanted, reachable & np.where(town_home, schools.receives, in_town)


def _schools(county: County, settings: Settings, ways: Ways, taught: Bools) -> tuple[Ints, Ints]:
    """Return the school of each hamlet and grade, -1 for none, and where it was found; shapes (H, 9)."""
    school = np.full((len(county.hamlets.id), len(GRADES)), -1, dtype=np.int64)
    why = np.full_like(school, _NOWHERE)
    found: dict[bytes, tuple[Ints, Ints]] = {}
    for column in range(len(GRADES)):
        usable = taught[:, column]
        key = usable.tobytes()
        if key not in found:
            found[key] = _schools_of_grade(county, settings, ways, usable)
        school[:, column], why[:, column] = found[key]
    return school, why


def _schools_of_grade(county: County, settings: Settings, ways: Ways, usable: Bools) -> tuple[Ints, Ints]:
    """Return the school of each hamlet among the usable ones, and where it was found; shapes (H,)."""
    stays, wanted, other_side = _sides(county, ways, usable)
    same_township, same_zone = areas(county)
    allowed = {_TOWNSHIP: wanted & same_township, _ZONE: wanted & same_zone, _NEAREST: wanted}
    search = [(_TODAY, stays)]
    search += [(place, allowed[place]) for place in _SEARCH[settings.assign.rule]] + [(_TOWN, other_side)]
    school = np.full(len(county.hamlets.id), -1, dtype=np.int64)
    why = np.full_like(school, _NOWHERE)
    for place, mask in search:
        new = np.flatnonzero((school < 0) & mask.any(axis=1))
        school[new] = np.where(mask[new], ways.minutes[new], np.inf).argmin(axis=1)
        why[new] = place
    return school, why


def areas(county: County) -> tuple[Bools, Bools]:
    """Return which schools lie in the township and in the school zone of each hamlet; two masks (H, S)."""
    zone = np.unique(county.townships.zone, return_inverse=True)[1]
    home, site = county.hamlets.township[:, None], county.schools.township
    return np.asarray(home == site, dtype=bool), np.asarray(zone[home] == zone[site], dtype=bool)


def _reasons(
    county: County, settings: Settings, school: Ints, km: Floats, share: Floats, why: Ints, refused: Refused
) -> NDArray[np.object_]:
    """Return a sentence for each hamlet and grade: where the school was found, its name, km, the ways."""
    names = county.schools.name_zh
    found = _found_words(settings)
    way_words = _way_words(settings)
    bed = (share[:, :, LODGE] * 100).round().astype(int)
    near = km < settings.fleet.eligible_km
    walks, rides = share[:, :, WALK] > 0, share[:, :, SCHOOL_BUS] > 0
    way = np.select([walks, rides & ~near, rides], [0, 1, 2], 3)
    reason = np.empty(school.shape, dtype=object)
    cells = zip(*(a.ravel().tolist() for a in (school, why, km, bed, way)), strict=True)
    grades = len(GRADES)
    for i, (s, place, far, percent, how) in enumerate(cells):
        if s < 0:
            told = refused.get((i // grades, i % grades))
            missing = f"no open school for grade {i % grades + 1} can be reached"
            reason.flat[i] = f"no school within reach has room: {told.constraint}" if told else missing
            continue
        sleeps = f"bed for {percent} %, " if percent else ""
        over = f" ({refused[i // grades, i % grades].constraint})" if place == _OVER else ""
        reason.flat[i] = f"{found[place][i % grades]}{over}: {names[s]}, {far:.1f} km; {sleeps}{way_words[how]}"
    return reason


def _found_words(settings: Settings) -> dict[int, list[str]]:
    """Say in words where a school was found, by grade."""
    first = _SEARCH[settings.assign.rule][0]
    plain = {
        _TODAY: "attended today",
        _TOWNSHIP: "own township",
        _ZONE: "own zone",
        _NEAREST: "nearest by road",
        _CAPACITY: "shortest ways in all with the room there is",
        _OVER: "nearest by road, as no school has a place within the limits",
        _CATCHMENT: "catchment drawn within the class places of the town",
    }
    words = {place: [text] * len(GRADES) for place, text in plain.items()}
    smaller = {_ZONE: "township", _NEAREST: "zone"}
    for place, area in smaller.items():
        if place != first:
            words[place] = [f"{plain[place]}, as no school of the {area} takes grade {g}" for g in GRADES]
    words[_TOWN] = [f"beyond the town's limits, as no school on this side takes grade {g}" for g in GRADES]
    return words


def _way_words(settings: Settings) -> tuple[str, str, str, str]:
    fleet = settings.fleet
    return (
        "on foot",
        f"bus from {fleet.eligible_km:g} km",
        f"bus, as the walk takes over {fleet.ride_limit_young_min:g} min",
        "no school bus: public line or family",
    )


def _unplaced(county: County, pupils: Floats, why: Ints, ways: Ways, taught: Bools, refused: Refused) -> pd.DataFrame:
    """List the expected pupils without a place within the limits, and what stops it: the columns of unplaced.csv."""
    rows = []
    for h, g in np.argwhere(np.isin(why, (_OVER, _NOWHERE)) & (pupils > 0)).tolist():
        offers = taught[:, g]
        told = refused.get((h, g))
        if told is None and offers.any() and not np.isfinite(ways.minutes[h, offers]).any():
            told = _none("no road", float(pupils[h, g]), "a road to a school")
        if told is None:
            no_school = f"no open receiving school takes grade {g + 1}"
            told = _none(no_school, float(pupils[h, g]), f"keep or open a school with grade {g + 1}")
        place = (county.hamlets.id[h], g + 1, float(pupils[h, g]))
        rows.append((*place, told.constraint, told.shortfall, told.relief, told.items or None))
    table = pd.DataFrame(rows, columns=list(UNPLACED_COLUMNS[2:]))
    return table.astype({"grade": "int64", "pupils": "float64", "shortfall": "float64"})


def _none(constraint: str, pupils: float, relief: str) -> Refusal:
    return Refusal(constraint, pupils, relief, relief)
