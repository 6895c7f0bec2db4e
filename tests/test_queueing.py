"""The product's own stations against exact values of queueing theory.

The values are those of known_values.csv in the validation folder: figures, copied here with their sources.
Every row a first-come-first-served station can answer is asked; the interval must cover the exact value. The
seed is fixed and the confidence is 99.9 % for each, so that all of them together hold with 98 %.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from stations import queue

from sim.operate.station import loss

BATCHES = 40
CONFIDENCE = 0.999


def mean_wait(gap, service, servers, pupils=40_000, batches=BATCHES, seed=2023):
    """Return batch means of the wait in the line, each from its own empty start, after a warm-up."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(batches):
        arrive = np.cumsum(gap(rng, pupils))
        start, _ = queue(arrive, service(rng, pupils), *there(servers), np.inf, np.inf, pupils)
        found.append((start - arrive)[pupils // 8 :].mean())
    return np.array(found)


def there(servers):
    """Return the opening and closing minutes of servers that are always there."""
    return np.full(servers, -np.inf), np.full(servers, np.inf)


def covers(found, exact, confidence=CONFIDENCE):
    low, high = stats.t.interval(confidence, len(found) - 1, found.mean(), stats.sem(found))
    return low <= exact <= high


def exponential(mean):
    return lambda rng, n: rng.exponential(mean, n)


def fixed(value):
    return lambda _, n: np.full(n, value)


@pytest.mark.parametrize(
    ("servers", "offered", "exact"),
    [
        (2, 1.8, 4.2631578947),
        (5, 4.0, 0.5541125541),
        (6, 5.0, 0.5875164505),
        (10, 9.0, 0.6687315241),
        (20, 18.0, 0.2753845024),
    ],
)
def test_m_m_c_waits_as_erlang_c_says(servers, offered, exact):
    # source: R queueing 0.2.12; exact formula
    assert covers(mean_wait(exponential(1 / offered), exponential(1.0), servers), exact)


@pytest.mark.parametrize(
    ("servers", "load", "exact"),
    [
        (2, 0.5, 0.17674106),
        (2, 0.9, 2.14692321),
        (3, 0.8, 0.55390023),
        (5, 0.5, 0.03065319),
        (5, 0.9, 0.77669516),
        (10, 0.8, 0.10982779),
    ],
)
def test_m_d_c_waits_as_the_embedded_chain_says(servers, load, exact):
    # source: exact embedded chain
    assert covers(mean_wait(exponential(1 / (servers * load)), fixed(1.0), servers), exact)


def erlang_4(rng, n):
    return rng.gamma(4.0, 0.25, n)


def hyperexponential(rng, n):
    """Return services of mean 1 and squared variation 4: two exponentials of equal weight in time."""
    slow = rng.random(n) < 0.5 - np.sqrt(0.15)
    return np.where(slow, rng.exponential(4.43649167, n), rng.exponential(0.56350833, n))


@pytest.mark.parametrize(("service", "exact"), [(erlang_4, 2.5), (hyperexponential, 10.0)])
def test_m_g_1_waits_as_pollaczek_and_khinchine_say(service, exact):
    # source: Pollaczek-Khinchine; Erlang-4 service, and a balanced hyperexponential of squared variation 4
    assert covers(mean_wait(exponential(1 / 0.8), service, 1), exact)


def test_m_m_1_waits_as_bronson_says():
    # source: Bronson 23.16: one arrival a minute, 45 s of service: 2.25 minutes in line
    assert covers(mean_wait(exponential(1.0), exponential(0.75), 1), 2.25)


def test_m_m_3_stays_as_gross_and_harris_say():
    # source: Gross & Harris p. 72: lambda 6, mu 3, c 3: 0.4814815 hours in the system, a third of it in service
    assert covers(mean_wait(exponential(1 / 6), exponential(1 / 3), 3), 0.4814815 - 1 / 3)


@pytest.mark.parametrize(("rate", "servers", "exact"), [(0.16, 2, 12.79629630), (0.32, 4, 6.00431034)])
def test_classes_of_ten_wait_as_the_batch_queue_says(rate, servers, exact):
    # source: truncated chain of M^X/M/c with batches of ten
    def class_gaps(rng, n):
        gaps = np.zeros(n)
        gaps[::10] = rng.exponential(1 / rate, -(-n // 10))
        return gaps

    assert covers(mean_wait(class_gaps, exponential(1.0), servers, pupils=60_000), exact)


@pytest.mark.parametrize(
    ("servers", "load", "service", "approximate"),
    [
        (4, 0.8, lambda rng, n: rng.gamma(4.0, 0.25, n), 0.46596287),
        (10, 0.9, lambda rng, n: rng.gamma(2.0, 0.5, n), 0.50154864),
    ],
)
def test_m_g_c_waits_near_allen_and_cunneen(servers, load, service, approximate):
    # source: Allen-Cunneen formula, an approximation: within 10 %
    found = mean_wait(exponential(1 / (servers * load)), service, servers)
    assert found.mean() == pytest.approx(approximate, rel=0.10)


def lognormal(mean, sd_log=1.0):
    return lambda rng, n: rng.lognormal(np.log(mean) - sd_log**2 / 2, sd_log, n)


@pytest.mark.parametrize(
    "stay", [exponential(1.0), fixed(1.0), lognormal(1.0)], ids=["exponential", "fixed", "lognormal"]
)
@pytest.mark.parametrize(
    ("beds", "offered", "occupied"),
    [(10, 8.0, 7.02671149), (40, 36.0, 33.64669699), (100, 84.1, 83.2529696), (120, 100.0, 99.43099454)],
)
def test_beds_are_refused_as_erlang_b_says_whatever_the_length_of_stay(beds, offered, occupied, stay):
    # source: Erlang B, exact formula; the mean number of lodgers is that of those who are not refused (Little)
    rng = np.random.default_rng(2023)
    found, askers = [], 30_000
    for _ in range(BATCHES):
        arrive = np.cumsum(rng.exponential(1 / offered, askers))
        taken = loss(arrive, stay(rng, askers), beds)[askers // 8 :]
        found.append(offered * taken.mean())
    assert covers(np.array(found), occupied)


def test_fifteen_lines_lose_one_call_in_a_hundred():
    # source: erlang.com manual: 8.108 erlangs offered to 15 lines are lost at 1 %
    rng = np.random.default_rng(2023)
    arrive, stay = np.cumsum(rng.exponential(1 / 8.108, (40, 30_000)), axis=1), rng.exponential(1.0, (40, 30_000))
    lost = np.array([1 - loss(a, s, 15)[4_000:].mean() for a, s in zip(arrive, stay, strict=True)])
    assert covers(lost, 0.01)
