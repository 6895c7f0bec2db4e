"""The dormitory week: in on the first day, out on the last, and who sleeps there in between.

Beds are given for the term by priority (`pupils.gather`); here the nights are lived.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
import simpy

from sim.units import MINUTES_PER_DAY

if TYPE_CHECKING:
    from sim.operate.day import Week

Steps = Generator[simpy.Event, object, None]


def nights(env: simpy.Environment, week: Week, school: int) -> Steps:
    """Tell at lights-out of every night but the last day's who lies in the beds of one school."""
    pupils = week.pupils
    here = np.arange(pupils.first[school], pupils.first[school + 1])
    lodgers = here[pupils.has_bed[here]]
    for day in range(week.days - 1):
        yield env.timeout(day * MINUTES_PER_DAY + week.bells.lights_out_min - env.now)
        asleep = lodgers[week.diary.attended[day, lodgers]]
        week.diary.to_bed[day, asleep] = env.now
