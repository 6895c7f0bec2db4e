"""Several scenarios at once: they share one pool of workers, and each gets a folder of its own.

Scenarios are taken in blocks. Those of a block are planned, lived year by year and written together, so that what they
have in common is made once and memory does not grow with their number. What was finished before is not done again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sim.base import base_settings
from sim.check import refuse
from sim.config import Settings
from sim.county import County, read_county
from sim.errors import BadInput, OurFault, refusals
from sim.reprice import tell
from sim.store import RunFolder, check_format, check_out, lived_before, only_me, sweep_folder
from sim.study import Extent
from sim.sweep.engine import Engine
from sim.sweep.entry import Outcome, entry_of, outcome
from sim.workers import Crew, check_executor, console, crew, full_disk, is_full, watch

__all__ = ["Outcome", "bases_of", "checked", "live_scenarios", "run"]


def run(settings: Settings, resume: bool = False) -> RunFolder:
    """Live a scenario and write its folder; a run that is finished already is returned as it is.

    Where the same days were lived at other prices, they are not lived again, but priced again.
    Raises BadInput, before anything is written, when the settings, the county or the folder cannot be used.
    """
    (ended,) = live_scenarios([settings], resume=resume)
    if ended.folder is None:
        raise BadInput(*ended.fault.splitlines()) if ended.bad_input else OurFault(ended.fault)
    return ended.folder


def live_scenarios(asked: Sequence[Settings], *, extent: Extent = "pages", resume: bool = False) -> list[Outcome]:
    """Live scenarios and return how each ended, in their order; what was finished before is not lived again.

    extent: how much is told of them; resume: refuse to begin anew what
    another state of the program left unfinished. Raises BadInput, before anything is written, with all that keeps any
    of them from beginning.
    """
    entries = [entry_of(one, extent) for one in asked]
    todo = [entry.asked for entry in entries if not entry.finished]
    if len(todo) < len(entries):
        there = f"This run is finished already: {entries[0].folder.path}"
        console().print(there if len(entries) == 1 else f"Finished already: {len(entries) - len(todo)} scenarios.")
    counties = checked(todo)
    if len(todo) > 1:
        console().print(f"{len(todo)} scenarios.")
    engine = Engine(counties, extent, resume)
    with only_me({sweep_folder(one).path for one in asked}):
        if extent == "pages":
            _draw([entry.folder for entry in entries if entry.finished])
        if todo:
            with _room(todo[0]), crew(todo[0]) as engine.crew, _writers(todo[0], engine.crew) as engine.writers:
                engine.live([entry_of(base, extent) for base in bases_of(todo)])
                engine.live(entries)
    return [outcome(entry) for entry in entries]


def _draw(finished: Sequence[RunFolder]) -> None:
    """Draw what was finished without pages."""
    undrawn = [one for one in finished if not one.file("report.html").is_file()]
    for folder in watch(undrawn, "drawing") if undrawn else ():
        tell(folder)


@contextmanager
def _room(settings: Settings) -> Iterator[None]:
    """Tell a full disk that we meet ourselves; workers tell theirs as the fault of a task."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise BadInput(full_disk(settings.study.out, error)) from error


@contextmanager
def _writers(settings: Settings, workers: Crew) -> Iterator[Crew]:
    """Yield workers who can write into the folders: those of this machine, as a cluster may not reach them."""
    if workers.at_home:
        yield workers
    else:
        here = settings.executor.model_copy(update={"kind": "processes", "address": None})
        with crew(settings.model_copy(update={"executor": here})) as writers:
            yield writers


def checked(asked: Sequence[Settings]) -> dict[str, County]:
    """Return the counties of scenarios by folder; BadInput with every error in their tables, settings and folders."""
    places = {str(one.county.path): one.county.path for one in asked}
    counties: dict[str, County] = {}
    told = refusals(*(partial(_read, counties, name, place) for name, place in places.items()))
    if told:
        raise BadInput(*told)
    told = refusals(
        *(partial(refuse, one, counties[str(one.county.path)]) for one in asked),
        *(partial(check_format, one) for one in asked),
        *(partial(check_out, one) for one in {sweep_folder(one).path: one for one in asked}.values()),
    )
    told += refusals(*(partial(check_executor, one) for one in asked[:1]))
    if told:
        raise BadInput(*told)
    return counties


def _read(counties: dict[str, County], name: str, place: Path) -> None:
    counties[name] = read_county(place)


def bases_of(asked: Sequence[Settings]) -> list[Settings]:
    """Return the county without closing, where scenarios are held against it: those that differ in no day share it.

    A run that closes no school is its own base: the folder it has or will have.
    """
    found = [(base, base is one) for one in asked if (base := base_settings(one)) is not None]
    if any(own for _, own in found):
        console().print("No school closes: the run is compared with itself, and every difference is zero.")
    wanted = {base.hash(): base for base, own in found if not own}
    return [base for base in wanted.values() if lived_before(base) is None]
