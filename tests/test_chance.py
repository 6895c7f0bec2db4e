"""Luck belongs to the pupil, the run and the day: nothing and nobody else moves it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from living import BY_HEART, job, lived
from scipy import stats

from sim import streams
from sim.chance import YearLuck, enrol_luck, pupil_owners, sampled_weeks, strata
from sim.config import load
from sim.county import SchoolCalendar
from sim.live import counts
from sim.operate.arrive import _people
from sim.plan.enrol import draw_by_home, rolled_years

PURPOSES = (
    "entry county", "entry area", "progress county", "progress area", "cell", "weeks", "mode", "lodger bus", "lunch",
    "hardship", "gives up bed", "breakfast", "dinner", "ill", "illness county", "illness area", "kept at home", "moves",
    "weather", "noon", "traffic day", "traffic leg", "driver", "attendant", "life teacher", "guardian",
    *(f"{what} {way}" for what in ("breakdown", "repair") for way in (0, 1)),
    *(f"wash {peak}" for peak in load(["county=three_villages"]).wash.peaks),
)  # fmt: skip


def test_uniforms_are_uniform_and_normals_are_normal():
    key, who = streams.key(7, 0, "test", 2023, 1), np.arange(200_000, dtype=np.uint64)
    assert stats.kstest(streams.uniforms(key, who), "uniform").pvalue > 0.001
    assert stats.kstest(streams.normals(key, who), "norm").pvalue > 0.001


def test_neighbouring_days_replications_and_pupils_are_not_correlated():
    who = np.arange(64, dtype=np.uint64) + (np.uint64(99) << np.uint64(32))
    keys = [streams.key(s, r, "test", 2023, d) for s, r, d in itertools.product(range(4), range(10), range(50))]
    table = np.array([streams.uniforms(key, who) for key in keys])
    assert stats.kstest(table.ravel(), "uniform").pvalue > 0.001
    off = np.corrcoef(table.T)[np.triu_indices(64, 1)]
    assert np.abs(off).max() < 5 / np.sqrt(len(keys))


def test_no_two_purposes_years_or_days_share_a_stream():
    keys = {
        int(streams.key(1, r, p, y, d))
        for r, p, y, d in itertools.product(range(3), PURPOSES, (2023, 2024, 2032), range(0, 280, 9))
    }
    assert len(keys) == 3 * len(PURPOSES) * 3 * 32


def test_every_pupil_of_the_reference_county_has_a_number_of_their_own():
    scene, _, _ = lived(job("county=huichang", "calendar=smoke", "study.years=1", "study.replications=1"), days=1)
    assert len(np.unique(scene.pupils.number)) == len(scene.pupils) > 30_000


def test_a_pupil_keeps_the_number_through_the_years():
    hamlet = streams.owners(["somewhere"])
    one = np.array([1])
    numbers = [pupil_owners(hamlet, np.array([year - grade + 1]), one, one) for year, grade in ((2023, 1), (2026, 4))]
    assert numbers[0] == numbers[1]


def test_a_pupil_who_moves_to_town_keeps_the_number(three_villages):
    """Nobody leaves or comes on the way, so those of grade 2 on are last year's, some of them elsewhere."""
    is_town = np.array([True, False, False])
    town = replace(
        three_villages,
        pupils=9 * np.maximum(three_villages.pupils, 1),
        hamlets=replace(three_villages.hamlets, is_town=is_town),
    )
    never = ("enrol.churn_share=0.0", "enrol.progress_sd_county=0.0", "enrol.progress_sd_area=0.0",
             "enrol.progress_drift_sd_area=0.0", "enrol.progress_grade_sd_area=0.0",
             "enrol.progression_per_year=[1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0]")  # fmt: skip
    chosen = load(["county=three_villages", "enrol.town_rate_primary_per_year=0.2", *never])
    parts = draw_by_home(town, chosen, enrol_luck(town, 7, 0, rolled_years(town, chosen)))
    school = np.full((3, 9), int(np.flatnonzero(town.schools.lived)[0]))
    homes = []
    for k, year in enumerate((2023, 2024, 2025)):
        places = SimpleNamespace(year=year, school=school)
        hamlet, grade, _, number = _people(town, places, parts[k], YearLuck(7, 0, year))
        assert len(set(number.tolist())) == len(number) == parts[k].sum()
        homes.append({int(n): (int(h), int(g)) for n, h, g in zip(number, hamlet, grade, strict=True)})
        np.testing.assert_array_equal(np.bincount(hamlet[hamlet > 0]), parts[k, 0].sum(axis=(1, 2)) * [0, 1, 1])
    for before, after in itertools.pairwise(homes):
        assert {n for n, (_, grade) in after.items() if grade > 1} == {n for n, (_, g) in before.items() if g < 9}
        moved = {(before[n][0], after[n][0]) for n in before.keys() & after.keys()}
        assert moved == {(0, 0), (1, 1), (2, 2), (1, 0), (2, 0)}, "from a village to the town, and never back"


@pytest.mark.parametrize("choice", ["closure=none", "lodge.beds=0", "fleet.buses=0", "dine.windows_scale=3.0"])
def test_no_choice_moves_anyones_luck(choice):
    base, other = (
        lived(job("county=three_villages", "calendar=smoke", "study.years=1", *SICK, *more)) for more in ((), (choice,))
    )
    mine, theirs = (of_each(*week) for week in (base, other))
    assert set(theirs) <= set(mine), "the days of a school that stays open may not be lived"
    for number, (well, *luck) in theirs.items():
        assert mine[number][0] == well
        for once, now in zip(mine[number][1:], luck, strict=True):
            both = (once > 0) & (now > 0)  # who does not eat here or is not fetched has none
            assert (once[both] == now[both]).all()


SICK = ("health.absence_share=0.3", "fleet.guardian_late_share=0.5", "fleet.breakdown_per_km=0.01")


def of_each(scene, _, fortune):
    """Return the luck of each pupil in a week, by number: days they are well, minutes at lunch, of the guardian."""
    pages = (fortune.eat_min[1], fortune.service_min[1], fortune.guardian_min)
    return {
        int(number): (fortune.well[:, i].tolist(), *(page[:, i] for page in pages))
        for i, number in enumerate(scene.pupils.number)
    }


@pytest.mark.parametrize("choice", ["lodge.beds=0", "fleet.driver_absent_share=0.5", "fleet.repair_min=5.0"])
def test_no_choice_moves_the_luck_of_a_bus(choice):
    base, other = (
        lived(job("county=three_villages", "calendar=smoke", "study.years=1", *SICK, *more))[2]
        for more in ((), (choice,))
    )
    assert (base.break_km == other.break_km).all()
    assert (base.traffic == other.traffic).all()
    assert (base.leg_min == other.leg_min).all()
    assert not (other.driver_here & ~base.driver_here).any(), "a driver who is ill is ill at any share above"
    assert (np.argsort(base.repair_min, axis=None) == np.argsort(other.repair_min, axis=None)).all()


def test_one_pupil_more_moves_nobody_elses_luck(tmp_path):
    from living import planned

    base = job(*BY_HEART)
    folder = tmp_path / "four"
    folder.mkdir()
    for file in base.settings.county.path.glob("*.csv"):
        (folder / file.name).write_bytes(file.read_bytes())
    pupils = (folder / "pupils.csv").read_text(encoding="utf-8").splitlines()
    row = next(i for i, line in enumerate(pupils) if line.startswith("A,1,f"))
    pupils[row] = pupils[row].replace("A,1,f,1", "A,1,f,2")
    (folder / "pupils.csv").write_text("\n".join(pupils) + "\n", encoding="utf-8")
    more = planned(load([*BY_HEART, f"county.folder={folder}", "health.absence_share=0.5"]))
    less = job(*BY_HEART, "health.absence_share=0.5")
    before, after = lived(less), lived(more)
    assert len(after[0].pupils) == len(before[0].pupils) + 1
    mine = dict(zip(before[0].pupils.number.tolist(), before[2].well.T.tolist(), strict=True))
    same = [
        mine[n] == well
        for n, well in zip(after[0].pupils.number.tolist(), after[2].well.T.tolist(), strict=True)
        if n in mine
    ]
    assert len(same) == len(mine)
    assert all(same)


def test_pupil_sets_under_fewer_and_more_births_are_nested():
    low, high = (counts(job("county=three_villages", f"enrol.births={b}"), 3) for b in ("low", "high"))
    assert (low <= high).all()


def test_weeks_are_sampled_within_terms_and_stand_for_the_whole_year():
    weeks = np.arange(1, 40)
    calendar = SchoolCalendar(
        week=weeks, term=np.where(weeks <= 21, 1, 2),
        month=np.repeat([9, 10, 11, 12, 1, 2, 3, 4, 5, 6], [4, 5, 4, 4, 4, 1, 4, 5, 4, 4]),
        days=np.full(39, 5),
    )  # fmt: skip
    for wanted in (1, 2, 6, 10, 20, 39, 0):
        found = sampled_weeks(YearLuck(1, 0, 2023), calendar, wanted)
        assert len(found.week) == (wanted or 39)
        assert len(set(found.week.tolist())) == len(found.week)
        assert found.weight.sum() == pytest.approx(39)
    parts = strata(calendar, 6)
    assert sorted(np.concatenate(parts).tolist()) == list(range(39))
    assert all(len(set(calendar.term[part].tolist())) == 1 for part in parts)
    drawn = {tuple(sampled_weeks(YearLuck(1, r, 2023), calendar, 6).week.tolist()) for r in range(20)}
    assert len(drawn) > 10
