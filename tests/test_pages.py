"""The pages as a reader has them, in Chromium: nothing asked of a network, nothing cut, numbers as in the files."""

from __future__ import annotations

import base64
import io
import re
import shutil
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from fontTools.ttLib import TTFont
from sample_money import with_money
from sample_run import sample_run
from sample_studies import sample_choice, sample_sensitivity
from scipy import stats

from sim.cli import main
from sim.tell.page import choice_page, report, sensitivity
from sim.tell.words import LANGUAGES, Words

pytestmark = pytest.mark.browser

SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://example.org","x")'
PAGES = ("report", "sheet", "choice", "sensitivity")
A4_PT = [594.96, 841.92]
A4_PX, PRINTED_PX = 794, 680
"""Width of the sheet of paper, and of what is printed on it between margins of 15 mm, in CSS pixels."""
SMALLEST_PX = 11
YUAN = {"en": 1_000_000, "zh": 10_000}
Open = Callable[..., Any]
Made = Callable[[str, str], Path]

UNFOLD = "document.querySelectorAll('details').forEach(part => part.open = true)"
BEYOND = """(within) => [...document.querySelectorAll('body *')].filter(part => {
  const box = part.getBoundingClientRect(), drawing = part.closest('svg'), scroll = part.closest('.scroll');
  if (!box.width || (within && scroll && scroll !== part)) return false;
  if (!drawing || drawing === part) return box.left < -1 || box.right > document.documentElement.clientWidth + 1;
  if (part.tagName !== 'text') return false;
  const frame = drawing.getBoundingClientRect();
  return box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1
    || box.bottom > frame.bottom + 1;
}).map(part => `${part.tagName}.${part.getAttribute('class')}: ${part.textContent.trim().slice(0, 60)}`)"""
"""Parts beyond the sides of the page, and letters beyond their drawing; within: what can be scrolled to is left out."""
LETTERS = """() => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const part = walk.currentNode.parentElement, drawing = part.closest('svg'), look = getComputedStyle(part);
    if (!walk.currentNode.data.trim() || !part.checkVisibility() || part.closest('title')) continue;
    found.push([parseFloat(look.fontSize) * (drawing ? drawing.getScreenCTM().a : 1), walk.currentNode.data.trim()]);
  }
  return found;
}"""
"""Every text that is shown, with the size of its letters in pixels."""
OUTLINE = """() => ({
  levels: [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(head => Number(head.tagName[1])),
  drawings: [...document.querySelectorAll('figure svg')].map(drawing => drawing.querySelector('title')?.textContent),
  tables: [...document.querySelectorAll('table')].map(table => table.caption?.textContent || table.ariaLabel),
  heads: [...document.querySelectorAll('th')].map(head => head.scope),
})"""
PROBES = r"""() => {
  const looks = new Map(), walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const look = getComputedStyle(walk.currentNode.parentElement);
    const key = [look.fontStyle, look.fontWeight, '20px', look.fontFamily].join(' ');
    const letters = walk.currentNode.data.match(/[\u2e80-\u9fff\uff00-\uffef]/gu) ?? [];
    if (letters.length) looks.set(key, new Set([...looks.get(key) ?? [], ...letters]));
  }
  for (const [look, letters] of looks) {
    const probe = document.body.appendChild(document.createElement('p'));
    Object.assign(probe, {className: 'probe', textContent: [...letters].join('')}).style.font = look;
  }
  return document.fonts.ready.then(() => [...looks.values()].map(letters => [...letters].join('')));
}"""
"""For each look that Chinese letters have on the page, a paragraph with all the letters that have it."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return what makes a page of made-up files in a language, once: made(name, language)."""
    folder = tmp_path_factory.mktemp("pages")

    @cache
    def told(language: str) -> Path:
        return report(with_money(sample_run(folder / language, f"report.language={language}"))).parent

    @cache
    def page(name: str, language: str) -> Path:
        words, place = f"report.language={language}", folder / f"{name}_{language}"
        if name == "choice":
            return choice_page(sample_choice(place, words))
        if name == "sensitivity":
            return sensitivity(sample_sensitivity(place, words))
        return told(language) / ("sheets/S5.html" if name == "sheet" else "report.html")

    return page


def cells(page: Any, caption: str) -> list[list[str]]:
    """Return what a table shows, row by row; it is found by what stands above it."""
    page.evaluate(UNFOLD)
    table = page.locator("table").filter(has=page.locator("caption", has_text=caption))
    found: list[list[str]] = table.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    )
    assert found, caption
    return found


def is_shown(text: str, value: float) -> bool:
    """Tell whether a text is a number, rounded to the places that it has."""
    plain = text.replace(",", "").replace("−", "-")
    return abs(float(plain) - value) <= 0.5000001 * 10.0 ** -len(plain.partition(".")[2])


def paper(page: Any) -> int:
    """Print a page; return how many sheets of A4 that takes."""
    printed = page.pdf(format="A4", prefer_css_page_size=True, print_background=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert all([float(side) for side in box] == pytest.approx(A4_PT, abs=0.5) for box in boxes)
    return len(boxes)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_the_screen_and_the_paper(open_page: Open, made: Made, name: str, language: str) -> None:
    page = open_page(made(name, language))
    page.evaluate(UNFOLD)
    assert not [text for size, text in page.evaluate(LETTERS) if size < SMALLEST_PX]
    for width in (1366, A4_PX):
        page.set_viewport_size({"width": width, "height": 768})
        assert page.evaluate(BEYOND, True) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PRINTED_PX, "height": 768})
    assert page.evaluate(BEYOND, False) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PRINTED_PX
    sheets = paper(page)
    assert sheets == 1 if name == "sheet" else 1 < sheets < 40


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_who_cannot_see_a_page_finds_the_way_in_it(open_page: Open, made: Made, name: str, language: str) -> None:
    page = open_page(made(name, language))
    assert page.locator("html").get_attribute("lang") == {"en": "en", "zh": "zh-Hans"}[language]
    outline = page.evaluate(OUTLINE)
    levels = outline["levels"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(then <= now + 1 for now, then in pairwise(levels)), levels
    assert all(outline["drawings"])
    assert all(outline["tables"])
    assert set(outline["heads"]) <= {"col", "row"}


@pytest.mark.parametrize("name", PAGES)
def test_every_chinese_letter_is_drawn_by_the_font_in_the_page(open_page: Open, made: Made, name: str) -> None:
    """Chromium tells which font it draws with; the font itself tells whether it has the letter, or draws a box."""
    page = open_page(made(name, "zh"))
    probes = page.evaluate(PROBES)
    browser = page.context.new_cdp_session(page)
    for command in ("DOM.enable", "CSS.enable"):
        browser.send(command)
    top = browser.send("DOM.getDocument")["root"]["nodeId"]
    nodes = browser.send("DOM.querySelectorAll", {"nodeId": top, "selector": ".probe"})["nodeIds"]
    for node, letters in zip(nodes, probes, strict=True):
        used = browser.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        assert {(font["familyName"], font["isCustomFont"]) for font in used} == {("Noto Sans SC", True)}
        assert sum(font["glyphCount"] for font in used) == len(letters)
    inside = re.findall(r"url\(\"?data:font/[\w-]+;base64,([\w+/=]+)", page.content())
    known = {letter for data in inside for letter in TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap()}
    assert {ord(letter) for letters in probes for letter in letters} <= known


@pytest.mark.parametrize("language", LANGUAGES)
def test_bottlenecks_on_the_page_are_those_of_the_files(open_page: Open, made: Made, language: str) -> None:
    """Harm: mean of the replications' yearly harm with its t interval; chance: of the worst year."""
    file, word = made("report", language), Words(language)
    table, harm = pd.read_csv(file.parent / "bottlenecks.csv"), pd.read_parquet(file.parent / "harm.parquet")
    years = harm["year"].nunique()
    rows = cells(open_page(file), word("caption.bottlenecks"))
    assert [row[2] for row in rows] == [word(f"resource.{name}") for name in ("bed_girls", "window", "bus_seat")]
    for row, (site, resource) in zip(rows, (("S2", "bed_girls"), ("S1", "window"), ("S3", "bus_seat")), strict=True):
        told = table[(table["site_id"] == site) & (table["resource"] == resource)]
        days = harm[(harm["site_id"] == site) & (harm["resource"] == resource)].groupby("replication")
        yearly = days["pupil_days"].sum() / years
        ends = stats.t.interval(0.95, len(yearly) - 1, yearly.mean(), yearly.std() / len(yearly) ** 0.5)
        shown = re.fullmatch(r"([\d,]+) \(([\d,]+) – ([\d,]+)\)", row[4])
        assert shown, row[4]
        assert all(map(is_shown, shown.groups(), (yearly.mean(), *ends)))
        assert is_shown(row[5].replace(",", ""), days["severity"].sum().mean() / years)
        assert row[6] == f"{100 * told['p_breach'].max():.0f}%"
        first = told["first_year_breached"].min()
        assert row[3] == (word("never") if pd.isna(first) else f"{first:.0f}")


def assert_told(page: Any, folder: Path, language: str) -> None:
    """Hold the tables of limits and of the budget against verdicts.csv and budget.csv."""
    word, verdicts = Words(language), pd.read_csv(folder / "verdicts.csv")
    broken = (verdicts["p_breach"] >= 0.5).groupby([verdicts["limit"], verdicts["year"]]).agg(["sum", "size"])
    shown = {row[0]: row[2:] for row in cells(page, word("caption.verdicts"))}
    assert set(shown) == {word(f"limit.{limit}") for limit in verdicts["limit"]}
    for (limit, year), count in broken.iterrows():
        at = sorted(verdicts["year"].unique()).index(year)
        assert shown[word(f"limit.{limit}")][at] == f"{count['sum']} / {count['size']}"

    budget, accounts = pd.read_csv(folder / "budget.csv"), pd.read_csv(folder / "accounts.csv")
    shown = {row[0]: row[1:] for row in cells(page, word("caption.budget_table", unit=word("axis.money")))}
    total = budget[(budget["account"] == "total") & (budget["payer"] == "all")].sort_values("year")
    wanted = {word(f"budget.{name}"): total[name] for name in ("mean", "p50", "p80", "p95")}
    lines = budget[budget["account"] != "total"].merge(accounts[["account", "purpose"]], on="account")
    by_purpose = lines.groupby(["purpose", "year"])["mean"].sum().unstack("year")
    wanted |= {word(f"purpose.{name}"): row for name, row in by_purpose.iterrows() if row.abs().max() > 0}
    assert set(shown) >= set(wanted)
    for label, values in wanted.items():
        assert all(map(is_shown, shown[label], values / YUAN[language])), label


@pytest.mark.parametrize("language", LANGUAGES)
def test_limits_and_budget_on_the_page_are_those_of_the_files(open_page: Open, made: Made, language: str) -> None:
    file = made("report", language)
    assert_told(open_page(file), file.parent, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_plans_and_indices_on_the_pages_are_those_of_the_files(open_page: Open, made: Made, language: str) -> None:
    word, file = Words(language), made("choice", language)
    plans = pd.read_csv(file.with_name("choice.csv"))
    rows = cells(open_page(file), word("choose.plans"))
    for row, (_, plan) in zip(rows, plans.iterrows(), strict=True):
        assert row[2] == word(f"choose.status.{plan['status']}")
        if plan["stage"] == plan["stage"]:
            assert is_shown(row[3].split()[0], plan["cost_mean"] / YUAN[language])
            assert is_shown(row[5].split()[0].rstrip("%"), 100 * plan["chance"])
    file = made("sensitivity", language)
    indices = pd.read_csv(file.with_name("indices.csv")).pivot(index="setting", columns="output", values="first")
    rows = cells(open_page(file), word("sensitivity.indices_caption"))
    outputs = ("severity", "pupils_left_behind", "ride_min_p95", "cost_yuan_per_year")
    shown = {row[0]: [text.split()[0] for text in row[1::2]] for row in rows}
    assert set(shown) == {word(f"setting.{setting}") for setting in indices.index}
    for setting, values in indices[list(outputs)].iterrows():
        assert all(map(is_shown, shown[word(f"setting.{setting}")], values)), setting


def renamed(file: Path, **columns: str) -> None:
    """Give all that a table of a county lists names that look like code, each with a number behind it."""
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    for column, name in columns.items():
        table[column] = [f"{name} {k}" for k in range(len(table))]
    table.to_csv(file, index=False)


def test_a_real_run_of_a_county_whose_names_look_like_code(
    open_page: Open, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three villages, lived for a day: what is typed as a name is shown as text on pages, drawings and in cells."""
    county = shutil.copytree(root / "configs" / "county" / "three_villages", tmp_path / "county")
    renamed(county / "schools.csv", name_zh=SCRIPT, name_en=FORMULA)
    renamed(county / "hamlets.csv", name_zh=SCRIPT)
    renamed(county / "zones.csv", name_zh=FORMULA, name_en=SCRIPT)
    words = ["county=three_villages", f"county.folder={county}", "calendar=smoke", "executor=serial", "study.years=1",
             "study.replications=1", "judge.relief=off", f"study.out={tmp_path}", "study.name=code"]  # fmt: skip
    assert main(["run", *words]) == 0, capsys.readouterr().err
    folder = tmp_path / "code" / "base"

    page = open_page(folder / "report.html")
    assert_told(page, folder, "en")
    assert f"{FORMULA} 0 · {SCRIPT} 0" in page.inner_text("main"), "the township"
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PRINTED_PX, "height": 768})
    assert page.evaluate(BEYOND, False) == []

    text = open_page(folder / "sheets" / "T.html").inner_text("main")
    assert f"{SCRIPT} 1 · {FORMULA} 1" in text, "the school"
    assert f"pupils of {SCRIPT} 2" in text, "the hamlet"
    drawings = {file.stem: open_page(file).locator("svg").text_content() for file in folder.glob("figures/*.svg")}
    assert SCRIPT in drawings["map"]
    assert FORMULA in drawings["canteen"]

    book = openpyxl.load_workbook(folder / "budget.xlsx")
    filled = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    named = [cell for cell in filled if str(cell.value).startswith(FORMULA)]
    assert named
    assert {cell.data_type for cell in named} == {"s"}
    assert not [cell for cell in filled if cell.hyperlink]


def test_made_up_names_that_look_like_code_are_text_in_every_section(open_page: Open, tmp_path: Path) -> None:
    """Of a run with bottlenecks, closures and money, that has sections and drawings which the real one lacks."""
    folder = with_money(sample_run(tmp_path / "code", names={"S1": SCRIPT, "S2": FORMULA, "S4": FORMULA, "S5": SCRIPT}))
    renamed(folder / "inputs" / "hamlets.csv", name_zh=SCRIPT)
    renamed(folder / "inputs" / "zones.csv", name_zh=FORMULA, name_en=SCRIPT)
    page = open_page(report(folder))
    assert f"{FORMULA} · First Junior" in page.inner_text("main")
    assert f"{SCRIPT} · First Central Primary" in page.inner_text("main")
    assert SCRIPT in "".join(page.locator("figure svg").all_text_contents())
    assert f"{FORMULA} · Point A" in open_page(folder / "sheets" / "S4.html").inner_text("h1")
