"""What all tests share: the two counties, the programs of the system, the rules for luck, and no silent skips in CI."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import hypothesis
import pytest
from programs import PROGRAMS, chromium, program

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from sim.county import County

os.environ.setdefault("MPLBACKEND", "Agg")
if "PYTEST_XDIST_WORKER" not in os.environ:  # workers find plans where the process that started them looks
    CACHE = tempfile.TemporaryDirectory(prefix="schoolsim-cache-")
    os.environ["SCHOOLSIM_CACHE"] = CACHE.name  # plans found by one test serve another, never those of an earlier day
# No timed assertions, and the same examples in every run.
hypothesis.settings.register_profile("schoolsim", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("schoolsim")

ROOT = Path(__file__).resolve().parents[1]
VALIDATION = Path(os.environ.get("SCHOOLSIM_VALIDATION", ROOT.parent / "shared" / "validation"))
IN_CI = os.environ.get("CI", "").lower() in ("1", "true")
LEFT_OUT: pytest.StashKey[dict[str, list[str]]] = pytest.StashKey()
OF_THE_PAGE = ("file:", "data:", "blob:")
"""Addresses that need no network."""
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def validation() -> Path:
    """Return the folder of the validation data sets; only for tests marked `validation`."""
    return VALIDATION


@pytest.fixture(scope="session")
def three_villages() -> County:
    """Return the county everyone knows by heart: 3 hamlets, 2 schools, 12 pupils."""
    from sim.county import read_county

    return read_county(ROOT / "configs" / "county" / "three_villages")


@pytest.fixture(scope="session")
def huichang() -> County:
    """Return the reference county."""
    from sim.county import read_county

    return read_county(ROOT / "configs" / "county" / "huichang")


@pytest.fixture(scope="session")
def office() -> str:
    """Return the program that recalculates workbooks; only for tests marked `office`."""
    return program("office")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Chromium without a window, one for each worker; only for tests marked `browser`."""
    with chromium() as started:
        yield started


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return what opens a file in a fresh browser without network: open_page(path, **options of Browser.new_page).

    The test fails at its end when a page complained, asked for anything but files, or let a dialog pop up.
    """
    pages, wrong = list[Any](), list[str]()

    def refuse(dialog: Any) -> None:
        wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def opened(file: Path, **options: Any) -> Page:
        page = browser.new_page(**{"viewport": {"width": 1366, "height": 768}, "offline": True, **options})
        pages.append(page)
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", refuse)
        page.on("request", lambda sent: None if sent.url.startswith(OF_THE_PAGE) else wrong.append(sent.url))
        page.goto(Path(file).resolve().as_uri())
        return page

    yield opened
    for page in pages:
        page.context.close()
    assert not wrong


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need the validation data, or a program of the system, where there is none.

    The closing lines say so. In CI the tests that need a program are not left out: they fail.
    """
    missing = [mark for mark, (_, path) in PROGRAMS.items() if not (path or IN_CI)]
    missing += [] if VALIDATION.is_dir() else ["validation"]
    left_out = {item: mark for item in items for mark in missing if item.get_closest_marker(mark)}
    items[:] = [item for item in items if item not in left_out]
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
    told = [f"no {PROGRAMS[mark][0]}: did not run {item.nodeid}" for item, mark in left_out.items() if mark in PROGRAMS]
    getattr(config, "workeroutput", config.stash.setdefault(LEFT_OUT, {}))["left_out"] = told


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take from a worker which tests it left out; all workers leave out the same."""
    node.config.stash[LEFT_OUT] = dict(getattr(node, "workeroutput", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests were left out for want of a program, and that those of the validation data were."""
    if not VALIDATION.is_dir():
        terminalreporter.write_line(f"no validation data ({VALIDATION.name}): the tests marked so are left out")
    for line in terminalreporter.config.stash.get(LEFT_OUT, {}).get("left_out", []):
        terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed test."""
    return _never_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI a skipped test file is a failed test file."""
    return _never_skipped((yield))


def _never_skipped(report: Report) -> Report:
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which counts as failed in CI: {report.longrepr}"
    return report
