"""The summary: what to type where, what the county bears in every year as typed and as simulated, and the answer."""

from __future__ import annotations

from sim.tell import table as tables
from sim.tell.answer import answer, key_figures
from sim.tell.facts import facts
from sim.tell.workbook.amounts import ALL, Amounts
from sim.tell.workbook.budget import fixed
from sim.tell.workbook.lines import EVERY, Lines
from sim.tell.workbook.pen import HEAD_ROW, LINE_HEIGHT, Live, Page, lines_of
from sim.tell.workbook.prices import Typed

NAMES = (
    "year", "county_mean", "county_p50", "county_p80", "county_p95", "simulated_p80", "change", "county_fixed",
    "all_mean", "family_mean",
)  # fmt: skip
WIDTHS = (30, *[18] * 9)
CHART_ROWS = 16


def summary(lines: Lines, page: Page, amounts: Amounts, typed: Typed) -> None:
    """Write how the workbook is used, the county's totals, and below them what the report says of the run."""
    word = lines.run.words
    page.set_widths(WIDTHS)
    places = {"sheet": word("book.sheet.prices"), **typed.where}
    row = HEAD_ROW - 1
    for k in ("type", "moves", "still"):
        row = _across(page, row, 0, word(f"book.use.{k}", **places))
    row = _years(lines, page, amounts, row + 1) + 1
    page.write(row, 0, word("book.report"), "part")
    row += 1
    for sentence in answer(lines.run):
        row = _across(page, row, 0, sentence)
    told = [(key.label, key.value, key.note) for key in key_figures(lines.run)]
    for label, *texts in [*told, *facts(lines.run)]:
        page.write(row, 0, label, "wrap")
        row = _across(page, row, 1, " · ".join(text for text in texts if text))
    worst = tables.bottleneck_table(lines.run)
    page.table(row + 1, worst.head, worst.rows, ["wrap"] * len(worst.head))


def _across(page: Page, row: int, column: int, text: str) -> int:
    """Write a text from a column to the end of the table, as high as it needs; return the next row."""
    page.sheet.merge_range(row, column, row, len(NAMES) - 1, "", page.pen.looks["wrap"])
    page.write(row, column, text, "wrap")
    page.sheet.set_row(row, lines_of(text, sum(WIDTHS[column:])) * LINE_HEIGHT + 2)
    return row + 1


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
    return row + CHART_ROWS + 1


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
    chart.set_size({"width": 1100, "height": CHART_ROWS * 20 - 20})
    page.sheet.insert_chart(last + 2, 0, chart, {"y_offset": 10})
