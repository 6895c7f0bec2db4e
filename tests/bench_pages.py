"""How long people wait for pages: until they are drawn anew from a run's files, and until Chromium shows them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from programs import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TRIES = 3
DRAWN = "[...document.querySelectorAll('svg, canvas')].some(drawing => drawing.getBoundingClientRect().height > 0)"
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def redrawn(run: Path) -> float:
    """Draw the pages of a run anew, as a whole process; return the seconds."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "sim", "report", str(run)], check=True, capture_output=True)
    return time.perf_counter() - began


def opened(pages: Sequence[Path]) -> list[float]:
    """Return for each page the seconds until it is there and its first chart is on the screen: the best of some tries.

    Chromium itself is running already; what it remembers of a page it forgets between tries.
    """
    with chromium() as browser:
        return [min(_opened(browser, page) for _ in range(TRIES)) for page in pages]


def _opened(browser: Browser, file: Path) -> float:
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    began = time.perf_counter()
    page.goto(file.resolve().as_uri(), wait_until="domcontentloaded")
    page.wait_for_function(DRAWN)
    page.evaluate(PAINTED)
    took = time.perf_counter() - began
    page.context.close()
    return took
