"""Weather: how often it comes, how long it stays, what it does to roads; every answer is known beforehand."""

from __future__ import annotations

import dataclasses
import pickle
from functools import cache
from types import SimpleNamespace

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from living import closures
from scipy import stats

from sim import streams
from sim.chance import YearLuck
from sim.config import SKIES, Settings, load
from sim.county import County, travel
from sim.county.road import components, edge_minutes, flow
from sim.operate.weather import CLEAR, busiest, chain, cut_roads, ill_share, long_run, skyways, week_sky
from sim.plan.assign import places
from sim.plan.enrol import forecast

RAIN, FOG, ICE, FLOOD = (SKIES.index(name) for name in ("rain", "fog", "ice", "flood"))
SHARES = np.array([0.5, 0.3, 0.1, 0.06, 0.04])
MANY = 100_000


@cache
def chosen(*overrides: str) -> Settings:
    return load(list(overrides))


def planned(county: County, settings: Settings) -> SimpleNamespace:
    """Return a plan that knows who goes to which school in the first year, and nothing else."""
    expected = forecast(county, settings)
    ways, open_ = travel(county.roads, settings.road), closures(county, settings, expected).open[0]
    placed = places(county, settings, ways, open_, expected.mean[0], int(expected.years[0]))
    return SimpleNamespace(years=(SimpleNamespace(places=placed),))


@pytest.fixture(scope="module")
def reference(huichang: County) -> SimpleNamespace:
    """Return the ways of the reference county in all weather, the busiest road cut where stress strikes."""
    settings = chosen("stress=road_cut")
    plan, base = planned(huichang, settings), travel(huichang.roads, settings.road)
    ways = skyways(settings, huichang, base, cut_roads(huichang, settings, plan))
    return SimpleNamespace(base=base, cut=busiest(huichang, settings, plan), ways=ways)


def uniforms(count: int) -> np.ndarray:
    return streams.uniforms(streams.key(7, 0, "test weather"), np.arange(count, dtype=np.uint64))


@pytest.mark.parametrize("persistence", [0.0, 0.35, 0.8])
def test_in_the_long_run_every_weather_has_its_share(persistence):
    found = np.bincount(chain(SHARES, persistence, uniforms(MANY)), minlength=len(SKIES)) / MANY
    # a two-state view of a chain with one eigenvalue p: var of the mean = s (1 - s) / n * (1 + p) / (1 - p)
    sd = np.sqrt(SHARES * (1 - SHARES) / MANY * (1 + persistence) / (1 - persistence))
    assert (np.abs(found - SHARES) < 4 * sd).all()


@pytest.mark.parametrize("persistence", [0.0, 0.35, 0.8])
def test_from_one_day_to_the_next_weather_stays_as_it_is_said_to(persistence):
    wet = (chain(SHARES, persistence, uniforms(MANY)) == RAIN).astype(float)
    for lag in (1, 2):
        assert np.corrcoef(wet[:-lag], wet[lag:])[0, 1] == pytest.approx(persistence**lag, abs=5 / np.sqrt(MANY))


def test_a_week_of_weather_worked_by_hand():
    # day 1 from the shares alone; then below 0.4 it stays, else (u - 0.4) / 0.6 is looked up in the shares
    u = np.array([0.85, 0.39, 0.41, 0.75, 0.97, 0.999])
    assert chain(SHARES, 0.4, u).tolist() == [FOG, FOG, CLEAR, RAIN, ICE, FLOOD]
    assert chain(SHARES, 1.0, u).tolist() == [FOG] * 6


def test_weather_without_a_share_never_comes():
    shares = np.array([0.0, 0.7, 0.3, 0.0, 0.0])
    edge = np.array([1e-17, 0.5, 1 - 2.0**-54])
    assert set(chain(shares, 0.0, edge).tolist()) == {RAIN, FOG}


def test_the_first_and_the_last_day_of_a_week_have_the_shares_of_the_month(huichang):
    settings, weeks = chosen(), 1000
    share = long_run(huichang, 1)
    drawn = np.array([week_sky(huichang, settings, YearLuck(1, r, 2023), 18, 5, 1)[0] for r in range(weeks)])
    for day in (0, 4):
        counted = np.bincount(drawn[:, day, 0], minlength=len(SKIES))[share > 0]
        assert stats.chisquare(counted, weeks * share[share > 0]).pvalue > 0.001
    afternoon = np.bincount(drawn[:, 2, 1], minlength=len(SKIES)) / weeks
    assert afternoon[FOG] == 0
    assert afternoon[CLEAR] == pytest.approx(share[CLEAR] + share[FOG], abs=4 * np.sqrt(0.25 / weeks))


def test_the_weather_of_the_next_day_sets_in_at_noon_and_fog_has_cleared_up(huichang):
    settings = chosen("weather.noon_share=1.0")
    seen = set()
    for week in range(1, 40):
        sky, struck = week_sky(huichang, settings, YearLuck(1, 0, 2023), week, 5, 1)
        assert np.array_equal(sky[:-1, 1], np.where(sky[1:, 0] == FOG, CLEAR, sky[1:, 0]))
        assert not struck.any()
        seen |= set(sky[:, 0].tolist())
    assert {CLEAR, RAIN, FOG} <= seen


def test_no_choice_of_a_planner_moves_the_weather(huichang):
    luck = YearLuck(1, 0, 2023)
    mine, other = (
        week_sky(huichang, chosen(*more), luck, 18, 5, 1)[0]
        for more in ((), ("closure=none", "fleet.scale=2.0", "health.absence_share=0.5"))
    )
    assert np.array_equal(mine, other)


ROADS_BY_HAND = {  # minutes from the school to B (6 km of county road at 40) and on to D (4 km, sharp, at 20)
    "clear": (9.0, 12.0),
    "rain": (6 / 34 * 60, 4 / 17 * 60),
    "fog": (18.0, 12.0),  # 20 km/h is the law
    "ice": (18.0, 4 / 13 * 60),  # 26 km/h is over the law, 13 is not
    "flood": (18.0, 4 / 15 * 60),
}


@pytest.mark.parametrize("name", SKIES)
def test_roads_of_three_villages_in_all_weather_worked_by_hand(three_villages, name):
    settings = chosen()
    ways = travel(three_villages.roads, settings.road, settings.weather.skies[name])
    to_b, on_to_d = ROADS_BY_HAND[name]
    assert ways.minutes[0, 2:] == pytest.approx([to_b, to_b + on_to_d])
    assert ways.floor_min[0, 2:] == pytest.approx([6, 18] if name in ("clear", "rain") else [18, 30])
    assert ways.km[0].tolist() == pytest.approx([0, 0.6, 6, 10])


@pytest.mark.parametrize("name", SKIES)
def test_no_weather_lets_a_bus_go_faster_than_the_law_or_than_in_the_dry(huichang, name):
    settings = chosen()
    dry, (free, floor) = (
        edge_minutes(huichang.roads, settings.road)[0],
        edge_minutes(huichang.roads, settings.road, settings.weather.skies[name]),
    )
    assert (free >= np.maximum(dry, floor)).all()


def test_a_cut_road_leaves_two_parts_and_no_way_between_them(three_villages):
    closed = np.array([False, True, False])
    ways, part = travel(three_villages.roads, chosen().road, closed=closed), components(three_villages.roads, closed)
    assert part[0] == part[1] != part[2] == part[3]
    for table in (ways.minutes, ways.floor_min, ways.km):
        assert np.isinf(table[0, 2])
        assert np.isfinite(table[2, 3])
    everything = travel(three_villages.roads, chosen().road, closed=np.ones(3, dtype=bool))
    assert np.array_equal(everything.km, np.where(np.eye(4, dtype=bool), 0.0, np.inf))


def test_without_the_faster_of_two_roads_the_other_is_taken(three_villages):
    roads, road = three_villages.roads, chosen().road
    both = dataclasses.replace(
        roads, edge_id=(*roads.edge_id, "e4"), start=np.append(roads.start, 2), end=np.append(roads.end, 0),
        km=np.append(roads.km, 5.0), road_class=(*roads.road_class, "village"), bend=(*roads.bend, "sharp"),
        closed_by=(*roads.closed_by, "none"),
    )  # fmt: skip
    ways = travel(both, road, closed=np.array([False, True, False, False]))
    assert (ways.minutes[0, 2], ways.km[0, 2]) == pytest.approx((15, 5))


@hypothesis.settings(max_examples=10)
@given(cut=st.sets(st.integers(0, 626), min_size=1, max_size=40))
def test_a_detour_is_never_shorter_and_only_other_parts_are_out_of_reach(huichang, reference, cut):
    closed = np.isin(np.arange(len(huichang.roads.km)), list(cut))
    ways, part = travel(huichang.roads, chosen().road, closed=closed), components(huichang.roads, closed)
    assert (ways.minutes >= reference.base.minutes - 1e-9).all()
    assert np.array_equal(np.isfinite(ways.minutes), part[:, None] == part)
    assert np.array_equal(np.isfinite(ways.km), np.isfinite(ways.minutes))


def test_flood_closes_its_roads_to_everybody_and_ice_keeps_buses_off_steep_ones(huichang, reference):
    roads = huichang.roads
    flooded = np.array([by == "flood" for by in roads.closed_by])
    ways = reference.ways[FLOOD, False]
    assert flooded.any()
    assert np.array_equal(ways.component, components(roads, flooded))
    assert np.array_equal(np.isinf(ways.travel.minutes), ways.component[:, None] != ways.component)
    icy = reference.ways[ICE, False]
    steep = np.array([bend == "steep" for bend in roads.bend])
    assert np.array_equal(np.isfinite(icy.travel.minutes), np.equal.outer(*[components(roads, steep)] * 2))
    kept_off = np.isinf(icy.travel.minutes) & (icy.component[:, None] == icy.component)
    assert kept_off.any(), "buses are kept off roads that are open"


def test_pupils_are_counted_on_the_roads_they_take_worked_by_hand(three_villages):
    trips = np.zeros((4, 4))
    trips[1, 0], trips[2, 0], trips[3, 0], trips[3, 2] = 4, 3, 2, 1
    assert flow(three_villages.roads, chosen().road, trips).tolist() == [4, 5, 3]


def test_the_busiest_road_carries_most_pupils_and_cuts_no_school_off(three_villages, huichang, reference):
    small = chosen("county=three_villages", "plan=mean")
    assert busiest(three_villages, small, planned(three_villages, small)) == 1  # B and D; those in A walk
    gates, none = huichang.schools.node[huichang.schools.lived], np.zeros(len(huichang.roads.km), dtype=bool)
    closed = np.arange(len(none)) == reference.cut
    assert len(set(components(huichang.roads, closed)[gates])) == len(set(components(huichang.roads, none)[gates]))
    detour = reference.ways[CLEAR, True].travel.minutes - reference.base.minutes
    assert detour.min() >= 0
    assert detour[gates].max() > 10


def test_ways_of_usual_weather_are_not_searched_twice(three_villages, reference):
    assert reference.ways[CLEAR, False].travel is reference.base
    assert {sky for sky, _ in reference.ways} == set(range(len(SKIES)))
    settings = chosen("county=three_villages")
    ways = skyways(
        settings, three_villages, reference.base, cut_roads(three_villages, settings, planned(three_villages, settings))
    )
    assert {sky for sky, _ in ways} == {sky for sky in range(len(SKIES)) if any_month(three_villages, sky)}
    assert all(ways[sky, True] is ways[sky, False] for sky, _ in ways)
    again = pickle.loads(pickle.dumps(ways))
    assert np.array_equal(again[CLEAR, True].travel.minutes, reference.base.minutes)


def any_month(county: County, sky: int) -> bool:
    return any(long_run(county, month)[sky] > 0 for month in set(county.calendar.month.tolist()))


def test_illness_has_its_mean_and_the_county_and_the_schools_their_part_of_the_spread(huichang):
    settings, weeks = chosen("health.county_sd=0.5", "health.area_sd=0.3"), 1000
    ill = np.array([ill_share(huichang, settings, YearLuck(1, r, 2023), 12, 11) for r in range(weeks)])
    expected, common = settings.health.absence_share * settings.health.month_factor[10], 0.5**2
    spread = np.sqrt(np.expm1(common) / weeks)  # of the county's part; the schools' part averages out
    assert ill.mean() == pytest.approx(expected, rel=4 * spread)
    logs = np.log(ill)
    assert logs.var(axis=0).mean() == pytest.approx(common + 0.3**2, rel=4 * np.sqrt(2 / weeks))
    assert np.cov(logs[:, 0], logs[:, 1])[0, 1] == pytest.approx(common, rel=0.2)
    calm = chosen("health.county_sd=0.0", "health.area_sd=0.0")
    assert ill_share(huichang, calm, YearLuck(1, 0, 2023), 12, 11) == pytest.approx(np.full(ill.shape[1], expected))
