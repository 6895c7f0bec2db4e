"""What a person types: `python -m sim run | sweep | choose | sensitivity | compare | report | check | autumn`.

Nothing heavy is imported before the verb is known, so that `--help` answers at once.
Exit code 0: done; 2: bad input, told in plain sentences; 1: our fault.
"""

from __future__ import annotations

import argparse
import io
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sim import __version__
from sim.errors import BadInput, OurFault

if TYPE_CHECKING:
    from sim.store import RunFolder

DONE, OUR_FAULT, BAD_INPUT, STOPPED = 0, 1, 2, 130
VERBS = ("run", "sweep", "choose", "sensitivity", "compare", "report", "check", "autumn")
HYDRA_FLAGS = ("--cfg", "-c", "--info", "-i", "--resolve", "--package", "-p", "--hydra-help")
SWEEP_FLAGS = ("--multirun", "-m")

ABOUT = """Let a county live through the next ten years of school days before it closes a school.

Without a verb, `run` is meant: the reference county, six sampled weeks a year, and a report."""

SETTINGS = """Settings are written key=value; docs/settings.md has all of them. Some are:
  county=huichang             the county: a name in configs/county (or county.folder=PATH)
  closure=plan_2023           which schools close: plan_2023, none, under_30, under_100, listed
  calendar=sampled            weeks lived: smoke (1 a year), sampled (6), full (all)
  study.name=main             name of the study; its folder in the results
  study.years=10              number of school years, from study.first_year
  study.replications=10       how often each year is lived with other luck
  fleet.buses=90              number of buses (null: as many as needed); fleet.scale=1.2 multiplies it
  lodge.beds_scale=1.2        multiplies the beds; dine.windows_scale, dine.seats_scale alike
  report.language=zh          zh or en
  seed=7                      root of all luck"""


def main(words: Sequence[str] | None = None) -> int:
    """Do what was typed and return the exit code."""
    given = list(sys.argv[1:] if words is None else words)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a letter that a terminal lacks is shown as ?, and ends nothing
    try:
        return _verb(given)
    except BadInput as error:
        for message in error.messages:
            print(message, file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return STOPPED
    except OurFault as error:
        print(error, file=sys.stderr)
        return OUR_FAULT
    except Exception as error:
        return _our_fault(error)


def _our_fault(error: Exception) -> int:
    """Say in one sentence that the program, not the planner, is at fault, and show where."""
    import traceback

    print(f"The program made a mistake ({type(error).__name__}: {error}); this is where:", file=sys.stderr)
    traceback.print_exception(error)
    return OUR_FAULT


def _verb(words: list[str]) -> int:
    """Choose the verb and do it; `run` when none is given, `sweep` when Hydra's -m is."""
    if not words or (words[0] not in VERBS and words[0] not in ("-h", "--help", "--version")):
        words = ["run", *words]
    if words[0] == "run" and any(word in SWEEP_FLAGS for word in words):
        words = ["sweep", *words[1:]]
    if words[0] in ("sweep", "choose"):
        words = [word for word in words if word not in SWEEP_FLAGS]
    if words[0] in ("run", "sweep") and any(word.split("=")[0] in HYDRA_FLAGS for word in words[1:]):
        return _hydra(words[1:])
    arguments = _parser().parse_args(words)
    act: Callable[[argparse.Namespace], int] = arguments.act
    return act(arguments)


def _parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("sim", description=ABOUT, epilog=SETTINGS, formatter_class=as_written)
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB")

    def verb(name: str, act: Callable[[argparse.Namespace], int], says: str, more: str = "") -> None:
        one = verbs.add_parser(name, help=says, description=says, epilog=more, formatter_class=as_written)
        one.set_defaults(act=act)
        if name in ("compare", "report"):
            one.add_argument("folders", nargs="+" if name == "compare" else 1, metavar="RUN_DIR")
        if name != "compare":
            one.add_argument("settings", nargs="*", metavar="KEY=VALUE")
        if name in ("run", "sweep"):
            one.add_argument("--resume", action="store_true", help=RESUME_HELP)

    verb("run", _run, "Live one scenario and write its report.", SETTINGS + "\n\n" + HYDRA_HELP)
    verb("sweep", _sweep, "Live every combination of lists of values, then compare them.", SWEEP_HELP)
    verb("choose", _choose, "Choose the cheapest of many plans whose limits hold.", CHOOSE_HELP)
    verb(
        "sensitivity", _sensitivity, "Tell which uncertain settings decide (Sobol, Latin hypercube).", SENSITIVITY_HELP
    )
    verb("compare", _compare, "Compare finished runs, met by the same luck; the first is the base.")
    verb("report", _report, "Redraw a run from its files; at other prices, in a folder beside it.", REPORT_HELP)
    verb("check", _check, "Check a county's tables and the settings; list every error, change nothing.", CHECK_HELP)
    verb("autumn", _autumn, "Add the rolls of pupils.csv to history.csv as those of a new year.", AUTUMN_HELP)
    return parser


RESUME_HELP = "go on with what was stopped, as the same command does without it; refuse where that cannot be"
HYDRA_HELP = "Hydra's own flags go on working: --cfg job, --info, -m (= sweep)."
SWEEP_HELP = """A list of values is written with commas, without spaces:
  python -m sim sweep fleet.scale=0.8,1.0,1.2 lodge.beds_scale=0.8,1.0,1.2     nine scenarios
Each scenario gets a folder in results/<study.name>/; the first one is the base of the comparison."""
CHOOSE_HELP = """Plans are lists of values, as in a sweep:
  python -m sim choose fleet.scale=0.8,0.9,1.0 lodge.beds_scale=1.0,1.1,1.2 study.name=cheapest
  python -m sim choose fleet.scale=0.8,1.0 'choose.limits=[left_behind, late]' choose.probability=0.9
docs/choose.md says how it is done and how sure the answer is. Asked again, it goes on where it was stopped."""
SENSITIVITY_HELP = """Examples (docs/sensitivity.md has more):
  python -m sim sensitivity sensitivity=births_and_buses study.years=1 calendar.weeks_per_year=2 study.replications=1
  python -m sim sensitivity sensitivity.method=lhs sensitivity.n=100
  python -m sim sensitivity sensitivity.method=one_at_a_time 'sensitivity.outputs=[late_pupils,bed_refused]'
What is drawn stands in configs/sensitivity. Typed again, what was lived is not lived again."""
REPORT_HELP = """Examples:
  python -m sim report results/main/base
  python -m sim report results/main/base report.language=zh report.audience=internal
The same days at other prices, payers or rules of account, without simulating, in a folder beside the run:
  python -m sim report results/main/base prices.bus_km.central=3
  python -m sim report results/main/base 'account.payers.bus_running={county: 0.8, family: 0.2}' account.fare_months=9
  python -m sim report results/main/base prices=jiangxi_2023
All other settings change what is lived: that is another run."""
CHECK_HELP = """Examples:
  python -m sim check county=huichang
  python -m sim check county.folder=path/to/tables
  python -m sim check county.folder=path/to/tables closure=none enrol=history study.years=20
A county's own bus runs (runs.csv) are held against all limits and scored beside planned ones, too."""
AUTUMN_HELP = """Every autumn: replace pupils.csv by the new rolls, then
  python -m sim autumn county.folder=path/to/tables study.first_year=2024
  python -m sim run    county.folder=path/to/tables study.first_year=2024
The rolls of the years before stay in history.csv as they are."""


def _hydra(words: list[str]) -> int:
    """Let Hydra answer its own flags, after a look at the settings."""
    from sim.config.compose import compose
    from sim.config.multirun import answer_with_hydra

    compose([word for word in words if "=" in word and not word.startswith("-")])
    return answer_with_hydra(words)


def _run(arguments: argparse.Namespace) -> int:
    """Live one scenario, or say that it is finished already, and show what came out."""
    from sim.cli.show import show_run
    from sim.config import load

    settings = load(arguments.settings)
    from sim.sweep import run

    folder = run(settings, arguments.resume)
    if folder.tell_as(settings.report):
        draw(folder)
    show_run(folder.path)
    return DONE


def _sweep(arguments: argparse.Namespace) -> int:
    """Live all combinations and compare them."""
    from sim.cli.sweep import sweep

    return sweep(arguments.settings, arguments.resume)


def _choose(arguments: argparse.Namespace) -> int:
    """Choose among all combinations."""
    from sim.cli.choose import choose

    return choose(arguments.settings)


def _sensitivity(arguments: argparse.Namespace) -> int:
    """Draw uncertain settings, live them, and tell which decide."""
    from sim.cli.sensitivity import sensitivity

    return sensitivity(arguments.settings)


def _compare(arguments: argparse.Namespace) -> int:
    """Compare finished runs in the terminal, in the language of the first."""
    from pathlib import Path

    from sim.cli.show import show_comparison
    from sim.store import RunFolder, run_at

    folders = [run_at(Path(name)).path for name in arguments.folders]
    if len(set(folders)) < 2:
        raise BadInput("compare: give the folders of at least two different runs.")
    from sim.judge.compare import compare
    from sim.tell.words import Words

    show_comparison(compare(folders), Words(RunFolder(folders[0]).settings.report.language))
    return DONE


def _report(arguments: argparse.Namespace) -> int:
    """Redraw everything that is for people, at other prices if they are given."""
    from sim.cli.report import report

    return report(arguments.folders[0], arguments.settings)


def draw(folder: RunFolder) -> None:
    """Draw report, workbook and figures from the files of a run."""
    from sim.reprice import tell

    tell(folder)


def _check(arguments: argparse.Namespace) -> int:
    """Tell every error in a county's tables and in what the settings ask of them, and how its bus runs keep limits."""
    from sim.config import load

    settings = load(arguments.settings)
    choice = settings.county
    from sim.county import check_county, read_county

    errors = check_county(choice.path)
    if errors:
        raise BadInput(*errors, f"{choice.name}: {_count(errors)} in {choice.path}.")
    county = read_county(choice.path)
    from functools import partial

    from sim.check import problems
    from sim.errors import refusals
    from sim.workers import check_executor

    errors = problems(settings, county) + refusals(partial(check_executor, settings))
    if errors:
        raise BadInput(*errors, f"{choice.name}: no errors in {choice.path}, but {_count(errors)} in the settings.")
    from sim.cli.service import show_runs
    from sim.study import check_runs

    broken = show_runs(check_runs(settings, county), settings)
    from sim.cli.show import say
    from sim.tell.words import Words

    word = Words(settings.report.language)
    sizes = {"townships": len(county.townships.id), "schools": len(county.schools.id)}
    sizes |= {"hamlets": len(county.hamlets.id), "pupils": int(county.pupils.sum())}
    told = [word("terminal.checked", county=word.term("county", choice.name), **sizes)]
    say(word.speak([*told, *([word("terminal.broken", count=broken)] if broken else [])]))
    return DONE


def _autumn(arguments: argparse.Namespace) -> int:
    """Add a year to a county's history."""
    from sim.cli.show import say
    from sim.config import load
    from sim.county.autumn import add_year
    from sim.tell.words import Words

    settings = load(arguments.settings)
    choice, year, word = settings.county, settings.study.first_year, Words(settings.report.language)
    rows = add_year(choice.path, year)
    say(word("terminal.year_added", file=choice.path / "history.csv", rows=rows, year=year))
    say(word("terminal.next", command=shlex.join(["python", "-m", "sim", "run", *arguments.settings])))
    return DONE


def _count(errors: list[str]) -> str:
    return f"{len(errors)} error{'s' * (len(errors) > 1)}"
