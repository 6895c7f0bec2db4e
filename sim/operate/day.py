"""A school week in all schools of the county: one SimPy clock for buses, bells, meals and nights.

Order of ties: events of the same minute happen in the order in which they were planned, and processes start in
the order of `live`: roll call, canteens and nights by school, then buses by number.
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import simpy

from sim.config import Settings
from sim.county.road import Travel
from sim.operate.bus import duty
from sim.operate.diary import BREAKFAST, DINNER, LUNCH, Diary, blank
from sim.operate.dine import meals
from sim.operate.lodge import nights
from sim.operate.luck import WeekLuck
from sim.operate.pupils import IN, Pupils
from sim.operate.timetable import FIRST_DAY, LAST_DAY, OTHER_DAY, Timetable
from sim.plan import SCHOOL_BUS, Bools, Ints
from sim.units import MINUTES_PER_DAY, minutes_of

Steps = Generator[simpy.Event, object, None]


class Week:
    """What a process may look at, take and tell into while a week is lived; it dies with the week."""

    def __init__(
        self, settings: Settings, travel: Travel, pupils: Pupils, table: Timetable, luck: WeekLuck
    ) -> None:
        fleet = settings.fleet
        self.bells, self.step_min = settings.bells, settings.dine.bell_after_min + settings.dine.sittings_gap_min
        self.travel, self.pupils, self.timetable, self.luck = travel, pupils, table, luck
        self.days = len(luck.came)
        self.dwell = (minutes_of(fleet.dwell_stop_s), minutes_of(fleet.dwell_pupil_s))
        self.unload_min = (minutes_of(fleet.unload_school_s), minutes_of(fleet.unload_pupil_s))
        self.turnaround_min = fleet.turnaround_min
        midnight = np.arange(self.days)[:, None] * MINUTES_PER_DAY
        self.hold = table.hold_min + midnight
        self.be_there_min = (table.be_there_min + midnight).tolist()
        self.depart_min = (table.depart_min + midnight).tolist()
        self.close_min = (table.close_min + midnight).tolist()
        self.latest_min = (table.latest_min + midnight).tolist()
        self.diary = self._blank_diary()
        places = len(table.run_of_stop)
        self.second_track = (np.empty(places), np.empty(places), np.empty(places, dtype=np.int64))

    def _blank_diary(self) -> Diary:
        table = self.timetable
        schools = len(self.pupils.first) - 1
        diary = blank(
            self.days, len(self.pupils), len(table.run_of_stop), len(table.stops), schools, len(table.yard)
        )
        diary.came[:] = self.luck.came
        lodgers = self.pupils.has_bed
        diary.attended[1:, lodgers] = diary.came[1:, lodgers]
        return diary

    def furnish(self, env: simpy.Environment) -> None:
        """Set up what processes compete for: gate bays, buses, spare buses."""
        table = self.timetable
        self.gate = {s: simpy.Resource(env, max(1, table.gate_bays[s])) for s in set(table.school)}
        self.own = [simpy.Resource(env) for _ in table.yard]
        self.spare = simpy.Resource(env, table.spare_buses) if table.spare_buses else None

    def runs_of(self, bus: int, day: int, way: int) -> tuple[int, ...]:
        """Return the runs of a bus on a day in one direction, in order."""
        kind = FIRST_DAY if day == 0 else LAST_DAY if day == self.days - 1 else OTHER_DAY
        return self.timetable.duties.get((bus, kind, way), ())

    def helpers(self, run: int) -> list[simpy.Resource]:
        """Return what can fetch whom a run left behind: the spare buses first, then its own bus."""
        own = self.own[self.timetable.bus[run]]
        return [own] if self.spare is None else [self.spare, own]

    def aboard(self, run: int, day: int) -> Ints:
        """Return the riders of a run who have been on a bus in its direction today."""
        table, diary = self.timetable, self.diary
        low, high = table.stops[run]
        riders = table.rider[table.rider_at[low] : table.rider_at[high]]
        on = diary.embarked_in[day] if table.direction[run] == IN else diary.embarked_out[day]
        return np.asarray(riders[~np.isnan(on[riders])])

    def tell_gate(self, run: int, day: int, reached: float, took: float, freed: float) -> None:
        """Tell when a bus reached the gate, took a bay and freed it."""
        self.diary.reached_gate[day, run] = reached
        self.diary.took_bay[day, run] = took
        self.diary.freed_bay[day, run] = freed

    def tell_second(self, run: int, day: int, at: int, before: Ints) -> None:
        """Tell whom the second drive of a run fetched and how far it went, empty ways included."""
        table, diary = self.timetable, self.diary
        fetched = np.setdiff1d(self.aboard(run, day), before)
        diary.fetched[table.direction[run], day, fetched] = True
        empty = self.travel.km[at, table.start_node[run]] + self.travel.km[table.end_node[run], at]
        diary.second_km[day, run] = table.second_km[run] + empty

    def at_school(self, day: int) -> Bools:
        """Tell who is at school at noon: came, and was not left standing at a stop; (N,)."""
        pupils, diary = self.pupils, self.diary
        alone = (pupils.mode != SCHOOL_BUS) & ~pupils.refused & ~(pupils.lodger_bus & (day == 0))
        return np.asarray(diary.came[day] & (alone | ~np.isnan(diary.alighted_in[day])))

    def sittings(self, school: int, day: int) -> list[tuple[float, int, int]]:
        """Return (minute, meal, sitting) of all sittings of a school on a day, in order of time."""
        start = day * MINUTES_PER_DAY
        meals_today = [(self.bells.lunch_min, LUNCH)]
        if school in self.timetable.lodging:
            meals_today += [(self.bells.breakfast_min, BREAKFAST)] if day > 0 else []
            meals_today += [(self.bells.dinner_min, DINNER)] if day < self.days - 1 else []
        sittings = range(self.timetable.sittings[school])
        return sorted((start + minute + k * self.step_min, meal, k) for minute, meal in meals_today for k in sittings)


def roll_call(env: simpy.Environment, week: Week) -> Steps:
    """Note at the start of lunch on each day who is at school."""
    for day in range(week.days):
        yield env.timeout(day * MINUTES_PER_DAY + week.bells.lunch_min - env.now)
        week.diary.attended[day] = week.at_school(day)


def live(week: Week) -> Diary:
    """Live one week and return its diary."""
    env = simpy.Environment()
    week.furnish(env)
    env.process(roll_call(env, week))
    for school in week.timetable.sittings:
        env.process(meals(env, week, school))
    for school in sorted(week.timetable.lodging):
        env.process(nights(env, week, school))
    for bus in range(len(week.timetable.yard)):
        env.process(duty(env, week, bus))
    env.run()
    return week.diary
