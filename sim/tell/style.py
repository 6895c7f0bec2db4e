"""One look for all figures: readable in print, in grey and for the colour-blind; letters stay text."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from sim.tell.font import FAMILY, PATH, letters

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, told apart by all; line styles and hatches say the same in grey.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, BLACK, GREY, PALE = "#CC79A7", "#56B4E9", "#222222", "#767676", "#D9D9D9"
LINES = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)))
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, GREY)
FONTS = (
    f"'{FAMILY}', 'Segoe UI', 'Helvetica Neue', Arial, 'Noto Sans', 'DejaVu Sans', 'PingFang SC', 'Microsoft YaHei', "
    "'Noto Sans CJK SC', 'Source Han Sans SC', 'WenQuanYi Micro Hei', sans-serif"
)
RIM_PT, BOLDER_PT = 2.4, 0.4
HALO = f".halo text {{ paint-order: stroke; stroke: #fff; stroke-width: {RIM_PT}px; stroke-linejoin: round; }}"
"""Letters over lines stay readable: text drawn with gid="halo" has a white rim."""
WIDTH_IN = 7.2
DOTS_PER_INCH = 200
BOLD = 700
STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans", FAMILY],
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": BLACK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": BLACK,
    "ytick.labelcolor": BLACK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
    "hatch.linewidth": 0.6,
    "hatch.color": "white",
    "text.hinting": "no_hinting",  # letters of an image are as wide as those of the SVG, for which it is laid out
    "text.parse_math": False,
}


@cache
def _with_chinese() -> None:
    """Let charts know the packaged font; its one weight stands for bold, too."""
    fonts = font_manager.fontManager
    fonts.addfont(PATH)
    fonts.ttflist.append(replace(fonts.ttflist[-1], weight=BOLD))


@contextmanager
def styled(name: str) -> Iterator[None]:
    """Draw in the house's style; the name keeps the parts of one figure apart from those of another."""
    _with_chinese()
    look: Any = STYLE | {"svg.hashsalt": name}
    with mpl.rc_context(look):
        yield


def canvas(height_in: float, rows: int = 1, columns: int = 1, **how: Any) -> tuple[Figure, Any]:
    """Return an empty figure of the page's width, and its axes."""
    figure = Figure(figsize=(WIDTH_IN, height_in), layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06))
    return figure, figure.subplots(rows, columns, **how)


def years_axis(axes: Axes, years: Sequence[int], most: int = 6) -> None:
    """Show school years along the bottom, at most so many of them by name."""
    step = max(1, -(-len(years) // most))
    axes.set_xticks(list(years)[::step])
    axes.set_xticks(list(years), minor=True)
    margin = 0.35 if len(years) > 1 else 0.6
    axes.set_xlim(years[0] - margin, years[-1] + margin)


def from_zero(axes: Axes) -> None:
    """Let the values start at zero and keep room above, with thin lines to read them by."""
    axes.set_ylim(0, max(axes.get_ylim()[1] * 1.06, 1e-9))
    axes.yaxis.grid(visible=True)
    axes.yaxis.set_major_formatter(with_thousands)


def with_thousands(value: float, _: object = None) -> str:
    """Return a number of an axis with its thousands apart."""
    return f"{value:,.10g}".replace("-", "−")


def _shorter(attribute: re.Match[str]) -> str:
    """Cut the places of a drawing to a hundredth of a point."""
    return re.sub(r"(\d\.\d\d)\d+", r"\1", attribute.group())


def as_svg(figure: Figure, title: str) -> str:
    """Return a figure as SVG: letters as text in the reader's fonts, a title for those who cannot see it."""
    buffer = io.StringIO()
    FigureCanvasSVG(figure)
    if layout := figure.get_layout_engine():
        layout.execute(figure)  # here, as savefig would draw the whole figure once more for it
        figure.set_layout_engine(None)
        for axes in figure.axes:  # its solver leaves other last digits from time to time, and names are made of them
            x, y, width, height = (round(length, 9) for length in axes.get_position(original=True).bounds)
            axes.set_position((x, y, width, height))
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", text)
    text = re.sub(r' (?:d|x|y|points|transform)="[^"]*"', _shorter, text)
    text = re.sub(r"(font(?:-family)?: [^;\"]*?)'DejaVu Sans'[^;\"]*", rf"\1{FONTS}", text)
    text = text.replace('id="halo"', 'class="halo"')
    head, _, body = text.partition(">")
    name = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'{head} role="img">\n<title>{name}</title><style>{HALO}</style>{body}'


def as_png(figure: Figure) -> bytes:
    """Return a figure as an image for programs that show no SVG, all letters drawn; one laid out stays as it is."""
    for text in figure.findobj(Text):
        if text.get_gid() == "halo":
            text.set_path_effects([withStroke(linewidth=RIM_PT, foreground="white")])
        elif text.get_fontweight() == "bold" and letters(text.get_text()):  # made bold, as browsers do it
            text.set(fontweight="normal", path_effects=[withStroke(linewidth=BOLDER_PT, foreground=text.get_color())])
    buffer = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()
