"""Who goes to which school and how: a place, a way and a reason for the pupils of each hamlet and grade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.config import Settings
from sim.county import County, Travel
from sim.plan import (
    FAMILY,
    GRADES,
    LINE_BUS,
    LODGE,
    MODES,
    NONE,
    SCHOOL_BUS,
    WALK,
    Bools,
    Floats,
    Ints,
    Places,
)
from sim.plan.lodge import lodging_schools
from sim.units import MINUTES_PER_HOUR

TOWN_KINDS = ("town_primary", "town_junior")
UNPLACED_COLUMNS = ("scenario", "year", "hamlet_id", "grade", "pupils", "constraint", "shortfall", "relief")
_JUNIOR = np.array(GRADES) >= 7
_YOUNG = np.array(GRADES) <= 3
_TODAY, _TOWNSHIP, _ZONE, _NEAREST, _TOWN, _NOWHERE = range(6)
_SEARCH = {
    "own_township": (_TOWNSHIP, _ZONE, _NEAREST),
    "zone": (_ZONE, _NEAREST),
    "nearest": (_NEAREST,),
}
"""Where each rule looks first, and where next when no school there will do."""


@dataclass(frozen=True, slots=True)
class _Ways:
    """Roads from every home to every school; shapes (H, S)."""

    minutes: Floats
    km: Floats


def places(county: County, settings: Settings, travel: Travel, open_: Bools, forecast_y: Floats, year: int) -> Places:
    """Give the pupils of each hamlet and grade a school, and shares of the ways to get there, in one year.

    School: the one attended today while it is open and has the grade; else the nearest receiving school by
    road time where the rule looks. Rural pupils stay out of the town's schools, and town pupils in them,
    unless no other school has the grade.

    open_ (S,) schools open this year; forecast_y (H, 9, 2) pupils expected.
    """
    home, site = county.hamlets.node, county.schools.node
    between = np.ix_(home, site)
    ways = _Ways(travel.minutes[between], travel.km[between])
    school, why = _schools(county, settings, ways, open_)
    row = np.arange(len(home))[:, None]
    placed = school >= 0
    km = np.where(placed, ways.km[row, school], np.nan)
    minutes = np.where(placed, ways.minutes[row, school], np.nan)
    share = _shares(county, settings, forecast_y.sum(axis=2), school, km, minutes, year)
    unplaced = _unplaced(county, forecast_y.sum(axis=2), why, ways, open_)
    unplaced = unplaced.assign(scenario=settings.scenario, year=year)[list(UNPLACED_COLUMNS)]
    return Places(
        year=year,
        school=school,
        km=km,
        minutes=minutes,
        share=share,
        reason=_reasons(county, settings, school, km, share, why),
        expected=np.array(forecast_y, dtype=float),
        unplaced=unplaced,
    )


def _schools(county: County, settings: Settings, ways: _Ways, open_: Bools) -> tuple[Ints, Ints]:
    """Return the school of each hamlet and grade, -1 for none, and where it was found; shapes (H, 9)."""
    school = np.full((len(county.hamlets.id), len(GRADES)), -1, dtype=np.int64)
    why = np.full_like(school, _NOWHERE)
    found: dict[bytes, tuple[Ints, Ints]] = {}
    for column, grade in enumerate(GRADES):
        usable = open_ & county.schools.offers(grade)
        key = usable.tobytes()
        if key not in found:
            found[key] = _schools_of_grade(county, settings, ways, usable)
        school[:, column], why[:, column] = found[key]
    return school, why


def _schools_of_grade(county: County, settings: Settings, ways: _Ways, usable: Bools) -> tuple[Ints, Ints]:
    """Return the school of each hamlet among the usable ones, and where it was found; shapes (H,)."""
    hamlets, schools = county.hamlets, county.schools
    in_town = np.isin(schools.kind, TOWN_KINDS)
    town_home = hamlets.is_town[:, None]
    zone = np.unique(county.townships.zone, return_inverse=True)[1]
    reachable = usable & np.isfinite(ways.minutes)
    wanted = reachable & np.where(town_home, in_town, schools.receives & ~in_town)
    today = np.arange(len(schools.id)) == hamlets.school[:, None]
    same_township = schools.township == hamlets.township[:, None]
    same_zone = zone[schools.township] == zone[hamlets.township][:, None]
    allowed = {_TOWNSHIP: wanted & same_township, _ZONE: wanted & same_zone, _NEAREST: wanted}
    # Last resort, so that nobody is lost: a receiving school on the other side of the town's limits.
    other_side = reachable & np.where(town_home, schools.receives, in_town)
    search = [(_TODAY, reachable & today)]
    search += [(place, allowed[place]) for place in _SEARCH[settings.assign.rule]] + [(_TOWN, other_side)]
    school = np.full(len(hamlets.id), -1, dtype=np.int64)
    why = np.full_like(school, _NOWHERE)
    for place, mask in search:
        new = np.flatnonzero((school < 0) & mask.any(axis=1))
        school[new] = np.where(mask[new], ways.minutes[new], np.inf).argmin(axis=1)
        why[new] = place
    return school, why


def _shares(
    county: County, settings: Settings, pupils: Floats, school: Ints, km: Floats, minutes: Floats, year: int
) -> Floats:
    """Return the share of each hamlet's and grade's pupils in each of MODES; (H, 9, 6), sums to 1.

    Those far from home who may lodge and agree, where the school has any bed (how many is no matter: a
    plan does not depend on the number of beds). Of the rest, those who live near walk, if the walk is within
    the time limit of their grade; else families bring their share, public lines take theirs, school buses the
    others. School buses bring rural pupils to receiving schools; elsewhere the family has to.
    """
    fleet = settings.fleet
    share = np.zeros((*school.shape, len(MODES)))
    lodge = lodge_share(county, settings, school, km, minutes, year)
    rest = 1.0 - lodge
    walks = walkable(settings, km)
    family = rest * fleet.family_share
    left = rest - family
    line = np.where(county.hamlets.line_bus[:, None] & ~walks, left * fleet.line_bus_share, 0.0)
    line *= _line_seats(settings, (line * pupils).sum(axis=1))[:, None]
    bussed = county.schools.receives[school] & ~county.hamlets.is_town[:, None]
    share[:, :, LODGE] = lodge
    share[:, :, WALK] = np.where(walks, rest, 0.0)
    share[:, :, LINE_BUS] = np.where(walks, 0.0, line)
    share[:, :, SCHOOL_BUS] = np.where(walks | ~bussed, 0.0, left - line)
    share[:, :, FAMILY] = np.where(walks, 0.0, np.where(bussed, family, rest - line))
    share[school < 0] = np.eye(len(MODES))[NONE]
    return share


def _line_seats(settings: Settings, wanted: Floats) -> Floats:
    """Say which share of those who would take the public bus finds a seat in one that is in time; (H,)."""
    seats = settings.fleet.line_bus_seats * settings.fleet.line_buses_in_time
    return np.minimum(1.0, seats / np.maximum(wanted, 1.0))


def lodge_share(county: County, settings: Settings, school: Ints, km: Floats, minutes: Floats, year: int) -> Floats:
    """Say which share of the pupils of each hamlet and grade asks for a bed; shape (H, 9).

    From `lodge.from_grade` on, those who live far; below it nobody, but in the service mode those whose way to
    school each day would take too long.
    """
    lodge = settings.lodge
    far = km >= np.where(_JUNIOR, lodge.junior_min_km, lodge.primary_min_km)
    agrees = np.where(_JUNIOR, lodge.junior_share, lodge.primary_share)
    usual = np.where(far, agrees, 0.0)
    service = np.where(_too_long(settings, km, minutes), lodge.service_share * lodge.service_mode, 0.0)
    may = np.array(GRADES) >= lodge.from_grade
    has_beds = lodging_schools(county, settings, year)[school]
    return np.where((school >= 0) & has_beds, np.where(may, usual, service), 0.0)


def _limit_min(settings: Settings) -> Floats:
    """Return the longest way to school of each grade; (9,)."""
    return np.where(_YOUNG, settings.fleet.ride_limit_young_min, settings.fleet.ride_limit_older_min)


def _too_long(settings: Settings, km: Floats, minutes: Floats) -> Bools:
    """Say from where the daily way to school is over the limit of the grade, even straight by bus; (H, 9)."""
    fleet = settings.fleet
    stop_min = (fleet.walk_to_stop_min + fleet.wait_at_stop_min) * fleet.limit_includes_walk_and_wait
    return ~walkable(settings, km) & (minutes + stop_min > _limit_min(settings))


def walkable(settings: Settings, km: Floats) -> Bools:
    """Say from where pupils walk: nearer than buses serve, within the time limit of their grade; (H, 9)."""
    walk_min = km / settings.road.walk_km_per_h * MINUTES_PER_HOUR
    return np.asarray((km < settings.fleet.eligible_km) & (walk_min <= _limit_min(settings)))


def _reasons(
    county: County, settings: Settings, school: Ints, km: Floats, share: Floats, why: Ints
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
            reason.flat[i] = f"no open school for grade {i % grades + 1} can be reached"
            continue
        sleeps = f"bed for {percent} %, " if percent else ""
        reason.flat[i] = f"{found[place][i % grades]}: {names[s]}, {far:.1f} km; {sleeps}{way_words[how]}"
    return reason


def _found_words(settings: Settings) -> dict[int, list[str]]:
    """Say in words where a school was found, by grade."""
    first = _SEARCH[settings.assign.rule][0]
    plain = {
        _TODAY: "attended today",
        _TOWNSHIP: "own township",
        _ZONE: "own zone",
        _NEAREST: "nearest by road",
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


def _unplaced(county: County, pupils: Floats, why: Ints, ways: _Ways, open_: Bools) -> pd.DataFrame:
    """List the expected pupils without a school, and what stops it: the columns of unplaced.csv."""
    hamlet, grade = np.nonzero((why == _NOWHERE) & (pupils > 0))
    rows = []
    for h, g in zip(hamlet.tolist(), grade.tolist(), strict=True):
        offers = open_ & county.schools.offers(g + 1)
        cut_off = offers.any() and not np.isfinite(ways.minutes[h, offers]).any()
        rows.append(
            {
                "hamlet_id": county.hamlets.id[h],
                "grade": g + 1,
                "pupils": float(pupils[h, g]),
                "constraint": "no road" if cut_off else f"no open receiving school takes grade {g + 1}",
                "shortfall": float(pupils[h, g]),
                "relief": "a road to a school" if cut_off else f"keep or open a school with grade {g + 1}",
            }
        )
    table = pd.DataFrame(rows, columns=list(UNPLACED_COLUMNS[2:]))
    return table.astype({"grade": "int64", "pupils": "float64", "shortfall": "float64"})
