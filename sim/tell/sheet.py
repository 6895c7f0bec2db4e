"""One school, one plan: a page for each school that closes, is kept or opens again, to be read aloud at a hearing."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pandas as pd

from sim.tell.cells import FEWEST, is_small
from sim.tell.number import TEN_THOUSAND_YUAN, money, number, percent
from sim.tell.run import Run

COUNTED = ("pupil", "bed", "rider", "meal")
"""Units of a shortfall that count pupils."""
MODES = ("walk", "family", "line_bus", "school_bus", "lodge")


def sheets(run: Run) -> dict[str, dict[str, Any]]:
    """Return what the page of each school says, by file name: its name, sentences, and a line for each hamlet.

    A public page tells of schools and ways, never of the pupils of a hamlet or grade; numbers that count fewer than
    five pupils, or from which they could be worked out, are left out.
    """
    if not run.folder.file("school_plans").is_file():
        return {}
    plans, decisions = run.table("school_plans"), run.table("closures")
    return {
        f"sheets/{_file_name(str(school))}.html": {
            "title": run.words("sheet.title", school=run.site(str(school))),
            "sentences": [text for row in rows.itertuples() for text in _decision(run, row)],
            "lines": _lines(run, plans[plans["school_id"] == school]),
        }
        for school, rows in decisions.groupby("school_id", sort=True)
    }


def _file_name(school: str) -> str:
    """Return an id as part of a file name: letters and digits of any script stand, all else as in an address (%2F).

    No two ids have the same name.
    """
    return re.sub(r"[^\w-]", lambda sign: quote(sign[0], safe=""), school)


def _decision(run: Run, row: Any) -> list[str]:
    """Return the verdict of a year in sentences: what is decided, what is not ready, what helps, what keeping costs."""
    word = run.words
    told = [word(f"sheet.{row.decision}", year=row.year)]
    if row.condition_failed == "hearing":
        told.append(word("sheet.hearing"))
    elif pd.notna(row.condition_failed):
        hidden = run.public and row.unit in COUNTED and is_small(row.shortfall)
        short = f"<{FEWEST}" if hidden else number(row.shortfall, None if row.unit == "minute" else 0)
        unit = word.term("sheet.unit", row.unit)
        told.append(word(f"sheet.failed.{row.condition_failed}", short=short, unit=unit))
        known = pd.notna(row.relief_cost_yuan) and not run.public
        price = word("sheet.price", price=money(row.relief_cost_yuan, word)) if known else ""
        told.append(word("sheet.relief", relief=word.term("relief", row.cheapest_relief), price=price))
    else:
        told.append(word("sheet.ready"))
    # To the yuan, the cost would tell the roll of a school that is funded as if it had a hundred pupils.
    cost = row.keep_cost_yuan_per_year
    shown = round(cost / TEN_THOUSAND_YUAN) * TEN_THOUSAND_YUAN if run.public and pd.notna(cost) else cost
    return [*told, word("sheet.keep_cost", cost=money(shown, word))]


def _lines(run: Run, plans: pd.DataFrame) -> list[str]:
    """Return a sentence for each hamlet and school, with the schools that were not chosen; each said once."""
    word, told = run.words, []
    for row in plans.itertuples():
        hamlet = run.hamlets.loc[row.hamlet_id, "name_zh"] if row.hamlet_id in run.hamlets.index else row.hamlet_id
        here = {"hamlet": str(hamlet) or row.hamlet_id, "before": number(row.km_before, 1)}
        if pd.isna(row.to_school_id):
            text = word("sheet.nowhere", **here)
        else:
            way = {"school": run.site(row.to_school_id), "km": number(row.km, 1), "min": number(row.minutes, 0)}
            text = word("sheet.goes", **here, **way)
        if not run.public:
            shares = [(mode, getattr(row, mode)) for mode in MODES]
            ways = word.join(
                [f"{word.term('sheet.mode', mode)} {percent(share)}" for mode, share in shares if share > 0]
            )
            text += word("sheet.who", grades=row.grades, pupils=number(row.pupils), ways=ways)
        told.append(text + "".join(_rejected(run, row, k) for k in (1, 2)))
    return list(dict.fromkeys(told))


def _rejected(run: Run, row: Any, k: int) -> str:
    """Return why the k-th nearest other school was not chosen; nothing where there is none."""
    other = getattr(row, f"alternative_{k}")
    if pd.isna(other):
        return ""
    reason = run.words.term("sheet.not", getattr(row, f"alternative_{k}_reason"))
    minutes = number(getattr(row, f"alternative_{k}_minutes"), 0)
    return run.words("sheet.rejected", school=run.site(other), min=minutes, reason=reason)
