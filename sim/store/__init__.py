"""What lies in a run folder, and how it gets there: whole files or none.

Every file is written under a temporary name and renamed when it is whole, so nobody ever reads half a file.
"""

from __future__ import annotations

from sim.store.folder import CONFIG, INPUTS, MANIFEST, RunFolder
from sim.store.lock import only_me
from sim.store.part import EVENTS, drop_parts, join_parts, packed, parts_of, read_parts, write_part
from sim.store.place import (
    PACKAGES,
    check_format,
    check_out,
    fingerprint,
    inputs_sha256,
    is_finished,
    lengthened,
    lived_before,
    lived_sha256,
    open_run,
    run_at,
    run_folder,
    sweep_folder,
)
from sim.store.reprice import repriced, repriced_folder

__all__ = [
    "CONFIG", "EVENTS", "INPUTS", "MANIFEST", "PACKAGES", "RunFolder", "check_format", "check_out", "drop_parts",
    "fingerprint", "inputs_sha256", "is_finished", "join_parts", "lengthened", "lived_before", "lived_sha256",
    "only_me", "open_run", "packed", "parts_of", "read_parts", "repriced", "repriced_folder", "run_at", "run_folder",
    "sweep_folder", "write_part",
]  # fmt: skip
