"""A choice: many plans, of which the cheapest is wanted that holds its limits, and how sure that is."""

from __future__ import annotations

from sim.choose.answer import choose as contest
from sim.choose.plans import Plans
from sim.cli import DONE, OUR_FAULT
from sim.cli.show import as_table, say, terminal
from sim.config.multirun import scenarios
from sim.errors import BadInput
from sim.tell.choose import Choice
from sim.tell.page import choice_page
from sim.tell.plans import foremost
from sim.tell.words import Words
from sim.workers import console


def choose(overrides: list[str]) -> int:
    """Choose among all plans of the lists of values, write and show the answer, and return the exit code.

    All settings, the county's tables and the output folder are checked before the first plan is lived.
    """
    if any(word.split("=")[0] == "study.replications" for word in overrides):
        raise BadInput(
            "study.replications: a choice decides itself how often plans are lived; see choose.replications_first, "
            "choose.replications_most and choose.confirm_replications."
        )
    plans = Plans(tuple(scenario.settings for scenario in scenarios(overrides)), say)
    word = Words(plans.settings[0].report.language)
    say(word("terminal.plans", count=len(plans.settings), swept=word.join(list(plans.swept))))
    folder = contest(plans)
    page = choice_page(folder.path)
    choice = Choice(folder.path)
    terminal().print(as_table(foremost(choice), word("terminal.plans_shown")))
    for sentence in (*choice.answer(), choice.guarantee()[0], word("terminal.answer", place=page)):
        say(sentence)
    told = console()
    for plan, fault in plans.faults.items():
        told.print(f"Plan {plans.settings[plan].scenario} failed: {fault}", markup=False, soft_wrap=True)
    return OUR_FAULT if plans.faults else DONE
