"""A whole county, day after day, as a plain SimPy model: one process for each pupil and whatever a pupil does.

The reference for `sim.operate`: it lives the same week from the same luck, event by event, with nothing but SimPy's
own resources, and must tell the same diary. It calls none of the product's compiled functions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappush
from itertools import pairwise
from math import floor, inf, isfinite

import numpy as np
import simpy

from sim.config import SKIES, Settings
from sim.county import Travel
from sim.operate.day import sizes
from sim.operate.diary import (
    ATTENDANT,
    BREAKDOWN,
    BREAKFAST,
    BUS,
    BUS_SEAT,
    DINNER,
    DRIVER,
    LINE_BUS_SEAT,
    LUNCH,
    ROAD,
    WEATHER,
    Diary,
    blank,
)
from sim.operate.luck import WeekLuck
from sim.operate.pupils import IN, OUT
from sim.operate.stage import Stage
from sim.operate.timetable import FIRST_DAY, LAST_DAY, ONLY_DAY, OTHER_DAY
from sim.plan import FAMILY, LINE_BUS, WALK
from sim.units import MINUTES_PER_DAY, minutes_of

EVENT = Iterator[simpy.Event]
Lost = dict[tuple[int, int], tuple[float, int]]
"""(day, run) -> minute at which it is known that no bus will drive the run in time, and why."""
STAY, FETCHED = "no bus home", "the family comes"
NO_BUS = -1
"""Drives the runs that the plan had to drop: nobody."""
LAST = 10**6
"""Rank of what follows from whatever else happens at the same minute."""
LATE = -1
"""The sitting of those who cannot go home."""


class At(simpy.Event):
    """An exact minute, where `timeout(minute - now)` may miss by a rounding; the lower rank is first in a tie."""

    def __init__(self, env: simpy.Environment, minute: float, rank: int = 0) -> None:
        super().__init__(env)
        self._ok, self._value, self.minute = True, None, minute
        heappush(env._queue, (minute, 1 + rank, next(env._eid), self))


class Hall:
    """A canteen during one sitting: windows that open and close, seats, meals; everyone is gone at the last bell."""

    def __init__(self, env: simpy.Environment, start: float, bell: float, windows: list, seats: int) -> None:
        self.start, self.bell = start, bell
        self.windows = simpy.PriorityStore(env)  # free windows: the one that has been free longest is first
        self.chairs = simpy.Resource(env, seats) if seats else None
        self.meals: int | None = None  # counted when the first is handed out
        self.eaters: list[int] = []
        self.short: dict[int, float] = {}
        for opens, closes, number in sorted(windows):
            env.process(self._serve(env, (max(opens, env.now), closes, number)))

    def _serve(self, env: simpy.Environment, window: tuple[float, float, int]) -> EVENT:
        opens, closes, number = window
        yield At(env, opens)
        yield self.windows.put(window)
        if closes < inf:
            yield At(env, closes)
            self.windows.items[:] = sorted(one for one in self.windows.items if one[2] != number)


@dataclass(slots=True)
class Bus:
    """A bus during half a day, and what has happened to it so far."""

    number: int
    way: int
    seats: simpy.Container
    legs: object
    second: bool = False
    foreseen: float = 0.0
    """Minute from which on it is known when it is free."""
    km_left: float = inf
    repair_min: float = 0.0
    weather_min: float = 0.0
    broke_min: float = 0.0
    broken_run: int = -1
    spare: simpy.Event | None = None
    spare_left: float = 0.0
    aboard: list[int] = field(default_factory=list)
    behind: int = 0
    """Pupils for whom it had no seat at the gates of a run home so far."""

    @property
    def load(self) -> int:
        return int(self.seats.capacity - self.seats.level)


def shorter(travel: Travel, node: int, place: tuple[tuple[int, float], ...]) -> tuple[float, float]:
    """Return minutes and km of the shorter way from a node to a place on a leg; place: each end, share from there."""
    (begin, _), (end, _) = place
    leg, km = travel.minutes[begin, end], travel.km[begin, end]
    ways = ((travel.minutes[node, tip] + share * leg, travel.km[node, tip] + share * km) for tip, share in place)
    return min(ways, key=lambda way: way[0])


class Day:
    """One day: its planned times (minutes of the week), its roads, who waits, and what there is to compete for."""

    def __init__(self, county: County, number: int) -> None:
        luck, table, env, here = county.luck, county.table, county.env, county.luck.conditions
        inner = FIRST_DAY if number == 0 else LAST_DAY if number == county.days - 1 else OTHER_DAY
        self.number, self.first, self.last = number, number == 0, number == county.days - 1
        self.kind, self.midnight = ONLY_DAY if county.days == 1 else inner, number * MINUTES_PER_DAY
        runs, others = (table.be_there_min, table.depart_min, table.latest_min), (table.close_min, table.friday_min)
        self.be_there, self.depart, self.latest, self.hold, self.close, self.friday = (
            (planned + self.midnight).tolist() for planned in (*runs, table.hold_min, *others)
        )
        skies = [(int(here.sky[number, way]), bool(here.struck[number])) for way in (IN, OUT)]
        self.sky, self.legs = [sky for sky, _ in skies], [table.legs[sky] for sky in skies]
        self.part = [table.component[sky] for sky in skies]
        self.buses_run = [county.settings.weather.skies[SKIES[sky]].buses_run for sky in self.sky]
        self.leg_min, self.traffic = luck.leg_min[number].tolist(), luck.traffic[number].tolist()
        self.guardian = luck.guardian_min[number].tolist()
        self.waiting: tuple[set[int], set[int]] = (set(), set())
        self.stranded: defaultdict[int, list[int]] = defaultdict(list)
        self.call: dict[int, simpy.Event] = {}
        self.lines: dict[int, simpy.Resource | None] = {}
        self.halls: dict[tuple[int, int, int], Hall] = {}
        self.handed_out: defaultdict[tuple[int, int], int] = defaultdict(int)
        self.public: dict[tuple[int, int], simpy.Container] = {}
        self.beds: dict[tuple[int, int], simpy.Container] = {}
        bells = county.settings.bells
        closing = min(bells.lodger_friday_min, bells.primary_close_min, bells.junior_close_min)
        minutes = (bells.lunch_min, (bells.lunch_min + closing) / 2, bells.late_dinner_min, bells.lights_out_min)
        self.noon, self.again, self.evening, self.lights_out = (At(env, self.midnight + minute) for minute in minutes)
        self.no_crew, self.spares = county.muster(self)
        self.wishes: defaultdict[int, list[int]] = defaultdict(list)
        self.join, self.takes = luck.wash_join[number].tolist(), luck.wash_service[number].tolist()
        for visit in np.flatnonzero(~np.isnan(luck.wash_join[number])).tolist():
            self.wishes[county.visitor[visit]].append(visit)


def live(settings: Settings, stage: Stage, luck: WeekLuck) -> Diary:
    """Live the week and return its diary; live it again when it was known before that a bus would be too late."""
    foreseen: Lost = {}
    for _ in range(9):
        county = County(settings, stage, luck, foreseen)
        county.env.run()
        if county.given_up == foreseen:
            return county.diary
        foreseen = county.given_up
    raise AssertionError("no week in which everything foreseen came true")


class County:
    """The county and its pupils during one week."""

    def __init__(self, settings: Settings, stage: Stage, luck: WeekLuck, foreseen: Lost) -> None:
        self.env, self.settings, self.stage, self.luck = simpy.Environment(), settings, stage, luck
        self.table, self.pupils, self.halls, self.visits = stage.table, stage.pupils, stage.halls, stage.visits
        self.dry = stage.table.legs[0, False]
        self.days, fleet, pupils = len(luck.well), settings.fleet, stage.pupils
        self.diary = blank(self.days, sizes(stage))
        self.diary.sky[:], self.diary.life_here[:] = luck.conditions.sky, luck.life_here
        self.mode, self.school, self.grade = pupils.mode.tolist(), pupils.school.tolist(), pupils.grade.tolist()
        self.has_bed, self.lodger_bus = pupils.has_bed.tolist(), pupils.lodger_bus.tolist()
        self.eats, self.breakfasts = pupils.eats.tolist(), pupils.breakfasts.tolist()
        self.stop = pupils.stop.tolist()
        self.youngest_first = np.argsort(np.lexsort((pupils.number, pupils.grade))).tolist()
        self.visitor = self.visits.who.tolist()
        self.line_of = np.repeat(np.arange(len(self.visits.peak)), np.diff(self.visits.ptr)).tolist()
        self.clock = self.visits.clock.tolist()
        at, rider = self.table.riders
        self.riders = [rider[low:high].tolist() for low, high in pairwise(at)]
        self.call_at = {
            piece.end if self.table.direction[run] == IN else piece.first - 1: piece.call
            for run, parts in enumerate(self.table.pieces)
            for piece in parts
            if piece.call != run
        }
        self.dwell = (minutes_of(fleet.dwell_stop_s), minutes_of(fleet.dwell_pupil_s))
        self.door = (minutes_of(fleet.unload_school_s), minutes_of(fleet.unload_pupil_s))
        self.transfer_min = minutes_of(fleet.transfer_pupil_s)
        self.bays = [simpy.Resource(self.env, max(1, bays)) for bays in stage.gate_bays]
        self.repaired = [0.0] * len(self.table.yard)
        self.ready, self.repaired = [0.0] * len(self.table.yard), [-inf] * len(self.table.yard)
        self.slept = np.zeros((self.days + 1, len(pupils)), dtype=bool)
        self.by_day = [Day(self, number) for number in range(self.days)]
        self.env.process(self.mornings())
        for day in self.by_day:
            self.env.process(self.nightfall(day))
        for bus in range(NO_BUS, len(self.table.yard)):
            self.env.process(self.duty(bus))
        self.given_up: Lost = {}
        for (d, run), (minute, cause) in foreseen.items():
            self.env.process(self.cancel(self.by_day[d], run, cause, minute))

    def mornings(self) -> EVENT:
        """Wake everyone at the beginning of each day; nobody who slept at school is kept at home."""
        for day in self.by_day:
            yield At(self.env, day.midnight)
            d, slept = day.number, self.slept[day.number]
            came = self.luck.well[d] & (slept | ~self.luck.kept[d])
            self.diary.came[d], self.diary.slept[d] = came, slept
            for who in np.flatnonzero(came | slept).tolist():
                self.env.process((self.pupil if came[who] else self.ill)(day, who))

    # A pupil's day

    def pupil(self, day: Day, who: int) -> EVENT:
        """Come to school, learn, eat, and go home or to bed; who comes after the second roll call finds no bus."""
        slept = bool(self.slept[day.number, who])
        if not slept and not (yield from self.come(day, who)):
            return
        self.line_up(day, who)
        if slept or self.breakfasts[who]:
            self.eat(day, who, BREAKFAST)
        came = self.env.now
        if came <= day.noon.minute:
            yield day.noon
            self.diary.attended[day.number, who] = True
            if self.eats[who]:
                self.eat(day, who, LUNCH)
        if self.has_bed[who] and not day.last:
            if came <= day.lights_out.minute:
                self.eat(day, who, DINNER)
                self.line_up(day, who, night=True)
                yield from self.sleep(day, who)
        elif came <= day.again.minute:
            yield day.noon if came <= day.noon.minute else day.again
            yield from self.go_home(day, who)

    def ill(self, day: Day, who: int) -> EVENT:
        """Fall ill at school: lodgers lie in the dormitory until the last day, guests go home if there is a bus."""
        if not self.has_bed[who]:
            yield day.again
            yield from self.go_home(day, who)
        elif not day.last:
            yield from self.sleep(day, who)

    def go_home(self, day: Day, who: int) -> EVENT:
        """Go home, or stay at school for the night, because there is no way home."""
        if (yield from self.cannot_go_home(day, who)):
            self.diary.stayed[day.number, who] = self.env.now
            self.eat(day, who, DINNER, late=True)
            if self.diary.came[day.number, who]:
                self.line_up(day, who, night=True)
            yield from self.sleep(day, who)

    def come(self, day: Day, who: int) -> Iterator:
        """Come to school on foot, with the family, by public or by school bus; tell whether that went well."""
        mode, d = self.mode[who], day.number
        lodger = self.has_bed[who] and not (self.lodger_bus[who] and day.first)
        if (mode in (LINE_BUS, FAMILY) or lodger) and self.cut_off(day, IN, who):
            self.leave(day, IN, who, ROAD)
            return False
        if mode == LINE_BUS:
            return (yield from self.public_bus(day, who))
        if mode in (WALK, FAMILY) or lodger:
            return True
        if self.stop[IN][who] < 0:
            return False
        day.waiting[IN].add(who)
        yield self.called(day, who)
        self.diary.embarked_in[d, who] = self.env.now
        yield self.called(day, who)
        self.diary.alighted_in[d, who] = self.env.now
        return True

    def public_bus(self, day: Day, who: int) -> Iterator:
        """Take the first public bus that has a seat, the youngest first."""
        fleet, stage = self.settings.fleet, self.stage
        home, school, way_min = stage.home_node[who], stage.school_node[who], day.legs[IN].travel.minutes
        slower = way_min[home, school] - self.dry.travel.minutes[home, school]
        if not isfinite(slower) or fleet.line_bus_seats == 0:
            self.leave(day, IN, who, LINE_BUS_SEAT if isfinite(slower) else WEATHER)
            return False
        yield At(self.env, day.midnight, self.youngest_first[who])
        bus, hamlet = 0, int(self.pupils.hamlet[who])
        while True:
            new = simpy.Container(self.env, fleet.line_bus_seats, fleet.line_bus_seats)
            seats = day.public.setdefault((hamlet, bus), new)
            if seats.level:
                break
            bus += 1
        yield seats.get(1)
        wait = max(bus - (fleet.line_buses_in_time - 1), 0) * fleet.line_bus_headway_min
        yield At(self.env, stage.bell_min[who] - fleet.arrive_latest_before_bell_min + slower + wait + day.midnight)
        self.diary.line_in[day.number, who], self.diary.line_wait[day.number, who] = self.env.now, wait
        return True

    def cannot_go_home(self, day: Day, who: int) -> Iterator:
        """Go home, by bus or by own means; tell whether there is no way home tonight."""
        d, diary = day.number, self.diary
        if self.stop[OUT][who] >= 0:
            day.waiting[OUT].add(who)
            told = yield self.called(day, who)
            if told in (STAY, FETCHED):
                return told == STAY
            diary.embarked_out[d, who] = self.env.now
            yield self.called(day, who)
            diary.alighted_out[d, who] = self.env.now
        elif self.mode[who] in (LINE_BUS, FAMILY) or self.has_bed[who]:
            closed = self.cut_off(day, OUT, who)
            way_min = day.legs[OUT].travel.minutes[self.stage.school_node[who], self.stage.home_node[who]]
            if closed or (self.mode[who] == LINE_BUS and not isfinite(way_min)):
                yield day.evening
                self.leave(day, OUT, who, ROAD if closed else WEATHER)
                return True
        return False

    def sleep(self, day: Day, who: int) -> EVENT:
        """Lie down in the own bed, or in one that is free, the youngest first; else sit up."""
        yield day.lights_out
        self.slept[day.number + 1, who] = True
        if not self.has_bed[who]:
            yield At(self.env, self.env.now, self.youngest_first[who])
            beds = self.free_beds(day, (self.school[who], int(self.pupils.sex[who])))
            if not beds.level:
                return
            yield beds.get(1)
        self.diary.to_bed[day.number, who] = self.env.now

    def free_beds(self, day: Day, place: tuple[int, int]) -> simpy.Container:
        """Return the beds of a school and sex that no lodger needs tonight."""
        if place not in day.beds:
            theirs = self.pupils.has_bed & (self.pupils.school == place[0]) & (self.pupils.sex == place[1])
            if day.last:
                theirs &= ~np.isnan(self.diary.stayed[day.number])
            day.beds[place] = simpy.Container(self.env, init=max(int(self.stage.beds[place] - theirs.sum()), 0))
        return day.beds[place]

    def nightfall(self, day: Day) -> EVENT:
        """Tell those who still wait for a bus in the evening that they have to stay, or that the plan has none."""
        yield day.evening
        broken = {self.table.bus[run] for run in np.flatnonzero(~np.isnan(self.diary.broke_down[day.number]))}
        for who in sorted(day.waiting[OUT]):
            bus = self.table.bus[self.table.run_of_stop[self.stop[OUT][who]]]
            if bus != NO_BUS:
                self.leave(day, OUT, who, self.why_late(day, OUT, bus in broken))
            day.call[who].succeed(FETCHED if bus == NO_BUS else STAY)
        day.waiting[OUT].clear()

    def why_late(self, day: Day, way: int, broke: bool) -> int:
        """Return why a bus is late: it broke down, the weather, the road, or the bus itself."""
        return BREAKDOWN if broke else BUS if day.legs[way] is self.dry else WEATHER if day.sky[way] else ROAD

    def cut_off(self, day: Day, way: int, who: int) -> bool:
        """Tell whether no road is open between home and school."""
        return bool(day.part[way][self.stage.home_node[who]] != day.part[way][self.stage.school_node[who]])

    def called(self, day: Day, who: int) -> simpy.Event:
        """Return an event to wait for: the bus calls the pupil to embark or to alight."""
        day.call[who] = self.env.event()
        return day.call[who]

    def leave(self, day: Day, way: int, who: int, cause: int, minute: float | None = None) -> None:
        """Tell that a pupil is left, the earliest time it happens on a day."""
        left = (self.diary.left_in, self.diary.left_out)[way][day.number]
        minute = self.env.now if minute is None else minute
        if not left[who] <= minute:
            left[who], self.diary.left_why[way, day.number, who] = minute, cause

    # Water and toilets

    def line_up(self, day: Day, who: int, night: bool = False) -> None:
        """Begin what a pupil wants from now until school closes, or what is wanted later by who stays for the night."""
        close = (day.friday if self.has_bed[who] and day.last else day.close)[who] - day.midnight
        for visit in day.wishes[who]:
            peak = self.visits.peak[self.line_of[visit]]
            wanted, begin = self.visits.wanted[peak], self.clock[peak][0]
            late = begin >= self.settings.bells.lunch_min and (wanted == "lodgers" or begin >= close)
            may = wanted == "all" or (wanted == "diners" and self.eats[who])
            may |= wanted == "lodgers" and (night or self.slept[day.number, who])
            if may and late == night and day.midnight + day.join[visit] >= self.env.now:
                self.env.process(self.visit(day, who, visit))

    def visit(self, day: Day, who: int, visit: int) -> EVENT:
        """Stand in line, for what is wanted, until the bell."""
        d, diary, line = day.number, self.diary, self.line_of[visit]
        bell = day.midnight + self.clock[self.visits.peak[line]][2]
        yield At(self.env, day.midnight + day.join[visit], visit)
        diary.joined[d, visit] = self.env.now
        if line not in day.lines:
            run = floor(self.visits.servers[line] * self.luck.water[d, self.visits.school[line]] + 0.5)
            day.lines[line] = simpy.Resource(self.env, run) if run else None
        fixtures = day.lines[line]
        if fixtures is None:
            return
        with fixtures.request() as turn:
            yield turn
            if self.env.now >= bell:
                return
            diary.began[d, visit] = self.env.now
            yield At(self.env, self.env.now + day.takes[visit])
            diary.done[d, visit] = self.env.now

    # Meals

    def eat(self, day: Day, who: int, meal: int, late: bool = False) -> None:
        """Go to a meal, if there is one: with the class, or straight from the bus."""
        halls, dine, school = self.halls, self.settings.dine, self.school[who]
        if not halls.sittings[school]:
            return
        sitting = LATE if late else int(halls.sitting[meal, who])
        hall = day.halls.get((meal, sitting, school)) or self.open_hall(day, meal, sitting, school)
        if self.env.now > hall.bell:
            return
        more = float(self.luck.walk_min[meal, day.number, who])
        arrive = hall.start + max(float(halls.walk_min[who]) + more, 0.0)
        from_bus = float(self.diary.alighted_in[day.number, who]) + max(dine.walk_to_hall_min + more, 0.0)
        arrive = from_bus if from_bus > arrive else arrive
        hall.eaters.append(who)
        self.diary.queued[meal, day.number, who] = arrive
        if arrive < hall.bell:
            self.env.process(self.meal(day, who, meal, hall, arrive))

    def open_hall(self, day: Day, meal: int, sitting: int, school: int) -> Hall:
        """Open a canteen for one sitting; breakfast may have to wait for a bus."""
        halls, dine, bells = self.halls, self.settings.dine, self.settings.bells
        late = sitting == LATE
        begins = bells.late_dinner_min if late else (bells.breakfast_min, bells.lunch_min, bells.dinner_min)[meal]
        step = 0 if late else sitting * (dine.bell_after_min + dine.sittings_gap_min)
        start = day.midnight + (begins + step)
        bell = start + dine.bell_after_min + (dine.breakfast_wait_min if meal == BREAKFAST else 0.0)
        windows = [
            (start + float(halls.opens_min[w]), start + float(halls.closes_min[w]), w)
            for w in range(halls.window_at[school], halls.window_at[school + 1])
        ]
        hall = day.halls[meal, sitting, school] = Hall(self.env, start, bell, windows, int(halls.canteen_seats[school]))
        self.env.process(self.ring(day, meal, hall, school))
        return hall

    def meals_left(self, day: Day, meal: int, sitting: int, school: int) -> int:
        """Return how many meals the kitchen has ready for a sitting."""
        cooked = floor(self.halls.kitchen[school] * self.luck.conditions.kitchen[day.number, school] + 0.5)
        before = len(self.halls.lines[DINNER]) if sitting == LATE else sitting
        ready = floor(cooked * min((before + 1) * self.settings.dine.kitchen_sitting_share, 1.0) + 1e-9)
        return max(ready - day.handed_out[meal, school], 0)

    def meal(self, day: Day, who: int, meal: int, hall: Hall, arrive: float) -> EVENT:
        """Queue at the windows, take a meal, find a seat, eat until the bell."""
        env, d, diary, school = self.env, day.number, self.diary, self.school[who]
        yield At(env, arrive, who)
        window = yield hall.windows.get()
        if env.now >= hall.bell:
            return
        if hall.meals is None:
            sitting = next(key[1] for key, here in day.halls.items() if here is hall)
            hall.meals = self.meals_left(day, meal, sitting, school)
        if not hall.meals:
            hall.short[who] = env.now
            yield hall.windows.put(window)
            return
        hall.meals -= 1
        began, done = env.now, env.now + float(self.luck.service_min[meal, d, who])
        yield At(env, done)
        if done < window[1]:
            yield hall.windows.put((done, *window[1:]))
        if done > hall.bell:
            return
        diary.at_window[meal, d, who], diary.served[meal, d, who] = began, done
        day.handed_out[meal, school] += 1
        if hall.chairs is None:
            return
        with hall.chairs.request() as chair:
            yield chair
            if env.now >= hall.bell:
                return
            until = min(env.now + float(self.luck.eat_min[meal, d, who]), hall.bell)
            diary.seated[meal, d, who], diary.left[meal, d, who] = env.now, until
            yield At(env, until)

    def ring(self, day: Day, meal: int, hall: Hall, school: int) -> EVENT:
        """Ring the last bell; what happened after the bell at which breakfast was over did not happen."""
        dine, d, diary = self.settings.dine, day.number, self.diary
        yield At(self.env, hall.bell)
        who, bell = np.array(hall.eaters, dtype=int), hall.bell
        if meal == BREAKFAST:
            there = diary.alighted_in[d, who]
            needed = np.nanmax(np.minimum(there + dine.walk_to_hall_min + dine.seat_min_limit, hall.bell), initial=-inf)
            bell = max(hall.start + dine.bell_after_min, needed)
            undone = who[diary.served[meal, d, who] > bell]
            diary.at_window[meal, d, undone] = diary.served[meal, d, undone] = np.nan
            day.handed_out[meal, school] -= len(undone)
            undone = who[diary.seated[meal, d, who] >= bell]
            diary.seated[meal, d, undone] = diary.left[meal, d, undone] = np.nan
            diary.left[meal, d, who] = np.minimum(diary.left[meal, d, who], bell)
        diary.bell[meal, d, who] = bell
        diary.short[meal, d, [one for one, minute in hall.short.items() if minute < bell]] = 1

    # Buses

    def muster(self, day: Day) -> tuple[dict[int, int], simpy.Resource | None]:
        """Put the reserve in the place of absent crews; those left over drive the spare buses."""
        table, luck, d = self.table, self.luck, day.number
        (drivers, attendants), no_crew = table.reserve, {NO_BUS: BUS}
        for bus in range(len(table.yard)):
            if not any(table.duties.get((bus, day.kind, way)) for way in (IN, OUT)):
                continue
            if not luck.driver_here[d, bus]:
                drivers -= 1
                if drivers < 0:
                    no_crew[bus], self.diary.no_driver[d, bus] = DRIVER, day.midnight
                    continue
            if not luck.attendants_here[d, bus]:
                attendants -= 1
                if attendants < 0:
                    no_crew[bus], self.diary.no_attendant[d, bus] = ATTENDANT, day.midnight
        crews = min(table.spare_buses, drivers, attendants // max(1, int(table.attendants.max(initial=1))))
        return no_crew, simpy.Resource(self.env, crews) if crews > 0 else None

    def duty(self, number: int) -> EVENT:
        """Drive the runs of one bus through the week."""
        for day in self.by_day:
            for way in (IN, OUT):
                runs = self.table.duties.get((number, day.kind, way), ())
                cause = day.no_crew.get(number, 0) if day.buses_run[way] else WEATHER
                if runs and not cause:
                    yield from self.half_day(day, way, number, runs)
                for run in sorted(runs, key=day.be_there.__getitem__) if cause else ():
                    yield from self.cancel(day, run, cause)

    def half_day(self, day: Day, way: int, number: int, runs: tuple[int, ...]) -> EVENT:
        """Leave the yard, drive the runs, then fetch those others left behind, and go home."""
        env, d, table, diary, legs = self.env, day.number, self.table, self.diary, day.legs[way]
        seats, luck = table.bus_seats[number], (self.luck.break_km, self.luck.repair_min)
        bus = Bus(number, way, simpy.Container(env, seats, seats), legs, False, env.now)
        bus.km_left, bus.repair_min = (float(of[way, d, number]) for of in luck)
        bus.broke_min = inf if self.repaired[number] >= env.now else 0.0
        yard = at = table.yard[number]
        free, last = max(env.now, self.ready[number]), -1
        why = {run: cause for run in runs if (cause := self.out_of_reach(legs, yard, run))}
        for run, cause in why.items():
            env.process(self.cancel(day, run, cause))
        for run in [run for run in runs if run not in why]:
            leave = self.set_off(day, bus, run, at, free)
            if leave > max(day.latest[run], day.depart[run]):
                self.give_up(day, bus, run)
                continue
            yield At(env, leave)
            if last < 0:
                diary.set_out[way, d, number] = leave
            yield from self.empty_way(day, bus, run, at)
            yield from (self.bring if way == IN else self.take)(day, bus, run)
            at, last, free = legs.last[run], run, env.now + self.settings.fleet.turnaround_min
        if last >= 0:
            yield At(env, free)
            at = yield from self.fetch(day, bus, {school for run in runs for school in table.schools[run]}, at)
            yield from self.go_back(day, bus, last, at)

    def go_back(self, day: Day, bus: Bus, last: int, at: int) -> EVENT:
        """Go home to the yard; give the spare bus back, if it is one."""
        travel, yard = bus.legs.travel, self.table.yard[bus.number]
        home = self.diary.came_home[bus.way, day.number, bus.number] = self.env.now + travel.minutes[at, yard]
        self.ready[bus.number] = max(home, self.ready[bus.number])
        if bus.broken_run >= 0:
            self.repaired[bus.number] = self.ready[bus.number]
        self.diary.empty_km[day.number, last] += travel.km[at, yard]
        if bus.spare is not None:
            yield At(self.env, home)
            self.diary.spare_min[day.number, bus.broken_run] += home - bus.spare_left
            day.spares.release(bus.spare)

    def out_of_reach(self, legs: object, yard: int, run: int) -> int:
        """Return why a bus cannot drive a run: none of its stops can be reached, or it cannot get to it; else 0."""
        if legs.first[run] < 0:
            return int(legs.cut[self.table.stops[run][0]])
        return 0 if isfinite(legs.travel.minutes[yard, legs.first[run]]) else ROAD

    def give_up(self, day: Day, bus: Bus, run: int) -> None:
        """Give up a run for which a bus is too late; it is foreseen from the gate or the roadside on."""
        cause = self.why_late(day, bus.way, bus.broke_min > 0)
        if bus.foreseen == self.env.now:
            self.env.process(self.cancel(day, run, cause))
        else:
            self.given_up[day.number, run] = bus.foreseen, cause

    def set_off(self, day: Day, bus: Bus, run: int, at: int, free: float) -> float:
        """Return when a bus can set off for a run; what it made up for since the last one is no delay any more."""
        planned = day.be_there[run] - bus.legs.travel.minutes[at, bus.legs.first[run]]
        leave = max(free, planned)
        bus.weather_min, bus.broke_min = min(bus.weather_min, leave - planned), min(bus.broke_min, leave - planned)
        return leave

    def empty_way(self, day: Day, bus: Bus, run: int, at: int) -> EVENT:
        """Drive empty to the start of a run."""
        d, travel, start = day.number, bus.legs.travel, bus.legs.first[run]
        minutes, km = travel.minutes[at, start], float(travel.km[at, start])
        slower = max(minutes - self.dry.travel.minutes[at, start], 0.0)
        bus.weather_min += slower + float(np.add.reduce(self.luck.weather_min[d, slice(*self.table.stops[run])]))
        self.diary.left_yard[d, run], self.diary.empty_km[d, run] = self.env.now, km
        minutes = max(minutes * day.traffic[run], travel.floor_min[at, start])
        yield from self.leg(day, bus, run, (at, start), (minutes, km))

    def stop_to_stop(self, day: Day, bus: Bus, run: int, p: int) -> EVENT:
        """Drive the leg of a stop: from it on the way to school, to it on the way home."""
        ends = (int(bus.legs.begin[p]), int(bus.legs.end[p]))
        yield from self.leg(day, bus, run, ends, (day.leg_min[p], float(bus.legs.km[p])))

    def leg(self, day: Day, bus: Bus, run: int, ends: tuple[int, int], way: tuple[float, float]) -> EVENT:
        """Drive a leg, of so many minutes and km, from node to node; the bus may break down on it."""
        minutes, km = way
        there = self.env.now + minutes
        if bus.km_left < km:
            share = bus.km_left / km
            yield At(self.env, there - (1 - share) * minutes)
            there += yield from self.breakdown(day, bus, run, ((ends[0], share), (ends[1], 1 - share)))
        bus.km_left -= km
        yield At(self.env, there, bus.number)

    def breakdown(self, day: Day, bus: Bus, run: int, place: tuple[tuple[int, float], ...]) -> Iterator:
        """Wait for the mechanic or for a spare bus, whichever is there first; return the minutes lost."""
        env, d, diary, minute = self.env, day.number, self.diary, self.env.now
        goes_on, bus.foreseen = minute + bus.repair_min, minute
        bus.km_left, bus.broken_run = inf, run
        diary.broke_down[d, run] = minute
        if day.spares:
            turn = day.spares.request()
            yield turn | At(env, goes_on)
            bus.foreseen = env.now
            away, km = shorter(bus.legs.travel, self.table.spare_yard[run], place)
            if turn.triggered and env.now + away < goes_on:
                home, home_km = shorter(bus.legs.travel, self.table.yard[bus.number], place)
                self.ready[bus.number] = goes_on + home
                bus.spare, bus.spare_left, diary.spare_left[d, run] = turn, env.now, env.now
                diary.empty_km[d, run] += km + home_km
                goes_on = env.now + away + bus.load * self.transfer_min
            elif turn.triggered:
                day.spares.release(turn)
            else:
                turn.cancel()
        diary.went_on[d, run] = goes_on
        bus.broke_min += goes_on - minute
        return goes_on - minute

    def bring(self, day: Day, bus: Bus, run: int) -> EVENT:
        """Drive to school: take pupils at the stops, let those of each school alight at its gate."""
        env, legs, behind = self.env, bus.legs, 0
        for p in range(*self.table.stops[run]):
            waiting = [who for who in self.riders[p] if who in day.waiting[IN]]
            if legs.cut[p]:
                for who in waiting:
                    self.leave(day, IN, who, legs.cut[p], max(env.now, day.hold[p]))
                continue
            arrived = env.now
            if p in self.call_at:
                yield from self.unload(day, bus, run, self.call_at[p], behind)
            taken = waiting[: bus.seats.level]
            for k, who in enumerate(taken, 1):
                day.waiting[IN].remove(who)
                yield bus.seats.get(1)
                yield At(env, arrived + self.dwell[0] + self.dwell[1] * k)
                day.call[who].succeed()
                bus.aboard.append(who)
            for who in waiting[len(taken) :]:
                self.leave(day, IN, who, BUS_SEAT, arrived)
                behind += 1
            yield At(env, max(env.now, day.hold[p]))
            self.track(day, bus, p, arrived)
            yield from self.stop_to_stop(day, bus, run, p)
        if not legs.call_cut[run]:
            yield from self.unload(day, bus, run, run, behind)

    def unload(self, day: Day, bus: Bus, run: int, call: int, behind: int = 0) -> EVENT:
        """Wait for a bay at a gate, let everyone aboard for the school alight."""
        env, d, diary, school = self.env, day.number, self.diary, self.table.call_school[call]
        self.at_gate(day, bus, run, call, behind if call == self.calls(bus, run)[-1] else 0)
        with self.bays[school].request() as bay:
            yield bay
            took, now = env.now, env.now + self.door[0]
            yield At(env, now)
            for who in [who for who in bus.aboard if self.school[who] == school]:
                now += self.door[1]
                yield At(env, now)
                day.call[who].succeed()
                bus.aboard.remove(who)
                yield bus.seats.put(1)
        if not bus.second:
            diary.took_bay[d, call], diary.freed_bay[d, call] = took, env.now

    def calls(self, bus: Bus, run: int) -> list[int]:
        """Return the calls at schools of a run, in order, but those out of reach."""
        return [piece.call for piece in self.table.pieces[run] if not bus.legs.call_cut[piece.call]]

    def take(self, day: Day, bus: Bus, run: int) -> EVENT:
        """Drive home: let pupils embark at each gate, deliver them at their stops."""
        bus.behind = 0
        if not bus.legs.call_cut[run]:
            yield from self.load(day, bus, run, run)
        yield from self.deliver(day, bus, run)

    def load(self, day: Day, bus: Bus, run: int, call: int) -> EVENT:
        """Wait for a bay at a gate, let the riders of the school embark, leave no sooner than planned."""
        env, d, table, diary, legs = self.env, day.number, self.table, self.diary, bus.legs
        close, line = day.friday if table.is_lodger[run] else day.close, []
        with self.bays[table.call_school[call]].request() as bay:
            for p in range(*table.stops[run]):
                for who in self.riders[p] if table.call_of_stop[p] == call else ():
                    if who in day.waiting[OUT]:
                        cause = int(legs.cut[p]) or (0 if bus.seats.level else BUS_SEAT)
                        line.append((who, cause))
                        if not cause:
                            day.waiting[OUT].remove(who)
                            yield bus.seats.get(1)
            bus.behind += sum(cause == BUS_SEAT for _, cause in line)
            self.at_gate(day, bus, run, call, bus.behind if call == self.calls(bus, run)[-1] else 0)
            yield bay
            took, now = env.now, env.now + self.door[0]
            for who, cause in line:
                if cause:
                    self.leave(day, OUT, who, cause, now)
                    continue
                now = max(now, close[who]) + self.door[1]
                yield At(env, now)
                day.call[who].succeed()
                bus.aboard.append(who)
            yield At(env, max(now, day.depart[call]))
        if not bus.second:
            diary.took_bay[d, call], diary.freed_bay[d, call] = took, env.now

    def deliver(self, day: Day, bus: Bus, run: int) -> EVENT:
        """Let pupils alight at their stops, the youngest into the hands of a guardian if one comes in time."""
        env, waits = self.env, self.settings.fleet.guardian_wait_min
        for p in range(*self.table.stops[run]):
            if bus.legs.cut[p]:
                continue
            yield from self.stop_to_stop(day, bus, run, p)
            arrived = env.now
            if p in self.call_at:
                yield from self.load(day, bus, run, self.call_at[p])
            here = [who for who in self.riders[p] if who in bus.aboard]
            handed = [who for who in here if day.guardian[who] <= waits]
            moments = [(arrived + waits, who) for who in here if day.guardian[who] > waits] + [
                (max(arrived + self.dwell[0] + self.dwell[1] * k, arrived + day.guardian[who]), who)
                for k, who in enumerate(handed, 1)
            ]
            for minute, who in sorted(moments):
                yield At(env, minute)
                if who in handed:
                    day.call[who].succeed()
                    bus.aboard.remove(who)
                    yield bus.seats.put(1)
                else:
                    self.diary.carried_on[day.number, who] = env.now
            self.track(day, bus, p, arrived)
        for who in bus.aboard:
            day.call[who].succeed()
            yield bus.seats.put(1)
        bus.aboard.clear()

    def track(self, day: Day, bus: Bus, p: int, arrived: float) -> None:
        """Tell of a stop that a bus leaves."""
        if not bus.second:
            diary, d = self.diary, day.number
            diary.arrived[d, p], diary.departed[d, p], diary.load[d, p] = arrived, self.env.now, bus.load

    def at_gate(self, day: Day, bus: Bus, run: int, call: int, behind: int) -> None:
        """Tell how a bus came to a gate; those it left behind wait for another from the last gate on."""
        diary, d, bus.foreseen = self.diary, day.number, self.env.now
        if not bus.second:
            diary.reached_gate[d, call], diary.run_km[d, run] = self.env.now, bus.legs.run_km[run]
            diary.weather_min[d, call], diary.broke_min[d, call] = bus.weather_min, bus.broke_min
            if call != run and bus.way == IN:
                gate = next(p for p, there in self.call_at.items() if there == call)
                ahead = self.luck.weather_min[d, gate : self.table.stops[run][1]]
                diary.weather_min[d, call] -= float(np.add.reduce(ahead))
            if behind:
                self.leave_behind(day, run)

    def cancel(self, day: Day, run: int, cause: int, known: float = 0.0) -> EVENT:
        """Tell those who wait for a run, when it should come, that it does not; known: since that minute."""
        way, cut = self.table.direction[run], day.legs[self.table.direction[run]].cut
        if known:
            yield At(self.env, known, LAST)
        yield At(self.env, max(day.be_there[run], self.env.now))
        self.diary.cancelled[day.number, run], self.diary.cancel_why[day.number, run] = self.env.now, cause
        for p in range(*self.table.stops[run]):
            for who in self.riders[p]:
                if who in day.waiting[way]:
                    self.leave(day, way, who, int(cut[p]) or cause)
        if day.buses_run[way] and self.table.bus[run] != NO_BUS:
            self.leave_behind(day, run)

    def leave_behind(self, day: Day, run: int) -> None:
        """Let those a run left behind wait for a bus of the school, or a spare one; lodgers without a bed do not."""
        way = self.table.direction[run]
        stops = [p for p in range(*self.table.stops[run]) if not day.legs[way].cut[p]]
        if any(who in day.waiting[way] and not self.pupils.refused[who] for p in stops for who in self.riders[p]):
            day.stranded[self.table.school[run]].append(run)
            if day.spares:
                self.env.process(self.spare(day, run))

    def fetch(self, day: Day, bus: Bus, schools: set[int], at: int) -> Iterator:
        """Drive once more for those left behind at the schools of a bus; return where it is at the end."""
        for school in sorted(schools):
            stranded = day.stranded[school]
            may = [run for run in stranded if self.table.direction[run] == bus.way]
            for run in [run for run in may if all(one in schools for one in self.table.schools[run])]:
                start = bus.legs.first[run]
                reached = start >= 0 and isfinite(bus.legs.travel.minutes[at, start])
                if run in stranded and self.env.now <= day.latest[run] and reached:
                    stranded.remove(run)
                    yield from self.second(day, int(bus.seats.capacity), run, at)
                    at = bus.legs.last[run]
        return at

    def spare(self, day: Day, run: int) -> EVENT:
        """Send a spare bus for those a run left behind, unless another bus has gone before."""
        stranded, yard = day.stranded[self.table.school[run]], self.table.spare_yard[run]
        legs = day.legs[self.table.direction[run]]
        with day.spares.request() as turn:
            yield turn
            reached = isfinite(legs.travel.minutes[yard, legs.first[run]])
            if run in stranded and self.env.now <= day.latest[run] and reached:
                stranded.remove(run)
                left = self.diary.spare_left[day.number, run] = self.env.now
                yield from self.second(day, self.table.seats[run], run, yard)
                yield self.env.timeout(legs.travel.minutes[legs.last[run], yard])
                self.diary.second_km[day.number, run] += legs.travel.km[legs.last[run], yard]
                self.diary.spare_min[day.number, run] += self.env.now - left

    def second(self, day: Day, seats: int, run: int, at: int) -> EVENT:
        """Drive a run once more for those it left behind."""
        way = self.table.direction[run]
        bus = Bus(len(self.table.yard) + run, way, simpy.Container(self.env, seats, seats), day.legs[way], second=True)
        self.diary.second_left[day.number, run] = self.env.now
        yield At(self.env, self.env.now + bus.legs.travel.minutes[at, bus.legs.first[run]], bus.number)
        yield from (self.bring if way == IN else self.take)(day, bus, run)
        self.diary.second_km[day.number, run] += bus.legs.run_km[run] + bus.legs.travel.km[at, bus.legs.first[run]]
