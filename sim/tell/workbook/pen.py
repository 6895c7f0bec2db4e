"""The one way to write a cell of the workbook, so that numbers stay numbers and no text becomes a formula."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from xlsxwriter.utility import quote_sheetname, xl_range_abs, xl_rowcol_to_cell, xl_rowcol_to_cell_fast
from xlsxwriter.worksheet import Worksheet

from sim.tell.run import Run

A4 = 9
HEAD_ROW = 3
"""Row of the first table of a sheet, below its title and the note on what it holds."""
GREY, YELLOW, BLUE, LINE = "#F0F1F2", "#FFF7D6", "#1F3FBF", "#B8BCC2"
YUAN = "#,##0.00;-#,##0.00;–"
LOOKS: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 14},
    "part": {"bold": True, "font_size": 11},
    "note": {"font_color": "#555555"},
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "bg_color": GREY, "valign": "vcenter", "align": "center"},
    "text": {"indent": 1},
    "wrap": {"text_wrap": True},
    "yuan": {"num_format": YUAN},
    "quantity": {"num_format": "#,##0.00;-#,##0.00;–"},
    "share": {"num_format": "0.00%"},
    "number": {"num_format": "General", "align": "center"},
    "unit": {"align": "center"},
    "plain": {"num_format": "0", "align": "left"},
    "fixed": {"num_format": YUAN, "italic": True, "font_color": "#555555", "bg_color": GREY},
    "fixed_share": {"num_format": "0.00%", "italic": True, "font_color": "#555555", "bg_color": GREY},
    "total": {"num_format": YUAN, "bold": True, "top": 1},
    "total_text": {"bold": True, "top": 1, "text_wrap": True},
    "input": {"num_format": "#,##0.00", "bg_color": YELLOW, "font_color": BLUE, "border": 1, "border_color": LINE},
    "input_share": {"num_format": "0.00%", "bg_color": YELLOW, "font_color": BLUE, "border": 1, "border_color": LINE},
}  # fmt: skip
"""How cells look; what a person may type has yellow ground and is not locked."""
WRAPPED = ("wrap", "head", "total_text")
USUAL_WIDTH, LINE_HEIGHT, TITLE_HEIGHT = 8.43, 13.5, 22
LAST_NARROW, ROOM = 0x2E7F, 0.9
"""Signs beyond are Chinese; a usual letter is narrower than the digit that widths are measured in."""
FREE = {
    "format_columns": True, "format_rows": True, "format_cells": True, "autofilter": True, "sort": True,
}  # fmt: skip
"""What a protected sheet still lets people do; it has no password."""


class Live(NamedTuple):
    """A formula with the value it has as the run was simulated, for readers that do not calculate."""

    formula: str
    value: float


class Sheet(Worksheet):  # type: ignore[misc]  # it has no types
    """A sheet whose formulas need no rewriting: none uses a function that is newer than the file format.

    XlsxWriter looks for each of some thirty newer functions in every formula, and has no public way not to; the
    option `use_future_functions` is off already, and only spares it the others. Nor does it look whether a cell is
    named "A1": all are named by row and column.
    """

    write_number, write_string, write_formula = (
        Worksheet._write_number, Worksheet._write_string, Worksheet._write_formula
    )  # fmt: skip

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
        return formula.removeprefix("=")

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        """Write a cell as XlsxWriter does; of numbers and formulas, place and format hold no sign to be escaped."""
        kind = type(cell).__name__
        if kind not in ("Number", "Formula") or not cell.format:
            super()._write_cell(row, col, cell)
            return
        if kind == "Number":
            content = f"<v>{cell.number:.16G}</v>"
        else:
            content = f"<f>{self._escape_data(cell.formula)}</f><v>{cell.value}</v>"
        at = xl_rowcol_to_cell_fast(row, col)
        self.fh.write(f'<c r="{at}" s="{cell.format._get_xf_index()}">{content}</c>')


@dataclass(frozen=True, slots=True)
class Pen:
    """A workbook and its formats."""

    run: Run
    book: Any
    looks: dict[str, Any]

    def sheet(self, key: str) -> Page:
        """Add a sheet with its title, its note, and its page ready to be printed: A4 across, one page wide."""
        name, word = self.run.words(f"book.sheet.{key}"), self.run.words
        sheet = self.book.add_worksheet(name, Sheet)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(f"&L{name}&R&P / &N")
        if not self.run.public:
            sheet.set_header(f"&C{word('internal_mark')}")
        sheet.protect("", FREE)
        page = Page(self, sheet, name)
        page.write(0, 0, name, "title")
        sheet.set_row(0, TITLE_HEIGHT)
        page.write(1, 0, word(f"book.note.{key}"), "note")
        return page


def open_pen(run: Run, book: Any) -> Pen:
    """Return the way to write a workbook, in a font that has the signs of the report's language."""
    font = "Microsoft YaHei" if run.words.language == "zh" else "Arial"
    base = {"font_name": font, "font_size": 10, "valign": "top"}
    looks = {name: book.add_format({**base, **look, "locked": "input" not in name}) for name, look in LOOKS.items()}
    return Pen(run, book, looks)


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet of the workbook."""

    pen: Pen
    sheet: Any
    name: str
    widths: dict[int, float] = field(default_factory=dict)

    def set_widths(self, widths: Sequence[float], first: int = 0) -> None:
        """Set the widths of columns, in signs."""
        for column, width in enumerate(widths, start=first):
            self.sheet.set_column(column, column, width)
            self.widths[column] = width

    def write(self, row: int, column: int, value: object, look: str = "") -> None:
        """Write one cell: a formula only where the program made one, numbers as numbers, all else as text."""
        if isinstance(value, Live):
            cached = value.value if np.isfinite(value.value) else 0
            self.sheet.write_formula(row, column, value.formula, self.pen.looks[look or "yuan"], cached)
        elif isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
            usual = "plain" if isinstance(value, int | np.integer) else "yuan"
            if np.isfinite(value):
                self.sheet.write_number(row, column, float(value), self.pen.looks[look or usual])
            else:
                self.sheet.write_blank(row, column, None, self.pen.looks[look or usual])
        else:
            text = "" if value is None or str(value) == "nan" else str(value)
            self.sheet.write_string(row, column, text, self.pen.looks[look or "text"])

    def row(self, row: int, values: Sequence[object], looks: Sequence[str] = ()) -> None:
        """Write the cells of a row from the first column on; None leaves a cell empty."""
        lines = 1
        for column, value in enumerate(values):
            look = looks[column] if column < len(looks) else ""
            if value is not None:
                self.write(row, column, value, look)
            if look in WRAPPED:
                lines = max(lines, lines_of(str(value or ""), self.widths.get(column, USUAL_WIDTH)))
        if lines > 1:
            self.sheet.set_row(row, lines * LINE_HEIGHT + 2)

    def head(self, row: int, names: Sequence[str], widths: Sequence[float] = ()) -> None:
        """Write the head of a table, and set the widths of its columns where they are given."""
        self.set_widths(widths)
        self.row(row, names, ["head"] * len(names))

    def table(self, row: int, names: Sequence[str], rows: Sequence[Sequence[object]], looks: Sequence[str] = ()) -> int:
        """Write a table and return the first free row below it."""
        self.head(row, names)
        for down, values in enumerate(rows, start=row + 1):
            self.row(down, values, looks)
        return row + 1 + len(rows)

    def keep_in_sight(self, row: int, column: int) -> None:
        """Let the rows above and the columns before stand still, and the head repeat on every printed page."""
        self.sheet.freeze_panes(row, column)
        self.sheet.repeat_rows(row - 1)

    def cell(self, row: int, column: int) -> str:
        """Return how a formula of any sheet names a cell of this one."""
        return f"{quote_sheetname(self.name)}!{xl_rowcol_to_cell(row, column, True, True)}"

    def cells(self, first: int, last: int, column: int, last_column: int | None = None) -> str:
        """Return how a formula of any sheet names a block of cells of this one."""
        block = xl_range_abs(first, column, last, column if last_column is None else last_column)
        return f"{quote_sheetname(self.name)}!{block}"


def lines_of(text: str, width: float) -> int:
    """Return how many lines a text takes in a column; Chinese signs are as wide as two letters."""
    signs = sum(2 if ord(sign) > LAST_NARROW else 1 for sign in text)
    return max(1, math.ceil(signs * ROOM / width))
