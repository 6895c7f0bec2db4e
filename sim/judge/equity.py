"""How groups of pupils fare beside all pupils, and which of them are in danger of giving up school."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sim.config import Settings
from sim.county import County
from sim.measure.group import labels
from sim.measure.interval import Floats, mean_interval, paired_interval, spread_out
from sim.plan import Places, Plan
from sim.tables.risk import BANDS, OF_GROUPS

PER_PUPIL = ("harmed", "left_behind", "no_bed", "hungry", "late")
RATES = {name: (name, "pupils", "day/pupil/year") for name in PER_PUPIL} | {
    "journey_min": ("journey_min", "journeys", "min"),
    "journeys_long": ("journeys_long", "journeys", "share"),
}
"""What is told of a group: what is counted, by what it is divided, and the unit."""
ENDS = ("mean", "low", "high")
GROUP = ["by", "group"]
SIGNS = ("long_way", "no_bed", "transfers", "hardship")
HOME = ["year", "group", "grade_band"]


def equity(settings: Settings, groups: pd.DataFrame) -> pd.DataFrame:
    """Return how each group fares in the mean over the years, and how much worse than all pupils: equity.csv.

    groups: the columns of groups.parquet. A rate is what all years count over all years' pupils (or journeys), in each
    replication; the gap to the rate of all pupils is paired by replication. A group that has no journeys has no rate.
    """
    rows = groups[groups["by"] != "hamlet"].astype({"by": str, "group": str, "measure": str})
    replications, years = np.unique(groups["replication"]), groups["year"].nunique()
    cells, total = spread_out(rows, [*GROUP, "measure"], "value", replications, 0.0)
    every = cells[GROUP].drop_duplicates(ignore_index=True)
    lived = np.zeros((len(every), len(OF_GROUPS), len(replications)))
    at = pd.MultiIndex.from_frame(every).get_indexer(pd.MultiIndex.from_frame(cells[GROUP]))
    lived[at, pd.Index(OF_GROUPS).get_indexer(cells["measure"])] = total
    everyone = lived[every["by"] == "sex"].sum(axis=0)  # every pupil is of one
    parts = []
    for name, (top, bottom, unit) in RATES.items():
        rows_of = [OF_GROUPS.index(top), OF_GROUPS.index(bottom)]
        value, of_all = _ratio(*lived[:, rows_of].swapaxes(0, 1)), _ratio(*everyone[rows_of])
        told = _columns(value=mean_interval(value), gap=paired_interval(value, of_all))
        parts.append(every.assign(measure=name, unit=unit, **told))
    table = pd.concat(parts, ignore_index=True)
    pupils = lived[:, OF_GROUPS.index("pupils")].mean(axis=1) / max(years, 1)
    low = table["value_low"].clip(lower=0.0)
    table = table.assign(scenario=settings.scenario, pupils=np.tile(pupils, len(RATES)), value_low=low)
    order = [(by, group) for by, names in labels(settings).items() for group in names]
    place = pd.MultiIndex.from_tuples(order).get_indexer(pd.MultiIndex.from_frame(table[GROUP]))
    return table.iloc[np.lexsort((table["measure"], place))]


def _columns(**intervals: tuple[Floats, Floats, Floats]) -> dict[str, Floats]:
    """Return mean, low and high of each measure as columns."""
    return {f"{stem}_{end}": found for stem, ends in intervals.items() for end, found in zip(ENDS, ends, strict=True)}


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.asarray(top / np.where(bottom > 0, bottom, np.nan))


def transfers(county: County, plan: Plan, before: Places) -> Floats:
    """Return how often the plan has moved the pupils of a home and grade to another school so far; (Y, H, 9).

    before: where pupils would go in the first year if no school had closed; to be elsewhere then is the first move.
    Later, who is not at the school of the year before, although it teaches the grade, has moved again. Who outgrows
    a school has not.
    """
    schools, moves = county.schools, list[Floats]()
    first, last = np.append(schools.first_grade, 0), np.append(schools.last_grade, 0)  # for "no school" (-1)
    grade, was = np.arange(1, before.school.shape[1] + 1), before.school
    for k, year in enumerate(plan.years):
        now = year.places.school
        if k:
            was = np.roll(plan.years[k - 1].places.school, 1, axis=1)
        moved = (now != was) & (first[was] <= grade) & (grade <= last[was])
        so_far = np.roll(moves[-1], 1, axis=1) if k else np.zeros(now.shape)
        if k:
            moved[:, 0], so_far[:, 0] = False, 0.0  # who enters grade 1
        moves.append(so_far + moved)
    return np.array(moves)


def warnings(settings: Settings, county: County, groups: pd.DataFrame, moves: Floats, expected: Floats) -> pd.DataFrame:
    """Return the homes and grades with signs that pupils may give up school; the columns of warnings.csv.

    groups: the columns of groups.parquet; moves: (Y, H, 9) of `transfers`; expected: (Y, H, 9) pupils, by which the
    grades of a band are weighed. Signs are set against the thresholds of `judge.warning`; rows without a sign are
    left out, and so are homes from which nobody comes.
    """
    asked, rows = settings.judge.warning, groups[groups["by"] == "hamlet"]
    replications = np.unique(groups["replication"])
    there = rows[HOME].astype({"group": str, "grade_band": str}).drop_duplicates().sort_values(HOME, ignore_index=True)
    at = pd.MultiIndex.from_frame(there)

    def lived(measure: str) -> Floats:
        cells, found = spread_out(rows[rows["measure"] == measure], HOME, "value", replications, 0.0)
        return (
            pd.DataFrame(found, pd.MultiIndex.from_frame(cells.astype(there.dtypes))).reindex(at).fillna(0).to_numpy()
        )

    long_way, minutes = (_ratio(lived(top), lived("journeys")) for top in ("journeys_long", "journey_min"))
    no_bed, pupils = _ratio(lived("no_bed"), lived("pupil_days")), lived("pupils").mean(axis=1)
    moved = _by_band(there, county, moves, expected)
    hardship = there["group"].map(dict(zip(county.hamlets.id, county.hamlets.hardship_share, strict=True)))
    known = np.stack([moved >= asked.transfers, hardship.to_numpy() > asked.hardship_share], axis=1)
    in_each = (long_way > asked.long_way_share).astype(int) + (no_bed > asked.no_bed_share) + known.sum(axis=1)[:, None]
    columns = _columns(
        journey_min=mean_interval(minutes), long_way_share=mean_interval(long_way), no_bed_share=mean_interval(no_bed)
    )
    table = there.rename(columns={"group": "hamlet_id"}).assign(
        scenario=settings.scenario, pupils=pupils, transfers=moved, hardship_share=hardship, **columns,
        chance=(in_each >= asked.signs).mean(axis=1),
    )  # fmt: skip
    for name in ("long_way_share_low", "no_bed_share_low"):
        table[name] = table[name].clip(lower=0.0)
    signs = np.column_stack([columns["long_way_share_mean"] > asked.long_way_share,
                             columns["no_bed_share_mean"] > asked.no_bed_share, known])  # fmt: skip
    count = signs.sum(axis=1)
    table["signs"] = [", ".join(np.array(SIGNS)[row]) for row in signs]
    return table.assign(count=count, warned=np.where(count >= asked.signs, "yes", "no"))[count > 0]


def _by_band(there: pd.DataFrame, county: County, moves: Floats, expected: Floats) -> Floats:
    """Return the moves of each year, home and band of grades in `there`: the mean over its pupils; (rows,)."""
    shape = (*moves.shape[:2], len(BANDS), -1)
    weight = expected.reshape(shape)
    mean = (moves.reshape(shape) * weight).sum(axis=-1) / np.maximum(weight.sum(axis=-1), 1e-9)
    year = there["year"].to_numpy() - there["year"].min()
    home = pd.Index(county.hamlets.id).get_indexer(there["group"])
    return np.asarray(mean[year, home, pd.Index(BANDS).get_indexer(there["grade_band"])])


def for_whom(
    settings: Settings, county: County, plan: Plan, groups: pd.DataFrame, before: Places
) -> dict[str, pd.DataFrame]:
    """Return the tables that tell for whom it is worst: equity and warnings. before: as for `transfers`."""
    moves, expected = transfers(county, plan, before), plan.forecast.mean.sum(axis=3)
    return {
        "equity": equity(settings, groups),
        "warnings": warnings(settings, county, groups, moves, expected),
    }
