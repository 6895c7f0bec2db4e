"""A county's own bus runs: read and refused, checked against every limit, lived as they are, improved from there."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from living import BY_HEART, county_in, lived, planned, planned_in

from sim.cli import main
from sim.cli.service import show_runs
from sim.config import load
from sim.county import check_county
from sim.county.timetable import given_runs
from sim.errors import BadInput
from sim.live import Job, live_year
from sim.plan import Checked
from sim.plan.given import exported
from sim.plan.stops import daily_riders
from sim.plan.tables import plan_tables
from sim.sweep import run
from sim.tables import as_declared, run_table

SOURCE = "synthetic: made up for a test"
DWELL, STEP, GATE, OFF = 19 / 60, 2.6 / 60, 29 / 60, 1.9 / 60


def runs_of(job: Job) -> pd.DataFrame:
    """Return the runs.csv that a finished run would hand on."""
    return exported(plan_tables(job.settings, job.county, job.plan)["runs"], SOURCE)


def county_with(folder: Path, runs: pd.DataFrame) -> Path:
    """Write three villages with runs of their own."""
    for file in load(["county=three_villages"]).county.path.glob("*.csv"):
        (folder / file.name).write_bytes(file.read_bytes())
    runs.to_csv(folder / "runs.csv", index=False)
    county_in.cache_clear()
    return folder


choose = cache(load)
"""Settings that are asked for again and again."""


def job_with(runs: pd.DataFrame, *overrides: str) -> Job:
    """Plan three villages with runs of their own; that these can be read from a file is a test of its own."""
    settings = choose((*BY_HEART, *overrides))
    county = county_in(settings.county.path)
    numbers = dict.fromkeys(("year", "arrive_min", "depart_min", "embark", "alight", "rated"), "float64")
    return planned_in(replace(county, tables={**county.tables, "runs": runs.astype(numbers)}), settings)


@pytest.fixture(scope="module")
def ours() -> Job:
    return planned(choose(BY_HEART))


@pytest.fixture
def runs(ours: Job) -> pd.DataFrame:
    return runs_of(ours)


def found(job: Job, plan: str = "given") -> pd.DataFrame:
    table = job.plan.years[0].checked.violations
    return table[table["plan"] == plan]


def scored(job: Job, plan: str) -> pd.Series:
    table = job.plan.years[0].checked.score
    return table[table["plan"] == plan].set_index("measure")["value"]


# Lived as they are


LUCKY = ("fleet.noise_leg_sd=0.12", "fleet.breakdown_per_km=0.01", "health.absence_share=0.1")


def test_the_runs_of_a_finished_run_live_the_very_same_days(tmp_path):
    first = planned(load([*BY_HEART, *LUCKY]))
    folder = county_with(tmp_path, runs_of(first))
    again = planned(load([*BY_HEART, f"county.folder={folder}", "fleet.runs=given", *LUCKY]))
    lived_first, lived_again = live_year(first, 0, 0), live_year(again, 0, 0)
    assert len(lived_first["measures"]) > 100
    for name, table in lived_first.items():
        pd.testing.assert_frame_equal(table, lived_again[name], check_exact=True)
    tables = [plan_tables(job.settings, job.county, job.plan)["runs"] for job in (first, again)]
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_a_year_of_its_own_holds_until_the_next_one(runs):
    later = runs.assign(year=2025, arrive_min=runs["arrive_min"] - 5, depart_min=runs["depart_min"] - 5)
    both = pd.concat([runs.assign(year=None), later])
    job = job_with(both, "fleet.runs=given", "study.years=4")
    gates = [year.runs.arrive_min[0] for year in job.plan.years]
    assert gates == [gates[0], gates[0], gates[0] - 5, gates[0] - 5]


def test_a_bus_leaves_its_stops_as_the_table_says_and_not_as_we_reckon(runs):
    inward = runs["run_id"] == "C-in-01"
    at_d = inward & (runs["stop_id"] == "D")
    slow = runs.copy()
    slow.loc[at_d, ["arrive_min", "depart_min"]] -= 10  # the bus stands 10 minutes longer on its way from D
    scene, diary, _ = lived(job_with(slow, "fleet.runs=given"), days=1)
    first, end = scene.table.stops[0]
    assert diary.departed[0, first:end] == pytest.approx(slow.loc[inward & (slow["stop_id"] != "C"), "depart_min"])


def test_times_left_out_follow_from_the_other(runs):
    stops = runs["stop_id"] != "C"
    bare = runs.assign(arrive_min=runs["arrive_min"].where(~stops))
    whole, half = job_with(runs, "fleet.runs=given"), job_with(bare, "fleet.runs=given")
    there, here = whole.plan.years[0].runs, half.plan.years[0].runs
    assert here.come_min == pytest.approx(there.come_min)
    assert here.arrive_min == pytest.approx(there.arrive_min)


def test_pupils_left_out_of_the_table_are_those_expected(runs):
    job = job_with(runs.assign(embark=None, alight=None), "fleet.runs=given")
    assert job.plan.years[0].runs.routes.load.tolist() == plan_of(runs)


def plan_of(runs: pd.DataFrame) -> list[float]:
    stops = runs[runs["stop_id"] != runs["school_id"]]
    return np.where(stops["direction"] == "in", stops["embark"], stops["alight"]).tolist()


def test_pupils_whose_hamlet_no_run_serves_are_left_behind_and_counted(runs):
    gone = runs[(runs["stop_id"] != "B") | (runs["service"] != "school")].copy()
    gone["seq"] = gone.groupby("run_id", sort=False).cumcount()
    job = job_with(gone, "fleet.runs=given")
    missing = found(job).query("limit == 'no_stop'")
    assert missing[["school_id", "stop_id", "value", "limit_value"]].values.tolist() == [["C", "B", 3.0, 0.0]]
    assert scored(job, "given")["riders_left_out"] == 3
    scene, diary, _ = lived(job, days=1)
    of_b = (scene.pupils.hamlet == 1) & scene.rider
    assert of_b.sum() == 3
    assert np.isnan(diary.alighted_in[0, of_b]).all()
    assert not np.isnan(diary.left_in[0, of_b]).any(), "told that no bus comes, not forgotten"
    assert not np.isnan(diary.alighted_in[0, scene.rider & ~of_b]).any()


def test_lodgers_runs_are_no_service_for_day_pupils(runs):
    def stops_of_b(without: pd.Series) -> list[int]:
        rest = runs[~((runs["stop_id"] == "B") & without)].copy()
        rest["seq"] = rest.groupby("run_id", sort=False).cumcount()
        job = job_with(rest, "fleet.runs=given", "fleet.stop_walk_km=20", "fleet.stop_walk_young_km=20")
        places = job.plan.years[0].places
        return places.stop[1][daily_riders(places)[1] > 0].tolist()

    # pupils of B walk to D, the bus of its lodgers calling at B or not
    only_lodgers, nobody = stops_of_b(runs["service"] == "school"), stops_of_b(runs["run_id"].notna())
    assert set(only_lodgers) == {2}
    assert only_lodgers == nobody


def test_runs_to_a_closed_school_are_not_driven(runs):
    cells = {"run_id": "T-in-01", "bus_id": "bus-009", "service": "school", "school_id": "T", "direction": "in"}
    to_t = runs[of(runs, "C-in-01")].assign(**cells).replace({"stop_id": {"C": "T"}})
    both = pd.concat([runs, to_t], ignore_index=True)
    for way in ("given", "improve"):
        job = job_with(both, f"fleet.runs={way}", "closure=plan_2023")
        year = job.plan.years[0]
        assert year.open.tolist() == [True, False]
        assert one_limit(job, "school_closed")["run_id"] == "T-in-01"
        assert found(job).query("limit == 'no_bus'").empty
        to_closed = year.runs.routes.school == 1
        assert (year.runs.bus[to_closed] == -1).all()
        assert to_closed.any() == (way == "given")
        assert (year.runs.bus[~to_closed] == 0).all()
        assert (len(year.runs.yard), year.runs.buses_needed) == (1, 1)


# Buses owned


BUS_EACH = (
    "fleet.kinds=[{name: seats_19, rated: 5, seats: 3, attendants: 1}]", "fleet.lodger_runs=false",
    "fleet.arrive_earliest_before_bell_min=25", "fleet.depart_latest_after_close_min=8", "fleet.late_allowed_min=0",
)  # fmt: skip
"""Three seats and a short window: B and D need a bus each for their three pupils."""


@pytest.fixture(scope="module")
def two_buses() -> pd.DataFrame:
    return runs_of(planned(choose((*BY_HEART, *BUS_EACH))))


@pytest.mark.parametrize(
    ("way", "told", "driving", "owned"),
    [
        ("given", "buses=null", 2, 3), ("given", "buses=1", 1, 1), ("given", "buses=0", 0, 0),
        ("given", "buses={seats_19:1}", 1, 1), ("given", "scale=0.4", 1, 1),
        ("improve", "buses=1", 1, 1), ("improve", "scale=0.4", 1, 1),
    ],
)  # fmt: skip
def test_no_more_buses_drive_than_the_county_owns(two_buses, way, told, driving, owned):
    job = job_with(two_buses, *BUS_EACH, f"fleet.runs={way}", f"fleet.{told}")
    runs = job.plan.years[0].runs
    assert np.unique(runs.bus[runs.bus >= 0]).tolist() == list(range(driving))
    assert (len(runs.yard), runs.buses_needed, runs.buses_owned) == (driving, 2, owned)
    assert scored(job, "given")["riders_left_out"] == 3 * (2 - driving)
    scene, diary, _ = lived(job, days=1)
    assert (~np.isnan(diary.alighted_in[0, scene.rider])).sum() == 3 * driving


def test_given_runs_that_are_not_there_are_bad_input():
    with pytest.raises(BadInput, match=r"fleet\.runs: given needs the runs that are driven in 2023"):
        planned(load([*BY_HEART, "fleet.runs=given"]))


# Held against the limits: each by hand


def change(runs: pd.DataFrame, rows: pd.Series, **cells: object) -> pd.DataFrame:
    out = runs.copy()
    for name, value in cells.items():
        out.loc[rows, name] = value
    return out


def of(runs: pd.DataFrame, run: str, stop: str | None = None) -> pd.Series:
    return (runs["run_id"] == run) & ((runs["stop_id"] == stop) if stop else True)


def later(runs: pd.DataFrame, run: str, minutes: float) -> pd.DataFrame:
    rows = of(runs, run)
    return change(
        runs, rows, arrive_min=runs["arrive_min"][rows] + minutes, depart_min=runs["depart_min"][rows] + minutes
    )


def one_limit(job: Job, limit: str) -> dict[str, object]:
    rows = found(job).query("limit == @limit")
    assert len(rows) == 1, found(job)
    return rows.iloc[0].to_dict()


def test_runs_that_keep_all_limits_break_none(runs):
    job = job_with(runs)
    assert found(job).empty
    assert found(job, "planned").empty
    score = scored(job, "given")
    assert score.equals(scored(job, "planned"))
    # five days of yard - D - C and C - D - yard, 10 km each way; the lodgers' bus on Monday and on Friday
    assert score["km_per_week"] == pytest.approx(5 * 4 * 10 + 2 * 2 * 10)
    assert (score["buses"], score["runs"]) == (1, 4)
    of_b, of_d = 9 + DWELL + 3 * STEP, 12 + 9 + 2 * (DWELL + 3 * STEP)
    home = (9, 9 + DWELL + 3 * STEP + 12)
    assert score["ride_min_mean"] == pytest.approx((of_b + of_d + sum(home)) / 4)


def test_a_ride_longer_than_the_youngest_may_have(runs):
    # D is 21 minutes and two stops from C; with 3 min walk and 5 min wait its first graders are over 29 minutes
    job = job_with(runs, "fleet.runs=given", "fleet.ride_limit_young_min=29.0")
    ride = 12 + 9 + 2 * (DWELL + 3 * STEP)
    told = one_limit(job, "ride")
    assert (told["run_id"], told["stop_id"], told["unit"]) == ("C-in-01", "D", "minute")
    assert told["value"] == pytest.approx(3 + 5 + ride)
    assert told["limit_value"] == 29
    assert told["excess"] == pytest.approx(8 + ride - 29)
    pd.testing.assert_frame_equal(
        found(job).drop(columns=["plan", "bus_id"]).reset_index(drop=True),
        found(job, "planned").drop(columns=["plan", "bus_id"]).reset_index(drop=True),
    )


def test_more_pupils_than_seats(runs):
    over = change(runs, runs["run_id"].notna(), seats=5)
    told = one_limit(job_with(over[over["run_id"] != "C-out-01"]), "seats")
    assert (told["run_id"], told["value"], told["limit_value"], told["excess"]) == ("C-in-01", 6, 5, 1)


def test_the_arrival_window(runs):
    gate = runs.loc[of(runs, "C-in-01", "C"), "arrive_min"].iloc[0]
    early = later(runs, "C-in-01", 480 - 70 - 1 - gate)
    told = one_limit(job_with(early), "arrive_early")
    assert (told["value"], told["limit_value"], told["excess"]) == pytest.approx((409, 410, 1))
    late = later(runs, "C-in-01", 480 - 10 + 2 - gate)
    told = one_limit(job_with(late), "arrive_late")
    assert (told["value"], told["limit_value"], told["excess"]) == pytest.approx((472, 470, 2))


def test_the_window_after_school(runs):
    gate = runs.loc[of(runs, "C-out-01", "C"), "depart_min"].iloc[0]
    told = one_limit(job_with(later(runs, "C-out-01", 1019 - gate)), "depart_early")
    assert (told["value"], told["limit_value"]) == pytest.approx((1019, 1020))
    told = one_limit(job_with(later(runs, "C-out-01", 1092 - gate)), "depart_late")
    assert (told["value"], told["limit_value"]) == pytest.approx((1092, 1090))


def test_a_bus_in_two_places_at_once(runs):
    twice = runs[of(runs, "C-in-01")].assign(run_id="C-in-02", embark=0.0)
    twice["bus_id"] = runs["bus_id"].iloc[0]
    told = one_limit(job_with(pd.concat([runs, later(twice, "C-in-02", 10.0)])), "turnaround")
    ride = 12 + 9 + 2 * (DWELL + 3 * STEP)
    gate = GATE + 6 * OFF
    # the second begins 10 minutes after the first began, which is busy for its ride and unloading
    assert told["value"] == pytest.approx(10 - ride - gate)
    assert told["limit_value"] == pytest.approx(3 + 9 + 12), "turnaround and the empty way from C to D"


def test_faster_than_the_law_allows(runs):
    # 6 km from B to C take 6 minutes at 60 km/h
    at_b = of(runs, "C-in-01", "B")
    gate = runs.loc[of(runs, "C-in-01", "C"), "arrive_min"].iloc[0]
    told = one_limit(job_with(change(runs, at_b, depart_min=gate - 5.5)), "speed")
    assert (told["stop_id"], told["value"], told["limit_value"]) == ("B", pytest.approx(5.5), pytest.approx(6.0))


def test_a_stop_without_riders(runs):
    at_a = runs[of(runs, "C-in-01", "B")].assign(stop_id="A", embark=0.0, seq=2)
    more = pd.concat([runs, at_a])
    more.loc[of(more, "C-in-01", "C"), "seq"] = 3
    at = more.loc[of(more, "C-in-01", "C"), "arrive_min"].iloc[0]
    more.loc[of(more, "C-in-01", "A"), ["arrive_min", "depart_min"]] = at - 2
    assert one_limit(job_with(more), "empty_stop")["stop_id"] == "A"


def test_fewer_places_than_riders_and_a_run_without_a_bus(runs):
    few = change(runs, of(runs, "C-in-01", "B"), embark=1.0)
    told = one_limit(job_with(few), "too_few_places")
    assert (told["stop_id"], told["value"], told["limit_value"]) == ("B", 3, 1)
    none = change(runs, of(runs, "C-in-01"), bus_id=None)
    assert one_limit(job_with(none), "no_bus")["value"] == 6


def test_buses_that_are_unknown_too_large_or_have_no_seat_for_the_attendants(runs):
    def told(seats: int, rated: int | None) -> dict[str, tuple[float, float]]:
        rows = found(job_with(runs.assign(seats=seats, rated=rated)))
        return {row.limit: (row.value, row.limit_value) for row in rows.itertuples() if row.run_id is None}

    assert told(17, None) == {}
    assert told(20, None) == {"bus_kind": (20, 17)}
    assert told(49, 51) == {"attendant_seat": (52, 51)}, "49 pupils, two attendants, the driver"
    assert told(60, None) == {"bus_kind": (60, 53), "rated_most": (63, 56)}


# Improved


def worth(job: Job, plan: str) -> list[float]:
    return scored(job, plan)[["riders_left_out", "violations", "buses", "km_per_week"]].tolist()


def no_worse(job: Job) -> bool:
    was, now = worth(job, "given"), worth(job, "improved")
    return now[0] <= was[0] and now[1] <= was[1] and now[2:] <= [was[2], was[3] + 1e-9]


def test_improving_leaves_nobody_out_whom_the_countys_runs_carry(two_buses):
    late = two_buses.assign(bus_id="bus-001")
    for name in ("C-in-01", "C-out-01"):  # the one bus drives to B 24 minutes after D: late, and with little time
        late = later(late, name, 24.0)
    job = job_with(late, *BUS_EACH, "fleet.runs=improve")
    assert scored(job, "given")["riders_left_out"] == 0
    assert no_worse(job)
    scene, diary, _ = lived(job, days=1)
    assert not np.isnan(diary.alighted_in[0, scene.rider]).any()


def test_lodgers_and_rides_home_left_out_count_too(runs):
    for name, left in (("C-lodger-in-01", 2), ("C-out-01", 6), ("C-in-01", 6)):
        assert scored(job_with(change(runs, of(runs, name), bus_id=None)), "given")["riders_left_out"] == left


def test_improving_heals_times_and_needless_buses(runs):
    bad = later(runs, "C-in-01", 30.0)  # after the window
    bad = change(bad, of(bad, "C-out-01"), bus_id="bus-009")  # a second bus where one can do
    job = job_with(bad, "fleet.runs=improve")
    assert no_worse(job)
    assert (scored(job, "given")["buses"], scored(job, "improved")["buses"]) == (2, 1)
    assert worth(job, "improved")[1] < worth(job, "given")[1]
    assert job.plan.years[0].checked.score.query("lived")["plan"].unique().tolist() == ["improved"]
    assert len(job.plan.years[0].runs.yard) == 1


@pytest.mark.parametrize("seed", range(6))
def test_an_improved_plan_is_never_worse_than_the_given_one(runs, seed):
    """Given runs at random: places left out, buses swapped, times moved, pupils missed."""
    luck = np.random.default_rng(seed)
    bad = runs.copy()
    for name in bad["run_id"].unique():
        bad = later(bad, name, float(luck.normal(0, 20)))
        bad = change(bad, of(bad, name), bus_id=f"bus-{luck.integers(1, 4)}")
    drop = (bad["stop_id"] != bad["school_id"]) & (bad["seq"] == 1) & (luck.random(len(bad)) < 0.4)
    sizes = bad.groupby("run_id")["seq"].transform("size")
    bad = bad[~(drop & (sizes > 2))].copy()
    bad["seq"] = bad.groupby("run_id", sort=False).cumcount()
    job = job_with(bad, "fleet.runs=improve")
    assert no_worse(job)
    assert live_year(job, 0, 0)["measures"]["value"].notna().any()


# Bad input


def test_wrong_cells_are_told_with_row_and_column(tmp_path, runs):
    bad = change(runs, runs.index == 0, school_id="X", service="taxi", seats=0)
    bad = change(bad, of(bad, "C-out-01"), days="mon")
    errors = check_county(county_with(tmp_path, bad))
    for column, says in (
        ("school_id", "'X' is no school"),
        ("service", "use one of school, lodger"),
        ("seats", "too small"),
    ):
        start = f"runs.csv, row 2, column {column}"
        assert any(error.startswith(start) and says in error for error in errors), errors
    row = np.flatnonzero(of(runs, "C-out-01"))[0] + 2
    days = "'mon' does not fit service school, direction out; use mon_fri"
    assert f"runs.csv, row {row}, column days: {days}" in errors
    assert len(errors) == 4  # nothing follows from what is wrong


def test_places_and_times_of_a_run_are_in_order(runs):
    hamlets = pd.DataFrame({"hamlet_id": ["A", "B", "D"]})

    def told(changed: pd.DataFrame) -> str:
        lines = changed.set_axis(np.arange(len(changed)) + 2)  # the header is line 1
        return "\n".join(str(problem) for problem in given_runs({"runs": lines, "hamlets": hamlets}))

    assert told(runs) == ""

    rows = np.flatnonzero(of(runs, "C-in-01"))
    line = rows + 2
    unknown = told(change(runs, of(runs, "C-in-01", "B"), stop_id="X"))
    assert f"runs.csv, row {line[1]}, column stop_id: 'X' is no hamlet" in unknown
    gap = told(change(runs, of(runs, "C-in-01", "C"), seq=5))
    assert f"runs.csv, row {line[2]}, column seq: 5 follows 1" in gap
    back = told(change(runs, of(runs, "C-in-01", "B"), arrive_min=1.0))
    assert f"runs.csv, row {line[1]}, column arrive_min: 1 is before" in back
    never = told(change(runs, of(runs, "C-in-01", "B"), arrive_min=None, depart_min=None))
    assert f"runs.csv, row {line[1]}, column arrive_min: neither" in never
    lost = told(runs[~of(runs, "C-in-01", "C")])
    assert "is not the school 'C', which must be the last place of the run" in lost
    alone = told(change(runs[~of(runs, "C-in-01", "B") & ~of(runs, "C-in-01", "D")], of(runs, "C-in-01"), seq=0))
    assert "the run has no stop but the school" in alone
    twice = told(change(runs, of(runs, "C-in-01", "B"), stop_id="C"))
    assert f"runs.csv, row {line[1]}, column embark: 3 embark at a school of a run in" in twice
    some = change(runs, of(runs, "C-in-01"), embark=0.0, alight=0.0)
    some = change(some, of(runs, "C-in-01", "B"), embark=5.0)
    lost = told(change(some, of(runs, "C-in-01", "C"), alight=2.0))
    assert f"runs.csv, row {line[2]}, column alight: 2 alight at C, but 5 embark at the stops" in lost
    assert told(change(some, of(runs, "C-in-01", "C"), alight=None)) == ""
    early = told(change(runs, of(runs, "C-in-01", "B"), alight=1.0))
    assert f"runs.csv, row {line[1]}, column alight: 1 alight at a stop of a run in" in early
    two = change(runs, of(runs, "C-out-01"), seats=34)
    assert "of the same bus has '17'" in told(two)


def test_check_lists_every_violation_and_ends_well(tmp_path, runs, capsys):
    folder = county_with(tmp_path, later(runs, "C-in-01", 200.0))
    assert (
        main(["check", *(word for word in BY_HEART if not word.startswith("county=")), f"county.folder={folder}"]) == 0
    )
    said = capsys.readouterr().out
    assert "At school too late" in said
    assert "C-in-01, bus-001, C" in said
    assert "Buses in use" in said
    count = said.count(" against ") + said.count("Stop without riders")
    assert said.splitlines()[-1].endswith(f"Limits that its bus runs do not keep: {count}, listed above.")


def test_check_tells_by_how_much_a_limit_is_not_kept(capsys):
    rows = [
        ("ride", 470.5, 470.0, "minute", "470.5 against 470.0 min"),
        ("ride", 470.004, 470.0, "minute", "470.004 against 470.000 min"),
        ("seats", 20.0, 17.0, "pupil", "20 against 17 pupils"),
        ("school_closed", 0.0, 0.0, "pupil", "Run to a closed school\n"),
        ("no_stop", 1.0, 0.0, "pupil", "no stop of their runs (daily or lodgers'): 1 pupils\n"),
    ]
    broken = pd.DataFrame([row[:-1] for row in rows], columns=["limit", "value", "limit_value", "unit"])
    broken = broken.assign(plan="given", run_id="r", bus_id=None, school_id="C", stop_id=None)
    score = pd.DataFrame({"plan": ["given"], "measure": ["buses"], "value": [1.0]})
    assert show_runs(Checked(broken, score), choose(BY_HEART)) == len(rows)
    said = capsys.readouterr().out
    assert [says for *_, says in rows if says not in said] == []


def test_the_tables_are_as_declared(runs):
    job = job_with(later(runs, "C-in-01", 200.0), "fleet.runs=improve")
    tables = plan_tables(job.settings, job.county, job.plan)
    for name in ("violations", "score"):
        table = as_declared(tables[name].assign(scenario="base"), run_table(name))
        assert len(table)
        assert not table.duplicated(list(run_table(name).key)).any()
        assert set(table["plan"]) <= {"given", "planned", "improved"}


def test_the_report_has_the_county_beside_ours(tmp_path, runs):
    (tmp_path / "county").mkdir()
    folder = county_with(tmp_path / "county", later(runs, "C-in-01", 200.0))
    words = [*BY_HEART, f"county.folder={folder}", f"study.out={tmp_path}", "fleet.runs=given", "executor=serial"]
    done = run(load([*words, "report.language=zh"]))
    page = (done.path / "report.html").read_text(encoding="utf-8")
    assert "校车班次：现行方案与规划方案" in page
    assert "现行 (已模拟)" in page
    assert "到校过晚" in page
    late = pd.read_csv(done.path / "violations.csv").query("limit == 'arrive_late'")
    assert late[["plan", "run_id"]].to_numpy().tolist() == [["given", "C-in-01"]]
    assert set(pd.read_csv(done.path / "score.csv").query("lived")["plan"]) == {"given"}
