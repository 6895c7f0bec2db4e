"""Compares the built county with the few facts there are about riders, lodgers and roads."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from huichang.sources import BASE_YEAR
from sim.config import Settings, load
from sim.county import County, Travel, read_county, travel
from sim.plan import LODGE, SCHOOL_BUS, Places
from sim.plan.assign import places
from sim.plan.close import close_and_place
from sim.plan.duty import chain
from sim.plan.enrol import forecast
from sim.plan.route import routes

SETTINGS = ("county=huichang", "closure=plan_2023")
ROAD_KM = {"周田镇": 36.0, "永隆乡": 38.0, "白鹅乡": 38.0, "洞头乡": 48.0, "小密乡": 51.0}


def calibration(folder: Path, *, routed: bool = False, overrides: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    """Return rows of (what, fact, county) for the year of the plan, after its closures, under the settings."""
    county = read_county(folder)
    settings = load([*SETTINGS, *overrides])
    ways = travel(county.roads, settings.road)
    return [*_published(county), *_modes(county, settings, ways, routed), *_roads(county, ways)]


def _published(county: County) -> list[tuple[str, str, str]]:
    """The totals that must come out exactly."""
    schools, pupils = county.schools, county.pupils
    point = np.array([kind == "teaching_point" for kind in schools.kind])
    roll = np.array([_own(county, s).sum() for s in range(len(schools.id))])
    town = pupils[county.hamlets.is_town].sum()
    places = county.projects[county.projects["adds"] == "places"]
    junior = places["school_id"].str.contains("junior")
    rows = (
        ("schools under 10 pupils", "104", (roll[point] < 10).sum()),
        ("schools of 10 to 29 pupils", "11", ((roll[point] >= 10) & (roll[point] < 30)).sum()),
        ("their pupils", "363", roll[point].sum()),
        ("their teachers", "74", schools.teachers[point].sum()),
        ("their temporary staff", "22", schools.temporary[point].sum()),
        ("townships", "19", len(county.townships.id)),
        ("new places, junior", "3500", places.loc[junior, "quantity"].sum()),
        ("new places, primary", "6000", places.loc[~junior, "quantity"].sum()),
        ("pupils in grades 1-9", "about 60,000", pupils.sum()),
        ("pupils outside the town", "about 36,000", pupils.sum() - town),
        ("town share, %", "40", f"{town / pupils.sum():.1%}".rstrip("%")),
    )
    return [(what, fact, f"{value}") for what, fact, value in rows]


def _own(county: County, school: int) -> np.ndarray:
    """Return the pupils (H, grades) that attend a school as the primary school of their hamlet."""
    first, last = county.schools.first_grade[school], county.schools.last_grade[school]
    return county.pupils[county.hamlets.school == school, first - 1 : last].sum(axis=2)


def _modes(county: County, settings: Settings, ways: Travel, routed: bool) -> list[tuple[str, str, str]]:
    """Riders and lodgers of the plan's first year by the plan's own rule, before luck and without a limit on beds."""
    expected = forecast(county, settings)
    closed, _ = close_and_place(county, settings, ways, expected)
    placed = places(county, settings, ways, closed.open[0], expected.mean[0], BASE_YEAR)
    rural = ~county.hamlets.is_town
    pupils = placed.expected.sum(axis=2)[rural]
    share, km = placed.share[rural], placed.km[rural]
    riders, lodgers = pupils * share[:, :, SCHOOL_BUS], pupils * share[:, :, LODGE]
    primary = np.arange(9) < 6
    beds = county.schools.beds.sum()
    per_bus = _per_bus(county, settings, ways, placed, riders.sum()) if routed else "with --routes"
    return [
        ("school bus riders, % of rural pupils", "20-25", f"{100 * riders.sum() / pupils.sum():.1f}"),
        ("lodgers, % of rural primary pupils", "12", f"{_percent(lodgers, pupils, primary):.1f}"),
        ("lodgers, % of rural junior pupils", "50-67", f"{_percent(lodgers, pupils, ~primary):.1f}"),
        ("pupils per bus", "54-80", per_bus),
        ("rural pupils 3 km or more from school, %", "50 (one school)", f"{_percent(pupils * (km >= 3), pupils):.1f}"),
        ("mean way to school, primary, km", "4.2-5.4", f"{_percent(km * pupils, pupils, primary) / 100:.1f}"),
        ("mean way to school, junior, km", "8.3-17.5", f"{_percent(km * pupils, pupils, ~primary) / 100:.1f}"),
        ("beds per lodger", "none found", f"{beds / lodgers.sum():.2f}"),
    ]


def _per_bus(county: County, settings: Settings, ways: Travel, placed: Places, riders: float) -> str:
    runs = chain(settings, ways, county, routes(county, settings, ways, placed), 0)
    return f"{riders / runs.buses_needed:.0f} ({runs.buses_needed} buses)"


def _percent(part: np.ndarray, whole: np.ndarray, grades: np.ndarray | slice = slice(None)) -> float:
    return float(100 * part[:, grades].sum() / whole[:, grades].sum())


def _roads(county: County, ways: Travel) -> list[tuple[str, str, str]]:
    node = {name: k for k, name in enumerate(county.roads.node_id)}
    rows = []
    for name, km in ROAD_KM.items():
        t = county.townships.name_zh.index(name)
        value = ways.km[node["n_town"], node[f"n_{county.townships.id[t]}"]]
        rows.append((f"road {name} - county town, km", f"{km:g}", f"{value:.1f}"))
    return rows
