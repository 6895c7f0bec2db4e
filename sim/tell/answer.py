"""The answer in one paragraph: what breaks first, where, when, how sure we are, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sim.tell import budget, net, relief
from sim.tell.cells import HIDDEN
from sim.tell.number import by_replication, interval, money, number, percent, pupils
from sim.tell.run import Run
from sim.tell.unplaced import unplaced


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that matters most, with what it is and how sure we are."""

    value: str
    label: str
    note: str = ""


def first_to_break(bottlenecks: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the earliest year in which a limit is broken, worst first; empty when none is."""
    breached = bottlenecks[bottlenecks["first_year_breached"].notna()]
    if breached.empty:
        return breached
    first = breached["first_year_breached"].min()
    rows = breached[(breached["year"] == first) & (breached["first_year_breached"] == first)]
    return rows.sort_values("severity", ascending=False, kind="stable")


def worst_of_all(run: Run) -> pd.DataFrame:
    """Return one row per site and resource, worst first, with the harm of a mean year and how sure it is.

    Columns: site_id, resource, severity, mean, low, high (pupil-days harmed a year), p_breach (of its worst
    year), first_year_breached, cause, relief, relief_cost_yuan, worst_year.
    """
    place, years = ["site_id", "resource"], len(run.years)
    if run.harm.empty or run.bottlenecks.empty:
        return pd.DataFrame()
    days = interval(by_replication(run.harm, place, "pupil_days", run.replications, 0.0) / years)
    weighted = by_replication(run.harm, place, "severity", run.replications, 0.0).mean(axis=1) / years
    told = run.bottlenecks.sort_values("severity", ascending=False, kind="stable").groupby(place, sort=False)
    worst = told.first()[["year", "cause", "relief", "relief_cost_yuan"]].rename(columns={"year": "worst_year"})
    worst = worst.join(told.agg(p_breach=("p_breach", "max"), first_year_breached=("first_year_breached", "min")))
    table = days.assign(severity=weighted).join(worst, how="inner").reset_index()
    return table.sort_values("severity", ascending=False, kind="stable", ignore_index=True)


def answer(run: Run) -> list[str]:
    """Return the sentences of the answer."""
    return [*breaking(run), *unplaced(run), *relief.first(run), *_money(run)]


def breaking(run: Run) -> list[str]:
    """Return what breaks first, where, when, how sure that is, and where most harm comes from."""
    first, worst = first_to_break(run.bottlenecks), worst_of_all(run)
    if worst.empty:
        return [run.words("answer.no_harm")]
    return _nothing_breaks(run, worst) if first.empty else _breaks(run, first, worst)


def _breaks(run: Run, first: pd.DataFrame, worst: pd.DataFrame) -> list[str]:
    top, others = first.iloc[0], len(first) - 1
    said = [
        run.words("answer.first", year=int(top["year"]), what=_what(run, top), where=_where(run, top)),
        run.words(
            "answer.sure",
            chance=percent(top["p_breach"]),
            replications=run.words.count("replications", len(run.replications)),
            cause=run.words.term("cause", top["cause"]),
            harm=_in_words(run, top, *(top[f"pupil_days_harmed_{part}"] for part in ("mean", "low", "high"))),
        ),
    ]
    if others:
        said.append(run.words("answer.others", count=others, year=int(top["year"]), sites=first["site_id"].nunique()))
    most = worst.iloc[0]
    if (most["site_id"], most["resource"]) != (top["site_id"], top["resource"]):
        said.append(_most_harm(run, most))
    return said


def _nothing_breaks(run: Run, worst: pd.DataFrame) -> list[str]:
    holds = run.words("answer.holds", chance=percent(run.settings.judge.breach_probability))
    return [holds, _most_harm(run, worst.iloc[0])]


def _most_harm(run: Run, row: pd.Series) -> str:
    harm = _in_words(run, row, row["mean"], row["low"], row["high"])
    return run.words("answer.worst", what=_what(run, row), where=_where(run, row), harm=harm)


def harmed(run: Run, row: Any, mean: float, low: float = np.nan, high: float = np.nan) -> str:
    """Return pupil-days harmed at the site and resource of a row; hidden where a public page may not tell."""
    return HIDDEN if run.is_hidden(row.site_id, row.resource) else pupils(mean, low, high, run.public)


def may_tell_harm(run: Run, years: Sequence[int]) -> bool:
    """Tell whether the county's harm in some years may be told: not where all of it is of groups that are hidden."""
    places = run.harm.loc[run.harm["year"].isin(years), ["site_id", "resource"]].drop_duplicates()
    hides = [run.is_hidden(str(site), str(resource)) for site, resource in places.itertuples(index=False)]
    return not hides or not all(hides)


def _in_words(run: Run, row: Any, mean: float, low: float, high: float) -> str:
    text = harmed(run, row, mean, low, high)
    return run.words("hidden.number") if text == HIDDEN else run.words("answer.days", days=text)


def _where(run: Run, row: pd.Series) -> str:
    """Return the name of a school: in a Chinese sentence without the English one."""
    return run.site(row["site_id"], short=run.words.language == "zh")


def _what(run: Run, row: pd.Series) -> str:
    return run.words.term("resource", row["resource"])


def yearly_cost(run: Run) -> dict[str, float] | None:
    """Return the yearly cost in yuan over the years: mean, p50 and p80 of all payers, mean of each payer."""
    table = run.budget
    if table.empty:
        return None
    totals = table[table["account"] == "total"]
    mean = totals.groupby("payer")[["mean", "p50", "p80"]].sum() / len(run.years)
    if "all" not in mean.index:
        return None
    by, whole = mean["mean"].to_dict(), budget.all_years(run)
    reach = whole.loc["all", ["p50", "p80"]] / len(run.years) if len(whole) else mean.loc["all"]
    return {
        "mean": by["all"],
        "p50": reach["p50"],
        "p80": reach["p80"],
        "county": by.get("county", 0.0),
        "family": by.get("family", 0.0),
        "upper": by.get("upper", 0.0),
    }


def _money(run: Run) -> list[str]:
    cost = yearly_cost(run)
    if cost is None:
        return []
    told = {name: money(value, run.words, run.public) for name, value in cost.items()}
    return [run.words("answer.money", **told), *(net.story(run)[:1] if net.told(run) else [])]


def key_figures(run: Run) -> list[Figure]:
    """Return the few numbers that matter most."""
    return [*_pupils(run), *_closing(run), *_buses(run), *_harmed(run), *_limits(run), *_cost(run), *_net(run)]


def context(run: Run) -> list[Figure]:
    """Return those of them that stand on the head page beside its answers, which tell the others."""
    return [*_pupils(run), *_closing(run), *_buses(run), *_harmed(run), *_net(run)]


def _pupils(run: Run) -> list[Figure]:
    table = run.totals("enrolment", ["replication", "year"], "pupils")
    if table.empty:
        return []
    wide = by_replication(table, ["year"], "pupils", run.replications, 0.0)
    first, last = wide.iloc[0].mean(), wide.iloc[-1].mean()
    low, high = np.percentile(wide.iloc[-1], [2.5, 97.5])
    note = run.words("key.pupils_note", low=number(low, 0), high=number(high, 0)) if len(wide.columns) > 1 else ""
    label = run.words("key.pupils", first=run.years[0], last=run.years[-1])
    return [Figure(f"{number(first, 0)} → {number(last, 0)}", label, note)]


def _closing(run: Run) -> list[Figure]:
    last = run.last_decisions["decision"]
    again = int((last == "reopen").sum())
    note = run.words("key.closing_note", kept=number(int((last == "keep").sum())))
    note += run.words("key.closing_again", again=number(again)) if again else ""
    return [Figure(number(int((last == "close").sum())), run.words("key.closing"), note)]


def _buses(run: Run) -> list[Figure]:
    buses = run.resources[run.resources["resource"] == "bus"]
    if buses.empty:
        return []
    by_year = buses.groupby("year")[["capacity", "demand_peak"]].mean()
    worst = by_year["demand_peak"].idxmax()
    note = run.words("key.buses_note", owned=number(by_year.loc[worst, "capacity"], 0), year=worst)
    return [Figure(number(by_year.loc[worst, "demand_peak"], 0), run.words("key.buses"), note)]


def _harmed(run: Run) -> list[Figure]:
    totals = run.county_totals()
    rows = totals[totals["measure"] == "pupil_days_harmed"]
    present = totals.loc[totals["measure"] == "pupils_present", "value"].sum()
    if rows.empty or not present:
        return []
    found = interval(by_replication(rows.assign(all=0), ["all"], "value", run.replications) / len(run.years)).iloc[0]
    share = percent(rows["value"].sum() / present, 1)
    between = f"{number(max(found['low'], 0.0))} – {number(found['high'])}; " if np.isfinite(found["low"]) else ""
    note = between + run.words("key.harmed_note", share=share)
    if not may_tell_harm(run, run.years):
        return [Figure(HIDDEN, run.words("key.harmed"), run.words("hidden.number"))]
    return [Figure(pupils(found["mean"], public=run.public), run.words("key.harmed"), note)]


def _limits(run: Run) -> list[Figure]:
    verdicts = run.verdicts[run.verdicts["year"] == run.years[-1]]
    if verdicts.empty:
        return []
    broken = int((verdicts["p_breach"] >= run.settings.judge.breach_probability).sum())
    label = run.words("key.limits", year=run.years[-1])
    note = run.words("key.limits_note", all=number(len(verdicts)), share=percent(broken / len(verdicts)))
    return [Figure(number(broken), label, note)]


def _cost(run: Run) -> list[Figure]:
    cost = yearly_cost(run)
    if cost is None:
        return []
    note = run.words("key.cost_note", p80=money(cost["p80"], run.words, run.public))
    return [Figure(money(cost["p50"], run.words, run.public), run.words("key.cost"), note)]


def _net(run: Run) -> list[Figure]:
    if not net.told(run):
        return []
    found = net.yearly(run).loc["all"]
    note = run.words("net.key_note", p80=money(found["p80"], run.words, run.public), chance=percent(found["p_below"]))
    return [Figure(money(found["mean"], run.words, run.public), run.words("net.key"), note)]
