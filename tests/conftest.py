"""What all tests share: the two counties, the rules for luck in tests, and no silent skips in CI."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

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
IN_CI = os.environ.get("CI", "").lower() in ("1", "true")
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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need the validation data where there are none; the closing lines say so."""
    if VALIDATION.is_dir():
        return
    left_out = [item for item in items if item.get_closest_marker("validation")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say so where tests were left out for want of the validation data."""
    if not VALIDATION.is_dir():
        terminalreporter.write_line(f"no validation data ({VALIDATION.name}): the tests marked so are left out")


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
