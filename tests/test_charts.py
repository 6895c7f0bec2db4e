"""Charts of risk, harm, weeks and loads: what is drawn is what the files say, and no small group is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sample_run import sample_run
from scipy import stats

from sim.judge.spread_of import harm_drivers
from sim.measure.interval import jeffreys as judged
from sim.tell import heat, occupancy, risk_matrix, runs_map, spread
from sim.tell.figure import FIGURES
from sim.tell.run import Run
from sim.tell.style import styled
from sim.tell.tornado import tornado
from sim.tell.words import Words

YEARS, REPLICATIONS = 3, 4
CHARTS = ("fans", "risk_matrix", "heat", "tornado", "runs_map", "rides", "calendar")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_run(tmp_path_factory.mktemp("charts") / "base", years=YEARS, replications=REPLICATIONS)


def drawn(folder: Path, name: str) -> Figure:
    with styled(name):
        figure = FIGURES[name](Run(folder))
    assert figure is not None
    return figure


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def legends(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def shades(axes: Axes, rows: int, columns: int, first: float = 0.0) -> np.ndarray:
    """Return the shade of every cell of a heat map as drawn, -1 where there is none."""
    found = np.full((rows, columns), -1)
    for patch in axes.patches + axes.artists:
        kind, _, shade = (patch.get_gid() or "").partition("-")
        if kind == "shade":
            for corners in patch.get_path().vertices.reshape(-1, 5, 2):
                column, row = np.floor(corners.mean(axis=0) - (first, 0.0)).astype(int)
                found[row, column] = int(shade)
    return found


def rewrite(folder: Path, name: str, **columns: object) -> None:
    """Change columns of a table of a run."""
    path = folder / name
    frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    frame = frame.assign(**columns)
    frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path)


def test_fans_hold_the_replications_of_the_files(folder: Path) -> None:
    panels = {axes.get_title(loc="left"): axes for axes in drawn(folder, "fans").axes}
    assert set(panels) == {"Pupil-days harmed", "Cost of the year", "Left behind by the bus", "Buses needed"}
    annual = pd.read_parquet(folder / "annual.parquet")
    annual = annual[(annual["site_id"] == "county") & (annual["measure"] == "pupil_days_harmed")]
    wide = annual.pivot(index="year", columns="replication", values="value")
    axes = panels["Pupil-days harmed"]
    assert axes.lines[0].get_xdata() == pytest.approx([2023, 2024, 2025])
    assert axes.lines[0].get_ydata() == pytest.approx(wide.mean(axis=1))
    for band, inside in zip(axes.collections, (95, 80, 50), strict=True):
        corners = band.get_paths()[0].vertices
        for year in wide.index:
            ends = [corners[corners[:, 0] == year, 1].min(), corners[corners[:, 0] == year, 1].max()]
            assert ends == pytest.approx(np.percentile(wide.loc[year], [50 - inside / 2, 50 + inside / 2]))
    paid = pd.read_parquet(folder / "ledger.parquet").groupby(["replication", "year"])["amount_yuan"].sum()
    assert panels["Cost of the year"].lines[0].get_ydata() == pytest.approx(paid.groupby("year").mean() / 1e6)
    needed, owned = (line.get_ydata() for line in panels["Buses needed"].lines)
    assert list(needed) == [11.0] * YEARS
    assert list(owned) == [12.0] * YEARS


def test_a_chance_has_the_interval_that_the_judge_gives_it() -> None:
    hits = np.arange(11.0)
    low, high = judged(hits, np.full(11, 10.0))
    found = risk_matrix.jeffreys(hits / 10, 10)
    assert found[0] == pytest.approx(low)
    assert found[1] == pytest.approx(high)
    assert np.isnan(risk_matrix.jeffreys(np.array([1.0]), 1)).all()


def test_the_risk_matrix_puts_chance_against_weighted_harm(folder: Path) -> None:
    figure = drawn(folder, "risk_matrix")
    axes = figure.axes[0]
    points = {
        part.get_gid(): part.get_offsets() for part in axes.collections if len(part.get_offsets()) and part.get_gid()
    }
    harm = pd.read_parquet(folder / "harm.parquet").groupby(["site_id", "replication"])["severity"].sum() / YEARS
    mean = harm.groupby("site_id").mean()
    expected = {"bed": (mean["S2"], 1.0), "meal": (mean["S1"], 0.75), "ride": (mean["S3"], 0.25)}
    assert {kind: tuple(at[0]) for kind, at in points.items()} == {
        kind: pytest.approx(value) for kind, value in expected.items()
    }
    half = stats.t.ppf(0.975, REPLICATIONS - 1) * harm["S2"].std() / np.sqrt(REPLICATIONS)
    crosses = [path.vertices for part in axes.collections for path in part.get_paths() if len(path.vertices) == 2]
    assert any(corners[:, 0] == pytest.approx([mean["S2"] - half, mean["S2"] + half]) for corners in crosses)
    assert any(corners[:, 1] == pytest.approx([stats.beta.ppf(0.025, 4.5, 0.5), 1.0]) for corners in crosses)
    key = [text.get_text() for text in figure.axes[1].texts]
    assert key[1:4] == ["1", "First Junior", "girls' beds, 2023"]
    assert "bus seats, never" in key
    assert legends(figure) == ["on the way", "beds", "canteen"]


def test_the_risk_matrix_hides_groups_of_three(tmp_path: Path) -> None:
    kinds = {}
    for audience in ("public", "internal"):
        run = Run(sample_run(tmp_path / audience, f"report={audience}", girls=3))
        kinds[audience] = set(risk_matrix.risks(run)["kind"])
    assert kinds["internal"] - kinds["public"] == {"bed"}


def test_the_heat_map_is_as_dark_as_the_harm_and_names_what_is_short(folder: Path, tmp_path: Path) -> None:
    figure = drawn(folder, "heat")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "First Junior",
        "First Central Primary",
        "二乡九年制学校",
    ]
    steps = [3, 10, 30, 100, 300]  # severities are 450, 200 and 30
    assert shades(axes, 3, YEARS).tolist() == [[5] * YEARS, [4] * YEARS, [3] * YEARS]
    assert legends(figure)[:6] == ["<3", "3 – 10", "10 – 30", "30 – 100", "100 – 300", "≥300"]
    assert heat.steps_below(450.0) == steps
    assert texts(figure) == ["Bg"] * YEARS + ["Wi"] * YEARS + ["Se"] * YEARS
    few = sample_run(tmp_path / "few", girls=3)
    rewrite(
        few, "bottlenecks.csv", severity=lambda frame: frame["severity"].where(frame["resource"] != "bed_girls", 1.0)
    )
    rows = pd.read_csv(few / "bottlenecks.csv")
    rows.loc[len(rows)] = rows.iloc[1].to_dict() | {"year": 2024, "site_id": "S2"}
    rows[(rows["year"] == 2024) | (rows["site_id"] != "S1")].to_csv(few / "bottlenecks.csv", index=False)
    told = heat.cells(Run(few))
    assert told.severity.loc["S2"].isna().tolist() == [True, False, True]
    assert told.hidden.loc["S2"].tolist() == [True, False, True], "three girls"
    assert told.severity.loc["S1"].isna().tolist() == [True, False, True]
    assert not told.hidden.loc["S1"].any(), "nothing is short"


def test_schools_beyond_the_worst_are_summed_in_a_last_row(folder: Path) -> None:
    told = heat.cells(Run(folder), most=1)
    assert told.rest == 2
    assert told.severity.index.tolist() == ["S2", heat.REST]
    assert told.severity.loc[heat.REST].tolist() == [230.0] * YEARS
    assert told.resource.loc[heat.REST].tolist() == ["window"] * YEARS
    assert heat.cells(Run(folder), most=2).rest == 0, "one school is no sum"


def test_the_share_over_a_limit_stands_at_it(folder: Path) -> None:
    axes = drawn(folder, "rides").axes[3]  # door to school, grades 1-3: limit 30 min
    bins = pd.read_parquet(folder / "spread.parquet")
    bins = bins[(bins["measure"] == "door_to_school_min") & (bins["grade_band"] == "1-3")]
    share = bins.loc[bins["low"] >= 30, "count"].sum() / bins["count"].sum()
    (note,) = axes.texts
    assert note.get_text().startswith(f"{100 * share:.1f}% over\n30 min")
    assert note.xy[0] == axes.lines[0].get_xdata()[0] == 30.0
    by_bin = bins[bins["low"] >= 30].groupby("low")["count"].sum()
    shown = by_bin[by_bin >= 5 * YEARS * REPLICATIONS * 195]  # five pupils of each school day
    heights = {bar.get_x(): bar.get_height() for bar in axes.patches if bar.get_x() >= 30}
    assert heights == pytest.approx((100 * shown / bins["count"].sum()).to_dict())


def test_a_ride_alone_is_held_against_the_standard_it_is_judged_by(folder: Path) -> None:
    run = Run(folder)
    assert spread.limit_min(run, "ride_min", "1-3") is None
    assert spread.judged_min(run, "ride_min", "1-3") == run.settings.limits["ride"].value
    young, all_grades = (run.settings.limits[name].value for name in ("journey_young", "journey"))
    assert spread.judged_min(run, "door_to_school_min", "1-3") == young
    assert spread.judged_min(run, "door_to_school_min", "7-9") == all_grades


def weekly_harm(folder: Path) -> pd.Series:
    """Return the weighted harm of each (year, replication, week): left behind and not fetched, times 1."""
    rows = pd.read_parquet(folder / "measures.parquet")
    rows = rows[(rows["site_id"] == "county") & (rows["day"] == 0)]
    wide = rows.pivot(index=["year", "replication", "week"], columns="measure", values="value")
    return wide["pupils_left_behind"] - wide["pupils_fetched"]


def test_the_calendar_shows_the_weeks_that_were_lived_and_which_is_worst(folder: Path) -> None:
    figure = drawn(folder, "calendar")
    bars, typical, busiest = figure.axes[:3]
    harm = weekly_harm(folder)
    by_week = harm.groupby(["week", "replication"]).mean().groupby("week").mean()
    heights = {round(bar.get_center()[0]): bar.get_height() for bar in bars.patches if np.isfinite(bar.get_height())}
    assert heights == pytest.approx(by_week.to_dict())
    assert [int(text.get_text()) for text in bars.texts] == by_week.sort_values(ascending=False).index.tolist()
    (diamonds,) = (line for line in bars.lines if line.get_marker() == "D")
    there = pd.Series(diamonds.get_ydata(), index=diamonds.get_xdata()).dropna()
    assert there.to_dict() == pytest.approx(harm.loc[2023].groupby("week").mean().to_dict())
    for axes in (typical, busiest):
        cells = shades(axes, 1, 39, first=0.5)
        assert (np.flatnonzero(cells[0] >= 0) + 1).tolist() == [3, 9, 30]
    assert [label.get_text() for label in typical.get_yticklabels()] == ["left behind"]


def test_shades_of_the_calendar_are_shares_of_the_largest_week(tmp_path: Path) -> None:
    folder = sample_run(tmp_path / "weeks")
    rows = pd.read_parquet(folder / "measures.parquet")
    times = rows["week"].map({3: 10.0, 9: 5.0, 30: 1.0})
    rewrite(
        folder, "measures.parquet", value=rows["value"].where(rows["measure"] != "pupils_left_behind", 12 + times * 10)
    )
    rows = pd.read_parquet(folder / "measures.parquet")
    rewrite(folder, "measures.parquet", value=rows["value"].where(rows["measure"] != "pupils_fetched", 12.0))
    typical = drawn(folder, "calendar").axes[1]  # 100, 50 and 10 pupil-days
    assert shades(typical, 1, 39, first=0.5)[0, [2, 8, 29]].tolist() == [4, 2, 0]


def test_use_is_a_share_of_what_there_is(tmp_path: Path) -> None:
    folder = sample_run(tmp_path / "use")
    rows = pd.read_parquet(folder / "resources.parquet")
    seats = rows[rows["resource"] == "window"].assign(resource="bus_seat", capacity=200.0, demand_peak=140.0)
    pd.concat([rows, seats]).to_parquet(folder / "resources.parquet")
    lived = occupancy.Weeks(Run(folder)).lived
    carried = pd.read_parquet(folder / "measures.parquet").query("site_id == 'county' and measure == 'pupils_carried'")
    carried = carried.set_index(["year", "replication", "week"])["value"]
    assert lived["bus_seat"].to_dict() == pytest.approx((carried / 5 / 200).to_dict())


def test_the_table_of_worst_weeks_says_when_what_and_where(folder: Path) -> None:
    table = occupancy.worst_weeks(Run(folder))
    mean = weekly_harm(folder).groupby(["year", "week"]).mean().sort_values(ascending=False)
    assert [(int(row[1].text), int(row[0].text.split()[0])) for row in table.rows] == mean.index[:5].tolist()
    assert table.rows[0][2].text.startswith(f"{mean.iloc[0]:.0f} (" if mean.iloc[0] >= 10 else f"{mean.iloc[0]:.1f} (")
    assert {row[3].text for row in table.rows} == {str(REPLICATIONS)}
    assert {row[4].text for row in table.rows} == {"left behind (100%)"}
    rows = pd.read_parquet(folder / "measures.parquet").query("site_id != 'county' and measure == 'pupil_days_harmed'")
    year, week = mean.index[0]
    worst = rows[(rows["year"] == year) & (rows["week"] == week)].groupby("site_id")["value"].sum().idxmax()
    assert table.rows[0][5].text == Run(folder).site(worst)
    assert table.rows[0][6].text in ("fog 50%, clear 50%", "clear 50%, fog 50%")


def test_a_week_without_harm_is_none_of_the_worst(tmp_path: Path) -> None:
    folder = sample_run(tmp_path / "calm", years=1)
    calm = pd.read_parquet(folder / "measures.parquet")["week"] != 9
    rewrite(folder, "measures.parquet", value=lambda rows: rows["value"].mask(calm, 0.0))
    (row,) = occupancy.worst_weeks(Run(folder)).rows
    assert row[0].text == "9 (term 1, October)"


def made_up_luck(harm: list[float], rain: list[float], years: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return annual values and days of a few replications: harm, and so many rainy mornings, each year alike."""
    keys = [(r, 2023 + k) for k in range(years) for r in range(len(harm))]
    annual = pd.DataFrame(keys, columns=["replication", "year"])
    annual = annual.assign(site_id="county", measure="pupil_days_harmed", value=[harm[r] for r, _ in keys])
    pupils = annual.assign(site_id="S1", measure="roll", value=[[3.0, 1.0, 2.0, 5.0, 4.0, 6.0][r] for r, _ in keys])
    days = annual[["replication", "year"]].assign(morning="rain", afternoon="clear", weight=[rain[r] for r, _ in keys])
    return pd.concat([annual, pupils], ignore_index=True), days


def test_drivers_of_harm_are_correlations_of_ranks_within_years() -> None:
    harm, rain = [10.0, 20.0, 15.0, 40.0, 35.0, 50.0], [1.0, 2.0, 3.0, 4.0, 6.0, 5.0]
    table = harm_drivers(*made_up_luck(harm, rain)).set_index("driver")
    assert set(table.index) == {"rain", "pupils"}, "what never differs is no driver"
    assert table.loc["rain", "correlation_mean"] == pytest.approx(stats.spearmanr(harm, rain).statistic)
    assert (table["share"] == table["correlation_mean"] ** 2).all()
    assert (table["correlation_low"] < table["correlation_mean"]).all()
    annual, days = made_up_luck(harm, rain, years=2)
    grown = annual.assign(value=annual["value"] + 1000 * (annual["year"] - 2023))
    again = harm_drivers(grown, days).set_index("driver")
    assert again["correlation_mean"].to_dict() == pytest.approx(table["correlation_mean"].to_dict()), (
        "trends are no luck"
    )


def test_with_four_replications_no_driver_is_told() -> None:
    assert harm_drivers(*made_up_luck([1.0, 2.0, 3.0, 4.0], [4.0, 2.0, 1.0, 3.0])).empty


def test_an_interval_of_a_driver_holds_the_truth_as_often_as_it_says() -> None:
    luck, hits, tries = np.random.default_rng(3), 0, 100
    for _ in range(tries):
        row = harm_drivers(*made_up_luck(list(luck.random(6)), list(luck.random(6)))).set_index("driver").loc["rain"]
        hits += row["correlation_low"] <= 0 <= row["correlation_high"]
    assert hits >= 88  # 95 expected; fewer than 88 has a chance of 0.2 %


def test_the_tornado_draws_the_table(folder: Path) -> None:
    figure = drawn(folder, "tornado")
    bars = [bar.get_width() for bar in sorted(figure.axes[0].patches, key=lambda bar: -bar.get_y())]
    assert bars == pytest.approx([0.5, -0.2])
    assert texts(figure)[:2] == ["4%", "25%"]
    assert "not proof of cause" in Words("en")("caption.tornado")
    (folder / "harm_drivers.csv").rename(folder / "away.csv")
    try:
        assert tornado(Run(folder)) is None
    finally:
        (folder / "away.csv").rename(folder / "harm_drivers.csv")


def test_legs_of_a_morning_add_up_all_runs_of_the_busiest_year(tmp_path: Path) -> None:
    folder = sample_run(tmp_path / "runs")
    runs = pd.read_parquet(folder / "runs.parquet")
    more = runs[runs["year"] == 2024].assign(run_id="R2", seats=20, load_after=[3.0, 0.0], embark=[3.0, 0.0])
    home = runs[runs["year"] == 2024].assign(run_id="R3", direction="out", load_after=50.0)
    pd.concat([runs, more, home]).to_parquet(folder / "runs.parquet")
    run = Run(folder)
    assert runs_map.busiest_year(run) == 2024
    assert runs_map.legs(run, 2024).to_numpy().tolist() == [["H1", "S1", 12.0, 54]]
    figure = drawn(folder, "runs_map")
    (legs,) = (part for part in figure.axes[0].collections if str(part.get_gid()).startswith("legs"))
    places = [run.hamlets.loc["H1", ["lon", "lat"]].tolist(), run.schools.loc["S1", ["lon", "lat"]].tolist()]
    assert np.array(legs.get_segments()).tolist() == [places]
    assert legs.get_gid() == "legs-1-0", "5 - 19 pupils, under half of the seats"
    assert legs.get_linewidth()[0] == runs_map.LOADS[1][1]
    assert legends(figure)[:2] == ["5 – 19", "<50%"]


@pytest.mark.parametrize(("audience", "colour"), [("public", runs_map.SMALL), ("internal", runs_map.FULL[2][1])])
def test_a_load_of_four_does_not_tell_how_full_its_bus_is(tmp_path: Path, audience: str, colour: str) -> None:
    folder = sample_run(tmp_path / audience, f"report={audience}")
    rewrite(folder, "runs.parquet", load_after=lambda runs: runs["load_after"].clip(upper=4.0), seats=5)
    figure = drawn(folder, "runs_map")
    (legs,) = (part for part in figure.axes[0].collections if str(part.get_gid()).startswith("legs"))
    assert np.allclose(legs.get_color()[0], plain(colour))
    assert legends(figure)[0] == "<5"


def plain(colour: str) -> list[float]:
    """Return a colour such as #0072B2 as parts of red, green, blue and opacity."""
    return [*(int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)), 1.0]


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_year_and_one_replication_and_a_run_without_harm_are_drawn_or_left_out(
    tmp_path: Path, name: str, language: str
) -> None:
    one = sample_run(tmp_path / "one", f"report.language={language}", years=1, replications=1)
    none = sample_run(tmp_path / "none", f"report.language={language}", years=1, replications=1, harm=0.0)
    with styled(name):
        assert FIGURES[name](Run(one)) is not None
        figure = FIGURES[name](Run(none))
    assert figure is not None or name in ("risk_matrix", "heat", "calendar")
