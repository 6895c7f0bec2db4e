"""Compose the YAML files of `configs/` with what a person typed, and say plainly what does not fit."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sim.config import Settings
from sim.config.complain import complaints
from sim.config.files import Tree, composed, default, is_list, lists, options, parsed
from sim.errors import BadInput

NUMBERS_BY_NAME = "it must be numbers by name, for example {seats_19: 30, seats_36: 20}"
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
    return composed(overrides)


def refuse_sweep(overrides: Iterable[str]) -> None:
    """Raise BadInput for an experiment that holds lists of values: one run has one value of each."""
    words = list(overrides)
    typed = {parsed(text).key_or_group for text in words}
    many = [key for key, values in lists(words).items() if key not in typed and is_list(f"{key}={values}")]
    if many:
        raise BadInput(
            f"experiment: it holds lists of values (for {', '.join(many)}), so it is a sweep; use "
            f"`python -m sim sweep {shlex.join(words)}`, or give one value of each."
        )


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
            f"that holds the county's tables (schools.csv, ...) or one of {', '.join(options('county'))}."
        )


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
    level: Any = default()
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
