"""What more of what is short avoids, and what to buy until the limits hold, both lived again."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.tell.cells import HIDDEN
from sim.tell.grid import Cell, Grid, grid
from sim.tell.number import NONE, money, money_scale, number, span
from sim.tell.run import Run
from sim.tell.style import BLUE, GREY, canvas, with_thousands

IN_OTHER_UNITS = ("kitchen", "bus_seat", "classroom_seat")
"""Resources that are bought in other units than they are short in: meals, larger buses, classrooms."""
MOST_PURCHASES = 15
"""So many purchases are listed one by one."""


def told(run: Run) -> bool:
    """Tell whether anything was lived again."""
    return not run.if_there("relief").empty


def things(run: Run, resource: str) -> str:
    """Return what there is more of, in words."""
    return run.words.term("more" if resource in IN_OTHER_UNITS else "resource", resource)


def relief_table(run: Run) -> Grid:
    """Return what the largest number tried of each bottleneck avoids, what spares most for its money first."""
    word, table = run.words, run.if_there("relief")
    keys = ["site_id", "resource", "year"]
    first = table.groupby(keys, as_index=False)["order"].min()
    last = table.sort_values("units").drop_duplicates(keys, keep="last").drop(columns="order")
    rows = [
        (
            run.site(row.site_id),
            word.term("resource", row.resource),
            row.year,
            row.units,
            _avoided(run, row),
            money(row.cost_yuan, word),
            money(row.cost_yuan_per_year, word),
            _each(run, row.cost_yuan_per_year, row.harm_avoided_mean, row.site_id, row.resource),
            _moved(run, row),
        )
        for row in last.merge(first, on=keys).sort_values("order").itertuples()
    ]
    names = ("where", "resource", "year", "units", "avoided", "outlay", "outlay_year", "price_each", "moves_to")
    return grid([word(f"column.{name}") for name in names], rows, (2, 3, 4, 5, 6, 7), wide=True)


def purchase_table(run: Run) -> Grid:
    """Return the first purchases of the list, and those with which it was lived."""
    word, table = run.words, run.if_there("purchases")
    shown = table[(table["order"] <= MOST_PURCHASES) | table["harm_left_mean"].notna()]
    rows = [
        (
            row.order,
            run.site(row.site_id),
            word("relief.units", units=row.units, what=things(run, row.resource)),
            row.year,
            money(row.cost_yuan, word),
            money(row.cost_so_far_yuan, word),
            money(row.cost_so_far_yuan_per_year, word),
            HIDDEN if run.is_hidden(row.site_id, row.resource) else number(row.harm_avoided, 0),
            _left(row),
        )
        for row in shown.itertuples()
    ]
    names = ("rank", "where", "buy", "since", "outlay", "price_so_far", "price_year_so_far", "spared", "harm_left")
    return grid([word(f"column.{name}") for name in names], rows, (0, 3, 4, 5, 6, 7, 8), wide=True)


def story(run: Run) -> list[str]:
    """Return what the whole list costs and spares, in words, what it leaves, and how far its first part goes."""
    word, table = run.words, run.if_there("purchases")
    if table.empty:
        return [word("relief.nothing_to_buy")]
    lived = table[table["harm_left_mean"].notna()]
    cost = money(table["cost_so_far_yuan"].iloc[-1], word)
    return [
        word("relief.all", cost=cost, before=number(_before(run), 0), **_up_to(run, lived.iloc[-1])),
        *(word("relief.part", **_up_to(run, row)) for _, row in lived.iloc[:-1].iterrows()),
    ]


def first(run: Run) -> list[str]:
    """Return the sentence about what to buy first, and how far the part of the list goes that was lived."""
    table = run.if_there("purchases")
    if table.empty:
        return []
    word, top, part = run.words, table.iloc[0], table[table["harm_left_mean"].notna()].iloc[0]
    what = word("relief.units", units=top["units"], what=things(run, top["resource"]))
    told = {"what": what, "where": run.site(top["site_id"]), "cost": money(top["cost_yuan"], word)}
    return [word("relief.first", before=number(_before(run), 0), **told, **_up_to(run, part))]


def head(run: Run) -> list[str]:
    """Return what to buy first, for how much, what it spares, and what the parts of the list do that were lived."""
    word, table = run.words, run.if_there("purchases")
    if table.empty:
        return [word("relief.nothing_to_buy")]
    top, lived = table.iloc[0], table[table["harm_left_mean"].notna()]
    prices = {"cost": money(top["cost_yuan"], word), "yearly": money(top["cost_yuan_per_year"], word)}
    what = word("relief.units", units=top["units"], what=things(run, top["resource"]))
    said = [word("head.buy_first", what=what, where=run.site(top["site_id"], short=True), **prices)]
    if not run.is_hidden(top["site_id"], top["resource"]):
        said.append(word("head.buy_spares", spared=number(top["harm_avoided"], 0)))
    before, cost = number(_before(run), 0), money(lived["cost_so_far_yuan"].iloc[0], word)
    said.append(word("head.buy_part", before=before, cost=cost, **_up_to(run, lived.iloc[0])))
    return [*said, *(word("head.buy_all", **_up_to(run, row)) for _, row in lived.iloc[1:].tail(1).iterrows())]


def ask(run: Run) -> list[str]:
    """Return the decision about the first part of the list that was lived."""
    table = run.if_there("purchases")
    lived = table[table["harm_left_mean"].notna()] if len(table) else table
    return [run.words("head.decide_buy", **_up_to(run, row)) for _, row in lived.head(1).iterrows()]


def _before(run: Run) -> float:
    """Return the harm of a mean year with nothing bought."""
    left = run.if_there("harm_left")
    return float(left[left["order"] == 0].groupby("replication")["severity"].sum().mean() / left["year"].nunique())


def _up_to(run: Run, row: pd.Series) -> dict[str, object]:
    """Return what all purchases up to one cost a year, and the harm they leave."""
    yearly = money(row["cost_so_far_yuan_per_year"], run.words)
    return {"purchases": int(row["order"]), "yearly": yearly, "after": _left(row)}


def chart(run: Run) -> Figure | None:
    """Draw the harm that is left against what is spent a year: lived with parts of the list, and reckoned between.

    What may not be told of a small group makes no step of the line.
    """
    table = run.if_there("purchases")
    if table.empty:
        return None
    word, scale, before = run.words, money_scale(run.words), _before(run)
    spent = np.append(0.0, table["cost_so_far_yuan_per_year"]) / scale
    small = [run.is_hidden(*place) for place in table[["site_id", "resource"]].itertuples(index=False)]
    spared = np.append(0.0, table["harm_avoided"].mask(small, 0.0).cumsum())
    figure, axes = canvas(3.0)
    axes.step(spent, before - spared, where="post", color=GREY, linewidth=1.2,
              label=word("chart.purchases_reckoned"))  # fmt: skip
    lived = table[table["harm_left_mean"].notna()]
    ends = lived[["harm_left_low", "harm_left_high"]].to_numpy().T
    error = np.nan_to_num(np.abs(ends - lived["harm_left_mean"].to_numpy()))
    axes.errorbar(lived["cost_so_far_yuan_per_year"] / scale, lived["harm_left_mean"], yerr=error, fmt="o", color=BLUE,
                  capsize=3, label=word("chart.purchases_lived"))  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.set(xlabel=word("axis.money_year"), ylabel=word("axis.severity_year"))
    axes.yaxis.set_major_formatter(with_thousands)
    axes.yaxis.grid(visible=True)
    axes.legend(loc="upper right")
    return figure


def _avoided(run: Run, row: object) -> str | Cell:
    """Return the weighted harm that a relief avoids; what does no good is set off."""
    values = [getattr(row, f"harm_avoided_{end}") for end in ("mean", "low", "high")]
    if run.is_hidden(row.site_id, row.resource):  # type: ignore[attr-defined]
        return HIDDEN
    return Cell(span(*values), "" if not values[1] <= 0 else "bad")


def _each(run: Run, yuan: float, harm: float, site: str, resource: str) -> str:
    """Return what a weighted pupil-day less costs."""
    if harm <= 0 or np.isnan(yuan) or run.is_hidden(site, resource):
        return NONE
    return number(yuan / harm, 0 if yuan > harm * 10 else 1)


def _moved(run: Run, row: object) -> str:
    """Return where new harm appears, and how much of it."""
    where = row.moves_to  # type: ignore[attr-defined]
    if not isinstance(where, str):
        return NONE
    site, resource = where.rsplit("/", 1)
    if run.is_hidden(site, resource):
        return HIDDEN
    harm = number(row.harm_moved_mean, 0)  # type: ignore[attr-defined]
    return run.words("relief.moved", where=run.site(site), resource=run.words.term("resource", resource), harm=harm)


def _left(row: pd.Series | object) -> str:
    """Return the harm left in the county, where it was lived."""
    mean, low, high = (getattr(row, f"harm_left_{end}") for end in ("mean", "low", "high"))
    return span(mean, low, high, 0) if np.isfinite(mean) else ""
