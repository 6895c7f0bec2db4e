"""The sheets that hold what does not move: the spread with prices, and where everything comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from sim.tell import register, unit_cost
from sim.tell.driver import SMALLEST_SHARE
from sim.tell.number import percent, rough
from sim.tell.run import Run
from sim.tell.words import glossary
from sim.tell.workbook.lines import Lines
from sim.tell.workbook.pen import HEAD_ROW, Page

TEXTS = {
    "account": ("account",), "payer": ("payer",), "measure": ("unit_cost", "worth"), "driver": ("driver", "price"),
    "band": ("band",), "unit": ("unit",),
}  # fmt: skip
"""Columns of words, and the groups of the glossary in which they are found."""
SHARES = ("share", "p_cheaper", "p_below")
LOOKS = {"measure": "wrap", "because": "wrap", "inside": "unit", "unit": "unit"}
TABLES = {
    "budget": "year payer mean low high p50 p80 p95 annualised npv nominal residual npv_residual",
    "all_years": "against payer measure mean low high p50 p80 p95 p_below",
    "unit_costs": "measure year mean low high p50 p80 p95 unit",
    "drivers": "payer driver low high share",
    "bands": "band measure value_mean value_low value_high band_low band_high inside because source",
    "net": "year account payer mean low high p50 p80 p95 p_cheaper",
}
"""Tables of the run that are shown, where there are any, with their columns."""
SUMS = ("budget", "all_years", "drivers", "net")
SHARE_PLACES = 3
YUAN = ("mean", "low", "high", "p50", "p80", "p95", "annualised", "npv", "nominal", "residual", "npv_residual")
"""Tables whose numbers are sums of money, and the columns of it."""
READ = {"unit_costs": unit_cost.unit_costs, "bands": unit_cost.bands}
"""How tables are read that a public workbook tells in part."""


def spread(lines: Lines, page: Page) -> None:
    """Write the totals with the spread of prices, what a unit costs, what drives the spread, and the sanity bands."""
    page.set_widths((44, 30, *[17] * 11))
    row = HEAD_ROW
    for name in TABLES:
        table = shown(lines.run, name)
        if len(table):
            row = _table(lines, page, row, name, table)
    page.keep_in_sight(HEAD_ROW, 0)


def shown(run: Run, name: str) -> pd.DataFrame:
    """Return a table as the workbook shows it; of the budget the totals alone.

    In public the same of the net cost, and sums of money to ten thousand yuan: what an account changes by, to the fen,
    tells how few pupils get it.
    """
    table = READ[name](run) if name in READ else run.if_there(f"{name}.csv")
    if table.empty:
        return table
    if name == "budget" or (name == "net" and run.public):
        table = table[table["account"] == "total"]
    if name in SUMS and run.public:
        money = [column for column in YUAN if column in table]
        table = table.assign(**{column: table[column].map(rough, na_action="ignore") for column in money})
    if name == "drivers" and run.public:
        table = table[table["share"] >= SMALLEST_SHARE].round({"share": SHARE_PLACES})
    order = {"budget": ["payer", "year"], "unit_costs": ["measure"]}
    return table.sort_values(order[name], kind="stable") if name in order else table


def _table(lines: Lines, page: Page, row: int, name: str, table: pd.DataFrame) -> int:
    """Write one table under its heading; return the row of the next one."""
    word = lines.run.words
    page.write(row, 0, word(f"book.spread.{name}"), "part")
    told = table[[column for column in TABLES[name].split() if column in table]].copy()
    for column in told.columns:
        told[column] = [_said(lines, column, value) for value in told[column]]
    looks = ["share" if column in SHARES else LOOKS.get(column, "") for column in told]
    heads = [word.term("book.column", column) for column in told]
    return page.table(row + 1, heads, [list(values) for values in told.itertuples(index=False)], looks) + 1


def _said(lines: Lines, column: str, value: Any) -> Any:
    """Return what stands in a cell of these tables in words; numbers as they are."""
    word = lines.run.words
    if column == "inside":
        return word("book.yes" if value else "book.no")
    if column == "against":
        return word(f"book.against.{value}")
    if column == "because" and isinstance(value, str):
        parts = [part.partition(":") for part in value.split(";") if part]
        return word.join([f"{word.term('account', name)} {percent(float(share))}" for name, _, share in parts])
    if column == "source" and isinstance(value, str):
        return word.source(value)
    known = [group for group in TEXTS.get(column, ()) if f"{group}.{value}" in glossary()]
    return word.term(known[0], value) if known else value


def sources(lines: Lines, page: Page) -> None:
    """Write where the quantity and the price of every account come from, then the limits and the county's tables."""
    word = lines.run.words
    names = ("account", "nature", "unit", "from", "source", "price", "shared_by")
    widths = (34, 40, 16, 34, 90, 26, 30)
    page.set_widths(widths)
    row = page.table(HEAD_ROW, [word(f"book.column.{name}") for name in names], _accounts(lines), ["wrap"] * len(names))
    for grid in (register.limit_table(lines.run), register.origin_table(lines.run), register.weight_table(lines.run)):
        row = page.table(row + 1, grid.head, grid.rows, ["wrap"] * len(grid.head))
    page.keep_in_sight(HEAD_ROW + 1, 1)


def _accounts(lines: Lines) -> list[Sequence[object]]:
    """Return, for every account, from where its quantity and its price are and who bears it."""
    word = lines.run.words
    lived = lines.lived
    rows: list[Sequence[object]] = []
    for name, account in lines.accounts.items():
        item = account.item
        parties = {"payer": word.term("payer", account.payer), "payee": word.term("payer", account.payee)}
        purse = word.term("purse", account.purse) if account.purse else word("book.pays", **parties)
        start = word("book.from.days" if account.counts in lived else "book.from.plan")
        price = word.term("price", item) if item else word("book.in_yuan")
        source = word.source(lines.prices[item]["source"]) if item else word("book.in_yuan_source")
        kinds = word.term("nature", account.nature), word.term("account_unit", account.unit)
        rows.append((word.term("account", name), *kinds, start, source, price, purse))
    return rows
