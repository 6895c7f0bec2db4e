"""The head page: five questions answered from files alone, what is to be decided, and what is not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sim.tell import budget, closing, family, net, relief
from sim.tell.answer import breaking, may_tell_harm, worst_of_all, yearly_cost
from sim.tell.cells import HIDDEN
from sim.tell.facts import made_up
from sim.tell.grid import Cell, Grid, grid
from sim.tell.hamlets import Hamlets
from sim.tell.number import MANY, by_replication, interval, money, number, percent, pupils
from sim.tell.run import COUNTY, Run
from sim.tell.table import heat
from sim.tell.unplaced import unplaced

FEW = 3
"""So many kinds, limits and schools are named in one sentence."""
MOST_HAMLETS = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question: the first sentence is the answer, the others say more; where its proof stands."""

    question: str
    said: list[str]
    proof: tuple[str, ...]
    table: Grid | None = None


def head(run: Run, homes: Hamlets) -> list[Answer]:
    """Return the five answers of the head page, in order."""
    relieved = ("relief",) if relief.told(run) else ()
    costs = (*(["net"] if net.told(run) else []), *(["family"] if len(run.if_there("family.csv")) else []))
    return [
        Answer("first", [*breaking(run), *_kinds(run)], ("bottlenecks",)),
        Answer("years", years(run), ("limits",), year_table(run)),
        Answer("buy", buy(run), relieved or ("bottlenecks",)),
        Answer("cost", cost(run), ("budget", *costs)),
        Answer("hamlets", ways(run, homes), ("hamlets",), homes.table(MOST_HAMLETS)),
    ]


def _kinds(run: Run) -> list[str]:
    """Return which kinds of shortage break a limit in the first year that one breaks, at how many schools each."""
    table = run.bottlenecks
    first = table["first_year_breached"].min()
    rows = table[(table["first_year_breached"] == first) & (table["year"] == first)]
    if len(rows) < 2:
        return []
    counts = rows["resource"].value_counts().head(FEW)
    word = run.words
    parts = [word("head.kind", what=word.term("resource", what), count=count) for what, count in counts.items()]
    return [run.words("head.kinds", parts=run.words.join(parts))]


def judged(run: Run) -> pd.DataFrame:
    """Return by year the limits judged (a limit at a site is one), those broken, and their share."""
    broken = run.verdicts["p_breach"] >= run.settings.judge.breach_probability
    table = run.verdicts.assign(broken=broken).groupby("year")["broken"].agg(broken="sum", judged="size")
    return table.assign(share=table["broken"] / table["judged"])


def years(run: Run) -> list[str]:
    """Return which year is worst, what breaks in it at most schools, and where most of the harm is."""
    word, table = run.words, judged(run)
    if table.empty:
        return [word("head.not_judged")]
    if not table["broken"].any():
        return [word("head.none_broken"), *_most_harm(run)]
    year, first, last = table["share"].idxmax(), table.index[0], table.index[-1]
    told = {
        "year": year,
        "broken": number(table.loc[year, "broken"]),
        "all": number(table.loc[year, "judged"]),
        "share": percent(table.loc[year, "share"]),
    }
    ends = {f"{end}_share": percent(table.loc[at, "share"]) for end, at in (("first", first), ("last", last))}
    key = "head.worst_only" if first == last else "head.worst_last" if year == last else "head.worst_year"
    return [word(key, **told, **ends, last=last), *_most_broken(run, year), *_most_harm(run), *_harm_sure(run)]


def _most_broken(run: Run, year: Any) -> list[str]:
    rows = run.verdicts[(run.verdicts["year"] == year) & (run.verdicts["site_id"] != COUNTY)]
    broken = rows["p_breach"] >= run.settings.judge.breach_probability
    counts = rows.assign(broken=broken).groupby("limit")["broken"].agg(["sum", "size"])
    counts = counts[counts["sum"] > 0].sort_values("sum", ascending=False, kind="stable").head(FEW)
    word = run.words
    parts = [
        word("head.broken_of", limit=word.term("limit", limit), broken=int(row["sum"]), judged=int(row["size"]))
        for limit, row in counts.iterrows()
    ]
    return [word("head.most_broken", parts=word.join(parts))] if parts else []


def _most_harm(run: Run) -> list[str]:
    """Return the schools with the largest parts of the county's harm; what is hidden of a group counts for none."""
    by = run.harm.groupby(["site_id", "resource"], observed=True)["severity"].sum()
    whole = by.sum()
    shown = by[[not run.is_hidden(str(site), str(what)) for site, what in by.index]]
    most = shown.groupby("site_id", observed=True).sum().drop(COUNTY, errors="ignore").nlargest(FEW)
    parts = [
        run.words("head.part_of", site=run.site(str(site), short=True), share=percent(value / whole))
        for site, value in most[most > 0].items()
    ]
    return [run.words("head.most_harm", parts=run.words.join(parts))] if parts else []


def _harm_sure(run: Run) -> list[str]:
    """Return how wide the interval of a year's harm is at most, as a share of its mean; nothing without one."""
    totals = run.county_totals()
    rows = totals[totals["measure"] == "pupil_days_harmed"]
    found = interval(by_replication(rows, ["year"], "value", run.replications))
    half = ((found["high"] - found["mean"]) / found["mean"])[found["mean"] >= MANY].max()
    tells = pd.notna(half) and half > 0 and may_tell_harm(run, run.years)
    return [run.words("head.harm_sure", share=percent(half))] if tells else []


def year_table(run: Run) -> Grid | None:
    """Return by year the share of limits that break, of schools that break one, and the pupil-days harmed."""
    word, table = run.words, judged(run)
    if table.empty:
        return None
    schools = run.verdicts[run.verdicts["site_id"] != COUNTY]
    broken = schools["p_breach"] >= run.settings.judge.breach_probability
    at = schools.assign(broken=broken).groupby(["year", "site_id"])["broken"].any().groupby("year").mean()
    totals = run.county_totals()
    harm = totals[totals["measure"] == "pupil_days_harmed"].groupby("year")["value"].mean()
    most = max(float(harm.max()) if len(harm) else 0.0, 1.0)
    rows = [
        (word("head.row_limits"), *_shaded(table["share"].reindex(run.years), 1.0)),
        (word("head.row_schools"), *_shaded(at.reindex(run.years), 1.0)),
        (
            word("head.row_harm"),
            *(_harmed(run, year, harm.get(year, np.nan), most) for year in run.years),
        ),
    ]
    return grid((word("column.measure"), *map(str, run.years)), rows, range(1, len(run.years) + 1), wide=True)


def _harmed(run: Run, year: int, days: float, most: float) -> Cell:
    return Cell(pupils(days, public=run.public), heat(days / most)) if may_tell_harm(run, [year]) else Cell(HIDDEN)


def _shaded(shares: pd.Series[float], most: float) -> list[Cell]:
    return [Cell(percent(share), heat(share / most)) for share in shares]


def buy(run: Run) -> list[str]:
    """Return what to buy first and how much harm it spares; what is not tried in the simulation says so."""
    if relief.told(run):
        return relief.head(run)
    word, worst = run.words, worst_of_all(run)
    priced = worst[worst["relief_cost_yuan"].notna()].head(10) if len(worst) else worst
    if priced.empty:
        return [word("head.buy_none")]
    row = priced.loc[priced["relief_cost_yuan"].idxmin()]
    told = {"relief": word.term("relief", row["relief"]), "cost": money(row["relief_cost_yuan"], word)}
    return [word("head.buy_nominal", where=run.site(row["site_id"], short=True), **told), word("head.buy_untried")]


def cost(run: Run) -> list[str]:
    """Return what a year costs, who pays, what a family bears, and what not closing would cost."""
    word, sums = run.words, yearly_cost(run)
    if sums is None:
        return [word("head.cost_none")]
    told = {name: money(value, word, run.public) for name, value in sums.items()}
    said = [word("head.cost_sum", p50=told["p50"], p80=told["p80"]), word("head.cost_payers", **told)]
    alone = county_cost(run)
    said += [word("head.cost_county", **alone)] if alone else []
    said += family.notes(run)[:1] if len(run.if_there("family.csv")) else []
    return [*said, *(net.story(run)[:1] if net.told(run) else [word("head.net_none")])]


def county_cost(run: Run) -> dict[str, str]:
    """Return P50 and P80 of what the county itself bears a year, in words; empty where it is not told."""
    whole = budget.all_years(run)
    if "county" not in whole.index:
        return {}
    row = whole.loc["county", ["p50", "p80"]] / len(run.years)
    return {name: money(row[name], run.words, run.public) for name in ("p50", "p80")}


def ways(run: Run, homes: Hamlets) -> list[str]:
    """Return how many hamlets have a way over the limit and how many lose their school, and who finds no place."""
    word, over, moved = run.words, len(homes.over), homes.moved
    said = [word("head.hamlets_over", count=number(over), all=number(len(homes.ways)))] if over else []
    said += [word.count("head_moved", len(moved))] if len(moved) else []
    twice = int((moved > 1).sum())
    said += [word.count("head_twice", twice)] if twice else []
    return [*(said or [word("head.hamlets_kept")]), *unplaced(run)]


def decisions(run: Run, homes: Hamlets) -> list[str]:
    """Return what is asked for, from what was found."""
    word = run.words
    said = relief.ask(run) if relief.told(run) else [word("head.decide_try")]
    alone = county_cost(run)
    said += [word("head.decide_money", **alone)] if alone else []
    tested = closing.tested(run)
    short = tested.loc[tested["met"] == 0, "school_id"].nunique() if len(tested) else 0
    if short:
        said.append(word("head.decide_ready", count=number(short), all=number(tested["school_id"].nunique())))
    said += [word("head.decide_hamlets", count=number(len(homes.over)))] if len(homes.over) else []
    worst = worst_of_all(run).head(10)
    weather = int((worst["cause"] == "weather").sum()) if len(worst) else 0
    return [*said, *([word("head.decide_weather", count=number(weather))] if weather else [])]


def unknown(run: Run) -> list[tuple[str, str]]:
    """Return what is not known, each with the section that says more."""
    word, register = run.words, run.if_there("assumptions")
    weeks, all_weeks = run.settings.calendar.weeks_per_year, len(run.input("calendar.csv"))
    replications = word.count("replications", len(run.replications))
    said = [("synthetic", word("head.unknown_made_up"))] if made_up(run) else []
    if len(register):
        kinds = register.loc[register["kind"] != "choice", "kind"].value_counts()
        assumed = kinds.get("assumed", 0) + kinds.get("derived", 0)
        said.append(("assumptions", word("head.unknown_assumed", all=kinds.sum(), assumed=assumed)))
    some = {"all": all_weeks, "replications": replications}
    sampled = word("head.unknown_weeks", weeks=weeks, **some) if weeks else word("head.unknown_all_weeks", **some)
    return [*said, ("method", sampled), ("scope", word("head.unknown_scope"))]
