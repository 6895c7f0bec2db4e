"""Scenarios that are lived together: the same bits as one by one, whatever stops the work and whenever it goes on."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from sim import study
from sim.config import Settings, load
from sim.errors import BadInput, OurFault
from sim.live import Job, live_year
from sim.store import RunFolder, only_me, place
from sim.sweep import live_scenarios, run

SMALL = ("county=three_villages", "calendar=smoke", "study.years=2", "study.replications=2", "executor=serial")
BEDS = ("lodge.beds_scale=0.5", "lodge.beds_scale=1")


def scenarios(out: Path, *words: str) -> list[Settings]:
    """Return two scenarios of a study."""
    return [load([*SMALL, f"study.out={out}", f"scenario=beds{k}", beds, *words]) for k, beds in enumerate(BEDS)]


def tables(folder: Path) -> dict[str, bytes]:
    """Return every table of a run, or of all runs of a study, by name."""
    files = (file for kind in ("*.parquet", "*.csv") for file in folder.rglob(kind))
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def live(asked: Sequence[Settings]) -> list[RunFolder | None]:
    return [ended.folder for ended in live_scenarios(asked, extent="tables")]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a study whose two scenarios were lived one after the other, without a stop."""
    out = tmp_path_factory.mktemp("unbroken")
    for one in scenarios(out):
        live([one])
    return out / "main"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """Return the (scenario, replication, year by position) that are lived from now on."""
    seen: list[tuple[str, int, int]] = []

    def count(job: Job, replication: int, k: int, *known: object) -> dict[str, pd.DataFrame]:
        seen.append((job.settings.scenario, replication, k))
        return live_year(job, replication, k, *known)

    monkeypatch.setattr(study, "live_year", count)
    return seen


def test_scenarios_lived_together_are_the_same_as_one_by_one(unbroken: Path, tmp_path: Path) -> None:
    live(scenarios(tmp_path))
    assert tables(tmp_path / "main") == tables(unbroken)


def test_a_finished_study_is_found_again_and_nothing_is_lived(
    unbroken: Path, counted: list[tuple[str, int, int]]
) -> None:
    before = tables(unbroken)
    found = live(scenarios(unbroken.parent))
    assert [folder and folder.path.name for folder in found] == ["beds0", "beds1"]
    assert (counted, tables(unbroken)) == ([], before)


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_sweep import scenarios
from sim import study
from sim.sweep import engine
from sim.sweep import live_scenarios

def dies_at(module, name, count):
    act, seen = getattr(module, name), []
    def killed(*words, **more):
        seen.append(1)
        if len(seen) == count:
            os.kill(os.getpid(), signal.{signal})
        return act(*words, **more)
    setattr(module, name, killed)

dies_at({module}, {name!r}, {count})
live_scenarios(scenarios(Path({out!r})), extent="tables")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is not of Windows")
@pytest.mark.parametrize(
    ("module", "name", "count", "left"),
    [
        ("study", "write_part", 6, 3),  # in the middle of the years
        ("study", "write", 2, 0),  # when the tables of the first scenario are written and those of the second half
        ("engine", "close", 2, 0),  # when all is written but the word that it is
    ],
)
def test_a_sweep_that_is_killed_goes_on_to_the_same_bits(
    unbroken: Path, tmp_path: Path, counted: list[tuple[str, int, int]], module: str, name: str, count: int, left: int
) -> None:
    program = KILLED.format(
        path=[str(Path(__file__).parent), str(Path(__file__).parents[1])], signal="SIGKILL", out=str(tmp_path),
        module=module, name=name, count=count,
    )  # fmt: skip
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, timeout=120)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert not RunFolder(tmp_path / "main" / "beds1").finished
    live(scenarios(tmp_path))
    assert len(counted) == left
    assert tables(tmp_path / "main") == tables(unbroken)
    assert not list((tmp_path / "main").glob("*/.*"))


def test_half_a_part_is_not_read_but_lived_again(
    unbroken: Path, tmp_path: Path, counted: list[tuple[str, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(study, "join_parts", stop)
        with pytest.raises(KeyboardInterrupt):
            live(scenarios(tmp_path))
    parts = sorted((tmp_path / "main" / "beds0" / ".parts").iterdir())
    assert len(parts) == 4
    parts[1].write_bytes(parts[1].read_bytes()[:-50])  # a name that outlived a loss of power, and half its content
    parts[2].write_bytes(b"")
    counted.clear()
    live(scenarios(tmp_path))
    assert sorted(counted) == [("beds0", 0, 1), ("beds0", 1, 0)]
    assert tables(tmp_path / "main") == tables(unbroken)


@pytest.mark.parametrize(
    ("shorter", "new"),
    [
        ("study.replications=1", {("beds0", 1, 0), ("beds0", 1, 1)}),
        ("study.years=1", {("beds0", 0, 1), ("beds0", 1, 1)}),
    ],
)
def test_a_finished_run_is_made_longer_and_only_what_is_new_is_lived(
    unbroken: Path, tmp_path: Path, counted: list[tuple[str, int, int]], shorter: str, new: set[tuple[str, int, int]]
) -> None:
    short, whole = scenarios(tmp_path, shorter)[0], scenarios(tmp_path)[0]
    (first,) = live([short])
    assert first
    assert first.manifest["complete"]
    counted.clear()
    (longer,) = live([whole])
    assert longer
    assert longer.path == first.path
    assert set(counted) == new
    assert len(counted) == len(new)
    assert tables(longer.path) == tables(unbroken / "beds0")
    assert (longer.manifest["replications"], longer.manifest["years"]) == (2, 2)
    assert len(longer.manifest["extended"]) == 1


def test_a_run_with_less_than_was_lived_has_a_folder_of_its_own(unbroken: Path, tmp_path: Path) -> None:
    whole, short = scenarios(tmp_path)[0], scenarios(tmp_path, "study.replications=1")[0]
    (long,) = live([whole])
    (found,) = live([short])
    assert long
    assert found
    assert found.path != long.path
    assert set(found.read_table("annual")["replication"]) == {0}


def test_only_one_at_a_time_writes_into_a_study(tmp_path: Path) -> None:
    with only_me({tmp_path / "main"}), pytest.raises(BadInput, match="another run is writing into this study"):
        live(scenarios(tmp_path))
    assert not (tmp_path / "main").exists()


def test_a_full_disk_is_told_and_what_was_finished_is_kept(
    unbroken: Path, tmp_path: Path, counted: list[tuple[str, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = study.write_part, []

    def full(*words: object) -> Path:
        written.append(1)
        if len(written) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(*words)  # type: ignore[arg-type]

    with monkeypatch.context() as disk:
        disk.setattr(study, "write_part", full)
        ended = live_scenarios(scenarios(tmp_path), extent="tables")
    assert [one.folder for one in ended] == [None, None]
    assert all(one.bad_input and "is full" in one.fault and "finished work is kept" in one.fault for one in ended)
    assert len(written) == 4
    counted.clear()
    live(scenarios(tmp_path))
    assert len(counted) == 5
    assert tables(tmp_path / "main") == tables(unbroken)


def test_a_scenario_that_fails_is_told_and_the_others_go_on(
    unbroken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trip(job: Job, replication: int, k: int, *known: object) -> dict[str, pd.DataFrame]:
        if (job.settings.scenario, replication, k) == ("beds0", 1, 0):
            raise RuntimeError("the wheel came off")
        return live_year(job, replication, k, *known)

    monkeypatch.setattr(study, "live_year", trip)
    first, second = live_scenarios(scenarios(tmp_path), extent="tables")
    assert first.folder is None
    assert not first.bad_input
    assert "RuntimeError: the wheel came off" in first.fault
    assert "the wheel came off" in RunFolder(tmp_path / "main" / "beds0").read_text("log.txt")
    assert second.folder
    assert tables(second.folder.path) == tables(unbroken / "beds1")
    with pytest.raises(OurFault, match="the wheel came off"):
        run(scenarios(tmp_path)[0])


def test_what_another_state_of_the_program_left_is_not_gone_on_with(
    unbroken: Path, tmp_path: Path, counted: list[tuple[str, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(study, "join_parts", stop)
        with pytest.raises(KeyboardInterrupt):
            live(scenarios(tmp_path))
    counted.clear()
    with monkeypatch.context() as later:
        later.setattr(place, "source_sha256", lambda: "another")
        (ended, _) = live_scenarios(scenarios(tmp_path), extent="tables", resume=True)
        assert ended.bad_input
        assert "another state of the program" in ended.fault
        assert counted == []
        live(scenarios(tmp_path))
        assert len(counted) == 8
    assert tables(tmp_path / "main") == tables(unbroken)


def test_a_study_of_another_format_is_refused_before_anything_runs(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "main" / "beds1")
    folder.write_manifest(version="0.0.1", complete=True)
    before = folder.manifest
    with pytest.raises(BadInput, match=r"beds1: was written by version 0\.0\.1 of the program"):
        live(scenarios(tmp_path))
    assert [path.name for path in (tmp_path / "main").iterdir()] == ["beds1"]
    assert folder.manifest == before


def test_the_log_tells_what_was_done(unbroken: Path) -> None:
    log = RunFolder(unbroken / "beds0").read_text("log.txt")
    assert all(f"replication {r}, {year}: lived in" in log for r in (0, 1) for year in (2023, 2024))
    assert log.rstrip().endswith("finished")


def test_replications_go_on_until_the_means_are_as_precise_as_asked(
    tmp_path: Path, counted: list[tuple[str, int, int]]
) -> None:
    wanted = ("study.replications=3", "study.precision=0.01", "study.precision_measures=[pupil_days_harmed]")
    (first,) = live(scenarios(tmp_path, *wanted, "study.replications_most=5")[:1])
    assert first
    assert first.manifest["replications"] == 5
    (told,) = first.read_table("precision").itertuples()
    assert (told.replications, told.reached) == (5, False)
    assert "not yet as precise as asked for: 5 replications are wanted" in first.read_text("log.txt")
    counted.clear()
    (longer,) = live(scenarios(tmp_path, *wanted, "study.replications_most=6")[:1])
    assert longer
    assert longer.path == first.path
    assert {replication for _, replication, _ in counted} == {5}
    (fixed,) = live(scenarios(tmp_path / "fixed", "study.replications=6")[:1])
    assert fixed
    ours, others = tables(longer.path), tables(fixed.path)
    for name in ("precision.csv", "assumptions.csv"):  # what was asked for differs
        ours.pop(name), others.pop(name, None)
    assert ours == others
