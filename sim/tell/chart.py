"""Charts over the years: pupils, buses and beds, with how sure we are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.tell.cells import hidden
from sim.tell.fan import fan
from sim.tell.number import by_replication, interval, shown_pupils
from sim.tell.run import COUNTY, Run
from sim.tell.style import (
    BLACK,
    BLUE,
    LINES,
    ORANGE,
    RED,
    SERIES,
    canvas,
    from_zero,
    years_axis,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIRST_JUNIOR_GRADE = 7


def enrolment(run: Run) -> Figure | None:
    """Draw the pupils of each year: all of them with fans, then by school level and by home."""
    pupils = run.totals("enrolment", ["replication", "year", "hamlet_id", "grade"], "pupils")
    if pupils.empty:
        return None
    word = run.words
    figure, axes = canvas(3.3, 1, 2, width_ratios=(1.15, 1))
    fan(run, axes[0], shown_pupils(_by_year(run, pupils), run.public))
    axes[0].legend(loc="lower left")
    axes[0].set_title(word("chart.all_pupils"))
    town = pupils["hamlet_id"].map(run.hamlets["kind"]) == "town"
    junior = pupils["grade"] >= FIRST_JUNIOR_GRADE
    groups = {
        "primary_rural": ~junior & ~town,
        "junior_rural": junior & ~town,
        "primary_town": ~junior & town,
        "junior_town": junior & town,
    }
    wide = {name: _by_year(run, pupils[rows]) for name, rows in groups.items() if rows.any()}
    means = pd.DataFrame({name: values.mean(axis=1) for name, values in wide.items()})
    gone = pd.DataFrame([hidden(list(row), run.public) for row in means.to_numpy()], run.years, means.columns)
    for k, (name, values) in enumerate(wide.items()):
        _banded(axes[1], values.mask(gone[name], axis=0), SERIES[k], LINES[k], word(f"chart.{name}"))
    axes[1].set_title(word("chart.by_group"))
    for part in axes:
        years_axis(part, run.years)
        from_zero(part)
        part.set_xlabel(word("axis.year"))
        part.set_ylabel(word("axis.pupils"))
    axes[1].set_ylim(top=axes[1].get_ylim()[1] * 1.3)
    axes[1].legend(loc="upper left", ncols=2, columnspacing=2.5)
    return figure


def _by_year(run: Run, pupils: pd.DataFrame) -> pd.DataFrame:
    """Return pupils by year (rows) and replication (columns)."""
    wide = by_replication(pupils, ["year"], "pupils", run.replications, 0.0)
    return wide.reindex(run.years, fill_value=0.0)


def _banded(axes: Axes, wide: pd.DataFrame, colour: str, line: Any, label: str, inside: float = 80) -> None:
    """Draw a mean over the years with the band in which most replications lie."""
    values, years = wide.to_numpy(), wide.index.to_numpy(dtype=float)
    if values.shape[1] > 1:
        low, high = np.percentile(values, [50 - inside / 2, 50 + inside / 2], axis=1)
        axes.fill_between(years, low, high, color=colour, alpha=0.22, linewidth=0)
    axes.plot(years, values.mean(axis=1), color=colour, linestyle=line, label=label)


def _sure(axes: Axes, wide: pd.DataFrame, colour: str, line: Any, label: str, marker: str = "o") -> None:
    """Draw a mean over the years with the 95 % interval of the mean as bars."""
    found = interval(wide)
    years = found.index.to_numpy(dtype=float)
    half = (found["high"] - found["mean"]).fillna(0.0).to_numpy()
    below = np.minimum(half, found["mean"].to_numpy())
    axes.errorbar(
        years,
        found["mean"],
        yerr=np.vstack([below, half]),
        color=colour,
        linestyle=line,
        label=label,
        marker=marker,
        markersize=4,
        capsize=2.5,
        elinewidth=1,
    )


def fleet(run: Run) -> Figure | None:
    """Draw buses owned, needed and in duty, and what they do in a school day: riders, km, pupils left behind."""
    word, figure_axes = run.words, canvas(5.2, 2, 2)
    figure, axes = figure_axes
    _buses(run, axes[0, 0])
    totals = run.county_totals()
    totals["value"] /= run.school_days
    parts = (
        (axes[0, 1], ("pupils_carried",), "chart.riders", "axis.riders_day"),
        (axes[1, 0], ("bus_km",), "chart.km", "axis.km_day"),
        (axes[1, 1], ("pupils_left_behind", "pupils_fetched"), "chart.left_behind", "axis.pupils_day"),
    )
    for part, measures, title, label in parts:
        for k, measure in enumerate(measures):
            rows = totals[totals["measure"] == measure]
            if len(rows):
                wide = by_replication(rows, ["year"], "value", run.replications)
                wide = shown_pupils(wide, run.public) if measure == "pupils_carried" else wide
                _sure(part, wide, (BLUE, ORANGE)[k], LINES[k], word(f"measure.{measure}"), "os"[k])
        part.set_title(word(title))
        part.set_ylabel(word(label))
        if len(measures) > 1:
            part.legend(loc="best")
    for part in axes.flat:
        years_axis(part, run.years)
        from_zero(part)
        part.set_xlabel(word("axis.year"))
    return figure


def _buses(run: Run, axes: Axes) -> None:
    word, resources = run.words, run.resources
    buses = resources[(resources["site_id"] == COUNTY) & (resources["resource"] == "bus")]
    by_year = buses.groupby("year")[["capacity", "demand_peak"]].mean()
    runs = pd.read_parquet(run.folder.file("runs"), columns=["year", "bus_id"]).dropna()
    in_duty = runs.groupby("year")["bus_id"].nunique().reindex(run.years, fill_value=0)
    axes.plot(
        by_year.index,
        by_year["capacity"],
        color=BLACK,
        linestyle=LINES[0],
        drawstyle="steps-mid",
        label=word("chart.owned"),
    )
    axes.plot(
        by_year.index,
        by_year["demand_peak"],
        color=RED,
        linestyle=LINES[1],
        marker="s",
        markersize=4,
        label=word("chart.needed"),
    )
    axes.plot(
        in_duty.index, in_duty, color=BLUE, linestyle=LINES[2], marker="o", markersize=4, label=word("chart.in_duty")
    )
    axes.set_title(word("chart.buses"))
    axes.set_ylabel(word("axis.buses"))
    axes.legend(loc="lower left")


def dormitory(run: Run) -> Figure | None:
    """Draw beds of girls and boys against those who ask for one and those who got one, by year."""
    beds = run.resources[run.resources["resource"].isin(["bed_girls", "bed_boys"])]
    if beds.empty:
        return None
    word = run.words
    beds = beds.assign(given=beds["utilisation_mean"].fillna(0.0) * beds["capacity"])
    figure, axes = canvas(3.1, 1, 2, sharey=True)
    for part, resource in zip(axes, ("bed_girls", "bed_boys"), strict=True):
        rows = beds[beds["resource"] == resource]
        nominal = by_replication(rows, ["year"], "capacity", run.replications).mean(axis=1)
        part.plot(
            nominal.index, nominal, color=BLACK, linestyle=LINES[0], drawstyle="steps-mid", label=word("chart.beds")
        )
        wanted = by_replication(rows, ["year"], "demand_peak", run.replications, 0.0)
        _sure(part, shown_pupils(wanted, run.public), RED, LINES[1], word("chart.asked"), "s")
        given = by_replication(rows, ["year"], "given", run.replications, 0.0)
        _sure(part, shown_pupils(given, run.public), BLUE, LINES[2], word("chart.slept"))
        part.set_title(word(f"resource.{resource}"))
        part.set_xlabel(word("axis.year"))
        years_axis(part, run.years)
    for part in axes:
        from_zero(part)
    axes[0].set_ylabel(word("axis.beds"))
    axes[0].legend(loc="lower left")
    return figure
