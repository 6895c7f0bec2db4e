"""What pages say of risks: small groups left out with what would give them away, the worst first, nothing foretold."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sample_run import sample_run

from sim.store import RunFolder
from sim.tell import risk
from sim.tell.page import report
from sim.tell.risk_chart import equity, exceedance, stranded
from sim.tell.run import Run
from sim.tell.style import styled

WARNED = {
    "scenario": "base", "year": 2024, "journey_min_mean": 50.0, "journey_min_low": 45.0, "journey_min_high": 55.0,
    "long_way_share_mean": 0.5, "long_way_share_low": 0.4, "long_way_share_high": 0.6, "no_bed_share_mean": 0.0,
    "no_bed_share_low": 0.0, "no_bed_share_high": 0.0, "transfers": 1.0, "hardship_share": 0.3,
    "signs": "long_way, hardship", "count": 2, "chance": 0.75, "warned": "yes",
}  # fmt: skip


def with_risks(folder: Path, audience: str = "public", language: str = "en") -> Run:
    """Write a sample run whose groups are 3, 6, 30 and 200 pupils large; two homes are warned of, one of them tiny."""
    run = RunFolder(sample_run(folder, f"report.audience={audience}", f"report.language={language}"))
    rows = [("distance_km", name, size, 2.0, 0.0) for name, size in
            {"0-1": 3.0, "1-3": 6.0, "3-5": 30.0, "5-10": 200.0}.items()]  # fmt: skip
    rows += [("sex", "f", 100.0, 8.0, 3.0), ("sex", "m", 100.0, 2.0, -3.0)]
    groups = pd.DataFrame(rows, columns=["by", "group", "pupils", "value_mean", "gap_mean"])
    groups = groups.assign(
        scenario="base", unit="", value_low=groups["value_mean"] - 1, value_high=groups["value_mean"] + 1,
        gap_low=groups["gap_mean"] - 0.5, gap_high=groups["gap_mean"] + 0.5,
    )  # fmt: skip
    run.write_table("equity", pd.concat([groups.assign(measure=name) for name in risk.SHOWN]))
    homes = [("H1", 2024, 12.0, 0.75), ("H2", 2024, 2.0, 0.75), ("H1", 2023, 12.0, 0.5)]
    warned = [WARNED | {"hamlet_id": home, "year": year, "pupils": size, "chance": p} for home, year, size, p in homes]
    run.write_table("warnings", pd.DataFrame(warned).assign(grade_band="1-3"))
    tail = pd.DataFrame({"measure": ["late_pupils", "bed_refused"], "mean": [100.0, 3.0], "tail_mean": [150.0, 4.0]})
    sure = {"tail_share": 0.2, "tail_replications": 1, "tail_low": float("nan"), "tail_high": float("nan")}
    run.write_table("tails", tail.assign(scenario="base", year=2023, unit="pupil-day", **sure))
    steps = pd.DataFrame({"value": [50.0, 90.0, 110.0, 150.0], "p": [0.75, 0.5, 0.25, 0.0]})
    run.write_table("exceedance", steps.assign(scenario="base", year=2023, measure="late_pupils", unit="pupil-day",
                                               p_low=0.1, p_high=0.9))  # fmt: skip
    idle = [(year, site, all_, mean) for year in (2023, 2025) for site, all_, mean in
            (("S2", 100.0, 30.0), ("S3", 100.0, 97.0), ("county", 200.0, 127.0))]  # fmt: skip
    beds = pd.DataFrame(idle, columns=["year", "site_id", "capacity", "idle_mean"])
    beds = beds.assign(scenario="base", resource="bed_girls", unit="bed", idle_low=beds["idle_mean"] - 10,
                       idle_high=beds["idle_mean"] + 10, idle_share=beds["idle_mean"] / beds["capacity"])  # fmt: skip
    run.write_table("stranded", beds)
    return Run(run.path)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return with_risks(tmp_path_factory.mktemp("risk") / "base")


def first_words(table: object) -> list[str]:
    return [str(row[0]) for row in table.rows]  # type: ignore[attr-defined]


def test_a_small_group_is_left_out_with_the_next_smallest(run: Run, tmp_path: Path) -> None:
    assert first_words(risk.equity_table(run)) == ["3-5 km from school", "5-10 km from school", "girls", "boys"]
    internal = with_risks(tmp_path / "base", "internal")
    assert len(risk.equity_table(internal).rows) == 6


def test_who_fares_clearly_worse_is_set_off_and_named(run: Run) -> None:
    girls = next(row for row in risk.equity_table(run).rows if row[0].text == "girls")
    boys = next(row for row in risk.equity_table(run).rows if row[0].text == "boys")
    assert (girls[2].style, boys[2].style) == ("bad", "")
    assert "girls, on 8.0 days a pupil and year (all pupils: 5.0)" in risk.equity_story(run)[0]


def test_warnings_list_the_worst_year_and_no_small_group(run: Run, tmp_path: Path) -> None:
    rows = risk.warning_table(run).rows
    assert [str(cell) for cell in rows[0]][3:5] == ["2024", "12"]
    assert len(rows) == 1
    story = risk.warning_story(run)
    assert "2 groups in 2 homes" in story
    assert "1 of them have fewer than five pupils" in story
    assert "no forecast" in story
    assert len(risk.warning_table(with_risks(tmp_path / "base", "internal")).rows) == 2


def test_bad_luck_beside_the_mean_but_never_of_fewer_than_five(run: Run) -> None:
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in risk.tail_table(run).rows}
    assert rows["late (pupil-days)"] == ["2023", "100", "150", "50%"]
    assert rows["no bed (pupil-days)"] == ["2023", "*", "*", "–"]


def test_idle_beds_are_told_unless_they_tell_of_fewer_than_five_pupils(run: Run) -> None:
    assert len(risk.stranded_table(run).rows) == 1, "at S3 97 of 100 are idle: three pupils"
    assert "127 of 200" in risk.stranded_story(run)[0]


def test_the_curve_drawn_is_that_of_the_file(run: Run) -> None:
    with styled("exceedance"):
        figure = exceedance(run)
    assert figure is not None
    line = figure.axes[0].get_lines()[0]
    assert line.get_xdata().tolist() == [0, 50, 90, 110, 150]
    assert line.get_ydata().tolist() == [1, 0.75, 0.5, 0.25, 0]


def test_groups_drawn_are_those_that_may_be_shown(run: Run) -> None:
    with styled("equity"):
        figure = equity(run)
    assert figure is not None
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == [
        "boys", "girls", "5-10 km from school", "3-5 km from school"
    ]  # fmt: skip


def test_idle_shares_drawn_are_those_of_the_county(run: Run) -> None:
    with styled("stranded"):
        figure = stranded(run)
    assert figure is not None
    assert figure.axes[0].get_lines()[0].get_ydata().tolist() == [0.635, 0.635]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_has_the_section(tmp_path: Path, language: str) -> None:
    page = report(with_risks(tmp_path / "base", language=language).path).read_text(encoding="utf-8")
    assert 'id="risk"' in page
    assert ("not simulated" if language == "en" else "不推算辍学人数") in page
