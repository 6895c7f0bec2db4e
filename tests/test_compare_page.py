"""The page of a sweep: what it carries, what it hides, and that a reader's choices tell what the files tell."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sample_run import SCHOOLS, sample_run
from scipy import stats

from sim.judge.compare import LIVED, compare, headline_table
from sim.judge.paired import holm, paired
from sim.measure.annual import HOW
from sim.store import RunFolder
from sim.tell.by_school import averaged
from sim.tell.cells import hidden
from sim.tell.number import span
from sim.tell.page import comparison
from sim.tell.pairs import HIDDEN, Pairs, packed
from sim.tell.sweep import Sweep
from sim.tell.words import Words

if TYPE_CHECKING:
    from playwright.sync_api import Page

Opener = Callable[..., "Page"]
MOST_BYTES = 8_000_000
EVIL = "<script>alert(1)</script>"
SETTINGS = ((0.8, 1.0), (0.8, 1.2), (1.0, 1.0), (1.0, 1.2))
SOME = ("late_pupils", "ride_min_p95")
RIDERS = 40.0
YEARS, REPLICATIONS = 2, 5


def sweep_of(
    folder: Path, *overrides: str, replications: int = REPLICATIONS, few: dict[str, float] | None = None, **names: Any
) -> Path:
    """Write a sweep of buses and beds whose numbers by school differ from scenario to scenario.

    `few`: what each school has of late pupils in every replication, instead of what is made up.
    """
    folders = []
    for scale, beds in SETTINGS:
        name = f"fleet.scale={scale},lodge.beds_scale={beds}"
        chosen = (f"fleet.scale={scale}", f"lodge.beds_scale={beds}", *overrides)
        run = sample_run(
            folder / name,
            *chosen,
            scenario=f"'{name}'",
            years=YEARS,
            replications=replications,
            harm=2 - scale,
            **names,
        )
        live(RunFolder(run), scale, beds, few or {})
        folders.append(run)
    RunFolder(folder).write_table("summary", compare(folders))
    return folder


def live(run: RunFolder, scale: float, beds: float, few: dict[str, float]) -> None:
    """Add to a made-up run what schools live, who their pupils are, and its headlines."""
    annual = run.read_table("annual").assign(scenario=run.path.name)
    luck, lived = np.random.default_rng(7), annual[["scenario", "replication", "year"]].drop_duplicates()
    schools = lived.merge(pd.DataFrame({"site_id": ["S1", "S2", "S3"], "base": [80.0, 60.0, 300.0]}), how="cross")
    late = schools["site_id"].map(few).fillna(schools["base"] / scale * (1 + 0.2 * luck.random(len(schools))))
    ride = 30 / beds + luck.random(len(schools)) + schools["year"] % 2
    parts = [schools.assign(measure=name, value=value) for name, value in zip(SOME, (late, ride), strict=True)]
    parts = [part[~((part["site_id"] == "S3") & (part["measure"] == "ride_min_p95"))] for part in parts]
    keys = ["scenario", "replication", "year", "measure"]
    totals = [part.groupby(keys, as_index=False)["value"].sum().assign(site_id="county") for part in parts]
    rest = annual[~annual["measure"].isin(SOME)]
    run.write_table("annual", pd.concat([rest, *parts, *totals]).drop(columns="base"))
    there = run.read_table("resources")
    seats = lived.merge(pd.DataFrame({"site_id": ["S1", "S2", "S3"], "resource": "bus_seat"}), how="cross")
    run.write_table("resources", pd.concat([there, seats.assign(demand_peak=RIDERS, unit="seat")]))
    run.write_table("headlines", headline_table(run.path))


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = sweep_of(tmp_path_factory.mktemp("sweep") / "study", "report.audience=internal")
    comparison(folder)
    return folder


def from_files(folder: Path, scenario: int, measure: str) -> pd.DataFrame:
    """Return a measure of each school in the mean of a year, by replication, read from a scenario's tables."""
    run = folder / list(Sweep(folder).scenarios)[scenario]
    if measure == "severity":
        rows = pd.read_parquet(run / "harm.parquet")
        return rows.pivot_table(index="site_id", columns="replication", values="severity", aggfunc="sum") / YEARS
    rows = pd.read_parquet(run / "annual.parquet")
    rows = rows[(rows["measure"] == measure) & (rows["site_id"] != "county")]
    return rows.pivot_table(index="site_id", columns="replication", values="value", aggfunc="mean")


def carried(folder: Path, measure: str) -> tuple[list[str], np.ndarray]:
    """Return names of schools and what the page carries of a measure: scenario, school, replication; -1: hidden."""
    told = json.loads(json.dumps(Pairs(Sweep(folder)).told, allow_nan=False))
    table = told["by_school"][measure]
    rows = np.frombuffer(base64.b64decode(table["rows"]), "<f4").reshape(-1, told["replications"])
    at = np.frombuffer(base64.b64decode(table["at"]), "<u2").reshape(len(told["scenarios"]), -1)
    values = np.where((at == HIDDEN)[:, :, None], -1.0, rows[np.where(at == HIDDEN, 0, at)])
    return [told["schools"][site] for site in table["sites"]], values


def test_what_is_a_mean_of_days_is_known_as_such() -> None:
    assert [name for name in LIVED if averaged(name)] == [name for name in LIVED if HOW[name] != "total"]


@pytest.mark.parametrize("measure", ["severity", *SOME])
def test_the_page_carries_what_the_files_say_of_each_school(sweep: Path, measure: str) -> None:
    names, values = carried(sweep, measure)
    for scenario in range(len(SETTINGS)):
        wanted = from_files(sweep, scenario, measure)
        assert names == [SCHOOLS[site][1] or SCHOOLS[site][0] for site in wanted.index]
        assert values[scenario] == pytest.approx(wanted.to_numpy(), rel=1e-6)


def test_the_county_is_told_by_replication_as_in_the_summary(sweep: Path) -> None:
    told, summary = Pairs(Sweep(sweep)).told, RunFolder(sweep).read_table("summary")
    means = summary[summary["measure"] == "severity"]
    county = np.array(told["county"]["severity"])
    assert county.mean(axis=1) == pytest.approx(means["mean"].to_numpy())
    difference = paired(county[[3]], county[[0]]).iloc[0]
    assert difference["diff_low"] == pytest.approx(means["diff_low"].iloc[3])
    assert told["points"]["severity"]["low"] == pytest.approx(means["low"].tolist())


def test_every_different_row_is_carried_once() -> None:
    values = np.array([[[1.0, 2.0], [np.nan, 3.0]], [[1.0, 2.0], [4.0, 3.0]]])
    told = packed(values, np.array([[False, False], [False, True]]))
    rows = np.frombuffer(base64.b64decode(told["rows"]), "<f4").reshape(-1, 2)
    at = np.frombuffer(base64.b64decode(told["at"]), "<u2")
    assert len(rows) == 3  # one of them stands for what is hidden: no number at all
    assert at[0] == at[2]
    assert at[3] == HIDDEN
    assert not (rows == 4.0).any()
    np.testing.assert_array_equal(rows[at[1]], [np.nan, 3.0])


def test_a_scenario_whose_folder_tells_other_numbers_is_no_part_of_a_pair(tmp_path: Path) -> None:
    """Lived again with other settings, a run lies beside the first one: it is found there by its numbers."""
    folder = sweep_of(tmp_path / "study")
    names = Sweep(folder).scenarios
    again = folder / f"{names[1]}-0a1b2c"
    (folder / names[1]).rename(again)
    sample_run(folder / names[1], scenario=f"'{names[1]}'", years=1, replications=2)
    (folder / names[2] / "headlines.parquet").unlink()
    (folder / names[3] / "manifest.json").write_text("{}")
    pairs = Pairs(Sweep(folder))
    assert list(pairs.runs) == names[:2]
    assert pairs.runs[names[1]].run.path == again
    assert pairs.missing == [pairs.sweep.labels[name] for name in names[2:]]
    page = comparison(folder).read_text(encoding="utf-8")
    assert Words("en")("pairs.missing", scenarios="; ".join(pairs.missing)) in page.replace(", fleet", "; fleet")


# --- What a public page does not tell


def test_a_group_of_one_to_four_is_hidden_and_none_gives_it_away(tmp_path: Path) -> None:
    """S1 counts 3: it is hidden, and so is S2, the next smallest, as the county's total is told."""
    folder = sweep_of(tmp_path / "study", few={"S1": 3.0, "S2": 7.0})
    names, values = carried(folder, "late_pupils")
    assert names == ["First Central Primary", "First Junior", "二乡九年制学校"]
    assert (values[:, :2] == -1).all()
    assert (values[:, 2] > 5).all()
    text = base64.b64decode(Pairs(Sweep(folder)).told["by_school"]["late_pupils"]["rows"])
    assert not np.isin(np.frombuffer(text, "<f4"), [3.0, 7.0]).any()


def test_what_few_pupils_live_is_hidden_however_often(tmp_path: Path) -> None:
    """Three riders of S3 are late on many days: neither that nor the length of their ride is told."""
    folder = sweep_of(tmp_path / "study")
    run = RunFolder(folder / Sweep(folder).scenarios[0])
    there = run.read_table("resources")
    bus = (there["site_id"] == "S3") & (there["resource"] == "bus_seat")
    run.write_table("resources", there.assign(demand_peak=there["demand_peak"].mask(bus, 3.0)))
    _, values = carried(folder, "late_pupils")
    assert (values[0, 1:] == -1).all()  # S3, and S2 so that the county's total does not tell it
    assert (values[0, 0] != -1).all()
    assert (values[1:] != -1).all()


def test_an_empty_cell_is_hidden_beside_a_few_where_nothing_else_is_left() -> None:
    assert hidden([240.0, 0.0, 0.0], True, few=[True, False, False]) == [True, True, False]
    assert hidden([240.0, 0.0, 90.0], True, few=[True, False, False]) == [True, False, True]
    assert hidden([240.0, 0.0, 90.0], False, few=[True, False, False]) == [False] * 3
    assert hidden([3.0, 0.0], True) == [True, False]


def test_a_small_number_of_the_county_is_no_part_of_points_or_pairs(tmp_path: Path) -> None:
    folder = sweep_of(tmp_path / "study", few={"S1": 0.0, "S2": 0.0, "S3": 4.0})
    told = Pairs(Sweep(folder)).told
    assert told["points"]["late_pupils"] == {end: [None] * 4 for end in ("mean", "low", "high")}
    assert told["county"]["late_pupils"] == [None] * 4


def test_no_difference_tells_a_hidden_first_scenario(tmp_path: Path) -> None:
    """The first scenario counts 3 late pupils, the second 40: their difference of 37 would tell the 3."""
    folder = sweep_of(tmp_path / "study")
    summary = RunFolder(folder).read_table("summary")
    late = summary["measure"] == "late_pupils"
    mean = summary["mean"].mask(late, 40.0).mask(late & (summary["scenario"] == summary["scenario"][0]), 3.0)
    RunFolder(folder).write_table("summary", summary.assign(mean=mean, diff_mean=summary["diff_mean"].mask(late, 37.0)))
    told = Sweep(folder)
    rows = [row for row in told.full_table().rows if str(row[0]) == Words("en").term("measure", "late_pupils")]
    assert [str(row[3]) for row in rows] == ["*"] * 4
    column = [head.startswith("late") for head in told.main_table().head].index(True)
    assert not any("Δ" in str(row[column]) for row in told.main_table().rows)


def test_sums_of_money_are_carried_to_ten_thousand_yuan(tmp_path: Path) -> None:
    told = Pairs(Sweep(sweep_of(tmp_path / "study"))).told
    for value in [*told["points"]["cost_yuan_per_year"]["mean"], *told["county"]["cost_yuan_per_year"][0]]:
        assert value * 100 == pytest.approx(round(value * 100), abs=1e-6)  # million yuan


# --- In the browser


def state(page: Page, chart: str) -> list[dict[str, Any]]:
    """Return the traces that a chart shows."""
    wanted = "({name, x, y, customdata, text}) => ({name, x, y, customdata, text})"
    return page.evaluate(f"document.getElementById('{chart}').data.map({wanted})")


def table(page: Page, name: str) -> list[list[str]]:
    return page.eval_on_selector_all(
        f"#{name} tr", "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    )


def opened(open_page: Opener, folder: Path) -> Page:
    page = open_page(folder / "compare.html")
    page.set_default_timeout(10_000)
    page.wait_for_function("document.querySelectorAll('#schools tr').length > 0 || !document.getElementById('a')")
    page.wait_for_function("performance.getEntriesByName('first chart').length")
    return page


@pytest.mark.browser
def test_choosing_measures_changes_axes_and_points(sweep: Path, open_page: Opener) -> None:
    page, summary = opened(open_page, sweep), RunFolder(sweep).read_table("summary")
    means = summary.pivot(index="measure", columns="scenario", values="mean")[Sweep(sweep).scenarios]
    for y, x in (("severity", "cost_yuan_per_year"), ("ride_min_p95", "late_pupils")):
        page.select_option("#y", y)
        page.select_option("#x", x)
        points = {
            place: at
            for part in state(page, "points")[:2]
            for place, *at in zip(part["customdata"], part["x"], part["y"], strict=True)
        }
        scale = 1e6 if x.startswith("cost") else 1
        assert points == {
            place: pytest.approx([means.loc[x].iloc[place] / scale, means.loc[y].iloc[place]]) for place in range(4)
        }
        title = page.evaluate("document.getElementById('points').layout.yaxis.title.text")
        assert title == Words("en").term("measure", y)


@pytest.mark.browser
def test_scenarios_with_less_of_both_are_marked_and_a_filter_leaves_some_out(sweep: Path, open_page: Opener) -> None:
    """Late pupils fall with buses, rides with beds: only most of both has less of both than the others."""
    page = opened(open_page, sweep)
    page.select_option("#y", "ride_min_p95")
    page.select_option("#x", "late_pupils")
    others, front, first = state(page, "points")
    assert front["customdata"] == [3]
    assert sorted(others["customdata"]) == [0, 1, 2]
    assert [first["x"][0], first["y"][0]] == [others["x"][0], others["y"][0]]
    page.locator(".filter").nth(1).uncheck()  # fleet.scale 1.0
    others, front, _ = state(page, "points")
    assert (front["customdata"], others["customdata"]) == ([1], [0])


@pytest.mark.browser
def test_two_scenarios_show_the_paired_differences_that_the_files_tell(sweep: Path, open_page: Opener) -> None:
    page, (a, b) = opened(open_page, sweep), (1, 2)
    page.select_option("#a", str(a))
    page.select_option("#b", str(b))
    summary = compare([sweep / Sweep(sweep).scenarios[place] for place in (a, b)]).groupby("measure").nth(1)
    for measure in ("severity", *SOME):
        page.select_option("#measure", measure)
        first, second = (from_files(sweep, place, measure) for place in (a, b))
        wanted = paired(second.to_numpy(), first.to_numpy()).set_index(first.index)
        clear = holm(wanted["p_value"]) < 0.05
        order = wanted["diff_mean"].abs().sort_values(ascending=False).index
        head, county, *rows = table(page, "schools")
        assert head[1:3] == ["A", "B"]
        told = {site: span(*wanted.loc[site, ["diff_mean", "diff_low", "diff_high"]]) for site in order}
        assert [row[3] for row in rows] == [told[site] + "★" * bool(clear[site]) for site in order]
        assert [row[0] for row in rows] == [SCHOOLS[site][1] or SCHOOLS[site][0] for site in order]
        whole = summary[summary["measure"] == measure].iloc[0]
        assert county[3] == span(whole["diff_mean"], whole["diff_low"], whole["diff_high"])
        dots = [x for part in state(page, "differences") for x in part["x"]]
        assert sorted(dots) == pytest.approx(sorted(wanted["diff_mean"]), rel=1e-5)


@pytest.mark.browser
def test_clicked_points_are_the_pair_in_turn(sweep: Path, open_page: Opener) -> None:
    page = opened(open_page, sweep)
    for place in (3, 2):
        page.evaluate(f"document.getElementById('points').emit('plotly_click', {{points: [{{customdata: {place}}}]}})")
    assert (page.input_value("#a"), page.input_value("#b")) == ("3", "2")
    letters = page.evaluate("document.getElementById('points').layout.annotations.map(note => note.text)")
    assert letters == ["<b>A</b>", "<b>B</b>"]


@pytest.mark.browser
def test_the_chances_of_student_and_holm_are_those_of_scipy(root: Path, tmp_path: Path, open_page: Opener) -> None:
    """Clear or not is asked at many degrees of freedom: odd, even, one and two."""
    script = (root / "sim" / "tell" / "compare.js").read_text(encoding="utf-8")
    functions = re.findall(r"  function (?:beyond|holm)\(.*?\n  }\n", script, flags=re.DOTALL)
    (tmp_path / "empty.html").write_text('<link rel="icon" href="data:,">', encoding="utf-8")
    page = open_page(tmp_path / "empty.html")
    for score, freedom in ((0.0, 1), (3.0, 1), (2.5, 2), (4.2, 3), (2.1, 9), (3.7, 10), (1.0, 99), (2.0, 100)):
        told = page.evaluate(f"(() => {{ {functions[0]} return beyond({score}, {freedom}); }})()")
        assert told == pytest.approx(2 * stats.t.sf(score, freedom), abs=1e-12)
    p_values = [0.01, 0.04, None, 0.03, 0.2]
    told = page.evaluate(
        f"values => {{ {functions[1]} return holm(values.map(v => v === null ? NaN : v)); }}", p_values
    )
    assert told == pytest.approx(holm(pd.Series(p_values, dtype=float)).tolist(), nan_ok=True)


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_names_of_scenarios_and_schools_are_shown_as_text(tmp_path: Path, open_page: Opener, language: str) -> None:
    """One replication: no intervals, and the page says so. A public page, a school and scenarios with evil names."""
    names = {"S1": EVIL, "S2": '=HYPERLINK("http://x")'}
    folder = sweep_of(tmp_path / "study", f"report.language={language}", replications=1, names=names)
    summary = RunFolder(folder).read_table("summary")
    told = summary["scenario"].where(summary["scenario"] != summary["scenario"].iloc[-1], EVIL)
    RunFolder(folder).write_table("summary", summary.assign(scenario=told))
    page = opened(open_page, comparison(folder).parent)
    assert page.locator("#a option").count() == 3  # that of the evil name has no folder
    assert EVIL in page.locator(".choose").inner_text()
    page.select_option("#b", "2")
    schools = [row[0] for row in table(page, "schools")]
    assert (EVIL in schools) == (language == "zh")
    assert Words(language)("pairs.one") in page.inner_text("#notes")
    shown = page.locator("#points").inner_html() + page.locator("#differences").inner_html()
    assert "<script>alert" not in shown
    page.locator("#points").hover(position={"x": 300, "y": 200})


@pytest.mark.browser
def test_without_scripts_the_tables_and_the_drawing_are_there(sweep: Path, open_page: Opener) -> None:
    page = open_page(sweep / "compare.html", java_script_enabled=False)
    assert not page.locator(".choose").is_visible()
    assert page.locator("figure svg").is_visible()
    assert page.get_by_text("Every measure of every scenario.").is_visible()
