"""Only one at a time writes into the folder of a study; who dies lets go of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from sim.errors import BadInput

LOCK = ".lock"


@contextmanager
def only_me(studies: Collection[Path]) -> Iterator[None]:
    """Keep others from writing into the folders of studies. Raises BadInput when somebody else is writing there."""
    with ExitStack() as held:
        for study in sorted(studies):
            if not study.exists():
                study.mkdir(parents=True)
                held.callback(_forget, study)
            try:
                held.enter_context(FileLock(study / LOCK, timeout=0))
            except Timeout as error:
                raise BadInput(
                    f"{study}: another run is writing into this study; wait until it has ended, or choose another "
                    "study.name."
                ) from error
        yield


def _forget(study: Path) -> None:
    """Leave no folder behind into which nothing was written."""
    if {path.name for path in study.iterdir()} <= {LOCK}:
        (study / LOCK).unlink(missing_ok=True)
        study.rmdir()
