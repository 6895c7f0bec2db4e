"""The register at the end of the report: prices, limits, weights, and where the county's tables come from."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import shorten
from typing import Any

from sim.store import INPUTS
from sim.store.folder import tree_of
from sim.tell.grid import Cell, Grid, grid
from sim.tell.number import number
from sim.tell.run import Run, origin, plain
from sim.tell.table import amount
from sim.tell.words import Words, glossary

ORIGINS = ("real", "derived", "synthetic", "other")
DOUBTFUL = ("set", "assumed", "derived")
"""Kinds of settings that the register lists one by one; the others stand in a source, or are choices."""
MOST_LETTERS = 64
"""Longer values are cut; assumptions.csv and config.yaml have them whole."""
ELSEWHERE = ("prices", "limits")
"""Groups of settings with a table of their own, which says of each entry how far it can be trusted."""
USUALLY = re.compile(r"usually (.*?)(?: \((.*)\))?")
"""What assumptions.csv says of a value that was set for a run: the usual one, and where that comes from."""


def kinds(run: Run) -> dict[str, int]:
    """Return how many settings are of each kind (see assumptions.csv); empty when the run does not tell."""
    table = run.if_there("assumptions")
    return table["kind"].value_counts().to_dict() if len(table) else {}


def intro(run: Run) -> str:
    """Return how many settings are assumed, derived or sourced."""
    count = kinds(run)
    if not count:
        return run.words("register.none")
    told = {kind: count.get(kind, 0) for kind in ("real", "derived", "assumed", "set")}
    return run.words("register.intro", all=sum(count.values()), **told)


def setting_tables(run: Run) -> list[tuple[str, str, Grid]]:
    """Return for each group of settings its heading, its name and the values that are assumed, derived or set."""
    word, table = run.words, run.if_there("assumptions")
    if table.empty:
        return []
    table = plain(table[table["kind"].isin(DOUBTFUL)].fillna(""))
    head = [word(f"column.{name}") for name in ("setting", "key", "value", "unit", "kind", "source")]
    told = []
    for group, rows in table.groupby(table["key"].str.partition(".")[0], sort=False):
        if group in ELSEWHERE and not (rows["kind"] == "set").any():
            continue
        name = word.term("group", group)
        lines = [
            (
                word.term("setting", row.key) if has_name(row.key) else "",
                row.key,
                short(row.value),
                Cell(word.term("price_unit" if group == "prices" else "unit", row.unit) if row.unit else "", "whole"),
                Cell(word.term("kind", row.kind), "whole bad" if row.kind == "set" else "whole"),
                source(word, row.kind, row.source),
            )
            for row in rows.itertuples()
            if group not in ELSEWHERE or row.kind == "set"
        ]
        depends = word.term("depends", group)
        heading = word("register.group", group=name, count=len(lines), depends=depends)
        told.append((heading, name, grid(head, lines, wide=True)))
    return told


def short(value: str) -> str:
    """Return a value as the register shows it."""
    return shorten(value, MOST_LETTERS, placeholder=" …")


def source(word: Words, kind: str, text: str) -> str:
    """Return where a setting of a kind comes from, as assumptions.csv says it, in the language of the report."""
    if kind == "assumed":
        return word.source(text.removeprefix("assumption").lstrip(": "))
    usual = USUALLY.fullmatch(text) if kind == "set" else None
    if usual is None:
        return word.source(text)
    if usual[2] is None:
        return word("register.usually", value=usual[1])
    return word("register.usually_by", value=usual[1], source=word.source(usual[2]))


def has_name(key: str) -> bool:
    """Tell whether the glossary has words for a setting."""
    return f"setting.{key}" in glossary()


def price_table(run: Run) -> Grid:
    """Return every price with its range, source and how far it can be trusted."""
    word = run.words
    names = ("price", "low", "central", "high", "unit", "price_year", "confidence", "source")
    rows = [
        (
            word.term("price", name),
            f"{item['low']:,g}",
            f"{item['central']:,g}",
            f"{item['high']:,g}",
            word.term("price_unit", item["unit"]),
            item["year"],
            word.term("confidence", item["confidence"]),
            word.source(item["source"]),
        )
        for name, item in entries(run, "prices").items()
    ]
    return grid([word(f"column.{name}") for name in names], rows, (1, 2, 3), wide=True)


def limit_table(run: Run) -> Grid:
    """Return every limit with its source."""
    word = run.words
    rows = [
        (
            word.term("limit", name),
            word.term("measure", item["measure"])
            + (f" / {word.term('measure', item['per'])}" if item.get("per") else ""),
            ("≤ " if item["sense"] == "at_most" else "≥ ") + amount(run, item["value"], item["unit"]),
            word.term("limit_site", item["site"]),
            word.source(item["source"]),
        )
        for name, item in entries(run, "limits").items()
    ]
    return grid(
        [word(f"column.{name}") for name in ("limit", "measure", "standard", "holds_for", "source")], rows, wide=True
    )


def weight_table(run: Run) -> Grid:
    """Return the weights of harm."""
    word = run.words
    rows = [(word.term("harm", kind), f"{weight:g}") for kind, weight in run.settings.judge.weights.items()]
    return grid([word("column.harm_kind"), word("column.weight")], rows, (1,))


def entries(run: Run, name: str) -> dict[str, dict[str, Any]]:
    """Return the price list or the limits as they were used."""
    file: Path = run.path / INPUTS / f"{name}.yaml"
    if file.is_file():
        return tree_of(file.read_text(encoding="utf-8")) or {}
    return {key: item.model_dump() for key, item in getattr(run.settings, name).items()}


def origin_table(run: Run) -> Grid:
    """Return how many rows of each table of the county are real, derived or synthetic."""
    word, rows = run.words, []
    for file in sorted((run.path / INPUTS).glob("*.csv")):
        table = run.input(file.name)
        if "source" not in table:
            continue
        counts = origin(table["source"]).value_counts()
        rows.append((word.term("table", file.stem), *(number(int(counts.get(kind, 0)), 0) for kind in ORIGINS)))
    head = [word("column.table"), *(word(f"origin.{kind}") for kind in ORIGINS)]
    return grid(head, rows, (1, 2, 3, 4))
