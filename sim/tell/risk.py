"""Risks in tables and words: bad years, for whom it is worst, who is warned of, what will stand idle."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sim.tell.cells import HIDDEN, hidden, is_small
from sim.tell.grid import Cell, Grid, grid
from sim.tell.number import NONE, number, percent, pupils, span
from sim.tell.run import COUNTY, Run
from sim.tell.words import Words

PERCENT = ("journeys_long",)
SHOWN = ("harmed", "no_bed", "left_behind", "journey_min", "journeys_long")
"""What is told of groups, in this order."""
WORSE = 0.1
"""A gap to all pupils of less than this part of what they have is none to speak of, however sure it is."""
COUNTS = {"pupil-day", "meal", "visit", "weighted pupil-day"}
"""Units of measures that tell of single pupils when they are small."""


def told(run: Run) -> bool:
    """Tell whether the run has these tables; one of an older program has not."""
    return all(run.folder.file(name).is_file() for name in ("tails", "equity", "warnings", "stranded"))


def tail_table(run: Run) -> Grid:
    """Return for each measure its worst year: the mean, and the mean of the worst replications of that year."""
    word, table = run.words, run.table("tails")
    worst = table.sort_values(["mean", "year"], ascending=[False, True]).drop_duplicates("measure")
    order = [name for name in table["measure"].drop_duplicates() if name in set(worst["measure"])]
    rows = []
    for row in worst.set_index("measure").loc[order].reset_index().itertuples():
        small = run.public and row.unit in COUNTS and is_small(row.mean)
        values = [HIDDEN] * 2 if small else [number(row.mean, 0), span(row.tail_mean, row.tail_low, row.tail_high, 0)]
        more = NONE if small or not row.mean else percent(row.tail_mean / row.mean - 1)
        rows.append((word.term("measure", row.measure), row.year, *values, more))
    names = ("measure", "year", "mean", "tail", "tail_more")
    return grid([word(f"column.{name}") for name in names], rows, range(1, 5))


def tail_note(run: Run) -> str:
    """Return in words what the tail is, and how sure its mean is."""
    table, word = run.table("tails"), run.words
    if table.empty:
        return ""
    row = table.iloc[0]
    few = "" if table["tail_low"].notna().any() else word("risk.tail_few")
    share, count = percent(row["tail_share"]), word.count("replications", int(row["tail_replications"]))
    return word.speak([word("risk.tail", share=share, count=count), *([few] if few else [])])


def shown_groups(run: Run) -> pd.DataFrame:
    """Return the rows of equity.csv that a page may show: small groups, and what would give them away, are left out."""
    table = run.table("equity")
    size = table.drop_duplicates(["by", "group"])
    away = {
        (by, name)
        for by, rows in size.groupby("by", sort=False)
        for name, gone in zip(rows["group"], hidden(rows["pupils"].tolist(), run.public), strict=True)
        if gone
    }
    return table[[key not in away for key in zip(table["by"], table["group"], strict=True)]]


def group_name(word: Words, by: str, name: str) -> str:
    """Return a group of pupils in words."""
    return word(f"group.{by}", group=name) if by in ("distance_km", "grades") else word(f"group.{by}.{name}")


def is_worse(rows: Any) -> Any:
    """Tell whether a group fares worse than all pupils: clearly, and by a tenth or more of what all have."""
    return (rows["gap_low"] > 0) & (rows["gap_mean"] >= WORSE * (rows["value_mean"] - rows["gap_mean"]))


def equity_table(run: Run) -> Grid:
    """Return how each group fares, with the gap to all pupils where it is clear."""
    word, table = run.words, shown_groups(run)
    rows = []
    for (by, name), cells in table.groupby(["by", "group"], sort=False):
        of = cells.set_index("measure")
        size = pupils(float(of["pupils"].iloc[0]), public=run.public)
        rows.append((group_name(word, str(by), str(name)), size, *(_rate(of.loc[measure]) for measure in SHOWN)))
    head = [word("column.group"), word("column.pupils_of_a_year"), *(word(f"column.rate_{name}") for name in SHOWN)]
    return grid(head, rows, range(1, len(head)), wide=True)


def _rate(row: pd.Series) -> Cell:
    """Return a rate with its interval; set off where it is clearly above that of all pupils."""
    scale, sign = (100.0, "%") if row.name in PERCENT else (1.0, "")
    mean, low, high = (scale * row[f"value_{end}"] for end in ("mean", "low", "high"))
    text = span(mean, low, high, 2 if mean < 1 else 1)
    return Cell(text if text == NONE else text + sign, "bad" if is_worse(row) else "")


def equity_story(run: Run) -> list[str]:
    """Return in words which group is harmed most, and which has the longest way."""
    word, table, said = run.words, shown_groups(run), []
    for measure, key in (("harmed", "risk.most_harmed"), ("journey_min", "risk.longest_way")):
        rows = table[(table["measure"] == measure) & is_worse(table)]
        if len(rows):
            row = rows.loc[rows["gap_mean"].idxmax()]
            usual = row["value_mean"] - row["gap_mean"]
            said.append(word(key, group=group_name(word, row["by"], row["group"]), value=number(row["value_mean"], 1),
                             usual=number(usual, 1)))  # fmt: skip
    return said or [word("risk.no_gap")]


def warned(run: Run) -> pd.DataFrame:
    """Return each home and grades that are warned of in any year, in its worst year, the worst first.

    Worst: most signs, then likeliest, then the longest way. On public pages groups of one to four pupils are left out.
    """
    table = run.table("warnings")
    table = table[table["warned"] == "yes"]
    order = ["count", "chance", "journey_min_mean", "year", "hamlet_id", "grade_band"]
    table = table.sort_values(order, ascending=[False, False, False, True, True, True], na_position="last")
    worst = table.drop_duplicates(["hamlet_id", "grade_band"], ignore_index=True)
    return worst[~worst["pupils"].map(is_small)] if run.public else worst


def warning_story(run: Run) -> str:
    """Return in words how many groups are warned of, and that nobody knows how many pupils will give up school."""
    word, table = run.words, run.table("warnings")
    all_ = table[table["warned"] == "yes"].drop_duplicates(["hamlet_id", "grade_band"])
    shown, asked = len(warned(run)), run.settings.judge.warning
    signs = word("risk.signs", long=percent(asked.long_way_share), bed=percent(asked.no_bed_share, 1),
                 transfers=number(asked.transfers), hardship=percent(asked.hardship_share),
                 signs=asked.signs)  # fmt: skip
    said = word("risk.warned", count=len(all_), homes=all_["hamlet_id"].nunique()) if len(all_) else word("risk.nobody")
    few = word("risk.small", count=len(all_) - shown) if shown < len(all_) else ""
    return word.speak([signs, said, *([few] if few else []), word("risk.no_forecast")])


def warning_table(run: Run, most: int = 15) -> Grid:
    """Return the groups that are warned of, worst first."""
    word, homes = run.words, run.hamlets
    rows = []
    for row in warned(run).head(most).itertuples():
        home: Any = homes.loc[row.hamlet_id]
        signs = word.join([word(f"sign.{name}") for name in row.signs.split(", ")])
        minutes = span(row.journey_min_mean, row.journey_min_low, row.journey_min_high, 0)
        rows.append((home["name_zh"], run.town(home["township_id"]), word("group.grades", group=row.grade_band),
                     row.year, pupils(row.pupils, public=run.public), minutes, number(row.transfers, 1), signs,
                     percent(row.chance)))  # fmt: skip
    names = ("home", "township", "grades", "year", "pupils", "journey", "transfers", "signs", "chance_of_signs")
    return grid([word(f"column.{name}") for name in names], rows, (3, 4, 5, 6, 8), wide=True)


def stranded_table(run: Run, most: int = 10) -> Grid:
    """Return the schools with most beds and class places idle in the last year, as school facts."""
    word, table = run.words, run.table("stranded")
    last = table[(table["year"] == run.years[-1]) & (table["site_id"] != COUNTY) & (table["idle_mean"] > 0)]
    used = last["capacity"] - last["idle_mean"]
    last = last[~used.map(is_small)] if run.public else last
    beds = last[last["resource"].str.startswith("bed")].sort_values(["idle_mean", "site_id"], ascending=[False, True])
    rows = [
        (run.site(row.site_id), word.term("resource", row.resource), number(row.capacity, 0),
         span(row.idle_mean, row.idle_low, row.idle_high, 0), percent(row.idle_share))
        for row in beds.head(most).itertuples()
    ]  # fmt: skip
    names = ("where", "of_what", "capacity", "idle", "idle_share")
    return grid([word(f"column.{name}") for name in names], rows, (2, 3, 4))


def stranded_story(run: Run) -> list[str]:
    """Return in words what stands idle in the county in the first and in the last year."""
    word, table = run.words, run.table("stranded")
    whole = table[table["site_id"] == COUNTY].set_index(["resource", "year"])
    ends, said = (run.years[0], run.years[-1]), []
    for resource in dict.fromkeys(table["resource"]):
        if not all((resource, year) in whole.index for year in ends):
            continue
        first, last = (whole.loc[(resource, year)] for year in ends)
        if last["idle_mean"] <= 0:
            continue
        shares = [percent(row["idle_share"]) for row in (first, last)]
        said.append(word("risk.idle", resource=word.term("resource", resource), first=shares[0], last=shares[1],
                         idle=number(last["idle_mean"], 0), all=number(last["capacity"], 0), year=ends[1]))  # fmt: skip
    return said
