"""Live a few days of a county inside a test, without workers and files."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import yaml

from sim.chance import SampledWeeks, YearLuck
from sim.config import Settings, load
from sim.county import County, read_county, travel
from sim.live import Job, counts, live_weeks, lived_weeks
from sim.operate.day import Week, live, sizes
from sim.operate.diary import blank
from sim.operate.stage import Ways, stage
from sim.operate.weather import cut_roads, skyways
from sim.plan import Closures, Forecast
from sim.plan.close import close_and_place
from sim.plan.compose import make
from sim.plan.replan import planned as planned_routes

QUIET = (
    "fleet.noise_day_sd=0.0", "fleet.noise_leg_sd=0.0", "health.absence_share=0.0", "dine.service_sd_log=0.0",
    "dine.eat_sd_log=0.0", "dine.walk_sd_min=0.0", "fleet.breakdown_per_km=0.0", "fleet.driver_absent_share=0.0",
    "fleet.attendant_absent_share=0.0", "fleet.guardian_late_share=0.0", "lodge.life_teacher_absent_share=0.0",
    "lodge.leave_after_term_share=0.0",
)  # fmt: skip
"""A day without any luck."""
BY_HEART = (
    "county=three_villages", "calendar=smoke", "study.years=1", "study.replications=1", "plan=mean", *QUIET,
    "fleet.family_share=0.0", "fleet.line_bus_share=0.0", "lodge.primary_share=0.0", "lodge.junior_share=1.0",
    "lodge.bus_share=1.0", "dine.lunch_share=1.0", "dine.breakfast_rider_share=0.0",
)  # fmt: skip
"""Three villages as everyone knows them: six riders, two lodgers, four who walk."""


@cache
def settings_of(*overrides: str) -> Settings:
    """Return what `load` does, but compose only groups; single keys (group.key=value) are put in and checked."""
    chosen = _composed(*(word for word in overrides if "." not in word.split("=")[0]))
    for word in overrides:
        name, value = word.split("=", 1)
        if "." in name:
            group, key = name.split(".")
            part, found = getattr(chosen, group), yaml.safe_load(value)
            found = tuple(found) if isinstance(found, list) else found
            part = type(part).model_validate({**part.model_dump(), key: found})
            chosen = chosen.model_copy(update={group: part})
    return chosen


@cache
def _composed(*groups: str) -> Settings:
    return load(list(groups))


@cache
def job(*overrides: str) -> Job:
    """Plan a county with the given settings."""
    settings = load(list(overrides))
    return planned(settings)


def planned(settings: Settings) -> Job:
    """Plan a county."""
    return planned_in(county_in(settings.county.path), settings)


def closures(county: County, settings: Settings, forecast: Forecast) -> Closures:
    """Decide which schools are open in each year."""
    return close_and_place(county, settings, travel(county.roads, settings.road), forecast)[0]


county_in = cache(read_county)


def planned_in(county: County, settings: Settings) -> Job:
    """Plan a county that was read before."""
    dry = travel(county.roads, settings.road)
    plan = make(settings, county, dry, lambda years: [planned_routes(county, settings, dry, year) for year in years])
    return Job(settings, county, Ways(dry, skyways(settings, county, dry, cut_roads(county, settings, plan))), plan)


def lived_with(job: Job, change, days: int = 5):
    """Live the first week of a year with a changed luck; return (scene, diary). change: WeekLuck -> WeekLuck."""
    scene, _, fortune = lived(job, days=days)
    luck = YearLuck(job.settings.seed, 0, job.plan.years[0].year)
    set_up = stage(job.county, job.settings, job.ways, job.plan.years[0], counts(job, 0)[0], luck, 1)
    return scene, live(Week(job.settings, set_up, change(fortune), blank(days, sizes(set_up))))


def lived(job: Job, replication: int = 0, k: int = 0, week: int | None = None, days: int | None = None):
    """Live one week; return (scene, diary, luck of the week)."""
    luck = YearLuck(job.settings.seed, replication, job.plan.years[k].year)
    weeks = lived_weeks(job, luck)
    number = int(weeks.week[0]) if week is None else week
    row = job.county.calendar.week == number
    only = SampledWeeks(job.county.calendar.week[row], job.county.calendar.days[row], weeks.weight[:1])
    only = replace(only, days=only.days * 0 + days) if days else only
    _, _, scene, diary, fortune = next(live_weeks(job, k, counts(job, replication)[k], luck, only))
    return scene, diary, fortune
