"""What all tests share: the two counties, the rules for luck in tests, and no silent skips in CI."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import hypothesis
import pytest

if TYPE_CHECKING:
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
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
IN_CI = os.environ.get("CI", "").lower() in ("1", "true")
WITHOUT_OFFICE: pytest.StashKey[dict[str, list[str]]] = pytest.StashKey()
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
    assert OFFICE, "LibreOffice Calc is not there: no soffice on the PATH"
    return OFFICE


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need the validation data, or LibreOffice, where there is none.

    The closing lines say so. In CI the tests that need LibreOffice are not left out: they fail.
    """
    missing = [mark for mark, there in (("validation", VALIDATION.is_dir()), ("office", OFFICE or IN_CI)) if not there]
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in missing)]
    items[:] = [item for item in items if item not in left_out]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    without = [item.nodeid for item in left_out if item.get_closest_marker("office")]
    getattr(config, "workeroutput", config.stash.setdefault(WITHOUT_OFFICE, {}))["tests"] = without


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take from a worker which tests it left out; all workers leave out the same."""
    node.config.stash[WITHOUT_OFFICE] = dict(getattr(node, "workeroutput", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests were left out for want of LibreOffice, and that those of the validation data were."""
    if not VALIDATION.is_dir():
        terminalreporter.write_line(f"no validation data ({VALIDATION.name}): the tests marked so are left out")
    for test in terminalreporter.config.stash.get(WITHOUT_OFFICE, {}).get("tests", []):
        terminalreporter.write_line(f"no LibreOffice Calc (soffice): did not run {test}")


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
