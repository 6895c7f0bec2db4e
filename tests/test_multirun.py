"""Which scenarios a sweep makes: lists, ranges, options, experiments; what is wrong with any is told before all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from omegaconf import OmegaConf

from sim.cli import main
from sim.config import CONFIGS, Settings, complain, files, load
from sim.config.files import EXPERIMENT, composed, options
from sim.config.multirun import scenarios
from sim.errors import BadInput

HEAD = "# @package _global_\n"
TRIAL = f"""{HEAD}
defaults:
  - override /closure: none
  - override /county: three_villages
study: {{name: trial}}
fleet: {{scale: 3}}
hydra:
  sweeper:
    params:
      fleet.scale: 0.8,1.0
      stress: none,flu_week
"""


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the settings, to which tests may add experiments."""
    folder = tmp_path_factory.mktemp("files") / "configs"
    shutil.copytree(CONFIGS, folder, ignore=shutil.ignore_patterns("*.csv", "*.md"))
    (folder / EXPERIMENT).mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        for module in (files, complain):
            patch.setattr(module, "CONFIGS", folder)
        yield folder
    files._base.cache_clear()


@pytest.fixture
def trial(configs: Path) -> Path:
    """The file of the experiment `trial`, in the copy of the settings."""
    file = configs / EXPERIMENT / "trial.yaml"
    file.write_text(TRIAL, encoding="utf-8")
    return file


def swept(*overrides: str) -> list[tuple[str, Settings]]:
    return [(scenario.name, scenario.settings) for scenario in scenarios(list(overrides))]


def refused(*overrides: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        scenarios(list(overrides))
    return list(caught.value.messages)


def test_lists_ranges_and_choices_make_a_scenario_of_each_combination() -> None:
    made = swept("fleet.scale=range(0.8,1.3,0.1)", "lodge.beds_scale=choice(1,2)", "closure=none")
    assert [name for name, _ in made[:3]] == [
        "fleet.scale=0.8,lodge.beds_scale=1",
        "fleet.scale=0.8,lodge.beds_scale=2",
        "fleet.scale=0.9,lodge.beds_scale=1",
    ]
    assert [settings.fleet.scale for _, settings in made] == [0.8, 0.8, 0.9, 0.9, 1.0, 1.0, 1.1, 1.1, 1.2, 1.2]
    assert {settings.closure.name for _, settings in made} == {"none"}
    assert [name for name, _ in made] == [settings.scenario for _, settings in made]


def test_options_can_be_swept_by_name_and_by_pattern() -> None:
    assert [settings.closure.name for _, settings in swept("closure=none,plan_2023")] == ["none", "plan_2023"]
    assert [name for name, _ in swept("closure=glob(under_*)")] == ["closure=under_100", "closure=under_30"]


def test_an_experiment_changes_settings_of_all_groups_and_holds_lists(trial: Path) -> None:
    made = swept("experiment=trial", "study.years=2")
    assert [name for name, _ in made] == [
        f"fleet.scale={scale},stress={stress}" for scale in ("0.8", "1.0") for stress in ("none", "flu_week")
    ]
    for _, settings in made:
        assert (settings.closure.name, settings.county.name, settings.study.name) == ("none", "three_villages", "trial")
        assert settings.study.years == 2
    assert [settings.fleet.scale for _, settings in made] == [0.8, 0.8, 1.0, 1.0]


def test_what_is_typed_wins_over_the_experiment(trial: Path) -> None:
    made = swept("experiment=trial", "fleet.scale=1.5", "closure=under_30,none", "study.name=mine")
    assert [name for name, _ in made] == [
        f"stress={stress},closure={closure}" for stress in ("none", "flu_week") for closure in ("under_30", "none")
    ]
    assert {(settings.fleet.scale, settings.study.name) for _, settings in made} == {(1.5, "mine")}


def test_an_experiment_without_open_lists_is_one_run(trial: Path) -> None:
    with pytest.raises(BadInput, match=r"holds lists of values \(for stress\), so it is a sweep"):
        load(["experiment=trial", "fleet.scale=1"])
    assert load(["experiment=trial", "fleet.scale=1", "stress=ice_week"]).stress.name == "ice_week"
    (trial.parent / "one.yaml").write_text(f"{HEAD}fleet: {{scale: 3}}\n", encoding="utf-8")
    assert load(["experiment=one"]).fleet.scale == 3


@pytest.mark.parametrize("experiment", options(EXPERIMENT))
def test_hydras_own_questions_understand_experiments(experiment: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--cfg", "job", f"experiment={experiment}"]) == 0
    assert f"name: {experiment}\n" in capfd.readouterr().out


@pytest.mark.parametrize("experiment", options(EXPERIMENT))
def test_the_experiments_that_come_with_the_program_are_sound(experiment: str) -> None:
    assert {settings.study.name for _, settings in swept(f"experiment={experiment}")} == {experiment}


@pytest.mark.parametrize(
    "overrides",
    [
        ["fleet.scale=1.5"],
        ["closure=none", "stress='flu_week'", "fleet.scale=1.5"],
        ["fleet.buses={seats_19: 3}", "lodge.beds=null"],
        ["county.name='江 西, a=b'"],
        ["dine.shifts=[]", "++fleet.scale=2"],
        ["+judge.weights.bored=1", "+colour=red"],
        ["fleet={scale: 2, buses: 3}", "fleet.buses=4"],
        ["closure=listed", "closure.named=[{school_id: a, year: 2023}]"],
        ["study.name=x${seed}", "seed=3"],
        ["experiment=trial"],
        ["experiment=trial", "closure=under_30", "stress=none", "prices.bus_km.central=2"],
    ],
    ids=" ".join,
)
def test_what_is_put_together_once_equals_what_hydra_composes(trial: Path, configs: Path, overrides: list[str]) -> None:
    with initialize_config_dir(version_base="1.3", config_dir=str(configs)):
        whole: Any = OmegaConf.to_container(hydra_compose("config", overrides), resolve=True)
    composed(overrides)  # what is kept from the first time changes nothing
    assert composed(overrides) == whole
    assert list(composed(overrides)) == list(whole)


def test_files_are_read_once_for_all_scenarios(trial: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(name: str, *rest: Any, **more: Any) -> Any:
        asked.append(name)
        return hydra_compose(name, *rest, **more)

    monkeypatch.setattr(files, "hydra_compose", counted)
    for kept in (files._base, files._option):
        kept.cache_clear()
    assert len(swept("fleet.buses=range(1,9)", "lodge.beds_scale=0.7,0.8,0.9,1.0,1.1,1.2")) == 48
    assert asked == ["config"]
    assert len(swept("closure=none,under_30", "stress=none,flu_week,ice_week")) == 6
    each = ["closure/none", "closure/under_30", "stress/flu_week", "stress/ice_week", "stress/none"]
    assert sorted(asked[1:]) == each


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["fleet.scale="], "fleet.scale: the list is empty"),
        (["fleet.scale=choice()"], "fleet.scale: the list is empty"),
        (["fleet.scale=range(1,1)"], "fleet.scale: the list is empty"),
        (["closure=glob(over_*)"], "closure: the list is empty"),
        (["fleet.scale=interval(0,1)"], "is no list"),
        (["fleet.scale=1,2,1"], "it is the same as 000-fleet.scale=1; give every value once"),
        (["fleet.scale=1,1.0"], "scenario fleet.scale=1.0: it is the same as fleet.scale=1;"),
        (["fleet.speeed=1,2"], "fleet.speeed: there is no such setting"),
        (["closure=none,over_30"], "closure: there is no option 'over_30'; choose one of listed, none"),
        (["experiment=nowhere"], "experiment: there is no option 'nowhere'; choose one of "),
        (["experiment=trial,other"], "experiment: one at a time"),
        (["scenario=a,b"], "scenario: a sweep names its scenarios itself"),
        (["judge.weights={bored: 1},{absent: 2}"], "scenario judge.weights={bored-1}: "),
        (
            ["fleet.scale=-1,1", "seed=1,2"],
            "scenario fleet.scale=-1,seed=1 and 1 more: fleet.scale: -1",
        ),
        (["fleet.scale=-1", "seed=1,2"], "fleet.scale: -1 is not possible; it must be at least 0."),
    ],
)
def test_bad_input_of_any_scenario_is_told_in_one_sentence(trial: Path, overrides: list[str], says: str) -> None:
    said = refused(*overrides)
    assert says in said[0]
    assert len(said) == 1 or "judge" in said[1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{HEAD}fleet: {{scal: 1}}\n", "fleet.scal: there is no such setting; did you mean fleet.scale?"),
        (f"{HEAD}speed: 1\n", "speed: there is no such setting"),
        ("fleet: {scale: 1}\n", "it must begin with the line `# @package _global_`"),
        (f"{HEAD}fleet: [\n", "it is no valid YAML"),
        (f"{HEAD}defaults: [override /closing: none]\n", "defaults: closing: there is no such group"),
        (f"{HEAD}defaults: [override /closure: no]\n", "defaults: closure: there is no option"),
        (f"{HEAD}hydra: {{sweeper: {{params: {{fleet.scal: '1,2'}}}}}}\n", "fleet.scal: there is no such setting"),
        (f"{HEAD}hydra: {{sweeper: {{params: {{stress: 'none,rain'}}}}}}\n", "stress: there is no option 'rain'"),
        (f"{HEAD}hydra: {{sweeper: {{params: {{fleet.scale: }}}}}}\n", "fleet.scale: the list is empty"),
        (f"{HEAD}hydra: {{sweeper: {{params: {{fleet.scale: [1, 2]}}}}}}\n", "hydra.sweeper.params.fleet.scale: write"),
    ],
)
def test_what_is_wrong_in_the_file_of_an_experiment_is_told_with_its_name(trial: Path, text: str, says: str) -> None:
    trial.write_text(text, encoding="utf-8")
    (said,) = refused("experiment=trial")
    assert said.startswith(f"configs/experiment/trial.yaml: {says}")
    with pytest.raises(BadInput) as caught:
        load(["experiment=trial"])
    assert said in caught.value.messages
