"""Every option of every group makes valid settings; whatever is wrong is told with its key."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sim.config import CONFIGS, Settings, load
from sim.errors import BadInput

OPTIONS = sorted(
    (folder.name, file.stem)
    for folder in CONFIGS.iterdir()
    if folder.is_dir()
    for file in folder.glob("*.yaml")
    if (folder.name, file.stem) != ("executor", "dask")
)
SMALL = ["county=three_villages"]


def message(*overrides: str) -> str:
    with pytest.raises(BadInput) as caught:
        load([*SMALL, *overrides])
    return "\n".join(caught.value.messages)


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=[f"{g}={o}" for g, o in OPTIONS])
def test_every_option_of_every_group_makes_valid_settings(group: str, option: str) -> None:
    assert isinstance(load([f"{group}={option}"]), Settings)


def test_the_default_is_the_reference_county_and_the_plan_of_2023() -> None:
    settings = load([])
    assert settings.county.name == "huichang"
    assert settings.closure.name == "plan_2023"
    assert settings.calendar.weeks_per_year == 6
    assert (settings.study.first_year, settings.study.years, settings.study.replications) == (2023, 10, 10)
    assert settings.fleet.buses is None


def test_every_setting_has_one_line_of_meaning() -> None:
    schema = Settings.model_json_schema()
    groups = {"Settings": schema, **schema["$defs"]}
    silent = [
        f"{group}.{key}"
        for group, part in groups.items()
        for key, field in part.get("properties", {}).items()
        if not (field.get("description") or "$ref" in field)
    ]
    assert silent == []


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = load(SMALL)
    with pytest.raises(ValidationError):
        settings.fleet.scale = 2.0


@pytest.mark.parametrize(
    ("override", "key", "right"),
    [
        ("fleet.buses=-3", "fleet.buses", "at least 0"),
        ("fleet.buses=many", "fleet.buses", "whole number"),
        ("fleet.buses=2.5", "fleet.buses", "whole number"),
        ("fleet.buses={seats_19:-3}", "fleet.buses.seats_19", "at least 0"),
        ("fleet.buses={seats_91:3}", "fleet.buses", "seats_19"),
        ("fleet.speeed=3", "fleet.speeed", "turnaround_min"),
        ("fleet.scal=3", "fleet.scal", "did you mean fleet.scale?"),
        ("+fleet.colour=red", "fleet.colour", "no such setting"),
        ("speed=3", "speed", "no such setting"),
        ("calendar=nonsense", "calendar", "full, sampled, smoke"),
        ("county=mars", "county", "huichang, three_villages"),
        ("county.folder=/no/such/folder", "county.folder", "does not exist"),
        ("seed=-1", "seed", "at least 0"),
        ("seed=yes", "seed", "whole number"),
        ("study.years=0", "study.years", "at least 1"),
        ("study.name=a/b", "study.name", "plain name"),
        ("study.keep_events=[monday]", "study.keep_events", "2023-5-1"),
        ("plan.basis=p95", "plan.basis", "'mean' or 'p80'"),
        ("road.speed_km_per_h.county=0", "road.speed_km_per_h.county", "more than 0"),
        ("health.absence_share=1.5", "health.absence_share", "at most 1"),
        ("+judge.weights.bored=1", "judge.weights.bored", "no such setting"),
        ("prices.bus_km.central=99", "prices.bus_km", "must rise"),
        ("fleet.buses=3,4", "fleet.buses", "sweep"),
        ("closure=none,under_30", "closure", "sweep"),
        ("~fleet.scale", "fleet.scale", "cannot be removed"),
        ("executor=dask", "executor", "serial or processes"),
        ("fleet", "fleet", "key=value"),
    ],
)
def test_a_wrong_setting_is_told_with_its_key_and_what_would_be_right(override: str, key: str, right: str) -> None:
    said = message(override)
    assert key in said.partition(": ")[0] or repr(key) in said
    assert right in said
    assert len(said.splitlines()) == 1


def test_all_wrong_settings_are_told_at_once() -> None:
    assert len(message("fleet.buses=-3", "study.years=0", "plan.basis=p95").splitlines()) == 3


def test_buses_may_be_counted_by_kind() -> None:
    assert load([*SMALL, "fleet.buses={seats_19: 3, seats_36: 0}"]).fleet.buses == {
        "seats_19": 3,
        "seats_36": 0,
    }


def test_a_folder_of_tables_can_be_given_and_lends_its_name() -> None:
    folder = CONFIGS / "county" / "three_villages"
    county = load([f"county.folder={folder}"]).county
    assert county.path == folder
    assert county.name == "three_villages"


def test_the_fingerprint_changes_with_what_can_change_a_number_only() -> None:
    base = load(SMALL).hash()
    assert load([*SMALL, "report.language=zh", "study.workers=1", "executor=serial"]).hash() == base
    assert load([*SMALL, "study.out=elsewhere"]).hash() == base
    for change in ("seed=7", "fleet.scale=1.2", "study.years=3", "prices.bus_km.central=3"):
        assert load([*SMALL, change]).hash() != base
