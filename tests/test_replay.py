"""A kept day is one long table of events, and from it the diary and every measure of the day can be made again."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

import numpy as np
import pandas as pd
import pytest
from living import job, lived

from sim.live import event_names
from sim.measure import dine, pupil
from sim.measure.year import Tally
from sim.operate.diary import AXES, KINDS, Diary, replay
from sim.units import MINUTES_PER_DAY

STRESSED = 18
"""the week that the pack `all_at_once` strikes"""
ALL_AT_ONCE = ("calendar=smoke", "study.years=1", "study.replications=1", "stress=all_at_once")
VILLAGES = (
    "county=three_villages", *ALL_AT_ONCE, "stress.kitchen_share=0.0", "stress.driver_absent_share=0.3",
    "stress.attendant_absent_share=1.0", "stress.roads=[e3]", "stress.days=[2,3]", "stress.absence_factor=1.0",
    "lodge.beds=1", "lodge.emergency_share=1.0", "lodge.primary_share=0.0", "fleet.breakdown_per_km=0.05",
    "fleet.guardian_late_share=0.5", "fleet.line_bus_share=0.5", "fleet.family_share=0.0",
    "fleet.kinds=[{name:seats_19,rated:19,seats:2,attendants:1}]", "fleet.spare_share=1.0",
    "fleet.reserve_driver_share=1.0", "fleet.reserve_attendant_share=0.5",
)  # fmt: skip
HUICHANG = ("county=huichang", *ALL_AT_ONCE)
DAYS = [(VILLAGES, day) for day in range(5)] + [(HUICHANG, 1)]
NAMED = [f"{county[0].removeprefix('county=')} {day}" for county, day in DAYS]


@cache
def week(county):
    """Return the scene of the stressed week and its diary; a large county lives three days of it."""
    return lived(job(*county), week=STRESSED, days=5 if county is VILLAGES else 3)[:2]


@cache
def told(county, day):
    """Return the scene of a stressed week, its diary, the names of all, and the events of one of its days."""
    scene, diary = week(county)
    names = event_names(scene)
    return scene, diary, names, diary.events(day, names)


def by_event():
    """Return the field of the diary, and the position on its axis, of every kind of event."""
    return {
        f"{kind.name}_{label}" if label else kind.name: (kind, k)
        for kind in fields(Diary)
        for k, label in enumerate(AXES[kind.metadata["axis"]])
    }


def page(diary, kind, k, day):
    """Return the row of a day of one kind of event."""
    pages = getattr(diary, kind.name)
    return pages[k, day] if kind.metadata["axis"] else pages[day]


def measured(scene, diary, day):
    """Return the measures of one day, by site and measure."""
    tally = Tally(scene, daily=True)
    tally.add(scene, STRESSED, 1.0, diary)
    table = tally.tables(0)["measures"]
    return table[table["day"] == day + 1].set_index(["site_id", "measure"])


@pytest.mark.parametrize(("county", "day"), DAYS, ids=NAMED)
def test_a_day_is_the_same_when_it_is_made_again_from_its_events(county, day):
    scene, diary, names, events = told(county, day)
    again = replay(events, names, day, len(diary.came))
    for event, (kind, k) in by_event().items():
        there, here = page(diary, kind, k, day), page(again, kind, k, day)
        assert there.dtype == here.dtype, event
        assert np.array_equal(there, here, equal_nan=there.dtype.kind == "f"), event
    for other in set(range(len(diary.came))) - {day}:
        assert not again.events(other, names).size, "one day is told, the others are blank"
    assert again.events(day, names).equals(events)

    was, now = measured(scene, diary, day), measured(scene, again, day)
    assert was.index.equals(now.index)
    difference = (was["value"] - now["value"]).abs()
    minutes = was["unit"] == "min"
    assert (difference[~minutes] == 0).all()
    assert (difference[minutes] <= 1e-9).all()
    one = range(day, day + 1)
    harmed, harmed_again = (pupil.harms(scene, told, one, dine.fates(scene, told, one)) for told in (diary, again))
    assert harmed.keys() == harmed_again.keys()
    assert all((harmed[key] == harmed_again[key]).all() for key in harmed)


@pytest.mark.parametrize(("county", "day"), DAYS, ids=NAMED)
def test_every_event_has_one_schema_and_a_known_kind(county, day):
    _, diary, names, events = told(county, day)
    assert events.columns.tolist() == ["minute", "event", "who", "value"]
    kinds = by_event()
    assert set(kinds) == set(KINDS)
    assert set(events["event"]) <= set(KINDS)
    assert not events.duplicated(["event", "who"]).any(), "nothing happens twice to one in a day"
    assert events["minute"].is_monotonic_increasing
    assert np.isfinite(events["minute"]).all()
    assert (events["minute"] >= 0).all()
    times = {event: told.set_index("who")["minute"] for event, told in events.groupby("event", observed=True)}
    for event, rows in events.groupby("event", observed=True):
        kind, k = kinds[event]
        assert rows["who"].isin(names[kind.metadata["who"]]).all(), event
        assert rows["value"].isna().all() == (kind.metadata["sort"] == "time"), event
        at, labels = kind.metadata["at"], AXES[kind.metadata["axis"]]
        if at:
            minute = times[f"{at}_{labels[k]}" if labels[k] else at]
            there = rows[rows["who"].isin(minute.index)]
            assert (there["minute"].to_numpy() == minute[there["who"]].to_numpy()).all(), event
        elif kind.metadata["sort"] != "time":
            assert (rows["minute"] == 0).all(), event
    assert len(events) == sum(
        len(diary._unrolled(kind, k, day, day * MINUTES_PER_DAY)[0]) for kind, k in kinds.values()
    )


def test_between_them_the_days_tell_every_kind_of_event():
    """A kind that no test tells is a kind that no test replays."""
    assert {event for county, day in DAYS for event in told(county, day)[3]["event"]} == set(KINDS)


def test_a_kept_day_survives_its_file(tmp_path):
    scene, diary, names, events = told(VILLAGES, 1)
    events.to_parquet(tmp_path / "day.parquet")
    again = replay(pd.read_parquet(tmp_path / "day.parquet"), names, 1, len(diary.came))
    assert np.array_equal(again.embarked_in[1], diary.embarked_in[1], equal_nan=True)
    assert (measured(scene, again, 1)["value"] == measured(scene, diary, 1)["value"]).all()
