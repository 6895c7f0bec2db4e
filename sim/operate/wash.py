"""Water and toilets: at every peak of the day pupils stand in line, one line for each school (and sex).

Peaks whose bell rings at the same minute are lived in the order in which they begin, then by name.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import simpy
from numba import njit
from scipy.special import ndtri

from sim.chance import YearLuck
from sim.config import Settings
from sim.config.school import Peak
from sim.operate.pupils import Pupils
from sim.operate.station import in_order, turns
from sim.plan import WALK, Bools, Floats, Ints, YearPlan
from sim.share import Known
from sim.streams import Key, Owners, pair
from sim.units import MINUTES_PER_DAY, minutes_of

if TYPE_CHECKING:
    from sim.operate.at_school import AtSchool

Steps = Generator[simpy.Event, object, None]

_Lines = tuple[Ints, Ints, Ints, Ints, Ints]
"""Whose visits they are, and the size, school, resource and servers of each line."""
RESOURCES = ("tap", "basin", "toilet_girls", "toilet_boys", "shower")
_STATIONS = {
    "tap": ("taps", (0,)),
    "basin": ("basins", (1,)),
    "toilet": ("toilets", (2, 3)),
    "shower": ("showers", (4, 4)),
}
"""station -> its fixtures, and position in RESOURCES of each line of a school: one for all, or girls and boys"""
_NORMAL = ndtri((np.arange(4096) + 0.5) / 4096)
"""4096 equally likely values that stand for the standard normal: right to a thousandth but in the tails"""


@dataclass(frozen=True, slots=True)
class Visits:
    """Who may stand in which line in a year; V visits in L lines at K peaks, ordered by peak, school and sex."""

    peaks: tuple[str, ...]
    """(K) names of the peaks, by the minute at which they begin."""
    wanted: tuple[str, ...]
    """(K) who wants it: all, lodgers, diners."""
    clock: Floats
    """(K, 3) first minute, spread and bell of each peak, after midnight."""
    who: Ints
    """(V,) the pupil of each visit."""
    ptr: Ints
    """(L + 1,) the visits of line l are ptr[l]:ptr[l+1]."""
    lines: Ints
    """(K + 1,) the lines of peak k are lines[k]:lines[k+1]."""
    peak: Ints
    """(L,)"""
    school: Ints
    """(L,)"""
    resource: Ints
    """(L,) position in RESOURCES."""
    servers: Ints
    """(L,) taps, basins, toilets or showers of the line."""

    def __len__(self) -> int:
        return len(self.who)


def visits(settings: Settings, plan: YearPlan, pupils: Pupils, known: Known | None = None) -> Visits:
    """Lay out the lines of a year; nothing here depends on the day.

    Lodgers' peaks have a place for everyone who may have to stay for a night: all but those who walk to school.
    Showers are where beds are.
    """
    peaks, known = settings.wash.peaks, known or Known()
    names = tuple(sorted(peaks, key=lambda name: (peaks[name].from_min, name)))
    parts = [_lines(plan, pupils, peaks[name].station, peaks[name].who, known) for name in names]
    who, size, school, resource, servers = (np.concatenate(column) for column in zip(*parts, strict=True))
    many = np.array([len(part[1]) for part in parts])
    return Visits(
        peaks=names,
        wanted=tuple(peaks[name].who for name in names),
        clock=np.array([[peaks[name].from_min, peaks[name].spread_min, peaks[name].bell_min] for name in names]),
        who=who,
        ptr=np.append(0, np.cumsum(size)),
        lines=np.append(0, np.cumsum(many)),
        peak=np.repeat(np.arange(len(names)), many),
        school=school,
        resource=resource,
        servers=servers,
    )


def _lines(plan: YearPlan, pupils: Pupils, station: str, wanted: str, known: Known) -> _Lines:
    """Return the lines of one peak."""
    fixtures, resource = _STATIONS[station]
    may = {"all": np.ones(len(pupils), dtype=bool), "diners": pupils.eats, "lodgers": pupils.mode != WALK}[wanted]
    if station == "shower":
        may = may & (plan.beds.nominal.sum(axis=1) > 0)[pupils.school]
    return known(_in_line, resource, known.interned(may), pupils.school, pupils.sex, getattr(plan.fixtures, fixtures))


def _in_line(resource: tuple[int, ...], may: Bools, school: Ints, sex: Ints, fixtures: Ints) -> _Lines:
    """Let those who may use a station stand in its lines; may, school and sex: (N,)."""
    who, sexes = np.flatnonzero(may), len(resource)
    at = school[who] * sexes + (sex[who] if sexes > 1 else 0)
    lines, size = np.unique(at, return_counts=True)
    servers = fixtures.ravel()[lines]
    return who[np.argsort(at, kind="stable")], size, lines // sexes, np.array(resource)[lines % sexes], servers


def wash_luck(
    settings: Settings, visits: Visits, pupils: Pupils, luck: YearLuck, week: int, days: int, known: Known
) -> tuple[Floats, ...]:
    """Draw who wants what on each day of a week, when, and for how long; for each peak (2, D, v), its v visits.

    First the minute after midnight at which a pupil wants to stand in line, NaN when not today; then how many minutes
    they would take. The pupils of a peak come evenly spread; the time they take is lognormal.
    """
    return tuple(
        known(
            _peak_luck, settings.wash.peaks[name], known(_who, known, visits, k), pupils.number, pupils.sex, luck,
            f"wash {name}", week, days,
        )
        for k, name in enumerate(visits.peaks)
    )  # fmt: skip


def _who(known: Known, visits: Visits, k: int) -> Ints:
    """Return the pupils of each visit of a peak."""
    return known.interned(visits.who[visits.ptr[visits.lines[k]] : visits.ptr[visits.lines[k + 1]]])


def _peak_luck(
    peak: Peak, who: Ints, number: Owners, sex: Ints, luck: YearLuck, purpose: str, week: int, days: int
) -> Floats:
    """Draw the luck of one peak; (2, D, v)."""
    median = np.array([[minutes_of(peak.girls_s)], [minutes_of(peak.boys_s)]])
    minutes, coming = median * np.exp(peak.sd_log * _NORMAL), (peak.from_min, peak.spread_min, peak.share)
    found = np.empty((2, days, len(who)))
    for day in range(days):
        key = luck.daily(purpose, week, day + 1)
        _draw(key, who, (number, sex), coming, minutes, (found[0, day], found[1, day]))
    return found


@njit(cache=True)
def _draw(
    key: Key,
    who: Ints,
    pupils: tuple[Owners, Ints],
    coming: tuple[float, float, float],
    minutes: Floats,
    out: tuple[Floats, Floats],
) -> None:
    """Write when each pupil joins one peak and how long they would take: a single draw decides both.

    pupils: number and sex of each; coming: first minute, spread and share; minutes: equally likely times of girls
    and of boys, (2, many).
    """
    begin, spread, share = coming
    scale, many = spread / max(share, 1e-12), minutes.shape[1]
    for v in range(len(who)):
        i = who[v]
        wish, slow = pair(key, pupils[0][i])
        out[0][v] = begin + scale * wish if wish < share else np.nan
        out[1][v] = minutes[pupils[1][i], int(slow * many)]


def washing(env: simpy.Environment, week: AtSchool) -> Steps:
    """Live every peak of the week at its bell, in all schools at once; who has not begun by then gives up.

    Each peak has all fixtures of its station to itself: peaks of one station are not meant to overlap.
    """
    bells = week.visits.clock[:, 2]
    for day in range(week.days):
        for k in np.argsort(bells, kind="stable").tolist():
            bell = day * MINUTES_PER_DAY + bells[k]
            yield env.timeout(max(bell - env.now, 0.0))
            _live(week, day, k, _here(week, day, k, bell), bell)


def _here(week: AtSchool, day: int, k: int, now: float) -> Bools:
    """Tell who takes part in a peak: pupils at school, of whom the day pupils only until school closes; (N,)."""
    pupils, bells, diary, wanted = week.pupils, week.bells, week.diary, week.visits.wanted[k]
    here, begin, last = week.present(day, now), week.visits.clock[k, 0], day == week.days - 1
    if wanted == "diners":
        here &= pupils.eats
    if begin < bells.lunch_min:
        return np.asarray(here & week.slept[day]) if wanted == "lodgers" else here
    tonight = (diary.stayed[day] <= now) | (pupils.has_bed & (not last))  # NaN compares false
    if wanted == "lodgers":
        return np.asarray(here & tonight)
    return np.asarray(here & (tonight | (begin < week.closes[last])))


def _live(week: AtSchool, day: int, k: int, here: Bools, bell: float) -> None:
    """Let those who are here pass the lines of one peak, and tell it."""
    visits, luck, diary = week.visits, week.luck, week.diary
    low, high = visits.lines[k], visits.lines[k + 1]
    share = luck.water[day, visits.school[low:high]]
    page = slice(visits.ptr[low], visits.ptr[high])
    pass_lines(
        visits.ptr[low : high + 1] - visits.ptr[low],
        np.floor(visits.servers[low:high] * share + 0.5).astype(np.int64),
        visits.who[page],
        (here, diary.alighted_in[day], diary.line_in[day]),
        (luck.wash[k][0, day], luck.wash[k][1, day]),
        (day * MINUTES_PER_DAY, bell),
        (diary.joined[day, page], diary.began[day, page], diary.done[day, page]),
    )


@njit(cache=True)
def pass_lines(
    ptr: Ints,
    servers: Ints,
    who: Ints,
    came: tuple[Bools, Floats, Floats],
    wish: tuple[Floats, Floats],
    clock: tuple[float, float],
    told: tuple[Floats, Floats, Floats],
) -> None:
    """Pass the lines of one peak: first come, first served; who has not begun at the bell gives up.

    ptr (l + 1,), servers (l,): the lines; who (V,); came: who is here (N,), and when a school bus or a public one
    brought them, NaN when none did: who comes to school later than to the line stays out; wish: join and service
    (V,); clock: midnight and bell; told: joined, began, done (V,), minutes of the week.
    """
    midnight, bell = clock
    since = _since(came)
    for v in range(ptr[0], ptr[-1]):
        now = midnight + wish[0][v]
        told[0][v] = now if since[who[v]] <= now else np.nan  # NaN compares false
    for line in range(len(servers)):
        order = in_order(np.arange(ptr[line], ptr[line + 1]), told[0], np.inf)
        turns(order, (told[0], wish[1]), servers[line], bell, np.inf, (told[1], told[2]))


@njit(cache=True)
def _since(came: tuple[Bools, Floats, Floats]) -> Floats:
    """Return since when each is at school, inf: never; (N,)."""
    here, alighted, line_in = came
    since = np.full(len(here), np.inf)
    for i in range(len(here)):
        if here[i]:
            since[i] = -np.inf
            for minute in (alighted[i], line_in[i]):
                if minute > since[i]:  # false for NaN
                    since[i] = minute
    return since
