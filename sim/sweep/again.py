"""A year lived again with more of something: what is as it was before is not lived twice.

The roads are lived for the whole county, as its schools share buses, gates and spare buses. What happens at a school
depends on nothing but its pupils, how they come and go, and what the plan gives it: where all of that is as it was once
before, the school tells what it told then. `live_year` lives all of it; both agree to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pandas as pd

from sim.chance import YearLuck
from sim.config import Settings
from sim.county import County
from sim.live import Job, ahead, lived_weeks, row_of, scene_of, term_of, who_come, year_tables
from sim.measure import dine, pupil
from sim.measure.pupil import Harm
from sim.measure.scene import Values
from sim.measure.seen import Fingerprints
from sim.measure.year import Tally, harmed_of, values_of
from sim.operate.at_school import AtSchool, live_stations
from sim.operate.day import live_roads, sizes
from sim.operate.diary import Diary, unwiped
from sim.operate.lodge import most_asked
from sim.operate.luck import station_luck
from sim.operate.stage import Stage, but_for_beds, of_some, on_the_road
from sim.operate.weather import Conditions
from sim.plan import Floats, Ints, YearPlan
from sim.plan.cohort import where_they_live
from sim.plan.enrol import town_of
from sim.share import Known

MOST_BYTES = 300_000_000
"""A worker keeps no more of terms and roads than that: those of the last plan or two, as nobody asks for older ones."""
Seen = tuple[int, int, int]
"""Week, school, and the fingerprint of all that is seen of the school in that week."""
Road = tuple[Diary, Conditions]
"""A week in which nothing is told of the stations at schools, and its weather."""


@dataclass(slots=True)
class Memory:
    """What schools told in the weeks of one year of a replication, by what was seen of them."""

    measures: tuple[str, ...] = ()
    """Those remembered beside harm."""
    harms: tuple[Harm, ...] = ()
    told: dict[Seen, Floats] = field(default_factory=dict)
    """Measures, then pupil-days of each harm."""

    def of(self, seen: Iterable[Seen]) -> Memory:
        """Return what is remembered of some weeks of schools."""
        return replace(self, told={key: self.told[key] for key in seen})


@dataclass(frozen=True, slots=True)
class Week:
    """A week on the roads, and what is seen of the schools after it."""

    number: int
    weight: float
    term: Term
    road: Road
    seen: tuple[Seen, ...]


class Term:
    """A term in which a plan is lived: the same stage for all plans that move nobody otherwise."""

    def __init__(self, year: Year, plan: YearPlan, road: YearPlan, term: int) -> None:
        job, self.plan, self.settings = year.job, plan, year.job.settings
        self.set_up = but_for_beds(job.county, job.settings, job.ways, road, year.parts, year.luck, term, year.known)
        self.scene = scene_of(job.county, job.settings, plan, self.set_up)
        self.prints = Fingerprints(self.scene)
        self._at: dict[tuple[int, ...], tuple[Ints, Stage]] = {}

    def at(self, schools: tuple[int, ...]) -> tuple[Ints, Stage]:
        """Return the pupils of some schools, and the stage that they are alone on."""
        if schools not in self._at:
            who = np.flatnonzero(np.isin(self.set_up.pupils.school, schools))
            self._at[schools] = who, of_some(self.settings, self.set_up, self.plan, who)
        return self._at[schools]


class Year:
    """A year of a replication that is lived again and again, where plans differ in what there is more of."""

    def __init__(self, job: Job, replication: int, k: int, memory: Memory, known: Known | None = None) -> None:
        """memory: of the same year and replication; what is new is remembered in `memory` of the year, not in it."""
        self.job, self.replication, self.known = job, replication, known or Known(MOST_BYTES)
        self.memory = replace(memory, told=dict(memory.told))
        self.luck = YearLuck(job.settings.seed, replication, job.plan.years[k].year)
        self.parts = who_come(self.known, job.county, job.settings, replication, k)
        self.before = frozenset[Seen]()
        """What was seen when the year was lived before (see `compare_with`)."""
        self.seen = frozenset[Seen]()
        """What was seen the last time."""

    def compare_with(self, plan: YearPlan) -> None:
        """From now on leave out schools of which nothing else is seen than with a plan whose harm is known."""
        self.before = frozenset(one for week in self._weeks(plan) for one in week.seen)

    @property
    def changed(self) -> list[str]:
        """The schools of which something else was seen the last time; all when nothing was lived before."""
        return [self.job.county.schools.id[school] for school in self._changed()]

    def _changed(self) -> list[int]:
        return sorted({school for _, school, _ in self.seen - self.before})

    def live(self, plan: YearPlan) -> dict[str, pd.DataFrame]:
        """Live the year with a plan; return its harm, and the annual values of measures, if any are remembered."""
        weeks = self._weeks(plan)
        self.seen = frozenset(one for week in weeks for one in week.seen)
        changed, tally = {*self._changed()}, Tally(weeks[0].term.scene, daily=False)
        for week in weeks:
            values, harmed = self._told(week, [one for one in week.seen if one[1] in changed])
            tally.measured.append((week.number, 0, week.weight, values))
            tally.harmed.append((week.weight, harmed))
        coming = where_they_live(self.parts[None], town_of(self.job.county))[0]
        asked = ("harm", "measures") if self.memory.measures else ("harm",)
        return year_tables(self.job, tally, self.replication, coming, asked)

    def _weeks(self, plan: YearPlan) -> list[Week]:
        """Live the roads of all weeks."""
        job, found, road = self.job, [], on_the_road(plan)
        term_in, beds = cache(lambda term: Term(self, plan, road, term)), plan.beds.emergency + plan.beds.nominal
        weeks, calendar = lived_weeks(job, self.luck), job.county.calendar
        for week, weight in zip(weeks.week.tolist(), weeks.weight.tolist(), strict=True):
            term = term_in(term_of(calendar, row_of(calendar, week)))
            lived = self.known.up_to(_road, beds, self.known, job.county, job.settings, term.set_up, self.luck, week)
            seen = ((week, school, told) for school, told in enumerate(term.prints.of_week(lived[0]).tolist()))
            found.append(Week(week, weight, term, lived, tuple(seen)))
        return found

    def _told(self, week: Week, seen: list[Seen]) -> tuple[Values, dict[Harm, Floats]]:
        """Return measures, (S + 1,), and harm, (S,), of a week at some schools; nothing is told of others."""
        memory, new = self.memory, [one for one in seen if one not in self.memory.told]
        if new or not memory.harms:
            values, harmed = self._at_schools(week, tuple(school for _, school, _ in new))
            told = np.array([values[name][:-1] for name in memory.measures] + [*harmed.values()]).T
            memory.harms = tuple(harmed)
            memory.told |= {one: told[one[1]] for one in new}
        measures, schools = len(memory.measures), len(self.job.county.schools.id)
        rows = np.zeros((measures + len(memory.harms), schools + 1))
        for one in seen:
            rows[:, one[1]] = memory.told[one]
        rows[:, schools] = np.nan
        harmed = dict(zip(memory.harms, rows[measures:, :-1], strict=True))
        return dict(zip(memory.measures, rows, strict=False)), harmed

    def _at_schools(self, week: Week, schools: tuple[int, ...]) -> tuple[Values, dict[Harm, Floats]]:
        """Live a week at some schools; what is told of others, and of the county, is nothing to go by."""
        job, (diary, here), (who, some) = self.job, week.road, week.term.at(schools)
        pages = diary.on_the_road(who, len(some.visits))
        luck = station_luck(job.settings, some, self.luck, week.number, here)
        live_stations(AtSchool(job.settings, some, luck, pages, pages.slept))
        scene, days = scene_of(job.county, job.settings, some.plan, some), range(len(pages.came))
        if self.memory.measures:
            values, harms, _ = values_of(scene, pages, days)
        else:
            harms = pupil.harms(scene, pages, days, dine.fates(scene, pages, days))
            values = pupil.measures(scene, pages, days, harms)
        return values, harmed_of(scene, values, harms)


def _road(
    beds: Ints, known: Known, county: County, settings: Settings, set_up: Stage, luck: YearLuck, week: int
) -> tuple[Road, Ints]:
    """Live a week on the roads and in the dormitories; return it and the beds it asked for; beds: (S, 2)."""
    days = int(county.calendar.days[row_of(county.calendar, week)])
    diary = unwiped(days, sizes(set_up) | {"visit": 0}, np.empty, meals=0)
    lived = ahead(county, settings, replace(set_up, beds=beds), luck, week, days, (None, diary), known)
    live_roads(lived)
    return (lived.diary, lived.luck.conditions), most_asked(lived)
