"""Nobody is lost or invented, whatever goes wrong at once.

A hundred pupils, two schools, roads that flood, and any mix of stress, fleet, beds and canteens: every account of
every week has to balance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from living import job, lived, planned_in
from two_schools import two_schools

from sim.chance import YearLuck
from sim.config import SKIES, Settings, load
from sim.county import County, read_county
from sim.live import counts
from sim.measure import dine, pupil
from sim.measure.scene import Scene
from sim.operate.day import Day, Week, live, sizes
from sim.operate.diary import BREAKFAST, DINNER, LUNCH, Diary, blank
from sim.operate.luck import paper, week_luck
from sim.operate.pupils import IN, OUT
from sim.operate.stage import stage
from sim.operate.weather import conditions
from sim.plan import LINE_BUS, LODGE, NONE, SCHOOL_BUS
from sim.units import MINUTES_PER_DAY

SMALL = ("county=three_villages", "calendar=smoke", "study.years=1", "study.replications=1")
BASE = load([*SMALL, "lodge.primary_share=0.3", "health.absence_share=0.1"])
ROOMS = ("windows", "canteen_seats", "kitchen_meals", "beds", "taps", "basins", "toilets_girls", "toilets_boys",
         "showers", "life_teachers", "classrooms")  # fmt: skip
ONE, SMALL_BUS, LARGE = (
    tuple(kind.model_copy(update={"seats": seats, "attendants": crew}) for kind in BASE.fleet.kinds[:1])
    for seats, crew in ((1, 1), (5, 1), (17, 2))
)
MIXES = {
    "fleet": {
        "buses": [None, 0, 1, 3],
        "kinds": [SMALL_BUS, ONE, LARGE, BASE.fleet.kinds],
        "spare_share": [0.0, 0.5, 1.0],
        "breakdown_per_km": [0.0, 0.02, 0.2],
        "repair_min": [90.0, 5.0],
        "guardian_late_share": [0.0, 0.5, 1.0],
        "driver_absent_share": [0.0, 0.3],
        "attendant_absent_share": [0.0, 0.3],
        "reserve_driver_share": [0.05, 0.0, 1.0],
        "reserve_attendant_share": [0.05, 0.0, 1.0],
        "line_bus_seats": [12, 0, 1],
        "family_share": [0.22, 0.0],
        "noise_leg_sd": [0.0, 0.3],
        "second_run_latest_min": [570, 0],
        "lodger_runs": [True, False],
    },
    "lodge": {
        "beds": [None, 0, 3],
        "room_beds": [8, 1, 3],
        "emergency_share": [0.1, 0.0, 1.0],
        "bus_share": [0.6, 0.0, 1.0],
        "service_mode": [False, True],
    },
    "dine": {
        "windows_scale": [1.0, 0.0, 3.0],
        "seats_scale": [1.0, 0.0, 0.2],
        "kitchen_scale": [1.0, 0.3],
        "kitchen_sitting_share": [1.0, 0.5],
        "service_min": [0.133, 1.5],
        "lunch_share": [0.9, 0.2],
        "breakfast_rider_share": [0.2, 1.0],
    },
    "stress": {
        "sky": [None, *SKIES],
        "sky_from_noon": [False, True],
        "roads": [(), ("busiest",), ("e3",), ("e1", "e2")],
        "days": [(), (2,), (1, 3, 5)],
        "absence_factor": [1.0, 10.0],
        "driver_absent_share": [None, 0.5, 1.0],
        "attendant_absent_share": [None, 0.5, 1.0],
        "schools": [("all",)],
        "kitchen_share": [1.0, 0.33, 0.0],
        "water_share": [1.0, 0.1, 0.0],
    },
    "closure": {"steps": [BASE.closure.steps, ()]},
}
"""group -> setting -> what it may be, the usual first"""
MIX = st.fixed_dictionaries(
    {group: st.fixed_dictionaries({key: st.sampled_from(may) for key, may in keys.items()})
     for group, keys in MIXES.items()}
)  # fmt: skip


def hundred() -> County:
    """Return three villages with twelve times the pupils; a public bus, a flood on the road to the last village."""
    county = read_county(BASE.county.path)
    rooms = {name: getattr(county.schools, name) * 6 for name in ROOMS}
    return replace(
        county,
        pupils=county.pupils * 12,
        hamlets=replace(county.hamlets, line_bus=np.array([False, True, True])),
        roads=replace(county.roads, closed_by=("none", "none", "flood")),
        schools=replace(county.schools, **rooms),
    )


HUNDRED = hundred()
MIXED_LOADS = two_schools(BASE, times=3)


def mixed(mix: dict[str, dict[str, object]], base: County = HUNDRED) -> Settings:
    """Return the usual settings with a mix of others."""
    if base is MIXED_LOADS:
        mix = mix | {"closure": {"steps": ()}, "fleet": mix["fleet"] | {"mixed_loads": True}}
    return BASE.model_copy(update={group: getattr(BASE, group).model_copy(update=keys) for group, keys in mix.items()})


@dataclass
class Lived:
    """A week, what it was lived with, and its diary."""

    settings: Settings
    scene: Scene
    week: Week
    diary: Diary

    @property
    def days(self) -> list[Day]:
        return self.week.by_day

    def due(self, way: int) -> np.ndarray:
        """Tell who is to ride in one direction, were they well and where the bus is; (D, N)."""
        pupils, days = self.scene.pupils, len(self.days)
        edge = np.arange(days)[:, None] == (0 if way == IN else days - 1)
        return (pupils.stop[way] >= 0) & (~pupils.has_bed | (pupils.lodger_bus & edge))

    def in_house(self) -> np.ndarray:
        """Tell who was at school at any time of a day: at noon, later, or as a guest who woke up ill; (D, N)."""
        diary = self.diary
        late = diary.came & (told(diary.alighted_in) | told(diary.line_in))
        return diary.attended | late | (self.week.slept[:-1] & ~diary.came & ~self.scene.pupils.has_bed)

    def planned(self) -> np.ndarray:
        """Tell which runs the plan has on which day; (D, R)."""
        table, days = self.scene.table, len(self.days)
        on_edge = [0 if way == IN else days - 1 for way in table.direction]
        return ~table.is_lodger | (np.arange(days)[:, None] == on_edge)


def live_under(
    settings: Settings, number: int = 2, days: int = 5, crowd: int = 1, bays: int = 1, base: County = HUNDRED
) -> Lived:
    """Live one week of a county under some settings; crowd: so many pupils come for every one who may."""
    county = replace(base, schools=replace(base.schools, gate_bays=base.schools.gate_bays * bays))
    found = planned_in(county, settings)
    plan, luck = found.plan.years[0], YearLuck(settings.seed, 0, found.plan.years[0].year)
    row = int(np.flatnonzero(county.calendar.week == number)[0])
    term, month = int(county.calendar.term[row]), int(county.calendar.month[row])
    set_up = stage(county, settings, found.ways, plan, crowd * counts(found, 0)[0], luck, term)
    here = conditions(county, settings, luck, number, days, month, np.diff(set_up.pupils.first))
    fortune = week_luck(settings, set_up, luck, number, here, paper(set_up, days))
    week = Week(settings, set_up, fortune, blank(days, sizes(set_up)))
    scene = Scene(county, settings, plan, set_up.pupils, set_up.table, set_up.halls, set_up.visits)
    return Lived(settings, scene, week, live(week))


def told(times: np.ndarray) -> np.ndarray:
    return ~np.isnan(times)


def who_embarks_alights(one: Lived) -> None:
    diary = one.diary
    for on, off in ((diary.embarked_in, diary.alighted_in), (diary.embarked_out, diary.alighted_out)):
        assert (told(on) == told(off)).all()
        assert (off >= on)[told(on)].all()
        assert np.isfinite(off[told(off)]).all()
    assert (told(diary.alighted_out) | ~told(diary.carried_on)).all(), "who is carried on is handed over in the end"


def loads_are_the_pupils_aboard(one: Lived) -> None:
    diary, table = one.diary, one.scene.table
    rider_at, rider = table.riders
    assert (diary.load <= np.array(table.seats, dtype=np.int64)[table.run_of_stop]).all()
    assert (diary.load >= 0).all()
    for run, (first, end) in enumerate(table.stops):
        riders, way = rider[rider_at[first] : rider_at[end]], table.direction[run]
        on, off, left = (
            (diary.embarked_in, diary.alighted_in, diary.left_in),
            (diary.embarked_out, diary.alighted_out, diary.left_out),
        )[way]
        for day in range(len(one.days)):
            stops = np.flatnonzero(told(diary.arrived[day, first:end])) + first
            if not len(stops):
                continue
            mine = riders[told(on[day, riders]) & ~told(left[day, riders])]
            carried = told(diary.carried_on[day, mine]) & (way == OUT)
            for stop in stops:
                leaves = diary.departed[day, stop]
                still = (off[day, mine] > leaves) | (carried & (off[day, mine] == leaves))
                assert diary.load[day, stop] == ((on[day, mine] <= leaves) & still).sum()
            clock = np.column_stack([diary.arrived[day, stops], diary.departed[day, stops]]).ravel()
            assert (np.diff(clock) >= -1e-9).all()


def who_is_at_school_came_by_a_known_way(one: Lived) -> None:
    diary, pupils, week = one.diary, one.scene.pupils, one.week
    slept = week.slept[:-1]
    assert not (diary.attended & ~diary.came).any(), "who is ill is not at school"
    by_bus, by_line = told(diary.embarked_in), told(diary.line_in)
    assert not ((by_bus | by_line | told(diary.left_in)) & ~diary.came).any(), "nobody waits for one who is ill"
    assert not ((by_bus | by_line | told(diary.left_in)) & slept).any(), "who slept at school waits for no bus"
    own = np.array([week.own_means[d > 0] & ~told(diary.left_in[d]) for d in range(len(one.days))])
    assert not (diary.attended & ~(slept | own | by_bus | by_line)).any()
    everyone = np.arange(len(pupils))
    by_road = (pupils.mode != SCHOOL_BUS) & (pupils.km > one.settings.fleet.eligible_km)
    for day in one.days:
        way_cut = week.cut_off(day, IN, everyone) & by_road & ~slept[day.number]
        assert not (diary.attended[day.number] & way_cut).any(), "nobody comes where no road is open"
    missing = diary.came & ~diary.attended
    no_way = (pupils.mode == NONE) | ((pupils.stop[IN] < 0) & ((pupils.mode == SCHOOL_BUS) | pupils.refused))
    noon = one.settings.bells.lunch_min + MINUTES_PER_DAY * np.arange(len(one.days))[:, None]
    late = np.fmin(diary.alighted_in, diary.line_in) > noon
    assert not (missing & ~(told(diary.left_in) | late | no_way)).any(), "who is missing was left or has no way"


def every_rider_is_carried_or_left(one: Lived) -> None:
    diary = one.diary
    for way, on, left, here in (
        (IN, diary.embarked_in, diary.left_in, diary.came & ~one.week.slept[:-1]),
        (OUT, diary.embarked_out, diary.left_out, diary.attended),
    ):
        due, why = one.due(way) & here, diary.left_why[way]
        assert not (due & ~told(on) & ~told(left)).any(), "a rider is carried, left, or absent"
        due |= one.due(way) & one.in_house() & (way == OUT)
        assert not (told(on) & ~due).any(), "nobody rides who is not due"
        assert (told(left) == (why > 0)).all(), "who is left is told why"
        fetched = told(on) & told(left)
        assert (on > left)[fetched].all()
        run = one.scene.stop_run(way)
        day, who = np.nonzero(fetched)
        assert told(diary.second_left[day, run[who]]).all(), "who is fetched is fetched by a second run"


def who_cannot_go_home_stays(one: Lived) -> None:
    diary, pupils = one.diary, one.scene.pupils
    bus = np.append(np.array(one.scene.table.bus, dtype=np.int64)[one.scene.table.run_of_stop], -1)
    promised = bus[pupils.stop[OUT]] >= 0  # of the others the families know that no bus comes
    stays, due = told(diary.stayed), one.due(OUT) & diary.attended & promised
    assert not (due & ~told(diary.embarked_out) & ~stays).any()
    assert not (stays & told(diary.embarked_out)).any(), "who stays is not on a bus home"
    assert not (stays & ~one.in_house()).any()
    assert not (stays & ~told(diary.left_out)).any()
    own = np.isin(pupils.mode, (LINE_BUS,)) | ((pupils.mode == LODGE) & pupils.has_bed)
    assert not (stays & ~due & own & ~np.array([d.component[OUT] for d in one.days]).any(axis=1)[:, None]).any()
    assert (one.week.slept[1:] | ~stays).all(), "who stays wakes up at school"


def beds_hold_one_pupil_each(one: Lived) -> None:
    diary, pupils, beds = one.diary, one.scene.pupils, one.scene.plan.beds
    place, many = pupils.school * 2 + pupils.sex, beds.nominal.size
    taken = np.bincount(place[pupils.has_bed], minlength=many)
    assert (taken <= beds.nominal.ravel()).all()
    in_bed, stays = told(diary.to_bed), told(diary.stayed)
    assert not (in_bed & told(diary.embarked_out)).any(), "nobody sleeps at school who is on a bus home"
    assert not (in_bed & ~pupils.has_bed & ~stays).any(), "nobody has a bed without having to stay"
    for night in range(len(one.days)):
        guests = stays[night] & ~pupils.has_bed
        theirs = pupils.has_bed & (stays[night] if night == len(one.days) - 1 else True)
        spare = beds.emergency.ravel() + beds.nominal.ravel() - np.bincount(place[theirs], minlength=many)
        want, found = (np.bincount(place[who], minlength=many) for who in (guests, guests & in_bed[night]))
        assert (found == np.minimum(want, spare)).all(), "no bed is empty while someone sits up"


def kitchens_hand_out_what_they_cook(one: Lived) -> None:
    diary, scene, schools = one.diary, one.scene, len(one.scene.county.schools.id)
    queued, served, seated = (told(page) for page in (diary.queued, diary.served, diary.seated))
    assert not (served & ~queued).any()
    assert not (seated & ~served).any()
    assert not ((diary.short > 0) & served).any()
    share = one.week.luck.conditions.kitchen
    for day in range(len(one.days)):
        cooked = np.floor(scene.halls.kitchen * share[day] + 0.5)
        for meal in range(3):
            eaten = np.bincount(scene.pupils.school[served[meal, day]], minlength=schools)
            assert (eaten <= cooked).all()
    slept = one.week.slept[:-1]
    assert not (queued[BREAKFAST] & ~(diary.came & (slept | told(diary.alighted_in)))).any()
    assert not (queued[LUNCH] & ~diary.attended).any()
    assert not (queued[DINNER] & ~(scene.pupils.has_bed | told(diary.stayed))).any()


def who_joins_a_line_is_done_or_gives_up(one: Lived) -> None:
    diary, visits = one.diary, one.scene.visits
    assert (told(diary.began) == told(diary.done)).all()
    assert not (told(diary.began) & ~told(diary.joined)).any()
    had = told(diary.done)
    assert (diary.began >= diary.joined)[had].all()
    assert (diary.done >= diary.began)[had].all()
    assert not (told(diary.joined) & ~diary.came[:, visits.who]).any()


def nobody_is_in_two_places(one: Lived) -> None:
    diary, who = one.diary, one.scene.visits.who
    arrived = np.fmax(diary.alighted_in, diary.line_in)
    end = np.fmax(diary.left, np.where(told(diary.queued) & ~told(diary.left), diary.bell, np.nan))
    for meal in range(3):
        assert not (diary.queued[meal] < arrived).any(), "no meal before the bus has come"
        assert not (end[meal] > diary.embarked_out).any(), "no meal on the bus home"
        assert not (diary.left[meal] > diary.bell[meal] + 1e-9).any()
    for earlier, later in ((BREAKFAST, LUNCH), (LUNCH, DINNER), (BREAKFAST, DINNER)):
        assert not (end[earlier] > diary.queued[later]).any()
    visit_end = np.fmax(diary.joined, diary.done)
    assert not (diary.joined < arrived[:, who]).any(), "no visit before the bus has come"
    assert not (visit_end > diary.embarked_out[:, who]).any(), "no visit on the bus home"
    assert not (diary.embarked_out < diary.alighted_in).any()
    assert not (diary.embarked_in[1:] < diary.alighted_out[:-1]).any()


def runs_are_driven_or_cancelled(one: Lived) -> None:
    diary, table = one.diary, one.scene.table
    called, cancelled = told(diary.took_bay), told(diary.cancelled)
    calls = [[piece.call for piece in pieces] for pieces in table.pieces]
    driven = np.stack([called[:, mine].any(axis=1) for mine in calls], axis=1) if calls else called
    assert ((driven ^ cancelled) == one.planned()).all()
    assert not (driven & cancelled).any()
    assert (cancelled == (diary.cancel_why > 0)).all()
    for km in (diary.empty_km, diary.run_km, diary.second_km):
        assert (km >= 0).all()
        assert np.isfinite(km).all()
    assert (told(diary.left_yard) == driven).all()
    no_crew = told(diary.no_driver) | told(diary.no_attendant)
    bus = np.array(table.bus, dtype=np.int64)
    assert not (driven & (bus < 0)).any()
    if len(table.yard):
        assert not (driven & (bus >= 0) & no_crew[:, bus]).any(), "no run without driver and attendant"
    broke = told(diary.broke_down)
    assert (broke == told(diary.went_on)).all()
    assert (diary.went_on >= diary.broke_down)[broke].all()
    assert not (broke & ~driven).any()
    second = told(diary.second_left)
    assert not (second & ~one.planned()).any()
    for day, run in np.argwhere(second & (diary.spare_min > 0) & ~broke):
        legs, yard = one.days[day].legs[table.direction[run]], table.spare_yard[run]
        empty = legs.travel.km[yard, legs.first[run]] + legs.travel.km[legs.last[run], yard]
        assert diary.second_km[day, run] == pytest.approx(empty + legs.run_km[run]), "from its yard and back to it"


def buses_are_in_one_place(one: Lived) -> None:
    diary, table = one.diary, one.scene.table
    assert (told(diary.set_out) == told(diary.came_home)).all()
    for bus in range(len(table.yard)):
        clock = np.stack([diary.set_out[..., bus], diary.came_home[..., bus]], axis=-1).swapaxes(0, 1).ravel()
        clock = clock[told(clock)]
        assert (np.diff(clock) >= -1e-9).all(), "a bus leaves the yard after it has come home"
        for day in one.days:
            for way in (IN, OUT):
                runs = [run for run in one.week.duty_of(bus, day, way) if told(diary.took_bay[day.number, run])]
                left, freed = diary.left_yard[day.number, runs], diary.freed_bay[day.number, runs]
                assert (left[1:] >= freed[:-1] - 1e-9).all()


def crews_are_those_who_are_there(one: Lived) -> None:
    table, luck, diary = one.scene.table, one.week.luck, one.diary
    twice = told(diary.broke_down) & told(diary.second_left)  # two trips for one run have one row
    spare_min = np.where(twice, 0.0, diary.spare_min)
    for day in one.days:
        d, on_duty = day.number, np.zeros(len(table.yard), dtype=bool)
        for bus in range(len(table.yard)):
            on_duty[bus] = bool(one.week.duty_of(bus, day, IN) or one.week.duty_of(bus, day, OUT))
        drivers, attendants = table.reserve
        drivers -= (on_duty & ~luck.driver_here[d]).sum()
        no_driver = told(diary.no_driver[d])
        assert no_driver.sum() == max(0, -drivers)
        attendants -= (on_duty & ~no_driver & (luck.attendants_here[d] == 0)).sum()
        assert told(diary.no_attendant[d]).sum() == max(0, -attendants)
        spare = max(0, min(table.spare_buses, drivers, attendants))
        out = np.flatnonzero(spare_min[d] > 0)
        left, back = diary.spare_left[d, out], diary.spare_left[d, out] + spare_min[d, out]
        assert all(((left <= now) & (now < back - 1e-9)).sum() <= spare for now in left)


def nobody_gets_off_at_another_school(one: Lived) -> None:
    """Calls at gates on the way, too, and only when the bus of the run is there."""
    diary, table, pupils = one.diary, one.scene.table, one.scene.pupils
    for way, gate, left in ((IN, diary.alighted_in, diary.left_in), (OUT, diary.embarked_out, diary.left_out)):
        call = one.scene.stop_call(way)
        rider = np.flatnonzero(call >= 0)
        assert (np.array(table.call_school, dtype=np.int64)[call[rider]] == pupils.school[rider]).all()
        there = told(gate[:, rider]) & ~told(left[:, rider])
        came, went = diary.took_bay[:, call[rider]], diary.freed_bay[:, call[rider]]
        assert ((came < gate[:, rider]) & (gate[:, rider] <= went))[there].all()


def harm_by_cause_adds_up(one: Lived) -> None:
    by_resource: dict[str, np.ndarray] = {}
    by_kind: dict[str, np.ndarray] = {}
    days = range(len(one.days))
    found = pupil.harms(one.scene, one.diary, days, dine.fates(one.scene, one.diary, days))
    for (resource, kind, _), harmed in found.items():
        by_resource[resource] = by_resource.get(resource, 0) + harmed.astype(int)
        by_kind[kind] = by_kind.get(kind, 0) + harmed.astype(int)
    for name, times in (by_resource | by_kind).items():
        assert times.max(initial=0) <= 1, f"a pupil counts once a day for {name}"
    lost = told(one.diary.left_in) & ~told(one.diary.embarked_in) & ~one.scene.pupils.refused
    assert not (lost & (by_kind["left_behind"] == 0)).any()


ACCOUNTS = (
    who_embarks_alights, loads_are_the_pupils_aboard, who_is_at_school_came_by_a_known_way,
    every_rider_is_carried_or_left, who_cannot_go_home_stays, beds_hold_one_pupil_each,
    kitchens_hand_out_what_they_cook, who_joins_a_line_is_done_or_gives_up, nobody_is_in_two_places,
    runs_are_driven_or_cancelled, buses_are_in_one_place, crews_are_those_who_are_there,
    nobody_gets_off_at_another_school, harm_by_cause_adds_up,
)  # fmt: skip


@settings(max_examples=80)
@given(
    mix=MIX, number=st.sampled_from([2, 23]), days=st.sampled_from([5, 1]), crowd=st.sampled_from([1, 2]),
    base=st.sampled_from([HUNDRED, MIXED_LOADS]),
)  # fmt: skip
def test_every_account_of_a_week_balances_whatever_goes_wrong_at_once(mix, number, days, crowd, base):
    one = live_under(mixed(mix, base), number, days, crowd, base=base)
    for balances in ACCOUNTS:
        balances(one)


@pytest.mark.parametrize("number", [3, 6, 18, 19])
@pytest.mark.parametrize("base", [HUNDRED, MIXED_LOADS], ids=["one school", "mixed loads"])
def test_every_account_balances_when_a_bus_breaks_down_on_a_run_that_is_driven_twice(number, base):
    """Far more pupils than were planned for: second drives go out while the first bus stands by the road."""
    usual = {group: {key: may[0] for key, may in keys.items()} for group, keys in MIXES.items()}
    fleet = {"spare_share": 1.0, "breakdown_per_km": 0.02, "reserve_driver_share": 1.0, "reserve_attendant_share": 1.0,
             "guardian_late_share": 0.3}  # fmt: skip
    if base is MIXED_LOADS:
        fleet["kinds"] = LARGE
    crowd = 3 if base is MIXED_LOADS else 2
    one = live_under(mixed(usual | {"fleet": usual["fleet"] | fleet}, base), number, crowd=crowd, base=base)
    assert max(map(len, one.scene.table.pieces)) == 1 + (base is MIXED_LOADS)
    assert told(one.diary.second_left).any()
    assert told(one.diary.broke_down).any()
    for balances in ACCOUNTS:
        balances(one)


@pytest.mark.parametrize("short", [(), ("fleet.buses=0",), ("lodge.beds=0",), ("closure=none",)])
def test_every_expected_pupil_is_placed_exactly_once(short):
    for year in job(*SMALL, *short).plan.years:
        assert year.places.share.sum(axis=2) == pytest.approx(1.0)


def test_nobody_comes_when_everyone_is_ill():
    _, diary, _ = lived(job(*SMALL, "health.absence_share=1.0", "stress.absence_factor=100.0"))
    assert not diary.attended.any()
    assert np.isnan(diary.joined).all()
    assert (diary.load == 0).all()
