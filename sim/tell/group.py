"""The groups of pupils of a school that closes, stays or opens again: before and after, those worst off first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sim.tell.case import Case, by_school, cases
from sim.tell.cells import is_small
from sim.tell.fee import Fee, Fees
from sim.tell.grid import Cell
from sim.tell.number import NONE, number, percent
from sim.tell.run import Run, plain
from sim.tell.trip import LAST_YOUNG, Timetable, Trip, clock, run_name

MODES = ("walk", "school_bus", "line_bus", "family", "lodge")
"""In the order in which they are told."""
BEDS = ("bed_girls", "bed_boys")
COLUMNS = ("way", "km", "leaves", "arrives", "minutes", "home", "bed", "cost", "aid", "aid_hardship")


class Way(NamedTuple):
    """One way to school of a group, with the share who take it and what a year costs their families."""

    trip: Trip
    share: float
    fee: Fee
    bed: bool | None = None
    """Lodgers: whether there are as many beds as pupils who ask for one; else None."""


@dataclass(frozen=True)
class Group:
    """Pupils of one home who go to one school: a row of school_plans.csv, the way before and those after."""

    case: Case
    row: Any
    before: Way
    after: tuple[Way, ...]

    @property
    def placed(self) -> bool:
        """Tell whether a school takes them."""
        return pd.notna(self.row.to_school_id)

    @cached_property
    def grades(self) -> list[int]:
        """Return the grades: the group's own; in public, where it is small, those of the school."""
        if self.told:
            return grades_of(self.row.grades)
        school = self.case.run.schools.loc[self.case.school]
        return list(range(int(school["first_grade"]), int(school["last_grade"]) + 1))

    @property
    def told(self) -> bool:
        """Tell whether the pages may say which grades these are."""
        return not (self.case.run.public and is_small(self.row.pupils))

    def over(self, trip: Trip) -> float:
        """Return by how many minutes a daily way is beyond the limit of any grade; 0 where it keeps it."""
        fleet = self.case.run.settings.fleet
        limits = [fleet.ride_limit_young_min] * (self.grades[0] <= LAST_YOUNG)
        limits += [fleet.ride_limit_older_min] * (self.grades[-1] > LAST_YOUNG)
        return max(0.0, *(round(trip.counted - limit, 6) for limit in limits)) if np.isfinite(trip.counted) else 0.0

    def lodges(self, grade: int) -> bool:
        """Tell whether pupils of a grade of the group may lodge."""
        lodge = self.case.run.settings.lodge
        return grade >= lodge.from_grade or lodge.service_mode

    def without_run(self, way: Way) -> bool:
        """Tell whether a planned ride has no run."""
        return self.case.verdict == "close" and way.trip.mode == "school_bus" and not way.trip.runs

    @cached_property
    def hardness(self) -> tuple[float, ...]:
        """Return how badly off the group is, the worst first when sorted backwards.

        No school; no run; no certain bed; minutes over the limit; minutes from door to school; by how much more a
        year costs, less aid.
        """
        trips = [way.trip for way in self.after]
        more = [_burden(way.fee) - _burden(self.before.fee) for way in self.after]
        return (
            float(not self.placed),
            float(any(self.without_run(way) for way in self.after)),
            float(any(way.bed is False for way in self.after)),
            max((self.over(trip) for trip in trips), default=0.0),
            max((trip.minutes for trip in trips if np.isfinite(trip.minutes)), default=0.0),
            max((each for each in more if np.isfinite(each)), default=0.0),
        )


class SchoolPlans:
    """The plans of all schools that a rule or list named, with what they share: runs, bells and fees."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.timetable, self.fees = Timetable(run), Fees(run)

    @cached_property
    def cases(self) -> list[Case]:
        """Return the schools in the order of their ids."""
        return list(cases(self.run))

    @cached_property
    def _asked(self) -> set[tuple[str, int]]:
        """Return the schools and years in which more pupils ask for beds of a sex than there are: (school, year)."""
        table = self.run.resources
        beds = table[table["resource"].isin(BEDS)]
        if "demand_peak" not in beds or beds.empty:
            return set()
        means = beds.groupby(["site_id", "year", "resource"], observed=True)[["capacity", "demand_peak"]].mean()
        short = means[means["demand_peak"] > means["capacity"]]
        return {(str(site), int(year)) for site, year, _ in short.index}

    @cached_property
    def campuses(self) -> dict[str, list[Any]]:
        """Return the rows of campuses.csv of each school, year by year."""
        table = self.run.if_there("campuses.csv")
        return by_school(plain(table).sort_values("year", kind="stable")) if len(table) else {}

    def groups(self, case: Case) -> list[Group]:
        """Return the groups of a school, those worst off first."""
        if case.school not in self._groups:
            found = [self._group(case, row) for row in case.rows]
            self._groups[case.school] = sorted(found, key=lambda group: group.hardness, reverse=True)
        return self._groups[case.school]

    @cached_property
    def _groups(self) -> dict[str, list[Group]]:
        """Hold the groups of the schools that were asked for."""
        return {}

    def _group(self, case: Case, row: Any) -> Group:
        grades, closes = grades_of(row.grades), case.verdict == "close"
        receives = str(self.run.schools.at[case.school, "receives"]) == "1"
        before = self.timetable.before(row, grades[0], receives)
        after = []
        for mode in MODES if pd.notna(row.to_school_id) else ():
            if getattr(row, mode) > 0:
                trip = self.timetable.after(row, grades[0], mode, planned=closes)
                bed = (row.to_school_id, row.year) not in self._asked if mode == "lodge" else None
                after.append(Way(trip, getattr(row, mode), self.fees.of(grades[0], mode, row.km), bed))
        way = Way(before, 1.0, self.fees.of(grades[0], before.mode, row.km_before))
        return Group(case, row, way, tuple(after))


def grades_of(text: str) -> list[int]:
    """Return the grades that school_plans.csv tells as `2` or `1-3`."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def table(groups: list[Group]) -> list[tuple[str, list[list[Cell]]]]:
    """Return for each group who they are, and a row for each way: that before, those after."""
    told: list[tuple[str, list[list[Cell]]]] = []
    for group in groups:
        lines = [("after", way) for way in group.after]
        order = [*lines, ("back", group.before)] if group.case.verdict == "reopen" else [("now", group.before), *lines]
        rows = (who(group), [cells(group, when, way) for when, way in order])
        if rows not in told:  # in public, small groups of a home may read alike
            told.append(rows)
    return told


def who(group: Group) -> str:
    """Return who a group is: home, the school they go to, in internal pages grades and pupils, too."""
    case, word, row = group.case, group.case.words, group.row
    parts = [case.run.hamlet_names.get(row.hamlet_id, "") or row.hamlet_id]
    if group.told:
        parts.append(word("sheet.grades", grades=row.grades.replace("-", "–")))
    if not case.run.public:
        parts.append(word("sheet.pupils", pupils=number(float(np.ceil(round(row.pupils, 6))), 0)))
    if len({each.year for each in case.rows}) > 1:
        parts.append(word("sheet.year", year=row.year))
    to = case.run.site(row.to_school_id, short=True) if group.placed else word("sheet.no_school")
    arrow = "sheet.who_back" if case.verdict == "reopen" else "sheet.who_goes"
    return word(arrow, who=word.join(parts), school=to)


def cells(group: Group, when: str, way: Way, share: bool = True) -> list[Cell]:
    """Return the cells of COLUMNS for a way; `share`: internal pages say which share of the group takes it."""
    trip, over = way.trip, group.over(way.trip)
    days = ("monday", "friday") if trip.mode == "lodge" else (None, None)
    beyond = f" ({group.case.words('sheet.over', over=whole(over))})" if over else ""
    return [
        Cell(_way(group, when, way, share), "way"),
        Cell(number(trip.km, 1)),
        Cell(_time(group, trip.leaves, days[0])),
        Cell(_time(group, trip.arrives, days[0], late=True)),
        Cell(whole(trip.minutes) + beyond, "bad" if over else ""),
        Cell(_time(group, trip.home, days[1], late=True)),
        Cell(_bed(group, way), "bad" if way.bed is False else ""),
        *(Cell(number(yuan, 0)) for yuan in way.fee),
    ]


def _way(group: Group, when: str, way: Way, share: bool) -> str:
    """Return when and how they go; by which run, or that there is none; in internal pages which share of them."""
    word, to = group.case.words, group.row.to_school_id
    parts, first = [word.term("mode", way.trip.mode)], group.case.run.settings.lodge.from_grade
    if way.trip.mode == "lodge" and not group.lodges(group.grades[0]):
        parts.append(word("sheet.from_grade", grade=word.term("grade", first)))
    if way.trip.runs:
        parts.append(word("sheet.run", runs=word.join([run_name(each, to) for each in way.trip.runs])))
    elif group.without_run(way):
        parts.append(word("sheet.no_run"))
    if share and way.share < 1 and not group.case.run.public:
        parts.append(percent(way.share))
    if when == "after":
        when = {"keep": "would", "reopen": "so_far"}.get(group.case.verdict, "after")
    return word(f"sheet.when.{when}", way=word.join(parts))


def _bed(group: Group, way: Way) -> str:
    """Return whether there is a bed: nothing for those who sleep at home."""
    if way.bed is None:
        return NONE
    return group.case.words("sheet.bed" if way.bed else "sheet.bed_unsure")


def _time(group: Group, minute: float, day: str | None, late: bool = False) -> str:
    if not np.isfinite(minute):
        return NONE
    told = clock(minute, late)
    return group.case.words(f"sheet.on.{day}", time=told) if day else told


def whole(minutes: float) -> str:
    """Return minutes as people say them: whole, the next higher."""
    return number(float(np.ceil(round(minutes, 6))), 0) if np.isfinite(minutes) else NONE


def _burden(fee: Fee) -> float:
    """Return what a year costs a family less aid: in hardship, where that is known."""
    aid = fee.aid_hardship if np.isfinite(fee.aid_hardship) else fee.aid
    return fee.cost - aid
