"""Settings of a study of sensitivity: which settings are uncertain and how, and what is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from sim.config import Settings
from sim.config.compose import Tree, _right, compose, settings_from
from sim.config.kinds import AnyCount, Group, Number, Positive, PositiveCount, Switch, Text
from sim.errors import BadInput

GROUP, USUAL = "sensitivity", "births_and_buses"
NEEDS = {
    "uniform": ("low", "high"),
    "triangular": ("low", "central", "high"),
    "normal": ("central", "spread"),
    "lognormal": ("central", "spread"),
    "whole": ("low", "high"),
    "choice": ("values",),
}
"""What each kind of distribution has to say; normal and lognormal may be cut off at low and high."""
MAY = {"normal": ("low", "high"), "lognormal": ("low", "high"), "choice": ("weights",)}


class Distribution(Group):
    """What a setting may be, and how likely."""

    kind: Literal["uniform", "triangular", "normal", "lognormal", "whole", "choice"]
    """Law: uniform, triangular, normal, lognormal, whole (whole numbers, all alike), choice (one of some values)."""
    low: Number | None = None
    """Smallest value."""
    high: Number | None = None
    """Largest value."""
    central: Number | None = None
    """Most likely value (triangular), mean (normal) or median (lognormal)."""
    spread: Positive | None = None
    """Standard deviation (normal), or that of the logarithm (lognormal)."""
    values: tuple[Any, ...] = ()
    """What may be chosen, from what does least to what does most."""
    weights: tuple[Positive, ...] = ()
    """How likely each of the values is; empty = all alike."""
    times: Switch = False
    """Whether what is drawn multiplies the setting as it stands, and each number of a list or a group of settings."""
    source: Text
    """Where the distribution comes from, or that it is an assumption."""

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> Distribution:
        """Refuse a distribution that lacks a number, has one too many, or has them in the wrong order."""
        given = [key for key in ("low", "high", "central", "spread", "values", "weights") if getattr(self, key) not in
                 (None, ())]  # fmt: skip
        needed, allowed = NEEDS[self.kind], (*NEEDS[self.kind], *MAY.get(self.kind, ()))
        if set(needed) - set(given) or set(given) - set(allowed):
            raise ValueError(f"{self.kind} needs {' and '.join(needed)}, and may say {' and '.join(allowed)} only")
        steps = [value for value in (self.low, self.central, self.high) if value is not None]
        if sorted(steps) != steps or (self.low is not None and self.low == self.high):
            raise ValueError("low must be below high, and central between them")
        if self.kind == "lognormal" and not (self.central or 0) > 0:
            raise ValueError("the central value of lognormal must be more than 0")
        if self.kind == "whole" and any(not value.is_integer() for value in steps):
            raise ValueError("low and high of whole must be whole numbers")
        if self.kind == "choice" and (len(self.values) < 2 or self.times):
            raise ValueError("choice needs two or more values, and multiplies nothing")
        if self.weights and len(self.weights) != len(self.values):
            raise ValueError("weights must be as many as values")
        return self


class Sensitivity(Group):
    """Which settings are uncertain, how they are drawn, and which results are looked at."""

    method: Literal["sobol", "lhs", "one_at_a_time"]
    """Sobol indices, Latin hypercube with coefficients of ranks, or one setting at a time only."""
    n: Annotated[int, Field(ge=2, le=65536, strict=True)]
    """Draws of all settings: lived n times (settings + 2) with sobol, n times with lhs."""
    seed: AnyCount
    """Root of the draws of settings; luck has its own (`seed`)."""
    luck: Annotated[int, Field(ge=2, le=10_000, strict=True)]
    """How often the settings as they stand are lived with other luck, to tell how much luck alone does."""
    resamples: Annotated[int, Field(ge=100, le=100_000, strict=True)]
    """Resamples from which the intervals of indices and coefficients come (bootstrap)."""
    batch: PositiveCount
    """Evaluations that are lived together, and written down together."""
    keep: Switch
    """Whether the folders of single evaluations stay."""
    outputs: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Results that are looked at: measures of a comparison (summary.parquet)."""
    settings: Annotated[Mapping[str, Distribution], Field(min_length=1)]
    """Distribution of each uncertain setting, under the setting's own key; null = it is not uncertain."""

    @field_validator("settings", mode="before")
    @classmethod
    def _by_full_key(cls, tree: Any) -> Any:
        """Take the settings as they are written, a tree like that of all settings, and name each by its full key."""
        return dict(_leaves(tree)) if isinstance(tree, Mapping) else tree

    @model_validator(mode="after")
    def _draws_suit_the_method(self) -> Sensitivity:
        """Refuse numbers of draws from which nothing can be learned."""
        if self.method == "sobol" and self.n & (self.n - 1):
            raise ValueError(f"n: with method sobol it must be a power of 2, such as {2 ** self.n.bit_length()}")
        if self.method == "lhs" and self.n < len(self.settings) + 3:
            raise ValueError(f"n: with method lhs and {len(self.settings)} settings it must be at least "
                             f"{len(self.settings) + 3}")  # fmt: skip
        if len(set(self.outputs)) < len(self.outputs):
            raise ValueError("outputs: a measure stands there twice")
        return self


def _leaves(tree: Mapping[Any, Any], above: str = "") -> list[tuple[str, Any]]:
    """Return the distributions of a tree of settings by full key: whatever says of which kind it is; null: none."""
    found: list[tuple[str, Any]] = []
    for name, part in tree.items():
        if isinstance(part, Mapping) and "kind" not in part:
            found += _leaves(part, f"{above}{name}.")
        elif part is not None:
            found.append((f"{above}{name}", part))
    return found


def asked(overrides: list[str]) -> tuple[Sensitivity, Settings]:
    """Return the question and the settings around which it is asked.

    Raises BadInput that names the key and says what would be right.
    """
    groups = [word for word in overrides if "." not in word.partition("=")[0]]
    known = compose(groups)
    if GROUP not in known:
        overrides, known = [f"{GROUP}={USUAL}", *overrides], compose([f"{GROUP}={USUAL}", *groups])
    known = known | {GROUP: known[GROUP] | {"settings": None}}  # other settings may be uncertain, too
    tree = compose(overrides, known)
    question = tree.pop(GROUP)
    return question_from(question), settings_from(tree, overrides)


def question_from(tree: Tree) -> Sensitivity:
    """Return a checked question; raises BadInput that names every key with a wrong value."""
    try:
        return Sensitivity.model_validate(tree)
    except ValidationError as error:
        raise BadInput(*map(_sentence, error.errors())) from error


def _sentence(wrong: Any) -> str:
    """Return `key: what was given, what would be right`."""
    key, right = ".".join([GROUP, *map(str, wrong["loc"])]), _right(wrong["msg"])
    if isinstance(wrong["input"], Mapping):  # the group as a whole: what is right names the key, or it is missing
        return f"{key}.{right}." if right.split(":")[0] in Sensitivity.model_fields else f"{key}: {right}."
    return f"{key}: {wrong['input']!r} is not possible; {right}."
