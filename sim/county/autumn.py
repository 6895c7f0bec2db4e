"""A new autumn: the rolls of pupils.csv become the next year of history.csv."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from sim.county.check import between, own_tables
from sim.county.history import COUNTY, rolls_by_area
from sim.errors import BadInput
from sim.tables.county import HISTORY

_KINDS = ("real", "derived", "synthetic")


def add_year(folder: Path, year: int) -> int:
    """Add the sums of pupils.csv to history.csv as the rolls of a year, area by area; return the rows added.

    Areas are those that history.csv tells of: townships, the county, or both. Raises BadInput, and changes nothing,
    when the year is not the next one, when pupils.csv is still that of the last, or when a table has an error.
    """
    frames, problems = own_tables(folder)
    if problems:
        raise BadInput(*map(str, sorted(problems)))
    history, pupils = frames["history"], frames["pupils"]
    last = int(history["year"].max()) if len(history) else year - 1
    if year != last + 1:
        raise BadInput(f"study.first_year: {year}, but history.csv ends in {last}; its next autumn is {last + 1}")
    told = history.loc[history["year"] == last, "area_id"].unique() if len(history) else [COUNTY]
    sums = rolls_by_area(pupils, frames["hamlets"])
    kinds = pupils["source"].str.split(":").str[0]
    worst = max(kinds, key=_KINDS.index, default="derived")
    new = pd.DataFrame(
        [(area, year, grade, sums.get((area, grade), 0)) for area in told for grade in range(1, 10)],
        columns=["area_id", "year", "grade", "pupils"],
    ).assign(source=f"{worst}: sums of pupils.csv of {year}")
    known = history[history["year"] == last].merge(new, on=["area_id", "grade"])
    if len(known) and (known["pupils_x"] == known["pupils_y"]).all():
        raise BadInput(f"pupils.csv: these are the rolls of {last} in history.csv; first put in those of {year}")
    whole = pd.concat([history, new], ignore_index=True)[list(HISTORY.names)]
    whole.index += 2  # lines of the file: the header is line 1
    problems = sorted(between({**frames, "history": whole}))
    if problems:
        raise BadInput(*map(str, problems))
    draft = folder / f"{HISTORY.name}.new"
    try:
        whole.to_csv(draft, index=False)
        draft.replace(folder / HISTORY.name)
    except OSError as error:
        raise BadInput(f"{folder / HISTORY.name}: cannot be written: {error.strerror}") from error
    return len(new)
