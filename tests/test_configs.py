"""Every option of every group makes valid settings; whatever is wrong is told with its key."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from sim.cli import main
from sim.config import CONFIGS, Settings, load
from sim.config.compose import compose, settings_from
from sim.errors import BadInput

OPTIONS = sorted(
    (folder.name, file.stem)
    for folder in CONFIGS.iterdir()
    if folder.name in Settings.model_fields
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
        ("dine.shifts=[]", "dine.shifts", "1 or more entries"),
        ("dine.shifts.0.opens_after_min=40", "dine.shifts.0.opens_after_min", "dine.bell_after_min"),
        ("dine.walk_to_hall_min=40", "dine.walk_to_hall_min", "dine.bell_after_min"),
        ("wash.peaks.break_tap.spread_min=13.5", "wash.peaks.break_tap.spread_min", "bell_min - from_min"),
        ("fleet.second_run_home_latest_min=1141", "fleet.second_run_home_latest_min", "bells.late_dinner_min"),
        ("stress.absence_factor=1001", "stress.absence_factor", "at most 1000"),
        ("health.county_sd=3.1", "health.county_sd", "at most 3"),
        ("health.area_sd=3.1", "health.area_sd", "at most 3"),
        ("weather.skies.ice.speed_factor=0.04", "weather.skies.ice.speed_factor", "at least 0.05"),
        ("fleet.scale=nan", "fleet.scale", "a finite number"),
        ("health.absence_share=nan", "health.absence_share", "a finite number"),
        ("bells.lunch_min=nan", "bells.lunch_min", "a finite number"),
        ("road.walk_km_per_h=nan", "road.walk_km_per_h", "a finite number"),
        ("county.name=", "county.name", "not be empty"),
        ("closure=none,under_30", "closure", "sweep"),
        ("~fleet.scale", "fleet.scale", "cannot be removed"),
        ("executor=dask", "executor", "serial or processes"),
        ("fleet", "fleet", "key=value"),
        ("fleet.buses=1000001", "fleet.buses", "at most 1000000"),
        ("fleet.scale=1e300", "fleet.scale", "at most 100"),
        ("enrol.ratio_low=2", "enrol.ratio_low", "above ratio_high"),
        ("enrol.entrants_lag_weights=[0.5,0.9]", "enrol.entrants_lag_weights", "add up to 1.4; they must add up to 1"),
        ("closure.named=[{school_id: C, year: 2023},{school_id: C, year: 2025}]", "closure.named", "C is named more"),
        ("closure.named=[{school_id: 12, year: 2023}]", "closure.named.0", "in quotes"),
        (
            "closure.named=[{school_id: 教学点, year: 2023}]",
            "closure.named=[{school_id: 教学点, year: 2023}]",
            "need quotes: closure.named=[{school_id: '教学点', year: 2023}]",
        ),
        ("lodge.beds={教学点: 3}", "lodge.beds={教学点: 3}", "a file in configs"),
    ],
)
def test_a_wrong_setting_is_told_with_its_key_and_what_would_be_right(override: str, key: str, right: str) -> None:
    said = message(override)
    assert key in said.partition(": ")[0] or repr(key) in said
    assert right in said
    assert len(said.splitlines()) == 1


def test_no_number_may_be_nan() -> None:
    """Each number of the reference settings, made nan, is refused by name."""
    tree = compose([])
    for path in numbers(tree):
        wrong = copy.deepcopy(tree)
        level = wrong
        for part in path[:-1]:
            level = level[part]
        level[path[-1]] = math.nan
        with pytest.raises(BadInput) as caught:
            settings_from(wrong)
        key = ".".join(map(str, path))
        assert f"{key}: nan is not possible; it must be a" in str(caught.value), key


def numbers(tree: Any) -> Iterator[tuple[str | int, ...]]:
    """Yield where the numbers of a tree of settings stand."""
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inside:
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield (key,)
        yield from ((key, *path) for path in numbers(value))


MEALS_THAT_DO_NOT_FIT = {
    # lasting until: 420 + 9 x 45 - 5 + 15 = 835; 710 + 9 x 45 - 5 = 1110; 1050 + 400 = 1450
    "breakfast_min (420) lasts until 835, beyond bells.lunch_min (710)": ["dine.sittings_most=9"],
    "lunch_min (710) lasts until 1110, beyond bells.dinner_min (1050)": ["dine.sittings_most=20"],
    "dinner_min (1050) lasts until 1450, beyond midnight (1440)": ["dine.sittings_most=9"],
    "dine.breakfast_wait_min 161, the meal at bells.breakfast_min": ["dine.breakfast_wait_min=161"],
    "late_dinner_min (1140) lasts until 1441, beyond": ["dine.sittings_most=1", "dine.bell_after_min=301"],
    "dine.sittings_gap_min 2000, dine.breakfast_wait_min": ["dine.sittings_gap_min=2000", "dine.bell_after_min=1400"],
}


@pytest.mark.parametrize("says", MEALS_THAT_DO_NOT_FIT)
def test_meals_that_do_not_fit_into_the_day_are_refused(says: str) -> None:
    said = message(*MEALS_THAT_DO_NOT_FIT[says])
    assert says in said
    assert all(f"dine.{key}" in said for key in ("sittings_most", "bell_after_min", "sittings_gap_min"))
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    "just",
    [
        ["dine.breakfast_wait_min=160"],  # 420 + 3 x 45 - 5 + 160 = 710: breakfast ends when lunch begins
        [
            "bells.breakfast_min=300",
            "dine.sittings_gap_min=110",
        ],  # 710 + 3 x 40 + 2 x 110 = 1050, dinner
        ["dine.sittings_most=1", "dine.bell_after_min=275"],  # 420 + 275 + 15 = 710
        ["dine.walk_to_hall_min=39.9"],
        ["wash.peaks.break_tap.spread_min=13"],
        ["fleet.second_run_home_latest_min=1140"],
    ],
    ids=lambda overrides: overrides[-1],
)
def test_what_just_fits_is_taken(just: list[str]) -> None:
    assert isinstance(load([*SMALL, *just]), Settings)


def test_meals_that_do_not_fit_end_a_run_before_anything_is_written(tmp_path, capsys) -> None:
    assert main(["run", *SMALL, "dine.sittings_gap_min=2000", f"study.out={tmp_path}"]) == 2
    assert "dine.sittings_gap_min 2000" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_texts_of_any_letters_can_be_given_in_quotes() -> None:
    settings = load([*SMALL, "fleet.apart=[[C],['教学点']]", "enrol.entrants_lag_weights=[0.33,0.67]"])
    assert settings.fleet.apart == (("C",), ("教学点",))


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
