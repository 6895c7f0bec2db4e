"""What a scenario does to each school: the mean of a year by replication, and what of it a public page may not show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sim.tell.cells import FEWEST, hidden
from sim.tell.run import COUNTY, Run
from sim.tell.sweep import COUNTS, HARMS, SEVERITY
from sim.tell.table import serves

AVERAGES = ("_mean", "_p95")
"""Endings of measures of one pupil: they do not add up over schools."""
BEDS = "beds_occupied"
SERVED = ("bus", "bed", "window")
"""Resources that tell whom a measure speaks of: riders, lodgers, or (the last) all pupils of a school."""
KEYS = ["measure", "site_id"]


@dataclass(frozen=True)
class BySchool:
    """One scenario's measures at each school."""

    run: Run

    @property
    def there(self) -> bool:
        """Tell whether the run has all tables that are told by school."""
        return all(self.run.folder.file(name).is_file() for name in ("annual", "harm", "resources"))

    @cached_property
    def table(self) -> pd.DataFrame:
        """Return the mean of a year: one row per measure and school, one column per replication.

        Totals are spread over all years that were lived, and are 0 in a replication that tells of none; means and
        quantiles are the mean of the years that have one, null without.
        """
        keys = [*KEYS, "replication"]
        file = self.run.folder.file("annual")
        rows = pq.read_table(file, columns=[*keys, "year", "value"], read_dictionary=KEYS)  # codes are grouped fast
        years = len(rows["year"].unique())
        found = _grouped(rows, keys).to_pandas().astype(dict.fromkeys(KEYS, object)).set_index(keys)
        total, count = found["value_sum"].unstack(), found["value_count"].unstack()
        mean = np.array([averaged(str(measure)) for measure in total.index.get_level_values(0)])
        yearly = np.where(mean[:, None], total / count, total.fillna(0.0) / years)
        table = pd.DataFrame(yearly, total.index, total.columns)
        table = table.drop(index=COUNTY, level="site_id", errors="ignore")
        severity = self._harm.groupby(["site_id", "replication"])["severity"].sum().unstack() / years
        severity = severity.reindex(columns=table.columns).fillna(0.0)
        return pd.concat([table, pd.concat({SEVERITY: severity}, names=KEYS)])

    def hidden(
        self, measure: str, sites: Sequence[str], values: NDArray[np.float64], total_shown: bool = True
    ) -> list[bool]:
        """Tell for which schools (rows of values; columns: replications) a public page hides a measure.

        Few pupils live it, or it counts few in any replication. total_shown: the county's total is told, so that of a
        measure which adds up no single school may be hidden alone.
        """
        counts = measure in COUNTS
        few = np.isin(sites, self._few[measure if measure in HARMS else serves(measure)])
        small = ((values > 0) & (values < FEWEST)).any(axis=1) & counts
        if measure.endswith(AVERAGES):
            return list(few | small)
        means = values.mean(axis=1)
        size = means if counts else means + FEWEST  # three runs are no small group
        return hidden(size, True, total_shown, list((few & (means > 0)) | small))

    @cached_property
    def _few(self) -> dict[str, list[str]]:
        """Return the schools of which a measure tells what one to four pupils live, by whom it speaks of.

        Harm speaks of all pupils of a school, unless all of it is that of such a group.
        """
        sites = [str(site) for site in self.table.index.unique("site_id")]
        few = {served: [site for site in sites if self.run.is_few(site, served)] for served in SERVED}
        harmed = (
            self._harm[self._harm["severity"] > 0].dropna(subset="resource")[["site_id", "resource"]].drop_duplicates()
        )
        theirs = pd.Series(
            [self.run.is_few(*place) for place in harmed.itertuples(index=False)], harmed["site_id"], bool
        )
        alone = theirs.groupby(level=0).all()
        return few | dict.fromkeys(HARMS, sorted({*few[SERVED[-1]], *alone[alone].index}))

    @cached_property
    def _harm(self) -> pd.DataFrame:
        return self.run.folder.read_rows("harm", ["replication", "site_id", "resource", "severity"])


def averaged(measure: str) -> bool:
    """Tell whether a year's value is a mean of its days, not their total."""
    return measure.endswith(AVERAGES) or measure == BEDS


def _grouped(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Return sum and number of the values by some keys."""
    groups = rows.unify_dictionaries().combine_chunks().group_by(list(keys), use_threads=False)
    return groups.aggregate([("value", "sum"), ("value", "count")])
