"""The sheet of schools: what every school costs in every year, to all payers and to the county."""

from __future__ import annotations

import numpy as np
import pandas as pd
from xlsxwriter.utility import xl_col_to_name

from sim.tell.workbook.amounts import ALL as EVERYBODY
from sim.tell.workbook.amounts import REST, Amounts
from sim.tell.workbook.lines import PAYERS, Lines
from sim.tell.workbook.pen import HEAD_ROW, Live, Page
from sim.tell.workbook.quantities import ALL, NUMBER, OF_COUNTY, YEAR, Counts, together_note
from sim.units import FEN_PER_YUAN

LABELS = 2
"""Columns before the first year: the number and the name of a school."""


def schools(lines: Lines, page: Page, counts: Counts, amounts: Amounts) -> None:
    """Write the cost of every school by year for all payers, and below for the county; totals as in the budget."""
    word, years = lines.run.words, lines.run.years
    heads = [word("book.column.number"), word("book.column.site"), *map(str, years), word("book.all_years")]
    page.head(HEAD_ROW, heads, (6, 40, *[15] * (len(years) + 1)))
    together_note(lines, page)
    row = HEAD_ROW + 1
    for payer, column in ((EVERYBODY, ALL), ("county", OF_COUNTY)):
        page.write(row, 0, word(f"book.budget.{payer}"), "part")
        row = _block(counts, page, amounts, (payer, column), row + 1) + 1
    page.keep_in_sight(HEAD_ROW + 1, LABELS)


def _block(counts: Counts, page: Page, amounts: Amounts, of: tuple[str, int], row: int) -> int:
    """Write one row for each school with rows on the sheet of quantities, then the totals; return the next row."""
    (payer, column), lines, first = of, counts.lines, row
    cost, there = worth(lines, payer), set(lines.quantities["site_id"])
    for number, (site, name) in enumerate(lines.sites.items()):
        if site in there:
            cells = []
            for year in lines.run.years:
                terms = (counts.column(column), counts.column(YEAR), year, counts.column(NUMBER), f"$A{row + 1}")
                cells.append(Live("=SUMIFS({},{},{},{},{})".format(*terms), cost.get((site, year), 0.0)))
            looks = ("plain", "wrap", *["yuan"] * (len(cells) + 1))
            page.row(row, (number, name, *cells, _sum_of(cells, row)), looks)
            row += 1
    return _totals(lines, page, amounts, payer, (first, row))


def _totals(lines: Lines, page: Page, amounts: Amounts, payer: str, rows: tuple[int, int]) -> int:
    """Write below the schools what does not move, where there is any, and the total of each year."""
    (first, row), years, word = rows, lines.run.years, lines.run.words
    payers = PAYERS if payer == EVERYBODY else (payer,)
    rests = [amounts.sum([(year, who, REST) for who in payers]) for year in years]
    page.row(row, ("", word("book.rest"), *rests, _sum_of(rests, row)), ("text", "wrap"))
    means = [amounts.total(year, payer).value for year in years]
    sums = [
        Live(f"=SUM({at}{first + 1}:{at}{row + 1})", value)
        for at, value in zip(
            map(xl_col_to_name, range(LABELS, LABELS + len(years) + 1)), [*means, sum(means)], strict=True
        )
    ]
    looks = ("total_text", "total_text", *["total"] * len(sums))
    page.row(row + 1, ("", word("account.total"), *sums), looks)
    return row + 2


def _sum_of(cells: list[Live], row: int) -> Live:
    """Return the sum over the years of a row."""
    ends = f"{xl_col_to_name(LABELS)}{row + 1}:{xl_col_to_name(LABELS + len(cells) - 1)}{row + 1}"
    return Live(f"=SUM({ends})", sum(cell.value for cell in cells))


def worth(lines: Lines, payer: str) -> dict[tuple[str, int], float]:
    """Return what every school costs a payer in every year, as simulated, in yuan; the transfers that count."""
    rows, fen = lines.quantities, lines.amounts
    whole = np.sum(list(fen.values()), axis=0) if payer == EVERYBODY else fen[payer] * lines.counts[:, None]
    cost = pd.Series(whole.mean(axis=1) / FEN_PER_YUAN)
    return cost.groupby([rows["site_id"], rows["year"]]).sum().to_dict()
