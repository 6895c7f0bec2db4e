"""Pages of townships, annexes and pupils' files of a lived run say what its files say, and no public one says more."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from sim.cli import main
from sim.config import load
from sim.sweep import run as live
from sim.tell.annex import annexes
from sim.tell.fee import Fees
from sim.tell.group import SchoolPlans
from sim.tell.handout import write_handouts
from sim.tell.run import Run
from sim.tell.sites import Sites
from sim.tell.trip import clock

SMALL = (
    "county=three_villages", "closure=plan_2023", "study.years=2", "study.replications=2", "calendar=smoke",
    "executor=serial", "fleet.ride_limit_young_min=25", "report=internal",
)  # fmt: skip
"""T closes at once though its three pupils, all of D, ride too long to C."""
SCRIPT, FORMULA = "<script>alert(1)</script>", "=HYPERLINK(0)"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Live a run of three villages, pages and all."""
    return live(load([*SMALL, f"study.out={tmp_path_factory.mktemp('lived')}"])).path


@pytest.fixture
def folder(lived: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(lived, tmp_path / "out" / "main" / "base"))


def told_as(folder: Path, language: str, audience: str) -> Run:
    """Draw the handouts of a run again for others, and return it."""
    run = Run(folder)
    run.folder.tell_as(run.settings.report.model_copy(update={"language": language, "audience": audience}))
    run = Run(folder)
    write_handouts(Sites(SchoolPlans(run)), made_up=True)
    return run


def page(folder: Path, name: str) -> str:
    """Return the words of a page without its tags."""
    text = (folder / "sheets" / name).read_text(encoding="utf-8").partition("<main>")[2]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def test_a_sheet_has_for_each_group_times_seat_and_fee_before_and_after(lived: Path) -> None:
    run, said = Run(lived), page(lived, "T.html")
    runs = run.table("runs").query("year == 2023 and service == 'school' and school_id == 'C'")
    into = runs[runs["direction"] == "in"]
    (board,) = into[into["stop_id"] == "D"].itertuples()
    (gate,) = into[(into["run_id"] == board.run_id) & (into["stop_id"] == "C")].itertuples()
    leaves = board.depart_min - 3 - 5  # to the stop, and waiting
    row = f"a seat on run {board.run_id.removeprefix('C-')}, 78% 10.0 {clock(leaves)} {clock(gate.arrive_min, True)} "
    assert row in said
    family = run.table("family").query("year == 2023 and moved == 'yes' and mode_after == 'school_bus'").iloc[0]
    assert f"{family['cost_after']:,.0f} {family['aid_after']:,.0f}" in said.partition(row)[2][:120]
    assert "Now: on foot 0.0 08:20 08:20 0 16:30 – 1,053 878 –" in said  # lunch 6 yuan x 195 days x 0.9, 5 of them aid
    assert "丁村, grade 1–2, 3 pupils → Central School" in said
    assert "For the record of the hearing" in said


def test_fees_are_those_of_family_csv_at_any_km(lived: Path) -> None:
    run = Run(lived)
    fees = Fees(run)
    both = run.table("family").merge(
        run.table("family_pupils").drop(columns="pupils"), on=["year", "level", "moved", "mode_before", "mode_after"]
    )
    for row in both.itertuples():
        grade = {"grades_1_3": 2, "grades_4_6": 5, "junior": 8}[row.level]
        fee = fees.of(grade, row.mode_after, row.km_after)
        assert fee.cost == pytest.approx(row.cost_after, abs=0.011)
        assert fee.aid == pytest.approx(row.aid_after, abs=0.011)
    near, far = (fees.of(2, "family", km).cost for km in (10.0, 11.0))
    assert far - near == pytest.approx(2 * 195 * run.settings.prices["family_km"].central)


def test_the_township_tells_of_its_schools_room_money_and_posts(lived: Path) -> None:
    run, said = Run(lived), page(lived, "township_V.html")
    places = run.table("places")
    at_c = places[places["school_id"] == "C"].groupby("year")["pupils"].sum()
    assert f"receives {at_c[2023]:.0f} {at_c[2024]:.0f}" in said
    assert "closes 2023 – –" in said
    assert "2023 Teaching Point D Central School 10.0" in said
    resources = run.table("resources").query("site_id == 'C' and resource == 'kitchen'")
    worst = resources.groupby("year")["demand_peak"].mean()
    assert f"kitchen {worst.idxmax()} 12 {worst.max():.0f}" in said
    sites = run.table("budget_sites").query("payer == 'all' and site_id != 'county'")
    whole = sites.groupby("year")["mean"].sum()
    assert f"all payers {whole[2023] / 1e4:.0f} {whole[2024] / 1e4:.0f}" in said.replace("−", "-")
    posts = run.posts.query("year == 2023 and post == 'teacher' and site_id == 'C'")
    own, came = (posts.loc[posts["from_school_id"].isna() == mine, "filled"].sum() for mine in (True, False))
    assert f"2023 teachers {posts['needed'].sum():.0f} {own:.0f} {came:.0f} " in said


def test_the_annexes_add_up_to_the_tables(lived: Path) -> None:
    run = Run(lived)
    closing, receiving, runs, staff, money = annexes(Sites(SchoolPlans(run)))
    (row,) = closing.rows
    assert row[1:4] == (2023, "三村乡 · Three Villages", "丁村教学点 · Teaching Point D")
    assert row[4:8] == ("1–3", 3, "三村中心学校 · Central School", 10.0)
    assert "minutes over the limit" in str(row[-1])
    assert receiving.rows[0][3:6] == (2023, 1, 3)
    table = run.table("runs").query("year == 2023")
    with_d = table[table["stop_id"] == "D"]["run_id"].unique()
    assert len(runs.rows) == len(with_d)
    assert all(row[-1] is None for row in runs.rows), "attendants' names are left open"
    moved = run.posts.query("year == 2023 and from_school_id == 'T'")
    assert sum(row[7] for row in staff.rows) == moved["filled"].sum() == 2
    total = run.table("budget").query("account == 'total' and payer == 'all'").groupby("year")["mean"].sum()
    assert [row[4] for row in money.rows[:2]] == pytest.approx((total / 1e6).round(2).tolist())


def test_a_workbook_and_a_page_hold_the_same_annexes(lived: Path) -> None:
    book = load_workbook(lived / "sheets" / "annexes.xlsx")
    assert book.sheetnames == [f"Annex {k}" for k in range(1, 6)]
    said = page(lived, "annexes.html")
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.print_title_rows == "$3:$3"
        cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
        texts = [cell.value for cell in cells if cell.data_type == "s"]
        assert all(re.sub(r"\s+", " ", text) in said for text in texts)
        assert not [cell for cell in cells if cell.data_type == "f"]


def test_there_is_a_card_for_each_planned_pupil_and_no_name(lived: Path) -> None:
    text = (lived / "sheets" / "pupils" / "T.html").read_text(encoding="utf-8")
    roll = Run(lived).input("pupils.csv").query("hamlet_id == 'D' and grade in ('1', '2', '3')")
    assert text.count('class="card"') == roll["pupils"].astype(int).sum() == 3
    said = page(lived, "pupils/T.html")
    girls, boys = (roll.loc[roll["sex"] == sex, "pupils"].astype(int).sum() for sex in "fm")
    assert (said.count("Sex girl"), said.count("Sex boy")) == (girls, boys)
    assert said.count("internal, not for publication") == 3
    assert "no real children" in said
    assert "lodging" not in said, "grades 1 to 3 do not lodge"
    assert said.count("school record") == 3


def test_a_public_redrawing_removes_pupils_files_and_tells_of_no_small_group(folder: Path) -> None:
    assert (folder / "sheets" / "pupils" / "T.html").is_file()
    told_as(folder, "en", "public")
    assert not (folder / "sheets" / "pupils").exists()
    pages = {file.name: page(folder, file.name) for file in (folder / "sheets").glob("*.html")}
    assert not any(re.search(r"\b3 pupils|Internal", said) for said in pages.values())
    assert "丁村 → Central School" in pages["T.html"]
    assert "under 10" in pages["annexes.html"]
    (row,) = annexes(Sites(SchoolPlans(Run(folder))))[1].rows
    assert row[5] == "<5"


@pytest.mark.parametrize("audience", ["public", "internal"])
def test_chinese_pages_have_no_english_word(folder: Path, audience: str) -> None:
    told_as(folder, "zh", audience)
    for file in sorted((folder / "sheets").rglob("*.html")):
        said = page(folder, file.relative_to(folder / "sheets").as_posix())
        said = re.sub(
            r"Central School|Teaching Point D|Three Villages|\w+\.(csv|parquet)|judge\.relief|Excel", "", said
        )
        said = re.sub(r"(lodger-)?(in|out)-\d+|bus-\d+", "", said)
        assert not re.search(r"[A-Za-z]{2,}", said), file.name


def test_texts_of_the_county_are_texts_everywhere(folder: Path) -> None:
    for name in ("schools", "hamlets", "zones"):
        table = pd.read_csv(folder / "inputs" / f"{name}.csv", dtype=str, keep_default_na=False)
        table["name_zh"] = [FORMULA if k % 2 else SCRIPT for k in range(len(table))]
        table.to_csv(folder / "inputs" / f"{name}.csv", index=False)
    told_as(folder, "zh", "internal")
    for file in (folder / "sheets").rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert "<script" not in text
        assert "&lt;script&gt;" in text
    cells = [
        cell for sheet in load_workbook(folder / "sheets" / "annexes.xlsx") for row in sheet.iter_rows() for cell in row
    ]
    hostile = [cell for cell in cells if str(cell.value).startswith("=")]
    assert hostile
    assert {cell.data_type for cell in hostile} == {"s"}


def test_a_run_that_is_priced_again_tells_the_new_fees(folder: Path) -> None:
    assert main(["report", str(folder), "prices.family_fare_per_month={low: 40, central: 80, high: 80}"]) == 0
    (other,) = [path for path in folder.parent.iterdir() if path.name.startswith("base-")]
    assert "a seat on run in-01, 78% 10.0" in page(other, "T.html")
    cost = [
        int(re.findall(r"a seat on run .*?(\d,\d{3}) 878", page(at, "T.html"))[0].replace(",", ""))
        for at in (folder, other)
    ]
    assert cost == [1453, 1853]  # ten months
    assert (other / "sheets" / "pupils" / "T.html").is_file()
    assert not (other / "sheets" / "T.html").samefile(folder / "sheets" / "T.html")
