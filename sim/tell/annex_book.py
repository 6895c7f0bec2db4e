"""The annexes as a workbook, annexes.xlsx: a sheet for each annex, ready to be printed and filled in."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from sim.tell.annex import Annex
from sim.tell.run import Run
from sim.tell.words import Words

A4 = 9
HEAD_ROW = 2
LOOKS: dict[str, dict[str, Any]] = {
    "number": {"bold": False, "font_size": 11},
    "title": {"bold": True, "font_size": 15, "align": "center"},
    "head": {"bold": True, "border": 1, "text_wrap": True, "align": "center", "valign": "vcenter"},
    "text": {"border": 1, "text_wrap": True, "valign": "vcenter"},
    "count": {"border": 1, "align": "center", "valign": "vcenter", "num_format": "General"},
    "whole": {"border": 1, "align": "center", "valign": "vcenter", "num_format": "#,##0"},
    "part": {"border": 1, "align": "center", "valign": "vcenter", "num_format": "#,##0.0#"},
    "note": {"font_size": 9, "text_wrap": True, "valign": "top"},
}


def annex_book(annexes: Sequence[Annex], run: Run) -> bytes:
    """Return annexes.xlsx; every text is written as text, whatever it looks like.

    It says that it is of the day on which the run was lived, so that drawn again it is the same to the last bit.
    """
    buffer, words, public = io.BytesIO(), run.words, run.public
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    if lived := run.manifest.get("started_utc"):
        book.set_properties({"created": datetime.fromisoformat(lived)})
    font = "Microsoft YaHei" if words.language == "zh" else "Arial"
    looks = {name: book.add_format({"font_name": font, "font_size": 10, **look}) for name, look in LOOKS.items()}
    for annex in annexes:
        _sheet(book, looks, annex, words, public)
    book.close()
    return buffer.getvalue()


def _sheet(book: Any, looks: dict[str, Any], annex: Annex, words: Words, public: bool) -> None:
    """Write one annex: its number, title, head, rows, and the note below them."""
    last = len(annex.columns) - 1
    sheet = book.add_worksheet(annex.label)
    _paper(sheet, words, public)
    sheet.write_string(0, 0, annex.label, looks["number"])
    sheet.merge_range(1, 0, 1, last, "", looks["title"])
    sheet.write_string(1, 0, annex.title, looks["title"])
    for column, (name, width) in enumerate(annex.columns):
        sheet.set_column(column, column, width)
        sheet.write_string(HEAD_ROW, column, name, looks["head"])
    for down, row in enumerate(annex.rows, start=HEAD_ROW + 1):
        for column, value in enumerate(row):
            _write(sheet, looks, (down, column), value)
    below = HEAD_ROW + 1 + len(annex.rows)
    sheet.merge_range(below, 0, below, last, "", looks["note"])
    sheet.write_string(below, 0, annex.note, looks["note"])
    sheet.set_row(below, 44)
    sheet.freeze_panes(HEAD_ROW + 1, 0)
    sheet.repeat_rows(HEAD_ROW)


def _write(sheet: Any, looks: dict[str, Any], at: tuple[int, int], value: object) -> None:
    """Write a cell: numbers as numbers, None as an empty field, all else as text."""
    if value is None:
        sheet.write_blank(*at, None, looks["text"])
    elif isinstance(value, float):
        sheet.write_number(*at, value, looks["whole" if value.is_integer() else "part"])
    elif isinstance(value, int):
        sheet.write_number(*at, value, looks["count"])
    else:
        sheet.write_string(*at, str(value), looks["text"])


def _paper(sheet: Any, words: Words, public: bool) -> None:
    """Make a sheet ready to be printed: A4 across, one page wide, with the page's number and the internal mark."""
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.set_margins(left=0.5, right=0.5, top=0.7, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C&P / &N")
    sheet.hide_gridlines(2)
    if not public:
        sheet.set_header(f"&C{words('internal_mark')}")
