"""What a decision about a school means for its pupils and people: where they go and how, meals, beds, new posts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.tell.case import Case
from sim.tell.group import MODES, Group, SchoolPlans, grades_of
from sim.tell.number import money, number, percent
from sim.tell.run import COUNTY, Run
from sim.tell.trip import LAST_YOUNG, Timetable

POSTS = {
    "teachers": "teacher", "temporary": "temporary", "life_teachers": "life_teacher", "wardens": "warden",
    "canteen_workers": "canteen_worker", "guards": "guard",
}  # fmt: skip
"""Column of staff.csv -> post."""
ROOMS = ("classroom_seat", "kitchen", "canteen_seat", "bed_girls", "bed_boys")
MOST_SAID = 3
"""Ways of so many homes are told in sentences, those worst off first; all stand in the table."""
IN_THE_VILLAGE_KM = 0.5
"""Assumption: a school no farther than this by road counts as in the village."""


def travel(plans: SchoolPlans, case: Case, groups: Sequence[Group]) -> list[str]:
    """Return for each hamlet and school where its pupils go, how, how long it takes, and what the limit is."""
    said, word = [], case.words
    told: dict[tuple[str, str | None], list[Any]] = {}
    for group in groups:
        row = group.row
        told.setdefault((row.hamlet_id, row.to_school_id if group.placed else None), []).append(row)
    for (hamlet, to), rows in list(told.items())[:MOST_SAID]:
        first, name = rows[0], _hamlet(case.run, hamlet)
        if to is None:
            said.append(word("sheet.nowhere", hamlet=name))
            continue
        parts = [word(f"sheet.goes.{case.verdict}", hamlet=name, school=case.run.site(to, short=True))]
        parts += [_way(case, first), *_time(plans.timetable, case, first)]
        if not case.run.public:
            parts += [word("sheet.who", year=row.year, grades=row.grades, pupils=_up(row.pupils)) for row in rows]
        said.append(word.speak(parts))
    said += [word("sheet.others_below")] * (len(told) > MOST_SAID)
    return [*said, *_split(case), *_fare(case)]


def _hamlet(run: Run, hamlet: str) -> str:
    return run.hamlet_names.get(hamlet, "") or hamlet


def _way(case: Case, row: Any) -> str:
    """Return how far it is, was, and by which ways the pupils go."""
    word = case.words
    here = row.km_before < IN_THE_VILLAGE_KM
    before = word("sheet.near") if here else word("sheet.far", km=number(row.km_before, 1))
    ways = word("sheet.or").join(word(f"sheet.mode.{mode}") for mode in MODES if getattr(row, mode) > 0)
    key = {"close": "sheet.way", "keep": "sheet.way_then", "reopen": "sheet.way_back"}
    return word(key[case.verdict], km=number(row.km, 1), before=before, ways=ways)


def _time(timetable: Timetable, case: Case, row: Any) -> list[str]:
    """Return the minutes on foot and by bus in words, each with the limits of the grades that go so."""
    if case.verdict == "reopen":
        return []
    on_foot = timetable.walk_min(row.km)
    limits = _bands(case)
    walk = {band: limit for band, limit in limits.items() if row.walk > 0 and on_foot <= limit}
    drive = {band: limit for band, limit in limits.items() if band not in walk}
    said = [case.words("sheet.walk_time", min=_up(on_foot)), *_kept(case, walk, on_foot)] if walk else []
    return [*said, *_by_bus(timetable, case, row, drive)] if drive else said


def _by_bus(timetable: Timetable, case: Case, row: Any, limits: dict[str, float]) -> list[str]:
    """Return the minutes from door to school by bus: on its planned run, or straight where none is planned."""
    word, fleet = case.words, case.run.settings.fleet
    stop = row.stop_id if pd.notna(row.stop_id) else row.hamlet_id
    planned = timetable.planned(row) if case.verdict == "close" else []
    aboard = planned[0].ride if planned else row.minutes
    said = [word("sheet.bus_takes" if planned else "sheet.bus_straight", min=_up(aboard))]
    before = timetable.before_bus(row)
    if stop != row.hamlet_id:
        said.insert(0, word("sheet.stop", stop=_hamlet(case.run, stop), km=number(row.stop_km, 1)))
    total = aboard
    if fleet.limit_includes_walk_and_wait:
        total += before + fleet.wait_at_stop_min
        told = {"walk": _up(before), "wait": _up(fleet.wait_at_stop_min), "total": _up(total)}
        said.append(word("sheet.door", **told))
    detour = any(round(total - aboard + row.minutes, 6) <= limit < round(total, 6) for limit in limits.values())
    return [*said, *_kept(case, limits, total), *([word("sheet.detour", min=_up(row.minutes))] if detour else [])]


def _bands(case: Case) -> dict[str, float]:
    """Return the limits in minutes of the bands of grades that the school has."""
    fleet, row = case.run.settings.fleet, case.run.schools.loc[case.school]
    young = {"young": fleet.ride_limit_young_min} if int(row["first_grade"]) <= LAST_YOUNG else {}
    return young | ({"older": fleet.ride_limit_older_min} if int(row["last_grade"]) > LAST_YOUNG else {})


def _kept(case: Case, limits: dict[str, float], total: float) -> list[str]:
    """Return each limit, and whether so many minutes keep it."""
    return [
        case.words(f"sheet.limit.{band}.{'over' if over > 0 else 'kept'}", limit=number(limit, 0), over=_up(over))
        for band, limit in limits.items()
        for over in (np.ceil(round(total - limit, 6)),)
    ]


def _up(amount: float) -> str:
    """Return minutes or pupils as people say them: whole, the next higher, as no limit is kept by rounding down."""
    return number(float(np.ceil(round(amount, 6))), 0)


def _split(case: Case) -> list[str]:
    """Return which hamlets' pupils go to different schools, and why."""
    apart = dict.fromkeys((row.hamlet_id, row.split) for row in case.rows if pd.notna(row.split))
    return [
        case.words("sheet.split", hamlet=_hamlet(case.run, hamlet), why=case.words.term("sheet.split", split))
        for hamlet, split in apart
    ]


def _fare(case: Case) -> list[str]:
    """Return what families pay for a seat on the bus."""
    fare = case.run.settings.prices.get("family_fare_per_month")
    rides = case.verdict != "reopen" and any(row.school_bus > 0 for row in case.rows)
    if not rides or fare is None or fare.central <= 0:
        return []
    return [case.words("sheet.fare", fare=money(fare.central, case.words))]


def room(case: Case) -> list[str]:
    """Return what there is at each receiving school: class places, meals, seats, beds; and who may sleep there."""
    said, word, run = [], case.words, case.run
    for to in dict.fromkeys(row.to_school_id for row in case.rows if pd.notna(row.to_school_id)):
        has = {resource: run.capacity.get((to, case.last.year, resource), 0.0) for resource in ROOMS}
        beds = has["bed_girls"] + has["bed_boys"]
        sizes = {"places": has["classroom_seat"], "meals": has["kitchen"], "seats": has["canteen_seat"], "beds": beds}
        keys = [name for name, size in sizes.items() if size > 0]
        parts = [word(f"sheet.room.{name}", count=number(sizes[name], 0)) for name in keys]
        if parts:
            said.append(word("sheet.room", school=run.site(to, short=True), parts=word.join(parts)))
    lodge = run.settings.lodge
    if said and lodge.from_grade > 1:
        said.append(
            word(
                "sheet.day_pupils.service" if lodge.service_mode else "sheet.day_pupils",
                grade=word.term("grade", lodge.from_grade - 1),
            )
        )
    return said


def others(case: Case) -> list[str]:
    """Return the nearest other schools and why pupils do not go there, and other plans nearly as good; each once."""
    said = []
    for row in case.rows:
        for k in (1, 2):
            other = getattr(row, f"alternative_{k}")
            if pd.isna(other):
                continue
            reason = case.words.term("sheet.not", getattr(row, f"alternative_{k}_reason"))
            minutes = _up(getattr(row, f"alternative_{k}_minutes"))
            names = {"school": case.run.site(other, short=True), "hamlet": _hamlet(case.run, row.hamlet_id)}
            said.append(case.words("sheet.rejected", **names, min=minutes, reason=reason))
    return list(dict.fromkeys([*said, *_other_plans(case)]))


def _other_plans(case: Case) -> list[str]:
    """Return where the pupils would go by the other assignments of alternatives.csv, and why those were not chosen."""
    table, word, said = case.run.if_there("alternatives"), case.words, []
    homes = {(row.year, row.hamlet_id, grade) for row in case.rows for grade in grades_of(row.grades)}
    if table.empty or case.verdict != "close":
        return []
    for row in table[table["school_id"].notna()].itertuples():
        if (row.year, row.hamlet_id, row.grade) in homes:
            names = {"school": case.run.site(row.school_id, short=True), "hamlet": _hamlet(case.run, row.hamlet_id)}
            worse = {"min": _up(row.minutes), "worse": percent(row.worse_by, 1)}
            said.append(word("sheet.other_plan", number=row.alternative, year=row.year, **names, **worse))
    return said


def staff(case: Case) -> list[str]:
    """Return who works at the school, where they go and as what, and who has no post yet."""
    word, run, here = case.words, case.run, people_here(case)
    if not here:
        return [word("sheet.staff.nobody")]
    said = [word("sheet.staff.here", people=word.join(here))]
    if case.verdict != "close":
        return [*said, word(f"sheet.staff.{case.verdict}")]
    if case.empty_from > case.last.year:
        said.append(word("sheet.staff.until", year=case.empty_from))
    if case.empty_from > run.years[-1]:
        return [*said, word("sheet.staff.beyond")]
    going: dict[str, list[str]] = {}
    for row in run.moved.get((case.school, case.empty_from), ()):
        going.setdefault(row.site_id, []).append(_people(case, row.post, int(row.filled)))
    for site, people in going.items():
        key = "sheet.staff.none" if site == COUNTY else "sheet.staff.goes"
        said.append(
            word(key, people=word.join(people), **({} if site == COUNTY else {"school": run.site(site, short=True)}))
        )
    return said


def people_here(case: Case) -> list[str]:
    """Return who works at the school today, post by post."""
    listed = case.run.staff.get(case.school)
    here = {post: int(listed[column]) for column, post in POSTS.items()} if listed else {}
    return [_people(case, *each) for each in here.items() if each[1]]


def _people(case: Case, post: str, count: int) -> str:
    name = case.words.term("sheet.post" if count == 1 else "sheet.posts", post)
    return case.words("sheet.people", count=count, post=name)


def campus(plans: SchoolPlans, case: Case) -> list[str]:
    """Return what happens with the buildings: their floor area, who owns them then, and what becomes of them, when."""
    word, said = case.words, []
    before: tuple[str, ...] = ()
    for row in plans.campuses.get(case.school, ()) if case.verdict == "close" else ():
        if not before:
            area = number(row.area_m2, 0)
            said.append(word("sheet.campus.area", area=area, owner=word.term("campus_owner", row.owner)))
        use = row.use if isinstance(row.use, str) else ""
        now = (row.status, use, row.reason)
        if now != before:
            told = [word.term("campus_status", row.status), *([word.term("campus_use", use)] if use else [])]
            reason = word.term("campus_reason", row.reason)
            said.append(word("sheet.campus.year", year=row.year, what=word.join(told), reason=reason))
        before = now
    return said
