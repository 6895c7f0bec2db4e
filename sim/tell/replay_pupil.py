"""How many pupils wait, ride, are at school, queue, eat or lie in bed at every minute of a kept day."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.tell.cells import FEWEST
from sim.tell.replay_day import EPS_MIN, MEALS, Day, Floats

Ints = NDArray[np.int64]
Span = tuple[Floats, Floats]
"""(N,) from when and until when each pupil is in a state; NaN or an end before the beginning: not at all."""
STATES = ("waiting", "aboard", "left", "school", "line", "eating", "bed")
"""At the stop, on the bus, left behind, at school, of these in the canteen's line and eating, in bed."""
OF_SCHOOLS = ("school", "line", "eating", "bed")
OF_HAMLETS = ("waiting", "aboard", "left", "school", "bed")
FIRST_JUNIOR_GRADE = 7
NIGHT_MIN = 15
"""Minutes that are told after the last event: those in bed are seen for a while."""
FEW = 1
"""Stands for one to four pupils on public pages."""


class Crowd:
    """The pupils of a day, counted."""

    def __init__(self, day: Day) -> None:
        self.day, self.pupils = day, day.pupils
        minutes = np.concatenate(
            [np.zeros(1), *(told.to_numpy() for name, told in day.events.items() if name != "load")]
        )
        bells = day.run.settings.bells
        self.first = int(min(minutes[minutes > 0].min(initial=bells.primary_first_min), bells.primary_first_min))
        self.last = int(np.ceil(minutes.max(initial=bells.lights_out_min))) + NIGHT_MIN

    @cached_property
    def stop(self) -> dict[str, pd.Series[int]]:
        """Return for both ways the row of `Day.calls` at which each pupil embarked (in) or was to alight (out)."""
        pupils = self.pupils
        home = pupils["carried_on"].fillna(pupils["alighted_out"])
        return {
            "in": self._stop("in", pupils["embarked_in"], pupils["alighted_in"]),
            "out": self._stop("out", home, pupils["embarked_out"]),
        }

    def _stop(self, way: str, at_stop: pd.Series[float], at_gate: pd.Series[float]) -> pd.Series[int]:
        """Return the stop where a bus stood at one minute, and at the pupil's school at another; -1 for none.

        One in the own hamlet goes first. Who has none was fetched by a second drive, whose stops the log does not tell.
        """
        calls = self.day.calls[self.day.calls["direction"] == way].rename_axis("call").reset_index()
        stops = calls.loc[~calls["at_school"], ["call", "run_id", "school_id", "stop_id", "arrived", "departed"]]
        gates = calls.loc[calls["at_school"], ["run_id", "school_id", "took_bay", "departed"]]
        stops = stops.merge(gates, on=["run_id", "school_id"], suffixes=("", "_gate"))
        who = self.pupils[["hamlet", "school"]].assign(at_stop=at_stop, at_gate=at_gate).dropna()
        pairs = who.rename_axis("pupil").reset_index().merge(stops, left_on="school", right_on="school_id")
        there = pairs["at_stop"].between(pairs["arrived"] - EPS_MIN, pairs["departed"] + EPS_MIN)
        there &= pairs["at_gate"].between(pairs["took_bay"] - EPS_MIN, pairs["departed_gate"] + EPS_MIN)
        pairs = pairs[there].assign(elsewhere=pairs["hamlet"] != pairs["stop_id"])
        found = pairs.sort_values("elsewhere", kind="stable").drop_duplicates("pupil").set_index("pupil")["call"]
        return found.reindex(self.pupils.index, fill_value=-1)

    def _spans(self) -> Iterator[tuple[str, Span]]:
        """Yield the spans of time that pupils spend in each state; a state may come more than once."""
        pupils = {name: column.to_numpy() for name, column in self.pupils.items()}
        yield "waiting", (self._at_stop(), pupils["embarked_in"])
        for way in ("in", "out"):
            yield "aboard", (pupils[f"embarked_{way}"], _or_for_ever(pupils[f"alighted_{way}"]))
            yield "left", self._left(way)
        yield "school", self._at_school()
        for meal in MEALS:
            queued, seated, left, bell, short = (
                pupils[f"{name}_{meal}"] for name in ("queued", "seated", "left", "bell", "short")
            )
            until = np.where(np.isnan(seated), np.where(np.isnan(left), bell, left), seated)
            yield "line", (np.where(np.isnan(short), queued, np.nan), until)
            yield "eating", (seated, left)
        yield "bed", (pupils["to_bed"], np.full(len(self.pupils), np.inf))

    def _at_stop(self) -> Floats:
        """Return since when riders wait for the bus to school: as long before it is to leave as is planned."""
        leaves = np.append(self.day.calls["depart_min"].to_numpy(), np.nan)
        return np.asarray(leaves[self.stop["in"]] - self.day.run.settings.fleet.wait_at_stop_min)

    def _left(self, way: str) -> Span:
        """Return from when until when a pupil is left behind: until a bus comes, or no second bus may set out."""
        settings, pupils = self.day.run.settings, self.pupils
        left, fetched = pupils[f"left_{way}"].to_numpy(), pupils[f"embarked_{way}"].to_numpy()
        if way == "in":
            latest = settings.fleet.second_run_latest_min
            of_lodgers = settings.bells.lodger_monday_min + latest - settings.bells.primary_first_min
            gives_up = np.where(left < latest, latest, of_lodgers)
        else:
            gives_up = np.full(len(left), settings.fleet.second_run_home_latest_min)
        return left, np.where(fetched > left, fetched, gives_up)

    def _at_school(self) -> Span:
        """Return from when until when pupils are at school and not yet in bed, (N,) each.

        The log has no minute for those who walk or are brought: they are there from their first bell to their last.
        """
        pupils, bells = self.pupils, self.day.run.settings.bells
        junior = pupils["grade"].to_numpy() >= FIRST_JUNIOR_GRADE
        lodges, slept = (pupils[name].notna().to_numpy() for name in ("to_bed", "slept"))
        first = np.where(junior, bells.junior_first_min, bells.primary_first_min)
        first = np.where(lodges & (self.day.day == 1), bells.lodger_monday_min, first)
        came = pupils["alighted_in"].fillna(pupils["line_in"]).to_numpy()
        begin = np.where(slept, 0.0, np.where(np.isnan(came), first, came))
        last = np.where(junior, bells.junior_close_min, bells.primary_close_min)
        last = np.where(slept & ~lodges, bells.lodger_friday_min, last)
        goes = pupils["embarked_out"].fillna(pupils["to_bed"]).to_numpy()
        last = np.where(pupils["stayed"].notna(), np.inf, last)
        end = np.where(np.isnan(goes), last, goes)
        return np.where(pupils["attended"].notna(), begin, np.nan), end

    @cached_property
    def county(self) -> dict[str, Ints]:
        """Return how many pupils of the county are in each state at every minute from `first` to `last`."""
        everyone = np.zeros(len(self.pupils), dtype=np.int64)
        return {state: rows[0] for state, rows in self._counted(everyone, 1).items()}

    def by(self, column: str, names: pd.Index[str]) -> dict[str, Ints]:
        """Return the same by hamlet or school; (groups, minutes) for each state."""
        return self._counted(names.get_indexer(self.pupils[column]), len(names))

    def _counted(self, group: Ints, groups: int) -> dict[str, Ints]:
        found = {state: np.zeros((groups, self.last - self.first + 2), dtype=np.int64) for state in STATES}
        for state, (begin, end) in self._spans():
            some = (begin < end) & (group >= 0)
            for sign, minute in ((1, begin[some]), (-1, end[some])):
                column = np.clip(np.ceil(minute - EPS_MIN) - self.first, 0, self.last - self.first + 1).astype(np.int64)
                np.add.at(found[state], (group[some], column), sign)
        return {state: changes.cumsum(axis=1)[:, :-1] for state, changes in found.items()}


def _or_for_ever(minute: Floats) -> Floats:
    return np.where(np.isnan(minute), np.inf, minute)


def banded(pupils: Ints, public: bool) -> Ints:
    """Return counts as they are told: on public pages FEW stands for 1-4, others are rounded down to a multiple of 5.

    So neither a count nor what changes from one stop or minute to the next tells of a small group how small it is.
    """
    if not public:
        return pupils
    return np.where(pupils < FEWEST, np.minimum(pupils, FEW), pupils // FEWEST * FEWEST)
