"""Whoever does the work, the results are the same; what fails, dies or is stopped takes nothing else with it."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from threading import Timer
from typing import Any

import psutil
import pytest

from sim.config import load
from sim.errors import BadInput
from sim.sweep import live_scenarios
from sim.workers import Crew, Done, check_executor, cluster, crew
from sim.workers.cluster import fitness, unfit

ROOT = Path(__file__).resolve().parents[1]
SQUARES = [number**2 for number in range(9)]


def hired(*words: str) -> Crew:
    return crew(load(["county=three_villages", *words]))


@pytest.fixture(scope="module")
def two() -> Iterator[Crew]:
    with hired("study.workers=2") as workers:
        yield workers


def by_number(ended: Iterator[Done]) -> list[Done]:
    return sorted(ended, key=lambda done: done.number)


def power(exponent: int, number: int) -> int:
    return number**exponent


@pytest.fixture(scope="module", params=["executor=serial", "study.workers=2"])
def some(request: pytest.FixtureRequest, two: Crew) -> Crew:
    return two if request.param == "study.workers=2" else hired(request.param)


@pytest.mark.parametrize("words", [["executor=serial"], ["study.workers=1"], ["study.workers=2"], ["study.workers=4"]])
def test_results_are_equal_whoever_works(words: list[str], two: Crew) -> None:
    with nullcontext(two) if words == ["study.workers=2"] else hired(*words) as workers:
        assert [done.result for done in by_number(workers.do(partial(power, 2), range(9)))] == SQUARES
        assert [done.result for done in by_number(workers.do(partial(power, 1), range(9)))] == list(range(9))
        assert list(workers.do(power, [])) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_results_keep_the_order_of_the_items(workers: int) -> None:
    with hired(f"study.workers={workers}") as few:
        assert few.results(partial(power, 2), range(9)) == SQUARES


def whoami(_: int) -> int:
    time.sleep(0.01)
    return os.getpid()


def test_tasks_one_after_the_other_use_the_same_processes(two: Crew) -> None:
    first = {done.result for done in two.do(whoami, range(40))}
    again = {done.result for done in two.do(partial(whoami), range(40))}
    assert len(first) == 2
    assert os.getpid() not in first
    assert again == first


LOADED: list[int] = []


class Heavy:
    """Something that counts how often it reaches a worker."""

    def __setstate__(self, _: object) -> None:
        LOADED.append(os.getpid())

    def __getstate__(self) -> int:
        return 1


def loaded(_: Heavy, item: int) -> tuple[int, int]:
    time.sleep(0.01)
    return os.getpid(), len(LOADED)


def test_what_is_shared_reaches_each_worker_once(two: Crew) -> None:
    told = [done.result for done in two.do(partial(loaded, Heavy()), range(20))]
    assert len(told) == 20
    assert {count for _, count in told} == {1}


class Stubborn(Exception):
    """An error that cannot be unpickled."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def fail(number: int) -> object:
    if number == 1:
        raise BadInput("fleet.scale: too small", "lodge.beds: too few")
    if number == 2:
        raise Stubborn(3, 4)
    if number == 3:
        return lambda: number  # cannot be sent
    return number


def test_what_a_task_raises_is_told_and_takes_nothing_with_it(some: Crew, two: Crew) -> None:
    ended = by_number(some.do(fail, range(6)))
    assert [done.number for done in ended] == list(range(6))
    assert [done.result for done in ended if not done.fault and done.number != 3] == [0, 4, 5]
    assert (ended[1].fault, ended[1].bad_input) == ("fleet.scale: too small\nlodge.beds: too few", True)
    assert ended[2].fault.startswith("the program made a mistake (Stubborn: 3 and 4)\nTraceback")
    assert "in fail" in ended[2].fault
    assert not ended[2].bad_input
    assert bool(ended[3].fault) == (some is two)


def test_results_raise_what_the_first_item_that_failed_raised(two: Crew) -> None:
    with pytest.raises(BadInput) as caught:
        two.results(fail, [0, 1, 2])
    assert caught.value.messages == ("fleet.scale: too small", "lodge.beds: too few")


class Elsewhere:
    """Something that a worker cannot load."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return __import__, ("no_such_module",)


def test_what_a_worker_cannot_load_is_a_fault_of_every_task(two: Crew) -> None:
    ended = by_number(two.do(partial(loaded, Elsewhere()), range(4)))
    assert ["no_such_module" in done.fault for done in ended] == [True] * 4
    assert ["no_such_module" in done.fault for done in by_number(two.do(fail, [0, Elsewhere(), 4]))] == [
        False, True, False,
    ]  # fmt: skip


def fill(number: int) -> int:
    if number == 2:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "results/main/base/part.zip")
    return number


def test_a_full_disk_is_told_with_the_folder_and_nothing_more_is_begun(some: Crew) -> None:
    ended = by_number(some.do(fill, range(50)))
    assert 3 <= len(ended) <= 6
    full = ended[2]
    assert (full.disk_full, full.bad_input) == (True, True)
    assert full.fault.startswith("study.out: the disk of results is full")
    assert "results/main/base/part.zip" in full.fault


def die_once(marks: Path, number: int) -> int:
    """Die the first time at tasks 2 and 5."""
    mark = marks / str(number)
    if number in (2, 5) and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def test_a_worker_that_dies_is_replaced_and_its_task_done_again(two: Crew, tmp_path: Path) -> None:
    assert [done.result for done in by_number(two.do(partial(die_once, tmp_path), range(9)))] == SQUARES
    assert {mark.name for mark in tmp_path.iterdir()} == {"2", "5"}


def die_always(marks: Path, number: int) -> int:
    if number == 3:
        (marks / str(os.getpid())).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def test_a_task_that_always_kills_its_worker_is_told_as_failed(two: Crew, tmp_path: Path) -> None:
    ended = by_number(two.do(partial(die_always, tmp_path), range(9)))
    assert [done.number for done in ended] == list(range(9))
    assert [done.result for done in ended if not done.fault] == [square for square in SQUARES if square != 9]
    assert ended[3].fault.startswith("the worker died three times")
    assert "fewer study.workers" in ended[3].fault
    assert len(list(tmp_path.iterdir())) == 3


def test_leaving_the_loop_ends_who_is_at_work_and_the_others_can_be_used_again(two: Crew) -> None:
    for done in two.do(snooze, [0.0, 600.0, 600.0]):
        assert done.number == 0
        break
    assert [done.result for done in by_number(two.do(partial(power, 2), range(9)))] == SQUARES


def snooze(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def test_nobody_is_left_over_when_all_is_done() -> None:
    with hired("study.workers=2") as workers:
        pids = {done.result for done in workers.do(whoami, range(20))}
        assert all(psutil.pid_exists(pid) for pid in pids)
    assert not any(psutil.pid_exists(pid) for pid in pids)


PROGRAM = """
import sys
import time
from functools import partial

import sim.cli
from sim.config import load
from sim.workers import crew


def verb(words):
    with crew(load(["county=three_villages", "study.workers=2"])) as workers:
        print("begins", flush=True)
        list(workers.do(time.sleep, [600.0, 600.0]))


if __name__ == "__main__":
    sim.cli._verb = verb
    sys.exit(sim.cli.main())
"""


def started(tmp_path: Path) -> tuple[subprocess.Popen[bytes], list[psutil.Process]]:
    """Start a program in a session of its own, as a terminal does; return it when it has two workers."""
    (tmp_path / "program.py").write_text(PROGRAM)
    program = subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py")], env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert program.stdout is not None
    assert program.stdout.readline() == b"begins\n"
    while True:
        children = psutil.Process(program.pid).children(recursive=True)
        if sum("spawn_main" in " ".join(child.cmdline()) for child in children) == 2:
            return program, children
        time.sleep(0.01)


def left_over(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return who has not ended within a second; who has ended, but was not yet asked how, has ended."""
    _, alive = psutil.wait_procs(processes, timeout=1)
    return [process for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to a group of processes")
@pytest.mark.parametrize("seconds", [0.0, 1.5])
def test_ctrl_c_stops_all_cleanly(seconds: float, tmp_path: Path) -> None:
    """Zero seconds: while the workers are just starting."""
    program, children = started(tmp_path)
    time.sleep(seconds)
    os.killpg(program.pid, signal.SIGINT)
    _, said = program.communicate(timeout=5)
    assert program.returncode == 130
    assert said.decode().splitlines()[-1] == "Stopped."
    assert "Traceback" not in said.decode()
    assert left_over(children) == []


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_workers_end_when_the_program_is_killed(tmp_path: Path) -> None:
    program, children = started(tmp_path)
    program.kill()
    program.communicate(timeout=5)
    assert left_over(children) == []


def test_a_done_can_be_sent() -> None:
    done = Done(3, {"a": 1}, seconds=2.0)
    assert pickle.loads(pickle.dumps(done)) == done


class Grid:
    """A Dask scheduler with two worker processes on this machine, started as a person would start them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        self.address = self._said("scheduler", "Scheduler at:")[0].split()[-1]
        self.worker = self._start("worker", self.address, "--nworkers", "2", "--nthreads", "1")
        self._said("scheduler", "Register worker addr", times=2)

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        more = {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
            "DASK_TEMPORARY_DIRECTORY": str(self._folder),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",  # 3 where nobody is in a hurry
            "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s",  # how long one calls after the dead
        }
        with (self._folder / words[0]).open("wb") as said:  # a pipe that nobody empties stops them when it is full
            program = subprocess.Popen(
                [sys.executable, "-m", "dask", *words, "--no-dashboard"],
                env=os.environ | more, cwd=self._folder, stderr=said, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        self._started.append(program)
        return program

    def _said(self, who: str, words: str, times: int = 1) -> list[str]:
        """Return the lines with these words that a program said, once there are so many of them."""
        for _ in range(600):
            found = [line for line in (self._folder / who).read_text().splitlines() if words in line]
            if len(found) >= times:
                return found
            time.sleep(0.1)
        raise AssertionError(f"{who} never said {words!r}: {(self._folder / who).read_text()}")

    def end(self) -> None:
        everybody = [psutil.Process(one.pid) for one in self._started if one.poll() is None]
        everybody += [child for one in everybody for child in one.children(recursive=True)]
        for process in everybody:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for program in self._started:
            program.wait()


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    pytest.importorskip("distributed")
    running = Grid(tmp_path_factory.mktemp("dask"))
    try:
        yield running
    finally:
        running.end()


def of_the_cluster(grid: Grid) -> Crew:
    return hired("executor=dask", f"executor.address={grid.address}")


@pytest.fixture(scope="module")
def far(grid: Grid) -> Iterator[Crew]:
    with of_the_cluster(grid) as workers:
        yield workers


def test_a_cluster_gives_the_same_results(far: Crew) -> None:
    assert [done.result for done in by_number(far.do(partial(power, 2), range(9)))] == SQUARES
    assert os.getpid() not in {done.result for done in far.do(whoami, range(9))}
    assert list(far.do(power, [])) == []


def test_a_cluster_tells_faults_as_other_workers_do(far: Crew, two: Crew) -> None:
    there, here = (by_number(workers.do(fail, range(6))) for workers in (far, two))
    for one, other in zip(there, here, strict=True):
        assert (one.result, one.fault, one.bad_input) == (other.result, other.fault, other.bad_input)
    assert len(by_number(far.do(fill, range(50)))) < 20


def lived(year: Any, marks: Path, replication: int) -> list[bytes]:
    """Return the bytes of the tables of a lived year; a worker dies at the third, the first time."""
    from sim.live import live_year  # not above: it takes every process seconds

    die_once(marks, replication)
    return [frame.to_json(double_precision=15).encode() for frame in live_year(year, replication, 0).values()]


def test_a_worker_of_the_cluster_that_is_killed_changes_no_bit(far: Crew, tmp_path: Path) -> None:
    from living import job

    act = partial(lived, job("county=three_villages", "calendar=smoke", "study.years=1"), tmp_path)
    (tmp_path / "2").touch()  # not here
    here = [act(replication) for replication in range(4)]
    (tmp_path / "2").unlink()
    assert [done.result for done in by_number(far.do(act, range(4)))] == here
    assert (tmp_path / "2").exists()


def test_a_task_that_kills_workers_of_the_cluster_is_told_as_failed(far: Crew, tmp_path: Path) -> None:
    ended = by_number(far.do(partial(die_always, tmp_path), range(9)))
    assert [done.result for done in ended if not done.fault] == [square for square in SQUARES if square != 9]
    assert ended[3].fault.startswith("the worker died three times")


def refused(*words: str) -> str:
    with pytest.raises(BadInput) as caught:
        check_executor(load(["county=three_villages", "executor=dask", *words]))
    return "\n".join(caught.value.messages)


def test_a_sweep_on_a_cluster_writes_the_same_bits(far: Crew, grid: Grid, tmp_path: Path) -> None:
    assert far.results(partial(power, 2), range(9)) == SQUARES  # workers killed by other tests are back
    found = []
    for words in (["executor=serial"], ["executor=dask", f"executor.address={grid.address}"]):
        out = tmp_path / words[0].removeprefix("executor=")
        asked = [
            load(["county=three_villages", "calendar=smoke", "study.years=2", "study.replications=2", *words, beds,
                  f"study.out={out}", f"scenario={name}"])
            for name, beds in (("few", "lodge.beds_scale=0.5"), ("all", "lodge.beds_scale=1"))
        ]  # fmt: skip
        ended = live_scenarios(asked, extent="headlines")
        assert [one.fault for one in ended] == ["", ""]
        found.append({file.relative_to(out): file.read_bytes() for file in sorted(out.rglob("*.parquet"))})
    assert len(found[0]) >= 14
    assert found[0] == found[1]


SWEEP = """
import sys

import sim.cli
from sim.config import load
from sim.sweep import live_scenarios


def verb(words):
    asked = [load([*words, f"lodge.beds_scale={n}", f"scenario=of_{n}"]) for n in (0, 1)]
    live_scenarios(asked, extent="headlines")


sim.cli._verb = verb
sys.exit(sim.cli.main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to a group of processes")
def test_ctrl_c_stops_a_sweep_on_a_cluster_which_goes_on_to_the_same_bits(
    far: Crew, grid: Grid, tmp_path: Path
) -> None:
    """The cluster is left alive, with nothing to do; others work on it, too."""
    assert far.results(partial(power, 2), range(9)) == SQUARES  # workers killed by other tests are back
    (tmp_path / "sweep.py").write_text(SWEEP)
    words = ["county=three_villages", "calendar=smoke", "study.years=2", "study.replications=12"]
    there = [*words, "executor=dask", f"executor.address={grid.address}", f"study.out={tmp_path / 'there'}"]
    program = subprocess.Popen(
        [sys.executable, str(tmp_path / "sweep.py"), *there], env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=ROOT,
        start_new_session=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    while not list(tmp_path.rglob("*.part")):
        assert program.poll() is None
        time.sleep(0.01)
    os.killpg(program.pid, signal.SIGINT)
    _, said = program.communicate(timeout=5)
    assert (program.returncode, said.decode().splitlines()[-1]) == (130, "Stopped.")
    assert 0 < len(list(tmp_path.rglob("*.part"))) < 48
    assert far.results(partial(power, 2), range(9)) == SQUARES
    found = []
    for wanted in (there, [*words, "executor=serial", f"study.out={tmp_path / 'here'}"]):
        asked = [load([*wanted, f"lodge.beds_scale={n}", f"scenario=of_{n}"]) for n in (0, 1)]
        assert [one.fault for one in live_scenarios(asked, extent="headlines", resume=wanted is there)] == ["", ""]
        out = Path(asked[0].study.out)
        found.append({file.relative_to(out): file.read_bytes() for file in sorted(out.rglob("*.parquet"))})
    assert found[0] == found[1]
    assert len(found[0]) >= 14


def test_a_cluster_that_answers_is_not_refused(far: Crew, grid: Grid) -> None:
    assert far.results(partial(power, 2), range(9)) == SQUARES  # workers killed by other tests are back
    check_executor(load(["executor=dask", f"executor.address={grid.address}"]))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense"])
def test_a_cluster_that_is_not_there_is_told(address: str) -> None:
    pytest.importorskip("distributed")
    assert refused(f"executor.address={address}").startswith(
        f"executor.address: no Dask scheduler answers at {address}"
    )


def test_a_cluster_without_its_packages_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "pip install schoolsim[cluster]" in refused("executor.address=tcp://127.0.0.1:9")


def test_workers_that_cannot_do_the_same_are_told_by_name() -> None:
    here = fitness()
    assert {"python", "numpy", "scipy", "numba", "schoolsim", "threads"} <= set(here)
    assert unfit({"tcp://a:1": here, "tcp://b:2": {**here}}) == []
    (none,) = unfit({})
    assert "no workers" in none
    told = unfit({
        "tcp://a:1": here,
        "tcp://b:2": {**here, "numpy": "1.26", "numba": "missing"},
        "tcp://c:3": {**here, "threads": "4"},
        "tcp://d:4": ModuleNotFoundError("No module named 'sim'"),
    })  # fmt: skip
    assert [message.startswith("executor.address: the worker tcp://") for message in told] == [True] * 3
    assert "tcp://b:2" in told[0]
    assert f"results would differ: numba missing (here {here['numba']}), numpy 1.26 (here {here['numpy']}); " in told[0]
    assert "has 4 threads" in told[1]
    assert "--nthreads 1" in told[1]
    assert "cannot import schoolsim" in told[2]


def test_a_cluster_with_other_versions_is_refused_before_and_in_the_middle(
    far: Crew, grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert far.results(partial(power, 2), range(9)) == SQUARES  # workers killed by other tests are back
    other = {**cluster.versions(), "numba": "0.1"}
    monkeypatch.setattr(cluster, "versions", lambda: other)
    assert "(here 0.1)" in refused(f"executor.address={grid.address}")
    with pytest.raises(BadInput, match=r"has other versions.* numba .*here 0.1"):
        list(far.do(whoami, range(4)))


def test_a_scheduler_that_ends_in_the_middle_is_told(grid: Grid) -> None:
    """The last one: nobody is there afterwards."""
    with of_the_cluster(grid) as workers:
        Timer(1.0, grid.scheduler.kill).start()
        with pytest.raises(BadInput, match=r"executor.address: the scheduler at tcp://127.0.0.1:\d+ has gone"):
            next(workers.do(snooze, [600.0] * 5))
