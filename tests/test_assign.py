"""Assignment: every pupil has one place, a way there and a reason."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as sampled
from hypothesis import strategies as st
from living import closures

from sim.config import Settings, load
from sim.county import County, travel
from sim.plan import FAMILY, LINE_BUS, LODGE, NONE, SCHOOL_BUS, WALK, Places, enrol
from sim.plan.assign import places
from sim.plan.catchment import TOWN_KINDS
from sim.tables import run_table

A, B, D = range(3)
C, T = range(2)
ALL_OPEN = np.array([True, True])
T_CLOSED = np.array([True, False])


BY_HAND = (
    "county=three_villages", "lodge.primary_min_km=6.0", "lodge.primary_share=0.35", "lodge.junior_min_km=3.0",
    "lodge.junior_share=0.8", "fleet.family_share=0.35", "fleet.line_bus_share=0.3",
)  # fmt: skip
"""The settings that the numbers below were worked out for, whatever the defaults are."""


@cache
def settings(*overrides: str) -> Settings:
    return load([*BY_HAND, *overrides])


def assign(county: County, *overrides: str, open_: np.ndarray = ALL_OPEN, year: int = 2023) -> Places:
    chosen = settings(*overrides)
    ways = travel(county.roads, chosen.road)
    return places(county, chosen, ways, open_, county.pupils.astype(float), year)


def with_schools(county: County, **columns: object) -> County:
    return replace(county, schools=replace(county.schools, **columns))


def with_hamlets(county: County, **columns: object) -> County:
    return replace(county, hamlets=replace(county.hamlets, **columns))


def two_townships(county: County, zones: tuple[str, str]) -> County:
    """Put D and the teaching point into a township of their own."""
    old = county.townships
    pair = {name: getattr(old, name) * 2 for name in ("name_zh", "name_en")}
    doubled = {name: np.repeat(getattr(old, name), 2) for name in ("is_town", "lon", "lat")}
    townships = replace(old, id=("V", "W"), zone=zones, **pair, **doubled)
    county = replace(county, townships=townships)
    county = with_hamlets(county, township=np.array([0, 0, 1]))
    return with_schools(county, township=np.array([0, 1]))


@pytest.fixture(scope="module")
def two_centres(three_villages: County) -> County:
    """Both schools have all grades and receive; nobody attends either today, D and T are in township W."""
    county = two_townships(three_villages, ("V", "W"))
    return with_schools(county, receives=np.array([True, True]), last_grade=np.array([9, 9]))


def test_who_attends_an_open_school_stays_there(three_villages: County) -> None:
    result = assign(three_villages)
    np.testing.assert_array_equal(result.school[D], [T] * 3 + [C] * 6)
    assert result.reason[D, 0] == "attended today: 丁村教学点, 0.0 km; on foot"
    assert (result.school[[A, B]] == C).all()


def test_pupils_of_a_closed_school_go_to_their_townships_school(three_villages: County) -> None:
    result = assign(three_villages, open_=T_CLOSED)
    assert (result.school == C).all()
    assert result.km[D, 0] == pytest.approx(10.0)
    assert result.minutes[D, 0] == pytest.approx(21.0)
    assert result.reason[D, 0] == "own township: 三村中心学校, 10.0 km; bus from 3 km"
    assert result.reason[D, 4] == "own township: 三村中心学校, 10.0 km; bed for 35 %, bus from 3 km"


def test_a_township_without_a_school_looks_in_its_zone_then_anywhere(three_villages: County) -> None:
    same_zone = assign(two_townships(three_villages, ("Z", "Z")), open_=T_CLOSED)
    assert same_zone.reason[D, 0].startswith("own zone, as no school of the township takes grade 1: 三村中心")
    other_zone = assign(two_townships(three_villages, ("Y", "Z")), open_=T_CLOSED)
    assert other_zone.reason[D, 6].startswith("nearest by road, as no school of the zone takes grade 7: 三村")


@pytest.mark.parametrize(("rule", "school"), [("own_township", C), ("zone", C), ("nearest", T)])
def test_each_rule_looks_where_it_says(two_centres: County, rule: str, school: int) -> None:
    # With slow county roads B is 18 minutes from C in its own township and zone, 12 from T in the next.
    none_today = with_hamlets(two_centres, school=np.array([-1, -1, -1]))
    result = assign(none_today, "road.speed_km_per_h.county=20", f"assign={rule}")
    assert (result.school[B] == school).all()


def test_the_nearest_school_is_nearest_in_minutes_not_in_km(two_centres: County) -> None:
    none_today = with_hamlets(two_centres, school=np.array([-1, -1, -1]))
    result = assign(none_today, "assign=nearest")
    assert (result.school[B] == C).all()  # 6 km in 9 minutes rather than 4 km in 12
    np.testing.assert_allclose(result.km[B], 6.0)
    assert result.reason[B, 0].startswith("nearest by road: ")


def test_town_and_country_keep_to_their_own_schools(two_centres: County) -> None:
    county = with_schools(two_centres, kind=("town_primary", "nine_year"))
    county = with_hamlets(county, school=np.array([-1, -1, -1]), is_town=np.array([True, False, False]))
    result = assign(county, "assign=nearest")
    assert (result.school[A] == C).all()
    assert (result.school[[B, D]] == T).all()  # B is nearer to C, a town school


@pytest.fixture(scope="module")
def town(two_centres: County) -> County:
    """A town of three hamlets that attend C today, with a class in C and two in T, the new school at D."""
    county = with_schools(two_centres, kind=("town_primary", "town_primary"), classrooms=np.array([1, 2]))
    return with_hamlets(county, school=np.array([C, C, C]), is_town=np.array([True, True, True]))


def years_in_town(county: County, each: list[list[int]], *overrides: str) -> list[Places]:
    """Place pupils of grades 1 to 3 (rows: hamlets) in a year with C alone, then in two with both schools."""
    chosen, before = settings("assign.gap=0", *overrides), None
    pupils = np.zeros((3, 9, 2))
    pupils[:, :3, 0] = each
    found = []
    for year, open_ in ((2023, np.array([True, False])), (2024, ALL_OPEN), (2025, ALL_OPEN)):
        ways = travel(county.roads, chosen.road)
        found.append(places(county, chosen, ways, open_, pupils, year, before))
        before = found[-1].school
    return found


def rolls(placed: Places) -> list[float]:
    return np.bincount(placed.school.ravel(), placed.expected.sum(axis=2).ravel(), minlength=2).tolist()


def test_a_new_school_in_town_takes_those_for_whom_the_other_has_no_place(town: County) -> None:
    """C has 45 places, T 90; A is 1 minute from C, B 9 from C and 12 from T, D 21 from C and at T.

    In 2024 D goes to T: 21 minutes are more than the 10 of a change. Of B one grade fits into C; its entrants lose
    least in T, then the 9 pupils of grade 2. A year later those go on in T, and the entrants of B go with them, as a
    split weighs 60 and C is 10 x 3 nearer.
    """
    each = [[10, 10, 10], [10, 9, 10], [10, 10, 10]]
    before, first, second = years_in_town(town, each)
    assert rolls(before) == [89, 0]
    np.testing.assert_array_equal(first.school[:, :3], [[C, C, C], [T, T, C], [T, T, T]])
    np.testing.assert_array_equal(second.school[:, :3], [[C, C, C], [T, T, T], [T, T, T]])
    assert first.unplaced.empty
    assert first.reason[D, 0].startswith("catchment drawn within the class places of the town: 丁村")
    assert first.reason[A, 0].startswith("attended today: 三村中心")
    assert [rolls(placed) for placed in years_in_town(town, each, "assign.town=nearest")] == [[89, 0]] * 3


def test_in_a_town_without_places_enough_all_classes_grow_alike(town: County) -> None:
    """180 pupils have 90 places, a class in each school: it may take 45 x 270 / 90 = 135, and A and B are 120."""
    county = with_schools(town, classrooms=np.array([1, 1]))
    assert rolls(years_in_town(county, [[20] * 3] * 3)[1]) == [120, 60]


def test_country_pupils_go_to_town_when_no_other_school_has_the_grade(two_centres: County) -> None:
    county = with_schools(two_centres, kind=("town_junior", "nine_year"), last_grade=np.array([9, 6]))
    county = with_hamlets(county, school=np.array([-1, -1, -1]))
    result = assign(county)
    assert (result.school[:, 6:] == C).all()
    assert "as no school on this side takes grade 7" in result.reason[B, 6]


def test_ways_of_a_hamlet_six_km_away_by_hand(three_villages: County) -> None:
    share = assign(three_villages).share[B]
    np.testing.assert_allclose(share[0, [FAMILY, SCHOOL_BUS]], [0.35, 0.65])
    np.testing.assert_allclose(share[3, [FAMILY, SCHOOL_BUS, LODGE]], [0.65 * 0.35, 0.65 * 0.65, 0.35])
    np.testing.assert_allclose(share[8, [FAMILY, SCHOOL_BUS, LODGE]], [0.2 * 0.35, 0.2 * 0.65, 0.8])


def test_who_lives_near_walks(three_villages: County) -> None:
    result = assign(three_villages)
    assert (result.share[A, :, WALK] == 1).all()
    assert result.reason[A, 0] == "attended today: 三村中心学校, 0.6 km; on foot"


def test_nobody_walks_longer_than_the_limit_of_the_grade(three_villages: County) -> None:
    # 6 km are 36 minutes at 10 km/h: over the 30 minutes of grades 1-3, under the 40 of the others.
    share = assign(three_villages, "fleet.eligible_km=8.0", "road.walk_km_per_h=10.0", "lodge.primary_share=0.0")
    result = share.share[B]
    np.testing.assert_array_equal(result[:6, WALK], [0, 0, 0, 1, 1, 1])
    assert share.reason[B, 0].endswith("bus, as the walk takes over 30 min")


def test_a_public_line_takes_its_share_where_one_passes(three_villages: County) -> None:
    county = with_hamlets(three_villages, line_bus=np.array([False, True, False]))
    share = assign(county).share[B, 0]
    np.testing.assert_allclose(share[[FAMILY, LINE_BUS, SCHOOL_BUS]], [0.35, 0.65 * 0.3, 0.65 * 0.7])


def test_nobody_lodges_where_there_are_no_beds(three_villages: County) -> None:
    county = with_schools(three_villages, beds=np.zeros((2, 2), dtype=np.int64))
    assert assign(county).share[:, :, LODGE].sum() == 0


SERVICE = ("lodge.service_mode=true", "lodge.service_share=0.5")


@pytest.mark.parametrize(
    ("limit_min", "counts_walk_and_wait", "share"),
    [(29.4, True, 0.0), (29.3, True, 0.5), (21.4, False, 0.0), (21.3, False, 0.5)],
)
def test_service_mode_gives_beds_to_young_pupils_whose_way_is_too_long(
    three_villages: County, limit_min: float, counts_walk_and_wait: bool, share: float
) -> None:
    """D is 21 minutes from C by road, 21.36 with getting on, 8 more with the walk to the stop and the wait."""
    limit = (f"fleet.ride_limit_young_min={limit_min}", f"fleet.limit_includes_walk_and_wait={counts_walk_and_wait}")
    with_it = assign(three_villages, *SERVICE, *limit, open_=T_CLOSED).share[D]
    without = assign(three_villages, *limit, open_=T_CLOSED).share[D]
    np.testing.assert_allclose(with_it[:3, LODGE], share)
    assert (without[:3, LODGE] == 0).all()
    np.testing.assert_array_equal(with_it[3:], without[3:])
    np.testing.assert_allclose(with_it.sum(axis=1), 1.0)


def test_service_mode_is_for_schools_with_beds_and_not_for_those_who_can_walk(three_villages: County) -> None:
    late = ("fleet.ride_limit_young_min=9.0", "fleet.limit_includes_walk_and_wait=true")
    share = assign(three_villages, *SERVICE, *late, open_=T_CLOSED).share[:, :3, LODGE]
    np.testing.assert_allclose(share[:, 0], [0, 0.5, 0.5])  # A is 0.6 km from C
    no_beds = with_schools(three_villages, beds=np.zeros((2, 2), dtype=np.int64))
    assert assign(no_beds, *SERVICE, *late, open_=T_CLOSED).share[:, :, LODGE].sum() == 0


def test_service_mode_keeps_to_the_limit_of_each_grade(three_villages: County) -> None:
    """When lodging begins with grade 7, grades 1 to 3 have 25 minutes and grades 4 to 6 have 40 of them."""
    limits = ("lodge.from_grade=7", "fleet.ride_limit_young_min=25", "fleet.ride_limit_older_min=40")
    share = assign(three_villages, *SERVICE, *limits, open_=T_CLOSED).share[D, :, LODGE]
    np.testing.assert_allclose(share, [0.5] * 3 + [0.0] * 3 + [0.8] * 3)


def test_the_number_of_beds_changes_nobodys_plan(three_villages: County) -> None:
    few, many = (assign(three_villages, f"lodge.beds_scale={scale}") for scale in (0.0, 5.0))
    np.testing.assert_array_equal(few.share, many.share)


def test_school_buses_do_not_serve_schools_that_do_not_receive(three_villages: County) -> None:
    county = with_hamlets(three_villages, school=np.array([C, T, T]))
    result = assign(county)
    np.testing.assert_allclose(result.share[B, 0, FAMILY], 1.0)
    assert result.reason[B, 0] == "attended today: 丁村教学点, 4.0 km; no school bus: public line or family"


def test_town_pupils_do_not_ride_school_buses(three_villages: County) -> None:
    county = with_hamlets(three_villages, is_town=np.array([False, True, False]))
    assert assign(county).share[B, :, SCHOOL_BUS].sum() == 0


def test_who_has_no_school_is_listed_and_not_lost(three_villages: County) -> None:
    result = assign(three_villages, open_=np.array([False, True]))
    assert (result.share[:, 3:, NONE] == 1).all()
    assert (result.school[:, 3:] == -1).all()
    # Without C: A and B whole, and D's junior pupil; T does not receive.
    assert result.unplaced["pupils"].sum() == 9
    row = result.unplaced.iloc[0]
    assert (row.hamlet_id, row.grade, row.year) == ("A", 1, 2023)
    assert row.constraint == "no open receiving school takes grade 1"
    assert result.reason[A, 0] == "no open school for grade 1 can be reached"
    placed = np.where(result.school >= 0, result.expected.sum(axis=2), 0).sum()
    assert placed + result.unplaced["pupils"].sum() == three_villages.pupils.sum()


def test_who_has_no_road_is_told_so(three_villages: County) -> None:
    roads = three_villages.roads
    kept = [i for i, edge in enumerate(zip(roads.start, roads.end, strict=True)) if 1 not in edge]
    assert len(kept) == 2  # A's only road is gone
    cut = replace(
        roads,
        **{name: getattr(roads, name)[kept] for name in ("start", "end", "km")},
        **{name: tuple(getattr(roads, name)[i] for i in kept) for name in ("edge_id", "road_class", "bend")},
        closed_by=tuple(roads.closed_by[i] for i in kept),
    )
    result = assign(replace(three_villages, roads=cut))
    assert set(result.unplaced["hamlet_id"]) == {"A"}
    assert set(result.unplaced["constraint"]) == {"no road"}


@pytest.mark.parametrize("rule", ["own_township", "zone", "nearest"])
@pytest.mark.parametrize("open_", [ALL_OPEN, T_CLOSED, ~T_CLOSED, ~ALL_OPEN])
def test_every_group_of_pupils_is_placed_once(three_villages: County, rule: str, open_: np.ndarray) -> None:
    result = assign(three_villages, f"assign={rule}", open_=open_)
    np.testing.assert_allclose(result.share.sum(axis=2), 1.0)
    assert (result.share >= 0).all()
    assert (open_[result.school] | (result.school < 0)).all()
    assert ((result.share[:, :, NONE] == 1) == (result.school < 0)).all()
    assert all(isinstance(text, str) and text for text in result.reason.flat)


def test_a_place_cannot_be_changed_by_accident(three_villages: County) -> None:
    result = assign(three_villages)
    with pytest.raises(ValueError, match="read-only"):
        result.school[0, 0] = 1


def test_the_list_of_the_unplaced_has_the_columns_of_the_contract(three_villages: County) -> None:
    for open_ in (ALL_OPEN, ~ALL_OPEN):
        unplaced = assign(three_villages, open_=open_).unplaced
        assert list(unplaced.columns) == list(run_table("unplaced").names[:-1]), "its cost is told with all money"


@pytest.mark.parametrize("rule", ["own_township", "zone", "nearest"])
def test_every_pupil_of_the_reference_county_has_a_place_that_fits(huichang: County, rule: str) -> None:
    chosen = load(["county=huichang", "closure=plan_2023", f"assign={rule}"])
    expected = enrol.forecast(huichang, chosen)
    open_ = closures(huichang, chosen, expected).open[0]
    ways = travel(huichang.roads, chosen.road)
    result = places(huichang, chosen, ways, open_, expected.mean[0], 2023)
    schools, grade = huichang.schools, np.arange(1, 10)
    assert result.unplaced.empty
    assert open_[result.school].all()
    assert (schools.first_grade[result.school] <= grade).all()
    assert (schools.last_grade[result.school] >= grade).all()
    np.testing.assert_allclose(result.share.sum(axis=2), 1.0)
    moved = result.school != huichang.hamlets.school[:, None]
    in_town = np.isin(schools.kind, TOWN_KINDS)[result.school]
    assert (schools.receives[result.school] | ~moved).all()
    np.testing.assert_array_equal(in_town, np.repeat(huichang.hamlets.is_town[:, None], 9, axis=1))
    assert result.share[:, :3, LODGE].sum() == 0


def with_room(county: County, chosen: Settings, classrooms: tuple[int, int]) -> Places:
    """Place everyone by capacity; a room holds one pupil."""
    county = with_schools(county, classrooms=np.array(classrooms), lived=np.array([True, True]))
    pupils = county.pupils.astype(float)
    return places(county, chosen, travel(county.roads, chosen.road), ALL_OPEN, pupils, 2023)


CAPACITY = (
    "assign=capacity", "dine.class_size=1", "dine.class_size_junior=1", "assign.keep=[class_place]",
    "assign.gap=0.0", "assign.split_pupil_min=0.0",
)  # fmt: skip


def test_with_room_the_rule_capacity_is_the_nearest_school(two_centres: County) -> None:
    county = with_hamlets(two_centres, school=np.array([-1, -1, -1]))
    nearest = assign(county, "assign=nearest")
    np.testing.assert_array_equal(with_room(county, settings(*CAPACITY), (99, 99)).school, nearest.school)


def test_when_the_nearer_school_is_full_those_go_on_who_lose_least(two_centres: County) -> None:
    # A and B have four pupils each and are 0.9 and 9 minutes from C, with T 21 minutes beyond C and 12 from B.
    county = with_hamlets(two_centres, school=np.array([-1, -1, -1]))
    result = with_room(county, settings(*CAPACITY), (6, 99))
    expected = result.expected.sum(axis=2)
    at_c = (result.school == C) & (expected > 0)
    assert expected[at_c].sum() == 6
    assert at_c[A].sum() == (expected[A] > 0).sum(), "two of B go on to T, three minutes farther"
    assert result.unplaced.empty
    assert result.reason[B, 0].startswith("shortest ways in all with the room there is: ") or expected[B, 0] == 0


def test_who_finds_no_room_is_told_what_is_missing_and_what_helps(two_centres: County) -> None:
    county = with_hamlets(two_centres, school=np.array([-1, -1, -1]))
    result = with_room(county, settings(*CAPACITY), (5, 6))
    assert result.unplaced["pupils"].sum() == 1
    row = result.unplaced.iloc[0]
    assert (row.constraint, row.shortfall) == ("class_place", 1.0)
    assert row.relief.startswith("1 class places at the receiving school (")
    assert row.relief_items == "class_place 1"
    # The plan knows its one pupil too many: C holds 5 and T 6, and twelve go to school.
    nearest = assign(county, "assign=nearest").school
    refused = county.hamlets.id.index(row.hamlet_id), row.grade - 1
    assert result.school[refused] == nearest[refused]
    rolls = [result.expected.sum(axis=2)[result.school == s].sum() for s in (C, T)]
    assert sorted(np.array(rolls) - (5, 6)) == [0, 1]


def test_a_way_over_the_limit_is_refused_with_the_minutes_missing(three_villages: County) -> None:
    rule = ("assign=capacity", "fleet.ride_limit_young_min=25")
    result = assign(three_villages, *rule, open_=T_CLOSED)
    assert result.unplaced["pupils"].sum() == 3
    assert set(result.unplaced["constraint"]) == {"ride"}
    assert result.unplaced["shortfall"].to_numpy() == pytest.approx(4.0 + (19 + 2.6) / 60)
    assert result.unplaced["relief"].str.contains(r"^[123] beds in service mode \(").all()
    assert result.unplaced["relief_items"].str.fullmatch("bed_place [123]").all()
    assert (result.school[D, :2] == C).all()
    assert result.reason[D, 0].startswith(
        "nearest by road, as no school has a place within the limits (ride): 三村中心"
    )
    away = assign(three_villages, *rule, "assign.refused=unplaced", open_=T_CLOSED)
    assert (away.school[D, :2] == -1).all()
    assert away.reason[D, 0] == "no school within reach has room: ride"
    assert away.unplaced.equals(result.unplaced)
    allowed = assign(three_villages, *rule, "assign.keep=[class_place]", open_=T_CLOSED)
    assert allowed.unplaced.empty


def test_pupils_do_not_change_school_again_for_a_few_minutes(two_centres: County) -> None:
    county = with_hamlets(two_centres, school=np.array([-1, -1, -1]))
    chosen = settings(*CAPACITY, "assign.change_min=10.0")
    ways = travel(county.roads, chosen.road)
    before = np.full((3, 9), T)
    result = places(county, chosen, ways, ALL_OPEN, county.pupils.astype(float), 2023, before)
    assert (result.school[B] == T).all(), "three minutes farther than C, under the ten that a change weighs"
    assert (result.school[A] == C).all()


@sampled(max_examples=25)
@given(
    rule=st.sampled_from(["own_township", "zone", "nearest", "capacity"]),
    open_=st.tuples(st.booleans(), st.booleans()),
    rooms=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    sizes=st.tuples(st.integers(0, 4), st.integers(4, 12)),
    seed=st.integers(0, 99),
    refused=st.sampled_from(["over_capacity", "unplaced"]),
)
def test_nobody_is_lost(
    three_villages: County, rule: str, open_: tuple, rooms: tuple, sizes: tuple, seed: int, refused: str
) -> None:
    base = settings(*CAPACITY, f"assign.refused={refused}")
    sized = base.assign.model_copy(update={"rule": rule, "fewest_pupils": sizes[0], "most_pupils": sizes[1]})
    chosen = base.model_copy(update={"assign": sized})
    county = with_schools(three_villages, classrooms=np.array(rooms), receives=np.array([True, True]))
    pupils = np.random.default_rng(seed).uniform(0, 2, county.pupils.shape).round(1)
    result = places(county, chosen, travel(county.roads, chosen.road), np.array(open_), pupils, 2023)
    told = result.unplaced
    listed = np.zeros(result.school.shape, dtype=bool)
    listed[[county.hamlets.id.index(hamlet) for hamlet in told["hamlet_id"]], told["grade"] - 1] = True
    within = pupils.sum(axis=2)[(result.school >= 0) & ~listed].sum()
    assert within + told["pupils"].sum() == pytest.approx(pupils.sum())
    in_limits = ~told["constraint"].str.startswith("no ").to_numpy() & (refused == "over_capacity")
    np.testing.assert_array_equal(np.sort(result.school[listed] >= 0), np.sort(in_limits))
    assert (result.unplaced["shortfall"] > 0).all()
    assert result.unplaced["relief"].str.len().gt(0).all()
    np.testing.assert_allclose(result.share.sum(axis=2), 1.0)
