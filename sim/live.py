"""Live one year of one replication: the pupils who really come, the weeks that are sampled, what they tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.chance import SampledWeeks, YearLuck, enrol_luck, sampled_weeks
from sim.config import Settings
from sim.county import County, SchoolCalendar
from sim.measure import classroom
from sim.measure.annual import annual
from sim.measure.scene import Scene
from sim.measure.year import Tally
from sim.operate.day import Week, live, sizes
from sim.operate.diary import Diary, Names, blank
from sim.operate.luck import Paper, WeekLuck, paper, week_luck
from sim.operate.stage import Stage, Ways, stage
from sim.operate.weather import conditions
from sim.plan import SEXES, Ints, Plan, Routes, YearPlan
from sim.plan.cohort import where_they_live
from sim.plan.course import gates, run_of_stop
from sim.plan.enrol import draw_by_home, rolled_years, town_of


@dataclass(frozen=True, slots=True)
class Job:
    """All that a worker needs to live any year of any replication of a scenario."""

    settings: Settings
    county: County
    ways: Ways
    plan: Plan


def counts(job: Job, replication: int) -> Ints:
    """Return the pupils who come in every year of a replication: at home and in town by old home; (Y, 2, H, 9, 2)."""
    luck = enrol_luck(job.county, job.settings.seed, replication, rolled_years(job.county, job.settings))
    return draw_by_home(job.county, job.settings, luck)


def live_year(job: Job, replication: int, k: int) -> dict[str, pd.DataFrame]:
    """Live year k of a replication; return its tables: measures, their annual values, harm, resources and more."""
    settings, plan = job.settings, job.plan.years[k]
    parts = counts(job, replication)[k]
    coming = where_they_live(parts[None], town_of(job.county))[0]
    luck = YearLuck(settings.seed, replication, plan.year)
    events: list[tuple[str, pd.DataFrame]] = []
    tally: Tally | None = None
    weeks = lived_weeks(job, luck)
    for week, weight, scene, diary, _ in live_weeks(job, k, parts, luck, weeks):
        if replication == 0:
            events += _kept(scene, diary, week, first=k == 0 and tally is None)
        tally = tally or Tally(scene, _daily(settings, len(weeks.week)))
        tally.add(scene, week, weight, diary)
    assert tally is not None, "a school year has weeks"
    tables = tally.tables(replication)
    for name, rows in classroom.unlived(job.county, settings, plan, coming).items():
        tables[name] = pd.concat([tables[name], rows.assign(replication=replication, year=plan.year)])
    told = classroom.yearly(job.county, settings, plan, coming).assign(replication=replication, year=plan.year)
    tables["annual"] = pd.concat([annual(tables["measures"]), told], ignore_index=True)
    tables["enrolment"] = _enrolment(job.county, plan, coming, replication)
    return tables | {f"events/{name}": frame for name, frame in events}


def lived_weeks(job: Job, luck: YearLuck) -> SampledWeeks:
    """Return the weeks of a year that are lived: those asked for, of the stress pack, and of days to be kept."""
    chosen, stress = job.settings.calendar, job.settings.stress
    kept = [week for year, week, _ in job.settings.study.days_kept if year == luck.year]
    always = (*chosen.always, *(stress.weeks if stress.strikes else ()), *kept)
    return sampled_weeks(luck, job.county.calendar, chosen.weeks_per_year, always)


def live_weeks(
    job: Job, k: int, parts: Ints, luck: YearLuck, weeks: SampledWeeks
) -> Iterator[tuple[int, float, Scene, Diary, WeekLuck]]:
    """Live the weeks of year k one after another; yield (week, weight, scene, diary, luck) of each.

    parts: (2, H, 9, 2) pupils. The paper of diary and luck is used again for the next week.
    """
    settings, county, plan, calendar = job.settings, job.county, job.plan.years[k], job.county.calendar
    terms: dict[int, tuple[Stage, Scene]] = {}
    sheet: tuple[Paper, Diary] | None = None
    for week, days, weight in zip(weeks.week.tolist(), weeks.days.tolist(), weeks.weight.tolist(), strict=True):
        row = int(np.flatnonzero(calendar.week == week)[0])
        term, month = term_of(calendar, row), int(calendar.month[row])
        if term not in terms:
            set_up = stage(county, settings, job.ways, plan, parts, luck, term)
            terms[term] = (
                set_up,
                Scene(county, settings, plan, set_up.pupils, set_up.table, set_up.halls, set_up.visits),
            )
            sheet = None  # other pupils have beds
        set_up, scene = terms[term]
        here = conditions(county, settings, luck, week, days, month, np.diff(scene.pupils.first))
        if sheet is None or len(sheet[1].came) != days:
            sheet = paper(set_up, days), blank(days, sizes(set_up))
        fortune = week_luck(settings, set_up, luck, week, here, sheet[0])
        yield week, weight, scene, live(Week(settings, set_up, fortune, sheet[1])), fortune


def term_of(calendar: SchoolCalendar, row: int) -> int:
    """Return 1 for a week of the term with which the school year begins, 2 for a later one: beds are given in 1."""
    return 1 if calendar.term[row] == calendar.term[np.argmin(calendar.week)] else 2


def _daily(settings: Settings, weeks: int) -> bool:
    """Tell whether measures of single days are written: as asked, else when only a week a year is lived."""
    return settings.study.daily if settings.study.daily is not None else weeks == 1


def _kept(scene: Scene, diary: Diary, week: int, first: bool) -> list[tuple[str, pd.DataFrame]]:
    """Return the events of the days of a week that are to be kept, by name."""
    study, year = scene.settings.study, scene.plan.year
    keep = {day - 1 for kept_year, kept_week, day in study.days_kept if (kept_year, kept_week) == (year, week)}
    if first and "first" in study.keep_events:
        keep.add(0)
    who = event_names(scene) if keep else {}
    return [(f"{year}-{week}-{day + 1}", diary.events(day, who)) for day in sorted(keep)]


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
