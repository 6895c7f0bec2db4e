"""Plain SimPy models, one process per pupil: slow, simple, and right to the last bit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import simpy

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
