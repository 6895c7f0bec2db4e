"""Three villages with two schools on one road, so that a bus may have pupils of both on board.

The school T (grades 1 to 3) is in B, on the way from D to C (grades 4 to 9): a bus comes from D with pupils of both,
leaves the small ones at T and takes those of B on.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sim.config import Settings
from sim.county import County, read_county

MIXED = ("county=three_villages", "calendar=smoke", "study.years=1", "study.replications=1", "plan=mean",
         "closure=none", "fleet.mixed_loads=true", "fleet.search_looks=20000")  # fmt: skip
ROOMS = ("windows", "canteen_seats", "kitchen_meals", "taps", "basins", "toilets_girls", "toilets_boys",
         "showers", "life_teachers", "classrooms", "gate_bays", "lived")  # fmt: skip


def two_schools(settings: Settings, times: int = 1) -> County:
    """Return the county with so many times the pupils; T has rooms as C."""
    county = read_county(settings.county.path)
    schools, home = county.schools, county.hamlets
    rooms = {name: np.repeat(getattr(schools, name)[:1], 2) for name in ROOMS}
    beds = np.repeat(schools.beds[:1], 2, axis=0)
    return replace(
        county,
        pupils=county.pupils * times,
        schools=replace(
            schools, node=np.array([schools.node[0], home.node[1]]), first_grade=np.array([4, 1]),
            receives=np.array([True, True]), beds=beds, **rooms,
        ),
        hamlets=replace(home, school=np.zeros(3, dtype=np.int64)),
    )  # fmt: skip
