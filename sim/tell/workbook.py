"""The workbook of a run, budget.xlsx: what it costs, from which quantities and prices, and where they come from."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xlsxwriter

from sim.tell import register
from sim.tell import table as tables
from sim.tell.answer import answer, key_figures
from sim.tell.page import facts, title
from sim.tell.run import Run
from sim.units import FEN_PER_YUAN

SHEET = ("summary", "budget", "ledger", "prices", "sources")
LEDGER_KEYS = ["year", "account", "nature", "payer", "payee", "unit", "unit_price_yuan"]


@dataclass(frozen=True, slots=True)
class Pen:
    """A workbook and its formats: the one way to write a cell, so that no text becomes a formula."""

    book: Any
    title: Any
    head: Any
    text: Any
    number: Any
    plain: Any

    def cell(self, sheet: Any, row: int, column: int, value: Any) -> None:
        """Write one value: numbers as numbers, all else as text; a text that starts with = stays a text."""
        if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
            sheet.write_string(row, column, "" if value is None or value is pd.NA else str(value), self.text)
        elif not np.isfinite(value):
            sheet.write_blank(row, column, None, self.text)
        else:
            year = isinstance(value, int | np.integer)
            sheet.write_number(row, column, float(value), self.plain if year else self.number)

    def table(self, sheet: Any, row: int, head: Sequence[str], rows: Sequence[Sequence[object]]) -> int:
        """Write a table and return the first free row below it."""
        for column, name in enumerate(head):
            sheet.write_string(row, column, name, self.head)
        for down, values in enumerate(rows, start=row + 1):
            for column, value in enumerate(values):
                self.cell(sheet, down, column, value)
        return row + 1 + len(rows)


def workbook(run_folder: Path) -> Path:
    """Write budget.xlsx of a run from its files; return where it lies."""
    run, buffer = Run(Path(run_folder)), io.BytesIO()
    safe = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(buffer, safe)
    book.set_properties({"title": title(run), "author": "schoolsim"})
    pen = _pen(book)
    for name, fill in zip(SHEET, (_summary, _budget, _ledger, _prices, _sources), strict=True):
        sheet = book.add_worksheet(run.words(f"sheet.{name}"))
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        if not run.public:
            sheet.set_header(f"&C{run.words('internal_mark')}")
        fill(run, pen, sheet)
    book.close()
    return run.folder.write_bytes("budget.xlsx", buffer.getvalue())


def _pen(book: Any) -> Pen:
    look = {"font_name": "Arial", "font_size": 10, "valign": "top"}
    return Pen(
        book=book,
        title=book.add_format({**look, "bold": True, "font_size": 14}),
        head=book.add_format({**look, "bold": True, "bottom": 1, "text_wrap": True, "bg_color": "#F0F1F2"}),
        text=book.add_format({**look, "text_wrap": True}),
        number=book.add_format({**look, "num_format": "#,##0.00"}),
        plain=book.add_format({**look, "num_format": "0"}),
    )


def _begin(run: Run, pen: Pen, sheet: Any, name: str) -> int:
    """Write the title of a sheet and what it holds; return the row of its table."""
    sheet.write_string(0, 0, run.words(f"sheet.{name}"), pen.title)
    sheet.write_string(1, 0, run.words(f"sheet_note.{name}"))
    return 3


def _widths(sheet: Any, widths: Sequence[float]) -> None:
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)


def _summary(run: Run, pen: Pen, sheet: Any) -> None:
    """The answer, the key figures, what was run, and the worst bottlenecks."""
    row = _begin(run, pen, sheet, "summary")
    _widths(sheet, (34, 30, 24, 14, 26, 12, 18, 24, 18))
    for sentence in answer(run):
        sheet.merge_range(row, 0, row, 8, "", pen.text)
        sheet.write_string(row, 0, sentence, pen.text)
        sheet.set_row(row, 28)
        row += 1
    row += 1
    for key in key_figures(run):
        for column, text in enumerate((key.label, key.value, key.note)):
            pen.cell(sheet, row, column, text)
        row += 1
    row += 1
    for name, value in facts(run):
        pen.cell(sheet, row, 0, name)
        pen.cell(sheet, row, 1, value)
        row += 1
    _grid(pen, sheet, row + 1, tables.bottleneck_table(run))


def _grid(pen: Pen, sheet: Any, row: int, table: tables.Grid) -> int:
    return pen.table(sheet, row, table.head, [[cell.text for cell in cells] for cells in table.rows])


def _budget(run: Run, pen: Pen, sheet: Any) -> None:
    """The budget by year, account and payer, in yuan."""
    row, word = _begin(run, pen, sheet, "budget"), run.words
    columns = ["year", "account", "nature", "payer", "mean", "low", "high", "p50", "p80", "p95"]
    _widths(sheet, (8, 32, 14, 16, *[16] * 6))
    table = run.budget.reindex(columns=columns)
    for name in ("account", "nature", "payer"):
        table[name] = [word.term(name, value) for value in table[name]]
    end = pen.table(sheet, row, [word(f"column.{name}") for name in columns], table.to_numpy(dtype=object).tolist())
    sheet.freeze_panes(row + 1, 2)
    sheet.autofilter(row, 0, max(end - 1, row), len(columns) - 1)


def _ledger(run: Run, pen: Pen, sheet: Any) -> None:
    """The ledger added up over the sites: mean quantity and amount of a replication, in yuan."""
    row, word = _begin(run, pen, sheet, "ledger"), run.words
    columns = [*LEDGER_KEYS, "quantity", "share", "amount_yuan", "replication"]
    ledger = pd.read_parquet(run.folder.file("ledger"), columns=columns)
    keys = [*LEDGER_KEYS, "share"]
    sums = ledger.groupby(keys, observed=True, dropna=False)[["quantity", "amount_yuan"]].sum().reset_index()
    replications = max(ledger["replication"].nunique(), 1)
    sums["quantity"] /= replications
    sums["amount_yuan"] = (sums["amount_yuan"] / replications * FEN_PER_YUAN).round() / FEN_PER_YUAN
    for name in ("account", "nature", "payer"):
        sums[name] = [word.term(name, value) for value in sums[name].astype(str)]
    sums["payee"] = [word.term("payer", value) for value in sums["payee"].astype(str)]
    shown = [*LEDGER_KEYS[:5], "quantity", "unit", "unit_price_yuan", "share", "amount_yuan"]
    _widths(sheet, (8, 32, 14, 16, 16, 16, 16, 16, 10, 18))
    rows = sums[shown].to_numpy(dtype=object).tolist()
    end = pen.table(sheet, row, [word(f"column.{name}") for name in shown], rows)
    sheet.freeze_panes(row + 1, 2)
    sheet.autofilter(row, 0, max(end - 1, row), len(shown) - 1)


def _prices(run: Run, pen: Pen, sheet: Any) -> None:
    """The price list as it was used."""
    row, word = _begin(run, pen, sheet, "prices"), run.words
    names = ("price", "low", "central", "high", "unit", "price_year", "confidence", "source")
    _widths(sheet, (34, 12, 12, 12, 22, 8, 14, 90))
    rows = [
        (
            word.term("price", name),
            *(item.get(key) for key in ("low", "central", "high")),
            word.term("price_unit", item.get("unit")),
            item.get("year"),
            word.term("confidence", item.get("confidence")),
            item.get("source"),
        )
        for name, item in register.entries(run, "prices").items()
    ]
    pen.table(sheet, row, [word(f"column.{name}") for name in names], rows)


def _sources(run: Run, pen: Pen, sheet: Any) -> None:
    """The limits with their sources, and what of the county is real, derived or synthetic."""
    row = _begin(run, pen, sheet, "sources")
    _widths(sheet, (34, 40, 16, 24, 90))
    row = _grid(pen, sheet, row, register.limit_table(run))
    row = _grid(pen, sheet, row + 1, register.origin_table(run))
    _grid(pen, sheet, row + 1, register.weight_table(run))
