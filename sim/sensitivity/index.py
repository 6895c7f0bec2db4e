"""Tell the effects of settings apart: Sobol indices, coefficients of ranks, one setting at a time; and luck's.

`lived` has one row per evaluation and replication: evaluation, design, changed, sample, replication, the settings drawn
(by key) and the outputs (by measure).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.stats import sobol_indices

from sim.config.sensitivity import Sensitivity
from sim.measure.interval import CONFIDENCE, mean_interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ENDS = ("", "_low", "_high")


def indices(question: Sensitivity, lived: pd.DataFrame) -> pd.DataFrame:
    """Return first-order and total Sobol indices with bootstrap intervals, one row per output and setting.

    Saltelli et al. 2010, table 2 (b) and (f), by scipy. Rows of the design are drawn again with replacement for the
    intervals, which are percentiles. Null for an output that is always the same, or was not measured every time.
    """
    keys, n = list(question.settings), question.n
    f_a, f_b = (_outputs(question, lived, lived["design"] == design) for design in "AB")
    f_ab = np.stack([_outputs(question, lived, (lived["design"] == "AB") & (lived["changed"] == key)) for key in keys])

    def statistic(rows: Ints) -> Floats:
        # scipy 1.17 stumbles over one constant output of one setting: the first output is handed over twice
        twice = [0, *range(len(f_a))]
        parts = {"f_A": f_a[twice][:, rows], "f_B": f_b[twice][:, rows], "f_AB": f_ab[:, twice][..., rows]}
        found = sobol_indices(func=parts, n=n)
        both = np.stack([found.first_order, found.total_order])
        return both.reshape(2, len(twice), len(keys))[:, 1:]

    ends = _resampled(question, statistic, n)
    ends[:, :, ~_changes(np.hstack([f_a, f_b, *f_ab]))] = np.nan
    columns = {f"{name}{end}": ends[k, i].ravel() for i, name in enumerate(("first", "total"))
               for k, end in enumerate(ENDS)}  # fmt: skip
    return _table(question, columns)


def coefficients(question: Sensitivity, lived: pd.DataFrame) -> pd.DataFrame:
    """Return standardized regression coefficients of ranks with bootstrap intervals, one row per output and setting.

    Saltelli and Marivoet 1990. `explained` is the R2 of the ranks: near 1, the coefficients tell all there is.
    """
    chosen = lived["design"] == "sample"
    one = lived[chosen].drop_duplicates("evaluation").sort_values("sample")
    x, y = one[list(question.settings)].to_numpy(dtype=float), _outputs(question, lived, chosen)

    def statistic(rows: Ints) -> Floats:
        return _ranks(x[rows], y[:, rows])

    ends = _resampled(question, statistic, question.n)
    ends[:, ~_changes(y)] = np.nan
    columns = {f"coefficient{end}": ends[k, :, :-1].ravel() for k, end in enumerate(ENDS)}
    return _table(question, columns | {"explained": np.repeat(ends[0, :, -1], len(question.settings))})


def _ranks(x: Floats, y: Floats) -> Floats:
    """Return the coefficients of settings (n, d) for each output (s, n) and the share they explain: (s, d + 1)."""
    ranks = stats.rankdata(np.column_stack([x, y.T]), axis=0)
    spread = ranks.std(axis=0)
    ranks = (ranks - ranks.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    settings, outputs = ranks[:, : x.shape[1]], ranks[:, x.shape[1] :]
    slopes = np.linalg.lstsq(settings, outputs)[0]
    explained = (settings @ slopes).var(axis=0)
    return np.vstack([slopes, np.minimum(explained, 1.0)]).T


def tornado(question: Sensitivity, lived: pd.DataFrame, told: Callable[[str, float], str]) -> pd.DataFrame:
    """Return what each setting changes by itself at its 10 % and its 90 % quantile, one row per output and setting.

    Paired with the base replication by replication (same luck): 95 % t intervals, null with one replication.
    `told` says a drawn value in words.
    """
    outputs, rows = list(question.outputs), []
    by_luck = lived.set_index("replication")
    base = by_luck.loc[by_luck["design"] == "base", outputs]
    for key in question.settings:
        ends = {}
        for end in ("low", "high"):
            one = by_luck[(by_luck["design"] == end) & (by_luck["changed"] == key)]
            change = one[outputs].to_numpy(dtype=float) - base.loc[one.index].to_numpy(dtype=float)
            ends[end] = (told(key, one[key].iloc[0]), *mean_interval(change.T))
        for k, output in enumerate(outputs):
            row: dict[str, Any] = {"output": output, "setting": key, "base": base.loc[one.index, output].mean()}
            for end, (value, *interval) in ends.items():
                row[f"{end}_value"] = value
                row |= {f"at_{end}{part}": numbers[k] for part, numbers in zip(ENDS, interval, strict=True)}
            rows.append(row)
    order = {name: place for place, name in enumerate(outputs)}
    return pd.DataFrame(rows).sort_values("output", key=lambda names: names.map(order), kind="stable")


def luck(question: Sensitivity, lived: pd.DataFrame) -> pd.DataFrame:
    """Return how far other luck alone moves each output, and its variance in proportion to that of the settings.

    The base was lived `question.luck` times as often; as many replications as an evaluation has make one draw of luck.
    """
    base = lived[lived["design"] == "base"].sort_values("replication")[list(question.outputs)].to_numpy(dtype=float)
    draws = base.reshape(question.luck, -1, base.shape[1]).mean(axis=1).T
    drawn = lived["design"].isin(["A", "B", "sample"])
    table = pd.DataFrame({"output": list(question.outputs), "mean": draws.mean(axis=1), "draws": question.luck})
    table["deviation"] = draws.std(axis=1, ddof=1)
    table[[f"share{end}" for end in ENDS]] = np.nan
    if drawn.any():
        settings = _outputs(question, lived, drawn)
        for k in np.flatnonzero(_changes(settings)):
            table.loc[k, [f"share{end}" for end in ENDS]] = _share(draws[k], settings[k])
    return table


def _share(luck: Floats, settings: Floats) -> tuple[float, float, float]:
    """Return the variance of luck in proportion to that of the settings, with the interval that F gives."""
    share = luck.var(ddof=1) / settings.var(ddof=1)
    tail = np.array([0.5 + CONFIDENCE / 2, 0.5 - CONFIDENCE / 2])
    low, high = share / stats.f.ppf(tail, len(luck) - 1, len(settings) - 1)
    return share, low, high


def _outputs(question: Sensitivity, lived: pd.DataFrame, chosen: pd.Series) -> Floats:
    """Return the outputs of some evaluations, means over their replications, in the order of the design; (s, n)."""
    rows = lived[chosen].groupby(["sample", "evaluation"])[list(question.outputs)].mean()
    return rows.to_numpy(dtype=float).T


def _changes(outputs: Floats) -> NDArray[np.bool_]:
    """Tell which outputs (s, n) are known every time and not always the same."""
    return np.isfinite(outputs).all(axis=1) & (np.ptp(outputs, axis=1) > 0)


def _resampled(question: Sensitivity, statistic: Callable[[Ints], Floats], n: int) -> Floats:
    """Return a statistic of the rows of a design, and both ends of its percentile bootstrap interval; (3, ...)."""
    rows = np.arange(n)
    found = stats.bootstrap(
        (rows,), statistic, vectorized=False, method="percentile", confidence_level=CONFIDENCE,
        n_resamples=question.resamples, rng=np.random.default_rng(question.seed),
    )  # fmt: skip
    return np.stack([statistic(rows), *found.confidence_interval])


def _table(question: Sensitivity, columns: dict[str, Floats]) -> pd.DataFrame:
    """Return numbers in the order of outputs and settings as a table."""
    pairs = [(output, key) for output in question.outputs for key in question.settings]
    return pd.DataFrame(pairs, columns=["output", "setting"]).assign(**columns)
