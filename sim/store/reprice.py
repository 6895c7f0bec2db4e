"""A run at other prices: a folder beside the first, made whole or not at all, with the same days and other money."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sim.config import Settings
from sim.errors import BadInput
from sim.store.folder import INPUTS, RunFolder
from sim.store.place import fingerprint, inputs_of, inputs_sha256, program, run_folder
from sim.tables import RUN_TABLES


def repriced_folder(run: RunFolder, settings: Settings) -> RunFolder:
    """Return the folder that a run has or will have with other settings of money, without touching anything.

    It is the run itself when nothing changes, else a folder beside it: the run's own name, `-` and six hexadecimal
    digits, as if it had been lived with these settings; or that of another scenario's name. Raises BadInput when
    somebody else's files lie there.
    """
    if settings.hash() == run.settings.hash():
        return run
    if settings.scenario != run.settings.scenario:
        return run_folder(settings)
    home, tables = run.path.resolve().parent, run.path / INPUTS
    beside = RunFolder(home / f"{settings.scenario}-{fingerprint(settings, tables, without=())[:6]}")
    born = _birth(settings, tables)

    def same(folder: RunFolder) -> bool:
        return all(folder.manifest.get(key) == value for key, value in born.items())

    for folder in (RunFolder(home / settings.scenario), beside):
        if folder.finished and same(folder):
            return folder
    if beside.path.exists() and not same(beside):
        raise BadInput(f"{beside.path}: holds other files; move them away.")
    return beside


def _birth(settings: Settings, tables: Path) -> dict[str, str]:
    """Return what the manifest says of the settings and inputs of a re-priced run."""
    return {
        "config_sha256": settings.hash(),
        "inputs_sha256": inputs_sha256(settings, tables),
        "fingerprint": fingerprint(settings, tables),
    }


@contextmanager
def repriced(run: RunFolder, settings: Settings, target: RunFolder, also: Iterable[str] = ()) -> Iterator[RunFolder]:
    """Yield the draft of a re-priced run, to which all that depends on prices is to be written.

    Its tables, and what is named in `also`, are those of the run, linked: a file that is written anew takes the link's
    place. The draft takes the target's place when it is whole; an error leaves nothing behind.
    """
    try:
        with TemporaryDirectory(prefix=".repricing-", dir=target.path.parent) as place:
            draft = RunFolder(Path(place) / target.path.name)
            _link(run, draft, settings, also)
            _begin(run, settings, draft)
            yield draft
            draft.write_manifest(complete=True)
            if target.path.exists():  # an interrupted run of the same settings
                shutil.rmtree(target.path)
            draft.path.rename(target.path)
    except OSError as error:
        raise BadInput(f"{target.path}: cannot be written ({error.strerror or error}).") from error


def _begin(run: RunFolder, settings: Settings, draft: RunFolder) -> None:
    """Write the settings, prices and birth of a draft."""
    draft.write_settings(settings)
    tables = run.path / INPUTS
    for name, content in inputs_of(settings, tables).items():
        if name.endswith(".yaml"):
            draft.write_bytes(f"{INPUTS}/{name}", content)
    born = {
        **_birth(settings, tables),
        "repriced_from": run.path.resolve().name,
        "repriced_with": program(),
        "complete": False,
    }
    draft.write_manifest(**run.manifest | born)


def _link(run: RunFolder, draft: RunFolder, settings: Settings, also: Iterable[str]) -> None:
    """Let files of a run stand in a draft, too; they are copied where the disk knows no links.

    Tables that tell the scenario's name are written anew under another name.
    """
    renamed = settings.scenario != run.settings.scenario
    for pattern in (*(table.name for table in RUN_TABLES), f"{INPUTS}/*", *also):
        for file in sorted(run.path.glob(pattern)):
            name = file.relative_to(run.path).as_posix()
            to, table = draft.path / name, draft.declared(name)
            to.parent.mkdir(parents=True, exist_ok=True)
            if renamed and table and "scenario" in table.names:
                draft.write_table(name, run.read_table(name).assign(scenario=settings.scenario))
                continue
            try:
                os.link(file, to)
            except OSError:
                shutil.copy2(file, to)
