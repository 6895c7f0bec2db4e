"""Calendar of the school weeks: how much harm each does, what is in use, which weather; and the worst weeks of all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sim.tell.cells import HIDDEN, is_small
from sim.tell.fan import is_few
from sim.tell.grid import Grid, grid
from sim.tell.heat import SHADES, tiles
from sim.tell.number import NONE, interval, percent, pupils
from sim.tell.run import COUNTY, Run
from sim.tell.runs_map import busiest_year
from sim.tell.style import BLACK, BLUE, GREY, ORANGE, RED, canvas, from_zero

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HARMS: dict[str, tuple[str, ...]] = {
    "left_behind": ("pupils_left_behind", "pupils_fetched"),
    "no_bed": ("bed_refused", "emergency_refused"),
    "hungry": ("meals_unserved",),
    "late": ("late_pupils",),
    "gave_up": ("wash_given_up",),
    "haste": ("eating_min_short",),
}
"""Kind of harm -> the measures that count it week by week; of those left behind, who was fetched is taken off."""
USES = {
    "bus_seat": "pupils_carried",
    "bed": "beds_occupied",
    "kitchen": "meals_lunch",
    "classroom_seat": "pupils_present",
}
"""Resource -> the measure that says how much of it a week takes: a total of its days, but beds, a mean of nights."""
USERS = {"left_behind": "bus", "late": "bus", "no_bed": "bed", "bus_seat": "bus", "bed": "bed"}
"""Row of the calendar -> the resource whose users it speaks of; the others speak of all pupils."""
WEATHER = {"rain": ("#C9D7E3", ""), "fog": ("#8FA3B5", ""), "ice": (BLUE, "////"), "flood": (BLACK, "")}
STEPS = (0.2, 0.4, 0.6, 0.8, 1.0)
"""A cell gets darker beyond a fifth of the largest week or of what there is, beyond two fifths, ... beyond all."""
MOST_NAMED = 3


@dataclass(frozen=True)
class Weeks:
    """The weeks that were lived, of the whole county."""

    run: Run

    @cached_property
    def lived(self) -> pd.DataFrame:
        """Return one row per (year, replication, week): pupil-days of each harm, `severity`, and uses as shares."""
        measures = sorted({name for names in HARMS.values() for name in names} | {*USES.values()})
        wide = self.run.weekly.reindex(columns=measures).fillna(0.0)
        found = pd.DataFrame({kind: self._harm(wide, kind) for kind in HARMS})
        weights = pd.Series(self.run.settings.judge.weights)
        found["severity"] = (found * weights.reindex(list(HARMS), fill_value=0.0)).sum(axis=1)
        for resource, measure in USES.items():
            days = 1.0 if resource == "bed" else self._days.reindex(wide.index).to_numpy()
            there = self._there(resource).reindex(wide.index.get_level_values("year")).to_numpy()
            with np.errstate(invalid="ignore", divide="ignore"):
                found[resource] = np.where(there > 0, wide[measure].to_numpy() / days / there, np.nan)
        return found

    @staticmethod
    def _harm(wide: pd.DataFrame, kind: str) -> pd.Series:
        fetched = wide["pupils_fetched"] if kind == "left_behind" else 0.0
        return sum((wide[name] for name in HARMS[kind] if name != "pupils_fetched"), start=0.0) - fetched

    def _there(self, resource: str) -> pd.Series:
        """Return how much of a resource the county has, by year: the mean over the replications."""
        names = ["bed_girls", "bed_boys"] if resource == "bed" else [resource]
        rows = self.run.resources[self.run.resources["resource"].isin(names)]
        return rows.groupby("year")["capacity"].sum() / len(self.run.replications)

    @cached_property
    def _days(self) -> pd.Series:
        return self.run.days.groupby(["year", "replication", "week"]).size()

    def by_week(self, name: str, year: int | None = None) -> pd.DataFrame:
        """Return a column of `lived` by week (rows) and replication: of one year, or the mean of the years lived."""
        column = self.lived[name] if year is None else self.lived[name].xs(year, level="year")
        wide = column.groupby(["week", "replication"]).mean().unstack("replication")
        return wide.reindex(self.all).reindex(columns=self.run.replications)

    @cached_property
    def all(self) -> list[int]:
        """Return the weeks of a school year."""
        return sorted(self.run.input("calendar.csv")["week"].astype(int))

    @cached_property
    def calendar(self) -> pd.DataFrame:
        """Return term and month of each week."""
        return self.run.input("calendar.csv").astype({"week": int, "term": int, "month": int}).set_index("week")

    @cached_property
    def weather(self) -> pd.DataFrame:
        """Return the share of the half days lived in each week with each kind of weather that is not clear."""
        days = self.run.days
        halves = pd.concat(
            [days[["week", half]].set_axis(["week", "sky"], axis=1) for half in ("morning", "afternoon")]
        )
        share = halves.groupby("week")["sky"].value_counts(normalize=True).unstack(fill_value=0.0)
        return share.reindex(index=self.all, columns=list(WEATHER)).where(share.sum(axis=1).reindex(self.all) > 0)


def calendar(run: Run) -> Figure | None:
    """Draw the calendar of a typical and of the busiest year; None when no week did any harm."""
    weeks = Weeks(run)
    if run.days.empty or not weeks.lived["severity"].sum() > 0:
        return None
    busiest = busiest_year(run)
    years: dict[int | None, str] = {None: run.words("calendar.typical")}
    if len(run.years) > 1:
        years[busiest] = run.words("calendar.busiest", year=busiest)
    rows = [name for name in (*HARMS, *USES) if weeks.lived[name].sum() > 0 and not _is_few(run, name)]
    labels = [_name(run, name) for name in rows]
    high = 0.155 * len(rows) + 0.25
    figure, axes = canvas(3.35 + high * len(years), 2 + len(years), sharex=True,
                          height_ratios=(1.5, *[high] * len(years), 0.55))  # fmt: skip
    _bars(run, axes[0], weeks, busiest if len(years) > 1 else None)
    for part, (year, title) in zip(axes[1:-1], years.items(), strict=True):
        _strip(run, part, weeks, rows, year)
        part.set_yticks(np.arange(len(rows)) + 0.5, labels, fontsize=8)
        part.set_title(title)
    _sky(run, axes[-1], weeks)
    for part in axes:
        _turns(part, weeks)
    axes[-1].set_xlim(weeks.all[0] - 0.6, weeks.all[-1] + 0.6)  # all share it
    axes[-1].set_xticks(weeks.all[::2])
    _legends(run, figure, axes)
    return figure


def _is_few(run: Run, row: str) -> bool:
    """Tell whether a public page may not show a row: it speaks of fewer than five pupils of the whole county."""
    return is_few(run, USERS.get(row, "window"))


def _name(run: Run, row: str) -> str:
    return run.words.term("harm" if row in HARMS else "use", row)


def _bars(run: Run, axes: Axes, weeks: Weeks, busiest: int | None) -> None:
    """Draw the weighted harm of each week: the mean of the years with its interval, and the busiest year."""
    wide = weeks.by_week("severity")
    found = interval(wide.mask(wide.mean(axis=1).map(is_small), axis=0) if run.public else wide)
    worst = found["mean"].nlargest(MOST_NAMED).index
    for rows, colour, hatch in ((~found.index.isin(worst), ORANGE, ""), (found.index.isin(worst), RED, "/////")):
        axes.bar(found.index[rows], found["mean"][rows], width=0.8, color=colour, hatch=hatch, edgecolor="white",
                 linewidth=0.4, label=run.words("calendar.worst" if hatch else "calendar.mean"))  # fmt: skip
    known = found.dropna()
    axes.vlines(known.index, known["low"].clip(lower=0.0), known["high"], color=BLACK, linewidth=0.8,
                label=run.words("calendar.interval"))  # fmt: skip
    top = found[["mean", "high"]].max(axis=1)
    if busiest is not None:
        there = weeks.by_week("severity", busiest).mean(axis=1)
        there = there.mask(there.map(is_small)) if run.public else there
        top = np.fmax(top, there)
        axes.plot(there.index, there, "D", color="white", markeredgecolor=BLUE, markersize=3.6, markeredgewidth=1.1,
                  label=run.words("calendar.riders", year=busiest))  # fmt: skip
    for week in worst:
        axes.annotate(str(week), (week, top[week]), (0, 5), textcoords="offset points", ha="center", fontsize=8,
                      color=RED, fontweight="bold")  # fmt: skip
    from_zero(axes)
    axes.set_ylabel(run.words("axis.weighted_week"))
    month = weeks.calendar["month"].reindex(weeks.all)
    spell = month.ne(month.shift()).cumsum()
    middle = month.index.to_series().groupby(spell).mean()
    above = axes.secondary_xaxis("top")
    above.set_xticks(middle, [run.words.term("month_short", each) for each in month.groupby(spell).first()])
    above.tick_params(length=0, pad=0, labelcolor=GREY)
    above.spines["top"].set_visible(False)


def _strip(run: Run, axes: Axes, weeks: Weeks, rows: list[str], year: int | None) -> None:
    """Shade each week: a kind of harm by its largest week of either calendar, a use by what there is."""
    means = {name: weeks.by_week(name, year).mean(axis=1) for name in rows}
    shares = []
    for place, (name, mean) in enumerate(means.items()):
        small = mean.map(is_small) if run.public and name in HARMS else pd.Series(data=False, index=mean.index)
        most = max(weeks.by_week(name).mean(axis=1).max(), mean.max()) if name in HARMS else 1.0
        shares.append((mean / most).mask(small).to_numpy())
        for week in mean.index[small]:
            axes.text(week, place + 0.55, HIDDEN, ha="center", va="center", fontsize=7, color=GREY)
    tiles(axes, np.array(shares), [np.nextafter(step, 2.0) for step in STEPS], means[rows[0]].index[0] - 0.5)
    axes.set_ylim(len(rows), 0)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _sky(run: Run, axes: Axes, weeks: Weeks) -> None:
    below = pd.Series(0.0, index=weeks.weather.index)
    for sky, (colour, hatch) in WEATHER.items():
        share = 100 * weeks.weather[sky].fillna(0.0)
        if share.sum():
            axes.bar(share.index, share, bottom=below, width=0.8, color=colour, hatch=hatch, edgecolor="white",
                     linewidth=0.2, label=run.words.term("sky", sky))  # fmt: skip
        below = below + share
    axes.set_ylabel(run.words("axis.share_halves"))
    axes.set_ylim(0, 100)
    axes.set_xlabel(run.words("axis.week"))


def _turns(axes: Axes, weeks: Weeks) -> None:
    """Mark where a term begins."""
    terms = weeks.calendar["term"].reindex(weeks.all)
    for week in terms.index[1:][np.diff(terms.to_numpy()) != 0]:
        axes.axvline(week - 0.5, color=BLACK, linewidth=0.9, linestyle=(0, (2, 2)))
    axes.tick_params(axis="x", length=2)


def _legends(run: Run, figure: Figure, axes: np.ndarray) -> None:
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=4, columnspacing=1.4,
                  handlelength=1.6)  # fmt: skip
    names = [run.words("calendar.upto", share=percent(step)) for step in STEPS] + [run.words("calendar.more")]
    shades = [Patch(facecolor=shade, label=name) for shade, name in zip(SHADES, names, strict=True)]
    figure.legend(handles=[*shades, *axes[-1].get_legend_handles_labels()[0]], loc="outside lower left", ncols=5,
                  columnspacing=2.2)  # fmt: skip


def worst_weeks(run: Run, most: int = 5) -> Grid:
    """Return the single weeks with most weighted harm: when, how much, what, where, and in which weather."""
    word, weeks = run.words, Weeks(run)
    names = ("week", "year", "weighted_week", "lived_times", "harm_kind", "where_most", "weather")
    head = [word(f"column.{name}") for name in names]
    if run.days.empty or not weeks.lived["severity"].sum() > 0:
        return grid(head, [])
    by_week = weeks.lived["severity"].unstack("replication")
    found = interval(by_week.reindex(columns=run.replications))
    found = found[found["mean"] > 0].nlargest(most, "mean")
    where = _where(run, [week for _, week in found.index])
    rows = []
    for (year, week), each in found.iterrows():
        here = weeks.lived.xs((year, week), level=("year", "week"))
        kinds = here[list(HARMS)].mean() * pd.Series(run.settings.judge.weights).reindex(list(HARMS))
        at = weeks.calendar.loc[week]
        when = word("calendar.week", week=week, term=at["term"], month=word.term("month", at["month"]))
        much = pupils(each["mean"], each["low"], each["high"], run.public)
        rows.append((when, year, much, len(here), _most_of(run, kinds), _site(run, where.get((year, week))),
                     _skies(run, year, week)))  # fmt: skip
    return grid(head, rows, (1, 2, 3), wide=True)


def _most_of(run: Run, kinds: pd.Series) -> str:
    """Return the kind that does most of the harm, and its share; hidden when it speaks of fewer than five pupils."""
    if _is_few(run, kinds.idxmax()):
        return HIDDEN
    return f"{run.words.term('harm', kinds.idxmax())} ({percent(kinds.max() / kinds.sum())})"


def _where(run: Run, weeks: list[int]) -> dict[tuple[int, int], str]:
    """Return the school at which most pupil-days are harmed in each year and week."""
    columns = ["year", "week", "site_id", "value"]
    rows = run.folder.read_rows("measures", columns, ("measure", "==", "pupil_days_harmed"), ("site_id", "!=", COUNTY),
                                ("week", "in", sorted(set(weeks))), ("day", "==", 0))  # fmt: skip
    mean = rows.groupby(columns[:3], observed=True)["value"].sum()
    worst = mean[mean > 0].groupby(["year", "week"]).idxmax()
    return {(year, week): str(site) for year, week, site in worst}


def _site(run: Run, site: str | None) -> str:
    return NONE if site is None else HIDDEN if run.is_hidden(site, "window") else run.site(site)


def _skies(run: Run, year: int, week: int) -> str:
    """Return the weather of the half days of a week, the commonest first, with shares."""
    days = run.days[(run.days["year"] == year) & (run.days["week"] == week)]
    halves = pd.concat([days["morning"], days["afternoon"]]).value_counts(normalize=True)
    return run.words.join([f"{run.words.term('sky', sky)} {percent(share)}" for sky, share in halves.items()])
