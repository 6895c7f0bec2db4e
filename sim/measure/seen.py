"""What is seen of a school in a week, as a fingerprint: where it is as before, so is every measure of the school."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.measure.scene import Scene
from sim.operate.diary import Diary
from sim.operate.pupils import IN
from sim.plan import Ints

Prints = NDArray[np.uint64]
Columns = tuple[Ints, Ints | slice]
"""Where those of each school begin, (S + 1,), and which they are."""
_FIRST, _SECOND, _STEP = (np.uint64(odd) for odd in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0x9E3779B97F4A7C15))
_HALF, _LAST = np.uint64(31), np.uint64(29)


class Fingerprints:
    """Fingerprints of the schools of a term, made of all that stations and measures may look at, and of nothing else.

    Two that differ in anything have the same by a chance of one in 2^64.
    """

    def __init__(self, scene: Scene) -> None:
        schools = len(scene.county.schools.id)
        self._of: dict[str, Columns] = {
            "pupil": (scene.pupils.first, slice(None)),
            "run": _by_school([*scene.table.schools], schools),
            "call": _by_school([{school} for school in scene.table.call_school], schools),
            "school": (np.arange(schools + 1), slice(None)),
        }
        self._lasting = np.zeros(schools, dtype=np.uint64)
        for who, page in _lasting(scene):
            self._mix_in(self._lasting, who, page)

    def of_week(self, diary: Diary) -> Prints:
        """Return the fingerprint of each school, (S,), given a diary in which nothing is told of stations."""
        found = self._lasting.copy()
        for kind in fields(diary):
            who, page = kind.metadata["who"], getattr(diary, kind.name)
            if who in self._of and kind.metadata["axis"] != "meal":
                self._mix_in(found, who, page)
        return found

    def _mix_in(self, prints: Prints, who: str, page: NDArray[Any]) -> None:
        ptr, columns = self._of[who]
        rows = page.reshape(-1, page.shape[-1])
        _mix(prints, ptr, rows.view(np.uint8 if rows.itemsize == 1 else np.uint64)[:, columns])


def _lasting(scene: Scene) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield what is the same on all days: whose it is, and columns."""
    pupils, plan, table = scene.pupils, scene.plan, scene.table
    yield from (("pupil", getattr(pupils, each.name)) for each in fields(pupils) if each.name != "first")
    yield from (("pupil", column) for column in (table.close_min, table.friday_min))
    yield "pupil", np.append(table.hold_min, np.nan)[pupils.stop[IN]]
    yield "run", plan.runs.late_min
    yield "school", plan.class_places
    for record in (plan.meals, plan.beds, plan.fixtures):
        yield from (("school", np.ascontiguousarray(getattr(record, each.name).T)) for each in fields(record))


def _by_school(called: list[set[int]] | list[frozenset[int]], schools: int) -> Columns:
    """Return the runs (or calls) of each school, given the schools of each."""
    run = np.repeat(np.arange(len(called)), [len(some) for some in called])
    school = np.array([one for some in called for one in some], dtype=np.int64)
    order = np.argsort(school, kind="stable")
    return np.searchsorted(school[order], np.arange(schools + 1)), run[order]


@njit(cache=True)
def _mix(prints: Prints, ptr: Ints, words: NDArray[Any]) -> None:
    """Mix the words of each school into its fingerprint, each by its place (the finalizer of SplitMix64)."""
    for s in range(len(prints)):
        found, place = prints[s] * _STEP, np.uint64(0)
        for row in range(words.shape[0]):
            for bits in words[row, ptr[s] : ptr[s + 1]]:
                place += _STEP
                word = (np.uint64(bits) ^ place) * _FIRST
                word = (word ^ (word >> _HALF)) * _SECOND
                found += word ^ (word >> _LAST)
        prints[s] = found ^ (found >> _HALF)
