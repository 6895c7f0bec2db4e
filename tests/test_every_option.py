"""Every option of every group, and the odd county, live a week without a crash."""

from __future__ import annotations

import numpy as np
import pytest
from living import lived, planned
from test_configs import OPTIONS

from sim.config import load
from sim.live import live_year

ONE_WEEK = ("calendar=smoke", "study.years=1", "study.replications=1")
AFTER = [(group, option) for group, option in OPTIONS if group not in ("county", "calendar", "study")]


@pytest.mark.parametrize(("group", "option"), AFTER, ids=[f"{g}={o}" for g, o in AFTER])
def test_every_option_lives_a_day(group, option):
    _, diary, _ = lived(planned(load(["county=three_villages", *ONE_WEEK, f"{group}={option}"])), days=1)
    assert diary.attended.any()


def changed(tmp_path, *overrides, **files):
    """Return the job of a copy of three villages with other tables."""
    base = load(["county=three_villages"]).county.path
    for file in base.glob("*.csv"):
        text = file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_text(files.get(file.stem, lambda told: told)(text), encoding="utf-8")
    return planned(load(["county=three_villages", *ONE_WEEK, f"county.folder={tmp_path}", *overrides]))


def nobody(text):
    """Keep every row of pupils.csv, with no pupils in it."""
    head, *rows = text.splitlines()
    column = head.split(",").index("pupils")
    cells = [row.split(",") for row in rows]
    return "\n".join([head, *(",".join([*row[:column], "0", *row[column + 1 :]]) for row in cells)]) + "\n"


@pytest.mark.parametrize("calendar", ["smoke", "sampled"])
def test_a_county_without_pupils_lives_its_weeks(tmp_path, calendar):
    empty = changed(tmp_path, f"calendar={calendar}", "study.years=1", pupils=nobody)
    tables = live_year(empty, 0, 0)
    present = tables["measures"].query("measure == 'pupils_present'")
    assert (present["value"] == 0).all()
    assert tables["enrolment"].empty


def test_a_county_without_canteens_feeds_nobody(tmp_path):
    def no_canteen(text):
        head, *rows = text.splitlines()
        column = head.split(",").index("canteen_seats")
        cells = [row.split(",") for row in rows]
        return "\n".join([head, *(",".join([*row[:column], "0", *row[column + 1 :]]) for row in cells)]) + "\n"

    _, diary, _ = lived(changed(tmp_path, facilities=no_canteen))
    assert diary.attended.any()
    assert np.isnan(diary.queued).all()


@pytest.mark.parametrize(
    "short",
    ["dine.bell_after_min=3.5", "fleet.turnaround_min=500.0", "fleet.second_run_latest_min=0.0", "lodge.from_grade=1"],
)
def test_strange_settings_live_a_week(short):
    _, diary, _ = lived(planned(load(["county=three_villages", *ONE_WEEK, short])))
    assert diary.came.any()
