"""How each group of pupils gets to school, beside how it would if no school had closed: what family cost rests on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County, Travel
from sim.plan import MODES, Floats, Forecast, Places, Plan
from sim.plan.close import close_and_place
from sim.tables.family import GROUP_KEY, LEVELS

GRADES_OF_A_LEVEL = 3
KEY = list(GROUP_KEY)


def if_nothing_closed(settings: Settings, county: County, forecast: Forecast, ways: Travel) -> list[Places]:
    """Return where the pupils of every year would go to school, by the same rules, if no school had closed."""
    return list(close_and_place(county, nothing_closes(settings), ways, forecast)[1])


def family_pupils(settings: Settings, county: County, plan: Plan, before: Sequence[Places]) -> pd.DataFrame:
    """Count the pupils expected in every year by group, way to school before and way to school after.

    Before: the same pupils of the same year, placed as in `before`, with no school closed; no bus is routed for them.
    After: as planned. The pupils are the mean forecast, whatever `plan.basis` says, and add up to it. Hardship,
    parents who work elsewhere and the way to school do not depend on each other within a hamlet (assumption: its table
    tells shares, not who).
    Returns the columns of family_pupils.csv.
    """
    expected = plan.forecast.mean.sum(axis=3)
    years = [
        _groups(county, was, year.places, pupils).assign(year=year.year)
        for was, year, pupils in zip(before, plan.years, expected, strict=True)
    ]
    days = county.calendar.days
    return pd.concat(years, ignore_index=True).assign(
        scenario=settings.scenario, school_days=int(days.sum()), nights=int(np.maximum(days - 1, 0).sum())
    )


def nothing_closes(settings: Settings) -> Settings:
    """Return the same settings with neither rule nor list that closes a school."""
    closure = settings.closure.model_copy(update={"steps": (), "named": (), "listed": False})
    return settings.model_copy(update={"closure": closure})


def both(before: Floats, after: Floats) -> Floats:
    """Return the share of pupils with each pair of a way before and a way after; (..., M, M) from (..., M) each.

    As many as possible keep their way. The others leave and take ways in proportion to what these lose and win.
    """
    keep = np.minimum(before, after)
    lost, won = before - keep, after - keep
    change = lost.sum(axis=-1)[..., None, None]
    changed = lost[..., :, None] * won[..., None, :] / np.where(change > 0, change, 1.0)
    return np.asarray(keep[..., :, None] * np.eye(keep.shape[-1]) + changed)


def _groups(county: County, was: Places, now: Places, expected: Floats) -> pd.DataFrame:
    """Count the pupils of a year by group, and their mean km; expected (H, 9)."""
    pupils = both(was.share, now.share) * expected[:, :, None, None]
    h, g, old, new = np.nonzero(pupils)
    table = pd.DataFrame(
        {
            "level": np.array(LEVELS)[g // GRADES_OF_A_LEVEL],
            "hardship": county.hamlets.hardship_share[h],
            "left_behind": county.hamlets.left_behind_share[h],
            "moved": np.where(was.school[h, g] != now.school[h, g], "yes", "no"),
            "mode_before": np.array(MODES)[old],
            "mode_after": np.array(MODES)[new],
            "pupils": pupils[h, g, old, new],
            "km_before": was.km[h, g],
            "km_after": now.km[h, g],
        }
    )
    table = _split(_split(table, "hardship"), "left_behind")
    km = ["km_before", "km_after"]
    table[km] = table[km].mul(table["pupils"], axis=0)
    whole = table[table["pupils"] > 0].groupby(KEY, as_index=False)[["pupils", *km]].sum(min_count=1)
    whole[km] = whole[km].div(whole["pupils"], axis=0)
    return whole


def _split(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Part each row in two: the share of its pupils that the column tells belongs to the group, the others do not."""
    parts = (("yes", table[name]), ("no", 1.0 - table[name]))
    return pd.concat([table.assign(**{name: told, "pupils": table["pupils"] * share}) for told, share in parts])
