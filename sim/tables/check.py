"""Reads one table of a county's folder and says what is wrong with it, line by line, in a planner's words."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa

from sim.tables.column import ID_BYTES, RESERVED, Column, Table

SOURCES = ("real:", "derived:", "synthetic:")
PROBLEMS = {
    "filled": "is empty; {wanted}",
    "number": "'{value}' is no number; {wanted}",
    "whole": "'{value}' is no whole number; {wanted}",
    "at_least": "{value} is too small; {wanted}",
    "at_most": "{value} is too large; {wanted}",
    "one_of": "'{value}' is not known; {wanted}",
    "short": f"'{{value:.20}}...' is too long; use at most {ID_BYTES} letters, or {ID_BYTES // 3} Chinese characters",
    "free": "'{value}' is no id but a word with a meaning of its own; use another",
    "source": "'{value}' does not say where the row comes from; start with real:, derived: or synthetic:",
}


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One error: the file, the line in it, the column, and what would be right."""

    file: str
    row: int
    """Line number in the file; the header is line 1; 0: the file as a whole."""
    column: str
    says: str

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}{row}{column}: {self.says}"


def read_checked(path: Path, table: Table) -> tuple[pd.DataFrame | None, list[Problem]]:
    """Return the table with its types and every error in it; None when there is nothing to type.

    The index is the line number in the file. Cells that are no numbers but should be come back as missing values.
    """
    raw, problems = _read_text(path, table)
    if raw is None:
        return None, problems
    return _typed(raw, table), sorted(problems + _failures(raw, table))


def _read_text(path: Path, table: Table) -> tuple[pd.DataFrame | None, list[Problem]]:
    """Return the cells as text, one row per line of the file, and what keeps them from being read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader, lines, begins = csv.reader(file), [], 1
            for row in reader:
                lines.append((begins, [cell.strip() for cell in row]))
                begins = reader.line_num + 1
    except FileNotFoundError:
        return _nothing(table, f"the file is missing; it needs the columns {_list(table.names)}")
    except UnicodeDecodeError:
        return _nothing(table, "the file is not UTF-8; save it as 'CSV UTF-8'")
    except OSError as error:
        return _nothing(table, f"the file cannot be read: {error.strerror}")
    except csv.Error as error:
        return _nothing(table, f"the file is no CSV table: {error}")
    lines = [(number, row) for number, row in lines if any(row)]
    if not lines:
        return _nothing(table, f"the file is empty; its first line must be {','.join(table.names)}")
    if len(lines[0][1]) == 1 and {*";\t"} & {*lines[0][1][0]}:
        return _nothing(table, "the values are not separated by commas; save it as 'CSV UTF-8 (comma delimited)'")
    return _rows(lines, table)


def _nothing(table: Table, says: str) -> tuple[None, list[Problem]]:
    return None, [Problem(table.name, 0, "", says)]


def _rows(lines: list[tuple[int, list[str]]], table: Table) -> tuple[pd.DataFrame, list[Problem]]:
    header = lines[0][1]
    problems = [
        Problem(table.name, 1, name, "the column is there twice; keep one")
        for name in sorted({name for name in header if header.count(name) > 1})
    ]
    problems += [
        Problem(table.name, number, "", f"has {len(row)} values, but the header has {len(header)} columns")
        for number, row in lines[1:]
        if len(row) != len(header)
    ]
    if len(lines) == 1 and not table.optional:
        problems.append(Problem(table.name, 0, "", "has a header but no rows; it needs at least one"))
    whole = [(number, row) for number, row in lines[1:] if len(row) == len(header)]
    lines_of = [number for number, _ in whole]
    frame = pd.DataFrame([row for _, row in whole], columns=header, index=lines_of, dtype=str)
    return frame.loc[:, ~frame.columns.duplicated()], problems


def _failures(raw: pd.DataFrame, table: Table) -> list[Problem]:
    """Return what pandera finds, said in words: the first error of every cell."""
    try:
        schema(table).validate(raw, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return []
    found: dict[tuple[int, str], Problem] = {}
    for case in cases.itertuples(index=False):
        problem = _problem(case, raw, table)
        found.setdefault((problem.row, problem.column), problem)
    return list(found.values())


def _problem(case: Any, raw: pd.DataFrame, table: Table) -> Problem:
    check, value = str(case.check), case.failure_case
    if check == "column_in_schema":
        return Problem(table.name, 1, str(value), f"is no column of this table; it has {_list(table.names)}")
    if check == "column_in_dataframe":
        column = next(c for c in table.columns if c.name == value)
        return Problem(table.name, 1, str(value), f"the column is missing; add it: {_wanted(column)}")
    row = int(case.index)
    if check == "no_twin":
        key = [name for name in table.key if name in raw.columns]
        first = raw.index[(raw[key] == raw.loc[row, key]).all(axis=1)][0]
        values = ", ".join(f"'{raw.loc[row, name]}'" for name in key)
        says = f"{values} is already in row {first}; each may be there once"
        return Problem(table.name, row, "+".join(key), says)
    column = next(c for c in table.columns if c.name == case.column)
    says = PROBLEMS[check].format(value=value, wanted=_wanted(column))
    return Problem(table.name, row, column.name, says)


@cache
def schema(table: Table) -> pa.DataFrameSchema:
    """Return the pandera schema of a table whose cells are still text."""
    columns = {
        column.name: pa.Column(str, checks=_checks(column), required=not column.optional) for column in table.columns
    }
    twins = pa.Check(lambda frame: _no_twin(frame, table), name="no_twin", error="no_twin")
    return pa.DataFrameSchema(columns, checks=[twins], strict=True)


def _no_twin(frame: pd.DataFrame, table: Table) -> pd.Series:
    key = [name for name in table.key if name in frame.columns]
    if len(key) < len(table.key):
        return pd.Series(True, index=frame.index)
    return ~frame.duplicated(key, keep="first")


def _checks(column: Column) -> list[pa.Check]:
    """Return the checks of one column, the most basic one first."""
    rules: list[tuple[str, Callable[[pd.Series], pd.Series]]] = []
    if not column.nullable:
        rules.append(("filled", lambda cells: cells != ""))
    if column.type == "id":
        rules.append(("short", lambda cells: cells.str.encode("utf-8").str.len() <= ID_BYTES))
        rules.append(("free", lambda cells: ~cells.isin(RESERVED)))
    if column.is_number:
        rules.append(("number", lambda cells: (cells == "") | _numbers(cells).notna()))
    if column.type in ("int", "flag"):
        rules.append(("whole", lambda cells: _numbers(cells).isna() | (_numbers(cells) % 1 == 0)))
    low, high = column.minimum, column.maximum
    if low is not None:
        rules.append(("at_least", lambda cells: ~(_numbers(cells) < low)))
    if high is not None:
        rules.append(("at_most", lambda cells: ~(_numbers(cells) > high)))
    if column.allowed:
        rules.append(("one_of", lambda cells: (cells == "") | cells.isin(column.allowed)))
    if column.name == "source":
        rules.append(("source", lambda cells: (cells == "") | cells.str.startswith(SOURCES)))
    return [pa.Check(rule, name=name, error=name) for name, rule in rules]


def _numbers(cells: pd.Series) -> pd.Series:
    """Return the cells as finite numbers, missing where they are none."""
    values = pd.to_numeric(cells, errors="coerce")
    return values.where(values.abs() < float("inf"))


def _typed(raw: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return the cells with their types: numbers as numbers, flags as bool, empty ones as missing."""
    typed = {}
    for column in table.columns:
        if column.name not in raw.columns:
            continue
        cells = raw[column.name]
        if not column.is_number:
            typed[column.name] = cells.where(cells != "", None) if column.nullable else cells
            continue
        values = _numbers(cells)
        clean = values.notna().all()
        if column.type == "flag" and clean:
            values = values != 0
        elif column.type == "int" and (values.dropna() % 1 == 0).all():
            values = values.astype("int64") if clean and not column.nullable else values.astype("Int64")
        typed[column.name] = values
    return pd.DataFrame(typed, index=raw.index)


def _wanted(column: Column) -> str:
    """Return what a value of this column should be."""
    if column.allowed:
        return f"use one of {_list(column.allowed)}"
    if column.type == "flag":
        return "use 0 or 1"
    kind = {"int": "a whole number", "float": "a number"}.get(column.type, "a text")
    low = "" if column.minimum is None else f" from {column.minimum:.12g}"
    high = "" if column.maximum is None else f" to {column.maximum:.12g}"
    unit = f" ({column.unit})" if column.unit else ""
    empty = ", or nothing" if column.nullable else ""
    return f"use {kind}{low}{high}{unit}{empty}: {column.meaning[0].lower()}{column.meaning[1:]}"


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(words)
