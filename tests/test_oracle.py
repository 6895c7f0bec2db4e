"""The compiled recursions and plain SimPy models say the same, to the last bit."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
import stations
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.operate import station


def same(left, right):
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(left, right, strict=True))


EVER, ALL = np.inf, 10**9
"""A server that never closes; a kitchen that never runs out."""


def batch(seed, pupils, span, ties):
    """Return arrivals, services and minutes at table of a batch of pupils; with ties, arrivals on the minute."""
    rng = np.random.default_rng(seed)
    arrive = rng.uniform(0, span, pupils)
    arrive = np.round(arrive) if ties else arrive
    return arrive, rng.lognormal(-1.2, 0.8, pupils), rng.lognormal(2.3, 0.3, pupils)


def always(servers):
    """Return the opening and closing minutes of servers that are always there."""
    return np.full(servers, -EVER), np.full(servers, EVER)


@st.composite
def timetables(draw, most=7):
    """Return the opening and closing minutes of up to so many servers, some of whom never close."""
    servers = draw(st.integers(0, most))
    opens = draw(st.lists(st.sampled_from([-EVER, 0.0, 3.0, 7.0, 12.5, 18.0]), min_size=servers, max_size=servers))
    closes = draw(st.lists(st.sampled_from([4.0, 9.0, 15.5, 22.0, EVER]), min_size=servers, max_size=servers))
    return np.array(opens, dtype=float), np.array(closes, dtype=float)


BATCH = {"seed": st.integers(0, 2**32 - 1), "pupils": st.integers(0, 200), "ties": st.booleans()}


@settings(max_examples=100, deadline=None)
@given(
    **BATCH,
    timetable=timetables(),
    seats=st.integers(0, 120),
    bell=st.floats(1, 45),
    portions=st.sampled_from([0, 1, 30, 90, ALL]),
)
def test_a_sitting_is_the_same_as_one_simpy_process_per_pupil(seed, pupils, ties, timetable, seats, bell, portions):
    sitting = (*batch(seed, pupils, 20, ties), *timetable, seats, bell, portions)
    assert same(stations.canteen(*sitting), oracle.canteen(*sitting))


@settings(max_examples=100, deadline=None)
@given(
    **BATCH,
    timetable=timetables(),
    last_begin=st.sampled_from([5.0, 18.0, 33.3, EVER]),
    last_end=st.sampled_from([20.0, 40.0, EVER]),
    portions=st.sampled_from([0, 40, ALL]),
)
def test_a_queue_is_the_same_as_one_simpy_process_per_pupil(
    seed, pupils, ties, timetable, last_begin, last_end, portions
):
    arrive, service, _ = batch(seed, pupils, 30, ties)
    line = (np.sort(arrive), service, *timetable, last_begin, last_end, portions)
    assert same(stations.queue(*line), oracle.queue(*line))


@settings(max_examples=100, deadline=None)
@given(**BATCH, servers=st.integers(0, 20), bell=st.sampled_from([5.0, 18.0, 33.3, EVER]))
def test_turns_at_taps_are_the_same_as_one_simpy_process_per_pupil(seed, pupils, ties, servers, bell):
    arrive, service, _ = batch(seed, pupils, 30, ties)
    line = (np.sort(arrive), service)
    assert same(stations.turns(*line, servers, bell), oracle.queue(*line, *always(servers), bell, EVER, ALL))


@settings(max_examples=50, deadline=None)
@given(**BATCH, beds=st.integers(1, 40))
def test_a_dormitory_that_refuses_is_the_same_as_one_simpy_process_per_lodger(seed, pupils, ties, beds):
    arrive, _, stay = batch(seed, pupils, 60, ties)
    arrive = np.sort(arrive)
    assert same((station.loss(arrive, stay, beds),), (oracle.loss(arrive, stay, beds),))


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), pupils=st.integers(0, 300), ties=st.booleans(), bell=st.floats(0, 25))
def test_the_order_of_a_line_is_that_of_a_stable_sort(seed, pupils, ties, bell):
    arrive, _, _ = batch(seed, pupils, 20, ties)
    arrive[::7] = np.nan
    expected = [who for who in np.argsort(arrive, kind="stable") if arrive[who] < bell]
    assert station.in_order(np.arange(pupils), arrive, bell).tolist() == expected


@settings(max_examples=100, deadline=None)
@given(
    **BATCH,
    windows=st.integers(0, 6),
    opens=st.sampled_from([-EVER, 6.0]),
    closes=st.sampled_from([15.0, EVER]),
    seats=st.integers(0, 60),
    portions=st.integers(0, 120),
)
def test_one_more_window_seat_or_meal_never_serves_fewer(seed, pupils, ties, windows, opens, closes, seats, portions):
    """Windows that close at the same minute: one more that closes early may draw the fast pupils to itself."""
    arrive, service, eat = batch(seed, pupils, 20, ties)

    def fed(more_windows, more_seats, more_meals):
        many = windows + more_windows
        open_from = np.where(np.arange(many) < windows, -EVER, opens)
        sitting = (open_from, np.full(many, closes), seats + more_seats, 30.0, portions + more_meals)
        _, served, seated, _, _ = stations.canteen(arrive, service, eat, *sitting)
        return np.isfinite([served, seated]).sum(axis=1)

    usual = fed(0, 0, 0)
    assert fed(1, 0, 0)[0] >= usual[0]
    assert fed(0, 0, 1)[0] >= usual[0]
    assert (fed(0, 1, 0) >= usual).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), pupils=st.integers(0, 150), windows=st.integers(0, 6), opens=st.floats(0, 25))
def test_one_more_window_never_lengthens_any_wait(seed, pupils, windows, opens):
    arrive, service, _ = batch(seed, pupils, 20, False)
    line, (early, late) = (np.sort(arrive), service), always(windows)
    fewer, _ = stations.queue(*line, early, late, EVER, EVER, ALL)
    more, _ = stations.queue(*line, np.append(early, opens), np.append(late, EVER), EVER, EVER, ALL)
    assert (more <= fewer)[np.isfinite(fewer)].all()


def test_pupils_who_arrive_together_are_served_in_their_order():
    _, served, _, _, _ = stations.canteen(np.zeros(4), np.ones(4), np.ones(4), *always(1), 9, 99.0, ALL)
    assert served.tolist() == [1, 2, 3, 4]


def test_a_seat_freed_at_the_very_minute_is_taken():
    found = stations.canteen(np.array([0.0, 1.0]), np.ones(2), np.ones(2), *always(1), 1, 99.0, ALL)
    assert [x.tolist() for x in found[:4]] == [[0, 1], [1, 2], [1, 2], [2, 3]]


@pytest.mark.parametrize(("windows", "seats"), [(0, 5), (0, 0)])
def test_without_windows_nobody_is_served(windows, seats):
    found = stations.canteen(np.zeros(3), np.ones(3), np.ones(3), *always(windows), seats, 9.0, ALL)
    assert all(np.isnan(x).all() for x in found[:4])
    assert not found[4].any()


def test_without_seats_everyone_is_served_and_nobody_sits():
    _, served, seated, _, _ = stations.canteen(np.zeros(3), np.ones(3), np.ones(3), *always(3), 0, 9.0, ALL)
    assert served.tolist() == [1, 1, 1]
    assert np.isnan(seated).all()


def starts(arrive, service, opens, closes, last_begin=EVER, last_end=EVER, portions=ALL):
    """Return the minutes at which a line begins to be served, None for whom there is nothing."""
    arrays = (np.array(x, dtype=float) for x in (arrive, service, opens, closes))
    return [None if np.isnan(x) else x for x in stations.queue(*arrays, last_begin, last_end, portions)[0]]


def test_a_window_serves_from_when_it_opens_and_finishes_whom_it_has_begun():
    assert starts([0, 0, 0], [4, 4, 4], opens=[2], closes=[9]) == [2, 6, None]


@pytest.mark.parametrize(("closes", "begins"), [(4.0, [0, None]), (4.5, [0, 4])])
def test_a_window_takes_nobody_at_the_minute_in_which_it_closes(closes, begins):
    assert starts([0, 0], [4, 4], opens=[0], closes=[closes]) == begins


@pytest.mark.parametrize(("bell", "begins"), [(4.0, [0, None]), (4.5, [0, 4])])
def test_who_has_not_begun_when_the_bell_rings_gives_up(bell, begins):
    assert starts([0, 0], [4, 4], opens=[0], closes=[EVER], last_begin=bell) == begins


def test_a_service_that_the_bell_ends_gives_nothing_and_keeps_the_server_busy():
    assert starts([0, 0, 1], [3, 9, 1], opens=[0], closes=[EVER], last_end=5) == [0, None, None]


def test_who_comes_after_the_last_meal_leaves_the_line_and_the_window():
    assert starts([0, 1, 2], [5, 5, 5], opens=[0, 0], closes=[EVER, EVER], portions=2) == [0, 1, None]
    short = stations.canteen(np.arange(4.0), np.ones(4), np.ones(4), *always(1), 9, 3.5, 2)[4]
    assert short.tolist() == [False, False, True, True]


def test_who_has_no_turn_by_the_bell_is_not_short_of_a_meal():
    short = stations.canteen(np.zeros(3), np.full(3, 2.0), np.ones(3), *always(1), 9, 3.0, 2)[4]
    assert short.tolist() == [False, False, False]


def test_of_windows_free_since_the_same_minute_the_one_that_closes_first_is_taken():
    # Both free at 0: the first pupil takes the one that closes at 3, so the other one is there for the second.
    assert starts([0, 3], [9, 1], opens=[0, 0], closes=[EVER, 3]) == [0, 3]
    # Free since 0 goes before free since 1, though it closes later: the second pupil waits for it.
    assert starts([2, 5], [9, 1], opens=[0, 1], closes=[EVER, 3]) == [2, 11]


def test_a_bed_left_at_the_very_minute_is_taken_and_who_finds_none_does_not_wait():
    arrive, stay = np.array([0.0, 1.0, 1.0, 2.0, 3.0]), np.full(5, 2.0)
    assert station.loss(arrive, stay, 1).tolist() == [True, False, False, True, False]
    assert not station.loss(arrive, stay, 0).any()
