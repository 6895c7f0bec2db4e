"""Shared stops: the fewest that all can walk to, the walk counted on the way to school, by hand and by brute force."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from bus_counties import by_bus, with_fleet
from living import BY_HEART, county_in, job, lived, planned
from scipy.optimize import LinearConstraint, milp

from sim.config import Settings, load
from sim.plan import SCHOOL_BUS, Places
from sim.plan.route import routes
from sim.plan.stops import fewest_cover, with_stops
from sim.plan.tables import plan_tables

WALK_KM_PER_MIN = 4.5 / 60


def village_road(at_km: list[float]) -> tuple[Any, Any]:
    """Return a county of one school at km 0 and hamlets along one straight road; 2 minutes a km."""
    at = np.array([0.0, *at_km])
    order = np.argsort(at)
    km = abs(at[:, None] - at)
    county = SimpleNamespace(
        schools=SimpleNamespace(id=("S",), node=np.array([0]), first_grade=np.array([1]), last_grade=np.array([6])),
        hamlets=SimpleNamespace(
            id=tuple(f"h{k}" for k in range(len(at_km))), name_zh=tuple("甲乙丙丁戊己庚辛"[: len(at_km)]),
            node=np.arange(1, len(at)),
        ),
        roads=SimpleNamespace(
            node_id=tuple(map(str, range(len(at)))), start=order[:-1], end=order[1:], km=np.diff(at[order]),
        ),
    )  # fmt: skip
    return county, SimpleNamespace(minutes=2 * km, km=km, floor_min=km)


def walking(km: float, young_km: float | None = None, **fleet: Any) -> Settings:
    return with_fleet(load([]), stop_walk_km=km, stop_walk_young_km=km if young_km is None else young_km, **fleet)


def riders(count: list[float], grade: int = 4) -> Places:
    """Return places where all pupils of a hamlet are in one grade and ride."""
    places = by_bus([0] * len(count), count)
    expected = np.zeros_like(places.expected)
    expected[:, grade - 1] = places.expected[:, 3]
    return Places(
        2023, places.school, places.km, places.minutes, places.share, places.reason, expected, places.unplaced
    )


def test_each_hamlet_has_its_own_stop_unless_told():
    county, travel = village_road([5.0, 5.3])
    places = riders([1, 1])
    assert with_stops(county, load([]), travel, places) is places
    assert places.stop[:, 0].tolist() == [0, 1]
    assert (places.stop_km == 0).all()


def test_three_hamlets_share_the_stop_in_the_middle():
    county, travel = village_road([5.0, 5.8, 6.6, 9.0])
    placed = with_stops(county, walking(0.8), travel, riders([2, 1, 3, 1]))
    assert placed.stop[:, 0].tolist() == [1, 1, 1, 3]
    assert placed.stop_km[:, 0] == pytest.approx([0.8, 0.0, 0.8, 0.0])
    assert placed.reason[0, 3].endswith("; stop in 乙, 0.8 km on foot")
    assert placed.reason[3, 3] == ""


def test_the_young_walk_less_far():
    county, travel = village_road([5.0, 5.8])
    old, young = (with_stops(county, walking(1.0, 0.5), travel, riders([1, 1], grade)) for grade in (4, 3))
    assert len(set(old.stop[:, 0])) == 1
    assert young.stop[:, 0].tolist() == [0, 1]


def test_nobody_walks_to_a_stop_from_which_school_is_too_far():
    # the ride from km 14 takes 28 min; with 3 min walk and 5 min wait 36; 4 minutes of 40 are left: 0.3 km on foot
    county, travel = village_road([14.0, 14.25])
    assert len(set(with_stops(county, walking(1.0), travel, riders([1, 1])).stop[:, 0])) == 1
    county, travel = village_road([14.0, 14.35])
    assert with_stops(county, walking(1.0), travel, riders([1, 1])).stop[:, 0].tolist() == [0, 1]
    county, travel = village_road([14.0, 14.35])
    free = walking(1.0, limit_includes_walk_and_wait=False)
    assert len(set(with_stops(county, free, travel, riders([1, 1])).stop[:, 0])) == 1


def fewest_by_hand(km: np.ndarray, pupils: np.ndarray) -> tuple[int, float]:
    """Return the least number of stops and, with it, the least walking of all pupils, by trying every set."""
    stops = km.shape[1]
    for size in range(1, stops + 1):
        walks = [pupils @ km[:, list(chosen)].min(axis=1) for chosen in combinations(range(stops), size)]
        if np.isfinite(min(walks)):
            return size, float(min(walks))
    raise AssertionError("a stop in every hamlet is a cover")


@pytest.mark.parametrize("seed", range(25))
def test_the_cover_is_as_small_as_by_brute_force(seed):
    luck = np.random.default_rng(seed)
    count = int(luck.integers(2, 9))
    at, pupils = luck.uniform(0, 3, (count, 2)), luck.uniform(0.1, 40, count)
    km = np.hypot(*(at[:, None] - at).T)
    km[km > luck.uniform(0.4, 1.5)] = np.inf
    chosen = fewest_cover(km, pupils)
    walk = pupils @ km[:, chosen].min(axis=1)
    assert (len(chosen), walk) == pytest.approx(fewest_by_hand(km, pupils))


def test_a_long_chain_of_hamlets_takes_no_more_room_than_its_walks(monkeypatch):
    at = 0.4 * np.arange(150)
    km = abs(at[:, None] - at)
    km[km > 2.0 + 1e-9] = np.inf
    sizes: list[int] = []

    def counting(*told: Any, constraints: list[LinearConstraint], **options: Any) -> Any:
        sizes.extend(one.A.nnz for one in constraints)
        return milp(*told, constraints=constraints, **options)

    monkeypatch.setattr("sim.plan.stops.milp", counting)
    # five hamlets to either side are within 2 km
    assert len(fewest_cover(km, np.full(150, 3.0))) == np.ceil(150 / 11)
    assert sum(sizes) <= 3 * np.isfinite(km).sum()


def test_the_larger_hamlet_has_the_stop():
    county, travel = village_road([5.0, 5.8])
    for count, at in (([5, 2], 0), ([2, 5], 1)):
        assert with_stops(county, walking(1.0), travel, riders(count)).stop[:, 0].tolist() == [at, at]


def test_runs_call_at_the_shared_stop_for_all_who_walk_there():
    county, travel = village_road([5.0, 5.8, 6.6, 9.0])
    settings = walking(0.8)
    placed = with_stops(county, settings, travel, riders([2, 1, 3, 1]))
    found = routes(county, settings, travel, placed)
    into = found.direction[np.repeat(np.arange(len(found.school)), np.diff(found.ptr))] == 0
    assert sorted(zip(found.hamlet[into], found.load[into], strict=True)) == [(1, 6.0), (3, 1.0)]


def test_the_walk_leaves_less_time_for_the_ride():
    # from km 13 the way takes 26 min and 24.2 s to embark two, after 8 min of walk and wait and 8 min for 0.6 km:
    # 42.40 of 42.5 min, so that the bus cannot stop at km 8, too (21.6 s); without the walk it can
    county, travel = village_road([8.0, 13.0, 13.6])
    settings = walking(0.7, ride_limit_older_min=42.5)
    for count, runs_in in (([1, 2, 0], 1), ([1, 1, 1], 2)):
        placed = with_stops(county, settings, travel, riders(count))
        assert placed.stop[:, 3].tolist() == [0, 1, 1]
        found = routes(county, settings, travel, placed)
        assert (found.direction == 0).sum() == runs_in
        assert not found.over_limit.any()


@pytest.fixture
def close_villages(tmp_path: Path) -> list[str]:
    """Return the settings of three villages with D only 0.9 km behind B."""
    for file in load(["county=three_villages"]).county.path.glob("*.csv"):
        text = file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_text(text.replace("e3,n2,n3,4.0,", "e3,n2,n3,0.9,"), encoding="utf-8")
    county_in.cache_clear()
    return [*BY_HEART, f"county.folder={tmp_path}", "fleet.stop_walk_km=1.0", "fleet.stop_walk_young_km=1.0"]


def test_pupils_of_one_village_walk_to_the_other_and_the_walk_is_on_their_way_to_school(close_villages):
    apart = planned(load(close_villages[:-2]))
    shared = planned(load(close_villages))
    runs = plan_tables(shared.settings, shared.county, shared.plan)["runs"]
    daily = runs[(runs["direction"] == "in") & (runs["service"] == "school")]
    assert len(daily) == 2, "one stop and the school"
    stop, home = daily["stop_id"].iloc[0], {"B": 1, "D": 2}
    assert daily["embark"].tolist() == [6.0, 0.0]
    scene, diary, _ = lived(shared, days=1)
    walks = scene.rider & (scene.pupils.hamlet != home[stop])
    assert walks.sum() == 3
    assert not np.isnan(diary.alighted_in[0, scene.rider]).any()
    from sim.measure.bus import door_min

    door = door_min(scene, diary, range(1))[0]
    hold = scene.table.hold_min[scene.pupils.stop[0]]
    by_hand = diary.alighted_in[0] - hold + 5 + 3 + np.where(walks, 0.9 / WALK_KM_PER_MIN, 0.0)
    assert door[scene.rider] == pytest.approx(by_hand[scene.rider])
    other = 3 - home[stop]
    reason = shared.plan.years[0].places.reason[other, 0]
    assert "stop in" in reason
    assert "0.9 km on foot" in reason
    assert "stop in" not in apart.plan.years[0].places.reason[other, 0]
    places = plan_tables(shared.settings, shared.county, shared.plan)["places"]
    assert set(places["hamlet_id"]) == {"A", "B", "D"}, "pupils are told by their home"


def test_a_year_keeps_its_stops_at_home_where_shared_ones_cost_a_bus(close_villages, monkeypatch):
    def fewer_stops_more_buses(_settings: Settings, _county: Any, _travel: Any, ways: Any) -> tuple[int, float]:
        return 9 - len(ways.hamlet), 0.0

    assert planned(load(close_villages)).plan.years[0].places.stop_km.any()
    monkeypatch.setattr("sim.plan.compose.needs", fewer_stops_more_buses)
    assert not planned(load(close_villages)).plan.years[0].places.stop_km.any()


def test_the_huichang_plan_needs_fewer_stops_and_leaves_nobody_out():
    year = job("county=huichang", "study.years=1", "fleet.stop_walk_km=1.5", "fleet.stop_walk_young_km=1.0").plan.years[
        0
    ]
    riding = year.places.expected.sum(axis=2) * year.places.share[:, :, SCHOOL_BUS]
    homes, ways = np.flatnonzero(riding.sum(axis=1)), year.runs.routes
    assert np.unique(ways.hamlet).size < homes.size
    assert year.places.stop_km.max() <= 1.5 + 1e-9
    assert year.places.stop_km[:, :3][riding[:, :3] > 0].max() <= 1.0 + 1e-9
    assert year.checked.score.set_index("measure")["value"]["riders_left_out"] == 0
    daily = np.repeat((ways.direction == 0) & (ways.service == 0), np.diff(ways.ptr))
    assert ways.load[daily].sum() >= riding.sum()
