"""What scenarios have in common is computed once: results are kept with the settings they were computed from.

While something is computed for the first time it is handed settings that note what is read of them. Another scenario
finds the result if all that was read is the same there, whatever else differs. So nobody keeps a list of what depends
on what, and no result is ever wrong: it can depend on nothing that was not read.
"""

from __future__ import annotations

import hashlib
import inspect
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property, reduce
from itertools import chain
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.config.kinds import Group

Result = TypeVar("Result")
Path = tuple[Any, ...]
"""Position among the inputs, then the keys down to a setting."""
WORDS = frozenset({int, float, bool, str, bytes, type(None)})
MOST_BYTES = 700_000_000
"""What is kept holds no more memory than that: a year's luck and some twenty terms of a county of 200,000 people."""


class Read:
    """Settings that note which of their keys are read; to whoever reads them they are like any others.

    A copy with other values (`model_copy`) notes no more what it was given: that follows from what was read before.
    """

    __slots__ = ("_given", "_group", "_notes", "_path")

    def __init__(self, group: Group, notes: dict[Path, Any], path: Path, given: Mapping[str, Any] | None = None):
        self._group, self._notes, self._path, self._given = group, notes, path, given or {}

    def __getattr__(self, name: str) -> Any:
        kind = type(self._group)
        if name.startswith("__"):  # nothing that a person may set
            return getattr(kind, name)
        if name in self._given:
            return self._given[name]
        if name in kind.model_fields:
            value, path = getattr(self._group, name), (*self._path, name)
            if isinstance(value, Group):
                return Read(value, self._notes, path)
            self._notes[path] = value
            return value
        if hasattr(Group, name):  # what every group can do, as to write itself down: nobody knows what that reads
            return getattr(whole(cast(Group, self)), name)
        return inspect.getattr_static(kind, name).__get__(self)  # a property, or something that it can do

    def model_copy(self, *, update: Mapping[str, Any]) -> Read:
        """Return the same settings with some other values."""
        return Read(self._group, self._notes, self._path, {**self._given, **update})

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._group)

    def __eq__(self, other: object) -> bool:
        return whole(cast(Group, self)) == other

    def __hash__(self) -> int:
        return hash(whole(cast(Group, self)))

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(whole(cast(Group, self)))

    def __repr__(self) -> str:
        return repr(whole(cast(Group, self)))

    def __reduce_ex__(self, _: Any) -> Any:
        return whole, (whole(cast(Group, self)),)


def whole(group: Any) -> Any:
    """Return settings to keep or to send elsewhere; all that is in them counts as read."""
    if type(group) is not Read:
        return group
    for name in type(group._group).model_fields:
        whole(getattr(group, name))
    return bare(group)


def bare(group: Any) -> Any:
    """Return settings that note nothing; what was not read before must not be read of them."""
    if type(group) is not Read:
        return group
    given = {name: bare(value) for name, value in group._given.items()}
    return group._group.model_copy(update=given) if given else group._group


@dataclass(slots=True)
class _Found:
    """A result and what it was computed from."""

    read: dict[Path, Any]
    result: Any
    room: Any = None
    asked: Any = None
    """See `Known.up_to`."""

    def holds(self, inputs: tuple[Any, ...], room: Any) -> bool:
        """Tell whether it is the result for these inputs, too."""
        if self.room is not None and not np.all((self.room == room) | (np.minimum(self.room, room) >= self.asked)):
            return False
        asked = [bare(one) for one in inputs]
        return all(_same(reduce(getattr, path[1:], asked[path[0]]), value) for path, value in self.read.items())

    def note(self, inputs: tuple[Any, ...]) -> None:
        """Let settings that are being read know what was read for this result."""
        for path in self.read:
            if type(inputs[path[0]]) is Read:
                reduce(getattr, path[1:], inputs[path[0]])


def _same(one: Any, other: Any) -> bool:
    """Tell whether two settings are equal to the bit, with the entries of a table in the same order."""
    return one is other or (one == other and repr(one) == repr(other))


class Known:
    """Remembers results: `known(act, *inputs)` is `act(*inputs)`, computed once for inputs that come to the same.

    Of settings among the inputs counts what was read. Numbers, words and records of these are told apart by value, all
    else (arrays and what holds arrays) by identity; `interned` makes equal ones identical. Results are shared: their
    arrays are made read-only. What was not used for longest is forgotten when arrays take more than `most_bytes`.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[tuple[Any, ...], list[_Found]] = OrderedDict()
        self._arrays: dict[tuple[Any, ...], list[int]] = {}  # which arrays each entry of `_kept` holds, by identity
        self._held: dict[int, list[Any]] = {}  # each array, its bytes, and how often it is held
        self._digests: dict[int, tuple[Any, Any, str]] = {}  # by identity: a thing, what stands for it, its digest
        self._selves: WeakValueDictionary[int, _Itself] = WeakValueDictionary()
        self._marked: dict[str, list[int]] = {}  # which things have a digest, by identity
        self.bytes = self.computed = self.found = 0

    def __reduce__(self) -> Any:  # to be sent elsewhere, where nothing is known yet
        return Known, (self._most,)

    def __call__(self, act: Callable[..., Result], *inputs: Any) -> Result:
        """Return `act(*inputs)`."""
        return cast(Result, self._find(act, inputs, None))

    def up_to(self, act: Callable[..., tuple[Result, Any]], room: NDArray[Any], *inputs: Any) -> Result:
        """Return the first of the two things that `act(room, *inputs)` returns; the second is how much of it was asked.

        room: capacities. With another room the result is the same where each capacity is the same, or both times more
        than was ever asked for.
        """
        return cast(Result, self._find(act, inputs, room))

    def _find(self, act: Callable[..., Any], inputs: tuple[Any, ...], room: NDArray[Any] | None) -> Any:
        key = (act, *(None if isinstance(one, Group) else self._named(one) for one in inputs))
        for entry in self._kept.get(key, ()):
            if entry.holds(inputs, room):
                self._kept.move_to_end(key)
                self.found += 1
                entry.note(inputs)
                return entry.result
        self.computed += 1
        found = _Found({}, None, room)
        handed = [Read(bare(one), found.read, (n,)) if isinstance(one, Group) else one for n, one in enumerate(inputs)]
        try:
            if room is None:
                found.result = act(*handed)
            else:
                found.result, found.asked = act(room, *handed)
        finally:
            found.note(inputs)
        for array in self._keep(key, found):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
        return found.result

    def _named(self, thing: Any) -> Any:
        """Return what tells an input apart from others."""
        if thing is self or type(thing) in WORDS or inspect.isroutine(thing):
            return Known if thing is self else thing  # held by itself, it would outlive whoever knows
        of = tuple(thing) if isinstance(thing, tuple) else ()
        if is_dataclass(thing):
            of = tuple(getattr(thing, each.name) for each in fields(thing))
        if of and WORDS.issuperset(map(type, of)):
            return type(thing), of
        return self._selves.setdefault(id(thing), _Itself(thing))

    def interned(self, thing: Result) -> Result:
        """Return the one object that stands for all things of the same content; its parts are such objects, too."""
        return cast(Result, self._interned(thing)[1])

    def _interned(self, thing: Any) -> tuple[Any, Any, str]:
        if id(thing) in self._digests:
            self._kept.move_to_end((Known.interned, self._digests[id(thing)][2]))
            return self._digests[id(thing)]
        parts = _parts(thing)
        if parts is None and not isinstance(thing, np.ndarray | pd.DataFrame):
            return thing, thing, _mark(thing)
        found = {name: self._interned(part) for name, part in (parts or {}).items()}
        mark = _mark(thing) if parts is None else _joined(thing, {name: one for name, (*_, one) in found.items()})
        key = (Known.interned, mark)
        if key not in self._kept:
            changed = {name: one for name, (part, one, _) in found.items() if one is not part}
            self._keep(key, _Found({}, _with(thing, changed) if changed else thing))
        self._kept.move_to_end(key)
        one = self._kept[key][0].result
        for each in (thing, one) if parts is not None else (one,):
            self._digests[id(each)] = each, one, mark
            self._marked.setdefault(mark, []).append(id(each))
            self._hold(key, [*_arrays(each)])  # it lives as long, so that nothing else has its identity
        return thing, one, mark

    def _keep(self, key: tuple[Any, ...], found: _Found) -> list[Any]:
        arrays = [*_arrays(found.result)]
        self._kept.setdefault(key, []).append(found)
        self._kept.move_to_end(key)
        self._hold(key, [*arrays, *(array for one in key if isinstance(one, _Itself) for array in one.arrays)])
        return arrays

    def _hold(self, key: tuple[Any, ...], arrays: list[Any]) -> None:
        """Count arrays that live as long as what is kept by a key."""
        for array in arrays:
            if id(array) not in self._held:
                self._held[id(array)] = [array, _bytes(array), 0]
                self.bytes += self._held[id(array)][1]
            self._held[id(array)][2] += 1
        self._arrays.setdefault(key, []).extend(map(id, arrays))
        while self.bytes > self._most and len(self._kept) > 1:
            self._forget()

    def _forget(self) -> None:
        """Forget what was not used for longest."""
        key, _ = self._kept.popitem(last=False)
        for name in self._marked.pop(key[1], ()) if key[0] is Known.interned else ():
            self._digests.pop(name, None)
        for name in self._arrays.pop(key, ()):
            held = self._held[name]
            held[2] -= 1
            if held[2] == 0:
                self.bytes -= held[1]
                del self._held[name]


@dataclass(frozen=True, eq=False)
class _Itself:
    """Something that is told apart by identity."""

    thing: Any

    @cached_property
    def arrays(self) -> list[Any]:
        """Return the arrays in it."""
        return list(_arrays(self.thing))


def digest(thing: Any) -> str:
    """Return a fingerprint of the content of records, arrays and tables: the same in every process and on every day."""
    parts = _parts(thing)
    return _mark(thing) if parts is None else _joined(thing, {name: digest(part) for name, part in parts.items()})


def _parts(thing: Any) -> dict[Any, Any] | None:
    """Return the parts of a record or collection by name; None of what is one piece."""
    if is_dataclass(thing) and not isinstance(thing, type):
        return {each.name: getattr(thing, each.name) for each in fields(thing)}
    if isinstance(thing, Mapping):
        return dict(thing)
    if isinstance(thing, tuple | list) and not WORDS.issuperset(map(type, thing)):
        return dict(enumerate(thing))
    return None


def _with(thing: Any, changed: dict[Any, Any]) -> Any:
    """Return a record or collection with some parts changed."""
    if is_dataclass(thing) and not isinstance(thing, type):
        return replace(thing, **changed)
    if isinstance(thing, Mapping):
        return {**thing, **changed}
    parts = [changed.get(n, part) for n, part in enumerate(thing)]
    return type(thing)(*parts) if hasattr(thing, "_fields") else type(thing)(parts)


def _joined(thing: Any, marks: dict[Any, str]) -> str:
    return _hash(type(thing).__name__, *(f"{name!r}={mark}" for name, mark in marks.items()))


def _mark(thing: Any) -> str:
    """Return the fingerprint of what is one piece."""
    if isinstance(thing, pd.DataFrame):
        columns = (f"{name}={thing[name].dtype}{_mark(thing[name].to_numpy())}" for name in thing.columns)
        return _hash("table", repr(thing.index.tolist()), *columns)
    if isinstance(thing, np.ndarray):
        content = repr(thing.tolist()) if thing.dtype == object else np.ascontiguousarray(thing).data
        return _hash(f"{thing.dtype.str}{thing.shape}", content)
    return _hash(type(thing).__name__, repr(sorted(thing) if isinstance(thing, frozenset | set) else thing))


def _hash(*words: Any) -> str:
    found = hashlib.sha256()
    for word in words:
        found.update(word.encode() if isinstance(word, str) else word)
        found.update(b"|")
    return found.hexdigest()


def _arrays(thing: Any) -> Iterator[Any]:
    """Yield the arrays and tables in something. Raises TypeError for settings that still note what is read."""
    if type(thing) is Read:
        raise TypeError("a result holds settings that note what is read of them; use sim.share.whole")
    if isinstance(thing, np.ndarray | pd.DataFrame):
        yield thing
    parts = [*(_parts(thing) or {}).values()]
    while parts and all(issubclass(kind, tuple) for kind in {*map(type, parts)}):  # many small ones: all at once
        parts = [*chain.from_iterable(parts)]
    for part in parts if not WORDS.issuperset(map(type, parts)) else ():
        yield from _arrays(part)


def _bytes(array: Any) -> int:
    return int(array.nbytes if isinstance(array, np.ndarray) else array.memory_usage().sum())
