"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SIM = ROOT / "sim"
CONFIGS = ROOT / "configs"

# The river: a stage may import from those named before it, never from those named after it.
RIVER = (
    *("errors", "units", "tables", "config", "share", "streams", "county", "chance", "plan", "operate"),
    *("measure", "account", "judge", "store", "tell", "live", "workers", "check", "base", "reprice"),
    *("study", "sweep", "choose", "sensitivity", "cli", "__main__"),
)
TELL_MAY_READ = {"errors", "units", "tables", "config", "store", "tell"}
STORE_IS_FOR = {"store", "tell", "base", "reprice", "study", "sweep", "choose", "sensitivity", "cli", "__main__"}
HYDRA_IS_FOR = {"config", "study", "cli"}
UNCLEAR_NAMES = ("util", "helper", "manager", "misc", "common")
MOST_LINES_OF_A_MODULE = 330
MOST_LINES_OF_A_FUNCTION = 40

MODULES = sorted(SIM.rglob("*.py"))
YAML_FILES = sorted(CONFIGS.rglob("*.yaml"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def stage(path: Path) -> str:
    """Return the stage a module belongs to: its folder or file directly under sim/."""
    return path.relative_to(SIM).parts[0].removesuffix(".py")


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT).as_posix()}:{getattr(node, 'lineno', 0)}"


def imported(path: Path) -> Iterator[tuple[ast.stmt, str]]:
    """Yield every import of a module as (statement, full dotted name), also those inside functions."""
    package = ("sim", *path.relative_to(SIM).parts[:-1])
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (above, node.module) if part)
            yield from ((node, f"{base}.{alias.name}") for alias in node.names)


def stages_imported(path: Path) -> Iterator[tuple[ast.stmt, str]]:
    for node, name in imported(path):
        parts = name.split(".")
        if parts[0] == "sim" and len(parts) > 1 and parts[1] in RIVER:
            yield node, parts[1]


def users_of(library: str) -> dict[str, str]:
    """Return {stage: one place} of the stages that import a library."""
    return {
        stage(path): place(path, node)
        for path in MODULES
        for node, name in imported(path)
        if name.split(".")[0] == library
    }


def test_every_room_of_sim_has_its_place_in_the_river() -> None:
    assert {stage(path) for path in MODULES} - {"__init__"} <= set(RIVER)


def test_water_never_runs_uphill() -> None:
    rank = {name: position for position, name in enumerate(RIVER)}
    wrong = [
        f"{place(path, node)} imports sim.{name}"
        for path in MODULES
        for node, name in stages_imported(path)
        if rank[name] > rank.get(stage(path), -1)
    ]
    assert not wrong


def test_tell_reads_files_only() -> None:
    wrong = [
        f"{place(path, node)} imports sim.{name}"
        for path in MODULES
        if stage(path) == "tell"
        for node, name in stages_imported(path)
        if name not in TELL_MAY_READ
    ]
    assert not wrong


def test_only_those_who_read_or_write_run_folders_know_the_store() -> None:
    users = {stage(path) for path in MODULES for _, name in stages_imported(path) if name == "store"}
    assert users <= STORE_IS_FOR


def test_luck_is_blind_to_the_choices() -> None:
    chance = SIM / "chance.py"
    assert "config" not in {name for _, name in stages_imported(chance)}


def test_only_operate_imports_simpy() -> None:
    assert set(users_of("simpy")) <= {"operate"}, users_of("simpy")


@pytest.mark.parametrize("library", ["hydra", "omegaconf"])
def test_only_config_study_and_cli_import_hydra(library: str) -> None:
    assert set(users_of(library)) <= HYDRA_IS_FOR, users_of(library)


def test_sixty_and_a_thousand_stand_in_units_only() -> None:
    wrong = [
        f"{place(path, node)} has {node.value}"
        for path in MODULES
        if stage(path) != "units"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value in (60, 1000)
    ]
    assert not wrong


def test_no_module_is_called_util_helper_or_manager() -> None:
    assert not [path for path in MODULES if any(word in path.stem.lower() for word in UNCLEAR_NAMES)]


def test_modules_are_short() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    wrong = [f"{path.relative_to(SIM)}: {count}" for path, count in lines.items() if count > MOST_LINES_OF_A_MODULE]
    assert not wrong


def test_functions_are_short() -> None:
    wrong = [
        f"{place(path, node)} {node.name}: {lines_of(node)} lines"
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and lines_of(node) > MOST_LINES_OF_A_FUNCTION
    ]
    assert not wrong


def lines_of(function: ast.FunctionDef) -> int:
    """Return the lines of a function without its docstring."""
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_every_module_and_every_public_function_says_what_it_is_for() -> None:
    wrong = [str(path.relative_to(ROOT)) for path in MODULES if ast.get_docstring(tree(path)) is None]
    wrong += [
        f"{place(path, node)} {node.name}"
        for path in MODULES
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        if not node.name.startswith("_") and ast.get_docstring(node) is None
    ]
    assert not wrong


def test_settings_hold_no_code() -> None:
    code = re.compile(r"^[\s-]*_target_\s*:", re.MULTILINE)
    assert not [path for path in YAML_FILES if code.search(path.read_text(encoding="utf-8"))]


def test_every_number_in_the_settings_says_where_it_comes_from() -> None:
    """Every number has its `# source: ...` or `# assumption`.

    It stands beside the number, or beside or directly above the key of a block around it; a block may
    instead hold the words in a key `source` of its own.
    """
    wrong = []
    for path in YAML_FILES:
        text = path.read_text(encoding="utf-8")
        lines = sorted(set(unsourced(yaml.compose(text), (), text.splitlines())))
        wrong += [f"{path.relative_to(ROOT).as_posix()}:{line + 1}" for line in lines]
    assert not wrong


def unsourced(node: yaml.Node | None, above: tuple[int, ...], lines: list[str]) -> Iterator[int]:
    """Yield the lines of numbers without a source, counted from 0; `above` has the keys around the node."""
    if isinstance(node, yaml.ScalarNode):
        here = node.start_mark.line
        is_number = node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
        if is_number and not any(says_source(line, lines) for line in {*above, here}):
            yield here
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from unsourced(item, above, lines)
    elif isinstance(node, yaml.MappingNode) and not has_own_source(node):
        for key, value in node.value:
            yield from unsourced(value, (*above, key.start_mark.line), lines)


def has_own_source(block: yaml.MappingNode) -> bool:
    return any(key.value == "source" and words.value for key, words in block.value)


def says_source(line: int, lines: list[str]) -> bool:
    """Tell whether a line, or the comment directly above it, names a source or an assumption."""
    first = line
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return any(re.search(r"# (source: \S|assumption\b)", text) for text in lines[first : line + 1])
