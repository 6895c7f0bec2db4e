"""The tables of the report about harm, limits and closures."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sim.tell.answer import harmed, worst_of_all
from sim.tell.cells import HIDDEN, hidden, is_small
from sim.tell.grid import Cell, Grid, grid, strong
from sim.tell.number import NONE, masked, money, percent, pupils, span
from sim.tell.run import Run

OF_RIDERS = (
    "pupils_carried",
    "pupils_left_behind",
    "ride_min_p95",
    "ride_min_mean",
    "late_pupils",
    "emergency_refused",
    "runs_cancelled",
    "breakdowns",
    "bus_km",
)
OF_LODGERS = ("bed", "life_teacher", "stayed", "emergency_")
"""Beginnings of the names of measures of lodgers, and of those who stay for a night."""
SHADES = 4


def bottleneck_table(run: Run, most: int = 10) -> Grid:
    """Return the worst bottlenecks over all years."""
    word, table = run.words, worst_of_all(run).head(most)
    names = ("rank", "where", "resource", "first_year", "harm", "weighted", "chance", "cause", "relief")
    rows = [
        (
            rank,
            run.site(row.site_id),
            word.term("resource", row.resource),
            Cell(f"{row.first_year_breached:.0f}", "bad") if pd.notna(row.first_year_breached) else word("never"),
            harmed(run, row, row.mean, row.low, row.high),
            harmed(run, row, row.severity),
            percent(row.p_breach),
            word.term("cause", row.cause),
            _relief(run, row.relief, row.relief_cost_yuan),
        )
        for rank, row in enumerate(table.itertuples(), start=1)
    ]
    return grid([word(f"column.{name}") for name in names], rows, (0, 3, 4, 5, 6), wide=True)


def _relief(run: Run, relief: object, cost_yuan: float) -> str:
    """Return a relief in words with its price in brackets, when there is one."""
    if not isinstance(relief, str) or not relief:
        return NONE
    price = f" ({money(cost_yuan, run.words)})" if pd.notna(cost_yuan) else ""
    return run.words.term("relief", relief) + price


def harm_table(run: Run) -> Grid:
    """Return for each resource and year the pupil-days harmed and at how many schools, shaded by size."""
    word, count = run.words, len(run.replications)
    by_site = run.harm.groupby(["resource", "year", "site_id"], observed=True)["pupil_days"].sum() / count
    by_site = by_site.rename("days").reset_index()
    by_site["shown"] = [not run.is_hidden(row.site_id, row.resource) for row in by_site.itertuples()]
    cells = by_site.groupby(["resource", "year"]).agg(
        sum=("days", "sum"), size=("days", "size"), shown=("shown", "any")
    )
    order = cells["sum"].groupby("resource").sum().sort_values(ascending=False).index
    most = max(cells["sum"].max(), 1.0) if len(cells) else 1.0
    rows = [
        (
            word.term("resource", resource),
            *(
                _harmed(run, cells.loc[(resource, year)] if (resource, year) in cells.index else None, most)
                for year in run.years
            ),
        )
        for resource in order
    ]
    return grid((word("column.resource"), *map(str, run.years)), rows, range(1, len(run.years) + 1), wide=True)


def _harmed(run: Run, cell: pd.Series | None, most: float) -> Cell:
    if cell is None:
        return Cell("0")
    days = pupils(cell["sum"], public=run.public) if cell["shown"] else HIDDEN
    text = f"{days}\n({cell['size']:.0f})"
    return Cell(text, f"lines {_heat(cell['sum'] / most)}")


def _heat(share: float) -> str:
    """Return how dark a cell is, from its share of the largest."""
    return "" if share <= 0 else f"heat{min(SHADES, 1 + int(share * SHADES))}"


def verdict_table(run: Run) -> Grid:
    """Return for each limit and year how many of the judged sites break it more likely than not."""
    word, verdicts = run.words, run.verdicts
    broken = verdicts.assign(broken=verdicts["p_breach"] >= run.settings.judge.breach_probability)
    counts = broken.groupby(["limit", "year"])["broken"].agg(["sum", "size"])
    rows = []
    for name, limit in run.settings.limits.items():
        if name not in counts.index.get_level_values(0):
            continue
        sign = "≤" if limit.sense == "at_most" else "≥"
        value = amount(run, limit.value, limit.unit)
        cells = [_of(counts.loc[(name, year)] if (name, year) in counts.index else None) for year in run.years]
        rows.append((word.term("limit", name), f"{sign} {value}", *cells))
    head = (word("column.limit"), word("column.standard"), *map(str, run.years))
    return grid(head, rows, range(2, len(head)), wide=True)


def _of(count: pd.Series | None) -> Cell:
    """Return `broken of judged`, the darker the larger the share."""
    if count is None:
        return Cell(NONE)
    return Cell(f"{count['sum']:.0f} / {count['size']:.0f}", _heat(count["sum"] / count["size"]))


def worst_verdicts(run: Run, most: int = 10) -> Grid:
    """Return the limits that are broken worst: the site furthest over each limit, with its interval."""
    word, verdicts = run.words, run.verdicts.copy()
    scale = verdicts["limit_value"].abs().where(verdicts["limit_value"] != 0, 1.0)
    verdicts["over"] = -verdicts["margin"] / scale
    broken = verdicts[verdicts["p_breach"] >= run.settings.judge.breach_probability]
    worst = broken.sort_values("over", ascending=False, kind="stable").drop_duplicates(["limit", "site_id"]).head(most)
    rows = [
        (
            word.term("limit", row.limit),
            run.site(row.site_id),
            row.year,
            _value(run, row),
            _standard(run, row),
            percent(row.p_breach) + _chance_span(row),
        )
        for row in worst.itertuples()
    ]
    names = ("limit", "where", "year", "value", "standard", "chance")
    return grid([word(f"column.{name}") for name in names], rows, (2, 3, 4, 5), wide=True)


def _value(run: Run, row: object) -> str:
    if run.is_hidden(row.site_id, serves(row.measure)):  # type: ignore[attr-defined]
        return HIDDEN
    mean, low, high = (float(getattr(row, f"value_{part}")) for part in ("mean", "low", "high"))
    if row.unit == "share":  # type: ignore[attr-defined]
        return span(100 * mean, max(100 * low, 0.0) if low == low else low, 100 * high, 1) + "%"
    return span(mean, low, high, 1)


def serves(measure: str) -> str:
    """Return the resource whose users a measure speaks of."""
    return "bed" if measure.startswith(OF_LODGERS) else "bus" if measure in OF_RIDERS else "window"


def _standard(run: Run, row: object) -> str:
    return amount(run, row.limit_value, row.unit)  # type: ignore[attr-defined]


def amount(run: Run, value: float, unit: str) -> str:
    """Return a standard with its unit, shares as per cent."""
    return percent(value, 1) if unit == "share" else f"{value:g} {run.words.term('unit', unit)}"


def _chance_span(row: object) -> str:
    low, high = row.p_low, row.p_high  # type: ignore[attr-defined]
    return f" ({percent(low)} – {percent(high)})" if pd.notna(low) and pd.notna(high) else ""


def closure_table(run: Run) -> Grid:
    """Return by township how many schools close or stay, and how many pupils change school."""
    word, last = run.words, run.last_decisions
    head = [word(f"column.{name}") for name in ("township", "closed", "kept", "pupils_moved")]
    closed, kept = last[last["decision"] == "close"], last[last["decision"] != "close"]
    schools = run.schools
    moved = _pupils_of(run, closed["school_id"])
    towns = sorted(set(schools.reindex([*closed["school_id"], *kept["school_id"]])["township_id"].dropna()))
    of = schools["township_id"]
    counts = [float(moved[moved.index.map(of) == town].sum()) for town in towns]
    gone = hidden(counts, run.public)
    rows: list[Sequence[object]] = [
        (
            run.town(town),
            int((closed["school_id"].map(of) == town).sum()),
            int((kept["school_id"].map(of) == town).sum()),
            masked(count, away),
        )
        for town, count, away in zip(towns, counts, gone, strict=True)
    ]
    if rows:
        total = masked(sum(counts), run.public and is_small(sum(counts)))
        rows.append(strong(word("total"), str(len(closed)), str(len(kept)), total))
    return grid(head, rows, (1, 2, 3))


def _pupils_of(run: Run, closed: pd.Series[str]) -> pd.Series[float]:
    """Return the pupils of each closed school on the roll of the county's tables (grades it has)."""
    roll, schools = run.input("pupils.csv"), run.schools
    if roll.empty:
        return pd.Series(dtype=float)
    roll = roll.assign(school=roll["hamlet_id"].map(run.hamlets["school_id"]))
    roll = roll[roll["school"].isin(closed)]
    last = roll["school"].map(schools["last_grade"]).astype(float)
    first = roll["school"].map(schools["first_grade"]).astype(float)
    here = roll["grade"].astype(float).between(first, last)
    return roll[here].assign(pupils=roll["pupils"].astype(float)).groupby("school")["pupils"].sum()
