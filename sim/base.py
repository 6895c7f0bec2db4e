"""The base case: the same county with the same luck in which no school closes, lived beside a run."""

from __future__ import annotations

import yaml

from sim.config import CONFIGS, Closure, Settings
from sim.errors import BadInput
from sim.store import INPUTS, RunFolder, lived_before, lived_sha256

NOT_CLOSING = "not_closing"
"""Name of its scenario: a run like any other, in a folder of its own."""


def base_settings(settings: Settings) -> Settings | None:
    """Return the settings of the base that is asked for: all the same, but no school closes; None when none is.

    A run that closes no school is its own base.
    """
    closure = settings.closure
    if settings.account.base == "none":
        return None
    if not (closure.steps or closure.named or closure.listed):
        return settings
    option = (CONFIGS / "closure" / "none.yaml").read_text(encoding="utf-8")
    none = Closure.model_validate(yaml.safe_load(option))
    account = settings.account.model_copy(update={"base": "none"})
    judge = settings.judge.model_copy(update={"relief": "off"})  # only what closing costs is asked of it
    return settings.model_copy(update={"scenario": NOT_CLOSING, "closure": none, "account": account, "judge": judge})


def base_beside(run: RunFolder, settings: Settings) -> RunFolder | None:
    """Return the base that lies beside a finished run, None when none is asked for; its own prices do not matter.

    Raises BadInput when there is none.
    """
    wanted = base_settings(settings)
    if wanted is None or wanted is settings:
        return run if wanted else None
    home = run.path.resolve().parent
    named = RunFolder(home / str(run.manifest.get("base") or ""))
    same = wanted.bells.windows or named.manifest.get("lived_sha256") == lived_sha256(wanted, run.path / INPUTS)
    if run.manifest.get("base") and named.finished and same:
        return named
    found = lived_before(wanted, home, run.path / INPUTS)
    if found is None:
        raise BadInput(
            f"account.base: beside {run.path} lies no run of the same county and luck that closes no school; "
            "python -m sim run with account.base=not_closing lives one."
        )
    return found
