"""Every table that is made of the ledger: one call for a study, and for pricing a run again."""

from __future__ import annotations

import pandas as pd

from sim.account.amount import laid_out
from sim.account.band import bands
from sim.account.budget import all_years, budget, by_site
from sim.account.capital import capital
from sim.account.driver import drivers
from sim.account.net import difference, net
from sim.account.unit_cost import unit_costs
from sim.config import Settings
from sim.tables import run_table

TABLES = ("budget", "budget_sites", "all_years", "capital", "unit_costs", "drivers", "bands")


def money(
    settings: Settings, ledger: pd.DataFrame, quantities: pd.DataFrame, base_ledger: pd.DataFrame | None = None
) -> dict[str, pd.DataFrame]:
    """Add a ledger up in every way that the finance office asks for; nothing is lived again.

    `base_ledger`: the ledger of not closing, to compare with (`net`). Returns tables by name, with their declared
    columns; without any line in the ledger they are empty.
    """
    if ledger.empty:
        return {name: pd.DataFrame(columns=list(run_table(name).names)) for name in TABLES}
    amounts = laid_out(settings, ledger)
    tables = {
        "budget": budget(settings, amounts),
        "budget_sites": by_site(amounts),
        "all_years": all_years(settings, amounts).assign(against="nothing"),
        "capital": capital(settings, amounts),
        "unit_costs": unit_costs(settings, amounts, quantities),
        "drivers": drivers(settings, amounts),
        "bands": bands(settings, amounts, quantities),
    }
    if base_ledger is not None:
        more = difference(settings, ledger, base_ledger)
        of_both = [tables["all_years"], all_years(settings, more).assign(against="not_closing")]
        tables |= {"net": net(more), "all_years": pd.concat(of_both)}
    scenario = settings.scenario
    return {name: table.assign(scenario=scenario)[list(run_table(name).names)] for name, table in tables.items()}
