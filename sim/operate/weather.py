"""The conditions of a school week: weather, illness, and what a stress pack makes go wrong.

Weather is the county's: one kind for a morning and one for an afternoon. All of it follows from the luck of the
replication, before anything is lived.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim import streams
from sim.chance import YearLuck
from sim.config import SKIES, Settings
from sim.county import County, Travel, travel
from sim.county.road import components, flow
from sim.errors import BadInput
from sim.plan import NONE, WALK, Bools, Floats, Ints, Plan

CLEAR = SKIES.index("clear")
BUSIEST, ALL, LARGEST = "busiest", "all", "largest"
SHOWN = 8
Skies = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Skyway:
    """The ways that are left in one kind of weather."""

    travel: Travel
    """Of school buses: inf where roads are closed or the school sends no bus over them."""
    component: Ints
    """(N,) part of the network of each node: from one part to another nobody gets, by whatever means."""


Skyways = Mapping[tuple[int, bool], Skyway]
"""(position in SKIES, whether a stress pack strikes) -> the ways that are left; only of weather that may come."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the days of a week are like; D days, S schools."""

    sky: Skies
    """(D, 2) weather of the morning and of the afternoon; position in SKIES."""
    struck: Bools
    """(D,) the stress pack strikes."""
    absence: Floats
    """(D, T) share of the pupils of each township who are ill."""
    driver_share: Floats
    """(D,) share of drivers who are absent."""
    attendant_share: Floats
    """(D,) share of attendants who are absent."""
    kitchen: Floats
    """(D, S) share of its meals that the kitchen can cook."""
    water: Floats
    """(D, S) share of taps, basins, toilets and showers that run."""
    stay_home: Floats
    """(D,) share of the day pupils whom the family keeps at home for the weather."""


def skyways(settings: Settings, county: County, base: Travel, cut: Bools) -> Skyways:
    """Search the ways of a study: in every kind of weather that may come, with and without the roads that are cut.

    base: the ways on dry roads, used where weather and stress change nothing; cut: (E,) of `cut_roads`.
    """
    found = {}
    for k in _possible(county, settings):
        closed = np.array([SKIES[k] == by for by in county.roads.closed_by], dtype=bool)
        usual = found[k, False] = _skyway(county, settings, base, k, closed)
        found[k, True] = _skyway(county, settings, base, k, closed | cut) if cut.any() else usual
    return found


def cut_roads(county: County, settings: Settings, plan: Plan) -> Bools:
    """Return which roads the stress pack cuts: those it names, and the busiest if it says so; (E,)."""
    wanted = settings.stress.roads
    cut = np.isin(county.roads.edge_id, wanted)
    if BUSIEST in wanted:
        cut[busiest(county, settings, plan)] = True
    return cut


def busiest(county: County, settings: Settings, plan: Plan) -> int:
    """Return the road that most pupils need in the first year, of those without which no school is cut off.

    Counted are the expected pupils of schools whose days are lived, unless they walk, on the fastest dry way. The
    gate of a school does not count: a school that nobody can reach has nothing to tell. Hamlets may be cut off.
    """
    roads, placed = county.roads, plan.years[0].places
    school, lived = placed.school.ravel(), county.schools.lived
    riding = placed.expected.sum(axis=2) * (1 - placed.share[:, :, [WALK, NONE]].sum(axis=2))
    counted = np.where((school >= 0) & lived[school], riding.ravel(), 0.0)
    home = np.repeat(county.hamlets.node, placed.school.shape[1])
    trips = np.zeros((len(roads.node_id),) * 2)
    np.add.at(trips, (home, county.schools.node[school]), counted)

    def parts(closed: Bools) -> int:
        return len(np.unique(components(roads, closed)[county.schools.node[lived]]))

    every, whole = np.arange(len(roads.km)), parts(np.zeros(len(roads.km), dtype=bool))
    order = np.argsort(-flow(roads, settings.road, trips), kind="stable")
    return int(next((e for e in order if parts(every == e) == whole), order[0]))


def _possible(county: County, settings: Settings) -> list[int]:
    """List the weather that may come in the school months of this county, or by stress; positions in SKIES."""
    table = county.weather[county.weather["month"].isin(county.calendar.month)]
    names = {"clear", settings.stress.sky, *table.loc[table["share"] > 0, "day_type"]}
    return [k for k, name in enumerate(SKIES) if name in names]


def _skyway(county: County, settings: Settings, base: Travel, k: int, closed: Bools) -> Skyway:
    sky = settings.weather.skies[SKIES[k]]
    dry = sky.speed_factor == 1 and not sky.adverse and not sky.avoid and not closed.any()
    ways = base if dry else travel(county.roads, settings.road, sky, closed)
    return Skyway(ways, components(county.roads, closed))


def long_run(county: County, month: int) -> Floats:
    """Return how often each kind of weather comes in a month in the long run; (len(SKIES),)."""
    table = county.weather[county.weather["month"] == month].set_index("day_type")["share"]
    return table.reindex(SKIES, fill_value=0.0).to_numpy(dtype=float)


def chain(share: Floats, persistence: float, uniform: Floats) -> Skies:
    """Return the weather of days in a row, a Markov chain that begins in its long-run state; (D,) skies.

    From day to day the weather stays with chance `persistence`, else it is drawn afresh: the transition matrix is
    P = persistence * I + (1 - persistence) * 1 share', whose stationary shares are `share` itself.
    uniform: (D,) one for each day.
    """
    ends, last = np.cumsum(share), np.flatnonzero(share)[-1]
    found = np.empty(len(uniform), dtype=np.int8)
    for d, u in enumerate(uniform):
        if d > 0 and u < persistence:
            found[d] = found[d - 1]
        else:
            fresh = (u - persistence) / (1 - persistence) if d > 0 else u
            found[d] = min(np.searchsorted(ends, fresh, side="right"), last)  # shares may add up to a hair under 1
    return found


def week_sky(
    county: County, settings: Settings, luck: YearLuck, week: int, days: int, month: int
) -> tuple[Skies, Bools]:
    """Return the weather of each morning and afternoon (D, 2) and the days that the stress pack strikes (D,).

    The weather of the next day may set in at noon; what only comes in the morning has cleared up by then.
    """
    weather, county_wide = settings.weather, streams.owner("county")
    drawn = [streams.uniform(luck.daily("weather", week, d + 1), county_wide) for d in range(days + 1)]
    early = [streams.uniform(luck.daily("noon", week, d + 1), county_wide) for d in range(days)]
    own = chain(long_run(county, month), weather.persistence, np.array(drawn))
    afternoon = np.where(np.array(early) < weather.noon_share, own[1:], own[:-1])
    clears_up = np.array([weather.skies[name].morning_only for name in SKIES])
    sky = np.stack([own[:-1], np.where(clears_up[afternoon], CLEAR, afternoon)], axis=1).astype(np.int8)
    struck = struck_days(settings, week, days)
    return _stressed(settings, sky, struck), struck


def struck_days(settings: Settings, week: int, days: int) -> Bools:
    """Return the days of a week that the stress pack strikes; (D,)."""
    stress = settings.stress
    if not stress.strikes or (stress.weeks and week not in stress.weeks):
        return np.zeros(days, dtype=bool)
    return np.isin(np.arange(1, days + 1), stress.days) if stress.days else np.ones(days, dtype=bool)


def _stressed(settings: Settings, sky: Skies, struck: Bools) -> Skies:
    """Put the weather of the stress pack over the days it strikes."""
    stress = settings.stress
    if stress.sky is None or not struck.any():
        return sky
    first = int(np.argmax(struck))
    morning = sky[first, 0]
    sky[struck] = SKIES.index(stress.sky)
    if stress.sky_from_noon:
        sky[first, 0] = morning
    return sky


def conditions(
    county: County, settings: Settings, luck: YearLuck, week: int, days: int, month: int, roll: Ints
) -> Conditions:
    """Return what the days of one school week are like; roll: (S,) pupils of each school, to find the largest."""
    stress, fleet = settings.stress, settings.fleet
    sky, struck = week_sky(county, settings, luck, week, days, month)
    ill = ill_share(county, settings, luck, week, month)
    hit = struck[:, None] & _hit_schools(county, settings, roll)
    stay_home = np.array([settings.weather.skies[name].stay_home_share for name in SKIES])
    return Conditions(
        sky=sky,
        struck=struck,
        absence=np.minimum(1.0, np.where(struck, stress.absence_factor, 1.0)[:, None] * ill),
        driver_share=_or_stress(fleet.driver_absent_share, stress.driver_absent_share, struck),
        attendant_share=_or_stress(fleet.attendant_absent_share, stress.attendant_absent_share, struck),
        kitchen=np.where(hit, stress.kitchen_share, 1.0),
        water=np.where(hit, stress.water_share, 1.0),
        stay_home=stay_home[sky[:, 0]],
    )


def ill_share(county: County, settings: Settings, luck: YearLuck, week: int, month: int) -> Floats:
    """Return the share of each township's pupils who are ill on a day of a usual week; (T,).

    The mean of the year, times the month's factor, times a lognormal of the county's week and one of the township's
    week, both of mean 1. It goes by the home, so that nobody falls ill because another school receives them.
    """
    health = settings.health
    z_county = streams.normal(luck.daily("illness county", week, 0), streams.owner("county"))
    z_area = streams.normals(luck.daily("illness area", week, 0), streams.owners(county.townships.id))
    county_wide = np.exp(health.county_sd * z_county - health.county_sd**2 / 2)
    of_area = np.exp(health.area_sd * z_area - health.area_sd**2 / 2)
    return np.asarray(health.absence_share * health.month_factor[month - 1] * county_wide * of_area)


def _or_stress(usual: float, stressed: float | None, struck: Bools) -> Floats:
    return np.where(struck, usual if stressed is None else stressed, usual)


def _hit_schools(county: County, settings: Settings, roll: Ints) -> Bools:
    """Return which schools' kitchen or water fails when the stress pack strikes; (S,)."""
    wanted = settings.stress.schools
    hit = np.isin(county.schools.id, wanted) | (ALL in wanted)
    if LARGEST in wanted:
        hit[np.argmax(roll)] = True
    return hit


def check_stress(county: County, settings: Settings) -> None:
    """Refuse settings that name a road, a school, a week or a day that the county does not have."""
    errors = list(_errors(county, settings))
    if errors:
        raise BadInput(*errors)


def _errors(county: County, settings: Settings) -> Iterator[str]:
    stress, weeks = settings.stress, county.calendar.week.tolist()
    lived = [name for name, there in zip(county.schools.id, county.schools.lived, strict=True) if there]
    yield from _unknown("stress.roads", stress.roads, [BUSIEST, *county.roads.edge_id], f"road of {county.name}")
    yield from _unknown("stress.schools", stress.schools, [ALL, LARGEST, *lived], f"school lived in {county.name}")
    for key, wanted in (("stress.weeks", stress.weeks), ("calendar.always", settings.calendar.always)):
        for week in sorted({*wanted} - {*weeks}):
            yield f"{key}: {week} is no school week of {county.name}; its weeks are {min(weeks)} to {max(weeks)}"
    yield from _not_lived(county, settings)
    struck = np.isin(weeks, stress.weeks) if stress.weeks else np.ones(len(weeks), dtype=bool)
    longest = county.calendar.days[struck].max(initial=0)
    for day in stress.days:
        if struck.any() and day > longest:
            yield f"stress.days: {day} is no school day of the weeks it strikes; their days are 1 to {longest}"
    for key in ("kitchen_share", "water_share"):
        if getattr(stress, key) < 1 and not stress.schools:
            yield f"stress.{key}: fails at no school; name schools in stress.schools, or all, or largest"


def _not_lived(county: County, settings: Settings) -> Iterator[str]:
    """Say which days whose events are to be kept are never lived."""
    study, calendar = settings.study, county.calendar
    days_of = dict(zip(calendar.week.tolist(), calendar.days.tolist(), strict=True))
    years = range(study.first_year, study.first_year + study.years)
    for year, week, day in study.days_kept:
        said = f"study.keep_events: {year}-{week}-{day} is"
        if year not in years:
            yield f"{said} in no year of the study; its years are {years[0]} to {years[-1]}"
        elif week not in days_of:
            yield f"{said} in no school week of {county.name}; its weeks are {min(days_of)} to {max(days_of)}"
        elif day > days_of[week]:
            yield f"{said} no school day; the days of week {week} are 1 to {days_of[week]}"


def _unknown(key: str, wanted: tuple[str, ...], known: list[str], what: str) -> Iterator[str]:
    for name in wanted:
        if name not in known:
            more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
            yield f"{key}: '{name}' is no {what}; known are {', '.join(known[:SHOWN])}{more}"
