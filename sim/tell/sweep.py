"""What a sweep says: its scenarios side by side, what they differ in, and one chart of harm and cost."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import yaml
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sim.errors import BadInput
from sim.store import CONFIG, RunFolder
from sim.tell.cells import FEWEST, HIDDEN, is_small
from sim.tell.grid import Cell, Grid, grid
from sim.tell.number import TEN_THOUSAND_YUAN, money, money_scale, span
from sim.tell.style import BLUE, ORANGE, as_svg, canvas, more_room, styled
from sim.tell.words import Words

HARMS = ("pupil_days_harmed", "severity")
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
    "pupils_carried",
    "pupils_left_behind",
    "late_pupils",
    "meals_served",
    "meals_unserved",
    "eating_min_short",
    "beds_occupied",
    "bed_nights",
    "bed_refused",
    "pupil_days_harmed",
    "severity",
)
"""Measures that count pupils or their days."""
NO_CHOICE = ("scenario", "report.", "executor.", "study.out", "study.name", "study.workers")
MONEY = "_yuan_per_year"


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
    def configs(self) -> dict[str, dict[str, Any]]:
        """Return the settings of each scenario that has a folder here, as flat keys."""
        files = {name: self.path / name / CONFIG for name in self.scenarios}
        return {
            name: dict(_flat(yaml.safe_load(file.read_text(encoding="utf-8"))))
            for name, file in files.items()
            if file.is_file()
        }

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
        """Return the settings in which the scenarios differ: key -> value of each scenario."""
        if len(self.configs) < len(self.scenarios):
            return {}
        keys = dict.fromkeys(key for config in self.configs.values() for key in config)
        values = {key: [self.configs[name].get(key) for name in self.scenarios] for key in keys}
        return {
            key: found
            for key, found in values.items()
            if not key.startswith(NO_CHOICE) and any(value != found[0] for value in found)
        }

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
        rows = self.summary[self.summary["measure"] == measure]
        return rows.drop_duplicates("scenario").set_index("scenario").reindex(self.scenarios)

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
                    value=span(*_interval(harm.loc[best])),
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
        return self.words(
            "compare.against", first=self.labels[self.scenarios[0]], value=span(*_interval(row, of="diff_"))
        )

    def main_table(self) -> Grid:
        """Return the scenarios with their headline measures, differences to the first below each."""
        shown = [name for name in MAIN if self.values(name)["mean"].abs().max() > 0]
        rows = [
            (self.labels[name], *(self._cell(self.values(measure).loc[name], measure) for measure in shown))
            for name in self.scenarios
        ]
        return grid([self.words("column.scenario"), *map(self._head, shown)], rows, range(1, len(shown) + 1), wide=True)

    def full_table(self) -> Grid:
        """Return every measure of every scenario with its interval and its paired difference."""
        rows = []
        for measure in dict.fromkeys(self.summary["measure"]):
            scale = self._scale(measure)
            for name, row in self.values(measure).iterrows():
                diff = span(*_interval(row, scale, "diff_"), self._places(measure))
                diff = HIDDEN if self._is_hidden(row, measure) else diff
                rows.append((self._head(measure), self.labels[str(name)], self._told(row, measure), diff))
        return grid(
            [self.words(f"column.{name}") for name in ("measure", "scenario", "value", "difference")], rows, (2, 3)
        )

    def _is_hidden(self, row: pd.Series, measure: str) -> bool:
        """Tell whether a number counts one to four pupils (or their days) on a public page."""
        return self.public and measure in COUNTS and is_small(row["mean"])

    def _told(self, row: pd.Series, measure: str) -> str:
        hide = self._is_hidden(row, measure)
        mean, low, high = _interval(row, self._scale(measure))
        low = max(low, 0.0) if measure in COUNTS and np.isfinite(low) else low
        return f"<{FEWEST}" if hide else span(mean, low, high, self._places(measure))

    def _scale(self, measure: str) -> float:
        return money_scale(self.words) if measure.endswith(MONEY) else 1.0

    def _places(self, measure: str) -> int | None:
        """Return the places after the point of a public sum of money in 万元; None: as many as a number needs."""
        return 0 if self.public and self._scale(measure) == TEN_THOUSAND_YUAN else None

    def _head(self, measure: str) -> str:
        name = self.words.term("measure", measure)
        return f"{name} [{self.words('axis.money')}]" if measure.endswith(MONEY) else name

    def _cell(self, row: pd.Series, measure: str) -> Cell:
        scale = self._scale(measure)
        text, diff = self._told(row, measure), _interval(row, scale, "diff_")
        if pd.isna(row["diff_mean"]) or self._is_hidden(row, measure):
            return Cell(text.replace(" (", "\n("), "lines")
        sign = "+" if diff[0] > 0 else ""
        return Cell(f"{text}\nΔ {sign}{span(*diff, self._places(measure))}".replace(" (", "\n("), "lines")

    def reports(self) -> list[tuple[str, str]]:
        """Return the scenarios that have a report, with the way to it."""
        return [
            (name, f"{quote(name)}/report.html")
            for name in self.scenarios
            if (self.path / name / "report.html").is_file()
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
    def caption(self) -> str:
        """Return what the chart shows."""
        return self.words("compare.heat" if self.crossed else "compare.dots")

    def chart(self) -> str:
        """Draw harm and cost of the scenarios: a field of two settings, or dots with intervals."""
        with styled("compare"):
            return as_svg(self._field() if self.crossed else self._dots(), self.words("compare.title"))

    def _panels(self) -> tuple[tuple[str, float, str], ...]:
        harm = (self.harm, 1.0, self.words("axis.harm_year"))
        return harm, (COST, money_scale(self.words), self.words("axis.money_year"))

    def _dots(self) -> Figure:
        """Draw one row per scenario, with the 95 % interval."""
        names = [self.labels[name] for name in self.scenarios]
        figure, axes = canvas(1.0 + 0.27 * len(names), 1, 2, left=more_room(names), sharey=True)
        rows = np.arange(len(names))[::-1]
        for part, (measure, scale, label), colour in zip(axes, self._panels(), (ORANGE, BLUE), strict=True):
            found = self.values(measure)
            mean = found["mean"] / scale
            half = (found["high"] / scale - mean).fillna(0.0)
            part.barh(rows, mean, height=0.62, color=colour, alpha=0.55)
            part.errorbar(mean, rows, xerr=half, fmt="o", color="#222222", markersize=3.5, capsize=3, elinewidth=1.1)
            part.set_xlabel(label)
            part.xaxis.grid(visible=True)
            part.xaxis.set_major_locator(MaxNLocator(5))
            part.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        axes[0].set_yticks(rows, names)
        return figure

    def _field(self) -> Figure:
        """Draw a field of two settings, coloured and written with the value and its interval."""
        (key_y, values_y), (key_x, values_x) = self.factors.items()
        down, along = list(dict.fromkeys(values_y)), list(dict.fromkeys(values_x))
        figure, axes = canvas(1.4 + 0.55 * len(down), 1, 2, sharey=True)
        for part, (measure, scale, label) in zip(axes, self._panels(), strict=True):
            found = self.values(measure)[["mean", "low", "high"]] / scale
            where = {(y, x): found.loc[name] for y, x, name in zip(values_y, values_x, self.scenarios, strict=True)}
            field = np.array([[where[y, x]["mean"] for x in along] for y in down])
            part.imshow(field, cmap="Oranges", aspect="auto", alpha=0.8, vmin=_paler(field), vmax=_darker(field))
            middle = (_paler(field) + np.nanmax(field)) / 2 if np.isfinite(field).any() else 0.0
            for (i, y), (j, x) in itertools.product(enumerate(down), enumerate(along)):
                row = where[y, x]
                text = span(*_interval(row)).replace(" (", "\n(")
                dark = field[i, j] > middle + (np.nanmax(field) - middle) * 0.4
                part.text(j, i, text, ha="center", va="center", fontsize=7.5, color="white" if dark else "#222222")
            part.set_xticks(range(len(along)), [str(value) for value in along])
            part.set_title(label, fontsize=8.5)
            part.set_xlabel(key_x)
            part.tick_params(length=0)
            part.spines[:].set_visible(False)
        axes[0].set_yticks(range(len(down)), [str(value) for value in down])
        axes[0].set_ylabel(key_y)
        return figure


def _paler(field: np.ndarray) -> float:
    """Return where the colours start: below the smallest value, so that it is not white."""
    low, high = np.nanmin(field), np.nanmax(field)
    return float(low - 0.35 * (high - low or abs(low) or 1.0))


def _darker(field: np.ndarray) -> float:
    """Return where the colours end: at the largest value, or well above it where all are the same."""
    low, high = np.nanmin(field), np.nanmax(field)
    return float(high if high > low else high + (abs(high) or 1.0))


def _interval(row: pd.Series, scale: float = 1.0, of: str = "") -> tuple[float, float, float]:
    return row[f"{of}mean"] / scale, row[f"{of}low"] / scale, row[f"{of}high"] / scale


def _flat(tree: Any, above: str = "") -> list[tuple[str, Any]]:
    """Return the leaves of a tree of settings with their full keys."""
    if not isinstance(tree, dict):
        return [(above, str(tree) if isinstance(tree, list) else tree)]
    return [leaf for key, part in tree.items() for leaf in _flat(part, f"{above}.{key}" if above else str(key))]
