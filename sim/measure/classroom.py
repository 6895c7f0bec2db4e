"""Class places against pupils, school by school: also where days are not lived, as in the town.

The pupils are those who really come in a replication, at the school the plan gives them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County
from sim.county.facts import TOWN_KINDS
from sim.measure import OF_THE_ROLL
from sim.measure.interval import mean_interval, spread_out
from sim.measure.use import COLUMNS as USE_COLUMNS
from sim.measure.use import ratio
from sim.plan import FIRST_JUNIOR_GRADE, Floats, Ints, Plan, YearPlan
from sim.plan.classroom import class_size
from sim.plan.enrol import forecast
from sim.plan.lodge import added
from sim.plan.staff import pupils_by_school

LEVELS = ("primary", "junior")
ROLL, *SIZES = OF_THE_ROLL
VARIANTS = ("low", "medium", "high")
RESOURCE, HARM = "classroom_seat", "class_too_big"


def rolls(county: County, plan: YearPlan, coming: Ints) -> Floats:
    """Return the pupils who come to each school and grade (S, 9), given those of each hamlet (H, 9, 2)."""
    return pupils_by_school(county, plan.places.school, coming.sum(axis=2).astype(float))


def pupils_of_a_class(county: County, settings: Settings, plan: YearPlan, roll: Floats) -> Floats:
    """Return the pupils of a class at each school (S,), where rolls are (S, 9).

    There are as many classes as the grades need at the norm, but no more than classrooms. NaN without pupils, and
    where no table tells the classrooms.
    """
    size = class_size(county, settings)
    rooms = np.where(plan.class_places > 0, np.maximum(plan.class_places // size, 1), 0)
    formed = np.minimum(np.ceil(roll / size[:, None]).sum(axis=1), rooms)
    return ratio(roll.sum(axis=1), formed.astype(float))


def yearly(county: County, settings: Settings, plan: YearPlan, coming: Ints) -> pd.DataFrame:
    """Return the year's `roll` of every school and the size of its classes: site_id, measure, value."""
    roll = rolls(county, plan, coming)
    total, size = roll.sum(axis=1), pupils_of_a_class(county, settings, plan, roll)
    name = np.array(SIZES)[_level(county)]
    sites, there, known = np.array(county.schools.id), total > 0, ~np.isnan(size)
    return pd.DataFrame(
        {
            "site_id": np.append(sites[there], sites[known]),
            "measure": np.append(np.full(there.sum(), ROLL), name[known]),
            "value": np.append(total[there], size[known]),
        }
    )


def unlived(county: County, settings: Settings, plan: YearPlan, coming: Ints) -> dict[str, pd.DataFrame]:
    """Return rows of resources and harm, if any, for the class places of schools whose days are not lived.

    Pupils beyond the places are harmed on every school day of the year, as where days are lived.
    """
    roll, places = rolls(county, plan, coming).sum(axis=1), plan.class_places.astype(float)
    told = np.flatnonzero(~county.schools.lived & (roll > 0) & (places > 0))
    roll, places, sites = roll[told], places[told], np.array(county.schools.id, dtype=object)[told]
    over, share = np.maximum(roll - places, 0.0) * float(county.calendar.days.sum()), ratio(roll, places)
    use = pd.DataFrame(
        {"site_id": sites, "resource": RESOURCE, "capacity": places, "demand_peak": roll, "utilisation_mean": share,
         "utilisation_peak": share, "wait_mean_min": np.nan, "wait_p95_min": np.nan, "unmet": over,
         "unmet_unit": "pupil-day", "unit": "place"}
    )[list(USE_COLUMNS)]  # fmt: skip
    harmed = over > 0
    harm = pd.DataFrame(
        {"site_id": sites[harmed], "resource": RESOURCE, "kind": HARM, "cause": RESOURCE, "pupil_days": over[harmed],
         "severity": over[harmed] * settings.judge.weights[HARM]}
    )  # fmt: skip
    return {name: rows for name, rows in (("resources", use), ("harm", harm)) if len(rows)}


def class_place_table(settings: Settings, county: County, plan: Plan, annual: pd.DataFrame) -> pd.DataFrame:
    """Hold class places against the pupils who come, and against those expected under each future of births.

    One row for each year and open school whose classrooms are told; `annual` has the columns of annual.parquet.
    Returns the columns of class_places.csv.
    """
    table = pd.concat(_years(settings, county, plan), ignore_index=True)
    replications = np.unique(annual["replication"].to_numpy())
    cells, roll = spread_out(annual[annual["measure"] == ROLL], ["year", "site_id"], "value", replications, 0.0)
    cells = table[["year", "site_id"]].merge(cells.assign(row=np.arange(len(cells))), how="left")
    roll = np.vstack([roll, np.zeros(len(replications))])[cells["row"].fillna(len(roll)).to_numpy(dtype=int)]
    mean, low, high = mean_interval(roll)
    places = table["places"].to_numpy(dtype=float)[:, None]
    sizes = annual[annual["measure"].isin(SIZES)]
    size = sizes.groupby(["year", "site_id"], observed=True)["value"].mean().rename("class_size_mean")
    table = table.assign(
        scenario=settings.scenario,
        pupils_mean=mean,
        pupils_low=np.maximum(low, 0.0),
        pupils_high=high,
        over_mean=np.maximum(roll - places, 0.0).mean(axis=1),
        unused_mean=np.maximum(places - roll, 0.0).mean(axis=1),
        p_over=(roll > places).mean(axis=1),
    )
    return table.merge(size.reset_index().astype({"site_id": object}), on=["year", "site_id"], how="left")


def _years(settings: Settings, county: County, plan: Plan) -> Iterator[pd.DataFrame]:
    """Yield what the plan says of each year: places, those that projects added, and the pupils expected."""
    futures = {births: _expected(settings, county, plan, births) for births in VARIANTS}
    size, schools = class_size(county, settings), county.schools
    for k, year in enumerate(plan.years):
        row = np.flatnonzero(year.open & (year.class_places > 0))
        new = added(county, "places", year.year) + added(county, "classrooms", year.year) * size
        yield pd.DataFrame(
            {
                "year": year.year,
                "site_id": np.array(schools.id, dtype=object)[row],
                "level": np.array(LEVELS, dtype=object)[_level(county)[row]],
                "is_town": np.isin(schools.kind, TOWN_KINDS)[row].astype(int),
                "places": year.class_places[row],
                "places_added": new[row],
                **{f"expected_{births}_births": table[k, row] for births, table in futures.items()},
            }
        )


def _expected(settings: Settings, county: County, plan: Plan, births: str) -> Floats:
    """Return the pupils expected at each school in each year under a future of births, as the plan places them."""
    enrol = settings.enrol.model_copy(update={"births": births})
    mean = forecast(county, settings.model_copy(update={"enrol": enrol})).mean.sum(axis=3)
    years = zip(plan.years, mean, strict=True)
    return np.array([pupils_by_school(county, year.places.school, pupils).sum(axis=1) for year, pupils in years])


def _level(county: County) -> Ints:
    """Return the position in LEVELS of each school; nine-year schools are primary, as their classrooms are; (S,)."""
    return (county.schools.first_grade >= FIRST_JUNIOR_GRADE).astype(np.int64)
