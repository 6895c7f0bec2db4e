"""What is known of the county: the sourced tables, and what follows from them by arithmetic alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd

FOLDER = Path(__file__).resolve().parent.parent / "huichang_sources"
TOWN = "town"
SEAT_TOWNSHIP = "文武坝镇"
CHANGLING = "长岭"
BASE_YEAR = 2023
GRADES = range(1, 10)


def source(name: str) -> pd.DataFrame:
    """Return one of the sourced tables as text."""
    return pd.read_csv(FOLDER / f"{name}.csv", dtype=str, keep_default_na=False)


def fact(item: str) -> int:
    """Return a total of the county plan."""
    plan = source("plan_2023").set_index("item")
    return int(plan.at[item, "value"])


def county_fact(item: str) -> float:
    """Return a published total of the county."""
    return float(source("county").set_index("item").at[item, "value"])


def stream(seed: int, part: str) -> np.random.Generator:
    """Return the random stream of one part of the synthesis, so that a change in one part moves no other."""
    return np.random.default_rng([seed, crc32(part.encode())])


def km_xy(lon: float, lat: float) -> tuple[float, float]:
    """Return km east and north of the county town (flat earth, good to 0.2 % over 40 km)."""
    return (lon - LON0) * KM_PER_LON, (lat - LAT0) * KM_PER_LAT


def lon_lat(x: float, y: float) -> tuple[float, float]:
    """Return degrees of a point given in km east and north of the county town."""
    return round(LON0 + x / KM_PER_LON, 5), round(LAT0 + y / KM_PER_LAT, 5)


LON0, LAT0 = 115.77796, 25.60074  # the county town, townships.csv
KM_PER_LAT = 110.80
KM_PER_LON = 111.32 * float(np.cos(np.radians(25.55)))


@dataclass(frozen=True)
class Township:
    """A township: what is known of it, and the rest derived from county totals."""

    id: str
    name_zh: str
    name_en: str
    zone: str
    x: float
    y: float
    population: int | None
    rural_weight: float
    """Registered residents outside the town; derived where no figure was found."""
    radius_km: float
    villages: int
    neighbourhoods: int
    source: str

    @property
    def stem(self) -> str:
        """Name without 乡 or 镇."""
        return self.name_zh[:-1]


def slug(name_en: str) -> str:
    """Return a short id from an English name."""
    return re.sub(r"[^a-z]", "", name_en.split(" (")[0].lower())


def townships() -> list[Township]:
    """Return the 19 townships, in the order of the official codes."""
    table = source("townships").set_index("name_zh")
    committees = source("committees").set_index("township")
    committees["n"] = committees["villages"].astype(int) + committees["neighbourhoods"].astype(int)
    names = [name for name in table.index if name in committees.index]
    people = _filled(table.loc[names, "population"], committees.loc[names, "n"], "registered_population")
    people[SEAT_TOWNSHIP] -= 43_507  # townsfolk of 文武坝: population note in townships.csv
    area = _filled(table.loc[names, "area_km2"], committees.loc[names, "n"], "area_km2")
    return [_township(table.loc[name], committees.loc[name], people[name], area[name]) for name in names]


def _filled(known: pd.Series, committees: pd.Series, total: str) -> dict[str, float]:
    """Return a figure of every township: what is known, and the rest of the county's total by committees."""
    figures = pd.to_numeric(known, errors="coerce")
    gap = figures.isna()
    rest = county_fact(total) - figures.sum()
    return figures.where(~gap, rest * committees / committees[gap].sum()).to_dict()


def _township(row: pd.Series, committees: pd.Series, people: float, area: float) -> Township:
    x, y = km_xy(float(row["lon"]), float(row["lat"]))
    known = row["population"] != "not found"
    return Township(
        id=slug(row["name_en"]),
        name_zh=str(row.name),
        name_en=row["name_en"].split(" (")[0],
        zone=_zone(str(row.name), row["name_en"]),
        x=x,
        y=y,
        population=int(row["population"]) if known else None,
        rural_weight=people,
        radius_km=float(np.sqrt(area / np.pi)),
        villages=int(committees["villages"]),
        neighbourhoods=int(committees["neighbourhoods"]),
        source=_words(str(row.name), row),
    )


def _words(name_zh: str, row: pd.Series) -> str:
    """Say what is real of a township: seat, name and population are; a zone that the plan does not name is not."""
    facts = f"{row['coord_source']}; population: {row['population_note']}"
    named = source("school_zones_2023").query("zone_centre != 'not named in the plan'")
    known = name_zh[:-1] in set(named["township"]) or name_zh in set(named["zone_centre"])
    return f"real: {facts}" if known else f"derived: zone not named in the plan, so its own; the rest real: {facts}"


def _zone(name_zh: str, name_en: str) -> str:
    """Return the school zone; a township that the plan does not name is its own."""
    zones = source("school_zones_2023").set_index("township")["zone_centre"]
    centre = zones.get(name_zh[:-1], "not named in the plan")
    if centre == "城区":
        return "zone_town"
    table = source("townships").set_index("name_zh")
    return f"zone_{slug(table.at[centre, 'name_en'] if centre in table.index else name_en)}"
