"""The sheet of quantities: what was simulated and planned, for every year, account and school, by replication."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xlsxwriter.utility import xl_col_to_name

from sim.tell.run import COUNTY
from sim.tell.workbook.lines import FARE, Lines, Part
from sim.tell.workbook.pen import HEAD_ROW, Live, Page
from sim.tell.workbook.prices import Typed
from sim.tell.workbook.together import TOGETHER
from sim.units import FEN_PER_YUAN

NAMES = ("year", "account", "number", "site", "unit", "mean_quantity", "unit_price", "mean_all", "mean_county")
WIDTHS = (7, 26, 6, 34, 12, 14, 14, 17, 17)
YEAR, NUMBER, MEAN, ALL, OF_COUNTY = 0, 2, 5, 7, 8
FIRST = len(NAMES)
"""Column of the first replication."""


@dataclass(frozen=True)
class Counts:
    """Where the quantities stand, as formulas name them."""

    lines: Lines
    page: Page
    typed: Typed

    def block(self, year: int, account: str, column: int) -> str:
        """Return the cells of one column of all rows of an account in a year; the column is the same when copied."""
        first, last = self.lines.blocks[year, account]
        return self.page.cells(HEAD_ROW + 1 + first, HEAD_ROW + 1 + last, column)

    def column(self, column: int) -> str:
        """Return all cells of a column."""
        return self.page.cells(HEAD_ROW + 1, HEAD_ROW + len(self.lines.quantities), column)

    def product(self, cells: str, account: str, part: Part) -> str:
        """Return the sum of quantities times price times share, each rounded to the fen; without the equals sign."""
        item = self.lines.accounts.at[account, "item"]
        price = f"*{self.typed.price[item]}" if isinstance(item, str) else ""
        key = self.typed.share.get((part.share, part.payer))
        share = f"*{key}" if key else ""
        return f"{'-' if part.sign < 0 else ''}SUMPRODUCT(ROUND({cells}{price}{share},2))"


def site_names(lines: Lines) -> dict[str, str]:
    """Return what the county, each school and the schools told together are called, in the order of their numbers."""
    run = lines.run
    names = {site: run.site(site) for site in lines.sites}
    return {**names, TOGETHER: run.words("book.together"), COUNTY: run.words("site.county")}


def quantities(lines: Lines, page: Page, typed: Typed) -> Counts:
    """Write the quantities; return where they stand."""
    word, rows = lines.run.words, lines.quantities
    counts = Counts(lines, page, typed)
    heads = [word(f"book.column.{name}") for name in NAMES]
    page.head(HEAD_ROW, [*heads, *(f"R{number + 1}" for number in lines.replications)], WIDTHS)
    last = FIRST + len(lines.replications) - 1
    page.sheet.set_column(FIRST, last, 13)
    for down, values in enumerate(rows[lines.replications].to_numpy().tolist(), start=HEAD_ROW + 1):
        page.sheet.write_row(down, FIRST, values, page.pen.looks["quantity"])
    _what(lines, page)
    _worth(counts, last)
    page.sheet.autofilter(HEAD_ROW, 0, HEAD_ROW + len(rows), last)
    page.sheet.print_area(0, 0, HEAD_ROW + len(rows), FIRST - 1)
    page.keep_in_sight(HEAD_ROW + 1, 4)
    return counts


def _what(lines: Lines, page: Page) -> None:
    """Write of every row which year, account and school it is of."""
    word, rows, sheet, looks = lines.run.words, lines.quantities, page.sheet, page.pen.looks
    names = site_names(lines)
    number = {site: k for k, site in enumerate(names)}
    account = {name: word.term("account", name) for name in lines.accounts.index}
    unit = {name: word.term("account_unit", unit) for name, unit in lines.accounts["unit"].items()}
    told = zip(rows["year"].tolist(), rows["account"], rows["site_id"], strict=True)
    for down, (year, name, site) in enumerate(told, start=HEAD_ROW + 1):
        sheet.write_number(down, 0, year, looks["plain"])
        sheet.write_string(down, 1, account[name], looks["text"])
        sheet.write_number(down, 2, number[site], looks["plain"])
        sheet.write_string(down, 3, names[site], looks["text"])
        sheet.write_string(down, 4, unit[name], looks["text"])


def _worth(counts: Counts, last: int) -> None:
    """Write what every row comes to: its mean quantity, its price, and its mean amount for all and for the county."""
    lines, sheet, look = counts.lines, counts.page.sheet, counts.page.pen.looks
    ends, many = (xl_col_to_name(FIRST), xl_col_to_name(last)), len(lines.replications)
    means = lines.quantities[lines.replications].mean(axis=1).tolist()
    for account in lines.accounts.index:
        down = np.flatnonzero(lines.quantities["account"] == account)
        parts = lines.parts(account)
        fen = {part.payer: lines.amounts[account, part.payer].mean(axis=1) / FEN_PER_YUAN for part in parts}
        whole, county = sum(fen.values()), fen.get("county", np.zeros(len(down)))
        item, counted = lines.accounts.at[account, "item"], bool(lines.accounts.at[account, "in_total"])
        price = f"={counts.typed.price[item]}" if isinstance(item, str) else "=1"
        transfer = sum(part.sign for part in parts) == 0
        for k, row in enumerate(down.tolist()):
            at = row + HEAD_ROW + 1
            cells = f"{ends[0]}{at + 1}:{ends[1]}{at + 1}"
            sheet.write_formula(at, MEAN, f"=AVERAGE({cells})", look["quantity"], means[row])
            sheet.write_formula(at, MEAN + 1, price, look["yuan"], lines.price(account))
            if not transfer:
                terms = "+".join(counts.product(cells, account, part) for part in parts)
                sheet.write_formula(at, ALL, f"=({terms})/{many}", look["yuan"], whole[k])
            own = [counts.product(cells, account, part) for part in parts if part.payer == "county"] if counted else []
            if own:
                sheet.write_formula(at, OF_COUNTY, f"={own[0]}/{many}", look["yuan"], county[k])
