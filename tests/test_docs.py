"""The documentation is true: generated pages are fresh, links lead somewhere, commands are valid."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

import sim
from sim.config import SKIES, load
from sim.operate.diary import CAUSES, KINDS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), ROOT / "results" / "README.md"])
READMES = [ROOT / "README.md", ROOT / "README.zh.md"]
VERBS = {"run", "sweep", "choose", "sensitivity", "compare", "report", "check"}


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_make", DOCS / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["settings.md", "data.md", "glossary.md"])
def test_generated_pages_are_fresh(make: ModuleType, name: str) -> None:
    committed = (DOCS / name).read_text(encoding="utf-8")
    is_fresh = committed == make.pages()[name]
    assert is_fresh, f"docs/{name} is out of date: run `make docs`"


def test_every_kind_of_event_is_explained() -> None:
    page = (DOCS / "data.md").read_text(encoding="utf-8")
    missing = [kind for kind, meaning in KINDS.items() if not re.search(rf"^\| `{kind}` \|.*{meaning}", page, re.M)]
    assert not missing
    assert ", ".join(f"{code} {sky}" for code, sky in enumerate(SKIES)) in page
    assert ", ".join(f"{code} {cause}" for code, cause in enumerate(CAUSES) if cause) in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_that_exist(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_figure_is_still_to_be_filled_in(page: Path) -> None:
    assert not re.findall(r"TBD|TODO|XXX", page.read_text(encoding="utf-8"))


def commands(page: Path) -> list[list[str]]:
    """Return the words after `python -m sim` of every command in the code blocks of a page."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line.split("#")[0] for block in blocks for line in block.splitlines()]
    return [line.partition("-m sim")[2].split() for line in lines if "-m sim" in line]


def test_commands_of_the_readme_are_valid() -> None:
    """Every verb exists, and every key and value (in a sweep: its first value) is accepted."""
    found = commands(READMES[0])
    assert {words[0] for words in found if words} >= VERBS - {"compare", "report"}
    for verb, *arguments in (words for words in found if words):
        assert verb in VERBS
        if verb in ("run", "sweep", "choose", "sensitivity", "check"):
            load([argument.split(",")[0] for argument in arguments if "=" in argument])


def test_both_readmes_show_the_same_commands() -> None:
    english, chinese = (commands(page) for page in READMES)
    assert english == chinese


def test_one_version_stands_everywhere() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(sim.__version__)}\]", changelog, re.MULTILINE)
    assert f"version: {sim.__version__}\n" in citation


def test_the_lock_has_a_hash_for_everything_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", lock, flags=re.MULTILINE).strip())
    assert "://" not in lock
    assert not [entry for entry in entries if not re.match(r"[a-z0-9-]+==\S+ .*\\\n +--hash=sha256:", entry)]


def test_the_lock_holds_every_dependency_within_its_bounds() -> None:
    import tomllib

    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE))
    for requirement in map(Requirement, wanted):
        name = requirement.name.lower().replace("_", "-")
        assert requirement.specifier.contains(locked[name]), f"{requirement} but the lock has {locked[name]}"
