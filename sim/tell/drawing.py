"""A drawing in the two forms in which it lies in figures/: SVG, which pages show, too, and PNG for other programs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from matplotlib.figure import Figure

from sim.store import RunFolder
from sim.tell.font import face
from sim.tell.style import as_png, as_svg

FACE = re.compile(r"(?<=<style>)@font-face.*\n")


def files_of(name: str) -> tuple[str, str]:
    """Return where a drawing lies in a folder: as SVG and as PNG."""
    return f"figures/{name}.svg", f"figures/{name}.png"


@dataclass(frozen=True)
class Drawing:
    """A drawing as SVG, as it stands inside a page, which brings the letters; and as PNG."""

    svg: str
    png: bytes

    @classmethod
    def of(cls, figure: Figure, title: str) -> Drawing:
        """Return a figure in both forms; it is laid out once."""
        return cls(as_svg(figure, title), as_png(figure))

    @classmethod
    def saved(cls, folder: RunFolder, name: str) -> Drawing | None:
        """Return a drawing that lies in a folder; nothing where one of its forms is missing."""
        svg, png = map(folder.file, files_of(name))
        if not (svg.is_file() and png.is_file()):
            return None
        return cls(FACE.sub("", svg.read_text(encoding="utf-8")).removesuffix("\n"), png.read_bytes())

    def save(self, folder: RunFolder, name: str) -> None:
        """Write both forms; the SVG brings its letters here, as it may be opened alone."""
        svg, png = files_of(name)
        folder.write_text(svg, self.svg.replace("<style>", f"<style>{face(self.svg)}\n", 1) + "\n")
        folder.write_bytes(png, self.png)
