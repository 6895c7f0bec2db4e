"""The plan as tables says what the plan is."""

from __future__ import annotations

import pytest
from living import BY_HEART, job

from sim.plan.tables import plan_tables


@pytest.fixture(scope="module")
def tables():
    found = job(*BY_HEART)
    return plan_tables(found.settings, found.county, found.plan)


def test_a_run_to_school_is_told_stop_by_stop(tables):
    runs = tables["runs"]
    run = runs[runs["run_id"] == "C-in-01"]
    gate = run["arrive_min"].iloc[-1]
    dwell = (19 + 3 * 2.6) / 60
    assert run["stop_id"].tolist() == ["D", "B", "C"]
    assert run["km"].tolist() == [0, 4, 6]
    assert run["embark"].tolist() == [3, 3, 0]
    assert run["alight"].tolist() == [0, 0, 6]
    assert run["load_after"].tolist() == [3, 6, 0]
    assert run["depart_min"].tolist() == pytest.approx([gate - 9 - dwell - 12, gate - 9, gate])
    assert run["arrive_min"].tolist() == pytest.approx([gate - 21 - 2 * dwell, gate - 9 - dwell, gate])
    assert set(run["days"]) == {"mon_fri"}


def test_a_run_home_begins_at_the_school(tables):
    runs = tables["runs"]
    run = runs[runs["run_id"] == "C-out-01"]
    leave = run["depart_min"].iloc[0]
    dwell = (19 + 3 * 2.6) / 60
    assert run["stop_id"].tolist() == ["C", "B", "D"]
    assert run["km"].tolist() == [0, 6, 4]
    assert run["embark"].tolist() == [6, 0, 0]
    assert run["load_after"].tolist() == [6, 3, 0]
    assert run["arrive_min"].tolist() == pytest.approx([leave, leave + 9, leave + 9 + dwell + 12])


def test_lodgers_runs_are_weekly(tables):
    runs = tables["runs"].drop_duplicates("run_id").set_index("run_id")
    assert runs.loc["C-lodger-in-01", "days"] == "mon"
    assert runs.loc["C-lodger-out-01", "days"] == "fri"


def test_a_run_without_a_bus_has_no_duty():
    found = job(*BY_HEART, "fleet.buses=0")
    runs = plan_tables(found.settings, found.county, found.plan)["runs"]
    assert runs["bus_id"].isna().all()
    assert runs["duty_id"].isna().all()


def test_a_plan_without_riders_has_no_runs():
    found = job(*BY_HEART, "fleet.family_share=1.0", "fleet.lodger_runs=false")
    assert len(plan_tables(found.settings, found.county, found.plan)["runs"]) == 0
