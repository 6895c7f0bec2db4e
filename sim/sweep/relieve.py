"""Relief: years are lived again with the same luck and more of what is short, one thing at a time or all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import ceil

import pandas as pd

from sim.judge.bottleneck import bottlenecks
from sim.judge.limit import verdicts
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
from sim.live import Job, live_year
from sim.plan.more import More, with_more
from sim.share import Known
from sim.store import RunFolder
from sim.workers import Crew

MOST_ROUNDS = 12
"""So often the search for what to buy doubles at most: two thousand beds at one school are no purchase any more."""
TRIMS = 2
"""So often it then tries half-way between too little and enough."""
PARTS = 2
"""The list of purchases is lived in as many parts, each with all that stands before it."""
Tables = dict[str, pd.DataFrame]


def live_again(job: Job, replication: int, k: int, more: Sequence[More], known: Known) -> Tables:
    """Return what a year tells when it is lived with more of something."""
    years = list(job.plan.years)
    years[k] = with_more(job.settings, job.county, job.ways.dry, years[k], more)
    return live_year(replace(job, plan=replace(job.plan, years=tuple(years))), replication, k, known)


@dataclass(frozen=True)
class Again:
    """Live a year of a replication again, in a worker, with more of one thing after another."""

    job: Job
    harm: pd.DataFrame
    """What was lived before: the columns of harm.parquet."""

    def __call__(self, task: tuple[int, int, pd.DataFrame]) -> pd.DataFrame:
        """Return by how much harm fell, as relieved.parquet has it.

        task: (replication, k, the bottlenecks of year k as `to_relieve` has them).
        """
        (replication, k, short), known, steps = task, Known(), self.job.settings.judge.relief_units
        year, harm = self.job.plan.years[k].year, self.harm
        before = harm[(harm["replication"] == replication) & (harm["year"] == year)]
        parts = []
        for row, units in product(short.itertuples(index=False), steps):
            after = live_again(self.job, replication, k, [More(row.site_id, row.grows, units)], known)["harm"]
            less = avoided(before, after, row.site_id, row.resource)
            parts.append(less.assign(site_id=row.site_id, resource=row.resource, units=units))
        return pd.concat(parts).assign(replication=replication, year=year)[list(RELIEVED_COLUMNS)]


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

    def __call__(self, task: tuple[int, int, list[More]]) -> Tables:
        """Return harm and annual measures; task: (replication, k, what there is more of)."""
        replication, k, more = task
        tables = live_again(self.job, replication, k, more, Known())
        return {name: tables[name] for name in ("harm", "annual")}


class Market:
    """Tries purchases: what was lived without any is there already."""

    def __init__(self, folder: RunFolder, job: Job, crew: Crew) -> None:
        self.job, self.crew = job, crew
        self.before = {name: folder.read_table(name).drop(columns="scenario") for name in ("harm", "annual")}

    def told(self, wants: Wants, replications: int, title: str) -> Tables:
        """Return harm, annual measures, verdicts and bottlenecks of all years with all that is wanted."""
        job, lived = self.job, self.before
        asked = {plan.year: (k, more_in(wants, plan.year)) for k, plan in enumerate(job.plan.years)}
        again = [year for year, (_, more) in asked.items() if more]
        tasks = [(replication, *asked[year]) for replication, year in product(range(replications), again)]
        new = self.crew.results(Together(job), tasks, title) if tasks else []
        found = {
            name: pd.concat([_without(table, again, replications), *(part[name] for part in new)], ignore_index=True)
            for name, table in lived.items()
        }
        found["verdicts"] = verdicts(job.settings, job.county, found["annual"])
        short = bottlenecks(job.settings, job.county, found["harm"], found["annual"], found["verdicts"])
        return found | {"bottlenecks": with_relief(job.settings, job.county, short)}


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
    before, after = (shortages(market.told(w, few, "what to buy: all of it")["bottlenecks"]) for w in ({}, wants))
    bought = in_order(job.settings, job.county, wants, before, after)
    ends = sorted({ceil(len(bought) * part / PARTS) for part in range(PARTS + 1)})
    lived = pd.MultiIndex.from_product([range(everybody), years], names=["replication", "year"])
    left = []
    for end in ends:
        listed = [Place(*place) for place in bought[["site_id", "resource"]].head(end).itertuples(index=False)]
        some = {place: wants[place] for place in listed}
        harm = market.told(some, everybody, f"purchases: {end} together")["harm"]
        total = harm.groupby(["replication", "year"])["severity"].sum()
        left.append(total.reindex(lived, fill_value=0.0).reset_index().assign(order=end))
    return {"bought": bought, "harm_left": pd.concat(left, ignore_index=True)}


def _enough(market: Market, short: Mapping[Place, Short], replications: int) -> Wants:
    """Return how much of everything makes limits hold, as far as more of it helps."""

    def still_short(tried: Wants, what: str) -> dict[Place, Short]:
        return shortages(market.told(tried, replications, f"what to buy: {what}")["bottlenecks"])

    wants = doubled({}, short)
    for n in range(MOST_ROUNDS):
        if not settled(wants):
            wants = doubled(wants, still_short(wants, f"round {n + 1}"))
    for _ in range(TRIMS):
        tried = halved(wants)
        wants = trimmed(wants, tried, still_short(tried, "less again"))
    return wants
