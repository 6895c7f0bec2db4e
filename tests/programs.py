"""Programs of the system that tests need: where they lie, and Chromium ready to open pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def _on_path(*names: str) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


PROGRAMS = {
    "office": ("LibreOffice Calc (soffice)", _on_path("soffice", "libreoffice")),
    "browser": ("Chromium (chromium)", _on_path("chromium", "chromium-browser", "google-chrome", "chrome")),
}
"""Mark of the tests that need it -> what the program is called, and where it lies (None: nowhere)."""


def program(mark: str) -> str:
    """Return where the program lies that the tests of a mark need."""
    told, path = PROGRAMS[mark]
    assert path, f"{told} is not there"
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium without a window."""
    from playwright.sync_api import sync_playwright

    guarded = not hasattr(os, "geteuid") or os.geteuid() != 0  # Chromium's sandbox does not start as root
    how = {"executable_path": program("browser"), "chromium_sandbox": guarded}
    with sync_playwright() as playwright, playwright.chromium.launch(**how) as browser:
        yield browser
