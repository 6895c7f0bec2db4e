"""First bells that need the fewest buses, chosen within the windows a county allows.

All schools of a group (primary, junior) ring together; a closing bell shifts by as much as the first bell. Tried
is every pair on a grid; the same routes are chained anew for each, in the year with the most riders. (Runs planned
school by school do not depend on the bells; whole duties and mixed loads are planned once, for the bells as
told, and with shared stops where these may be.)
Among equally few buses the bells are moved as little as possible.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from pydantic import ValidationError

from sim.config import Settings
from sim.errors import BadInput
from sim.plan import Places
from sim.plan.duty import chain
from sim.plan.replan import planned, with_any_fleet
from sim.plan.stops import daily_riders, with_stops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.county import County
    from sim.county.road import Travel

GROUPS: tuple[Literal["primary"], Literal["junior"]] = ("primary", "junior")


def staggered(
    settings: Settings, county: County, travel: Travel, placed: Sequence[Places]
) -> tuple[Settings, pd.DataFrame]:
    """Return settings with the bells that need the fewest buses, and all bells tried: the columns of bells.csv.

    placed: the places of all years. A pair of bells that does not fit the rest of the school day (meals, closing)
    is left out. Raises BadInput where no pair fits.
    """
    year = max(placed, key=lambda places: float(daily_riders(places).sum()))
    ways = planned(county, settings, travel, with_stops(county, settings, travel, year))
    rows: list[tuple[float, float, int]] = []
    found: list[Settings] = []
    for primary, junior in product(_times(settings, "primary"), _times(settings, "junior")):
        rung = ringing(settings, primary, junior)
        if rung is not None:
            found.append(rung)
            rows.append((primary, junior, chain(with_any_fleet(rung), travel, county, ways, 0).buses_needed))
    if not found:
        raise BadInput("bells.windows: no first bells in these windows fit the meals and closings of the day")
    base = settings.bells.primary_first_min, settings.bells.junior_first_min
    moved = [abs(row[0] - base[0]) + abs(row[1] - base[1]) for row in rows]
    best = min(range(len(rows)), key=lambda k: (rows[k][2], moved[k], rows[k]))
    tried = pd.DataFrame(rows, columns=["primary_first_min", "junior_first_min", "buses"])
    return found[best], tried.assign(year=year.year, chosen=np.arange(len(rows)) == best)


def ringing(settings: Settings, primary_min: float, junior_min: float) -> Settings | None:
    """Return settings with these first bells and the closings shifted as much; None where the day does not allow it."""
    told = settings.model_dump()
    for group, first in zip(GROUPS, (primary_min, junior_min), strict=True):
        told["bells"][f"{group}_close_min"] += first - told["bells"][f"{group}_first_min"]
        told["bells"][f"{group}_first_min"] = first
    try:
        return Settings.model_validate(told)
    except ValidationError:
        return None


def _times(settings: Settings, group: Literal["primary", "junior"]) -> list[float]:
    """Return the first bells to try: every step of the window and the bell as told."""
    bells = settings.bells
    told = float(getattr(bells, f"{group}_first_min"))
    window = (bells.windows or {}).get(group)
    if window is None:
        return [told]
    steps = np.arange(window.earliest_min, window.latest_min + 1e-9, bells.step_min)
    return sorted({told, *steps.tolist()})
