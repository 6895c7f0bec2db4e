"""Workers: independent tasks over processes, in a fixed order, with a progress bar on the terminal."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

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

Item = TypeVar("Item")
Result = TypeVar("Result")


COLUMNS = (
    TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
    TimeRemainingColumn(),
)  # fmt: skip
"""What every progress bar of the project shows."""


def console() -> Console:
    """Return the terminal for messages; results go to standard output, messages do not."""
    return Console(stderr=True)


def worker_count(settings: Settings) -> int:
    """Return how many processes may work: as asked, else one per core; one when all is to be done serially."""
    if settings.executor.kind == "serial":
        return 1
    return settings.study.workers or os.cpu_count() or 1


def spread(act: Callable[[Item], Result], items: list[Item], workers: int, title: str) -> list[Result]:
    """Return act(item) for every item, in the order of the items, whatever the number of workers.

    `act` and all it holds is handed over once, through a temporary file, and kept by each worker. Workers start
    afresh (spawn) on every system, so that Linux and Windows do the same.
    """
    if workers == 1 or len(items) < 2:
        return list(watch(map(act, items), title, len(items)))
    with tempfile.TemporaryDirectory(prefix="schoolsim-") as folder:
        path = Path(folder) / "task.pickle"
        path.write_bytes(pickle.dumps(act, protocol=pickle.HIGHEST_PROTOCOL))
        fresh = get_context("spawn")
        with ProcessPoolExecutor(min(workers, len(items)), fresh, initializer=_install, initargs=(path,)) as pool:
            return list(watch(pool.map(_do, items), title, len(items)))


_act: Callable[[Any], Any] | None = None


def _install(path: Path) -> None:
    """Load what all items of a worker share."""
    global _act
    _act = pickle.loads(path.read_bytes())  # written by this very run


def _do(item: Any) -> Any:
    assert _act is not None, "a worker begins with _install"
    return _act(item)


def watch(items: Iterable[Item], title: str, total: int | None = None) -> Iterator[Item]:
    """Pass items on and show how far it is and how long it will take; silent where there is no terminal."""
    size = total if total is not None else len(items)  # type: ignore[arg-type]
    with Progress(*COLUMNS, console=console(), transient=False) as progress:
        task = progress.add_task(title, total=size)
        for item in items:
            yield item
            progress.advance(task)
