"""The compiled recursions and plain SimPy models say the same, to the last bit."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.operate import drive, station


def same(left, right):
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(left, right, strict=True))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    pupils=st.integers(0, 250),
    windows=st.integers(0, 6),
    seats=st.integers(0, 120),
    bell=st.floats(1, 45),
    ties=st.booleans(),
)
def test_a_sitting_is_the_same_as_one_simpy_process_per_pupil(seed, pupils, windows, seats, bell, ties):
    rng = np.random.default_rng(seed)
    arrive = rng.uniform(0, 20, pupils)
    arrive = np.round(arrive) if ties else arrive
    service, eat = rng.lognormal(-2, 0.4, pupils), rng.lognormal(2.3, 0.3, pupils)
    found = station.canteen(arrive, service, eat, windows, seats, bell)
    assert same(found, oracle.canteen(arrive, service, eat, windows, seats, bell))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    pupils=st.integers(0, 300),
    servers=st.integers(1, 8),
    bell=st.floats(1, 60),
)
def test_a_queue_is_the_same_as_one_simpy_process_per_pupil(seed, pupils, servers, bell):
    rng = np.random.default_rng(seed)
    arrive, service = np.sort(rng.uniform(0, 40, pupils)), rng.exponential(0.5, pupils)
    assert same(station.queue(arrive, service, servers, bell), oracle.queue(arrive, service, servers, bell))


def run(seed):
    """Return the arrays of a random run: 1 to 6 stops, 0 to 12 riders at each, some of them ill."""
    rng = np.random.default_rng(seed)
    stops, at = int(rng.integers(1, 7)), int(rng.integers(0, 3))
    riders = np.concatenate([np.zeros(at, dtype=np.int64), rng.integers(0, 13, stops)])
    rider_at = np.concatenate([[0], np.cumsum(riders)])
    rider = rng.permutation(int(rider_at[-1])).astype(np.int64)
    waits = rng.random(len(rider)) > 0.2
    leg = rng.uniform(0.5, 12, at + stops)
    hold = 400 + np.cumsum(leg) - leg[0] + rng.uniform(-3, 3, at + stops)
    return (at, at + stops), rider_at, rider, waits, leg, hold


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), seats=st.integers(1, 40))
def test_a_run_to_school_is_the_same_as_driving_it_stop_by_stop(seed, seats):
    stops, rider_at, rider, waits, leg, hold = run(seed)
    dwell, track = (
        (19 / 60, 2.6 / 60),
        [np.full(stops[1], np.nan), np.full(stops[1], np.nan), np.zeros(stops[1], np.int64)],
    )
    embarked, expected = np.full(len(rider), np.nan), np.full(len(rider), np.nan)
    found = drive.collect(399.0, stops, seats, dwell, leg, hold, (rider_at, rider), waits, embarked, tuple(track))
    gate, aboard, left = oracle.collect(399.0, stops, seats, dwell, leg, hold, rider_at, rider, waits, expected)
    assert found == (gate, left)
    assert np.array_equal(embarked, expected, equal_nan=True)
    assert track[2][stops[1] - 1] == aboard <= seats


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), seats=st.integers(1, 40))
def test_a_run_home_is_the_same_as_driving_it_stop_by_stop(seed, seats):
    stops, rider_at, rider, waits, leg, _ = run(seed)
    dwell, track = (
        (19 / 60, 2.6 / 60),
        [np.full(stops[1], np.nan), np.full(stops[1], np.nan), np.zeros(stops[1], np.int64)],
    )
    embarked = np.full(len(rider), np.nan)
    ready, aboard, _ = drive.embark(990.0, stops, seats, dwell, (rider_at, rider), waits, embarked)
    alighted, expected = np.full(len(rider), np.nan), np.full(len(rider), np.nan)
    end = drive.deliver(ready, stops, aboard, dwell, leg, (rider_at, rider), embarked, alighted, tuple(track))
    assert (end, 0) == oracle.deliver(ready, stops, aboard, dwell, leg, rider_at, rider, embarked, expected)
    assert np.array_equal(alighted, expected, equal_nan=True)
    assert track[2][stops[1] - 1] == 0


def test_pupils_who_arrive_together_are_served_in_their_order():
    served, _, _ = station.canteen(np.zeros(4), np.ones(4), np.ones(4), 1, 9, 99.0)
    assert served.tolist() == [1, 2, 3, 4]


def test_a_seat_freed_at_the_very_minute_is_taken():
    served, seated, left = station.canteen(np.array([0.0, 1.0]), np.ones(2), np.ones(2), 1, 1, 99.0)
    assert (served.tolist(), seated.tolist(), left.tolist()) == ([1, 2], [1, 2], [2, 3])


@pytest.mark.parametrize(("windows", "seats"), [(0, 5), (0, 0)])
def test_without_windows_nobody_is_served(windows, seats):
    assert all(np.isnan(x).all() for x in station.canteen(np.zeros(3), np.ones(3), np.ones(3), windows, seats, 9.0))


def test_without_seats_everyone_is_served_and_nobody_sits():
    served, seated, _ = station.canteen(np.zeros(3), np.ones(3), np.ones(3), 3, 0, 9.0)
    assert served.tolist() == [1, 1, 1]
    assert np.isnan(seated).all()


def test_one_more_window_never_lengthens_any_wait():
    rng = np.random.default_rng(5)
    for _ in range(200):
        arrive, service = np.sort(rng.uniform(0, 10, 80)), rng.lognormal(-1, 0.5, 80)
        fewer, more = (station.queue(arrive, service, c, np.inf)[0] for c in (2, 3))
        assert (more <= fewer).all()
