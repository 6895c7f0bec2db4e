"""The workbook as a finance officer has it: type a price or a share, and every total follows, to the fen."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_money import money_run
from sample_money import with_money
from sample_run import sample_run

from sim.account.ledger import ledger, totals
from sim.account.price import EARMARKED, accounts, charge_of
from sim.config import Settings, load
from sim.tell.run import Run
from sim.tell.words import Words, glossary
from sim.tell.workbook import SHEETS, workbook
from sim.tell.workbook import together as rules
from sim.tell.workbook.fixed import YUAN, shown
from sim.tell.workbook.lines import Lines
from sim.tell.workbook.together import TOGETHER, no_small_group, not_too_many
from sim.units import to_fen

PAYERS = ("county", "upper", "family")
Fen = dict[tuple[int, str], list[int]]
# What the finance officer types, and the settings that say the same.
TYPED = {
    ("Bus, 36 places", 1): 333333.33,
    ("Lunch", 1): 6.57,
    ("Bus kilometre", 1): 3.14159,
    ("Running the buses", 1): 0.25,
    ("Running the buses", 2): 0.333333,
    ("Meals", 2): 0.6,
    ("Share of the fare that families in hardship need not pay", 1): 0.5,
}
SAME = (
    "prices.bus_seats_36.central=333333.33", "prices.meal_lunch.central=6.57", "prices.bus_km.central=3.14159",
    "account.payers.bus_running={county:0.416667,upper:0.25,family:0.333333}",
    "account.payers.food={county:0.4,upper:0.0,family:0.6}", "account.hardship_fare_waived=0.5",
)  # fmt: skip


def recalculated(office: str, folder: Path, books: Mapping[str, Path]) -> dict[str, Any]:
    """Have LibreOffice calculate workbooks anew; return them as read from what it wrote."""
    profile, bare, done = (folder / name for name in ("profile", "bare", "done"))
    bare.mkdir()
    for name, path in books.items():
        book = openpyxl.load_workbook(path)
        book.save(bare / f"{name}.xlsx")  # openpyxl writes formulas without their values: none can be read back
        kept = openpyxl.load_workbook(bare / f"{name}.xlsx", data_only=True)
        assert all(kept[sheet][cell].value is None for sheet, cell in formulas(book))
    words = [office, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", "xlsx", "--outdir"]
    files = [str(bare / f"{name}.xlsx") for name in books]
    subprocess.run([*words, str(done), *files], check=True, capture_output=True, timeout=300)
    return {name: openpyxl.load_workbook(done / f"{name}.xlsx", data_only=True) for name in books}


def formulas(book: Any) -> list[tuple[str, str]]:
    """Return sheet and cell of every formula."""
    return [(s.title, cell.coordinate) for s in book for row in s.iter_rows() for cell in row if cell.data_type == "f"]


def totals_of(book: Any, language: str = "en") -> Fen:
    """Return the totals on the sheet of amounts: fen of every replication by year and payer."""
    word = Words(language)
    payer = {word.term("payer", name): name for name in (*PAYERS, "all")}
    rows = list(book[word("book.sheet.amounts")].iter_rows(min_row=4, values_only=True))
    first = rows[0].index("R1")
    found: Fen = {}
    for row in rows[1:]:
        if row[2] == word.term("account", "total") and isinstance(row[0], int | float):
            found[int(row[0]), payer[row[1]]] = [round(value * 100) for value in row[first:] if value is not None]
    return found


def totals_in(table: pd.DataFrame) -> Fen:
    """Return the same of a ledger."""
    counted = table[~table["account"].isin(EARMARKED)]
    by_payer = totals(counted, ["year", "payer", "replication"])
    everybody = totals(table, ["year", "replication"]).assign(payer="all")
    rows = pd.concat([by_payer, everybody]).sort_values("replication").groupby(["year", "payer"])["fen"]
    return {key: fen.tolist() for key, fen in rows}


def typed(path: Path, to: Path) -> Path:
    """Type TYPED into a workbook."""
    book = openpyxl.load_workbook(path)
    sheet = book["unit prices"]
    rows = {row[0].value: row for row in sheet.iter_rows(min_row=4)}
    for (name, column), value in TYPED.items():
        assert rows[name][column].protection.locked is False, "what is to be typed is not locked"
        rows[name][column].value = value
    book.save(to)
    return to


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return run folders: for everyone in Chinese, with a small school, and for the office in English."""
    folder = tmp_path_factory.mktemp("runs")
    return {
        "zh": money_run(folder / "zh", "report.language=zh", small=3.0),
        "en": money_run(folder / "en", "report=internal", "report.language=en", small=3.0),
    }


@pytest.fixture(scope="module")
def written(runs: dict[str, Path]) -> dict[str, Path]:
    """Return their workbooks."""
    return {name: workbook(folder) for name, folder in runs.items()}


@pytest.fixture(scope="module")
def books(office: str, written: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the workbooks as LibreOffice calculates them, and one in which a finance officer has typed."""
    folder = tmp_path_factory.mktemp("office")
    return recalculated(office, folder, {**written, "typed": typed(written["en"], folder / "typed.xlsx")})


@pytest.fixture(scope="module")
def other(runs: dict[str, Path]) -> tuple[Settings, pd.DataFrame]:
    """Return the settings that say what was typed, and the ledger of the same quantities under them."""
    was = Run(runs["en"]).settings
    told = load([f"study.years={was.study.years}", f"study.replications={was.study.replications}", *SAME])
    settings = was.model_copy(update={"prices": told.prices, "account": told.account})
    return settings, ledger(settings, Run(runs["en"]).table("quantities"))


@pytest.mark.office
@pytest.mark.parametrize("name", ["zh", "en"])
def test_libreoffice_comes_to_the_same_totals_as_the_ledger(
    runs: dict[str, Path], books: dict[str, Any], name: str
) -> None:
    found = totals_of(books[name], name)
    assert found == totals_in(Run(runs[name]).table("ledger"))
    assert len(found) == 3 * 4, "three years, three payers and all of them"
    assert all(len(fen) == 4 for fen in found.values()), "four replications"


@pytest.mark.office
@pytest.mark.parametrize("name", ["zh", "en", "typed"])
def test_no_formula_fails_and_readers_that_do_not_calculate_see_the_same(
    written: dict[str, Path], books: dict[str, Any], name: str
) -> None:
    told, kept = books[name], openpyxl.load_workbook(written[name if name in written else "en"], data_only=True)
    cells = formulas(openpyxl.load_workbook(written[name if name in written else "en"]))
    values = [(kept[sheet][cell].value, told[sheet][cell].value) for sheet, cell in cells]
    assert len(values) > 2000
    assert not [new for _, new in values if not isinstance(new, int | float)]
    if name != "typed":
        assert max(abs(old - new) for old, new in values) < 0.005


@pytest.mark.office
def test_a_typed_price_and_share_move_every_total_as_the_ledger_does(
    books: dict[str, Any], other: tuple[Settings, pd.DataFrame]
) -> None:
    assert totals_of(books["typed"]) == totals_in(other[1])


@pytest.mark.office
def test_a_typed_price_and_share_move_the_countys_p80_of_each_year(
    runs: dict[str, Path], books: dict[str, Any], other: tuple[Settings, pd.DataFrame]
) -> None:
    """The summary has it beside what it was as simulated, and beside the one with price spread, which stand still."""
    before, after = totals_in(Run(runs["en"]).table("ledger")), totals_in(other[1])
    rows = {row[0]: row for row in books["typed"]["summary"].iter_rows(values_only=True) if row[1] is not None}
    spread = Run(runs["en"]).budget.set_index(["account", "payer", "year"])["p80"]
    for year in (2023, 2024, 2025):
        was, now = (np.percentile(fen[year, "county"], 80) / 100 for fen in (before, after))
        assert abs(was - now) > 1000
        assert rows[year][3] == pytest.approx(now, abs=0.005)
        assert rows[year][5] == pytest.approx(was, abs=0.005)
        assert rows[year][6] == pytest.approx(now - was, abs=0.01)
        assert rows[year][7] == pytest.approx(spread["total", "county", year], abs=0.005)


@pytest.mark.office
def test_the_schools_and_the_capital_plan_add_up_to_the_budget(
    books: dict[str, Any], other: tuple[Settings, pd.DataFrame]
) -> None:
    settings, table = other
    fen = totals_in(table)
    sums = [row[2:5] for row in books["typed"]["schools"].values if row[1] == "Total"]
    means = [[np.mean(fen[year, payer]) / 100 for year in (2023, 2024, 2025)] for payer in ("all", "county")]
    assert np.array(sums) == pytest.approx(np.array(means), abs=0.005)
    bought = table[table["nature"] == "capital"].groupby("year")["amount_yuan"].sum() / 4
    plan = list(books["typed"]["capital plan"].iter_rows(min_row=5, max_row=7, values_only=True))
    assert [row[5] for row in plan] == pytest.approx(bought.tolist(), abs=0.005)
    # What is bought for P, lasts n years and is discounted at r costs P r / (1 - (1 + r)^-n) a year.
    buses = table[(table["account"] == "bus_purchase_seats_36") & (table["year"] == 2023)]["amount_yuan"].sum() / 4
    rate, life = settings.account.discount_rate, settings.prices["bus_seats_36"].life_years
    (row,) = [row for row in books["typed"]["capital plan"].values if row[:2] == ("Buses, 36 places", 2023)]
    assert row[5] == pytest.approx(buses, abs=0.005)
    assert row[6] == life == 15
    assert row[7] == pytest.approx(buses * rate / (1 - (1 + rate) ** -15), abs=0.005)
    assert row[8] == pytest.approx(buses * 12 / 15, abs=0.005), "three of fifteen years have gone by"


@given(st.lists(st.decimals(-(10**7), 10**7, places=3), min_size=1))
def test_halves_of_a_fen_are_rounded_away_from_zero(yuan: list[Decimal]) -> None:
    exact = np.array(yuan, dtype=float)
    away = [int((abs(value) * 100).quantize(Decimal(1), ROUND_HALF_UP).copy_sign(value)) for value in yuan]
    assert to_fen(exact).tolist() == away


def test_the_sheets_have_names_in_the_language_of_the_report(written: dict[str, Path]) -> None:
    for name, path in written.items():
        book = openpyxl.load_workbook(path)
        assert book.sheetnames == [Words(name)(f"book.sheet.{key}") for key in SHEETS]
        for sheet in book:
            assert sheet.freeze_panes or sheet.title in (book.sheetnames[0],)
            assert sheet.page_setup.orientation == "landscape"
            assert sheet.page_setup.paperSize == 9
            assert sheet.sheet_properties.pageSetUpPr.fitToPage
            assert "&P" in (sheet.oddFooter.right.text or "")
    with zipfile.ZipFile(written["en"]) as parts:
        assert not [part for part in parts.namelist() if "vba" in part.lower()]


def test_a_share_or_a_price_out_of_bounds_is_refused_where_it_is_typed(written: dict[str, Path]) -> None:
    rules_of = openpyxl.load_workbook(written["en"])["unit prices"].data_validations.dataValidation
    kinds = {(rule.type, rule.operator, rule.formula1, rule.formula2) for rule in rules_of}
    assert ("decimal", "greaterThanOrEqual", "0", None) in kinds
    assert any(kind[0] == "decimal" and str(kind[3]).startswith("1-") for kind in kinds), "both shares together"


def test_rates_and_shares_say_what_is_wrong_with_each(written: dict[str, Path]) -> None:
    sheet = openpyxl.load_workbook(written["en"])["unit prices"]
    rows = {row[0].value: row[1].coordinate for row in sheet.iter_rows(min_row=4)}
    says = {
        row: [rule.error for rule in sheet.data_validations.dataValidation if cell in rule.sqref]
        for row, cell in rows.items()
    }
    word = Words("en")
    assert says[word("book.discount_rate")] == says[word("book.inflation")] == [word("book.rule.rate")]
    assert says[word("book.hardship_fare_waived")] == [word("book.rule.waived")]
    assert says["Meals"] == [word("book.rule.share")]


def test_a_public_workbook_has_no_net_cost_of_an_account_and_sums_to_ten_thousand_yuan(tmp_path: Path) -> None:
    public, office = (Run(with_money(sample_run(tmp_path / name, f"report={name}"))) for name in ("public", "internal"))
    assert set(shown(public, "net")["account"]) == {"total"}
    assert len(set(shown(office, "net")["account"])) == 6
    for name in ("budget", "all_years", "drivers", "net"):
        yuan = shown(public, name)[[column for column in YUAN if column in shown(public, name)]].to_numpy()
        assert (np.mod(yuan, 10_000) == 0).all(), name
        exact = shown(office, name)["low"].to_numpy()
        assert np.mod(exact, 10_000).any(), name
    assert shown(public, "unit_costs")["mean"].iloc[0] == shown(office, "unit_costs")["mean"].iloc[0]


def test_the_office_sees_every_school_and_everyone_else_no_small_group(runs: dict[str, Path]) -> None:
    """S4 has three pupils and a little more; told together with the smallest other school they are at least five."""
    office, everyone = Lines(Run(runs["en"])), Lines(Run(runs["zh"]))
    assert TOGETHER not in set(office.quantities["site_id"])
    rows = everyone.quantities
    at = rows.groupby("account")["site_id"].agg(set)
    for account in ("public_funds_primary", "meal_lunch", "floor_kept", "hardship_day_junior"):
        assert at[account] == {"S2", "S3", "S5", TOGETHER}, account
    assert at["bus_km"] == {"S1", "S2", "S3", "S4", "S5"}, "kilometres tell of no pupil"
    sums = everyone.counted.groupby(["year", "account"])[everyone.replications].sum()
    assert rows.groupby(["year", "account"])[everyone.replications].sum().to_numpy() == pytest.approx(sums.to_numpy())
    assert max(np.abs(fen).max() for fen in everyone.rest.values()) <= 20, "the rest is a matter of a few fen"
    assert not office.rest


def groups(**pupils: list[float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of one account in one year and one replication: schools A, B, ... with these pupils."""
    rows = [(2023, account, "ABCDE"[k], value) for account, row in pupils.items() for k, value in enumerate(row)]
    table = pd.DataFrame(rows, columns=["year", "account", "site_id", 0])
    return table, table[[0]]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ([3, 4, 30], {"C": 30, TOGETHER: 7}),
        ([3, 40, 30], {"B": 40, TOGETHER: 33}),
        ([1, 2, 9, 30], {"D": 30, TOGETHER: 12}),
        ([5, 6, 7], {"A": 5, "B": 6, "C": 7}),
        ([0, 8, 9], {"A": 0, "B": 8, "C": 9}),
    ],
)
def test_small_groups_are_told_together(row: list[float], told: dict[str, float]) -> None:
    rows = no_small_group(*groups(meal_lunch=row), {"meal_lunch": {"family"}})
    assert dict(zip(rows["site_id"], rows[0], strict=True)) == told


def test_what_is_missing_to_the_floor_tells_of_those_who_are_there() -> None:
    """A closed school keeps funds for 97 pupils whom it lacks of 100: it had three."""
    table, _ = groups(floor_kept=[97.0, 60, 20])
    rows = no_small_group(table, 100 - table[[0]], {"floor_kept": {"upper"}})
    assert dict(zip(rows["site_id"], rows[0], strict=True)) == {"C": 20, TOGETHER: 157}


def test_accounts_that_count_the_same_pupils_hide_the_same_schools() -> None:
    """Of 40 pupils 3 are in junior grades: lunches for 40 would tell it, given the 37."""
    accounts = {
        "public_funds_primary": [37.0, 60, 70],
        "public_funds_junior": [3.0, 9, 20],
        "meal_lunch": [40.0, 69, 90],
    }
    rows = no_small_group(*groups(**accounts), {name: {"upper"} for name in accounts})
    assert set(rows["site_id"]) == {"C", TOGETHER}


def test_a_group_that_is_small_in_the_whole_county_is_not_told_nor_worked_out() -> None:
    """Three lodgers: what upper levels pay is then told with the next smallest group that they pay for."""
    accounts = {"lodger_supplement": [3.0], "family_fare": [50.0], "meal_lunch": [80.0], "public_funds_primary": [90.0]}
    payers = {name: {"upper"} for name in accounts} | {"family_fare": {"family"}}
    rows = no_small_group(*groups(**accounts), payers)
    assert set(rows["account"]) == {"family_fare"}


def test_what_is_bought_is_told_for_the_whole_county_however_little() -> None:
    """Three beds at one school would tell of three pupils; three beds in the county are a purchase."""
    rows = no_small_group(*groups(bed_place=[2.0, 1.0]), {"bed_place": {"county"}}, {"bed_place"})
    assert dict(zip(rows["site_id"], rows[0], strict=True)) == {TOGETHER: 3}


def test_a_workbook_of_a_province_tells_the_schools_that_cost_least_together(monkeypatch: pytest.MonkeyPatch) -> None:
    table, _ = groups(bus_km=[5.0, 1, 4, 2, 3])
    assert not_too_many(table, table[0]) is table
    monkeypatch.setattr(rules, "MOST_NUMBERS", 4)
    rows = not_too_many(table, table[0])
    assert dict(zip(rows["site_id"], rows[0], strict=True)) == {"A": 5, "C": 4, "E": 3, TOGETHER: 3}


def test_every_account_has_words_and_every_unit_tells_whether_it_counts_pupils() -> None:
    settings = load([])
    charges = {name: charge_of(name) for name in accounts(settings)}
    wanted = {f"account.{name}" for name in charges} | {f"purse.{purse}" for purse in settings.account.payers}
    wanted |= {f"account_unit.{charge.unit}" for charge in charges.values()}
    assert not wanted - set(glossary())
    pupils = {*rules.PUPILS, *rules.DAYS, *rules.RIDES, *rules.MONTHS}
    others = {"post-year", "bus-year", "school-year", "m2-year", "m2", "km", "bus"}
    used = {charge.unit for charge in charges.values() if charge.nature != "capital"}
    assert used == (pupils | others) & used, "a new unit: does it count pupils?"
