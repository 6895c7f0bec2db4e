"""A year of one replication as tidy numbers: weekly measures, annual harm, resources and distributions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.config import SKIES
from sim.measure import MEASURES, bus, dine, group, lodge, pupil, wash
from sim.measure.pupil import Harm
from sim.measure.resource import resources
from sim.measure.scene import Scene, Values
from sim.measure.site import counts, histogram
from sim.measure.use import Harmed, Use
from sim.operate.diary import Codes, Diary
from sim.plan import Bools, Floats
from sim.tables.risk import BANDS

SPREAD = {"ride_min": (2.0, 64), "door_to_school_min": (2.0, 64), "window_wait_min": (1.0, 40)}
"""distribution -> (width of a bin in minutes, number of bins; the last one is open)"""
TABLES = ("days", "measures", "harm", "resources", "spread", "groups")


def values_of(scene: Scene, diary: Diary, days: range) -> tuple[Values, dict[Harm, Bools], tuple[Floats, Floats]]:
    """Measure some days of a week; return who was harmed, (D, N), and minutes of rides and from door to school, too."""
    fate, lines = dine.fates(scene, diary, days), wash.in_line(scene, diary, days)
    ride, door = bus.ride_min(scene, diary, days), bus.door_min(scene, diary, days)
    harms = pupil.harms(scene, diary, days, fate, lines)
    values = {
        **pupil.measures(scene, diary, days, harms),
        **bus.pupil_measures(scene, diary, days, ride, door),
        **bus.run_measures(scene, diary, days),
        **dine.measures(scene, diary, days, fate),
        **lodge.measures(scene, diary, days),
        **wash.measures(scene, diary, days, lines),
    }
    return values, harms, (ride, door)


def harmed_of(scene: Scene, values: Values, harms: Mapping[Harm, Bools]) -> dict[Harm, Floats]:
    """Return the pupil-days of each harm by school, (S,), given `values_of` a whole week."""
    harmed = {key: counts(who, scene.parts)[:-1] for key, who in harms.items()}
    harmed["classroom_seat", "class_too_big", "classroom_seat"] = np.nan_to_num(values["class_too_big"][:-1])
    return harmed


class Told(NamedTuple):
    """What one week told, as a `Tally` has it, counted once."""

    measured: list[tuple[int, int, float, Values]]
    harmed: Harmed
    spread: dict[str, Floats]
    by_pupil: Floats
    skies: list[tuple[int, float, Codes]]


@dataclass(slots=True)
class Tally:
    """What the lived weeks of a year have told so far."""

    scene: Scene
    """The first term's; it stands for the year where a table speaks of the year as a whole."""
    daily: bool
    measured: list[tuple[int, int, float, Values]] = field(default_factory=list)
    """(week, day, weight, values); day 0 is the whole week."""
    harmed: Harmed = field(default_factory=list)
    spread: dict[str, Floats] = field(default_factory=dict)
    by_pupil: Floats = field(default_factory=lambda: np.zeros(()))
    """(len(group.OF_PUPILS), N) what each pupil lived, weighted."""
    skies: list[tuple[int, float, Codes]] = field(default_factory=list)
    """(week, weight, (D, 2) weather of mornings and afternoons)."""

    def add(self, scene: Scene, week: int, weight: float, diary: Diary) -> None:
        """Measure one lived week of the term of a scene; weeks of stress are measured day by day, too."""
        days = range(len(diary.came))
        self.skies.append((week, weight, diary.sky.copy()))
        self._measure(scene, week, 0, weight, diary, days)
        for day in days if self.daily or week in scene.settings.stress.weeks else ():
            self._measure(scene, week, day + 1, weight, diary, range(day, day + 1))

    def join(self, told: Told, weight: float) -> None:
        """Add a week that was measured by itself, and stands for so many."""
        self.measured += [(week, day, weight, values) for week, day, _, values in told.measured]
        self.harmed += [(weight, harmed) for _, harmed in told.harmed]
        self.skies += [(week, weight, sky) for week, _, sky in told.skies]
        self.by_pupil = self.by_pupil + weight * told.by_pupil
        for name, table in told.spread.items():
            self.spread[name] = self.spread.get(name, 0.0) + weight * table

    def _measure(self, scene: Scene, week: int, day: int, weight: float, diary: Diary, days: range) -> None:
        values, harms, (ride, door) = values_of(scene, diary, days)
        self.measured.append((week, day, weight, values))
        if day == 0:
            self.harmed.append((weight, harmed_of(scene, values, harms)))
            self.by_pupil = self.by_pupil + weight * group.by_pupil(scene, harms, door)
            self._spread(scene, weight, "ride_min", [ride])
            self._spread(scene, weight, "door_to_school_min", [door])
            self._spread(scene, weight, "window_wait_min", dine.window_wait_min(diary, days))

    def _spread(self, scene: Scene, weight: float, name: str, pages: Iterable[Floats]) -> None:
        step, bins = SPREAD[name]
        table = self.spread.setdefault(name, np.zeros((len(scene.county.schools.id), len(BANDS), bins)))
        for minutes in pages:  # (days, N), NaN where there is nothing to count
            histogram(minutes, scene.pupils.school, scene.band, step, weight, table)

    def tables(self, replication: int, asked: Sequence[str] = TABLES) -> dict[str, pd.DataFrame]:
        """Return the year's rows of the tables asked for, without the scenario's name."""
        year = self.scene.plan.year
        frames: dict[str, Callable[[], pd.DataFrame]] = {
            "days": self._days,
            "measures": self._measures,
            "harm": self._harm,
            "resources": lambda: resources(self.scene, Use(self.measured, self.harmed)),
            "spread": self._spread_table,
            "groups": lambda: group.table(self.scene, self.by_pupil),
        }
        return {name: frames[name]().assign(replication=replication, year=year) for name in asked}

    def _sites(self) -> list[str]:
        return [*self.scene.county.schools.id, "county"]

    def _used(self) -> Bools:
        """Tell which schools have pupils, or buses that come all the same; (S,)."""
        used = np.diff(self.scene.pupils.first) > 0
        used[list(self.scene.table.call_school)] = True
        return np.asarray(used)

    def _days(self) -> pd.DataFrame:
        weeks, weights, skies = zip(*self.skies, strict=True)
        days, sky = [len(week) for week in skies], np.array(SKIES, dtype=object)[np.concatenate(skies)]
        return pd.DataFrame(
            {
                "week": np.repeat(weeks, days),
                "day": np.concatenate([np.arange(n) + 1 for n in days]),
                "weight": np.repeat(weights, days),
                "morning": sky[:, 0],
                "afternoon": sky[:, 1],
            }
        )

    def _measures(self) -> pd.DataFrame:
        names, sites = [name for name in MEASURES if name in self.measured[0][-1]], self._sites()
        blocks = []
        for week, day, weight, values in self.measured:
            table = np.array([values[name] for name in names])
            told = ~np.isnan(table)
            told[:, :-1] &= self._used()
            measure, site = np.nonzero(told)
            n = len(measure)
            blocks.append((np.full(n, week), np.full(n, day), site, measure, table[told], np.full(n, weight)))
        weeks, days, site, measure, value, weights = (np.concatenate(part) for part in zip(*blocks, strict=True))
        units = [MEASURES[name].unit for name in names]
        kinds = sorted(set(units))
        return pd.DataFrame(
            {
                "week": weeks.astype(np.int16),
                "day": days.astype(np.int8),
                "site_id": pd.Categorical.from_codes(site, sites),
                "measure": pd.Categorical.from_codes(measure, names),
                "value": value,
                "unit": pd.Categorical.from_codes(np.array([kinds.index(unit) for unit in units])[measure], kinds),
                "weight": weights,
            }
        )

    def _harm(self) -> pd.DataFrame:
        weights: Mapping[str, float] = self.scene.settings.judge.weights
        harms, sites = list(self.harmed[0][1]), np.array(self.scene.county.schools.id, dtype=object)
        total = np.asarray(sum(weight * np.array(list(found.values())) for weight, found in self.harmed))
        harm, site = np.nonzero(total > 0)
        resource, kind, cause = np.array(harms, dtype=object)[harm].T
        pupil_days = total[harm, site]
        return pd.DataFrame(
            {
                "site_id": sites[site],
                "resource": resource,
                "kind": kind,
                "cause": cause,
                "pupil_days": pupil_days,
                "severity": pupil_days * np.array([weights[kind] for _, kind, _ in harms])[harm],
            }
        )

    def _spread_table(self) -> pd.DataFrame:
        blocks = []
        for number, (name, table) in enumerate(self.spread.items()):
            site, band, bin_ = np.nonzero(table)
            step, bins = SPREAD[name]
            high = np.where(bin_ == bins - 1, np.inf, (bin_ + 1) * step)
            blocks.append((site, np.full(len(site), number), band, bin_ * step, high, table[site, band, bin_]))
        site, measure, band, low, high, count = (np.concatenate(part) for part in zip(*blocks, strict=True))
        return pd.DataFrame(
            {
                "site_id": pd.Categorical.from_codes(site, list(self.scene.county.schools.id)),
                "measure": pd.Categorical.from_codes(measure, list(self.spread)),
                "grade_band": pd.Categorical.from_codes(band, list(BANDS)),
                "low": low,
                "high": high,
                "count": count,
            }
        )
