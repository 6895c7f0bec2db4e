"""A school week in all schools of the county: one SimPy clock for buses, bells, meals and nights.

Order of ties: events of the same minute happen in the order in which they were planned, and processes start in
the order of `live`: mornings, roll call, washing, meals, nights, then buses by number. Buses under way (`traffic`)
are moved after all else that happens at the same minute.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Generator

import numpy as np
import simpy

from sim.config import SKIES, Settings
from sim.operate import drive
from sim.operate.at_school import AtSchool
from sim.operate.clock import Clock
from sim.operate.diary import ATTENDANT, BUS, DRIVER, Diary
from sim.operate.dine import meals
from sim.operate.drive import Left, Road
from sim.operate.duty import duty
from sim.operate.legs import Legs
from sim.operate.lodge import nights
from sim.operate.luck import WeekLuck
from sim.operate.public import mornings
from sim.operate.pupils import IN, OUT
from sim.operate.sheet import rota
from sim.operate.stage import Stage
from sim.operate.timetable import FIRST_DAY, LAST_DAY, NO_BUS, ONLY_DAY, OTHER_DAY, Timetable
from sim.operate.wash import washing
from sim.plan import Bools, Floats, Ints
from sim.units import MINUTES_PER_DAY, minutes_of

Steps = Generator[simpy.Event, object, None]


class Day:
    """One day of the week: its rows of the diary, of the luck and of the planned times (minutes of the week)."""

    def __init__(self, number: int, week: Week) -> None:
        table, luck, diary, days = week.timetable, week.luck, week.diary, week.days
        inner = FIRST_DAY if number == 0 else LAST_DAY if number == days - 1 else OTHER_DAY
        self.number, self.kind = number, ONLY_DAY if days == 1 else inner
        self.midnight = number * MINUTES_PER_DAY
        self.be_there_min, self.depart_min, self.latest_min = (
            planned + self.midnight for planned in (table.be_there_min, table.depart_min, table.latest_min)
        )
        self.hold = table.hold_min + self.midnight
        self.close, self.friday = table.close_min + self.midnight, table.friday_min + self.midnight
        self._write(diary, number)
        self._meet(week, luck, number)

    def _write(self, diary: Diary, d: int) -> None:
        """Open the pages of the day."""
        self.came, self.attended, self.slept = diary.came[d], diary.attended[d], diary.slept[d]
        self.embarked_in, self.alighted_in = diary.embarked_in[d], diary.alighted_in[d]
        self.embarked_out, self.alighted_out = diary.embarked_out[d], diary.alighted_out[d]
        self.carried_on, self.line_in, self.line_wait = diary.carried_on[d], diary.line_in[d], diary.line_wait[d]
        self.stayed, self.to_bed, self.life_here = diary.stayed[d], diary.to_bed[d], diary.life_here[d]
        self.left_in: Left = (diary.left_in[d], diary.left_why[IN, d])
        self.left_out: Left = (diary.left_out[d], diary.left_why[OUT, d])
        self.left_yard, self.empty_km, self.run_km = diary.left_yard[d], diary.empty_km[d], diary.run_km[d]
        self.reached_gate, self.took_bay, self.freed_bay = diary.reached_gate[d], diary.took_bay[d], diary.freed_bay[d]
        self.weather_min, self.broke_min = diary.weather_min[d], diary.broke_min[d]
        self.cancelled, self.cancel_why = diary.cancelled[d], diary.cancel_why[d]
        self.broke_down, self.went_on = diary.broke_down[d], diary.went_on[d]
        self.second_left, self.second_km = diary.second_left[d], diary.second_km[d]
        self.spare_left, self.spare_min = diary.spare_left[d], diary.spare_min[d]
        self.set_out, self.came_home = diary.set_out[:, d], diary.came_home[:, d]
        self.track = (diary.arrived[d], diary.departed[d], diary.load[d])

    def _meet(self, week: Week, luck: WeekLuck, d: int) -> None:
        """Meet the weather, the traffic, the breakdowns and the guardians of the day."""
        here, table = luck.conditions, week.timetable
        struck = bool(here.struck[d])
        self.sky: tuple[int, int] = (int(here.sky[d, IN]), int(here.sky[d, OUT]))
        self.legs: tuple[Legs, ...] = tuple(table.legs[sky, struck] for sky in self.sky)
        self.component = tuple(table.component[sky, struck] for sky in self.sky)
        self.buses_run = tuple(week.buses_run[sky] for sky in self.sky)
        self.road_in: Road = (luck.leg_min[d], self.legs[IN].cut)
        self.road_out: Road = (luck.leg_min[d], self.legs[OUT].cut)
        self.slow_min = _by_run(luck.weather_min[d], table)
        self.slow_after_min = np.zeros(len(table.call_school))
        slow = luck.weather_min[d].any()
        for (_, end), pieces in zip(table.stops, table.pieces, strict=True) if slow else ():
            for piece in pieces[:-1]:
                if table.stop_in[piece.first]:  # of the minutes that the weather costs a run, those after the gate
                    self.slow_after_min[piece.call] = luck.weather_min[d, piece.end : end].sum()
        self.rota = (rota(week, self, IN), rota(week, self, OUT))
        self.traffic: Floats = luck.traffic[d]
        self.break_km, self.repair_min = luck.break_km[:, d], luck.repair_min[:, d]
        self.guardian_min: Floats = luck.guardian_min[d]
        self.no_crew = {NO_BUS: BUS}
        self.spares: list[simpy.Resource] = []
        self.stranded: defaultdict[int, list[int]] = defaultdict(list)
        self.kept: Bools = luck.kept[d]
        self.ready_in: Bools = luck.well[d].copy()
        self.ready_out: Bools = np.zeros_like(self.ready_in)

    def road(self, way: int) -> Road:
        """Return the minutes of each leg in one direction, and which stops are out of reach."""
        return self.road_in if way == IN else self.road_out

    def ready(self, way: int) -> Bools:
        """Tell who waits for a bus in one direction; (N,)."""
        return self.ready_in if way == IN else self.ready_out

    def on(self, way: int) -> Floats:
        """Return when pupils embarked in one direction; (N,)."""
        return self.embarked_in if way == IN else self.embarked_out

    def left(self, way: int) -> Left:
        """Return where it is told who was left in one direction."""
        return self.left_in if way == IN else self.left_out


def _by_run(minutes: Floats, table: Timetable) -> Floats:
    """Add up minutes of legs by run."""
    return np.add.reduceat(minutes, table.course[-1][:-1]) if len(minutes) else minutes


class Week(AtSchool):
    """What a process may look at, take and tell into while a week is lived; it dies with the week."""

    luck: WeekLuck

    def __init__(self, settings: Settings, stage: Stage, luck: WeekLuck, diary: Diary) -> None:
        fleet, days, table = settings.fleet, len(luck.well), stage.table
        super().__init__(settings, stage, luck, diary.wipe(), np.zeros((days + 1, len(stage.pupils)), dtype=bool))
        self.dwell = (minutes_of(fleet.dwell_stop_s), minutes_of(fleet.dwell_pupil_s))
        self.unload_min = (minutes_of(fleet.unload_school_s), minutes_of(fleet.unload_pupil_s))
        self.turnaround_min, self.transfer_min = fleet.turnaround_min, minutes_of(fleet.transfer_pupil_s)
        self.guardian_wait_min = fleet.guardian_wait_min
        self.line = (fleet.line_bus_seats, fleet.line_buses_in_time, fleet.line_bus_headway_min,
                     fleet.arrive_latest_before_bell_min)  # fmt: skip
        self.buses_run = tuple(settings.weather.skies[name].buses_run for name in SKIES)
        self.dry = table.legs[0, False]
        self.diary.sky[:] = luck.conditions.sky
        self.ready, self.repaired = np.zeros(len(table.yard)), np.full(len(table.yard), -np.inf)
        self.stranded = np.zeros(days, dtype=np.int64)
        self.by_day = [Day(d, self) for d in range(days)]

    def furnish(self, env: simpy.Environment) -> None:
        """Set up what processes compete for: spare buses with a crew."""
        for day in self.by_day:
            self._muster(env, day)

    def _muster(self, env: simpy.Environment, day: Day) -> None:
        """Put the reserve in the place of absent crews, by number of the bus; what is left may drive spare buses.

        A bus goes with at least one attendant, never without. A spare bus takes as many as the largest bus.
        """
        table, diary = self.timetable, self.diary
        drivers, attendants = table.reserve
        driver_here, attendants_here = self.luck.driver_here[day.number], self.luck.attendants_here[day.number] > 0
        drives = (day.rota[IN].runs > 0) | (day.rota[OUT].runs > 0)
        for bus in np.flatnonzero(drives & ~(driver_here & attendants_here)).tolist():
            if not driver_here[bus]:
                drivers -= 1
                if drivers < 0:
                    day.no_crew[bus], diary.no_driver[day.number, bus] = DRIVER, day.midnight
                    continue
            if not attendants_here[bus]:
                attendants -= 1
                if attendants < 0:
                    day.no_crew[bus], diary.no_attendant[day.number, bus] = ATTENDANT, day.midnight
        for half in day.rota:
            half.asks[[bus for bus in day.no_crew if bus != NO_BUS]] = True
        crews = min(table.spare_buses, drivers, attendants // max(1, int(table.attendants.max(initial=1))))
        if crews > 0:
            day.spares = [simpy.Resource(env, crews)]

    def duty_of(self, bus: int, day: Day, way: int) -> tuple[int, ...]:
        """Return the runs of a bus on a day in one direction."""
        return self.timetable.duties.get((bus, day.kind, way), ())

    def has_claim(self, run: int, day: Day) -> bool:
        """Tell whether anyone a run left behind could be fetched and has a claim to a seat."""
        table, way = self.timetable, self.timetable.direction[run]
        return bool(
            drive.claims(
                table.stops[run], day.road(way)[1], table.riders, day.ready(way), day.on(way), self.pupils.refused
            )
        )

    def cut_off(self, day: Day, way: int, who: Ints) -> Bools:
        """Tell of some pupils between whose home and school no road is open; (len(who),)."""
        part = day.component[way]
        if (part == part[0]).all():
            return np.zeros(len(who), dtype=bool)
        return np.asarray(part[self.stage.home_node[who]] != part[self.stage.school_node[who]])


def sizes(stage: Stage) -> dict[str, int]:
    """Return how many pupils, stops, runs, calls, buses, schools and visits a diary speaks of."""
    table = stage.table
    return {
        "pupil": len(stage.pupils), "stop": len(table.run_of_stop), "run": len(table.stops),
        "call": len(table.call_school), "bus": len(table.yard), "visit": len(stage.visits),
        "school": len(stage.life_teachers),
    }  # fmt: skip


def roll_call(env: simpy.Environment, week: Week) -> Steps:
    """Note at the start of lunch who is at school, and again well before the first closing: who is to go home."""
    bells = week.bells
    closing = min(bells.lodger_friday_min, bells.primary_close_min, bells.junior_close_min)
    again = (bells.lunch_min + closing) / 2
    for day in week.by_day:
        yield env.timeout(day.midnight + bells.lunch_min - env.now)
        day.attended[:] = week.present(day.number, env.now)
        day.ready_out[:] = day.attended
        yield env.timeout(day.midnight + again - env.now)
        ill_guests = week.slept[day.number] & ~day.came & ~week.pupils.has_bed
        day.ready_out[:] = week.present(day.number, env.now) | ill_guests


def live(week: Week) -> Diary:
    """Live one week and return its diary."""
    return _lived(week, mornings, roll_call, washing, meals, nights)


def live_roads(week: Week) -> Diary:
    """Live one week but for meals and washing, which move nobody anywhere, and return its diary."""
    return _lived(week, mornings, roll_call, nights)


def _lived(week: Week, *processes: Callable[[Clock, Week], Steps]) -> Diary:
    """Let processes and the duties of all buses run under one clock."""
    env = Clock(week)
    week.furnish(env)
    for process in processes:
        env.process(process(env, week))
    for bus in range(NO_BUS, len(week.timetable.yard)):
        env.process(duty(env, week, bus))
    gc.disable()  # looking for garbage among a week's many live objects takes longer than the week
    try:
        env.run()
    finally:
        env.end()
        gc.enable()
    return week.diary
