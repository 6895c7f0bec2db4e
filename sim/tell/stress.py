"""The weeks that were struck on purpose, day by day against a usual day; and the weather of the days lived."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from sim.config import SKIES
from sim.tell.grid import Cell, Grid, grid
from sim.tell.number import NONE, by_replication, interval, number, percent, pupils, span
from sim.tell.run import COUNTY, Run

PUPILS = (
    "pupils_present", "absent_pupils", "late_pupils", "pupils_left_behind", "line_bus_left", "stayed_pupils",
    "emergency_beds", "emergency_refused", "meals_unserved", "kitchen_short", "wash_given_up", "pupil_days_harmed",
)  # fmt: skip
"""Counts of pupils, or of their meals and visits: a public page hides small ones."""
WAYS = ("ride_min_p95", "door_to_school_min_p95")
"""Minutes that 95 of 100 pupils stay under: they are averaged over days and weeks, never added up."""
BUSES = ("bus_km", "runs_cancelled", "driver_missing_runs", "attendant_missing_runs", "breakdowns")
ROWS = (*PUPILS[:4], *WAYS, *BUSES, *PUPILS[4:])
SHADES = (1.2, 2.0, 4.0)
"""A cell is one step darker for each of these multiples of the usual that it reaches."""
BUSIEST = "busiest"
"""A road that is not named: the one most pupils need."""
FEWEST_TOLD, MOST_TOLD = 5, 5
"""What is told in words: at least so many in the week, and at most so many measures."""


class Stress:
    """What a run says of its struck weeks: per replication, the mean over these weeks of all years."""

    def __init__(self, run: Run) -> None:
        self.run, self.pack = run, run.settings.stress

    @property
    def told(self) -> bool:
        """Tell whether there is anything to tell: named weeks, and others to hold them against."""
        return self.pack.strikes and bool(self.pack.weeks) and not self.by_day.empty and not self.usual.empty

    @property
    def alone(self) -> bool:
        """Tell whether something went wrong on purpose and this run has no usual day to hold it against."""
        return self.pack.strikes and not self.told

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
        days = self._usual_days.groupby("replication")["weight"].sum()
        sums, weeks = (by_replication(frame, ["measure"], of, self.run.replications) for of in ("value", "weight"))
        minutes = sums.index.isin(WAYS)
        return pd.concat([sums[~minutes] / days, sums[minutes] / weeks[minutes]])

    @property
    def _usual_days(self) -> pd.DataFrame:
        return self.run.days[~self.run.days["week"].isin(self.pack.weeks)]

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
        said = [word("stress.struck", what=struck(self.run), weeks=weeks)]
        week, usual = self.by_day.groupby("measure").sum(min_count=1), self.usual * days
        for table in (week, usual):
            table.loc[table.index.isin(WAYS)] /= days
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
        if not listed:
            return [*said, word("stress.nothing")]
        sure = word("stress.sure") if len(self.run.replications) > 1 else ""
        said.append(word("stress.grown", list=word.join(listed), sure=sure))
        harm = self.by_day.loc["pupil_days_harmed"].mean(axis=1)
        if harm.max() > 0:
            harmed = pupils(harm.max(), public=self.run.public)
            said.append(word("stress.worst", day=word.term("day", harm.idxmax()), harmed=harmed))
        return said

    def comparison(self) -> str:
        """Return what a usual day is here, and which run shows the same weeks without the stress."""
        word, always = self.run.words, {*self.run.settings.calendar.always, *self.pack.weeks}
        if not self.told:
            return word("stress.alone")
        weeks = ",".join(str(week) for week in sorted(always))
        mornings = self._usual_days["morning"].value_counts()
        skies = [word("stress.mornings", sky=word.term("sky", sky), days=days) for sky, days in mornings.items()]
        return word("stress.usual", days=mornings.sum(), skies=word.join(skies), weeks=weeks)

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


def struck(run: Run) -> str:
    """Return in words what goes wrong on purpose: the name of the pack, and each thing that is set."""
    word, pack, parts = run.words, run.settings.stress, _parts(run)
    name = word.term("stress", pack.name)
    if not pack.strikes or not parts:
        return name
    return word.join(parts) if pack.name == "none" else word("struck.pack", pack=name, parts=word.join(parts))


def _parts(run: Run) -> list[str]:
    """Return each thing of the stress that is not as usual: weather, roads, people, kitchens, water, and its days."""
    word, pack = run.words, run.settings.stress
    sky = word.term("sky", pack.sky)
    schools = word.join([_school(run, school) for school in pack.schools])
    absent = {"drivers": pack.driver_absent_share, "attendants": pack.attendant_absent_share}
    failing = {"kitchen": pack.kitchen_share, "water": pack.water_share} if pack.schools else {}
    return [
        *([word("struck.noon" if pack.sky_from_noon else "struck.sky", sky=sky)] if pack.sky else []),
        *(word("struck.busiest") if road == BUSIEST else word("struck.road", road=road) for road in pack.roads),
        *([word("struck.illness", factor=f"{pack.absence_factor:g}")] if pack.absence_factor != 1 else []),
        *(word(f"struck.{who}", share=percent(share)) for who, share in absent.items() if share is not None),
        *(word(f"struck.{what}", share=percent(x), where=schools) for what, x in failing.items() if x < 1),
        *([word("struck.days", days=word.join([word.term("day", day) for day in pack.days]))] if pack.days else []),
    ]


def _school(run: Run, school: str) -> str:
    """Return the name of a struck school, or which one it is."""
    return run.words(f"struck.{school}") if school in ("all", "largest") else run.site(school)


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
