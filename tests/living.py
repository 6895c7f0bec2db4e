"""Live a few days of a county inside a test, without workers and files."""

from __future__ import annotations

from functools import cache

from sim.chance import YearLuck, sampled_weeks
from sim.config import Settings, load
from sim.county import read_county, travel
from sim.live import Job, counts
from sim.measure.scene import Scene
from sim.operate.day import Week, live
from sim.operate.luck import week_luck
from sim.operate.pupils import gather
from sim.operate.timetable import timetable
from sim.plan.compose import make
from sim.plan.route import routes

QUIET = (
    "fleet.noise_day_sd=0.0", "fleet.noise_leg_sd=0.0", "health.absence_share=0.0", "dine.service_sd_log=0.0",
    "dine.eat_sd_log=0.0", "dine.walk_sd_min=0.0",
)  # fmt: skip
"""A day without any luck."""
BY_HEART = (
    "county=three_villages", "calendar=smoke", "study.years=1", "study.replications=1", "plan=mean", *QUIET,
    "fleet.family_share=0.0", "fleet.line_bus_share=0.0", "lodge.primary_share=0.0", "lodge.junior_share=1.0",
    "lodge.bus_share=1.0", "dine.lunch_share=1.0",
)  # fmt: skip
"""Three villages as everyone knows them: six riders, two lodgers, four who walk."""


@cache
def job(*overrides: str) -> Job:
    """Plan a county with the given settings."""
    settings = load(list(overrides))
    return planned(settings)


def planned(settings: Settings) -> Job:
    """Plan a county."""
    county = read_county(settings.county.path)
    ways = travel(county.roads, settings.road)
    plan = make(settings, county, ways, lambda years: [routes(county, settings, ways, year) for year in years])
    return Job(settings, county, ways, plan)


def lived(job: Job, replication: int = 0, k: int = 0, week: int | None = None, days: int | None = None):
    """Live one week; return (scene, diary, luck of the week)."""
    settings, county, plan = job.settings, job.county, job.plan.years[k]
    luck = YearLuck(settings.seed, replication, plan.year)
    pupils = gather(county, settings, job.travel, plan, counts(job, replication)[k], luck)
    table = timetable(county, settings, job.travel, plan, pupils)
    sample = sampled_weeks(luck, county.calendar, settings.calendar.weeks_per_year)
    number = int(sample.week[0]) if week is None else week
    fortune = week_luck(settings, plan, pupils, table, luck, number, days or int(sample.days[0]))
    diary = live(Week(settings, job.travel, pupils, table, fortune))
    return Scene(county, settings, plan, pupils, table), diary, fortune
