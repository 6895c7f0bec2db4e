"""The pages for people that lie in `sheets/`: schools, townships, annexes, and, internal only, pupils' files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

from sim.tell.annex import Annex, annexes, texts
from sim.tell.annex_book import annex_book
from sim.tell.pupil_file import FOLDER, pupil_files
from sim.tell.run import Run
from sim.tell.sheet import sheets
from sim.tell.sites import Sites, page_of
from sim.tell.template import render
from sim.tell.township import pages, townships

ANNEXES = "annexes"


def write_handouts(sites: Sites, made_up: bool) -> None:
    """Write all pages of a run from its files; files of pupils of an earlier, internal drawing are removed.

    made_up: the county's rolls or places are synthetic, and every page says so.
    """
    run = sites.run
    shutil.rmtree(run.path / FOLDER, ignore_errors=True)
    lists = annexes(sites) if sites.plans.cases else []
    for template, name, values in _all(sites, lists):
        run.folder.write_text(name, render(template, run.words, public=run.public, made_up=made_up, **values))
    if lists:
        run.folder.write_bytes(_annexes(run).replace(".html", ".xlsx"), annex_book(lists, run))


def _all(sites: Sites, lists: list[Annex]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield template, file and values of every page."""
    told = {
        "sheet.html.j2": sheets(sites.run, sites),
        "township.html.j2": townships(sites),
        "annex.html.j2": _annex_page(sites, lists),
        "pupil_file.html.j2": pupil_files(sites.plans),
    }
    for template, found in told.items():
        for name, values in found.items():
            yield template, name, values


def _annex_page(sites: Sites, lists: list[Annex]) -> dict[str, dict[str, Any]]:
    """Return the page of the annexes; none where no school is named."""
    run, word = sites.run, sites.run.words
    if not lists:
        return {}
    county = word.term("county", run.settings.county.name)
    title = word("annex.page", county=county, first=run.years[0], last=run.years[-1])
    return {_annexes(run): {"title": title, "annexes": [(each, texts(each)) for each in lists]}}


def _annexes(run: Run) -> str:
    return page_of(run, ANNEXES)


def links(sites: Sites) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what the report links to beside the schools' pages: heading, and name and address of each page."""
    if not sites.plans.cases:
        return []
    word, page = sites.run.words, _annexes(sites.run)
    both = [(word("closing.to_read"), page), (word("closing.workbook"), page.replace(".html", ".xlsx"))]
    return [(word("closing.townships"), pages(sites)), (word("closing.annexes"), both)]
