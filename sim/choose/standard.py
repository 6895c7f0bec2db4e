"""Which limits a plan has to hold, and in which years of which futures it broke them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.config import Limit, Settings
from sim.county import County
from sim.errors import BadInput
from sim.judge.limit import beyond
from sim.measure import MEASURES
from sim.store import RunFolder

Floats = NDArray[np.float64]
OF_LODGING = "bed_nights"
"""Measure that tells which schools have lodgers."""


@dataclass(frozen=True, slots=True)
class Standard:
    """A limit that has to hold, for the county as a whole or at a share of its schools."""

    name: str
    limit: Limit
    schools_share: float | None = None
    """Share of the sites that have to keep it; None: the limit is the county's."""

    def beyond(self, county: County, yearly: pd.DataFrame, replications: int, years: range) -> Floats:
        """Tell how far it was broken in each year of each replication: 0 or less where it was kept; (R, Y).

        Of the county: by which share of the limit; of schools: by which share of them. What nobody was concerned by
        is kept.
        """
        found = beyond(self.limit, county, yearly)
        every = pd.MultiIndex.from_product([range(replications), years])
        if self.schools_share is not None:
            found["beyond"] = self.schools_share - (found["beyond"] <= 0)
        mean = found.groupby(["replication", "year"])["beyond"].mean()
        return mean.reindex(every).fillna(0.0).to_numpy().reshape(replications, len(years))


def standards(settings: Settings) -> tuple[Standard, ...]:
    """Return the limits that a plan has to hold. Raises BadInput for names that nobody knows."""
    rule, wrong = settings.choose, list(_wrong(settings))
    if wrong:
        raise BadInput(*wrong)
    share = rule.schools_share
    chosen = [(name, settings.limits[name]) for name in rule.limits]
    if share is None:
        chosen = [(name, limit.model_copy(update={"site": "county"})) for name, limit in chosen]
    of_county = [
        Standard(name, Limit(measure=name, per=None, sense=sense, value=value, unit=MEASURES[name].unit, site="county",
                             source="assumption: asked for"))
        for sense, bounds in (("at_most", rule.at_most), ("at_least", rule.at_least))
        for name, value in (bounds or {}).items()
    ]  # fmt: skip
    return (*(Standard(name, limit, share) for name, limit in chosen), *of_county)


def _wrong(settings: Settings) -> Iterator[str]:
    rule = settings.choose
    for name in rule.limits:
        if name not in settings.limits:
            yield f"choose.limits: there is no limit {name!r}; choose from {', '.join(settings.limits)}."
        elif rule.schools_share is None and settings.limits[name].measure not in MEASURES:
            yield (
                f"choose.limits: {name} is measured at each school only; leave it out, or say with "
                "choose.schools_share at which share of the schools limits have to hold."
            )
    for key, bounds in (("at_most", rule.at_most), ("at_least", rule.at_least)):
        for name in bounds or ():
            if name not in MEASURES:
                yield f"choose.{key}: there is no measure {name!r}; choose from {', '.join(MEASURES)}."


def beyond_of(
    folder: RunFolder, asked: tuple[Standard, ...], county: County, replications: int, years: range
) -> Floats:
    """Tell how far a finished run broke each limit in the years of its first replications; (R, Y, L)."""
    measures = {OF_LODGING, *(one.limit.measure for one in asked), *(one.limit.per for one in asked)} - {None}
    yearly = pd.read_parquet(folder.file("annual"), filters=[("measure", "in", sorted(map(str, measures)))])
    return np.stack([one.beyond(county, yearly, replications, years) for one in asked], axis=2)
