"""Half a day of one bus: what it is, and what has happened to it so far."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from sim.county.road import Travel
from sim.operate.drive import Track
from sim.operate.legs import Legs

if TYPE_CHECKING:
    from sim.operate.day import Day


@dataclass(slots=True)
class Half:
    """A morning or an afternoon of one bus, or a second drive."""

    day: Day
    way: int
    seats: int
    track: Track
    borrowed: ExitStack
    """Gives the spare bus back at the end."""
    bus: int = -1
    repair_min: float = 0.0
    km_left: float = inf
    """Km until it breaks down."""
    at: int = -1
    """Node where it is."""
    free: float = 0.0
    """Minute at which it is free."""
    leave: float = 0.0
    """Minute at which it leaves for a run, and when it is there."""
    there: float = 0.0
    empty_km: float = 0.0
    weather_min: float = 0.0
    """Minutes it is behind because of the weather."""
    broke_min: float = 0.0
    """Minutes it is behind because it broke down; inf: as many as it is behind, it is not home from the last repair."""
    broken_run: int = -1
    spare_left: float = -1.0
    legs: Legs = field(init=False)
    """The legs in the weather of this half of the day."""

    def __post_init__(self) -> None:
        self.legs = self.day.legs[self.way]

    @property
    def is_second(self) -> bool:
        """Tell whether this is a drive for those another one left behind."""
        return self.track is not self.day.track


class Place(NamedTuple):
    """Where and when a bus breaks down, and with how many pupils aboard."""

    begin: int
    """Node at which the leg began."""
    end: int
    share: float
    """Share of the leg that is driven."""
    minute: float
    aboard: int

    def way(self, travel: Travel, node: int) -> tuple[float, float]:
        """Return minutes and km of the shortest way from a node to here, from either end of the leg."""
        leg, km = travel.minutes.item(self.begin, self.end), travel.km.item(self.begin, self.end)
        before = travel.minutes.item(node, self.begin) + self.share * leg
        after = travel.minutes.item(node, self.end) + (1 - self.share) * leg
        if before <= after:
            return before, travel.km.item(node, self.begin) + self.share * km
        return after, travel.km.item(node, self.end) + (1 - self.share) * km


def where(km: float, legs: Legs, stops: tuple[int, int]) -> tuple[int, float]:
    """Return on which leg a bus is after so many km of a run, and which share of the leg it has driven."""
    for p in range(*stops):
        if km < legs.km[p]:
            return p, float(km / legs.km[p])
        km -= legs.km[p]
    return stops[1] - 1, 1.0
