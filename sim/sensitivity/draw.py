"""Draw uncertain settings: which evaluations a question asks for, and the settings of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.stats import qmc

from sim.config import Settings
from sim.config.compose import complaints, validated
from sim.config.sensitivity import GROUP, Distribution, Sensitivity
from sim.errors import BadInput, refusals

Floats = NDArray[np.float64]
ENDS = {"low": 0.1, "high": 0.9}
"""Where one setting at a time is put: the quantiles between which it lies in eight of ten draws."""
FIXED = ("seed", "scenario", "county", "calendar", "report", "executor", "study")
"""Settings that say how the question is asked: no facts of a county's life."""


@dataclass(frozen=True)
class Evaluation:
    """One evaluation: the drawn settings, all others as they stand."""

    name: str
    design: str
    """base; low, high (one setting at an end); sample (Latin hypercube); A, B, AB (Saltelli's matrices)."""
    changed: str = ""
    """The setting that alone differs from the base (low, high) or from A (AB)."""
    sample: int = 0
    """Row of the design."""
    values: Mapping[str, float] = field(default_factory=dict)
    """Drawn values by key; a choice is told by its place, from 0."""


def evaluations(question: Sensitivity) -> list[Evaluation]:
    """Return all evaluations that a question asks for, always in the same order under the same names.

    The base, each setting at both ends, then row by row of the design: a larger n only adds evaluations.
    """
    keys = list(question.settings)
    found: list[tuple[str, str, int, dict[str, float]]] = [("base", "", 0, {})]
    for key in keys:
        found += [(end, key, 0, {key: value_at(question.settings[key], share)}) for end, share in ENDS.items()]
    found += list(_rows(question, keys))
    return [Evaluation(f"eval-{number:05d}", *each) for number, each in enumerate(found)]


def _rows(question: Sensitivity, keys: list[str]) -> Iterator[tuple[str, str, int, dict[str, float]]]:
    """Yield design, changed setting, row and values of the evaluations of all settings at once.

    Sobol: Saltelli et al. 2010, table 2: A and B from one sequence of twice as many dimensions, AB = A with the
    column of one setting from B.
    """
    d = len(keys)
    if question.method == "lhs":
        for row, point in enumerate(_values(question, qmc.LatinHypercube(d, rng=question.seed).random(question.n))):
            yield "sample", "", row, dict(zip(keys, point, strict=True))
    if question.method == "sobol":
        shares = qmc.Sobol(2 * d, rng=question.seed).random(question.n)
        both = zip(_values(question, shares[:, :d]), _values(question, shares[:, d:]), strict=True)
        for row, points in enumerate(both):
            a, b = (dict(zip(keys, point, strict=True)) for point in points)
            yield "A", "", row, a
            yield "B", "", row, b
            for key in keys:
                yield "AB", key, row, a | {key: b[key]}


def _values(question: Sensitivity, shares: Floats) -> list[list[float]]:
    """Return the values of all settings where these shares of all draws lie below; (n, d)."""
    laws = question.settings.values()
    return np.column_stack([quantile(law, shares[:, k]) for k, law in enumerate(laws)]).tolist()


def value_at(law: Distribution, share: float) -> float:
    """Return the value below which a share of all draws lies."""
    return float(quantile(law, np.array([share]))[0])


def quantile(law: Distribution, share: Floats) -> Floats:
    """Return the values below which these shares of all draws lie (inverse of the distribution function)."""
    low, high, central, spread = (np.nan if x is None else x for x in (law.low, law.high, law.central, law.spread))
    if law.kind == "choice":
        upto = np.cumsum(law.weights or np.ones(len(law.values)))
        return np.searchsorted(upto[:-1] / upto[-1], share, side="right").astype(float)
    if law.kind == "whole":
        return np.minimum(low + np.floor(share * (high - low + 1)), high)
    made: Any = {
        "uniform": lambda: stats.uniform(low, high - low),
        "triangular": lambda: stats.triang((central - low) / (high - low), low, high - low),
        "normal": lambda: stats.norm(central, spread),
        "lognormal": lambda: stats.lognorm(spread, scale=central),
    }[law.kind]()
    below = 0.0 if law.low is None else made.cdf(low)
    above = 1.0 if law.high is None else made.cdf(high)
    return np.asarray(made.ppf(below + share * (above - below)), dtype=float)


class Drawn:
    """The settings of evaluations around the settings as they stand."""

    def __init__(self, question: Sensitivity, settings: Settings) -> None:
        self.laws = question.settings
        self.base = settings
        self.tree: dict[str, Any] = settings.model_dump(mode="json")

    def settings(self, evaluation: Evaluation) -> Settings:
        """Return the settings of an evaluation; raises BadInput that names the setting and the value refused."""
        if not evaluation.values:
            return self.base.model_copy(update={"scenario": evaluation.name})
        tree = self.tree | {"scenario": evaluation.name}
        for key, value in evaluation.values.items():
            tree = _changed(tree, key.split("."), partial(_drawn, self.laws[key], value))
        try:
            return validated(tree)
        except BadInput as error:
            where = f".{evaluation.changed}" if evaluation.changed else f", draw {evaluation.name}"
            raise BadInput(*(f"{GROUP}.settings{where}: {message}" for message in error.messages)) from error

    def told(self, key: str, value: float) -> str:
        """Return a drawn value in words: a number, with x before it where it multiplies, or what was chosen."""
        law = self.laws[key]
        return str(law.values[int(value)]) if law.kind == "choice" else f"{'x ' if law.times else ''}{value:.4g}"

    def check(self) -> None:
        """Raise BadInput for every key that is no setting, or no number, and for every end beyond what it may be."""
        told = [message for key, law in self.laws.items() for message in self._wrong(key, law)]
        if told:
            raise BadInput(*told)

    def _wrong(self, key: str, law: Distribution) -> list[str]:
        named, level = f"{GROUP}.settings.{key}", self.tree
        if key.partition(".")[0] in FIXED:
            return [f"{named}: {key} is no fact that could be uncertain; it says how the question is asked."]
        for part in key.split("."):
            if not isinstance(level, dict) or part not in level:
                unknown = complaints([f"{key}=0"], tree=self.tree) if "." in key else []
                return [f"{GROUP}.settings.{text}" for text in unknown] or [f"{named}: there is no such setting."]
            level = level[part]
        if law.kind != "choice" and not (_has_numbers(level) if law.times else level is None or _is_number(level)):
            right = ", or times: true, which multiplies every number in it" if _has_numbers(level) else ""
            return [f"{named}: {key} is no number ({level!r}); give the key of a number, or kind: choice{right}."]
        ends = [float(k) for k in range(len(law.values))] or quantile(law, np.array([0.0, 1.0])).tolist()
        made = [Evaluation(self.base.scenario, "low", key, 0, {key: end}) for end in ends if np.isfinite(end)]
        return refusals(*(partial(self.settings, each) for each in made))


def _changed(level: Any, path: list[str], change: Callable[[Any], Any]) -> Any:
    """Return a tree of settings with one of them changed; what does not change is shared."""
    return {**level, path[0]: _changed(level[path[0]], path[1:], change)} if path else change(level)


def _drawn(law: Distribution, value: float, stands: Any) -> Any:
    """Return what a setting becomes: the value itself, what was chosen, or the setting times the value."""
    if law.kind == "choice":
        return law.values[int(value)]
    if not law.times:
        return int(value) if law.kind == "whole" else value
    if isinstance(stands, dict):
        return {name: _drawn(law, value, part) for name, part in stands.items()}
    if isinstance(stands, list):
        return [_drawn(law, value, part) for part in stands]
    return stands * value if _is_number(stands) else stands


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _has_numbers(level: Any) -> bool:
    """Tell whether a setting is a number, or a list or group with a number in it."""
    if isinstance(level, dict | list):
        return any(map(_has_numbers, level.values() if isinstance(level, dict) else level))
    return _is_number(level)
