"""What happened at taps, basins, toilets and showers: waits, and who gave up at the bell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from sim.measure.scene import Scene, Values, rows
from sim.measure.site import BINS, bin_of, p95
from sim.measure.use import Rows, Use, ratio, table
from sim.operate.diary import Diary
from sim.operate.wash import RESOURCES
from sim.plan import Bools, Floats, Ints
from sim.units import MINUTES_PER_DAY, minutes_of

CAUSE = {"toilet_girls": "toilet", "toilet_boys": "toilet"}
"""resource -> cause of its harm, where that has another name"""
VISITS, GIVEN_UP, WAIT, BUSY = range(4)
Told = tuple[Floats, Floats, Floats]
"""joined, began, done of some days; (D, V) each"""


class Lines(NamedTuple):
    """What the lines of some days tell."""

    facts: Floats
    """(4, D, L) visits, given up, minutes waited, and busy until the bell, by day and line."""
    order: Ints
    """(L,) lines by school and resource."""
    pool: Floats
    """The waits that took any time, in the order of lines."""
    ends: Ints
    """(L + 1,) the waits of order[j] lie in the pool from ends[j] to ends[j + 1]."""


def in_line(scene: Scene, diary: Diary, days: range) -> Lines:
    """Go through all visits of the days, line by line."""
    visits = scene.visits
    order = np.lexsort((visits.peak, visits.school * len(RESOURCES) + visits.resource))
    bell = visits.clock[visits.peak, 2] + MINUTES_PER_DAY * np.arange(days.start, days.stop)[:, None]
    facts, pool, ends = _by_line(order, visits.ptr, bell, _told(diary, days))
    return Lines(facts, order, pool, ends)


def measures(scene: Scene, diary: Diary, days: range, lines: Lines | None = None) -> Values:
    """Measure water and toilets of the days; (S + 1,) each, NaN for waits where nobody stood in line.

    A wait is told of those who had what they wanted; the others are counted as given up. What `rows` needs is there
    by resource, as `tap_visits`, of which the county's entry is NaN.
    """
    schools, many = len(scene.county.schools.id), len(RESOURCES)
    cell = scene.visits.school * many + scene.visits.resource
    by_line, order, pool, ends = lines or in_line(scene, diary, days)
    first = np.searchsorted(cell[order], np.arange(schools * many + 1))
    found = np.stack([np.bincount(cell, by_line[k].sum(axis=0), schools * many) for k in range(4)])
    by_cell = {
        **dict(zip(("visits", "given_up", "wait_min", "busy_min"), found, strict=True)),
        "wait_min_p95": _p95(pool, ends[first], found[VISITS] - found[GIVEN_UP]),
        **_load(scene, cell, by_line[VISITS]),
    }
    values = {
        f"{resource}_{fact}": np.append(value.reshape(schools, many)[:, r], np.nan)
        for fact, value in by_cell.items()
        for r, resource in enumerate(RESOURCES)
    }
    totals = found.reshape(4, schools, many).sum(axis=2)
    totals = np.hstack([totals, totals.sum(axis=1, keepdims=True)])
    had = totals[VISITS] - totals[GIVEN_UP]
    by_school = _p95(pool, ends[first[::many]], had[:-1])
    return values | {
        "wash_visits": totals[VISITS],
        "wash_given_up": totals[GIVEN_UP],
        "wash_wait_min_mean": ratio(totals[WAIT], had),
        "wash_wait_min_p95": np.append(by_school, _p95(pool, ends[[0, -1]], had[-1:])),
    }


def _told(diary: Diary, days: range) -> Told:
    at = rows(diary, days)
    return diary.joined[at], diary.began[at], diary.done[at]


@njit(cache=True)
def _by_line(order: Ints, ptr: Ints, bell: Floats, told: Told) -> tuple[Floats, Floats, Ints]:
    """Return facts, pool and ends of `Lines`; bell: (D, L)."""
    joined, began, done = told
    out, pool = np.zeros((4, *bell.shape)), np.empty(joined.size + 1)
    ends, n = np.zeros(len(order) + 1, dtype=np.int64), 0
    for j, line in enumerate(order):
        for d in range(len(bell)):
            visits, had, waited, busy, here = 0, 0, 0.0, 0.0, slice(ptr[line], ptr[line + 1])
            for came, starts, ends_ in zip(joined[d, here], began[d, here], done[d, here]):  # noqa: B905 - compiled
                wait, use = starts - came, (ends_ if ends_ < bell[d, line] else bell[d, line]) - starts
                visits += came == came
                had += wait == wait
                waited += wait if wait > 0 else 0.0
                busy += use if use == use else 0.0
                pool[n] = wait
                n += wait > 0
            out[VISITS, d, line], out[GIVEN_UP, d, line] = visits, visits - had
            out[WAIT, d, line], out[BUSY, d, line] = waited, busy
        ends[j + 1] = n
    return out, pool[:n], ends


@njit(cache=True)
def _p95(pool: Floats, ends: Ints, had: Floats) -> Floats:
    """Return the p95 (nearest rank) of waits in groups: the pool has all but the waits of no time; (groups,).

    ends: (groups + 1,) where each group lies in the pool; had: (groups,) all its waits.
    """
    out = np.empty(len(had))
    for g in range(len(had)):
        waits, all_, bins = pool[ends[g] : ends[g + 1]], int(had[g]), np.zeros(BINS, dtype=np.int64)
        bins[0] = all_ - len(waits)
        if bins[0] * 20 < all_ * 19:  # else the p95 is a wait of no time
            for wait in waits:
                bins[bin_of(wait)] += 1
        out[g] = p95(waits, all_, 0.0, bins)
    return out


def _load(scene: Scene, cell: Ints, count: Floats) -> dict[str, Floats]:
    """Return minutes of use that were on offer, and the most fixtures any peak would have kept busy; by cell.

    count: (D, L) visits. A visit takes the mean of the lognormal, median x exp(sd^2 / 2); where girls and boys
    stand in one line, the mean of both.
    """
    visits, peaks = scene.visits, [scene.settings.wash.peaks[name] for name in scene.visits.peaks]
    girls, boys = (np.array([minutes_of(getattr(peak, who)) for peak in peaks]) for who in ("girls_s", "boys_s"))
    minutes = np.stack([(girls + boys) / 2, (girls + boys) / 2, girls, boys, (girls + boys) / 2], axis=1)
    minutes *= np.exp([[peak.sd_log**2 / 2] for peak in peaks])
    begin, _, bell = visits.clock[visits.peak].T
    cells, many = len(scene.county.schools.id) * len(RESOURCES), len(peaks)
    wanted = count * minutes[visits.peak, visits.resource] / (bell - begin)
    peak_cell = visits.peak * cells + cell
    by_peak = np.array([np.bincount(peak_cell, day, many * cells) for day in wanted])
    lived = (count > 0).sum(axis=0)
    return {
        "open_min": np.bincount(cell, lived * visits.servers * (bell - begin), cells),
        "needed": by_peak.reshape(-1, cells).max(axis=0),
    }


def harms(scene: Scene, diary: Diary, days: range, lines: Lines | None = None) -> dict[tuple[str, str, str], Bools]:
    """Return who gave up at the bell: (resource, gave_up, cause) -> (D, N)."""
    visits, (joined, began, _) = scene.visits, _told(diary, days)
    found = np.zeros((len(RESOURCES), len(days), len(scene.pupils)), dtype=np.bool_)
    for d, line in np.argwhere((lines or in_line(scene, diary, days)).facts[GIVEN_UP] > 0):
        here = slice(visits.ptr[line], visits.ptr[line + 1])
        gave_up = ~np.isnan(joined[d, here]) & np.isnan(began[d, here])
        found[visits.resource[line], d, visits.who[here][gave_up]] = True
    return {(name, "gave_up", CAUSE.get(name, name)): found[r] for r, name in enumerate(RESOURCES)}


def rows_of_use(scene: Scene, use: Use) -> list[Rows]:
    """Return taps, basins, toilets and showers against those who want them at the peaks, for resources.parquet.

    Demand is the most fixtures that any peak would have kept busy from its first minute to its bell.
    """
    fixtures, pupils = scene.plan.fixtures, np.diff(scene.pupils.first) > 0
    stock = (fixtures.taps, fixtures.basins, *fixtures.toilets.T, fixtures.showers.sum(axis=1))
    used: list[Rows] = []
    for name, there in zip(RESOURCES, stock, strict=True):
        capacity, needed = there.astype(float), use.peak(f"{name}_needed")[:-1]
        visits, given_up = use.total(f"{name}_visits")[:-1], use.total(f"{name}_given_up")[:-1]
        used.append(
            table(
                scene, name, name.split("_")[0], "visit", pupils & (visits > 0),
                capacity=capacity, demand_peak=needed,
                utilisation_mean=ratio(use.total(f"{name}_busy_min")[:-1], use.total(f"{name}_open_min")[:-1]),
                utilisation_peak=ratio(needed, capacity),
                wait_mean_min=ratio(use.total(f"{name}_wait_min")[:-1], visits - given_up),
                wait_p95_min=use.mean(f"{name}_wait_min_p95")[:-1], unmet=given_up,
            )
        )  # fmt: skip
    return used
