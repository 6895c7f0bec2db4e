"""Relief: years are lived again with the same luck and more of what is short, one thing at a time or all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from math import ceil

import pandas as pd

from sim.judge.bottleneck import bottlenecks, on_harm
from sim.judge.limit import asked, verdicts
from sim.judge.purchase import (
    Place,
    Short,
    Wants,
    doubled,
    halved,
    in_order,
    more_in,
    settled,
    shortages,
    trimmed,
)
from sim.judge.relief import RELIEVED_COLUMNS, avoided, none_relieved, to_relieve, until_half, with_relief
from sim.live import Job
from sim.measure import MEASURES
from sim.plan.more import More, with_more
from sim.share import Known
from sim.store import RunFolder
from sim.sweep.again import MOST_BYTES, Memory, Year
from sim.workers import Crew

MOST_ROUNDS = 12
"""So often the search for what to buy doubles at most: two thousand beds at one school are no purchase any more."""
TRIMS = 2
"""So often it then tries half-way between too little and enough."""
PARTS = 2
"""The list of purchases is lived in as many parts, each with all that stands before it."""
Tables = dict[str, pd.DataFrame]
Purchase = tuple[int, int, tuple[More, ...]]
"""Replication, position of the year, and what there is more of in it."""


def live_again(job: Job, year: Year, k: int, more: Sequence[More]) -> Tables:
    """Return what year k tells when it is lived with more of something."""
    return year.live(with_more(job.settings, job.county, job.ways.dry, job.plan.years[k], more))


@dataclass(frozen=True)
class Again:
    """Live a year of a replication again, in a worker, with more of one thing after another."""

    job: Job
    harm: pd.DataFrame
    """What was lived before: the columns of harm.parquet."""
    known: Known = field(default_factory=partial(Known, MOST_BYTES))

    def __call__(self, task: tuple[int, int, pd.DataFrame]) -> pd.DataFrame:
        """Return by how much harm fell, as relieved.parquet has it.

        task: (replication, k, the bottlenecks of year k as `to_relieve` has them).
        """
        (replication, k, short), steps, harm = task, self.job.settings.judge.relief_units, self.harm
        again, number = Year(self.job, replication, k, Memory(), self.known), self.job.plan.years[k].year
        again.compare_with(self.job.plan.years[k])
        before = harm[(harm["replication"] == replication) & (harm["year"] == number)]
        parts = []
        for row, units in product(short.itertuples(index=False), steps):
            after = live_again(self.job, again, k, [More(row.site_id, row.grows, units)])["harm"]
            was, now = (table[table["site_id"].isin(again.changed)] for table in (before, after))
            less = avoided(was, now, row.site_id, row.resource)
            parts.append(less.assign(site_id=row.site_id, resource=row.resource, units=units))
        return pd.concat(parts).assign(replication=replication, year=number)[list(RELIEVED_COLUMNS)]


def relief(folder: RunFolder, job: Job, crew: Crew) -> Tables:
    """Return relieved.parquet, bought.parquet and harm_left.parquet of what was lived, by name."""
    return {"relieved": one_by_one(folder, job, crew)} | buy(folder, job, crew)


def one_by_one(folder: RunFolder, job: Job, crew: Crew) -> pd.DataFrame:
    """Live the worst bottlenecks again, with more and more of what is short until half of their harm is gone.

    The steps are `judge.relief_units`; all are lived, as they have most in common, and those after the half are left
    out. Returns relieved.parquet: by how much harm fell in each replication at every resource where it changed.
    """
    harm, short = folder.read_table("harm"), to_relieve(job.settings, folder.read_table("bottlenecks"))
    if short.empty:
        return none_relieved()
    position = {plan.year: k for k, plan in enumerate(job.plan.years)}
    years = [(position[year], mine) for year, mine in short.groupby("year")]
    tasks = [(r, k, mine) for r, (k, mine) in product(range(folder.manifest["replications"]), years)]
    found = pd.concat(crew.results(Again(job, harm), tasks, f"relief of {len(short)} bottlenecks"), ignore_index=True)
    return until_half(found, harm)


@dataclass(frozen=True)
class Together:
    """Live a year of a replication again, in a worker, with all that is bought."""

    job: Job
    known: Known = field(default_factory=partial(Known, MOST_BYTES))

    def __call__(self, task: tuple[Purchase, Memory]) -> tuple[Tables, Memory]:
        """Return harm and annual measures, and what is to be remembered of them.

        task: what is bought, and what is remembered of the time before.
        """
        (replication, k, more), memory = task
        again = Year(self.job, replication, k, memory, self.known)
        return live_again(self.job, again, k, more), again.memory.of(again.seen)


class Market:
    """Tries purchases: what was lived without any, or with the same, is there already."""

    def __init__(self, folder: RunFolder, job: Job, crew: Crew) -> None:
        self.job, self.crew, self.settings = job, crew, on_harm(job.settings)
        harm, annual = (folder.read_table(name).drop(columns="scenario") for name in ("harm", "annual"))
        self.before = {"harm": harm, "annual": annual[annual["measure"].isin(asked(self.settings))]}
        self.lived: dict[Purchase, Tables] = {}
        self.memory: dict[tuple[int, int], Memory] = {}

    def short(self, wants: Wants, replications: int, title: str) -> dict[Place, Short]:
        """Return what is short with all that is wanted."""
        settings, county = self.settings, self.job.county
        tables = self._live(wants, replications, title, tuple(name for name in asked(settings) if name in MEASURES))
        harm, annual = tables["harm"], tables["annual"]
        found = bottlenecks(settings, county, harm, annual, verdicts(settings, county, annual))
        return shortages(with_relief(settings, county, found))

    def harm(self, wants: Wants, replications: int, title: str) -> pd.DataFrame:
        """Return the harm of all years with all that is wanted."""
        return self._live(wants, replications, title, ())["harm"]

    def _live(self, wants: Wants, replications: int, title: str, measures: tuple[str, ...]) -> Tables:
        """Live all years with all that is wanted; return harm, and annual values if measures are asked for."""
        bought = {plan.year: more_in(wants, plan.year) for plan in self.job.plan.years}
        again = [(k, tuple(more)) for k, more in enumerate(bought.values()) if more]
        purchases = [(replication, *year) for replication, year in product(range(replications), again)]
        new = [one for one in purchases if one not in self.lived]
        tasks = [(one, self.memory.get(one[:2], Memory(measures))) for one in new]
        told = self.crew.results(Together(self.job), tasks, title) if tasks else []
        for one, (tables, memory) in zip(new, told, strict=True):
            self.lived[one], self.memory[one[:2]] = tables, memory
        parts, years = [self.lived[one] for one in purchases], [year for year, more in bought.items() if more]
        return {
            name: pd.concat([_without(self.before[name], years, replications), *(part[name] for part in parts)],
                            ignore_index=True)
            for name in (("harm", "annual") if measures else ("harm",))
        }  # fmt: skip


def _without(table: pd.DataFrame, years: Sequence[int], replications: int) -> pd.DataFrame:
    """Return the rows of some replications without those of some years."""
    return table[(table["replication"] < replications) & ~table["year"].isin(years)]


def buy(folder: RunFolder, job: Job, crew: Crew) -> Tables:
    """Find what to buy until limits hold, and live it together; return bought.parquet and harm_left.parquet.

    All that is short is bought at once, twice as much in every round until its limits hold, then less again as long as
    they do; few replications are enough for that. Then the list, and parts of it, are lived as often as the run.
    """
    short, years = folder.read_table("bottlenecks"), [plan.year for plan in job.plan.years]
    market, everybody = Market(folder, job, crew), folder.manifest["replications"]
    few = min(everybody, job.settings.judge.purchase_replications)
    wants = _enough(market, shortages(short), few)
    before, after = (market.short(some, few, "what to buy: all of it") for some in ({}, wants))
    bought = in_order(job.settings, job.county, wants, before, after)
    ends = sorted({ceil(len(bought) * part / PARTS) for part in range(PARTS + 1)})
    lived = pd.MultiIndex.from_product([range(everybody), years], names=["replication", "year"])
    left = []
    for end in ends:
        listed = [Place(*place) for place in bought[["site_id", "resource"]].head(end).itertuples(index=False)]
        some = {place: wants[place] for place in listed}
        harm = market.harm(some, everybody, f"purchases: {end} together")
        total = harm.groupby(["replication", "year"])["severity"].sum()
        left.append(total.reindex(lived, fill_value=0.0).reset_index().assign(order=end))
    return {"bought": bought, "harm_left": pd.concat(left, ignore_index=True)}


def _enough(market: Market, short: Mapping[Place, Short], replications: int) -> Wants:
    """Return how much of everything makes limits hold, as far as more of it helps."""
    wants = doubled({}, short)
    for n in range(MOST_ROUNDS):
        if not settled(wants):
            wants = doubled(wants, market.short(wants, replications, f"what to buy: round {n + 1}"))
    for _ in range(TRIMS):
        tried = halved(wants)
        wants = trimmed(wants, tried, market.short(tried, replications, "what to buy: less again"))
    return wants
