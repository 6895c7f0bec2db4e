"""Where the hamlets lie and which roads lead there: a synthesis around the real township seats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from huichang.sources import CHANGLING, SEAT_TOWNSHIP, TOWN, Township, km_xy, source, stream

LINK_PIECE_KM = 3.0
ALONG_ROAD_SHARE = 0.6  # assumption: share of villages that lie along the roads between seats
ALONG_ROAD_SD_KM = 0.7
APART_KM = 0.9
FROM_SEAT_KM = 1.3
SPREAD = 1.0  # assumption: villages lie within the radius of a disc as large as the township
BLOCK_KM = (0.1, 0.35)  # assumption: from the middle of a quarter to the middle of a block
INDUSTRIAL_PARK = "燕子窝工业园区"
LINE_BUS_KM = 1.0  # a line bus passes hamlets this near to a national or county road
HILLY = ("洞头乡", "清溪乡", "小密乡", "永隆乡")  # heights in townships.csv; 永隆: detour ratio 1.49

SYNTHETIC_PLACE = "synthetic: position drawn around the real township seat"
SYNTHETIC_ROAD = "synthetic: road drawn; length is straight line x 1.2 to 1.6"


@dataclass
class Node:
    """A node of the road network, km east and north of the county town."""

    id: str
    x: float
    y: float
    kind: str
    township: str = ""
    is_yard: bool = False
    main_road: bool = False
    source: str = SYNTHETIC_PLACE


@dataclass
class Edge:
    """A road between two nodes."""

    start: str
    end: str
    km: float
    road_class: str
    bend: str
    closed_by: str = "none"
    source: str = SYNTHETIC_ROAD


@dataclass
class Home:
    """A hamlet: a village, the catchment of a teaching point, or a block of the town."""

    id: str
    name_zh: str
    township: str
    kind: str
    node: str
    from_seat_km: float
    source: str
    at_seat: bool = False
    is_point: bool = False
    line_bus: bool = False
    quarter: str = ""


@dataclass
class Land:
    """Nodes, roads and homes while they are being drawn."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    homes: list[Home] = field(default_factory=list)
    quarters: dict[str, str] = field(default_factory=dict)
    """Names of the town's quarters by node."""

    def straight_km(self, a: str, b: str) -> float:
        """Return the straight line between two nodes."""
        return float(np.hypot(self.nodes[a].x - self.nodes[b].x, self.nodes[a].y - self.nodes[b].y))

    def add_school_node(
        self, key: str, spot: tuple[float, float], township: str, seat: str, km: float, *, yard: bool
    ) -> None:
        """Put a school beside a seat and join it by a straight road."""
        self.nodes[key] = Node(f"n_{key}", *spot, "school", township, is_yard=yard)
        self.edges.append(Edge(seat, key, km, "county", "straight"))

    def touching(self, node: str) -> Iterator[Edge]:
        """Yield the roads that touch a node."""
        return (edge for edge in self.edges if node in (edge.start, edge.end))


def draw_land(townships: list[Township], points: dict[str, int], seed: int) -> Land:
    """Return the land: seats and the roads between them, villages and teaching points with their roads."""
    land = Land()
    _seats(land, townships)
    _links(land, townships, stream(seed, "links"))
    for township in townships:
        _villages(land, township, townships, stream(seed, f"villages {township.id}"))
        _points(land, township, points[township.id], stream(seed, f"points {township.id}"))
    _town(land, townships, stream(seed, "town"))
    _classes(land, stream(seed, "bends"))
    _line_buses(land)
    return land


def _seats(land: Land, townships: list[Township]) -> None:
    real = "real: seat coordinates from GeoNames, see experiments/huichang_sources/townships.csv"
    land.nodes[TOWN] = Node("n_town", 0.0, 0.0, "junction", main_road=True, source=real)
    for t in townships:
        land.nodes[t.name_zh] = Node(f"n_{t.id}", t.x, t.y, "junction", t.name_zh, main_road=True, source=real)
    old = source("townships").set_index("name_zh").filter(like=CHANGLING, axis=0).iloc[0]
    x, y = km_xy(float(old["lon"]), float(old["lat"]))
    land.nodes[CHANGLING] = Node("n_changling", x, y, "junction", "筠门岭镇", main_road=True, source=real)


def _owner(x: float, y: float, townships: list[Township]) -> str:
    """Return the township whose seat is nearest, measured in radii of the townships."""
    return min(townships, key=lambda t: np.hypot(x - t.x, y - t.y) / t.radius_km).name_zh


def _links(land: Land, townships: list[Township], luck: np.random.Generator) -> None:
    """Cut every road between two seats into pieces, so that villages can lie along it."""
    for row in source("links").itertuples(index=False):
        a, b, km = row.from_seat, row.to_seat, float(row.km)
        pieces = max(1, round(km / LINK_PIECE_KM))
        ends, way = (land.nodes[a], land.nodes[b]), [a]
        slack = min(0.25, 0.35 * np.sqrt(max((km / land.straight_km(a, b)) ** 2 - 1, 0))) * km / pieces
        for i in range(1, pieces):
            dx, dy = luck.uniform(-slack, slack, 2)
            x = ends[0].x + (ends[1].x - ends[0].x) * i / pieces + dx
            y = ends[0].y + (ends[1].y - ends[0].y) * i / pieces + dy
            key = f"j{len(land.nodes):03d}"
            main = row.road_class != "township"
            land.nodes[key] = Node(f"n_{key}", x, y, "junction", _owner(x, y, townships), main_road=main)
            way.append(key)
        way.append(b)
        lengths = _shares(km, [land.straight_km(p, q) for p, q in pairwise(way)])
        for (p, q), length in zip(pairwise(way), lengths, strict=True):
            land.edges.append(Edge(p, q, length, row.road_class, "", source=row.source))


def _shares(km: float, parts: list[float]) -> list[float]:
    """Return lengths in proportion to `parts`, to 10 m, that add up to `km` exactly."""
    ends = np.round(np.cumsum(parts) / sum(parts) * km, 2)
    return [round(float(length), 2) for length in np.diff(ends, prepend=0.0)]


def _village_names(township: Township) -> list[tuple[str, str]]:
    """Return (name, source) of the villages: real names first, then numbered ones, the seat's own before all."""
    table = source("villages")
    real = [
        (row.village_zh, f"{SYNTHETIC_PLACE}; real village name ({row.source})")
        for row in table[table["township"] == township.name_zh].itertuples(index=False)
    ]
    real.sort(key=lambda name: name[0] != township.stem)
    wanted = township.villages
    numbers = range(1, wanted - len(real) + 1)
    made = [(f"{township.stem}{k}号村(合成)", f"{SYNTHETIC_PLACE}; name made up") for k in numbers]
    if township.neighbourhoods == 0 and township.stem not in [name for name, _ in real]:
        made.sort()
        return [made[0], *real, *made[1:]]
    return (real + made)[:wanted]


def _villages(land: Land, t: Township, townships: list[Township], luck: np.random.Generator) -> None:
    """Place the villages of a township and tie them to its roads; those at the seat come first."""
    names = _village_names(t)
    if t.name_zh != SEAT_TOWNSHIP:
        at_seat = [names.pop(0)[0]] if t.neighbourhoods == 0 or names[0][0] == t.stem else []
        at_seat += [
            f"{t.stem}圩镇社区(合成)" if k == 0 else f"{t.stem}圩镇社区{k + 1}(合成)" for k in range(t.neighbourhoods)
        ]
        for k, name in enumerate(at_seat):
            _home(
                land,
                t,
                name,
                (t.x + 0.3 * (k + 1), t.y - 0.25 * (k + 1)),
                f"{SYNTHETIC_PLACE}; at the seat",
                at_seat=True,
            )
    centres = [name for name, node in land.nodes.items() if node.township == t.name_zh and node.kind == "junction"]
    spots = _spots(land, t, centres, townships, len(names), luck)
    if CHANGLING in [name for name, _ in names]:
        old = land.nodes[CHANGLING]
        k = [name for name, _ in names].index(CHANGLING)
        spots[k] = (old.x + 0.3, old.y + 0.2)
    for (name, words), spot in zip(names, spots, strict=True):
        _home(land, t, name, spot, words)
    _tie(land, t, centres, luck)


def _home(land: Land, t: Township, name: str, spot: tuple[float, float], words: str, *, at_seat: bool = False) -> None:
    number = sum(home.township == t.name_zh for home in land.homes) + 1
    key = f"{t.id}_{number:02d}"
    land.nodes[key] = Node(f"n_{key}", *spot, "hamlet", t.name_zh)
    far = float(np.hypot(spot[0] - t.x, spot[1] - t.y))
    land.homes.append(Home(key, name, t.name_zh, "village", key, far, words, at_seat))


def _spots(
    land: Land, t: Township, centres: list[str], townships: list[Township], count: int, luck: np.random.Generator
) -> list[tuple[float, float]]:
    """Draw places for villages: along the roads or anywhere in the township, apart from each other."""
    spots: list[tuple[float, float]] = []
    apart = APART_KM
    while len(spots) < count:
        if luck.random() < ALONG_ROAD_SHARE:
            node = land.nodes[centres[luck.integers(len(centres))]]
            dx, dy = luck.normal(0, ALONG_ROAD_SD_KM, 2)
            x, y = node.x + dx, node.y + dy
        else:
            far, angle = SPREAD * t.radius_km * np.sqrt(luck.random()), luck.uniform(0, 2 * np.pi)
            x, y = t.x + far * np.cos(angle), t.y + far * np.sin(angle)
        seat_far = min(np.hypot(x - t.x, y - t.y), np.hypot(x, y))
        if _owner(x, y, townships) != t.name_zh or seat_far < FROM_SEAT_KM:
            continue
        if min((np.hypot(x - u, y - v) for u, v in spots), default=apart) < apart:
            apart *= 0.995
            continue
        spots.append((float(x), float(y)))
    return spots


def _tie(land: Land, t: Township, centres: list[str], luck: np.random.Generator) -> None:
    """Join the villages to the road network one after the other, nearest to the seat first."""
    seat = t.name_zh
    way = {name: 1.3 * land.straight_km(name, seat) for name in centres}
    homes = [home for home in land.homes if home.township == t.name_zh]
    for home in sorted(homes, key=lambda home: home.from_seat_km):
        best = min(way, key=lambda name: land.straight_km(home.node, name) + 0.2 * way[name])
        km = _road(land, home.node, best, luck)
        way[home.node] = way[best] + km


def _road(land: Land, a: str, b: str, luck: np.random.Generator) -> float:
    km = max(0.2, round(land.straight_km(a, b) * luck.uniform(1.2, 1.6), 2))
    land.edges.append(Edge(b, a, km, "", ""))
    return km


def _points(land: Land, t: Township, count: int, luck: np.random.Generator) -> None:
    """Place the catchments of the teaching points, each beyond a village of its own."""
    villages = [home for home in land.homes if home.township == t.name_zh and not home.at_seat]
    taken = set(source("schools").query("township == @t.name_zh")["village"])
    free = [home for home in villages if home.name_zh not in taken]
    chosen = luck.choice(len(free), size=count, replace=False)
    for number, k in enumerate(sorted(int(k) for k in chosen), start=1):
        village = free[k]
        node = land.nodes[village.node]
        out = np.arctan2(node.y - t.y, node.x - t.x) + luck.normal(0, 0.7)
        far = luck.uniform(0.3, 0.9)
        key = f"{t.id}_p{number:02d}"
        x, y = node.x + far * np.cos(out), node.y + far * np.sin(out)
        land.nodes[key] = Node(f"n_{key}", float(x), float(y), "hamlet", t.name_zh)
        words = f"synthetic: catchment of a teaching point, beyond the village {village.name_zh}"
        name = f"{village.name_zh.removesuffix('(合成)')}教学点片(合成)"
        seat_km = float(np.hypot(x - t.x, y - t.y))
        land.homes.append(Home(key, name, t.name_zh, "hamlet", key, seat_km, words, is_point=True))
        _road(land, key, village.node, luck)


def _town(land: Land, townships: list[Township], luck: np.random.Generator) -> None:
    """Place the quarters of the county town around its centre, joined to it and to each other."""
    seat = next(t for t in townships if t.name_zh == SEAT_TOWNSHIP)
    names = [*(f"县城{k + 1}号社区" for k in range(seat.neighbourhoods)), INDUSTRIAL_PARK]
    for k, name in enumerate(names):
        angle, far = 2 * np.pi * k / len(names), luck.uniform(0.6, 1.0)
        key = f"town_{k + 1}"
        land.quarters[key] = name
        land.nodes[key] = Node(f"n_{key}", far * np.cos(angle), far * np.sin(angle), "junction", SEAT_TOWNSHIP)
        land.edges.append(Edge(TOWN, key, round(far * 1.3, 2), "county", "straight"))
    for k in range(len(names)):
        ends = f"town_{k + 1}", f"town_{(k + 1) % len(names) + 1}"
        land.edges.append(Edge(*ends, round(land.straight_km(*ends) * 1.3, 2), "county", "straight"))


def draw_blocks(land: Land, many: dict[str, int], luck: np.random.Generator) -> None:
    """Divide each quarter of the town into so many blocks around its middle: the homes of the town.

    Comes after the schools, so that the roads drawn before keep their numbers.
    """
    for quarter, name in land.quarters.items():
        real = "that the industrial park exists" if name == INDUSTRIAL_PARK else "that there are seven neighbourhoods"
        words = f"synthetic: block of a quarter of the county town, drawn with its pupils; {real} is real"
        middle = land.nodes[quarter]
        for k in range(many[quarter]):
            angle, far = 2 * np.pi * k / many[quarter], luck.uniform(*BLOCK_KM)
            key = f"{quarter}_{k + 1}"
            x, y = middle.x + far * np.cos(angle), middle.y + far * np.sin(angle)
            land.nodes[key] = Node(f"n_{key}", float(x), float(y), "hamlet", SEAT_TOWNSHIP)
            block = Home(key, f"{name}{k + 1}片(合成)", SEAT_TOWNSHIP, "town", key, 0.0, words, at_seat=True)
            block.line_bus, block.quarter = True, quarter
            land.homes.append(block)
            land.edges.append(Edge(quarter, key, round(far * 1.3, 2), "county", "straight"))


def _classes(land: Land, luck: np.random.Generator) -> None:
    """Give every road its class, bends and the weather that closes it."""
    degree = dict.fromkeys(land.nodes, 0)
    for edge in land.edges:
        degree[edge.start] += 1
        degree[edge.end] += 1
    for edge in land.edges:
        if not edge.road_class:
            busy = degree[edge.end] >= 2  # roads go on beyond it
            edge.road_class = "township" if busy else "village"
        if not edge.bend:
            hilly = land.nodes[edge.end].township in HILLY
            edge.bend = str(luck.choice(("straight", "bends", "sharp", "steep"), p=BENDS[edge.road_class][hilly]))
        draw = luck.random()
        if edge.road_class in ("township", "village"):
            ice = 0.20 if edge.bend == "steep" else 0.0
            edge.closed_by = "ice" if draw < ice else "flood" if draw > 0.98 else "none"


BENDS = {  # assumption: a hill county; (elsewhere, in the four highest townships)
    "national": ((1.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)),
    "county": ((0.75, 0.25, 0.0, 0.0), (0.55, 0.40, 0.03, 0.02)),
    "township": ((0.45, 0.50, 0.03, 0.02), (0.25, 0.57, 0.10, 0.08)),
    "village": ((0.20, 0.50, 0.18, 0.12), (0.10, 0.40, 0.27, 0.23)),
}


def _line_buses(land: Land) -> None:
    """A line bus passes the hamlets at a seat and those near a national or county road."""
    for home in land.homes:
        near = [
            edge.km for edge in land.touching(home.node)
            if land.nodes[edge.start if edge.end == home.node else edge.end].main_road
        ]  # fmt: skip
        home.line_bus = home.line_bus or home.at_seat or min(near, default=np.inf) <= LINE_BUS_KM
