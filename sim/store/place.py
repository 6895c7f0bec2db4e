"""Where a run lies: the same settings and inputs find their own folder again, and nobody else's."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from sim import __version__
from sim.config import CONFIGS, MONEY, Settings
from sim.errors import BadInput
from sim.store.folder import CONFIG, INPUTS, MANIFEST, RunFolder

PACKAGES = (
    "simpy", "numpy", "scipy", "numba", "pyvrp", "hydra-core", "omegaconf", "joblib", "pydantic", "pandas",
    "pyarrow", "pandera",
)  # fmt: skip


def open_run(settings: Settings) -> RunFolder:
    """Return the folder for a run: finished already, or new and empty but for its settings and inputs.

    An incomplete run of the same settings is cleared away. Raises BadInput when the folder cannot be written.
    """
    folder = run_folder(settings)
    if not folder.finished:
        _start(folder, settings)
    return folder


def run_folder(settings: Settings) -> RunFolder:
    """Return the folder that a run has or will have, without touching anything.

    The same settings and inputs find their own folder again. When other ones lie there, the name gets `-` and
    six hexadecimal digits.
    """
    home = sweep_folder(settings).path
    key = fingerprint(settings)
    folder = RunFolder(home / settings.scenario)
    if not _is_ours(folder, key):
        folder = RunFolder(home / f"{settings.scenario}-{key[:6]}")
        if not _is_ours(folder, key):
            raise BadInput(f"study.out: {folder.path} holds other files; choose another study.name or scenario.")
    return folder


def sweep_folder(settings: Settings) -> RunFolder:
    """Return the folder of the study, which holds its scenarios' folders."""
    return RunFolder(Path(settings.study.out).expanduser() / settings.study.name)


def clear_notes(settings: Settings) -> None:
    """Remove what Hydra noted for itself about a sweep of this study (its hydra.sweep.dir)."""
    notes = Path(settings.study.out).expanduser() / ".sweeps"
    shutil.rmtree(notes / settings.study.name, ignore_errors=True)
    with suppress(OSError):  # notes of another sweep that still runs
        notes.rmdir()


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


def fingerprint(settings: Settings, tables: Path | None = None) -> str:
    """Return what tells two runs apart, in hexadecimal: settings and the content of the county's tables.

    `tables`: where these lie if not where the settings say.
    """
    return hashlib.sha256(f"{settings.hash()} {inputs_sha256(settings, tables)}".encode()).hexdigest()


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
        files[f"{group}.yaml"] = yaml.safe_dump(content, allow_unicode=True, sort_keys=False).encode()
    return files


def _is_ours(folder: RunFolder, key: str) -> bool:
    """Return whether a folder is free or holds a run of this very fingerprint."""
    if not folder.path.exists():
        return True
    if not folder.path.is_dir():
        return False
    known = folder.manifest.get("fingerprint")
    return known == key or (known is None and not any(folder.path.iterdir()))


def _start(folder: RunFolder, settings: Settings) -> None:
    """Begin a run: clear what an interrupted one left, then write manifest, settings and inputs."""
    check_out(settings)
    if folder.path.exists():
        shutil.rmtree(folder.path)
    folder.path.mkdir(parents=True)
    folder.write_manifest(**_birth(settings))
    folder.write_yaml(CONFIG, settings.model_dump(mode="json"))
    for name, content in inputs_of(settings).items():
        folder.write_bytes(f"{INPUTS}/{name}", content)


def _birth(settings: Settings) -> dict[str, Any]:
    """Return what the manifest says at the start of a run."""
    return {
        **program(),
        "seed": settings.seed,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "config_sha256": settings.hash(),
        "inputs_sha256": inputs_sha256(settings),
        "fingerprint": fingerprint(settings),
        "lived_sha256": lived_sha256(settings),
        "started_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": None,
        "host_cores": os.cpu_count(),
        "replications": settings.study.replications,
        "complete": False,
    }


def program() -> dict[str, Any]:
    """Return which state of the program this is."""
    commit, dirty = _git()
    return {"version": __version__, "git_commit": commit, "git_dirty": dirty}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


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
