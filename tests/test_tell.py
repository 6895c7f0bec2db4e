"""Reports, figures and workbooks: offline, in two languages, with no small group and no live formula in them."""

from __future__ import annotations

import re
import string
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from plotly.offline import get_plotlyjs
from sample_run import sample_run, sample_sweep

from sim.store import RunFolder
from sim.tell.cells import FEWEST, hidden
from sim.tell.figure import FIGURES
from sim.tell.number import interval, money, number, pupils, span
from sim.tell.page import SECTIONS, comparison, facts, report
from sim.tell.run import Run
from sim.tell.stress import Stress, struck
from sim.tell.sweep import Sweep
from sim.tell.sweep_chart import chart
from sim.tell.words import LANGUAGES, Words, glossary
from sim.tell.workbook import workbook

TELL = Path(__file__).resolve().parents[1] / "sim" / "tell"
SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://example.org","x")'
MOST_BYTES = 8_000_000
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def figures(run_folder: Path) -> list[Path]:
    """Draw the report of a run and return where its figures lie."""
    return sorted((report(run_folder).parent / "figures").glob("*.svg"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_run(tmp_path_factory.mktemp("tell") / "base")


@pytest.fixture(scope="module")
def page(run: Path) -> str:
    return report(run).read_text(encoding="utf-8")


class Reader(HTMLParser):
    """Collects what a page asks for and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.scripts = 0
        self.ids: list[str] = []
        self.text: list[str] = []
        self.style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [found[key] or "" for key in ("src", "href", "xlink:href") if key in found]
        self.scripts += tag == "script"
        self.style = tag == "style"
        if "id" in found:
            self.ids.append(found["id"] or "")

    def handle_endtag(self, tag: str) -> None:
        self.style = False

    def handle_data(self, data: str) -> None:
        if not self.style:
            self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def places_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_has_both_languages_with_the_same_places() -> None:
    wrong = [
        key
        for key, text in glossary().items()
        if set(text) != set(LANGUAGES) or not all(text.values()) or places_in(text["en"]) != places_in(text["zh"])
    ]
    assert not wrong


def test_every_text_that_is_asked_for_is_in_the_glossary() -> None:
    asked = re.compile(r"""\bwords?\(\s*f?["']([a-z_0-9.]+)["'][,)]""")
    found = {
        key for file in [*TELL.rglob("*.py"), *TELL.glob("*.j2")] for key in asked.findall(file.read_text("utf-8"))
    }
    assert len(found) > 50
    assert not found - set(glossary())


def test_every_unit_of_the_price_list_has_a_word_in_both_languages(run: Path) -> None:
    units = {price.unit for price in Run(run).settings.prices.values()}
    assert not {unit for unit in units if f"price_unit.{unit}" not in glossary()}


def test_the_page_needs_no_network_and_no_script(run: Path, page: str) -> None:
    reader = read(page)
    assert not reader.scripts
    beside = [link for link in reader.links if not link.startswith(("#", "data:"))]
    schools, townships = ("sheets/S4.html", "sheets/S5.html"), ("sheets/township_T1.html", "sheets/township_T2.html")
    annexes = ("sheets/annexes.html", "sheets/annexes.xlsx")
    assert beside == [*schools, *townships, *annexes], "schools that the plan names; no day was kept"
    assert all((run / link).is_file() for link in beside)
    assert "url(http" not in page
    assert "@import" not in page
    assert len(page.encode()) < MOST_BYTES


def test_every_section_of_the_contents_is_on_the_page(page: str) -> None:
    reader = read(page)
    assert set(SECTIONS) <= set(reader.ids)
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)


def test_the_page_says_what_breaks_first_and_that_rolls_are_synthetic(page: str) -> None:
    text = " ".join(read(page).text)
    assert "girls' beds at 一乡初中 · First Junior, in 2023" in text
    assert "synthetic" in text
    assert "900" in text
    assert "4 replications" in text


def test_numbers_on_the_page_are_those_of_the_files(page: str, run: Path) -> None:
    table = pd.read_csv(run / "budget.csv")
    total = table[(table["account"] == "total") & (table["payer"] == "all")]
    assert f"{total['p50'].mean() / 1e6:.1f}" == number(total["p50"].mean() / 1e6, 1)
    assert money(total["p50"].mean(), Words("en"), public=True) in page


def test_figures_are_drawn_from_the_files_alone_and_are_whole_svg(run: Path) -> None:
    drawn = figures(run)
    unknown = {
        "town",
        "unit_costs",
        "drivers",
        "net",
        "family",
        "purchases",
        "exceedance",
        "equity",
        "stranded",
    }  # it knows of money budget.csv alone
    assert {path.stem for path in drawn} == {*FIGURES} - unknown
    for path in drawn:
        root = ET.fromstring(path.read_text(encoding="utf-8"))
        assert root.tag.endswith("svg")
        assert root.find("{http://www.w3.org/2000/svg}title") is not None


def test_the_same_files_give_the_same_figures(run: Path) -> None:
    first = {path.name: path.read_bytes() for path in figures(run)}
    assert {path.name: path.read_bytes() for path in figures(run)} == first


def test_letters_in_figures_stay_text_so_that_no_glyph_is_missing(tmp_path: Path) -> None:
    drawn = figures(sample_run(tmp_path / "zh", "report.language=zh"))
    texts = {path.stem: path.read_text(encoding="utf-8") for path in drawn}
    assert all(CHINESE.search(text) for text in texts.values())
    assert "一乡中心小学" in texts["canteen"]
    assert "'Noto Sans SC', " in texts["canteen"]


def test_a_chinese_report_has_chinese_headings_and_columns(tmp_path: Path) -> None:
    page = report(sample_run(tmp_path / "zh", "report.language=zh")).read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in page
    heads = re.findall(r"<h[123][^>]*>(.*?)</h[123]>", page)
    assert all(CHINESE.search(head) for head in heads)
    columns = [text for text in re.findall(r"<th[^>]*>(.*?)</th>", page) if not re.fullmatch(r"\d{4}|P\d\d", text)]
    assert all(CHINESE.search(text) for text in columns)


def test_names_that_look_like_code_are_shown_as_text(tmp_path: Path) -> None:
    folder = sample_run(tmp_path / "bad", names={"S1": SCRIPT, "S2": FORMULA, "S3": "a&b$x$"})
    page = report(folder).read_text(encoding="utf-8")
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not read(page).scripts


def test_no_text_of_the_workbook_is_a_formula(tmp_path: Path) -> None:
    folder = sample_run(tmp_path / "bad", names={"S1": "+1+1", "S2": FORMULA, "S3": "@SUM(A1)"})
    book = openpyxl.load_workbook(workbook(folder))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not [cell for cell in cells if cell.hyperlink]
    named = [cell for cell in cells if str(cell.value).startswith(("+1", FORMULA, "@SUM"))]
    assert named
    assert {cell.data_type for cell in named} == {"s"}


@pytest.mark.parametrize(
    ("row", "hides"),
    [
        ([10, 20, 30], [False, False, False]),
        ([3, 20, 30], [True, True, False]),
        ([3, 4, 30], [True, True, False]),
        ([1, 2, 30, 40], [True, True, True, False]),
        ([0, 0, 3], [False, False, True]),
        ([0, 9, 0], [False, False, False]),
    ],
)
def test_groups_under_five_are_hidden_so_that_the_total_gives_none_away(row: list[int], hides: list[bool]) -> None:
    assert hidden(row, public=True) == hides
    assert not any(hidden(row, public=False))


def test_a_public_page_shows_no_small_group_and_an_internal_one_is_marked(tmp_path: Path) -> None:
    few = {"harm": 0.004}  # 900 pupil-days become 3.6
    public = report(sample_run(tmp_path / "public", **few)).read_text(encoding="utf-8")
    internal = report(sample_run(tmp_path / "internal", "report=internal", **few)).read_text(encoding="utf-8")
    mark = Words("en")("internal_mark")
    assert f"&lt;{FEWEST}" in public
    assert mark not in public
    assert mark in internal
    assert "3.6" in internal
    assert "3.6 " not in " ".join(read(public).text)


def test_a_public_page_hides_what_happens_to_a_group_of_three(tmp_path: Path) -> None:
    folders = {name: sample_run(tmp_path / name, f"report={name}", girls=3) for name in ("public", "internal")}
    pages = {name: " ".join(read(report(folder).read_text(encoding="utf-8")).text) for name, folder in folders.items()}
    harmed = pd.read_csv(folders["public"] / "bottlenecks.csv").iloc[0]["pupil_days_harmed_mean"]
    assert f"{harmed:.0f} (" in pages["internal"]
    assert not re.search(rf"(?<![\d,]){harmed:.0f} \(", pages["public"])
    assert "Harm there in the year: not shown, the group has fewer than five pupils." in pages["public"]
    texts = {name: (folder / "figures" / "dormitory.svg").read_text("utf-8") for name, folder in folders.items()}
    assert len(texts["public"]) < len(texts["internal"])


def test_one_replication_has_no_interval() -> None:
    found = interval(pd.DataFrame({0: [3.0, 4.0]}))
    assert found["low"].isna().all()
    assert span(3.0, float("nan"), float("nan")) == "3"


def test_an_interval_of_two_is_that_of_student() -> None:
    found = interval(pd.DataFrame({0: [1.0], 1: [3.0]})).iloc[0]
    assert found["mean"] == 2.0
    assert found["high"] - found["mean"] == pytest.approx(12.7062, abs=1e-4)


def test_a_run_without_harm_or_with_one_year_and_replication_is_told_too(tmp_path: Path) -> None:
    folder = sample_run(tmp_path / "one", years=1, replications=1, harm=0.0)
    text = " ".join(read(report(folder).read_text(encoding="utf-8")).text)
    assert "No limit is broken" in text or "No shortage harmed" in text
    workbook(folder)


def test_numbers_are_written_for_people() -> None:
    assert number(1234567.8) == "1,234,568"
    assert number(-0.04) == "0.0"
    assert number(float("nan")) == "–"
    assert pupils(3.0) == "<5"
    assert pupils(3.0, public=False) == "3"
    assert money(2_500_000, Words("zh")) == "250.0万元"
    assert money(229_900_000, Words("zh")) == "2.30亿元"
    assert money(2_500_000, Words("en")) == "2.5 million yuan"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_stress_week_is_told_day_by_day_against_a_usual_day(tmp_path: Path, language: str) -> None:
    folder = sample_run(tmp_path / "ice", "stress=ice_week", f"report.language={language}")
    told, word = Stress(Run(folder)), Words(language)
    assert told.told
    ratio = told.by_day.loc["pupils_left_behind"].mean(axis=1) / told.usual.loc["pupils_left_behind"].mean()
    assert ratio.to_numpy() == pytest.approx(5.0, rel=0.2)  # a day as bad as a week
    table = told.table()
    assert table.head[2:] == tuple(word.term("day", day) for day in range(1, 6))
    left = next(row for row in table.rows if row[0].text == word.term("stress_row", "pupils_left_behind"))
    assert all("heat3" in cell.style for cell in left[2:])
    assert word.term("sky", "fog") in table.rows[0][2].text
    page = " ".join(read(report(folder).read_text(encoding="utf-8")).text)
    assert word.term("stress", "ice_week") in page
    assert word.term("stress_row", "pupils_left_behind") in told.story()[1]


COMBINED = (
    "stress.weeks=[18]", "stress.sky=ice", "stress.roads=[e3,busiest]", "stress.absence_factor=3",
    "stress.driver_absent_share=0.2", "stress.schools=[S1]", "stress.kitchen_share=0.5",
)  # fmt: skip


@pytest.mark.parametrize("pack", ["none", "flu_week"])
def test_what_is_set_is_told_and_not_only_the_name_of_the_pack(tmp_path: Path, pack: str) -> None:
    run = Run(sample_run(tmp_path / pack, f"stress={pack}", *COMBINED))
    for text in (struck(run), Stress(run).story()[0], dict(facts(run))["Stress"]):
        for part in ("ice", "road e3 is cut", "the road that most pupils need", "3 times", "20% of drivers",
                     "50% of the meals cooked at 一乡中心小学"):  # fmt: skip
            assert part in text
        assert ("a week of flu" in text) == (pack == "flu_week")
    assert "week 18" in dict(facts(run))["Stress"]


def test_a_stress_of_every_week_has_nothing_to_be_held_against_and_says_so(tmp_path: Path) -> None:
    folder = sample_run(tmp_path / "always", "stress=flu_week", "stress.weeks=[]")
    text = " ".join(read(report(folder).read_text(encoding="utf-8")).text)
    assert "every week lived, so this run has no usual week" in text
    assert "calendar.always" in text
    assert Words("en")("section.stress") not in text


def test_the_usual_day_says_which_weather_it_had_and_where_to_look_for_a_comparison(tmp_path: Path) -> None:
    told = Stress(Run(sample_run(tmp_path / "ice", "stress=ice_week", years=2, replications=3)))
    assert "of the 90 mornings lived in them, 90 fog" in told.comparison()  # 3 weeks of 5 days, 2 years, 3 times
    assert "stress=none calendar.always=[18]" in told.comparison()
    rides = told.usual.loc["ride_min_p95"].mean()
    assert rides == pytest.approx(told.by_day.loc["ride_min_p95"].mean(axis=None), rel=0.1)  # no sum of minutes


@pytest.mark.parametrize("replications", [1, 2])
def test_only_several_replications_can_agree(tmp_path: Path, replications: int) -> None:
    folder = sample_run(tmp_path / "ice", "stress=ice_week", replications=replications)
    story = " ".join(Stress(Run(folder)).story())
    assert ("in every replication" in story) == (replications > 1)
    text = " ".join(read(report(folder).read_text(encoding="utf-8")).text)
    assert ("1 replication." in text) == (replications == 1)
    assert "1 replications" not in text


def test_where_nothing_grew_no_day_is_the_worst(tmp_path: Path) -> None:
    folder = sample_run(tmp_path / "calm", "stress=ice_week")
    measures = pd.read_parquet(folder / "measures.parquet")
    measures.loc[measures["day"] > 0, "value"] /= 5  # five such days are a usual week
    measures.to_parquet(folder / "measures.parquet")
    story = Stress(Run(folder)).story()
    assert Words("en")("stress.nothing") in story
    assert "worst day" not in " ".join(story)


def test_without_stress_nothing_is_told_of_it(page: str, run: Path) -> None:
    assert not Stress(Run(run)).told
    assert 'id="stress"' not in page
    assert Words("en")("section.weather") in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sweep_of_two_settings_is_compared_in_a_table_and_a_field(tmp_path: Path, language: str) -> None:
    folder = sample_sweep(tmp_path / "sweep", f"report.language={language}")
    page = comparison(folder).read_text(encoding="utf-8")
    assert read(page).scripts == 3  # numbers, Plotly, and what draws with it
    assert page.replace(get_plotlyjs(), "").count("<svg") == 1
    assert "fleet.scale" in page
    assert "Δ +" in page
    assert len(page.encode()) < MOST_BYTES


def test_a_sweep_of_one_setting_is_compared_with_dots(tmp_path: Path) -> None:
    page = comparison(sample_sweep(tmp_path / "sweep", beds=(1.0,))).read_text(encoding="utf-8")
    assert Words("en")("compare.dots") in page


def test_a_comparison_stars_what_is_clear_among_many_and_tells_what_the_same_luck_gains(tmp_path: Path) -> None:
    folder = sample_sweep(tmp_path / "sweep")
    summary = RunFolder(folder).read_table("summary")
    ride = summary["measure"] == "ride_min_p95"
    RunFolder(folder).write_table("summary", summary.assign(p_adjusted=summary["p_adjusted"].mask(ride, 0.2)))
    rows = Sweep(folder).full_table().rows
    starred = {str(row[0]): str(row[3]).endswith("★") for row in rows if str(row[3]) != "–"}
    words = Words("en")
    assert starred[words.term("measure", "pupil_days_harmed")]
    assert not starred[words.term("measure", "ride_min_p95")]
    said = " ".join(Sweep(folder).how_sure())
    assert "among 3 comparisons of each measure" in said
    assert "4.0 times narrower" in said
    assert "Of ± 312 of pupil-days harmed" in said  # 5 % of 6,250
    assert "± 188 comes of living only some weeks" in said  # 3 %, 187.5


def test_a_field_of_many_scenarios_has_room_for_every_interval(tmp_path: Path) -> None:
    """Eight by six: a line for the mean and one for half its interval, none beyond the edge of the drawing."""
    folder = sample_sweep(tmp_path / "sweep")
    known = RunFolder(folder).read_table("summary")
    names = [f"fleet.scale={a},lodge.beds_scale={b}" for a in range(8) for b in range(6)]
    some = known[known["scenario"] == known["scenario"].iloc[-1]]
    RunFolder(folder).write_table("summary", pd.concat([some.assign(scenario=name) for name in names]))
    sweep = Sweep(folder)
    factors = {"fleet.scale": [a for a in range(8) for _ in range(6)], "lodge.beds_scale": list(range(6)) * 8}
    sweep.__dict__["factors"] = factors
    drawn = chart(sweep).svg
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', drawn)[1])
    written = re.findall(r'translate\(([\d.-]+) [\d.]+\)">(± [\d,.]+)<', drawn)
    begins, longest = sorted({float(x) for x, _ in written}), max(len(text) for _, text in written) * 7.5 * 0.6
    assert sweep.many
    assert len(written) == 2 * 48
    assert begins[0] > 0
    assert all(then - now > longest for now, then in zip(begins, [*begins[1:], width], strict=True) if then - now > 4)


def test_scenarios_with_long_names_leave_room_for_their_values(tmp_path: Path) -> None:
    """Too long a label makes the layout give up with a warning, which is an error here."""
    sweep = Sweep(sample_sweep(tmp_path / "sweep", beds=(1.0,)))
    long = "closure.only_what_is_listed True; " * 9
    sweep.__dict__["labels"] = {name: f"{name}; {long}" for name in sweep.scenarios}
    drawn = chart(sweep).svg
    assert drawn.count(" …<") == 2
    assert drawn.count("only_what_is_listed") == 2


def test_no_drawing_of_a_public_comparison_shows_fewer_than_five(tmp_path: Path) -> None:
    folder = sample_sweep(tmp_path / "sweep")
    summary = RunFolder(folder).read_table("summary")
    harm = summary["measure"] == "pupil_days_harmed"
    few = summary.assign(mean=summary["mean"].mask(harm, 3.3), high=summary["high"].mask(harm, 4.7))
    RunFolder(folder).write_table("summary", few)
    assert ">3.3<" not in chart(Sweep(folder)).svg
    page = comparison(folder).read_text(encoding="utf-8").replace(get_plotlyjs(), "")
    assert "3.3" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_tells_the_precision_asked_for_and_reached(tmp_path: Path, language: str) -> None:
    names = "[late_pupils,bed_refused,bus_km]"
    words = (f"report.language={language}", "study.precision=0.05", f"study.precision_measures={names}")
    folder = sample_run(tmp_path / "run", *words)
    rows = [("late_pupils", 0.0, 0.0, True), ("bed_refused", 90.0, 0.031, True), ("bus_km", 10.0, 0.07, False)]
    table = pd.DataFrame(rows, columns=["measure", "mean", "relative", "reached"])
    table = table.assign(scenario="made", replications=14, wanted=0.05, half_width=table["relative"] * table["mean"])
    RunFolder(folder).write_table("precision", table)
    told = dict(facts(Run(folder)))[Words(language)("fact.precision")]
    assert all(part in told for part in ("5.0%", "3.1%", "7.0%", "14"))
    assert told.count("0 in all 14" if language == "en" else "14次重复中均为0") == 1
    assert told.count("not reached" if language == "en" else "仍未达到") == 1
