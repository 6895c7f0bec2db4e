"""The page on which kept days are lived again: buses on the map, schools, hamlets, and the county's counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from sim.tell.map import LABELLED, ROADS
from sim.tell.number import masked
from sim.tell.replay_bus import Fleet
from sim.tell.replay_day import Day, Roads, kept_days
from sim.tell.replay_pupil import FEW, OF_HAMLETS, OF_SCHOOLS, Crowd, Ints, banded
from sim.tell.run import Run
from sim.tell.template import HERE, render
from sim.tell.words import glossary
from sim.units import MINUTES_PER_HOUR

PAGE = "replay.html"
MOST_BYTES = 7_500_000
"""Days that would make the page larger than this are left out, the last ones first."""
WAITS = ("line", "left")
"""States of those who wait for what should have been there: they make a minute the worst one."""
MARGIN_KM = 1.0
"""Road map beyond the outermost place."""
ROOMS = {"windows": ("window",), "seats": ("canteen_seat",), "beds": ("bed_girls", "bed_boys")}
"""What a school has -> the resources that it is made of."""
SPOKEN = "replay.js."
"""Entries of the glossary that the page's JavaScript says."""
Told = dict[str, Any]


def replay_page(run: Run, made_up: bool, redraw: bool = True) -> Path | None:
    """Write replay.html of a run that kept days; return where it lies, None when no day was kept.

    made_up: places or rolls are synthetic. Without `redraw` it is left as it lies there: no price changes a day.
    """
    days = kept_days(run)
    if not days:
        return None
    if not redraw and (run.path / PAGE).is_file():
        return run.path / PAGE
    plotly, roads = get_plotlyjs(), Roads(run)
    shared = _json(_shared(run, roads))
    told, left_out = _told(days, roads, MOST_BYTES - len(plotly) - len(shared.encode()))
    page = render(
        "replay.html.j2",
        run.words,
        run=run,
        made_up=made_up,
        title=run.words("replay.title", county=run.words.term("county", run.settings.county.name)),
        luck=run.words("replay.luck", replications=len(run.replications), seed=run.settings.seed),
        days=told,
        left_out=left_out,
        shared=Markup(shared),  # this and the days: no tag can begin in them, see _json
        plotly=Markup(plotly),
        program=Markup((HERE / "replay.js").read_text(encoding="utf-8")),
    )
    return run.folder.write_text(PAGE, page)


def _told(days: list[Day], roads: Roads, room: int) -> tuple[list[Told], list[str]]:
    """Return the days that the page has room for (bytes), and what the others are called."""
    told: list[Told] = []
    for k, day in enumerate(days):
        text = _json(_day(day, roads))
        room -= len(text.encode())
        if room < 0 and told:  # a page with one day is better than none
            return told, [label(left) for left in days[k:]]
        told.append({"label": label(day), "text": Markup(text)})
    return told, []


def _json(told: Told) -> str:
    """Return what the page's JavaScript reads, as it may stand inside <script>: no tag can begin or end in it."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def label(day: Day) -> str:
    """Return what people call a day: day of the week, school week and school year."""
    word = day.run.words
    return word("replay.day", day=word.term("day", day.day), week=day.week, year=day.year, next=day.year + 1)


def _shared(run: Run, roads: Roads) -> Told:
    """Return what all days share: places, the road map, and the words that the page says."""
    places = pd.concat([run.hamlets[["lon", "lat"]], run.schools[["lon", "lat"]]]).dropna()
    corners = np.concatenate([roads.xy, roads.on_map(places["lon"], places["lat"])])
    low, high = corners.min(axis=0) - MARGIN_KM, corners.max(axis=0) + MARGIN_KM
    return {
        "public": run.public,
        "box": [*low.round(2).tolist(), *high.round(2).tolist()],
        "roads": _road_map(roads, low, high),
        "hamlets": _places(run.hamlets, _hamlet_names(run), roads),
        "schools": _places(
            run.schools, [(run.site(name), run.site(name, short=True)) for name in run.schools.index], roads
        ),
        "towns": _towns(run, roads),
        "words": {
            key.removeprefix(SPOKEN): text[run.words.language]
            for key, text in glossary().items()
            if key.startswith(SPOKEN)
        },
    }


def _places(table: pd.DataFrame, names: list[tuple[str, str]], roads: Roads) -> list[Told]:
    """Return names of places, long and short, and where they lie on the map: without a position, at their node."""
    node = roads.xy[[roads.number[name] for name in table["node_id"]]]
    own = roads.on_map(table["lon"], table["lat"])
    at = np.where(np.isnan(own), node, own).round(2).tolist()
    return [{"name": name, "short": short, "x": x, "y": y} for (name, short), (x, y) in zip(names, at, strict=True)]


def _hamlet_names(run: Run) -> list[tuple[str, str]]:
    """Return the names of hamlets with that of their township, as many share a name, and without."""
    towns = _town_names(run)
    own = zip(run.hamlets.index, run.hamlets["name_zh"], run.hamlets["township_id"], strict=True)
    return [(f"{name or hamlet} · {towns.get(town, town)}", name or hamlet) for hamlet, name, town in own]


def _town_names(run: Run) -> dict[str, str]:
    """Return the name of each township in the language of the report, where it has one."""
    zones = run.input("zones.csv")
    if zones.empty:
        return {}
    first, second = ("name_zh", "name_en") if run.words.language == "zh" else ("name_en", "name_zh")
    return dict(zip(zones["township_id"], zones[first].where(zones[first] != "", zones[second]), strict=True))


def _towns(run: Run, roads: Roads) -> list[Told]:
    """Return the names of townships beside their central schools."""
    central = run.schools[run.schools["kind"].isin(LABELLED)].drop_duplicates("township_id")
    towns = _town_names(run)
    names = [towns.get(town, town) for town in central["township_id"]]
    return _places(central, list(zip(names, names, strict=True)), roads)


def _road_map(roads: Roads, low: Any, high: Any) -> str:
    """Return the roads as a picture: one path for each class, as broad at every scale."""
    wide, tall = high - low
    ends = (roads.xy - low) * [1, -1] + [0, tall]
    paths = ""
    for name, (colour, width) in reversed(ROADS.items()):
        part = roads.edges[roads.edges["road_class"] == name]
        lines = np.concatenate([ends[part["start"]], ends[part["end"]]], axis=1)
        way = "".join(f"M{a:.2f} {b:.2f}L{c:.2f} {d:.2f}" for a, b, c, d in lines)
        paths += f'<path d="{way}" stroke="{colour}" stroke-width="{width}"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.2f} {tall:.2f}" preserveAspectRatio="none">'
    style = "<style>path{fill:none;vector-effect:non-scaling-stroke;stroke-linecap:round}</style>"
    return "data:image/svg+xml," + quote(f"{head}{style}{paths}</svg>", safe=" ='/:.")


def _day(day: Day, roads: Roads) -> Told:
    """Return what is told of a day; all counts of pupils are banded."""
    run, crowd = day.run, Crowd(day)
    fleet = Fleet(crowd, roads)
    hamlets, schools = crowd.by("hamlet", run.hamlets.index), crowd.by("school", run.schools.index)
    return {
        "first": crowd.first,
        "last": crowd.last,
        "weather": _weather(day),
        "worst": _worst(crowd, schools["line"]),
        "county": {state: _steps(crowd, row) for state, row in crowd.county.items()},
        "hamlets": [
            {"place": k, **{state: _steps(crowd, hamlets[state][k]) for state in OF_HAMLETS}}
            for k in _followed(crowd, "hamlet", run.hamlets.index)
        ],
        "schools": [
            {
                "place": k,
                **_rooms(day, run.schools.index[k]),
                **{state: _steps(crowd, schools[state][k]) for state in OF_SCHOOLS},
            }
            for k in _followed(crowd, "school", run.schools.index)
        ],
        "buses": fleet.buses(),
        "cancelled": fleet.cancelled(),
    }


def _followed(crowd: Crowd, column: str, names: pd.Index[str]) -> list[int]:
    """Return the positions of the hamlets or schools that may be followed: not those of a small group in public."""
    pupils = crowd.pupils[column].value_counts().reindex(names, fill_value=0).to_numpy()
    public = crowd.day.run.public
    return np.flatnonzero(banded(pupils, public) > (FEW if public else 0)).tolist()


def _steps(crowd: Crowd, pupils: Ints) -> list[int]:
    """Return a count minute by minute as [minute, pupils, ...] of where it changes; it begins with 0."""
    told = banded(pupils, crowd.day.run.public)
    at = np.flatnonzero(np.diff(told, prepend=0))
    return np.stack([at + crowd.first, told[at]], axis=1).ravel().tolist()


def _rooms(day: Day, school: str) -> dict[str, int]:
    """Return the windows, canteen seats and beds of a school."""
    there = {
        resource: day.run.capacity.get((school, day.year, resource), 0.0) for of in ROOMS.values() for resource in of
    }
    return {room: round(sum(there[resource] for resource in of)) for room, of in ROOMS.items()}


def _weather(day: Day) -> list[str]:
    """Return the weather of the morning and of the afternoon in words; nothing where it is not told."""
    days = day.run.days
    if days.empty:
        return []
    here = (days["replication"] == 0) & (days["year"] == day.year) & (days["week"] == day.week)
    row = days[here & (days["day"] == day.day)]
    return [day.run.words.term("sky", sky) for name in ("morning", "afternoon") for sky in row[name]]


def _worst(crowd: Crowd, lines: Ints) -> Told | None:
    """Return the first minute at which most pupils waited at once, and which and why in words; None if nobody did.

    lines: (schools, minutes) in the lines of canteens.
    """
    run, word = crowd.day.run, crowd.day.run.words
    waits = np.sum([crowd.county[state] for state in WAITS], axis=0)
    k = int(waits.argmax())
    if not waits[k]:
        return None

    def told(pupils: int) -> str:
        shown = int(banded(np.array(pupils), run.public))
        return masked(shown, run.public and shown == FEW)

    minute = crowd.first + k
    time = f"{minute // int(MINUTES_PER_HOUR)}:{minute % int(MINUTES_PER_HOUR):02d}"
    parts = {state: told(int(crowd.county[state][k])) for state in WAITS}
    text = word("replay.worst", time=time, all=told(int(waits[k])), **parts)
    if lines[:, k].any():
        school = int(lines[:, k].argmax())
        at = {"school": run.site(run.schools.index[school]), "pupils": told(int(lines[school, k]))}
        text = word.speak([text, word("replay.longest", **at)])
    return {"minute": minute, "text": text}
