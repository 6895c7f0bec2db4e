"""What the files of a run say, read once and only as far as it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sim.config import Settings
from sim.store import INPUTS, RunFolder
from sim.tell.cells import is_small
from sim.tell.words import Words

COUNTY = "county"
COUNTY_TOTALS = (
    "pupils_carried",
    "pupils_left_behind",
    "pupils_fetched",
    "bus_km",
    "runs_cancelled",
    "late_pupils",
    "meals_served",
    "meals_unserved",
    "bed_refused",
    "pupils_present",
    "pupil_days_harmed",
)


ORIGINS = ("real", "derived", "synthetic")
ON_THE_WAY, ROLL = ("bus_seat", "line_bus_seat"), ("classroom_seat",)
GROUPS = {
    **dict.fromkeys(("bus", "spare_bus", "driver", "attendant"), ON_THE_WAY),
    **dict.fromkeys(("window", "canteen_seat", "kitchen", "tap", "basin", "toilet_girls", "toilet_boys"), ROLL),
    "gate_bay": ("bus_seat",), "shower": ("bed",), "life_teacher": ("bed",),
}  # fmt: skip
"""Resource -> those whose demand tells how many pupils of a site it serves: riders, lodgers or the roll."""


@dataclass(frozen=True)
class Run:
    """The files of one run; every table is read when it is first asked for."""

    path: Path

    @cached_property
    def folder(self) -> RunFolder:
        """Return the way to the files."""
        return RunFolder(self.path)

    @cached_property
    def settings(self) -> Settings:
        """Return what was chosen."""
        return self.folder.settings

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Return what is written about the run itself."""
        return self.folder.manifest

    @cached_property
    def words(self) -> Words:
        """Return the glossary in the language of the report."""
        return Words(self.settings.report.language)

    @property
    def public(self) -> bool:
        """Tell whether the report is for everyone: then small groups are hidden."""
        return self.settings.report.audience == "public"

    @cached_property
    def years(self) -> list[int]:
        """Return the school years that were lived."""
        return [self.settings.study.first_year + k for k in range(self.settings.study.years)]

    @cached_property
    def replications(self) -> list[int]:
        """Return the numbers of the replications that were lived: with a wanted precision, more than the least."""
        return list(range(self.folder.manifest["replications"]))

    def input(self, name: str) -> pd.DataFrame:
        """Return a table of the county as text, empty when the county has none of this name."""
        if name not in self._inputs:
            file = self.path / INPUTS / name
            there = file.is_file()
            self._inputs[name] = pd.read_csv(file, dtype=str, keep_default_na=False) if there else pd.DataFrame()
        return self._inputs[name].copy()

    @cached_property
    def _inputs(self) -> dict[str, pd.DataFrame]:
        """Hold the tables of the county that were asked for."""
        return {}

    @cached_property
    def schools(self) -> pd.DataFrame:
        """Return the schools by id, with positions as numbers."""
        return _placed(self.input("schools.csv")).set_index("school_id", drop=False)

    @cached_property
    def hamlets(self) -> pd.DataFrame:
        """Return the hamlets by id, with positions as numbers."""
        return _placed(self.input("hamlets.csv")).set_index("hamlet_id", drop=False)

    @cached_property
    def school_days(self) -> float:
        """Return the school days of a year."""
        return float(self.input("calendar.csv")["days"].astype(float).sum())

    @cached_property
    def _names(self) -> dict[str, tuple[str, str]]:
        """Return the Chinese and the English name of each school, either may be empty."""
        names = (self.schools[name].astype(str).tolist() for name in ("school_id", "name_zh", "name_en"))
        return {school: (zh, en) for school, zh, en in zip(*names, strict=True)}

    @cached_property
    def hamlet_names(self) -> dict[str, str]:
        """Return the Chinese name of each hamlet, which may be empty."""
        return {str(hamlet): str(name) for hamlet, name in self.hamlets["name_zh"].items()}

    def site(self, site_id: str, short: bool = False) -> str:
        """Return a school's name as people know it: Chinese, with the English name where there is one."""
        if site_id == COUNTY:
            return self.words("site.county")
        both = [name for name in self._names.get(site_id, ()) if name]
        if short:
            return both[0 if self.words.language == "zh" else -1] if both else site_id
        return " · ".join(both) or site_id

    def town(self, township_id: str) -> str:
        """Return a township's name: Chinese, with the English name where there is one."""
        return " · ".join(name for name in self._towns.get(township_id, ()) if name) or township_id

    @cached_property
    def _towns(self) -> dict[str, tuple[str, str]]:
        zones = self.input("zones.csv")
        return {
            town: (zh, en) for town, zh, en in zones.reindex(columns=["township_id", "name_zh", "name_en"]).to_numpy()
        }

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of the run as declared."""
        return self.folder.read_table(name)

    def if_there(self, name: str) -> pd.DataFrame:
        """Return a table of the run as declared, read once; empty when the run does not tell it."""
        if name not in self._read:
            self._read[name] = self.table(name) if self.folder.file(name).is_file() else pd.DataFrame()
        return self._read[name].copy()

    @cached_property
    def _read(self) -> dict[str, pd.DataFrame]:
        """Hold the tables that were asked for and may not be there."""
        return {}

    @cached_property
    def last_decisions(self) -> pd.DataFrame:
        """Return what is decided in the end about each school that a rule or list named: rows of closures.csv."""
        return self.table("closures").sort_values("year", kind="stable").drop_duplicates("school_id", keep="last")

    @cached_property
    def attended(self) -> dict[str, set[int]]:
        """Return the years in which each school is to have pupils."""
        places = self.totals("places", ["year", "school_id"], "pupils")
        return places.groupby("school_id", observed=True)["year"].agg(set).to_dict()

    def totals(self, name: str, keys: Sequence[str], value: str) -> pd.DataFrame:
        """Return the sums of a large table by some keys, texts as categories, without loading the rest of it."""
        with pq.ParquetFile(self.folder.file(name), read_dictionary=list(keys)) as file:  # grouped fast
            pieces = (file.read_row_group(k, columns=[*keys, value]) for k in range(file.num_row_groups))
            summed = pa.concat_tables([_sums(piece, keys, value) for piece in pieces])
        return _sums(summed.unify_dictionaries().combine_chunks(), keys, value).to_pandas()

    @cached_property
    def posts(self) -> pd.DataFrame:
        """Return the posts of all years, and who fills them."""
        return self.table("posts")

    @cached_property
    def staff(self) -> dict[str, dict[Any, str]]:
        """Return the row of staff.csv of each school that it lists."""
        rows = self.input("staff.csv").to_dict("records")
        return {row["school_id"]: row for row in reversed(rows)}  # the first one counts

    @cached_property
    def moved(self) -> dict[tuple[str, int], list[Any]]:
        """Return the rows of posts that people of a school take in a year: (school, year) -> rows."""
        found: dict[tuple[str, int], list[Any]] = {}
        for row in plain(self.posts[self.posts["from_school_id"].notna()]).itertuples():
            found.setdefault((row.from_school_id, row.year), []).append(row)
        return found

    @cached_property
    def bottlenecks(self) -> pd.DataFrame:
        """Return the bottlenecks of all years."""
        return self.table("bottlenecks")

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """Return the verdicts of all years."""
        return self.table("verdicts")

    @cached_property
    def resources(self) -> pd.DataFrame:
        """Return what each resource was used; who and what as categories."""
        return self.table("resources").astype({"site_id": "category", "resource": "category"})

    @cached_property
    def capacity(self) -> dict[tuple[str, int, str], float]:
        """Return what there is of each resource: (site, year, resource) -> mean over replications."""
        means = self.resources.groupby(["site_id", "year", "resource"], observed=True)["capacity"].mean()
        return means.dropna().to_dict()

    @cached_property
    def days(self) -> pd.DataFrame:
        """Return the days that were lived with their weather; empty when the run does not tell them."""
        return self.if_there("days")

    @cached_property
    def budget(self) -> pd.DataFrame:
        """Return the budget by year, account and payer; empty when there is none."""
        return plain(self.if_there("budget.csv"))

    @cached_property
    def dearest_yuan(self) -> float:
        """Return the mean total of all payers in the dearest year; NaN when there is no budget."""
        if self.budget.empty:
            return np.nan
        table = self.budget[(self.budget["account"] == "total") & (self.budget["payer"] == "all")]
        return float(table.loc[table["year"].isin(self.years), "mean"].abs().max())

    @cached_property
    def harm(self) -> pd.DataFrame:
        """Return the harm of every replication by year, site and resource."""
        keys = ["replication", "year", "site_id", "resource"]
        frame = pd.read_parquet(self.folder.file("harm"), columns=[*keys, "pupil_days", "severity"])
        frame = frame[frame["resource"].notna()]
        return frame.groupby(keys, observed=True, as_index=False)[["pupil_days", "severity"]].sum()

    @cached_property
    def group_size(self) -> dict[tuple[str, str], float]:
        """Return how many pupils a resource is there for: (site, resource) -> riders, lodgers of a sex, or the roll."""
        rows = self.folder.read_rows("resources", ["site_id", "resource", "demand_peak"])
        means = rows.groupby(["site_id", "resource"])["demand_peak"].mean().dropna()
        size = {(str(site), str(resource)): float(pupils) for (site, resource), pupils in means.items()}
        sites = {site for site, _ in size}
        both = {(site, "bed"): sum(size.get((site, f"bed_{sex}"), 0.0) for sex in ("girls", "boys")) for site in sites}
        return size | both

    def is_hidden(self, site_id: str, resource: str) -> bool:
        """Tell whether what happens to the pupils of a site is hidden, because the group has fewer than five."""
        return self.public and self.is_few(site_id, resource)

    def is_few(self, site_id: str, resource: str) -> bool:
        """Tell whether one of the groups of pupils whom a resource serves has fewer than five."""
        groups = GROUPS.get(resource, (resource,))
        return any(is_small(self.group_size.get((site_id, group), 0.0)) for group in groups)

    def county_totals(self) -> pd.DataFrame:
        """Return the yearly totals of the whole county: replication, year, measure, value."""
        return self._county_totals.copy()

    @cached_property
    def _county_totals(self) -> pd.DataFrame:
        wanted = (("site_id", "==", COUNTY), ("measure", "in", COUNTY_TOTALS))
        return self.folder.read_rows("annual", ["replication", "year", "measure", "value"], *wanted)

    @cached_property
    def weekly(self) -> pd.DataFrame:
        """Return what was measured of the county in each week lived: (year, replication, week) x measure."""
        keys = ["year", "replication", "week"]
        rows = self.folder.read_rows(
            "measures", [*keys, "measure", "value"], ("site_id", "==", COUNTY), ("day", "==", 0)
        )
        return rows.astype({"measure": str}).pivot(index=keys, columns="measure", values="value")

    def site_means(self, measure: str) -> pd.DataFrame:
        """Return the year's value of a measure at each school: replication, year, site_id, value."""
        wanted = (("site_id", "!=", COUNTY), ("measure", "==", measure))
        return self.folder.read_rows("annual", ["replication", "year", "site_id", "value"], *wanted)


def run_of(place: Run | Path) -> Run:
    """Return the run in a folder; one that is read already, as it is."""
    return place if isinstance(place, Run) else Run(Path(place))


def _sums(table: pa.Table, keys: Sequence[str], value: str) -> pa.Table:
    """Return the sums of a column over some keys, in the order in which the keys are met."""
    sums = table.group_by(list(keys), use_threads=False).aggregate([(value, "sum")])
    return sums.rename_columns({f"{value}_sum": value})


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts are plain objects: faster to go through row by row, slower to store."""
    return frame.astype({name: object for name in frame if isinstance(frame[name].dtype, pd.StringDtype)})


def _placed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its positions as numbers, NaN where there is none."""
    return frame.assign(**{axis: pd.to_numeric(frame[axis], errors="coerce") for axis in ("lon", "lat")})


def origin(source: pd.Series[str]) -> pd.Series[str]:
    """Return what a source column says: real, derived, synthetic, or other."""
    kinds = {text: text.partition(":")[0].strip().lower() for text in source.unique()}
    return source.map({text: kind if kind in ORIGINS else "other" for text, kind in kinds.items()})
