"""A run folder holds whole files or none, and the same settings find their own folder again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from sim.config import CONFIGS, Settings, load
from sim.errors import BadInput
from sim.store import (
    RunFolder,
    check_out,
    drop_parts,
    join_parts,
    open_run,
    packed,
    parts_of,
    read_parts,
    run_at,
    write_part,
)
from sim.store import part as parts
from sim.tables import as_declared, run_table

RELIEF = pd.DataFrame(
    {
        "scenario": ["base"],
        "year": [2023],
        "site_id": ["007"],
        "resource": ["window"],
        "units": [2],
        "harm_avoided_mean": [1.5],
        "harm_avoided_low": [None],
        "harm_avoided_high": [None],
        "cost_yuan": [60000],
        "order": [1],
        "cost_yuan_per_year": [7034],
        "moves_to": [None],
        "harm_moved_mean": [None],
    }
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(["county=three_villages", f"study.out={tmp_path}", "study.name=trial"])


def changed(settings: Settings, **study: object) -> Settings:
    return settings.model_copy(update={"study": settings.study.model_copy(update=study)})


def test_a_new_run_has_its_settings_its_inputs_and_an_incomplete_manifest(settings: Settings) -> None:
    folder = open_run(settings)
    assert folder.path == Path(settings.study.out) / "trial" / "base"
    assert folder.settings == settings
    manifest = folder.manifest
    assert manifest["complete"] is False
    assert manifest["seed"] == settings.seed
    assert {
        *("version", "git_commit", "git_dirty", "packages", "inputs_sha256", "started_utc", "seconds"),
        *("host_cores", "replications"),
    } <= set(manifest)
    source = CONFIGS / "county" / "three_villages" / "pupils.csv"
    assert (folder.path / "inputs" / "pupils.csv").read_bytes() == source.read_bytes()
    prices = yaml.safe_load(folder.read_text("inputs/prices.yaml"))
    assert prices["bus_km"]["central"] == settings.prices["bus_km"].central


def test_the_same_settings_find_the_finished_run_untouched(settings: Settings) -> None:
    folder = open_run(settings)
    folder.write_text("report.html", "done")
    folder.finish(1.5)
    again = open_run(settings)
    assert again == folder
    assert again.finished
    assert again.read_text("report.html") == "done"


def test_an_incomplete_run_of_the_same_settings_is_gone_on_with(settings: Settings) -> None:
    folder = open_run(settings)
    (folder.path / "config.yaml").unlink()  # as if it had been stopped when it began
    half = folder.path / ".harm.parquet.77.tmp"
    half.write_bytes(b"half")
    folder.write_table("relief", RELIEF)
    assert open_run(settings).path == folder.path
    assert folder.file("relief").is_file()
    assert folder.settings == settings
    assert not half.exists()


def test_what_another_state_of_the_program_left_incomplete_is_begun_anew(settings: Settings) -> None:
    folder = open_run(settings)
    folder.write_table("relief", RELIEF)
    folder.write_manifest(source_sha256="another")
    with pytest.raises(BadInput, match="another state of the program"):
        open_run(settings, resume=True)
    assert folder.file("relief").is_file()
    open_run(settings)
    assert not folder.file("relief").is_file()
    assert [path.name for path in folder.path.parent.iterdir()] == ["base"]


def test_other_settings_get_a_name_with_six_hexadecimal_digits(settings: Settings) -> None:
    first = open_run(settings)
    first.finish(1.0)
    other = open_run(changed(settings, years=2))
    assert first.finished
    stem, _, digits = other.path.name.rpartition("-")
    assert stem == "base"
    assert len(digits) == 6
    assert int(digits, 16) >= 0
    assert open_run(changed(settings, years=2)).path == other.path


def test_other_tables_of_the_county_make_another_run(tmp_path: Path) -> None:
    tables = tmp_path / "mine"
    shutil.copytree(CONFIGS / "county" / "three_villages", tables)
    mine = load([f"county.folder={tables}", f"study.out={tmp_path}"])
    first = open_run(mine)
    first.finish(1.0)
    with (tables / "pupils.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert open_run(mine).path != first.path


def test_language_and_workers_do_not_make_another_run(settings: Settings) -> None:
    open_run(settings).finish(1.0)
    report = settings.report.model_copy(update={"language": "zh"})
    assert open_run(changed(settings, workers=1).model_copy(update={"report": report})).finished


def test_files_of_others_are_never_removed(settings: Settings) -> None:
    mine = Path(settings.study.out) / "trial" / "base"
    mine.mkdir(parents=True)
    (mine / "thesis.txt").write_text("years of work", encoding="utf-8")
    folder = open_run(settings)
    assert folder.path.name.startswith("base-")
    assert (mine / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_looking_whether_a_folder_can_be_written_leaves_nothing_behind(settings: Settings, tmp_path: Path) -> None:
    check_out(changed(settings, out=str(tmp_path / "new" / "newer")))
    assert not list(tmp_path.iterdir())


def test_an_output_folder_that_cannot_be_written_is_bad_input(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    blocked = changed(settings, out=str(tmp_path / "file"))
    for act in (open_run, check_out):
        with pytest.raises(BadInput, match=r"study\.out: .* cannot be written"):
            act(blocked)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(settings: Settings) -> None:
    folder = open_run(settings)
    folder.write_table("relief", RELIEF)
    before = {path.name: path.stat().st_size for path in folder.path.iterdir()}
    with pytest.raises(ValueError, match="undeclared"):
        folder.write_table("relief", RELIEF.assign(surprise=1))
    with pytest.raises(TypeError):
        folder.write_bytes("relief.csv", "text")  # type: ignore[arg-type]
    assert {path.name: path.stat().st_size for path in folder.path.iterdir()} == before


def test_a_table_comes_back_with_its_types(settings: Settings) -> None:
    folder = open_run(settings)
    assert folder.write_table("relief", RELIEF).name == "relief.csv"
    frame = folder.read_table("relief")
    assert frame["site_id"].tolist() == ["007"]
    assert frame.dtypes["cost_yuan"] == "float64"
    assert b"\r" not in folder.file("relief").read_bytes()


def test_parquet_has_the_same_bytes_for_the_same_numbers(settings: Settings) -> None:
    folder = open_run(settings)
    frame = pd.DataFrame(
        {
            "scenario": ["base"] * 2,
            "replication": [0, 1],
            "year": [2023, 2023],
            "hamlet_id": ["A", "B"],
            "school_id": ["C", None],
            "grade": [1, 2],
            "sex": ["f", "m"],
            "pupils": [3, 4],
        }
    )
    first = folder.write_table("enrolment", frame).read_bytes()
    categories = frame.astype({"hamlet_id": "category", "pupils": "int32"})
    assert folder.write_table("enrolment", categories).read_bytes() == first
    back = folder.read_table("enrolment")
    assert back["school_id"].isna().tolist() == [False, True]
    assert back.dtypes["pupils"] == "int64"


HARM = pd.DataFrame(
    {
        "scenario": "base",
        "replication": 0,
        "year": [2023, 2024, 2025],
        "site_id": ["C", "T", "C"],
        "resource": pd.Series([None, None, "window"], dtype=object),
        "kind": ["late", "late", "hungry"],
        "cause": ["road", "road", "window"],
        "pupil_days": [1.0, 2.0, 3.0],
        "severity": [0.5, 1.0, 3.0],
    }
)


def part(folder: RunFolder, replication: int, year: int, rows: pd.DataFrame) -> Path:
    content = packed(folder, {"harm": rows.assign(replication=replication, year=year)}, "stamp")
    return write_part(folder, (replication, year), content)


@pytest.mark.parametrize("row_group", [1, 2, 100])
def test_parts_are_joined_in_the_order_of_replications_and_years(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, row_group: int
) -> None:
    monkeypatch.setattr(parts, "ROW_GROUP", row_group)
    folder = open_run(settings)
    keys = [(0, 2023), (0, 2024), (1, 2023), (1, 2024)]
    for number in (2, 0, 1):  # whoever is ready first; categories and empty columns differ from part to part
        part(folder, *keys[number], HARM.iloc[[number]].astype({"kind": "category"}))
    part(folder, *keys[3], HARM.iloc[:0])
    assert list(parts_of(folder)) == keys
    join_parts(folder)
    join_parts(folder)  # as after a stop
    drop_parts(folder)
    assert not (folder.path / ".parts").exists()
    joined = folder.read_table("harm")
    with pq.ParquetFile(folder.file("harm")) as file:  # no more was ever held at once
        assert max(file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)) <= row_group
    whole = HARM.assign(replication=[0, 0, 1], year=[2023, 2024, 2023])
    folder.write_table("harm", whole)
    pd.testing.assert_frame_equal(joined, folder.read_table("harm"))


@pytest.mark.parametrize("row_group", [1, 100])
def test_a_run_grows_by_parts_of_more_years_and_of_years_lived_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, row_group: int
) -> None:
    monkeypatch.setattr(parts, "ROW_GROUP", row_group)
    folder = open_run(settings)
    for replication, year in ((0, 2023), (1, 2023), (1, 2024)):
        part(folder, replication, year, HARM.iloc[:2])
    join_parts(folder)
    drop_parts(folder)
    part(folder, 0, 2024, HARM.iloc[:1])
    part(folder, 1, 2023, HARM.iloc[2:])
    join_parts(folder)
    told = folder.read_table("harm")[["replication", "year", "pupil_days"]]
    assert told.to_numpy().tolist() == [
        [0, 2023, 1.0], [0, 2023, 2.0], [0, 2024, 1.0], [1, 2023, 3.0], [1, 2024, 1.0], [1, 2024, 2.0]
    ]  # fmt: skip


@pytest.mark.parametrize("row_group", [1, 2, 100])
def test_a_table_that_grew_is_the_same_to_the_byte_as_one_joined_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, row_group: int
) -> None:
    monkeypatch.setattr(parts, "ROW_GROUP", row_group)
    folder = open_run(settings)
    rows = {replication: HARM.iloc[[replication]].assign(kind=words) for replication, words in enumerate("bab")}
    for replication in range(3):  # each part has its own list of words, some of them with words that no row has
        kinds = pd.CategoricalDtype([str(replication), "b", "a"])
        part(folder, replication, 2023, rows[replication].astype({"kind": kinds}))
        part(folder, replication, 2024, rows[replication])
    join_parts(folder)
    at_once = folder.file("harm").read_bytes()
    assert [rows["kind"].tolist() for rows in read_parts(folder, "harm", ["kind"])] == [*map(list, "bbaabb")]
    folder.file("harm").unlink()
    drop_parts(folder)
    for replication in range(3):
        part(folder, replication, 2023, rows[replication])
        part(folder, replication, 2024, rows[replication])
        join_parts(folder)
        drop_parts(folder)
    assert folder.file("harm").read_bytes() == at_once


def test_a_table_of_an_older_program_grows(settings: Settings) -> None:
    folder = open_run(settings)
    folder.write_table("harm", HARM.astype({"kind": "category"}))  # types and list of words of its own
    part(folder, 1, 2023, HARM.iloc[:1])
    join_parts(folder)
    expected = pd.concat([HARM, HARM.iloc[:1].assign(replication=1)], ignore_index=True)
    pd.testing.assert_frame_equal(folder.read_table("harm"), as_declared(expected, run_table("harm")))


def test_some_rows_of_a_large_table_are_read_without_the_others(settings: Settings) -> None:
    folder = open_run(settings)
    for replication in (0, 1):
        for row, year in enumerate(HARM["year"]):
            part(folder, replication, year, HARM.iloc[[row]])
    join_parts(folder)
    found = folder.read_rows("harm", ["year", "kind"], ("replication", "==", 1), ("cause", "in", ("road", "bed")))
    assert found.to_numpy().tolist() == [[2023, "late"], [2024, "late"]]
    assert folder.read_rows("harm", ["year"], ("year", ">", 2030)).empty


def test_a_part_that_is_not_whole_is_not_there(settings: Settings) -> None:
    folder = open_run(settings)
    for year in (2023, 2024, 2025):
        path = part(folder, 0, year, HARM)
    content = path.read_bytes()
    path.write_bytes(content[:-60])
    (path.parent / "00000-2024.part").write_bytes(b"")
    (path.parent / ".00000-2026.part.77.tmp").write_bytes(content[:50])
    (path.parent / "00000-2027.zip").write_bytes(content)  # as older programs called theirs, of another format
    assert list(parts_of(folder)) == [(0, 2023)]
    path.write_bytes(content[:200] + bytes(20) + content[220:])
    assert list(parts_of(folder)) == [(0, 2023)]


def test_text_keeps_its_line_ends_and_its_language(settings: Settings) -> None:
    file = open_run(settings).write_text("note.txt", "会昌县\nHuichang\n")
    assert file.read_bytes() == "会昌县\nHuichang\n".encode()


def test_a_folder_that_is_no_finished_run_is_told_as_such(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        run_at(tmp_path / "nowhere")
    with pytest.raises(BadInput, match=r"manifest\.json"):
        run_at(tmp_path)
    folder = open_run(settings)
    with pytest.raises(BadInput, match="not complete"):
        run_at(folder.path)
    folder.finish(1.0)
    assert run_at(folder.path) == folder
    folder.file("manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(BadInput, match="JSON"):
        run_at(folder.path)


def test_the_manifest_can_be_read_by_any_program(settings: Settings) -> None:
    folder = open_run(settings)
    folder.finish(12.3456)
    manifest = json.loads((folder.path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["complete"] is True
    assert manifest["seconds"] == pytest.approx(12.346)


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such table"):
        RunFolder(tmp_path).read_table("measures")


def test_a_run_of_another_version_says_so(settings: Settings) -> None:
    folder = open_run(settings)
    told = folder.path / "config.yaml"
    told.write_text(told.read_text(encoding="utf-8").replace("spare_share:", "share_of_old:"), encoding="utf-8")
    with pytest.raises(BadInput, match=r"config\.yaml: this run was lived with another version.*fleet\.spare_share"):
        _ = folder.settings
