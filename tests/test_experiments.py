"""The studies: each says what it asks, each runs with tiny settings, and nothing that is committed is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import all as every
import pandas as pd
import pytest
from study import Study, whiskers

from sim.config import CONFIGS
from sim.tell.style import canvas

HERE = Path(every.__file__).parent
STUDIES = {file.stem: file for file in every.STUDIES}
BROKEN = """
from study import Failed, Study

def table(live):
    raise {fault}

STUDY = Study(__file__, "broken", table, draw=None)
"""


def test_there_are_ten_studies() -> None:
    assert [name[:2] for name in STUDIES] == [f"{number:02d}" for number in range(10)]


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_short_and_says_what_it_asks(name: str) -> None:
    text = STUDIES[name].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 80
    head = text.split('"""')[1]
    for word in (f"python experiments/{name}.py", f"configs/experiment/{name}.yaml", f"experiments/{name}/answer.md"):
        assert word in head
    for word in ("Question", "Design", "Measures", "Would change our mind", "Answer"):
        assert f"\n{word}" in head
    assert (CONFIGS / "experiment" / f"{name}.yaml").is_file()
    assert f"[{name}]({name}.py)" in (HERE / "README.md").read_text(encoding="utf-8")


def test_every_study_answers_with_tiny_settings_and_leaves_the_answers_alone(tmp_path: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in HERE.rglob("*") if "__pycache__" not in file.parts}
    words = [sys.executable, str(HERE / "all.py"), "--smoke", "--out", str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": str(HERE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"All 10 studies answered: {tmp_path}" in ended.stdout
    for name in STUDIES:
        assert len(pd.read_csv(tmp_path / name / "data.csv")) > 0
        assert (tmp_path / name / "figure.svg").read_text(encoding="utf-8").startswith("<svg")
    assert before == {file: file.stat().st_mtime_ns for file in HERE.rglob("*") if "__pycache__" not in file.parts}


@pytest.mark.parametrize("fault", ['Failed("Scenario a failed: no road.")', 'ValueError("no road")'])
def test_a_study_that_fails_is_told_by_name_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    files = [tmp_path / name for name in ("10_broken.py", "11_broken.py")]
    for file in files:
        file.write_text(BROKEN.format(fault=fault), encoding="utf-8")
    monkeypatch.setattr(every, "STUDIES", files)
    assert every.main(["--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr()
    assert "Failed: 10_broken, 11_broken" in told.out
    assert told.err.count("no road") >= 2
    assert not (tmp_path / "out").exists()


def test_bad_settings_of_a_study_are_told_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = every.study_of(STUDIES["03_pace_of_closing"])
    assert study.main(["--smoke", "--out", str(tmp_path / "out"), "fleet.speeed=1"]) == 2
    assert "fleet.speeed: there is no such setting" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_answers_to_other_settings_than_the_designs_lie_with_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = Study(
        str(STUDIES["05_births"]), "Births", lambda live: pd.DataFrame({"idle": [7]}), lambda data: canvas(2)[0]
    )
    assert asked.main(["study.replications=3"]) == 0
    assert pd.read_csv(tmp_path / "results" / "05_births" / "data.csv")["idle"].tolist() == [7]


def test_whiskers_are_drawn_also_where_the_mean_lies_outside_of_them() -> None:
    _, axes = canvas(2)
    whiskers(axes, [0], pd.DataFrame({"mean": [1.2], "low": [0.1], "high": [0.9]}), along="y")
    (drawn,) = axes.containers
    (line,) = drawn[2]
    assert line.get_segments()[0][:, 0].tolist() == pytest.approx([0.1, 1.2])
