"""The product's stations, asked as the plain SimPy models of `oracle` are: a batch in, new arrays out."""

from __future__ import annotations

import numpy as np

from sim.operate import station


def blank(n, pages):
    """Return so many blank pages of times for n pupils, and one of nobody being short."""
    return *(np.full(n, np.nan) for _ in range(pages)), np.zeros(n, dtype=np.int8)


def canteen(arrive, service, eat, opens, closes, seats, bell, portions):
    """Return (at_window, served, seated, left, short)."""
    *times, short = told = blank(len(arrive), 4)
    batch = np.arange(len(arrive))
    fed = station.canteen(batch, (arrive, service, eat), (opens, closes), seats, bell, portions, told)
    assert fed == np.sum(~np.isnan(told[1]))
    return *times, short.astype(bool)


def queue(arrive, service, opens, closes, last_begin, last_end, portions):
    """Return (start, done)."""
    told = blank(len(arrive), 2)
    line = np.arange(len(arrive))
    station.queue(line, (arrive, service), (opens, closes), (last_begin, last_end), portions, told)
    return told[:2]


def turns(arrive, service, servers, bell):
    """Return (start, done)."""
    start, done, _ = blank(len(arrive), 2)
    station.turns(np.arange(len(arrive)), (arrive, service), servers, bell, np.inf, (start, done))
    return start, done
