"""The closures in short: how many schools are ready, what the others lack, what that costs, and their pages."""

from __future__ import annotations

from urllib.parse import quote

import pandas as pd

from sim.tables.county import CONDITIONS
from sim.tell.case import file_of, keep_cost
from sim.tell.cells import HIDDEN, hidden, is_small
from sim.tell.grid import Grid, grid
from sim.tell.number import money, number
from sim.tell.run import Run

DECISIONS = ("close", "keep", "reopen")


def tested(run: Run) -> pd.DataFrame:
    """Return what was found of each condition when a school was first closed on trial, as in grounds.csv."""
    if not run.folder.file("grounds").is_file():
        return pd.DataFrame()
    rows = run.table("grounds")
    rows = rows[rows["ground"].isin(CONDITIONS)]
    return rows[rows["year"] == rows.groupby("school_id")["year"].transform("min")]


def story(run: Run) -> list[str]:
    """Return how many schools the rules name, how many are ready, what fails most, and help against keeping."""
    word, last, found = run.words, run.last_decisions, tested(run)
    if last.empty or found.empty:
        return []
    count = {each: number(int((last["decision"] == each).sum())) for each in DECISIONS}
    said = [word("closing.count", named=number(len(last)), **count)]
    heard = int((last["condition_failed"] == "hearing").sum())
    said += [word("closing.heard", count=number(heard))] if heard else []
    again = last.loc[last["decision"] == "reopen", "condition_failed"].value_counts()
    if len(again):
        said.append(word("closing.again", what=word.term("column.condition", again.index[0])))
    return [*said, *_readiness(run, found)]


def _readiness(run: Run, found: pd.DataFrame) -> list[str]:
    """Return how many were ready, what most of the others lack, and what help costs against keeping them."""
    word, short = run.words, found[found["met"] == 0]
    schools, lacking = found["school_id"].nunique(), short["school_id"].unique()
    said = [word("closing.ready", ready=number(schools - len(lacking)), tested=number(schools))]
    if short.empty:
        return said
    most = short["ground"].value_counts()
    what, count = word.term("column.condition", most.index[0]), number(int(most.iloc[0]))
    said.append(word("closing.most", what=what, count=count, short=number(len(lacking))))
    help_yuan = short["relief_cost_yuan"].sum(min_count=1)
    if pd.notna(help_yuan) and not (run.public and is_small(_units(short))):
        first = run.table("closures").drop_duplicates("school_id").set_index("school_id")
        keep = keep_cost(run, first["keep_cost_yuan_per_year"].reindex(lacking).sum())
        said.append(word("closing.money", relief=money(help_yuan, word, run.public), keep=keep))
        said += [word("closing.unpriced")] if short["relief_cost_yuan"].isna().any() else []
    return said


def missing(run: Run) -> Grid:
    """Return for each condition at how many schools it was missing, where it is required, and what help costs."""
    word, found = run.words, tested(run)
    head = [word(f"column.{name}") for name in ("condition", "missing", "required_of", "relief_cost")]
    short = found[found["met"] == 0] if len(found) else found
    parts = [(each, short[short["ground"] == each]) for each in CONDITIONS] if len(short) else []
    parts = [(each, part) for each, part in parts if len(part)]
    away = hidden([_units(part) for _, part in parts], run.public)
    rows = [
        (
            word.term("column.condition", each),
            number(len(part)),
            number(int(part["required"].sum())),
            HIDDEN if gone else money(part["relief_cost_yuan"].sum(min_count=1), word, run.public),
        )
        for (each, part), gone in zip(parts, away, strict=True)
    ]
    return grid(head, rows, (1, 2, 3))


def _units(short: pd.DataFrame) -> float:
    """Return how many beds, seats or places are needed whose cost is told."""
    return float(short.loc[short["relief_cost_yuan"].notna(), "relief_units"].sum())


def pages(run: Run) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return for each decision its name and the schools with their pages: name and address from the report."""
    last = run.last_decisions
    if tested(run).empty:
        return []
    told = []
    for decision in DECISIONS:
        schools = sorted(last.loc[last["decision"] == decision, "school_id"])
        if schools:
            links = [(run.site(school, short=True), quote(file_of(school))) for school in schools]
            told.append((run.words(f"closing.{decision}", count=number(len(schools))), links))
    return told
