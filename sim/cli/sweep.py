"""A sweep: several scenarios, each in its own folder, met by the same luck, then compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sim.cli import BAD_INPUT, DONE, OUR_FAULT, draw
from sim.cli.show import say, show_comparison
from sim.config.multirun import scenarios
from sim.store import CONFIG, MANIFEST, RunFolder, sweep_folder
from sim.sweep import Outcome, live_scenarios
from sim.tell.words import Words
from sim.workers import console

PAGE = "compare.html"


def sweep(overrides: list[str], resume: bool = False) -> int:
    """Live every scenario of the lists of values, compare them, and return the exit code.

    All settings, the counties' tables and the output folder are checked before the first scenario starts.
    """
    asked = [scenario.settings for scenario in scenarios(overrides)]
    outcomes = live_scenarios(asked, resume=resume)
    for settings, outcome in zip(asked, outcomes, strict=True):
        if outcome.folder is not None and outcome.folder.tell_as(settings.report):
            draw(outcome.folder)
    done = {outcome.scenario: outcome.folder.path for outcome in outcomes if outcome.folder is not None}
    if done:
        _compare(list(done), list(done.values()), sweep_folder(asked[0]), Words(asked[0].report.language))
    return _exit_code(outcomes)


def _compare(scenarios: list[str], folders: list[Path], study: RunFolder, word: Words) -> None:
    """Write the paired comparison with the first scenario and its page, if it is not there already, and show it."""
    if _is_compared(scenarios, folders, study):
        summary, page = study.read_table("summary"), study.path / PAGE
    else:
        from sim.judge.compare import compare
        from sim.tell.page import comparison

        summary = compare(folders)
        study.write_table("summary", summary)
        page = comparison(study.path)
    show_comparison(summary, word)
    say(word("terminal.comparison", place=page))


def _is_compared(scenarios: list[str], folders: list[Path], study: RunFolder) -> bool:
    """Tell whether these very scenarios were compared after the last of them was finished, or drawn anew."""
    written = [study.file("summary"), study.path / PAGE]
    if not all(file.is_file() for file in written):
        return False
    finished = [folder / name for folder in folders for name in (MANIFEST, CONFIG)]
    if max(file.stat().st_mtime_ns for file in finished) > min(file.stat().st_mtime_ns for file in written):
        return False
    return list(study.read_table("summary")["scenario"].unique()) == scenarios


def _exit_code(outcomes: Sequence[Outcome]) -> int:
    """Tell every failed scenario by name; 2 when all failures are bad input, 1 when one is our fault."""
    failed = [outcome for outcome in outcomes if outcome.folder is None]
    told = console()
    for outcome in failed:
        told.print(f"Scenario {outcome.scenario} failed: {outcome.fault}", markup=False, soft_wrap=True)
    if not failed:
        return DONE
    return BAD_INPUT if all(outcome.bad_input for outcome in failed) else OUR_FAULT
