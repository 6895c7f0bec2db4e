"""Hydra's part of a sweep: which scenarios a list of values makes.

Also Hydra's own questions (`--cfg job`, `--info`), which go on working.
"""

from __future__ import annotations

import itertools
import re
import sys
from dataclasses import dataclass

import hydra
from omegaconf import DictConfig

from sim.config import CONFIGS, Settings
from sim.config.complain import complaints
from sim.config.compose import settings_from
from sim.config.files import composed, lists, parsed, values_of
from sim.errors import BadInput

LONGEST_NAME = 150
RELIEF = "judge.relief"
"""What a sweep leaves out unless it is typed: it compares scenarios, and trying help in each would take far longer."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One of the scenarios of a sweep, checked before anything runs."""

    name: str
    settings: Settings


def scenarios(overrides: list[str]) -> tuple[Scenario, ...]:
    """Return every scenario that the lists of values make, in Hydra's order; the last list turns fastest.

    The lists are those that an experiment holds, then those that are typed; a key that is typed wins over the file.
    No help is tried in any of them unless `judge.relief` is typed.
    Raises BadInput with the complaints about all scenarios, before any of them runs.
    """
    wrong = complaints(overrides, sweep=True)
    if any(text.partition("=")[0] == "scenario" for text in overrides):
        wrong.append("scenario: a sweep names its scenarios itself; use study.name to name the sweep.")
    if wrong:
        raise BadInput(*wrong)
    made: list[Scenario] = []
    faults: dict[str, list[str]] = {}
    typed = (
        overrides if any(parsed(text).key_or_group == RELIEF for text in overrides) else [*overrides, f"{RELIEF}=off"]
    )
    there = _combinations([*(f"{key}={values}" for key, values in lists(overrides).items()), *typed])
    for name, words in there:
        try:
            made.append(Scenario(name, settings_from(composed(words) | {"scenario": name}, words)))
        except BadInput as error:
            for message in error.messages:
                faults.setdefault(message, []).append(name)
    wrong = [_told(message, names, len(there)) for message, names in faults.items()] or _twice(made)
    if wrong:
        raise BadInput(*wrong)
    return tuple(made)


def _told(message: str, names: list[str], of: int) -> str:
    """Return a complaint with the scenarios it is about; those of all scenarios are told once."""
    if len(names) == of:
        return message
    others = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"scenario {names[0]}{others}: {message}"


def _twice(made: list[Scenario]) -> list[str]:
    """Return a complaint about the first scenario that is there twice, under whatever name."""
    names: dict[str, str] = {}
    for scenario in made:
        settings = scenario.settings.model_copy(update={"scenario": ""}).model_dump_json()
        if settings in names:
            return [f"scenario {scenario.name}: it is the same as {names[settings]}; give every value once."]
        names[settings] = scenario.name
    return []


def _combinations(overrides: list[str]) -> list[tuple[str, list[str]]]:
    """Return name and overrides of each scenario; the name is made of the swept settings only."""
    choices: dict[str, list[str]] = {}
    swept: set[str] = set()
    for text in overrides:
        override = parsed(text)
        typed, many = override.get_key_element(), override.is_sweep_override()
        key = typed.lstrip("+")
        choices[key] = [f"{typed}={value}" for value in values_of(override)] if many else [text]
        (swept.add if many else swept.discard)(key)
    found = []
    for words in itertools.product(*choices.values()):
        named = [word for key, word in zip(choices, words, strict=True) if key in swept]
        found.append((scenario_name(named), list(words)))
    names = [name for name, _ in found]
    if len(set(names)) < len(names):
        return [(f"{number:03d}-{name}", words) for number, (name, words) in enumerate(found)]
    return found


def scenario_name(swept: list[str]) -> str:
    """Return a name that can be a folder's: `fleet.scale=0.8,lodge.beds_scale=1.2`."""
    name = re.sub(r"[^\w.=,+{}-]", "-", ",".join(swept).replace(" ", "").lstrip("+."))
    return name[:LONGEST_NAME] or "base"


def answer_with_hydra(words: list[str]) -> int:
    """Let Hydra itself answer `--cfg job`, `--info` and the like; return its exit code."""
    before = sys.argv
    sys.argv = [before[0], *words]
    try:
        hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name="config")(_nothing)()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = before
    return 0


def _nothing(composed: DictConfig) -> None:
    """Do nothing: Hydra answers by itself."""
