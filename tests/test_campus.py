"""Idle campuses: who owns them, what they become in the plan's order, and how many m2 are idle, let or sold."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from living import planned
from made_plan import plan, year_plan

from sim.config import Settings, Use, load
from sim.county import County, check_county
from sim.errors import BadInput
from sim.plan import Plan
from sim.plan.campus import campuses, space
from sim.tables import as_declared, run_table

YEARS = (2023, 2024, 2025)
T_M2 = 504.0
"""T offers three grades: 3 classrooms of 30 places of 5.6 m2."""
C_M2 = 1512.0
"""C has nine classrooms: 9 x 30 x 5.6."""


@cache
def usual() -> Settings:
    return load(["county=three_villages", "study.years=3"])


def use(name: str, counts: str = "nobody", **needs: float) -> Use:
    """Return a use; whoever is counted comes, and one is enough."""
    needed = {"least_m2": 0, "comes_share": 1.0, "least_people": int(counts != "nobody"), "m2_each": 0, **needs}
    return Use.model_validate({"use": name, "counts": counts, "per_township": 1, **needed})


def closing(county: County, t: Sequence[bool] = (False,) * 3, c: Sequence[bool] = (True,) * 3) -> Plan:
    """Return a plan of three years in which schools T and C are open, or not."""
    years = [replace(year_plan(county, year), open=np.array(both)) for year, *both in zip(YEARS, c, t, strict=True)]
    return plan(county, years, pd.DataFrame())


def register(county: County, *uses: Use, by: Plan | None = None, **changes: Any) -> pd.DataFrame:
    """Return the register, checked against its declaration, with these uses and other changes of the settings."""
    changes |= {"uses": uses} if uses else {}
    campus = usual().campus.model_copy(update=changes)
    found = campuses(usual().model_copy(update={"campus": campus}), county, by or closing(county))
    return as_declared(found, run_table("campuses"))


def told(table: pd.DataFrame, school: str = "T") -> list[tuple[int, str, str]]:
    """Return year, status and reason of a school."""
    rows = table[table["school_id"] == school]
    return list(zip(rows["year"], rows["status"], rows["reason"], strict=True))


def what(table: pd.DataFrame, school: str = "T") -> str | None:
    """Return the one use of a school in all years."""
    (found,) = {name if isinstance(name, str) else None for name in table.loc[table["school_id"] == school, "use"]}
    return found


def own(county: County, *rows: tuple[str, float, str]) -> County:
    """Return the county with a table of campuses (school, area, owner)."""
    table = pd.DataFrame([(*row, "real: by hand") for row in rows], columns=["school_id", "area_m2", "owner", "source"])
    return replace(county, tables={**county.tables, "campuses": table})


def test_the_plan_closes_t_and_gives_it_to_the_old_as_there_are_too_few_children(three_villages: County) -> None:
    """Within 3 km of T live the pupils of D: 4, of whom 3 in grades 1 to 3, so 3 children of 3 to 5.

    No use that counts people has enough (10, 40, 6 and 20): the first that fits is the room of the old.
    """
    chosen = usual()
    made = planned(chosen).plan
    table = as_declared(campuses(chosen, three_villages, made), run_table("campuses"))
    assert table["school_id"].tolist() == ["T"] * 3
    assert told(table) == [
        (2023, "handed_over", "being_prepared"),
        (2024, "used", "first_that_fits"),
        (2025, "used", "first_that_fits"),
    ]
    assert what(table) == "seniors_room"
    assert set(table["year_closed"]) == {2023}
    assert set(table["owner"]) == {"county_company"}
    assert set(table["area_m2"]) == {T_M2}
    assert set(table["source"]) == {"assumed"}


@pytest.mark.parametrize(
    ("counts", "reach_km", "people"),
    [
        ("aged_3_to_5", 3, 3),  # births are 2 in every year: as many as there are in grades 1 to 3 of D
        ("under_3", 3, 3),
        ("aged_3_to_5", 4, 5),  # B lies 4 km away: one each in grades 2 and 3
        ("pupils", 3, 4),
        ("pupils", 4, 8),
        ("left_behind", 4, 2.5),  # see below: half of D, an eighth of B
    ],
)
def test_whoever_lives_within_reach_is_counted(
    three_villages: County, counts: str, reach_km: float, people: float
) -> None:
    away = replace(three_villages.hamlets, left_behind_share=np.array([1.0, 0.125, 0.5]))
    county = replace(three_villages, hamlets=away)
    for least, found in ((people, "preschool"), (people + 0.01, None)):
        asked = use("preschool", counts, least_people=least)
        assert what(register(county, asked, reach_km=reach_km)) == found
    half = use("preschool", counts, least_people=people, comes_share=0.5)
    assert what(register(county, half, reach_km=reach_km)) is None


def test_children_to_come_follow_the_births(three_villages: County) -> None:
    """In 2023 grades 1 to 3 were born in 2014 to 2017, the children of 3 to 5 in 2017 to 2020: twice as many.

    With 4 births a year from 2017 on, grade 1 (born a third in 2016, two thirds in 2017) stands for 10/3 births, so
    grades 1 to 3 for 2 + 2 + 10/3 = 22/3 and three cohorts of 4 are 12: 3 x 12 / (22/3) = 54/11 children.
    """
    years = three_villages.births.years
    series = np.where(years >= 2017, 4.0, 2.0)
    births = replace(three_villages.births, by_variant=dict.fromkeys(("low", "medium", "high"), series))
    county = replace(three_villages, births=births)
    for least, found in ((4.909, "childcare"), (4.91, None)):
        for counts in ("aged_3_to_5", "under_3"):
            assert what(register(county, use("childcare", counts, least_people=least))) == found


def test_births_that_the_table_does_not_have_are_like_the_nearest(three_villages: County) -> None:
    births = three_villages.births
    told_until = births.years <= 2019
    cut = {name: series[told_until] for name, series in births.by_variant.items()}
    county = replace(three_villages, births=replace(births, years=births.years[told_until], by_variant=cut))
    assert what(register(county, use("childcare", "under_3", least_people=3))) == "childcare"


def both(county: County, *uses: Use) -> tuple[str | None, str | None]:
    """Close C and T and return what they become; all 12 pupils (6 in grades 1 to 3) live within reach of both."""
    table = register(county, *uses, reach_km=11, by=closing(county, c=(False,) * 3))
    return what(table, "C"), what(table, "T")


def test_children_are_counted_for_one_campus_of_a_use_only(three_villages: County) -> None:
    """C is larger and takes all 6 children; with 504 m2 for each, C takes 3 and leaves 3, of whom T takes one."""
    all_in_one = use("preschool", "aged_3_to_5", per_township=2)
    assert both(three_villages, all_in_one) == ("preschool", None)
    for least, at_t in ((3, "preschool"), (3.01, None)):
        roomy = use("preschool", "aged_3_to_5", per_township=2, m2_each=504, least_people=least)
        assert both(three_villages, roomy) == ("preschool", at_t)
    one = use("preschool", "aged_3_to_5", per_township=1, m2_each=504)
    assert both(three_villages, one) == ("preschool", None)


def test_another_use_counts_the_same_children_anew(three_villages: County) -> None:
    assert both(three_villages, use("preschool", "aged_3_to_5"), use("activity_centre", "pupils")) == (
        "preschool",
        "activity_centre",
    )


def test_uses_are_offered_in_order_to_where_most_would_come(three_villages: County) -> None:
    """Within 3 km, T counts 3 children of D and C the 1 of A, though C is larger."""
    later = closing(three_villages, c=(False,) * 3)
    first, second = use("preschool", "aged_3_to_5"), use("seniors_room")
    for asked, at in (
        ((first, second), ("seniors_room", "preschool")),
        ((second, first), ("seniors_room", "preschool")),
    ):
        table = register(three_villages, *asked, by=later)
        assert (what(table, "C"), what(table, "T")) == at
    assert what(register(three_villages, first, second)) == "preschool"
    assert what(register(three_villages, second, first)) == "seniors_room"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (use("public_use", least_m2=T_M2 + 1), "too_small"),
        (use("preschool", "pupils", least_people=5), "too_few_people"),
        (use("public_use", per_township=0), "enough_in_township"),
    ],
)
def test_an_idle_campus_says_why(three_villages: County, asked: Use, why: str) -> None:
    table = register(three_villages, asked)
    assert told(table) == [(year, "handed_over", why) for year in YEARS]
    kept = register(three_villages, asked, owner_after="county")
    assert told(kept) == [(year, "kept", why) for year in YEARS]


def test_what_no_use_takes_is_let_or_sold(three_villages: County) -> None:
    nothing = use("public_use", per_township=0)
    let = register(three_villages, nothing, let_from_m2=T_M2, sell_after_years=2)
    assert told(let) == [(2023, "handed_over", "being_prepared")] + [
        (year, "let", "large_enough_to_let") for year in (2024, 2025)
    ]
    sold = register(three_villages, nothing, let_from_m2=T_M2 + 1, sell_after_years=1)
    assert told(sold) == [(2023, "handed_over", "enough_in_township")] + [
        (year, "sold", "long_idle") for year in (2024, 2025)
    ]
    assert sold["owner"].tolist() == ["county_company", "buyer", "buyer"]


def test_what_a_village_owns_is_neither_handed_over_nor_let_nor_sold_nor_a_cost(three_villages: County) -> None:
    county = own(three_villages, ("T", 900.0, "village"))
    nothing = use("public_use", per_township=0)
    table = register(county, nothing, let_from_m2=1, sell_after_years=1)
    assert set(table["status"]) == {"kept"}
    assert set(table["owner"]) == {"village"}
    assert set(table["area_m2"]) == {900.0}
    assert set(table["source"]) == {"real: by hand"}
    assert space(table).empty
    assert what(register(county)) == "seniors_room"


def test_a_school_that_opens_again_leaves_the_register_and_its_children_are_free(three_villages: County) -> None:
    """C closes a year after T: while T is the preschool no child is left, once T is open again all are."""
    asked = partial(
        register, three_villages, use("preschool", "aged_3_to_5", per_township=2), reach_km=11, let_from_m2=None
    )
    stays = asked(by=closing(three_villages, c=(True, False, False)))
    assert what(stays, "C") is None
    assert told(stays, "C")[0] == (2024, "handed_over", "too_few_people")
    again = closing(three_villages, t=(False, True, True), c=(True, False, False))
    reopened = asked(by=again)
    assert told(reopened, "T") == [(2023, "handed_over", "being_prepared")]
    assert what(reopened, "C") == "preschool"


def test_a_school_that_has_not_opened_yet_is_no_idle_campus(three_villages: County) -> None:
    schools = replace(three_villages.schools, opens_year=np.array([0, 2025]))
    table = register(replace(three_villages, schools=schools))
    assert table["year"].tolist() == [2025]


def test_nothing_closes_nothing_is_idle(three_villages: County) -> None:
    table = register(three_villages, by=closing(three_villages, t=(True,) * 3))
    assert table.empty
    assert space(table).empty


def test_m2_are_idle_let_or_sold_once(three_villages: County) -> None:
    nobody, shut = use("public_use", per_township=0), closing(three_villages, c=(False,) * 3)
    table = register(three_villages, nobody, let_from_m2=1000, sell_after_years=1, by=shut)
    rows = space(table).sort_values(["site_id", "year", "item"])
    assert list(rows.itertuples(index=False, name=None)) == [
        (2023, "C", "campus_idle_m2", C_M2),
        (2024, "C", "campus_let_m2", C_M2),
        (2025, "C", "campus_let_m2", C_M2),
        (2023, "T", "campus_idle_m2", T_M2),
        (2024, "T", "campus_sold_m2", T_M2),
    ]
    used = register(three_villages)
    assert space(used)["year"].tolist() == [2023]  # once it is used, its users keep it up


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("T,0,county,real: -", "campuses.csv, row 2, column area_m2: 0 is too small"),
        ("X,300,county,real: -", "campuses.csv, row 2, column school_id: 'X' is no school; known are C, T"),
        ("T,300,bank,real: -", "campuses.csv, row 2, column owner: 'bank' is not known"),
        ("T,300,county,somebody", "campuses.csv, row 2, column source"),
        (
            "T,300,county,real: -\nT,400,county,real: -",
            "campuses.csv, row 3, column school_id: 'T' is already in row 2",
        ),
        ("T,300,village,real: -", ""),
    ],
)
def test_a_wrong_table_of_campuses_is_told_with_row_and_column(tmp_path: Path, row: str, says: str) -> None:
    folder = tmp_path / "county"
    shutil.copytree(usual().county.path, folder)
    (folder / "campuses.csv").write_text(f"school_id,area_m2,owner,source\n{row}\n", encoding="utf-8")
    found = check_county(folder)
    assert len(found) == bool(says)
    assert not says or found[0].startswith(says)


@pytest.mark.parametrize(
    ("override", "key", "says"),
    [
        ("campus.uses.1.use=preschool", "campus.uses", "preschool is listed more than once"),
        ("campus.uses.0.counts=nobody", "campus.uses.0", "15 of nobody can never come"),
        ("campus.uses=[]", "campus.uses", "1 or more entries"),
        ("campus.reach_km=0", "campus.reach_km", "more than 0"),
        ("campus.sell_after_years=0", "campus.sell_after_years", "at least 1"),
        ("campus.owner_after=bank", "campus.owner_after", "county"),
    ],
)
def test_a_wrong_setting_is_told_with_its_key(override: str, key: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        load(["county=three_villages", override])
    (said,) = caught.value.messages
    assert said.startswith(key)
    assert says in said
