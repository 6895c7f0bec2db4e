"""Mixed loads: pupils of several schools on one bus, planned, limited and lived."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bus_counties import random_county, with_fleet
from living import QUIET, lived, lived_with, planned_in
from test_county_day import both, differences, missed
from two_schools import MIXED, two_schools

from sim.config import Settings, load
from sim.county import travel
from sim.county.timetable import given_runs
from sim.live import Job, event_names
from sim.measure import bus
from sim.operate.diary import ROAD, replay
from sim.operate.luck import WeekLuck
from sim.operate.stage import Ways
from sim.operate.weather import cut_roads, skyways
from sim.plan.compose import make
from sim.plan.course import IN, gates, own_gate
from sim.plan.duty import chain
from sim.plan.fleet import Duty, Event
from sim.plan.given import exported
from sim.plan.morning import _runs as trips
from sim.plan.route import GATE, SCHOOL, Run, routes
from sim.plan.stops import at_stop, daily_riders
from sim.plan.tables import plan_tables
from sim.plan.timetable import with_waits
from sim.store import RunFolder
from sim.tell.run import Run as Report
from sim.tell.trip import rides

C, T = 0, 1
A, B, D = 0, 1, 2
BY_HAND = (*MIXED, *QUIET, "fleet.family_share=0", "lodge.primary_share=0", "lodge.junior_share=0")
"""C: B's grades 5 and 8, D's grade 8. T: A's grade 1, D's grades 1, 2 and 2."""
STOP, STEP = 19 / 60, 2.6 / 60
DOOR, OFF = 29 / 60, 1.9 / 60
SPARE = ("fleet.spare_share=1", "fleet.reserve_driver_share=1", "fleet.reserve_attendant_share=1")


@pytest.fixture(scope="module")
def by_hand() -> Job:
    settings = load(list(BY_HAND))
    return planned_in(two_schools(settings), settings)


def test_the_bus_from_the_last_village_leaves_the_small_ones_on_its_way(by_hand: Job) -> None:
    runs = plan_tables(by_hand.settings, by_hand.county, by_hand.plan)["runs"].set_index("run_id")
    into, home = runs.loc["C-in-01"], runs.loc["C-out-01"]
    assert into["stop_id"].tolist() == ["D", "D", "B", "T", "C"]
    assert into["school_id"].tolist() == ["C", "T", "C", "T", "C"]
    assert into["embark"].tolist() == [1, 3, 2, 0, 0]
    assert into["alight"].tolist() == [0, 0, 0, 3, 3]
    assert into["load_after"].tolist() == [1, 4, 6, 3, 0]
    assert into["km"].tolist() == [0, 0, 4, 0, 6]
    assert home["stop_id"].tolist() == ["C", "T", "B", "D", "D"]
    assert home["load_after"].tolist() == [3, 6, 4, 1, 0]
    gate = 430.0  # T's window opens 70 minutes before 8:20
    at_b = gate - STOP - 2 * STEP
    at_c = gate + DOOR + 3 * OFF + 9
    from_d = at_b - 12 - 2 * STOP - 4 * STEP
    assert into["arrive_min"].tolist() == pytest.approx([from_d, from_d + STOP + STEP, at_b, gate, at_c])
    leave = 1020 + DOOR + 3 * OFF  # C closes later than T, at 17:00
    at_t = leave + 9
    from_t = at_t + DOOR + 3 * OFF
    at_d = from_t + STOP + 2 * STEP + 12
    assert home["arrive_min"].tolist() == pytest.approx([leave, at_t, from_t, at_d, at_d + STOP + 3 * STEP])
    assert home["depart_min"].iloc[1] == pytest.approx(from_t)


def test_the_sheet_tells_the_ride_to_the_own_school_and_no_farther(by_hand: Job, tmp_path: Path) -> None:
    files = RunFolder(tmp_path)
    table = plan_tables(by_hand.settings, by_hand.county, by_hand.plan)["runs"]
    files.write_table("runs", table.assign(scenario=by_hand.settings.scenario))
    ride = rides(Report(tmp_path)).droplevel("year")
    to_c = DOOR + 3 * OFF + 9  # from the gate of T on
    from_d = 12 + STOP + 2 * STEP  # to the gate of T, with the stop in B
    expected = {("T", "D"): from_d, ("C", "D"): STOP + 3 * STEP + from_d + to_c, ("C", "B"): to_c}
    told = ride[[name in expected for name in ride.index]]
    assert told.to_dict() == pytest.approx(expected)
    assert (round(ride["T", "D"], 1), round(ride["C", "D"], 1)) == (12.4, 22.4)


def test_everybody_gets_off_at_the_own_school(by_hand: Job) -> None:
    scene, diary, _ = lived(by_hand)
    pupils = scene.pupils
    at_t = 430 + DOOR + OFF * np.arange(1, 4)
    at_c = 430 + DOOR + 3 * OFF + 9 + DOOR + OFF * np.arange(1, 4)
    small, large = ((pupils.hamlet != A) & (pupils.stop[IN] >= 0) & (pupils.school == school) for school in (T, C))
    assert np.sort(diary.alighted_in[0, small]) == pytest.approx(at_t)
    assert np.sort(diary.alighted_in[0, large]) == pytest.approx(at_c)
    calls = [piece.call for piece in scene.table.pieces[0]]
    assert diary.reached_gate[0, calls[1]] == pytest.approx(diary.freed_bay[0, calls[0]] + 9)
    first = np.nanargmin(diary.alighted_in[0])
    assert (pupils.hamlet[first], pupils.school[first]) == (D, T)
    assert np.isnan(diary.left_in).all()
    assert np.isnan(diary.left_out).all()


def test_a_late_bus_is_late_for_each_by_the_own_bell(by_hand: Job) -> None:
    """45 minutes lost before B: in time for T and for C's grade 5 (8:20), too late for C's grade 8 (8:00)."""

    def slow(luck: WeekLuck) -> WeekLuck:
        leg_min = luck.leg_min.copy()
        leg_min[0, 1] += 45
        return replace(luck, leg_min=leg_min)

    scene, diary = lived_with(by_hand, slow, days=1)
    late, pupils = bus.late_min(scene, diary, range(1))[0], scene.pupils
    at_c = 475 + DOOR + 3 * OFF + 9 + DOOR
    of_d, of_b = ((pupils.hamlet == home) & (pupils.grade == 8) for home in (D, B))
    assert late[of_d] == pytest.approx([at_c + OFF - 480])
    assert late[of_b] == pytest.approx([at_c + 3 * OFF - 480])
    others = (pupils.stop[IN] >= 0) & (pupils.hamlet != A) & ~of_d & ~of_b
    assert others.sum() == 4
    assert (late[others] < 0).all()


def test_a_visit_at_which_nobody_alights_is_left_out() -> None:
    """The pupil of the first stop goes to C, that of the second to T: the first visit to T is in vain."""
    course = ((0, C), (-1, T), (-1, C), (1, T), (-1, T))
    duty = Duty(0, tuple(Event(stop, school, 0.0, 0.0) for stop, school in course))
    assert [[event.stop for event in trip] for trip in trips(duty)] == [[0, -1], [1, -1]]


@pytest.mark.parametrize(
    ("crowd", "overrides", "kinds"),
    [
        (1, (), ("alighted_in", "alighted_out")),
        (3, (*SPARE, "fleet.breakdown_per_km=0.03", "fleet.guardian_late_share=0.5"),
         ("broke_down", "second_left", "left_out", "spare_min", "carried_on")),
        (2, ("stress=ice_week", "stress.weeks=[]", "stress.roads=[e3]"), ("left_why", "weather_min")),
    ],
)  # fmt: skip
def test_a_week_of_mixed_loads_is_the_same_in_plain_simpy(crowd, overrides, kinds) -> None:
    settings = load([*MIXED, *overrides])
    county = two_schools(settings, times=3)
    found = planned_in(county, settings)
    week = both(replace(found, county=replace(county, pupils=county.pupils * crowd)))
    assert max(map(len, week.stage.table.pieces)) == 2
    assert differences(week.diary, week.plain) == []
    assert missed(week, *kinds) == []


def test_a_day_of_mixed_loads_is_made_again_from_its_events(by_hand: Job) -> None:
    scene, diary, _ = lived(by_hand, days=1)
    names = event_names(scene)
    assert all(len(np.unique(named)) == len(named) for named in names.values())
    assert differences(replay(diary.events(0, names), names, 0, 1), diary) == []


def test_measures_count_a_run_once_and_every_call_at_its_school(by_hand: Job) -> None:
    """One bus: from D by T to C, from A to T; home the other way round."""
    scene, diary, _ = lived(by_hand, days=1)
    told = {name: values for name, values in bus.run_measures(scene, diary, range(1)).items() if len(values) == 3}
    assert told["runs_driven"].tolist() == [2, 2, 4]
    at_c, at_t = 2 * (DOOR + 3 * OFF), 2 * (DOOR + 3 * OFF) + 2 * (DOOR + OFF)
    assert told["gate_busy_min"] == pytest.approx([at_c, at_t, at_c + at_t])
    loaded, empty = 4 + 6 + 6.6, 10 + 0.6 + 6  # D to C, A to T; from the yard at C to D, from C to A, from T home
    assert told["bus_km"][-1] == pytest.approx(2 * (loaded + empty))
    rides = bus.ride_min(scene, diary, range(1))
    assert (~np.isnan(rides)).sum() == 2 * 7, "everyone once in and once out"


def test_a_school_on_the_way_that_is_cut_off_is_passed_over() -> None:
    """T is in D here, and no bus gets there: its pupils are told so, those of C ride as ever."""
    settings = load([*BY_HAND, "stress=road_cut", "stress.weeks=[]", "stress.roads=[e3]"])
    county = two_schools(settings)
    node = np.array([county.schools.node[C], county.hamlets.node[D]])
    county = replace(county, schools=replace(county.schools, node=node))
    dry = travel(county.roads, settings.road)
    trip = Run((B, GATE, D, B), (2, 0, 1, 2), 0, False, (T, T, C, C))
    plan = make(settings, county, dry, lambda years: [
        routes(county, settings, dry, year, [(C, SCHOOL, trip)]) for year in years
    ])  # fmt: skip
    skies = skyways(settings, county, dry, cut_roads(county, settings, plan))
    week = both(Job(settings, county, Ways(dry, skies), plan))
    assert differences(week.diary, week.plain) == []
    pupils, struck = week.stage.pupils, week.luck.conditions.struck
    to_c = (pupils.hamlet == B) & (pupils.school == C)
    to_t = (pupils.hamlet == B) & (pupils.school == T)
    assert struck.any()
    assert (~np.isnan(week.diary.alighted_in[struck][:, to_c])).all()
    assert np.isnan(week.diary.alighted_in[struck][:, to_t]).all()
    assert (~np.isnan(week.diary.left_in[struck][:, to_t])).all()


def test_a_run_whose_own_school_is_cut_off_goes_to_the_others() -> None:
    """Nothing gets from B to C; buses come from D and bring their pupils of T, and home again."""
    settings = load([*BY_HAND, "stress=road_cut", "stress.weeks=[]", "stress.roads=[e2]"])
    county = two_schools(settings, times=3)
    county = replace(county, roads=replace(county.roads, is_yard=np.arange(4) == 3))
    week = both(planned_in(county, settings))
    assert max(map(len, week.stage.table.pieces)) == 2
    assert differences(week.diary, week.plain) == []
    pupils, struck = week.stage.pupils, week.luck.conditions.struck
    of_d, rides = pupils.hamlet == D, ~np.isnan(week.diary.alighted_in[struck])
    assert struck.any()
    assert rides[:, of_d & (pupils.school == T)].all()
    assert not rides[:, of_d & (pupils.school == C)].any()
    assert (week.diary.left_why[IN][struck][:, of_d & (pupils.school == C)] == ROAD).all()
    home = ~np.isnan(week.diary.alighted_out[struck])
    assert home[:, of_d & (pupils.school == T)].all()


def with_bells(settings: Settings, **changes: float) -> Settings:
    return settings.model_copy(update={"bells": settings.bells.model_copy(update=changes)})


def test_a_bus_with_pupils_waits_for_the_window_of_the_next_school(by_hand: Job) -> None:
    """T may be reached by 6:20 at the latest, C not before 6:50: nine minutes' drive leave a wait at T."""
    county, year = by_hand.county, by_hand.plan.years[0]
    county = replace(county, schools=replace(county.schools, first_grade=np.array([7, 1])))
    settings = with_bells(by_hand.settings, primary_first_min=390.0)
    ways = with_waits(settings, county, year.runs.routes)
    at_t = gates(ways)[0]
    drive = DOOR + 3 * OFF + 9
    assert ways.wait_min[at_t] == pytest.approx(410 - 380 - drive)
    runs = chain(settings, by_hand.ways.dry, county, year.runs.routes, 0)
    assert runs.arrive_min[0] == pytest.approx(410)
    assert runs.late_min[0] == 0


def test_what_does_not_fit_the_afternoon_is_driven_school_by_school(by_hand: Job) -> None:
    """T lets go at 15:00 and its buses leave by 16:10; C, from where the bus would come, closes at 17:00."""
    settings = with_bells(by_hand.settings, primary_close_min=900.0)
    found = routes(by_hand.county, settings, by_hand.ways.dry, by_hand.plan.years[0].places)
    assert not len(gates(found))
    assert found.load.sum() == 2 * 7


def on_time(settings: Settings, county, roads, plan) -> None:
    """Walk along every run to school by the clock: windows of all schools, rides of all stops, seats, nobody stays."""
    ways, bells, fleet = plan.routes, settings.bells, settings.fleet
    limit = fleet.ride_limit_older_min - fleet.walk_to_stop_min - fleet.wait_at_stop_min
    for r in np.flatnonzero(ways.direction == IN):
        low, high = ways.ptr[r], ways.ptr[r + 1]
        course = [(ways.hamlet[p], ways.to[p], ways.load[p], ways.wait_min[p]) for p in range(low, high)]
        now, aboard, at = plan.depart_min[r] - STOP - STEP * ways.load[low], {}, county.hamlets.node[course[0][0]]
        for hamlet, school, more, wait in [*course, (GATE, ways.school[r], 0, 0)]:
            node = county.schools.node[school] if hamlet == GATE else county.hamlets.node[hamlet]
            now, at = now + roads.minutes[at, node], node
            if hamlet != GATE:
                aboard.setdefault(school, []).append((now, more, roads.minutes[node, county.schools.node[school]]))
                now += STOP + STEP * more
                assert sum(pupils for riders in aboard.values() for _, pupils, _ in riders) <= ways.seats[r]
                continue
            bell = bells.junior_first_min if county.schools.first_grade[school] >= 7 else bells.primary_first_min
            assert bell - fleet.arrive_earliest_before_bell_min - 1e-6 <= now
            assert now <= bell - fleet.arrive_latest_before_bell_min + plan.late_min[r] + 1e-6
            riders = aboard.pop(school)
            for since, pupils, direct in riders:
                assert now - since <= max(limit, direct + STOP + STEP * pupils + fleet.far_detour_min) + 1e-6
            now += DOOR + OFF * sum(pupils for _, pupils, _ in riders) + wait
        assert not aboard


def test_planned_mornings_keep_every_window_ride_and_seat_and_serve_everyone() -> None:
    settings = with_fleet(load([]), mixed_loads=True, lodger_runs=False, search_looks=20_000)
    county, roads, places = random_county(3, schools=10)
    places = replace(places, expected=np.where(np.arange(9)[None, :, None] < 3, 0.0, places.expected))
    ways = routes(county, settings, roads, places, begin=())
    assert len(gates(ways)) > 10, "there are mixed loads"
    on_time(settings, county, roads, chain(settings, roads, county, ways, 0))
    stops = (ways.hamlet != GATE) & (np.repeat(ways.direction, np.diff(ways.ptr)) == IN)
    served = np.zeros((len(county.schools.id), len(county.hamlets.node)))
    np.add.at(served, (ways.to[stops], ways.hamlet[stops]), ways.load[stops])
    want = np.ceil(at_stop(places, daily_riders(places), len(county.schools.id)).sum(axis=2) - 1e-6)
    assert np.array_equal(served, want)


def test_schools_that_may_not_share_a_bus_share_none(by_hand: Job) -> None:
    for changes in ({"apart": (("C",), ("T",))}, {"school_again": False}):
        settings = with_fleet(by_hand.settings, **changes)
        ways = routes(by_hand.county, settings, by_hand.ways.dry, by_hand.plan.years[0].places, begin=())
        runs = chain(settings, by_hand.ways.dry, by_hand.county, ways, 0)
        for one in range(len(runs.yard)):
            mine = np.flatnonzero((runs.bus == one) & (ways.direction == IN))
            called = [{ways.school[r], *ways.to[ways.ptr[r] : ways.ptr[r + 1]]} for r in mine]
            if "apart" in changes:
                assert len(set().union(*called)) <= 1
            else:
                assert sum(map(len, called)) == len(set().union(*called))


def as_table(job: Job) -> pd.DataFrame:
    """Return the runs.csv that a finished run would hand on."""
    return exported(plan_tables(job.settings, job.county, job.plan)["runs"], "synthetic: made up for a test")


@pytest.mark.parametrize("asked", ["given", "improve"])
def test_a_county_with_mixed_loads_of_its_own_lives_them(by_hand: Job, asked: str) -> None:
    settings = load([*BY_HAND, "fleet.mixed_loads=false", f"fleet.runs={asked}"])
    numbers = dict.fromkeys(("year", "arrive_min", "depart_min", "embark", "alight", "rated"), "float64")
    tables = {**by_hand.county.tables, "runs": as_table(by_hand).astype(numbers)}
    again = planned_in(replace(by_hand.county, tables=tables), settings)
    (scene, diary, _), (_, before, _) = lived(again), lived(by_hand)
    assert len(gates(scene.plan.runs.routes)) == 2
    assert differences(diary, before) == []
    found = again.plan.years[0].checked
    assert not (found.violations["plan"] == "given").any()


def test_riders_of_a_given_run_must_come_by_their_school(by_hand: Job) -> None:
    table = as_table(by_hand)
    frames = {"hamlets": pd.DataFrame({"hamlet_id": ["A", "B", "D"]})}
    assert list(given_runs({**frames, "runs": table})) == []
    at_t = (table["run_id"] == "C-in-01") & (table["stop_id"] == "T")
    without = table[~at_t].copy()
    without["seq"] = without.groupby("run_id", sort=False).cumcount()
    (told,) = map(str, given_runs({**frames, "runs": without}))
    assert "column school_id: 'T': the run does not call there" in told
    far = table.copy()
    far.loc[(table["run_id"] == "C-in-01") & (table["seq"] == 0), ["stop_id", "school_id"]] = "T"
    (told,) = map(str, given_runs({**frames, "runs": far}))
    assert "column stop_id: 'T' is no hamlet" in told


def test_a_rider_alights_at_the_next_gate_of_the_own_school_only(by_hand: Job) -> None:
    ways = by_hand.plan.years[0].runs.routes
    into, out = slice(ways.ptr[0], ways.ptr[1]), slice(ways.ptr[1], ways.ptr[2])
    assert own_gate(ways)[into].tolist() == [-1, 3, -1, 3]
    assert own_gate(ways)[out].tolist() == [4, -1, 4, -1]
