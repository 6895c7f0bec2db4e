"""The weeks that were struck on purpose, day by day against a usual day; and the weather of the days lived."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from sim.config import SKIES
from sim.tell.number import NONE, by_replication, interval, number, pupils, span
from sim.tell.run import COUNTY, Run
from sim.tell.table import Cell, Grid, grid

PUPILS = (
    "pupils_present", "absent_pupils", "late_pupils", "pupils_left_behind", "line_bus_left", "stayed_pupils",
    "emergency_beds", "emergency_refused", "meals_unserved", "kitchen_short", "wash_given_up", "pupil_days_harmed",
)  # fmt: skip
"""Counts of pupils, or of their meals and visits: a public page hides small ones."""
BUSES = ("bus_km", "runs_cancelled", "driver_missing_runs", "attendant_missing_runs", "breakdowns")
ROWS = (*PUPILS[:4], *BUSES, *PUPILS[4:])
SHADES = (1.2, 2.0, 4.0)
"""A cell is one step darker for each of these multiples of the usual that it reaches."""
FEWEST_TOLD, MOST_TOLD = 5, 5
"""What is told in words: at least so many in the week, and at most so many measures."""


class Stress:
    """What a run says of its struck weeks: per replication, the mean over these weeks of all years."""

    def __init__(self, run: Run) -> None:
        self.run, self.pack = run, run.settings.stress

    @property
    def told(self) -> bool:
        """Tell whether there is anything to tell: named weeks, and others to hold them against."""
        return self.pack.strikes and bool(self.pack.weeks) and not self.by_day.empty

    @cached_property
    def _measures(self) -> pd.DataFrame:
        columns = ["replication", "year", "week", "day", "measure", "value", "weight"]
        frame = self.run.folder.read_rows("measures", columns, ("site_id", "==", COUNTY), ("measure", "in", ROWS))
        return frame.astype({"measure": str}).assign(struck=frame["week"].isin(self.pack.weeks))

    @cached_property
    def by_day(self) -> pd.DataFrame:
        """Return the mean of a measure on each day of the struck weeks: rows (measure, day), columns replications."""
        frame = self._measures[self._measures["struck"] & (self._measures["day"] > 0)]
        weeks = frame.groupby("replication")[["year", "week"]].apply(lambda week: len(week.drop_duplicates()))
        return by_replication(frame, ["measure", "day"], "value", self.run.replications) / weeks

    @cached_property
    def usual(self) -> pd.DataFrame:
        """Return the mean of a measure on a day of the other weeks, each week with its weight; rows: measures."""
        frame = self._measures[~self._measures["struck"] & (self._measures["day"] == 0)]
        frame = frame.assign(value=frame["value"] * frame["weight"])
        days = self.run.days[~self.run.days["week"].isin(self.pack.weeks)].groupby("replication")["weight"].sum()
        return by_replication(frame, ["measure"], "value", self.run.replications) / days

    def table(self) -> Grid:
        """Return each measure on a usual day and on each day of the struck weeks, with intervals; darker: much more."""
        word, days = self.run.words, sorted(self.by_day.index.unique("day"))
        rows: list[list[object]] = [[word("stress.weather"), NONE, *(self._weather(day) for day in days)]]
        for name in self._there():
            usual = interval(self.usual.reindex([name])).iloc[0]
            cells = [self._cell(name, interval(self.by_day.loc[[(name, day)]]).iloc[0], usual) for day in days]
            rows.append([word.term("stress_row", name), Cell(self._number(name, usual), "lines"), *cells])
        head = [word("column.measure"), word("column.usual_day"), *(word.term("day", day) for day in days)]
        return grid(head, rows, range(1, len(head)), wide=True)

    def _there(self) -> list[str]:
        """Return the measures of which anything happened, on a struck day or on a usual one."""
        happened = self.by_day.groupby("measure").max().max(axis=1).add(self.usual.max(axis=1), fill_value=0.0)
        return [name for name in ROWS if name in self.by_day.index.unique("measure") and happened[name] > 0]

    def _cell(self, name: str, found: pd.Series[float], usual: pd.Series[float]) -> Cell:
        """Return a number, the darker the more its mean is above the usual."""
        times = found["mean"] / max(usual["mean"], 1.0)
        telling = name != "pupils_present" and found["mean"] >= FEWEST_TOLD
        shade = sum(times >= step for step in SHADES) if telling else 0
        return Cell(self._number(name, found), f"lines heat{shade}" if shade else "lines")

    def _number(self, name: str, found: pd.Series[float]) -> str:
        """Return a mean, and below it its interval."""
        text = pupils(found["mean"], found["low"], found["high"], self.run.public) if name in PUPILS else _plain(found)
        return text.replace(" (", "\n(")

    def _weather(self, day: int) -> str:
        """Return the commonest weather of a weekday of the struck weeks, morning and afternoon."""
        days = self.run.days
        here = days[days["week"].isin(self.pack.weeks) & (days["day"] == day)]
        common = [self.run.words.term("sky", here[half].mode().iloc[0]) for half in ("morning", "afternoon")]
        return " → ".join(dict.fromkeys(common))

    def story(self) -> list[str]:
        """Return in words what was struck, what grew most, and which day was worst."""
        word, days = self.run.words, len(self.by_day.index.unique("day"))
        weeks = word.join([str(week) for week in self.pack.weeks])
        said = [word("stress.struck", what=word.term("stress", self.pack.name), weeks=weeks)]
        week, usual = self.by_day.groupby("measure").sum(min_count=1), self.usual * days
        grown = self._grown(week, usual)
        listed = [
            word(
                "stress.instead",
                what=word.term("stress_row", name),
                found=self._mean(week, name),
                usual=self._mean(usual, name),
            )
            for name in grown
        ]
        said.append(word("stress.grown", list=word.join(listed)) if listed else word("stress.nothing"))
        harm = self.by_day.loc["pupil_days_harmed"].mean(axis=1)
        said.append(
            word("stress.worst", day=word.term("day", harm.idxmax()), harmed=pupils(harm.max(), public=self.run.public))
        )
        return said

    def _grown(self, week: pd.DataFrame, usual: pd.DataFrame) -> list[str]:
        """Return the measures that are larger in the struck weeks in every replication, those that grew most first."""
        sure = (week > usual.reindex(week.index)).all(axis=1)
        times = week.mean(axis=1) / usual.mean(axis=1).clip(lower=1.0)
        found = times[sure & (times >= SHADES[0]) & (week.mean(axis=1) >= FEWEST_TOLD)].drop(
            ["pupils_present", "pupil_days_harmed"], errors="ignore"
        )
        return list(found.sort_values(ascending=False).index[:MOST_TOLD])

    def _mean(self, table: pd.DataFrame, name: str) -> str:
        mean = float(table.loc[name].mean())
        return pupils(mean, public=self.run.public) if name in PUPILS else number(mean)


def _plain(found: pd.Series[float]) -> str:
    return span(found["mean"], max(found["low"], 0.0) if np.isfinite(found["low"]) else np.nan, found["high"])


def weather_table(run: Run) -> Grid:
    """Return how many of the days lived began and ended in each weather, and what they stand for in a year."""
    word, days = run.words, run.days
    head = [word("column.weather"), *(word(f"column.{name}") for name in ("mornings", "afternoons", "days_a_year"))]
    if days.empty:
        return grid(head, [])
    years = len(run.replications) * len(run.years)
    rows = [
        (
            word.term("sky", sky),
            number((days["morning"] == sky).sum(), 0),
            number((days["afternoon"] == sky).sum(), 0),
            number(days.loc[days["morning"] == sky, "weight"].sum() / years, 1),
        )
        for sky in SKIES
        if sky in {*days["morning"], *days["afternoon"]}
    ]
    return grid(head, rows, (1, 2, 3))
