"""Where every number of the settings comes from: what the comments in `configs/` say beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sim.config import CONFIGS, Settings

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NO_ASSUMPTION = (
    "scenario", "county", "report", "executor", "choose", "study.name", "study.out", "study.workers",
)  # fmt: skip
"""Settings that say where and for whom is worked: no result hangs on them, and they may name a computer's folders."""
UNITS = {
    "km_per_h": "km/h", "per_km": "1/km", "weeks_per_year": "week/year", "per_year": "1/year", "min": "min", "s": "s",
    "km": "km", "m2": "m2", "yuan": "yuan", "share": "share", "rate": "share", "probability": "share",
    "years": "year", "pupils": "pupil", "seats": "seat", "months": "month", "weeks": "week",
}  # fmt: skip
"""How a key ends -> the unit of its value."""

LACKS = object()
"""Stands for the value of a key that is not there."""


@dataclass(frozen=True, slots=True)
class Sourced:
    """One setting of a run, and where it comes from: a row of assumptions.csv, which says what the kinds are."""

    key: str
    value: str
    unit: str
    kind: str
    source: str


def sourced(settings: Settings) -> list[Sourced]:
    """Return every setting that a result may hang on, in the order of the files, with where it comes from.

    A group is told after the option whose values it has most of; what differs from that was set for this run.
    """
    tree = settings.model_dump(mode="json")
    groups = [key for key in tree if key not in NO_ASSUMPTION and isinstance(tree[key], dict)]
    seed = _judged("seed", tree["seed"], *_leaves(CONFIGS / "config.yaml")["seed"])
    return [seed, *(row for group in groups for row in _group(group, tree[group]))]


def written(path: Path) -> dict[str, tuple[str, str]]:
    """Return {key: (value as written on one line, its sources and assumptions)} of the topmost keys of a file."""
    text = path.read_text(encoding="utf-8")
    top, plain = yaml.compose(text, Loader=LOADER), yaml.load(text, LOADER)
    assert isinstance(top, yaml.MappingNode)
    return {key.value: (shown(plain[key.value]), "; ".join(_notes(key, value, text))) for key, value in top.value}


def shown(value: object) -> str:
    """Return a value as it is written in YAML on one line."""
    if isinstance(value, bool | type(None)):
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(inner)}" for key, inner in value.items()) + "}"
    return f"[{', '.join(map(shown, value))}]" if isinstance(value, list) else str(value)


def heading_lines(lines: list[str]) -> int:
    """Return how many lines at the head of a file say what it is about."""
    return next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))


def _group(group: str, tree: Mapping[str, Any]) -> Iterator[Sourced]:
    """Yield the settings of a group, held against the option that is most like them."""
    leaves = _most_alike(group, tree)
    for key, (usual, notes) in leaves.items():
        if f"{group}.{key}" not in NO_ASSUMPTION and _at(tree, key) is not LACKS:
            yield _judged(f"{group}.{key}", _at(tree, key), usual, notes)
    told = {key.partition(".")[0] for key in leaves}
    for key in (key for key in tree if key not in told):
        yield _judged(f"{group}.{key}", tree[key], LACKS, ())


def _most_alike(group: str, tree: Mapping[str, Any]) -> dict[str, tuple[Any, tuple[str, ...]]]:
    """Return the leaves of the option of a group with the most values in common, the default one if several have."""
    default = next(iter(each[group] for each in _defaults() if group in each), "")
    names = sorted((file.stem for file in (CONFIGS / group).glob("*.yaml")), key=lambda name: (name != default, name))
    options = [_option(group, name) for name in names]
    return max(options, key=lambda leaves: sum(_same(_at(tree, key), each[0]) for key, each in leaves.items()))


@cache
def _defaults() -> list[dict[str, str]]:
    tree = yaml.load((CONFIGS / "config.yaml").read_text(encoding="utf-8"), LOADER)
    return [each for each in tree["defaults"] if isinstance(each, dict)]


@cache
def _option(group: str, name: str) -> dict[str, tuple[Any, tuple[str, ...]]]:
    """Return the leaves of an option, and of those that it builds on."""
    leaves = _leaves(CONFIGS / group / f"{name}.yaml")
    below = leaves.pop("defaults", ([], ()))[0]
    found: dict[str, tuple[Any, tuple[str, ...]]] = {}
    for part in (_option(group, other) for other in below if other != "_self_"):
        found |= part
    return found | leaves


def _leaves(path: Path) -> dict[str, tuple[Any, tuple[str, ...]]]:
    """Return {key with dots: (value, its sources and assumptions)} of a file; what is written on one line is one."""
    text = path.read_text(encoding="utf-8")
    return dict(_walk("", yaml.compose(text, Loader=LOADER), yaml.load(text, LOADER), text))


def _walk(prefix: str, node: Any, plain: Any, text: str) -> Iterator[tuple[str, tuple[Any, tuple[str, ...]]]]:
    """Yield the leaves below a node; one without a comment has that of the line of the key above it."""
    for key, value in node.value:
        inner = plain[key.value]
        if isinstance(inner, dict) and not value.flow_style:
            above = _notes(key, key, text)
            for name, (leaf, notes) in _walk(f"{prefix}{key.value}.", value, inner, text):
                yield name, (leaf, notes or above)
            continue
        named = (inner["source"],) if isinstance(inner, dict) and "source" in inner else ()
        yield f"{prefix}{key.value}", (inner, named or _notes(key, value, text))


def _notes(key: yaml.Node, value: yaml.Node, text: str) -> tuple[str, ...]:
    """Return the sources and assumptions in the comments beside and directly above a key and its value."""
    lines = text.splitlines()
    first = key.start_mark.line
    while first > heading_lines(lines) and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    last = value.end_mark.line if value.end_mark.column else value.end_mark.line - 1
    found = (re.search(r"# (?:source: |(assumption))(.*)", line) for line in lines[first : last + 1])
    return tuple(dict.fromkeys((match[1] or "") + match[2].strip() for match in found if match))


def _at(tree: Any, key: str) -> Any:
    """Return the value at a key with dots, LACKS when there is none."""
    for part in key.split("."):
        if not isinstance(tree, dict) or part not in tree:
            return LACKS
        tree = tree[part]
    return tree


def _same(value: Any, usual: Any) -> bool:
    """Tell whether a value is that of a file; an entry of a list may have more keys than were written."""
    if isinstance(value, dict) and isinstance(usual, dict):
        return all(value.get(key) == inner for key, inner in usual.items())
    return bool(value == usual)


def _judged(key: str, value: Any, usual: Any, notes: tuple[str, ...]) -> Sourced:
    """Return a setting with what kind of number it is."""
    said = "; ".join(notes)
    if not _same(value, usual):
        usually = "" if usual is LACKS else f"usually {_short(usual)[0]}" + (f" ({said})" if said else "")
        return Sourced(key, *_short(value, key), "set", usually)
    doubtful = [note.startswith("assumption") for note in notes]
    partly = any(doubtful) or "assum" in said
    kind = "choice" if not notes else "assumed" if all(doubtful) else "derived" if partly else "real"
    return Sourced(key, *_short(value, key), kind, said)


def _short(value: Any, key: str = "") -> tuple[str, str]:
    """Return a value on one line and its unit; of a price, a limit or a band only what is reckoned with."""
    if isinstance(value, dict) and "unit" in value:
        told = value.get("central", value.get("value"))
        return (shown(_whole(told)) if told is not None else f"{value['low']:g} - {value['high']:g}"), value["unit"]
    ends = (unit for end, unit in UNITS.items() if key.rpartition(".")[2].endswith(f"_{end}"))
    is_amount = isinstance(value, int | float | list) and not isinstance(value, bool)
    return shown(_whole(value)), next(ends, "") if is_amount else ""


def _whole(value: Any) -> Any:
    """Return a value with its whole numbers as such."""
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
