"""The sheet of amounts: what every payer bears of every account in every year, replication by replication."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from sim.tell.workbook.lines import EVERY, PAYERS, Lines
from sim.tell.workbook.pen import HEAD_ROW, Live, Page
from sim.tell.workbook.quantities import FIRST as QUANTITY
from sim.tell.workbook.quantities import Counts
from sim.units import FEN_PER_YUAN

Floats = NDArray[np.float64]
NAMES = ("year", "payer", "account", "in_total", "mean", "p50", "p80", "p95", "fixed_p50", "fixed_p80", "fixed_p95")
WIDTHS = (10, 14, 36, 9, 17, 17, 17, 17, 17, 17, 17)
STATISTICS = ("mean", "p50", "p80", "p95")
FIXED = ("p50", "p80", "p95")
FIRST = len(NAMES)
"""Column of the first replication."""
ALL, TOTAL, REST = "all", "total", "rest"
"""All payers, the sum of all accounts, and what does not move."""
PERCENT = {"p50": 50, "p80": 80, "p95": 95}


@dataclass
class Amounts:
    """Where the amounts stand, and what they are as simulated: by (year, payer, account)."""

    page: Page
    rows: dict[tuple[int, str, str], int] = field(default_factory=dict)
    yuan: dict[tuple[int, str, str], Floats] = field(default_factory=dict)
    told: dict[tuple[int, str, str], dict[str, float]] = field(default_factory=dict)
    """Their mean and percentiles."""

    def live(self, key: tuple[int, str, str], statistic: str = "mean") -> Live:
        """Return a formula that shows a mean or percentile of this sheet; 0 where there is no such amount."""
        if key not in self.rows:
            return Live("=0", 0.0)
        column = NAMES.index(statistic)
        return Live(f"={self.page.cell(self.rows[key], column)}", self.told[key][statistic])

    def total(self, year: int, payer: str, statistic: str = "mean") -> Live:
        """Return a formula that shows the total of a payer in a year (EVERY: in all years)."""
        return self.live((year, payer, TOTAL), statistic)

    def sum(self, keys: Sequence[tuple[int, str, str]]) -> Live:
        """Return a formula that adds up means of this sheet."""
        found = [self.live(key) for key in keys if key in self.rows]
        if not found:
            return Live("=0", 0.0)
        return Live("=" + "+".join(part.formula[1:] for part in found), sum(part.value for part in found))


def statistics_of(values: Floats) -> dict[str, float]:
    """Return the mean and the percentiles over the replications, as a spreadsheet's PERCENTILE has them."""
    found = np.percentile(values, list(PERCENT.values())).tolist()
    return {"mean": float(values.mean()), **dict(zip(PERCENT, found, strict=True))}


def amounts(lines: Lines, page: Page, counts: Counts) -> Amounts:
    """Write the totals of all payers and years, and below them every account; return where they stand."""
    word, found = lines.run.words, Amounts(page)
    heads = [word(f"book.column.{name}") for name in NAMES]
    page.head(HEAD_ROW, [*heads, *(f"R{number + 1}" for number in lines.replications)], WIDTHS)
    page.sheet.set_column(FIRST, FIRST + len(lines.replications) - 1, 16)
    payers = [payer for payer in PAYERS if payer in lines.booked.index.unique("payer")]
    first = row = HEAD_ROW + 1 + (len(payers) + 1) * (len(lines.run.years) + 1) + 1
    sums: dict[tuple[int, str], range] = {}
    for year in lines.run.years:
        for payer in payers:
            counted, others = _accounts_of(lines, year, payer)
            for account in (*counted, *others):
                _line(lines, counts, found, (year, payer, account), row)
                row += 1
            sums[year, payer] = range(row - len(others) - len(counted), row - len(others))
    _totals(lines, found, payers, sums)
    _budgeted(lines, found)
    page.sheet.autofilter(first - 1, 0, row - 1, FIRST - 1)
    page.sheet.print_area(0, 0, row - 1, FIRST - 1)
    page.keep_in_sight(HEAD_ROW + 1, 3)
    return found


def _accounts_of(lines: Lines, year: int, payer: str) -> tuple[list[str], list[str]]:
    """Return the accounts of a payer in a year: those that the total counts, and the others."""
    there = [account for account in lines.accounts.values() if (year, account.name) in lines.blocks]
    mine = [account for account in there if payer in account.payers]
    rest = [REST] if (year, payer) in lines.rest else []
    return [a.name for a in mine if a.in_total] + rest, [a.name for a in mine if not a.in_total]


def _line(lines: Lines, counts: Counts, found: Amounts, key: tuple[int, str, str], row: int) -> None:
    """Write what a payer bears of an account in a year: a formula for each replication, or what does not move."""
    year, payer, account = key
    page, word, look = found.page, lines.run.words, found.page.pen.looks
    name = word("book.rest") if account == REST else word.term("account", account)
    counted = account == REST or lines.accounts[account].in_total
    labels = (year, word.term("payer", payer), name, word("book.yes" if counted else "book.no"))
    page.row(row, labels, ("plain", "text", "text", "unit"))
    if account == REST:
        values = lines.rest[year, payer] / FEN_PER_YUAN
        page.sheet.write_row(row, FIRST, values.tolist(), look["fixed"])
    else:
        values = lines.amounts[payer][lines.blocks[year, account]].sum(axis=0) / FEN_PER_YUAN
        for k, value in enumerate(values.tolist()):
            cells = counts.block(year, account, QUANTITY + k)
            formula = f"={counts.product(cells, lines.accounts[account], (payer,))}"
            page.sheet.write_formula(row, FIRST + k, formula, look["yuan"], value)
    _statistics(found, key, row, values)


def _statistics(found: Amounts, key: tuple[int, str, str], row: int, values: Floats, look: str = "yuan") -> None:
    """Write the mean and the percentiles over the replications of a row, and note where it stands."""
    found.rows[key], found.yuan[key], found.told[key] = row, values, statistics_of(values)
    cells = f"{xl_rowcol_to_cell(row, FIRST)}:{xl_rowcol_to_cell(row, FIRST + len(values) - 1)}"
    for statistic in STATISTICS:
        percent = PERCENT.get(statistic)
        formula = f"=PERCENTILE({cells},{percent / 100})" if percent else f"=AVERAGE({cells})"
        found.page.write(row, NAMES.index(statistic), Live(formula, found.told[key][statistic]), look)


def _totals(lines: Lines, found: Amounts, payers: Sequence[str], sums: Mapping[tuple[int, str], range]) -> None:
    """Write the totals above the accounts: of every payer and of all payers, in every year and in all years."""
    years, row = lines.run.years, HEAD_ROW + 1
    many, tall = len(lines.replications), len(lines.run.years) + 1
    for payer in (*payers, ALL):
        for year in (*years, EVERY):
            if year == EVERY:
                parts, rows = [(known, payer, TOTAL) for known in years], range(row - len(years), row)
            elif payer == ALL:
                parts, rows = [(year, known, TOTAL) for known in payers], range(row - len(payers) * tall, row, tall)
            else:
                rows = sums[year, payer]
                parts = [key for key, at in found.rows.items() if at in rows]
            values = np.sum([found.yuan[key] for key in parts], axis=0) if parts else np.zeros(many)
            _total(lines, found, (year, payer, TOTAL), (row, rows), values)
            row += 1


def _total(lines: Lines, found: Amounts, key: tuple[int, str, str], place: tuple[int, range], values: Floats) -> None:
    """Write one total: for each replication the sum of the rows that it is made of."""
    (year, payer, _), (row, rows), word = key, place, lines.run.words
    name = word("book.all_years") if year == EVERY else year
    look, texts = ("total", ["total_text"] * 4) if year == EVERY else ("yuan", ["plain", "text", "text", "text"])
    found.page.row(row, (name, word.term("payer", payer), word.term("account", TOTAL), ""), texts)
    for k, value in enumerate(values.tolist()):
        at = xl_col_to_name(FIRST + k)
        if rows.step == 1:
            formula = f"=SUM({at}{rows[0] + 1}:{at}{rows[-1] + 1})" if rows else "=0"
        else:
            formula = "=" + "+".join(f"{at}{known + 1}" for known in rows)
        found.page.sheet.write_formula(row, FIRST + k, formula, found.page.pen.looks[look], value)
    _statistics(found, key, row, values, look)


def _budgeted(lines: Lines, found: Amounts) -> None:
    """Write beside every amount its percentiles with the spread of prices, which do not move."""
    if lines.run.budget.empty:
        return
    table = pd.concat([lines.run.budget, lines.totals.reset_index()])
    first = table.drop_duplicates(["year", "payer", "account"]).set_index(["year", "payer", "account"])[list(FIXED)]
    known = dict(zip(first.index, first.to_numpy(dtype=float).tolist(), strict=True))
    for key, row in found.rows.items():
        for name, value in zip(FIXED, known.get(key, ()), strict=False):
            found.page.write(row, NAMES.index(f"fixed_{name}"), value, "fixed")
