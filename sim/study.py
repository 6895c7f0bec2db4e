"""One scenario: compose the stages into its plan, the years it lives, and the tables and pages of its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from time import perf_counter
from typing import Literal

import pandas as pd

from sim.account.ledger import ledger
from sim.account.quantity import quantities
from sim.config import Settings
from sim.county import County, Travel, travel
from sim.errors import BadInput
from sim.judge.bottleneck import bottlenecks
from sim.judge.compare import headline_table, lived_means
from sim.judge.equity import for_whom
from sim.judge.limit import verdicts
from sim.judge.risk import how_risky
from sim.judge.spread_of import harm_drivers
from sim.judge.yearly import WEEKLY, how_sure
from sim.live import Job, live_year
from sim.measure.classroom import class_place_table
from sim.operate.stage import Ways
from sim.operate.weather import cut_roads, skyways
from sim.plan import Bools, Checked, Places, Plan, Routes
from sim.plan.bells import staggered
from sim.plan.compose import make, placed_years
from sim.plan.family import family_pupils, if_nothing_closed
from sim.plan.keep import if_kept
from sim.plan.replan import planned
from sim.plan.staff import COUNTY_SITE, lacking_today
from sim.plan.tables import plan_tables
from sim.reprice import AGAIN, USED, priced, tell, write_tables
from sim.share import Known
from sim.store import EVENTS, RunFolder, join_parts, packed, read_parts, write_part
from sim.tables import run_table
from sim.workers import is_full, mistake

Spread = Callable[[Callable[[Places], Routes], list[Places]], Iterable[Routes]]
"""Does the same for several items, in their order: one after the other, or by the workers."""


KEY = ["replication", "year"]


@dataclass(frozen=True)
class Planned:
    """A scenario with its plan: the settings it is lived with, which roads are cut, and the first bells tried."""

    settings: Settings
    plan: Plan
    cut: Bools
    bells: pd.DataFrame | None = None


Extent = Literal["headlines", "tables", "pages"]
"""How much is told of a scenario that was lived: headline numbers and what they rest on; every table; pages, too."""


@dataclass(frozen=True)
class Fault:
    """What kept a scenario from its end."""

    told: str
    bad_input: bool = False


def fault_of(error: Exception) -> Fault:
    """Return what a planner is told of an error, and of one of ours also where it happened.

    A full disk is nobody's fault in particular and is raised on: no scenario can be finished then.
    """
    if is_full(error):
        raise error
    if isinstance(error, BadInput):
        return Fault("\n".join(error.messages), bad_input=True)
    return Fault(mistake(error))


def plan(settings: Settings, county: County, known: Known, spread_out: Spread = map) -> Planned:
    """Plan all years of a scenario, with first bells chosen where they may be; what is known is not reckoned again."""
    ways = known(_travel, settings, county)
    settings, tried = with_bells(settings, county, ways)
    found = make_plan(settings, county, ways, known, spread_out)
    return Planned(settings, found, cut_roads(county, settings, found), tried)


def job(found: Planned, county: County, known: Known) -> Job:
    """Return all that it takes to live the years of a planned scenario."""
    ways, cut = known(_travel, found.settings, county), known.interned(found.cut)
    skies = known(skyways, found.settings, county, ways, cut)
    return Job(found.settings, county, Ways(ways, skies), known.interned(found.plan))


def _travel(settings: Settings, county: County) -> Travel:
    return travel(county.roads, settings.road)


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
    return make_plan(first, county, travel(county.roads, settings.road), Known()).years[0].checked


def make_plan(settings: Settings, county: County, ways: Travel, known: Known, spread_out: Spread = map) -> Plan:
    """Plan all years; the routes of the years that were not planned before are searched by `spread_out`."""
    act = partial(planned, county, settings, ways)

    def route_all(placed: Iterable[Places]) -> list[Routes]:
        before = [(year, if_kept(partial(known, planned, county, settings, ways, year))) for year in placed]
        new = [year for year, found in before if found is None]
        searched = iter(spread_out(act, new)) if new else iter(())
        return [next(searched) if found is None else found for _, found in before]

    return make(settings, county, ways, route_all, known)


@dataclass(frozen=True)
class Planning:
    """Plan scenarios by number, in a worker that remembers what they have in common."""

    scenarios: tuple[tuple[Settings, County], ...]

    @cached_property
    def known(self) -> Known:
        """Return what this worker knows."""
        return Known()

    def __call__(self, numbers: Sequence[int]) -> list[Planned | Fault]:
        """Plan some scenarios."""
        return [self._plan(number) for number in numbers]

    def _plan(self, number: int) -> Planned | Fault:
        try:
            return plan(*self.scenarios[number], self.known)
        except Exception as error:
            return fault_of(error)


@dataclass(frozen=True)
class Lived:
    """A year that a worker lived: of which scenario, in how many seconds; its part, if that is to be sent home."""

    number: int
    key: tuple[int, int]
    """Replication and school year."""
    seconds: float = 0.0
    part: bytes | None = None
    fault: Fault | None = None

    @property
    def told(self) -> str:
        """Return a few words for the log."""
        return self.fault.told if self.fault else f"lived in {self.seconds:.2f} s"


@dataclass(frozen=True)
class Season:
    """Live a year of a replication of several scenarios; what they have in common is made once."""

    jobs: Sequence[Job]
    folders: Sequence[RunFolder]
    stamps: Sequence[Sequence[str]]
    """What the parts of each year are stamped with."""
    at_home: bool
    """Whether the worker can write into the folders."""

    def __call__(self, task: tuple[int, int, tuple[int, ...]]) -> list[Lived]:
        """Live year k of a replication of some scenarios; task: (replication, k, numbers)."""
        (replication, k, numbers), known = task, Known()  # another year has nothing in common with this one
        return [self._live(number, replication, k, known) for number in numbers]

    def _live(self, number: int, replication: int, k: int, known: Known) -> Lived:
        began, job, folder = perf_counter(), self.jobs[number], self.folders[number]
        key = (replication, job.plan.years[k].year)
        try:
            tables = live_year(job, replication, k, known)
            named = {name: table if name.startswith(EVENTS) else table.assign(scenario=job.settings.scenario)
                     for name, table in tables.items()}  # fmt: skip
            part = packed(folder, named, self.stamps[number][k])
            if self.at_home:
                write_part(folder, key, part)
        except Exception as error:
            return Lived(number, key, fault=fault_of(error))
        return Lived(number, key, perf_counter() - began, None if self.at_home else part)


def means(folder: RunFolder, replications: int) -> pd.DataFrame:
    """Return the measures of the county in the mean of a year, of the first replications lived so far."""

    def lived(name: str, columns: list[str], *where: tuple[str, str, str]) -> pd.DataFrame:
        new = pd.concat([pd.DataFrame(columns=columns), *read_parts(folder, name, columns)], ignore_index=True)
        old = folder.read_rows(name, columns, *where) if folder.file(name).is_file() else new[:0]
        again = pd.MultiIndex.from_frame(old[KEY]).isin(pd.MultiIndex.from_frame(new[KEY]))
        rows = pd.concat([old[~again], new], ignore_index=True)
        return rows[rows["replication"] < replications]

    return lived_means(
        lived("annual", [*KEY, "site_id", "measure", "value"], ("site_id", "==", "county")),
        lived("harm", [*KEY, "severity"]),
    )


@dataclass(frozen=True)
class Finish:
    """Judge, price, write and draw what was lived of scenarios, in a worker that remembers what they have in common."""

    jobs: Sequence[Job]
    folders: Sequence[RunFolder]
    bases: Sequence[RunFolder | None]
    """The county without closing, where a scenario is held against that."""
    extents: Sequence[Extent]

    @cached_property
    def known(self) -> Known:
        """Return what this worker knows."""
        return Known()

    def __call__(self, number: int) -> Fault | None:
        folder, job, base, extent = self.folders[number], self.jobs[number], self.bases[number], self.extents[number]
        try:
            join_parts(folder)
            if extent == "headlines":
                sum_up(folder, job, base, self.known)
                return None
            write(folder, job, base, self.known)
            if extent == "pages":
                tell(folder)
        except Exception as error:
            return fault_of(error)
        return None


@dataclass(frozen=True)
class Draw:
    """Draw the pages of scenarios whose tables are written, if they are asked for."""

    folders: Sequence[RunFolder]
    extent: Extent

    def __call__(self, number: int) -> Fault | None:
        try:
            if self.extent == "pages":
                tell(self.folders[number])
        except Exception as error:
            return fault_of(error)
        return None


def write(folder: RunFolder, job: Job, base: RunFolder | None, known: Known) -> None:
    """Judge and price what was lived, and write every other table of the run folder."""
    settings, county, plan = job.settings, job.county, job.plan
    yearly, harm, resources = map(folder.read_table, ("annual", "harm", "resources"))
    yearly = yearly.astype(dict.fromkeys(("scenario", "site_id", "measure"), "category"))  # a million rows: keep small
    judged = verdicts(settings, county, yearly)
    tables = {"verdicts": judged, "bottlenecks": bottlenecks(settings, county, harm, resources, judged)}
    tables |= how_sure(settings, yearly, harm, folder.read_rows("measures", WEEKLY, ("site_id", "==", COUNTY_SITE)))
    tables["harm_drivers"] = harm_drivers(yearly, folder.read_table("days"))
    tables["class_places"] = class_place_table(settings, county, plan, yearly)
    tables |= plan_tables(settings, county, plan, known)
    tables |= how_risky(settings, harm, resources, yearly)
    before = known(if_nothing_closed, settings, county, plan.forecast, job.ways.dry)
    tables |= for_whom(settings, county, plan, folder.read_table("groups"), before[0])
    tables["family_pupils"] = family_pupils(settings, county, plan, before)
    tables[USED] = _used(folder, job, yearly, before, known)
    tables |= {name: pd.DataFrame(columns=list(run_table(name).names)) for name in AGAIN}  # nothing yet
    write_tables(folder, settings, tables | priced(settings, county, tables.__getitem__, base))
    _headlines(folder, base)


def sum_up(folder: RunFolder, job: Job, base: RunFolder | None, known: Known) -> None:
    """Write no more than what a study of many scenarios is held against: the headline numbers and what they rest on."""
    before = known(if_nothing_closed, job.settings, job.county, job.plan.forecast, job.ways.dry)
    used = _used(folder, job, folder.read_table("annual"), before, known)
    write_tables(folder, job.settings, {"ledger": ledger(job.settings, used)})
    _headlines(folder, base)


def _used(folder: RunFolder, job: Job, yearly: pd.DataFrame, before: list[Places], known: Known) -> pd.DataFrame:
    """Write and return what was used; before: where pupils would go to school if no school had closed."""
    settings, county, plan = job.settings, job.county, job.plan
    lived = {"annual": yearly, "enrolment": folder.read_table("enrolment")}
    used = quantities(settings, county, plan, lived, lacking_today(settings, county, plan, before[0]), known)
    folder.write_table(USED, used.assign(scenario=settings.scenario))  # a run may be its own base
    return used


def _headlines(folder: RunFolder, base: RunFolder | None) -> None:
    folder.write_manifest(base=base.path.name if base else None)
    folder.write_table("headlines", headline_table(folder.path))
