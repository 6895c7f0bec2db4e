"""Compose the YAML files of `configs/` with what a person typed, and say plainly what does not fit."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError
from yaml import YAMLError

from sim.config import CONFIGS, Settings
from sim.errors import BadInput

Tree = dict[str, Any]
NUMBERS_BY_NAME = "it must be numbers by name, for example {seats_19: 30, seats_36: 20}"
OTHER_LETTERS = re.compile(r"[^\s,:=\[\]{}'\"]*[^\x00-\x7f][^\s,:=\[\]{}'\"]*")
"""A text without quotes that has other letters than those of ASCII."""
WORDS = (
    (r"valid dictionary or instance of BellWindow", "it must be a window: {earliest_min: 490, latest_min: 510}"),
    (r"valid (?:dictionary|mapping)", NUMBERS_BY_NAME),
    (r"valid integer", "it must be a whole number"),
    (r"valid number", "it must be a number"),
    (r"finite number", "it must be a finite number"),
    (r"should have at least (\d+) items?", r"it must have \1 or more entries"),
    (r"should have at most (\d+) items?", r"it must have \1 or fewer entries"),
    (r"should have at least 1 character", "it must not be empty"),
    (r"valid boolean", "it must be true or false"),
    (r"valid string", "it must be a text, in quotes where it looks like a number"),
    (r"valid (?:tuple|list)", "it must be a list such as [a, b]"),
    (r"greater than or equal to (\S+)", r"it must be at least \1"),
    (r"less than or equal to (\S+)", r"it must be at most \1"),
    (r"greater than (\S+)", r"it must be more than \1"),
    (r"less than (\S+)", r"it must be less than \1"),
    (r"Field required", "it is missing and must be given"),
    (r"Extra inputs are not permitted", "there is no such setting"),
    (r"Input should be (.+)", r"it must be \1"),
)


def compose(overrides: list[str], known: Tree | None = None) -> Tree:
    """Return all settings as plain dictionaries, lists and numbers.

    known: all keys that there are, if not those of a run. Raises BadInput for an override that cannot be read, an
    unknown key and an unknown option.
    """
    wrong = complaints(overrides, tree=known)
    if wrong:
        raise BadInput(*wrong)
    return _composed(overrides)


def settings_from(tree: Tree, overrides: Iterable[str] = ()) -> Settings:
    """Return checked settings; raises BadInput that names every key with a wrong value."""
    keys = {text.partition("=")[0].lstrip("+") for text in overrides}
    if "county.folder" in keys and "county.name" not in keys:
        tree = {**tree, "county": {**tree["county"], "name": Path(str(tree["county"]["folder"])).name}}
    settings = validated(tree)
    _check(settings)
    return settings


def validated(tree: Any) -> Settings:
    """Return settings whose every value is possible; raises BadInput that names every key with a wrong one."""
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise BadInput(*_explained(error)) from error


def _check(settings: Settings) -> None:
    """Refuse what no type can tell: a folder that is not there, a way of working that is to come."""
    if settings.executor.kind == "dask":
        raise BadInput("executor: dask comes with a later version; choose serial or processes.")
    if not settings.county.path.is_dir():
        raise BadInput(
            f"county.folder: the folder {settings.county.folder!r} does not exist; give a folder "
            f"that holds the county's tables (schools.csv, ...) or one of {_list(options('county'))}."
        )


def _composed(overrides: list[str]) -> Tree:
    """Return hydra's composition as plain data, leaving no global state behind."""
    try:
        with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
            tree = OmegaConf.to_container(hydra_compose("config", overrides=overrides), resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise BadInput(f"The settings cannot be put together: {_first_line(error)}.") from error
    except YAMLError as error:
        said = " ".join(str(error).split())
        raise BadInput(f"A file in {CONFIGS} is no valid YAML: {said}.") from error
    assert isinstance(tree, dict)
    return {str(key): value for key, value in tree.items()}


@cache
def _default() -> Tree:
    return _composed([])


def groups() -> tuple[str, ...]:
    """Return the names of the groups of settings."""
    return tuple(sorted(folder.name for folder in CONFIGS.iterdir() if folder.is_dir()))


def options(group: str) -> tuple[str, ...]:
    """Return the options of a group: the YAML files of its folder."""
    return tuple(sorted(file.stem for file in (CONFIGS / group).glob("*.yaml")))


def option_of(group: str, option: str) -> Tree:
    """Return all settings of an option of a group."""
    tree: Tree = _composed([f"{group}={option}"])[group]
    return tree


def complaints(overrides: Iterable[str], sweep: bool = False, tree: Tree | None = None) -> list[str]:
    """Return what is wrong with the keys and options of all overrides; lists of values belong to a sweep.

    `tree`: the settings that are there to be changed, if not those of the files.
    """
    there = _default() if tree is None else tree
    return [text for text in (_complaint(override, sweep, there) for override in overrides) if text]


def _complaint(text: str, sweep: bool, tree: Tree) -> str:
    """Return what is wrong with the key of one override, or nothing."""
    try:
        override = OverridesParser.create().parse_override(text)
    except HydraException as error:
        return f"{text!r} cannot be read; {_readable(text)} ({_first_line(error)})."
    key = override.key_or_group
    if key.startswith("hydra") or "@" in key:
        return ""
    if override.is_sweep_override() and not sweep:
        return f"{key}: several values make a sweep; use `python -m sim sweep {text}`, or give one value."
    if key in groups():
        return _group_complaint(key, override)
    if override.is_delete():
        return f"{key}: a setting cannot be removed; give it a value, for example {key}=..."
    return _key_complaint(key, tree)


def _readable(text: str) -> str:
    """Return how an override that cannot be read is to be written: what is not ASCII needs quotes."""
    if text.isascii():
        return "write key=value, e.g. fleet.scale=1.2"
    quoted = OTHER_LETTERS.sub(r"'\g<0>'", text)
    try:
        OverridesParser.create().parse_override(quoted)
    except HydraException:
        return "write key=value; texts in other letters than a to z need quotes, and keys in them a file in configs"
    return f"texts in other letters than a to z need quotes: {quoted}"


def _group_complaint(group: str, override: Override) -> str:
    """Return what is wrong with the option chosen for a group, or nothing."""
    known = options(group)
    chosen = list(override.sweep_string_iterator()) if override.is_sweep_override() else [override.value()]
    wrong = [option for option in chosen if option not in known]
    return f"{group}: there is no option {wrong[0]!r}; choose one of {_list(known)}." if wrong else ""


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
    known = f"known in {parent or 'the settings'} are {_list(sorted(level))}."
    return f"{prefix}{part}: there is no such setting; {meant or known}"


def _explained(error: ValidationError) -> list[str]:
    """Return one sentence for each key that pydantic refused; branches of one union are told together."""
    by_key: dict[str, list[str]] = {}
    given: dict[str, Any] = {}
    for item in error.errors():
        key = _key_of(item["loc"])
        by_key.setdefault(key, []).append(_right(item["msg"]))
        given.setdefault(key, item["input"])
    for key in [key for key in by_key if any(other.startswith(f"{key}.") for other in by_key)]:
        del by_key[key]  # a wrong number inside a mapping: the other branch of the union would only confuse
    return [_sentence(key, given[key], texts) for key, texts in by_key.items()]


def _sentence(key: str, value: Any, texts: list[str]) -> str:
    """Return `key: what was given, what would be right`."""
    if isinstance(value, dict | list | tuple):
        named = re.match(r"[a-z][a-z0-9_.]*: ", texts[0])  # the check of a whole group names the key itself
        start = f"{key}." if named and key else "" if named else f"{key or 'settings'}: "
        return f"{start}{', or '.join(dict.fromkeys(texts))}."
    if isinstance(value, int | float):
        texts = [text for text in texts if text != NUMBERS_BY_NAME] or texts
    return f"{key or 'settings'}: {value!r} is not possible; {', or '.join(dict.fromkeys(texts))}."


def _key_of(loc: tuple[int | str, ...]) -> str:
    """Return the dotted key of a pydantic location, without the names of union branches."""
    level: Any = _default()
    parts: list[str] = []
    for position, part in enumerate(loc):
        if not isinstance(level, dict | list):
            inside = loc[position + 1 : position + 2]  # the part here names a branch of a union
            parts += [str(name) for name in inside if name != "[key]"]
            break
        parts.append(str(part))
        level = _within(level, part)
    return ".".join(parts)


def _within(level: Tree | list[Any], part: int | str) -> Any:
    """Return what lies at one step of a key, None when there is nothing."""
    if isinstance(level, dict):
        return level.get(str(part))
    return level[part] if isinstance(part, int) and part < len(level) else None


def _right(message: str) -> str:
    """Return pydantic's message in words that say what would be right."""
    for pattern, words in WORDS:
        if re.search(pattern, message):
            return re.sub(f".*?{pattern}.*", words, message)
    return message.removeprefix("Value error, ").rstrip(".")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
