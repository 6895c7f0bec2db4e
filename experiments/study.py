"""What all studies share: the words on their command line, living their scenarios, saving figure and data.

A study is one file: a header, a table made of finished runs, a figure made of the table. Its design is the experiment
of the same name in configs/experiment, so that `python -m sim sweep experiment=NAME` lives the same scenarios.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.config import Settings
from sim.config.multirun import scenarios
from sim.errors import BadInput
from sim.judge.compare import compare, headlines
from sim.measure.interval import CONFIDENCE, mean_interval
from sim.store import RunFolder
from sim.sweep import Outcome, live_scenarios
from sim.tell.style import BLUE, GREY, as_svg, from_zero, styled

HERE = Path(__file__).resolve().parent
TINY = (
    "county=three_villages",
    "calendar=smoke",
    "study.years=1",
    "study.replications=2",
    "executor=serial",
    "account.price_draws=50",
)
"""Settings of `--smoke`: everything is done, nothing is learnt."""
LABELS = {
    "pupils_left_behind": "left behind (pupil-days a year)",
    "bed_refused": "without a bed (pupil-days a year)",
    "late_pupils": "late (pupil-days a year)",
    "meals_unserved": "meals missed (a year)",
    "eating_min_short": "under 20 minutes to eat (pupil-days a year)",
    "window_wait_min_p95": "wait at window, 95 % (min)",
    "ride_min_mean": "mean ride (min)",
    "ride_min_p95": "95 % ride less (min)",
    "pupil_days_harmed": "harmed (pupil-days a year)",
    "severity": "harm, weighed (pupil-days a year)",
    "buses_owned": "buses",
    "cost_yuan_per_year": "cost (million yuan a year)",
}
MILLION = 1e6


class Failed(Exception):
    """Scenarios that did not come to their end; the message tells each by name."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished scenario."""

    settings: Settings
    folder: RunFolder


@dataclass(frozen=True, slots=True)
class Live:
    """Lives the scenarios of a study; with other settings than its own where some are given."""

    words: tuple[str, ...]

    def __call__(self, *others: str) -> list[Run]:
        """Return the finished scenarios in their order; those finished before are not lived again."""
        asked = [scenario.settings for scenario in scenarios([*self.words, *others])]
        ended = live_scenarios(asked, extent="tables")
        refuse_failed(ended)
        return [Run(one, end.folder) for one, end in zip(asked, ended, strict=True) if end.folder is not None]


def refuse_failed(ended: Sequence[Outcome]) -> None:
    """Raise Failed when any scenario did not come to its end."""
    failed = [f"Scenario {one.scenario} failed: {one.fault}" for one in ended if one.folder is None]
    if failed:
        raise Failed("\n".join(failed))


@dataclass(frozen=True, slots=True)
class Study:
    """A question: the file that asks it, how its table is made and drawn, and what makes it tiny."""

    file: str
    title: str
    table: Callable[[Live], pd.DataFrame]
    draw: Callable[[pd.DataFrame], Figure]
    smoke: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the name of the study, which is also that of its experiment."""
        return Path(self.file).stem

    def main(self, words: Sequence[str] | None = None) -> int:
        """Answer from the command line; 0 done, 2 bad input, 1 a scenario failed."""
        parser = argparse.ArgumentParser(self.name, description=self.title)
        parser.add_argument("--smoke", action="store_true", help="tiny settings, into a temporary folder")
        parser.add_argument(
            "--out", type=Path, help="folder of the answers (results/ with other settings than the design's)"
        )
        parser.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="other settings than the design's")
        given = parser.parse_args(words)
        usual = Path("results") if given.settings else HERE  # the answers in experiments/ are those of the design
        out = given.out or (Path(tempfile.mkdtemp(prefix="studies-")) if given.smoke else usual)
        results = (out.resolve() / "results").as_posix().replace("'", "\\'")  # in quotes: a path may hold any letter
        tiny = (*TINY, *self.smoke, f"study.out='{results}'") if given.smoke else ()
        try:
            self.answer(out / self.name, (*tiny, *given.settings))
        except BadInput as error:
            print(*error.messages, sep="\n", file=sys.stderr)
            return 2
        except Failed as error:
            print(error, file=sys.stderr)
            return 1
        return 0

    def answer(self, out: Path, words: Sequence[str] = ()) -> None:
        """Live the scenarios and write figure.svg and data.csv into a folder; the data is printed, too."""
        data = self.table(Live((f"experiment={self.name}", *words)))
        with styled(self.name):
            figure = as_svg(self.draw(data), self.title)
        out.mkdir(parents=True, exist_ok=True)
        data.to_csv(out / "data.csv", index=False, float_format="%.6g", lineterminator="\n")
        (out / "figure.svg").write_text(figure, encoding="utf-8", newline="\n")
        print(f"{self.title}\n\n{data.to_string(index=False, float_format='{:,.6g}'.format, na_rep='')}\n\n{out}")


def headline(run: Run) -> pd.DataFrame:
    """Return the county's measures in the mean of a year: one row for each replication."""
    return headlines(run.folder.path)[1]


def interval(values: Any, confidence: float = CONFIDENCE) -> tuple[float, float, float]:
    """Return mean, low and high of some values."""
    mean, low, high = mean_interval(np.asarray(values, dtype=float)[None, :], confidence)
    return float(mean[0]), float(low[0]), float(high[0])


def compared(runs: Sequence[Run], measures: Sequence[str], **keys: Callable[[Settings], Any]) -> pd.DataFrame:
    """Return each measure of each run with its interval, and its difference to the first run; money in million yuan.

    One row per run and measure: the keys, read from the settings, then measure, mean, low, high, diff_mean, diff_low,
    diff_high. Means are over the years; intervals over replications (95 %).
    """
    told = compare([run.folder.path for run in runs]).set_index(["scenario", "measure"])
    columns = ["mean", "low", "high", "diff_mean", "diff_low", "diff_high"]
    rows = []
    for run in runs:
        read = {key: act(run.settings) for key, act in keys.items()}
        for measure in measures:
            numbers = told.loc[(run.settings.scenario, measure), columns]
            numbers = numbers / MILLION if "yuan" in measure else numbers
            rows.append({**read, "measure": measure, **numbers.to_dict()})
    return pd.DataFrame(rows)


def whiskers(axes: Any, where: Any, rows: pd.DataFrame, of: str = "", along: str = "x", **how: Any) -> None:
    """Draw means as dots and their intervals as whiskers; `of`: "diff_" for differences; along: the axis of places."""
    mean, low, high = (rows[f"{of}{name}"].to_numpy(dtype=float) for name in ("mean", "low", "high"))
    look = {"fmt": "o", "color": BLUE, "capsize": 2.5, "markersize": 4, "elinewidth": 1.2} | how
    ends = [np.maximum(mean - low, 0.0), np.maximum(high - mean, 0.0)]  # a mean of few may lie outside of its resamples
    if along == "x":
        axes.errorbar(where, mean, yerr=ends, **look)
    else:
        axes.errorbar(mean, where, xerr=ends, **look)
    if of:
        (axes.axhline if along == "x" else axes.axvline)(0, color=GREY, linewidth=0.7)
    elif along == "x":
        from_zero(axes)
