"""What a sweep says: its scenarios side by side, what they differ in, and how sure that is."""

from __future__ import annotations

import glob
import itertools
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from sim.errors import BadInput
from sim.store import CONFIG, RunFolder
from sim.store.folder import tree_of
from sim.tables.sure import CLEAR
from sim.tell.cells import FEWEST, HIDDEN, is_small
from sim.tell.grid import Cell, Grid, grid
from sim.tell.number import TEN_THOUSAND_YUAN, money, money_scale, number, rough, span
from sim.tell.words import Words

SEVERITY = "severity"
HARMS = ("pupil_days_harmed", SEVERITY)
COST = "cost_yuan_per_year"
MAIN = (
    "pupil_days_harmed",
    "pupils_left_behind",
    "late_pupils",
    "meals_unserved",
    "bed_refused",
    "ride_min_p95",
    "buses_owned",
    COST,
)
COUNTS = (
    "pupils_present",
    "absent_pupils",
    "pupils_carried",
    "pupils_left_behind",
    "late_pupils",
    "meals_served",
    "meals_unserved",
    "eating_min_short",
    "beds_occupied",
    "bed_nights",
    "bed_refused",
    "stayed_pupils",
    "emergency_refused",
    "wash_given_up",
    "pupil_days_harmed",
    "severity",
)
"""Measures that count pupils or their days."""
NO_CHOICE = ("scenario", "report.", "executor.", "study.out", "study.name", "study.workers")
MONEY = "_yuan_per_year"
STAR = "★"
"""Marks a difference that is clear; `*` says that a number is hidden."""
LONGEST = 40
"""A setting with longer values than these letters is not told beside a scenario."""
MANY = 12
"""With more scenarios than these the table of all measures is folded up."""


@dataclass(frozen=True)
class Sweep:
    """The scenarios of a sweep and their summary."""

    path: Path

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Return summary.parquet. Raises BadInput when it is not there."""
        table = RunFolder(self.path).read_table("summary")
        if table.empty:
            raise BadInput(f"{self.path}: the summary of the sweep is empty; did any scenario end well?")
        return table

    @cached_property
    def scenarios(self) -> list[str]:
        """Return the names of the scenarios, the one compared against first."""
        return list(dict.fromkeys(self.summary["scenario"]))

    @cached_property
    def replications(self) -> int:
        """Return the smallest number of replications behind a number."""
        return int(self.summary["replications"].min())

    @cached_property
    def folders(self) -> dict[str, RunFolder]:
        """Return the folder of each scenario that has one here; of several, the one that the summary tells of."""
        found = {name: self._candidates(name) for name in self.scenarios}
        return {name: next(filter(self.is_told, some), some[0]) for name, some in found.items() if some}

    def _candidates(self, name: str) -> list[RunFolder]:
        """Return the folders that may be a scenario's: lived or priced again, a run lies beside the first one."""
        again = sorted(self.path.glob(f"{glob.escape(name)}-{'[0-9a-f]' * 6}"))
        return [RunFolder(place) for place in (self.path / name, *again) if (place / CONFIG).is_file()]

    def is_told(self, run: RunFolder) -> bool:
        """Tell whether a finished run has the very numbers of its scenario in the summary."""
        if not (run.finished and run.file("headlines").is_file()):
            return False
        own = run.read_table("headlines").groupby(["scenario", "measure"])["value"].mean()
        told = self.summary.set_index(["scenario", "measure"])["mean"]
        both = own.index.intersection(told.index)
        return len(both) > 0 and np.allclose(own[both], told[both], rtol=1e-9, equal_nan=True)

    @cached_property
    def configs(self) -> dict[str, dict[str, Any]]:
        """Return the settings of each scenario that has a folder here, as flat keys."""
        return {name: dict(_flat(tree_of(run.read_text(CONFIG)))) for name, run in self.folders.items()}

    @cached_property
    def words(self) -> Words:
        """Return the glossary in the language of the first scenario."""
        return Words(str(self._first("report.language", "en")))

    @property
    def public(self) -> bool:
        """Tell whether the page is for everyone."""
        return bool(self._first("report.audience", "public") == "public")

    def _first(self, key: str, otherwise: str) -> object:
        return next(iter(self.configs.values()), {}).get(key, otherwise)

    @cached_property
    def factors(self) -> dict[str, list[Any]]:
        """Return the settings in which the scenarios differ: key -> value of each scenario.

        Those with long values (lists, tables) are left out, and those that an earlier one decides.
        """
        if len(self.configs) < len(self.scenarios):
            return {}
        keys = dict.fromkeys(key for config in self.configs.values() for key in config)
        found: dict[str, list[Any]] = {}
        for key in keys:
            values = [self.configs[name].get(key) for name in self.scenarios]
            told = not key.startswith(NO_CHOICE) and len(max(map(str, values), key=len)) <= LONGEST
            if told and len(set(map(str, values))) > 1 and not any(_decides(other, values) for other in found.values()):
                found[key] = values
        return found

    @cached_property
    def labels(self) -> dict[str, str]:
        """Return a short name of each scenario: its own values of what differs, else its name."""
        if not 0 < len(self.factors) <= 3:
            return {name: name for name in self.scenarios}
        rows = zip(*self.factors.values(), strict=True)
        made = ["; ".join(f"{key} {value}" for key, value in zip(self.factors, row, strict=True)) for row in rows]
        return dict(zip(self.scenarios, made, strict=True))

    @property
    def harm(self) -> str:
        """Return the name of the measure of harm that the summary has."""
        return next((name for name in HARMS if name in set(self.summary["measure"])), HARMS[0])

    def values(self, measure: str) -> pd.DataFrame:
        """Return the rows of a measure, one per scenario, in order."""
        if measure in self._rows:
            return self._rows[measure]
        return self.summary.iloc[:0].set_index("scenario").reindex(self.scenarios)

    @cached_property
    def _rows(self) -> dict[str, pd.DataFrame]:
        by = self.summary.drop_duplicates(["scenario", "measure"]).groupby("measure", sort=False)
        return {str(name): rows.set_index("scenario").reindex(self.scenarios) for name, rows in by}

    def answer(self) -> list[str]:
        """Return in words which scenario harms least and which costs least."""
        said, word = [], self.words
        harm, cost = self.values(self.harm), self.values(COST)
        if len(harm) > 1 and harm["mean"].nunique() <= 1 and cost["mean"].nunique() <= 1:
            return [word("compare.no_difference")]
        if harm["mean"].notna().any():
            best = harm["mean"].idxmin()
            said.append(
                word(
                    "compare.least_harm",
                    scenario=self.labels[best],
                    value=self._told(harm.loc[best], self.harm),
                    measure=word.term("measure", self.harm),
                )
                + self._against(harm.loc[best])
            )
        if cost["mean"].notna().any():
            best = cost["mean"].idxmin()
            value = money(cost.loc[best, "mean"], word, self.public)
            said.append(word("compare.least_cost", scenario=self.labels[best], value=value))
        return said

    def _against(self, row: pd.Series) -> str:
        if pd.isna(row["diff_mean"]):
            return ""
        value = self._difference(row, self.harm)
        return self.words("compare.against", first=self.labels[self.scenarios[0]], value=value)

    def how_sure(self) -> list[str]:
        """Return in words what a star means, what the same luck gains, and how much comes of sampled weeks."""
        word, first, harm = self.words, self.scenarios[0], self.values(self.harm)
        measure, said = word.term("measure", self.harm), []
        if len(self.scenarios) > 1:
            said.append(word("compare.text", first=self.labels[first], star=STAR))
            said.append(word.count("compare_star", int(self.summary["comparisons"].max())))
        if harm["crn_gain"].notna().any():
            said.append(word("compare.gain", measure=measure, times=number(harm["crn_gain"].median(), 1)))
        row = harm.loc[first]
        if row["sampling_half_width"] > 0 and not self._is_hidden(row, self.harm):
            half, part = row["high"] - row["mean"], row["sampling_half_width"]
            text = "compare.sampling" if half > 0 else "compare.sampling_only"
            said.append(word(text, measure=measure, scenario=self.labels[first], half=number(half), part=number(part)))
        return said

    def main_table(self) -> Grid:
        """Return the scenarios with their headline measures, differences to the first below each."""
        tables = {name: self.values(name) for name in MAIN}
        shown = {name: table for name, table in tables.items() if table["mean"].abs().max() > 0}
        rows = [
            (self.labels[name], *(self._cell(table.loc[name], measure) for measure, table in shown.items()))
            for name in self.scenarios
        ]
        return grid([self.words("column.scenario"), *map(self.head, shown)], rows, range(1, len(shown) + 1), wide=True)

    def full_table(self) -> Grid:
        """Return every measure of every scenario with its interval and its paired difference."""
        rows = []
        for measure in dict.fromkeys(self.summary["measure"]):
            for name, row in self.values(measure).iterrows():
                told = self._told(row, measure), self._difference(row, measure)
                rows.append((self.head(measure), self.labels[str(name)], *told))
        return grid(
            [self.words(f"column.{name}") for name in ("measure", "scenario", "value", "difference")], rows, (2, 3)
        )

    def shown(self, measure: str, values: pd.DataFrame) -> pd.DataFrame:
        """Return numbers of a measure in the unit of the page, sums of money on a public page to ten thousand yuan."""
        told = values.map(rough, na_action="ignore") if self.public and measure.endswith(MONEY) else values
        return told / self.scale(measure)

    def hidden(self, measure: str) -> pd.Series:
        """Tell of each scenario whether a number counts one to four pupils (or their days) on a public page."""
        means = self.values(measure)["mean"]
        return means.map(is_small) & (self.public and measure in COUNTS)

    def _is_hidden(self, row: pd.Series, measure: str) -> bool:
        return self.public and measure in COUNTS and is_small(row["mean"])

    def _told(self, row: pd.Series, measure: str) -> str:
        if self._is_hidden(row, measure):
            return f"<{FEWEST}"
        return span(*_interval(row, self.scale(measure)), self.places(measure))

    def _difference(self, row: pd.Series, measure: str) -> str:
        """Return the difference to the first scenario with its interval; starred when it is clear among so many.

        It is hidden with either of both numbers: the other one would tell it.
        """
        if self._is_hidden(row, measure) or self.hidden(measure).iloc[0]:
            return HIDDEN
        diff = _interval(row, self.scale(measure), "diff_")
        return span(*diff, self.places(measure)) + (STAR if row["p_adjusted"] < CLEAR else "")

    def scale(self, measure: str) -> float:
        """Return what a number of a measure is divided by."""
        return money_scale(self.words) if measure.endswith(MONEY) else 1.0

    def places(self, measure: str) -> int | None:
        """Return the places after the point of a public sum of money in 万元; None: as many as a number needs."""
        return 0 if self.public and self.scale(measure) == TEN_THOUSAND_YUAN else None

    def head(self, measure: str) -> str:
        """Return what a measure is called, with the unit of money."""
        name = self.words.term("measure", measure)
        return f"{name} [{self.words('axis.money')}]" if measure.endswith(MONEY) else name

    def _cell(self, row: pd.Series, measure: str) -> Cell:
        text = self._told(row, measure)
        difference = self._difference(row, measure)
        if pd.notna(row["diff_mean"]) and difference != HIDDEN:
            text += f"\nΔ {'+' if row['diff_mean'] > 0 else ''}{difference}"
        return Cell(text.replace(" (", "\n("), "lines")

    def reports(self) -> list[tuple[str, str]]:
        """Return the scenarios that have a report, with the way to it."""
        return [
            (name, f"{quote(run.path.relative_to(self.path).as_posix())}/report.html")
            for name, run in self.folders.items()
            if (run.path / "report.html").is_file()
        ]

    @cached_property
    def crossed(self) -> bool:
        """Tell whether exactly two settings differ and every pair of their values is there once."""
        if len(self.factors) != 2:
            return False
        first, second = self.factors.values()
        pairs = list(zip(map(str, first), map(str, second), strict=True))
        return set(pairs) == set(itertools.product(map(str, first), map(str, second))) and len(pairs) == len(set(pairs))

    @property
    def many(self) -> bool:
        """Tell whether there are too many scenarios to show all their measures at once."""
        return len(self.scenarios) > MANY

    @property
    def caption(self) -> str:
        """Return what the chart shows."""
        return self.words("compare.heat" if self.crossed else "compare.dots")


def _decides(first: list[Any], second: list[Any]) -> bool:
    """Tell whether scenarios with the same value of one setting have the same of another."""
    return len(set(zip(map(str, first), map(str, second), strict=True))) == len(set(map(str, first)))


def _interval(row: pd.Series, scale: float = 1.0, of: str = "") -> tuple[float, float, float]:
    return row[f"{of}mean"] / scale, row[f"{of}low"] / scale, row[f"{of}high"] / scale


def _flat(tree: Any, above: str = "") -> list[tuple[str, Any]]:
    """Return the leaves of a tree of settings with their full keys."""
    if not isinstance(tree, dict):
        return [(above, str(tree) if isinstance(tree, list) else tree)]
    return [leaf for key, part in tree.items() for leaf in _flat(part, f"{above}.{key}" if above else str(key))]
