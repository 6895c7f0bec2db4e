"""What a sceptical reader found: odd but legal settings, short weeks, and numbers that have to agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from living import BY_HEART, job, lived, lived_with

from sim.account.stock import buses_by_kind
from sim.live import live_year
from sim.measure import bus
from sim.measure.year import Tally
from sim.operate.diary import BREAKFAST, BUS, WEATHER
from sim.operate.pupils import IN, OUT
from sim.plan import LODGE
from sim.plan.compose import diners
from sim.plan.dine import meals
from sim.units import MINUTES_PER_DAY

SMALL = ("county=three_villages", "calendar=smoke", "study.years=1", "study.replications=1")
FEW_SEATS = (*BY_HEART, "fleet.kinds=[{name:seats_19,rated:19,seats:1,attendants:1}]")


def totals(scene, diary):
    tally = Tally(scene, daily=False)
    tally.add(scene, 1, 1.0, diary)
    return tally.tables(0)


def test_a_county_without_any_bus_run_lives_its_week():
    scene, diary, _ = lived(job(*SMALL, "fleet.family_share=1.0", "fleet.lodger_runs=false"))
    assert not len(scene.table.stops)
    assert diary.attended.any()


def test_a_bus_that_is_not_back_in_time_sets_out_late_and_is_never_in_two_places():
    def stuck(luck):
        leg_min = luck.leg_min.copy()
        leg_min[0] = np.where(scene.table.stop_in, leg_min[0], 420.0)  # on Monday it is out all night
        return replace(luck, leg_min=leg_min)

    scene, usual, _ = lived(job(*BY_HEART), days=5)
    _, diary = lived_with(job(*BY_HEART), stuck)
    assert diary.came_home[OUT][0, 0] > usual.set_out[IN][1, 0], "it should have left by now"
    assert diary.set_out[IN][1, 0] == pytest.approx(diary.came_home[OUT][0, 0], abs=1e-9)
    assert (diary.embarked_in[1] > diary.alighted_out[0])[scene.rider].all()


def test_a_week_of_one_day_brings_lodgers_and_takes_them_home_the_same_day():
    scene, diary, _ = lived(job(*BY_HEART), days=1)
    rides = scene.pupils.lodger_bus
    assert rides.any()
    assert not np.isnan(diary.alighted_out[0, rides]).any()
    found = totals(scene, diary)
    county = found["measures"].query("site_id == 'county'").set_index("measure")["value"]
    assert county["pupils_left_behind"] == 0
    assert county["runs_cancelled"] == 0
    assert county["bed_nights"] == 0
    assert "beds_occupied" not in county, "a week without a night has no mean over nights"


def test_who_did_not_sleep_at_school_has_no_breakfast_there():
    _, diary, _ = lived(job(*BY_HEART, "fleet.buses=0"))
    breakfasts = (~np.isnan(diary.queued[BREAKFAST])).sum(axis=1)
    assert breakfasts[1:].tolist() == (~np.isnan(diary.to_bed[:-1])).sum(axis=1).tolist()
    assert breakfasts[0] == 0


def test_a_run_that_the_plan_had_to_drop_leaves_its_riders_for_want_of_a_bus():
    scene, diary, _ = lived(job(*BY_HEART, "fleet.buses=0"))
    assert (diary.left_why[IN][:, scene.rider] == BUS).all()
    assert (diary.left_why[IN][0, scene.pupils.lodger_bus] == BUS).all()
    planned = diary.left_in - MINUTES_PER_DAY * np.arange(5)[:, None]
    assert (planned[:, scene.rider] < 480).all(), "told when the bus should have come"
    assert (diary.cancel_why > 0).sum() == 5 * 2 + 2
    county = totals(scene, diary)["measures"].query("site_id == 'county'").set_index("measure")["value"]
    assert county["pupils_left_behind"] == 6 * 5 + 2 + 2, "two lodgers on Monday and on Friday"


def test_who_stays_for_the_night_is_not_left_behind_in_the_morning():
    """Ice from Tuesday noon to Wednesday, and no bus on any road: six riders stay for two nights."""
    ice = ("stress=ice_week", "stress.weeks=[1]", "stress.days=[2,3]", "weather.skies.ice.avoid=[straight,sharp]")
    scene, diary, _ = lived(job(*BY_HEART, *ice), week=1)
    stayed = ~np.isnan(diary.stayed)
    assert [set(np.flatnonzero(night)) for night in stayed[1:3]] == [set(np.flatnonzero(scene.rider))] * 2
    assert stayed.sum() == 12
    assert np.isnan(diary.left_in).all()
    assert diary.attended.all()
    cancelled = np.argwhere(~np.isnan(diary.cancelled))
    minute = diary.cancelled[~np.isnan(diary.cancelled)] - MINUTES_PER_DAY * cancelled[:, 0]
    planned = np.array([scene.table.be_there_min[run] for _, run in cancelled])
    assert len(cancelled) == 3
    assert minute == pytest.approx(planned, abs=1e-9)
    assert (diary.cancel_why[~np.isnan(diary.cancelled)] == WEATHER).all()


@pytest.mark.parametrize("more", [(), ("lodge.beds=0",), ("fleet.buses=1",)])
def test_the_left_behind_who_are_not_fetched_are_the_ones_harmed(more):
    scene, diary, _ = lived(job(*FEW_SEATS, *more))
    found = totals(scene, diary)
    county = found["measures"].query("site_id == 'county'").set_index("measure")["value"]
    lost = found["harm"].query("kind == 'left_behind'")["pupil_days"].sum()
    assert county["pupils_left_behind"] - county["pupils_fetched"] == lost
    days = range(len(diary.came))
    assert county["pupils_left_behind"] >= bus.left_behind(scene, diary, days, IN).sum()


def test_what_a_resource_leaves_unmet_is_the_harm_put_down_to_it():
    scene, diary, _ = lived(
        job(*BY_HEART, "dine.service_min=1.5", "dine.bell_after_min=22", "lodge.beds=0", "fleet.buses=0")
    )
    found = totals(scene, diary)
    harm = found["harm"].groupby(["resource", "kind"])["pupil_days"].sum()
    unmet = found["resources"].groupby("resource")["unmet"].sum()
    assert harm["window", "haste"] > 0
    assert unmet["canteen_seat"] == harm.get(("canteen_seat", "haste"), 0)
    assert unmet["bus_seat"] == harm.get(("bus_seat", "left_behind"), 0)
    assert unmet["bed_girls"] + unmet["bed_boys"] == harm.loc[["bed_girls", "bed_boys"]].sum()


def test_km_to_a_school_to_which_nobody_comes_are_in_its_row_as_in_the_countys():
    scene, _, _ = lived(job(*BY_HEART))
    empty = replace(scene.pupils, first=np.zeros_like(scene.pupils.first))
    tally = Tally(replace(scene, pupils=empty), daily=False)
    used = np.zeros(len(scene.county.schools.id), dtype=bool)
    used[list(set(scene.table.school))] = True
    assert tally._used().tolist() == used.tolist()


def test_sittings_are_made_for_lodgers_even_if_no_day_pupil_eats_at_school():
    found = job(*SMALL, "dine.lunch_share=0.0", "lodge.junior_share=1.0")
    plan = found.plan.years[0]
    lunch, early = diners(found.county, found.settings, plan.places)
    asks = (plan.places.share[:, :, 4] * plan.places.expected.sum(axis=2)).sum()
    assert asks > 0
    assert lunch.sum() == pytest.approx(asks)
    assert early.sum() >= asks


def test_a_canteen_that_a_project_builds_serves_meals():
    found = job(*BY_HEART)
    county, plan = found.county, found.plan.years[0]
    bare = replace(county, schools=replace(county.schools, canteen_seats=county.schools.canteen_seats * 0))
    project = {"project_id": "p", "school_id": "C", "year": 2023, "adds": "canteen_seats", "quantity": 6}
    built = replace(bare, projects=type(county.projects)([project]))
    eaters = diners(county, found.settings, plan.places)
    assert meals(bare, found.settings, 2023, eaters, plan.open).sittings[0] == 0
    assert meals(built, found.settings, 2023, eaters, plan.open).sittings[0] > 0


def test_a_year_of_very_bad_traffic_is_lived_to_its_end():
    wild = job(*SMALL, "fleet.noise_day_sd=2.5", "fleet.noise_leg_sd=1.0", "calendar=full")
    assert len(live_year(wild, 0, 0)["measures"])


def test_a_fleet_by_kind_is_bought_as_told():
    found = job(*BY_HEART, "fleet.buses={seats_19: 1, seats_56: 5}")
    assert buses_by_kind(found.settings, found.plan).tolist() == [[1, 0, 0, 5]]


def test_a_school_named_for_beds_has_a_dormitory():
    found = job("county=huichang", "study.years=1", "lodge.beds={xiaolong_junior: 3}")
    school = found.plan.years[0].places
    assert found.plan.years[0].beds.nominal.sum() == 6
    assert (school.share[:, :, LODGE] > 0).any()


def test_lunch_has_no_more_sittings_than_may_be():
    found = job("county=huichang", "study.years=1", "dine.seats_scale=0.1")
    assert found.plan.years[0].meals.sittings.max() == found.settings.dine.sittings_most


def test_a_lodger_without_a_bed_takes_no_seat_that_a_day_pupil_has_a_claim_to():
    kinds = "fleet.kinds=[{{name:seats_19,rated:19,seats:{},attendants:1}}]"
    for seats, riding in ((6, 0), (7, 1), (8, 2)):
        scene, diary, _ = lived(job(*BY_HEART, "lodge.beds=0", kinds.format(seats)), days=5)
        refused = scene.pupils.refused
        assert refused.sum() == 2
        assert (~np.isnan(diary.alighted_in[:, refused])).sum(axis=1).tolist() == [riding] * 5
        assert (~np.isnan(diary.alighted_in[:, scene.rider & ~refused])).all()
