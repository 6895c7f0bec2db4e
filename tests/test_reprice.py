"""Pricing a run again: the same days, other money, in a folder beside it; and the county without closing as base."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sim import reprice as repricing
from sim import study
from sim.cli import main
from sim.config import load
from sim.config.multirun import scenarios
from sim.judge.compare import compare
from sim.live import Job, live_year
from sim.store import RunFolder, run_folder
from sim.sweep import bases_of, live_scenarios, run

SMALL = (
    "closure=plan_2023",
    "county=three_villages", "study.years=2", "study.replications=2", "calendar=smoke",
    "executor=serial", "fleet.ride_limit_young_min=25",
)  # fmt: skip
"""T closes though three of its pupils ride too long: three beds would help."""


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Live a run with its base, pages and all."""
    return run(load([*SMALL, f"study.out={tmp_path_factory.mktemp('lived')}"])).path


@pytest.fixture
def base(lived: Path, tmp_path: Path) -> Path:
    """Copy the run, so that each test has its own."""
    return Path(shutil.copytree(lived, tmp_path / "out" / "main" / "base"))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave pages undrawn: they are drawn in test_tell.py."""
    for module in (repricing, study):
        monkeypatch.setattr(module, "tell", lambda folder, redraw=True: None)


def beside(base: Path) -> list[Path]:
    """Return the folders beside a run, the hidden ones too."""
    return sorted(path for path in base.parent.iterdir() if path != base)


def priced(base: Path, *words: str) -> RunFolder:
    """Price a run again by the command line and return the only new folder."""
    before = set(beside(base))
    assert main(["report", str(base), *words]) == 0
    (new,) = set(beside(base)) - before
    return RunFolder(new)


def sums(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def of_account(folder: RunFolder, account: str) -> pd.DataFrame:
    book = folder.read_table("ledger")
    return book[book["account"] == account].reset_index(drop=True)


def test_a_km_that_costs_three_yuan_costs_three_yuan_and_nothing_else_changes(base: Path) -> None:
    before = sums(base)
    found = priced(base, "prices.bus_km.central=3")
    assert sums(base) == before
    old, new = of_account(RunFolder(base), "bus_km"), of_account(found, "bus_km")
    assert len(new)
    assert set(new["unit_price_yuan"]) == {3.0}
    assert new["amount_yuan"].tolist() == pytest.approx((old["quantity"] * 3).tolist(), abs=0.0051)
    both = [folder.read_table("ledger").query("account != 'bus_km'") for folder in (RunFolder(base), found)]
    pd.testing.assert_frame_equal(both[0].reset_index(drop=True), both[1].reset_index(drop=True))
    total = found.read_table("budget").query("account == 'total' and payer == 'all'")["mean"].sum()
    book = found.read_table("ledger")
    assert total == pytest.approx(book["amount_yuan"].sum() / book["replication"].nunique(), abs=0.01)
    for page in ("report.html", "budget.xlsx", "figures/budget.svg"):
        assert found.file(page).is_file()
        assert sums(found.path)[page] != before[page]
    told = '<td>Bus kilometre</td><td class="n ">1.8</td><td class="n ">{}</td>'
    assert told.format("2.5") in RunFolder(base).read_text("report.html")
    assert told.format("3") in found.read_text("report.html")


def test_it_is_a_whole_run_folder_of_the_same_birth(base: Path, undrawn: None) -> None:
    found = priced(base, "prices.bus_km.central=3")
    assert found.finished
    stem, _, digits = found.path.name.rpartition("-")
    assert (stem, len(digits), int(digits, 16) >= 0) == ("base", 6, True)
    old, new = RunFolder(base).manifest, found.manifest
    differ = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    assert differ == {"config_sha256", "inputs_sha256", "fingerprint", "repriced_from", "repriced_with"}
    assert new["repriced_from"] == "base"
    assert new["repriced_with"]["version"] == old["version"]
    assert str(base.parent) not in json.dumps(new)
    assert new["config_sha256"] == found.settings.hash()
    assert found.settings.prices["bus_km"].central == 3
    assert found.settings.prices["bus_km"].low == RunFolder(base).settings.prices["bus_km"].low
    assert "central: 3.0" in found.read_text("inputs/prices.yaml")
    tables = {name for name in sums(base) if name.endswith((".csv", ".parquet"))}
    assert tables == {name for name in sums(found.path) if name.endswith((".csv", ".parquet"))}


def test_what_no_price_changes_is_the_same_file_and_never_written(base: Path, undrawn: None) -> None:
    found = priced(base, "prices.bus_km.central=3")
    for name in ("measures.parquet", "quantities.parquet", "inputs/schools.csv", "verdicts.csv"):
        assert (base / name).samefile(found.file(name))
    for name in ("ledger.parquet", "budget.csv", "config.yaml", "inputs/prices.yaml", "closures.csv"):
        assert not (base / name).samefile(found.file(name))
    before = sums(base)
    found.write_table("verdicts", found.read_table("verdicts").iloc[:1])  # a write takes the link's place
    assert sums(base) == before


def test_files_are_copied_where_the_disk_knows_no_links(
    base: Path, undrawn: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError("not on this disk")

    monkeypatch.setattr(os, "link", no_links)
    found = priced(base, "prices.bus_km.central=3")
    assert sums(base)["measures.parquet"] == sums(found.path)["measures.parquet"]
    assert not (base / "measures.parquet").samefile(found.file("measures"))


def test_it_is_what_a_run_at_these_prices_would_have_written(base: Path, undrawn: None, tmp_path: Path) -> None:
    other = (
        "prices.bus_km.central=3",
        "prices.bed_place.central=20000",
        "account.floor_pupils=90",
        "account.fare_months=9",
    )
    found = priced(base, *other)
    asked = load([*SMALL, *other, f"study.out={base.parents[1]}"])
    assert run_folder(asked) == found, "a run with these settings finds it"
    again = run(load([*SMALL, *other, f"study.out={tmp_path / 'lived'}"]))
    tables = [name for name in sums(again.path) if name.endswith((".csv", ".parquet")) and "events" not in name]
    assert "net.csv" not in tables
    assert {name: sums(again.path)[name] for name in tables} == {name: sums(found.path)[name] for name in tables}


def test_help_and_what_a_school_ties_up_follow_their_prices(base: Path, undrawn: None) -> None:
    """Three beds in service mode; T has one teacher and one temporary, and 97 pupils less than the floor."""
    found = priced(
        base, "prices.bed_place.central=20000", "prices.teacher_year.central=86000", "account.floor_pupils=98"
    )
    old, new = RunFolder(base).read_table("closures").iloc[0], found.read_table("closures").iloc[0]
    assert (old["pupils"], old["relief_cost_yuan"], new["relief_cost_yuan"]) == (3, 3 * 17_600, 3 * 20_000)
    assert new["keep_cost_yuan_per_year"] - old["keep_cost_yuan_per_year"] == 1000 - 2 * 720
    for name in ("closures", "grounds", "bottlenecks", "unplaced"):
        tables = [RunFolder(base).read_table(name), found.read_table(name)]
        money = [column for column in tables[0] if "yuan" in column]
        pd.testing.assert_frame_equal(*(table.drop(columns=money) for table in tables), check_exact=True)
    grounds = found.read_table("grounds").set_index("ground")
    assert grounds.loc["ride_or_bed", "relief_items"] == "bed_place 3"
    assert grounds.loc["ride_or_bed", "relief_cost_yuan"] == 60_000


def test_the_same_prices_again_are_there_already(base: Path, undrawn: None, capsys: pytest.CaptureFixture[str]) -> None:
    found = priced(base, "prices.bus_km.central=3")
    before = {path: path.stat().st_mtime_ns for path in found.path.rglob("*")}
    assert main(["report", str(base), "prices.bus_km.central=3.0"]) == 0
    assert f"Priced so before: {found.file('report.html')}" in capsys.readouterr().out
    assert beside(base) == [found.path]
    assert {path: path.stat().st_mtime_ns for path in found.path.rglob("*")} == before


def test_other_words_are_for_the_new_folder_alone(base: Path, undrawn: None) -> None:
    found = priced(base, "prices.bus_km.central=3", "report.language=zh", "report.audience=internal")
    assert (found.settings.report.language, found.settings.report.audience) == ("zh", "internal")
    assert RunFolder(base).settings.report.language == "en"
    assert main(["report", str(base), "prices.bus_km.central=3", "report.language=en"]) == 0
    assert found.settings.report.language == "en"
    assert main(["report", str(base), "prices.bus_km.central=3", "report=public"]) == 0
    assert found.settings.report.audience == "public", "a group counts as much as a key of it"
    assert beside(base) == [found.path]


def test_a_repriced_run_is_priced_again_from_its_own_settings(base: Path, undrawn: None) -> None:
    first = priced(base, "prices.bus_km.central=3")
    second = priced(first.path, "account.payers.food={county: 0.1, family: 0.9}")
    assert second.settings.prices["bus_km"].central == 3
    assert second.settings.account.payers["food"] == {"county": 0.1, "upper": 0.0, "family": 0.9}
    assert second.manifest["repriced_from"] == first.path.name
    shares = of_account(second, "meal_lunch").groupby("payer")["share"].first().to_dict()
    assert {"county": 0.1, "family": 0.9}.items() <= shares.items()
    assert main(["report", str(second.path), "prices=jiangxi_2023", "account.payers.food={county: 0, family: 1}"]) == 0
    assert beside(base) == sorted([first.path, second.path]), "these are the first run's: it is there"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["fleet.scale=2", "closure=none"], "fleet.scale, closure: what was lived with other settings is another run"),
        (["study.years=3", "prices.bus_km.central=3"], "study.years: what was lived"),
        (["prices.bus_kn.central=3"], "prices.bus_kn: there is no such setting; did you mean prices.bus_km"),
        (["prices=jiangxi_2024"], "prices: there is no option 'jiangxi_2024'"),
        (["prices.bus_km.central=cheap"], "prices.bus_km.central: 'cheap' is not possible"),
        (
            ["prices.bus_km.central=9"],
            "low 1.8, central 9, high 4 must rise; give all three, for example {low: 1.8, central: 9, high: 9}",
        ),
        (["prices.bus_km.central=2,3"], "prices.bus_km.central: a report has one value"),
        (["prices.bed_place.life_years=null"], "prices.bed_place.life_years: is missing"),
        (["prices.bed_place.life_years=0"], "prices.bed_place.life_years: 0"),
        (["account.payers.food.county=0.5"], "the shares of food add up to 1.5, not 1"),
        (["bands.yujiang_public_per_line.measure=smiles"], "bands.yujiang_public_per_line.measure: smiles"),
        (["~prices.bus_km"], "prices.bus_km: a setting cannot be removed"),
        (["account.base=not_closing"], "account.base: beside"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    base: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sums(base)
    assert main(["report", str(base), *words]) == 2
    assert says in capsys.readouterr().err
    assert sums(base) == before
    assert beside(base) == []


@pytest.mark.parametrize("name", ["quantities", "relieved"])
def test_a_run_that_kept_too_little_is_refused(name: str, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (base / f"{name}.parquet").unlink()
    assert main(["report", str(base), "prices.bus_km.central=3"]) == 2
    assert "that kept too little; live it again" in capsys.readouterr().err


def test_an_interrupted_pricing_leaves_nothing(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sums(base)

    def stop(folder: RunFolder, redraw: bool) -> None:
        assert not folder.finished, "until the very end"
        raise KeyboardInterrupt

    monkeypatch.setattr(repricing, "tell", stop)
    assert main(["report", str(base), "prices.bus_km.central=3"]) == 130
    assert beside(base) == []
    assert sums(base) == before


@pytest.mark.parametrize(
    "word", ["prices.family_fare_per_month={low: 50, central: 50, high: 50}", "prices.bed_place.central=20000"]
)
def test_what_is_left_as_it_lies_is_what_would_be_drawn(base: Path, word: str) -> None:
    found = priced(base, word)
    before = sums(found.path)
    assert main(["report", str(found.path)]) == 0
    differ = {name for name, digest in sums(found.path).items() if digest != before.get(name)}
    assert differ <= {"budget.xlsx"}, "a workbook has its hour in it"


def test_files_of_others_are_not_touched(base: Path, undrawn: None, capsys: pytest.CaptureFixture[str]) -> None:
    found = priced(base, "prices.bus_km.central=3")
    shutil.rmtree(found.path)
    found.path.mkdir()
    (found.path / "thesis.txt").write_text("years of work", encoding="utf-8")
    assert main(["report", str(base), "prices.bus_km.central=3"]) == 2
    assert "holds other files" in capsys.readouterr().err
    assert sums(found.path).keys() == {"thesis.txt"}


# --- the base: the county without closing ---

UPKEEP = "prices.campus_upkeep_year.central=13000"
"""1,000 yuan more a year for a small school that stays open: closing T saves so much more."""


def against(out: Path, *words: str) -> RunFolder:
    """Live a run with its base, pages left out."""
    return run(load([*SMALL, "study.years=1", "account.base=not_closing", f"study.out={out}", *words]))


def names(out: Path) -> list[str]:
    return sorted(path.name for path in (out / "main").iterdir() if path.name != ".lock")


def by_hand(folder: RunFolder, base: RunFolder) -> pd.Series:
    """Return what a run costs more than its base, by year: both ledgers added up."""
    costs = [each.read_table("ledger").groupby(["year", "replication"])["amount_yuan"].sum() for each in (folder, base)]
    return costs[0].sub(costs[1], fill_value=0.0).groupby("year").mean()


def total(folder: RunFolder) -> pd.Series:
    table = folder.read_table("net").query("account == 'total' and payer == 'all'")
    return table.set_index("year")["mean"]


def test_a_run_is_compared_with_the_county_that_closes_no_school(tmp_path: Path, undrawn: None) -> None:
    found = against(tmp_path)
    assert names(tmp_path) == ["base", "not_closing"]
    other = RunFolder(tmp_path / "main" / "not_closing")
    assert found.manifest["base"] == "not_closing"
    assert other.finished
    assert other.settings.closure.name == "none"
    assert other.settings.account.base == "none"
    assert other.read_table("closures").empty
    assert total(found).tolist() == pytest.approx(by_hand(found, other).tolist(), abs=0.01)
    assert (total(found) != 0).all()
    dear = priced(found.path, UPKEEP)
    table = compare([found.path, dear.path]).query("measure == 'net_cost_yuan_per_year'").set_index("scenario")
    assert table["mean"].tolist() == pytest.approx([total(found).mean(), total(dear).mean()], abs=0.01)
    assert table["diff_mean"].iloc[1] == pytest.approx(-1000)


def test_scenarios_that_differ_in_closing_and_prices_only_share_their_base(tmp_path: Path, undrawn: None) -> None:
    first = against(tmp_path)
    other = against(tmp_path, "scenario=named", "closure=none", "closure.named=[{school_id: T, year: 2023}]")
    dear = against(tmp_path, "scenario=dear", UPKEEP)
    assert names(tmp_path) == ["base", "dear", "named", "not_closing"]
    assert (other.manifest["base"], dear.manifest["base"]) == ("not_closing", "not_closing")
    assert (total(dear) - total(first)).tolist() == pytest.approx([-1000])
    fewer = against(tmp_path, "scenario=fewer", "fleet.scale=0.5")
    assert fewer.manifest["base"].startswith("not_closing-")
    assert RunFolder(tmp_path / "main" / fewer.manifest["base"]).settings.fleet.scale == 0.5


def test_a_run_that_closes_no_school_is_its_own_base(
    tmp_path: Path, undrawn: None, capsys: pytest.CaptureFixture[str]
) -> None:
    found = against(tmp_path, "closure=none")
    assert "No school closes: the run is compared with itself" in capsys.readouterr().err
    assert names(tmp_path) == ["base"]
    assert found.manifest["base"] == "base"
    table = found.read_table("net")
    assert len(table)
    assert not table[["mean", "low", "high", "p50", "p95", "p_cheaper"]].to_numpy().any()
    again = priced(found.path, UPKEEP)
    assert again.manifest["base"] == again.path.name
    assert not again.read_table("net")["mean"].any()


def test_the_base_is_priced_again_with_the_run(tmp_path: Path, undrawn: None) -> None:
    found = against(tmp_path)
    before = sums(tmp_path / "main" / "not_closing")
    dear = priced(found.path, UPKEEP)
    assert (total(dear) - total(found)).tolist() == pytest.approx([-1000])
    assert sums(tmp_path / "main" / "not_closing") == before
    alone = priced(found.path, "account.base=none")
    assert not alone.file("net").exists()
    again = priced(alone.path, "account.base=not_closing", UPKEEP, "account.fare_months=9")
    assert again.manifest["base"] == "not_closing"
    assert total(again).tolist() == pytest.approx(total(dear).tolist()), "fares are a transfer"


def test_a_run_at_other_prices_or_with_a_base_does_not_live_its_own_days_again(
    tmp_path: Path, undrawn: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = [*SMALL, "study.years=1", f"study.out={tmp_path}"]
    first = run(load(small))
    lived: list[str] = []

    def note(job: Job, *words: Any) -> dict[str, pd.DataFrame]:
        lived.append(job.settings.scenario)
        return live_year(job, *words)

    monkeypatch.setattr(study, "live_year", note)
    dear = run(load([*small, UPKEEP]))
    assert (lived, dear.manifest["repriced_from"]) == ([], "base")
    found = against(tmp_path)
    assert set(lived) == {"not_closing"}
    assert found.path != first.path
    assert total(found).tolist() == pytest.approx(by_hand(found, RunFolder(tmp_path / "main" / "not_closing")).tolist())
    other = run(load([*small, "scenario=other"]))
    assert set(lived) == {"not_closing"}, "the same days under another name are not lived either"
    assert other.path.name == "other"
    assert set(other.read_table("measures")["scenario"]) == {"other"}
    assert other.read_table("measures")["value"].equals(first.read_table("measures")["value"])


def test_scenarios_of_the_same_days_are_lived_once_and_priced_for_each(tmp_path: Path, undrawn: None) -> None:
    county = shutil.copytree(load([*SMALL]).county.path, tmp_path / "county")
    (county / "campuses.csv").write_text("school_id,area_m2,owner,source\nT,300,village,real: -\n", encoding="utf-8")
    words = [*SMALL, f"county.folder={county}", "study.years=1", f"study.out={tmp_path}"]  # the run has campuses, too
    cheap, dear = live_scenarios([load([*words, "scenario=cheap"]), load([*words, "scenario=dear", UPKEEP])])
    assert cheap.folder
    assert dear.folder
    assert dear.folder.path.name == "dear"
    assert dear.folder.manifest["repriced_from"] == "cheap"
    alone = run(load([*words, "scenario=dear", UPKEEP, f"study.out={tmp_path / 'alone'}"]))
    for name in ("ledger", "measures", "budget", "headlines"):
        pd.testing.assert_frame_equal(dear.folder.read_table(name), alone.read_table(name), check_exact=True)


def test_a_base_is_lived_once_for_scenarios_that_differ_in_no_day(tmp_path: Path) -> None:
    def asked(*words: str) -> list[str]:
        made = scenarios([*SMALL, f"study.out={tmp_path}", "closure=none,plan_2023", *words])
        return [base.scenario for base in bases_of([one.settings for one in made])]

    assert asked() == []
    assert asked("account.base=not_closing") == ["not_closing"]
