"""Plain SimPy models, one process per pupil: slow, simple, and right to the last bit."""

from __future__ import annotations

from collections.abc import Iterator

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
