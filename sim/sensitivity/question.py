"""Answer a question of sensitivity: check it, live it, and write the tables of its folder."""

from __future__ import annotations

from functools import partial
from typing import Any

from sim.check import refuse
from sim.config import Settings
from sim.config.sensitivity import Sensitivity
from sim.county import County, check_county, read_county
from sim.errors import BadInput, refusals
from sim.judge.compare import JUDGED, LIVED, MONEY
from sim.sensitivity.draw import Drawn, Evaluation, evaluations
from sim.sensitivity.index import coefficients, indices, luck, tornado
from sim.sensitivity.live import Asked, live, lived
from sim.store import RunFolder, check_out, sweep_folder
from sim.sweep import Outcome

MEASURES = (*LIVED, *JUDGED, *MONEY)
NET_COST = MONEY[-1]
ABOUT = "sensitivity.yaml"
TABLES = {"sobol": ("indices", indices), "lhs": ("coefficients", coefficients)}
"""What is made of all settings drawn at once, by method."""


def answer(question: Sensitivity, settings: Settings) -> tuple[RunFolder, list[Outcome]]:
    """Live all evaluations, write what each setting does, and return the folder and the evaluations that failed.

    When one failed, no table is made of the others; they are not lived again. Raises BadInput, before anything is
    lived, for a setting, a draw or an output that cannot be.
    """
    asked = _checked(question, _as_lived(question, settings))
    folder = sweep_folder(settings)
    failed = live(asked, folder)
    if not failed:
        _write(asked, folder, settings)
    return folder, failed


def _as_lived(question: Sensitivity, settings: Settings) -> Settings:
    """Return settings without what no output tells: the county without closing, and events of the first day."""
    changes: dict[str, Any] = {}
    if NET_COST not in question.outputs:
        changes["account"] = settings.account.model_copy(update={"base": "none"})
    events = tuple(day for day in settings.study.keep_events if day != "first")
    changes["study"] = settings.study.model_copy(update={"keep_events": events})
    return settings.model_copy(update=changes)


def _checked(question: Sensitivity, settings: Settings) -> Asked:
    """Return what is to be lived; raises BadInput with all that cannot be, in the question, the county or a draw."""
    wrong = [f"sensitivity.outputs: there is no measure {output}; choose of {', '.join(MEASURES)}."
             for output in question.outputs if output not in MEASURES]  # fmt: skip
    if NET_COST in question.outputs and settings.account.base == "none":
        wrong.append(f"sensitivity.outputs: {NET_COST} needs account.base=not_closing.")
    wrong += check_county(settings.county.path)
    if wrong:
        raise BadInput(*wrong)
    drawn = Drawn(question, settings)
    drawn.check()
    asked = Asked(question, drawn, evaluations(question))
    county = read_county(settings.county.path)
    wrong = refusals(*(partial(_refuse, asked, one, county) for one in asked.evaluations))
    if wrong:
        raise BadInput(*wrong)
    check_out(settings)
    return asked


def _refuse(asked: Asked, one: Evaluation, county: County) -> None:
    refuse(asked.settings(one), county)


def _write(asked: Asked, folder: RunFolder, settings: Settings) -> None:
    """Write the tables of the answer, and what was asked."""
    question, results = asked.question, lived(asked, folder)
    for method, (name, act) in TABLES.items():
        folder.file(name).unlink(missing_ok=True)  # of another question in the same study
        if method == question.method:
            folder.write_table(name, act(question, results))
    folder.write_table("tornado", tornado(question, results, asked.drawn.told))
    folder.write_table("luck", luck(question, results))
    about = {"sensitivity": question.model_dump(mode="json"), "evaluations": len(asked.evaluations)}
    folder.write_yaml(ABOUT, about | {"settings": settings.model_dump(mode="json")})
