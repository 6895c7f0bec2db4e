"""The checks of study 00: queues against theory, sums, workers, common luck, sampled weeks.

Each returns rows (check, what, found, low, high, expected, holds).
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from study import LABELS, Live, Run, headline, interval

from sim.operate.station import queue

Rows = list[tuple[Any, ...]]
ERLANG = {(2, 1.8): 4.2631578947, (5, 4.0): 0.5541125541, (10, 9.0): 0.6687315241, (20, 18.0): 0.2753845024}
"""Mean wait in units of the mean service, by (servers, load offered). Source: R queueing 0.2.12, exact formula."""
BATCHES, PUPILS = 40, 20_000
LEFT = "pupils_left_behind"
GAIN = 3.0
"""How many times shorter the same luck must make the interval of a difference."""
WEEKS = (LEFT, "bed_refused", "late_pupils", "ride_min_mean")
TABLES = ("annual", "measures", "harm", "resources", "enrolment", "ledger")


def queues() -> Rows:
    """Compare the mean wait of the product's own queue with Erlang's formula."""
    luck, rows = np.random.default_rng(2023), []
    for (servers, load), exact in ERLANG.items():
        waits = []
        for _ in range(BATCHES):
            arrive = np.cumsum(luck.exponential(1 / load, PUPILS))
            there = np.full(servers, -np.inf), np.full(servers, np.inf)
            start, told = np.full(PUPILS, np.nan), (np.full(PUPILS, np.nan), np.zeros(PUPILS, dtype=np.int8))
            minutes = arrive, luck.exponential(1.0, PUPILS)
            queue(np.arange(PUPILS), minutes, there, (np.inf, np.inf), PUPILS, (start, *told))
            waits.append((start - arrive)[PUPILS // 8 :].mean())
        mean, low, high = interval(waits, confidence=0.999)
        rows.append(("queue", f"wait, {servers} windows, load {load:g}", mean, low, high, exact, low <= exact <= high))
    return rows


def sums_agree(run: Run) -> Rows:
    """Compare sums of a run that have to be the same: of pupils, pupil-days, meals and money."""
    yearly, ledger = run.folder.read_table("annual"), run.folder.read_table("ledger")
    sites = yearly[yearly["site_id"] != "county"].pivot_table(
        index=["replication", "year", "site_id"], columns="measure", values="value", aggfunc="sum"
    )
    lived = sites[sites["pupils_present"].notna()]
    days = (lived["pupils_present"] + lived["absent_pupils"]).groupby(level=[0, 1]).sum()
    roll = lived["roll"].groupby(level=[0, 1]).sum()
    meals = lived[["meals_breakfast", "meals_lunch", "meals_dinner"]].sum(axis=1)
    county = yearly[(yearly["site_id"] == "county") & (yearly["measure"] == "pupils_present")]["value"].sum()
    pairs = {
        "pupils on rolls = pupils of villages": (
            sites["roll"].sum(),
            run.folder.read_table("enrolment")["pupils"].sum(),
        ),
        "pupil-days present and absent = rolls x school days": (
            days.sum(),
            (roll * (days / roll).round().mean()).sum(),
        ),
        "meals served = breakfasts, lunches, dinners": (lived["meals_served"].sum(), meals.sum()),
        "pupil-days of schools = of the county": (lived["pupils_present"].sum(), county),
        "transfers in = transfers out": (ledger.loc[ledger["nature"] == "transfer", "amount_yuan"].sum(), 0.0),
    }
    return [("sum", what, a, None, None, b, bool(np.isclose(a, b, atol=0.005))) for what, (a, b) in pairs.items()]


def same_bits(live: Live) -> Rows:
    """Live a small scenario in one process and in two; every number of every table must be the same."""
    words = ("fleet.scale=1.0", "seed=1", "calendar=smoke", "study.years=1", "study.replications=2")
    (alone,) = live(*words, "executor=serial", "study.name=00_alone")
    (two,) = live(*words, "executor=processes", "study.workers=2", "study.name=00_two_workers")
    same = {name: alone.folder.read_table(name).equals(two.folder.read_table(name)) for name in TABLES}
    return [("workers", f"{name}: one = two", float(equal), None, None, 1, equal) for name, equal in same.items()]


def common_luck(runs: list[Run]) -> Rows:
    """Return the difference that fewer buses make, with the same luck and with other luck, and the gain."""
    left = {(run.settings.fleet.scale, run.settings.seed): headline(run)[LEFT].to_numpy() for run in runs}
    (few, many), seeds = sorted({scale for scale, _ in left}), sorted({seed for _, seed in left})
    rows, widths = [], {"same": [], "other": []}
    for a, b in product(seeds, seeds):
        mean, low, high = interval(left[few, a] - left[many, b])
        luck = "same" if a == b else "other"
        widths[luck].append(high - low)
        rows.append(("common luck", f"{luck} luck ({a}, {b})", mean, low, high, None, None))
    gain = np.mean(widths["other"]) / np.mean(widths["same"]) if np.mean(widths["same"]) else np.nan
    holds = bool(gain >= GAIN) if min(values.mean() for values in left.values()) > 0 else None
    return [*rows, ("common luck", "interval, times shorter", gain, None, None, GAIN, holds)]


def sampled_weeks(live: Live) -> Rows:
    """Return how far the sampled weeks of one year are from all its weeks, in per cent.

    All intervals hold zero together with 95 % if nothing is off (Bonferroni).
    """
    words, rows = ("fleet.scale=1.0", "study.years=1", "seed=1"), []
    part, whole = (headline(live(*words, f"calendar={c}", f"study.name=00_{c}")[0]) for c in ("sampled", "full"))
    for measure in WEEKS:
        base = whole[measure].mean() or np.nan
        mean, low, high = interval(100 * (part[measure] - whole[measure]) / base, 1 - 0.05 / len(WEEKS))
        holds = bool(low <= 0 <= high) if base > 0 else None
        name = LABELS[measure].partition(" (")[0]
        rows.append(("sampled weeks", f"{name}, % off all weeks", mean, low, high, 0, holds))
    return rows
