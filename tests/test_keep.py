"""Plans that are kept: found again, never for another question, and nothing breaks without them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.plan.keep import if_kept, kept


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCHOOLSIM_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def counted(answer: list[list[int]]) -> tuple[Callable[[], list[list[int]]], list[int]]:
    """Return a search that notes each time it is run."""
    runs: list[int] = []

    def search() -> list[list[int]]:
        runs.append(1)
        return answer

    return search, runs


def test_the_same_question_is_searched_once(folder: Path) -> None:
    search, runs = counted([[1, 2], [3]])
    question = [np.arange(3.0), ((1, 2), (3, 4)), 5, True]
    assert [kept(question, search) for _ in range(3)] == [[[1, 2], [3]]] * 3
    assert len(runs) == 1
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize(
    "other",
    [[np.arange(3.0) + 1e-12, 5], [np.arange(3), 5], [np.arange(3.0), 6], [np.arange(3.0), 5, 5], [np.arange(2.0), 5]],
)
def test_another_question_is_searched_anew(folder: Path, other: list[object]) -> None:
    kept([np.arange(3.0), 5], lambda: [[1]])
    assert kept(other, lambda: [[2]]) == [[2]]


def test_another_planner_does_not_trust_the_plans_of_this_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept([1], lambda: [[1]])
    monkeypatch.setattr("sim.plan.keep._planner", lambda: b"another source")
    assert kept([1], lambda: [[2]]) == [[2]]


def test_a_spoilt_file_is_as_good_as_none(folder: Path) -> None:
    kept([1], lambda: [[1]])
    (file,) = folder.iterdir()
    file.write_text("[[1", encoding="utf-8")
    assert kept([1], lambda: [[2]]) == [[2]]
    assert kept([1], lambda: [[3]]) == [[2]]


def test_nothing_is_kept_where_nothing_can_be_or_shall_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search, runs = counted([[1]])
    (tmp_path / "a_file").write_text("", encoding="utf-8")
    for place in (str(tmp_path / "a_file"), ""):
        monkeypatch.setenv("SCHOOLSIM_CACHE", place)
        assert kept([1], search) == kept([1], search) == [[1]]
    assert len(runs) == 4


def test_one_can_ask_for_what_is_kept_without_searching(folder: Path) -> None:
    search, runs = counted([[1]])
    assert if_kept(lambda: kept([1], search)) is None
    assert not runs
    kept([1], search)
    assert if_kept(lambda: kept([1], search)) == [[1]]
    assert kept([2], search) == [[1]]
    assert len(runs) == 2
