"""How fast it is: ratios measured in one run, and times where a promise is made in seconds.

    python tests/bench.py [--run]      `--run` adds the whole reference run, which takes a few minutes

Compilation is left out: everything is done once before it is timed. Each figure is the best of several tries,
because what disturbs a measurement only ever makes it slower.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import oracle
from living import job, lived

from sim.live import Job, counts, live_year
from sim.operate import station
from sim.operate.day import Week, live
from sim.study import make_plan, run

REFERENCE = ("county=huichang", "study.years=1", "study.replications=1", "executor=serial")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    what: str
    value: str
    promise: str
    kept: bool


def best(act: Callable[[], object], tries: int = 5) -> float:
    """Return the shortest of several times of an act, in seconds, after one that does not count."""
    act()
    times = []
    for _ in range(tries):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return min(times)


def stations() -> list[Figure]:
    """Compare one big sitting with one SimPy process per pupil, on the same draws."""
    rng = np.random.default_rng(1)
    arrive, service, eat = rng.uniform(0, 600, 20_000), rng.lognormal(-2, 0.4, 20_000), rng.lognormal(2.4, 0.25, 20_000)
    sitting = (arrive, service, eat, 6, 300, 1e6)
    same = all(
        np.array_equal(a, b, equal_nan=True)
        for a, b in zip(station.canteen(*sitting), oracle.canteen(*sitting), strict=True)
    )
    fast, slow = best(lambda: station.canteen(*sitting), 20), best(lambda: oracle.canteen(*sitting), 2)
    return [
        Figure(
            "station against SimPy processes, 20,000 pupils, 6 windows, 300 seats",
            f"{slow / fast:.0f} x", ">= 150 x", slow / fast >= 150,
        ),
        Figure("  the same waits, to the last bit", str(same), "True", same),
        Figure("  time per pupil through windows and seats", f"{fast / 20_000 * 1e6:.2f} us", "", True),
    ]  # fmt: skip


def county_day(reference: Job) -> list[Figure]:
    """Time a county-day: draws, week, measures; and the SimPy part alone."""
    year = best(lambda: live_year(reference, 0, 0), 4)
    days = 5 * reference.settings.calendar.weeks_per_year
    scene, _, luck = lived(reference, days=5)
    week = best(lambda: live(Week(reference.settings, reference.travel, scene.pupils, scene.table, luck)), 5)
    coming = int(counts(reference, 0)[0][~reference.county.hamlets.is_town].sum())
    return [
        Figure(
            f"county-day of {coming:,} pupils outside town, draws and measures included",
            f"{year / days * 1e3:.0f} ms", "<= 60 ms", year / days <= 0.060,
        ),
        Figure("  of it living the day (SimPy and stations)", f"{week / 5 * 1e3:.0f} ms", "", True),
    ]  # fmt: skip


def memory() -> list[Figure]:
    """Read the most memory this process (county, plan, weeks, everything) has used so far."""
    try:
        import resource
    except ImportError:  # not on Windows
        return []
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return [Figure("memory of one worker at most", f"{gigabytes:.2f} GB", "<= 1.5 GB", gigabytes <= 1.5)]


def plan(reference: Job) -> list[Figure]:
    """Time the plans of ten years, nothing remembered, on all cores."""
    from sim.config import load

    settings = load(["county=huichang"])
    began = time.perf_counter()
    make_plan(settings, reference.county, reference.travel)
    seconds = time.perf_counter() - began
    return [Figure("plans of ten years", f"{seconds:.0f} s", "<= 60 s", seconds <= 60)]


def help_text() -> list[Figure]:
    """Time `python -m sim --help` as a whole process."""
    seconds = best(lambda: subprocess.run([sys.executable, "-m", "sim", "--help"], check=True, capture_output=True))
    return [Figure("python -m sim --help", f"{seconds:.2f} s", "<= 1.5 s", seconds <= 1.5)]


def whole_run() -> list[Figure]:
    """Time the main job as a whole: ten years, six weeks a year, ten replications."""
    from sim.config import load

    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        run(load(["county=huichang", f"study.out={folder}"]))
        seconds = time.perf_counter() - began
    return [Figure("the whole reference run, report included", f"{seconds:.0f} s", "<= 200 s", seconds <= 200)]


def main() -> int:
    """Print the table; the exit code is 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", action="store_true", help="also the whole reference run")
    wanted = parser.parse_args()
    reference = job(*REFERENCE)
    figures = [*stations(), *county_day(reference), *memory(), *plan(reference), *help_text()]
    figures += whole_run() if wanted.run else []
    width = max(len(figure.what) for figure in figures)
    for figure in figures:
        mark = "" if not figure.promise else "kept" if figure.kept else "MISSED"
        print(f"{figure.what:<{width}}  {figure.value:>9}  {figure.promise:>9}  {mark}")
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
