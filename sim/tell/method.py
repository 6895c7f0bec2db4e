"""The method statement: what was simulated and how, what was checked against what, and the limits that are known."""

from __future__ import annotations

from sim.tell import relief
from sim.tell.facts import county_name
from sim.tell.number import number
from sim.tell.run import Run
from sim.tell.stress_des import weeks

CHECKED = ("queue", "simpy", "nobody_lost", "bus", "enrol", "luck", "weeks", "not")
SHORTFALLS = ("weather", "ways", "breakdown", "lodge", "purchases", "town")
PARTS = ("simulated", "how", "luck", "harm", "checked", "limits")
"""The parts of the statement, in order; a section `method_...` each."""


def statement(run: Run) -> dict[str, list[str]]:
    """Return the paragraphs of each part of the method statement; what was checked and is left out are lists."""
    word = run.words
    return {
        "simulated": [_simulated(run)],
        "how": [word("text.method_model"), word("method.event"), _plan(run), _money(run), _tried(run)],
        "luck": [word("text.method_luck"), *_sampled(run), word("text.method_sure"), word("text.method_small")],
        "harm": [word("text.method_harm")],
        "checked": [word(f"checked.{each}") for each in CHECKED],
        "limits": [word(f"shortfall.{each}") for each in SHORTFALLS],
    }


def _simulated(run: Run) -> str:
    table = run.totals("enrolment", ["replication", "year"], "pupils")
    first = table.loc[table["year"] == run.years[0], "pupils"].mean()
    return run.words(
        "method.simulated",
        years=len(run.years),
        first=run.years[0],
        last=run.years[-1],
        county=county_name(run),
        schools=number(len(run.schools)),
        hamlets=number(len(run.hamlets)),
        pupils=number(first, 0),
        scenario=run.settings.scenario,
        replications=run.words.count("replications", len(run.replications)),
        weeks=weeks(run),
    )


def _plan(run: Run) -> str:
    rule, basis = run.settings.assign.rule, run.settings.plan.basis
    return run.words("method.plan", basis=run.words.term("basis", basis), rule=run.words.term("assign", rule))


def _money(run: Run) -> str:
    account = run.settings.account
    return run.words("method.money", draws=account.price_draws, correlation=f"{account.price_correlation:g}")


def _tried(run: Run) -> str:
    return run.words("method.relieved" if relief.told(run) else "method.not_relieved")


def _sampled(run: Run) -> list[str]:
    return [run.words("method.sampled")] if run.settings.calendar.weeks_per_year else []
