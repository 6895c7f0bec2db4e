"""The sheets of the yearly budget and of the payers: accounts by year, and what every payer bears."""

from __future__ import annotations

from collections.abc import Sequence

from xlsxwriter.utility import xl_col_to_name

from sim.tell.workbook.amounts import ALL, FIXED, REST, STATISTICS, TOTAL, Amounts
from sim.tell.workbook.lines import EVERY, PAYERS, Lines
from sim.tell.workbook.pen import HEAD_ROW, Live, Page
from sim.tell.workbook.prices import Typed

NATURES = ("capital", "recurrent", "income", "transfer")
LABELS = 2
"""Columns before the first year: account, nature."""


def budget(lines: Lines, page: Page, amounts: Amounts) -> None:
    """Write the mean of every account by year, first of all payers together, then of the county."""
    years = lines.run.years
    page.head(HEAD_ROW, _heads(lines), (38, 14, *[16] * (len(years) + 1)))
    row = HEAD_ROW + 1
    for payer in (ALL, "county"):
        page.write(row, 0, lines.run.words(f"book.budget.{payer}"), "part")
        row = _block(lines, page, amounts, payer, row + 1)
        row = _totals(lines, page, amounts, payer, row) + 1
    page.keep_in_sight(HEAD_ROW + 1, LABELS)


def _heads(lines: Lines) -> list[str]:
    word = lines.run.words
    return [word("column.account"), word("column.nature"), *map(str, lines.run.years), word("book.all_years")]


def _block(lines: Lines, page: Page, amounts: Amounts, payer: str, row: int) -> int:
    """Write the accounts of a payer by nature; transfers vanish between all payers. Return the next row."""
    word, years = lines.run.words, lines.run.years
    payers = PAYERS if payer == ALL else (payer,)
    for nature in NATURES:
        names = [account.name for account in lines.accounts.values() if account.nature == nature]
        for account in [] if (payer, nature) == (ALL, "transfer") else names:
            keys = {year: [(year, who, account) for who in payers] for year in years}
            if not any(key in amounts.rows for found in keys.values() for key in found):
                continue
            label = word.term("account", account)
            label += "" if lines.accounts[account].in_total else f" ({word('book.not_in_total')})"
            _row(page, row, (label, word.term("nature", nature)), [amounts.sum(keys[year]) for year in years])
            row += 1
    rest = [amounts.sum([(year, who, REST) for who in payers]) for year in years]
    if any(cell.formula != "=0" for cell in rest):
        _row(page, row, (word("book.rest"), ""), rest)
        row += 1
    return row


def _row(page: Page, row: int, labels: tuple[str, str], cells: Sequence[Live], look: str = "yuan") -> None:
    """Write the cells of all years and, last, their sum."""
    ends = (f"{xl_col_to_name(LABELS + k)}{row + 1}" for k in (0, len(cells) - 1))
    whole = Live(f"=SUM({':'.join(ends)})", sum(cell.value for cell in cells))
    text = "total_text" if look == "total" else "wrap"
    page.row(row, (*labels, *cells, whole), (text, text, *[look] * (len(cells) + 1)))


def _totals(lines: Lines, page: Page, amounts: Amounts, payer: str, row: int) -> int:
    """Write the total of a payer and its percentiles; those with the spread of prices do not move."""
    word, years = lines.run.words, lines.run.years
    for statistic in STATISTICS:
        cells = [amounts.total(year, payer, statistic) for year in (*years, EVERY)]
        label = word("book.total_of", what=word(f"book.column.{statistic}"))
        page.row(row, (label, "", *cells), ("total_text", "total_text", *["total"] * len(cells)))
        row += 1
    for name in FIXED:
        values = [fixed(lines, payer, year, name) for year in (*years, EVERY)]
        page.row(row, (word(f"book.column.fixed_{name}"), "", *values), ("wrap", "text", *["fixed"] * len(values)))
        row += 1
    return row


def fixed(lines: Lines, payer: str, year: int, name: str) -> float | None:
    """Return a total of the budget as it was simulated; None when there is no budget."""
    totals = lines.totals
    return float(totals.at[(year, payer), name]) if (year, payer) in totals.index else None


def payers(lines: Lines, page: Page, amounts: Amounts, typed: Typed) -> None:
    """Write what every payer bears by year, with its spread, discounted and with inflation; then by account."""
    word, years = lines.run.words, lines.run.years
    later = ("npv", "nominal")
    names = ("year", *STATISTICS, *later, *(f"fixed_{name}" for name in FIXED))
    page.head(HEAD_ROW, [word(f"book.column.{name}") for name in names], (30, *[17] * (len(names) - 1)))
    row = HEAD_ROW + 1
    there = [payer for payer in (*PAYERS, ALL) if (years[0], payer, TOTAL) in amounts.rows]
    for payer in there:
        page.write(row, 0, word.term("payer", payer), "part")
        for year in years:
            row += 1
            cells = [amounts.total(year, payer, statistic) for statistic in STATISTICS]
            values = [fixed(lines, payer, year, name) for name in FIXED]
            looks = ("plain", *["yuan"] * 6, *["fixed"] * 3)
            page.row(row, (year, *cells, *_later(lines, typed, row, cells[0].value, year), *values), looks)
        row = _all_years(lines, page, amounts, payer, row + 1) + 2
    _who(lines, page, amounts, there, row)
    page.keep_in_sight(HEAD_ROW + 1, 1)


def _later(lines: Lines, typed: Typed, row: int, mean: float, year: int) -> tuple[Live, Live]:
    """Return the mean discounted to the first year, and with the inflation of the years between."""
    account, ahead = lines.run.settings.account, year - lines.run.years[0]
    return (
        Live(f"=B{row + 1}/(1+{typed.rate})^{ahead}", mean / (1 + account.discount_rate) ** ahead),
        Live(f"=B{row + 1}*(1+{typed.inflation})^{ahead}", mean * (1 + account.inflation) ** ahead),
    )


def _all_years(lines: Lines, page: Page, amounts: Amounts, payer: str, row: int) -> int:
    """Write the sum of all years of a payer; its percentiles are those of the sums. Return its row."""
    years, account = lines.run.years, lines.run.settings.account
    means = [amounts.total(year, payer).value for year in years]
    growth = (1 / (1 + account.discount_rate), 1 + account.inflation)
    sums = [
        Live(f"=SUM({column}{row - len(years) + 1}:{column}{row})", sum(m * g**k for k, m in enumerate(means)))
        for column, g in zip("FG", growth, strict=True)
    ]
    cells = [amounts.total(EVERY, payer, statistic) for statistic in STATISTICS]
    values = [fixed(lines, payer, EVERY, name) for name in FIXED]
    looks = ("total_text", *["total"] * 6, *["fixed"] * 3)
    page.row(row, (lines.run.words("book.all_years"), *cells, *sums, *values), looks)
    return row


def _who(lines: Lines, page: Page, amounts: Amounts, there: Sequence[str], row: int) -> None:
    """Write who bears how much of every account in a mean year."""
    word, years = lines.run.words, lines.run.years
    page.write(row, 0, word("book.who"), "part")
    shown = [payer for payer in there if payer != ALL]
    page.head(row + 1, [word("column.account"), *(word.term("payer", payer) for payer in shown)])
    row += 2
    for account in [*lines.accounts, REST]:
        sums = [amounts.sum([(year, payer, account) for year in years]) for payer in shown]
        if all(cell.formula == "=0" for cell in sums):
            continue
        cells = [Live(f"=({cell.formula[1:]})/{len(years)}", cell.value / len(years)) for cell in sums]
        label = word("book.rest") if account == REST else word.term("account", account)
        page.row(row, (label, *cells), ("wrap", *["yuan"] * len(cells)))
        row += 1
