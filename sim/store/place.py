"""Where a run lies: the same settings and inputs find their own folder again, and nobody else's."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from sim import __version__
from sim.config import CONFIGS, LENGTH, MONEY, Settings
from sim.errors import BadInput
from sim.store.folder import INPUTS, MANIFEST, RunFolder

PACKAGES = (
    "simpy", "numpy", "scipy", "numba", "pyvrp", "hydra-core", "omegaconf", "pydantic", "pandas",
    "pyarrow", "pandera",
)  # fmt: skip


FORMAT = 2
"""Of what lies in a run folder: a folder of another one is not gone on with."""


def open_run(settings: Settings, resume: bool = False) -> RunFolder:
    """Return the folder for a run, with its settings and inputs: new, or with what was lived of it before.

    What another state of the program left unfinished is cleared away, or refused if it is to be resumed. Raises
    BadInput when the folder cannot be written.
    """
    folder = run_folder(settings)
    left = folder.manifest
    if left.get("complete"):
        return folder
    if left and left.get("source_sha256") == source_sha256():
        for half in folder.path.rglob(".*.tmp"):
            half.unlink()
        _equip(folder, settings)
        folder.log("going on with what was lived before")
        return folder
    if left and resume:
        raise BadInput(
            f"{folder.path}: was begun by another state of the program, so its days cannot be gone on with; run it "
            "again without --resume, which begins anew."
        )
    _start(folder, settings)
    return folder


def run_folder(settings: Settings) -> RunFolder:
    """Return the folder that a run has or will have, without touching anything.

    The same settings and inputs find their own folder again, also when more years or replications are asked for. When
    other ones lie there, or more was lived there than is asked for, the name gets `-` and six hexadecimal digits.
    """
    home = sweep_folder(settings).path
    key = fingerprint(settings)
    folder = RunFolder(home / settings.scenario)
    if not _is_ours(folder, key, settings):
        folder = RunFolder(home / f"{settings.scenario}-{fingerprint(settings, without=())[:6]}")
        if not _is_ours(folder, key, settings):
            raise BadInput(f"study.out: {folder.path} holds other files; choose another study.name or scenario.")
    return folder


def is_finished(folder: RunFolder, settings: Settings) -> bool:
    """Return whether all that is asked for was lived and written."""
    found = folder.manifest
    if not found.get("complete"):
        return False
    asked = settings.hash() == found.get("config_sha256")
    return asked or (found["replications"], found["years"]) == (settings.study.replications, settings.study.years)


def check_format(settings: Settings) -> None:
    """Raise BadInput when the folder of the study holds a run of another version that the run would meet."""
    folder = RunFolder(sweep_folder(settings).path / settings.scenario)
    found = folder.manifest
    if found and found.get("format") != FORMAT:
        raise BadInput(
            f"{folder.path}: was written by version {found.get('version', 'unknown')} of the program, whose folders "
            f"differ from those of {__version__}; move it away or choose another study.name."
        )


def sweep_folder(settings: Settings) -> RunFolder:
    """Return the folder of the study, which holds its scenarios' folders."""
    return RunFolder(Path(settings.study.out).expanduser() / settings.study.name)


def run_at(path: Path) -> RunFolder:
    """Return the folder of a finished run. Raises BadInput when there is none."""
    folder = RunFolder(path)
    if not path.is_dir():
        raise BadInput(f"{path}: there is no such folder; give the folder of a run, e.g. results/main/base.")
    if not folder.manifest:
        raise BadInput(f"{path}: is no folder of a run, it has no {MANIFEST}; try one of its subfolders.")
    if not folder.finished:
        raise BadInput(f"{path}: the run is not complete; run it again with the same settings.")
    return folder


def check_out(settings: Settings) -> None:
    """Raise BadInput unless the folder of the run can be made and written to; leave nothing behind."""
    home = sweep_folder(settings).path
    try:
        there = next(path for path in (home, *home.parents) if path.exists())
        with TemporaryDirectory(prefix=".probe-", dir=there) as probe:
            (Path(probe) / home.relative_to(there) / settings.scenario).mkdir(parents=True)
    except OSError as error:
        raise BadInput(
            f"study.out: {home} cannot be written ({error.strerror or error}); choose another folder."
        ) from error


def lived_before(settings: Settings, home: Path | None = None, tables: Path | None = None) -> RunFolder | None:
    """Return a finished run of a study in which the very same days were lived, whatever its name and its prices."""
    key = lived_sha256(settings, tables)
    for manifest in sorted((home or sweep_folder(settings).path).glob(f"*/{MANIFEST}")):
        folder = RunFolder(manifest.parent)
        if folder.finished and folder.manifest.get("lived_sha256") == key:
            return folder
    return None


def fingerprint(settings: Settings, tables: Path | None = None, without: tuple[str, ...] = LENGTH) -> str:
    """Return what tells two runs apart, in hexadecimal: settings and the content of the county's tables.

    `tables`: where these lie if not where the settings say; `without`: what may differ, else how long they are.
    """
    return hashlib.sha256(f"{settings.hash(*without)} {inputs_sha256(settings, tables)}".encode()).hexdigest()


def lived_sha256(settings: Settings, tables: Path | None = None) -> str:
    """Return what tells the days of two runs apart: all but the scenario's name and what only changes money."""
    inputs = _sha256(inputs_of(settings, tables, groups=()))
    return hashlib.sha256(f"{settings.hash('scenario', *MONEY)} {inputs}".encode()).hexdigest()


def inputs_sha256(settings: Settings, tables: Path | None = None) -> str:
    """Return a fingerprint of the inputs: the county's tables, the price list and the limits."""
    return _sha256(inputs_of(settings, tables))


def _sha256(files: dict[str, bytes]) -> str:
    total = hashlib.sha256()
    for name, content in files.items():
        total.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return total.hexdigest()


def inputs_of(
    settings: Settings, tables: Path | None = None, groups: tuple[str, ...] = ("prices", "limits")
) -> dict[str, bytes]:
    """Return the inputs of a run by file name, sorted: the county's tables and some groups of settings."""
    files = {file.name: file.read_bytes() for file in sorted((tables or settings.county.path).glob("*.csv"))}
    for group in groups:
        content = settings.model_dump(mode="json", include={group})[group]
        files[f"{group}.yaml"] = _as_yaml(json.dumps(content))
    return files


@lru_cache
def _as_yaml(content: str) -> bytes:
    """Return what is given as JSON as YAML: the scenarios of a sweep mostly have the same price list."""
    return yaml.safe_dump(json.loads(content), allow_unicode=True, sort_keys=False).encode()


def _is_ours(folder: RunFolder, key: str, settings: Settings) -> bool:
    """Return whether a folder is free or holds a run of this very fingerprint, no longer than is asked for."""
    if not folder.path.exists():
        return True
    if not folder.path.is_dir():
        return False
    found, study = folder.manifest, settings.study
    if not found:
        return not any(folder.path.iterdir())
    most = study.replications if study.precision is None else study.replications_most
    longer = found.get("replications", 0) > most or found.get("years", 0) > study.years
    return found.get("fingerprint") == key and (not longer or found.get("config_sha256") == settings.hash())


def _start(folder: RunFolder, settings: Settings) -> None:
    """Begin a run: clear what an interrupted one left, then write manifest, settings and inputs."""
    check_out(settings)
    old = folder.path.with_name(f".{folder.path.name}.old")
    if folder.path.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.path.rename(old)  # at once: half a folder would be nobody's
    shutil.rmtree(old, ignore_errors=True)
    folder.path.mkdir(parents=True)
    folder.write_manifest(**_birth(settings))
    _equip(folder, settings)


def _equip(folder: RunFolder, settings: Settings) -> None:
    """Write the settings and inputs of a run."""
    folder.write_settings(settings)
    for name, content in inputs_of(settings).items():
        folder.write_bytes(f"{INPUTS}/{name}", content)


def _birth(settings: Settings) -> dict[str, Any]:
    """Return what the manifest says at the start of a run."""
    return {
        **program(),
        "format": FORMAT,
        "source_sha256": source_sha256(),
        "seed": settings.seed,
        "python": platform.python_version(),
        "packages": packages(),
        "inputs_sha256": inputs_sha256(settings),
        "fingerprint": fingerprint(settings),
        "started_utc": _now(),
        "seconds": None,
        "host_cores": os.cpu_count(),
        **length(settings),
        "complete": False,
    }


def lengthened(folder: RunFolder, settings: Settings, replications: int) -> dict[str, Any]:
    """Return what the manifest says of how much is lived, and of how much was when the run was finished before."""
    found, now = folder.manifest, length(settings) | {"replications": replications}
    if not found.get("complete") or all(found[key] == now[key] for key in ("replications", "years")):
        return now
    until = {"until_utc": _now(), **{key: found[key] for key in ("replications", "years")}}
    return {**now, "extended": [*found.get("extended", []), until]}


def length(settings: Settings) -> dict[str, Any]:
    """Return what the manifest says of how much is to be lived."""
    return {
        "replications": settings.study.replications,
        "years": settings.study.years,
        "config_sha256": settings.hash(),
        "lived_sha256": lived_sha256(settings),
    }


@cache
def packages() -> dict[str, str | None]:
    """Return the versions of the packages that make the numbers."""
    return {name: _version(name) for name in PACKAGES}


@cache
def source_sha256() -> str:
    """Return what tells two states of the program apart: the hash of its source and the packages it works with."""
    digest = hashlib.sha256(repr(packages()).encode())
    for path in sorted((CONFIGS.parent / "sim").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def program() -> dict[str, Any]:
    """Return which state of the program this is."""
    commit, dirty = _git()
    return {"version": __version__, "git_commit": commit, "git_dirty": dirty}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


@cache
def _git() -> tuple[str | None, bool | None]:
    """Return the commit of the code and whether it was changed since; nothing when there is no git."""
    root = CONFIGS.parent
    if not (root / ".git").exists():
        return None, None
    try:
        commit = _git_says(root, "rev-parse", "HEAD")
        return commit, bool(_git_says(root, "status", "--porcelain"))
    except (OSError, subprocess.SubprocessError):
        return None, None


def _git_says(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()
