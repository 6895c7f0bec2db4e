"""Bus runs: every rider has a stop and a seat, limits are kept, and three villages are as by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bus_counties import by_bus, line, places_of, random_county, three_villages_places, with_fleet

from sim.config import Settings, load
from sim.county import County
from sim.county.road import Travel, travel
from sim.plan import LODGE, NONE, SCHOOL_BUS, Places, Routes, Runs
from sim.plan.course import dwell_min, ride_min
from sim.plan.duty import chain
from sim.plan.replan import mornings, planned
from sim.plan.route import (
    IN,
    LODGER,
    OUT,
    SCHOOL,
    routes,
    solve,
)


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load()


def stops_of(plan: Routes, run: int) -> list[int]:
    return plan.hamlet[plan.ptr[run] : plan.ptr[run + 1]].tolist()


def run_of_stop(plan: Routes) -> np.ndarray:
    return np.repeat(np.arange(len(plan.run_id)), np.diff(plan.ptr))


def test_three_villages_have_one_run_from_d_over_b_to_the_school(three_villages: County, settings: Settings) -> None:
    settings = with_fleet(settings, limit_includes_walk_and_wait=False)
    roads = travel(three_villages.roads, settings.road)
    plan = routes(three_villages, settings, roads, three_villages_places(three_villages))
    assert plan.run_id == ("C-in-01", "C-out-01")
    assert (stops_of(plan, 0), stops_of(plan, 1)) == ([2, 1], [1, 2])
    assert plan.load.tolist() == [4, 4, 4, 4]
    assert plan.leg_min == pytest.approx([12, 9, 9, 12])
    assert plan.leg_km == pytest.approx([4, 6, 6, 4])
    assert plan.leg_floor_min == pytest.approx([12, 6, 6, 12])
    stand = (19 + 2.6 * 4) / 60
    ride = ride_min(plan, settings.fleet)
    assert ride == pytest.approx([12 + 9 + 2 * stand, 9 + stand, 9, 9 + stand + 12])
    assert plan.seats.tolist() == [17, 17]
    assert not plan.over_limit.any()


@pytest.mark.parametrize(("seed", "planner"), [(1, "schools"), (2, "schools"), (1, "duties")])
def test_every_rider_has_one_seat_in_and_one_out_and_limits_are_kept(
    settings: Settings, seed: int, planner: str
) -> None:
    county, roads, places = random_county(seed, schools=8)
    settings = with_fleet(settings, planner=planner, search_looks=10_000)
    plan = planned(county, settings, roads, places)
    run = run_of_stop(plan)
    assert (np.add.reduceat(plan.load, plan.ptr[:-1]) <= plan.seats).all()
    for service, mode, share in ((SCHOOL, SCHOOL_BUS, 1.0), (LODGER, LODGE, settings.lodge.bus_share)):
        riders = (places.expected.sum(-1) * places.share[..., mode]).sum(1) * share
        for direction in (IN, OUT):
            mine = (plan.service[run] == service) & (plan.direction[run] == direction)
            served = np.bincount(plan.hamlet[mine], plan.load[mine], len(riders))
            assert served == pytest.approx(np.ceil(riders - 1e-6))
    fleet, ride = settings.fleet, ride_min(plan, settings.fleet)
    lost = (fleet.wait_at_stop_min + fleet.walk_to_stop_min) * fleet.limit_includes_walk_and_wait
    young = county.schools.first_grade[plan.school] < 7
    limit = np.where(young, fleet.ride_limit_young_min, fleet.ride_limit_older_min) - lost
    limit[plan.service == LODGER] = fleet.ride_limit_lodger_min - lost
    direct = roads.minutes[county.hamlets.node[plan.hamlet], plan.school[run]] + dwell_min(fleet, plan.load)
    inward, far = plan.direction[run] == IN, direct > limit[run]
    assert (ride <= limit[run])[inward & ~far].all()
    assert (ride <= direct + fleet.far_detour_min + 0.1)[inward & far].all()
    assert far.any()
    assert np.array_equal(plan.over_limit[::2], np.logical_or.reduceat(ride > limit[run], plan.ptr[:-1])[::2])


def test_a_search_over_whole_duties_saves_the_bus_that_a_plan_wastes(settings: Settings) -> None:
    """Hamlets 9 and 10 km from the school, each with a bus of its own: one bus can serve both."""
    county, roads = line([9.0, 10.0])
    places = by_bus([0, 0], [4, 4])
    alone = [as_run(county, settings, roads, by_bus([0, 0], load)) for load in ([4, 0], [0, 4])]
    begin = [mornings(runs)[0] for runs in alone]
    plan = routes(county, settings, roads, places, begin=begin)
    assert [sorted(stops_of(plan, run)) for run in range(len(plan.run_id))] == [[0, 1], [0, 1]]
    assert plan.load.tolist() == [4, 4, 4, 4]


def as_run(county: Any, settings: Settings, roads: Any, places: Places) -> Runs:
    return chain(settings, roads, county, routes(county, settings, roads, places), 0)


def test_given_duties_carry_nobody_who_does_not_ask_and_leave_nobody_who_does(settings: Settings) -> None:
    county, roads = line([4.0, 5.0])
    begin = mornings(as_run(county, settings, roads, by_bus([0, 0], [60, 3])))
    plan = routes(county, settings, roads, by_bus([0, 0], [2, 7]), begin=begin)
    served = np.zeros(2)
    np.add.at(served, plan.hamlet, plan.load)
    assert served.tolist() == [2 * 2, 2 * 7]


def test_an_out_run_is_its_in_run_backwards(settings: Settings) -> None:
    county, roads, places = random_county(3, schools=5)
    plan = routes(county, settings, roads, places)
    for run in range(0, len(plan.run_id), 2):
        assert plan.run_id[run].replace("-in-", "-out-") == plan.run_id[run + 1]
        assert stops_of(plan, run) == stops_of(plan, run + 1)[::-1]
        one, two = slice(*plan.ptr[run : run + 2]), slice(*plan.ptr[run + 1 : run + 3])
        assert plan.leg_km[one] == pytest.approx(plan.leg_km[two][::-1])


def test_the_same_county_gives_the_same_runs_twice_even_when_nothing_is_remembered(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    county, roads, places = random_county(4, schools=4)
    first = routes(county, settings, roads, places)
    solve.cache_clear()
    monkeypatch.setenv("SCHOOLSIM_CACHE", "")
    again = routes(county, settings, roads, places)
    assert first.run_id == again.run_id
    assert np.array_equal(first.hamlet, again.hamlet)


def test_stops_on_one_road_share_a_small_bus(settings: Settings) -> None:
    county, roads = line([4.0, 5.0, 6.0])
    plan = routes(county, settings, roads, by_bus([0, 0, 0], [5, 5, 5]))
    assert stops_of(plan, 0) == [2, 1, 0]
    assert plan.run_id == ("S-in-01", "S-out-01")
    assert plan.seats[0] == min(kind.seats for kind in settings.fleet.kinds)


def test_one_large_bus_goes_before_two_small_ones(settings: Settings) -> None:
    county, roads = line([4.0, 5.0])
    plan = routes(county, settings, roads, by_bus([0, 0], [12, 12]))
    assert (len(plan.run_id), plan.seats[0]) == (2, 34)


def test_a_village_of_more_pupils_than_seats_gets_full_buses_and_a_rest(settings: Settings) -> None:
    county, roads = line([4.0])
    plan = routes(county, settings, roads, by_bus([0], [53 + 53 + 3]))
    assert sorted(plan.load[plan.direction == IN].tolist()) == [3, 53, 53]


def test_a_village_beyond_the_limit_is_marked_and_picks_up_others_only_on_its_way(settings: Settings) -> None:
    for near, expected in ((5.0, {(1, 0): True}), (-5.0, {(0,): False, (1,): True})):
        county, roads = line([near, 30.0])
        plan = routes(county, settings, roads, by_bus([0, 0], [5, 5]))
        inward = np.flatnonzero(plan.direction == IN)
        assert {tuple(stops_of(plan, run)): bool(plan.over_limit[run]) for run in inward} == expected


def test_a_county_without_riders_has_no_runs(settings: Settings) -> None:
    county, roads = line([5.0, 6.0])
    for places in (by_bus([0, 0], [0, 0]), by_bus([-1, -1], [4, 4]), by_bus([0, 0], [4, 4], mode=NONE)):
        plan = routes(county, settings, roads, places)
        assert plan.run_id == ()
        assert plan.ptr.tolist() == [0]


def test_buses_with_one_seat_make_a_run_for_every_pupil(settings: Settings) -> None:
    tiny = settings.fleet.kinds[0].model_copy(update={"rated": 3, "seats": 1})
    county, roads = line([4.0, 5.0])
    plan = routes(county, with_fleet(settings, kinds=(tiny,)), roads, by_bus([0, 0], [2, 3]))
    assert plan.load[plan.direction == IN].tolist() == [1] * 5


def test_a_part_of_a_pupil_needs_a_whole_seat(settings: Settings) -> None:
    county, roads = line([4.0])
    assert routes(county, settings, roads, by_bus([0], [2.2])).load.tolist() == [3, 3]


def test_sizes_of_bus_the_county_does_not_have_are_not_planned_with(settings: Settings) -> None:
    county, roads = line([4.0, 5.0])
    plan = routes(county, with_fleet(settings, buses={"seats_52": 3}), roads, by_bus([0, 0], [3, 3]))
    assert plan.seats.tolist() == [49, 49]


def test_lodgers_have_runs_of_their_own_only_when_asked_for(settings: Settings) -> None:
    county, roads = line([4.0, 5.0])
    settings = settings.model_copy(update={"lodge": settings.lodge.model_copy(update={"bus_share": 0.5})})
    places = by_bus([0, 0], [8, 8], mode=LODGE)
    plan = routes(county, with_fleet(settings, lodger_runs=True), roads, places)
    assert plan.run_id == ("S-lodger-in-01", "S-lodger-out-01")
    assert plan.load.tolist() == [4, 4, 4, 4]
    assert routes(county, with_fleet(settings, lodger_runs=False), roads, places).run_id == ()


def test_the_youngest_riders_set_the_limit_of_their_school(settings: Settings) -> None:
    fleet = settings.fleet
    spare = (fleet.ride_limit_young_min + fleet.ride_limit_older_min) / 2
    spare -= (fleet.wait_at_stop_min + fleet.walk_to_stop_min) * fleet.limit_includes_walk_and_wait
    county, roads = line([spare * 0.5])
    places = by_bus([0], [4])
    assert not routes(county, settings, roads, places).over_limit.any()
    expected = places.expected.copy()
    expected[0, 0, 0] = 1
    mixed = places_of(places.school, places.share, expected)
    assert routes(county, settings, roads, mixed).over_limit.all()


def test_standing_time_at_a_stop_grows_with_the_pupils(settings: Settings) -> None:
    assert dwell_min(settings.fleet, np.array([0.0, 10.0])) == pytest.approx([19 / 60, 45 / 60])


def test_travel_times_come_from_the_road_network(three_villages: County, settings: Settings) -> None:
    roads: Travel = travel(three_villages.roads, settings.road)
    assert roads.minutes[2, 0] == pytest.approx(9)
    assert roads.minutes[3, 2] == pytest.approx(12)
