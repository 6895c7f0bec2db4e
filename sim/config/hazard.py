"""Settings about what goes wrong: weather, illness, and what is made to go wrong on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sim.config.kinds import Amount, Group, LogSpread, PositiveCount, Share, Switch, Text, Word

SKIES = ("clear", "rain", "fog", "ice", "flood")
SkyName = Literal["clear", "rain", "fog", "ice", "flood"]
MONTHS = 12


class Sky(Group):
    """What one kind of weather does to roads, buses and pupils."""

    speed_factor: Annotated[float, Field(ge=0.05, le=1, strict=True, allow_inf_nan=False)]
    """Multiplies the free speed on every road."""
    adverse: Switch
    """Whether the lower legal limit of a school bus holds on every road."""
    avoid: tuple[Literal["straight", "bends", "sharp", "steep"], ...]
    """Roads over which the school sends no bus, by bends and slope."""
    buses_run: Switch
    """Whether the school lets its buses run at all."""
    morning_only: Switch
    """Whether it has cleared up by noon."""
    stay_home_share: Share
    """Share of the day pupils whom the family keeps at home."""


class Weather(Group):
    """The weather of a school day; how often each kind comes in a month is in the county's table."""

    persistence: Share
    """Chance that the weather of a day simply stays for the next, beyond what its share of the month gives."""
    noon_share: Share
    """Chance that the weather of the next day sets in at noon."""
    skies: Mapping[str, Sky]
    """What each kind of weather does."""

    @model_validator(mode="after")
    def _every_sky(self) -> Weather:
        """Refuse a list that leaves out a kind of weather or invents one."""
        if set(self.skies) != set(SKIES):
            raise ValueError(f"skies: needs exactly one entry for each of {', '.join(SKIES)}")
        return self


class Health(Group):
    """Illness."""

    absence_share: Share
    """Share of pupils who stay at home ill on a school day, mean of the year."""
    month_factor: Annotated[tuple[Amount, ...], Field(min_length=MONTHS, max_length=MONTHS)]
    """That share in each month, January first, as a multiple of the mean."""
    county_sd: LogSpread
    """Spread of a week's share that the whole county has in common (standard deviation of the logarithm)."""
    area_sd: LogSpread
    """Spread of a week's share of one township beyond that."""


class Stress(Group):
    """What goes wrong on purpose, in which weeks; the parts can be combined."""

    name: Word
    """Name of the stress pack."""
    weeks: tuple[PositiveCount, ...]
    """School weeks it strikes in every year; they are always lived. Without any, it strikes every week lived."""
    days: tuple[Annotated[int, Field(ge=1, le=7, strict=True)], ...]
    """Days of these weeks it strikes, Monday = 1; without any, every day."""
    sky: SkyName | None
    """Weather of these days; null: as it comes."""
    sky_from_noon: Switch
    """Whether that weather sets in at noon of the first of these days."""
    roads: tuple[Text, ...]
    """Roads that are cut: edge_id, or `busiest`: which most pupils need and whose loss cuts off no lived school."""
    absence_factor: Annotated[float, Field(ge=0, le=10**3, strict=True, allow_inf_nan=False)]
    """Multiplies the share of pupils who are ill."""
    driver_absent_share: Share | None
    """Share of drivers who are absent; null: as usual."""
    attendant_absent_share: Share | None
    """Share of attendants who are absent; null: as usual."""
    schools: tuple[Text, ...]
    """Schools whose kitchen or water fails: school_id, `all`, or `largest`: the one with the most pupils."""
    kitchen_share: Share
    """Share of their meals that these schools' kitchens still cook."""
    water_share: Share
    """Share of their taps, basins, toilets and showers that still run."""

    @property
    def strikes(self) -> bool:
        """Tell whether anything goes wrong at all."""
        usual = (self.sky, self.driver_absent_share, self.attendant_absent_share) == (None, None, None)
        return not (usual and not self.roads and self.absence_factor == self.kitchen_share == self.water_share == 1)
