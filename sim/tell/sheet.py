"""One school, one plan: a page for each school that closes, stays or opens again, to be read aloud at a hearing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sim.tables.closing import KINDS
from sim.tables.county import CONDITIONS
from sim.tell import group, journey
from sim.tell.case import Case, file_of, keep_cost
from sim.tell.cells import FEWEST, is_small
from sim.tell.group import SchoolPlans
from sim.tell.number import money, number
from sim.tell.run import Run
from sim.tell.sites import Sites, address, township_page

COUNTED = ("pupil", "bed", "rider", "meal")
"""Units of a shortfall that count pupils."""
RULES = ("size", "named", "listed")


def sheets(run: Run, sites: Sites | None = None) -> dict[str, dict[str, Any]]:
    """Return what the page of each school says, by file name: title, verdict, parts (name, heading, sentences), groups.

    A public page tells of schools and ways, never of the pupils of a hamlet or grade; numbers that count fewer than
    five pupils, or from which they could be worked out, are left out.
    """
    sites = sites or Sites(SchoolPlans(run))
    return {file_of(case.school): _page(sites, case) for case in sites.plans.cases}


def _page(sites: Sites, case: Case) -> dict[str, Any]:
    plans, township = sites.plans, str(case.run.schools.at[case.school, "township_id"])
    groups = plans.groups(case)
    travel = f"pupils_{case.verdict}"
    parts = {
        "history": history(case),
        "why": why(case),
        travel: journey.travel(plans, case, groups),
        "room": journey.room(case) if case.verdict != "reopen" else [],
        "ready": ready(case),
        "staff": journey.staff(case),
        "campus": journey.campus(plans, case),
        "cost": cost(case),
        "others": journey.others(case) if case.verdict != "reopen" else [],
        "later": later(case),
        "hearing": hearing(case),
    }
    return {
        "title": case.words("sheet.title", school=case.run.site(case.school)),
        "verdict": verdict(case),
        "decision": case.verdict,
        "parts": [(name, case.words(f"sheet.part.{name}"), said) for name, said in parts.items() if said],
        "groups": list(group.table(groups)),
        "after": travel,
        "columns": [case.words(f"sheet.column.{name}") for name in group.COLUMNS],
        "township": (sites.township(township, short=True), address(township_page(case.run, township))),
    }


def verdict(case: Case) -> str:
    """Return what is decided in the end, in one sentence."""
    slow = case.verdict == "close" and case.empty_from > case.last.year
    key = "sheet.close_slowly" if slow else f"sheet.{case.verdict}"
    return case.words(key, year=case.last.year, last=case.empty_from)


def history(case: Case) -> list[str]:
    """Return what happens in which year, where it is more than one thing."""
    word, said = case.words, []
    for row in case.steps:
        why = word.term("sheet.because", row.condition_failed) if pd.notna(row.condition_failed) else ""
        why = "" if row.decision == "close" else why
        said.append(word(f"sheet.in_year.{row.decision}", year=row.year) + why)
    if case.verdict == "close" and case.empty_from > case.last.year:
        leaves = [
            word("sheet.grade_leaves", year=year, grade=word.term("grade", grade)) for year, grade in case.leaving
        ]
        said.append(word.speak([*leaves, word("sheet.apart")]))
    return said if len(said) > 1 else []


def why(case: Case) -> list[str]:
    """Return why the school is on the list: a threshold with its year, or the list that names it."""
    said, found = [], case.found
    for ground in (rule for rule in RULES if rule in found.index):
        row = found.loc[ground]
        key = f"sheet.why.{ground}" + ("_public" if ground == "size" and case.run.public else "")
        size = {"limit": number(row["limit"], 0), "pupils": number(np.ceil(round(row["value"], 6)), 0)}
        said.append(case.words(key, year=int(row["since"]), **(size if ground == "size" else {})))
    return said


def hearing(case: Case) -> list[str]:
    """Return what the hearings have said so far, and what follows."""
    word, table = case.words, case.run.input("hearing.csv")
    held = table[(table["school_id"] == case.school)].sort_values("year") if len(table) else table
    held = held[held["year"].astype(int) <= case.run.years[-1]] if len(held) else held
    if held.empty:
        return [word("sheet.hearing.none"), *([word("sheet.hearing.proposal")] if case.verdict == "close" else [])]
    said = []
    for row in held.itertuples():
        asked = word.term("sheet.condition", getattr(row, "condition", "") or "all")
        said.append(word(f"sheet.hearing.{row.result}", year=row.year, condition=asked))
    refused = held["result"].iloc[-1] == "refused"
    return [*said, word("sheet.hearing.stays")] if refused and case.verdict == "keep" else said


def ready(case: Case) -> list[str]:
    """Return what is there for every pupil and what is short, the cheapest help, and what follows."""
    word, found = case.words, case.found
    tested = [condition for condition in CONDITIONS if condition in found.index]
    short = [condition for condition in tested if not found.loc[condition, "met"]]
    if tested and not short:
        return [word("sheet.ready")]
    said = [word(f"sheet.met.{condition}") for condition in tested if condition not in short]
    for condition in short:
        row = found.loc[condition]
        said.append(_shortage(case, condition, row) + _help(case, row))
    if short:
        said.append(word(f"sheet.then.{case.verdict}"))
    return said


def _shortage(case: Case, condition: str, row: pd.Series[Any]) -> str:
    """Return what is short, by how much; a public page hides numbers that count fewer than five pupils."""
    word, short = case.words, float(np.ceil(round(row["value"], 6)))
    hidden = case.run.public and row["unit"] in COUNTED and is_small(short)
    amount = word("sheet.few", fewest=FEWEST) if hidden else number(short, 0)
    return word(f"sheet.failed.{condition}_{row['unit']}", short=amount)


def _help(case: Case, row: pd.Series[Any]) -> str:
    """Return the cheapest relief with its price: that of all that is needed, or of one where few pupils need it.

    A public page has no price of several kinds: it would tell how many of each are needed.
    """
    word, units, yuan = case.words, row["relief_units"], row["relief_cost_yuan"]
    kinds = row["relief"].split(KINDS)
    relief = word.join([word.term("relief", kind) for kind in kinds])
    if pd.isna(yuan) or (case.run.public and len(kinds) > 1):
        return word("sheet.relief", relief=relief)
    if len(kinds) > 1:
        return word("sheet.relief_kinds", relief=relief, price=money(yuan, word))
    if case.run.public and is_small(units):
        return word("sheet.relief_each", relief=relief, price=money(yuan / units, word))
    return word("sheet.relief_all", relief=relief, units=number(units, 0), price=money(yuan, word))


def cost(case: Case) -> list[str]:
    """Return what keeping the school costs each year."""
    told = keep_cost(case.run, case.last.keep_cost_yuan_per_year)
    return [case.words(f"sheet.cost.{case.verdict}", cost=told)]


def later(case: Case) -> list[str]:
    """Return what happens if things turn out otherwise: whether and when the school opens again, or closes."""
    if case.verdict != "close":
        heard = case.last.condition_failed == "hearing"
        return [case.words("sheet.later.heard" if heard else f"sheet.later.{case.verdict}")]
    required = [each for each in CONDITIONS if each in case.found.index and case.found.loc[each, "required"]]
    if not case.run.settings.closure.reopen:
        return [case.words("sheet.later.no_rule")]
    if not required:
        return [case.words("sheet.later.nothing_required")]
    conditions = case.words.join([case.words.term("sheet.condition", each) for each in required])
    return [case.words("sheet.later.reopens", conditions=conditions)]
