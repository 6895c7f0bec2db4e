"""What depends on prices: made when a study is written, and again for a finished run at other prices."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pandas as pd

from sim.account.band import unknown_measures
from sim.account.close import PRICED, close_costs
from sim.account.family import family
from sim.account.ledger import ledger
from sim.account.money import money
from sim.account.price import missing_prices
from sim.base import base_beside
from sim.config import Settings
from sim.county import County, read_county
from sim.errors import BadInput
from sim.judge.compare import headline_table
from sim.judge.purchase import purchases
from sim.judge.relief import relief, with_relief
from sim.judge.risk import exceedance, of_cost
from sim.store import INPUTS, RunFolder, repriced, repriced_folder

Tables = dict[str, pd.DataFrame]
USED = "quantities"
"""Table of what was used; it holds no price, and everything that does is made from it."""
AGAIN = ("relieved", "bought", "harm_left")
"""Tables of years that were lived again with more of what is short; they hold no price either."""


def reprice(run: RunFolder, settings: Settings, pages: bool = True) -> RunFolder:
    """Return the folder of a run at the prices, payers and bands of `settings`; it is made where there is none yet.

    Only what depends on them is written anew, and what tells the scenario's name where that is another; nothing is
    simulated, and the run stays as it is. Raises BadInput for a missing price and for a run that kept no quantities.
    """
    target = repriced_folder(run, settings)
    if target.finished:
        return target
    wrong = [*missing_prices(settings), *unknown_measures(settings)]
    if not all(run.file(name).is_file() for name in (USED, *AGAIN)):
        wrong.append(f"{run.path}: was lived with an older version of the program that kept too little; live it again.")
    if wrong:
        raise BadInput(*wrong)
    base = base_beside(run, settings)
    tables = priced(settings, read_county(run.path / INPUTS), run.read_table, base)
    with repriced(run, settings, target, _as_they_are(run, settings)) as draft:
        write_tables(draft, settings, tables)
        draft.write_manifest(base=(target if base is run else base).path.name if base else None)
        if base is None:
            draft.file("net").unlink(missing_ok=True)
        draft.write_table("headlines", headline_table(draft.path, target.path.parent))
        if pages:
            tell(draft, redraw=settings.scenario != run.settings.scenario)
    return target


def _as_they_are(run: RunFolder, settings: Settings) -> list[str]:
    """Return what is for people and stays as it is: what tells of days; pages of schools tell fees and costs."""
    from sim.tell.drawing import files_of
    from sim.tell.figure import OF_DAYS
    from sim.tell.replay import PAGE

    before = run.settings
    same = (settings.report, settings.scenario) == (before.report, before.scenario)
    return [PAGE, *(file for name in OF_DAYS for file in files_of(name))] if same else []


def priced(
    settings: Settings, county: County, read: Callable[[str], pd.DataFrame], base: RunFolder | None = None
) -> Tables:
    """Return every table that depends on prices; `read` gives the others by name.

    With a base, the county without closing, also what the run costs more than that: both at the same prices.
    """
    used, against = read(USED), ledger(settings, base.read_table(USED)) if base else None
    tables = {"ledger": ledger(settings, used)}
    tables["cost_exceedance"] = exceedance(settings, of_cost(tables["ledger"]))
    tables |= money(settings, tables["ledger"], used, against)
    tables |= close_costs(settings, county, {name: read(name) for name in PRICED})
    tables["family"] = family(settings, read("family_pupils"))
    tables["bottlenecks"] = with_relief(settings, county, read("bottlenecks"))
    return tables | priced_relief(settings, county, {name: read(name) for name in AGAIN}, tables["bottlenecks"])


def priced_relief(settings: Settings, county: County, again: Tables, bottlenecks: pd.DataFrame) -> Tables:
    """Return what relief avoids and what to buy, priced; again: the tables of what was lived again."""
    return {
        "relief": relief(settings, bottlenecks, again["relieved"]),
        "purchases": purchases(settings, county, again["bought"], again["harm_left"]),
    }


def write_tables(folder: RunFolder, settings: Settings, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write tables of a run under its scenario's name."""
    for name, frame in tables.items():
        folder.write_table(name, frame.assign(scenario=settings.scenario))


def tell(folder: RunFolder, redraw: bool = True) -> None:
    """Draw the figures, the report and the workbook from the files of a run; without `redraw`, days as they lie."""
    from sim.tell.page import report
    from sim.tell.run import Run
    from sim.tell.workbook import workbook

    run = Run(folder.path)  # both read the same tables
    with uncollected():
        report(run, redraw)
        workbook(run)


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: figures and workbooks are so many small things that it takes a sixth of the time.

    What is let go by all is freed as ever; only rings of things that hold each other stay until afterwards.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
