"""Every setting of a run says where its value comes from, and what was set for the run is told."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from sim.config import CONFIGS, load
from sim.config.source import Sourced, sourced
from sim.store import RunFolder


def told(*overrides: str) -> dict[str, Sourced]:
    return {each.key: each for each in sourced(load(list(overrides)))}


def test_nothing_of_a_default_run_was_set_for_it() -> None:
    assert not [each for each in told().values() if each.kind == "set"]


def test_a_setting_tells_what_stands_beside_it_in_its_file() -> None:
    found = told()
    assert found["fleet.spare_share"] == Sourced(
        "fleet.spare_share", "0.1", "share", "assumed", "assumption: one spare bus for ten"
    )
    assert found["road.cap_km_per_h"].kind == "real"
    assert found["road.cap_km_per_h"].source == "State Council Order 617 (2012), Art. 35"
    assert found["road.cap_km_per_h"].unit == "km/h"
    assert (found["prices.bus_km"].value, found["prices.bus_km"].unit) == ("2.5", "yuan per km")
    assert found["judge.weights.hungry"].kind == "assumed"
    assert found["closure.conditions"].kind == "choice"
    assert found["campus.uses"].kind == "derived", "the plan names the uses, their needs are assumed"


def test_every_assumption_of_the_default_files_is_in_the_register() -> None:
    found = told()
    options = {"fleet": "special_buses", "judge": "harm", "lodge": "weekly", "bells": "rural", "health": "usual"}
    for group, option in options.items():
        lines = (CONFIGS / group / f"{option}.yaml").read_text(encoding="utf-8").splitlines()
        keys = {line.partition(":")[0].strip() for line in lines if "# assumption" in line}
        register = {key.rpartition(".")[2] for key, each in found.items() if "assum" in each.kind + each.source}
        assert keys <= register


def test_another_option_is_no_change_of_its_values_but_another_value_is() -> None:
    words = ("closure=under_30", "account=upper_half", "enrol=history", "stress=flu_week", "prices.bus_km.central=3")
    found = told(*words, "fleet.spare_share=0.2")
    changed = {each.key: (each.value, each.source) for each in found.values() if each.kind == "set"}
    assert changed == {
        "fleet.spare_share": ("0.2", "usually 0.1 (assumption: one spare bus for ten)"),
        "prices.bus_km": ("3", "usually 2.5 (assumption: 20 l per 100 km x 7.5 yuan, and tyres, repair, inspection)"),
    }
    assert "a grant of upper levels" in found["account.payers.bus_purchase"].source
    assert found["stress.weeks"].value == "[12]"


def test_no_folder_of_a_computer_is_told() -> None:
    assert not [key for key in told("study.out=/somewhere") if key.startswith(("study.out", "county", "executor"))]


@pytest.mark.parametrize("words", [(), ("fleet.scale=0.9", "seed=7")])
def test_a_run_folder_carries_them_beside_its_settings(tmp_path: Path, words: tuple[str, ...]) -> None:
    folder, settings = RunFolder(tmp_path), load([*words])
    folder.write_settings(settings)
    table = pd.read_csv(tmp_path / "assumptions.csv", dtype=str).set_index("key")
    assert yaml.safe_load((tmp_path / "config.yaml").read_text(encoding="utf-8"))["seed"] == int(table["value"]["seed"])
    assert sorted(table.index[table["kind"] == "set"]) == sorted(word.partition("=")[0] for word in words)
    assert set(table["scenario"]) == {"base"}
