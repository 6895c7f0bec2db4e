"""The compiled drive of a bus and a plain SimPy one say the same, to the last bit; and its hand-worked cases."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import oracle_drive as oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_conservation import MIXES, live_under, mixed

from sim.operate import drive
from sim.operate.diary import BUS_SEAT, ROAD, WEATHER

PACE = (19 / 60, 2.6 / 60)
SEEDS = st.integers(0, 2**32 - 1)


@dataclass
class Run:
    """A run with its riders, and the pages on which it is told."""

    stops: tuple[int, int]
    leg: np.ndarray
    cut: np.ndarray
    call: np.ndarray
    hold: np.ndarray
    riders: tuple[np.ndarray, np.ndarray]
    waits: np.ndarray
    close: np.ndarray
    guardian: tuple[np.ndarray, float]
    embarked: np.ndarray
    alighted: np.ndarray
    carried_on: np.ndarray
    left: tuple[np.ndarray, np.ndarray]
    track: tuple[np.ndarray, np.ndarray, np.ndarray]

    def copy(self) -> Run:
        """Return the same with pages of its own."""
        pages = ("embarked", "alighted", "carried_on")
        return replace(
            self, **{name: getattr(self, name).copy() for name in pages},
            left=tuple(page.copy() for page in self.left), track=tuple(page.copy() for page in self.track),
        )  # fmt: skip

    def same(self, other: Run) -> bool:
        """Tell whether two runs are told alike, to the last bit."""
        mine, theirs = ((x.embarked, x.alighted, x.carried_on, *x.left, *x.track) for x in (self, other))
        return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(mine, theirs, strict=True))


def random_run(seed: int, earlier: float = 0.1) -> Run:
    """Return 1 to 6 stops among others, some out of reach, with 0 to 12 riders each: ill, fetched or left earlier."""
    rng = np.random.default_rng(seed)
    stops, before, after = int(rng.integers(1, 7)), int(rng.integers(0, 3)), int(rng.integers(0, 2))
    many = before + stops + after
    rider_at = np.append(0, np.cumsum(rng.integers(0, 13, many)))
    n = int(rider_at[-1])
    leg = rng.uniform(0.5, 12, many)
    late = np.where(rng.random(n) < 0.4, rng.exponential(4.0, n), 0.0)
    gone, told = rng.random(n) < earlier, rng.random(n) < earlier
    return Run(
        stops=(before, before + stops),
        leg=leg,
        cut=np.where(rng.random(many) < 0.15, rng.choice([ROAD, WEATHER], many), 0).astype(np.int8),
        hold=400 + np.cumsum(leg) - leg[0] + rng.uniform(-3, 3, many),
        riders=(rider_at, rng.permutation(n).astype(np.int64)),
        waits=rng.random(n) > 0.2,
        close=np.where(rng.random(n) < 0.5, 985.0, rng.choice([990.5, 1000.0], n)),
        guardian=(late, 5.0),
        embarked=np.where(gone, 390.0, np.nan),
        alighted=np.where(gone & (rng.random(n) < 0.7), 395.0, np.nan),
        carried_on=np.full(n, np.nan),
        left=(np.where(told, 380.0, np.nan), np.where(told, BUS_SEAT, 0).astype(np.int8)),
        track=(np.full(many, np.nan), np.full(many, np.nan), np.zeros(many, dtype=np.int64)),
        call=rng.integers(0, 2, many),
    )


def collected(by, run: Run, seats: int, aboard: int, stops=None, now=399.0):
    return by.collect(
        now, stops or run.stops, seats, aboard, PACE, (run.leg, run.cut), run.hold, run.riders, run.waits,
        run.embarked, run.left, run.track,
    )  # fmt: skip


def embarked(by, run: Run, seats: int, now=984.0):
    """Call at two schools, one after the other."""
    aboard = behind = 0
    for call in (0, 1):
        now, aboard, more = by.embark(
            now, run.stops, (call, run.call), seats, aboard, PACE, run.cut, run.close, run.riders, run.waits,
            run.embarked, run.left,
        )  # fmt: skip
        behind += more
    return now, aboard, behind


def unloaded(by, run: Run, now: float):
    """Call at two schools, one after the other."""
    gone = 0
    for call in (0, 1):
        now, more = by.unload(now, run.stops, (call, run.call), PACE, run.riders, run.embarked, run.alighted)
        gone += more
    return now, gone


def delivered(by, run: Run, now: float, aboard: int, stops=None):
    return by.deliver(
        now, stops or run.stops, aboard, PACE, (run.leg, run.cut), run.riders, run.guardian, run.embarked,
        run.alighted, run.carried_on, run.track,
    )  # fmt: skip


@settings(max_examples=150)
@given(seed=SEEDS, seats=st.integers(1, 40), aboard=st.integers(0, 5), now=st.sampled_from([380.0, 399.0, 431.7]))
def test_a_run_to_school_is_the_same_as_driving_it_stop_by_stop(seed, seats, aboard, now):
    run = random_run(seed)
    plain = run.copy()
    found = collected(drive, run, seats, min(aboard, seats), now=now)
    assert found == collected(oracle, plain, seats, min(aboard, seats), now=now)
    assert run.same(plain)
    assert unloaded(drive, run, found[0]) == unloaded(oracle, plain, found[0])
    assert run.same(plain)


@settings(max_examples=150)
@given(seed=SEEDS, seats=st.integers(1, 40))
def test_a_run_home_is_the_same_as_driving_it_stop_by_stop(seed, seats):
    run = random_run(seed, earlier=0.0)
    plain = run.copy()
    ready, aboard, behind = embarked(drive, run, seats)
    assert (ready, aboard, behind) == embarked(oracle, plain, seats)
    assert run.same(plain)
    end, still = delivered(drive, run, ready, aboard)
    assert (end, still) == delivered(oracle, plain, ready, aboard)
    assert still == (~np.isnan(run.carried_on)).sum()
    for by, told in ((drive, run), (oracle, plain)):
        by.hand_over(end, told.stops, told.riders, told.alighted, told.carried_on)
    assert run.same(plain)
    assert (np.isnan(run.embarked) == np.isnan(run.alighted)).all()


@settings(max_examples=80)
@given(seed=SEEDS, seats=st.integers(1, 40), at=st.integers(0, 6))
def test_a_run_in_two_parts_is_the_run(seed, seats, at):
    """A breakdown parts a run; where it takes no time, nothing changes."""
    whole = random_run(seed, earlier=0.0)
    first, last = whole.stops
    middle = min(first + at, last)
    parted, home = whole.copy(), whole.copy()
    gate_min, aboard, behind = collected(drive, whole, seats, 0)
    now, half, more = collected(drive, parted, seats, 0, (first, middle))
    assert collected(drive, parted, seats, half, (middle, last), now)[:2] == (gate_min, aboard)
    assert parted.same(whole)
    assert more <= behind
    ready, aboard, _ = embarked(drive, home, seats)
    again = home.copy()
    end = delivered(drive, home, ready, aboard)
    now, half = delivered(drive, again, ready, aboard, (first, middle))
    assert delivered(drive, again, now, half, (middle, last)) == end
    assert again.same(home)


@settings(max_examples=150)
@given(seed=SEEDS, seats=st.integers(1, 40), way=st.sampled_from([collected, embarked]))
def test_one_more_seat_never_leaves_more_behind(seed, seats, way):
    run = random_run(seed)
    more = run.copy()
    few = way(drive, run, seats, 0) if way is collected else way(drive, run, seats)
    many = way(drive, more, seats + 1, 0) if way is collected else way(drive, more, seats + 1)
    assert many[2] == max(few[2] - 1, 0)
    assert many[1] == few[1] + (few[2] > 0)
    assert not (~np.isnan(run.embarked) & np.isnan(more.embarked)).any(), "nobody loses a seat to another"


@settings(max_examples=80)
@given(seed=SEEDS)
def test_a_run_that_does_not_come_leaves_everyone_and_has_a_claim_to_be_fetched(seed):
    run = random_run(seed)
    rider_at, rider = run.riders
    here = rider[rider_at[run.stops[0]] : rider_at[run.stops[1]]]
    cut = np.repeat(run.cut, np.diff(rider_at))[rider_at[run.stops[0]] : rider_at[run.stops[1]]]
    waiting = run.waits[here] & np.isnan(run.embarked[here])
    first = waiting & np.isnan(run.left[0][here])
    refused = np.arange(len(rider)) % 3 == 0
    before = run.copy()
    drive.strand(410.0, WEATHER, run.stops, run.cut, run.riders, run.waits, run.embarked, run.left)
    assert (run.left[0][here[first]] == 410.0).all()
    assert (run.left[1][here[first]] == np.where(cut[first], cut[first], WEATHER)).all()
    others = np.setdiff1d(rider, here[first])
    assert np.array_equal(run.left[0][others], before.left[0][others], equal_nan=True)
    claims = drive.claims(run.stops, run.cut, run.riders, run.waits, run.embarked, refused)
    assert claims == bool((waiting & (cut == 0) & ~refused[here]).any())


@pytest.mark.parametrize("bays", [1, 2, 3])
def test_a_bus_at_the_gate_has_the_bay_that_is_free_first_as_in_a_plain_queue(bays):
    """Every bus of crowded weeks, spare ones too: it waits as long as for a SimPy resource."""
    usual = {group: {key: may[0] for key, may in keys.items()} for group, keys in MIXES.items()}
    fleet = {"spare_share": 1.0, "reserve_driver_share": 1.0, "reserve_attendant_share": 1.0, "noise_leg_sd": 0.3,
             "breakdown_per_km": 0.02, "repair_min": 5.0, "arrive_earliest_before_bell_min": 20.0,
             "second_run_latest_min": 0}  # fmt: skip
    waited = 0
    for number in (2, 9, 23):
        one = live_under(mixed(usual | {"fleet": usual["fleet"] | fleet}), number, crowd=2, bays=bays)
        table, diary = one.scene.table, one.diary
        assert np.isnan(diary.second_left).all(), "second drives are not told at the gate"
        day, call = np.nonzero(~np.isnan(diary.reached_gate))
        times = np.stack([page[day, call] for page in (diary.reached_gate, diary.took_bay, diary.freed_bay)])
        assert len(call)
        for here in np.unique(np.array(table.call_school)[call]):
            mine = np.flatnonzero(np.array(table.call_school)[call] == here)
            mine = mine[np.lexsort((np.array(table.bus)[call[mine]], times[0, mine]))]
            comes, took, leaves = times[:, mine]
            assert np.array_equal(oracle.gate(comes, leaves, bays), took)
            waited += int((took > comes).sum())
    assert waited > 0 or bays > 1
