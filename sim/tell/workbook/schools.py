"""The sheet of schools: what every school costs in every year, to all payers and to the county."""

from __future__ import annotations

import numpy as np
import pandas as pd
from xlsxwriter.utility import xl_col_to_name

from sim.tell.workbook.amounts import ALL as EVERYBODY
from sim.tell.workbook.amounts import REST, Amounts
from sim.tell.workbook.lines import PAYERS, Lines
from sim.tell.workbook.pen import HEAD_ROW, Live, Page
from sim.tell.workbook.quantities import ALL, NUMBER, OF_COUNTY, YEAR, Counts
from sim.units import FEN_PER_YUAN

LABELS = 2
"""Columns before the first year: the number and the name of a school."""


def schools(lines: Lines, page: Page, counts: Counts, amounts: Amounts) -> None:
    """Write one row for each school: its cost by year for all payers, then for the county; totals as in the budget."""
    word, years, names = lines.run.words, lines.run.years, lines.sites
    there = set(lines.quantities["site_id"])
    shown = [(number, site) for number, site in enumerate(names) if site in there]
    blocks = ((EVERYBODY, ALL), ("county", OF_COUNTY))
    heads = [f"{word.term('payer', payer)} {name}" for payer, _ in blocks for name in (*years, word("book.all_years"))]
    page.head(HEAD_ROW, [word("book.column.number"), word("book.column.site"), *heads], (6, 40, *[15] * len(heads)))
    for down, (number, site) in enumerate(shown, start=HEAD_ROW + 1):
        page.row(down, (number, names[site]), ("plain", "wrap"))
    last = HEAD_ROW + len(shown)
    for place, (payer, column) in enumerate(blocks):
        left = LABELS + place * (len(years) + 1)
        cost = worth(lines, payer)
        for k, year in enumerate(years):
            for down, (_, site) in enumerate(shown, start=HEAD_ROW + 1):
                terms = (counts.column(column), counts.column(YEAR), year, counts.column(NUMBER), f"$A{down + 1}")
                formula = "=SUMIFS({},{},{},{},{})".format(*terms)
                page.write(down, left + k, Live(formula, cost.get((site, year), 0.0)))
        for down, (_, site) in enumerate(shown, start=HEAD_ROW + 1):
            ends = f"{xl_col_to_name(left)}{down + 1}:{xl_col_to_name(left + len(years) - 1)}{down + 1}"
            page.write(down, left + len(years), Live(f"=SUM({ends})", sum(cost.get((site, y), 0.0) for y in years)))
        _sums(lines, page, amounts, (payer, left), last + 1)
    page.keep_in_sight(HEAD_ROW + 1, LABELS)


def worth(lines: Lines, payer: str) -> dict[tuple[str, int], float]:
    """Return what every school costs a payer in every year, as simulated, in yuan; the transfers that count."""
    rows, fen = lines.quantities, lines.amounts
    whole = np.sum(list(fen.values()), axis=0) if payer == EVERYBODY else fen[payer] * lines.counts[:, None]
    cost = pd.Series(whole.mean(axis=1) / FEN_PER_YUAN)
    return cost.groupby([rows["site_id"], rows["year"]]).sum().to_dict()


def _sums(lines: Lines, page: Page, amounts: Amounts, of: tuple[str, int], row: int) -> None:
    """Write below the schools what does not move, where there is any, and the total of each year."""
    (payer, left), years, word = of, lines.run.years, lines.run.words
    payers = PAYERS if payer == EVERYBODY else (payer,)
    rests = [amounts.sum([(year, who, REST) for who in payers]) for year in years]
    page.row(row, ("", word("book.rest")), ("text", "wrap"))
    page.row(row + 1, ("", word.term("account", "total")), ("total_text", "total_text"))
    every = Live(f"=SUM({xl_col_to_name(left)}{row + 1}:{xl_col_to_name(left + len(years) - 1)}{row + 1})",
                 sum(cell.value for cell in rests))  # fmt: skip
    for k, rest in enumerate([*rests, every]):
        page.write(row, left + k, rest)
        column = xl_col_to_name(left + k)
        whole = sum(amounts.total(year, payer).value for year in ([years[k]] if k < len(years) else years))
        page.write(row + 1, left + k, Live(f"=SUM({column}{HEAD_ROW + 2}:{column}{row + 1})", whole), "total")
