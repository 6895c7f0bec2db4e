"""How many pupils live in each hamlet and which school they attend: a synthesis that adds up to the facts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from huichang.land import Home, Land, draw_blocks
from huichang.sources import BASE_YEAR, GRADES, Township, fact, source, stream

PUPILS = 60_000  # derived: 451,880 residents x 22.6 % aged 0-15 x 9/16 of these years, rounded up
BOYS = 0.53  # assumption: Jiangxi has more boys
SEAT_SHARE = 0.24  # assumption: share of a township's pupils who live at its seat
DENSITY_KM = 6.0  # assumption: villages get smaller with distance from the seat
SIZE_SD = 0.45  # assumption: spread of the logarithm of village sizes
BLOCK_PUPILS = 550  # assumption: about 60 a grade, so that a catchment can be drawn to a class or two
TOWN_TILT = 0.02  # assumption: the town's share grows by this part a grade, as older pupils move more
UPPER_SHARE = 0.9  # assumption: pupils of a catchment in a grade above the point's, per pupil in a grade of its own
CATCH_KM = 2.5  # a village school takes villages up to this far, if the township's centre is farther
RECEIVES_FROM = 100  # assumption: village schools this large take pupils of closed points
VILLAGE_MIN_EXPECTED = 52  # grades 1-6 of a village school, so that none falls under 30


@dataclass
class School:
    """A school while its rows are being written."""

    id: str
    name_zh: str
    name_en: str
    township: str
    kind: str
    node: str
    grades: tuple[int, int]
    source: str
    receives: bool = True
    opens_year: int | None = None
    roll: int = 0


@dataclass
class People:
    """Schools, the school of each home, and pupils (home, grade, sex)."""

    schools: dict[str, School] = field(default_factory=dict)
    school_of: dict[str, str] = field(default_factory=dict)
    pupils: dict[tuple[str, int, str], int] = field(default_factory=dict)

    def count(self, home: str, grade: int) -> int:
        """Return the pupils of a home and grade."""
        return self.pupils[home, grade, "f"] + self.pupils[home, grade, "m"]


OPENS = {
    "县城第六中学": 2024,
    "县城第七中学": 2026,
    "县城第六小学": 2024,
    "县城第七小学": 2025,
    "县城第八小学": 2026,
    "县城第四中学": 2024,
}
TOWN_SITES = {  # assumption: the quarter each town school stands in
    **{f"县城第{n}小学": f"town_{k}" for k, n in enumerate("一二三四五六七八", start=1)},
    "县城第二中学": "town_1", "县城第三中学": "town_3", "县城第五中学": "town_5",
    "县城第四中学": "town_7", "县城第六中学": "town_2", "县城第七中学": "town_6",
}  # fmt: skip
GRADES_OF = {
    "central_primary": (1, 6), "village": (1, 6), "junior": (7, 9), "nine_year": (1, 9),
    "town_primary": (1, 6), "town_junior": (7, 9),
}  # fmt: skip


def point_rolls(seed: int) -> list[int]:
    """Return the rolls of the teaching points: 104 under 10, then 11 of 10 to 29, together 363 pupils."""
    luck = stream(seed, "point rolls")
    small, large = fact("schools_under_10"), fact("schools_10_to_29")
    big = np.clip(np.round(10 + luck.gamma(1.2, 4.0, large)), 10, 29).astype(int)
    rest = fact("pupils_placed") - int(big.sum()) - small
    few = np.ones(small, dtype=int)
    while rest:
        k = int(luck.integers(small))
        if few[k] < 9 and luck.random() < 0.3 + 0.1 * few[k]:
            few[k] += 1
            rest -= 1
    return [int(roll) for roll in (*few, *big)]


def points_by_township(townships: list[Township], seed: int) -> dict[str, int]:
    """Spread the teaching points over the townships by villages without a school of their own."""
    taken = source("schools").query("kind == 'village'").groupby("township").size()
    free = np.array([max(0, t.villages - 1 - int(taken.get(t.name_zh, 0))) for t in townships])
    total = fact("schools_under_10") + fact("schools_10_to_29")
    share = _rounded(free.astype(float), total)
    assert (share <= free).all()
    return dict(zip([t.id for t in townships], share.tolist(), strict=True))


def _rounded(weights: np.ndarray, total: int) -> np.ndarray:
    """Return whole numbers in proportion to weights that add up to `total` (largest remainder)."""
    exact = weights / weights.sum() * total
    whole = np.floor(exact).astype(int)
    for k in np.argsort(whole - exact, kind="stable")[: total - int(whole.sum())]:
        whole[k] += 1
    return whole


def grade_totals() -> tuple[dict[int, int], dict[int, int]]:
    """Return pupils by grade outside and in the town: national birth cohorts, 40 % in the town."""
    births = source("births_china").set_index("year")["births_nbs_10k"]
    cohort = [entrants(births, BASE_YEAR - grade + 1) for grade in GRADES]
    both = _rounded(np.array(cohort), PUPILS)
    tilt = np.array([1 + TOWN_TILT * (grade - 5) for grade in GRADES])
    town = _rounded(both * tilt, PUPILS * fact("town_share_percent") // 100)
    rural = both - town
    return dict(zip(GRADES, rural.tolist(), strict=True)), dict(zip(GRADES, town.tolist(), strict=True))


def entrants(births, year: int) -> float:  # type: ignore[no-untyped-def]
    """Return the births that enter grade 1 in a year: one third of seven years before, two thirds of six."""
    return float(births[str(year - 7)]) / 3 + float(births[str(year - 6)]) * 2 / 3


def draw_people(land: Land, townships: list[Township], seed: int) -> People:
    """Return the schools and the pupils of every home."""
    people = People()
    rural, town = grade_totals()
    _central_schools(people, land, townships, stream(seed, "schools"))
    quarters = _quarter_pupils(land, town, stream(seed, "town pupils"))
    many = {q: round(sum(pupils.values()) / BLOCK_PUPILS) for q, pupils in quarters.items()}
    draw_blocks(land, many, stream(seed, "town blocks"))
    _village_schools(people, land, townships, stream(seed, "village schools"))
    _points(people, land, townships, seed)
    _attend(people, land)
    _rural_pupils(people, land, townships, rural, stream(seed, "rural pupils"))
    _block_pupils(people, land, quarters, stream(seed, "block pupils"))
    _rolls(people, land)
    return people


def _central_schools(people: People, land: Land, townships: list[Township], luck: np.random.Generator) -> None:
    """Central, junior and nine-year schools near the seats; town schools near the town's centre."""
    ids = {t.name_zh: t.id for t in townships}
    for row in source("schools").query("kind != 'village'").itertuples(index=False):
        in_town = row.kind.startswith("town_")
        seat = TOWN_SITES[row.name_zh] if in_town else row.village or row.township
        key = _school_id(row, ids)
        angle, far = luck.uniform(0, 2 * np.pi), luck.uniform(0.1, 0.3) if in_town else luck.uniform(0.2, 0.7)
        node = f"s_{key}"
        x, y = land.nodes[seat].x + far * np.cos(angle), land.nodes[seat].y + far * np.sin(angle)
        yard = not in_town and row.kind in ("central_primary", "nine_year") and not row.village
        land.add_school_node(node, (float(x), float(y)), row.township, seat, round(far * 1.25, 2), yard=yard)
        people.schools[key] = School(
            key, row.name_zh, row.name_en, row.township, row.kind, node, GRADES_OF[row.kind],
            f"synthetic: position drawn, roll follows; {row.source}", opens_year=OPENS.get(row.name_zh),
        )  # fmt: skip


def _school_id(row, ids: dict[str, str]) -> str:  # type: ignore[no-untyped-def]
    place = "changling" if row.village == "长岭" else ids[row.township]
    number = "".join(c for c in row.name_en if c.isdigit())
    return {
        "central_primary": f"{place}_primary", "junior": f"{place}_junior", "nine_year": f"{place}_nine_year",
        "town_primary": f"town_primary_{number}", "town_junior": f"town_junior_{number}",
    }[row.kind]  # fmt: skip


def _village_schools(people: People, land: Land, townships: list[Township], luck: np.random.Generator) -> None:
    """Village schools stand in the village they are named after, donor-named ones in a drawn village."""
    table = source("schools").query("kind == 'village'")
    for t in townships:
        villages = [h for h in land.homes if h.township == t.name_zh and not h.at_seat and not h.is_point]
        rows = list(table[table["township"] == t.name_zh].itertuples(index=False))
        named = {row.village for row in rows if row.village}
        free = [h for h in villages if h.name_zh not in named and not _has_point(land, h)]
        free.sort(key=lambda h: -h.from_seat_km)
        for number, row in enumerate(rows, start=1):
            home = next((h for h in villages if h.name_zh == row.village), None)
            home = home or free.pop(int(luck.integers(max(1, len(free) // 2))))
            key = f"{t.id}_village_{number:02d}"
            people.schools[key] = School(
                key, row.name_zh, row.name_en, t.name_zh, "village", home.node, (1, 6),
                f"synthetic: position drawn, roll follows; {row.source}", receives=False,
            )  # fmt: skip


def _has_point(land: Land, village: Home) -> bool:
    ends = {edge.start if edge.end == village.node else edge.end for edge in land.touching(village.node)}
    return any(home.is_point and home.node in ends for home in land.homes)


def _points(people: People, land: Land, townships: list[Township], seed: int) -> None:
    """One teaching point in each catchment: 104 with grades 1-3 and 11 with grades 1-4."""
    luck = stream(seed, "points")
    names = {t.name_zh: t for t in townships}
    homes = [home for home in land.homes if home.is_point]
    for home, roll in zip([homes[k] for k in luck.permutation(len(homes))], point_rolls(seed), strict=True):
        t = names[home.township]
        number = home.id.rsplit("_p", 1)[1]
        village = home.name_zh.removesuffix("点片(合成)")
        made_up = "号村" in village
        key = f"{t.id}_point_{number}"
        words = "synthetic: teaching point drawn; " + ("name made up" if made_up else "named after a real village")
        people.schools[key] = School(
            key, f"{village}点" + ("(合成)" if made_up else ""), f"{t.name_en} Teaching Point {int(number)}", t.name_zh,
            "teaching_point", home.node, (1, 4 if roll >= 10 else 3), words, receives=False, roll=roll,
        )  # fmt: skip
        people.school_of[home.id] = key


def _attend(people: People, land: Land) -> None:
    """Give every home its primary school: the point, the village school nearby, or the township's centre.

    Each quarter of the town has a school; where that opens later, pupils attend another one until then.
    """
    primaries = [s.id for s in people.schools.values() if s.kind == "town_primary"]
    of_quarter = dict(zip(land.quarters, primaries, strict=True))
    for home in land.homes:
        if home.quarter:
            people.school_of[home.id] = of_quarter[home.quarter]
            continue
        people.school_of.setdefault(home.id, _nearest_primary(people, land, home))


def _nearest_primary(people: People, land: Land, home: Home) -> str:
    """Return the village school in reach, unless the township's centre is nearer."""
    own = [s for s in people.schools.values() if s.township == home.township and s.grades[0] == 1]
    central = [s for s in own if s.kind in ("central_primary", "nine_year")]
    village = [s for s in own if s.kind == "village"]
    near = min(central, key=lambda s: land.straight_km(home.node, s.node))
    close = min(village, key=lambda s: land.straight_km(home.node, s.node), default=near)
    far = land.straight_km(home.node, close.node)
    if home.at_seat or far > CATCH_KM or far > land.straight_km(home.node, near.node):
        return near.id
    return close.id


def _weights(people: People, land: Land, t: Township, luck: np.random.Generator) -> dict[str, float]:
    """Return the share of a township's pupils in each of its homes (catchments of points excepted)."""
    homes = [h for h in land.homes if h.township == t.name_zh and h.kind == "village"]
    size = {h.id: float(np.exp(SIZE_SD * luck.normal() - h.from_seat_km / DENSITY_KM)) for h in homes}
    seat = [h.id for h in homes if h.at_seat]
    rest = sum(size[h.id] for h in homes if not h.at_seat)
    for name in seat:
        size[name] = rest * SEAT_SHARE / (1 - SEAT_SHARE) / len(seat)
    total = sum(size.values())
    return {name: weight / total for name, weight in size.items()}


def _rural_pupils(
    people: People, land: Land, townships: list[Township], totals: dict[int, int], luck: np.random.Generator
) -> None:
    """Draw the pupils outside the town: catchments of points first, the rest by township and village."""
    for home in (h for h in land.homes if h.is_point):
        school = people.schools[people.school_of[home.id]]
        grades = range(1, school.grades[1] + 1)
        own = luck.multinomial(school.roll, [1 / len(grades)] * len(grades))
        for grade in GRADES:
            drawn = (
                int(own[grade - 1]) if grade in grades else int(luck.poisson(UPPER_SHARE * school.roll / len(grades)))
            )
            _put(people, home.id, grade, drawn, luck)
    weight = _village_weights(people, land, townships, sum(totals.values()), luck)
    for grade in GRADES:
        placed = sum(people.count(h.id, grade) for h in land.homes if h.is_point)
        drawn = luck.multinomial(totals[grade] - placed, list(weight.values()))
        for home_id, count in zip(weight, drawn, strict=True):
            _put(people, home_id, grade, int(count), luck)


def _village_weights(
    people: People, land: Land, townships: list[Township], total: int, luck: np.random.Generator
) -> dict[str, float]:
    """Return the share of the rural pupils in each village, with no village school too small."""
    rural = sum(t.rural_weight for t in townships)
    weight = {
        name: share * t.rural_weight / rural
        for t in townships
        for name, share in _weights(people, land, t, luck).items()
    }
    for school in (s for s in people.schools.values() if s.kind == "village"):
        catchment = [name for name in weight if people.school_of[name] == school.id]
        expected = sum(weight[name] for name in catchment) * total * 6 / 9
        if expected < VILLAGE_MIN_EXPECTED:
            for name in catchment:
                weight[name] *= VILLAGE_MIN_EXPECTED / expected
    whole = sum(weight.values())
    return {name: share / whole for name, share in weight.items()}


def _quarter_pupils(
    land: Land, totals: dict[int, int], luck: np.random.Generator
) -> dict[str, dict[tuple[int, str], int]]:
    """Draw the pupils of each quarter of the town by grade and sex."""
    share = luck.dirichlet(np.full(len(land.quarters), 30.0))
    drawn: dict[str, dict[tuple[int, str], int]] = {quarter: {} for quarter in land.quarters}
    for grade in GRADES:
        for pupils, count in zip(drawn.values(), luck.multinomial(totals[grade], share), strict=True):
            pupils[grade, "f"], pupils[grade, "m"] = _sexes(int(count), luck)
    return drawn


def _block_pupils(
    people: People, land: Land, quarters: dict[str, dict[tuple[int, str], int]], luck: np.random.Generator
) -> None:
    """Spread the pupils of each quarter over its blocks, each as likely."""
    for quarter, pupils in quarters.items():
        blocks = [home.id for home in land.homes if home.quarter == quarter]
        for (grade, sex), count in pupils.items():
            parts = luck.multinomial(count, np.full(len(blocks), 1 / len(blocks)))
            people.pupils.update({(block, grade, sex): int(part) for block, part in zip(blocks, parts, strict=True)})


def _put(people: People, home: str, grade: int, count: int, luck: np.random.Generator) -> None:
    people.pupils[home, grade, "f"], people.pupils[home, grade, "m"] = _sexes(count, luck)


def _sexes(count: int, luck: np.random.Generator) -> tuple[int, int]:
    """Return how many of so many pupils are girls and boys."""
    boys = int(luck.binomial(count, BOYS))
    return count - boys, boys


def _rolls(people: People, land: Land) -> None:
    """Count the roll of every school before anything closes."""
    for school in people.schools.values():
        school.roll = 0
    for home in land.homes:
        for grade in GRADES:
            people.schools[attends(people, land, home, grade)].roll += people.count(home.id, grade)
    for school in people.schools.values():
        if school.kind == "village":
            school.receives = school.roll >= RECEIVES_FROM
    under = [s for s in people.schools.values() if s.kind == "village" and s.roll < 30]
    assert not under, under


def attends(people: People, land: Land, home: Home, grade: int, *, points_open: bool = True) -> str:
    """Return the school of a home and grade: its own where it has the grade, else the township's centre."""
    school = people.schools[people.school_of[home.id]]
    open_ = not school.opens_year and (points_open or school.kind != "teaching_point")
    if school.grades[0] <= grade <= school.grades[1] and open_:
        return school.id
    town = home.kind == "town"
    fits = [
        s for s in people.schools.values()
        if s.receives and not s.opens_year and s.township == home.township
        and s.grades[0] <= grade <= s.grades[1] and s.kind.startswith("town_") == town
    ]  # fmt: skip
    return min(fits, key=lambda s: land.straight_km(home.node, s.node)).id
