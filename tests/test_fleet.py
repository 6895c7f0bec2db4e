"""Whole duties of buses: every stop served, every limit kept, and as few buses as trying everything finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import school_buses
from check_duties import complaints, price
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_fleet import fewest_buses

from sim.errors import BadInput
from sim.plan.fleet import Duties, Event, Problem, plan

SWITCHES = [(False, False), (False, True), (True, False), (True, True)]


def scattered(seed: int, stops: int, schools: int, window_min: float = 10.0, spread_min: float = 60.0) -> Problem:
    """Return stops and schools scattered over a square of 20 x 20 minutes, one kind of bus, one yard."""
    luck = np.random.default_rng(seed)
    at = luck.uniform(0, 20, (stops + schools + 1, 2))
    minutes = abs(at[:, None] - at).sum(-1)
    school, load = luck.integers(0, schools, stops), luck.integers(1, 20, stops).astype(np.float64)
    node, gate = np.arange(stops), stops + np.arange(schools)
    opens = luck.uniform(0, spread_min, schools)
    return Problem(
        node=node,
        school=school,
        load=load,
        dwell_min=0.3 + 0.04 * load,
        limit_min=np.maximum(minutes[node, gate[school]] + 1.5, luck.uniform(15, 40, stops)),
        unload_pupils_min=0.03 * load,
        gate=gate,
        opens_min=opens,
        closes_min=opens + window_min,
        unload_min=np.full(schools, 0.5),
        minutes=minutes,
        price=minutes.copy(),
        seats=np.array([40]),
        buses=np.array([-1]),
        bus_price=np.zeros(1),
        yards=np.array([stops + schools]),
    )


def on_a_road(at: list[float], school: list[int], gates: list[float], **changes: object) -> Problem:
    """Return stops and schools along one road, a minute per unit of length; windows from 100 to 110."""
    places = np.array([*at, *gates])
    minutes, n, s = abs(places[:, None] - places), len(at), len(gates)
    made = Problem(
        node=np.arange(n),
        school=np.array(school, dtype=np.int64),
        load=np.full(n, 10.0),
        dwell_min=np.ones(n),
        limit_min=np.full(n, 30.0),
        unload_pupils_min=np.ones(n),
        gate=n + np.arange(s),
        opens_min=np.full(s, 100.0),
        closes_min=np.full(s, 110.0),
        unload_min=np.ones(s),
        minutes=minutes,
        price=minutes.copy(),
        seats=np.array([20]),
        buses=np.array([-1]),
        bus_price=np.zeros(1),
        yards=np.zeros(0, np.int64),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def orders(duties: Duties) -> list[list[int]]:
    """Return stops (0 ..) and visits (-1 - school) of every duty."""
    return sorted([[e.stop if e.stop >= 0 else -1 - e.school for e in duty.events] for duty in duties.duties])


def test_two_stops_on_the_way_to_school_take_one_bus_at_the_times_worked_out_by_hand() -> None:
    problem = on_a_road([10, 6], [0, 0], [0])
    duties = plan(problem, 1)
    assert orders(duties) == [[0, 1, -1]]
    assert complaints(problem, duties) == []
    school = duties.duties[0].events[-1]
    assert (school.arrive_min, school.leave_min) == (pytest.approx(100), pytest.approx(103))
    assert duties.price == pytest.approx(10)


def test_a_bus_comes_again_only_where_it_may_and_has_the_time() -> None:
    problem = on_a_road([2, -2, 2], [0, 0, 0], [0])
    # The second trip: away at 100 + 1 + 2 (two get off), 2 minutes, stands 1, 2 minutes: there at 108.
    assert len(plan(problem, 1).duties) == 1
    assert len(plan(replace(problem, again=False), 1).duties) == 2
    assert len(plan(replace(problem, closes_min=np.array([107.9])), 1).duties) == 2


def test_pupils_of_two_schools_ride_together_only_where_loads_are_mixed() -> None:
    problem = on_a_road([20, 19], [0, 1], [0, 1], closes_min=np.array([105.0, 105.0]))
    assert len(plan(problem, 10_000).duties) == 2
    mixed = replace(problem, mixed=True)
    assert orders(plan(mixed, 10_000)) == [[0, 1, -2, -1]]
    apart = np.array([[False, True], [False, False]])
    assert len(plan(replace(mixed, apart=apart), 10_000).duties) == 2


def test_schools_that_may_not_share_a_bus_do_not_even_one_after_the_other() -> None:
    problem = on_a_road([2, 2], [0, 1], [0, 1], opens_min=np.array([50.0, 100.0]))
    assert len(plan(problem, 1).duties) == 1
    apart = np.array([[False, False], [True, False]])
    assert len(plan(replace(problem, apart=apart), 10_000).duties) == 2


@pytest.mark.parametrize(("mixed", "again"), SWITCHES)
@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 3))
def test_the_buses_are_as_few_as_trying_everything_finds(
    mixed: bool, again: bool, seed: int, stops: int, schools: int
) -> None:
    problem = replace(scattered(seed, stops, schools, spread_min=25.0), mixed=mixed, again=again)
    duties = plan(problem, 20_000, seed)
    assert complaints(problem, duties) == []
    assert len(duties.duties) == fewest_buses(problem)


@pytest.mark.parametrize(("mixed", "again"), SWITCHES)
def test_every_stop_is_served_and_every_limit_kept(mixed: bool, again: bool) -> None:
    apart = np.zeros((6, 6), dtype=np.bool_)
    apart[0, 1] = apart[2, 5] = True
    problem = replace(scattered(7, 80, 6), mixed=mixed, again=again, apart=apart)
    first = plan(problem, 0)
    duties = plan(problem, 4_000_000)
    assert complaints(problem, duties) == []
    assert price(problem, duties) == pytest.approx(duties.price)
    assert (len(duties.duties), duties.price) < (len(first.duties), first.price)
    assert plan(problem, 4_000_000) == duties
    assert plan(problem, 4_000_000, seed=2) != duties


def events_of(duties: Duties) -> list[list[int]]:
    """Return duties as `plan` takes them to begin from."""
    return [[e.stop if e.stop >= 0 else -1 - e.school for e in duty.events] for duty in duties.duties]


@pytest.mark.parametrize("mixed", [False, True])
def test_a_search_from_given_duties_is_never_worse_than_these(mixed: bool) -> None:
    problem = replace(scattered(7, 80, 6), mixed=mixed)
    good = plan(problem, 4_000_000)
    again = plan(problem, 1, begin=events_of(good))
    assert complaints(problem, again) == []
    assert (len(again.duties), again.price) <= (len(good.duties), good.price + 1e-9)
    wasted = [[stop, -1 - int(problem.school[stop])] for stop in range(80)]
    less = plan(problem, 4_000_000, begin=wasted)
    assert complaints(problem, less) == []
    assert len(less.duties) <= len(good.duties) + 1 < 80


def test_what_cannot_be_driven_of_given_duties_is_placed_anew() -> None:
    problem = replace(scattered(3, 40, 3), seats=np.array([20, 40]), buses=np.array([-1, 2]), bus_price=np.zeros(2))
    one_bus_for_all = [[*range(40), -1, -2, -3]]
    for begin in (one_bus_for_all, [[-1], [0, -3, -2]], [[4]], [list(range(40)) + [-1] * 300]):
        duties = plan(problem, 1, begin=begin)
        assert complaints(problem, duties) == []
    first = plan(problem, 400_000)
    assert plan(problem, 1, begin=events_of(first)).short == first.short == 0


@pytest.mark.parametrize("mixed", [False, True])
def test_odd_mornings_are_served_within_all_limits(mixed: bool) -> None:
    usual = replace(scattered(11, 40, 3), mixed=mixed)
    none, stops = np.zeros(40), np.arange(40)
    for odd in (
        {"closes_min": usual.opens_min},
        {"opens_min": np.full(3, 30.0), "closes_min": np.full(3, 35.0)},
        {"node": np.zeros(40, np.int64), "limit_min": np.full(40, 99.0)},
        {"dwell_min": none, "unload_pupils_min": none, "unload_min": np.zeros(3)},
        {"load": np.full(40, 40.0)},
        {"school": np.zeros(40, np.int64), "limit_min": usual.dwell_min + usual.minutes[stops, usual.gate[0]]},
    ):
        problem = replace(usual, **odd)
        duties = plan(problem, 200_000)
        assert complaints(problem, duties) == []


def test_a_fleet_of_several_sizes_is_used_as_it_is() -> None:
    problem = scattered(3, 40, 3)
    small = replace(problem, seats=np.array([20, 40]), buses=np.array([-1, 2]), bus_price=np.array([0.0, 50.0]))
    duties = plan(small, 1_000_000)
    assert complaints(small, duties) == []
    assert duties.short == 0
    assert {duty.kind for duty in duties.duties} == {0, 1}
    few = replace(small, buses=np.array([0, 2]))
    short = plan(few, 1_000_000)
    assert complaints(few, short) == []
    assert short.short == len(short.duties) - 2 > 0


def test_nothing_to_do_takes_no_bus() -> None:
    assert plan(on_a_road([], [], [0.0]), 100).duties == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"buses": np.array([0])}, "no bus with a seat"),
        ({"load": np.array([10.0, 21.0])}, "number 2"),
        ({"limit_min": np.array([5.0, 30.0])}, "too far"),
        ({"closes_min": np.array([99.0])}, "closes before it opens"),
    ],
)
def test_what_no_bus_can_do_is_said(changes: dict[str, np.ndarray], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        on_a_road([10, 6], [0, 0], [0], **changes)


def test_the_checker_of_duties_sees_every_kind_of_mistake() -> None:
    problem = replace(on_a_road([20, 19], [0, 1], [0, 1]), mixed=True)
    duties = plan(problem, 10_000)
    assert complaints(problem, duties) == []
    for changes, words in (
        ({"mixed": False}, "two schools on board"),
        ({"seats": np.array([19])}, "pupils on 19 seats"),
        ({"limit_min": np.array([20.5, 19.5])}, "too long a ride"),
        ({"opens_min": np.array([109.0, 109.0])}, "outside its window"),
        ({"minutes": problem.minutes * 1.5}, "in time"),
        ({"dwell_min": np.full(2, 1.5)}, "too early"),
        ({"apart": np.ones((2, 2), dtype=np.bool_)}, "may not share"),
        ({"buses": np.array([0])}, "more than there are"),
    ):
        wrong = _unchecked(problem, changes)
        assert any(words in one for one in complaints(wrong, duties)), words
    twice = replace(duties, duties=duties.duties * 2)
    assert "the stops served are not every stop once" in complaints(problem, twice)
    first = duties.duties[0]
    again = replace(first, events=(*first.events, Event(-1, 0, 110.0, 111.0)))
    assert any("twice" in one for one in complaints(replace(problem, again=False), Duties((again,), 0.0, 0)))
    early = replace(first, events=first.events[:-1])
    assert any("never alight" in one for one in complaints(problem, Duties((early,), 0.0, 0)))


def _unchecked(problem: Problem, changes: dict[str, object]) -> Problem:
    """Return a problem with other numbers, whether it can be solved or not."""
    made = replace(problem)
    for name, value in changes.items():
        object.__setattr__(made, name, value)
    return made


@pytest.mark.validation
def test_benchmark_cases_take_fewer_buses_than_published(validation: Path) -> None:
    """Park, Tae and Kim (2012), the cases with the short ride, in a search 25 times shorter than that of the study."""
    folder = validation / "bus" / "ptk2012"
    best = school_buses.published(folder).query("limit_s == 2700").set_index("instance")
    for mixed, again in school_buses.SWITCHES.values():
        buses, travel_min = 0, 0.0
        for name in ("RSRB01", "RSRB02", "CSCB01", "CSCB02"):
            problem = school_buses.read(folder / name, 2700, mixed=mixed, again=again)
            duties = plan(problem, 5_000_000)
            assert complaints(problem, duties) == []
            buses += len(duties.duties)
            travel_min += price(problem, duties)
        assert buses < best["published_mixed" if mixed else "published_alone"].sum()
        assert travel_min * 60 < best["published_s"].sum()


@pytest.mark.validation
def test_a_benchmark_case_is_read_as_its_authors_meant_it(validation: Path) -> None:
    problem = school_buses.read(validation / "bus" / "ptk2012" / "RSRB01", 2700, mixed=False, again=False)
    assert (len(problem.node), len(problem.gate), problem.load.sum()) == (250, 6, 3409)
    assert (problem.opens_min[0], problem.closes_min[0]) == (5 * 60 + 10, 5 * 60 + 40)
    assert problem.dwell_min[0] * 60 == pytest.approx(19 + 2.6 * 16)
    assert (problem.unload_min[0] + problem.unload_pupils_min[0]) * 60 == pytest.approx(29 + 1.9 * 16)
    # From stop 1 (168.07, 118471) to stop 2 (94111, 71246.5): feet along streets, 20 miles an hour.
    assert problem.minutes[0, 1] == pytest.approx((94111 - 168.07 + 118471 - 71246.5) / 5280 / 20 * 60)
