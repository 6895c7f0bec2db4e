"""One pupil, one file: a card for each planned place of a school that closes, filled in by hand; internal only."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sim.tell.case import Case, file_of
from sim.tell.grid import Cell
from sim.tell.group import COLUMNS, Group, SchoolPlans, cells, grades_of

HANDOVER = ("record", "health", "aid", "needs", "books", "guardian", "stop", "first_day")
"""What is handed over from school to school, and to the family."""
FOLDER = "sheets/pupils"
Planned = dict[tuple[int, str, int], float]
Sexes = Counter[tuple[int, str, int, str]]


class Card(NamedTuple):
    """One place in the plan: its number, what is known of it, and the ways to school that are planned."""

    number: int
    where: list[tuple[str, str]]
    ways: list[list[Cell]]


def pupil_files(plans: SchoolPlans) -> dict[str, dict[str, Any]]:
    """Return the cards of each school that closes by file name; nothing on a public run.

    A card is a place in the plan, not a child: as many as the plan counts on in each grade of a home, rounded up.
    Sex is that of the first replication as far as it has pupils there; else it is left open.
    """
    closing = [case for case in plans.cases if case.verdict == "close"]
    if plans.run.public or not closing:
        return {}
    expected, sexes = _planned(plans), _sexes(plans)
    made = [(case, _cards(plans, case, expected, sexes)) for case in closing]
    return {
        file_of(case.school).replace("sheets/", f"{FOLDER}/", 1): _page(case, cards) for case, cards in made if cards
    }


def _page(case: Case, made: list[Card]) -> dict[str, Any]:
    return {
        "title": case.words("pupil_file.title", school=case.run.site(case.school)),
        "cards": made,
        "columns": [case.words(f"sheet.column.{name}") for name in COLUMNS],
        "handover": [case.words(f"pupil_file.handover.{each}") for each in HANDOVER],
    }


def _cards(plans: SchoolPlans, case: Case, expected: Planned, sexes: Sexes) -> list[Card]:
    """Return the cards of a school by year, home and grade."""
    made: list[Card] = []
    for group in sorted(plans.groups(case), key=lambda group: (group.row.year, group.row.hamlet_id, group.row.grades)):
        for grade in grades_of(group.row.grades):
            mine = [way for way in group.after if way.trip.mode != "lodge" or group.lodges(grade)]
            ways = [cells(group, "after", way, share=False) for way in mine]
            key = (group.row.year, group.row.hamlet_id, grade)
            places = int(np.ceil(round(expected.get(key, 0.0), 6)))
            known = [sex for sex in ("f", "m") for _ in range(sexes[(*key, sex)])]
            for sex in [*known, *[""] * places][:places]:
                made.append(Card(len(made) + 1, _where(case, group, grade, sex), ways))
    return made


def _where(case: Case, group: Group, grade: int, sex: str) -> list[tuple[str, str]]:
    """Return what is known of a place: label and text."""
    word, run, row = case.words, case.run, group.row
    to = run.site(row.to_school_id) if group.placed else word("sheet.no_school")
    told = {
        "year": str(row.year),
        "home": run.hamlet_names.get(row.hamlet_id, "") or row.hamlet_id,
        "grade": word.term("grade", grade),
        "sex": word(f"pupil_file.sex.{sex}") if sex else "",
        "from": run.site(case.school),
        "to": to,
    }
    if any(way.trip.mode == "school_bus" for way in group.after):
        stop = row.stop_id if pd.notna(row.stop_id) else row.hamlet_id
        told["stop"] = run.hamlet_names.get(stop, "") or stop
    return [(word(f"pupil_file.{name}"), text) for name, text in told.items()]


def _planned(plans: SchoolPlans) -> Planned:
    """Return how many pupils the plan counts on: (year, home, grade) -> pupils."""
    table = plans.run.totals("places", ["year", "hamlet_id", "grade"], "pupils")
    return table.set_index(["year", "hamlet_id", "grade"])["pupils"].to_dict()


def _sexes(plans: SchoolPlans) -> Sexes:
    """Return how many girls and boys came in the first replication: (year, home, grade, sex) -> pupils."""
    names = ["year", "hamlet_id", "grade", "sex", "pupils"]
    table = plans.run.folder.read_rows("enrolment", names, ("replication", "==", 0))
    return Counter(table.set_index(names[:-1])["pupils"].to_dict())
