"""Three villages, twelve pupils, one bus: every number of the week worked out by hand.

Centre C; village A 0.6 km off (on foot); B at 6 km, 9 minutes; D 4 km beyond, 12 minutes on a bad road. The
teaching point T in D closes, its three pupils ride: D 3 and B 3 riders; one girl of B and one boy of D lodge
from Monday. A stop takes 19 s and 2.6 s a pupil; the school 29 s and 1.9 s a pupil, the youngest first.
"""

from __future__ import annotations

import numpy as np
import pytest
from living import BY_HEART, job, lived

from sim.live import live_year
from sim.measure.year import Tally
from sim.operate.diary import LUNCH
from sim.units import MINUTES_PER_DAY

STOP, STEP, GATE, OFF = 19 / 60, 2.6 / 60, 29 / 60, 1.9 / 60


@pytest.fixture(scope="module")
def week():
    return lived(job(*BY_HEART), days=5)


@pytest.fixture(scope="module")
def measured(week):
    scene, diary, luck = week
    tally = Tally(scene, daily=False)
    tally.add(1, 1.0, diary, luck)
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
    sitting = np.flatnonzero(scene.table.sitting == 0)
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


def test_a_year_has_the_weeks_it_stands_for():
    tables = live_year(job(*BY_HEART), 0, 0)
    weeks = tables["measures"].drop_duplicates("week")
    assert weeks["weight"].sum() == pytest.approx(39)
