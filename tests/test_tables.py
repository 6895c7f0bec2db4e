"""Declared tables: one declaration checks what is read, orders what is written and documents both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim.county.history import COUNTY
from sim.errors import BadInput
from sim.operate.weather import ALL, BUSIEST, LARGEST
from sim.plan.staff import COUNTY_SITE
from sim.store import RunFolder
from sim.tables import (
    COUNTY_TABLES,
    RUN_TABLES,
    Table,
    arrow_schema,
    as_arrow,
    as_declared,
    county_table,
    data_dictionary,
    read_table,
    run_table,
)  # fmt: skip
from sim.tables.column import RESERVED, number, text, whole

TABLES = [*COUNTY_TABLES, *RUN_TABLES]
ZONES = "township_id,name_zh,name_en,zone_id,is_town,lon,lat,population,source"


@pytest.fixture
def zones(tmp_path: Path):
    """Return a function that reads a zones.csv with these lines after its header."""

    def read(*lines: str, header: str = ZONES, encoding: str = "utf-8") -> pd.DataFrame:
        path = tmp_path / "zones.csv"
        path.write_text("\n".join((header, *lines)) + "\n", encoding=encoding)
        return read_table(path, county_table("zones"))

    return read


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_has_a_key_of_its_own_columns_and_a_meaning_for_each(table) -> None:
    assert set(table.key) <= set(table.names)
    assert len(set(table.names)) == len(table.names)
    assert table.meaning
    assert all(column.meaning for column in table.columns)


def test_every_number_of_a_county_has_a_largest_and_a_smallest_value() -> None:
    numbers = [column for table in COUNTY_TABLES for column in table.columns if column.is_number]
    assert [column.name for column in numbers if column.minimum is None or column.maximum is None] == []


def test_no_id_is_a_word_that_settings_and_results_have_for_other_things() -> None:
    assert {COUNTY, COUNTY_SITE, ALL, LARGEST, BUSIEST} == set(RESERVED)
    keys = {column.name for table in COUNTY_TABLES for column in table.columns if column.type == "id"}
    assert keys == {"township_id", "zone_id", "school_id", "hamlet_id", "node_id", "edge_id", "project_id"}


@pytest.mark.parametrize("table", COUNTY_TABLES, ids=lambda table: table.name)
def test_every_county_table_ends_with_its_source(table) -> None:
    assert table.names[-1] == "source"


def test_references_name_declared_columns() -> None:
    for table in COUNTY_TABLES:
        for column in table.columns:
            if column.refers:
                file, target = column.refers.split(":")
                assert target in county_table(file).names


def test_the_data_dictionary_has_every_column() -> None:
    text = data_dictionary()
    for table in TABLES:
        assert f"### {table.name}" in text
        assert all(f"| {column.name} |" in text for column in table.columns)


def test_declarations_need_no_pandas() -> None:
    code = "import sys, sim.tables; sys.exit('pandas' in sys.modules or 'pandera' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unknown_table_is_named(zones) -> None:
    with pytest.raises(KeyError, match="known are"):
        county_table("buses")


def test_numbers_come_back_as_numbers_and_blank_lines_do_not_count(zones) -> None:
    frame = zones("V,村,V,V,1,115.5,25.5,,real: x", "", "W,村,W,V,0,115.5,25.5,700,real: x")
    assert frame["is_town"].tolist() == [True, False]
    assert frame["population"].isna().tolist() == [True, False]
    assert frame.index.tolist() == [2, 4]


def test_a_byte_order_mark_of_a_spreadsheet_is_no_error(zones) -> None:
    assert len(zones("V,村,V,V,1,115.5,25.5,,real: x", encoding="utf-8-sig")) == 1


def test_another_encoding_is_told(zones) -> None:
    with pytest.raises(BadInput, match="not UTF-8; save it as"):
        zones("V,村,V,V,1,115.5,25.5,,real: x", encoding="gbk")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (",村,V,V,1,115.5,25.5,,real: x", "row 2, column township_id: is empty"),
        ("V,村,V,V,yes,115.5,25.5,,real: x", "row 2, column is_town: 'yes' is no number; use 0 or 1"),
        ("V,村,V,V,1,115.5,25.5,-4,real: x", "row 2, column population: -4 is too small; use a whole number from 0"),
        ("V,村,V,V,1,115.5,25.5,4.5,real: x", "row 2, column population: '4.5' is no whole number"),
        ("V,村,V,V,1,east,25.5,,real: x", "row 2, column lon: 'east' is no number; use a number from 73 to 136"),
        ("V,村,V,V,1,nan,25.5,,real: x", "row 2, column lon: 'nan' is no number"),
        ("V,村,V,V,1,inf,25.5,,real: x", "row 2, column lon: 'inf' is no number"),
        ('"V,村,V,V,1,115.5,25.5,,real: x\n', "row 2: has 1 values, but the header has 9 columns"),
        ("V,村,V,V,1,115.5,25.5,,somebody", "row 2, column source: 'somebody' does not say where the row comes from"),
        ("V,村,V,V,1,115.5,25.5,real: x", "row 2: has 8 values, but the header has 9 columns"),
    ],
)
def test_an_error_names_file_row_column_and_what_would_be_right(zones, line: str, says: str) -> None:
    with pytest.raises(BadInput) as error:
        zones(line)
    assert f"zones.csv, {says}" in str(error.value)


def test_a_file_with_other_separators_is_told_in_one_sentence(zones) -> None:
    with pytest.raises(BadInput, match=r"^zones.csv: the values are not separated by commas; save it as [^\n]*$"):
        zones("V;村;V;V;1;115.5;25.5;;real: x", header=ZONES.replace(",", ";"))


def test_all_errors_of_a_file_are_told_at_once(zones) -> None:
    with pytest.raises(BadInput) as error:
        zones("V,村,V,V,2,115.5,25.5,,real: x", "V,村,V,V,1,115.5,25.5,-1,real: x")
    assert len(error.value.messages) == 3


def test_a_missing_and_an_unknown_column_are_told(zones) -> None:
    with pytest.raises(BadInput) as error:
        zones("V,村,V,V,1,115.5,25.5,,real: x", header=ZONES.replace("is_town", "town"))
    text = str(error.value)
    assert "zones.csv, row 1, column is_town: the column is missing" in text
    assert "zones.csv, row 1, column town: is no column of this table" in text


def test_a_column_given_twice_is_told(zones) -> None:
    with pytest.raises(BadInput, match="the column is there twice"):
        zones("V,村,V,V,1,115.5,25.5,,real: x,V", header=f"{ZONES},zone_id")


def test_written_tables_have_the_declared_columns_in_order() -> None:
    table = run_table("measures.parquet")
    row = dict.fromkeys(table.names, 1) | {"scenario": "base", "site_id": "C", "measure": "bus_km", "unit": "km"}
    frame = as_declared(pd.DataFrame([dict(reversed(row.items()))]), table)
    assert tuple(frame.columns) == table.names
    with pytest.raises(ValueError, match="undeclared columns"):
        as_declared(frame.assign(colour="red"), table)


def test_a_table_for_arrow_holds_what_is_declared() -> None:
    table = Table(
        "made", "Made", (text("word", "W"), whole("count", "C", nullable=True), number("value", "V")), ("word",)
    )
    words = pd.Categorical(["b", None, "a"], categories=["unused", "a", "b"])
    frame = pd.DataFrame({"value": [1, 2, 3], "count": np.array([4, np.nan, 5]), "word": words}, index=[7, 7, 7])
    for given in (frame, frame.astype({"word": "str"}), frame.astype({"word": "object", "count": "Int64"})):
        made = as_arrow(given, table)
        assert made.schema == arrow_schema(table)
        assert made.to_pydict() == {"word": ["b", None, "a"], "count": [4, None, 5], "value": [1.0, 2.0, 3.0]}
    assert as_arrow(frame[:0], table).num_rows == 0
    with pytest.raises(ValueError, match="undeclared columns"):
        as_arrow(frame.assign(colour="red"), table)
    needed = Table("made", "Made", (text("word", "W"), whole("count", "C"), number("value", "V")), ("word",))
    with pytest.raises(ValueError, match="nan"):
        as_arrow(frame, needed)


def test_events_of_any_day_are_written_and_read_as_declared(tmp_path: Path) -> None:
    table, folder = run_table("events/*.parquet"), RunFolder(tmp_path / "events")
    row = {"value": None, "who": "A/1", "event": "came", "minute": 0}
    folder.write_table("events/2023-5-1.parquet", pd.DataFrame([row]))
    frame = folder.read_table("events/2023-5-1.parquet")
    assert tuple(frame.columns) == table.names
    assert [str(frame[name].dtype) for name in ("minute", "value")] == ["float64", "float64"]
    with pytest.raises(ValueError, match="undeclared columns"):
        folder.write_table("events/2023-5-2.parquet", pd.DataFrame([row | {"colour": "red"}]))


def test_a_folder_called_events_changes_the_columns_of_no_other_table(tmp_path: Path) -> None:
    measures = dict.fromkeys(run_table("measures").names, 1)
    assert set(measures) != set(run_table("events/*.parquet").names)
    folder = RunFolder(tmp_path / "events")
    folder.write_table("measures", pd.DataFrame([measures]))
    assert tuple(folder.read_table("measures").columns) == run_table("measures").names
