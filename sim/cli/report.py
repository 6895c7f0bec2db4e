"""The verb `report`: draw a finished run again, or price it again in a folder beside it."""

from __future__ import annotations

from pathlib import Path

from sim.cli import DONE, draw
from sim.cli.show import say
from sim.config import Settings
from sim.store import RunFolder, run_at
from sim.tell.words import Words


def report(run_dir: str, words: list[str]) -> int:
    """Draw a run again as it is or in other words; price it again when prices, payers or rules of account change."""
    run = run_at(Path(run_dir))
    asked = run.settings
    if words:
        from sim.config.change import changed

        asked = changed(asked, words)
    if asked.hash() == run.settings.hash():
        run.tell_as(asked.report)
        draw(run)
        say(Words(asked.report.language)("terminal.report", place=run.path / "report.html"))
        return DONE
    return _reprice(run, asked, redraw=any(word.partition("=")[0].partition(".")[0] == "report" for word in words))


def _reprice(run: RunFolder, asked: Settings, redraw: bool) -> int:
    """Price a run again, or say that this was done before, and show where it lies; `redraw`: told as asked."""
    from sim.reprice import reprice
    from sim.store import repriced_folder

    before = repriced_folder(run, asked).finished
    found = reprice(run, asked)
    if before and redraw and found.tell_as(asked.report):
        draw(found)
    key = "terminal.priced_before" if before else "terminal.priced"
    say(Words(found.settings.report.language)(key, place=found.path / "report.html"))
    return DONE
