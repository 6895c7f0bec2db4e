"""Live evaluations in batches, and write down what came of each; what is written down is never lived again."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import pandas as pd

from sim.config import Settings
from sim.config.sensitivity import Sensitivity
from sim.judge.compare import headlines
from sim.sensitivity.draw import Drawn, Evaluation
from sim.store import RunFolder, inputs_sha256
from sim.sweep import Outcome, live_scenarios
from sim.tables import run_table
from sim.workers import console

TABLE = "evaluations"
COLUMNS = run_table(TABLE).names


@dataclass(frozen=True)
class Asked:
    """A question, the settings around which it is asked, and its evaluations."""

    question: Sensitivity
    drawn: Drawn
    evaluations: Sequence[Evaluation]

    def settings(self, evaluation: Evaluation) -> Settings:
        """Return the settings of an evaluation; the base is lived more often, to see what luck does."""
        settings = self.drawn.settings(evaluation)
        if evaluation.design != "base":
            return settings
        study = settings.study.model_copy(update={"replications": settings.study.replications * self.question.luck})
        return settings.model_copy(update={"study": study})

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Return what tells each evaluation from all others: its settings and inputs, by name."""
        inputs = inputs_sha256(self.drawn.base)
        hashes = {one.name: self.settings(one).hash("scenario") for one in self.evaluations}
        return {name: hashlib.sha256(f"{text} {inputs}".encode()).hexdigest() for name, text in hashes.items()}


def live(asked: Asked, folder: RunFolder) -> list[Outcome]:
    """Live all evaluations that are not in evaluations.parquet, and add them to it, batch by batch.

    Return those that failed. The folders of single evaluations are removed, unless they are to be kept.
    """
    known = set(_known(folder)["fingerprint"])
    to_do = {asked.fingerprints[one.name]: one for one in asked.evaluations}
    missing = [one for fingerprint, one in to_do.items() if fingerprint not in known]
    before = f", {len(to_do) - len(missing)} of them lived before" if len(missing) < len(to_do) else ""
    console().print(f"{len(asked.evaluations)} evaluations{before}.")
    failed: list[Outcome] = []
    began = time.monotonic()
    for first in range(0, len(missing), asked.question.batch):
        batch = missing[first : first + asked.question.batch]
        failed += _live_batch(asked, folder, batch)
        done = first + len(batch)
        left = (time.monotonic() - began) / done * (len(missing) - done)
        console().print(f"{done} of {len(missing)} evaluations, {timedelta(seconds=round(left))} left.")
    return failed


def _live_batch(asked: Asked, folder: RunFolder, batch: Sequence[Evaluation]) -> list[Outcome]:
    """Live some evaluations together, write down what came of them, and return those that failed."""
    ended = live_scenarios([asked.settings(one) for one in batch], extent="headlines")
    rows = [row for one, end in zip(batch, ended, strict=True) if end.folder for row in _rows(asked, one, end.folder)]
    if rows:
        folder.write_table(TABLE, pd.concat([_known(folder), pd.DataFrame(rows, columns=list(COLUMNS))]))
    for end in ended:
        if end.folder and not asked.question.keep:
            shutil.rmtree(end.folder.path)
    return [end for end in ended if end.folder is None]


def _rows(asked: Asked, one: Evaluation, lived: RunFolder) -> Iterator[tuple[object, ...]]:
    """Yield what is written down of an evaluation: the settings drawn, and the measures of each replication."""
    place = (one.name, asked.fingerprints[one.name], one.design, one.changed or None, one.sample)
    for key, drawn in one.values.items():
        yield *place, None, "setting", key, drawn
    for replication, measures in headlines(lived.path)[1].iterrows():
        for measure, value in measures.items():
            yield *place, replication, "measure", measure, value


def _known(folder: RunFolder) -> pd.DataFrame:
    """Return all that is written down; nothing at the beginning."""
    return folder.read_table(TABLE) if folder.file(TABLE).is_file() else pd.DataFrame(columns=list(COLUMNS))


def lived(asked: Asked, folder: RunFolder) -> pd.DataFrame:
    """Return one row per evaluation and replication: its place in the design, the settings drawn, the outputs.

    A measure that a run does not have is NaN.
    """
    table = _known(folder)
    measures = table[table["role"] == "measure"].pivot(
        index=["fingerprint", "replication"], columns="name", values="value"
    )
    place = pd.DataFrame(
        [
            {"evaluation": one.name, "design": one.design, "changed": one.changed, "sample": one.sample, **one.values}
            for one in asked.evaluations
        ]
    ).assign(fingerprint=[asked.fingerprints[one.name] for one in asked.evaluations])
    outputs = measures.reindex(columns=list(asked.question.outputs)).reset_index()
    return place.merge(outputs, on="fingerprint", how="left").astype({"replication": int})
