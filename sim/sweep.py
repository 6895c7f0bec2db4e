"""Several scenarios at once: they share one pool of workers, and each gets a folder of its own.

Scenarios are taken in blocks. Those of a block are planned, lived year by year and written together, so that what they
have in common is made once and memory does not grow with their number. What was finished before is not done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from time import perf_counter
from typing import Any

from sim.base import base_settings
from sim.check import refuse
from sim.config import Settings
from sim.county import County, read_county
from sim.errors import BadInput, OurFault, refusals
from sim.judge.precision import wanted
from sim.live import Job
from sim.reprice import reprice, tell
from sim.share import Known, digest
from sim.store import (
    RunFolder,
    check_format,
    check_out,
    drop_parts,
    is_finished,
    lengthened,
    lived_before,
    lived_sha256,
    only_me,
    open_run,
    parts_of,
    run_folder,
    sweep_folder,
    write_part,
)
from sim.study import Fault, Finish, Planned, Planning, Season, fault_of, job, means, plan
from sim.workers import Crew, Done, console, crew, result_of

BLOCK = 64
"""Most scenarios that are planned and lived together."""
TASKS_PER_WORKER = 4
"""Fewest pieces of work for each worker; with fewer years to live, their scenarios are dealt out."""
CONFIG = "config.yaml"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one scenario ended."""

    scenario: str
    folder: RunFolder | None
    fault: str = ""
    """One sentence and, when it is our fault, where; empty when all went well."""
    bad_input: bool = False


def run(settings: Settings, resume: bool = False) -> RunFolder:
    """Live a scenario and write its folder; a run that is finished already is returned as it is.

    Where the same days were lived at other prices, they are not lived again, but priced again.
    Raises BadInput, before anything is written, when the settings, the county or the folder cannot be used.
    """
    (ended,) = live_scenarios([settings], resume=resume)
    if ended.folder is None:
        raise BadInput(*ended.fault.splitlines()) if ended.bad_input else OurFault(ended.fault)
    return ended.folder


def live_scenarios(asked: Sequence[Settings], *, pages: bool = True, resume: bool = False) -> list[Outcome]:
    """Live scenarios and return how each ended, in their order; what was finished before is not lived again.

    pages: whether reports, workbooks and figures are drawn, beside the tables; resume: refuse to begin anew what
    another state of the program left unfinished. Raises BadInput, before anything is written, with all that keeps any
    of them from beginning.
    """
    todo = [one for one in asked if not is_finished(run_folder(one), one)]
    counties = _checked(todo)
    engine = _Engine(counties, pages, resume)
    with only_me({sweep_folder(one).path for one in asked}):
        if not todo:
            return engine.live(asked)
        with crew(todo[0]) as engine.crew, _writers(todo[0], engine.crew) as engine.writers:
            engine.live(_bases(todo))
            return engine.live(asked)


@contextmanager
def _writers(settings: Settings, workers: Crew) -> Iterator[Crew]:
    """Yield workers who can write into the folders: those of this machine, as a cluster may not reach them."""
    if workers.at_home:
        yield workers
    else:
        here = settings.executor.model_copy(update={"kind": "processes", "address": None})
        with crew(settings.model_copy(update={"executor": here})) as writers:
            yield writers


def _checked(asked: Sequence[Settings]) -> dict[str, County]:
    """Return the counties of scenarios by folder; BadInput with every error in their tables, settings and folders."""
    places = {str(one.county.path): one.county.path for one in asked}
    told = refusals(*(partial(read_county, place) for place in places.values()))
    if told:
        raise BadInput(*told)
    counties = {name: read_county(place) for name, place in places.items()}
    told = refusals(
        *(partial(refuse, one, counties[str(one.county.path)]) for one in asked),
        *(partial(check_format, one) for one in asked),
        *(partial(check_out, one) for one in {sweep_folder(one).path: one for one in asked}.values()),
    )
    if told:
        raise BadInput(*told)
    return counties


def _bases(asked: Sequence[Settings]) -> list[Settings]:
    """Return the county without closing, where scenarios are held against it: those that differ in no day share it.

    A run that closes no school is its own base: the folder it has or will have.
    """
    wanted = {base.hash(): base for one in asked if (base := base_settings(one)) is not None and base is not one}
    return [base for base in wanted.values() if lived_before(base) is None]


@dataclass
class _Entry:
    """A scenario on its way through a block."""

    number: int
    asked: Settings
    folder: RunFolder
    found: Planned | None = None
    job: Job | None = None
    stamps: list[str] = field(default_factory=list)
    """What each year is lived from."""
    replications: int = 0
    """How often each year is to be lived, as far as is known now."""
    fault: Fault | None = None


class _Engine:
    """Lives scenarios block by block."""

    crew: Crew
    writers: Crew

    def __init__(self, counties: dict[str, County], pages: bool, resume: bool) -> None:
        self.counties, self.pages, self.resume = counties, pages, resume

    def live(self, asked: Sequence[Settings]) -> list[Outcome]:
        """Live scenarios, and return how each ended."""
        return [ended for at in range(0, len(asked), BLOCK) for ended in self._block(asked[at : at + BLOCK])]

    def _block(self, asked: Sequence[Settings]) -> list[Outcome]:
        entries = [
            _Entry(number, one, run_folder(one), replications=one.study.replications)
            for number, one in enumerate(asked)
        ]
        todo = [entry for entry in entries if not self._is_there(entry)]
        first: dict[str, _Entry] = {}
        for entry in todo:
            first.setdefault(lived_sha256(entry.asked) if _can_be_priced(entry.asked) else str(entry.number), entry)
        self._live_all(list(first.values()))
        for entry in todo:
            if entry not in first.values() and not self._is_there(entry):  # the one whose days it shares failed
                self._live_all([entry])
        return [_outcome(entry) for entry in entries]

    def _live_all(self, todo: Sequence[_Entry]) -> None:
        """Take scenarios from their settings to their folders."""
        began = perf_counter()

        def going() -> list[_Entry]:
            return [entry for entry in todo if not entry.fault]

        if todo:
            self._plan(todo)
            self._open(going())
            short = going()
            while short:
                self._live(short)
                short = [entry for entry in short if not entry.fault and _wants_more(entry)]
            self._finish(going(), began)

    def _is_there(self, entry: _Entry) -> bool:
        """Tell whether a scenario needs no living: it is finished, or its days were lived at other prices."""
        folder, asked = entry.folder, entry.asked
        if is_finished(folder, asked):
            if self.pages and not folder.file("report.html").is_file():
                tell(folder)
            console().print(f"This run is finished already: {folder.path}", soft_wrap=True)
            return True
        before = lived_before(asked) if _can_be_priced(asked) else None
        if before is None:
            return False
        console().print(f"Its days were lived already and are priced again: {before.path}", soft_wrap=True)
        try:
            entry.folder = reprice(before, asked, self.pages)
        except BadInput as error:
            entry.fault = fault_of(error)
        return True

    def _county(self, settings: Settings) -> County:
        return self.counties[str(settings.county.path)]

    def _plan(self, entries: Sequence[_Entry]) -> None:
        """Plan the first scenario with all workers, so that its routes are known, then the others with one each."""
        first, known = entries[0], Known()
        try:
            county = self._county(first.asked)
            first.found = plan(first.asked, county, known, self._spread)
        except Exception as error:
            first.fault = fault_of(error)
        planning = Planning(tuple((entry.asked, self._county(entry.asked)) for entry in entries))
        others = entries[1:]
        for done in self.crew.do(planning, range(1, len(entries)), "planning scenarios" if others else ""):
            entry = others[done.number]
            if isinstance(done.result, Planned):
                entry.found = done.result
            else:
                entry.fault = done.result or Fault(done.fault, done.bad_input)
        for entry in entries:
            if entry.found:
                entry.job = job(entry.found, self._county(entry.asked), known)
                entry.stamps = [digest(year) for year in entry.job.plan.years]

    def _spread(self, act: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Return act(item) for every item, in their order."""
        ended = sorted(self.crew.do(act, items, "planning buses"), key=lambda done: done.number)
        return [result_of(done) for done in ended]

    def _open(self, entries: Sequence[_Entry]) -> None:
        """Begin, or go on with, the folder of each scenario."""
        for entry in entries:
            assert entry.found is not None
            try:
                folder = open_run(entry.asked, self.resume)
                if entry.found.bells is not None:  # the folder is known by what was asked for, and tells what was lived
                    folder.write_table("bells", entry.found.bells.assign(scenario=entry.asked.scenario))
            except BadInput as error:
                entry.fault = fault_of(error)

    def _live(self, entries: Sequence[_Entry]) -> None:
        """Live all years of the replications wanted that are not there yet."""
        tasks: dict[tuple[int, int], list[int]] = {}
        for entry in entries:
            for key in _missing(entry):
                tasks.setdefault(key, []).append(entry.number)
        by_number = {entry.number: entry for entry in entries}
        season = Season(
            {entry.number: entry.job for entry in entries if entry.job},
            {entry.number: entry.folder for entry in entries},
            {entry.number: entry.stamps for entry in entries},
            self.crew.at_home,
        )
        dealt = _dealt(tasks, self.crew.workers)
        for done in self.crew.do(season, dealt, "living school years"):
            if done.fault:
                _failed([by_number[n] for n in dealt[done.number][2]], entries, done)
            for lived in done.result or ():
                entry = by_number[lived.number]
                entry.fault = entry.fault or lived.fault
                if lived.part is not None:
                    write_part(entry.folder, lived.key, lived.part)
                entry.folder.log(f"replication {lived.key[0]}, {lived.key[1]}: {lived.told}")

    def _finish(self, entries: Sequence[_Entry], began: float) -> None:
        """Judge, price and write what was lived, and draw it."""
        by_number = {entry.number: entry for entry in entries}
        bases = {entry.number: _base_of(entry) for entry in entries}
        for entry in entries:
            assert entry.found is not None
            entry.folder.write_yaml(CONFIG, entry.found.settings.model_dump(mode="json"))
            entry.folder.write_manifest(**lengthened(entry.folder, entry.asked, entry.replications), complete=False)
        finish = Finish(
            {entry.number: entry.job for entry in entries if entry.job},
            {entry.number: entry.folder for entry in entries},
            bases,
            self.pages,
        )
        for done in self.writers.do(finish, list(by_number), "writing and drawing"):
            entry = entries[done.number]
            entry.fault = done.result
            if done.fault:
                _failed([entry], entries, done)
            elif entry.fault is None:
                _close(entry, perf_counter() - began)


def _failed(mine: Sequence[_Entry], entries: Sequence[_Entry], done: Done) -> None:
    """Note what went wrong for some scenarios; a full disk is one for all that are not finished."""
    for entry in entries if done.disk_full else mine:
        if not entry.folder.finished:
            entry.fault = entry.fault or Fault(done.fault, done.bad_input)


def _can_be_priced(settings: Settings) -> bool:
    """Tell whether a scenario can be told from one with the same days: chosen bells are not in its settings."""
    return not settings.bells.windows


def _wants_more(entry: _Entry) -> bool:
    """Tell whether a scenario needs more replications to be as precise as asked, and note how many."""
    study = entry.asked.study
    if study.precision is None:
        return False
    more = wanted(means(entry.folder, entry.replications), study)
    if more > entry.replications:
        entry.folder.log(f"not yet as precise as asked for: {more} replications are wanted")
    enough, entry.replications = more <= entry.replications, max(more, entry.replications)
    return not enough


def _missing(entry: _Entry) -> list[tuple[int, int]]:
    """List the replications and years (by position) of a scenario that are still to be lived.

    Parts that were lived from another plan are removed.
    """
    assert entry.job is not None
    years = [year.year for year in entry.job.plan.years]
    stamp_of = dict(zip(years, entry.stamps, strict=True))
    parts = parts_of(entry.folder)
    stale = {key for key, stamp in parts.items() if stamp_of.get(key[1]) != stamp}
    drop_parts(entry.folder, stale)
    joined = entry.folder.manifest.get("joined", {})
    whole = {year for year in years if joined.get("stamps", {}).get(str(year)) == stamp_of[year]}
    there = {(r, year) for r in range(joined.get("replications", 0)) for year in whole} | {*parts} - stale
    return [(r, k) for r in range(entry.replications) for k, year in enumerate(years) if (r, year) not in there]


def _dealt(tasks: dict[tuple[int, int], list[int]], workers: int) -> list[tuple[int, int, tuple[int, ...]]]:
    """Deal out work as (replication, year, scenarios): those of a year together, unless that makes few pieces."""
    pieces = ceil(TASKS_PER_WORKER * workers / max(1, len(tasks)))
    dealt = []
    for (replication, k), numbers in sorted(tasks.items()):
        size = ceil(len(numbers) / pieces)
        dealt += [(replication, k, tuple(numbers[at : at + size])) for at in range(0, len(numbers), size)]
    return dealt


def _base_of(entry: _Entry) -> RunFolder | None:
    """Return the run without closing that a scenario is held against, if it is."""
    wanted = base_settings(entry.asked)
    return None if wanted is None else entry.folder if wanted is entry.asked else lived_before(wanted)


def _close(entry: _Entry, seconds: float) -> None:
    """Note that a scenario came to its end; what it was lived from is noted, so that it can be made longer."""
    assert entry.job is not None
    stamps = {str(year.year): stamp for year, stamp in zip(entry.job.plan.years, entry.stamps, strict=True)}
    entry.folder.write_manifest(joined={"replications": entry.replications, "stamps": stamps})
    entry.folder.log("finished")
    entry.folder.finish(seconds)
    drop_parts(entry.folder)


def _outcome(entry: _Entry) -> Outcome:
    if entry.fault:
        return Outcome(entry.asked.scenario, None, entry.fault.told, entry.fault.bad_input)
    return Outcome(entry.asked.scenario, entry.folder)
