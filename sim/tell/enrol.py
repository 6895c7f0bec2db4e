"""What the report says about the forecast of pupils: whether it is assumed or estimated, and how the last one did."""

from __future__ import annotations

import pandas as pd

from sim.tell.cells import HIDDEN, hidden
from sim.tell.grid import Grid, grid
from sim.tell.number import NONE, number, percent
from sim.tell.run import COUNTY, Run, origin

FILE = "forecast_check"


def checked(run: Run) -> pd.DataFrame:
    """Return forecast_check.csv; empty when the history was too short for it, or the run does not tell it."""
    return run.table(FILE) if run.folder.file(FILE).is_file() else pd.DataFrame()


def story(run: Run) -> list[str]:
    """Return the sentences: where the rates come from, whether the rolls are real, how last year's forecast did."""
    word, check, history = run.words, checked(run), run.input("history.csv")
    kind = "assumed" if run.settings.enrol.rates == "stated" else "estimated"
    years = history["year"].astype(int) if "year" in history else pd.Series(dtype=int)
    if kind == "estimated" and years.nunique() < run.settings.enrol.min_history_years:
        kind = "too_short"
    told = [word(f"forecast.{kind}", first=years.min(), last=years.max(), years=years.nunique())]
    if "source" in history and (origin(history["source"]) == "synthetic").any():
        told.append(word("forecast.synthetic"))
    whole = check[check["area_id"] == COUNTY] if len(check) else check
    return told if whole.empty else [*told, _last_year(run, whole.iloc[0], check[check["area_id"] != COUNTY])]


def _last_year(run: Run, whole: pd.Series, areas: pd.DataFrame) -> str:
    inside = {
        level: areas["pupils"].between(areas[f"low_{level}_pupils"], areas[f"high_{level}_pupils"]).sum()
        for level in (80, 95)
    }
    flat = (whole["last_pupils"] - whole["pupils"]) / whole["pupils"] if whole["pupils"] else None
    return run.words(
        "forecast.check",
        year=whole["year"], before=whole["year"] - 1,
        forecast=number(whole["forecast_pupils"], 0), actual=number(whole["pupils"], 0),
        error=percent(whole["error_share"], 1), flat=percent(flat, 1),
        low=number(whole["low_95_pupils"], 0), high=number(whole["high_95_pupils"], 0),
        areas=len(areas), inside_80=inside[80], inside_95=inside[95],
    )  # fmt: skip


def check_table(run: Run) -> Grid:
    """Return last year's forecast against the roll, by township and for the county; small groups are hidden."""
    word, check = run.words, checked(run)
    head = [word(f"column.{name}") for name in ("township", "roll", "forecast", "within_80", "within_95", "error")]
    if check.empty:
        return grid(head, [])
    zones = run.input("zones.csv")
    names = dict(zip(zones["township_id"], zones["name_zh" if word.language == "zh" else "name_en"], strict=True))
    is_area = check["area_id"] != COUNTY
    gone = pd.Series(False, check.index)
    gone[is_area] = hidden(check.loc[is_area, "pupils"].astype(float).tolist(), run.public)
    rows = [
        (
            names.get(row.area_id, row.area_id) if row.area_id != COUNTY else run.site(COUNTY),
            *(
                (HIDDEN, NONE, NONE, NONE, NONE)
                if away
                else (
                    number(row.pupils, 0),
                    number(row.forecast_pupils, 0),
                    _ends(row.low_80_pupils, row.high_80_pupils),
                    _ends(row.low_95_pupils, row.high_95_pupils),
                    percent(row.error_share, 1),
                )
            ),
        )
        for row, away in zip(check.itertuples(), gone, strict=True)
    ]
    return grid(head, rows, (1, 2, 3, 4, 5))


def _ends(low: float, high: float) -> str:
    return NONE if pd.isna(low) else f"{number(low, 0)} – {number(high, 0)}"
