"""One township, one policy: a page for each township in which a school closes, stays against a rule, or receives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sim.tell.answer import harmed
from sim.tell.case import file_of
from sim.tell.cells import HIDDEN, hidden, is_small
from sim.tell.grid import Cell, Grid, grid, strong
from sim.tell.group import Way, whole
from sim.tell.number import NONE, TEN_THOUSAND_YUAN, masked, money, number, percent, rough, span
from sim.tell.relief import things
from sim.tell.run import Run
from sim.tell.sites import ROOMS, Move, Sites, Tightest, address, township_page

PAYERS = ("county", "upper", "family", "all")
MOST_BOTTLENECKS, MOST_PURCHASES = 8, 10
MOST_YEARS = 10
"""So many columns of years fit on a page; of more, every second or third year is told."""
LIKELY = 0.5
"""A shortage with at least this chance is set off."""


def townships(sites: Sites) -> dict[str, dict[str, Any]]:
    """Return what the page of each township says, by file name: title, sentences, tables (name, grid), pages, mark."""
    return {township_page(sites.run, name): _page(sites, name) for name in sites.townships}


def _page(sites: Sites, township: str) -> dict[str, Any]:
    word, schools = sites.run.words, sites.townships[township]
    tables = {
        "schools": schools_table(sites, schools),
        "moves": moves_table(sites, schools),
        "rooms": rooms_table(sites, schools),
        "buses": buses_table(sites, schools),
        "breaks": breaks_table(sites, schools),
        "buy": purchases_table(sites, schools),
        "posts": posts_table(sites, schools),
        "money": money_table(sites, township),
    }
    named = [case.school for case in sites.plans.cases if case.school in set(schools)]
    return {
        "title": word("township.title", township=sites.township(township)),
        "said": story(sites, schools),
        "tables": list(tables.items()),
        "pages": [(sites.run.site(school, short=True), address(file_of(school))) for school in named],
        "mean": word("note.replications", replications=word.count("replications", len(sites.run.replications))),
    }


def pages(sites: Sites) -> list[tuple[str, str]]:
    """Return the townships with their pages: name and address from the report."""
    return [
        (sites.township(name, short=True), "sheets/" + address(township_page(sites.run, name)))
        for name in sites.townships
    ]


def story(sites: Sites, schools: list[str]) -> list[str]:
    """Return in sentences how many schools close, stay or open again, who receives, and what breaks first."""
    word, run, here = sites.run.words, sites.run, set(schools)
    count = dict.fromkeys(("close", "keep", "reopen"), 0)
    for case in sites.plans.cases:
        count[case.verdict] += case.school in here
    receive = [run.site(school, short=True) for school in sites.receiving if school in here]
    told = {name: number(many) for name, many in count.items()}
    said = [word("township.count", schools=number(len(schools)), **told)]
    if receive:
        said.append(word("township.receive", schools=word.join(receive)))
    breaks = _breaks(sites, schools)
    first = breaks[breaks["first_year_breached"].notna()] if len(breaks) else breaks
    if len(first):
        top = first.sort_values("first_year_breached", kind="stable").iloc[0]
        what, year = word.term("resource", top["resource"]), f"{top['first_year_breached']:.0f}"
        said.append(word("township.first", what=what, where=run.site(top["site_id"], short=True), year=year))
    return said


def schools_table(sites: Sites, schools: list[str]) -> Grid:
    """Return each school: grades, what is decided, and the pupils expected by year, small groups hidden."""
    run, word = sites.run, sites.run.words
    decided = {case.school: case for case in sites.plans.cases}
    years = _told(run)
    pupils = sites.pupils[years].reindex(schools).fillna(0.0)
    away = np.array([hidden(pupils[year].tolist(), run.public) for year in years]).T
    rows: list[tuple[str, ...]] = []
    for school, counts, gone in zip(schools, pupils.to_numpy(), away, strict=True):
        row, case = run.schools.loc[school], decided.get(school)
        what = word("township.receives") if school in sites.receiving else ""
        if case is not None:
            what = word(f"township.{case.verdict}", year=case.last.year)
        cells = [masked(float(np.ceil(round(n, 6))), g) if n else NONE for n, g in zip(counts, gone, strict=True)]
        rows.append((run.site(school, short=True), f"{row['first_grade']}–{row['last_grade']}", what, *cells))
    rows.sort(key=lambda row: row[2] == "")
    head = [word("column.where"), word("township.column.grades"), word("township.column.decision")]
    return grid([*head, *map(str, years)], rows, range(3, 3 + len(years)), wide=True)


def _told(run: Run) -> list[int]:
    """Return the years that have a column."""
    return run.years[:: -(-len(run.years) // MOST_YEARS)]


def moves_table(sites: Sites, schools: list[str]) -> Grid:
    """Return who goes where from which year on: of the township's schools that close, and to those that receive."""
    word, run, here = sites.run.words, sites.run, set(schools)
    rows: list[tuple[object, ...]] = []
    for move in sites.moves:
        if move.school not in here and move.to not in here:
            continue
        longest = way_of(move)
        minutes = whole(longest.trip.minutes) if longest else NONE
        over = any(group.over(way.trip) > 0 for group in move.groups for way in group.after)
        both = (run.site(move.school, short=True), run.site(move.to, short=True))
        rows.append((move.year, *both, number(farthest(move), 1), Cell(minutes, "bad" * over), modes(run, move)))
    names = ("year", "closing", "receiving", "km", "door", "ways")
    return grid([word(f"township.column.{name}") for name in names], rows, (3, 4), wide=True)


def way_of(move: Move) -> Way | None:
    """Return the longest daily way of a move; None where all lodge."""
    daily = [way for group in move.groups for way in group.after if np.isfinite(way.trip.minutes)]
    return max(daily, key=lambda way: way.trip.minutes) if daily else None


def farthest(move: Move) -> float:
    """Return the km of the longest way of a move by road."""
    return float(max(group.row.km for group in move.groups))


def modes(run: Run, move: Move) -> str:
    """Return the ways in which pupils of a move go."""
    found = dict.fromkeys(way.trip.mode for group in move.groups for way in group.after)
    return run.words.join([run.words.term("mode", mode) for mode in found])


def rooms_table(sites: Sites, schools: list[str]) -> Grid:
    """Return what the receiving schools have of each kind of room in their tightest year, and what is asked for."""
    run, word, rows = sites.run, sites.run.words, []
    for school in (each for each in schools if each in sites.receiving):
        for resource in ROOMS:
            found = sites.tightest.get((school, resource))
            if found is None or not (found.there or found.mean):
                continue
            name = (run.site(school, short=True), word.term("resource", resource), found.year, number(found.there, 0))
            chance = HIDDEN if _secret(run, school, resource, found) else percent(found.chance)
            rows.append((*name, need(run, school, resource, found), Cell(chance, "bad" * (found.chance >= LIKELY))))
    names = ("school", "what", "tightest", "there", "need", "short")
    return grid([word(f"township.column.{name}") for name in names], rows, (2, 3, 4, 5), wide=True)


def need(run: Run, school: str, resource: str, found: Tightest) -> str:
    """Return what is asked for with its interval; small groups are hidden in public."""
    if _secret(run, school, resource, found):
        return HIDDEN
    return span(found.mean, max(found.low, 0.0) if np.isfinite(found.low) else found.low, found.high, 0)


def _secret(run: Run, school: str, resource: str, found: Tightest) -> bool:
    """Tell whether what is asked for counts a small group."""
    return run.is_hidden(school, resource) or (run.public and is_small(found.mean))


def buses_table(sites: Sites, schools: list[str]) -> Grid:
    """Return the morning runs to each school that receives, in the year with the most riders."""
    run, word, rows = sites.run, sites.run.words, []
    for school in (each for each in schools if each in sites.receiving):
        if school not in sites.buses.index.get_level_values("school_id"):
            continue
        years = sites.buses.xs(school, level="school_id")
        year = int(years["riders"].idxmax())
        most = years.loc[year]
        riders = masked(float(most["riders"]), run.public and is_small(most["riders"]))
        counts = (number(most["buses"], 0), number(most["runs"], 0), riders, number(most["attendants"], 0))
        rows.append((run.site(school, short=True), year, *counts, whole(most["longest"])))
    names = ("school", "most_riders", "buses", "runs", "riders", "attendants", "longest")
    return grid([word(f"township.column.{name}") for name in names], rows, range(1, 7), wide=True)


def _breaks(sites: Sites, schools: list[str]) -> pd.DataFrame:
    return sites.worst[sites.worst["site_id"].isin(schools)] if len(sites.worst) else sites.worst


def breaks_table(sites: Sites, schools: list[str]) -> Grid:
    """Return the worst bottlenecks of the township's schools: first year, harm of a mean year, chance, relief."""
    run, word = sites.run, sites.run.words
    found = _breaks(sites, schools)
    rows = [
        (
            run.site(row.site_id, short=True),
            word.term("resource", row.resource),
            Cell(f"{row.first_year_breached:.0f}", "bad") if pd.notna(row.first_year_breached) else word("never"),
            harmed(run, row, row.mean, row.low, row.high),
            percent(row.p_breach),
            word.term("cause", row.cause),
            _relief(run, row),
        )
        for row in found.head(MOST_BOTTLENECKS).itertuples()
    ]
    names = ("where", "resource", "first_year", "harm", "chance", "cause", "relief")
    return grid([word(f"column.{name}") for name in names], rows, (2, 3, 4), wide=True)


def _relief(run: Run, row: Any) -> str:
    """Return what helps, with the price of one."""
    if not isinstance(row.relief, str) or not row.relief:
        return NONE
    price = f" ({money(row.relief_cost_yuan, run.words)})" if pd.notna(row.relief_cost_yuan) else ""
    return run.words.term("relief", row.relief) + price


def purchases_table(sites: Sites, schools: list[str]) -> Grid:
    """Return the first purchases for the township's schools, in the order of the county's list."""
    run, word, table = sites.run, sites.run.words, sites.purchases
    found = table[table["site_id"].isin(schools)].head(MOST_PURCHASES) if len(table) else table
    rows = [
        (
            row.order,
            run.site(row.site_id, short=True),
            word("relief.units", units=row.units, what=things(run, row.resource)),
            row.year,
            money(row.cost_yuan, word),
            money(row.cost_yuan_per_year, word),
        )
        for row in found.itertuples()
    ]
    names = ("rank", "where", "buy", "since", "outlay", "outlay_year")
    return grid([word(f"column.{name}") for name in names], rows, (0, 3, 4, 5), wide=True)


def posts_table(sites: Sites, schools: list[str]) -> Grid:
    """Return by post, in the first and the last year: posts by norm, own people, those of closed schools, vacancies."""
    run, word = sites.run, sites.run.words
    years = sorted({run.years[0], run.years[-1]})
    posts = sites.posts
    here = posts[posts["site_id"].isin(schools) & posts["year"].isin(years)]
    lacking = (here["needed"] - here["own"] - here["came"]).clip(lower=0)
    sums = here.assign(hire=lacking).groupby(["year", "post"], sort=False)[["needed", "own", "came", "hire"]].sum()
    rows = [
        (year, word.term("sheet.posts", post), *(number(value, 0) for value in sums.loc[(year, post)]))
        for year, post in sums.index
        if sums.loc[(year, post)].any()
    ]
    names = ("year", "post", "needed", "own", "came", "hire")
    return grid([word(f"township.column.{name}") for name in names], rows, (2, 3, 4, 5), wide=True)


def money_table(sites: Sites, township: str) -> Grid:
    """Return what each payer bears of the township's schools by year, in ten thousand yuan."""
    word, table, years = sites.run.words, sites.money, _told(sites.run)
    head = [word("township.column.payer"), *map(str, years), word("township.column.all_years")]
    if table.empty or township not in table.index.get_level_values("township"):
        return grid(head, [])
    rows: list[Any] = []
    for payer in PAYERS:
        if (township, payer) in table.index:
            by_year = table.loc[(township, payer)]
            yuan = [*by_year[years], by_year.sum()]
            texts = (word.term("payer", payer), *(number(rough(each) / TEN_THOUSAND_YUAN, 0) for each in yuan))
            rows.append(strong(*texts) if payer == "all" else texts)
    return grid(head, rows, range(1, len(head)), wide=True)
