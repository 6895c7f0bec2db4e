"""Carry any table of rolls forward: how many pupils to expect in each area, grade and year, and how sure that is.

    import pandas as pd
    from sim.plan.survive import fit, recipe

    fitted = fit(pd.read_csv("rolls.csv"), pd.read_csv("births.csv"), recipe("my_recipe.yaml"))
    fitted.expected(2030)                    # area_id, year, grade, pupils
    fitted.draws(2030, seed=1, replications=1000)    # and replication

The recipe is a copy of experiments/enrolment.yaml with the entry age and the spreads of your country.
Cohort survival: a grade's pupils are those of the grade below a year before times a rate, entrants follow births.
Rates are those of all areas together, and each area's own as far as its numbers bear them (`sim.plan.estimate`).
Where an area's own births are not known, part of the forecast is "as many as now" (`flat_share`): a stabler guess
for what nobody can see. Back-test: experiments/enrolment.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from pydantic import ValidationError

from sim.chance import area_luck, cell_owners
from sim.config.enrol import Recipe
from sim.errors import BadInput
from sim.plan import Floats, Ints, freeze
from sim.plan.cohort import Cohorts, count_pupils, expect
from sim.plan.estimate import (
    area_ratios,
    bounded,
    entry_level,
    estimated_spread,
    offered,
    passes,
    pool_ratios,
    present,
)
from sim.plan.rolls import Births, births_of, read_births, read_rolls
from sim.plan.shock import entry_factor, progress_factor

_CHANCE_SDS = 2.0
"""So many standard deviations of a Poisson number are taken for chance, what is beyond them for change."""


def recipe(file: str | Path) -> Recipe:
    """Return the settings in a YAML file; raises BadInput that names each key with a wrong value."""
    try:
        return Recipe.model_validate(yaml.safe_load(Path(file).read_text(encoding="utf-8")))
    except ValidationError as error:
        told = ("recipe." + ".".join(map(str, e["loc"])) + ": " + e["msg"] for e in error.errors())
        raise BadInput(*(f"{file}: {text}" for text in told)) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
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
    (0 where it has no pupils) in every year up to the last. A column sex is kept apart in what comes out: rates are
    those of all pupils, the sexes of entrants those of all areas. births: year, births (of all areas together), or
    area_id, year, births (each area's own); None: entrants stay as many as they were. base_year: later rolls are left
    out. stated: rates of progression to fall back on where there are fewer years than `recipe.min_history_years`; then
    `estimated` is False. An area may begin later than others: its own years are used.
    Raises BadInput that names row (the header is row 1) and column of every cell that is no number, of every gap and of
    a grade that vanishes, and births that are missing.
    """
    found = read_rolls(history, base_year)
    areas, years, grades, rolls = found.areas, found.years, found.grades, found.pupils.sum(axis=3)
    series = read_births(births, areas)
    enough = len(years) >= recipe.min_history_years
    if not enough and stated is None:
        raise BadInput(
            f"history.csv: {len(years)} years ({years[0]} to {years[-1]}) are too few to estimate rates from; give "
            f"{recipe.min_history_years} years in a row for every area, or state rates of progression"
        )
    if stated is not None and len(stated) != len(grades) - 1:
        raise BadInput(f"stated: {len(stated)} rates for {len(grades)} grades; give {len(grades) - 1}")
    if stated is not None and not all(0 <= rate <= recipe.ratio_high for rate in stated):
        raise BadInput(f"stated: {list(stated)}; rates of progression lie from 0 to {recipe.ratio_high:g}")
    has = offered(rolls)
    pool = pool_ratios(rolls, recipe.pool_transitions) if enough else np.array(stated, dtype=float)
    expected = rolls[:-1, :, :-1] * pool * passes(rolls)
    own = area_ratios(rolls, expected, recipe) if enough else np.ones((len(areas), len(pool)))
    ratios = np.where(has[:, :-1] & has[:, 1:], bounded(pool * own, recipe), 0.0)
    if enough:
        recipe = estimated_spread(rolls, expected * own, births_of(series, areas, years, years[:0], recipe), recipe)
    base = found.pupils[-1]
    return Survival(areas, grades, found.sexes, years, rolls, base, recipe, enough, series, series, pool, ratios)


@dataclass(frozen=True, slots=True)
class Survival:
    """A table of rolls with its rates: A areas, G grades, S sexes, N years of history."""

    areas: tuple[str, ...]
    grades: Ints
    sexes: tuple[str, ...]
    """One, "", where history does not tell them apart."""
    years: Ints
    """(N,) the years of history; the last one is where the forecast starts from."""
    rolls: Floats
    """(N, A, G)"""
    base: Floats
    """(A, G, S) the rolls of the last year by sex."""
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
        return replace(self, births=read_births(births, self.areas))

    def expected(self, last_year: int) -> pd.DataFrame:
        """Return the pupils expected up to a year: area_id, year, grade, pupils; the base year is as it was."""
        return self._frame(expect(self._cohorts(last_year))[None]).drop(columns="replication")

    def draws(self, last_year: int, seed: int, replications: int) -> pd.DataFrame:
        """Return the pupils who come in each replication: replication, area_id, year, grade, pupils (whole).

        Their mean is what is expected. A replication meets the same luck under other births and a later last year.
        Where history tells them apart there is a column sex here and in what is expected.
        """
        return self._frame(self._sampled(last_year, seed, replications))

    def mean(self, last_year: int) -> Floats:
        """Return the pupils expected in the base year and after; (Y, A, G)."""
        return np.asarray(expect(self._cohorts(last_year)).sum(axis=3))

    def draw(self, last_year: int, seed: int, replication: int) -> Ints:
        """Return the pupils who come in one replication; (Y, A, G)."""
        return np.asarray(self._drawn(self._cohorts(last_year), last_year, seed, replication).sum(axis=3))

    def sample(self, last_year: int, seed: int, replications: int) -> Ints:
        """Return the pupils who come in each of many replications; (R, Y, A, G)."""
        return np.asarray(self._sampled(last_year, seed, replications).sum(axis=4))

    def _sampled(self, last_year: int, seed: int, replications: int) -> Ints:
        if replications < 1 or seed < 0:
            raise BadInput(f"replications: {replications}, seed: {seed}; draw one or more, with a seed of 0 or more")
        cohorts = self._cohorts(last_year)
        return np.array([self._drawn(cohorts, last_year, seed, r) for r in range(replications)])

    def _drawn(self, cohorts: Cohorts, last_year: int, seed: int, replication: int) -> Ints:
        grades, years = len(self.grades), self._ahead(last_year)
        cells = cell_owners(self.areas, grades, len(self.sexes))
        luck = area_luck(self.areas, cells, seed, replication, years)
        entry = entry_factor(self.recipe, luck, entry_level(self.rolls, self.recipe))
        progress = progress_factor(self.recipe, luck, grades)
        shaken = replace(cohorts, inflow=cohorts.inflow * entry[:, :, None, None], progress=cohorts.progress * progress)
        return count_pupils(shaken, self.recipe.churn_share, luck.cell_u)

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
        sexes = self.base.sum(axis=(0, 1)) / max(self.base.sum(), 1e-300)
        return _alike(self.base, inflow[..., None] * sexes, self.ratios)

    def _held(self, survivors: Floats) -> Floats:
        """Return by which factor each area's total is moved toward what it was; (Y, A). survivors: (Y, A) totals.

        With n today's pupils, S the survivors, f = flat_share, k = flat_pupils and U the area's mean roll of the latest
        years, but no further from n than chance moves a roll (two standard deviations, 2 sqrt n; so a village that has
        emptied stays empty: a limited translation, Efron and Morris 1972), the total of a later year is

            (n ((1 - f) S + f n) + k U) / (n + k)
        """
        n, latest = self.rolls[-1].sum(axis=1), self.rolls[-self.recipe.entry_years :].sum(axis=2)
        usual = latest.sum(axis=0) / np.maximum((latest > 0).sum(axis=0), 1)
        usual = np.clip(usual, n - _CHANCE_SDS * np.sqrt(n), n + _CHANCE_SDS * np.sqrt(n))
        f, k = self.recipe.flat_share, self.recipe.flat_pupils
        total = (n * ((1 - f) * survivors + f * n) + k * usual) / np.maximum(n + k, 1e-300)
        unknown = np.array([area not in self.anchor for area in self.areas]) & (len(self.areas) > 1)
        moved = unknown & (survivors > 0) & (np.arange(len(survivors)) > 0)[:, None]
        return np.where(moved, total / np.maximum(survivors, 1e-300), 1.0)

    def _ahead(self, last_year: int) -> Ints:
        """Return the base year and the years to come."""
        if last_year < self.years[-1]:
            raise BadInput(f"last_year: {last_year} is before the last year of history.csv, {self.years[-1]}")
        return np.arange(self.years[-1], last_year + 1, dtype=np.int64)

    def _births_path(self, births: Births, ahead: Ints) -> Floats:
        """Return entrants of each year and area for each in a mean year of the latest history; (Y, A)."""
        recent = self.years[-self.recipe.entry_years :]
        born = births_of(births, self.areas, recent, ahead, self.recipe)
        return np.asarray(born[len(recent) :] / np.maximum(born[: len(recent)].mean(axis=0), 1e-300))

    def _frame(self, pupils: Floats | Ints) -> pd.DataFrame:
        """Lay pupils (R, Y, A, G, S) out as a long table."""
        ahead = self.years[-1] + np.arange(pupils.shape[1])
        keys = {"replication": range(len(pupils)), "year": ahead, "area_id": self.areas, "grade": self.grades}
        axes = pd.MultiIndex.from_product([*keys.values(), self.sexes], names=[*keys, "sex"])
        table = pd.DataFrame({"pupils": pupils.ravel()}, index=axes).reset_index()
        return table if self.sexes != ("",) else table.drop(columns="sex")


def _alike(base: Floats, inflow: Floats, ratios: Floats) -> Cohorts:
    """Return cohorts with the same rates in all years, and nobody who moves between areas."""
    years, homes, grades = inflow.shape[:3]
    progress = np.repeat(ratios[None], years, axis=0)
    return Cohorts(base, inflow, progress, np.ones((years, homes, grades)), np.full(homes, -1, dtype=np.int64))
