"""The clock of the county: SimPy's, by which the buses under way are moved before each thing that happens."""

from __future__ import annotations

from heapq import heappush
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy
from simpy.events import NORMAL

from sim.operate.half import HALF
from sim.operate.sheet import plan, sheet
from sim.operate.traffic import END, UnderWay, move

if TYPE_CHECKING:
    from sim.operate.day import Week

DAYS = 7
"""Compiled code knows one number of half days only; a shorter week leaves the last ones out."""


class Clock(simpy.Environment):
    """A SimPy environment that moves the buses, in compiled code, up to each of its events."""

    def __init__(self, week: Week) -> None:
        super().__init__()
        buses, crews = len(week.timetable.yard), week.days * week.timetable.spare_buses
        rows = 2 * buses + crews + 1  # each bus or spare bus may drive a second time
        self.halves = np.zeros(rows, dtype=HALF)
        self.half: Any = SimpleNamespace(**{name: self.halves[name] for name in HALF.names or ()})  # by column: faster
        self.half.bus[:buses] = range(buses)
        self.half.rank[:buses], self.half.seats[:buses] = range(1, buses + 1), week.timetable.bus_seats
        self.free_rows = list(range(buses, rows))
        self._ask, self._until = np.array([-1, 0]), np.array([0.0, np.inf])
        due = np.full(rows, np.inf)
        way = UnderWay(self.halves, due, np.zeros(rows, np.int64), np.zeros(rows, np.int64), self._ask, self._until)
        common = plan(week)
        sheets = [sheet(week, common, day, w) for day in week.by_day for w in (0, 1)]
        self._mover = move((*sheets, *sheets[-1:] * (2 * DAYS - len(sheets))), way)
        self._seen: dict[int, simpy.Event] = {}

    def end(self) -> None:
        """Let go of all pages: compiled code that waits to be asked would hold them for good, and we for long.

        Spare buses hold the clock that they run by, and themselves, until somebody looks for garbage.
        """
        self._ask[0] = END
        next(self._mover, None)
        del self._mover

    def drives_on(self, row: int) -> bool:
        """Let a bus drive on from this minute; return whether it is under way, else somebody has to see to it."""
        self.half.now[row] = self.now
        self._ask[0] = row
        return next(self._mover) < 0

    def seen(self, row: int) -> simpy.Event:
        """Return the event that somebody has to see to a bus that is under way."""
        event = self._seen[row] = simpy.Event(self)
        return event

    def step(self) -> None:
        """Move the buses up to the next event; if one of them needs somebody before, that is the next event."""
        until = self.peek()
        if self._until.item(1) < until:
            self._move(until)
        super().step()

    def _move(self, until: float) -> None:
        self._until[0] = until
        row = next(self._mover)
        if row >= 0:
            event = self._seen.pop(row)
            event._ok, event._value = True, None
            heappush(self._queue, (self.half.now.item(row), NORMAL, next(self._eid), event))
