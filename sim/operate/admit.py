"""Beds for a term: who of those who ask gets one, and how the waiting list moves up in the second term.

A room is for one sex and one band of grades. Those who ask come in order of priority; each takes a bed in a room
that their band holds already, else the first empty room, else waits. So beds may stay empty in one band's rooms
while another band waits: that is what keeping the little ones apart costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from sim.config import Lodge
from sim.plan import Beds, Bools, Floats, Ints, freeze
from sim.plan.lodge import rooms
from sim.streams import Owners

GRADES_OF_A_BAND = 3
"""Grades 1-3, 4-6 and 7-9 sleep apart."""
_NOBODY = -1


@dataclass(frozen=True, slots=True)
class Asks:
    """Who asks for a bed, and what decides whether they get it; one entry for each pupil, N in all."""

    wants: Bools
    """(N,) asks for a bed."""
    school: Ints
    sex: Ints
    grade: Ints
    km: Floats
    hardship: Bools
    leaves: Bools
    """(N,) gives up the bed, or the wait for one, after the first term."""
    number: Owners
    """(N,) the stable number that owns the pupil's luck; it decides where nothing else does."""

    def __post_init__(self) -> None:
        freeze(self)


def admit(lodge: Lodge, beds: Beds, asks: Asks, term: int) -> Bools:
    """Say who has a bed in a term (1 or 2); shape (N,).

    The second term begins where the first ended: who leaves frees a bed, a room left by all is anyone's, and
    those who still wait come in the same order as before. Nobody who stays loses the bed.
    """
    turn = _turns(lodge, asks)
    dormitory = asks.school[turn] * beds.nominal.shape[1] + asks.sex[turn]
    band = (asks.grade[turn] - 1) // GRADES_OF_A_BAND
    first, size = rooms(lodge, beds)
    free, held_by = size.copy(), np.full(len(size), _NOBODY)
    room = _move_in(dormitory, band, first, free, held_by)
    if term > 1:
        leaves = asks.leaves[turn]
        np.add.at(free, room[leaves & (room >= 0)], 1)
        held_by[free == size] = _NOBODY
        waits = ~leaves & (room < 0)
        room[waits] = _move_in(dormitory[waits], band[waits], first, free, held_by)
        room[leaves] = -1
    has_bed = np.zeros(len(asks.wants), dtype=bool)
    has_bed[turn] = room >= 0
    return has_bed


def _turns(lodge: Lodge, asks: Asks) -> Ints:
    """Return the rows of those who ask in the order in which beds are given; ties by number."""
    who = np.flatnonzero(asks.wants)
    first = {"distance": -asks.km, "grade": -asks.grade, "hardship": ~asks.hardship}
    keys = (asks.number, *(first[name] for name in reversed(lodge.priority)))
    return who[np.lexsort([key[who] for key in keys])]


@njit(cache=True)
def _move_in(dormitory: Ints, band: Ints, first: Ints, free: Ints, held_by: Ints) -> Ints:
    """Give rooms to those who come one after another; (n,) the room of each, -1 for who waits.

    dormitory, band: (n,); first: (dormitories + 1,) first room of each; free, held_by: (rooms,) free beds and
    the band in each room, brought up to date.
    """
    room = np.full(len(dormitory), -1)
    for i in range(len(dormitory)):
        for k in range(first[dormitory[i]], first[dormitory[i] + 1]):
            if held_by[k] == band[i] and free[k] > 0:
                room[i] = k
                break
            if held_by[k] == _NOBODY and room[i] < 0:
                room[i] = k
        if room[i] >= 0:
            held_by[room[i]] = band[i]
            free[room[i]] -= 1
    return room
