"""A study: compose the stages for every replication and year, spread them over workers, write the run folder."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from itertools import product

import pandas as pd

from sim.account.quantity import quantities
from sim.base import base_settings
from sim.check import refuse
from sim.config import Settings
from sim.county import County, Travel, read_county, travel
from sim.judge.bottleneck import bottlenecks
from sim.judge.limit import verdicts
from sim.judge.yearly import WEEKLY, how_sure
from sim.live import Job, live_year
from sim.measure.classroom import class_place_table
from sim.operate.stage import Ways
from sim.operate.weather import skyways
from sim.plan import Checked, Places, Plan, Routes
from sim.plan.bells import staggered
from sim.plan.compose import make, placed_years
from sim.plan.family import family_pupils, if_nothing_closed
from sim.plan.keep import if_kept
from sim.plan.replan import planned
from sim.plan.staff import COUNTY_SITE, lacking_today
from sim.plan.tables import plan_tables
from sim.reprice import USED, priced, reprice, tell, write_tables
from sim.store import RunFolder, check_out, lived_before, open_run, run_folder
from sim.workers import console, spread, watch, worker_count

CONFIG = "config.yaml"
EVENTS = "events/"
"""Tables of this name are the events of single days: files of their own."""


def run(settings: Settings) -> RunFolder:
    """Live a scenario and write its folder; a run that is finished already is returned as it is.

    Where the same days were lived at other prices, they are not lived again, but priced again.
    Raises BadInput, before anything is written, when the settings, the county or the folder cannot be used.
    """
    began = time.perf_counter()
    county = read_county(settings.county.path)
    refuse(settings, county)
    check_out(settings)
    folder = run_folder(settings)
    if folder.finished:
        console().print(f"This run is finished already: {folder.path / 'report.html'}", soft_wrap=True)
        return folder
    base, before = base_run(settings), lived_before(settings)
    if before is not None and before.settings.scenario == settings.scenario and not settings.bells.windows:
        console().print(f"Its days were lived already and are priced again: {before.path}", soft_wrap=True)
        return reprice(before, settings)
    ways = travel(county.roads, settings.road)
    asked, (settings, tried) = settings, with_bells(settings, county, ways)
    plan = make_plan(settings, county, ways)
    folder = open_run(asked)
    if tried is not None:  # the folder is known by what was asked for, and tells what was lived
        folder.write_yaml(CONFIG, settings.model_dump(mode="json"))
        folder.write_table("bells", tried.assign(scenario=settings.scenario))
    live_all(Job(settings, county, Ways(ways, skyways(county, settings, ways, plan)), plan), folder)
    for _ in watch(["judging, writing, drawing"], "judging, writing, drawing"):
        write(folder, settings, county, plan, base)
        tell(folder)
    folder.finish(time.perf_counter() - began)
    return folder


def base_run(settings: Settings) -> RunFolder | None:
    """Return the base that the settings ask for, lived now unless it was before; None when they ask for none.

    A run that closes no school is its own base: the folder it has or will have.
    """
    wanted = base_settings(settings)
    if wanted is None:
        return None
    if wanted is settings:
        console().print("No school closes: the run is compared with itself, and every difference is zero.")
        return run_folder(settings)
    return lived_before(wanted) or run(wanted)


def with_bells(settings: Settings, county: County, ways: Travel) -> tuple[Settings, pd.DataFrame | None]:
    """Return settings with the bells chosen in their windows and all bells tried; as they are without windows."""
    if not settings.bells.windows:
        return settings, None
    return staggered(settings, county, ways, placed_years(settings, county, ways)[2])


def check_runs(settings: Settings, county: County) -> Checked | None:
    """Return how the county's runs and ours keep the limits in the first year; None when the county has no runs."""
    if county.tables["runs"].empty:
        return None
    first = settings.model_copy(update={"study": settings.study.model_copy(update={"years": 1})})
    ways = travel(county.roads, settings.road)
    return make_plan(first, county, ways).years[0].checked


def make_plan(settings: Settings, county: County, ways: Travel) -> Plan:
    """Plan all years; the routes of the years that were not planned before are searched by the workers."""
    act = partial(planned, county, settings, ways)

    def route_all(placed: Iterable[Places]) -> list[Routes]:
        known = [(year, if_kept(partial(act, year))) for year in placed]
        new = [year for year, found in known if found is None]
        searched = iter(spread(act, new, worker_count(settings), "planning buses") if new else [])
        return [next(searched) if found is None else found for _, found in known]

    return make(settings, county, ways, route_all)


def live_all(job: Job, folder: RunFolder) -> None:
    """Live every year of every replication and write its tables, in a fixed order of rows.

    Each year is written by whoever lived it and joined at the end: nobody holds more than one year in memory.
    """
    tasks = list(enumerate(product(range(job.settings.study.replications), range(len(job.plan.years)))))
    spread(partial(_write_year, job, folder), tasks, worker_count(job.settings), "living school weeks")
    folder.join_parts()


def _write_year(job: Job, folder: RunFolder, task: tuple[int, tuple[int, int]]) -> None:
    """Live one year of a replication and write its tables as parts of the run's."""
    number, (replication, k) = task
    for name, frame in live_year(job, replication, k).items():
        if name.startswith(EVENTS):
            folder.write_table(f"{name}.parquet", frame)
        else:
            folder.write_part(number, name, frame.assign(scenario=job.settings.scenario))


def write(folder: RunFolder, settings: Settings, county: County, plan: Plan, base: RunFolder | None = None) -> None:
    """Judge and price what was lived, and write every other table of the run folder."""
    yearly, harm, resources = map(folder.read_table, ("annual", "harm", "resources"))
    yearly = yearly.astype(dict.fromkeys(("scenario", "site_id", "measure"), "category"))  # a million rows: keep small
    judged = verdicts(settings, county, yearly)
    tables = {"verdicts": judged, "bottlenecks": bottlenecks(settings, county, harm, resources, judged)}
    tables |= how_sure(settings, yearly, harm, folder.read_rows("measures", WEEKLY, ("site_id", "==", COUNTY_SITE)))
    tables["class_places"] = class_place_table(settings, county, plan, yearly)
    tables |= plan_tables(settings, county, plan)
    before = if_nothing_closed(settings, county, plan, travel(county.roads, settings.road))
    tables["family_pupils"] = family_pupils(settings, county, plan, before)
    lacking = lacking_today(settings, county, plan, before[0])
    lived = {"annual": yearly, "enrolment": folder.read_table("enrolment")}
    tables[USED] = quantities(settings, county, plan, lived, lacking)
    folder.write_table(USED, tables[USED].assign(scenario=settings.scenario))  # a run may be its own base
    write_tables(folder, settings, tables | priced(settings, county, tables.__getitem__, base))
    folder.write_manifest(base=base.path.name if base else None)
