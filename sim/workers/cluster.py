"""Worker processes of a Dask cluster, anywhere on the network, with the same tasks and the same bits.

A scheduler and its workers are somebody else's: they are looked at before anything is asked of them (docs/cluster.md).
Nothing is shared but the line to the scheduler: what is done, its items and its results travel over it.
"""

from __future__ import annotations

import hashlib
import logging
import pickle
import platform
import time
import uuid
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sim
from sim.errors import BadInput
from sim.workers.task import Done, Todo, load_act, mistake, packed_done

if TYPE_CHECKING:
    from distributed import Client, Future, as_completed

SECONDS_TO_CONNECT = 3.0
SECONDS_BETWEEN_LOOKS = 0.01
SECONDS_BETWEEN_COUNTS = 1.0
SECONDS_WITHOUT_WORKERS = 300.0
IN_FLIGHT_PER_WORKER = 3
"""Tasks handed out for each worker: one is done, the others wait there, so that no worker waits for the next."""
PACKAGES = ("distributed", "numba", "numpy", "pandas", "pyarrow", "pyvrp", "scipy", "simpy")
"""What has to be the same on all machines for the same bits."""
START = "start workers with `dask worker ADDRESS --nworkers CORES --nthreads 1`"


def connected(address: str) -> Client:
    """Return a line to the scheduler at an address whose workers can all do our work, else raise BadInput."""
    try:
        from distributed import Client
    except ImportError as error:
        raise BadInput("executor: dask is not installed here: pip install schoolsim[cluster].") from error
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is said by us
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about versions: we look at them ourselves
            client = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
            workers = client.run(fitness, on_error="return")
    except Exception as error:  # also what strangers who answer there make of it
        raise BadInput(
            f"executor.address: no Dask scheduler answers at {address} ({' '.join(str(error).split())}); "
            "is it running, and the address right, such as tcp://192.168.1.10:8786?"
        ) from error
    told = unfit(workers)
    if told:
        client.close()
        raise BadInput(*told)
    return client


def unfit(workers: Mapping[str, Any]) -> list[str]:
    """Return why workers, by address, cannot do our work as it is done here; [] when all can.

    Each is given by its `fitness`, or by the exception that was raised where it should have told it.
    """
    if not workers:
        return [f"executor.address: the scheduler has no workers; {START}."]
    return [told for address, theirs in workers.items() if (told := unlike(address, theirs))]


def unlike(address: str, theirs: Any) -> str:
    """Return why a worker cannot do our work as it is done here; empty when it can."""
    if not isinstance(theirs, dict):
        return f"executor.address: the worker {address} cannot import schoolsim ({theirs}); install the same there."
    if theirs["threads"] != "1":
        return (
            f"executor.address: the worker {address} has {theirs['threads']} threads; weeks are lived one at a time "
            f"in a process: {START}."
        )
    ours = fitness()
    other = [
        f"{name} {there} (here {here})" for name, here in ours.items() if (there := theirs.get(name, "missing")) != here
    ]
    if not other:
        return ""
    return (
        f"executor.address: the worker {address} has other versions, with which results would differ: "
        f"{', '.join(other)}; install the same there."
    )


def fitness(dask_worker: Any = None) -> dict[str, str]:
    """Return the versions, and the threads, with which a Dask worker, or without one this process, does a task."""
    return {**versions(), "threads": str(dask_worker.state.nthreads if dask_worker else 1)}


@cache
def versions() -> dict[str, str]:
    """Return the versions here of all on which the bits of the results depend."""
    here = {"python": ".".join(platform.python_version_tuple()[:2])}
    for name in PACKAGES:
        try:
            here[name] = version(name)
        except PackageNotFoundError:
            here[name] = "missing"
    here["schoolsim"] = f"{sim.__version__} {_code()}"
    return here


def _code() -> str:
    """Return a short name for our program text as it is here."""
    files = sorted(Path(sim.__file__).parent.rglob("*.py"))
    return hashlib.sha256("".join(file.read_text(encoding="utf-8") for file in files).encode()).hexdigest()[:8]


class Unfit(Exception):
    """A worker that joined later cannot do our work as it is done elsewhere."""


def done_there(act: Callable[[Any], Any], number: int, item: bytes, like: dict[str, str]) -> bytes:
    """Do a task on a worker, if that is like the one who asks: it may have joined after all were looked at."""
    from distributed import get_worker

    here = get_worker()
    if fitness(here) != like:
        raise Unfit(here.address, fitness(here))
    return packed_done(act, number, item)


class Cluster:
    """The workers of a cluster, until `close`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client = connected(address)
        self._flying: dict[Future, int] = {}
        self._workers, self._counted = 1, -SECONDS_BETWEEN_COUNTS

    def do(self, act: Callable[[Any], Any], items: Sequence[Any]) -> Generator[Done]:
        """Yield how each task ended, as they end; few are handed out at a time, so that memory stays flat."""
        from distributed import as_completed

        todo, name = Todo(len(items)), uuid.uuid4().hex
        ended = as_completed(loop=self._client.loop, with_results=True, raise_errors=False)
        there = self._send(act, f"schoolsim-{name}")
        try:
            while todo.at_once:
                most = IN_FLIGHT_PER_WORKER * self.count()
                while len(self._flying) < most and (number := todo.take()) is not None:
                    item, key = pickle.dumps(items[number]), f"schoolsim-{name}-{number}-{todo.deaths[number]}"
                    future = self._client.submit(done_there, there, number, item, fitness(), key=key)
                    self._flying[future] = number
                    ended.add(future)
                for future, result in self._ended(ended):
                    done = self._told(future, result, todo)
                    if done is not None:
                        yield done
        finally:
            self._client.cancel([there, *self._flying], force=True)
            self._flying.clear()

    def close(self) -> None:
        """Give up the line; a task that was begun is still done by who has it, for nobody."""
        self._client.close()

    def _send(self, act: Callable[[Any], Any], key: str) -> Future:
        """Send what is done once to the cluster; there it goes from worker to worker, and is made again if lost."""
        from dask import config

        with config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"}):
            return self._client.submit(load_act, pickle.dumps(act, pickle.HIGHEST_PROTOCOL), key=key)

    def count(self) -> int:
        """Return how many workers there are, one if all are about to start again."""
        if time.monotonic() - self._counted > SECONDS_BETWEEN_COUNTS:
            try:
                self._workers, self._counted = len(self._client.nthreads()) or 1, time.monotonic()
            except OSError as error:
                raise self._gone(error) from error
        return self._workers

    def _ended(self, ended: as_completed) -> list[tuple[Future, Any]]:
        """Return tasks that ended, as (task, result); raises BadInput when for minutes nobody is there to do them."""
        seen = time.monotonic()
        while not ended.has_ready():
            time.sleep(SECONDS_BETWEEN_LOOKS)
            if time.monotonic() - seen > SECONDS_WITHOUT_WORKERS:
                if not self._client.nthreads():
                    raise BadInput(f"executor.address: {self._address} has had no workers for minutes; {START}.")
                seen = time.monotonic()
        return ended.next_batch(block=False)

    def _told(self, future: Future, result: Any, todo: Todo) -> Done | None:
        """Return how a task ended; None when it is to be done again, since workers died at it."""
        from distributed import KilledWorker

        number, status = self._flying.pop(future), future.status
        future.release()
        if status == "finished":
            return todo.told(pickle.loads(result))  # written by our own worker
        if status != "error":
            raise self._gone(result)
        error = result[1]
        if isinstance(error, KilledWorker):
            return todo.died(number, times=2)  # Dask tried it several times, but with others beside it
        if isinstance(error, Unfit):
            raise BadInput(unlike(*error.args))
        return todo.told(Done(number, fault=mistake(error)))

    def _gone(self, error: Exception) -> BadInput:
        return BadInput(
            f"executor.address: the scheduler at {self._address} has gone ({error}); "
            "start it and begin again: finished work is kept."
        )
