"""Three villages, twelve pupils, one bus: every number of the week worked out by hand.

Centre C; village A 0.6 km off (on foot); B at 6 km, 9 minutes; D 4 km beyond, 12 minutes on a bad road. The
teaching point T in D closes, its three pupils ride: D 3 and B 3 riders; one girl of B and one boy of D lodge
from Monday. A stop takes 19 s and 2.6 s a pupil; the school 29 s and 1.9 s a pupil, the youngest first.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from living import BY_HEART, job, lived, lived_with

from sim.live import live_year
from sim.measure.year import Tally
from sim.operate.diary import ATTENDANT, BREAKDOWN, BREAKFAST, CAUSES, DINNER, LUNCH, WEATHER
from sim.units import MINUTES_PER_DAY

STOP, STEP, GATE, OFF = 19 / 60, 2.6 / 60, 29 / 60, 1.9 / 60


@pytest.fixture(scope="module")
def week():
    return lived(job(*BY_HEART), days=5)


@pytest.fixture(scope="module")
def measured(week):
    scene, diary, _ = week
    tally = Tally(scene, daily=False)
    tally.add(scene, 1, 1.0, diary)
    table = tally.tables(0)["measures"]
    return table[table["site_id"] == "county"].set_index("measure")["value"]


def who(scene, hamlet, grade):
    """Return the pupils of a village and grade."""
    return np.flatnonzero((scene.pupils.hamlet == "ABD".index(hamlet)) & (scene.pupils.grade == grade))


def test_the_teaching_point_closes_and_its_pupils_ride(week):
    scene, _, _ = week
    assert scene.county.schools.id == ("C", "T")
    assert scene.plan.open.tolist() == [True, False]
    assert np.diff(scene.pupils.first).tolist() == [12, 0]
    assert np.bincount(scene.pupils.mode, minlength=6).tolist() == [4, 0, 0, 6, 2, 0]


def test_the_bus_to_school_keeps_its_times_to_the_second(week):
    scene, diary, _ = week
    run = scene.plan.runs.routes.run_id.index("C-in-01")
    gate = scene.plan.runs.arrive_min[run]
    assert 480 - 70 <= gate <= 480 - 10, "a nine-year school begins with its juniors"
    at_d = gate - 9 - (STOP + 3 * STEP) - 12 - (STOP + 3 * STEP)
    first_of_d = who(scene, "D", 1)[0]
    assert diary.embarked_in[0, first_of_d] == pytest.approx(at_d + STOP + STEP * 1, abs=1e-9)
    assert np.nanmin(diary.alighted_in[0, scene.rider]) == pytest.approx(gate + GATE + OFF, abs=1e-9)
    assert np.nanmax(diary.alighted_in[0, scene.rider]) == pytest.approx(gate + GATE + 6 * OFF, abs=1e-9)
    assert diary.load[0, slice(*scene.table.stops[run])].tolist() == [3, 6]


def test_rides_are_as_long_as_worked_out(week, measured):
    # first aboard in D, second stop 3 pupils, first off: 12 + dwell at B + 9 + gate, less own boarding time
    longest_in = 12 + (STOP + 3 * STEP) + 9 + 2 * STEP + GATE + OFF
    scene, diary, _ = week
    ride = diary.alighted_in[1] - diary.embarked_in[1]
    assert ride[who(scene, "D", 1)[0]] == pytest.approx(longest_in, abs=1e-9)
    assert measured["ride_min_max"] == pytest.approx(longest_in, abs=1e-9)
    # home: the k-th of D embarks (3 + k)-th of six and alights k-th of three
    home = (diary.alighted_out - diary.embarked_out)[:, np.append(who(scene, "D", 1), who(scene, "D", 2))]
    by_hand = [(3 - k) * OFF + 9 + (STOP + 3 * STEP) + 12 + STOP + k * STEP for k in (1, 2, 3)]
    assert np.sort(home, axis=1) == pytest.approx(np.tile(by_hand, (5, 1)), abs=1e-9)


def test_the_week_adds_up(measured):
    assert measured["pupils_present"] == 12 * 5
    assert measured["absent_pupils"] == 0
    assert measured["pupils_carried"] == 6 * 5 + 2
    assert measured["pupils_left_behind"] == 0
    assert measured["late_pupils"] == 0
    assert measured["meals_lunch"] == 12 * 5
    assert measured["meals_breakfast"] == measured["meals_dinner"] == 2 * 4
    assert measured["meals_unserved"] == 0
    assert measured["beds_occupied"] == 2
    assert measured["bed_nights"] == 2 * 4
    assert measured["bed_refused"] == 0
    assert measured["runs_driven"] == 5 * 2 + 2
    assert measured["class_too_big"] == 0


def test_the_bus_drives_forty_km_a_day_and_forty_more_for_the_lodgers(measured):
    assert measured["bus_km"] == pytest.approx(5 * 4 * 10 + 2 * 2 * 10, abs=1e-9)


def test_lunch_is_served_one_by_one_at_the_only_window(week):
    scene, diary, _ = week
    dine = scene.settings.dine
    sitting = np.flatnonzero(scene.halls.sitting[LUNCH] == 0)
    served = np.sort(diary.served[LUNCH, 2, sitting]) - 2 * MINUTES_PER_DAY - scene.settings.bells.lunch_min
    first_class = dine.walk_to_hall_min + dine.service_min
    assert served[0] == pytest.approx(first_class, abs=1e-9)
    assert (np.diff(served) >= dine.service_min - 1e-9).all()


def test_a_refused_girl_rides_home_every_day_instead():
    scene, diary, _ = lived(job(*BY_HEART, "lodge.beds=0"), days=5)
    refused = np.flatnonzero(scene.pupils.refused)
    assert len(refused) == 2
    assert np.isnan(diary.to_bed).all()
    assert (~np.isnan(diary.alighted_in[:, refused])).all()


def measured_day(scene, diary, day):
    """Return the county's measures of one day of a lived week."""
    tally = Tally(scene, daily=True)
    tally.add(scene, 1, 1.0, diary)
    table = tally.tables(0)["measures"]
    return table[(table["site_id"] == "county") & (table["day"] == day + 1)].set_index("measure")["value"]


def broken_after(km):
    """Let the bus break down on Monday morning after so many km; the mechanic needs 90 minutes."""

    def change(luck):
        break_km = np.full_like(luck.break_km, np.inf)
        break_km[0, 0] = km
        return replace(luck, break_km=break_km, repair_min=np.full_like(luck.repair_min, 90.0))

    return change


def test_a_bus_that_breaks_down_is_relieved_by_the_spare_one():
    # 10 km empty to D, then 3 of the 4 km to B: nine minutes after D the bus stands. The spare bus has nine minutes
    # from the yard at the centre to B and three more to the broken bus; three pupils change, 5 s each.
    found = job(*BY_HEART)
    scene, usual, _ = lived(found)
    _, diary = lived_with(found, broken_after(13.0))
    run = scene.plan.runs.routes.run_id.index("C-in-01")
    low, _ = scene.table.stops[run]
    lost = 9 + 3 + 3 * 5 / 60
    assert diary.broke_down[0, run] == pytest.approx(usual.departed[0, low] + 0.75 * 12, abs=1e-9)
    assert diary.went_on[0, run] == pytest.approx(diary.broke_down[0, run] + lost, abs=1e-9)
    assert diary.spare_left[0, run] == diary.broke_down[0, run]
    assert diary.reached_gate[0, run] == pytest.approx(usual.reached_gate[0, run] + lost, abs=1e-9)
    assert diary.alighted_in[0, scene.rider] == pytest.approx(usual.alighted_in[0, scene.rider] + lost, abs=1e-9)
    assert diary.broke_min[0, run] == pytest.approx(lost, abs=1e-9)
    assert (diary.attended == usual.attended).all()
    found = measured_day(scene, diary, 0)
    assert found["breakdowns"] == 1
    assert found["bus_km"] == pytest.approx(40 + 20 + 2 * 7), (
        "the lodgers' run in, too; the spare bus out, the bus home"
    )
    assert found["late_pupils"] == 0, "410 and 13 minutes are before the first bell at 480"


def test_without_a_spare_bus_everyone_waits_for_the_mechanic():
    found = job(*BY_HEART, "fleet.spare_share=0.0")
    scene, usual, _ = lived(found)
    _, diary = lived_with(found, broken_after(13.0))
    run = scene.plan.runs.routes.run_id.index("C-in-01")
    assert diary.went_on[0, run] - diary.broke_down[0, run] == pytest.approx(90, abs=1e-9)
    assert diary.alighted_in[0, scene.rider] == pytest.approx(usual.alighted_in[0, scene.rider] + 90, abs=1e-9)
    tally = Tally(scene, daily=False)
    tally.add(scene, 1, 1.0, diary)
    late = tally.tables(0)["harm"].query("kind == 'late'").groupby("cause")["pupil_days"].sum()
    assert late.to_dict() == {CAUSES[BREAKDOWN]: 6}, "the first alights at 410.5 + 90, half a minute after the bell"


def test_no_run_without_an_attendant():
    scene, diary, _ = lived(job(*BY_HEART, "fleet.attendant_absent_share=1.0", "fleet.reserve_attendant_share=0.0"))
    assert np.isnan(diary.left_yard).all()
    assert (diary.cancel_why[~np.isnan(diary.cancelled)] == ATTENDANT).all()
    assert (~np.isnan(diary.cancelled)).sum() == 5 * 2 + 2
    assert (diary.left_why[0][:, scene.rider] == ATTENDANT).all()
    # four walk every day; the two lodgers miss Monday's bus and are brought by their families on Tuesday
    assert diary.attended.sum(axis=1).tolist() == [4, 6, 6, 6, 6]
    assert measured_day(scene, diary, 1)["attendant_missing_runs"] == 2
    assert measured_day(scene, diary, 1)["pupils_left_behind"] == 6


def test_the_reserve_takes_the_place_of_an_absent_attendant():
    _, diary, _ = lived(job(*BY_HEART, "fleet.attendant_absent_share=1.0"))
    assert np.isnan(diary.cancelled).all()
    assert diary.attended.all()


def test_ice_at_noon_keeps_the_far_village_at_school():
    # Tuesday at noon ice comes; over the sharp bends to D no bus goes. D's two girls and the boy stay. One folding
    # bed for each sex is there: the younger girl and the boy have one, the other girl sits up. The bus takes 18
    # minutes to B, 6 km at 20 km/h. On Wednesday three have breakfast more, and the bus is back on its way.
    ice = ("stress=ice_week", "stress.weeks=[1]", "stress.days=[2]", "weather.skies.ice.avoid=[sharp]")
    scene, diary, _ = lived(job(*BY_HEART, *ice, "lodge.emergency_share=1.0"), week=1)
    far = np.append(who(scene, "D", 1), who(scene, "D", 2))
    stays = np.flatnonzero(~np.isnan(diary.stayed[1]))
    assert sorted(stays) == sorted(far)
    assert (diary.left_why[1, 1, far] == WEATHER).all()
    slept = far[~np.isnan(diary.to_bed[1, far])]
    assert sorted(scene.pupils.grade[slept].tolist()) == [1, 2]
    assert sorted(scene.pupils.sex[slept].tolist()) == [0, 1]
    out = scene.plan.runs.routes.run_id.index("C-out-01")
    assert diary.run_km[1, out] == pytest.approx(6.0)
    low, high = scene.table.stops[out]
    to_b = diary.arrived[1, low:high] - diary.freed_bay[1, out]
    assert to_b[~np.isnan(to_b)] == pytest.approx([18.0], abs=1e-9)
    assert (~np.isnan(diary.served[DINNER])).sum(axis=1).tolist() == [2, 5, 2, 2, 0]
    assert (~np.isnan(diary.served[BREAKFAST])).sum(axis=1).tolist() == [0, 2, 5, 2, 2]
    assert np.isnan(diary.embarked_in[2, far]).all(), "who slept at school waits for no bus"
    assert diary.attended.all()
    assert (~np.isnan(diary.alighted_out[2, far])).all()
    found = measured_day(scene, diary, 1)
    assert found["emergency_beds"] == 2
    assert found["stayed_pupils"] == 3
    assert found["emergency_refused"] == 1


def test_on_friday_the_lodgers_go_home_before_the_others():
    scene, diary, _ = lived(job(*BY_HEART))
    girl, boy = who(scene, "B", 8)[0], who(scene, "D", 8)[0]
    run = scene.plan.runs.routes.run_id.index("C-lodger-out-01")
    leave = diary.freed_bay[4, run] - 4 * MINUTES_PER_DAY
    assert leave >= 870, "14:30"
    # both embark, 29 s and 1.9 s each; nine minutes to B; 19 s and 2.6 s; twelve minutes to D
    at_b = diary.freed_bay[4, run] + 9 + STOP + STEP
    assert diary.alighted_out[4, girl] == pytest.approx(at_b, abs=1e-9)
    assert diary.alighted_out[4, boy] == pytest.approx(at_b + 12 + STOP + STEP, abs=1e-9)
    assert np.isnan(diary.alighted_out[:4, [girl, boy]]).all()
    assert np.isnan(diary.to_bed[4]).all()
    assert np.isnan(diary.queued[DINNER, 4]).all()
    daily = scene.plan.runs.routes.run_id.index("C-out-01")
    assert diary.freed_bay[4, daily] > diary.freed_bay[4, run]


def test_a_year_has_the_weeks_it_stands_for():
    tables = live_year(job(*BY_HEART), 0, 0)
    weeks = tables["measures"].drop_duplicates("week")
    assert weeks["weight"].sum() == pytest.approx(39)
