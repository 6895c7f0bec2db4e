"""A year lived again, where only that is lived which changes: the same to the bit as the whole year."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from living import job, planned_in
from two_schools import two_schools

from sim.config import load
from sim.judge.relief import avoided
from sim.live import Job, live_year
from sim.measure import MEASURES
from sim.plan import YearPlan
from sim.plan.more import COUNTY_WIDE, GROW, More, with_more
from sim.plan.staff import COUNTY_SITE
from sim.sweep.again import Memory, Term, Week, Year

SHORT = ("county=three_villages", "study.years=1", "study.replications=1", "calendar.weeks_per_year=3",
         "lodge.emergency_share=0", "lodge.junior_share=1.0", "lodge.primary_share=0.3", "fleet.spare_share=1",
         "fleet.reserve_driver_share=1", "fleet.reserve_attendant_share=1", "fleet.breakdown_per_km=0.02")  # fmt: skip
"""Beds are short and buses break down."""
MIXED = (*SHORT, "fleet.mixed_loads=true", "fleet.search_looks=20000", "closure=none", "fleet.buses=2",
         "dine.seats_scale=3", "dine.windows_scale=1", "dine.kitchen_scale=15", "wash.taps_scale=2",
         "wash.toilets_scale=2", "fleet.unload_pupil_s=15", "stress=all_at_once")  # fmt: skip
"""Two schools share buses, and everything else is short, too."""


@cache
def villages() -> Job:
    return job(*SHORT)


@cache
def schools() -> Job:
    settings = load(list(MIXED))
    return planned_in(two_schools(settings, times=40), settings)


def grown(made: Job, more: Sequence[More]) -> YearPlan:
    return with_more(made.settings, made.county, made.ways.dry, made.plan.years[0], more)


def whole(made: Job, plan: YearPlan) -> dict[str, pd.DataFrame]:
    """Live the whole year with a plan."""
    return live_year(replace(made, plan=replace(made.plan, years=(plan, *made.plan.years[1:]))), 0, 0)


def at_schools(annual: pd.DataFrame) -> pd.DataFrame:
    """Return the values of all schools."""
    table = annual.astype({"site_id": object, "measure": object})
    return table[table["site_id"] != COUNTY_SITE].sort_values(["site_id", "measure"], ignore_index=True)


def assert_same(made: Job, year: Year, more: Sequence[More]) -> None:
    """Live a year again with more of something, and all of it: both tell the same of every school."""
    plan = grown(made, more)
    again, all_of_it = year.live(plan), whole(made, plan)
    pd.testing.assert_frame_equal(again["harm"], all_of_it["harm"], check_exact=True)
    pd.testing.assert_frame_equal(at_schools(again["annual"]), at_schools(all_of_it["annual"]), check_exact=True)


@pytest.mark.parametrize("made", [villages, schools])
@pytest.mark.parametrize("resource", sorted(GROW))
def test_more_of_anything_is_lived_as_if_the_whole_year_were(made, resource: str) -> None:
    here = made()
    year = Year(here, 0, 0, Memory((*MEASURES,)))
    sites = [COUNTY_SITE] if resource in COUNTY_WIDE else here.county.schools.id
    assert_same(here, year, [])
    for site in sites:
        assert_same(here, year, [More(site, resource, 8)])


def test_whatever_there_is_more_of_together_is_lived_as_if_the_whole_year_were() -> None:
    here, luck = schools(), np.random.default_rng(7)
    year, places = Year(here, 0, 0, Memory((*MEASURES,))), [*here.county.schools.id]
    for _ in range(6):
        more = [More(places[luck.integers(2)], str(what), int(luck.integers(1, 9))) for what in
                luck.choice(sorted({*GROW} - COUNTY_WIDE), 3, replace=False)]  # fmt: skip
        assert_same(here, year, more)


def test_everything_is_short_and_relief_changes_something() -> None:
    """Else the tests above would tell little."""
    harm = whole(schools(), schools().plan.years[0])["harm"]
    assert {"left_behind", "late", "no_bed", "hungry", "gave_up", "haste"} <= {*harm["kind"]}
    for what in ("bed_girls", "bed_boys", "bus_seat", "spare_bus", "kitchen", "window", "canteen_seat", "tap"):
        site = COUNTY_SITE if what in COUNTY_WIDE else "C"
        assert not harm.equals(whole(schools(), grown(schools(), [More(site, what, 9)]))["harm"]), what


def test_a_school_at_which_nothing_changes_is_not_lived_again() -> None:
    here, nothing = schools(), Memory()
    year, first, other = Year(here, 0, 0, nothing), *here.county.schools.id
    memory = year.memory
    year.live(here.plan.years[0])
    weeks = len({week for week, *_ in memory.told})
    assert len(memory.told) == 2 * weeks
    year.live(grown(here, [More(other, "window", 1)]))
    assert len(memory.told) == 3 * weeks
    assert {school for _, school, _ in [*memory.told][2 * weeks :]} == {1}
    assert first != other
    assert not nothing.told, "others remember nothing of this year"


def test_what_falls_is_the_same_where_schools_without_change_are_left_out() -> None:
    here = schools()
    year, site = Year(here, 0, 0, Memory()), here.county.schools.id[1]
    before = whole(here, here.plan.years[0])["harm"]
    year.compare_with(here.plan.years[0])
    for resource in ("window", "bed_boys", "bus"):
        plan = grown(here, [More(site, resource, 4)])
        after = year.live(plan)["harm"]
        told = avoided(*(table[table["site_id"].isin(year.changed)] for table in (before, after)), site, resource)
        pd.testing.assert_frame_equal(told, avoided(before, whole(here, plan)["harm"], site, resource))
    assert year.live(here.plan.years[0])["harm"].empty
    assert year.changed == []


def test_what_was_remembered_is_not_lived_again() -> None:
    here, plan = schools(), schools().plan.years[0]
    one = Year(here, 0, 0, Memory(("meals_served",)))
    first = one.live(plan)
    kept = one.memory.of(one.seen)
    other = Year(here, 0, 0, kept)
    for name, table in other.live(plan).items():
        pd.testing.assert_frame_equal(table, first[name], check_exact=True)
    assert len(other.memory.told) == len(one.seen), "nothing was added"


def test_terms_and_weeks_are_let_go_with_the_year() -> None:
    """Garbage is looked for seldom: what held itself would stay."""
    gc.collect()
    gc.disable()
    try:
        year = Year(schools(), 0, 0, Memory())
        year.compare_with(schools().plan.years[0])
        year.live(grown(schools(), [More("C", "window", 1)]))
        assert not [one for one in gc.get_objects() if isinstance(one, Term | Week)]
        gone = weakref.ref(year)
        del year
        assert gone() is None
    finally:
        gc.enable()
