"""The sheet of quantities: what was simulated and planned, for every year, account and school, by replication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xlsxwriter.utility import xl_col_to_name

from sim.tell.workbook.lines import PAYERS, Account, Lines
from sim.tell.workbook.pen import HEAD_ROW, Page
from sim.tell.workbook.prices import Typed
from sim.tell.workbook.together import TOGETHER
from sim.units import FEN_PER_YUAN

NAMES = ("year", "account", "number", "site", "unit", "mean_quantity", "unit_price", "mean_all", "mean_county")
WIDTHS = (7, 30, 6, 32, 14, 14, 14, 17, 17)
YEAR, NUMBER, MEAN, PRICE, ALL, OF_COUNTY = 0, 2, 5, 6, 7, 8
FIRST = len(NAMES)
"""Column of the first replication."""
CELLS = "{cells}"
"""Stands in a formula for the quantities of a row."""


@dataclass(frozen=True)
class Counts:
    """Where the quantities stand, as formulas name them."""

    lines: Lines
    page: Page
    typed: Typed

    def block(self, year: int, account: str, column: int) -> str:
        """Return the cells of one column of all rows of an account in a year."""
        rows = self.lines.blocks[year, account]
        return self.page.cells(HEAD_ROW + 1 + rows.start, HEAD_ROW + rows.stop, column)

    def column(self, column: int) -> str:
        """Return all cells of a column."""
        return self.page.cells(HEAD_ROW + 1, HEAD_ROW + len(self.lines.quantities), column)

    def product(self, cells: str, account: Account, payers: Sequence[str]) -> str:
        """Return a formula for what payers bear of quantities: times price times share, each rounded to the fen."""
        price = f"*{self.typed.price[account.item]}" if account.item else ""
        terms = []
        for part in account.parts:
            if part.payer in payers:
                share = f"*{self.typed.share[part.purse, part.giver]}" if part.purse else ""
                terms.append(f"{'+' if part.sign > 0 else '-'}ROUND({cells}{price}{share},2)")
        return f"SUMPRODUCT({''.join(terms).removeprefix('+')})"


def quantities(lines: Lines, page: Page, typed: Typed) -> Counts:
    """Write the quantities, and what every row comes to; return where they stand."""
    word, rows, counts = lines.run.words, lines.quantities, Counts(lines, page, typed)
    heads = [word(f"book.column.{name}") for name in NAMES]
    page.head(HEAD_ROW, [*heads, *(f"R{number + 1}" for number in lines.replications)], WIDTHS)
    last = FIRST + len(lines.replications) - 1
    page.sheet.set_column(FIRST, last, 13)
    together_note(lines, page)
    _numbers(counts)
    for account in lines.accounts.values():
        _rows_of(counts, account)
    page.sheet.autofilter(HEAD_ROW, 0, HEAD_ROW + len(rows), last)
    page.sheet.print_area(0, 0, HEAD_ROW + len(rows), FIRST - 1)
    page.keep_in_sight(HEAD_ROW + 1, 4)
    return counts


def together_note(lines: Lines, page: Page) -> None:
    """Say below the note of a sheet which schools are told together, where there are any."""
    if TOGETHER in set(lines.quantities["site_id"]):
        page.write(HEAD_ROW - 1, 0, lines.run.words("book.together_note"), "note")


def _numbers(counts: Counts) -> None:
    """Write year and school of every row, and its quantity in every replication."""
    lines, sheet, looks = counts.lines, counts.page.sheet, counts.page.pen.looks
    number = {site: k for k, site in enumerate(lines.sites)}
    told = zip(lines.quantities["year"].tolist(), lines.quantities["site_id"], strict=True)
    for down, (year, site) in enumerate(told, start=HEAD_ROW + 1):
        sheet.write_number(down, YEAR, year, looks["plain"])
        sheet.write_number(down, NUMBER, number[site], looks["plain"])
        sheet.write_string(down, NUMBER + 1, lines.sites[site], looks["text"])
    for down, values in enumerate(lines.numbers.tolist(), start=HEAD_ROW + 1):
        for column, value in enumerate(values, start=FIRST):
            sheet.write_number(down, column, value, looks["quantity"])


def _rows_of(counts: Counts, account: Account) -> None:
    """Write account, unit, mean and price of its rows, and their mean amounts: of all payers and of the county."""
    lines, sheet, looks, word = counts.lines, counts.page.sheet, counts.page.pen.looks, counts.lines.run.words
    name, unit = word.term("account", account.name), word.term("account_unit", account.unit)
    price = f"={counts.typed.price[account.item]}" if account.item else "=1"
    many = len(lines.replications)
    ends = xl_col_to_name(FIRST), xl_col_to_name(FIRST + many - 1)
    columns: dict[int, tuple[str, ...]] = {ALL: PAYERS if account.nature != "transfer" else ()}
    columns[OF_COUNTY] = ("county",) if account.in_total and "county" in account.payers else ()
    formulas = {column: f"={counts.product(CELLS, account, payers)}/{many}" for column, payers in columns.items()}
    for block in (rows for (_, known), rows in lines.blocks.items() if known == account.name):
        means = lines.numbers[block].mean(axis=1).tolist()
        fen = {column: sum(lines.amounts[payer][block] for payer in payers) for column, payers in columns.items()}
        yuan = {column: np.mean(values, axis=1) / FEN_PER_YUAN for column, values in fen.items() if columns[column]}
        for k, row in enumerate(range(HEAD_ROW + 1 + block.start, HEAD_ROW + 1 + block.stop)):
            cells = f"{ends[0]}{row + 1}:{ends[1]}{row + 1}"
            sheet.write_string(row, 1, name, looks["text"])
            sheet.write_string(row, 4, unit, looks["unit"])
            sheet.write_formula(row, MEAN, f"=AVERAGE({cells})", looks["quantity"], means[k])
            sheet.write_formula(row, PRICE, price, looks["yuan"], account.price)
            for column, values in yuan.items():
                sheet.write_formula(row, column, formulas[column].replace(CELLS, cells), looks["yuan"], values[k])
