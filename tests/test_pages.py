"""x"""

from pathlib import Path

import pytest
from sample_run import sample_run

from sim.tell.page import report

pytestmark = pytest.mark.browser


def test_x(open_page, tmp_path: Path) -> None:
    page = open_page(report(sample_run(tmp_path / "base")))
    assert page.locator("h1").count() == 1
