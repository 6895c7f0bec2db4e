"""Carry any table of rolls forward: how many pupils to expect in each area, grade and year, and how sure that is.

    import pandas as pd
    from sim.plan.survive import fit, recipe

    fitted = fit(pd.read_csv("rolls.csv"), pd.read_csv("births.csv"), recipe("my_recipe.yaml"))
    fitted.expected(2030)                    # area_id, year, grade, pupils
    fitted.draws(2030, seed=1, replications=1000)    # and replication

Cohort survival: a grade's pupils are those of the grade below a year before times a rate, entrants follow births.
Rates are those of all areas together, and each area's own as far as its numbers bear them (`sim.plan.estimate`).
Where an area's own births are not known, part of the forecast is "as many as now" (`flat_share`): a stabler guess
for what nobody can see. Back-test: experiments/enrolment.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from pydantic import ValidationError

from sim.chance import area_luck, cell_owners
from sim.config.enrol import Recipe
from sim.county.history import history_problems
from sim.errors import BadInput
from sim.plan import Floats, Ints, freeze
from sim.plan.cohort import Cohorts, count_pupils, expect
from sim.plan.estimate import (
    area_ratios,
    bounded,
    entrants_of,
    entry_level,
    estimated_spread,
    offered,
    passes,
    pool_ratios,
    present,
)
from sim.plan.shock import entry_factor, progress_factor

COLUMNS = ("area_id", "year", "grade", "pupils")
Births = Mapping[str, Mapping[int, float]]
"""Births by calendar year, of each area or under "" of all areas together."""


def recipe(file: str | Path) -> Recipe:
    """Return the settings in a YAML file; raises BadInput that names each key with a wrong value."""
    try:
        return Recipe.model_validate(yaml.safe_load(Path(file).read_text(encoding="utf-8")))
    except ValidationError as error:
        told = ("recipe." + ".".join(map(str, e["loc"])) + ": " + e["msg"] for e in error.errors())
        raise BadInput(*(f"{file}: {text}" for text in told)) from error
    except (OSError, yaml.YAMLError) as error:
        raise BadInput(f"{file}: cannot be read as YAML: {error}") from error


def fit(
    history: pd.DataFrame,
    births: pd.DataFrame | None,
    recipe: Recipe,
    base_year: int | None = None,
    stated: Sequence[float] | None = None,
) -> Survival:
    """Fit rates to a table of rolls and return what carries it forward.

    history: area_id, year, grade, pupils; grades are consecutive whole numbers (K is 0), each area has every grade
    (0 where it has no pupils) in every year up to the last. births: year, births (of all areas together), or area_id,
    year, births (each area's own); None: entrants stay as many as they were. base_year: later rolls are left out.
    stated: rates of progression to fall back on where there are fewer years than `recipe.min_history_years`; then
    `estimated` is False. An area may begin later than others: its own years are used.
    Raises BadInput that names row and column of every gap, of a grade that vanishes, and births that are missing.
    """
    if base_year is not None:
        history = history[history["year"] <= base_year]
    areas, years, grades, rolls = _array(history)
    series = _series(births, areas)
    enough = len(years) >= recipe.min_history_years
    if not enough and stated is None:
        raise BadInput(
            f"history.csv: {len(years)} years ({years[0]} to {years[-1]}) are too few to estimate rates from; give "
            f"{recipe.min_history_years} years in a row for every area, or state rates of progression"
        )
    if stated is not None and len(stated) != len(grades) - 1:
        raise BadInput(f"stated: {len(stated)} rates for {len(grades)} grades; give {len(grades) - 1}")
    has = offered(rolls)
    pool = pool_ratios(rolls, recipe.pool_transitions) if enough else np.array(stated, dtype=float)
    expected = rolls[:-1, :, :-1] * pool * passes(rolls)
    own = area_ratios(rolls, expected, recipe) if enough else np.ones((len(areas), len(pool)))
    ratios = np.where(has[:, :-1] & has[:, 1:], bounded(pool * own, recipe), 0.0)
    if enough:
        recipe = estimated_spread(rolls, expected * own, _births_of(series, areas, years, recipe), recipe)
    return Survival(areas, grades, years, rolls, recipe, enough, series, series, pool, ratios)


@dataclass(frozen=True, slots=True)
class Survival:
    """A table of rolls with its rates: A areas, G grades, N years of history."""

    areas: tuple[str, ...]
    grades: Ints
    years: Ints
    """(N,) the years of history; the last one is where the forecast starts from."""
    rolls: Floats
    """(N, A, G)"""
    recipe: Recipe
    """The settings, with spreads re-estimated where there were years enough."""
    estimated: bool
    """False: too few years; progression is as stated, the level of entrants that of the years there are."""
    births: Births
    anchor: Births
    """Births on which "as many as now" is weighed; the same under all variants, so that more births are no fewer."""
    pool: Floats
    """(G - 1,) rates of progression of all areas together."""
    ratios: Floats
    """(A, G - 1) rates of progression of each area; 0 out of or into a grade that the area does not have."""

    def __post_init__(self) -> None:
        freeze(self)

    def with_births(self, births: pd.DataFrame) -> Survival:
        """Return the same forecast under other births, which with the same luck differs only by their children."""
        return replace(self, births=_series(births, self.areas))

    def expected(self, last_year: int) -> pd.DataFrame:
        """Return the pupils expected up to a year: area_id, year, grade, pupils; the base year is as it was."""
        return self._frame(self.mean(last_year)[None]).drop(columns="replication")

    def draws(self, last_year: int, seed: int, replications: int) -> pd.DataFrame:
        """Return the pupils who come in each replication: replication, area_id, year, grade, pupils (whole).

        Their mean is what is expected. A replication meets the same luck under other births and a later last year.
        """
        return self._frame(self.sample(last_year, seed, replications))

    def mean(self, last_year: int) -> Floats:
        """Return the pupils expected in the base year and after; (Y, A, G)."""
        return np.asarray(expect(self._cohorts(last_year))[..., 0])

    def draw(self, last_year: int, seed: int, replication: int) -> Ints:
        """Return the pupils who come in one replication; (Y, A, G)."""
        return self._drawn(self._cohorts(last_year), last_year, seed, replication)

    def sample(self, last_year: int, seed: int, replications: int) -> Ints:
        """Return the pupils who come in each of many replications; (R, Y, A, G)."""
        cohorts = self._cohorts(last_year)
        return np.array([self._drawn(cohorts, last_year, seed, r) for r in range(replications)])

    def _drawn(self, cohorts: Cohorts, last_year: int, seed: int, replication: int) -> Ints:
        grades, years = len(self.grades), self._ahead(last_year)
        luck = area_luck(self.areas, cell_owners(self.areas, grades, 1), seed, replication, years)
        entry = entry_factor(self.recipe, luck, entry_level(self.rolls, self.recipe))
        progress = progress_factor(self.recipe, luck, grades)
        shaken = replace(cohorts, inflow=cohorts.inflow * entry[:, :, None, None], progress=cohorts.progress * progress)
        most = np.full(len(self.areas), np.iinfo(np.int64).max)
        return np.asarray(count_pupils(shaken, self.recipe.churn_share, most, luck.cell_u)[..., 0])

    def _cohorts(self, last_year: int) -> Cohorts:
        """Return what the areas' cohorts grow from, with part of each area's total held where it is."""
        ahead = self._ahead(last_year)
        plain = self._plain(self._births_path(self.births, ahead))
        held = self._held(expect(self._plain(self._births_path(self.anchor, ahead))).sum(axis=(2, 3)))
        step = np.ones_like(held)
        np.divide(held[1:], held[:-1], out=step[1:], where=held[:-1] > 0)
        return replace(plain, inflow=plain.inflow * held[:, :, None, None], progress=plain.progress * step[:, :, None])

    def _plain(self, path: Floats) -> Cohorts:
        """Return plain cohort survival; path: (Y, A) entrants of a year for each in a mean year of history.

        A grade without the grade below in its area takes its pupils from elsewhere: its own mean level of the latest
        years, and the pool's path of that grade.
        """
        has, latest = offered(self.rolls), self.rolls[-self.recipe.entry_years :]
        inflow = np.zeros((len(path), *self.rolls.shape[1:]))
        inflow[:, :, 0] = entry_level(self.rolls, self.recipe) * path
        alone = has[:, 1:] & ~has[:, :-1]
        total = self.rolls.sum(axis=1)
        flow = np.zeros((len(path), 1, len(self.grades), 1))
        flow[:, 0, 0, 0] = inflow[:, :, 0].sum(axis=1)
        pool = expect(_alike(total[-1][None, :, None], flow, self.pool[None]))[:, 0, :, 0]
        usual = np.maximum(latest.sum(axis=1).mean(axis=0), 1.0)
        own = latest.sum(axis=0) / np.maximum(present(latest).sum(axis=0), 1)[:, None]
        inflow[:, :, 1:] = (pool / usual)[:, None, 1:] * own[:, 1:] * alone
        return _alike(self.rolls[-1][:, :, None], inflow[..., None], self.ratios)

    def _held(self, survivors: Floats) -> Floats:
        """Return by which factor each area's total is moved toward today's; (Y, A). survivors: (Y, A) totals."""
        now = self.rolls[-1].sum(axis=1)
        unknown = np.array([area not in self.anchor for area in self.areas]) & (len(self.areas) > 1)
        k = self.recipe.flat_pupils
        flat = unknown * (self.recipe.flat_share * now + k) / np.maximum(now + k, 1.0)
        return np.where(survivors > 0, 1 - flat + flat * now / np.maximum(survivors, 1e-300), 1.0)

    def _ahead(self, last_year: int) -> Ints:
        """Return the base year and the years to come."""
        return np.arange(self.years[-1], last_year + 1, dtype=np.int64)

    def _births_path(self, births: Births, ahead: Ints) -> Floats:
        """Return entrants of each year and area for each in a mean year of the latest history; (Y, A)."""
        recent = self.years[-self.recipe.entry_years :]
        all_years = _births_of(births, self.areas, np.append(recent, ahead), self.recipe)
        return np.asarray(all_years[len(recent) :] / np.maximum(all_years[: len(recent)].mean(axis=0), 1e-300))

    def _frame(self, pupils: Floats | Ints) -> pd.DataFrame:
        """Lay pupils (R, Y, A, G) out as a long table."""
        ahead = self.years[-1] + np.arange(pupils.shape[1])
        keys = pd.MultiIndex.from_product(
            [range(len(pupils)), ahead, self.areas, self.grades], names=["replication", "year", "area_id", "grade"]
        )
        return pd.DataFrame({"pupils": pupils.ravel()}, index=keys).reset_index()


def _alike(base: Floats, inflow: Floats, ratios: Floats) -> Cohorts:
    """Return cohorts with the same rates in all years, and nobody who moves between areas."""
    years, homes, grades = inflow.shape[:3]
    progress = np.repeat(ratios[None], years, axis=0)
    return Cohorts(base, inflow, progress, np.zeros((years, grades)), np.full(homes, -1, dtype=np.int64))


def _array(history: pd.DataFrame) -> tuple[tuple[str, ...], Ints, Ints, Floats]:
    """Return areas, years, grades, and pupils (N, A, G), 0 before an area begins; or say all that is wrong."""
    absent = [column for column in COLUMNS if column not in history]
    if absent:
        raise BadInput(f"history.csv: no column {', '.join(absent)}; a history has {', '.join(COLUMNS)}")
    bad = history.index[history[list(COLUMNS)].isna().any(axis=1) | (history["pupils"] < 0)]
    problems = [f"history.csv, row {row}: every cell needs a value, pupils 0 or more" for row in bad]
    twice = history.index[history.duplicated(list(COLUMNS[:3]))]
    problems += [f"history.csv, row {row}: this area, year and grade stands there already" for row in twice]
    problems += [str(problem) for problem in history_problems(history)]
    if history.empty or problems:
        raise BadInput(*(problems or ["history.csv: no rows; give area_id, year, grade and pupils"]))
    table = history.astype({"area_id": str}).pivot(index="year", columns=["area_id", "grade"], values="pupils")
    table = table.sort_index(axis=1).sort_index().fillna(0.0)
    areas = tuple(table.columns.get_level_values(0).unique())
    grades = np.array(table.columns.get_level_values(1).unique(), dtype=np.int64)
    rolls = table.to_numpy(float).reshape(len(table), len(areas), len(grades))
    return areas, table.index.to_numpy(np.int64), grades, rolls


def _series(births: pd.DataFrame | None, areas: Sequence[str]) -> Births:
    """Return births by area and year, or of all areas together under ""."""
    if births is None:
        return {}
    if "area_id" not in births:
        return {"": dict(zip(births["year"].astype(int), births["births"].astype(float), strict=True))}
    own = births.astype({"area_id": str})
    found = {
        area: dict(zip(rows["year"].astype(int), rows["births"].astype(float), strict=True))
        for area, rows in own.groupby("area_id")
    }
    absent = [area for area in areas if area not in found]
    if absent:
        raise BadInput(f"births.csv: no births of area {', '.join(absent)}; give each area's own, or leave area_id out")
    return found


def _births_of(births: Births, areas: Sequence[str], years: Ints, recipe: Recipe) -> Floats:
    """Return the births that the entrants of each year and area come from; (Y, A). 1 where births are not given."""
    if not births:
        return np.ones((len(years), len(areas)))
    names = [area if area in births else "" for area in areas]
    paths = {name: entrants_of(births[name], recipe, years, "births.csv") for name in sorted(set(names))}
    return np.stack([paths[name] for name in names], axis=1)
