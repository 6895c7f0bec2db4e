"""What settings ask of a county in vain is refused before anything is planned, all of it at once, with its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.account.price import missing_prices
from sim.check import problems
from sim.cli import main
from sim.config import CONFIGS, load
from sim.county import County

SMALL = "county=three_villages"
UNMET = {
    "closure.named: 'X9' is no school of three_villages; known are C, T": "closure.named=[{school_id: X9, year: 2023}]",
    "lodge.beds: X9 is no school": "lodge.beds={X9: 3}",
    "fleet.apart: X9 is not the id of a school": "fleet.apart=[[C],[X9]]",
    "fleet.runs: given needs the runs that are driven in 2019": "fleet.runs=given",
    "study.first_year: 2019 is before the year of pupils.csv": "study.first_year=2019",
    "enrol.town: target needs hamlets of kind town": "enrol.town=target",
    "stress.roads: 'e999' is no road": "stress.roads=[e999]",
}


@pytest.mark.parametrize("verb", ["run", "sweep", "check"])
def test_all_that_is_asked_in_vain_is_told_at_once_and_nothing_is_written(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, SMALL, *UNMET.values(), "study.years=1", f"study.out={tmp_path / 'out'}"]) == 2
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert [says for says in UNMET if not any(line.startswith(says) for line in lines)] == []
    assert len(lines) == len(UNMET) + (verb == "check")
    assert said.out == ""
    if verb == "check":
        where, many = CONFIGS / "county" / "three_villages", len(UNMET)
        assert lines[-1] == f"three_villages: no errors in {where}, but {many} errors in the settings."
    assert not list(tmp_path.iterdir())


def test_closing_by_a_list_needs_a_list(three_villages: County) -> None:
    told = problems(load([SMALL, "closure=listed"]), three_villages)
    assert told == ["closure.listed: three_villages has no list of its own; give closures.csv, or choose closure=none"]


def test_births_that_do_not_reach_the_end_of_the_study_are_told(three_villages: County) -> None:
    """Births end in 2040: entrants at six and seven need 2033 for 2040 to 2047, and more for 2048 to 2072."""
    (told,) = problems(load([SMALL, "study.years=50"]), three_villages)
    assert told.startswith("births.csv, variant 'medium': no births of 2041")


def test_a_county_and_settings_that_fit_have_no_problem(three_villages: County) -> None:
    assert problems(load([SMALL]), three_villages) == []


def test_all_missing_prices_are_told_before_anything_is_lived() -> None:
    settings = load([SMALL])
    gone = ("bus_km", "nutrition_meal")
    left = {name: price for name, price in settings.prices.items() if name not in gone}
    bed = settings.prices["bed_place"].model_copy(update={"life_years": None})
    assert missing_prices(settings.model_copy(update={"prices": left | {"bed_place": bed}})) == [
        "prices.bed_place.life_years: is missing; what is bought (account bed_place) needs a lifetime",
        "prices: no entry for bus_km; the account bus_km needs it",
        "prices: no entry for nutrition_meal; the account nutrition_aid needs it",
    ]
