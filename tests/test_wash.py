"""Water and toilets: counts by hand, lines as in plain SimPy, and nobody lost between joining and giving up."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st
from living import BY_HEART, job, lived
from scipy import stats

from sim import streams
from sim.chance import YearLuck
from sim.config import load
from sim.errors import BadInput
from sim.measure import wash as measure
from sim.measure.use import Use
from sim.operate import wash
from sim.plan import WALK
from sim.plan.wash import fixtures
from sim.share import Known
from sim.units import MINUTES_PER_DAY

HUICHANG = ("county=huichang", "calendar=smoke", "study.years=1", "study.replications=1")
VILLAGES = ("county=three_villages", "calendar=smoke", "study.years=1", "study.replications=1")
C = 0
"""Position of the central school of three_villages: one tap, one basin, one squat for each sex, one shower."""


@cache
def chosen(*overrides):
    """Return settings; reading them takes longer than most that is tested here."""
    return load(list(overrides))


def line_of_visit(visits):
    """Return the line of every visit; (V,)."""
    return np.repeat(np.arange(len(visits.school)), np.diff(visits.ptr))


def peak_of_visit(visits):
    """Return the name of the peak of every visit; (V,)."""
    return np.array(visits.peaks)[visits.peak[line_of_visit(visits)]]


# What there is


def test_the_fixtures_of_a_school_are_those_of_the_table_and_boys_have_urinals_too(three_villages):
    found = fixtures(three_villages, chosen(*VILLAGES), 2023)
    assert (found.taps[C], found.basins[C], found.toilets[C].tolist()) == (1, 1, [1, 3])
    assert found.showers[C].tolist() == [1, 1], "a single shower serves both in turn"
    assert fixtures(three_villages, chosen(*VILLAGES, "wash.urinals_per_squat=0.0"), 2023).toilets[C].tolist() == [1, 1]


def test_projects_and_scales_change_them_from_their_year_on(three_villages):
    schools = replace(three_villages.schools, showers=np.array([9, 0]), beds=np.array([[2, 4], [0, 0]]))
    rows = [("p", "C", 2024, "taps", 2), ("q", "C", 2024, "toilets_boys", 1), ("r", "C", 2024, "showers", 3)]
    columns = ["project_id", "school_id", "year", "adds", "quantity"]
    projects = three_villages.projects.reindex(columns=columns).iloc[:0]
    for k, row in enumerate(rows):
        projects.loc[k] = row
    county = replace(three_villages, schools=schools, projects=projects)
    before, after = (fixtures(county, chosen(*VILLAGES, "wash.taps_scale=2.0"), year) for year in (2023, 2024))
    assert (before.taps[C], after.taps[C]) == (2, 6)
    assert (before.toilets[C].tolist(), after.toilets[C].tolist()) == ([1, 3], [1, 6])
    assert (before.showers[C].tolist(), after.showers[C].tolist()) == ([3, 6], [4, 8])


@given(
    showers=st.integers(2, 60),
    beds=st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
def test_both_sexes_have_a_shower_and_none_is_counted_twice(three_villages, showers, beds):
    schools = replace(three_villages.schools, showers=np.array([showers, 0]), beds=np.array([beds, (0, 0)]))
    girls, boys = fixtures(replace(three_villages, schools=schools), chosen(*VILLAGES), 2023).showers[C]
    assert girls + boys == showers
    assert min(girls, boys) >= 1
    assert abs(girls - showers * beds[0] / sum(beds)) < 1


# The lines


def in_simpy(arrive, service, servers, bell):
    """Live one line, a process for each pupil: who has not begun when the bell rings goes away."""
    n = len(arrive)
    began, done = np.full(n, np.nan), np.full(n, np.nan)
    if servers == 0:
        return began, done
    env = simpy.Environment()
    place, ringing = simpy.Resource(env, servers), env.timeout(bell)

    def pupil(who):
        yield env.timeout(arrive[who])
        if ringing.processed:
            return
        with place.request() as turn:
            yield turn | ringing
            if not turn.triggered or env.now >= bell:
                return
            began[who] = env.now
            yield env.timeout(service[who])
            done[who] = env.now

    for who in np.flatnonzero(~np.isnan(arrive)):
        env.process(pupil(who))
    env.run()
    return began, done


@settings(max_examples=80)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(0, 120), min_size=1, max_size=4),
    servers=st.integers(0, 9),
    bell=st.floats(603, 625),
    ties=st.booleans(),
)
def test_a_peak_is_the_same_as_one_simpy_process_per_pupil(seed, sizes, servers, bell, ties):
    rng = np.random.default_rng(seed)
    ptr, n, midnight = np.append(0, np.cumsum(sizes)), sum(sizes), 2 * MINUTES_PER_DAY
    who = rng.permutation(n)
    join = np.where(rng.random(n) < 0.7, 600 + 10 * rng.random(n), np.nan)
    join, service = np.round(join) if ties else join, rng.lognormal(0, 0.4, n)
    here, bus = rng.random(n) < 0.9, np.where(rng.random(n) < 0.2, midnight + 595 + 12 * rng.random(n), np.nan)
    line = np.where(rng.random(n) < 0.1, midnight + 601, np.nan)
    pages = tuple(np.full(n, np.nan) for _ in range(3))
    each = np.full(len(sizes), servers)
    wash.pass_lines(ptr, each, who, (here, bus, line), (join, service), (midnight, midnight + bell), pages)
    late = (bus[who] > midnight + join) | (line[who] > midnight + join)
    arrive = np.where(here[who] & ~late, midnight + join, np.nan)
    assert np.array_equal(pages[0], arrive, equal_nan=True)
    for low, high in pairwise(ptr):
        began, done = in_simpy(arrive[low:high], service[low:high], servers, midnight + bell)
        assert np.array_equal(pages[1][low:high], began, equal_nan=True)
        assert np.array_equal(pages[2][low:high], done, equal_nan=True)


def passed(join, service, servers, bell):
    """Pass one line of pupils who are all at school; return began and done."""
    n = len(join)
    pages = tuple(np.full(n, np.nan) for _ in range(3))
    nobody = np.full(n, np.nan)
    came, wish = (np.ones(n, dtype=bool), nobody, nobody), (np.asarray(join, float), np.asarray(service, float))
    wash.pass_lines(np.array([0, n]), np.array([servers]), np.arange(n), came, wish, (0.0, bell), pages)
    return pages[1], pages[2]


def test_four_girls_and_one_toilet_by_hand():
    began, done = passed([602, 600, 601, 603], [3, 3, 3, 3], 1, 609.0)
    assert began.tolist()[:3] == [606, 600, 603]
    assert done.tolist()[:3] == [609, 603, 606]
    assert np.isnan([began[3], done[3]]).all(), "her turn comes as the bell rings"
    began, _ = passed([602, 600, 601, 603], [3, 3, 3, 3], 2, 609.0)
    assert began.tolist() == [603, 600, 601, 604]


def test_who_has_begun_before_the_bell_may_end_after_it():
    began, done = passed([600], [5], 1, 601.0)
    assert (began[0], done[0]) == (600, 605)


@given(seed=st.integers(0, 2**32 - 1), servers=st.integers(1, 8))
def test_one_more_toilet_makes_nobody_wait_longer_or_give_up(seed, servers):
    rng = np.random.default_rng(seed)
    join, service = 600 + 5 * rng.random(90), rng.lognormal(0.4, 0.4, 90)
    fewer, more = (np.nan_to_num(passed(join, service, c, 615.0)[0], nan=np.inf) for c in (servers, servers + 1))
    assert (more <= fewer).all()


def test_ninety_girls_and_six_toilets_in_the_break():
    began, _ = passed(600 + np.arange(90) / 18, np.full(90, 1.5), 6, 615.0)
    assert np.isnan(began).sum() == 90 - 60, "six toilets, ten turns of a minute and a half: sixty girls"


# Luck


def test_two_uniforms_of_one_draw_are_uniform_and_have_nothing_in_common():
    key = streams.key(3, 0, "pair", 2023)
    found = np.array([streams.pair(key, who) for who in np.arange(40_000, dtype=np.uint64)])
    assert stats.kstest(found[:, 0], "uniform").pvalue > 0.001
    assert stats.kstest(found[:, 1], "uniform").pvalue > 0.001
    assert abs(np.corrcoef(found.T)[0, 1]) < 4 / np.sqrt(len(found))


def drawn(*overrides, days=2):
    """Return the scene of the reference county, and the luck of a week under other settings of water and toilets."""
    scene, _, _ = reference()
    settings = chosen(*HUICHANG, *overrides)
    plan = replace(scene.plan, fixtures=fixtures(scene.county, settings, scene.plan.year))
    visits = wash.visits(settings, plan, scene.pupils)
    by_peak = wash.wash_luck(settings, visits, scene.pupils, YearLuck(1, 0, 2023), 5, days, Known())
    return replace(scene, visits=visits), np.concatenate(by_peak, axis=2)


@cache
def reference(*overrides):
    """Live two days of the reference county; overrides must leave the plan as it is."""
    return lived(replace(job(*HUICHANG), settings=chosen(*HUICHANG, *overrides)), week=3, days=2)


def test_the_share_comes_evenly_spread_and_takes_a_lognormal_time():
    scene, (join, service) = drawn()
    peak_of = peak_of_visit(scene.visits)
    for name, peak in scene.settings.wash.peaks.items():
        here = peak_of == name
        sex = scene.pupils.sex[scene.visits.who[here]]
        wants, minutes = join[0, here], service[0, here]
        comes = wants[~np.isnan(wants)]
        assert abs(len(comes) / here.sum() - peak.share) < 5 * np.sqrt(0.25 / here.sum())
        assert stats.kstest(comes, "uniform", (peak.from_min, peak.spread_min)).pvalue > 0.001
        for s, median_s in enumerate((peak.girls_s, peak.boys_s)):
            z = np.log(minutes[sex == s] * 60 / median_s) / peak.sd_log
            assert stats.kstest(z, "norm").pvalue > 0.001
        assert abs(np.corrcoef(comes, minutes[~np.isnan(wants)])[0, 1]) < 5 / np.sqrt(len(comes))


def test_days_and_peaks_have_luck_of_their_own_and_other_toilets_move_nobodys():
    scene, paper = drawn()
    _, again = drawn("wash.toilets_scale=0.5")
    assert np.array_equal(paper, again, equal_nan=True)
    peak = peak_of_visit(scene.visits)
    girls = scene.pupils.sex[scene.visits.who] == 0
    slow, slow_tomorrow = paper[1][:, girls & (peak == "break_toilet")]
    thirsty = paper[1, 0, girls & (peak == "break_tap")]  # the same girls in the same order
    for other in (slow_tomorrow, thirsty):
        assert abs(np.corrcoef(slow, other)[0, 1]) < 5 / np.sqrt(len(slow))


def test_a_larger_share_only_adds_pupils():
    (few, _), (many, _) = drawn()[1], drawn("wash.peaks.break_toilet.share=0.6")[1]
    assert not (~np.isnan(few) & np.isnan(many)).any()
    assert (~np.isnan(many)).sum() > (~np.isnan(few)).sum()


# Whole weeks

SHORT = [
    (),
    ("wash.toilets_scale=0.0", "wash.showers_scale=0.0"),
    ("wash.taps_scale=0.0", "wash.basins_scale=0.3"),
    ("stress=all_at_once",),
    ("stress=water_off", "lodge.beds=0"),
]


@pytest.mark.parametrize("short", SHORT, ids=lambda short: " ".join(short) or "nothing short")
def test_whoever_joins_a_line_has_it_or_gives_up_and_is_at_school(short):
    scene, diary, luck = lived(job(*VILLAGES, *short), week=3)
    joined, began, done = (~np.isnan(times) for times in (diary.joined, diary.began, diary.done))
    assert (began == done).all()
    assert not (began & ~joined).any()
    assert not (joined & np.isnan(luck.wash_join)).any()
    line = line_of_visit(scene.visits)
    midnight = np.arange(len(joined))[:, None] * MINUTES_PER_DAY
    bell = scene.visits.clock[scene.visits.peak[line], 2] + midnight
    assert (diary.began[began] < bell[began]).all()
    assert (diary.began[began] >= diary.joined[began]).all()
    assert (diary.done - diary.began)[began] == pytest.approx(luck.wash_service[began])
    who = scene.visits.who
    assert not (joined & ~diary.came[:, who]).any()
    assert not (diary.joined < diary.alighted_in[:, who]).any()
    values, days = measure.measures(scene, diary, range(len(joined))), range(len(joined))
    assert values["wash_visits"][-1] == joined.sum() > 0
    assert values["wash_given_up"][-1] == joined.sum() - done.sum()
    harmed = measure.harms(scene, diary, days)
    for (what, _, _), pupils in harmed.items():
        gave_up = (joined & ~done)[:, scene.visits.resource[line] == wash.RESOURCES.index(what)]
        assert pupils.sum() <= gave_up.sum()
        assert pupils.any() == gave_up.any()


def test_the_day_of_three_villages_by_heart():
    everyone = [f"wash.peaks.{name}.share=1.0" for name in ("wake_toilet", "break_tap", "lunch_basin", "evening_basin")]
    scene, diary, _ = lived(job(*BY_HEART, *everyone), week=3)
    peak = peak_of_visit(scene.visits)
    joined = ~np.isnan(diary.joined)
    assert joined[:, peak == "break_tap"].sum(axis=1).tolist() == [12] * 5
    assert joined[:, peak == "lunch_basin"].sum(axis=1).tolist() == [12] * 5
    assert joined[:, peak == "wake_toilet"].sum(axis=1).tolist() == [0, 2, 2, 2, 2]
    assert joined[:, peak == "evening_basin"].sum(axis=1).tolist() == [2, 2, 2, 2, 0]
    assert set(scene.visits.school) == {C}
    early = "wash.peaks.break_tap={share: 1.0, from_min: 450.0, bell_min: 475.0}"
    scene, diary, _ = lived(job(*BY_HEART, early), week=3)
    joined = ~np.isnan(diary.joined[:, peak_of_visit(scene.visits) == "break_tap"])
    assert joined.sum(axis=1).tolist() == [10, 12, 12, 12, 12], "on Monday the lodgers' bus comes at eight"


def test_on_friday_lodgers_have_left_before_the_afternoon_break_and_day_pupils_never_wash_in_the_evening():
    scene, diary, _ = lived(job(*BY_HEART, "wash.peaks.afternoon_tap.share=1.0"), week=3)
    peak = peak_of_visit(scene.visits)
    joined = ~np.isnan(diary.joined)
    assert joined[:, peak == "afternoon_tap"].sum(axis=1).tolist() == [12, 12, 12, 12, 10]
    evening = np.char.startswith(peak, "evening")
    assert not joined[:, evening & ~scene.pupils.has_bed[scene.visits.who]].any()
    late = job(*BY_HEART, "wash.peaks.afternoon_tap={share: 1.0, from_min: 1025.0, bell_min: 1040.0}")
    scene, diary, _ = lived(late, week=3)
    peak = peak_of_visit(scene.visits)
    assert (~np.isnan(diary.joined[:, peak == "afternoon_tap"])).sum(axis=1).tolist() == [2, 2, 2, 2, 0]


def test_who_has_to_stay_for_the_night_washes_in_the_morning():
    # On Tuesday at noon ice comes, and no bus goes to D: two girls and a boy stay; the two lodgers are there anyway.
    ice = ("stress=ice_week", "stress.weeks=[3]", "stress.days=[2]", "weather.skies.ice.avoid=[sharp]")
    everyone = [f"wash.peaks.{name}.share=1.0" for name in ("wake_basin", "evening_basin", "evening_shower")]
    scene, diary, _ = lived(job(*BY_HEART, *ice, *everyone), week=3)
    peak, joined = peak_of_visit(scene.visits), ~np.isnan(diary.joined)
    assert (~np.isnan(diary.stayed)).sum(axis=1).tolist() == [0, 3, 0, 0, 0]
    assert joined[:, peak == "evening_basin"].sum(axis=1).tolist() == [2, 5, 2, 2, 0]
    assert joined[:, peak == "wake_basin"].sum(axis=1).tolist() == [0, 2, 5, 2, 2]


def test_day_pupils_who_walk_have_no_place_in_the_lodgers_lines():
    scene, _ = drawn()
    peak = peak_of_visit(scene.visits)
    assert not (scene.pupils.mode[scene.visits.who[peak == "wake_basin"]] == WALK).any()
    assert (
        scene.plan.beds.nominal.sum(axis=1)[scene.pupils.school[scene.visits.who[peak == "evening_shower"]]] > 0
    ).all()


def test_when_the_water_fails_the_school_gives_up():
    scene, diary, _ = reference()
    largest, days = np.diff(scene.pupils.first).argmax(), range(2)
    before = measure.measures(scene, diary, days)
    after = measure.measures(scene, reference("stress=water_off")[1], days)
    visits, usual, dry = before["wash_visits"], before["wash_given_up"], after["wash_given_up"]
    assert (after["wash_visits"] == visits).all(), "nobody knows beforehand"
    assert dry[largest] > 0.5 * visits[largest]
    assert usual[largest] < 0.02 * visits[largest]
    assert (np.delete(dry[:-1], largest) == np.delete(usual[:-1], largest)).all()


# What is measured


def test_measures_of_a_week_are_what_numpy_says():
    scene, diary, _ = reference("stress=water_off")
    line = line_of_visit(scene.visits)
    school, resource = scene.visits.school[line], scene.visits.resource[line]
    found = measure.measures(scene, diary, range(1, 2))
    joined, began, done = (times[1:2] for times in (diary.joined, diary.began, diary.done))
    wait, bell = began - joined, scene.visits.clock[scene.visits.peak[line], 2]

    def p95(values):
        values = np.sort(values[~np.isnan(values)])
        return values[int(np.ceil(0.95 * len(values))) - 1] if len(values) else np.nan

    assert found["wash_wait_min_p95"][-1] == p95(wait)
    assert found["wash_wait_min_mean"][-1] == pytest.approx(np.nanmean(wait))
    for s in np.append(np.unique(school)[::9], np.diff(scene.pupils.first).argmax()):
        here = school == s
        assert found["wash_wait_min_p95"][s] == p95(wait[:, here])
        assert found["wash_given_up"][s] == (~np.isnan(joined) & np.isnan(began))[:, here].sum()
        girls = here & (resource == wash.RESOURCES.index("toilet_girls"))
        assert found["toilet_girls_wait_min_p95"][s] == p95(wait[:, girls])
        until = np.fmin(done, bell + MINUTES_PER_DAY)
        assert found["toilet_girls_busy_min"][s] == pytest.approx(np.nansum((until - began)[:, girls]))
    assert np.isnan(found["wash_wait_min_p95"][np.setdiff1d(np.arange(len(scene.plan.open)), school)]).all()


def test_the_rows_of_a_resource_by_hand():
    scene, diary, _ = lived(job(*VILLAGES), week=3)
    low = int(np.flatnonzero(peak_of_visit(scene.visits) == "break_tap")[0])
    diary.wipe()
    for day, pupils in ((0, 3), (1, 2)):
        at = day * MINUTES_PER_DAY + 602
        for k in range(pupils):
            diary.joined[day, low + k] = at
            diary.began[day, low + k], diary.done[day, low + k] = at + k, at + k + 1
    diary.began[0, low + 2] = diary.done[0, low + 2] = np.nan
    values = measure.measures(scene, diary, range(len(diary.came)))
    frames = [pd.DataFrame(rows) for rows in measure.rows_of_use(scene, Use([(3, 0, 10.0, values)], []))]
    row = next(frame for frame in frames if len(frame) and frame["resource"].iloc[0] == "tap").iloc[0]
    assert sum(len(frame) for frame in frames) == 1
    assert (row["site_id"], row["capacity"], row["unmet"], row["unmet_unit"]) == ("C", 1, 10, "visit")
    assert row["wait_mean_min"] == pytest.approx((0 + 1 + 0 + 1) / 4)
    assert row["utilisation_mean"] == pytest.approx(4 / (2 * 13))
    assert row["demand_peak"] == pytest.approx(3 * 0.25 * np.exp(0.4**2 / 2) / 13)


# What cannot be


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("wash.peaks.break_tap.bell_min=600.0", "wash.peaks.break_tap"),
        ("wash.peaks.break_tap.share=1.2", "wash.peaks.break_tap.share"),
        ("wash.peaks.break_tap.spread_min=0.0", "wash.peaks.break_tap.spread_min"),
        ("wash.toilets_scale=-1.0", "wash.toilets_scale"),
    ],
)
def test_a_peak_that_cannot_be_is_refused_by_its_key(override, key):
    with pytest.raises(BadInput, match=key):
        load([*VILLAGES, override])
