"""What stations at schools look at: who is there, when, and with what luck. They tell it, and move nobody anywhere."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import simpy

from sim.config import Settings
from sim.operate.diary import Diary
from sim.operate.dine import meals
from sim.operate.luck import StationLuck
from sim.operate.stage import Stage
from sim.operate.wash import washing
from sim.plan import FAMILY, LODGE, WALK, Bools, Floats


class AtSchool:
    """A week at schools, while it is lived or after all have come and gone."""

    def __init__(self, settings: Settings, stage: Stage, luck: StationLuck, diary: Diary, slept: Bools) -> None:
        self.bells, self.dine, self.stage = settings.bells, settings.dine, stage
        self.pupils, self.timetable, self.halls, self.visits = stage.pupils, stage.table, stage.halls, stage.visits
        self.days, self.luck, self.diary = len(diary.came), luck, diary
        self.slept = slept
        """(D, N) who woke up at school; a week that is being lived has a row for the morning after it, too."""

    @cached_property
    def own_means(self) -> tuple[Bools, Bools]:
        """(N,) who comes to school without a bus of the county: on the first day of the week, on the others.

        Lodgers who use the lodgers' bus are brought by their family when they were ill on its day.
        """
        pupils = self.pupils
        alone = np.isin(pupils.mode, (WALK, FAMILY)) | ((pupils.mode == LODGE) & pupils.has_bed)
        return alone & ~pupils.lodger_bus, alone

    @cached_property
    def closes(self) -> tuple[Floats, Floats]:
        """(N,) minute of the day at which school is over: on other days than the last, on the last."""
        table = self.timetable
        return table.close_min, np.where(self.pupils.has_bed, table.friday_min, table.close_min)

    def present(self, day: int, now: float) -> Bools:
        """Tell who is at school at a minute of a day; (N,)."""
        diary, own = self.diary, self.own_means[day > 0]
        by_bus = (diary.alighted_in[day] <= now) | (diary.line_in[day] <= now)  # NaN compares false
        return np.asarray(diary.came[day] & (self.slept[day] | (own & np.isnan(diary.left_in[day])) | by_bus))


def live_stations(week: AtSchool) -> Diary:
    """Live the meals and the washing of pupils who have come and gone already; return the diary."""
    env = simpy.Environment()
    for process in (washing, meals):
        env.process(process(env, week))
    env.run()
    return week.diary
