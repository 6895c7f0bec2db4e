"""The packaged Chinese font: no reader's machine needs one, as each page and drawing carries the letters it shows."""

from __future__ import annotations

import base64
import io
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import pylopdf_fonts_zh_cn
from fontTools.fontBuilder import FontBuilder
from fontTools.misc.psCharStrings import T2CharString
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTFont

FAMILY = "Noto Sans SC"
PATH = pylopdf_fonts_zh_cn.sans_path()
MARKS = frozenset("“”‘’—…")
"""Marks that Latin letters have as well: on a Chinese page they are as wide as a Chinese letter."""
NOTDEF = ".notdef"
NAMES = {"copyright": 0, "licenseDescription": 13, "licenseInfoURL": 14}
"""What the licence asks to travel with the font, and where it stands in the font's table of names."""
HEAD = ("created", "modified", "xMin", "yMin", "xMax", "yMax")
HEIGHTS = ("sTypoAscender", "sTypoDescender", "usWinAscent", "usWinDescent")
WRITTEN_AS_CODE = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True)
class Glyph:
    """One letter's outline and how wide it is, in thousandths of the font's size."""

    outline: T2CharString
    width: int


class Packaged:
    """The font as it lies in its package. It is large: of 65,535 glyphs only those asked for are read, each once."""

    def __init__(self) -> None:
        self.font = TTFont(io.BytesIO(PATH.read_bytes()), lazy=True)
        self.glyphs: dict[str, Glyph] = {}

    @cached_property
    def names(self) -> dict[int, str]:
        """Return the name of the glyph of each letter: code point -> name."""
        found: dict[int, str] = self.font.getBestCmap()
        return found

    @cached_property
    def outlines(self) -> Any:
        """Return what draws the glyphs by their names."""
        return self.font.getGlyphSet()

    def glyph(self, name: str) -> Glyph:
        """Return a glyph without the subroutines and hints that it shares with others."""
        if name not in self.glyphs:
            drawn = self.outlines[name]
            pen = T2CharStringPen(drawn.width, None)
            drawn.draw(pen)
            outline = pen.getCharString()
            outline.compile()
            self.glyphs[name] = Glyph(outline, drawn.width)
        return self.glyphs[name]


@cache
def packaged() -> Packaged:
    """Return the font; a process opens it once."""
    return Packaged()


def letters(text: str, language: str = "en") -> list[str]:
    """Return the letters of a text, in order, that are drawn in the packaged font: those it has and Latin fonts lack.

    Letters that data inside a page writes as `\\uXXXX` count, too. A rare letter that the font lacks is left to the
    reader's own fonts.
    """
    found = set(text) | {chr(int(code, 16)) for code in WRITTEN_AS_CODE.findall(text)}
    marks = MARKS if language == "zh" else frozenset()
    wide = (letter for letter in found if letter in marks or unicodedata.east_asian_width(letter) in "WF")
    return sorted(letter for letter in wide if ord(letter) in packaged().names)


def face(text: str, language: str = "en") -> str:
    """Return the CSS rule that brings the packaged font with just the letters of a text.

    Every page has a font of its own: putting outlines together that were read once takes some 10 ms for the 350 letters
    of a Chinese sheet, and 80 kB on it; one font for all pages of a run would weigh 200 kB on each of a hundred sheets.
    Cutting each out of the package (fontTools.subset) would take 300 ms. Bold letters are left to the browser.
    """
    data = base64.b64encode(woff(letters(text, language))).decode("ascii")
    # It stands first among the fonts and leaves Latin letters to the others, also where it is installed. Without the
    # space, it does not decide how high a line is either.
    return (
        f'@font-face {{ font-family: "{FAMILY}"; unicode-range: U+80-10FFFF; '
        f'src: url(data:font/woff;base64,{data}) format("woff"); }}'
    )


def woff(wanted: list[str]) -> bytes:
    """Return a font of some letters that the packaged font has; the same letters give the same bytes."""
    whole = packaged()
    head, line, names = whole.font["head"], whole.font["hhea"], whole.font["name"]
    codes = {ord(letter): f"u{ord(letter):X}" for letter in wanted}
    glyphs = {NOTDEF: whole.glyph(NOTDEF)} | {name: whole.glyph(whole.names[code]) for code, name in codes.items()}
    made = FontBuilder(head.unitsPerEm, isTTF=False)
    made.font.recalcBBoxes = False  # it would follow every outline again, which takes ten times as long as all else
    made.updateHead(**{name: getattr(head, name) for name in HEAD})
    made.setupGlyphOrder(list(glyphs))
    made.setupCharacterMap(codes)
    made.setupCFF(FAMILY.replace(" ", ""), {}, {name: glyph.outline for name, glyph in glyphs.items()}, {})
    made.setupHorizontalMetrics({name: (glyph.width, 0) for name, glyph in glyphs.items()})
    made.setupHorizontalHeader(ascent=line.ascent, descent=line.descent)
    told = {key: names.getDebugName(at) for key, at in NAMES.items()}
    made.setupNameTable({"familyName": FAMILY, "styleName": "Regular", **told}, mac=False)
    made.setupOS2(**{name: getattr(whole.font["OS/2"], name) for name in HEIGHTS})
    made.setupPost(keepGlyphNames=False)
    made.font.flavor = "woff"
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()
