"""What lives scenarios, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import ceil
from time import perf_counter

from sim.config import Settings
from sim.county import County
from sim.errors import BadInput
from sim.judge.relief import relief_asked
from sim.reprice import priced_relief, reprice, write_tables
from sim.share import Known, digest
from sim.store import lengthened, lived_before, lived_sha256, open_run, write_part
from sim.study import Draw, Extent, Fault, Finish, Planned, Planning, Season, fault_of, job, plan
from sim.sweep.entry import Entry, Outcome, base_of, close, missing, outcome, wants_more
from sim.sweep.relieve import relief
from sim.workers import Crew, Done, console

BLOCK = 64
"""Most scenarios that are planned and lived together."""
TASKS_PER_WORKER = 4
"""Fewest pieces of work for each worker; with fewer years to live, their scenarios are dealt out."""


class Engine:
    """Lives scenarios block by block."""

    crew: Crew
    writers: Crew

    def __init__(self, counties: dict[str, County], extent: Extent, resume: bool) -> None:
        self.counties, self.extent, self.resume = counties, extent, resume
        self.which = ""
        """Which scenarios of how many, where they do not make one block."""

    def live(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Live scenarios, and return how each ended."""
        for at in range(0, len(entries), BLOCK):
            block = entries[at : at + BLOCK]
            self.which = f" {at + 1}-{at + len(block)}/{len(entries)}" if len(entries) > BLOCK else ""
            self._block([entry for entry in block if not entry.finished])
        return [outcome(entry) for entry in entries]

    def _block(self, entries: Sequence[Entry]) -> None:
        todo = [entry for entry in entries if not self._priced(entry)]
        first: dict[str, Entry] = {}
        for entry in todo:
            first.setdefault(lived_sha256(entry.asked) if _can_be_priced(entry.asked) else str(id(entry)), entry)
        self._live_all(list(first.values()))
        for entry in todo:
            if entry not in first.values() and not self._priced(entry):  # the one whose days it shares failed
                self._live_all([entry])

    def _live_all(self, todo: Sequence[Entry]) -> None:
        """Take scenarios from their settings to their folders."""
        began = perf_counter()

        def going() -> list[Entry]:
            return [entry for entry in todo if not entry.fault]

        if todo:
            self._plan(todo)
            self._open(going())
            short = going()
            while short:
                self._live(short)
                short = [entry for entry in short if not entry.fault and wants_more(entry)]
            if going():
                self._finish(going(), began)

    def _priced(self, entry: Entry) -> bool:
        """Tell whether a scenario needs no living, because its days were lived at other prices: then it is priced."""
        before = lived_before(entry.asked) if _can_be_priced(entry.asked) else None
        if before is None or before.manifest.get("extent") == "headlines":
            return False
        console().print(f"Its days were lived already and are priced again: {before.path}", soft_wrap=True)
        try:
            entry.folder = reprice(before, entry.asked, self.extent == "pages")
        except BadInput as error:
            entry.fault = fault_of(error)
        return True

    def _county(self, settings: Settings) -> County:
        return self.counties[str(settings.county.path)]

    def _plan(self, entries: Sequence[Entry]) -> None:
        """Plan the first scenario with all workers, so that its routes are known, then the others with one each."""
        first, known = entries[0], Known()
        try:
            county = self._county(first.asked)
            first.found = plan(first.asked, county, known, partial(self.crew.results, title="planning buses"))
        except Exception as error:
            first.fault = fault_of(error)
        planning = Planning(tuple((entry.asked, self._county(entry.asked)) for entry in entries))
        others = _in_pieces(range(1, len(entries)), TASKS_PER_WORKER * self.crew.workers)
        for done in self.crew.do(planning, others, f"planning scenarios{self.which}" if others else ""):
            found = done.result or [Fault(done.fault, done.bad_input)] * len(others[done.number])
            for number, one in zip(others[done.number], found, strict=True):
                if isinstance(one, Planned):
                    entries[number].found = one
                else:
                    entries[number].fault = one
        for entry in entries:
            if entry.found:
                entry.job = job(entry.found, self._county(entry.asked), known)
                entry.stamps = [digest(year) for year in entry.job.plan.years]

    def _open(self, entries: Sequence[Entry]) -> None:
        """Begin, or go on with, the folder of each scenario."""
        for entry in entries:
            assert entry.found is not None
            try:
                folder = open_run(entry.asked, self.resume)
                if entry.found.bells is not None:  # the folder is known by what was asked for, and tells what was lived
                    folder.write_table("bells", entry.found.bells.assign(scenario=entry.asked.scenario))
            except BadInput as error:
                entry.fault = fault_of(error)

    def _live(self, entries: Sequence[Entry]) -> None:
        """Live all years of the replications wanted that are not there yet."""
        tasks: dict[tuple[int, int], list[int]] = {}
        for number, entry in enumerate(entries):
            for key in missing(entry):
                tasks.setdefault(key, []).append(number)
        season = Season(
            [entry.job for entry in entries if entry.job],
            [entry.folder for entry in entries],
            [entry.stamps for entry in entries],
            self.crew.at_home,
        )
        dealt = _dealt(tasks, self.crew.workers)
        for done in self.crew.do(season, dealt, f"living school years{self.which}"):
            if done.fault:
                _failed([entries[number] for number in dealt[done.number][2]], entries, done)
            for lived in done.result or ():
                entry = entries[lived.number]
                entry.fault = entry.fault or lived.fault
                if lived.part is not None:
                    write_part(entry.folder, lived.key, lived.part)
                entry.folder.log(f"replication {lived.key[0]}, {lived.key[1]}: {lived.told}")

    def _finish(self, entries: Sequence[Entry], began: float) -> None:
        """Judge, price and write what was lived, and draw it."""
        for entry in entries:
            assert entry.found is not None
            entry.folder.write_settings(entry.found.settings)
            entry.folder.write_manifest(**lengthened(entry.folder, entry.asked, entry.replications), complete=False)
        relieved = [entry for entry in entries if self.extent != "headlines" and relief_asked(entry.asked)]
        finish = Finish(
            [entry.job for entry in entries if entry.job],
            [entry.folder for entry in entries],
            [base_of(entry) for entry in entries],
            ["tables" if entry in relieved else self.extent for entry in entries],
        )
        for entry in self._done(finish, entries, f"writing and drawing{self.which}"):
            if entry not in relieved:
                close(entry, self.extent, perf_counter() - began)
        told = [entry for entry in relieved if not entry.fault and self._relieve(entry)]
        draw = Draw([entry.folder for entry in told], self.extent)
        for entry in self._done(draw, told, f"drawing{self.which}"):
            close(entry, self.extent, perf_counter() - began)

    def _done(self, act: Callable[[int], Fault | None], entries: Sequence[Entry], title: str) -> Iterator[Entry]:
        """Have something done for each scenario by number; yield those with which all went well."""
        for done in self.writers.do(act, range(len(entries)), title) if entries else ():
            entry = entries[done.number]
            entry.fault = done.result
            if done.fault:
                _failed([entry], entries, done)
            elif entry.fault is None:
                yield entry

    def _relieve(self, entry: Entry) -> bool:
        """Live the worst bottlenecks of a scenario again with more of what is short; return whether all went well."""
        assert entry.job is not None
        try:
            again = relief(entry.folder, entry.job, self.crew)
            short = entry.folder.read_table("bottlenecks")
            priced = priced_relief(entry.job.settings, entry.job.county, again, short)
            write_tables(entry.folder, entry.job.settings, again | priced)
        except Exception as error:
            entry.fault = fault_of(error)
        return entry.fault is None


def _failed(mine: Sequence[Entry], entries: Sequence[Entry], done: Done) -> None:
    """Note what went wrong for some scenarios; a full disk is one for all that are not finished."""
    for entry in entries if done.disk_full else mine:
        if not entry.folder.finished:
            entry.fault = entry.fault or Fault(done.fault, done.bad_input)


def _can_be_priced(settings: Settings) -> bool:
    """Tell whether a scenario can be told from one with the same days: chosen bells are not in its settings."""
    return not settings.bells.windows


def _dealt(tasks: dict[tuple[int, int], list[int]], workers: int) -> list[tuple[int, int, tuple[int, ...]]]:
    """Deal out work as (replication, year, scenarios): those of a year together, unless that makes few pieces."""
    pieces = ceil(TASKS_PER_WORKER * workers / max(1, len(tasks)))
    return [(*key, tuple(piece)) for key, numbers in sorted(tasks.items()) for piece in _in_pieces(numbers, pieces)]


def _in_pieces(numbers: Sequence[int], pieces: int) -> list[Sequence[int]]:
    """Cut scenarios into so many pieces, or fewer; neighbours, which have most in common, stay together."""
    size = max(1, ceil(len(numbers) / pieces))
    return [numbers[at : at + size] for at in range(0, len(numbers), size)]
