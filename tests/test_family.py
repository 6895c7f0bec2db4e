"""What school costs families before and after, by group; three villages by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from living import BY_HEART, settings_of
from made_plan import year_plan

from sim.account.family import family
from sim.config import Settings, load
from sim.county import County, travel
from sim.errors import BadInput
from sim.plan import LODGE, MODES, SCHOOL_BUS, WALK, Plan
from sim.plan.compose import placed_years
from sim.plan.enrol import forecast
from sim.plan.family import both, family_pupils, nothing_closes
from sim.tables import as_declared, run_table
from sim.tables.family import LEVELS

DAYS, NIGHTS, WEEKS = 195, 156, 39
"""39 weeks of five days: a lodger sleeps at school four nights a week and is brought and fetched once."""
PRICES = {
    "family_fare_per_month": 40.0, "line_bus_ride": 2.0, "family_km": 0.3, "meal_breakfast": 3.0, "meal_lunch": 6.0,
    "meal_dinner": 5.0, "nutrition_meal": 5.0, "hardship_lodger_primary": 1000.0, "hardship_lodger_junior": 1250.0,
    "hardship_day_primary": 500.0, "hardship_day_junior": 625.0,
}  # fmt: skip
LUNCH, NUTRITION, FARE = 6 * DAYS, 5 * DAYS, 40 * 10
BOARD = LUNCH + (3 + 5) * NIGHTS
"""What a lodger eats in a year."""


def priced(settings: Settings, **account: object) -> Settings:
    """Put in the prices that these tests count with, whatever the price list says."""
    changed = {name: settings.prices[name].model_copy(update={"central": value}) for name, value in PRICES.items()}
    return settings.model_copy(
        update={
            "prices": {**settings.prices, **changed},
            "account": settings.account.model_copy(update={"fare_months": 10.0, "hardship_fare_waived": 1.0, **account}),
        }
    )


def with_shares(county: County, hardship: float, left_behind: float = 0.0) -> County:
    """Let the same share of each hamlet's pupils be in hardship, and of their parents work elsewhere."""
    size = len(county.hamlets.id)
    shares = {"hardship_share": np.full(size, hardship), "left_behind_share": np.full(size, left_behind)}
    return replace(county, hamlets=replace(county.hamlets, **shares))


def counted(settings: Settings, county: County) -> pd.DataFrame:
    """Place the pupils of all years and count them by group; no bus is routed."""
    ways = travel(county.roads, settings.road)
    expected, closed, placed = placed_years(settings, county, ways)
    years = [replace(year_plan(county, places.year), places=places) for places in placed]
    return family_pupils(settings, county, Plan(expected, closed, tuple(years), pd.DataFrame()), ways)


@pytest.fixture(scope="module")
def by_heart() -> Settings:
    """Return the settings of the county known by heart, with the prices of these tests."""
    return priced(settings_of(*BY_HEART))


@pytest.fixture(scope="module")
def cost(by_heart: Settings, three_villages: County) -> pd.DataFrame:
    return family(by_heart, counted(by_heart, three_villages))


def group(table: pd.DataFrame, **wanted: object) -> pd.Series:
    """Return the one group that is as told."""
    found = table[np.all([table[name] == value for name, value in wanted.items()], axis=0)]
    assert len(found) == 1, found
    return found.iloc[0]


def test_the_twelve_pupils_are_counted_by_hand(by_heart: Settings, three_villages: County) -> None:
    """T closes: D's three young ones, who walked, ride 10 km. A's four walk, B's three ride, two juniors lodge."""
    table = counted(by_heart, three_villages)
    told = table[["level", "moved", "mode_before", "mode_after", "pupils", "km_before", "km_after"]]
    assert sorted(told.itertuples(index=False, name=None)) == [
        ("grades_1_3", "no", "school_bus", "school_bus", 2, 6.0, 6.0),
        ("grades_1_3", "no", "walk", "walk", 1, 0.6, 0.6),
        ("grades_1_3", "yes", "walk", "school_bus", 3, 0.0, 10.0),
        ("grades_4_6", "no", "school_bus", "school_bus", 1, 6.0, 6.0),
        ("grades_4_6", "no", "walk", "walk", 2, 0.6, 0.6),
        ("junior", "no", "lodge", "lodge", 2, 8.0, 8.0),
        ("junior", "no", "walk", "walk", 1, 0.6, 0.6),
    ]
    assert set(table["hardship"]) == set(table["left_behind"]) == {"no"}
    assert table[["school_days", "nights"]].drop_duplicates().to_numpy().tolist() == [[DAYS, NIGHTS]]


def test_who_walked_to_the_closed_school_pays_the_fare(cost: pd.DataFrame) -> None:
    """Lunch at school was paid before, too: the rise is the fare alone, 40 yuan in ten months."""
    moved = group(cost, moved="yes")
    assert moved[["cost_before", "aid_before", "cost_after", "aid_after"]].tolist() == [
        LUNCH, NUTRITION, LUNCH + FARE, NUTRITION,
    ]  # fmt: skip
    assert moved["rise"] == moved["rise_without_aid"] == FARE
    assert moved["rank"] == 1
    assert (cost.loc[cost["moved"] == "no", ["rise", "rank"]] == [0, 2]).all(axis=None)


def test_a_lodger_pays_for_food_and_the_weekly_bus(by_heart: Settings, cost: pd.DataFrame) -> None:
    """One day in five by bus is a fifth of the fare; without lodgers' buses the family drives 8 km there and back."""
    lodger = group(cost, mode_after="lodge")
    assert lodger["cost_after"] == BOARD + FARE / 5
    fleet = by_heart.fleet.model_copy(update={"lodger_runs": False})
    assert once(by_heart.model_copy(update={"fleet": fleet}), "lodge", km=8.0)["cost_after"] == BOARD + 0.3 * 2 * 8 * WEEKS


def once(settings: Settings, mode: str, km: float = 10.0, level: str = "junior", hardship: str = "no") -> pd.Series:
    """Return what one pupil's family pays who walked before and has another way now."""
    pupil = {
        "scenario": "one", "year": 2023, "level": level, "hardship": hardship, "left_behind": "no", "moved": "yes",
        "mode_before": "walk", "mode_after": mode, "pupils": 1.0, "km_before": 0.5, "km_after": km,
        "school_days": DAYS, "nights": NIGHTS,
    }  # fmt: skip
    return family(settings, pd.DataFrame([pupil])).iloc[0]


@pytest.mark.parametrize(
    ("mode", "paid"),
    [
        ("walk", LUNCH),
        ("school_bus", LUNCH + FARE),
        ("line_bus", LUNCH + 2 * 2 * DAYS),
        ("family", LUNCH + 0.3 * 2 * 10 * DAYS),
        ("lodge", BOARD + FARE / 5),
        ("none", 0),
    ],
)
def test_every_way_has_its_price(by_heart: Settings, mode: str, paid: float) -> None:
    told = once(by_heart, mode)
    assert told["cost_after"] == pytest.approx(paid)
    assert told["rise_without_aid"] == pytest.approx(paid - LUNCH)


@pytest.mark.parametrize(
    ("level", "mode", "day", "now"),
    [("junior", "school_bus", 625, 625), ("junior", "lodge", 625, 1250), ("grades_4_6", "lodge", 500, 1000)],
)
def test_aid_of_families_in_hardship(by_heart: Settings, level: str, mode: str, day: float, now: float) -> None:
    """They ride free, and get twice as much when the child lodges; nutrition aid is everyone's."""
    told = once(by_heart, mode, level=level, hardship="yes")
    paid = {"school_bus": LUNCH, "lodge": BOARD}[mode]
    assert told["cost_after"] == paid
    assert told[["aid_before", "aid_after"]].tolist() == [NUTRITION + day, NUTRITION + now]
    assert told["rise"] == (paid - LUNCH) - (now - day)


def test_shares_of_the_payers_count(three_villages: County) -> None:
    """Half of the food and of the public bus is the county's; a fare that is waived in half."""
    settings = priced(settings_of(*BY_HEART), hardship_fare_waived=0.5)
    half = {"county": 0.5, "upper": 0.0, "family": 0.5}
    payers = {**settings.account.payers, "food": half, "public_bus": half}
    settings = settings.model_copy(update={"account": settings.account.model_copy(update={"payers": payers})})
    assert once(settings, "line_bus")["cost_after"] == LUNCH / 2 + 2 * DAYS
    assert once(settings, "school_bus", hardship="yes")["cost_after"] == LUNCH / 2 + FARE / 2


def test_who_goes_home_for_lunch_pays_none(by_heart: Settings) -> None:
    """Six in ten eat at school; of the lodgers, all."""
    dine = by_heart.dine.model_copy(update={"lunch_share": 0.6})
    told = once(by_heart.model_copy(update={"dine": dine}), "lodge")
    assert told[["cost_before", "aid_before"]].tolist() == pytest.approx([0.6 * LUNCH, 0.6 * NUTRITION])
    assert told[["cost_after", "aid_after"]].tolist() == [BOARD + FARE / 5, NUTRITION]


def test_a_price_that_is_missing_is_told(by_heart: Settings) -> None:
    prices = {name: price for name, price in by_heart.prices.items() if name != "family_km"}
    with pytest.raises(BadInput, match="prices: no entry for family_km"):
        once(by_heart.model_copy(update={"prices": prices}), "walk")


def test_as_many_as_possible_keep_their_way() -> None:
    """Half walked and half rode; now 2 in 10 walk, 3 ride, 5 lodge: those 5 come from 3 walkers and 2 riders."""
    before, after = np.zeros(len(MODES)), np.zeros(len(MODES))
    before[[WALK, SCHOOL_BUS]] = 0.5
    after[[WALK, SCHOOL_BUS, LODGE]] = 0.2, 0.3, 0.5
    pairs = both(before, after)
    told = {(WALK, WALK): 0.2, (SCHOOL_BUS, SCHOOL_BUS): 0.3, (WALK, LODGE): 0.3, (SCHOOL_BUS, LODGE): 0.2}
    by_hand = np.zeros((len(MODES), len(MODES)))
    for pair, share in told.items():
        by_hand[pair] = share
    assert pairs == pytest.approx(by_hand)


WEIGHTS = st.lists(st.integers(0, 9), min_size=len(MODES), max_size=len(MODES)).filter(any)


@given(WEIGHTS, WEIGHTS)
def test_pairs_add_up_to_the_ways_before_and_after(before: list[int], after: list[int]) -> None:
    one, two = (np.array(each) / sum(each) for each in (before, after))
    pairs = both(one, two)
    assert pairs.sum(axis=1) == pytest.approx(one)
    assert pairs.sum(axis=0) == pytest.approx(two)
    assert (pairs >= 0).all()
    assert np.trace(pairs) == pytest.approx(np.minimum(one, two).sum()), "nobody changes who need not"


def test_hardship_and_parents_elsewhere_part_every_group(by_heart: Settings, three_villages: County) -> None:
    """A third in hardship and half with parents elsewhere: a sixth is both."""
    table = counted(by_heart, with_shares(three_villages, hardship=1 / 3, left_behind=0.5))
    both_ways = {"hardship": "yes", "left_behind": "yes", "moved": "yes"}
    assert group(table, **both_ways)["pupils"] == pytest.approx(3 / 6)
    assert group(table, **both_ways | {"hardship": "no"})["pupils"] == pytest.approx(3 / 3)
    assert table["pupils"].sum() == pytest.approx(12)


def test_pupils_add_up_to_the_forecast_in_every_year(huichang: County) -> None:
    """The reference county over three years, every level by itself; nobody moves if nothing closes."""
    settings = load(["county=huichang", "study.years=3"])
    expected = forecast(huichang, settings)
    table = counted(settings, huichang)
    assert set(table["moved"]) == {"yes", "no"}
    for k, year in enumerate(expected.years):
        for band, level in enumerate(LEVELS):
            rows = table[(table["year"] == year) & (table["level"] == level)]
            by_grade = expected.mean[k, :, 3 * band : 3 * band + 3]
            assert rows["pupils"].sum() == pytest.approx(by_grade.sum(), rel=1e-12)
    assert set(counted(nothing_closes(settings), huichang)["moved"]) == {"no"}


def test_both_tables_are_as_declared(by_heart: Settings, three_villages: County, cost: pd.DataFrame) -> None:
    for name, table in (("family_pupils", counted(by_heart, three_villages)), ("family", cost)):
        declared = run_table(name)
        assert len(as_declared(table, declared)) == len(table) > 0
        assert not table.duplicated(list(declared.key)).any()
