"""The diary of a week: what happened to whom and when; the only thing a simulation says.

Each kind of event is a table of times, one column per pupil (or stop, or run), one row per day; NaN or a
negative number says that it did not happen. A wide log costs no Python per pupil; for days that are kept it
unrolls into one long table of events (`events`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MEALS = ("breakfast", "lunch", "dinner")
BREAKFAST, LUNCH, DINNER = range(3)

PUPIL_EVENTS = ("embarked_in", "alighted_in", "embarked_out", "alighted_out", "to_bed")
MEAL_EVENTS = ("queued", "served", "seated", "left")
STOP_EVENTS = ("arrived", "departed")
RUN_EVENTS = ("left_yard", "reached_gate", "took_bay", "freed_bay")


@dataclass(slots=True)
class Diary:
    """What one week tells; D days, N pupils, P stops, R runs, B buses. Times are minutes of the week."""

    came: Bools
    """(D, N) not ill."""
    attended: Bools
    """(D, N) was at school at noon."""
    embarked_in: Floats
    alighted_in: Floats
    embarked_out: Floats
    alighted_out: Floats
    fetched: Bools
    """(2, D, N) was left behind and then fetched by a second run or a spare bus."""
    queued: Floats
    """(3, D, N) at the hall, for each of MEALS."""
    served: Floats
    seated: Floats
    left: Floats
    bell: Floats
    """(3, D, N) the bell of the sitting the pupil had."""
    arrived: Floats
    """(D, P) bus at the stop."""
    departed: Floats
    load: Ints
    """(D, P) pupils aboard after the stop."""
    left_yard: Floats
    """(D, R) the bus sets out for the run."""
    reached_gate: Floats
    took_bay: Floats
    freed_bay: Floats
    empty_km: Floats
    """(D, R) km driven empty for the run, the way home of the last run included."""
    second_km: Floats
    """(D, R) km of the second run that fetched whom the run left behind."""
    to_bed: Floats
    """(D, N) lies in a bed of the dormitory at lights-out."""
    bus_min: Floats
    """(D, B) minutes from leaving the yard to being back, over morning and afternoon."""

    def events(
        self, day: int, pupil_id: NDArray[np.str_], run_id: NDArray[np.str_], stop_id: NDArray[np.str_]
    ) -> pd.DataFrame:
        """Unroll one day into a long table: minute of the week, event, who (pupil, run or stop), sorted by time."""
        parts = [_long(name, getattr(self, name)[day], pupil_id) for name in PUPIL_EVENTS]
        for name in MEAL_EVENTS:
            for meal, label in enumerate(MEALS):
                parts.append(_long(f"{name}_{label}", getattr(self, name)[meal, day], pupil_id))
        parts += [_long(name, getattr(self, name)[day], run_id) for name in RUN_EVENTS]
        parts += [_long(f"bus_{name}", getattr(self, name)[day], stop_id) for name in STOP_EVENTS]
        return pd.concat(parts).sort_values(["minute", "event", "who"], ignore_index=True)


def _long(event: str, times: Floats, who: NDArray[np.str_]) -> pd.DataFrame:
    happened = np.flatnonzero(~np.isnan(times))
    return pd.DataFrame({"minute": times[happened], "event": event, "who": who[happened]})


def blank(days: int, pupils: int, stops: int, runs: int, buses: int) -> Diary:
    """Return an empty diary of the given size."""

    def times(*shape: int) -> Floats:
        return np.full(shape, np.nan)

    return Diary(
        came=np.zeros((days, pupils), dtype=bool),
        attended=np.zeros((days, pupils), dtype=bool),
        embarked_in=times(days, pupils),
        alighted_in=times(days, pupils),
        embarked_out=times(days, pupils),
        alighted_out=times(days, pupils),
        fetched=np.zeros((2, days, pupils), dtype=bool),
        queued=times(3, days, pupils),
        served=times(3, days, pupils),
        seated=times(3, days, pupils),
        left=times(3, days, pupils),
        bell=times(3, days, pupils),
        arrived=times(days, stops),
        departed=times(days, stops),
        load=np.zeros((days, stops), dtype=np.int64),
        left_yard=times(days, runs),
        reached_gate=times(days, runs),
        took_bay=times(days, runs),
        freed_bay=times(days, runs),
        empty_km=np.zeros((days, runs)),
        second_km=np.zeros((days, runs)),
        to_bed=times(days, pupils),
        bus_min=np.zeros((days, buses)),
    )
