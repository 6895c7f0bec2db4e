"""A kept day on the map: what the page tells of three villages, worked out by hand, and how it behaves in a browser."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from living import BY_HEART, QUIET, lived, planned_in
from markupsafe import escape
from two_schools import MIXED, two_schools

from sim.chance import pupil_owners
from sim.cli import main
from sim.config import load
from sim.live import event_names
from sim.plan.tables import plan_tables
from sim.store import RunFolder
from sim.streams import owners
from sim.tell.replay import PAGE, SPOKEN, replay_page
from sim.tell.replay_bus import Fleet
from sim.tell.replay_day import _COHORT_BIT, _COHORT_ZERO, _LOW, Roads, kept_days
from sim.tell.replay_pupil import Crowd
from sim.tell.run import Run
from sim.tell.template import HERE
from sim.tell.words import LANGUAGES, Words, glossary

FEW = 1
"""Stands for 1 to 4 pupils on a public page."""
KEPT = ("2023-4-1", "2023-18-2", "2023-18-3", "2023-18-5")
"""The first day, by heart, and days of a week in which much goes wrong."""
STRESSED = (
    "stress=all_at_once", "stress.kitchen_share=0.5", "stress.driver_absent_share=0.3", "stress.roads=[e3]",
    "stress.days=[2,3]", "stress.absence_factor=1.0", "study.keep_events=[first,2023-18-2,2023-18-3,2023-18-5]",
)  # fmt: skip
Told = dict[str, Any]


@pytest.fixture(scope="module")
def monday(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished internal run without any luck, whose first Monday is known by heart; see KEPT."""
    out = tmp_path_factory.mktemp("replay")
    words = (*BY_HEART, *STRESSED, "study.workers=1", "report.audience=internal", f"study.out={out}")
    assert main(["run", *words]) == 0
    return out / "main" / "base"


def copied(run: Path, to: Path, **report: str) -> Path:
    """Return a copy of a run that is told to others, with its replay."""
    shutil.copytree(run, to)
    folder = RunFolder(to)
    folder.tell_as(folder.settings.report.model_copy(update=report))
    rendered(Run(to))
    return to


@pytest.fixture(scope="module")
def public(monday: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(monday, tmp_path_factory.mktemp("public") / "base", audience="public")


def embedded(run: Path, k: int = 0) -> tuple[Told, Told]:
    """Return what the page's JavaScript reads: what all days share, and day k."""
    page = (run / "replay.html").read_text(encoding="utf-8")
    found = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    return json.loads(found[0]), json.loads(found[1 + k])


def value(steps: list[float], minute: float) -> float:
    """Return what a series of [minute, value, minute, value, ...] has at a minute; 0 before it begins."""
    pairs = list(zip(steps[::2], steps[1::2], strict=True))
    return next((number for begin, number in reversed(pairs) if begin <= minute + 0.005), 0)


def place(bus: Told, minute: float) -> tuple[float, float] | None:
    """Return where a bus is at a minute, None while it stands in its yard."""
    for t, x, y in bus["ways"]:
        if t[0] <= minute <= t[-1]:
            return float(np.interp(minute, t, x)), float(np.interp(minute, t, y))
    return None


LOADS = [  # minute after midnight, pupils on the only bus
    (385, 0), (390, 3), (402, 6), (411, 0),  # to school: three at D, three more at B
    (460, 1), (472, 2), (481, 0),  # one lodger at D, one more at B
    (1021, 6), (1031, 3), (1043, 0),  # home: three get off at B, three at D
]  # fmt: skip
COUNTS = [  # minute, how many: wait, ride, are at school, in the canteen's line, eat, lie in bed
    (385, 3, 0, 0, 0, 0, 0),  # D's riders: the bus leaves at 6:28.6, they are there five minutes before
    (389, 0, 3, 0, 0, 0, 0),
    (397, 3, 3, 0, 0, 0, 0),  # B's riders: 6:41
    (402, 0, 6, 0, 0, 0, 0),
    (411, 0, 0, 6, 0, 0, 0),
    (455, 1, 0, 6, 0, 0, 0),  # D's lodger
    (481, 0, 0, 9, 0, 0, 0),  # six riders, two lodgers, and at the first bell of juniors A's who walks
    (500, 0, 0, 12, 0, 0, 0),  # and at that of primary grades A's other three
    (713, 0, 0, 12, 2, 0, 0),  # the first two of the first sitting, at the hall since this very minute
    (714, 0, 0, 12, 1, 5, 0),  # one is just there, five sit
    (720, 0, 0, 12, 0, 6, 0),  # noon
    (1005, 0, 0, 9, 0, 0, 0),  # A's three of primary grades left at 16:30
    (1021, 0, 6, 2, 0, 0, 0),  # A's junior at 17:00, the riders on the bus
    (1060, 0, 0, 2, 0, 2, 0),  # dinner of the lodgers
    (1290, 0, 0, 0, 0, 0, 2),  # lights out
]
STATES = ("waiting", "aboard", "school", "line", "eating", "bed")


def test_the_bus_is_where_it_was_at_every_minute_known_by_heart(monday: Path) -> None:
    """D to B is driven from 6:28.55 to 6:40.55, B to the school from 6:41 to 6:50, home again from 17:00.67."""
    shared, day = embedded(monday)
    (bus,) = day["buses"]
    spot = {
        one["name"].partition("·")[0].strip(): (one["x"], one["y"]) for one in shared["hamlets"] + shared["schools"]
    }
    d, b, c = (np.array(spot[name]) for name in ("丁村", "乙村", "三村中心学校"))
    for minute, where in [
        (388.3, d), (394.55, (d + b) / 2), (400.8, b), (405.5, (b + c) / 2), (410.3, c),
        (1020.3, c), (1025.17, (c + b) / 2), (1036.12, (b + d) / 2), (1042.3, d), (1051.57, (d + b) / 2),
    ]:  # fmt: skip
        assert place(bus, minute) == pytest.approx(tuple(where), abs=0.15), minute  # km
    assert place(bus, 360) is place(bus, 700) is place(bus, 1100) is None


def test_its_load_after_every_stop_is_known_by_heart(monday: Path) -> None:
    (bus,) = embedded(monday)[1]["buses"]
    assert [value(bus["load"], minute) for minute, _ in LOADS] == [load for _, load in LOADS]
    assert bus["seats"] == 17


def test_the_county_is_counted_as_by_heart_at_noon_and_at_other_minutes(monday: Path) -> None:
    county = embedded(monday)[1]["county"]
    for minute, *counts in COUNTS:
        assert [value(county[state], minute) for state in STATES] == counts, minute
    assert county["left"] == []


def test_a_school_and_the_hamlets_share_the_countys_counts(monday: Path) -> None:
    shared, day = embedded(monday)
    (school,) = day["schools"]
    assert shared["schools"][school["place"]]["name"].startswith("三村中心学校")
    for state in ("school", "line", "eating", "bed"):
        assert school[state] == day["county"][state]
    for minute, *counts in COUNTS:
        for state, count in zip(STATES, counts, strict=True):
            if state in day["hamlets"][0]:
                assert sum(value(hamlet[state], minute) for hamlet in day["hamlets"]) == count
    by_name = {shared["hamlets"][hamlet["place"]]["name"].partition(" ")[0]: hamlet for hamlet in day["hamlets"]}
    assert value(by_name["丁村"]["waiting"], 385) == 3
    assert value(by_name["乙村"]["aboard"], 389) == 0


def test_the_worst_minute_is_that_of_the_longest_line(monday: Path) -> None:
    """Nobody is left behind, so it is the first minute at which two stand at the window: 11:53."""
    worst = embedded(monday)[1]["worst"]
    assert worst["minute"] == 713
    assert "11:53" in worst["text"]
    assert " 2 " in worst["text"]


def raw(run: Path, name: str) -> pd.DataFrame:
    """Return the events of a day as they lie in the run's folder."""
    return pd.read_parquet(run / "events" / f"{name}.parquet")


@pytest.mark.parametrize("k", range(len(KEPT)))
def test_every_count_of_the_county_is_that_of_the_events_file(monday: Path, k: int) -> None:
    """The days of week 18 have a closed road, absent crews and pupils who stay for the night."""
    events, day = raw(monday, KEPT[k]), embedded(monday, k)[1]
    told = {event: rows.set_index("who")["minute"] for event, rows in events.groupby("event")}
    none = pd.Series(dtype=float)
    for minute in range(day["first"], day["last"] + 1, 7):

        def since(event: str, minute: int = minute) -> int:
            return int((told.get(event, none) <= minute + 1e-6).sum())

        def between(begin: str, end: str) -> int:
            return since(begin) - since(end)

        aboard = between("embarked_in", "alighted_in") + between("embarked_out", "alighted_out")
        meals = ("breakfast", "lunch", "dinner")
        assert value(day["county"]["aboard"], minute) == aboard, minute
        assert value(day["county"]["eating"], minute) == sum(between(f"seated_{m}", f"left_{m}") for m in meals), minute
        assert value(day["county"]["bed"], minute) == since("to_bed"), minute
        if "short_lunch" not in told:
            assert value(day["county"]["line"], minute) == sum(between(f"queued_{m}", f"seated_{m}") for m in meals)


@pytest.mark.parametrize("k", range(len(KEPT)))
def test_the_loads_of_the_buses_are_those_of_the_events_file(monday: Path, k: int) -> None:
    events, day = raw(monday, KEPT[k]), embedded(monday, k)[1]
    loads = events[events["event"] == "load"]
    ends = {who.partition("@")[0]: minute for who, minute in zip(loads["who"], loads["minute"], strict=True)}
    found = 0
    for who, minute, pupils in zip(loads["who"], loads["minute"], loads["value"], strict=True):
        buses = [bus for bus in day["buses"] if who.partition("@")[0] in {run["name"] for run in bus["runs"]}]
        if minute < ends[who.partition("@")[0]] or "-in-" in who:
            assert value(buses[0]["load"], minute) == pupils, who
            found += 1
    assert found or loads.empty


def test_what_went_wrong_is_told(monday: Path) -> None:
    """On the Tuesday of the stressed week road e3 is closed, so no bus reaches D, and some crews are absent."""
    events, day = raw(monday, "2023-18-2"), embedded(monday, KEPT.index("2023-18-2"))[1]
    left = events[events["event"].isin(["left_in", "left_out"])]
    cancelled = events[events["event"] == "cancelled"]
    assert len(left)
    assert max(day["county"]["left"][1::2]) > 0
    assert len(day["cancelled"]) == len(cancelled)
    told = {run["name"] for bus in day["buses"] for run in bus["runs"] if "cancelled" in run}
    assert told == set(cancelled["who"])


def test_who_a_pupil_is_is_read_from_the_number_as_it_is_made() -> None:
    """The one thing that the page takes from a name: year of entry, hence grade and school."""
    number = pupil_owners(owners(["A"]), np.array([2019]), np.array([1]), np.array([3]))[0]
    assert ((int(number) & _LOW) >> _COHORT_BIT) + _COHORT_ZERO == 2019


def test_a_bus_stands_still_while_it_is_broken_down() -> None:
    """Ten km in 20 minutes, of which it stands 10 after the first quarter of the way."""
    fleet = Fleet.__new__(Fleet)
    fleet.roads = SimpleNamespace(way=lambda start, end: np.array([[0.0, 0.0, 0.0], [1.0, 10.0, 0.0]]))  # type: ignore[assignment]
    minute, x, _ = fleet._drawn((0, 1, 100.0, 120.0), [(102.5, 112.5)]).T
    assert np.interp([102.5, 107.0, 112.5, 120.0], minute, x) == pytest.approx([2.5, 2.5, 2.5, 10.0])


def test_a_bus_that_calls_at_two_schools_is_told_at_both_gates(tmp_path: Path, root: Path) -> None:
    """As planned in `test_mixed_loads`: one of C and three of T at D, two of C at B; T's get off, then C's."""
    words = ("fleet.family_share=0", "lodge.primary_share=0", "lodge.junior_share=0", "report.audience=internal")
    settings = load([*MIXED, *QUIET, *words])
    job = planned_in(two_schools(settings), settings)
    scene, diary, _ = lived(job)
    folder = RunFolder(tmp_path)
    shutil.copytree(root / "configs" / "county" / "three_villages", tmp_path / "inputs")
    folder.write_yaml("config.yaml", settings.model_dump(mode="json"))
    folder.write_table("runs", plan_tables(settings, job.county, job.plan)["runs"].assign(scenario="base"))
    folder.write_table("events/2023-4-1.parquet", diary.events(0, event_names(scene)))
    pupils, hamlets, schools = scene.pupils, np.array(job.county.hamlets.id), np.array(job.county.schools.id)
    ids = {"hamlet_id": hamlets[pupils.hamlet], "school_id": schools[pupils.school], "grade": pupils.grade}
    rows = pd.DataFrame(ids).groupby(list(ids), as_index=False).size().rename(columns={"size": "pupils"})
    folder.write_table("enrolment", rows.assign(scenario="base", replication=0, year=2023, sex="f"))
    (day,) = kept_days(Run(tmp_path))
    runs = {run[0].run_id: run for run in Fleet(Crowd(day), Roads(Run(tmp_path))).runs}
    assert [row.load for row in runs["C-in-01"]] == [1, 4, 6, 3, 0]
    assert [row.load for row in runs["C-out-01"]] == [3, 6, 4, 1, 0]
    assert not np.isnan([[row.arrived, row.departed] for run in runs.values() for row in run]).any()


def test_a_public_page_holds_no_group_of_one_to_four_and_no_pupil(monday: Path, public: Path) -> None:
    shared, day = embedded(public)
    assert shared["public"]
    assert day["hamlets"] == []  # four pupils each
    (bus,), (school,) = day["buses"], day["schools"]
    assert bus["load"][1::2] == [FEW, 5, 0, FEW, FEW, 0, 5, FEW, 0]  # 3 6 0, 1 2 0, 6 3 0
    loads = [load for run in bus["runs"] for stop in run["stops"] for load in stop[3:]]
    counts = [
        number for group in (day["county"], school) for name in STATES if name in group for number in group[name][1::2]
    ]
    assert all(number in (0, FEW) or number % 5 == 0 for number in [*loads, *counts] if number is not None)
    assert "&lt;5" in (public / "replay.html").read_text(encoding="utf-8")
    for run in (monday, public):
        page = (run / "replay.html").read_text(encoding="utf-8")
        assert not re.search(r"\b[ABD]/\d{6,}", page)
    assert "<5" in day["worst"]["text"]


def test_an_internal_page_is_marked_and_a_synthetic_county_says_so(monday: Path, public: Path) -> None:
    texts = [(run / "replay.html").read_text(encoding="utf-8") for run in (monday, public)]
    mark, caution = (escape(Words("en")(key)) for key in ("internal_mark", "caution"))
    assert [mark in text for text in texts] == [True, False]
    assert all(caution in text for text in texts)
    assert "Monday of school week 4, school year 2023/2024" in texts[0]
    assert "replication 1 of 1, seed 20230901" in texts[0]
    assert caution not in rendered(Run(public), made_up=False)


def rendered(run: Run, made_up: bool = True) -> str:
    page = replay_page(run, made_up)
    assert page is not None
    return page.read_text(encoding="utf-8")


def test_the_report_leads_to_the_replay_and_without_a_kept_day_there_is_none(monday: Path, tmp_path: Path) -> None:
    assert 'href="replay.html"' in (monday / "report.html").read_text(encoding="utf-8")
    run = tmp_path / "base"
    shutil.copytree(monday, run, ignore=shutil.ignore_patterns("events", "replay.html"))
    assert replay_page(Run(run), made_up=True) is None
    assert not (run / "replay.html").exists()


def test_what_no_price_changes_is_left_as_it_lies(monday: Path, tmp_path: Path) -> None:
    run = tmp_path / "base"
    shutil.copytree(monday, run)
    (run / "replay.html").write_text("as it lies", encoding="utf-8")
    replay_page(Run(run), made_up=True, redraw=False)
    assert (run / "replay.html").read_text(encoding="utf-8") == "as it lies"


def test_days_that_find_no_room_are_named(monday: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.tell.replay.MOST_BYTES", 0)
    run = tmp_path / "base"
    shutil.copytree(monday, run)
    page = rendered(Run(run))
    assert page.count('class="day"') == 1  # one day is told in any case
    assert "find no room on this page: Tuesday of school week 18" in page


HOSTILE = "</script><script>alert(1)</script>"


def spoilt(run: Path, to: Path) -> Path:
    """Return a copy of a run whose school and hamlet have hostile names."""
    shutil.copytree(run, to)
    for table in ("schools", "hamlets", "zones"):
        rows = pd.read_csv(to / "inputs" / f"{table}.csv", dtype=str, keep_default_na=False)
        rows["name_zh"] = HOSTILE
        rows.to_csv(to / "inputs" / f"{table}.csv", index=False)
    rendered(Run(to))
    return to


def test_names_that_look_like_code_are_data(monday: Path, tmp_path: Path) -> None:
    run = spoilt(monday, tmp_path / "base")
    assert HOSTILE not in (run / "replay.html").read_text(encoding="utf-8")
    assert embedded(run)[0]["hamlets"][0]["short"] == HOSTILE


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_that_the_script_says_is_in_the_glossary(language: str) -> None:
    script = (HERE / "replay.js").read_text(encoding="utf-8")
    said = set(re.findall(r"words\.(\w+)", script)) | {"waiting", "aboard", "left", "school", "line", "eating", "bed"}
    said |= {"in", "out", "cancelled", "broke_down", "second_left", "speed", "time", "buses", "schools", "hamlets"}
    known = {key.removeprefix(SPOKEN) for key in glossary() if key.startswith(SPOKEN)}
    assert said == known
    assert language in LANGUAGES


# --- In a browser


class Opened:
    """A replay in Chromium; `open_page` fails the test if it complains or asks for anything outside itself."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def text(self, name: str) -> str:
        return self.page.locator(f"#{name}").inner_text()

    def does(self, script: str) -> Any:
        return self.page.evaluate(script)

    def bus(self) -> list[float] | None:
        return self.does("whereIs(day.buses[0])")


@pytest.mark.browser
def test_the_page_plays_jumps_and_follows(monday: Path, open_page: Callable[..., Any]) -> None:
    opened = Opened(open_page(monday / PAGE))
    opened.does("goTo(390)")
    before = opened.bus()
    opened.page.keyboard.press("Space")
    opened.page.wait_for_function("state.minute > 392")
    assert opened.bus() != before
    opened.page.keyboard.press("Space")
    stands = opened.does("state.minute")
    opened.page.wait_for_timeout(100)
    assert opened.does("state.minute") == stands

    opened.page.click("#worst")
    assert opened.text("clock") == "11:53"
    assert opened.text("count-line").endswith("2")

    for minute, *counts in COUNTS:
        opened.does(f"goTo({minute})")
        shown = [int(opened.text(f"count-{state}").split()[-1]) for state in STATES]
        assert shown == counts, minute

    opened.does("goTo(402)")
    opened.page.select_option("#follow", "buses 0")
    told = opened.text("told")
    assert "6 aboard, 17 seats" in told
    assert "6:41" in told
    assert re.search(r"乙村\s+6:41\s+6:41\s+6 / 6", told)
    hamlet = opened.does("day.hamlets.findIndex((one) => shared.hamlets[one.place].short === '丁村')")
    opened.page.select_option("#follow", f"hamlets {hamlet}")
    assert re.search(r"aboard buses\s+3", opened.text("told"))


@pytest.mark.browser
def test_the_page_of_several_days_lets_the_reader_choose(monday: Path, open_page: Callable[..., Any]) -> None:
    opened = Opened(open_page(monday / PAGE))
    assert opened.page.locator("#day option").count() == len(KEPT)
    opened.page.select_option("#day", "1")
    opened.does("goTo(day.last)")
    bed = value(embedded(monday, 1)[1]["county"]["bed"], 2000)
    assert opened.text("count-bed").split()[-1] == str(bed)


@pytest.mark.browser
def test_hostile_names_are_shown_as_text(monday: Path, tmp_path: Path, open_page: Callable[..., Any]) -> None:
    opened = Opened(open_page(spoilt(monday, tmp_path / "base") / PAGE))
    opened.page.select_option("#follow", "hamlets 0")
    assert HOSTILE in opened.text("told")
    assert opened.page.locator("script").count() == 3 + len(KEPT)


@pytest.mark.browser
def test_a_public_chinese_page_fits_a_small_screen_and_hides_small_groups(
    monday: Path, tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    opened = Opened(open_page(copied(monday, tmp_path / "base", audience="public", language="zh") / PAGE))
    opened.does("goTo(390)")
    assert opened.text("count-aboard").endswith("<5")
    assert "最紧张时刻" in opened.text("why")
    assert opened.does("document.documentElement.scrollWidth <= innerWidth")
    for name in ("view", "play", "time", "worst", "chart", "follow", "why"):
        box = opened.page.locator(f"#{name}").bounding_box()
        assert box["y"] + box["height"] <= 768, name
