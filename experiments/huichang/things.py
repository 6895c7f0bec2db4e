"""What the schools have: canteens, beds, water, staff; a synthesis near the norms, tight as in real counties."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from huichang.land import Land
from huichang.people import BOYS, People, School, attends
from huichang.sources import GRADES, fact, stream

LUNCH_SHARE = 0.90  # assumption: the others go home
SEAT_TURNS = 1.5  # assumption: diners of a seat in one sitting
PER_WINDOW = 115  # assumption: diners a window can serve in a sitting so that all have 20 minutes seated
LODGE_FROM = {"primary": 4.0, "junior": 3.0}  # assumption: road km from which pupils lodge, as in configs/lodge
LODGE_SHARE = {"primary": 0.65, "junior": 0.85}  # assumption: consent, as in configs/lodge
LODGE_GRADE = 4
SHORT_SHARE = 0.25  # assumption: one lodging school in four has too few beds
CLASS_SIZE = {"primary": 45, "junior": 50}  # 建标109-2008 Art. 8
PER_TAP, PER_BASIN, PER_SQUAT_GIRLS, PER_SQUAT_BOYS, PER_SHOWER = (
    45,
    45,
    13,
    40,
    15,
)  # GB 50099, JGJ 36; taps from memory
PER_TEACHER = {"primary": 19.0, "junior": 13.5}  # staffing norm of 2014
PER_CLASS = {"primary": 1.8, "junior": 2.7}  # assumption: teachers of a class, as in configs/staff
SMALL_CLASS = 10  # assumption: pupils of a class with one teacher, as in configs/staff
TODAYS_CLASS = (1.0, 1.1)  # assumption: town classes are at the norm or up to a tenth larger, so that none is over 55
POINT_CLASS = 30  # 建标109-2008 Art. 8: pupils of a class at a teaching site
M2_PER_PLACE = 5.6  # assumption: from memory, unsourced: 建标109-2008, 670 m2 for 4 classes of 30, as in configs/campus
POINT_SIZE = (0.3, 1.5)  # assumption: teaching points are what is left of one-room schools and of full village schools
M2_PER_PUPIL = (7.0, 12.0)  # assumption: floor area of a pupil, dormitories and canteens included
CONVERTED_ROOMS = 24  # assumption: No. 4 becomes the largest junior school of 建标109-2008 Art. 8

SYNTHETIC = "synthetic: near the norm for the roll, drawn within a stated range"


@dataclass
class Demand:
    """Pupils and lodgers of a school after the plan of 2023, by grade; lodgers are expected ones."""

    pupils: dict[int, int]
    lodgers: dict[int, float]

    @property
    def roll(self) -> int:
        """Return all pupils."""
        return sum(self.pupils.values())


def level(grade: int) -> str:
    """Return the school level of a grade."""
    return "primary" if grade <= 6 else "junior"


def road_km(land: Land) -> tuple[dict[str, int], np.ndarray]:
    """Return the position of every node and the shortest ways between them in km."""
    position = {key: k for k, key in enumerate(land.nodes)}
    ends = np.array([(position[e.start], position[e.end]) for e in land.edges])
    km = np.array([e.km for e in land.edges])
    graph = coo_array((km, ends.T), shape=(len(position), len(position))).tocsr()
    return position, dijkstra(graph, directed=False)


def demands(land: Land, people: People) -> dict[str, Demand]:
    """Return what each school has to serve once the teaching points are closed."""
    position, km = road_km(land)
    found = {key: Demand(dict.fromkeys(GRADES, 0), dict.fromkeys(GRADES, 0.0)) for key in people.schools}
    for home in land.homes:
        for grade in GRADES:
            school = people.schools[attends(people, land, home, grade, points_open=False)]
            if home.kind == "town" and school.id != people.school_of[home.id]:
                school = min(_in_town(people, grade), key=lambda s: km[position[home.node], position[s.node]])
            count = people.count(home.id, grade)
            found[school.id].pupils[grade] += count
            far = km[position[home.node], position[school.node]] >= LODGE_FROM[level(grade)]
            if far and grade >= LODGE_GRADE and school.kind != "village":
                found[school.id].lodgers[grade] += count * LODGE_SHARE[level(grade)]
    return found


def _in_town(people: People, grade: int) -> list[School]:
    """Return the town's schools that are open today and have the grade."""
    town = [s for s in people.schools.values() if s.kind.startswith("town_") and not s.opens_year]
    return [s for s in town if s.grades[0] <= grade <= s.grades[1]]


def classrooms(people: People, needs: dict[str, Demand], seed: int) -> list[tuple[object, ...]]:
    """Return the rows of classrooms.csv: the town's schools; those that are newly built have places in projects.csv."""
    luck = stream(seed, "classrooms")
    rows: list[tuple[object, ...]] = []
    for school in people.schools.values():
        kind = level(school.grades[1])
        if school.kind.startswith("town_") and not school.opens_year:
            rooms = needs[school.id].roll / (CLASS_SIZE[kind] * luck.uniform(*TODAYS_CLASS))
            rows.append(
                (school.id, ceil(rooms), "synthetic: so that today's classes are at the norm or up to 10 % larger")
            )
        elif school.id == "town_junior_4":
            words = "synthetic: 24 classes, as large as a junior school of the norm; No. 4's rooms are not public"
            rows.append((school.id, CONVERTED_ROOMS, words))
    return rows


def facilities(people: People, needs: dict[str, Demand], seed: int) -> list[tuple[object, ...]]:
    """Return the rows of facilities.csv: every school outside the town that keeps at least 30 pupils."""
    luck = stream(seed, "facilities")
    lived = [s for s in people.schools.values() if s.kind not in ("teaching_point", "town_primary", "town_junior")]
    return [(school.id, *_facility(needs[school.id], luck), SYNTHETIC) for school in lived]


def _facility(need: Demand, luck: np.random.Generator) -> tuple[int, ...]:
    roll, lodgers = need.roll, sum(need.lodgers.values())
    diners = LUNCH_SHARE * (roll - lodgers) + lodgers
    sittings = 1 if roll < 200 else 2
    seats = ceil(diners / sittings / SEAT_TURNS * luck.uniform(0.9, 1.25) / 4) * 4
    windows = max(1, round(diners / sittings / PER_WINDOW * luck.uniform(0.85, 1.3)))
    kitchen = ceil(diners * luck.uniform(1.02, 1.15) / 10) * 10
    beds = _beds(lodgers, luck)
    rooms = sum(ceil(n / CLASS_SIZE[level(g)]) for g, n in need.pupils.items()) + int(luck.integers(0, 3))
    bays = 1 + (roll > 250) + (roll > 900) + (roll > 1800)
    girls, boys = roll * (1 - BOYS), roll * BOYS
    taps, basins = (ceil(roll / per * luck.uniform(0.75, 1.15)) for per in (PER_TAP, PER_BASIN))
    squats_girls = ceil(girls / PER_SQUAT_GIRLS * luck.uniform(0.65, 1.1))
    squats_boys = ceil(boys / PER_SQUAT_BOYS * luck.uniform(0.8, 1.3))
    showers = ceil(lodgers / PER_SHOWER * luck.uniform(0.6, 1.1))
    return (
        windows, seats, kitchen, *beds, int(bays), rooms, taps, basins, squats_girls, squats_boys, showers,
    )  # fmt: skip


def _beds(lodgers: float, luck: np.random.Generator) -> tuple[int, int]:
    """Return beds for girls and boys: about what lodgers need, too few at one school in four."""
    scale = luck.uniform(0.70, 0.92) if luck.random() < SHORT_SHARE else luck.uniform(0.98, 1.20)
    return tuple(ceil(lodgers * share * scale * luck.uniform(0.95, 1.05) / 4) * 4 for share in (1 - BOYS, BOYS))  # type: ignore[return-value]


def staff(people: People, needs: dict[str, Demand], seed: int) -> list[tuple[object, ...]]:
    """Return the rows of staff.csv; those of the teaching points add up to the plan's 74 and 22."""
    luck = stream(seed, "staff")
    points = [s for s in people.schools.values() if s.kind == "teaching_point"]
    rows = [_point_row(school, posts) for school, posts in zip(points, _point_staff(points, luck), strict=True)]
    others = [s for s in people.schools.values() if s.kind != "teaching_point" and not s.opens_year]
    rows += [(school.id, *_posts(school, needs[school.id], luck), SYNTHETIC) for school in others]
    return rows


def _point_row(school: School, posts: tuple[int, int]) -> tuple[object, ...]:
    words = "derived: the plan's 74 teachers and 22 temporary staff of the 115 points, spread at random"
    return (school.id, *posts, 0, 0, 0, 0, words)


def _point_staff(points: list[School], luck: np.random.Generator) -> list[tuple[int, int]]:
    """One teacher for each point of 10 or more; then one post for each of the others while there are any.

    96 people are fewer than 115 points, so some points have nobody of their own: a teacher comes from the centre.
    """
    teachers, temporary = fact("teachers_moved"), fact("temporary_placed")
    order = sorted(range(len(points)), key=lambda k: (points[k].roll < 10, luck.random()))
    posts = [(0, 0)] * len(points)
    for rank, k in enumerate(order[: teachers + temporary]):
        posts[k] = (1, 0) if rank < teachers else (0, 1)
    return posts


def _posts(school: School, need: Demand, luck: np.random.Generator) -> tuple[int, ...]:
    """Teachers near the norm; life teachers, wardens, cooks and guards somewhat below it."""
    lodgers, roll = sum(need.lodgers.values()), need.roll
    teachers = sum(_teachers(need, kind) for kind in ("primary", "junior")) * luck.uniform(0.92, 1.08)
    temporary = int(luck.binomial(max(1, round(teachers)), 0.06))
    cooks = 0 if school.kind.startswith("town_") else max(1, round(roll / 100 * luck.uniform(0.7, 1.1)))
    life = round(lodgers / 60 * luck.uniform(0.6, 1.0))
    wardens = (2 if lodgers > 60 else 1) if lodgers >= 1 else 0
    guards = 1 + (roll >= 300) + (roll >= 1000) + (lodgers >= 300)
    return (max(2, round(teachers)), temporary, life, wardens, cooks, int(guards))


def _teachers(need: Demand, kind: str) -> float:
    """Return the teachers of a level by the norm: the larger number by pupils or by classes."""
    grades = [n for g, n in need.pupils.items() if level(g) == kind and n]
    by_class, seated = 0.0, SMALL_CLASS + 1
    for pupils in grades:
        if kind == "junior" or pupils > SMALL_CLASS:
            by_class, seated = by_class + ceil(pupils / CLASS_SIZE[kind]) * PER_CLASS[kind], SMALL_CLASS + 1
        elif seated + pupils <= SMALL_CLASS:  # neighbouring grades share a class
            seated += pupils
        else:
            by_class, seated = by_class + 1, pupils
    return max(by_class, sum(grades) / PER_TEACHER[kind])


def campuses(people: People, needs: dict[str, Demand], seed: int) -> list[tuple[object, ...]]:
    """Return the rows of campuses.csv: the schools that are open today; the plan calls them the county's."""
    luck = stream(seed, "campuses")
    rows: list[tuple[object, ...]] = []
    for school in people.schools.values():
        if school.kind == "teaching_point":
            grades = school.grades[1] - school.grades[0] + 1
            area = grades * POINT_CLASS * M2_PER_PLACE * luck.uniform(*POINT_SIZE)
            words = "synthetic: classrooms for its grades, drawn from 0.3 to 1.5 of the norm; owner assumed"
        elif not school.opens_year:
            area = needs[school.id].roll * luck.uniform(*M2_PER_PUPIL)
            words = "synthetic: drawn from 7 to 12 m2 a pupil; owner assumed"
        else:
            continue
        rows.append((school.id, int(round(area, -1)), "county", words))
    return rows


PROJECTS = (  # assumption: years, and all quantities but the plan's 3,500 and 6,000 places
    ("town_junior_6", 2024, "places", 1750), ("town_junior_7", 2026, "places", 1750),
    ("town_primary_6", 2024, "places", 2000), ("town_primary_7", 2025, "places", 2000),
    ("town_primary_8", 2026, "places", 2000),
)  # fmt: skip
ENLARGED = ("xijiang_primary", "zhuangkou_primary", "yunmenling_primary", "xiaolong_primary", "youshui_primary")
WORKS = (  # assumption: quantities and years; works that are paid and change no school day
    ("living_rooms", ("central_primary", "nine_year", "town_primary"), 10, "四(三): rooms for the young"),
    ("road_safety_km", ("central_primary", "nine_year"), 2, "四(三): safer roads to school"),
    ("teacher_flats", ("central_primary", "nine_year"), 6, "六(二): better flats for teachers"),
)


def projects(people: People) -> list[tuple[object, ...]]:
    """Return the rows of projects.csv: new schools in town, central schools to be enlarged, works of the plan."""
    total = "derived: 3,500 junior and 6,000 primary places (会府办字〔2023〕62号 四(一)); split and year assumed"
    rows = [(school, year, adds, quantity, "", total) for school, year, adds, quantity in PROJECTS]
    words = "synthetic: named for enlargement in 会府办字〔2023〕62号 四(二); year and quantity assumed"
    for k, school in enumerate((*ENLARGED, "baie_nine_year")):
        for adds, quantity in (("beds_girls", 24), ("beds_boys", 24), ("canteen_seats", 60), ("windows", 1)):
            rows.append((school, 2024 + k % 2, adds, quantity, "", words))
    for adds, kinds, quantity, named in WORKS:
        words = f"synthetic: asked for in 会府办字〔2023〕62号 {named}; schools, year and quantity assumed"
        here = [s.id for s in people.schools.values() if s.kind in kinds and not s.opens_year]
        rows += [(school, 2024 + k % 2, adds, quantity, "", words) for k, school in enumerate(here)]
    return [(f"p{n:02d}", *row) for n, row in enumerate(rows, start=1)]
