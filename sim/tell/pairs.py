"""What a page of compared scenarios carries, so that its reader can choose measures, and pairs to compare by school."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from sim.tables.sure import CLEAR
from sim.tell.by_school import KEYS, BySchool, averaged
from sim.tell.cells import FEWEST
from sim.tell.number import CONFIDENCE
from sim.tell.run import Run
from sim.tell.sweep import COST, COUNTS, MAIN, SEVERITY, STAR, Sweep
from sim.tell.words import glossary

MOST_BYTES = 2_400_000
"""Size of the numbers that a page carries: with Plotly and the static tables it stays below 8 MB."""
HIDDEN = 0xFFFF
"""Stands for numbers of a school that a public page does not show."""
MOST_VALUES = 12
"""A setting with more values than these is no filter."""
WORDS = "pairs."
Told = dict[str, Any]


@dataclass(frozen=True)
class Pairs:
    """The numbers behind every choice on the page of a sweep."""

    sweep: Sweep

    @cached_property
    def runs(self) -> dict[str, BySchool]:
        """Return the scenarios that can be held against each other: those whose tables lie here."""
        found = {name: BySchool(Run(run.path)) for name, run in self.sweep.folders.items() if self.sweep.is_told(run)}
        return {name: run for name, run in found.items() if run.there}

    @property
    def missing(self) -> list[str]:
        """Return the other scenarios."""
        return [self.sweep.labels[name] for name in self.sweep.scenarios if name not in self.runs]

    @cached_property
    def replications(self) -> list[int]:
        """Return the replications that any scenario has."""
        return sorted({number for run in self.runs.values() for number in run.table.columns})

    @cached_property
    def measures(self) -> list[str]:
        """Return the measures that are not zero everywhere, the main ones first."""
        known = dict.fromkeys(self.sweep.summary["measure"])
        order = [name for name in (SEVERITY, *MAIN) if name in known]
        return [name for name in dict.fromkeys([*order, *known]) if self.sweep.values(name)["mean"].abs().max() > 0]

    @property
    def axes(self) -> tuple[str, str]:
        """Return the measures that are drawn first: what it costs against the harm it does."""
        along = COST if COST in self.measures else self.measures[-1]
        return along, next((name for name in self.measures if name != along), along)

    @property
    def paired(self) -> list[tuple[int, str]]:
        """Return the scenarios that can be chosen for a pair: place and label."""
        names = enumerate(self.sweep.scenarios)
        return [(place, self.sweep.labels[name]) for place, name in names if name in self.runs]

    def options(self, measures: Iterable[str]) -> list[tuple[str, str]]:
        """Return measures to choose from, as they are called."""
        return [(name, self.sweep.head(name)) for name in measures]

    @cached_property
    def filters(self) -> dict[str, tuple[list[str], list[int]]]:
        """Return the settings that can be filtered by: values, and the place of each scenario's among them."""
        told = {
            key: ["–" if value is None else str(value) for value in found] for key, found in self.sweep.factors.items()
        }
        levels = {key: list(dict.fromkeys(texts)) for key, texts in told.items()}
        few = [key for key in told if len(levels[key]) <= MOST_VALUES]
        return {key: (levels[key], [levels[key].index(text) for text in told[key]]) for key in few}

    @cached_property
    def told(self) -> Told:
        """Return what the page's script reads; null stands where there is no number, or none that may be shown.

        points: mean, low and high by measure and scenario; county: measure -> scenario -> replication; t: quantile of
        Student's t that makes a 95 % interval, by number of differences; by_school: see `packed`.
        """
        word, counts = self.sweep.words, range(2, len(self.replications) + 1)
        told: Told = {
            "scenarios": [self.sweep.labels[name] for name in self.sweep.scenarios],
            "settings": [places for _, places in self.filters.values()],
            "measures": {
                name: {"name": self.sweep.head(name), "places": self.sweep.places(name)} for name in self.measures
            },
            "points": {name: self._points(name) for name in self.measures},
            "county": {name: self._county(name) for name in self.measures} if self.runs else {},
            "t": [None, None, *(float(stdtrit(count - 1, 0.5 + CONFIDENCE / 2)) for count in counts)],
            "replications": len(self.replications),
            "clear": CLEAR,
            "star": STAR,
            "hidden": HIDDEN,
            "words": {key.removeprefix(WORDS): word(key) for key in glossary() if key.startswith(WORDS)},
        }
        return told | self._by_school(MOST_BYTES - len(json.dumps(told)))

    @property
    def left_out(self) -> list[str]:
        """Return the measures that schools have, but for which the page has no room."""
        return [self.sweep.head(name) for name in self.told["left_out"]]

    def _points(self, measure: str) -> dict[str, list[float | None]]:
        rows = self.sweep.values(measure)[["mean", "low", "high"]].where(~self.sweep.hidden(measure))
        return {end: _plain(values) for end, values in self.sweep.shown(measure, rows).items()}

    def _county(self, measure: str) -> list[list[float | None] | None]:
        """Return a measure of the county by scenario and replication; none of a scenario where any is a small one."""
        found = pd.DataFrame(self._headlines[:, self.measures.index(measure)], self.sweep.scenarios)
        hide = self.sweep.hidden(measure) | ~found.index.isin(list(self.runs))
        if self.sweep.public and measure in COUNTS:
            hide |= ((found > 0) & (found < FEWEST)).any(axis=1)
        told = self.sweep.shown(measure, found).to_numpy(dtype=float)
        return [None if gone else _plain(values) for values, gone in zip(told, hide, strict=True)]

    @cached_property
    def _headlines(self) -> NDArray[np.float64]:
        """Return the numbers of the county by scenario, measure and replication; null where there is none."""
        found = np.full((len(self.sweep.scenarios), len(self.measures), len(self.replications)), np.nan)
        for name, run in self.runs.items():
            wide = run.run.table("headlines").pivot(index="measure", columns="replication", values="value")
            found[self.sweep.scenarios.index(name)] = wide.reindex(index=self.measures, columns=self.replications)
        return found

    def _by_school(self, room: int) -> Told:
        """Return schools and their numbers: as many measures as there is room for, in bytes, the main ones first."""
        schools: dict[str, int] = {}
        found, left_out = {}, []
        for measure in self.measures:
            sites, values, hide = self.by_school(measure)
            if not sites:
                continue
            table = packed(values, hide)
            size = sum(map(len, table.values()))
            if size > room:
                left_out.append(measure)
                continue
            room -= size
            found[measure] = table | {"sites": [schools.setdefault(site, len(schools)) for site in sites]}
        return {"schools": [self._school(site) for site in schools], "by_school": found, "left_out": left_out}

    def by_school(self, measure: str) -> tuple[list[str], NDArray[np.float64], NDArray[np.bool_]]:
        """Return schools, a measure of each by scenario, school and replication, and where it may not be shown.

        A school of which a scenario says nothing has none of a total. Schools that have none in all are left out.
        """
        at = self._index.get_loc(measure) if measure in self._index.levels[0] else slice(0)
        sites = list(self._index[at].get_level_values("site_id"))
        shape = (len(self.sweep.scenarios), len(sites), len(self.replications))
        values, hide = np.full(shape, np.nan), np.zeros(shape[:2], dtype=bool)
        for place, name in enumerate(self.sweep.scenarios):
            if name not in self._tables:
                continue
            lived = [self.replications.index(number) for number in self.runs[name].table.columns]
            own = self._tables[name][at]
            own = own if averaged(measure) else np.nan_to_num(own)
            values[place][:, lived] = own
            if self.sweep.public:
                hide[place] = self.runs[name].hidden(measure, sites, own, not self.sweep.hidden(measure)[name])
        kept = np.nan_to_num(values).any(axis=(0, 2))
        return [site for site, keep in zip(sites, kept, strict=True) if keep], values[:, kept], hide[:, kept]

    @cached_property
    def _index(self) -> pd.MultiIndex:
        """Return the measures and schools of all scenarios, in order."""
        every = (run.table.index for run in self.runs.values())
        return reduce(lambda some, more: some.union(more), every, pd.MultiIndex.from_arrays([[], []], names=KEYS))

    @cached_property
    def _tables(self) -> dict[str, NDArray[np.float64]]:
        """Return for each scenario the rows of the index, by the replications that it lived; null where it has none."""
        return {name: run.table.reindex(self._index).to_numpy(dtype=float) for name, run in self.runs.items()}

    def _school(self, site: str) -> str:
        """Return the name of a school, from the first county that has it."""
        has = (run.run for run in self.runs.values() if site in run.run.schools.index)
        return next((run.site(site, short=True) for run in has), site)


def packed(values: NDArray[np.float64], hide: NDArray[np.bool_]) -> dict[str, str]:
    """Return numbers by scenario, school and replication in little room: every different row once.

    rows: 32-bit numbers of all replications, row after row; at: for each scenario and school the 16-bit number of its
    row, HIDDEN where `hide` says so. Both little-endian, in base64.
    """
    shown = np.where(hide[:, :, None], np.nan, values).astype("<f4") + np.float32(0.0)
    bits, at = np.unique(shown.reshape(-1, shown.shape[2]).view("<u4"), axis=0, return_inverse=True)
    at = np.where(hide.ravel(), HIDDEN, at.ravel()).astype("<u2")
    return {name: base64.b64encode(part.tobytes()).decode() for name, part in (("rows", bits), ("at", at))}


def _plain(values: Iterable[float]) -> list[float | None]:
    """Return numbers as JSON knows them, to nine digits."""
    return [float(f"{value:.9g}") if np.isfinite(value) else None for value in values]
