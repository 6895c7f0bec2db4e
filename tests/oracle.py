"""Plain SimPy models, one process per pupil: slow, simple, and right to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappush

import numpy as np
import simpy

EVENT = Iterator[simpy.Event]


def canteen(arrive, service, eat, windows, seats, bell):
    """Live one sitting: queue at the windows, take a seat, eat, leave; everyone is gone at the bell."""
    n = len(arrive)
    served, seated, left = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    if windows < 1:
        return served, seated, left
    env = simpy.Environment()
    window = simpy.Resource(env, windows)
    chair = simpy.Resource(env, seats) if seats else None
    closing = env.timeout(bell)

    def pupil(who: int) -> EVENT:
        yield env.timeout(arrive[who])
        with window.request() as turn:
            yield turn
            if env.now >= bell:
                return
            yield env.timeout(service[who])
        if env.now > bell:
            return
        served[who] = env.now
        if chair is None:
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
    return served, seated, left


def queue(arrive, service, servers, bell=np.inf):
    """Live one queue; return (start, done)."""
    n = len(arrive)
    start, done = np.full(n, np.nan), np.full(n, np.nan)
    env = simpy.Environment()
    desk = simpy.Resource(env, servers)

    def pupil(who: int) -> EVENT:
        yield env.timeout(arrive[who])
        with desk.request() as turn:
            yield turn
            if env.now >= bell:
                return
            begin = env.now
            yield env.timeout(service[who])
            if env.now <= bell:
                start[who], done[who] = begin, env.now

    for who in range(n):
        env.process(pupil(who))
    env.run()
    return start, done


def collect(now, stops, seats, dwell, leg_min, hold, rider_at, rider, waits, embarked):
    """Drive an `in` run stop by stop on a SimPy clock; return (gate minute, aboard, left) and fill `embarked`."""
    env = simpy.Environment(initial_time=now)
    bus = simpy.Container(env, capacity=seats)
    left: list[int] = []

    def drive() -> EVENT:
        for p in range(*stops):
            here = [w for w in rider[rider_at[p] : rider_at[p + 1]] if waits[w] and np.isnan(embarked[w])]
            opened, taken = env.now, 0
            for who in here:
                if bus.level == bus.capacity:
                    left.append(who)
                    continue
                yield bus.put(1)
                taken += 1
                embarked[who] = opened + dwell[0] + dwell[1] * taken
            if taken:
                yield _at(env, opened + dwell[0] + dwell[1] * taken)
            yield _at(env, max(env.now, hold[p]))
            yield env.timeout(leg_min[p])

    env.run(env.process(drive()))
    return env.now, bus.level, len(left)


def deliver(now, stops, aboard, dwell, leg_min, rider_at, rider, embarked, alighted):
    """Drive an `out` run stop by stop on a SimPy clock; return the last minute and fill `alighted`."""
    env = simpy.Environment(initial_time=now)
    bus = simpy.Container(env, capacity=max(aboard, 1), init=aboard)

    def drive() -> EVENT:
        for p in range(*stops):
            yield env.timeout(leg_min[p])
            opened, gone = env.now, 0
            for who in rider[rider_at[p] : rider_at[p + 1]]:
                if not np.isnan(embarked[who]):
                    yield bus.get(1)
                    gone += 1
                    alighted[who] = opened + dwell[0] + dwell[1] * gone
            if gone:
                yield _at(env, opened + dwell[0] + dwell[1] * gone)

    env.run(env.process(drive()))
    return env.now, bus.level


def _at(env: simpy.Environment, minute: float) -> simpy.Event:
    """Return an event at an exact minute; `timeout(minute - now)` could miss it by a rounding."""
    event = env.event()
    event._ok, event._value = True, None
    heappush(env._queue, (minute, 1, next(env._eid), event))
    return event
