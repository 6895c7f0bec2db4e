"""Beds: rooms by sex and band of grades, who comes first, and the waiting list of the second term."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.config import BadInput, Lodge, load
from sim.operate.admit import Asks, admit
from sim.plan import Beds
from sim.plan.lodge import rooms

GIRL, BOY = 0, 1
SCHOOLS, SEXES = 2, 2
LODGE = load(["county=three_villages"]).lodge


def lodge(room_beds: int, *priority: str) -> Lodge:
    return LODGE.model_copy(update={"room_beds": room_beds, "priority": priority or ("distance", "grade", "hardship")})


def beds(*of_school: tuple[int, int]) -> Beds:
    return Beds(nominal=np.array(of_school), emergency=np.zeros((len(of_school), SEXES), dtype=np.int64))


def girls(grade: list[int], km: list[float], **more: object) -> Asks:
    """Return girls of one school, all of whom ask for a bed and stay the year unless told otherwise."""
    many = len(grade)
    usual = {
        "wants": np.ones(many, dtype=bool),
        "school": np.zeros(many, dtype=np.int64),
        "sex": np.full(many, GIRL),
        "grade": np.array(grade),
        "km": np.array(km, dtype=float),
        "hardship": np.zeros(many, dtype=bool),
        "leaves": np.zeros(many, dtype=bool),
        "number": np.arange(many, dtype=np.uint64),
    }
    return Asks(**{**usual, **{name: np.array(value) for name, value in more.items()}})


def in_bed(lodge: Lodge, beds: Beds, asks: Asks, term: int = 1) -> list[int]:
    return np.flatnonzero(admit(lodge, beds, asks, term)).tolist()


def test_only_the_last_room_of_a_dormitory_is_smaller() -> None:
    first, size = rooms(lodge(4), beds((8, 0), (10, 3)))
    assert first.tolist() == [0, 2, 2, 5, 6]
    assert size.tolist() == [4, 4, 4, 4, 2, 3]


def test_no_beds_are_no_rooms() -> None:
    first, size = rooms(lodge(4), beds((0, 0)))
    assert (first.tolist(), size.tolist()) == ([0, 0, 0], [])
    assert in_bed(lodge(4), beds((0, 0)), girls([7], [9.0])) == []


def test_two_rooms_of_four_beds_by_hand() -> None:
    """Five juniors from afar fill one room and open the other, so three primary girls find no room of theirs.

    When one of the primary girls lives farthest, she opens a room, the other two follow her into it, and the
    fifth junior waits, though one bed stays empty.
    """
    grade = [7, 7, 8, 8, 9, 4, 5, 6]
    two_rooms = beds((8, 0))
    assert in_bed(lodge(4), two_rooms, girls(grade, [9, 8, 7, 6, 5, 3, 2, 1])) == [0, 1, 2, 3, 4]
    assert in_bed(lodge(4), two_rooms, girls(grade, [9, 8, 7, 6, 5, 10, 2, 1])) == [0, 1, 2, 3, 5, 6, 7]
    assert in_bed(lodge(8), two_rooms, girls(grade, [9, 8, 7, 6, 5, 10, 2, 1])) == [5, 6, 7]
    assert in_bed(lodge(1), two_rooms, girls(grade, [9, 8, 7, 6, 5, 3, 2, 1])) == list(range(8))


@pytest.mark.parametrize(("grades", "together"), [((1, 3), True), ((3, 4), False), ((4, 6), True), ((6, 7), False)])
def test_who_sleeps_in_one_room(grades: tuple[int, int], together: bool) -> None:
    assert (len(in_bed(lodge(2), beds((2, 0)), girls([*grades], [2, 1]))) == 2) == together


def test_girls_and_boys_and_schools_have_rooms_of_their_own() -> None:
    asks = girls([7] * 4, [4, 3, 2, 1], sex=[GIRL, BOY, GIRL, GIRL], school=[0, 0, 0, 1])
    assert in_bed(lodge(4), beds((1, 4), (0, 4)), asks) == [0, 1]


@pytest.mark.parametrize(
    ("priority", "winner"),
    [
        (("distance",), 1),
        (("grade",), 2),
        (("hardship",), 3),
        (("hardship", "distance"), 3),
        (("grade", "hardship", "distance"), 4),
        (("distance", "grade"), 1),
    ],
)
def test_one_bed_goes_to_who_comes_first_by_priority(priority: tuple[str, ...], winner: int) -> None:
    asks = girls([7, 7, 9, 8, 9], [5, 8, 5, 6, 4], hardship=[False, False, False, True, True], number=[9, 8, 1, 2, 7])
    assert in_bed(lodge(1, *priority), beds((1, 0)), asks) == [winner]


def test_where_nothing_else_differs_the_number_decides() -> None:
    asks = girls([7, 7, 7], [5, 5, 5], number=np.array([2**63 + 1, 3, 2**63], dtype=np.uint64))
    assert in_bed(lodge(8), beds((2, 0)), asks) == [1, 2]


def test_who_does_not_ask_has_no_bed() -> None:
    assert in_bed(lodge(8), beds((2, 0)), girls([7, 7], [5, 4], wants=[False, True])) == [1]


def test_the_waiting_list_moves_up_in_the_second_term() -> None:
    """0 and 1 leave; 2 gets one of their beds, 3 has given up waiting, so 4 gets the other."""
    asks = girls([7] * 6, [6, 5, 4, 3, 2, 1], leaves=[True, True, False, True, False, False])
    assert in_bed(lodge(8), beds((2, 0)), asks, term=1) == [0, 1]
    assert in_bed(lodge(8), beds((2, 0)), asks, term=2) == [2, 4]


def test_a_bed_of_another_band_helps_only_when_the_whole_room_is_left() -> None:
    """Two juniors hold the only room; 2, in grade 5, gets a bed when both have left, not when one has."""
    one, both = ([True, False, False], [True, True, False])
    room_of_two = beds((2, 0))
    assert in_bed(lodge(2), room_of_two, girls([9, 9, 5], [3, 2, 1], leaves=one), term=2) == [1]
    assert in_bed(lodge(2), room_of_two, girls([9, 9, 5], [3, 2, 1], leaves=both), term=2) == [2]


@st.composite
def cases(draw: st.DrawFn, grades: tuple[int, int] = (1, 9)) -> tuple[Lodge, Beds, Asks]:
    """Draw two small schools with few beds and many who ask, often with the same way and grade."""
    many = draw(st.integers(0, 60))
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    asks = Asks(
        wants=chance.random(many) < 0.8,
        school=chance.integers(0, SCHOOLS, many),
        sex=chance.integers(0, SEXES, many),
        grade=chance.integers(grades[0], grades[1] + 1, many),
        km=chance.integers(3, 8, many).astype(float),
        hardship=chance.random(many) < 0.2,
        leaves=chance.random(many) < 0.3,
        number=chance.permutation(many).astype(np.uint64),
    )
    room = draw(st.integers(1, 5))
    priority = draw(st.permutations(["distance", "grade", "hardship"]))
    return lodge(room, *priority[: draw(st.integers(1, 3))]), beds(*chance.integers(0, 14, (SCHOOLS, SEXES))), asks


def plainly(lodge: Lodge, beds: Beds, asks: Asks, term: int) -> list[int]:
    """Return who has a bed, as a warden would write it: rooms are lists of pupils, people move one by one."""
    rank = {
        "distance": lambda i: -asks.km[i],
        "grade": lambda i: -asks.grade[i],
        "hardship": lambda i: not asks.hardship[i],
    }
    line = [int(i) for i in np.flatnonzero(asks.wants)]
    line.sort(key=lambda i: (*(rank[name](i) for name in lodge.priority), int(asks.number[i])))
    houses: dict[tuple[int, int], list[tuple[int, list[int]]]] = {}
    for place in product(range(SCHOOLS), range(SEXES)):
        whole, rest = divmod(int(beds.nominal[place]), lodge.room_beds)
        houses[place] = [(lodge.room_beds, []) for _ in range(whole)] + [(rest, [])] * (rest > 0)

    def sleeps(i: int) -> bool:
        return any(i in pupils for house in houses.values() for _, pupils in house)

    def move_in(i: int) -> None:
        house = houses[int(asks.school[i]), int(asks.sex[i])]
        band = (asks.grade[i] - 1) // 3
        own = [p for size, p in house if p and (asks.grade[p[0]] - 1) // 3 == band and len(p) < size]
        for pupils in [*own, *(p for _, p in house if not p)][:1]:
            pupils.append(i)

    for i in line:
        move_in(i)
    if term == 2:
        for _, pupils in (room for house in houses.values() for room in house):
            pupils[:] = [i for i in pupils if not asks.leaves[i]]
        for i in line:
            if not sleeps(i) and not asks.leaves[i]:
                move_in(i)
    return [i for i in range(len(asks.wants)) if sleeps(i)]


@given(cases(), st.sampled_from([1, 2]))
def test_beds_are_given_as_a_warden_would(case: tuple[Lodge, Beds, Asks], term: int) -> None:
    assert in_bed(*case, term) == plainly(*case, term)


@given(cases(grades=(4, 6)))
def test_with_one_band_the_size_of_rooms_is_no_matter(case: tuple[Lodge, Beds, Asks]) -> None:
    """The first so many of each school and sex get a bed, as if there were no rooms."""
    lodge, beds, asks = case
    one_room = lodge.model_copy(update={"room_beds": 99})
    for term in (1, 2):
        assert in_bed(lodge, beds, asks, term) == in_bed(one_room, beds, asks, term)
    has_bed = admit(lodge, beds, asks, 1)
    for school, sex in product(range(SCHOOLS), range(SEXES)):
        here = asks.wants & (asks.school == school) & (asks.sex == sex)
        assert has_bed[here].sum() == min(here.sum(), beds.nominal[school, sex])


@given(cases())
def test_who_stays_keeps_the_bed_and_who_leaves_has_none(case: tuple[Lodge, Beds, Asks]) -> None:
    before, after, leaves = admit(*case, 1), admit(*case, 2), case[2].leaves
    assert after[before & ~leaves].all()
    assert not after[leaves].any()


@given(cases(), st.sampled_from([0, 1]), st.sampled_from([0, 1]))
def test_one_bed_more_takes_nobodys_bed(case: tuple[Lodge, Beds, Asks], school: int, sex: int) -> None:
    lodge, few, asks = case
    more = few.nominal.copy()
    more[school, sex] += 1
    assert not (admit(lodge, few, asks, 1) & ~admit(lodge, replace(few, nominal=more), asks, 1)).any()


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("lodge.priority=[distance,grade,distance]", "priority"),
        ("lodge.priority=[]", "priority"),
        ("lodge.priority=[money]", "priority"),
        ("lodge.room_beds=0", "room_beds"),
        ("lodge.leave_after_term_share=1.1", "leave_after_term_share"),
        ("lodge.service_share=-0.1", "service_share"),
        ("lodge.bedz=3", "bedz"),
    ],
)
def test_settings_of_beds_that_make_no_sense_are_refused_by_name(setting: str, key: str) -> None:
    with pytest.raises(BadInput, match=rf"lodge.*{key}"):
        load(["county=three_villages", setting])
