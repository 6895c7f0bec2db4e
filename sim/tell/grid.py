"""A table for people: rows of text, ready to be laid out on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: its text and how it is set off (a CSS class)."""

    text: str
    style: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Grid:
    """A table for people: a head and rows of text; `numbers` are the columns set to the right."""

    head: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    numbers: frozenset[int] = frozenset()
    wide: bool = field(default=False)


def grid(
    head: Sequence[str], rows: Sequence[Sequence[object]], numbers: Sequence[int] = (), wide: bool = False
) -> Grid:
    """Make a table of anything that has a text."""
    cells = [tuple(cell if isinstance(cell, Cell) else Cell(str(cell)) for cell in row) for row in rows]
    return Grid(tuple(head), cells, frozenset(numbers), wide)


def strong(*texts: str) -> tuple[Cell, ...]:
    """Return a row that is set off."""
    return tuple(Cell(text, "strong") for text in texts)
