"""The sheets that hold what does not move: the spread with prices, and where everything comes from."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sim.tell import register
from sim.tell.table import Grid
from sim.tell.workbook.lines import Lines
from sim.tell.workbook.pen import HEAD_ROW, Page

TEXTS = {
    "account": "account", "nature": "nature", "payer": "payer", "measure": "unit_cost", "driver": "driver",
    "band": "band", "unit": "money_unit",
}  # fmt: skip
"""Columns of words, and the group of the glossary that translates them."""
SHARES = ("share", "p_cheaper")
TABLES = {
    "budget": "year payer mean low high p50 p80 p95 annualised npv nominal residual npv_residual",
    "unit_costs": "year measure mean low high p50 p80 p95 unit",
    "drivers": "payer driver low high share",
    "bands": "band measure value_mean value_low value_high band_low band_high inside because source",
    "net": "year account payer mean low high p50 p80 p95 p_cheaper",
}
"""Tables of the run that are shown as they are, where there are any, with their columns."""


def spread(lines: Lines, page: Page) -> None:
    """Write the totals with the spread of prices, what a unit costs, what drives the spread, and the sanity bands."""
    page.set_widths((24, 40, *[17] * 11))
    totals = lines.run.budget
    row = HEAD_ROW
    if len(totals):
        totals = totals[totals["account"] == "total"].sort_values(["payer", "year"], kind="stable")
        row = _table(lines, page, row, "budget", totals)
    for name in list(TABLES)[1:]:
        file = lines.run.path / f"{name}.csv"
        if file.is_file():
            row = _table(lines, page, row, name, pd.read_csv(file))
    page.keep_in_sight(HEAD_ROW, 0)


def _table(lines: Lines, page: Page, row: int, name: str, table: pd.DataFrame) -> int:
    """Write one table under its heading; return the row of the next one."""
    word = lines.run.words
    page.write(row, 0, word(f"book.spread.{name}"), "part")
    shown = table[[column for column in TABLES[name].split() if column in table]].copy()
    for column, group in TEXTS.items():
        if column in shown:
            shown[column] = [word.term(group, value) for value in shown[column]]
    looks = ["share" if column in SHARES else "" for column in shown]
    heads = [word.term("book.column", column) for column in shown]
    return page.table(row + 1, heads, [list(values) for values in shown.itertuples(index=False)], looks) + 1


def sources(lines: Lines, page: Page) -> None:
    """Write where the quantity and the price of every account come from, then the limits and the county's tables."""
    word = lines.run.words
    names = ("account", "nature", "unit", "from", "source", "price", "shared_by")
    widths = (34, 40, 16, 34, 90, 26, 30)
    page.set_widths(widths)
    row = page.table(HEAD_ROW, [word(f"book.column.{name}") for name in names], _accounts(lines), ["wrap"] * len(names))
    for grid in (register.limit_table, register.origin_table, register.weight_table):
        row = write_grid(page, row + 1, grid(lines.run))
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
        source = lines.prices[item]["source"] if item else word("book.in_yuan_source")
        kinds = word.term("nature", account.nature), word.term("account_unit", account.unit)
        rows.append((word.term("account", name), *kinds, start, source, price, purse))
    return rows


def write_grid(page: Page, row: int, table: Grid) -> int:
    """Write a table of the report; return the first free row."""
    rows = [[cell.text for cell in cells] for cells in table.rows]
    return page.table(row, table.head, rows, ["wrap"] * len(table.head))
