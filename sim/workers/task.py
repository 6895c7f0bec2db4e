"""A task and how it ended: what workers of every kind have in common."""

from __future__ import annotations

import errno
import gc
import pickle
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sim.errors import BadInput

MOST_DEATHS = 3
DIED = (
    "the worker died three times at this task, the last time with nothing beside it, perhaps for lack of memory; "
    "fewer study.workers (or workers of the cluster on one machine) need less"
)
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
SELDOM = (100_000, 20, 50)
"""How many new objects, and rounds, lie between two searches for lost ones; as often as usual, they take a tenth."""


@dataclass(frozen=True, slots=True)
class Done:
    """How one task ended."""

    number: int
    """Which one: its place among the items."""
    result: Any = None
    fault: str = ""
    """What went wrong: a sentence and, when it is our fault, where; empty when all went well."""
    bad_input: bool = False
    """The fault is what BadInput said, one message a line; the program made no mistake."""
    disk_full: bool = False
    """The fault is a full disk: a bad input, after which no other task is begun."""
    seconds: float = 0.0
    """How long it took whoever did it."""


def attempt(number: int, task: Callable[[], Any]) -> Done:
    """Do a task, and tell, not raise, what went wrong; only who stops the program (Ctrl-C) is let through."""
    gc.set_threshold(*SELDOM)
    began = time.perf_counter()
    try:
        return Done(number, task(), seconds=time.perf_counter() - began)
    except BadInput as error:
        return Done(number, fault="\n".join(error.messages), bad_input=True)
    except Exception as error:
        if is_full(error):
            return Done(number, fault=str(error), bad_input=True, disk_full=True)
        return Done(number, fault=mistake(error))


def is_full(error: Exception) -> bool:
    """Tell whether an error is that of a full disk."""
    return isinstance(error, OSError) and error.errno in DISK_FULL


def mistake(error: Exception) -> str:
    """Return in words that the program is at fault, and where."""
    said = "".join(traceback.format_exception(error))
    return f"the program made a mistake ({type(error).__name__}: {error})\n{said}"


def load_act(packed: bytes) -> Callable[[Any], Any]:
    """Return what is to be done with the items; if that cannot be had here, it fails for every item."""
    try:
        return pickle.loads(packed)  # written by who asks us to work
    except Exception as error:
        return partial(_refuse, error)


def no_act(_: Any) -> None:
    """Do nothing: what a worker does before it is told what to do."""


def _refuse(error: Exception, _: Any) -> None:
    raise error


def packed_done(act: Callable[[Any], Any], number: int, item: bytes) -> bytes:
    """Do a task that was packed for sending and pack how it ended; what cannot be packed is a fault of the task."""
    done = attempt(number, partial(_do, act, item))
    try:
        return pickle.dumps(done, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return pickle.dumps(Done(number, fault=mistake(error)))


def _do(act: Callable[[Any], Any], item: bytes) -> Any:
    return act(pickle.loads(item))


class Todo:
    """The numbers of the tasks that are not done: new ones first, then those at which a worker died, one at a time.

    A worker that dies (killed, out of memory) may have been killed for what others held. With nobody beside it a
    task has its best chance; if it has none, the guilty one is found, and no other suffers with it.
    """

    def __init__(self, count: int) -> None:
        self.new, self.lost = deque(range(count)), deque[int]()
        self.in_hand: set[int] = set()
        self.deaths: Counter[int] = Counter()

    @property
    def at_once(self) -> int:
        """Return how many tasks can be in hand at once, from now on."""
        return len(self.new) + len(self.in_hand) or min(1, len(self.lost))

    def take(self) -> int | None:
        """Return the next task for a free worker; None when there is none for it now."""
        if self.new:
            number = self.new.popleft()
        elif self.lost and not self.in_hand:
            number = self.lost.popleft()
        else:
            return None
        self.in_hand.add(number)
        return number

    def told(self, done: Done) -> Done:
        """Note that a task ended; after a full disk no other is begun."""
        self.in_hand.discard(done.number)
        if done.disk_full:
            self.new.clear()
            self.lost.clear()
        return done

    def died(self, number: int, times: int = 1) -> Done | None:
        """Note that a worker died at a task: it is done again later, or told as failed after the third time."""
        self.in_hand.discard(number)
        self.deaths[number] += times
        if self.deaths[number] < MOST_DEATHS:
            self.lost.append(number)
            return None
        return Done(number, fault=DIED)
