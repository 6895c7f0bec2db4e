"""Pages are templates filled with texts and numbers; every text is escaped, and a page needs no other file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from sim.tell.font import face
from sim.tell.words import Words

HERE = Path(__file__).parent


@dataclass(slots=True)
class Counter:
    """Numbers figures and tables in the order in which they appear on the page."""

    value: int = 0

    def next(self) -> int:
        """Return the next number."""
        self.value += 1
        return self.value


def render(template: str, words: Words, **values: Any) -> str:
    """Fill a template; every text is escaped. The page brings the Chinese letters it shows, in its first <style>."""
    style = Markup((HERE / "page.css").read_text(encoding="utf-8"))
    page = (
        _engine()
        .get_template(template)
        .render(word=words, style=style, figure_number=Counter(), table_number=Counter(), **values)
    )
    return page.replace("</style>", f"{face(page, words.language)}\n</style>", 1)


def script(name: str) -> Markup:
    """Return a script of a page, as it stands in its own file."""
    return Markup((HERE / name).read_text(encoding="utf-8"))


@cache
def _engine() -> jinja2.Environment:
    """Return what fills templates; it keeps those it has read."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
