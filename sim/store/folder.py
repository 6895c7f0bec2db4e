"""The files of one run: each is written whole, and each is read as declared."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml
from pydantic import ValidationError

from sim.config import Settings
from sim.config.source import sourced
from sim.errors import BadInput
from sim.tables import RUN_TABLES, Table, as_declared

if TYPE_CHECKING:
    import pandas as pd

    from sim.config import Report

MANIFEST = "manifest.json"
CONFIG = "config.yaml"
INPUTS = "inputs"
LOG = "log.txt"
YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Reads the same as the plain one, ten times as fast where there is a compiled one."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run (or of a sweep): the only way to its files."""

    path: Path

    @property
    def manifest(self) -> dict[str, Any]:
        """Return what is written about the run in manifest.json; empty when there is none."""
        file = self.path / MANIFEST
        if not file.is_file():
            return {}
        try:
            return cast(dict[str, Any], json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise BadInput(f"{file}: cannot be read as JSON; remove the folder and run again.") from error

    @property
    def finished(self) -> bool:
        """Return whether the run came to its end."""
        return bool(self.manifest.get("complete"))

    @property
    def settings(self) -> Settings:
        """Return the settings of the run, read from its config.yaml."""
        try:
            return Settings.model_validate(tree_of(self.read_text(CONFIG)))
        except ValidationError as error:
            raise BadInput(
                f"{self.path / CONFIG}: this run was lived with another version of the program, whose settings differ "
                f"({', '.join('.'.join(map(str, each['loc'])) for each in error.errors()[:3])}); live it again."
            ) from error

    def file(self, name: str) -> Path:
        """Return where a file of the run lies; a table may be named without its ending."""
        known = [table.name for table in RUN_TABLES if name == table.name.partition(".")[0]]
        return self.path / (known[0] if known else name)

    def write_table(self, name: str, frame: pd.DataFrame) -> Path:
        """Write a table as Parquet or CSV, by the ending of its name, with the declared columns and types."""
        target = self.file(name)
        table = _declared(target)
        frame = as_declared(frame, table) if table else frame
        if target.suffix == ".csv":
            return whole_file(target, lambda to: frame.to_csv(to, index=False, lineterminator="\n", encoding="utf-8"))
        return whole_file(target, lambda to: frame.to_parquet(to, index=False, compression="zstd"))

    def read_table(self, name: str) -> pd.DataFrame:
        """Return a table of the run with its declared types. Raises BadInput when it is not there."""
        import pandas as pd

        source = self.file(name)
        if not source.is_file():
            raise BadInput(f"{source}: there is no such table; is the run complete?")
        table = _declared(source)
        texts = {column.name: "str" for column in table.columns if column.type == "text"} if table else {}
        if source.suffix == ".csv":
            frame = pd.read_csv(source, dtype=texts, keep_default_na=False, na_values=[""])
        else:
            frame = pd.read_parquet(source)
        try:
            return as_declared(frame, table) if table else frame
        except ValueError as error:
            raise BadInput(
                f"{source}: was written by another version of the program ({error}); live it again."
            ) from error

    def read_rows(self, name: str, columns: Sequence[str], *where: tuple[str, str, Any]) -> pd.DataFrame:
        """Return the rows of a Parquet table that meet all conditions, e.g. ("week", "==", 9); all rows without any.

        The table is read piece by piece: it may be too large to be held whole.
        """
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        wanted = pq.filters_to_expression(list(where)) if where else pc.scalar(True)
        needed = list({*columns, *(column for column, _, _ in where)})
        with pq.ParquetFile(self.file(name)) as source:
            pieces = (source.read_row_group(k, columns=needed).filter(wanted) for k in range(source.num_row_groups))
            found = [piece.select(list(columns)) for piece in pieces]
        return pa.concat_tables(found).to_pandas()

    def declared(self, name: str) -> Table | None:
        """Return the declaration of a table of the run, nothing for a table that has none."""
        return _declared(self.file(name))

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file in UTF-8 with line feeds."""
        return self.write_bytes(name, text.encode("utf-8"))

    def write_bytes(self, name: str, content: bytes) -> Path:
        """Write a file as it is; `name` may hold folders."""
        return whole_file(self.path / name, lambda to: to.write_bytes(content))

    def read_text(self, name: str) -> str:
        """Return a text file of the run. Raises BadInput when it is not there."""
        source = self.path / name
        if not source.is_file():
            raise BadInput(f"{source}: there is no such file; is {self.path} the folder of a run?")
        return source.read_text(encoding="utf-8")

    def write_yaml(self, name: str, content: Mapping[str, Any]) -> Path:
        """Write settings as YAML."""
        return self.write_text(name, yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False, width=110))

    def write_settings(self, settings: Settings) -> None:
        """Write the settings of a run, and where each of them comes from."""
        import pandas as pd

        self.write_yaml(CONFIG, settings.model_dump(mode="json"))
        rows = pd.DataFrame([asdict(each) for each in sourced(settings)]).assign(scenario=settings.scenario)
        self.write_table("assumptions", rows)

    def write_manifest(self, **changes: Any) -> Path:
        """Add to, or change, what manifest.json says."""
        text = json.dumps(self.manifest | changes, indent=2, ensure_ascii=False)
        return self.write_text(MANIFEST, text + "\n")

    def tell_as(self, report: Report) -> bool:
        """Note the language and audience that pages are to be drawn for; return whether they are other ones now."""
        settings = self.settings
        if settings.report == report:
            return False
        self.write_yaml(CONFIG, settings.model_copy(update={"report": report}).model_dump(mode="json"))
        return True

    def finish(self, seconds: float) -> Path:
        """Write into the manifest that the run came to its end, when all else is on the disk: the last thing done."""
        for file in self.path.rglob("*"):
            if file.is_file():
                to_disk(file)
        return self.write_manifest(seconds=round(seconds, 3), complete=True)

    def log(self, *lines: str) -> None:
        """Add lines to the log of the run, with the time; on a full disk the log is what can be done without."""
        with suppress(OSError), (self.path / LOG).open("a", encoding="utf-8", newline="\n") as log:
            log.writelines(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {line}\n" for line in lines)


def to_disk(file: Path) -> None:
    """Wait until a file is on the disk: else its name may outlive a loss of power, and its content not."""
    with file.open("rb+") as written:
        os.fsync(written.fileno())


def whole_file(target: Path, write: Callable[[Path], object], durable: bool = False) -> Path:
    """Write a file under a temporary name and rename it; an error leaves nothing behind.

    durable: it is on the disk when this returns.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        if durable:
            to_disk(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


@lru_cache(maxsize=256)
def tree_of(text: str) -> Any:
    """Return the content of YAML, to be looked at only: the settings of a finished run are read several times."""
    return yaml.load(text, YAML)


def _declared(file: Path) -> Table | None:
    """Return the declaration of a table of the run, nothing for one that has none; `*` stands for any name.

    The county has tables of the same names, which are others.
    """
    if file.parent.name == INPUTS:
        return None
    return next((table for table in RUN_TABLES if file.match(table.name)), None)
