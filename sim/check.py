"""Whether a study can be made of a county: all that can be refused before anything is planned, told at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sim.account.band import unknown_measures as unknown_bands
from sim.account.price import missing_prices
from sim.config import Settings
from sim.county import County
from sim.errors import BadInput, refusals
from sim.judge.precision import unknown_measures
from sim.operate.weather import check_stress
from sim.plan.enrol import forecast, town_of
from sim.plan.improve import rows_asked_for
from sim.plan.lodge import beds
from sim.plan.morning import apart_schools
from sim.plan.rates import township_rolls
from sim.plan.rule import check_names


def problems(settings: Settings, county: County) -> list[str]:
    """Return all that the settings ask for and the program or the county does not have; [] when a run can begin."""
    years = range(settings.study.first_year, settings.study.first_year + settings.study.years)
    return [
        *_unmet(settings, county),
        *missing_prices(settings),
        *unknown_bands(settings),
        *unknown_measures(settings),
        *refusals(
            partial(check_stress, county, settings),
            partial(township_rolls, county),
            partial(check_names, county, settings),
            partial(forecast, county, settings),
            partial(beds, county, settings, years[0]),
            partial(apart_schools, settings, county),
        ),
        *refusals(*(partial(rows_asked_for, settings, county, year) for year in years))[:1],
    ]


def refuse(settings: Settings, county: County) -> None:
    """Raise BadInput with everything that keeps a run from beginning."""
    told = problems(settings, county)
    if told:
        raise BadInput(*told)


def _unmet(settings: Settings, county: County) -> Iterator[str]:
    """Say what the settings ask of the county in vain."""
    closure, listed = settings.closure, county.tables.get("closures")
    if closure.listed and not (closure.steps or closure.named) and (listed is None or listed.empty):
        yield f"closure.listed: {county.name} has no list of its own; give closures.csv, or choose closure=none"
    if settings.enrol.town == "target" and not (town_of(county) >= 0).any():
        yield (
            f"enrol.town: target needs hamlets of kind town and others, and the hamlets.csv of {county.name} does not "
            "have both; choose enrol.town=trend"
        )
