"""A sweep: several scenarios, each in its own folder, met by the same luck, then compared."""

from __future__ import annotations

import io
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Thread

from rich.console import Console
from rich.progress import Progress

from sim.check import refuse
from sim.cli import BAD_INPUT, DONE, OUR_FAULT, draw
from sim.cli.show import show_comparison
from sim.config import Settings
from sim.config.multirun import Scenario, launch, scenarios
from sim.county import check_county, read_county
from sim.errors import BadInput, refusals
from sim.store import RunFolder, check_out, clear_notes, run_folder, sweep_folder
from sim.workers import COLUMNS

SECONDS_BETWEEN_LOOKS = 2.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one scenario ended."""

    scenario: str
    folder: Path | None
    fault: str = ""
    """One sentence and, when it is our fault, where; empty when all went well."""
    bad_input: bool = False


def sweep(overrides: list[str]) -> int:
    """Live every scenario of the lists of values, compare them, and return the exit code.

    All settings, the county's tables and the output folder are checked before the first scenario starts.
    """
    made = scenarios(overrides)
    _check_inputs(made)
    first = made[0].settings
    jobs = min(first.study.workers or os.cpu_count() or 1, len(made))
    console = Console()
    _live_bases(made, console)
    console.print(f"{len(made)} scenario{'s' * (len(made) != 1)}, {jobs} at a time.")
    outcomes = _live_all(overrides, made, jobs)
    done = [outcome.folder for outcome in outcomes if outcome.folder is not None]
    if done:
        _compare(done, sweep_folder(first), console)
    return _exit_code(outcomes)


def _check_inputs(made: tuple[Scenario, ...]) -> None:
    """Raise BadInput with every error in the counties' tables and the settings, or when nothing can be written."""
    counties = {scenario.settings.county.path for scenario in made}
    errors = [error for path in sorted(counties) for error in check_county(path)]
    if errors:
        raise BadInput(*errors)
    read = {path: read_county(path) for path in counties}
    told = refusals(*(partial(refuse, one.settings, read[one.settings.county.path]) for one in made))
    if told:
        raise BadInput(*told)
    for out in {sweep_folder(scenario.settings).path: scenario.settings for scenario in made}.values():
        check_out(out)


def _live_bases(made: tuple[Scenario, ...], console: Console) -> None:
    """Live the county without closing first where scenarios ask for it: those that differ in nothing else share it."""
    compared = [scenario.settings for scenario in made if scenario.settings.account.base != "none"]
    if compared:
        from sim.study import base_run

        console.print("First the county without closing, to which the scenarios are compared.")
        for settings in compared:
            base_run(settings)


def _live_all(overrides: list[str], made: tuple[Scenario, ...], jobs: int) -> list[Outcome]:
    """Live the scenarios; a worker that dies takes the launcher with it, so look what is finished then."""
    try:
        with counting(made):
            return launch(overrides, made, live, jobs)
    except Exception as error:
        fault = f"the worker ended early ({type(error).__name__}: {error})"
        return [_look(scenario, fault) for scenario in made]
    finally:
        clear_notes(made[0].settings)


@contextmanager
def counting(made: tuple[Scenario, ...]) -> Iterator[None]:
    """Show how many scenarios are finished, by a look at their folders every few seconds."""
    folders, done = [run_folder(scenario.settings) for scenario in made], Event()

    def look() -> None:
        with Progress(*COLUMNS, console=Console(stderr=True)) as progress:
            task = progress.add_task("scenarios", total=len(folders))
            while not done.wait(SECONDS_BETWEEN_LOOKS):
                progress.update(task, completed=sum(folder.finished for folder in folders))
            progress.update(task, completed=sum(folder.finished for folder in folders))

    watcher = Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _look(scenario: Scenario, fault: str) -> Outcome:
    folder = run_folder(scenario.settings)
    if folder.finished:
        return Outcome(scenario.name, folder.path)
    return Outcome(scenario.name, None, fault)


def live(settings: Settings) -> Outcome:
    """Live one scenario in a worker; errors are told, not raised, so that the other scenarios go on.

    The sweep already uses all cores, one scenario each: inside a scenario there is one worker.
    """
    from sim.study import run

    began = time.perf_counter()
    study = settings.study.model_copy(update={"workers": 1})
    executor = settings.executor.model_copy(update={"kind": "serial"})
    alone = settings.model_copy(update={"study": study, "executor": executor})
    try:
        with redirect_stderr(io.StringIO()):  # the progress bars of several workers would overwrite each other
            folder = run(alone)
        if folder.tell_as(settings.report):
            draw(folder)
        seconds = time.perf_counter() - began
        print(f"{settings.scenario}: lived in {seconds:.0f} s.", file=sys.stderr, flush=True)
        return Outcome(settings.scenario, folder.path)
    except BadInput as error:
        return Outcome(settings.scenario, None, "\n".join(error.messages), bad_input=True)
    except Exception as error:
        told = f"the program made a mistake ({type(error).__name__}: {error})\n{traceback.format_exc()}"
        return Outcome(settings.scenario, None, told)


def _compare(folders: list[Path], study: RunFolder, console: Console) -> None:
    """Write the paired comparison with the first scenario and its page, and show it."""
    from sim.judge.compare import compare
    from sim.tell.page import comparison

    summary = compare(folders)
    study.write_table("summary", summary)
    show_comparison(summary)
    console.print(f"Comparison: {comparison(study.path)}", soft_wrap=True)


def _exit_code(outcomes: list[Outcome]) -> int:
    """Tell every failed scenario by name; 2 when all failures are bad input, 1 when one is our fault."""
    failed = [outcome for outcome in outcomes if outcome.folder is None]
    told = Console(stderr=True)
    for outcome in failed:
        told.print(f"Scenario {outcome.scenario} failed: {outcome.fault}", markup=False, soft_wrap=True)
    if not failed:
        return DONE
    return BAD_INPUT if all(outcome.bad_input for outcome in failed) else OUR_FAULT
