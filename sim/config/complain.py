"""Say plainly what is wrong with the keys and options that a person typed, or that an experiment's file holds."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from sim.config import CONFIGS
from sim.config.files import EXPERIMENT, Tree, default, first_line, groups, options, parsed, values_of

OTHER_LETTERS = re.compile(r"[^\s,:=\[\]{}'\"]*[^\x00-\x7f][^\s,:=\[\]{}'\"]*")
"""A text without quotes that has other letters than those of ASCII."""
GLOBAL = "# @package _global_"
PARAMS = ("hydra", "sweeper", "params")
"""Where a file holds lists of values, as in every sweep of Hydra's."""


def complaints(
    overrides: Iterable[str], sweep: bool = False, tree: Tree | None = None, more: Tree | None = None
) -> list[str]:
    """Return what is wrong with the keys and options of all overrides; lists of values belong to a sweep.

    `tree`: the settings that are there to be changed, if not those of the files; `more`: keys beside them.
    """
    there = (default() if tree is None else tree) | (more or {})
    told = []
    for text in overrides:
        said = _complaint(text, sweep, there)
        told += [said] if said else _of_experiment(text, there)
    return told


def _complaint(text: str, sweep: bool, tree: Tree) -> str:
    """Return what is wrong with one override, or nothing."""
    known = (*groups(), EXPERIMENT)
    try:
        override = parsed(text)
    except HydraException as error:
        if "empty choice" in str(error):
            return _empty(text.partition("=")[0])
        return f"{text!r} cannot be read; {_readable(text)} ({first_line(error)})."
    key = override.key_or_group
    if key.startswith("hydra") or "@" in key:
        return ""
    if override.is_sweep_override() and not sweep:
        return f"{key}: several values make a sweep; use `python -m sim sweep {text}`, or give one value."
    if key not in known and override.is_delete():
        return f"{key}: a setting cannot be removed; give it a value, for example {key}=..."
    said = "" if key in known else _key_complaint(key, tree)
    if said or not sweep:
        return said or _option_complaint(key, override, known)
    return _list_complaint(key, override) or _option_complaint(key, override, known)


def _list_complaint(key: str, override: Override) -> str:
    """Return what is wrong with the values of a sweep, or nothing: there are none, or they cannot be counted."""
    if not override.is_sweep_override():
        return _empty(key) if override.value() == "" else ""
    try:
        return "" if values_of(override) else _empty(key)
    except HydraException:
        return f"{key}: {override.input_line} is no list; write {key}=a,b,c or {key}=range(first,end,step)."


def _empty(key: str) -> str:
    return f"{key}: the list is empty; write its values with commas between them: {key}=a,b,c."


def _option_complaint(group: str, override: Override, known: tuple[str, ...]) -> str:
    """Return what is wrong with the options chosen for a group, or nothing."""
    if group not in known or isinstance(override.value(), dict):
        return ""
    there = options(group)
    chosen = values_of(override) if override.is_sweep_override() else [override.value()]
    if group == EXPERIMENT and len(chosen) > 1:
        return f"{group}: one at a time; each is a sweep of its own, in a folder of its own."
    wrong = [option for option in chosen if option not in there]
    return f"{group}: there is no option {wrong[0]!r}; choose one of {', '.join(there)}." if wrong else ""


def _of_experiment(text: str, tree: Tree) -> list[str]:
    """Return what is wrong in the file of the experiment that an override chooses; nothing for other overrides."""
    override = parsed(text)
    if override.key_or_group != EXPERIMENT:
        return []
    path = CONFIGS / EXPERIMENT / f"{override.value()}.yaml"
    name, words = path.relative_to(CONFIGS.parent).as_posix(), path.read_text(encoding="utf-8")
    try:
        file = yaml.safe_load(words)
    except yaml.YAMLError as error:
        return [f"{name}: it is no valid YAML: {' '.join(str(error).split())}."]
    if GLOBAL not in words or not isinstance(file, dict):
        return [f"{name}: it must begin with the line `{GLOBAL}` and hold settings."]
    return [f"{name}: {said}" for said in _in_file(file, tree)]


def _in_file(file: Tree, tree: Tree) -> Iterator[str]:
    """Yield what is wrong with the groups, the keys and the lists of values of an experiment."""
    for entry in file.pop("defaults", []):
        for name, option in entry.items() if isinstance(entry, dict) else ():
            group = name.removeprefix("override").strip().lstrip("/")
            if group not in groups() and "/" not in group:
                yield f"defaults: {group}: there is no such group; choose one of {', '.join(groups())}."
            elif group in groups() and option not in options(group):
                yield f"defaults: {group}: there is no option {option!r}; choose one of {', '.join(options(group))}."
    lists = _inside(file, PARAMS) or {}
    for key, values in lists.items():
        if isinstance(values, list | dict):
            yield f'{".".join(PARAMS)}.{key}: write the list as a text, as in {key}: "0.8,1.0,1.2".'
        else:
            yield from filter(None, [_complaint(f"{key}={'' if values is None else values}", True, tree)])
    file.pop("hydra", None)
    yield from filter(None, (_key_complaint(key, tree) for key in _keys(file)))


def _inside(level: Any, path: tuple[str, ...]) -> Any:
    """Return what lies at the end of a path of keys, None when there is nothing."""
    for key in path:
        level = level.get(key) if isinstance(level, dict) else None
    return level


def _keys(level: Tree, above: str = "") -> Iterator[str]:
    """Yield the dotted keys of all values of a tree of settings."""
    for name, value in level.items():
        key = f"{above}{name}"
        yield from _keys(value, f"{key}.") if isinstance(value, dict) and value else [key]


def _readable(text: str) -> str:
    """Return how an override that cannot be read is to be written: what is not ASCII needs quotes."""
    if text.isascii():
        return "write key=value, e.g. fleet.scale=1.2"
    quoted = OTHER_LETTERS.sub(r"'\g<0>'", text)
    try:
        parsed(quoted)
    except HydraException:
        return "write key=value; texts in other letters than a to z need quotes, and keys in them a file in configs"
    return f"texts in other letters than a to z need quotes: {quoted}"


def _key_complaint(key: str, tree: Tree) -> str:
    """Return what is wrong with a key such as `fleet.speeed`, or nothing."""
    level: Any = tree
    parts = key.split(".")
    for depth, part in enumerate(parts):
        if not isinstance(level, dict):
            return ""  # within a value such as fleet.buses: the value itself is checked later
        if part not in level:
            return _unknown(part, level, ".".join(parts[:depth]))
        level = level[part]
    return ""


def _unknown(part: str, level: Tree, parent: str) -> str:
    """Return a sentence about a key that is not there, with the ones that were probably meant."""
    prefix = f"{parent}." if parent else ""
    near = difflib.get_close_matches(part, level, n=3)
    meant = f"did you mean {' or '.join(prefix + name for name in near)}?" if near else ""
    known = f"known in {parent or 'the settings'} are {', '.join(sorted(level))}."
    return f"{prefix}{part}: there is no such setting; {meant or known}"
