"""What the buses of a morning have to do, and the duties that do it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.errors import BadInput
from sim.plan import Bools, Floats, Ints, freeze

EPS = 1e-6


@dataclass(frozen=True, slots=True)
class Problem:
    """Stops, schools and buses of one morning: n stops, s schools, N places, k kinds of bus.

    A bus arrives at a school within its window, may wait anywhere, and never drives a pupil for longer than the
    limit of the stop (arrival at the stop to arrival at the school). Everyone on board for a school alights there.
    The times between places must be shortest ways (a detour is never quicker).
    """

    node: Ints
    """(n,) place of each stop."""
    school: Ints
    """(n,) school of the pupils of each stop."""
    load: Floats
    """(n,) pupils."""
    dwell_min: Floats
    """(n,) how long a bus stands at the stop."""
    limit_min: Floats
    """(n,) longest ride."""
    unload_pupils_min: Floats
    """(n,) what the pupils of the stop add to the stay of the bus at their school."""
    gate: Ints
    """(s,) place of each school."""
    opens_min: Floats
    closes_min: Floats
    """(s,) window of arrival, minutes after midnight."""
    unload_min: Floats
    """(s,) how long a bus stays at a school, whoever alights (with any turnaround)."""
    minutes: Floats
    """(N, N) driving minutes between places."""
    price: Floats
    """(N, N) what a way costs; duties are chosen for few buses first, then for a low price."""
    seats: Ints
    """(k,) seats of each kind of bus, ascending."""
    buses: Ints
    """(k,) buses there are of each kind, -1 for as many as one likes."""
    bus_price: Floats
    """(k,) what a duty of each kind of bus costs beside its ways."""
    yards: Ints
    """(y,) places from which buses come and to which they return; a duty counts the nearest. None: () ."""
    mixed: bool = False
    """Whether pupils of several schools may be on board together."""
    again: bool = True
    """Whether a bus may visit a school twice."""
    apart: Bools | None = None
    """(s, s) True for two schools that may not share a bus; None: all may."""

    def __post_init__(self) -> None:
        freeze(self)
        self._check()

    def _check(self) -> None:
        """Refuse a problem that no duties can solve, naming the stops and schools."""
        most = self.seats[self.buses != 0].max(initial=0)
        far = self.dwell_min + self.minutes[self.node, self.gate[self.school]] > self.limit_min + EPS
        wrong = {
            "there is no bus with a seat": most <= 0,
            "the kinds of bus must be in ascending order of seats": bool((np.diff(self.seats) < 0).any()),
            f"a stop has more pupils than the largest bus has seats: {_some(self.load > most)}": (
                self.load > most
            ).any(),
            f"a stop is too far from its school for its limit: {_some(far)}": far.any(),
            f"a school's window closes before it opens: {_some(self.closes_min < self.opens_min)}": (
                self.closes_min < self.opens_min
            ).any(),
        }
        if any(wrong.values()):
            raise BadInput(*(f"buses: {message}" for message, is_so in wrong.items() if is_so))


@dataclass(frozen=True, slots=True)
class Event:
    """What a bus does at one place: a stop, or a visit to a school."""

    stop: int
    """Position of the stop, -1 for a school."""
    school: int
    """School that is visited, or to which the pupils of the stop go."""
    arrive_min: float
    leave_min: float


@dataclass(frozen=True, slots=True)
class Duty:
    """What one bus does in a morning, in order."""

    kind: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Duties:
    """Duties that serve every stop."""

    duties: tuple[Duty, ...]
    price: float
    """What all ways (and kinds of bus) cost, with the ways from and to the yards."""
    short: int
    """Duties for which there is no bus."""


def _some(which: Bools) -> str:
    return ", ".join(f"number {nr + 1}" for nr in np.flatnonzero(which)[:10])
