"""Mornings without a school bus: public buses with few seats, and families whom a closed road keeps at home."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
import simpy

from sim.operate.diary import LINE_BUS_SEAT, ROAD, WEATHER
from sim.operate.pupils import IN
from sim.plan import Ints

if TYPE_CHECKING:
    from sim.operate.day import Day, Week

Steps = Generator[simpy.Event, object, None]


def mornings(env: simpy.Environment, week: Week) -> Steps:
    """Begin each day: who slept at school waits for no bus; public buses and families bring theirs."""
    for day in week.by_day:
        yield env.timeout(day.midnight - env.now)
        day.slept[:] = week.slept[day.number]
        day.came[:] = week.luck.well[day.number] & (day.slept | ~day.kept)
        day.ready_in[:] = day.came & ~day.slept
        families, riders = (who[day.ready_in[who]] for who in (week.stage.families, week.stage.line_riders))
        lodgers = np.flatnonzero(week.own_means[day.number > 0] & week.pupils.has_bed & day.ready_in)
        for who in (families, riders, lodgers):
            _leave_at_home(day, who[week.cut_off(day, IN, who)], ROAD)
        public_buses(week, day, riders[~week.cut_off(day, IN, riders)])


def _leave_at_home(day: Day, who: Ints, cause: int) -> None:
    times, causes = day.left_in
    times[who], causes[who] = day.midnight, cause


def public_buses(week: Week, day: Day, who: Ints) -> None:
    """Let pupils take the public bus that passes their hamlet; a full one means the next one.

    who: in the order in which they take their seats, hamlet by hamlet. The buses that are in time bring them to
    school by `fleet.arrive_latest_before_bell_min` before the pupil's lesson in dry weather.
    """
    stage, (seats, in_time, headway_min, early_min) = week.stage, week.line
    home, school = stage.home_node[who], stage.school_node[who]
    slower = day.legs[IN].travel.minutes[home, school] - week.dry.travel.minutes[home, school]
    reached = np.isfinite(slower)
    _leave_at_home(day, who[~reached], WEATHER)
    who, slower = who[reached], slower[reached]
    if not seats:
        _leave_at_home(day, who, LINE_BUS_SEAT)
        return
    hamlet = week.pupils.hamlet[who]
    rank = np.arange(len(who)) - np.searchsorted(hamlet, hamlet)
    wait = np.maximum(rank // seats - (in_time - 1), 0) * headway_min
    day.line_wait[who] = wait
    day.line_in[who] = stage.bell_min[who] - early_min + slower + wait + day.midnight
