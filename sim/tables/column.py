"""What a table is: its columns with type, unit, meaning and bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal["text", "id", "int", "float", "flag"]
ID_BYTES = 64
"""Longest id in UTF-8: three times as many signs still make the name of a file."""
RESERVED = ("county", "all", "largest", "busiest")
"""No ids: what belongs to the whole county, and what settings say in place of a name."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it is called, what it holds, and which values it may take."""

    name: str
    type: Type
    meaning: str
    unit: str = ""
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    refers: str = ""
    """`file:column` whose values this one must be among, e.g. `schools.csv:school_id`."""
    also: tuple[str, ...] = ()
    """Values allowed beside those it refers to, e.g. `county`."""
    optional: bool = False
    """The column may be missing from the file."""

    @property
    def is_number(self) -> bool:
        """Tell whether its values are numbers (a flag is 0 or 1)."""
        return self.type in ("int", "float", "flag")


@dataclass(frozen=True, slots=True)
class Table:
    """One table that crosses a border: a file of a county's folder or of a run's folder."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    optional: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)


def text(
    name: str,
    meaning: str,
    *,
    allowed: tuple[str, ...] = (),
    refers: str = "",
    also: tuple[str, ...] = (),
    nullable: bool = False,
    optional: bool = False,
) -> Column:
    """Return a column of words."""
    return Column(
        name, "text", meaning, nullable=nullable, allowed=allowed, refers=refers, also=also, optional=optional
    )


def ident(name: str, meaning: str) -> Column:
    """Return a column of ids: short names that stand in other tables, in settings and in the names of files."""
    return Column(name, "id", meaning)


def whole(
    name: str,
    meaning: str,
    unit: str = "",
    *,
    low: float | None = 0,
    high: float | None = None,
    nullable: bool = False,
) -> Column:
    """Return a column of whole numbers, not negative unless `low` says so."""
    return Column(name, "int", meaning, unit, nullable, low, high)


def number(
    name: str,
    meaning: str,
    unit: str = "",
    *,
    low: float | None = 0,
    high: float | None = None,
    nullable: bool = False,
) -> Column:
    """Return a column of numbers, not negative unless `low` says so."""
    return Column(name, "float", meaning, unit, nullable, low, high)


def flag(name: str, meaning: str) -> Column:
    """Return a column of 0 and 1."""
    return Column(name, "flag", meaning, "0/1", False, 0, 1)
