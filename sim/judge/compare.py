"""Scenarios side by side: headline numbers, and differences replication by replication, with intervals."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from sim.account.ledger import ledger
from sim.account.price import EARMARKED
from sim.config import Settings
from sim.measure.annual import HOW
from sim.measure.interval import mean_interval, paired_interval
from sim.plan.staff import COUNTY_SITE

COLUMNS = (
    "scenario",
    "measure",
    "mean",
    "low",
    "high",
    "diff_mean",
    "diff_low",
    "diff_high",
    "replications",
)
LIVED = (
    "pupils_present",
    "absent_pupils",
    "pupils_carried",
    "pupils_left_behind",
    "late_pupils",
    "ride_min_mean",
    "ride_min_p95",
    "door_to_school_min_p95",
    "runs_cancelled",
    "breakdowns",
    "bus_km",
    "meals_served",
    "meals_unserved",
    "window_wait_min_p95",
    "eating_min_short",
    "beds_occupied",
    "bed_nights",
    "bed_refused",
    "stayed_pupils",
    "emergency_refused",
    "wash_given_up",
    "pupil_days_harmed",
)
"""Measures of the whole county that are compared."""
JUDGED = ("severity",)
MONEY = (
    "buses_owned", "cost_yuan_per_year", "county_cost_yuan_per_year", "family_cost_yuan_per_year",
    "net_cost_yuan_per_year",
)  # fmt: skip


def compare(folders: Sequence[Path]) -> pd.DataFrame:
    """Compare finished runs: each headline number's mean over the years, and its difference to the first run.

    Values are means over the years of each replication; intervals are over replications (95 % t, null with
    one replication). Differences are paired: the same replication had the same luck; only replications that
    both runs have count. The first run's differences are null. Returns the columns of summary.parquet.
    """
    runs = [headlines(Path(folder)) for folder in folders]
    names = _names([run[0] for run in runs], folders)
    first = runs[0][1] if runs else pd.DataFrame()
    parts = [
        _against(first, values, name, is_first=row == 0)
        for row, (name, (_, values)) in enumerate(zip(names, runs, strict=True))
    ]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    return table[list(COLUMNS)]


def headlines(folder: Path) -> tuple[str, pd.DataFrame]:
    """Return a run's scenario and its headline numbers: one row per replication, one column per measure."""
    wanted = [("site_id", "==", COUNTY_SITE), ("measure", "in", list(LIVED))]
    yearly = pd.read_parquet(folder / "annual.parquet", filters=wanted)
    lived = lived_means(yearly, pd.read_parquet(folder / "harm.parquet", columns=["replication", "severity"]))
    money = _money(folder) / max(yearly["year"].nunique(), 1)
    table = lived.join(money.reindex(lived.index).fillna(0.0))
    scenario = str(yearly["scenario"].iloc[0]) if len(yearly) else folder.name
    return scenario, table


def lived_means(yearly: pd.DataFrame, harm: pd.DataFrame) -> pd.DataFrame:
    """Return the measures of the whole county in the mean of a year: one row per replication, one column per measure.

    yearly and harm: with the columns of annual.parquet and harm.parquet; rows of single sites are left out, and a
    replication without harm has a severity of 0.
    """
    yearly = yearly[(yearly["site_id"] == COUNTY_SITE) & yearly["measure"].isin(LIVED)].astype({"measure": "str"})
    replications = pd.Index(np.unique(yearly["replication"].to_numpy()), name="replication")
    years = max(yearly["year"].nunique(), 1)
    lived = yearly.groupby(["replication", "measure"], observed=True)["value"]
    table = lived.mean().unstack()
    totals = [name for name in table if HOW[name] == "total"]
    table[totals] = lived.sum().unstack()[totals] / years
    severity = harm.groupby("replication")["severity"].sum() / years
    table = table.reindex(replications).assign(severity=severity.reindex(replications).fillna(0.0))
    return table[[name for name in (*LIVED, *JUDGED) if name in table]]


def _money(folder: Path) -> pd.DataFrame:
    """Return buses owned (bus-years) and the cost of each replication over all years, in all and by payer.

    Payers as in the budget: without the transfers of EARMARKED. Also what it costs more than not closing, where the run
    was held against that (`account.base`).
    """
    columns = ["replication", "account", "payer", "quantity", "amount_yuan"]
    book = pd.read_parquet(folder / "ledger.parquet", columns=columns)
    borne = book[~book["account"].isin(EARMARKED)]
    by = [
        book[book["account"] == "bus_insurance"].groupby("replication")["quantity"].sum(),
        book.groupby("replication")["amount_yuan"].sum(),
        borne[borne["payer"] == "county"].groupby("replication")["amount_yuan"].sum(),
        borne[borne["payer"] == "family"].groupby("replication")["amount_yuan"].sum(),
    ]
    against = _without_closing(folder)
    if against is not None:
        by.append(by[1] - against)
    return pd.concat(by, axis=1, keys=MONEY[: len(by)])


def _without_closing(folder: Path) -> pd.Series[float] | None:
    """Return what the base of a run costs over all years at the run's own prices, by replication; None without one."""
    manifest = folder / "manifest.json"
    named = json.loads(manifest.read_text(encoding="utf-8")).get("base") if manifest.is_file() else None
    used = folder.parent / str(named) / "quantities.parquet"
    if not named or not used.is_file():
        return None
    settings = Settings.model_validate(yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8")))
    return ledger(settings, pd.read_parquet(used)).groupby("replication")["amount_yuan"].sum()


def _names(scenarios: Sequence[str], folders: Sequence[Path]) -> list[str]:
    """Return the scenarios' names, or the folders' where two scenarios have the same."""
    return list(scenarios) if len(set(scenarios)) == len(scenarios) else [Path(f).name for f in folders]


def _against(first: pd.DataFrame, values: pd.DataFrame, name: str, is_first: bool) -> pd.DataFrame:
    """Return one scenario's rows: its own intervals and those of its differences to the first scenario."""
    mean, low, high = mean_interval(values.to_numpy(dtype=float).T)
    rows = {"measure": values.columns, "mean": mean, "low": low, "high": high}
    table = pd.DataFrame(rows).assign(scenario=name, replications=values.notna().sum().to_numpy())
    both = first.index.intersection(values.index)
    own, other = (run.reindex(both, columns=values.columns) for run in (values, first))
    difference = paired_interval(own.to_numpy(dtype=float).T, other.to_numpy(dtype=float).T)
    for column, numbers in zip(("diff_mean", "diff_low", "diff_high"), difference, strict=True):
        table[column] = np.nan if is_first else numbers
    return table
