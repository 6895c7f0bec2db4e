"""What the files of a run say of each school that closes or receives, grouped once for all pages that tell of it."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple
from urllib.parse import quote

import pandas as pd

from sim.tell.answer import worst_of_all
from sim.tell.case import file_of
from sim.tell.group import Group, SchoolPlans
from sim.tell.number import by_replication, interval
from sim.tell.run import Run

ROOMS = ("classroom_seat", "bed_girls", "bed_boys", "canteen_seat", "kitchen")
"""What a receiving school must have room in, in the order in which it is told."""


class Move(NamedTuple):
    """Pupils of one closing school who go to one receiving school from a year on."""

    year: int
    school: str
    to: str
    groups: tuple[Group, ...]

    @property
    def pupils(self) -> float:
        """Return how many pupils the plan counts on."""
        return float(sum(group.row.pupils for group in self.groups))


class Tightest(NamedTuple):
    """The year in which most of what a school has is asked for: what there is, and the need over replications."""

    year: int
    there: float
    mean: float
    low: float
    high: float
    chance: float
    """Share of replications in which more is asked for than there is."""


class Sites:
    """All that the pages of townships and the annexes tell of schools; every table is read and grouped once."""

    def __init__(self, plans: SchoolPlans) -> None:
        self.plans, self.run = plans, plans.run

    @cached_property
    def moves(self) -> list[Move]:
        """Return who goes where, of schools that close, by year and school."""
        found: dict[tuple[int, str, str], list[Group]] = {}
        for case in self.plans.cases:
            for group in self.plans.groups(case) if case.verdict == "close" else ():
                if group.placed:
                    found.setdefault((group.row.year, case.school, group.row.to_school_id), []).append(group)
        return [Move(*key, tuple(groups)) for key, groups in sorted(found.items(), key=lambda item: item[0])]

    @cached_property
    def receiving(self) -> dict[str, int]:
        """Return the schools that receive, and the first year in which they do."""
        first: dict[str, int] = {}
        for move in self.moves:
            first.setdefault(move.to, move.year)
        return first

    @cached_property
    def townships(self) -> dict[str, list[str]]:
        """Return the townships with a school that a rule named or that receives, and all their schools by id."""
        of = self.run.schools["township_id"]
        told = {case.school for case in self.plans.cases} | set(self.receiving)
        names = sorted({str(of[school]) for school in told})
        return {name: sorted(of.index[of == name]) for name in names}

    @cached_property
    def names(self) -> dict[str, str]:
        """Return the names of the townships as people know them."""
        zones = self.run.input("zones.csv")
        rows = zones[["township_id", "name_zh", "name_en"]].itertuples(index=False) if len(zones) else ()
        return {row[0]: " · ".join(name for name in row[1:] if name) for row in rows}

    def township(self, township: str, short: bool = False) -> str:
        """Return a township's name; short: in the language of the report alone."""
        name = self.names.get(township) or township
        return name.split(" · ")[0 if self.run.words.language == "zh" else -1] if short else name

    @cached_property
    def pupils(self) -> pd.DataFrame:
        """Return the pupils expected: rows schools, columns years."""
        table = self.run.totals("places", ["year", "school_id"], "pupils")
        wide = table.pivot(index="school_id", columns="year", values="pupils")
        return wide.reindex(columns=self.run.years).fillna(0.0)

    @cached_property
    def tightest(self) -> dict[tuple[str, str], Tightest]:
        """Return the tightest year of each resource of ROOMS at each school that has, or asks for, any."""
        table = self.run.resources
        if "demand_peak" not in table:
            return {}
        keys = ["site_id", "resource", "year"]
        used = table[table["resource"].isin(ROOMS) & table["demand_peak"].notna()]
        if used.empty:
            return {}
        there = used.groupby(keys, observed=True)["capacity"].mean()
        need = by_replication(used, keys, "demand_peak", self.run.replications)
        known = interval(need).assign(there=there, chance=need.gt(there, axis=0).mean(axis=1))
        known["share"] = known["mean"] / known["there"].where(known["there"] > 0, 1e-9)
        worst = known.sort_values("share", ascending=False, kind="stable").reset_index()
        worst = worst.drop_duplicates(["site_id", "resource"])
        return {
            (row.site_id, row.resource): Tightest(int(row.year), row.there, row.mean, row.low, row.high, row.chance)
            for row in worst.itertuples()
        }

    @cached_property
    def worst(self) -> pd.DataFrame:
        """Return the bottlenecks over all years, the worst first; empty when no day was lived."""
        lived = self.run.folder.file("harm").is_file()
        return worst_of_all(self.run) if lived else pd.DataFrame(columns=["site_id"])

    @cached_property
    def buses(self) -> pd.DataFrame:
        """Return of each year and school its morning runs: runs, buses, riders, longest ride in minutes, attendants."""
        runs = self.plans.timetable.runs
        names = ["runs", "buses", "riders", "longest", "attendants"]
        inward = runs[(runs["direction"] == "in") & (runs["service"] == "school")] if len(runs) else runs
        if inward.empty:
            return pd.DataFrame(columns=names, index=pd.MultiIndex.from_arrays([[], []], names=["year", "school_id"]))
        keys = ["year", "school_id"]
        on_board = self.attendants()
        one = inward.drop_duplicates([*keys, "bus_id"])
        attendants = one["seats"].map(on_board).groupby([one[key] for key in keys]).sum()
        rides = self.plans.timetable.rides.groupby(keys)["ride"].max()
        by_school = inward.groupby(keys)
        counts = by_school.agg(runs=("run_id", "nunique"), buses=("bus_id", "nunique"), riders=("embark", "sum"))
        return counts.assign(longest=rides, attendants=attendants)

    def attendants(self) -> dict[int, int]:
        """Return how many attendants a bus has by its seats for pupils."""
        return {kind.seats: kind.attendants for kind in self.run.settings.fleet.kinds}

    @cached_property
    def money(self) -> pd.DataFrame:
        """Return the mean cost of the schools of each township: rows (township, payer), columns years."""
        table = self.run.if_there("budget_sites.csv")
        if table.empty:
            return pd.DataFrame()
        township = table["site_id"].map(self.run.schools["township_id"])
        sums = table.assign(township=township).dropna(subset=["township"])
        wide = sums.groupby(["township", "payer", "year"])["mean"].sum().unstack("year")
        return wide.reindex(columns=self.run.years).fillna(0.0)

    @cached_property
    def posts(self) -> pd.DataFrame:
        """Return posts by site, year and post: needed, filled by own people, and by those of closed schools."""
        posts = self.run.posts
        came = posts["from_school_id"].notna()
        parts = posts.assign(own=posts["filled"].where(~came, 0.0), came=posts["filled"].where(came, 0.0))
        return parts.groupby(["site_id", "year", "post"], sort=False)[["needed", "own", "came"]].sum().reset_index()

    @cached_property
    def purchases(self) -> pd.DataFrame:
        """Return purchases.csv; empty when nothing was lived again."""
        return self.run.if_there("purchases")


def page_of(run: Run, name: str) -> str:
    """Return where a page about several schools lies: no school's page has its name."""
    return file_of(name + "_" * (name in run.schools.index))


def township_page(run: Run, township: str) -> str:
    """Return where the page of a township lies."""
    return page_of(run, f"township_{township}")


def address(page: str) -> str:
    """Return the address of a page of `sheets/` from another one there."""
    return quote(page.removeprefix("sheets/"))
