"""Mornings without a school bus: public buses with few seats, and families whom a closed road keeps at home."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
import simpy

from sim.operate.diary import ROAD, WEATHER
from sim.operate.pupils import IN
from sim.plan import FAMILY, LINE_BUS, Ints

if TYPE_CHECKING:
    from sim.operate.day import Day, Week

Steps = Generator[simpy.Event, object, None]


def mornings(env: simpy.Environment, week: Week) -> Steps:
    """Begin each day: who slept at school waits for no bus; public buses and families bring theirs."""
    for day in week.by_day:
        yield env.timeout(day.midnight - env.now)
        day.ready_in &= ~week.slept[day.number]
        comes = np.flatnonzero(np.isin(week.pupils.mode, (LINE_BUS, FAMILY)) & day.ready_in)
        cut_off = week.cut_off(day, IN, comes)
        day.left_in[0][comes[cut_off]], day.left_in[1][comes[cut_off]] = env.now, ROAD
        public_buses(week, day, comes[~cut_off & (week.pupils.mode[comes] == LINE_BUS)])


def public_buses(week: Week, day: Day, who: Ints) -> None:
    """Let pupils take the public bus that passes their hamlet, the youngest first; a full one means the next one.

    The first bus is at school `fleet.arrive_latest_before_bell_min` before the pupil's lesson in dry weather.
    """
    pupils, (seats, headway_min, early_min) = week.pupils, week.line
    order = who[np.lexsort((pupils.number[who], pupils.grade[who], pupils.hamlet[who]))]
    hamlet = pupils.hamlet[order]
    rank = np.arange(len(order)) - np.searchsorted(hamlet, hamlet)
    home, school = week.stage.home_node[order], week.stage.school_node[order]
    slower = day.legs[IN].travel.minutes[home, school] - week.dry.travel.minutes[home, school]
    reached = np.isfinite(slower) & (seats > 0)
    wait = (rank // max(seats, 1)) * headway_min
    comes = order[reached]
    day.line_wait[comes] = wait[reached]
    day.line_in[comes] = (week.stage.bell_min[order] - early_min + slower + wait)[reached] + day.midnight
    day.left_in[0][order[~reached]], day.left_in[1][order[~reached]] = day.midnight, WEATHER
