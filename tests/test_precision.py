"""Replications until the means are as sure as was asked for: by hand, and against known distributions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sim.check import problems
from sim.config import load
from sim.config.work import Study
from sim.county import County
from sim.errors import BadInput
from sim.judge.compare import HOW, LIVED, lived_means
from sim.judge.precision import COLUMNS, reached, wanted

Draw = Callable[[np.random.Generator, int], np.ndarray]


ASKED = load([]).study


def study(
    precision: float | None, least: int = 10, most: int = 200, measures: tuple[str, ...] = ("late_pupils",)
) -> Study:
    changes = {"precision": precision, "replications": least, "replications_most": most}
    return ASKED.model_copy(update=changes | {"precision_measures": measures})


def told(*values: float, measure: str = "late_pupils") -> pd.DataFrame:
    return pd.DataFrame({measure: values}).rename_axis("replication")


def lived(draw: Draw, seed: int, asked: Study) -> pd.DataFrame:
    """Live round after round until nothing more is wanted; the luck of a replication does not depend on the rounds."""
    luck = draw(np.random.default_rng(seed), asked.replications_most)
    have, rounds = 0, []
    while (more := wanted(told(*luck[:have]), asked)) > have:
        rounds.append(more)
        have = more
    assert rounds == sorted(set(rounds))
    return told(*luck[:have])


def covers(draw: Draw, truth: float, asked: Study, studies: int = 120) -> tuple[float, float]:
    """Return the share of studies whose interval holds the truth, and the mean number of replications."""
    hits, used = 0, 0
    for seed in range(studies):
        values = lived(draw, seed, asked)
        row = reached(values, asked).iloc[0]
        hits += abs(row["mean"] - truth) <= row["half_width"]
        used += len(values)
        assert asked.replications <= len(values) <= asked.replications_most
        assert row["reached"] or len(values) == asked.replications_most
    return hits / studies, used / studies


def normal(luck: np.random.Generator, size: int) -> np.ndarray:
    return luck.normal(10.0, 3.0, size)


def skewed(luck: np.random.Generator, size: int) -> np.ndarray:
    return luck.gamma(2.0, 5.0, size)  # mean 10, skewness 1.4


# --- how precise it is ---


def test_the_precision_of_a_mean_by_hand() -> None:
    """1, 2, 4, 7: mean 3.5, s^2 = 7, half-width t(3) sqrt(7 / 4) = 3.182 x 1.323."""
    row = reached(told(1.0, 2.0, 4.0, 7.0), study(0.5)).iloc[0]
    half = 3.182446 * np.sqrt(7 / 4)
    assert list(row.index) == list(COLUMNS)
    assert (row["mean"], row["replications"], row["wanted"]) == (3.5, 4, 0.5)
    assert (row["half_width"], row["relative"]) == pytest.approx((half, half / 3.5), rel=1e-6)
    assert not row["reached"]
    assert reached(told(1.0, 2.0, 4.0, 7.0), study(1.3)).iloc[0]["reached"]


def test_a_measure_that_is_always_nothing_is_as_precise_as_can_be() -> None:
    row = reached(told(0.0, 0.0, 0.0), study(0.1)).iloc[0]
    assert row["reached"]
    assert (row["half_width"], row["relative"]) == (0, 0)


def test_a_measure_that_no_replication_has_keeps_nobody_waiting() -> None:
    row = reached(told(1.0, 2.0, measure="bus_km"), study(0.1)).iloc[0]
    assert row["reached"]
    assert np.isnan(row["mean"])
    assert row["replications"] == 0


def test_one_replication_is_never_precise() -> None:
    assert not reached(told(5.0), study(10.0)).iloc[0]["reached"]


# --- how many are wanted next ---


def test_without_a_precision_the_stated_number_is_lived() -> None:
    assert [wanted(told(*range(have)), study(None)) for have in (0, 4, 10, 12)] == [10, 10, 10, 12]


def test_first_come_the_fewest_then_as_many_as_the_present_spread_asks_for() -> None:
    values = told(*np.tile([7.0, 13.0], 5))  # mean 10, s = sqrt(90 / 9 * ...) as numpy has it
    spread = values["late_pupils"].std(ddof=1)
    asked = study(0.2)
    assert wanted(values.iloc[:0], asked) == 10
    enough = next(n for n in range(11, 99) if stats.t.ppf(0.975, n - 1) * spread / np.sqrt(n) <= 0.2 * 10)
    assert wanted(values, asked) == enough
    assert 10 < enough < 20
    assert wanted(values, study(0.5)) == 10


@pytest.mark.parametrize(("have", "most", "next_round"), [(10, 200, 20), (10, 13, 13), (10, 10, 10), (1, 200, 2)])
def test_a_round_at_most_doubles_and_ends_at_the_most(have: int, most: int, next_round: int) -> None:
    values = told(*np.geomspace(1.0, 1e4, 10)[:have])
    assert wanted(values, study(0.001, least=min(have, 10), most=most)) == next_round


def test_the_widest_of_the_named_measures_decides() -> None:
    values = told(*np.tile([9.0, 11.0], 5)).assign(bed_refused=np.tile([7.0, 13.0], 5), bus_km=np.geomspace(1, 1e6, 10))
    alone = wanted(values, study(0.2, measures=("bed_refused",)))
    assert wanted(values, study(0.2)) == 10
    assert wanted(values, study(0.2, measures=("late_pupils", "bed_refused"))) == alone > 10


def test_more_precision_never_asks_for_fewer() -> None:
    values = told(*normal(np.random.default_rng(3), 12))
    asked = [wanted(values, study(precision)) for precision in (1.0, 0.3, 0.2, 0.15, 0.1, 0.01)]
    assert asked == sorted(asked)
    assert (asked[0], asked[-1]) == (12, 24)


# --- how often the interval is right ---


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    """400 studies: the standard error of the share is 1.1 points; 2 points below 95 % are the price of stopping."""
    share, used = covers(normal, 10.0, study(0.1))
    assert 0.91 <= share <= 0.98
    assert 30 < used < 45  # (1.96 x 0.3 / 0.1)^2 = 35


def test_skewed_measures_are_a_little_less_sure() -> None:
    share, used = covers(skewed, 10.0, study(0.15))
    assert 0.88 <= share <= 0.97
    assert 70 < used < 100  # (1.96 x 0.71 / 0.15)^2 = 86


def test_a_first_round_that_is_too_small_stops_too_early() -> None:
    """The known weakness of the procedure, and what `study.replications` does against it."""
    small, _ = covers(skewed, 10.0, study(0.3, least=2))
    enough, _ = covers(skewed, 10.0, study(0.3, least=10))
    assert small < 0.9 < enough


# --- what is held against the precision ---


def test_the_mean_of_a_year_by_replication() -> None:
    rows = [
        (replication, year, site, measure, value * (1 + replication))
        for replication in (0, 1)
        for year in (2023, 2024)
        for site in ("county", "C")
        for measure, value in (("late_pupils", year - 2021.0), ("ride_min_p95", 20.0), ("roll", 12.0))
    ]
    yearly = pd.DataFrame(rows, columns=["replication", "year", "site_id", "measure", "value"])
    harm = pd.DataFrame({"replication": [1, 1], "severity": [6.0, 2.0]})
    means = lived_means(yearly, harm)
    assert means.to_dict("list") == {"late_pupils": [2.5, 5.0], "ride_min_p95": [20.0, 40.0], "severity": [0.0, 4.0]}
    assert means.index.tolist() == [0, 1]
    assert set(LIVED) <= set(HOW)


# --- what is refused ---


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("precision=0", "study.precision: 0 is not possible; it must be more than 0"),
        ("precision=-0.1", "study.precision: -0.1 is not possible"),
        ("precision=0.1 replications_most=9", "study.replications_most: 9 is fewer than study.replications (10)"),
        ("precision=0.1 precision_measures=[]", "study.precision_measures: name at least one measure"),
    ],
)
def test_a_precision_that_cannot_be_is_refused(words: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        load([f"study.{word}" for word in words.split()])
    assert str(refused.value).startswith(says)


def test_the_most_replications_mean_nothing_without_a_precision() -> None:
    assert load(["study.replications=300"]).study.replications_most < 300


@pytest.mark.parametrize(("name", "why"), [("cost_yuan_per_year", "is money"), ("lateness", "is no measure")])
def test_a_measure_that_cannot_be_made_precise_is_refused(name: str, why: str, three_villages: County) -> None:
    words = ["county=three_villages", "closure=none", f"study.precision_measures=[late_pupils,{name}]"]
    assert problems(load(words), three_villages) == []
    (error,) = problems(load([*words, "study.precision=0.1"]), three_villages)
    assert error.startswith(f"study.precision_measures: {name} {why}")
    assert "choose among pupils_present, " in error
    assert error.endswith(", severity")
