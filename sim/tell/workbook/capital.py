"""The sheet of the capital plan: what is bought in which year, at which price, and what it costs a year."""

from __future__ import annotations

from typing import NamedTuple

from sim.tell.workbook.lines import Account, Lines
from sim.tell.workbook.pen import HEAD_ROW, LINE_HEIGHT, Live, Page
from sim.tell.workbook.quantities import ALL, MEAN, Counts
from sim.units import FEN_PER_YUAN

NAMES = ("account", "year", "bought", "unit", "unit_price", "cost", "life", "annuity", "residual")
WIDTHS = (34, 9, 13, 13, 16, 18, 10, 18, 20)
LOOKS = ("wrap", "plain", "quantity", "unit", "yuan", "yuan", "number", "yuan", "yuan")


TOTALS = {0: "year", 5: "bought_yuan", 7: "annuity_all"}
"""Columns of the sums of a year: they stand above what they add up."""


class Bought(NamedTuple):
    """What an account buys in a year, as simulated: what the formulas give, also where schools are told together.

    There capital.csv differs by some fen, as it rounds school by school.
    """

    account: Account
    year: int
    quantity: float
    cost: float
    life: float


def capital(lines: Lines, page: Page, counts: Counts) -> None:
    """Write the sums of every year, and below them every purchase."""
    word, years = lines.run.words, lines.run.years
    rows = purchases(lines)
    first = HEAD_ROW + len(years) + 4
    page.set_widths(WIDTHS)
    for column, name in TOTALS.items():
        page.write(HEAD_ROW, column, word(f"book.column.{name}"), "head")
    page.sheet.set_row(HEAD_ROW, 2 * LINE_HEIGHT)
    columns = {name: f"${at}${first + 1}:${at}${first + max(len(rows), 1)}" for name, at in
               (("year", "B"), ("cost", "F"), ("life", "G"), ("annuity", "H"))}  # fmt: skip
    for k, year in enumerate(years):
        row = HEAD_ROW + 1 + k
        cost = sum(line.cost for line in rows if line.year == year)
        owned = [line for line in rows if line.year <= year < line.year + line.life]
        cash = f"=SUMIFS({columns['cost']},{columns['year']},A{row + 1})"
        alive = f"({columns['year']}<=A{row + 1})*({columns['year']}+{columns['life']}>A{row + 1})"
        spread = f"=SUMPRODUCT({alive}*{columns['annuity']})"
        sums = (year, Live(cash, cost), Live(spread, sum(annuity(lines, line) for line in owned)))
        for column, value in zip(TOTALS, sums, strict=True):
            page.write(row, column, value)
    page.head(first - 1, [word(f"book.column.{name}") for name in NAMES])
    for k, line in enumerate(rows):
        _purchase(lines, page, counts, line, first + k)
    page.keep_in_sight(HEAD_ROW + 1, 1)


def purchases(lines: Lines) -> list[Bought]:
    """Return what is bought: by account, then by year."""
    found = []
    for account in lines.accounts.values():
        for year in lines.run.years if account.nature == "capital" else ():
            if (year, account.name) in lines.blocks:
                rows = lines.blocks[year, account.name]
                count = float(lines.numbers[rows].mean(axis=1).sum())
                cost = sum(float(fen[rows].mean(axis=1).sum()) for fen in lines.amounts.values())
                found.append(Bought(account, year, count, cost / FEN_PER_YUAN, account.life))
    return found


def annuity(lines: Lines, line: Bought) -> float:
    """Return what a purchase costs a year over its life, at the discount rate."""
    rate = lines.run.settings.account.discount_rate
    return line.cost * rate / (1 - (1 + rate) ** -line.life) if rate > 0 else line.cost / line.life


def _purchase(lines: Lines, page: Page, counts: Counts, line: Bought, row: int) -> None:
    """Write one purchase: how many, at which price, for how many years, and what is left at the end."""
    word, typed, at = lines.run.words, counts.typed, row + 1
    item = line.account.item
    price = Live(f"={typed.price[item]}", line.account.price) if item else 1.0
    life = Live(f"={typed.life[item]}", line.life) if item in typed.life else line.life
    end = lines.run.years[-1] + 1
    left = line.cost * max(0.0, 1 - (end - line.year) / line.life)
    values = (
        word.term("account", line.account.name),
        line.year,
        Live(f"=SUM({counts.block(line.year, line.account.name, MEAN)})", line.quantity),
        word.term("account_unit", line.account.unit),
        price,
        Live(f"=SUM({counts.block(line.year, line.account.name, ALL)})", line.cost),
        life,
        Live(f"=-PMT({typed.rate},G{at},F{at})", annuity(lines, line)),
        Live(f"=F{at}*MAX(0,1-({end}-B{at})/G{at})", left),
    )
    page.row(row, values, LOOKS)
