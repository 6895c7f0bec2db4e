"""Small counties made for the tests of bus runs and duties."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from sim.config import Settings
from sim.county import County
from sim.plan import SCHOOL_BUS, WALK, Places


def with_fleet(settings: Settings, **changes: Any) -> Settings:
    return settings.model_copy(update={"fleet": settings.fleet.model_copy(update=changes)})


def places_of(school: np.ndarray, share: np.ndarray, expected: np.ndarray) -> Places:
    nothing = np.zeros(school.shape)
    reason = np.full(school.shape, "", dtype=object)
    unplaced: Any = None
    return Places(2023, school, nothing, nothing.copy(), share, reason, expected, unplaced)


def by_bus(school: list[int], riders: list[float], schools: int = 1, mode: int = SCHOOL_BUS) -> Places:
    """Return places where all pupils of a hamlet are in grade 4 and travel in one mode."""
    share, expected = np.zeros((len(school), 9, 6)), np.zeros((len(school), 9, 2))
    share[..., mode], expected[:, 3, 1] = 1.0, riders
    return places_of(np.tile(np.array(school)[:, None], 9), share, expected)


def line(distances_km: list[float], km_per_min: float = 0.5) -> tuple[Any, Any]:
    """Return a county of one school (node 0, a yard) with hamlets along one road, and its travel times."""
    at = np.array([0.0, *distances_km])
    km = abs(at[:, None] - at)
    county = SimpleNamespace(
        schools=SimpleNamespace(id=("S",), node=np.array([0]), first_grade=np.array([1]), last_grade=np.array([6])),
        hamlets=SimpleNamespace(node=np.arange(1, len(at))),
        roads=SimpleNamespace(is_yard=np.arange(len(at)) == 0),
    )
    return county, SimpleNamespace(minutes=km / km_per_min, km=km, floor_min=km)


def random_county(seed: int, schools: int = 45) -> tuple[Any, Any, Places]:
    """Return a county of scattered schools with 5 to 25 hamlets each, its travel times and its places."""
    luck = np.random.default_rng(seed)
    of = np.repeat(np.arange(schools), luck.integers(5, 26, schools))
    centre, turn, away = (
        luck.uniform(0, 50, (schools, 2)),
        luck.uniform(0, 7, len(of)),
        luck.uniform(2.5, 9, len(of)),
    )
    at = np.vstack([centre, centre[of] + away[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])])
    km = np.hypot(*(at[:, None] - at).T) * 1.3
    junior = np.arange(schools) % 4 == 0
    county = SimpleNamespace(
        schools=SimpleNamespace(
            id=tuple(f"S{nr:03d}" for nr in range(schools)),
            node=np.arange(schools),
            first_grade=np.where(junior, 7, 1),
            last_grade=np.where(junior, 9, 6),
        ),
        hamlets=SimpleNamespace(node=schools + np.arange(len(of))),
        roads=SimpleNamespace(is_yard=np.arange(len(at)) < schools // 2),
    )
    school = np.where((np.arange(9) >= 6) == junior[of][:, None], of[:, None], -1)
    share = np.zeros((len(of), 9, 6))
    share[..., SCHOOL_BUS], share[..., WALK] = 0.6, 0.4
    share[away > 6, 3:] = [0.3, 0, 0, 0.2, 0.5, 0]
    expected = luck.gamma(1.2, 1.7, (len(of), 9, 2)) * (school >= 0)[..., None]
    return county, SimpleNamespace(minutes=km * 1.9, km=km, floor_min=km), places_of(school, share, expected)


def three_villages_places(county: County) -> Places:
    """Return places where all go to the central school: A walks, B and D take the bus."""
    share = np.zeros((3, 9, 6))
    share[0, :, WALK] = share[1:, :, SCHOOL_BUS] = 1.0
    return places_of(np.zeros((3, 9), dtype=np.int64), share, county.pupils.astype(np.float64))
