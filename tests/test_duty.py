"""Duties: few buses, kept windows, and a fair order when buses are short."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from bus_counties import by_bus, line, random_county, three_villages_places, with_fleet
from hypothesis import given
from hypothesis import strategies as st

from sim.config import Settings, load
from sim.county import County
from sim.county.road import travel
from sim.errors import BadInput
from sim.plan import Routes, Runs
from sim.plan.course import at_school_min, ride_min
from sim.plan.cover import Jobs, Search, cover
from sim.plan.duty import chain
from sim.plan.route import IN, LODGER, OUT, SCHOOL, routes
from sim.plan.timetable import jobs, stop_times

TURNAROUND_MIN = 3.0


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(["fleet.arrive_earliest_before_bell_min=30.0", "fleet.depart_latest_after_close_min=40.0"])


@pytest.fixture(scope="module")
def town(settings: Settings) -> tuple[Any, Any, Routes]:
    """Return a county of 12 schools with its bus runs."""
    county, roads, places = random_county(5, schools=12)
    return county, roads, routes(county, settings, roads, places)


def at_one_place(early: list[float], late: list[float], minutes: list[float]) -> Jobs:
    place = np.zeros(len(early), dtype=np.int64)
    times = (np.array(part, dtype=np.float64) for part in (early, late, minutes))
    return Jobs(*times, place, place.copy(), place + 17)


def fewest_buses(work: Jobs, between: np.ndarray, turnaround_min: float) -> int:
    """Return the least number of buses by trying every job next on every bus (for a handful of jobs)."""
    best = len(work)

    def extend(left: frozenset[int], used: int, last: int, free: float) -> None:
        nonlocal best
        if used >= best:
            return
        if not left:
            best = used
            return
        for job in left:
            begin = max(work.early[job], free + turnaround_min + between[work.goal[last], work.origin[job]])
            if used and begin <= work.late[job] + 1e-9:
                extend(left - {job}, used, job, begin + work.minutes[job])
            extend(left - {job}, used + 1, job, work.early[job] + work.minutes[job])

    extend(frozenset(range(len(work))), 0, 0, 0.0)
    return best


def check(runs: Runs, settings: Settings, county: Any, roads: Any, late_allowed_min: float = 0.0) -> None:
    """Prove that a timetable can be driven: windows, turnarounds and empty ways, bus by bus."""
    routes, fleet = runs.routes, settings.fleet
    come, leave = stop_times(runs, fleet)
    into, todo = routes.direction == IN, jobs(settings, county, routes)
    load = np.add.reduceat(routes.load, routes.ptr[:-1]) if len(come) else np.zeros(0)
    school = at_school_min(fleet, load)
    begin = np.where(into, come[routes.ptr[:-1]], runs.depart_min - school)
    end = np.where(into, runs.arrive_min + school, leave[routes.ptr[1:] - 1])
    driven = runs.bus >= 0
    assert (begin >= todo.early - 1e-6)[driven].all()
    assert (begin <= todo.late + runs.late_min + 1e-6)[driven].all()
    assert (runs.late_min <= late_allowed_min + 1e-6).all()
    assert end - begin == pytest.approx(todo.minutes)
    assert runs.bus.max(initial=-1) + 1 == len(runs.bus_kind)
    seats = np.array([kind.seats for kind in fleet.kinds])
    assert (seats[runs.bus_kind[runs.bus[driven]]] >= load[driven]).all()
    for bus in range(len(runs.bus_kind)):
        mine = np.flatnonzero(runs.bus == bus)
        mine = mine[np.argsort(runs.order[mine])]
        assert runs.order[mine].tolist() == list(range(len(mine)))
        for one, then in pairwise(mine):
            ready = end[one] + fleet.turnaround_min + roads.minutes[todo.goal[one], todo.origin[then]]
            assert ready <= begin[then] + 1e-6


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20), st.integers(1, 30)), min_size=1, max_size=6))
def test_few_buses_are_as_few_as_trying_everything_finds_or_one_more(
    rows: list[tuple[int, int, int]],
) -> None:
    early, slack, minutes = (np.array(part, dtype=np.float64) for part in zip(*rows, strict=True))
    work = at_one_place(early.tolist(), (early + slack).tolist(), minutes.tolist())
    least = fewest_buses(work, np.zeros((1, 1)), TURNAROUND_MIN)
    assert least <= len(cover(work, np.zeros((1, 1)), Search(TURNAROUND_MIN)).paths) <= least + 1


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6))
def test_with_fixed_times_the_buses_are_the_fewest_there_can_be(rows: list[tuple[int, int, int]]) -> None:
    early, origin, goal = (np.array(part) for part in zip(*rows, strict=True))
    between = abs(np.arange(4)[:, None] - np.arange(4)) * 7.0
    times = early.astype(np.float64)
    work = Jobs(times, times.copy(), between[origin, goal] + 1, origin, goal, np.full(len(early), 17))
    least = fewest_buses(work, between, TURNAROUND_MIN)
    assert len(cover(work, between, Search(TURNAROUND_MIN)).paths) == least


def test_known_chains_are_found() -> None:
    nowhere = np.zeros((1, 1))
    one_after_the_other = at_one_place([0, 10, 20], [0, 10, 20], [7, 7, 7])
    assert cover(one_after_the_other, nowhere, Search(3.0)).paths == ((0, 1, 2),)
    assert len(cover(one_after_the_other, nowhere, Search(3.1)).paths) == 2
    assert len(cover(one_after_the_other, nowhere, Search(13.1)).paths) == 3
    waits = at_one_place([0, 0, 0], [0, 10, 20], [7, 7, 7])
    assert cover(waits, nowhere, Search(3.0)).start.tolist() == [0, 10, 20]
    assert cover(at_one_place([], [], []), nowhere, Search(3.0)).paths == ()


def test_three_villages_need_one_bus(three_villages: County, settings: Settings) -> None:
    settings = with_fleet(settings, limit_includes_walk_and_wait=False, buses=None, scale=1.0, spare_share=0.1)
    roads = travel(three_villages.roads, settings.road)
    plan = routes(three_villages, settings, roads, three_villages_places(three_villages))
    runs = chain(settings, roads, three_villages, plan, 0)
    check(runs, settings, three_villages, roads)
    fleet, bells, stand = settings.fleet, settings.bells, (19 + 2.6 * 4) / 60
    assert (runs.buses_needed, runs.buses_owned, runs.spare_buses) == (1, 2, 1)
    assert (runs.bus.tolist(), runs.order.tolist(), runs.bus_kind.tolist()) == ([0, 0], [0, 1], [0])
    arrive = bells.junior_first_min - fleet.arrive_earliest_before_bell_min
    assert runs.arrive_min[0] == pytest.approx(arrive)
    assert runs.depart_min[0] == pytest.approx(arrive - 9 - stand - 12)
    assert runs.depart_min[1] == pytest.approx(bells.junior_close_min + (29 + 1.9 * 8) / 60)
    assert runs.arrive_min[1] == pytest.approx(runs.depart_min[1] + 21 + stand)
    assert runs.yard.tolist() == [three_villages.schools.node[0]]


def test_a_planned_timetable_can_be_driven(town: tuple[Any, Any, Routes], settings: Settings) -> None:
    county, roads, plan = town
    runs = chain(settings, roads, county, plan, 0)
    assert (runs.bus >= 0).all()
    assert runs.buses_needed == len(runs.bus_kind)
    assert runs.spare_buses == runs.buses_owned - runs.buses_needed > 0
    check(runs, settings, county, roads)


def test_more_buses_never_drop_more_runs_and_in_and_out_are_dropped_together(
    town: tuple[Any, Any, Routes], settings: Settings
) -> None:
    county, roads, plan = town
    needed = chain(settings, roads, county, plan, 0).buses_needed
    dropped = []
    for buses in (0, needed // 2, needed - 1, needed):
        short = with_fleet(settings, buses=buses, scale=1.0)
        runs = chain(short, roads, county, plan, 99)
        check(runs, short, county, roads, settings.fleet.late_allowed_min)
        assert (runs.buses_needed, runs.buses_owned) == (needed, buses)
        assert len(runs.bus_kind) <= buses
        lost = runs.bus < 0
        assert np.array_equal(lost[::2], lost[1::2])
        dropped.append(int((lost & (plan.service == SCHOOL)).sum()))
    assert dropped[0] == int((plan.service == SCHOOL).sum())
    assert dropped == sorted(dropped, reverse=True)


def test_the_runs_dropped_are_those_with_the_fewest_pupil_minutes(
    town: tuple[Any, Any, Routes], settings: Settings
) -> None:
    county, roads, plan = town
    runs = chain(with_fleet(settings, buses=20, scale=1.0), roads, county, plan, 0)
    weight = np.add.reduceat(plan.load * ride_min(plan, settings.fleet), plan.ptr[:-1])
    pair, lost = weight[::2] + weight[1::2], runs.bus[::2] < 0
    daily = plan.service[::2] == SCHOOL
    assert lost[daily].any()
    assert pair[daily & lost].max() <= pair[daily & ~lost].min()


def test_zero_buses_drop_every_run_and_crash_nothing(town: tuple[Any, Any, Routes], settings: Settings) -> None:
    county, roads, plan = town
    runs = chain(with_fleet(settings, buses=0), roads, county, plan, 0)
    assert (runs.bus == -1).all()
    assert (runs.order == -1).all()
    assert (runs.buses_owned, runs.spare_buses, len(runs.bus_kind)) == (0, 0, 0)
    assert not runs.late_min.any()
    assert len(runs.yard) == 0


def test_a_county_without_runs_needs_no_bus(settings: Settings) -> None:
    county, roads = line([5.0])
    runs = chain(settings, roads, county, routes(county, settings, roads, by_bus([0], [0])), 0)
    assert (runs.buses_needed, runs.buses_owned, runs.spare_buses, len(runs.bus)) == (0, 0, 0, 0)


def test_runs_are_late_before_they_are_dropped(settings: Settings) -> None:
    county, roads = line([8.0])
    tiny = settings.fleet.kinds[0].model_copy(update={"rated": 6, "seats": 4})
    settings = with_fleet(
        settings,
        kinds=(tiny,),
        arrive_earliest_before_bell_min=20.0,
        arrive_latest_before_bell_min=10.0,
        turnaround_min=3.0,
    )
    plan = routes(county, settings, roads, by_bus([0], [8]))
    assert chain(settings, roads, county, plan, 0).buses_needed == 2
    one = chain(with_fleet(settings, buses=1, late_allowed_min=40.0), roads, county, plan, 0)
    assert (one.bus == 0).all()
    # A second trip: unload, turn, 16 minutes back, stand, 16 minutes in; ten of them are in the window.
    again = (29 + 1.9 * 4) / 60 + 3 + 16 + (19 + 2.6 * 4) / 60 + 16
    assert one.late_min[plan.direction == IN].max() == pytest.approx(again - 10)
    none = chain(with_fleet(settings, buses=1, late_allowed_min=10.0), roads, county, plan, 0)
    assert sorted(none.bus.tolist()) == [-1, -1, 0, 0]


def test_a_bus_is_as_big_as_the_largest_run_of_its_duty(settings: Settings) -> None:
    county, roads = line([4.0])
    settings = with_fleet(settings, arrive_earliest_before_bell_min=60.0, depart_latest_after_close_min=60.0)
    plan = routes(county, settings, roads, by_bus([0], [53 + 5]))
    runs = chain(settings, roads, county, plan, 0)
    assert runs.buses_needed == 1
    assert settings.fleet.kinds[runs.bus_kind[0]].seats == 53


def test_a_large_run_is_dropped_when_only_small_buses_are_left_over(settings: Settings) -> None:
    county, roads = line([4.0])
    plan = routes(county, settings, roads, by_bus([0], [53 + 53 + 5]))
    short = with_fleet(settings, buses={"seats_19": 5, "seats_56": 1}, late_allowed_min=0.0, scale=1.0)
    runs = chain(short, roads, county, plan, 0)
    inward = plan.direction == IN
    assert sorted(plan.seats[inward & (runs.bus < 0)].tolist()) == [53]
    assert sorted(short.fleet.kinds[kind].seats for kind in runs.bus_kind) == [17, 53]
    assert runs.buses_owned == 6


def schools_by_bus(runs: Runs) -> list[list[int]]:
    """Return the schools of each bus in each half of the day."""
    halves = product(range(len(runs.bus_kind)), (IN, OUT))
    return [runs.routes.school[(runs.bus == bus) & (runs.routes.direction == way)].tolist() for bus, way in halves]


def test_schools_that_may_not_share_a_bus_do_not(town: tuple[Any, Any, Routes], settings: Settings) -> None:
    county, roads, plan = town
    free = schools_by_bus(chain(settings, roads, county, plan, 0))
    groups = (county.schools.id[:4], county.schools.id[4:8])

    def shared(schools: list[int]) -> bool:
        return min(schools, default=9) < 4 and any(4 <= school < 8 for school in schools)

    def twice(schools: list[int]) -> bool:
        return len(set(schools)) < len(schools)

    for changes, wrong in (({"apart": groups}, shared), ({"school_again": False}, twice)):
        changed = with_fleet(settings, **changes)
        runs = chain(changed, roads, county, plan, 0)
        check(runs, changed, county, roads)
        assert any(map(wrong, free))
        assert not any(map(wrong, schools_by_bus(runs)))
    with pytest.raises(BadInput, match="nowhere"):
        chain(with_fleet(settings, apart=(("nowhere",), groups[0])), roads, county, plan, 0)


def test_the_fleet_follows_the_settings(settings: Settings) -> None:
    county, roads = line([8.0])
    settings = with_fleet(settings, arrive_earliest_before_bell_min=11.0, arrive_latest_before_bell_min=10.0)
    plan = routes(county, settings, roads, by_bus([0], [5 * 53]))

    def owned(before: int = 0, **changes: Any) -> int:
        return chain(with_fleet(settings, **changes), roads, county, plan, before).buses_owned

    assert chain(settings, roads, county, plan, 0).buses_needed == 5
    assert owned(spare_share=0.1, scale=1.0) == 6
    assert owned(spare_share=0.2, scale=1.0) == 6
    assert owned(spare_share=0.0, scale=0.5) == 3
    assert owned(before=9, spare_share=0.1, scale=1.2) == 9
    assert owned(before=9, buses=7, scale=1.0) == 7
    assert owned(buses={"seats_19": 3, "seats_56": 2}, scale=1.5) == 5 + 3


def test_lodgers_come_after_the_daily_runs_on_monday_and_leave_before_them_on_friday(
    settings: Settings,
) -> None:
    county, roads, places = random_county(6, schools=6)
    plan = routes(county, settings, roads, places)
    runs = chain(settings, roads, county, plan, 0)
    bells, lodger = settings.bells, plan.service == LODGER
    assert lodger.any()
    assert (runs.arrive_min <= bells.lodger_monday_min + 1e-6)[lodger & (plan.direction == IN)].all()
    assert (runs.depart_min >= bells.lodger_friday_min)[lodger & (plan.direction == OUT)].all()
    check(runs, settings, county, roads)
    without = chain(settings, roads, county, routes(county, with_fleet(settings, lodger_runs=False), roads, places), 0)
    daily = [name for name, one in zip(plan.run_id, lodger, strict=True) if not one]
    assert list(without.routes.run_id) == daily
    assert without.buses_needed <= runs.buses_needed


def test_junior_schools_have_their_own_bell(settings: Settings) -> None:
    county, roads = line([4.0])
    county.schools.first_grade[:], county.schools.last_grade[:] = 7, 9
    plan = routes(county, settings, roads, by_bus([0], [4]))
    runs = chain(settings, roads, county, plan, 0)
    assert runs.arrive_min[0] == settings.bells.junior_first_min - settings.fleet.arrive_earliest_before_bell_min
    assert runs.depart_min[1] >= settings.bells.junior_close_min


def test_a_county_without_a_yard_keeps_its_buses_where_they_begin(settings: Settings) -> None:
    county, roads = line([4.0])
    county.roads.is_yard[:] = False
    plan = routes(county, settings, roads, by_bus([0], [4]))
    runs = chain(settings, roads, county, plan, 0)
    assert runs.yard.tolist() == county.hamlets.node.tolist()


def test_of_small_buses_none_stands_idle_while_a_small_run_is_dropped(
    town: tuple[Any, Any, Routes], settings: Settings
) -> None:
    county, roads, plan = town
    small = settings.fleet.kinds[0].seats
    needed = chain(settings, roads, county, plan, 0).buses_needed
    buses = {settings.fleet.kinds[0].name: needed, settings.fleet.kinds[-1].name: needed // 4}
    mixed = with_fleet(settings, buses=buses, scale=1.0)
    runs = chain(mixed, roads, county, plan, 0)
    check(runs, mixed, county, roads, settings.fleet.late_allowed_min)
    lost = runs.bus < 0
    assert lost.any(), "large buses are short"
    assert (plan.seats[lost] > small).all()
    assert (np.bincount(runs.bus_kind, minlength=len(settings.fleet.kinds))[-1]) == needed // 4
