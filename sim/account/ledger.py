"""The ledger: one line for each replication, year, site, account and payer; quantity times price, to the fen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.account.price import BUS_PURCHASE, RETIRED, accounts, charge_of, life_years, shares, unit_price
from sim.config import Settings
from sim.plan.staff import COUNTY_SITE
from sim.units import DIGITS, FEN_PER_YUAN, to_fen

COLUMNS = (
    "scenario", "replication", "year", "site_id", "account", "nature", "payer", "payee", "quantity", "unit",
    "unit_price_yuan", "share", "amount_yuan",
)  # fmt: skip
Floats = NDArray[np.float64]
Rule = Callable[[Settings, pd.DataFrame], pd.DataFrame]
"""Turns what was counted into the quantity that is charged: rows with year, site_id, quantity."""
Lines = tuple[pd.DataFrame, dict[str, Any]]
"""Rows of replication, year, site_id, quantity, and what is the same in all of them, by column."""
TEXTS = ("account", "nature", "payer", "payee", "unit")


def ledger(settings: Settings, quantities: pd.DataFrame) -> pd.DataFrame:
    """Write down what every year costs, who pays and who gets it, replication by replication.

    `quantities` has the columns of quantities.parquet; the prices, lives and shares are those of the settings. Costs
    are positive, income negative; cash of the year only. A transfer is two lines that sum to zero. What the plan
    decides (buses, posts, beds) is the same in every replication.
    Returns the columns of ledger.parquet, texts as categories. Raises BadInput when a price that is needed is missing.
    """
    counted = dict(iter(quantities.groupby("item", observed=True)))
    counted["bus_aid"] = quantities[quantities["item"].str.startswith(BUS_PURCHASE)]
    lines = [line for account in accounts(settings) for line in _lines(settings, account, counted)]
    lived = quantities["replication"].max()  # more than asked for, where they went on until means were precise
    table = _in_every_replication(
        lines, np.arange(max(settings.study.replications, 0 if pd.isna(lived) else lived + 1))
    )
    exact = table["quantity"] * table["unit_price_yuan"] * table["share"]
    table["amount_yuan"] = to_fen(exact) / FEN_PER_YUAN
    table.insert(0, "scenario", settings.scenario)
    keys = ["replication", "year", "account", "site_id", "payer", "payee"]
    return table.sort_values(keys, ignore_index=True)[list(COLUMNS)]


def totals(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Add up a ledger over `keys`, exactly, in whole fen; returns the keys and `fen`."""
    fen = table.assign(fen=to_fen(table["amount_yuan"]))
    return fen.groupby(list(keys), observed=True, as_index=False)["fen"].sum()


def _lines(settings: Settings, account: str, counted: Mapping[str, pd.DataFrame]) -> Iterator[Lines]:
    """Return the lines of an account: one set for each payer, and for a transfer one for who gets it."""
    charge = charge_of(account)
    rows = counted.get(charge.counts or account)
    if rows is None or rows.empty:
        return
    rows = _charged(settings, account, rows)
    rows = rows.assign(quantity=rows["quantity"].astype(float).round(DIGITS))
    rows = rows[rows["quantity"] != 0]
    same = {
        "account": account,
        "nature": charge.nature,
        "payee": charge.payee,
        "unit": charge.unit,
        "unit_price_yuan": unit_price(settings, account),
    }
    for payer, share in shares(settings, account).items():
        line = same | {"payer": payer, "share": round(share * _part(settings, account), DIGITS)}
        yield rows, line
        if charge.nature == "transfer":
            yield rows.assign(quantity=-rows["quantity"]), line | {"payer": charge.payee, "payee": payer}


def _part(settings: Settings, account: str) -> float:
    """Return which part of its full price an account is charged."""
    return settings.account.hardship_fare_waived if account == "fare_waived" else 1.0


def _charged(settings: Settings, account: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return what is charged of what was counted, by the rule of the account; as it is where there is none."""
    charge = charge_of(account)
    if account.startswith(BUS_PURCHASE):
        rows = _without_those_there(settings, account, rows)
    if charge.nature == "capital" and charge.item:
        charged = _bought(settings, rows, life_years(settings, account))
    elif account.startswith(RETIRED):
        charged = _retired(settings, rows)
    else:
        charged = RULES[account](settings, rows) if account in RULES else rows
    charged = charged[["replication", "year", "site_id", "quantity"]]
    return charged.assign(quantity=-charged["quantity"]) if charge.nature == "income" else charged


def _bus_aid(settings: Settings, buses: pd.DataFrame) -> pd.DataFrame:
    """Return the buses bought, of all kinds together: each gets the aid."""
    kinds = [
        _bought(settings, _without_those_there(settings, str(kind), rows), life_years(settings, str(kind)))
        for kind, rows in buses.groupby("item", observed=True)
    ]
    bought = pd.concat(kinds).groupby(["year", "site_id"], as_index=False)["quantity"].sum()
    return bought.assign(replication=pd.NA)


def _without_those_there(settings: Settings, account: str, buses: pd.DataFrame) -> pd.DataFrame:
    """Return the buses of a kind that have to be bought: those there at the start last through the study."""
    there = settings.account.buses_there.get(account.removeprefix(BUS_PURCHASE), 0)
    return buses.assign(quantity=(buses["quantity"] - there).clip(lower=0))


def _bought(settings: Settings, stock: pd.DataFrame, life_years: float) -> pd.DataFrame:
    """Return what must be bought each year at each site so that the stock is there."""
    first, many = settings.study.first_year, settings.study.years
    needed = stock.pivot_table(index="year", columns="site_id", values="quantity", aggfunc="sum", fill_value=0.0)
    needed = needed.reindex(range(first, first + many), fill_value=0.0)
    bought = needed.copy()
    bought[:] = purchases(needed.to_numpy(float), life_years)
    return bought.rename_axis(columns="site_id").stack().rename("quantity").reset_index().assign(replication=pd.NA)


def purchases(needed: Floats, life_years: float) -> Floats:
    """Return what must be bought each year so that enough is there: (Y, X) from what is needed (Y, X).

    What is bought lasts `life_years` and is then bought again if it is still needed.
    """
    bought = np.zeros_like(needed)
    for year in range(len(needed)):
        alive = sum((bought[k] for k in range(year) if year - k < life_years), np.zeros(needed.shape[1]))
        bought[year] = np.maximum(needed[year] - alive, 0)
    return bought


def _months(settings: Settings, riders: pd.DataFrame) -> pd.DataFrame:
    """Return the months for which riders pay."""
    return riders.assign(quantity=riders["quantity"] * settings.account.fare_months)


def _to_the_floor(settings: Settings, schools: pd.DataFrame) -> pd.DataFrame:
    """Return the pupils for whom small schools are funded without having them, given those they have."""
    missing = (settings.account.floor_pupils - schools["quantity"]).clip(lower=0.0)
    return schools.assign(quantity=missing)


def _floor_kept(settings: Settings, schools: pd.DataFrame) -> pd.DataFrame:
    """Return the same for schools that have closed, in the years in which they keep it."""
    age = schools["year"] - schools.groupby("site_id", observed=True)["year"].transform("min")
    return _to_the_floor(settings, schools[age < settings.account.floor_kept_years])


def _retired(settings: Settings, idle: pd.DataFrame) -> pd.DataFrame:
    """Return the posts of people without work who have retired by each year and are not followed by anybody.

    R(y) = min(U(y), R(y-1) + r (U(y) - R(y-1))): of U people without a post, each year a share r of those who are
    still paid leaves the payroll; when posts are there again, their places are filled again.
    """
    by_year = idle.groupby("year")["quantity"].sum()
    first, many = settings.study.first_year, settings.study.years
    gone, rows = 0.0, []
    for without in by_year.reindex(range(first, first + many), fill_value=0.0):
        gone = min(without, gone + settings.account.retire_share * max(without - gone, 0.0))
        rows.append(gone)
    years = range(first, first + many)
    return pd.DataFrame({"replication": pd.NA, "year": years, "site_id": COUNTY_SITE, "quantity": rows})


RULES: dict[str, Rule] = {
    "bus_aid": _bus_aid,
    "family_fare": _months,
    "fare_waived": _months,
    "small_school_floor": _to_the_floor,
    "floor_kept": _floor_kept,
}


def _in_every_replication(lines: Sequence[Lines], replications: NDArray[np.int64]) -> pd.DataFrame:
    """Put all lines in one table, and lines that do not depend on luck into every replication."""
    kept = [(rows, same) for rows, same in lines if len(rows)]
    if not kept:
        return pd.DataFrame(columns=list(COLUMNS[1:-1]))
    same = pd.DataFrame([same for _, same in kept]).astype(dict.fromkeys(TEXTS, "category"))
    of = np.repeat(np.arange(len(kept)), [len(rows) for rows, _ in kept])
    table = pd.concat([rows for rows, _ in kept], ignore_index=True).astype({"site_id": "category"})
    table = pd.concat([table, same.iloc[of].reset_index(drop=True)], axis=1)
    planned = table["replication"].isna()
    once = table[planned]
    repeated = once.loc[once.index.repeat(len(replications))]
    repeated = repeated.assign(replication=np.tile(replications, len(once)))
    whole = pd.concat([repeated, table[~planned]], ignore_index=True)
    return whole.astype({"replication": np.int64})
