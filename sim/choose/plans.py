"""The plans among which is chosen: their settings, what is swept, and how they are lived in a county."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from sim.check import refuse
from sim.choose.contest import CONFIRM, RACE, Seen
from sim.choose.standard import beyond_of, standards
from sim.config import Settings
from sim.county import County, read_county
from sim.errors import BadInput, refusals
from sim.judge.compare import headlines
from sim.store import RunFolder, check_out, fingerprint, is_finished, run_folder, sweep_folder
from sim.sweep import live_scenarios

NO_PLAN = ("seed", "county", "calendar", "prices", "limits", "judge", "report", "executor", "study", "choose")
"""Groups of settings that no plan chooses: all plans are measured alike, by the same luck."""


@dataclass
class Plans:
    """Plans that can be lived, each as often and as long as is asked for."""

    settings: tuple[Settings, ...]
    say: Callable[[str], None] = print
    faults: dict[int, str] = field(default_factory=dict)
    """What went wrong with a plan that could not be lived."""

    def __post_init__(self) -> None:
        """Refuse, before anything runs, plans that cannot be compared or lived."""
        wrong = [*_not_comparable(self.settings)] if self.settings else []
        if len(self.settings) < 2:
            wrong.append("choose: there is one plan only; give lists of values, e.g. fleet.scale=0.8,0.9,1.0.")
        if wrong:
            raise BadInput(*wrong)
        self.standards = standards(self.settings[0])
        looks = [partial(refuse, one, self.county) for one in self.settings]
        told = refusals(*looks, partial(check_out, self.settings[0]))
        if told:
            raise BadInput(*told)

    @cached_property
    def county(self) -> County:
        """Return the county of all plans."""
        return read_county(self.settings[0].county.path)

    @cached_property
    def swept(self) -> dict[str, list[Any]]:
        """Return the settings in which plans differ: key -> value of each plan; a named group by its name."""
        trees = [one.model_dump(mode="json", exclude={"scenario"}) for one in self.settings]
        found: dict[str, list[Any]] = {}
        for group in trees[0]:
            of_group = [tree[group] for tree in trees]
            names = [part.get("name") if isinstance(part, dict) else part for part in of_group]
            if any(name != names[0] for name in names):
                found[group] = names
            else:
                flat = [dict(_leaves(part, group)) for part in of_group]
                keys = dict.fromkeys(key for leaves in flat for key in leaves)
                values = {key: [leaves.get(key) for leaves in flat] for key in keys}
                found |= {key: each for key, each in values.items() if any(value != each[0] for value in each)}
        return found

    def folder_of(self, stage: str, plan: int) -> Path:
        """Return where the tables of a plan lie."""
        return run_folder(self._asked(stage, plan, 1, 1)).path

    def report(self, plan: int) -> None:
        """Draw the report of a plan, as it was lived with fresh luck."""
        live_scenarios([self._asked(CONFIRM, plan, 1, 1)])

    def __call__(self, stage: str, plans: Sequence[int], replications: int, years: int) -> dict[int, Seen]:
        """Live plans; of those that cannot be lived, the faults are noted."""
        asked = {plan: self._asked(stage, plan, replications, years) for plan in plans}
        there = {plan: run_folder(one) for plan, one in asked.items()}
        todo = [plan for plan in plans if not is_finished(there[plan], asked[plan])]
        self.say(
            f"{stage}: {len(plans)} x {replications} replications x {years} years, {len(todo)} of them to be lived."
        )
        outcomes = live_scenarios([asked[plan] for plan in todo], extent="tables") if todo else []
        for plan, outcome in zip(todo, outcomes, strict=True):
            if outcome.folder is None:
                self.faults[plan] = outcome.fault
                del there[plan]
            else:
                there[plan] = outcome.folder
        return {plan: self._seen(folder, replications, years) for plan, folder in there.items()}

    def seed(self, stage: str) -> int:
        """Return the root of the luck of a stage: fresh luck is that of the next seed."""
        return self.settings[0].seed + int(stage == CONFIRM)

    def _asked(self, stage: str, plan: int, replications: int, years: int) -> Settings:
        """Return the settings by which a plan is lived: what was lived before is asked for again."""
        settings = self.settings[plan]
        study = {
            "out": str(sweep_folder(settings).path),
            "name": CONFIRM if stage == CONFIRM else RACE,
            "precision": None,
        }
        asked = _longer(settings.model_copy(update={"seed": self.seed(stage)}), 1, 1, study)
        found = RunFolder(sweep_folder(asked).path / asked.scenario).manifest
        if found.get("fingerprint") == fingerprint(asked):
            replications, years = max(replications, found["replications"]), max(years, found["years"])
        return _longer(asked, replications, years)

    def _seen(self, folder: RunFolder, replications: int, years: int) -> Seen:
        """Return what was seen of a plan in its first replications and years."""
        first = self.settings[0].study.first_year
        values = headlines(folder.path)[1][self.settings[0].choose.objective]
        beyond = beyond_of(folder, self.standards, self.county, replications, range(first, first + years))
        return Seen(values.loc[: replications - 1].to_numpy(dtype=float), beyond)


def _longer(settings: Settings, replications: int, years: int, more: dict[str, Any] | None = None) -> Settings:
    update = {"replications": replications, "years": years, **(more or {})}
    return settings.model_copy(update={"study": settings.study.model_copy(update=update)})


def _not_comparable(settings: Sequence[Settings]) -> Iterator[str]:
    """Say which settings differ between plans that have to be the same."""
    for group in NO_PLAN:
        if any(getattr(one, group) != getattr(settings[0], group) for one in settings):
            yield f"{group}: all plans of a choice are measured alike; give one value instead of several."
    if settings[0].study.precision is not None:
        yield "study.precision: a choice decides itself how often plans are lived; leave it null."


def _leaves(tree: Any, above: str) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of a tree of settings with their full keys."""
    if not isinstance(tree, dict):
        yield above, tree
        return
    for key, part in tree.items():
        yield from _leaves(part, f"{above}.{key}")
