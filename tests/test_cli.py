"""What a person types: exit codes, plain messages, and nothing half-written after bad input."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from sim.cli import main
from sim.cli.show import show_comparison, worst_bottlenecks
from sim.config import CONFIGS, Settings
from sim.config.multirun import scenarios
from sim.errors import BadInput
from sim.store import RunFolder, open_run
from sim.sweep import Outcome, checked
from sim.tables import run_table
from sim.tell.words import Words

ROOT = CONFIGS.parent
SMALL = ["county=three_villages", "study.workers=1"]


def bottlenecks(scenario: str) -> pd.DataFrame:
    rows = [
        (2023, 1, "C", "window", 5.0, 2024.0),
        (2024, 1, "C", "window", 7.0, 2024.0),
        (2024, 2, "county", "bus_seat", 9.0, None),
    ]
    frame = pd.DataFrame(rows, columns=["year", "rank", "site_id", "resource", "severity", "first_year_breached"])
    empty = ("pupil_days_harmed_low", "pupil_days_harmed_high", "p_breach", "p_low", "p_high",
             "severity_low", "severity_high", "relief_cost_yuan",
             "relief_yuan_per_year")  # fmt: skip
    return frame.assign(
        scenario=scenario,
        site_name=frame["site_id"],
        pupil_days_harmed_mean=10.0,
        cause="window",
        relief=None,
    ).assign(**dict.fromkeys(empty, None))


@pytest.fixture
def lived(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Put a study in place that writes bottlenecks only; return the settings it was asked to live."""
    asked: list[Settings] = []

    def run(settings: Settings, resume: bool = False) -> RunFolder:
        asked.append(settings)
        if settings.seed == 13:
            raise BadInput("hamlets.csv, row 3, column school_id: 'X9' is no school.")
        if settings.fleet.scale == 9:
            raise RuntimeError("the wheel came off")
        folder = open_run(settings)
        if not folder.finished:
            folder.write_table("bottlenecks", bottlenecks(settings.scenario))
            folder.finish(0.1)
        return folder

    def live_scenarios(asked: list[Settings], resume: bool = False) -> list[Outcome]:
        checked(asked)
        return [ended(one) for one in asked]

    def ended(settings: Settings) -> Outcome:
        try:
            return Outcome(settings.scenario, run(settings))
        except (BadInput, RuntimeError) as error:
            return Outcome(settings.scenario, None, str(error), isinstance(error, BadInput))

    monkeypatch.setattr("sim.sweep.run", run)
    monkeypatch.setattr("sim.cli.sweep.live_scenarios", live_scenarios)
    return asked


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Put a comparison in place that finds nothing but zeros; return the folders it was given."""
    seen: list[list[str]] = []

    def compare(folders: list[Path]) -> pd.DataFrame:
        seen.append([folder.name for folder in folders])
        numbers = dict.fromkeys(run_table("summary").names, 0.0)
        rows = [{**numbers, "scenario": folder.name, "measure": "late_pupils"} for folder in folders]
        return pd.DataFrame(rows).assign(replications=10)

    def comparison(folder: Path) -> Path:
        return folder / "comparison.html"

    monkeypatch.setattr("sim.judge.compare.compare", compare)
    monkeypatch.setattr("sim.tell.page.comparison", comparison)
    return seen


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch, lived: list[Settings]) -> list[str]:
    """Put a pen in place that only notes the language and audience it was asked to draw for."""
    asked: list[str] = []

    def tell(folder: RunFolder) -> None:
        report = folder.settings.report
        asked.append(f"{report.language} {report.audience}")

    monkeypatch.setattr("sim.reprice.tell", tell)
    return asked


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_help_answers_without_loading_anything_heavy() -> None:
    code = (
        "import sys; sys.argv = ['sim', '--help']\n"
        "from sim.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'pandas', 'numpy', 'pydantic', 'hydra', 'rich', 'simpy'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.startswith("usage: sim")
    assert said.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("verb", ["run", "sweep", "compare", "report", "check"])
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([verb, "--help"])
    assert end.value.code == 0
    assert verb in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["fleet.speeed=3"], "fleet.speeed"),
        (["run", "fleet.buses=-3"], "fleet.buses"),
        (["run", "fleet.buses=many"], "fleet.buses"),
        (["run", "county.folder=/no/such/folder"], "county.folder"),
        (["run", "calendar=nonsense"], "calendar"),
        (["run", "fleet.buses=3,4"], "sweep"),
        (["sweep", "fleet.buses=3,-4"], "scenario fleet.buses=-4: fleet.buses"),
        (["sweep", "fleet.buses=3,4", "fleet.speeed=1,2"], "fleet.speeed"),
        (["sweep", "closure=none,nonsense"], "closure"),
        (["sweep", "fleet.buses=3,4", "scenario=mine"], "scenario"),
        (["check", "county=mars"], "county"),
        (["check", "county.folder=/no/such/folder"], "county.folder"),
        (["report", "/no/such/folder"], "/no/such/folder"),
        (["compare", "/no/such/folder", "/no/other"], "/no/such/folder"),
        (["--cfg", "job", "fleet.speeed=3"], "fleet.speeed"),
    ],
)
def test_bad_input_is_told_in_one_sentence_with_exit_code_2_and_nothing_written(
    words: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lived: list[Settings],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
    assert lived == []
    assert files(tmp_path) == []


@pytest.mark.parametrize("verb", [["run"], ["sweep", "fleet.buses=1,2"]])
def test_an_output_folder_that_cannot_be_written_is_told_before_anything_runs(
    verb: list[str], tmp_path: Path, lived: list[Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("", encoding="utf-8")
    assert main([*verb, *SMALL, f"study.out={blocker}"]) == 2
    assert "study.out" in capsys.readouterr().err
    assert files(tmp_path) == ["file"]
    assert verb == ["run"] or lived == []


SPOILT = [
    ("hamlets.csv", "township_id", "township", "hamlets.csv, row 1, column township_id"),
    ("pupils.csv", "A,1,f,1,", "A,1,f,-1,", "pupils.csv, row 2, column pupils: -1"),
    ("pupils.csv", "A,1,f,1,", "A,1,f,many,", "pupils.csv, row 2, column pupils: 'many'"),
    ("hamlets.csv", "25.5946,C,", "25.5946,X9,", "hamlets.csv, row 2, column school_id: 'X9'"),
    ("hamlets.csv", "\nB,", "\nA,", "hamlets.csv, row 3, column hamlet_id: 'A' is already in row 2"),
    ("edges.csv", "e2,n0,n2,", "e2,n0,n1,", "hamlets.csv, row 3, column node_id: no road"),
    ("hamlets.csv", "115.78,25.5946", "25.5946,115.78", "hamlets.csv, row 2, column lon+lat: lon and lat look swapped"),
]


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """Return a copy of three_villages that a test may spoil."""
    return Path(shutil.copytree(CONFIGS / "county" / "three_villages", tmp_path / "county"))


def spoil(county: Path, name: str, old: str, new: str) -> None:
    text = (county / name).read_text(encoding="utf-8")
    assert old in text
    (county / name).write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("verb", [["run"], ["sweep", "fleet.buses=1,2"], ["check"]])
@pytest.mark.parametrize(("name", "old", "new", "says"), SPOILT)
def test_a_spoilt_table_is_told_by_file_row_and_column_and_nothing_is_written(
    verb: list[str], name: str, old: str, new: str, says: str, spoilt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(spoilt, name, old, new)
    assert main([*verb, f"county.folder={spoilt}", f"study.out={spoilt.parent / 'out'}"]) == 2
    said = capsys.readouterr()
    assert any(line.startswith(says) for line in said.err.splitlines())
    assert "Traceback" not in said.err
    assert said.out == ""
    assert files(spoilt.parent) == ["county"]


def test_all_errors_of_all_tables_are_told_at_once(spoilt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    several = [SPOILT[1], SPOILT[3], SPOILT[5]]
    for name, old, new, _ in several:
        spoil(spoilt, name, old, new)
    assert main(["run", f"county.folder={spoilt}", f"study.out={spoilt.parent / 'out'}"]) == 2
    said = capsys.readouterr().err
    assert all(says in said for *_, says in several)
    assert files(spoilt.parent) == ["county"]


def test_another_language_redraws_a_finished_run(tmp_path: Path, lived: list[Settings], drawn: list[str]) -> None:
    assert main([*SMALL, f"study.out={tmp_path}"]) == 0
    assert drawn == []
    assert main([*SMALL, f"study.out={tmp_path}", "report.language=zh"]) == 0
    base = tmp_path / "main" / "base"
    assert main(["report", str(base), "report.audience=internal"]) == 0
    assert drawn == ["zh public", "zh internal"]
    assert files(tmp_path / "main") == ["base"]


def test_nothing_but_language_and_audience_changes_a_drawn_report(
    tmp_path: Path, lived: list[Settings], drawn: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL, f"study.out={tmp_path}"]) == 0
    for word, says in (("seed=8", "seed: what was lived"), ("report.language=fr", "report.language: 'fr'")):
        assert main(["report", str(tmp_path / "main" / "base"), word]) == 2
        assert says in capsys.readouterr().err
    assert drawn == []


def test_an_unknown_flag_is_bad_input() -> None:
    with pytest.raises(SystemExit) as end:
        main(["run", "--quickly"])
    assert end.value.code == 2


def test_run_shows_the_worst_bottlenecks_and_where_the_files_are(
    tmp_path: Path, lived: list[Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL, f"study.out={tmp_path}"]) == 0
    said = capsys.readouterr().out
    assert "window" in said
    assert str(tmp_path / "main" / "base") in said
    assert lived[0].county.name == "three_villages"


def test_the_worst_bottlenecks_are_added_up_over_the_years() -> None:
    worst = worst_bottlenecks(bottlenecks("base"))
    assert worst["resource"].tolist() == ["window", "bus_seat"]
    assert worst["severity"].tolist() == [12.0, 9.0]


def test_a_mistake_of_ours_is_told_with_its_place_and_exit_code_1(
    tmp_path: Path, lived: list[Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL, f"study.out={tmp_path}", "fleet.scale=9"]) == 1
    said = capsys.readouterr().err
    assert "RuntimeError: the wheel came off" in said.splitlines()[0]
    assert "Traceback" in said


def test_a_sweep_makes_one_folder_for_each_combination(
    tmp_path: Path, lived: list[Settings], compared: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["fleet.buses=1,2", "lodge.beds_scale=0.8,1.2", "calendar=smoke", f"study.out={tmp_path}"]
    assert main(["sweep", *SMALL, *words]) == 0
    names = [f"fleet.buses={buses},lodge.beds_scale={beds}" for buses in (1, 2) for beds in (0.8, 1.2)]
    assert [settings.scenario for settings in lived] == names
    assert [settings.fleet.buses for settings in lived] == [1, 1, 2, 2]
    assert {settings.calendar.name for settings in lived} == {"smoke"}
    assert compared == [names]
    assert [name for name in files(tmp_path / "main") if "=" in name] == sorted(names)
    assert (tmp_path / "main" / "summary.parquet").is_file()
    assert "comparison.html" in capsys.readouterr().out


def test_hydras_multirun_flag_is_a_sweep(tmp_path: Path, lived: list[Settings], compared: list[list[str]]) -> None:
    assert main(["-m", *SMALL, "closure=none,under_30", f"study.out={tmp_path}"]) == 0
    assert [settings.closure.name for settings in lived] == ["none", "under_30"]


def test_a_scenario_that_fails_is_told_by_name_and_the_others_go_on(
    tmp_path: Path, lived: list[Settings], compared: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", *SMALL, "fleet.scale=1,9", f"study.out={tmp_path}"]) == 1
    said = capsys.readouterr().err
    assert "Scenario fleet.scale=9 failed" in said
    assert "the wheel came off" in said
    assert compared == [["fleet.scale=1"]]


def test_a_sweep_that_fails_by_bad_input_only_has_exit_code_2(
    tmp_path: Path, lived: list[Settings], compared: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", *SMALL, "seed=7,13", f"study.out={tmp_path}"]) == 2
    said = capsys.readouterr().err
    assert "Scenario seed=13 failed: hamlets.csv, row 3" in said
    assert "Traceback" not in said


def test_scenarios_have_names_that_can_be_folders() -> None:
    made = scenarios([*SMALL, "fleet.buses={seats_19: 1},{seats_19: 2}", "closure=none"])
    assert [scenario.name for scenario in made] == ["fleet.buses={seats_19-1}", "fleet.buses={seats_19-2}"]
    assert made[1].settings.fleet.buses == {"seats_19": 2}


def test_hydras_own_questions_go_on_working(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--cfg", "job", *SMALL, "fleet.scale=1.5"]) == 0
    assert "scale: 1.5" in capfd.readouterr().out


def test_check_says_that_the_small_county_has_no_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "county=three_villages"]) == 0
    assert "no errors. 1 townships, 2 schools, 3 hamlets, 12 pupils." in capsys.readouterr().out


def test_check_lists_every_error_of_a_county(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", f"county.folder={tmp_path}"]) == 2
    said = capsys.readouterr().err
    assert "schools.csv" in said
    assert "hamlets.csv" in said


def test_runs_are_compared_in_the_order_given(
    tmp_path: Path, lived: list[Settings], compared: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        assert main([*SMALL, f"study.out={tmp_path}", f"scenario={name}"]) == 0
    folders = [str(tmp_path / "main" / name) for name in ("two", "one")]
    assert main(["compare", *folders]) == 0
    assert compared == [["two", "one"]]
    assert main(["compare", folders[0], folders[0]]) == 2
    assert "two different runs" in capsys.readouterr().err


def test_a_comparison_shows_the_difference_and_stars_it_when_it_is_clear(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Among two comparisons: -10 is clear, +1 is not; -2 would be clear alone."""
    columns = ["scenario", "measure", "mean", "diff_mean", "p_value", "p_adjusted"]
    rows = [
        ("a=1", "late_pupils", 40.0, None, None, None),
        ("a=2", "late_pupils", 30.0, -10.0, 0.01, 0.02),
        ("a=3", "late_pupils", 41.0, 1.0, 0.6, 0.6),
        ("a=1", "bed_refused", 40.0, None, None, None),
        ("a=2", "bed_refused", 38.0, -2.0, 0.04, 0.08),
        ("a=3", "bed_refused", 38.0, -3.0, 0.03, 0.06),
    ]
    show_comparison(pd.DataFrame(rows, columns=columns).assign(replications=10, comparisons=2), Words("en"))
    said = capsys.readouterr().out
    assert said.count("-10*") == 1
    assert said.count("*") == 2  # and once more to say what it means
    assert "among 2 comparisons of each measure" in said


def test_one_scenario_is_shown_without_a_word_of_differences(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"scenario": "base", "measure": "late_pupils", "mean": 4.0, "diff_mean": None, "replications": 3}
    show_comparison(pd.DataFrame([row | {"comparisons": 0}]), Words("en"))
    said = capsys.readouterr().out
    assert "base" in said
    assert "difference" not in said


@pytest.mark.slow
def test_a_real_sweep_lives_in_two_processes_and_compares(tmp_path: Path) -> None:
    words = ["calendar=smoke", "study.years=1", "study.replications=2", f"study.out={tmp_path}"]
    sweep = ["sweep", "county=three_villages", "study.workers=2", *words, "fleet.buses=0,1"]
    assert main(sweep) == 0
    summary = RunFolder(tmp_path / "main").read_table("summary")
    assert summary["scenario"].unique().tolist() == ["fleet.buses=0", "fleet.buses=1"]
    assert all((tmp_path / "main" / name / "report.html").is_file() for name in summary["scenario"].unique())
    page = tmp_path / "main" / "compare.html"
    drawn = page.stat().st_mtime_ns
    assert main(sweep) == 0
    assert page.stat().st_mtime_ns == drawn, "what was compared is not compared again"
    assert main([*sweep[:-1], "fleet.buses=1,0"]) == 0
    assert RunFolder(page.parent).read_table("summary")["scenario"].unique().tolist() == [
        "fleet.buses=1",
        "fleet.buses=0",
    ]
    assert page.stat().st_mtime_ns > drawn
