"""The ledger added up: exact to the fen, spread by luck and prices as theory says, and every derived figure by hand."""

from __future__ import annotations

from functools import cache, partial

import made_ledger as made
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from made_ledger import Line, certain, counted, of_account, priced, same
from scipy import integrate, stats

from sim.account.amount import ALL, TOTAL, laid_out
from sim.account.band import unknown_measures
from sim.account.budget import budget, by_site
from sim.account.draw import price_draws, quantile, variance
from sim.account.ledger import to_fen
from sim.account.money import money
from sim.account.price import ACCOUNTS, EARMARKED
from sim.config import Settings, load
from sim.errors import BadInput
from sim.tables import as_declared, run_table

KM = (1.0, 2.0, 5.0)
"""Low, central and high price of a km in these tests."""


@cache
def chosen() -> Settings:
    return load(["county=three_villages"])


@pytest.fixture(scope="module")
def settings() -> Settings:
    return priced(chosen(), bus_km=KM)


def told(settings: Settings, lines: list[Line], name: str = "budget", **more: pd.DataFrame) -> pd.DataFrame:
    return money(settings, made.ledger(settings, lines), more.pop("quantities", counted([])), **more)[name]


def total(table: pd.DataFrame, payer: str = ALL) -> pd.DataFrame:
    return table[(table["account"] == TOTAL) & (table["payer"] == payer)].set_index("year")


# Draws of the prices


def test_half_of_a_price_lies_on_either_side_of_the_one_used(settings: Settings) -> None:
    price = settings.prices["bus_km"]
    assert quantile(price, np.array([0.0, 0.125, 0.5, 0.875, 1.0])).tolist() == [1.0, 1.5, 2.0, 3.5, 5.0]
    assert np.median(price_draws(settings, ["bus_km"])) == pytest.approx(2.0, abs=0.01)


def test_the_variance_of_a_price_is_that_of_its_law(settings: Settings) -> None:
    price = settings.prices["bus_km"]
    mean = integrate.quad(partial(quantile, price), 0, 1)[0]
    square = integrate.quad(lambda u: quantile(price, u) ** 2, 0, 1)[0]
    assert variance(price) == pytest.approx(square - mean**2, rel=1e-6)


def test_draws_belong_to_the_name_of_a_price_and_to_the_seed(settings: Settings) -> None:
    alone, both = price_draws(settings, ["bus_km"]), price_draws(settings, ["driver_year", "bus_km"])
    assert np.array_equal(alone[0], both[1])
    assert not np.array_equal(alone, price_draws(settings.model_copy(update={"seed": 1}), ["bus_km"]))


@pytest.mark.parametrize("correlation", [0.0, 0.3, 1.0])
def test_prices_rise_together_as_the_settings_say(settings: Settings, correlation: float) -> None:
    """Spearman's rank correlation of a Gaussian copula is 6/pi asin(c/2); its error is 1/sqrt(D), here 4 of it."""
    many = of_account(settings, price_correlation=correlation, price_draws=4000)
    ranks = stats.spearmanr(*price_draws(many, ["bus_km", "driver_year"])).statistic
    error = 0 if correlation == 1 else 4 / np.sqrt(4000)
    assert ranks == pytest.approx(6 / np.pi * np.arcsin(correlation / 2), abs=error + 1e-9)


def test_quantiles_of_one_price_are_those_of_its_law(settings: Settings) -> None:
    """Quantity 1000 in every replication; a quantile is off its law by 4 standard errors once in 16000 times."""
    table = told(settings, same("bus_km", 1000.0)).iloc[0]
    draws = settings.account.price_draws
    assert table["mean"] == 2000
    for share in (0.5, 0.8, 0.95):
        error = 4 * np.sqrt(share * (1 - share) / draws)
        value = table[f"p{share * 100:.0f}"] / 1000
        assert made.chance_of(settings.prices["bus_km"], value) == pytest.approx(share, abs=error)


def test_without_uncertain_prices_luck_alone_spreads(settings: Settings) -> None:
    lines = [(r, 2023, "C", "bus_km", "county", float(q), 1.0) for r, q in enumerate((100, 130, 90, 170))]
    table = told(certain(settings), lines).iloc[0]
    for percent in (50, 80, 95):
        assert table[f"p{percent}"] == table[f"luck_p{percent}"]
        assert table[f"p{percent}"] == pytest.approx(np.percentile([200, 260, 180, 340], percent))


def test_luck_and_prices_spread_together(settings: Settings) -> None:
    """Two replications of 100 and 300 km: of all 2 x D cases the P50 divides the half."""
    lines = [(r, 2023, "C", "bus_km", "county", q, 1.0) for r, q in enumerate((100.0, 300.0))]
    table = told(settings, lines).iloc[0]
    cases = np.concatenate([q * price_draws(settings, ["bus_km"])[0] for q in (100, 300)])
    for percent in (50, 80, 95):
        assert table[f"p{percent}"] == pytest.approx(np.percentile(cases, percent))
    assert table["luck_p50"] == 400


def test_prices_that_rise_as_one_add_their_quantiles(settings: Settings) -> None:
    as_one = of_account(settings, price_correlation=1.0)
    table = told(as_one, [*same("bus_km", 1000.0), *same("driver", 3.0)])
    parts = table[table["account"] != TOTAL]
    for name in ("p50", "p80", "p95"):
        assert total(table)[name].item() == pytest.approx(parts[name].sum())


def test_prices_that_do_not_rise_as_one_even_out(settings: Settings) -> None:
    apart = of_account(settings, price_correlation=0.0)
    table = told(apart, [*same("bus_km", 30000.0), *same("driver", 3.0)])
    parts = table[table["account"] != TOTAL]
    assert total(table)["p95"].item() < 0.95 * parts["p95"].sum()


def test_an_amount_that_has_no_price_of_its_own_is_certain(settings: Settings) -> None:
    table = told(settings, same("project", 9000.0)).iloc[0]
    assert table["p95"] == table["mean"] == 9000


# Sums


@hypothesis_settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(2023, 2025),
            st.sampled_from(["C", "T"]),
            st.sampled_from(["guard", "bed_place", "bus_km", "public_funds_primary"]),
            st.sampled_from(["county", "family", "upper"]),
            st.integers(-(10**9), 10**9).map(lambda millionth: millionth / 10**6),
            st.sampled_from([1.0, 0.333333, 0.5]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_any_ledger_adds_up_to_its_budget(rows: list[Line]) -> None:
    few = of_account(chosen(), price_draws=10)
    ledger = made.ledger(few, rows)
    amounts, count = laid_out(few, ledger), ledger["replication"].nunique()
    ledger["fen"] = to_fen(ledger["amount_yuan"])
    borne = ledger[~ledger["account"].isin(EARMARKED)]
    table, sites = budget(few, amounts), by_site(amounts)
    for keys, part, of in (
        (["year", "account", "payer"], table[table["account"] != TOTAL], ledger),
        (["year", "payer"], table[(table["account"] == TOTAL) & (table["payer"] != ALL)], borne),
        (["year"], total(table).reset_index(), ledger),
        (["year", "site_id"], sites[sites["payer"] == ALL], ledger),
        (["year", "site_id", "payer"], sites[sites["payer"] != ALL], borne),
    ):
        fen = (part.set_index(keys)["mean"] * count * 100).round().astype("int64")
        wanted = of.groupby(keys)["fen"].sum()
        assert (fen.reindex(wanted.index) == wanted).all()
        assert fen.sum() == of["fen"].sum()


def test_tables_are_as_declared(settings: Settings) -> None:
    ledger = made.ledger(settings, [*same("bus_km", 1000.0, (2023, 2024)), *same("bed_place", 3.0)])
    quantities = counted([(None, year, item, 2.0) for year in (2023, 2024) for item in ("bus_km", "riders")])
    tables = money(settings, ledger, quantities, ledger)
    for name, table in tables.items():
        declared = run_table(name)
        assert len(as_declared(table, declared)) == len(table) > 0
        assert not table.duplicated(list(declared.key)).any()
        required = [column.name for column in declared.columns if not column.nullable]
        assert table[required].notna().all(axis=None)


def test_one_replication_gives_no_interval_but_a_spread_of_prices(settings: Settings) -> None:
    table = told(settings, same("bus_km", 1000.0, replications=1)).iloc[0]
    assert np.isnan(table["low"])
    assert np.isnan(table["high"])
    assert table["p95"] > table["luck_p95"] == table["mean"]


def test_an_empty_ledger_has_empty_tables(settings: Settings) -> None:
    empty = made.ledger(settings, same("bus_km", 1.0)).iloc[:0]
    for name, table in money(settings, empty, counted([])).items():
        assert as_declared(table, run_table(name)).empty


def test_payers_add_up_without_the_funds_for_the_schools_own_running(settings: Settings) -> None:
    funds = [
        (0, 2023, "C", "public_funds_primary", payer, sign * 9.0, 1.0) for payer, sign in (("upper", 1), ("county", -1))
    ]
    fares = [(0, 2023, "C", "family_fare", payer, sign * 40.0, 1.0) for payer, sign in (("family", 1), ("county", -1))]
    table = told(settings, [*same("bus_km", 1000.0, replications=1), *funds, *fares])
    fare = 40 * settings.prices["family_fare_per_month"].central
    assert total(table)["mean"].item() == 2000
    assert total(table, "county")["mean"].item() == 2000 - fare
    assert total(table, "family")["mean"].item() == fare
    assert total(table, "upper").empty


# What is bought: lives, replacement, residual values


def test_a_purchase_is_spread_over_its_life(settings: Settings) -> None:
    """Present value of the annuity over its life equals the price paid."""
    rate, price = settings.account.discount_rate, settings.prices["bed_place"]
    lines = [*same("bed_place", 2.0, (2023,)), *same("bed_place", 1.0, (2024,))]
    bed = told(settings, lines).query("account == 'bed_place'").set_index("year")
    one = bed.loc[2023, "annualised"] / 2
    assert sum(one / (1 + rate) ** (age + 1) for age in range(int(price.life_years or 0))) == pytest.approx(
        price.central
    )
    assert bed.loc[2024, "annualised"] == pytest.approx(one * 3)
    assert bed.loc[2024, "npv"] == pytest.approx(bed.loc[2024, "mean"] / (1 + rate))


def test_without_discounting_a_purchase_is_divided_by_its_life(settings: Settings) -> None:
    lines = [*same("bed_place", 3.0, (2024,)), *same("bus_km", 1.0, (2023,))]
    bed = told(of_account(settings, discount_rate=0.0), lines).query("account == 'bed_place'").set_index("year")
    assert bed.loc[2023, "annualised"] == 0
    assert bed.loc[2024, "annualised"] == pytest.approx(bed.loc[2024, "mean"] / 30)


def test_what_is_left_of_a_bus_at_the_end_is_a_straight_line(settings: Settings) -> None:
    """A bus lasts 15 years: bought at the beginning of the first of 10, 5/15 are left; of the last, 14/15."""
    account, years = "bus_purchase_seats_19", range(2023, 2033)
    lines = [*same(account, 2.0, (2023,)), *same(account, 1.0, (2032,)), *same("bus_km", 10.0, years)]
    table, price = told(settings, lines), settings.prices["bus_seats_19"].central
    whole, rate = total(table), settings.account.discount_rate
    assert whole.loc[2023, "residual"] == pytest.approx(2 * price * 5 / 15)
    assert whole.loc[2032, "residual"] == pytest.approx(price * 14 / 15)
    assert whole.loc[2027, "residual"] == 0
    assert whole.loc[2023, "npv_residual"] == pytest.approx(2 * price * 5 / 15 / (1 + rate) ** 10)
    every = told(settings, lines, "all_years").query("payer == 'all'").set_index("measure")
    assert every.loc["cash", "mean"] == pytest.approx(whole["mean"].sum())
    assert every.loc["present", "mean"] == pytest.approx(whole["npv"].sum())
    left = whole["npv"].sum() - whole["npv_residual"].sum()
    assert every.loc["present_less_residual", "mean"] == pytest.approx(left)
    assert every.loc["cash", "p80"] < whole["p80"].sum() * 1.0001


def test_what_wears_out_is_replaced_and_what_is_more_is_not(settings: Settings) -> None:
    """Windows last 10 years: 2 of 2023 are bought again in 2033, and 1 more; what is worn out has no value."""
    lines = [
        *same("window_place", 2.0, (2023,)),
        *same("window_place", 3.0, (2033,)),
        *same("bus_km", 1.0, range(2023, 2035)),
    ]
    table = told(settings, lines, "capital").set_index("year")
    assert table.loc[2033, ["bought", "replaced", "in_service"]].tolist() == [3, 2, 3]
    assert table.loc[2032, ["bought", "replaced", "in_service"]].tolist() == [0, 0, 2]
    assert table.loc[2023, "residual"] == 0
    assert table.loc[2033, "residual"] == pytest.approx(3 * 30000 * 8 / 10)
    assert table.loc[2033, "mean"] == 3 * table.loc[2033, "unit_price_yuan"] == 90000
    assert table.loc[2033, "annual"] == pytest.approx(1.5 * table.loc[2024, "annual"])
    assert set(table["account"]) == {"window_place"}


def test_purchases_that_payers_share_are_counted_once(settings: Settings) -> None:
    lines = [(0, 2023, "C", "bed_place", payer, 4.0, share) for payer, share in (("county", 0.25), ("upper", 0.75))]
    table = told(settings, lines, "capital").iloc[0]
    assert (table["bought"], table["mean"]) == (4, 4 * settings.prices["bed_place"].central)


# What one of everything costs


def test_costs_of_one_are_divided_by_what_was_counted(settings: Settings) -> None:
    """Two buses drive 1000 km in one replication and 2000 in the other, for 10 and 20 riders."""
    bus = "bus_purchase_seats_19"
    lines = [(r, 2023, "county", "bus_km", "county", 1000.0 * (r + 1), 1.0) for r in (0, 1)]
    lines += [*same(bus, 2.0), *same("attendant", 1.0)]
    quantities = counted(
        [(None, 2023, "buses_owned", 2.0)]
        + [(r, 2023, item, n * (r + 1)) for r in (0, 1) for item, n in (("riders", 10.0), ("bus_km", 1000.0))]
    )
    flat = of_account(settings, discount_rate=0.0)
    table = told(flat, lines, "unit_costs", quantities=quantities).set_index("measure")["mean"]
    year_of_bus, keeper = 2 * 150000 / 15, settings.prices["attendant_year"].central
    assert table["yuan_per_bus_driving"] == pytest.approx((1000 + 2000) / 2)
    assert table["yuan_per_bus_running"] == pytest.approx((1000 + 2000) / 2 + keeper / 2)
    assert table["yuan_per_bus"] == pytest.approx((1000 + 2000) / 2 + keeper / 2 + year_of_bus / 2)
    per_rider = [(2000 * (r + 1) + keeper + year_of_bus) / (10 * (r + 1)) for r in (0, 1)]
    assert table["yuan_per_rider"] == pytest.approx(np.mean(per_rider))
    assert table["riders_per_bus"] == pytest.approx((5 + 10) / 2)
    assert "yuan_per_lodger" not in table


def test_fares_are_told_by_rider_and_month_and_lower_what_the_public_pays(settings: Settings) -> None:
    months = settings.account.fare_months
    fares = [
        (0, 2023, "C", "family_fare", payer, sign * 5 * months, 1.0) for payer, sign in (("family", 1), ("county", -1))
    ]
    lines = [*same("bus_km", 1000.0, replications=1), *fares]
    quantities = counted([(0, 2023, "riders", 5.0)])
    table = told(settings, lines, "unit_costs", quantities=quantities).set_index("measure")["mean"]
    fare = settings.prices["family_fare_per_month"].central
    assert table["fare_per_rider_month"] == pytest.approx(fare)
    assert table["public_yuan_per_rider"] == pytest.approx(2000 / 5 - fare * months)


# What drives the spread


def test_one_price_that_alone_is_uncertain_makes_all_the_spread(settings: Settings) -> None:
    only_km = certain(settings, "bus_km")
    lines = [*same("bus_km", 1000.0, (2023, 2024)), *same("driver", 3.0, (2023, 2024))]
    table = told(only_km, lines, "drivers").set_index(["payer", "driver"])
    driver = 3 * settings.prices["driver_year"].central
    low, high = 1000 * quantile(settings.prices["bus_km"], np.array([0.1, 0.9])) + driver
    assert len(table) == 2
    for payer in ("all", "county"):
        assert table.loc[(payer, "bus_km"), "share"] == 1
        assert table.loc[(payer, "bus_km"), ["low", "high"]].tolist() == pytest.approx([low, high])


def test_luck_and_prices_share_the_variance(settings: Settings) -> None:
    """Luck: 900 and 1100 km at 2 yuan, variance 2 x 200^2 of two values; price: 1000^2 times that of its law."""
    lines = [(r, 2023, "C", "bus_km", "county", q, 1.0) for r, q in enumerate((900.0, 1100.0))]
    table = told(settings, lines, "drivers").query("payer == 'all'").set_index("driver")
    luck, price = 2 * 200.0**2, 1000**2 * variance(settings.prices["bus_km"])
    assert table.loc["luck", "share"] == pytest.approx(luck / (luck + price))
    assert table["share"].sum() == pytest.approx(1)
    assert table.loc["luck", ["low", "high"]].tolist() == pytest.approx([1840, 2160])
    assert table.index[0] == "bus_km"


def test_a_price_that_is_paid_and_received_drives_only_the_payers(settings: Settings) -> None:
    fares = [
        (r, 2023, "C", "family_fare", payer, sign * 70.0, 1.0)
        for payer, sign in (("family", 1), ("county", -1))
        for r in (0, 1)
    ]
    fare = settings.prices["family_fare_per_month"].model_copy(update={"low": 0.0, "high": 80.0})
    ranged = settings.model_copy(update={"prices": {**settings.prices, "family_fare_per_month": fare}})
    table = told(ranged, [*fares, *same("bus_km", 1.0)], "drivers")
    assert set(table.loc[table["driver"] == "family_fare_per_month", "payer"]) == {"county"}


# Against not closing


def test_a_ledger_against_itself_differs_by_nothing(settings: Settings) -> None:
    lines = [
        (r, 2023, "C", name, "county", 1234.567891 * (r + 1), 0.333333) for r in (0, 1) for name in ("bus_km", "driver")
    ]
    ledger = made.ledger(settings, lines)
    table = money(settings, ledger, counted([]), ledger)["net"]
    assert (table[["mean", "low", "high", "p50", "p80", "p95", "p_cheaper"]] == 0).all(axis=None)


def test_what_is_paid_either_way_has_no_spread(settings: Settings) -> None:
    """Both drive the same km and pay 3 drivers more than the other, whose price alone is left."""
    base = made.ledger(settings, same("bus_km", 1e6))
    table = told(settings, [*same("bus_km", 1e6), *same("driver", 3.0)], "net", base_ledger=base)
    price = settings.prices["driver_year"]
    whole = total(table).iloc[0]
    assert whole["mean"] == 3 * price.central
    assert 3 * price.low < whole["p50"] < whole["p95"] < 3 * price.high
    assert whole["p_cheaper"] == 0


def test_closing_is_cheaper_as_often_as_its_price_is_low(settings: Settings) -> None:
    """1000 km instead of 2500 certain yuan: cheaper while a km costs less than 2.50 yuan, to 4 standard errors."""
    base = made.ledger(settings, same("project", 2500.0))
    table = told(settings, same("bus_km", 1000.0), "net", base_ledger=base)
    chance, draws = made.chance_of(settings.prices["bus_km"], 2.5), settings.account.price_draws
    error = 4 * np.sqrt(chance * (1 - chance) / draws)
    assert total(table)["p_cheaper"].item() == pytest.approx(chance, abs=error)
    every = told(settings, same("bus_km", 1000.0), "all_years", base_ledger=base)
    row = every.query("against == 'not_closing' and payer == 'all' and measure == 'cash'").iloc[0]
    assert (row["mean"], row["p_below"]) == (-500, total(table)["p_cheaper"].item())


def test_only_replications_that_both_have_are_compared(settings: Settings) -> None:
    base = made.ledger(settings, same("bus_km", 900.0, replications=2))
    table = told(settings, same("bus_km", 1000.0, replications=5), "net", base_ledger=base)
    assert total(table)[["mean", "low", "high"]].to_numpy().tolist() == [[200, 200, 200]]


# Beside real counties


def banded(settings: Settings, riders: float) -> pd.DataFrame:
    lines = [*same("bus_km", 1000.0), *same("driver", 1.0)]
    return told(settings, lines, "bands", quantities=counted([(None, 2023, "riders", riders)])).set_index("band")


def test_a_cost_within_a_band_is_inside_and_names_its_accounts(settings: Settings) -> None:
    """A driver and 1000 km: 51,000 + 2000 yuan for 20 riders."""
    row = banded(settings, 20.0).loc["taishan_per_rider"]
    assert row["value_mean"] == pytest.approx(53000 / 20)
    assert row["inside"]
    assert row["because"] == "driver:0.96;bus_km:0.038"


def test_a_cost_beyond_a_band_is_outside(settings: Settings) -> None:
    for riders in (1.0, 1000.0):
        assert not banded(settings, riders).loc["taishan_per_rider", "inside"]


def test_what_there_is_none_of_has_no_band(settings: Settings) -> None:
    assert "food_per_meal" not in banded(settings, 20.0).index


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("bands.fare_month.low=99", "bands.fare_month: low 99.0, high 60.0 must rise"),
        ("bands.fare_month.high=-1", "bands.fare_month.high: -1 is not possible; it must be at least 0"),
        ("account.price_correlation=1.5", "account.price_correlation: 1.5"),
        ("account.price_draws=0", "account.price_draws: 0"),
    ],
)
def test_bands_and_draws_that_cannot_be_are_refused_with_their_key(typed: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        load(["county=three_villages", typed])
    assert says in str(caught.value)


def test_a_band_of_an_unknown_measure_is_refused_with_its_key(settings: Settings) -> None:
    assert unknown_measures(settings) == []
    band = settings.bands["fare_month"].model_copy(update={"measure": "fare_per_mile"})
    wrong = settings.model_copy(update={"bands": {**settings.bands, "mine": band}})
    assert unknown_measures(wrong)[0].startswith("bands.mine.measure: fare_per_mile")


def test_every_account_can_be_laid_out(settings: Settings) -> None:
    """Amounts at the central prices are what the lines' moves make of them, to half a fen."""
    ledger = made.ledger(settings, [line for account in ACCOUNTS for line in same(account, 12.345)])
    amounts = laid_out(settings, ledger)
    price = np.array([settings.prices[item].central if item else 1.0 for item in amounts.items])
    exact = amounts.moves * price[amounts.item][:, None, None]
    assert np.abs(amounts.fen - exact).max() <= 0.5 + 1e-6
