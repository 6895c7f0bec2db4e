"""Half a day of one bus: what it is, and what has happened to it so far; a row that compiled code reads and writes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sim.county.road import Travel

BEGIN, NEXT, LEAVE, START, PIECE, GATE, DRIVE, REST, DONE, HOME, YARD, BROKEN, BEHIND, LATE, WANTED, FREE = range(16)
"""What comes next for a bus: its half day, its next run, the leaving for it, the first stop, a piece of the run, a
gate, the stops of a piece, those after a breakdown, the end of its runs, its way home, its next half day. From BROKEN
on somebody has to see to it: it breaks down, has left pupils behind, is too late for a run, may be wanted for those
whom others left behind, or is free."""

HALF = np.dtype([
    ("sheet", "i8"),  # which half day of the week: 2 x day + direction
    ("bus", "i8"),  # -1: a second drive
    ("rank", "i8"),  # of those that come to a gate at the same minute the lowest is first
    ("seats", "i8"),
    ("runs", "i8"),  # how many runs it has to drive
    ("repair_min", "f8"),
    ("km_left", "f8"),  # km until it breaks down
    ("at", "i8"),  # node where it is
    ("free", "f8"),  # minute at which it is free
    ("broke_min", "f8"),  # minutes it is behind because it broke down; inf: it is not home from the last repair
    ("run", "i8"),  # which run it drives
    ("clock", "f8"),  # minute of the week to which it is driven
    ("stage", "i8"),  # what comes next
    ("then", "i8"),  # what comes after somebody has seen to it
    ("last", "i8"),  # the last run that it drove, -1: none yet
    ("broken_run", "i8"),
    ("spare_left", "f8"),
    ("nth", "i8"),  # how many of its runs it has begun
    ("now", "f8"),  # minute on the clock of the county
    ("leave", "f8"),  # minute at which it leaves for the run
    ("empty_km", "f8"),
    ("weather_min", "f8"),  # minutes it is behind because of the weather
    ("piece", "i8"),  # position of the piece of the run
    ("at_gate", "f8"),  # when it came to the gate with which the piece begins
    ("aboard", "i8"),
    ("behind", "i8"),  # pupils it left behind
    ("begin", "i8"),  # node at which the leg began on which it breaks down, and where it ends
    ("end", "i8"),
    ("stop", "i8"),  # the stop of this leg
    ("share", "f8"),  # share of the leg that is driven by then
    ("minute", "f8"),  # when that is
])  # fmt: skip

UNUSED = (0, -1, -1, -1.0, *(0,) * 14)
"""What nothing has happened to yet: the values from `then` on."""


class Place(NamedTuple):
    """Where a bus breaks down."""

    begin: int
    """Node at which the leg began."""
    end: int
    share: float
    """Share of the leg that is driven."""

    def way(self, travel: Travel, node: int) -> tuple[float, float]:
        """Return minutes and km of the shortest way from a node to here, from either end of the leg."""
        leg, km = travel.minutes.item(self.begin, self.end), travel.km.item(self.begin, self.end)
        before = travel.minutes.item(node, self.begin) + self.share * leg
        after = travel.minutes.item(node, self.end) + (1 - self.share) * leg
        if before <= after:
            return before, travel.km.item(node, self.begin) + self.share * km
        return after, travel.km.item(node, self.end) + (1 - self.share) * km
