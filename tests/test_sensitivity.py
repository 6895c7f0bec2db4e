"""Which uncertain settings decide: what theory says comes out, nothing is lived twice, bad questions are told."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sim.sensitivity.live as living
from sim.cli import main
from sim.config import CONFIGS, Settings, load
from sim.config.sensitivity import Distribution, Sensitivity, asked, question_from
from sim.errors import BadInput
from sim.sensitivity.draw import Drawn, evaluations, quantile
from sim.sensitivity.question import answer
from sim.store import RunFolder
from sim.sweep import Outcome
from sim.tell.words import glossary

SMALL = ("county=three_villages", "study.years=1", "study.replications=1", "calendar=smoke", "executor=serial")
KEYS = ("fleet.repair_min", "fleet.turnaround_min", "dine.eat_min")
"""Three settings that may be any number above 0: they stand for the x of a function."""
UNIFORM = {"kind": "uniform", "low": 1.0, "high": 1.0 + 2 * math.pi, "source": "assumption"}
NORMAL = {"kind": "normal", "central": 30.0, "spread": 2.0, "source": "assumption"}
Function = Callable[..., float]


def question(laws: list[dict[str, Any]], **changes: Any) -> Sensitivity:
    settings = dict(zip(KEYS, laws, strict=False))
    usual = {"method": "sobol", "n": 64, "seed": 1, "luck": 4, "resamples": 200, "batch": 100_000, "keep": False,
             "outputs": ["severity"], "settings": settings}  # fmt: skip
    return question_from(usual | changes)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load([*SMALL, f"study.out={tmp_path_factory.mktemp('results')}"])


@pytest.fixture
def world(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(settings, tmp_path, monkeypatch)


class World:
    """A county that is a function: its one measure, severity, is f(x1, x2, x3) plus the luck of the replication."""

    def __init__(self, settings: Settings, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        study = settings.study.model_copy(update={"out": str(out)})
        self.base, self.out, self.lived = settings.model_copy(update={"study": study}), out, list[str]()
        self.function: Function = lambda *x: 0.0
        self.luck: Callable[[int], float] = lambda replication: 0.0
        self.broken: set[str] = set()
        monkeypatch.setattr(living, "live_scenarios", self.live)
        monkeypatch.setattr(living, "headlines", self.measured)
        monkeypatch.setattr("sim.sensitivity.question.refuse", lambda settings, county: None)

    def live(self, asked: list[Settings], *, extent: str) -> list[Outcome]:
        assert extent == "headlines"
        self.asked = {one.scenario: one for one in asked}
        self.lived += list(self.asked)
        return [self.end(one) for one in self.asked]

    def end(self, name: str) -> Outcome:
        if name in self.broken:
            return Outcome(name, None, "the wheel came off")
        (self.out / name).mkdir()
        return Outcome(name, RunFolder(self.out / name))

    def measured(self, folder: Path) -> tuple[str, pd.DataFrame]:
        one = self.asked[folder.name]
        value = self.function(one.fleet.repair_min, one.fleet.turnaround_min, one.dine.eat_min)
        rows = {r: {"severity": value + self.luck(r), "late_pupils": 7.0} for r in range(one.study.replications)}
        return one.scenario, pd.DataFrame.from_dict(rows, orient="index").rename_axis("replication")

    def ask(self, one: Sensitivity, **study: Any) -> RunFolder:
        base = self.base.model_copy(update={"study": self.base.study.model_copy(update=study)})
        folder, failed = answer(one, base)
        assert not failed
        return folder


def ishigami(*at: float) -> float:
    """sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1, each x between -pi and pi (Ishigami and Homma 1990)."""
    x = [value - 1.0 - math.pi for value in at]
    return math.sin(x[0]) + 7 * math.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * math.sin(x[0])


def test_sobol_indices_of_the_ishigami_function_are_those_of_theory(world: World) -> None:
    world.function = ishigami
    table = world.ask(question([UNIFORM] * 3, n=128)).read_table("indices").set_index("setting").loc[list(KEYS)]
    # V = 7^2/8 + 0.1 pi^4/5 + 0.01 pi^8/18 + 1/2 = 13.8446
    # V1 = (1 + 0.1 pi^4/5)^2/2, V2 = 7^2/8, V3 = 0, V13 = 0.01 pi^8 8/225
    for name, truth in (("first", (0.3139, 0.4424, 0.0)), ("total", (0.5576, 0.4424, 0.2437))):
        assert table[name].to_numpy() == pytest.approx(truth, abs=0.08)
        assert (table[f"{name}_low"] <= np.array(truth)).all()
        assert (table[f"{name}_high"] >= np.array(truth)).all()
        assert (table[f"{name}_low"] < table[f"{name}_high"]).all()


def test_coefficients_of_ranks_of_a_linear_model_are_those_of_theory(world: World) -> None:
    world.function = lambda x1, x2, x3: 2 * x1 - x2
    table = world.ask(question([NORMAL] * 3, method="lhs", n=256)).read_table("coefficients").set_index("setting")
    # ranks of two normal numbers with correlation r correlate with 6/pi asin(r/2); r = 2/sqrt 5, -1/sqrt 5, 0
    truth = 6 / math.pi * np.arcsin(np.array([2, -1, 0]) / math.sqrt(5) / 2)
    found = table.loc[list(KEYS)]
    assert found["coefficient"].to_numpy() == pytest.approx(truth, abs=0.05)
    assert (found["coefficient_low"] <= truth).all()
    assert (found["coefficient_high"] >= truth).all()
    assert (found["explained"] > 0.95).all()


def test_a_rising_curve_has_a_coefficient_of_one(world: World) -> None:
    world.function = lambda x1, x2, x3: math.exp(x1)
    table = world.ask(question([UNIFORM], method="lhs", n=16)).read_table("coefficients")
    assert table[["coefficient", "coefficient_low", "coefficient_high"]].to_numpy() == pytest.approx(np.ones((1, 3)))


def test_the_tornado_of_a_linear_model_is_its_slope_times_the_quantiles(world: World) -> None:
    world.function = lambda x1, x2, x3: 3 * x1 - x2
    world.luck = lambda replication: 10.0 * (replication % 5)
    one = question([UNIFORM] * 2, method="one_at_a_time", luck=3)
    folder = world.ask(one, replications=2)
    table = folder.read_table("tornado").set_index("setting").loc[list(KEYS[:2])]
    stands = np.array([world.base.fleet.repair_min, world.base.fleet.turnaround_min])
    for end, share in (("at_low", 0.1), ("at_high", 0.9)):
        change = np.array([3, -1]) * (1 + 2 * math.pi * share - stands)
        for part in ("", "_low", "_high"):  # paired: the luck of a replication is the same and vanishes
            assert table[f"{end}{part}"].to_numpy() == pytest.approx(change)
    assert table["base"].to_numpy() == pytest.approx(3 * stands[0] - stands[1] + 5.0)
    luck = folder.read_table("luck").iloc[0]  # replications 0..5 in pairs: 0, 10 | 20, 30 | 40, 0
    assert luck["deviation"] == pytest.approx(np.std([5.0, 25.0, 20.0], ddof=1))
    assert pd.isna(luck["share"])
    assert not (folder.path / "indices.csv").exists()


def test_luck_is_told_in_proportion_to_the_settings(world: World) -> None:
    world.function = lambda x1, x2, x3: x1
    world.luck = lambda replication: 2 * math.pi * (replication % 2)
    luck = world.ask(question([UNIFORM], luck=100)).read_table("luck").iloc[0]
    assert luck["share"] == pytest.approx(3.0, rel=0.1)  # variance pi^2 of a coin against (2 pi)^2/12 of a uniform law
    assert luck["share_low"] < 3.0 < luck["share_high"]


def test_a_result_that_never_changes_has_no_index(world: World) -> None:
    world.function = lambda *x: x[0]
    both = world.ask(question([UNIFORM], n=4, outputs=["late_pupils", "severity"])).read_table("indices")
    assert both["total"].isna().tolist() == [True, False]
    alone = world.ask(question([UNIFORM], n=4, outputs=["late_pupils"])).read_table("indices")
    assert alone["first"].isna().all()


def test_a_larger_question_only_adds_evaluations(world: World) -> None:
    world.function = ishigami
    few, many = (evaluations(question([UNIFORM] * 3, n=n)) for n in (4, 8))
    assert many[: len(few)] == few
    world.ask(question([UNIFORM] * 3, n=4))
    assert len(world.lived) == 1 + 6 + 4 * 5
    world.ask(question([UNIFORM] * 3, n=4))
    assert len(world.lived) == len(few)
    folder = world.ask(question([UNIFORM] * 3, n=8))
    assert len(world.lived) == len(set(world.lived)) == len(many)
    assert not list(world.out.glob("eval-*")), "folders of evaluations are removed"
    table = folder.read_table("evaluations")
    b = table[(table["evaluation"] == "eval-00008") & (table["role"] == "setting")].set_index("name")["value"]
    ab = table[(table["evaluation"] == "eval-00009") & (table["role"] == "setting")].set_index("name")["value"]
    assert ab[KEYS[0]] == b[KEYS[0]]
    assert ab[KEYS[1]] != b[KEYS[1]]


def test_what_was_lived_before_a_failure_is_kept_and_only_the_rest_is_lived_again(world: World) -> None:
    world.function, world.broken = ishigami, {"eval-00002", "eval-00009"}
    one = question([UNIFORM] * 2, n=2, batch=3)
    folder, failed = answer(one, world.base)
    assert [outcome.scenario for outcome in failed] == ["eval-00002", "eval-00009"]
    assert not (folder.path / "indices.csv").exists()
    world.broken, world.lived = set(), []
    unbroken = world.ask(one).read_table("indices")
    assert world.lived == ["eval-00002", "eval-00009"]
    world.base = world.base.model_copy(update={"study": world.base.study.model_copy(update={"name": "again"})})
    pd.testing.assert_frame_equal(world.ask(one).read_table("indices"), unbroken)


@pytest.mark.parametrize(
    ("law", "share", "value"),
    [
        ({"kind": "uniform", "low": 2, "high": 4}, 0.25, 2.5),
        ({"kind": "triangular", "low": 0, "central": 1, "high": 2}, 0.125, 0.5),  # F(x) = x^2/2 up to 1
        ({"kind": "normal", "central": 5, "spread": 2}, 0.5, 5.0),
        ({"kind": "normal", "central": 5, "spread": 2, "low": 5, "high": 9}, 0.0, 5.0),
        ({"kind": "lognormal", "central": 3, "spread": 0.5}, 0.5, 3.0),
        ({"kind": "lognormal", "central": 3, "spread": 0.5, "high": 3}, 1.0, 3.0),
        ({"kind": "whole", "low": 1, "high": 4}, 0.74, 3.0),
        ({"kind": "whole", "low": 1, "high": 4}, 1.0, 4.0),
        ({"kind": "choice", "values": ["a", "b"], "weights": [1, 3]}, 0.24, 0.0),
        ({"kind": "choice", "values": ["a", "b"], "weights": [1, 3]}, 0.26, 1.0),
    ],
)
def test_quantiles_are_those_worked_out_by_hand(law: dict[str, Any], share: float, value: float) -> None:
    assert quantile(Distribution(**law, source="assumption"), np.array([share])) == pytest.approx([value])


def drawn(settings: Settings, key: str, **law: Any) -> Settings:
    one = question([], settings={key: law | {"source": "assumption"}}, n=2)
    what = Drawn(one, settings)
    what.check()
    return what.settings(evaluations(one)[2])


def test_a_draw_is_put_where_its_key_says(settings: Settings) -> None:
    faster = drawn(settings, "road.speed_km_per_h", kind="uniform", low=1.0, high=2.0, times=True)
    before = settings.road.speed_km_per_h
    assert {road: speed / before[road] for road, speed in faster.road.speed_km_per_h.items()} == pytest.approx(
        dict.fromkeys(before, 1.9)
    )
    assert faster.model_copy(update={"road": settings.road, "scenario": settings.scenario}) == settings
    village = drawn(settings, "road.speed_km_per_h.village", kind="uniform", low=10.0, high=20.0)
    assert village.road.speed_km_per_h["village"] == pytest.approx(19.0)
    assert drawn(settings, "enrol.births", kind="choice", values=["low", "high"]).enrol.births == "high"
    assert drawn(settings, "fleet.buses", kind="whole", low=1, high=10).fleet.buses == 10


@pytest.mark.parametrize(
    ("key", "law", "told"),
    [
        (
            "fleet.dwel_stop_s",
            UNIFORM,
            "sensitivity.settings.fleet.dwel_stop_s: there is no such setting; did you",
        ),
        ("fleet", UNIFORM, "sensitivity.settings.fleet: fleet is no number"),
        ("nowhere", UNIFORM, "sensitivity.settings.nowhere: there is no such setting"),
        ("seed", UNIFORM, "sensitivity.settings.seed: seed is no fact"),
        ("study.years", UNIFORM, "study.years is no fact"),
        ("enrol.births", UNIFORM, "enrol.births is no number ('medium'); give the key of a number, or kind: choice"),
        ("lodge.primary_share", UNIFORM, "lodge.primary_share: 7.28"),
        ("lodge.primary_share", {"kind": "normal", "central": 0.9, "spread": 0.3, "source": "a"}, "draw eval-000"),
        ("dine.sittings_most", UNIFORM, "dine.sittings_most: 1.0 is not possible; it must be a whole number"),
        ("enrol.births", {"kind": "choice", "values": ["low", "lots"], "source": "a"}, "'lots' is not possible"),
    ],
)
def test_a_setting_or_a_draw_that_cannot_be_is_told_before_anything_is_lived(
    world: World, key: str, law: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadInput) as caught:
        answer(question([], settings={key: law}), world.base)
    assert told in "\n".join(caught.value.messages)
    assert not world.lived
    assert not list(world.out.iterdir())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"n": 63}, "sensitivity.n: with method sobol it must be a power of 2, such as 64."),
        ({"n": 1}, "sensitivity.n: 1 is not possible; it must be at least 2."),
        ({"n": 4, "method": "lhs"}, "sensitivity.n: with method lhs and 2 settings it must be at least 5."),
        ({"method": "sobel"}, "sensitivity.method: 'sobel' is not possible; it must be 'sobol', 'lhs'"),
        ({"outputs": []}, "sensitivity.outputs: [] is not possible; it must have 1 or more entries."),
        ({"settings": {}}, "sensitivity.settings: it must have 1 or more entries."),
        ({"settings": {"a": {"b": None}}}, "sensitivity.settings"),
        ({"settings": {"a": UNIFORM | {"high": 0.5}}}, "sensitivity.settings.a: low must be below high"),
        ({"settings": {"a": UNIFORM | {"spread": 2.0}}}, "uniform needs low and high, and may say low and high only"),
        ({"settings": {"a": UNIFORM | {"kind": "gauss"}}}, "sensitivity.settings.a.kind: 'gauss' is not possible"),
        ({"settings": {"a": {"kind": "choice", "values": [1, 2], "weights": [1.0], "source": "a"}}}, "weights must be"),
    ],
)
def test_a_question_that_cannot_be_asked_is_told(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput) as caught:
        question([UNIFORM] * 2, **changes)
    assert told in "\n".join(caught.value.messages)


def test_an_unknown_output_is_told_with_those_there_are(world: World) -> None:
    with pytest.raises(BadInput, match="there is no measure joy; choose of pupils_present"):
        answer(question([UNIFORM], outputs=["joy"]), world.base)
    with pytest.raises(BadInput, match="net_cost_yuan_per_year needs account"):
        answer(question([UNIFORM], outputs=["net_cost_yuan_per_year"]), world.base)
    study = world.base.study.model_copy(update={"precision": 0.1})
    with pytest.raises(BadInput, match="all evaluations meet the same luck"):
        answer(question([UNIFORM]), world.base.model_copy(update={"study": study}))


OPTIONS = sorted(path.stem for path in (CONFIGS / "sensitivity").glob("*.yaml"))


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_a_question_whose_settings_have_names_in_both_languages(option: str) -> None:
    one, settings = asked([f"sensitivity={option}", "sensitivity.n=2", "fleet.scale=1.1"])
    assert one.n == 2
    assert settings.fleet.scale == 1.1
    assert settings.hash() == load(["fleet.scale=1.1"]).hash()
    what = Drawn(one, settings)
    what.check()
    assert all(isinstance(what.settings(each), Settings) for each in evaluations(one))
    assert {f"setting.{key}" for key in one.settings} <= set(glossary())


def test_a_question_from_the_command_line_to_its_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without = [
        f"sensitivity.settings.{group}=null"
        for group in ("enrol", "road", "lodge", "health", "dine", "fleet.breakdown_per_km")
    ]
    command = [*SMALL, *without, f"study.out={tmp_path}", "study.name=small", "sensitivity.n=2", "sensitivity.luck=2",
               "sensitivity.resamples=100", "report.language=zh"]  # fmt: skip
    assert main(["sensitivity", *command]) == 0
    folder = RunFolder(tmp_path / "small")
    evaluated = folder.read_table("evaluations")
    # the base, it with other luck, and for each of n: A and B, which with a single setting is A with B's value, too
    assert evaluated["evaluation"].nunique() == 1 + 2 + 2 * 2
    assert len(folder.read_table("indices")) == 4
    page = folder.read_text("sensitivity.html")
    assert "停靠时间" in page
    assert "实测37秒（哥伦布2015年）" in page
    assert (folder.path / "figures" / "indices.svg").is_file()
    assert (folder.path / "figures" / "tornado.svg").is_file()
    assert "fleet.dwell_stop_s" in capsys.readouterr().out
    monkeypatch.setattr(living, "live_scenarios", None)  # nothing is lived any more
    assert main(["sensitivity", *command]) == 0
    assert folder.read_text("sensitivity.html") == page
    assert main(["sensitivity", *command, "sensitivity.n=3"]) == 2
    assert "sensitivity.n" in capsys.readouterr().err
