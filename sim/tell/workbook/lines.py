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
from sim.tell.workbook.together import DAYS, KEYS, MONTHS, PUPILS, TOGETHER, no_small_group, not_too_many
from sim.units import FEN_PER_YUAN

Floats = NDArray[np.float64]
PAYERS = ("county", "upper", "family", "outside")
LINE = ["year", "payer", "account"]
FARE = "family_fare"
"""The one transfer of which only a share is paid: families in hardship ride free."""
NUDGE = 1e-6
"""Of a fen: halves that a computer cannot write down are rounded away from zero, as in the ledger."""


class Part(NamedTuple):
    """What one payer bears of an account: +1 pays, -1 gets; the share by its key, and as it was simulated."""

    payer: str
    sign: int
    share: str
    value: float


@dataclass(frozen=True)
class Lines:
    """The money of a run, laid out with one column for each replication."""

    run: Run

    @cached_property
    def accounts(self) -> pd.DataFrame:
        """Return the chart of accounts by account, in its order: only those that are used."""
        table = self.run.table("accounts").set_index("account")
        return table[table.index.isin(self.ledger["account"].unique())]

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """Return the ledger as far as it is needed."""
        columns = ["replication", *KEYS, "payer", "quantity", "share", "amount_yuan"]
        frame = pd.read_parquet(self.run.folder.file("ledger"), columns=columns)
        return frame.astype({"account": str, "site_id": str, "payer": str})

    @cached_property
    def prices(self) -> dict[str, dict[str, Any]]:
        """Return the price list as it was used."""
        return register.entries(self.run, "prices")

    @cached_property
    def replications(self) -> list[int]:
        """Return the replications of the ledger."""
        return sorted(self.ledger["replication"].unique())

    def price(self, account: str) -> float:
        """Return what one unit of an account costs; 1 yuan where the quantity is in yuan."""
        item = self.accounts.at[account, "item"]
        return float(self.prices[item]["central"]) if isinstance(item, str) else 1.0

    def parts(self, account: str) -> list[Part]:
        """Return who pays and who gets what of an account."""
        row = self.accounts.loc[account]
        if isinstance(row["purse"], str):
            shares = self.run.settings.account.payers[row["purse"]]
            return [Part(payer, 1, row["purse"], round(shares.get(payer, 0.0), 6)) for payer in PAYERS[:3]]
        share = self.fare_share if account == FARE else 1.0
        key = FARE if account == FARE else ""
        sides = [(row["payer"], 1)]
        sides += [(row["payee"], -1)] if row["nature"] == "transfer" else []
        return [Part(payer, sign, key, share) for payer, sign in sides]

    @cached_property
    def fare_share(self) -> float:
        """Return the share of the fare that is paid."""
        shares = self.ledger.loc[self.ledger["account"] == FARE, "share"]
        return float(shares.iloc[0]) if len(shares) else 1.0

    @cached_property
    def counted(self) -> pd.DataFrame:
        """Return the quantity of every year, account and site by replication; payers of an account share it."""
        frame = self.ledger
        payer = self.accounts["payer"].where(self.accounts["nature"] == "transfer")
        wanted = frame["account"].map(payer)
        frame = frame[wanted.isna() | (wanted == frame["payer"])].drop_duplicates(["replication", *KEYS])
        wide = frame.set_index([*KEYS, "replication"])["quantity"].unstack("replication", fill_value=0.0)
        return wide.reindex(columns=self.replications).reset_index()

    @cached_property
    def quantities(self) -> pd.DataFrame:
        """Return the rows of the sheet of quantities: year, account, site, one column per replication; in order.

        In a public workbook schools with small groups are told together.
        """
        rows = self.counted
        if self.run.public:
            payers = {name: [part.payer for part in self.parts(name)] for name in self.accounts.index}
            rows, _ = no_small_group(rows, self.per_pupil, payers)
        price = rows["account"].map({name: self.price(name) for name in self.accounts.index})
        rows = not_too_many(rows, rows[self.replications].mean(axis=1) * price)
        account = rows["account"].map({name: k for k, name in enumerate(self.accounts.index)})
        site = rows["site_id"].map({name: k for k, name in enumerate(self.sites)})
        return rows.iloc[np.lexsort([site, account, rows["year"]])].reset_index(drop=True)

    @cached_property
    def per_pupil(self) -> pd.Series:
        """Return what one pupil counts for in a year, by account; only of accounts that count pupils."""
        counts = dict.fromkeys(PUPILS, 1.0) | dict.fromkeys(DAYS, self.run.school_days)
        counts |= dict.fromkeys(MONTHS, self.run.settings.account.fare_months)
        return self.accounts["unit"].map(counts).dropna()

    @cached_property
    def sites(self) -> list[str]:
        """Return the county, its schools in their order, and the row of those that are told together."""
        return [COUNTY, *self.run.schools.index, TOGETHER]

    @cached_property
    def blocks(self) -> dict[tuple[int, str], tuple[int, int]]:
        """Return the first and the last row of `quantities` of each year and account."""
        rows = self.quantities
        place = pd.Series(np.arange(len(rows))).groupby([rows["year"], rows["account"]])
        return {key: (int(first), int(last)) for key, first, last in zip(*_ends(place), strict=True)}

    def within(self, year: int, account: str) -> NDArray[np.bool_]:
        """Tell which of the rows of an account are those of a year."""
        return self.quantities.loc[self.quantities["account"] == account, "year"].to_numpy() == year

    @cached_property
    def amounts(self) -> dict[tuple[str, str], Floats]:
        """Return, by account and payer, what `quantities` come to: fen by row and replication."""
        counted = self.quantities[self.replications].to_numpy()
        which = self.quantities["account"].to_numpy()
        found = {}
        for account in self.accounts.index:
            rows = counted[which == account]
            for part in self.parts(account):
                found[account, part.payer] = part.sign * fen(rows * self.price(account) * part.value)
        return found

    @cached_property
    def live(self) -> pd.DataFrame:
        """Return what the formulas come to: fen by year, payer and account, one column per replication."""
        years = self.quantities["year"].to_numpy()
        which = self.quantities["account"].to_numpy()
        pieces = []
        for (account, payer), rows in self.amounts.items():
            table = pd.DataFrame(rows, columns=self.replications).groupby(years[which == account]).sum()
            pieces.append(table.rename_axis("year").reset_index().assign(payer=payer, account=account))
        return pd.concat(pieces).set_index(LINE)[self.replications]

    @cached_property
    def booked(self) -> pd.DataFrame:
        """Return the ledger: fen by year, payer and account, one column per replication."""
        table = self.ledger.assign(fen=np.rint(self.ledger["amount_yuan"] * FEN_PER_YUAN).astype(np.int64))
        wide = table.groupby([*LINE, "replication"])["fen"].sum().unstack("replication", fill_value=0)
        return wide.reindex(columns=self.replications, fill_value=0)

    @cached_property
    def rest(self) -> pd.DataFrame:
        """Return what the ledger has beyond the formulas: fen by year and payer; only where there is any.

        It holds groups too small to be told, and the fen by which rows added up differ from each of them rounded.
        """
        rest = self.booked.sub(self.live, fill_value=0).reset_index()
        rest = rest[rest["account"].map(self.accounts["in_total"]).astype(bool)]
        by_payer = rest.groupby(["year", "payer"])[self.replications].sum()
        return by_payer[(by_payer.abs() > 0).any(axis=1)]


def fen(yuan: Floats) -> Floats:
    """Round amounts of yuan to whole fen, halves away from zero, as a spreadsheet and the ledger do."""
    return np.sign(yuan) * np.floor(np.abs(yuan) * FEN_PER_YUAN + 0.5 + NUDGE)


def _ends(place: Any) -> tuple[Any, Any, Any]:
    first, last = place.min(), place.max()
    return first.index, first.to_numpy(), last.to_numpy()
