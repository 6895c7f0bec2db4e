"""Bells as a decision: windows that hold, the fewest buses of all that are tried, and days that live them."""

from __future__ import annotations

import pytest
from bus_counties import random_county
from living import BY_HEART, lived, planned_in

from sim.config import load
from sim.county import travel
from sim.errors import BadInput
from sim.plan.bells import ringing, staggered
from sim.plan.duty import chain
from sim.plan.route import routes
from sim.store import RunFolder
from sim.study import with_bells
from sim.sweep import run

ONE_HOUR = "bells.windows={primary:{earliest_min:470,latest_min:530},junior:{earliest_min:450,latest_min:510}}"
TIGHT = ("fleet.arrive_earliest_before_bell_min=30.0", "fleet.depart_latest_after_close_min=40.0", "bells.step_min=30")


@pytest.fixture(scope="module")
def town():
    return random_county(5, schools=7)


def test_the_bells_chosen_need_the_fewest_buses_of_all_tried(town):
    county, roads, places = town
    settings = load([*TIGHT, ONE_HOUR])
    chosen, tried = staggered(settings, county, roads, [places])
    ways = routes(county, settings, roads, places)
    # primary 470, 500 (as told), 530; junior 450, 480 (as told), 510: each chained again here
    assert len(tried) == 9
    by_hand = {}
    for primary in (470.0, 500.0, 530.0):
        for junior in (450.0, 480.0, 510.0):
            rung = ringing(settings, primary, junior)
            by_hand[primary, junior] = chain(rung, roads, county, ways, 0).buses_needed
    assert {(row.primary_first_min, row.junior_first_min): row.buses for row in tried.itertuples()} == by_hand
    bells = chosen.bells
    assert by_hand[bells.primary_first_min, bells.junior_first_min] == min(by_hand.values())
    assert min(by_hand.values()) < by_hand[500.0, 480.0], "staggered bells save buses here"
    assert tried.loc[tried["chosen"], "buses"].tolist() == [min(by_hand.values())]


def test_closings_shift_by_as_much_and_the_lessons_are_as_long(town):
    county, roads, places = town
    settings = load([*TIGHT, ONE_HOUR])
    chosen, _ = staggered(settings, county, roads, [places])
    for group in ("primary", "junior"):
        lengths = [
            getattr(one.bells, f"{group}_close_min") - getattr(one.bells, f"{group}_first_min")
            for one in (settings, chosen)
        ]
        assert lengths[0] == lengths[1]


def test_choosing_again_from_what_was_chosen_changes_nothing(town):
    county, roads, places = town
    chosen, tried = staggered(load([*TIGHT, ONE_HOUR]), county, roads, [places])
    again, tried_again = staggered(chosen, county, roads, [places])
    assert again == chosen
    assert tried_again.equals(tried)


def test_bells_that_do_not_fit_the_day_are_not_tried(town):
    county, roads, places = town
    # junior schools close at 17:00; two hours later is after the late dinner at 19:00
    late = load([*TIGHT, "bells.windows={junior:{earliest_min:480,latest_min:660}}", "bells.step_min=60"])
    _, tried = staggered(late, county, roads, [places])
    assert tried["junior_first_min"].tolist() == [480.0, 540.0]


def test_without_windows_the_bells_are_as_told(three_villages):
    settings = load([*BY_HEART])
    assert with_bells(settings, three_villages, travel(three_villages.roads, settings.road)) == (settings, None)


def test_a_nine_year_school_keeps_the_earlier_of_its_bells(three_villages):
    settings = load([*BY_HEART, "bells.junior_first_min=520", "bells.primary_close_min=1040"])
    scene, diary, _ = lived(planned_in(three_villages, settings), days=1)
    first = scene.plan.runs.routes.run_id.index("C-in-01")
    home = scene.plan.runs.routes.run_id.index("C-out-01")
    assert 500 - 70 <= scene.plan.runs.arrive_min[first] <= 500 - 10, "its primary pupils begin at 08:20"
    assert scene.plan.runs.depart_min[home] > 1040
    assert diary.attended.any()


def test_a_run_lives_the_bells_it_chose_and_tells_them(tmp_path):
    windows = "bells.windows={junior:{earliest_min:470,latest_min:480}}"
    settings = load([*BY_HEART, windows, f"study.out={tmp_path}", "executor=serial"])
    folder = run(settings)
    told = folder.read_table("bells")
    assert told["chosen"].sum() == 1
    assert told["junior_first_min"].tolist() == [470.0, 480.0]
    lived_by = folder.settings.bells
    row = told[told["chosen"]].iloc[0]
    assert (lived_by.primary_first_min, lived_by.junior_first_min) == (row.primary_first_min, row.junior_first_min)
    runs = folder.read_table("runs")
    gate = runs[(runs["run_id"] == "C-in-01") & (runs["stop_id"] == "C")]["arrive_min"].iloc[0]
    assert lived_by.junior_first_min - 70 <= gate <= lived_by.junior_first_min - 10
    assert run(settings).path == folder.path, "the same settings find the finished run"
    assert "First bell, junior" in (folder.path / "report.html").read_text(encoding="utf-8")
    assert isinstance(folder, RunFolder)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        (
            "bells.windows={primary:{earliest_min:450,latest_min:490}}",
            "bells.primary_first_min: 500 is after its window",
        ),
        (
            "bells.windows={junior:{earliest_min:490,latest_min:500}}",
            "bells.junior_first_min: 480 is before its window",
        ),
        ("bells.windows={junior:{earliest_min:490,latest_min:470}}", "bells.windows.junior: the window ends at 470"),
        ("bells.windows={nursery:{earliest_min:490,latest_min:500}}", "'primary' or 'junior'"),
        ("bells.windows={junior:{earliest_min:470}}", "latest_min"),
        ("bells.step_min=0.5", "bells.step_min"),
        ("fleet.arrive_earliest_before_bell_min=5", "fleet.arrive_earliest_before_bell_min: the window"),
        ("fleet.arrive_earliest_before_bell_min=490", "bells.junior_first_min: buses may arrive 490 min before"),
        ("fleet.buses={seats_19:0}", "fleet.buses: these buses have no seats"),
        ("fleet.buses={}", "fleet.buses: these buses have no seats"),
        ("fleet.stop_walk_young_km=1.0", "fleet.stop_walk_young_km: grades 1 to 3 would walk 1 km"),
    ],
)
def test_bad_bells_and_fleets_are_told_with_their_key(override, says):
    with pytest.raises(BadInput) as caught:
        load(["county=three_villages", override])
    assert says in "\n".join(caught.value.messages)


def test_bells_are_not_chosen_for_given_runs():
    with pytest.raises(BadInput, match=r"bells\.windows: first bells can be chosen for planned runs only"):
        load(["county=three_villages", "fleet.runs=given", "bells.windows={junior:{earliest_min:470,latest_min:480}}"])
