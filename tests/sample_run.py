"""Made-up run folders for the tests of pages and workbooks: every file of the contract, no simulation behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sim.account.chart import chart
from sim.config import load
from sim.judge.paired import among_many
from sim.measure.annual import annual
from sim.plan.school_plan import PLAN_COLUMNS
from sim.store import RunFolder
from sim.tables import run_table

MADE_UP = "synthetic: made up for a test"
REAL = "real: made up for a test"
SCHOOLS = {  # id: Chinese name, English name, township, kind, first grade, last grade
    "S1": ("一乡中心小学", "First Central Primary", "T1", "central_primary", 1, 6),
    "S2": ("一乡初中", "First Junior", "T1", "junior", 7, 9),
    "S3": ("二乡九年制学校", "", "T2", "nine_year", 1, 9),
    "S4": ("甲村教学点", "Point A", "T1", "teaching_point", 1, 3),
    "S5": ("乙村小学", "Village B", "T2", "village", 1, 4),
    "S6": ("县城小学", "Town Primary", "T3", "town_primary", 1, 6),
}
HAMLETS = {  # id: township, kind, school, pupils in each grade and sex
    "H1": ("T1", "village", "S1", 9),
    "H2": ("T1", "hamlet", "S4", 1),
    "H3": ("T2", "village", "S3", 12),
    "H4": ("T2", "village", "S5", 3),
    "H5": ("T3", "town", "S6", 40),
}
LIVED = ("S1", "S2", "S3")
SCHOOL_DAYS = 195


def sample_run(
    folder: Path,
    *overrides: str,
    scenario: str = "base",
    years: int = 3,
    replications: int = 4,
    harm: float = 1.0,
    girls: int = 66,
    names: dict[str, str] | None = None,
) -> Path:
    """Write a finished run folder of six schools and five hamlets.

    `girls` ask for a bed in S2; `names` replaces Chinese school names.
    """
    words = [f"scenario={scenario}", f"study.years={years}", f"study.replications={replications}"]
    settings = load([*words, "county=three_villages", *overrides])
    run = RunFolder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    run.write_yaml("config.yaml", settings.model_dump(mode="json"))
    _inputs(run, names or {})
    for group in ("prices", "limits"):
        run.write_yaml(f"inputs/{group}.yaml", settings.model_dump(mode="json", include={group})[group])
    luck = np.random.default_rng(1)
    lived = pd.MultiIndex.from_product(
        [range(replications), [2023 + k for k in range(years)]], names=["replication", "year"]
    ).to_frame(index=False)
    struck = settings.stress.weeks if settings.stress.strikes else ()
    tables = _lived(lived, luck, harm, girls, struck) | _judged(lived, harm, names or {}) | _planned(lived)
    tables["accounts"] = chart(settings)
    tables["harm_drivers"] = _drivers(replications)
    for name, frame in tables.items():
        run.write_table(name, frame.assign(scenario=scenario))
    run.write_manifest(
        version="0.0.0",
        git_commit=None,
        git_dirty=None,
        seed=settings.seed,
        packages={},
        inputs_sha256="0",
        started_utc="2026-01-01T00:00:00+00:00",
        seconds=1.0,
        host_cores=2,
        replications=replications,
        complete=True,
    )
    return folder


def named(columns: str) -> list[str]:
    """Return the names of columns written one after the other."""
    return columns.split()


def _inputs(run: RunFolder, names: dict[str, str]) -> None:
    """Write the county's tables."""
    schools = pd.DataFrame(
        [
            (
                key,
                names.get(key, row[0]),
                row[1],
                row[2],
                row[3],
                f"n{k}",
                115.7 + 0.03 * k,
                25.5 + 0.05 * (k % 3),
                row[4],
                row[5],
                1,
                "",
                REAL if k % 2 else MADE_UP,
            )
            for k, (key, row) in enumerate(SCHOOLS.items())
        ],
        columns=named(
            "school_id name_zh name_en township_id kind node_id lon lat first_grade last_grade receives "
            "opens_year source"
        ),
    )
    hamlets = pd.DataFrame(
        [
            (
                key,
                f"{key}村",
                row[0],
                row[1],
                f"n{k}",
                115.71 + 0.03 * k,
                25.52 + 0.04 * (k % 3),
                row[2],
                0,
                0,
                0,
                MADE_UP,
            )
            for k, (key, row) in enumerate(HAMLETS.items())
        ],
        columns=named(
            "hamlet_id name_zh township_id kind node_id lon lat school_id line_bus hardship_share "
            "left_behind_share source"
        ),
    )
    cells = [(key, g, sex, row[3], MADE_UP) for key, row in HAMLETS.items() for g in range(1, 10) for sex in "fm"]
    nodes = [(f"n{k}", 115.7 + 0.03 * k, 25.5 + 0.05 * (k % 3), "school", 0, REAL) for k in range(6)]
    edges = [
        (f"e{k}", f"n{k}", f"n{k + 1}", 4.0, "county" if k % 2 else "village", "straight", "none", MADE_UP)
        for k in range(5)
    ]
    zones = [
        (f"T{k}", f"{'一二三'[k - 1]}乡", f"Township {k}", f"T{k}", int(k == 3), 115.7, 25.5, 1000, REAL)
        for k in (1, 2, 3)
    ]
    weeks = [(w, 1 + (w > 21), 9 + w // 5 if w < 17 else 1 + w // 8, 5, REAL) for w in range(1, 40)]
    tables = {
        "schools": schools,
        "hamlets": hamlets,
        "pupils": pd.DataFrame(cells, columns=named("hamlet_id grade sex pupils source")),
        "nodes": pd.DataFrame(nodes, columns=named("node_id lon lat kind is_yard source")),
        "edges": pd.DataFrame(edges, columns=named("edge_id from_node to_node km road_class bend closed_by source")),
        "zones": pd.DataFrame(
            zones,
            columns=named("township_id name_zh name_en zone_id is_town lon lat population source"),
        ),
        "calendar": pd.DataFrame(weeks, columns=named("week term month days source")),
    }
    for name, table in tables.items():
        run.write_text(f"inputs/{name}.csv", table.to_csv(index=False))


def _cross(lived: pd.DataFrame, **columns: object) -> pd.DataFrame:
    """Repeat every year of every replication for each combination of the given values."""
    table = lived
    for name, values in columns.items():
        table = table.merge(pd.DataFrame({name: values}), how="cross")
    return table


def _noisy(luck: np.random.Generator, rows: int, mean: float) -> np.ndarray:
    return np.maximum(0.0, mean * (1 + 0.1 * luck.standard_normal(rows)))


def _lived(
    lived: pd.DataFrame, luck: np.random.Generator, harm: float, girls: int, struck: tuple[int, ...]
) -> dict[str, pd.DataFrame]:
    """Make the tables that the simulated weeks leave; on each day of a struck week things are as in a usual week."""
    homes = pd.DataFrame([(k, v[2], v[3]) for k, v in HAMLETS.items()], columns=["hamlet_id", "school_id", "pupils"])
    enrolment = _cross(lived, grade=range(1, 10), sex=["f", "m"]).merge(homes, how="cross")
    less = 1 - 0.05 * (enrolment["year"] - 2023) * (enrolment["replication"] > 0)
    enrolment["pupils"] = (enrolment["pupils"] * less).round().astype(int)
    weekly = {
        "pupils_present": (2000, "pupil-day"),
        "pupils_carried": (700, "pupil-day"),
        "bus_km": (900, "km"),
        "pupils_left_behind": (20 * harm, "pupil-day"),
        "pupils_fetched": (12 * harm, "pupil-day"),
        "window_wait_min_p95": (9 * harm, "min"),
        "ride_min_p95": (30, "min"),
        "pupil_days_harmed": (40 * harm, "pupil-day"),
    }
    measures = _cross(lived, week=[3, 9, 30], site_id=[*LIVED, "county"], measure=list(weekly))
    measures = measures.assign(day=0, weight=13.0)
    daily = _cross(lived, week=list(struck), site_id=["county"], measure=list(weekly), day=range(1, 6))
    measures = pd.concat([measures, daily.assign(weight=1.0)], ignore_index=True)
    measures["value"] = [weekly[name][0] for name in measures["measure"]] * (1 + 0.1 * luck.random(len(measures)))
    measures["unit"] = [weekly[name][1] for name in measures["measure"]]
    days = _cross(lived, week=[3, 9, 30, *struck], day=range(1, 6), morning=["fog"], afternoon=["clear"])
    days["weight"] = np.where(days["week"].isin(struck), 1.0, 13.0)
    spread = _cross(
        lived,
        site_id=LIVED,
        measure=["ride_min", "door_to_school_min"],
        grade_band=["1-3", "4-6", "7-9"],
        low=np.arange(0, 60, 2.0),
    )
    spread["high"] = spread["low"] + 2
    spread["count"] = 5000 * np.exp(-(((spread["low"] - 18) / 9) ** 2))
    shortage = pd.DataFrame(
        {
            "site_id": ["S1", "S2", "S3"],
            "resource": ["window", "bed_girls", "bus_seat"],
            "kind": ["hungry", "no_bed", "left_behind"],
            "cause": ["window", "bed", "bus_seat"],
            "pupil_days": [400 * harm, 900 * harm, 60 * harm],
        }
    )
    harmed = lived.merge(shortage, how="cross")
    harmed["pupil_days"] = _noisy(luck, len(harmed), 1.0) * harmed["pupil_days"]
    harmed["severity"] = harmed["pupil_days"] * 0.5
    there = pd.DataFrame(
        {
            "site_id": ["county", "county", "S2", "S2", "S1"],
            "resource": ["bus", "spare_bus", "bed_girls", "bed_boys", "window"],
            "capacity": [12.0, 1.0, 60.0, 70.0, 4.0],
            "demand_peak": [11.0, np.nan, girls, 50.0, 5.0],
            "utilisation_mean": [0.9, np.nan, 1.0, 0.7, 0.5],
            "unmet": [0.0, 0.0, 900.0, 0.0, 40.0],
            "unmet_unit": ["run", "pupil-day", "pupil-day", "pupil-day", "meal"],
            "unit": ["bus", "bus", "bed", "bed", "window"],
        }
    )
    resources = lived.merge(there, how="cross").assign(utilisation_peak=1.0, wait_mean_min=np.nan, wait_p95_min=np.nan)
    lived_tables = {"enrolment": enrolment, "days": days, "measures": measures, "annual": annual(measures)}
    return lived_tables | {"spread": spread, "harm": harmed, "resources": resources}


def _judged(lived: pd.DataFrame, harm: float, names: dict[str, str]) -> dict[str, pd.DataFrame]:
    """Make the tables of accounts and judgement."""
    years = sorted(lived["year"].unique())
    places = [
        ("S2", "bed_girls", 900, "bed", 1.0),
        ("S1", "window", 400, "window", 0.75),
        ("S3", "bus_seat", 60, "bus_seat", 0.25),
    ]
    worst = pd.DataFrame(
        [
            (
                year,
                rank,
                site,
                names.get(site, SCHOOLS[site][0]),
                resource,
                days * harm / 2,
                days * harm * 0.45,
                days * harm * 0.55,
                days * harm,
                days * harm * 0.9,
                days * harm * 1.1,
                chance if harm else 0.0,
                max(chance - 0.2, 0.0) if harm else 0.0,
                min(chance + 0.2, 1.0) if harm else 0.0,
                2023 if chance >= 0.5 and harm else None,
                cause,
                "one more bed",
                17600.0,
                897.9,
            )
            for year in years
            for rank, (site, resource, days, cause, chance) in enumerate(places, start=1)
        ],
        columns=named(
            "year rank site_id site_name resource severity severity_low severity_high "
            "pupil_days_harmed_mean pupil_days_harmed_low pupil_days_harmed_high "
            "p_breach p_low p_high first_year_breached cause relief relief_cost_yuan "
            "relief_yuan_per_year"
        ),
    )
    verdicts = pd.DataFrame(
        [
            (
                year,
                site,
                "window_wait",
                "window_wait_min_p95",
                "at_most",
                9.0 + k,
                8.0 + k,
                10.0 + k,
                10.0,
                0.3 * k,
                0.1 * k,
                0.3 * k + 0.1,
                1.0 - k,
                "min",
                "assumption",
            )
            for year in years
            for k, site in enumerate(LIVED)
        ],
        columns=named(
            "year site_id limit measure sense value_mean value_low value_high limit_value p_breach p_low "
            "p_high margin unit source"
        ),
    )
    lines = pd.DataFrame(
        {
            "site_id": "county",
            "account": ["bus_km", "driver", "family_fare", "family_fare"],
            "nature": ["recurrent", "recurrent", "transfer", "transfer"],
            "payer": ["county", "county", "family", "county"],
            "payee": ["outside", "outside", "county", "family"],
            "quantity": [100000.0, 12.0, 500.0, -500.0],
            "unit": ["km", "post-year", "pupil-month", "pupil-month"],
            "unit_price_yuan": [2.5, 51000.0, 40.0, 40.0],
            "share": 1.0,
        }
    )
    ledger = lived.merge(lines, how="cross")
    ledger["amount_yuan"] = ledger["quantity"] * ledger["unit_price_yuan"]
    return {
        "bottlenecks": worst,
        "verdicts": verdicts,
        "ledger": ledger,
        **{name: pd.DataFrame(columns=list(run_table(name).names)) for name in ("relief", "purchases")},
        "budget.csv": _budget(lines, years),
    }


def _budget(lines: pd.DataFrame, years: list[int]) -> pd.DataFrame:
    amounts = lines.assign(mean=lines["quantity"] * lines["unit_price_yuan"])
    keys = ["account", "nature", "payer"]
    accounts = amounts.groupby(keys, as_index=False)["mean"].sum()
    payers = amounts.groupby("payer", as_index=False)["mean"].sum().assign(account="total", nature="all")
    whole = pd.DataFrame({"account": ["total"], "nature": ["all"], "payer": ["all"], "mean": [amounts["mean"].sum()]})
    table = pd.concat([accounts, payers, whole], ignore_index=True).merge(pd.DataFrame({"year": years}), how="cross")
    spread = {
        name: table["mean"] * by for name, by in {"low": 0.9, "high": 1.1, "p50": 1, "p80": 1.05, "p95": 1.1}.items()
    }
    same = dict.fromkeys(("annualised", "npv", "nominal", "luck_p50", "luck_p80", "luck_p95"), table["mean"])
    return table.assign(**spread, **same, residual=0.0, npv_residual=0.0, replications=3)


def _drivers(replications: int) -> pd.DataFrame:
    """Make the table of what goes along with harm."""
    table = pd.DataFrame({"driver": ["rain", "pupils"], "correlation_mean": [0.5, -0.2]})
    mean = table["correlation_mean"]
    return table.assign(
        correlation_low=mean - 0.3, correlation_high=mean + 0.3, share=mean**2, replications=replications
    )


def _planned(lived: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Make the tables of the plan."""
    years = pd.DataFrame({"year": sorted(lived["year"].unique())})
    closures = pd.DataFrame(
        {
            "year": 2023,
            "school_id": ["S4", "S5"],
            "decision": ["close", "keep"],
            "condition_failed": [None, "ride_or_bed"],
            "shortfall": [np.nan, 2.0],
            "unit": [None, "bed"],
            "cheapest_relief": [None, "beds at the receiving school"],
            "relief_cost_yuan": [np.nan, 35200.0],
            "pupils": [2.0, 40.0],
            "keep_cost_yuan_per_year": [np.nan, 90000.0],
        }
    )
    grounds = closures[["year", "school_id"]].assign(
        ground="ride_or_bed", since=None, required=1, met=[1, 0], value=closures["shortfall"], limit=np.nan,
        unit=closures["unit"], relief=closures["cheapest_relief"], relief_units=[None, 2],
        relief_items=[None, "bed_place 2"],
        relief_cost_yuan=closures["relief_cost_yuan"],
    )  # fmt: skip
    plans = pd.DataFrame(columns=[column for column in PLAN_COLUMNS if column != "scenario"])
    places = years.merge(
        pd.DataFrame(
            {
                "hamlet_id": ["H1"],
                "grade": 1,
                "school_id": "S1",
                "mode": "walk",
                "pupils": 9.0,
                "km": 0.5,
                "reason": "nearest",
            }
        ),
        how="cross",
    )
    stops = pd.DataFrame(
        {
            "run_id": "R1",
            "duty_id": "D1",
            "bus_id": "B1",
            "service": "school",
            "direction": "in",
            "days": "mon_fri",
            "school_id": "S1",
            "seq": [0, 1],
            "stop_id": ["H1", "S1"],
            "arrive_min": [440.0, 470.0],
            "depart_min": [441.0, np.nan],
            "km": [0.0, 6.0],
            "embark": [9.0, 0.0],
            "alight": [0.0, 9.0],
            "load_after": [9.0, 0.0],
            "seats": 34,
        }
    )
    posts = years.assign(site_id="S1", post="teacher", needed=9.0, filled=9.0, from_school_id=None)
    unplaced = pd.DataFrame(
        columns=named("year hamlet_id grade pupils constraint shortfall relief relief_items relief_cost_yuan")
    )
    return {
        "closures": closures,
        "grounds": grounds,
        "school_plans": plans,
        "places": places,
        "runs": years.merge(stops, how="cross"),
        "posts": posts,
        "unplaced": unplaced,
    }


def sample_sweep(
    folder: Path, *overrides: str, scales: tuple[float, ...] = (0.8, 1.0), beds: tuple[float, ...] = (1.0, 1.2)
) -> Path:
    """Write a sweep of two settings with its summary."""
    rows = []
    for scale in scales:
        for bed in beds:
            name = f"fleet.scale={scale},lodge.beds_scale={bed}"
            sample_run(
                folder / name,
                f"fleet.scale={scale}",
                f"lodge.beds_scale={bed}",
                *overrides,
                scenario=f"'{name}'",
                years=1,
                replications=2,
                harm=2 - scale,
            )
            values = {
                "pupil_days_harmed": 5000 / scale / bed,
                "ride_min_p95": 31 / scale,
                "cost_yuan_per_year": 5e7 * scale * bed,
            }
            for measure, value in values.items():
                diff = value * 0.1 if (scale, bed) != (scales[0], beds[0]) else np.nan
                rows.append((name, measure, value, value * 0.95, value * 1.05, diff, diff * 0.5, diff * 1.5, 2))
    columns = ["scenario", "measure", "mean", "low", "high", "diff_mean", "diff_low", "diff_high", "replications"]
    table = pd.DataFrame(rows, columns=columns)
    table = table.assign(diff_replications=2, p_value=0.01, crn_gain=4.0, sampling_half_width=table["mean"] * 0.03)
    for name in ("p50", "p50_low", "p50_high", "p90", "p90_low", "p90_high"):
        table[name] = table["mean"]
    table.loc[table["diff_mean"].isna(), ["p_value", "crn_gain"]] = np.nan
    RunFolder(folder).write_table("summary", among_many(table))
    return folder
