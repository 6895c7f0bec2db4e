"""The luck of one week, turned into minutes by the settings, before anything is lived."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim import streams
from sim.chance import YearLuck
from sim.config import Settings
from sim.operate.diary import BREAKFAST, DINNER, LUNCH, MEALS
from sim.operate.pupils import Pupils
from sim.operate.timetable import Timetable
from sim.plan import Bools, Floats, YearPlan


@dataclass(frozen=True, slots=True)
class WeekLuck:
    """D days, N pupils, P stops, R runs."""

    came: Bools
    """(D, N) not ill; a lodger who is ill on the first day stays at home for the week."""
    traffic: Floats
    """(D, R) factor on the minutes of empty travel."""
    leg_min: Floats
    """(D, P) minutes of each leg, never faster than the law allows."""
    walk_min: Floats
    """(3, D, N) minutes more or less than planned on the way to the hall."""
    service_min: Floats
    eat_min: Floats


def week_luck(
    settings: Settings, plan: YearPlan, pupils: Pupils, table: Timetable, luck: YearLuck, week: int, days: int
) -> WeekLuck:
    """Draw the luck of one school week."""
    came = np.empty((days, len(pupils)), dtype=bool)
    traffic = np.empty((days, len(table.run_owner)))
    leg_min = np.empty((days, len(table.stop_owner)))
    meals = np.zeros((3, len(MEALS), days, len(pupils)))
    for d in range(days):
        came[d] = streams.uniforms(luck.daily("ill", week, d + 1), pupils.number) >= settings.health.absence_share
        traffic[d], leg_min[d] = _traffic(settings, plan, table, luck, week, d + 1)
        for meal in (BREAKFAST, LUNCH, DINNER):
            who = np.flatnonzero(table.diner[meal])
            meals[:, meal, d, who] = _meal(settings, pupils.number[who], luck, f"{MEALS[meal]}", week, d + 1)
    came[1:, pupils.has_bed] = came[0, pupils.has_bed]
    return WeekLuck(came, traffic, leg_min, *meals)


def _traffic(
    settings: Settings, plan: YearPlan, table: Timetable, luck: YearLuck, week: int, day: int
) -> tuple[Floats, Floats]:
    """Return the day's factor of each run and the minutes of each leg."""
    fleet, routes = settings.fleet, plan.runs.routes
    z_day = streams.normals(luck.daily("traffic day", week, day), table.run_owner)
    z_leg = streams.normals(luck.daily("traffic leg", week, day), table.stop_owner)
    log_day = fleet.noise_day_sd * z_day
    noisy = routes.leg_min * np.exp(log_day[table.run_of_stop] + fleet.noise_leg_sd * z_leg)
    return np.exp(log_day), np.maximum(noisy, routes.leg_floor_min)


def _meal(
    settings: Settings, number: streams.Owners, luck: YearLuck, meal: str, week: int, day: int
) -> tuple[Floats, Floats, Floats]:
    """Return each diner's deviation on the way, time at the window and time at table, in minutes."""
    dine = settings.dine

    def z(purpose: str) -> Floats:
        return streams.normals(luck.daily(f"{meal} {purpose}", week, day), number)

    return (
        dine.walk_sd_min * z("walk"),
        dine.service_min * np.exp(dine.service_sd_log * z("service")),
        dine.eat_min * np.exp(dine.eat_sd_log * z("eat")),
    )
