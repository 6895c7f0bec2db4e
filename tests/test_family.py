"""What school costs families before and after, by group; three villages by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from living import BY_HEART, settings_of
from made_plan import year_plan

from sim.account.family import family
from sim.account.price import missing_prices
from sim.config import Settings, load
from sim.county import County, travel
from sim.errors import BadInput
from sim.plan import LODGE, MODES, SCHOOL_BUS, WALK, Plan
from sim.plan.compose import placed_years
from sim.plan.enrol import forecast
from sim.plan.family import both, family_pupils, if_nothing_closed, nothing_closes
from sim.store import RunFolder
from sim.tables import as_declared, run_table
from sim.tables.family import GROUP_KEY, LEVELS
from sim.tell.family import OTHERS, family_table, groups, name_of, notes, rises_most
from sim.tell.run import Run
from sim.tell.words import LANGUAGES, Words, glossary

DAYS, NIGHTS, WEEKS = 195, 156, 39
"""39 weeks of five days: a lodger sleeps at school four nights a week and is brought and fetched once."""
PRICES = {
    "family_fare_per_month": 40.0, "line_bus_ride": 2.0, "family_km": 0.3, "meal_breakfast": 3.0, "meal_lunch": 6.0,
    "meal_dinner": 5.0, "nutrition_meal": 5.0, "hardship_lodger_primary": 1000.0, "hardship_lodger_junior": 1250.0,
    "hardship_day_primary": 500.0, "hardship_day_junior": 625.0, "bed_night": 2.0,
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
            "account": settings.account.model_copy(
                update={"fare_months": 10.0, "hardship_fare_waived": 1.0, **account}
            ),
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
    plan = Plan(expected, closed, tuple(years), pd.DataFrame())
    return family_pupils(settings, county, plan, if_nothing_closed(settings, county, plan.forecast, ways))


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
    assert (
        once(by_heart.model_copy(update={"fleet": fleet}), "lodge", km=8.0)["cost_after"] == BOARD + 0.3 * 2 * 8 * WEEKS
    )


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
    """They get twice as much when the child lodges, and the fare back; nutrition aid is everyone's."""
    told = once(by_heart, mode, level=level, hardship="yes")
    paid, fare = {"school_bus": (LUNCH + FARE, FARE), "lodge": (BOARD + FARE / 5, FARE / 5)}[mode]
    assert told["cost_after"] == paid
    assert told[["aid_before", "aid_after"]].tolist() == [NUTRITION + day, NUTRITION + now + fare]
    assert told["rise"] == (paid - LUNCH) - (now + fare - day)


def test_shares_of_the_payers_count(three_villages: County) -> None:
    """Half of food, public bus and beds is the county's; half of the fare is waived in hardship."""
    settings = priced(settings_of(*BY_HEART), hardship_fare_waived=0.5)
    half = {"county": 0.5, "upper": 0.0, "family": 0.5}
    payers = {**settings.account.payers, "food": half, "public_bus": half, "staff": half}
    settings = settings.model_copy(update={"account": settings.account.model_copy(update={"payers": payers})})
    assert once(settings, "line_bus")["cost_after"] == LUNCH / 2 + 2 * DAYS
    assert once(settings, "lodge")["cost_after"] == BOARD / 2 + NIGHTS * 2 / 2 + FARE / 5
    hard = once(settings, "school_bus", hardship="yes")
    assert hard[["cost_after", "aid_after"]].tolist() == [LUNCH / 2 + FARE, NUTRITION + 625 + FARE / 2]


def test_who_goes_home_for_lunch_pays_none(by_heart: Settings) -> None:
    """Six in ten eat at school; of the lodgers, all."""
    dine = by_heart.dine.model_copy(update={"lunch_share": 0.6})
    told = once(by_heart.model_copy(update={"dine": dine}), "lodge")
    assert told[["cost_before", "aid_before"]].tolist() == pytest.approx([0.6 * LUNCH, 0.6 * NUTRITION])
    assert told[["cost_after", "aid_after"]].tolist() == [BOARD + FARE / 5, NUTRITION]


def test_a_price_that_is_missing_is_told_before_the_run(by_heart: Settings) -> None:
    prices = {name: price for name, price in by_heart.prices.items() if name != "family_km"}
    poorer = by_heart.model_copy(update={"prices": prices})
    assert missing_prices(poorer) == ["prices: no entry for family_km; the account family_cost needs it"]
    with pytest.raises(BadInput, match="prices: no entry for family_km"):
        once(poorer, "walk")


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
    """The reference county over two years, every level by itself."""
    settings = load(["county=huichang", "study.years=2"])
    expected = forecast(huichang, settings)
    table = counted(settings, huichang)
    assert set(table["moved"]) == {"yes", "no"}
    for k, year in enumerate(expected.years):
        for band, level in enumerate(LEVELS):
            rows = table[(table["year"] == year) & (table["level"] == level)]
            by_grade = expected.mean[k, :, 3 * band : 3 * band + 3]
            assert rows["pupils"].sum() == pytest.approx(by_grade.sum(), rel=1e-12)


def test_nothing_changes_if_nothing_closes(by_heart: Settings, three_villages: County) -> None:
    table = family(by_heart, counted(nothing_closes(by_heart), three_villages))
    assert set(table["moved"]) == {"no"}
    assert (table["mode_before"] == table["mode_after"]).all()
    assert (table["rise"] == 0).all()
    assert (table["rank"] == 1).all(), "equal rises share a rank"


def test_both_tables_are_as_declared(by_heart: Settings, three_villages: County, cost: pd.DataFrame) -> None:
    for name, table in (("family_pupils", counted(by_heart, three_villages)), ("family", cost)):
        declared = run_table(name)
        assert len(as_declared(table, declared)) == len(table) > 0
        assert not table.duplicated(list(declared.key)).any()


def told_of(*sizes: tuple[str, float, float]) -> pd.DataFrame:
    """Return groups of one year as in family.csv: way after, pupils, rise; they came on foot and nobody gets aid."""
    rows = [
        ("made", 2023, "junior", "no", "no", "yes", "walk", mode, pupils, 100.0, 100.0 + rise, 0.0, 0.0, rise, rise, 1)
        for mode, pupils, rise in sizes
    ]
    return pd.DataFrame(rows, columns=list(run_table("family").names))


def shown(table: pd.DataFrame, public: bool = True) -> list[tuple[str, float, float]]:
    told = groups(table, public)
    return list(told[["mode_after", "pupils", "rise"]].itertuples(index=False, name=None))


def test_small_groups_are_put_together_for_the_public() -> None:
    """Of 3 and 2 pupils with 100 and 50 yuan more a group of 5 with 80 is made; others stand as they are."""
    table = told_of(("school_bus", 20, 40), ("lodge", 3, 100), ("family", 2, 50))
    assert shown(table) == [(OTHERS, 5, 80), ("school_bus", 20, 40)]
    assert shown(table, public=False) == [("lodge", 3, 100), ("family", 2, 50), ("school_bus", 20, 40)]


def test_a_small_group_is_never_hidden_alone() -> None:
    """One group of 4 takes the next smallest with it, else it would be the total less the others."""
    table = told_of(("school_bus", 20, 40), ("lodge", 4, 100), ("family", 6, 0))
    assert shown(table) == [("school_bus", 20, 40), (OTHERS, 10, 40)]
    assert shown(told_of(("school_bus", 2, 40), ("lodge", 2, 100))) == [], "fewer than five in all: nothing is shown"


@given(st.lists(st.floats(0.1, 30), min_size=1, max_size=6))
def test_no_group_of_fewer_than_five_is_shown_and_nobody_is_lost(sizes: list[float]) -> None:
    table = told_of(*((mode, size, 10.0) for mode, size in zip(MODES, sizes, strict=False)))
    told = groups(table, public=True)
    assert (told["pupils"] >= 5).all()
    if sum(sizes) >= 5:
        assert told["pupils"].sum() == pytest.approx(sum(sizes))


def test_where_the_burden_rises_most() -> None:
    """The public does not hear of 3 lodgers; of two years the mean is told."""
    table = told_of(("school_bus", 20, 40), ("lodge", 3, 100), ("family", 6, 50), ("line_bus", 2, 90))
    assert rises_most(table, public=True)["mode_after"] == "family"
    assert rises_most(table, public=False)["mode_after"] == "lodge"
    later = told_of(("school_bus", 10, 70)).assign(year=2024)
    most = rises_most(pd.concat([table, later]), public=True)
    assert most[["mode_after", "pupils", "rise"]].tolist() == ["school_bus", 15, (20 * 40 + 10 * 70) / 30]
    assert rises_most(told_of(("walk", 20, 0)), public=True) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_group_has_a_name_in_both_languages(language: str) -> None:
    wanted = {column.name: column.allowed for column in run_table("family").columns if column.name in GROUP_KEY}
    names = [
        f"{key.split('_')[0] if key.startswith('mode') else key}.{value}" for key in wanted for value in wanted[key]
    ]
    assert len(names) == 3 + 3 * 2 + 2 * len(MODES)
    assert not [name for name in names if name not in glossary()]
    group = told_of(("lodge", 7, 100)).iloc[0]
    by_hand = {"en": "grades 7 to 9, not in hardship, on foot → lodging", "zh": "初中、非困难家庭，步行 → 寄宿"}
    assert name_of(Words(language), group) == by_hand[language]


def run_of(folder: Path, table: pd.DataFrame, *overrides: str) -> Run:
    """Return a run that has no more than its settings and what school costs families."""
    files = RunFolder(folder)
    files.write_yaml("config.yaml", settings_of("county=three_villages", *overrides).model_dump(mode="json"))
    files.write_table("family", table)
    return Run(folder)


def test_the_note_tells_how_much_more_and_for_whom(tmp_path: Path) -> None:
    """20 pupils pay 40 more and 5 pay 100 more: 52 in the mean of 25."""
    table = told_of(("school_bus", 20, 40), ("lodge", 5, 100))
    assert notes(run_of(tmp_path, table, "report.language=en")) == [
        "In a mean year 25 pupils go to another school because theirs closed. A school year costs their families "
        "52 yuan more (52 yuan more without aid).",
        "It rises most for: grades 7 to 9, not in hardship, on foot → lodging, by 100 yuan, from 100 yuan to 200 yuan "
        "less aid (5 pupils in a mean year).",
    ]
    rows = [[str(cell) for cell in row] for row in family_table(Run(tmp_path)).rows]
    assert [row[1:] for row in rows] == [
        ["5", "100", "200", "0", "0", "100", "100"],
        ["20", "100", "140", "0", "0", "40", "40"],
    ]


def test_the_note_says_so_where_nobody_or_nearly_nobody_changes_school(tmp_path: Path) -> None:
    three = told_of(("school_bus", 3, 40))
    for table, said in ((three, "Fewer than five pupils"), (three.assign(moved="no"), "No pupil changes school")):
        (text,) = notes(run_of(tmp_path, table, "report.language=en"))
        assert text.startswith(said)
    inside = run_of(tmp_path, three, "report.language=en", "report.audience=internal")
    assert notes(inside)[0].startswith("In a mean year 3 pupils go to another school")
