"""Years that were lived, each a part of a run in a file of its own, and the tables that all parts make together.

A part is one file, written whole: a zip of tables, stamped with what it was lived from. So a run may stop at any moment
and go on later, and a finished run grows by the parts of more replications or years. Tables are in Arrow's own format
until they are joined: it is written and read many times as fast as Parquet, and not much larger.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.store.folder import RunFolder, whole_file
from sim.tables import arrow_schema, as_arrow, as_declared, run_table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PARTS = ".parts"
"""Where the parts lie until the run is finished."""
ENDING = ".part"
"""Of the files of parts. Those that an older program left beside a finished run, zips of Parquet, have another one."""
EVENTS = "events/"
"""Tables of this name are the events of single days: Parquet files of their own, not parts of a larger table."""
ROW_GROUP = 2**17
"""Fewest rows that a joined table writes at a time: small parts together, so that readers are not slowed down."""
Key = tuple[int, int]
"""Replication and school year."""


def packed(folder: RunFolder, tables: Mapping[str, pd.DataFrame], stamp: str) -> bytes:
    """Return the tables of a lived year as the bytes of its part; stamp: what it was lived from."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as part:
        for name, frame in tables.items():
            table = folder.declared(f"{name}.parquet")
            assert table is not None, f"{name}: tables of a run are declared"
            if name.startswith(EVENTS):
                part.writestr(f"{name}.parquet", as_declared(frame, table).to_parquet(index=False, compression="zstd"))
            else:
                part.writestr(name, _written(as_arrow(frame, table)))
        part.comment = stamp.encode()
    return content.getvalue()


def write_part(folder: RunFolder, key: Key, content: bytes) -> Path:
    """Write the part of a replication and year; any process may, in any order."""
    target = folder.path / PARTS / f"{key[0]:05d}-{key[1]}{ENDING}"
    return whole_file(target, lambda to: to.write_bytes(content), durable=True)


def parts_of(folder: RunFolder) -> dict[Key, str]:
    """Return the stamps of the parts that are there, in order; what was not written to its end is not there."""
    return {_key(path): stamp for path in _files(folder) if (stamp := _stamp(path)) is not None}


def drop_parts(folder: RunFolder, keys: Collection[Key] | None = None) -> None:
    """Remove some parts, or all of them."""
    if keys is None:
        shutil.rmtree(folder.path / PARTS, ignore_errors=True)
    else:
        for path in _files(folder):
            if _key(path) in keys:
                path.unlink()


def read_parts(folder: RunFolder, name: str, columns: list[str]) -> Iterator[pd.DataFrame]:
    """Yield some columns of a table, part by part in order."""
    import pyarrow as pa

    for path in _files(folder):
        rows = _rows(path, name).select(columns)
        spelt = pa.schema([(each.name, getattr(each.type, "value_type", each.type)) for each in rows.schema])
        yield rows.cast(spelt).to_pandas()


def join_parts(folder: RunFolder) -> None:
    """Make the tables of a run of its parts, in the order of replications and years, with few of them in memory.

    Where the run has a table already, its rows of other replications and years stay. The parts stay, too, so that this
    can be done again after it was stopped.
    """
    files = _files(folder)
    names: set[str] = set()
    for path in files:
        with zipfile.ZipFile(path) as part:
            days = [name for name in part.namelist() if name.startswith(EVENTS)]
            names |= set(part.namelist()) - set(days)
            for day in days:
                folder.write_bytes(day, part.read(day))
    for name in sorted(names):
        table = folder.file(name)
        whole_file(table, partial(_join, table, arrow_schema(run_table(name)), files))


def _join(old: Path, schema: pa.Schema, files: list[Path], target: Path) -> None:
    """Write the rows of an old table and of new parts, in order, into a new file; words are read from it as words."""
    import pyarrow.parquet as pq

    keys = {_key(path) for path in files}
    kept = ((key, rows.cast(schema)) for key, rows in _years(old) if key not in keys)
    new = ((_key(path), _rows(path, old.stem)) for path in files)
    waiting: list[pa.Table] = []
    few = [column.name for column in schema if column.type != "float64"]  # these repeat, measured values hardly do
    with pq.ParquetWriter(target, schema, compression="zstd", use_dictionary=few, store_schema=False) as writer:
        for _, rows in merge(kept, new, key=itemgetter(0)):
            waiting.append(rows)
            if sum(map(len, waiting)) >= ROW_GROUP:
                writer.write_table(_as_one(waiting))
                waiting.clear()
        if waiting:
            writer.write_table(_as_one(waiting))


def _as_one(tables: list[pa.Table]) -> pa.Table:
    """Return the rows of all tables, words listed as they first come: the same, however the rows were in parts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def in_order(words: pa.ChunkedArray) -> pa.Array:
        whole = words.combine_chunks()
        used = whole.indices.unique().drop_null()
        return pa.DictionaryArray.from_arrays(pc.index_in(whole.indices, used), whole.dictionary.take(used))

    rows = pa.concat_tables(tables).unify_dictionaries()
    told = [in_order(column) if pa.types.is_dictionary(column.type) else column for column in rows.columns]
    return pa.Table.from_arrays(told, schema=rows.schema)


def _written(rows: pa.Table) -> bytes:
    import pyarrow as pa

    content, how = pa.BufferOutputStream(), pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with pa.ipc.new_stream(content, rows.schema, options=how) as writer:
        writer.write_table(rows)
    return content.getvalue().to_pybytes()


def _rows(path: Path, name: str) -> pa.Table:
    import pyarrow as pa

    how = pa.ipc.IpcReadOptions(use_threads=False)
    with zipfile.ZipFile(path) as part, pa.ipc.open_stream(part.read(name), options=how) as content:
        return content.read_all()


def _years(file: Path) -> Iterator[tuple[Key, pa.Table]]:
    """Yield the rows of a joined table by replication and year; a year may come in several pieces."""
    import pyarrow.parquet as pq

    if not file.is_file():
        return
    with pq.ParquetFile(file) as source:  # closed when all is read: elsewhere an open file cannot be replaced
        for group in range(source.num_row_groups):
            rows = source.read_row_group(group, use_threads=False)
            keys = np.stack([rows[name].to_numpy() for name in ("replication", "year")])
            starts = [0, *(np.flatnonzero((np.diff(keys, axis=1) != 0).any(axis=0)) + 1).tolist()]
            for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
                if end > start:
                    yield (int(keys[0, start]), int(keys[1, start])), rows.slice(start, end - start)


def _files(folder: RunFolder) -> list[Path]:
    return sorted((folder.path / PARTS).glob(f"[0-9]*{ENDING}"))


def _key(path: Path) -> Key:
    replication, year = path.stem.split("-")
    return int(replication), int(year)


def _stamp(path: Path) -> str | None:
    """Return the stamp of a part, None when its file is not whole."""
    try:
        with zipfile.ZipFile(path) as part:
            return part.comment.decode() if part.testzip() is None else None
    except (OSError, zipfile.BadZipFile, ValueError):
        return None
