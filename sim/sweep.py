"""Several scenarios at once: they share one pool of workers, and each gets a folder of its own."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from sim.config import Settings
from sim.errors import BadInput
from sim.store import RunFolder


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one scenario ended."""

    scenario: str
    folder: RunFolder | None
    fault: str = ""
    """One sentence and, when it is our fault, where; empty when all went well."""
    bad_input: bool = False


def live_scenarios(asked: Sequence[Settings], *, pages: bool = True) -> list[Outcome]:
    """Live scenarios and return how each ended, in their order; what was finished before is not lived again.

    pages: whether reports, workbooks and figures are drawn, beside the tables.
    """
    from sim.study import run

    ended = []
    for settings in asked:
        try:
            ended.append(Outcome(settings.scenario, run(settings)))
        except BadInput as error:
            ended.append(Outcome(settings.scenario, None, "\n".join(error.messages), bad_input=True))
        except Exception as error:
            ended.append(Outcome(settings.scenario, None, f"{error}\n{traceback.format_exc()}"))
    return ended
