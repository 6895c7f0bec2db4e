"""Where riders embark: the fewest stops such that all of them walk no farther than they may.

Hamlets within the walk limit of a stop share it (standard village stops). The limit is that of the youngest
rider of the hamlet; and with the walk the way to school must still be within the limit of the grade, if the bus goes
there straight when those of both hamlets have embarked. Fewest stops first, then the least walking of all pupils
together: a set cover, solved to the optimum by HiGHS for each group of hamlets that walks can join. A year whose
plan would need fewer buses, or as many and fewer km, with a stop in every hamlet keeps those (`sim.plan.compose`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, eye_array, hstack
from scipy.sparse.csgraph import connected_components, dijkstra

from sim.plan import GRADES, LODGE, SCHOOL_BUS, Bools, Floats, Ints, Places
from sim.units import MINUTES_PER_HOUR, minutes_of

if TYPE_CHECKING:
    from sim.config import Settings
    from sim.county import County
    from sim.county.road import Travel

YOUNG = np.array(GRADES) <= 3
TINY = 1e-9


def with_stops(county: County, settings: Settings, travel: Travel, places: Places) -> Places:
    """Return the places of a year with the stop of every hamlet; unchanged where `fleet.stop_walk_km` is 0."""
    if settings.fleet.stop_walk_km == 0:
        return places
    km = walk_km(county, settings)
    riders = daily_riders(places) + weekly_riders(settings, places)
    may = _may_walk(county, settings, travel, places, riders, km)
    chosen = _fewest(np.where(may, km, np.inf), riders.sum(axis=1))
    usual = np.argmin(np.where(may & chosen, km, np.inf), axis=1)
    own = np.arange(len(usual))
    stop = np.where(np.isfinite(np.where(may & chosen, km, np.inf).min(axis=1)), usual, own)
    stops = np.repeat(stop[:, None], len(GRADES), axis=1)
    return at_stops(county, places, stops, km[own[:, None], stops])


def at_stops(county: County, places: Places, stop: Ints, km: Floats) -> Places:
    """Return places whose riders embark at these stops, (H, 9), so many km from home; the reasons say so."""
    reason = places.reason.copy()
    names = county.hamlets.name_zh
    moved = (stop != np.arange(len(stop))[:, None]) & (places.share[:, :, [SCHOOL_BUS, LODGE]].sum(axis=2) > 0)
    for h, g in zip(*np.nonzero(moved), strict=True):
        reason[h, g] += f"; stop in {names[stop[h, g]]}, {km[h, g]:.1f} km on foot"
    return replace(places, reason=reason, stop=stop, stop_km=km)


def walk_km(county: County, settings: Settings) -> Floats:
    """Return the way on foot between hamlets by the shortest roads, (H, H); inf beyond `fleet.stop_walk_km`."""
    roads, node = county.roads, county.hamlets.node
    size = len(roads.node_id)
    low, high = np.minimum(roads.start, roads.end), np.maximum(roads.start, roads.end)
    order = np.lexsort((roads.km, high, low))
    first = np.append(True, np.diff(low[order] * size + high[order]) != 0)  # the shortest of parallel roads
    edge = order[first]
    graph = coo_array((roads.km[edge], (low[edge], high[edge])), shape=(size, size)).tocsr()
    limit = settings.fleet.stop_walk_km + TINY
    return np.asarray(dijkstra(graph, directed=False, indices=node, limit=limit)[:, node])


def walk_min(settings: Settings, km: Floats) -> Floats:
    """Return the minutes that a walk of so many km takes a pupil."""
    return km / settings.road.walk_km_per_h * MINUTES_PER_HOUR


def daily_riders(places: Places) -> Floats:
    """Return the pupils expected on the school bus every day by home and grade, (H, 9)."""
    placed = np.where(places.school >= 0, places.share[:, :, SCHOOL_BUS], 0.0)
    return np.asarray(places.expected.sum(axis=2) * placed)


def weekly_riders(settings: Settings, places: Places) -> Floats:
    """Return the lodgers expected on the weekly bus by home and grade, (H, 9)."""
    placed = np.where(places.school >= 0, places.share[:, :, LODGE], 0.0)
    return np.asarray(places.expected.sum(axis=2) * placed * settings.lodge.bus_share * settings.fleet.lodger_runs)


def at_stop(places: Places, riders: Floats, schools: int) -> Floats:
    """Return the riders (H, 9) of each school by stop and grade, (S, H, 9)."""
    h, g = np.nonzero(riders)
    out = np.zeros((schools, *riders.shape))
    np.add.at(out, (places.school[h, g], places.stop[h, g], g), riders[h, g])
    return out


def longest_walk_min(settings: Settings, places: Places, riders: Floats, schools: int) -> Floats:
    """Return the longest walk of the riders (H, 9) of each school to each stop in minutes, (S, H)."""
    h, g = np.nonzero(riders)
    out = np.zeros((schools, len(riders)))
    np.maximum.at(out, (places.school[h, g], places.stop[h, g]), walk_min(settings, places.stop_km[h, g]))
    return out


def _may_walk(county: County, settings: Settings, travel: Travel, places: Places, riders: Floats, km: Floats) -> Bools:
    """Say from which hamlet pupils may walk to which stop, (H, H); to their own always.

    A hamlet without riders walks as if it had young ones, should one come after all.
    """
    fleet = settings.fleet
    young = riders[:, YOUNG].any(axis=1) | ~riders.any(axis=1)
    may = km <= np.where(young, fleet.stop_walk_young_km, fleet.stop_walk_km)[:, None] + TINY
    limit = np.where(YOUNG, fleet.ride_limit_young_min, fleet.ride_limit_older_min)
    walk_and_wait = fleet.walk_to_stop_min + fleet.wait_at_stop_min + walk_min(settings, km)
    before = walk_and_wait if fleet.limit_includes_walk_and_wait else np.zeros(km.shape)
    pupils = riders.sum(axis=1)
    for h, g in zip(*np.nonzero(daily_riders(places)), strict=True):
        ride = travel.minutes[county.hamlets.node, county.schools.node[places.school[h, g]]]
        ride = ride + minutes_of(fleet.dwell_stop_s + fleet.dwell_pupil_s * (pupils[h] + pupils))
        may[h] &= ride + before[h] <= limit[g] + TINY
    np.fill_diagonal(may, True)
    return may


def _fewest(km: Floats, pupils: Floats) -> Bools:
    """Return the fewest stops within reach of all hamlets with riders (H,), then with the least walking; (H,)."""
    chosen = np.zeros(len(km), dtype=bool)
    reach = np.isfinite(km) & (pupils > 0)[:, None]
    parts, part = connected_components(coo_array(reach | reach.T), directed=False)
    for one in range(parts):
        stops = np.flatnonzero(part == one)
        homes = stops[pupils[stops] > 0]
        if len(homes):
            chosen[stops[fewest_cover(km[np.ix_(homes, stops)], pupils[homes])]] = True
    return chosen


def fewest_cover(km: Floats, pupils: Floats) -> Ints:
    """Return the positions of the stops of one group, given the walks (homes, stops), inf where too far.

    x_j: there is a stop at j; y_ij, only for j within reach: the pupils p_i of home i walk to j, km_ij each. The least
    of W sum_j x_j + sum_ij p_i km_ij y_ij with sum_j y_ij = 1, y_ij <= x_j; a stop (W) weighs more than all walks.
    """
    homes, stops = km.shape
    home, stop = np.nonzero(np.isfinite(km))
    if len(home) == 1:
        return stop
    pairs, pair = len(home), np.arange(len(home))
    walk, ones = km[home, stop] * pupils[home], np.ones(pairs)
    stop_weighs = (np.where(np.isfinite(km), km, 0.0).max(axis=1) * pupils).sum() + 1.0
    each_home_once = coo_array((ones, (home, stops + pair)), shape=(homes, stops + pairs))
    only_to_stops = hstack([coo_array((-ones, (pair, stop)), shape=(pairs, stops)), eye_array(pairs)])
    found = milp(
        np.append(np.full(stops, stop_weighs), walk),
        integrality=np.append(np.ones(stops), np.zeros(pairs)),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(each_home_once, 1, 1), LinearConstraint(only_to_stops, -np.inf, 0)],
        options={"mip_rel_gap": 0.0},
    )
    assert found.x is not None, "a stop in every hamlet is a cover"
    return np.flatnonzero(found.x[:stops] > 0.5)
