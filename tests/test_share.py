"""What scenarios have in common is computed once, and comes out as if each had been computed alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from living import county_in, job, lived
from pydantic import ValidationError

from sim import live
from sim.config import Settings, load
from sim.config.kinds import Group
from sim.county import travel
from sim.live import Job, live_year
from sim.operate import luck, wash
from sim.operate.day import Day
from sim.operate.stage import Ways
from sim.operate.weather import cut_roads, skyways
from sim.plan import Plan
from sim.plan.compose import make
from sim.plan.replan import planned
from sim.share import Known, digest, whole

FEW = ("county=three_villages", "study.years=2", "study.replications=1", "calendar.weeks_per_year=2")


@cache
def chosen(*overrides: str) -> Settings:
    return load([*FEW, *overrides])


def with_(settings: Settings, **groups: Mapping[str, Any]) -> Settings:
    """Return settings with some keys of some groups changed, and checked."""
    told = {name: type(getattr(settings, name)).model_validate({**getattr(settings, name).model_dump(), **keys})
            for name, keys in groups.items()}  # fmt: skip
    return settings.model_copy(update=told)


class Counted:
    """Computes something and counts how often."""

    def __init__(self, act: Any) -> None:
        self.act, self.times = act, 0

    def __call__(self, *inputs: Any) -> Any:
        self.times += 1
        return self.act(*inputs)


# What is read is noted.


def times(act: Any, one: Settings, other: Settings) -> int:
    """Return how often something is computed for two settings; both results must be right."""
    known, counted = Known(), Counted(act)
    assert known(counted, one) == act(one)
    assert known(counted, other) == act(other)
    return counted.times


def test_a_result_is_found_again_where_all_that_was_read_is_equal():
    one = chosen()
    more_beds = with_(one, lodge={"beds_scale": 2.0})
    assert times(lambda settings: settings.fleet.scale, one, more_beds) == 1
    assert times(lambda settings: settings.lodge.beds_scale, one, more_beds) == 2
    assert times(lambda settings: settings.lodge == one.lodge, one, more_beds) == 2, "a group that is compared is read"
    assert times(lambda settings: settings.lodge.model_dump(), one, more_beds) == 2
    assert times(lambda settings: dict(settings.lodge), one, more_beds) == 2


def test_what_a_property_reads_is_read():
    one = chosen()
    assert times(lambda settings: settings.stress.strikes, one, with_(one, stress={"absence_factor": 2.0})) == 2
    assert times(lambda settings: settings.stress.strikes, one, with_(one, stress={"days": (1,)})) == 1
    kept = with_(one, study={"keep_events": ("2023-5-1",)})
    assert times(lambda settings: settings.study.days_kept, one, kept) == 2


def test_only_what_a_result_depends_on_this_time_keeps_it_from_others():
    def act(settings: Settings) -> float:
        return settings.lodge.beds_scale if settings.fleet.scale > 1 else 0.0

    one = chosen()
    assert times(act, one, with_(one, lodge={"beds_scale": 2.0})) == 1
    large = with_(one, fleet={"scale": 2.0})
    assert times(act, large, with_(large, lodge={"beds_scale": 2.0})) == 2


def test_keys_that_are_given_anew_do_not_count():
    def act(settings: Settings) -> tuple[float, float]:
        fleet = settings.fleet.model_copy(update={"scale": 1.0})
        other = settings.model_copy(update={"fleet": fleet})
        return other.fleet.scale, other.fleet.spare_share

    one = chosen()
    assert times(act, one, with_(one, fleet={"scale": 2.0})) == 1
    assert times(act, one, with_(one, fleet={"spare_share": 0.5})) == 2


def test_tables_of_settings_count_with_their_order():
    one = chosen()
    peaks = one.wash.peaks
    turned = one.model_copy(update={"wash": one.wash.model_copy(update={"peaks": dict(reversed(peaks.items()))})})
    assert turned.wash.peaks == peaks
    assert times(lambda settings: list(settings.wash.peaks), one, turned) == 2


def test_what_an_inner_result_read_counts_for_the_outer_one_also_when_it_is_found():
    def inner(settings: Settings) -> float:
        return settings.lodge.beds_scale

    def outer(known: Known, settings: Settings) -> float:
        return known(inner, settings) + settings.fleet.scale

    known, one = Known(), chosen()
    two = with_(one, lodge={"beds_scale": 2.0})
    known(inner, one)
    assert [known(outer, known, each) for each in (one, two, one)] == [2.0, 3.0, 2.0]
    assert known.computed == 4, "inner and outer, each for two numbers of beds"


def test_what_was_read_before_a_refusal_counts():
    def inner(settings: Settings) -> float:
        raise ValueError(settings.lodge.beds_scale)

    def outer(known: Known, settings: Settings) -> str:
        try:
            known(inner, settings)
        except ValueError as error:
            return str(error)
        return ""

    known, one = Known(), chosen()
    told = [known(outer, known, each) for each in (one, with_(one, lodge={"beds_scale": 2.0}))]
    assert told == ["1.0", "2.0"]


def test_settings_that_are_read_look_like_settings():
    def act(settings: Settings) -> tuple[bool, bool, bool]:
        return isinstance(settings, Settings), isinstance(settings.fleet, Group), settings.fleet == chosen().fleet

    assert Known()(act, chosen()) == (True, True, True)


def test_no_result_may_hold_settings_that_note_what_is_read():
    with pytest.raises(TypeError, match="whole"):
        Known()(lambda settings: (settings.fleet,), chosen())
    assert Known()(lambda settings: (whole(settings.fleet),), chosen()) == (chosen().fleet,)


# Other inputs.


@dataclass(frozen=True)
class Pair:
    """A record."""

    one: np.ndarray
    other: pd.DataFrame


def pair(number: int = 1) -> Pair:
    return Pair(np.array([1, number]), pd.DataFrame({"a": ["x", None], "b": [0.5, np.nan]}))


def test_records_with_arrays_are_told_apart_by_identity_until_equal_ones_are_made_one():
    known, act = Known(), Counted(lambda each: each.one.sum())
    for each in (pair(), pair()):
        known(act, each)
    assert act.times == 2
    for each in (pair(), pair()):
        known(act, known.interned(each))
    assert act.times == 3
    assert known.interned(pair()) is known.interned(pair())
    assert known.interned(pair()).one is known.interned(pair()).one
    assert known.interned(pair(2)) is not known.interned(pair())
    assert known.interned(pair(2)).other is known.interned(pair()).other


def test_a_digest_is_of_the_content():
    assert digest(pair()) == digest(pair()) != digest(pair(2))
    assert digest(np.zeros(2)) != digest(np.zeros(2, dtype=np.int64))
    assert digest(np.zeros((2, 1))) != digest(np.zeros((1, 2)))
    assert digest(("a", ("b",))) != digest((("a",), "b"))


def test_shared_results_cannot_be_changed():
    found = Known()(lambda: pair())
    with pytest.raises(ValueError, match="read-only"):
        found.one[0] = 5


def test_what_was_not_used_for_longest_is_forgotten():
    def act(number: int) -> np.ndarray:
        return np.full(1000, float(number))

    known = Known(most_bytes=3 * 8000)
    for number in range(10):
        known(act, number)
    assert known.bytes == 3 * 8000
    before = known.computed
    known(act, 7)
    assert known.computed == before, "one of the last three"
    known(act, 1)
    assert known.computed == before + 1
    known(act, 8)
    assert known.computed == before + 2, "7 was used after it"
    np.testing.assert_array_equal(known(act, 8), act(8))


def test_what_is_known_does_not_hold_itself(uncollected):
    known = Known()
    gone = weakref.ref(known)
    known(lambda known, one: np.full(one, 2.0), known, 3)
    del known
    assert gone() is None


def test_pages_are_let_go_when_a_week_is_over(uncollected, monkeypatch):
    """Compiled code and spare buses hold none: a sweep lives thousands of weeks, and garbage is looked for seldom."""
    found = job(*FEW, "study.years=1", "fleet.spare_share=1", "fleet.reserve_driver_share=1",
                "fleet.reserve_attendant_share=1")  # fmt: skip
    days, pages, write = list[Day](), list[weakref.ref[np.ndarray]](), Day.__init__

    def noted(day: Day, number: int, week: Any) -> None:
        write(day, number, week)
        days.append(day)
        pages.extend(map(weakref.ref, (day.hold, day.ready_in, day.ready_out)))

    monkeypatch.setattr(Day, "__init__", noted)
    lived(found)
    assert all(day.spares for day in days)
    days.clear()
    assert len(pages) == 15
    assert [page() for page in pages] == [None] * 15


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_what_equal_things_keep_alive_is_counted_and_forgotten_with_them():
    known = Known()
    known.interned(pair())
    once = known.bytes
    known.interned(pair())
    assert known.bytes == 2 * once, "the second is kept, too, so that nothing else gets its identity"
    small = Known(most_bytes=2 * once)
    for number in range(10):
        small.interned(pair(number))
    assert 0 < small.bytes <= 2 * once


def test_a_result_holds_for_other_capacities_where_they_are_equal_or_more_than_was_asked_for():
    act = Counted(lambda room: (int(np.minimum(room, [3, 9]).sum()), np.array([3, 9])))
    known = Known()
    for room, computed in (([4, 5], 1), ([3, 5], 1), ([9, 5], 1), ([2, 5], 2), ([9, 9], 3), ([9, 20], 3)):
        assert known.up_to(act, np.array(room)) == np.minimum(room, [3, 9]).sum()
        assert act.times == computed, room


# A whole year of a county.


def year_of(settings: Settings, known: Known) -> tuple[Plan, dict[str, pd.DataFrame]]:
    """Plan a county and live a year, with what is known."""
    county = county_in(settings.county.path)
    dry = known(_travel, county, settings)
    plan = make(settings, county, dry, lambda years: [planned(county, settings, dry, one) for one in years], known)
    cut = known.interned(cut_roads(county, settings, plan))
    ways = Ways(dry, known(skyways, settings, county, dry, cut))
    return plan, live_year(Job(settings, county, ways, plan), 0, len(plan.years) - 1, known)


def _travel(county: Any, settings: Settings) -> Any:
    return travel(county.roads, settings.road)


def assert_same(settings: Settings, known: Known) -> None:
    """Plan and live a year with and without what is known: the same to the bit."""
    (plan, tables), (alone, expected) = year_of(settings, known), year_of(settings, Known())
    assert digest(plan) == digest(alone)
    assert list(tables) == list(expected)
    for name, table in expected.items():
        pd.testing.assert_frame_equal(tables[name], table, check_exact=True, obj=name)


FLEETS = (0.4, 1.0, 1.2)
GRID = [
    *(
        {"fleet": {"scale": fleet}, "lodge": {"beds_scale": beds}}
        for fleet in (0.4, 1.0, 1.2)
        for beds in (0.2, 1.0, 1.3)
    ),
    {"dine": {"windows_scale": 0.5}},
    {"wash": {"taps_scale": 0.5, "toilets_scale": 2.0}},
    {"lodge": {"leave_after_term_share": 0.5, "priority": ("grade",)}},
    {"health": {"absence_share": 0.3}},
    {"stress": {"sky": "ice", "absence_factor": 3.0, "kitchen_share": 0.5, "schools": ("all",)}},
]


def test_scenarios_of_a_sweep_come_out_as_if_each_were_alone():
    known, one = Known(), chosen("lodge.junior_share=1.0", "lodge.emergency_share=0.5")
    for groups in GRID:
        assert_same(with_(one, **groups).model_copy(update={"scenario": str(groups)}), known)
    assert known.found > known.computed, "much of it was found"


def test_a_fleet_that_has_more_than_anyone_can_drive_is_the_same_week(monkeypatch):
    lived = Counted(live._lived)
    monkeypatch.setattr("sim.live._lived", lived)
    known, one = Known(), chosen()
    for scale in (1.0, 2.0, 3.0, 3.5):
        year_of(with_(one, fleet={"scale": scale, "spare_share": 1.0}), known)
    assert lived.times == 2, "the two weeks of the year, once"


def test_other_beds_and_buses_move_nobodys_luck_which_is_drawn_once(monkeypatch):
    one, drawn = chosen(), {name: Counted(getattr(luck, name)) for name in ("_pupils", "_traffic")}
    for name, act in drawn.items():
        monkeypatch.setattr(luck, name, act)
    visits = Counted(wash._peak_luck)
    monkeypatch.setattr(wash, "_peak_luck", visits)
    lived = Counted(live._lived)
    monkeypatch.setattr(live, "_lived", lived)
    known, peaks = Known(), len(one.wash.peaks)
    year_of(one, known)
    weeks = drawn["_pupils"].times
    assert (weeks, drawn["_traffic"].times) == (2, 2)
    assert visits.times == weeks * peaks
    year_of(with_(one, fleet={"scale": 1.2}, lodge={"beds_scale": 0.2}), known)
    assert lived.times == 2 * weeks, "they are other weeks"
    assert [act.times for act in drawn.values()] == [weeks] * 2
    assert visits.times == weeks * (peaks + 1), "but for the one peak of those who have lunch: lodgers always do"


EVERY = 4
"""One key in so many is tried; all of them (1) take minutes."""


def others(value: Any) -> Iterator[Any]:
    """Yield values that a setting might have instead, for it to be refused or not."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1, value * 0.5, value * 1.01, value + 0.1, value * 0.99)
    elif isinstance(value, tuple):
        yield from (value[1:], value[::-1], value[:1], (1,))
        yield from ((new, *value[1:]) for new in (others(value[0]) if value else ()))
    elif isinstance(value, Mapping):
        first = next(iter(value))
        yield from ({**value, first: new} for new in others(value[first]))
        yield dict(reversed(value.items()))
    elif isinstance(value, str) or value is None:
        yield from (1, 0.5, "ice", "low", "history", "p80", "mean", "schools", "target", "zone", "within_places",
                    "unplaced", "no_new_entrants", "stay", "filled", "county", "name")  # fmt: skip


def changes(settings: Settings, group: str) -> Iterator[Settings]:
    """Yield settings in which one key of a group is another."""
    for key, value in getattr(settings, group).model_dump().items():
        for new in others(value):
            told = settings.model_dump()
            told[group][key] = new
            try:
                found = Settings.model_validate(told)
            except ValidationError:
                continue
            if found != settings:
                yield found
                break


@pytest.mark.parametrize(
    "group",
    ["enrol", "closure", "assign", "plan", "road", "fleet", "lodge", "dine", "wash", "bells", "weather", "health",
     "staff", "calendar", "stress", "study", "judge"],
)  # fmt: skip
def test_whatever_one_key_is_changed_to_comes_out_as_if_alone(group: str, warm: Known) -> None:
    one = chosen("study.years=1", "calendar.weeks_per_year=1")
    many = 0
    for settings in changes(one, group):
        many += 1
        if many % EVERY == 0:
            assert_same(settings, warm)
    assert many >= len(type(getattr(one, group)).model_fields) * 2 // 3, "most keys can be changed"


@pytest.fixture(scope="module")
def warm() -> Known:
    known = Known()
    year_of(chosen("study.years=1", "calendar.weeks_per_year=1"), known)
    return known
