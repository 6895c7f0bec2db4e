"""The sheet of a school can be read aloud, in both languages, and a public one shows no small group."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from living import planned_in
from sample_run import sample_run

from sim.account.close import close_costs
from sim.config import load
from sim.county import read_county
from sim.plan.tables import plan_tables
from sim.store import RunFolder
from sim.tell.answer import answer
from sim.tell.case import cases, file_of
from sim.tell.closing import missing, pages, story
from sim.tell.group import SchoolPlans
from sim.tell.handout import write_handouts
from sim.tell.run import Run
from sim.tell.sheet import _help, sheets
from sim.tell.sites import Sites
from sim.tell.unplaced import unplaced

SMALL = ("county=three_villages", "study.years=4", "plan=mean", "dine.lunch_share=1.0", "fleet.family_share=0.2")
THREE_VILLAGES = Path(__file__).parents[1] / "configs" / "county" / "three_villages"
IF_READY = "closure=plan_2023_if_ready"
TOO_FAR = "fleet.ride_limit_young_min=25"  # D is 21 minutes from C, and 8 more go for the stop
Sheet = dict[str, list[str]]


def planned(
    folder: Path, *overrides: str, hearing: str = "", kitchen: int = 12, of_d: dict[int, int] | None = None
) -> Run:
    """Return the files of a run of three villages that tell of its plan; no day of it is lived. of_d: D's, by grade."""
    shutil.copytree(THREE_VILLAGES, folder / "inputs")
    if hearing:
        table = f"school_id,year,result,condition,source\n{hearing}"
        (folder / "inputs" / "hearing.csv").write_text(table, encoding="utf-8")
    county = read_county(folder / "inputs")
    county = replace(county, schools=replace(county.schools, kitchen_meals=np.array([kitchen, 0])))
    if of_d is not None:
        pupils = county.pupils.copy()
        pupils[2] = [[of_d.get(grade, 0), 0] for grade in range(1, 10)]
        county = replace(county, pupils=pupils)
    settings = load([*SMALL, *overrides])
    files = RunFolder(folder)
    files.write_yaml("config.yaml", settings.model_dump(mode="json"))
    tables = plan_tables(settings, county, planned_in(county, settings).plan)
    for name, frame in (tables | close_costs(settings, county, tables)).items():
        files.write_table(name, frame.assign(scenario=settings.scenario))
    room = pd.DataFrame({"resource": ["classroom_seat", "kitchen", "bed_girls"], "capacity": [405.0, kitchen, 1.0]})
    rooms = [room.assign(year=year, site_id="C") for year in range(2023, 2027)]
    run = Run(folder)
    run.__dict__["resources"] = pd.concat(rooms)
    return run


def told(run: Run, language: str = "en", audience: str = "internal") -> Sheet:
    """Return what the sheet of T says by heading, with the verdict under its decision."""
    report = run.settings.report.model_copy(update={"language": language, "audience": audience})
    run.__dict__["settings"] = run.settings.model_copy(update={"report": report})
    run.__dict__.pop("words", None)
    page = sheets(run)["sheets/T.html"]
    return {
        page["decision"]: [page["verdict"]],
        "title": [page["title"]],
        **{head: said for _, head, said in page["parts"]},
    }


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run in which the teaching point's pupils have too long a way, so that it stays."""
    return planned(tmp_path_factory.mktemp("kept") / "base", IF_READY, TOO_FAR)


def test_a_school_that_stays_has_no_heading_of_one_that_closes(kept: Run) -> None:
    said = told(kept)
    assert said["keep"] == ["This school stays open."]
    assert "Where the pupils go, and how" not in said
    (way, *_) = said["Where the pupils would go if the school were closed"]
    assert way.startswith("The pupils of 丁村 would go to Central School. The way is 10.0 kilometres by road;")
    assert "Straight there, a bus takes 21 minutes." in way
    assert "that is 29 minutes from door to school" in way
    assert "The limit for grades 1 to 3 is 25 minutes: that is 4 too many." in way
    assert said["Teachers and other staff"] == ["The staff today: 1 teacher, 1 temporary worker.", "They stay."]


def test_it_says_why_it_is_listed_what_is_missing_what_helps_and_what_keeping_costs(kept: Run) -> None:
    said = told(kept)
    assert said["Why this school is on the list"] == [
        "In 2023 it is expected to have 3 pupils. The rule for 2023 closes schools with fewer than 10 pupils."
    ]
    ready = said["What is ready, and what is missing"]
    assert ready[:2] == ["There is a class place for every pupil.", "There is a meal for every pupil."]
    assert "by up to 5 minutes" in ready[2]
    assert "3 are needed, for 52,800 yuan in all" in ready[2]  # three pupils, a bed for 17,600 yuan each
    assert ready[3] == "The school closes only when this is ready."
    assert "194,840 yuan a year" in said["What it costs to keep the school"][0]  # see test_ready
    assert said["The hearing"][0].startswith("No hearing is on record yet.")


def test_a_public_sheet_tells_of_no_group_of_pupils(kept: Run) -> None:
    said = " ".join(text for part in told(kept, audience="public").values() for text in part)
    assert "10.0 kilometres" in said
    assert "fewer than 10 pupils" in said
    assert "at 17,600 yuan each" in said
    assert "190,000" in said, "194,840 yuan would tell that there are three pupils"
    assert not re.search(r"\bgrade [12]\b|\b3 pupils|52,800|3 are needed|room for", said)


@pytest.mark.parametrize("audience", ["public", "internal"])
def test_the_chinese_sheet_has_no_english_word(kept: Run, audience: str) -> None:
    said = told(kept, "zh", audience)
    assert said["title"] == ["丁村教学点 · Teaching Point D：一校一案"]
    assert not re.search(
        r"[A-Za-z]{2,}", " ".join(text for name, part in said.items() if name != "title" for text in part)
    )


def test_a_school_that_closes_says_how_all_travel_and_where_its_people_go(tmp_path: Path) -> None:
    said = told(planned(tmp_path / "base", IF_READY, hearing="T,2023,agreed,,synthetic: made up\n"))
    assert said["close"] == ["From autumn 2023 on, this school is closed."]
    way = said["Where the pupils go, and how"]
    assert "now the school is in the village. They go by school bus, or with their families." in way[0]
    # The run is planned to last as long as the straight way: D is its first stop, B's pupils are on it or another.
    assert re.search(r"The bus takes 2[12] minutes\. With 3 minutes to the stop and 5 minutes of waiting", way[0])
    assert "The limit for grades 1 to 3 is 30 minutes: it is kept." in way[0]
    assert "A family pays 40 yuan a month for a seat on the school bus." in way
    assert said["The hearing"] == ["The hearing for 2023 agreed."]
    assert said["Class places, meals and beds there"][0] == (
        "Central School has 405 class places, a kitchen for 12 lunches, 1 beds."
    )
    people = " ".join(said["Teachers and other staff"][1:])
    assert (
        sum(people.count(f"1 {post}") for post in ("teacher", "life teacher", "canteen worker", "warden", "guard")) == 2
    )
    assert said["If things turn out otherwise"] == ["This plan has no rule by which the school would open again."]
    assert "Year by year" not in said, "it happens at once"


def test_a_public_sheet_counts_no_small_group_among_those_without_a_meal(tmp_path: Path) -> None:
    run = planned(tmp_path / "base", IF_READY, kitchen=10)  # nine eat there already, and three come
    assert (
        "Meals are missing at the new school for 2 of the pupils." in told(run)["What is ready, and what is missing"][2]
    )
    public = told(run, audience="public")["What is ready, and what is missing"][2]
    assert "for fewer than 5 of the pupils." in public
    assert told(run, "zh", "public")["哪些已落实，还缺什么"][2].startswith(
        "用餐：接收学校食堂还有不到5人的餐食没有着落。"
    )


def test_a_stop_shared_with_another_hamlet_is_told(tmp_path: Path) -> None:
    """D's pupils may walk the 4 km to B; the limit counts the ride alone, and those of B would ride too long from D."""
    shared = ("fleet.stop_walk_km=5", "fleet.stop_walk_young_km=5", "fleet.limit_includes_walk_and_wait=false")
    limits = ("fleet.ride_limit_young_min=21.5", "fleet.ride_limit_older_min=21.5")
    run = planned(tmp_path / "base", IF_READY, *shared, *limits)
    rows = run.table("school_plans")[["stop_id", "stop_km"]].drop_duplicates().to_numpy().tolist()
    assert rows == [["B", 4.0]]
    way = told(run)["Where the pupils go, and how"][0]
    assert "The bus stops in 乙村, 4.0 kilometres on foot. The bus takes" in way
    assert "from door to school" not in way


def test_a_refused_hearing_and_a_later_one_that_agrees_are_told_year_by_year(tmp_path: Path) -> None:
    heard = "T,2023,refused,,synthetic: made up\nT,2024,conditional,meal,synthetic: made up\n"
    run = planned(
        tmp_path / "base", "closure=plan_2023", "closure.transition=top_grades_first", hearing=heard, kitchen=99
    )
    said = told(run)
    assert said["close"] == ["From autumn 2024 on, this school closes grade by grade. In autumn 2026 it is empty."]
    leaves = [
        f"From autumn {year} on, there is no grade {g} here any more." for year, g in ((2024, 3), (2025, 2), (2026, 1))
    ]
    assert said["Year by year"] == [
        "Autumn 2023: the school stays open. The hearing did not agree.",
        "Autumn 2024: the school is to close.",
        " ".join([*leaves, "In these years brothers and sisters may go to two schools."]),
    ]
    assert said["The hearing"] == [
        "The hearing for 2023 said no.",
        "The hearing for 2024 agreed on a condition: every pupil needs a meal.",
    ]
    assert "They stay until the school is empty in autumn 2026." in said["Teachers and other staff"]


@pytest.mark.parametrize(("grade", "empty"), [(3, 2023), (2, 2024)])
def test_a_school_that_closes_grade_by_grade_is_empty_when_nobody_is_left(
    tmp_path: Path, grade: int, empty: int
) -> None:
    """All three are in one grade; once they have left, the plan closes the school (see test_ready), before 2025."""
    run = planned(tmp_path / "base", "closure=plan_2023", "closure.transition=top_grades_first", of_d={grade: 3})
    assert run.attended.get("T", set()) == set(range(2023, empty))
    said = told(run)
    verdict, staff = said["close"][0], said["Teachers and other staff"]
    if empty == 2023:
        assert verdict == "From autumn 2023 on, this school is closed."
        assert "Year by year" not in said
    else:
        assert verdict.endswith("In autumn 2024 it is empty.")
        assert "From autumn 2024 on, there is no grade 1 here any more." in said["Year by year"][-1]
    assert ("They stay until the school is empty in autumn 2024." in staff) == (empty == 2024)
    moved = run.posts[run.posts["from_school_id"] == "T"]
    assert moved["year"].min() == empty
    assert sum("New work at Central School" in text or "No new post yet" in text for text in staff) == 2


def test_a_school_kept_by_its_hearing_moves_nobody(tmp_path: Path) -> None:
    said = told(planned(tmp_path / "base", IF_READY, hearing="T,2023,refused,,synthetic: made up\n"))
    assert said["The hearing"] == ["The hearing for 2023 said no.", "So the school stays."]
    assert not [name for name in said if name.startswith("Where the pupils")]
    assert said["If things turn out otherwise"][0].startswith("The school stays until another hearing agrees.")


def test_a_school_that_opens_again_says_so_and_the_report_counts_it(tmp_path: Path) -> None:
    """All have a meal in 2023; the forecast of 2024 has one pupil more at C than it can feed."""
    run = planned(tmp_path / "base", IF_READY, "closure.reopen=true", "plan.basis=p80", kitchen=13)
    decided = run.table("closures")[["year", "decision"]].to_numpy().tolist()
    assert [decision for _, decision in decided] == ["close", "reopen"]
    year = decided[1][0]
    said = told(run)
    assert said["reopen"] == [f"This school opens again in autumn {year}."]
    assert said["Year by year"][1] == f"Autumn {year}: the school opens again. Meals are missing."
    assert said["Where the pupils come back from"][0].startswith("The pupils of 丁村 come back from Central School.")
    assert said["Teachers and other staff"][-1] == "They come back to this school."
    assert "In the end 0 close, 0 stay open, and 1 close and open again." in story(run)[0]
    assert story(run)[1] == "Those that open again mostly lack a meal."
    assert pages(run) == [("Open again (1):", [("Teaching Point D", "sheets/T.html")])]


def test_help_of_two_kinds_is_told_with_what_both_cost(kept: Run) -> None:
    """A public page has no price: 14,200 yuan can only be ten meals and one seat."""
    both = "kitchen meals at the receiving school; canteen seats at the receiving school"
    row = pd.Series({"relief": both, "relief_units": 11, "relief_cost_yuan": 10 * 1000 + 4200})
    for audience, cost in (("internal", ", for 14,200 yuan in all"), ("public", "")):
        told(kept, audience=audience)
        (case,) = cases(kept)
        kinds = "a larger kitchen at the receiving school, canteen seats at the receiving school"
        assert _help(case, row) == f" The cheapest help: {kinds}{cost}."


def test_the_report_says_what_fails_most_and_what_help_costs(kept: Run) -> None:
    told(kept, audience="internal")
    said = story(kept)
    assert said[0] == "Rules and lists name 1 schools. In the end 0 close, 1 stay open, and 0 close and open again."
    assert said[1] == "Of 1 that were tested, 0 were ready at once."
    assert "a ride within the limit or a bed (1 schools)" in said[2]
    assert "52,800 yuan once; keeping them open ties up 194,840 yuan a year" in said[3]
    assert [[str(cell) for cell in row] for row in missing(kept).rows] == [
        ["a ride within the limit or a bed", "1", "1", "52,800 yuan"]
    ]
    told(kept, audience="public")
    assert "52,800" not in " ".join(story(kept)), "it would tell that three pupils need a bed"
    assert str(missing(kept).rows[0][3]) == "*"


def test_two_ids_never_share_a_page() -> None:
    ids = ("会昌一小", "筠门岭小", "a/b", "a_b", "a%2Fb", "a b", "..")
    names = [file_of(school).removeprefix("sheets/") for school in ids]
    assert names[:3] == ["会昌一小.html", "筠门岭小.html", "a%2Fb.html"]
    assert len(set(names)) == len(ids)
    assert not any("/" in name for name in names)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("audience", ["public", "internal"])
def test_the_report_tells_of_pupils_without_a_place(tmp_path: Path, language: str, audience: str) -> None:
    found = Run(sample_run(tmp_path / "base", f"report.language={language}", f"report.audience={audience}"))
    assert unplaced(found) == [], "everybody has a place"
    rows = [(2023, 7.0, "ride"), (2023, 2.0, "class_place"), (2024, 8.9, "ride")]
    rows += [(2024, 3.0, "no open receiving school takes grade 7"), (2024, 1.0, "no road")]
    table = pd.DataFrame(rows, columns=["year", "pupils", "constraint"])
    found.__dict__["table"] = lambda name: table.copy() if name == "unplaced" else Run.table(found, name)
    over, none = unplaced(found)
    words = found.words
    ride, room = words.term("constraint", "ride"), words.term("constraint", "class_place")
    assert "9" in over
    assert "2023" in over
    assert (f"{ride} 7" in over, f"{room} 2" in over) == ((audience == "internal"),) * 2
    assert (f"{room} <5" in over) == (audience == "public")
    assert ("<5" in none) == (audience == "public")
    assert (f"{words.term('constraint', 'no open receiving school')} 3" in none) == (audience == "internal")
    assert all(sentence in answer(found) for sentence in (over, none))
    assign = found.settings.assign.model_copy(update={"refused": "unplaced"})
    found.__dict__["settings"] = found.settings.model_copy(update={"assign": assign})
    assert unplaced(found) == [over, none], "without the rule `capacity` they go to school all the same"
    assign = assign.model_copy(update={"rule": "capacity"})
    found.__dict__["settings"] = found.settings.model_copy(update={"assign": assign})
    (all_of_them,) = unplaced(found)
    assert ride in all_of_them


def groups_of(run: Run, audience: str) -> list[tuple[str, list[list[str]]]]:
    """Return the table of the sheet of T as text: who, and the cells of each way."""
    told(run, audience=audience)
    groups = sheets(run)["sheets/T.html"]["groups"]
    return [(who, [[str(cell) for cell in cells] for cells in ways]) for who, ways in groups]


def test_those_worst_off_stand_first_and_a_public_page_names_no_grade_of_few(tmp_path: Path) -> None:
    """B's grade 2 has no school; D's six ride 30 minutes, by the run; A's one walks 2 km, which takes 27."""
    run = planned(tmp_path / "base", IF_READY)
    (row,) = run.table("school_plans").to_dict("records")
    none = dict.fromkeys(("walk", "family", "line_bus", "school_bus", "lodge"), 0.0)
    rows = [
        row | none | {"hamlet_id": "A", "grades": "1", "pupils": 1.0, "km": 2.0, "walk": 1.0, "stop_id": None},
        row | {"pupils": 6.0},
        row | none | {"hamlet_id": "B", "grades": "2", "pupils": 2.0, "to_school_id": None, "stop_id": None},
    ]
    run.folder.write_table("school_plans", pd.DataFrame(rows))
    internal, public = groups_of(run, "internal"), groups_of(run, "public")
    grades = row["grades"].replace("-", "–")
    assert [who for who, _ in internal] == [
        "乙村, grade 2, 2 pupils → no school",
        f"丁村, grade {grades}, 6 pupils → Central School",
        "甲村, grade 1, 1 pupils → Central School",
    ]
    assert [who for who, _ in public] == [
        "乙村 → no school",
        f"丁村, grade {grades} → Central School",
        "甲村 → Central School",
    ]
    now, bus, family = internal[1][1]
    assert now[:6] == ["Now: on foot", "0.0", "08:20", "08:20", "0", "16:30"]
    assert re.match(r"Then: school bus, a seat on run in-01, \d\d%", bus[0])
    assert family[2:5] == ["07:59", "08:20", "21"], "with the family straight: 20.1 minutes before the bell at 8:20"
    assert internal[2][1][1][:6] == ["Then: on foot", "2.0", "07:53", "08:20", "27", "16:57"]
    assert not re.search(r"\d\d%", str(public))


def test_a_bed_that_more_ask_for_than_there_are_is_not_promised(tmp_path: Path) -> None:
    run = planned(tmp_path / "base", IF_READY, "lodge.from_grade=1", "lodge.primary_share=1")
    run.__dict__["resources"]["demand_peak"] = 1.0
    bed_of = {line[0].partition(",")[0]: line[6] for _, ways in groups_of(run, "internal") for line in ways}
    assert bed_of["Then: lodging"] == "a bed"
    assert bed_of["Now: on foot"] == "–"
    run.__dict__["resources"]["demand_peak"] = 2.0
    bed_of = {line[0].partition(",")[0]: line[6] for _, ways in groups_of(run, "internal") for line in ways}
    assert bed_of["Then: lodging"].startswith("not sure")


def test_other_plans_and_the_buildings_are_told(tmp_path: Path) -> None:
    run = planned(tmp_path / "base", IF_READY)
    other = {"scenario": "base", "year": 2023, "alternative": 1, "hamlet_id": "D", "grade": 2, "pupils": 2.0}
    other |= {"school_id": "C", "minutes": 30.5, "instead_of": "C", "worse_by": 0.042, "pupils_elsewhere": 2.0}
    run.folder.write_table("alternatives", pd.DataFrame([other]))
    said = told(run)
    assert said["Other schools that were looked at"][-1] == (
        "Another plan for 2023 (no. 1) would send some pupils of 丁村 to Central School, 31 minutes by car. "
        "It was not chosen: the ways of all together are 4.2% longer."
    )
    campus = run.table("campuses").query("school_id == 'T'").sort_values("year")
    assert said["The school's buildings"][0].startswith(f"The buildings have {campus['area_m2'].iloc[0]:,.0f} m²")
    changes = campus[["status", "use", "reason"]].fillna("").drop_duplicates()
    assert len(said["The school's buildings"]) == 1 + len(changes)


def test_each_school_has_its_page(kept: Run) -> None:
    kept.folder.write_manifest(replications=1)
    write_handouts(Sites(SchoolPlans(kept)), made_up=True)
    names = sorted(file.name for file in (kept.path / "sheets").iterdir())
    assert names == ["T.html", "annexes.html", "annexes.xlsx", "township_V.html"]
    assert "<h1>" in (kept.path / "sheets" / "T.html").read_text(encoding="utf-8")
