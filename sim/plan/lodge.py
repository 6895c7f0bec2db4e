"""Beds: what each school has in a year, by sex, in how many rooms, and what can be put up in need."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sim.config import Lodge, Settings
from sim.county import County
from sim.errors import BadInput
from sim.plan import Beds, Bools, Ints


def added(county: County, what: str, year: int) -> Ints:
    """Return what projects have added to each school by a year, e.g. `beds_girls`; shape (S,)."""
    total = np.zeros(len(county.schools.id), dtype=np.int64)
    position = {school: s for s, school in enumerate(county.schools.id)}
    rows = (county.projects[name].tolist() for name in ("adds", "year", "school_id", "quantity"))
    for adds, when, school, quantity in zip(*rows, strict=True):
        if adds == what and when <= year:
            total[position[school]] += int(quantity)
    return total


def beds(county: County, settings: Settings, year: int) -> Beds:
    """Return the beds of each school in a year: the county's table and projects, or as the settings say.

    One number is the total for each sex, shared in proportion to the beds there are; a mapping gives beds of
    each sex by school. `lodge.beds_scale` multiplies either. Shapes (S, 2): girls, boys.
    """
    lodge = settings.lodge
    stock = county.schools.beds + np.stack(
        [added(county, "beds_girls", year), added(county, "beds_boys", year)], axis=1
    )
    wanted = stock.astype(float)
    if isinstance(lodge.beds, Mapping):
        wanted = _by_school(county, lodge.beds)
    elif lodge.beds is not None:
        wanted = np.stack([_shared(lodge.beds, stock[:, sex]) for sex in (0, 1)], axis=1)
    nominal = np.floor(wanted * lodge.beds_scale + 0.5).astype(np.int64)
    return Beds(nominal, np.floor(nominal * lodge.emergency_share + 0.5).astype(np.int64))


def rooms(lodge: Lodge, beds: Beds) -> tuple[Ints, Ints]:
    """Part the beds of each school and sex into rooms: where each dormitory's rooms begin, and the beds of each room.

    Dormitories go by school, girls before boys. Every room has `lodge.room_beds` beds, only a dormitory's last one
    may have fewer. Shapes (2 S + 1,) and (rooms,).
    """
    total = beds.nominal.ravel()
    many = -(-total // lodge.room_beds)
    first = np.append(0, np.cumsum(many))
    size = np.full(first[-1], lodge.room_beds)
    size[first[1:][many > 0] - 1] -= (many * lodge.room_beds - total)[many > 0]
    return first, size


def lodging_schools(county: County, settings: Settings, year: int) -> Bools:
    """Tell which schools have a dormitory in a year: by the county's table, a project, or `lodge.beds` by school.

    How many beds it has is no matter here, so that a plan does not depend on their number; shape (S,).
    """
    stock = county.schools.beds.sum(axis=1) + added(county, "beds_girls", year) + added(county, "beds_boys", year)
    named = settings.lodge.beds if isinstance(settings.lodge.beds, Mapping) else {}
    return (stock > 0) | np.array([named.get(school, 0) > 0 for school in county.schools.id])


def _shared(total: int, stock: Ints) -> np.ndarray:
    """Share a total over schools in proportion to their stock, by largest remainders so that it adds up."""
    if stock.sum() == 0:
        return np.zeros(len(stock))
    exact = total * stock / stock.sum()
    whole = np.floor(exact)
    rest = round(total - whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:rest]] += 1
    return whole


def _by_school(county: County, chosen: Mapping[str, int]) -> np.ndarray:
    unknown = [name for name in chosen if name not in county.schools.id]
    if unknown:
        raise BadInput(f"lodge.beds: {', '.join(unknown)} is no school of {county.name}")
    column = np.array([float(chosen.get(name, 0)) for name in county.schools.id])
    return np.stack([column, column], axis=1)
