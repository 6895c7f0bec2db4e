"""The packaged Chinese font: every page and drawing carries the letters that it shows, and images are drawn in it."""

from __future__ import annotations

import base64
import io
import re
import unicodedata
from pathlib import Path

import pytest
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont
from matplotlib.image import imread
from matplotlib.text import Text
from sample_run import sample_run, sample_sweep

from sim.tell.drawing import Drawing, files_of
from sim.tell.figure import OF_DAYS, draw
from sim.tell.font import PATH, face, letters, woff
from sim.tell.page import comparison, report
from sim.tell.run import Run
from sim.tell.style import DOTS_PER_INCH, WIDTH_IN, as_png, canvas, styled
from sim.tell.words import Words, glossary

LARGEST_SHEET = 400_000
RARE = "\U0002b81d"  # a letter of some names that the font has not


@pytest.fixture(scope="module", params=["en", "zh"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = sample_run(
        tmp_path_factory.mktemp("font") / "base", f"report.language={request.param}", years=2, replications=2
    )
    report(folder)
    return folder


def carried(page: str) -> set[str]:
    """Return the letters of the one font that a page carries."""
    (data,) = re.findall(r"base64,([A-Za-z0-9+/=]+)\) format\(.woff.\)", page)
    return {chr(code) for code in TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap()}


def wide(text: str) -> set[str]:
    return {letter for letter in text if unicodedata.east_asian_width(letter) in "WF"}


def test_the_font_has_every_chinese_letter_of_the_glossary() -> None:
    texts = "".join(text[language] for text in glossary().values() for language in text)
    assert len(wide(texts)) > 700
    assert wide(texts) == set(letters(texts))


def test_a_cut_letter_is_drawn_as_in_the_package() -> None:
    whole, cut = TTFont(PATH, lazy=True), TTFont(io.BytesIO(woff(["“", "校", "鹅"])))
    for letter in "“校鹅":
        drawn = []
        for font in (whole, cut):
            glyphs = font.getGlyphSet()
            pen = DecomposingRecordingPen(glyphs)
            glyph = glyphs[font.getBestCmap()[ord(letter)]]
            glyph.draw(pen)
            drawn.append((glyph.width, pen.value))
        assert drawn[0] == drawn[1]
        assert drawn[0][1]
    whole.close()
    assert woff(["校"]) == woff(["校"])


def test_letters_of_data_inside_a_page_count_and_rare_and_latin_ones_are_left_to_the_reader() -> None:
    assert letters('{"name": "\\u6821"} Bus – 车' + RARE) == ["校", "车"]
    assert letters("“车” — 2 × 3", "zh") == ["—", "“", "”", "车"]
    assert letters("“a” — b", "en") == []
    assert carried(face("Latin alone")) == set()


def test_every_page_and_sheet_carries_just_the_letters_it_shows(told: Path) -> None:
    pages = [told / "report.html", *(told / "sheets").glob("*.html")]
    assert len(pages) > 2
    for path in pages:
        page = path.read_text(encoding="utf-8")
        assert page.count("@font-face") == 1
        assert page.index("@font-face") < page.index("<svg" if "<svg" in page else "<body")
        assert wide(page) <= carried(page) <= set(page)
        assert len(page.encode()) < LARGEST_SHEET or path.name == "report.html"


def test_a_drawing_opened_alone_carries_its_letters(told: Path) -> None:
    for path in sorted((told / "figures").glob("*.svg")):
        svg = path.read_text(encoding="utf-8")
        assert carried(svg) == wide(svg)


def test_every_drawing_is_an_image_for_print_too(told: Path) -> None:
    names = {path.stem for path in (told / "figures").glob("*.svg")}
    assert names == {path.stem for path in (told / "figures").glob("*.png")}
    for name in names:
        assert imread(told / files_of(name)[1]).shape[1] == WIDTH_IN * DOTS_PER_INCH


def test_what_lies_there_is_taken_as_it_is(told: Path) -> None:
    run, marked = Run(told), b"not drawn again"
    again = draw(run, redraw=False)
    assert {name: again[name].svg for name in OF_DAYS if name in again} == {
        name: drawing.svg for name, drawing in draw(run).items() if name in OF_DAYS
    }
    kept = {name: run.folder.file(name).read_bytes() for name in files_of("fleet")}
    run.folder.write_bytes(files_of("fleet")[1], marked)
    drawn = draw(run, redraw=False)["fleet"]
    assert drawn.png == marked
    drawn.save(run.folder, "fleet")
    assert run.folder.file(files_of("fleet")[0]).read_bytes() == kept[files_of("fleet")[0]]
    run.folder.file(files_of("fleet")[1]).unlink()
    assert Drawing.saved(run.folder, "fleet") is None
    assert draw(run, redraw=False)["fleet"].png == kept[files_of("fleet")[1]]


def test_images_have_every_letter_and_bold_ones_without_a_word_of_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A missing letter is a warning of matplotlib, and every warning is an error in these tests."""
    with styled("letters"):
        figure, axes = canvas(1.0)
        axes.set_title("校车，1—3年级", fontweight="bold")
        axes.annotate("鹅", (0.5, 0.5), gid="halo")
        assert as_png(figure).startswith(b"\x89PNG")
        assert [text.get_path_effects() != [] for text in figure.findobj(Text) if wide(text.get_text())] == [True, True]
        axes.set_xlabel(RARE)
        with pytest.warns(UserWarning, match="missing from font"):
            as_png(figure)
    assert not caplog.records


def test_labels_of_chinese_letters_get_the_room_they_need() -> None:
    with styled("room"):
        figure, axes = canvas(1.0)
        axes.set_yticks([0], ["校" * 20])
        Drawing.of(figure, "room")
        assert axes.get_position().x0 * WIDTH_IN * 72 > 20 * 8.5  # 20 letters of 8.5 points


def test_the_page_of_a_sweep_carries_its_letters_and_its_chart_is_an_image_too(tmp_path: Path) -> None:
    page = comparison(sample_sweep(tmp_path / "sweep", "report.language=zh"))
    text = page.read_text(encoding="utf-8")
    assert Words("zh")("compare.title") in text
    assert wide(text) <= carried(text)
    assert all((page.parent / file).is_file() for file in files_of("compare"))
