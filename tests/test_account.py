"""Quantities times prices: every line by hand, and a budget that adds up to the fen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd
import pytest
from made_measures import yearly
from made_plan import enrolment, forecast, plan, year_plan

from sim.account.amount import ALL, TOTAL, laid_out
from sim.account.budget import budget
from sim.account.ledger import COLUMNS, ledger, purchases, to_fen, totals
from sim.account.price import accounts, charge_of, missing_prices, shares
from sim.account.quantity import quantities
from sim.config import Settings, load
from sim.county import County, travel
from sim.errors import BadInput
from sim.plan import Ints, YearPlan
from sim.plan.payroll import POSTS
from sim.plan.staff import lacking_today, posts

LIVED = {
    ("C", "bus_km"): (10.0, 12.0),
    ("county", "bus_km"): (10.0, 12.0),
    ("C", "pupils_carried"): (20.0, 10.0),
    ("C", "bed_nights"): (4.0, 8.0),
    ("C", "meals_breakfast"): (4.0, 4.0),
    ("C", "meals_lunch"): (60.0, 55.0),
    ("C", "meals_dinner"): (4.0, 4.0),
}


@cache
def chosen() -> Settings:
    return load(["county=three_villages"])


@pytest.fixture(scope="module")
def settings() -> Settings:
    return chosen()


def booked(settings: Settings, county: County, years: Sequence[YearPlan], told: pd.DataFrame) -> pd.DataFrame:
    staff = posts(settings, county, years, forecast(county, years), travel(county.roads, settings.road))
    settings = of_years(settings, len(years))
    return ledger(
        settings, quantities(settings, county, plan(county, years, staff), lived(county, years, told), NOTHING_VACANT)
    )


def of_years(settings: Settings, years: int, **account: object) -> Settings:
    """Return settings of a study of some years and two replications, with other choices about money."""
    study = settings.study.model_copy(update={"years": years, "replications": 2})
    money = settings.account.model_copy(update=account)
    return settings.model_copy(update={"study": study, "account": money})


NOTHING_VACANT = dict.fromkeys(POSTS, np.zeros(2, dtype=np.int64))


def counts(
    settings: Settings, county: County, years: Sequence[YearPlan], lacking: Mapping[str, Ints] = NOTHING_VACANT
) -> pd.DataFrame:
    """Return what is counted in some years, each lived alike."""
    staff = posts(settings, county, years, forecast(county, years), travel(county.roads, settings.road))
    told = yearly(LIVED, years=[year.year for year in years])
    days = lived(county, years, told)
    return quantities(of_years(settings, len(years)), county, plan(county, years, staff), days, lacking)


def lived(county: County, years: Sequence[YearPlan], told: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {"annual": told, "enrolment": enrolment(county, years)}


def county_without(county: County, school: str) -> County:
    """Return a county in which nobody lives where pupils go to a school today."""
    from dataclasses import replace

    at = county.hamlets.school == county.schools.id.index(school)
    return replace(county, pupils=np.where(at[:, None, None], 0, county.pupils))


@pytest.fixture(scope="module")
def two_years(settings: Settings, three_villages: County) -> pd.DataFrame:
    years = [
        year_plan(three_villages, 2023, open_t=True, owned=2, beds=1),
        year_plan(three_villages, 2024, open_t=False, owned=3, beds=2, windows=2),
    ]
    return booked(settings, three_villages, years, yearly(LIVED, years=(2023, 2024)))


def line(table: pd.DataFrame, account: str, year: int = 2023, replication: int = 0) -> pd.DataFrame:
    at = (table["account"] == account) & (table["year"] == year) & (table["replication"] == replication)
    return table[at]


def test_the_ledger_has_the_columns_of_the_contract(two_years: pd.DataFrame) -> None:
    from sim.tables import as_declared, run_table

    declared = run_table("ledger")
    assert tuple(two_years.columns) == COLUMNS == tuple(declared.names)
    assert len(as_declared(two_years, declared)) == len(two_years)
    assert not two_years.duplicated(list(declared.key)).any()


def test_an_amount_is_quantity_times_price_times_share_to_the_fen(two_years: pd.DataFrame) -> None:
    exact = two_years["quantity"] * two_years["unit_price_yuan"] * two_years["share"]
    assert np.allclose(two_years["amount_yuan"], exact, atol=0.0051, rtol=0)
    assert np.array_equal(two_years["amount_yuan"] * 100, (two_years["amount_yuan"] * 100).round(6).round())


def test_km_are_counted_once_though_told_by_school_and_county(settings: Settings, two_years: pd.DataFrame) -> None:
    km = line(two_years, "bus_km")
    assert km[["site_id", "quantity"]].to_numpy().tolist() == [["C", 390.0]]
    assert km["amount_yuan"].item() == 390 * settings.prices["bus_km"].central


def test_buses_are_bought_when_more_are_owned(settings: Settings, two_years: pd.DataFrame) -> None:
    account = f"bus_purchase_{settings.fleet.kinds[0].name}"
    assert line(two_years, account, 2023)["quantity"].item() == 2
    assert line(two_years, account, 2024)["quantity"].item() == 1
    assert line(two_years, "bus_insurance", 2024)["quantity"].item() == 3


def test_buses_that_are_there_need_not_be_bought(settings: Settings, three_villages: County) -> None:
    """Two of three are there: one is bought in 2023, and no other in 2024."""
    kind = settings.fleet.kinds[0].name
    counted = counts(settings, three_villages, [year_plan(three_villages, year, owned=3) for year in (2023, 2024)])
    table = ledger(of_years(settings, 2, buses_there={kind: 2}), counted)
    assert line(table, f"bus_purchase_{kind}", 2023)["quantity"].item() == 1
    assert line(table, f"bus_purchase_{kind}", 2024).empty
    assert line(table, "bus_insurance", 2024)["quantity"].item() == 3
    assert line(table, "bus_aid", 2023).set_index("payer")["quantity"]["upper"] == 1
    (told,) = missing_prices(of_years(settings, 2, buses_there={"tram": 1}))
    assert told.startswith("account.buses_there: tram is no kind of bus; known are ")


def test_only_beds_and_windows_beyond_those_there_are_bought(two_years: pd.DataFrame) -> None:
    assert line(two_years, "bed_place", 2023).empty
    assert line(two_years, "bed_place", 2024)["quantity"].item() == 2
    assert line(two_years, "window_place", 2024)["quantity"].item() == 1
    assert line(two_years, "canteen_seat_place", 2024).empty


def test_what_is_bought_is_bought_again_when_it_is_worn_out() -> None:
    needed = np.array([[2.0], [3], [3], [3], [1]])
    assert purchases(needed, 3)[:, 0].tolist() == [2, 1, 0, 2, 0]


def test_who_is_on_the_payroll_costs_nothing_more(two_years: pd.DataFrame) -> None:
    """Teachers, the warden and the life teacher of C are there; a driver is on duty and one in reserve."""
    assert line(two_years, "teacher").empty
    assert line(two_years, "driver")["quantity"].item() == 2
    assert line(two_years, "warden").empty
    guards = line(two_years, "guard").set_index("site_id")["quantity"].to_dict()
    assert guards == {"C": 1, "T": 1}  # C needs two and has one; T, so small, needs one


def test_posts_that_are_vacant_today_stay_vacant(settings: Settings, three_villages: County) -> None:
    """C lacks one guard today and T one: while T is open none is hired; had C two too few, it would still have none."""
    years = [year_plan(three_villages, 2023, open_t=True), year_plan(three_villages, 2024, open_t=False)]
    lacking = lacking_today(settings, three_villages, plan(three_villages, years, pd.DataFrame()), years[0].places)
    assert {post: gap.tolist() for post, gap in lacking.items()} == {
        "teacher": [-2, 0], "temporary": [0, -1], "life_teacher": [0, 0], "warden": [0, 0], "canteen_worker": [0, 0],
        "guard": [1, 1],
    }  # fmt: skip
    counted = counts(settings, three_villages, years, lacking)
    assert not (counted["item"] == "guard").any()
    told = counted[counted["item"] == "vacant_guard"].set_index(["year", "site_id"])["quantity"]
    assert told.to_dict() == {(2023, "C"): 1, (2023, "T"): 1, (2024, "C"): 1, (2024, "T"): 1}
    filled = settings.model_copy(update={"staff": settings.staff.model_copy(update={"vacant": "filled"})})
    hired = counts(filled, three_villages, years, lacking)
    assert hired[hired["item"] == "guard"].set_index(["year", "site_id"])["quantity"].to_dict() == {
        (2023, "C"): 1, (2023, "T"): 1
    }  # fmt: skip
    assert not (hired["item"] == "vacant_guard").any()


def test_posts_of_those_who_retire_and_have_no_work_are_saved(settings: Settings, three_villages: County) -> None:
    """U = 3 without a post in 2023 and 2024, each year a tenth of those still paid goes: 0.3, then 0.3 + 0.27."""
    years = [year_plan(three_villages, year) for year in (2023, 2024)]
    counted = counts(settings, three_villages, years)
    spare = counted[counted["item"] == "idle_teacher"].set_index("year")["quantity"]
    assert spare.tolist() == [3, 3]
    table = ledger(of_years(settings, 2, retire_share=0.1), counted)
    saved = pd.concat([line(table, "post_retired_teacher", year) for year in (2023, 2024)])
    assert saved["quantity"].tolist() == [-0.3, -0.57]
    assert saved["nature"].unique().tolist() == ["income"]
    assert saved["amount_yuan"].sum() == pytest.approx(-0.87 * settings.prices["teacher_year"].central)


def test_who_finds_a_post_again_is_no_longer_saved(settings: Settings, three_villages: County) -> None:
    counted = counts(settings, three_villages, [year_plan(three_villages, year) for year in (2023, 2024)])
    fewer = counted["item"].eq("idle_teacher") & counted["year"].eq(2024)
    counted.loc[fewer, "quantity"] = 0.1
    table = ledger(of_years(settings, 2, retire_share=0.1), counted)
    assert line(table, "post_retired_teacher", 2024)["quantity"].item() == -0.1


def test_the_payers_of_a_meal_share_it_fully(settings: Settings, two_years: pd.DataFrame) -> None:
    for account in accounts(settings):
        assert sum(shares(settings, account).values()) == pytest.approx(1)
    lunch = line(two_years, "meal_lunch").set_index("payer")["amount_yuan"]
    assert lunch.to_dict() == {"family": 60 * 39 * settings.prices["meal_lunch"].central}
    aid = line(two_years, "nutrition_aid").set_index("payer")["amount_yuan"]
    assert aid["upper"] == -aid["family"] == 60 * 39 * settings.prices["nutrition_meal"].central


def test_costs_are_shared_as_the_settings_say(settings: Settings, three_villages: County) -> None:
    """390 km in 2023: the county pays seven tenths, families three."""
    payers = {**settings.account.payers, "bus_running": {"county": 0.7, "upper": 0.0, "family": 0.3}}
    counted = counts(settings, three_villages, [year_plan(three_villages, 2023)])
    km = line(ledger(of_years(settings, 1, payers=payers), counted), "bus_km").set_index("payer")
    assert km["share"].to_dict() == {"county": 0.7, "family": 0.3}
    assert km["amount_yuan"].to_dict() == {"county": 682.5, "family": 292.5}


def test_fares_are_paid_for_the_riders_who_were_carried(settings: Settings, two_years: pd.DataFrame) -> None:
    """20 pupils a week, 39 weeks of 5 days: 4 riders; nobody is in hardship here."""
    fare = line(two_years, "family_fare").set_index("payer")
    assert fare.loc["family", "quantity"] == pytest.approx(4 * settings.account.fare_months)
    assert fare["amount_yuan"].sum() == 0
    assert line(two_years, "fare_waived").empty


def test_families_in_hardship_get_back_the_share_of_the_fare_that_is_waived(
    settings: Settings, three_villages: County
) -> None:
    from dataclasses import replace

    homes = replace(three_villages.hamlets, hardship_share=np.array([0.25, 0.25, 0.25]))
    county = replace(three_villages, hamlets=homes)
    counted = counts(settings, county, [year_plan(county, 2023)])
    table = ledger(of_years(settings, 1, hardship_fare_waived=0.5), counted)
    waived = line(table, "fare_waived").set_index("payer")
    assert waived.loc["county", "quantity"] == 4 * 0.25 * 10  # a quarter of four riders, ten months
    assert waived.loc["county", "amount_yuan"] == 4 * 0.25 * 10 * 0.5 * 40
    assert waived["amount_yuan"].sum() == 0
    assert line(table, "hardship_lodger_junior").set_index(["payer", "payee"])["quantity"].to_dict() == {
        ("county", "family"): 0.25, ("upper", "family"): 0.25, ("family", "county"): -0.25, ("family", "upper"): -0.25
    }  # fmt: skip
    aid = table[table["account"].str.startswith("hardship_") & (table["payer"] == "upper")]
    aid = aid[aid["replication"] == 0].set_index("account")["amount_yuan"]
    assert aid.to_dict() == {
        "hardship_day_junior": 2 * 0.25 * 750 / 2, "hardship_day_primary": 703.13,  # 703.125
        "hardship_lodger_junior": 0.25 * 1500 / 2,
    }  # fmt: skip


def test_public_funds_follow_pupils_and_the_floor_goes_with_a_closed_school(two_years: pd.DataFrame) -> None:
    """T has 3 pupils while it is open and is funded as if it had 100; 9 primary and 3 junior in all."""
    for year, floor in ((2023, 97), (2024, 0)):
        given = two_years[(two_years["payer"] == "upper") & (two_years["year"] == year)]
        given = given[given["replication"] == 0].groupby("account")["quantity"].sum()
        assert given["public_funds_primary"] == 9
        assert given["public_funds_junior"] == 3
        assert given.get("small_school_floor", 0) == floor
        assert given.get("floor_kept", 0) == 97 - floor


def test_public_funds_and_aid_follow_who_really_comes(settings: Settings, three_villages: County) -> None:
    """Twice as many come in the second replication."""
    years = [year_plan(three_villages, 2023)]
    staff = posts(
        settings, three_villages, years, forecast(three_villages, years), travel(three_villages.roads, settings.road)
    )
    days = lived(three_villages, years, yearly(LIVED))
    more = days["enrolment"]["replication"] == 1
    days["enrolment"].loc[more, "pupils"] *= 2
    counted = quantities(settings, three_villages, plan(three_villages, years, staff), days, NOTHING_VACANT)
    funds = counted[counted["item"] == "public_funds_primary"].set_index("replication")["quantity"]
    assert funds.to_dict() == {0: 9, 1: 18}


def test_a_closed_small_school_keeps_its_funds_for_some_years(settings: Settings, three_villages: County) -> None:
    years = [year_plan(three_villages, 2023 + k, open_t=k == 0) for k in range(4)]
    table = ledger(of_years(settings, 4, floor_kept_years=2), counts(settings, three_villages, years))
    kept = table[(table["account"] == "floor_kept") & (table["payer"] == "upper") & (table["replication"] == 0)]
    assert kept.set_index("year")["quantity"].to_dict() == {2024: 97, 2025: 97}
    assert kept["site_id"].unique().tolist() == ["T"]
    emptied = county_without(three_villages, "T")
    table = ledger(of_years(settings, 4, floor_kept_years=2), counts(settings, emptied, years))
    kept = table[(table["account"] == "floor_kept") & (table["payer"] == "upper") & (table["replication"] == 0)]
    assert kept.set_index("year")["quantity"].to_dict() == {2024: 100, 2025: 100}, "nobody would be there any more"
    upkeep = table[(table["account"] == "school_upkeep") & (table["replication"] == 0)]
    assert upkeep.set_index("year")["quantity"].to_dict() == {2023: 1}


def test_places_in_town_and_works_without_a_stated_cost_are_priced_by_the_list(
    settings: Settings, three_villages: County
) -> None:
    from dataclasses import replace

    rows = [
        ("p", "C", 2023, "places", 40, np.nan), ("q", "C", 2024, "classrooms", 2, np.nan),
        ("r", "C", 2024, "places", 10, 5000.0),
    ]  # fmt: skip
    projects = pd.DataFrame(rows, columns=["project_id", "school_id", "year", "adds", "quantity", "cost_yuan"])
    for kind, account in (("central_primary", "class_place"), ("town_primary", "town_place")):
        schools = replace(three_villages.schools, kind=(kind, "teaching_point"))
        county = replace(three_villages, projects=projects, schools=schools)
        table = booked(
            settings, county, [year_plan(county, year) for year in (2023, 2024)], yearly(LIVED, (2023, 2024))
        )
        assert [line(table, account, year)["quantity"].item() for year in (2023, 2024)] == [40, 2 * 45]
        study = settings.study.model_copy(update={"first_year": 2024})
        since = settings.model_copy(update={"study": study})
        later = booked(since, county, [year_plan(county, 2024)], yearly(LIVED, (2024,)))
        assert line(later, account, 2024)["quantity"].item() == 2 * 45, "what was built before is not bought"
        assert line(table, "project", 2024)["amount_yuan"].item() == 5000


def test_toilets_are_bought_by_the_squat_and_stops_of_projects_once(settings: Settings, three_villages: County) -> None:
    from dataclasses import replace

    rows = [("p", "C", 2023, "toilets_boys", 10, np.nan), ("q", "C", 2023, "stops", 4, np.nan)]
    projects = pd.DataFrame(rows, columns=["project_id", "school_id", "year", "adds", "quantity", "cost_yuan"])
    county = replace(three_villages, projects=projects)
    table = booked(settings, county, [year_plan(county, 2023)], yearly(LIVED))
    assert line(table, "toilet_place")["quantity"].item() == 10
    assert line(table, "stop_place")["quantity"].item() == 4


def test_stops_are_built_once_and_pupils_on_public_buses_pay_their_rides(
    settings: Settings, three_villages: County
) -> None:
    counted = counts(settings, three_villages, [year_plan(three_villages, 2023)])
    assert not counted["item"].isin(["line_bus_ride", "stop_place"]).any()  # nobody takes one, no run has a stop


def test_who_stays_for_a_night_is_no_lodger_but_sleeps_and_costs(settings: Settings, three_villages: County) -> None:
    """2 of the 4 nights of a week are emergency nights; there are 156 nights between school days in a year."""
    told = yearly(LIVED | {("C", "emergency_beds"): (2.0, 0.0)})
    table = booked(settings, three_villages, [year_plan(three_villages, 2023)], told)
    for replication, nights, lodged in ((0, 4, 2), (1, 8, 8)):
        assert line(table, "bed_night", replication=replication)["quantity"].item() == nights * 39
        given = line(table, "lodger_supplement", replication=replication).set_index("payer")["quantity"]
        assert given["upper"] == pytest.approx(lodged * 39 / 156)


def test_transfers_vanish_from_the_total(two_years: pd.DataFrame) -> None:
    moved = two_years[two_years["nature"] == "transfer"]
    assert len(moved) > 0
    assert (totals(moved, ["replication", "year", "site_id", "account"])["fen"] == 0).all()


def test_what_the_plan_decides_is_the_same_in_every_replication(two_years: pd.DataFrame) -> None:
    guards = two_years[two_years["account"] == "guard"].pivot_table(
        index=["year", "site_id"], columns="replication", values="amount_yuan"
    )
    assert (guards[0] == guards[1]).all()


def test_projects_with_a_cost_are_paid_and_their_beds_are_not_paid_twice(
    settings: Settings, three_villages: County
) -> None:
    from dataclasses import replace

    rows = [("p", "C", 2023, "beds_girls", 1, 9000.0), ("q", "C", 2023, "windows", 1, 1000.5)]
    projects = pd.DataFrame(rows, columns=["project_id", "school_id", "year", "adds", "quantity", "cost_yuan"])
    county = replace(three_villages, projects=projects)
    table = booked(settings, county, [year_plan(county, 2023, beds=2, windows=2)], yearly(LIVED))
    assert line(table, "project")["amount_yuan"].tolist() == [10000.5]
    assert line(table, "bed_place")["quantity"].item() == 1
    assert line(table, "window_place").empty


def test_a_missing_price_is_told_with_its_key(settings: Settings, three_villages: County) -> None:
    prices = {name: price for name, price in settings.prices.items() if name != "bus_km"}
    poorer = settings.model_copy(update={"prices": prices})
    with pytest.raises(BadInput, match="prices: no entry for bus_km"):
        booked(poorer, three_villages, [year_plan(three_villages, 2023)], yearly(LIVED))


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("account.payers.food.family=0.8", "account.payers: the shares of food add up to 0.8, not 1"),
        ("account.payers.food.family=1.2", "account.payers.food.family: 1.2 is not possible; it must be at most 1"),
        ("account.payers.fodder={county: 1.0}", "account.payers.fodder: there is no such setting"),
        ("prices.bed_place.life_years=0", "prices.bed_place.life_years: 0 is not possible; it must be at least 1"),
        ("account.hardship_fare_waived=1.1", "account.hardship_fare_waived: 1.1 is not possible; it must be at most 1"),
    ],
)
def test_shares_and_lives_that_cannot_be_are_refused_with_their_key(typed: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        load(["county=three_villages", typed])
    assert says in str(refused.value)


def test_an_aid_that_is_more_than_the_meal_is_refused(settings: Settings) -> None:
    payers = {**settings.account.payers, "food": {"county": 0.5, "family": 0.5}}
    (told,) = missing_prices(of_years(settings, 1, payers=payers))
    assert told == (
        "prices.nutrition_meal.central: 5 is more than families pay for a lunch: prices.meal_lunch 6 x "
        "account.payers.food.family 0.5"
    )


def test_thirds_of_a_cost_are_the_whole(settings: Settings, three_villages: County) -> None:
    payers = {**settings.account.payers, "bus_running": dict.fromkeys(("county", "upper", "family"), 1 / 3)}
    chosen = of_years(settings, 1, payers=payers)
    assert shares(chosen, "driver") == {"county": 0.333334, "upper": 0.333333, "family": 0.333333}
    paid = line(ledger(chosen, counts(settings, three_villages, [year_plan(three_villages, 2023)])), "driver")
    assert paid["amount_yuan"].sum() == pytest.approx(2 * 51000, abs=0.011)


def test_something_bought_needs_a_lifetime(settings: Settings) -> None:
    price = settings.prices["bed_place"].model_copy(update={"life_years": None})
    wrong = settings.model_copy(update={"prices": {**settings.prices, "bed_place": price}})
    (told,) = missing_prices(wrong)
    assert told.startswith("prices.bed_place.life_years: is missing")


def test_every_account_has_a_price_in_the_list(settings: Settings) -> None:
    items = {charge_of(account).item for account in accounts(settings)} - {""}
    assert items <= set(settings.prices)
    assert missing_prices(settings) == []


def test_a_county_without_buses_or_pupils_on_them_still_has_a_ledger(
    settings: Settings, three_villages: County
) -> None:
    years = [year_plan(three_villages, 2023, bus_kinds=(), owned=0)]
    table = booked(settings, three_villages, years, yearly({("C", "pupils_present"): (0.0, 0.0)}))
    assert not table["account"].str.startswith("bus_").any()


@pytest.mark.parametrize(
    ("yuan", "fen"), [(1.005, 101), (-1.005, -101), (2.675, 268), (0.0, 0), (1e9 + 0.01, 10**11 + 1)]
)
def test_halves_of_a_fen_are_rounded_away_from_zero(yuan: float, fen: int) -> None:
    assert to_fen(np.array([yuan])).tolist() == [fen]


def test_the_budget_adds_up_to_the_ledger_exactly(settings: Settings, two_years: pd.DataFrame) -> None:
    table = budget(settings, laid_out(settings, two_years))
    whole = table[(table["account"] == TOTAL) & (table["payer"] == ALL)].set_index("year")
    for year, rows in two_years.groupby("year"):
        assert round(whole.loc[year, "mean"] * 2 * 100) == to_fen(rows["amount_yuan"]).sum()
    lines = table[table["account"] != TOTAL]
    assert round(lines["mean"].sum() * 2 * 100) == to_fen(two_years["amount_yuan"]).sum()
