"""The annexes of a county's plan as tables: schools to close, schools that receive, bus runs, staff, money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sim.tell.cells import HIDDEN, hidden
from sim.tell.group import whole
from sim.tell.journey import people_here
from sim.tell.number import NONE, TEN_THOUSAND_YUAN, masked, money_scale, number, rough
from sim.tell.run import COUNTY, Run
from sim.tell.sites import Move, Sites
from sim.tell.township import farthest, modes, need, way_of
from sim.tell.trip import clock, run_name

PAYERS = ("county", "upper", "family", "all")
SPREAD = ("p50", "p80", "p95")
Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Annex:
    """One annex in words: its label, title, columns with widths in signs, rows, and the note below them.

    Cells are whole numbers (years, counts), amounts (float), texts, or None where a person fills something in.
    """

    label: str
    title: str
    columns: list[tuple[str, int]]
    rows: list[Row]
    note: str


def annexes(sites: Sites) -> list[Annex]:
    """Return the annexes in order."""
    word, made = sites.run.words, []
    for number_of, (name, list_) in enumerate(LISTS.items(), start=1):
        columns = [(word(f"annex.column.{column}"), width) for column, width in COLUMNS[name]]
        label, title = word("annex.number", number=number_of), word(f"annex.title.{name}")
        made.append(Annex(label, title, columns, list_(sites), word(f"annex.note.{name}")))
    return made


COLUMNS: dict[str, tuple[tuple[str, int], ...]] = {
    "closing": (
        ("number", 6), ("year", 8), ("township", 14), ("school", 26), ("grades", 8), ("pupils", 10), ("receiving", 26),
        ("km", 8), ("door_min", 10), ("ways", 24), ("remark", 24),
    ),
    "receiving": (
        ("number", 6), ("township", 14), ("school", 24), ("from_year", 8), ("schools", 8), ("received", 9),
        ("classroom_seat", 13), ("bed_girls", 13), ("bed_boys", 13), ("canteen_seat", 13), ("kitchen", 13),
        ("buses", 8), ("attendants", 8), ("staff_to_come", 26),
    ),
    "runs": (
        ("number", 6), ("school", 22), ("year", 8), ("run", 14), ("direction", 10), ("days", 12), ("stops", 58),
        ("seats", 7), ("load", 8), ("bus", 10), ("driver", 12), ("attendants", 9), ("attendant_names", 16),
    ),
    "staff": (
        ("number", 6), ("year", 8), ("township", 14), ("school", 26), ("people_now", 26), ("goes_to", 26),
        ("post", 16), ("people", 8), ("remark", 24),
    ),
    "money": (
        ("year", 10), ("county", 14), ("upper", 14), ("family", 14), ("all", 14), ("p50", 14), ("p80", 14), ("p95", 14),
        ("county_p80", 14),
    ),
}  # fmt: skip


def closing(sites: Sites) -> list[Row]:
    """List the schools that close by year and township, with one row for each school that receives their pupils."""
    run, word = sites.run, sites.run.words
    of, limits = run.schools["township_id"], _limits(sites)
    rows: list[Row] = []
    for move in sorted(sites.moves, key=lambda move: (move.year, str(of[move.school]), move.school, move.to)):
        school, way = run.schools.loc[move.school], way_of(move)
        limit = limits.get(move.school)
        under = word("annex.under", limit=number(limit, 0)) if limit is not None else HIDDEN
        rows.append(
            (
                len(rows) + 1, move.year, sites.township(str(of[move.school])), run.site(move.school),
                f"{school['first_grade']}–{school['last_grade']}", under if run.public else _up(move.pupils),
                run.site(move.to), round(farthest(move), 1), _up(way.trip.minutes) if way else None, modes(run, move),
                _remark(sites, move),
            )
        )  # fmt: skip
    return rows


def _limits(sites: Sites) -> dict[str, float]:
    """Return the threshold under which each school lies that a rule closes."""
    return {
        case.school: float(case.found.loc["size", "limit"]) for case in sites.plans.cases if "size" in case.found.index
    }


def _remark(sites: Sites, move: Move) -> str:
    """Return what is still to be put right for the pupils of a move."""
    word, ways = sites.run.words, [(group, way) for group in move.groups for way in group.after]
    over = max((group.over(way.trip) for group, way in ways), default=0.0)
    said = [word("annex.over", over=whole(over))] * (over > 0)
    said += [word("annex.no_run")] * any(group.without_run(way) for group, way in ways)
    said += [word("annex.bed_unsure")] * any(way.bed is False for _, way in ways)
    return word.join(said)


def receiving(sites: Sites) -> list[Row]:
    """List the schools that receive: pupils, room and need in the tightest year, buses, staff to come."""
    run, word = sites.run, sites.run.words
    of = run.schools["township_id"].astype(str)
    order = sorted(sites.receiving, key=lambda school: (of[school], school))
    received = {school: sum(move.pupils for move in sites.moves if move.to == school) for school in order}
    away = _hidden_by(order, received, of, run)
    rows: list[Row] = []
    for school in order:
        year = sites.receiving[school]
        there = [_room(run, sites, school, resource) for resource, _ in COLUMNS["receiving"][6:11]]
        known = (year, school) in sites.buses.index
        buses = sites.buses.loc[(year, school)] if known else None
        fleet = [int(buses[name]) for name in ("buses", "attendants")] if buses is not None else [0, 0]
        pupils = masked(_up(received[school]), away[school]) if away[school] else _up(received[school])
        closes = len({move.school for move in sites.moves if move.to == school})
        name = (len(rows) + 1, sites.township(of[school]), run.site(school), year, closes, pupils)
        rows.append((*name, *there, *fleet, _to_come(sites, school, word)))
    return rows


def _hidden_by(order: Sequence[str], pupils: dict[str, float], of: pd.Series[str], run: Run) -> dict[str, bool]:
    """Tell which counts are hidden, so that none can be found from the total of a township."""
    away: dict[str, bool] = {}
    for township in dict.fromkeys(of[school] for school in order):
        here = [school for school in order if of[school] == township]
        away |= dict(zip(here, hidden([_up(pupils[school]) for school in here], run.public), strict=True))
    return away


def _room(run: Run, sites: Sites, school: str, resource: str) -> str:
    """Return what there is, and what is asked for in the tightest year."""
    found = sites.tightest.get((school, resource))
    if found is None or not (found.there or found.mean):
        return NONE
    asked = number(found.mean, 0) if need(run, school, resource, found) != HIDDEN else HIDDEN
    return run.words("annex.room", there=number(found.there, 0), need=asked, year=found.year)


def _to_come(sites: Sites, school: str, word: Any) -> str:
    """Return the people of closed schools who come in the first year in which the school receives."""
    posts = sites.posts
    here = posts[(posts["site_id"] == school) & (posts["year"] == sites.receiving[school]) & (posts["came"] > 0)]
    came = zip(here["post"], here["came"].astype(int), strict=True)
    told = [(n, word.term("sheet.post" if n == 1 else "sheet.posts", post)) for post, n in came]
    return word.join([word("sheet.people", count=n, post=post) for n, post in told]) or NONE


def runs(sites: Sites) -> list[Row]:
    """List the runs that call at homes of closed schools, in the first year of each school that receives.

    Names are to be filled in by hand.
    """
    run, word, on_board = sites.run, sites.run.words, sites.attendants()
    rows: list[Row] = []
    for (school, _, direction), served in sorted(_served(sites).items()):
        loads = [max(stop.load_after for stop in stops if stop.school_id == school) for stops in served]
        for stops, load, gone in zip(served, loads, hidden(loads, run.public), strict=True):
            seats = int(stops[0].seats)
            name = (len(rows) + 1, run.site(school, short=True), stops[0].year, run_name(stops[0].run_id, school))
            way = (word(f"annex.direction.{direction}"), word(f"annex.days.{stops[0].days}"), _stops(run, stops), seats)
            aboard = masked(load, gone) if gone else int(load)
            rows.append((*name, *way, aboard, stops[0].bus_id, None, on_board.get(seats, 1), None))
    return rows


def _served(sites: Sites) -> dict[tuple[str, str, str], list[list[Any]]]:
    """Return the runs with pupils of closed schools: (school, service, direction) -> the stops of each run."""
    table = sites.plans.timetable.runs
    if table.empty:
        return {}
    rows = [group.row for move in sites.moves for group in move.groups]
    homes = {row.stop_id if isinstance(row.stop_id, str) else row.hamlet_id for row in rows}
    first = table[(table["school_id"].map(sites.receiving) == table["year"]) & table["stop_id"].isin(homes)]
    keys = first.drop_duplicates(["school_id", "run_id"])[["school_id", "service", "direction", "year", "run_id"]]
    stops: dict[tuple[int, str], list[Any]] = {}
    for row in table[table["run_id"].isin(set(first["run_id"]))].sort_values("seq", kind="stable").itertuples():
        stops.setdefault((row.year, row.run_id), []).append(row)
    served: dict[tuple[str, str, str], list[list[Any]]] = {}
    for school, service, direction, year, run_id in sorted(keys.itertuples(index=False, name=None)):
        served.setdefault((school, service, direction), []).append(stops[year, run_id])
    return served


def _stops(run: Run, stops: list[Any]) -> str:
    """Return the stops of a run with their times; a stop that several schools share is told once."""
    told: dict[str, str] = {}
    for stop in stops:
        minute = stop.depart_min if np.isfinite(stop.depart_min) else stop.arrive_min
        name = run.hamlet_names.get(stop.stop_id) or run.site(stop.stop_id, short=True)
        told[name] = clock(minute) if np.isfinite(minute) else NONE
    return " – ".join(f"{name} {time}" for name, time in told.items())


def staff(sites: Sites) -> list[Row]:
    """List where the people of each closed school go and as what, in the first year without the school."""
    run, word, of = sites.run, sites.run.words, sites.run.schools["township_id"]
    rows: list[Row] = []
    closed = [case for case in sites.plans.cases if case.verdict == "close"]
    for case in sorted(closed, key=lambda case: (case.empty_from, str(of[case.school]), case.school)):
        for each in run.moved.get((case.school, case.empty_from), ()):
            nowhere = each.site_id == COUNTY
            to = NONE if nowhere else run.site(each.site_id)
            post = word.term("sheet.posts", each.post)
            name = (len(rows) + 1, case.empty_from, sites.township(str(of[case.school])), run.site(case.school))
            remark = word("annex.no_post") if nowhere else ""
            rows.append((*name, word.join(people_here(case)), to, post, int(each.filled), remark))
    return rows


def money(sites: Sites) -> list[Row]:
    """List what each payer bears by year, in the unit of large amounts, and the spread of the total."""
    run, table = sites.run, sites.run.budget
    if table.empty:
        return []
    totals = table[(table["account"] == "total") & table["year"].isin(run.years)].set_index(["year", "payer"])
    scale = money_scale(run.words)
    digits = 0 if scale == TEN_THOUSAND_YUAN else 2

    def told(year: int, payer: str, name: str) -> float | None:
        if (year, payer) not in totals.index:
            return None
        yuan = float(totals.at[(year, payer), name])
        return round((rough(yuan) if run.public else yuan) / scale, digits)

    rows: list[Row] = [
        (
            year,
            *(told(year, payer, "mean") for payer in PAYERS),
            *(told(year, "all", name) for name in SPREAD),
            told(year, "county", "p80"),
        )
        for year in run.years
    ]
    sums = [round(sum(row[k] or 0.0 for row in rows), digits) for k in range(1, 1 + len(PAYERS))]  # type: ignore[misc]
    return [*rows, (run.words("total"), *sums, *[None] * (len(SPREAD) + 1))]


def _up(amount: float) -> int:
    """Return pupils or minutes whole, the next higher."""
    return int(np.ceil(round(amount, 6)))


LISTS = {"closing": closing, "receiving": receiving, "runs": runs, "staff": staff, "money": money}
"""What makes the rows of each annex, in order."""


def texts(annex: Annex) -> list[list[str]]:
    """Return the rows of an annex as they are read on a page."""
    return [[_text(cell) for cell in row] for row in annex.rows]


def _text(cell: object) -> str:
    """Return a cell as text: years and counts as they are, amounts with their thousands apart."""
    if isinstance(cell, float):
        return f"{cell:,.2f}".rstrip("0").rstrip(".")
    return "" if cell is None else str(cell)
