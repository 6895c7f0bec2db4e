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
from sim.operate.timetable import FIRST_DAY, LAST_DAY, ONLY_DAY, OTHER_DAY, Legs, Timetable
from sim.plan import SCHOOL_BUS, Bools, Floats, Ints
from sim.units import MINUTES_PER_DAY, minutes_of

Steps = Generator[simpy.Event, object, None]


class Day:
    """One day of the week: its rows of the diary, of the luck and of the planned times (minutes of the week)."""

    def __init__(self, number: int, days: int, table: Timetable, luck: WeekLuck, diary: Diary) -> None:
        inner = FIRST_DAY if number == 0 else LAST_DAY if number == days - 1 else OTHER_DAY
        self.kind = ONLY_DAY if days == 1 else inner
        midnight = number * MINUTES_PER_DAY
        self.be_there_min = _clock(table.be_there_min, midnight)
        self.depart_min = _clock(table.depart_min, midnight)
        self.close_min = _clock(table.close_min, midnight)
        self.latest_min = _clock(table.latest_min, midnight)
        self.hold = table.hold_min + midnight
        self.leg_min: Floats = luck.leg_min[number]
        self.traffic: list[float] = luck.traffic[number].tolist()
        self.came: Bools = diary.came[number]
        self.attended: Bools = diary.attended[number]
        self.embarked_in: Floats = diary.embarked_in[number]
        self.alighted_in: Floats = diary.alighted_in[number]
        self.embarked_out: Floats = diary.embarked_out[number]
        self.alighted_out: Floats = diary.alighted_out[number]
        self.left_yard: Floats = diary.left_yard[number]
        self.reached_gate: Floats = diary.reached_gate[number]
        self.took_bay: Floats = diary.took_bay[number]
        self.freed_bay: Floats = diary.freed_bay[number]
        self.empty_km: Floats = diary.empty_km[number]
        self.second_km: Floats = diary.second_km[number]
        self.bus_min: Floats = diary.bus_min[number]
        self.fetched: Bools = diary.fetched[:, number]
        self.track = (diary.arrived[number], diary.departed[number], diary.load[number])


def _clock(planned_min: Floats, midnight: float) -> list[float]:
    minutes: list[float] = (planned_min + midnight).tolist()
    return minutes


class Week:
    """What a process may look at, take and tell into while a week is lived; it dies with the week."""

    def __init__(self, settings: Settings, travel: Travel, pupils: Pupils, table: Timetable, luck: WeekLuck) -> None:
        fleet, dine, days = settings.fleet, settings.dine, len(luck.came)
        self.bells, self.step_min = settings.bells, dine.bell_after_min + dine.sittings_gap_min
        self.travel, self.pupils, self.timetable, self.luck = travel, pupils, table, luck
        self.dwell = (minutes_of(fleet.dwell_stop_s), minutes_of(fleet.dwell_pupil_s))
        self.unload_min = (minutes_of(fleet.unload_school_s), minutes_of(fleet.unload_pupil_s))
        self.turnaround_min = fleet.turnaround_min
        places = len(table.run_of_stop)
        self.diary = blank(days, len(pupils), places, len(table.stops), len(table.yard))
        self.diary.came[:] = luck.came
        self.by_day = [Day(d, days, table, luck, self.diary) for d in range(days)]
        self.second_track = (np.empty(places), np.empty(places), np.empty(places, dtype=np.int64))

    @property
    def days(self) -> int:
        """Return how many school days the week has."""
        return len(self.by_day)

    def furnish(self, env: simpy.Environment) -> None:
        """Set up what processes compete for: gate bays, spare buses, and who waits for a second run."""
        table = self.timetable
        self.gate = {s: simpy.Resource(env, max(1, table.gate_bays[s])) for s in set(table.school)}
        self.spares = [simpy.Resource(env, table.spare_buses)] if table.spare_buses else []
        self.stranded: list[list[int]] = [[] for _ in table.yard]

    def duty_of(self, bus: int, day: Day, way: int) -> Legs:
        """Return the runs of a bus on a day in one direction, each with the empty km and minutes before it."""
        return self.timetable.duties.get((bus, day.kind, way), ())

    def riders(self, run: int) -> Ints:
        """Return the pupils planned on a run."""
        rider_at, rider = self.timetable.riders
        low, high = self.timetable.stops[run]
        return np.asarray(rider[rider_at[low] : rider_at[high]])

    def aboard(self, run: int, day: Day) -> Ints:
        """Return the riders of a run who have been on a bus in its direction today."""
        riders = self.riders(run)
        on = day.embarked_in if self.timetable.direction[run] == IN else day.embarked_out
        return np.asarray(riders[~np.isnan(on[riders])])

    def has_claim(self, run: int, day: Day) -> bool:
        """Tell whether anyone a run left behind has a claim to a seat, as lodgers without a bed have not."""
        left = np.setdiff1d(self.riders(run), self.aboard(run, day))
        ready = day.came if self.timetable.direction[run] == IN else day.attended
        return bool((ready[left] & ~self.pupils.refused[left]).any())

    def tell_second(self, run: int, day: Day, at: int, before: Ints) -> None:
        """Tell whom the second drive of a run fetched and how far it went, empty ways included."""
        table, km = self.timetable, self.travel.km
        day.fetched[table.direction[run], np.setdiff1d(self.aboard(run, day), before)] = True
        day.second_km[run] = table.run_km[run] + km[at, table.start_node[run]] + km[table.end_node[run], at]

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
    """Note at the start of lunch on each day who is at school; of the next day, first who sleeps there till then."""
    attended = week.diary.attended
    for day in range(week.days):
        yield env.timeout(day * MINUTES_PER_DAY + week.bells.lunch_min - env.now)
        attended[day] = week.at_school(day)
        if day + 1 < week.days:
            attended[day + 1] = attended[day] & week.pupils.has_bed


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
