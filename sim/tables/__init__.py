"""Every table that crosses a border, declared once: column, type, unit, meaning, bounds.

The reader of a county, the writer of a run and the data dictionary all use these declarations.
`sim.tables.check` (which needs pandas and pandera) reads and checks; importing this package needs neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sim.tables.choice import CHOICE_TABLES
from sim.tables.column import ID_BYTES, Column, Table
from sim.tables.county import NEEDED_TABLES
from sim.tables.family import FAMILY_TABLES
from sim.tables.given import GIVEN_TABLES
from sim.tables.money import MONEY_TABLES
from sim.tables.risk import RISK_TABLES
from sim.tables.run import RUN_TABLES as _RUN_TABLES
from sim.tables.sensitivity import SENSITIVITY_TABLES
from sim.tables.service import SERVICE_TABLES
from sim.tables.sure import SURE_TABLES

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["COUNTY_TABLES", "RUN_TABLES", "Column", "Table", "arrow_schema", "as_arrow", "as_declared", "county_table",
           "data_dictionary", "read_table", "run_table"]  # fmt: skip

COUNTY_TABLES = (*NEEDED_TABLES, *GIVEN_TABLES)
RUN_TABLES = (*_RUN_TABLES, *RISK_TABLES, *MONEY_TABLES, *SERVICE_TABLES, *FAMILY_TABLES, *SURE_TABLES, *CHOICE_TABLES,
              *SENSITIVITY_TABLES)  # fmt: skip

_DTYPES = {"text": "str", "id": "str", "int": "int64", "float": "float64", "flag": "bool"}


def _find(tables: tuple[Table, ...], name: str) -> Table:
    for table in tables:
        if name in (table.name, table.name.rsplit(".", 1)[0]):
            return table
    raise KeyError(f"{name} is no declared table; known are {', '.join(table.name for table in tables)}")


def county_table(name: str) -> Table:
    """Return the declaration of a table of a county's folder, e.g. `schools.csv` or `schools`."""
    return _find(COUNTY_TABLES, name)


def run_table(name: str) -> Table:
    """Return the declaration of a table of a run's folder, e.g. `measures.parquet` or `measures`."""
    return _find(RUN_TABLES, name)


def read_table(path: Path, table: Table) -> pd.DataFrame:
    """Return a county's table with its types; BadInput lists every error in it."""
    from sim.errors import BadInput
    from sim.tables.check import read_checked

    frame, errors = read_checked(path, table)
    if frame is None or errors:
        raise BadInput(*(str(error) for error in errors))
    return frame


def as_declared(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return the frame with exactly the declared columns, in order and of the declared types.

    A missing or an undeclared column is a fault of ours, hence ValueError.
    """
    _check_columns(frame, table)
    other = {c.name: _dtype(c) for c in table.columns if str(frame[c.name].dtype) != _dtype(c)}
    found = frame[list(table.names)].reset_index(drop=True)
    return found.assign(**{name: found[name].astype(kind) for name, kind in other.items()})


def arrow_schema(table: Table) -> pa.Schema:
    """Return the types that Arrow has for the declared columns; a word is the place of it in a list of words."""
    import pyarrow as pa

    words = pa.dictionary(pa.int32(), pa.large_string())
    return pa.schema([(c.name, words if _dtype(c) == "str" else _DTYPES[c.type]) for c in table.columns])


def as_arrow(frame: pd.DataFrame, table: Table) -> pa.Table:
    """Return the frame as `as_declared` does, for Arrow: categories need not be written out, which takes longest."""
    import pyarrow as pa

    _check_columns(frame, table)
    told = [_words(frame[c.name]) if _dtype(c) == "str" else _numbers(frame[c.name], c) for c in table.columns]
    return pa.Table.from_arrays(told, schema=arrow_schema(table))


def _words(column: pd.Series) -> pa.Array:
    import pyarrow as pa

    if column.dtype == "category":
        codes = column.cat.codes.to_numpy()
        words = pa.array(column.cat.categories, pa.large_string())
        return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32(), mask=codes < 0), words)
    found = pa.array(column, pa.large_string(), from_pandas=True)
    return (found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found).dictionary_encode()


def _numbers(column: pd.Series, declared: Column) -> pa.Array:
    """Return numbers, null where they are none; a whole number that must not be null is an error then."""
    import pyarrow as pa

    null = declared.nullable or declared.type == "float"
    return pa.array(column.to_numpy(), _DTYPES[declared.type], from_pandas=null)


def _check_columns(frame: pd.DataFrame, table: Table) -> None:
    declared, there = table.names, list(frame.columns)
    missing = [name for name in declared if name not in there]
    unknown = [name for name in there if name not in declared]
    if missing or unknown:
        raise ValueError(f"{table.name}: missing columns {missing}, undeclared columns {unknown}")


def _dtype(column: Column) -> str:
    return "Int64" if column.type == "int" and column.nullable else _DTYPES[column.type]


def data_dictionary(tables: Iterable[Table] = (*COUNTY_TABLES, *RUN_TABLES)) -> str:
    """Return the data dictionary as Markdown: every table, column, type, unit and meaning."""
    return "\n".join(_section(table) for table in tables)


def _section(table: Table) -> str:
    optional = " (optional)" if table.optional else ""
    head = f"### {table.name}{optional}\n\n{table.meaning}. One row per {', '.join(table.key)}.\n\n"
    rows = "".join(f"| {' | '.join(_cells(column))} |\n" for column in table.columns)
    return f"{head}| column | type | unit | meaning | values |\n|---|---|---|---|---|\n{rows}"


def _cells(column: Column) -> tuple[str, ...]:
    kind = f"{column.type} or empty" if column.nullable else column.type
    kind += ", may be left out" if column.optional else ""
    return column.name, kind, column.unit, column.meaning, _bounds(column)


def _bounds(column: Column) -> str:
    if column.allowed:
        return ", ".join(column.allowed)
    if column.type == "id":
        return f"up to {ID_BYTES} bytes"
    if column.refers:
        return ", ".join((column.refers, *column.also))
    low = "" if column.minimum is None else f"from {column.minimum:.12g}"
    high = "" if column.maximum is None else f"to {column.maximum:.12g}"
    return f"{low} {high}".strip()
