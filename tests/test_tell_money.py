"""What the report says about money: the figures of its files, in words and units that a finance officer reads."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sample_money import EARMARKED, sample_budget, sample_family, sample_net, with_money
from sample_run import sample_run

from sim.account.price import accounts, charge_of
from sim.account.unit_cost import RATIOS
from sim.tell import budget, campus, capital, driver, family, ledger, money, net, payer, unit_cost
from sim.tell.answer import answer, key_figures, yearly_cost
from sim.tell.cells import FEWEST
from sim.tell.figure import draw
from sim.tell.grid import Grid
from sim.tell.number import money as written
from sim.tell.page import report
from sim.tell.run import Run
from sim.tell.words import LANGUAGES, Words, glossary

YEARS = [2023, 2024, 2025]
SECTIONS = ("budget", "payers", "unit_costs", "drivers", "capital", "ledger", "net", "family", "campuses")
FIGURES = ("budget", "payers", "unit_costs", "drivers", "net", "family")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(with_money(sample_run(tmp_path_factory.mktemp("money") / "base")))


@pytest.fixture(scope="module")
def page(run: Run) -> str:
    return report(run.path).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def drawn(run: Run) -> dict[str, str]:
    return {name: drawing.svg for name, drawing in draw(run).items()}


def column(table: Grid, place: int) -> list[str]:
    return [row[place].text for row in table.rows]


def row_of(table: Grid, name: str) -> list[str]:
    """Return the one row whose first filled cells hold a name, as texts."""
    found = [[cell.text for cell in row] for row in table.rows if row[0].text == name]
    assert len(found) == 1, (name, column(table, 0))
    return found[0]


def test_what_the_purposes_cost_adds_up_to_the_total_of_the_budget(run: Run) -> None:
    whole = budget.total(run)["mean"]
    assert budget.by_purpose(run).sum().to_numpy() == pytest.approx(whole.to_numpy())
    by_hand = sample_budget(YEARS)
    mine = by_hand[(by_hand["account"] == "total") & (by_hand["payer"] == "all")]["mean"].to_numpy()
    assert whole.to_numpy() == pytest.approx(mine)


def test_the_budget_is_told_in_million_yuan_with_its_spread(run: Run) -> None:
    table, first = budget.yearly_table(run), budget.total(run).loc[2023]
    assert row_of(table, "Total, mean")[1] == f"{first['mean'] / 1e6:.1f}"
    assert row_of(table, "Total, P80")[1] == f"{first['p80'] / 1e6:.1f}"
    assert row_of(table, "P80, luck only")[1] == f"{first['luck_p80'] / 1e6:.1f}"
    assert row_of(table, "buses")[1] == "26.7"  # 6 + 0.06 + 8 + 6.9 + 5.7; the fare of families cancels out


def test_a_chinese_budget_is_told_in_ten_thousand_yuan(tmp_path: Path) -> None:
    chinese = Run(with_money(sample_run(tmp_path / "zh", "report.language=zh")))
    assert row_of(budget.yearly_table(chinese), "校车")[1] == "2,666"
    assert budget.yearly_table(chinese).head[0] == "用途"


@pytest.mark.parametrize(("audience", "language", "told"), [
    ("public", "en", "0.27"), ("public", "zh", "27"), ("internal", "en", "0.267"), ("internal", "zh", "26.7"),
])  # fmt: skip
def test_a_small_county_is_told_finer_but_in_public_only_to_ten_thousand_yuan(
    tmp_path: Path, audience: str, language: str, told: str
) -> None:
    folder = with_money(sample_run(tmp_path / "small", f"report={audience}", f"report.language={language}"))
    table = pd.read_csv(folder / "budget.csv")
    small = table[["mean", "p50", "p80", "p95"]] / 100
    table.assign(**small).to_csv(folder / "budget.csv", index=False)
    assert row_of(budget.yearly_table(Run(folder)), Words(language).term("purpose", "bus"))[1] == told


def test_every_account_is_listed_once_a_payer(run: Run) -> None:
    table = budget.account_table(run)
    lines = sample_budget(YEARS)
    lines = lines[lines["account"] != "total"]
    shown = lines.groupby(["account", "payer"])["mean"].agg(lambda values: values.abs().max()) >= 5_000
    assert len(table.rows) == shown.sum()


def test_cash_present_value_and_what_is_left_are_sums_of_the_years(run: Run) -> None:
    table, whole = budget.worth_table(run), budget.total(run)
    assert row_of(table, "Cash, 2023 – 2025")[1] == f"{whole['mean'].sum() / 1e6:.1f}"
    assert row_of(table, "Annualised, a mean year")[1] == f"{whole['annualised'].mean() / 1e6:.1f}"
    assert row_of(table, "Present value in 2023, at 3.0% a year")[1] == f"{whole['npv'].sum() / 1e6:.1f}"
    assert row_of(table, "Value left at the end of 2025")[1] == f"{whole['residual'].sum() / 1e6:.1f}"


def test_payers_add_up_to_the_total_and_public_funds_stand_aside(run: Run) -> None:
    paid = sum(payer.total(run, each)["mean"] for each in payer.PAYERS)
    assert np.asarray(paid) == pytest.approx(budget.total(run)["mean"].to_numpy())
    funds = budget.lines(run)
    yearly = funds[funds["account"].isin(EARMARKED) & (funds["payer"] == "upper")]["mean"].sum() / len(YEARS)
    assert any(f"{yearly / 1e6:.1f} million yuan" in rule for rule in payer.rules(run))


def test_the_rules_of_sharing_are_those_of_the_settings(tmp_path: Path) -> None:
    shares = "account.payers.bus_purchase={county: 0.7, upper: 0.3, family: 0.0}"
    changed = Run(with_money(sample_run(tmp_path / "shared", shares, "account.hardship_fare_waived=0.5")))
    told, buses = payer.rules(changed), Words("en").term("purse", "bus_purchase")
    assert f"Paid by county 70%, upper levels 30%: {buses}." in told
    assert any("40 yuan a rider and month for 10 months, 400 yuan a year; 50% of it is waived" in rule for rule in told)
    free = Run(with_money(sample_run(tmp_path / "free", "prices.family_fare_per_month={low: 0, central: 0}")))
    assert "Families pay no fare." in payer.rules(free)


def test_a_cost_outside_its_band_says_so_and_why(run: Run) -> None:
    assert column(unit_cost.band_table(run), 3) == ["above", "inside", "inside"]
    why = [cell.text for cell in unit_cost.outside_table(run).rows[0]]
    assert why[1:] == [
        "3,350 (3,250 – 3,450)",
        "600 – 3,200",
        "above",
        "Driving, by km 38%, Drivers 33%, Attendants 27%",
    ]
    first, here = unit_cost.story(run)
    assert first.startswith("2 of 3")
    assert "63 riders" in here, "62, and 2 % more each year"
    assert "23,463 km" in here


def test_the_widest_driver_comes_first_and_an_assumed_price_is_called_so(run: Run) -> None:
    assert driver.drivers(run)["driver"].iloc[0] == "bus_km"
    told = driver.story(run)
    assert "Bus kilometre" in told[0]
    assert "It is an assumption" in told[0]
    assert "Luck is 1% of the variance" in told[1]


def test_closing_that_costs_more_is_told_at_the_head_and_by_payer(run: Run, page: str) -> None:
    table = sample_net(YEARS)
    whole = table[(table["account"] == "total") & (table["payer"] == "all")]["mean"]
    told = net.story(run)
    assert told[0].startswith(f"Against not closing, closing costs {whole.mean() / 1e6:.1f} million yuan a year more")
    assert "The chance that it is cheaper over all years is 4%." in told[0]
    assert "upper levels 990,000 yuan less" in told[1]  # 900,000 x (1 + 1.1 + 1.2) / 3
    head = page[: page.index("<nav")]
    assert told[0] in head
    assert Words("en")("net.key") in head
    assert net.table(run).rows[0][2].text == f"{whole.iloc[0] / 1e6:.1f}"


def test_without_a_base_run_one_sentence_says_how_to_get_it(tmp_path: Path) -> None:
    alone = Run(with_money(sample_run(tmp_path / "alone"), base=False))
    told = money.money(alone)
    assert told["net_story"] == Words("en")("net.none")
    assert money.sections(told) == ("family", "campuses")
    assert not [sentence for sentence in answer(alone) if "not closing" in sentence]
    assert not [key for key in key_figures(alone) if key.label == Words("en")("net.key")]


def test_the_yearly_p80_at_the_head_is_that_of_the_sum_of_the_years(run: Run) -> None:
    whole = budget.all_years(run).loc["all"]
    cost = yearly_cost(run)
    assert cost is not None
    assert cost["p80"] == pytest.approx(whole["p80"] / len(YEARS))


def test_no_public_group_of_families_has_fewer_than_five_pupils(run: Run) -> None:
    rolls = sample_family(YEARS[:1])
    assert (rolls["pupils"] < FEWEST).sum() == 2
    told = money.money(run)["family"]
    assert min(int(text.replace(",", "")) for text in column(told, 1)) >= FEWEST
    assert row_of(told, Words("en")("family.others"))[1] == "18"  # 3 + 1 + 14: small ones take the next with them


def test_families_are_told_by_group_with_and_without_aid(run: Run, drawn: dict[str, str]) -> None:
    told = money.money(run)["family"]
    first = [cell.text for cell in told.rows[0]]
    assert "lodging" in first[0]
    assert first[1:] == ["120", "1,170", "2,500", "975", "975", "1,330", "1,330"]
    assert first[0] in drawn["family"]


def test_campuses_are_counted_by_what_becomes_of_them_and_handing_over_is_no_income(run: Run) -> None:
    table = campus.table(run)
    assert len(table.head) == 2 + 2, "the years in which something changes: 2023 and 2024"
    assert [cell.text for cell in table.rows[-1]] == ["Total", "", *["2 (1,330)"] * 2]
    assert [row[2].text for row in table.rows[:-1]] == ["–", "–", "2 (1,330)"]  # in 2023 both stand idle
    told = " ".join(campus.story(run))
    assert "no income" in told
    assert "upkeep of idle campuses 400,000 yuan" in told  # 120,000 x (1 + 1.1 + 1.21) = 397,200
    assert len(campus.register(run).rows) == 2


def test_the_capital_plan_says_what_is_bought_and_what_is_left(run: Run) -> None:
    row = row_of(capital.table(run), "Buses, 36 places")
    spent = 25 * 270_000
    assert row[1:7] == ["25", "3", "2023–2025", "270,000", "15", "22"]
    assert (row[7], row[9]) == (f"{spent / 1e6:.1f}", f"{0.8 * spent / 1e6:.1f}")
    assert row_of(capital.yearly_table(run), "Buses, 36 places")[1:] == ["22", "0", "3 (3)"]
    assert len(capital.table(run).rows) == 4  # taps are never bought


def test_the_share_of_the_cost_that_rests_on_assumptions_is_that_of_the_price_list(run: Run) -> None:
    found = ledger.costs(run)
    prices = run.settings.prices
    mine = sum(row.yuan for row in found.itertuples() if prices[row.price].confidence == "assumption")
    share = mine / found["yuan"].sum()
    assert any(f"{share:.0%} of the cost rests on them" in sentence for sentence in ledger.story(run))
    shares = [int(text.rstrip("%")) for text in column(ledger.trust_table(run), 2)]
    assert sum(shares) == pytest.approx(100, abs=2)


def counted(run: Run, **quantities: float) -> Run:
    """Write quantities.parquet of a run: how much there is of each item in every year, in every replication."""
    rows = [(year, item, number) for year in YEARS for item, number in quantities.items()]
    table = pd.DataFrame(rows, columns=["year", "item", "quantity"])
    told = table.assign(scenario=run.settings.scenario, replication=pd.NA, site_id="S1", unit="piece")
    run.folder.write_table("quantities", told.astype({"replication": "Int64"}))
    return Run(run.path)


@pytest.mark.parametrize(
    ("yuan", "language", "public", "told"),
    [
        (10_013, "en", True, "10,000 yuan"), (2_184, "en", True, "less than 10,000 yuan"), (0, "en", True, "0 yuan"),
        (-6_000, "en", True, "−10,000 yuan"), (3_449_900, "zh", True, "345万元"), (2_184, "zh", True, "不足1万元"),
        (2_184, "en", False, "2,184 yuan"), (3_449_900, "zh", False, "345.0万元"),
        (345_678, "en", True, "350,000 yuan"),
    ],
)  # fmt: skip
def test_a_public_sum_of_money_is_told_to_ten_thousand_yuan(
    yuan: float, language: str, public: bool, told: str
) -> None:
    """Living aid of 3,450 yuan at 1,250 yuan a pupil would tell of three pupils; public funds of 10,013 of fourteen."""
    assert written(yuan, Words(language), public) == told


def test_what_three_riders_or_lodgers_share_is_left_out_in_public(tmp_path: Path) -> None:
    """3,350 yuan a rider and the fares that a bus takes tell how many there are; kilometres do not."""
    counts = {"riders": 3.3, "lodgers": 40.0}
    public = counted(Run(with_money(sample_run(tmp_path / "public"))), **counts)
    office = counted(Run(with_money(sample_run(tmp_path / "office", "report=internal"))), **counts)
    gone = set(unit_cost.unit_costs(office)["measure"]) - set(unit_cost.unit_costs(public)["measure"])
    assert gone == {"yuan_per_rider", "fare_per_rider_month", "riders_per_bus"}
    assert list(unit_cost.bands(public)["measure"]) == ["yuan_per_bus"]
    assert len(unit_cost.bands(office)) == 3
    assert not [text for text in column(unit_cost.last_table(public), 0) if "a rider" in text]
    few = {"lodgers": 4.0, "riders": 50.0}
    gone = set(unit_cost.unit_costs(office)["measure"]) - set(unit_cost.unit_costs(counted(public, **few))["measure"])
    assert gone == {"yuan_per_lodger", "yuan_per_bed_night", "yuan_per_meal"}


def test_no_figure_was_found_only_of_prices_that_are_assumptions(tmp_path: Path) -> None:
    changed = Run(with_money(sample_run(tmp_path / "known", "prices.bus_km.confidence=medium")))
    (said,) = [sentence for sentence in ledger.story(changed) if "No public figure" in sentence]
    assert "“Bus insurance, a year”, “Attendant, a year”." in said
    assert "Bus kilometre" not in said
    names = ("bus_km", "bus_insurance_year", "attendant_year")
    known = sample_run(tmp_path / "all", *(f"prices.{name}.confidence=high" for name in names))
    assert not [sentence for sentence in ledger.story(Run(with_money(known))) if "No public figure" in sentence]


def test_vacant_posts_are_told_with_what_they_would_cost(tmp_path: Path) -> None:
    run = Run(with_money(sample_run(tmp_path / "run")))
    assert not [sentence for sentence in ledger.story(run) if "nobody fills" in sentence]
    prices = run.settings.prices
    yuan = 20 * prices["teacher_year"].central + 11 * prices["guard_year"].central
    told = ledger.story(counted(run, vacant_teacher=20.0, vacant_guard=11.0, vacant_warden=0.0, guard=5.0))
    (said,) = [sentence for sentence in told if "nobody fills" in sentence]
    assert "In 2023 the norms ask for 31 posts" in said
    assert f"{yuan / 1e6:.1f} million yuan a year" in said


@pytest.mark.parametrize(
    ("rise", "told"), [(120, "families 120 yuan more ("), (-20, "families 20 yuan less ("), (0, "as much as before (")]
)
def test_a_school_year_costs_families_more_or_less(tmp_path: Path, rise: float, told: str) -> None:
    folder = with_money(sample_run(tmp_path / "run"))
    table = pd.read_csv(folder / "family.csv").assign(rise=rise)
    table.to_csv(folder / "family.csv", index=False)
    assert told in family.notes(Run(folder))[0]


def test_the_floor_of_small_schools_is_said_to_count(run: Run) -> None:
    assert payer.rules(run)[-1].startswith("The floor is not left out")


def test_chinese_has_one_word_for_each_thing() -> None:
    chinese = "".join(text["zh"] for text in glossary().values())
    assert not [word for word in ("住校", "台账", "闲置校舍", "县属公司") if word in chinese]


def test_every_part_is_on_the_page_and_its_figures_are_whole(page: str, drawn: dict[str, str]) -> None:
    assert not [name for name in SECTIONS if f'id="{name}"' not in page]
    assert not [name for name in FIGURES if name not in drawn]
    for name in FIGURES:
        root = ET.fromstring(drawn[name])
        assert root.tag.endswith("svg")


def test_without_the_files_of_money_the_page_tells_the_rest(tmp_path: Path) -> None:
    folder = sample_run(tmp_path / "bare")
    (folder / "budget.csv").unlink()
    text = report(folder).read_text(encoding="utf-8")
    assert 'id="budget"' in text
    assert not [name for name in SECTIONS[1:] if f'id="{name}"' in text]


def test_every_measure_band_and_purpose_has_a_word(run: Run) -> None:
    purposes = {charge_of(account).purpose for account in accounts(run.settings)}
    assert purposes <= set(budget.LOOKS)
    names = [f"purpose.{purpose}" for purpose in budget.LOOKS]
    names += [f"band.{band}" for band in run.settings.bands]
    names += [f"unit_cost.{measure}" for measure in RATIOS]
    names += [f"unit.{ratio.unit}" for ratio in RATIOS.values()]
    assert not [name for name in names if name not in glossary()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_about_money_is_left_in_its_code(tmp_path: Path, language: str) -> None:
    told = money.money(Run(with_money(sample_run(tmp_path / language, f"report.language={language}"))))
    texts = [text for value in told.values() for text in (value if isinstance(value, list) else [])]
    texts += [str(cell) for value in told.values() if isinstance(value, Grid) for row in value.rows for cell in row]
    assert not [text for text in texts if re.search(r"[{}]|nan", text)]


def test_a_run_of_one_replication_has_no_interval(tmp_path: Path) -> None:
    folder = with_money(sample_run(tmp_path / "one", replications=1, years=1))
    for name in ("budget", "net"):
        table = pd.read_csv(folder / f"{name}.csv").assign(low=np.nan, high=np.nan)
        table.to_csv(folder / f"{name}.csv", index=False)
    one = Run(folder)
    assert "95% interval" not in column(budget.yearly_table(one), 0)
    assert net.table(one).rows[1][2].text == "–"
    assert None not in (budget.chart(one), payer.chart(one), net.chart(one))
