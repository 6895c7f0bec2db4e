"""How many pupils come: children grow up a grade a year, new ones enter, some families move to town.

Cohort survival by hamlet h, grade g and sex s. In year y, with b(y) the entrants' index, p the progression,
m(y, g) the share of rural pupils who move to town on entering grade g, and L(h, s) the entry level:

    pupils(y, h, 1, s)   = L(h, s) b(y), of which rural hamlets lose the share 1 - prod(1 - m(., 1)) to town
    pupils(y, h, g+1, s) = pupils(y-1, h, g, s) p(g) (1 - m(y, g+1)) + those who moved here

Every rural hamlet has one town hamlet to which its families move, so nobody is lost on the way.
"""

from __future__ import annotations

import numpy as np

from sim.chance import EnrolLuck
from sim.config import Settings
from sim.county import County
from sim.errors import BadInput
from sim.plan import Floats, Forecast, Ints
from sim.plan.cohort import count_pupils

GRADES = 9
P80_Z = 0.8416212335729143
"""80 % of a normal distribution lie below its mean plus so many standard deviations."""
_YOUNG = slice(0, 3)
"""Grades whose rolls say how many children a hamlet sends to grade 1."""
_PRIMARY = slice(0, 6)


def forecast(county: County, settings: Settings) -> Forecast:
    """Say how many pupils to expect in each hamlet, grade and year, and how many in a year of many pupils.

    `mean` and `p80` have shape (Y, H, 9, 2); in the year of pupils.csv its roll is known and certain.
    `p80` is made for the roll of a hamlet (what its bus carries), not for each cell: 80 years in 100 bring no
    more pupils to the hamlet than its 18 cells together. See `_variance` for the formula.
    Raises BadInput when births.csv lacks a year that is needed.
    """
    years = rolled_years(county, settings)
    rates = town_rates(county, settings)
    mean = _expected(county, settings, years, rates)
    cells, roll = _variance(county, settings, mean, rates)
    share = np.divide(cells, cells.sum(axis=(2, 3), keepdims=True), out=np.zeros_like(cells), where=cells > 0)
    p80 = mean + P80_Z * np.sqrt(roll)[:, :, None, None] * share
    asked = years >= settings.study.first_year
    return Forecast(years[asked], mean[asked], p80[asked])


def draw(county: County, settings: Settings, luck: EnrolLuck, most: Ints | None = None) -> Ints:
    """Say how many pupils really come in one replication; shape (Y, H, 9, 2). `luck` is for `rolled_years`.

    The mean over replications is the forecast's mean. Survivors are binomial (Poisson additions where the
    drawn progression is over 1), movers binomial, entrants Poisson, each the inverse distribution function at
    the cell's own uniform: with the same luck, more births or a higher progression never mean fewer pupils in
    any cell. `most` (H,) is a ceiling for each cell of a hamlet; pupils beyond it do not come (without it
    there is none).
    """
    years = rolled_years(county, settings)
    enrol = settings.enrol
    rates = town_rates(county, settings)
    entry = _lognormal(luck.county_entry_z, luck.area_entry_z, enrol.entry_sd_county, enrol.entry_sd_area)
    progress = _lognormal(
        luck.county_progress_z, luck.area_progress_z, enrol.progress_sd_county, enrol.progress_sd_area
    )
    township = county.hamlets.township
    ceiling = np.full(len(township), np.iinfo(np.int64).max) if most is None else most
    coming = count_pupils(
        np.asarray(county.pupils, dtype=np.int64),
        _entrants(county, settings, years, rates) * entry[:, township, None],
        progress[:, township, None] * np.array(enrol.progression_per_year),
        rates,
        town_of(county),
        np.asarray(ceiling, dtype=np.int64),
        luck.cell_u,
    )
    return np.asarray(coming[years >= settings.study.first_year])


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
    lags = dict(zip((7, 6), settings.enrol.entrants_lag_weights, strict=True))
    base = int(years[0])
    needed = sorted({int(year) - lag for year in (base, *years) for lag in lags})
    missing = [year for year in needed if year not in series]
    if missing:
        raise BadInput(
            f"births.csv, variant '{variant}': no births of {', '.join(map(str, missing))}; the first "
            f"graders of {base} to {int(max(years))} need the births of {needed[0]} to {needed[-1]}"
        )
    pool = np.array([sum(w * series[int(y) - lag] for lag, w in lags.items()) for y in (base, *years)])
    if pool[0] <= 0:
        raise BadInput(f"births.csv, variant '{variant}': no births at all in {base - 7} and {base - 6}")
    return np.asarray(pool[1:] / pool[0])


def entry_level(county: County, settings: Settings) -> Floats:
    """Say how many children each hamlet sends to grade 1 in a year like the first; (H, 2), girls and boys.

    The county's first graders are shared over the townships by their pupils of grades 1-3, and within a
    township by the hamlets' shares: w (share of grades 1-3) + (1 - w) (share of grades 1-6), with
    w = n / (n + area_shrinkage_pupils) and n the hamlet's pupils of grades 1-3, then brought back to the
    township's total. Girls and boys come as in the whole county.
    """
    township = county.hamlets.township
    pupils = county.pupils.astype(float)
    young = pupils[:, _YOUNG].sum(axis=(1, 2))
    weight = young / np.maximum(young + settings.enrol.area_shrinkage_pupils, 1e-300)
    stock = pupils[:, _PRIMARY].sum(axis=(1, 2))
    mixed = weight * _share_of(young, township) + (1 - weight) * _share_of(stock, township)
    of_township = np.bincount(township, young)[township] / max(young.sum(), 1.0)
    entrants = pupils[:, 0].sum() * of_township * _share_of(mixed, township)
    sexes = pupils.sum(axis=(0, 1))
    return np.asarray(entrants[:, None] * sexes / max(sexes.sum(), 1.0))


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


def town_rates(county: County, settings: Settings) -> Floats:
    """Say which share of the pupils outside town moves there each year, by the grade they enter; (Y, 9).

    `trend`: the stated rates. `target`: one rate for all grades that brings the town's share to the target in
    the target year, and none after it. As it acts on every rural cell alike, the rural rest after k years is
    (1 - m)^k of what it would be, so m = 1 - (rest wanted / rest without moving)^(1/k). It is found on medium
    births, so that all birth variants meet the same families. It is 0 where the town has its share already.
    """
    enrol, years = settings.enrol, rolled_years(county, settings)
    rates = np.zeros((len(years), GRADES))
    if not (town_of(county) >= 0).any():
        return rates
    if enrol.town == "trend":
        rates[1:, :6] = enrol.town_rate_primary_per_year
        rates[1:, 6:] = enrol.town_rate_junior_per_year
        return rates
    steps = enrol.town_target_year - int(years[0])
    if steps < 1:
        raise BadInput(
            f"enrol.town_target_year: {enrol.town_target_year} is not after the year of pupils.csv, {years[0]}"
        )
    ahead = years[0] + np.arange(steps + 1)
    still = _expected(county, settings, ahead, np.zeros((steps + 1, GRADES)), "medium")[-1]
    rest = 1 - still[county.hamlets.is_town].sum() / max(still.sum(), 1e-300)
    wanted = 1 - enrol.town_target_share
    if rest > wanted:
        rates[1 : steps + 1] = 1 - (wanted / rest) ** (1 / steps)
    return rates


def _expected(county: County, settings: Settings, years: Ints, rates: Floats, variant: str | None = None) -> Floats:
    """Roll the base year forward without luck; shape (Y, H, 9, 2)."""
    goal = town_of(county)
    moves = goal >= 0
    progression = np.array(settings.enrol.progression_per_year)[:, None]
    mean = np.zeros((len(years), *county.pupils.shape))
    mean[0] = county.pupils
    mean[:, :, 0] = np.where(
        (np.arange(len(years)) == 0)[:, None, None],
        county.pupils[:, 0],
        _entrants(county, settings, years, rates, variant),
    )
    for year in range(1, len(years)):
        up = mean[year - 1, :, :-1] * progression
        gone = np.where(moves[:, None, None], up * rates[year, 1:, None], 0.0)
        mean[year, :, 1:] = up - gone
        np.add.at(mean[year, :, 1:], goal[moves], gone[moves])
    return mean


def _entrants(county: County, settings: Settings, years: Ints, rates: Floats, variant: str | None = None) -> Floats:
    """Return the expected first graders of each year; shape (Y, H, 2). Families that moved enter in town."""
    goal = town_of(county)
    moves = goal >= 0
    index = births_index(county, settings, years, variant or settings.enrol.births)
    stays = np.cumprod(1 - rates[:, 0])
    at_home = np.where(moves, stays[:, None], 1.0)[:, :, None]
    born = index[:, None, None] * entry_level(county, settings)
    here = born * at_home
    np.add.at(here.swapaxes(0, 1), goal[moves], (born - here)[:, moves].swapaxes(0, 1))
    return here


def _variance(county: County, settings: Settings, mean: Floats, rates: Floats) -> tuple[Floats, Floats]:
    """Return how uncertain the forecast is: variance of each cell (Y, H, 9, 2), of each roll (Y, H).

    With M(g) the pupils of a grade, E = exp(entry sd county^2 + area^2) - 1 and P the same of progression:

        cell:  own + M^2 ((1 + E)^[g <= y] (1 + P)^k - 1),  k = min(y, g - 1) transitions since the base year
        roll:  sum of own + E sum over g <= y of M(g)^2 + P sum over years j <= y of (those who passed in j)^2

    own is the binomial and Poisson part: M for cohorts that entered later than the base year (a thinned
    Poisson number is Poisson), and for a cohort of n pupils at school in the base year, of whom a share r is
    expected to be there still, n r |1 - r|, widened to n r sqrt((1 - r)^2 + k p^2) as the progression itself
    varies by p^2; plus the movers who arrived. A grade's entry shock is the same for both sexes.
    """
    enrol = settings.enrol
    entry = np.expm1(enrol.entry_sd_county**2 + enrol.entry_sd_area**2)
    passing = enrol.progress_sd_county**2 + enrol.progress_sd_area**2
    progress = np.expm1(passing)
    cells = np.zeros_like(mean)
    roll = np.zeros(mean.shape[:2])
    for y in range(1, len(mean)):
        grade = mean[y].sum(axis=2)
        own = _own_variance(county, settings, mean[y], rates[: y + 1], passing)
        entered = np.arange(GRADES) < y
        passes = np.minimum(y, np.arange(GRADES))
        common = (1 + entry) ** entered * (1 + progress) ** passes - 1
        cells[y] = own + mean[y] ** 2 * common[:, None]
        passed = grade[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1 : y + 1]
        roll[y] = own.sum(axis=(1, 2)) + entry * (grade[:, entered] ** 2).sum(axis=1)
        roll[y] += progress * (passed**2).sum(axis=1)
    return cells, roll


def _own_variance(county: County, settings: Settings, mean: Floats, rates: Floats, passing: float) -> Floats:
    """Return the binomial and Poisson part of the variance in year y = len(rates) - 1; shape (H, 9, 2)."""
    y = len(rates) - 1
    moves = town_of(county) >= 0
    own = mean.copy()
    for g in range(y, GRADES):
        on = np.prod(settings.enrol.progression_per_year[g - y : g])
        stay = np.prod(1 - rates[np.arange(1, y + 1), np.arange(g - y + 1, g + 1)])
        kept = (on * np.where(moves, stay, 1.0))[:, None]
        there = county.pupils[:, g - y] * kept
        wide = np.sqrt((1 - kept) ** 2 + y * passing)
        own[:, g] = there * wide + np.maximum(mean[:, g] - there, 0.0)
    return own


def _share_of(pupils: Floats, township: Ints) -> Floats:
    """Return each hamlet's share of its township; equal shares where the township has no pupils."""
    size = int(township.max(initial=-1)) + 1
    hamlets = np.bincount(township, minlength=size)[township]
    total = np.bincount(township, pupils, minlength=size)[township]
    return np.where(total > 0, pupils / np.maximum(total, 1e-300), 1.0 / hamlets)


def _lognormal(county_z: Floats, area_z: Floats, county_sd: float, area_sd: float) -> Floats:
    """Turn standard normals into factors with mean 1 for each year and township; shape (Y, T)."""
    z = county_sd * county_z[:, None] + area_sd * area_z
    return np.asarray(np.exp(z - (county_sd**2 + area_sd**2) / 2))
