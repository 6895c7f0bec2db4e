"""How long every way in the county takes by road."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from sim.county.facts import Bools, County, Floats, Ints, Roads, _Frozen
from sim.errors import BadInput
from sim.units import minutes_for

ADVERSE_BENDS = ("sharp", "steep")


class RoadSpeeds(Protocol):
    """What this module needs of the road settings."""

    @property
    def speed_km_per_h(self) -> Mapping[str, float]: ...
    @property
    def bend_speed_km_per_h(self) -> Mapping[str, float]: ...
    @property
    def cap_km_per_h(self) -> float: ...
    @property
    def cap_adverse_km_per_h(self) -> float: ...


class RoadSky(Protocol):
    """What this module needs of the settings of one kind of weather."""

    @property
    def speed_factor(self) -> float: ...
    @property
    def adverse(self) -> bool: ...
    @property
    def avoid(self) -> Collection[str]: ...


@dataclass(frozen=True, slots=True)
class Travel(_Frozen):
    """The fastest way between any two nodes of the road network; arrays (N, N), inf where no road leads."""

    minutes: Floats
    """Free-flow driving minutes."""
    floor_min: Floats
    """Minutes along the same way at the legal speed limit of a school bus."""
    km: Floats
    """Length of the same way."""


def edge_minutes(roads: Roads, road: RoadSpeeds, sky: RoadSky | None = None) -> tuple[Floats, Floats]:
    """Return for every road the driving minutes in free flow and at the legal limit; shapes (E,).

    Free speed is that of the road class, or that of its bends and slope if lower, times the factor of the weather,
    never above the legal limit of a school bus: 60 km/h; 20 km/h in sharp bends and on steep slopes, and everywhere
    in adverse weather (校车安全管理条例 Art. 35).
    """
    adverse = np.isin(roads.bend, ADVERSE_BENDS) | (sky is not None and sky.adverse)
    cap = np.where(adverse, road.cap_adverse_km_per_h, road.cap_km_per_h)
    by_class = np.array([road.speed_km_per_h[name] for name in roads.road_class])
    by_bend = np.array([road.bend_speed_km_per_h[name] for name in roads.bend])
    dry = np.minimum(by_class, by_bend)
    free = np.minimum(dry if sky is None else dry * sky.speed_factor, cap)
    return (
        np.array([minutes_for(km, speed) for km, speed in zip(roads.km, free, strict=True)]),
        np.array([minutes_for(km, speed) for km, speed in zip(roads.km, cap, strict=True)]),
    )


def travel(roads: Roads, road: RoadSpeeds, sky: RoadSky | None = None, closed: Bools | None = None) -> Travel:
    """Return the fastest way of a bus between any two nodes; each (N, N), inf where no way is left.

    sky: the weather that slows buses and the roads they avoid in it; closed: (E,) roads that nobody can use.
    """
    minutes, before, edge, floor = _search(roads, road, sky, closed)
    floor_min, km = _along(minutes, before, edge, (floor, roads.km))
    return Travel(minutes, floor_min, km)


def components(roads: Roads, closed: Bools) -> Ints:
    """Return which part of the network each node lies in when roads (E,) are closed; (N,) numbers from 0.

    Two nodes in different parts cannot reach each other by any road.
    """
    size, used = len(roads.node_id), ~closed
    graph = coo_array((np.ones(used.sum()), (roads.start[used], roads.end[used])), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def flow(roads: Roads, road: RoadSpeeds, trips: Floats) -> Floats:
    """Return how many of the trips (N, N) from node to node pass each road, all on their fastest way; (E,).

    Nodes are taken from the farthest of each origin to the nearest, and hand their trips on to the node before.
    """
    minutes, before, edge, _ = _search(roads, road, None, None)
    rows, beyond, total = np.arange(len(minutes)), trips.astype(float), np.zeros(len(roads.km))
    for nodes in np.argsort(minutes, axis=1, kind="stable").T[::-1]:
        last = before[rows, nodes]
        reached = last >= 0
        r, n, p = rows[reached], nodes[reached], last[reached]
        total += np.bincount(edge[p, n], beyond[r, n], minlength=len(total))
        beyond[r, p] += beyond[r, n]
    return total


def check_reachable(county: County, ways: Travel) -> None:
    """Refuse a county where a hamlet cannot reach its school by road."""
    cut_off = ~np.isfinite(ways.minutes[county.hamlets.node, county.schools.node[county.hamlets.school]])
    if cut_off.any():
        names = [county.hamlets.id[h] for h in np.flatnonzero(cut_off)]
        raise BadInput(*(f"hamlet '{name}': no road leads to its school" for name in names))


def _search(
    roads: Roads, road: RoadSpeeds, sky: RoadSky | None, closed: Bools | None
) -> tuple[Floats, Ints, Ints, Floats]:
    """Return minutes, the node before the last (negative: none), the road between two nodes; minutes at the limit.

    Shapes (N, N), (N, N), (N, N), (E,).
    """
    size = len(roads.node_id)
    free, floor = edge_minutes(roads, road, sky)
    shut = np.isin(roads.bend, [] if sky is None else list(sky.avoid)) | (closed is not None and closed)
    best = _fastest(roads, np.where(shut, np.inf, free))
    start, end = roads.start[best], roads.end[best]
    graph = coo_array((free[best], (start, end)), shape=(size, size)).tocsr()
    minutes, before = dijkstra(graph, directed=False, return_predecessors=True)
    edge = np.full((size, size), -1, dtype=np.int64)
    edge[start, end] = edge[end, start] = best
    return minutes, before, edge, floor


def _fastest(roads: Roads, minutes: Floats) -> Ints:
    """Return the positions of the roads to use: the fastest open one of any that join the same two nodes."""
    best: dict[tuple[int, int], int] = {}
    for e in np.argsort(minutes, kind="stable")[: np.isfinite(minutes).sum()]:
        a, b = int(roads.start[e]), int(roads.end[e])
        best.setdefault((min(a, b), max(a, b)), int(e))
    return np.array(sorted(best.values()), dtype=np.int64)


def _along(minutes: Floats, before: Ints, edge: Ints, weights: tuple[Floats, ...]) -> list[Floats]:
    """Add up other weights of the roads along the fastest ways; (N, N) for each weight.

    Nodes are taken in order of distance from each origin, so the way to the node before is complete.
    """
    size = minutes.shape[0]
    totals = [np.where(np.isfinite(minutes), 0.0, np.inf) for _ in weights]
    rows = np.arange(size)
    for nodes in np.argsort(minutes, axis=1, kind="stable").T:
        last = before[rows, nodes]
        reached = last >= 0
        r, n, p = rows[reached], nodes[reached], last[reached]
        for total, weight in zip(totals, weights, strict=True):
            total[r, n] = total[r, p] + weight[edge[p, n]]
    return totals
