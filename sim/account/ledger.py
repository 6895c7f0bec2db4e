"""The ledger: one line for each replication, year, site and account; quantity times price, to the fen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.account import quantity as of
from sim.account.price import BUS_PURCHASE, charge_of, entry, life_years, meal_shares, unit_price
from sim.config import Settings
from sim.county import County
from sim.plan import Plan
from sim.units import FEN_PER_YUAN

COLUMNS = (
    "scenario",
    "replication",
    "year",
    "site_id",
    "account",
    "nature",
    "payer",
    "payee",
    "quantity",
    "unit",
    "unit_price_yuan",
    "share",
    "amount_yuan",
)
DIGITS = 6
"""Quantities and shares are kept to a millionth, so that a spreadsheet multiplies the very same numbers."""
POSTS = ("driver", "attendant", "teacher", "life_teacher", "warden", "canteen_worker", "guard")


def ledger(settings: Settings, county: County, plan: Plan, yearly: pd.DataFrame) -> pd.DataFrame:
    """Write down what every year costs, who pays and who gets it, replication by replication.

    `yearly` has the columns of annual.parquet. Costs are positive, income negative; cash of the year only. A
    transfer is two lines that sum to zero. What the plan decides (buses, posts, beds, public funds) is the same
    in every replication.
    Returns the columns of ledger.parquet. Raises BadInput when a price that is needed is missing.
    """
    replications = np.unique(yearly["replication"].to_numpy())
    lines = [
        *_fleet(settings, plan, yearly),
        *_places(settings, county, plan),
        *_projects(county, plan),
        *(_cost(settings, post, of.hired(plan.posts, post)) for post in POSTS),
        *_living(settings, yearly),
        *_public_funds(settings, county, plan, yearly),
        *_fares(settings, county, yearly),
    ]
    table = _in_every_replication(lines, replications)
    exact = table["quantity"] * table["unit_price_yuan"] * table["share"]
    table["amount_yuan"] = to_fen(exact) / FEN_PER_YUAN
    table.insert(0, "scenario", settings.scenario)
    keys = ["replication", "year", "account", "site_id", "payer", "unit_price_yuan"]
    return table.sort_values(keys, ignore_index=True)[list(COLUMNS)]


def to_fen(yuan: pd.Series[float] | NDArray[np.float64]) -> NDArray[np.int64]:
    """Round amounts of yuan to whole fen, halves away from zero, as a spreadsheet does."""
    exact = np.asarray(yuan, dtype=float) * FEN_PER_YUAN
    nudge = 10.0**-DIGITS
    return (np.sign(exact) * np.floor(np.abs(exact) + 0.5 + nudge)).astype(np.int64)


def _line(
    account: str,
    rows: pd.DataFrame,
    price: float | pd.Series[float],
    share: float = 1.0,
    parties: tuple[str, str] = ("", ""),
) -> pd.DataFrame:
    """Return ledger lines of one account for rows of year, site_id, quantity; nothing is not written."""
    charge = charge_of(account)
    payer, payee = parties if parties[0] else (charge.payer, charge.payee)
    lines = rows[rows["quantity"] != 0].copy()
    lines["quantity"] = lines["quantity"].astype(float).round(DIGITS)
    return lines.assign(
        account=account,
        nature=charge.nature,
        payer=payer,
        payee=payee,
        unit=charge.unit,
        unit_price_yuan=price,
        share=round(share, DIGITS),
    )


def _cost(settings: Settings, account: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of an account that one payer pays at the price of the list."""
    return _line(account, rows, unit_price(settings, account))


def _transfer(settings: Settings, account: str, rows: pd.DataFrame, share: float = 1.0) -> list[pd.DataFrame]:
    """Return the two lines of a transfer: what one party gives, the other gets; they sum to zero."""
    charge, price = charge_of(account), unit_price(settings, account)
    given = _line(account, rows, price, share)
    got = _line(account, rows, price, share, (charge.payee, charge.payer))
    return [given, got.assign(quantity=-got["quantity"])]


def _fleet(settings: Settings, plan: Plan, yearly: pd.DataFrame) -> list[pd.DataFrame]:
    """Buses bought when more are owned or old ones are worn out; km driven; insurance of every bus owned."""
    owned = of.buses_by_kind(settings, plan)
    lines = []
    bought = np.zeros_like(owned)
    for kind, name in enumerate(bus.name for bus in settings.fleet.kinds):
        account = BUS_PURCHASE + name
        none = np.zeros(1, dtype=np.int64)
        bought[:, [kind]] = of.purchases(owned[:, [kind]], none, life_years(settings, account))
        lines.append(_cost(settings, account, of.whole_county(plan, bought[:, kind])))
    lines += _transfer(settings, "bus_aid", of.whole_county(plan, bought.sum(axis=1)))
    lines.append(_cost(settings, "bus_insurance", of.whole_county(plan, owned.sum(axis=1))))
    lines.append(_cost(settings, "bus_km", of.used(yearly, "bus_km")))
    return lines


def _places(settings: Settings, county: County, plan: Plan) -> list[pd.DataFrame]:
    """Beds, windows and canteen seats beyond those that are there, bought in the year they are needed."""
    lines = []
    for account in of.STOCKS:
        have, there = of.stock(county, plan, account)
        bought = of.purchases(have, there, life_years(settings, account))
        lines.append(_cost(settings, account, of.by_site(county, plan, bought)))
    return lines


def _projects(county: County, plan: Plan) -> list[pd.DataFrame]:
    """Projects of the county's table with a stated cost, in their year; one line for each school."""
    known = county.projects[county.projects["year"].isin([year.year for year in plan.years])]
    rows = known.groupby(["year", "school_id"], as_index=False)["cost_yuan"].sum()
    rows = rows[rows["cost_yuan"] > 0].rename(columns={"school_id": "site_id"})
    return [_line("project", rows.assign(quantity=1.0).drop(columns="cost_yuan"), rows["cost_yuan"])]


def _living(settings: Settings, yearly: pd.DataFrame) -> list[pd.DataFrame]:
    """Bed nights and meals that were lived; upper levels, families and the county share the meals."""
    lines = [_cost(settings, "bed_night", of.used(yearly, "bed_nights"))]
    for meal in ("breakfast", "lunch", "dinner"):
        account = f"meal_{meal}"
        rows, price = of.used(yearly, f"meals_{meal}"), unit_price(settings, account)
        for payer, share in meal_shares(settings, account).items():
            lines += [_line(account, rows, price, share, (payer, "outside"))] if share > 0 else []
    return lines


def _public_funds(settings: Settings, county: County, plan: Plan, yearly: pd.DataFrame) -> list[pd.DataFrame]:
    """Public funds from the upper levels: per pupil, beyond the roll of small schools, and per lodger."""
    floor = entry(settings, "small_school_floor_pupils", "small_school_floor").central
    nights = of.school_days(county)[1]
    lodgers = of.lodgers_nights(yearly)
    lodgers = lodgers.assign(quantity=lodgers["quantity"] / max(nights, 1))
    return [
        *_transfer(settings, "public_funds_primary", of.level_pupils(county, plan, junior=False)),
        *_transfer(settings, "public_funds_junior", of.level_pupils(county, plan, junior=True)),
        *_transfer(settings, "small_school_floor", of.missing_to_floor(county, plan, floor)),
        *_transfer(settings, "lodger_supplement", lodgers),
    ]


def _fares(settings: Settings, county: County, yearly: pd.DataFrame) -> list[pd.DataFrame]:
    """Fares of the riders who were carried, in pupil-months; poor families' share does not pay."""
    months = entry(settings, "fare_months_per_year", "family_fare").central
    days, _ = of.school_days(county)
    rows = of.used(yearly, "pupils_carried")
    riders = rows["quantity"] / max(days, 1)
    return _transfer(settings, "family_fare", rows.assign(quantity=riders * months), _paying_share(county))


def _paying_share(county: County) -> float:
    """Return the share of pupils outside the town who are not in hardship: they pay the fare."""
    rural = ~county.hamlets.is_town
    pupils = county.pupils.sum(axis=(1, 2))[rural]
    poor = (pupils * county.hamlets.hardship_share[rural]).sum() / max(pupils.sum(), 1)
    return float(1 - poor)


def _in_every_replication(lines: Iterable[pd.DataFrame], replications: NDArray[np.int64]) -> pd.DataFrame:
    """Put all lines in one table, and lines that do not depend on luck into every replication."""
    kept = [line for line in lines if len(line)]
    lived = [line for line in kept if "replication" in line]
    planned = [line for line in kept if "replication" not in line]
    once = pd.concat(planned, ignore_index=True) if planned else pd.DataFrame(columns=list(COLUMNS[2:-1]))
    repeated = once.loc[np.repeat(np.arange(len(once)), len(replications))]
    repeated = repeated.assign(replication=np.tile(replications, len(once)))
    return pd.concat([repeated, *lived], ignore_index=True)


def totals(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Add up a ledger over `keys`, exactly, in whole fen; returns the keys and `fen`."""
    fen = table.assign(fen=to_fen(table["amount_yuan"]))
    return fen.groupby(list(keys), observed=True, as_index=False)["fen"].sum()
