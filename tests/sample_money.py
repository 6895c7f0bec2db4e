"""Made-up money tables beside a made-up run: every account of some weight, and numbers that are easy to follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sim.store import RunFolder

YUAN = {  # account: nature, yuan in the first year, growth a year, who pays (share), who gets it
    "bus_purchase_seats_36": ("capital", 6_000_000, 0.2, {"county": 1.0}, ""),
    "bed_place": ("capital", 900_000, 0.5, {"county": 1.0}, ""),
    "town_place": ("capital", 4_000_000, 0.9, {"county": 1.0}, ""),
    "stop_place": ("capital", 60_000, 0.1, {"county": 1.0}, ""),
    "bus_km": ("recurrent", 8_000_000, 1.0, {"county": 1.0}, ""),
    "driver": ("recurrent", 6_900_000, 1.0, {"county": 1.0}, ""),
    "attendant": ("recurrent", 5_700_000, 1.0, {"county": 1.0}, ""),
    "meal_lunch": ("recurrent", 9_000_000, 0.97, {"family": 1.0}, ""),
    "guard": ("recurrent", 2_500_000, 1.0, {"county": 1.0}, ""),
    "tap_place": ("capital", 40_000, 0.5, {"county": 1.0}, ""),
    "campus_upkeep": ("recurrent", 120_000, 1.1, {"county": 1.0}, ""),
    "campus_lease": ("income", -30_000, 1.1, {"county": 1.0}, ""),
    "post_retired_teacher": ("income", -850_000, 1.3, {"county": 1.0}, ""),
    "nutrition_aid": ("transfer", 7_500_000, 0.97, {"upper": 1.0}, "family"),
    "public_funds_primary": ("transfer", 20_000_000, 0.97, {"upper": 1.0}, "county"),
    "family_fare": ("transfer", 3_600_000, 1.0, {"family": 1.0}, "county"),
}
EARMARKED = ("public_funds_primary",)
WIDE = {"low": 0.985, "high": 1.015, "p50": 1.01, "p80": 1.12, "p95": 1.24}
LUCK = {"luck_p50": 1.0, "luck_p80": 1.02, "luck_p95": 1.03}
"""How far a sum goes, as a factor of its mean."""


def with_money(folder: Path, *, base: bool = True) -> Path:
    """Write the money tables of a run folder anew, `net.csv` only when there is a `base`; return the folder."""
    run = RunFolder(folder)
    settings = run.settings
    years = [settings.study.first_year + k for k in range(settings.study.years)]
    budget = sample_budget(years)
    tables = {
        "accounts.csv": _accounts(),
        "budget.csv": budget,
        "all_years.csv": sample_all_years(budget, years, base=base),
        "capital.csv": _capital(years),
        "unit_costs.csv": _unit_costs(years),
        "drivers.csv": _drivers(budget),
        "bands.csv": _bands(),
        "family.csv": sample_family(years),
        "campuses.csv": _campuses(years),
        **({"net.csv": sample_net(years)} if base else {}),
    }
    for name, table in tables.items():
        run.write_table(name, table.assign(scenario=settings.scenario))
    return folder


def spread(table: pd.DataFrame, by: dict[str, float] | None = None) -> pd.DataFrame:
    """Put quantiles beside each mean."""
    return table.assign(**{name: table["mean"] * factor for name, factor in (by or {**WIDE, **LUCK}).items()})


def sample_budget(years: list[int]) -> pd.DataFrame:
    """Return a budget that adds up: lines by account and payer, then the totals of payers and of all."""
    rows = [
        (year, account, nature, party, sign * share * yuan * growth**k)
        for account, (nature, yuan, growth, shares, payee) in YUAN.items()
        for k, year in enumerate(years)
        for payer, share in shares.items()
        for party, sign in ((payer, 1), *(((payee, -1),) if payee else ()))
    ]
    lines = pd.DataFrame(rows, columns=["year", "account", "nature", "payer", "mean"])
    counted = lines[~lines["account"].isin(EARMARKED)]
    payers = counted.groupby(["year", "payer"], as_index=False)["mean"].sum()
    whole = lines.groupby("year", as_index=False)["mean"].sum().assign(payer="all")
    table = pd.concat([lines, *(part.assign(account="total", nature="all") for part in (payers, whole))])
    ahead = table["year"] - years[0]
    capital = table["nature"].isin(["capital", "all"]) & table["payer"].isin(["county", "all"])
    left = np.where(capital, 0.1, 0.0) * table["mean"].abs()
    return spread(table).assign(
        annualised=table["mean"] * 0.8, npv=table["mean"] / 1.03**ahead, nominal=table["mean"], residual=left,
        npv_residual=left / 1.03 ** len(years), replications=4,
    )  # fmt: skip


def _accounts() -> pd.DataFrame:
    """Return the chart of accounts: what each is for, and its price."""
    rows = {
        "bus_purchase_seats_36": ("bus", "bus_seats_36"), "bed_place": ("lodge", "bed_place"),
        "town_place": ("town", "town_place"), "stop_place": ("bus", "stop_place"), "bus_km": ("bus", "bus_km"),
        "driver": ("bus", "driver_year"), "attendant": ("bus", "attendant_year"), "meal_lunch": ("dine", "meal_lunch"),
        "guard": ("staff", "guard_year"), "tap_place": ("wash", "tap_place"),
        "campus_upkeep": ("campus", "campus_idle_m2"), "campus_lease": ("campus", "campus_lease_m2"),
        "post_retired_teacher": ("staff", "teacher_year"), "nutrition_aid": ("aid", "nutrition_meal"),
        "public_funds_primary": ("school", "public_funds_primary"), "family_fare": ("bus", "family_fare_per_month"),
    }  # fmt: skip
    table = pd.DataFrame([(name, *row) for name, row in rows.items()], columns=["account", "purpose", "item"])
    return table.assign(
        nature=[YUAN[name][0] for name in rows], unit="bus", counts=table["account"], purse=None, payer="county",
        payee="outside", life_years=np.where(table["account"].isin(["town_place"]), 50.0, 15.0),
        in_total=(~table["account"].isin(EARMARKED)).astype(int),
    )  # fmt: skip


def sample_all_years(budget: pd.DataFrame, years: list[int], *, base: bool) -> pd.DataFrame:
    """Return all years added up by payer, as cash and worth today, and how that differs from not closing."""
    parts = {"nothing": budget[budget["account"] == "total"]}
    if base:
        net = sample_net(years)
        parts["not_closing"] = net[net["account"] == "total"]
    sums = [
        spread(part.groupby("payer", as_index=False)["mean"].sum().assign(against=name, measure=measure), WIDE)
        for name, part in parts.items()
        for measure in ("cash", "present", "present_less_residual")
    ]
    return pd.concat(sums, ignore_index=True).assign(p_below=0.04)


def _capital(years: list[int]) -> pd.DataFrame:
    rows = [
        (year, account, bought * (k == 0) + again * (k == 2), again * (k == 2), unit, price, life, bought, left)
        for account, bought, again, unit, price, life, left in (
            ("bus_purchase_seats_36", 22, 3, "bus", 270_000, 15, 0.8),
            ("bed_place", 51, 0, "bed", 17_600, 30, 0.9),
            ("stop_place", 6, 0, "stop", 10_000, 15, 0.8),
            ("tap_place", 0, 0, "tap", 1_500, 10, 0.7),
        )
        for k, year in enumerate(years)
    ]
    names = "year account bought replaced unit unit_price_yuan life_years in_service left"
    table = pd.DataFrame(rows, columns=names.split())
    table["mean"] = table["bought"] * table["unit_price_yuan"]
    table["annual"] = table["in_service"] * table["unit_price_yuan"] / table["life_years"]
    return table.assign(residual=table["mean"] * table["left"]).drop(columns="left")


def _unit_costs(years: list[int]) -> pd.DataFrame:
    measures = {
        "yuan_per_pupil": (830, "yuan/pupil"), "yuan_per_rider": (3_350, "yuan/rider"),
        "yuan_per_bus": (206_000, "yuan/bus"), "yuan_per_km": (7.1, "yuan/km"),
        "yuan_per_lodger": (1_900, "yuan/lodger"), "yuan_per_bed_night": (12.2, "yuan/bed-night"),
        "yuan_per_meal": (5.2, "yuan/meal"), "riders_per_bus": (62, "rider/bus"), "km_per_bus": (23_000, "km/bus"),
        "fare_per_rider_month": (40, "yuan/rider-month"),
    }  # fmt: skip
    rows = [
        (year, name, mean * 1.02**k, unit) for name, (mean, unit) in measures.items() for k, year in enumerate(years)
    ]
    return spread(pd.DataFrame(rows, columns=["year", "measure", "mean", "unit"]), WIDE)


def _drivers(budget: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for payer in ("all", "county"):
        mean = budget[(budget["account"] == "total") & (budget["payer"] == payer)]["mean"].mean()
        for driver, below, above, share in (
            ("luck", 0.004, 0.004, 0.01), ("bus_km", 0.04, 0.09, 0.46), ("attendant_year", 0.02, 0.06, 0.2),
            ("driver_year", 0.03, 0.03, 0.15), ("meal_lunch", 0.02, 0.03, 0.1), ("guard_year", 0.01, 0.02, 0.05),
            ("bus_seats_36", 0.01, 0.02, 0.03),
        ):  # fmt: skip
            rows.append((driver, payer, mean * (1 - below), mean * (1 + above), share))
    return pd.DataFrame(rows, columns=["driver", "payer", "low", "high", "share"])


def _bands() -> pd.DataFrame:
    most = "bus_km:0.38;driver:0.33;attendant:0.27"
    rows = [
        ("yujiang_public_per_rider", "public_yuan_per_rider", 3_350, 600, 3_200, 0, most, 2024),
        ("taishan_per_bus", "yuan_per_bus", 206_000, 150_000, 240_000, 1, most, 2014),
        ("riders_per_bus", "riders_per_bus", 62, 54, 80, 1, "", 2023),
    ]
    names = "band measure value_mean band_low band_high inside because year"
    table = pd.DataFrame(rows, columns=names.split())
    ends = {"value_low": table["value_mean"] * 0.97, "value_high": table["value_mean"] * 1.03}
    return table.assign(**ends, source="a county's report, made up for a test")


def sample_net(years: list[int]) -> pd.DataFrame:
    """Return a comparison in which closing costs the county and families more, and upper levels less."""
    parts = {
        "county": [("bus_km", 6_000_000), ("school_upkeep", -1_200_000), ("post_retired_teacher", -850_000)],
        "family": [("family_fare", 3_000_000)],
        "upper": [("small_school_floor", -900_000)],
    }
    rows = [
        (year, account, payer, yuan * (1 + 0.1 * k), 0.04)
        for payer, accounts in parts.items()
        for account, yuan in accounts
        for k, year in enumerate(years)
    ]
    lines = pd.DataFrame(rows, columns=["year", "account", "payer", "mean", "p_cheaper"])
    payers = lines.groupby(["year", "payer"], as_index=False)["mean"].sum()
    whole = lines.groupby("year", as_index=False)["mean"].sum().assign(payer="all")
    table = pd.concat([lines, *(part.assign(account="total", p_cheaper=0.04) for part in (payers, whole))])
    ends = {name: table["mean"] + by * table["mean"].abs() for name, by in (
        ("low", -0.05), ("high", 0.05), ("p50", 0.01), ("p80", 0.2), ("p95", 0.4))}  # fmt: skip
    return table.assign(**ends)


def sample_family(years: list[int]) -> pd.DataFrame:
    """Return eight groups, two of them of three pupils and of one; the fare makes the largest rise."""
    rows = [  # level, hardship, left behind, moved, before, after, pupils, cost before and after, aid before and after
        ("grades_1_3", "no", "no", "yes", "walk", "school_bus", 310, 1170, 1570, 975, 975),
        ("grades_1_3", "no", "yes", "yes", "walk", "school_bus", 90, 1170, 1570, 975, 975),
        ("grades_4_6", "no", "no", "yes", "walk", "lodge", 120, 1170, 2500, 975, 975),
        ("grades_4_6", "yes", "no", "yes", "walk", "lodge", 14, 1170, 2420, 1600, 2225),
        ("grades_1_3", "yes", "no", "yes", "walk", "family", 3, 1170, 1990, 1600, 1600),
        ("junior", "no", "no", "yes", "lodge", "lodge", 1, 2500, 2600, 975, 975),
        ("grades_1_3", "yes", "no", "yes", "walk", "school_bus", 40, 1170, 1170, 1600, 1600),
        ("junior", "no", "no", "no", "lodge", "lodge", 2400, 2500, 2500, 975, 975),
    ]
    names = "level hardship left_behind moved mode_before mode_after pupils cost_before cost_after aid_before aid_after"
    table = pd.DataFrame(rows, columns=names.split())
    table["rise_without_aid"] = table["cost_after"] - table["cost_before"]
    table["rise"] = table["rise_without_aid"] - table["aid_after"] + table["aid_before"]
    table["rank"] = table["rise"].rank(method="min", ascending=False).astype(int)
    return table.merge(pd.DataFrame({"year": years}), how="cross")


def _campuses(years: list[int]) -> pd.DataFrame:
    rows = [
        (year, school, years[0], area, owner, use if k else None, status if k else "kept", reason, source)
        for k, year in enumerate(years)
        for school, area, owner, use, status, reason, source in (
            (
                "S4",
                520.0,
                "county_company",
                "preschool",
                "used",
                "first_that_fits",
                "assumed",
            ),
            ("S5", 810.0, "county", None, "let", "large_enough_to_let", "real: register of 2023"),
        )
    ]
    names = "year school_id year_closed area_m2 owner use status reason source"
    return pd.DataFrame(rows, columns=names.split())
