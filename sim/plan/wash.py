"""Water and toilets: how many taps, basins, toilets and showers each school has in a year."""

from __future__ import annotations

import numpy as np

from sim.config import Settings
from sim.county import County
from sim.plan import Fixtures, Ints
from sim.plan.dine import scaled
from sim.plan.lodge import added, beds


def fixtures(county: County, settings: Settings, year: int) -> Fixtures:
    """Return taps, basins, toilets and showers of each school in a year: the county's table, projects, the scales.

    Shapes (S,) and, by sex, (S, 2): girls, boys. Boys have urinals beside each squat; each counts as a toilet.
    """
    wash, schools = settings.wash, county.schools
    toilets = np.stack([schools.toilets_girls, schools.toilets_boys], axis=1)
    toilets += np.stack([added(county, "toilets_girls", year), added(county, "toilets_boys", year)], axis=1)
    showers = scaled(schools.showers + added(county, "showers", year), wash.showers_scale)
    return Fixtures(
        taps=scaled(schools.taps + added(county, "taps", year), wash.taps_scale),
        basins=scaled(schools.basins + added(county, "basins", year), wash.basins_scale),
        toilets=np.floor(scaled(toilets, wash.toilets_scale) * [1, 1 + wash.urinals_per_squat] + 0.5).astype(np.int64),
        showers=_by_sex(showers, beds(county, settings, year).nominal),
    )


def _by_sex(showers: Ints, nominal: Ints) -> Ints:
    """Share the showers of each school out to girls and boys in proportion to their beds; (S, 2).

    Where both have beds each has at least one, and a single shower serves both in turn and counts for each.
    """
    both = (nominal > 0).all(axis=1) & (showers > 0)
    girls = np.floor(showers * nominal[:, 0] / np.maximum(nominal.sum(axis=1), 1) + 0.5).astype(np.int64)
    girls = np.where(both, np.clip(girls, 1, np.maximum(showers - 1, 1)), girls)
    return np.stack([girls, np.where(both, np.maximum(showers - girls, 1), showers - girls)], axis=1)
