"""The summary: what to type where, what the county bears in every year as typed and as simulated, and the answer."""

from __future__ import annotations

from collections.abc import Sequence

from sim.tell import table as tables
from sim.tell.answer import answer, key_figures
from sim.tell.page import facts
from sim.tell.workbook.amounts import ALL, EVERY, Amounts
from sim.tell.workbook.budget import fixed
from sim.tell.workbook.fixed import write_grid
from sim.tell.workbook.lines import Lines
from sim.tell.workbook.pen import HEAD_ROW, Live, Page
from sim.tell.workbook.prices import Typed

NAMES = (
    "year", "county_mean", "county_p50", "county_p80", "county_p95", "simulated_p80", "change", "fixed_p80",
    "all_mean", "family_mean",
)  # fmt: skip
WIDTHS = (34, 30, 24, 18, 26, 18, 18, 24, 18, 18)
HIGH = 28
"""Height of a row with two lines of text."""


def summary(lines: Lines, page: Page, amounts: Amounts, typed: Typed) -> None:
    """Write how the workbook is used, the county's totals, and below them what the report says of the run."""
    word = lines.run.words
    places = {"sheet": word("book.sheet.prices"), **typed.where}
    texts = [word(f"book.use.{k}", **places) for k in ("type", "moves", "still")]
    row = _sentences(page, HEAD_ROW - 1, texts)
    row = _years(lines, page, amounts, row + 1)
    page.write(row + 1, 0, word("book.report"), "part")
    row = _sentences(page, row + 2, answer(lines.run)) + 1
    for key in key_figures(lines.run):
        page.row(row, (key.label, key.value, key.note), ["wrap"] * 3)
        row += 1
    for name, value in facts(lines.run):
        page.row(row + 1, (name, value), ["wrap"] * 2)
        row += 1
    write_grid(page, row + 2, tables.bottleneck_table(lines.run))


def _sentences(page: Page, row: int, texts: Sequence[str]) -> int:
    """Write sentences across the table, one a row; return the next row."""
    for text in texts:
        page.sheet.merge_range(row, 0, row, len(NAMES) - 1, "", page.pen.looks["wrap"])
        page.write(row, 0, text, "wrap")
        page.sheet.set_row(row, HIGH)
        row += 1
    return row


def _years(lines: Lines, page: Page, amounts: Amounts, row: int) -> int:
    """Write the county's total of every year beside what it was as simulated; return the next row."""
    word, years = lines.run.words, lines.run.years
    page.head(row, [word(f"book.column.{name}") for name in NAMES], WIDTHS)
    first = row + 1
    for year in (*years, EVERY):
        row += 1
        county = [amounts.total(year, "county", name) for name in ("mean", "p50", "p80", "p95")]
        others = [amounts.total(year, payer) for payer in (ALL, "family")]
        p80 = county[2].value
        change, spread = Live(f"=D{row + 1}-F{row + 1}", 0.0), fixed(lines, "county", year, "p80")
        look, text = ("total", "total_text") if year == EVERY else ("yuan", "plain")
        name = word("book.all_years") if year == EVERY else year
        looks = (text, *[look] * 4, "fixed", look, "fixed", look, look)
        page.row(row, (name, *county, p80, change, spread, *others), looks)
    _chart(lines, page, first, first + len(years) - 1)
    return row + 1


def _chart(lines: Lines, page: Page, first: int, last: int) -> None:
    """Draw the county's P80 of every year as typed and as simulated, beside the table."""
    chart, word = page.pen.book.add_chart({"type": "column"}), lines.run.words
    for column, colour in ((5, "#B8BCC2"), (3, "#1F6FB2")):
        chart.add_series(
            {
                "name": word(f"book.column.{NAMES[column]}"),
                "categories": [page.name, first, 0, last, 0],
                "values": [page.name, first, column, last, column],
                "fill": {"color": colour},
            }
        )
    chart.set_title({"name": word("book.chart"), "name_font": {"size": 11}})
    chart.set_y_axis({"num_format": "#,##0", "major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 760, "height": 300})
    page.sheet.insert_chart(first - 1, len(NAMES) + 1, chart)
