"""Plans of bus runs that were found before, on disk: the same question is not searched twice.

A file's name is the hash of everything the answer depends on, the source of the planner among it; so no answer is
ever wrong after a change, and the folder may be deleted at any time. It is `SCHOOLSIM_CACHE` (empty: nothing is kept),
else `schoolsim` in the user's folder of caches.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

PLANNERS = ("numba", "numpy", "pyvrp")
Value = TypeVar("Value")
_may_search = ContextVar("may_search", default=True)


def kept(question: Iterable[Any], answer: Callable[[], Any]) -> Any:
    """Return the answer (lists of lists of whole numbers) to a question, from the disk if it was asked before.

    question: arrays, numbers and words, in order. Two processes may ask at once: a file is written under another name
    and then renamed. A file that cannot be read or written is as good as none.
    """
    folder = _folder()
    if folder is None:
        return _searched(answer)
    path = folder / f"{_key(question)}.json"
    with contextlib.suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))
    found = _searched(answer)
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(found), encoding="utf-8")
        draft.replace(path)
    return found


def if_kept(act: Callable[[], Value]) -> Value | None:
    """Return what `act` returns if every question it asks was answered before, else None; nothing is searched."""
    before = _may_search.set(False)
    try:
        return act()
    except _NotKept:
        return None
    finally:
        _may_search.reset(before)


class _NotKept(Exception):
    """A question that was not asked before."""


def _searched(answer: Callable[[], Any]) -> Any:
    if not _may_search.get():
        raise _NotKept
    return answer()


def _folder() -> Path | None:
    named = os.environ.get("SCHOOLSIM_CACHE")
    if named is not None:
        return Path(named) if named else None
    home = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "schoolsim"


def _key(question: Iterable[Any]) -> str:
    """Return the hash of a question: of each part its type, its shape and its content."""
    digest = hashlib.sha256(_planner())
    for part in question:
        array = np.ascontiguousarray(part)
        digest.update(f"|{array.dtype.str}{array.shape}|".encode())
        digest.update(array.data if array.size else b"")
    return digest.hexdigest()


@cache
def _planner() -> bytes:
    """Return the hash of the planner itself: its source and the versions of what it searches with."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    for name in PLANNERS:
        digest.update(version(name).encode())
    return digest.digest()
