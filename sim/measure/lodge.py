"""What happened in the dormitories: nights, refusals, and those who had to stay."""

from __future__ import annotations

import numpy as np

from sim.measure.scene import Scene, Values, rows
from sim.measure.site import counts
from sim.measure.use import Rows, Use, ratio, table
from sim.operate.diary import Diary
from sim.plan import GRADES, LODGE, Bools, Floats
from sim.plan.staff import life_teacher_posts, life_teachers


def without_bed(scene: Scene, diary: Diary, days: range) -> Bools:
    """Tell who asked for a bed and has none, or had to stay for the night and found none; (D, N)."""
    at = rows(diary, days)
    stayed = ~np.isnan(diary.stayed[at]) & np.isnan(diary.to_bed[at])
    return np.asarray((diary.came[at] & scene.pupils.refused) | stayed)


def measures(scene: Scene, diary: Diary, days: range) -> Values:
    """Measure beds and refusals of the days; (S + 1,) each, NaN where nobody lodges or wants to."""
    at, pupils = rows(diary, days), scene.pupils
    in_bed, stayed = ~np.isnan(diary.to_bed[at]), ~np.isnan(diary.stayed[at])
    nights = sum(day < len(diary.came) - 1 for day in days)
    told: dict[str, Bools] = {
        "beds_occupied": in_bed & ~stayed,
        "bed_nights": in_bed,
        "bed_refused": diary.came[at] & pupils.refused,
        "sick_nights": in_bed & pupils.has_bed & ~diary.came[at],
        "stayed_pupils": stayed,
        "emergency_beds": stayed & in_bed,
        "emergency_refused": stayed & ~in_bed,
    }
    values = {name: counts(np.asarray(who), scene.parts) for name, who in told.items()}
    values["beds_occupied"] /= nights or np.nan
    values["life_teacher_short_nights"] = _short_nights(scene, diary, days, in_bed)
    beds = scene.plan.beds.nominal.sum(axis=1)
    none = np.append((beds == 0) & (values["bed_refused"] + values["stayed_pupils"] == 0)[:-1], False)
    return {name: np.where(none, np.nan, value) for name, value in values.items()}


def _posts(scene: Scene, asleep: Bools) -> Floats:
    """Return how many life teachers the norm asks for at each school while some pupils (N,) sleep there; (S,)."""
    pupils, shape = scene.pupils, (len(scene.county.schools.id), len(GRADES))
    place = pupils.school * len(GRADES) + pupils.grade - 1
    lodgers = np.bincount(place[asleep], minlength=shape[0] * shape[1]).reshape(shape)
    return life_teacher_posts(scene.settings, lodgers.astype(float))


def _short_nights(scene: Scene, diary: Diary, days: range, in_bed: Bools) -> Floats:
    """Count the nights on which a school has fewer life teachers than the norm asks for; (S + 1,)."""
    here = diary.life_here[rows(diary, days)]
    short = sum(_posts(scene, who) > there for who, there in zip(in_bed, here, strict=True))
    return np.append(short, np.sum(short)).astype(float)


def rows_of_use(scene: Scene, use: Use) -> list[Rows]:
    """Return beds of each sex against those who ask, and life teachers against the norm, for resources.parquet."""
    pupils, schools = scene.pupils, len(scene.county.schools.id)
    roll = np.diff(pupils.first)

    def at(who: Bools) -> Floats:
        return np.bincount(pupils.school[who], minlength=schools).astype(float)

    used: list[Rows] = []
    for sex, name in enumerate(("bed_girls", "bed_boys")):
        here = pupils.sex == sex
        wanted, given = at((pupils.mode == LODGE) & here), at(pupils.has_bed & here)
        beds = scene.plan.beds.nominal[:, sex].astype(float)
        used.append(
            table(
                scene, name, "bed", "pupil-day", (beds > 0) & (roll > 0) | (wanted > 0),
                capacity=beds, demand_peak=wanted, utilisation_mean=ratio(given, beds),
                utilisation_peak=ratio(wanted, beds), unmet=use.harm(name, "no_bed"),
            )
        )  # fmt: skip
    return [*used, _life_teachers(scene, use)]


def _life_teachers(scene: Scene, use: Use) -> Rows:
    """Return life teachers in post against the norm; unmet: nights on which they were fewer, ill ones left out."""
    needed = _posts(scene, scene.pupils.has_bed)
    there = life_teachers(scene.county, scene.plan).astype(float)
    share = ratio(needed, there)
    return table(
        scene, "life_teacher", "person", "night", (needed > 0) | (there > 0),
        capacity=there, demand_peak=needed, utilisation_mean=share, utilisation_peak=share,
        unmet=use.total("life_teacher_short_nights")[:-1],
    )  # fmt: skip
