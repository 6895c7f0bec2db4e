"""Births, earlier rolls, school weeks and weather: sourced national series and stated assumptions."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from huichang.land import Land
from huichang.people import PUPILS, People, entrants
from huichang.sources import BASE_YEAR, GRADES, Township, source, stream

FIRST_BIRTHS, LAST_BIRTHS = 2002, 2040
LAST_ACTUAL = 2025
FIRST_HISTORY = 2018
RURAL_LOSS = 0.025  # assumption: share of a township's pupils that the town gained each year before 2023
AREA_NOISE = 0.015  # assumption: spread of a township's yearly roll
TERMS = ((1, date(2023, 9, 4), 21), (2, date(2024, 2, 26), 18))  # climate_calendar: 21 and 18 weeks, Sanming 2023-24


def county_per_national() -> float:
    """Return pupils of the county per 10,000 national births: its 60,000 over nine national cohorts."""
    births = source("births_china").set_index("year")["births_nbs_10k"]
    return PUPILS / sum(entrants(births, BASE_YEAR - grade + 1) for grade in GRADES)


def births() -> list[tuple[object, ...]]:
    """Return the rows of births.csv: NBS births to 2025, then three published futures, scaled to the county."""
    table = source("births_china").set_index("year")
    scale = county_per_national()
    last = str(LAST_ACTUAL)
    shortfall = float(table.at[last, "births_nbs_10k"]) / float(table.at[last, "births_wpp2024_10k"])
    rows: list[tuple[object, ...]] = []
    for year in range(FIRST_BIRTHS, LAST_BIRTHS + 1):
        row = table.loc[str(year)]
        future = {
            "low": (float(row["births_wpp2024_10k"]) * shortfall, "UN WPP 2024 medium, cut by its miss of 2025 (9 %)"),
            "medium": (float(row["births_wpp2024_10k"]), "UN WPP 2024 medium"),
            "high": (float(row["births_wpp2022_10k"]), "UN WPP 2022 medium"),
        }
        for variant, (value, words) in future.items():
            if year <= LAST_ACTUAL:
                value, words = float(row["births_nbs_10k"]), "NBS births of China"
            text = f"derived: {words} x {scale:.4f} county pupils per 10,000 births; births of the county not found"
            rows.append(("county", year, variant, f"{value * scale:.1f}", text))
    return rows


def history(land: Land, people: People, townships: list[Township], seed: int) -> list[tuple[object, ...]]:
    """Return the rows of history.csv: the rolls of 2023 and a synthesis of five years before."""
    luck = stream(seed, "history")
    cohorts = source("births_china").set_index("year")["births_nbs_10k"]
    now = _rolls(land, people)
    rows: list[tuple[object, ...]] = []
    names = [t.id for t in townships]
    for year in range(FIRST_HISTORY, BASE_YEAR + 1):
        back = BASE_YEAR - year
        factor = {name: float(np.exp(AREA_NOISE * luck.normal())) if back else 1.0 for name in names}
        total = dict.fromkeys(GRADES, 0)
        for t in townships:
            for grade in GRADES:
                ratio = entrants(cohorts, year - grade + 1) / entrants(cohorts, BASE_YEAR - grade + 1)
                town, rural = now[t.name_zh, grade, True], now[t.name_zh, grade, False]
                moved = rural * ((1 - RURAL_LOSS) ** -back)
                left = town * (1 - RURAL_LOSS * 1.5) ** back
                count = round((moved + left) * ratio * factor[t.id])
                total[grade] += count
                rows.append((t.id, year, grade, count, _words(back)))
        rows += [("county", year, grade, count, _words(back)) for grade, count in total.items()]
    return rows


def _rolls(land: Land, people: People) -> dict[tuple[str, int, bool], int]:
    now: dict[tuple[str, int, bool], int] = {}
    for home in land.homes:
        for grade in GRADES:
            for town in (True, False):
                now.setdefault((home.township, grade, town), 0)
            now[home.township, grade, home.kind == "town"] += people.count(home.id, grade)
    return now


def _words(back: int) -> str:
    return (
        "synthetic: national cohorts and an assumed move to the town; no roll of the county is public"
        if back
        else ("synthetic: the sum of pupils.csv")
    )


def calendar() -> list[tuple[object, ...]]:
    """Return the rows of calendar.csv: 39 weeks of five days; public holidays are not taken out."""
    rows: list[tuple[object, ...]] = []
    words = (
        "derived: 39 teaching weeks (national plan 2022) laid on the term dates of Sanming 2023-24; holidays kept in"
    )
    for term, start, weeks in TERMS:
        for k in range(weeks):
            middle = start + timedelta(days=7 * k + 2)
            rows.append((len(rows) + 1, term, middle.month, 5, words))
    return rows


# assumption: share of days with rain, fog, road ice and flooded roads, January to December. Known: 16.8 rainy of
# 28 days in January-February on average in Jiangxi. From memory: 150-165 rain days a year, fog October to March,
# ice rare.
RAIN = (0.40, 0.54, 0.58, 0.57, 0.55, 0.55, 0.36, 0.38, 0.27, 0.20, 0.25, 0.26)
FOG = (0.050, 0.045, 0.030, 0.015, 0.010, 0.005, 0.000, 0.005, 0.010, 0.030, 0.045, 0.050)
ICE = (0.020, 0.012, 0.002, 0, 0, 0, 0, 0, 0, 0, 0, 0.008)
FLOOD = (0, 0, 0.002, 0.005, 0.010, 0.015, 0.008, 0.006, 0.002, 0, 0, 0)


def weather() -> list[tuple[object, ...]]:
    """Return the rows of weather.csv."""
    words = "synthetic: assumption; months of Huichang not found, see experiments/huichang/series.py"
    rows: list[tuple[object, ...]] = []
    for month, shares in enumerate(zip(RAIN, FOG, ICE, FLOOD, strict=True), start=1):
        clear = round(1 - sum(shares), 4)
        for day_type, share in zip(("clear", "rain", "fog", "ice", "flood"), (clear, *shares), strict=True):
            rows.append((month, day_type, share, words))
    return rows
