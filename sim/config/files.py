"""What lies in `configs/`: groups of settings, their options, experiments; Hydra puts them together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException
from omegaconf import OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from sim.config import CONFIGS
from sim.errors import BadInput

Tree = dict[str, Any]
EXPERIMENT = "experiment"
"""The folder whose files are whole designs: they change settings of all groups and may hold lists of values."""
MOST_KEPT = 64
"""So many sets of options are kept as put together."""


@dataclass(frozen=True, slots=True)
class _Base:
    """All settings for some options, before single values are changed, and the lists that an experiment holds."""

    raw: Tree
    """As in the files: a value may point to another one, `${...}`."""
    tree: Tree
    """The same, each value in its place."""
    lists: Mapping[str, str]


def composed(overrides: Iterable[str]) -> Tree:
    """Return all settings as plain data, as Hydra composes them.

    What belongs to the same options is read and put together once; only the groups whose values are changed are
    composed again. The overrides must be without complaints; raises BadInput when Hydra refuses them all the same.
    """
    given = [parsed(text) for text in overrides]
    base = _base(tuple(_choice(override) for override in given if _chooses(override)))
    values = [override for override in given if not _chooses(override)]
    linked = base.raw != base.tree or any("${" in str(override.input_line) for override in values)
    touched = {override.key_or_group.partition(".")[0] for override in values}
    try:
        part = OmegaConf.create({key: value for key, value in base.raw.items() if linked or key in touched})
        OmegaConf.set_struct(part, True)
        ConfigLoaderImpl._apply_overrides_to_config(values, part)
        changed: Any = OmegaConf.to_container(part, resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise _refused(error) from error
    return deepcopy(base.tree) | changed


def lists(overrides: Iterable[str]) -> Mapping[str, str]:
    """Return what an experiment gives to the sweep (`hydra.sweeper.params`), by key; empty without an experiment."""
    given = {override.get_key_element(): override for override in map(parsed, overrides) if _chooses(override)}
    return _base(tuple(_choice(each) for each in given.values() if not each.is_sweep_override())).lists


@lru_cache(maxsize=MOST_KEPT)
def _base(choices: tuple[str, ...]) -> _Base:
    """Return what Hydra composes for some options: those of groups put in place of the default ones, or all anew."""
    chosen = {group: option for group, _, option in (choice.partition("=") for choice in choices)}
    if choices and len(chosen) == len(choices) and set(chosen) <= set(groups()):
        there, parts = _base(()), {group: _option(group, option) for group, option in chosen.items()}
        if there.raw == there.tree and all(parts.values()):
            return _Base(there.raw | parts, there.tree | parts, {})
    raw, tree, held = _hydra("config", choices)
    return _Base(raw, tree, {str(key): str(value) for key, value in held.items()})


@cache
def _option(group: str, option: str) -> Tree:
    """Return an option of a group by itself; empty where it cannot stand by itself, as it changes other groups."""
    try:
        raw, _, _ = _hydra(f"{group}/{option}", ())
    except BadInput:
        return {}
    return dict(raw[group]) if list(raw) == [group] and "${" not in str(raw) else {}


def _hydra(name: str, choices: tuple[str, ...]) -> tuple[Tree, Tree, Tree]:
    """Return what Hydra makes of a file: as written, each value in its place, and what is given to the sweep."""
    try:
        with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
            config = hydra_compose(name, list(choices), return_hydra_config=True)
        held: Any = config.hydra.sweeper.get("params") or {}
        with open_dict(config):
            del config["hydra"]
        raw: Any = OmegaConf.to_container(config)
        tree: Any = OmegaConf.to_container(config, resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise _refused(error) from error
    except YAMLError as error:
        said = " ".join(str(error).split())
        raise BadInput(f"A file in {CONFIGS} is no valid YAML: {said}.") from error
    return raw, tree, held


def _refused(error: Exception) -> BadInput:
    """Return what Hydra says in one sentence, with the reason where it names the key only."""
    why = f" ({first_line(error.__cause__)})" if isinstance(error.__cause__, OmegaConfBaseException) else ""
    return BadInput(f"The settings cannot be put together: {first_line(error)}{why}.")


def first_line(error: Exception) -> str:
    """Return the first line of what an error says."""
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__


def _choice(override: Override) -> str:
    """Return the choice of an option as Hydra reads it, without quotes."""
    value = override.value()
    return f"{override.get_key_element()}={value}" if isinstance(value, str) else str(override.input_line)


def _chooses(override: Override) -> bool:
    """Tell whether an override chooses files, or speaks to Hydra itself, and changes no single value."""
    key = override.key_or_group
    is_group = key in (*groups(), EXPERIMENT) and not isinstance(override.value(), dict)
    return is_group or key.startswith("hydra") or override.package is not None


@cache
def parsed(text: str) -> Override:
    """Return what one override says; raises HydraException when it cannot be read."""
    return OverridesParser.create().parse_override(text)


def is_list(text: str) -> bool:
    """Tell whether an override gives several values."""
    return parsed(text).is_sweep_override()


def values_of(override: Override) -> list[str]:
    """Return the values of a list as they are typed; `glob` lists the options of a group.

    Raises HydraException for what cannot be counted, such as an interval.
    """
    pattern: Any = override.value()
    if isinstance(pattern, Glob):
        return pattern.filter(list(options(override.key_or_group)))
    return list(override.sweep_string_iterator())


@cache
def default() -> Tree:
    """Return all settings of the default run; not to be changed."""
    return composed([])


def groups() -> tuple[str, ...]:
    """Return the names of the groups of settings; experiments are none."""
    names = (folder.name for folder in CONFIGS.iterdir() if folder.is_dir())
    return tuple(sorted(name for name in names if name != EXPERIMENT))


def options(group: str) -> tuple[str, ...]:
    """Return the options of a group: the YAML files of its folder."""
    return tuple(sorted(file.stem for file in (CONFIGS / group).glob("*.yaml")))


def option_of(group: str, option: str) -> Tree:
    """Return all settings of an option of a group."""
    tree: Tree = composed([f"{group}={option}"])[group]
    return tree
