"""How many pupils come: children grow up a grade a year, new ones enter, some families move to town.

Cohort survival by hamlet h, grade g and sex s. In year y, with b(y) the entrants' index, p(h, g) the progression,
m(y, g) the share of rural pupils who move to town on entering grade g, and L(h, s) the entry level:

    pupils(y, h, 1, s)   = L(h, s) b(y)
    pupils(y, h, g+1, s) = pupils(y-1, h, g, s) p(h, g)
    still there          = pupils (1 - m of the year and grade) of every year since the roll, or before they entered

Every rural hamlet has one town hamlet to which its families move, so nobody is lost on the way; who moves keeps the
number that owns the pupil's luck, and goes on at the rates of the old home. Rates are those
stated in the settings, or estimated from history.csv (`sim.plan.rates`); luck is that of `sim.plan.shock`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sim import streams
from sim.chance import EnrolLuck
from sim.config import Settings
from sim.county import County
from sim.county.facts import TOWN_KINDS
from sim.errors import BadInput
from sim.plan import Floats, Forecast, Ints
from sim.plan.cohort import Cohorts, count_pupils, expect, settle, vary, where_they_live
from sim.plan.estimate import entrants_of
from sim.plan.lodge import added
from sim.plan.rates import Given, entry_level, given, share_of
from sim.plan.shock import entry_factor, log_covariance, passing_variance_per_pupil, progress_factor

GRADES = 9
P80_Z = 0.8416212335729143
"""80 % of a normal distribution lie below its mean plus so many standard deviations."""
_LEVELS = (slice(0, 6), slice(6, 9))
"""Primary and junior grades."""


def forecast(county: County, settings: Settings) -> Forecast:
    """Say how many pupils to expect in each hamlet, grade and year, and how many in a year of many pupils.

    `mean` and `p80` have shape (Y, H, 9, 2); in the year of pupils.csv its roll is known and certain.
    `p80` is made for the roll of a hamlet (what its bus carries), not for each cell: 80 years in 100 bring no
    more pupils to the hamlet than its 18 cells together. See `_variance` for the formula.
    Raises BadInput when births.csv lacks a year that is needed.
    """
    years, found, cohorts = outlook(county, settings)
    mean = expect(cohorts)
    cells, roll = _variance(county, found, cohorts, mean)
    share = np.divide(cells, cells.sum(axis=(2, 3), keepdims=True), out=np.zeros_like(cells), where=cells > 0)
    p80 = mean + P80_Z * np.sqrt(roll)[:, :, None, None] * share
    asked = years >= settings.study.first_year
    return Forecast(years[asked], mean[asked], p80[asked])


def draw(county: County, settings: Settings, luck: EnrolLuck) -> Ints:
    """Say how many pupils really come in one replication; shape (Y, H, 9, 2). `luck` is for `rolled_years`.

    The mean over replications is the forecast's mean. Survivors are binomial (Poisson additions where the
    drawn progression is over 1, and for those who come while others leave), entrants Poisson, each the inverse
    distribution function at the cell's own uniform; each pupil moves or not by a lasting uniform: with the same luck,
    more births or a higher progression never mean fewer pupils in any cell.
    """
    return where_they_live(draw_by_home(county, settings, luck), town_of(county))


def draw_by_home(county: County, settings: Settings, luck: EnrolLuck) -> Ints:
    """Draw the same by the hamlet that pupils come from: those who live there, those who moved to its town hamlet.

    Shape (Y, 2, H, 9, 2).
    """
    years, found, cohorts = outlook(county, settings)
    return draw_from(county, found, cohorts, luck, years)[years >= settings.study.first_year]


def outlook(county: County, settings: Settings) -> tuple[Ints, Given, Cohorts]:
    """Return the years from that of pupils.csv on, the rates used, and what the county's cohorts grow from."""
    years, found = rolled_years(county, settings), given(county, settings)
    return years, found, _cohorts(county, settings, found, years, town_rates(county, settings, found))


def draw_from(county: County, found: Given, cohorts: Cohorts, luck: EnrolLuck, years: Ints) -> Ints:
    """Draw as `draw_by_home` does, from an `outlook` made before, all its years; (Y, 2, H, 9, 2)."""
    entry = entry_factor(found.spread, luck, found.entrants)
    progress = progress_factor(found.spread, luck, GRADES)
    township = county.hamlets.township
    shaken = replace(
        cohorts,
        inflow=cohorts.inflow * entry[:, township, None, None],
        progress=cohorts.progress * progress[:, township],
    )
    listed = count_pupils(shaken, found.spread.churn_share, luck.cell_u)
    return settle(listed, cohorts.stays, streams.owners(county.hamlets.id), years, luck.moves)


def rolled_years(county: County, settings: Settings) -> Ints:
    """Return the school years from that of pupils.csv, the last of history.csv, to the last of the study.

    Raises BadInput when the study begins before the rolls do.
    """
    first, history = settings.study.first_year, county.history["year"]
    base = int(history.max()) if len(history) else first
    if first < base:
        raise BadInput(f"study.first_year: {first} is before the year of pupils.csv, {base} (the last of history.csv)")
    return np.arange(base, first + settings.study.years, dtype=np.int64)


def births_index(county: County, settings: Settings, years: Ints, variant: str) -> Floats:
    """Say how many children enter grade 1 for each who entered in the first of the years; shape (Y,).

    Entrants of year t come from the births of t-7 and t-6 (facts: school entry at six on 31 August).
    """
    series = dict(zip(county.births.years.tolist(), county.births.by_variant[variant].tolist(), strict=True))
    where = f"births.csv, variant '{variant}'"
    pool = entrants_of(series, settings.enrol, years, where)
    if pool[0] <= 0:
        age = settings.enrol.entry_age_years
        raise BadInput(f"{where}: no births at all in {int(years[0]) - age - 1} and {int(years[0]) - age}")
    return np.asarray(pool / pool[0])


def town_of(county: County) -> Ints:
    """Say to which town hamlet the families of each hamlet move; (H,), -1 in town or without one.

    Rural hamlets stand in the county's order, town hamlets by size: each town hamlet gets its share.
    """
    is_town = county.hamlets.is_town
    pupils = county.pupils.sum(axis=(1, 2)).astype(float)
    goal = np.full(len(is_town), -1, dtype=np.int64)
    town, rural = np.flatnonzero(is_town), np.flatnonzero(~is_town)
    if len(town) and len(rural):
        size = pupils[town] if pupils[town].sum() else np.ones(len(town))
        people = np.maximum(pupils[rural], 1e-9)
        middle = (np.cumsum(people) - people / 2) / people.sum()
        edge = np.cumsum(size) / size.sum()
        goal[rural] = town[np.minimum(np.searchsorted(edge, middle), len(town) - 1)]
    return goal


def town_rates(county: County, settings: Settings, found: Given | None = None) -> Floats:
    """Say which share of the pupils outside town moves there each year, by the grade they enter; (Y, 9).

    `trend`: the stated rates, or those estimated. `target`: one rate for all grades that brings the town's share to
    the target in the target year, and none after it. As it acts on every rural cell alike, the rural rest after k years
    is (1 - m)^k of what it would be, so m = 1 - (rest wanted / rest without moving)^(1/k). It is found on medium
    births, so that all birth variants meet the same families. It is 0 where the town has its share already, and no
    more families move in a year than its schools have open places (`_town_places`); the years that are left make
    up for it as far as they can.
    """
    enrol, years = settings.enrol, rolled_years(county, settings)
    found = found or given(county, settings)
    rates = np.zeros((len(years), GRADES))
    if not (town_of(county) >= 0).any():
        return rates
    if enrol.town == "trend":
        rates[1:] = found.town_rate
        return rates
    steps = enrol.town_target_year - int(years[0])
    if steps < 1:
        raise BadInput(
            f"enrol.town_target_year: {enrol.town_target_year} is not after the year of pupils.csv, {years[0]}"
        )
    ahead = np.arange(years[0], years[0] + steps + 1)
    in_town, moving = county.hamlets.is_town, np.zeros((steps + 1, GRADES))
    for year in range(1, steps + 1):
        still = expect(_cohorts(county, settings, found, ahead, moving.copy(), "medium"))
        rest = 1 - still[-1, in_town].sum() / max(still[-1].sum(), 1e-300)
        wanted = 1 - enrol.town_target_share
        if rest > wanted:
            rate = 1 - (wanted / rest) ** (1 / (steps - year + 1))
            moving[year] = np.minimum(rate, _open_share(county, settings, int(ahead[year]), still[year]))
    both = min(len(rates), len(moving))
    rates[:both] = moving[:both]
    return rates


def _open_share(county: County, settings: Settings, year: int, still: Floats) -> Floats:
    """Return the share of rural pupils for whom town schools have open places in a year, by grade; (9,).

    still: (H, 9, 2) pupils of the year if nobody moved in it.
    """
    in_town, share = county.hamlets.is_town, np.ones(GRADES)
    for level, places in zip(_LEVELS, _town_places(county, settings, year), strict=True):
        taken, rural = still[in_town, level].sum(), still[~in_town, level].sum()
        share[level] = np.clip((places - taken) / max(rural, 1e-300), 0.0, 1.0)
    return share


def _town_places(county: County, settings: Settings, year: int) -> tuple[float, float]:
    """Return the places of the town's primary and junior schools in a year.

    Class places of their rooms and of projects, once a school is open; where no table tells rooms, schools are full
    today: as many places as town pupils on the roll, and those that projects add. Without any town school there is no
    limit.
    """
    kind, schools = np.array(county.schools.kind), county.schools
    sizes = (settings.dine.class_size, settings.dine.class_size_junior)
    found = []
    for level, name, size in zip(_LEVELS, TOWN_KINDS, sizes, strict=True):
        here = (kind == name) & (schools.opens_year <= year)
        rooms = (schools.classrooms + added(county, "classrooms", year))[here].sum() * size
        today = max(float(rooms), float(county.pupils[county.hamlets.is_town, level].sum()))
        found.append(today + float(added(county, "places", year)[here].sum()) if (kind == name).any() else np.inf)
    return found[0], found[1]


def _cohorts(
    county: County, settings: Settings, found: Given, years: Ints, rates: Floats, variant: str | None = None
) -> Cohorts:
    """Return what the county's cohorts grow from; families that moved before send their entrants to the town."""
    goal = town_of(county)
    index = births_index(county, settings, years, variant or settings.enrol.births)
    inflow = np.zeros((len(years), *county.pupils.shape))
    inflow[:, :, 0] = index[:, None, None] * found.entry
    progress = np.repeat(found.progression[county.hamlets.township][None], len(years), axis=0)
    stays = 1 - rates
    stays[:, 0] = np.cumprod(stays[:, 0])
    for year in range(1, len(years)):
        stays[year, 1:] *= stays[year - 1, :-1]
    at_home = np.where((goal >= 0)[:, None], stays[:, None, :], 1.0)
    return Cohorts(county.pupils.astype(float), inflow, progress, at_home, goal)


def _variance(county: County, found: Given, cohorts: Cohorts, mean: Floats) -> tuple[Floats, Floats]:
    """Return how uncertain the forecast is: variance of each cell (Y, H, 9, 2), of each roll (Y, H).

    With M(g) the pupils of a grade and C the covariance of the logarithms of their factors (`log_covariance`):

        cell:  own + M^2 (exp C(g, g) - 1)
        roll:  sum of own + sum over g, g' of M(g) M(g') (exp C(g, g') - 1)

    own is the binomial and Poisson part (`vary`). The factors of a grade are the same for both sexes.
    """
    own = vary(cohorts, passing_variance_per_pupil(found.spread, cohorts.progress))
    cells, roll = np.array(own), own.sum(axis=(2, 3))
    for y in range(1, len(mean)):
        common = np.expm1(log_covariance(found.spread, y, GRADES, found.entrants))[county.hamlets.township]
        grade = mean[y].sum(axis=2)
        cells[y] += mean[y] ** 2 * np.diagonal(common, axis1=1, axis2=2)[:, :, None]
        roll[y] += np.einsum("hg,hgk,hk->h", grade, common, grade)
    return cells, roll


__all__ = [
    "births_index", "draw", "draw_by_home", "entry_level", "forecast", "rolled_years", "share_of", "town_of",
    "town_rates",
]  # fmt: skip
