"""Worker processes of this machine, each at the end of a line of its own: if one dies, it is known at which task."""

from __future__ import annotations

import gc
import os
import pickle
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from threading import Thread
from typing import Any

from sim.workers.task import MOST_DEATHS, Done, Todo, load_act, no_act, packed_done

SECONDS_TO_END = 1.0
FRESH = get_context("spawn")
"""Workers start afresh on every system, so that Linux and Windows do the same."""


class Worker:
    """One process, and the task it has in hand."""

    def __init__(self) -> None:
        self.line, theirs = FRESH.Pipe()
        self.process = FRESH.Process(target=work, args=(theirs,), daemon=True)
        with deaf():
            self.process.start()
        theirs.close()
        self.ready = False
        """It has started and said so."""
        self.number: int | None = None
        """The task in hand."""
        self.holds: bytes | None = None
        """What it was given to do with the items."""

    def give(self, number: int, item: Any, act: bytes) -> None:
        """Hand over a task, and how to do it if it does not know that yet."""
        self.number = number
        try:
            self.line.send((number, None if self.holds is act else act, pickle.dumps(item, pickle.HIGHEST_PROTOCOL)))
            self.holds = act
        except OSError:
            pass  # it is dead, which is found out at the next look at its line

    def hear(self) -> Done | None:
        """Return what became of its task, None when it says that it has started; EOFError or OSError when it died."""
        told = self.line.recv_bytes()
        self.ready, self.number = True, None
        return pickle.loads(told) if told else None  # written by our own worker

    def end(self) -> None:
        """End it, whatever it does."""
        self.line.close()
        self.process.terminate()

    def wait(self) -> None:
        """Wait until it has ended."""
        self.process.join(SECONDS_TO_END)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


class Processes:
    """Workers on this machine; they start when first needed and stay until `close`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._workers: list[Worker] = []
        self._stillborn = 0

    def do(self, act: Callable[[Any], Any], items: Sequence[Any]) -> Generator[Done]:
        """Yield how each task ended, as they end; a worker that dies is replaced and its task done again."""
        packed, todo = pickle.dumps(act, pickle.HIGHEST_PROTOCOL), Todo(len(items))
        try:
            while todo.at_once:
                self._hire(min(self._most, todo.at_once))
                for worker in self._workers:
                    if worker.ready and worker.number is None and (number := todo.take()) is not None:
                        worker.give(number, items[number], packed)
                for line in wait([worker.line for worker in self._workers]):
                    done = self._hear(line, todo)
                    if done is not None:
                        yield done
        finally:
            self._end([worker for worker in self._workers if worker.number is not None])

    def close(self) -> None:
        """End all workers."""
        self._end(list(self._workers))

    def _hire(self, wanted: int) -> None:
        while len(self._workers) < wanted:
            self._workers.append(Worker())

    def _hear(self, line: Any, todo: Todo) -> Done | None:
        """Return the end of a task that a worker tells, or that is told of it because it died once too often."""
        worker = next(worker for worker in self._workers if worker.line is line)
        try:
            done = worker.hear()
            self._stillborn = 0
            return todo.told(done) if done is not None else None
        except (EOFError, OSError):
            self._end([worker])
        if worker.number is not None:
            return todo.died(worker.number)
        self._stillborn += not worker.ready
        if self._stillborn == MOST_DEATHS:
            raise RuntimeError("worker processes end before they have started; perhaps memory is short")
        return None

    def _end(self, workers: list[Worker]) -> None:
        self._workers = [worker for worker in self._workers if worker not in workers]
        for worker in workers:
            worker.end()
        for worker in workers:
            worker.wait()


def work(line: Connection) -> None:
    """Do what comes over the line until nothing more comes: the life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; who started us ends us
    Thread(target=_end_with_parent, daemon=True).start()
    act: Callable[[Any], Any] = no_act
    done = b""
    while True:
        line.send_bytes(done)
        try:
            number, packed, item = line.recv()
        except EOFError:
            return
        if packed is not None:
            act = no_act  # the last one, and all that it knew, is not kept beside the next
            gc.collect()
            act, packed = load_act(packed), None
        done = packed_done(act, number, item)


def _end_with_parent() -> None:
    """End at once when whoever started us has ended (killed), so that no worker is left over."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def deaf() -> Iterator[None]:
    """Keep Ctrl-C back while a process starts: it inherits deafness, and we hear a moment later."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing.resource_tracker import ensure_running

    ensure_running()  # else it starts inside, and takes the deafness away
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
