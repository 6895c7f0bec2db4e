"""A county whose rates come from its history, and how last year's forecast did."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from living import settings_of

from sim.cli import main
from sim.config import Settings, load
from sim.county import County, check_county, read_county
from sim.plan import enrol
from sim.plan.hindcast import forecast_check
from sim.plan.rates import given
from sim.store import RunFolder
from sim.sweep import run
from sim.tell.enrol import story
from sim.tell.run import Run

FREE = ("enrol=history", "enrol.ratio_shrinkage_pupils=0.0", "enrol.ratio_high=3.0", "enrol.entry_shrinkage_pupils=0.0")
KEPT = np.array([1.0, 1.0, 1.0, 0.98, 1.0, 0.97, 1.0, 0.96])
MOVED = np.array([0.05, 0.0, 0.1, 0.0, 0.0, 0.2, 0.0, 0.0])
"""Of the rural pupils, on entering grades 2 to 9."""
Edit = Callable[[str, Callable[[str], str]], None]


def settings(*overrides: str) -> Settings:
    return settings_of("county=three_villages", *overrides)


def rolled(rural: np.ndarray, town: np.ndarray, years: int) -> pd.DataFrame:
    """Return the history that stated rates lead to: rural pupils lose some on the way and some to the town."""
    rows = []
    for year in range(2023 - years + 1, 2024):
        rows += [(a, year, g + 1, p) for a, roll in (("R", rural), ("T", town)) for g, p in enumerate(roll)]
        up, gone = rural[:-1] * KEPT, rural[:-1] * KEPT * MOVED
        rural, town = np.append(rural[0], up - gone), np.append(town[0], town[:-1] * KEPT + gone)
    return pd.DataFrame(rows, columns=["area_id", "year", "grade", "pupils"])


@pytest.fixture(scope="module")
def known(three_villages: County) -> County:
    """A is the town of township T, B and D are villages of township R; rates are those above, births flat."""
    old = three_villages
    twice = {"id": ("T", "R"), "name_zh": ("T", "R"), "name_en": ("T", "R"), "zone": ("z", "z")}
    arrays = {"is_town": np.array([True, False]), "lon": np.zeros(2), "lat": np.zeros(2)}
    hamlets = replace(old.hamlets, township=np.array([0, 1, 1]), is_town=np.array([True, False, False]))
    history = rolled(np.full(9, 800.0), np.full(9, 500.0), 12)
    last = history[history["year"] == 2023].pivot(index="area_id", columns="grade", values="pupils")
    pupils = np.zeros((3, 9, 2), dtype=np.int64)
    pupils[0] = np.round(last.loc["T"].to_numpy() / 2)[:, None]
    pupils[1:] = np.round(last.loc["R"].to_numpy() / 4)[:, None]
    townships = replace(old.townships, **twice, **arrays)
    return replace(old, townships=townships, hamlets=hamlets, pupils=pupils, history=history)


def test_progression_and_moves_to_town_are_found_again(known: County) -> None:
    found = given(known, settings(*FREE))
    assert found.origin == "estimated"
    np.testing.assert_allclose(found.town_rate[1:], MOVED, atol=1e-9)
    np.testing.assert_allclose(found.progression[1], KEPT, atol=1e-9)
    np.testing.assert_allclose(found.progression[0], KEPT, rtol=0.05)  # arrivals are put down to the town as a whole
    np.testing.assert_allclose(found.entrants, [500.0, 800.0])


def test_small_townships_shrink_toward_the_county(known: County) -> None:
    odd = known.history.assign(pupils=known.history["pupils"].where(known.history["area_id"] == "T", 4.0))
    few = given(replace(known, history=odd), settings("enrol=history"))
    many = given(known, settings("enrol=history"))
    # 4 pupils a grade stay 4; but what the county does, which is T with up to 1.18 at a grade, decides.
    assert np.abs(few.progression[1] * (1 - few.town_rate[1:]) - few.progression[0]).max() < 0.05
    assert np.abs(many.progression[1] * (1 - many.town_rate[1:]) - KEPT * (1 - MOVED)).max() < 0.06


def test_the_forecast_goes_on_as_history_did(known: County) -> None:
    expected = enrol.forecast(known, settings(*FREE)).mean[:2].sum(axis=3)
    rural = known.pupils[1:].sum(axis=(0, 2))
    np.testing.assert_allclose(expected[1, 1:, 1:].sum(axis=0), rural[:-1] * KEPT * (1 - MOVED), rtol=1e-6)


def test_stated_rates_take_nothing_from_history(known: County) -> None:
    other = replace(known, history=known.history.assign(pupils=7.0))
    chosen = settings("enrol=cohorts")
    np.testing.assert_array_equal(enrol.forecast(known, chosen).mean, enrol.forecast(other, chosen).mean)
    assert given(known, chosen).origin == "assumed"


def test_two_years_of_history_are_too_few_and_it_says_so(known: County) -> None:
    short = replace(known, history=known.history[known.history["year"] > 2021])
    found, stated = (given(short, settings(f"enrol={option}")) for option in ("history", "cohorts"))
    assert found.origin == "too_short"
    np.testing.assert_array_equal(found.progression, stated.progression)


def test_a_history_of_the_county_alone_gives_every_township_its_rates(known: County) -> None:
    whole = known.history.groupby(["year", "grade"], as_index=False)["pupils"].sum().assign(area_id="county")
    found = given(replace(known, history=whole), settings("enrol=history"))
    np.testing.assert_allclose(found.progression[0], found.progression[1], rtol=0.01)
    assert forecast_check(replace(known, history=whole), settings("enrol=history"))["area_id"].tolist() == ["county"]


def test_a_forecast_with_the_true_rates_meets_the_roll(known: County) -> None:
    check = forecast_check(known, settings(*FREE)).set_index("area_id")
    assert list(check.index) == ["T", "R", "county"]
    assert (check["year"] == 2023).all()
    assert (check["rates"] == "estimated").all()
    assert abs(check.loc["R", "error_share"]) < 0.002
    assert check.loc["county", "pupils"] == pytest.approx(known.history.query("year == 2023")["pupils"].sum())
    for low, high in (("low_95", "low_80"), ("low_80", "high_80"), ("high_80", "high_95")):
        assert (check[f"{low}_pupils"] <= check[f"{high}_pupils"]).all()


def test_intervals_of_last_years_forecast_hold_draws_made_with_its_own_spreads(known: County) -> None:
    """The roll is drawn anew by the county's own luck: 80 of 100 such years lie within the interval."""
    chosen = settings("enrol.check_replications=200")
    check = forecast_check(known, chosen).set_index("area_id").loc["county"]
    relative = (check["high_80_pupils"] - check["low_80_pupils"]) / check["forecast_pupils"] / 2 / 1.2816
    # Entrants: walk, level and common part of T and R; everybody: progression and chance. About 1 % for 8,600 pupils.
    assert 0.005 < relative < 0.02


def test_there_is_no_check_without_a_year_before(known: County) -> None:
    one = replace(known, history=known.history[known.history["year"] == 2023])
    assert forecast_check(one, settings()).empty
    born = known.births
    late = replace(born, years=born.years[16:], by_variant={k: v[16:] for k, v in born.by_variant.items()})
    assert late.years[0] == 2016
    assert forecast_check(replace(known, births=late), settings()).empty


@pytest.fixture
def copied(tmp_path: Path, root: Path) -> tuple[Path, Edit]:
    folder = tmp_path / "county"
    folder.mkdir()
    for file in (root / "configs" / "county" / "three_villages").glob("*.csv"):
        (folder / file.name).write_bytes(file.read_bytes())

    def edit(name: str, change: Callable[[str], str]) -> None:
        (folder / name).write_text(change((folder / name).read_text(encoding="utf-8")), encoding="utf-8")

    return folder, edit


def without(*starts: str) -> Callable[[str], str]:
    return lambda text: "".join(row for row in text.splitlines(keepends=True) if not row.startswith(starts))


def test_a_gap_in_history_is_told_with_its_row(copied: tuple[Path, Edit]) -> None:
    folder, edit = copied
    edit("history.csv", without("V,2020,"))
    (told,) = check_county(folder)
    assert told.startswith("history.csv, row 19, column year: area 'V' has no row of 2020")


def test_a_grade_that_vanishes_is_told_with_its_row(copied: tuple[Path, Edit]) -> None:
    folder, edit = copied
    edit("history.csv", lambda text: text.replace(",7,1,", ",7,40,").replace("V,2023,7,40,", "V,2023,7,0,"))
    told = "\n".join(check_county(folder))
    assert "column pupils: grade 7 of area 'V' vanishes: none since 2023, 40 a year before" in told


def test_a_new_year_goes_into_both_tables(copied: tuple[Path, Edit]) -> None:
    folder, edit = copied
    edit("history.csv", lambda text: text + "".join(f"V,2024,{g},5,real: counted\n" for g in range(1, 10)))
    (told,) = check_county(folder)
    assert told.startswith(
        "history.csv, row 56, column pupils: area 'V' has 45 pupils in 2024, the last year, but 12 in"
    )


def test_rolls_of_another_autumn_are_told_by_township_and_grade(copied: tuple[Path, Edit]) -> None:
    """Of the 12 pupils one more or ten more may be another day's count; of grade 4, 29 more are another autumn."""
    folder, edit = copied
    edit("pupils.csv", lambda text: text.replace("A,1,f,1,", "A,1,f,2,"))
    assert check_county(folder) == []
    edit("history.csv", lambda text: text.replace("V,2023,4,", "V,2023,4,3"))
    (told,) = check_county(folder)
    assert told.startswith("history.csv, row 50, column pupils: grade 4 of area 'V' has 3")
    assert "in pupils.csv" in told


def test_next_year_the_study_starts_from_the_new_rolls(
    copied: tuple[Path, Edit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The yearly re-run: pupils.csv is the new year's, `autumn` adds it to history, a run starts there and tells."""
    monkeypatch.setattr("sim.study.tell", lambda folder: None)  # pages and charts are drawn in test_tell.py
    folder, _ = copied
    where = [f"county.folder={folder}", "county=three_villages"]
    assert main(["autumn", *where, "study.first_year=2024"]) == 2, "pupils.csv is still that of 2023"
    pupils = pd.read_csv(folder / "pupils.csv")
    pupils = pd.concat([pupils.assign(grade=pupils["grade"] + 1).query("grade < 10"), pupils.query("grade == 1")])
    pupils.to_csv(folder / "pupils.csv", index=False)
    roll = pupils.groupby("grade")["pupils"].sum().reindex(range(1, 10), fill_value=0)
    capsys.readouterr()
    words = [*where, "study.first_year=2024", "closure.named=[{school_id: T, year: 2024}]"]
    assert main(["autumn", *words]) == 0
    following = capsys.readouterr().out.partition("Next: ")[2]
    assert shlex.split(following) == ["python", "-m", "sim", "run", *words], "as a shell reads it"
    new = pd.read_csv(folder / "history.csv").query("year == 2024")
    assert new["pupils"].tolist() == roll.tolist()
    assert set(new["source"]) == {"synthetic: sums of pupils.csv of 2024"}
    assert check_county(folder) == []
    for wrong in (2024, 2026):
        assert main(["autumn", *where, f"study.first_year={wrong}"]) == 2
    small = ["calendar=smoke", "study.years=1", "study.replications=1", "executor=serial", "report.audience=internal",
             "enrol.check_replications=20"]  # fmt: skip
    chosen = load(["county=three_villages", f"county.folder={folder}", f"study.out={tmp_path}", *small,
                   "study.first_year=2024"])  # fmt: skip
    made = run(chosen)
    check = made.read_table("forecast_check").set_index("area_id")
    assert check.loc["county", ["year", "pupils", "last_pupils"]].tolist() == [2024, roll.sum(), 12]
    told = " ".join(story(Run(made.path)))
    assert "assumed, not estimated" in told
    assert "How last year's forecast did: made in 2023" in told
    enrolled = made.read_table("enrolment").query("year == 2024")
    assert enrolled["pupils"].sum() == roll.sum()
    county = read_county(folder)
    expected = enrol.forecast(county, chosen).mean
    np.testing.assert_array_equal(expected[0].sum(axis=(0, 2)), roll)
    assert RunFolder(made.path).finished
