"""What the formulas of the workbook stand on: the quantities behind the ledger, and the ledger itself in fen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.tell import register
from sim.tell.run import COUNTY, Run
from sim.tell.workbook.together import (
    DAYS,
    GAPS,
    KEYS,
    MONTHS,
    PLACES,
    PUPILS,
    RIDES,
    TOGETHER,
    no_small_group,
    not_too_many,
)
from sim.units import DIGITS, FEN_PER_YUAN, to_fen

Floats = NDArray[np.float64]
PAYERS = ("county", "upper", "family", "outside")
SHARING = ("upper", "family", "county")
"""Payers who share a cost; the last one bears what the others leave."""
WAIVED = "fare_waived"
"""The one transfer of which a typed part is given: the fare that families in hardship need not pay."""
EVERY = 0
"""Stands for all years together."""


class Part(NamedTuple):
    """What one payer bears of an account: +1 pays, -1 gets what `giver` pays; the share as simulated."""

    payer: str
    sign: int
    purse: str
    giver: str
    share: float


class Account(NamedTuple):
    """One account of the chart, with its price as simulated; item and purse are empty where there is none."""

    name: str
    nature: str
    unit: str
    item: str
    counts: str
    purse: str
    payer: str
    payee: str
    life: float
    in_total: bool
    price: float
    parts: tuple[Part, ...]

    @property
    def payers(self) -> set[str]:
        """Return who pays or gets something of it."""
        return {part.payer for part in self.parts}


@dataclass(frozen=True)
class Lines:
    """The money of a run, laid out with one column for each replication."""

    run: Run

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """Return the ledger as far as it is needed."""
        columns = ["replication", *KEYS, "nature", "payer", "quantity", "amount_yuan"]
        frame = pd.read_parquet(self.run.folder.file("ledger"), columns=columns)
        return frame.astype(dict.fromkeys(("account", "site_id", "payer"), "category"))

    @cached_property
    def prices(self) -> dict[str, dict[str, Any]]:
        """Return the price list as it was used."""
        return register.entries(self.run, "prices")

    @cached_property
    def replications(self) -> list[int]:
        """Return the replications of the ledger."""
        return sorted(self.ledger["replication"].unique())

    @cached_property
    def accounts(self) -> dict[str, Account]:
        """Return the accounts that the ledger uses, in the order of the chart."""
        table, used = self.run.table("accounts"), set(self.ledger["account"].cat.categories)
        table = table[table["account"].isin(used)].fillna({"item": "", "purse": ""})
        found = {}
        for row in table.itertuples():
            price = float(self.prices[row.item]["central"]) if row.item else 1.0
            told = (row.account, row.nature, row.unit, row.item, row.counts, row.purse)
            who = (row.payer, row.payee, row.life_years, bool(row.in_total))
            found[row.account] = Account(*told, *who, price, self._parts(row))
        return found

    def _parts(self, row: Any) -> tuple[Part, ...]:
        """Return who pays and who gets what of an account."""
        account, purse = self.run.settings.account, row.purse
        if purse:
            told: dict[Any, float] = dict(account.payers[purse])
            shares = {payer: round(told.get(payer, 0.0), DIGITS) for payer in SHARING[:2]}
            shares["county"] = round(1.0 - sum(shares.values()), DIGITS)
        elif row.account == WAIVED:
            purse, shares = WAIVED, {row.payer: account.hardship_fare_waived}
        else:
            shares = {row.payer: 1.0}
        paid = tuple(Part(payer, 1, purse, payer, round(share, DIGITS)) for payer, share in shares.items())
        got = tuple(part._replace(payer=row.payee, sign=-1) for part in paid)
        return (*paid, *got) if row.nature == "transfer" else paid

    @cached_property
    def counted(self) -> pd.DataFrame:
        """Return the quantity of every year, account and site by replication; payers of an account share it.

        What is paid counts, not what is received: of a transfer the rows above zero.
        """
        got = (self.ledger["nature"] == "transfer") & (self.ledger["quantity"] < 0)
        frame = self.ledger[~got].drop_duplicates(["replication", *KEYS])
        wide = frame.set_index([*KEYS, "replication"])["quantity"].unstack("replication", fill_value=0.0)
        return wide.reindex(columns=self.replications).reset_index().astype({"account": str, "site_id": str})

    @cached_property
    def lived(self) -> set[str]:
        """Return the items that were counted on simulated days, not by the plan."""
        if not self.run.folder.file("quantities").is_file():
            return set()
        items = pd.read_parquet(self.run.folder.file("quantities"), columns=["item", "replication"])
        return set(items.loc[items["replication"].notna(), "item"].unique())

    @cached_property
    def quantities(self) -> pd.DataFrame:
        """Return the rows of the sheet of quantities: year, account, site, one column per replication; in order.

        In a public workbook schools with small groups are told together.
        """
        rows = self.counted
        if self.run.public:
            payers = {name: account.payers for name, account in self.accounts.items()}
            things = {name for name, account in self.accounts.items() if account.nature == "capital"}
            rows = no_small_group(rows, self.pupils, payers, things)
        price = rows["account"].map({name: account.price for name, account in self.accounts.items()})
        rows = not_too_many(rows, rows[self.replications].mean(axis=1) * price)
        account = rows["account"].map({name: k for k, name in enumerate(self.accounts)})
        site = rows["site_id"].map({name: k for k, name in enumerate(self.sites)})
        return rows.iloc[np.lexsort([site, account, rows["year"]])].reset_index(drop=True)

    @cached_property
    def numbers(self) -> Floats:
        """Return the quantities alone: rows by replications."""
        return self.quantities[self.replications].to_numpy(dtype=float)

    @cached_property
    def pupils(self) -> pd.DataFrame:
        """Return how many pupils each row of `counted` tells of, by replication; only of accounts that do."""
        account, days = self.run.settings.account, self.run.school_days
        used = dict.fromkeys(PUPILS, 1.0) | dict.fromkeys(DAYS, days) | dict.fromkeys(MONTHS, account.fare_months or 1)
        used |= dict.fromkeys(RIDES, 2 * days)
        count = {"capital": dict.fromkeys(PLACES, 1.0)}
        one = {a.name: count.get(a.nature, used).get(a.unit) for a in self.accounts.values()}
        rows = self.counted[self.counted["account"].map(one).notna()]
        found = rows[self.replications].abs().div(rows["account"].map(one).astype(float), axis=0)
        gap = rows["account"].isin(GAPS)
        return found.mask(gap, account.floor_pupils - found)

    @cached_property
    def sites(self) -> dict[str, str]:
        """Return what the county, each school and the schools told together are called, in the order of the sheets."""
        schools = {site: self.run.site(site, short=True) for site in self.run.schools.index}
        return {COUNTY: self.run.site(COUNTY), **schools, TOGETHER: self.run.words("book.together")}

    @cached_property
    def blocks(self) -> dict[tuple[int, str], slice]:
        """Return which rows of `quantities` are those of a year and account; they lie together."""
        rows = pd.Series(np.arange(len(self.quantities)))
        place = rows.groupby([self.quantities["year"], self.quantities["account"]]).agg(["min", "max"])
        return {key: slice(first, last + 1) for key, first, last in place.itertuples()}

    @cached_property
    def amounts(self) -> dict[str, Floats]:
        """Return what every row of `quantities` comes to for each payer: fen by row and replication."""
        yuan = self.numbers * self._by_row({n: a.price for n, a in self.accounts.items()})
        found = {}
        for payer in PAYERS:
            found[payer] = np.zeros_like(yuan)
            for place in range(max((len(account.parts) for account in self.accounts.values()), default=0)):
                parts = {a.name: a.parts[place] for a in self.accounts.values() if place < len(a.parts)}
                mine = {name: part for name, part in parts.items() if part.payer == payer}
                share = self._by_row({name: part.share for name, part in mine.items()})
                found[payer] += to_fen(yuan * share) * self._by_row({name: part.sign for name, part in mine.items()})
        return found

    def _by_row(self, values: dict[str, float]) -> Floats:
        """Lay what is known of accounts out along the rows of `quantities`; 0 where nothing is known."""
        row, names = self._account_of_row
        return np.array([values.get(name, 0.0) for name in names], dtype=float)[row][:, None]

    @cached_property
    def _account_of_row(self) -> tuple[NDArray[np.int64], list[str]]:
        """Return the account of every row of `quantities`, as a place among their names."""
        row, names = pd.factorize(self.quantities["account"])
        return row, names.tolist()

    @cached_property
    def counts(self) -> Floats:
        """Tell of every row of `quantities` whether the totals of the payers count it: 1 or 0."""
        return self._by_row({name: float(account.in_total) for name, account in self.accounts.items()})[:, 0]

    @cached_property
    def booked(self) -> pd.DataFrame:
        """Return the totals of the ledger: fen by year and payer, one column per replication."""
        counted = [name for name, account in self.accounts.items() if account.in_total]
        table = self.ledger[self.ledger["account"].isin(counted)]
        table = table.assign(fen=np.rint(table["amount_yuan"] * FEN_PER_YUAN).astype(np.int64))
        wide = table.groupby(["year", "payer", "replication"], observed=True)["fen"].sum()
        return wide.unstack("replication", fill_value=0).reindex(columns=self.replications, fill_value=0)

    @cached_property
    def totals(self) -> pd.DataFrame:
        """Return the totals of the budget by year (EVERY: all years) and payer, with the spread of prices."""
        table, file = self.run.budget, self.run.path / "all_years.csv"
        if file.is_file():
            sums = pd.read_csv(file).query("against == 'nothing' and measure == 'cash'")
            table = pd.concat([table, sums.assign(account="total", year=EVERY)])
        return table[table["account"] == "total"].set_index(["year", "payer"]) if len(table) else table

    @cached_property
    def rest(self) -> dict[tuple[int, str], Floats]:
        """Return what the ledger has beyond the formulas: fen by year and payer; only where there is any.

        It holds groups too small to be told, and the fen by which rows added up differ from each of them rounded.
        """
        years, found = self.quantities["year"].to_numpy(), {}
        for (year, payer), booked in zip(self.booked.index, self.booked.to_numpy(), strict=True):
            rest = booked - (self.amounts[payer] * self.counts[:, None])[years == year].sum(axis=0)
            if rest.any():
                found[year, payer] = rest
        return found
