"""A bus in its yard: compiled; how its half day begins and ends, and which half day is its next one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from sim.operate.half import BEGIN, FREE, HOME, NEXT, WANTED, YARD
from sim.operate.sheet import Sheet

Row = Any
"""A row of `HALF`."""


@njit(cache=True)
def in_yard(sheet: Sheet, bus: Row) -> float:
    """Begin or end the half day of a bus; return NaN: the next thing follows at once."""
    if bus.stage == BEGIN:
        _begin(sheet, bus)
    elif bus.stage == HOME:
        _home(sheet, bus)
    else:
        _done(sheet, bus)
    return np.nan


@njit(cache=True)
def _begin(sheet: Sheet, bus: Row) -> None:
    """Begin the half day of a bus in its yard, when it is home and repaired from the one before."""
    plan, times, number = sheet.plan, sheet.times, bus.bus
    bus.km_left, bus.repair_min = times.break_km[number], times.repair_min[number]
    bus.runs = sheet.rota.runs[number]
    bus.at, bus.free = plan.yard[number], max(bus.now, plan.ready[number])
    bus.broke_min = np.inf if plan.repaired[number] >= bus.now else 0.0
    bus.weather_min, bus.nth, bus.last, bus.broken_run, bus.spare_left = 0.0, 0, -1, -1, -1.0
    bus.stage = NEXT


@njit(cache=True)
def _done(sheet: Sheet, bus: Row) -> None:
    """End the runs of a bus: it may be wanted for those whom others left behind, before it drives home."""
    bus.stage = HOME
    if bus.last >= 0 and sheet.plan.stranded[sheet.number // 2] > 0:
        bus.stage, bus.then = WANTED, HOME


@njit(cache=True)
def _home(sheet: Sheet, bus: Row) -> None:
    """Drive home to the yard, if the bus left it; until when a spare bus is lent, somebody has to see to that."""
    plan, pages, number, last = sheet.plan, sheet.pages, bus.bus, bus.last
    bus.stage = FREE if bus.spare_left >= 0 else YARD
    if last < 0:
        return
    minutes, _, km = sheet.course.ways
    bus.minute = bus.now + minutes[bus.at, plan.yard[number]]
    pages.empty_km[last] += km[bus.at, plan.yard[number]]
    pages.came_home[number], plan.ready[number] = bus.minute, max(bus.minute, plan.ready[number])
    if bus.broken_run >= 0:
        plan.repaired[number] = plan.ready[number]


@njit(cache=True)
def next_half_day(sheets: tuple[Sheet, ...], bus: Row) -> None:
    """Begin the next half day on which a bus drives, unless somebody has to see to it before."""
    end = 2 * len(sheets[0].plan.stranded)
    while bus.stage == YARD:
        if bus.sheet + 1 == end or sheets[bus.sheet + 1].rota.asks[bus.bus]:
            bus.stage = FREE
        else:
            bus.sheet += 1
            if sheets[bus.sheet].rota.runs[bus.bus] > 0:
                bus.stage = BEGIN
