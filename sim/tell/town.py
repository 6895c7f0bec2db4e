"""Class places against pupils: the town's new schools, who does not fit, and how many places births leave empty."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.tell.grid import Grid, grid
from sim.tell.number import by_replication, number, percent, pupils
from sim.tell.run import Run
from sim.tell.style import BLACK, BLUE, GREEN, LINES, ORANGE, PALE, canvas, from_zero, years_axis

LEVELS = ("primary", "junior")
VARIANTS = ("low", "medium", "high")


@dataclass(frozen=True)
class Town:
    """The class places of a run; nothing is told where no table knows them."""

    run: Run

    @cached_property
    def schools(self) -> pd.DataFrame:
        """Return class_places.csv; empty for a run without it."""
        there = self.run.folder.file("class_places").is_file()
        return self.run.table("class_places") if there else pd.DataFrame(columns=["level", "is_town", "p_over"])

    @cached_property
    def levels(self) -> dict[str, pd.DataFrame]:
        """Return for each level with town schools what all of them together have and take, by year."""
        town = self.schools[self.schools["is_town"] == 1]
        return {level: self._together(town[town["level"] == level]) for level in LEVELS if level in set(town["level"])}

    @property
    def told(self) -> bool:
        """Tell whether there is anything to say: class places of the town, or too few of them anywhere."""
        return bool(self.levels) or bool((self.schools["p_over"] > 0).any())

    def _together(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Add up schools by year. New places are needed once the others are full, if pupils are spread over all."""
        names = ["places", "places_added", "pupils_mean", "over_mean", *(f"expected_{v}_births" for v in VARIANTS)]
        sums = rows.groupby("year")[names].sum().reindex(self.run.years, fill_value=0.0)
        old, new = sums["places"] - sums["places_added"], sums["places_added"]
        sums["free"] = (sums["places"] - sums["pupils_mean"]).clip(lower=0.0)
        for name, column in {"": "pupils_mean", **{v: f"expected_{v}_births" for v in VARIANTS}}.items():
            needed = (sums[column] - old).clip(lower=0.0)
            sums[f"empty{name}"] = (1 - needed / new.where(new > 0)).clip(lower=0.0)
        return sums

    def intro(self) -> str:
        """Return what is compared, with the norms as set."""
        dine = self.run.settings.dine
        return self.run.words("text.town", primary=dine.class_size, junior=dine.class_size_junior)

    def story(self) -> list[str]:
        """Return the sentences about the new places of each level, and about full schools in a town with room."""
        unspread = self._unspread()
        why = f"town.why_{self.run.settings.assign.town}"
        return self._new_places() + unspread + ([self.run.words(why)] if unspread else [])

    @cached_property
    def _crowded(self) -> pd.DataFrame:
        """Return the rows of schools and years with pupils beyond the class places often enough to matter."""
        return self.schools[self.schools["p_over"] >= max(self.run.settings.judge.breach_probability, 1e-9)]

    def _unspread(self) -> list[str]:
        """Return a sentence for each level with too full schools in a town with room for all: its worst such year."""
        said = []
        for level, years in self.levels.items():
            full = self._crowded[(self._crowded["is_town"] == 1) & (self._crowded["level"] == level)]
            room = years[(years["free"] > 0) & years.index.isin(full["year"])]
            if room.empty:
                continue
            worst = room.loc[room["over_mean"].idxmax()]
            fullest = full.loc[full[full["year"] == worst.name]["over_mean"].idxmax()]
            said.append(
                self.run.words(
                    "town.unspread",
                    level=self.run.words(f"town.{level}"),
                    year=worst.name,
                    over=pupils(worst["over_mean"], public=self.run.public),
                    free=number(worst["free"], 0),
                    school=self.run.site(fullest["site_id"]),
                    most=pupils(fullest["over_mean"], public=self.run.public),
                )
            )
        return said

    def _new_places(self) -> list[str]:
        """Return the sentences about the new places of each level."""
        said = []
        for level, years in self.levels.items():
            added, last = years["places_added"].iloc[-1], years.iloc[-1]
            if not added:
                continue
            first = {births: self._first_empty(years[f"empty{births}"]) for births in VARIANTS}
            share = percent(self.run.settings.judge.idle_share)
            said += [
                self.run.words(
                    f"town.new_{level}",
                    added=number(added),
                    year=self.run.years[-1],
                    used=number(added * (1 - last["empty"]), 0),
                    empty=percent(last["empty"]),
                ),
                self.run.words("town.empty", share=share, **first),
            ]
        return said

    def _first_empty(self, empty: pd.Series[float]) -> str:
        """Return the first year in which more of the new places stand empty than the settings allow, as a text."""
        years = empty.index[empty > self.run.settings.judge.idle_share]
        return str(years[0]) if len(years) else self.run.words("town.no_year")

    def table(self) -> Grid:
        """Return the town's places and pupils, level by level, one column a year."""
        word, rows = self.run.words, []
        for level, years in self.levels.items():
            shown = {
                "places": years["places"].map(number),
                "new": years["places_added"].map(number),
                "pupils": years["pupils_mean"].map(lambda mean: number(mean, 0)),
                "over": years["over_mean"].map(lambda mean: pupils(mean, public=self.run.public)),
                "free": years["free"].map(lambda mean: number(mean, 0)),
                "empty": years["empty"].map(percent),
            }
            rows += [(word(f"town.{level}"), word(f"town_row.{name}"), *cells) for name, cells in shown.items()]
        head = (word("column.level"), word("column.measure"), *map(str, self.run.years))
        return grid(head, rows, range(2, len(head)), wide=True)

    def crowded(self, most: int = 10) -> Grid:
        """Return the schools with most pupils beyond their class places, in their worst year, and what would help."""
        word, over = self.run.words, self._crowded
        rows = []
        if len(self.schools):
            first = over.groupby("site_id")["year"].min()
            worst = over.sort_values("over_mean", ascending=False, kind="stable").drop_duplicates("site_id").head(most)
            rows = [
                (
                    self.run.site(row["site_id"]),
                    str(first[row["site_id"]]),
                    str(row["year"]),
                    number(row["places"]),
                    pupils(row["over_mean"], public=self.run.public),
                    number(row["class_size_mean"], 1),
                    self._relief(row),
                )
                for _, row in worst.iterrows()
            ]
        names = ("where", "first_year", "worst_year", "places", "over", "class_size", "relief_town")
        return grid([word(f"column.{name}") for name in names], rows, (1, 2, 3, 4, 5), wide=True)

    def _relief(self, row: pd.Series) -> str:
        """Return what would help: the free places of the town's other schools of the level, else more classrooms."""
        dine = self.run.settings.dine
        size = dine.class_size_junior if row["level"] == "junior" else dine.class_size
        rooms = int(np.ceil(row["over_mean"] / size))
        others = self.schools[(self.schools["year"] == row["year"]) & (self.schools["level"] == row["level"])]
        free = others.loc[(others["is_town"] == 1) & (others["site_id"] != row["site_id"]), "unused_mean"].sum()
        if row["is_town"] and free >= row["over_mean"]:
            return self.run.words("town.spread", free=number(free, 0))
        return self.run.words("town.rooms", rooms=number(rooms))


def places_and_pupils(run: Run) -> Figure | None:
    """Draw the town's class places, those there and the new ones, against its pupils, and against other births."""
    town, word = Town(run), run.words
    if not town.levels:
        return None
    figure, axes = canvas(3.3, 1, len(town.levels), squeeze=False)
    rolls = run.site_means("roll")
    for part, (level, table) in zip(axes[0], town.levels.items(), strict=True):
        years, old = np.asarray(run.years), table["places"] - table["places_added"]
        part.bar(years, old, color=PALE, label=word("chart.places_there"))
        part.bar(years, table["places_added"], bottom=old, color=BLUE, alpha=0.35, label=word("chart.places_new"))
        sites = town.schools[(town.schools["is_town"] == 1) & (town.schools["level"] == level)]["site_id"]
        wide = by_replication(rolls[rolls["site_id"].isin(set(sites))], ["year"], "value", run.replications)
        low, high = np.nanpercentile(wide.reindex(run.years).to_numpy(), [10, 90], axis=1)
        part.fill_between(years, low, high, color=BLACK, alpha=0.15, linewidth=0)
        part.plot(years, table["pupils_mean"], color=BLACK, marker="o", markersize=3, label=word("chart.town_pupils"))
        for births, colour, line in (("low", ORANGE, LINES[1]), ("high", GREEN, LINES[2])):
            label = word(f"chart.births_{births}")
            part.plot(years, table[f"expected_{births}_births"], color=colour, linestyle=line, label=label)
        part.set_title(word(f"town.{level}"))
        part.set_xlabel(word("axis.year"))
        part.set_ylabel(word("axis.places_pupils"))
        years_axis(part, run.years)
        from_zero(part)
        part.set_ylim(top=part.get_ylim()[1] * 1.35)
    axes[0][0].legend(loc="upper left", ncols=2, columnspacing=1.5)
    return figure
