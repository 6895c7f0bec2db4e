"""The luck of one week, turned into minutes by the settings, before anything is lived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim import streams
from sim.chance import YearLuck
from sim.config import Settings
from sim.operate.diary import MEALS, Room
from sim.operate.dine import meal_luck
from sim.operate.legs import Legs
from sim.operate.pupils import IN, OUT
from sim.operate.stage import Stage
from sim.operate.timetable import Sky
from sim.operate.wash import wash_luck
from sim.operate.weather import Conditions
from sim.plan import Bools, Floats, Ints
from sim.share import Known
from sim.streams import Owners

_PEOPLE_OF_A_BUS = 4
"""Numbers kept free for the crew of each bus, so that nobody's luck depends on how many attendants others have."""


@dataclass(frozen=True, slots=True)
class StationLuck:
    """The luck of canteens, taps and toilets: D days, N pupils, S schools, V visits."""

    conditions: Conditions
    walk_min: Floats
    """(3, D, N) minutes more or less than planned on the way to the hall."""
    service_min: Floats
    eat_min: Floats
    wash: tuple[Floats, ...]
    """For each peak (2, D, v) what `wash_join` and `wash_service` tell of its visits."""

    @property
    def wash_join(self) -> Floats:
        """Return the minute after midnight at which a pupil comes for water or a toilet, NaN: not today; (D, V)."""
        return np.concatenate([join for join, _ in self.wash], axis=1)

    @property
    def wash_service(self) -> Floats:
        """Return how many minutes a pupil takes there; (D, V)."""
        return np.concatenate([service for _, service in self.wash], axis=1)

    @property
    def water(self) -> Floats:
        """Return the share of taps, basins, toilets and showers that run; (D, S)."""
        return self.conditions.water


@dataclass(frozen=True, slots=True)
class WeekLuck(StationLuck):
    """All luck of a week: D days, N pupils, P stops, R runs, B buses, S schools."""

    well: Bools
    """(D, N) not ill."""
    kept: Bools
    """(D, N) day pupils whom the family keeps at home for the weather, if they are at home."""
    traffic: Floats
    """(D, R) factor on the minutes of empty travel."""
    leg_min: Floats
    """(D, P) minutes of each leg, never faster than the law allows."""
    weather_min: Floats
    """(D, P) minutes of it that are due to the weather."""
    driver_here: Bools
    """(D, B)"""
    attendants_here: Ints
    """(D, B) attendants of each bus who are there."""
    break_km: Floats
    """(2, D, B) km after which the bus breaks down, in the morning and in the afternoon."""
    repair_min: Floats
    """(2, D, B)"""
    guardian_min: Floats
    """(D, N) minutes by which a guardian comes to the stop later than the bus."""
    life_here: Ints
    """(D, S) life teachers who are at school at night."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What the luck of meals is written on, again for every week; filling memory anew takes longer."""

    meals: Floats
    """(3, 3, D, N) way, window and table of each meal."""


def paper(stage: Stage, days: int, room: Room = np.empty) -> Paper:
    """Return paper for weeks of so many days; room: makes an array of a shape and type, its values whatever."""
    return Paper(room((3, len(MEALS), days, len(stage.pupils)), np.float64))


def week_luck(
    settings: Settings, stage: Stage, luck: YearLuck, week: int, conditions: Conditions, paper: Paper | None,
    known: Known | None = None,
) -> WeekLuck:  # fmt: skip
    """Draw the luck of one school week; known: what was drawn for others holds for all whom it belongs to.

    Without paper no luck is drawn for the stations at schools: they are not lived.
    """
    known = known or Known()
    pupils, table, days = stage.pupils, stage.table, len(conditions.sky)
    roads = (table.run_owner, table.stop_owner, table.run_of_stop, table.stop_in, table.legs)
    traffic, leg_min, weather_min = known(_traffic, settings, luck, conditions, week, *roads)
    well, kept, late = known(_pupils, settings, luck, conditions, week, pupils.number, pupils.grade, stage.area)
    return WeekLuck(
        **_at_stations(settings, stage, luck, week, conditions, paper, known) if paper else _nothing(conditions),
        well=well,
        kept=kept & ~pupils.has_bed,
        traffic=traffic,
        leg_min=leg_min,
        weather_min=weather_min,
        **known(_crews, settings, luck, conditions, week, known.interned(table.attendants)),
        life_here=known(_life_teachers, settings, luck, week, days, known.interned(stage.life_teachers)),
        guardian_min=np.where(pupils.stop[OUT] >= 0, late, 0.0),
    )


def station_luck(settings: Settings, stage: Stage, luck: YearLuck, week: int, conditions: Conditions) -> StationLuck:
    """Draw the luck of the stations at schools in one week; that of each pupil is the same whoever else is there."""
    days = len(conditions.sky)
    return StationLuck(**_at_stations(settings, stage, luck, week, conditions, paper(stage, days), Known()))


def _at_stations(
    settings: Settings, stage: Stage, luck: YearLuck, week: int, conditions: Conditions, paper: Paper, known: Known
) -> dict[str, Any]:
    """Return the values of `StationLuck`."""
    meal_luck(stage.halls, stage.pupils, luck, week, paper.meals)
    visits = wash_luck(settings, stage.visits, stage.pupils, luck, week, len(conditions.sky), known)
    return {**_meals(paper.meals), "conditions": conditions, "wash": visits}


def _nothing(conditions: Conditions) -> dict[str, Any]:
    """Return the values of `StationLuck` where no station is lived."""
    return {**_meals(np.empty((3, len(MEALS), len(conditions.sky), 0))), "conditions": conditions, "wash": ()}


def _meals(minutes: Floats) -> dict[str, Floats]:
    return dict(zip(("walk_min", "service_min", "eat_min"), minutes, strict=True))


def _pupils(
    settings: Settings, luck: YearLuck, conditions: Conditions, week: int, number: Owners, grade: Ints, area: Ints
) -> tuple[Bools, Bools, Floats]:
    """Tell of all pupils who is not ill, who would be kept at home, and how late their guardian is; (D, N) each."""
    days = range(1, len(conditions.sky) + 1)
    return (
        np.stack([_well(luck, conditions, week, day, number, area) for day in days]),
        np.stack([_kept(luck, conditions, week, day, number) for day in days]),
        np.stack([_guardians(settings, luck, week, day, number, grade) for day in days]),
    )


def _well(luck: YearLuck, conditions: Conditions, week: int, day: int, number: Owners, area: Ints) -> Bools:
    """Tell who is not ill; (N,)."""
    return streams.uniforms(luck.daily("ill", week, day), number) >= conditions.absence[day - 1][area]


def _kept(luck: YearLuck, conditions: Conditions, week: int, day: int, number: Owners) -> Bools:
    """Tell which pupils their family would keep at home for the weather, if they are at home; (N,)."""
    share = conditions.stay_home[day - 1]
    if share == 0:
        return np.zeros(len(number), dtype=bool)
    return streams.uniforms(luck.daily("kept at home", week, day), number) < share


def _guardians(settings: Settings, luck: YearLuck, week: int, day: int, number: Owners, grade: Ints) -> Floats:
    """Return by how many minutes guardians of the youngest come later than the bus; (N,)."""
    fleet, late = settings.fleet, np.zeros(len(number))
    if fleet.guardian_late_share == 0:
        return late
    young = np.flatnonzero(grade <= fleet.handover_to_grade)
    u = streams.uniforms(luck.daily("guardian", week, day), number[young])
    here = np.minimum(u / fleet.guardian_late_share, 1.0)  # 1: in time; below: late, and by how much
    late[young] = -fleet.guardian_late_min * np.log(here)
    return late


def _traffic(
    settings: Settings, luck: YearLuck, conditions: Conditions, week: int, run_owner: Owners, stop_owner: Owners,
    run_of_stop: Ints, stop_in: Bools, legs: Mapping[Sky, Legs],
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """Return the factor of each run, (D, R), the minutes of each leg and those due to the weather, (D, P)."""
    fleet, dry, days = settings.fleet, legs[0, False], []
    for d, struck in enumerate(conditions.struck.tolist()):
        log_day = fleet.noise_day_sd * streams.normals(luck.daily("traffic day", week, d + 1), run_owner)
        z_leg = streams.normals(luck.daily("traffic leg", week, d + 1), stop_owner)
        noise = np.exp(log_day[run_of_stop] + fleet.noise_leg_sd * z_leg)
        morning, afternoon = (legs[int(sky), struck] for sky in conditions.sky[d])
        free = np.where(stop_in, morning.min, afternoon.min)
        minutes = np.maximum(free * noise, np.where(stop_in, morning.floor_min, afternoon.floor_min))
        late = np.maximum(minutes - np.maximum(dry.min * noise, dry.floor_min), 0.0)
        days.append((np.exp(log_day), minutes, late))
    traffic, leg_min, weather_min = (np.stack(part) for part in zip(*days, strict=True))
    return traffic, leg_min, weather_min


def _crews(settings: Settings, luck: YearLuck, conditions: Conditions, week: int, planned: Ints) -> dict[str, Any]:
    """Return who of the crews is there, when buses break down and for how long; planned: (B,) attendants."""
    fleet, days, buses = settings.fleet, len(conditions.sky), len(planned)
    who = np.arange(buses, dtype=np.uint64)
    crew = np.arange(buses * _PEOPLE_OF_A_BUS, dtype=np.uint64)
    seat = np.arange(_PEOPLE_OF_A_BUS) < planned[:, None]
    drivers, attendants = np.ones((days, buses), dtype=bool), np.zeros((days, buses), dtype=np.int64)
    break_km, repair = np.full((2, days, buses), np.inf), np.zeros((2, days, buses))
    for d in range(days):
        drivers[d] = streams.uniforms(luck.daily("driver", week, d + 1), who) >= conditions.driver_share[d]
        here = streams.uniforms(luck.daily("attendant", week, d + 1), crew) >= conditions.attendant_share[d]
        attendants[d] = (here.reshape(buses, _PEOPLE_OF_A_BUS) & seat).sum(axis=1)
        for way in (IN, OUT):
            u = streams.uniforms(luck.daily(f"breakdown {way}", week, d + 1), who)
            if fleet.breakdown_per_km > 0:
                break_km[way, d] = -np.log(u) / fleet.breakdown_per_km
            z = streams.normals(luck.daily(f"repair {way}", week, d + 1), who)
            repair[way, d] = fleet.repair_min * np.exp(fleet.repair_sd_log * z)
    return {"driver_here": drivers, "attendants_here": attendants, "break_km": break_km, "repair_min": repair}


def _life_teachers(settings: Settings, luck: YearLuck, week: int, days: int, posts: Ints) -> Ints:
    """Return how many life teachers of each school are there at night, (D, S); posts: (S,)."""
    school = np.repeat(np.arange(len(posts)), posts)
    ordinal = np.arange(len(school)) - np.repeat(np.cumsum(posts) - posts, posts)
    owner = (school.astype(np.uint64) << np.uint64(16)) + ordinal.astype(np.uint64)
    absent = settings.lodge.life_teacher_absent_share
    drawn = [streams.uniforms(luck.daily("life teacher", week, day + 1), owner) >= absent for day in range(days)]
    return np.stack([np.bincount(school[here], minlength=len(posts)) for here in drawn])
