"""One look for all figures: readable in print, in grey and for the colour-blind; letters stay text."""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, told apart by all; line styles and hatches say the same in grey.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, BLACK, GREY, PALE = "#CC79A7", "#56B4E9", "#222222", "#767676", "#D9D9D9"
LINES = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)))
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, GREY)
FONTS = (
    "'Segoe UI', 'Helvetica Neue', Arial, 'Noto Sans', 'DejaVu Sans', 'PingFang SC', 'Microsoft YaHei', "
    "'Noto Sans CJK SC', 'Source Han Sans SC', 'WenQuanYi Micro Hei', sans-serif"
)
HALO = "<style>.halo text { paint-order: stroke; stroke: #fff; stroke-width: 2.4px; stroke-linejoin: round; }</style>"
"""Letters over lines stay readable: text drawn with gid="halo" has a white rim."""
WIDTH_IN = 7.2
POINTS_PER_INCH = 72
STYLE: dict[str, Any] = {
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
    "text.parse_math": False,
}


@contextmanager
def styled(name: str) -> Iterator[None]:
    """Draw in the house's style; the name keeps the parts of one figure apart from those of another."""
    look: Any = STYLE | {"svg.hashsalt": name}
    with mpl.rc_context(look), warnings.catch_warnings():
        # The letters stay text, so it does not matter which of them the font at hand can draw.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def canvas(height_in: float, rows: int = 1, columns: int = 1, left: float = 0.0, **how: Any) -> tuple[Figure, Any]:
    """Return an empty figure of the page's width, and its axes; `left` is a share of the width kept free."""
    layout = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, rect=(left, 0.0, 1.0 - left, 1.0))
    figure = Figure(figsize=(WIDTH_IN, height_in), layout=layout)
    return figure, figure.subplots(rows, columns, **how)


def more_room(labels: Sequence[str], size_pt: float = 8.5) -> float:
    """Return the share of a figure's width that labels at the left need beyond what the layout gives them.

    The layout measures letters that its font lacks as too narrow: Chinese ones by about two fifths.
    """
    wide = (sum(unicodedata.east_asian_width(letter) in "WF" for letter in label) for label in labels)
    return 0.4 * max(wide, default=0) * size_pt / POINTS_PER_INCH / WIDTH_IN


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
    return f'{head} role="img">\n<title>{name}</title>{HALO}{body}'
