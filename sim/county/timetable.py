"""Checks of the runs a county's buses drive today (runs.csv): places in order, times forward, one bus of one size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from sim.tables.check import Problem

FILE = "runs.csv"
OF_RUN = ("bus_id", "service", "direction", "days")
OF_BUS = ("seats", "rated")
NEEDED = ["service", "direction", "days", "school_id", "seq", "stop_id"]
DAYS = {("lodger", "in"): "mon", ("lodger", "out"): "fri"}
AT_STOPS = {"in": ("embark", "alight"), "out": ("alight", "embark")}
"""What pupils do at the stops of a run, and what at its school."""
ROUNDING_PUPILS = 0.01


def given_runs(frames: Mapping[str, pd.DataFrame]) -> Iterator[Problem]:
    """Yield what is wrong within runs.csv; cells that cannot be read are told elsewhere."""
    runs = frames["runs"]
    if not len(runs):
        return
    year = runs["year"].astype("float64").fillna(0)
    for _, rows in runs.groupby([year, runs["run_id"]], sort=False):
        if rows[NEEDED].isna().any(axis=None):
            continue  # it cannot be read: told already
        yield from _one_of_each(rows, OF_RUN, "run")
        yield from _days(rows)
        yield from (misplaced := list(_places(rows, set(frames["hamlets"]["hamlet_id"]))))
        yield from _times(rows)
        if not misplaced:
            yield from _pupils(rows)
    for _, rows in runs[runs["seats"].notna()].groupby([year, runs["bus_id"].replace("", None)], sort=False):
        yield from _one_of_each(rows, OF_BUS, "bus")


def _one_of_each(rows: pd.DataFrame, names: tuple[str, ...], what: str) -> Iterator[Problem]:
    """A run has one bus and direction, a bus one number of seats: on all its rows."""
    for name in names:
        values = rows[name].astype(object).where(rows[name].notna(), "")
        for row in rows.index[values != values.iloc[0]][:1]:
            says = (
                f"'{values[row]}', but row {rows.index[0]} of the same {what} has '{values.iloc[0]}'; use one of them"
            )
            yield Problem(FILE, int(row), name, says)


def _days(rows: pd.DataFrame) -> Iterator[Problem]:
    row, first = int(rows.index[0]), rows.iloc[0]
    right = DAYS.get((first["service"], first["direction"]), "mon_fri")
    if first["days"] != right:
        says = f"'{first['days']}' does not fit service {first['service']}, direction {first['direction']}; use {right}"
        yield Problem(FILE, row, "days", says)


def _places(rows: pd.DataFrame, hamlets: set[str]) -> Iterator[Problem]:
    """Places are numbered from 0 without a gap; one end is a school, the other a hamlet; between them are both."""
    rows = rows.sort_values("seq", kind="stable")
    for wanted, (row, seq) in enumerate(rows["seq"].items()):
        if seq != wanted:
            says = f"{seq:.0f} follows {wanted - 1}; number the places of the run from 0, none left out"
            yield Problem(FILE, int(row), "seq", says)
            break
    end, where = (-1, "last") if rows["direction"].iloc[0] == "in" else (0, "first")
    gate, school = rows.index[end], rows["school_id"].iloc[end]
    if rows.at[gate, "stop_id"] != school:
        says = f"'{rows.at[gate, 'stop_id']}' is not the school '{school}', which must be the {where} place of the run"
        yield Problem(FILE, int(gate), "stop_id", says)
    elif len(rows) == 1:
        yield Problem(FILE, int(gate), "stop_id", "the run has no stop but the school; add the stops")
    else:
        yield from _riders(rows if end else rows[::-1], hamlets)


def _riders(rows: pd.DataFrame, hamlets: set[str]) -> Iterator[Problem]:
    """Stops are hamlets, and the bus calls at the school of their riders; rows: from the far end to the school."""
    ahead, far = set[str](), rows.index[0]
    for row, stop, school in rows[::-1][["stop_id", "school_id"]].itertuples():
        if stop == school and row != far:
            ahead.add(school)
        elif stop not in hamlets:
            says = (
                f"'{stop}' is no hamlet of hamlets.csv; a school on the way is its own school_id, "
                "and no run has one at its far end"
            )
            yield Problem(FILE, int(row), "stop_id", says)
        elif school not in ahead:
            says = f"'{school}': the run does not call there with the riders of this stop; add the school as a place"
            yield Problem(FILE, int(row), "school_id", says)


def _times(rows: pd.DataFrame) -> Iterator[Problem]:
    """Every place has a time, and time goes forward."""
    before = float("-inf")
    for row, arrive, depart in rows.sort_values("seq", kind="stable")[["arrive_min", "depart_min"]].itertuples():
        if pd.isna(arrive) and pd.isna(depart):
            yield Problem(FILE, int(row), "arrive_min", "neither arrival nor departure is there; give one of them")
        for name, minute in (("arrive_min", arrive), ("depart_min", depart)):
            if minute < before:
                says = f"{minute:g} is before {before:g}, the time before it in the run; times of a run go forward"
                yield Problem(FILE, int(row), name, says)
            before = before if pd.isna(minute) else minute


def _pupils(rows: pd.DataFrame) -> Iterator[Problem]:
    """Pupils get on at the one end of a run and off at the other, as many where all are told."""
    direction = rows["direction"].iloc[0]
    at_stops, at_school = AT_STOPS[direction]
    gate = rows["stop_id"] == rows["school_id"]
    for name, here, where in ((at_school, ~gate, "stop"), (at_stops, gate, "school")):
        for row, pupils in rows.loc[here & (rows[name] > 0), name].items():
            says = f"{pupils:g} {name} at a {where} of a run {direction}, where none do; leave this empty, or 0"
            yield Problem(FILE, int(row), name, says)
    for school, mine in rows.groupby("school_id", sort=False):
        there, gone = mine.loc[~gate, at_stops], mine.loc[gate, at_school]
        if there.notna().all() and gone.notna().any() and abs(there.sum() - gone.sum()) > ROUNDING_PUPILS:
            says = (
                f"{gone.sum():g} {at_school} at {school}, but {there.sum():g} {at_stops} at the stops; make them agree"
            )
            yield Problem(FILE, int(gone.index[0]), at_school, says)
