"""Plain SimPy models of a bus: one step per stop and per pupil, gates as resources; right to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappush

import numpy as np
import simpy

from sim.operate.diary import BUS_SEAT

EVENT = Iterator[simpy.Event]


def at(env: simpy.Environment, minute: float) -> simpy.Event:
    """Return an event at an exact minute; `timeout(minute - now)` could miss it by a rounding."""
    event = env.event()
    event._ok, event._value = True, None
    heappush(env._queue, (minute, 1, next(env._eid), event))
    return event


def collect(now, stops, seats, aboard, pace, road, hold, riders, waits, embarked, left, track):
    """Drive an `in` run stop by stop; fill embarked, left and track, return (gate, aboard, behind)."""
    env = simpy.Environment(initial_time=now)
    bus = simpy.Container(env, capacity=seats, init=aboard)
    (leg_min, cut), (rider_at, rider), (when, why), (arrived, departed, load) = road, riders, left, track
    behind = []

    def leave(who: int, minute: float, cause: int) -> None:
        if np.isnan(when[who]):
            when[who], why[who] = minute, cause

    def drive() -> EVENT:
        for p in range(*stops):
            here = [w for w in rider[rider_at[p] : rider_at[p + 1]] if waits[w] and np.isnan(embarked[w])]
            if cut[p]:
                for who in here:
                    leave(who, max(env.now, hold[p]), cut[p])
                continue
            arrived[p], taken = env.now, 0
            for who in here:
                if bus.level == bus.capacity:
                    leave(who, arrived[p], BUS_SEAT)
                    behind.append(who)
                    continue
                yield bus.put(1)
                taken += 1
                embarked[who] = arrived[p] + pace[0] + pace[1] * taken
            if taken:
                yield at(env, arrived[p] + pace[0] + pace[1] * taken)
            yield at(env, max(env.now, hold[p]))
            departed[p], load[p] = env.now, bus.level
            yield env.timeout(leg_min[p])

    env.run(env.process(drive()))
    return env.now, bus.level, len(behind)


def unload(now, stops, call, pace, riders, embarked, alighted):
    """Let whoever is aboard for a school alight, one after another; fill alighted, return (bay is free, alighted)."""
    env = simpy.Environment(initial_time=now)
    rider_at, rider = riders
    gone = []

    def alight() -> EVENT:
        yield env.timeout(pace[0])
        for p in range(*stops):
            for who in rider[rider_at[p] : rider_at[p + 1]] if call[1][p] == call[0] else ():
                if not np.isnan(embarked[who]) and np.isnan(alighted[who]):
                    yield env.timeout(pace[1])
                    alighted[who] = env.now
                    gone.append(who)

    env.run(env.process(alight()))
    return env.now, len(gone)


def embark(now, stops, call, seats, aboard, pace, cut, close, riders, waits, embarked, left):
    """Let pupils embark at the school as their classes are over; fill embarked and left, return (done, aboard, behind).

    Each comes to the door when the class is over; they embark in the order of their stops.
    """
    env = simpy.Environment(initial_time=now)
    bus = simpy.Container(env, capacity=seats, init=aboard)
    (rider_at, rider), (when, why) = riders, left
    behind = []

    def leave(who: int, cause: int) -> None:
        if np.isnan(when[who]):
            when[who], why[who] = env.now, cause

    def load() -> EVENT:
        yield env.timeout(pace[0])
        for p in range(*stops):
            for who in rider[rider_at[p] : rider_at[p + 1]] if call[1][p] == call[0] else ():
                if not waits[who] or not np.isnan(embarked[who]):
                    continue
                if cut[p]:
                    leave(who, cut[p])
                elif bus.level == bus.capacity:
                    leave(who, BUS_SEAT)
                    behind.append(who)
                else:
                    yield bus.put(1)
                    yield at(env, max(env.now, close[who]))
                    yield env.timeout(pace[1])
                    embarked[who] = env.now

    env.run(env.process(load()))
    return env.now, bus.level, len(behind)


def deliver(now, stops, aboard, pace, road, riders, guardian, embarked, alighted, carried_on, track):
    """Drive an `out` run stop by stop; fill alighted, carried_on and track, return (end, still aboard)."""
    env = simpy.Environment(initial_time=now)
    bus = simpy.Container(env, init=aboard)
    (leg_min, cut), (rider_at, rider), (comes_later, waits_min) = road, riders, guardian
    arrived, departed, load = track

    def hand_over(who: int, done: float, comes: float) -> EVENT:
        yield at(env, done)
        yield at(env, max(env.now, comes))
        alighted[who] = env.now
        yield bus.get(1)

    def give_up(who: int) -> EVENT:
        yield env.timeout(waits_min)
        carried_on[who] = env.now

    def rides(who: int) -> bool:
        return bool(~np.isnan(embarked[who]) & np.isnan(alighted[who]) & np.isnan(carried_on[who]))

    def drive() -> EVENT:
        for p in range(*stops):
            if cut[p]:
                continue
            yield env.timeout(leg_min[p])
            arrived[p] = env.now
            riding = [who for who in rider[rider_at[p] : rider_at[p + 1]] if rides(who)]
            here = [who for who in riding if comes_later[who] <= waits_min]
            doors = [hand_over(who, env.now + pace[0] + pace[1] * k, env.now + comes_later[who])
                     for k, who in enumerate(here, 1)]  # fmt: skip
            doors += [give_up(who) for who in riding if comes_later[who] > waits_min]
            yield env.all_of([env.process(door) for door in doors])
            departed[p], load[p] = env.now, bus.level

    env.run(env.process(drive()))
    return env.now, bus.level


def hand_over(now, stops, riders, alighted, carried_on):
    """Let those alight at the end whom no guardian met."""
    rider_at, rider = riders
    for who in rider[rider_at[stops[0]] : rider_at[stops[1]]]:
        if not np.isnan(carried_on[who]) and np.isnan(alighted[who]):
            alighted[who] = now


def gate(comes, leaves, bays):
    """Let buses come to a gate in this order, each to leave its bay at a given minute; return when each has a bay."""
    env = simpy.Environment(initial_time=min(comes, default=0.0))
    bay, took = simpy.Resource(env, bays), np.full(len(comes), np.nan)

    def bus(k: int) -> EVENT:
        yield at(env, comes[k])
        with bay.request() as turn:
            yield turn
            took[k] = env.now
            yield at(env, leaves[k])

    for k in range(len(comes)):
        env.process(bus(k))
    env.run()
    return took
