"""Plain SimPy models, one process per pupil: slow, simple, and right to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappush

import numpy as np
import simpy

from sim.operate.diary import BUS_SEAT

EVENT = Iterator[simpy.Event]


def counter(env, opens, closes):
    """Return a counter at which the free servers stand: each comes when it opens and goes when it closes.

    The one that has been free longest is taken first, then the one that closes first.
    """
    desk = simpy.PriorityStore(env)

    def come(server) -> EVENT:
        yield env.timeout(max(server[0], 0))
        yield desk.put(server)

    def go(server) -> EVENT:
        yield env.timeout(max(server[1], 0))
        desk.items[:] = sorted(one for one in desk.items if one[2] != server[2])

    for server in sorted((o, c, k) for k, (o, c) in enumerate(zip(opens, closes, strict=True)) if o < c and c > 0):
        env.process(come(server))
        if server[1] < np.inf:
            env.process(go(server))
    return desk


def serve(env, desk, kitchen, service, last_begin, last_end):
    """Wait in line, then be served; return (start, done, short), the two NaN for one who gets nothing."""
    server = yield desk.get()
    begin = env.now
    if begin >= last_begin:
        return np.nan, np.nan, False
    if not kitchen[0]:
        yield desk.put(server)
        return np.nan, np.nan, True
    kitchen[0] -= 1
    yield env.timeout(service)
    if env.now < server[1]:
        yield desk.put((env.now, *server[1:]))
    return (begin, env.now, False) if env.now <= last_end else (np.nan, np.nan, False)


def canteen(arrive, service, eat, opens, closes, seats, bell, portions):
    """Live one sitting: queue at the windows, take a seat, eat, leave; everyone is gone at the bell."""
    n = len(arrive)
    at_window, served, seated, left = (np.full(n, np.nan) for _ in range(4))
    short = np.zeros(n, dtype=bool)
    env = simpy.Environment()
    desk, kitchen = counter(env, opens, closes), [portions]
    chair = simpy.Resource(env, seats) if seats else None
    closing = env.timeout(bell)

    def pupil(who: int) -> EVENT:
        yield env.timeout(arrive[who])
        turn = yield from serve(env, desk, kitchen, service[who], bell, bell)
        at_window[who], served[who], short[who] = turn
        if chair is None or np.isnan(turn[1]):
            return
        with chair.request() as turn:
            yield turn
            if env.now >= bell:
                return
            seated[who] = env.now
            yield env.timeout(eat[who]) | closing
            left[who] = env.now

    for who in np.argsort(arrive, kind="stable"):
        env.process(pupil(who))
    env.run()
    return at_window, served, seated, left, short


def queue(arrive, service, opens, closes, last_begin, last_end, portions):
    """Live one queue; return (start, done)."""
    start, done = np.full(len(arrive), np.nan), np.full(len(arrive), np.nan)
    env = simpy.Environment()
    desk, kitchen = counter(env, opens, closes), [portions]

    def pupil(who: int) -> EVENT:
        yield env.timeout(arrive[who])
        start[who], done[who], _ = yield from serve(env, desk, kitchen, service[who], last_begin, last_end)

    for who in range(len(arrive)):
        env.process(pupil(who))
    env.run()
    return start, done


def loss(arrive, stay, beds):
    """Live a dormitory that takes whoever finds a bed free; return who did."""
    taken = np.zeros(len(arrive), dtype=bool)
    env = simpy.Environment()
    room = simpy.Resource(env, beds)

    def pupil(who: int) -> EVENT:
        yield env.timeout(arrive[who])
        if room.count < room.capacity:
            with room.request() as bed:
                yield bed
                taken[who] = True
                yield env.timeout(stay[who])

    for who in range(len(arrive)):
        env.process(pupil(who))
    env.run()
    return taken


def collect(now, stops, seats, aboard, dwell, road, hold, riders, waits):
    """Drive an `in` run stop by stop on a SimPy clock; return (gate, aboard, behind, embarked, left, why)."""
    env = simpy.Environment(initial_time=now)
    bus = simpy.Container(env, capacity=seats, init=aboard)
    (leg_min, cut), (rider_at, rider) = road, riders
    embarked, left = np.full(len(waits), np.nan), np.full(len(waits), np.nan)
    why = np.zeros(len(waits), dtype=np.int8)

    def drive() -> EVENT:
        for p in range(*stops):
            here = [w for w in rider[rider_at[p] : rider_at[p + 1]] if waits[w]]
            if cut[p]:
                left[here], why[here] = max(env.now, hold[p]), cut[p]
                continue
            opened, taken = env.now, 0
            for who in here:
                if bus.level == bus.capacity:
                    left[who], why[who] = opened, BUS_SEAT
                    continue
                yield bus.put(1)
                taken += 1
                embarked[who] = opened + dwell[0] + dwell[1] * taken
            if taken:
                yield _at(env, opened + dwell[0] + dwell[1] * taken)
            yield _at(env, max(env.now, hold[p]))
            yield env.timeout(leg_min[p])

    env.run(env.process(drive()))
    return env.now, bus.level, int((why == BUS_SEAT).sum()), embarked, left, why


def deliver(now, stops, aboard, dwell, road, riders, guardian, embarked):
    """Drive an `out` run stop by stop on a SimPy clock; return (end, still aboard, alighted, carried_on)."""
    env = simpy.Environment(initial_time=now)
    bus = simpy.Container(env, capacity=max(aboard, 1), init=aboard)
    (leg_min, cut), (rider_at, rider), (comes_later, waits_min) = road, riders, guardian
    alighted, carried_on = np.full(len(embarked), np.nan), np.full(len(embarked), np.nan)

    def hand_over(who: int, done: float, comes: float) -> EVENT:
        yield _at(env, done)
        yield _at(env, max(env.now, comes))
        alighted[who] = env.now
        yield bus.get(1)

    def give_up(who: int) -> EVENT:
        yield env.timeout(waits_min)
        carried_on[who] = env.now

    def drive() -> EVENT:
        for p in np.flatnonzero(cut[: stops[1]] == 0):
            if p < stops[0]:
                continue
            yield env.timeout(leg_min[p])
            aboard = [w for w in rider[rider_at[p] : rider_at[p + 1]] if not np.isnan(embarked[w])]
            here = [w for w in aboard if comes_later[w] <= waits_min]
            doors = [hand_over(w, env.now + dwell[0] + dwell[1] * k, env.now + comes_later[w])
                     for k, w in enumerate(here, 1)]  # fmt: skip
            doors += [give_up(w) for w in aboard if comes_later[w] > waits_min]
            yield env.all_of([env.process(door) for door in doors])

    env.run(env.process(drive()))
    return env.now, bus.level, alighted, carried_on


def _at(env: simpy.Environment, minute: float) -> simpy.Event:
    """Return an event at an exact minute; `timeout(minute - now)` could miss it by a rounding."""
    event = env.event()
    event._ok, event._value = True, None
    heappush(env._queue, (minute, 1, next(env._eid), event))
    return event
