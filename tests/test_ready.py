"""Conditions of a closure: a class place, a legal ride or a bed, a meal; who is not ready stays, and why is told."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim.account.close import close_costs, keep_cost, relief_cost
from sim.config import Settings, load
from sim.county import County, read_county, travel
from sim.errors import BadInput
from sim.plan import Closures, Forecast, Places, enrol
from sim.plan.assign import UNPLACED_COLUMNS
from sim.plan.choice import alternatives
from sim.plan.close import close_and_place
from sim.plan.ready import Finding, findings
from sim.plan.remedy import BEDS, CLASSES, Remedy, together
from sim.plan.rule import rules
from sim.plan.school_plan import Decision, decisions_table, grounds
from sim.tables import as_declared, run_table

C, T = range(2)
D = 2
ABOARD = (19 + 2.6) / 60
"""Minutes that a pupil takes to get on; they count against the limit, too."""
IF_READY = "closure=plan_2023_if_ready"
THREE_VILLAGES = Path(__file__).parents[1] / "configs" / "county" / "three_villages"


@cache
def settings(*overrides: str) -> Settings:
    return load(["county=three_villages", "plan=mean", "study.years=3", "dine.lunch_share=1.0", *overrides])


def decide(county: County, *overrides: str) -> tuple[Closures, tuple[Places, ...]]:
    """Close and place with today's pupils in every year."""
    chosen = settings(*overrides)
    years = enrol.forecast(county, chosen).years
    same = np.repeat(county.pupils[None].astype(float), len(years), axis=0)
    return close_and_place(county, chosen, travel(county.roads, chosen.road), Forecast(years, same, same.copy()))


def costs(county: County, closed: Closures) -> dict[str, pd.DataFrame]:
    """Return the tables of closures with what things cost."""
    nobody = pd.DataFrame(columns=list(UNPLACED_COLUMNS))
    planned = {"closures": closed.decisions, "grounds": closed.grounds, "unplaced": nobody}
    return close_costs(settings(), county, planned)


def told(closed: Closures) -> list[tuple]:
    rows = closed.decisions[["year", "school_id", "decision", "condition_failed", "shortfall", "unit"]]
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in rows.itertuples(index=False)]


def with_schools(county: County, **columns: object) -> County:
    return replace(county, schools=replace(county.schools, **columns))


def heard(county: County, *rows: tuple) -> County:
    frame = pd.DataFrame(rows, columns=["school_id", "year", "result", "condition"])
    return replace(county, tables={**county.tables, "hearing": frame})


def test_a_school_closes_when_everything_is_there(three_villages: County) -> None:
    # C has 9 rooms for 12 pupils, 12 meals; D is 21 + 8.36 minutes from C, under the 30 of grades 1 to 3.
    closed, placed = decide(three_villages, IF_READY)
    assert told(closed) == [(2023, "T", "close", None, None, None)]
    assert (placed[0].school[D] == C).all()


def test_a_way_over_the_limit_keeps_the_school_open(three_villages: County) -> None:
    closed, placed = decide(three_villages, IF_READY, "fleet.ride_limit_young_min=25")
    assert told(closed) == [(2023, "T", "keep", "ride_or_bed", pytest.approx(4.0 + ABOARD), "minute")]
    assert closed.open.all()
    assert (placed[0].school[D, :3] == T).all()
    row = closed.decisions.iloc[0]
    assert row.cheapest_relief == "beds in service mode"
    assert costs(three_villages, closed)["closures"]["relief_cost_yuan"].tolist() == [3 * 17600]


def test_what_is_not_required_is_told_and_the_school_closes(three_villages: County) -> None:
    closed, _ = decide(three_villages, "closure=plan_2023", "fleet.ride_limit_young_min=25")
    assert told(closed) == [(2023, "T", "close", "ride_or_bed", pytest.approx(4.0 + ABOARD), "minute")]
    assert not closed.open[:, T].any()


def test_a_bed_takes_the_place_of_a_legal_ride(three_villages: County) -> None:
    # Grades 1 to 3 of D: three pupils; girls and boys have two beds each, then one each.
    short = ("fleet.ride_limit_young_min=25", "lodge.service_mode=true")
    girls = int(three_villages.pupils[D, :3, 0].sum())
    assert girls in (1, 2)
    many, few = (with_schools(three_villages, beds=np.array([[each, each], [0, 0]])) for each in (2, 1))
    assert told(decide(many, IF_READY, *short)[0])[0][2] == "close"
    closed = decide(few, IF_READY, *short)[0]
    assert told(closed)[0] == (2023, "T", "keep", "ride_or_bed", 1.0, "bed")
    assert costs(few, closed)["closures"]["relief_cost_yuan"][0] == 17600


@pytest.mark.parametrize("swept", ["lodge.beds=2", "lodge.beds_scale=0", "dine.seats_scale=0", "dine.kitchen_scale=9"])
def test_a_sweep_over_beds_and_meals_changes_no_closure_and_no_place(three_villages: County, swept: str) -> None:
    short = ("fleet.ride_limit_young_min=25", "lodge.service_mode=true")
    county = with_schools(three_villages, kitchen_meals=np.array([11, 0]))
    for chosen in ((IF_READY, *short), (IF_READY,), ("closure=plan_2023", "assign=capacity", *short)):
        plain, other = decide(county, *chosen), decide(county, *chosen, swept)
        pd.testing.assert_frame_equal(plain[0].decisions, other[0].decisions)
        for one, same in zip(plain[1], other[1], strict=True):
            np.testing.assert_array_equal(one.school, same.school)
            pd.testing.assert_frame_equal(one.unplaced, same.unplaced)


@pytest.mark.parametrize(("kitchen", "short"), [(12, None), (11, 1.0), (9, 3.0)])
def test_every_pupil_needs_a_meal(three_villages: County, kitchen: int, short: float | None) -> None:
    # All 12 pupils of the county eat at C then; only the three who come anew can miss a meal by the closing.
    closed, _ = decide(with_schools(three_villages, kitchen_meals=np.array([kitchen, 0])), IF_READY)
    expected = ("close", None, None, None) if short is None else ("keep", "meal", short, "meal")
    assert told(closed)[0][2:] == expected


def test_every_pupil_needs_a_class_place(three_villages: County) -> None:
    small = ("dine.class_size=1",)  # nine rooms for one pupil each, and nine are there already
    closed, _ = decide(three_villages, IF_READY, *small)
    assert told(closed)[0][2:] == ("keep", "class_place", 3.0, "pupil")


def with_a_third_school(county: County, **columns: object) -> County:
    """Add a school U like T, with the given columns."""
    schools = county.schools
    grown = {
        name: np.concatenate([getattr(schools, name), getattr(schools, name)[[T]]])
        for name in schools.__dataclass_fields__
        if isinstance(getattr(schools, name), np.ndarray)
    }
    texts = {name: (*getattr(schools, name), getattr(schools, name)[T]) for name in ("name_zh", "name_en", "kind")}
    return replace(county, schools=replace(schools, id=("C", "T", "U"), **{**grown, **texts, **columns}))


def with_a_second_point(county: County, pupils_at_u: int) -> County:
    """Add a second teaching point U at D's node, with first graders of a hamlet E there."""
    hamlets = county.hamlets
    more = {
        name: np.concatenate([getattr(hamlets, name), getattr(hamlets, name)[[D]]])
        for name in hamlets.__dataclass_fields__
        if isinstance(getattr(hamlets, name), np.ndarray) and name != "school"
    }
    names = {name: (*getattr(hamlets, name), getattr(hamlets, name)[D]) for name in ("name_zh", "kind")}
    pupils = np.concatenate([county.pupils, np.zeros((1, 9, 2), dtype=np.int64)])
    pupils[3, 0, 0] = pupils_at_u
    return replace(
        with_a_third_school(county),
        hamlets=replace(hamlets, id=("A", "B", "D", "E"), school=np.array([C, C, T, 2]), **more, **names),
        pupils=pupils,
    )


def test_of_two_schools_that_want_the_same_places_the_smaller_closes(three_villages: County) -> None:
    """U has one pupil; there is room for one at C."""
    county = with_a_second_point(three_villages, 1)
    county = with_schools(county, kitchen_meals=np.array([10, 0, 0]))  # nine eat at C already
    closed, placed = decide(county, IF_READY)
    assert told(closed) == [
        (2023, "T", "keep", "meal", 3.0, "meal"),
        (2023, "U", "close", None, None, None),
    ]
    assert placed[0].school[3, 0] == C


def test_schools_that_fail_together_are_tried_one_by_one(three_villages: County) -> None:
    """The last two meals at C go to D's two in grade 2, whose way is shorter: T (three pupils) and U (two) both fail.

    U, tried first as the smaller, closes alone; T then finds no meal for three.
    """
    county = with_a_second_point(three_villages, 2)
    pupils = county.pupils.copy()
    pupils[D, :3] = [[1, 0], [1, 1], [0, 0]]
    near_c = county.hamlets.node.copy()
    near_c[D] = near_c[1]
    hamlets = replace(county.hamlets, node=near_c)
    county = replace(with_schools(county, kitchen_meals=np.array([11, 0, 0])), hamlets=hamlets, pupils=pupils)
    closed, placed = decide(county, IF_READY, "assign=capacity", "assign.gap=0.0")
    rows = [row[:4] for row in told(closed) if row[0] == 2023]
    assert rows == [(2023, "T", "keep", "meal"), (2023, "U", "close", None)]
    assert placed[0].school[3, 0] == C
    assert placed[0].unplaced.empty


def test_a_school_too_far_from_all_others_closes_when_its_neighbour_stays(three_villages: County) -> None:
    """C is 21 and more minutes from D, the limit is 20. U, beside T, takes T's pupils; its own have nowhere to go."""
    county = with_schools(with_a_second_point(three_villages, 2), receives=np.array([True, False, True]))
    closed, placed = decide(county, IF_READY, "fleet.ride_limit_young_min=20")
    rows = [row[:4] for row in told(closed) if row[0] == 2023]
    assert rows == [(2023, "T", "close", None), (2023, "U", "keep", "ride_or_bed")]
    assert set(placed[0].school[D, :2]) == {2}


def test_what_stops_a_closure_is_what_stops_the_places(three_villages: County) -> None:
    """The lists name the same limit, and the shortfalls of the groups add up to that of the school."""
    for limits, constraint, condition, columns, units in (
        (("dine.class_size=1",), "class_place", "class_place", {}, 3),
        (("fleet.ride_limit_young_min=25",), "ride", "ride_or_bed", {}, 3),
        ((), "meal", "meal", {"kitchen_meals": np.array([9, 0])}, 3),
        ((), "meal", "meal", {"canteen_seats": np.array([2, 0])}, 2),  # a part of a seat for each of two grades
    ):
        county = with_schools(three_villages, **{"kitchen_meals": np.array([99, 0]), **columns})
        closed, placed = decide(county, "closure=plan_2023", "assign=capacity", *limits)
        row, listed = closed.decisions.iloc[0], placed[0].unplaced
        assert row["decision"] == "close"
        assert set(listed["constraint"]) == {constraint}
        assert row["condition_failed"] == condition
        assert listed["pupils"].sum() == 3
        assert row["shortfall"] == pytest.approx(4.0 + ABOARD if constraint == "ride" else listed["shortfall"].sum())
        assert costs(county, closed)["closures"]["relief_cost_yuan"].item() > 0
        assert closed.grounds.set_index("ground")["relief_units"][condition] == units
        assert listed["relief"].str.startswith(tuple("123")).all()


@pytest.mark.parametrize("fleet", ["fleet.buses=0", "fleet.scale=0.0"])
def test_a_county_without_any_bus_has_no_ride(three_villages: County, fleet: str) -> None:
    """D's three are too far to walk, and their families bring none of them."""
    none_brought = ("fleet.family_share=0.0", "fleet.line_bus_share=0.0", "fleet.buses=1")
    assert told(decide(three_villages, IF_READY, *none_brought)[0])[0][2] == "close"
    closed, _ = decide(three_villages, IF_READY, *none_brought, fleet)
    assert told(closed)[0] == (2023, "T", "keep", "ride_or_bed", 3.0, "rider")
    assert closed.decisions["cheapest_relief"][0] == "buses"


TO_ALL = {"receives": np.array([True, False, True]), "first_grade": np.array([1, 1, 1])}
ONE_GRADE = {**TO_ALL, "last_grade": np.array([9, 3, 1])}
NONE_FOR_BOTH = {**ONE_GRADE, "first_grade": np.array([2, 1, 1])}
ONE_PLACE = {**TO_ALL, "classrooms": np.array([99, 0, 1]), "lived": np.array([True, False, True])}
BY_PLACES = ("assign=capacity", "assign.keep=[class_place]", "dine.class_size=1")


@pytest.mark.parametrize(
    ("columns", "rule", "to", "why"),
    [
        (TO_ALL, ("assign=nearest",), {"1-2": "U"}, None),
        (ONE_GRADE, ("assign=nearest",), {"1": "U", "2": "C"}, "nearer"),
        (NONE_FOR_BOTH, ("assign=own_township",), {"1": "U", "2": "C"}, "grades"),
        (ONE_PLACE, BY_PLACES, {"1-2": "C"}, None),
        (ONE_PLACE, (*BY_PLACES, "assign.split_pupil_min=0.0"), {"1": "U", "2": "C"}, "room"),
    ],
)
def test_brothers_and_sisters_stay_together_or_it_is_told_why_not(
    three_villages: County, columns: dict[str, object], rule: tuple[str, ...], to: dict[str, str], why: str | None
) -> None:
    """D has one pupil in grade 1 and two in grade 2. U stands in B, on the way to C, for all grades, one, or one pupil.

    Apart, one pupil saves the 9 minutes from B to C; the split weighs 60 pupil-minutes.
    """
    nodes = np.append(three_villages.schools.node, three_villages.hamlets.node[1])
    county = with_a_third_school(three_villages, node=nodes, **columns)
    closed, placed = decide(county, "closure=none", "closure.named=[{school_id: T, year: 2023}]", *rule)
    plans = closed.school_plans
    assert dict(zip(plans["grades"], plans["to_school_id"], strict=True)) == to
    assert [None if pd.isna(each) else each for each in plans["split"]] == [why] * len(to)
    assert placed[0].unplaced.empty


def test_a_conditional_hearing_asks_for_what_it_names(three_villages: County) -> None:
    late = "fleet.ride_limit_young_min=25"
    for condition, decision in (("ride_or_bed", "keep"), (None, "keep"), ("meal", "close")):
        county = heard(three_villages, ("T", 2023, "conditional", condition))
        assert told(decide(county, "closure=plan_2023", late)[0])[0][2] == decision


@pytest.mark.parametrize(
    ("row", "decision"), [("conditional,", "keep"), ("conditional,ride_or_bed", "keep"), ("conditional,meal", "close")]
)
def test_a_hearing_read_from_its_file_that_names_nothing_asks_for_all(tmp_path: Path, row: str, decision: str) -> None:
    folder = tmp_path / "county"
    shutil.copytree(THREE_VILLAGES, folder)
    head = "school_id,year,result,condition,source"
    (folder / "hearing.csv").write_text(f"{head}\nT,2023,{row},synthetic: made up\n", encoding="utf-8")
    closed, _ = decide(read_county(folder), "closure=plan_2023", "fleet.ride_limit_young_min=25")
    assert told(closed)[0][2] == decision


def test_a_junior_school_closes_only_when_its_pupils_are_provided_for(three_villages: County) -> None:
    """T is the junior school of all hamlets, whose own school C ends with grade 6; nobody else teaches A7, B8, D8."""
    junior = {"first_grade": np.array([1, 7]), "last_grade": np.array([6, 9]), "receives": np.array([True, True])}
    county = with_schools(three_villages, kind=("central_primary", "junior"), **junior)
    county = replace(county, hamlets=replace(county.hamlets, school=np.array([C, C, C])))
    rule = ("closure.steps=[]", "closure.named=[{school_id: T, year: 2023}]")
    kept, _ = decide(county, IF_READY, *rule)
    assert told(kept) == [(2023, "T", "keep", "class_place", 3.0, "pupil")]
    closed, _ = decide(county, "closure=plan_2023", *rule)
    assert told(closed) == [(2023, "T", "close", "class_place", 3.0, "pupil")]
    plans = closed.school_plans[["school_id", "hamlet_id", "grades", "pupils"]].to_numpy().tolist()
    assert plans == [["T", "A", "7", 1.0], ["T", "B", "8", 1.0], ["T", "D", "8", 1.0]]


def test_pupils_received_from_a_school_closed_before_count_like_its_own(three_villages: County) -> None:
    """C closes in 2023 and its nine go on to T, which then cannot close in 2024: twelve would have no school."""
    columns = {"receives": np.array([True, True]), "last_grade": np.array([9, 9])}
    county = with_schools(three_villages, kind=("nine_year", "nine_year"), **columns)
    named = "closure.named=[{school_id: C, year: 2023}, {school_id: T, year: 2024}]"
    closed, placed = decide(county, "closure=plan_2023", "closure.steps=[]", named)
    assert (placed[0].school == T).all()
    assert told(closed)[1] == (2024, "T", "close", "class_place", 12.0, "pupil")
    assert closed.school_plans.query("school_id == 'T'")["pupils"].sum() == 12


def test_a_school_that_was_not_ready_closes_when_it_is(three_villages: County) -> None:
    project = pd.DataFrame({"project_id": ["p"], "school_id": ["C"], "year": [2025], "adds": ["kitchen_meals"]})
    county = with_schools(three_villages, kitchen_meals=np.array([9, 0]))
    county = replace(county, projects=project.assign(quantity=3, cost_yuan=np.nan))
    closed, _ = decide(county, IF_READY)
    assert [row[:3] for row in told(closed)] == [(2023, "T", "keep"), (2025, "T", "close")]
    np.testing.assert_array_equal(closed.open[:, T], [True, True, False])


@pytest.mark.parametrize("reopen", [True, False])
def test_a_closed_school_opens_again_when_its_condition_fails(three_villages: County, reopen: bool) -> None:
    chosen = settings(IF_READY, f"closure.reopen={str(reopen).lower()}")
    years = enrol.forecast(three_villages, chosen).years
    pupils = np.repeat(three_villages.pupils[None].astype(float), len(years), axis=0)
    pupils[1, 0, 0, 0] += 2  # two more eat at C in the second year: two of D's three go without
    ways = travel(three_villages.roads, chosen.road)
    closed, placed = close_and_place(three_villages, chosen, ways, Forecast(years, pupils, pupils.copy()))
    rows = [row[:5] for row in told(closed)]
    if not reopen:
        assert rows == [(2023, "T", "close", None, None)]
        return
    assert rows == [(2023, "T", "close", None, None), (2024, "T", "reopen", "meal", 2.0)]
    np.testing.assert_array_equal(closed.open[:, T], [False, True, True])
    assert [int(year.school[D, 0]) for year in placed] == [C, T, T]
    assert placed[1].reason[D, 0].startswith("the school is open again; attended today: 丁村教学点")
    assert placed[0].reason[D, 0].startswith("own township")
    rows = closed.school_plans[["year", "school_id", "to_school_id"]].to_numpy().tolist()
    assert rows == [[2023, "T", "C"], [2024, "T", "C"]], "where they go, then where they come back from"


@pytest.mark.parametrize(
    ("transition", "left"),
    [
        ("at_once", [[], [], []]),
        ("top_grades_first", [[1, 2], [1], []]),
        ("no_new_entrants", [[2, 3], [], []]),  # nobody would be left in grade 3
    ],
)
def test_a_school_may_close_grade_by_grade(three_villages: County, transition: str, left: list[list[int]]) -> None:
    closed, placed = decide(three_villages, "closure=plan_2023", f"closure.transition={transition}")
    for k, grades in enumerate(left):
        assert [g + 1 for g in range(9) if closed.taught[k, T, g]] == grades
        assert closed.open[k, T] == bool(grades)
        assert [g + 1 for g in range(9) if placed[k].school[D, g] == T] == grades
        assert placed[k].unplaced.empty
    assert told(closed)[0][:3] == (2023, "T", "close")


GRADE_BY_GRADE = {
    "at_once": [(2023, "1-2", 3.0)],
    "top_grades_first": [(2024, "2", 2.0), (2025, "1", 1.0)],  # nobody is in grade 3, which goes first
    "no_new_entrants": [(2023, "1", 1.0), (2024, "2", 2.0)],
}


@pytest.mark.parametrize("transition", GRADE_BY_GRADE)
def test_the_plan_of_a_school_names_the_grades_in_the_year_they_leave(three_villages: County, transition: str) -> None:
    closed, _ = decide(three_villages, "closure=plan_2023", f"closure.transition={transition}")
    plans = closed.school_plans
    assert list(plans[["year", "grades", "pupils"]].itertuples(index=False, name=None)) == GRADE_BY_GRADE[transition]
    assert set(plans["school_id"]) == {"T"}
    assert set(plans["to_school_id"]) == {"C"}
    assert told(closed) == [(2023, "T", "close", None, None, None)], "closures.csv tells the decision once"


def test_a_school_that_closes_grade_by_grade_ends_when_nobody_is_left(three_villages: County) -> None:
    """All three are in grade 3, which leaves first: nothing keeps T open for the first graders that may come later."""
    pupils = three_villages.pupils.copy()
    pupils[D], pupils[D, 2, 0] = 0, 3
    county = replace(three_villages, pupils=pupils)
    closed, placed = decide(county, "closure=plan_2023", "closure.transition=top_grades_first")
    assert not closed.open[:, T].any()
    assert not any((year.school == T).any() for year in placed)


def test_a_school_that_has_not_opened_does_not_close(three_villages: County) -> None:
    county = with_schools(three_villages, opens_year=np.array([2000, 2030]))
    assert told(decide(county, "closure=plan_2023")[0]) == []


def test_an_unknown_school_in_the_list_is_refused(three_villages: County) -> None:
    with pytest.raises(BadInput, match="'X9' is no school"):
        decide(three_villages, "closure=none", "closure.named=[{school_id: X9, year: 2023}]")


def test_closing_the_only_school_lists_every_pupil_and_loses_none(three_villages: County) -> None:
    closed, placed = decide(three_villages, "closure=none", "closure.named=[{school_id: C, year: 2023}]")
    assert placed[0].unplaced["pupils"].sum() == 9
    assert told(closed)[0] == (2023, "C", "close", "class_place", 9.0, "pupil")
    kept, _ = decide(three_villages, "closure.named=[{school_id: C, year: 2023}]", IF_READY, "closure.steps=[]")
    assert told(kept) == [(2023, "C", "keep", "class_place", 9.0, "pupil")]


def test_every_condition_of_a_decision_is_told(three_villages: County) -> None:
    """The way is 4 minutes too long, two of three meals are missing, a class place is there; only the meal counts."""
    county = with_schools(three_villages, kitchen_meals=np.array([10, 0]))
    late = "fleet.ride_limit_young_min=25"
    closed, _ = decide(county, "closure=plan_2023", "closure.conditions=[meal]", late)
    columns = ["ground", "required", "met", "value", "unit", "relief_units", "relief_cost_yuan"]
    grounds = costs(county, closed)["grounds"][columns]
    rows = [tuple(None if pd.isna(x) else x for x in row) for row in grounds.itertuples(index=False)]
    assert rows == [
        ("size", 1, 1, 3.0, "pupil", None, None),
        ("class_place", 0, 1, None, None, None, None),
        ("ride_or_bed", 0, 0, pytest.approx(4.0 + ABOARD), "minute", 3, 3 * 17600.0),
        ("meal", 1, 0, 2.0, "meal", 2, 2 * 1000.0),
    ]


def test_of_two_findings_of_one_condition_both_tables_tell_the_first(three_villages: County) -> None:
    found = [Finding("ride_or_bed", short, unit, "") for short, unit in ((3.0, "rider"), (4.0, "minute"))]
    decided = [Decision(2023, T, "close", found, np.ones(3, dtype=bool), 3.0)]
    facts = three_villages, settings()
    first = decisions_table(*facts, decided).iloc[0]
    assert (first.shortfall, first.unit) == (3.0, "rider")
    told = grounds(*facts, rules(*facts, enrol.forecast(*facts)), decided).set_index("ground").loc["ride_or_bed"]
    assert (told.value, told.unit) == (3.0, "rider")


def test_help_of_two_kinds_is_told_as_both(three_villages: County) -> None:
    """D's ten would go to C, which can cook for none, and E's thirty to U, which has no seat: 30 / 4.5 = 7 seats."""
    county = with_a_second_point(three_villages, 30)
    lived = {"lived": np.array([True, False, True]), "classrooms": np.full(3, 99)}
    county = with_schools(county, kitchen_meals=np.array([0, 0, 99]), canteen_seats=np.array([99, 0, 0]), **lived)
    placed = decide(county, "closure=none")[1][0]
    school, if_open = np.full(placed.school.shape, -1), np.full(placed.school.shape, -1)
    expected = np.zeros_like(placed.expected)
    for hamlet, pupils, to in ((D, 10, C), (D + 1, 30, 2)):
        school[hamlet, 0], if_open[hamlet, 0], expected[hamlet, 0, 0] = to, T, pupils
    placed = replace(placed, school=school, expected=expected, km=np.full(school.shape, 10.0))
    found = findings(county, settings(), placed, if_open, [T], np.ones((3, 3), dtype=bool))[T]
    (meal,) = (each for each in found if each.condition == "meal")
    assert meal.relief == "kitchen meals at the receiving school; canteen seats at the receiving school"
    assert (meal.shortfall, meal.relief_units) == (40, 10 + 7)
    assert meal.relief_items == "kitchen_meal 10; canteen_seat_place 7"
    assert relief_cost(settings(), pd.Series([meal.relief_items])) == [10 * 1000 + 7 * 4200]


def test_what_has_no_price_leaves_the_cost_of_all_unknown() -> None:
    help_ = together([Remedy(CLASSES, 3), Remedy("a school")])
    assert help_.text == f"{CLASSES}; a school"
    assert np.isnan(help_.units)
    assert help_.items == ""
    assert np.isnan(relief_cost(settings(), pd.Series([None, "no_such_item 2"], dtype="str"))).all()


def test_help_of_one_kind_at_several_schools_is_one_kind() -> None:
    help_ = together([Remedy(BEDS, 3), Remedy(CLASSES, 1), Remedy(BEDS, 2)])
    assert (help_.text, help_.units, help_.items) == (f"{BEDS}; {CLASSES}", 6, "bed_place 5; class_place 1")


def test_what_keeping_a_school_costs_by_hand(three_villages: County) -> None:
    # T: one teacher 85,000, one temporary 28,000, funds for the 97 pupils it is short of 100, 720 each,
    # and 12,000 of upkeep.
    cost = keep_cost(settings(), three_villages, np.array([C, T]), np.array([8.0, 3.0]))
    assert cost[T] == 85_000 + 28_000 + 97 * 720 + 12_000
    assert cost[C] == 9 * 85_000 + 30_000 + 26_000 + 26_000 + 30_000


def test_one_school_one_plan_says_where_to_how_and_why_not_elsewhere(three_villages: County) -> None:
    closed, _ = decide(three_villages, IF_READY)
    row = closed.school_plans.iloc[0]
    assert (row.school_id, row.hamlet_id, row.grades, row.to_school_id) == ("T", "D", "1-2", "C")
    assert (row.km_before, row.km, row.minutes, row.pupils) == (0.0, 10.0, 21.0, 3.0)
    assert (
        row.verdict == "丁村教学点 closes: every pupil has a class place, a ride within the limit or a bed, and a meal"
    )
    assert row[["walk", "family", "line_bus", "school_bus", "lodge"]].sum() == pytest.approx(1)
    assert pd.isna(row.alternative_1)


def test_the_tables_have_the_columns_of_the_contract(three_villages: County) -> None:
    for rule in ("closure=none", IF_READY):
        closed, _ = decide(three_villages, rule)
        tables = costs(three_villages, closed) | {"school_plans": closed.school_plans}
        for name, frame in tables.items():
            as_declared(frame, run_table(name))


def test_each_of_the_115_schools_has_its_verdict_and_reason(huichang: County) -> None:
    chosen = load(["county=huichang", "closure=plan_2023", "study.years=1"])
    ways = travel(huichang.roads, chosen.road)
    closed, placed = close_and_place(huichang, chosen, ways, enrol.forecast(huichang, chosen))
    assert len(closed.decisions) == 115
    assert set(closed.decisions["decision"]) == {"close"}
    plans = closed.school_plans
    assert set(plans["school_id"]) == set(closed.decisions["school_id"])
    assert plans["pupils"].sum() == 363
    assert plans["verdict"].str.len().gt(20).all()
    failed = closed.decisions.dropna(subset="condition_failed")
    assert failed["shortfall"].gt(0).all()
    assert (costs(huichang, closed)["closures"]["keep_cost_yuan_per_year"] > 0).all()
    strict = load(["county=huichang", IF_READY, "study.years=1"])
    ready, there = close_and_place(huichang, strict, ways, enrol.forecast(huichang, strict))
    kept = set(ready.decisions.query("decision == 'keep'")["school_id"])
    assert len(ready.decisions) == 115
    assert 0 < len(kept) <= len(failed)
    assert kept <= set(failed["school_id"])
    for years in (placed, there):
        assert years[0].unplaced.empty


def test_alternatives_list_who_would_go_elsewhere(three_villages: County) -> None:
    """Both schools take everyone, T is as near to B as C but for three minutes; A and D would go far."""
    county = with_schools(three_villages, receives=np.array([True, True]), last_grade=np.array([9, 9]))
    county = replace(county, hamlets=replace(county.hamlets, school=np.array([-1, -1, -1])))
    asked = ("closure=none", "assign=capacity", "assign.keep=[]", "assign.alternatives=1", "study.years=1")
    chosen = settings(*asked, "assign.alternative_gap=1.0", "assign.alternative_differs=0.2", "assign.gap=0.0")
    pupils = county.pupils[None].astype(float)
    ways = travel(county.roads, chosen.road)
    closed, placed = close_and_place(county, chosen, ways, Forecast(np.array([2023]), pupils, pupils.copy()))
    table = alternatives(county, chosen, ways, closed, placed)
    assert set(table["hamlet_id"]) == {"B"}
    assert set(table["school_id"]) == {"T"}
    assert table["pupils"].sum() == table["pupils_elsewhere"].iloc[0] == 4
    assert list(table.columns) == list(as_declared(table, run_table("alternatives")).columns)
    none = alternatives(county, settings("closure=none"), ways, closed, placed)
    assert none.empty
    assert list(none.columns) == list(as_declared(none, run_table("alternatives")).columns)
