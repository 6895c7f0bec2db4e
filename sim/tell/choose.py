"""What a choice among plans says: the best plan, how sure that is, and which others are near it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from sim.store import RunFolder
from sim.tell.number import money, percent, rough
from sim.tell.words import Words

NOTES = "choice.json"
MOST_NAMED = 6
"""Plans that a sentence lists by name; of more it says how many there are."""


@dataclass(frozen=True)
class Choice:
    """A choice, read from choice.csv and choice.json."""

    path: Path

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Return choice.csv, one row per plan, the best first."""
        return RunFolder(self.path).read_table("choice").set_index("scenario", drop=False)

    @cached_property
    def notes(self) -> dict[str, Any]:
        """Return choice.json."""
        return dict(json.loads(RunFolder(self.path).read_text(NOTES)))

    @cached_property
    def rule(self) -> dict[str, Any]:
        """Return the settings of the choice."""
        return dict(self.notes["choose"])

    @cached_property
    def words(self) -> Words:
        """Return the glossary in the language of the plans' reports."""
        return Words(self.notes["report"]["language"])

    @property
    def public(self) -> bool:
        """Tell whether the page is for everyone."""
        return bool(self.notes["report"]["audience"] == "public")

    @property
    def subtitle(self) -> str:
        """Return what was chosen among."""
        return self.words("choose.subtitle", study=self.path.name, count=len(self.rows), swept=self._swept)

    @property
    def _swept(self) -> str:
        return self.words.join(list(self.notes["swept"]))

    def name(self, scenario: str) -> str:
        """Return a plan by what is swept."""
        return str(self.rows.loc[scenario, "settings"])

    def of(self, *status: str) -> list[str]:
        """Return the names of the plans of which became one of these."""
        return list(self.rows.index[self.rows["status"].isin(status)])

    def answer(self) -> list[str]:
        """Return the answer in sentences."""
        said = self._best() if self.notes["best"] else self._none()
        return [*said, *self._undecided(), *self._failed()]

    def _best(self) -> list[str]:
        word, row = self.words, self.rows.loc[self.notes["best"]]
        same, other = self.of("indistinguishable"), self.rows["alternative"].notna().sum()
        near = percent(self.rule["near_share"])
        wanted = self.rule["alternatives"]
        first = word("choose.best", plan=self.name(row["scenario"]), **self._cost(row), **self._chance(row))
        alike = word("choose.alike", plans=self._list(same), delta=self._delta) if same else word(
            "choose.none_alike", delta=self._delta)  # fmt: skip
        key = "choose.no_others" if not other else "choose.others" if other >= wanted else "choose.few_others"
        return [first, alike, word(key, count=int(other), wanted=wanted, near=near)] if wanted else [first, alike]

    def _none(self) -> list[str]:
        """Say that no plan holds the limits, and which comes nearest."""
        word, near = self.words, self.notes["nearest"]
        open_ = self.of("undecided")
        said = [word("choose.none_shown" if open_ else "choose.none", asked=percent(self.rule["probability"]),
                     count=len(self.rows))]  # fmt: skip
        if near is None:
            return said
        row = self.rows.loc[near]
        kept = percent(row["years_kept"])
        said.append(word("choose.nearest", plan=self.name(near), kept=kept, years=row["years"], **self._chance(row)))
        if pd.notna(row["weakest"]):
            of_schools = row["weakest"] in self.rule["limits"] and self.rule["schools_share"] is not None
            values = {"broken": percent(row["weakest_broken"]), "beyond": percent(row["weakest_beyond"])}
            key = "choose.weakest_schools" if of_schools else "choose.weakest"
            said.append(word(key, limit=self.limit(row["weakest"]), **values))
        return said

    def _undecided(self) -> list[str]:
        found = self.of("undecided")
        return [self.words("choose.undecided", plans=self._list(found))] if found else []

    def _failed(self) -> list[str]:
        found = self.of("failed")
        return [self.words("choose.failed", plans=self._list(found))] if found else []

    def guarantee(self) -> list[str]:
        """Say what is guaranteed with which probability, and what is not."""
        word, rule = self.words, self.rule
        values = {
            "correct": percent(rule["correct"]),
            "asked": percent(rule["probability"]),
            "delta": self._delta,
            "share": percent((1 - rule["correct"]) / 3, 1),
            "years": self.notes["years"],
            "broken": self.notes["may_break_years"],
            "screen": min(rule["screen_years"], self.notes["years"]),
            "fresh": self.notes["fresh_seed"],
            "seed": self.notes["seed"],
            "needed": self.notes["needed"],
            "tries": rule["confirm_replications"],
        }
        holds = "choose.sure_holds_but" if self.notes["may_break_years"] else "choose.sure_holds"
        said = [word("choose.sure_best" if self.notes["best"] else "choose.sure_none", **values)]
        if self.notes["not_told_apart"]:
            said.append(
                word("choose.sure_tied", plans=self._list(self.notes["not_told_apart"]), most=rule["replications_most"])
            )
        return [*said, word(holds, **values), word("choose.sure_how", **values), word("choose.sure_cost")]

    @property
    def _delta(self) -> str:
        yuan = self.rule["indifference_yuan"]
        return money(yuan, self.words, public=yuan == rough(yuan))

    def _list(self, scenarios: list[str]) -> str:
        named = [self.name(one) for one in scenarios[:MOST_NAMED]]
        more = len(scenarios) - MOST_NAMED
        return self.words.join(named) + (self.words("choose.and_more", count=more) if more > 0 else "")

    def _cost(self, row: pd.Series) -> dict[str, Any]:
        """Return cost and whose it is, for a sentence."""
        payer = self.words(f"choose.{self.rule['objective']}")
        return {"cost": money(row["cost_mean"], self.words, self.public), "payer": payer}

    def _chance(self, row: pd.Series) -> dict[str, Any]:
        """Return chance, interval and futures, for a sentence."""
        ends = (percent(row["chance_low"]), percent(row["chance_high"]))
        held = round(row["chance"] * row["replications"])
        return {
            "held": held,
            "futures": row["replications"],
            "chance": percent(row["chance"]),
            "ends": " – ".join(ends),
        }

    def limit(self, name: str) -> str:
        """Return a limit, or a measure with a bound, in words."""
        named = self.words.term("limit", name)
        return named if name in self.rule["limits"] else self.words.term("measure", name)

    @property
    def report(self) -> str:
        """Return the way to the report of the best plan; empty when there is none."""
        file = f"{self.notes['best_folder']}/report.html"
        return quote(file) if (self.path / file).is_file() else ""

    def settings(self, row: pd.Series) -> list[str]:
        """Return the values of what is swept."""
        found = str(row["settings"])
        ends = [found.index(f"{key}=") for key in self.notes["swept"]]
        parts = [found[start:end].strip() for start, end in zip(ends, [*ends[1:], len(found)], strict=True)]
        return [part.partition("=")[2] for part in parts]
