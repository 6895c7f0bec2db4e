"""Workers: independent tasks over one process, several processes or a cluster, with progress on the terminal.

    with crew(settings) as workers:
        for done in workers.do(partial(act, shared), items, "living school weeks"):
            ...

`do` yields a `Done` for every item, as they finish, in any order. What `act` holds (here `shared`) reaches each worker
once; several `do`, one after the other, use the same workers. The results are the same bits whoever does the work.

No task takes another with it: what one raises is told in its `Done`. A worker that dies (killed, out of memory) is
replaced and its task done again, in the end with nothing beside it; one at which workers died three times is told as
failed. Only a full disk stops what was not yet begun: `Done.disk_full` is told, and the rest is not told at all.
Ctrl-C, or leaving the loop, ends the workers within a second. `crew` raises BadInput when a cluster is asked for that
is not there or whose workers cannot do our work; `check_executor` does the same before anything else is done.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from multiprocessing import parent_process
from typing import Any, Protocol, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from sim.config import Settings
from sim.errors import BadInput
from sim.workers.cluster import Cluster, connected
from sim.workers.processes import Processes
from sim.workers.task import Done, Todo, attempt, is_full, mistake

__all__ = ["COLUMNS", "Crew", "Done", "check_executor", "console", "crew", "full_disk", "is_full", "mistake",
           "watch", "worker_count"]  # fmt: skip

Item = TypeVar("Item")
Result = TypeVar("Result")

COLUMNS = (
    TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
    TimeRemainingColumn(),
)  # fmt: skip
"""What every progress bar of the project shows."""
MOST_ON_WINDOWS = 61
"""Windows waits for no more processes at a time."""


def console() -> Console:
    """Return the terminal for messages; results go to standard output, messages do not."""
    return Console(stderr=True)


class Hands(Protocol):
    """Those who do the work."""

    def do(self, act: Callable[[Any], Any], items: Sequence[Any]) -> Generator[Done]:
        """Yield how act(item) ended for every item, as they end."""

    def close(self) -> None:
        """Let all of them go."""


class Crew:
    """Workers of any kind, hired until the end of a `with`."""

    def __init__(self, hands: Hands, out: str, workers: int = 1, at_home: bool = True) -> None:
        self._hands = hands
        self._out = out
        self.workers = workers
        """How many there are."""
        self.at_home = at_home
        """Whether they see the same disk as we do."""

    def do(self, act: Callable[[Item], Any], items: Sequence[Item], title: str = "") -> Generator[Done]:
        """Yield how act(item) ended for every item, as they end; with a title, show how far it is."""
        with closing(self._hands.do(act, items)) as told:
            for done in watch(told, title, len(items)) if title else told:
                yield replace(done, fault=full_disk(self._out, done.fault)) if done.disk_full else done

    def results(self, act: Callable[[Item], Result], items: Sequence[Item], title: str = "") -> list[Result]:
        """Return act(item) for every item, in their order.

        Raises what the first of them that failed raised: BadInput, or RuntimeError with the place.
        """
        ended = sorted(self.do(act, items, title), key=lambda done: done.number)
        return [_result(done) for done in ended]

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self._hands.close()


def full_disk(out: str, said: object) -> str:
    """Return what a planner is told of a full disk; out: the folder of results, empty when there is none."""
    where = f" of {out}" if out else ""
    return f"study.out: the disk{where} is full ({said}); make room and begin again: finished work is kept."


def _result(done: Done) -> Any:
    """Return the result of a task, or raise its fault."""
    if done.bad_input:
        raise BadInput(*done.fault.splitlines())
    if done.fault:
        raise RuntimeError(done.fault)
    return done.result


class Alone:
    """This very process."""

    def do(self, act: Callable[[Any], Any], items: Sequence[Any]) -> Generator[Done]:
        """Yield how each task ended, in order."""
        todo = Todo(len(items))
        while (number := todo.take()) is not None:
            yield todo.told(attempt(number, partial(act, items[number])))

    def close(self) -> None:
        """Nobody was hired."""


def crew(settings: Settings) -> Crew:
    """Return the workers that `executor` and `study.workers` ask for; raises BadInput when a cluster has none."""
    workers = worker_count(settings)
    if settings.executor.kind == "dask" and parent_process() is None:
        cluster = Cluster(settings.executor.address or "")
        return Crew(cluster, settings.study.out, cluster.count(), at_home=False)
    return Crew(Alone() if workers == 1 else Processes(workers), settings.study.out, workers)


def check_executor(settings: Settings) -> None:
    """Raise BadInput, within seconds, when a cluster is asked for that is not there or cannot do our work."""
    if settings.executor.kind == "dask":
        connected(settings.executor.address or "").close()


def worker_count(settings: Settings) -> int:
    """Return how many processes may work: as asked, else one per core; one when all is to be done serially.

    Within a worker it is one: the others are at work already.
    """
    if settings.executor.kind == "serial" or parent_process() is not None:
        return 1
    wanted = settings.study.workers or os.cpu_count() or 1
    return min(wanted, MOST_ON_WINDOWS) if sys.platform == "win32" else wanted


def watch(items: Iterable[Item], title: str, total: int | None = None) -> Iterator[Item]:
    """Pass items on and show how far it is and how long it will take; silent where there is no terminal."""
    size = total if total is not None else len(items)  # type: ignore[arg-type]
    with Progress(*COLUMNS, console=console(), transient=False) as progress:
        task = progress.add_task(title, total=size)
        for item in items:
            yield item
            progress.advance(task)
