"""The one glossary: every text of reports, figures and workbooks in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

GLOSSARY = Path(__file__).with_name("words.yaml")
LANGUAGES = ("en", "zh")


@cache
def glossary() -> Mapping[str, Mapping[str, str]]:
    """Return the glossary as it stands in words.yaml: key -> {en: text, zh: text}."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, dict[str, str]] = yaml.load(GLOSSARY.read_text(encoding="utf-8"), Loader=loader)
    return found


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

    def count(self, key: str, number: int) -> str:
        """Return how many there are of something, in words that fit one as well as many."""
        return self(f"count.{key}.one" if number == 1 else f"count.{key}", count=number)

    def join(self, parts: list[str]) -> str:
        """Return a list of words as a text."""
        return ("、" if self.language == "zh" else ", ").join(parts)

    def speak(self, sentences: list[str]) -> str:
        """Return sentences as one paragraph."""
        return ("" if self.language == "zh" else " ").join(sentences)
