"""What a study of sensitivity says: which uncertain settings decide, in charts with intervals and in tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from sim.store import RunFolder
from sim.tell.cells import FEWEST, HIDDEN, is_small
from sim.tell.grid import Grid, grid
from sim.tell.number import NONE, TEN_THOUSAND_YUAN, money_scale, number, percent, span
from sim.tell.sweep import COUNTS, MONEY
from sim.tell.words import Words, glossary

ABOUT = "sensitivity.yaml"
EIGHT_OF_TEN = 1.2816
"""Standard deviations between which eight of ten draws of a normal law lie on either side of the mean."""
NAMED = 3
"""Most settings that the answer names for an output."""
MATTERS = {"indices": 0.05, "coefficients": 0.0}
"""What the nearer end of an interval is beyond when a setting clearly matters."""
MAIN = {"indices": "total", "coefficients": "coefficient"}


@dataclass(frozen=True)
class Told:
    """The files of a study of sensitivity."""

    path: Path

    @cached_property
    def about(self) -> dict[str, Any]:
        """Return what was asked: the question, all settings, the number of evaluations."""
        found: dict[str, Any] = yaml.safe_load(RunFolder(self.path).read_text(ABOUT))
        return found

    @property
    def question(self) -> dict[str, Any]:
        """Return the settings of the question itself."""
        return dict(self.about["sensitivity"])

    @property
    def report(self) -> dict[str, str]:
        """Return the language and the audience."""
        return dict(self.about["settings"]["report"])

    @cached_property
    def words(self) -> Words:
        """Return the glossary."""
        return Words(self.report["language"])

    @property
    def public(self) -> bool:
        """Tell whether the page is for everyone."""
        return self.report["audience"] == "public"

    @property
    def outputs(self) -> list[str]:
        """Return the measures that are looked at."""
        return list(self.question["outputs"])

    @cached_property
    def table(self) -> str:
        """Return the name of the table of all settings drawn at once; empty when there is none."""
        return {"sobol": "indices", "lhs": "coefficients"}.get(self.question["method"], "")

    def rows(self, name: str, output: str) -> pd.DataFrame:
        """Return the rows of a table about one output, by setting in the order of all charts."""
        rows = self.read[name]
        return rows[rows["output"] == output].set_index("setting").loc[self.settings]

    @cached_property
    def read(self) -> dict[str, pd.DataFrame]:
        """Return the tables there are, by name."""
        return {name: RunFolder(self.path).read_table(name) for name in ("tornado", "luck", self.table) if name}

    @cached_property
    def settings(self) -> list[str]:
        """Return the uncertain settings, those first that do most to the first output that changes."""
        name, by = (self.table, MAIN[self.table]) if self.table else ("tornado", "at_high")
        rows = self.read[name]
        sizes = rows[by].abs() if name != "tornado" else rows[["at_low", "at_high"]].abs().max(axis=1)
        table = rows.assign(size=sizes).pivot(index="setting", columns="output", values="size")[self.outputs]
        changing = [output for output in self.outputs if table[output].max() > 0]
        first = changing[0] if changing else self.outputs[0]
        return list(table[first].fillna(0.0).sort_values(ascending=False, kind="stable").index)

    def luck(self, output: str) -> pd.Series:
        """Return what luck does to an output."""
        return self.read["luck"].set_index("output").loc[output]

    def label(self, key: str) -> str:
        """Return what a setting is called; its key when the glossary has no word for it."""
        return self.words(f"setting.{key}") if f"setting.{key}" in glossary() else key

    def head(self, output: str) -> str:
        """Return what an output is called, with the unit of money."""
        name = self.words.term("measure", output)
        return f"{name} [{self.words('axis.money')}]" if output.endswith(MONEY) else name

    def scale(self, output: str) -> float:
        """Return what a number of an output is divided by."""
        return money_scale(self.words) if output.endswith(MONEY) else 1.0

    def hidden(self, output: str, row: pd.Series) -> bool:
        """Tell whether a row of the tornado would show a group of one to four pupils."""
        shown = (row["base"], row["base"] + row["at_low"], row["base"] + row["at_high"])
        return self.public and output in COUNTS and any(map(is_small, shown))


def answer(told: Told) -> list[str]:
    """Return in words, for each output, which settings clearly decide, and what luck does beside them."""
    said, word = [], told.words
    for output in told.outputs:
        names = [told.label(key) for key in decisive(told, output)[:NAMED]]
        measure = word.term("measure", output)
        key = "sensitivity.decides" if names else "sensitivity.nothing_decides"
        text = word(key, measure=measure, settings=word.join(names))
        share = told.luck(output)["share"]
        if np.isfinite(share):
            text += word("sensitivity.beside_luck", share=percent(share))
        said.append(text)
    return said


def decisive(told: Told, output: str) -> list[str]:
    """Return the settings that clearly matter to an output, the largest effect first; one at a time: beyond luck."""
    if not told.table:
        rows = told.rows("tornado", output)
        size = (rows["at_high"] - rows["at_low"]).abs()
        return list(size[size > 2 * EIGHT_OF_TEN * told.luck(output)["deviation"]].sort_values(ascending=False).index)
    rows, name = told.rows(told.table, output), MAIN[told.table]
    low, high = rows[f"{name}_low"], rows[f"{name}_high"]
    clear = rows[(low > MATTERS[told.table]) | (high < -MATTERS[told.table])]
    return list(clear[name].abs().sort_values(ascending=False).index)


def law_table(told: Told) -> Grid:
    """Return the uncertain settings: what they may be, what they are at both quantiles, and where that comes from."""
    word, laws = told.words, told.question["settings"]
    ends = told.read["tornado"].drop_duplicates("setting").set_index("setting")
    rows = [
        (
            told.label(key), key, word(f"sensitivity.law.{laws[key]['kind']}"), ends.loc[key, "low_value"],
            ends.loc[key, "high_value"], word.source(laws[key]["source"]),
        )
        for key in told.settings
    ]  # fmt: skip
    head = ("setting", "key", "law", "low_value", "high_value", "source")
    return grid([word(f"sensitivity.column.{name}") for name in head], rows, (3, 4), wide=True)


def effect_table(told: Told) -> Grid:
    """Return indices or coefficients with their intervals: settings down, outputs along."""
    columns = ("first", "total") if told.table == "indices" else ("coefficient",)
    heads, cells = [told.words("sensitivity.column.setting")], {key: [told.label(key)] for key in told.settings}
    for output in told.outputs:
        for name in columns:
            heads.append(f"{told.words.term('measure', output)}: {told.words(f'sensitivity.{name}')}")
            for key, row in told.rows(told.table, output).iterrows():
                cells[str(key)].append(span(row[name], row[f"{name}_low"], row[f"{name}_high"], 2))
    return grid(heads, list(cells.values()), range(1, len(heads)), wide=True)


def tornado_table(told: Told) -> Grid:
    """Return what each setting changes by itself: settings down, outputs along."""
    heads, cells = [told.words("sensitivity.column.setting")], {key: [told.label(key)] for key in told.settings}
    for output in told.outputs:
        places = 0 if told.public and told.scale(output) == TEN_THOUSAND_YUAN else None
        for end in ("at_low", "at_high"):
            heads.append(f"{told.head(output)}: {told.words(f'sensitivity.{end}')}")
            for key, row in told.rows("tornado", output).iterrows():
                change, low, high = (row[f"{end}{part}"] / told.scale(output) for part in ("", "_low", "_high"))
                cells[str(key)].append(HIDDEN if told.hidden(output, row) else span(change, low, high, places))
    return grid(heads, list(cells.values()), range(1, len(heads)), wide=True)


def luck_table(told: Told) -> Grid:
    """Return what luck alone does to each output, beside what the settings do."""
    rows = []
    for output in told.outputs:
        found, scale = told.luck(output), told.scale(output)
        away = told.public and output in COUNTS and is_small(found["mean"])
        mean = f"<{FEWEST}" if away else number(found["mean"] / scale)
        share = [percent(found[f"share{part}"]) for part in ("", "_low", "_high")]
        beside = NONE if share[0] == NONE else f"{share[0]} ({share[1]} – {share[2]})"
        rows.append((told.head(output), mean, HIDDEN if away else number(found["deviation"] / scale), beside))
    head = ("output", "mean", "deviation", "share")
    return grid([told.words(f"sensitivity.column.{name}") for name in head], rows, (1, 2, 3))
