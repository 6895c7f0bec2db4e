"""Relief: more of what is short, what it changes in the plan, and how much harm it avoids when days are lived again."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from living import BY_HEART, job

from sim.base import base_settings
from sim.config import Settings, load
from sim.county import County
from sim.errors import BadInput
from sim.judge.purchase import Place, Short, Want, doubled, halved, more_in, purchases, settled, shortages, trimmed
from sim.judge.relief import REMEDIES, avoided, relief, remedy, to_relieve, until_half
from sim.live import Job, live_year
from sim.plan.more import GROW, More, with_more
from sim.reprice import tell
from sim.share import digest
from sim.store import RunFolder
from sim.sweep import run
from sim.sweep.relieve import Again
from sim.tables import as_declared, run_table
from sim.tell.relief import chart
from sim.tell.run import Run

PARTS = ("meals", "beds", "fixtures", "runs")
SHORT_OF_BEDS = ("county=three_villages", "study.years=1", "study.replications=2", "calendar=smoke",
                 "lodge.emergency_share=0", "lodge.junior_share=1.0", "lodge.primary_share=1.0")  # fmt: skip


@cache
def settings() -> Settings:
    return load(["county=three_villages"])


def grown(made: Job, resource: str, units: int, site: str = "C") -> Job:
    """Return the same job with more of a resource in its first year."""
    more = with_more(made.settings, made.county, made.ways.dry, made.plan.years[0], [More(site, resource, units)])
    return replace(made, plan=replace(made.plan, years=(more, *made.plan.years[1:])))


# --- a plan with more of something ---


@pytest.mark.parametrize("resource", sorted({*GROW} - {"bus", "bus_seat"}))
def test_more_of_a_resource_changes_one_number(resource: str) -> None:
    made = job(*SHORT_OF_BEDS)
    assert made.county.schools.id[0] == "C"
    before, after = made.plan.years[0], grown(made, resource, 3).plan.years[0]
    changed = {}
    for part in [each.name for each in fields(before)]:
        old, new = getattr(before, part), getattr(after, part)
        if part not in PARTS:
            if digest(old) != digest(new):
                changed[part] = np.subtract(new, old).tolist()
            continue
        for name in [each.name for each in fields(old)]:
            was, now = getattr(old, name), getattr(new, name)
            if digest(was) != digest(now):
                changed[name] = np.subtract(now, was).tolist()
    at_c, girls, boys = [3, 0], [[3, 0], [0, 0]], [[0, 3], [0, 0]]
    expected = {
        "spare_bus": {"spare_buses": 3, "buses_owned": 3, "more_crew": [3, 6]},  # the largest has two attendants
        "driver": {"more_crew": [3, 0]},
        "attendant": {"more_crew": [0, 3]},
        "kitchen": {"kitchen": at_c}, "window": {"windows": at_c}, "canteen_seat": {"seats": at_c},
        "bed_girls": {"nominal": girls}, "bed_boys": {"nominal": boys},
        "tap": {"taps": at_c}, "basin": {"basins": at_c}, "shower": {"showers": [[2, 1], [0, 0]]},
        "toilet_girls": {"toilets": girls}, "toilet_boys": {"toilets": boys},
        "classroom_seat": {"class_places": [45 * each for each in at_c]}, "gate_bay": {"more_bays": at_c},
    }  # fmt: skip
    assert changed == expected[resource]


def test_what_there_may_be_more_of_has_a_remedy() -> None:
    assert set(GROW) <= set(REMEDIES)
    assert {cure.grows for cure in REMEDIES.values()} <= {*GROW, ""}


def test_a_bus_for_a_school_without_any_is_the_bus_the_plan_would_have_had() -> None:
    """The county by heart with no bus and one more is the county with its one bus."""
    none, one = job(*BY_HEART, "fleet.buses=0"), job(*BY_HEART, "fleet.buses=1")
    assert (none.plan.years[0].runs.bus < 0).all()
    found, wanted = grown(none, "bus", 1).plan.years[0].runs, one.plan.years[0].runs
    for name in ("bus", "order", "depart_min", "arrive_min", "late_min", "yard", "bus_kind"):
        assert getattr(found, name).tolist() == getattr(wanted, name).tolist(), name
    assert found.buses_owned == 1


def test_a_bus_more_changes_nothing_where_all_runs_are_driven_in_time() -> None:
    made = job(*BY_HEART, "fleet.buses=1")
    before, after = made.plan.years[0].runs, grown(made, "bus", 2).plan.years[0].runs
    assert digest(replace(after, buses_owned=before.buses_owned)) == digest(before)


def test_a_larger_bus_is_of_the_next_kind_until_there_is_none() -> None:
    made = job(*BY_HEART, "fleet.buses=1")
    seats = sorted(kind.seats for kind in made.settings.fleet.kinds)

    def after(units: int) -> int:
        return made.settings.fleet.kinds[grown(made, "bus_seat", units).plan.years[0].runs.bus_kind[0]].seats

    at = seats.index(after(0))
    assert [after(units) for units in range(1, 6)] == [seats[min(at + units, len(seats) - 1)] for units in range(1, 6)]


# --- lived again ---


def harm_of(made: Job) -> pd.DataFrame:
    return live_year(made, 0, 0)["harm"]


def test_eight_beds_more_are_lived_as_in_a_county_that_has_them() -> None:
    """One bed of each sex in the table; a room has eight, and boys of two grade bands do not share one."""
    made, other = job(*SHORT_OF_BEDS), job(*SHORT_OF_BEDS, "lodge.beds={C: 9}")
    more = grown(grown(made, "bed_girls", 8), "bed_boys", 8)
    assert more.plan.years[0].beds.nominal.tolist() == other.plan.years[0].beds.nominal.tolist()
    pd.testing.assert_frame_equal(harm_of(more), harm_of(other))
    assert harm_of(more)["severity"].sum() < harm_of(made)["severity"].sum()


def test_with_nothing_more_nothing_changes() -> None:
    made = job(*SHORT_OF_BEDS)
    short = pd.DataFrame([(2023, "C", "bed_boys", "bed_boys"), (2023, "C", "window", "window")],
                         columns=["year", "site_id", "resource", "grows"])  # fmt: skip
    judge = made.settings.judge.model_copy(update={"relief_units": (0,)})
    idle = replace(made, settings=made.settings.model_copy(update={"judge": judge}))
    found = Again(idle, harm_of(made))((0, 0, short))
    assert found[["at_site_id", "at_resource", "severity"]].to_numpy().tolist() == [
        ["C", "bed_boys", 0.0],
        ["C", "window", 0.0],
    ]


def test_harm_avoided_is_told_where_harm_changed_and_at_the_bottleneck_anyway() -> None:
    names = ["site_id", "resource", "severity"]
    before = pd.DataFrame(
        [("C", "window", 10.0), ("C", "tap", 4.0), ("T", "tap", 1.0), ("C", None, 7.0)], columns=names
    )
    after = pd.DataFrame([("C", "window", 6.0), ("C", "canteen_seat", 3.0), ("C", "tap", 4.0)], columns=names)
    assert avoided(before, after, "C", "basin").to_numpy().tolist() == [
        ["C", "basin", 0.0],
        ["C", "canteen_seat", -3.0],
        ["C", "window", 4.0],
        ["T", "tap", 1.0],
    ]


# --- which, how much, in which order: by hand ---

BOTTLENECKS = pd.DataFrame(
    [
        (2023, "C", "window", 10.0, "window", 1000.0, 2023),
        (2024, "C", "window", 30.0, "window", 1000.0, 2023),
        (2023, "T", "bed_boys", 35.0, "bed", 500.0, None),
        (2023, "C", "bus", 90.0, "weather", np.nan, 2023),
        (2024, "T", "bus", 20.0, "breakdown", 2000.0, 2024),
        (2023, "C", "spare_bus", 4.0, "breakdown", 2000.0, 2023),
        (2023, "C", "gate_bay", 50.0, "gate_bay", np.nan, None),
    ],
    columns=["year", "site_id", "resource", "severity", "cause", "relief_cost_yuan", "first_year_breached"],
).assign(relief_yuan_per_year=lambda table: table["relief_cost_yuan"] / 10)


def asked(**judge: object) -> Settings:
    return settings().model_copy(update={"judge": settings().judge.model_copy(update=judge)})


def test_the_worst_of_all_years_are_relieved_in_their_worst_year() -> None:
    """Weather has no remedy, a gate bay one without a price; buses that broke down are relieved by a spare one."""
    assert to_relieve(asked(relief="all"), BOTTLENECKS).to_numpy().tolist() == [
        [2023, "C", "gate_bay", "gate_bay"],
        [2024, "C", "window", "window"],
        [2023, "T", "bed_boys", "bed_boys"],
        [2024, "T", "bus", "spare_bus"],
        [2023, "C", "spare_bus", "spare_bus"],
    ]
    worst = to_relieve(asked(relief="worst", relief_most=2), BOTTLENECKS)
    assert worst["resource"].tolist() == ["gate_bay", "window"]
    assert to_relieve(asked(relief="off"), BOTTLENECKS).empty


RELIEVED = pd.DataFrame(
    [
        (0, 2024, "C", "window", 1, "C", "window", 10.0),
        (1, 2024, "C", "window", 1, "C", "window", 6.0),
        (0, 2024, "C", "window", 1, "C", "canteen_seat", -2.0),
        (0, 2024, "C", "window", 2, "C", "window", 12.0),
        (1, 2024, "C", "window", 2, "C", "window", 8.0),
        (0, 2023, "T", "bed_boys", 1, "T", "bed_boys", 1.0),
        (1, 2023, "T", "bed_boys", 1, "T", "bed_boys", 1.0),
    ],
    columns=["replication", "year", "site_id", "resource", "units", "at_site_id", "at_resource", "severity"],
)


def test_what_relief_avoids_costs_and_moves() -> None:
    """A window avoids 8 and 6, in the mean 7 +- 12.706 x 1, for 100 yuan a year; a bed 1 for 50: windows first."""
    table = as_declared(relief(settings(), BOTTLENECKS, RELIEVED), run_table("relief"))
    names = ["order", "site_id", "resource", "units", "harm_avoided_mean", "cost_yuan", "cost_yuan_per_year"]
    assert table[names].to_numpy().tolist() == [
        [1, "C", "window", 1, 7.0, 1000.0, 100.0],
        [2, "C", "window", 2, 10.0, 2000.0, 200.0],
        [3, "T", "bed_boys", 1, 1.0, 500.0, 50.0],
    ]
    first = table.iloc[0]
    assert (first["moves_to"], first["harm_moved_mean"]) == ("C/canteen_seat", 1.0)
    assert table["moves_to"].isna().tolist() == [False, True, True]
    assert np.round([first["harm_avoided_low"], first["harm_avoided_high"]], 2).tolist() == [-5.71, 19.71]


@pytest.mark.parametrize(("harm", "steps"), [(32.0, [1]), (33.0, [1, 2])])
def test_more_is_tried_while_more_than_half_of_the_harm_is_left(harm: float, steps: list[int]) -> None:
    """One window takes 16 away, which is half of 32."""
    lived = pd.DataFrame({"year": 2024, "site_id": "C", "resource": "window", "severity": [12.0, harm - 12.0]})
    found = until_half(RELIEVED[RELIEVED["resource"] == "window"], lived)
    assert sorted(found["units"].unique()) == steps


def test_a_bus_costs_its_people_too_and_a_bed_the_part_of_its_life() -> None:
    """No interest: 17,600 yuan over its life, and a bus with one driver and its attendants."""
    free = settings().model_copy(update={"account": settings().account.model_copy(update={"discount_rate": 0.0})})
    prices = free.prices
    bed = prices["bed_place"]
    assert remedy(free, "bed_girls", "bed", 45)[1:] == (bed.central, bed.central / bed.life_years)
    kind = min(free.fleet.kinds, key=lambda kind: prices[f"bus_{kind.name}"].central / kind.seats)
    bus = prices[f"bus_{kind.name}"]
    wages = prices["driver_year"].central + kind.attendants * prices["attendant_year"].central
    assert remedy(free, "bus", "bus", 45)[1:] == (bus.central, bus.central / bus.life_years + wages)
    assert remedy(free, "driver", "driver", 45)[1:] == (prices["driver_year"].central,) * 2


# --- what to buy ---

WINDOW, BED = Place("C", "window"), Place("T", "bed_boys")


def test_spare_buses_are_the_countys_whatever_school_they_are_missed_at() -> None:
    assert shortages(BOTTLENECKS) == {
        WINDOW: Short(40.0, 2023),
        BED: Short(35.0, None),
        Place("county", "spare_bus"): Short(24.0, 2023),
    }


def test_what_is_short_is_doubled_until_limits_hold_and_then_halved() -> None:
    """Five windows are enough: 1, 2, 4, 8 are tried, then 6, then 5; nobody asks for a bed whose limit holds."""

    def short(wants: dict[Place, Want]) -> dict[Place, Short]:
        units = wants[WINDOW].units if WINDOW in wants else 0
        return {WINDOW: Short(10.0 - units, 2024 if units < 5 else None), BED: Short(5.0, None)}

    wants, tried = doubled({}, short({})), []
    while not settled(wants):
        tried.append(wants[WINDOW].units)
        wants = doubled(wants, short(wants))
    assert tried == [1, 2, 4, 8]
    assert [*wants] == [WINDOW]
    for units in (6, 5):
        half = halved(wants)
        assert half[WINDOW].units == units
        wants = trimmed(wants, half, short(half))
    assert wants[WINDOW].units == 5
    assert halved(wants)[WINDOW].units == 5
    assert more_in(wants, 2023) == []
    assert more_in(wants, 2024) == [More("C", "window", 5)]


def test_what_helps_no_further_is_bought_no_further() -> None:
    """Two windows take away what windows can; what is left has another reason, so 2 are bought, not 32."""
    wants, tried = doubled({}, {WINDOW: Short(10.0, 2023)}), []
    while not settled(wants):
        tried.append(wants[WINDOW].units)
        wants = doubled(wants, {WINDOW: Short(10.0 - min(2, wants[WINDOW].units), 2023)})
    assert tried == [1, 2, 4, 8, 16, 32]
    assert wants[WINDOW].units == 2
    assert halved(wants)[WINDOW].units == 2


def test_what_breaks_anew_is_bought_anew() -> None:
    wants = doubled(doubled({}, {WINDOW: Short(9.0, 2024)}), {})
    assert settled(wants)
    wants = doubled(wants, {WINDOW: Short(3.0, 2023)})
    assert (wants[WINDOW].units, wants[WINDOW].since, settled(wants)) == (2, 2023, False)


def test_purchases_add_up_and_say_what_is_left(three_villages: County) -> None:
    """Two years: harm 50 and 70 with nothing, 20 with the first, 0 with both; a year has half of it."""
    bought = pd.DataFrame(
        [(1, 2023, "C", "window", 2, 80.0), (2, 2024, "C", "driver", 1, 30.0)],
        columns=["order", "year", "site_id", "resource", "units", "harm_avoided"],
    )
    harm = {(0, 0): (30.0, 20.0), (0, 1): (30.0, 40.0), (1, 0): (20.0, 0.0), (1, 1): (0.0, 20.0)}
    left = pd.DataFrame(
        [(o, r, 2023 + n, harm.get((o, r), (0.0, 0.0))[n]) for o in (0, 1, 2) for r in (0, 1) for n in (0, 1)],
        columns=["order", "replication", "year", "severity"],
    )
    table = as_declared(purchases(settings(), three_villages, bought, left), run_table("purchases"))
    window, driver = (settings().prices[name].central for name in ("window_place", "driver_year"))
    assert table["cost_yuan"].tolist() == [2 * window, driver]
    assert table["cost_so_far_yuan"].tolist() == [2 * window, 2 * window + driver]
    assert table["harm_avoided"].tolist() == [40.0, 15.0]
    assert table[["harm_left_mean", "harm_left_low", "harm_left_high"]].to_numpy().tolist() == [[10, 10, 10], [0, 0, 0]]


# --- the whole way ---


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("relief")
    both = ("executor=serial", "executor=processes")
    for name, executor in zip(("one", "two"), both, strict=True):
        run(load([*SHORT_OF_BEDS, "judge.relief=worst", f"study.out={out}", f"study.name={name}", executor,
                  "study.workers=2"]))  # fmt: skip
    return out


def test_beds_are_bought_until_nobody_is_refused_one(lived: Path) -> None:
    """Lived again in a county that has them from the start: girls have beds enough, so theirs change nothing."""
    bought = pd.read_csv(lived / "one" / "base" / "purchases.csv")
    (row,) = bought.to_dict("records")
    assert (row["site_id"], row["resource"], row["year"]) == ("C", "bed_boys", 2023)
    beds = job(*SHORT_OF_BEDS, f"lodge.beds={{C: {1 + row['units']}}}")
    harm = [live_year(beds, replication, 0)["harm"]["severity"].sum() for replication in (0, 1)]
    assert row["harm_left_mean"] == pytest.approx(np.mean(harm))


@pytest.mark.parametrize("name", ["relief.csv", "purchases.csv", "relieved.parquet", "bought.parquet"])
def test_relief_is_the_same_whoever_does_the_work(lived: Path, name: str) -> None:
    one, two = ((lived / folder / "base" / name).read_bytes() for folder in ("one", "two"))
    assert one == two


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_tells_what_helps_and_what_to_buy(lived: Path, language: str) -> None:
    folder = RunFolder(lived / "one" / "base")
    settings = folder.settings.model_copy(
        update={"report": folder.settings.report.model_copy(update={"language": language})}
    )
    folder.write_yaml("config.yaml", settings.model_dump(mode="json"))
    tell(folder)
    page = folder.read_text("report.html")
    (row,) = folder.read_table("purchases").to_dict("records")
    one = {"en": f"{row['units']} × boys&#39; beds", "zh": f"男生床位 {row['units']}"}[language]
    assert page.count(one) == 2, "in the answer and in the list"
    assert '<h2 id="relief">' in page
    assert "<svg" in folder.read_text("figures/purchases.svg")
    assert f"{row['harm_avoided']:,.0f}" in page


def test_the_curve_tells_nothing_of_a_small_group(lived: Path) -> None:
    """C has two lodgers: what beds spare them is a step for readers inside, and none for the public."""
    folder = RunFolder(lived / "two" / "base")

    def steps(audience: str) -> set[float]:
        report = folder.settings.report.model_copy(update={"audience": audience})
        told = folder.settings.model_copy(update={"report": report})
        folder.write_yaml("config.yaml", told.model_dump(mode="json"))
        drawn = chart(Run(folder.path))
        assert drawn is not None
        return set(drawn.axes[0].lines[0].get_ydata())

    assert len(steps("internal")) == 2
    assert len(steps("public")) == 1


def test_the_county_without_closing_is_not_relieved() -> None:
    base = base_settings(load(["judge.relief=worst", "account.base=not_closing"]))
    assert base is not None
    assert base.judge.relief == "off"


def test_a_run_without_relief_does_not_speak_of_it(lived: Path) -> None:
    quiet = run(load([*SHORT_OF_BEDS, f"study.out={lived}", "study.name=off", "judge.relief=off"]))
    assert 'id="relief"' not in quiet.read_text("report.html")
    assert quiet.read_table("relief").empty
    assert not quiet.file("figures/purchases.svg").is_file()


def test_steps_of_relief_must_rise() -> None:
    with pytest.raises(BadInput, match=r"judge\.relief_units.*must rise; try \[1, 2\]"):
        load(["judge.relief_units=[2,1]"])
