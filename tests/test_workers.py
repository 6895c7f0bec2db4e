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
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import psutil
import pytest

from sim.config import load
from sim.errors import BadInput
from sim.workers import Crew, Done, crew, spread

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
def test_spread_keeps_the_order_of_the_items(workers: int) -> None:
    assert spread(partial(power, 2), list(range(9)), workers, "") == SQUARES


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


def test_spread_raises_what_the_first_item_that_failed_raised() -> None:
    with pytest.raises(BadInput) as caught:
        spread(fail, [0, 1, 2], 2, "")
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
