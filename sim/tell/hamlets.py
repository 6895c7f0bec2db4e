"""Which hamlets fare worst: the longest planned ways to school by bus, and whose pupils change school by a closure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from sim.tell.grid import Cell, Grid, grid
from sim.tell.number import number
from sim.tell.run import Run
from sim.tell.trip import LAST_YOUNG, rides

MINUTES = 0.5
"""Ways that are over their limit by less are not told: timetables are whole minutes."""


@dataclass(frozen=True)
class Hamlets:
    """What the head page and its proof tell of hamlets, found once."""

    run: Run

    @cached_property
    def over(self) -> pd.DataFrame:
        """Return those whose planned way by school bus is over its limit in some year, as `bus_ways` does."""
        return self.ways[self.ways["over_min"] > MINUTES]

    @cached_property
    def ways(self) -> pd.DataFrame:
        """Return the planned ways of all hamlets that a school bus serves."""
        return bus_ways(self.run)

    @cached_property
    def moved(self) -> pd.Series[int]:
        """Return how often pupils of a hamlet change school because theirs closes."""
        return moves(self.run)

    def table(self, most: int, skip: int = 0) -> Grid:
        """Return the hamlets furthest over the limit, less the first ones: facts of places, no pupils are counted."""
        run, word = self.run, self.run.words
        rows = [
            (
                run.hamlet_names.get(str(row.hamlet_id), "") or str(row.hamlet_id),
                run.site(str(row.school_id), short=True),
                int(row.year),
                number(row.km, 1),
                number(row.door_min, 0),
                number(row.limit_min, 0),
                Cell(number(row.over_min, 0), "bad"),
                self._moves(row.hamlet_id),
            )
            for row in self.over.iloc[skip:most].itertuples()
        ]
        names = ("hamlet", "goes_to", "year", "way_km", "door_min", "limit_min", "over_min", "closure_moves")
        return grid([word(f"column.{each}") for each in names], rows, (2, 3, 4, 5, 6))

    def _moves(self, hamlet: object) -> str:
        count = self.moved.get(hamlet, 0)
        return self.run.words("head.moved", count=count) if count else self.run.words("head.stays")


def bus_ways(run: Run) -> pd.DataFrame:
    """Return one row per hamlet that a school bus serves, the one furthest over its limit first.

    Columns: hamlet_id, school_id, year (in which it is longest over its limit), km, door_min (from the door to the
    school as planned: walk, wait and ride where the limit counts all of them), limit_min, over_min (negative:
    within the limit).
    """
    fleet = run.settings.fleet
    places = run.ways
    riding = places[places["mode"] == "school_bus"].drop(columns="mode")
    ride = rides(run).rename("door_min").reset_index().rename(columns={"stop_id": "hamlet_id"})
    ways = riding.merge(ride, on=["year", "school_id", "hamlet_id"])
    if fleet.limit_includes_walk_and_wait:
        ways["door_min"] += fleet.walk_to_stop_min + fleet.wait_at_stop_min
    young = ways["grade"] <= LAST_YOUNG
    ways["limit_min"] = young.map({True: fleet.ride_limit_young_min, False: fleet.ride_limit_older_min})
    ways["over_min"] = ways["door_min"] - ways["limit_min"]
    worst = ways.sort_values(["over_min", "hamlet_id"], ascending=[False, True], kind="stable")
    return worst.drop_duplicates("hamlet_id").drop(columns="grade").reset_index(drop=True)


def moves(run: Run) -> pd.Series[int]:
    """Return by hamlet how often pupils of one grade are sent to another school because theirs closed."""
    closed = run.last_decisions
    closed = closed.loc[closed["decision"] == "close", "school_id"]
    schools, hamlets = run.schools, run.hamlets["school_id"]
    last, first = (schools[f"{end}_grade"].astype(float) for end in ("last", "first"))
    groups = run.ways[["hamlet_id", "grade", "year", "school_id"]].drop_duplicates(["hamlet_id", "grade", "year"])
    groups = groups.astype({"school_id": object, "hamlet_id": object})
    groups = groups.sort_values(["hamlet_id", "grade", "year"], kind="stable")
    today = groups["hamlet_id"].map(hamlets)
    own = today.where(groups["grade"].between(today.map(first), today.map(last)))
    before = groups.groupby(["hamlet_id", "grade"], observed=True)["school_id"].shift().fillna(own)
    moved = before.isin(closed) & (groups["school_id"] != before)
    counts = moved.groupby([groups["hamlet_id"], groups["grade"]], observed=True).sum()
    most = counts.groupby("hamlet_id", observed=True).max()
    return most[most > 0]
