"""A scenario on its way through a sweep, and what it needs to come to its end."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.base import base_settings
from sim.config import Settings
from sim.judge.precision import wanted
from sim.live import Job
from sim.store import RunFolder, drop_parts, is_finished, lived_before, parts_of, run_folder
from sim.study import Extent, Fault, Planned, means


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one scenario ended."""

    scenario: str
    folder: RunFolder | None
    fault: str = ""
    """One sentence and, when it is our fault, where; empty when all went well."""
    bad_input: bool = False


@dataclass
class Entry:
    """A scenario on its way through a block."""

    asked: Settings
    folder: RunFolder
    finished: bool
    """Whether it was before."""
    found: Planned | None = None
    job: Job | None = None
    stamps: list[str] = field(default_factory=list)
    """What each year is lived from."""
    replications: int = 0
    """How often each year is to be lived, as far as is known now."""
    fault: Fault | None = None


def entry_of(settings: Settings, extent: Extent) -> Entry:
    """Return a scenario at the beginning of its way."""
    folder = run_folder(settings)
    finished = is_finished(folder, settings) and folder.manifest.get("extent", extent) in (extent, "tables", "pages")
    there = folder.manifest.get("joined", {}).get("replications", 0)
    return Entry(settings, folder, finished, replications=max(settings.study.replications, there))


def outcome(entry: Entry) -> Outcome:
    """Return how a scenario ended."""
    if entry.fault:
        return Outcome(entry.asked.scenario, None, entry.fault.told, entry.fault.bad_input)
    return Outcome(entry.asked.scenario, entry.folder)


def wants_more(entry: Entry) -> bool:
    """Tell whether a scenario needs more replications to be as precise as asked, and note how many."""
    study = entry.asked.study
    if study.precision is None:
        return False
    more = wanted(means(entry.folder, entry.replications), study)
    if more > entry.replications:
        entry.folder.log(f"not yet as precise as asked for: {more} replications are wanted")
    enough, entry.replications = more <= entry.replications, max(more, entry.replications)
    return not enough


def missing(entry: Entry) -> list[tuple[int, int]]:
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


def base_of(entry: Entry) -> RunFolder | None:
    """Return the run without closing that a scenario is held against, if it is."""
    wanted = base_settings(entry.asked)
    return None if wanted is None else entry.folder if wanted is entry.asked else lived_before(wanted)


def close(entry: Entry, extent: Extent, seconds: float) -> None:
    """Note that a scenario came to its end; what it was lived from is noted, so that it can be made longer."""
    assert entry.job is not None
    stamps = {str(year.year): stamp for year, stamp in zip(entry.job.plan.years, entry.stamps, strict=True)}
    entry.folder.write_manifest(extent=extent, joined={"replications": entry.replications, "stamps": stamps})
    entry.folder.log("finished")
    entry.folder.finish(seconds)
    drop_parts(entry.folder)
