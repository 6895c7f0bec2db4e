"""What the measures of a term look at: the plan, its pupils, the timetables, and the settings they were made by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sim.config import Settings
from sim.county import County
from sim.measure.site import segments
from sim.operate.diary import Diary
from sim.operate.dine import Halls
from sim.operate.pupils import IN, Pupils
from sim.operate.timetable import Timetable
from sim.operate.wash import Visits
from sim.plan import SCHOOL_BUS, Bools, Floats, Ints, YearPlan
from sim.units import MINUTES_PER_DAY

Values = dict[str, Floats]
"""measure -> (S + 1,) values by school and, last, of the county; NaN where there is nothing to measure."""


@dataclass(frozen=True)
class Scene:
    """One term of one replication, with what its measures need more than once."""

    county: County
    settings: Settings
    plan: YearPlan
    pupils: Pupils
    table: Timetable
    halls: Halls
    visits: Visits

    @cached_property
    def parts(self) -> Ints:
        """(S + 1, 2) the pupils of each school, and of the county."""
        return segments(self.pupils.first)

    @cached_property
    def rider(self) -> Bools:
        """(N,) rides a school bus every day: planned so, or refused a bed and given a seat."""
        pupils = self.pupils
        return np.asarray((pupils.mode == SCHOOL_BUS) | (pupils.refused & (pupils.stop[IN] >= 0)))

    @cached_property
    def band(self) -> Ints:
        """(N,) 0 for grades 1-3, 1 for 4-6, 2 for 7-9."""
        return np.asarray((self.pupils.grade - 1) // 3)

    def bell(self, first_day: bool) -> Floats:
        """Return the first bell of each pupil; lodgers have a later one on the first day of the week; (N,)."""
        return np.asarray(self._bells[int(first_day)])

    @cached_property
    def _bells(self) -> Floats:
        """(2, N) the first bell on other days and on the first day of the week."""
        bells = self.settings.bells
        bell = np.where(self.pupils.grade >= 7, bells.junior_first_min, bells.primary_first_min)
        return np.stack([bell, np.where(self.pupils.has_bed, bells.lodger_monday_min, bell)]).astype(float)

    def stop_run(self, way: int) -> Ints:
        """Return each pupil's run in a direction, -1 for none; (N,)."""
        stop = self.pupils.stop[way]
        if not len(self.table.run_of_stop):
            return np.full(len(stop), -1)
        return np.where(stop >= 0, self.table.run_of_stop[stop], -1)

    def stop_call(self, way: int) -> Ints:
        """Return the call at a school at which each pupil gets off (in) or on (out) the bus, -1 for none; (N,)."""
        return np.append(self.table.call_of_stop, -1)[self.pupils.stop[way]]

    @cached_property
    def runs(self) -> tuple[Ints, Ints]:
        """Return the runs in the order of their own schools, and the parts of schools and county; (R,), (S + 1, 2)."""
        return self._by_school(self.table.school)

    @cached_property
    def calls(self) -> tuple[Ints, Ints]:
        """Return the calls in the order of their schools, and the parts of schools and county; (C,), (S + 1, 2)."""
        return self._by_school(self.table.call_school)

    def _by_school(self, schools: tuple[int, ...]) -> tuple[Ints, Ints]:
        school = np.array(schools, dtype=np.int64)
        order = np.argsort(school, kind="stable")
        return order, segments(np.searchsorted(school[order], np.arange(len(self.county.schools.id) + 1)))


def midnights(days: range) -> Floats:
    """Return the minute of the week at which each day begins; (D, 1)."""
    return np.array([[day * MINUTES_PER_DAY] for day in days])


def rows(diary: Diary, days: range) -> slice:
    """Return the rows of the diary for a range of days."""
    return slice(days.start, days.stop)
