"""A study: compose the stages for every replication and year, spread them over workers, write the run folder."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial

import pandas as pd

from sim.account.budget import budget
from sim.account.ledger import ledger
from sim.config import Settings
from sim.county import County, Travel, read_county, travel
from sim.errors import BadInput
from sim.judge.bottleneck import bottlenecks
from sim.judge.limit import verdicts
from sim.judge.relief import relief
from sim.live import Job, live_year
from sim.plan import Places, Plan, Routes
from sim.plan.compose import make
from sim.plan.route import routes
from sim.plan.tables import plan_tables
from sim.store import RunFolder, check_out, open_run, run_folder
from sim.workers import console, spread, watch, worker_count

Tables = dict[str, pd.DataFrame]


def run(settings: Settings) -> RunFolder:
    """Live a scenario and write its folder; a run that is finished already is returned as it is.

    Raises BadInput, before anything is written, when the settings, the county or the folder cannot be used.
    """
    began = time.perf_counter()
    refuse_what_is_not_there(settings)
    county = read_county(settings.county.path)
    check_out(settings)
    folder = run_folder(settings)
    if folder.finished:
        console().print(f"This run is finished already: {folder.path / 'report.html'}", soft_wrap=True)
        return folder
    ways = travel(county.roads, settings.road)
    plan = make_plan(settings, county, ways)
    folder = open_run(settings)
    lived = live_all(Job(settings, county, ways, plan))
    for _ in watch(["judging, writing, drawing"], "judging, writing, drawing"):
        write(folder, settings, county, plan, lived)
        tell(folder)
    folder.finish(time.perf_counter() - began)
    return folder


def refuse_what_is_not_there(settings: Settings) -> None:
    """Raise BadInput for settings that a later version will honour, so that none is silently left undone."""
    wanted = {
        "executor=dask: comes with a later version; serial and processes work.": settings.executor.kind == "dask",
        "account.base=not_closing: comes with a later version; none works.": settings.account.base != "none",
        "judge.relief: comes with a later version; off works.": settings.judge.relief != "off",
        "study.precision: comes with a later version; null works.": settings.study.precision is not None,
    }
    missing = [message for message, asked in wanted.items() if asked]
    if missing:
        raise BadInput(*missing)


def make_plan(settings: Settings, county: County, ways: Travel) -> Plan:
    """Plan all years; the routes of the years are searched by the workers."""

    def route_all(placed: Iterable[Places]) -> list[Routes]:
        return spread(partial(routes, county, settings, ways), list(placed), worker_count(settings), "planning buses")

    return make(settings, county, ways, route_all)


def live_all(job: Job) -> Tables:
    """Live every year of every replication; return the tables of all of them, in a fixed order of rows."""
    replications, years = range(job.settings.study.replications), range(len(job.plan.years))
    tasks = [(r, k) for r in replications for k in years]
    parts = spread(partial(_year_of, job), tasks, worker_count(job.settings), "living school weeks")
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: pd.concat([part[name] for part in parts if name in part], ignore_index=True) for name in names}


def _year_of(job: Job, task: tuple[int, int]) -> Tables:
    return live_year(job, *task)


def write(folder: RunFolder, settings: Settings, county: County, plan: Plan, lived: Tables) -> None:
    """Account, judge, and write every table of the run folder."""
    measures, harm, resources = lived["measures"], lived["harm"], lived["resources"]
    book = ledger(settings, county, plan, measures)
    judged = verdicts(settings, county, measures)
    worst = bottlenecks(settings, county, harm, resources, judged)
    tables = lived | plan_tables(settings, county, plan)
    tables |= {"ledger": book, "verdicts": judged, "bottlenecks": worst, "relief": relief(settings, worst)}
    tables["budget.csv"] = budget(settings, book)
    for name, frame in tables.items():
        target = f"{name}.parquet" if name.startswith("events/") else name
        scenario = {} if name == "budget.csv" or name.startswith("events/") else {"scenario": settings.scenario}
        folder.write_table(target, frame.assign(**scenario))


def tell(folder: RunFolder) -> None:
    """Draw the figures, the report and the workbook from the files of a run."""
    from sim.tell.page import report
    from sim.tell.workbook import workbook

    report(folder.path)
    workbook(folder.path)
