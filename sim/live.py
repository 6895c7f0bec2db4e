"""Live one year of one replication: the pupils who really come, the weeks that are sampled, what they tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sim.chance import YearLuck, enrol_luck, sampled_weeks
from sim.config import Settings
from sim.county import County
from sim.county.road import Travel
from sim.measure.scene import Scene
from sim.measure.year import Tally
from sim.operate.day import Week, live
from sim.operate.diary import Diary
from sim.operate.luck import week_luck
from sim.operate.pupils import gather
from sim.operate.timetable import timetable
from sim.plan import SEXES, Ints, Plan, YearPlan
from sim.plan.enrol import draw, rolled_years
from sim.units import MINUTES_PER_DAY


@dataclass(frozen=True, slots=True)
class Job:
    """All that a worker needs to live any year of any replication of a scenario."""

    settings: Settings
    county: County
    travel: Travel
    plan: Plan


def counts(job: Job, replication: int) -> Ints:
    """Return the pupils who come in every year of a replication; (Y, H, 9, 2)."""
    luck = enrol_luck(job.county, job.settings.seed, replication, rolled_years(job.county, job.settings))
    return draw(job.county, job.settings, luck)


def live_year(job: Job, replication: int, k: int) -> dict[str, pd.DataFrame]:
    """Live year k of a replication; return its tables (measures, harm, resources, spread, enrolment, events)."""
    settings, county, plan = job.settings, job.county, job.plan.years[k]
    luck = YearLuck(settings.seed, replication, plan.year)
    coming = counts(job, replication)[k]
    pupils = gather(county, settings, job.travel, plan, coming, luck)
    table = timetable(county, settings, job.travel, plan, pupils)
    scene = Scene(county, settings, plan, pupils, table)
    weeks = sampled_weeks(luck, county.calendar, settings.calendar.weeks_per_year)
    tally = Tally(scene, _daily(settings, len(weeks.week)))
    events: list[tuple[str, pd.DataFrame]] = []
    for week, days, weight in zip(weeks.week, weeks.days, weeks.weight, strict=True):
        fortune = week_luck(settings, plan, pupils, table, luck, int(week), int(days))
        diary = live(Week(settings, job.travel, pupils, table, fortune))
        if replication == 0:
            events += _kept(scene, diary, int(week), first=k == 0 and not tally.measured)
        tally.add(int(week), float(weight), diary, fortune)
    tables = tally.tables(replication)
    tables["enrolment"] = _enrolment(county, plan, coming, replication)
    return tables | {f"events/{name}": frame for name, frame in events}


def _daily(settings: Settings, weeks: int) -> bool:
    """Tell whether measures of single days are written: as asked, else when only a week a year is lived."""
    return settings.study.daily if settings.study.daily is not None else weeks == 1


def _kept(scene: Scene, diary: Diary, week: int, first: bool) -> list[tuple[str, pd.DataFrame]]:
    """Return the events of the days of a week that are to be kept, by name."""
    names = [f"{scene.plan.year}-{week}-{day + 1}" for day in range(len(diary.came))]
    wanted = scene.settings.study.keep_events
    keep = [name in wanted or (first and day == 0 and "first" in wanted) for day, name in enumerate(names)]
    return [(name, _events(scene, diary, day)) for day, name in enumerate(names) if keep[day]]


def _events(scene: Scene, diary: Diary, day: int) -> pd.DataFrame:
    pupils, hamlets = scene.pupils, np.array(scene.county.hamlets.id)
    names = np.char.add(np.char.add(hamlets[pupils.hamlet], "/"), pupils.number.astype(str))
    runs = np.array(scene.plan.runs.routes.run_id, dtype=str)
    stops = np.char.add(np.char.add(runs[scene.table.run_of_stop], "@"), hamlets[scene.plan.runs.routes.hamlet])
    frame = diary.events(day, names, runs, stops)
    return frame.assign(minute=frame["minute"] - day * MINUTES_PER_DAY)


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
