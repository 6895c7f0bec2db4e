"""Ways to school: who walks, who rides and how, who asks for a bed, and whose way is too long."""

from __future__ import annotations

import numpy as np

from sim.config import Settings
from sim.county import County
from sim.plan import FAMILY, GRADES, LINE_BUS, LODGE, MODES, NONE, SCHOOL_BUS, WALK, Bools, Floats, Ints
from sim.plan.lodge import lodging_schools
from sim.units import MINUTES_PER_HOUR, minutes_of

ALL_GRADES = np.array(GRADES)
LAST_YOUNG = 3
"""Grades up to this one have the shorter limit (国办发〔2018〕27号)."""
FIRST_JUNIOR = 7


def shares(
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


def lodge_share(
    county: County,
    settings: Settings,
    school: Ints,
    km: Floats,
    minutes: Floats,
    year: int,
    grade: Ints = ALL_GRADES,
) -> Floats:
    """Say which share of the pupils of some groups asks for a bed, each at its school; shape of `school`.

    From `lodge.from_grade` on, those who live far; below it nobody, but in the service mode those whose way to
    school each day would take too long. `grade` goes with the last axis of the others.
    """
    lodge, junior = settings.lodge, grade >= FIRST_JUNIOR
    far = km >= np.where(junior, lodge.junior_min_km, lodge.primary_min_km)
    agrees = np.where(junior, lodge.junior_share, lodge.primary_share)
    usual = np.where(far, agrees, 0.0)
    service = np.where(too_long(settings, km, minutes, grade), lodge.service_share * lodge.service_mode, 0.0)
    has_beds = lodging_schools(county, settings, year)[school]
    return np.where((school >= 0) & has_beds, np.where(grade >= lodge.from_grade, usual, service), 0.0)


def may_lodge(settings: Settings, grade: Ints = ALL_GRADES) -> Bools:
    """Say which grades may lodge where there are beds; shape of `grade`."""
    return np.asarray((grade >= settings.lodge.from_grade) | settings.lodge.service_mode)


def limit_min(settings: Settings, grade: Ints = ALL_GRADES) -> Floats:
    """Return the longest way to school of each grade, in minutes; shape of `grade`."""
    fleet = settings.fleet
    return np.where(grade <= LAST_YOUNG, fleet.ride_limit_young_min, fleet.ride_limit_older_min).astype(float)


def journey_min(settings: Settings, minutes: Floats) -> Floats:
    """Return the minutes that count against the limit: getting on, straight by bus, and to the stop if that counts."""
    fleet = settings.fleet
    before = (fleet.walk_to_stop_min + fleet.wait_at_stop_min) * fleet.limit_includes_walk_and_wait
    return np.asarray(minutes + minutes_of(fleet.dwell_stop_s + fleet.dwell_pupil_s) + before)


def too_long(settings: Settings, km: Floats, minutes: Floats, grade: Ints = ALL_GRADES) -> Bools:
    """Say from where the daily way to school is over the limit of the grade, even straight by bus; shape of `km`."""
    over = journey_min(settings, minutes) > limit_min(settings, grade)
    return np.asarray(~walkable(settings, km, grade) & over)


def walkable(settings: Settings, km: Floats, grade: Ints = ALL_GRADES) -> Bools:
    """Say from where pupils walk: nearer than buses serve, within the time limit of their grade; shape of `km`."""
    walk_min = km / settings.road.walk_km_per_h * MINUTES_PER_HOUR
    return np.asarray((km < settings.fleet.eligible_km) & (walk_min <= limit_min(settings, grade)))


def owns_buses(settings: Settings) -> bool:
    """Say whether the county has any school bus; how many is no matter for closures and places."""
    return settings.fleet.buses != 0 and settings.fleet.scale > 0
