"""The one glossary: every text of reports, figures and workbooks in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

GLOSSARY = Path(__file__).with_name("words.yaml")
SOURCES = Path(__file__).with_name("sources.yaml")
ASSUMPTION = "assumption: "
"""How a source begins that is none."""
LANGUAGES = ("en", "zh")


@cache
def glossary() -> Mapping[str, Mapping[str, str]]:
    """Return the glossary as it stands in words.yaml: key -> {en: text, zh: text}."""
    found: dict[str, dict[str, str]] = _read(GLOSSARY)
    return found


@cache
def sources() -> Mapping[str, str]:
    """Return sources.yaml: where a number of the shipped settings comes from, in English -> in Chinese."""
    found: dict[str, str] = _read(SOURCES)
    return found


def _read(file: Path) -> Any:
    return yaml.load(file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language."""

    language: str

    def __call__(self, key: str, **values: Any) -> str:
        """Return a text, with the values put in at its {places}. Raises KeyError for an unknown key."""
        text = glossary()[key][self.language]
        return text.format(**values) if values else text

    def term(self, group: str, name: object) -> str:
        """Return the word for a name that comes from a file; the name itself when the glossary lacks it."""
        entry = glossary().get(f"{group}.{name}")
        return entry[self.language] if entry else str(name).replace("_", " ")

    def source(self, text: str) -> str:
        """Return where a number comes from, as settings say it; the text itself when nobody has translated it."""
        return (_chinese(text) or text) if self.language == "zh" else text

    def count(self, key: str, number: int) -> str:
        """Return how many there are of something, in words that fit one as well as many."""
        return self(f"count.{key}.one" if number == 1 else f"count.{key}", count=number)

    def join(self, parts: list[str]) -> str:
        """Return a list of words as a text."""
        return ("、" if self.language == "zh" else ", ").join(parts)

    def speak(self, sentences: list[str]) -> str:
        """Return sentences as one paragraph."""
        return ("" if self.language == "zh" else " ").join(sentences)


def _chinese(text: str) -> str:
    """Return a source, or several joined by "; ", in Chinese; "" when one of them is not in sources.yaml."""
    bare = text.removeprefix(ASSUMPTION)
    if bare in sources():
        return ("" if bare == text else "假设：") + sources()[bare]
    for cut in re.finditer("; ", text):
        first, others = _chinese(text[: cut.start()]), _chinese(text[cut.end() :])
        if first and others:
            return f"{first}；{others}"
    return ""
