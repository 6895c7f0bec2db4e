"""The whole way from settings to files, and the same bits whoever does the work."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from living import job

from sim.config import load
from sim.judge.limit import verdicts
from sim.live import live_year
from sim.measure import OF_THE_ROLL
from sim.measure.annual import annual
from sim.store import RunFolder
from sim.sweep import live_scenarios, run

LIVED = {"enrolment", "measures", "annual", "spread", "resources", "harm"}
SMALL = ("county=three_villages", "calendar=smoke", "study.years=3", "study.replications=2")


def tables_of(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.parquet")}


@pytest.mark.parametrize("workers", [2, 4])
def test_one_two_and_four_workers_write_the_same_bits(folder, tmp_path, workers):
    settings = load([*SMALL, f"study.out={tmp_path}", "executor=processes", f"study.workers={workers}"])
    (ended,) = live_scenarios([settings], extent="tables")
    found = tables_of(ended.folder.path)
    assert {f"{name}.parquet" for name in LIVED} <= set(found)
    assert found == tables_of(folder.path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> RunFolder:
    out = tmp_path_factory.mktemp("results")
    return run(load([*SMALL, f"study.out={out}", "executor=serial"]))


CONTRACT = """
enrolment.parquet: scenario replication year hamlet_id school_id grade sex pupils
closures.csv: scenario year school_id decision condition_failed shortfall unit cheapest_relief
    relief_cost_yuan keep_cost_yuan_per_year
places.parquet: scenario year hamlet_id grade school_id mode pupils km reason
unplaced.csv: scenario year hamlet_id grade pupils constraint shortfall relief
runs.parquet: scenario year run_id duty_id bus_id service direction days school_id seq stop_id arrive_min
    depart_min km embark alight load_after seats
posts.csv: scenario year site_id post needed filled from_school_id
measures.parquet: scenario replication year week day site_id measure value unit weight
annual.parquet: scenario replication year site_id measure value
spread.parquet: scenario replication year site_id measure grade_band low high count
resources.parquet: scenario replication year site_id resource capacity demand_peak utilisation_mean
    utilisation_peak wait_mean_min wait_p95_min unmet unmet_unit unit
bottlenecks.csv: scenario year rank site_id site_name resource severity pupil_days_harmed_mean
    pupil_days_harmed_low pupil_days_harmed_high p_breach first_year_breached cause relief
    relief_cost_yuan
relief.csv: scenario year site_id resource units harm_avoided_mean harm_avoided_low harm_avoided_high
    cost_yuan order
ledger.parquet: scenario replication year site_id account nature payer payee quantity unit unit_price_yuan share
    amount_yuan
family_pupils.csv: scenario year level hardship left_behind moved mode_before mode_after pupils km_before km_after
    school_days nights
family.csv: scenario year level hardship left_behind moved mode_before mode_after pupils cost_before cost_after
    aid_before aid_after rise rise_without_aid rank
verdicts.csv: scenario year site_id limit measure sense value_mean value_low value_high limit_value p_breach
    p_low p_high margin unit source
"""
"""Tables of a run folder and their columns: they are read from outside, so their names stay."""


def contract():
    found = re.findall(r"^(\S+): ((?:.+\n(?:    )?)+?)(?=\S+: |\Z)", CONTRACT, flags=re.MULTILINE)
    return {name: columns.split() for name, columns in found}


@pytest.mark.parametrize(("name", "columns"), contract().items(), ids=contract())
def test_a_run_folder_has_every_table_with_its_columns(folder, name, columns):
    path = folder.path / name
    frame = pd.read_csv(path) if name.endswith(".csv") else pd.read_parquet(path)
    missing = set(columns) - set(frame.columns)
    assert not missing


def test_a_run_folder_has_its_pages_settings_and_inputs(folder):
    for name in ("config.yaml", "manifest.json", "report.html", "budget.xlsx", "inputs/schools.csv"):
        assert (folder.path / name).stat().st_size > 0
    assert list((folder.path / "figures").glob("*.svg"))
    wanted = "version git_commit git_dirty seed packages inputs_sha256 started_utc seconds host_cores replications"
    assert set(wanted.split()) <= set(folder.manifest)
    assert folder.manifest["complete"] is True


def test_measures_have_one_row_per_site_day_and_measure(folder):
    measures = folder.read_table("measures")
    keys = ["scenario", "replication", "year", "week", "day", "site_id", "measure"]
    assert not measures.duplicated(keys).any()
    whole = measures[(measures["day"] == 0) & (measures["measure"] == "pupils_present")]
    days = measures[(measures["day"] > 0) & (measures["measure"] == "pupils_present")]
    by_week = ["replication", "year", "week", "site_id"]
    assert (days.groupby(by_week, observed=True)["value"].sum() == whole.set_index(by_week)["value"]).all()


def test_the_parts_of_the_years_make_the_tables_of_the_run(folder):
    one = job(*SMALL)
    years = [live_year(one, replication, k) for replication in range(2) for k in range(3)]
    for name in LIVED - {"annual"}:
        whole = pd.concat([year[name] for year in years], ignore_index=True).assign(scenario="base")
        told = folder.read_table(name)
        pd.testing.assert_frame_equal(told, whole[list(told)].astype(told.dtypes), check_exact=True)
    assert not (folder.path / ".parts").exists()


def test_the_values_of_the_years_are_those_of_all_weeks_together(folder):
    together = annual(folder.read_table("measures"))
    told = folder.read_table("annual").drop(columns="scenario")
    told = told[~told["measure"].isin(OF_THE_ROLL)].reset_index(drop=True)  # those do not come from weeks
    pd.testing.assert_frame_equal(told, together, check_exact=True)
    assert len(told) > 0


def test_the_same_settings_again_find_the_finished_run(folder):
    settings = folder.settings
    stamp = (folder.path / "manifest.json").stat().st_mtime_ns
    assert run(settings).path == folder.path
    assert (folder.path / "manifest.json").stat().st_mtime_ns == stamp


def test_the_first_day_is_kept_event_by_event(folder):
    (kept,) = (folder.path / "events").glob("*.parquet")
    week = folder.read_table("measures").query("year == 2023 and replication == 0")["week"].min()
    assert kept.stem == f"2023-{week}-1"
    events = pd.read_parquet(kept)
    assert list(events.columns) == ["minute", "event", "who", "value"]
    assert events["minute"].is_monotonic_increasing
    assert events["minute"].between(0, 24 * 60).all()
    per_event = events["event"].value_counts()
    assert per_event["embarked_in"] == per_event["alighted_in"]
    assert per_event["served_lunch"] <= per_event["queued_lunch"]


def test_every_pupil_who_comes_is_listed_once_with_a_school(folder):
    enrolment = folder.read_table("enrolment")
    assert not enrolment.duplicated(["replication", "year", "hamlet_id", "grade", "sex"]).any()
    base = enrolment[(enrolment["year"] == 2023) & (enrolment["replication"] == 0)]
    assert base["pupils"].sum() == 12


def test_one_replication_has_no_interval():
    one = job("county=three_villages", "calendar=smoke", "study.years=1", "study.replications=1")
    found = verdicts(one.settings, one.county, live_year(one, 0, 0)["annual"])
    assert found["value_low"].isna().all()
    assert found["value_mean"].notna().any()
