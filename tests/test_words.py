"""Two languages: every text that people read is in the glossary, and every name has its word there."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import openpyxl
import pandas as pd
import pytest
import yaml
from rich.cells import cell_len
from sample_money import with_money
from sample_run import sample_run, sample_sweep

from sim.account.chart import chart
from sim.cli import main
from sim.cli.show import as_table, say, show_comparison, show_run, terminal
from sim.config import CONFIGS, load
from sim.config.close import Condition
from sim.config.money import Purse
from sim.judge.relief import BY_CAUSE, REMEDIES
from sim.measure import MEASURES, OF_THE_ROLL
from sim.store import INPUTS, RunFolder
from sim.tables import choice, closing, county, family, given, money, run, service
from sim.tell.grid import grid
from sim.tell.page import comparison, report
from sim.tell.words import LANGUAGES, Words, glossary
from sim.tell.workbook import workbook

ROOT = Path(__file__).resolve().parents[1] / "sim"
TELL = ROOT / "tell"
WORD = r"[A-Za-z][A-Za-z'’-]+"
ENGLISH = re.compile(rf"{WORD}(?:[ ,;:]+{WORD}){{2,}}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SENTENCE = re.compile(r"[A-Za-z]{2,}(?:,? [A-Za-z]{2,}){2,}")
NO_SENTENCE = {"no open receiving school"}
"""A name in unplaced.csv."""
NOT_TOLD = re.compile(r"[A-Z_]*(HELP|ABOUT|SETTINGS)|FONTS|FAMILY|TABLES")
"""Constants of what --help shows, which is English as errors and progress are; names of fonts and columns."""
UNSEEN_CALLS = {"BadInput", "verb", "split", "add_argument", "add_subparsers", "ArgumentParser"}
PLACES = re.compile(r"outside (upper|lower) \w+")
"""What Matplotlib calls the places of a legend."""


class Seen(HTMLParser):
    """Collects what a page shows, code, style and script left out."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("style", "script", "code")
        self.texts += [value for key, value in attrs if key in ("aria-label", "title", "alt", "placeholder") and value]

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("style", "script", "code")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.texts.append(data)


def seen(page: Path) -> list[str]:
    reader = Seen()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader.texts


def from_tables(folder: Path) -> list[str]:
    """Return what a county's tables and the price list say in words of their own: names and sources."""
    cells = (pd.read_csv(file, dtype=str).to_numpy().ravel() for file in (folder / INPUTS).glob("*.csv"))
    texts = {str(cell) for table in cells for cell in table}
    settings = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    groups = (settings[group].values() for group in ("prices", "limits", "bands"))
    texts |= {entry["source"] for group in groups for entry in group if entry.get("source")}
    texts |= set(pd.read_csv(folder / "campuses.csv")["source"]) if (folder / "campuses.csv").is_file() else set()
    return sorted(texts, key=len, reverse=True)


def without(texts: Iterable[str], known: list[str]) -> Iterator[str]:
    """Yield texts less the words that are not ours."""
    for text in texts:
        for word in known:
            if word in text:
                text = text.replace(word, "·")
        yield text


@pytest.fixture(scope="module")
def asked() -> set[str]:
    """Hold the names that a page showed although the glossary has no word for them."""
    return set()


@pytest.fixture(scope="module", params=LANGUAGES)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, asked: set[str]) -> Path:
    """Return a run with money and a stress week that is told in one language."""
    place = tmp_path_factory.mktemp(request.param)
    term, missing = Words.term, asked

    def noted(self: Words, group: str, name: object) -> str:
        missing.update({f"{group}.{name}"} - set(glossary()))
        return term(self, group, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Words, "term", noted)
        folder = with_money(sample_run(place / "base", f"report.language={request.param}", "stress=ice_week", years=2))
        report(folder)
        workbook(folder)
        comparison(sample_sweep(place / "sweep", f"report.language={request.param}"))
    return folder


def shown(folder: Path) -> list[str]:
    """Return all texts of report, sheets, figures, comparison and workbook of a run."""
    figures = [*(folder / "figures").glob("*.svg"), *(folder.parent / "sweep" / "figures").glob("*.svg")]
    pages = [folder / "report.html", *(folder / "sheets").glob("*.html"), folder.parent / "sweep" / "compare.html"]
    book = openpyxl.load_workbook(folder / "budget.xlsx")
    cells = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row]
    texts = [text for page in [*pages, *figures] for text in seen(page)]
    return [*texts, *book.sheetnames, *(str(cell) for cell in cells if cell is not None and str(cell)[:1] != "=")]


def test_nothing_is_told_in_the_other_language(told: Path) -> None:
    language = RunFolder(told).settings.report.language
    texts = list(without(shown(told), from_tables(told)))
    assert len(texts) > 1000
    foreign = ENGLISH if language == "zh" else CHINESE
    assert [text for text in texts if foreign.search(text)] == []


def test_every_name_that_is_shown_has_a_word(told: Path, asked: set[str]) -> None:
    known = from_tables(told)
    assert {name for name in asked if name.partition(".")[2] not in known} == set()


@pytest.mark.parametrize("file", sorted(TELL.glob("*.j2")), ids=lambda file: file.name)
def test_templates_have_no_words_of_their_own(file: Path) -> None:
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"<(script|style|code)\b.*?</\1>|<[^>]*>", "", text, flags=re.DOTALL)
    assert re.findall(WORD, text) == []


def sentences(file: Path) -> Iterator[str]:
    """Yield texts of three words or more in a module that are no docstring, error, progress or help."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    unseen: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            unseen |= set(ast.walk(node))
        if isinstance(node, ast.Assign) and NOT_TOLD.fullmatch(getattr(node.targets[0], "id", "")):
            unseen |= set(ast.walk(node))
        if isinstance(node, ast.Call) and _is_unseen(node):
            unseen |= set(ast.walk(node))
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and node not in unseen else None
        if isinstance(text, str) and SENTENCE.search(text) and text not in NO_SENTENCE and not PLACES.fullmatch(text):
            yield text


def _is_unseen(call: ast.Call) -> bool:
    """Tell whether what a call says is for the error stream, the parser, or no text at all."""
    called = getattr(call.func, "id", getattr(call.func, "attr", ""))
    by = getattr(getattr(call.func, "value", None), "id", "")
    return (
        called in UNSEEN_CALLS
        or (by == "told" and called == "print")
        or any(key.arg == "file" for key in call.keywords)
    )


@pytest.mark.parametrize("place", ["tell", "cli"])
def test_modules_that_tell_have_no_sentence_of_their_own(place: str) -> None:
    found = {str(file.relative_to(ROOT)): [*sentences(file)] for file in sorted((ROOT / place).rglob("*.py"))}
    assert len(found) > 5
    assert {file: texts for file, texts in found.items() if texts} == {}


def options(group: str) -> dict[str, dict[str, str]]:
    """Return the entries of all files of a group of lists, such as the prices."""
    files = (CONFIGS / group).glob("*.yaml")
    return {name: entry for file in files for name, entry in yaml.safe_load(file.read_text("utf-8")).items()}


def every(group: str, key: str) -> list[str]:
    return [entry[key] for entry in options(group).values() if entry.get(key)]


def accounts() -> pd.DataFrame:
    return chart(load(["county=huichang"]))


NAMES: dict[str, Callable[[], Iterable[str]]] = {
    "resource": lambda: run.RESOURCES,
    "cause": lambda: run.CAUSES,
    "harm": lambda: run.HARM_KINDS,
    "measure": lambda: [*MEASURES, *OF_THE_ROLL],
    "mode": lambda: family.MODES,
    "level": lambda: family.LEVELS,
    "hardship": lambda: family.YES_NO,
    "left_behind": lambda: family.YES_NO,
    "moved": lambda: family.YES_NO,
    "decision": lambda: ("close", "keep", "reopen"),
    "column.condition": lambda: get_args(Condition),
    "sheet.because": lambda: ("hearing", *get_args(Condition)),
    "sheet.not": lambda: closing.REJECTED,
    "school_kind": lambda: county.KINDS,
    "sky": lambda: county.DAY_TYPES,
    "births": lambda: county.VARIANTS,
    "table": lambda: [file.stem for file in (CONFIGS / "county" / "huichang").glob("*.csv")],
    "limit": lambda: options("limits"),
    "limit_site": lambda: every("limits", "site"),
    "unit": lambda: every("limits", "unit"),
    "price": lambda: options("prices"),
    "price_unit": lambda: every("prices", "unit"),
    "confidence": lambda: every("prices", "confidence"),
    "band": lambda: options("bands"),
    "unit_cost": lambda: every("bands", "measure"),
    "account": lambda: [*accounts()["account"], "total"],
    "account_unit": lambda: accounts()["unit"],
    "purpose": lambda: accounts()["purpose"],
    "purse": lambda: get_args(Purse),
    "payer": lambda: [*money.PAYERS, "all"],
    "nature": lambda: [*money.NATURES, "all"],
    "relief": lambda: [remedy.text for remedy in (*REMEDIES.values(), *BY_CAUSE.values())],
    "plan": lambda: service.PLANS,
    "run_limit": lambda: service.RUN_LIMITS,
    "choose.status": lambda: choice.STATUS,
    "choose.stage": lambda: choice.STAGES,
    "campus_owner": lambda: (*given.OWNERS, "buyer"),
    "campus_use": lambda: closing.USES,
    "campus_status": lambda: closing.CAMPUS_STATUS,
    "campus_reason": lambda: closing.CAMPUS_REASONS,
    "stress": lambda: [file.stem for file in (CONFIGS / "stress").glob("*.yaml")],
    "county": lambda: [file.stem for file in (CONFIGS / "county").glob("*.yaml")],
}


@pytest.mark.parametrize("group", NAMES)
def test_every_name_of_a_group_has_a_word_in_both_languages(group: str) -> None:
    names = set(NAMES[group]())
    assert names
    assert {name for name in names if f"{group}.{name}" not in glossary()} == set()
    for name in names:
        texts = glossary()[f"{group}.{name}"]
        assert CHINESE.search(texts["zh"]) or texts["zh"].startswith("km")
        assert not CHINESE.search(texts["en"])


@pytest.mark.parametrize("group", ["resource", "harm", "limit", "account", "payer", "mode", "decision", "school_kind"])
def test_no_two_names_of_a_group_share_a_word(group: str) -> None:
    for language in LANGUAGES:
        words = [glossary()[f"{group}.{name}"][language] for name in NAMES[group]()]
        assert sorted(words) == sorted(set(words))


def test_the_terminal_tells_a_run_in_the_language_of_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_run(sample_run(tmp_path / "zh", "report.language=zh"))
    said = capsys.readouterr().out
    assert "女生床位" in said
    assert Words("zh")("column.chance") in said
    assert f"报告：{tmp_path}" not in said  # nobody drew one
    assert f"文件：{tmp_path / 'zh'}" in said
    assert not ENGLISH.search(said.replace(str(tmp_path), ""))
    table = [line for line in said.splitlines() if line[:1] in "┃│┏└"]
    assert {cell_len(line) for line in table} == {cell_len(table[0])}


def test_the_terminal_tells_a_comparison_in_the_language_of_the_first_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sample_sweep(tmp_path / "sweep", "report.language=zh")
    summary = RunFolder(folder).read_table("summary")
    first, second, *_ = [path.parent for path in sorted(folder.glob("*/config.yaml"))]
    monkeypatch.setattr("sim.judge.compare.compare", lambda folders: summary)
    assert main(["compare", str(first), str(second)]) == 0
    said = capsys.readouterr().out
    assert Words("zh")("terminal.measure.cost_yuan_per_year") in said
    assert "4,800万" in said  # 5e7 yuan at a scale of 0.8, with 1.2 times the beds
    assert "明确" in said
    assert not ENGLISH.search(said)
    show_comparison(summary, Words("en"))
    assert "40.00 M" in capsys.readouterr().out


def test_check_answers_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "county=three_villages", "report.language=zh"]) == 0
    assert capsys.readouterr().out == "三村：没有错误。共1个乡镇、2所学校、3个自然村、12名学生。\n"


def test_names_that_look_like_markup_are_text_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    terminal().print(as_table(grid(("[bold]学校", "n"), [("[/]甲[red]", "1")], (1,)), "[i]表"))
    say("[blue]路径[/x]")
    said = capsys.readouterr().out
    assert all(text in said for text in ("[bold]学校", "[/]甲[red]", "[i]表", "[blue]路径[/x]"))
