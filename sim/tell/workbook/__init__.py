"""The workbook of a run, budget.xlsx: type a price or a share, and every total follows, to the fen."""

from __future__ import annotations

import io
from pathlib import Path

import xlsxwriter

from sim.tell.facts import title
from sim.tell.run import Run, run_of
from sim.tell.workbook.amounts import amounts
from sim.tell.workbook.budget import budget, payers
from sim.tell.workbook.capital import capital
from sim.tell.workbook.fixed import sources, spread
from sim.tell.workbook.lines import Lines
from sim.tell.workbook.pen import open_pen
from sim.tell.workbook.prices import prices
from sim.tell.workbook.quantities import quantities
from sim.tell.workbook.schools import schools
from sim.tell.workbook.summary import summary

SHEETS = (
    "summary", "budget", "capital", "prices", "quantities", "amounts", "payers", "schools", "spread", "sources",
)  # fmt: skip
TEXT_STAYS_TEXT = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)


def workbook(run: Run | Path) -> Path:
    """Write budget.xlsx of a run from its files; return where it lies.

    Quantities times typed prices times typed shares are the amounts; every other sheet but the spread and the
    sources is made of formulas on these. Every formula comes with the value it has as the run was simulated.
    """
    run, buffer = run_of(run), io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **TEXT_STAYS_TEXT})
    book.set_properties({"title": title(run), "author": "schoolsim"})
    pen, lines = open_pen(run, book), Lines(run)
    pages = {key: pen.sheet(key) for key in SHEETS}
    typed = prices(lines, pages["prices"])
    counts = quantities(lines, pages["quantities"], typed)
    sums = amounts(lines, pages["amounts"], counts)
    budget(lines, pages["budget"], sums)
    capital(lines, pages["capital"], counts)
    payers(lines, pages["payers"], sums, typed)
    schools(lines, pages["schools"], counts, sums)
    spread(lines, pages["spread"])
    sources(lines, pages["sources"])
    summary(lines, pages["summary"], sums, typed)
    book.close()
    return run.folder.write_bytes("budget.xlsx", buffer.getvalue())
