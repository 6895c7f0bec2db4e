"""The sheet of a school can be read aloud, in both languages, and a public one shows no small group."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from sim.config import load
from sim.study import run
from sim.tell.answer import answer
from sim.tell.run import Run
from sim.tell.sheet import _file_name, sheets
from sim.tell.unplaced import unplaced

SMALL = ("county=three_villages", "calendar=smoke", "study.years=1", "study.replications=1", "executor=serial")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run in which the teaching point's pupils have too long a way."""
    late = ("closure=plan_2023_if_ready", "fleet.ride_limit_young_min=25")
    return run(load([*SMALL, *late, f"study.out={tmp_path_factory.mktemp('results')}"])).path


def told(path: Path, language: str, audience: str) -> list[str]:
    """Return what the sheet of T says, for a language and an audience."""
    found = Run(path)
    settings = found.settings.model_copy(
        update={"report": found.settings.report.model_copy(update={"language": language, "audience": audience})}
    )
    found.__dict__["settings"] = settings
    page = sheets(found)["sheets/T.html"]
    return [page["title"], *page["sentences"], *page["lines"]]


def test_the_sheet_says_what_is_decided_why_what_helps_and_what_it_costs(path: Path) -> None:
    said = told(path, "en", "internal")
    assert said[0].endswith("one school, one plan")
    assert said[1] == "The plan for the school year 2023: the school stays open."
    assert "4 minutes over the limit" in said[2]
    assert "beds with life care" in said[3]
    assert "52,800" in said[3]
    assert "10.0 km by road, 21 minutes. Grades 1-2, 3 pupils" in said[-1]


def test_a_public_sheet_tells_of_no_group_of_pupils(path: Path) -> None:
    said = " ".join(told(path, "en", "public"))
    assert "10.0 km by road, 21 minutes" in said
    assert not re.search(r"\bGrades\b|\d pupils|52,800", said)
    assert "180,000" in said, "182,840 yuan would tell that there are three pupils"


def test_the_chinese_sheet_has_no_english_word(path: Path) -> None:
    said = " ".join(told(path, "zh", "internal")).replace("Teaching Point D", "").replace("Central School", "")
    assert "一校一案" in said
    assert not re.search(r"[A-Za-z]{2,}", said)


def test_two_ids_never_share_a_page() -> None:
    ids = ("会昌一小", "筠门岭小", "a/b", "a_b", "a%2Fb", "a b", "..")
    names = [_file_name(school) for school in ids]
    assert names[:3] == ["会昌一小", "筠门岭小", "a%2Fb"]
    assert len(set(names)) == len(ids)
    assert not any("/" in name for name in names)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("audience", ["public", "internal"])
def test_the_report_tells_of_pupils_without_a_place(path: Path, language: str, audience: str) -> None:
    found = Run(path)
    report = found.settings.report.model_copy(update={"language": language, "audience": audience})
    found.__dict__["settings"] = found.settings.model_copy(update={"report": report})
    assert unplaced(found) == [], "everybody has a place"
    rows = [(2023, 7.0, "ride"), (2023, 2.0, "class_place"), (2024, 8.9, "ride")]
    rows += [(2024, 3.0, "no open receiving school takes grade 7"), (2024, 1.0, "no road")]
    table = pd.DataFrame(rows, columns=["year", "pupils", "constraint"])
    found.__dict__["table"] = lambda name: table.copy() if name == "unplaced" else Run.table(found, name)
    over, none = unplaced(found)
    words = found.words
    ride, room = words.term("constraint", "ride"), words.term("constraint", "class_place")
    assert "9" in over
    assert "2023" in over
    assert (f"{ride} 7" in over, f"{room} 2" in over) == ((audience == "internal"),) * 2
    assert (f"{room} <5" in over) == (audience == "public")
    assert ("<5" in none) == (audience == "public")
    assert (f"{words.term('constraint', 'no open receiving school')} 3" in none) == (audience == "internal")
    assert all(sentence in answer(found) for sentence in (over, none))


def test_each_school_has_its_page(path: Path) -> None:
    assert [file.name for file in (path / "sheets").iterdir()] == ["T.html"]
    assert "<h1>" in (path / "sheets" / "T.html").read_text(encoding="utf-8")
