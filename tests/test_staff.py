"""Posts by norm, and where the people of closed schools go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_plan import C, T, runs, year_plan
from made_plan import forecast as today

from sim.account.quantity import hired
from sim.config import Settings, load
from sim.county import County, Travel, travel
from sim.plan import Bools, Places, YearPlan
from sim.plan.compose import placed_years
from sim.plan.dine import meals
from sim.plan.lodge import beds
from sim.plan.payroll import NOWHERE, POSTS, TEACHER, TEMPORARY, payroll, present, redeploy
from sim.plan.staff import COLUMNS, crews, life_teacher_posts, life_teachers, school_needs, staffed, teacher_posts
from sim.plan.staff import posts as list_posts
from sim.plan.wash import fixtures

USUAL = load(["county=three_villages"])
MOVED = ["year", "site_id", "post", "needed", "filled", "from_school_id"]


@pytest.fixture(scope="module")
def settings() -> Settings:
    return USUAL


def posts(settings: Settings, county: County, years: Sequence[YearPlan]) -> pd.DataFrame:
    return list_posts(settings, county, years, today(county, years), travel(county.roads, settings.road))


def filled(table: pd.DataFrame, post: str, year: int) -> int:
    return int(table[(table["post"] == post) & (table["year"] == year)]["filled"].sum())


def moved(table: pd.DataFrame) -> list[list[object]]:
    return table[table["from_school_id"].notna()][MOVED].to_numpy().tolist()


def with_staff(county: County, **people: list[int]) -> County:
    """Return three_villages with other people at C and T, e.g. `teachers=[3, 1]`."""
    return replace(county, schools=replace(county.schools, **{post: np.array(n) for post, n in people.items()}))


def test_the_people_of_a_closed_school_fill_the_posts_that_are_open(settings: Settings, three_villages: County) -> None:
    """C needs 7 teachers (below) and has 6, 1 cook and has none: T's teacher and its temporary one find a post."""
    county = with_staff(three_villages, teachers=[6, 1], canteen_workers=[0, 0])
    years = [year_plan(county, 2023, open_t=True), year_plan(county, 2024, open_t=False)]
    table = posts(settings, county, years)
    assert tuple(table.columns) == COLUMNS
    assert moved(table) == [[2024, "C", "teacher", 0, 1, "T"], [2024, "C", "canteen_worker", 0, 1, "T"]]


def test_who_finds_no_post_stays_on_the_payroll_without_one(settings: Settings, three_villages: County) -> None:
    """C has 9 teachers for 7 posts, and a cook."""
    years = [year_plan(three_villages, 2023, open_t=True), year_plan(three_villages, 2024, open_t=False)]
    assert moved(posts(settings, three_villages, years)) == [
        [2024, "county", "teacher", 0, 1, "T"],
        [2024, "C", "guard", 0, 1, "T"],
    ]


def test_temporary_staff_fill_the_posts_they_may_in_the_order_of_preference(three_villages: County) -> None:
    county = with_staff(
        three_villages, temporary=[0, 2], canteen_workers=[0, 0], guards=[0, 0], wardens=[0, 0], life_teachers=[0, 0]
    )
    for fill, found in (
        ("[canteen_worker,life_teacher,warden,guard]", {"canteen_worker": 1, "life_teacher": 1}),
        ("[guard,warden]", {"guard": 2}),
        ("[]", {"temporary": 2}),
    ):
        table = posts(
            load(["county=three_villages", f"staff.temporary_fill={fill}"]), county, [year_plan(county, 2023)]
        )
        rows = table[table["from_school_id"].notna() & (table["post"] != "teacher")]
        assert dict(zip(rows["post"], rows["filled"], strict=True)) == found
        assert set(rows["site_id"]) == {"county" if fill == "[]" else "C"}


def test_nobody_is_sent_too_far(three_villages: County) -> None:
    """From T to C it is 10 km of road: 6 at 45 km/h or less, 4 at 20 km/h, so over 15 and under 30 minutes."""
    county = with_staff(three_villages, teachers=[0, 1])
    for most, site in ((15, "county"), (30, "C")):
        table = posts(
            load(["county=three_villages", f"staff.travel_most_min={most}"]), county, [year_plan(county, 2023)]
        )
        assert table[table["from_school_id"].notna() & (table["post"] == "teacher")]["site_id"].tolist() == [site]


def test_the_people_of_a_school_that_opens_again_are_back(settings: Settings, three_villages: County) -> None:
    years = [year_plan(three_villages, 2023 + k, open_t=open_t) for k, open_t in enumerate((False, True))]
    table = posts(settings, three_villages, years)
    own = table[table["from_school_id"].isna() & (table["post"] == "teacher")].set_index(["year", "site_id"])["filled"]
    assert {row[0] for row in moved(table)} == {2023}
    assert own.to_dict() == {(2023, "C"): 9, (2024, "C"): 9, (2024, "T"): 1}


def test_a_post_that_is_filled_is_not_hired_and_who_has_no_post_saves_nothing(
    settings: Settings, three_villages: County
) -> None:
    """C needs 2 guards, one of whom is there; T's temporary one is the other once T is closed."""
    years = [year_plan(three_villages, 2023, open_t=True), year_plan(three_villages, 2024, open_t=False)]
    guards = hired(posts(settings, three_villages, years), "guard").set_index(["year", "site_id"])["quantity"]
    assert guards[2023, "C"] == settings.staff.guards_lodging_school - 1
    assert guards[2024, "C"] == 0
    county = with_staff(three_villages, teachers=[0, 9])  # C needs 7; 2 of the 9 have no post
    assert hired(posts(settings, county, years[1:]), "teacher")["quantity"].tolist() == [0]
    county = with_staff(three_villages, teachers=[4, 9])
    short = load(["county=three_villages", "staff.travel_most_min=0"])  # none of the 9 can come: 3 are hired
    assert hired(posts(short, county, years[1:]), "teacher")["quantity"].tolist() == [3]


def test_life_teachers_who_came_from_a_closed_school_are_there_at_night(
    settings: Settings, three_villages: County
) -> None:
    county = with_staff(three_villages, temporary=[0, 1], canteen_workers=[1, 0], life_teachers=[0, 2])
    years = [year_plan(county, 2023 + k, open_t=open_t) for k, open_t in enumerate((True, False))]
    known = staffed(county, years, posts(settings, county, years))
    assert [life_teachers(county, plan).tolist() for plan in known] == [[0, 2], [1, 0]]


@given(
    teachers=st.tuples(*[st.integers(0, 12)] * 2),
    temporary=st.tuples(*[st.integers(0, 4)] * 2),
    wardens=st.tuples(*[st.integers(0, 3)] * 2),
    open_t=st.lists(st.booleans(), min_size=1, max_size=4),
)
def test_nobody_is_lost_whatever_closes_and_opens(
    three_villages: County,
    teachers: tuple[int, int],
    temporary: tuple[int, int],
    wardens: tuple[int, int],
    open_t: list[bool],
) -> None:
    county = with_staff(three_villages, teachers=[*teachers], temporary=[*temporary], wardens=[*wardens])
    years = [year_plan(county, 2023 + k, open_t=is_open) for k, is_open in enumerate(open_t)]
    table = posts(USUAL, county, years)
    schools = county.schools
    everybody = sum(getattr(schools, name).sum() for name in ("teachers", "temporary", "life_teachers", "wardens"))
    everybody += schools.canteen_workers.sum() + schools.guards.sum()
    assert table.groupby("year")["filled"].sum().tolist() == [everybody] * len(years)
    at_post = table[table["site_id"] == "C"].groupby(["year", "post"])[["needed", "filled"]].sum()
    own = table[(table["site_id"] == "C") & table["from_school_id"].isna()].groupby(["year", "post"])["filled"].sum()
    came = at_post["filled"] - own.reindex(at_post.index, fill_value=0)
    assert (came <= (at_post["needed"] - own.reindex(at_post.index, fill_value=0)).clip(lower=0)).all()


def made_county(three_villages: County, township: list[int], zones: tuple[str, ...], junior: list[bool]) -> County:
    """Return a county of many schools without staff, of which only places in townships and grades matter."""
    many = len(township)
    none = np.zeros(many, dtype=np.int64)
    grades = {"first_grade": np.where(junior, 7, 1), "last_grade": np.where(junior, 9, 6)}
    staff = dict.fromkeys(("temporary", "life_teachers", "wardens", "canteen_workers", "guards"), none)
    schools = replace(
        three_villages.schools, id=tuple(f"S{k}" for k in range(many)), township=np.array(township),
        node=np.arange(many), teachers=none, **grades, **staff,
    )  # fmt: skip
    return replace(three_villages, schools=schools, townships=replace(three_villages.townships, zone=zones))


def ways(minutes: np.ndarray) -> Travel:
    return Travel(minutes, minutes, minutes)


def fewest_minutes(minutes: np.ndarray, may: np.ndarray) -> tuple[int, float]:
    """Try every way to give people (rows) posts (columns) they may have: most people, then fewest minutes."""
    people, units = may.shape
    best = (0, 0.0)
    for order in permutations([*range(units), *[-1] * people], people):
        pairs = [(p, u) for p, u in enumerate(order) if u >= 0]
        if all(may[p, u] for p, u in pairs):
            found = (len(pairs), -sum(minutes[p, u] for p, u in pairs))
            best = max(best, found)
    return best[0], -best[1]


@given(
    minutes=st.lists(st.integers(1, 90), min_size=24, max_size=24),
    zone=st.lists(st.sampled_from("xy"), min_size=7, max_size=7),
    junior=st.lists(st.booleans(), min_size=7, max_size=7),
    vacant=st.lists(st.integers(0, 1), min_size=4, max_size=4),
)
def test_the_most_people_are_placed_with_the_fewest_minutes_and_the_own_zone_goes_first(
    three_villages: County, minutes: list[int], zone: list[str], junior: list[bool], vacant: list[int]
) -> None:
    """Three closed schools with a teacher each, four others with a vacancy or none, against every possibility."""
    county = made_county(three_villages, list(range(7)), tuple(zone), junior)
    county = replace(county, schools=replace(county.schools, teachers=np.array([1, 1, 1, 0, 0, 0, 0])))
    table = np.full((7, 7), 1000.0)
    table[:3, 3:] = np.reshape(minutes[:12], (3, 4))
    closed = np.arange(7) < 3
    needed = {post: np.zeros(7, dtype=np.int64) for post in POSTS} | {"teacher": np.array([0, 0, 0, *vacant])}
    settings = USUAL
    found = redeploy(settings, county, ways(table), payroll(county), closed, needed)

    way, level, area = table[:3, 3:], np.array(junior), np.array(zone)
    may = (way <= settings.staff.travel_most_min) & (level[:3, None] == level[3:]) & (np.array(vacant) == 1)
    own = may & (area[:3, None] == area[3:])
    placed = found.site != NOWHERE
    in_zone = placed & (area[found.school] == area[found.site])
    count, least = fewest_minutes(way, own)
    assert in_zone.sum() == count
    assert table[found.school[in_zone], found.site[in_zone]].sum() == pytest.approx(least)
    taken = np.isin(np.arange(3, 7), found.site[in_zone])
    count, least = fewest_minutes(way, may & ~in_zone[:, None] & ~taken)
    assert (placed & ~in_zone).sum() == count
    far = placed & ~in_zone
    assert table[found.school[far], found.site[far]].sum() == pytest.approx(least)


@pytest.mark.parametrize(("pool", "site"), [("township", 2), ("zone", 3), ("county", 4)])
def test_the_pool_is_where_people_are_placed_first(three_villages: County, pool: str, site: int) -> None:
    """From school 0 it is 30 minutes to 2 in its township, 20 to 3 in its zone, 10 to 4 in another zone."""
    county = made_county(three_villages, [0, 1, 0, 1, 2], ("x", "x", "y"), [False] * 5)
    county = replace(county, schools=replace(county.schools, teachers=np.array([1, 0, 0, 0, 0])))
    table = np.array([[0.0, 5, 30, 20, 10]] * 5)
    needed = dict.fromkeys(POSTS, np.zeros(5, dtype=np.int64)) | {"teacher": np.array([0, 0, 1, 1, 1])}
    settings = load(["county=three_villages", f"staff.pool={pool}"])
    found = redeploy(settings, county, ways(table), payroll(county), np.arange(5) == 0, needed)
    assert found.site.tolist() == [site]


def test_who_has_a_post_keeps_it_until_it_vanishes(three_villages: County) -> None:
    """Two teachers of 0 go to 1 (near) in the first year; 2 is nearer to 0, but opens its posts a year later."""
    county = made_county(three_villages, [0, 0, 0], ("x",), [False] * 3)
    county = replace(county, schools=replace(county.schools, teachers=np.array([2, 0, 0])))
    table, closed = np.array([[0.0, 20, 10]] * 3), np.arange(3) == 0
    settings = load(["county=three_villages"])
    people = payroll(county)
    seen = []
    for teachers in ([0, 2, 0], [0, 2, 2], [0, 1, 2], [0, 0, 1], [0, 1, 1]):
        needed = dict.fromkeys(POSTS, np.zeros(3, dtype=np.int64)) | {"teacher": np.array(teachers)}
        people = redeploy(settings, county, ways(table), people, closed, needed)
        seen.append(people.site.tolist())
    assert seen == [[1, 1], [1, 1], [1, 2], [NOWHERE, 2], [1, 2]]
    assert (people.post == TEACHER).all()
    assert TEMPORARY not in people.post


def test_each_post_is_needed_once_for_every_site_and_year(settings: Settings, three_villages: County) -> None:
    years = [year_plan(three_villages, year) for year in (2023, 2024)]
    table = posts(settings, three_villages, years)
    assert not table.duplicated(["year", "site_id", "post", "from_school_id"]).any()


def test_needs_follow_the_norms_by_hand(settings: Settings, three_villages: County) -> None:
    """C has 9 primary and 3 junior pupils, one of whom lodges.

    Its primary grades have 2, 3, 1, 1 and 2 pupils: one class of 9 and one teacher (by pupils 9/19); the junior
    grades 1 and 2: two classes, 2 x 2.7 teachers (by pupils 3/13.5); 6.4 in all.
    """
    needs = school_needs(settings, three_villages, year_plan(three_villages, 2023), three_villages.pupils.sum(axis=2))
    assert {post: int(number[C]) for post, number in needs.items()} == {
        "teacher": 7,
        "temporary": 0,
        "life_teacher": 1,
        "warden": 1,
        "canteen_worker": 1,
        "guard": settings.staff.guards_lodging_school,
    }
    assert all(number[T] == 0 for number in needs.values())


@pytest.mark.parametrize(
    ("rolls", "teachers"),
    [
        ([1, 2, 0, 0, 0, 0, 0, 0, 0], 1),  # a point: one class, one teacher
        ([6, 6, 4, 0, 0, 0, 0, 0, 0], 2),  # 6 | 6 + 4
        ([4, 11, 4, 0, 0, 0, 0, 0, 0], 4),  # 4 | 11 alone: 1.8 | 4: no grade is passed over; 3.8
        ([45, 45, 45, 45, 45, 45, 0, 0, 0], 15),  # 6 x 1.8 = 10.8 by class, 270/19 = 14.2 by pupils
        ([23, 23, 23, 23, 23, 23, 0, 0, 0], 11),  # 10.8 by class, 7.3 by pupils
        ([0, 0, 0, 0, 0, 0, 51, 0, 0], 6),  # two classes: 5.4; 51/13.5 = 3.8
        ([0, 0, 0, 0, 0, 0, 50, 50, 50], 12),  # 8.1 by class, 11.1 by pupils
    ],
)
def test_teachers_by_class_and_by_pupils_by_hand(settings: Settings, rolls: list[int], teachers: int) -> None:
    assert teacher_posts(settings, np.array([rolls], dtype=float)).tolist() == [teachers]


def test_without_a_norm_by_class_pupils_alone_decide(three_villages: County) -> None:
    by_pupils = ("staff.teachers_per_class_primary=0", "staff.teachers_per_class_junior=0")
    settings = load(["county=three_villages", *by_pupils])
    assert teacher_posts(settings, np.array([[1, 2, 0, 0, 0, 0, 0, 0, 0.0], [45.0] * 6 + [0] * 3])).tolist() == [1, 15]


def test_crews_are_needed_for_the_buses_on_duty_and_a_reserve_and_not_for_spare_buses(three_villages: County) -> None:
    """Two buses on duty: two drivers, and one and two attendants; reserves of a tenth and a half, rounded up."""
    shares = ("fleet.reserve_driver_share=0.1", "fleet.reserve_attendant_share=0.5")
    settings = load(["county=three_villages", *shares])
    big = len(settings.fleet.kinds) - 1
    year = year_plan(three_villages, 2023, bus_kinds=(0, big), owned=3)
    table = posts(settings, three_villages, [year]).set_index("post")
    assert crews(settings, year) == (1, 2)
    assert table.loc["driver", "needed"] == 2 + 1
    assert table.loc["attendant", "needed"] == 3 + 2
    assert table.loc["driver", "site_id"] == "county"


@pytest.mark.parametrize(("share", "reserve"), [(0.0, 0), (0.05, 1), (0.1, 1), (0.11, 2), (1.0, 10)])
def test_the_reserve_is_rounded_up_to_whole_people(three_villages: County, share: float, reserve: int) -> None:
    settings = load(["county=three_villages", f"fleet.reserve_driver_share={share}"])
    assert crews(settings, year_plan(three_villages, 2023, bus_kinds=(0,) * 10, owned=10))[0] == reserve


def test_life_teachers_by_norm_by_hand(settings: Settings) -> None:
    """At C 21 young, 51 older primary and 100 junior lodgers: 2 + 2 + 1; at T nobody lodges."""
    lodgers = np.zeros((2, 9))
    lodgers[C, [0, 2, 3, 5, 6, 8]] = [10, 11, 50, 1, 60, 40]
    assert life_teacher_posts(settings, lodgers).tolist() == [5, 0]


def test_all_primary_lodgers_share_one_norm_where_all_grades_may_lodge() -> None:
    settings = load(["county=three_villages", "lodge.from_grade=1"])
    lodgers = np.zeros((2, 9))
    lodgers[C, [0, 5]] = [25, 25]
    assert life_teacher_posts(settings, lodgers).tolist() == [1, 0]


def test_a_closed_school_has_no_life_teachers(three_villages: County) -> None:
    county = replace(three_villages, schools=replace(three_villages.schools, life_teachers=np.array([3, 2])))
    assert life_teachers(county, year_plan(county, 2023, open_t=True)).tolist() == [3, 2]
    assert life_teachers(county, year_plan(county, 2023, open_t=False)).tolist() == [3, 0]


def test_no_buses_need_no_crew(settings: Settings, three_villages: County) -> None:
    year = year_plan(three_villages, 2023, bus_kinds=(), owned=0)
    table = posts(settings, three_villages, [year]).set_index("post")
    assert crews(settings, year) == (0, 0)
    assert table.loc["driver", "needed"] == 0


def without_buses(county: County, settings: Settings, placed: Places, open_: Bools) -> YearPlan:
    """Return the plan of a year in which every grade of a school has ten diners."""
    none, rolls = np.zeros(len(county.schools.id), dtype=np.int64), np.full((len(county.schools.id), 9), 10.0)
    return YearPlan(
        year=placed.year,
        open=open_,
        places=placed,
        runs=runs((), 0),
        meals=meals(county, settings, placed.year, np.stack([rolls, rolls]), open_),
        beds=beds(county, settings, placed.year),
        fixtures=fixtures(county, settings, placed.year),
        classes=none,
        class_places=none,
    )


def test_over_ten_years_only_those_leave_a_post_whose_school_needs_no_more_than_its_own(huichang: County) -> None:
    """Of the people placed at a school just so many stay as it needs beyond its own; no idle one misses a vacancy."""
    settings = load(["county=huichang", "closure=plan_2023", "study.years=10"])
    roads, schools = travel(huichang.roads, settings.road), huichang.schools
    near = roads.minutes[np.ix_(schools.node, schools.node)] <= settings.staff.travel_most_min
    primary, junior = schools.first_grade <= 6, schools.last_grade > 6
    level = (primary[:, None] & primary) | (junior[:, None] & junior)
    expected, closed, placed = placed_years(settings, huichang, roads)
    people, went = payroll(huichang), []
    for place, open_ in zip(placed, closed.open, strict=True):
        year = without_buses(huichang, settings, place, open_)
        needs = school_needs(settings, huichang, year, expected.pupils(place.year))
        gone = ~open_ & (schools.opens_year <= place.year)
        before, people = people, redeploy(settings, huichang, roads, people, gone, needs)
        room = np.stack([needs[post] for post in POSTS]) - np.where(gone, 0, present(huichang))
        sat = gone[before.school] & (before.site != before.school) & (before.site != NOWHERE)
        stays = sat & (people.site == before.site) & (people.post == before.post)
        held, kept, now = (np.zeros_like(room) for _ in range(3))
        np.add.at(held, (before.post[sat], before.site[sat]), 1)
        np.add.at(kept, (before.post[stays], before.site[stays]), 1)
        assert (kept == np.minimum(held, room.clip(min=0))).all()
        came = gone[people.school] & (people.site != NOWHERE)
        np.add.at(now, (people.post[came], people.site[came]), 1)
        idle = people.school[gone[people.school] & (people.site == NOWHERE) & (people.was == TEACHER)]
        assert not (near & level)[np.ix_(idle, np.flatnonzero((room - now)[TEACHER] > 0))].any()
        went.append(int((sat & ~stays).sum()))
    assert went[0] == 0
    assert sum(went) > 0


def test_the_plan_of_2023_places_74_teachers_and_22_temporary_staff(huichang: County) -> None:
    """Of the 115 points' people every teacher teaches and the others cook, care and guard, near their old school."""
    from living import closures as decide

    from sim.plan.assign import places
    from sim.plan.enrol import forecast

    settings = load(["county=huichang", "closure=plan_2023", "study.years=1"])
    roads = travel(huichang.roads, settings.road)
    expected = forecast(huichang, settings)
    closed = decide(huichang, settings, expected)
    placed = places(huichang, settings, roads, closed.open[0], expected.p80[0], 2023)
    year = without_buses(huichang, settings, placed, closed.open[0])
    table = list_posts(settings, huichang, [year], expected, roads)
    came = table[table["from_school_id"].notna()]
    assert came["filled"].sum() == 74 + 22
    assert filled(came, "teacher", 2023) == 74
    assert set(came["post"]) <= {"teacher", *settings.staff.temporary_fill}
    assert filled(table, "teacher", 2023) == huichang.schools.teachers.sum()
    at = {school: s for s, school in enumerate(huichang.schools.id)}
    placed_, idle = came[came["site_id"] != "county"], came[came["site_id"] == "county"]
    assert placed_["filled"].sum() > 0.7 * (74 + 22)
    assert closed.open[0][placed_["site_id"].map(at)].all()
    minutes = roads.minutes[np.ix_(huichang.schools.node, huichang.schools.node)]
    assert (
        minutes[placed_["from_school_id"].map(at), placed_["site_id"].map(at)].max() <= settings.staff.travel_most_min
    )
    both = table.groupby(["site_id", "post"])[["needed", "filled"]].sum()
    arrived = placed_.set_index(["site_id", "post"]).index
    assert (both.loc[arrived, "filled"] <= both.loc[arrived, "needed"]).all()
    # Whoever has no post is a teacher, and no school with primary grades in reach lacks one.
    assert set(idle["post"]) == {"teacher"}
    lacks = both.xs("teacher", level="post").query("needed > filled").index.map(at)
    lacks = lacks[huichang.schools.first_grade[lacks] <= 6]
    assert (minutes[np.ix_(idle["from_school_id"].map(at), lacks)] > settings.staff.travel_most_min).all()
