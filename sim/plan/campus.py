"""Idle campuses: what becomes of closed schools, in the plan's order of uses, and how many m2 are idle, let or sold.

In the year in which schools close, each use in turn is given to the campuses that have room for it and to which
enough people would come, the one with most people first. Who is served by a campus is not counted again for another
one with the same use: a campus of A m2 takes the share A / (m2 each needs) of those who would come, at most all, and
every hamlet within reach counts that share less. What no use takes is let, sold or idle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sim.config import Campus, Settings, Use
from sim.county import County, travel
from sim.plan import Bools, Floats, Ints, Plan
from sim.plan.estimate import entrants_of

COLUMNS = ("scenario", "year", "school_id", "year_closed", "area_m2", "owner", "use", "status", "reason", "source")
ASSUMED = "assumed"
COMPANY, VILLAGE, BUYER = "county_company", "village", "buyer"
IDLE = ("kept", "handed_over")
_YOUNG = 3
"""Grades 1 to 3 are the entrants of three years, as are the children of 3 to 5 years, and those under 3."""


@dataclass(frozen=True, slots=True)
class _Grounds:
    """What is known of every school's campus; (S,) each, but for `near`."""

    area_m2: Floats
    owner: tuple[str, ...]
    source: tuple[str, ...]
    township: Ints
    near: Bools
    """(S, H) hamlets within reach."""


@dataclass(frozen=True, slots=True)
class _Fate:
    """What is decided about a campus in the year its school closes."""

    year: int
    use: Use | None
    takes: Floats
    """(H,) share of each hamlet's people whom it serves."""
    why_idle: str


def campuses(settings: Settings, county: County, plan: Plan) -> pd.DataFrame:
    """Return the register of closed schools' campuses: one row for each year and closed school, with its use.

    A use is chosen once, in the year of closing; a school that opens again leaves the register, and whom its campus
    served is counted again for others that close later.
    """
    grounds, rows = _grounds(county, settings), []
    fates: dict[int, _Fate] = {}
    for k, year in enumerate(plan.closures.years.tolist()):
        closed = np.flatnonzero(~plan.closures.open[k] & (county.schools.opens_year <= year)).tolist()
        fates = {s: fate for s, fate in fates.items() if s in closed}
        new = [s for s in closed if s not in fates]
        fates |= _decide(settings.campus, grounds, _people(county, settings, plan, k), fates, (year, new))
        ids = county.schools.id
        rows += [(settings.scenario, year, ids[s], *_row(settings.campus, grounds, fates[s], s, year)) for s in closed]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def space(register: pd.DataFrame) -> pd.DataFrame:
    """Return the m2 that the county pays or is paid for: year, site_id, item, quantity.

    Idle ones (`campus_idle_m2`) but for those of villages; let ones in every year; sold ones in the year of the sale.
    Whoever uses a campus keeps it up.
    """
    status = register["status"]
    sold = register[status == "sold"].drop_duplicates("school_id")
    parts = {
        "campus_idle_m2": register[status.isin(IDLE) & (register["owner"] != VILLAGE)],
        "campus_let_m2": register[status == "let"],
        "campus_sold_m2": sold,
    }
    rows = pd.concat([part.assign(item=item) for item, part in parts.items()], ignore_index=True)
    return rows.rename(columns={"school_id": "site_id", "area_m2": "quantity"})[["year", "site_id", "item", "quantity"]]


def _grounds(county: County, settings: Settings) -> _Grounds:
    """Return area, owner and surroundings of every school; the area of one that no table tells is assumed.

    It has the classrooms it is known to have, or one for each grade, with so many places of so many m2.
    """
    schools, campus = county.schools, settings.campus
    given = county.tables["campuses"].set_index("school_id").reindex(list(schools.id))
    rooms = np.where(schools.classrooms > 0, schools.classrooms, schools.last_grade - schools.first_grade + 1)
    assumed = np.round(rooms * campus.places_per_class * campus.m2_per_place)
    km = travel(county.roads, settings.road).km[np.ix_(schools.node, county.hamlets.node)]
    return _Grounds(
        np.where(given["area_m2"].notna(), given["area_m2"].astype(float), assumed),
        tuple(given["owner"].fillna("county")),
        tuple(given["source"].fillna(ASSUMED)),
        schools.township,
        km <= campus.reach_km,
    )


def _people(county: County, settings: Settings, plan: Plan, k: int) -> dict[str, Floats]:
    """Return who lives in each hamlet in a year, by what uses count; (H,) each.

    Children of 3 to 5 years are the pupils of grades 1 to 3 times the births of those who will enter in the years in
    which these children do, over the births of those who entered as these pupils did; likewise those under 3.
    """
    pupils, year = plan.forecast.mean[k].sum(axis=2), int(plan.forecast.years[k])
    young, everyone = pupils[:, :_YOUNG].sum(axis=1), pupils.sum(axis=1)
    nobody, age = np.zeros(len(young)), settings.enrol.entry_age_years
    entered = _born(county, settings, year - _YOUNG + 1)
    per_birth = young / entered if entered else nobody
    return {
        "aged_3_to_5": per_birth * _born(county, settings, year + age - 5),
        "under_3": per_birth * _born(county, settings, year + age - 2),
        "left_behind": everyone * county.hamlets.left_behind_share,
        "pupils": everyone,
        "nobody": nobody,
    }


def _born(county: County, settings: Settings, first: int) -> float:
    """Return the births of the children who enter in three years; years without births are like the nearest with."""
    entering = np.arange(first, first + _YOUNG)
    years = np.arange(first - settings.enrol.entry_age_years - 1, first + _YOUNG)
    births = np.interp(years, county.births.years, county.births.by_variant[settings.enrol.births])
    return float(entrants_of(dict(zip(years.tolist(), births, strict=True)), settings.enrol, entering, "births").sum())


def _decide(
    campus: Campus, grounds: _Grounds, people: dict[str, Floats], held: dict[int, _Fate], closing: tuple[int, list[int]]
) -> dict[int, _Fate]:
    """Return what becomes of the campuses of schools that close in a year, beside those decided before.

    closing: the year and the schools.
    """
    year, free = closing
    fates: dict[int, _Fate] = {}
    for use in campus.uses:
        while True:
            come, full = _offer(use, grounds, people, held | fates)
            fit = [s for s in free if s not in fates and _would_do(use, grounds, come, s) and not full[s]]
            if not fit:
                break
            best = max(fit, key=lambda s: (come[s], grounds.area_m2[s]))
            room = grounds.area_m2[best] / use.m2_each if use.m2_each else np.inf
            takes = min(1.0, room / come[best]) if come[best] else 0.0
            fates[best] = _Fate(year, use, takes * grounds.near[best], "")
    nobody = np.zeros(grounds.near.shape[1])
    offers = [(use, *_offer(use, grounds, people, held | fates)) for use in campus.uses]
    return fates | {s: _Fate(year, None, nobody, _why_idle(grounds, offers, s)) for s in free if s not in fates}


def _offer(use: Use, grounds: _Grounds, people: dict[str, Floats], held: dict[int, _Fate]) -> tuple[Floats, Bools]:
    """Return how many would come to each campus for a use and whether its township has enough of it; (S,) each."""
    there = [s for s, fate in held.items() if fate.use is not None and fate.use.use == use.use]
    left = people[use.counts] * np.prod([1 - held[s].takes for s in there], axis=0)
    many = np.bincount(grounds.township[there], minlength=grounds.township.max() + 1)
    return use.comes_share * (grounds.near @ left), many[grounds.township] >= use.per_township


def _would_do(use: Use, grounds: _Grounds, come: Floats, s: int) -> bool:
    return bool(grounds.area_m2[s] >= use.least_m2 and come[s] >= use.least_people)


def _why_idle(grounds: _Grounds, offers: list[tuple[Use, Floats, Bools]], s: int) -> str:
    """Say why no use takes a campus."""
    if all(grounds.area_m2[s] < use.least_m2 for use, _, _ in offers):
        return "too_small"
    return (
        "enough_in_township" if any(_would_do(use, grounds, come, s) for use, come, _ in offers) else "too_few_people"
    )


def _row(campus: Campus, grounds: _Grounds, fate: _Fate, s: int, year: int) -> tuple[object, ...]:
    """Return what the register says of a campus in a year, from `year_closed` on."""
    years, village = year - fate.year, grounds.owner[s] == VILLAGE
    owner = campus.owner_after if grounds.owner[s] == "county" else grounds.owner[s]
    lets = fate.use is None and not village and campus.let_from_m2 is not None
    lets = lets and grounds.area_m2[s] >= campus.let_from_m2
    status, reason = "handed_over" if owner == COMPANY else "kept", fate.why_idle
    if (fate.use or lets) and years < campus.begins_after_years:
        reason = "being_prepared"
    elif fate.use:
        status, reason = "used", "first_that_fits"
    elif lets:
        status, reason = "let", "large_enough_to_let"
    elif not village and campus.sell_after_years is not None and years >= campus.sell_after_years:
        status, reason, owner = "sold", "long_idle", BUYER
    use = fate.use.use if fate.use else None
    return fate.year, float(grounds.area_m2[s]), owner, use, status, reason, grounds.source[s]
