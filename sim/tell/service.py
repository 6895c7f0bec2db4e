"""The county's own bus runs beside ours, and the bells that were tried: a section of the report."""

from __future__ import annotations

from functools import cached_property

import pandas as pd

from sim.tell.cells import FEWEST, is_small
from sim.tell.grid import Cell, Grid, grid
from sim.tell.number import NONE, number
from sim.tell.run import Run
from sim.units import MINUTES_PER_HOUR

PUPIL = "pupil"
MOST_BELLS = 12
SHOWN_LEAST = 0.1
"""A smaller excess would be told as none."""


class Service:
    """What the plans of bus runs need, which limits they do not keep, and which bells were tried."""

    def __init__(self, run: Run) -> None:
        self.run, self.word = run, run.words

    @cached_property
    def compared(self) -> pd.DataFrame:
        """Return the scores of the first year; empty when the county has no runs of its own."""
        table = self._read("score")
        if table.empty or "given" not in set(table["plan"]):
            return pd.DataFrame(columns=["plan", "measure", "value", "lived"])
        return table[table["year"] == table.loc[table["plan"] == "given", "year"].min()]

    @cached_property
    def bells(self) -> pd.DataFrame:
        """Return the bells that were tried, fewest buses first; empty when none were."""
        table = self._read("bells")
        order = ["chosen", "buses", "primary_first_min", "junior_first_min"]
        return table if table.empty else table.sort_values(order, ascending=[False, True, True, True])

    def _read(self, name: str) -> pd.DataFrame:
        file = self.run.folder.file(name)
        return self.run.table(name) if file.is_file() else pd.DataFrame()

    @property
    def told(self) -> bool:
        """Tell whether there is anything to tell."""
        return bool(len(self.compared) or len(self.bells))

    @property
    def year(self) -> int:
        """Return the school year that is compared."""
        return int(self.compared["year"].iloc[0])

    @property
    def _plans(self) -> list[str]:
        return list(dict.fromkeys(self.compared["plan"]))

    def score(self) -> Grid:
        """Return what each plan needs and gives; the one that was lived is marked."""
        word, table = self.word, self.compared
        lived = set(table.loc[table["lived"], "plan"])
        heads = [
            word.term("plan", plan) + (f" ({word('plans.lived')})" if plan in lived else "") for plan in self._plans
        ]
        measures = [name for name in dict.fromkeys(table["measure"]) if not name.startswith("violations_")]
        rows = [(word(f"score.{name}"), *(self._value(plan, name) for plan in self._plans)) for name in measures]
        return grid((word("column.measure"), *heads), rows, range(1, len(heads) + 1))

    def _value(self, plan: str, measure: str) -> str:
        table = self.compared
        value = table.loc[(table["plan"] == plan) & (table["measure"] == measure), "value"].sum()
        pupils = measure == "riders_left_out"
        return f"<{FEWEST}" if pupils and self.run.public and is_small(value) else number(value)

    def limits(self) -> Grid:
        """Return how often each plan breaks each limit, and the furthest that the county's runs are beyond it."""
        word, found = self.word, self._read("violations")
        found = found[found["year"] == self.year] if len(found) else found
        rows = []
        for limit in dict.fromkeys(found["limit"]) if len(found) else ():
            here = found[found["limit"] == limit]
            counts = [int((here["plan"] == plan).sum()) for plan in self._plans]
            cells = [Cell(number(count), "bad" if count else "") for count in counts]
            rows.append((word(f"run_limit.{limit}"), *cells, self._furthest(here[here["plan"] == "given"])))
        heads = [word.term("plan", plan) for plan in self._plans]
        return grid((word("column.limit"), *heads, word("column.furthest")), rows, range(1, len(heads) + 2))

    def _furthest(self, found: pd.DataFrame) -> str:
        """Return the largest excess with its unit; pupils are not counted out in a public report."""
        if found.empty or (self.run.public and found["unit"].iloc[0] == PUPIL):
            return NONE
        most = float(found["excess"].max())
        if not most:  # it is there or not, such as a stop without riders
            return NONE
        shown = number(most) if most >= SHOWN_LEAST else f"<{SHOWN_LEAST:g}"
        return f"{shown} {self.word.term('unit_of_limit', found['unit'].iloc[0])}"

    def rung(self) -> Grid:
        """Return the bells that were lived and the best of the others that were tried."""
        word = self.word
        rows = [
            (
                _clock(row.primary_first_min),
                _clock(row.junior_first_min),
                Cell(number(row.buses), "good" if row.chosen else ""),
                word("plans.lived") if row.chosen else "",
            )
            for row in self.bells.head(MOST_BELLS).itertuples()
        ]
        names = ("primary_bell", "junior_bell", "buses", "choice")
        return grid([word(f"column.{name}") for name in names], rows, (2,))


def _clock(minute: float) -> str:
    """Return minutes after midnight as hours and minutes."""
    hours, minutes = divmod(minute, MINUTES_PER_HOUR)
    return f"{hours:02.0f}:{minutes:02.0f}"
