"""What services cost or carry in real counties, to hold the results against."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from sim.config.kinds import Amount, Group, SchoolYear, Text


class Band(Group):
    """Between which values a measure lies in a real county."""

    measure: Text
    """Name of the measure in unit_costs.csv."""
    low: Amount
    """Low end."""
    high: Amount
    """High end."""
    unit: Text
    """Unit of the measure."""
    year: SchoolYear
    """Year the figure is from."""
    source: Text
    """Where it comes from, and what was reckoned from it."""
    confidence: Literal["high", "medium", "low", "assumption"]
    """How far it can be trusted."""

    @model_validator(mode="after")
    def _ordered(self) -> Band:
        """Refuse a band that ends below its beginning."""
        if self.low > self.high:
            raise ValueError(f"low {self.low}, high {self.high} must rise")
        return self
