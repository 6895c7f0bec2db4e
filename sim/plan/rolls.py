"""Tables of rolls and births as an analyst has them: read into arrays, or told by row what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sim.config.enrol import Recipe
from sim.county.history import history_problems
from sim.errors import BadInput
from sim.plan import Floats, Ints, freeze
from sim.plan.estimate import entrants_of
from sim.tables.check import Problem

HISTORY, BIRTHS = "history.csv", "births.csv"
COLUMNS = ("area_id", "year", "grade", "pupils")
Births = Mapping[str, Mapping[int, float]]
"""Births by calendar year, of each area or under "" of all areas together."""
_FIRST_ROW = 2
"""Line of the first row in a file with a header: by these, errors name rows, whatever the index."""


@dataclass(frozen=True, slots=True)
class Rolls:
    """Pupils of N years, A areas, G grades and S sexes (one, "", where the table does not tell them apart)."""

    areas: tuple[str, ...]
    years: Ints
    grades: Ints
    sexes: tuple[str, ...]
    pupils: Floats
    """(N, A, G, S), 0 before an area begins."""

    def __post_init__(self) -> None:
        freeze(self)


def read_rolls(history: pd.DataFrame, base_year: int | None = None) -> Rolls:
    """Return the rolls up to a year. Raises BadInput that names the row of everything that is wrong."""
    by_sex = "sex" in history
    table = _numbers(history, HISTORY, ("sex", *COLUMNS) if by_sex else COLUMNS).assign(**{} if by_sex else {"sex": ""})
    if base_year is not None:
        table = table[table["year"] <= base_year]
    if table.empty:
        raise BadInput(f"{HISTORY}: no rows; give area_id, year, grade and pupils")
    keys = [*COLUMNS[:3], "sex"]
    twice = table.index[table.duplicated(keys)]
    problems = [Problem(HISTORY, int(row), "", "this area, year and grade stands there already") for row in twice]
    for sex, part in table.groupby("sex"):
        problems += history_problems(part.assign(area_id=part["area_id"] + f" ({sex})") if by_sex else part)
    if problems:
        raise BadInput(*map(str, sorted(problems)))
    wide = table.pivot(index="year", columns=["area_id", "grade", "sex"], values="pupils").sort_index().fillna(0.0)
    axes = [sorted(set(table[name])) for name in ("area_id", "grade", "sex")]
    wide = wide.reindex(columns=pd.MultiIndex.from_product(axes), fill_value=0.0)
    pupils = wide.to_numpy(float).reshape(len(wide), *map(len, axes))
    areas, grades, sexes = axes
    return Rolls(tuple(areas), wide.index.to_numpy(np.int64), np.array(grades, dtype=np.int64), tuple(sexes), pupils)


def read_births(births: pd.DataFrame | None, areas: Sequence[str]) -> Births:
    """Return births by area and year, or of all areas together under ""; nothing where none are given."""
    if births is None:
        return {}
    own = "area_id" in births
    columns = (*(["area_id"] if own else []), "year", "births")
    table = _numbers(births, BIRTHS, columns)
    keys = list(columns[:-1])
    twice = table.index[table.duplicated(keys)]
    if len(twice):
        raise BadInput(
            *(f"{BIRTHS}, row {row}: births of this {' and '.join(keys)} stand there already" for row in twice)
        )
    if not own:
        return {"": dict(zip(table["year"], table["births"], strict=True))}
    found = {area: dict(zip(part["year"], part["births"], strict=True)) for area, part in table.groupby("area_id")}
    absent = [area for area in areas if area not in found]
    if absent:
        raise BadInput(f"{BIRTHS}: no births of area {', '.join(absent)}; give each area's own, or leave area_id out")
    return {area: found[area] for area in areas}


def births_of(births: Births, areas: Sequence[str], past: Ints, ahead: Ints, recipe: Recipe) -> Floats:
    """Return the births that the entrants of each past year and year ahead come from; (Y, A). 1 without births.

    One child in a usual past year, born as those of all areas are, counts beside an area's own: so a village without a
    birth for years may have one. Raises BadInput when years are missing, or no past year has births in any area.
    """
    years = np.append(past, ahead)
    if not births:
        return np.ones((len(years), len(areas)))
    names = [area if area in births else "" for area in areas]
    place = {name: f"{BIRTHS}, area '{name}'" if name else BIRTHS for name in names}
    paths = {name: entrants_of(births[name], recipe, years, place[name]) for name in sorted(place)}
    born = np.stack([paths[name] for name in names], axis=1)
    usual = born[: len(past)].sum(axis=1).mean()
    if usual <= 0:
        raise BadInput(f"{BIRTHS}: no births at all from which the entrants of {min(past)} to {max(past)} could come")
    return np.asarray(born + born.sum(axis=1, keepdims=True) / usual)


def _numbers(table: pd.DataFrame, file: str, columns: Sequence[str]) -> pd.DataFrame:
    """Return the columns as what they are, names or numbers, rows by their line; or say which cells are not."""
    absent = [column for column in columns if column not in table]
    if absent:
        raise BadInput(f"{file}: no column {', '.join(absent)}; it has {', '.join(columns)}")
    table = table[list(columns)].set_axis(range(_FIRST_ROW, _FIRST_ROW + len(table)))
    problems = []
    for column in columns:
        cells = table[column]
        found = pd.to_numeric(cells, errors="coerce").astype(float)
        if column in ("area_id", "sex"):
            wanted, bad, typed = "a name", cells.isna(), cells.astype(str)
        elif column in ("year", "grade"):
            wanted, bad = "a whole number", ~np.isfinite(found) | (found % 1 != 0)
            typed = found.where(~bad, 0).astype(int)
        else:
            wanted, bad, typed = "a number, 0 or more", ~np.isfinite(found) | (found < 0), found
        table = table.assign(**{column: typed})
        problems += [f"{file}, row {row}, column {column}: '{cells[row]}' is not {wanted}" for row in cells.index[bad]]
    if problems:
        raise BadInput(*problems)
    return table
