"""The kinds of number a setting may be: how small, how large, and that text is no number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _plain(name: str) -> str:
    """Refuse a name that cannot be the name of a folder."""
    if re.fullmatch(r"[^/\\\s.][^/\\\s]{0,199}", name) is None:
        raise ValueError("it must be a plain name without spaces and /, not starting with a dot")
    return name


def _word(name: str) -> str:
    """Refuse a name that cannot be a part of a key."""
    if re.fullmatch(r"[a-z][a-z0-9_]*", name) is None:
        raise ValueError("it must be a short name of small letters, digits and _, starting with a letter")
    return name


def _day(text: str) -> str:
    """Refuse a day that is neither year-week-day nor `first`."""
    if re.fullmatch(r"first|\d{4}-\d{1,2}-[1-7]", text) is None:
        raise ValueError("it must be `first` or a day written as year-week-day, for example 2023-5-1")
    return text


MANY = 1_000_000
"""More than there is of anything in a county: beyond it are slips of the pen that no memory could hold."""
Count = Annotated[int, Field(ge=0, le=MANY, strict=True)]
PositiveCount = Annotated[int, Field(ge=1, le=MANY, strict=True)]
AnyCount = Annotated[int, Field(ge=0, strict=True)]
Scale = Annotated[float, Field(ge=0, le=100, strict=True, allow_inf_nan=False)]
SchoolYear = Annotated[int, Field(ge=1990, le=2100, strict=True)]
Grade = Annotated[int, Field(ge=1, le=9, strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]
LogSpread = Annotated[float, Field(ge=0, le=3, strict=True, allow_inf_nan=False)]
ClockMin = Annotated[float, Field(ge=0, lt=1440, strict=True, allow_inf_nan=False)]
Speed = Annotated[float, Field(gt=0, le=120, strict=True, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, strict=True)]
Name = Annotated[str, Field(strict=True), AfterValidator(_plain)]
Word = Annotated[str, Field(strict=True), AfterValidator(_word)]
DayKey = Annotated[str, Field(strict=True), AfterValidator(_day)]
Switch = Annotated[bool, Field(strict=True)]
Counts = Mapping[str, Count]


class Group(BaseModel):
    """One group of settings: frozen, no unknown keys, one sentence about each key."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True)
