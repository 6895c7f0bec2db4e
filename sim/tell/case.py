"""One school that was to close: all that the files of a run say about it, and where its page lies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

import pandas as pd

from sim.tell.number import money
from sim.tell.run import Run, plain
from sim.tell.words import Words


@dataclass(frozen=True)
class Case:
    """One school and all that is decided about it, with its words; the last decision is what its page is about."""

    run: Run
    school: str
    steps: Sequence[Any]
    """The decisions in the order of years."""
    grounds: pd.DataFrame
    plans: Sequence[Any]
    """Its rows of school_plans.csv."""

    @property
    def words(self) -> Words:
        """Return the glossary."""
        return self.run.words

    @cached_property
    def last(self) -> Any:
        """Return the last decision."""
        return self.steps[-1]

    @property
    def verdict(self) -> str:
        """Return what is decided in the end: close, keep, reopen."""
        return str(self.last.decision)

    @cached_property
    def leaving(self) -> list[tuple[int, int]]:
        """Return the year from which each grade is taught here no more, once the school closes: (year, grade).

        A school that closes grade by grade ends when nobody is left in it: then the other grades go at once.
        """
        row, transition = self.run.schools.loc[self.school], self.run.settings.closure.transition
        grades = list(range(int(row["first_grade"]), int(row["last_grade"]) + 1))
        if transition == "top_grades_first":
            grades.reverse()
        first = self.last.year
        years = [first + (transition != "at_once") * k for k in range(len(grades))]
        without = {year for year in self.run.years if year >= first} - self.run.attended.get(self.school, set())
        return [(min([year, *without]), grade) for year, grade in zip(years, grades, strict=True)]

    @property
    def empty_from(self) -> int:
        """Return the first year without any grade here, once the school closes."""
        return self.leaving[-1][0]

    @cached_property
    def rows(self) -> list[Any]:
        """Return the rows of school_plans.csv that belong to the last decision."""
        return [row for row in self.plans if row.year >= self.last.year]

    @cached_property
    def found(self) -> pd.DataFrame:
        """Return the rows of grounds.csv of the last decision, by ground."""
        return self.grounds[self.grounds["year"] == self.last.year].set_index("ground")


def cases(run: Run) -> Iterator[Case]:
    """Yield every school that a rule or list named, in the order of their ids."""
    if not run.folder.file("grounds").is_file():
        return
    closures, grounds, plans = (
        plain(run.table(name)).sort_values("year", kind="stable") for name in ("closures", "grounds", "school_plans")
    )
    steps, rows = by_school(closures), by_school(plans)
    of = dict(iter(grounds.groupby("school_id")))
    for school in sorted(steps):
        yield Case(run, school, steps[school], of.get(school, grounds.iloc[:0]), rows.get(school, []))


def by_school(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the rows of a table one by one, those of each school together."""
    found: dict[str, list[Any]] = {}
    for row in table.itertuples():
        found.setdefault(row.school_id, []).append(row)
    return found


def file_of(school: str) -> str:
    """Return where the page of a school lies: letters and digits of any script stand, all else as in an address (%2F).

    No two ids have the same name.
    """
    name = re.sub(r"[^\w-]", lambda sign: quote(sign[0], safe=""), school)
    return f"sheets/{name}.html"


def keep_cost(run: Run, yuan: float) -> str:
    """Return what keeping a school open costs a year; in a public page to ten thousand yuan.

    To the yuan, it would tell the roll of a school that is funded as if it had a hundred pupils.
    """
    return money(yuan, run.words, run.public)
