"""Nobody is lost or invented, whatever is short."""

from __future__ import annotations

import numpy as np
import pytest
from living import job, lived

from sim.operate.pupils import IN, OUT

SMALL = ("county=three_villages", "calendar=smoke", "study.years=2", "study.replications=1")
SHORT = [
    (),
    ("fleet.buses=0",),
    ("fleet.buses=1", "fleet.kinds=[{name:seats_19,rated:19,seats:1,attendants:1}]"),
    ("lodge.beds=0",),
    ("dine.windows_scale=0.0",),
    ("dine.seats_scale=0.0",),
    ("health.absence_share=1.0",),
    ("health.absence_share=0.4", "fleet.family_share=0.0", "lodge.beds=1"),
    ("closure=none",),
]


@pytest.mark.parametrize("short", SHORT, ids=lambda short: " ".join(short) or "nothing short")
def test_every_pupil_is_accounted_for(short):
    scene, diary, _ = lived(job(*SMALL, *short), k=1)
    on, off = diary.embarked_in, diary.alighted_in
    assert (np.isnan(on) == np.isnan(off)).all(), "who embarks alights"
    assert (np.isnan(diary.embarked_out) == np.isnan(diary.alighted_out)).all()
    assert not (diary.attended & ~diary.came).any(), "who is ill is not at school"
    assert not (~np.isnan(on) & ~diary.came).any()
    queued, served, seated = (~np.isnan(x) for x in (diary.queued, diary.served, diary.seated))
    assert not (served & ~queued).any()
    assert not (seated & ~served).any()
    beds, place = scene.plan.beds, scene.pupils.school * 2 + scene.pupils.sex
    for night in ~np.isnan(diary.to_bed):
        taken = np.bincount(place[night], minlength=beds.nominal.size).reshape(beds.nominal.shape)
        assert (taken <= beds.nominal + beds.emergency).all()
    ride = scene.rider & diary.came
    assert (ride == ((~np.isnan(on) | ~diary.attended) & ride)).all(), "a rider is carried or misses the day"


@pytest.mark.parametrize("short", SHORT, ids=lambda short: " ".join(short) or "nothing short")
def test_no_bus_is_ever_overloaded_and_none_leaves_with_pupils_aboard(short):
    scene, diary, _ = lived(job(*SMALL, *short), k=1)
    seats = np.array(scene.table.seats, dtype=np.int64)
    assert (diary.load <= seats[scene.table.run_of_stop]).all()
    for run, (first, end) in enumerate(scene.table.stops):
        rider_at, rider = scene.table.riders
        riders = rider[rider_at[first] : rider_at[end]]
        way = scene.table.direction[run]
        on = diary.embarked_in if way == IN else diary.embarked_out
        gone = diary.fetched[way][:, riders].sum(axis=1)
        aboard = (~np.isnan(on[:, riders])).sum(axis=1) - gone
        last = diary.load[:, end - 1] if way == IN else np.zeros(len(diary.came))
        driven = ~np.isnan(diary.took_bay[:, run])
        assert (aboard[driven] == (last[driven] if way == IN else aboard[driven])).all()
        assert (aboard <= seats[run]).all()
        if way == OUT:
            assert (diary.load[driven, end - 1] == 0).all(), "everyone has alighted at the last stop"


@pytest.mark.parametrize("short", SHORT, ids=lambda short: " ".join(short) or "nothing short")
def test_every_expected_pupil_is_placed_exactly_once(short):
    plan = job(*SMALL, *short).plan
    for year in plan.years:
        assert year.places.share.sum(axis=2) == pytest.approx(1.0)


def test_harm_by_cause_adds_up_to_the_harm_of_the_day():
    from sim.measure import pupil

    scene, diary, luck = lived(job(*SMALL, "lodge.beds=0", "dine.bell_after_min=12", "dine.service_min=1.5"), k=1)
    days = range(len(diary.came))
    found = pupil.harms(scene, diary, days, luck.service_min)
    by_resource = {}
    for (resource, _, _), harmed in found.items():
        by_resource[resource] = by_resource.get(resource, 0) + harmed.astype(int)
    assert sum(x.sum() for x in by_resource.values()) > 0
    for resource, times in by_resource.items():
        assert times.max(initial=0) <= 1, f"a pupil counts once a day for {resource}"
