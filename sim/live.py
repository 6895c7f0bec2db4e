"""Live one year of one replication: the pupils who really come, the weeks that are sampled, what they tell."""

from __future__ import annotations

import ctypes
import math
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.chance import SampledWeeks, YearLuck, enrol_luck, sampled_weeks
from sim.config import Settings
from sim.county import County, SchoolCalendar
from sim.measure import classroom
from sim.measure.annual import annual
from sim.measure.scene import Scene
from sim.measure.year import TABLES, Tally, Told
from sim.operate.day import Week, live, sizes
from sim.operate.diary import Diary, Names, unwiped
from sim.operate.lodge import most_asked
from sim.operate.luck import Paper, WeekLuck, paper, week_luck
from sim.operate.stage import Stage, Ways, but_for_beds, stage
from sim.operate.weather import conditions
from sim.plan import SEXES, Ints, Plan, Routes, YearPlan
from sim.plan.cohort import where_they_live
from sim.plan.course import gates, run_of_stop
from sim.plan.enrol import draw_by_home, rolled_years, town_of
from sim.share import Known


@dataclass(frozen=True, slots=True)
class Job:
    """All that a worker needs to live any year of any replication of a scenario."""

    settings: Settings
    county: County
    ways: Ways
    plan: Plan


def counts(job: Job, replication: int) -> Ints:
    """Return the pupils who come in every year of a replication: at home and in town by old home; (Y, 2, H, 9, 2)."""
    return _counts(job.county, job.settings, replication)


def _counts(county: County, settings: Settings, replication: int) -> Ints:
    luck = enrol_luck(county, settings.seed, replication, rolled_years(county, settings))
    return draw_by_home(county, settings, luck)


def who_come(known: Known, county: County, settings: Settings, replication: int, k: int) -> Ints:
    """Return the pupils who come in year k; (2, H, 9, 2)."""
    return np.asarray(known(_counts, county, settings, replication)[k])


def live_year(job: Job, replication: int, k: int, known: Known | None = None) -> dict[str, pd.DataFrame]:
    """Live year k of a replication; return its tables: measures, their annual values, harm, resources and more.

    known: what was computed for other scenarios. A week that differs from one of theirs in nothing is not lived again.
    """
    known, county, settings, plan = known or Known(), job.county, job.settings, job.plan.years[k]
    parts = known(who_come, known, county, settings, replication, k)
    luck = YearLuck(settings.seed, replication, plan.year)
    weeks, beds = lived_weeks(job, luck), plan.beds.emergency + plan.beds.nominal
    events, tally = dict[str, pd.DataFrame](), None
    set_up_in = cache(lambda term: but_for_beds(county, settings, job.ways, plan, parts, luck, term, known))
    for week, weight in zip(weeks.week.tolist(), weeks.weight.tolist(), strict=True):
        set_up = set_up_in(term_of(county.calendar, row_of(county.calendar, week)))
        keep = _kept_days(settings, luck, week, first=k == 0 and tally is None)
        daily = _daily(settings, len(weeks.week))
        told, kept = known.up_to(_tell, beds, known, county, settings, set_up, luck, week, (daily, *keep))
        tally = tally or Tally(scene_of(county, settings, plan, set_up), daily)
        tally.join(told, weight)
        events |= kept
    assert tally is not None, "a school year has weeks"
    coming = where_they_live(parts[None], town_of(county))[0]
    tables = year_tables(job, tally, replication, coming)
    return tables | {"enrolment": _enrolment(county, plan, coming, replication)} | events


def year_tables(
    job: Job, tally: Tally, replication: int, coming: Ints, asked: Sequence[str] = TABLES
) -> dict[str, pd.DataFrame]:
    """Return the tables asked for of a year, and annual values where measures are; coming: (H, 9, 2) pupils."""
    settings, county, plan = job.settings, job.county, tally.scene.plan
    tables = tally.tables(replication, asked)
    for name, rows in classroom.unlived(county, settings, plan, coming).items():
        if name in tables:
            tables[name] = pd.concat([tables[name], rows.assign(replication=replication, year=plan.year)])
    if "measures" in tables:
        told = classroom.yearly(county, settings, plan, coming).assign(replication=replication, year=plan.year)
        tables["annual"] = pd.concat([annual(tables["measures"]), told], ignore_index=True)
    return tables


def _tell(
    beds: Ints, known: Known, county: County, settings: Settings, set_up: Stage, luck: YearLuck, week: int,
    asked: tuple[int, ...],
) -> tuple[tuple[Told, dict[str, pd.DataFrame]], Ints]:  # fmt: skip
    """Live a week; return what it tells, the events of the days to be kept, and the beds it asked for.

    beds: (S, 2); asked: whether days are measured, too, then the days whose events are kept.
    """
    days = int(county.calendar.days[row_of(county.calendar, week)])
    lived = _lived(county, settings, replace(set_up, beds=beds), luck, week, days, _DESK.sheet(set_up, days), known)
    scene = scene_of(county, settings, set_up.plan, set_up)
    tally = Tally(scene, bool(asked[0]))
    tally.add(scene, week, 1.0, lived.diary)
    told = Told(tally.measured, tally.harmed, tally.spread, tally.by_pupil, tally.skies)
    return (told, _events(scene, lived.diary, week, asked[1:])), most_asked(lived)


def lived_weeks(job: Job, luck: YearLuck) -> SampledWeeks:
    """Return the weeks of a year that are lived: those asked for, of the stress pack, and of days to be kept."""
    chosen, stress = job.settings.calendar, job.settings.stress
    kept = [week for year, week, _ in job.settings.study.days_kept if year == luck.year]
    always = (*chosen.always, *(stress.weeks if stress.strikes else ()), *kept)
    return sampled_weeks(luck, job.county.calendar, chosen.weeks_per_year, always)


def live_weeks(
    job: Job, k: int, parts: Ints, luck: YearLuck, weeks: SampledWeeks
) -> Iterator[tuple[int, float, Scene, Diary, WeekLuck]]:
    """Live the weeks of year k one after another; yield (week, weight, scene, diary, luck) of each, to be looked at.

    parts: (2, H, 9, 2) pupils. The paper of diary and luck is used again for the next week.
    """
    known, desk, plan, county = Known(), _Desk(), job.plan.years[k], job.county
    for week, days, weight in zip(weeks.week.tolist(), weeks.days.tolist(), weeks.weight.tolist(), strict=True):
        term = term_of(county.calendar, row_of(county.calendar, week))
        set_up = stage(county, job.settings, job.ways, plan, parts, luck, term, known)
        lived = _lived(county, job.settings, set_up, luck, week, days, desk.sheet(set_up, days), known)
        yield week, weight, scene_of(county, job.settings, plan, set_up), lived.diary, lived.luck


LARGEST_KEPT = 2**25 - 2**16
"""Bytes. The C library (glibc: mallopt, M_MMAP_THRESHOLD) keeps freed memory for us only up to the size of the largest
block that was ever given back, and 32 MB at most; the rest goes back to the system and must be filled anew."""


SHEETS_TO_GIVE_BACK = 64
"""After so many weeks, some ten years of six, memory that is free goes back to the system."""


def give_back() -> None:
    """Give memory that is free back to the system: the C library (glibc) keeps it, in pieces that fit nothing new."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)


class _Desk(threading.local):
    """Where a week is written down, on the paper of the weeks before: filling memory anew takes longer."""

    def __init__(self) -> None:
        self.roll, self.used, self.sheets = np.empty(0, dtype=np.uint8), 0, 0
        np.empty(LARGEST_KEPT, dtype=np.uint8)  # given back at once: see there

    def sheet(self, set_up: Stage, days: int) -> tuple[Paper, Diary]:
        """Return paper for the luck and for the diary of a week of so many days; that of the week before is void."""
        self.sheets += 1
        if self.sheets % SHEETS_TO_GIVE_BACK == 0:
            give_back()
        if self.used > len(self.roll):
            self.roll = np.empty(self.used * 9 // 8, dtype=np.uint8)  # weeks are of much the same size
        self.used = 0
        return paper(set_up, days, self._cut), unwiped(days, sizes(set_up), self._cut)

    def _cut(self, shape: tuple[int, ...], kind: np.dtype[Any]) -> NDArray[Any]:
        """Cut a piece off the roll; where that is too short, of paper never used."""
        begin, self.used = self.used, self.used + -(-math.prod(shape) * np.dtype(kind).itemsize // 64) * 64
        return np.ndarray(shape, kind, self.roll, begin) if self.used <= len(self.roll) else np.empty(shape, kind)


_DESK = _Desk()


def _lived(
    county: County, settings: Settings, set_up: Stage, luck: YearLuck, week: int, days: int,
    sheet: tuple[Paper, Diary], known: Known,
) -> Week:  # fmt: skip
    """Live a week and return it."""
    lived = ahead(county, settings, set_up, luck, week, days, sheet, known)
    live(lived)
    return lived


def ahead(
    county: County, settings: Settings, set_up: Stage, luck: YearLuck, week: int, days: int,
    sheet: tuple[Paper | None, Diary], known: Known,
) -> Week:  # fmt: skip
    """Return a week that is to be lived; without paper nothing can be lived at the stations of schools."""
    month = int(county.calendar.month[row_of(county.calendar, week)])
    roll = known.interned(np.diff(set_up.pupils.first))
    here = known(conditions, county, settings, luck, week, days, month, roll)
    return Week(settings, set_up, week_luck(settings, set_up, luck, week, here, sheet[0], known), sheet[1])


def scene_of(county: County, settings: Settings, plan: YearPlan, set_up: Stage) -> Scene:
    """Return what measures look at in a term."""
    return Scene(county, settings, plan, set_up.pupils, set_up.table, set_up.halls, set_up.visits)


def row_of(calendar: SchoolCalendar, week: int) -> int:
    """Return the row of a week in the calendar."""
    return int(np.flatnonzero(calendar.week == week)[0])


def term_of(calendar: SchoolCalendar, row: int) -> int:
    """Return 1 for a week of the term with which the school year begins, 2 for a later one: beds are given in 1."""
    return 1 if calendar.term[row] == calendar.term[np.argmin(calendar.week)] else 2


def _daily(settings: Settings, weeks: int) -> bool:
    """Tell whether measures of single days are written: as asked, else when only a week a year is lived."""
    return settings.study.daily if settings.study.daily is not None else weeks == 1


def _kept_days(settings: Settings, luck: YearLuck, week: int, first: bool) -> tuple[int, ...]:
    """Return the days of a week of which all events are to be kept, from 0; of the first replication only."""
    if luck.replication:
        return ()
    keep = {day - 1 for year, kept_week, day in settings.study.days_kept if (year, kept_week) == (luck.year, week)}
    return tuple(sorted(keep | ({0} if first and "first" in settings.study.keep_events else set())))


def _events(scene: Scene, diary: Diary, week: int, days: tuple[int, ...]) -> dict[str, pd.DataFrame]:
    """Return the events of some days of a week, by name."""
    who = event_names(scene) if days else {}
    return {f"events/{scene.plan.year}-{week}-{day + 1}": diary.events(day, who) for day in days}


def event_names(scene: Scene) -> Names:
    """Return what pupils, stops, runs, calls, buses, schools and visits are called in the log."""
    pupils, hamlets, table = scene.pupils, np.array(scene.county.hamlets.id), scene.table
    pupil = np.char.add(np.char.add(hamlets[pupils.hamlet], "/"), pupils.number.astype(str))
    stop, call = place_names(scene.county, scene.plan.runs.routes)
    visits = scene.visits
    line = np.repeat(np.arange(len(visits.peak)), np.diff(visits.ptr))
    peak = np.array(visits.peaks, dtype=str)[visits.peak[line]]
    return {
        "pupil": pupil,
        "stop": stop,
        "run": call[: len(table.stops)],
        "call": call,
        "bus": np.char.add("bus ", np.arange(len(table.yard)).astype(str)),
        "school": np.array(scene.county.schools.id, dtype=str),
        "visit": np.char.add(np.char.add(pupil[visits.who], "@"), peak),
        "half": np.array(["morning", "afternoon"]),
    }


def place_names(county: County, routes: Routes) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Return what the stops, (P,), and the calls, (C,), are called; a call at the run's own school as the run.

    Riders of another school stand at a stop of their own; a school to which a run comes again has a number.
    """
    runs, run = np.array(routes.run_id, dtype=str), run_of_stop(routes)
    hamlets, schools = np.array([*county.hamlets.id, ""]), np.array(county.schools.id)[routes.to]
    other = np.where((routes.hamlet >= 0) & (routes.to != routes.school[run]), np.char.add("/", schools), "")
    place = np.where(routes.hamlet < 0, schools, np.char.add(hamlets[routes.hamlet], other))
    name = pd.Series(np.char.add(np.char.add(runs[run], "@"), place))
    again = name.groupby(name).cumcount()
    name = name.where((again == 0) | (routes.hamlet >= 0), name + "#" + (again + 1).astype(str))
    stop = name.to_numpy(dtype=str)
    return stop, np.append(runs, stop[gates(routes)])


def _enrolment(county: County, plan: YearPlan, coming: Ints, replication: int) -> pd.DataFrame:
    """List the pupils who come by hamlet, grade and sex, with the school that receives them."""
    hamlet, g, sex = np.nonzero(coming)
    school = plan.places.school[hamlet, g]
    return pd.DataFrame(
        {
            "replication": replication,
            "year": plan.year,
            "hamlet_id": pd.Categorical.from_codes(hamlet, list(county.hamlets.id)),
            "school_id": pd.Categorical.from_codes(school, list(county.schools.id)),
            "grade": g + 1,
            "sex": pd.Categorical.from_codes(sex, list(SEXES)),
            "pupils": coming[hamlet, g, sex],
        }
    )
