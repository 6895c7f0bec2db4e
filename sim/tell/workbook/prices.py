"""The sheet of unit prices: what a finance officer may type, and where every price comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell

from sim.tell.workbook.lines import SHARING, WAIVED, Lines
from sim.tell.workbook.pen import HEAD_ROW, Live, Page
from sim.units import DIGITS

NAMES = (
    "price", "typed", "simulated", "low", "high", "unit", "price_year", "life", "confidence", "used_for", "source",
)  # fmt: skip
WIDTHS = (30, 14, 14, 12, 12, 22, 7, 9, 12, 34, 70)
LOW = {"validate": "decimal", "criteria": ">=", "value": 0}
SHARE = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 1}
CHANGED = "#F6C28B"


@dataclass
class Typed:
    """Where the cells stand that other sheets calculate with, as formulas name them."""

    price: dict[str, str] = field(default_factory=dict)
    life: dict[str, str] = field(default_factory=dict)
    share: dict[tuple[str, str], str] = field(default_factory=dict)
    rate: str = ""
    inflation: str = ""
    where: dict[str, str] = field(default_factory=dict)
    """What the summary calls the cells: the first price, the shares."""


def prices(lines: Lines, page: Page) -> Typed:
    """Write the price list, who bears which share, and the settings of account; return where they stand."""
    typed = Typed()
    row = _price_list(lines, page, typed)
    row = _shares(lines, page, typed, row + 1)
    _settings(lines, page, typed, row + 1)
    page.keep_in_sight(HEAD_ROW + 1, 1)
    return typed


def _price_list(lines: Lines, page: Page, typed: Typed) -> int:
    """Write one row for each price; return the first free row."""
    word = lines.run.words
    page.head(HEAD_ROW, [word(f"book.column.{name}") for name in NAMES], WIDTHS)
    looks = ("wrap", "input", "fixed", "yuan", "yuan", "unit", "plain", "number", "text", "wrap", "wrap")
    row = HEAD_ROW + 1
    for item, price in lines.prices.items():
        used = [word.term("account", account.name) for account in lines.accounts.values() if account.item == item]
        page.row(
            row,
            (
                word.term("price", item), price["central"], price["central"], price["low"], price["high"],
                word.term("price_unit", price["unit"]), int(price["year"]), price.get("life_years"),
                word.term("confidence", price["confidence"]), word.join(used), word.source(price["source"]),
            ),
            looks,
        )  # fmt: skip
        typed.price[item] = page.cell(row, 1)
        if price.get("life_years"):
            typed.life[item] = page.cell(row, 7)
        row += 1
    _watch(page, HEAD_ROW + 1, row - 1, (LOW, word("book.rule.price")))
    typed.where["price"] = f"B{HEAD_ROW + 2}:B{row}"
    return row


def _shares(lines: Lines, page: Page, typed: Typed, row: int) -> int:
    """Write who bears which share of each purse: upper levels and families are typed, the county bears the rest."""
    word = lines.run.words
    page.write(row, 0, word("book.shares"), "part")
    page.write(row, 3, word("book.shares_note"), "note")
    head = [word("book.column.purse"), *(word.term("payer", payer) for payer in SHARING)]
    simulated = word("book.column.simulated")
    page.head(row + 1, [*head, *(f"{name}: {simulated}" for name in head[1:]), "", "", word("book.column.used_for")])
    first = row = row + 2
    for purse, told in lines.run.settings.account.payers.items():
        shares: dict[Any, float] = dict(told)
        upper, family = (round(shares.get(payer, 0.0), DIGITS) for payer in SHARING[:2])
        rest = round(1 - upper - family, DIGITS)
        used = [word.term("account", account.name) for account in lines.accounts.values() if account.purse == purse]
        county = Live(f"=ROUND(1-B{row + 1}-C{row + 1},{DIGITS})", rest)
        values = (word.term("purse", purse), upper, family, county, upper, family, rest, None, None, word.join(used))
        looks = ("wrap", "input_share", "input_share", "share", *["fixed_share"] * 3, "", "", "wrap")
        page.row(row, values, looks)
        typed.share |= {(purse, payer): page.cell(row, 1 + k) for k, payer in enumerate(SHARING)}
        row += 1
    for column, other, was in ((1, "C", "E"), (2, "B", "F")):
        rule = {**SHARE, "maximum": f"=1-{other}{first + 1}", "error_message": word("book.rule.share")}
        page.sheet.data_validation(first, column, row - 1, column, rule)
        changed = f"{xl_rowcol_to_cell(first, column)}<>{was}{first + 1}"
        _mark_changes(page, (first, column, row - 1, column), changed)
    typed.where["share"] = f"B{first + 1}:C{row}"
    return row


def _settings(lines: Lines, page: Page, typed: Typed, row: int) -> None:
    """Write the rates, and the part of the fare that families in hardship need not pay."""
    word, account = lines.run.words, lines.run.settings.account
    page.write(row, 0, word("book.settings"), "part")
    first = row = row + 1
    for name in ("discount_rate", "inflation", "hardship_fare_waived"):
        value = float(getattr(account, name))
        page.row(row, (word(f"book.{name}"), value, value), ("wrap", "input_share", "fixed_share"))
        row += 1
    typed.rate, typed.inflation = page.cell(first, 1), page.cell(first + 1, 1)
    typed.share |= {(WAIVED, payer): page.cell(first + 2, 1) for payer in SHARING}
    _watch(page, first, row - 2, (SHARE, word("book.rule.rate")))
    _watch(page, row - 1, row - 1, (SHARE, word("book.rule.waived")))


def _watch(page: Page, first: int, last: int, rule: tuple[dict[str, object], str]) -> None:
    """Refuse what breaks a rule in the typed cells of column B, and set off what differs from what was simulated."""
    page.sheet.data_validation(first, 1, last, 1, {**rule[0], "error_message": rule[1]})
    _mark_changes(page, (first, 1, last, 1), f"$B{first + 1}<>$C{first + 1}")


def _mark_changes(page: Page, block: tuple[int, int, int, int], when: str) -> None:
    look = page.pen.book.add_format({"bg_color": CHANGED, "bold": True})
    page.sheet.conditional_format(*block, {"type": "formula", "criteria": f"={when}", "format": look})
