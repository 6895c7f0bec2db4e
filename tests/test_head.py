"""The head page: its answers are those of the files, each with its proof; method, checklist and register hold."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sample_run import sample_run

from sim.store import RunFolder
from sim.tell import hamlets, head, method, register, stress_des
from sim.tell.facts import facts
from sim.tell.hamlets import Hamlets
from sim.tell.number import money
from sim.tell.page import CONTENTS, report
from sim.tell.run import Run
from sim.tell.words import LANGUAGES, Words, glossary

ORDER = ("first", "years", "buy", "cost", "hamlets")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_run(tmp_path_factory.mktemp("head") / "base", "fleet.spare_share=0.3")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return Run(folder)


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return report(folder).read_text(encoding="utf-8")


def said(run: Run, question: str) -> str:
    return " ".join(next(each for each in head.head(run, Hamlets(run)) if each.question == question).said)


def answer_of(page: str) -> str:
    return page[page.index('id="answer"') : page.index("<nav")]


def test_five_questions_stand_at_the_head_and_each_links_to_its_proof(run: Run, page: str) -> None:
    told = answer_of(page)
    assert tuple(each.question for each in head.head(run, Hamlets(run))) == ORDER
    assert tuple(re.findall(r'id="answer-(\w+)"', told)) == ORDER
    for each in head.head(run, Hamlets(run)):
        assert each.proof
        for section in each.proof:
            assert f'href="#{section}"' in told
            assert f'id="{section}"' in page


def test_every_section_leads_back_and_every_part_of_the_contents_is_there(page: str) -> None:
    ids = set(re.findall(r' id="([\w-]+)"', page))
    sections = re.findall(r'<h2 id="(\w+)">.*?</h2>', page)
    assert page.count('class="back" href="#answer"') == len(sections)
    order = [name for part in CONTENTS.values() for name in part if name in ids]
    assert sections == order, "as in the contents"
    links = re.findall(r'href="#([\w-]+)"', page[page.index("<nav") : page.index("</nav>")])
    assert set(links) <= ids
    assert set(sections) <= set(links)
    assert {"method_checked", "settings", "prices", "payers"} <= set(links), "sub-sections, too"


def test_the_share_of_broken_limits_is_counted_from_the_verdicts(folder: Path, run: Run) -> None:
    table = pd.read_csv(folder / "verdicts.csv")
    table.loc[(table["year"] == 2024) & (table["site_id"] != "S1"), "p_breach"] = [0.5, 0.9]
    table["p_breach"] = table["p_breach"].where(table["year"] == 2024, 0.1)
    run = Run(folder)
    run.__dict__["verdicts"] = table
    assert head.judged(run)["broken"].to_dict() == {2023: 0, 2024: 2, 2025: 0}
    assert head.judged(run).loc[2024, "share"] == pytest.approx(2 / 3)
    text = " ".join(head.years(run))
    assert "2024 is the worst year: 2 of 3 limits break (67%;" in text
    assert "In the last year, 2025, it is 0%." in text
    assert f"{Words('en').term('limit', 'window_wait')} (2 of 3 schools)" in text
    grid = head.year_table(run)
    assert grid is not None
    assert [cell.text for cell in grid.rows[0][1:]] == ["0%", "67%", "0%"]


def test_harm_is_that_of_the_files_with_its_interval(folder: Path, run: Run) -> None:
    annual = pd.read_parquet(folder / "annual.parquet")
    rows = annual[(annual["site_id"] == "county") & (annual["measure"] == "pupil_days_harmed")]
    grid = head.year_table(run)
    assert grid is not None
    means = rows.groupby("year")["value"].mean()
    assert [cell.text for cell in grid.rows[2][1:]] == [f"{mean:,.0f}" for mean in means]
    by_year = rows.groupby("year")["value"]
    half = 3.18245 * by_year.std(ddof=1) / np.sqrt(4) / means  # Student, 3 degrees of freedom
    assert f"at most {100 * half.max():.0f}% to either side" in said(run, "years")


@pytest.mark.parametrize("audience", ["public", "internal"])
def test_a_public_head_page_tells_no_harm_that_is_all_of_a_small_group(tmp_path: Path, audience: str) -> None:
    folder = sample_run(tmp_path / audience, f"report={audience}", girls=3)
    harm = pd.read_parquet(folder / "harm.parquet")
    harm[(harm["resource"] == "bed_girls") | (harm["year"] == 2023)].to_parquet(folder / "harm.parquet")
    grid = head.year_table(Run(folder))
    assert grid is not None
    hides = [cell.text == "*" for cell in grid.rows[2][1:]]
    assert hides == [False, True, True] if audience == "public" else not any(hides)


def test_the_cost_is_that_of_the_budget(folder: Path, run: Run) -> None:
    table = pd.read_csv(folder / "budget.csv")
    total = table[(table["account"] == "total") & (table["payer"] == "all")]
    p50, p80 = (money(total[name].mean(), Words("en"), public=True) for name in ("p50", "p80"))
    assert said(run, "cost").startswith(f"{p50} a year (P50), {p80} to be on the safe side (P80)")
    families = table[(table["account"] == "total") & (table["payer"] == "family")]["mean"].mean()
    assert f"families {money(families, Words('en'), public=True)}." in said(run, "cost")
    assert Words("en")("head.net_none") in said(run, "cost")


def test_what_was_not_tried_says_so_and_names_the_cheapest_priced_help(run: Run) -> None:
    text = said(run, "buy")
    assert text.startswith("Not tried in this run. The cheapest help that is named: one more bed at")
    assert "17,600 yuan" in text
    assert "judge.relief=worst" in text


def with_purchases(folder: Path) -> Path:
    """Give a run two purchases and the harm that they leave: 1000 before, 400 after both."""
    store, years = RunFolder(folder), [2023, 2024, 2025]
    purchases = pd.DataFrame(
        {
            "scenario": "base", "order": [1, 2], "year": 2023, "site_id": ["S2", "S1"], "site_name": ["b", "a"],
            "resource": ["bed_girls", "window"], "relief": ["one more girls' bed", "one more serving window"],
            "units": [4, 1], "cost_yuan": [70400.0, 30000.0], "cost_so_far_yuan": [70400.0, 100400.0],
            "cost_yuan_per_year": [3592.0, 3517.0], "cost_so_far_yuan_per_year": [3592.0, 7109.0],
            "harm_avoided": [500.0, 100.0], "harm_left_mean": [500.0, 400.0], "harm_left_low": [450.0, 350.0],
            "harm_left_high": [550.0, 450.0],
        }
    )  # fmt: skip
    store.write_table("purchases", purchases)
    left = pd.DataFrame([(r, y, 1000.0) for r in range(4) for y in years], columns=["replication", "year", "severity"])
    store.write_table("harm_left", left.assign(scenario="base", order=0))
    relief = pd.DataFrame(
        {
            "scenario": "base", "year": 2023, "site_id": ["S2"], "resource": "bed_girls", "units": 4,
            "harm_avoided_mean": 500.0, "harm_avoided_low": 450.0, "harm_avoided_high": 550.0, "cost_yuan": 70400.0,
            "order": 1, "cost_yuan_per_year": 3592.0, "moves_to": None, "harm_moved_mean": 0.0,
        }
    )  # fmt: skip
    store.write_table("relief", relief)
    return folder


@pytest.mark.parametrize("girls", [66, 3])
def test_what_was_tried_is_told_with_what_it_spares_unless_few_pupils_need_it(tmp_path: Path, girls: int) -> None:
    run = Run(with_purchases(sample_run(tmp_path / "tried", girls=girls)))
    text = said(run, "buy")
    assert "First 4 × girls' beds at First Junior: 70,400 yuan (3,592 yuan a year)." in text
    assert ("It spares 500 weighted pupil-days a year there." in text) == (girls > 4)
    assert "lower the harm of a year from 1,000 to 500 (450 – 550) weighted pupil-days" in text
    assert "The whole list (2) costs 7,109 yuan a year and leaves 400 (350 – 450)." in text
    assert "Whether to spend 3,592 yuan a year on purchases 1 to 1 of the list." in head.decisions(run, Hamlets(run))


def test_a_way_over_its_limit_is_the_ride_with_walk_and_wait(tmp_path: Path) -> None:
    """The sample bus takes 29 minutes; 3 to walk and 5 to wait make 37, 7 more than grade 1 may take."""
    folder = sample_run(tmp_path / "ways")
    places = pd.read_parquet(folder / "places.parquet").assign(mode="school_bus")
    places.to_parquet(folder / "places.parquet")
    run = Run(folder)
    row = hamlets.bus_ways(run).iloc[0]
    assert (row["hamlet_id"], row["door_min"], row["limit_min"], row["over_min"]) == ("H1", 37.0, 30.0, 7.0)
    assert "In 1 of the 1 hamlets" in said(run, "hamlets")
    cells = [cell.text for cell in Hamlets(run).table(5).rows[0]]
    assert cells[:2] == ["H1村", run.site("S1", short=True)]
    assert cells[4:7] == ["37", "30", "7"]
    older = Run(sample_run(tmp_path / "older", "fleet.limit_includes_walk_and_wait=false"))
    assert hamlets.bus_ways(older).empty, "nobody rides the bus in the sample"


def test_a_hamlet_is_moved_as_often_as_its_school_closes(tmp_path: Path) -> None:
    """H2 goes to S4, which closes in 2023, to S5 until that closes, and then to S1: grade 1 moves twice."""
    folder = sample_run(tmp_path / "moves")
    closures = pd.read_csv(folder / "closures.csv")
    closures["decision"] = "close"
    closures.to_csv(folder / "closures.csv", index=False)
    places = pd.read_parquet(folder / "places.parquet")
    moved = pd.concat([places.head(1)] * 3).assign(
        year=[2023, 2024, 2025], hamlet_id="H2", school_id=["S5", "S5", "S1"]
    )
    pd.concat([places, moved]).to_parquet(folder / "places.parquet")
    found = hamlets.moves(Run(folder))
    assert found.to_dict() == {"H2": 2}
    assert "In one hamlet this happens to the same grade more than once." in said(Run(folder), "hamlets")


def test_the_register_lists_what_is_assumed_and_what_was_set(folder: Path, run: Run) -> None:
    table = pd.read_csv(folder / "assumptions.csv")
    doubtful = table[table["kind"].isin(["assumed", "derived", "set"])]
    doubtful = doubtful[~doubtful["key"].str.startswith(("prices.", "limits.")) | (doubtful["kind"] == "set")]
    listed = [row for _, _, grid in register.setting_tables(run) for row in grid.rows]
    assert sorted(row[1].text for row in listed) == sorted(doubtful["key"])
    spare = next(row for row in listed if row[1].text == "fleet.spare_share")
    assert [cell.text for cell in spare[2:]] == [
        "0.3", "(share)", "set for this run", "usually 0.1 (assumption: one spare bus for ten)",
    ]  # fmt: skip
    assert f"{(table['kind'] == 'assumed').sum()} are assumed" in register.intro(run)


def test_every_assumed_setting_of_a_default_run_has_a_name_in_both_languages(run: Run) -> None:
    listed = [row[1].text for _, _, grid in register.setting_tables(run) for row in grid.rows]
    assert not [key for key in listed if not register.has_name(key) and not key.startswith("bands.")]
    groups = {key.partition(".")[0] for key in listed}
    assert not [group for group in groups if f"depends.{group}" not in glossary() or f"group.{group}" not in glossary()]


def test_a_run_of_an_earlier_version_says_that_its_assumptions_are_not_told(tmp_path: Path) -> None:
    folder = sample_run(tmp_path / "old")
    (folder / "assumptions.csv").unlink()
    text = report(folder).read_text(encoding="utf-8")
    assert "carries no assumptions.csv" in text
    assert "numbers in the settings are assumed" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_item_of_the_checklist_is_answered_from_the_run(tmp_path: Path, language: str) -> None:
    run = Run(sample_run(tmp_path / language, f"report.language={language}", "seed=7", years=2))
    grid = stress_des.checklist(run)
    assert [row[0].text for row in grid.rows] == [run.words(f"stress_des.{item}") for item in stress_des.ITEMS]
    assert [row[0].text.split()[0] for row in grid.rows] == sorted(row[0].text.split()[0] for row in grid.rows)
    told = {item: row[1].text for item, row in zip(stress_des.ITEMS, grid.rows, strict=True)}
    assert "7" in told["sampling"]
    assert "2023" in told["initialisation"]
    assert str(len(run.days)) in told["length"].replace(",", "")
    assert "{" not in "".join(told.values())


def test_the_method_says_whether_help_was_tried_and_what_was_not_checked(tmp_path: Path, run: Run) -> None:
    told, word = method.statement(run), Words("en")
    assert set(told) == set(method.PARTS)
    assert word("method.not_relieved") in told["how"]
    assert word("checked.not") in told["checked"]
    tried = Run(with_purchases(sample_run(tmp_path / "tried")))
    assert word("method.relieved") in method.statement(tried)["how"]


def test_what_is_not_known_is_told_at_the_head(folder: Path, run: Run) -> None:
    told = dict(head.unknown(run))
    kinds = pd.read_csv(folder / "assumptions.csv")["kind"].value_counts()
    doubtful = kinds["assumed"] + kinds["derived"]
    assert told["assumptions"].startswith(f"{doubtful} of {kinds.sum() - kinds['choice']} numbers")
    assert told["method"].startswith("6 of 39 school weeks are simulated a year, with 4 replications")
    assert "synthetic" in told


def test_sections_that_rest_on_made_up_data_say_so(page: str) -> None:
    note = Words("en")("made_up.note")
    sections = re.split(r'<h2 id="(\w+)">', page)
    tagged = {name for name, body in zip(sections[1::2], sections[2::2], strict=True) if note in body[:400]}
    assert {"county", "bottlenecks", "limits", "hamlets", "rides", "budget"} <= tagged
    assert not tagged & {"run", "method", "assumptions", "synthetic"}


class Details(HTMLParser):
    """Counts folded parts that hold nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.empty, self.rows = 0, 0, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "details":
            self.open, self.rows = self.open + 1, 0
        self.rows += tag in ("td", "a")

    def handle_endtag(self, tag: str) -> None:
        if tag == "details":
            self.empty += self.rows == 0


def test_folded_parts_hold_something_and_open_in_print(page: str) -> None:
    reader = Details()
    reader.feed(page)
    assert reader.open > 5
    assert not reader.empty
    assert "details::details-content { content-visibility: visible" in page


def test_one_year_and_replication_without_harm_or_budget_are_told_too(tmp_path: Path) -> None:
    folder = sample_run(tmp_path / "one", years=1, replications=1, harm=0.0)
    (folder / "budget.csv").unlink()
    run = Run(folder)
    assert said(run, "cost").startswith(Words("en")("head.cost_none"))
    assert "the only year of this run" in said(run, "years") or Words("en")("head.none_broken") in said(run, "years")
    assert "interval" not in said(run, "years")
    assert "1 replication." in " ".join(re.sub(r"<[^>]+>", " ", report(folder).read_text(encoding="utf-8")).split())
    assert dict(facts(run))["Replications"] == "1"
