"""Builds the tables of Huichang County: which parts of the reference county are real, and what fills the gaps?

    python experiments/build_huichang.py

writes configs/county/huichang/*.csv from the sourced tables in experiments/huichang_sources and a seeded synthesis,
and prints how the result compares with the facts. docs/huichang.md says what is real, derived and synthetic.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from huichang import series, things  # noqa: E402
from huichang.land import Land, draw_land  # noqa: E402
from huichang.people import People, draw_people, points_by_township  # noqa: E402
from huichang.sources import GRADES, SEAT_TOWNSHIP, Township, lon_lat, stream, townships  # noqa: E402

from sim.tables import county_table  # noqa: E402

SEED = 20230731  # the date of the county plan
HARDSHIP, LEFT_BEHIND = (4.0, 30.0), (9.0, 14.0)  # assumption: beta laws, means 12 % and 39 %


def main() -> None:
    """Build the county and print the calibration table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=SEED, help="root of the synthesis")
    parser.add_argument("--out", type=Path, default=HERE.parent / "configs" / "county" / "huichang")
    parser.add_argument("--routes", action="store_true", help="also plan the buses, to compare pupils per bus")
    parser.add_argument("overrides", nargs="*", help="settings for the comparison, e.g. lodge.primary_share=0.5")
    arguments = parser.parse_args()
    build(arguments.out, arguments.seed)
    from huichang.calibrate import calibration

    print("| what | fact | county |\n|---|---|---|")
    for row in calibration(arguments.out, routed=arguments.routes, overrides=tuple(arguments.overrides)):
        print("| " + " | ".join(row) + " |")


def build(out: Path, seed: int = SEED) -> None:
    """Write all tables of the county."""
    places = townships()
    land = draw_land(places, points_by_township(places, seed), seed)
    people = draw_people(land, places, seed)
    needs = things.demands(land, people)
    rows = {
        "zones": _zones(places),
        "schools": _schools(land, people, places),
        "hamlets": _hamlets(land, people, places, seed),
        "pupils": _pupils(land, people),
        "history": series.history(land, people, places, seed),
        "births": series.births(),
        "nodes": [(n.id, *lon_lat(n.x, n.y), n.kind, int(n.is_yard), n.source) for n in land.nodes.values()],
        "edges": _edges(land),
        "facilities": things.facilities(people, needs, seed),
        "staff": things.staff(people, needs, seed),
        "calendar": series.calendar(),
        "weather": series.weather(),
        "projects": things.projects(people),
        "classrooms": things.classrooms(people, needs, seed),
        "campuses": things.campuses(people, needs, seed),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, lines in rows.items():
        _write(out, name, lines)


def _write(out: Path, name: str, rows: list[tuple[object, ...]]) -> None:
    table = county_table(name)
    with (out / table.name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.names)
        writer.writerows(rows)


def _zones(places: list[Township]) -> list[tuple[object, ...]]:
    return [
        (
            t.id,
            t.name_zh,
            t.name_en,
            t.zone,
            int(t.name_zh == SEAT_TOWNSHIP),
            *lon_lat(t.x, t.y),
            t.population or "",
            t.source,
        )
        for t in places
    ]


def _schools(land: Land, people: People, places: list[Township]) -> list[tuple[object, ...]]:
    ids = {t.name_zh: t.id for t in places}
    rows: list[tuple[object, ...]] = []
    for s in people.schools.values():
        node = land.nodes[s.node]
        rows.append(
            (s.id, s.name_zh, s.name_en, ids[s.township], s.kind, node.id, *lon_lat(node.x, node.y), *s.grades,
             int(s.receives), s.opens_year or "", s.source)
        )  # fmt: skip
    return rows


def _hamlets(land: Land, people: People, places: list[Township], seed: int) -> list[tuple[object, ...]]:
    luck = stream(seed, "families")
    ids = {t.name_zh: t.id for t in places}
    rows: list[tuple[object, ...]] = []
    for home in land.homes:
        node = land.nodes[home.node]
        hardship, left = luck.beta(*HARDSHIP), luck.beta(*LEFT_BEHIND)
        rows.append(
            (home.id, home.name_zh, ids[home.township], home.kind, node.id, *lon_lat(node.x, node.y),
             people.school_of[home.id], int(home.line_bus), f"{hardship:.3f}", f"{left:.3f}", home.source)
        )  # fmt: skip
    return rows


def _pupils(land: Land, people: People) -> list[tuple[object, ...]]:
    words = "synthetic: drawn so that the published totals hold"
    cells = ((home.id, grade, sex) for home in land.homes for grade in GRADES for sex in ("f", "m"))
    return [(*cell, people.pupils[cell], words) for cell in cells if people.pupils[cell]]


def _edges(land: Land) -> list[tuple[object, ...]]:
    return [
        (f"e{k:03d}", land.nodes[e.start].id, land.nodes[e.end].id, e.km, e.road_class, e.bend, e.closed_by, e.source)
        for k, e in enumerate(land.edges, start=1)
    ]


if __name__ == "__main__":
    main()
