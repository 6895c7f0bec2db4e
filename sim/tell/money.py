"""All that the report says about money, put together for its page."""

from __future__ import annotations

from typing import Any

from sim.tell import budget, campus, capital, driver, family, ledger, net, payer, unit_cost
from sim.tell.run import Run

MOST_GROUPS = 8
"""Groups of families told at first sight; the others stand below."""


def money(run: Run) -> dict[str, Any]:
    """Return the tables and sentences about money by name; a table without rows is not shown."""
    speak = run.words.speak
    return {
        "budget": budget.yearly_table(run),
        "accounts": budget.account_table(run),
        "worth": budget.worth_table(run),
        "payers": payer.payer_table(run),
        "rules": payer.rules(run) if len(run.budget) else [],
        "unit_costs": unit_cost.last_table(run),
        "unit_costs_yearly": unit_cost.yearly_table(run),
        "bands": unit_cost.band_table(run),
        "outside": unit_cost.outside_table(run),
        "bands_story": speak(unit_cost.story(run)),
        "drivers": driver.table(run),
        "drivers_story": speak(driver.story(run)),
        "capital": capital.table(run),
        "capital_yearly": capital.yearly_table(run),
        "ledger": ledger.story(run) if len(run.budget) else [],
        "trust": ledger.trust_table(run),
        "net": net.table(run),
        "net_story": speak(net.story(run)),
        "net_accounts": net.account_table(run),
        **_families(run),
        "campuses": campus.table(run),
        "campus_story": speak(campus.story(run)),
        "register": campus.register(run),
    }


def _families(run: Run) -> dict[str, Any]:
    """Return what is said about the cost to families: sentences, the groups with the largest rise, and all of them."""
    if run.if_there("family.csv").empty:
        return {"family_story": ""}
    most, every = family.family_table(run, MOST_GROUPS), family.family_table(run, len(run.if_there("family.csv")))
    further = {"family_all": every} if len(every.rows) > len(most.rows) else {}
    return {"family_story": run.words.speak(family.notes(run)), "family": most, **further}


def within(told: dict[str, Any]) -> tuple[str, ...]:
    """Return the sub-sections of the budget."""
    there = {
        "payers": told["payers"].rows,
        "unit_costs": told["unit_costs"].rows or told["bands"].rows,
        "drivers": told["drivers"].rows,
        "capital": told["capital"].rows,
        "ledger": told["trust"].rows,
    }
    return tuple(name for name, shown in there.items() if shown)


def sections(told: dict[str, Any]) -> tuple[str, ...]:
    """Return the sections about money that stand after the budget."""
    there = {"net": told["net"].rows, "family": told["family_story"], "campuses": told["campuses"].rows}
    return tuple(name for name, shown in there.items() if shown)
