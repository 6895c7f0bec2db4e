"""Run folders with made-up quantities of every account: what the workbook is made of, priced as settings say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sample_run import sample_run

from sim.account.ledger import ledger
from sim.account.money import money
from sim.account.price import ACCOUNTS, BUS_PURCHASE, accounts, charge_of
from sim.account.quantity import COLUMNS
from sim.config import Settings
from sim.store import RunFolder

SITES = ("S1", "S2", "S3", "S4", "S5")
POSTS_AND_KM = {"driver": 11.0, "attendant": 12.0, "buses_owned": 14.0}
LIVED = {"bus_km": 18000.0, "bed_night": 4100.0, "meal_breakfast": 5200.0, "meal_lunch": 9300.0, "meal_dinner": 5100.0,
         "line_bus_ride": 16000.0, "riders": 41.3, "riders_hardship": 11.7, "lodgers": 26.4}  # fmt: skip
OF_THE_COUNTY = ("stop_place", "town_place", "teacher")


def money_run(folder: Path, *overrides: str, small: float = 7.0) -> Path:
    """Write a sample run of three years and four replications whose ledger holds every account.

    `small`: pupils of school S4, of any kind; the other schools have more.
    """
    sample_run(folder, *overrides)
    run = RunFolder(folder)
    settings = run.settings
    counted = made_quantities(settings, small)
    book = ledger(settings, counted)
    for name, table in {"quantities": counted, "ledger": book, **money(settings, book, counted)}.items():
        run.write_table(name, table)
    return folder


def made_quantities(settings: Settings, small: float) -> pd.DataFrame:
    """Return quantities with many digits, so that every product has a part of a fen to be rounded.

    Those of km end in .202: at 2.5 yuan each product ends in half a fen.
    """
    luck = np.random.default_rng(5)
    years = [settings.study.first_year + k for k in range(settings.study.years)]
    items = {charge_of(name).counts or name for name in accounts(settings)} - {"bus_aid"}
    rows = []
    for item in sorted(items):
        whole = item.startswith(BUS_PURCHASE) or item in (*POSTS_AND_KM, *OF_THE_COUNTY) or item.startswith("idle_")
        for year in years:
            for place, site in enumerate(("county",) if whole else SITES):
                usual = (LIVED | POSTS_AND_KM).get(item, 20.0) * (1 + 0.3 * place)
                usual = small * (usual / 20 if item in LIVED else 1) if site == "S4" else usual
                drawn = usual * (1 + 0.2 * luck.random(settings.study.replications))
                drawn = np.floor(drawn) + 0.202 if item == "bus_km" else drawn
                told = enumerate(drawn) if item in LIVED else [(pd.NA, drawn[0])]
                rows += [(settings.scenario, number, year, site, item, round(value, 6)) for number, value in told]
    unit = {name: charge.unit for name, charge in ACCOUNTS.items()}
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "unit"])
    table["unit"] = table["item"].map(unit).fillna("piece")
    return table.astype({"replication": "Int64"})[list(COLUMNS)]
