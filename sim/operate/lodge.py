"""The nights of the week: lodgers in their beds, and beds for those who cannot go home.

Beds are given for the term by priority (`admit`); here the nights are lived.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
import simpy

from sim.operate.diary import BREAKDOWN, BUS, ROAD, WEATHER
from sim.operate.pupils import OUT
from sim.operate.station import loss
from sim.plan import LINE_BUS, Bools, Ints
from sim.units import MINUTES_PER_DAY

if TYPE_CHECKING:
    from sim.operate.day import Day, Week

Steps = Generator[simpy.Event, object, None]


def nights(env: simpy.Environment, week: Week) -> Steps:
    """Tell in the evening who has to stay, and at lights-out who lies in a bed."""
    for day in week.by_day:
        yield env.timeout(day.midnight + week.bells.late_dinner_min - env.now)
        stay(week, day, env.now)
        yield env.timeout(day.midnight + week.bells.lights_out_min - env.now)
        sleep(week, day, env.now)


def stay(week: Week, day: Day, now: float) -> None:
    """Keep at school for the night whoever is not on a bus home by now, or has no open road home.

    Whose run home the plan had to drop knows it and is fetched by the family.
    """
    pupils, stage, last = week.pupils, week.stage, day.number == week.days - 1
    by_bus = stage.bus_home & (~pupils.has_bed | last)
    waits = np.flatnonzero(day.ready_out & by_bus & np.isnan(day.embarked_out))
    fetched = np.flatnonzero(pupils.has_bed & ~pupils.lodger_bus) if last else np.empty(0, dtype=np.int64)
    own = np.concatenate([stage.families, stage.line_riders, fetched])
    own = own[day.ready_out[own]]
    closed = week.cut_off(day, OUT, own)
    riders, no_bus = own[pupils.mode[own] == LINE_BUS], pupils.mode[own] == LINE_BUS
    no_bus[no_bus] = np.isinf(day.legs[OUT].travel.minutes[stage.school_node[riders], stage.home_node[riders]])
    late = waits[np.isnan(day.left_out[0][waits])]  # nobody told them that no bus would come
    day.left_out[0][late], day.left_out[1][late] = now, _cause(week, day, late)
    kept = own[closed | no_bus]
    day.left_out[0][kept], day.left_out[1][kept] = now, np.where(closed, ROAD, WEATHER)[closed | no_bus]
    stays = np.append(waits, kept)
    day.stayed[stays], day.ready_out[stays] = now, False


def _cause(week: Week, day: Day, who: Ints) -> Ints:
    """Say why the bus of each of these pupils has not come by the evening: breakdown, weather, road, or the bus."""
    table = week.timetable
    run = table.run_of_stop[week.pupils.stop[OUT][who]]
    bus = np.array(table.bus, dtype=np.int64)
    broke = np.isin(bus[run], bus[~np.isnan(day.broke_down)])
    else_ = BUS if day.legs[OUT] is week.dry else WEATHER if day.sky[OUT] else ROAD
    return np.where(broke, BREAKDOWN, else_)


def sleep(week: Week, day: Day, now: float) -> None:
    """Lay lodgers into their beds and find beds for those who had to stay; who finds none sits up.

    A lodger who is ill lies in the dormitory, too, unless it is the first day of the week or the last.
    """
    pupils, last = week.pupils, day.number == week.days - 1
    stays = ~np.isnan(day.stayed)
    in_house = week.present(day.number, now) | (day.slept & ~day.came)
    lodgers = pupils.has_bed & (stays if last else in_house)
    day.to_bed[lodgers] = now
    guests = np.flatnonzero(stays & ~pupils.has_bed)
    day.to_bed[guests[_find_beds(week, guests, lodgers if last else pupils.has_bed, now)]] = now
    week.slept[day.number + 1] = lodgers | stays
    day.life_here[:] = week.luck.life_here[day.number]


def most_asked(week: Week) -> Ints:
    """Return the most beds that a night took at each school, of girls and boys, where anyone had to stay; (S, 2).

    0 elsewhere. With more beds than that nobody sleeps otherwise.
    """
    pupils, stays, most = week.pupils, ~np.isnan(week.diary.stayed), np.zeros(week.stage.beds.size, dtype=np.int64)
    place = pupils.school * 2 + pupils.sex
    for day, here in enumerate(stays):
        if not here.any():
            continue
        lodgers = pupils.has_bed & (here | (day < week.days - 1))
        guests, taken = (np.bincount(place[who], minlength=len(most)) for who in (here & ~pupils.has_bed, lodgers))
        most = np.maximum(most, np.where(guests > 0, guests + taken, 0))
    return most.reshape(-1, 2)


def _find_beds(week: Week, guests: Ints, lodgers: Bools, now: float) -> Bools:
    """Give emergency beds and the beds no lodger has to guests of each school and sex, the youngest first.

    Each line of guests passes the bed station; all of them come at the same minute and stay for the night.
    lodgers: (N,) whose beds are theirs tonight: all who have one, on the last day those who could not go home.
    """
    pupils, beds = week.pupils, week.stage.beds
    if not len(guests):
        return np.zeros(0, dtype=bool)
    taken = np.bincount((pupils.school * 2 + pupils.sex)[lodgers], minlength=beds.size)
    spare = np.maximum(beds.ravel() - taken, 0)
    found = np.zeros(len(guests), dtype=bool)
    place = pupils.school[guests] * 2 + pupils.sex[guests]
    order = np.lexsort((pupils.number[guests], pupils.grade[guests], place))
    for here in np.split(order, np.flatnonzero(np.diff(place[order])) + 1):
        found[here] = loss(np.full(len(here), now), np.full(len(here), MINUTES_PER_DAY), int(spare[place[here[0]]]))
    return found
