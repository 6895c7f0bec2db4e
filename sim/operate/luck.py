"""The luck of one week, turned into minutes by the settings, before anything is lived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sim import streams
from sim.chance import YearLuck
from sim.config import Settings
from sim.operate.diary import MEALS, Room
from sim.operate.dine import meal_luck
from sim.operate.pupils import IN, OUT, Pupils
from sim.operate.stage import Stage
from sim.operate.timetable import Timetable
from sim.operate.wash import wash_luck
from sim.operate.weather import Conditions
from sim.plan import Bools, Floats, Ints

_PEOPLE_OF_A_BUS = 4
"""Numbers kept free for the crew of each bus, so that nobody's luck depends on how many attendants others have."""


@dataclass(frozen=True, slots=True)
class WeekLuck:
    """D days, N pupils, P stops, R runs, B buses, S schools, V visits."""

    conditions: Conditions
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
    walk_min: Floats
    """(3, D, N) minutes more or less than planned on the way to the hall."""
    service_min: Floats
    eat_min: Floats
    wash_join: Floats
    """(D, V) minute after midnight at which a pupil comes for water or a toilet; NaN when not on this day."""
    wash_service: Floats
    """(D, V)"""

    @property
    def water(self) -> Floats:
        """Return the share of taps, basins, toilets and showers that run; (D, S)."""
        return self.conditions.water


@dataclass(frozen=True, slots=True)
class Paper:
    """What the luck of meals and visits is written on, again for every week; filling memory anew takes longer."""

    meals: Floats
    """(3, 3, D, N) way, window and table of each meal."""
    wash: Floats
    """(2, D, V) when and how long."""


def paper(stage: Stage, days: int, room: Room = np.empty) -> Paper:
    """Return paper for weeks of so many days; room: makes an array of a shape and type, its values whatever."""
    meals, wash = (3, len(MEALS), days, len(stage.pupils)), (2, days, len(stage.visits))
    return Paper(room(meals, np.float64), room(wash, np.float64))


def week_luck(
    settings: Settings, stage: Stage, luck: YearLuck, week: int, conditions: Conditions, paper: Paper
) -> WeekLuck:
    """Draw the luck of one school week."""
    days = range(1, len(conditions.sky) + 1)
    roads = [_traffic(settings, stage.table, luck, conditions, week, day) for day in days]
    traffic, leg_min, weather_min = (np.stack(part) for part in zip(*roads, strict=True))
    meal_luck(stage.halls, stage.pupils, luck, week, paper.meals)
    wash_luck(settings, stage.visits, stage.pupils, luck, week, paper.wash)
    return WeekLuck(
        conditions=conditions,
        well=np.stack([_well(stage, luck, conditions, week, day) for day in days]),
        kept=np.stack([_kept(stage.pupils, luck, conditions, week, day) for day in days]),
        traffic=traffic,
        leg_min=leg_min,
        weather_min=weather_min,
        **_crews(settings, stage, luck, conditions, week),
        guardian_min=np.stack([_guardians(settings, stage.pupils, luck, week, day) for day in days]),
        walk_min=paper.meals[0],
        service_min=paper.meals[1],
        eat_min=paper.meals[2],
        wash_join=paper.wash[0],
        wash_service=paper.wash[1],
    )


def _well(stage: Stage, luck: YearLuck, conditions: Conditions, week: int, day: int) -> Bools:
    """Tell who is not ill; (N,)."""
    return (
        streams.uniforms(luck.daily("ill", week, day), stage.pupils.number) >= conditions.absence[day - 1][stage.area]
    )


def _kept(pupils: Pupils, luck: YearLuck, conditions: Conditions, week: int, day: int) -> Bools:
    """Tell which day pupils their family would keep at home for the weather; (N,)."""
    share = conditions.stay_home[day - 1]
    if share == 0:
        return np.zeros(len(pupils), dtype=bool)
    return (streams.uniforms(luck.daily("kept at home", week, day), pupils.number) < share) & ~pupils.has_bed


def _traffic(
    settings: Settings, table: Timetable, luck: YearLuck, conditions: Conditions, week: int, day: int
) -> tuple[Floats, Floats, Floats]:
    """Return the factor of each run, the minutes of each leg and those that are due to the weather."""
    fleet, struck = settings.fleet, bool(conditions.struck[day - 1])
    z_day = streams.normals(luck.daily("traffic day", week, day), table.run_owner)
    z_leg = streams.normals(luck.daily("traffic leg", week, day), table.stop_owner)
    log_day = fleet.noise_day_sd * z_day
    noise = np.exp(log_day[table.run_of_stop] + fleet.noise_leg_sd * z_leg)
    morning, afternoon = (table.legs[int(sky), struck] for sky in conditions.sky[day - 1])
    dry = table.legs[0, False]
    free = np.where(table.stop_in, morning.min, afternoon.min)
    floor = np.where(table.stop_in, morning.floor_min, afternoon.floor_min)
    minutes = np.maximum(free * noise, floor)
    late = np.maximum(minutes - np.maximum(dry.min * noise, dry.floor_min), 0.0)
    return np.exp(log_day), minutes, late


def _crews(settings: Settings, stage: Stage, luck: YearLuck, conditions: Conditions, week: int) -> dict[str, Any]:
    """Return who of the crews and of the life teachers is there, when buses break down and for how long."""
    fleet, days, buses = settings.fleet, len(conditions.sky), len(stage.table.yard)
    who = np.arange(buses, dtype=np.uint64)
    crew = np.arange(buses * _PEOPLE_OF_A_BUS, dtype=np.uint64)
    seat = np.arange(_PEOPLE_OF_A_BUS) < stage.table.attendants[:, None]
    drivers, attendants = np.ones((days, buses), dtype=bool), np.zeros((days, buses), dtype=np.int64)
    break_km, repair = np.full((2, days, buses), np.inf), np.zeros((2, days, buses))
    life = np.zeros((days, len(stage.life_teachers)), dtype=np.int64)
    for d in range(days):
        drivers[d] = streams.uniforms(luck.daily("driver", week, d + 1), who) >= conditions.driver_share[d]
        here = streams.uniforms(luck.daily("attendant", week, d + 1), crew) >= conditions.attendant_share[d]
        attendants[d] = (here.reshape(buses, _PEOPLE_OF_A_BUS) & seat).sum(axis=1)
        life[d] = _life_teachers(settings, stage, luck, week, d + 1)
        for way in (IN, OUT):
            u = streams.uniforms(luck.daily(f"breakdown {way}", week, d + 1), who)
            if fleet.breakdown_per_km > 0:
                break_km[way, d] = -np.log(u) / fleet.breakdown_per_km
            z = streams.normals(luck.daily(f"repair {way}", week, d + 1), who)
            repair[way, d] = fleet.repair_min * np.exp(fleet.repair_sd_log * z)
    return {"driver_here": drivers, "attendants_here": attendants, "break_km": break_km, "repair_min": repair,
            "life_here": life}  # fmt: skip


def _life_teachers(settings: Settings, stage: Stage, luck: YearLuck, week: int, day: int) -> Ints:
    """Return how many life teachers of each school are there at night; (S,)."""
    posts = stage.life_teachers
    school = np.repeat(np.arange(len(posts)), posts)
    ordinal = np.arange(len(school)) - np.repeat(np.cumsum(posts) - posts, posts)
    owner = (school.astype(np.uint64) << np.uint64(16)) + ordinal.astype(np.uint64)
    here = streams.uniforms(luck.daily("life teacher", week, day), owner) >= settings.lodge.life_teacher_absent_share
    return np.bincount(school[here], minlength=len(posts))


def _guardians(settings: Settings, pupils: Pupils, luck: YearLuck, week: int, day: int) -> Floats:
    """Return by how many minutes guardians of the youngest come later than the bus; (N,)."""
    fleet, late = settings.fleet, np.zeros(len(pupils))
    if fleet.guardian_late_share == 0:
        return late
    young = np.flatnonzero((pupils.grade <= fleet.handover_to_grade) & (pupils.stop[OUT] >= 0))
    u = streams.uniforms(luck.daily("guardian", week, day), pupils.number[young])
    here = np.minimum(u / fleet.guardian_late_share, 1.0)  # 1: in time; below: late, and by how much
    late[young] = -fleet.guardian_late_min * np.log(here)
    return late
