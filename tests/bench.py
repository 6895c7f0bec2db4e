"""How fast it is: ratios measured in one run, and times where a promise is made in seconds.

    python tests/bench.py [--workers] [--run]
    python tests/bench.py --pages results/main/base

`--workers` adds two workers against one, `--run` the whole reference run; each takes some minutes. `--pages` measures
the pages of a finished run, and nothing else. Compilation is left out: everything is done once before it is timed.
Each figure is the best of several tries, because what disturbs a measurement only ever makes it slower.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import county_day
import numpy as np
import oracle
import stations
from bench_growth import grown
from bench_pages import opened, redrawn
from bench_stations import c_canteen
from living import job, lived

from sim.chance import YearLuck
from sim.config import Settings, load
from sim.live import Job, counts, live_year, lived_weeks, term_of
from sim.measure.scene import Scene
from sim.measure.year import Tally
from sim.operate import dine, drive, lodge, wash
from sim.operate.day import Week, live, sizes
from sim.operate.diary import Diary, blank
from sim.operate.luck import WeekLuck, paper, week_luck
from sim.operate.stage import Stage, stage
from sim.study import make_plan
from sim.sweep import run
from sim.workers import crew

REFERENCE = ("county=huichang", "study.years=1", "study.replications=1", "executor=serial")
FULL = (*REFERENCE, "calendar=full", "study.keep_events=[]")
DAYS = 2
"""A week of two days: with a night, a breakfast and a bus of lodgers each way."""
SCHOOL_WEEK = 5
TIMES = (1, 10, 100)
COMPILED = (
    (drive, ("strand", "claims", "collect", "unload", "embark", "deliver", "hand_over")),
    (dine, ("_county_sitting",)),
    (wash, ("pass_lines",)),
    (lodge, ("loss",)),
)
"""What a week calls of compiled code."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    what: str
    value: str
    promise: str = ""
    kept: bool = True


@dataclass(frozen=True, slots=True)
class Scenery:
    """One week of the reference county, ready to be lived again and again."""

    settings: Settings
    scene: Scene
    stage: Stage
    luck: WeekLuck
    diary: Diary
    days: int

    def live(self) -> Diary:
        """Live the week."""
        return live(Week(self.settings, self.stage, self.luck, self.diary))

    def measure(self) -> None:
        """Measure it."""
        Tally(self.scene, daily=False).add(self.scene, 1, 1.0, self.diary)


def best(act: Callable[[], object], tries: int = 5) -> float:
    """Return the shortest of several times of an act, in seconds, after one that does not count."""
    act()
    return min(seconds(act) for _ in range(tries))


def seconds(act: Callable[[], object]) -> float:
    """Return how long an act takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def scenery(reference: Job, days: int) -> Scenery:
    """Return a week of so many days, lived once."""
    luck, calendar = YearLuck(reference.settings.seed, 0, reference.plan.years[0].year), reference.county.calendar
    week = int(lived_weeks(reference, luck).week[0])
    term = term_of(calendar, int(np.flatnonzero(calendar.week == week)[0]))
    scene, diary, fortune = lived(reference, week=week, days=days)
    coming = counts(reference, 0)[0]
    set_up = stage(reference.county, reference.settings, reference.ways, reference.plan.years[0], coming, luck, term)
    return Scenery(reference.settings, scene, set_up, fortune, diary, days)


def sittings() -> list[Figure]:
    """Compare one big sitting with one SimPy process per pupil, and with C, on the same draws."""
    rng = np.random.default_rng(1)
    arrive, service, eat = rng.uniform(0, 600, 20_000), rng.lognormal(-2, 0.4, 20_000), rng.lognormal(2.4, 0.25, 20_000)
    sitting = (arrive, service, eat, np.zeros(6), np.full(6, np.inf), 300, 1e6, 20_000)

    def same(other: Callable[..., tuple[np.ndarray, ...]]) -> bool:
        pairs = zip(stations.canteen(*sitting), other(*sitting), strict=True)
        return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in pairs)

    fast, slow = best(lambda: stations.canteen(*sitting), 40), best(lambda: oracle.canteen(*sitting), 2)
    figures = [
        Figure(
            "station against SimPy processes, 20,000 pupils, 6 windows, 300 seats",
            f"{slow / fast:.0f} x", ">= 200 x", slow / fast >= 200,
        ),
        Figure("  the same waits, to the last bit", str(same(oracle.canteen)), "True", same(oracle.canteen)),
        Figure("  time per pupil through windows and seats", f"{fast / 20_000 * 1e6:.2f} us"),
    ]  # fmt: skip
    if shutil.which("gcc") is None:
        return figures
    in_c = c_canteen()
    pairs = [(best(lambda: stations.canteen(*sitting), 20), best(lambda: in_c(*sitting), 20)) for _ in range(3)]
    ratio = min(ours for ours, _ in pairs) / min(theirs for _, theirs in pairs)
    return [
        *figures,
        Figure("station against the same recursion in C (gcc -O3)", f"{ratio:.2f} x", "<= 1.4 x", ratio <= 1.4),
        Figure("  the same waits, to the last bit", str(same(in_c)), "True", same(in_c)),
    ]


def county_day_against_simpy(week: Scenery) -> list[Figure]:
    """Compare living and measuring with the plain SimPy model of the same week, and with its recursions alone."""
    living, measuring = best(week.live, 8), best(week.measure, 8)
    plain = [county_day.County(week.settings, week.stage, week.luck, {}) for _ in range(2)]
    gc.disable()  # so many processes keep the collector busy; that is not what is compared
    slow = min(seconds(county.env.run) for county in plain)
    gc.enable()
    bare = recursions_alone(week)
    against_simpy, against_bare = slow / (living + measuring), (living + measuring) / bare
    return [
        Figure(
            "county-day, lived and measured, against plain SimPy with a process per pupil",
            f"{against_simpy:.0f} x", ">= 80 x", against_simpy >= 80,
        ),
        Figure("  plain SimPy", f"{slow / week.days * 1e3:.0f} ms"),
        Figure(
            "county-day, lived and measured, against the compiled recursions alone",
            f"{against_bare:.1f} x", "<= 3 x", against_bare <= 3,
        ),
        Figure("  the recursions alone", f"{bare / week.days * 1e3:.1f} ms"),
    ]  # fmt: skip


@contextmanager
def recorded(calls: list[tuple[Callable[..., object], tuple[object, ...]]]) -> Iterator[None]:
    """Note every call of compiled code."""

    def noting(act: Callable[..., object]) -> Callable[..., object]:
        def noted(*given: object) -> object:
            calls.append((act, given))
            return act(*given)

        return noted

    usual = [(room, name, getattr(room, name)) for room, names in COMPILED for name in names]
    for room, name, act in usual:
        setattr(room, name, noting(act))
    try:
        yield
    finally:
        for room, name, act in usual:
            setattr(room, name, act)


def recursions_alone(week: Scenery) -> float:
    """Return the seconds of the compiled recursions of a week in a plain loop, on what they were given in it."""
    calls: list[tuple[Callable[..., object], tuple[object, ...]]] = []
    with recorded(calls):
        week.live()

    def replay() -> None:
        for act, given in calls:
            act(*given)

    times = []
    for _ in range(8):
        week.diary.wipe()  # nobody has embarked yet; not timed
        times.append(seconds(replay))
    return min(times[1:])


def parts_of_a_day(reference: Job, week: Scenery) -> list[Figure]:
    """Time a county-day with everything, in a school year of which every day is lived, and what it is made of."""
    full = replace(reference, settings=load(list(FULL)))
    days = int(reference.county.calendar.days.sum())
    year = min(seconds(lambda: live_year(full, 0, 0)) for _ in range(2)) / days
    luck, sheet = YearLuck(0, 0, reference.plan.years[0].year), paper(week.stage, week.days)
    draws = best(lambda: week_luck(week.settings, week.stage, luck, 1, week.luck.conditions, sheet))
    measures, pupils = best(week.measure, 8) / week.days, len(week.scene.pupils)
    return [
        Figure(
            f"county-day of {pupils:,} pupils with everything, in a year of {days} days",
            f"{year * 1e3:.1f} ms", "<= 40 ms", year <= 0.040,
        ),
        Figure("  of it draws", f"{draws / week.days * 1e3:.1f} ms"),
        Figure("  of it living the day (SimPy and stations)", f"{best(week.live, 8) / week.days * 1e3:.1f} ms"),
        Figure("  of it measures", f"{measures * 1e3:.1f} ms", "<= 8 ms", measures <= 0.008),
    ]  # fmt: skip


def growth(reference: Job) -> list[Figure]:
    """Live a day of the county once, ten and a hundred times over; report the time per pupil."""
    day, figures, first = scenery(reference, 1), [], 0.0
    for k in TIMES:
        set_up, fortune = grown(day.stage, day.luck, k)
        big = Scenery(day.settings, day.scene, set_up, fortune, blank(1, sizes(set_up)), 1)
        each = best(big.live, 8 if k == 1 else 3 if k < 50 else 2) / len(set_up.pupils)
        first = first or each
        figures.append(
            Figure(
                f"a day lived by {len(set_up.pupils):,} pupils, per pupil", f"{each * 1e6:.2f} us",
                "" if k == 1 else f"<= {first * 1e6:.2f} us", each <= 1.1 * first,
            )
        )  # fmt: skip
        del set_up, fortune, big
        gc.collect()
    return figures


def memory() -> list[Figure]:
    """Read the most memory that a process uses that lives a whole year, every day of it."""
    code = (
        "import resource; from bench import FULL; from living import job; from sim.live import live_year;"
        "live_year(job(*FULL), 0, 0); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    if sys.platform == "win32":
        return []
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=_environment())
    gigabytes = int(done.stdout.split()[-1]) / 2**20
    return [Figure("memory of one worker at most", f"{gigabytes:.2f} GB", "<= 1 GB", gigabytes <= 1)]


def _environment() -> dict[str, str]:
    import os

    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


def workers(reference: Job) -> list[Figure]:
    """Compare two workers with one on some full years."""
    full = replace(reference, settings=load(list(FULL)))
    act = partial(live_rows, full)

    def lived_by(many: int) -> float:
        with crew(load([*FULL, f"study.workers={many}"])) as hired:
            return seconds(lambda: hired.results(act, range(8)))

    one, two = lived_by(1), lived_by(2)
    return [Figure("two workers against one, eight full years", f"{one / two:.2f} x", ">= 1.8 x", one / two >= 1.8)]


def live_rows(full: Job, replication: int) -> int:
    """Live a year; return the number of its measures."""
    return len(live_year(full, replication, 0)["measures"])


def plan(reference: Job) -> list[Figure]:
    """Time the plans of ten years, nothing remembered, on all cores."""
    settings = load(["county=huichang"])
    took = seconds(lambda: make_plan(settings, reference.county, reference.ways.dry))
    return [Figure("plans of ten years", f"{took:.0f} s", "<= 60 s", took <= 60)]


def help_text() -> list[Figure]:
    """Time `python -m sim --help` as a whole process."""
    took = best(lambda: subprocess.run([sys.executable, "-m", "sim", "--help"], check=True, capture_output=True))
    return [Figure("python -m sim --help", f"{took:.2f} s", "<= 1.5 s", took <= 1.5)]


def whole_run() -> list[Figure]:
    """Time the main job as a whole: ten years, six weeks a year, ten replications."""
    with tempfile.TemporaryDirectory() as folder:
        took = seconds(lambda: run(load(["county=huichang", f"study.out={folder}"])))
    return [Figure("the whole reference run, report included", f"{took:.0f} s", "<= 200 s", took <= 200)]


def pages(run: Path) -> list[Figure]:
    """Draw a copy of a finished run anew and open its pages, and the comparison beside it, as far as they are there."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(run, Path(folder) / run.name))
        took = redrawn(copy)
        figures = [Figure("pages of a finished run, drawn anew", f"{took:.1f} s", "<= 20 s", took <= 20)]
        files = [copy / "report.html", copy / "replay.html", run.parent / "compare.html"]
        files = [file for file in files if file.is_file()]
        for file, wait in zip(files, opened(files), strict=True):
            size = file.stat().st_size / 1e6
            figures.append(Figure(f"{file.name}, until its first chart is seen", f"{wait:.2f} s", "<= 2 s", wait <= 2))
            figures.append(Figure("  its size", f"{size:.1f} MB", "<= 8 MB", size <= 8))
    return figures


def everything(workers_too: bool, run_too: bool) -> list[Figure]:
    """Measure all that needs no finished run."""
    first = memory()  # a child begins with the peak of its parent
    reference = job(*REFERENCE)
    short, week = scenery(reference, DAYS), scenery(reference, SCHOOL_WEEK)
    figures = [*sittings(), *parts_of_a_day(reference, week), *county_day_against_simpy(short), *growth(reference)]
    figures += [*first, *plan(reference), *help_text()]
    figures += workers(reference) if workers_too else []
    return figures + (whole_run() if run_too else [])


def main() -> int:
    """Print the table; the exit code is 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", action="store_true", help="also two workers against one")
    parser.add_argument("--run", action="store_true", help="also the whole reference run")
    parser.add_argument("--pages", type=Path, metavar="RUN", help="only the pages of a finished run")
    wanted = parser.parse_args()
    figures = pages(wanted.pages) if wanted.pages else everything(wanted.workers, wanted.run)
    width = max(len(figure.what) for figure in figures)
    for figure in figures:
        mark = "" if not figure.promise else "kept" if figure.kept else "MISSED"
        print(f"{figure.what:<{width}}  {figure.value:>9}  {figure.promise:>10}  {mark}")
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
