"""What lies in a run folder, and how it gets there: whole files or none.

Every file is written under a temporary name and renamed when it is whole, so nobody ever reads half a file.
"""

from __future__ import annotations

from sim.store.folder import CONFIG, INPUTS, MANIFEST, RunFolder
from sim.store.place import (
    PACKAGES,
    check_out,
    clear_notes,
    fingerprint,
    inputs_sha256,
    lived_before,
    lived_sha256,
    open_run,
    run_at,
    run_folder,
    sweep_folder,
)
from sim.store.reprice import repriced, repriced_folder

__all__ = [
    "CONFIG", "INPUTS", "MANIFEST", "PACKAGES", "RunFolder", "check_out", "clear_notes", "fingerprint",
    "inputs_sha256", "lived_before", "lived_sha256", "open_run", "repriced", "repriced_folder", "run_at", "run_folder",
    "sweep_folder",
]  # fmt: skip
